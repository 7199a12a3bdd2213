/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "linux_shims.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
/* Longer ones go to the C library, whose time is linear whatever the bytes. */
#define LINUX_MEMMEM_BYTES_MAX 4096
#endif

#ifdef __SSE2__
/*
 * First and last byte of the needle are compared at sixteen places at once, the rest only where both fit. The C library's own
 * prepares a table per call, which costs more than to search a path through.
 */
const void *linux_memmem(const void *bytes, size_t count, const void *needle, size_t needle_count)
{
	const unsigned char *at = bytes, *wanted = needle;
	size_t places, place = 0;
	__m128i first, last;

	if (needle_count < 2 || count < needle_count || count > LINUX_MEMMEM_BYTES_MAX)
		return memmem(bytes, count, needle, needle_count);
	places = count - needle_count + 1;
	first = _mm_set1_epi8((char)wanted[0]);
	last = _mm_set1_epi8((char)wanted[needle_count - 1]);
	for (; place + 16 <= places; place += 16) {
		__m128i from = _mm_loadu_si128((const __m128i *)(at + place));
		__m128i to = _mm_loadu_si128((const __m128i *)(at + place + needle_count - 1));
		unsigned int fits =
			(unsigned int)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(from, first), _mm_cmpeq_epi8(to, last)));

		for (; fits; fits &= fits - 1) {
			size_t candidate = place + (size_t)__builtin_ctz(fits);

			if (!memcmp(at + candidate + 1, wanted + 1, needle_count - 2))
				return at + candidate;
		}
	}
	for (; place < places; place++) {
		if (at[place] == wanted[0] && at[place + needle_count - 1] == wanted[needle_count - 1] &&
			!memcmp(at + place + 1, wanted + 1, needle_count - 2))
			return at + place;
	}
	return NULL;
}
#else
const void *linux_memmem(const void *bytes, size_t count, const void *needle, size_t needle_count)
{
	return memmem(bytes, count, needle, needle_count);
}
#endif

const void *linux_memrchr(const void *bytes, int byte, size_t count)
{
	return memrchr(bytes, byte, count);
}

int linux_open(const char *path, int flags, unsigned int mode)
{
	return open(path, flags | O_CLOEXEC, mode);
}

const char *linux_errno_name(int error)
{
	return strerrorname_np(error);
}

uint64_t linux_clock_ns(int clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		return 0;
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

int linux_epoll_create(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

int linux_epoll_add(int epoll, int fd, int edge_triggered, uint64_t token)
{
	struct epoll_event event = {.events = EPOLLIN | (edge_triggered ? EPOLLET : 0), .data.u64 = token};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

#define EPOLL_ROWS_MAX 64

int linux_epoll_wait(int epoll, uint64_t *tokens, int tokens_max, int64_t timeout_ns)
{
	struct epoll_event events[EPOLL_ROWS_MAX];
	struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
	int max = tokens_max < EPOLL_ROWS_MAX ? tokens_max : EPOLL_ROWS_MAX;
	int count;

	count = (int)syscall(SYS_epoll_pwait2, epoll, events, max, timeout_ns < 0 ? NULL : &timeout, NULL, 0);
	if (count < 0 && errno == ENOSYS)
		count = epoll_wait(epoll, events, max, timeout_ns < 0 ? -1 : (int)((timeout_ns + 999999) / 1000000));
	for (int row = 0; row < count; row++)
		tokens[row] = events[row].data.u64;
	return count;
}

int linux_eventfd(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int linux_signalfd(const int *signals, int count)
{
	sigset_t set;

	sigemptyset(&set);
	for (int row = 0; row < count; row++)
		sigaddset(&set, signals[row]);
	errno = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (errno != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int linux_signalfd_read(int fd, int32_t *sender)
{
	struct signalfd_siginfo info;
	ssize_t count;

	do {
		count = read(fd, &info, sizeof(info));
	} while (count < 0 && errno == EINTR);
	if (count == (ssize_t)sizeof(info)) {
		if (sender)
			*sender = (int32_t)info.ssi_pid;
		return (int)info.ssi_signo;
	}
	return count < 0 && errno != EAGAIN ? -1 : 0;
}

int linux_pidfd_open(int pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int linux_interfaces(struct linux_interface *rows, int max)
{
	struct ifaddrs *first;
	int count = 0;

	if (getifaddrs(&first) != 0)
		return -1;
	for (struct ifaddrs *row = first; row; row = row->ifa_next) {
		int family = row->ifa_addr ? row->ifa_addr->sa_family : 0;

		if (family != AF_INET && family != AF_INET6)
			continue;
		if (count < max) {
			struct linux_interface *out = &rows[count];
			const struct sockaddr *parts[3] = {row->ifa_addr, row->ifa_netmask, row->ifa_broadaddr};
			uint8_t *targets[3] = {out->address, out->netmask, out->broadcast};

			memset(out, 0, sizeof(*out));
			strncpy(out->name, row->ifa_name, sizeof(out->name) - 1);
			out->family = family;
			for (int part = 0; part < 3; part++) {
				if (!parts[part])
					continue;
				if (family == AF_INET)
					memcpy(targets[part], &((const struct sockaddr_in *)parts[part])->sin_addr, 4);
				else
					memcpy(targets[part], &((const struct sockaddr_in6 *)parts[part])->sin6_addr, 16);
			}
		}
		count++;
	}
	freeifaddrs(first);
	return count;
}

int linux_memory_file(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC);
}
