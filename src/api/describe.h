/* describe: operators, recipes and expressions in words, from their own descriptors: help pages, reference pages, JSON. */
#ifndef QN_API_DESCRIBE_H
#define QN_API_DESCRIBE_H
#include "recipe/plan.h"

const char *qn_stage_title(qn_stage s);             /* "Sources", "Making rows", ... */
const char *qn_ptype_word(qn_ptype t);              /* "expression", "whole number", ... */
void qn_describe_op(qn_buf *b, const qn_op *op, bool markdown);
void qn_describe_recipe(qn_buf *b, const qn_recipe_info *r, bool markdown);
void qn_describe_expressions(qn_buf *b, bool markdown);
void qn_describe_ops_json(qn_buf *b);
void qn_describe_recipes_json(qn_buf *b);
#endif
