/* licences: may this row, made from what it was made from, train the model that the rows are for? Asked before a request is made for it and when it is
 * accepted, so that a step of the recipe can leave out what must be left out. Each licence is judged once a run. A model that the run trains hands on
 * the licences of the rows it was trained on. */
#include "engine/internal.h"
#include "model/permit.h"

qn_code qn_licences_allow(qn_engine *en, const qn_row *row, qn_err *e)
{
    qn_licences set = qn_row_licences(row);
    if (!en->o->student) return QN_OK;
    qn_licences fresh = set & ~__atomic_load_n(&en->licences_judged, __ATOMIC_ACQUIRE);
    for (int bit = 0; fresh; bit++, fresh >>= 1) {
        if (!(fresh & 1)) continue;
        qn_permit p = qn_permit_of_source(bit ? qn_licence_name(bit) : NULL, en->o->student);
        if (p.may == QN_TRAIN_FORBIDDEN) __atomic_fetch_or(&en->licences_forbidden, (qn_licences)1 << bit, __ATOMIC_RELEASE);
        __atomic_fetch_or(&en->licences_judged, (qn_licences)1 << bit, __ATOMIC_RELEASE);
    }
    qn_licences bad = set & __atomic_load_n(&en->licences_forbidden, __ATOMIC_ACQUIRE);
    if (!bad) return QN_OK;
    const char *name = qn_licence_name(__builtin_ctzll(bad)), *path = qn_row_source_of(row).path;
    qn_permit p = qn_permit_of_source(name, en->o->student);
    qn_fail(e, QN_EUSAGE, "rows made from %s may not train %s: %s", path ? path : "a source", en->o->student, p.words);
    qn_hint(e, "leave such rows out with a step `licence: {deny: [\"%s\"]}`, or say `--licence your-own` when you have an agreement", name);
    return QN_EUSAGE;
}

static const qn_model *model_of(const qn_step *s, const qn_param *q)
{
    return q->type == QN_P_MODEL ? *(const qn_model *const *)((const char *)s->params + q->offset) : NULL;
}

bool qn_licences_inherited(const qn_plan *plan, const qn_step *s)
{
    if (s->kind != QN_STEP_OP || s->op->stage == QN_TRAIN || s->op->stage == QN_EVAL) return false;
    for (const qn_param *q = s->op->params; q && q->name; q++)
        for (int i = 0; model_of(s, q) && i < plan->n_steps; i++)
            if (plan->steps[i].gives == model_of(s, q)) return true;
    return false;
}

qn_licences qn_licences_of_models(const qn_step *s)
{
    qn_licences set = 0;
    for (const qn_param *q = s->op->params; q && q->name; q++)
        if (model_of(s, q)) set |= model_of(s, q)->licences;
    return set;
}
