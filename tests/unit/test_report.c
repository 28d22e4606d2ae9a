/* test_report: the page, the card and the summary say what the files hold, whatever the rows hold. */
#include "core/file.h"
#include "ledger/ledger.h"
#include "report/report.h"
#include "report/survey.h"
#include "report/trace.h"
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yaml.h>
#include <zstd.h>
#include <cmocka.h>

static char dir[64];
static qn_arena arena;
#define EVIL "</script><script>document.title='owned'</script><img src=x onerror=alert(1)><!-- {{data}} \xe2\x80\xae"

static int setup(void **s)
{
    (void)s;
    snprintf(dir, sizeof dir, "/tmp/quern_report.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **s)
{
    (void)s;
    char cmd[128];
    qn_arena_free(&arena);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

/* ---- helpers ---- */
static char *in_dir(const char *name)
{
    return (char *)(uintptr_t)qn_arena_printf(&arena, "%s/%s", dir, name).p;
}

static void put_file(const char *path, qn_str text)
{
    qn_err e = {0};
    if (qn_file_write(path, text, &e) != QN_OK) fail_msg("%s", e.msg);
}

static qn_value parse(qn_str text)
{
    qn_err e = {0};
    qn_value v;
    if (qn_json_parse(text, &arena, &v, &e) != QN_OK) fail_msg("%s", e.msg);
    return v;
}

/* "rows.in", "fields.0.name" */
static qn_value at(qn_value v, const char *path)
{
    while (*path) {
        size_t n = strcspn(path, ".");
        qn_str key = { path, n };
        int64_t i;
        if (v.kind == QN_V_LIST && qn_str_to_i64(key, &i)) v = qn_v_at(v, (size_t)i);
        else if (!qn_v_get(v, key, &v)) fail_msg("there is no %s", path);
        path += n + (path[n] == '.');
    }
    return v;
}
static double num(qn_value v, const char *path) { return qn_v_number(at(v, path)); }

static size_t count(qn_str hay, const char *what)
{
    size_t n = 0;
    for (ptrdiff_t k; (k = qn_str_find(hay, qn_str_of(what))) >= 0; n++) hay = qn_str_sub(hay, (size_t)k + strlen(what), hay.n);
    return n;
}

static qn_str between(qn_str s, const char *from, const char *to)
{
    ptrdiff_t a = qn_str_find(s, qn_str_of(from));
    assert_true(a >= 0);
    s = qn_str_sub(s, (size_t)a + strlen(from), s.n);
    ptrdiff_t b = qn_str_find(s, qn_str_of(to));
    assert_true(b >= 0);
    return qn_str_sub(s, 0, (size_t)b);
}

static const qn_report_reason REASONS[] = { { "support below 0.8", 20, false, "00112233445566778899aabbccddeeff" }, { EVIL, 10, true, NULL } };
static const qn_report_step STEPS[] = {
    { "read", "read_rows", "rows of a file", 0, 100, 0, 0, NULL, 0 },
    { EVIL, "in_source", EVIL, 100, 70, 20, 10, REASONS, 2 },
};
static const qn_report_source SOURCES[] = { { EVIL, "CC-BY-SA-4.0", NULL, 60, 1000 }, { "b|c\n# d", "Custom Licence 7", "abc", 40, 0 } };
static const qn_report_model MODELS[] = { { "writer", EVIL, "http://127.0.0.1:1/v1", NULL, "no training", 130, 1000, 500, 0.25, true } };

static qn_report_facts some_facts(void)
{
    return (qn_report_facts){ .dir = dir, .recipe = EVIL, .about = EVIL, .command = EVIL, .ended = "budget", .ended_words = EVIL, .seed = UINT64_MAX,
        .params = qn_v_null(), .rows = { 100, 70, 20, 10, 3, 2, 1, 4 }, .steps = STEPS, .n_steps = 2, .calls = { 130, 7, 10, 5 },
        .tokens = { 1000, 500 }, .cost_usd = 0.25, .cost_all_usd = 0.7, .seconds = 12.3456, .cpu_seconds = 0.5, .peak_memory_bytes = 12345678,
        .interrupted_in_flight = 2, .interrupted_worst_usd = 0.02, .sources = SOURCES, .n_sources = 2, .models = MODELS, .n_models = 1 };
}

static qn_value page_data(const qn_report_facts *f, qn_buf *page)
{
    qn_err e = {0};
    if (qn_report_text(f, page, &e) != QN_OK) fail_msg("%s", e.msg);
    return parse(between(qn_buf_view(page), "<script type=\"application/json\" id=\"facts\">", "</script>"));
}

/* ---- summary ---- */
static void the_summary_adds_up_and_has_every_promised_key(void **s)
{
    (void)s;
    qn_report_facts f = some_facts();
    qn_buf b = {0};
    qn_summary_text(&f, &b);
    assert_int_equal(b.p[b.n - 1], '\n');
    qn_value v = parse((qn_str){ b.p, b.n - 1 });
    assert_true(num(v, "rows.in") == num(v, "rows.accepted") + num(v, "rows.rejected") + num(v, "rows.failed"));
    static const char *const keys[] = { "rows.pending", "rows.ahead", "calls.sent", "calls.replayed", "calls.failed", "tokens.prompt", "tokens.completion",
        "cost_usd", "seconds", "peak_memory_bytes", "interrupted_in_flight" };
    static const double want[] = { 3, 2, 130, 7, 10, 1000, 500, 0.25, 12.346, 12345678, 2 };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) assert_true(num(v, keys[i]) == want[i]);
    assert_true(num(v, "cost_per_accepted_usd") == 0.01);
    assert_true(num(v, "per_step.1.in") == 100 && num(v, "per_step.1.out") == 70);
    assert_true(num(v, "per_step.1.reasons.0.n") + num(v, "per_step.1.reasons.1.n") == num(v, "per_step.1.rejected") + num(v, "per_step.1.failed"));
    assert_true(qn_str_is(qn_v_str(at(v, "per_step.1.reasons.1.reason")), EVIL));
    assert_int_equal(at(v, "seed").u, UINT64_MAX);
    assert_non_null(strstr(b.p, "\"cost_usd\": 0.25,"));
    qn_buf_free(&b);
}

/* ---- page ---- */
static void nothing_in_a_row_or_a_name_becomes_markup(void **s)
{
    (void)s;
    qn_report_facts f = some_facts();
    qn_buf page = {0};
    f.data_path = in_dir("data.jsonl");
    f.rejected_path = in_dir("rejected.jsonl");
    put_file(f.data_path, QN_STR("{\"" EVIL "\":\"" EVIL "\",\"n\":1}\n{\"q\":\"<!--<script>\"}\n\"text\"\n{broken\n{\"bad\":\"\xff\xfe\"}\n"));
    put_file(f.rejected_path, QN_STR("{\"q\":\"" EVIL "\",\"_step\":\"" EVIL "\",\"_reason\":\"" EVIL "\",\"_measure\":\"support\"}\n"));
    qn_value v = page_data(&f, &page);
    qn_str html = qn_buf_view(&page);
    assert_int_equal(count(html, "<script"), 2);
    assert_int_equal(count(html, "</script"), 2);
    assert_int_equal(count(html, "<style"), 1);
    assert_int_equal(count(html, "<img"), 0);
    assert_int_equal(count(html, "<!--"), 0);
    assert_int_equal(count(html, "http-equiv=\"Content-Security-Policy\""), 1);
    assert_true(qn_utf8_valid(html));
    assert_true(qn_str_is(qn_v_str(at(v, "recipe")), EVIL));
    assert_true(qn_str_is(qn_v_str(at(v, "samples.0.row.0.2")), EVIL));
    assert_true(qn_str_is(qn_v_str(at(v, "left_out.0.reason")), EVIL));
    assert_true(num(v, "survey.rows") == 5 && num(v, "survey.looked_into") == 2 && num(v, "survey.unreadable") == 3);
    assert_true(num(v, "rows.in") == 100 && num(v, "rows.accepted") == 70 && num(v, "steps.1.rejected") == 20);
    assert_true(num(v, "cost_all_usd") == 0.7);
    qn_buf_free(&page);
}

static void base64_of_sha256(qn_str text, char out[64])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t h[33] = { 0 };
    qn_sha256(text.p, text.n, h);
    for (int i = 0; i < 44; i++) {
        int bit = 6 * i, byte = bit / 8;
        unsigned two = (unsigned)h[byte] << 8 | (byte + 1 < 33 ? h[byte + 1] : 0u);
        out[i] = i == 43 ? '=' : digits[two >> (10 - bit % 8) & 63];
    }
    out[44] = 0;
}

static void the_content_policy_names_the_very_script_and_style_of_the_page(void **s)
{
    (void)s;
    qn_report_facts f = some_facts();
    qn_buf page = {0};
    char hash[64];
    page_data(&f, &page);
    qn_str html = qn_buf_view(&page), policy = between(html, "http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    base64_of_sha256(between(html, "<style>", "</style>"), hash);
    assert_true(qn_str_find(policy, qn_str_of(hash)) > 0);
    base64_of_sha256(between(html, "<script>", "</script>"), hash);
    assert_true(qn_str_find(policy, qn_str_of(hash)) > 0);
    assert_true(qn_str_starts(policy, QN_STR("default-src 'none'")));
    assert_int_equal(count(policy, "unsafe"), 0);
    assert_int_equal(count(html, "https://"), 0);
    qn_buf_free(&page);
}

static void a_run_that_left_nothing_still_has_a_page(void **s)
{
    (void)s;
    qn_report_facts f = { .dir = dir, .params = qn_v_null(), .data_path = in_dir("none.jsonl") };
    qn_err e = {0};
    assert_int_equal(qn_report_write(&f, &e), QN_OK);
    assert_int_equal(qn_summary_write(&f, &e), QN_OK);
    assert_int_equal(qn_card_write(&f, &e), QN_OK);
    assert_true(qn_file_exists(in_dir("report.html")) && qn_file_exists(in_dir("summary.json")) && qn_file_exists(in_dir("README.md")));
}

/* The page in a real browser: it draws every section, throws nothing, and hostile rows do nothing. */
static void a_browser_draws_the_page(void **s)
{
    (void)s;
    if (system("command -v chromium >/dev/null 2>&1") != 0) { print_message("no chromium: the page is not drawn\n"); skip(); }
    qn_report_facts f = some_facts();
    qn_err e = {0};
    qn_buf dom = {0};
    char cmd[600];
    f.data_path = in_dir("data.jsonl");
    put_file(f.data_path, QN_STR("{\"q\":\"What turns the stone?\",\"evil\":\"" EVIL "\",\"score\":3}\n{\"q\":\"Who grinds?\",\"evil\":\"\",\"score\":4}\n"));
    assert_int_equal(qn_report_write(&f, &e), QN_OK);
    snprintf(cmd, sizeof cmd, "timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
             "--disable-sync --no-first-run --user-data-dir=%s/profile --virtual-time-budget=2000 --dump-dom file://%s/report.html >%s/dom 2>/dev/null",
             dir, dir, dir);
    if (system(cmd) != 0 || qn_file_read(in_dir("dom"), 0, &dom, &e) != QN_OK || dom.n == 0) {
        print_message("chromium does not run here: the page is not drawn\n");
        skip();
    }
    qn_str drawn = between(qn_buf_view(&dom), "<main", "</main>");
    static const char *const parts[] = { "Where every row went", "Why rows were left out", "What the rows hold", "Rows to read", "What it is made from",
        "70 rows", "Made by quern", "What turns the stone?" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!count(drawn, parts[i])) fail_msg("the page does not show \"%s\"", parts[i]);
    assert_int_equal(count(drawn, "undefined"), 0);
    assert_int_equal(count(drawn, "NaN"), 0);
    assert_int_equal(count(drawn, "<img"), 0);
    assert_int_equal(count(qn_buf_view(&dom), "<title>owned"), 0);
    qn_buf_free(&dom);
}

/* ---- survey ---- */
static qn_value survey_of(const char *path, uint64_t n_rows)
{
    qn_survey *s;
    qn_err e = {0};
    qn_buf b = {0};
    if (qn_survey_read(&s, path, n_rows, &e) != QN_OK) fail_msg("%s", e.msg);
    qn_survey_put(s, &b);
    qn_value v = parse(qn_buf_view(&b));
    qn_survey_free(s);
    qn_buf_free(&b);
    return v;
}

static qn_value field(qn_value survey, const char *name)
{
    qn_str none;
    qn_value f, list = at(survey, "fields");
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, &none, &f);)
        if (qn_str_is(qn_v_str(at(f, "name")), name)) return f;
    fail_msg("no field %s", name);
    return list;
}

