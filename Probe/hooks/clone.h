/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * PPME_SYSCALL_CLONE_20_X, FORK_20_X, VFORK_20_X, CLONE3_X: twice per new task. The parent's event (res: the child's
 * tid) comes from the system call's exit; the child's (res: 0) from the sched_process_fork hook, so that it
 * precedes whatever the child does, and exists without sys_exit too. The child's own return of 0 stays silent.
 */
#ifndef PROBE_HOOK_CLONE_H
#define PROBE_HOOK_CLONE_H

enum clone_number {
	NUMBER_CLONE = 56,
	NUMBER_FORK = 57,
	NUMBER_VFORK = 58,
	NUMBER_CLONE3 = 435,
};

static __always_inline u32 clone_event_type(u32 number)
{
	switch (number) {
	case NUMBER_FORK: return PPME_SYSCALL_FORK_20_X;
	case NUMBER_VFORK: return PPME_SYSCALL_VFORK_20_X;
	case NUMBER_CLONE3: return PPME_SYSCALL_CLONE3_X;
	default: return PPME_SYSCALL_CLONE_20_X;
	}
}

/* The flags the caller gave; fork and vfork have none. */
static __always_inline u32 clone_call_flags(u32 number, u64 first_argument)
{
	u64 flags = 0;

	switch (number) {
	case NUMBER_CLONE: return map_clone_flags(first_argument);
	case NUMBER_CLONE3: bpf_probe_read_user(&flags, sizeof(flags), (void *)first_argument); return map_clone_flags(flags);
	default: return 0;
	}
}

/* What is certain about a child whose parent's system call is not known. */
static __always_inline u32 clone_relation_flags(struct task_struct *parent, struct task_struct *child)
{
	u64 flags = 0;

	if (BPF_CORE_READ(parent, tgid) == BPF_CORE_READ(child, tgid))
		flags |= 0x00010000 | 0x00000800 | 0x00000100; /* THREAD, SIGHAND, VM */
	if (BPF_CORE_READ(parent, files) == BPF_CORE_READ(child, files))
		flags |= 0x00000400; /* FILES */
	if (BPF_CORE_READ(parent, fs) == BPF_CORE_READ(child, fs))
		flags |= 0x00000200; /* FS */
	return map_clone_flags(flags);
}

static __always_inline void encode_clone(struct scratch *event, u32 type, struct task_struct *task, s64 res, u32 flags)
{
	struct cred *cred = BPF_CORE_READ(task, cred);
	u32 tid = BPF_CORE_READ(task, pid), tgid = BPF_CORE_READ(task, tgid);

	event_begin(event, type, PPME_SYSCALL_CLONE_20_X_NPARAMS, PROBE_CLASS_CLONE_FORK, tid, tgid);
	put_s64(event, res); /* 1: res (PT_PID) */
	/* 2: exe, 3: args; a child's are at the same addresses as its parent's, which runs now */
	put_exe_and_arguments(event, BPF_CORE_READ(task, mm));
	put_s64(event, (s32)tid); /* 4: tid (PT_PID) */
	put_s64(event, (s32)tgid); /* 5: pid (PT_PID) */
	put_s64(event, BPF_CORE_READ(task, real_parent, pid)); /* 6: ptid (PT_PID) */
	put_empty(event); /* 7: cwd (PT_CHARBUF), kept by the agent */
	put_u64(event, BPF_CORE_READ(task, signal, rlim[RLIMIT_NOFILE].rlim_cur)); /* 8: fdlimit */
	put_u64(event, BPF_CORE_READ(task, maj_flt)); /* 9: pgft_maj */
	put_u64(event, BPF_CORE_READ(task, min_flt)); /* 10: pgft_min */
	put_memory_sizes(event, task); /* 11 to 13: vm_size, vm_rss, vm_swap */
	put_kernel_string(event, __builtin_preserve_access_index(&task->comm)); /* 14: comm */
	put_cgroups((u64)task, SLOT_CPU); /* 15: cgroups (PT_BYTEBUF) */
	put_u32(event, flags); /* 16: flags (PT_FLAGS32) */
	put_u32(event, BPF_CORE_READ(cred, euid.val)); /* 17: uid */
	put_u32(event, BPF_CORE_READ(cred, egid.val)); /* 18: gid */
	put_s64(event, task_vtid(task)); /* 19: vtid (PT_PID) */
	put_s64(event, task_vpid(task)); /* 20: vpid (PT_PID) */
	put_u64(event, res ? 0 : pid_namespace_start(task)); /* 21: pidns_init_start_ts, since boot; told by the child alone */
	event_output(event);
}

/* In the parent's context, before the child first runs. */
static __always_inline void encode_child(struct scratch *event, struct task_struct *parent, struct task_struct *child)
{
	struct pt_regs *regs;
	u64 first;
	u32 number, flags, type;

	if (BPF_CORE_READ(parent, flags) & PF_KTHREAD) {
		type = PPME_SYSCALL_CLONE_20_X;
		flags = 0;
	} else {
		regs = (struct pt_regs *)bpf_task_pt_regs(parent);
		number = BPF_CORE_READ(regs, orig_ax);
		first = BPF_CORE_READ(regs, di);
		if (BPF_CORE_READ(parent, thread_info.status) & TS_COMPAT) {
			first = (u32)BPF_CORE_READ(regs, bx);
			number = ia32_number(number, first);
		}
		type = clone_event_type(number);
		if (number == NUMBER_CLONE || number == NUMBER_FORK || number == NUMBER_VFORK || number == NUMBER_CLONE3)
			flags = clone_call_flags(number, first);
		else
			flags = clone_relation_flags(parent, child);
	}
	if (BPF_CORE_READ(child, thread_pid, level))
		flags |= CHILD_IN_PIDNS;
	encode_clone(event, type, child, 0, flags);
}

SYSCALL_PROGRAM(clone)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pid_namespace *own = pid_namespace_of(task);
	u32 flags;

	if (ret == 0)
		return; /* the child: seen by sched_process_fork */
	flags = clone_call_flags(number, syscall_argument(regs, 0));
	if (BPF_CORE_READ(task, thread_pid, level) || BPF_CORE_READ(task, nsproxy, pid_ns_for_children) != own)
		flags |= CHILD_IN_PIDNS;
	encode_clone(event, clone_event_type(number), task, ret, flags);
}

#endif
