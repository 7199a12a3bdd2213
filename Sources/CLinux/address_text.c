/* SPDX-License-Identifier: Apache-2.0 */
#include "address_text.h"

#include <arpa/inet.h>
#include <string.h>

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
