/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* open, openat, openat2, creat, open_by_handle_at: a name becomes a descriptor. */
#ifndef PROBE_HOOK_OPEN_H
#define PROBE_HOOK_OPEN_H

#define O_CREAT 00000100
#define O_TMPFILE 020200000
#define FMODE_CREATED 0x100000
#define OPEN_CREATED 0x4000
#define OPEN_UPPER_LAYER 0x8000
#define OPEN_LOWER_LAYER 0x10000

enum open_number {
	NUMBER_OPEN = 2,
	NUMBER_CREAT = 85,
	NUMBER_OPENAT = 257,
	NUMBER_OPEN_BY_HANDLE_AT = 304,
	NUMBER_OPENAT2 = 437,
};

struct opened {
	struct file *file;
	u32 device;
	u32 kernel_flags; /* what only the kernel knows: created, and the overlay's layer */
	u64 inode;
};

static __always_inline void look_at_opened(struct opened *opened, s64 descriptor)
{
	struct file *file = descriptor >= 0 ? file_of(descriptor) : NULL;
	struct inode *inode;

	opened->file = file;
	opened->device = 0;
	opened->kernel_flags = 0;
	opened->inode = 0;
	if (!file)
		return;
	inode = BPF_CORE_READ(file, f_inode);
	opened->device = encode_device(BPF_CORE_READ(inode, i_sb, s_dev));
	opened->inode = BPF_CORE_READ(inode, i_ino);
	if (BPF_CORE_READ(file, f_mode) & FMODE_CREATED)
		opened->kernel_flags |= OPEN_CREATED;
	switch (overlay_layer(inode)) {
	case LAYER_UPPER: opened->kernel_flags |= OPEN_UPPER_LAYER; break;
	case LAYER_LOWER: opened->kernel_flags |= OPEN_LOWER_LAYER; break;
	default: break;
	}
}

/* The mode has a meaning only if the call may create. */
static __always_inline u32 open_mode(u64 flags, u64 mode)
{
	return flags & (O_CREAT | (O_TMPFILE & ~00200000)) ? mode & 07777 : 0;
}

SYSCALL_PROGRAM(open)
{
	bool at = number == NUMBER_OPENAT;
	u64 flags = syscall_int(regs, at ? 2 : 1), mode = syscall_argument(regs, at ? 3 : 2);
	struct opened opened;

	if (!(at ? SETTLE_ENTER(event, PPME_SYSCALL_OPENAT_2_E, PROBE_CLASS_OPEN)
		 : SETTLE_ENTER(event, PPME_SYSCALL_OPEN_E, PROBE_CLASS_OPEN)))
		return;
	look_at_opened(&opened, ret);
	report_kernel_path(opened.file, syscall_argument(regs, at ? 1 : 0));
	if (at) {
		EVENT_BEGIN(event, PPME_SYSCALL_OPENAT_2_X, PROBE_CLASS_OPEN);
		put_s64(event, ret); /* 1: fd (PT_FD) */
		put_s64(event, syscall_int(regs, 0)); /* 2: dirfd (PT_FD) */
		put_user_string(event, syscall_argument(regs, 1)); /* 3: name (PT_FSRELPATH) */
	} else {
		EVENT_BEGIN(event, PPME_SYSCALL_OPEN_X, PROBE_CLASS_OPEN);
		put_s64(event, ret); /* 1: fd (PT_FD) */
		put_user_string(event, syscall_argument(regs, 0)); /* 2: name (PT_FSPATH) */
	}
	put_u32(event, map_file_flags(flags) | opened.kernel_flags); /* flags (PT_FLAGS32) */
	put_u32(event, open_mode(flags, mode)); /* mode */
	put_u32(event, opened.device); /* dev */
	put_u64(event, opened.inode); /* ino */
	event_output(event);
}

SYSCALL_PROGRAM(openat2)
{
	struct user_open_how how = {};
	struct opened opened;

	if (!SETTLE_ENTER(event, PPME_SYSCALL_OPENAT2_E, PROBE_CLASS_OPEN))
		return;
	bpf_probe_read_user(&how, sizeof(how), (void *)syscall_argument(regs, 2));
	look_at_opened(&opened, ret);
	report_kernel_path(opened.file, syscall_argument(regs, 1));
	EVENT_BEGIN(event, PPME_SYSCALL_OPENAT2_X, PROBE_CLASS_OPEN);
	put_s64(event, ret); /* 1: fd (PT_FD) */
	put_s64(event, syscall_int(regs, 0)); /* 2: dirfd (PT_FD) */
	put_user_string(event, syscall_argument(regs, 1)); /* 3: name (PT_FSRELPATH) */
	put_u32(event, map_file_flags(how.flags) | opened.kernel_flags); /* 4: flags (PT_FLAGS32) */
	put_u32(event, open_mode(how.flags, how.mode)); /* 5: mode */
	put_u32(event, map_resolve_flags(how.resolve)); /* 6: resolve (PT_FLAGS32) */
	put_u32(event, opened.device); /* 7: dev */
	put_u64(event, opened.inode); /* 8: ino */
	event_output(event);
}

SYSCALL_PROGRAM(creat)
{
	struct opened opened;

	if (!SETTLE_ENTER(event, PPME_SYSCALL_CREAT_E, PROBE_CLASS_OPEN))
		return;
	look_at_opened(&opened, ret);
	report_kernel_path(opened.file, syscall_argument(regs, 0));
	EVENT_BEGIN(event, PPME_SYSCALL_CREAT_X, PROBE_CLASS_OPEN);
	put_s64(event, ret); /* 1: fd (PT_FD) */
	put_user_string(event, syscall_argument(regs, 0)); /* 2: name (PT_FSPATH) */
	put_u32(event, syscall_argument(regs, 1) & 07777); /* 3: mode */
	put_u32(event, opened.device); /* 4: dev */
	put_u64(event, opened.inode); /* 5: ino */
	put_u16(event, opened.kernel_flags / OPEN_UPPER_LAYER); /* 6: creat_flags (PT_FLAGS16): 1 upper, 2 lower */
	event_output(event);
}

SYSCALL_PROGRAM(open_by_handle_at)
{
	struct opened opened;

	look_at_opened(&opened, ret);
	EVENT_BEGIN(event, PPME_SYSCALL_OPEN_BY_HANDLE_AT_X, PROBE_CLASS_OPEN);
	put_s64(event, ret); /* 1: fd (PT_FD) */
	put_s64(event, syscall_int(regs, 0)); /* 2: mountfd (PT_FD) */
	put_u32(event, map_file_flags(syscall_int(regs, 2)) | opened.kernel_flags); /* 3: flags (PT_FLAGS32) */
	put_file_path(event, opened.file, SLOT_CPU); /* 4: path (PT_FSPATH): the caller gave none */
	put_u32(event, opened.device); /* 5: dev */
	put_u64(event, opened.inode); /* 6: ino */
	event_output(event);
}

#endif
