/* yaml: libyaml's events to a tree. */
#include "data/yaml.h"
#include <yaml.h>

enum { MAX_DEPTH = 100, MAX_NODES = 2000000, MAX_BYTES = 10 << 20 };

typedef struct anchor { qn_str name; qn_ynode *node; size_t n_nodes; struct anchor *next; } anchor;
typedef struct { yaml_parser_t parser; qn_str text; const char *file; unsigned flags; qn_arena *a; size_t n_nodes; anchor *anchors; } reader;

static qn_pos pos_of(const reader *r, yaml_mark_t m)
{
    return (qn_pos){ .file = r->file, .line = (int)m.line + 1, .col = (int)m.column + 1 };
}

/* What to look at when libyaml says that it expected something else. */
static void hint_at(const reader *r, qn_err *e)
{
    const char *what = r->parser.problem ? r->parser.problem : "";
    int began = (int)r->parser.context_mark.line + 1;
    if (strstr(what, "mapping values are not allowed")) qn_hint(e, "a text that holds `: ` must stand in quotes or in a block (|)");
    else if (strstr(what, "cannot start any token")) qn_hint(e, "a tab, or one of @ ` %% in front of a word: indent with spaces, put such a text in quotes");
    else if (strstr(what, "',' or")) qn_hint(e, "the bracket opened in line %d wants a , or its end: } or ]", began);
    else if (strstr(what, "end of stream")) qn_hint(e, "a quote or a bracket opened in line %d is never closed", began);
    else if (strstr(what, "expected key") || strstr(what, "'-' indicator"))
        qn_hint(e, "indent this line as its neighbours are (what they belong to began in line %d); or a quote before it is not closed", began);
    else qn_hint(e, "look at what began in line %d; texts with : # { [ & * ! | > %% @ are safe in quotes", began);
}

static qn_code next_event(reader *r, yaml_event_t *ev, qn_err *e)
{
    if (yaml_parser_parse(&r->parser, ev)) return QN_OK;
    yaml_mark_t at = r->parser.problem_mark;
    qn_fail_at(e, QN_ERECIPE, pos_of(r, at), "not valid YAML: %s%s%s", r->parser.problem ? r->parser.problem : "unreadable",
               r->parser.context ? ", " : "", r->parser.context ? r->parser.context : "");
    hint_at(r, e);
    return QN_ERECIPE;
}

/* Where a scalar's text begins. A block's lines are moved in as its first one that is not empty. */
static qn_pos inner_pos(const reader *r, const yaml_event_t *ev, qn_pos pos)
{
    yaml_scalar_style_t style = ev->data.scalar.style;
    if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) { pos.col++; return pos; }
    if (style != YAML_LITERAL_SCALAR_STYLE && style != YAML_FOLDED_SCALAR_STYLE) return pos;
    const char *p = r->text.p, *end = p + r->text.n;
    for (int line = 0; p && p < end && line < pos.line; line++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (p) p++;
    }
    int indent = 0;
    while (p && p + indent < end && (p[indent] == ' ' || p[indent] == '\n')) {
        if (p[indent] == '\n') p += indent + 1, indent = 0;
        else indent++;
    }
    return (qn_pos){ .file = pos.file, .line = pos.line + 1, .col = indent + 1, .indent = indent };
}

static qn_code read_node(reader *r, yaml_event_t *ev, int depth, qn_ynode **out, qn_err *e);

static qn_code read_children(reader *r, qn_ynode *node, yaml_event_type_t end, int depth, qn_err *e)
{
    size_t cap = 0;
    qn_ynode **keys = NULL, **items = NULL;
    qn_code rc = QN_OK;
    for (;;) {
        yaml_event_t ev;
        QN_TRY_OUT(next_event(r, &ev, e));
        if (ev.type == end) { yaml_event_delete(&ev); break; }
        if (node->n == cap) {
            cap = cap ? cap * 2 : 8;
            items = qn_realloc(items, cap * sizeof *items);
            keys = qn_realloc(keys, cap * sizeof *keys);
        }
        if (node->kind == QN_Y_MAP) {
            QN_TRY_OUT(read_node(r, &ev, depth, &keys[node->n], e));
            qn_ynode *key = keys[node->n];
            if (key->kind != QN_Y_SCALAR) { rc = qn_fail_at(e, QN_ERECIPE, key->pos, "a key must be a word"); goto out; }
            for (size_t i = 0; i < node->n; i++)
                if (qn_str_eq(keys[i]->text, key->text)) {
                    rc = qn_fail_at(e, QN_ERECIPE, key->pos, "`%.*s` stands twice here", QN_FMT(key->text));
                    qn_hint(e, "the first one is in line %d", keys[i]->pos.line);
                    goto out;
                }
            QN_TRY_OUT(next_event(r, &ev, e));
        }
        QN_TRY_OUT(read_node(r, &ev, depth, &items[node->n], e));
        node->n++;
    }
    node->items = qn_arena_alloc(r->a, node->n * sizeof *items + 1);
    node->keys = qn_arena_alloc(r->a, node->n * sizeof *keys + 1);
    if (node->n) {
        memcpy(node->items, items, node->n * sizeof *items);
        memcpy(node->keys, keys, node->n * sizeof *keys);
    }
out:
    qn_free(items);
    qn_free(keys);
    return rc;
}

