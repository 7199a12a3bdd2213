/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of messages and of parts; what travels beside a message. */
#define _GNU_SOURCE
#include "addresses.h"
#include "expect.h"
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SNAPLEN 80

static char room[ROOM];

static size_t snapped(size_t count)
{
	return count > SNAPLEN ? SNAPLEN : count;
}

/* A descriptor travels with the message. `many`: it is received by recvmmsg. */
static void ancillary_case(const char *label, const char *directory, int many)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, told[sizeof(control)] = {0}, data[LONG_BYTES], path[200], mine[200];
	struct iovec out = {long_message, LONG_BYTES}, in = {many ? room : data, many ? ROOM : LONG_BYTES};
	struct msghdr header = {.msg_iov = &out, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct mmsghdr list = {.msg_hdr = {.msg_iov = &in, .msg_iovlen = 1, .msg_control = told, .msg_controllen = sizeof(told)}};
	struct cmsghdr *message = CMSG_FIRSTHDR(&header);
	struct any_address server, client;
	long listener, sender, receiver, result;

	expect_case(label);
	snprintf(path, sizeof(path), "%s/server", directory);
	snprintf(mine, sizeof(mine), "%s/client", directory);
	address_unix(&server, path);
	address_unix(&client, mine);
	listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
	sender = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind((int)listener, &server.any, server.bytes));
	must(bind((int)sender, &client.any, client.bytes));
	must(listen((int)listener, 1));
	must(connect((int)sender, &server.any, server.bytes));
	receiver = must(accept((int)listener, NULL, NULL));
	message->cmsg_level = SOL_SOCKET;
	message->cmsg_type = SCM_RIGHTS;
	message->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(message), &(int){(int)listener}, sizeof(int));
	must(sendmsg((int)sender, &header, 0));
	if (many) {
		must(syscall(SYS_recvmmsg, receiver, &list, 1, 0, NULL));
		result = list.msg_len;
	} else {
		result = must(syscall(SYS_recvmsg, receiver, &list.msg_hdr, 0));
	}
	expect_event(0, many ? "recvmmsg" : "recvmsg");
	number("res", many ? ROOM : LONG_BYTES);
	number("res", result);
	number("size", result);
	bytes("data", long_message, SNAPLEN);
	unix_tuple("tuple", path);
	bytes("msgcontrol", told, list.msg_hdr.msg_controllen);
	number("fd", receiver);
	close((int)sender);
	close((int)receiver);
	close((int)listener);
	unlink(path);
	unlink(mine);
}

