/* reply_json: the JSON that a model's reply is meant to hold. Strict JSON first; then a reader that forgives what models write: code fences, words
 * around, single or curly quotes, bare names, trailing commas, comments, Python's True/False/None, raw line breaks and stray backslashes in texts.
 * It never invents: a value that the text ends within is not closed by guess but reported as cut. */
#include "recipe/schema.h"
#include <math.h>

enum { MAX_DEPTH = 100, MAX_CANDIDATES = 200, MAX_TEXT = 32 << 20 };

typedef enum { READ, CUT, BROKEN } result;
typedef struct {
    qn_str    text;
    size_t    at;
    qn_arena *a;
    int       depth;
    bool      mended;           /* something was forgiven */
    size_t    work;             /* characters that may still be read, over all candidates */
} reader;

static result read_value(reader *r, qn_value *out);

static char look(const reader *r, size_t k) { return r->at + k < r->text.n ? r->text.p[r->at + k] : 0; }
static bool ahead(const reader *r, const char *z) { return qn_str_starts(qn_str_sub(r->text, r->at, r->text.n), qn_str_of(z)); }
static bool is_name_char(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || (c & 0x80); }

static result skip(reader *r)                                       /* white space and comments */
{
    for (;;) {
        char c = look(r, 0);
        if (r->at >= r->text.n) return CUT;
        if (c == ' ' || (c >= 9 && c <= 13)) { r->at++; continue; }
        if (ahead(r, "\xC2\xA0")) { r->at += 2; r->mended = true; continue; }
        if (ahead(r, "//") || c == '#') {
            r->mended = true;
            while (r->at < r->text.n && look(r, 0) != '\n') r->at++;
        } else if (ahead(r, "/*")) {
            ptrdiff_t end = qn_str_find(qn_str_sub(r->text, r->at, r->text.n), QN_STR("*/"));
            if (end < 0) return CUT;
            r->at += (size_t)end + 2;
            r->mended = true;
        } else {
            return READ;
        }
    }
}

/* ---- texts ---- */
static const struct { const char *open, *close; } QUOTES[] = { { "\"", "\"" }, { "'", "'" }, { "\xE2\x80\x9C", "\xE2\x80\x9D" }, { "\xE2\x80\x98", "\xE2\x80\x99" } };

static bool hex4(const reader *r, size_t from, uint32_t *cp)
{
    *cp = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = look(r, from + i);
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (d < 0) return false;
        *cp = *cp << 4 | (uint32_t)d;
    }
    return true;
}

static void escape(reader *r, qn_buf *b)                            /* at the backslash */
{
    const char *from = "\"\\/bfnrt'", *to = "\"\\/\b\f\n\r\t'";
    char c = look(r, 1), utf8[4];
    const char *known = c ? strchr(from, c) : NULL;
    uint32_t cp, low;
    if (known) {
        r->mended = r->mended || c == '\'';
        qn_buf_putc(b, to[known - from]);
        r->at += 2;
    } else if (c == 'u' && hex4(r, 2, &cp)) {
        r->at += 6;
        if (cp >= 0xD800 && cp < 0xDC00 && look(r, 0) == '\\' && look(r, 1) == 'u' && hex4(r, 2, &low) && low >= 0xDC00 && low < 0xE000) {
            cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
            r->at += 6;
        }
        if (cp >= 0xD800 && cp < 0xE000) { cp = 0xFFFD; r->mended = true; }
        qn_buf_put(b, utf8, (size_t)qn_utf8_put(cp, utf8));
    } else {                                                        /* \( of LaTeX, \d of a pattern: the backslash is meant */
        qn_buf_putc(b, '\\');
        r->mended = true;
        r->at++;
    }
}

/* A quote that closes: what follows it is , : } ] or the end, so that "say "hi" to" is read whole when that is the only way. */
static bool closes(const reader *r, size_t skip_bytes)
{
    size_t i = r->at + skip_bytes;
    while (i < r->text.n && (r->text.p[i] == ' ' || (r->text.p[i] >= 9 && r->text.p[i] <= 13))) i++;
    if (i >= r->text.n) return true;
    return strchr(",:}]/#", r->text.p[i]) != NULL;
}

