/* SPDX-License-Identifier: Apache-2.0 */
/* What a process is and may: identities, limits, memory, and calls of which only the name is told. */
#define _GNU_SOURCE
#include "case.h"
#include "ia32.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define IA32_UGETRLIMIT 191

static void id_cases(void)
{
	unsigned real, effective, saved;
	long child;
	int status;

	CASE("getuidX", "getuid", "uid", syscall(SYS_getuid));
	CASE("geteuidX", "geteuid", "euid", syscall(SYS_geteuid));
	CASE("getgidX", "getgid", "gid", syscall(SYS_getgid));
	CASE("getegidX", "getegid", "egid", syscall(SYS_getegid));
	CASE("getresuidX", "getresuid", "res", must(syscall(SYS_getresuid, &real, &effective, &saved)));
	number("ruid", real);
	number("euid", effective);
	number("suid", saved);
	CASE("getresgidX", "getresgid", "res", must(syscall(SYS_getresgid, &real, &effective, &saved)));
	number("rgid", real);
	number("egid", effective);
	number("sgid", saved);
	CASE("setpgidX", "setpgid", "res", syscall(SYS_setpgid, -1, -2));
	number("pid", -1);
	number("pgid", -2);
	CASE("setreuidX", "setreuid", "res", must(syscall(SYS_setreuid, -1, -1)));
	number("ruid", 0xffffffff);
	number("euid", 0xffffffff);
	CASE("setregidX", "setregid", "res", must(syscall(SYS_setregid, -1, -1)));
	number("rgid", 0xffffffff);
	number("egid", 0xffffffff);
	CASE("tkillX", "tkill", "res", syscall(SYS_tkill, 0, 0));
	number("tid", 0);
	number("sig", 0);
	CASE("pidfd_getfdX", "pidfd_getfd", "fd", syscall(SYS_pidfd_getfd, -1, -1, 1));
	number("pid_fd", -1);
	number("target_fd", -1);
	number("flags", 1);
	expect_case("setsidX");
	child = must(syscall(SYS_fork));
	if (!child)
		_exit(syscall(SYS_setsid) == getpid() ? 0 : 91);
	must(waitpid((pid_t)child, &status, 0));
	if (status)
		_exit(91);
	expect_event(child, "setsid");
	number("res", child);
}

static void limit(long long current, long long maximum, long long resource)
{
	number("cur", current);
	number("max", maximum);
	number("resource", resource);
}

static void limit_cases(void)
{
	struct rlimit given = {50, 10020}, now = {0}, before = {0};
	uint32_t *narrow = low(8);
	long result;

	expect_case("getrlimitX_success");
	must(syscall(SYS_getrlimit, RLIMIT_NPROC, &now));
	expect_event(0, "getrlimit");
	number("res", 0);
	limit((long long)now.rlim_cur, (long long)now.rlim_max, 6);
	CASE("getrlimitX_wrong_resource", "getrlimit", "res", syscall(SYS_getrlimit, -1, &now));
	limit(-1, -1, 255);
	CASE("getrlimitX_null_rlimit_pointer", "getrlimit", "res", syscall(SYS_getrlimit, RLIMIT_NOFILE, NULL));
	limit(-1, -1, 7);
	CASE("setrlimitX_null_rlimit_pointer", "setrlimit", "res", syscall(SYS_setrlimit, RLIMIT_NOFILE, NULL));
	limit(0, 0, 7);
	CASE("setrlimitX_wrong_resource", "setrlimit", "res", syscall(SYS_setrlimit, -1, &given));
	limit(50, 10020, 255);
	CASE("setrlimitX_success", "setrlimit", "res", must(syscall(SYS_setrlimit, RLIMIT_MEMLOCK, &given)));
	limit(50, 10020, 8);
	expect_case("prlimit64X_success");
	must(syscall(SYS_getrlimit, RLIMIT_NOFILE, &now));
	result = must(syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, &now, &before));
	expect_event(0, "prlimit");
	number("res", result);
	number("newcur", (long long)now.rlim_cur);
	number("newmax", (long long)now.rlim_max);
	number("oldcur", (long long)before.rlim_cur);
	number("oldmax", (long long)before.rlim_max);
	number("pid", getpid());
	number("resource", 7);
	CASE("prlimit64X_failure", "prlimit", "res", syscall(SYS_prlimit64, -1, RLIMIT_RSS, NULL, NULL));
	number("newcur", 0);
	number("newmax", 0);
	number("oldcur", -1);
	number("oldmax", -1);
	number("pid", -1);
	number("resource", 5);
	/* By the 32-bit entry, which alone has this call. */
	expect_case("ugetrlimitX_success");
	must(ia32(IA32_UGETRLIMIT, RLIMIT_NPROC, pointer32(narrow), 0, 0, 0, 0));
	expect_event(0, "getrlimit");
	number("res", 0);
	limit(narrow[0] == 0xffffffff ? -1 : (long long)narrow[0], narrow[1] == 0xffffffff ? -1 : (long long)narrow[1], 6);
	expect_case("ugetrlimitX_failure");
	result = ia32(IA32_UGETRLIMIT, (uint32_t)-1, pointer32(narrow), 0, 0, 0, 0);
	expect_event(0, "getrlimit");
	number("res", result);
	limit(-1, -1, 255);
}