/* An event for each message. */
static void send_many_case(const char *label, int family)
{
	struct iovec out[2] = {{short_message, SHORT_BYTES}, {long_message, LONG_BYTES}};
	struct mmsghdr messages[2] = {0};
	struct link link;
	int i;

	link_open(&link, family, SOCK_STREAM, PORTS_PLAIN);
	for (i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_iov = &out[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = &link.to.in;
		messages[i].msg_hdr.msg_namelen = link.to.bytes;
	}
	expect_case(label);
	must(syscall(SYS_sendmmsg, link.client, messages, 2, 0));
	for (i = 0; i < 2; i++) {
		expect_event(0, "sendmmsg");
		number("res", (long long)out[i].iov_len);
		number("fd", link.client);
		number("size", (long long)out[i].iov_len);
		bytes("data", out[i].iov_base, snapped(out[i].iov_len));
		socket_tuple("tuple", &link.from, &link.to);
	}
	link_close(&link);
}

static void receive_many_case(const char *label, int type)
{
	struct iovec in[2] = {{room, 40}, {room + 40, 60}};
	struct any_address names[2], nobody;
	struct mmsghdr messages[2] = {0};
	struct link link;
	int i;

	link_open(&link, AF_INET, type, PORTS_PLAIN);
	must(sendto((int)link.client, short_message, SHORT_BYTES, 0, &link.to.any, link.to.bytes));
	must(sendto((int)link.client, long_message, LONG_BYTES, 0, &link.to.any, link.to.bytes));
	for (i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_iov = &in[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = type == SOCK_STREAM ? &names[i].in : NULL;
		messages[i].msg_hdr.msg_namelen = type == SOCK_STREAM ? sizeof(names[i].in) : 0;
	}
	expect_case(label);
	must(syscall(SYS_recvmmsg, link.server, messages, 2, 0, NULL) == 2 ? 0 : -1);
	address_v4(&nobody, "0.0.0.0", 0);
	for (i = 0; i < 2; i++) {
		expect_event(0, "recvmmsg");
		number("res", messages[i].msg_len);
		number("fd", link.server);
		number("size", messages[i].msg_len);
		bytes("data", in[i].iov_base, messages[i].msg_len);
		socket_tuple("tuple", type == SOCK_STREAM ? &link.from : &nobody, &link.to);
		empty("msgcontrol");
	}
	link_close(&link);
}

/* More messages than a call has ever been told of, and a vector of more parts than the usual length has bytes. */
static void long_list_cases(void)
{
	enum { MESSAGES = 200, PARTS = 1000 };
	static struct mmsghdr messages[MESSAGES];
	static struct iovec parts[PARTS];
	static char letters[PARTS];
	struct iovec part = {short_message, 1};
	struct link link;
	int i, null;

	link_open(&link, AF_INET, SOCK_DGRAM, PORTS_PLAIN);
	for (i = 0; i < MESSAGES; i++) {
		messages[i].msg_hdr =
			(struct msghdr){.msg_iov = &part, .msg_iovlen = 1, .msg_name = &link.to.in, .msg_namelen = link.to.bytes};
	}
	expect_case("sendmmsg of 200 messages");
	must(syscall(SYS_sendmmsg, link.client, messages, MESSAGES, 0) == MESSAGES ? 0 : -1);
	for (i = 0; i < MESSAGES; i++) {
		expect_event(0, "sendmmsg");
		number("res", 1);
		bytes("data", short_message, 1);
	}
	link_close(&link);
	null = (int)must(open("/dev/null", O_WRONLY));
	/* Every other part is empty. */
	for (i = 0; i < PARTS; i++) {
		letters[i / 2] = (char)('a' + i / 2 % 26);
		parts[i] = (struct iovec){letters + i / 2, i % 2};
	}
	expect_case("writev of 1000 parts");
	must(syscall(SYS_writev, null, parts, PARTS));
	expect_event(0, "writev");
	number("res", PARTS / 2);
	number("size", PARTS / 2);
	bytes("data", letters, SNAPLEN);
	close(null);
}

/* The last message finds no room for all of it. */
static void partial_list_case(void)
{
	static char big[1 << 20];
	struct iovec parts[2] = {{short_message, SHORT_BYTES}, {big, sizeof(big)}};
	struct mmsghdr messages[2] = {
		{.msg_hdr = {.msg_iov = &parts[0], .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &parts[1], .msg_iovlen = 1}}};
	struct link link;
	int i;

	link_open(&link, AF_INET, SOCK_STREAM, PORTS_PLAIN);
	must(setsockopt((int)link.client, SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int)));
	memset(big, 'B', sizeof(big));
	expect_case("sendmmsg of which the last is sent in part");
	must(syscall(SYS_sendmmsg, link.client, messages, 2, MSG_DONTWAIT) == 2 ? 0 : -1);
	must(messages[1].msg_len < sizeof(big) ? 0 : -1);
	for (i = 0; i < 2; i++) {
		expect_event(0, "sendmmsg");
		number("res", messages[i].msg_len);
		number("size", (long long)parts[i].iov_len);
		bytes("data", parts[i].iov_base, snapped(parts[i].iov_len));
	}
	link_close(&link);
}

static void failing_list_cases(void)
{
	struct iovec vector = {short_message, SHORT_BYTES};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}};
	static const char *const labels[] = {
		"sendmmsgX_fail", "sendmmsgX_null_iovec", "sendmmsgX_null_mmsghdr", "recvmmsgX_fail", "sendmmsg of no message"};
	long result, pair[2];
	int row, ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	pair[0] = ends[0];
	for (row = 0; row < 5; row++) {
		expect_case(labels[row]);
		if (row == 1) {
			message.msg_hdr.msg_iov = NULL;
			message.msg_hdr.msg_iovlen = 3;
		}
		if (row == 3)
			result = called(syscall(SYS_recvmmsg, -1, NULL, 0, 0, NULL));
		else if (row == 4)
			result = called(syscall(SYS_sendmmsg, pair[0], &message, 0, 0));
		else
			result = called(syscall(SYS_sendmmsg, -1, row == 2 ? NULL : &message, 1, 0));
		expect_event(0, row == 3 ? "recvmmsg" : "sendmmsg");
		number("res", row == 4 ? 0 : -EBADF);
		number("res", result);
		number("fd", row == 4 ? pair[0] : -1);
		number("size", 0);
		empty("data");
		empty("tuple");
		if (row == 3)
			empty("msgcontrol");
	}
	close(ends[0]);
	close(ends[1]);
}

void list_cases(const char *directory)
{
	messages_fill();
	send_many_case("sendmmsg_multiple_messages_ipv4", AF_INET);
	send_many_case("sendmmsg_multiple_messages_ipv6", AF_INET6);
	receive_many_case("recvmmsgX_ipv4_tcp_multiple_messages", SOCK_STREAM);
	receive_many_case("recvmmsg of two datagrams", SOCK_DGRAM);
	long_list_cases();
	partial_list_case();
	failing_list_cases();
	ancillary_case("recvmsg_ancillary_data", directory, 0);
	ancillary_case("recvmmsgX_ancillary_data", directory, 1);
}
