/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The contract between the probe (kernel side) and the agent: one header, compiled on both sides.
 * Event codes, flag values and parameter counts come from events.def; whoever changes a layout here
 * raises PROBE_ABI_VERSION, which the loader compares with the one in the probe object.
 */
#ifndef FALCO_PROBE_ABI_H
#define FALCO_PROBE_ABI_H

#define PROBE_ABI_VERSION 3

#if defined(__bpf__)
typedef unsigned char probe_u8;
typedef unsigned short probe_u16;
typedef unsigned int probe_u32;
typedef unsigned long long probe_u64;
typedef long long probe_s64;
#else
#include <stdint.h>
typedef uint8_t probe_u8;
typedef uint16_t probe_u16;
typedef uint32_t probe_u32;
typedef uint64_t probe_u64;
typedef int64_t probe_s64;
#endif

/* PPME_...: the type of an event, u16 on the wire. */
enum ppm_event_code {
#define EVENT(code, identifier, name, category, flags, parameter_count, parameters) identifier = code,
#include "events.def"
#undef EVENT
	PPM_EVENT_MAX = 454,
};

/* <event>_NPARAMS: how many parameters a record of this type carries. */
enum ppm_event_parameter_count {
#define EVENT(code, identifier, name, category, flags, parameter_count, parameters) identifier##_NPARAMS = parameter_count,
#include "events.def"
#undef EVENT
};

enum ppm_event_category {
	EC_UNKNOWN = 0,
	EC_OTHER = 1,
	EC_FILE = 2,
	EC_NET = 3,
	EC_IPC = 4,
	EC_MEMORY = 5,
	EC_PROCESS = 6,
	EC_SLEEP = 7,
	EC_SYSTEM = 8,
	EC_SIGNAL = 9,
	EC_USER = 10,
	EC_TIME = 11,
	EC_PROCESSING = 12,
	EC_IO_READ = 32,
	EC_IO_WRITE = 33,
	EC_IO_OTHER = 34,
	EC_WAIT = 64,
	EC_SCHEDULER = 128,
	EC_INTERNAL = 256,
	EC_SYSCALL = 512,
	EC_TRACEPOINT = 1024,
	EC_PLUGIN = 2048,
	EC_METAEVENT = 4096,
	EC_ITER = 8192,
};

enum ppm_event_flags {
	EF_CREATES_FD = 1,
	EF_DESTROYS_FD = 2,
	EF_USES_FD = 4,
	EF_READS_FROM_FD = 8,
	EF_WRITES_TO_FD = 16,
	EF_MODIFIES_STATE = 32,
	EF_UNUSED = 64,
	EF_WAITS = 128,
	EF_SKIPPARSERESET = 256,
	EF_OLD_VERSION = 512,
	EF_LARGE_PAYLOAD = 2048,
	EF_CONVERTER_MANAGED = 4096,
};

enum ppm_syscall_flags {
	UF_USED = 1,
	UF_NEVER_DROP = 2,
	UF_ALWAYS_DROP = 4,
};

/* Header of an event, as in a .scap block; packed, little-endian, followed by nparams lengths (u16, or u32
 * for EF_LARGE_PAYLOAD types) and the parameters back to back. */
struct ppm_event_header {
	probe_u64 timestamp_ns; /* since the epoch in a capture; CLOCK_BOOTTIME as the probe writes it */
	probe_u64 tid;
	probe_u32 len; /* header + lengths + data */
	probe_u16 type; /* enum ppm_event_code */
	probe_u32 nparams;
} __attribute__((packed));

#define PROBE_EVENT_HEADER_BYTES 26

/* What the probe puts into a ring in front of every event. */
struct probe_record_prefix {
	probe_u16 cpu;
	probe_u16 flags; /* enum probe_record_flags */
	probe_u32 host_pid; /* thread group of the caller in the host's pid namespace */
};

enum probe_record_flags {
	PROBE_RECORD_STATE_ONLY = 1, /* for the state alone, never for rules (block type 0x222, flag 1) */
	PROBE_RECORD_HIDDEN = 2, /* takes an event number, but only the state sees it: the beginning of a call */
	PROBE_RECORD_CLOSE_ON_EXEC = 1 << 15, /* of an iterator: the descriptor ends with the next exec */
};

/* Where the beginning of open, openat, openat2, creat and connect is told. */
enum probe_enter_mode {
	PROBE_ENTER_NONE = 0,
	PROBE_ENTER_TRACEPOINTS = 1, /* at their own tracepoints, which 32-bit callers do not pass */
	PROBE_ENTER_EVERY_CALL = 2, /* at the one that every system call passes */
};

/*
 * What the kernel knows beyond an event's parameters: a record of its own of the same thread, directly in front of the event
 * and for the state alone. Lengths are 32 bits wide, as of events with large payloads; the type lies far above theirs. An
 * empty parameter says that there is nothing to add.
 *	1 path		of the file that the call opened, as the kernel resolved it, across mounts
 *	2 fspath	the same inside its file system, where the mount shows only a part of that
 *	3 arguments	bytes of the new image's arguments (u64) where they are more than the event carries
 *	4 tail		their last bytes
 */
