/* tuned: where the asks stand, and lines put in front of their first key. */
#include "compile/tuned.h"

typedef struct { qn_arena *a; qn_ask_place *all; size_t n, cap; } found;

static qn_str as_json(const qn_ynode *node, qn_arena *a)
{
    qn_buf b = {0};
    if (!node) return QN_STR("");
    qn_json_write(&b, qn_yaml_value(node, a));
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static void take(found *f, const qn_ynode *item, const qn_ynode *ask, qn_str text)
{
    const qn_ynode *prompt = qn_yaml_get(ask, "prompt"), *model = qn_yaml_get(ask, "model"), *kind = qn_yaml_get(ask, "kind");
    if (ask->kind != QN_Y_MAP || ask->n == 0 || !prompt || qn_yaml_get(ask, "messages") || (kind && qn_str_is(kind->text, "completion"))) return;
    QN_GROW(f->all, f->n, f->cap);
    qn_ask_place *p = &f->all[f->n++];
    *p = (qn_ask_place){ .pos = ask->keys[0]->pos, .item = item->pos, .has_system = qn_yaml_get(ask, "system") != NULL,
                         .prompt = qn_arena_str(f->a, prompt->text), .reply = as_json(qn_yaml_get(ask, "reply"), f->a),
                         .model = model ? qn_arena_str(f->a, model->text) : QN_STR("model") };
    p->flow = ask->pos.line > 0 && text.n > 0 && (ask->pos.line != ask->keys[0]->pos.line || ask->pos.col != ask->keys[0]->pos.col);
}

static void walk(found *f, const qn_ynode *steps, qn_str text)
{
    for (size_t i = 0; steps && steps->kind == QN_Y_LIST && i < steps->n; i++) {
        const qn_ynode *item = steps->items[i];
        for (size_t k = 0; item->kind == QN_Y_MAP && k < item->n; k++) {
            if (qn_str_is(item->keys[k]->text, "ask")) take(f, item, item->items[k], text);
            else walk(f, qn_yaml_get(item->items[k], "steps"), text);
        }
    }
}

qn_code qn_tuned_find(qn_str text, const char *file, qn_arena *a, qn_ask_place **out, size_t *n, qn_err *e)
{
    qn_ynode *root;
    found f = { .a = a };
    QN_TRY(qn_yaml_parse(text, file, 0, a, &root, e));
    walk(&f, qn_yaml_get(root, "steps"), text);
    *out = QN_ARENA_NEW_N(a, qn_ask_place, f.n + 1);
    if (f.n) memcpy(*out, f.all, f.n * sizeof *f.all);
    *n = f.n;
    qn_free(f.all);
    return QN_OK;
}

/* A template that gives this text: braces and a dollar sign in front stand for themselves. */
static void put_template(qn_buf *b, qn_str s)
{
    qn_buf t = {0};
    if (s.n && s.p[0] == '$') qn_buf_putc(&t, '$');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '{' && i + 1 < s.n && s.p[i + 1] == '{') { qn_buf_puts(&t, "{{\"{{\"}}"); i++; }
        else qn_buf_putc(&t, s.p[i]);
    }
    qn_json_write_text(b, qn_buf_view(&t));
    qn_buf_free(&t);
}

/* In braces on one line, else a line for each text, as deep as the step's other keys. */
static void put_tuning(qn_buf *b, const qn_ask_place *p, const qn_tuning *t)
{
    int deep = p->flow ? 0 : p->pos.col - 1;
    const char *end = p->flow ? ", " : "\n";
    if (t->instruction.n && !p->has_system) {
        qn_buf_printf(b, "%*ssystem: ", deep, "");
        put_template(b, t->instruction);
        qn_buf_puts(b, end);
    }
    if (!t->n_demos) return;
    qn_buf_printf(b, "%*smessages:%s", deep, "", p->flow ? " [" : "\n");
    for (size_t i = 0; i < t->n_demos; i++)
        for (int side = 0; side < 2; side++) {
            const char *role = side ? "assistant" : "user";
            if (p->flow) qn_buf_printf(b, "%s{%s: ", i || side ? ", " : "", role);
            else qn_buf_printf(b, "%*s- %s: ", deep + 2, "", role);
            put_template(b, side ? t->demos[i]->reply : t->demos[i]->prompt);
            qn_buf_puts(b, p->flow ? "}" : "\n");
        }
    if (p->flow) qn_buf_puts(b, "], ");
}

/* Byte offset of a line and column (in characters, both from 1). */
static size_t offset_of(qn_str text, int line, int column)
{
    size_t i = 0;
    for (int at = 1; i < text.n && at < line; i++) at += text.p[i] == '\n';
    for (int c = 1; i < text.n && c < column; c++) qn_utf8_next(text, &i);
    return i;
}

void qn_tuned_write(qn_str text, const qn_ask_place *places, const qn_tuning *tunings, size_t n, qn_buf *out)
{
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = offset_of(text, places[i].pos.line, places[i].flow ? places[i].pos.col : 1);
        qn_buf_str(out, qn_str_sub(text, from, at));
        put_tuning(out, &places[i], &tunings[i]);
        from = at;
    }
    qn_buf_str(out, qn_str_sub(text, from, text.n));
}
