/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an action expects the probe to report, said by the action itself beside each call:
 *
 *	expect_case("chdir that fails");
 *	result = called(syscall(SYS_chdir, "mock"));
 *	expect_event(0, "chdir");
 *	number("res", result);
 *	text("path", "mock");
 *
 * The list lies in memory that children share and is written to a file at the end, one tab-separated line each.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <stddef.h>
#include <stdint.h>

void expect_begin(void);
int expect_write(const char *path);

/* Starts a case: events that are expected lie behind the mark that this leaves among the thread's events. */
void expect_case(const char *label);
/* An event of thread `tid`, 0: of the caller; "> open" is the beginning of an open. What follows is about its parameters. */
void expect_event(long tid, const char *name);
/* The thread makes no event between the case's mark and the next one. */
void expect_nothing(void);
void number(const char *parameter, long long value);
/* Only the bits of `mask`. */
void bits(const char *parameter, unsigned long long value, unsigned long long mask);
/* A number that is at most so far away. */
void near(const char *parameter, long long value, long long distance);
void text(const char *parameter, const char *value);
void bytes(const char *parameter, const void *value, size_t count);
void strings(const char *parameter, char *const *values);
void empty(const char *parameter);
/* Any number but this one. */
void other_than(const char *parameter, long long value);
/* Any value of so many bytes. */
void width(const char *parameter, unsigned count);
/* Any value that contains these bytes. */
void containing(const char *parameter, const void *value, size_t count);
/* A tuple of two unix sockets, of which only the path is known here. */
void unix_tuple(const char *parameter, const char *path);

/* A result as the kernel returned it: -errno if it failed. */
long called(long result);
/* Ends the process with status 99 if the result is an error. */
long must(long result);

/* The cases, one function for a family; `directory` is empty when it is called. */
void file_cases(const char *directory);
void layer_cases(const char *directory);
void socket_cases(const char *directory);
void message_cases(const char *directory);
void list_cases(const char *directory);
void data_cases(const char *directory);
void compat_cases(const char *directory);
void compat_process_cases(const char *directory);
void socketcall_cases(const char *directory);
void socketcall_option_cases(void);
void option_cases(const char *directory);
void process_cases(const char *directory);
void execve_cases(const char *directory);
void enter_cases(const char *directory);
void descriptor_cases(const char *directory);
void status_cases(const char *directory);
void wait_cases(const char *directory);
void identity_cases(const char *directory);
void key_cases(const char *directory);
void refused_cases(const char *directory);

/* For a probe that was asked for switches, page faults and delivered signals. */
void tracepoint_cases(void);

/* Calls that block while a second thread rewrites what they were given; the paths are `directory`'s. */
void racing_open(const char *directory);
void racing_connect(const char *directory);

/* For a probe with a dynamic snaplen. */
void snaplen_cases(void);
void payload_cases(void);

#endif
