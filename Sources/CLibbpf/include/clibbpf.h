/* SPDX-License-Identifier: Apache-2.0 */
/* libbpf for Swift: the parts that need a C callback, a variadic, or an access with memory order. */
#ifndef FALCO_CLIBBPF_H
#define FALCO_CLIBBPF_H
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stddef.h>
#include <stdint.h>

/* Collects what libbpf would print, cut at 64 KiB, instead of writing it to stderr. One loader at a time. */
void probe_log_start(void);
/* Ends the collection; the text stays until the next start. */
const char *probe_log_stop(void);

/* Loads and stores of a ring's positions and record headers, ordered as the kernel's side expects. */
static inline uint64_t ring_load_acquire(const uint64_t *position)
{
	return __atomic_load_n(position, __ATOMIC_ACQUIRE);
}
static inline uint32_t ring_load_header(const uint32_t *header)
{
	return __atomic_load_n(header, __ATOMIC_ACQUIRE);
}
static inline void ring_store_release(uint64_t *position, uint64_t value)
{
	__atomic_store_n(position, value, __ATOMIC_RELEASE);
}
/* The reader announces its sleep and looks once more: the store must be seen before the load that follows. */
static inline void ring_store_asleep(uint32_t *asleep, uint32_t value)
{
	__atomic_store_n(asleep, value, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
static inline void settings_store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* Ring buffer map of `bytes` (a power of two, a multiple of the page size); its descriptor or a negative errno. */
int probe_ring_create(const char *name, uint32_t bytes);
/* Whether the kernel's types (btf__load_vmlinux_btf) have the one that tp_btf programs of this tracepoint attach to. */
int probe_has_tracepoint(const struct btf *kernel, const char *name);
/* Attaches an iterator program and opens its output: a descriptor to read, or a negative errno.
 * At most one of `pid` (a process) and `tid` (a thread) is given; neither: all tasks. */
int probe_iterator_open(struct bpf_program *program, uint32_t pid, uint32_t tid);
/* Attaches a tracepoint program by the tracepoint's id: 0 and the link, or a negative errno. */
int probe_tracepoint_attach(struct bpf_program *program, uint64_t id, struct bpf_link **link);
/* Rows of tail_calls.def: which program goes to which slot of map `exit_table`. */
struct probe_tail_row {
	uint32_t number;
	const char *program;
};
const struct probe_tail_row *probe_tail_rows(uint32_t *count);
/* Value of the object's constant `name` (32 bits), before it is loaded; 0 when it has none. */
uint32_t probe_constant(const struct bpf_object *object, const char *name);
#endif