static result read_text(reader *r, size_t quote, qn_value *out)
{
    const char *close = QUOTES[quote].close;
    qn_buf b = {0};
    r->at += strlen(QUOTES[quote].open);
    r->mended = r->mended || quote > 0;
    for (;;) {
        if (r->at >= r->text.n || !r->work) { qn_buf_free(&b); return r->work ? CUT : BROKEN; }
        r->work--;
        char c = look(r, 0);
        if (ahead(r, close)) {
            if (closes(r, strlen(close))) break;
            r->mended = true;                                       /* a quote inside that was not escaped */
        }
        if (c == '\\') { escape(r, &b); continue; }
        r->mended = r->mended || (unsigned char)c < 32;
        qn_buf_putc(&b, c);
        r->at++;
    }
    r->at += strlen(close);
    *out = qn_v_text(qn_arena_str(r->a, qn_buf_view(&b)));
    qn_buf_free(&b);
    return READ;
}

static bool quote_ahead(const reader *r, size_t *quote)
{
    for (*quote = 0; *quote < sizeof QUOTES / sizeof *QUOTES; ++*quote)
        if (ahead(r, QUOTES[*quote].open)) return true;
    return false;
}

/* ---- numbers and words ---- */
static result read_number(reader *r, qn_value *out)
{
    size_t from = r->at;
    char z[64];
    if (look(r, 0) == '+' || look(r, 0) == '-') r->at++;
    while (r->at < r->text.n && strchr("0123456789.eE+-", look(r, 0))) r->at++;
    qn_str s = qn_str_sub(r->text, from, r->at);
    if (r->at >= r->text.n) return CUT;                             /* more digits might have followed */
    if (s.n && s.p[0] == '+') { s = qn_str_sub(s, 1, s.n); r->mended = true; }
    if (s.n && s.p[s.n - 1] == '.') { s.n--; r->mended = true; }
    int64_t i;
    double d;
    if (qn_str_to_i64(s, &i)) { *out = qn_v_int(i); return READ; }
    if (s.n < 1 || s.n >= sizeof z || !qn_str_to_f64(s, &d)) return BROKEN;
    bool whole = true;
    for (size_t k = 0; k < s.n; k++) whole = whole && s.p[k] >= '0' && s.p[k] <= '9';
    uint64_t u = 0;
    bool over = !whole;
    for (size_t k = 0; k < s.n && !over; k++) over = __builtin_mul_overflow(u, 10u, &u) || __builtin_add_overflow(u, (uint64_t)(s.p[k] - '0'), &u);
    *out = over ? qn_v_real(d) : (qn_value){ .kind = QN_V_UINT, .u = u };
    return READ;
}

static result read_word(reader *r, qn_value *out)
{
    static const struct { const char *word; int is; bool ours; } WORDS[] = { { "true", 1, true }, { "false", 0, true }, { "null", -1, true },
        { "True", 1, false }, { "False", 0, false }, { "None", -1, false }, { "undefined", -1, false } };
    size_t from = r->at;
    while (r->at < r->text.n && is_name_char(look(r, 0))) r->at++;
    qn_str w = qn_str_sub(r->text, from, r->at);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (qn_str_is(w, WORDS[i].word)) {
            *out = WORDS[i].is < 0 ? qn_v_null() : qn_v_bool(WORDS[i].is);
            r->mended = r->mended || !WORDS[i].ours;
            return READ;
        }
    return r->at >= r->text.n && w.n && w.n < 10 ? CUT : BROKEN;
}

/* ---- containers ---- */
static result read_list(reader *r, qn_value *out)
{
    qn_list_b l = { .a = r->a };
    qn_value item;
    result rc;
    for (r->at++;;) {
        if ((rc = skip(r)) != READ) return rc;
        if (look(r, 0) == ']') { r->at++; break; }
        if (look(r, 0) == ',' && l.n) { r->at++; r->mended = true; continue; }      /* [1,,2] */
        if ((rc = read_value(r, &item)) != READ) return rc;
        qn_list_put(&l, item);
        if ((rc = skip(r)) != READ) return rc;
        if (look(r, 0) == ']') { r->at++; break; }
        if (look(r, 0) != ',') return BROKEN;
        r->at++;
        if ((rc = skip(r)) != READ) return rc;
        r->mended = r->mended || look(r, 0) == ']';                 /* [1, 2, ] */
    }
    *out = qn_list_end(&l);
    return READ;
}

