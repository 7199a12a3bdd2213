/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ll
/* How often a paced flood looks at the clock. */
#define TICK_NS 1000000ll

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int traffic_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? errno : 0;
}

static void open_and_close(const char *path)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);

	if (fd >= 0)
		syscall(SYS_close, fd);
}

static void call(char kind, const char *file)
{
	switch (kind) {
	case 'g': syscall(SYS_getppid); break;
	case 'o': open_and_close(file); break;
	default: syscall(SYS_openat, AT_FDCWD, "/nonexistent/falco-bench", O_RDONLY);
	}
}

static void cost(char kind, int batches, int count, const char *file)
{
	for (int index = 0; index < count / 10; index++)
		call(kind, file); /* warm */
	for (int batch = 0; batch < batches; batch++) {
		int64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);

		for (int index = 0; index < count; index++)
			call(kind, file);
		printf("%.2f ", (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / count);
	}
	printf("\n");
}

static void flood(int seconds, long rate, int trickle, const char *file, const char *trickled)
{
	int64_t start = now_ns(CLOCK_MONOTONIC), end = start + seconds * NS_PER_S, next_trickle = start, now = start;
	uint64_t pairs = 0, trickles = 0;

	while (now < end) {
		if (trickle && now >= next_trickle) {
			open_and_close(trickled);
			trickles++;
			next_trickle += NS_PER_S / trickle;
		}
		if (rate == 0) {
			for (int index = 0; index < 64; index++)
				open_and_close(file);
			pairs += 64;
		} else if (rate > 0) {
			/* Whoever was held up catches up: the mean is kept. */
			uint64_t due = (uint64_t)((double)(now - start) / NS_PER_S * (double)rate);

			for (; pairs < due; pairs++)
				open_and_close(file);
		}
		if (rate) {
			struct timespec rest = {.tv_nsec = TICK_NS};

			nanosleep(&rest, NULL);
		}
		now = now_ns(CLOCK_MONOTONIC);
	}
	printf("%llu %llu %.3f\n", (unsigned long long)pairs, (unsigned long long)trickles, (double)(now - start) / NS_PER_S);
}

int traffic_main(int cpu, const char *file, const char *trickled_file)
{
	char line[256], word[32];
	int first, second, third;

	traffic_pin(cpu);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "cost %31s %d %d", word, &first, &second) == 3)
			cost(word[0], first, second, file);
		else if (sscanf(line, "flood %d %d %d", &first, &second, &third) == 3)
			flood(first, second, third, file, trickled_file);
		else
			return 1;
		fflush(stdout);
	}
	return 0;
}
