/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TRACEFS_MAGIC 0x74726163
/* Older headers lack them; the numbers are the same on every architecture. */
#ifndef SYS_fsopen
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#define FSOPEN_CLOEXEC 1
#define FSCONFIG_CMD_CREATE 6
#define FSMOUNT_CLOEXEC 1
#define MOUNT_ATTR_NOSUID 2
#define MOUNT_ATTR_NODEV 4
#define MOUNT_ATTR_NOEXEC 8

static int open_mounted(const char *path)
{
	struct statfs status;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* An empty mount point is there without a mount, too. */
	if (fd >= 0 && (fstatfs(fd, &status) || status.f_type != TRACEFS_MAGIC)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int linux_tracefs_open(void)
{
	int context, reason, fd = open_mounted("/sys/kernel/tracing");

	if (fd < 0)
		fd = open_mounted("/sys/kernel/debug/tracing");
	if (fd >= 0)
		return fd;
	context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	if (context < 0)
		return -1;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = (int)syscall(
			SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	reason = errno;
	close(context);
	errno = reason;
	return fd;
}

uint64_t linux_tracepoint_id(int tracefs, const char *name)
{
	char path[160], text[32] = "";
	ssize_t count;
	int fd;

	snprintf(path, sizeof(path), "events/%s/id", name);
	fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	count = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (count <= 0 || !strtoull(text, NULL, 10))
		errno = EINVAL;
	return count > 0 ? strtoull(text, NULL, 10) : 0;
}
