/* layout: one small function per layout over a row's parts. */
#include "data/layout.h"

/* A part of a layout and the names under which rows usually hold it, best first. */
typedef struct { const char *name; const char *looks_for; bool must; } part;

enum { MAX_PARTS = 6 };
struct qn_layout {
    const char *name, *about;
    part parts[MAX_PARTS];
    void (*put)(const qn_value *v, const bool *has, qn_object_b *out);      /* values of the parts, in their order */
};

#define PROMPT   "question instruction prompt query input_text"
#define ANSWER   "answer response reply output completion solution"
#define CHOSEN   "chosen chosen_response better"
#define REJECTED "rejected rejected_response worse"

static qn_value text(const char *z) { return qn_v_text(qn_str_of(z)); }

/* An answer may be a list of values (table questions): people read it joined by commas. */
static qn_value plain(qn_arena *a, qn_value v)
{
    if (v.kind == QN_V_TEXT) return v;
    qn_buf b = {0};
    qn_value item;
    qn_v_iter it = qn_v_iter_of(v);
    if (v.kind == QN_V_LIST) {
        for (size_t i = 0; qn_v_next(&it, NULL, &item); i++) {
            if (i) qn_buf_puts(&b, ", ");
            if (item.kind == QN_V_TEXT) qn_buf_str(&b, qn_v_str(item));
            else qn_json_write(&b, item);
        }
    } else {
        qn_json_write(&b, v);
    }
    qn_value out = qn_v_text(qn_arena_str(a, qn_buf_view(&b)));
    qn_buf_free(&b);
    return out;
}

static qn_value object2(qn_arena *a, const char *k1, qn_value v1, const char *k2, qn_value v2)
{
    qn_object_b o = { .a = a };
    qn_object_put(&o, qn_str_of(k1), v1);
    qn_object_put(&o, qn_str_of(k2), v2);
    return qn_object_end(&o);
}

static qn_value message(qn_arena *a, const char *role, qn_value content) { return object2(a, "role", text(role), "content", plain(a, content)); }

/* What was said before the reply may be a whole dialogue: [{role, content}, ...]. */
static bool is_dialogue(qn_value v)
{
    qn_value first, role, content;
    qn_v_iter it = qn_v_iter_of(v);
    return v.kind == QN_V_LIST && qn_v_next(&it, NULL, &first) && qn_v_get(first, QN_STR("role"), &role) && qn_v_get(first, QN_STR("content"), &content);
}

static void put_user(qn_list_b *l, qn_arena *a, qn_value v)
{
    qn_value m;
    if (!is_dialogue(v)) { qn_list_put(l, message(a, "user", v)); return; }
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &m);) qn_list_put(l, m);
}

/* [system,] user[, assistant]; user: a text, or a dialogue that ends with what the user said */
static qn_value messages(qn_arena *a, const qn_value *system, const qn_value *user, const qn_value *assistant)
{
    qn_list_b l = { .a = a };
    if (system) qn_list_put(&l, message(a, "system", *system));
    if (user) put_user(&l, a, *user);
    if (assistant) qn_list_put(&l, message(a, "assistant", *assistant));
    return qn_list_end(&l);
}

static void put(qn_object_b *o, const char *name, qn_value v) { qn_object_put(o, qn_str_of(name), v); }

/* parts: prompt answer system input messages */
static void chat(const qn_value *v, const bool *has, qn_object_b *o)
{
    if (has[4] && v[4].kind == QN_V_LIST) { put(o, "messages", v[4]); return; }
    qn_value user = plain(o->a, v[0]);
    if (has[3] && v[3].n) user = qn_v_text(qn_arena_printf(o->a, "%.*s\n\n%.*s", QN_FMT(qn_v_str(user)), QN_FMT(qn_v_str(plain(o->a, v[3])))));
    put(o, "messages", messages(o->a, has[2] ? &v[2] : NULL, &user, &v[1]));
}

