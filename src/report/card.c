/* card: README.md, a Hugging Face dataset card: YAML front matter for programs, then what a person needs to decide whether to use the set. */
#include "core/file.h"
#include "core/map.h"
#include "report/put.h"
#include "report/report.h"
#include "report/survey.h"
#include <ctype.h>

/* ---- YAML ---- double-quoted: JSON's escapes, and all that YAML 1.1 does not count as printable */
void qn_yaml_put_text(qn_buf *b, qn_str s)
{
    qn_buf_putc(b, '"');
    for (size_t i = 0; i < s.n;) {
        char utf8[4];
        uint32_t c = qn_utf8_next(s, &i);
        if (c == '"' || c == '\\') qn_buf_printf(b, "\\%c", (char)c);
        else if (c == '\n') qn_buf_puts(b, "\\n");
        else if (c == '\t') qn_buf_puts(b, "\\t");
        else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) qn_buf_printf(b, "\\x%02x", (unsigned)c);
        else if (c == 0x2028 || c == 0x2029 || c == 0xfeff || (c & 0xfffe) == 0xfffe) {
            if (c > 0xffff) qn_buf_printf(b, "\\U%08x", (unsigned)c);
            else qn_buf_printf(b, "\\u%04x", (unsigned)c);
        }
        else qn_buf_put(b, utf8, (size_t)qn_utf8_put(c, utf8));
    }
    qn_buf_putc(b, '"');
}

static void yaml_item(qn_buf *b, const char *z)
{
    qn_buf_puts(b, "- ");
    qn_yaml_put_text(b, qn_str_of(z));
    qn_buf_putc(b, '\n');
}

static void yaml_pair(qn_buf *b, const char *key, const char *z)
{
    qn_buf_printf(b, "%s: ", key);
    qn_yaml_put_text(b, qn_str_of(z));
    qn_buf_putc(b, '\n');
}

/* ---- licences ---- the hub knows lower-case words; anything else is "other" with a name */
static const char *hub_licence(const char *spdx)
{
    static const char *const known[] = { "apache-2.0", "mit", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0",
        "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "bsd", "bsd-2-clause", "bsd-3-clause", "odc-by", "odbl", "pddl", "gpl-2.0", "gpl-3.0", "agpl-3.0",
        "lgpl-3.0", "mpl-2.0", "isc", "unlicense", "wtfpl", "gfdl", "llama2", "llama3", "llama3.1", "gemma", "openrail", "unknown", "other" };
    char low[64];
    size_t n = 0;
    for (; spdx[n] && n < sizeof low - 1; n++) low[n] = spdx[n] == ' ' ? '-' : (char)tolower((unsigned char)spdx[n]);
    low[n] = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], low) == 0) return known[i];
    return NULL;
}

static void put_licences(qn_buf *b, const qn_report_facts *f)
{
    const char *found[64];
    size_t n = 0;
    bool unknown = f->n_sources == 0 && f->n_licences == 0;
    for (size_t i = 0; !f->licence && i < f->n_licences; i++) found[n++] = f->licences[i];      /* as inherited by the rows */
    for (size_t i = 0; !f->licence && !f->n_licences && i < f->n_sources; i++) {
        const char *l = f->sources[i].licence;
        bool seen = !l;
        unknown |= !l;
        for (size_t k = 0; k < n && !seen; k++) seen = strcmp(found[k], l) == 0;
        if (!seen && n < 64) found[n++] = l;
    }
    if (f->licence) found[n++] = f->licence;
    if (unknown && !f->licence && n < 64) found[n++] = "unknown";
    if (n == 1) {
        const char *hub = hub_licence(found[0]);
        yaml_pair(b, "license", hub ? hub : "other");
        if (!hub) yaml_pair(b, "license_name", found[0]);
        return;
    }
    qn_map put = {0};
    qn_buf_puts(b, "license:\n");
    for (size_t i = 0; i < n; i++) {
        const char *hub = hub_licence(found[i]) ? hub_licence(found[i]) : "other";
        bool fresh;
        qn_map_put_str(&put, qn_str_of(hub), &fresh);
        if (fresh) yaml_item(b, hub);
    }
    qn_map_free(&put);
}