static double sum(qn_value list)
{
    qn_str none;
    qn_value x;
    double t = 0;
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, &none, &x);) t += qn_v_number(x.kind == QN_V_LIST ? qn_v_at(x, 1) : x);
    return t;
}

static void the_survey_counts_what_is_there(void **s)
{
    (void)s;
    qn_buf b = {0};
    static const char *const first[] = { "What is", "How many", "Who was" };
    for (int i = 0; i < 300; i++)
        qn_buf_printf(&b, "{\"q\":\"%s the mill number %d of the %d in a valley with %d rivers?\",\"kind\":\"%s\",\"score\":%d,\"tags\":[%s],\"same\":\"again and again the very same words\","
                      "\"t\":{\"rows\":%d},\"gone\":%s,\"_id\":\"x\"}\n", first[i % 3], i, 7 * i + 1, 3 * i + 2, i % 5 ? "fact" : "number", i % 4 + 1, i % 2 ? "1,2" : "", i, i % 2 ? "null" : "\"here\"");
    put_file(in_dir("data.jsonl"), qn_buf_view(&b));
    qn_value v = survey_of(in_dir("data.jsonl"), 300), q = field(v, "q"), same = field(v, "same"), kind = field(v, "kind"), score = field(v, "score");
    assert_true(num(v, "rows") == 300 && num(v, "looked_into") == 300 && num(v, "unreadable") == 0);
    assert_true(num(q, "filled") == 1);
    assert_true(fabs(num(q, "distinct") - 300) <= 6);
    assert_true(num(q, "words.p50") == 15 && num(q, "words.min") == 15);
    assert_true(sum(at(q, "words.hist.counts")) == 300);
    assert_true(num(q, "openings.0.1") == 100 && num(q, "openings_distinct") == 3);
    assert_true(num(q, "repeated") == 0);
    assert_true(num(q, "distinct1") < 0.4 && num(q, "distinct2") > num(q, "distinct1"));
    assert_true(qn_str_is(qn_v_str(at(same, "shape")), "category"));
    assert_true(qn_str_is(qn_v_str(at(kind, "shape")), "category"));
    assert_true(num(kind, "values.0.1") == 240 && num(kind, "values.1.1") == 60);
    assert_true(num(score, "number.mean") == 2.5 && num(score, "number.min") == 1 && num(score, "number.max") == 4);
    assert_true(sum(at(score, "number.hist.counts")) == 300);
    assert_true(num(field(v, "tags"), "elements.max") == 2);
    assert_true(num(field(v, "t.rows"), "number.max") == 299);
    assert_true(num(field(v, "gone"), "filled") == 0.5);
    qn_str none;
    qn_value f, list = at(v, "fields");
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, &none, &f);) assert_false(qn_str_is(qn_v_str(at(f, "name")), "_id"));
    qn_buf_free(&b);
}

