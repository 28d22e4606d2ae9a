/* tokenizer: reading tokenizer.json, finding added tokens in texts, decoding, writing back. */
#include "nn/tokenizer_net.h"
#include "core/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

enum { MAX_JSON = 256 << 20, MAX_ID = 1 << 21 };

void qn_ids_put(qn_ids *a, int32_t id)
{
    QN_GROW(a->p, a->n, a->cap);
    a->p[a->n++] = id;
}

void qn_ids_free(qn_ids *a)
{
    qn_free(a->p);
    *a = (qn_ids){ 0 };
}

/* ---- tables ---- */
qn_tables *qn_tables_new(void)
{
    qn_tables *t = QN_NEW(qn_tables);
    t->unk = -1;
    t->max_chars = 100;
    for (int i = 0; i < 256; i++) t->byte_id[i] = -1;
    return t;
}

void qn_token_tables_free(qn_tables *t)
{
    qn_free(t->token);
    qn_free(t->added);
    qn_map_free(&t->vocab);
    qn_free(t->merges.cells);
    qn_arena_free(&t->a);
    qn_buf_free(&t->json);
    qn_free(t);
}

void qn_tables_token(qn_tables *t, int32_t id, qn_str bytes)
{
    size_t i = (size_t)id, old = t->cap;
    QN_GROW(t->token, i, t->cap);
    if (t->cap > old) memset(t->token + old, 0, (t->cap - old) * sizeof *t->token);
    if (i >= t->size) t->size = i + 1;
    t->token[i] = bytes;
}

qn_tokenizer *qn_tokenizer_of(qn_tables *q)
{
    qn_tokenizer *t = QN_NEW(qn_tokenizer);
    t->t = q;
    t->owner = true;
    t->classes = qn_char_table();
    t->words = QN_NEW_N(qn_word, q->wordpiece ? 1 : QN_WORDS);
    return t;
}

qn_tokenizer *qn_tokenizer_fork(const qn_tokenizer *t)
{
    qn_tokenizer *k = qn_tokenizer_of(t->t);
    k->owner = false;
    return k;
}

void qn_tokenizer_close(qn_tokenizer *t)
{
    if (!t) return;
    if (t->owner) qn_token_tables_free(t->t);
    qn_free(t->classes);
    qn_free(t->words);
    qn_buf_free(&t->norm);
    qn_buf_free(&t->norm2);
    qn_free(t->sym);
    qn_free(t->heap);
    qn_free(t);
}

/* ---- how GPT-2 writes bytes: printable ones as themselves, the others from U+0100 on ---- */
static bool prints(int b) { return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE; }

int qn_byte_char(uint8_t b, char out[4])
{
    int k = 256;
    if (prints(b)) return qn_utf8_put(b, out);
    for (int i = 0; i < b; i++) k += !prints(i);
    return qn_utf8_put((uint32_t)k, out);
}

static void byte_chars(int16_t from[512])           /* code point -> byte, or -1 */
{
    int k = 256;
    for (int i = 0; i < 512; i++) from[i] = -1;
    for (int b = 0; b < 256; b++) from[prints(b) ? b : k++] = (int16_t)b;
}

static bool to_bytes(qn_arena *a, const int16_t from[512], qn_str s, qn_str *out)
{
    char *p = qn_arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        uint32_t cp = qn_utf8_next(s, &i);
        if (cp >= 512 || from[cp] < 0) return false;
        p[n++] = (char)from[cp];
    }
    *out = (qn_str){ p, n };
    return true;
}

/* ---- tokenizer.json ---- */
static qn_str text_of(yyjson_val *v) { return yyjson_is_str(v) ? (qn_str){ yyjson_get_str(v), yyjson_get_len(v) } : (qn_str){ "", 0 }; }
static bool type_is(yyjson_val *o, const char *z) { return qn_str_is(text_of(yyjson_obj_get(o, "type")), z); }
static bool flag(yyjson_val *o, const char *name, bool missing)
{
    yyjson_val *v = yyjson_obj_get(o, name);
    return yyjson_is_bool(v) ? yyjson_get_bool(v) : missing;
}
static qn_code unknown(const char *what, yyjson_val *o, qn_err *e)
{
    qn_str z = text_of(yyjson_obj_get(o, "type"));
    return qn_fail(e, QN_EDATA, "tokenizer.json: the %s `%.*s` is not known", what, (int)(z.n > 60 ? 60 : z.n), z.p);
}

