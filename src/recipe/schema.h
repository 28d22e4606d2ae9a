/* schema: the shape of a reply. `reply:` in a recipe is a short form of JSON Schema; the schema is sent where an endpoint has structured output,
 * asked for in words where not, and every reply is checked against it.
 *
 *   reply: {question: text, score: int 1..5, kind: choice a|b|c, tags: [text, 1..3], people: [{name: text, age: int?}]}
 *
 * Short form:  text  int  real  number  bool  null  any   followed by a range: `int 1..5`, `real 0..`, `text 1..200` (characters)
 *              text /[A-Z]{2}/      a pattern (text/regex.h) that must match somewhere
 *              choice a|b|c         one of these texts
 *              [T]  [T, 1..3]       a list, with its least and most items
 *              {name: T, ...}       an object of exactly these fields
 *              T?                   may be null or left out
 *              T -- words           a description for the model
 * A map that holds `$schema` or `$ref`, or whose `type` is a word of JSON Schema (object, array, string, integer, boolean), is a full schema. */
#ifndef QN_RECIPE_SCHEMA_H
#define QN_RECIPE_SCHEMA_H
#include "data/type.h"

typedef struct qn_schema qn_schema;     /* immutable, lives in the arena it was made in; usable on any thread at once */

/* ---- making ---- */
/* `reply:` of a recipe: a map in the short form, or a full schema. `pos` is where it stands.  Errors: QN_ERECIPE that names the field. */
qn_code qn_schema_short(qn_value form, qn_pos pos, qn_arena *a, qn_schema **out, qn_err *e);
qn_code qn_schema_of_json(qn_value json_schema, qn_arena *a, qn_schema **out, qn_err *e);
enum {
    QN_SCHEMA_LENIENT = 1,              /* a broken keyword or a pattern that regex.h refuses says nothing; a $ref to nowhere is a problem of the value */
    QN_SCHEMA_OPENAPI = 2               /* OpenAPI 3.0: `nullable`, exclusiveMinimum as a bool */
};
/* A part of a larger document: `root` is what $ref points into. Both are borrowed for the arena's life.
 * Known: type enum const required properties additionalProperties patternProperties propertyNames min/maxProperties dependentRequired items
 * prefixItems contains min/maxContains min/maxItems uniqueItems min/maxLength pattern minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
 * anyOf oneOf allOf not if/then/else $ref (within the document: JSON pointers, $anchor) $defs definitions. `format` and annotations say nothing.
 * Errors: QN_ERECIPE with the place in the schema: a $ref that leads nowhere or out of the document, a broken keyword, unevaluated*, $dynamicRef. */
qn_code qn_schema_compile(qn_value schema, qn_value root, unsigned flags, qn_arena *a, qn_schema **out, qn_err *e);

/* The same with another schema of the same document to begin with: it must have been reached when `whole` was prepared. */
qn_schema *qn_schema_part(const qn_schema *whole, qn_value part, qn_arena *a);

/* ---- asking ---- */
/* What is sent to an endpoint (draft 2020-12). Of a short form: every field required, nothing else allowed, null beside a T? (as strict structured
 * output demands; a reply that leaves a T? out fits all the same). A full schema as it was given. */
qn_value qn_schema_json(const qn_schema *s);
const qn_type *qn_schema_type(const qn_schema *s);                  /* of values that fit; circles end in `any` */
bool    qn_schema_fits(const qn_schema *s, qn_value v, qn_buf *why);   /* why (or NULL): up to five problems joined by "; " */
/* Appends at most `max` problems to `words` (may be NULL), one a line, in words that a model can act on: "`score` is 7, must be at most 5".
 * Returns how many there are (0: it fits; at least 1 when a limit of depth or steps was met). */
size_t  qn_schema_problems(const qn_schema *s, qn_value v, size_t max, qn_buf *words);
/* Words that ask for the shape: for prompts to endpoints without structured output. */
void    qn_schema_words(const qn_schema *s, qn_buf *out);

/* ---- on values ---- (they live in the arena and borrow from what was given) */
bool     qn_schema_is_full(qn_value form);
qn_code  qn_schema_of_short(qn_value form, qn_arena *a, qn_value *schema, qn_err *e);  /* objects: required, additionalProperties false; T? not required */
void     qn_schema_write_short(qn_buf *b, qn_value schema);         /* what the short form cannot say becomes `any` */
qn_value qn_schema_strict(qn_value schema, qn_arena *a);            /* all properties required at every level */
void     qn_schema_say(qn_buf *b, qn_value schema);                 /* as qn_schema_words */
const qn_type *qn_schema_type_of(qn_value schema, qn_value root, qn_arena *a);

/* ---- JSON out of a reply ---- */
typedef enum {
    QN_JSON_CLEAN,      /* the whole text is the JSON */
    QN_JSON_FOUND,      /* it stood in a code fence or between words */
    QN_JSON_MENDED,     /* quotes, commas, comments or Python's words were put right, or a list of one was opened */
    QN_JSON_NONE,       /* no JSON in it */
    QN_JSON_CUT,        /* the text ends within it */
    QN_JSON_BROKEN      /* it begins like JSON and is none */
} qn_json_verdict;
/* Finds the value that a reply is meant to hold: the whole text, code fences, then every { or [ in it; what is behind </think> counts. Of several,
 * one that fits the schema wins (then fences over prose, objects over lists, later over earlier).
 *   s       NULL: any value          verdict  may be NULL
 *   *out    set for CLEAN, FOUND, MENDED; lives in the arena
 * Returns QN_OK with the verdict (a value that does not fit the schema is still found), or QN_EDATA with words for the model otherwise. */
qn_code qn_reply_json(qn_str text, const qn_schema *s, qn_arena *a, qn_value *out, qn_json_verdict *verdict, qn_err *e);
const char *qn_json_verdict_name(qn_json_verdict v);
#endif
