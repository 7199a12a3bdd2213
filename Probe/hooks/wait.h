/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Waiting, semaphores, rings, moving between files: calls with a structure in memory. */
#ifndef PROBE_HOOK_WAIT_H
#define PROBE_HOOK_WAIT_H

#define POLLED_MAX 64
#define NUMBER_PPOLL 271
#define SETVAL 16
#define E2BIG 7

struct user_pollfd {
	s32 fd;
	s16 events;
	s16 returned;
};

struct user_sembuf {
	u16 number;
	s16 operation;
	s16 flags;
};

struct user_io_uring_params {
	u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features;
};

static __always_inline u16 map_poll_events(u32 flags)
{
	u16 result = flags & 7; /* IN PRI OUT */

	FLAG_IF(0x2000, 8); /* RDHUP */
	FLAG_IF(0x0008, 16); /* ERR */
	FLAG_IF(0x0010, 32); /* HUP */
	FLAG_IF(0x0020, 64); /* NVAL */
	FLAG_IF(0x0040, 128); /* RDNORM */
	FLAG_IF(0x0080, 256); /* RDBAND */
	FLAG_IF(0x0100, 512); /* WRNORM */
	FLAG_IF(0x0200, 1024); /* WRBAND */
	return result;
}

/* A PT_FDLIST of what was polled and what was found. */
__noinline int put_polled(u64 array, u64 count, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct user_pollfd entry;
	u32 i, start;
	u8 *to;

	if (!event)
		return -1;
	start = event->position;
	event->position += 2;
	for (i = 0; i < POLLED_MAX; i++) {
		if (i >= count || bpf_probe_read_user(&entry, sizeof(entry), (void *)(array + i * sizeof(entry))))
			break;
		to = event->record + (event->position & RECORD_MASK);
		*(s64 *)to = entry.fd;
		*(u16 *)(to + 8) = map_poll_events((u16)entry.returned);
		event->position += 10;
	}
	*(u16 *)(event->record + (start & RECORD_MASK)) = i;
	event->position = start;
	put_length(event, 2 + 10 * i);
	return 0;
}

static __always_inline u64 user_timespec(u64 address, u32 layout)
{
	u64 time[2] = {};
	s32 narrow[2] = {};

	if (address && layout & LAYOUT_TIME32) {
		bpf_probe_read_user(narrow, sizeof(narrow), (void *)address);
		return narrow[0] * 1000000000ll + narrow[1];
	}
	if (address)
		bpf_probe_read_user(time, sizeof(time), (void *)address);
	return time[0] * 1000000000 + time[1];
}

SYSCALL_PROGRAM(poll)
{
	if (number == NUMBER_PPOLL)
		EVENT_BEGIN(event, PPME_SYSCALL_PPOLL_X, PROBE_CLASS_OTHER);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_POLL_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_polled(syscall_argument(regs, 0), syscall_argument(regs, 1), SLOT_CPU); /* 2: fds (PT_FDLIST) */
	if (number == NUMBER_PPOLL) {
		put_u64(event, user_timespec(syscall_argument(regs, 2), event->layout)); /* 3: timeout (PT_RELTIME) */
		put_u32(event, user_u32(syscall_argument(regs, 3))); /* 4: sigmask (PT_SIGSET) */
	} else {
		put_s64(event, syscall_int(regs, 2)); /* 3: timeout */
	}
	event_output(event);
}

