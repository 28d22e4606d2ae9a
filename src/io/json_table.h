/* json_table: tables that come as JSON. Shapes known:
 *   {"header": [...], "rows": [[...], ...]}    one table (WikiTableQuestions and WikiSQL have one on each line of a JSONL file); the name is in
 *                                              id or name, the title in title, caption, page_title or section_title
 *   [{...}, {...}]                             one table: the columns are all keys, in the order in which they come
 *   [[...], [...]]                             one table: the first list is the header
 * A cell is the text of a scalar as it stands in the file (numbers too), no value for null, compact JSON for a list or an object. */
#ifndef QN_IO_JSON_TABLE_H
#define QN_IO_JSON_TABLE_H
#include "io/format.h"

/* Reading flag for every document given to the functions below: numbers keep their text. */
#define QN_JSON_TABLE_READ YYJSON_READ_NUMBER_AS_RAW

typedef struct qn_key_list { qn_arena arena; qn_str *names; size_t n, cap; struct qn_key_index *index; } qn_key_list;
bool    qn_json_is_table(yyjson_val *v);                                       /* the first shape */
qn_code qn_json_table(yyjson_val *v, qn_str name, qn_cell_sink *sink, qn_err *e);   /* any shape; name when it has none; QN_EDATA when it is none */
/* For sources of many objects: first collect the keys, then begin the table with keys->names, then give each object. */
void    qn_keys_add(qn_key_list *keys, yyjson_val *object);
qn_code qn_keys_row(const qn_key_list *keys, yyjson_val *object, qn_arena *scratch, qn_cell_sink *sink, qn_err *e);
void    qn_keys_free(qn_key_list *keys);
#endif
