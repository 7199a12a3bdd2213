/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The system calls of simple_calls.def: one small interpreter instead of a program each. */
#ifndef PROBE_HOOK_SIMPLE_H
#define PROBE_HOOK_SIMPLE_H

/* A parameter: source | width << 8 | argument or constant << 16 | map << 24. */
enum simple_source {
	SOURCE_RESULT,
	SOURCE_INT, /* sign-extended from 32 bits */
	SOURCE_UNSIGNED, /* zero-extended from 32 bits */
	SOURCE_WHOLE,
	SOURCE_CONSTANT,
	SOURCE_MAP,
	SOURCE_STRING,
	SOURCE_STRING_IF_OK,
	SOURCE_MEMORY,
	SOURCE_CAPABILITIES,
};

enum simple_map {
	MAP_CLOEXEC_NONBLOCK,
	MAP_FILE,
	MAP_CLOSE_RANGE,
	MAP_FCNTL,
	MAP_FLOCK,
	MAP_EPOLL,
	MAP_MEMFD,
	MAP_PIDFD,
	MAP_LOW3,
	MAP_LOW4,
	MAP_NEWFSTATAT,
	MAP_LINKAT,
	MAP_UNLINKAT,
	MAP_MODE,
	MAP_NODE_MODE,
	MAP_MOUNT,
	MAP_SHUTDOWN,
	MAP_CLONE,
	MAP_DELETE_MODULE,
	MAP_PROT,
	MAP_MMAP,
	MAP_MLOCK2,
	MAP_SEMGET,
	MAP_FAMILY,
	MAP_EVENT_DESCRIPTOR,
	MAP_DEVICE,
};

#define SIMPLE_PARAMETERS_MAX 8
#define SIMPLE_PARAMETER(source, width, argument, map) ((source) | (width) << 8 | (argument) << 16 | (u32)(map) << 24)
#define RESULT SIMPLE_PARAMETER(SOURCE_RESULT, 8, 0, 0)
#define RESULT32 SIMPLE_PARAMETER(SOURCE_RESULT, 4, 0, 0)
#define FD(n) SIMPLE_PARAMETER(SOURCE_INT, 8, n, 0)
#define U64(n) SIMPLE_PARAMETER(SOURCE_WHOLE, 8, n, 0)
#define U32AS64(n) SIMPLE_PARAMETER(SOURCE_UNSIGNED, 8, n, 0)
#define U32(n) SIMPLE_PARAMETER(SOURCE_WHOLE, 4, n, 0)
#define U16(n) SIMPLE_PARAMETER(SOURCE_WHOLE, 2, n, 0)
#define U8(n) SIMPLE_PARAMETER(SOURCE_WHOLE, 1, n, 0)
#define STRING(n) SIMPLE_PARAMETER(SOURCE_STRING, 0, n, 0)
#define STRING_IF_OK(n) SIMPLE_PARAMETER(SOURCE_STRING_IF_OK, 0, n, 0)
#define CONST8(v) SIMPLE_PARAMETER(SOURCE_CONSTANT, 1, v, 0)
#define CONST32(v) SIMPLE_PARAMETER(SOURCE_CONSTANT, 4, v, 0)
#define MAP8(n, map) SIMPLE_PARAMETER(SOURCE_MAP, 1, n, MAP_##map)
#define MAP16(n, map) SIMPLE_PARAMETER(SOURCE_MAP, 2, n, MAP_##map)
#define MAP32(n, map) SIMPLE_PARAMETER(SOURCE_MAP, 4, n, MAP_##map)
#define MEMORY SIMPLE_PARAMETER(SOURCE_MEMORY, 0, 0, 0)
#define CAPABILITIES SIMPLE_PARAMETER(SOURCE_CAPABILITIES, 0, 0, 0)

struct simple_call {
	u16 type;
	u8 event_class;
	u8 count; /* of the event's parameters; MEMORY and CAPABILITIES make three of them */
	u32 parameters[SIMPLE_PARAMETERS_MAX];
};

#define SIMPLE(number, event, event_class, ...) [number] = {event, PROBE_CLASS_##event_class, event##_NPARAMS, {__VA_ARGS__}},
static const struct simple_call simple_calls[PROBE_X86_64_MAX] = {
#include "simple_calls.def"
};
#undef SIMPLE
#undef RESULT
#undef RESULT32
#undef FD
#undef U64
#undef U32AS64
#undef U32
#undef U16
#undef U8
#undef STRING
#undef STRING_IF_OK
#undef CONST8
#undef CONST32
#undef MAP8
#undef MAP16
#undef MAP32
#undef MEMORY
#undef CAPABILITIES

static __always_inline u32 map_fcntl_command(u32 command)
{
	switch (command) {
	case 0 ... 5: return command + 1; /* DUPFD GETFD SETFD GETFL SETFL GETLK */
	case 6: return 8; /* SETLK */
	case 7: return 9; /* SETLKW */
	case 8: return 10; /* SETOWN */
	case 9: return 12; /* GETOWN */
	case 10: return 13; /* SETSIG */
	case 11: return 15; /* GETSIG */
	case 12: return 17; /* GETLK64 */
	case 13: return 18; /* SETLK64 */
	case 14: return 19; /* SETLKW64 */
	case 15: return 21; /* SETOWN_EX */
	case 16: return 22; /* GETOWN_EX */
	case 36: return 30; /* OFD_GETLK */
	case 37: return 31; /* OFD_SETLK */
	case 38: return 32; /* OFD_SETLKW */
	case 1024: return 23; /* SETLEASE */
	case 1025: return 24; /* GETLEASE */
	case 1026: return 27; /* NOTIFY */
	case 1029: return 25; /* CANCELLK */
	case 1030: return 26; /* DUPFD_CLOEXEC */
	case 1031: return 28; /* SETPIPE_SZ */
	case 1032: return 29; /* GETPIPE_SZ */
	default: return 0;
	}
}