static void memory_cases(void)
{
	void *address = NULL;

	CASE("brkX", "brk", "res", syscall(SYS_brk, 0));
	width("vm_size", 4);
	width("vm_rss", 4);
	width("vm_swap", 4);
	number("addr", 0);
	CASE("mlockX", "mlock", "res", syscall(SYS_mlock, address, 4096));
	number("addr", 0);
	number("len", 4096);
	CASE("mlock2X", "mlock2", "res", syscall(SYS_mlock2, address, 4, 1 /* MLOCK_ONFAULT */));
	number("addr", 0);
	number("len", 4);
	number("flags", 1);
	CASE("munlockX", "munlock", "res", syscall(SYS_munlock, address, 37));
	number("addr", 0);
	number("len", 37);
	CASE("mlockallX", "mlockall", "res", syscall(SYS_mlockall, MCL_FUTURE | 4 /* MCL_ONFAULT */));
	number("flags", 6);
	CASE("munlockallX", "munlockall", "res", must(syscall(SYS_munlockall)));
}

static char there[10] = "QWERTYUIO";

static void other_memory_cases(void)
{
	char here[16] = "";
	struct iovec local = {here, sizeof(here)}, remote = {there, sizeof(there)}, out = {there, sizeof(there)};
	long child;

	CASE("process_vm_readvX_failure", "process_vm_readv", "res",
		syscall(SYS_process_vm_readv, getpid(), NULL, 7l, NULL, 7l, 0l));
	number("pid", getpid());
	empty("data");
	CASE("process_vm_writevX_failure", "process_vm_writev", "res",
		syscall(SYS_process_vm_writev, getpid(), 0x41414141l, 0l, 0x42424242l, 0l, 0l));
	number("pid", getpid());
	empty("data");
	child = must(syscall(SYS_fork));
	if (!child) {
		pause();
		_exit(0);
	}
	CASE("process_vm_readvX_success", "process_vm_readv", "res",
		must(syscall(SYS_process_vm_readv, child, &local, 1l, &remote, 1l, 0l)));
	number("pid", child);
	text("data", "QWERTYUIO");
	CASE("process_vm_writevX_success", "process_vm_writev", "res",
		must(syscall(SYS_process_vm_writev, child, &out, 1l, &remote, 1l, 0l)));
	number("pid", child);
	text("data", "QWERTYUIO");
	must(kill((pid_t)child, SIGKILL));
	must(waitpid((pid_t)child, NULL, 0));
}

static void nameless(const char *label, long call, long code)
{
	expect_case(label);
	syscall(call, 0, 0, 0);
	expect_event(0, "syscall");
	number("ID", code);
	number("nativeID", call);
}

static void nameless_cases(void)
{
	nameless("genericX", SYS_uname, 67);
	nameless("clock_gettime_X", SYS_clock_gettime, 176);
	nameless("getcpu_X", SYS_getcpu, 217);
	nameless("gettimeofday_X", SYS_gettimeofday, 47);
	nameless("time_X", SYS_time, 11);
}

void identity_cases(const char *directory)
{
	(void)directory;
	id_cases();
	memory_cases();
	limit_cases();
	other_memory_cases();
	nameless_cases();
}