static const char *size_category(uint64_t n)
{
    return n < 1000 ? "n<1K" : n < 10000 ? "1K<n<10K" : n < 100000 ? "10K<n<100K" : n < 1000000 ? "100K<n<1M" : n < 10000000 ? "1M<n<10M" : n < 100000000 ? "10M<n<100M" : "100M<n<1B";
}

static void put_front(qn_buf *b, const qn_report_facts *f)
{
    qn_buf_puts(b, "---\n");
    yaml_pair(b, "pretty_name", f->recipe ? f->recipe : "quern");
    put_licences(b, f);
    if (f->n_languages) {
        qn_buf_puts(b, "language:\n");
        for (size_t i = 0; i < f->n_languages; i++) yaml_item(b, f->languages[i]);
    }
    qn_buf_puts(b, "size_categories:\n");
    yaml_item(b, size_category(f->rows.accepted));
    qn_buf_puts(b, "tags:\n");
    yaml_item(b, "quern");
    if (f->human != QN_HUMAN_MANUAL && f->human != QN_HUMAN_CLEANED) yaml_item(b, "synthetic");
    qn_buf_puts(b, "configs:\n- config_name: \"default\"\n  data_files:\n  - split: \"train\"\n    path: ");
    qn_str data = f->data_path ? qn_path_base(qn_str_of(f->data_path)) : QN_STR("data.jsonl");
    qn_yaml_put_text(b, data);
    qn_buf_puts(b, "\n---\n\n");
}

/* ---- Markdown ---- what would mean something is escaped, line breaks become spaces */
static void md(qn_buf *b, const char *z)
{
    if (!z) { qn_buf_puts(b, "not known"); return; }
    qn_str s = qn_str_of(z);
    for (size_t i = 0; i < s.n;) {
        char utf8[4];
        uint32_t c = qn_utf8_next(s, &i);
        if (c < 128 && strchr("\\`*_{}[]<>()#|~!&", (int)c) && c) qn_buf_putc(b, '\\');
        if (c < 32) qn_buf_putc(b, ' ');
        else qn_buf_put(b, utf8, (size_t)qn_utf8_put(c, utf8));
    }
}

static void put_account(qn_buf *b, const qn_report_facts *f)
{
    qn_buf_printf(b, "## Loss account\n\n%llu rows in = **%llu accepted** + %llu rejected + %llu failed.", (unsigned long long)f->rows.in,
                  (unsigned long long)f->rows.accepted, (unsigned long long)f->rows.rejected, (unsigned long long)f->rows.failed);
    if (f->rows.pending) qn_buf_printf(b, " %llu are pending: the run was stopped.", (unsigned long long)f->rows.pending);
    qn_buf_puts(b, "\n\n| step | operator | in | out | rejected | failed |\n|---|---|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < f->n_steps; i++) {
        const qn_report_step *s = &f->steps[i];
        qn_buf_puts(b, "| ");
        md(b, s->name);
        qn_buf_puts(b, " | ");
        md(b, s->op ? s->op : "");
        qn_buf_printf(b, " | %llu | %llu | %llu | %llu |\n", (unsigned long long)s->in, (unsigned long long)s->out, (unsigned long long)s->rejected,
                      (unsigned long long)s->failed);
    }
    qn_buf_putc(b, '\n');
}

static void put_origin(qn_buf *b, const qn_report_facts *f)
{
    if (f->n_sources) {
        qn_buf_puts(b, "## Sources and licences\n\n| source | licence | rows | SHA-256 |\n|---|---|---:|---|\n");
        for (size_t i = 0; i < f->n_sources && i < 100; i++) {
            const qn_report_source *s = &f->sources[i];
            qn_buf_puts(b, "| ");
            md(b, s->name);
            qn_buf_puts(b, " | ");
            md(b, s->licence);
            if (s->rows) qn_buf_printf(b, " | %llu | ", (unsigned long long)s->rows);
            else qn_buf_puts(b, " | | ");
            md(b, s->sha256 ? s->sha256 : "");
            qn_buf_puts(b, " |\n");
        }
        if (f->n_sources > 100) qn_buf_printf(b, "\nand %zu more, in summary.json.\n", f->n_sources - 100);
        qn_buf_puts(b, "\nEach row carries where it came from; its licence is that of its source, and what the terms of the models below add.\n\n");
    }
    if (!f->n_models) return;
    qn_buf_puts(b, "## Models\n\n| role | model | licence | terms | calls |\n|---|---|---|---|---:|\n");
    for (size_t i = 0; i < f->n_models; i++) {
        const qn_report_model *m = &f->models[i];
        bool builtin = m->where && strcmp(m->where, "builtin") == 0;
        qn_buf_puts(b, "| ");
        md(b, m->role);
        qn_buf_puts(b, " | ");
        md(b, builtin ? "none (built-in)" : m->name ? m->name : m->where);
        qn_buf_puts(b, " | ");
        md(b, builtin ? "" : m->licence);
        qn_buf_puts(b, " | ");
        md(b, builtin ? "" : m->terms);
        qn_buf_printf(b, " | %llu |\n", (unsigned long long)m->calls);
    }
    qn_buf_putc(b, '\n');
}

