/*
 * What a request says, as far as it can be read without a connection: the
 * parts of httpd.c that need no libmicrohttpd, and so can be tested and
 * fuzzed by themselves.
 */
#ifndef NET_HTTPD_REQUEST_H
#define NET_HTTPD_REQUEST_H

#include "net/httpd.h"

#define HTTPD_MAX_HEADERS 100
#define HTTPD_MAX_PARAMS 4096

/*
 * Is this head one we serve?  0, or the status to refuse it with and why.
 * max_head is compared with size, the bytes of the head.
 */
int httpd_check(const struct httpd_request *q, str version, size_t size,
    const struct httpd_limits *l, const char **why);

/*
 * Fill path, query and params from the target as it stands on the request
 * line, and params from a form in the body; in q's arena.  As httpd_check().
 */
int httpd_parse(struct httpd_request *q, str target, const char **why);

/* Does the client take gzip? */
bool httpd_takes_gzip(const struct httpd_request *q);

#endif