static void repeats_and_near_duplicates_are_seen(void **s)
{
    (void)s;
    qn_buf b = {0};
    for (int i = 0; i < 200; i++) {
        int k = i < 100 ? i : i - 100;      /* the second hundred: 50 equal, 50 with one word changed at the end */
        qn_buf_printf(&b, "{\"q\":\"t%d u%d v%d w%d x%d y%d z%d a%d b%d c%d d%d e%d f%d g%d h%d i%d j%d k%d l%d %s\"}\n", k, k, k, k, k, k, k, k, k, k, k, k, k, k,
                      k, k, k, k, k, i >= 150 ? "other" : "end");
    }
    put_file(in_dir("data.jsonl"), qn_buf_view(&b));
    qn_value q = field(survey_of(in_dir("data.jsonl"), 200), "q");
    assert_true(num(q, "repeated") == 50);
    assert_true(num(q, "near") >= 0.49 && num(q, "near") <= 0.5);
    qn_buf_free(&b);
}

static void a_large_file_is_sampled_the_same_way_each_time(void **s)
{
    (void)s;
    qn_buf b = {0};
    for (int i = 0; i < 120000; i++) qn_buf_printf(&b, "{\"n\":%d}\n", i);
    put_file(in_dir("data.jsonl"), qn_buf_view(&b));
    qn_value known = survey_of(in_dir("data.jsonl"), 120000), counted = survey_of(in_dir("data.jsonl"), 0);
    assert_true(num(known, "rows") == 120000);
    assert_true(fabs(num(known, "looked_into") - 50000) < 1000);
    assert_true(num(known, "looked_into") == num(counted, "looked_into"));
    assert_true(num(field(known, "n"), "number.mean") == num(field(counted, "n"), "number.mean"));
    assert_true(fabs(num(field(known, "n"), "number.mean") - 60000) < 600);
    qn_survey *sv;
    const qn_survey_sample *rows;
    qn_err e = {0};
    assert_int_equal(qn_survey_read(&sv, in_dir("data.jsonl"), 120000, &e), QN_OK);
    assert_int_equal(qn_survey_samples(sv, &rows), QN_SURVEY_SAMPLES);
    for (int i = 0; i < QN_SURVEY_SAMPLES; i++) {
        char want[64];
        snprintf(want, sizeof want, "[[\"n\",\"number\",\"%d\",0]]", (int)rows[i].line);
        assert_string_equal(rows[i].json.p, want);
        if (i) assert_true(rows[i].line > rows[i - 1].line);
    }
    qn_survey_free(sv);
    qn_buf_free(&b);
}

