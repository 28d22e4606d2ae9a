/* bench_loop: requests a CPU-second of the model gateway alone (no engine, no ledger), against any OpenAI-compatible endpoint.
 * Usage: bench_loop URL#NAME REQUESTS IN_FLIGHT [MAX_TOKENS]      (MAX_TOKENS above 256, the default 1024, asks for streams)
 * Checks that every reply is there and holds the number that was asked about, then prints one JSON line. */
#include "core/clock.h"
#include "core/thread.h"
#include "model/loop.h"
#include <stdio.h>
#include <stdlib.h>

static struct {
    qn_loop *loop;
    const qn_model *model;
    int n, max_tokens, made, done, wrong;
    pthread_mutex_t lock;
    pthread_cond_t  all_done;
    char first_error[256];
} b;

static qn_call *call_new(int i)
{
    qn_call *c = qn_call_new();
    qn_buf body = {0};
    qn_buf_printf(&body, "{\"max_tokens\":%d,\"messages\":[{\"content\":\"Question %d of the mill: what does a hand mill grind?\",\"role\":\"user\"}]}", b.max_tokens, i);
    c->ask = (qn_ask){ .kind = QN_ASK_CHAT, .model = b.model, .body = qn_arena_str(&c->arena, qn_buf_view(&body)), .max_tokens = b.max_tokens };
    c->intent = (uint64_t)i;
    qn_buf_free(&body);
    return c;
}

static bool is_right(const qn_call *c)
{
    char want[32];
    snprintf(want, sizeof want, "Question %d of", (int)c->intent);
    return c->reply.status == QN_REPLY_OK && qn_str_find(c->reply.text, qn_str_of(want)) >= 0;
}

/* On the loop's thread: for each that ends one new is made. */
static void on_done(void *arg, qn_call *calls)
{
    qn_call *again = NULL;
    (void)arg;
    int ended = 0;
    for (qn_call *c = calls, *next; c; c = next) {
        next = c->next;
        ended++;
        if (!is_right(c)) {
            if (!b.wrong++) snprintf(b.first_error, sizeof b.first_error, "%.*s", QN_FMT(c->reply.status == QN_REPLY_FAILED ? c->reply.error : c->reply.text));
        }
        qn_call_free(c);
        if (b.made < b.n) { qn_call *more = call_new(b.made++); more->next = again; again = more; }
    }
    qn_loop_submit(b.loop, again);
    pthread_mutex_lock(&b.lock);
    b.done += ended;
    if (b.done >= b.n) pthread_cond_signal(&b.all_done);
    pthread_mutex_unlock(&b.lock);
}

int main(int argc, char **argv)
{
    qn_err e = {0};
    qn_models *models;
    if (argc < 4) { fputs("bench_loop URL#NAME REQUESTS IN_FLIGHT [MAX_TOKENS]\n", stderr); return 2; }
    b.n = atoi(argv[2]);
    int in_flight = atoi(argv[3]);
    b.max_tokens = argc > 4 ? atoi(argv[4]) : 1024;
    pthread_mutex_init(&b.lock, NULL);
    pthread_cond_init(&b.all_done, NULL);
    int64_t begin = qn_now_us();
    if (qn_models_open(&models, "/dev/null", &e) != QN_OK || qn_models_resolve(models, "bench", argv[1], &b.model, &e) != QN_OK
        || qn_loop_open(&b.loop, on_done, NULL, &e) != QN_OK) { fprintf(stderr, "bench_loop: %s\n", e.msg); return 1; }
    qn_call *list = NULL;
    while (b.made < in_flight && b.made < b.n) { qn_call *c = call_new(b.made++); c->next = list; list = c; }
    qn_loop_submit(b.loop, list);
    pthread_mutex_lock(&b.lock);
    while (b.done < b.n) pthread_cond_wait(&b.all_done, &b.lock);
    pthread_mutex_unlock(&b.lock);
    double seconds = (double)(qn_now_us() - begin) / 1e6, cpu = qn_cpu_seconds();
    qn_loop_stats st;
    qn_loop_stats_get(b.loop, &st);
    qn_loop_close(b.loop);
    qn_models_close(models);
    if (b.wrong) { fprintf(stderr, "bench_loop: %d of %d replies are wrong: %s\n", b.wrong, b.n, b.first_error); return 1; }
    printf("{\"bench\":\"loop\",\"requests\":%d,\"in_flight\":%d,\"stream\":%s,\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"per_second\":%.0f,"
           "\"per_cpu_second\":%.0f,\"sent\":%llu,\"peak_memory_bytes\":%zu}\n", b.n, in_flight, b.max_tokens > 256 ? "true" : "false", seconds, cpu,
           b.n / seconds, b.n / cpu, (unsigned long long)st.sent, qn_peak_rss_bytes());
    return 0;
}
