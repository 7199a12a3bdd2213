/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that are sent and received: what of them is reported, and between whom. A row is a call over a link of its own.
 * Rows whose ports are worth more bytes make sense only where the probe looks for them (`snaplen_cases`); the others have
 * to come out the same with and without.
 */
#define _GNU_SOURCE
#include "addresses.h"
#include "expect.h"
#include "links.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SNAPLEN 80
#define V4 AF_INET
#define V6 AF_INET6
#define TCP SOCK_STREAM
#define UDP SOCK_DGRAM

enum detail {
	LONG = 1, /* the long message, else the short one */
	UNNAMED = 2, /* the call has no address */
	UNBUFFERED = 4, /* no place to receive into */
	WHOLE = 8, /* not cut to the usual length */
};

struct row {
	const char *label;
	const char *call;
	int family, type, detail;
	enum ports ports;
};

static const struct row sends[] = {
	{"sendtoX_ipv4_tcp_message_not_truncated_by_snaplen", "sendto", V4, TCP, 0, PORTS_PLAIN},
	{"sendtoX_ipv4_tcp_message_truncated_by_snaplen", "sendto", V4, TCP, LONG, PORTS_PLAIN},
	{"sendtoX_ipv4_udp_message_not_truncated_by_snaplen", "sendto", V4, UDP, 0, PORTS_PLAIN},
	{"sendtoX_ipv4_udp_message_truncated_by_snaplen", "sendto", V4, UDP, LONG, PORTS_PLAIN},
	{"sendto ipv6_tcp truncated", "sendto", V6, TCP, LONG, PORTS_PLAIN},
	{"sendto ipv4_tcp without an address", "sendto", V4, TCP, LONG | UNNAMED, PORTS_PLAIN},
	{"sendmsgX_ipv4_tcp_message_not_truncated_by_snaplen", "sendmsg", V4, TCP, 0, PORTS_PLAIN},
	{"sendmsgX_ipv4_tcp_message_truncated_by_snaplen", "sendmsg", V4, TCP, LONG, PORTS_PLAIN},
	{"sendmsgX_ipv4_udp_message_not_truncated_by_snaplen", "sendmsg", V4, UDP, 0, PORTS_PLAIN},
	{"sendmsgX_ipv4_udp_message_truncated_by_snaplen", "sendmsg", V4, UDP, LONG, PORTS_PLAIN},
	{"sendmmsgX_ipv4_tcp_message_no_snaplen", "sendmmsg", V4, TCP, 0, PORTS_PLAIN},
	{"sendmmsgX_ipv4_tcp_truncated", "sendmmsg", V4, TCP, LONG, PORTS_PLAIN},
	{"sendmmsgX_ipv6_tcp_message_no_snaplen", "sendmmsg", V6, TCP, 0, PORTS_PLAIN},
	{"sendmmsgX_ipv6_tcp_truncated", "sendmmsg", V6, TCP, LONG, PORTS_PLAIN},
	{"sendmmsgX_ipv4_udp_message_no_snaplen", "sendmmsg", V4, UDP, 0, PORTS_PLAIN},
	{"sendmmsgX_ipv4_udp_truncated", "sendmmsg", V4, UDP, LONG, PORTS_PLAIN},
	{"sendmmsgX_ipv6_udp_message_no_snaplen", "sendmmsg", V6, UDP, 0, PORTS_PLAIN},
	{"sendmmsgX_ipv6_udp_truncated", "sendmmsg", V6, UDP, LONG, PORTS_PLAIN},
	{"writeX_ipv4_tcp_message_truncated_by_snaplen", "write", V4, TCP, LONG, PORTS_PLAIN},
	{"sendtoX_ipv4_tcp_message_not_truncated_fullcapture_port", "sendto", V4, TCP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"sendtoX_ipv6_tcp_message_not_truncated_fullcapture_port", "sendto", V4, TCP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"sendtoX_ipv4_tcp_message_not_truncated_fullcapture_port_NULL_sockaddr", "sendto", V4, TCP, LONG | UNNAMED | WHOLE,
		PORTS_SERVER_FULL},
	{"sendtoX_ipv4_udp_message_not_truncated_fullcapture_port", "sendto", V4, UDP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"sendtoX_ipv4_tcp_message_not_truncated_DNS_snaplen", "sendto", V4, TCP, LONG | WHOLE, PORTS_SERVER_DNS},
	{"sendmsgX_ipv4_tcp_message_not_truncated_fullcapture_port", "sendmsg", V4, TCP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"sendmsgX_ipv6_tcp_message_not_truncated_fullcapture_port", "sendmsg", V6, TCP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"sendmsgX_ipv4_tcp_message_not_truncated_fullcapture_port_NULL_sockaddr", "sendmsg", V4, TCP, LONG | UNNAMED | WHOLE,
		PORTS_SERVER_FULL},
	{"sendmsgX_ipv4_udp_message_not_truncated_fullcapture_port", "sendmsg", V4, UDP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"sendmmsg, full-capture port", "sendmmsg", V4, UDP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"writeX_ipv4_tcp_message_not_truncated_fullcapture_port", "write", V4, TCP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"writev, full-capture port", "writev", V4, TCP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"sendto a statsd port", "sendto", V4, UDP, LONG | WHOLE, PORTS_SERVER_STATSD},
};

