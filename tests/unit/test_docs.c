/* test_docs: every reader of documents on files of our own, and all real ones of the shared set: a verdict for each, never a crash or silence. */
#include "io_test.h"
#include "io/child.h"
#include "io/doc.h"
#include <dirent.h>
#include <sys/wait.h>

static qn_arena arena;
static qn_err err;

/* Reads in this process; fails the test when it cannot. */
static qn_doc read_ok(const char *path, const qn_read_opts *o)
{
    qn_doc d;
    err = (qn_err){0};
    if (qn_doc_read_here(path, o, &arena, &d, &err) != QN_OK) fail_msg("%s: %s", path, err.msg);
    unlink(path);
    return d;
}

static bool missing_library(const char *path)
{
    qn_doc d;
    err = (qn_err){0};
    if (qn_doc_read_here(path, NULL, &arena, &d, &err) != QN_EMISSING) return false;
    printf("skipped: %s (%s)\n", err.msg, err.hint);
    return true;
}

static void block_is(const qn_doc *d, size_t i, qn_block_kind kind, const char *text)
{
    assert_true(i < d->n_blocks);
    qn_str s = qn_str_sub(d->text, d->blocks[i].start, d->blocks[i].end);
    if (d->blocks[i].kind != kind || !qn_str_is(s, text)) fail_msg("block %zu is (%d) `%.*s`, not (%d) `%s`", i, d->blocks[i].kind, QN_FMT(s), kind, text);
}

/* What must hold for every document: blocks in order, inside the text, UTF-8, all but white space covered. */
static void sound(const qn_doc *d, const char *path)
{
    size_t at = 0;
    if (!qn_utf8_valid(d->text)) fail_msg("%s: the text is not UTF-8", path);
    for (size_t i = 0; i < d->n_blocks; i++) {
        const qn_block *b = &d->blocks[i];
        if (b->start < at || b->end <= b->start || b->end > d->text.n) fail_msg("%s: block %zu has a wrong place", path, i);
        for (; at < b->start; at++) if (!strchr(" \n\t\r", d->text.p[at])) fail_msg("%s: text outside of blocks", path);
        at = b->end;
    }
    if (d->n_blocks == 0) fail_msg("%s: no text and no error", path);
}

/* ---- text ---- */
static void txt_keeps_its_text_and_knows_where_paragraphs_stand(void **s)
{
    (void)s;
    qn_doc d = read_ok(T_FILE("a.txt", "SPDX-License-Identifier: MIT\n\nOne line\nand two.\n\n\n  Second.  \n"), NULL);
    assert_string_equal(d.licence.p, "MIT");
    block_is(&d, 1, QN_BLOCK_PARA, "One line\nand two.");
    block_is(&d, 2, QN_BLOCK_PARA, "  Second.");
    assert_int_equal(d.blocks[1].src_start, 30);
    assert_int_equal(d.blocks[1].src_end, 47);
}

static void txt_in_another_encoding_says_which(void **s)
{
    (void)s;
    qn_read_opts o = { .encoding = "windows-1252" };
    qn_doc d = read_ok(T_FILE("b.txt", "caf\xE9 \x80 5"), &o);
    assert_string_equal(d.text.p, "café € 5");
    assert_non_null(strstr(d.warning.p, "windows-1252"));
}

static void markdown_blocks_keep_their_bytes(void **s)
{
    (void)s;
    const char *path = T_FILE("a.md", "---\ntitle: A mill\nlicense: CC0-1.0\n---\n<!-- hidden -->\n\nHead\n====\n\nText with *stars*.\n\n~~~c\nint x;\n\n~~~\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- x\n- y\n\n> q\n\n    indented\n");
    if (missing_library(path)) return;
    qn_doc d = read_ok(path, NULL);
    assert_string_equal(d.title.p, "A mill");
    assert_string_equal(d.licence.p, "CC0-1.0");
    block_is(&d, 0, QN_BLOCK_HEADING, "# Head");
    block_is(&d, 1, QN_BLOCK_PARA, "Text with *stars*.");
    block_is(&d, 2, QN_BLOCK_CODE, "~~~c\nint x;\n\n~~~");
    block_is(&d, 3, QN_BLOCK_TABLE, "| a | b |\n|---|---|\n| 1 | 2 |");
    block_is(&d, 4, QN_BLOCK_LIST, "- x\n- y");
    block_is(&d, 5, QN_BLOCK_QUOTE, "> q");
    block_is(&d, 6, QN_BLOCK_CODE, "```\nindented\n```");
    assert_int_equal(d.blocks[1].src_end - d.blocks[1].src_start, 18);
}

