/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The probe: turns system calls and the life of processes into events, in the block format of a .scap capture.
 *
 * `sys_exit` decides whether a finished system call is reported and jumps to the program that encodes it
 * (tail_calls.def); what has no program of its own is PPME_GENERIC_X. The three scheduler hooks report new images, new
 * tasks and their end, and keep the scope. The iterators report what existed before the probe was attached.
 *
 * Every system call with an event of its own (syscalls.def) is encoded with all its parameters. Not done yet:
 *   enter events            32-bit callers have none, unless every system call is hooked at its entry
 *   signal masks            the masks of signalfd and io_uring_enter are 0, as in the events it is compatible with
 *   long lists              poll: 64 descriptors
 *   deep paths              of files: 64 components
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "probe_abi.h"

#include "maps.h"
#include "event_writer.h"
#include "scope.h"
#include "task.h"
#include "flags.h"
#include "syscall.h"
#include "enter_loss.h"
#include "snaplen.h"
#include "hooks/generic.h"
#include "hooks/simple.h"
#include "hooks/kernel_record.h"
#include "hooks/execve.h"
#include "hooks/clone.h"
#include "hooks/exit.h"
#include "hooks/open.h"
#include "hooks/rw.h"
#include "hooks/socket.h"
#include "hooks/message.h"
#include "hooks/pipe.h"
#include "hooks/process.h"
#include "hooks/module.h"
#include "hooks/option.h"
#include "hooks/wait.h"
#include "hooks/enter.h"
#include "hooks/optional.h"
#include "iterators/task.h"
#include "iterators/task_file.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile u32 probe_abi_version = PROBE_ABI_VERSION;

/*
 * The order is by cost: what most system calls fail comes first. A success of execve and the child's side of a
 * clone are left to the scheduler hooks by the programs that encode them.
 */
SEC("tp_btf/sys_exit") int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task;
	struct probe_settings *set;
	struct scratch *event;
	u64 orig_ax = regs->orig_ax;
	u32 number = orig_ax, tgid;

	if (orig_ax == -1ull)
		return 0;
	set = settings_get();
	if (!set)
		return 0;
	task = bpf_get_current_task_btf();
	tgid = task->tgid;
	if (is_ia32(task))
		number = ia32_number(orig_ax, regs->bx);
	else if (number >= PROBE_X86_64_MAX)
		number = SYSCALL_NONE;
	if (number >= PROBE_SYSCALL_MAX) {
		/* The kernel knows more than we do, unless it refused the number as well, or the code behind it. */
		if (ret != -ENOSYS && ret != -EINVAL && current_in_scope(set, tgid) && !is_agent(set, tgid))
			count_drop(PROBE_DROP_IA32);
		return 0;
	}
	if (!(set->wanted[number / 64] & (1ull << (number % 64))))
		return 0;
	if (ret < 0 && set->drop_failed && ret >= -4095 && ret != -EINPROGRESS)
		return 0;
	if (is_agent(set, tgid) || !current_in_scope(set, tgid))
		return 0;
	bpf_tail_call(ctx, &exit_table, number);
	/* No program for this number. */
	event = scratch_acquire();
	if (!event)
		return 0;
	encode_generic(event, number);
	scratch_release(event);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct probe_settings *set = settings_get();
	struct scratch *event;

	if (!set || !(set->sched_events & PROBE_SCHED_EXEC))
		return 0;
	if (is_agent(set, task->tgid) || !current_in_scope(set, task->tgid))
		return 0;
	event = scratch_acquire();
	if (!event)
		return 0;
	encode_exec(event, as_number(event, task), as_number(event, program));
	scratch_release(event);
	return 0;
}

SEC("tp_btf/sched_process_fork") int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct probe_settings *set = settings_get();
	u32 parent_tgid = parent->tgid, child_tgid = child->tgid, in_scope = PROBE_SCOPE_IN;
	struct scratch *event;

	if (!set || !current_in_scope(set, parent_tgid))
		return 0;
	if (set->scope_mode == PROBE_SCOPE_TREE && child_tgid != parent_tgid &&
		bpf_map_update_elem(&scope_tasks, &child_tgid, &in_scope, BPF_ANY))
		count_drop(PROBE_DROP_SCOPE_FULL);
	if (!(set->sched_events & PROBE_SCHED_FORK) || child->flags & PF_KTHREAD || is_agent(set, parent_tgid))
		return 0;
	event = scratch_acquire();
	if (!event)
		return 0;
	encode_child(event, parent, as_number(event, child));
	scratch_release(event);
	return 0;
}

SEC("tp_btf/sched_process_exit") int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	struct probe_settings *set = settings_get();
	u32 tgid = task->tgid;
	u64 group = (u64)task->signal, *ended = NULL;
	bool in_scope;
	struct scratch *event;

	if (!set || task->flags & PF_KTHREAD)
		return 0;
	in_scope = current_in_scope(set, tgid);
	if (!in_scope && set->scope_mode == PROBE_SCOPE_TREE) {
		/* The last thread of the group may have been here already. */
		ended = bpf_map_lookup_elem(&scope_ended, &tgid);
		in_scope = ended && *ended == group;
	}
	if (set->sched_events & PROBE_SCHED_EXIT && in_scope && !is_agent(set, tgid)) {
		event = scratch_acquire();
		if (event) {
			encode_exit(event, as_number(event, task));
			scratch_release(event);
		}
	}
	if (set->scope_mode == PROBE_SCOPE_TREE && in_scope && !ended && !task->signal->live.counter) {
		bpf_map_update_elem(&scope_ended, &tgid, &group, BPF_ANY);
		bpf_map_delete_elem(&scope_tasks, &tgid);
	}
	return 0;
}
