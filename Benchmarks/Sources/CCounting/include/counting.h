/* SPDX-License-Identifier: Apache-2.0 */
/* What a benchmark counts besides time. */
#ifndef FALCO_COUNTING_H
#define FALCO_COUNTING_H
#include <stdint.h>

/* Calls of malloc, calloc, realloc and their kin since the start, all threads. */
uint64_t counting_allocations(void);

/* Instructions of this thread in user mode, by the processor's counter. Opens it: 0, or the errno. */
int counting_instructions_open(void);
uint64_t counting_instructions(void);

/* CPU time of this thread. */
uint64_t counting_thread_time_ns(void);

/* Calls `body(context)`. callgrind is told to collect only inside this function. */
void counting_region(void (*body)(void *), void *context);
#endif
