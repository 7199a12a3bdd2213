/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * How many bytes of what was moved an event carries: one length for all, or, with dynamic_snaplen, more for ports and
 * protocols that are worth it. Ports come from the socket, the far one of an unconnected socket from the address in the call.
 */
#ifndef PROBE_SNAPLEN_H
#define PROBE_SNAPLEN_H

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define S_IFMT 0170000
#define S_IFSOCK 0140000

#define PORT_DNS 53
#define PORT_MYSQL 3306
#define PORT_POSTGRES 5432
#define PORT_MONGODB 27017
#define LOOKAHEAD_BYTES 16
#define MYSQL_COMMAND_QUERY 3

static __always_inline u16 swap16(u16 value)
{
	return __builtin_bswap16(value);
}

/* The socket behind a descriptor of the current process, or NULL. */
static __always_inline struct sock *sock_of(s32 descriptor)
{
	struct file *file = file_of(descriptor);
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = (struct socket *)BPF_CORE_READ(file, private_data);
	if (!socket || BPF_CORE_READ(socket, file) != file)
		return NULL; /* opened with O_PATH: the node, not the socket */
	return BPF_CORE_READ(socket, sk);
}

/* How much of `bytes` a data parameter takes, of files and of whatever else is no socket. */
static __always_inline u32 snap(u64 bytes)
{
	struct probe_settings *set = settings_get();
	u32 limit = set ? set->snaplen : 0;

	return bytes > limit ? limit : bytes;
}

#define TEXT4(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

static __always_inline bool begins_http(const u8 *head)
{
	switch (*(const u32 *)head) {
	case TEXT4('G', 'E', 'T', ' '):
	case TEXT4('P', 'O', 'S', 'T'):
	case TEXT4('P', 'U', 'T', ' '):
	case TEXT4('D', 'E', 'L', 'E'):
	case TEXT4('T', 'R', 'A', 'C'):
	case TEXT4('C', 'O', 'N', 'N'):
	case TEXT4('O', 'P', 'T', 'I'): return true;
	case TEXT4('H', 'T', 'T', 'P'): return head[4] == '/';
	default: return false;
	}
}

/* A protocol worth more than the usual length, by ports and by the first bytes; `size` of them are the call's. */
static __always_inline bool is_known_protocol(u16 local, u16 remote, const u8 *head, u32 size)
{
	s32 operation;

	if ((local == PORT_MYSQL || remote == PORT_MYSQL) && size >= 5)
		return head[0] == MYSQL_COMMAND_QUERY || head[1] == MYSQL_COMMAND_QUERY || head[2] == MYSQL_COMMAND_QUERY ||
		       head[3] == MYSQL_COMMAND_QUERY || head[4] == MYSQL_COMMAND_QUERY || (!head[2] && !head[3]);
	if ((local == PORT_POSTGRES || remote == PORT_POSTGRES) && size >= 2)
		return (head[0] == 'Q' && !head[1]) || /* a simple query */
		       (head[0] == 'P' && !head[1]) || /* a statement to prepare */
		       (head[0] == 'E' && !head[1]) || /* one to execute, or an error */
		       (size >= 7 && !head[4] && head[5] == 3 && !head[6]); /* the first message: protocol 3.0 */
	if (local == PORT_MONGODB || remote == PORT_MONGODB)
		return true;
	operation = *(const s32 *)(head + 12);
	if (size >= 16 && (operation == 1 || (operation >= 2001 && operation <= 2007))) /* MongoDB, at any port */
		return true;
	return size >= 5 && begins_http(head);
}

/* The limit for `size` bytes at `data`, moved through a socket; `name` is the address in the call, if it has one. */
__noinline u32 dynamic_snaplen(s32 descriptor, u64 name, u64 data, u32 size)
{
	struct probe_settings *set = settings_get();
	struct sock *socket;
	u16 family, local = 0, remote = 0, named[2] = {};
	u8 head[LOOKAHEAD_BYTES] = {};
	u32 limit, longer = 0;

	if (!set)
		return 0;
	limit = set->snaplen;
	socket = sock_of(descriptor);
	if (!socket)
		return limit;
	family = BPF_CORE_READ(socket, __sk_common.skc_family);
	if (family == AF_INET || family == AF_INET6) {
		local = BPF_CORE_READ(socket, __sk_common.skc_num);
		remote = swap16(BPF_CORE_READ(socket, __sk_common.skc_dport));
		if (!remote && name && !bpf_probe_read_user(named, sizeof(named), (void *)name) && named[0] == family)
			remote = swap16(named[1]);
	}
	if (set->fullcapture_last && ((local >= set->fullcapture_first && local <= set->fullcapture_last) ||
					     (remote >= set->fullcapture_first && remote <= set->fullcapture_last))) {
		longer = PROBE_SNAPLEN_FULLCAPTURE;
	} else if (remote && remote == set->statsd_port) {
		longer = PROBE_SNAPLEN_PROTOCOL;
	} else if (local == PORT_DNS || remote == PORT_DNS) {
		longer = PROBE_SNAPLEN_DNS;
	} else {
		if (size < LOOKAHEAD_BYTES)
			bpf_probe_read_user(head, size & (LOOKAHEAD_BYTES - 1), (void *)data);
		else
			bpf_probe_read_user(head, LOOKAHEAD_BYTES, (void *)data);
		if (is_known_protocol(local, remote, head, size))
			longer = PROBE_SNAPLEN_PROTOCOL;
	}
	return longer > limit ? longer : limit;
}

/* How much of `bytes` a data parameter takes of what went through `descriptor`: `size` of them lie at `data`. */
static __always_inline u32 snap_moved(s32 descriptor, u64 name, u64 data, u64 size, u64 bytes)
{
	struct probe_settings *set = settings_get();
	u32 limit;

	if (!set)
		return 0;
	limit = set->snaplen;
	if (set->dynamic_snaplen && bytes > limit)
		limit = dynamic_snaplen(descriptor, name, data, size);
	/* The verifier cannot know what a function returns. */
	if (limit > PROBE_SNAPLEN_MAX)
		limit = PROBE_SNAPLEN_MAX;
	return bytes > limit ? limit : bytes;
}

#endif
