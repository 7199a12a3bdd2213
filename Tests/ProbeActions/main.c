/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the live tests watch: one named action, made of exactly the system calls written here. Raw numbers, since
 * a C library is free to call another one (open becomes openat). Exit status 99: something here went wrong.
 */
#define _GNU_SOURCE
#include "expect.h"
#include "ia32.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* open, openat, openat2, creat, and one that fails; `path` is created in a directory of the caller's. */
static void open_action(const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	char *slash = strrchr(path, '/');
	char directory[512];
	int directory_fd;

	snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
	must(syscall(SYS_creat, path, 0604));
	must(syscall(SYS_open, path, O_WRONLY | O_APPEND, 0));
	must(syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC, 0640));
	must(directory_fd = (int)syscall(SYS_openat, AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0));
	must(syscall(SYS_openat, directory_fd, slash + 1, O_RDONLY | O_CLOEXEC, 0));
	must(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
	if (syscall(SYS_openat, AT_FDCWD, "/nonexistent/file", O_RDONLY, 0) != -1)
		_exit(99);
}

static void file_action(const char *directory)
{
	must(chdir(directory));
	must(syscall(SYS_mkdir, "made", 0750));
	must(syscall(SYS_mkdirat, AT_FDCWD, "made/at", 0700));
	must(syscall(SYS_creat, "file", 0644));
	must(syscall(SYS_chmod, "file", 0600));
	must(syscall(SYS_fchmodat, AT_FDCWD, "file", 0640));
	must(syscall(SYS_chown, "file", getuid(), getgid()));
	must(syscall(SYS_link, "file", "hard"));
	must(syscall(SYS_symlink, "file", "soft"));
	must(syscall(SYS_symlinkat, "file", AT_FDCWD, "soft2"));
	must(syscall(SYS_rename, "file", "renamed"));
	must(syscall(SYS_renameat2, AT_FDCWD, "renamed", AT_FDCWD, "again", 1 /* RENAME_NOREPLACE */));
	must(syscall(SYS_unlink, "again"));
	must(syscall(SYS_unlinkat, AT_FDCWD, "hard", 0));
	must(syscall(SYS_unlink, "soft"));
	must(syscall(SYS_unlink, "soft2"));
	must(syscall(SYS_rmdir, "made/at"));
	must(syscall(SYS_rmdir, "made"));
}

static void inet_action(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(address);
	int server, client, connection;
	char buffer[16];

	must(server = socket(AF_INET, SOCK_STREAM, 0));
	must(bind(server, (struct sockaddr *)&address, sizeof(address)));
	must(getsockname(server, (struct sockaddr *)&address, &length));
	must(listen(server, 5));
	must(client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
	must(connect(client, (struct sockaddr *)&address, sizeof(address)));
	must(connection = (int)syscall(SYS_accept4, server, NULL, NULL, SOCK_CLOEXEC));
	must(syscall(SYS_sendto, client, "hello", 5, 0, NULL, 0));
	must(syscall(SYS_recvfrom, connection, buffer, sizeof(buffer), 0, NULL, NULL));
	must(syscall(SYS_write, connection, "answer", 6));
	must(syscall(SYS_read, client, buffer, sizeof(buffer)));
	must(close(connection));
	must(close(client));
	/* Nobody listens at port 1 of loopback. */
	address.sin_port = htons(1);
	must(client = socket(AF_INET, SOCK_STREAM, 0));
	if (connect(client, (struct sockaddr *)&address, sizeof(address)) != -1)
		_exit(99);
}

/* open and connect by both entries, among other calls. */
static void entries_action(const char *path)
{
	const uint32_t connect_words[] = {(uint32_t)-1, 0, 0}, bind_words[] = {(uint32_t)-1, 0, 0};

	must(syscall(SYS_open, path, O_CREAT | O_RDWR, 0600));
	must(ia32(5 /* open */, low_text(path), O_RDONLY, 0, 0, 0, 0));
	must(ia32(64 /* getppid */, 0, 0, 0, 0, 0, 0));
	called(syscall(SYS_connect, -1, NULL, 0));
	socketcall(2 /* bind */, bind_words, 3);
	socketcall(3 /* connect */, connect_words, 3);
	socketcall(1230, connect_words, 3);
}

/* More than an event carries, whole and in parts. */
static void big_action(void)
{
	static char data[70000];
	struct iovec parts[3] = {{data, 30000}, {data + 30000, 30000}, {data + 60000, 10000}};
	int null = (int)must(open("/dev/null", O_WRONLY));

	memset(data, 'b', sizeof(data));
	must(syscall(SYS_write, null, data, sizeof(data)));
	must(syscall(SYS_writev, null, parts, 3));
	must(syscall(SYS_write, null, data, 64999));
}

static void unix_action(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int server, client, pair[2];

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	must(server = socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(server, (struct sockaddr *)&address, sizeof(address)));
	must(listen(server, 1));
	must(client = socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect(client, (struct sockaddr *)&address, sizeof(address)));
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
}

static void *nothing(void *argument)
{
	/* The leader waits for this thread, which therefore is seen to end first. */
	return argument;
}

static void process_action(void)
{
	pthread_t thread;
	pid_t pid;

	must(pid = (pid_t)syscall(SYS_fork));
	if (pid == 0)
		_exit(7);
	must(waitpid(pid, NULL, 0));
	must(pid = (pid_t)syscall(SYS_fork));
	if (pid == 0) {
		kill(getpid(), SIGTERM);
		_exit(99);
	}
	must(waitpid(pid, NULL, 0));
	must(pid = vfork());
	if (pid == 0) {
		execl("/bin/sh", "shell", "-c", "exit 5", (char *)NULL);
		_exit(99);
	}
	must(waitpid(pid, NULL, 0));
	must(-pthread_create(&thread, NULL, nothing, NULL));
	must(-pthread_join(thread, NULL));
}

static void descriptor_action(void)
{
	int ends[2];

	must(syscall(SYS_pipe2, ends, O_CLOEXEC));
	must(syscall(SYS_dup, ends[0]));
	must(syscall(SYS_dup2, ends[0], 50));
	must(syscall(SYS_dup3, ends[1], 51, O_CLOEXEC));
	must(syscall(SYS_fcntl, ends[0], F_DUPFD, 60));
	must(syscall(SYS_close, 50));
	must(syscall(SYS_memfd_create, "named", 1));
}

static void identity_action(void)
{
	must(syscall(SYS_setuid, getuid()));
	must(syscall(SYS_setgid, getgid()));
	must(syscall(SYS_setresuid, -1, geteuid(), -1));
	must(syscall(SYS_chdir, "/usr"));
	must(syscall(SYS_prctl, 15 /* PR_SET_NAME */, "renamed", 0, 0, 0));
	must(syscall(SYS_kill, getpid(), 0));
	must(syscall(SYS_getppid));
	if (syscall(SYS_fork) == 0) {
		must(syscall(SYS_setsid));
		_exit(0);
	}
	must(wait(NULL));
}

static void flood_action(long count)
{
	while (count-- > 0) {
		int fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0);

		must(fd);
		must(syscall(SYS_close, fd));
	}
}

