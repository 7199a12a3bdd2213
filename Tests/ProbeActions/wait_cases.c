/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for something: descriptors, time, signals, semaphores, rings. */
#define _GNU_SOURCE
#include "case.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define CLOEXEC 4096 /* as file_flags in flags.def */
#define NONBLOCK 64
#define MANY 100 /* polled descriptors, of which the first POLLED are told */
#define POLLED 64

/* A list of descriptors: how many, then each with its flags. */
static void descriptor_list(const char *parameter, const struct pollfd *descriptors, unsigned count, uint16_t flags)
{
	static unsigned char list[2 + 10 * MANY];
	uint16_t head = (uint16_t)count;
	unsigned i;

	memcpy(list, &head, 2);
	for (i = 0; i < count; i++) {
		int64_t fd = descriptors[i].fd;

		memcpy(list + 2 + 10 * i, &fd, 8);
		memcpy(list + 10 + 10 * i, &flags, 2);
	}
	bytes(parameter, list, 2 + 10 * count);
}

static void poll_cases(void)
{
	static struct pollfd many[MANY];
	struct pollfd two[2] = {{.fd = -10, .events = POLLWRBAND}, {.fd = -10, .events = POLLWRBAND}};
	int i;

	CASE("pollX_success", "poll", "res", must(syscall(SYS_poll, two, 2, 0)));
	descriptor_list("fds", two, 2, 0);
	number("timeout", 0);
	CASE("ppollX", "ppoll", "res", syscall(SYS_ppoll, NULL, 5, NULL, NULL, 8));
	descriptor_list("fds", NULL, 0, 0);
	number("timeout", 0);
	number("sigmask", 0);
	for (i = 0; i < MANY; i++)
		many[i] = (struct pollfd){.fd = 1000 + i, .events = POLLIN};
	CASE("poll of many", "poll", "res", must(syscall(SYS_poll, many, MANY, 0)));
	descriptor_list("fds", many, POLLED, 64 /* nobody has these open */);
	CASE("selectX", "select", "res", syscall(SYS_select, -1, NULL, NULL, NULL, NULL));
	CASE_FD("epoll_createX", "epoll_create", "res", must(syscall(SYS_epoll_create, 1024)));
	number("size", 1024);
	CASE_FD("epoll_create1X", "epoll_create1", "res", must(syscall(SYS_epoll_create1, 0)));
	number("flags", 0);
	CASE("epoll_waitX", "epoll_wait", "res", syscall(SYS_epoll_wait, -1, NULL, -1, 0));
	number("maxevents", -1);
}

static void maker_cases(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	CASE_FD("eventfd2X_success", "eventfd2", "res", must(syscall(SYS_eventfd2, 3, EFD_NONBLOCK | EFD_CLOEXEC)));
	number("flags", NONBLOCK | CLOEXEC);
	number("initval", 3);
	CASE_FD("eventfd2X_failure", "eventfd2", "res", syscall(SYS_eventfd2, 25, -1));
	number("flags", 0);
	number("initval", 25);
	CASE_FD("eventfdX", "eventfd", "res", must(syscall(SYS_eventfd, 3)));
	number("initval", 3);
	number("flags", 0);
	CASE_FD("inotify_init1X_success", "inotify_init1", "res", must(syscall(SYS_inotify_init1, IN_NONBLOCK | IN_CLOEXEC)));
	number("flags", NONBLOCK | CLOEXEC);
	CASE_FD("inotify_init1X_failure", "inotify_init1", "res", syscall(SYS_inotify_init1, 15));
	number("flags", 0);
	CASE_FD("inotify_initX", "inotify_init", "res", must(syscall(SYS_inotify_init)));
	number("flags", 0);
	CASE("signalfd4X", "signalfd4", "res", syscall(SYS_signalfd4, -1, &signals, 0, SFD_NONBLOCK | SFD_CLOEXEC));
	number("flags", NONBLOCK | CLOEXEC);
	number("fd", -1);
	number("mask", 0);
	CASE("signalfdX", "signalfd", "res", syscall(SYS_signalfd, -1, &signals, 0));
	number("fd", -1);
	number("mask", 0);
	number("flags", 0);
	CASE("timerfd_createX", "timerfd_create", "res", syscall(SYS_timerfd_create, -1, -1));
	number("clockid", 255);
	number("flags", 0);
}

