/* pair_entities: pairs of documents that share an entity, for questions that need both.
 *
 *   bridge      document A names E, and E has a document B of its own (its title)
 *   comparison  two documents about things of one kind that both say the same property, or each its nation; some about things of kinds that are akin
 *
 * Holds titles and texts of all documents (see `holds`); mentions of titles are found by hashing runs of up to eight words. Pairs come in a
 * random order that depends on the seed alone; each entity gives at most `per_entity` bridges, so that a few famous names do not fill the set;
 * people and things are compared equally often, and no kind of thing in more than a quarter, where there are enough of others.
 * Source: Lupidi et al. 2024 (Source2Synth), seeds of multi-hop question answering.
 * Runs on: one thread at a time, as all gathers. */
#include "builtin/multihop.h"
#include "builtin/relations.h"
#include "core/map.h"
#include "ops/op.h"
#include <ctype.h>
#include <strings.h>

typedef struct { qn_str text, title; double comparison; int64_t per_entity; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, text, "text", "field that holds the document"),
    QN_FIELD(params, title, "title", "field with its title: the name of what it is about"),
    QN_REAL(params, comparison, "0.3", "0..1", "share of comparison pairs among all (bridges decide how many)"),
    QN_INT(params, per_entity, "2", "1..1000", "most bridges over one entity"),
    QN_END
};

typedef struct { qn_row *row; qn_str title, name, text; qn_facts facts; } doc;
typedef struct { uint32_t a, b; bool bridge; bool likely; } pair;
typedef struct {
    qn_arena arena;
    doc     *docs;
    size_t   n, cap;
    qn_map   by_name;
    pair    *pairs;
    size_t   n_pairs, cap_pairs, at;
    size_t   n_textless;
    char     why[160];
} state;

static qn_code open_state(qn_ctx *cx, const void *p, void **out, qn_err *e) { (void)cx, (void)p, (void)e; *out = QN_NEW(state); return QN_OK; }

static void close_state(void *vs)
{
    state *s = vs;
    for (size_t i = 0; i < s->n; i++) qn_row_drop(s->docs[i].row);
    qn_free(s->docs);
    qn_free(s->pairs);
    qn_map_free(&s->by_name);
    qn_arena_free(&s->arena);
    qn_free(s);
}

static const char *lacks(void *vs)
{
    const state *s = vs;
    return s->n == 0 && s->n_textless ? s->why : NULL;
}

static size_t holds(const void *p, uint64_t n, size_t avg_bytes) { (void)p; return (size_t)n * (avg_bytes * 3 + 1024); }

static qn_hash128 key_of(qn_str name)   /* whatever its case and without "the" */
{
    char t[128];
    size_t n = 0;
    if (name.n > 4 && strncasecmp(name.p, "the ", 4) == 0) name = qn_str_sub(name, 4, name.n);
    for (size_t i = 0; i < name.n && n < sizeof t; i++) t[n++] = isspace((unsigned char)name.p[i]) ? ' ' : (char)tolower((unsigned char)name.p[i]);
    return qn_hash(t, n);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *s = vs;
    qn_value title = qn_v_null(), text;
    if (!qn_row_find(r, p->text, &text) || text.kind != QN_V_TEXT) {
        if (!s->n_textless++) snprintf(s->why, sizeof s->why, "no row has a text in the field `%.*s`", (int)(p->text.n < 80 ? p->text.n : 80), p->text.p);
        qn_row_drop(r);
        return qn_fail(e, QN_EDATA, "the field `%.*s` holds no text", (int)(p->text.n < 80 ? p->text.n : 80), p->text.p);
    }
    qn_row_find(r, p->title, &title);
    if (s->arena.used_bytes > cx->memory_bytes) {
        qn_row_drop(r);
        qn_fail(e, QN_ELIMIT, "pair_entities holds %zu documents, and more do not fit into %zu MB", s->n, cx->memory_bytes >> 20);
        qn_hint(e, "use --memory, or fewer documents");
        return QN_ELIMIT;
    }
    QN_GROW(s->docs, s->n, s->cap);
    doc *d = &s->docs[s->n++];
    *d = (doc){ .row = r, .title = qn_v_str(title), .text = qn_v_str(text) };
    qn_facts_find(d->title, d->text, &s->arena, &d->facts);
    qn_relations_find(d->text, &s->arena, &d->facts);
    d->name = d->facts.main;
    if (d->name.n >= 3) {
        bool fresh;
        uint64_t *at = qn_map_put(&s->by_name, key_of(d->name), &fresh);
        if (fresh) *at = s->n;      /* the first document of a name keeps it */
    }
    return QN_OK;
}

