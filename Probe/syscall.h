/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The frame of a program that encodes one family of system calls, entered by tail call from `sys_exit`. */
#ifndef PROBE_SYSCALL_H
#define PROBE_SYSCALL_H

#define EINPROGRESS 115
#define TS_COMPAT 0x0002

static __always_inline u32 syscall_number(const struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline u64 syscall_argument(const struct pt_regs *regs, u32 index)
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
static __always_inline s32 syscall_int(const struct pt_regs *regs, u32 index)
{
	return (s32)syscall_argument(regs, index);
}

/* Starts an event of the current thread. */
#define EVENT_BEGIN(event, type, event_class)                                                                                    \
	do {                                                                                                                     \
		u64 ids = bpf_get_current_pid_tgid();                                                                            \
		event_begin(event, type, type##_NPARAMS, event_class, (u32)ids, ids >> 32);                                      \
	} while (0)

/*
 * SYSCALL_PROGRAM(name) { body } defines program x_<name>. The body writes and outputs its events into `event`;
 * `regs` are the caller's registers, `ret` the result, `number` the x86-64 number of the call.
 */
#define SYSCALL_PROGRAM(name)                                                                                                    \
	static __always_inline void name##_encode(struct scratch *event, const struct pt_regs *regs, s64 ret, u32 number);       \
	SEC("tp_btf/sys_exit") int BPF_PROG(x_##name, struct pt_regs *regs, long ret)                                            \
	{                                                                                                                        \
		struct scratch *event = scratch_acquire();                                                                       \
                                                                                                                                 \
		if (!event)                                                                                                      \
			return 0;                                                                                                \
		name##_encode(event, regs, ret, syscall_number(regs));                                                           \
		scratch_release(event);                                                                                          \
		return 0;                                                                                                        \
	}                                                                                                                        \
	static __always_inline void name##_encode(struct scratch *event, const struct pt_regs *regs, s64 ret, u32 number)

#endif