static void rst_is_read_as_documentation_uses_it(void **s)
{
    (void)s;
    qn_doc d = read_ok(T_FILE("a.rst",
        ".. _target:\n\n=====\nTitle\n=====\n\nSee :c:func:`uv_run` and `a\nlink <https://x.org>`_, ``code``::\n\n    int x;\n\n      y;\n\nPart\n----\n\n"
        ".. c:function:: int f(void)\n\n    Does it.\n\n    .. note::\n        Mind this.\n\n.. code-block:: sh\n    :linenos:\n\n    make\n\n"
        "- one\n- two\n  goes on\n\n+---+---+\n| a | b |\n+===+===+\n| 1 | 2 |\n+---+---+\n\n.. toctree::\n\n   x\n\n===  ===\nk    v\n===  ===\n1    2\n===  ===\n"), NULL);
    block_is(&d, 0, QN_BLOCK_HEADING, "# Title");
    block_is(&d, 1, QN_BLOCK_PARA, "See `uv_run` and a link, `code`:");
    block_is(&d, 2, QN_BLOCK_CODE, "```\nint x;\n\n  y;\n```");
    block_is(&d, 3, QN_BLOCK_HEADING, "## Part");
    block_is(&d, 4, QN_BLOCK_PARA, "`int f(void)`");
    block_is(&d, 5, QN_BLOCK_PARA, "Does it.");
    block_is(&d, 6, QN_BLOCK_PARA, "Note: Mind this.");
    block_is(&d, 7, QN_BLOCK_CODE, "```sh\nmake\n```");
    block_is(&d, 8, QN_BLOCK_LIST, "- one\n- two goes on");
    block_is(&d, 9, QN_BLOCK_TABLE, "| a | b |\n| --- | --- |\n| 1 | 2 |");
    block_is(&d, 10, QN_BLOCK_TABLE, "| k | v |\n| --- | --- |\n| 1 | 2 |");
    assert_int_equal(d.n_blocks, 11);
}

static void html_gives_its_main_content_only(void **s)
{
    (void)s;
    const char *path = T_FILE("a.html",
        "<!doctype html><html lang=en><head><title>T</title><script>evil()</script><link rel=license href=https://x.org/l></head><body>"
        "<nav><a href=1>Home</a></nav><div class='cookie-banner'>We use cookies</div><h1>Head</h1><p>Some&nbsp;text with <b>bold</b><br>and <code>x y</code>.</p>"
        "<ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul><pre><code class='language-c'>int a;\n  int b;</code></pre>"
        "<table><tr><th>a<th>b</tr><tr><td rowspan=2>1<td>2</tr><tr><td>x|y</tr></table><blockquote><p>quoted</p></blockquote>"
        "<p style='display:none'>hidden</p><footer>Imprint</footer></body></html>");
    if (missing_library(path)) return;
    qn_doc d = read_ok(path, NULL);
    assert_string_equal(d.title.p, "T");
    assert_string_equal(d.licence.p, "https://x.org/l");
    block_is(&d, 0, QN_BLOCK_HEADING, "# Head");
    block_is(&d, 1, QN_BLOCK_PARA, "Some text with bold\nand `x y`.");
    block_is(&d, 2, QN_BLOCK_LIST, "- one\n  - inner\n- two");
    block_is(&d, 3, QN_BLOCK_CODE, "```c\nint a;\n  int b;\n```");
    block_is(&d, 4, QN_BLOCK_TABLE, "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 1 | x\\|y |");
    block_is(&d, 5, QN_BLOCK_QUOTE, "> quoted");
    assert_int_equal(d.n_blocks, 6);
}

static void html_nested_without_end_is_an_error_not_a_crash(void **s)
{
    (void)s;
    qn_buf b = {0};
    qn_doc d;
    for (int i = 0; i < 5000; i++) qn_buf_puts(&b, "<div>");
    qn_buf_puts(&b, "deep");
    const char *path = t_file("deep.html", b.p, b.n);
    qn_code rc = qn_doc_read_here(path, NULL, &arena, &d, &err);
    assert_true(rc == QN_ELIMIT || rc == QN_EDATA || rc == QN_EMISSING);
    unlink(path);
    qn_buf_free(&b);
}