static qn_code read_normalizer(qn_tables *t, yyjson_val *o, int depth, qn_err *e)
{
    if (!o || yyjson_is_null(o)) return QN_OK;
    if (type_is(o, "NFC")) { t->nfc = true; return QN_OK; }
    if (type_is(o, "BertNormalizer")) {
        t->clean = flag(o, "clean_text", true);
        t->chinese = flag(o, "handle_chinese_chars", true);
        t->lower = flag(o, "lowercase", true);
        t->strip = flag(o, "strip_accents", t->lower);
        return QN_OK;
    }
    if (!type_is(o, "Sequence") || depth > 4) return unknown("normalizer", o, e);
    size_t i, max;
    yyjson_val *x;
    yyjson_arr_foreach(yyjson_obj_get(o, "normalizers"), i, max, x) QN_TRY(read_normalizer(t, x, depth + 1, e));
    return QN_OK;
}

static qn_code read_pre_tokenizer(qn_tables *t, yyjson_val *o, int depth, qn_err *e)
{
    if (t->wordpiece) return type_is(o, "BertPreTokenizer") ? QN_OK : unknown("pre-tokenizer", o, e);
    if (type_is(o, "ByteLevel")) {
        t->add_space = flag(o, "add_prefix_space", true);
        if (flag(o, "use_regex", true)) t->split = QN_SPLIT_GPT2;
        return QN_OK;
    }
    if (type_is(o, "Split")) {
        qn_str p = text_of(yyjson_obj_get(yyjson_obj_get(o, "pattern"), "Regex"));
        if (!qn_str_is(text_of(yyjson_obj_get(o, "behavior")), "Isolated") || flag(o, "invert", false)) return unknown("pre-tokenizer", o, e);
        if (!qn_split_find(p, &t->split)) return qn_fail(e, QN_EDATA, "tokenizer.json: the pattern `%.*s` is none of GPT-2, Llama 3, Qwen2", (int)(p.n > 150 ? 150 : p.n), p.p);
        return QN_OK;
    }
    if (!type_is(o, "Sequence") || depth > 4) return unknown("pre-tokenizer", o, e);
    size_t i, max;
    yyjson_val *x;
    yyjson_arr_foreach(yyjson_obj_get(o, "pretokenizers"), i, max, x) QN_TRY(read_pre_tokenizer(t, x, depth + 1, e));
    return QN_OK;
}

static qn_code read_vocab(qn_tables *t, yyjson_val *vocab, qn_err *e)
{
    int16_t from[512];
    size_t i, max;
    yyjson_val *k, *v;
    byte_chars(from);
    if (!yyjson_is_obj(vocab)) return qn_fail(e, QN_EDATA, "tokenizer.json lacks model.vocab");
    yyjson_obj_foreach(vocab, i, max, k, v) {
        qn_str s = text_of(k), bytes;
        int64_t id = yyjson_get_sint(v);
        if (!yyjson_is_int(v) || id < 0 || id > MAX_ID) return qn_fail(e, QN_EDATA, "tokenizer.json: `%.40s` has an impossible id", s.p);
        if (t->wordpiece || !to_bytes(&t->a, from, s, &bytes)) bytes = qn_arena_str(&t->a, s);    /* added tokens may be anything */
        qn_tables_token(t, (int32_t)id, bytes);
        *qn_map_put_str(&t->vocab, bytes, NULL) = (uint64_t)id;
        if (!t->wordpiece && bytes.n == 1) t->byte_id[(uint8_t)bytes.p[0]] = (int32_t)id;
    }
    return QN_OK;
}

/* "left right", or ["left", "right"]: the pair and what it becomes, by their bytes. */
static qn_code read_merge(qn_tables *t, const int16_t from[512], yyjson_val *v, int32_t rank, qn_err *e)
{
    qn_str l = text_of(v), r, lb, rb;
    if (yyjson_is_arr(v)) {
        l = text_of(yyjson_arr_get(v, 0));
        r = text_of(yyjson_arr_get(v, 1));
    } else {
        const char *space = l.n ? memchr(l.p, ' ', l.n) : NULL;
        if (!space) return qn_fail(e, QN_EDATA, "tokenizer.json: merge %d is no pair", rank);
        r = qn_str_sub(l, (size_t)(space - l.p) + 1, l.n);
        l.n = (size_t)(space - l.p);
    }
    if (!to_bytes(&t->a, from, l, &lb) || !to_bytes(&t->a, from, r, &rb)) return qn_fail(e, QN_EDATA, "tokenizer.json: merge %d is not byte-level", rank);
    char *both = qn_arena_alloc(&t->a, lb.n + rb.n + 1);
    if (lb.n) memcpy(both, lb.p, lb.n);
    if (rb.n) memcpy(both + lb.n, rb.p, rb.n);
    uint64_t *a = qn_map_get_str(&t->vocab, lb), *b = qn_map_get_str(&t->vocab, rb), *c = qn_map_get_str(&t->vocab, (qn_str){ both, lb.n + rb.n });
    if (!a || !b || !c) return qn_fail(e, QN_EDATA, "tokenizer.json: merge %d has a token that is not in the vocabulary", rank);
    qn_merges_put(&t->merges, (int32_t)*a, (int32_t)*b, rank, (int32_t)*c);
    return QN_OK;
}

