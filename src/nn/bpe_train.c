/* bpe_train: learns merges. Texts are cut into pieces and equal pieces counted once; then the most frequent pair is merged in
 * all pieces that have it, and only the counts it touched change. A heap holds the pairs; stale entries are put right when
 * they come up. */
#include "core/hash.h"
#include "nn/tokenizer_net.h"
#include <stdlib.h>
#include <yyjson.h>

typedef struct { int32_t *ids; int n; int64_t count; } piece;
typedef struct { int32_t left, right; int64_t count; uint32_t *where; size_t n, cap; } pair;  /* where: pieces that have or had it */
typedef struct { int64_t count; int32_t left, right; } entry;

typedef struct {
    piece *pieces;
    size_t n_pieces, cap_pieces;
    qn_map index;               /* (left, right) -> number of the pair */
    pair *pairs;
    size_t n_pairs, cap_pairs;
    entry *heap;
    size_t n_heap, cap_heap;
    qn_arena a;
} trainer;

/* More frequent first, then smaller ids. */
static bool before(entry x, entry y)
{
    if (x.count != y.count) return x.count > y.count;
    return x.left != y.left ? x.left < y.left : x.right < y.right;
}

static void push(trainer *t, entry x)
{
    QN_GROW(t->heap, t->n_heap, t->cap_heap);
    size_t i = t->n_heap++;
    for (; i > 0 && before(x, t->heap[(i - 1) / 2]); i = (i - 1) / 2) t->heap[i] = t->heap[(i - 1) / 2];
    t->heap[i] = x;
}

static entry pop(trainer *t)
{
    entry top = t->heap[0], x = t->heap[--t->n_heap];
    size_t i = 0, c;
    for (; (c = 2 * i + 1) < t->n_heap; i = c) {
        if (c + 1 < t->n_heap && before(t->heap[c + 1], t->heap[c])) c++;
        if (!before(t->heap[c], x)) break;
        t->heap[i] = t->heap[c];
    }
    t->heap[i] = x;
    return top;
}

static pair *pair_of(trainer *t, int32_t left, int32_t right)
{
    bool fresh;
    uint64_t key = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) + 1, mixed = (key ^ key >> 29) * 0xBF58476D1CE4E5B9u;
    uint64_t *v = qn_map_put(&t->index, (qn_hash128){ key, mixed ^ mixed >> 32 }, &fresh);  /* the map takes keys for hashes */
    if (fresh) {
        QN_GROW(t->pairs, t->n_pairs, t->cap_pairs);
        t->pairs[t->n_pairs] = (pair){ .left = left, .right = right };
        *v = t->n_pairs++;
    }
    return &t->pairs[*v];
}

/* note: the pair is new in this piece */
static void count_pair(trainer *t, int32_t left, int32_t right, int64_t by, size_t where, bool note)
{
    pair *p = pair_of(t, left, right);
    p->count += by;
    if (!note || (p->n && p->where[p->n - 1] == where)) return;
    QN_GROW(p->where, p->n, p->cap);
    p->where[p->n++] = (uint32_t)where;
}

static void read_texts(trainer *t, const qn_tables *q, const uint8_t *classes, const qn_str *texts, size_t n)
{
    qn_map seen = { 0 };
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0, j; i < texts[k].n; i = j) {
            j = qn_split_next(q->split, classes, texts[k], i);
            bool fresh;
            uint64_t *v = qn_map_put_str(&seen, qn_str_sub(texts[k], i, j), &fresh);
            if (!fresh) { t->pieces[*v].count++; continue; }
            QN_GROW(t->pieces, t->n_pieces, t->cap_pieces);
            *v = t->n_pieces;
            piece *p = &t->pieces[t->n_pieces++];
            *p = (piece){ qn_arena_alloc(&t->a, (j - i) * sizeof(int32_t)), (int)(j - i), 1 };
            for (size_t b = i; b < j; b++) p->ids[b - i] = q->byte_id[(uint8_t)texts[k].p[b]];
        }
    qn_map_free(&seen);
}