/* Whether the rows may train a model, and why. */
static void put_may_train(qn_buf *b, const qn_report_facts *f)
{
    static const char *const words[] = { "yes", "yes, on conditions", "not known", "no" };
    if (f->may_train < 0 || (!f->n_licences && !f->n_terms && !f->student)) return;
    qn_buf_puts(b, "## May it train a model?\n\n");
    if (f->student && strcmp(f->student, "evaluation") == 0) qn_buf_puts(b, "The set was made for evaluation: no model is trained on it.\n");
    else {
        qn_buf_printf(b, "**%s**", words[f->may_train]);
        if (f->student) { qn_buf_puts(b, ", for "); md(b, f->student); }
        qn_buf_puts(b, ", by the licences of all that went into the rows and the terms of the models that wrote them. No legal advice.\n");
    }
    if (f->n_licences) {
        qn_buf_puts(b, "\nLicences that the rows inherit: ");
        for (size_t i = 0; i < f->n_licences; i++) { if (i) qn_buf_puts(b, ", "); md(b, f->licences[i]); }
        qn_buf_puts(b, ".\n");
    }
    if (f->n_terms) qn_buf_putc(b, '\n');
    for (size_t i = 0; i < f->n_terms; i++) { qn_buf_puts(b, "- "); md(b, f->terms[i]); qn_buf_putc(b, '\n'); }
    qn_buf_putc(b, '\n');
}

static void put_human(qn_buf *b, const qn_report_facts *f)
{
    static const char *const levels[] = {
        "not known: no decision of people is on record", "level 1 of 6: made by people", "level 2 of 6: made by people, cleaned by machine",
        "level 3 of 6: generated, and verified by people", "level 4 of 6: generated and rated by machine, with a test part that people labelled",
        "level 5 of 6: machine throughout, no person has looked at single rows", "level 6 of 6: improving from its environment" };
    unsigned at = (unsigned)f->human <= 6 ? (unsigned)f->human : 0;
    qn_buf_printf(b, "## Human part\n\n%c%s.\n\n", toupper((unsigned char)levels[at][0]), levels[at] + 1);
    if (f->decided) qn_buf_printf(b, "People decided about %llu of the %llu rows that went on where they were asked.\n\n", (unsigned long long)f->decided,
                                  (unsigned long long)(f->decided + f->undecided));
}

/* ---- whom the set speaks of ---- */
static void bias_line(qn_buf *b, const char *what, const uint64_t made[2], const uint64_t from[2])
{
    const uint64_t *both[] = { made, from };
    qn_buf_printf(b, "| %s", what);
    for (int i = 0; i < 2; i++) {
        uint64_t n = both[i][0] + both[i][1];
        if (n) qn_buf_printf(b, " | %.0f%% of %llu", 100 * (double)both[i][0] / (double)n, (unsigned long long)n);
        else qn_buf_puts(b, " | none");
    }
    qn_buf_puts(b, " |\n");
}

/* The nations named most, with their share of all mentions. */
static void bias_nations(qn_buf *b, const char *whose, const qn_bias *x)
{
    uint64_t all = 0, last = UINT64_MAX;
    size_t last_at = 0;
    for (size_t i = 0; qn_bias_country(i); i++) all += x->country[i];
    if (!all) return;
    qn_buf_printf(b, "Nations named most in %s (%llu mentions):", whose, (unsigned long long)all);
    for (int k = 0; k < 5; k++) {
        size_t best = 0;
        uint64_t n = 0;
        for (size_t i = 0; qn_bias_country(i); i++)
            if (x->country[i] > n && (x->country[i] < last || (x->country[i] == last && i > last_at))) { best = i; n = x->country[i]; }
        if (!n) break;
        qn_buf_puts(b, k ? ", " : " ");
        bool start = true;
        for (const char *z = qn_bias_country(best); *z && *z != '|'; z++) {
            qn_buf_putc(b, *z == '_' ? ' ' : start ? (char)toupper((unsigned char)*z) : *z);
            start = *z == '_' || *z == ' ';
        }
        qn_buf_printf(b, " %.0f%%", 100 * (double)n / (double)all);
        last = n;
        last_at = best;
    }
    qn_buf_puts(b, ".\n\n");
}

