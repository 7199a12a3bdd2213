/* SPDX-License-Identifier: Apache-2.0 */
/* What Swift cannot import from glibc or the kernel's headers: GNU functions, macros, variadic calls, atomics on mapped memory. */
#ifndef FALCO_LINUX_SHIMS_H
#define FALCO_LINUX_SHIMS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* First occurrence of `needle`, or NULL. An empty needle is found at the start. */
const void *linux_memmem(const void *bytes, size_t count, const void *needle, size_t needle_count);
/* Last occurrence of `byte`, or NULL. */
const void *linux_memrchr(const void *bytes, int byte, size_t count);
/* Text of 16 address bytes into at least 46 bytes, without a NUL; returns the count. */
unsigned linux_inet6_text(const void *address, unsigned char *output);
#endif
