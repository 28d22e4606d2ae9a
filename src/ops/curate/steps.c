/* steps: splits a worked solution into its steps: numbered ones, else lines, else sentences.
 *
 * Marks in front ("Step 2:", "2.", "2)", "-", "*") are taken off. A last line `#### answer` is not a step. Runs on: any worker; keeps nothing
 * between rows. */
#include "ops/curate/curate.h"
#include "text/sentences.h"
#include <ctype.h>

typedef struct { qn_expr *text; qn_str as, by; int64_t min; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".solution", "text", "the worked solution"),
    QN_FIELD(params, as, "steps", "field for the list of steps"),
    QN_CHOICE(params, by, "auto", "auto|numbers|lines|sentences", "auto: numbers when there are two or more, else lines when there are two or more, else sentences"),
    QN_INT(params, min, "1", "0..", "fewest steps"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{solution: \"Step 1: There are 3 sacks.\\nStep 2: 4 more come,\\nso 3 + 4 = 7.\\n#### 7\"}",
      .out = "{solution: \"Step 1: There are 3 sacks.\\nStep 2: 4 more come,\\nso 3 + 4 = 7.\\n#### 7\", steps: ['There are 3 sacks.', \"4 more come,\\nso 3 + 4 = 7.\"]}" },
    { .params = "", .in = "{solution: \"3 * 4 = 12\\n\\n- 12 / 2 = 6\"}", .out = "{solution: \"3 * 4 = 12\\n\\n- 12 / 2 = 6\", steps: ['3 * 4 = 12', '12 / 2 = 6']}" },
    { .params = "", .in = "{solution: 'He has 3.5 sacks. He sells one. So 2.5 are left.'}",
      .out = "{solution: 'He has 3.5 sacks. He sells one. So 2.5 are left.', steps: ['He has 3.5 sacks.', 'He sells one.', 'So 2.5 are left.']}" },
    { .params = "min: 2", .in = "{solution: '7'}", .reject = "steps 1.00 below 2.00" },
    QN_END
};

/* Length of a mark that numbers a step at the start of a line: "Step 3:", "3.", "3)", "(3)", "**Step 3**:"; 0 when there is none. */
static size_t number_mark(qn_str line)
{
    size_t i = 0;
    while (i < line.n && (line.p[i] == '*' || line.p[i] == '#' || line.p[i] == ' ')) i++;
    bool word = line.n - i > 4 && qn_str_ieq(qn_str_sub(line, i, i + 4), QN_STR("step"));
    if (word) { i += 4; while (i < line.n && line.p[i] == ' ') i++; }
    bool open = !word && i < line.n && line.p[i] == '(';
    i += open;
    size_t digits = i;
    while (i < line.n && isdigit((unsigned char)line.p[i])) i++;
    if (i == digits || i - digits > 3) return 0;
    while (word && i < line.n && line.p[i] == '*') i++;
    if (i == line.n) return word ? i : 0;
    if (!strchr(open ? ")" : word ? ":.)-" : ".):", line.p[i])) return word && line.p[i] == ' ' ? i : 0;
    i++;
    if (!word && i < line.n && line.p[i] != ' ' && line.p[i] != '\t') return 0;            /* 3.5 sacks */
    while (word && i < line.n && line.p[i] == '*') i++;
    return i;
}

static size_t dash_mark(qn_str line)
{
    return line.n > 1 && (line.p[0] == '-' || line.p[0] == '*') && line.p[1] == ' ' ? 2 : 0;
}

static bool next_line(qn_str text, size_t *at, qn_str *line)
{
    if (*at >= text.n) return false;
    const char *nl = memchr(text.p + *at, '\n', text.n - *at);
    size_t end = nl ? (size_t)(nl - text.p) : text.n;
    *line = qn_str_trim(qn_str_sub(text, *at, end));
    *at = end + 1;
    return true;
}

static void put(qn_list_b *l, qn_str s)
{
    s = qn_str_trim(s);
    if (s.n) qn_list_put(l, qn_v_text(s));
}

static void by_numbers(qn_str text, qn_list_b *l)
{
    size_t at = 0, mark;
    const char *from = text.p;
    qn_str line;
    while (next_line(text, &at, &line)) {
        if ((mark = number_mark(line)) == 0) continue;
        put(l, (qn_str){ from, (size_t)(line.p - from) });
        from = line.p + mark;
    }
    put(l, (qn_str){ from, (size_t)(text.p + text.n - from) });
}

static void by_lines(qn_str text, qn_list_b *l)
{
    size_t at = 0;
    qn_str line;
    while (next_line(text, &at, &line)) {
        size_t mark = number_mark(line);
        if (!mark) mark = dash_mark(line);
        put(l, qn_str_sub(line, mark, line.n));
    }
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_list_b l = { .a = cx->scratch };
    qn_str text, line, s;
    size_t at = 0, numbers = 0, lines = 0;
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    text = qn_str_trim(text);
    for (size_t i = text.n; i-- > 0;)                   /* the answer behind the solution */
        if (text.p[i] == '\n' || i == 0) {
            qn_str last = qn_str_trim(qn_str_sub(text, i, text.n));
            if (qn_str_starts(last, QN_STR("####"))) text = qn_str_trim(qn_str_sub(text, 0, i));
            break;
        }
    while (next_line(text, &at, &line)) { lines += line.n > 0; numbers += number_mark(line) > 0; }
    if (qn_str_is(p->by, "numbers") || (qn_str_is(p->by, "auto") && numbers > 1)) by_numbers(text, &l);
    else if (qn_str_is(p->by, "lines") || (qn_str_is(p->by, "auto") && lines > 1)) by_lines(text, &l);
    else for (qn_sentences ss = qn_sentences_of(text); qn_sentences_next(&ss, &s);) put(&l, s);
    qn_row_set(r, p->as, qn_list_end(&l));
    qn_row_attach(r, qn_memdup(&l.n, sizeof l.n));
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const params *p = vp;
    size_t n = *(const size_t *)qn_row_attached(r);
    return n < (size_t)p->min ? qn_reject_below("steps", (double)n, (double)p->min) : qn_keep();
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *t;
    QN_TRY(qn_type_parse(QN_STR("[text]"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, p->as, t, ck->arena);
    return QN_OK;
}

const qn_op qn_op_steps = {
    .name = "steps", .version = 1, .stage = QN_CURATE, .brief = "split a worked solution into its steps",
    .about = "The steps become a list; `each` gives a row for each, for marks step by step.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
