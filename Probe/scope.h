/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What may be reported at all: not the agent itself, and only what the scope includes. */
#ifndef PROBE_SCOPE_H
#define PROBE_SCOPE_H

#define CGROUP_DEPTH_MAX 16

static __always_inline struct probe_settings *settings_get(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

/* `tgid` is the current process in the host's pid namespace; an agent in a container knows itself by its own. */
static __always_inline bool is_agent(const struct probe_settings *set, u32 tgid)
{
	struct bpf_pidns_info own = {};

	if (!set->agent_tgid)
		return false;
	if (!set->pidns_inode)
		return tgid == set->agent_tgid;
	if (bpf_get_ns_current_pid_tgid(set->pidns_device, set->pidns_inode, (void *)&own, sizeof(own)))
		return false;
	return own.tgid == set->agent_tgid;
}

static __always_inline bool in_tree(u32 tgid)
{
	u32 *value = bpf_map_lookup_elem(&scope_tasks, &tgid);

	return value && *value == PROBE_SCOPE_IN;
}

static __always_inline bool current_in_cgroup_scope(void)
{
	u64 id;
	int level;

	for (level = 0; level < CGROUP_DEPTH_MAX; level++) {
		id = bpf_get_current_ancestor_cgroup_id(level);
		if (!id)
			return false;
		if (bpf_map_lookup_elem(&scope_cgroups, &id))
			return true;
	}
	return false;
}

/* `tgid`: the current process. */
static __always_inline bool current_in_scope(const struct probe_settings *set, u32 tgid)
{
	switch (set->scope_mode) {
	case PROBE_SCOPE_HOST: return true;
	case PROBE_SCOPE_TREE: return in_tree(tgid);
	case PROBE_SCOPE_CGROUP: return current_in_cgroup_scope();
	default: return false;
	}
}

#endif