static void prompt_completion(const qn_value *v, const bool *has, qn_object_b *o)
{
    (void)has;
    put(o, "prompt", plain(o->a, v[0]));
    put(o, "completion", plain(o->a, v[1]));
}

static void alpaca(const qn_value *v, const bool *has, qn_object_b *o)
{
    put(o, "instruction", plain(o->a, v[0]));
    put(o, "input", has[2] ? plain(o->a, v[2]) : text(""));
    put(o, "output", plain(o->a, v[1]));
}

static qn_value turn(qn_arena *a, const char *from, qn_value value) { return object2(a, "from", text(from), "value", plain(a, value)); }

static void sharegpt(const qn_value *v, const bool *has, qn_object_b *o)
{
    qn_list_b l = { .a = o->a };
    if (has[3] && v[3].kind == QN_V_LIST) {
        qn_v_iter it = qn_v_iter_of(v[3]);
        qn_value m, role, content;
        while (qn_v_next(&it, NULL, &m)) {
            qn_v_get(m, QN_STR("role"), &role);
            qn_v_get(m, QN_STR("content"), &content);
            qn_str r = qn_v_str(role);
            qn_list_put(&l, turn(o->a, qn_str_is(r, "user") ? "human" : qn_str_is(r, "assistant") ? "gpt" : "system", content));
        }
    } else {
        if (has[2]) qn_list_put(&l, turn(o->a, "system", v[2]));
        qn_list_put(&l, turn(o->a, "human", v[0]));
        qn_list_put(&l, turn(o->a, "gpt", v[1]));
    }
    put(o, "conversations", qn_list_end(&l));
}

/* The conversational form that trainers of preferences read: prompt, chosen and rejected are lists of messages. */
static void dpo(const qn_value *v, const bool *has, qn_object_b *o)
{
    put(o, "prompt", messages(o->a, has[3] ? &v[3] : NULL, &v[0], NULL));
    put(o, "chosen", messages(o->a, NULL, NULL, &v[1]));
    put(o, "rejected", messages(o->a, NULL, NULL, &v[2]));
}

static void kto(const qn_value *v, const bool *has, qn_object_b *o)
{
    (void)has;
    put(o, "prompt", messages(o->a, NULL, &v[0], NULL));
    put(o, "completion", messages(o->a, NULL, NULL, &v[1]));
    put(o, "label", v[2]);
}

static void ranking(const qn_value *v, const bool *has, qn_object_b *o)
{
    put(o, "prompt", plain(o->a, v[0]));
    put(o, "responses", v[1]);
    if (has[2]) put(o, "scores", v[2]);
}

static void prm(const qn_value *v, const bool *has, qn_object_b *o)
{
    (void)has;
    put(o, "prompt", plain(o->a, v[0]));
    put(o, "completions", v[1]);
    put(o, "labels", v[2]);
}

static void triplet(const qn_value *v, const bool *has, qn_object_b *o)
{
    put(o, "anchor", plain(o->a, v[0]));
    put(o, "positive", plain(o->a, v[1]));
    if (has[2]) put(o, "negative", v[2].kind == QN_V_LIST && v[2].n == 1 ? qn_v_at(v[2], 0) : v[2]);
}

static void beir(const qn_value *v, const bool *has, qn_object_b *o)
{
    (void)has;
    put(o, "query", plain(o->a, v[0]));
    put(o, "corpus_text", plain(o->a, v[1]));
    put(o, "score", qn_v_int(1));
}

static qn_value as_list(qn_arena *a, qn_value v)
{
    if (v.kind == QN_V_LIST) return v;
    qn_list_b l = { .a = a };
    qn_list_put(&l, v);
    return qn_list_end(&l);
}

static void ragas(const qn_value *v, const bool *has, qn_object_b *o)
{
    put(o, "user_input", plain(o->a, v[0]));
    put(o, "reference", plain(o->a, v[1]));
    if (has[2]) put(o, "reference_contexts", as_list(o->a, v[2]));
}

