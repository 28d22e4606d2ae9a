/* answer: what the mock server says. Everything is a deterministic function of the request and the script. */
#include "mock.h"
#include <math.h>
#include "core/clock.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- small tools ---- */
uint64_t text_hash(qn_str s)        /* FNV-1a */
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return h ^ (h >> 29);
}

void json_text(qn_buf *b, qn_str s)
{
    size_t from = 0;
    qn_buf_reserve(b, s.n + 2);
    qn_buf_putc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 32 && c != '"' && c != '\\') continue;
        qn_buf_put(b, s.p + from, i - from);
        if (c == '"' || c == '\\') { char two[2] = { '\\', (char)c }; qn_buf_put(b, two, 2); }
        else if (c == '\n') qn_buf_put(b, "\\n", 2);
        else qn_buf_printf(b, "\\u%04x", c);
        from = i + 1;
    }
    qn_buf_put(b, s.p + from, s.n - from);
    qn_buf_putc(b, '"');
}

static void put_size(qn_buf *b, size_t v)
{
    char t[24];
    int i = 24;
    do t[--i] = (char)('0' + v % 10); while (v /= 10);
    qn_buf_put(b, t + i, (size_t)(24 - i));
}

static qn_str str_of(yyjson_val *v)
{
    return yyjson_is_str(v) ? (qn_str){ yyjson_get_str(v), yyjson_get_len(v) } : (qn_str){ "", 0 };
}

static yyjson_val *field(const request *rq, const char *name) { return rq->doc ? yyjson_obj_get(yyjson_doc_get_root(rq->doc), name) : NULL; }

/* ---- understanding ---- */
static qn_str content_of(yyjson_val *message)
{
    yyjson_val *c = yyjson_obj_get(message, "content");
    if (!yyjson_is_arr(c)) return str_of(c);
    size_t i, n;
    yyjson_val *part;
    yyjson_arr_foreach(c, i, n, part) if (yyjson_get_str(yyjson_obj_get(part, "text"))) return str_of(yyjson_obj_get(part, "text"));
    return (qn_str){ "", 0 };
}

static void understand_messages(request *rq, yyjson_val *messages)
{
    size_t i, n;
    yyjson_val *m;
    yyjson_arr_foreach(messages, i, n, m) {
        qn_str role = str_of(yyjson_obj_get(m, "role")), text = content_of(m);
        if (qn_str_is(role, "user")) rq->user = text;
        if (qn_str_is(role, "system") && rq->system.n == 0) rq->system = text;
        if (n == 1) { rq->prompt = text; return; }
        qn_buf_str(&rq->joined, text);
        qn_buf_putc(&rq->joined, '\n');
    }
    rq->prompt = qn_buf_view(&rq->joined);
}

void request_understand(request *rq)
{
    if (rq->body.n && qn_str_find(rq->content_type, QN_STR("multipart")) < 0) rq->doc = yyjson_read(rq->body.p, rq->body.n, 0);
    if (!rq->doc) return;
    rq->model = str_of(field(rq, "model"));
    rq->stream = yyjson_get_bool(field(rq, "stream"));
    rq->usage_in_stream = yyjson_get_bool(yyjson_obj_get(field(rq, "stream_options"), "include_usage"));
    yyjson_val *messages = field(rq, "messages"), *prompt = field(rq, "prompt"), *input = field(rq, "input");
    if (yyjson_is_arr(messages)) understand_messages(rq, messages);
    else if (prompt) rq->prompt = yyjson_is_arr(prompt) ? str_of(yyjson_arr_get_first(prompt)) : str_of(prompt);
    else if (input) rq->prompt = yyjson_is_arr(input) ? str_of(yyjson_arr_get_first(input)) : str_of(input);
}

void request_release(request *rq)
{
    yyjson_doc_free(rq->doc);
    rq->doc = NULL;
    qn_buf_clear(&rq->joined);
}

