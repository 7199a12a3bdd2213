/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the caller's memory held when open, openat, openat2, creat or connect began. Another thread may rewrite it while
 * the call runs, and the event of its end reads it only then. Told ahead of that event, for the state alone.
 *
 * One program per system call, at the tracepoint of its entry; or sys_enter, which every call of the machine passes, where
 * those cannot be had. 32-bit callers pass only the latter.
 */
#ifndef PROBE_HOOK_ENTER_H
#define PROBE_HOOK_ENTER_H

#define NUMBER_CONNECT 42

/* The record of a syscalls:sys_enter_… tracepoint. */
struct syscall_entry {
	u64 common;
	u64 number;
	u64 arguments[6];
};

static __always_inline bool is_wanted(const struct probe_settings *set, u32 number)
{
	return set->wanted[(number / 64) & (PROBE_SYSCALL_MAX / 64 - 1)] & (1ull << (number % 64));
}

#define ENTER_BEGIN(event, type, event_class)                                                                                    \
	do {                                                                                                                     \
		EVENT_BEGIN(event, type, event_class);                                                                           \
		*(u16 *)(event->record + 2) = PROBE_RECORD_HIDDEN;                                                               \
	} while (0)

static __always_inline void encode_enter_open(struct scratch *event, const struct syscall_registers *regs)
{
	u64 flags = syscall_int(regs, 1);

	ENTER_BEGIN(event, PPME_SYSCALL_OPEN_E, PROBE_CLASS_OPEN);
	put_user_string(event, syscall_argument(regs, 0)); /* 1: name (PT_FSPATH) */
	put_u32(event, map_file_flags(flags)); /* 2: flags (PT_FLAGS32) */
	put_u32(event, open_mode(flags, syscall_argument(regs, 2))); /* 3: mode */
}

static __always_inline void encode_enter_openat(struct scratch *event, const struct syscall_registers *regs)
{
	u64 flags = syscall_int(regs, 2);

	ENTER_BEGIN(event, PPME_SYSCALL_OPENAT_2_E, PROBE_CLASS_OPEN);
	put_s64(event, syscall_int(regs, 0)); /* 1: dirfd (PT_FD) */
	put_user_string(event, syscall_argument(regs, 1)); /* 2: name (PT_FSRELPATH) */
	put_u32(event, map_file_flags(flags)); /* 3: flags (PT_FLAGS32) */
	put_u32(event, open_mode(flags, syscall_argument(regs, 3))); /* 4: mode */
}

static __always_inline void encode_enter_openat2(struct scratch *event, const struct syscall_registers *regs)
{
	struct user_open_how how = {};

	bpf_probe_read_user(&how, sizeof(how), (void *)syscall_argument(regs, 2));
	ENTER_BEGIN(event, PPME_SYSCALL_OPENAT2_E, PROBE_CLASS_OPEN);
	put_s64(event, syscall_int(regs, 0)); /* 1: dirfd (PT_FD) */
	put_user_string(event, syscall_argument(regs, 1)); /* 2: name (PT_FSRELPATH) */
	put_u32(event, map_file_flags(how.flags)); /* 3: flags (PT_FLAGS32) */
	put_u32(event, open_mode(how.flags, how.mode)); /* 4: mode */
	put_u32(event, map_resolve_flags(how.resolve)); /* 5: resolve (PT_FLAGS32) */
}

static __always_inline void encode_enter_creat(struct scratch *event, const struct syscall_registers *regs)
{
	ENTER_BEGIN(event, PPME_SYSCALL_CREAT_E, PROBE_CLASS_OPEN);
	put_user_string(event, syscall_argument(regs, 0)); /* 1: name (PT_FSPATH) */
	put_u32(event, syscall_argument(regs, 1) & 07777); /* 2: mode */
}

