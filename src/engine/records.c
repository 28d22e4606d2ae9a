/* records: rows that ended, the lines they leave, and the loss account, which is added up in the order of groups. */
#include "engine/internal.h"
#include <stdio.h>
#include <stdlib.h>

static void put_field(qn_buf *b, const char *name, qn_str text)
{
    qn_buf_printf(b, ",\"%s\":", name);
    qn_json_write_text(b, text);
}

/* The row's JSON without its closing brace, so that fields can follow. */
static void put_row_open(qn_buf *b, const qn_row *row)
{
    size_t from = b->n;
    qn_row_write(row, b);
    while (b->n > from && b->p[b->n - 1] != '}') b->n--;
    if (b->n > from) b->n--;
    while (b->n > from && strchr(" \t\r\n", b->p[b->n - 1])) b->n--;
    if (b->n == from) qn_buf_putc(b, '{');
}

static void put_first_or_next(qn_buf *b, size_t from, const char *name, qn_str text)
{
    put_field(b, name, text);
    if (b->p[from] == '{' && b->p[from + 1] == ',') memmove(b->p + from + 1, b->p + from + 2, b->n-- - from - 1);
}

static qn_str take_line(qn_buf *b)
{
    qn_buf_putc(b, '\n');
    return (qn_str){ b->p, b->n };
}

static qn_record_end *record_new(qn_rec_kind kind, int step, uint32_t root, qn_row *row)
{
    qn_record_end *r = QN_NEW(qn_record_end);
    *r = (qn_record_end){ .kind = kind, .step = step, .root = root, .row = row };
    return r;
}

static qn_str start_line(qn_engine *en, qn_buf *b, int step, qn_row *row, const char *reason)
{
    char id[33];
    size_t from = b->n;
    put_row_open(b, row);
    qn_row_id_text(row, id);
    put_first_or_next(b, from, "_id", (qn_str){ id, 32 });
    if (qn_row_number(row)) qn_buf_printf(b, ",\"_row\":%llu", (unsigned long long)qn_row_number(row));
    put_field(b, "_step", en->plan->steps[step].name);
    put_field(b, "_reason", qn_str_of(reason));
    return (qn_str){0};
}

/* Reasons are counted by measure and limit, not by each row's value. */
static char *reason_key(const qn_verdict *v)
{
    qn_buf b = {0};
    switch (v->sign) {
    case '<': qn_buf_printf(&b, "%s below %.6g", v->measure, v->limit); break;
    case '>': qn_buf_printf(&b, "%s above %.6g", v->measure, v->limit); break;
    case '!': qn_buf_printf(&b, "%s", v->measure); break;
    default:  qn_buf_printf(&b, "%s", v->measure); break;
    }
    return b.p;
}

qn_record_end *qn_end_let_go(qn_engine *en, int step, uint32_t root, qn_row *row, const qn_verdict *v)
{
    qn_record_end *r = record_new(QN_REC_REJECT, step, root, row);
    char text[200];
    r->reason = reason_key(v);
    qn_verdict_text(v, text, sizeof text);
    if (en->o->ended) r->words = qn_strz(qn_str_of(text));
    return r;
}

qn_record_end *qn_end_reject(qn_engine *en, int step, uint32_t root, qn_row *row, const qn_verdict *v)
{
    qn_record_end *r = qn_end_let_go(en, step, root, row, v);
    char text[200];
    qn_buf b = {0};
    if (!en->rejected) return r;
    qn_verdict_text(v, text, sizeof text);
    start_line(en, &b, step, row, text);
    put_field(&b, "_measure", qn_str_of(v->measure));
    if (v->sign != '!') {
        qn_buf_puts(&b, ",\"_value\":");
        qn_json_write(&b, qn_v_real(v->value));
        qn_buf_puts(&b, ",\"_limit\":");
        qn_json_write(&b, qn_v_real(v->limit));
    }
    if (v->of[0]) {
        put_field(&b, "_of", qn_str_of(v->of));
        if (v->of_row) qn_buf_printf(&b, ",\"_of_row\":%llu", (unsigned long long)v->of_row);
        qn_buf_puts(&b, ",\"_similarity\":");
        qn_json_write(&b, qn_v_real(v->similarity));
    }
    qn_buf_putc(&b, '}');
    r->line = take_line(&b);
    return r;
}

qn_record_end *qn_end_fail(qn_engine *en, int step, uint32_t root, qn_row *row, const char *why)
{
    qn_record_end *r = record_new(QN_REC_FAIL, step, root, row);
    r->reason = qn_strz(qn_str_of(why));
    if (!en->failed && !en->rejected) return r;
    qn_buf b = {0};
    start_line(en, &b, step, row, why);
    qn_buf_putc(&b, '}');
    r->line = take_line(&b);
    return r;
}