static void a_row_too_large_to_look_into_is_counted_and_passed_over(void **s)
{
    (void)s;
    qn_buf b = {0};
    qn_buf_puts(&b, "{\"n\":1}\n{\"huge\":\"");
    size_t n = 40 << 20;
    qn_buf_reserve(&b, n);
    memset(b.p + b.n, 'y', n);
    b.n += n;
    qn_buf_puts(&b, "\"}\n{\"n\":2}");
    put_file(in_dir("data.jsonl"), qn_buf_view(&b));
    qn_buf_free(&b);
    qn_value v = survey_of(in_dir("data.jsonl"), 3);
    assert_true(num(v, "rows") == 3 && num(v, "looked_into") == 2 && num(v, "unreadable") == 1);
}

static void long_fields_are_cut_and_say_by_how_much(void **s)
{
    (void)s;
    qn_buf b = {0}, out = {0};
    qn_buf_puts(&b, "{\"a\":\"");
    for (int i = 0; i < 3000; i++) qn_buf_puts(&b, "\xc3\xa9");    /* 6,000 bytes, two each */
    qn_buf_puts(&b, "\"}");
    assert_true(qn_survey_put_row(qn_buf_view(&b), false, &out));
    qn_value v = parse(qn_buf_view(&out));
    assert_int_equal(qn_v_str(at(v, "0.2")).n, 4000);
    assert_true(num(v, "0.3") == 2000);
    assert_false(qn_survey_put_row(QN_STR("[1]"), false, &out));
    qn_buf_free(&b);
    qn_buf_free(&out);
}

