/*
 * Functions of one value: arithmetic, trigonometry, clamping.
 */
#include "promql/eval.h"

#define PI 3.14159265358979323846

static double
fn_abs(double v, const double *args)
{
	(void)args;
	return fabs(v);
}

static double
fn_ceil(double v, const double *args)
{
	(void)args;
	return ceil(v);
}

static double
fn_floor(double v, const double *args)
{
	(void)args;
	return floor(v);
}

static double
fn_sqrt(double v, const double *args)
{
	(void)args;
	return sqrt(v);
}

static double
fn_exp(double v, const double *args)
{
	(void)args;
	return exp(v);
}

static double
fn_ln(double v, const double *args)
{
	(void)args;
	return log(v);
}

static double
fn_log2(double v, const double *args)
{
	(void)args;
	return log2(v);
}

static double
fn_log10(double v, const double *args)
{
	(void)args;
	return log10(v);
}

static double
fn_sgn(double v, const double *args)
{
	(void)args;
	return v < 0 ? -1 : v > 0 ? 1 : v;
}

static double
fn_sin(double v, const double *args)
{
	(void)args;
	return sin(v);
}

static double
fn_cos(double v, const double *args)
{
	(void)args;
	return cos(v);
}

static double
fn_tan(double v, const double *args)
{
	(void)args;
	return tan(v);
}

static double
fn_asin(double v, const double *args)
{
	(void)args;
	return asin(v);
}

static double
fn_acos(double v, const double *args)
{
	(void)args;
	return acos(v);
}

static double
fn_atan(double v, const double *args)
{
	(void)args;
	return atan(v);
}

static double
fn_sinh(double v, const double *args)
{
	(void)args;
	return sinh(v);
}

static double
fn_cosh(double v, const double *args)
{
	(void)args;
	return cosh(v);
}

static double
fn_tanh(double v, const double *args)
{
	(void)args;
	return tanh(v);
}

static double
fn_asinh(double v, const double *args)
{
	(void)args;
	return asinh(v);
}

static double
fn_acosh(double v, const double *args)
{
	(void)args;
	return acosh(v);
}

static double
fn_atanh(double v, const double *args)
{
	(void)args;
	return atanh(v);
}

static double
fn_deg(double v, const double *args)
{
	(void)args;
	return v * 180 / PI;
}

static double
fn_rad(double v, const double *args)
{
	(void)args;
	return v * PI / 180;
}

/* To the nearest multiple, ties up; dividing by the inverse, as upstream. */
static double
fn_round(double v, const double *args)
{
	double inverse = isnan(args[0]) ? 1 : 1 / args[0];

	return floor(v * inverse + 0.5) / inverse;
}

/* An infinity at the far end wins over a NaN, as with Go's math.Max and Min. */
static double
larger(double a, double b)
{
	if (isnan(a) || isnan(b))
		return a == INFINITY || b == INFINITY ? INFINITY : num_nan();
	return fmax(a, b);
}

static double
smaller(double a, double b)
{
	if (isnan(a) || isnan(b))
		return a == -INFINITY || b == -INFINITY ? -INFINITY : num_nan();
	return fmin(a, b);
}

/* A range that is upside down holds nothing. */
static double
fn_clamp(double v, const double *args)
{
	if (args[1] < args[0])
		return num_stale();
	return larger(args[0], smaller(args[1], v));
}

static double
fn_clamp_min(double v, const double *args)
{
	return larger(args[0], v);
}

static double
fn_clamp_max(double v, const double *args)
{
	return smaller(args[0], v);
}

static int
fn_pi(
    struct eval *ev, const struct node *call, const struct grid *g, double *out)
{
	(void)ev;
	(void)call;
	for (size_t i = 0; i < g->n; i++)
		out[i] = PI;
	return 0;
}

static int
extreme(struct eval *ev, const struct node *call, const struct grid *g,
    double *out, bool max)
{
	double *v = promql_column(ev, g->n);

	if (promql_scalar(ev, call->arg[0], g, out) == -1 ||
	    promql_scalar(ev, call->arg[1], g, v) == -1)
		return -1;
	for (size_t i = 0; i < g->n; i++)
		out[i] = max ? larger(out[i], v[i]) : smaller(out[i], v[i]);
	return 0;
}

static int
fn_min_of(
    struct eval *ev, const struct node *call, const struct grid *g, double *out)
{
	return extreme(ev, call, g, out, false);
}

static int
fn_max_of(
    struct eval *ev, const struct node *call, const struct grid *g, double *out)
{
	return extreme(ev, call, g, out, true);
}

const struct func promql_fn_math[] = {
	{ "abs", "v", 0, PROMQL_VECTOR, 0, .map = fn_abs },
	{ "acos", "v", 0, PROMQL_VECTOR, 0, .map = fn_acos },
	{ "acosh", "v", 0, PROMQL_VECTOR, 0, .map = fn_acosh },
	{ "asin", "v", 0, PROMQL_VECTOR, 0, .map = fn_asin },
	{ "asinh", "v", 0, PROMQL_VECTOR, 0, .map = fn_asinh },
	{ "atan", "v", 0, PROMQL_VECTOR, 0, .map = fn_atan },
	{ "atanh", "v", 0, PROMQL_VECTOR, 0, .map = fn_atanh },
	{ "ceil", "v", 0, PROMQL_VECTOR, 0, .map = fn_ceil },
	{ "clamp", "vss", 0, PROMQL_VECTOR, 0, .map = fn_clamp },
	{ "clamp_max", "vs", 0, PROMQL_VECTOR, 0, .map = fn_clamp_max },
	{ "clamp_min", "vs", 0, PROMQL_VECTOR, 0, .map = fn_clamp_min },
	{ "cos", "v", 0, PROMQL_VECTOR, 0, .map = fn_cos },
	{ "cosh", "v", 0, PROMQL_VECTOR, 0, .map = fn_cosh },
	{ "deg", "v", 0, PROMQL_VECTOR, 0, .map = fn_deg },
	{ "exp", "v", 0, PROMQL_VECTOR, 0, .map = fn_exp },
	{ "floor", "v", 0, PROMQL_VECTOR, 0, .map = fn_floor },
	{ "ln", "v", 0, PROMQL_VECTOR, 0, .map = fn_ln },
	{ "log10", "v", 0, PROMQL_VECTOR, 0, .map = fn_log10 },
	{ "log2", "v", 0, PROMQL_VECTOR, 0, .map = fn_log2 },
	{ "max_of", "ss", 0, PROMQL_SCALAR, 0, .scalar = fn_max_of },
	{ "min_of", "ss", 0, PROMQL_SCALAR, 0, .scalar = fn_min_of },
	{ "pi", "", 0, PROMQL_SCALAR, 0, .scalar = fn_pi },
	{ "rad", "v", 0, PROMQL_VECTOR, 0, .map = fn_rad },
	{ "round", "vs", 1, PROMQL_VECTOR, 0, .map = fn_round },
	{ "sgn", "v", 0, PROMQL_VECTOR, 0, .map = fn_sgn },
	{ "sin", "v", 0, PROMQL_VECTOR, 0, .map = fn_sin },
	{ "sinh", "v", 0, PROMQL_VECTOR, 0, .map = fn_sinh },
	{ "sqrt", "v", 0, PROMQL_VECTOR, 0, .map = fn_sqrt },
	{ "tan", "v", 0, PROMQL_VECTOR, 0, .map = fn_tan },
	{ "tanh", "v", 0, PROMQL_VECTOR, 0, .map = fn_tanh },
	{ .name = NULL },
};
