/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "counting.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The allocator's own names: ours below stand in front of the public ones for the whole process. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Atomic uint64_t allocations;

static void count(void)
{
	atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

void *malloc(size_t size)
{
	count();
	return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	count();
	return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
	count();
	return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
	count();
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	void *result = memalign(alignment, size);
	if (!result)
		return ENOMEM;
	*memory = result;
	return 0;
}

uint64_t counting_allocations(void)
{
	return atomic_load_explicit(&allocations, memory_order_relaxed);
}

static int instruction_counter = -1;

int counting_instructions_open(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	instruction_counter = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return instruction_counter < 0 ? errno : 0;
}

uint64_t counting_instructions(void)
{
	uint64_t value = 0;
	if (instruction_counter < 0 || read(instruction_counter, &value, sizeof(value)) != (ssize_t)sizeof(value))
		return 0;
	return value;
}

uint64_t counting_thread_time_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((noinline)) void counting_region(void (*body)(void *), void *context)
{
	body(context);
	__asm__ volatile("" ::: "memory"); /* no tail call: the collector has to see the return */
}
