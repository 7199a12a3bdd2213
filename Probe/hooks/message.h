/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Messages through sockets: send, recv and their relatives with headers and lists. */
#ifndef PROBE_HOOK_MESSAGE_H
#define PROBE_HOOK_MESSAGE_H

#define MESSAGES_MAX 1024 /* as the kernel's own limit */
#define CONTROL_MESSAGES_MAX 16

static __always_inline void encode_send(
	struct scratch *event, const struct syscall_registers *regs, s64 ret, u64 name, u32 name_bytes)
{
	s32 descriptor = syscall_int(regs, 0);
	u64 address = syscall_argument(regs, 1), size = (u32)syscall_argument(regs, 2), bytes = attempted(ret, size);

	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_bytes(event, address, snap_moved(descriptor, name, address, bytes, bytes)); /* 2: data (PT_BYTEBUF) */
	put_s64(event, descriptor); /* 3: fd (PT_FD) */
	put_u32(event, size); /* 4: size */
	put_tuple((u64)sock_of(descriptor), OUTBOUND, name, name_bytes, SLOT_CPU); /* 5: tuple (PT_SOCKTUPLE) */
	event_output(event);
}

SYSCALL_PROGRAM(sendto)
{
	EVENT_BEGIN(event, PPME_SOCKET_SENDTO_X, PROBE_CLASS_OTHER);
	encode_send(event, regs, ret, syscall_argument(regs, 4), syscall_argument(regs, 5));
}

/* Of 32-bit callers, by socketcall. */
SYSCALL_PROGRAM(send)
{
	EVENT_BEGIN(event, PPME_SOCKET_SEND_X, PROBE_CLASS_OTHER);
	encode_send(event, regs, ret, 0, 0);
}