/* ---- office ---- made with the zip of Python, which the tests need anyway */
static const char *zip_of(const char *name, const char *python)
{
    static char path[256];
    char cmd[6000];
    snprintf(path, sizeof path, "/tmp/qn_test_%ld_%s", (long)getpid(), name);
    snprintf(cmd, sizeof cmd, "python3 -c \"import zipfile\nz=zipfile.ZipFile('%s','w',zipfile.ZIP_DEFLATED)\n%s\nz.close()\"", path, python);
    assert_int_equal(system(cmd), 0);
    return path;
}

#define W "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'"
static void docx_structure_is_kept(void **s)
{
    (void)s;
    const char *path = zip_of("a.docx",
        "z.writestr('word/styles.xml', '''<w:styles " W "><w:style w:styleId='H'><w:name w:val='heading 2'/></w:style><w:style w:styleId='C'><w:name w:val='Source Code'/></w:style></w:styles>''')\n"
        "z.writestr('word/document.xml', '''<w:document " W "><w:body>"
        "<w:p><w:pPr><w:pStyle w:val='H'/></w:pPr><w:r><w:t>Head</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>Kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t xml:space='preserve'> and new</w:t></w:r></w:ins></w:p>"
        "<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>"
        "<w:p><w:pPr><w:pStyle w:val='C'/></w:pPr><w:r><w:t>a = 1</w:t></w:r></w:p><w:p><w:pPr><w:pStyle w:val='C'/></w:pPr><w:r><w:t>b = 2</w:t></w:r></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>y</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        "</w:body></w:document>''')");
    if (missing_library(path)) return;
    qn_doc d = read_ok(path, NULL);
    block_is(&d, 0, QN_BLOCK_HEADING, "## Head");
    block_is(&d, 1, QN_BLOCK_PARA, "Kept and new");
    block_is(&d, 2, QN_BLOCK_LIST, "- item");
    block_is(&d, 3, QN_BLOCK_CODE, "```\na = 1\nb = 2\n```");
    block_is(&d, 4, QN_BLOCK_TABLE, "| x | y |\n| --- | --- |");
}

static void bombs_and_tricks_are_refused(void **s)
{
    (void)s;
    qn_doc d;
    static const struct { const char *name, *python, *says; } bad[] = {
        { "entities.docx", "z.writestr('word/document.xml', '''<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><d>&b;</d>''')", "declares entities" },
        { "bomb.docx", "z.writestr('word/document.xml', '<d>' + ' ' * (140 << 20) + '</d>')", "unpacks to more than 128 MB" },
        { "nothing.docx", "z.writestr('other.xml', '<d/>')", "word/document.xml is missing" },
        { "broken.docx", "z.writestr('word/document.xml', '<d><e></d>')", "not well-formed" },
        { "path.epub", "z.writestr('META-INF/container.xml', '<c><rootfile full-path=\\\"../../../../etc/passwd\\\"/></c>')", "etc/passwd is missing" },
        { "drm.epub", "z.writestr('META-INF/container.xml', '<c/>'); z.writestr('META-INF/encryption.xml', '<e><EncryptedKey/></e>')", "DRM" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *path = zip_of(bad[i].name, bad[i].python);
        err = (qn_err){0};
        qn_code rc = qn_doc_read_here(path, NULL, &arena, &d, &err);
        unlink(path);
        if (rc == QN_EMISSING) { printf("skipped: %s\n", err.msg); continue; }
        if (rc == QN_OK || !strstr(err.msg, bad[i].says)) fail_msg("%s: `%s`, not `%s`", bad[i].name, err.msg, bad[i].says);
    }
    const char *cut = T_FILE("cut.docx", "PK\x03\x04 not really a zip");
    assert_int_not_equal(qn_doc_read_here(cut, NULL, &arena, &d, &err), QN_OK);
    unlink(cut);
}

static void xlsx_cells_come_as_excel_shows_them(void **s)
{
    (void)s;
    const char *path = zip_of("a.xlsx",
        "z.writestr('xl/workbook.xml', '''<workbook xmlns:r='r'><sheets><sheet name='Data' sheetId='1' r:id='rId1'/></sheets></workbook>''')\n"
        "z.writestr('xl/_rels/workbook.xml.rels', '''<Relationships><Relationship Id='rId1' Target='worksheets/one.xml'/></Relationships>''')\n"
        "z.writestr('xl/sharedStrings.xml', '''<sst><si><t>name</t></si><si><r><t>Jo</t></r><r><t>sé</t></r><rPh><t>no</t></rPh></si></sst>''')\n"
        "z.writestr('xl/styles.xml', '''<styleSheet><numFmts><numFmt numFmtId='170' formatCode='yyyy-mm-dd'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='170'/></cellXfs></styleSheet>''')\n"
        "z.writestr('xl/worksheets/one.xml', '''<worksheet><sheetData><row r='1'><c r='B1' t='inlineStr'><is><t>A report</t></is></c></row>"
        "<row r='3'><c r='B3' t='s'><v>0</v></c><c r='C3' t='inlineStr'><is><t>when</t></is></c><c r='D3' t='inlineStr'><is><t>n</t></is></c><c r='E3' t='inlineStr'><is><t>ok</t></is></c></row>"
        "<row r='4'><c r='B4' t='s'><v>1</v></c><c r='C4' s='1'><v>45658</v></c><c r='D4'><v>0.10000000000000001</v></c><c r='E4' t='b'><v>1</v></c></row>"
        "<row r='5'><c r='B5' t='str'><v>x</v></c><c r='C5' s='2'><v>59</v></c><c r='E5' t='b'><v>0</v></c></row></sheetData></worksheet>''')");
    if (missing_library(path)) return;
    t_rows_are(path, NULL, "{\"name\":\"José\",\"when\":\"2025-01-01\",\"n\":\"0.1\",\"ok\":\"true\"}\n{\"name\":\"x\",\"when\":\"1900-02-28\",\"n\":null,\"ok\":\"false\"}\n");
}