static const struct row receives[] = {
	{"recvfromX_ipv4_tcp_message_not_truncated_by_snaplen", "recvfrom", V4, TCP, 0, PORTS_PLAIN},
	{"recvfromX_ipv4_tcp_message_truncated_by_snaplen", "recvfrom", V4, TCP, LONG, PORTS_PLAIN},
	{"recvfromX_ipv4_tcp_NULL_sockaddr", "recvfrom", V4, TCP, LONG | UNNAMED, PORTS_PLAIN},
	{"recvfromX_ipv4_tcp_NULL_buffer", "recvfrom", V4, TCP, LONG | UNBUFFERED, PORTS_PLAIN},
	{"recvfromX_ipv4_udp_message_not_truncated_by_snaplen", "recvfrom", V4, UDP, 0, PORTS_PLAIN},
	{"recvfromX_ipv4_udp_message_truncated_by_snaplen", "recvfrom", V4, UDP, LONG, PORTS_PLAIN},
	{"recvfromX_ipv4_udp_NULL_sockaddr", "recvfrom", V4, UDP, LONG | UNNAMED, PORTS_PLAIN},
	{"recvfromX_ipv4_udp_NULL_buffer", "recvfrom", V4, UDP, LONG | UNBUFFERED, PORTS_PLAIN},
	{"recvmsgX_ipv4_tcp_message_shorter_than_snaplen", "recvmsg", V4, TCP, 0, PORTS_PLAIN},
	{"recvmsgX_ipv4_tcp_message_longer_than_snaplen_truncated", "recvmsg", V4, TCP, LONG, PORTS_PLAIN},
	{"recvmsgX_ipv4_tcp_NULL_sockaddr", "recvmsg", V4, TCP, LONG | UNNAMED, PORTS_PLAIN},
	{"recvmsgX_ipv4_tcp_NULL_buffer", "recvmsg", V4, TCP, LONG | UNBUFFERED, PORTS_PLAIN},
	{"recvmsgX_ipv4_udp_message_shorter_than_snaplen", "recvmsg", V4, UDP, 0, PORTS_PLAIN},
	{"recvmsgX_ipv4_udp_message_longer_than_snaplen_truncated", "recvmsg", V4, UDP, LONG, PORTS_PLAIN},
	{"recvmsgX_ipv4_udp_NULL_sockaddr", "recvmsg", V4, UDP, LONG | UNNAMED, PORTS_PLAIN},
	{"recvmsgX_ipv4_udp_NULL_buffer", "recvmsg", V4, UDP, LONG | UNBUFFERED, PORTS_PLAIN},
	{"recvmmsgX_ipv4_tcp_no_snaplen", "recvmmsg", V4, TCP, 0, PORTS_PLAIN},
	{"recvmmsgX_ipv4_tcp_truncated", "recvmmsg", V4, TCP, LONG, PORTS_PLAIN},
	{"recvmmsgX_ipv6_tcp_no_snaplen", "recvmmsg", V6, TCP, 0, PORTS_PLAIN},
	{"recvmmsgX_ipv6_tcp_truncated", "recvmmsg", V6, TCP, LONG, PORTS_PLAIN},
	{"recvmmsgX_ipv4_udp_no_snaplen", "recvmmsg", V4, UDP, 0, PORTS_PLAIN},
	{"recvmmsgX_ipv4_udp_truncated", "recvmmsg", V4, UDP, LONG, PORTS_PLAIN},
	{"recvmmsgX_ipv6_udp_no_snaplen", "recvmmsg", V6, UDP, 0, PORTS_PLAIN},
	{"recvmmsgX_ipv6_udp_truncated", "recvmmsg", V6, UDP, LONG, PORTS_PLAIN},
	{"recvmmsgX_ipv4_tcp_connection_null_sockaddr", "recvmmsg", V4, TCP, LONG | UNNAMED, PORTS_PLAIN},
	{"recvmmsgX_ipv4_udp_connection_null_sockaddr", "recvmmsg", V4, UDP, LONG | UNNAMED, PORTS_PLAIN},
	{"recvmmsgX_ipv4_tcp_connection_null_buffer", "recvmmsg", V4, TCP, LONG | UNBUFFERED, PORTS_PLAIN},
	{"recvmmsgX_ipv4_udp_connection_null_buffer", "recvmmsg", V4, UDP, LONG | UNBUFFERED, PORTS_PLAIN},
	{"readX_ipv4_tcp_message_truncated_by_snaplen", "read", V4, TCP, LONG, PORTS_PLAIN},
	{"readX_ipv4_udp_message_truncated_by_snaplen", "read", V4, UDP, LONG, PORTS_PLAIN},
	{"recvfromX_ipv4_tcp_message_not_truncated_fullcapture_port", "recvfrom", V4, TCP, LONG | WHOLE, PORTS_CLIENT_FULL},
	{"recvfromX_ipv4_tcp_message_not_truncated_DNS_snaplen", "recvfrom", V4, TCP, LONG | WHOLE, PORTS_CLIENT_DNS},
	{"recvfromX_ipv6_tcp_message_not_truncated_fullcapture_port", "recvfrom", V6, TCP, LONG | WHOLE, PORTS_CLIENT_FULL},
	{"recvfromX_ipv4_tcp_message_not_truncated_fullcapture_port_NULL_sockaddr", "recvfrom", V4, TCP, LONG | UNNAMED | WHOLE,
		PORTS_CLIENT_FULL},
	{"recvfromX_ipv4_udp_message_not_truncated_fullcapture_port", "recvfrom", V4, UDP, LONG | WHOLE, PORTS_CLIENT_FULL},
	/* An unconnected socket knows its far end only if the call asks for it. */
	{"recvfromX_ipv4_udp_message_truncated_fullcapture_port_NULL_sockaddr", "recvfrom", V4, UDP, LONG | UNNAMED,
		PORTS_CLIENT_FULL},
	{"recvmsgX_ipv4_tcp_message_longer_than_snaplen_not_truncated_fullcapture_port", "recvmsg", V4, TCP, LONG | WHOLE,
		PORTS_CLIENT_FULL},
	{"recvmsgX_ipv6_tcp_message_not_truncated_fullcapture_port", "recvmsg", V6, TCP, LONG | WHOLE, PORTS_CLIENT_FULL},
	{"recvmsgX_ipv4_tcp_message_longer_than_snaplen_not_truncated_fullcapture_port_NULL_sockaddr", "recvmsg", V4, TCP,
		LONG | UNNAMED | WHOLE, PORTS_CLIENT_FULL},
	{"recvmsgX_ipv4_udp_message_longer_than_snaplen_not_truncated_fullcapture_port", "recvmsg", V4, UDP, LONG | WHOLE,
		PORTS_CLIENT_FULL},
	{"recvmsgX_ipv4_udp_message_longer_than_snaplen_truncated_fullcapture_port_NULL_sockaddr", "recvmsg", V4, UDP,
		LONG | UNNAMED, PORTS_CLIENT_FULL},
	{"recvmmsg, full-capture port", "recvmmsg", V4, UDP, LONG | WHOLE, PORTS_CLIENT_FULL},
	{"readX_ipv4_tcp_message_not_truncated_fullcapture_port", "read", V4, TCP, LONG | WHOLE, PORTS_CLIENT_FULL},
	{"readX_ipv4_udp_message_truncated_fullcapture_client_port", "read", V4, UDP, LONG, PORTS_CLIENT_FULL},
	{"readX_ipv4_udp_message_not_truncated_fullcapture_server_port", "read", V4, UDP, LONG | WHOLE, PORTS_SERVER_FULL},
	{"readv, full-capture port", "readv", V4, TCP, LONG | WHOLE, PORTS_CLIENT_FULL},
};

