/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* PPME_SYSCALL_INIT_MODULE_X; the other module calls are in simple_calls.def. */
#ifndef PROBE_HOOK_MODULE_H
#define PROBE_HOOK_MODULE_H

SYSCALL_PROGRAM(init_module)
{
	u64 length = syscall_argument(regs, 1);

	EVENT_BEGIN(event, PPME_SYSCALL_INIT_MODULE_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_user_bytes(event, syscall_argument(regs, 0), snap(length)); /* 2: img (PT_BYTEBUF) */
	put_u64(event, length); /* 3: length */
	put_user_string(event, syscall_argument(regs, 2)); /* 4: uargs */
	event_output(event);
}

#endif
