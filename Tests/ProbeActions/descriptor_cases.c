/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of every kind are made, copied and closed; identities are set. */
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLOEXEC 4096 /* as file_flags in flags.def */
#define NONBLOCK 64

static void pipe_cases(void)
{
	struct stat status;
	int ends[2];
	long result;

	expect_case("pipeX_success");
	must(syscall(SYS_pipe, ends));
	must(fstat(ends[0], &status));
	expect_event(0, "pipe");
	number("res", 0);
	number("fd1", ends[0]);
	number("fd2", ends[1]);
	number("ino", (long long)status.st_ino);
	close(ends[0]);
	close(ends[1]);
	expect_case("pipeX_failure");
	result = called(syscall(SYS_pipe, NULL));
	expect_event(0, "pipe");
	number("res", result);
	number("fd1", -1);
	number("fd2", -1);
	number("ino", 0);
	expect_case("pipe2X_failure");
	result = called(syscall(SYS_pipe2, NULL, O_CLOEXEC | O_NONBLOCK | O_DIRECT));
	expect_event(0, "pipe2");
	number("res", result);
	number("fd1", -1);
	number("fd2", -1);
	number("ino", 0);
	number("flags", 4672);
}

static void copy_cases(void)
{
	long result;

	expect_case("dupX");
	result = must(syscall(SYS_dup, 1));
	expect_event(0, "dup");
	number("res", result);
	number("oldfd", 1);
	expect_case("dup2X");
	result = must(syscall(SYS_dup2, 1, 70));
	expect_event(0, "dup2");
	number("res", result);
	number("oldfd", 1);
	number("newfd", 70);
	expect_case("dup3X");
	result = called(syscall(SYS_dup3, -1, 71, O_CLOEXEC));
	expect_event(0, "dup3");
	number("res", result);
	number("oldfd", -1);
	number("newfd", 71);
	number("flags", CLOEXEC);
	expect_case("fcntlX");
	result = called(syscall(SYS_fcntl, -1, F_DUPFD_CLOEXEC, 123));
	expect_event(0, "fcntl");
	number("res", result);
	number("fd", -1);
	number("cmd", 26);
	number("arg", 123);
	expect_case("closeX");
	result = called(syscall(SYS_close, -1));
	expect_event(0, "close");
	number("res", result);
	number("fd", -1);
	expect_case("close_range");
	result = must(syscall(SYS_close_range, 70, 80, 4 /* CLOSE_RANGE_CLOEXEC */));
	expect_event(0, "close_range");
	number("res", result);
	number("first", 70);
	number("last", 80);
	number("flags", 4);
	expect_case("ioctlX");
	result = called(syscall(SYS_ioctl, -1, 35128, NULL));
	expect_event(0, "ioctl");
	number("res", result);
	number("fd", -1);
	number("request", 35128);
	number("argument", 0);
}

/* A call that makes a descriptor: its name and result; the caller adds the rest. */
static void made(const char *event, const char *result_name, long result)
{
	expect_event(0, event);
	number(result_name, result);
	if (result > 2)
		close((int)result);
}

static void maker_cases(void)
{
	struct io_uring_params ring = {0};
	sigset_t signals;
	long result, child;

	sigemptyset(&signals);
	expect_case("eventfd2");
	made("eventfd2", "res", must(syscall(SYS_eventfd2, 7, O_CLOEXEC | O_NONBLOCK)));
	number("flags", CLOEXEC | NONBLOCK);
	number("initval", 7);
	expect_case("eventfd");
	made("eventfd", "res", must(syscall(SYS_eventfd, 9)));
	number("initval", 9);
	number("flags", 0);
	expect_case("epoll_create1");
	made("epoll_create1", "res", must(syscall(SYS_epoll_create1, EPOLL_CLOEXEC)));
	number("flags", 1);
	expect_case("epoll_create");
	made("epoll_create", "res", called(syscall(SYS_epoll_create, -5)));
	number("size", -5);
	expect_case("signalfd4");
	made("signalfd4", "res", must(syscall(SYS_signalfd4, -1, &signals, 8, O_CLOEXEC)));
	number("flags", CLOEXEC);
	number("fd", -1);
	number("mask", 0);
	expect_case("timerfd_create");
	made("timerfd_create", "res", must(syscall(SYS_timerfd_create, 1, 0)));
	number("clockid", 1);
	number("flags", 0);
	expect_case("inotify_init1");
	made("inotify_init1", "res", must(syscall(SYS_inotify_init1, O_CLOEXEC | O_NONBLOCK)));
	number("flags", CLOEXEC | NONBLOCK);
	expect_case("inotify_init");
	made("inotify_init", "res", must(syscall(SYS_inotify_init)));
	number("flags", 0);
	expect_case("userfaultfdX");
	made("userfaultfd", "res", called(syscall(SYS_userfaultfd, O_RDWR)));
	number("flags", 3);
	expect_case("memfd_createX_success");
	made("memfd_create", "fd", must(syscall(SYS_memfd_create, "test", 3)));
	text("name", "test");
	number("flags", 3);
	expect_case("memfd_createX_failure");
	made("memfd_create", "fd", called(syscall(SYS_memfd_create, "test", -1)));
	text("name", "test");
	number("flags", 7);
	expect_case("io_uring_setup");
	ring.flags = IORING_SETUP_CQSIZE;
	ring.cq_entries = 8;
	result = called(syscall(SYS_io_uring_setup, 4, &ring));
	made("io_uring_setup", "res", result);
	number("entries", 4);
	number("sq_entries", ring.sq_entries);
	number("cq_entries", ring.cq_entries);
	number("flags", 16);
	number("sq_thread_cpu", 0);
	number("sq_thread_idle", 0);
	expect_case("pidfd_openX_success");
	child = must(syscall(SYS_fork));
	if (!child) {
		usleep(1000);
		_exit(0);
	}
	result = must(syscall(SYS_pidfd_open, child, 0));
	expect_event(0, "pidfd_open");
	number("fd", result);
	number("pid", child);
	number("flags", 0);
	must(waitpid((pid_t)child, NULL, 0));
	close((int)result);
	expect_case("pidfd_openX_failure");
	made("pidfd_open", "fd", called(syscall(SYS_pidfd_open, 0, O_NONBLOCK)));
	number("pid", 0);
	number("flags", 1);
	expect_case("pidfd_getfd");
	made("pidfd_getfd", "fd", called(syscall(SYS_pidfd_getfd, -1, 5, 3)));
	number("pid_fd", -1);
	number("target_fd", 5);
	number("flags", 3);
}

