/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What both iterators share: a scratch slot of their own, the scope, and writing to the reader instead of a ring. */
#ifndef PROBE_ITERATOR_H
#define PROBE_ITERATOR_H

/* Returned by an iterator to be called again for the same object (the reader gets EAGAIN). */
#define ITERATOR_AGAIN 1

static __always_inline struct scratch *iterator_acquire(void)
{
	struct scratch *event = scratch_slot(SLOT_ITERATOR);

	if (!event || __sync_val_compare_and_swap(&event->busy, 0, 1))
		return NULL;
	return event;
}

static __always_inline void iterator_output(struct scratch *event, struct seq_file *to)
{
	u32 bytes = event_finish(event);

	if (bytes)
		bpf_seq_write(to, event->record, bytes);
}

static __noinline int task_in_cgroup_scope(u64 task_address)
{
	struct kernfs_node *node = BPF_CORE_READ((struct task_struct *)task_address, cgroups, dfl_cgrp, kn);
	u64 id;
	int i;

	for (i = 0; i < CGROUP_PATH_DEPTH_MAX && node; i++) {
		id = BPF_CORE_READ(node, id);
		if (bpf_map_lookup_elem(&scope_cgroups, &id))
			return 1;
		node = kernfs_parent(node);
	}
	return 0;
}

/*
 * Is this task reported? In a tree scope: whatever has an entry, be it in scope or an ancestor. In a cgroup scope:
 * what is inside, and (if `ancestors`) every main thread, because any may be the parent of one inside.
 */
static __always_inline bool iterator_wants(struct task_struct *task, bool ancestors)
{
	struct probe_settings *set = settings_get();
	u32 tgid = BPF_CORE_READ(task, tgid);

	if (!set)
		return false;
	switch (set->scope_mode) {
	case PROBE_SCOPE_HOST: return true;
	case PROBE_SCOPE_TREE: return bpf_map_lookup_elem(&scope_tasks, &tgid) != NULL;
	case PROBE_SCOPE_CGROUP: return (ancestors && (u32)BPF_CORE_READ(task, pid) == tgid) || task_in_cgroup_scope((u64)task);
	default: return false;
	}
}

#endif
