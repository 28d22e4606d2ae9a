/* expr_fn: the table of functions, and those about any value. The table is also the help page and the rules of the type check. */
#include "recipe/expr_fns.h"
#include <stdio.h>

/* ROW(name, what comes in, (arguments), what comes out, rule for its type, arguments see, pattern, one, kind, code, line of help)
 * Types are those of data/type.h joined by `|`; an argument called f is an expression evaluated for each item (1), entry (2) or the input (0). */
#define FUNCTIONS(ROW) \
    ROW("length", "null|number|text|list|object", "", "int", NUMBER, 0, -1, true, strict, length, "characters of a text, items of a list, fields of an object, size of a number, 0 of null") \
    ROW("utf8bytelength", "text", "", "int", TYPE, 0, -1, true, strict, bytes, "bytes of a text") \
    ROW("words", "text", "", "int", TYPE, 0, -1, true, strict, words, "how many words, cut at white space") \
    ROW("lines", "text", "", "[text]", TYPE, 0, -1, true, strict, lines, "the lines of a text, without their ends") \
    ROW("not", "any", "", "bool", TYPE, 0, -1, true, strict, not, "true for null and false, false for the rest") \
    ROW("type", "any", "", "text", TYPE, 0, -1, true, strict, type, "null, boolean, number, string, array or object, as jq names them") \
    ROW("tostring", "any", "", "text", TYPE, 0, -1, true, strict, tostring, "a text as it is, the rest as JSON") \
    ROW("tonumber", "text|number", "", "number", TYPE, 0, -1, true, strict, tonumber, "the number that a text writes") \
    ROW("tojson", "any", "", "text", TYPE, 0, -1, true, strict, tojson, "the value as JSON") \
    ROW("fromjson", "text", "", "any", TYPE, 0, -1, true, strict, fromjson, "the value that JSON text writes") \
    ROW("keys", "object|list", "", "list", TYPE, 0, -1, true, strict, keys, "names of the fields, sorted; numbers of the items") \
    ROW("keys_unsorted", "object|list", "", "list", TYPE, 0, -1, true, strict, keys_unsorted, "names of the fields in their order") \
    ROW("has", "object|list|null", "(text|number)", "bool", TYPE, 0, -1, true, strict, has, "whether there is a field of this name or an item of this number") \
    ROW("in", "text|number", "(object|list)", "bool", TYPE, 0, -1, true, strict, in, "whether the name or number is in the object or list") \
    ROW("contains", "any", "(any)", "bool", TYPE, 0, -1, true, strict, contains, "whether all of the argument is in the input: part of a text, items, fields") \
    ROW("inside", "any", "(any)", "bool", TYPE, 0, -1, true, strict, inside, "whether all of the input is in the argument") \
    ROW("getpath", "any", "(list)", "any", TYPE, 0, -1, true, strict, getpath, "the value at a path such as [\"a\", 0, \"b\"], null when it is not there") \
    ROW("empty", "any", "", "any", NOTHING, 0, -1, false, lazy, empty, "no result") \
    ROW("error", "any", "", "any", NOTHING, 0, -1, false, lazy, error, "fails with the input as the message: the row fails") \
    ROW("error", "any", "(text)", "any", NOTHING, 0, -1, false, lazy, error_text, "fails with this message: the row fails") \
    ROW("select", "any", "(f)", "any", SAME, 0, -1, false, lazy, select, "the input when f is true, else no result") \
    ROW("values", "any", "", "any", VALUES, 0, -1, false, lazy, kinds, "the input unless it is null") \
    ROW("nulls", "any", "", "null", TYPE, 0, -1, false, lazy, kinds, "the input when it is null") \
    ROW("booleans", "any", "", "bool", TYPE, 0, -1, false, lazy, kinds, "the input when it is a bool") \
    ROW("numbers", "any", "", "number", TYPE, 0, -1, false, lazy, kinds, "the input when it is a number") \
    ROW("strings", "any", "", "text", TYPE, 0, -1, false, lazy, kinds, "the input when it is a text") \
    ROW("arrays", "any", "", "list", TYPE, 0, -1, false, lazy, kinds, "the input when it is a list") \
    ROW("objects", "any", "", "object", TYPE, 0, -1, false, lazy, kinds, "the input when it is an object") \
    ROW("iterables", "any", "", "any", TYPE, 0, -1, false, lazy, kinds, "the input when it is a list or an object") \
    ROW("scalars", "any", "", "any", TYPE, 0, -1, false, lazy, kinds, "the input when it is neither list nor object") \
    \
    ROW("map", "list|object", "(f)", "list", LIST_F, 1, -1, true, lazy_one, map, "a list of what f gives for each item") \
    ROW("map_values", "list|object", "(f)", "any", VALUES_F, 1, -1, true, lazy_one, map_values, "each value replaced by the first result of f, or dropped") \
    ROW("add", "list|object", "", "any", ADD, 0, -1, true, strict, add, "all items added up: sum, joined text, joined list; null of none") \
    ROW("add", "any", "(f)", "any", F, 0, -1, true, lazy_one, add_f, "all results of f added up") \
    ROW("any", "list|object", "", "bool", TYPE, 0, -1, true, strict, any, "whether an item is true") \
    ROW("any", "list|object", "(f)", "bool", TYPE, 1, -1, true, lazy_one, any_f, "whether f is true for an item") \
    ROW("any", "any", "(f; f)", "bool", TYPE, 3, -1, true, lazy_one, any_of, "whether the second f is true for a result of the first") \
    ROW("all", "list|object", "", "bool", TYPE, 0, -1, true, strict, all, "whether all items are true") \
    ROW("all", "list|object", "(f)", "bool", TYPE, 1, -1, true, lazy_one, all_f, "whether f is true for all items") \
    ROW("all", "any", "(f; f)", "bool", TYPE, 3, -1, true, lazy_one, all_of, "whether the second f is true for all results of the first") \
    ROW("min", "list", "", "any", ITEM, 0, -1, true, strict, min, "the smallest item, null of none") \
    ROW("max", "list", "", "any", ITEM, 0, -1, true, strict, max, "the largest item, null of none") \
    ROW("min_by", "list", "(f)", "any", ITEM, 1, -1, true, lazy_one, min_by, "the item with the smallest f") \
    ROW("max_by", "list", "(f)", "any", ITEM, 1, -1, true, lazy_one, max_by, "the item with the largest f") \
    ROW("sort", "list", "", "list", LIST_ITEMS, 0, -1, true, strict, sort, "items in order: null, false, true, numbers, texts, lists, objects") \
    ROW("sort_by", "list", "(f)", "list", LIST_ITEMS, 1, -1, true, lazy_one, sort_by, "items in the order of f; equals keep their places") \
    ROW("group_by", "list", "(f)", "list", GROUPS, 1, -1, true, lazy_one, group_by, "lists of items with equal f, in the order of f") \
    ROW("unique", "list", "", "list", LIST_ITEMS, 0, -1, true, strict, unique, "items sorted, each once") \
    ROW("unique_by", "list", "(f)", "list", LIST_ITEMS, 1, -1, true, lazy_one, unique_by, "the first item of each f, in the order of f") \
    ROW("reverse", "list|text|null", "", "any", SAME, 0, -1, true, strict, reverse, "the other way round") \
    ROW("first", "list|null", "", "any", ITEM, 0, -1, true, strict, first, "the first item, null of none") \
    ROW("first", "any", "(f)", "any", F, 0, -1, false, lazy, first_f, "the first result of f") \
    ROW("last", "list|null", "", "any", ITEM, 0, -1, true, strict, last, "the last item, null of none") \
    ROW("last", "any", "(f)", "any", F, 0, -1, false, lazy, last_f, "the last result of f") \
    ROW("nth", "list|null", "(number)", "any", ITEM, 0, -1, true, strict, nth, "the item of this number, from 0") \
    ROW("nth", "any", "(number; f)", "any", F, 0, -1, false, lazy, nth_f, "the result of f of this number, from 0") \
    ROW("range", "any", "(number)", "number", TYPE, 0, -1, false, lazy, range, "0, 1, ... up to but without the number") \
    ROW("range", "any", "(number; number)", "number", TYPE, 0, -1, false, lazy, range, "from the first up to but without the second") \
    ROW("range", "any", "(number; number; number)", "number", TYPE, 0, -1, false, lazy, range, "from, to, step") \
    ROW("limit", "any", "(number; f)", "any", F, 0, -1, false, lazy, limit, "the first results of f, so many") \
    ROW("skip", "any", "(number; f)", "any", F, 0, -1, false, lazy, skip, "the results of f behind the first so many") \
    ROW("isempty", "any", "(f)", "bool", TYPE, 0, -1, true, lazy_one, isempty, "whether f gives no result") \
    ROW("flatten", "list|object", "", "list", FLATTEN, 0, -1, true, strict, flatten, "lists within the list are opened, at every depth") \
    ROW("flatten", "list|object", "(number)", "list", TYPE, 0, -1, true, strict, flatten, "lists within the list are opened, so many levels") \
    ROW("transpose", "list", "", "list", TYPE, 0, -1, true, strict, transpose, "rows become columns") \
    ROW("to_entries", "object|list", "", "list", ENTRIES, 0, -1, true, strict, to_entries, "a list of {key, value}, by name or number") \
    ROW("from_entries", "list", "", "object", TYPE, 0, -1, true, strict, from_entries, "an object from a list of {key, value} (or name, k, v)") \
    ROW("with_entries", "object|list", "(f)", "object", TYPE, 2, -1, true, lazy_one, with_entries, "to_entries, f on each, from_entries") \
    ROW("del", "any", "(f)", "any", DEL, 0, -1, true, lazy_one, del, "without what the paths name: del(.a, .b[0])") \
    ROW("join", "list", "(text)", "text", TYPE, 0, -1, true, strict, join, "items as one text with this between; null is empty") \
    \
    ROW("floor", "number", "", "int", TYPE, 0, -1, true, strict, math, "the next integer below") \
    ROW("ceil", "number", "", "int", TYPE, 0, -1, true, strict, math, "the next integer above") \
    ROW("round", "number", "", "int", TYPE, 0, -1, true, strict, math, "the nearest integer, halves away from zero") \
    ROW("trunc", "number", "", "int", TYPE, 0, -1, true, strict, math, "without what is behind the point") \
    ROW("sqrt", "number", "", "real", TYPE, 0, -1, true, strict, math, "square root") \
    ROW("log", "number", "", "real", TYPE, 0, -1, true, strict, math, "natural logarithm") \
    ROW("log2", "number", "", "real", TYPE, 0, -1, true, strict, math, "logarithm to base 2") \
    ROW("log10", "number", "", "real", TYPE, 0, -1, true, strict, math, "logarithm to base 10") \
    ROW("exp", "number", "", "real", TYPE, 0, -1, true, strict, math, "e to the power of the input") \
    ROW("exp2", "number", "", "real", TYPE, 0, -1, true, strict, math, "2 to the power of the input") \
    ROW("exp10", "number", "", "real", TYPE, 0, -1, true, strict, math, "10 to the power of the input") \
    ROW("abs", "number", "", "number", SAME, 0, -1, true, strict, abs, "without its sign") \
    ROW("fabs", "number", "", "number", SAME, 0, -1, true, strict, abs, "without its sign") \
    ROW("pow", "any", "(number; number)", "number", TYPE, 0, -1, true, strict, pow, "the first to the power of the second; an integer when it is one of 64 bits") \
    \
    ROW("split", "text", "(text)", "[text]", TYPE, 0, -1, true, strict, split, "pieces between the separators") \
    ROW("split", "text", "(text; flags)", "[text]", TYPE, 0, 0, true, strict, split_regex, "pieces between the matches of a pattern") \
    ROW("splits", "text", "(text)", "text", TYPE, 0, 0, false, lazy, splits, "each piece between the matches of a pattern") \
    ROW("splits", "text", "(text; flags)", "text", TYPE, 0, 0, false, lazy, splits, "each piece between the matches of a pattern") \
    ROW("ltrimstr", "any", "(any)", "any", SAME, 0, -1, true, strict, ltrimstr, "without this beginning") \
    ROW("rtrimstr", "any", "(any)", "any", SAME, 0, -1, true, strict, rtrimstr, "without this end") \
    ROW("trim", "text", "", "text", TYPE, 0, -1, true, strict, trim, "without white space at both ends") \
    ROW("ltrim", "text", "", "text", TYPE, 0, -1, true, strict, trim, "without white space at the beginning") \
    ROW("rtrim", "text", "", "text", TYPE, 0, -1, true, strict, trim, "without white space at the end") \
    ROW("startswith", "text", "(text)", "bool", TYPE, 0, -1, true, strict, startswith, "whether it begins so") \
    ROW("endswith", "text", "(text)", "bool", TYPE, 0, -1, true, strict, endswith, "whether it ends so") \
    ROW("index", "text|list|null", "(any)", "int?", TYPE, 0, -1, true, strict, index, "where it first occurs (in characters), null when it does not") \
    ROW("rindex", "text|list|null", "(any)", "int?", TYPE, 0, -1, true, strict, rindex, "where it last occurs, null when it does not") \
    ROW("indices", "text|list|null", "(any)", "list", TYPE, 0, -1, true, strict, indices, "everywhere it occurs") \
    ROW("ascii_downcase", "text", "", "text", TYPE, 0, -1, true, strict, downcase, "A to Z become small") \
    ROW("ascii_upcase", "text", "", "text", TYPE, 0, -1, true, strict, upcase, "a to z become capital") \
    ROW("explode", "text", "", "[int]", TYPE, 0, -1, true, strict, explode, "code points of a text") \
    ROW("implode", "list", "", "text", TYPE, 0, -1, true, strict, implode, "the text of code points") \
    ROW("test", "text", "(text)", "bool", TYPE, 0, 0, true, strict, test, "whether a pattern matches") \
    ROW("test", "text", "(text; flags)", "bool", TYPE, 0, 0, true, strict, test, "whether a pattern matches; flags i x s n g") \
    ROW("match", "text", "(text)", "{offset: int, length: int, string: text, captures: list}", TYPE, 0, 0, false, lazy, match, "the first match: offset, length, string, captures") \
    ROW("match", "text", "(text; flags)", "{offset: int, length: int, string: text, captures: list}", TYPE, 0, 0, false, lazy, match, "matches (flag g: all)") \
    ROW("capture", "text", "(text)", "object", TYPE, 0, 0, false, lazy, capture, "named groups of the first match as an object") \
    ROW("capture", "text", "(text; flags)", "object", TYPE, 0, 0, false, lazy, capture, "named groups of the matches") \
    ROW("scan", "text", "(text)", "any", TYPE, 0, 0, false, lazy, scan, "each match: its text, or the list of its groups") \
    ROW("scan", "text", "(text; flags)", "any", TYPE, 0, 0, false, lazy, scan, "each match: its text, or the list of its groups") \
    ROW("sub", "text", "(text; f)", "text", TYPE, 4, 0, true, lazy_one, sub, "the first match replaced by f, which sees the named groups") \
    ROW("sub", "text", "(text; f; flags)", "text", TYPE, 4, 0, true, lazy_one, sub, "matches replaced by f (flag g: all)") \
    ROW("gsub", "text", "(text; f)", "text", TYPE, 4, 0, true, lazy_one, gsub, "every match replaced by f, which sees the named groups") \
    ROW("gsub", "text", "(text; f; flags)", "text", TYPE, 4, 0, true, lazy_one, gsub, "every match replaced by f") \
    ROW("@text", "any", "", "text", TYPE, 0, -1, true, strict, format, "as tostring") \
    ROW("@json", "any", "", "text", TYPE, 0, -1, true, strict, format, "as tojson; @json \"a \\(.x)\" formats the holes of a text") \
    ROW("@csv", "list", "", "text", TYPE, 0, -1, true, strict, format, "a list as one line of CSV") \
    ROW("@tsv", "list", "", "text", TYPE, 0, -1, true, strict, format, "a list as one line of TSV") \
    ROW("@html", "any", "", "text", TYPE, 0, -1, true, strict, format, "< > & ' \" escaped for HTML") \
    ROW("@uri", "any", "", "text", TYPE, 0, -1, true, strict, format, "percent-encoded for a URL") \
    ROW("@sh", "any", "", "text", TYPE, 0, -1, true, strict, format, "quoted for a shell") \
    ROW("@base64", "any", "", "text", TYPE, 0, -1, true, strict, format, "base64") \
    ROW("@base64d", "any", "", "text", TYPE, 0, -1, true, strict, format, "base64 decoded; bytes that are no UTF-8 become U+FFFD")

