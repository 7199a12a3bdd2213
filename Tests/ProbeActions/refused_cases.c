/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that would change the machine, made so that the kernel refuses them, and signals to nobody. */
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPABILITIES_KNOWN ((1ull << 41) - 1)

static void module_cases(void)
{
	/* On the stack: the kernel refuses the call before it reads, and the probe cannot fault a page in. */
	char data[40] = "AAABAACAADAAEAAFAAGAAHAAIAAJAAKAALAAMAA";
	static const struct {
		const char *label;
		int fd, flags;
	} rows[] = {
		{"finit_moduleX_failure", -1, 3},
		{"finit_moduleX_failure_IGNORE_MODVERSIONS", 99, 1},
		{"finit_moduleX_failure_IGNORE_VERMAGIC", 99, 2},
		{"finit_moduleX_failure_COMPRESSED_FILE", 99, 4},
	};
	size_t i;
	long result;

	expect_case("init_moduleX_failure");
	result = called(syscall(SYS_init_module, data, sizeof(data), data));
	expect_event(0, "init_module");
	number("res", result);
	bytes("img", data, sizeof(data));
	number("length", sizeof(data));
	text("uargs", data);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect_case(rows[i].label);
		result = called(syscall(SYS_finit_module, rows[i].fd, data, rows[i].flags));
		expect_event(0, "finit_module");
		number("res", result);
		number("fd", rows[i].fd);
		text("uargs", data);
		number("flags", rows[i].flags);
	}
	expect_case("delete_moduleX_failure");
	result = called(syscall(SYS_delete_module, "test_module", O_TRUNC | O_NONBLOCK));
	expect_event(0, "delete_module");
	number("res", result);
	text("name", "test_module");
	number("flags", 3);
}

static void kernel_cases(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	long result;

	expect_case("bpfX_invalid_cmd");
	result = called(syscall(SYS_bpf, -1, NULL, 0));
	expect_event(0, "bpf");
	number("fd", result);
	number("cmd", 0xffffffff);
	expect_case("bpfX_MAP_CREATE");
	result = called(syscall(SYS_bpf, 0, NULL, 0));
	expect_event(0, "bpf");
	number("fd", result);
	number("cmd", 0);
	expect_case("capsetX");
	must(syscall(SYS_capget, &header, data));
	result = called(syscall(SYS_capset, NULL, NULL));
	expect_event(0, "capset");
	number("res", result);
	number("cap_inheritable",
		(long long)(((unsigned long long)data[1].inheritable << 32 | data[0].inheritable) & CAPABILITIES_KNOWN));
	number("cap_permitted",
		(long long)(((unsigned long long)data[1].permitted << 32 | data[0].permitted) & CAPABILITIES_KNOWN));
	number("cap_effective",
		(long long)(((unsigned long long)data[1].effective << 32 | data[0].effective) & CAPABILITIES_KNOWN));
	expect_case("setnsX");
	result = called(syscall(SYS_setns, -1, CLONE_NEWCGROUP));
	expect_event(0, "setns");
	number("res", result);
	number("fd", -1);
	number("nstype", 1 << 28);
	expect_case("unshareX");
	result = must(syscall(SYS_unshare, 0));
	expect_event(0, "unshare");
	number("res", result);
	number("flags", 0);
	expect_case("unshare that fails");
	result = called(syscall(SYS_unshare, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_PTRACE));
	expect_event(0, "unshare");
	number("res", result);
	number("flags", 32 | 128 | 16 | 1 << 28 | 1024);
	expect_case("seccompX");
	result = called(syscall(SYS_seccomp, 1, 0, NULL));
	expect_event(0, "seccomp");
	number("res", result);
	number("op", 1);
	number("flags", 0);
}

static void signal_cases(void)
{
	unsigned char zero[9] = {0};
	long result;

	expect_case("killX");
	result = called(syscall(SYS_kill, 0, 0));
	expect_event(0, "kill");
	number("res", result);
	number("pid", 0);
	number("sig", 0);
	expect_case("kill without such a signal");
	result = called(syscall(SYS_kill, getpid(), 100));
	expect_event(0, "kill");
	number("res", result);
	number("pid", getpid());
	number("sig", 100);
	expect_case("tgkillX");
	result = called(syscall(SYS_tgkill, 0, 0, 0));
	expect_event(0, "tgkill");
	number("res", result);
	number("pid", 0);
	number("tid", 0);
	number("sig", 0);
	expect_case("tkill");
	result = called(syscall(SYS_tkill, -1, 3));
	expect_event(0, "tkill");
	number("res", result);
	number("tid", -1);
	number("sig", 3);
	expect_case("ptraceX_failure");
	result = called(syscall(SYS_ptrace, PTRACE_PEEKSIGINFO, -1, 0, 0));
	expect_event(0, "ptrace");
	number("res", result);
	bytes("addr", zero, sizeof(zero));
	bytes("data", zero, sizeof(zero));
	number("request", 23);
	number("pid", -1);
}

static void memory_cases(void)
{
	long result;

	expect_case("mmapX");
	result = called(syscall(SYS_mmap, NULL, 4096, PROT_EXEC | PROT_READ, MAP_SHARED, -1, 1023));
	expect_event(0, "mmap");
	number("res", result);
	width("vm_size", 4);
	width("vm_rss", 4);
	width("vm_swap", 4);
	number("addr", 0);
	number("length", 4096);
	number("prot", 5);
	number("flags", 1);
	number("fd", -1);
	number("offset", 1023);
	expect_case("mprotectX");
	result = called(syscall(SYS_mprotect, 1, 4096, PROT_EXEC | PROT_READ));
	expect_event(0, "mprotect");
	number("res", result);
	number("addr", 1);
	number("length", 4096);
	number("prot", 5);
	expect_case("munmapX");
	result = called(syscall(SYS_munmap, 1023, 1024));
	expect_event(0, "munmap");
	number("res", result);
	width("vm_size", 4);
	width("vm_rss", 4);
	width("vm_swap", 4);
	number("addr", 1023);
	number("length", 1024);
}

/* A session of its own: its leader's number is the result. */
static void session_case(void)
{
	long child;
	int status;

	expect_case("setsid");
	child = must(syscall(SYS_fork));
	if (!child)
		_exit(syscall(SYS_setsid) == getpid() ? 0 : 91);
	must(waitpid((pid_t)child, &status, 0));
	expect_event(child, "setsid");
	number("res", child);
}

void refused_cases(const char *directory)
{
	(void)directory;
	module_cases();
	kernel_cases();
	signal_cases();
	memory_cases();
	session_case();
}
