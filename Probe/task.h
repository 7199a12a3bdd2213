/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What there is to know about a task, its executable and its paths. */
#ifndef PROBE_TASK_H
#define PROBE_TASK_H

#define PATH_COMPONENTS_MAX 64
#define CGROUP_PATH_DEPTH_MAX 24
#define GROUPS_MAX 32
#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000
#define RLIMIT_NOFILE 7
#define KILOBYTES_OF_PAGES_SHIFT 2 /* 4 KiB pages */
#define CAP_DAC_OVERRIDE 1
#define CAPABILITIES_KNOWN ((1ull << 41) - 1)
#define OVERLAYFS_SUPER_MAGIC 0x794c7630

enum exe_flag {
	EXE_WRITABLE = 1,
	EXE_UPPER_LAYER = 2,
	EXE_FROM_MEMFD = 4,
	EXE_LOWER_LAYER = 8,
};

enum layer {
	LAYER_NONE,
	LAYER_UPPER,
	LAYER_LOWER,
};

static __always_inline u32 encode_device(u32 device)
{
	u32 major = device >> 20, minor = device & 0xfffff;

	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

/*
 * Builds the absolute path of (vfsmount, dentry) in the slot's path buffer, ending with a NUL at PROBE_PATH_BYTES_MAX - 1,
 * and returns where it begins: walks up to the root of the mount namespace, crossing mounts; without a mount, up to the root
 * of the file system. bpf_d_path is not allowed in these programs. A file without a place in any directory (memfd) is
 * given by its bare name. Negative: the path is too deep or too long.
 */
__noinline int build_path(u64 vfsmount_address, u64 dentry_address, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct dentry *dentry = (struct dentry *)dentry_address, *parent, *root = NULL;
	struct mount *mount = NULL, *above;
	const unsigned char *name;
	bool complete = false;
	u32 at, length;
	int i;

	if (!event || !dentry)
		return -1;
	if (vfsmount_address) {
		mount = (struct mount *)(vfsmount_address - bpf_core_field_offset(struct mount, mnt));
		root = BPF_CORE_READ(mount, mnt.mnt_root);
	}
	event->cursor = PROBE_PATH_BYTES_MAX - 1;
	event->path[PROBE_PATH_BYTES_MAX - 1] = 0;
	for (i = 0; i < PATH_COMPONENTS_MAX; i++) {
		if (dentry == root) {
			above = BPF_CORE_READ(mount, mnt_parent);
			if (above == mount || !above) {
				complete = true;
				break;
			}
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			root = BPF_CORE_READ(mount, mnt.mnt_root);
			continue;
		}
		parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry && !vfsmount_address) {
			complete = true;
			break;
		}
		length = BPF_CORE_READ(dentry, d_name.len) & 0xff;
		name = BPF_CORE_READ(dentry, d_name.name);
		at = event->cursor;
		if (at < length + 1)
			break;
		at = (at - length) & (PROBE_PATH_BYTES_MAX - 1);
		bpf_probe_read_kernel(event->path + at, length, name);
		event->cursor = at;
		if (parent == dentry || !parent) {
			complete = true;
			break;
		}
		at = (at - 1) & (PROBE_PATH_BYTES_MAX - 1);
		event->path[at] = '/';
		event->cursor = at;
		dentry = parent;
	}
	if (!complete)
		return -1;
	at = event->cursor & (PROBE_PATH_BYTES_MAX - 1);
	if (at == PROBE_PATH_BYTES_MAX - 1) {
		at--;
		event->path[at] = '/';
	}
	return at;
}

/* Copies the path that build_path left at `start` behind the record's last byte; returns its bytes with the NUL. */
static __always_inline u32 append_built_path(struct scratch *event, s32 start)
{
	u32 at = start, bytes;

	FORGET(at);
	at &= PROBE_PATH_BYTES_MAX - 1;
	bytes = PROBE_PATH_BYTES_MAX - at;
	bpf_probe_read_kernel(event->record + (event->position & RECORD_MASK), bytes, event->path + at);
	return bytes;
}

