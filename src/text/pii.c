/* pii: one walk over the text that calls a recogniser where a byte calls for it; names come from a second walk. */
#include "text/pii.h"
#include "text/pii_parts.h"
#include "core/mem.h"
#include <ctype.h>
#include <stdlib.h>

const char *const QN_PII_NAMES[QN_PII_N] = { "email", "phone", "card", "iban", "ip", "ssn", "key", "name", "place" };

static void put(qn_pii_spans *out, qn_pii_kind kind, size_t from, size_t to)
{
    QN_GROW(out->items, out->n, out->cap);
    out->items[out->n++] = (qn_pii_span){ kind, from, to };
}

static bool starts_token(qn_str s, size_t i) { return i == 0 || !(isalnum((unsigned char)s.p[i - 1]) || (unsigned char)s.p[i - 1] >= 128); }

/* Tries the kinds of number that may begin at i, the surest first. */
static size_t number_at(qn_str s, size_t i, unsigned kinds, qn_pii_kind *kind)
{
    static const struct { qn_pii_kind kind; size_t (*at)(qn_str, size_t); } kinds_of[] = {
        { QN_PII_IP, qn_pii_ip_at }, { QN_PII_IBAN, qn_pii_iban_at }, { QN_PII_SSN, qn_pii_ssn_at }, { QN_PII_CARD, qn_pii_card_at }, { QN_PII_PHONE, qn_pii_phone_at },
    };
    for (size_t k = 0; k < sizeof kinds_of / sizeof *kinds_of; k++) {
        size_t end = kinds_of[k].at(s, i);      /* also for kinds not wanted: an IBAN is no telephone number */
        if (!end) continue;
        *kind = kinds_of[k].kind;
        (void)kinds;
        return end;
    }
    return 0;
}

static bool may_start_number(qn_str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i], next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
    if (isdigit(c)) return true;
    if (c == '+' || c == '(') return isdigit(next);
    if (c == ':') return next == ':';
    return isalpha(c) && (isdigit(next) || next == ':' || (isalnum(next) && i + 2 < s.n && (isdigit((unsigned char)s.p[i + 2]) || s.p[i + 2] == ':' || isxdigit((unsigned char)s.p[i + 2]))));
}

static void find_exact(qn_str s, unsigned kinds, qn_pii_spans *out)
{
    size_t taken = 0;                           /* end of the last span */
    for (size_t i = 0; i < s.n; i++) {
        qn_pii_kind kind = QN_PII_EMAIL;
        size_t from = i, end = 0;
        if (s.p[i] == '@') {
            end = qn_pii_email_at(s, i, &from);
            if (end && from < taken) end = 0;
            while (end && out->n && out->items[out->n - 1].to > from) out->n--;
        } else if (starts_token(s, i)) {
            end = qn_pii_key_at(s, i, &from);
            kind = QN_PII_KEY;
            if (!end && may_start_number(s, i)) { from = i; end = number_at(s, i, kinds, &kind); }
        }
        if (!end) continue;
        if (kinds >> kind & 1) put(out, kind, from, end);
        taken = end;
        i = end - 1;
    }
}

static int by_place(const void *a, const void *b)
{
    const qn_pii_span *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

void qn_pii_find(qn_str text, unsigned kinds, qn_pii_spans *out)
{
    unsigned exact = kinds & ~(1u << QN_PII_NAME | 1u << QN_PII_PLACE);
    size_t first = out->n;
    find_exact(text, exact, out);
    if (kinds == exact) return;
    qn_pii_spans names = {0};
    qn_pii_find_names(text, kinds, &names);
    size_t n = out->n, k = first;
    for (size_t j = 0; j < names.n; j++) {      /* both lists are in order */
        while (k < n && out->items[k].to <= names.items[j].from) k++;
        if (k < n && out->items[k].from < names.items[j].to) continue;
        put(out, names.items[j].kind, names.items[j].from, names.items[j].to);
    }
    if (out->n > n) qsort(out->items + first, out->n - first, sizeof *out->items, by_place);
    qn_pii_spans_free(&names);
}

void qn_pii_spans_free(qn_pii_spans *s)
{
    qn_free(s->items);
    *s = (qn_pii_spans){0};
}

void qn_pii_mask(qn_str text, const qn_pii_spans *spans, qn_buf *out)
{
    size_t at = 0;
    for (size_t i = 0; i < spans->n; i++) {
        qn_buf_put(out, text.p + at, spans->items[i].from - at);
        qn_buf_putc(out, '[');
        for (const char *c = QN_PII_NAMES[spans->items[i].kind]; *c; c++) qn_buf_putc(out, (char)toupper((unsigned char)*c));
        qn_buf_putc(out, ']');
        at = spans->items[i].to;
    }
    qn_buf_put(out, text.p + at, text.n - at);
}