static size_t told(const struct row *row, size_t count)
{
	return count > SNAPLEN && !(row->detail & WHOLE) ? SNAPLEN : count;
}

static void send_case(const struct row *row)
{
	const char *message = row->detail & LONG ? long_message : short_message;
	size_t count = row->detail & LONG ? LONG_BYTES : SHORT_BYTES;
	struct iovec parts[2] = {{(void *)message, 10}, {(void *)(message + 10), count - 10}};
	struct mmsghdr many = {.msg_hdr = {.msg_iov = parts, .msg_iovlen = 2}};
	struct any_address *named;
	struct link link;
	int has_tuple = 1;
	long result;

	link_open(&link, row->family, row->type, row->ports);
	named = row->detail & UNNAMED ? NULL : &link.to;
	many.msg_hdr.msg_name = named ? &named->in : NULL;
	many.msg_hdr.msg_namelen = named ? named->bytes : 0;
	expect_case(row->label);
	if (!strcmp(row->call, "sendto")) {
		result = syscall(SYS_sendto, link.client, message, count, 0, named, named ? named->bytes : 0);
	} else if (!strcmp(row->call, "sendmsg")) {
		result = syscall(SYS_sendmsg, link.client, &many.msg_hdr, 0);
	} else if (!strcmp(row->call, "sendmmsg")) {
		result = syscall(SYS_sendmmsg, link.client, &many, 1, 0) == 1 ? (long)many.msg_len : -1;
	} else {
		has_tuple = 0;
		result = row->call[5] ? syscall(SYS_writev, link.client, parts, 2)
				      : syscall(SYS_write, link.client, message, count);
	}
	must(result);
	expect_event(0, row->call);
	number("res", (long long)count);
	number("res", result);
	number("fd", link.client);
	number("size", (long long)count);
	bytes("data", message, told(row, count));
	if (has_tuple)
		socket_tuple("tuple", &link.from, &link.to);
	link_close(&link);
}