/* ---- trace ---- */
static void put_trace(const char *path, qn_str text, size_t keep)
{
    size_t n = ZSTD_compressBound(text.n);
    char *packed = qn_alloc(n);
    n = ZSTD_compress(packed, n, text.p, text.n, 3);
    put_file(path, (qn_str){ packed, n < keep ? n : keep });
    qn_free(packed);
}

static const char TRACE[] =
    "{\"id\":\"aa112233445566778899aabbccddeeff\",\"path\":[{\"id\":\"01\"},{\"id\":\"aa112233445566778899aabbccddeeff\",\"step\":\"chunk\",\"k\":2}],"
    "\"source\":{\"path\":\"docs/mill.md\",\"licence\":\"MIT\"},\"calls\":[{\"step\":\"ask\",\"key\":\"00000000000000010000000000000002\"},"
    "{\"step\":\"judge\",\"key\":\"00000000000000090000000000000009\"}]}\n"
    "{\"id\":\"ab112233445566778899aabbccddeeff\",\"path\":[],\"source\":null,\"calls\":[]}\n";

static void a_row_is_traced_to_its_source_prompt_and_reply(void **s)
{
    (void)s;
    qn_err e = {0};
    qn_ledger *l;
    qn_buf out = {0};
    put_trace(in_dir("trace.jsonl.zst"), qn_str_of(TRACE), SIZE_MAX);
    assert_int_equal(qn_ledger_open(&l, in_dir("ledger.db"), NULL, &e), QN_OK);
    qn_hash128 key = { 1, 2 };
    uint64_t it = qn_ledger_intent(l, &(qn_intent){ .key = key, .step = "ask",
        .request = QN_STR("{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"What turns\\nthe stone?\"}]}") }, NULL);
    qn_ledger_record(l, &(qn_record){ .key = key, .intent = it, .body = QN_STR("{\"text\":\"The water.\",\"thinking\":\"A mill.\"}"), .prompt_tokens = 9,
                                      .completion_tokens = 3, .cost_usd = 0.5, .attempts = 1 }, NULL);
    assert_int_equal(qn_ledger_close(l, &e), QN_OK);
    if (qn_trace_tell(dir, in_dir("ledger.db"), "aa11", &out, &e) != QN_OK) fail_msg("%s", e.msg);
    static const char *const parts[] = { "row aa112233445566778899aabbccddeeff", "path: docs/mill.md", "licence: MIT", "number 3 of chunk", "asked as system", "      Be brief.",
        "      What turns\n      the stone?", "      A mill.", "      The water.", "3 tokens, 0.5 USD", "not in this ledger" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(out.p, parts[i])) fail_msg("\"%s\" is not in:\n%s", parts[i], out.p);
    qn_buf_clear(&out);
    assert_int_equal(qn_trace_json(dir, in_dir("ledger.db"), "aa", &out, &e), QN_OK);
    qn_value v = parse(qn_buf_view(&out));
    assert_true(qn_str_is(qn_v_str(at(v, "calls.0.prompt.1.1")), "What turns\nthe stone?"));
    assert_true(num(v, "calls.0.cost_usd") == 0.5);
    assert_int_equal(qn_trace_json(dir, NULL, "ab1", &out, &e), QN_OK);         /* no ledger: keys alone */
    assert_int_equal(qn_trace_json(dir, NULL, "a", &out, &e), QN_EDATA);
    assert_non_null(strstr(e.msg, "several rows"));
    assert_int_equal(qn_trace_json(dir, NULL, "ff", &out, &e), QN_EDATA);
    assert_non_null(strstr(e.msg, "no accepted row"));
    assert_int_equal(qn_trace_json("/no/such", NULL, "ff", &out, &e), QN_ERECIPE);
    qn_buf_free(&out);
}