#define SIGNATURE(name, takes, args, gives) name args "  " takes " -> " gives
#define FN(name_, takes_, args_, gives_, rule, items, pattern, one_, kind, code, brief_) \
    { .name = name_, .takes = takes_, .args = args_, .gives = gives_, .signature = SIGNATURE(name_, takes_, args_, gives_), .brief = brief_, \
      .result = QN_XR_##rule, .about_items = items, .regex = pattern, .one = one_, .kind = qn_xf_##code },
#define HELP(name_, takes_, args_, gives_, rule, items, pattern, one_, kind, code, brief_) \
    { name_, SIGNATURE(name_, takes_, args_, gives_), brief_ },

static const qn_xfn TABLE[] = { FUNCTIONS(FN) };
const qn_expr_fn qn_expr_functions[] = { FUNCTIONS(HELP) { NULL, NULL, NULL } };
enum { N_TABLE = sizeof TABLE / sizeof *TABLE };

static size_t count_args(const qn_xfn *fn)
{
    size_t n = *fn->args != 0;
    for (const char *c = fn->args; *c; c++) n += *c == ';';
    return n;
}

const qn_xfn *qn_x_fn_find(qn_str name, size_t n_args)
{
    for (size_t i = 0; i < N_TABLE; i++)
        if (qn_str_is(name, TABLE[i].name) && count_args(&TABLE[i]) == n_args) return &TABLE[i];
    return NULL;
}

bool qn_x_fn_args(qn_str name, char *out, size_t size)
{
    size_t n = 0, last = 0, counts = 0;
    for (size_t i = 0; i < N_TABLE; i++) {
        if (!qn_str_is(name, TABLE[i].name)) continue;
        last = count_args(&TABLE[i]);
        if (n < size) n += (size_t)snprintf(out + n, size - n, "%s%zu", counts++ ? " or " : "", last);
    }
    if (counts && n < size) snprintf(out + n, size - n, " argument%s", last == 1 ? "" : "s");
    return counts > 0;
}

const char *qn_x_fn_nearest(qn_str name)
{
    const char *names[N_TABLE];
    for (size_t i = 0; i < N_TABLE; i++) names[i] = TABLE[i].name;
    return qn_nearest(name, names, N_TABLE);
}

/* ---- about any value ---- */
qn_code qn_xf_length(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    switch (in.kind) {
    case QN_V_NULL: *out = qn_v_int(0); return QN_OK;
    case QN_V_TEXT: *out = qn_v_int((int64_t)qn_utf8_count(qn_v_str(in))); return QN_OK;
    case QN_V_LIST: case QN_V_OBJECT: *out = qn_v_int(in.n); return QN_OK;
    case QN_V_BOOL: return qn_x_fail(ev, n, "bool has no length");
    default: return qn_xf_abs(ev, n, in, arg, out);
    }
}

static qn_code want_text(qn_xeval *ev, const qn_xnode *n, qn_value v)
{
    if (v.kind == QN_V_TEXT) return QN_OK;
    qn_str shown = qn_x_show(ev, v);
    return qn_x_fail(ev, n, "a text is needed, not %s (%.*s)", qn_v_kind_name(v), QN_FMT(shown));
}

qn_code qn_xf_bytes(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)arg;
    QN_TRY(want_text(ev, n, in));
    *out = qn_v_int(in.n);
    return QN_OK;
}

