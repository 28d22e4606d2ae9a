/* search: asks a search engine about each row, or the user's own documents, and puts the results into a list.
 *
 *   engine given   one GET for each query; the reply is in the ledger, so a query is asked once
 *   else           an index over the documents `in` (search_index.h): BM25, with `encoder` or `embedder` also or only by meaning; read once, before
 *                  the first row, and shared by the steps of a run that search the same
 *
 * With an embeddings endpoint the first rows ask for the passages' vectors, some pieces each, beside those of their own queries; a row searches when
 * all are there. Several queries of a row are asked apart; their lists are joined by rank, and a result that several found comes once.
 * Runs on: any worker; keeps the index between rows. */
#include "ops/curate/embedding.h"
#include "ops/generate/search_index.h"

enum { RANK_OFFSET = 60, PIECES_A_TURN = 4 };

typedef struct { qn_template *address; qn_expr *results, *url, *title, *text; } api;
typedef struct {
    qn_expr *query;
    const qn_model *engine;
    qn_value how;
    const char *in, *encoder;
    const qn_model *embedder;   /* an embeddings endpoint; NULL: none */
    int64_t k, most, min, max;
    qn_str  as, text, title, by;
    api     api;                /* made by check, as are the two below */
    qn_finder_by always;        /* when no row decides */
    qn_template *row_by;        /* NULL: `always` */
} params;

#define QN_API_PARAM { "api", QN_P_VALUE, offsetof(params, how), "", NULL, "searxng, brave, or {address, results, url, title, text}; left out: what quern.yaml says of the engine" }
static const qn_param PARAMS[] = {
    QN_EXPR(params, query, ".query", NULL, "what to look for: a text, or a list of texts"),
    QN_MODEL(params, engine, "", "a search engine: a role of the recipe; left out or `builtin`: the documents `in` are searched"),
    QN_API_PARAM,
    QN_PATH(params, in, "", "documents to search when there is no engine: a file, a folder or a glob; also files of rows with a text"),
    QN_PATH(params, encoder, "", "folder of a sentence encoder (all-MiniLM-L6-v2), to search these documents by meaning too"),
    QN_MODEL(params, embedder, "", "or, where there is no encoder, an embeddings endpoint: each passage is embedded once, then each query; left out or `builtin`: none"),
    QN_TEXT(params, by, "", "of the documents: words, meaning or both; a template lets each row say which: '{{ .how }}'; left out: both where there are vectors, else words"),
    QN_INT(params, k, "5", "1..100", "results of one query"),
    QN_INT(params, most, "0", "0..1000", "results of all queries of a row together; 0: all"),
    QN_FIELD(params, as, "results", "field for the list"),
    QN_INT(params, min, "32", "1..100000", "of the documents: smallest passage, in tokens"),
    QN_INT(params, max, "256", "1..100000", "of the documents: largest passage, in tokens"),
    QN_FIELD(params, text, "text", "of files of rows: the field that holds the text"),
    QN_FIELD(params, title, "title", "of files of rows: the field that holds the title"),
    QN_END
};

static const char *const ONE_HIT[] = { "{\"results\": [{\"url\": \"http://a/1\", \"title\": \"Mills\", \"content\": \"They grind &amp; sift.\"}, {\"title\": \"no address\"}]}", NULL };
static const char *const TWO_LISTS[] = { "{\"web\": {\"results\": [{\"url\": \"u\", \"title\": \"U\", \"description\": \"\"}, {\"url\": \"v\", \"title\": \"V\", \"description\": \"a <strong>b</strong>\"}]}}",
    "{\"web\": {\"results\": [{\"url\": \"v\", \"title\": \"V\", \"description\": \"a <strong>b</strong>\"}]}}", NULL };