static __always_inline void encode_enter_connect(struct scratch *event, const struct syscall_registers *regs)
{
	ENTER_BEGIN(event, PPME_SOCKET_CONNECT_E, PROBE_CLASS_CONNECT);
	put_s64(event, syscall_int(regs, 0)); /* 1: fd (PT_FD) */
	put_user_address(syscall_argument(regs, 1), syscall_argument(regs, 2), SLOT_CPU); /* 2: addr (PT_SOCKADDR) */
}

/*
 * ENTER_PROGRAM(call, NUMBER, arguments) defines program enter_<call> at the tracepoint of that call's entry. Its record
 * ends with the call's last argument, and the kernel attaches no program that reads beyond.
 */
#define ENTER_PROGRAM(call, system_call, count)                                                                                  \
	SEC("?tracepoint/syscalls/sys_enter_" #call) int enter_##call(const struct syscall_entry *entry)                         \
	{                                                                                                                        \
		struct probe_settings *set = settings_get();                                                                     \
		u32 tgid = bpf_get_current_pid_tgid() >> 32;                                                                     \
		struct syscall_registers regs = {};                                                                              \
		struct scratch *event;                                                                                           \
                                                                                                                                 \
		if (!set || !is_wanted(set, system_call) || is_agent(set, tgid) || !current_in_scope(set, tgid))                 \
			return 0;                                                                                                \
		event = scratch_acquire();                                                                                       \
		if (!event) {                                                                                                    \
			note_enter_lost(set);                                                                                    \
			return 0;                                                                                                \
		}                                                                                                                \
		regs.di = entry->arguments[0];                                                                                   \
		regs.si = entry->arguments[1];                                                                                   \
		if (count > 2)                                                                                                   \
			regs.dx = entry->arguments[2];                                                                           \
		if (count > 3)                                                                                                   \
			regs.r10 = entry->arguments[3];                                                                          \
		encode_enter_##call(event, &regs);                                                                               \
		if (!event_output(event))                                                                                        \
			note_enter_lost(set);                                                                                    \
		scratch_release(event);                                                                                          \
		return 0;                                                                                                        \
	}

ENTER_PROGRAM(open, NUMBER_OPEN, 3)
ENTER_PROGRAM(openat, NUMBER_OPENAT, 4)
ENTER_PROGRAM(openat2, NUMBER_OPENAT2, 4)
ENTER_PROGRAM(creat, NUMBER_CREAT, 2)
ENTER_PROGRAM(connect, NUMBER_CONNECT, 3)

SEC("?tp_btf/sys_enter") int BPF_PROG(sys_enter, struct pt_regs *regs, long native)
{
	u64 orig_ax = regs->orig_ax;
	struct probe_settings *set;
	struct scratch *event;
	u32 number = orig_ax, tgid;
	bool told;

	if (is_ia32(bpf_get_current_task_btf()))
		number = ia32_number(orig_ax, regs->bx);
	switch (number) {
	case NUMBER_OPEN:
	case NUMBER_OPENAT:
	case NUMBER_OPENAT2:
	case NUMBER_CREAT:
	case NUMBER_CONNECT: break;
	default: return 0;
	}
	set = settings_get();
	tgid = bpf_get_current_pid_tgid() >> 32;
	if (!set || !is_wanted(set, number) || is_agent(set, tgid) || !current_in_scope(set, tgid))
		return 0;
	event = scratch_acquire();
	if (!event) {
		note_enter_lost(set);
		return 0;
	}
	load_call(event, regs);
	switch (number) {
	case NUMBER_OPEN: encode_enter_open(event, &event->call); break;
	case NUMBER_OPENAT: encode_enter_openat(event, &event->call); break;
	case NUMBER_OPENAT2: encode_enter_openat2(event, &event->call); break;
	case NUMBER_CREAT: encode_enter_creat(event, &event->call); break;
	default: encode_enter_connect(event, &event->call); break;
	}
	told = event_output(event);
	if (!told)
		note_enter_lost(set);
	scratch_release(event);
	return 0;
}

#endif