qn_code qn_xf_not(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)ev; (void)n; (void)arg;
    *out = qn_v_bool(!qn_v_true(in));
    return QN_OK;
}

qn_code qn_xf_type(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    static const char *const names[] = { "null", "boolean", "number", "number", "number", "string", "array", "object" };
    (void)ev; (void)n; (void)arg;
    *out = qn_v_text(qn_str_of(names[in.kind]));
    return QN_OK;
}

qn_code qn_xf_tostring(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)arg;
    *out = qn_x_text(ev, in);
    return qn_x_room(ev, n, 0);
}

qn_code qn_xf_tojson(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_buf b = {0};
    (void)arg;
    qn_json_write(&b, in);
    *out = qn_v_text(qn_arena_str(ev->a, qn_buf_view(&b)));
    qn_buf_free(&b);
    return qn_x_room(ev, n, 0);
}

qn_code qn_xf_tonumber(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)arg;
    if (qn_v_is_number(in)) { *out = in; return QN_OK; }
    QN_TRY(want_text(ev, n, in));
    qn_str s = qn_str_trim(qn_v_str(in));
    int64_t i;
    double d;
    uint64_t u = 0;
    bool digits = s.n > 0;
    if (qn_str_to_i64(s, &i)) { *out = qn_v_int(i); return QN_OK; }
    for (size_t k = 0; k < s.n && digits; k++)
        digits = s.p[k] >= '0' && s.p[k] <= '9' && !__builtin_mul_overflow(u, 10u, &u) && !__builtin_add_overflow(u, (uint64_t)(s.p[k] - '0'), &u);
    if (digits) { *out = (qn_value){ .kind = QN_V_UINT, .u = u }; return QN_OK; }
    if (qn_str_to_f64(s, &d)) { *out = qn_v_real(d); return QN_OK; }
    qn_str shown = qn_x_show(ev, in);
    return qn_x_fail(ev, n, "%.*s is no number", QN_FMT(shown));
}

