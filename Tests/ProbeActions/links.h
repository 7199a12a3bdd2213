/* SPDX-License-Identifier: Apache-2.0 */
/* A client and a server that can talk, over loopback. */
#ifndef LINKS_H
#define LINKS_H

#include "addresses.h"

#define SHORT_BYTES 61
#define LONG_BYTES 121
#define ROOM 100

extern char short_message[SHORT_BYTES], long_message[LONG_BYTES];

/* Which end has a port that is worth more bytes, where the probe looks (see `snaplen_cases`). */
enum ports {
	PORTS_PLAIN,
	PORTS_CLIENT_FULL,
	PORTS_SERVER_FULL,
	PORTS_CLIENT_DNS,
	PORTS_SERVER_DNS,
	PORTS_SERVER_STATSD,
	PORTS_SERVER_MYSQL,
	PORTS_SERVER_POSTGRES,
	PORTS_SERVER_MONGODB,
};

/* The range of `fullcapture_port_range` in the tests. */
#define FULL_PORT_FIRST 53100
#define FULL_PORT_LAST 53199

/* `server` is the end that receives; of an unconnected link too. */
struct link {
	int type;
	long client, server;
	struct any_address from, to;
};

void messages_fill(void);
void link_open(struct link *link, int family, int type, enum ports ports);
void link_close(struct link *link);
/* Throws away what has arrived. */
void link_drain(struct link *link);

#endif
