/* wordpiece: BERT's way: clean, fold, cut at white space and punctuation, then the longest piece first. */
#include "nn/tokenizer_net.h"

static bool is_chinese(uint32_t c)
{
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
           (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

static bool is_punct(const uint8_t *classes, uint32_t c)
{
    if (c < 0x80) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
    return qn_char_class(classes, c) == QN_U_PUNCT;
}

/* Controls away, white space to ' ', spaces around Chinese characters; ASCII is folded here. Tells whether more than ASCII is there. */
static bool clean(const qn_tokenizer *t, qn_str s, qn_buf *out)
{
    const qn_tables *q = t->t;
    bool wide = false;
    for (size_t i = 0; i < s.n;) {
        uint8_t b = (uint8_t)s.p[i];
        if (b < 0x80 && b >= 32 && b < 127) {
            qn_buf_putc(out, (char)(q->lower && b >= 'A' && b <= 'Z' ? b | 0x20 : b));
            i++;
            continue;
        }
        size_t from = i;
        uint32_t c = qn_utf8_next(s, &i);
        int k = qn_char_class(t->classes, c);
        if (q->clean && (c == 0 || c == 0xFFFD || (k == QN_U_CONTROL && c != '\t' && c != '\n' && c != '\r'))) continue;
        if (q->clean && (k == QN_U_SPACE || c == '\t' || c == '\n' || c == '\r')) { qn_buf_putc(out, ' '); continue; }
        bool han = q->chinese && is_chinese(c);
        if (han) qn_buf_putc(out, ' ');
        qn_buf_put(out, s.p + from, i - from);
        if (han) qn_buf_putc(out, ' ');
        wide |= c >= 0x80;
    }
    return wide;
}

static void word(const qn_tokenizer *t, qn_str w, qn_buf *key, qn_ids *out)
{
    const qn_tables *q = t->t;
    size_t from = out->n;
    bool ok = qn_utf8_count(w) <= (size_t)q->max_chars;
    for (size_t i = 0; ok && i < w.n;) {
        size_t j = w.n;
        uint64_t *id = NULL;
        for (; j > i; j--) {
            if (j < w.n && ((uint8_t)w.p[j] & 0xC0) == 0x80) continue;
            qn_buf_clear(key);
            if (i > 0) qn_buf_str(key, q->prefix);
            qn_buf_put(key, w.p + i, j - i);
            if ((id = qn_map_get_str(&q->vocab, qn_buf_view(key)))) break;
        }
        if (!id) ok = false;
        else qn_ids_put(out, (int32_t)*id);
        i = j;
    }
    if (ok) return;
    out->n = from;
    if (q->unk >= 0) qn_ids_put(out, q->unk);
}

qn_code qn_wordpiece_text(qn_tokenizer *t, qn_str s, qn_ids *out, qn_err *e)
{
    const qn_tables *q = t->t;
    qn_buf_clear(&t->norm);
    qn_buf_clear(&t->norm2);
    bool wide = clean(t, s, &t->norm);
    qn_str x = qn_buf_view(&t->norm);
    if (wide && (q->strip || q->lower)) {
        QN_TRY(qn_char_fold(&t->u8, t->classes, x, q->strip, q->lower, &t->norm2, e));
        x = qn_buf_view(&t->norm2);
    }
    qn_buf key = { 0 };
    for (size_t i = 0; i < x.n;) {
        size_t from = i, end = i;
        uint32_t c = qn_utf8_next(x, &i);
        if (qn_char_class(t->classes, c) == QN_U_SPACE) continue;
        if (is_punct(t->classes, c)) { word(t, qn_str_sub(x, from, i), &key, out); continue; }
        for (end = i; i < x.n; end = i) {
            c = qn_utf8_next(x, &i);
            if (qn_char_class(t->classes, c) == QN_U_SPACE || is_punct(t->classes, c)) break;
        }
        i = end;
        word(t, qn_str_sub(x, from, end), &key, out);
    }
    qn_buf_free(&key);
    return QN_OK;
}
