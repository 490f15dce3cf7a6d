/*
 * Damage is no error: the rest is read, and the user is told.
 */
#include "damaged.h"

#include "tool.h"

bool
damaged_tell(struct store *s)
{
	const char *name;
	bool any = false;

	while ((name = store_damaged(s)) != NULL) {
		tool_warn("store/%s: damaged, what cannot be read of it is "
			  "left out (see mf-store check)",
		    name);
		any = true;
	}
	return any;
}

void
damaged_aside(struct store *s)
{
	const char *name;

	while (s != NULL && (name = store_damaged(s)) != NULL)
		if (str_ends(str_of(name), STR(".damaged")))
			tool_warn("store/%s: could not be read and was set "
				  "aside; what it told of is lost",
			    name);
}
