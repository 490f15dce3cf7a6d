/*
 * JSON Web Tokens signed with RSA (RFC 7515, RFC 7518 3.3), as the grant of
 * RFC 7523 wants them.  libcrypto signs; it is loaded on first use, since few
 * configurations have such a grant and whoever loads libcurl has it already.
 */
#ifndef NET_JWT_H
#define NET_JWT_H

#include "base/buf.h"
#include "base/conf.h"
#include "base/error.h"

/* What a token says; all is borrowed. */
struct jwt {
	str algorithm; /* RS256, RS384, RS512; empty: RS256 */
	str key_id;    /* these two may be empty, and are left out then */
	str scope;
	str issuer, subject, audience, id;
	int64_t now; /* ms; it is good for 10 minutes */
	/* NULL, or a map: of a name that is above too, this one is taken */
	const struct conf_node *claims;
};

/* Is it an algorithm there is? */
bool jwt_algorithm(str s);

/*
 * Add the token to b, signed with the private key of a PEM text.  -1 if that is
 * none, or none of RSA, or has a passphrase; no message repeats any of it.
 */
int jwt_print(struct buf *b, const struct jwt *j, str key, struct error *e);

/* A map of claims as a JSON object: scalars have the type YAML gives them. */
void jwt_claims(struct buf *b, const struct conf_node *map);

#endif