qn_code qn_xf_fromjson(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)arg;
    QN_TRY(want_text(ev, n, in));
    QN_TRY(qn_x_room(ev, n, (uint64_t)in.n * 2));
    qn_err inner;
    if (qn_json_parse(qn_v_str(in), ev->a, out, &inner) == QN_OK) return QN_OK;
    return qn_x_fail(ev, n, "no JSON: %s", inner.msg);
}

qn_code qn_xf_has(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_value v;
    if (in.kind == QN_V_NULL) { *out = qn_v_bool(false); return QN_OK; }
    if (in.kind == QN_V_OBJECT && arg->kind == QN_V_TEXT) { *out = qn_v_bool(qn_v_get(in, qn_v_str(*arg), &v)); return QN_OK; }
    if (in.kind == QN_V_LIST && qn_v_is_number(*arg)) {
        double d = qn_v_number(*arg);
        *out = qn_v_bool(d >= 0 && d < in.n);
        return QN_OK;
    }
    return qn_x_fail(ev, n, "it cannot be asked whether %s has %s", qn_v_kind_name(in), qn_v_kind_name(*arg));
}

qn_code qn_xf_in(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    return qn_xf_has(ev, n, *arg, &in, out);
}

static qn_code contains(qn_xeval *ev, const qn_xnode *n, qn_value x, qn_value y, bool *yes)
{
    qn_value a, b;
    qn_str name;
    QN_TRY(qn_x_spend(ev, n, 1));
    *yes = false;
    if (x.kind == QN_V_TEXT && y.kind == QN_V_TEXT) {
        *yes = qn_str_find(qn_v_str(x), qn_v_str(y)) >= 0;
    } else if (x.kind == QN_V_OBJECT && y.kind == QN_V_OBJECT) {
        for (qn_v_iter it = qn_v_iter_of(y); qn_v_next(&it, &name, &b);) {
            if (!qn_v_get(x, name, &a)) return QN_OK;
            QN_TRY(contains(ev, n, a, b, yes));
            if (!*yes) return QN_OK;
        }
        *yes = true;
    } else if (x.kind == QN_V_LIST && y.kind == QN_V_LIST) {
        for (qn_v_iter it = qn_v_iter_of(y); qn_v_next(&it, NULL, &b);) {
            bool found = false;
            for (qn_v_iter jt = qn_v_iter_of(x); !found && qn_v_next(&jt, NULL, &a);) QN_TRY(contains(ev, n, a, b, &found));
            if (!found) return QN_OK;
        }
        *yes = true;
    } else {
        *yes = qn_v_eq(x, y);
    }
    return QN_OK;
}

