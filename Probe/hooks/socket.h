/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Sockets: addresses as the caller gave them (PT_SOCKADDR) and both ends as the kernel knows them (PT_SOCKTUPLE). */
#ifndef PROBE_HOOK_SOCKET_H
#define PROBE_HOOK_SOCKET_H

#define UNIX_PATH_BYTES_MAX 108

enum socket_number {
	NUMBER_ACCEPT = 43,
	NUMBER_ACCEPT4 = 288,
};

enum direction {
	OUTBOUND, /* the tuple runs from the local end to the remote one */
	INBOUND, /* from the remote end to the local one */
};

/* Appends the path of a unix address, without the NUL that begins an abstract one; always ends with a NUL. */
static __always_inline u32 append_unix_path(struct scratch *event, u32 at, u64 path, bool user, u32 bytes)
{
	char first = 0;
	long length;

	event->record[at & RECORD_MASK] = 0;
	if (!path || !bytes)
		return 1;
	if (bytes > UNIX_PATH_BYTES_MAX)
		bytes = UNIX_PATH_BYTES_MAX;
	if (user)
		bpf_probe_read_user(&first, 1, (void *)path);
	else
		bpf_probe_read_kernel(&first, 1, (void *)path);
	if (!first) {
		path++;
		bytes--;
	}
	bytes++; /* a path may fill its place without a NUL */
	if (user)
		length = bpf_probe_read_user_str(event->record + (at & RECORD_MASK), bytes & 127, (void *)path);
	else
		length = bpf_probe_read_kernel_str(event->record + (at & RECORD_MASK), bytes & 127, (void *)path);
	return length > 0 ? length : 1;
}

/* A PT_SOCKADDR from the caller's memory. */
__noinline int put_user_address(u64 address, u32 address_bytes, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	u8 *to;
	u16 family = 0, port = 0;
	u32 at, bytes = 0;

	if (!event)
		return -1;
	at = event->position;
	to = event->record + (at & RECORD_MASK);
	if (!address || address_bytes < 2 || bpf_probe_read_user(&family, sizeof(family), (void *)address)) {
		put_empty(event);
		return 0;
	}
	to[0] = family;
	switch (family) {
	case AF_INET:
		if (address_bytes < 8)
			break;
		bpf_probe_read_user(&port, 2, (void *)(address + 2));
		bpf_probe_read_user(to + 1, 4, (void *)(address + 4));
		*(u16 *)(to + 5) = swap16(port);
		bytes = 7;
		break;
	case AF_INET6:
		if (address_bytes < 24)
			break;
		bpf_probe_read_user(&port, 2, (void *)(address + 2));
		bpf_probe_read_user(to + 1, 16, (void *)(address + 8));
		*(u16 *)(to + 17) = swap16(port);
		bytes = 19;
		break;
	case AF_UNIX: bytes = 1 + append_unix_path(event, at + 1, address + 2, true, address_bytes - 2); break;
	default: break;
	}
	put_length(event, bytes);
	return 0;
}

static __always_inline u32 append_unix_name(
	struct scratch *event, u32 at, struct sock *socket, u64 user_address, u32 address_bytes)
{
	struct unix_address *name = socket ? BPF_CORE_READ((struct unix_sock *)socket, addr) : NULL;
	u32 length;

	if (name) {
		length = BPF_CORE_READ(name, len);
		return append_unix_path(
			event, at, (u64)__builtin_preserve_access_index(&name->name) + 2, false, length > 2 ? length - 2 : 0);
	}
	return append_unix_path(event, at, user_address ? user_address + 2 : 0, true, address_bytes > 2 ? address_bytes - 2 : 0);
}

/*
 * A PT_SOCKTUPLE of a socket. `user_address` is the address that the call named or was told, used where the
 * socket itself is not connected.
 */
__noinline int put_tuple(u64 socket_address, u32 direction, u64 user_address, u32 address_bytes, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct sock *socket = (struct sock *)socket_address, *peer;
	struct sock_common *common;
	u16 family, local_port, remote_port, user_family = 0;
	u32 at, bytes = 0, local, remote;
	u8 *to, *source, *destination;

	if (!event)
		return -1;
	if (!socket) {
		put_empty(event);
		return 0;
	}
	if (user_address && address_bytes >= 2)
		bpf_probe_read_user(&user_family, sizeof(user_family), (void *)user_address);
	at = event->position;
	to = event->record + (at & RECORD_MASK);
	common = __builtin_preserve_access_index(&socket->__sk_common);
	family = BPF_CORE_READ(common, skc_family);
	local_port = BPF_CORE_READ(common, skc_num);
	remote_port = BPF_CORE_READ(common, skc_dport);
	to[0] = family;
	switch (family) {
	case AF_INET:
		source = direction == INBOUND ? to + 7 : to + 1; /* the local end */
		destination = direction == INBOUND ? to + 1 : to + 7;
		local = BPF_CORE_READ(common, skc_rcv_saddr);
		remote = BPF_CORE_READ(common, skc_daddr);
		if (!remote_port && user_family == AF_INET && address_bytes >= 8) {
			bpf_probe_read_user(&remote_port, 2, (void *)(user_address + 2));
			bpf_probe_read_user(&remote, 4, (void *)(user_address + 4));
		}
		*(u32 *)source = local;
		*(u16 *)(source + 4) = local_port;
		*(u32 *)destination = remote;
		*(u16 *)(destination + 4) = swap16(remote_port);
		bytes = 13;
		break;
	case AF_INET6:
		source = direction == INBOUND ? to + 19 : to + 1;
		destination = direction == INBOUND ? to + 1 : to + 19;
		bpf_probe_read_kernel(source, 16, __builtin_preserve_access_index(&common->skc_v6_rcv_saddr));
		bpf_probe_read_kernel(destination, 16, __builtin_preserve_access_index(&common->skc_v6_daddr));
		if (!remote_port && user_family == AF_INET6 && address_bytes >= 24) {
			bpf_probe_read_user(&remote_port, 2, (void *)(user_address + 2));
			bpf_probe_read_user(destination, 16, (void *)(user_address + 8));
		}
		*(u16 *)(source + 16) = local_port;
		*(u16 *)(destination + 16) = swap16(remote_port);
		bytes = 37;
		break;
	case AF_UNIX:
		peer = BPF_CORE_READ((struct unix_sock *)socket, peer);
		*(u64 *)(to + 1) = direction == INBOUND ? (u64)peer : socket_address;
		*(u64 *)(to + 9) = direction == INBOUND ? socket_address : (u64)peer;
		if (user_family != AF_UNIX)
			user_address = 0;
		bytes = 17 + append_unix_name(event, at + 17, direction == INBOUND ? socket : peer, user_address, address_bytes);
		break;
	default: break;
	}
	put_length(event, bytes);
	return 0;
}

