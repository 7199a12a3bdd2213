/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as calls take them, and as events carry them. */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct any_address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
	socklen_t bytes;
};

void address_v4(struct any_address *address, const char *ip, unsigned short port);
void address_v6(struct any_address *address, const char *ip, unsigned short port);
void address_unix(struct any_address *address, const char *path);

void socket_address(const char *parameter, const struct any_address *address);
/* Two inet addresses of one family. */
void socket_tuple(const char *parameter, const struct any_address *source, const struct any_address *destination);

/* Closes a connection without leaving its ports in TIME_WAIT. */
void reset(long descriptor);

#endif