/* Puts the absolute path of (vfsmount, dentry) as a parameter: empty without a file, and counted where it can't be told. */
__noinline int put_path(u64 vfsmount_address, u64 dentry_address, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	s32 start;

	if (!event)
		return -1;
	if (!dentry_address || !vfsmount_address) {
		put_empty(event);
		return 0;
	}
	start = build_path(vfsmount_address, dentry_address, slot);
	if (start < 0) {
		note_fault(event);
		put_empty(event);
		return 0;
	}
	put_length(event, append_built_path(event, start));
	return 0;
}

static __always_inline void put_file_path(struct scratch *event, struct file *file, u32 slot)
{
	if (!file) {
		put_empty(event);
		return;
	}
	put_path((u64)BPF_CORE_READ(file, f_path.mnt), (u64)BPF_CORE_READ(file, f_path.dentry), slot);
}

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	if (bpf_core_field_exists(node->__parent))
		return BPF_CORE_READ(node, __parent);
	return (struct kernfs_node *)BPF_CORE_READ((struct kernfs_node___parent *)node, parent);
}

/* Builds the path of a cgroup in the slot's path buffer and returns where it begins. */
__noinline int cgroup_path(u64 kernfs_address, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct kernfs_node *node = (struct kernfs_node *)kernfs_address, *parent;
	const char *name;
	long length;
	u32 at;
	int i;

	if (!event)
		return PROBE_PATH_BYTES_MAX - 1;
	event->cursor = PROBE_PATH_BYTES_MAX - 1;
	event->path[PROBE_PATH_BYTES_MAX - 1] = 0;
	for (i = 0; i < CGROUP_PATH_DEPTH_MAX; i++) {
		parent = kernfs_parent(node);
		if (!parent)
			break;
		name = BPF_CORE_READ(node, name);
		/* Its length is not stored: read it behind the buffer first. */
		length = bpf_probe_read_kernel_str(event->path + PROBE_PATH_BYTES_MAX, 256, name);
		at = event->cursor;
		if (length <= 1 || at < length)
			break;
		length = (length - 1) & 0xff;
		at = (at - length) & (PROBE_PATH_BYTES_MAX - 1);
		bpf_probe_read_kernel(event->path + at, length, event->path + PROBE_PATH_BYTES_MAX);
		at = (at - 1) & (PROBE_PATH_BYTES_MAX - 1);
		event->path[at] = '/';
		event->cursor = at;
		node = parent;
	}
	at = event->cursor & (PROBE_PATH_BYTES_MAX - 1);
	if (at == PROBE_PATH_BYTES_MAX - 1) {
		at--;
		event->path[at] = '/';
	}
	return at;
}

/* Eight characters at most, as one store. */
static __always_inline u64 text8(const char *text)
{
	u64 value = 0;

	__builtin_memcpy(&value, text, 8);
	return value;
}

static __always_inline u32 append_cgroup(
	struct scratch *event, u32 at, struct css_set *set, u32 subsystem, u64 name, u32 name_bytes, u32 slot)
{
	struct cgroup_subsys_state **entry = (void *)__builtin_preserve_access_index(&set->subsys);
	struct cgroup_subsys_state *state = NULL;
	struct kernfs_node *node;
	u32 start, bytes;

	bpf_probe_read_kernel(&state, sizeof(state), entry + subsystem);
	if (!state)
		return at;
	node = BPF_CORE_READ(state, cgroup, kn);
	if (!node)
		return at;
	start = cgroup_path((u64)node, slot);
	FORGET(start);
	start &= PROBE_PATH_BYTES_MAX - 1;
	bytes = PROBE_PATH_BYTES_MAX - start;
	*(u64 *)(event->record + (at & RECORD_MASK)) = name;
	at += name_bytes;
	bpf_probe_read_kernel(event->record + (at & RECORD_MASK), bytes, event->path + start);
	return at + bytes;
}