static void tools(const qn_value *v, const bool *has, qn_object_b *o)
{
    if (has[3] && v[3].kind == QN_V_LIST) put(o, "messages", v[3]);
    else if (has[0]) put(o, "messages", messages(o->a, NULL, &v[0], has[2] ? &v[2] : NULL));
    put(o, "tools", v[1]);
}

static void verifiable(const qn_value *v, const bool *has, qn_object_b *o)
{
    put(o, "prompt", messages(o->a, NULL, &v[0], NULL));
    put(o, "ground_truth", v[1]);
    if (has[2]) put(o, "verifier", v[2]);
}

static void text_only(const qn_value *v, const bool *has, qn_object_b *o)
{
    (void)has;
    put(o, "text", plain(o->a, v[0]));
}

static const qn_layout LAYOUTS[] = {
    { "chat", "messages: system, user, assistant",
      { { "prompt", PROMPT, false }, { "answer", ANSWER, false }, { "system", "system", false }, { "input", "input", false }, { "messages", "messages", false } }, chat },
    { "prompt_completion", "prompt, completion", { { "prompt", PROMPT, true }, { "answer", ANSWER, true } }, prompt_completion },
    { "alpaca", "instruction, input, output", { { "prompt", PROMPT, true }, { "answer", ANSWER, true }, { "input", "input", false } }, alpaca },
    { "sharegpt", "conversations: from, value",
      { { "prompt", PROMPT, false }, { "answer", ANSWER, false }, { "system", "system", false }, { "messages", "messages", false } }, sharegpt },
    { "dpo", "prompt, chosen, rejected, each a list of messages",
      { { "prompt", PROMPT, true }, { "chosen", CHOSEN, true }, { "rejected", REJECTED, true }, { "system", "system", false } }, dpo },
    { "kto", "prompt, completion, label", { { "prompt", PROMPT, true }, { "answer", ANSWER, true }, { "label", "label good", true } }, kto },
    { "ranking", "prompt, responses, scores", { { "prompt", PROMPT, true }, { "responses", "responses answers candidates", true }, { "scores", "scores ratings", false } }, ranking },
    { "prm", "prompt, completions (steps), labels", { { "prompt", PROMPT, true }, { "steps", "steps completions", true }, { "labels", "labels", true } }, prm },
    { "triplet", "anchor, positive, negative",
      { { "anchor", "anchor query question", true }, { "positive", "positive passage text", true }, { "negative", "negative negatives", false } }, triplet },
    { "beir", "query, corpus_text, score", { { "query", "query question anchor", true }, { "passage", "passage positive text", true } }, beir },
    { "ragas", "user_input, reference, reference_contexts",
      { { "question", PROMPT, true }, { "answer", ANSWER, true }, { "contexts", "contexts passages passage", false } }, ragas },
    { "tools", "messages, tools", { { "prompt", PROMPT, false }, { "tools", "tools functions", true }, { "answer", ANSWER, false }, { "messages", "messages", false } }, tools },
    { "verifiable", "prompt, ground_truth, verifier", { { "prompt", PROMPT, true }, { "truth", "ground_truth answer", true }, { "verifier", "verifier check", false } }, verifiable },
    { "text", "text alone", { { "text", "text story " ANSWER, true } }, text_only },
};

const qn_layout *qn_layout_find(qn_str name)
{
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof *LAYOUTS; i++)
        if (qn_str_is(name, LAYOUTS[i].name)) return &LAYOUTS[i];
    return NULL;
}

const char *qn_layout_about(const qn_layout *l) { return l->about; }

/* The next word of a list split by spaces. */
static bool next_word(const char **p, qn_str *out)
{
    while (**p == ' ') (*p)++;
    if (!**p) return false;
    size_t n = strcspn(*p, " ");
    *out = (qn_str){ *p, n };
    *p += n;
    return true;
}

/* The field named for the part in `with`, if any. */
static bool named(qn_value with, const part *pt, qn_str *out)
{
    qn_value v;
    if (!qn_v_get(with, qn_str_of(pt->name), &v) || v.kind != QN_V_TEXT) return false;
    *out = qn_v_str(v);
    if (out->n && out->p[0] == '.') *out = qn_str_sub(*out, 1, out->n);
    return true;
}