#define PROBE_KERNEL_RECORD 0xfe03
#define PROBE_KERNEL_RECORD_PARAMETERS 4
#define PROBE_KERNEL_TAIL_BYTES 1024

#define PROBE_RING_MAX 256
#define PROBE_SCRATCH_BYTES (128 * 1024) /* of one record under construction; a power of two for the verifier's masks */
#define PROBE_EVENT_BYTES_MAX (64 * 1024 - 1)
/* Numbers of system calls: x86-64's below PROBE_X86_64_MAX; what only 32-bit callers have is PROBE_IA32_BASE + its number. */
#define PROBE_X86_64_MAX 512
#define PROBE_IA32_BASE PROBE_X86_64_MAX
#define PROBE_SYSCALL_MAX 1024
/* Slots of map `exit_table` behind those of the system calls: programs that one of theirs jumps to. */
#define PROBE_RUN_EXECVE_STRINGS PROBE_SYSCALL_MAX
#define PROBE_EXIT_TABLE_MAX (PROBE_SYSCALL_MAX + 1)
#define PROBE_CALL_RECV (PROBE_IA32_BASE + 510)
#define PROBE_CALL_SEND (PROBE_IA32_BASE + 511)
#define PROBE_CPU_MAX 1024
#define PROBE_SCOPE_TASKS_MAX 65536
#define PROBE_SCOPE_CGROUPS_MAX 1024
#define PROBE_ENTERS_LOST_MAX 4096
#define PROBE_PATH_BYTES_MAX 4096
#define PROBE_ARGUMENTS_BYTES_MAX 4096
#define PROBE_CGROUPS_BYTES_MAX 4096
#define PROBE_SNAPLEN_DEFAULT 80
#define PROBE_SNAPLEN_MAX 65000
/* With dynamic_snaplen: */
#define PROBE_SNAPLEN_DNS 512
#define PROBE_SNAPLEN_PROTOCOL 2000 /* MySQL, PostgreSQL, MongoDB, HTTP, statsd */
#define PROBE_SNAPLEN_FULLCAPTURE 16000 /* ports of the full-capture range */
#define PROBE_STATSD_PORT_DEFAULT 8125

/* Where a 32-bit caller's arguments are (ia32.def), if not in the registers bx, cx, dx, si, di, bp one by one. */
enum probe_ia32_shape {
	IA32_PLAIN = 0,
	IA32_LSEEK, /* the second one is signed */
	IA32_LLSEEK, /* descriptor, high and low half of the offset, where the result goes, whence */
	IA32_POSITION, /* the fourth one is 64 bits wide: low half, high half */
	IA32_UMOUNT, /* no flags */
	IA32_MMAP, /* all six in memory */
	IA32_MMAP2, /* the offset counts pages */
	IA32_IDS, /* user or group ids of 16 bits */
	IA32_IDS_BEHIND, /* the same, from the second one on */
	IA32_IDS_READ, /* points to ids of 16 bits */
	IA32_TIME64, /* times in memory are 64 bits wide */
	IA32_SOCKETCALL, /* multiplexed.def */
	IA32_IPC,
};

/* Why an event that should have been delivered was not. Per CPU, in map `counters`. */
enum probe_drop_reason {
	PROBE_DROP_RING_FULL = 0,
	PROBE_DROP_SCRATCH_BUSY = 1, /* the CPU's scratch slot was in use by an interrupted program */
	PROBE_DROP_TOO_LARGE = 2,
	PROBE_DROP_READ_FAULT = 3, /* the event was sent, but a parameter could not be read */
	PROBE_DROP_NO_RING = 4, /* a CPU that came up has no ring yet */
	PROBE_DROP_SCOPE_FULL = 5, /* a new process could not be entered into map `scope_tasks`: its events are missing */
	PROBE_DROP_IA32 = 6, /* a system call that the kernel answered and no table here names: a newer 32-bit one, or x32 */
	PROBE_DROP_REASON_MAX = 8,
};

/* Classes under which lost events are counted, as in Falco's n_drops_buffer_*. */
enum probe_event_class {
	PROBE_CLASS_CLONE_FORK = 0,
	PROBE_CLASS_EXECVE = 1,
	PROBE_CLASS_CONNECT = 2,
	PROBE_CLASS_OPEN = 3,
	PROBE_CLASS_DIR_FILE = 4,
	PROBE_CLASS_OTHER_INTEREST = 5,
	PROBE_CLASS_CLOSE = 6,
	PROBE_CLASS_PROC = 7,
	PROBE_CLASS_OTHER = 8,
	PROBE_CLASS_MAX = 16,
};

struct probe_counters {
	probe_u64 events; /* that passed every test, delivered or lost */
	probe_u64 drops[PROBE_DROP_REASON_MAX];
	probe_u64 ring_full_by_class[PROBE_CLASS_MAX];
};

enum probe_scope_mode {
	PROBE_SCOPE_HOST = 0, /* every process */
	PROBE_SCOPE_TREE = 1, /* processes in map `scope_tasks` (keyed by tgid) and what they start */
	PROBE_SCOPE_CGROUP = 2, /* processes below the cgroup v2 ids in map `scope_cgroups` */
};

