/* SPDX-License-Identifier: Apache-2.0 */
/* Data that moves: what of it is reported, and between whom. */
#define _GNU_SOURCE
#include "addresses.h"
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SNAPLEN 80
#define SHORT_BYTES 61
#define LONG_BYTES 121
#define ROOM 100

static char short_message[SHORT_BYTES], long_message[LONG_BYTES], room[ROOM];

static size_t snapped(size_t count)
{
	return count > SNAPLEN ? SNAPLEN : count;
}

/* A client and a server that know each other; `server` is the end that receives. */
struct link {
	int type;
	long client, server;
	struct any_address from, to;
};

static void link_open(struct link *link, int family, int type, unsigned short offset)
{
	int one = 1;
	long listener;

	link->type = type;
	if (family == AF_INET) {
		address_v4(&link->from, "127.0.21.34", (unsigned short)(51800 + offset));
		address_v4(&link->to, "127.59.21.35", (unsigned short)(52900 + offset));
	} else {
		address_v6(&link->from, "::ffff:127.0.0.4", (unsigned short)(51800 + offset));
		address_v6(&link->to, "::ffff:127.0.0.5", (unsigned short)(52900 + offset));
	}
	listener = must(socket(family, type, 0));
	link->client = must(socket(family, type, 0));
	must(setsockopt((int)listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(setsockopt((int)link->client, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(bind((int)listener, &link->to.any, link->to.bytes));
	must(bind((int)link->client, &link->from.any, link->from.bytes));
	link->server = listener;
	if (type == SOCK_STREAM) {
		must(listen((int)listener, 1));
		must(connect((int)link->client, &link->to.any, link->to.bytes));
		link->server = must(accept((int)listener, NULL, NULL));
		close((int)listener);
	}
}

static void link_close(struct link *link)
{
	reset(link->client);
	reset(link->server);
}

static void send_cases(const char *label, struct link *link, const char *message, size_t count)
{
	struct iovec vector[2] = {{(void *)message, 10}, {(void *)(message + 10), count - 10}};
	struct msghdr header = {.msg_name = &link->to.in, .msg_namelen = link->to.bytes, .msg_iov = vector, .msg_iovlen = 2};
	char name[128];
	long result;

	snprintf(name, sizeof(name), "sendto %s", label);
	expect_case(name);
	result = must(syscall(SYS_sendto, link->client, message, count, 0, &link->to.any, link->to.bytes));
	expect_event(0, "sendto");
	number("res", result);
	bytes("data", message, snapped(count));
	number("fd", link->client);
	number("size", (long long)count);
	socket_tuple("tuple", &link->from, &link->to);

	snprintf(name, sizeof(name), "sendmsg %s", label);
	expect_case(name);
	result = must(syscall(SYS_sendmsg, link->client, &header, 0));
	expect_event(0, "sendmsg");
	number("res", result);
	bytes("data", message, snapped(count));
	number("fd", link->client);
	number("size", (long long)count);
	socket_tuple("tuple", &link->from, &link->to);
}

/* `named`: the call asks who sent. An unconnected socket alone does not know. */
static void received(struct link *link, const char *data, size_t count, int named)
{
	struct any_address nobody;

	bytes("data", data, count);
	if (link->type == SOCK_DGRAM && !named) {
		address_v4(&nobody, "0.0.0.0", 0);
		socket_tuple("tuple", &nobody, &link->to);
	} else {
		socket_tuple("tuple", &link->from, &link->to);
	}
}

static void receive_cases(const char *label, struct link *link, const char *message, size_t count, int named, size_t wanted)
{
	struct any_address from = {.bytes = sizeof(from.in6)};
	struct iovec vector[2] = {{room, wanted / 2}, {room + wanted / 2, wanted - wanted / 2}};
	struct msghdr header = {.msg_name = named ? &from : NULL,
		.msg_namelen = named ? sizeof(from.in6) : 0,
		.msg_iov = vector,
		.msg_iovlen = 2};
	size_t got = count < wanted ? count : wanted;
	char name[128];
	long result;

	snprintf(name, sizeof(name), "recvfrom %s", label);
	expect_case(name);
	must(sendto((int)link->client, message, count, 0, link->type == SOCK_DGRAM ? &link->to.any : NULL,
		link->type == SOCK_DGRAM ? link->to.bytes : 0));
	result = must(syscall(
		SYS_recvfrom, link->server, wanted ? room : NULL, wanted, 0, named ? &from : NULL, named ? &from.bytes : NULL));
	expect_event(0, "recvfrom");
	number("res", (long long)got);
	number("res", result);
	number("fd", link->server);
	number("size", (long long)wanted);
	received(link, message, snapped(got), named);
	while (recv((int)link->server, room, sizeof(room), MSG_DONTWAIT) > 0)
		;

	snprintf(name, sizeof(name), "recvmsg %s", label);
	expect_case(name);
	must(sendto((int)link->client, message, count, 0, link->type == SOCK_DGRAM ? &link->to.any : NULL,
		link->type == SOCK_DGRAM ? link->to.bytes : 0));
	result = must(syscall(SYS_recvmsg, link->server, &header, 0));
	expect_event(0, "recvmsg");
	number("res", (long long)got);
	number("res", result);
	number("size", (long long)got);
	number("fd", link->server);
	empty("msgcontrol");
	received(link, message, snapped(got), named);
	while (recv((int)link->server, room, sizeof(room), MSG_DONTWAIT) > 0)
		;
}

static void write_read_cases(struct link *link)
{
	long result;

	expect_case("writeX_ipv4_tcp_message_truncated_by_snaplen");
	result = must(syscall(SYS_write, link->client, long_message, LONG_BYTES));
	expect_event(0, "write");
	number("res", result);
	bytes("data", long_message, SNAPLEN);
	number("fd", link->client);
	expect_case("readX_ipv4_tcp_message_truncated_by_snaplen");
	result = must(syscall(SYS_read, link->server, room, ROOM));
	expect_event(0, "read");
	number("res", result);
	bytes("data", long_message, SNAPLEN);
	number("fd", link->server);
	while (recv((int)link->server, room, sizeof(room), MSG_DONTWAIT) > 0)
		;
}

static void ancillary_case(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, told[sizeof(control)] = {0}, data[LONG_BYTES];
	struct iovec out = {long_message, LONG_BYTES}, in = {data, sizeof(data)};
	struct msghdr header = {.msg_iov = &out, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *message = CMSG_FIRSTHDR(&header);
	int pair[2];
	long result;

	expect_case("recvmsg_ancillary_data");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	message->cmsg_level = SOL_SOCKET;
	message->cmsg_type = SCM_RIGHTS;
	message->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(message), &pair[0], sizeof(int));
	must(sendmsg(pair[0], &header, 0));
	header.msg_iov = &in;
	header.msg_control = told;
	header.msg_controllen = sizeof(told);
	result = must(syscall(SYS_recvmsg, pair[1], &header, 0));
	expect_event(0, "recvmsg");
	number("res", result);
	number("size", LONG_BYTES);
	bytes("data", long_message, SNAPLEN);
	unix_tuple("tuple", "");
	bytes("msgcontrol", told, header.msg_controllen);
	number("fd", pair[1]);
	close(pair[0]);
	close(pair[1]);
}

/* An event for each message. */
static void many_cases(struct link *link)
{
	struct iovec out[2] = {{short_message, SHORT_BYTES}, {long_message, LONG_BYTES}}, in[2] = {{room, 40}, {room + 40, 60}};
	struct mmsghdr messages[2] = {0};
	int i;

	expect_case("sendmmsg");
	for (i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_iov = &out[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = &link->to.in;
		messages[i].msg_hdr.msg_namelen = link->to.bytes;
	}
	must(syscall(SYS_sendmmsg, link->client, messages, 2, 0));
	for (i = 0; i < 2; i++) {
		expect_event(0, "sendmmsg");
		number("res", (long long)out[i].iov_len);
		number("fd", link->client);
		number("size", (long long)out[i].iov_len);
		bytes("data", out[i].iov_base, snapped(out[i].iov_len));
		socket_tuple("tuple", &link->from, &link->to);
	}
	expect_case("recvmmsg");
	for (i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_iov = &in[i];
		messages[i].msg_hdr.msg_name = NULL;
		messages[i].msg_hdr.msg_namelen = 0;
	}
	must(syscall(SYS_recvmmsg, link->server, messages, 2, 0, NULL));
	for (i = 0; i < 2; i++) {
		expect_event(0, "recvmmsg");
		number("res", (long long)in[i].iov_len);
		number("fd", link->server);
		number("size", (long long)in[i].iov_len);
		received(link, out[i].iov_base, in[i].iov_len, 0);
		empty("msgcontrol");
	}
	expect_case("sendmmsg that fails");
	must(called(syscall(SYS_sendmmsg, -1, messages, 1, 0)) == -EBADF ? 0 : -1);
	expect_event(0, "sendmmsg");
	number("res", -EBADF);
	number("fd", -1);
	empty("data");
	empty("tuple");
}

static void failing_cases(void)
{
	char data[40] = "some-data";
	struct iovec vector = {data, sizeof(data)};
	struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
	long result;
	int row;

	expect_case("sendtoX_fail");
	result = called(syscall(SYS_sendto, -1, data, sizeof(data), 0, NULL, 0));
	expect_event(0, "sendto");
	number("res", result);
	bytes("data", data, sizeof(data));
	number("fd", -1);
	number("size", sizeof(data));
	empty("tuple");
	expect_case("sendtoX_empty");
	result = called(syscall(SYS_sendto, -1, NULL, 0, 0, NULL, 0));
	expect_event(0, "sendto");
	number("res", result);
	empty("data");
	number("fd", -1);
	number("size", 0);
	empty("tuple");
	for (row = 0; row < 3; row++) {
		expect_case(row == 0 ? "sendmsgX_fail" : row == 1 ? "sendmsgX_null_iovec" : "sendmsgX_null_msghdr");
		if (row == 1) {
			header.msg_iov = NULL;
			header.msg_iovlen = 0;
		}
		result = called(syscall(SYS_sendmsg, -1, row == 2 ? NULL : &header, 0));
		expect_event(0, "sendmsg");
		number("res", result);
		bytes("data", data, row == 0 ? sizeof(data) : 0);
		number("fd", -1);
		if (row == 2)
			empty("size");
		else
			number("size", row == 0 ? sizeof(data) : 0);
		empty("tuple");
	}
	expect_case("recvfromX_fail");
	result = called(syscall(SYS_recvfrom, -1, room, ROOM, 0, NULL, NULL));
	expect_event(0, "recvfrom");
	number("res", result);
	empty("data");
	empty("tuple");
	number("fd", -1);
	number("size", ROOM);
	expect_case("recvmsgX_fail");
	result = called(syscall(SYS_recvmsg, -1, &header, 0));
	expect_event(0, "recvmsg");
	number("res", result);
	number("size", 0);
	empty("data");
	empty("tuple");
	empty("msgcontrol");
	number("fd", -1);
}

static void file_data_cases(void)
{
	char pattern[160];
	struct iovec vector[3] = {{pattern, 7}, {NULL, 0}, {pattern + 7, 100}};
	long fd, result, row;
	off_t offset = 24;

	memset(pattern, 'w', sizeof(pattern));
	memcpy(pattern, "hello", 6);
	fd = must(syscall(SYS_memfd_create, "data", 0));
	for (row = 0; row < 2; row++) {
		size_t count = row ? 160 : 40;

		expect_case(row ? "writeX_snaplen" : "writeX_no_snaplen");
		result = must(syscall(SYS_write, fd, pattern, count));
		expect_event(0, "write");
		number("res", result);
		bytes("data", pattern, snapped(count));
		number("fd", fd);
		number("size", (long long)count);
		lseek((int)fd, 0, SEEK_SET);
		expect_case(row ? "readX_snaplen" : "readX_no_snaplen");
		result = must(syscall(SYS_read, fd, pattern, count));
		expect_event(0, "read");
		number("res", result);
		bytes("data", pattern, snapped(count));
		number("fd", fd);
		number("size", (long long)count);
		lseek((int)fd, 0, SEEK_SET);
	}
	expect_case("writeX_fail");
	result = called(syscall(SYS_write, -1, pattern, sizeof(pattern)));
	expect_event(0, "write");
	number("res", result);
	bytes("data", pattern, SNAPLEN);
	number("fd", -1);
	number("size", sizeof(pattern));
	expect_case("writeX_empty");
	result = called(syscall(SYS_write, -1, NULL, 6));
	expect_event(0, "write");
	number("res", result);
	empty("data");
	number("fd", -1);
	number("size", 6);
	expect_case("readXfail");
	result = called(syscall(SYS_read, -1, room, 64));
	expect_event(0, "read");
	number("res", result);
	empty("data");
	number("fd", -1);
	number("size", 64);

	expect_case("pwrite64");
	result = must(syscall(SYS_pwrite64, fd, pattern, 10, 5000000000ll));
	expect_event(0, "pwrite");
	number("res", result);
	bytes("data", pattern, 10);
	number("fd", fd);
	number("size", 10);
	number("pos", 5000000000ll);
	expect_case("pread64");
	result = must(syscall(SYS_pread64, fd, room, 20, 5000000000ll));
	expect_event(0, "pread");
	number("res", 10);
	number("res", result);
	bytes("data", pattern, 10);
	number("fd", fd);
	number("size", 20);
	number("pos", 5000000000ll);
	expect_case("writev");
	result = must(syscall(SYS_writev, fd, vector, 3));
	expect_event(0, "writev");
	number("res", result);
	bytes("data", pattern, SNAPLEN);
	number("fd", fd);
	number("size", 107);
	expect_case("pwritev");
	result = must(syscall(SYS_pwritev, fd, vector, 1, 3, 0));
	expect_event(0, "pwritev");
	number("res", result);
	bytes("data", pattern, 7);
	number("fd", fd);
	number("size", 7);
	number("pos", 3);
	lseek((int)fd, 0, SEEK_SET);
	expect_case("readv");
	result = must(syscall(SYS_readv, fd, vector, 3));
	expect_event(0, "readv");
	number("res", result);
	number("size", 107);
	bytes("data", pattern, SNAPLEN);
	number("fd", fd);
	expect_case("preadv");
	result = must(syscall(SYS_preadv, fd, vector, 1, 3, 0));
	expect_event(0, "preadv");
	number("res", result);
	number("size", 7);
	bytes("data", pattern, 7);
	number("fd", fd);
	number("pos", 3);

	expect_case("sendfileX_null_pointer");
	result = called(syscall(SYS_sendfile, -1, -2, NULL, 37));
	expect_event(0, "sendfile");
	number("res", result);
	number("offset", 0);
	number("out_fd", -1);
	number("in_fd", -2);
	number("size", 37);
	expect_case("sendfileX");
	result = called(syscall(SYS_sendfile, -1, -2, &offset, 37));
	expect_event(0, "sendfile");
	number("res", result);
	number("offset", 24);
	number("out_fd", -1);
	number("in_fd", -2);
	number("size", 37);
	expect_case("spliceX");
	result = called(syscall(SYS_splice, 1, NULL, 1, NULL, 0x123, 1));
	expect_event(0, "splice");
	number("res", result);
	number("fd_in", 1);
	number("fd_out", 1);
	number("size", 0x123);
	number("flags", 1);
	close((int)fd);
}

void message_cases(const char *directory)
{
	struct link link;

	(void)directory;
	memset(short_message, 'S', sizeof(short_message) - 1);
	memset(long_message, 'L', sizeof(long_message) - 1);
	link_open(&link, AF_INET, SOCK_STREAM, 0);
	send_cases("ipv4_tcp_message_not_truncated_by_snaplen", &link, short_message, SHORT_BYTES);
	send_cases("ipv4_tcp_message_truncated_by_snaplen", &link, long_message, LONG_BYTES);
	while (recv((int)link.server, room, sizeof(room), MSG_DONTWAIT) > 0)
		;
	receive_cases("ipv4_tcp_message_not_truncated_by_snaplen", &link, short_message, SHORT_BYTES, 1, ROOM);
	receive_cases("ipv4_tcp_message_truncated_by_snaplen", &link, long_message, LONG_BYTES, 1, ROOM);
	receive_cases("ipv4_tcp_NULL_sockaddr", &link, long_message, LONG_BYTES, 0, ROOM);
	receive_cases("ipv4_tcp_NULL_buffer", &link, long_message, LONG_BYTES, 1, 0);
	write_read_cases(&link);
	link_close(&link);
	link_open(&link, AF_INET6, SOCK_STREAM, 1);
	send_cases("ipv6_tcp", &link, long_message, LONG_BYTES);
	while (recv((int)link.server, room, sizeof(room), MSG_DONTWAIT) > 0)
		;
	receive_cases("ipv6_tcp", &link, long_message, LONG_BYTES, 1, ROOM);
	link_close(&link);
	link_open(&link, AF_INET, SOCK_DGRAM, 2);
	send_cases("ipv4_udp_message_not_truncated_by_snaplen", &link, short_message, SHORT_BYTES);
	send_cases("ipv4_udp_message_truncated_by_snaplen", &link, long_message, LONG_BYTES);
	while (recv((int)link.server, room, sizeof(room), MSG_DONTWAIT) > 0)
		;
	receive_cases("ipv4_udp_message_not_truncated_by_snaplen", &link, short_message, SHORT_BYTES, 1, ROOM);
	receive_cases("ipv4_udp_message_truncated_by_snaplen", &link, long_message, LONG_BYTES, 1, ROOM);
	receive_cases("ipv4_udp_NULL_sockaddr", &link, long_message, LONG_BYTES, 0, ROOM);
	receive_cases("ipv4_udp_NULL_buffer", &link, long_message, LONG_BYTES, 1, 0);
	many_cases(&link);
	expect_case("readX_ipv4_udp_message_truncated_by_snaplen");
	must(sendto((int)link.client, long_message, LONG_BYTES, 0, &link.to.any, link.to.bytes));
	must(syscall(SYS_read, link.server, room, ROOM));
	expect_event(0, "read");
	number("res", ROOM);
	bytes("data", long_message, SNAPLEN);
	number("fd", link.server);
	link_close(&link);
	ancillary_case();
	failing_cases();
	file_data_cases();
}
