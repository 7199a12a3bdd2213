/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's tracing directory, mounted or not. */
#ifndef FALCO_TRACEFS_H
#define FALCO_TRACEFS_H
#include <stdint.h>

/*
 * A descriptor of the root of tracefs: where it is mounted, else of a mount of our own that is attached nowhere, so that
 * nobody else sees it and it goes with the descriptor (Linux 5.2, CAP_SYS_ADMIN). -1 and errno on failure.
 */
int linux_tracefs_open(void);
/* The id of a tracepoint, `syscalls/sys_enter_openat`, as perf_event_open takes it; 0 and errno on failure. */
uint64_t linux_tracepoint_id(int tracefs, const char *name);
#endif