/* Values of map `scope_tasks`. */
enum probe_scope_value {
	PROBE_SCOPE_IN = 1, /* the process is monitored */
	PROBE_SCOPE_ANCESTOR = 2, /* not monitored; only the iterators report it, so that parents outside stay known */
};

/* Bits of probe_settings.sched_events: which scheduler hooks write events. They keep the scope up to date in any case. */
enum probe_sched_event {
	PROBE_SCHED_EXEC = 1, /* successful execve and execveat */
	PROBE_SCHED_FORK = 2, /* the child's side of fork, vfork, clone, clone3 */
	PROBE_SCHED_EXIT = 4, /* procexit */
};

/* Settings that may change while the probe runs: the single element of array map `settings`. */
struct probe_settings {
	probe_u32 abi_version;
	probe_u32 scope_mode; /* enum probe_scope_mode */
	probe_u32 ring_count;
	probe_u32 snaplen;
	probe_u32 drop_failed; /* leave out failed system calls, as drop_failed_exit */
	probe_u32 agent_tgid; /* never reported: our own system calls */
	probe_u64 wanted[PROBE_SYSCALL_MAX / 64]; /* bitmap by system call number */
	probe_u64 pidns_inode; /* inode and device of the agent's pid namespace, 0: the host's */
	probe_u64 pidns_device;
	probe_u32 sched_events; /* enum probe_sched_event */
	probe_u32 dynamic_snaplen; /* longer data by port and protocol */
	probe_u16 fullcapture_first, fullcapture_last; /* ports; last 0: none */
	probe_u16 statsd_port;
	probe_u16 kernel_records; /* write PROBE_KERNEL_RECORDs */
	probe_u32 enter_mode; /* enum probe_enter_mode */
	probe_u32 enters_lost; /* written by the probe: map `enters_lost` is worth a look */
};

/*
 * One per ring, mmap-able array map `ring_control`: how the sleeping reader is woken. The event that wakes it
 * sets the word back to PROBE_READER_AWAKE; whoever does that rings exactly once, with a discarded record of
 * eight bytes. A reader announces its sleep first (sequentially consistent) and then looks for records once more.
 */
enum probe_reader_sleep {
	PROBE_READER_AWAKE = 0,
	PROBE_READER_ASLEEP = 1, /* no time-out, or a long one: the first event wakes it */
	PROBE_READER_NAPPING = 2, /* a timer will wake it: an event does so only when the ring is over a quarter full */
};

struct probe_ring_control {
	probe_u32 asleep; /* enum probe_reader_sleep, set by the reader before it sleeps */
	probe_u32 reserved;
};

/* Rows of events.def, syscalls.def, …, for the agent. */
#if !defined(__bpf__)
/* Flags of an event type, 0 for one nobody knows. A table in the program: no start-up, no lock, for the hot path. */
static inline probe_u16 probe_event_flags(probe_u16 type)
{
	switch (type) {
#define EVENT(code, identifier, name, category, flags, parameter_count, parameters) \
	case code: \
		return flags;
#include "events.def"
#undef EVENT
	default:
		return 0;
	}
}

struct probe_event_row {
	const char *identifier;
	const char *name;
	const char *parameters;
	probe_u16 category;
	probe_u16 flags;
	probe_u16 parameter_count;
};
struct probe_flag_row {
	const char *table;
	const char *name;
	probe_u32 value;
};
struct probe_dynamic_row {
	const char *set;
	const char *type;
	const char *format;
	probe_u32 index;
};
struct probe_syscall_row {
	const char *name;
	probe_u16 number;
	probe_u16 ppm_sc;
	probe_u16 exit_event;
	probe_u16 flags;
};
/* A call that only 32-bit callers have. */
struct probe_ia32_row {
	const char *name;
	probe_u16 number; /* with PROBE_IA32_BASE */
	probe_u16 ppm_sc;
};
struct probe_sc_row {
	const char *name;
	probe_u16 code;
	probe_u16 generic;
	probe_u16 event; /* the newest event of this system call */
};
enum probe_conversion_action {
	CONVERSION_PASS,
	CONVERSION_STORE,
	CONVERSION_STORE_AND_PASS,
	CONVERSION_ADD_PARAMS,
	CONVERSION_CHANGE_TYPE,
};
struct probe_conversion_row {
	const char *instructions;
	probe_u16 event;
	probe_u16 parameter_count;
	probe_u16 new_event;
	probe_u16 action; /* enum probe_conversion_action */
};

extern const struct probe_event_row *probe_event_rows(probe_u32 *count);
extern const struct probe_flag_row *probe_flag_rows(probe_u32 *count);
extern const struct probe_dynamic_row *probe_dynamic_rows(probe_u32 *count);
extern const struct probe_syscall_row *probe_syscall_rows(probe_u32 *count);
extern const struct probe_ia32_row *probe_ia32_rows(probe_u32 *count);
extern const struct probe_sc_row *probe_sc_rows(probe_u32 *count);
extern const struct probe_conversion_row *probe_conversion_rows(probe_u32 *count);
#endif

#endif