#define APPEND_CGROUP(subsystem, name)                                                                                           \
	do {                                                                                                                     \
		if (bpf_core_enum_value_exists(enum cgroup_subsys_id, subsystem##_cgrp_id))                                      \
			at = append_cgroup(event, at, set, bpf_core_enum_value(enum cgroup_subsys_id, subsystem##_cgrp_id),      \
				text8(name "=\0\0\0\0\0\0\0"), sizeof(name), slot);                                              \
	} while (0)

/* NUL-separated `subsystem=path`. */
__noinline int put_cgroups(u64 task_address, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct css_set *set = BPF_CORE_READ((struct task_struct *)task_address, cgroups);
	u32 at;

	if (!event)
		return -1;
	at = event->position;
	if (set) {
		APPEND_CGROUP(cpuset, "cpuset");
		APPEND_CGROUP(cpu, "cpu");
		APPEND_CGROUP(cpuacct, "cpuacct");
		APPEND_CGROUP(io, "io");
		APPEND_CGROUP(memory, "memory");
	}
	put_length(event, at - event->position);
	return 0;
}

/* Where a file of an overlay file system lives: the upper dentry pointer directly follows the inode in every kernel. */
static __always_inline enum layer overlay_layer(struct inode *inode)
{
	u64 upper = 0;

	if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAYFS_SUPER_MAGIC)
		return LAYER_NONE;
	bpf_probe_read_kernel(&upper, sizeof(upper), (u8 *)inode + bpf_core_type_size(struct inode));
	return upper ? LAYER_UPPER : LAYER_LOWER;
}

/* In newer kernels the top bit of a stored nanosecond count says whether anyone asked for the time. */
#define NANOSECONDS_MASK 0x7fffffffu

static __always_inline u64 inode_mtime(struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_mtime_sec))
		return BPF_CORE_READ(inode, i_mtime_sec) * 1000000000ull +
		       (BPF_CORE_READ(inode, i_mtime_nsec) & NANOSECONDS_MASK);
	if (bpf_core_field_exists(((struct inode___hidden *)inode)->__i_mtime))
		return BPF_CORE_READ((struct inode___hidden *)inode, __i_mtime.tv_sec) * 1000000000ull +
		       BPF_CORE_READ((struct inode___hidden *)inode, __i_mtime.tv_nsec);
	return BPF_CORE_READ((struct inode___timespec *)inode, i_mtime.tv_sec) * 1000000000ull +
	       BPF_CORE_READ((struct inode___timespec *)inode, i_mtime.tv_nsec);
}

static __always_inline u64 inode_ctime(struct inode *inode)
{
	if (bpf_core_field_exists(inode->i_ctime_sec))
		return BPF_CORE_READ(inode, i_ctime_sec) * 1000000000ull +
		       (BPF_CORE_READ(inode, i_ctime_nsec) & NANOSECONDS_MASK);
	if (bpf_core_field_exists(((struct inode___hidden *)inode)->__i_ctime))
		return BPF_CORE_READ((struct inode___hidden *)inode, __i_ctime.tv_sec) * 1000000000ull +
		       (BPF_CORE_READ((struct inode___hidden *)inode, __i_ctime.tv_nsec) & NANOSECONDS_MASK);
	return BPF_CORE_READ((struct inode___timespec *)inode, i_ctime.tv_sec) * 1000000000ull +
	       BPF_CORE_READ((struct inode___timespec *)inode, i_ctime.tv_nsec);
}

static __always_inline u64 capability(kernel_cap_t *set)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), set);
	return value & CAPABILITIES_KNOWN;
}

#define CAPABILITY(cred, set) capability(__builtin_preserve_access_index(&(cred)->set))