static bool take_line(void *arg, uint64_t number, qn_str line)
{
    (void)number;
    (void)line;
    ++*(size_t *)arg;
    return true;
}

static void a_trace_that_ends_early_gives_what_is_there(void **s)
{
    (void)s;
    qn_buf b = {0};
    qn_err e = {0};
    size_t n = 0, whole = 0;
    for (int i = 0; i < 40000; i++) qn_buf_printf(&b, "{\"id\":\"%032d\",\"x\":%d}\n", i, i * 7919 % 10007);
    put_trace(in_dir("whole.zst"), qn_buf_view(&b), SIZE_MAX);
    put_trace(in_dir("half.zst"), qn_buf_view(&b), 100000);
    assert_int_equal(qn_trace_each(in_dir("whole.zst"), take_line, &whole, &e), QN_OK);
    assert_int_equal(whole, 40000);
    assert_int_equal(qn_trace_each(in_dir("half.zst"), take_line, &n, &e), QN_OK);
    assert_true(n > 1000 && n < 40000);
    put_file(in_dir("bad.zst"), QN_STR("this is not zstd at all"));
    assert_int_equal(qn_trace_each(in_dir("bad.zst"), take_line, &n, &e), QN_EIO);
    assert_non_null(strstr(e.msg, "is damaged"));
    qn_buf_free(&b);
}