static void set_identity_cases(void)
{
	long result;

	expect_case("setuidX");
	result = called(syscall(SYS_setuid, -1));
	expect_event(0, "setuid");
	number("res", result);
	number("uid", 0xffffffff);
	expect_case("setgidX");
	result = called(syscall(SYS_setgid, -1));
	expect_event(0, "setgid");
	number("res", result);
	number("gid", 0xffffffff);
	expect_case("setresuidX");
	result = called(syscall(SYS_setresuid, -1, -1, -1));
	expect_event(0, "setresuid");
	number("res", result);
	number("ruid", 0xffffffff);
	number("euid", 0xffffffff);
	number("suid", 0xffffffff);
	expect_case("setresgidX");
	result = called(syscall(SYS_setresgid, -1, -1, -1));
	expect_event(0, "setresgid");
	number("res", result);
	number("rgid", 0xffffffff);
	number("egid", 0xffffffff);
	number("sgid", 0xffffffff);
	expect_case("setreuid");
	result = called(syscall(SYS_setreuid, -1, getuid()));
	expect_event(0, "setreuid");
	number("res", result);
	number("ruid", 0xffffffff);
	number("euid", getuid());
	expect_case("setregid");
	result = called(syscall(SYS_setregid, getgid(), -1));
	expect_event(0, "setregid");
	number("res", result);
	number("rgid", getgid());
	number("egid", 0xffffffff);
	expect_case("setpgid");
	result = called(syscall(SYS_setpgid, -3, 5));
	expect_event(0, "setpgid");
	number("res", result);
	number("pid", -3);
	number("pgid", 5);
}

static void name_cases(void)
{
	static const char long_name[] =
		"AAABAACAADAAEAAFAAGAAHAAIAAJAAKAALAAMAANAAOAAPAAQAARAASAATAAUAAVAAWAAXAAYAAZAAaAAbAAcAAdAAeAAfAA";
	int told = -1;
	long result;

	expect_case("prctlX_failure");
	result = called(syscall(SYS_prctl, -3, -3l, 0, 0, 0));
	expect_event(0, "prctl");
	number("res", result);
	number("option", 0xfffffffd);
	empty("arg2_str");
	number("arg2_int", -3);
	expect_case("prctlX_set_child_subreaper");
	result = must(syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1337, 0, 0, 0));
	expect_event(0, "prctl");
	number("res", result);
	number("option", 36);
	empty("arg2_str");
	number("arg2_int", 1337);
	expect_case("prctlX_get_child_subreaper");
	result = must(syscall(SYS_prctl, PR_GET_CHILD_SUBREAPER, &told, 0, 0, 0));
	expect_event(0, "prctl");
	number("res", result);
	number("option", 37);
	empty("arg2_str");
	number("arg2_int", told);
	must(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
	expect_case("prctlX_set_name");
	result = must(syscall(SYS_prctl, PR_SET_NAME, long_name, 0, 0, 0));
	expect_event(0, "prctl");
	number("res", result);
	number("option", 15);
	text("arg2_str", long_name);
	number("arg2_int", 0);
	must(prctl(PR_SET_NAME, "ProbeActions", 0, 0, 0));
}

void descriptor_cases(const char *directory)
{
	(void)directory;
	pipe_cases();
	copy_cases();
	maker_cases();
	set_identity_cases();
	name_cases();
}
