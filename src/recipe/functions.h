/* functions: what a model may call, read from the descriptions that people have: OpenAPI 2 and 3, lists of function schemas (OpenAI's `tools`, the
 * bare {name, parameters} form, also with the type words of other languages: dict, float, tuple, String, HashMap). */
#ifndef QN_RECIPE_FUNCTIONS_H
#define QN_RECIPE_FUNCTIONS_H
#include "recipe/schema.h"

typedef struct qn_function {
    qn_str   name;              /* operationId, or `get /pets/{id}` where there is none */
    qn_str   about;
    qn_str   method, path;      /* of OpenAPI, else empty */
    qn_value parameters;        /* JSON Schema of the arguments as one object: those of path, query and header, and the fields of a JSON body */
    const qn_schema *schema;
} qn_function;

typedef struct qn_functions { qn_function *items; size_t n; } qn_functions;

/* Reads a description; borrows from `doc` for the arena's life. Circles of $ref are followed only as deep as a value goes. What is broken in one
 * function (a $ref to nowhere, or out of the document) shows when that function is called.
 * Errors: QN_EDATA when nothing in it describes a function. */
qn_code qn_functions_read(qn_value doc, qn_arena *a, qn_functions *out, qn_err *e);
/* From a file: .yaml/.yml (aliases bounded) or JSON; at most 32 MB. */
qn_code qn_functions_load(const char *path, qn_arena *a, qn_functions *out, qn_err *e);
const qn_function *qn_functions_find(const qn_functions *f, qn_str name);

/* One call as models write it, made plain: {name, arguments}, OpenAI's {function: {name, arguments: "JSON"}}, {Action, Action_Input},
 * {"name": {arguments}}. False when it is none of them; `why` says what lacks. */
bool    qn_call_read(qn_value call, qn_arena *a, qn_str *name, qn_value *arguments, qn_buf *why);
#endif
