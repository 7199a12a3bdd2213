/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* PPME_ITER_TASK_FILE_…_E: one record for each open descriptor of each process, by kind. Paths are as in /proc/<pid>/fd. */
#ifndef PROBE_ITERATOR_TASK_FILE_H
#define PROBE_ITERATOR_TASK_FILE_H

#include "iterator.h"

#define S_IFIFO 0010000
#define S_IFDIR 0040000
#define ANON_INODE_FS_MAGIC 0x09041934
#define PID_FS_MAGIC 0x50494446
#define AF_NETLINK 16
#define ANON_INODE_PIDFD 8

static __always_inline bool starts_with(const char *text, const char *prefix, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i++) {
		if (text[i] != prefix[i])
			return false;
	}
	return true;
}

#define FILE_BEGIN(type) event_begin(event, type, type##_NPARAMS, PROBE_CLASS_OTHER, tid, tgid)
#define IS_NAMED(prefix) starts_with(name, prefix, sizeof(prefix) - 1)

/* The type in PT anon_inode_fd_types, by the name its maker gave it. */
static __always_inline u8 anon_inode_type(struct file *file)
{
	char name[16] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (IS_NAMED("[eventfd"))
		return 1;
	if (IS_NAMED("[eventpoll"))
		return 2;
	if (IS_NAMED("inotify"))
		return 3;
	if (IS_NAMED("[signalfd"))
		return 4;
	if (IS_NAMED("[timerfd"))
		return 5;
	if (IS_NAMED("[io_uring"))
		return 6;
	if (IS_NAMED("[userfaultfd"))
		return 7;
	if (IS_NAMED("[pidfd"))
		return ANON_INODE_PIDFD;
	if (IS_NAMED("bpf-map"))
		return 9;
	if (IS_NAMED("bpf-prog"))
		return 10;
	if (IS_NAMED("bpf_link") || IS_NAMED("bpf-link"))
		return 11;
	if (IS_NAMED("bpf_iter"))
		return 12;
	if (IS_NAMED("[perf_event"))
		return 13;
	return 0;
}

static __always_inline void put_iterated_path(struct scratch *event, u32 bytes)
{
	bytes &= 2 * PROBE_PATH_BYTES_MAX - 1; /* for the verifier: no path is longer */
	bpf_probe_read_kernel(event->record + (event->position & RECORD_MASK), bytes, event->path);
	put_length(event, bytes);
}

/* Sockets of the four families that have a record; others are left out. */
static __always_inline bool encode_iterated_socket(
	struct scratch *event, struct file *file, u32 descriptor, u32 tid, u32 tgid, u64 inode_number)
{
	struct socket *socket = (struct socket *)BPF_CORE_READ(file, private_data);
	struct sock *sock = socket ? BPF_CORE_READ(socket, sk) : NULL;
	struct sock_common *common;
	struct unix_address *name;
	u32 length;
	u16 family;

	if (!sock)
		return false;
	common = __builtin_preserve_access_index(&sock->__sk_common);
	family = BPF_CORE_READ(common, skc_family);
	switch (family) {
	case AF_INET:
		event_begin(event, PPME_ITER_TASK_FILE_SOCKET_INET_E, PPME_ITER_TASK_FILE_SOCKET_INET_E_NPARAMS,
			PROBE_CLASS_OTHER, tid, tgid);
		break;
	case AF_INET6:
		event_begin(event, PPME_ITER_TASK_FILE_SOCKET_INET6_E, PPME_ITER_TASK_FILE_SOCKET_INET6_E_NPARAMS,
			PROBE_CLASS_OTHER, tid, tgid);
		break;
	case AF_UNIX:
		event_begin(event, PPME_ITER_TASK_FILE_SOCKET_UNIX_E, PPME_ITER_TASK_FILE_SOCKET_UNIX_E_NPARAMS,
			PROBE_CLASS_OTHER, tid, tgid);
		break;
	case AF_NETLINK:
		event_begin(event, PPME_ITER_TASK_FILE_SOCKET_NETLINK_E, PPME_ITER_TASK_FILE_SOCKET_NETLINK_E_NPARAMS,
			PROBE_CLASS_OTHER, tid, tgid);
		break;
	default: return false;
	}
	put_u32(event, descriptor); /* 1: fd (PT_FD32) */
	put_u16(event, BPF_CORE_READ(sock, sk_type)); /* 2: sk_type */
	put_u16(event, BPF_CORE_READ(sock, sk_protocol)); /* 3: sk_proto */
	switch (family) {
	case AF_INET:
		put_u32(event, BPF_CORE_READ(common, skc_rcv_saddr)); /* 4: local_ip (PT_IPV4ADDR) */
		put_u16(event, BPF_CORE_READ(common, skc_num)); /* 5: local_port (PT_PORT) */
		put_u32(event, BPF_CORE_READ(common, skc_daddr)); /* 6: remote_ip (PT_IPV4ADDR) */
		put_u16(event, swap16(BPF_CORE_READ(common, skc_dport))); /* 7: remote_port (PT_PORT) */
		break;
	case AF_INET6:
		bpf_probe_read_kernel(event->record + (event->position & RECORD_MASK), 16,
			__builtin_preserve_access_index(&common->skc_v6_rcv_saddr));
		put_length(event, 16); /* 4: local_ip (PT_IPV6ADDR) */
		put_u16(event, BPF_CORE_READ(common, skc_num)); /* 5: local_port (PT_PORT) */
		bpf_probe_read_kernel(event->record + (event->position & RECORD_MASK), 16,
			__builtin_preserve_access_index(&common->skc_v6_daddr));
		put_length(event, 16); /* 6: remote_ip (PT_IPV6ADDR) */
		put_u16(event, swap16(BPF_CORE_READ(common, skc_dport))); /* 7: remote_port (PT_PORT) */
		break;
	case AF_UNIX:
		put_u64(event, (u64)sock); /* 4: sk_pointer */
		name = BPF_CORE_READ((struct unix_sock *)sock, addr);
		length = name ? BPF_CORE_READ(name, len) : 0;
		put_length(event,
			append_unix_path(event, event->position, name ? (u64)__builtin_preserve_access_index(&name->name) + 2 : 0,
				false, length > 2 ? length - 2 : 0)); /* 5: sun_path (PT_FSPATH) */
		break;
	default: break;
	}
	put_u64(event, inode_number); /* the last: ino_num */
	return true;
}

