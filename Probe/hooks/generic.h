/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* PPME_GENERIC_X: a system call of which only the name is reported. */
#ifndef PROBE_HOOK_GENERIC_H
#define PROBE_HOOK_GENERIC_H

/* ppm_sc code by number; 0: unknown. */
static const u16 ppm_sc_of[PROBE_SYSCALL_MAX] = {
#define SYSCALL(number, name, ppm_sc, exit_event, flags) [number] = ppm_sc,
#include "syscalls.def"
#undef SYSCALL
#define IA32(number, name, call, shape)
#define IA32_ONLY(number, name, ppm_sc) [PROBE_IA32_BASE + number] = ppm_sc,
#include "ia32.def"
#undef IA32
#undef IA32_ONLY
};

static __always_inline void encode_generic(struct scratch *event, u32 number)
{
	EVENT_BEGIN(event, PPME_GENERIC_X, PROBE_CLASS_OTHER);
	put_u16(event, ppm_sc_of[number & (PROBE_SYSCALL_MAX - 1)]); /* 1: ID (PT_SYSCALLID) */
	put_u16(event, number < PROBE_IA32_BASE ? number : number - PROBE_IA32_BASE); /* 2: nativeID */
	event_output(event);
}

#endif
