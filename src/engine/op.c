/* op: finding operators, and verdicts in words. */
#include "ops/op.h"
#include <stdio.h>

const qn_op *qn_op_find(qn_str name)
{
    for (size_t i = 0; qn_ops_table[i]; i++)
        if (qn_str_is(name, qn_ops_table[i]->name)) return qn_ops_table[i];
    return NULL;
}

const char *qn_op_nearest(qn_str name)
{
    const char *words[512];
    size_t n = 0;
    for (size_t i = 0; qn_ops_table[i] && n < 512; i++)
        if (!(qn_ops_table[i]->flags & QN_OP_HIDDEN)) words[n++] = qn_ops_table[i]->name;
    return qn_nearest(name, words, n);
}

static qn_verdict number(const char *measure, char sign, double value, double limit)
{
    return (qn_verdict){ .reject = true, .measure = measure, .sign = sign, .value = value, .limit = limit };
}

qn_verdict qn_reject_below(const char *measure, double value, double limit) { return number(measure, '<', value, limit); }
qn_verdict qn_reject_above(const char *measure, double value, double limit) { return number(measure, '>', value, limit); }

qn_verdict qn_reject_fact(const char *measure, const char *fmt, ...)
{
    qn_verdict v = { .reject = true, .measure = measure, .sign = '!' };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(v.text, sizeof v.text, fmt, ap);
    va_end(ap);
    qn_utf8_mend(v.text);
    return v;
}

qn_verdict qn_reject_duplicate(const char *measure, double similarity, double limit, qn_row_mark of)
{
    qn_verdict v = number(measure, '>', similarity, limit);
    v.similarity = similarity;
    v.of_row = of.number;
    qn_hash_hex(of.id, v.of);
    return v;
}

void qn_verdict_text(const qn_verdict *v, char *out, size_t size)
{
    switch (v->sign) {
    case '<': snprintf(out, size, "%s %.2f below %.2f", v->measure, v->value, v->limit); break;
    case '>': snprintf(out, size, "%s %.2f above %.2f", v->measure, v->value, v->limit); break;
    case '!': snprintf(out, size, v->text[0] ? "%s: %s" : "%s", v->measure, v->text); break;
    default:  snprintf(out, size, "%s", v->measure); break;
    }
}
