/* SPDX-License-Identifier: Apache-2.0 */
/* Files are asked about, made as nodes, read as directories, locked and configured. */
#define _GNU_SOURCE
#include "case.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NO_PATH "//**null-file-path**//"

enum {
	FSCONFIG_FLAG = 0,
	FSCONFIG_STRING = 1,
};

static void question_cases(void)
{
	const int flags = AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW;
	struct stat status;
	char place[200] = "";
	long result;

	CASE("accessX", "access", "res", syscall(SYS_access, NO_PATH, W_OK));
	text("name", NO_PATH);
	number("mode", 2);
	CASE("statX", "stat", "res", syscall(SYS_stat, NO_PATH, &status));
	text("path", NO_PATH);
	CASE("lstatX", "lstat", "res", syscall(SYS_lstat, NO_PATH, &status));
	text("path", NO_PATH);
	CASE("fstatX", "fstat", "res", syscall(SYS_fstat, -1, &status));
	number("fd", -1);
	CASE("newfstatatX_success", "newfstatat", "res", must(syscall(SYS_newfstatat, AT_FDCWD, ".", &status, flags)));
	number("dirfd", -100);
	text("path", ".");
	number("flags", flags);
	CASE("newfstatatX_failure", "newfstatat", "res", syscall(SYS_newfstatat, AT_FDCWD, "mock_path", &status, flags));
	number("dirfd", -100);
	text("path", "mock_path");
	number("flags", flags);
	expect_case("getcwdX_success");
	result = must(syscall(SYS_getcwd, place, sizeof(place)));
	expect_event(0, "getcwd");
	number("res", result);
	text("path", place);
	CASE("getcwdX_fail", "getcwd", "res", syscall(SYS_getcwd, place, 2));
	empty("path");
	CASE("getdentsX", "getdents", "res", syscall(SYS_getdents, 10, NULL, 0));
	number("fd", 10);
	CASE("getdents64X", "getdents64", "res", syscall(SYS_getdents64, 10, NULL, 0));
	number("fd", 10);
	CASE("lseekX", "lseek", "res", syscall(SYS_lseek, -1, 7, SEEK_SET));
	number("fd", -1);
	number("offset", 7);
	number("whence", 0);
	CASE("lchownX", "lchown", "res", syscall(SYS_lchown, "*//null", 0, 0));
	text("path", "*//null");
	number("uid", 0);
	number("gid", 0);
}

/* The device of the caller, 0xf0:0 in 0xf000, is told as the kernel keeps it: the major number in the bits from 20 on. */
static void node_cases(void)
{
	static const struct {
		const char *label, *at_label;
		const char *path;
		unsigned mode;
	} rows[] = {
		{"mknodX_failure", "mknodatX_failure", "/tmp/", 0060000 | 0666},
		{"mknodX_failure_S_IFREG", "mknodatX_failure_S_IFREG", "/tmp/", S_IXUSR | S_IFREG},
		{"mknodX_failure_S_IFCHR", "mknodatX_failure_S_IFCHR", "/tmp/", S_IXUSR | S_IFCHR},
		{"mknodX_failure_S_IFBLK", "mknodatX_failure_S_IFBLK", "/tmp/", S_IXUSR | S_IFBLK},
		{"mknodX_failure_S_IFIFO", "mknodatX_failure_S_IFIFO", "/tmp/", S_IXUSR | S_IFIFO},
		{"mknodX_failure_S_IFSOCK", "mknodatX_failure_S_IFSOCK", "/tmp/", S_IXUSR | S_IFSOCK},
		{"mknod of a device with a large minor number", "mknodat of the same", "/nonexistent/node", S_IFCHR | 0600},
	};
	const unsigned device = 0xf000, large = 0x12345678; /* minor 0x12378, major 0x456 */
	size_t i, count = sizeof(rows) / sizeof(rows[0]);

	for (i = 0; i < count; i++) {
		const char *path = i == 1 ? "/tmp" : rows[i].path;
		unsigned given = i == count - 1 ? large : device;
		long long told = i == count - 1 ? 0x456ll << 20 | 0x12378 : 251658240;

		CASE(rows[i].label, "mknod", "res", syscall(SYS_mknod, path, rows[i].mode, given));
		text("path", path);
		number("mode", rows[i].mode);
		number("dev", told);
		CASE(rows[i].at_label, "mknodat", "res", syscall(SYS_mknodat, -1, rows[i].path, rows[i].mode, given));
		number("dirfd", -1);
		text("path", rows[i].path);
		number("mode", rows[i].mode);
		number("dev", told);
	}
}

static void content_cases(void)
{
	const char value[] = "#grand.central.org:root.cell.";
	long fd, result;

	CASE("copy_file_rangeX", "copy_file_range", "res", syscall(SYS_copy_file_range, -3, 140l, -4, 300l, 20l, 0));
	number("fdout", -4);
	number("offout", 300);
	number("fdin", -3);
	number("offin", 140);
	number("len", 20);
	CASE("flockX", "flock", "res", syscall(SYS_flock, -1, LOCK_EX));
	number("fd", -1);
	number("operation", 2);

	/* Of a mounted file system, or of a new one where nothing is mounted there. Nothing is mounted or changed. */
	fd = syscall(SYS_fspick, AT_FDCWD, "/sys/kernel/tracing", 0);
	if (fd >= 0 && syscall(SYS_fsconfig, fd, FSCONFIG_STRING, "source", value, 0)) {
		close((int)fd);
		fd = -1;
	} else if (fd >= 0) {
		close((int)fd);
		fd = syscall(SYS_fspick, AT_FDCWD, "/sys/kernel/tracing", 0);
	}
	if (fd < 0)
		fd = syscall(SYS_fsopen, "tmpfs", 0);
	expect_case("fsconfigX_FSCONFIG_SET_STRING");
	result = called(syscall(SYS_fsconfig, fd, FSCONFIG_STRING, "source", value, 0));
	if (fd >= 0)
		must(result);
	expect_event(0, "fsconfig");
	number("res", result);
	number("fd", fd);
	number("cmd", 1);
	text("key", "source");
	empty("value_bytebuf");
	text("value_charbuf", value);
	number("aux", 0);
	close((int)fd);
	CASE("fsconfigX_failure", "fsconfig", "res",
		syscall(SYS_fsconfig, 0, FSCONFIG_FLAG, "//**invalid-key**//", "//**invalid-value**//", 100));
	number("fd", 0);
	number("cmd", 0);
	text("key", "//**invalid-key**//");
	empty("value_bytebuf");
	empty("value_charbuf");
	number("aux", 100);
}

void status_cases(const char *directory)
{
	must(chdir(directory));
	question_cases();
	node_cases();
	content_cases();
}
