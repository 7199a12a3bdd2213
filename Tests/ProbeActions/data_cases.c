/* SPDX-License-Identifier: Apache-2.0 */
/* Data of files, and calls that fail. */
#define _GNU_SOURCE
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

#define ROOM 100

static char room[ROOM];

static size_t snapped(size_t count)
{
	return count > SNAPLEN ? SNAPLEN : count;
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
			header.msg_iovlen = 3;
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
	result = called(syscall(SYS_recvmsg, -1, NULL, 0));
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

/* Data of calls that take several parts, as upstream's suite has them. */
static void part_cases(const char *directory)
{
	static const char text[] = "this is a string used for testing purposes";
	char first[SNAPLEN * 2] = "some-data", second[SNAPLEN] = "some-data", buffers[3][16], path[200];
	struct iovec one = {first, SNAPLEN / 2}, two[2] = {{first, SNAPLEN}, {second, SNAPLEN}}, in[3];
	int ends[2], i;
	long fd, result;

	snprintf(path, sizeof(path), "%s/parts", directory);
	fd = must(open(path, O_CREAT | O_RDWR, 0600));
	expect_case("preadX_fail");
	result = called(syscall(SYS_pread64, -1, NULL, 13, 17));
	expect_event(0, "pread");
	number("res", result);
	empty("data");
	number("fd", -1);
	number("size", 13);
	number("pos", 17);
	expect_case("preadvX_fail");
	one.iov_len = 16;
	result = called(syscall(SYS_preadv, -1, &one, 7, 0, 0));
	expect_event(0, "preadv");
	number("res", result);
	number("size", 0);
	empty("data");
	number("fd", -1);
	number("pos", 0);
	expect_case("readvX_fail");
	result = called(syscall(SYS_readv, -1, &one, 7));
	expect_event(0, "readv");
	number("res", result);
	number("size", 0);
	empty("data");
	number("fd", -1);
	one.iov_len = SNAPLEN / 2;

	expect_case("pwrite64X_no_snaplen");
	must(syscall(SYS_pwrite64, fd, first, SNAPLEN / 2, 0));
	expect_event(0, "pwrite");
	number("res", SNAPLEN / 2);
	bytes("data", first, SNAPLEN / 2);
	number("fd", fd);
	number("size", SNAPLEN / 2);
	number("pos", 0);
	expect_case("pwrite64X_snaplen");
	result = called(syscall(SYS_pwrite64, -1, first, SNAPLEN * 2, 0));
	expect_event(0, "pwrite");
	number("res", result);
	bytes("data", first, SNAPLEN);
	number("fd", -1);
	number("size", SNAPLEN * 2);
	number("pos", 0);
	expect_case("pwrite64X_fail");
	result = called(syscall(SYS_pwrite64, -1, NULL, 64, 0));
	expect_event(0, "pwrite");
	number("res", result);
	empty("data");
	number("fd", -1);
	number("size", 64);
	number("pos", 0);

	for (i = 0; i < 2; i++) {
		const char *event = i ? "pwritev" : "writev";
		long call = i ? SYS_pwritev : SYS_writev;

		expect_case(i ? "pwritevX_no_snaplen" : "writevX_no_snaplen");
		result = called(syscall(call, -12, &one, 1, 1, 0));
		expect_event(0, event);
		number("res", result);
		bytes("data", first, SNAPLEN / 2);
		number("fd", -12);
		number("size", SNAPLEN / 2);
		if (i)
			number("pos", 1);
		expect_case(i ? "pwritevX_snaplen" : "writevX_snaplen");
		must(syscall(call, fd, two, 2, 0, 0));
		expect_event(0, event);
		number("res", SNAPLEN * 2);
		bytes("data", first, SNAPLEN);
		number("fd", fd);
		number("size", SNAPLEN * 2);
		if (i)
			number("pos", 0);
		expect_case(i ? "pwritevX_empty" : "writevX_empty");
		result = called(syscall(call, -12, NULL, 7, 0, 0));
		expect_event(0, event);
		number("res", result);
		empty("data");
		number("fd", -12);
		number("size", 0);
		if (i)
			number("pos", 0);
	}

	expect_case("readvX_success");
	must(pipe(ends));
	must(write(ends[1], text, sizeof(text)));
	for (i = 0; i < 3; i++)
		in[i] = (struct iovec){buffers[i], sizeof(buffers[i])};
	must(syscall(SYS_readv, ends[0], in, 3));
	expect_event(0, "readv");
	number("res", sizeof(text));
	number("size", sizeof(text));
	bytes("data", text, sizeof(text));
	number("fd", ends[0]);
	close(ends[0]);
	close(ends[1]);
	close((int)fd);
	unlink(path);
}

void data_cases(const char *directory)
{
	failing_cases();
	file_data_cases();
	part_cases(directory);
}
