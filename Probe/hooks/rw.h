/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* read, write and their relatives: the first bytes (snaplen) of what was moved. */
#ifndef PROBE_HOOK_RW_H
#define PROBE_HOOK_RW_H

#define IOVECS_MAX 1024 /* as the kernel's own limit */
#define IOVECS_COPIED_MAX 64

enum rw_number {
	NUMBER_PREAD64 = 17,
	NUMBER_PWRITE64 = 18,
	NUMBER_PREADV = 295,
	NUMBER_PWRITEV = 296,
};

/* How much of `bytes` a data parameter takes. */
static __always_inline u32 snap(u64 bytes)
{
	struct probe_settings *set = settings_get();
	u32 limit = set ? set->snaplen : 0;

	return bytes > limit ? limit : bytes;
}

/* The sum of an array of iovecs. */
__noinline u32 iovec_bytes(u64 array, u64 count)
{
	struct user_iovec vector;
	u32 i, bytes = 0;

	for (i = 0; i < IOVECS_MAX; i++) {
		if (i >= count || bpf_probe_read_user(&vector, sizeof(vector), (void *)(array + i * sizeof(vector))))
			break;
		bytes += vector.length;
	}
	return bytes;
}

/* Puts the first `wanted` bytes behind an array of iovecs as a parameter. */
__noinline int put_iovec_data(u64 array, u64 count, u32 wanted, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct user_iovec vector;
	u32 i, start, bytes;

	if (!event)
		return -1;
	start = event->position;
	event->left = wanted;
	for (i = 0; i < IOVECS_COPIED_MAX; i++) {
		if (i >= count || bpf_probe_read_user(&vector, sizeof(vector), (void *)(array + i * sizeof(vector))))
			break;
		bytes = event->left;
		if (vector.length < bytes)
			bytes = vector.length;
		if (append_user_bytes(event, event->position, vector.base, bytes) != bytes)
			break;
		event->position += bytes;
		event->left -= bytes;
		if (!event->left)
			break;
	}
	bytes = event->position - start;
	event->position = start;
	put_length(event, bytes);
	return 0;
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
	u64 address = syscall_argument(regs, 1);
	u32 size = syscall_argument(regs, 2);

	if (number == NUMBER_PREAD64)
		EVENT_BEGIN(event, PPME_SYSCALL_PREAD_X, PROBE_CLASS_OTHER);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_READ_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_bytes(event, address, snap(moved(ret))); /* 2: data (PT_BYTEBUF) */
	put_s64(event, syscall_int(regs, 0)); /* 3: fd (PT_FD) */
	put_u32(event, size); /* 4: size */
	if (number == NUMBER_PREAD64)
		put_u64(event, syscall_argument(regs, 3)); /* 5: pos */
	event_output(event);
}

SYSCALL_PROGRAM(write)
{
	u64 address = syscall_argument(regs, 1);
	u32 size = syscall_argument(regs, 2);

	if (number == NUMBER_PWRITE64)
		EVENT_BEGIN(event, PPME_SYSCALL_PWRITE_X, PROBE_CLASS_OTHER);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_WRITE_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_bytes(event, address, snap(attempted(ret, size))); /* 2: data (PT_BYTEBUF) */
	put_s64(event, syscall_int(regs, 0)); /* 3: fd (PT_FD) */
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
	put_iovec_data(
		syscall_argument(regs, 1), syscall_argument(regs, 2), snap(moved(ret)), SLOT_CPU); /* 3: data (PT_BYTEBUF) */
	put_s64(event, syscall_int(regs, 0)); /* 4: fd (PT_FD) */
	if (number == NUMBER_PREADV)
		put_u64(event, syscall_argument(regs, 3)); /* 5: pos */
	event_output(event);
}

SYSCALL_PROGRAM(writev)
{
	u64 array = syscall_argument(regs, 1), count = syscall_argument(regs, 2);
	u32 size = iovec_bytes(array, count);

	if (number == NUMBER_PWRITEV)
		EVENT_BEGIN(event, PPME_SYSCALL_PWRITEV_X, PROBE_CLASS_OTHER);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_WRITEV_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_iovec_data(array, count, snap(attempted(ret, size)), SLOT_CPU); /* 2: data (PT_BYTEBUF) */
	put_s64(event, syscall_int(regs, 0)); /* 3: fd (PT_FD) */
	put_u32(event, size); /* 4: size */
	if (number == NUMBER_PWRITEV)
		put_u64(event, syscall_argument(regs, 3)); /* 5: pos */
	event_output(event);
}

#endif
