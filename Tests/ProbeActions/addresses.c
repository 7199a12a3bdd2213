/* SPDX-License-Identifier: Apache-2.0 */
#include "addresses.h"

#include "expect.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

/* Moves an address of 127/8 to a part of it that belongs to this process, so that two runs at a time do not meet. */
static void make_own(unsigned char *ip)
{
	if (ip[0] != 127)
		return;
	ip[1] = (unsigned char)(getpid() >> 8);
	ip[2] = (unsigned char)getpid();
}

void address_v4(struct any_address *address, const char *ip, unsigned short port)
{
	memset(address, 0, sizeof(*address));
	address->in.sin_family = AF_INET;
	address->in.sin_port = htons(port);
	inet_pton(AF_INET, ip, &address->in.sin_addr);
	make_own((unsigned char *)&address->in.sin_addr);
	address->bytes = sizeof(address->in);
}

void address_v6(struct any_address *address, const char *ip, unsigned short port)
{
	memset(address, 0, sizeof(*address));
	address->in6.sin6_family = AF_INET6;
	address->in6.sin6_port = htons(port);
	inet_pton(AF_INET6, ip, &address->in6.sin6_addr);
	make_own(address->in6.sin6_addr.s6_addr + 12);
	address->bytes = sizeof(address->in6);
}

void address_unix(struct any_address *address, const char *path)
{
	memset(address, 0, sizeof(*address));
	address->un.sun_family = AF_UNIX;
	strncpy(address->un.sun_path, path, sizeof(address->un.sun_path) - 1);
	address->bytes = sizeof(address->un);
}

/* IP and port, the port in the order of the machine. */
static size_t append_end(unsigned char *to, const struct any_address *address)
{
	unsigned short port;
	size_t bytes;

	if (address->any.sa_family == AF_INET) {
		port = ntohs(address->in.sin_port);
		bytes = sizeof(address->in.sin_addr);
		memcpy(to, &address->in.sin_addr, bytes);
	} else {
		port = ntohs(address->in6.sin6_port);
		bytes = sizeof(address->in6.sin6_addr);
		memcpy(to, &address->in6.sin6_addr, bytes);
	}
	memcpy(to + bytes, &port, sizeof(port));
	return bytes + sizeof(port);
}

void socket_address(const char *parameter, const struct any_address *address)
{
	unsigned char value[256] = {(unsigned char)address->any.sa_family};
	size_t count = 1;

	if (address->any.sa_family == AF_UNIX) {
		strcpy((char *)value + 1, address->un.sun_path);
		count += strlen(address->un.sun_path) + 1;
	} else {
		count += append_end(value + count, address);
	}
	bytes(parameter, value, count);
}

void socket_tuple(const char *parameter, const struct any_address *source, const struct any_address *destination)
{
	unsigned char value[64] = {(unsigned char)source->any.sa_family};
	size_t count = 1;

	count += append_end(value + count, source);
	count += append_end(value + count, destination);
	bytes(parameter, value, count);
}

void reset(long descriptor)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt((int)descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close((int)descriptor);
}
