/* SPDX-License-Identifier: Apache-2.0 */
/* Programs start, or do not. */
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXE_WRITABLE 1
#define EXE_FROM_MEMFD 4
#define LAYERS (2 | 8)
#define OVERLAYFS 0x794c7630
#define CAPABILITIES_KNOWN ((1ull << 41) - 1)

static void own_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	must(syscall(SYS_capget, &header, data));
	number("cap_inheritable",
		(long long)(((unsigned long long)data[1].inheritable << 32 | data[0].inheritable) & CAPABILITIES_KNOWN));
	number("cap_permitted",
		(long long)(((unsigned long long)data[1].permitted << 32 | data[0].permitted) & CAPABILITIES_KNOWN));
	number("cap_effective",
		(long long)(((unsigned long long)data[1].effective << 32 | data[0].effective) & CAPABILITIES_KNOWN));
}

static long long loginuid(void)
{
	char line[32] = "4294967295";
	int file = open("/proc/self/loginuid", O_RDONLY);

	if (file >= 0) {
		line[read(file, line, sizeof(line) - 1) > 0 ? (long)strcspn(line, "\n") : 0] = 0;
		close(file);
	}
	return strtoll(line, NULL, 10);
}

static long long terminal(void)
{
	char line[1024] = "";
	int file = open("/proc/self/stat", O_RDONLY), number = 0;
	char *at;

	must(read(file, line, sizeof(line) - 1));
	close(file);
	at = strrchr(line, ')');
	sscanf(at, ") %*c %*d %*d %*d %d", &number);
	return number;
}

/* A line of /proc/self/status, in KiB. */
static long long status_kilobytes(const char *name)
{
	static char lines[4096];
	int file = open("/proc/self/status", O_RDONLY);
	ssize_t count = read(file, lines, sizeof(lines) - 1);
	char *at;

	close(file);
	lines[count > 0 ? count : 0] = 0;
	at = strstr(lines, name);
	return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}

static void image(const char *path, unsigned flags)
{
	struct stat status;
	struct statfs filesystem;

	must(stat(path, &status));
	must(statfs(path, &filesystem));
	bits("flags", flags | (access(path, W_OK) ? 0 : EXE_WRITABLE), ~(unsigned long long)LAYERS);
	if (filesystem.f_type != OVERLAYFS) {
		number("exe_ino", (long long)status.st_ino);
		number("exe_ino_ctime", status.st_ctim.tv_sec * 1000000000ll + status.st_ctim.tv_nsec);
		number("exe_ino_mtime", status.st_mtim.tv_sec * 1000000000ll + status.st_mtim.tv_nsec);
	}
}

/* What a failed execve says of the caller, which goes on as it is. */
static void caller(void)
{
	struct rlimit limit;
	char path[PATH_MAX] = "";

	must(getrlimit(RLIMIT_NOFILE, &limit));
	must(readlink("/proc/self/exe", path, sizeof(path) - 1));
	number("tid", getpid());
	number("pid", getpid());
	number("ptid", getppid());
	empty("cwd");
	number("fdlimit", (long long)limit.rlim_cur);
	width("pgft_maj", 8);
	width("pgft_min", 8);
	number("vm_size", status_kilobytes("VmSize:"));
	width("vm_rss", 4);
	number("vm_swap", status_kilobytes("VmSwap:"));
	text("comm", "ProbeActions");
	containing("cgroups", "cpuset=/", 8);
	number("tty", terminal());
	number("vpgid", getpgrp());
	number("pgid", getpgrp());
	number("loginuid", loginuid());
	own_capabilities();
	image(path, 0);
	number("uid", geteuid());
	number("gid", getegid());
	text("trusted_exepath", path);
}

#define MANY 2049 /* strings, the first of six bytes, the others of two: args just fit into 4096 bytes */

