/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and processes begin and end. */
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_NS (1000000000ll / sysconf(_SC_CLK_TCK))

/* When a process started, since boot, to a tick. */
static long long start_ns(const char *stat_path)
{
	char line[1024] = "";
	long long ticks = 0;
	int file = open(stat_path, O_RDONLY);

	must(read(file, line, sizeof(line) - 1));
	close(file);
	sscanf(strrchr(line, ')'), ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld", &ticks);
	return ticks * TICK_NS;
}

static long clone3(uint64_t flags, int exit_signal)
{
	struct clone_args arguments = {.flags = flags, .exit_signal = (uint64_t)exit_signal};

	return syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* What both events of a new process say of the action itself; its arguments are in memory, one after the other. */
static void own_image(void)
{
	char line[4096];
	int file = open("/proc/self/cmdline", O_RDONLY);
	ssize_t count = read(file, line, sizeof(line));
	size_t first = strlen(line) + 1;

	close(file);
	text("exe", line);
	bytes("args", line + first, (size_t)count - first);
	empty("cwd");
	text("comm", "ProbeActions");
	containing("cgroups", "cpu=/", 5);
	containing("cgroups", "memory=/", 8);
}

static void parent_side(const char *event, long child, unsigned long long flags)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit));
	expect_event(0, event);
	number("res", child);
	own_image();
	number("tid", getpid());
	number("pid", getpid());
	number("ptid", getppid());
	number("fdlimit", (long long)limit.rlim_cur);
	width("pgft_maj", 8);
	width("pgft_min", 8);
	width("vm_size", 4);
	width("vm_rss", 4);
	width("vm_swap", 4);
	number("flags", (long long)flags);
	number("uid", geteuid());
	number("gid", getegid());
	number("vtid", getpid());
	number("vpid", getpid());
	number("pidns_init_start_ts", 0);
}

static void child_side(const char *event, long child, long parent, unsigned long long flags)
{
	expect_event(child, event);
	number("res", 0);
	own_image();
	number("tid", child);
	number("pid", child);
	number("ptid", parent);
	number("flags", (long long)flags);
	number("uid", geteuid());
	number("gid", getegid());
	number("vtid", child);
	number("vpid", child);
	near("pidns_init_start_ts", start_ns("/proc/1/stat"), TICK_NS);
}

static void exited(long child, int status, long reaper)
{
	expect_event(child, "procexit");
	number("status", status);
	number("ret", (status >> 8) & 0xff);
	number("sig", status & 0x7f);
	number("core", (status & 0x80) != 0);
	number("reaper_tid", reaper);
}

/* `child_label`: the published case about the child's side. */
static void both_sides(const char *event, const char *child_label, long child, unsigned long long flags)
{
	int status;

	must(waitpid((pid_t)child, &status, __WALL));
	parent_side(event, child, flags);
	expect_case(child_label);
	child_side(event, child, getpid(), flags);
	exited(child, status, 0);
}

static void start_cases(void)
{
	long child;

	expect_case("forkX_father");
	child = must(syscall(SYS_fork));
	if (!child)
		_exit(3);
	both_sides("fork", "fork, the child's side", child, 0);
	expect_case("vfork");
	child = must(vfork());
	if (!child)
		_exit(4);
	both_sides("vfork", "vfork, the child's side", child, 0);
	expect_case("cloneX_father");
	child = must(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, NULL, NULL, 0));
	if (!child)
		_exit(5);
	both_sides("clone", "cloneX_child", child, 1);
	expect_case("clone3X_father");
	child = must(clone3(CLONE_FILES, SIGCHLD));
	if (!child)
		_exit(6);
	both_sides("clone3", "clone3X_child", child, 1);
	expect_case("sched_proc_fork_case_clone");
	child = must(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, NULL, NULL, 0));
	if (!child)
		_exit(7);
	must(waitpid((pid_t)child, NULL, 0));
	child_side("clone", child, getpid(), 1);
	expect_case("clone that fails");
	child = called(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, NULL, NULL, 0));
	parent_side("clone", child, 2048);
}

static long *shared;
static char stack[65536] __attribute__((aligned(16)));

static long machine_tid(void);

