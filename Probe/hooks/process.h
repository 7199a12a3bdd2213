/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a process sets or asks about itself and others: prctl, ptrace, limits, identities, the memory of others. */
#ifndef PROBE_HOOK_PROCESS_H
#define PROBE_HOOK_PROCESS_H

#define PR_SET_NAME 15
#define PR_GET_CHILD_SUBREAPER 37

enum process_number {
	NUMBER_GETRESGID = 120,
	NUMBER_SETRLIMIT = 160,
	NUMBER_PROCESS_VM_WRITEV = 311,
};

static __always_inline u64 user_u64(u64 address)
{
	u64 value = 0;

	if (address)
		bpf_probe_read_user(&value, sizeof(value), (void *)address);
	return value;
}

/* Alternatives of a dynamic parameter begin with their index in dynamic.def. */
static __always_inline void put_dynamic_u64(struct scratch *event, u8 alternative, u64 value)
{
	u8 *to = event->record + (event->position & RECORD_MASK);

	to[0] = alternative;
	*(u64 *)(to + 1) = value;
	put_length(event, 9);
}

static __always_inline void put_dynamic_u32(struct scratch *event, u8 alternative, u32 value)
{
	u8 *to = event->record + (event->position & RECORD_MASK);

	to[0] = alternative;
	*(u32 *)(to + 1) = value;
	put_length(event, 5);
}

static __always_inline void put_dynamic_u8(struct scratch *event, u8 alternative, u8 value)
{
	u8 *to = event->record + (event->position & RECORD_MASK);

	to[0] = alternative;
	to[1] = value;
	put_length(event, 2);
}

static __always_inline void put_dynamic_string(struct scratch *event, u8 alternative, u64 address)
{
	long bytes;

	event->record[event->position & RECORD_MASK] = alternative;
	bytes = bpf_probe_read_user_str(
		event->record + ((event->position + 1) & RECORD_MASK), PROBE_PATH_BYTES_MAX, (void *)address);
	put_length(event, bytes > 0 ? bytes + 1 : 1);
}

