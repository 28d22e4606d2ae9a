/* code_parses: whether a piece of code could be read by its language.
 *
 * Brackets, quotes and comments are balanced for all; JSON is parsed by yyjson and SQL by SQLite (a table that is not there is no error
 * of the text). Python needs Python itself, in a sandbox: see core/sandbox.h and the operator code_parses. */
#ifndef QN_TEXT_CODE_PARSES_H
#define QN_TEXT_CODE_PARSES_H
#include "core/err.h"

typedef enum { QN_CODE_TEXT, QN_CODE_C, QN_CODE_PYTHON, QN_CODE_JAVASCRIPT, QN_CODE_SQL, QN_CODE_JSON, QN_CODE_SHELL, QN_CODE_N } qn_code_lang;

/* By name or extension: "c", "cpp", "java", "go", "rust" (as C), "python", "py", "js", "typescript", "sql", "json", "sh", ... */
qn_code_lang qn_code_lang_of(qn_str name);
/* Balance of (), [], {}, quotes and comments in the language's own rules. False with line and what is wrong. */
bool qn_code_balanced(qn_str code, qn_code_lang lang, int *line, const char **what);
bool qn_code_json_ok(qn_str code, int *line, const char **what);
/* Prepares each statement without running it. False with SQLite's message in `e` for what is no SQL; needs no tables. */
qn_code qn_code_sql_ok(qn_str code, qn_err *e);
/* The first fenced block (```python ... ```) of a reply, with its language name; the whole text when there is none. Borrowed. */
qn_str qn_code_block(qn_str reply, qn_str *lang);
#endif
