/* chosen: a row store and a mark for each row. */
#include "data/chosen.h"
#include "core/mem.h"

void qn_chosen_open(qn_chosen *c, size_t memory_bytes) { c->rows = qn_rowstore_new(memory_bytes, NULL); }

void qn_chosen_close(qn_chosen *c)
{
    qn_rowstore_free(c->rows);
    qn_free(c->taken);
}

bool *qn_chosen_marks(qn_chosen *c)
{
    if (!c->taken) c->taken = QN_NEW_N(bool, qn_chosen_n(c) + 1);
    return c->taken;
}

qn_code qn_chosen_next(qn_chosen *c, qn_row **out, size_t *index, qn_err *e)
{
    *out = NULL;
    if (c->at == qn_chosen_n(c)) return QN_OK;
    QN_TRY(qn_rowstore_take(c->rows, c->at, out, e));
    qn_row_attach(*out, c->taken[c->at] ? NULL : qn_zalloc(1));
    if (index) *index = c->at;
    c->at++;
    return QN_OK;
}