static void receive_case(const struct row *row)
{
	const char *message = row->detail & LONG ? long_message : short_message;
	size_t sent = row->detail & LONG ? LONG_BYTES : SHORT_BYTES, room_bytes = row->detail & UNBUFFERED ? 0 : ROOM;
	size_t got = sent < room_bytes ? sent : room_bytes;
	char room[ROOM], *to = row->detail & UNBUFFERED ? NULL : room;
	struct iovec parts[2] = {{to, room_bytes / 2}, {to ? to + room_bytes / 2 : NULL, room_bytes - room_bytes / 2}};
	struct any_address from = {.bytes = sizeof(from.in6)}, nobody, *named = row->detail & UNNAMED ? NULL : &from;
	struct mmsghdr many = {.msg_hdr = {.msg_iov = parts, .msg_iovlen = 2}};
	struct link link;
	long result;
	int is_message = 1;

	link_open(&link, row->family, row->type, row->ports);
	many.msg_hdr.msg_name = named ? &named->in : NULL;
	many.msg_hdr.msg_namelen = named ? named->bytes : 0;
	must(sendto((int)link.client, message, sent, 0, &link.to.any, link.to.bytes));
	expect_case(row->label);
	if (!strcmp(row->call, "recvfrom")) {
		result = syscall(SYS_recvfrom, link.server, to, room_bytes, 0, named, named ? &named->bytes : NULL);
	} else if (!strcmp(row->call, "recvmsg")) {
		result = syscall(SYS_recvmsg, link.server, &many.msg_hdr, 0);
	} else if (!strcmp(row->call, "recvmmsg")) {
		result = syscall(SYS_recvmmsg, link.server, &many, 1, 0, NULL) == 1 ? (long)many.msg_len : -1;
	} else {
		is_message = 0;
		result =
			row->call[4] ? syscall(SYS_readv, link.server, parts, 2) : syscall(SYS_read, link.server, to, room_bytes);
	}
	must(result);
	expect_event(0, row->call);
	number("res", (long long)got);
	number("res", result);
	number("fd", link.server);
	bytes("data", message, told(row, got));
	/* What a call without a buffer of its own asks for is what it got. */
	number("size", !strcmp(row->call, "recvfrom") || !strcmp(row->call, "read") ? (long long)room_bytes : (long long)got);
	if (is_message && row->type == UDP && !named) {
		address_v4(&nobody, "0.0.0.0", 0);
		socket_tuple("tuple", &nobody, &link.to);
	} else if (is_message) {
		socket_tuple("tuple", &link.from, &link.to);
	}
	if (is_message && strcmp(row->call, "recvfrom"))
		empty("msgcontrol");
	link_close(&link);
}

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

void message_cases(const char *directory)
{
	size_t i;

	(void)directory;
	messages_fill();
	for (i = 0; i < ROWS(sends); i++)
		if (sends[i].ports == PORTS_PLAIN)
			send_case(&sends[i]);
	for (i = 0; i < ROWS(receives); i++)
		if (receives[i].ports == PORTS_PLAIN)
			receive_case(&receives[i]);
}

/* The same and the rest where the probe looks at ports and contents. */
void snaplen_cases(void)
{
	size_t i;

	messages_fill();
	for (i = 0; i < ROWS(sends); i++)
		send_case(&sends[i]);
	for (i = 0; i < ROWS(receives); i++)
		receive_case(&receives[i]);
}
