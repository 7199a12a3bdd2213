/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Linux flag values → the values of flags.def. */
#ifndef PROBE_FLAGS_H
#define PROBE_FLAGS_H

#define FLAG_IF(bits, value)                                                                                                     \
	do {                                                                                                                     \
		if ((flags & (bits)) == (bits))                                                                                  \
			result |= (value);                                                                                       \
	} while (0)

static __always_inline u32 map_file_flags(u64 flags)
{
	u32 result = 0;

	switch (flags & 3) {
	case 0: result = 1; break;
	case 1: result = 2; break;
	default: result = 3; break;
	}
	FLAG_IF(00000100, 4); /* O_CREAT */
	FLAG_IF(00002000, 8); /* O_APPEND */
	FLAG_IF(00010000, 16); /* O_DSYNC */
	FLAG_IF(00000200, 32); /* O_EXCL */
	FLAG_IF(00004000, 64); /* O_NONBLOCK */
	FLAG_IF(04010000, 128); /* O_SYNC */
	FLAG_IF(00001000, 256); /* O_TRUNC */
	FLAG_IF(00040000, 512); /* O_DIRECT */
	FLAG_IF(00200000, 1024); /* O_DIRECTORY */
	FLAG_IF(00100000, 2048); /* O_LARGEFILE */
	FLAG_IF(02000000, 4096); /* O_CLOEXEC */
	FLAG_IF(020200000, 8192); /* O_TMPFILE */
	return result;
}

/* Flags of calls that take only a few of open's: no access mode among them. */
static __always_inline u32 map_descriptor_flags(u64 flags)
{
	u32 result = 0;

	FLAG_IF(00004000, 64);
	FLAG_IF(00040000, 512);
	FLAG_IF(02000000, 4096);
	return result;
}

#define CLONE_FLAGS_KERNEL_NEWPID 0x20000000
#define CHILD_IN_PIDNS 0x20000000u

static __always_inline u32 map_clone_flags(u64 flags)
{
	u32 result = 0;

	FLAG_IF(0x00000400, 1); /* FILES */
	FLAG_IF(0x00000200, 2); /* FS */
	FLAG_IF(0x80000000, 4); /* IO */
	FLAG_IF(0x08000000, 8); /* NEWIPC */
	FLAG_IF(0x40000000, 16); /* NEWNET */
	FLAG_IF(0x00020000, 32); /* NEWNS */
	FLAG_IF(0x20000000, 64); /* NEWPID */
	FLAG_IF(0x04000000, 128); /* NEWUTS */
	FLAG_IF(0x00008000, 256); /* PARENT */
	FLAG_IF(0x00100000, 512); /* PARENT_SETTID */
	FLAG_IF(0x00002000, 1024); /* PTRACE */
	FLAG_IF(0x00000800, 2048); /* SIGHAND */
	FLAG_IF(0x00040000, 4096); /* SYSVSEM */
	FLAG_IF(0x00010000, 8192); /* THREAD */
	FLAG_IF(0x00800000, 16384); /* UNTRACED */
	FLAG_IF(0x00000100, 32768); /* VM */
	FLAG_IF(0x10000000, 1 << 20); /* NEWUSER */
	FLAG_IF(0x00200000, 1 << 23); /* CHILD_CLEARTID */
	FLAG_IF(0x01000000, 1 << 24); /* CHILD_SETTID */
	FLAG_IF(0x00080000, 1 << 25); /* SETTLS */
	FLAG_IF(0x00004000, 1 << 27); /* VFORK */
	FLAG_IF(0x02000000, 1 << 28); /* NEWCGROUP */
	return result;
}

/* A socket's family; AF_UNSPEC for what socket_families does not name. */
static __always_inline u32 map_family(u32 family)
{
	return family <= 26 || (family >= 29 && family <= 39) ? family : 0;
}

static __always_inline u32 map_resolve_flags(u64 flags)
{
	u32 result = 0;

	FLAG_IF(0x08, 1); /* BENEATH */
	FLAG_IF(0x10, 2); /* IN_ROOT */
	FLAG_IF(0x02, 4); /* NO_MAGICLINKS */
	FLAG_IF(0x04, 8); /* NO_SYMLINKS */
	FLAG_IF(0x01, 16); /* NO_XDEV */
	FLAG_IF(0x20, 32); /* CACHED */
	return result;
}

#endif