/* ---- the child ---- what this program does when it is started as one */
static qn_code misbehave(const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    if (!strstr(path, "qn_test_")) return qn_doc_read_here(path, o, a, out, e);
    if (strstr(path, "crash")) abort();
    if (strstr(path, "hang")) for (volatile unsigned i = 0;; i++) {}
    if (strstr(path, "quit")) exit(3);
    if (strstr(path, "spawn")) {
        if (fork() >= 0) return qn_fail(e, QN_EDATA, "could start a process");
        return qn_fail(e, QN_EDATA, "could not start a process");
    }
    if (strstr(path, "write")) {
        FILE *f = fopen("/tmp/qn_test_escaped", "w");
        return f ? qn_fail(e, QN_EDATA, "could write a file") : qn_fail(e, QN_EDATA, "could not write a file");
    }
    return qn_doc_read_here(path, o, a, out, e);
}

static void child_says(const char *name, const char *expect)
{
    qn_doc d;
    const char *path = t_file(name, "<p>hello</p>", 12);
    err = (qn_err){0};
    qn_code rc = qn_doc_read(path, NULL, &arena, &d, &err);
    if (rc != QN_EDATA || !strstr(err.msg, expect)) fail_msg("%s: %d `%s`, not `%s`", name, rc, err.msg, expect);
    unlink(path);
}

static void a_crash_or_a_hang_is_one_failed_file(void **s)
{
    (void)s;
    qn_doc d;
    qn_doc_child_setup(NULL, 1000);
    const char *path = T_FILE("fine.html", "<p>hello</p>");
    if (missing_library(path)) return;
    for (int i = 0; i < 3; i++) {
        child_says("crash.html", "crashed");
        child_says("quit.html", "ended");
        child_says("hang.html", "took longer than 1 s");
        path = T_FILE("fine.html", "<p>hello</p>");
        assert_int_equal(qn_doc_read(path, NULL, &arena, &d, &err), QN_OK);
        block_is(&d, 0, QN_BLOCK_PARA, "hello");
        unlink(path);
    }
    qn_doc_child_setup(NULL, 60000);
}

static void the_child_cannot_start_programs_or_write_files(void **s)
{
    (void)s;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    printf("skipped: sanitizer builds keep their system calls\n");
#else
    child_says("spawn.html", "could not start");
    child_says("write.html", "could not write");
#endif
}

static void what_the_child_reads_is_what_would_be_read_here(void **s)
{
    (void)s;
    qn_doc a, b;
    const char *path = T_FILE("same.md", "---\ntitle: T\nauthor: A\n---\n# H\n\n- x\n- y\n\n```\ncode\n```\n");
    if (missing_library(path)) return;
    assert_int_equal(qn_doc_read_here(path, NULL, &arena, &a, &err), QN_OK);
    assert_int_equal(qn_doc_read(path, NULL, &arena, &b, &err), QN_OK);
    unlink(path);
    assert_true(qn_str_eq(a.text, b.text) && qn_str_eq(a.title, b.title) && qn_str_eq(a.licence, b.licence) && qn_str_eq(a.warning, b.warning));
    assert_int_equal(a.n_blocks, b.n_blocks);
    assert_memory_equal(a.blocks, b.blocks, a.n_blocks * sizeof *a.blocks);
    assert_int_equal(a.n_meta, b.n_meta);
    for (size_t i = 0; i < a.n_meta; i++) assert_true(qn_str_eq(a.meta[i].name, b.meta[i].name) && qn_v_eq(a.meta[i].value, b.meta[i].value));
}

