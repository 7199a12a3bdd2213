/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* PPME_ITER_TASK_E: one record for each thread that exists. Sleepable, to read the arguments of other processes. */
#ifndef PROBE_ITERATOR_TASK_H
#define PROBE_ITERATOR_TASK_H

#include "iterator.h"

/* Strings between two addresses of another process, with a NUL at the end. */
static __always_inline void put_task_strings(struct scratch *event, struct task_struct *task, u64 start, u64 end)
{
	u8 *to = event->record + (event->position & RECORD_MASK);
	u32 bytes;

	if (end <= start) {
		put_empty(event);
		return;
	}
	bytes = end - start > PROBE_ARGUMENTS_BYTES_MAX ? PROBE_ARGUMENTS_BYTES_MAX : end - start;
	if (bpf_copy_from_user_task(to, bytes, (void *)start, task, 0)) {
		put_empty(event);
		return;
	}
	event->record[(event->position + bytes - 1) & RECORD_MASK] = 0;
	put_length(event, bytes);
}

/* What waits for its parent to ask for its status does nothing any more; but a group is known by its first thread. */
static __always_inline bool has_ended(struct task_struct *task)
{
	if (!(BPF_CORE_READ(task, flags) & PF_EXITING))
		return false;
	return BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid) || !BPF_CORE_READ(task, signal, live.counter);
}

SEC("iter.s/task") int iter_task(struct bpf_iter__task *ctx)
{
	struct task_struct *trusted = ctx->task, *task;
	struct seq_file *to = ctx->meta->seq;
	struct scratch *event;
	struct mm_struct *mm;
	struct file *exe;
	struct inode *inode;
	struct fs_struct *fs;
	struct pid *group;
	struct cred *cred;
	u64 start = 0, end = 0, environment_start = 0, environment_end = 0;

	if (!trusted)
		return 0;
	event = iterator_acquire();
	if (!event)
		return ITERATOR_AGAIN;
	task = as_number(event, trusted);
	if (!iterator_wants(task, true) || has_ended(task)) {
		scratch_release(event);
		return 0;
	}
	mm = BPF_CORE_READ(task, mm);
	exe = mm ? BPF_CORE_READ(mm, exe_file) : NULL;
	inode = exe ? BPF_CORE_READ(exe, f_inode) : NULL;
	fs = BPF_CORE_READ(task, fs);
	group = BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]);
	cred = BPF_CORE_READ(task, cred);
	if (mm) {
		start = BPF_CORE_READ(mm, arg_start);
		end = BPF_CORE_READ(mm, arg_end);
		environment_start = BPF_CORE_READ(mm, env_start);
		environment_end = BPF_CORE_READ(mm, env_end);
	}
	event_begin(event, PPME_ITER_TASK_E, PPME_ITER_TASK_E_NPARAMS, PROBE_CLASS_OTHER, BPF_CORE_READ(task, pid),
		BPF_CORE_READ(task, tgid));
	put_u32(event, BPF_CORE_READ(task, real_parent, pid)); /* 1: ppid (PT_PID32), the parent thread, as in clone */
	put_u32(event, number_in_host(group)); /* 2: pgid (PT_PID32) */
	put_u32(event, number_in_namespace_of(task, group)); /* 3: vpgid (PT_PID32) */
	put_u32(event, number_in_host(BPF_CORE_READ(task, signal, pids[PIDTYPE_SID]))); /* 4: sid (PT_PID32) */
	put_kernel_string(event, __builtin_preserve_access_index(&task->comm)); /* 5: comm */
	put_task_strings(event, trusted, start, end); /* 6: argv (PT_CHARBUFARRAY), from the first on */
	put_file_path(event, exe, SLOT_ITERATOR); /* 7: exepath (PT_FSPATH) */
	put_u32(event, mm ? exe_flags((u64)task) : 0); /* 8: flags (PT_FLAGS32) */
	put_task_strings(event, trusted, environment_start, environment_end); /* 9: env (PT_CHARBUFARRAY) */
	if (fs)
		put_path((u64)BPF_CORE_READ(fs, pwd.mnt), (u64)BPF_CORE_READ(fs, pwd.dentry), SLOT_ITERATOR); /* 10: cwd */
	else
		put_empty(event);
	put_u64(event, BPF_CORE_READ(task, signal, rlim[RLIMIT_NOFILE].rlim_cur)); /* 11: fdlimit */
	put_u32(event, BPF_CORE_READ(cred, euid.val)); /* 12: euid */
	put_u32(event, BPF_CORE_READ(cred, egid.val)); /* 13: egid */
	put_u64(event, CAPABILITY(cred, cap_permitted)); /* 14: cap_permitted */
	put_u64(event, CAPABILITY(cred, cap_effective)); /* 15: cap_effective */
	put_u64(event, CAPABILITY(cred, cap_inheritable)); /* 16: cap_inheritable */
	put_u64(event, inode ? BPF_CORE_READ(inode, i_ino) : 0); /* 17: exe_ino_num */
	put_u64(event, inode ? inode_ctime(inode) : 0); /* 18: exe_ino_ctime (PT_ABSTIME) */
	put_u64(event, inode ? inode_mtime(inode) : 0); /* 19: exe_ino_mtime (PT_ABSTIME) */
	put_memory_sizes(event, task); /* 20 to 22: vm_size, vm_rss, vm_swap */
	put_u64(event, BPF_CORE_READ(task, maj_flt)); /* 23: pgft_maj */
	put_u64(event, BPF_CORE_READ(task, min_flt)); /* 24: pgft_min */
	put_u32(event, task_vpid(task)); /* 25: vtgid (PT_PID32) */
	put_u32(event, task_vtid(task)); /* 26: vpid (PT_PID32), of the thread */
	put_u64(event, pid_namespace_start(task)); /* 27: pidns_init_start_ts, since boot */
	put_cgroups((u64)task, SLOT_ITERATOR); /* 28: cgroups (PT_CHARBUFARRAY) */
	if (fs)
		put_path((u64)BPF_CORE_READ(fs, root.mnt), (u64)BPF_CORE_READ(fs, root.dentry), SLOT_ITERATOR); /* 29: root */
	else
		put_empty(event);
	put_u64(event, BPF_CORE_READ(task, start_boottime)); /* 30: start_time, since boot */
	put_u32(event, task_tty(task)); /* 31: tty */
	put_u32(event, task_loginuid(task)); /* 32: loginuid */
	iterator_output(event, to);
	scratch_release(event);
	return 0;
}

#endif