static result read_name(reader *r, qn_str *out)
{
    size_t quote, from = r->at;
    qn_value v;
    if (quote_ahead(r, &quote)) {
        result rc = read_text(r, quote, &v);
        *out = qn_v_str(v);
        return rc;
    }
    while (r->at < r->text.n && (is_name_char(look(r, 0)) || look(r, 0) == '-')) r->at++;
    r->mended = true;
    *out = qn_str_sub(r->text, from, r->at);
    return r->at > from ? r->at >= r->text.n ? CUT : READ : BROKEN;
}

static result read_object(reader *r, qn_value *out)
{
    qn_object_b o = { .a = r->a };
    qn_value v;
    qn_str name = {0};
    result rc;
    for (r->at++;;) {
        if ((rc = skip(r)) != READ) return rc;
        if (look(r, 0) == '}') { r->at++; break; }
        if ((rc = read_name(r, &name)) != READ) return rc;
        if ((rc = skip(r)) != READ) return rc;
        if (look(r, 0) != ':') return BROKEN;
        r->at++;
        if ((rc = skip(r)) != READ) return rc;
        if ((rc = read_value(r, &v)) != READ) return rc;
        if (o.n < 1000) qn_object_put(&o, name, v);
        else return BROKEN;
        if ((rc = skip(r)) != READ) return rc;
        if (look(r, 0) == '}') { r->at++; break; }
        if (look(r, 0) != ',') return BROKEN;
        r->at++;
        if ((rc = skip(r)) != READ) return rc;
        r->mended = r->mended || look(r, 0) == '}';                 /* {"a": 1, } */
    }
    *out = qn_object_end(&o);
    return READ;
}

static result read_value(reader *r, qn_value *out)
{
    size_t quote;
    char c = look(r, 0);
    result rc;
    if (r->at >= r->text.n) return CUT;
    if (!r->work || r->depth >= MAX_DEPTH) return BROKEN;
    r->work--;
    r->depth++;
    if (c == '{') rc = read_object(r, out);
    else if (c == '[') rc = read_list(r, out);
    else if (quote_ahead(r, &quote)) rc = read_text(r, quote, out);
    else if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') rc = read_number(r, out);
    else rc = read_word(r, out);
    r->depth--;
    return rc;
}

/* ---- candidates ---- */
typedef struct { qn_value v; qn_json_verdict verdict; int score; bool any, cut, broken; } best;

static bool acceptable(const qn_schema *s, qn_value v) { return !s || qn_schema_problems(s, v, 0, NULL) == 0; }

/* Fits the schema (8), stood in a fence (4), is an object (2) or a list (1); of equals the later. */
static void offer(best *b, const qn_schema *s, qn_value v, bool fenced, qn_json_verdict how)
{
    qn_value only;
    bool fits = s && acceptable(s, v);
    if (s && !fits && v.kind == QN_V_LIST && v.n == 1 && acceptable(s, only = qn_v_at(v, 0))) {     /* [answer] for answer */
        v = only;
        how = QN_JSON_MENDED;
        fits = true;
    }
    int score = (fits ? 8 : 0) + (fenced ? 4 : 0) + (v.kind == QN_V_OBJECT ? 2 : v.kind == QN_V_LIST ? 1 : 0);
    if (b->any && (score < b->score || (score == b->score && qn_v_eq(v, b->v)))) return;
    b->v = v;
    b->verdict = how;
    b->score = score;
    b->any = true;
}

/* The whole of `text` as one value, strictly or forgivingly; false when something else stands in it. */
static bool whole(qn_str text, qn_arena *a, size_t *work, qn_value *out, bool *mended, best *b)
{
    qn_err ignored;
    *mended = false;
    if (text.n && qn_json_parse(text, a, out, &ignored) == QN_OK) return true;
    reader r = { .text = text, .a = a, .work = *work };
    if (skip(&r) != READ || !strchr("{[\"'", look(&r, 0))) return false;
    result rc = read_value(&r, out);
    *work = r.work;
    *mended = true;
    if (rc == CUT) b->cut = true;
    return rc == READ && skip(&r) == CUT;
}

