/* option: texts into places. */
#include "api/option.h"

bool qn_size_of_text(qn_str s, int64_t *out);

bool qn_pair_split(const char *word, qn_setting *out)
{
    const char *eq = strchr(word, '=');
    if (!eq || eq == word) return false;
    *out = (qn_setting){ { word, (size_t)(eq - word) }, qn_str_of(eq + 1) };
    return true;
}

void qn_pairs_add(qn_pairs *p, qn_setting s)
{
    QN_GROW(p->items, p->n, p->cap);
    p->items[p->n++] = s;
}

qn_code qn_opt_set(const qn_opt *o, const char *value, void *opts, qn_err *e)
{
    void *at = (char *)opts + o->offset;
    qn_setting pair;
    switch (o->kind) {
    case QN_OPT_FLAG: *(bool *)at = true; return QN_OK;
    case QN_OPT_TEXT: *(const char **)at = value; return QN_OK;
    case QN_OPT_INT:
        if (qn_str_to_i64(qn_str_of(value), at) && *(int64_t *)at >= 0) return QN_OK;
        return qn_fail(e, QN_EUSAGE, "--%s is `%s`, a whole number is needed", o->name, value);
    case QN_OPT_REAL:
        if (qn_str_to_f64(qn_str_of(value), at) && *(double *)at >= 0) return QN_OK;
        return qn_fail(e, QN_EUSAGE, "--%s is `%s`, a number is needed", o->name, value);
    case QN_OPT_SIZE:
        if (qn_size_of_text(qn_str_of(value), at) && *(int64_t *)at > 0) return QN_OK;
        return qn_fail(e, QN_EUSAGE, "--%s is `%s`, a size such as 256M or 2G is needed", o->name, value);
    case QN_OPT_PAIRS:
        if (!qn_pair_split(value, &pair)) return qn_fail(e, QN_EUSAGE, "--%s is `%s`, %s is needed", o->name, value, o->value);
        qn_pairs_add(at, pair);
        return QN_OK;
    }
    return QN_OK;
}

const qn_opt *qn_opt_find(const qn_opt *table, qn_str name, char letter)
{
    for (const qn_opt *o = table; o && o->name; o++)
        if (letter ? o->letter == letter : qn_str_is(name, o->name)) return o;
    return NULL;
}

const char *qn_opt_nearest(const qn_opt *table, qn_str name, const char *more)
{
    const char *names[64];
    size_t n = 0;
    for (const qn_opt *o = table; o && o->name && n < 63; o++) names[n++] = o->name;
    if (more) names[n++] = more;
    return qn_nearest(name, names, n);
}