static qn_code read_bpe(qn_tables *t, yyjson_val *m, qn_err *e)
{
    int16_t from[512];
    size_t i, max;
    yyjson_val *v, *merges = yyjson_obj_get(m, "merges");
    if (flag(m, "byte_fallback", false)) {
        qn_fail(e, QN_EDATA, "tokenizer.json: a BPE with byte_fallback (SentencePiece) is not known");
        qn_hint(e, "byte-level BPE (GPT-2, Llama 3, Qwen2) and WordPiece (BERT) are");
        return QN_EDATA;
    }
    t->ignore_merges = flag(m, "ignore_merges", false);
    QN_TRY(read_vocab(t, yyjson_obj_get(m, "vocab"), e));
    byte_chars(from);
    qn_merges_init(&t->merges, yyjson_arr_size(merges));
    yyjson_arr_foreach(merges, i, max, v) QN_TRY(read_merge(t, from, v, (int32_t)i, e));
    for (int b = 0; b < 256; b++) if (t->byte_id[b] < 0) return qn_fail(e, QN_EDATA, "tokenizer.json: the byte %d has no token", b);
    return QN_OK;
}

static qn_code read_wordpiece(qn_tables *t, yyjson_val *m, qn_err *e)
{
    QN_TRY(read_vocab(t, yyjson_obj_get(m, "vocab"), e));
    yyjson_val *p = yyjson_obj_get(m, "continuing_subword_prefix"), *n = yyjson_obj_get(m, "max_input_chars_per_word");
    t->prefix = qn_arena_str(&t->a, p ? text_of(p) : QN_STR("##"));
    if (yyjson_is_int(n) && yyjson_get_sint(n) > 0 && yyjson_get_sint(n) <= 1000) t->max_chars = (int)yyjson_get_sint(n);
    uint64_t *unk = qn_map_get_str(&t->vocab, text_of(yyjson_obj_get(m, "unk_token")));
    t->unk = unk ? (int32_t)*unk : -1;
    return QN_OK;
}

static int longer_first(const void *a, const void *b)
{
    const qn_added *x = a, *y = b;
    return x->text.n != y->text.n ? (x->text.n < y->text.n) - (x->text.n > y->text.n) : (x->id > y->id) - (x->id < y->id);
}

static qn_code read_added(qn_tables *t, yyjson_val *list, qn_err *e)
{
    size_t i, max;
    yyjson_val *v;
    yyjson_arr_foreach(list, i, max, v) {
        yyjson_val *id = yyjson_obj_get(v, "id");
        qn_str s = text_of(yyjson_obj_get(v, "content"));
        if (!yyjson_is_int(id) || yyjson_get_sint(id) < 0 || yyjson_get_sint(id) > MAX_ID || s.n == 0)
            return qn_fail(e, QN_EDATA, "tokenizer.json: added token %zu is broken", i);
        QN_GROW(t->added, t->n_added, t->cap_added);
        s = qn_arena_str(&t->a, s);
        t->added[t->n_added++] = (qn_added){ s, (int32_t)yyjson_get_sint(id), flag(v, "special", false), flag(v, "lstrip", false), flag(v, "rstrip", false) };
        t->first[(uint8_t)s.p[0]] = true;
        qn_tables_token(t, (int32_t)yyjson_get_sint(id), s);
    }
    if (t->n_added) qsort(t->added, t->n_added, sizeof *t->added, longer_first);
    return QN_OK;
}

static int32_t added_id(const qn_tables *t, qn_str s)
{
    for (size_t i = 0; i < t->n_added; i++) if (qn_str_eq(t->added[i].text, s)) return t->added[i].id;
    return -1;
}

