/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ia32.h"

#include "expect.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA_BYTES (1 << 20)

void *low(size_t count)
{
	static char *arena;
	static size_t used;
	void *result;

	if (!arena) {
		arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		if (arena == MAP_FAILED)
			_exit(95);
	}
	result = arena + used;
	used += (count + 15) & ~(size_t)15;
	if (used > ARENA_BYTES)
		_exit(94);
	return result;
}

void *low_copy(const void *value, size_t count)
{
	return memcpy(low(count ? count : 1), value, count);
}

uint32_t low_text(const char *text)
{
	return pointer32(low_copy(text, strlen(text) + 1));
}

long ia32(long number, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f)
{
	long result;
	uint64_t sixth = f;

	/* bp is the compiler's; what lies below the stack pointer too. */
	asm volatile("sub $128, %%rsp\n\tpush %%rbp\n\tmov %[sixth], %%rbp\n\tint $0x80\n\tpop %%rbp\n\tadd $128, %%rsp"
		     : "=a"(result)
		     : "a"(number), "b"((uint64_t)a), "c"((uint64_t)b), "d"((uint64_t)c), "S"((uint64_t)d),
		     "D"((uint64_t)e), [sixth] "r"(sixth)
		     : "memory", "cc", "r8", "r9", "r10", "r11");
	return result;
}

long socketcall(uint32_t code, const uint32_t *words, size_t count)
{
	return ia32(102, code, words ? pointer32(low_copy(words, count * sizeof(*words))) : 0, 0, 0, 0, 0);
}