/* Merges (left, right) in one piece; the counts of the pairs beside change with it. */
static void merge_piece(trainer *t, size_t w, int32_t left, int32_t right, int32_t into)
{
    piece *p = &t->pieces[w];
    int k = 0;
    bool any = false;
    for (int i = 0; i + 1 < p->n && !any; i++) any = p->ids[i] == left && p->ids[i + 1] == right;
    if (!any) return;
    for (int i = 0; i + 1 < p->n; i++) count_pair(t, p->ids[i], p->ids[i + 1], -p->count, w, false);
    for (int i = 0; i < p->n; k++) {
        bool hit = i + 1 < p->n && p->ids[i] == left && p->ids[i + 1] == right;
        p->ids[k] = hit ? into : p->ids[i];
        i += hit ? 2 : 1;
    }
    p->n = k;
    for (int i = 0; i + 1 < k; i++) {
        bool fresh = p->ids[i] == into || p->ids[i + 1] == into;
        count_pair(t, p->ids[i], p->ids[i + 1], p->count, w, fresh);
        if (fresh) {
            const pair *q = pair_of(t, p->ids[i], p->ids[i + 1]);
            push(t, (entry){ q->count, q->left, q->right });
        }
    }
}

static void learn(trainer *t, qn_tables *q, size_t size, int64_t least)
{
    for (size_t w = 0; w < t->n_pieces; w++)
        for (int i = 0; i + 1 < t->pieces[w].n; i++) count_pair(t, t->pieces[w].ids[i], t->pieces[w].ids[i + 1], t->pieces[w].count, w, true);
    for (size_t i = 0; i < t->n_pairs; i++) push(t, (entry){ t->pairs[i].count, t->pairs[i].left, t->pairs[i].right });
    int32_t rank = 0;
    while (q->size < size && t->n_heap) {
        entry x = pop(t);
        const pair *p = pair_of(t, x.left, x.right);
        if (p->count != x.count) {
            if (p->count > 0 && p->count < x.count) push(t, (entry){ p->count, x.left, x.right });
            continue;
        }
        if (x.count < least) break;
        qn_str l = q->token[x.left], r = q->token[x.right];
        char *both = qn_arena_alloc(&q->a, l.n + r.n);
        memcpy(both, l.p, l.n);
        memcpy(both + l.n, r.p, r.n);
        qn_str bytes = { both, l.n + r.n };
        bool fresh;
        uint64_t *v = qn_map_put_str(&q->vocab, bytes, &fresh);
        if (fresh) { *v = q->size; qn_tables_token(q, (int32_t)q->size, bytes); }
        int32_t into = (int32_t)*v;
        if (!qn_merges_put(&q->merges, x.left, x.right, rank, into)) continue;
        rank++;
        size_t n = p->n, number = (size_t)(p - t->pairs);
        for (size_t i = 0; i < n; i++) merge_piece(t, t->pairs[number].where[i], x.left, x.right, into);
        pair *done = &t->pairs[number];
        qn_free(done->where);
        done->where = NULL;
        done->n = done->cap = 0;
        done->count = 0;
    }
}

/* ---- tokenizer.json of what was learned ---- */
static void add_mapped(yyjson_mut_doc *d, qn_buf *b, qn_str s, yyjson_mut_val **out)
{
    qn_buf_clear(b);
    for (size_t i = 0; i < s.n; i++) {
        char c[4];
        qn_buf_put(b, c, (size_t)qn_byte_char((uint8_t)s.p[i], c));
    }
    *out = yyjson_mut_strncpy(d, b->p ? b->p : "", b->n);
}

