/* SPDX-License-Identifier: Apache-2.0 */
/* System calls by the 32-bit entry, from a 64-bit program: `int $0x80` with what lies below 4 GiB. */
#ifndef IA32_H
#define IA32_H

#include <stddef.h>
#include <stdint.h>

/* Memory that a 32-bit pointer reaches, zeroed; never given back. */
void *low(size_t count);
void *low_copy(const void *value, size_t count);
uint32_t low_text(const char *text);
static inline uint32_t pointer32(const void *address)
{
	return (uint32_t)(uintptr_t)address;
}

/* The result as the kernel returned it. */
long ia32(long number, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f);
long socketcall(uint32_t code, const uint32_t *words, size_t count);

struct iovec32 {
	uint32_t base, length;
};

struct msghdr32 {
	uint32_t name, name_length, iov, iov_count, control, control_length, flags;
};

struct mmsghdr32 {
	struct msghdr32 header;
	uint32_t length;
};

#endif