static void put_bias(qn_buf *b, const qn_report_facts *f)
{
    qn_bias *x = QN_NEW_N(qn_bias, 2);
    if (f->survey) qn_survey_bias(f->survey, f->source_fields, f->n_source_fields, &x[0], &x[1]);
    uint64_t n = x[0].gender[0] + x[0].gender[1] + x[0].names[0] + x[0].names[1] + x[0].age[0] + x[0].age[1];
    if (n >= 10) {
        qn_buf_puts(b, "## Whom the set speaks of\n\nCounted by English word lists: which words stand there, not what they mean.\n\n| | this set | its source |\n|---|---:|---:|\n");
        bias_line(b, "words for women among gendered words", x[0].gender, x[1].gender);
        bias_line(b, "women's names among given names", x[0].names, x[1].names);
        bias_line(b, "words for the young among words of age", x[0].age, x[1].age);
        qn_buf_putc(b, '\n');
        bias_nations(b, "this set", &x[0]);
        bias_nations(b, "its source", &x[1]);
        qn_buf_puts(b, "`report.html` has occupations and all nations.\n\n");
    }
    qn_free(x);
}

static void put_how(qn_buf *b, const qn_report_facts *f)
{
    qn_buf_puts(b, "## How it was made\n\n");
    if (f->paper) { qn_buf_puts(b, "After "); md(b, f->paper); qn_buf_puts(b, ".\n\n"); }
    qn_buf_puts(b, "Recipe ");
    md(b, f->recipe ? f->recipe : "not known");
    if (f->recipe_hash) qn_buf_printf(b, ", hash `%s`", f->recipe_hash);
    qn_buf_printf(b, ", seed %llu", (unsigned long long)f->seed);
    if (f->version) { qn_buf_puts(b, ", quern "); md(b, f->version); }
    qn_buf_puts(b, ".\n\n");
    if (f->command && !strchr(f->command, '`') && !strchr(f->command, '\n')) qn_buf_printf(b, "```\n%s\n```\n\n", f->command);
    if (f->n_warnings) {
        qn_buf_puts(b, "Please note:\n\n");
        for (size_t i = 0; i < f->n_warnings; i++) { qn_buf_puts(b, "- "); md(b, f->warnings[i]); qn_buf_putc(b, '\n'); }
        qn_buf_putc(b, '\n');
    }
    qn_buf_puts(b, "`report.html` shows the set: where rows were lost and why, lengths, openings, repeats, sample rows with their trace. "
                   "`summary.json` has the same numbers for programs, `rejected.jsonl` what was left out.\n");
}

void qn_card_text(const qn_report_facts *f, qn_buf *b)
{
    put_front(b, f);
    qn_buf_puts(b, "# ");
    md(b, f->recipe ? f->recipe : "quern");
    qn_buf_puts(b, "\n\n");
    if (f->about) { md(b, f->about); qn_buf_puts(b, ".\n\n"); }
    if (f->ended && strcmp(f->ended, "done") != 0 && strcmp(f->ended, "target") != 0) {
        qn_buf_puts(b, "**This run did not end by itself**: ");
        md(b, f->ended_words ? f->ended_words : f->ended);
        qn_buf_puts(b, ". The set is not complete.\n\n");
    }
    put_account(b, f);
    put_origin(b, f);
    put_may_train(b, f);
    put_human(b, f);
    put_bias(b, f);
    put_how(b, f);
}

qn_code qn_card_write(const qn_report_facts *f, qn_err *e)
{
    qn_buf b = {0};
    char *path = qn_path_join(f->dir, "README.md");
    qn_card_text(f, &b);
    qn_code rc = qn_file_write(path, qn_buf_view(&b), e);
    qn_free(path);
    qn_buf_free(&b);
    return rc;
}
