/* SPDX-License-Identifier: Apache-2.0 */
/* System calls by the 32-bit entry: the same events as by the other, with arguments and memory of the 32-bit layout. */
#define _GNU_SOURCE
#include "addresses.h"
#include "expect.h"
#include "ia32.h"
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/net.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPLEN 80
#define MINUS_ONE ((uint32_t)-1)
#define LARGE_FILE 0100000 /* O_LARGEFILE, which is 0 to a 64-bit program */

static void file_calls(const char *directory)
{
	char path[200];
	struct stat status;
	long fd, result;

	snprintf(path, sizeof(path), "%s/narrow", directory);
	expect_case("ia32 open");
	fd = must(ia32(IA32_OPEN, low_text(path), O_RDWR | O_CREAT | O_EXCL | LARGE_FILE, 0640, 0, 0, 0));
	must(fstat((int)fd, &status));
	expect_event(0, "open");
	number("fd", fd);
	text("name", path);
	bits("flags", 3 | 4 | 32 | 2048, 0x3fff);
	number("mode", 0640);
	number("ino", (long long)status.st_ino);

	expect_case("ia32 openat that fails");
	result = ia32(IA32_OPENAT, (uint32_t)AT_FDCWD, low_text("/nonexistent/file"), O_RDONLY, 0, 0, 0);
	expect_event(0, "openat");
	number("fd", -ENOENT);
	number("fd", result);
	number("dirfd", AT_FDCWD);
	text("name", "/nonexistent/file");

	expect_case("ia32 write");
	must(ia32(IA32_WRITE, (uint32_t)fd, low_text("thirty-two"), 10, 0, 0, 0));
	expect_event(0, "write");
	number("res", 10);
	bytes("data", "thirty-two", 10);
	number("fd", fd);
	number("size", 10);

	expect_case("ia32 pwrite64");
	must(ia32(IA32_PWRITE64, (uint32_t)fd, low_text("far"), 3, 5, 1, 0));
	expect_event(0, "pwrite");
	number("res", 3);
	bytes("data", "far", 3);
	number("pos", 0x100000005ll);

	expect_case("ia32 lseek to before the beginning");
	result = ia32(IA32_LSEEK, (uint32_t)fd, (uint32_t)-7, SEEK_SET, 0, 0, 0);
	expect_event(0, "lseek");
	number("res", result);
	number("fd", fd);
	number("offset", -7);
	number("whence", SEEK_SET);
	expect_case("llseekX");
	result = ia32(IA32_LLSEEK, MINUS_ONE, 1, 1, 0, SEEK_SET, 0);
	expect_event(0, "lseek");
	number("res", result);
	number("fd", -1);
	number("offset", 0x100000001ll);
	number("whence", SEEK_SET);
	expect_case("ia32 _llseek");
	must(ia32(IA32_LLSEEK, (uint32_t)fd, 2, 9, pointer32(low(8)), SEEK_SET, 0));
	expect_event(0, "lseek");
	number("res", 0);
	number("fd", fd);
	number("offset", 0x200000009ll);
	number("whence", SEEK_SET);

	expect_case("ia32 fcntl64");
	must(result = ia32(IA32_FCNTL64, (uint32_t)fd, F_DUPFD, 70, 0, 0, 0));
	expect_event(0, "fcntl");
	number("res", result);
	number("fd", fd);
	number("cmd", 1);
	number("arg", 70);
	close((int)result);

	expect_case("ia32 stat64");
	must(ia32(IA32_STAT64, low_text(path), pointer32(low(256)), 0, 0, 0, 0));
	expect_event(0, "stat");
	number("res", 0);
	text("path", path);
	expect_case("ia32 fstatat64");
	must(ia32(IA32_FSTATAT64, (uint32_t)AT_FDCWD, low_text(path), pointer32(low(256)), 0, 0, 0));
	expect_event(0, "newfstatat");
	number("res", 0);
	text("path", path);

	expect_case("ia32 chown keeps what is -1 in 16 bits");
	must(ia32(IA32_CHOWN, low_text(path), 0xffff, getgid(), 0, 0, 0));
	expect_event(0, "chown");
	number("res", 0);
	text("path", path);
	number("uid", 0xffffffff);
	number("gid", getgid());
	expect_case("ia32 chown32");
	must(ia32(IA32_CHOWN32, low_text(path), getuid(), MINUS_ONE, 0, 0, 0));
	expect_event(0, "chown");
	number("uid", getuid());
	number("gid", 0xffffffff);

	expect_case("umountX");
	result = ia32(IA32_UMOUNT, low_text("//**null-file-path**//"), 0, 0, 0, 0, 0);
	expect_event(0, "umount2");
	number("res", result);
	text("name", "//**null-file-path**//");
	expect_case("ia32 umount has no flags");
	result = ia32(IA32_UMOUNT, low_text("/nonexistent/mount"), 0xffff, 0, 0, 0, 0);
	expect_event(0, "umount2");
	number("res", result);
	text("name", "/nonexistent/mount");
	number("flags", 0);
	expect_case("ia32 sendfile");
	result = ia32(IA32_SENDFILE, MINUS_ONE, (uint32_t)-2, pointer32(low_copy(&(uint64_t){0x77000000018ull}, 8)), 37, 0, 0);
	expect_event(0, "sendfile");
	number("res", result);
	number("offset", 24);
	number("out_fd", -1);
	number("in_fd", -2);
	number("size", 37);
	expect_case("ia32 sendfile64");
	result = ia32(IA32_SENDFILE64, MINUS_ONE, (uint32_t)-2, pointer32(low_copy(&(uint64_t){0x100000018ull}, 8)), 37, 0, 0);
	expect_event(0, "sendfile");
	number("res", result);
	number("offset", 0x100000018ll);
	close((int)fd);
	unlink(path);
}