SYSCALL_PROGRAM(prctl)
{
	u32 option = syscall_argument(regs, 0);
	u64 argument = syscall_argument(regs, 1);

	EVENT_BEGIN(event, PPME_SYSCALL_PRCTL_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u32(event, option); /* 2: option (PT_ENUMFLAGS32) */
	switch (option) {
	case PR_SET_NAME:
		put_user_string(event, argument); /* 3: arg2_str */
		put_s64(event, 0); /* 4: arg2_int */
		break;
	case PR_GET_CHILD_SUBREAPER:
		put_empty(event);
		put_s64(event, (s32)user_u32(argument));
		break;
	default:
		put_empty(event);
		put_s64(event, argument);
		break;
	}
	event_output(event);
}

/* The value in ptrace_requests; 0 for a request without a name. */
static __always_inline u16 map_ptrace_request(u32 request)
{
	switch (request) {
	case 0 ... 9: return request + 1; /* TRACEME … SINGLESTEP */
	case 12 ... 15: return request + 14; /* GETREGS SETREGS GETFPREGS SETFPREGS */
	case 16: return 11; /* ATTACH */
	case 17: return 12; /* DETACH */
	case 18: return 30; /* GETFPXREGS */
	case 19: return 31; /* SETFPXREGS */
	case 21: return 32; /* OLDSETOPTIONS */
	case 24: return 13; /* SYSCALL */
	case 25: return 33; /* GET_THREAD_AREA */
	case 26: return 34; /* SET_THREAD_AREA */
	case 30: return 35; /* ARCH_PRCTL */
	case 31: return 36; /* SYSEMU */
	case 32: return 37; /* SYSEMU_SINGLESTEP */
	case 33: return 38; /* SINGLEBLOCK */
	case 0x4200 ... 0x420b: return request - 0x4200 + 14; /* SETOPTIONS … SETSIGMASK */
	default: return 0;
	}
}

SYSCALL_PROGRAM(ptrace)
{
	u32 request = syscall_argument(regs, 0);
	u64 address = syscall_argument(regs, 2), data = syscall_argument(regs, 3);

	EVENT_BEGIN(event, PPME_SYSCALL_PTRACE_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_dynamic_u64(event, 0, ret < 0 ? 0 : address); /* 2: addr (PT_DYN) */
	if (ret < 0)
		put_dynamic_u64(event, 0, 0); /* 3: data (PT_DYN) */
	else if (request >= 1 && request <= 3) /* PEEKTEXT PEEKDATA PEEKUSR: where the kernel put the word */
		put_dynamic_u64(event, 0, event->layout & LAYOUT_32 ? user_u32(data) : user_u64(data));
	else if (request == 7 || request == 9 || request == 17 || request == 24) /* CONT SINGLESTEP DETACH SYSCALL: a signal */
		put_dynamic_u8(event, 1, data);
	else
		put_dynamic_u64(event, 0, data);
	put_u16(event, map_ptrace_request(request)); /* 4: request (PT_ENUMFLAGS16) */
	put_s64(event, syscall_int(regs, 1)); /* 5: pid (PT_PID) */
	event_output(event);
}

static __always_inline u32 user_id(u64 address, u32 layout)
{
	u16 narrow = 0;

	if (!(layout & LAYOUT_ID16))
		return user_u32(address);
	if (address)
		bpf_probe_read_user(&narrow, sizeof(narrow), (void *)address);
	return narrow;
}

SYSCALL_PROGRAM(getresid)
{
	if (number == NUMBER_GETRESGID)
		EVENT_BEGIN(event, PPME_SYSCALL_GETRESGID_X, PROBE_CLASS_OTHER);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_GETRESUID_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u32(event, user_id(syscall_argument(regs, 0), event->layout)); /* 2: the real one */
	put_u32(event, user_id(syscall_argument(regs, 1), event->layout)); /* 3: the effective one */
	put_u32(event, user_id(syscall_argument(regs, 2), event->layout)); /* 4: the saved one */
	event_output(event);
}

/* A limit of 32 bits; all ones mean none. */
static __always_inline u64 widen_limit(u32 limit)
{
	return limit == (u32)-1 ? (u64)-1 : limit;
}

/* `layout`: prlimit has 64 bits for everybody. */
static __always_inline void put_limits(struct scratch *event, u64 address, u64 missing, u32 layout)
{
	u64 limits[2] = {missing, missing};
	u32 narrow[2];

	if (address && layout & LAYOUT_32) {
		if (!bpf_probe_read_user(narrow, sizeof(narrow), (void *)address)) {
			limits[0] = widen_limit(narrow[0]);
			limits[1] = widen_limit(narrow[1]);
		}
	} else if (address && bpf_probe_read_user(limits, sizeof(limits), (void *)address)) {
		limits[0] = limits[1] = missing;
	}
	put_u64(event, limits[0]);
	put_u64(event, limits[1]);
}

static __always_inline u8 map_resource(u32 resource)
{
	return resource > 15 ? 255 : resource;
}

SYSCALL_PROGRAM(rlimit)
{
	u64 limits = syscall_argument(regs, 1);

	if (number == NUMBER_SETRLIMIT)
		EVENT_BEGIN(event, PPME_SYSCALL_SETRLIMIT_X, PROBE_CLASS_OTHER_INTEREST);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_GETRLIMIT_X, PROBE_CLASS_OTHER);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	if (number == NUMBER_SETRLIMIT)
		put_limits(event, limits, 0, event->layout); /* 2: cur, 3: max */
	else
		put_limits(event, ret < 0 ? 0 : limits, -1, event->layout);
	put_u8(event, map_resource(syscall_argument(regs, 0))); /* 4: resource (PT_ENUMFLAGS8) */
	event_output(event);
}

SYSCALL_PROGRAM(prlimit)
{
	EVENT_BEGIN(event, PPME_SYSCALL_PRLIMIT_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_limits(event, syscall_argument(regs, 2), 0, 0); /* 2: newcur, 3: newmax */
	put_limits(event, ret < 0 ? 0 : syscall_argument(regs, 3), -1, 0); /* 4: oldcur, 5: oldmax */
	put_s64(event, syscall_int(regs, 0)); /* 6: pid */
	put_u8(event, map_resource(syscall_argument(regs, 1))); /* 7: resource (PT_ENUMFLAGS8) */
	event_output(event);
}

SYSCALL_PROGRAM(process_vm)
{
	u64 array = syscall_argument(regs, 1), count = syscall_argument(regs, 2);

	if (number == NUMBER_PROCESS_VM_WRITEV)
		EVENT_BEGIN(event, PPME_SYSCALL_PROCESS_VM_WRITEV_X, PROBE_CLASS_OTHER_INTEREST);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_PROCESS_VM_READV_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res */
	put_s64(event, syscall_int(regs, 0)); /* 2: pid (PT_PID) */
	put_iovec_data(array, count, snap(moved(ret)), SLOT_CPU); /* 3: data (PT_BYTEBUF), of the caller's side */
	event_output(event);
}

#endif
