/* SPDX-License-Identifier: Apache-2.0 */
/* Names become descriptors, and names change. */
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Values of file_flags in flags.def. */
#define RDONLY 1
#define WRONLY 2
#define RDWR 3
#define CREATED_FLAGS (RDWR | 4 | 0x4000)
#define TMPFILE_FLAGS (RDWR | 0x400 | 0x2000)
#define FLAGS_WITHOUT_LAYER 0xffffffff00007fffull
#define OVERLAYFS 0x794c7630

/* dev and ino of an open file. On overlayfs stat tells another device than the file's own. */
static void device_and_inode(long descriptor)
{
	struct stat status;
	struct statfs filesystem;

	must(fstat((int)descriptor, &status));
	must(fstatfs((int)descriptor, &filesystem));
	if (filesystem.f_type == OVERLAYFS) {
		width("dev", 4);
		width("ino", 8);
	} else {
		number("dev", (long long)(unsigned)status.st_dev);
		number("ino", (long long)status.st_ino);
	}
	close((int)descriptor);
}

static void nothing_opened(void)
{
	number("dev", 0);
	number("ino", 0);
}

static void open_cases(void)
{
	long fd;

	expect_case("openX_success");
	fd = must(syscall(SYS_open, ".", O_RDWR | O_TMPFILE, 0));
	expect_event(0, "open");
	number("fd", fd);
	text("name", ".");
	bits("flags", TMPFILE_FLAGS, FLAGS_WITHOUT_LAYER & ~0x4000ull);
	number("mode", 0);
	device_and_inode(fd);

	expect_case("openX_failure");
	fd = called(syscall(SYS_open, "mock_path", O_RDWR | O_TMPFILE, 0));
	expect_event(0, "open");
	number("fd", fd);
	text("name", "mock_path");
	number("flags", TMPFILE_FLAGS);
	number("mode", 0);
	nothing_opened();

	expect_case("openX_create_success");
	fd = must(syscall(SYS_open, "created_file", O_RDWR | O_CREAT, 0750));
	expect_event(0, "open");
	number("fd", fd);
	text("name", "created_file");
	bits("flags", CREATED_FLAGS, FLAGS_WITHOUT_LAYER);
	number("mode", 0750);
	device_and_inode(fd);

	/* It exists now: opened with O_CREAT, but not created. */
	expect_case("open of what exists");
	fd = must(syscall(SYS_open, "created_file", O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_SYNC, 0640));
	expect_event(0, "open");
	number("fd", fd);
	bits("flags", WRONLY | 4 | 8 | 16 | 64 | 128, FLAGS_WITHOUT_LAYER);
	number("mode", 0640);
	device_and_inode(fd);

	expect_case("open with other flags");
	fd = called(
		syscall(SYS_open, "created_file", O_CREAT | O_EXCL | O_TRUNC | O_DIRECT | O_DIRECTORY | O_CLOEXEC | 0100000, 0));
	expect_event(0, "open");
	number("fd", fd);
	number("flags", RDONLY | 4 | 32 | 256 | 512 | 1024 | 2048 | 4096);

	expect_case("open without a name");
	fd = called(syscall(SYS_open, NULL, O_RDONLY, 0));
	expect_event(0, "open");
	number("fd", -EFAULT);
	empty("name");
	number("flags", RDONLY);
	must(unlink("created_file"));
}

static void openat_cases(void)
{
	long fd;

	expect_case("openatX_success");
	fd = must(syscall(SYS_openat, AT_FDCWD, ".", O_RDWR | O_TMPFILE, 0));
	expect_event(0, "openat");
	number("fd", fd);
	number("dirfd", -100);
	text("name", ".");
	bits("flags", TMPFILE_FLAGS, FLAGS_WITHOUT_LAYER & ~0x4000ull);
	number("mode", 0);
	device_and_inode(fd);

	expect_case("openatX_failure");
	fd = called(syscall(SYS_openat, AT_FDCWD, "mock_path", O_RDWR | O_TMPFILE, 0));
	expect_event(0, "openat");
	number("fd", fd);
	number("dirfd", -100);
	text("name", "mock_path");
	number("flags", TMPFILE_FLAGS);
	number("mode", 0);
	nothing_opened();

	expect_case("openatX_create_success");
	fd = must(syscall(SYS_openat, AT_FDCWD, "created_file", O_RDWR | O_CREAT, 0750));
	expect_event(0, "openat");
	number("fd", fd);
	number("dirfd", -100);
	text("name", "created_file");
	bits("flags", CREATED_FLAGS, FLAGS_WITHOUT_LAYER);
	number("mode", 0750);
	device_and_inode(fd);
	must(unlink("created_file"));
}