static void failure_cases(void)
{
	static char *many[MANY + 1];
	size_t n;
	static char path[] = "//**null-file-path**//", long_argument[5000];
	char *arguments[] = {path, "first", "", "third", NULL}, *environment[] = {"A=1", "B=", NULL};
	char *blank[] = {"", "second", NULL}, *big[] = {"big", "kept", long_argument, "lost", NULL};
	char *bad[] = {NULL};
	long result;

	expect_case("execveX_failure");
	result = called(syscall(SYS_execve, path, arguments, environment));
	expect_event(0, "execve");
	number("res", result);
	text("exe", path);
	strings("args", arguments + 1);
	strings("env", environment);
	text("filename", path);
	caller();
	expect_case("execveatX_failure");
	result = called(syscall(SYS_execveat, AT_FDCWD, path, arguments, environment, 0));
	expect_event(0, "execveat");
	number("res", result);
	text("exe", path);
	strings("args", arguments + 1);
	strings("env", environment);
	caller();
	expect_case("execveX_failure_empty_arg");
	result = called(syscall(SYS_execve, "", blank, environment));
	expect_event(0, "execve");
	number("res", result);
	text("exe", "");
	strings("args", blank + 1);
	strings("env", environment);
	text("filename", "");
	caller();
	expect_case("execveX_failure_args_env_NULL");
	result = called(syscall(SYS_execve, "//args_env_NULL//", NULL, NULL));
	expect_event(0, "execve");
	number("res", result);
	text("exe", "");
	empty("args");
	empty("env");
	text("filename", "//args_env_NULL//");
	expect_case("execveX_failure_path_NULL_but_not_args");
	result = called(syscall(SYS_execve, "//path_NULL_but_not_args//", bad, environment));
	expect_event(0, "execve");
	number("res", result);
	text("exe", "");
	empty("args");
	strings("env", environment);
	text("filename", "//path_NULL_but_not_args//");
	expect_case("execveX_failure_unresolved_filename");
	result = called(syscall(SYS_execve, "/non/existent/../path", NULL, NULL));
	expect_event(0, "execve");
	number("res", result);
	text("filename", "/non/existent/../path");
	/* Many short ones: all of them up to 4096 bytes. */
	expect_case("execve with many arguments");
	for (n = 0; n < MANY; n++)
		many[n] = n ? "x" : "first";
	result = called(syscall(SYS_execve, path, many, many));
	expect_event(0, "execve");
	number("res", result);
	text("exe", "first");
	strings("args", many + 1);
	{
		static char expected[4096] = "first";

		for (n = 6; n + 1 < sizeof(expected); n += 2)
			expected[n] = 'x';
		bytes("env", expected, sizeof(expected));
	}
	/* Everything up to 4096 bytes, the last of them a NUL. */
	expect_case("execve with too many arguments");
	memset(long_argument, 'x', sizeof(long_argument) - 1);
	result = called(syscall(SYS_execve, path, big, NULL));
	expect_event(0, "execve");
	number("res", result);
	text("exe", "big");
	{
		static char expected[4096] = "kept";

		memcpy(expected + 5, long_argument, sizeof(expected) - 6);
		bytes("args", expected, sizeof(expected));
	}
}

struct start {
	const char *label, *path, *told_path, *comm, *trusted;
	char *const *arguments;
	int at; /* by execveat, from this descriptor */
	int is_at, flags, is_memfd;
};

static void started(const struct start *start, char *const *environment)
{
	int status;
	long child;

	expect_case(start->label);
	child = must(syscall(SYS_fork));
	if (!child) {
		must(dup2((int)must(open("/dev/null", O_WRONLY)), 1));
		if (start->is_at)
			syscall(SYS_execveat, start->at, start->path, start->arguments, environment, start->flags);
		else
			syscall(SYS_execve, start->path, start->arguments, environment);
		_exit(92);
	}
	must(waitpid((pid_t)child, &status, 0));
	if (status == 92 << 8)
		_exit(92);
	expect_event(child, "execve");
	number("res", 0);
	text("exe", start->arguments[0]);
	strings("args", start->arguments + 1);
	number("tid", child);
	number("pid", child);
	number("ptid", getpid());
	empty("cwd");
	text("comm", start->comm);
	containing("cgroups", "cpuset=/", 8);
	strings("env", environment);
	number("tty", terminal());
	number("vpgid", getpgrp());
	number("pgid", getpgrp());
	number("loginuid", loginuid());
	number("uid", geteuid());
	number("gid", getegid());
	text("trusted_exepath", start->trusted);
	text("filename", start->told_path);
	if (start->is_memfd)
		bits("flags", EXE_WRITABLE | EXE_FROM_MEMFD, ~(unsigned long long)LAYERS);
	else
		image(start->trusted, 0);
}

static char *const *thread_arguments;

static void *exec_in_thread(void *environment)
{
	syscall(SYS_execve, "/usr/bin/true", thread_arguments, environment);
	return NULL;
}

