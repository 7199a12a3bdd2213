/* SPDX-License-Identifier: Apache-2.0 */
/* First bytes by which a probe with a dynamic snaplen knows a protocol; what follows them is letters. */
#define _GNU_SOURCE
#include "expect.h"
#include "links.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SNAPLEN 80
#define PAYLOAD_BYTES 3000
#define PROTOCOL_BYTES 2000
#define DNS_BYTES 512

struct payload {
	const char *label;
	enum ports ports;
	const char *head;
	size_t head_bytes;
	size_t told;
};

static const struct payload payloads[] = {
	{"no protocol", PORTS_PLAIN, "", 0, SNAPLEN},
	{"HTTP GET", PORTS_PLAIN, "GET / HTTP/1.1", 14, PROTOCOL_BYTES},
	{"HTTP POST", PORTS_PLAIN, "POST /x HTTP/1.1", 16, PROTOCOL_BYTES},
	{"HTTP DELETE", PORTS_PLAIN, "DELETE /x", 9, PROTOCOL_BYTES},
	{"HTTP answer", PORTS_PLAIN, "HTTP/1.1 200", 12, PROTOCOL_BYTES},
	{"HTTP without a slash", PORTS_PLAIN, "HTTPD", 5, SNAPLEN},
	{"MySQL query", PORTS_SERVER_MYSQL, "\x20\1\0\0\3SELECT", 11, PROTOCOL_BYTES},
	{"MySQL port, other bytes", PORTS_SERVER_MYSQL, "GET / HTTP", 10, SNAPLEN},
	{"PostgreSQL query", PORTS_SERVER_POSTGRES, "Q\0\0\0\x20SELECT", 11, PROTOCOL_BYTES},
	{"PostgreSQL first message", PORTS_SERVER_POSTGRES, "\0\0\0\x20\0\3\0\0", 8, PROTOCOL_BYTES},
	{"PostgreSQL port, other bytes", PORTS_SERVER_POSTGRES, "GET / HTTP", 10, SNAPLEN},
	{"MongoDB port", PORTS_SERVER_MONGODB, "", 0, PROTOCOL_BYTES},
	{"MongoDB operation 2004 at any port", PORTS_PLAIN, "aaaabbbbcccc\xd4\7\0\0", 16, PROTOCOL_BYTES},
	{"MongoDB operation 2008 is none", PORTS_PLAIN, "aaaabbbbcccc\xd8\7\0\0", 16, SNAPLEN},
	{"statsd port", PORTS_SERVER_STATSD, "", 0, PROTOCOL_BYTES},
	{"DNS", PORTS_SERVER_DNS, "", 0, DNS_BYTES},
	{"full-capture port", PORTS_SERVER_FULL, "", 0, PAYLOAD_BYTES},
};

static void payload_case(const struct payload *payload)
{
	static char data[PAYLOAD_BYTES];
	struct iovec parts[2] = {{data, 100}, {data + 100, sizeof(data) - 100}};
	char label[128];
	struct link link;
	int row;

	memset(data, 'x', sizeof(data));
	memcpy(data, payload->head, payload->head_bytes);
	for (row = 0; row < 2; row++) {
		link_open(&link, AF_INET, SOCK_STREAM, payload->ports);
		snprintf(label, sizeof(label), "%s, %s", payload->label, row ? "writev" : "write");
		expect_case(label);
		must(row ? syscall(SYS_writev, link.client, parts, 2) : syscall(SYS_write, link.client, data, sizeof(data)));
		expect_event(0, row ? "writev" : "write");
		number("res", sizeof(data));
		bytes("data", data, payload->told);
		link_close(&link);
	}
}

static void no_socket_case(void)
{
	char data[SNAPLEN * 2] = "GET / HTTP/1.1";
	long fd = must(syscall(SYS_memfd_create, "page", 0));

	expect_case("what looks like HTTP in a file");
	must(syscall(SYS_write, fd, data, sizeof(data)));
	expect_event(0, "write");
	bytes("data", data, SNAPLEN);
	close((int)fd);
	/* Enough for every protocol, on a descriptor that is none. */
	expect_case("dynamic snaplen, no descriptor");
	called(syscall(SYS_write, -1, data, sizeof(data)));
	expect_event(0, "write");
	bytes("data", data, SNAPLEN);
}

void payload_cases(void)
{
	size_t i;

	for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		payload_case(&payloads[i]);
	no_socket_case();
}
