/* decontaminate: drop rows whose text equals, or largely contains, a text of given files: the questions of a benchmark.
 *
 * The reference texts are read once and sealed; map then asks on any worker. What was found where stays on the rejected row:
 * `_found` {file and row, its text, how, ratio}, and `_of`. */
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/overlap.h"

typedef struct {
    qn_expr *text, *path;
    qn_texts against;
    qn_str   field, match;
    int64_t  ngram;
    double   over;
} params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, NULL, "text", "the text to look into"),
    QN_TEXTS(params, against, NULL, "files (folders, globs) with the texts that must not be met: evaluation sets"),
    QN_TEXT(params, field, "", "the text in those files: a field, or an expression as `.data[].paragraphs[].context` (default: as `text`)"),
    QN_CHOICE(params, match, "overlap", "exact|normalised|overlap",
              "exact: equal texts; normalised: also equal words in lower case; overlap: also shared n-grams and blocks"),
    QN_INT(params, ngram, "10", "2..100", "words in a row that make a text a candidate (10: Cosmopedia; 13: GPT-3)"),
    QN_REAL(params, over, "0.5", "0..1", "smallest share of the reference, in characters, that the common blocks cover"),
    QN_END
};

typedef struct { qn_overlap *refs; qn_arena arena; const char **where; size_t n, cap; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (p->against.n == 0) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`against` names no file");
    return qn_pick_compile(p->field, p->text, ck->pos, ck->arena, &p->path, e);
}

static qn_code load_text(void *vs, qn_str text, const char *where, qn_err *e)
{
    state *st = vs;
    (void)e;
    qn_overlap_add(st->refs, text);
    QN_GROW(st->where, st->n, st->cap);
    st->where[st->n++] = qn_arena_str(&st->arena, qn_str_of(where)).p;
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    *out = st;
    st->refs = qn_overlap_new((int)p->ngram, qn_str_is(p->match, "overlap") ? p->over : 2);
    for (size_t i = 0; i < p->against.n; i++) {
        char *path = qn_strz(p->against.items[i]);
        qn_code rc = qn_pick_file(path, p->path, load_text, st, e);
        qn_free(path);
        QN_TRY(rc);
    }
    qn_overlap_seal(st->refs);
    if (qn_overlap_bytes(st->refs) > cx->memory_bytes)
        return qn_fail(e, QN_ELIMIT, "the texts of `against` take %zu MB, more than this step's %zu: raise --memory",
                       qn_overlap_bytes(st->refs) >> 20, cx->memory_bytes >> 20);
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_overlap_free(st->refs);
    qn_arena_free(&st->arena);
    qn_free(st->where);
    qn_free(st);
}

static void put_found(qn_row *r, const state *st, qn_overlap_hit hit, const char *how)
{
    qn_field fields[] = {
        { QN_STR("where"), qn_v_text(qn_str_of(st->where[hit.index])) }, { QN_STR("text"), qn_v_text(qn_overlap_text(st->refs, hit.index)) },
        { QN_STR("how"), qn_v_text(qn_str_of(how)) }, { QN_STR("ratio"), qn_v_real(hit.ratio) },
    };
    qn_row_set(r, QN_STR("_found"), qn_v_object(fields, sizeof fields / sizeof *fields));
}

/* "dev.jsonl:12", its tail when it is longer than the place for an id. */
static void put_of(qn_verdict *v, const char *where)
{
    size_t n = strlen(where), room = sizeof v->of - 1, from = n > room ? n - room : 0;
    while (from < n && ((unsigned char)where[from] & 0xC0) == 0x80) from++;
    memcpy(v->of, where + from, n - from + 1);
}

static qn_code map(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_emit *em, qn_err *e)
{
    static const char *const HOW[] = { "", "exact", "normalised", "overlap" };
    const params *p = vp;
    const state *st = vs;
    qn_str text;
    QN_TRY(qn_pick_text(p->text, r, cx->scratch, &text, e));
    qn_overlap_hit hit = qn_overlap_find(st->refs, text);
    if (hit.kind == QN_OVERLAP_NORMAL && qn_str_is(p->match, "exact")) hit.kind = QN_OVERLAP_NONE;
    if (hit.kind == QN_OVERLAP_NONE) {
        qn_emit_row(em, r);
        return QN_OK;
    }
    qn_verdict v = hit.kind == QN_OVERLAP_BLOCKS ? qn_reject_above("overlap", hit.ratio, p->over)
                                                 : qn_reject_fact(HOW[hit.kind], "equals %.90s", st->where[hit.index]);
    put_found(r, st, hit, HOW[hit.kind]);
    put_of(&v, st->where[hit.index]);
    v.similarity = hit.ratio;
    qn_emit_reject(em, r, v);
    return QN_OK;
}

const qn_op qn_op_decontaminate = {
    .name = "decontaminate", .version = 1, .stage = QN_CURATE,
    .brief = "drop rows whose text is, or largely contains, a text of given files",
    .about = "`_measure` says how a row was found: exact, normalised or overlap; `_of` and `_found` say where. A reference shorter than `ngram` "
             "words can only be found by equality.",
    .paper = "n-grams: Brown et al. 2020; matching blocks: Cosmopedia (Ben Allal et al. 2024)",
    .params = PARAMS, .params_size = sizeof(params),
    .check = check, .open = open, .close = close, .map = map,
};