qn_code qn_xf_contains(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    bool yes;
    if (in.kind != arg->kind && !(qn_v_is_number(in) && qn_v_is_number(*arg)))
        return qn_x_fail(ev, n, "it cannot be asked whether %s contains %s", qn_v_kind_name(in), qn_v_kind_name(*arg));
    QN_TRY(contains(ev, n, in, *arg, &yes));
    *out = qn_v_bool(yes);
    return QN_OK;
}

qn_code qn_xf_inside(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    return qn_xf_contains(ev, n, *arg, &in, out);
}

qn_code qn_xf_getpath(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_value at;
    if (arg->kind != QN_V_LIST) return qn_x_fail(ev, n, "a path is a list, not %s", qn_v_kind_name(*arg));
    for (qn_v_iter it = qn_v_iter_of(*arg); in.kind != QN_V_NULL && qn_v_next(&it, NULL, &at);) QN_TRY(qn_x_index(ev, n, in, at, &in));
    *out = in;
    return QN_OK;
}

/* ---- lazy ---- */
qn_code qn_xf_empty(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    (void)ev; (void)n; (void)in; (void)k; (void)arg;
    return QN_OK;
}

qn_code qn_xf_error(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    (void)k; (void)arg;
    qn_str s = qn_v_str(qn_x_text(ev, in));
    return qn_fail_at(ev->e, QN_EDATA, qn_x_pos(ev->x, n->from), "%.*s", (int)qn_utf8_cut(s, 300), s.p);
}