static void second_thread(void)
{
	shared[2] = machine_tid();
	shared[3] = syscall(SYS_gettid);
	syscall(SYS_exit, 0);
}

/* A thread on a stack of its own, by clone3 itself; it runs second_thread and nothing else. */
static long clone3_thread(uint64_t flags)
{
	struct clone_args arguments = {.flags = flags, .stack = (uint64_t)(uintptr_t)stack, .stack_size = sizeof(stack)};
	register void (*run)(void) __asm__("r12") = second_thread;
	long result;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%%r12\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "0"((long)SYS_clone3), "D"(&arguments), "S"(sizeof(arguments)), "r"(run)
			 : "rcx", "r11", "memory");
	return result < 0 ? -1 : result;
}

/* Of a thread: the process's pid, and the parent of the process. */
static void thread_case(void)
{
	const uint64_t flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_VFORK | CLONE_PARENT;
	long child;

	expect_case("clone3X_create_child_with_2_threads");
	child = must(syscall(SYS_fork));
	if (!child) {
		/* CLONE_VFORK: comes back when the thread is gone. */
		must(clone3_thread(flags));
		_exit(0);
	}
	must(waitpid((pid_t)child, NULL, 0));
	expect_event(shared[2], "clone3");
	number("res", 0);
	number("tid", shared[2]);
	number("pid", child);
	number("ptid", getpid());
	number("flags", 8192 | 2048 | 32768 | 1 << 27 | 256);
	number("vtid", shared[2]);
	number("vpid", child);
	exited(shared[2], 0, 0);
}

/* With CLONE_PARENT the parent is the caller's parent: here this action itself. */
static void sibling_case(void)
{
	long child;

	expect_case("clone3X_child_clone_parent_flag");
	child = must(syscall(SYS_fork));
	if (!child) {
		child = must(clone3(CLONE_PARENT, 0));
		if (child)
			shared[0] = child;
		_exit(0);
	}
	must(waitpid((pid_t)child, NULL, 0));
	must(waitpid((pid_t)shared[0], NULL, __WALL));
	expect_event(shared[0], "clone3");
	number("res", 0);
	number("tid", shared[0]);
	number("pid", shared[0]);
	number("ptid", getpid());
	number("flags", 256);
	number("vtid", shared[0]);
	number("vpid", shared[0]);
	expect_event(child, "clone3");
	number("res", shared[0]);
	number("tid", child);
	number("flags", 256);
}

/* Its number in the machine, as procfs tells it to whom lives in a pid namespace. */
static long machine_tid(void)
{
	char path[64] = "";
	long pid, tid = 0;

	must(readlink("/proc/thread-self", path, sizeof(path) - 1));
	sscanf(path, "%ld/task/%ld", &pid, &tid);
	return tid;
}

static void namespace_cases(void)
{
	long child;

	child = clone3(CLONE_NEWPID, SIGCHLD);
	if (!child) {
		/* Not the host's numbers are seen here. */
		if (getpid() != 1)
			_exit(95);
		shared[5] = start_ns("/proc/self/stat");
		child = must(syscall(SYS_fork));
		if (!child)
			_exit(0);
		must(waitpid((pid_t)child, NULL, 0));
		shared[1] = child;
		must(clone3_thread(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_VFORK));
		_exit(0);
	}
	if (child < 0)
		return;
	must(waitpid((pid_t)child, NULL, 0));
	expect_case("clone3X_child_new_namespace_from_child");
	expect_event(child, "clone3");
	number("res", 0);
	number("tid", child);
	number("pid", child);
	number("ptid", getpid());
	number("flags", 0x20000000 | 64);
	number("vtid", 1);
	number("vpid", 1);
	near("pidns_init_start_ts", shared[5], TICK_NS);
	/* The first process of the namespace forks: the result is the number it sees. */
	expect_event(child, "fork");
	number("res", shared[1]);
	number("tid", child);
	number("vtid", 1);
	number("flags", 0x20000000);
	number("pidns_init_start_ts", 0);
	exited(child, 0, 0);
	expect_case("clone3X_child_new_namespace_create_thread");
	expect_event(shared[2], "clone3");
	number("res", 0);
	number("tid", shared[2]);
	number("pid", child);
	number("ptid", getpid());
	number("flags", 0x20000000 | 8192 | 2048 | 32768 | 1 << 27);
	number("vtid", shared[3]);
	number("vpid", 1);
	expect_case("clone3X_child_new_namespace_from_caller");
	child = must(clone3(CLONE_NEWPID, SIGCHLD));
	if (!child)
		_exit(0);
	must(waitpid((pid_t)child, NULL, 0));
	expect_event(0, "clone3");
	number("res", child);
	number("tid", getpid());
	number("pid", getpid());
	number("flags", 64);
	number("vtid", getpid());
	number("vpid", getpid());
}