static void sample_rows_carry_their_own_trace(void **s)
{
    (void)s;
    qn_report_facts f = some_facts();
    qn_buf data = {0}, trace = {0}, page = {0};
    for (int i = 0; i < 50; i++) {
        qn_buf_printf(&data, "{\"n\":%d}\n", i);
        qn_buf_printf(&trace, "{\"id\":\"%032d\",\"path\":[],\"source\":{\"line\":%d},\"calls\":[]}\n", i, i);
    }
    f.data_path = in_dir("data.jsonl");
    f.trace_path = in_dir("trace.jsonl.zst");
    put_file(f.data_path, qn_buf_view(&data));
    put_trace(f.trace_path, qn_buf_view(&trace), SIZE_MAX);
    qn_value v = page_data(&f, &page);
    for (int i = 0; i < QN_SURVEY_SAMPLES; i++) {
        char path[64];
        snprintf(path, sizeof path, "samples.%d", i);
        qn_value x = at(v, path);
        int64_t n;
        assert_true(qn_str_to_i64(qn_v_str(at(x, "row.0.2")), &n));
        assert_true(num(x, "line") == (double)n + 1);
        assert_true(num(x, "trace.source.line") == (double)n);
    }
    qn_buf_clear(&page);
    put_trace(f.trace_path, qn_str_of(TRACE), SIZE_MAX);           /* not of this set: as many lines are needed as rows */
    assert_int_equal(at(page_data(&f, &page), "samples.0.trace").kind, QN_V_NULL);
    qn_buf_free(&data);
    qn_buf_free(&trace);
    qn_buf_free(&page);
}

/* ---- card ---- */
static const char *yaml_value(yaml_document_t *doc, const char *key)
{
    yaml_node_t *root = yaml_document_get_root_node(doc);
    assert_int_equal(root->type, YAML_MAPPING_NODE);
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top; p++) {
        yaml_node_t *k = yaml_document_get_node(doc, p->key), *v = yaml_document_get_node(doc, p->value);
        if (strcmp((char *)k->data.scalar.value, key) != 0) continue;
        if (v->type == YAML_SEQUENCE_NODE) v = yaml_document_get_node(doc, *v->data.sequence.items.start);
        return v->type == YAML_SCALAR_NODE ? (char *)v->data.scalar.value : "";
    }
    return NULL;
}

static void load_front(const qn_buf *card, yaml_document_t *doc)
{
    yaml_parser_t p;
    qn_str front = between(qn_buf_view(card), "---\n", "\n---\n");
    yaml_parser_initialize(&p);
    yaml_parser_set_input_string(&p, (const unsigned char *)front.p, front.n);
    if (!yaml_parser_load(&p, doc)) fail_msg("the card's front matter is no YAML: %s", p.problem);
    yaml_parser_delete(&p);
}