/* ---- a plausible value for a JSON schema ---- */
static void put_for_schema(qn_buf *b, yyjson_val *schema, yyjson_val *root, uint64_t h, int depth)
{
    yyjson_val *e = yyjson_obj_get(schema, "enum"), *any = yyjson_obj_get(schema, "anyOf"), *ref = yyjson_obj_get(schema, "$ref");
    yyjson_val *type_v = yyjson_obj_get(schema, "type");
    if (yyjson_is_arr(type_v)) type_v = yyjson_arr_get_first(type_v);
    qn_str type = str_of(type_v);
    if (depth > 12) { qn_buf_puts(b, "null"); return; }
    if (ref) {
        const char *p = yyjson_get_str(ref);
        put_for_schema(b, p && *p == '#' ? yyjson_ptr_getn(root, p + 1, strlen(p) - 1) : NULL, root, h, depth + 1);
        return;
    }
    if (any) { put_for_schema(b, yyjson_arr_get_first(any), root, h, depth + 1); return; }
    if (e && yyjson_arr_size(e)) {
        size_t n;
        char *s = yyjson_val_write(yyjson_arr_get(e, h % yyjson_arr_size(e)), 0, &n);
        qn_buf_put(b, s, n);
        free(s);
        return;
    }
    if (qn_str_is(type, "string")) qn_buf_printf(b, "\"text %04x\"", (unsigned)(h & 0xFFFF));
    else if (qn_str_is(type, "integer")) qn_buf_printf(b, "%u", (unsigned)(h % 10));
    else if (qn_str_is(type, "number")) qn_buf_printf(b, "%.2f", (double)(h % 1000) / 100);
    else if (qn_str_is(type, "boolean")) qn_buf_puts(b, h & 1 ? "true" : "false");
    else if (qn_str_is(type, "array")) {
        size_t n = yyjson_obj_get(schema, "minItems") ? yyjson_get_uint(yyjson_obj_get(schema, "minItems")) : 2;
        qn_buf_putc(b, '[');
        for (size_t i = 0; i < n; i++) {
            if (i) qn_buf_putc(b, ',');
            put_for_schema(b, yyjson_obj_get(schema, "items"), root, h * 31 + i, depth + 1);
        }
        qn_buf_putc(b, ']');
    } else if (qn_str_is(type, "object") || yyjson_obj_get(schema, "properties")) {
        yyjson_obj_iter it = yyjson_obj_iter_with(yyjson_obj_get(schema, "properties"));
        bool first = true;
        qn_buf_putc(b, '{');
        for (yyjson_val *k; (k = yyjson_obj_iter_next(&it)); first = false) {
            if (!first) qn_buf_putc(b, ',');
            json_text(b, str_of(k));
            qn_buf_putc(b, ':');
            put_for_schema(b, yyjson_obj_iter_get_val(k), root, h ^ text_hash(str_of(k)), depth + 1);
        }
        qn_buf_putc(b, '}');
    } else qn_buf_puts(b, "null");
}

/* ---- content of a reply ---- */
static void default_content(qn_buf *b, const request *rq)
{
    yyjson_val *format = field(rq, "response_format");
    if (mock.structured && format) {
        yyjson_val *schema = yyjson_obj_get(yyjson_obj_get(format, "json_schema"), "schema");
        if (schema) put_for_schema(b, schema, schema, text_hash(rq->prompt), 0);
        else { qn_buf_puts(b, "{\"reply\":"); json_text(b, rq->user); qn_buf_putc(b, '}'); }
        return;
    }
    if (mock.reply) { template_fill(b, mock.reply, rq, NULL); return; }
    qn_str about = rq->user.n ? rq->user : rq->prompt;
    size_t n = about.n > 120 ? qn_utf8_cut(about, 120) : about.n;
    qn_buf_puts(b, "You asked: ");
    qn_buf_put(b, about.p, n);
    qn_buf_printf(b, " (%08x)", (unsigned)text_hash(rq->prompt));
}

static size_t n_tokens(qn_str s) { return (s.n + 3) / 4; }

static void put_usage(qn_buf *b, const request *rq, qn_str content, const rule *r)
{
    size_t p = r && r->prompt_tokens ? r->prompt_tokens : n_tokens(rq->prompt);
    size_t c = r && r->completion_tokens ? r->completion_tokens : n_tokens(content);
    qn_buf_puts(b, "\"usage\":{\"prompt_tokens\":"); put_size(b, p);
    qn_buf_puts(b, ",\"completion_tokens\":"); put_size(b, c);
    qn_buf_puts(b, ",\"total_tokens\":"); put_size(b, p + c);
    qn_buf_putc(b, '}');
}

/* One token a word, each with a log-probability that follows from its text. */
static double logprob_of(qn_str token) { return -0.01 - (double)(text_hash(token) % 400) / 100; }

static void chat_logprobs(qn_buf *b, qn_str content)
{
    qn_buf_puts(b, ",\"logprobs\":{\"content\":[");
    for (size_t i = 0, first = 1; i < content.n; first = 0) {
        size_t j = i + 1;
        while (j < content.n && content.p[j] != ' ') j++;
        qn_str token = qn_str_sub(content, i, j);
        if (!first) qn_buf_putc(b, ',');
        qn_buf_puts(b, "{\"token\":"); json_text(b, token);
        qn_buf_printf(b, ",\"logprob\":%.2f,\"top_logprobs\":[]}", logprob_of(token));
        i = j;
    }
    qn_buf_puts(b, "]}");
}