/* Into a file below the caller's directory, not to a program of the machine. */
static int may_dump_core(void)
{
	char first = '|';
	int file = open("/proc/sys/kernel/core_pattern", O_RDONLY);

	if (file >= 0) {
		if (read(file, &first, 1) != 1)
			first = '|';
		close(file);
	}
	return first != '|' && first != '/';
}

static void end_cases(void)
{
	static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT};
	struct rlimit dump = {64 << 20, 64 << 20};
	int status;
	size_t i;
	long child;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		expect_case("procexit by a signal");
		child = must(syscall(SYS_fork));
		if (!child) {
			sigset_t all;

			if (!may_dump_core())
				must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
			sigfillset(&all);
			must(sigprocmask(SIG_UNBLOCK, &all, NULL));
			must(setrlimit(RLIMIT_CORE, &dump));
			signal(signals[i], SIG_DFL);
			syscall(SYS_kill, getpid(), signals[i]);
			_exit(94);
		}
		must(waitpid((pid_t)child, &status, 0));
		if ((status & 0x7f) != signals[i])
			_exit(93);
		exited(child, status, 0);
	}
}

/* Forks once more and leaves the new process behind. */
static void leave_orphan(int status)
{
	long child = must(syscall(SYS_fork));

	if (!child) {
		usleep(50000);
		_exit(9);
	}
	shared[0] = child;
	_exit(status);
}

static void *forks_and_ends(void *argument)
{
	long child = must(syscall(SYS_fork));

	(void)argument;
	if (!child) {
		usleep(50000);
		_exit(0);
	}
	shared[0] = child;
	shared[1] = syscall(SYS_gettid);
	return NULL;
}

/* Who leaves a child behind names its heir. */
static void heir_cases(void)
{
	pthread_t thread;
	int status;
	long child;

	expect_case("sched_proc_exit_no_children");
	child = must(clone3(0, SIGCHLD));
	if (!child)
		_exit(0);
	must(waitpid((pid_t)child, &status, 0));
	exited(child, status, 0);

	/* This action, which asked to be a subreaper. */
	expect_case("sched_proc_exit_prctl_subreaper");
	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	child = must(clone3(0, SIGCHLD));
	if (!child)
		leave_orphan(8);
	must(waitpid((pid_t)child, NULL, 0));
	must(waitpid((pid_t)shared[0], &status, 0));
	exited(child, 8 << 8, getpid());
	must(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));

	/* Another thread of the process. */
	expect_case("sched_proc_exit_reaper_in_the_same_group");
	must(-pthread_create(&thread, NULL, forks_and_ends, NULL));
	must(-pthread_join(thread, NULL));
	must(waitpid((pid_t)shared[0], NULL, 0));
	exited(shared[1], 0, getpid());

	/* The first process of the pid namespace; when that one ends, all of it ends and nobody inherits. */
	child = clone3(CLONE_NEWPID, SIGCHLD);
	if (!child) {
		child = must(syscall(SYS_fork));
		if (!child) {
			shared[2] = machine_tid();
			leave_orphan(0);
		}
		must(waitpid((pid_t)child, NULL, 0));
		usleep(1000);
		_exit(0);
	}
	if (child < 0)
		return;
	must(waitpid((pid_t)child, NULL, 0));
	expect_case("sched_proc_exit_child_namespace_reaper");
	exited(shared[2], 0, child);
	expect_case("sched_proc_exit_child_namespace_reaper_die");
	exited(child, 0, 0);
}

void process_cases(const char *directory)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(chdir(directory));
	start_cases();
	thread_case();
	sibling_case();
	namespace_cases();
	end_cases();
	heir_cases();
}