static __always_inline bool in_group(struct cred *cred, u32 group)
{
	struct group_info *groups = BPF_CORE_READ(cred, group_info);
	u32 i, count, member;

	if (BPF_CORE_READ(cred, fsgid.val) == group)
		return true;
	if (!groups)
		return false;
	count = BPF_CORE_READ(groups, ngroups);
	for (i = 0; i < GROUPS_MAX; i++) {
		if (i >= count)
			break;
		if (bpf_probe_read_kernel(&member, sizeof(member), (u8 *)__builtin_preserve_access_index(&groups->gid) + 4 * i))
			break;
		if (member == group)
			return true;
	}
	return false;
}

/* May the task write to its own executable, by mode and capability? */
static __always_inline bool may_write(struct cred *cred, struct inode *inode)
{
	u32 mode = BPF_CORE_READ(inode, i_mode);

	if (CAPABILITY(cred, cap_effective) & (1ull << CAP_DAC_OVERRIDE) && !BPF_CORE_READ(cred, user_ns, level))
		return true;
	if (BPF_CORE_READ(cred, fsuid.val) == BPF_CORE_READ(inode, i_uid.val))
		return mode & 0200;
	if (in_group(cred, BPF_CORE_READ(inode, i_gid.val)))
		return mode & 0020;
	return mode & 0002;
}

static __always_inline bool is_memfd(struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	char name[8] = {};

	if (BPF_CORE_READ(dentry, d_parent) != dentry)
		return false;
	bpf_probe_read_kernel(name, 6, BPF_CORE_READ(dentry, d_name.name));
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

__noinline int exe_flags(u64 task_address)
{
	struct task_struct *task = (struct task_struct *)task_address;
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	struct inode *inode;
	u32 flags = 0;

	if (!exe)
		return 0;
	inode = BPF_CORE_READ(exe, f_inode);
	if (may_write(BPF_CORE_READ(task, cred), inode))
		flags |= EXE_WRITABLE;
	switch (overlay_layer(inode)) {
	case LAYER_UPPER: flags |= EXE_UPPER_LAYER; break;
	case LAYER_LOWER: flags |= EXE_LOWER_LAYER; break;
	default: break;
	}
	if (is_memfd(exe))
		flags |= EXE_FROM_MEMFD;
	return flags;
}

/* The number of `pid` in the pid namespace in which `task` lives; 0 if it is not visible there. */
static __always_inline s32 number_in_namespace_of(struct task_struct *task, struct pid *pid)
{
	u32 level = BPF_CORE_READ(task, thread_pid, level);
	s32 number = 0;

	if (!pid || level > BPF_CORE_READ(pid, level))
		return 0;
	bpf_probe_read_kernel(&number, sizeof(number),
		(u8 *)__builtin_preserve_access_index(&pid->numbers) + level * bpf_core_type_size(struct upid) +
			bpf_core_field_offset(struct upid, nr));
	return number;
}

static __always_inline s32 number_in_host(struct pid *pid)
{
	return pid ? BPF_CORE_READ(pid, numbers[0].nr) : 0;
}

static __always_inline struct pid_namespace *pid_namespace_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct pid_namespace *namespace = NULL;

	if (!pid)
		return NULL;
	bpf_probe_read_kernel(&namespace, sizeof(namespace),
		(u8 *)__builtin_preserve_access_index(&pid->numbers) +
			BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, ns));
	return namespace;
}

static __always_inline s32 task_vtid(struct task_struct *task)
{
	return number_in_namespace_of(task, BPF_CORE_READ(task, thread_pid));
}

static __always_inline s32 task_vpid(struct task_struct *task)
{
	return number_in_namespace_of(task, BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]));
}

/* When the first process of the task's pid namespace started, since boot (CLOCK_BOOTTIME). */
static __always_inline u64 pid_namespace_start(struct task_struct *task)
{
	struct pid_namespace *namespace = pid_namespace_of(task);

	if (!namespace)
		return 0;
	return BPF_CORE_READ(namespace, child_reaper, start_boottime);
}

