/* SPDX-License-Identifier: Apache-2.0 */
/* The 32-bit entry: memory, limits, ids, times, processes, and calls without an event of their own. */
#define _GNU_SOURCE
#include "expect.h"
#include "ia32.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MINUS_ONE ((uint32_t)-1)

static void memory_calls(void)
{
	uint32_t *old = low_copy(((const uint32_t[]){0, 4096, 3, 0x22, MINUS_ONE, 0}), 24);
	long result;

	expect_case("ia32 mmap by a structure");
	result = ia32(IA32_OLD_MMAP, pointer32(old), 0, 0, 0, 0, 0);
	expect_event(0, "mmap");
	number("res", result);
	number("addr", 0);
	number("length", 4096);
	number("prot", 3);
	number("flags", 2 | 8);
	number("fd", -1);
	number("offset", 0);
	/* Today's Falco names calls of 32-bit callers by their 64-bit relatives: mmap2, _llseek, umount are mmap, lseek, umount2.
	 */
	expect_case("mmap2X");
	result = ia32(IA32_MMAP2, 0, 0, 0, 1, MINUS_ONE, 0);
	expect_event(0, "mmap");
	number("res", result);
	other_than("vm_size", 0);
	other_than("vm_rss", 0);
	width("vm_swap", 4);
	number("addr", 0);
	number("length", 0);
	number("prot", 0);
	number("flags", 1);
	number("fd", -1);
	number("offset", 0);
	expect_case("ia32 mmap2");
	result = ia32(IA32_MMAP2, 0, 4096, 1, 2, (uint32_t)-5, 0x100001);
	expect_event(0, "mmap");
	number("res", result);
	number("fd", -5);
	number("offset", 0x100001000ll);
}

static void limit_calls(void)
{
	uint32_t *pair = low_copy(((const uint32_t[]){0, MINUS_ONE}), 8), *other = low(8), one = pointer32(low(2)),
		 two = pointer32(low(2));
	uint64_t wide[2] = {0, (uint64_t)-1};
	uint32_t polled, row;
	int ends[2];
	long result;

	expect_case("ia32 setrlimit");
	must(ia32(IA32_SETRLIMIT, 4 /* core */, pointer32(pair), 0, 0, 0, 0));
	expect_event(0, "setrlimit");
	number("cur", 0);
	number("max", -1);
	number("resource", 4);
	for (row = 0; row < 2; row++) {
		expect_case(row ? "ugetrlimitX_failure" : "ugetrlimitX_success");
		result = ia32(IA32_UGETRLIMIT, row ? MINUS_ONE : 6, pointer32(other), 0, 0, 0, 0);
		expect_event(0, "getrlimit");
		number("res", row ? result : 0);
		number("cur", row || other[0] == MINUS_ONE ? -1 : (long long)other[0]);
		number("max", row || other[1] == MINUS_ONE ? -1 : (long long)other[1]);
		number("resource", row ? 255 : 6);
	}
	expect_case("ia32 ugetrlimit");
	must(ia32(IA32_UGETRLIMIT, 4, pointer32(other), 0, 0, 0, 0));
	expect_event(0, "getrlimit");
	number("res", 0);
	number("cur", 0);
	number("max", other[1] == MINUS_ONE ? -1 : (long long)other[1]);
	number("resource", 4);
	expect_case("ia32 prlimit64");
	must(ia32(IA32_PRLIMIT64, (uint32_t)getpid(), 4, pointer32(low_copy(wide, sizeof(wide))), 0, 0, 0));
	expect_event(0, "prlimit");
	number("res", 0);
	number("newcur", 0);
	number("newmax", -1);
	number("pid", getpid());

	expect_case("ia32 setuid of 16 bits");
	result = ia32(IA32_SETUID, 0x70000 | getuid(), 0, 0, 0, 0, 0);
	expect_event(0, "setuid");
	number("res", result);
	number("uid", getuid());
	expect_case("ia32 setuid32");
	must(ia32(IA32_SETUID32, getuid(), 0, 0, 0, 0, 0));
	expect_event(0, "setuid");
	number("res", 0);
	number("uid", getuid());
	expect_case("ia32 getresuid of 16 bits");
	must(ia32(IA32_GETRESUID, one, two, pointer32(low(2)), 0, 0, 0));
	expect_event(0, "getresuid");
	number("ruid", *(uint16_t *)(uintptr_t)one);
	number("euid", *(uint16_t *)(uintptr_t)two);

	expect_case("ia32 nanosleep");
	must(ia32(IA32_NANOSLEEP, pointer32(low_copy(((const int32_t[]){0, 1000}), 8)), 0, 0, 0, 0, 0));
	expect_event(0, "nanosleep");
	number("res", 0);
	number("interval", 1000);
	/* What is left of the time is written back, so that it can only be near. */
	must(pipe(ends));
	polled = pointer32(low_copy(&(struct pollfd){ends[1], POLLOUT, 0}, sizeof(struct pollfd)));
	expect_case("ia32 ppoll");
	must(ia32(IA32_PPOLL, polled, 1, pointer32(low_copy(((const int32_t[]){100, 0}), 8)), 0, 0, 0));
	expect_event(0, "ppoll");
	number("res", 1);
	near("timeout", 100000000000ll, 5000000000ll);
	expect_case("ia32 ppoll_time64");
	must(ia32(IA32_PPOLL_TIME64, polled, 1, pointer32(low_copy(((const int64_t[]){100, 0}), 16)), 0, 0, 0));
	expect_event(0, "ppoll");
	number("res", 1);
	near("timeout", 100000000000ll, 5000000000ll);
	close(ends[0]);
	close(ends[1]);
}

