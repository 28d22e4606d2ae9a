/* yaml: a YAML text as a tree with positions. Scalars stay text (`no` is the text "no"): who reads them knows the type.
 *
 * Anchors, aliases and merge keys are refused unless allowed, and then bounded (an alias bomb is QN_ELIMIT); tags are ignored; several documents in
 * one text are an error. Depth at most 100, 10 MB of text. */
#ifndef QN_DATA_YAML_H
#define QN_DATA_YAML_H
#include "data/value.h"

typedef enum { QN_Y_SCALAR, QN_Y_LIST, QN_Y_MAP } qn_ykind;
typedef struct qn_ynode {
    qn_ykind kind;
    qn_pos   pos;               /* pos.file is the name given to the parser, borrowed */
    qn_str   text;              /* scalar */
    qn_pos   inner;             /* scalar: where its text begins, behind a quote or below a | */
    bool     quoted;            /* scalar in quotes or a block */
    size_t   n;
    struct qn_ynode **items;    /* (n) list items, or values of a map */
    struct qn_ynode **keys;     /* (n) of a map; scalars */
} qn_ynode;

enum { QN_YAML_ALIASES = 1 };
/* An empty text gives an empty map. Errors: QN_ERECIPE with position. Nodes live in the arena. */
qn_code qn_yaml_parse(qn_str text, const char *file, unsigned flags, qn_arena *a, qn_ynode **out, qn_err *e);
/* Where in the tree's file a place inside one of its texts or keys stands; NULL pointer or a foreign text: `otherwise`. */
qn_pos    qn_yaml_pos_of(const qn_ynode *tree, const char *place, qn_pos otherwise);
qn_ynode *qn_yaml_get(const qn_ynode *map, const char *key);    /* NULL when absent or no map */
/* As a value: plain scalars that are JSON numbers, true, false, null (or ~, empty) get their type, everything else is text. */
qn_value qn_yaml_value(const qn_ynode *node, qn_arena *a);
#endif