/* A thread that starts a program becomes its process's leader first. */
static void thread_case(char *const *arguments, char *const *environment)
{
	pthread_t thread;
	long child;

	expect_case("execve of a thread");
	thread_arguments = arguments;
	child = must(fork());
	if (!child) {
		must(-pthread_create(&thread, NULL, exec_in_thread, (void *)environment));
		pthread_join(thread, NULL);
		_exit(88);
	}
	must(waitpid((pid_t)child, NULL, 0));
	expect_event(child, "execve");
	number("res", 0);
	text("exe", arguments[0]);
	strings("args", arguments + 1);
	strings("env", environment);
	number("tid", child);
	number("pid", child);
	number("ptid", getpid());
	text("comm", "true");
	text("filename", "/usr/bin/true");
	expect_event(child, "procexit");
	number("status", 0);
}

static long memfd_copy(const char *path)
{
	static char buffer[65536];
	long from = must(open(path, O_RDONLY)), to = must(syscall(SYS_memfd_create, "malware", 1 /* MFD_CLOEXEC */));
	ssize_t count;

	while ((count = read((int)from, buffer, sizeof(buffer))) > 0)
		must(write((int)to, buffer, (size_t)count));
	close((int)from);
	return to;
}

void execve_cases(const char *directory)
{
	char *arguments[] = {"/usr/bin/true", "randomarg", "", "2_ARGUMENT=no", NULL},
	     *environment[] = {"IN_TEST=yes", "3_A=", NULL};
	char descriptor_path[64], plain[64], comm[16];
	char *linked[] = {"target3", "anything", NULL}, *nameless[] = {"", "second", NULL},
	     *winding[] = {"/usr/../usr/./bin/true", "randomarg", NULL}, *tested[] = {"/usr/bin/test", "randomarg", NULL};
	struct start start = {
		"sched_proc_exec_execve", "/usr/bin/true", "/usr/bin/true", "true", "/usr/bin/true", arguments, 0, 0, 0, 0};
	long fd;

	failure_cases();
	started(&start, environment);
	thread_case(arguments, environment);
	start.label = "sched_proc_exec_execve_unresolved_filename";
	start.path = start.told_path = "/usr/../usr/./bin/true";
	start.arguments = winding;
	started(&start, environment);

	must(chdir(directory));
	must(symlink("/usr/bin/echo", "target3"));
	start.label = "sched_proc_exec_execve_symlink";
	start.path = start.told_path = start.comm = "target3";
	start.trusted = "/usr/bin/echo";
	start.arguments = linked;
	started(&start, environment);
	unlink("target3");

	/* With an absolute path the descriptor means nothing. */
	start = (struct start){
		"sched_proc_exec_execveat", "/usr/bin/test", "/usr/bin/test", "test", "/usr/bin/test", tested, 0, 1, 0, 0};
	started(&start, environment);
	start = (struct start){
		"execveat of a name in a directory", "true", "/dev/fd/0/true", "true", "/usr/bin/true", arguments, 0, 1, 0, 0};
	start.at = (int)must(open("/usr/bin", O_RDONLY | O_DIRECTORY));
	snprintf(descriptor_path, sizeof(descriptor_path), "/dev/fd/%d/true", start.at);
	start.told_path = descriptor_path;
	started(&start, environment);
	close(start.at);

	start.label = "sched_proc_exec_execveat_comm_equal_to_fd_in_old_kernel_versions";
	start.at = (int)must(open("/usr/bin/true", O_RDONLY));
	start.path = "";
	start.arguments = nameless;
	start.flags = AT_EMPTY_PATH;
	snprintf(plain, sizeof(plain), "/dev/fd/%d", start.at);
	start.told_path = plain;
	start.comm = "true"; /* since 6.14 the file's name; before, the descriptor's number */
	started(&start, environment);
	close(start.at);

	fd = memfd_copy("/usr/bin/true");
	snprintf(plain, sizeof(plain), "/proc/%d/fd/%ld", getpid(), fd);
	snprintf(comm, sizeof(comm), "%ld", fd);
	start = (struct start){"sched_proc_exec_execve_memfd", plain, plain, comm, "memfd:malware", arguments, 0, 0, 0, 1};
	started(&start, environment);
	start.label = "sched_proc_exec_execveat_memfd";
	start.is_at = 1;
	started(&start, environment);
	close((int)fd);
}
