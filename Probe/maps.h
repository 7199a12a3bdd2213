/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Every map of the probe; the agent knows them by these names. */
#ifndef PROBE_MAPS_H
#define PROBE_MAPS_H

/* A system call as x86-64 numbers and passes it, whoever made it. */
struct syscall_registers {
	u64 di, si, dx, r10, r8, r9;
	u32 number; /* as in probe_abi.h */
	u32 native; /* as the caller gave it */
};

/* A list of 1024 messages with 1024 empty parts each must not hold the CPU: a call is worth this many runs (hooks/rw.h). */
#define IOVEC_RUNS_MAX 1024

/* How a caller lays out what its arguments point to. */
enum call_layout {
	LAYOUT_32 = 1, /* pointers and longs of 32 bits */
	LAYOUT_TIME32 = 2, /* seconds too */
	LAYOUT_ID16 = 4, /* user and group ids of 16 bits */
};

/* Strings that several runs of a program put one after the other. */
struct string_list {
	u64 array; /* of the caller's pointers; 0: none */
	u32 index; /* of the next pointer */
	u32 start; /* position at which the parameter begins */
	u32 is_last;
	u32 reserved;
};

/* One record under construction. The slack behind the largest event takes whatever a masked offset plus a bounded
 * length can reach, so that an event that grows too large is noticed at its end instead of at every write. */
struct scratch {
	u32 busy;
	u32 position; /* of the next byte of `record` */
	u32 parameter; /* index of the next parameter */
	u32 event_class;
	u32 faults; /* parameters that could not be read */
	u32 layout; /* enum call_layout of the system call that is being told, 0 for a 64-bit caller */
	struct syscall_registers call;
	u32 runs; /* of iovecs that the system call may still make us walk */
	u32 last; /* index of the last of several messages */
	/* Of loops, here and not in a register because the verifier would follow every value through every turn: */
	u32 left; /* bytes that a parameter made of several parts may still take */
	struct string_list list;
	u32 cursor; /* where in `path` the last component begins */
	u8 path[2 * PROBE_PATH_BYTES_MAX]; /* paths are built backwards, ending at PROBE_PATH_BYTES_MAX */
	u8 record[PROBE_SCRATCH_BYTES];
};

/* One slot per possible CPU: the loader sets max_entries. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

/* Iterators can be preempted, so they must not hold a CPU's slot: they share this one, one reader at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} iterator_scratch SEC(".maps");

struct ring_template {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
};

/* The loader fills in as many rings as it wants, of the size it wants. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PROBE_RING_MAX);
	__type(key, u32);
	__array(values, struct ring_template);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROBE_CPU_MAX);
	__type(key, u32);
	__type(value, u32);
} ring_of_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PROBE_RING_MAX);
	__type(key, u32);
	__type(value, struct probe_ring_control);
} ring_control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct probe_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct probe_counters);
} counters SEC(".maps");

/* Thread groups of a tree scope: host tgid → enum probe_scope_value. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROBE_SCOPE_TASKS_MAX);
	__type(key, u32);
	__type(value, u32);
} scope_tasks SEC(".maps");

/*
 * Thread groups whose last thread has begun to end: tgid → address of the kernel's signal_struct, which no other group has while
 * one of its threads still runs. When two threads end at once, the one that is not the last may reach the hook after it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} scope_ended SEC(".maps");

/* Ids of the cgroups (unified hierarchy) of a cgroup scope. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROBE_SCOPE_CGROUPS_MAX);
	__type(key, u64);
	__type(value, u32);
} scope_cgroups SEC(".maps");

/* Threads in a call whose beginning was lost (enter_loss.h). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PROBE_ENTERS_LOST_MAX);
	__type(key, u32);
	__type(value, u32);
} enters_lost SEC(".maps");

/* Filled by the loader from tail_calls.def. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PROBE_EXIT_TABLE_MAX);
	__type(key, u32);
	__type(value, u32);
} exit_table SEC(".maps");

#endif
