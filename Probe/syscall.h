/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The frame of a program that encodes one family of system calls, entered by tail call from `sys_exit`. */
#ifndef PROBE_SYSCALL_H
#define PROBE_SYSCALL_H

#include "ia32.h"

#define EINPROGRESS 115
#define ENOSYS 38
#define EINVAL 22
#define TS_COMPAT 0x0002

static __always_inline u64 syscall_argument(const struct syscall_registers *regs, u32 index)
{
	switch (index) {
	case 0: return regs->di;
	case 1: return regs->si;
	case 2: return regs->dx;
	case 3: return regs->r10;
	case 4: return regs->r8;
	default: return regs->r9;
	}
}

/* Arguments narrower than a register: only their low half is defined. */
static __always_inline s32 syscall_int(const struct syscall_registers *regs, u32 index)
{
	return (s32)syscall_argument(regs, index);
}

/* Bytes of a pointer or long of the caller: arithmetic, since a branch would double what the verifier has to look at. */
static __always_inline u32 word_bytes(u32 layout)
{
	u32 narrow = layout & LAYOUT_32;

	FORGET(narrow);
	return 8 - 4 * (narrow & 1);
}

static __always_inline bool is_ia32(const struct task_struct *task)
{
	return task->thread_info.status & TS_COMPAT;
}

/* Fills `call` and `layout` of the slot. */
static __always_inline void load_call(struct scratch *event, const struct pt_regs *regs)
{
	struct syscall_registers *call = &event->call;

	call->native = call->number = regs->orig_ax;
	event->runs = IOVEC_RUNS_MAX;
	if (is_ia32(bpf_get_current_task_btf())) {
		load_ia32((u64)as_number(event, regs), SLOT_CPU);
		return;
	}
	event->layout = 0;
	call->di = regs->di;
	call->si = regs->si;
	call->dx = regs->dx;
	call->r10 = regs->r10;
	call->r8 = regs->r8;
	call->r9 = regs->r9;
}

/* Starts an event of the current thread. */
#define EVENT_BEGIN(event, type, event_class)                                                                                    \
	do {                                                                                                                     \
		u64 ids = bpf_get_current_pid_tgid();                                                                            \
		event_begin(event, type, type##_NPARAMS, event_class, (u32)ids, ids >> 32);                                      \
	} while (0)

/*
 * SYSCALL_PROGRAM(name) { body } defines program x_<name>. The body writes and outputs its events into `event`;
 * `regs` are the arguments, `ret` the result, `number` the call, all as x86-64 has them; event->layout says how
 * the caller lays out its memory.
 */
#define SYSCALL_PROGRAM(name)                                                                                                    \
	static __always_inline void name##_encode(                                                                               \
		struct scratch *event, const struct syscall_registers *regs, s64 ret, u32 number);                               \
	SEC("tp_btf/sys_exit") int BPF_PROG(x_##name, struct pt_regs *regs, long ret)                                            \
	{                                                                                                                        \
		struct scratch *event = scratch_acquire();                                                                       \
                                                                                                                                 \
		if (!event)                                                                                                      \
			return 0;                                                                                                \
		load_call(event, regs);                                                                                          \
		name##_encode(event, &event->call, ret, event->call.number);                                                     \
		scratch_release(event);                                                                                          \
		return 0;                                                                                                        \
	}                                                                                                                        \
	static __always_inline void name##_encode(                                                                               \
		struct scratch *event, const struct syscall_registers *regs, s64 ret, u32 number)

#endif
