/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* PPME_PROCEXIT_1_E: a thread ends. */
#ifndef PROBE_HOOK_EXIT_H
#define PROBE_HOOK_EXIT_H

#define THREADS_LOOKED_AT_MAX 64
#define ANCESTORS_LOOKED_AT_MAX 32

/* A thread of the group of `member` that lives on, other than `leaving`; 0 if there is none. */
__noinline int living_thread(u64 member, u64 leaving)
{
	struct signal_struct *signal = BPF_CORE_READ((struct task_struct *)member, signal);
	struct list_head *head = __builtin_preserve_access_index(&signal->thread_head);
	struct list_head *entry = BPF_CORE_READ(head, next);
	struct task_struct *thread;
	int i;

	for (i = 0; i < THREADS_LOOKED_AT_MAX && entry != head; i++) {
		thread = (struct task_struct *)((u8 *)entry - bpf_core_field_offset(struct task_struct, thread_node));
		if ((u64)thread != leaving && !(BPF_CORE_READ(thread, flags) & PF_EXITING))
			return BPF_CORE_READ(thread, pid);
		entry = BPF_CORE_READ(entry, next);
	}
	return 0;
}

/*
 * Who inherits the children, chosen as the kernel is about to choose: a living thread of the group, else the nearest
 * ancestor that is a child subreaper, else the first process of the pid namespace. 0: nobody has to.
 */
__noinline int reaper_of(u64 task_address)
{
	struct task_struct *task = (struct task_struct *)task_address, *ancestor, *init;
	struct list_head *children = __builtin_preserve_access_index(&task->children);
	struct signal_struct *signal = BPF_CORE_READ(task, signal), *theirs;
	struct pid_namespace *namespace = pid_namespace_of(task);
	u32 level = BPF_CORE_READ(task, thread_pid, level);
	s32 found;
	int i;

	if (BPF_CORE_READ(children, next) == children)
		return 0;
	found = living_thread(task_address, task_address);
	if (found)
		return found;
	init = namespace ? BPF_CORE_READ(namespace, child_reaper) : NULL;
	if (!init || init == task)
		return 0;
	if (BPF_CORE_READ_BITFIELD_PROBED(signal, has_child_subreaper)) {
		ancestor = BPF_CORE_READ(task, real_parent);
		for (i = 0; i < ANCESTORS_LOOKED_AT_MAX; i++) {
			if (!ancestor || ancestor == init || BPF_CORE_READ(ancestor, thread_pid, level) != level)
				break;
			theirs = BPF_CORE_READ(ancestor, signal);
			if (BPF_CORE_READ_BITFIELD_PROBED(theirs, is_child_subreaper)) {
				found = living_thread((u64)ancestor, task_address);
				if (found)
					return found;
			}
			ancestor = BPF_CORE_READ(ancestor, real_parent);
		}
	}
	return BPF_CORE_READ(init, pid);
}

static __always_inline void encode_exit(struct scratch *event, struct task_struct *task)
{
	u32 status = BPF_CORE_READ(task, exit_code);

	event_begin(event, PPME_PROCEXIT_1_E, PPME_PROCEXIT_1_E_NPARAMS, PROBE_CLASS_PROC, BPF_CORE_READ(task, pid),
		BPF_CORE_READ(task, tgid));
	put_s64(event, status); /* 1: status (PT_ERRNO) */
	put_s64(event, (status >> 8) & 0xff); /* 2: ret (PT_ERRNO) */
	put_u8(event, status & 0x7f); /* 3: sig (PT_SIGTYPE) */
	put_u8(event, (status & 0x80) != 0); /* 4: core */
	put_s64(event, reaper_of((u64)task)); /* 5: reaper_tid (PT_PID) */
	event_output(event);
}

#endif