static pthread_barrier_t all_run;

static void *wait_for_the_end(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&all_run);
	pause();
	return NULL;
}

/* Processes whose threads all end at once. */
static void ends_action(long processes, long threads)
{
	while (processes-- > 0) {
		pid_t pid = (pid_t)must(fork());

		if (pid == 0) {
			pthread_t thread;

			pthread_barrier_init(&all_run, NULL, (unsigned int)threads);
			for (long i = 1; i < threads; i++) {
				if (pthread_create(&thread, NULL, wait_for_the_end, NULL))
					_exit(97);
			}
			pthread_barrier_wait(&all_run);
			_exit(0);
		}
		must(waitpid(pid, NULL, 0));
	}
}

/* Calls with what they expect to be reported, see expect.h; `directory` is empty and the caller's. */
static int expected_action(const char *directory, const char *list)
{
	static void (*const cases[])(const char *) = {file_cases, layer_cases, socket_cases, message_cases, list_cases,
		data_cases, socketcall_cases, compat_cases, compat_process_cases, option_cases, process_cases, execve_cases,
		descriptor_cases, status_cases, wait_cases, identity_cases, key_cases, refused_cases, enter_cases};
	size_t i;
	int status;
	pid_t child;

	expect_begin();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* A child, so that the parent of whoever acts is the leader of its process. */
		must(child = fork());
		if (child == 0) {
			cases[i](directory);
			_exit(0);
		}
		must(waitpid(child, &status, 0));
		if (status)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 90;
	}
	return expect_write(list);
}

int main(int count, char **arguments)
{
	const char *action = count > 1 ? arguments[1] : "";
	const char *argument = count > 2 ? arguments[2] : "";

	alarm(30);
	if (!strcmp(action, "expected") && count > 3)
		return expected_action(argument, arguments[3]);
	if (!strcmp(action, "tracepoints") && count > 2) {
		expect_begin();
		tracepoint_cases();
		return expect_write(argument);
	}
	if (!strcmp(action, "snaplen") && count > 2) {
		expect_begin();
		snaplen_cases();
		payload_cases();
		return expect_write(argument);
	}
	if (!strcmp(action, "open"))
		open_action(argument);
	else if (!strcmp(action, "files"))
		file_action(argument);
	else if (!strcmp(action, "inet"))
		inet_action();
	else if (!strcmp(action, "entries"))
		entries_action(argument);
	else if (!strcmp(action, "big"))
		big_action();
	else if (!strcmp(action, "unix"))
		unix_action(argument);
	else if (!strcmp(action, "process"))
		process_action();
	else if (!strcmp(action, "descriptors"))
		descriptor_action();
	else if (!strcmp(action, "identity"))
		identity_action();
	else if (!strcmp(action, "flood"))
		flood_action(atol(argument));
	else if (!strcmp(action, "race open"))
		racing_open(argument);
	else if (!strcmp(action, "race connect"))
		racing_connect(argument);
	else if (!strcmp(action, "ends") && count > 3)
		ends_action(atol(argument), atol(arguments[3]));
	else if (!strcmp(action, "wait"))
		pause();
	else
		return 98;
	return 0;
}