SYSCALL_PROGRAM(nanosleep)
{
	EVENT_BEGIN(event, PPME_SYSCALL_NANOSLEEP_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u64(event, user_timespec(syscall_argument(regs, 0), event->layout)); /* 2: interval (PT_RELTIME) */
	event_output(event);
}

static __always_inline u16 map_sem_flags(u32 flags)
{
	u16 result = 0;

	FLAG_IF(04000, 1); /* IPC_NOWAIT */
	FLAG_IF(0x1000, 2); /* SEM_UNDO */
	return result;
}

SYSCALL_PROGRAM(semop)
{
	struct user_sembuf operations[2] = {};
	u64 address = syscall_argument(regs, 1);
	u32 count = syscall_argument(regs, 2);

	/* More operations than it takes are refused unread. */
	if (ret == -E2BIG)
		address = 0;
	if (address && count)
		bpf_probe_read_user(&operations[0], sizeof(operations[0]), (void *)address);
	if (address && count > 1)
		bpf_probe_read_user(&operations[1], sizeof(operations[1]), (void *)(address + sizeof(operations[0])));
	EVENT_BEGIN(event, PPME_SYSCALL_SEMOP_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u32(event, count); /* 2: nsops */
	put_u16(event, operations[0].number); /* 3: sem_num_0 */
	put_u16(event, operations[0].operation); /* 4: sem_op_0 */
	put_u16(event, map_sem_flags(operations[0].flags)); /* 5: sem_flg_0 (PT_FLAGS16) */
	put_u16(event, operations[1].number); /* 6: sem_num_1 */
	put_u16(event, operations[1].operation); /* 7: sem_op_1 */
	put_u16(event, map_sem_flags(operations[1].flags)); /* 8: sem_flg_1 (PT_FLAGS16) */
	put_u32(event, syscall_argument(regs, 0)); /* 9: semid */
	event_output(event);
}

static __always_inline u16 map_semctl_command(u32 command)
{
	switch (command & 0xff) {
	case 0: return 4; /* IPC_RMID */
	case 1: return 2; /* IPC_SET */
	case 2: return 1; /* IPC_STAT */
	case 3: return 8; /* IPC_INFO */
	case 11: return 256; /* GETPID */
	case 12: return 512; /* GETVAL */
	case 13: return 64; /* GETALL */
	case 14: return 128; /* GETNCNT */
	case 15: return 1024; /* GETZCNT */
	case 16: return 4096; /* SETVAL */
	case 17: return 2048; /* SETALL */
	case 18: return 32; /* SEM_STAT */
	case 19: return 16; /* SEM_INFO */
	default: return 0;
	}
}

SYSCALL_PROGRAM(semctl)
{
	u32 command = syscall_argument(regs, 2);

	EVENT_BEGIN(event, PPME_SYSCALL_SEMCTL_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u32(event, syscall_argument(regs, 0)); /* 2: semid */
	put_u32(event, syscall_argument(regs, 1)); /* 3: semnum */
	put_u16(event, map_semctl_command(command)); /* 4: cmd (PT_FLAGS16) */
	put_u32(event, (command & 0xff) == SETVAL ? syscall_argument(regs, 3) : 0); /* 5: val */
	event_output(event);
}

static __always_inline u32 map_io_uring_setup(u32 flags)
{
	u32 result = flags & 3; /* IOPOLL SQPOLL */

	FLAG_IF(4, 8); /* SQ_AFF */
	FLAG_IF(8, 16); /* CQSIZE */
	FLAG_IF(16, 32); /* CLAMP */
	FLAG_IF(32, 64); /* ATTACH_WQ */
	FLAG_IF(64, 128); /* R_DISABLED */
	return result;
}

SYSCALL_PROGRAM(io_uring_setup)
{
	struct user_io_uring_params given = {};
	u64 address = syscall_argument(regs, 1);

	if (address)
		bpf_probe_read_user(&given, sizeof(given), (void *)address);
	EVENT_BEGIN(event, PPME_SYSCALL_IO_URING_SETUP_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u32(event, syscall_argument(regs, 0)); /* 2: entries */
	put_u32(event, given.sq_entries); /* 3: sq_entries */
	put_u32(event, given.cq_entries); /* 4: cq_entries */
	put_u32(event, map_io_uring_setup(given.flags)); /* 5: flags (PT_FLAGS32) */
	put_u32(event, given.sq_thread_cpu); /* 6: sq_thread_cpu */
	put_u32(event, given.sq_thread_idle); /* 7: sq_thread_idle */
	put_u32(event, given.features & 0x7ff); /* 8: features (PT_FLAGS32) */
	event_output(event);
}

#define IA32_SENDFILE 187 /* its offset is a long; that of sendfile64 is not */

SYSCALL_PROGRAM(sendfile)
{
	u64 address = syscall_argument(regs, 2), offset;

	if (event->layout & LAYOUT_32 && regs->native == IA32_SENDFILE)
		offset = (s64)(s32)user_u32(address);
	else
		offset = user_u64(address);
	EVENT_BEGIN(event, PPME_SYSCALL_SENDFILE_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u64(event, offset); /* 2: offset */
	put_s64(event, syscall_int(regs, 0)); /* 3: out_fd (PT_FD) */
	put_s64(event, syscall_int(regs, 1)); /* 4: in_fd (PT_FD) */
	put_u64(event, syscall_argument(regs, 3)); /* 5: size */
	event_output(event);
}

#endif