/* `r` may say the log-probability of all tokens, and of one more that would have come after certain tokens. */
static void completion_logprobs(qn_buf *b, qn_str text, const rule *r)
{
    qn_buf tokens = {0}, probs = {0}, offsets = {0}, tops = {0};
    bool here = false;
    for (size_t i = 0; i < text.n;) {
        size_t j = i + 1;
        while (j < text.n && text.p[j] != ' ') j++;
        qn_str token = qn_str_sub(text, i, j);
        if (i) { qn_buf_putc(&tokens, ','); qn_buf_putc(&probs, ','); qn_buf_putc(&offsets, ','); qn_buf_putc(&tops, ','); }
        json_text(&tokens, token);
        if (i) qn_buf_printf(&probs, "%.2f", r && r->logprob <= 0 ? r->logprob : logprob_of(token)); else qn_buf_puts(&probs, "null");
        qn_buf_putc(&tops, '{');
        if (here) { json_text(&tops, qn_str_of(r->top_token)); qn_buf_printf(&tops, ":%.2f", r->top_logprob); }
        qn_buf_putc(&tops, '}');
        here = r && r->top_token && qn_str_find(token, qn_str_of(r->top_after ? r->top_after : "")) >= 0;
        put_size(&offsets, i);
        i = j;
    }
    qn_buf_puts(b, ",\"logprobs\":{\"tokens\":["); qn_buf_str(b, qn_buf_view(&tokens));
    qn_buf_puts(b, "],\"token_logprobs\":["); qn_buf_str(b, qn_buf_view(&probs));
    qn_buf_puts(b, "],\"text_offset\":["); qn_buf_str(b, qn_buf_view(&offsets));
    qn_buf_puts(b, "],\"top_logprobs\":["); qn_buf_str(b, qn_buf_view(&tops)); qn_buf_puts(b, "]}");
    qn_buf_free(&tokens); qn_buf_free(&probs); qn_buf_free(&offsets); qn_buf_free(&tops);
}

