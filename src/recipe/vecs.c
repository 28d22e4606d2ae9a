/* vecs: collects vectors of rows. */
#include "recipe/vecs.h"
#include "core/mem.h"
#include "recipe/pick.h"

struct qn_vecs {
    const qn_expr *text, *vector;
    qn_tfidf  *words;
    qn_vectors all;
    size_t     cap;             /* numbers of room in all.dense */
};

qn_vecs *qn_vecs_new(const qn_expr *text, const qn_expr *vector)
{
    qn_vecs *v = QN_NEW(qn_vecs);
    v->text = text;
    v->vector = vector;
    if (!vector) v->words = qn_tfidf_new();
    return v;
}

void qn_vecs_free(qn_vecs *v)
{
    if (!v) return;
    qn_tfidf_free(v->words);
    qn_vectors_free(&v->all);
    qn_free(v);
}

const qn_tfidf *qn_vecs_words(const qn_vecs *v) { return v->words; }
size_t qn_vecs_bytes(const qn_vecs *v) { return v->words ? 2 * qn_tfidf_bytes(v->words) : v->cap * sizeof(float); }

static qn_code add_list(qn_vecs *v, qn_value list, qn_err *e)
{
    if (list.kind != QN_V_LIST || list.n == 0) return qn_fail(e, QN_EDATA, "a list of numbers is needed, the row gives a %s", qn_v_kind_name(list));
    if (v->all.n && list.n != v->all.dim) return qn_fail(e, QN_EDATA, "a vector of %u numbers behind vectors of %zu", list.n, v->all.dim);
    v->all.dim = list.n;
    size_t at = v->all.n * v->all.dim;
    QN_GROW(v->all.dense, at + list.n, v->cap);
    qn_v_iter it = qn_v_iter_of(list);
    qn_str name;
    qn_value x;
    while (qn_v_next(&it, &name, &x)) {
        if (!qn_v_is_number(x)) return qn_fail(e, QN_EDATA, "a vector holds a %s", qn_v_kind_name(x));
        v->all.dense[at++] = (float)qn_v_number(x);
    }
    v->all.n++;
    return QN_OK;
}

qn_code qn_vecs_add(qn_vecs *v, const qn_row *row, qn_arena *scratch, qn_err *e)
{
    if (v->vector) {
        qn_value list;
        QN_TRY(qn_expr_one(v->vector, row, scratch, &list, e));
        return add_list(v, list, e);
    }
    qn_str text;
    QN_TRY(qn_pick_text(v->text, row, scratch, &text, e));
    qn_tfidf_add(v->words, text);
    return QN_OK;
}

qn_code qn_vecs_keep(qn_vecs *v, qn_rowstore *rows, qn_row *row, size_t memory_bytes, qn_arena *scratch, qn_err *e)
{
    qn_code rc = qn_vecs_add(v, row, scratch, e);
    if (rc == QN_OK && qn_vecs_bytes(v) > memory_bytes) {
        rc = qn_fail(e, QN_ELIMIT, "the vectors of %zu rows take more than %zu MB", qn_rowstore_n(rows), memory_bytes >> 20);
        qn_hint(e, "raise --memory, or put `sample` in front");
    }
    if (rc == QN_OK) return qn_rowstore_put(rows, row, e);
    qn_row_drop(row);
    return rc;
}

const qn_vectors *qn_vecs_end(qn_vecs *v)
{
    if (v->words) v->all = qn_tfidf_vectors(v->words, 2);
    else qn_vectors_unit(&v->all);
    return &v->all;
}