static qn_code use_alias(reader *r, const char *name, qn_pos pos, qn_ynode **out, qn_err *e)
{
    for (anchor *k = r->anchors; k; k = k->next) {
        if (!qn_str_is(k->name, name)) continue;
        if (!k->node) return qn_fail_at(e, QN_ERECIPE, pos, "the alias *%s stands inside itself", name);
        r->n_nodes += k->n_nodes;       /* as if it were written out: an alias bomb reaches the limit */
        *out = k->node;
        return r->n_nodes > MAX_NODES ? qn_fail_at(e, QN_ELIMIT, pos, "more than %d nodes with aliases written out", MAX_NODES) : QN_OK;
    }
    return qn_fail_at(e, QN_ERECIPE, pos, "the alias *%s has no anchor", name);
}

/* Consumes the event. */
static qn_code read_node(reader *r, yaml_event_t *ev, int depth, qn_ynode **out, qn_err *e)
{
    qn_pos pos = pos_of(r, ev->start_mark);
    const char *name = NULL;
    qn_code rc = QN_OK;
    qn_ynode *node = QN_ARENA_NEW(r->a, qn_ynode);
    anchor *mine = NULL;
    size_t before = r->n_nodes;
    *out = node;
    node->pos = pos;
    if (depth > MAX_DEPTH) { rc = qn_fail_at(e, QN_ELIMIT, pos, "nested deeper than %d levels", MAX_DEPTH); goto out; }
    if (++r->n_nodes > MAX_NODES) { rc = qn_fail_at(e, QN_ELIMIT, pos, "more than %d nodes", MAX_NODES); goto out; }
    switch (ev->type) {
    case YAML_ALIAS_EVENT:
        if (!(r->flags & QN_YAML_ALIASES)) {
            rc = qn_fail_at(e, QN_ERECIPE, pos, "aliases (*name) are not allowed here");
            qn_hint(e, "write it out; a text that begins with * stands in quotes");
        } else rc = use_alias(r, (const char *)ev->data.alias.anchor, pos, out, e);
        goto out;
    case YAML_SCALAR_EVENT:
        name = (const char *)ev->data.scalar.anchor;
        node->kind = QN_Y_SCALAR;
        node->text = qn_arena_str(r->a, (qn_str){ (const char *)ev->data.scalar.value, ev->data.scalar.length });
        node->inner = inner_pos(r, ev, pos);
        node->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        break;
    case YAML_SEQUENCE_START_EVENT: node->kind = QN_Y_LIST; name = (const char *)ev->data.sequence_start.anchor; break;
    case YAML_MAPPING_START_EVENT:  node->kind = QN_Y_MAP;  name = (const char *)ev->data.mapping_start.anchor; break;
    default: rc = qn_fail_at(e, QN_ERECIPE, pos, "something is missing here"); goto out;
    }
    if (name) {
        mine = QN_ARENA_NEW(r->a, anchor);
        mine->name = qn_arena_str(r->a, qn_str_of(name));
        mine->next = r->anchors;
        r->anchors = mine;
    }
    if (node->kind != QN_Y_SCALAR)
        rc = read_children(r, node, node->kind == QN_Y_LIST ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT, depth + 1, e);
    if (mine) {
        mine->node = node;
        mine->n_nodes = r->n_nodes - before;
    }
out:
    yaml_event_delete(ev);
    return rc;
}

