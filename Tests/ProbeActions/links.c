/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "links.h"

#include "expect.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

char short_message[SHORT_BYTES], long_message[LONG_BYTES];

void messages_fill(void)
{
	memset(short_message, 'S', sizeof(short_message) - 1);
	memset(long_message, 'L', sizeof(long_message) - 1);
}

void link_open(struct link *link, int family, int type, enum ports ports)
{
	static unsigned short offset;
	unsigned short client, server;
	int one = 1;
	long listener;

	offset = (unsigned short)((offset + 1) % 90);
	client = (unsigned short)(51800 + offset);
	server = (unsigned short)(52900 + offset);
	switch (ports) {
	case PORTS_CLIENT_FULL: client = (unsigned short)(FULL_PORT_FIRST + offset); break;
	case PORTS_SERVER_FULL: server = (unsigned short)(FULL_PORT_FIRST + offset); break;
	case PORTS_CLIENT_DNS: client = 53; break;
	case PORTS_SERVER_DNS: server = 53; break;
	case PORTS_SERVER_STATSD: server = 8125; break;
	case PORTS_SERVER_MYSQL: server = 3306; break;
	case PORTS_SERVER_POSTGRES: server = 5432; break;
	case PORTS_SERVER_MONGODB: server = 27017; break;
	default: break;
	}
	link->type = type;
	if (family == AF_INET) {
		address_v4(&link->from, "127.0.21.34", client);
		address_v4(&link->to, "127.59.21.35", server);
	} else {
		address_v6(&link->from, "::ffff:127.0.0.4", client);
		address_v6(&link->to, "::ffff:127.0.0.5", server);
	}
	listener = must(socket(family, type, 0));
	link->client = must(socket(family, type, 0));
	must(setsockopt((int)listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(setsockopt((int)link->client, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(bind((int)listener, &link->to.any, link->to.bytes));
	must(bind((int)link->client, &link->from.any, link->from.bytes));
	link->server = listener;
	if (type == SOCK_STREAM) {
		must(listen((int)listener, 1));
		must(connect((int)link->client, &link->to.any, link->to.bytes));
		link->server = must(accept((int)listener, NULL, NULL));
		close((int)listener);
	}
}

void link_close(struct link *link)
{
	reset(link->client);
	reset(link->server);
}

void link_drain(struct link *link)
{
	char room[256];

	while (recv((int)link->server, room, sizeof(room), MSG_DONTWAIT) > 0)
		;
}
