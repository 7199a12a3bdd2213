/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIST_BYTES (1 << 20)

/* Written by one process at a time: an action waits for its children before it goes on. */
static struct list {
	size_t count;
	long number;
	char text[LIST_BYTES];
} * list;

static void add(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	list->count += (size_t)vsnprintf(list->text + list->count, sizeof(list->text) - list->count, format, arguments);
	va_end(arguments);
	if (list->count >= sizeof(list->text))
		_exit(97);
}

static void add_hexadecimal(const void *value, size_t count)
{
	const unsigned char *byte = value;

	while (count-- > 0)
		add("%02x", *byte++);
	add("\n");
}

/* The thread that began the case. */
static long marker;

void expect_begin(void)
{
	list = mmap(NULL, sizeof(*list), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (list == MAP_FAILED)
		_exit(96);
}

int expect_write(const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	return file < 0 || write(file, list->text, list->count) != (ssize_t)list->count;
}

void expect_case(const char *label)
{
	marker = syscall(SYS_gettid);
	list->number++;
	add("case\t%ld\t%s\n", list->number, label);
	syscall(SYS_dup, -1000 - list->number);
}

void expect_event(long tid, const char *name)
{
	add("event\t%ld\t%s\n", tid ? tid : syscall(SYS_gettid), name);
}

void expect_nothing(void)
{
	add("nothing\t%ld\n", marker);
}

void number(const char *parameter, long long value)
{
	add("number\t%s\t%lld\n", parameter, value);
}

void bits(const char *parameter, unsigned long long value, unsigned long long mask)
{
	add("bits\t%s\t%llu\t%llu\n", parameter, value, mask);
}

void near(const char *parameter, long long value, long long distance)
{
	add("near\t%s\t%lld\t%lld\n", parameter, value, distance);
}

void bytes(const char *parameter, const void *value, size_t count)
{
	add("bytes\t%s\t", parameter);
	add_hexadecimal(value, count);
}

void other_than(const char *parameter, long long value)
{
	add("other\t%s\t%lld\n", parameter, value);
}

void text(const char *parameter, const char *value)
{
	bytes(parameter, value, strlen(value) + 1);
}

void strings(const char *parameter, char *const *values)
{
	char joined[4096];
	size_t count = 0;

	for (; *values; values++) {
		memcpy(joined + count, *values, strlen(*values) + 1);
		count += strlen(*values) + 1;
	}
	bytes(parameter, joined, count);
}

void empty(const char *parameter)
{
	bytes(parameter, "", 0);
}

void width(const char *parameter, unsigned count)
{
	add("width\t%s\t%u\n", parameter, count);
}

void containing(const char *parameter, const void *value, size_t count)
{
	add("containing\t%s\t", parameter);
	add_hexadecimal(value, count);
}

void unix_tuple(const char *parameter, const char *path)
{
	add("unix\t%s\t", parameter);
	add_hexadecimal(path, strlen(path) + 1);
}

long called(long result)
{
	return result == -1 ? -errno : result;
}

long must(long result)
{
	if (result < 0) {
		perror("probe action");
		_exit(99);
	}
	return result;
}