static void openat2_cases(void)
{
	struct open_how how = {.flags = O_RDWR | O_TMPFILE, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	long fd;

	expect_case("openat2X_success");
	fd = must(syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how)));
	expect_event(0, "openat2");
	number("fd", fd);
	number("dirfd", -100);
	text("name", ".");
	bits("flags", TMPFILE_FLAGS, FLAGS_WITHOUT_LAYER & ~0x4000ull);
	number("mode", 0);
	number("resolve", 5);
	device_and_inode(fd);

	expect_case("openat2X_failure");
	fd = called(syscall(SYS_openat2, AT_FDCWD, "mock_path", &how, sizeof(how)));
	expect_event(0, "openat2");
	number("fd", fd);
	number("dirfd", -100);
	text("name", "mock_path");
	number("flags", TMPFILE_FLAGS);
	number("mode", 0);
	number("resolve", 5);
	nothing_opened();

	expect_case("openat2X_create_success");
	how.flags = O_RDWR | O_CREAT;
	how.mode = 0750;
	fd = must(syscall(SYS_openat2, AT_FDCWD, "created_file", &how, sizeof(how)));
	expect_event(0, "openat2");
	number("fd", fd);
	number("dirfd", -100);
	text("name", "created_file");
	bits("flags", CREATED_FLAGS, FLAGS_WITHOUT_LAYER);
	number("mode", 0750);
	number("resolve", 5);
	device_and_inode(fd);
	must(unlink("created_file"));
}

static void creat_cases(void)
{
	struct statfs filesystem;
	long fd;

	expect_case("creatX_success");
	fd = must(syscall(SYS_creat, "tmp_file", 0700));
	expect_event(0, "creat");
	number("fd", fd);
	text("name", "tmp_file");
	number("mode", 0700);
	must(fstatfs((int)fd, &filesystem));
	if (filesystem.f_type == OVERLAYFS)
		width("creat_flags", 2);
	else
		number("creat_flags", 0);
	device_and_inode(fd);
	must(unlink("tmp_file"));

	expect_case("creatX_failure");
	fd = called(syscall(SYS_creat, "*//null", 040));
	expect_event(0, "creat");
	number("fd", fd);
	text("name", "*//null");
	number("mode", 040);
	number("creat_flags", 0);
	nothing_opened();
}

static void handle_cases(const char *directory)
{
	struct {
		struct file_handle handle;
		unsigned char room[MAX_HANDLE_SZ];
	} handle = {.handle = {.handle_bytes = MAX_HANDLE_SZ}};
	struct stat status;
	int mount_id;
	long fd, mount_fd;

	mount_fd = must(open(directory, O_RDONLY | O_DIRECTORY));
	if (!syscall(SYS_name_to_handle_at, AT_FDCWD, directory, &handle, &mount_id, 0)) {
		expect_case("open_by_handle_atX_success");
		fd = syscall(SYS_open_by_handle_at, mount_fd, &handle, O_RDONLY);
		if (fd >= 0) {
			must(fstat((int)fd, &status));
			expect_event(0, "open_by_handle_at");
			number("fd", fd);
			number("mountfd", mount_fd);
			bits("flags", RDONLY, FLAGS_WITHOUT_LAYER);
			text("path", directory);
			device_and_inode(fd);
		}
	}
	close((int)mount_fd);

	expect_case("open_by_handle_atX_failure");
	fd = called(syscall(SYS_open_by_handle_at, -1, NULL, O_RDWR));
	expect_event(0, "open_by_handle_at");
	number("fd", fd);
	number("mountfd", -1);
	number("flags", RDWR);
	empty("path");
	nothing_opened();
}

/* Rows of calls whose parameters are those passed: expected in the order of the table of events. */
static void two_paths(const char *event, long result, const char *first, const char *one, const char *second, const char *other)
{
	expect_event(0, event);
	number("res", result);
	text(first, one);
	text(second, other);
}

