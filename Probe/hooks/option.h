/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Calls whose argument's shape depends on an option or command: socket options, keys, quotas, mount contexts. */
#ifndef PROBE_HOOK_OPTION_H
#define PROBE_HOOK_OPTION_H

#define SOL_SOCKET 1
#define SOL_TCP 6
#define SO_ERROR 4
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SO_COOKIE 57
#define NUMBER_GETSOCKOPT 55
#define OPTION_BYTES_MAX 4096

/* The value in sockopt_options. */
static __always_inline u8 map_socket_option(u32 option)
{
	if (option <= 50)
		return option;
	switch (option) {
	case 55: return 52; /* MEMINFO */
	case 57: return 53; /* COOKIE */
	case 59: return 51; /* PEERGROUPS */
	default: return 0;
	}
}

/* Options of level SOL_SOCKET whose value is an int. */
static __always_inline bool is_int_option(u32 option)
{
	const u64 others = 1ull << 13 | 1ull << 14 | 1ull << 17 | 1ull << SO_RCVTIMEO | 1ull << SO_SNDTIMEO | 1ull << SO_ERROR |
			   1ull << 25 | 1ull << 26 | 1ull << 27 | 1ull << 28 | 1ull << 31 | 1ull << 34 | 1ull << 37 | 1ull << 50;

	return option && option <= 49 && !(others & (1ull << option));
}

SYSCALL_PROGRAM(sockopt)
{
	u32 level = syscall_argument(regs, 1), option = syscall_argument(regs, 2);
	u64 address = syscall_argument(regs, 3), time[2] = {}, number64 = 0;
	u32 length = syscall_argument(regs, 4), number32 = 0, bytes;
	s32 narrow[2] = {};

	if (number == NUMBER_GETSOCKOPT) {
		length = user_u32(syscall_argument(regs, 4));
		EVENT_BEGIN(event, PPME_SOCKET_GETSOCKOPT_X, PROBE_CLASS_OTHER);
	} else {
		EVENT_BEGIN(event, PPME_SOCKET_SETSOCKOPT_X, PROBE_CLASS_OTHER);
	}
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_s64(event, syscall_int(regs, 0)); /* 2: fd (PT_FD) */
	put_u8(event, level == SOL_SOCKET ? 1 : level == SOL_TCP ? 2 : 0); /* 3: level (PT_ENUMFLAGS8) */
	put_u8(event, level == SOL_SOCKET ? map_socket_option(option) : 0); /* 4: optname (PT_ENUMFLAGS8) */
	/* 5: val (PT_DYN) */
	if (level == SOL_SOCKET && option == SO_ERROR && length >= 4 && !bpf_probe_read_user(&number32, 4, (void *)address)) {
		put_dynamic_u64(event, 1, -(s64)(s32)number32);
	} else if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO) && event->layout & LAYOUT_TIME32 &&
		   length >= 8 && !bpf_probe_read_user(narrow, 8, (void *)address)) {
		put_dynamic_u64(event, 4, narrow[0] * 1000000000ll + narrow[1] * 1000ll);
	} else if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO) && length >= 16 &&
		   !bpf_probe_read_user(time, 16, (void *)address)) {
		put_dynamic_u64(event, 4, time[0] * 1000000000 + time[1] * 1000);
	} else if (level == SOL_SOCKET && option == SO_COOKIE && length >= 8 &&
		   !bpf_probe_read_user(&number64, 8, (void *)address)) {
		put_dynamic_u64(event, 3, number64);
	} else if (level == SOL_SOCKET && is_int_option(option) && length >= 4 &&
		   !bpf_probe_read_user(&number32, 4, (void *)address)) {
		put_dynamic_u32(event, 2, number32);
	} else {
		event->record[event->position & RECORD_MASK] = 0;
		bytes = snap(length);
		if (bytes > OPTION_BYTES_MAX)
			bytes = OPTION_BYTES_MAX;
		put_length(event, 1 + append_user_bytes(event, event->position + 1, address, bytes));
	}
	put_u32(event, length); /* 6: optlen */
	event_output(event);
}

enum keyctl_strings {
	KEYCTL_TEXT_2 = 0x10, /* bits 4 to 7: which of arguments 2 to 5 are strings */
	KEYCTL_TEXT_3 = 0x20,
	KEYCTL_TEXT_4 = 0x40,
};

