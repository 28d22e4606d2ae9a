/* expr_fn_math: functions of numbers. A result that is no number (sqrt of -1) or too big is an error, not a null. */
#include "recipe/expr_fns.h"
#include <math.h>

static qn_code want_number(qn_xeval *ev, const qn_xnode *n, qn_value v)
{
    if (qn_v_is_number(v)) return QN_OK;
    qn_str shown = qn_x_show(ev, v);
    return qn_x_fail(ev, n, "a number is needed, not %s (%.*s)", qn_v_kind_name(v), QN_FMT(shown));
}

static qn_code real(qn_xeval *ev, const qn_xnode *n, double d, qn_value *out)
{
    if (!isfinite(d)) return qn_x_fail(ev, n, "the result is no finite number");
    *out = qn_v_real(d);
    return QN_OK;
}

/* A whole number becomes an integer where 64 bits hold it. */
static qn_value whole(double d)
{
    return d >= -9223372036854775808.0 && d < 9223372036854775808.0 ? qn_v_int((int64_t)d) : qn_v_real(d);
}

qn_code qn_xf_math(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    static const struct { const char *name; double (*fn)(double); bool whole; } FNS[] = {
        { "floor", floor, true }, { "ceil", ceil, true }, { "round", round, true }, { "trunc", trunc, true }, { "sqrt", sqrt, false },
        { "log", log, false }, { "log2", log2, false }, { "log10", log10, false }, { "exp", exp, false }, { "exp2", exp2, false },
        { "exp10", exp10, false },
    };
    (void)arg;
    QN_TRY(want_number(ev, n, in));
    for (size_t i = 0; i < sizeof FNS / sizeof *FNS; i++) {
        if (strcmp(FNS[i].name, n->fn->name) != 0) continue;
        if (!FNS[i].whole) return real(ev, n, FNS[i].fn(qn_v_number(in)), out);
        *out = in.kind == QN_V_REAL ? whole(FNS[i].fn(in.d)) : in;
        return QN_OK;
    }
    QN_ASSERT(!"a function in FNS");
    return QN_OK;
}

qn_code qn_xf_abs(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)arg;
    QN_TRY(want_number(ev, n, in));
    if (in.kind == QN_V_REAL) *out = qn_v_real(fabs(in.d));
    else if (in.kind == QN_V_UINT || in.i >= 0) *out = in;
    else *out = in.i == INT64_MIN ? (qn_value){ .kind = QN_V_UINT, .u = (uint64_t)INT64_MAX + 1 } : qn_v_int(-in.i);
    return QN_OK;
}

qn_code qn_xf_pow(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)in;
    QN_TRY(want_number(ev, n, arg[0]));
    QN_TRY(want_number(ev, n, arg[1]));
    if (arg[0].kind == QN_V_INT && arg[1].kind == QN_V_INT && arg[1].i >= 0 && arg[1].i < 64) {
        int64_t r = 1;
        bool over = false;
        for (int64_t i = 0; i < arg[1].i && !over; i++) over = __builtin_mul_overflow(r, arg[0].i, &r);
        if (!over) { *out = qn_v_int(r); return QN_OK; }
    }
    return real(ev, n, pow(qn_v_number(arg[0]), qn_v_number(arg[1])), out);
}
