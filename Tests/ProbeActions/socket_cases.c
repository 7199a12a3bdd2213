/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets get addresses and peers. Every address is one of the loopback network. */
#define _GNU_SOURCE
#include "addresses.h"
#include "expect.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static long bound(int family, int type, const struct any_address *address)
{
	int one = 1;
	long fd = must(socket(family, type, 0));

	must(setsockopt((int)fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(bind((int)fd, &address->any, address->bytes));
	return fd;
}

static void bind_cases(const char *directory)
{
	struct any_address address;
	char path[200];
	long fd, result;

	expect_case("bindX_INET");
	fd = must(socket(AF_INET, SOCK_DGRAM, 0));
	address_v4(&address, "127.59.21.35", 52889);
	result = called(syscall(SYS_bind, fd, &address.any, address.bytes));
	expect_event(0, "bind");
	number("res", result);
	socket_address("addr", &address);
	number("fd", fd);
	close((int)fd);

	expect_case("bindX_INET6");
	fd = must(socket(AF_INET6, SOCK_DGRAM, 0));
	address_v6(&address, "::ffff:127.0.0.5", 52889);
	result = called(syscall(SYS_bind, fd, &address.any, address.bytes));
	expect_event(0, "bind");
	number("res", result);
	socket_address("addr", &address);
	number("fd", fd);
	close((int)fd);

	expect_case("bindX_UNIX");
	fd = must(socket(AF_UNIX, SOCK_DGRAM, 0));
	snprintf(path, sizeof(path), "%s/bound", directory);
	address_unix(&address, path);
	result = called(syscall(SYS_bind, fd, &address.any, address.bytes));
	expect_event(0, "bind");
	number("res", result);
	socket_address("addr", &address);
	number("fd", fd);
	close((int)fd);
	unlink(path);

	expect_case("bindX_failure");
	result = called(syscall(SYS_bind, -1, NULL, 0));
	expect_event(0, "bind");
	number("res", result);
	empty("addr");
	number("fd", -1);
}

static void connect_case(const char *label, int family, const struct any_address *client, const struct any_address *server)
{
	long fd, result;

	expect_case(label);
	fd = bound(family, SOCK_DGRAM, client);
	result = called(syscall(SYS_connect, fd, &server->any, server->bytes));
	expect_event(0, "connect");
	number("res", result);
	socket_tuple("tuple", client, server);
	number("fd", fd);
	socket_address("addr", server);
	close((int)fd);
}

static void connect_cases(const char *directory)
{
	struct any_address client, server, link;
	char client_path[200], server_path[200], link_path[200];
	long fd, result, other;

	address_v4(&client, "127.0.21.34", 51789);
	address_v4(&server, "127.59.21.35", 52889);
	connect_case("connectX_INET", AF_INET, &client, &server);
	address_v6(&client, "::ffff:127.0.0.4", 51789);
	address_v6(&server, "::ffff:127.0.0.5", 52889);
	connect_case("connectX_INET6", AF_INET6, &client, &server);

	expect_case("connectX_UNIX");
	snprintf(client_path, sizeof(client_path), "%s/client", directory);
	snprintf(server_path, sizeof(server_path), "%s/server", directory);
	snprintf(link_path, sizeof(link_path), "%s/link", directory);
	address_unix(&client, client_path);
	address_unix(&server, server_path);
	address_unix(&link, link_path);
	fd = bound(AF_UNIX, SOCK_DGRAM, &client);
	other = bound(AF_UNIX, SOCK_DGRAM, &server);
	must(symlink(server_path, link_path));
	result = called(syscall(SYS_connect, fd, &link.any, link.bytes));
	expect_event(0, "connect");
	number("res", result);
	unix_tuple("tuple", server_path);
	number("fd", fd);
	socket_address("addr", &link);
	close((int)fd);
	close((int)other);
	unlink(client_path);
	unlink(server_path);
	unlink(link_path);

	expect_case("connectX_failure");
	result = called(syscall(SYS_connect, -1, NULL, 0));
	expect_event(0, "connect");
	number("res", result);
	empty("tuple");
	number("fd", -1);
	empty("addr");

	address_v4(&client, "127.0.21.34", 51789);
	address_v4(&server, "127.59.21.35", 52889);
	expect_case("connectX_failure_ECONNREFUSED");
	fd = bound(AF_INET, SOCK_STREAM, &client);
	result = called(syscall(SYS_connect, fd, &server.any, server.bytes));
	expect_event(0, "connect");
	number("res", -ECONNREFUSED);
	empty("tuple");
	number("fd", fd);
	socket_address("addr", &server);
	close((int)fd);

	/* Bound but not listening: non-blocking, the answer is still on its way. */
	expect_case("connectX_failure_EINPROGRESS");
	fd = bound(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, &client);
	other = bound(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, &server);
	result = called(syscall(SYS_connect, fd, &server.any, server.bytes));
	expect_event(0, "connect");
	number("res", -EINPROGRESS);
	socket_tuple("tuple", &client, &server);
	number("fd", fd);
	socket_address("addr", &server);
	close((int)fd);
	close((int)other);

	expect_case("connect to an abstract name");
	fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
	memset(&server, 0, sizeof(server));
	server.un.sun_family = AF_UNIX;
	memcpy(server.un.sun_path, "\0nobody", 7);
	server.bytes = sizeof(sa_family_t) + 7;
	result = called(syscall(SYS_connect, fd, &server.any, server.bytes));
	expect_event(0, "connect");
	number("res", result);
	empty("tuple");
	number("fd", fd);
	bytes("addr", "\1nobody", 8);
	close((int)fd);

	expect_case("connect to a path without a NUL");
	memset(server.un.sun_path, 'p', sizeof(server.un.sun_path));
	server.bytes = sizeof(server.un);
	result = called(syscall(SYS_connect, -1, &server.any, server.bytes));
	expect_event(0, "connect");
	number("res", result);
	{
		char expected[1 + sizeof(server.un.sun_path) + 1] = {AF_UNIX};

		memset(expected + 1, 'p', sizeof(server.un.sun_path));
		bytes("addr", expected, sizeof(expected));
	}
}

static void accept_case(
	const char *label, int family, const struct any_address *client, const struct any_address *server, int four)
{
	long listener, fd, accepted;

	expect_case(label);
	listener = bound(family, SOCK_STREAM, server);
	must(listen((int)listener, 2));
	fd = bound(family, SOCK_STREAM, client);
	must(connect((int)fd, &server->any, server->bytes));
	accepted = must(four ? syscall(SYS_accept4, listener, NULL, NULL, 0) : syscall(SYS_accept, listener, NULL, NULL));
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
		accept_case(four ? "accept4X_INET" : "acceptX_INET", AF_INET, &client, &server, four);
		address_v6(&client, "::ffff:127.0.0.4", (unsigned short)(51790 + four));
		address_v6(&server, "::ffff:127.0.0.5", (unsigned short)(52890 + four));
		accept_case(four ? "accept4X_INET6" : "acceptX_INET6", AF_INET6, &client, &server, four);
		address_unix(&client, client_path);
		address_unix(&server, server_path);
		accept_case(four ? "accept4X_UNIX" : "acceptX_UNIX", AF_UNIX, &client, &server, four);
		unlink(client_path);
		unlink(server_path);
		expect_case(four ? "accept4X_failure" : "acceptX_failure");
		result = called(four ? syscall(SYS_accept4, -1, NULL, NULL, 0) : syscall(SYS_accept, -1, NULL, NULL));
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

static void accept_flags_case(void)
{
	struct any_address server;
	long listener, fd, accepted;
	socklen_t bytes;

	expect_case("accept4 with flags");
	address_v4(&server, "127.0.0.1", 0);
	listener = bound(AF_INET, SOCK_STREAM, &server);
	must(listen((int)listener, 2));
	bytes = server.bytes;
	must(getsockname((int)listener, &server.any, &bytes));
	fd = must(socket(AF_INET, SOCK_STREAM, 0));
	must(connect((int)fd, &server.any, server.bytes));
	accepted = must(syscall(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
	expect_event(0, "accept4");
	number("fd", accepted);
	number("flags", 4096 | 64);
	reset(fd);
	reset(accepted);
	close((int)listener);
}

static void pair_cases(void)
{
	int pair[2];
	long result;

	expect_case("socketpairX_success");
	must(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair));
	expect_event(0, "socketpair");
	number("res", 0);
	number("fd1", pair[0]);
	number("fd2", pair[1]);
	width("source", 8);
	width("peer", 8);
	number("domain", 1);
	number("type", 1);
	number("proto", 0);
	close(pair[0]);
	close(pair[1]);

	expect_case("socketpairX_failure");
	result = called(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, NULL));
	expect_event(0, "socketpair");
	number("res", result);
	number("fd1", -1);
	number("fd2", -1);
	number("source", 0);
	number("peer", 0);
	number("domain", 1);
	number("type", 1);
	number("proto", 0);

	expect_case("socketX");
	result = called(syscall(SYS_socket, 0, SOCK_RAW | SOCK_CLOEXEC, 2));
	expect_event(0, "socket");
	number("fd", result);
	number("domain", 0);
	number("type", SOCK_RAW | SOCK_CLOEXEC);
	number("proto", 2);
	number("flags", 4096);

	expect_case("listenX");
	result = called(syscall(SYS_listen, 2, 3));
	expect_event(0, "listen");
	number("res", result);
	number("fd", 2);
	number("backlog", 3);

	expect_case("shutdownX");
	result = called(syscall(SYS_shutdown, -1, 0));
	expect_event(0, "shutdown");
	number("res", result);
	number("fd", -1);
	number("how", 0);
}

void socket_cases(const char *directory)
{
	bind_cases(directory);
	connect_cases(directory);
	accept_cases(directory);
	accept_flags_case();
	pair_cases();
}