static void time_cases(void)
{
	static uint32_t word;

	CASE("nanosleepX", "nanosleep", "res", syscall(SYS_nanosleep, NULL, NULL));
	number("interval", 0);
	CASE("futexX", "futex", "res", syscall(SYS_futex, &word, FUTEX_PRIVATE_FLAG, 7, NULL, NULL, 0));
	number("addr", (long long)(uintptr_t)&word);
	number("op", 128);
	number("val", 7);
}

static void ring_cases(void)
{
	struct io_uring_params given = {.sq_entries = 5,
		.cq_entries = 6,
		.flags = IORING_SETUP_SQ_AFF,
		.sq_thread_cpu = 7,
		.sq_thread_idle = 8,
		.features = IORING_FEAT_NODROP};
	void *argument = (void *)0x7fff5694dc58;

	CASE_FD("io_uring_setupX", "io_uring_setup", "res", syscall(SYS_io_uring_setup, 4, &given));
	number("entries", 4);
	number("sq_entries", given.sq_entries);
	number("cq_entries", given.cq_entries);
	number("flags", 8);
	number("sq_thread_cpu", given.sq_thread_cpu);
	number("sq_thread_idle", given.sq_thread_idle);
	number("features", 2);
	CASE_FD("io_uring_setupX_with_NULL_pointer", "io_uring_setup", "res", syscall(SYS_io_uring_setup, 4, NULL));
	number("entries", 4);
	number("sq_entries", 0);
	number("cq_entries", 0);
	number("flags", 0);
	number("sq_thread_cpu", 0);
	number("sq_thread_idle", 0);
	number("features", 0);
	CASE("io_uring_enterX", "io_uring_enter", "res",
		syscall(SYS_io_uring_enter, -1, 10, 20, 8 /* IORING_ENTER_EXT_ARG */, NULL, 7l));
	number("fd", -1);
	number("to_submit", 10);
	number("min_complete", 20);
	number("flags", 8);
	number("sig", 0);
	CASE("io_uring_registerX", "io_uring_register", "res",
		syscall(SYS_io_uring_register, -1, IORING_REGISTER_RESTRICTIONS, argument, 34));
	number("fd", -1);
	number("opcode", 11);
	number("arg", (long long)(uintptr_t)argument);
	number("nr_args", 34);
}

static void operations(
	long long count, struct sembuf first, long long first_flags, struct sembuf second, long long second_flags, long long set)
{
	number("nsops", count);
	number("sem_num_0", first.sem_num);
	number("sem_op_0", first.sem_op);
	number("sem_flg_0", first_flags);
	number("sem_num_1", second.sem_num);
	number("sem_op_1", second.sem_op);
	number("sem_flg_1", second_flags);
	number("semid", set);
}

static void semaphore_cases(void)
{
	struct sembuf none = {0}, two[2] = {{1, 7, SEM_UNDO}, {0, 2, IPC_NOWAIT}}, one = {0, 3, SEM_UNDO};
	long set;

	CASE("semgetX", "semget", "res", syscall(SYS_semget, 0, -1, IPC_CREAT));
	number("key", 0);
	number("nsems", -1);
	number("semflg", 8192);
	CASE("semctlX", "semctl", "res", syscall(SYS_semctl, -1, 0, SETVAL, 1));
	number("semid", -1);
	number("semnum", 0);
	number("cmd", 4096);
	number("val", 1);
	CASE("semopX_null_pointer", "semop", "res", syscall(SYS_semop, -1, NULL, 12));
	operations(12, none, 0, none, 0, -1);
	/* A set of our own, which nobody finds by a key. */
	set = must(syscall(SYS_semget, IPC_PRIVATE, 2, 0600 | IPC_CREAT));
	/* More operations than the kernel takes: it read none of them. */
	CASE("semopX_wrong_nops", "semop", "res", syscall(SYS_semop, set, &one, (size_t)-1));
	operations(0xffffffffll, none, 0, none, 0, set);
	CASE("semopX_1_operation", "semop", "res", must(syscall(SYS_semop, set, &one, 1)));
	operations(1, one, 2, none, 0, set);
	CASE("semopX_2_operation", "semop", "res", must(syscall(SYS_semop, set, two, 2)));
	operations(2, two[0], 2, two[1], 1, set);
	must(syscall(SYS_semctl, set, 0, IPC_RMID, 0));
}

void wait_cases(const char *directory)
{
	(void)directory;
	poll_cases();
	maker_cases();
	time_cases();
	ring_cases();
	semaphore_cases();
}
