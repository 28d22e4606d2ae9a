/* code_parses: a scanner for brackets, and the parsers at hand. */
#include "text/code_parses.h"
#include <ctype.h>
#include <sqlite3.h>
#include <yyjson.h>

enum { MAX_DEPTH = 1000 };

qn_code_lang qn_code_lang_of(qn_str name)
{
    static const struct { const char *name; qn_code_lang lang; } names[] = {
        { "c", QN_CODE_C }, { "h", QN_CODE_C }, { "cc", QN_CODE_C }, { "cpp", QN_CODE_C }, { "c++", QN_CODE_C }, { "cuda", QN_CODE_C }, { "cu", QN_CODE_C }, { "java", QN_CODE_C }, { "go", QN_CODE_C },
        { "rust", QN_CODE_C }, { "rs", QN_CODE_C }, { "c#", QN_CODE_C }, { "csharp", QN_CODE_C }, { "swift", QN_CODE_C }, { "kotlin", QN_CODE_C }, { "scala", QN_CODE_C }, { "php", QN_CODE_C },
        { "python", QN_CODE_PYTHON }, { "py", QN_CODE_PYTHON }, { "python3", QN_CODE_PYTHON }, { "javascript", QN_CODE_JAVASCRIPT }, { "js", QN_CODE_JAVASCRIPT }, { "typescript", QN_CODE_JAVASCRIPT }, { "ts", QN_CODE_JAVASCRIPT },
        { "sql", QN_CODE_SQL }, { "sqlite", QN_CODE_SQL }, { "json", QN_CODE_JSON }, { "sh", QN_CODE_SHELL }, { "bash", QN_CODE_SHELL }, { "shell", QN_CODE_SHELL },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (qn_str_ieq(name, qn_str_of(names[i].name))) return names[i].lang;
    return QN_CODE_TEXT;
}

typedef struct { qn_str s; size_t i; int line; const char *what; qn_code_lang lang; } scan;

static bool at(const scan *c, const char *z) { size_t n = strlen(z); return c->i + n <= c->s.n && memcmp(c->s.p + c->i, z, n) == 0; }

static void skip_line(scan *c) { while (c->i < c->s.n && c->s.p[c->i] != '\n') c->i++; }

/* Steps over a quoted text that begins here; false when it does not end. */
static bool skip_quoted(scan *c, const char *quote, bool escapes, bool lines)
{
    size_t n = strlen(quote);
    int line = c->line;
    for (c->i += n; c->i < c->s.n; c->i++) {
        char x = c->s.p[c->i];
        if (escapes && x == '\\' && c->i + 1 < c->s.n) { c->line += c->s.p[++c->i] == '\n'; continue; }
        if (x == '\n') {
            if (!lines) break;
            c->line++;
        }
        if (x != quote[0] || !at(c, quote)) continue;
        if (c->lang == QN_CODE_SQL && n == 1 && c->i + 1 < c->s.n && c->s.p[c->i + 1] == quote[0]) { c->i++; continue; }   /* '' */
        c->i += n;
        return true;
    }
    c->line = line;
    c->what = "a quotation that does not end";
    return false;
}

/* Steps over a comment or a quoted text where one begins. *moved tells whether it did. */
static bool skip_special(scan *c, bool *moved)
{
    char x = c->s.p[c->i];
    qn_code_lang l = c->lang;
    *moved = true;
    if ((l == QN_CODE_C || l == QN_CODE_JAVASCRIPT) && at(c, "//")) { skip_line(c); return true; }
    if ((l == QN_CODE_PYTHON || (l == QN_CODE_SHELL && (c->i == 0 || isspace((unsigned char)c->s.p[c->i - 1])))) && x == '#') { skip_line(c); return true; }
    if (l == QN_CODE_SQL && at(c, "--")) { skip_line(c); return true; }
    if ((l == QN_CODE_C || l == QN_CODE_JAVASCRIPT || l == QN_CODE_SQL) && at(c, "/*")) {
        const char *end = memmem(c->s.p + c->i + 2, c->s.n - c->i - 2, "*/", 2);
        if (!end) { c->what = "a comment that does not end"; return false; }
        for (const char *p = c->s.p + c->i; p < end; p++) c->line += *p == '\n';
        c->i = (size_t)(end - c->s.p) + 2;
        return true;
    }
    if (l == QN_CODE_PYTHON && at(c, "\"\"\"")) return skip_quoted(c, "\"\"\"", true, true);
    if (l == QN_CODE_PYTHON && at(c, "'''")) return skip_quoted(c, "'''", true, true);
    if (x == '"') return skip_quoted(c, "\"", l != QN_CODE_SQL, l == QN_CODE_SQL || l == QN_CODE_SHELL);
    if (x == '`' && l == QN_CODE_JAVASCRIPT) return skip_quoted(c, "`", true, true);
    bool char_literal = l == QN_CODE_C && c->i + 2 < c->s.n && (c->s.p[c->i + 1] == '\\' || c->s.p[c->i + 2] == '\'');     /* not Rust's 'a */
    if (x == '\'' && (char_literal || l == QN_CODE_PYTHON || l == QN_CODE_JAVASCRIPT || l == QN_CODE_SQL || l == QN_CODE_SHELL))
        return skip_quoted(c, "'", l != QN_CODE_SQL && l != QN_CODE_SHELL, l == QN_CODE_SQL || l == QN_CODE_SHELL);
    *moved = false;
    return true;
}

bool qn_code_balanced(qn_str code, qn_code_lang lang, int *line, const char **what)
{
    char open[MAX_DEPTH];
    int opened[MAX_DEPTH], depth = 0;
    scan c = { code, 0, 1, NULL, lang };
    while (c.i < code.n && !c.what) {
        bool moved = false;
        if (lang != QN_CODE_TEXT && !skip_special(&c, &moved)) break;
        if (moved) continue;
        char x = code.p[c.i++];
        c.line += x == '\n';
        if (x == '(' || x == '[' || x == '{') {
            if (depth == MAX_DEPTH) { c.what = "brackets deeper than 1000"; break; }
            open[depth] = x == '(' ? ')' : x == '[' ? ']' : '}';
            opened[depth++] = c.line;
        } else if (x == ')' || x == ']' || x == '}') {
            bool shell_case = lang == QN_CODE_SHELL && x == ')' && (depth == 0 || open[depth - 1] != ')');
            if (shell_case) continue;
            if (depth == 0) c.what = "a bracket closes that was not opened";
            else if (open[--depth] != x) c.what = "a bracket closes another kind";
        }
    }
    if (!c.what && depth) { c.what = "a bracket that does not close"; c.line = opened[depth - 1]; }
    if (line) *line = c.line;
    if (what) *what = c.what;
    return !c.what;
}

bool qn_code_json_ok(qn_str code, int *line, const char **what)
{
    yyjson_read_err err;
    yyjson_doc *d = yyjson_read_opts((char *)(uintptr_t)code.p, code.n, YYJSON_READ_NOFLAG, NULL, &err);
    if (d) { yyjson_doc_free(d); return true; }
    if (line) {
        *line = 1;
        for (size_t i = 0; i < err.pos && i < code.n; i++) *line += code.p[i] == '\n';
    }
    if (what) *what = err.msg;
    return false;
}

/* Errors that speak of the schema, not of the text. */
static bool is_about_schema(const char *msg)
{
    return strstr(msg, "no such table") || strstr(msg, "no such column") || strstr(msg, "no such function") || strstr(msg, "no such index") || strstr(msg, "no such view") || strstr(msg, "unknown database")
        || strstr(msg, "no such module") || strstr(msg, "already exists") || strstr(msg, "no such trigger") || strstr(msg, "no such collation");
}

qn_code qn_code_sql_ok(qn_str code, qn_err *e)
{
    sqlite3 *db = NULL;
    qn_code rc = QN_OK;
    if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL) != SQLITE_OK) {
        rc = qn_fail(e, QN_EMISSING, "SQLite does not open: %s", sqlite3_errmsg(db));
        sqlite3_close(db);
        return rc;
    }
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
    sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 200);
    const char *sql = code.p, *end = code.p + code.n;
    size_t n_statements = 0;
    while (rc == QN_OK && sql < end && code.n < (1 << 20)) {
        sqlite3_stmt *st = NULL;
        const char *tail = NULL;
        int got = sqlite3_prepare_v2(db, sql, (int)(end - sql), &st, &tail);
        n_statements += st != NULL;
        sqlite3_finalize(st);
        if (got != SQLITE_OK && !is_about_schema(sqlite3_errmsg(db))) rc = qn_fail(e, QN_EDATA, "%s", sqlite3_errmsg(db));
        if (got != SQLITE_OK) {                 /* SQLite gives no tail for a statement that fails: go on behind the next semicolon */
            n_statements++;
            tail = memchr(sql, ';', (size_t)(end - sql));
            tail = tail ? tail + 1 : end;
        }
        if (!tail || tail == sql) break;
        sql = tail;
    }
    if (rc == QN_OK && n_statements == 0) rc = qn_fail(e, QN_EDATA, "there is no SQL statement");
    sqlite3_close(db);
    return rc;
}

qn_str qn_code_block(qn_str reply, qn_str *lang)
{
    const char *fence = memmem(reply.p, reply.n, "```", 3);
    *lang = (qn_str){ "", 0 };
    if (!fence) return reply;
    const char *end = reply.p + reply.n, *nl = memchr(fence, '\n', (size_t)(end - fence));
    if (!nl) return reply;
    *lang = qn_str_trim((qn_str){ fence + 3, (size_t)(nl - fence) - 3 });
    const char *close = memmem(nl, (size_t)(end - nl), "\n```", 4);
    return (qn_str){ nl + 1, (size_t)((close && close > nl ? close + 1 : close ? nl + 1 : end) - nl - 1) };
}
