/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * PPME_SYSCALL_EXECVE_19_X, PPME_SYSCALL_EXECVEAT_X. A success is written by the sched_process_exec hook, always as
 * execve and with the new image's data; a failure by the system call's exit, with the data of the image that stays.
 */
#ifndef PROBE_HOOK_EXECVE_H
#define PROBE_HOOK_EXECVE_H

/* Strings that one run of x_execve_strings looks at. The kernel allows 33 jumps: two lists have room for 4600 strings
 * together, more than two parameters of 4096 bytes take of strings that are not empty. */
#define EXECVE_STRINGS_PER_RUN 160

/* An element of a user array of pointers, of the caller's width. */
static __always_inline long read_pointer(u64 *to, u64 array, u32 index, u32 layout)
{
	u32 bytes = word_bytes(layout);

	*to = 0;
	return bpf_probe_read_user(to, bytes, (void *)(array + index * bytes));
}

/* Makes the strings of a user array of pointers, from element `first` on, the next parameter. */
static __always_inline void begin_strings(struct scratch *event, u64 array, u32 first)
{
	event->list.array = array;
	event->list.index = first;
	event->list.start = event->position;
	event->left = array ? PROBE_ARGUMENTS_BYTES_MAX : 0;
}

/* Appends strings of the list, as much as fits into the parameter; 1 if there is more to look at. */
__noinline int append_strings(u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	u64 pointer = 0;
	u32 left, i;
	long bytes;

	if (!event)
		return 0;
	for (i = 0; i < EXECVE_STRINGS_PER_RUN; i++) {
		left = event->left;
		if (left < 2 || left > PROBE_ARGUMENTS_BYTES_MAX)
			return 0;
		if (read_pointer(&pointer, event->list.array, event->list.index, event->layout) || !pointer)
			return 0;
		bytes = bpf_probe_read_user_str(event->record + (event->position & RECORD_MASK), left, (void *)pointer);
		if (bytes <= 0) {
			note_fault(event);
			return 0;
		}
		event->position += bytes;
		event->left -= bytes;
		event->list.index++;
	}
	return 1;
}

static __always_inline void end_strings(struct scratch *event)
{
	u32 bytes = event->position - event->list.start;

	event->position = event->list.start;
	put_length(event, bytes);
}

/* Parameters 4 to 15: from tid to cgroups. */
static __always_inline void put_execve_identity(struct scratch *event, struct task_struct *task)
{
	put_s64(event, BPF_CORE_READ(task, pid)); /* 4: tid (PT_PID) */
	put_s64(event, BPF_CORE_READ(task, tgid)); /* 5: pid (PT_PID) */
	put_s64(event, BPF_CORE_READ(task, real_parent, pid)); /* 6: ptid (PT_PID) */
	put_empty(event); /* 7: cwd (PT_CHARBUF), kept by the agent */
	put_u64(event, BPF_CORE_READ(task, signal, rlim[RLIMIT_NOFILE].rlim_cur)); /* 8: fdlimit */
	put_u64(event, BPF_CORE_READ(task, maj_flt)); /* 9: pgft_maj */
	put_u64(event, BPF_CORE_READ(task, min_flt)); /* 10: pgft_min */
	put_memory_sizes(event, task); /* 11 to 13: vm_size, vm_rss, vm_swap */
	put_kernel_string(event, __builtin_preserve_access_index(&task->comm)); /* 14: comm */
	put_cgroups((u64)task, SLOT_CPU); /* 15: cgroups (PT_BYTEBUF) */
}

