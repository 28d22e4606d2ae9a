/* config_json: the small readings of config.json that decoders and encoders share. */
#ifndef QN_NN_CONFIG_JSON_H
#define QN_NN_CONFIG_JSON_H
#include "core/err.h"
#include <yyjson.h>
qn_code qn_json_open(yyjson_doc **doc, const char *dir, const char *name, qn_err *e);   /* an object; owned: yyjson_doc_free */
/* Whole numbers of 1..most under any of two names; `missing` when absent (missing < 0: an error). */
qn_code qn_json_size(yyjson_val *o, const char *name, const char *other, int missing, int most, int *out, qn_err *e);
double  qn_json_real(yyjson_val *o, const char *name, double missing);
qn_code qn_json_save(yyjson_mut_doc *doc, const char *dir, const char *name, qn_err *e); /* pretty; frees doc */
qn_code qn_file_copy(const char *from_dir, const char *to_dir, const char *name, qn_err *e); /* nothing when absent */
#endif