static const char *const OWN_FORM[] = { "{\"hits\": [{\"link\": \"u\", \"name\": \"U\", \"about\": \"x\"}]}", NULL };
static const char *const NO_JSON[] = { "<html>", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "query: .q, engine: $model, api: searxng", .in = "{q: 'mill stones'}", .replies = ONE_HIT, .asked = "/search?q=mill%20stones&format=json",
      .out = "{q: 'mill stones', results: [{url: 'http://a/1', title: 'Mills', text: 'They grind & sift.', rank: 1, query: 'mill stones'}]}" },
    { .params = "query: .qs, engine: $model, api: brave, k: 2", .in = "{qs: ['x', 'y']}", .replies = TWO_LISTS, .asked = "?q=x&count=2",
      .out = "{qs: ['x', 'y'], results: [{url: 'v', title: 'V', text: 'a b', rank: 1, query: 'x'}, {url: 'u', title: 'U', text: '', rank: 2, query: 'x'}]}" },
    { .params = "query: .q, engine: $model, api: {address: '/find?n={{ .k }}&words={{ .query | @uri }}', results: .hits, url: .link, title: .name, text: .about}", .in = "{q: 'x y'}",
      .replies = OWN_FORM, .asked = "/find?n=5&words=x%20y", .out = "{q: 'x y', results: [{url: 'u', title: 'U', text: 'x', rank: 1, query: 'x y'}]}" },
    { .params = "query: .q, engine: $model, api: searxng", .in = "{q: 'x'}", .replies = NO_JSON, .fail = "is no JSON" },
    { .params = "query: .q", .in = "{q: 'x'}", .fail = "needs `engine` or `in`" },
    { .params = "query: .q, in: docs, by: meaning", .in = "{q: 'x'}", .fail = "needs `encoder` or `embedder`" },
    { .params = "query: .q, in: docs, by: vectors", .in = "{q: 'x'}", .fail = "`vectors`" },
    QN_END
};

/* ---- how an engine is asked ---- */
static const struct { const char *name, *address, *results, *url, *title, *text; } KINDS[] = {
    /* docs.searxng.org, dev/search_api */
    { "searxng", "/search?q={{ .query | @uri }}&format=json", ".results", ".url", ".title", ".content" },
    /* api-dashboard.search.brave.com, web search; at most 20 results */
    { "brave", "?q={{ .query | @uri }}&count={{ if .k < 20 then .k else 20 end }}", ".web.results", ".url", ".title", ".description" },
};

static qn_code compile_part(qn_check *ck, qn_value how, const char *name, const char *otherwise, qn_expr **out, qn_err *e)
{
    qn_value v;
    qn_str text = qn_v_get(how, qn_str_of(name), &v) ? qn_v_str(v) : qn_str_of(otherwise);
    if (text.n == 0) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`api` needs `%s`: where that stands, as an expression", name);
    return qn_expr_compile(text, qn_check_pos(ck, text), ck->arena, out, e);
}

static qn_code compile_api(qn_check *ck, params *p, qn_err *e)
{
    bool given = p->how.kind == QN_V_OBJECT || (p->how.kind == QN_V_TEXT && p->how.n);
    qn_value how = given ? p->how : p->engine->search, v;
    qn_str kind = how.kind == QN_V_TEXT ? qn_v_str(how) : how.kind == QN_V_OBJECT ? QN_STR("") : qn_str_of(p->engine->name ? p->engine->name : "");
    qn_str address = qn_v_get(how, QN_STR("address"), &v) ? qn_v_str(v) : QN_STR("");
    const char *parts[4] = { "", ".url", ".title", "" };
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (!qn_str_is(kind, KINDS[i].name)) continue;
        address = qn_str_of(KINDS[i].address);
        parts[0] = KINDS[i].results, parts[1] = KINDS[i].url, parts[2] = KINDS[i].title, parts[3] = KINDS[i].text;
    }
    if (address.n == 0) {
        qn_fail_at(e, QN_ERECIPE, ck->pos, how.kind == QN_V_OBJECT ? "`api` needs `address`" : "`%.*s` is no search engine that quern knows", QN_FMT(kind));
        qn_hint(e, "in quern.yaml give it `search: searxng`, `brave` or {address: '/find?q={{ .query | @uri }}', results: .hits, text: .snippet}; or --model ROLE=URL#searxng");
        return QN_ERECIPE;
    }
    QN_TRY(qn_template_compile(address, ck->pos, ck->arena, &p->api.address, e));
    QN_TRY(compile_part(ck, how, "results", parts[0], &p->api.results, e));
    QN_TRY(compile_part(ck, how, "url", parts[1], &p->api.url, e));
    QN_TRY(compile_part(ck, how, "title", parts[2], &p->api.title, e));
    return compile_part(ck, how, "text", parts[3], &p->api.text, e);
}