static __always_inline u32 task_tty(struct task_struct *task)
{
	struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);

	if (!tty)
		return 0;
	return encode_device((BPF_CORE_READ(tty, driver, major) << 20) |
			     ((BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index)) & 0xfffff));
}

static __always_inline u32 task_loginuid(struct task_struct *task)
{
	if (!bpf_core_field_exists(task->loginuid))
		return -1;
	return BPF_CORE_READ(task, loginuid.val);
}

static __always_inline u64 rss_count(struct mm_struct *mm, u32 kind)
{
	s64 count;

	if (bpf_core_field_exists(((struct mm_struct___atomic *)mm)->rss_stat.count)) {
		struct mm_struct___atomic *old = (void *)mm;

		bpf_probe_read_kernel(
			&count, sizeof(count), (u8 *)__builtin_preserve_access_index(&old->rss_stat.count) + 8 * kind);
	} else {
		bpf_probe_read_kernel(&count, sizeof(count),
			(u8 *)__builtin_preserve_access_index(&mm->rss_stat) + kind * bpf_core_type_size(struct percpu_counter) +
				bpf_core_field_offset(struct percpu_counter, count));
	}
	return count < 0 ? 0 : count;
}

/* vm_size, vm_rss, vm_swap in KiB: three parameters. */
static __always_inline void put_memory_sizes(struct scratch *event, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	u64 resident = 0, swap = 0, total = 0;

	if (mm) {
		total = BPF_CORE_READ(mm, total_vm);
		resident = rss_count(mm, 0) + rss_count(mm, 1) + rss_count(mm, 3);
		swap = rss_count(mm, 2);
	}
	put_u32(event, total << KILOBYTES_OF_PAGES_SHIFT);
	put_u32(event, resident << KILOBYTES_OF_PAGES_SHIFT);
	put_u32(event, swap << KILOBYTES_OF_PAGES_SHIFT);
}

/* exe and args, two parameters, from the argument area of the current process. */
static __always_inline void put_exe_and_arguments(struct scratch *event, struct mm_struct *mm)
{
	u64 start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
	u32 before = event->position, exe_bytes, bytes;
	u64 total;

	if (!mm || end <= start) {
		put_empty(event);
		put_empty(event);
		return;
	}
	total = end - start;
	put_user_string(event, start);
	exe_bytes = event->position - before;
	if (!exe_bytes || total <= exe_bytes) {
		put_empty(event);
		return;
	}
	total -= exe_bytes;
	bytes = total > PROBE_ARGUMENTS_BYTES_MAX ? PROBE_ARGUMENTS_BYTES_MAX : total;
	bytes = append_user_bytes(event, event->position, start + exe_bytes, bytes);
	if (bytes)
		event->record[(event->position + bytes - 1) & RECORD_MASK] = 0;
	put_length(event, bytes);
}

static __always_inline void put_environment(struct scratch *event, struct mm_struct *mm)
{
	u64 start = BPF_CORE_READ(mm, env_start), end = BPF_CORE_READ(mm, env_end);
	u32 bytes;

	if (!mm || end <= start) {
		put_empty(event);
		return;
	}
	bytes = end - start > PROBE_ARGUMENTS_BYTES_MAX ? PROBE_ARGUMENTS_BYTES_MAX : end - start;
	bytes = append_user_bytes(event, event->position, start, bytes);
	if (bytes)
		event->record[(event->position + bytes - 1) & RECORD_MASK] = 0;
	put_length(event, bytes);
}

/* The open file behind a descriptor of the current process, or NULL. */
static __always_inline struct file *file_of(s32 descriptor)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table;
	struct file **files, *file = NULL;

	if (descriptor < 0)
		return NULL;
	table = BPF_CORE_READ(task, files, fdt);
	if (!table || (u32)descriptor >= BPF_CORE_READ(table, max_fds))
		return NULL;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + (u32)descriptor);
	return file;
}

#endif