static qn_code put_frame(qn_tables *t, bool after, qn_str name, qn_err *e)
{
    int32_t id = added_id(t, name), *n = after ? &t->n_after : &t->n_before;
    uint64_t *v = id < 0 ? qn_map_get_str(&t->vocab, name) : NULL;
    if (v) id = (int32_t)*v;
    if (id < 0 || *n == 8) return qn_fail(e, QN_EDATA, "tokenizer.json: the post-processor's token `%.*s` is not there", QN_FMT(name));
    (after ? t->after : t->before)[(*n)++] = id;
    return QN_OK;
}

static qn_code read_post(qn_tables *t, yyjson_val *o, int depth, qn_err *e)
{
    size_t i, max;
    yyjson_val *x;
    bool after = false;
    if (!o || yyjson_is_null(o) || type_is(o, "ByteLevel")) return QN_OK;
    if (type_is(o, "BertProcessing") || type_is(o, "RobertaProcessing")) {
        QN_TRY(put_frame(t, false, text_of(yyjson_arr_get(yyjson_obj_get(o, "cls"), 0)), e));
        return put_frame(t, true, text_of(yyjson_arr_get(yyjson_obj_get(o, "sep"), 0)), e);
    }
    if (type_is(o, "TemplateProcessing")) {
        yyjson_arr_foreach(yyjson_obj_get(o, "single"), i, max, x) {
            yyjson_val *s = yyjson_obj_get(x, "SpecialToken");
            if (!s) { after = true; continue; }
            QN_TRY(put_frame(t, after, text_of(yyjson_obj_get(s, "id")), e));
        }
        return QN_OK;
    }
    if (!type_is(o, "Sequence") || depth > 4) return unknown("post-processor", o, e);
    yyjson_arr_foreach(yyjson_obj_get(o, "processors"), i, max, x) QN_TRY(read_post(t, x, depth + 1, e));
    return QN_OK;
}

static qn_code read_all(qn_tables *t, yyjson_val *root, qn_err *e)
{
    yyjson_val *m = yyjson_obj_get(root, "model");
    bool bpe = type_is(m, "BPE") || (!yyjson_obj_get(m, "type") && yyjson_obj_get(m, "merges"));
    t->wordpiece = type_is(m, "WordPiece");
    if (!bpe && !t->wordpiece) return unknown("model", m, e);
    QN_TRY(read_normalizer(t, yyjson_obj_get(root, "normalizer"), 0, e));
    QN_TRY(read_pre_tokenizer(t, yyjson_obj_get(root, "pre_tokenizer"), 0, e));
    QN_TRY(bpe ? read_bpe(t, m, e) : read_wordpiece(t, m, e));
    QN_TRY(read_added(t, yyjson_obj_get(root, "added_tokens"), e));
    return read_post(t, yyjson_obj_get(root, "post_processor"), 0, e);
}

qn_code qn_tokenizer_parse(qn_tokenizer **out, qn_str json, qn_err *e)
{
    yyjson_read_err err;
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)(json.p ? json.p : ""), json.n, 0, NULL, &err);
    if (!doc) return qn_fail(e, QN_EDATA, "tokenizer.json is not JSON: %s at byte %zu", err.msg, err.pos);
    qn_tables *t = qn_tables_new();
    qn_code rc = read_all(t, yyjson_doc_get_root(doc), e);
    yyjson_doc_free(doc);
    if (rc != QN_OK) { qn_token_tables_free(t); return rc; }
    qn_buf_str(&t->json, json);
    *out = qn_tokenizer_of(t);
    return QN_OK;
}

qn_code qn_tokenizer_open(qn_tokenizer **out, const char *path, qn_err *e)
{
    char *file = qn_is_dir(path) ? qn_path_join(path, "tokenizer.json") : qn_strz(qn_str_of(path));
    qn_buf b = { 0 };
    qn_code rc = qn_file_read(file, MAX_JSON, &b, e);
    if (rc == QN_OK) rc = qn_tokenizer_parse(out, qn_buf_view(&b), e);
    if (rc != QN_OK && e) qn_trail(e, "%s", file);
    qn_buf_free(&b);
    qn_free(file);
    return rc;
}

qn_code qn_tokenizer_save(const qn_tokenizer *t, const char *dir, qn_err *e)
{
    char *file = qn_path_join(dir, "tokenizer.json"), *config = qn_path_join(dir, "tokenizer_config.json");
    qn_code rc = qn_mkdirs(dir, e);
    if (rc == QN_OK) rc = qn_file_write(file, qn_buf_view(&t->t->json), e);
    if (rc == QN_OK && !qn_file_exists(config))
        rc = qn_file_write(config, QN_STR("{\n    \"tokenizer_class\": \"PreTrainedTokenizerFast\",\n    \"clean_up_tokenization_spaces\": false\n}\n"), e);
    qn_free(file);
    qn_free(config);
    return rc;
}