/* ---- all real files ---- */
typedef struct { size_t n, ok, refused, missing; } tally;

static qn_code judge_file(void *arg, const char *file, qn_err *e)
{
    tally *t = arg;
    qn_arena a = {0};
    qn_doc d;
    qn_err why = {0};
    (void)e;
    qn_code rc = qn_doc_read(file, NULL, &a, &d, &why);
    t->n++;
    if (rc == QN_OK) { sound(&d, file); t->ok++; }
    else if (rc == QN_EMISSING) t->missing++;
    else {
        t->refused++;
        if (rc != QN_EDATA || strlen(why.msg) < 15) fail_msg("%s: no clear verdict: %d `%s`", file, rc, why.msg);
    }
    qn_arena_free(&a);
    return QN_OK;
}

static void every_real_file_gets_a_verdict(void **s)
{
    (void)s;
    tally t = {0};
    const char *shared = t_shared();
    if (!shared) return;
    char *path = qn_path_join(shared, "docs");
    assert_int_equal(qn_files_each(path, judge_file, &t, &err), QN_OK);
    printf("%zu files: %zu read, %zu refused with a reason, %zu need a library that is not here\n", t.n, t.ok, t.refused, t.missing);
    assert_true(t.n >= 617);
    assert_true(t.missing > 0 || t.refused <= 8);
    qn_free(path);
}

static void a_scan_without_text_says_so(void **s)
{
    (void)s;
    const char *shared = t_shared();
    qn_doc d;
    if (!shared) return;
    char *path = qn_path_join(shared, "docs/pdf/scan_no_text_layer.pdf");
    if (!missing_library(path)) {
        assert_int_equal(qn_doc_read(path, NULL, &arena, &d, &err), QN_EDATA);
        assert_non_null(strstr(err.msg, "a scan: its 3 pages are pictures"));
        assert_non_null(strstr(err.hint, "OCR"));
    }
    qn_free(path);
}

static void a_pdf_manual_has_headings_tables_and_pages(void **s)
{
    (void)s;
    const char *shared = t_shared();
    if (!shared) return;
    char *path = qn_path_join(shared, "docs/pdf/decnumber_manual.pdf");
    qn_doc d;
    size_t kinds[6] = {0};
    if (!missing_library(path)) {
        assert_int_equal(qn_doc_read(path, NULL, &arena, &d, &err), QN_OK);
        for (size_t i = 0; i < d.n_blocks; i++) kinds[d.blocks[i].kind]++;
        assert_int_equal(d.blocks[d.n_blocks - 1].page, 95);
        assert_true(kinds[QN_BLOCK_HEADING] > 50 && kinds[QN_BLOCK_TABLE] > 10 && kinds[QN_BLOCK_CODE] > 10);
        assert_true(qn_str_find(d.text, QN_STR("arbitrary-precision")) > 0);
    }
    qn_free(path);
}

static int done(void **s) { (void)s; qn_arena_free(&arena); return 0; }

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--reader-child") == 0) return qn_doc_child_serve(misbehave);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(txt_keeps_its_text_and_knows_where_paragraphs_stand), cmocka_unit_test(txt_in_another_encoding_says_which),
        cmocka_unit_test(markdown_blocks_keep_their_bytes), cmocka_unit_test(rst_is_read_as_documentation_uses_it),
        cmocka_unit_test(html_gives_its_main_content_only),
        cmocka_unit_test(html_nested_without_end_is_an_error_not_a_crash), cmocka_unit_test(docx_structure_is_kept),
        cmocka_unit_test(bombs_and_tricks_are_refused), cmocka_unit_test(xlsx_cells_come_as_excel_shows_them),
        cmocka_unit_test(a_crash_or_a_hang_is_one_failed_file), cmocka_unit_test(the_child_cannot_start_programs_or_write_files),
        cmocka_unit_test(what_the_child_reads_is_what_would_be_read_here), cmocka_unit_test(every_real_file_gets_a_verdict),
        cmocka_unit_test(a_scan_without_text_says_so), cmocka_unit_test(a_pdf_manual_has_headings_tables_and_pages),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
