/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Tracepoints that are loaded and attached only when a rule names their event: each of them is frequent. */
#ifndef PROBE_HOOK_OPTIONAL_H
#define PROBE_HOOK_OPTIONAL_H

/* Acquires a slot if the current process may be reported. */
static __always_inline struct scratch *begin_optional(void)
{
	struct probe_settings *set = settings_get();
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (!set || is_agent(set, tgid) || !current_in_scope(set, tgid))
		return NULL;
	return scratch_acquire();
}

#define SIGNAL_RT_MIN 32
#define SIGNAL_RT_MAX 64

/* Whether a sender is told of this signal: of those with which processes are ended or stopped, when a process sent them. */
static __always_inline bool names_sender(int signal, s32 code)
{
	switch (signal) {
	case 9: /* SIGKILL */
	case 17: /* SIGCHLD */
	case SIGNAL_RT_MIN ... SIGNAL_RT_MAX: return true;
	case 1: /* SIGHUP */
	case 2: /* SIGINT */
	case 3: /* SIGQUIT */
	case 15: /* SIGTERM */
	case 20: return code <= 0; /* SIGTSTP */
	default: return false;
	}
}

SEC("?tp_btf/signal_deliver") int BPF_PROG(signal_deliver, int signal, struct kernel_siginfo *info)
{
	struct scratch *event = begin_optional();
	s32 sender = 0;

	if (!event)
		return 0;
	info = as_number(event, info);
	if (names_sender(signal, BPF_CORE_READ(info, si_code)))
		sender = BPF_CORE_READ(info, _sifields._kill._pid);
	EVENT_BEGIN(event, PPME_SIGNALDELIVER_E, PROBE_CLASS_OTHER);
	put_s64(event, sender); /* 1: spid (PT_PID) */
	put_s64(event, (s32)bpf_get_current_pid_tgid()); /* 2: dpid (PT_PID): the thread it arrives at */
	put_u8(event, signal); /* 3: sig (PT_SIGTYPE) */
	event_output(event);
	scratch_release(event);
	return 0;
}

SEC("?tp_btf/sched_switch") int BPF_PROG(sched_switch, bool preempt, struct task_struct *previous, struct task_struct *next)
{
	struct scratch *event = begin_optional();

	if (!event)
		return 0;
	EVENT_BEGIN(event, PPME_SCHEDSWITCH_6_E, PROBE_CLASS_OTHER);
	previous = as_number(event, previous);
	put_s64(event, next->pid); /* 1: next (PT_PID) */
	put_u64(event, BPF_CORE_READ(previous, maj_flt)); /* 2: pgft_maj */
	put_u64(event, BPF_CORE_READ(previous, min_flt)); /* 3: pgft_min */
	put_memory_sizes(event, previous); /* 4 to 6: vm_size, vm_rss, vm_swap */
	event_output(event);
	scratch_release(event);
	return 0;
}

static __always_inline u32 map_fault(u64 flags)
{
	u32 result = flags & 1 ? 1 : 2; /* PROTECTION_VIOLATION, PAGE_NOT_PRESENT */

	result |= flags & 2 ? 4 : 8; /* WRITE_ACCESS, READ_ACCESS */
	result |= flags & 4 ? 16 : 32; /* USER_FAULT, SUPERVISOR_FAULT */
	FLAG_IF(8, 64); /* RESERVED_PAGE */
	FLAG_IF(16, 128); /* INSTRUCTION_FETCH */
	return result;
}

static __always_inline int encode_page_fault(u64 address, struct pt_regs *regs, u64 error)
{
	struct scratch *event = begin_optional();

	if (!event)
		return 0;
	EVENT_BEGIN(event, PPME_PAGE_FAULT_E, PROBE_CLASS_OTHER);
	put_u64(event, address); /* 1: addr */
	put_u64(event, regs->ip); /* 2: ip */
	put_u32(event, map_fault(error)); /* 3: error (PT_FLAGS32) */
	event_output(event);
	scratch_release(event);
	return 0;
}

SEC("?tp_btf/page_fault_user") int BPF_PROG(page_fault_user, unsigned long address, struct pt_regs *regs, unsigned long error)
{
	return encode_page_fault(address, regs, error);
}

SEC("?tp_btf/page_fault_kernel") int BPF_PROG(page_fault_kernel, unsigned long address, struct pt_regs *regs, unsigned long error)
{
	return encode_page_fault(address, regs, error);
}

#endif