qn_record_end *qn_end_accept(qn_engine *en, int step, uint32_t root, qn_row *row)
{
    qn_record_end *r = record_new(QN_REC_ACCEPT, step, root, row);
    if (en->trace) r->line = qn_trace_line(row);
    return r;
}

void qn_record_end_free(qn_record_end *r)
{
    qn_row_drop(r->row);
    qn_free(r->reason);
    qn_free(r->words);
    qn_free((void *)(uintptr_t)r->line.p);
    qn_free(r);
}

/* ---- the loss account ---- */
static void count_reason(qn_engine *en, const qn_record_end *rec)
{
    qn_run_result *r = en->r;
    char key[200];
    int n = snprintf(key, sizeof key, "%d%c%s", rec->step, rec->kind == QN_REC_FAIL ? 'f' : 'r', rec->reason);
    if (r->n_reasons >= 500) n = snprintf(key, sizeof key, "%d%cother", rec->step, rec->kind == QN_REC_FAIL ? 'f' : 'r');
    bool fresh;
    uint64_t *at = qn_map_put_str(&en->reason_index, (qn_str){ key, (size_t)n < sizeof key ? (size_t)n : sizeof key - 1 }, &fresh);
    if (fresh) {
        *at = r->n_reasons;
        QN_GROW(r->reasons, r->n_reasons, en->cap_reasons);
        qn_reason *q = &r->reasons[r->n_reasons++];
        *q = (qn_reason){ .step = rec->step, .failed = rec->kind == QN_REC_FAIL };
        snprintf(q->text, sizeof q->text, "%s", r->n_reasons > 500 ? "other" : rec->reason);
        qn_utf8_mend(q->text);
        qn_row_id_text(rec->row, q->example);
    }
    r->reasons[*at].n++;
}

static int by_path(const void *a, const void *b)
{
    const qn_record_end *x = *(qn_record_end *const *)a, *y = *(qn_record_end *const *)b;
    if (x->root != y->root) return x->root < y->root ? -1 : 1;
    int c = qn_row_order(x->row, y->row);
    if (c) return c;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

static qn_code write_record(qn_engine *en, const qn_record_end *rec, qn_err *e)
{
    qn_out *o = rec->kind == QN_REC_FAIL && en->failed ? en->failed : en->rejected;     /* `apply` has one file for both */
    if (!rec->line.n) return QN_OK;
    if (rec->kind == QN_REC_ACCEPT) return qn_trace_add(en->trace, rec->line, e);
    if (!o) return QN_OK;
    return qn_out_write(o, rec->line.p, rec->line.n, e);
}

static void tell(const qn_engine *en, const qn_record_end *rec)
{
    if (!en->o->ended) return;
    qn_ended x = { .accepted = rec->kind == QN_REC_ACCEPT, .failed = rec->kind == QN_REC_FAIL, .row = rec->row,
                   .step = en->plan->steps[rec->step].name, .reason = rec->words ? rec->words : rec->reason ? rec->reason : "" };
    en->o->ended(en->o->ended_arg, &x);
}

qn_code qn_group_commit(qn_engine *en, qn_group *g, qn_err *e)
{
    qn_run_result *r = en->r;
    size_t n = 0, i = 0;
    qn_code rc = QN_OK;
    for (qn_record_end *x = g->ended; x; x = x->next) n++;
    qn_record_end **all = qn_alloc(n * sizeof *all);
    for (qn_record_end *x = g->ended; x; x = x->next) all[i++] = x;
    qsort(all, n, sizeof *all, by_path);
    for (i = 0; i < n && rc == QN_OK; i++) {
        if (all[i]->kind == QN_REC_ACCEPT) r->accepted++;
        else {
            if (all[i]->kind == QN_REC_FAIL) r->failed++;
            else r->rejected++;
            count_reason(en, all[i]);
        }
        rc = write_record(en, all[i], e);
        tell(en, all[i]);
    }
    r->accepted += g->n_accepted;
    r->licences |= g->licences;
    r->created += g->n_created;
    r->became += g->n_became;
    for (int s = 0; s < en->plan->n_steps; s++) {
        r->steps[s].in += g->steps[s].in;
        r->steps[s].out += g->steps[s].out;
        r->steps[s].rejected += g->steps[s].rejected;
        r->steps[s].failed += g->steps[s].failed;
    }
    qn_free(all);
    return rc;
}