/* Parameters 17 to 30: from tty to gid. */
static __always_inline void put_execve_credentials(struct scratch *event, struct task_struct *task)
{
	struct cred *cred = BPF_CORE_READ(task, cred);
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	struct inode *inode = exe ? BPF_CORE_READ(exe, f_inode) : NULL;
	struct pid *group = BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]);

	put_u32(event, task_tty(task)); /* 17: tty */
	put_s64(event, number_in_namespace_of(task, group)); /* 18: vpgid (PT_PID) */
	put_u32(event, task_loginuid(task)); /* 19: loginuid (PT_UID) */
	put_u32(event, exe_flags((u64)task)); /* 20: flags (PT_FLAGS32) */
	put_u64(event, CAPABILITY(cred, cap_inheritable)); /* 21: cap_inheritable */
	put_u64(event, CAPABILITY(cred, cap_permitted)); /* 22: cap_permitted */
	put_u64(event, CAPABILITY(cred, cap_effective)); /* 23: cap_effective */
	put_u64(event, inode ? BPF_CORE_READ(inode, i_ino) : 0); /* 24: exe_ino */
	put_u64(event, inode ? inode_ctime(inode) : 0); /* 25: exe_ino_ctime (PT_ABSTIME) */
	put_u64(event, inode ? inode_mtime(inode) : 0); /* 26: exe_ino_mtime (PT_ABSTIME) */
	put_u32(event, BPF_CORE_READ(cred, euid.val)); /* 27: uid, the effective one */
	put_file_path(event, exe, SLOT_CPU); /* 28: trusted_exepath (PT_FSPATH) */
	put_s64(event, number_in_host(group)); /* 29: pgid (PT_PID) */
	put_u32(event, BPF_CORE_READ(cred, egid.val)); /* 30: gid, the effective one */
}

static __always_inline void encode_exec(struct scratch *event, struct task_struct *task, struct linux_binprm *program)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	report_kernel_arguments(event, mm);
	EVENT_BEGIN(event, PPME_SYSCALL_EXECVE_19_X, PROBE_CLASS_EXECVE);
	put_s64(event, 0); /* 1: res (PT_ERRNO) */
	put_exe_and_arguments(event, mm); /* 2: exe, 3: args */
	put_execve_identity(event, task); /* 4 to 15 */
	put_environment(event, mm); /* 16: env */
	put_execve_credentials(event, task); /* 17 to 30 */
	put_kernel_string(event, BPF_CORE_READ(program, filename)); /* 31: filename, as the caller gave it */
	event_output(event);
}

#define NUMBER_EXECVEAT 322

/* A failure: parameters 1 and 2 here, then the strings in as many runs of x_execve_strings as they need. */
SEC("tp_btf/sys_exit") int BPF_PROG(x_execve, struct pt_regs *regs, long ret)
{
	struct scratch *event;
	u64 arguments, first = 0;
	bool at;

	if (ret == 0)
		return 0; /* seen by sched_process_exec */
	event = scratch_acquire();
	if (!event)
		return 0;
	load_call(event, regs);
	at = event->call.number == NUMBER_EXECVEAT;
	arguments = syscall_argument(&event->call, at ? 2 : 1);
	if (at)
		EVENT_BEGIN(event, PPME_SYSCALL_EXECVEAT_X, PROBE_CLASS_EXECVE);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_EXECVE_19_X, PROBE_CLASS_EXECVE);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	if (arguments)
		read_pointer(&first, arguments, 0, event->layout);
	if (first) {
		put_user_string(event, first); /* 2: exe, the first argument */
	} else {
		event->record[event->position & RECORD_MASK] = 0;
		put_length(event, 1); /* 2: exe, an empty string */
		arguments = 0;
	}
	begin_strings(event, arguments, 1); /* 3: args */
	event->list.is_last = false;
	bpf_tail_call(ctx, &exit_table, PROBE_RUN_EXECVE_STRINGS);
	count_drop(PROBE_DROP_SCRATCH_BUSY); /* the table always has it */
	scratch_release(event);
	return 0;
}

SEC("tp_btf/sys_exit") int BPF_PROG(x_execve_strings, struct pt_regs *regs, long ret)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct scratch *event = scratch_slot(SLOT_CPU);
	bool at;

	if (!event)
		return 0;
	at = event->call.number == NUMBER_EXECVEAT;
	if (append_strings(SLOT_CPU))
		bpf_tail_call(ctx, &exit_table, PROBE_RUN_EXECVE_STRINGS);
	end_strings(event);
	if (!event->list.is_last) {
		put_execve_identity(event, task); /* 4 to 15 */
		begin_strings(event, syscall_argument(&event->call, at ? 3 : 2), 0); /* 16: env */
		event->list.is_last = true;
		bpf_tail_call(ctx, &exit_table, PROBE_RUN_EXECVE_STRINGS);
		end_strings(event);
	}
	put_execve_credentials(event, task); /* 17 to 30 */
	if (!at)
		put_user_string(event, syscall_argument(&event->call, 0)); /* 31: filename, as the caller gave it */
	event_output(event);
	scratch_release(event);
	return 0;
}

#endif