__noinline u32 map_argument(u32 map, u64 flags)
{
	u32 result = 0;

	switch (map) {
	case MAP_CLOEXEC_NONBLOCK:
		FLAG_IF(00004000, 64);
		FLAG_IF(02000000, 4096);
		return result;
	case MAP_EVENT_DESCRIPTOR: /* a negative value is no set of flags */
		if ((s32)flags < 0)
			return 0;
		FLAG_IF(00004000, 64);
		FLAG_IF(02000000, 4096);
		return result;
	case MAP_DEVICE: return (flags & 0xfff00) << 12 | (flags & 0xff) | (flags >> 12 & 0xfff00);
	case MAP_FILE: return map_file_flags(flags);
	case MAP_CLOSE_RANGE: return flags & 6;
	case MAP_FCNTL: return map_fcntl_command(flags);
	case MAP_FLOCK: return flags & 15;
	case MAP_EPOLL: return flags & 02000000 ? 1 : 0;
	case MAP_MEMFD: return flags & 7;
	case MAP_PIDFD: return flags & 00004000 ? 1 : 0;
	case MAP_LOW3: return flags & 7;
	case MAP_LOW4: return flags & 15;
	case MAP_NEWFSTATAT: return flags & (0x100 | 0x800 | 0x1000);
	case MAP_LINKAT: return flags & (0x400 | 0x1000);
	case MAP_UNLINKAT: return flags & 0x200;
	case MAP_MODE: return flags & 07777;
	case MAP_NODE_MODE: return flags & 0177777;
	case MAP_MOUNT: return (flags & 0xffff0000) == 0xc0ed0000 ? flags & 0xffff : flags; /* the old magic number */
	case MAP_SHUTDOWN: return (u32)flags <= 2 ? flags : 0xffff;
	case MAP_CLONE: return map_clone_flags(flags);
	case MAP_DELETE_MODULE:
		FLAG_IF(00004000, 2);
		FLAG_IF(00001000, 1);
		return result;
	case MAP_PROT:
		result = flags & 15;
		FLAG_IF(0x01000000, 16);
		FLAG_IF(0x02000000, 32);
		return result;
	case MAP_MMAP:
		result = flags & 3;
		FLAG_IF(0x10, 4); /* FIXED */
		FLAG_IF(0x20, 8); /* ANONYMOUS */
		FLAG_IF(0x40, 16); /* 32BIT */
		FLAG_IF(0x4000, 64); /* NORESERVE */
		FLAG_IF(0x8000, 128); /* POPULATE */
		FLAG_IF(0x10000, 256); /* NONBLOCK */
		FLAG_IF(0x100, 512); /* GROWSDOWN */
		FLAG_IF(0x800, 1024); /* DENYWRITE */
		FLAG_IF(0x1000, 2048); /* EXECUTABLE */
		FLAG_IF(0x2000, 16384); /* LOCKED */
		return result;
	case MAP_MLOCK2: return flags & 1;
	case MAP_FAMILY: return map_family(flags);
	case MAP_SEMGET:
		FLAG_IF(01000, 8192);
		FLAG_IF(02000, 16384);
		return result;
	default: return 0;
	}
}

static __always_inline void put_simple_number(struct scratch *event, u32 width, u64 value)
{
	*(u64 *)(event->record + (event->position & RECORD_MASK)) = value; /* what is too wide is overwritten by the next */
	put_length(event, width);
}

SYSCALL_PROGRAM(simple)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct cred *cred;
	const struct simple_call *call;
	u64 arguments[8] = {}, ids = bpf_get_current_pid_tgid(), value;
	u32 i, parameter, index;

	if (number >= PROBE_X86_64_MAX)
		return;
	call = &simple_calls[number];
	arguments[0] = regs->di;
	arguments[1] = regs->si;
	arguments[2] = regs->dx;
	arguments[3] = regs->r10;
	arguments[4] = regs->r8;
	arguments[5] = regs->r9;
	event_begin(event, call->type, call->count, call->event_class, (u32)ids, ids >> 32);
	for (i = 0; i < SIMPLE_PARAMETERS_MAX && event->parameter < call->count; i++) {
		parameter = call->parameters[i];
		index = (parameter >> 16) & 0xff;
		value = arguments[index & 7];
		switch (parameter & 0xff) {
		case SOURCE_RESULT: value = ret; break;
		case SOURCE_INT: value = (s64)(s32)value; break;
		case SOURCE_UNSIGNED: value = (u32)value; break;
		case SOURCE_CONSTANT: value = index; break;
		case SOURCE_MAP: value = map_argument(parameter >> 24, value); break;
		case SOURCE_STRING_IF_OK:
			if (ret < 0)
				value = 0;
			/* fall through */
		case SOURCE_STRING: put_user_string(event, value); continue;
		case SOURCE_MEMORY: put_memory_sizes(event, task); continue;
		case SOURCE_CAPABILITIES:
			cred = BPF_CORE_READ(task, cred);
			put_u64(event, CAPABILITY(cred, cap_inheritable));
			put_u64(event, CAPABILITY(cred, cap_permitted));
			put_u64(event, CAPABILITY(cred, cap_effective));
			continue;
		default: break;
		}
		put_simple_number(event, (parameter >> 8) & 15, value);
	}
	event_output(event);
}

#endif
