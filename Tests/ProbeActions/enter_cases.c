/* SPDX-License-Identifier: Apache-2.0 */
/* What open, openat, openat2, creat and connect find in the caller's memory when they begin. */
#define _GNU_SOURCE
#include "addresses.h"
#include "expect.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Values of file_flags in flags.def. */
#define TMPFILE_FLAGS (3 | 0x400 | 0x2000)
#define CALL_FLAGS (O_RDWR | O_TMPFILE | O_DIRECTORY)
#define PATH_BYTES_MAX 4096
#define UNIX_PATH_BYTES_MAX 108

/* Longer than any path that the kernel takes: what an event carries of it ends with a NUL. */
static char long_path[PATH_BYTES_MAX + 100];

static void long_text(const char *parameter)
{
	char shown[PATH_BYTES_MAX] = "";

	memcpy(shown, long_path, PATH_BYTES_MAX - 1);
	bytes(parameter, shown, sizeof(shown));
}

static void name_of(const char *path)
{
	if (path == long_path)
		long_text("name");
	else
		text("name", path);
}

static void open_beginnings(const char *path, const char *open_label, const char *openat_label, const char *openat2_label)
{
	struct open_how how = {.flags = CALL_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};

	expect_case(open_label);
	called(syscall(SYS_open, path, CALL_FLAGS, 0));
	expect_event(0, "> open");
	name_of(path);
	number("flags", TMPFILE_FLAGS);
	number("mode", 0);

	expect_case(openat_label);
	called(syscall(SYS_openat, AT_FDCWD, path, CALL_FLAGS, 0));
	expect_event(0, "> openat");
	number("dirfd", -100);
	name_of(path);
	number("flags", TMPFILE_FLAGS);
	number("mode", 0);

	expect_case(openat2_label);
	called(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
	expect_event(0, "> openat2");
	number("dirfd", -100);
	name_of(path);
	number("flags", TMPFILE_FLAGS);
	number("mode", 0);
	number("resolve", 5);
}

static void creat_beginning(const char *label, const char *path)
{
	expect_case(label);
	called(syscall(SYS_creat, path, S_IRGRP));
	expect_event(0, "> creat");
	name_of(path);
	number("mode", S_IRGRP);
}

static void connect_beginning(const char *label, const struct any_address *address)
{
	expect_case(label);
	called(syscall(SYS_connect, -1, &address->any, address->bytes));
	expect_event(0, "> connect");
	number("fd", -1);
	socket_address("addr", address);
}

static void connect_beginnings(void)
{
	struct any_address address;
	char path[UNIX_PATH_BYTES_MAX + 1];
	unsigned char expected[1 + sizeof(path)] = {AF_UNIX};

	address_v4(&address, "127.59.21.35", 52889);
	connect_beginning("connectE_INET_failure", &address);
	address_v6(&address, "::ffff:127.0.0.5", 52889);
	connect_beginning("connectE_INET6_failure", &address);
	address_unix(&address, "/tmp/xyzxe-server");
	connect_beginning("connectE_UNIX_failure", &address);

	/* A path may fill its place without a NUL; the event has one all the same. */
	memset(path, 'u', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	memset(&address, 0, sizeof(address));
	address.un.sun_family = AF_UNIX;
	memcpy(address.un.sun_path, path, sizeof(address.un.sun_path));
	address.bytes = sizeof(address.un);
	expect_case("connectE_UNIX_max_path_failure");
	called(syscall(SYS_connect, -1, &address.any, address.bytes));
	expect_event(0, "> connect");
	number("fd", -1);
	memcpy(expected + 1, path, sizeof(path));
	bytes("addr", expected, sizeof(expected));

	expect_case("connectE_null_sockaddr_failure");
	called(syscall(SYS_connect, -1, NULL, 0));
	expect_event(0, "> connect");
	number("fd", -1);
	empty("addr");
}

void enter_cases(const char *directory)
{
	/* In memory that is written, and so is there: the probe cannot fault a page in. */
	char path[] = "mock_path", star[] = "*//null";

	(void)directory;
	memset(long_path, 'x', sizeof(long_path) - 1);
	open_beginnings(path, "openE", "openatE", "openat2E");
	open_beginnings(long_path, "openE_max_path", "openatE_max_path", "openat2E_max_path");
	creat_beginning("creatE", star);
	creat_beginning("creatE_max_path", long_path);
	connect_beginnings();
}

/* --- Races, made certain: the call blocks until the second thread has rewritten what it was given. */

static struct race {
	char path[512]; /* of the fifo, in the caller's memory */
	char real[512];
	struct any_address address;
	long descriptor, listener;
	volatile int tid;
} race;

/* Whether a thread is in that system call; it goes to sleep there before it can answer anything else. */
static int is_in_call(int tid, long number)
{
	char path[64], text[64] = "";
	int file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	file = open(path, O_RDONLY);
	if (file < 0)
		return 0;
	if (read(file, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(file);
	return atol(text) == number && strncmp(text, "running", 7) != 0;
}

static void wait_for_call(long number)
{
	while (!race.tid || !is_in_call(race.tid, number))
		usleep(1000);
}

static void *open_and_block(void *unused)
{
	race.tid = (int)syscall(SYS_gettid);
	race.descriptor = syscall(SYS_open, race.path, O_RDONLY, 0);
	return unused;
}

void racing_open(const char *directory)
{
	pthread_t thread;
	int writer;

	snprintf(race.real, sizeof(race.real), "%s/real", directory);
	snprintf(race.path, sizeof(race.path), "%s/real", directory);
	must(mknod(race.real, S_IFIFO | 0600, 0));
	must(-pthread_create(&thread, NULL, open_and_block, NULL));
	wait_for_call(SYS_open);
	memcpy(race.path + strlen(race.path) - 4, "fake", 4);
	must(writer = (int)syscall(SYS_openat, AT_FDCWD, race.real, O_WRONLY, 0));
	must(-pthread_join(thread, NULL));
	must(race.descriptor);
	must(close((int)race.descriptor));
	must(close(writer));
}

static void *connect_and_block(void *unused)
{
	race.tid = (int)syscall(SYS_gettid);
	must(syscall(SYS_connect, race.descriptor, &race.address.any, race.address.bytes));
	return unused;
}

void racing_connect(const char *directory)
{
	struct any_address fake;
	pthread_t thread;
	long first;

	snprintf(race.real, sizeof(race.real), "%s/real", directory);
	snprintf(race.path, sizeof(race.path), "%s/fake", directory);
	address_unix(&race.address, race.real);
	address_unix(&fake, race.path);
	must(race.listener = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
	must(syscall(SYS_bind, race.listener, &race.address.any, race.address.bytes));
	/* With room for one: the second connect waits until the first is accepted. */
	must(syscall(SYS_listen, race.listener, 0));
	must(first = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
	must(syscall(SYS_connect, first, &race.address.any, race.address.bytes));
	must(race.descriptor = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
	must(-pthread_create(&thread, NULL, connect_and_block, NULL));
	wait_for_call(SYS_connect);
	memcpy(&race.address, &fake, sizeof(fake));
	must(syscall(SYS_accept4, race.listener, NULL, NULL, 0));
	must(-pthread_join(thread, NULL));
}