static int by_rank(const void *a, const void *b)
{
    const qn_merge *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static yyjson_mut_val *merges_json(yyjson_mut_doc *d, const qn_tables *q, qn_buf *b)
{
    yyjson_mut_val *list = yyjson_mut_arr(d);
    qn_merge *m = qn_alloc((q->merges.n + 1) * sizeof *m);
    size_t n = 0;
    for (size_t i = 0; i <= q->merges.mask; i++) if (q->merges.cells[i].key != UINT64_MAX) m[n++] = q->merges.cells[i];
    qsort(m, n, sizeof *m, by_rank);
    for (size_t i = 0; i < n; i++) {
        qn_str part[2] = { q->token[m[i].key >> 32], q->token[(uint32_t)m[i].key] };
        qn_buf_clear(b);
        for (int k = 0; k < 2; k++) {
            if (k) qn_buf_putc(b, ' ');
            for (size_t j = 0; j < part[k].n; j++) {
                char c[4];
                qn_buf_put(b, c, (size_t)qn_byte_char((uint8_t)part[k].p[j], c));
            }
        }
        yyjson_mut_arr_append(list, yyjson_mut_strncpy(d, b->p, b->n));
    }
    qn_free(m);
    return list;
}

static yyjson_mut_val *byte_level(yyjson_mut_doc *d, bool regex)
{
    yyjson_mut_val *o = yyjson_mut_obj(d);
    yyjson_mut_obj_add_str(d, o, "type", "ByteLevel");
    yyjson_mut_obj_add_bool(d, o, "add_prefix_space", false);
    yyjson_mut_obj_add_bool(d, o, "trim_offsets", true);
    yyjson_mut_obj_add_bool(d, o, "use_regex", regex);
    return o;
}

static yyjson_mut_val *pre_tokenizer(yyjson_mut_doc *d, qn_split split)
{
    if (split == QN_SPLIT_GPT2 || split == QN_SPLIT_NONE) return byte_level(d, split == QN_SPLIT_GPT2);
    yyjson_mut_val *seq = yyjson_mut_obj(d), *list = yyjson_mut_arr(d), *s = yyjson_mut_obj(d), *p = yyjson_mut_obj(d);
    yyjson_mut_obj_add_str(d, p, "Regex", qn_split_pattern(split));
    yyjson_mut_obj_add_str(d, s, "type", "Split");
    yyjson_mut_obj_add_val(d, s, "pattern", p);
    yyjson_mut_obj_add_str(d, s, "behavior", "Isolated");
    yyjson_mut_obj_add_bool(d, s, "invert", false);
    yyjson_mut_arr_append(list, s);
    yyjson_mut_arr_append(list, byte_level(d, false));
    yyjson_mut_obj_add_str(d, seq, "type", "Sequence");
    yyjson_mut_obj_add_val(d, seq, "pretokenizers", list);
    return seq;
}

static void write_json(qn_tables *q)
{
    qn_buf b = { 0 };
    yyjson_mut_doc *d = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *o = yyjson_mut_obj(d), *added = yyjson_mut_arr(d), *model = yyjson_mut_obj(d), *vocab = yyjson_mut_obj(d), *k;
    yyjson_mut_doc_set_root(d, o);
    yyjson_mut_obj_add_str(d, o, "version", "1.0");
    yyjson_mut_obj_add_null(d, o, "truncation");
    yyjson_mut_obj_add_null(d, o, "padding");
    for (size_t i = 0; i < q->size; i++) {
        const qn_added *a = NULL;
        for (size_t j = 0; j < q->n_added && !a; j++) if ((size_t)q->added[j].id == i) a = &q->added[j];
        if (a) {
            yyjson_mut_val *t = yyjson_mut_obj(d);
            yyjson_mut_obj_add_int(d, t, "id", a->id);
            yyjson_mut_obj_add_strncpy(d, t, "content", a->text.p, a->text.n);
            yyjson_mut_obj_add_bool(d, t, "single_word", false);
            yyjson_mut_obj_add_bool(d, t, "lstrip", false);
            yyjson_mut_obj_add_bool(d, t, "rstrip", false);
            yyjson_mut_obj_add_bool(d, t, "normalized", false);
            yyjson_mut_obj_add_bool(d, t, "special", true);
            yyjson_mut_arr_append(added, t);
            k = yyjson_mut_strncpy(d, a->text.p, a->text.n);
        } else add_mapped(d, &b, q->token[i], &k);
        yyjson_mut_obj_add(vocab, k, yyjson_mut_int(d, (int64_t)i));
    }
    yyjson_mut_obj_add_val(d, o, "added_tokens", added);
    yyjson_mut_obj_add_null(d, o, "normalizer");
    yyjson_mut_obj_add_val(d, o, "pre_tokenizer", pre_tokenizer(d, q->split));
    yyjson_mut_obj_add_null(d, o, "post_processor");
    yyjson_mut_obj_add_val(d, o, "decoder", byte_level(d, true));
    yyjson_mut_obj_add_str(d, model, "type", "BPE");
    yyjson_mut_obj_add_null(d, model, "dropout");
    yyjson_mut_obj_add_null(d, model, "unk_token");
    yyjson_mut_obj_add_null(d, model, "continuing_subword_prefix");
    yyjson_mut_obj_add_null(d, model, "end_of_word_suffix");
    yyjson_mut_obj_add_bool(d, model, "fuse_unk", false);
    yyjson_mut_obj_add_bool(d, model, "byte_fallback", false);
    yyjson_mut_obj_add_val(d, model, "vocab", vocab);
    yyjson_mut_obj_add_val(d, model, "merges", merges_json(d, q, &b));
    yyjson_mut_obj_add_val(d, o, "model", model);
    size_t n;
    char *text = yyjson_mut_write(d, YYJSON_WRITE_PRETTY, &n);
    QN_ASSERT(text);
    qn_buf_put(&q->json, text, n);
    free(text);
    yyjson_mut_doc_free(d);
    qn_buf_free(&b);
}

static int longer_first(const void *a, const void *b)
{
    const qn_added *x = a, *y = b;
    return x->text.n != y->text.n ? (x->text.n < y->text.n) - (x->text.n > y->text.n) : (x->id > y->id) - (x->id < y->id);
}

static void begin(qn_tables *q, const qn_bpe_options *o)
{
    for (int i = 0; i < o->n_special; i++) {
        qn_str s = qn_arena_str(&q->a, qn_str_of(o->special[i]));
        QN_GROW(q->added, q->n_added, q->cap_added);
        q->added[q->n_added++] = (qn_added){ s, i, true, false, false };
        q->first[(uint8_t)s.p[0]] = true;
        qn_tables_token(q, i, s);
    }
    for (int i = 0; i < 512; i++) {             /* in the order of how the bytes are written, as others do */
        int byte = i & 255;
        char c[4], b = (char)byte;
        if ((qn_byte_char((uint8_t)byte, c) == 1 ? 0 : (uint8_t)c[0] < 0xC4 ? 0 : 256) != (i & 256)) continue;
        qn_str s = qn_arena_str(&q->a, (qn_str){ &b, 1 });
        q->byte_id[byte] = (int32_t)q->size;
        *qn_map_put_str(&q->vocab, s, NULL) = q->size;
        qn_tables_token(q, (int32_t)q->size, s);
    }
    if (q->n_added) qsort(q->added, q->n_added, sizeof *q->added, longer_first);
}

qn_code qn_tokenizer_train(qn_tokenizer **out, const qn_str *texts, size_t n, const qn_bpe_options *o, qn_err *e)
{
    if (o->size < 256 + o->n_special || o->size > 1 << 24)
        return qn_fail(e, QN_ERECIPE, "a byte-level vocabulary needs at least %d tokens, %d were asked for", 256 + o->n_special, o->size);
    for (int i = 0; i < o->n_special; i++) if (!o->special[i][0]) return qn_fail(e, QN_ERECIPE, "a special token cannot be empty");
    qn_tables *q = qn_tables_new();
    trainer t = { 0 };
    q->split = o->split;
    begin(q, o);
    qn_merges_init(&q->merges, (size_t)o->size);
    qn_tokenizer *k = qn_tokenizer_of(q);
    read_texts(&t, q, k->classes, texts, n);
    learn(&t, q, (size_t)o->size, o->min_count > 0 ? o->min_count : 2);
    write_json(q);
    for (size_t i = 0; i < t.n_pairs; i++) qn_free(t.pairs[i].where);
    qn_free(t.pairs);
    qn_free(t.pieces);
    qn_free(t.heap);
    qn_map_free(&t.index);
    qn_arena_free(&t.a);
    *out = k;
    return QN_OK;
}