SEC("iter/task_file") int iter_task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *trusted_task = ctx->task, *task;
	struct file *trusted_file = ctx->file, *file;
	struct seq_file *to = ctx->meta->seq;
	struct inode *inode;
	struct scratch *event;
	struct mount *mount;
	u32 descriptor = ctx->fd, tid, tgid, mode, flags;
	unsigned long magic, *close_on_exec_bits, word = 0;
	u64 inode_number;
	long path_bytes;
	bool kept = true, close_on_exec;

	if (!trusted_task || !trusted_file)
		return 0;
	event = iterator_acquire();
	if (!event)
		return ITERATOR_AGAIN;
	task = as_number(event, trusted_task);
	file = as_number(event, trusted_file);
	tid = BPF_CORE_READ(task, pid);
	tgid = BPF_CORE_READ(task, tgid);
	if (tid != tgid || !iterator_wants(task, false)) {
		scratch_release(event);
		return 0;
	}
	/* Of the descriptor, not of the file. */
	close_on_exec_bits = BPF_CORE_READ(task, files, fdt, close_on_exec);
	bpf_probe_read_kernel(&word, sizeof(word), close_on_exec_bits + descriptor / 64);
	close_on_exec = word & (1ul << (descriptor % 64));
	inode = BPF_CORE_READ(file, f_inode);
	mode = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	magic = BPF_CORE_READ(inode, i_sb, s_magic);
	inode_number = BPF_CORE_READ(inode, i_ino);
	path_bytes = mode == S_IFSOCK ? 0 : bpf_d_path(&trusted_file->f_path, (char *)event->path, PROBE_PATH_BYTES_MAX);
	if (path_bytes < 0)
		path_bytes = 0;
	if (mode == S_IFSOCK) {
		kept = encode_iterated_socket(event, file, descriptor, tid, tgid, inode_number);
	} else if (mode == 0 || magic == ANON_INODE_FS_MAGIC || magic == PID_FS_MAGIC) {
		FILE_BEGIN(PPME_ITER_TASK_FILE_ANON_INODE_E);
		put_u32(event, descriptor); /* 1: fd (PT_FD32) */
		put_u8(event, magic == PID_FS_MAGIC ? ANON_INODE_PIDFD : anon_inode_type(file)); /* 2: fd_type (PT_FLAGS8) */
		put_iterated_path(event, path_bytes); /* 3: path (PT_FSPATH) */
		put_u64(event, inode_number); /* 4: ino_num */
	} else if (mode == S_IFIFO || mode == S_IFDIR || is_memfd(file)) {
		if (mode == S_IFIFO)
			FILE_BEGIN(PPME_ITER_TASK_FILE_PIPE_E);
		else if (mode == S_IFDIR)
			event_begin(event, PPME_ITER_TASK_FILE_DIRECTORY_E, PPME_ITER_TASK_FILE_DIRECTORY_E_NPARAMS,
				PROBE_CLASS_OTHER, tid, tgid);
		else
			FILE_BEGIN(PPME_ITER_TASK_FILE_MEMFD_E);
		put_u32(event, descriptor); /* 1: fd (PT_FD32) */
		put_iterated_path(event, path_bytes); /* 2: path (PT_FSPATH) */
		put_u64(event, inode_number); /* 3: ino_num */
	} else {
		flags = map_file_flags(BPF_CORE_READ(file, f_flags));
		if (close_on_exec)
			flags |= 4096; /* O_CLOEXEC */
		switch (overlay_layer(inode)) {
		case LAYER_UPPER: flags |= OPEN_UPPER_LAYER; break;
		case LAYER_LOWER: flags |= OPEN_LOWER_LAYER; break;
		default: break;
		}
		mount = (struct mount *)((u64)BPF_CORE_READ(file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt));
		FILE_BEGIN(PPME_ITER_TASK_FILE_REGULAR_E);
		put_u32(event, descriptor); /* 1: fd (PT_FD32) */
		put_iterated_path(event, path_bytes); /* 2: path (PT_FSPATH) */
		put_u32(event, flags); /* 3: flags (PT_FLAGS32) */
		put_u32(event, BPF_CORE_READ(mount, mnt_id)); /* 4: mnt_id */
		put_u64(event, inode_number); /* 5: ino_num */
	}
	if (close_on_exec)
		*(u16 *)(event->record + 2) |= PROBE_RECORD_CLOSE_ON_EXEC;
	if (kept)
		iterator_output(event, to);
	scratch_release(event);
	return 0;
}

#endif
