/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options: the value's form depends on the option. */
#define _GNU_SOURCE
#include "expect.h"
#include "ia32.h"

#include <linux/net.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* Alternatives of the value, as in dynamic.def. */
enum form {
	FORM_RAW,
	FORM_ERRNO,
	FORM_INT,
	FORM_U64,
	FORM_TIME,
};

/* A value of 64 bits is written whole, an int with its four bytes, the rest as it lies in memory. */
static void option_value(enum form form, const void *value, size_t count)
{
	unsigned char expected[64] = {(unsigned char)form};

	memcpy(expected + 1, value, count);
	bytes("val", expected, 1 + count);
}

/* By socketcall. */
static long narrow_option(int set, int level, int option, const void *value, socklen_t length)
{
	uint32_t copy = pointer32(low_copy(value, length)), last = set ? length : pointer32(low_copy(&length, sizeof(length)));
	uint32_t words[] = {(uint32_t)-1, (uint32_t)level, (uint32_t)option, copy, last};

	return socketcall(set ? SYS_SETSOCKOPT : SYS_GETSOCKOPT, words, 5);
}

static void option_case(const char *prefix, const char *name, int set, int level, int option, const void *value, socklen_t length,
	int told_level, int told_option, enum form form, const void *told, size_t told_bytes)
{
	int narrow = *prefix != 0;
	socklen_t room = length;
	char label[128];
	long result;

	snprintf(label, sizeof(label), "%s%s", prefix, name);
	expect_case(label);
	if (narrow)
		result = narrow_option(set, level, option, value, length);
	else
		result = called(set ? syscall(SYS_setsockopt, -1, level, option, value, length)
				    : syscall(SYS_getsockopt, -1, level, option, value, &room));
	expect_event(0, set ? "setsockopt" : "getsockopt");
	number("res", result);
	number("fd", -1);
	number("level", told_level);
	number("optname", told_option);
	option_value(form, told, told_bytes);
	number("optlen", length);
}

/* `time`: 5 s 10 us as the caller has it. */
static void value_cases(const char *prefix, const void *time, socklen_t time_bytes)
{
	uint64_t nanoseconds = 5000010000ull, cookie = 16;
	int64_t error = -14;
	int value = 14, set;

	option_case(prefix, "setsockoptX_SO_ERROR", 1, SOL_SOCKET, SO_ERROR, &value, sizeof(value), 1, 4, FORM_ERRNO, &error,
		sizeof(error));
	for (set = 0; set < 2; set++) {
		option_case(prefix, set ? "setsockoptX_SO_RCVTIMEO" : "getsockoptX_SO_RCVTIMEO", set, SOL_SOCKET, SO_RCVTIMEO,
			time, time_bytes, 1, 20, FORM_TIME, &nanoseconds, sizeof(nanoseconds));
		option_case(prefix, set ? "setsockoptX_SO_COOKIE" : "getsockoptX_SO_COOKIE", set, SOL_SOCKET, SO_COOKIE, &cookie,
			sizeof(cookie), 1, 53, FORM_U64, &cookie, sizeof(cookie));
		option_case(prefix, set ? "setsockoptX_SO_PASSCRED" : "getsockoptX_SO_PASSCRED", set, SOL_SOCKET, SO_PASSCRED,
			&value, sizeof(value), 1, 16, FORM_INT, &value, sizeof(value));
		option_case(prefix, set ? "setsockoptX_UNKNOWN_OPTION" : "getsockoptX_UNKNOWN_OPTION", set, SOL_SOCKET, -1,
			&value, sizeof(value), 1, 0, FORM_RAW, &value, sizeof(value));
		option_case(prefix, set ? "setsockoptX_SOL_UNKNOWN" : "getsockoptX_SOL_UNKNOWN", set, -1, SO_PASSCRED, &value,
			sizeof(value), 0, 0, FORM_RAW, &value, sizeof(value));
		option_case(prefix, set ? "setsockoptX_ZERO_OPTLEN" : "getsockoptX_ZERO_OPTLEN", set, -1, -1, &value, 0, 0, 0,
			FORM_RAW, &value, 0);
	}
}

void option_cases(const char *directory)
{
	struct timeval time = {5, 10};
	int one = 1, told = 0;
	socklen_t length = sizeof(told);
	long fd;

	(void)directory;
	expect_case("getsockoptX_success");
	fd = must(socket(AF_INET, SOCK_DGRAM, 0));
	must(setsockopt((int)fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &told, &length));
	expect_event(0, "getsockopt");
	number("res", 0);
	number("fd", fd);
	number("level", 1);
	number("optname", 2);
	option_value(FORM_INT, &told, sizeof(told));
	number("optlen", sizeof(told));
	close((int)fd);

	value_cases("", &time, sizeof(time));
}

void socketcall_option_cases(void)
{
	int32_t time[2] = {5, 10}, *told = low(4), *length = low(4);
	int one = 1;
	long fd;

	*length = 4;
	expect_case("socketcall_getsockoptX_success");
	fd = must(socket(AF_INET, SOCK_DGRAM, 0));
	must(socketcall(SYS_SETSOCKOPT,
		(const uint32_t[]){(uint32_t)fd, SOL_SOCKET, SO_REUSEADDR, pointer32(low_copy(&one, sizeof(one))), 4}, 5));
	must(socketcall(SYS_GETSOCKOPT,
		(const uint32_t[]){(uint32_t)fd, SOL_SOCKET, SO_REUSEADDR, pointer32(told), pointer32(length)}, 5));
	expect_event(0, "getsockopt");
	number("res", 0);
	number("fd", fd);
	number("level", 1);
	number("optname", 2);
	option_value(FORM_INT, &one, sizeof(one));
	number("optlen", 4);
	close((int)fd);
	value_cases("socketcall_", time, sizeof(time));
}