/* A program of 32 bits, written here: it opens a file that is not there and exits with 42. */
static void write_program(const char *path)
{
	enum { BASE = 0x08048000, NAME_AT = 27 };
	static const unsigned char code[] = {0xb8, 5, 0, 0, 0, /* mov eax, open */
		0xbb, 0, 0, 0, 0, /* mov ebx, name */
		0x31, 0xc9, /* xor ecx, ecx */
		0xcd, 0x80, /* int 0x80 */
		0xb8, 1, 0, 0, 0, /* mov eax, exit */
		0xbb, 42, 0, 0, 0, /* mov ebx, 42 */
		0xcd, 0x80, /* int 0x80 */
		0x90};
	static const char name[] = "/nonexistent/narrow";
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
		unsigned char code[NAME_AT];
		char name[sizeof(name)];
	} program = {0};
	uint32_t address = BASE + (uint32_t)offsetof(typeof(program), name);
	int fd = (int)must(open(path, O_CREAT | O_WRONLY, 0700));

	memcpy(program.header.e_ident, ELFMAG, SELFMAG);
	program.header.e_ident[EI_CLASS] = ELFCLASS32;
	program.header.e_ident[EI_DATA] = ELFDATA2LSB;
	program.header.e_ident[EI_VERSION] = EV_CURRENT;
	program.header.e_type = ET_EXEC;
	program.header.e_machine = EM_386;
	program.header.e_version = EV_CURRENT;
	program.header.e_entry = BASE + (uint32_t)offsetof(typeof(program), code);
	program.header.e_phoff = (uint32_t)offsetof(typeof(program), segment);
	program.header.e_ehsize = sizeof(program.header);
	program.header.e_phentsize = sizeof(program.segment);
	program.header.e_phnum = 1;
	program.segment = (Elf32_Phdr){.p_type = PT_LOAD,
		.p_vaddr = BASE,
		.p_paddr = BASE,
		.p_filesz = sizeof(program),
		.p_memsz = sizeof(program),
		.p_flags = PF_R | PF_X,
		.p_align = 4096};
	memcpy(program.code, code, sizeof(code));
	memcpy(program.code + 6, &address, sizeof(address));
	memcpy(program.name, name, sizeof(name));
	must(write(fd, &program, sizeof(program)));
	close(fd);
}

static void program_case(const char *directory)
{
	char path[200], *arguments[] = {"thirty-two", "bits", NULL}, *environment[] = {"WIDTH=32", NULL};
	int status;
	long pid;

	snprintf(path, sizeof(path), "%s/program", directory);
	write_program(path);
	expect_case("a program of 32 bits");
	must(pid = syscall(SYS_fork));
	if (!pid) {
		syscall(SYS_execve, path, arguments, environment);
		_exit(93);
	}
	must(waitpid((pid_t)pid, &status, 0));
	must(WIFEXITED(status) && WEXITSTATUS(status) == 42 ? 0 : -1);
	expect_event(pid, "execve");
	number("res", 0);
	text("exe", "thirty-two");
	bytes("args", "bits", 5);
	bytes("env", "WIDTH=32", 9);
	text("filename", path);
	text("trusted_exepath", path);
	expect_event(pid, "open");
	number("fd", -ENOENT);
	text("name", "/nonexistent/narrow");
	expect_event(pid, "procexit");
	number("ret", 42);
	unlink(path);
}

