/*
 * The message of what failed, on its way outward to the tool that says it.
 */
#include "base/error.h"

#ifdef __clang_analyzer__
#undef error_set
#undef error_vset
#undef error_add
#undef error_errno
#endif

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
error_vset(struct error *e, const char *fmt, va_list ap)
{
	if (e != NULL)
		(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	return -1;
}

int
error_set(struct error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)error_vset(e, fmt, ap);
	va_end(ap);
	return -1;
}

/* Behind the message that is there. */
static void
append(struct error *e, const char *text)
{
	size_t n = strlen(e->msg);

	(void)snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", text);
}

int
error_add(struct error *e, const char *fmt, ...)
{
	char old[ERROR_MAX];
	va_list ap;

	if (e == NULL)
		return -1;
	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	(void)error_vset(e, fmt, ap);
	va_end(ap);
	append(e, old);
	return -1;
}

int
error_errno(struct error *e, const char *fmt, ...)
{
	int saved = errno;
	char why[128];
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	(void)error_vset(e, fmt, ap);
	va_end(ap);
	append(e, strerror_r(saved, why, sizeof(why)));
	errno = saved;
	return -1;
}
