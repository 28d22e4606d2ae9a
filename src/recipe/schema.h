/* schema: the shape of a model's reply: `reply:` in recipes, JSON Schema, validation with messages a model can act on, and finding the JSON in a reply.
 *
 * Short form: {question: text, score: int 1..5, kind: choice a|b|c, items: [text], people: [{name: text, age: int?}]}; `T?` may be null or missing.
 * A map with `type` or `properties` or `$ref` at its top and JSON Schema words is taken as JSON Schema itself. */
#ifndef QN_RECIPE_SCHEMA_H
#define QN_RECIPE_SCHEMA_H
#include "data/type.h"

typedef struct qn_schema qn_schema;     /* immutable; lives in the arena it was made in */

qn_code qn_schema_short(qn_value form, qn_pos pos, qn_arena *a, qn_schema **out, qn_err *e);
qn_code qn_schema_of_json(qn_value json_schema, qn_arena *a, qn_schema **out, qn_err *e);
qn_value qn_schema_json(const qn_schema *s);                /* JSON Schema draft 2020-12: every field required, nothing else allowed (nullable where `?`) */
const qn_type *qn_schema_type(const qn_schema *s);
/* Is v of the shape? If not, `why` gets one message: "`score` is 7, it must be at most 5". */
bool    qn_schema_fits(const qn_schema *s, qn_value v, qn_buf *why);
/* "Reply with a JSON object of this shape and nothing else: ..." */
void    qn_schema_words(const qn_schema *s, qn_buf *out);

/* The JSON value in a reply: alone, in a code fence, or between other words; the largest that parses. Trailing commas are forgiven. A reply that was cut
 * inside the JSON, or holds none, is QN_EDATA with a message for the model. */
qn_code qn_reply_json(qn_str text, qn_arena *a, qn_value *out, qn_err *e);
#endif
