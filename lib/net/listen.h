/*
 * A listening socket from an address as options give it.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include <stdbool.h>

#include "base/error.h"

#define LISTEN_NAME 128

/*
 * "HOST:PORT", ":PORT" (every address, IPv4 and IPv6), "[::1]:PORT" or
 * "unix:PATH"; port 0 takes a free one.  Returns the descriptor (close on
 * exec, not blocking) and what was bound in name; -1 and a message that names
 * the address.  A socket file that nobody serves any more is replaced.
 */
int listen_open(const char *address, char name[LISTEN_NAME], struct error *e);

/* Is it written like an address? */
bool listen_valid(const char *address);

#endif