static qn_code read_document(reader *r, qn_ynode **out, qn_err *e)
{
    yaml_event_t ev;
    *out = NULL;
    for (;;) {
        QN_TRY(next_event(r, &ev, e));
        yaml_event_type_t type = ev.type;
        qn_pos pos = pos_of(r, ev.start_mark);
        if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_END_EVENT) { yaml_event_delete(&ev); continue; }
        if (type == YAML_STREAM_END_EVENT) { yaml_event_delete(&ev); break; }
        if (type == YAML_DOCUMENT_START_EVENT) {
            yaml_event_delete(&ev);
            if (*out) {
                qn_fail_at(e, QN_ERECIPE, pos, "a second document begins here, one is expected");
                qn_hint(e, "leave out the line ---, or keep the second one in a file of its own");
                return QN_ERECIPE;
            }
            continue;
        }
        QN_TRY(read_node(r, &ev, 0, out, e));
    }
    if (!*out) {
        *out = QN_ARENA_NEW(r->a, qn_ynode);
        (*out)->kind = QN_Y_MAP;
        (*out)->pos = (qn_pos){ .file = r->file, .line = 1, .col = 1 };
    }
    return QN_OK;
}

qn_code qn_yaml_parse(qn_str text, const char *file, unsigned flags, qn_arena *a, qn_ynode **out, qn_err *e)
{
    reader r = { .text = text, .file = file, .flags = flags, .a = a };
    if (text.n > MAX_BYTES) return qn_fail_at(e, QN_ELIMIT, (qn_pos){ .file = file }, "larger than %d MB", MAX_BYTES >> 20);
    if (!yaml_parser_initialize(&r.parser)) return qn_fail(e, QN_ELIMIT, "out of memory");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    qn_code rc = read_document(&r, out, e);
    yaml_parser_delete(&r.parser);
    return rc;
}

qn_ynode *qn_yaml_get(const qn_ynode *map, const char *key)
{
    if (!map || map->kind != QN_Y_MAP) return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (qn_str_is(map->keys[i]->text, key)) return map->items[i];
    return NULL;
}

static bool inside(qn_str s, const char *place) { return s.p && place >= s.p && place <= s.p + s.n; }

static qn_pos moved(const qn_ynode *node, const char *place)
{
    qn_pos pos = node->inner.line ? node->inner : node->pos;
    for (const char *c = node->text.p; c < place; c++) {
        if (*c == '\n') { pos.line++; pos.col = 1 + pos.indent; }
        else pos.col += ((unsigned char)*c & 0xC0) != 0x80;
    }
    return pos;
}

qn_pos qn_yaml_pos_of(const qn_ynode *tree, const char *place, qn_pos otherwise)
{
    if (!tree || !place) return otherwise;
    if (tree->kind == QN_Y_SCALAR) return inside(tree->text, place) ? moved(tree, place) : otherwise;
    for (size_t i = 0; i < tree->n; i++) {
        if (tree->kind == QN_Y_MAP && inside(tree->keys[i]->text, place)) return moved(tree->keys[i], place);
        qn_pos found = qn_yaml_pos_of(tree->items[i], place, (qn_pos){0});
        if (found.line) return found;
    }
    return otherwise;
}

static qn_value scalar_value(const qn_ynode *node)
{
    qn_str s = node->text;
    int64_t i;
    double d;
    if (node->quoted) return qn_v_text(s);
    if (s.n == 0 || qn_str_is(s, "~") || qn_str_is(s, "null")) return qn_v_null();
    if (qn_str_is(s, "true")) return qn_v_bool(true);
    if (qn_str_is(s, "false")) return qn_v_bool(false);
    bool plain = s.p[0] == '-' ? s.n > 1 && (s.p[1] != '0' || s.n == 2 || s.p[2] == '.') : s.p[0] != '0' || s.n == 1 || s.p[1] == '.';
    if (plain && s.p[0] != '+' && qn_str_to_i64(s, &i)) return qn_v_int(i);
    if (plain && s.p[0] != '+' && s.p[0] != '.' && qn_str_to_f64(s, &d)) return qn_v_real(d);
    return qn_v_text(s);
}

qn_value qn_yaml_value(const qn_ynode *node, qn_arena *a)
{
    if (node->kind == QN_Y_SCALAR) return scalar_value(node);
    if (node->kind == QN_Y_LIST) {
        qn_value *items = qn_arena_alloc(a, node->n * sizeof *items + 1);
        for (size_t i = 0; i < node->n; i++) items[i] = qn_yaml_value(node->items[i], a);
        return qn_v_list(items, node->n);
    }
    qn_field *fields = qn_arena_alloc(a, node->n * sizeof *fields + 1);
    for (size_t i = 0; i < node->n; i++) fields[i] = (qn_field){ node->keys[i]->text, qn_yaml_value(node->items[i], a) };
    return qn_v_object(fields, node->n);
}
