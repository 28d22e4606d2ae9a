/* progress: what a run is doing, for people. */
#include "cli/progress.h"
#include "core/log.h"
#include <stdio.h>

static void put_count(qn_buf *b, uint64_t n, const char *word)
{
    if (n) qn_buf_printf(b, "  %s%llu%s %s", n >= 10000 ? "" : "", (unsigned long long)n, "", word);
}

static void line_for_terminal(const qn_progress *p, qn_buf *b)
{
    qn_buf_printf(b, "%5.0fs", p->seconds);
    qn_buf_printf(b, "  %llu read", (unsigned long long)p->rows_read);
    put_count(b, p->accepted, "accepted");
    put_count(b, p->rejected, "rejected");
    put_count(b, p->failed, "failed");
    put_count(b, p->in_flight, "in flight");
    put_count(b, p->replayed, "replayed");
    if (p->cost_usd > 0) qn_buf_printf(b, "  $%.4f", p->cost_usd);
    if (p->seconds > 2 && p->accepted) qn_buf_printf(b, "  %.0f/s", (double)p->accepted / p->seconds);
    char doing[160];
    qn_status_get(doing, sizeof doing);
    if (doing[0]) qn_buf_printf(b, "  %s", doing);
    if (p->batches) qn_buf_printf(b, "  [waiting for %s]", p->batches);
    if (p->paused_why) qn_buf_printf(b, "  [resting: %s]", p->paused_why);
}

void qn_progress_show(void *arg, const qn_progress *p)
{
    qn_progress_view *v = arg;
    qn_buf b = {0};
    if (v->quiet) return;
    if (v->terminal) {
        line_for_terminal(p, &b);
        fprintf(stderr, "\r\033[K%s", b.p);
        v->shown = true;
    } else if (p->seconds - v->last_line >= 5) {        /* a log wants a line now and then, not ten a second */
        v->last_line = p->seconds;
        char doing[160];
        qn_status_get(doing, sizeof doing);
        if (doing[0]) fprintf(stderr, "{\"seconds\":%.1f,\"doing\":\"%s\"}\n", p->seconds, doing);
        else fprintf(stderr, "{\"seconds\":%.1f,\"read\":%llu,\"accepted\":%llu,\"rejected\":%llu,\"failed\":%llu,\"in_flight\":%llu,\"in_batches\":%llu,\"cost_usd\":%.6f}\n",
                p->seconds, (unsigned long long)p->rows_read, (unsigned long long)p->accepted, (unsigned long long)p->rejected,
                (unsigned long long)p->failed, (unsigned long long)p->in_flight, (unsigned long long)p->in_batches, p->cost_usd);
    }
    qn_buf_free(&b);
}

void qn_progress_end(qn_progress_view *v)
{
    if (v->shown) fprintf(stderr, "\r\033[K");
    v->shown = false;
}
