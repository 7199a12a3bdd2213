/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Calls whose beginning (hooks/enter.h) was not told although it should have been: the ring was full, or the caller has
 * 32 bits and passes no tracepoint. The agent must not take the last beginning that it knows of the thread for this
 * call's, since the end of that one may be lost as well. So the end of such a call is told behind an empty beginning.
 */
#ifndef PROBE_ENTER_LOSS_H
#define PROBE_ENTER_LOSS_H

static __always_inline void note_enter_lost(struct probe_settings *set)
{
	u32 tid = bpf_get_current_pid_tgid(), one = 1;

	bpf_map_update_elem(&enters_lost, &tid, &one, BPF_ANY);
	set->enters_lost = 1;
}

static __always_inline bool is_enter_lost(const struct probe_settings *set)
{
	u32 tid = bpf_get_current_pid_tgid();

	return *(const volatile u32 *)&set->enters_lost && bpf_map_lookup_elem(&enters_lost, &tid);
}

/* False if the end of the call must not be told either; it is then counted as lost. `type`: of the beginning. */
static __always_inline bool settle_enter(struct scratch *event, u16 type, u32 parameter_count, u32 event_class)
{
	struct probe_settings *set = settings_get();
	u64 ids = bpf_get_current_pid_tgid();
	struct probe_counters *own;
	u32 tid = ids, i;
	bool lost;

	if (!set || set->enter_mode == PROBE_ENTER_NONE)
		return true;
	lost = is_enter_lost(set);
	if (!lost && !(event->layout & LAYOUT_32 && set->enter_mode == PROBE_ENTER_TRACEPOINTS))
		return true;
	event_begin(event, type, parameter_count, event_class, tid, ids >> 32);
	*(u16 *)(event->record + 2) = PROBE_RECORD_HIDDEN;
	for (i = 0; i < parameter_count; i++)
		put_empty(event);
	if (event_output(event)) {
		if (lost)
			bpf_map_delete_elem(&enters_lost, &tid);
		return true;
	}
	note_enter_lost(set);
	own = counters_of_cpu();
	if (own) {
		own->events++;
		own->drops[PROBE_DROP_RING_FULL]++;
		own->ring_full_by_class[event_class & (PROBE_CLASS_MAX - 1)]++;
	}
	return false;
}

#define SETTLE_ENTER(event, type, event_class) settle_enter(event, type, type##_NPARAMS, event_class)

#endif
