/* base/error. */
#include <errno.h>

#include "check.h"

#include "base/error.h"
#include "base/str.h"

int
main(void)
{
	struct error e;
	char big[3 * ERROR_MAX];

	CHECK(error_set(&e, "bad value '%s'", "one") == -1);
	CHECK(error_add(&e, "line %d", 2) == -1);
	CHECK_STR(str_of(e.msg), "line 2: bad value 'one'");
	errno = ENOENT;
	CHECK(error_errno(&e, "%s", "file") == -1 && errno == ENOENT);
	CHECK_STR(str_of(e.msg), "file: No such file or directory");
	CHECK(error_set(NULL, "x") == -1 && error_add(NULL, "x") == -1 &&
	    error_errno(NULL, "x") == -1);

	/* too long is cut, at either end */
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)error_set(&e, "%s", big);
	CHECK(strlen(e.msg) == ERROR_MAX - 1);
	(void)error_add(&e, "front");
	CHECK(strlen(e.msg) == ERROR_MAX - 1);
	CHECK(str_starts(str_of(e.msg), STR("front: xxx")));
	(void)error_add(&e, "%s", big);
	CHECK(strlen(e.msg) == ERROR_MAX - 1);
	(void)error_errno(&e, "%s", big);
	CHECK(strlen(e.msg) == ERROR_MAX - 1);
	return done();
}
