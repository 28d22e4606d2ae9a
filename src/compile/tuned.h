/* tuned: a recipe's text with instructions and demonstrations put into its `ask` steps; everything else, comments too, stays as it is.
 *
 * An instruction becomes the step's `system`, demonstrations its `messages` (a user's and an assistant's by turns) in front of the prompt. Steps
 * that have `messages` of their own are left alone; a step that has a `system` keeps it and gets demonstrations only. */
#ifndef QN_COMPILE_TUNED_H
#define QN_COMPILE_TUNED_H
#include "data/yaml.h"

typedef struct qn_ask_place {       /* one `ask` of the recipe's own text, at any depth */
    qn_pos pos, item;               /* of its map's first key or brace; of the step */
    bool   flow;                    /* {in braces} */
    bool   has_system;
    qn_str prompt, reply;           /* as written; reply as JSON, "" when the reply is text */
    qn_str model;                   /* "$writer" or "writer" */
} qn_ask_place;

typedef struct { qn_str prompt, reply; } qn_demo;
typedef struct { qn_str instruction; const qn_demo *const *demos; size_t n_demos; } qn_tuning;     /* instruction "": none */

/* The asks that can be tuned, in the order of the text. Texts live in the arena. */
qn_code qn_tuned_find(qn_str text, const char *file, qn_arena *a, qn_ask_place **out, size_t *n, qn_err *e);
/* The text with tunings[i] put into places[i], (n) of each. */
void    qn_tuned_write(qn_str text, const qn_ask_place *places, const qn_tuning *tunings, size_t n, qn_buf *out);
#endif
