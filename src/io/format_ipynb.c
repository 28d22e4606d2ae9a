/* format_ipynb: Jupyter notebooks (nbformat 4): Markdown cells as they stand, code cells as code in the notebook's language; what the code printed
 * is left out. */
#include "io/doc.h"
#include "io/encoding.h"
#include "text/chunk.h"

/* A text, or the lines of one. */
static qn_str source_of(qn_value v, qn_arena *a)
{
    qn_buf b = {0};
    qn_v_iter it = qn_v_iter_of(v);
    qn_str name;
    qn_value line;
    if (v.kind == QN_V_TEXT) return qn_v_str(v);
    while (v.kind == QN_V_LIST && qn_v_next(&it, &name, &line)) qn_buf_str(&b, qn_v_str(line));
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static void put_markdown(qn_doc_b *b, qn_str text, qn_arena *a)
{
    qn_block *blocks;
    size_t n = qn_blocks_find(text, a, &blocks);
    for (size_t i = 0; i < n; i++) {
        qn_str s = qn_str_sub(text, blocks[i].start, blocks[i].end);
        if (blocks[i].kind == QN_BLOCK_HEADING) s = qn_str_trim(qn_str_sub(s, (size_t)blocks[i].level, s.n));
        qn_doc_block(b, blocks[i].kind, blocks[i].level, s);
    }
}

static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    qn_value root, cells, meta, info, v, cell;
    qn_str name, language = QN_STR("python");
    qn_doc_b b;
    qn_encoding enc;
    (void)path, (void)o;
    QN_TRY(qn_encoding_of(bytes, false, &enc, e));
    QN_TRY(qn_json_parse(qn_str_sub(bytes, enc.skip, bytes.n), a, &root, e));
    if (!qn_v_get(root, QN_STR("cells"), &cells) || cells.kind != QN_V_LIST) return qn_fail(e, QN_EDATA, "no notebook of nbformat 4: it has no list of cells");
    if (qn_v_get(root, QN_STR("metadata"), &meta) && qn_v_get(meta, QN_STR("language_info"), &info) && qn_v_get(info, QN_STR("name"), &v) && v.kind == QN_V_TEXT)
        language = qn_v_str(v);
    qn_doc_init(&b, a);
    if (meta.kind == QN_V_OBJECT && qn_v_get(meta, QN_STR("title"), &v)) b.title = qn_v_str(v);
    qn_v_iter it = qn_v_iter_of(cells);
    while (qn_v_next(&it, &name, &cell)) {
        qn_value type, source;
        qn_v_get(cell, QN_STR("cell_type"), &type);
        qn_v_get(cell, QN_STR("source"), &source);
        qn_str text = source_of(source, a);
        if (qn_str_is(qn_v_str(type), "markdown")) put_markdown(&b, text, a);
        else if (qn_str_is(qn_v_str(type), "code")) qn_doc_code(&b, language, text);
    }
    qn_doc_finish(&b, out);
    return QN_OK;
}

const qn_format qn_format_ipynb = { .name = "ipynb", .exts = "ipynb", .brief = "Jupyter notebooks: their text and code", .doc = doc };
