/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* read, write and their relatives: the first bytes (snaplen) of what was moved. */
#ifndef PROBE_HOOK_RW_H
#define PROBE_HOOK_RW_H

#define IOVECS_MAX 1024 /* as the kernel's own limit */

enum rw_number {
	NUMBER_PREAD64 = 17,
	NUMBER_PWRITE64 = 18,
	NUMBER_PREADV = 295,
	NUMBER_PWRITEV = 296,
};

/* One of an array of iovecs: two words of the caller's width. */
static __always_inline long read_iovec(struct user_iovec *to, u64 array, u64 index, u32 layout)
{
	u32 bytes = 2 * word_bytes(layout);
	long result = bpf_probe_read_user(to, bytes, (void *)(array + index * bytes));

	if (layout & LAYOUT_32) {
		to->length = to->base >> 32;
		to->base = (u32)to->base;
	}
	return result;
}

/* Long lists are walked in runs of this many, each by a function of its own: the verifier looks at one run only. */
#define RUN 32

__noinline u32 iovec_run_bytes(u64 array, u64 first, u64 count, u32 layout)
{
	struct user_iovec vector = {};
	u32 i, bytes = 0;

	for (i = 0; i < RUN; i++) {
		if (first + i >= count || read_iovec(&vector, array, first + i, layout))
			break;
		bytes += vector.length;
	}
	return bytes;
}

/* The sum of an array of iovecs. */
__noinline u32 iovec_bytes(u64 array, u64 count, u32 layout)
{
	u32 first, bytes = 0;

	for (first = 0; first < IOVECS_MAX && first < count; first += RUN)
		bytes += iovec_run_bytes(array, first, count, layout);
	return bytes;
}

/* Appends what a run of iovecs points to, at most event->left bytes; 0 of them are left where it has to end. */
__noinline int append_iovec_run(u64 array, u64 first, u64 count, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct user_iovec vector = {};
	u32 i, bytes;

	if (!event)
		return -1;
	if (!event->runs) {
		note_fault(event);
		event->left = 0;
		return 0;
	}
	event->runs--;
	for (i = 0; i < RUN; i++) {
		if (!event->left)
			break;
		if (first + i >= count || read_iovec(&vector, array, first + i, event->layout)) {
			event->left = 0;
			break;
		}
		bytes = event->left;
		if (vector.length < bytes)
			bytes = vector.length;
		if (append_user_bytes(event, event->position, vector.base, bytes) != bytes) {
			event->left = 0;
			break;
		}
		event->position += bytes;
		event->left -= bytes;
	}
	return 0;
}

/* Puts the first `wanted` bytes behind an array of iovecs as a parameter. */
__noinline int put_iovec_data(u64 array, u64 count, u32 wanted, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	u32 first, start, bytes;

	if (!event)
		return -1;
	start = event->position;
	event->left = wanted;
	for (first = 0; first < IOVECS_MAX && event->left; first += RUN)
		append_iovec_run(array, first, count, slot);
	bytes = event->position - start;
	event->position = start;
	put_length(event, bytes);
	return 0;
}

/* The same of what went through `descriptor`; a protocol shows in the first part. */
static __always_inline void put_moved_parts(struct scratch *event, s32 descriptor, u64 name, u64 array, u64 count, u64 bytes)
{
	struct probe_settings *set = settings_get();
	struct user_iovec first = {};

	if (set && set->dynamic_snaplen && count)
		read_iovec(&first, array, 0, event->layout);
	if (first.length > bytes)
		first.length = bytes;
	put_iovec_data(array, count, snap_moved(descriptor, name, first.base, first.length, bytes), SLOT_CPU);
}

/* What a writing call was given to move: what it moved, or, where it failed, what it was asked to. */
static __always_inline u64 attempted(s64 ret, u64 asked)
{
	return ret >= 0 ? ret : asked;
}

static __always_inline u64 moved(s64 ret)
{
	return ret > 0 ? ret : 0;
}

SYSCALL_PROGRAM(read)
{
	s32 fd = syscall_int(regs, 0);
	u64 address = syscall_argument(regs, 1);
	u32 size = syscall_argument(regs, 2);

	if (number == NUMBER_PREAD64)
		EVENT_BEGIN(event, PPME_SYSCALL_PREAD_X, PROBE_CLASS_OTHER);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_READ_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_bytes(event, address, snap_moved(fd, 0, address, moved(ret), moved(ret))); /* 2: data (PT_BYTEBUF) */
	put_s64(event, fd); /* 3: fd (PT_FD) */
	put_u32(event, size); /* 4: size */
	if (number == NUMBER_PREAD64)
		put_u64(event, syscall_argument(regs, 3)); /* 5: pos */
	event_output(event);
}

SYSCALL_PROGRAM(write)
{
	s32 fd = syscall_int(regs, 0);
	u64 address = syscall_argument(regs, 1);
	u32 size = syscall_argument(regs, 2);

	if (number == NUMBER_PWRITE64)
		EVENT_BEGIN(event, PPME_SYSCALL_PWRITE_X, PROBE_CLASS_OTHER);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_WRITE_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_bytes(event, address,
		snap_moved(fd, 0, address, attempted(ret, size), attempted(ret, size))); /* 2: data (PT_BYTEBUF) */
	put_s64(event, fd); /* 3: fd (PT_FD) */
	put_u32(event, size); /* 4: size */
	if (number == NUMBER_PWRITE64)
		put_u64(event, syscall_argument(regs, 3)); /* 5: pos */
	event_output(event);
}

SYSCALL_PROGRAM(readv)
{
	if (number == NUMBER_PREADV)
		EVENT_BEGIN(event, PPME_SYSCALL_PREADV_X, PROBE_CLASS_OTHER);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_READV_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u32(event, moved(ret)); /* 2: size */
	put_moved_parts(event, syscall_int(regs, 0), 0, syscall_argument(regs, 1), syscall_argument(regs, 2),
		moved(ret)); /* 3: data (PT_BYTEBUF) */
	put_s64(event, syscall_int(regs, 0)); /* 4: fd (PT_FD) */
	if (number == NUMBER_PREADV)
		put_u64(event, syscall_argument(regs, 3)); /* 5: pos */
	event_output(event);
}

SYSCALL_PROGRAM(writev)
{
	u64 array = syscall_argument(regs, 1), count = syscall_argument(regs, 2);
	u32 size = iovec_bytes(array, count, event->layout);

	if (number == NUMBER_PWRITEV)
		EVENT_BEGIN(event, PPME_SYSCALL_PWRITEV_X, PROBE_CLASS_OTHER);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_WRITEV_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_moved_parts(event, syscall_int(regs, 0), 0, array, count, attempted(ret, size)); /* 2: data (PT_BYTEBUF) */
	put_s64(event, syscall_int(regs, 0)); /* 3: fd (PT_FD) */
	put_u32(event, size); /* 4: size */
	if (number == NUMBER_PWRITEV)
		put_u64(event, syscall_argument(regs, 3)); /* 5: pos */
	event_output(event);
}

#endif