/* How many of arguments 2 to 5 a keyctl operation has, and which of them are strings. What it has not is told as 0. */
static __always_inline u32 keyctl_arguments(u32 operation)
{
	switch (operation) {
	case 1: return 1 | KEYCTL_TEXT_2; /* JOIN_SESSION_KEYRING: name */
	case 3: /* REVOKE */
	case 7: /* CLEAR */
	case 14: /* SET_REQKEY_KEYRING */
	case 16: /* ASSUME_AUTHORITY */
	case 21: return 1; /* INVALIDATE */
	case 0: /* GET_KEYRING_ID */
	case 5: /* SETPERM */
	case 8: /* LINK */
	case 9: /* UNLINK */
	case 15: /* SET_TIMEOUT */
	case 22: /* GET_PERSISTENT */
	case 31: return 2; /* CAPABILITIES */
	case 2: /* UPDATE */
	case 4: /* CHOWN */
	case 6: /* DESCRIBE */
	case 11: /* READ */
	case 13: /* NEGATE */
	case 17: /* GET_SECURITY */
	case 32: return 3; /* WATCH_KEY */
	case 24: return 3 | KEYCTL_TEXT_4; /* PKEY_QUERY: info */
	case 29: return 3 | KEYCTL_TEXT_3 | KEYCTL_TEXT_4; /* RESTRICT_KEYRING: type, restriction */
	case 10: return 4 | KEYCTL_TEXT_3 | KEYCTL_TEXT_4; /* SEARCH: type, description */
	case 25 ... 28: return 4 | KEYCTL_TEXT_3; /* PKEY_ENCRYPT … PKEY_VERIFY: info */
	case 12: /* INSTANTIATE */
	case 19: /* REJECT */
	case 20: /* INSTANTIATE_IOV */
	case 23: /* DH_COMPUTE */
	case 30: return 4; /* MOVE */
	default: return 0; /* SESSION_TO_PARENT, and what nobody knows */
	}
}

