/* SPDX-License-Identifier: Apache-2.0 */
/* Socket calls of 32-bit callers, all by number 102: a code, and a pointer to the arguments. */
#define _GNU_SOURCE
#include "addresses.h"
#include "expect.h"
#include "ia32.h"
#include "links.h"

#include <errno.h>
#include <linux/net.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SNAPLEN 80
#define CALL(code, ...) socketcall(code, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static uint32_t low_address(const struct any_address *address)
{
	return pointer32(low_copy(address, sizeof(*address)));
}

static long server_on(int family, int type, const struct any_address *address)
{
	int one = 1;
	long fd = must(socket(family, type, 0));

	must(setsockopt((int)fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(bind((int)fd, &address->any, address->bytes));
	return fd;
}

static void making_cases(void)
{
	struct any_address client, server;
	uint32_t *pair = low(8);
	long fd, result;

	expect_case("socketcall_socketX");
	result = CALL(SYS_SOCKET, (uint32_t)-1, (uint32_t)-1, (uint32_t)-1);
	expect_event(0, "socket");
	number("fd", -EINVAL);
	number("fd", result);
	number("domain", 0);
	number("type", 0xffffffff);
	number("proto", 0xffffffff);
	number("flags", 4096 | 64);

	address_v4(&client, "127.0.21.34", 51789);
	address_v4(&server, "127.59.21.35", 52889);
	expect_case("socketcall_bindX");
	fd = must(socket(AF_INET, SOCK_DGRAM, 0));
	must(CALL(SYS_BIND, (uint32_t)fd, low_address(&server), server.bytes));
	expect_event(0, "bind");
	number("res", 0);
	socket_address("addr", &server);
	number("fd", fd);
	close((int)fd);

	expect_case("socketcall_connectX");
	fd = server_on(AF_INET, SOCK_DGRAM, &client);
	must(CALL(SYS_CONNECT, (uint32_t)fd, low_address(&server), server.bytes));
	expect_event(0, "connect");
	number("res", 0);
	socket_tuple("tuple", &client, &server);
	number("fd", fd);
	socket_address("addr", &server);
	close((int)fd);

	expect_case("socketcall_listenX");
	result = CALL(SYS_LISTEN, 2, 3);
	expect_event(0, "listen");
	number("res", result);
	number("fd", 2);
	number("backlog", 3);
	expect_case("socketcall_shutdownX");
	result = CALL(SYS_SHUTDOWN, (uint32_t)-1, 0);
	expect_event(0, "shutdown");
	number("res", result);
	number("fd", -1);
	number("how", 0);

	expect_case("socketcall_socketpairX_success");
	must(CALL(SYS_SOCKETPAIR, AF_UNIX, SOCK_STREAM, 0, pointer32(pair)));
	expect_event(0, "socketpair");
	number("res", 0);
	number("fd1", pair[0]);
	number("fd2", pair[1]);
	other_than("source", 0);
	other_than("peer", 0);
	number("domain", 1);
	number("type", 1);
	number("proto", 0);
	close((int)pair[0]);
	close((int)pair[1]);
	expect_case("socketcall_socketpairX_failure");
	result = CALL(SYS_SOCKETPAIR, AF_UNIX, SOCK_STREAM, 0, 0);
	expect_event(0, "socketpair");
	number("res", result);
	number("fd1", -1);
	number("fd2", -1);
	number("source", 0);
	number("peer", 0);
	number("domain", 1);
	number("type", 1);
	number("proto", 0);
}

static void accept_case(
	const char *label, int family, int four, const struct any_address *client, const struct any_address *server)
{
	long listener = server_on(family, SOCK_STREAM, server), fd, accepted;

	must(listen((int)listener, 2));
	fd = server_on(family, SOCK_STREAM, client);
	must(connect((int)fd, &server->any, server->bytes));
	expect_case(label);
	accepted = must(four ? CALL(SYS_ACCEPT4, (uint32_t)listener, 0, 0, 0) : CALL(SYS_ACCEPT, (uint32_t)listener, 0, 0));
	expect_event(0, four ? "accept4" : "accept");
	number("fd", accepted);
	if (family == AF_UNIX)
		unix_tuple("tuple", server->un.sun_path);
	else
		socket_tuple("tuple", client, server);
	number("queuepct", 0);
	number("queuelen", 0);
	number("queuemax", 2);
	if (four)
		number("flags", 0);
	reset(fd);
	reset(accepted);
	close((int)listener);
}

static void accept_cases(const char *directory)
{
	struct any_address client, server;
	char client_path[200], server_path[200];
	long result;
	int four;

	snprintf(client_path, sizeof(client_path), "%s/client", directory);
	snprintf(server_path, sizeof(server_path), "%s/server", directory);
	for (four = 0; four < 2; four++) {
		address_v4(&client, "127.0.21.34", (unsigned short)(51790 + four));
		address_v4(&server, "127.59.21.35", (unsigned short)(52890 + four));
		accept_case(four ? "socketcall_accept4X_INET" : "socketcall_acceptX_INET", AF_INET, four, &client, &server);
		address_v6(&client, "::ffff:127.0.0.4", (unsigned short)(51790 + four));
		address_v6(&server, "::ffff:127.0.0.5", (unsigned short)(52890 + four));
		accept_case(four ? "socketcall_accept4X_INET6" : "socketcall_acceptX_INET6", AF_INET6, four, &client, &server);
		address_unix(&client, client_path);
		address_unix(&server, server_path);
		accept_case(four ? "socketcall_accept4X_UNIX" : "socketcall_acceptX_UNIX", AF_UNIX, four, &client, &server);
		unlink(client_path);
		unlink(server_path);
		expect_case(four ? "socketcall_accept4X_failure" : "socketcall_acceptX_failure");
		result = four ? CALL(SYS_ACCEPT4, (uint32_t)-1, 0, 0, 0) : CALL(SYS_ACCEPT, (uint32_t)-1, 0, 0);
		expect_event(0, four ? "accept4" : "accept");
		number("fd", result);
		empty("tuple");
		number("queuepct", 0);
		number("queuelen", 0);
		number("queuemax", 0);
		if (four)
			number("flags", 0);
	}
}

/* Two parts, or three for the message that is longer than what is told. */
static uint32_t low_parts(const char *message, size_t count, uint32_t *parts)
{
	struct iovec32 *vector = low(3 * sizeof(*vector));
	uint32_t data = pointer32(low_copy(message, count));

	vector[0] = (struct iovec32){data, 20};
	vector[1] = (struct iovec32){data + 20, count > SNAPLEN ? 40 : (uint32_t)count - 20};
	vector[2] = (struct iovec32){data + 60, (uint32_t)count - 60};
	*parts = count > SNAPLEN ? 3 : 2;
	return pointer32(vector);
}

static void message_pair(int is_long)
{
	const char *message = is_long ? long_message : short_message;
	size_t count = is_long ? LONG_BYTES : SHORT_BYTES, got = count < ROOM ? count : ROOM;
	size_t told = count > SNAPLEN ? SNAPLEN : count;
	struct msghdr32 *header = low(sizeof(*header));
	struct iovec32 *vector = low(sizeof(*vector));
	struct any_address *from = low(sizeof(*from));
	uint32_t *bytes32 = low(4), *room = low(ROOM);
	struct link link;

	link_open(&link, AF_INET, SOCK_STREAM, PORTS_PLAIN);
	expect_case(is_long ? "socketcall_sendtoX_snaplen" : "socketcall_sendtoX_no_snaplen");
	must(CALL(SYS_SENDTO, (uint32_t)link.client, pointer32(low_copy(message, count)), (uint32_t)count, 0,
		low_address(&link.to), link.to.bytes));
	expect_event(0, "sendto");
	number("res", (long long)count);
	bytes("data", message, told);
	number("fd", link.client);
	number("size", (long long)count);
	socket_tuple("tuple", &link.from, &link.to);

	expect_case(is_long ? "socketcall_sendmsgX_snaplen" : "socketcall_sendmsgX_no_snaplen");
	header->name = low_address(&link.to);
	header->name_length = link.to.bytes;
	header->iov = low_parts(message, count, &header->iov_count);
	must(CALL(SYS_SENDMSG, (uint32_t)link.client, pointer32(header), 0));
	expect_event(0, "sendmsg");
	number("res", (long long)count);
	bytes("data", message, told);
	number("fd", link.client);
	number("size", (long long)count);
	socket_tuple("tuple", &link.from, &link.to);
	link_drain(&link);

	expect_case(is_long ? "socketcall_recvfromX_snaplen" : "socketcall_recvfromX_no_snaplen");
	must(send((int)link.client, message, count, 0));
	*bytes32 = sizeof(from->in6);
	must(CALL(SYS_RECVFROM, (uint32_t)link.server, pointer32(room), ROOM, 0, pointer32(from), pointer32(bytes32)));
	expect_event(0, "recvfrom");
	number("res", (long long)got);
	bytes("data", message, told);
	socket_tuple("tuple", &link.from, &link.to);
	number("fd", link.server);
	number("size", ROOM);
	link_drain(&link);

	expect_case(is_long ? "socketcall_recvmsgX_snaplen" : "socketcall_recvmsgX_no_snaplen");
	must(send((int)link.client, message, count, 0));
	*vector = (struct iovec32){pointer32(low(LONG_BYTES)), LONG_BYTES};
	*header = (struct msghdr32){
		.name = pointer32(from), .name_length = sizeof(from->in6), .iov = pointer32(vector), .iov_count = 1};
	must(CALL(SYS_RECVMSG, (uint32_t)link.server, pointer32(header), 0));
	expect_event(0, "recvmsg");
	number("res", (long long)count);
	number("size", (long long)count);
	bytes("data", message, told);
	socket_tuple("tuple", &link.from, &link.to);
	empty("msgcontrol");
	number("fd", link.server);

	expect_case(is_long ? "send and recv, longer than told" : "send and recv");
	must(CALL(SYS_SEND, (uint32_t)link.client, pointer32(low_copy(message, count)), (uint32_t)count, 0));
	must(CALL(SYS_RECV, (uint32_t)link.server, pointer32(room), ROOM, 0));
	expect_event(0, "send");
	number("res", (long long)count);
	bytes("data", message, told);
	number("fd", link.client);
	number("size", (long long)count);
	socket_tuple("tuple", &link.from, &link.to);
	expect_event(0, "recv");
	number("res", (long long)got);
	bytes("data", message, told);
	number("fd", link.server);
	number("size", ROOM);
	socket_tuple("tuple", &link.from, &link.to);
	link_close(&link);
}

static void failing_cases(void)
{
	char data[2 * SNAPLEN] = "some-data";
	uint32_t buffer = pointer32(low_copy(data, sizeof(data)));
	struct iovec32 *vector = low(sizeof(*vector));
	struct msghdr32 *header = low(sizeof(*header));
	static const char *const sends[] = {"socketcall_sendX", "sendX_fail"}, *const recvs[] = {
										       "socketcall_recvX_fail", "recvX_fail"};
	long result;
	int row;

	*vector = (struct iovec32){buffer, SNAPLEN / 2};
	expect_case("socketcall_sendtoX_fail");
	result = CALL(SYS_SENDTO, (uint32_t)-1, buffer, SNAPLEN / 2, 0, 0, 0);
	expect_event(0, "sendto");
	number("res", result);
	bytes("data", data, SNAPLEN / 2);
	number("fd", -1);
	number("size", SNAPLEN / 2);
	empty("tuple");
	expect_case("socketcall_sendtoX_empty");
	result = CALL(SYS_SENDTO, (uint32_t)-1, 0, 0, 0, 0, 0);
	expect_event(0, "sendto");
	number("res", result);
	empty("data");
	number("fd", -1);
	number("size", 0);
	empty("tuple");
	for (row = 0; row < 3; row++) {
		expect_case(row == 0   ? "socketcall_sendmsgX_fail"
			    : row == 1 ? "socketcall_sendmsgX_null_iovec"
				       : "socketcall_sendmsgX_null_msghdr");
		header->iov = row ? 0 : pointer32(vector);
		header->iov_count = row ? 3 : 1;
		result = CALL(SYS_SENDMSG, (uint32_t)-1, row == 2 ? 0 : pointer32(header), 0);
		expect_event(0, "sendmsg");
		number("res", result);
		bytes("data", data, row ? 0 : SNAPLEN / 2);
		number("fd", -1);
		if (row == 2)
			empty("size");
		else
			number("size", row ? 0 : SNAPLEN / 2);
		empty("tuple");
	}
	expect_case("socketcall_recvfromX_fail");
	result = CALL(SYS_RECVFROM, (uint32_t)-1, buffer, ROOM, 0, 0, 0);
	expect_event(0, "recvfrom");
	number("res", result);
	empty("data");
	empty("tuple");
	number("fd", -1);
	number("size", ROOM);
	expect_case("socketcall_recvmsgX_fail");
	result = CALL(SYS_RECVMSG, (uint32_t)-1, 0, 0);
	expect_event(0, "recvmsg");
	number("res", result);
	number("size", 0);
	empty("data");
	empty("tuple");
	empty("msgcontrol");
	number("fd", -1);
	for (row = 0; row < 2; row++) {
		expect_case(sends[row]);
		result = CALL(SYS_SEND, (uint32_t)-1, buffer, 2 * SNAPLEN, 0);
		expect_event(0, "send");
		number("res", result);
		bytes("data", data, SNAPLEN);
		number("fd", -1);
		number("size", 2 * SNAPLEN);
		empty("tuple");
		expect_case(recvs[row]);
		result = CALL(SYS_RECV, (uint32_t)-1, 0, SNAPLEN, 0);
		expect_event(0, "recv");
		number("res", result);
		empty("data");
		number("fd", -1);
		number("size", SNAPLEN);
		empty("tuple");
	}
	for (row = 0; row < 2; row++) {
		expect_case(row ? "socketcall_sendmmsgX" : "socketcall_recvmmsgX");
		result = row ? CALL(SYS_SENDMMSG, (uint32_t)-1, 0, 0, 0) : CALL(SYS_RECVMMSG, (uint32_t)-1, 0, 0, 0, 0);
		expect_event(0, row ? "sendmmsg" : "recvmmsg");
		number("res", -EBADF);
		number("res", result);
		number("fd", -1);
		number("size", 0);
		empty("data");
		empty("tuple");
		if (!row)
			empty("msgcontrol");
	}
	expect_case("socketcall_null_pointer");
	result = ia32(102, SYS_SHUTDOWN, 0, 0, 0, 0, 0);
	expect_event(0, "shutdown");
	number("res", -EFAULT);
	number("res", result);
	number("fd", 0);
	number("how", 0);
	for (row = 0; row < 3; row++) {
		static const char *const labels[] = {"socketcall_wrong_code_socketcall_interesting",
			"socketcall_wrong_code_socketcall_not_interesting",
			"socketcall_null_pointer_and_wrong_code_socketcall_interesting"};

		expect_case(labels[row]);
		must(ia32(102, 1230, row == 2 ? 0 : buffer, 0, 0, 0, 0) == -EINVAL ? 0 : -1);
		expect_nothing();
	}
}

void socketcall_cases(const char *directory)
{
	messages_fill();
	making_cases();
	accept_cases(directory);
	message_pair(0);
	message_pair(1);
	failing_cases();
	socketcall_option_cases();
}