qn_code qn_xf_error_text(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    qn_value v;
    bool any;
    QN_TRY(qn_x_first(ev, n->kid[0], in, &v, &any));
    return any ? qn_xf_error(ev, n, v, k, arg) : QN_OK;
}

typedef struct { qn_value in; qn_xsink k; void *arg; } selecting;

static qn_code select_when(void *arg, qn_value v)
{
    selecting *s = arg;
    return qn_v_true(v) ? s->k(s->arg, s->in) : QN_OK;
}

qn_code qn_xf_select(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    selecting s = { in, k, arg };
    return qn_x_each(ev, n->kid[0], in, select_when, &s);
}

qn_code qn_xf_kinds(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    bool list = in.kind == QN_V_LIST, object = in.kind == QN_V_OBJECT, yes;
    (void)ev;
    switch (n->fn->name[0]) {
    case 'v': yes = in.kind != QN_V_NULL; break;
    case 'n': yes = n->fn->name[2] == 'l' ? in.kind == QN_V_NULL : qn_v_is_number(in); break;
    case 'b': yes = in.kind == QN_V_BOOL; break;
    case 's': yes = n->fn->name[1] == 't' ? in.kind == QN_V_TEXT : !list && !object; break;
    case 'a': yes = list; break;
    case 'o': yes = object; break;
    default:  yes = list || object; break;
    }
    return yes ? k(arg, in) : QN_OK;
}
