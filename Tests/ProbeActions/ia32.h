/* SPDX-License-Identifier: Apache-2.0 */
/* System calls by the 32-bit entry, from a 64-bit program: `int $0x80` with what lies below 4 GiB. */
#ifndef IA32_H
#define IA32_H

#include <stddef.h>
#include <stdint.h>

/* Numbers of asm/unistd_32.h, whose names are those of the other architecture's. */
enum {
	IA32_FORK = 2,
	IA32_WRITE = 4,
	IA32_OPEN = 5,
	IA32_WAITPID = 7,
	IA32_EXECVE = 11,
	IA32_CHOWN = 182,
	IA32_LSEEK = 19,
	IA32_UMOUNT = 22,
	IA32_SETUID = 23,
	IA32_STIME = 25,
	IA32_KILL = 37,
	IA32_PIPE = 42,
	IA32_GETPPID = 64,
	IA32_SETRLIMIT = 75,
	IA32_OLD_MMAP = 90,
	IA32_IPC = 117,
	IA32_LLSEEK = 140,
	IA32_READV = 145,
	IA32_WRITEV = 146,
	IA32_NANOSLEEP = 162,
	IA32_GETRESUID = 165,
	IA32_PWRITE64 = 181,
	IA32_SENDFILE = 187,
	IA32_UGETRLIMIT = 191,
	IA32_MMAP2 = 192,
	IA32_STAT64 = 195,
	IA32_CHOWN32 = 212,
	IA32_SETUID32 = 213,
	IA32_FCNTL64 = 221,
	IA32_SENDFILE64 = 239,
	IA32_OPENAT = 295,
	IA32_FSTATAT64 = 300,
	IA32_PPOLL = 309,
	IA32_PRLIMIT64 = 340,
	IA32_PROCESS_VM_READV = 347,
	IA32_CONNECT = 362,
	IA32_PPOLL_TIME64 = 414,
	IA32_FCHMODAT2 = 452,
};

/* Memory that a 32-bit pointer reaches, zeroed; never given back. */
void *low(size_t count);
void *low_copy(const void *value, size_t count);
uint32_t low_text(const char *text);
static inline uint32_t pointer32(const void *address)
{
	return (uint32_t)(uintptr_t)address;
}

/* The result as the kernel returned it. */
long ia32(long number, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f);
long socketcall(uint32_t code, const uint32_t *words, size_t count);

struct iovec32 {
	uint32_t base, length;
};

struct msghdr32 {
	uint32_t name, name_length, iov, iov_count, control, control_length, flags;
};

struct mmsghdr32 {
	struct msghdr32 header;
	uint32_t length;
};

#endif
