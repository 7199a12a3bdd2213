/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * PROBE_KERNEL_RECORD: what the kernel made of a name, and how long the arguments really are, where that differs from what
 * the event says. Written only if a loaded rule, an output or a recording reads it (probe_settings.kernel_records).
 */
#ifndef PROBE_HOOK_KERNEL_RECORD_H
#define PROBE_HOOK_KERNEL_RECORD_H

static __always_inline bool wants_kernel_records(void)
{
	struct probe_settings *set = settings_get();

	return set && set->kernel_records;
}

static __always_inline void kernel_record_begin(struct scratch *event, u32 event_class)
{
	u64 ids = bpf_get_current_pid_tgid();
	u8 *lengths = event->record + RECORD_LENGTHS_OFFSET;

	event_begin(event, PROBE_KERNEL_RECORD, PROBE_KERNEL_RECORD_PARAMETERS, event_class, (u32)ids, ids >> 32);
	*(u16 *)(event->record + 2) = PROBE_RECORD_STATE_ONLY;
	__builtin_memset(lengths, 0, 4 * PROBE_KERNEL_RECORD_PARAMETERS);
	event->position = RECORD_LENGTHS_OFFSET + 4 * PROBE_KERNEL_RECORD_PARAMETERS;
}

static __always_inline void kernel_record_length(struct scratch *event, u32 index, u32 bytes)
{
	*(u32 *)(event->record + RECORD_LENGTHS_OFFSET + 4 * index) = bytes;
	event->position += bytes;
}

/* Longer names are not compared here: the agent, which knows the event's name, drops what says nothing new. */
#define SAME_TEXT_BYTES_MAX 256

/* Are `bytes` bytes of the record from `record_at` on and of the path buffer from `path_at` on the same? Both end with a NUL. */
__noinline int same_text(u32 record_at, u32 path_at, u32 bytes, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	u64 left, right, difference;
	u32 i;

	if (!event)
		return 0;
	for (i = 0; i < SAME_TEXT_BYTES_MAX; i += 8) {
		if (i >= bytes)
			return 1;
		left = *(u64 *)(event->record + ((record_at + i) & RECORD_MASK));
		right = *(u64 *)(event->path + ((path_at + i) & (PROBE_PATH_BYTES_MAX - 1)));
		difference = left ^ right;
		/* Of the last word only the bytes in front of the end count. */
		if (bytes - i < 8)
			difference <<= (8 * (8 - (bytes - i))) & 63;
		if (difference)
			return 0;
	}
	return 0;
}

/*
 * The path of an opened file, unless it is the caller's name to the letter. A relative name is left to the agent, which
 * knows the directory. Where the mount shows only a part of its file system (a bind mount), also the path inside that.
 */
__noinline int write_kernel_path(u64 file_address, u64 name, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct file *file = (struct file *)file_address;
	struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	bool is_part;
	long given = 0;
	s32 start;

	if (!event || !vfsmount)
		return 0;
	start = build_path((u64)vfsmount, (u64)dentry, slot);
	if (start < 0)
		return 0;
	is_part = BPF_CORE_READ(vfsmount, mnt_root) != BPF_CORE_READ(vfsmount, mnt_sb, s_root);
	kernel_record_begin(event, PROBE_CLASS_OPEN);
	if (name && !is_part)
		given = bpf_probe_read_user_str(
			event->record + (event->position & RECORD_MASK), PROBE_PATH_BYTES_MAX, (void *)name);
	if (given == PROBE_PATH_BYTES_MAX - start && same_text(event->position, start, given, slot))
		return 0;
	kernel_record_length(event, 0, append_built_path(event, start));
	if (is_part) {
		start = build_path(0, (u64)dentry, slot);
		if (start >= 0)
			kernel_record_length(event, 1, append_built_path(event, start));
	}
	event_output(event);
	return 0;
}

static __always_inline void report_kernel_path(struct file *file, u64 name)
{
	if (file && wants_kernel_records())
		write_kernel_path((u64)file, name, SLOT_CPU);
}

/* Arguments beyond what the event of a new image carries: how many bytes they are, and the last of them. */
static __always_inline void report_kernel_arguments(struct scratch *event, struct mm_struct *mm)
{
	u64 start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end), total;
	long executable;
	u8 *at;

	if (!wants_kernel_records() || end <= start || end - start <= PROBE_ARGUMENTS_BYTES_MAX)
		return;
	kernel_record_begin(event, PROBE_CLASS_EXECVE);
	at = event->record + (event->position & RECORD_MASK);
	executable = bpf_probe_read_user_str(at, PROBE_PATH_BYTES_MAX, (void *)start);
	total = end - start - (executable > 0 ? executable : 0);
	if (total <= PROBE_ARGUMENTS_BYTES_MAX)
		return;
	*(u64 *)at = total;
	kernel_record_length(event, 2, 8);
	at = event->record + (event->position & RECORD_MASK);
	if (!bpf_probe_read_user(at, PROBE_KERNEL_TAIL_BYTES, (void *)(end - PROBE_KERNEL_TAIL_BYTES)))
		kernel_record_length(event, 3, PROBE_KERNEL_TAIL_BYTES);
	event_output(event);
}

#endif
