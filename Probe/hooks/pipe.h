/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* PPME_SYSCALL_PIPE_X, PPME_SYSCALL_PIPE2_X. */
#ifndef PROBE_HOOK_PIPE_H
#define PROBE_HOOK_PIPE_H

#define NUMBER_PIPE2 293

SYSCALL_PROGRAM(pipe)
{
	s32 descriptors[2] = {-1, -1};
	struct file *file = NULL;

	if (ret == 0) {
		bpf_probe_read_user(descriptors, sizeof(descriptors), (void *)syscall_argument(regs, 0));
		file = file_of(descriptors[0]);
	}
	if (number == NUMBER_PIPE2)
		EVENT_BEGIN(event, PPME_SYSCALL_PIPE2_X, PROBE_CLASS_OTHER_INTEREST);
	else
		EVENT_BEGIN(event, PPME_SYSCALL_PIPE_X, PROBE_CLASS_OTHER_INTEREST);
	put_s64(event, ret); /* 1: res (PT_ERRNO) */
	put_s64(event, descriptors[0]); /* 2: fd1 (PT_FD) */
	put_s64(event, descriptors[1]); /* 3: fd2 (PT_FD) */
	put_u64(event, file ? BPF_CORE_READ(file, f_inode, i_ino) : 0); /* 4: ino */
	if (number == NUMBER_PIPE2)
		put_u32(event, map_descriptor_flags(syscall_int(regs, 1))); /* 5: flags (PT_FLAGS32) */
	event_output(event);
}

#endif
