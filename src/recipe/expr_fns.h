/* expr_fns: what the files of functions offer to the table in expr_fn.c. Strict functions get values; lazy ones evaluate their arguments. */
#ifndef QN_RECIPE_EXPR_FNS_H
#define QN_RECIPE_EXPR_FNS_H
#include "recipe/expr_node.h"

/* expr_fn.c: about any value */
qn_x_strict qn_xf_length, qn_xf_bytes, qn_xf_not, qn_xf_type, qn_xf_tostring, qn_xf_tonumber, qn_xf_tojson, qn_xf_fromjson, qn_xf_has, qn_xf_in,
            qn_xf_contains, qn_xf_inside, qn_xf_getpath;
qn_x_lazy   qn_xf_empty, qn_xf_error, qn_xf_error_text, qn_xf_select, qn_xf_kinds;
/* expr_fn_math.c */
qn_x_strict qn_xf_math, qn_xf_abs, qn_xf_pow;
/* expr_fn_list.c */
qn_x_strict qn_xf_keys, qn_xf_keys_unsorted, qn_xf_add, qn_xf_any, qn_xf_all, qn_xf_min, qn_xf_max, qn_xf_sort, qn_xf_unique, qn_xf_reverse,
            qn_xf_first, qn_xf_last, qn_xf_nth, qn_xf_flatten, qn_xf_to_entries, qn_xf_from_entries, qn_xf_join, qn_xf_transpose;
qn_x_lazy_one qn_xf_map, qn_xf_map_values, qn_xf_sort_by, qn_xf_group_by, qn_xf_unique_by, qn_xf_min_by, qn_xf_max_by, qn_xf_any_f, qn_xf_all_f,
            qn_xf_any_of, qn_xf_all_of, qn_xf_isempty, qn_xf_with_entries, qn_xf_del, qn_xf_add_f;
qn_x_lazy   qn_xf_range, qn_xf_limit, qn_xf_first_f, qn_xf_last_f, qn_xf_nth_f, qn_xf_skip;
/* expr_fn_text.c */
qn_x_strict qn_xf_split, qn_xf_ltrimstr, qn_xf_rtrimstr, qn_xf_trim, qn_xf_startswith, qn_xf_endswith, qn_xf_index, qn_xf_rindex, qn_xf_indices,
            qn_xf_downcase, qn_xf_upcase, qn_xf_explode, qn_xf_implode, qn_xf_words, qn_xf_lines, qn_xf_format;
/* expr_fn_regex.c */
qn_x_strict qn_xf_test, qn_xf_split_regex;
qn_x_lazy   qn_xf_match, qn_xf_capture, qn_xf_scan, qn_xf_splits;
qn_x_lazy_one qn_xf_sub, qn_xf_gsub;
#endif
