/* SPDX-License-Identifier: Apache-2.0 */
/* What Swift cannot import from glibc or the kernel's headers: GNU functions, macros, variadic calls. */
#ifndef FALCO_LINUX_SHIMS_H
#define FALCO_LINUX_SHIMS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* First occurrence of `needle`, or NULL. An empty needle is found at the start. */
const void *linux_memmem(const void *bytes, size_t count, const void *needle, size_t needle_count);
/* Last occurrence of `byte`, or NULL. */
const void *linux_memrchr(const void *bytes, int byte, size_t count);

/* open(2) without the variadic; always with O_CLOEXEC. -1 and errno on failure. */
int linux_open(const char *path, int flags, unsigned int mode);
/* `EPERM` for 1, NULL for a number without a name. */
const char *linux_errno_name(int error);
/* Nanoseconds of a clock, 0 when the kernel does not have it. */
uint64_t linux_clock_ns(int clock);

/* epoll with a nanosecond timeout (-1: for ever). Where the kernel has no epoll_pwait2, rounded up to milliseconds. */
int linux_epoll_create(void);
int linux_epoll_add(int epoll, int fd, int edge_triggered, uint64_t token);
int linux_epoll_wait(int epoll, uint64_t *tokens, int tokens_max, int64_t timeout_ns);
/* An eventfd: non-blocking, closed on exec. */
int linux_eventfd(void);
/* Blocks the signals in the calling thread (threads made later inherit it); a non-blocking descriptor that reads them. */
int linux_signalfd(const int *signals, int count);
/* The next pending signal's number, 0 when there is none, -1 on failure. `sender` may be NULL. */
int linux_signalfd_read(int fd, int32_t *sender);
int linux_pidfd_open(int pid);
/* A file without a path, in memory; closed on exec. */
int linux_memory_file(const char *name);

/* A child that is forked but waits before its exec. */
struct linux_gated_child {
	int pid;
	int gate; /* write one byte to let it exec; closing it without makes it exit with 127 */
	int failure; /* delivers the errno of a failed exec; end of file after a good one */
};
/* 0, or the errno of what failed. `argv` and `envp` end with NULL; `envp` NULL keeps ours. */
int linux_spawn_gated(char *const *argv, char *const *envp, struct linux_gated_child *child);
/* Opens the gate, closes both descriptors: 0 once the program runs, else the errno of its exec. */
int linux_gate_open(struct linux_gated_child *child);
/* Closes the gate: the child ends without having run anything. */
void linux_gate_abandon(struct linux_gated_child *child);
/* Exit status as a shell shows it (128 + signal when killed); -1 while it runs, -2 on failure (errno). */
int linux_wait_status(int pid, int block);

/* One network interface address after another, for getifaddrs' union of types. family 2 or 10. */
struct linux_interface {
	char name[16];
	int family;
	uint8_t address[16];
	uint8_t netmask[16];
	uint8_t broadcast[16];
};
/* Fills up to `max` rows; returns how many there are, or -1. */
int linux_interfaces(struct linux_interface *rows, int max);
#endif
