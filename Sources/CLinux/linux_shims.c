/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "linux_shims.h"

const void *linux_memmem(const void *bytes, size_t count, const void *needle, size_t needle_count)
{
	return memmem(bytes, count, needle, needle_count);
}

const void *linux_memrchr(const void *bytes, int byte, size_t count)
{
	return memrchr(bytes, byte, count);
}

#include <arpa/inet.h>

unsigned linux_inet6_text(const void *address, unsigned char *output)
{
	char text[INET6_ADDRSTRLEN];
	size_t count;

	if (!inet_ntop(AF_INET6, address, text, sizeof(text)))
		return 0;
	count = strlen(text);
	memcpy(output, text, count);
	return (unsigned)count;
}