SYSCALL_PROGRAM(recvfrom)
{
	s32 descriptor = syscall_int(regs, 0);
	struct sock *socket = ret >= 0 ? sock_of(descriptor) : NULL;
	u64 address = syscall_argument(regs, 1), name = syscall_argument(regs, 4);

	EVENT_BEGIN(event, PPME_SOCKET_RECVFROM_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_bytes(event, address, snap_moved(descriptor, name, address, moved(ret), moved(ret))); /* 2: data (PT_BYTEBUF) */
	put_tuple((u64)socket, INBOUND, name, user_u32(syscall_argument(regs, 5)), SLOT_CPU); /* 3: tuple (PT_SOCKTUPLE) */
	put_s64(event, descriptor); /* 4: fd (PT_FD) */
	put_u32(event, syscall_argument(regs, 2)); /* 5: size */
	event_output(event);
}

/* Of 32-bit callers, by socketcall. */
SYSCALL_PROGRAM(recv)
{
	s32 descriptor = syscall_int(regs, 0);
	struct sock *socket = ret >= 0 ? sock_of(descriptor) : NULL;
	u64 address = syscall_argument(regs, 1);

	EVENT_BEGIN(event, PPME_SOCKET_RECV_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_bytes(event, address, snap_moved(descriptor, 0, address, moved(ret), moved(ret))); /* 2: data (PT_BYTEBUF) */
	put_s64(event, descriptor); /* 3: fd (PT_FD) */
	put_u32(event, syscall_argument(regs, 2)); /* 4: size */
	put_tuple((u64)socket, INBOUND, 0, 0, SLOT_CPU); /* 5: tuple (PT_SOCKTUPLE) */
	event_output(event);
}

/* A message header in the 64-bit layout. */
static __always_inline void widen_message(struct user_msghdr *to, const struct user_msghdr32 *from)
{
	to->name = from->name;
	to->name_length = from->name_length;
	to->iov = from->iov;
	to->iov_count = from->iov_count;
	to->control = from->control;
	to->control_length = from->control_length;
	to->flags = from->flags;
}

static __always_inline long read_message(struct user_msghdr *to, u64 address, u32 layout)
{
	struct user_msghdr32 narrow;

	if (!(layout & LAYOUT_32))
		return bpf_probe_read_user(to, sizeof(*to), (void *)address);
	if (bpf_probe_read_user(&narrow, sizeof(narrow), (void *)address))
		return -1;
	widen_message(to, &narrow);
	return 0;
}

SYSCALL_PROGRAM(sendmsg)
{
	struct user_msghdr header = {};
	s32 descriptor = syscall_int(regs, 0);
	u64 address = syscall_argument(regs, 1);
	bool known = address && !read_message(&header, address, event->layout);
	u32 size = known ? iovec_bytes(header.iov, header.iov_count, event->layout) : 0;

	EVENT_BEGIN(event, PPME_SOCKET_SENDMSG_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	if (known)
		put_moved_parts(event, descriptor, header.name, header.iov, header.iov_count,
			attempted(ret, size)); /* 2: data (PT_BYTEBUF) */
	else
		put_empty(event);
	put_s64(event, descriptor); /* 3: fd (PT_FD) */
	if (known)
		put_u32(event, size); /* 4: size */
	else
		put_empty(event);
	put_tuple((u64)sock_of(descriptor), OUTBOUND, header.name, header.name_length, SLOT_CPU); /* 5: tuple (PT_SOCKTUPLE) */
	event_output(event);
}

/* Control messages of a 32-bit caller in the 64-bit layout: their headers are longer, their data begin elsewhere. */
__noinline int put_control32(u64 control, u64 bytes, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct user_cmsghdr32 narrow;
	struct user_cmsghdr *wide;
	u32 i, at, start, data;

	if (!event)
		return -1;
	start = event->position;
	event->cursor = 0;
	for (i = 0; i < CONTROL_MESSAGES_MAX; i++) {
		at = event->cursor;
		if (at + sizeof(narrow) > bytes || bpf_probe_read_user(&narrow, sizeof(narrow), (void *)(control + at)))
			break;
		data = narrow.length - sizeof(narrow);
		if (narrow.length < sizeof(narrow) || narrow.length > bytes - at || data > PROBE_ARGUMENTS_BYTES_MAX)
			break;
		wide = (struct user_cmsghdr *)(event->record + (event->position & RECORD_MASK));
		wide->length = data + sizeof(*wide);
		wide->level = narrow.level;
		wide->type = narrow.type;
		event->position += sizeof(*wide);
		*(u64 *)(event->record + ((event->position + data) & RECORD_MASK)) = 0; /* what rounds it up */
		append_user_bytes(event, event->position, control + at + sizeof(narrow), data);
		event->position += (data + 7) & ~7u;
		event->cursor = at + ((narrow.length + 3) & ~3u);
	}
	data = event->position - start;
	event->position = start;
	put_length(event, data);
	return 0;
}

/* Control messages that came with a message. */
static __always_inline void put_control(struct scratch *event, const struct user_msghdr *header)
{
	u64 bytes = header->control ? header->control_length : 0;

	if (bytes > PROBE_ARGUMENTS_BYTES_MAX)
		bytes = PROBE_ARGUMENTS_BYTES_MAX;
	if (event->layout & LAYOUT_32)
		put_control32(header->control, bytes, SLOT_CPU);
	else
		put_user_bytes(event, header->control, bytes);
}

SYSCALL_PROGRAM(recvmsg)
{
	struct user_msghdr header = {};
	s32 descriptor = syscall_int(regs, 0);
	struct sock *socket = NULL;

	if (ret >= 0 && !read_message(&header, syscall_argument(regs, 1), event->layout))
		socket = sock_of(descriptor);
	EVENT_BEGIN(event, PPME_SOCKET_RECVMSG_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u32(event, moved(ret)); /* 2: size */
	put_moved_parts(event, descriptor, header.name, header.iov, header.iov_count, moved(ret)); /* 3: data (PT_BYTEBUF) */
	put_tuple((u64)socket, INBOUND, header.name, header.name_length, SLOT_CPU); /* 4: tuple (PT_SOCKTUPLE) */
	put_control(event, &header); /* 5: msgcontrol (PT_BYTEBUF) */
	put_s64(event, descriptor); /* 6: fd (PT_FD) */
	event_output(event);
}

/* One of the messages of sendmmsg or recvmmsg is an event of its own. Returns 0 if it cannot be read. */
__noinline int encode_message(u64 messages, u32 index, s32 descriptor, u64 socket, u32 direction)
{
	struct scratch *event = scratch_slot(SLOT_CPU);
	struct user_msghdr header = {};
	u64 ids = bpf_get_current_pid_tgid(), address;
	u32 length = 0;

	if (!event)
		return 0;
	if (event->layout & LAYOUT_32)
		address = messages + index * sizeof(struct user_mmsghdr32);
	else
		address = messages + index * sizeof(struct user_mmsghdr);
	if (read_message(&header, address, event->layout))
		return 0;
	address += event->layout & LAYOUT_32 ? sizeof(struct user_msghdr32) : sizeof(header);
	if (bpf_probe_read_user(&length, sizeof(length), (void *)address))
		return 0;
	event_begin(event, direction == OUTBOUND ? PPME_SOCKET_SENDMMSG_X : PPME_SOCKET_RECVMMSG_X,
		direction == OUTBOUND ? PPME_SOCKET_SENDMMSG_X_NPARAMS : PPME_SOCKET_RECVMMSG_X_NPARAMS, PROBE_CLASS_OTHER,
		(u32)ids, ids >> 32);
	put_s64(event, length); /* 1: res (PT_ERRNO) */
	put_s64(event, descriptor); /* 2: fd (PT_FD) */
	/* 3: size; of the messages sent, the last alone may have been longer than what went out */
	put_u32(event, direction == OUTBOUND && index == event->last ? iovec_bytes(header.iov, header.iov_count, event->layout)
								     : length);
	put_moved_parts(event, descriptor, header.name, header.iov, header.iov_count, length); /* 4: data (PT_BYTEBUF) */
	put_tuple(socket, direction, header.name, header.name_length, SLOT_CPU); /* 5: tuple (PT_SOCKTUPLE) */
	if (direction == INBOUND)
		put_control(event, &header); /* 6: msgcontrol (PT_BYTEBUF) */
	event_output(event);
	return 1;
}

/* `range`: the first one | how many << 16. */
__noinline int encode_message_run(u64 messages, u32 range, s32 descriptor, u64 socket, u32 direction)
{
	u32 i;

	for (i = 0; i < RUN; i++) {
		if (i >= range >> 16)
			break;
		if (!encode_message(messages, (range & 0xffff) + i, descriptor, socket, direction))
			return 0;
	}
	return 1;
}

static __always_inline void encode_messages(struct scratch *event, const struct syscall_registers *regs, s64 ret, u32 direction)
{
	u64 messages = syscall_argument(regs, 1);
	s32 descriptor = syscall_int(regs, 0);
	u64 socket;
	u32 first, count;

	if (ret <= 0) {
		if (direction == OUTBOUND)
			EVENT_BEGIN(event, PPME_SOCKET_SENDMMSG_X, PROBE_CLASS_OTHER);
		else
			EVENT_BEGIN(event, PPME_SOCKET_RECVMMSG_X, PROBE_CLASS_OTHER);
		put_s64(event, ret); /* 1: res (PT_ERRNO) */
		put_s64(event, descriptor); /* 2: fd (PT_FD) */
		put_u32(event, 0); /* 3: size */
		put_empty(event); /* 4: data */
		put_empty(event); /* 5: tuple */
		if (direction == INBOUND)
			put_empty(event); /* 6: msgcontrol */
		event_output(event);
		return;
	}
	event->last = ret - 1;
	socket = (u64)sock_of(descriptor);
	for (first = 0; first < MESSAGES_MAX && first < ret; first += RUN) {
		count = ret - first < RUN ? ret - first : RUN;
		if (!encode_message_run(messages, first | count << 16, descriptor, socket, direction)) {
			count_drop(PROBE_DROP_READ_FAULT); /* a message and what follows it */
			return;
		}
	}
}

SYSCALL_PROGRAM(sendmmsg)
{
	encode_messages(event, regs, ret, OUTBOUND);
}

SYSCALL_PROGRAM(recvmmsg)
{
	encode_messages(event, regs, ret, INBOUND);
}

#endif