static void add_pair(state *s, size_t a, size_t b, bool bridge, bool likely)
{
    QN_GROW(s->pairs, s->n_pairs, s->cap_pairs);
    s->pairs[s->n_pairs++] = (pair){ (uint32_t)a, (uint32_t)b, bridge, likely };
}

static bool says(const doc *a, const doc *b)    /* is there a plain fact of A whose answer is B? */
{
    for (size_t i = 0; i < a->facts.n; i++) {
        qn_str x = a->facts.items[i].answer;
        if (x.n > 4 && strncasecmp(x.p, "the ", 4) == 0) x = qn_str_sub(x, 4, x.n);
        if (a->facts.items[i].describe.n && qn_str_ieq(x, b->name)) return true;
    }
    return false;
}

/* Titles that the text names: runs of up to eight words that begin with a capital. */
static void find_mentions(state *s, size_t a)
{
    qn_str t = s->docs[a].text;
    qn_map seen = { 0 };
    for (size_t i = 0; i < t.n; i++) {
        if (!(isupper((unsigned char)t.p[i]) || (unsigned char)t.p[i] >= 0xC3) || (i > 0 && !isspace((unsigned char)t.p[i - 1]) && !strchr("(\"'", t.p[i - 1]))) continue;
        size_t end = i, words = 0;
        while (words < 8 && end < t.n) {
            while (end < t.n && !isspace((unsigned char)t.p[end])) end++;
            size_t stop = end;
            while (stop > i && strchr(".,;:!?)\"'", t.p[stop - 1])) stop--;
            uint64_t *at = qn_map_get(&s->by_name, key_of(qn_str_sub(t, i, stop)));
            if (at && *at - 1 != a) {
                bool fresh;
                struct { uint64_t k; } k = { *at };
                qn_map_put(&seen, qn_hash(&k, sizeof k), &fresh);
                if (fresh) add_pair(s, a, (size_t)*at - 1, true, says(&s->docs[a], &s->docs[*at - 1]));
            }
            if (stop < end) break;      /* a mark ends the name */
            while (end < t.n && isspace((unsigned char)t.p[end])) end++;
            words++;
        }
    }
    qn_map_free(&seen);
}

static bool share_property(const doc *a, const doc *b)
{
    bool alike = (a->facts.person && b->facts.person) || (!a->facts.person && !b->facts.person && a->facts.kind.n && qn_str_eq(a->facts.kind, b->facts.kind));
    if (qn_kinds_akin(&a->facts, &b->facts) && !alike) return (a->name.n * 7 + b->name.n) % 16 == 0;     /* some, not to fill the set */
    if (alike && a->facts.nation.n && b->facts.nation.n) return true;
    for (size_t i = 0; alike && i < a->facts.n; i++)
        for (size_t j = 0; j < b->facts.n; j++) {
            const qn_fact *x = &a->facts.items[i], *y = &b->facts.items[j];
            if (x->property && y->property && x->about_main && y->about_main && strcmp(x->property, y->property) == 0 && qn_str_eq(x->unit, y->unit)) return true;
        }
    return false;
}