/* ---- bodies ---- */
static void chat_body(qn_buf *b, const request *rq, const rule *r, qn_str content, const char *finish)
{
    qn_buf_puts(b, "{\"id\":\"chatcmpl-"); put_size(b, rq->number);
    qn_buf_puts(b, "\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":"); json_text(b, rq->model);
    qn_buf_puts(b, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    if (r && (r->refusal || r->tool_calls)) qn_buf_puts(b, "null"); else json_text(b, content);
    if (r && r->refusal) { qn_buf_puts(b, ",\"refusal\":"); json_text(b, qn_str_of(r->refusal)); }
    if (r && r->tool_calls) { qn_buf_puts(b, ",\"tool_calls\":"); qn_buf_puts(b, r->tool_calls); }
    if (r && r->thinking && !r->think_tags) { qn_buf_puts(b, ",\"reasoning_content\":"); json_text(b, qn_str_of(r->thinking)); }
    qn_buf_putc(b, '}');
    if (yyjson_get_bool(field(rq, "logprobs"))) chat_logprobs(b, content);
    qn_buf_puts(b, ",\"finish_reason\":"); json_text(b, qn_str_of(finish));
    qn_buf_puts(b, "}]");
    if (!(r && r->no_usage)) { qn_buf_putc(b, ','); put_usage(b, rq, content, r); }
    qn_buf_putc(b, '}');
}

static void completion_body(qn_buf *b, const request *rq, const rule *r, qn_str content, const char *finish)
{
    qn_buf text = {0};
    bool echo = yyjson_get_bool(field(rq, "echo"));
    yyjson_val *max = field(rq, "max_tokens");
    if (echo) qn_buf_str(&text, rq->prompt);
    if (!(echo && max && yyjson_get_uint(max) == 0)) qn_buf_str(&text, content);
    qn_buf_printf(b, "{\"id\":\"cmpl-%llu\",\"object\":\"text_completion\",\"model\":", (unsigned long long)rq->number);
    json_text(b, rq->model);
    qn_buf_puts(b, ",\"choices\":[{\"index\":0,\"text\":"); json_text(b, qn_buf_view(&text));
    if (yyjson_is_num(field(rq, "logprobs"))) completion_logprobs(b, qn_buf_view(&text), r);
    qn_buf_puts(b, ",\"finish_reason\":"); json_text(b, qn_str_of(finish)); qn_buf_puts(b, "}]");
    if (!(r && r->no_usage)) { qn_buf_putc(b, ','); put_usage(b, rq, content, r); }
    qn_buf_putc(b, '}');
    qn_buf_free(&text);
}

/* Feature hashing of words: texts that share words lie near each other. Unit length. */
static void embedding_of(qn_buf *b, qn_str text, size_t dims)
{
    double *v = QN_NEW_N(double, dims), norm = 0;
    for (size_t i = 0; i < text.n;) {
        size_t j = i;
        while (j < text.n && text.p[j] != ' ') j++;
        uint64_t h = text_hash(qn_str_sub(text, i, j));
        if (j > i) for (int k = 0; k < 8; k++, h = h * 6364136223846793005u + 1442695040888963407u) v[(h >> 33) % dims] += (h >> 20) & 1 ? 1 : -1;
        i = j + 1;
    }
    for (size_t i = 0; i < dims; i++) norm += v[i] * v[i];
    norm = norm > 0 ? sqrt(norm) : 1;
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < dims; i++) qn_buf_printf(b, "%s%.6g", i ? "," : "", v[i] / norm);
    qn_buf_putc(b, ']');
    qn_free(v);
}

static void embeddings_body(qn_buf *b, const request *rq)
{
    yyjson_val *input = field(rq, "input"), *dims_v = field(rq, "dimensions");
    size_t dims = dims_v ? yyjson_get_uint(dims_v) : 64, n = yyjson_is_arr(input) ? yyjson_arr_size(input) : 1, bytes = 0;
    if (dims < 1 || dims > 8192) dims = 64;
    qn_buf_puts(b, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < n; i++) {
        qn_str text = str_of(yyjson_is_arr(input) ? yyjson_arr_get(input, i) : input);
        bytes += text.n;
        qn_buf_printf(b, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", i ? "," : "", i);
        embedding_of(b, text, dims);
        qn_buf_putc(b, '}');
    }
    qn_buf_puts(b, "],\"model\":"); json_text(b, rq->model);
    qn_buf_printf(b, ",\"usage\":{\"prompt_tokens\":%zu,\"total_tokens\":%zu}}", (bytes + 3) / 4, (bytes + 3) / 4);
}

/* ---- streams ---- */
static void chunk_put(qn_buf *b, qn_str bytes)      /* one chunk of HTTP's chunked coding */
{
    qn_buf_printf(b, "%zx\r\n", bytes.n);
    qn_buf_str(b, bytes);
    qn_buf_puts(b, "\r\n");
}

static void event_put(qn_buf *b, const request *rq, const char *field_name, qn_str piece, const char *finish)
{
    static qn_buf line;
    qn_buf_clear(&line);
    qn_buf_puts(&line, "data: {\"id\":\"chatcmpl-"); put_size(&line, rq->number);
    qn_buf_puts(&line, "\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{");
    if (field_name) { qn_buf_printf(&line, "\"%s\":", field_name); json_text(&line, piece); }
    qn_buf_puts(&line, "},\"finish_reason\":");
    if (finish) json_text(&line, qn_str_of(finish)); else qn_buf_puts(&line, "null");
    qn_buf_puts(&line, "}]}\n\n");
    chunk_put(b, qn_buf_view(&line));
}

static void pieces_put(qn_buf *b, const request *rq, const char *field_name, qn_str text)
{
    for (size_t i = 0; i < text.n;) {
        qn_str rest = qn_str_sub(text, i, text.n);
        size_t n = rest.n > mock.piece_bytes ? qn_utf8_cut(rest, mock.piece_bytes) : rest.n;
        if (n == 0) n = rest.n < 4 ? rest.n : 4;
        event_put(b, rq, field_name, qn_str_sub(rest, 0, n), NULL);
        i += n;
    }
}

static void chat_stream(qn_buf *b, const request *rq, const rule *r, qn_str content, const char *finish)
{
    qn_buf line = {0};
    event_put(b, rq, "role", QN_STR("assistant"), NULL);
    if (r && r->thinking && !r->think_tags) pieces_put(b, rq, "reasoning_content", qn_str_of(r->thinking));
    if (r && r->refusal) pieces_put(b, rq, "refusal", qn_str_of(r->refusal));
    else if (r && r->tool_calls) {
        qn_buf_printf(&line, "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":%s},\"finish_reason\":null}]}\n\n", r->tool_calls);
        chunk_put(b, qn_buf_view(&line));
    } else pieces_put(b, rq, "content", content);
    if (r && r->after_stream_error) {
        chunk_put(b, QN_STR("data: {\"error\":{\"message\":\"the engine died\",\"type\":\"server_error\",\"code\":500}}\n\n"));
    } else if (!(r && r->fault == F_TRUNCATED)) {   /* truncated: ends properly for HTTP, but before the last event */
        event_put(b, rq, NULL, (qn_str){ "", 0 }, finish);
        if (rq->usage_in_stream && !(r && r->no_usage)) {
            qn_buf_clear(&line);
            qn_buf_puts(&line, "data: {\"choices\":[],");
            put_usage(&line, rq, content, r);
            qn_buf_puts(&line, "}\n\n");
            chunk_put(b, qn_buf_view(&line));
        }
        chunk_put(b, QN_STR("data: [DONE]\n\n"));
    }
    qn_buf_puts(b, "0\r\n\r\n");
    qn_buf_free(&line);
}

/* ---- files and batches: kept in memory. A batch is worked off when it is created; it is shown as done when mock.batch_ms are over. ----
 * A script's rule for a line may say `batch`: "expired", "cancelled" (the line is not reached) or "lacks" (no result at all); a rule for the creation
 * (path /batches) says how the whole ends: "failed", "expired", "cancelled", "full" (token_limit_exceeded while another runs). */
typedef struct stored {
    char id[24], out[24], err[24], status[16], code[32];
    qn_buf bytes;               /* of a file */
    char  *input, *mark;        /* of a batch */
    size_t n_ok, n_failed, n_total;
    int64_t made_us, seen;
    struct stored *next;
} stored;
static stored *files;           /* newest first */
static unsigned n_files;

static stored *file_new(const char *kind)
{
    stored *f = QN_NEW(stored);
    snprintf(f->id, sizeof f->id, "%s-%u", kind, ++n_files);
    f->next = files;
    return files = f;
}

static stored *file_find(qn_str id)
{
    stored *f = files;
    while (f && !qn_str_is(id, f->id)) f = f->next;
    return f;
}

/* The part called `file` of a multipart body. */
static qn_str multipart_file(qn_str body)
{
    ptrdiff_t at = qn_str_find(body, QN_STR("name=\"file\""));
    if (at < 0) return (qn_str){ "", 0 };
    qn_str rest = qn_str_sub(body, (size_t)at, body.n);
    ptrdiff_t start = qn_str_find(rest, QN_STR("\r\n\r\n"));
    if (start < 0) return (qn_str){ "", 0 };
    rest = qn_str_sub(rest, (size_t)start + 4, rest.n);
    ptrdiff_t end = qn_str_find(rest, QN_STR("\r\n--"));
    return end < 0 ? rest : qn_str_sub(rest, 0, (size_t)end);
}

static int json_answer_by(qn_buf *body, request *rq, const rule *r);
static rule *all_rules;

static void line_error(qn_buf *b, qn_str id, const char *code)
{
    qn_buf_puts(b, "{\"id\":\"batch_req\",\"custom_id\":"); json_text(b, id);
    qn_buf_printf(b, ",\"response\":null,\"error\":{\"code\":\"batch_%s\",\"message\":\"This request was not executed: the batch was %s.\"}}\n", code, code);
}

static void line_run(stored *batch, yyjson_val *o, const char *whole, qn_buf *out, qn_buf *err)
{
    qn_str id = str_of(yyjson_obj_get(o, "custom_id"));
    size_t n;
    char *text = yyjson_val_write(yyjson_obj_get(o, "body"), 0, &n);
    request rq = { .method = QN_STR("POST"), .path = str_of(yyjson_obj_get(o, "url")), .body = { text, n }, .number = ++batch->n_total };
    qn_buf body = {0};
    request_understand(&rq);
    rule *r = script_match(all_rules, &rq);
    const char *fate = r && r->batch ? r->batch : whole;
    if (fate && (strcmp(fate, "expired") == 0 || strcmp(fate, "cancelled") == 0)) { line_error(err, id, fate); batch->n_failed++; }
    else if (!fate || strcmp(fate, "lacks") != 0) {
        int status = json_answer_by(&body, &rq, r);
        qn_buf *to = status == 200 ? out : err;
        if (status == 200) batch->n_ok++; else batch->n_failed++;
        if (r && r->fault == F_EMPTY) qn_buf_clear(&body);
        qn_buf_puts(to, "{\"id\":\"batch_req\",\"custom_id\":"); json_text(to, id);
        qn_buf_printf(to, ",\"response\":{\"status_code\":%d,\"request_id\":\"r\",\"body\":", status);
        if (body.n) qn_buf_str(to, qn_buf_view(&body)); else qn_buf_puts(to, "null");
        qn_buf_puts(to, "},\"error\":null}\n");
    }
    request_release(&rq);
    qn_buf_free(&rq.joined);
    qn_buf_free(&body);
    free(text);
}

static void batch_run(stored *batch, const stored *in, const char *whole)
{
    qn_str rest = qn_buf_view(&in->bytes);
    qn_buf out = {0}, err = {0};
    while (rest.n) {
        const char *nl = memchr(rest.p, '\n', rest.n);
        qn_str line = qn_str_sub(rest, 0, nl ? (size_t)(nl - rest.p) : rest.n);
        rest = qn_str_sub(rest, nl ? line.n + 1 : line.n, rest.n);
        yyjson_doc *doc = yyjson_read(line.p, line.n, 0);
        if (doc) line_run(batch, yyjson_doc_get_root(doc), whole, &out, &err);
        yyjson_doc_free(doc);
    }
    if (out.n) { stored *f = file_new("file"); f->bytes = out; snprintf(batch->out, sizeof batch->out, "%s", f->id); }
    if (err.n) { stored *f = file_new("file"); f->bytes = err; snprintf(batch->err, sizeof batch->err, "%s", f->id); }
}

static int files_answer(qn_buf *b, request *rq)
{
    static const char *content = "/content";
    if (qn_str_is(rq->method, "POST")) {
        stored *f = file_new("file");
        qn_buf_str(&f->bytes, multipart_file(rq->body));
        qn_buf_printf(b, "{\"id\":\"%s\",\"object\":\"file\",\"bytes\":%zu,\"purpose\":\"batch\"}", f->id, f->bytes.n);
        return 200;
    }
    qn_str id = qn_str_sub(rq->path, (size_t)qn_str_find(rq->path, QN_STR("/files/")) + 7, rq->path.n);
    if (qn_str_ends(id, qn_str_of(content))) id.n -= strlen(content);
    stored *f = file_find(id);
    if (!f) { qn_buf_puts(b, "{\"error\":{\"message\":\"no such file\"}}"); return 404; }
    qn_buf_str(b, qn_buf_view(&f->bytes));
    return 200;
}

static bool is_over(const stored *batch) { return qn_now_us() - batch->made_us >= (int64_t)(mock.batch_ms * 1000); }

static void put_batch(qn_buf *b, const stored *t)
{
    bool over = is_over(t), first = t->seen == 0;
    qn_buf_printf(b, "{\"id\":\"%s\",\"object\":\"batch\",\"endpoint\":\"/v1/chat/completions\",\"input_file_id\":\"%s\",\"created_at\":%lld,\"status\":\"%s\"",
                  t->id, t->input, (long long)(t->made_us / 1000000), over ? t->status : first ? "validating" : "in_progress");
    if (over && t->out[0]) qn_buf_printf(b, ",\"output_file_id\":\"%s\"", t->out);
    if (over && t->err[0]) qn_buf_printf(b, ",\"error_file_id\":\"%s\"", t->err);
    if (over && t->code[0]) qn_buf_printf(b, ",\"errors\":{\"object\":\"list\",\"data\":[{\"code\":\"%s\",\"message\":\"scripted: %s\"}]}", t->code, t->code);
    qn_buf_printf(b, ",\"request_counts\":{\"total\":%zu,\"completed\":%zu,\"failed\":%zu}", t->n_total, over ? t->n_ok : t->n_ok / 2, over ? t->n_failed : 0);
    if (t->mark) { qn_buf_puts(b, ",\"metadata\":{\"quern\":"); json_text(b, qn_str_of(t->mark)); qn_buf_puts(b, "}"); }
    qn_buf_puts(b, "}");
}

static int batch_create(qn_buf *b, request *rq, const rule *r)
{
    stored *in = file_find(str_of(field(rq, "input_file_id")));
    const char *whole = r && r->batch ? r->batch : NULL;
    bool another = false;
    for (stored *f = files; f; f = f->next) another = another || (strncmp(f->id, "batch", 5) == 0 && !is_over(f));
    if (!in) { qn_buf_puts(b, "{\"error\":{\"message\":\"no such input file\"}}"); return 400; }
    if (whole && strcmp(whole, "full") == 0 && !another) whole = NULL;
    stored *t = file_new("batch");
    t->made_us = qn_now_us();
    t->input = qn_strz(qn_str_of(in->id));
    qn_str mark = str_of(yyjson_obj_get(field(rq, "metadata"), "quern"));
    t->mark = mark.n && !mock.no_metadata ? qn_strz(mark) : NULL;
    bool failed = whole && (strcmp(whole, "failed") == 0 || strcmp(whole, "full") == 0);
    snprintf(t->status, sizeof t->status, "%s", failed ? "failed" : whole ? whole : "completed");
    if (failed) snprintf(t->code, sizeof t->code, "%s", strcmp(whole, "full") == 0 ? "token_limit_exceeded" : "invalid_json_line");
    else batch_run(t, in, whole);
    put_batch(b, t);
    return 200;
}

static int batches_answer(qn_buf *b, request *rq, const rule *r)
{
    if (qn_str_is(rq->method, "POST")) return batch_create(b, rq, r);
    ptrdiff_t at = qn_str_find(rq->path, QN_STR("/batches/"));
    if (at < 0) {               /* the list, newest first; two on a page, so that paging is tried */
        if (mock.no_batch_list) { qn_buf_puts(b, "{\"error\":{\"message\":\"no such path\"}}"); return 404; }
        ptrdiff_t after = qn_str_find(rq->query, QN_STR("after="));
        qn_str from = after < 0 ? (qn_str){ "", 0 } : qn_str_sub(rq->query, (size_t)after + 6, rq->query.n);
        int n = 0;
        bool more = false, on = from.n == 0;
        qn_buf_puts(b, "{\"object\":\"list\",\"data\":[");
        for (const stored *f = files; f && !more; f = f->next) {
            if (strncmp(f->id, "batch", 5) != 0) continue;
            if (!on) { on = qn_str_is(from, f->id); continue; }
            if (n == 2) { more = true; break; }
            if (n++) qn_buf_putc(b, ',');
            put_batch(b, f);
        }
        qn_buf_printf(b, "],\"has_more\":%s}", more ? "true" : "false");
        return 200;
    }
    stored *batch = file_find(qn_str_sub(rq->path, (size_t)at + 9, rq->path.n));
    if (!batch) { qn_buf_puts(b, "{\"error\":{\"message\":\"no such batch\"}}"); return 404; }
    put_batch(b, batch);
    batch->seen++;
    return 200;
}

/* ---- from request to response ---- */
static void make_content(qn_buf *content, const request *rq, const rule *r)
{
    if (r && r->thinking && r->think_tags) { qn_buf_puts(content, "<think>"); qn_buf_puts(content, r->thinking); qn_buf_puts(content, "</think>\n"); }
    if (r && r->fault == F_WRONG_SCHEMA) qn_buf_puts(content, "{\"unexpected\":[1,2,3]}");
    else if (r && r->json) template_fill(content, r->json, rq, r);
    else if (r && r->reply) template_fill(content, r->reply, rq, r);
    else default_content(content, rq);
}

static int error_body(qn_buf *b, int status, const char *message)
{
    qn_buf_puts(b, "{\"error\":{\"message\":");
    json_text(b, qn_str_of(message));
    qn_buf_printf(b, ",\"type\":\"%s\",\"code\":%s}}", status == 429 ? "rate_limit_exceeded" : status >= 500 ? "server_error" : "invalid_request_error",
                  status == 429 ? "\"rate_limit_exceeded\"" : "null");
    return status;
}

/* The part of JSON answers that batches share: everything but streams, faults and headers. */
static int json_answer_by(qn_buf *b, request *rq, const rule *r)
{
    if (r && r->status != 200) return error_body(b, r->status, r->error ? r->error : r->status == 429 ? "slow down" : "scripted failure");
    if (r && r->raw) { template_fill(b, r->raw, rq, r); return 200; }
    if (r && r->file.n) { qn_buf_str(b, qn_buf_view(&r->file)); return 200; }
    if (qn_str_ends(rq->path, QN_STR("/models"))) {
        qn_buf_puts(b, "{\"object\":\"list\",\"data\":[{\"id\":\"mock\",\"object\":\"model\",\"owned_by\":\"tests\"");
        if (mock.context) qn_buf_printf(b, ",\"max_model_len\":%zu", mock.context);
        qn_buf_puts(b, "}]}");
        return 200;
    }
    if (qn_str_find(rq->path, QN_STR("/files")) >= 0) return files_answer(b, rq);
    if (qn_str_find(rq->path, QN_STR("/batches")) >= 0) return batches_answer(b, rq, r);
    if (qn_str_ends(rq->path, QN_STR("/health"))) { qn_buf_puts(b, "{\"status\":\"ok\"}"); return 200; }
    if (qn_str_ends(rq->path, QN_STR("/mock/stats"))) { stats_write(b); return 200; }
    if (qn_str_find(rq->path, QN_STR("/page")) >= 0) {
        qn_buf_puts(b, "<html><title>page</title><p>A page of the mock server.</p></html>");
        return 200;
    }
    if (!rq->doc) return error_body(b, 400, "the body is not JSON");
    if (mock.context && n_tokens(rq->prompt) > mock.context) {
        char text[160];
        snprintf(text, sizeof text, "This model's maximum context length is %zu tokens, however you requested %zu tokens", mock.context, n_tokens(rq->prompt));
        return error_body(b, 400, text);
    }
    if (mock.strict_format && field(rq, "response_format"))
        return mock.strict_format == 2 ? error_body(b, 500, "1 validation error: {'type': 'literal_error', 'loc': ('body', 'response_format', 'type')}")
                                       : error_body(b, 400, "response_format is not supported");
    if (mock.strict_stream && field(rq, "stream")) return error_body(b, 400, "unknown field: stream");
    if (qn_str_ends(rq->path, QN_STR("/embeddings"))) { embeddings_body(b, rq); return 200; }
    qn_buf content = {0};
    const char *finish = r && r->finish ? r->finish : r && r->tool_calls ? "tool_calls" : "stop";
    make_content(&content, rq, r);
    if (qn_str_ends(rq->path, QN_STR("/chat/completions"))) chat_body(b, rq, r, qn_buf_view(&content), finish);
    else if (qn_str_ends(rq->path, QN_STR("/completions"))) completion_body(b, rq, r, qn_buf_view(&content), finish);
    else { qn_buf_free(&content); return error_body(b, 404, "no such path"); }
    qn_buf_free(&content);
    return 200;
}

static const char *status_text(int status)
{
    switch (status) {
    case 200: return "OK"; case 400: return "Bad Request"; case 401: return "Unauthorized"; case 404: return "Not Found";
    case 408: return "Request Timeout"; case 409: return "Conflict"; case 429: return "Too Many Requests";
    case 500: return "Internal Server Error"; case 502: return "Bad Gateway"; case 503: return "Service Unavailable";
    default: return "Status";
    }
}

static void head_put(qn_buf *out, int status, const char *type, const rule *r, bool close)
{
    qn_buf_puts(out, "HTTP/1.1 "); put_size(out, (size_t)status); qn_buf_putc(out, ' '); qn_buf_puts(out, status_text(status));
    if (!(r && r->headers && strcasestr(r->headers, "content-type:"))) { qn_buf_puts(out, "\r\nContent-Type: "); qn_buf_puts(out, type); }
    if (close) qn_buf_puts(out, "\r\nConnection: close");
    if (r && r->retry_after_ms >= 0 && r->retry_after_ms % 1000 == 0) qn_buf_printf(out, "\r\nRetry-After: %d", r->retry_after_ms / 1000);
    else if (r && r->retry_after_ms >= 0) qn_buf_printf(out, "\r\nRetry-After-Ms: %d", r->retry_after_ms);
    qn_buf_puts(out, "\r\n");
    if (r && r->headers) qn_buf_puts(out, r->headers);
}

static void spoil(qn_buf *out, answer *a, size_t body_at, fault f)
{
    size_t n_body = out->n - body_at;
    switch (f) {
    case F_CUT: case F_RESET: a->send_bytes = body_at + n_body / 2; a->close = true; a->reset = f == F_RESET; break;
    case F_SILENT_CLOSE: a->send_bytes = 0; a->close = true; break;
    case F_HANG: a->hang = true; break;
    case F_LIE_LONG: a->close = true; break;
    case F_DRIP: break;
    default: break;
    }
}

static void faulty_body(qn_buf *body, fault f)
{
    if (f == F_EMPTY) qn_buf_clear(body);
    if (f == F_TRUNCATED) body->n /= 2;
    if (f == F_NOT_JSON) { qn_buf_clear(body); qn_buf_puts(body, "<html>Bad gateway</html>"); }
    if (f == F_INVALID_UTF8) {
        ptrdiff_t at = qn_str_find(qn_buf_view(body), QN_STR("\"content\":\""));
        if (at >= 0 && (size_t)at + 12 < body->n) body->p[at + 11] = (char)0xFF;
    }
}

static void stream_response(qn_buf *out, answer *a, request *rq, const rule *r)
{
    qn_buf content = {0};
    make_content(&content, rq, r);
    a->latency_ms += mock.per_token_ms * (double)n_tokens(qn_buf_view(&content));
    head_put(out, 200, "text/event-stream", r, false);
    qn_buf_puts(out, "Transfer-Encoding: chunked\r\n\r\n");
    size_t body_at = out->n;
    if (r && (r->fault == F_EMPTY)) qn_buf_puts(out, "0\r\n\r\n");
    else if (r && r->fault == F_NOT_JSON) { chunk_put(out, QN_STR("data: {\"choices\": oops\n\n")); qn_buf_puts(out, "0\r\n\r\n"); }
    else chat_stream(out, rq, r, qn_buf_view(&content), r && r->finish ? r->finish : r && r->tool_calls ? "tool_calls" : "stop");
    if (r && r->fault == F_INVALID_UTF8) {
        char *p = memmem(out->p + body_at, out->n - body_at, "\"content\":\"", 11);
        if (p) p[11] = (char)0xFF;
    }
    spoil(out, a, body_at, r ? r->fault : F_NONE);
    qn_buf_free(&content);
}

void answer_make(qn_buf *out, answer *a, request *rq, rule *rules)
{
    static qn_buf body;
    all_rules = rules;
    bool chat = qn_str_ends(rq->path, QN_STR("/chat/completions"));
    rule *r = qn_str_ends(rq->path, QN_STR("/mock/stats")) ? NULL : script_match(rules, rq);
    *a = (answer){ .status = 200, .latency_ms = r && r->latency_ms >= 0 ? r->latency_ms : mock.latency_ms, .send_bytes = SIZE_MAX };
    if (r && r->fault == F_DRIP) { a->drip_ms = r->drip_ms; a->drip_bytes = r->drip_bytes; }
    bool stream = chat && rq->stream && !mock.no_stream && !mock.strict_stream && !(r && (r->no_stream || r->status != 200 || r->raw));
    if (r && r->force_stream && chat) stream = true;
    if (mock.context && n_tokens(rq->prompt) > mock.context) stream = false;
    if (mock.strict_format && field(rq, "response_format")) stream = false;
    if (stream) { stream_response(out, a, rq, r); return; }
    qn_buf_clear(&body);
    a->status = json_answer_by(&body, rq, r);
    a->latency_ms += mock.per_token_ms * (double)(body.n / 8);
    if (r) faulty_body(&body, r->fault);
    head_put(out, a->status, qn_str_find(rq->path, QN_STR("/page")) >= 0 ? "text/html" : "application/json", r, false);
    size_t said = body.n;
    if (r && r->fault == F_LIE_LONG) said += 100;
    if (r && r->fault == F_LIE_SHORT) said = said > 20 ? said - 20 : 0;
    if (r && r->fault == F_LIE_SHORT) a->close = true;
    qn_buf_puts(out, "Content-Length: "); put_size(out, said); qn_buf_puts(out, "\r\n\r\n");
    size_t body_at = out->n;
    qn_buf_str(out, qn_buf_view(&body));
    spoil(out, a, body_at, r ? r->fault : F_NONE);
}