static void process_calls(void)
{
	uint32_t arguments[] = {low_text("narrow"), low_text("first"), low_text("second"), 0};
	uint32_t environment[] = {low_text("A=1"), low_text("B=2"), 0};
	long pid, result;

	expect_case("ia32 execve that fails");
	result = ia32(IA32_EXECVE, low_text("/nonexistent/program"), pointer32(low_copy(arguments, sizeof(arguments))),
		pointer32(low_copy(environment, sizeof(environment))), 0, 0, 0);
	expect_event(0, "execve");
	number("res", -ENOENT);
	number("res", result);
	text("exe", "narrow");
	bytes("args", "first\0second", 13);
	bytes("env", "A=1\0B=2", 8);
	text("filename", "/nonexistent/program");

	expect_case("ia32 fork");
	must(pid = ia32(IA32_FORK, 0, 0, 0, 0, 0, 0));
	if (!pid)
		_exit(0);
	waitpid((pid_t)pid, NULL, 0);
	expect_event(0, "fork");
	number("res", pid);
	expect_event(pid, "fork");
	number("res", 0);
	number("ptid", getpid());

	expect_case("ia32 kill");
	must(ia32(IA32_KILL, (uint32_t)getpid(), 0, 0, 0, 0, 0));
	expect_event(0, "kill");
	number("res", 0);
	number("pid", getpid());
	number("sig", 0);
}

/* Calls that have no event of their own. */
static void generic_calls(void)
{
	uint32_t own = (uint32_t)getpid();
	long result;

	expect_case("ia32 getppid is getppid");
	must(ia32(IA32_GETPPID, 0, 0, 0, 0, 0, 0));
	expect_event(0, "syscall");
	number("ID", 41);
	number("nativeID", SYS_getppid);
	expect_case("ia32 waitpid has no 64-bit relative");
	result = ia32(IA32_WAITPID, own, 0, 0, 0, 0, 0);
	must(result == -ECHILD ? 0 : -1);
	expect_event(0, "syscall");
	number("ID", 293);
	number("nativeID", IA32_WAITPID);
	expect_case("ia32 ipc semget");
	result = ia32(IA32_IPC, 2, 0x7fffff01, MINUS_ONE, 0, 0, 0);
	expect_event(0, "semget");
	number("res", result);
	number("key", 0x7fffff01);
	number("nsems", -1);
	expect_case("ia32 ipc semop");
	result = ia32(IA32_IPC, 1, MINUS_ONE, 1, 0, pointer32(low_copy(((const int16_t[]){3, -2, 04000}), 6)), 0);
	expect_event(0, "semop");
	number("res", result);
	number("nsops", 1);
	number("sem_num_0", 3);
	bits("sem_op_0", 0xfffe, 0xffff);
	number("sem_flg_0", 1);
	expect_case("ia32 number from 424 on");
	result = ia32(IA32_FCHMODAT2, MINUS_ONE, 0, 0, 0, 0, 0);
	expect_event(0, "syscall");
	number("nativeID", 452);
	/* Numbers that nobody answers to are no events, nor counted as lost. */
	expect_case("ia32 number 17, break");
	must(ia32(17, 0, 0, 0, 0, 0, 0) == -ENOSYS ? 0 : -1);
	expect_nothing();
	expect_case("ia32 number 500");
	must(ia32(500, 0, 0, 0, 0, 0, 0) == -ENOSYS ? 0 : -1);
	expect_nothing();
	expect_case("ia32 number 0x40000005");
	must(ia32(0x40000005, 0, 0, 0, 0, 0, 0) == -ENOSYS ? 0 : -1);
	expect_nothing();
	expect_case("the end");
}

void compat_process_cases(const char *directory)
{
	memory_calls();
	limit_calls();
	process_calls();
	program_case(directory);
	generic_calls();
}