/* Every { or [ in the text, from left to right; what was read is stepped over. Unread openings are tried again one further. */
static void scan(qn_str text, const qn_schema *s, qn_arena *a, size_t *work, bool fenced, best *b)
{
    size_t at = 0, tried = 0;
    while (at < text.n && tried < MAX_CANDIDATES && *work) {
        if (text.p[at] != '{' && text.p[at] != '[') { at++; continue; }
        reader r = { .text = text, .at = at, .a = a, .work = *work };
        qn_value v;
        result rc = read_value(&r, &v);
        tried++;
        *work = r.work;
        if (rc == READ) {
            offer(b, s, v, fenced, r.mended ? QN_JSON_MENDED : QN_JSON_FOUND);
            at = r.at;
        } else {
            if (rc == CUT && text.p[at] == '{') b->cut = true;
            if (rc == BROKEN && text.p[at] == '{') b->broken = true;
            at++;
        }
    }
}

static qn_str behind_thinking(qn_str text)
{
    for (;;) {
        ptrdiff_t i = qn_str_find(text, QN_STR("</think>"));
        if (i < 0) return text;
        text = qn_str_sub(text, (size_t)i + 8, text.n);
    }
}

/* The next code fence: *inside is what stands in it; *closed whether its end is there. False when there is none. */
static bool fence(qn_str text, size_t *at, qn_str *inside, bool *closed)
{
    ptrdiff_t open = qn_str_find(qn_str_sub(text, *at, text.n), QN_STR("```"));
    if (open < 0) return false;
    size_t from = *at + (size_t)open + 3;
    while (from < text.n && is_name_char(text.p[from])) from++;     /* json, python, ... */
    ptrdiff_t end = qn_str_find(qn_str_sub(text, from, text.n), QN_STR("```"));
    *closed = end >= 0;
    *inside = qn_str_trim(qn_str_sub(text, from, end < 0 ? text.n : from + (size_t)end));
    *at = end < 0 ? text.n : from + (size_t)end + 3;
    return true;
}

static qn_code nothing(const best *b, size_t n, qn_json_verdict *verdict, qn_err *e)
{
    if (verdict) *verdict = b->cut ? QN_JSON_CUT : b->broken ? QN_JSON_BROKEN : QN_JSON_NONE;
    if (b->cut) return qn_fail(e, QN_EDATA, "the reply ends in the middle of its JSON (cut off after %zu bytes)", n);
    if (b->broken) return qn_fail(e, QN_EDATA, "what stands in the reply begins like JSON and is not valid JSON");
    return qn_fail(e, QN_EDATA, n ? "there is no JSON in the reply" : "the reply is empty");
}

qn_code qn_reply_json(qn_str text, const qn_schema *s, qn_arena *a, qn_value *out, qn_json_verdict *verdict, qn_err *e)
{
    best b = { .any = false };
    size_t at = 0, work = text.n * 4 + 1000;
    qn_str inside;
    qn_value v;
    bool mended, closed;
    if (text.n > MAX_TEXT) return qn_fail(e, QN_ELIMIT, "a reply is larger than %d MB", MAX_TEXT >> 20);
    text = qn_str_trim(behind_thinking(text));
    if (qn_str_starts(text, QN_STR("\xEF\xBB\xBF"))) text = qn_str_sub(text, 3, text.n);
    if (whole(text, a, &work, &v, &mended, &b)) offer(&b, s, v, false, mended ? QN_JSON_MENDED : QN_JSON_CLEAN);
    bool began_and_was_cut = b.cut;                                 /* then what stands inside it is no answer */
    if (!b.any || (s && b.score < 8)) {
        while (fence(text, &at, &inside, &closed)) {
            if (whole(inside, a, &work, &v, &mended, &b)) offer(&b, s, v, closed, mended ? QN_JSON_MENDED : QN_JSON_FOUND);
            else scan(inside, s, a, &work, true, &b);
        }
        if (!b.any || (s && b.score < 8)) scan(text, s, a, &work, false, &b);
    }
    if (!b.any && s && text.n && acceptable(s, qn_v_text(text))) offer(&b, s, qn_v_text(qn_arena_str(a, text)), false, QN_JSON_CLEAN);
    if (!b.any || (b.cut && s && b.score < 8) || (began_and_was_cut && !(b.score & 4))) return nothing(&b, text.n, verdict, e);
    *out = b.v;
    if (verdict) *verdict = b.verdict;
    return QN_OK;
}

const char *qn_json_verdict_name(qn_json_verdict v)
{
    static const char *const names[] = { "clean", "found", "mended", "none", "cut", "broken" };
    return (unsigned)v < sizeof names / sizeof *names ? names[v] : "unknown";
}