static void name_cases(void)
{
	static const char old[] = "**//this/is/the/old/path", new[] = "**//this/is/the/new/path/", null[] = "*//null",
			  link_old[] = "/xyzk-this/is/the/old/path", link_new[] = "/xyzk-this/is/the/new/path/",
			  target[] = "//**null-target**//", link[] = "//**null-path**//", gone[] = "//**null**//";
	long result;

	expect_case("renameX");
	two_paths("rename", called(syscall(SYS_rename, old, new)), "oldpath", old, "newpath", new);
	expect_case("renameatX");
	two_paths("renameat", called(syscall(SYS_renameat, 0, old, AT_FDCWD, new)), "oldpath", old, "newpath", new);
	number("olddirfd", 0);
	number("newdirfd", -100);
	expect_case("renameat2X");
	two_paths("renameat2", called(syscall(SYS_renameat2, 0, old, AT_FDCWD, new, 7)), "oldpath", old, "newpath", new);
	number("olddirfd", 0);
	number("newdirfd", -100);
	number("flags", 7);
	expect_case("linkX");
	two_paths("link", called(syscall(SYS_link, link_old, link_new)), "oldpath", link_old, "newpath", link_new);
	expect_case("linkatX");
	two_paths("linkat", called(syscall(SYS_linkat, 7, link_old, AT_FDCWD, link_new, AT_SYMLINK_FOLLOW)), "oldpath", link_old,
		"newpath", link_new);
	number("olddir", 7);
	number("newdir", -100);
	number("flags", AT_SYMLINK_FOLLOW);
	expect_case("symlinkX");
	two_paths("symlink", called(syscall(SYS_symlink, target, link)), "target", target, "linkpath", link);
	expect_case("symlinkatX");
	two_paths("symlinkat", called(syscall(SYS_symlinkat, target, AT_FDCWD, link)), "target", target, "linkpath", link);
	number("linkdirfd", -100);

	expect_case("unlinkX");
	result = called(syscall(SYS_unlink, gone));
	expect_event(0, "unlink");
	number("res", result);
	text("path", gone);
	expect_case("unlinkatX");
	result = called(syscall(SYS_unlinkat, -1, gone, AT_REMOVEDIR));
	expect_event(0, "unlinkat");
	number("res", result);
	number("dirfd", -1);
	text("name", gone);
	number("flags", 512);
	expect_case("rmdirX");
	result = called(syscall(SYS_rmdir, null));
	expect_event(0, "rmdir");
	number("res", result);
	text("path", null);
	expect_case("mkdirX");
	result = called(syscall(SYS_mkdir, null, 7));
	expect_event(0, "mkdir");
	number("res", result);
	text("path", null);
	number("mode", 7);
	expect_case("mkdiratX");
	result = called(syscall(SYS_mkdirat, -1, "/invalid/path", 8));
	expect_event(0, "mkdirat");
	number("res", result);
	number("dirfd", -1);
	text("path", "/invalid/path");
	number("mode", 8);
}

static void owner_cases(void)
{
	static const char null[] = "*//null";
	long result;

	expect_case("chmodX");
	result = called(syscall(SYS_chmod, null, 0100));
	expect_event(0, "chmod");
	number("res", result);
	text("filename", null);
	number("mode", 0100);
	expect_case("fchmodX");
	result = called(syscall(SYS_fchmod, -1, 0100));
	expect_event(0, "fchmod");
	number("res", result);
	number("fd", -1);
	number("mode", 0100);
	expect_case("fchmodatX");
	result = called(syscall(SYS_fchmodat, -1, null, 0100, 0));
	expect_event(0, "fchmodat");
	number("res", result);
	number("dirfd", -1);
	text("filename", null);
	number("mode", 0100);
	expect_case("chownX");
	result = called(syscall(SYS_chown, null, 0, 0));
	expect_event(0, "chown");
	number("res", result);
	text("path", null);
	number("uid", 0);
	number("gid", 0);
	expect_case("lchown");
	result = called(syscall(SYS_lchown, null, 1, -1));
	expect_event(0, "lchown");
	number("res", result);
	text("path", null);
	number("uid", 1);
	number("gid", 0xffffffff);
	expect_case("fchownX");
	result = called(syscall(SYS_fchown, -1, 0, 0));
	expect_event(0, "fchown");
	number("res", result);
	number("fd", -1);
	number("uid", 0);
	number("gid", 0);
	expect_case("fchownatX");
	result = called(syscall(SYS_fchownat, -1, null, 0, 0, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH));
	expect_event(0, "fchownat");
	number("res", result);
	number("dirfd", -1);
	text("pathname", null);
	number("uid", 0);
	number("gid", 0);
	number("flags", 5120);
	expect_case("mknod");
	result = called(syscall(SYS_mknod, "/nonexistent/node", S_IFIFO | 0644, 0));
	expect_event(0, "mknod");
	number("res", result);
	text("path", "/nonexistent/node");
	number("mode", S_IFIFO | 0644);
	number("dev", 0);
}

static void place_cases(void)
{
	long result;

	expect_case("chdirX");
	result = called(syscall(SYS_chdir, "mock_dir"));
	expect_event(0, "chdir");
	number("res", result);
	text("path", "mock_dir");
	expect_case("fchdirX");
	result = called(syscall(SYS_fchdir, -1));
	expect_event(0, "fchdir");
	number("res", result);
	number("fd", -1);
	expect_case("chrootX");
	result = called(syscall(SYS_chroot, "*//null"));
	expect_event(0, "chroot");
	number("res", result);
	text("path", "*//null");
	expect_case("mountX");
	result = called(syscall(
		SYS_mount, "/no_mount_point/xyzk-source", "/no_mount_point/xyzk-target", "not_supported", 0xc0ed0001l, NULL));
	expect_event(0, "mount");
	number("res", result);
	text("dev", "/no_mount_point/xyzk-source");
	text("dir", "/no_mount_point/xyzk-target");
	text("type", "not_supported");
	number("flags", 1);
	expect_case("umount2X");
	result = called(syscall(SYS_umount2, "//**null-file-path**//", 1));
	expect_event(0, "umount2");
	number("res", result);
	text("name", "//**null-file-path**//");
	number("flags", 1);
}

void file_cases(const char *directory)
{
	must(chdir(directory));
	open_cases();
	openat_cases();
	openat2_cases();
	creat_cases();
	handle_cases(directory);
	name_cases();
	owner_cases();
	place_cases();
}
