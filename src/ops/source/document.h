/* document: a document that was read, as the fields of a row: `title`, `text`, `doc` and `_blocks`, as `chunk` and the rest want them. */
#ifndef QN_OPS_SOURCE_DOCUMENT_H
#define QN_OPS_SOURCE_DOCUMENT_H
#include "io/format.h"

/* [kind, level, start, end, src_start, src_end, page] for each block. */
static inline qn_value qn_document_blocks(const qn_doc *d, qn_arena *a)
{
    qn_value *all = qn_arena_alloc(a, d->n_blocks * sizeof *all + 1);
    for (size_t i = 0; i < d->n_blocks; i++) {
        const qn_block *b = &d->blocks[i];
        qn_value *v = qn_arena_alloc(a, 7 * sizeof *v);
        int64_t n[7] = { b->kind, b->level, (int64_t)b->start, (int64_t)b->end, (int64_t)b->src_start, (int64_t)b->src_end, b->page };
        for (int k = 0; k < 7; k++) v[k] = qn_v_int(n[k]);
        all[i] = qn_v_list(v, 7);
    }
    return qn_v_list(all, d->n_blocks);
}

/* about: what is known of it already (its path, its format): the document's own facts come behind. */
static inline void qn_document_put(qn_row *r, const qn_doc *d, qn_object_b *about, qn_arena *a)
{
    if (d->warning.n) qn_object_put(about, QN_STR("warning"), qn_v_text(d->warning));
    for (size_t i = 0; i < d->n_meta; i++) qn_object_put(about, d->meta[i].name, d->meta[i].value);
    qn_row_set(r, QN_STR("title"), qn_v_text(d->title));
    qn_row_set(r, QN_STR("text"), qn_v_text(d->text));
    qn_row_set(r, QN_STR("doc"), qn_object_end(about));
    qn_row_set(r, QN_STR("_blocks"), qn_document_blocks(d, a));
}
#endif
