/*
 * Tokens taken apart, and their signatures verified by openssl(1), with keys
 * that it has made in a directory of the test.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"

/* A private key NAME.pem and its public half NAME.pub, for "openssl genpkey" */
static inline bool
jwt_key(const char *dir, const char *name, const char *options)
{
	char cmd[512];

	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && openssl genpkey %s -out %s.pem 2>log && "
	    "openssl pkey -in %s.pem -pubout -out %s.pub 2>log",
	    dir, options, name, name, name);
	return system(cmd) == 0;
}

static inline bool
jwt_unbase64(str s, struct buf *out)
{
	static const char t[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned v = 0, bits = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char *p = s.p[i] ? strchr(t, s.p[i]) : NULL;

		if (p == NULL)
			return false;
		v = v << 6 | (unsigned)(p - t);
		bits += 6;
		if (bits >= 8)
			buf_byte(out, (char)(v >> (bits -= 8) & 0xff));
	}
	return true;
}

/* The header and the claims of a token, as text. */
static inline bool
jwt_split(str token, struct buf *header, struct buf *claims)
{
	str head = str_cut(&token, '.'), body = str_cut(&token, '.');

	return token.n > 0 && jwt_unbase64(head, header) &&
	    jwt_unbase64(body, claims);
}

/* Does DIR/NAME.pub say that the digest ("sha256") of it was signed? */
static inline bool
jwt_verify(const char *dir, const char *name, const char *digest, str token)
{
	struct buf sig = { 0 };
	char path[256], cmd[512];
	size_t dot = token.n;
	bool good;

	while (dot > 0 && token.p[dot - 1] != '.')
		dot--;
	if (dot == 0)
		return false;
	good = jwt_unbase64(str_skip(token, dot), &sig);
	(void)snprintf(path, sizeof(path), "%s/data", dir);
	good &= file_replace(path, str_take(token, dot - 1), 0600, NULL) == 0;
	(void)snprintf(path, sizeof(path), "%s/sig", dir);
	good &= file_replace(path, buf_str(&sig), 0600, NULL) == 0;
	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && openssl dgst -%s -verify %s.pub -signature sig data "
	    ">log 2>&1",
	    dir, digest, name);
	good = good && system(cmd) == 0;
	buf_fini(&sig);
	return good;
}

static inline void
jwt_remove(const char *dir)
{
	char cmd[256];

	(void)snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	if (system(cmd) != 0)
		puts("# the directory stays");
}
