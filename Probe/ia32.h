/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * System calls of 32-bit callers. A 64-bit program makes them too, with int 0x80. Their number becomes the x86-64 one of
 * the same call and their arguments its arguments, so that everything behind here is told once; what lies in the
 * caller's memory keeps its own layout (enum call_layout).
 */
#ifndef PROBE_IA32_H
#define PROBE_IA32_H

#define SYSCALL_NONE 0xffffffff
#define PAGE_SHIFT 12
#define MULTIPLEXED_MAX 32 /* codes of multiplexed.def; a power of two */
#define SOCKETCALL_WORDS_MAX 6
#define MMAP_WORDS 6
#define IPC_CODE_MASK 0xffff /* above it, a version */

struct ia32_call {
	u16 number_plus_one; /* 0: no such call */
	u16 shape;
};

static const struct ia32_call ia32_calls[PROBE_X86_64_MAX] = {
#define IA32(number, name, call, shape) [number] = {(call) + 1, IA32_##shape},
#define IA32_ONLY(number, name, ppm_sc) [number] = {PROBE_IA32_BASE + number + 1, IA32_PLAIN},
#include "ia32.def"
#undef IA32
#undef IA32_ONLY
};

struct socket_call {
	u16 number_plus_one;
	u16 words;
};

static const struct socket_call socket_calls[MULTIPLEXED_MAX] = {
#define SOCKETCALL(code, name, call, words) [code] = {(call) + 1, words},
#define IPC(code, name, call)
#include "multiplexed.def"
#undef SOCKETCALL
#undef IPC
};

static const u16 ipc_calls_plus_one[MULTIPLEXED_MAX] = {
#define SOCKETCALL(code, name, call, words)
#define IPC(code, name, call) [code] = (call) + 1,
#include "multiplexed.def"
#undef SOCKETCALL
#undef IPC
};

/* The call behind a 32-bit number and its first argument; SYSCALL_NONE if no table knows it. */
static __always_inline u32 ia32_number(u64 native, u32 code)
{
	const struct ia32_call *call;

	if (native >= PROBE_X86_64_MAX)
		return SYSCALL_NONE;
	call = &ia32_calls[native];
	switch (call->shape) {
	case IA32_IPC: code &= IPC_CODE_MASK; /* fall through */
	case IA32_SOCKETCALL:
		if (code >= MULTIPLEXED_MAX)
			return SYSCALL_NONE;
		FORGET(code);
		code &= MULTIPLEXED_MAX - 1;
		if (call->shape == IA32_IPC)
			return (u32)ipc_calls_plus_one[code] - 1;
		return (u32)socket_calls[code].number_plus_one - 1;
	default: return (u32)call->number_plus_one - 1;
	}
}

/* An id of 16 bits, as the kernel widens it: all ones stay all ones. */
static __always_inline u32 widen_id(u32 id)
{
	return (u16)id == 0xffff ? (u32)-1 : (u16)id;
}

static __always_inline void load_ia32_words(struct syscall_registers *call, u64 address, u32 bytes)
{
	u32 words[8] = {};

	bpf_probe_read_user(words, bytes & 31, (void *)address);
	call->di = words[0];
	call->si = words[1];
	call->dx = words[2];
	call->r10 = words[3];
	call->r8 = words[4];
	call->r9 = words[5];
}

/* Fills `call` and `layout` of the slot from the registers of a 32-bit caller. */
__noinline int load_ia32(u64 registers, u32 slot)
{
	struct scratch *event = scratch_slot(slot);
	struct pt_regs *regs = (struct pt_regs *)registers;
	struct syscall_registers *call;
	u64 native = BPF_CORE_READ(regs, orig_ax);
	u32 code = BPF_CORE_READ(regs, bx), bytes;

	if (!event)
		return -1;
	call = &event->call;
	call->number = ia32_number(native, code);
	event->layout = LAYOUT_32 | LAYOUT_TIME32;
	call->di = code;
	call->si = (u32)BPF_CORE_READ(regs, cx);
	call->dx = (u32)BPF_CORE_READ(regs, dx);
	call->r10 = (u32)BPF_CORE_READ(regs, si);
	call->r8 = (u32)BPF_CORE_READ(regs, di);
	call->r9 = (u32)BPF_CORE_READ(regs, bp);
	if (native >= PROBE_X86_64_MAX)
		return 0;
	switch (ia32_calls[native].shape) {
	case IA32_LSEEK: call->si = (s64)(s32)call->si; break;
	case IA32_LLSEEK:
		call->si = call->si << 32 | call->dx;
		call->dx = call->r8;
		break;
	case IA32_POSITION: call->r10 |= call->r8 << 32; break;
	case IA32_UMOUNT: call->si = 0; break;
	case IA32_MMAP: load_ia32_words(call, code, 4 * MMAP_WORDS); break;
	case IA32_MMAP2: call->r9 <<= PAGE_SHIFT; break;
	case IA32_IDS:
		call->di = widen_id(call->di);
		/* fall through */
	case IA32_IDS_BEHIND:
		call->si = widen_id(call->si);
		call->dx = widen_id(call->dx);
		break;
	case IA32_IDS_READ: event->layout |= LAYOUT_ID16; break;
	case IA32_TIME64: event->layout &= ~LAYOUT_TIME32; break;
	case IA32_SOCKETCALL:
		/* A pointer that cannot be read leaves zeros. The kernel reads what the call takes, not more. */
		FORGET(code);
		bytes = 4 * socket_calls[code & (MULTIPLEXED_MAX - 1)].words;
		load_ia32_words(call, call->si, bytes);
		break;
	case IA32_IPC: /* first, second, third, pointer → first, pointer, second or first, second, third */
		code &= IPC_CODE_MASK;
		call->di = call->si;
		call->si = call->dx;
		call->dx = call->r10;
		if (code == 1 || code == 4 || code == 11) { /* semop, semtimedop, msgsnd */
			call->dx = call->si;
			call->si = call->r8;
			call->r10 = call->r9;
		}
		if (code == 3) { /* semctl: the pointer leads to the value */
			bytes = 0;
			bpf_probe_read_user(&bytes, sizeof(bytes), (void *)call->r8);
			call->r10 = bytes;
		}
		break;
	default: break;
	}
	return 0;
}

#endif
