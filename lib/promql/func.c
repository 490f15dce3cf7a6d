/*
 * Functions by name, over the tables of the families.
 */
#include "promql/func.h"

#include "promql/eval.h"

const struct func *
promql_func(str name)
{
	const struct func *const families[] = { promql_fn_rate,
		promql_fn_over_time, promql_fn_math, promql_fn_label,
		promql_fn_time, promql_fn_histogram, promql_fn_info,
		promql_fn_vector };

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		for (const struct func *f = families[i]; f->name != NULL; f++)
			if (str_eq(name, str_of(f->name)))
				return f;
	return NULL;
}