/* The length that a call such as recvfrom wrote back for an address. */
static __always_inline u32 user_u32(u64 address)
{
	u32 value = 0;

	if (address)
		bpf_probe_read_user(&value, sizeof(value), (void *)address);
	return value;
}

SYSCALL_PROGRAM(connect)
{
	s32 descriptor = syscall_int(regs, 0);
	u64 address = syscall_argument(regs, 1);
	u32 address_bytes = syscall_argument(regs, 2);
	struct sock *socket = NULL;

	if (!SETTLE_ENTER(event, PPME_SOCKET_CONNECT_E, PROBE_CLASS_CONNECT))
		return;
	/* A refused socket has no ends any more; whom it asked for is in the address. */
	if (ret == 0 || ret == -EINPROGRESS)
		socket = sock_of(descriptor);
	EVENT_BEGIN(event, PPME_SOCKET_CONNECT_X, PROBE_CLASS_CONNECT);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_tuple((u64)socket, OUTBOUND, address, address_bytes, SLOT_CPU); /* 2: tuple (PT_SOCKTUPLE) */
	put_s64(event, descriptor); /* 3: fd (PT_FD) */
	put_user_address(address, address_bytes, SLOT_CPU); /* 4: addr (PT_SOCKADDR) */
	event_output(event);
}

SYSCALL_PROGRAM(accept)
{
	struct sock *listener, *accepted = NULL;
	u32 length = 0, limit = 0;

	if (ret >= 0) {
		accepted = sock_of(ret);
		listener = sock_of(syscall_int(regs, 0));
		if (listener) {
			length = BPF_CORE_READ(listener, sk_ack_backlog);
			limit = BPF_CORE_READ(listener, sk_max_ack_backlog);
		}
	}
	if (number == NUMBER_ACCEPT4)
		EVENT_BEGIN(event, PPME_SOCKET_ACCEPT4_6_X, PROBE_CLASS_OTHER_INTEREST);
	else
		EVENT_BEGIN(event, PPME_SOCKET_ACCEPT_5_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: fd (PT_FD) */
	put_tuple((u64)accepted, INBOUND, 0, 0, SLOT_CPU); /* 2: tuple (PT_SOCKTUPLE) */
	put_u8(event, limit ? (u64)length * 100 / limit : 0); /* 3: queuepct */
	put_u32(event, length); /* 4: queuelen */
	put_u32(event, limit); /* 5: queuemax */
	if (number == NUMBER_ACCEPT4)
		put_u32(event, map_descriptor_flags(syscall_int(regs, 3))); /* 6: flags, in the words of file_flags */
	event_output(event);
}

SYSCALL_PROGRAM(bind)
{
	EVENT_BEGIN(event, PPME_SOCKET_BIND_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_address(syscall_argument(regs, 1), syscall_argument(regs, 2), SLOT_CPU); /* 2: addr (PT_SOCKADDR) */
	put_s64(event, syscall_int(regs, 0)); /* 3: fd (PT_FD) */
	event_output(event);
}

SYSCALL_PROGRAM(socketpair)
{
	s32 descriptors[2] = {-1, -1};
	struct sock *first = NULL, *second = NULL;

	if (ret == 0) {
		bpf_probe_read_user(descriptors, sizeof(descriptors), (void *)syscall_argument(regs, 3));
		first = sock_of(descriptors[0]);
		second = sock_of(descriptors[1]);
	}
	EVENT_BEGIN(event, PPME_SOCKET_SOCKETPAIR_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_s64(event, descriptors[0]); /* 2: fd1 (PT_FD) */
	put_s64(event, descriptors[1]); /* 3: fd2 (PT_FD) */
	put_u64(event, (u64)first); /* 4: source */
	put_u64(event, (u64)second); /* 5: peer */
	put_u32(event, map_family(syscall_argument(regs, 0))); /* 6: domain (PT_ENUMFLAGS32) */
	put_u32(event, syscall_argument(regs, 1)); /* 7: type */
	put_u32(event, syscall_argument(regs, 2)); /* 8: proto */
	event_output(event);
}

#endif