/* `with` names only parts that the layout has. */
static qn_code check_names(const qn_layout *l, qn_value with, qn_pos pos, qn_err *e)
{
    const char *names[MAX_PARTS];
    size_t n = 0;
    qn_v_iter it = qn_v_iter_of(with);
    qn_str name;
    qn_value v;
    for (const part *pt = l->parts; pt < l->parts + MAX_PARTS && pt->name; pt++) names[n++] = pt->name;
    while (with.kind == QN_V_OBJECT && qn_v_next(&it, &name, &v)) {
        bool known = false;
        qn_buf all = {0};
        for (size_t i = 0; i < n; i++) {
            known |= qn_str_is(name, names[i]);
            qn_buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
        }
        const char *near = qn_nearest(name, names, n);
        if (!known) {
            qn_fail_at(e, QN_ERECIPE, pos, "the layout %s has no part `%.*s`", l->name, QN_FMT(name));
            if (near) qn_hint(e, "did you mean `%s`?", near);
            else qn_hint(e, "its parts are: %s", all.p ? all.p : "");
            if (e) e->about = name.p;
        }
        qn_buf_free(&all);
        if (!known) return QN_ERECIPE;
    }
    return QN_OK;
}

qn_code qn_layout_check(const qn_layout *l, qn_value with, const qn_type *in, qn_arena *a, qn_pos pos, qn_err *e)
{
    bool any = false;
    QN_TRY(check_names(l, with, pos, e));
    for (const part *pt = l->parts; pt < l->parts + MAX_PARTS && pt->name; pt++) {
        qn_str field, word;
        bool found = in->open;
        const char *words = pt->looks_for;
        if (named(with, pt, &field)) {
            if (!in->open && !qn_type_field_of(in, field)) {
                const char *near = qn_type_nearest_field(in, field, a);
                qn_fail_at(e, QN_ERECIPE, pos, "the rows have no field `%.*s` for `%s` of the layout %s", QN_FMT(field), pt->name, l->name);
                if (near) qn_hint(e, "did you mean `%s`?", near);
                else qn_hint(e, "name a field that the rows have: with: {%s: your_field}", pt->name);
                if (e) e->about = field.p;
                return QN_ERECIPE;
            }
            found = true;
        }
        while (!found && next_word(&words, &word)) found = qn_type_field_of(in, word) != NULL;
        any |= found;
        if (found || !pt->must) continue;
        qn_fail_at(e, QN_ERECIPE, pos, "the layout %s needs `%s`: none of the fields %s is there", l->name, pt->name, pt->looks_for);
        qn_hint(e, "name it: with: {%s: your_field}", pt->name);
        return QN_ERECIPE;
    }
    if (any) return QN_OK;
    qn_fail_at(e, QN_ERECIPE, pos, "the rows have none of the fields that the layout %s is made of", l->name);
    qn_hint(e, "name them: with: {%s: your_field, ...}", l->parts[0].name ? l->parts[0].name : "");
    return QN_ERECIPE;
}

qn_code qn_layout_put(const qn_layout *l, qn_value with, const qn_row *r, qn_object_b *out, qn_err *e)
{
    qn_value v[MAX_PARTS];
    bool has[MAX_PARTS] = {0};
    for (int i = 0; i < MAX_PARTS && l->parts[i].name; i++) {
        const part *pt = &l->parts[i];
        const char *words = pt->looks_for;
        qn_str word;
        if (named(with, pt, &word)) has[i] = qn_row_find(r, word, &v[i]);
        else while (!has[i] && next_word(&words, &word)) has[i] = qn_row_find(r, word, &v[i]) && v[i].kind != QN_V_NULL;
        if (!has[i]) v[i] = qn_v_null();
        if (pt->must && !has[i]) return qn_fail(e, QN_EDATA, "the row has no %s for the layout %s", pt->name, l->name);
    }
    l->put(v, has, out);
    return QN_OK;
}