static void the_cards_front_matter_is_yaml_whatever_the_names(void **s)
{
    (void)s;
    qn_report_facts f = some_facts();
    static const char *const languages[] = { "no", "en" };      /* `no` must stay a text */
    qn_buf b = {0};
    yaml_document_t doc;
    f.languages = languages;
    f.n_languages = 2;
    f.recipe = "a: b\n---\n- c \"d\" \\ # e \x01\x7f \xc2\x85 \xe2\x80\xa8 \xef\xbb\xbf \xff";
    qn_card_text(&f, &b);
    load_front(&b, &doc);
    assert_string_equal(yaml_value(&doc, "pretty_name"), "a: b\n---\n- c \"d\" \\ # e \x01\x7f \xc2\x85 \xe2\x80\xa8 \xef\xbb\xbf \xef\xbf\xbd");
    assert_string_equal(yaml_value(&doc, "language"), "no");
    assert_string_equal(yaml_value(&doc, "license"), "cc-by-sa-4.0");
    assert_string_equal(yaml_value(&doc, "size_categories"), "n<1K");
    yaml_document_delete(&doc);
    assert_non_null(strstr(b.p, "100 rows in = **70 accepted** + 20 rejected + 10 failed."));
    assert_non_null(strstr(b.p, "b\\|c \\# d"));                  /* a name cannot end a table's cell or line */
    assert_int_equal(count(between(qn_buf_view(&b), "## Sources", "## Models"), "<script"), count(between(qn_buf_view(&b), "## Sources", "## Models"), "\\<script"));
    assert_non_null(strstr(b.p, "did not end by itself"));
    qn_buf_free(&b);
}

static void licences_become_the_hubs_words(void **s)
{
    (void)s;
    static const struct { const char *licence, *want, *name; } cases[] = {
        { "Apache-2.0", "apache-2.0", NULL }, { "MIT", "mit", NULL }, { "CC BY 4.0", "cc-by-4.0", NULL }, { "My own: terms", "other", "My own: terms" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qn_report_facts f = { .dir = dir, .params = qn_v_null(), .licence = cases[i].licence };
        qn_buf b = {0};
        yaml_document_t doc;
        qn_card_text(&f, &b);
        load_front(&b, &doc);
        assert_string_equal(yaml_value(&doc, "license"), cases[i].want);
        const char *name = yaml_value(&doc, "license_name");
        if (cases[i].name) assert_string_equal(name, cases[i].name); else assert_null(name);
        yaml_document_delete(&doc);
        qn_buf_free(&b);
    }
}

static void the_card_states_the_human_part(void **s)
{
    (void)s;
    for (int level = 0; level <= 6; level++) {
        qn_report_facts f = { .dir = dir, .params = qn_v_null(), .human = (qn_human_level)level };
        qn_buf b = {0};
        char want[32];
        qn_card_text(&f, &b);
        snprintf(want, sizeof want, level ? "Level %d of 6" : "Not known", level);
        assert_non_null(strstr(b.p, want));
        assert_int_equal(strstr(b.p, "- \"synthetic\"") != NULL, level != 1 && level != 2);
        qn_buf_free(&b);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_summary_adds_up_and_has_every_promised_key), T(nothing_in_a_row_or_a_name_becomes_markup),
        T(the_content_policy_names_the_very_script_and_style_of_the_page), T(a_run_that_left_nothing_still_has_a_page), T(a_browser_draws_the_page),
        T(the_survey_counts_what_is_there), T(repeats_and_near_duplicates_are_seen), T(a_large_file_is_sampled_the_same_way_each_time),
        T(a_row_too_large_to_look_into_is_counted_and_passed_over), T(long_fields_are_cut_and_say_by_how_much),
        T(a_row_is_traced_to_its_source_prompt_and_reply), T(a_trace_that_ends_early_gives_what_is_there), T(sample_rows_carry_their_own_trace),
        T(the_cards_front_matter_is_yaml_whatever_the_names), T(licences_become_the_hubs_words), T(the_card_states_the_human_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
