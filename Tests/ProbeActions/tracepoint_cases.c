/* SPDX-License-Identifier: Apache-2.0 */
/* What is told only when a rule asks for it: signals that arrive, the end of a turn on the CPU, page faults. */
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

/* Of pf_flags in flags.def. */
#define NOT_PRESENT 2
#define WRITE_ACCESS 4
#define USER 16
#define SUPERVISOR 32

static void nothing(int signal)
{
	(void)signal;
}

static void signal_case(const char *label, int number_of_signal, long sender)
{
	expect_case(label);
	must(syscall(SYS_kill, getpid(), number_of_signal));
	expect_event(0, "signaldeliver");
	number("spid", sender);
	number("dpid", getpid());
	number("sig", number_of_signal);
}

static void signal_cases(void)
{
	static const int caught[] = {SIGUSR1, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
	size_t i;
	long child;

	for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		signal(caught[i], nothing);
	signal_case("signal_deliver", SIGUSR1, 0);
	/* Who sent it is told of the signals that end programs, of SIGCHLD and of the real-time ones. */
	signal_case("signal_deliver of SIGTERM", SIGTERM, getpid());
	signal_case("signal_deliver of SIGQUIT", SIGQUIT, getpid());
	signal(SIGRTMIN, nothing);
	signal_case("signal_deliver of a real-time signal", SIGRTMIN, getpid());
	expect_case("signal_deliver of SIGCHLD");
	child = must(syscall(SYS_fork));
	if (!child)
		_exit(0);
	must(syscall(SYS_wait4, child, NULL, 0, NULL));
	expect_event(0, "signaldeliver");
	number("spid", child);
	number("dpid", getpid());
	number("sig", SIGCHLD);
}

static void page_fault(const void *address, long long flags)
{
	expect_event(0, "page_fault");
	number("addr", (long long)(uintptr_t)address);
	width("ip", 8);
	number("error", flags);
}

static void fault_cases(void)
{
	volatile char *pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = (int)must(open("/dev/zero", O_RDONLY));

	madvise((void *)pages, 4 * PAGE, MADV_NOHUGEPAGE);
	errno = 0;
	/* Once before it counts, so that nothing else of this code is still missing. */
	pages[0] = 1;
	expect_case("page_fault_user");
	pages[PAGE + 7] = 1;
	page_fault((const void *)(pages + PAGE + 7), NOT_PRESENT | WRITE_ACCESS | USER);
	/* The kernel writes where the caller told it to. */
	must(syscall(SYS_read, zero, pages, 1));
	expect_case("page_fault_kernel");
	must(syscall(SYS_read, zero, pages + 2 * PAGE, 1));
	page_fault((const void *)(pages + 2 * PAGE), NOT_PRESENT | WRITE_ACCESS | SUPERVISOR);
	close(zero);
}

static void switch_case(void)
{
	struct timespec moment = {0, 2000000};

	expect_case("sched_switch");
	must(syscall(SYS_nanosleep, &moment, NULL));
	expect_event(0, "switch");
	width("next", 8);
	width("pgft_maj", 8);
	width("pgft_min", 8);
	width("vm_size", 4);
	width("vm_rss", 4);
	width("vm_swap", 4);
}

void tracepoint_cases(void)
{
	fault_cases(); /* before anything forks: what is copied on write would fault as well */
	signal_cases();
	switch_case();
}