static void vector_calls(void)
{
	struct iovec32 *vector = low(2 * sizeof(*vector));
	char pattern[100];
	uint32_t room = pointer32(low(200)), *ends = low(8);
	long result;

	memset(pattern, 'v', sizeof(pattern));
	vector[0] = (struct iovec32){pointer32(low_copy(pattern, 30)), 30};
	vector[1] = (struct iovec32){pointer32(low_copy(pattern, 70)), 70};
	expect_case("ia32 pipe");
	must(ia32(IA32_PIPE, pointer32(ends), 0, 0, 0, 0, 0));
	expect_event(0, "pipe");
	number("res", 0);
	number("fd1", ends[0]);
	number("fd2", ends[1]);
	expect_case("ia32 writev");
	must(ia32(IA32_WRITEV, ends[1], pointer32(vector), 2, 0, 0, 0));
	expect_event(0, "writev");
	number("res", 100);
	bytes("data", pattern, SNAPLEN);
	number("fd", ends[1]);
	number("size", 100);
	vector[0] = (struct iovec32){room, 50};
	vector[1] = (struct iovec32){room + 50, 50};
	expect_case("ia32 readv");
	must(ia32(IA32_READV, ends[0], pointer32(vector), 2, 0, 0, 0));
	expect_event(0, "readv");
	number("res", 100);
	number("size", 100);
	bytes("data", pattern, SNAPLEN);
	expect_case("ia32 process_vm_readv");
	result = ia32(IA32_PROCESS_VM_READV, (uint32_t)getpid(), pointer32(vector), 1, pointer32(&vector[1]), 1, 0);
	expect_event(0, "process_vm_readv");
	number("res", result);
	number("pid", getpid());
	close((int)ends[0]);
	close((int)ends[1]);
}

/* A descriptor that travels, the message and its list in 32-bit layout; the control message is told in the 64-bit one. */
static void message_calls(void)
{
	struct {
		uint32_t length, level, type, fd;
	} *control = low(sizeof(*control));
	struct msghdr32 *header = low(sizeof(*header));
	struct mmsghdr32 *list = low(2 * sizeof(*list));
	struct iovec32 *vector = low(2 * sizeof(*vector));
	struct any_address server;
	unsigned char wide[CMSG_SPACE(sizeof(int))] = {0};
	struct cmsghdr *told = (struct cmsghdr *)wide;
	struct link link;
	int pair[2], i;
	long fd, result;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	vector[0] = (struct iovec32){low_text("letter"), 6};
	*control = (typeof(*control)){16, SOL_SOCKET, SCM_RIGHTS, (uint32_t)pair[0]};
	*header =
		(struct msghdr32){.iov = pointer32(vector), .iov_count = 1, .control = pointer32(control), .control_length = 16};
	must(socketcall(SYS_SENDMSG, (const uint32_t[]){(uint32_t)pair[0], pointer32(header), 0}, 3));
	memset(control, 0, sizeof(*control));
	vector[0].base = pointer32(low(6));
	expect_case("ia32 recvmsg of a descriptor");
	must(socketcall(SYS_RECVMSG, (const uint32_t[]){(uint32_t)pair[1], pointer32(header), 0}, 3));
	told->cmsg_len = CMSG_LEN(sizeof(int));
	told->cmsg_level = SOL_SOCKET;
	told->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(told), &control->fd, sizeof(int));
	expect_event(0, "recvmsg");
	number("res", 6);
	bytes("data", "letter", 6);
	bytes("msgcontrol", wide, sizeof(wide));
	number("fd", pair[1]);
	close((int)control->fd);
	close(pair[0]);
	close(pair[1]);

	link_open(&link, AF_INET, SOCK_DGRAM, PORTS_PLAIN);
	for (i = 0; i < 2; i++) {
		vector[i] = (struct iovec32){low_text("one more"), 3 + 5 * (uint32_t)i};
		list[i].header = (struct msghdr32){.name = pointer32(low_copy(&link.to, sizeof(link.to))),
			.name_length = link.to.bytes,
			.iov = pointer32(&vector[i]),
			.iov_count = 1};
	}
	expect_case("ia32 sendmmsg");
	must(socketcall(SYS_SENDMMSG, (const uint32_t[]){(uint32_t)link.client, pointer32(list), 2, 0}, 4));
	for (i = 0; i < 2; i++) {
		expect_event(0, "sendmmsg");
		number("res", 3 + 5 * i);
		number("fd", link.client);
		number("size", 3 + 5 * i);
		bytes("data", "one more", 3 + 5 * (size_t)i);
		socket_tuple("tuple", &link.from, &link.to);
	}
	link_close(&link);

	expect_case("ia32 connect without socketcall");
	address_v4(&server, "127.59.21.35", 52889);
	fd = must(socket(AF_INET, SOCK_STREAM, 0));
	result = ia32(IA32_CONNECT, (uint32_t)fd, pointer32(low_copy(&server, sizeof(server))), server.bytes, 0, 0, 0);
	expect_event(0, "connect");
	number("res", -ECONNREFUSED);
	number("res", result);
	number("fd", fd);
	socket_address("addr", &server);
	close((int)fd);
}

void compat_cases(const char *directory)
{
	file_calls(directory);
	vector_calls();
	message_calls();
}