/* ---- encoding ---- */
static bool may_change(qn_str s)                /* NFC leaves texts below U+0300 as they are */
{
    for (size_t i = 0; i < s.n; i++) if ((uint8_t)s.p[i] >= 0xCC) return true;
    return false;
}

static qn_code encode_part(qn_tokenizer *t, qn_str s, qn_ids *out, qn_err *e)
{
    if (s.n == 0) return QN_OK;
    if (t->t->wordpiece) return qn_wordpiece_text(t, s, out, e);
    bool nfc = t->t->nfc && may_change(s), space = t->t->add_space && s.p[0] != ' ';
    if (nfc || space) {
        qn_buf_clear(&t->norm);
        if (space) qn_buf_putc(&t->norm, ' ');
        if (nfc) QN_TRY(qn_char_nfc(&t->u8, s, &t->norm, e));
        else qn_buf_str(&t->norm, s);
        s = qn_buf_view(&t->norm);
    }
    qn_bpe_text(t, s, out);
    return QN_OK;
}

static const qn_added *added_at(const qn_tables *t, qn_str s, size_t i)
{
    for (size_t k = 0; k < t->n_added; k++) {
        qn_str a = t->added[k].text;
        if (a.n <= s.n - i && memcmp(a.p, s.p + i, a.n) == 0) return &t->added[k];
    }
    return NULL;
}

static bool is_white(char c) { return c == ' ' || (c >= 9 && c <= 13); }

qn_code qn_tokenizer_encode(qn_tokenizer *t, qn_str text, int flags, qn_ids *out, qn_err *e)
{
    const qn_tables *q = t->t;
    size_t from = 0;
    if (flags & QN_TOKENS_FRAME) for (int i = 0; i < q->n_before; i++) qn_ids_put(out, q->before[i]);
    for (size_t i = 0; !(flags & QN_TOKENS_PLAIN) && i < text.n;) {
        const qn_added *a = q->first[(uint8_t)text.p[i]] ? added_at(q, text, i) : NULL;
        if (!a) { i++; continue; }
        size_t end = i;
        while (a->lstrip && end > from && is_white(text.p[end - 1])) end--;
        QN_TRY(encode_part(t, qn_str_sub(text, from, end), out, e));
        qn_ids_put(out, a->id);
        i += a->text.n;
        while (a->rstrip && i < text.n && is_white(text.p[i])) i++;
        from = i;
    }
    if (text.n > from) QN_TRY(encode_part(t, qn_str_sub(text, from, text.n), out, e));
    if (flags & QN_TOKENS_FRAME) for (int i = 0; i < q->n_after; i++) qn_ids_put(out, q->after[i]);
    return QN_OK;
}

/* ---- decoding ---- */
void qn_tokenizer_decode(const qn_tokenizer *t, const int32_t *ids, size_t n, bool special, qn_buf *out)
{
    const qn_tables *q = t->t;
    size_t start = out->n;
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= q->size) continue;
        const qn_added *a = NULL;
        for (size_t k = 0; k < q->n_added && !a; k++) if (q->added[k].id == ids[i]) a = &q->added[k];
        if (a && a->special && !special) continue;
        qn_str s = q->token[ids[i]];
        bool joined = q->wordpiece && q->prefix.n && qn_str_starts(s, q->prefix);
        if (q->wordpiece && !joined && out->n > start) qn_buf_putc(out, ' ');
        qn_buf_str(out, joined ? qn_str_sub(s, q->prefix.n, s.n) : s);
    }
}

size_t qn_tokenizer_size(const qn_tokenizer *t) { return t->t->size; }

int32_t qn_tokenizer_id(const qn_tokenizer *t, const char *token)
{
    int32_t id = added_id(t->t, qn_str_of(token));
    uint64_t *v = id < 0 ? qn_map_get_str(&t->t->vocab, qn_str_of(token)) : NULL;
    return v ? (int32_t)*v : id;
}

qn_str qn_tokenizer_token(const qn_tokenizer *t, int32_t id)
{
    return id >= 0 && (size_t)id < t->t->size ? t->t->token[id] : (qn_str){ "", 0 };
}