SYSCALL_PROGRAM(keyctl)
{
	u32 operation = syscall_argument(regs, 0), shape = keyctl_arguments(operation), i;
	u64 arguments[4];

	arguments[0] = regs->si;
	arguments[1] = regs->dx;
	arguments[2] = regs->r10;
	arguments[3] = regs->r8;
	EVENT_BEGIN(event, PPME_SYSCALL_KEYCTL_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_u32(event, operation); /* 2: operation (PT_ENUMFLAGS32) */
	for (i = 0; i < 4; i++) { /* 3 to 6: arg2 to arg5 (PT_DYN) */
		if (i >= (shape & 7))
			put_dynamic_u64(event, 0, 0);
		else if (shape & (KEYCTL_TEXT_2 << i) && arguments[i])
			put_dynamic_string(event, 1, arguments[i]);
		else
			put_dynamic_u64(event, 0, arguments[i]);
	}
	event_output(event);
}

enum quota_command {
	Q_QUOTAON = 0x800002,
	Q_GETFMT = 0x800004,
	Q_GETINFO = 0x800005,
	Q_SETINFO = 0x800006,
	Q_GETQUOTA = 0x800007,
	Q_SETQUOTA = 0x800008,
	Q_XGETQUOTA = 0x5803,
	Q_XSETQLIM = 0x5804,
};

#define QUOTA_FORMAT_NOT_USED 1

struct user_quota_block {
	u64 block_hard_limit, block_soft_limit, space, inode_hard_limit, inode_soft_limit, inodes, block_time, inode_time;
};

struct user_quota_info {
	u64 block_grace, inode_grace;
	u32 flags, valid;
};

static __always_inline u16 map_quota_command(u32 command)
{
	switch (command) {
	case 0x800001: return 128; /* SYNC */
	case Q_QUOTAON: return 1;
	case 0x800003: return 2; /* QUOTAOFF */
	case Q_GETFMT: return 4;
	case Q_GETINFO: return 8;
	case Q_SETINFO: return 16;
	case Q_GETQUOTA: return 32;
	case Q_SETQUOTA: return 64;
	case 0x5801: return 256; /* XQUOTAON */
	case 0x5802: return 512; /* XQUOTAOFF */
	case Q_XGETQUOTA: return 1024;
	case Q_XSETQLIM: return 2048;
	case 0x5805: return 4096; /* XGETQSTAT */
	case 0x5806: return 8192; /* XQUOTARM */
	case 0x5807: return 16384; /* XQUOTASYNC */
	default: return 0;
	}
}

static __always_inline u8 map_quota_format(u32 format)
{
	switch (format) {
	case 1: return 2;
	case 2: return 4;
	case 4: return 8;
	default: return QUOTA_FORMAT_NOT_USED;
	}
}

SYSCALL_PROGRAM(quotactl)
{
	u32 command = (u32)syscall_argument(regs, 0) >> 8, type = syscall_argument(regs, 0) & 0xff;
	u32 id = syscall_argument(regs, 2);
	u64 address = syscall_argument(regs, 3);
	struct user_quota_block block = {};
	struct user_quota_info info = {};

	if (address && (command == Q_SETQUOTA || (command == Q_GETQUOTA && ret >= 0)))
		bpf_probe_read_user(&block, sizeof(block), (void *)address);
	if (address && (command == Q_SETINFO || (command == Q_GETINFO && ret >= 0)))
		bpf_probe_read_user(&info, sizeof(info), (void *)address);
	EVENT_BEGIN(event, PPME_SYSCALL_QUOTACTL_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_string(event, syscall_argument(regs, 1)); /* 2: special */
	put_user_string(event, command == Q_QUOTAON ? address : 0); /* 3: quotafilepath */
	put_u64(event, block.block_hard_limit); /* 4: dqb_bhardlimit */
	put_u64(event, block.block_soft_limit); /* 5: dqb_bsoftlimit */
	put_u64(event, block.space); /* 6: dqb_curspace */
	put_u64(event, block.inode_hard_limit); /* 7: dqb_ihardlimit */
	put_u64(event, block.inode_soft_limit); /* 8: dqb_isoftlimit */
	put_u64(event, block.block_time); /* 9: dqb_btime (PT_RELTIME) */
	put_u64(event, block.inode_time); /* 10: dqb_itime (PT_RELTIME) */
	put_u64(event, info.block_grace); /* 11: dqi_bgrace (PT_RELTIME) */
	put_u64(event, info.inode_grace); /* 12: dqi_igrace (PT_RELTIME) */
	put_u8(event, info.flags); /* 13: dqi_flags (PT_FLAGS8) */
	put_u8(event, command == Q_GETFMT && ret >= 0 ? map_quota_format(user_u32(address))
						      : QUOTA_FORMAT_NOT_USED); /* 14: quota_fmt_out */
	put_u16(event, map_quota_command(command)); /* 15: cmd (PT_FLAGS16) */
	put_u8(event, type == 0 ? 1 : type == 1 ? 2 : 0); /* 16: type (PT_FLAGS8) */
	put_u32(event, command == Q_GETQUOTA || command == Q_SETQUOTA || command == Q_XGETQUOTA || command == Q_XSETQLIM
			       ? id
			       : 0); /* 17: id */
	put_u8(event, command == Q_QUOTAON ? map_quota_format(id) : QUOTA_FORMAT_NOT_USED); /* 18: quota_fmt (PT_FLAGS8) */
	event_output(event);
}

enum fsconfig_command {
	FSCONFIG_SET_STRING = 1,
	FSCONFIG_SET_BINARY = 2,
	FSCONFIG_SET_PATH = 3,
	FSCONFIG_SET_PATH_EMPTY = 4,
};

SYSCALL_PROGRAM(fsconfig)
{
	u32 command = syscall_argument(regs, 1), bytes = syscall_argument(regs, 4);
	u64 value = syscall_argument(regs, 3);

	EVENT_BEGIN(event, PPME_SYSCALL_FSCONFIG_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_s64(event, syscall_int(regs, 0)); /* 2: fd (PT_FD) */
	put_u32(event, command); /* 3: cmd (PT_ENUMFLAGS32) */
	put_user_string(event, syscall_argument(regs, 2)); /* 4: key */
	put_user_bytes(event, value, command == FSCONFIG_SET_BINARY ? snap(bytes) : 0); /* 5: value_bytebuf */
	if (command == FSCONFIG_SET_STRING || command == FSCONFIG_SET_PATH || command == FSCONFIG_SET_PATH_EMPTY)
		put_user_string(event, value); /* 6: value_charbuf */
	else
		put_empty(event);
	put_u32(event, bytes); /* 7: aux */
	event_output(event);
}

#endif