/* May one more of this kind be taken: is it no more than a quarter of the things? */
static bool room_for(const qn_map *kinds, qn_str kind, size_t n_things)
{
    const uint64_t *of = qn_map_get(kinds, key_of(kind));
    return !of || *of <= n_things / 4 + 2;
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *s = vs;
    (void)e;
    qn_rng r = qn_rng_keyed(cx->seed, cx->step, (qn_hash128){ 0, s->n });
    for (size_t a = 0; a < s->n; a++) find_mentions(s, a);
    qn_rng_shuffle(&r, s->pairs, s->n_pairs, sizeof *s->pairs);
    /* pairs whose bridge a plain fact carries come first, so that the built-in writer is not sent to the others */
    uint32_t *used = qn_zalloc((s->n + 1) * sizeof *used);
    pair *kept = qn_alloc((s->n_pairs + 1) * sizeof *kept);
    size_t n = 0;
    for (int likely = 1; likely >= 0; likely--)
        for (size_t i = 0; i < s->n_pairs; i++)
            if (s->pairs[i].likely == (likely == 1) && used[s->pairs[i].b] < (uint64_t)p->per_entity) { used[s->pairs[i].b]++; kept[n++] = s->pairs[i]; }
    qn_free(used);
    qn_free(s->pairs);
    s->pairs = kept;
    s->cap_pairs = s->n_pairs + 1;
    s->n_pairs = n;
    size_t want = p->comparison >= 1 ? n : (size_t)((double)n * p->comparison / (1 - p->comparison) + 0.5);
    if (p->comparison >= 1) { want = n > 100 ? n : 100; s->n_pairs = 0; }
    size_t max_pairs = s->n > 1 ? s->n * (s->n - 1) / 2 : 0;
    if (want > max_pairs) want = max_pairs;
    qn_map made = { 0 }, kinds = { 0 };
    size_t n_people = 0, n_things = 0, most = 200 * (size_t)s->n + 1000;
    for (size_t t = 0; s->n > 1 && want > 0 && t < most; t++) {
        struct { uint64_t a, b; } k = { qn_rng_below(&r, s->n), qn_rng_below(&r, s->n) };
        if (k.a == k.b || !s->docs[k.a].name.n || !s->docs[k.b].name.n || !share_property(&s->docs[k.a], &s->docs[k.b])) continue;
        bool people = s->docs[k.a].facts.person;
        if (t < most / 2 && (people ? n_people > n_things : n_things > n_people)) continue;     /* both in turn, while there are both */
        if (t < most / 2 && !people && !room_for(&kinds, s->docs[k.a].facts.kind, n_things)) continue;     /* and things of many kinds */
        if (k.a > k.b) { uint64_t x = k.a; k.a = k.b; k.b = x; }
        bool fresh;
        qn_map_put(&made, qn_hash(&k, sizeof k), &fresh);
        if (!fresh) continue;
        add_pair(s, k.a, k.b, false, true);
        if (people) n_people++;
        else { n_things++; bool new_kind; uint64_t *of = qn_map_put(&kinds, key_of(s->docs[k.a].facts.kind), &new_kind); *of = new_kind ? 1 : *of + 1; }
        want--;
    }
    qn_map_free(&made);
    qn_map_free(&kinds);
    qn_rng_shuffle(&r, s->pairs, s->n_pairs, sizeof *s->pairs);
    return QN_OK;
}

static qn_value passage(const doc *d, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_object_put(&o, QN_STR("title"), qn_v_text(d->title));
    qn_object_put(&o, QN_STR("text"), qn_v_text(d->text));
    return qn_object_end(&o);
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    state *s = vs;
    (void)vp, (void)e;
    *out = NULL;
    if (s->at >= s->n_pairs) return QN_OK;
    const pair *p = &s->pairs[s->at];
    const doc *a = &s->docs[p->a], *b = &s->docs[p->b];
    qn_row *r = qn_row_child(a->row, cx->step, p->bridge ? p->b : p->b + (uint32_t)s->n);
    qn_list_b l = { .a = cx->scratch };
    qn_list_put(&l, passage(a, cx->scratch));
    qn_list_put(&l, passage(b, cx->scratch));
    qn_row_set_text(r, "type", p->bridge ? QN_STR("bridge") : QN_STR("comparison"));
    qn_row_set_text(r, "seed", p->bridge ? b->name : a->facts.person ? QN_STR("person") : a->facts.kind);
    qn_row_add_licences(r, qn_row_licences(b->row));
    qn_row_set(r, QN_STR("passages"), qn_list_end(&l));
    qn_row_remove(r, QN_STR("text"));
    qn_row_remove(r, QN_STR("title"));
    qn_row_remove(r, QN_STR("_blocks"));
    s->at++;
    *out = r;
    return QN_OK;
}

const qn_op qn_op_pair_entities = {
    .name = "pair_entities", .version = 2, .stage = QN_GENERATE, .flags = QN_OP_MOVES,
    .brief = "pairs of documents that share an entity, for questions that need both",
    .paper = "Lupidi et al. 2024, Source2Synth",
    .writes = "type: text, seed: text, passages: [{title: text, text: text}]",
    .params = PARAMS, .params_size = sizeof(params),
    .open = open_state, .close = close_state, .absorb = absorb, .finish = finish, .next = next, .holds = holds, .lacks = lacks,
};
