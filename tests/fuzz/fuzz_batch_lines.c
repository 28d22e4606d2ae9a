/* Fuzz target: what an endpoint says of its batches: result lines, batch objects, lists, files. */
#include "core/mem.h"
#include "model/batch_lines.h"

static bool all(void *arg, const qn_batch_view *v)
{
    (void)arg;
    return v->id[0] != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    qn_str s = { (const char *)data, size };
    qn_buf body = {0};
    qn_batch_result r;
    qn_batch_view v;
    bool more;
    char last[128], id[128];
    qn_batch_line_read(s, &body, &r);
    qn_batch_view_read(s, &v);
    qn_batch_list_read(s, all, NULL, &more, last);
    qn_file_view_read(s, id);
    qn_buf_free(&body);
    return 0;
}