/* Which way of searching a word names; the words alone need no encoder. */
static qn_code read_by(const params *p, qn_str word, qn_finder_by *by, qn_err *e)
{
    int k = 0;
    while (k < QN_N_FINDER_BY && !qn_str_is(word, qn_finder_by_names[k])) k++;
    if (k == QN_N_FINDER_BY) return qn_fail(e, QN_EDATA, "`by` knows words, meaning and both, not `%.*s`", QN_FMT(word));
    if (k != QN_BY_WORDS && !p->encoder && !p->embedder) {
        qn_fail(e, QN_EDATA, "`by: %s` needs `encoder` or `embedder`", qn_finder_by_names[k]);
        qn_hint(e, "encoder: the folder of a sentence encoder, such as deps/minilm (tools/setup.sh minilm); embedder: an embeddings endpoint");
        return QN_EDATA;
    }
    *by = (qn_finder_by)k;
    return QN_OK;
}

static qn_code check_by(qn_check *ck, params *p, qn_err *e)
{
    qn_err why = {0};
    p->always = p->encoder || p->embedder ? QN_BY_BOTH : QN_BY_WORDS;
    if (p->engine || p->by.n == 0) return QN_OK;         /* how an engine searches it knows itself */
    if (qn_str_find(p->by, QN_STR("{{")) >= 0) {
        QN_TRY(qn_template_compile(p->by, qn_check_pos(ck, p->by), ck->arena, &p->row_by, e));
        return qn_template_check(p->row_by, ck->in, ck->arena, e);
    }
    if (read_by(p, p->by, &p->always, &why) == QN_OK) return QN_OK;
    qn_fail_at(e, QN_ERECIPE, ck->pos, "%s", why.msg);
    if (why.hint[0]) qn_hint(e, "%s", why.hint);
    return QN_ERECIPE;
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *t;
    if (p->engine && p->engine->builtin) p->engine = NULL;
    if (p->embedder && (p->embedder->builtin || p->engine || p->encoder)) p->embedder = NULL;
    if (!p->engine && !p->in) {
        qn_fail_at(e, QN_ERECIPE, ck->pos, "`search` needs `engine` or `in`");
        qn_hint(e, "`in` names documents of your own to search; an engine stands in quern.yaml");
        return QN_ERECIPE;
    }
    if (p->min > p->max) return qn_fail_at(e, QN_ERECIPE, ck->pos, "min (%lld) is above max (%lld)", (long long)p->min, (long long)p->max);
    if (p->engine) QN_TRY(compile_api(ck, p, e));
    QN_TRY(check_by(ck, p, e));
    QN_TRY(qn_type_parse(QN_STR("[{url: text, title: text, text: text, rank: int, query: text}]"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, p->as, t, ck->arena);
    return QN_OK;
}

/* ---- the index over documents ---- */
static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    bool meaning = p->row_by || p->always != QN_BY_WORDS;
    qn_index_of of = { .in = p->in, .encoder = meaning ? p->encoder : NULL, .embedder = meaning ? p->embedder : NULL, .min = p->min, .max = p->max, .text = p->text, .title = p->title };
    *out = NULL;
    return p->engine ? QN_OK : qn_index_take(cx, &of, (qn_index **)out, e);
}

static void close(void *vs) { qn_index_drop(vs); }

/* ---- results ---- one for each address, over all queries of the row */
typedef struct { qn_str url, title, text, query; double score; size_t first; } result;
typedef struct { qn_arena *a; result *all; size_t n, cap; } results;

static void found(results *rs, qn_str url, qn_str title, qn_str text, qn_str query, size_t rank)
{
    double score = 1.0 / (double)(RANK_OFFSET + rank);
    for (size_t i = 0; i < rs->n; i++)
        if (qn_str_eq(rs->all[i].url, url)) { rs->all[i].score += score; return; }
    if (rs->n == rs->cap) {
        size_t cap = rs->cap ? rs->cap * 2 : 16;
        result *bigger = qn_arena_alloc(rs->a, cap * sizeof *bigger);
        if (rs->n) memcpy(bigger, rs->all, rs->n * sizeof *bigger);
        rs->all = bigger;
        rs->cap = cap;
    }
    rs->all[rs->n] = (result){ url, title, text, query, score, rs->n };
    rs->n++;
}

static int best_first(const void *a, const void *b)
{
    const result *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static void leave(const params *p, qn_ctx *cx, results *rs, qn_row *r, qn_emit *em)
{
    qn_list_b l = { .a = cx->scratch };
    if (rs->n) qsort(rs->all, rs->n, sizeof *rs->all, best_first);
    for (size_t i = 0; i < rs->n && (p->most == 0 || i < (size_t)p->most); i++) {
        qn_object_b o = { .a = cx->scratch };
        qn_object_put(&o, QN_STR("url"), qn_v_text(rs->all[i].url));
        qn_object_put(&o, QN_STR("title"), qn_v_text(rs->all[i].title));
        qn_object_put(&o, QN_STR("text"), qn_v_text(rs->all[i].text));
        qn_object_put(&o, QN_STR("rank"), qn_v_int((int64_t)i + 1));
        qn_object_put(&o, QN_STR("query"), qn_v_text(rs->all[i].query));
        qn_list_put(&l, qn_object_end(&o));
    }
    qn_row_set(r, p->as, qn_list_end(&l));
    if (rs->n) qn_row_add_licences(r, QN_LICENCE_UNKNOWN);      /* the web's, or of documents that name none */
    qn_emit_row(em, r);
}

/* Snippets come as HTML: tags go, the five entities that engines write become what they stand for. */
static qn_str plain(qn_str s, qn_arena *a)
{
    static const struct { const char *name; char c; } entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&#x27;", '\'' }, { "&#39;", '\'' } };
    char *out = qn_arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t k = 0, m = 0;
        const char *end = s.p[i] == '<' && i + 1 < s.n && strchr("/abcdeiuspm", s.p[i + 1]) ? memchr(s.p + i, '>', s.n - i < 40 ? s.n - i : 40) : NULL;
        if (end) { i = (size_t)(end - s.p) + 1; continue; }
        for (; k < sizeof entities / sizeof *entities; k++)
            if (qn_str_starts(qn_str_sub(s, i, s.n), qn_str_of(entities[k].name))) { m = strlen(entities[k].name); break; }
        out[n++] = m ? entities[k].c : s.p[i];
        i += m ? m : 1;
    }
    return (qn_str){ out, n };
}

typedef struct { const params *p; qn_ctx *cx; results *rs; qn_str query; size_t rank; } reading;

static qn_code keep_text(void *arg, qn_value v, qn_err *e)
{
    (void)e;
    if (v.kind == QN_V_TEXT && !((qn_str *)arg)->p) *(qn_str *)arg = qn_v_str(v);
    return QN_OK;
}

static qn_str part(const qn_expr *x, qn_value item, qn_arena *a)
{
    qn_str s = { NULL, 0 };
    qn_err ignored = {0};
    if (qn_expr_run_value(x, item, a, keep_text, &s, &ignored) != QN_OK || !s.p) return (qn_str){ "", 0 };
    return s;
}

static qn_code take_result(void *arg, qn_value v, qn_err *e)
{
    reading *rd = arg;
    qn_v_iter it = qn_v_iter_of(v);
    qn_value item;
    if (v.kind == QN_V_LIST) {
        while (qn_v_next(&it, NULL, &item)) QN_TRY(take_result(arg, item, e));
        return QN_OK;
    }
    if (v.kind != QN_V_OBJECT || rd->rank >= (size_t)rd->p->k) return QN_OK;
    qn_str url = part(rd->p->api.url, v, rd->cx->scratch);
    if (url.n == 0) return QN_OK;
    rd->rank++;
    found(rd->rs, url, plain(part(rd->p->api.title, v, rd->cx->scratch), rd->cx->scratch), plain(part(rd->p->api.text, v, rd->cx->scratch), rd->cx->scratch), rd->query, rd->rank);
    return QN_OK;
}

/* ---- the queries ---- */
/* A row between its turns. */
typedef struct { qn_arena *a; qn_str *all; size_t n; qn_finder_by by; qn_embedding_asks asks; float *vectors; size_t dim; } queries;

static qn_code take_query(void *arg, qn_value v, qn_err *e)
{
    queries *q = arg;
    qn_v_iter it = qn_v_iter_of(v);
    qn_value item;
    if (v.kind == QN_V_LIST) {
        while (qn_v_next(&it, NULL, &item)) QN_TRY(take_query(arg, item, e));
        return QN_OK;
    }
    if (v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "a query is a %s, not a text", qn_v_kind_name(v));
    qn_str text = qn_str_trim(qn_v_str(v));
    for (size_t i = 0; i < q->n; i++) if (qn_str_eq(q->all[i], text)) return QN_OK;
    if (text.n == 0) return QN_OK;
    qn_str *bigger = qn_arena_alloc(q->a, (q->n + 1) * sizeof *bigger);
    if (q->n) memcpy(bigger, q->all, q->n * sizeof *bigger);
    bigger[q->n++] = qn_arena_str(q->a, text);
    q->all = bigger;
    return QN_OK;
}

static qn_code ask_engine(const params *p, qn_ctx *cx, qn_turn *t, qn_str query, qn_err *e)
{
    qn_buf b = {0};
    qn_row *own = qn_row_new((qn_hash128){ 0, 0 });
    qn_row_set(own, QN_STR("query"), qn_v_text(query));
    qn_row_set(own, QN_STR("k"), qn_v_int(p->k));
    qn_code rc = qn_template_fill(p->api.address, own, cx->scratch, &b, e);
    qn_row_drop(own);
    qn_ask ask = { .kind = QN_ASK_GET, .model = p->engine, .url = qn_buf_view(&b), .allow_private = true };
    if (rc == QN_OK) qn_turn_ask(t, &ask);
    qn_buf_free(&b);
    return rc;
}

/* vector: of the query; NULL: the index has an encoder of its own, or words decide. */
static qn_code search_documents(const params *p, qn_ctx *cx, qn_index *x, qn_finder_by by, qn_str query, const float *vector, results *rs, qn_err *e)
{
    qn_finder_hit *hits = qn_arena_alloc(cx->scratch, (size_t)p->k * sizeof *hits);
    size_t n;
    if (vector) qn_finder_near(x->finder, by, query, vector, (size_t)p->k, hits, &n);
    else QN_TRY(qn_finder_find(x->finder, by, query, (size_t)p->k, hits, &n, e));
    for (size_t i = 0; i < n; i++)
        found(rs, x->places[hits[i].index].url, x->places[hits[i].index].title, qn_finder_text(x->finder, hits[i].index), query, i + 1);
    return QN_OK;
}

/* ---- vectors from an endpoint ---- */
/* True when something was asked for: the row waits. */
static bool ask_for_more(const params *p, qn_turn *t, queries *q, qn_index *x)
{
    size_t pieces[PIECES_A_TURN], n = qn_index_claim(x, PIECES_A_TURN, pieces);
    qn_str texts[QN_INDEX_PIECE];
    bool first = q->asks.n == 0;
    if (first) qn_embedding_ask_piece(&q->asks, t, p->embedder, QN_EMBEDDING_OWN, q->all, q->n);
    for (size_t i = 0; i < n; i++) {
        size_t n_texts = qn_index_piece(x, pieces[i], texts);
        qn_embedding_ask_piece(&q->asks, t, p->embedder, pieces[i], texts, n_texts);
    }
    return first || n;
}

static qn_code take_vectors(qn_turn *t, queries *q, qn_index *x, qn_err *e)
{
    qn_str texts[QN_INDEX_PIECE];
    for (size_t *i = &q->asks.n_taken; *i < t->n_replies; (*i)++) {
        const qn_reply *reply = &t->replies[*i];
        size_t piece = q->asks.piece[*i], dim = 0;
        if (piece == QN_EMBEDDING_OWN) {
            QN_TRY(qn_embedding_of_reply(reply, q->n, q->a, &q->vectors, &q->dim, e));
        } else if (!qn_index_has(x, piece)) {
            size_t n = qn_index_piece(x, piece, texts);
            qn_arena a = {0};
            float *v;
            qn_code rc = qn_embedding_of_reply(reply, n, &a, &v, &dim, e);
            if (rc == QN_OK) rc = qn_index_put(x, piece, v, n, dim, e);
            qn_arena_free(&a);
            QN_TRY(rc);
        }
    }
    return QN_OK;
}

static qn_code by_of_row(const params *p, qn_ctx *cx, const qn_row *r, qn_finder_by *by, qn_err *e)
{
    qn_buf b = {0};
    *by = p->always;
    if (!p->row_by) return QN_OK;
    qn_code rc = qn_template_fill(p->row_by, r, cx->scratch, &b, e);
    if (rc == QN_OK) rc = read_by(p, qn_str_trim(qn_buf_view(&b)), by, e);
    qn_buf_free(&b);
    return rc;
}

static qn_code read_reply(const params *p, qn_ctx *cx, qn_str reply, qn_str query, results *rs, qn_err *e)
{
    qn_value v;
    qn_err bad = {0};
    reading rd = { p, cx, rs, query, 0 };
    if (qn_json_parse(reply, cx->scratch, &v, &bad) != QN_OK) {
        qn_fail(e, QN_EDATA, "the search engine's answer is no JSON");
        qn_hint(e, "SearxNG gives JSON only where its settings list it under `search: formats:`");
        return QN_EDATA;
    }
    return qn_expr_run_value(p->api.results, v, cx->scratch, take_result, &rd, e);
}

static qn_code begin(const params *p, qn_ctx *cx, qn_row *r, qn_turn *t, queries **out, qn_err *e)
{
    queries *q = *out = t->state = QN_ARENA_NEW(t->arena, queries);
    q->a = t->arena;
    QN_TRY(qn_expr_run(p->query, r, cx->scratch, take_query, q, e));
    QN_TRY(by_of_row(p, cx, r, &q->by, e));
    for (size_t i = 0; p->engine && i < q->n; i++) QN_TRY(ask_engine(p, cx, t, q->all[i], e));
    return QN_OK;
}

static qn_code turn(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_index *x = vs;
    queries *q = t->state;
    results rs = { .a = cx->scratch };
    bool fresh = !q;
    if (fresh) QN_TRY(begin(p, cx, r, t, &q, e));
    if (p->engine) {
        if (fresh && q->n) return QN_OK;
        for (size_t i = 0; i < q->n; i++) QN_TRY(read_reply(p, cx, t->replies[i].text, q->all[i], &rs, e));
    } else {
        bool near = p->embedder && q->by != QN_BY_WORDS && q->n;
        if (near) QN_TRY(take_vectors(t, q, x, e));
        if (near && ask_for_more(p, t, q, x)) return QN_OK;
        if (near && q->dim != x->dim) return qn_fail(e, QN_EDATA, "the endpoint gave a query %zu numbers, and passages %zu", q->dim, x->dim);
        for (size_t i = 0; i < q->n; i++) QN_TRY(search_documents(p, cx, x, q->by, q->all[i], near ? q->vectors + i * q->dim : NULL, &rs, e));
    }
    leave(p, cx, &rs, r, em);
    return QN_OK;
}

const qn_op qn_op_search = {
    .name = "search", .version = 1, .stage = QN_GENERATE,
    .brief = "search the web, or documents of your own, for each row",
    .about = "The field holds a list of {url, title, text, rank, query}; `each: {of: .results, spread: yes}` makes a row of each. With an engine `text` is its snippet, and\n"
             "fetch_pages gets the page; with documents it is the passage itself, and `url` says where it stands: file#byte.\n"
             "An engine is an entry of quern.yaml with `url`, `search: searxng`, `brave` or a map, its key as env:NAME and its pace as `rpm`; or --model ROLE=URL#searxng.\n"
             "In `address` and the rest of the map, expressions see {query, k} and the engine's answer. Without `encoder` and `embedder` documents are found by their words alone.\n"
             "With an `embedder` the rows ask for the passages' vectors, 32 a request; they are in the ledger, so a document that is there still is not paid for again.",
    .paper = "reciprocal rank fusion: Cormack, Clarke & Buettcher 2009, section 2; BM25: Robertson and Zaragoza 2009",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .open = open, .close = close, .turn = turn,
};
