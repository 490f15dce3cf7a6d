/*
 * no_proxy, as Go's httpproxy reads it, so that one list means the same to
 * both.  libcurl's own differs in names and ports.  tests/unit/net-auth.c has
 * the cases.
 */
#include <arpa/inet.h>

#include "net/auth.h"

/* An address as 16 bytes, IPv4 mapped; false if it is none. */
static bool
address(str s, unsigned char a[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char z[64];

	if (s.n >= sizeof(z))
		return false;
	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	memcpy(a, mapped, sizeof(mapped));
	return inet_pton(AF_INET, z, a + 12) == 1 ||
	    inet_pton(AF_INET6, z, a) == 1;
}

static bool
is_loopback(const unsigned char a[16])
{
	static const unsigned char six[16] = { [15] = 1 };
	static const unsigned char four[13] = {
		[10] = 0xff, [11] = 0xff, [12] = 127
	};

	return memcmp(a, six, 16) == 0 || memcmp(a, four, 13) == 0;
}

/* A decimal of at most max; -1 if it is none. */
static int
small(str s, int max)
{
	int v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = v * 10 + (s.p[i] - '0');
		if (v > max)
			return -1;
	}
	return s.n ? v : -1;
}

static bool
in_range(str range, const unsigned char a[16])
{
	size_t slash = str_chr(range, '/');
	str base = str_take(range, slash);
	bool four = str_chr(base, ':') == base.n;
	int bits = small(str_skip(range, slash + 1), four ? 32 : 128);
	unsigned char b[16];
	unsigned mask;

	if (bits == -1 || !address(base, b))
		return false;
	bits += four ? 96 : 0;
	if (memcmp(a, b, (size_t)bits / 8) != 0)
		return false;
	mask = 0xff00u >> (bits % 8) & 0xff;
	return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

static bool
is_name(str host, str name)
{
	str tail;

	if (str_starts(name, STR("*.")))
		name = str_skip(name, 1);
	if (name.n == 0 || host.n < name.n)
		return false;
	tail = str_skip(host, host.n - name.n);
	if (!str_eq_fold(tail, name))
		return false;
	if (name.p[0] == '.')
		return host.n > name.n;
	return host.n == name.n || tail.p[-1] == '.';
}

/* Take ":PORT" off an entry; -1 if it has none, -2 if it is none. */
static int
take_port(str *entry)
{
	size_t i = entry->n;
	int port;

	while (i > 0 && entry->p[i - 1] >= '0' && entry->p[i - 1] <= '9')
		i--;
	if (i < 2 || entry->p[i - 1] != ':')
		return -1;
	/* An IPv6 address has a port only behind its bracket. */
	if (entry->p[i - 2] != ']' &&
	    str_chr(str_take(*entry, i - 1), ':') < i - 1)
		return -1;
	port = small(str_skip(*entry, i), 65535);
	*entry = str_take(*entry, i - 1);
	return port == -1 ? -2 : port;
}

static bool
matches(str entry, str host, const unsigned char *a, int port)
{
	unsigned char b[16];
	int p;

	if (str_chr(entry, '/') < entry.n)
		return a != NULL && in_range(entry, a);
	p = take_port(&entry);
	if (p != -1 && p != port)
		return false;
	if (entry.n > 2 && entry.p[0] == '[')
		entry = str_take(str_skip(entry, 1), entry.n - 2);
	if (address(entry, b))
		return a != NULL && memcmp(a, b, 16) == 0;
	return a == NULL && is_name(host, entry);
}

bool
auth_direct(str no_proxy, str host, int port)
{
	unsigned char a[16];
	bool is_address = address(host, a);

	if (str_eq_fold(host, STR("localhost")))
		return true;
	if (is_address && is_loopback(a))
		return true;
	while (no_proxy.p != NULL) {
		str entry = str_trim(str_cut(&no_proxy, ','));

		if (str_eq(entry, STR("*")))
			return true;
		if (entry.n &&
		    matches(entry, host, is_address ? a : NULL, port))
			return true;
	}
	return false;
}
