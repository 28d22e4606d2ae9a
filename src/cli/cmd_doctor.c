/* doctor: asks an endpoint what it can do and prints the lines of quern.yaml to use. */
#include "cli/cmd.h"
#include "model/doctor.h"
#include <stdio.h>

typedef struct { bool json; const char *config; } opts;

static void say_line(const char *line) { qn_say("doctor: %s", line); }

static const char *word(int v) { return v == QN_YES ? "yes" : v == QN_NO ? "no" : "unsure"; }

static void say_findings(const qn_doctor *d)
{
    qn_say("%s at %s: one short reply in %.2f s", d->name, d->url, d->seconds);
    if (d->context_tokens > 0) qn_say("  context          %lld tokens (from %s)", (long long)d->context_tokens, d->context_from);
    else qn_say("  context          unknown");
    qn_say("  structured       %s%s", word(d->structured), d->structured == QN_NO ? " (shapes are asked for in words and checked)" : "");
    qn_say("  streams          %s%s", word(d->stream), d->stream == QN_YES && d->stream_usage == QN_NO ? ", without token counts: they are estimated" : "");
    qn_say("  token counts     %s", word(d->usage));
    qn_say("  log-probs        chat %s, completions %s", word(d->logprobs), word(d->completion_logprobs));
    qn_say("  embeddings       %s", word(d->embeddings));
    qn_say("  thinking         %s", d->thinking);
    qn_say("  parallel         %d at once: %.1f replies/s, against %.1f alone", d->parallel, d->per_s_parallel, d->per_s_alone);
    qn_say("%d requests were sent. For quern.yaml:", d->n_requests);
}

static int run(const qn_args *args, void *p)
{
    const opts *o = p;
    qn_models *models = NULL;
    qn_arena a = {0};
    qn_doctor d;
    qn_buf out = {0};
    qn_err e = {0};
    if (args->n_words != 1) {
        qn_fail(&e, QN_EUSAGE, "doctor needs one endpoint: an address such as http://127.0.0.1:8000/v1, a name in quern.yaml or a .gguf file");
        return qn_say_error(&e);
    }
    qn_code rc = qn_models_open(&models, o->config, &e);
    if (rc == QN_OK) rc = qn_doctor_run(models, args->words[0], say_line, &a, &d, &e);
    if (rc == QN_OK && !o->json) say_findings(&d);
    if (rc == QN_OK) {
        if (o->json) qn_doctor_json(&d, &out); else qn_doctor_yaml(&d, NULL, &out);
        fwrite(out.p, 1, out.n, stdout);
    }
    qn_models_close(models);
    qn_buf_free(&out);
    qn_arena_free(&a);
    return rc == QN_OK ? QN_EXIT_DONE : qn_say_error(&e);
}

static const qn_opt OPTS[] = {
    { "json", 0, QN_OPT_FLAG, NULL, "the findings as JSON", offsetof(opts, json) },
    { "config", 0, QN_OPT_TEXT, "FILE", "another quern.yaml", offsetof(opts, config) },
    { 0 },
};

const qn_cmd qn_cmd_doctor = {
    .name = "doctor", .brief = "find out what a model's endpoint can do", .usage = "quern doctor URL[#NAME] | NAME | FILE.gguf [--json]",
    .about = "Sends about 80 short requests and prints what was found on standard error and the lines for quern.yaml on standard output:\n"
             "context length, structured output, log-probabilities, streaming, token counts, embeddings, thinking, and how many requests at\n"
             "once still raise the throughput (32 at most). Exit 4 when nothing answers.",
    .opts = OPTS, .opts_bytes = sizeof(opts), .run = run,
};
