/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in the layers of an overlay file system, mounted in a mount namespace of the action's own. Without the
 * privilege for it there is nothing to expect.
 */
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of file_flags, creat_flags and execve_flags in flags.def. */
#define OPEN_UPPER 0x8000
#define OPEN_LOWER 0x10000
#define CREAT_UPPER 1
#define EXE_WRITABLE 1
#define EXE_UPPER 2
#define EXE_LOWER 8

static void copy_program(const char *path)
{
	static char buffer[65536];
	int from = (int)must(open("/usr/bin/true", O_RDONLY)), to = (int)must(open(path, O_WRONLY | O_CREAT, 0755));
	ssize_t count;

	while ((count = read(from, buffer, sizeof(buffer))) > 0)
		must(write(to, buffer, (size_t)count));
	close(from);
	close(to);
}

static void run_case(const char *label, const char *path, const char *name, int layer)
{
	char *arguments[] = {(char *)path, "argument", NULL}, *environment[] = {"A=1", NULL};
	struct stat status;
	long child;

	expect_case(label);
	child = must(syscall(SYS_fork));
	if (!child) {
		syscall(SYS_execve, path, arguments, environment);
		_exit(89);
	}
	must(waitpid((pid_t)child, NULL, 0));
	must(stat(path, &status));
	expect_event(child, "execve");
	number("res", 0);
	text("exe", path);
	strings("args", arguments + 1);
	strings("env", environment);
	number("tid", child);
	number("pid", child);
	number("ptid", getpid());
	empty("cwd");
	text("comm", name);
	containing("cgroups", "cpuset=/", 8);
	number("flags", EXE_WRITABLE | layer);
	number("exe_ino", (long long)status.st_ino);
	number("exe_ino_ctime", status.st_ctim.tv_sec * 1000000000ll + status.st_ctim.tv_nsec);
	number("exe_ino_mtime", status.st_mtim.tv_sec * 1000000000ll + status.st_mtim.tv_nsec);
	number("uid", geteuid());
	number("gid", getegid());
	text("trusted_exepath", path);
	text("filename", path);
}

static void open_case(const char *label, const char *path, long long flags)
{
	long fd;

	expect_case(label);
	fd = must(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0));
	expect_event(0, "openat");
	number("fd", fd);
	text("name", path);
	number("flags", 1 | flags);
	close((int)fd);
}

/* The directory of the handle is a mount of its own: its path runs over the border. */
static void handle_case(const char *directory)
{
	struct {
		struct file_handle handle;
		unsigned char room[MAX_HANDLE_SZ];
	} handle = {.handle = {.handle_bytes = MAX_HANDLE_SZ}};
	char inner[300];
	struct stat status;
	int mount_id;
	long fd, mount_fd;

	snprintf(inner, sizeof(inner), "%s/inner", directory);
	must(mkdir(inner, 0700));
	if (syscall(SYS_name_to_handle_at, AT_FDCWD, inner, &handle, &mount_id, 0))
		return;
	mount_fd = must(open(directory, O_RDONLY | O_DIRECTORY));
	expect_case("open_by_handle_atX_success_mp");
	fd = must(syscall(SYS_open_by_handle_at, mount_fd, &handle, O_RDONLY));
	must(fstat((int)fd, &status));
	expect_event(0, "open_by_handle_at");
	number("fd", fd);
	number("mountfd", mount_fd);
	number("flags", 1);
	text("path", inner);
	number("dev", (long long)(unsigned)status.st_dev);
	number("ino", (long long)status.st_ino);
	close((int)fd);
	close((int)mount_fd);
}

void layer_cases(const char *directory)
{
	static const char *const parts[] = {"lower", "upper", "work", "merged"};
	char path[300], options[1000];
	size_t i;
	long fd;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("tmpfs", directory, "tmpfs", 0, NULL))
		return;
	handle_case(directory);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, parts[i]);
		must(mkdir(path, 0755));
	}
	snprintf(path, sizeof(path), "%s/lower/lowertrue", directory);
	copy_program(path);
	snprintf(path, sizeof(path), "%s/merged", directory);
	snprintf(
		options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", directory, directory, directory);
	if (mount("overlay", path, "overlay", 0, options))
		return;
	snprintf(path, sizeof(path), "%s/merged/uppertrue", directory);
	copy_program(path);
	run_case("sched_proc_exec_execve_upperlayer", path, "uppertrue", EXE_UPPER);
	open_case("open of the upper layer", path, OPEN_UPPER);
	snprintf(path, sizeof(path), "%s/merged/lowertrue", directory);
	run_case("sched_proc_exec_execve_not_upperlayer", path, "lowertrue", EXE_LOWER);
	open_case("open of the lower layer", path, OPEN_LOWER);
	expect_case("creat in the upper layer");
	snprintf(path, sizeof(path), "%s/merged/created", directory);
	fd = must(syscall(SYS_creat, path, 0600));
	expect_event(0, "creat");
	number("fd", fd);
	text("name", path);
	number("creat_flags", CREAT_UPPER);
}
