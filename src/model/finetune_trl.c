/* finetune_trl: the configuration that TRL's command line reads, its run, and what it left. */
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/queue.h"
#include "model/finetune.h"
#include "nn/config_json.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* An interrupted run of TRL left checkpoints: it goes on from the last. */
static bool has_checkpoint(const char *out)
{
    DIR *d = opendir(out);
    bool found = false;
    for (struct dirent *x; d && !found && (x = readdir(d));) found = strncmp(x->d_name, "checkpoint-", 11) == 0;
    if (d) closedir(d);
    return found;
}

static void put_config(const qn_finetune *f, const char *work, qn_buf *b)
{
    const qn_fit_options *o = &f->o->fit;
    bool dpo = strcmp(f->kind, "dpo") == 0;
    qn_buf_puts(b, "# written by quern for TRL\nmodel_name_or_path: ");
    qn_json_write_text(b, qn_str_of(f->base));
    qn_buf_printf(b, "\ndataset_name: %s/data\noutput_dir: %s/out\n", work, work);
    qn_buf_printf(b, "learning_rate: %.3g\nlr_scheduler_type: %s\nwarmup_ratio: %.3g\nweight_decay: %.3g\nmax_grad_norm: %.3g\nseed: %lld\n", o->lr,
                  o->shape == QN_LR_COSINE ? "cosine" : o->shape == QN_LR_LINEAR ? "linear" : "constant", f->o->warmup, o->decay, o->clip, (long long)(o->seed & 0x7fffffff));
    if (o->steps > 0) qn_buf_printf(b, "max_steps: %lld\n", (long long)o->steps);
    else qn_buf_printf(b, "num_train_epochs: %.4g\n", o->epochs > 0 ? o->epochs : 1);
    qn_buf_printf(b, "per_device_train_batch_size: %d\nlogging_steps: 1\nsave_strategy: steps\nsave_steps: 100\nsave_total_limit: 2\nreport_to: none\n", o->batch);
    if (f->o->max_tokens > 0) qn_buf_printf(b, "max_length: %d\n", f->o->max_tokens);
    if (f->o->bf16) qn_buf_puts(b, "bf16: true\n");
    if (dpo && f->o->beta > 0) qn_buf_printf(b, "beta: %.3g\n", f->o->beta);
    if (!strcmp(f->kind, "sft")) qn_buf_puts(b, "assistant_only_loss: true\n");
    if (f->o->lora_rank > 0) qn_buf_printf(b, "use_peft: true\nlora_r: %d\nlora_alpha: %.3g\n", f->o->lora_rank, f->o->lora_alpha > 0 ? f->o->lora_alpha : 2.0 * f->o->lora_rank);
}

/* ---- the command ---- */
static pid_t start(const char *command, const char *log)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* The last line that has something on it. */
static void last_line(const char *log, char *out, size_t size)
{
    char tail[2048];
    out[0] = 0;
    FILE *f = fopen(log, "rb");
    if (!f) return;
    fseek(f, 0, SEEK_END);
    long n = ftell(f), from = n > (long)sizeof tail ? n - (long)sizeof tail : 0;
    fseek(f, from, SEEK_SET);
    qn_str s = qn_str_trim((qn_str){ tail, fread(tail, 1, sizeof tail, f) });
    fclose(f);
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != '\n' && s.p[at - 1] != '\r') at--;
    snprintf(out, size, "%.*s", (int)(s.n - at), s.p + at);
}

static qn_code watch(const qn_finetune *f, pid_t pid, const char *log, qn_err *e)
{
    char line[160];
    int status = 0;
    bool asked = false;
    for (;;) {
        pid_t r = waitpid(pid, &status, WNOHANG);
        if (r == pid) break;
        if (r < 0 && errno != EINTR) return qn_fail(e, QN_EIO, "the training's command was lost: %s", strerror(errno));
        if (!asked && f->stop && qn_flag_get(f->stop)) { kill(-pid, SIGTERM); asked = true; }
        last_line(log, line, 120);
        qn_status("%s: %s", f->step, line);
        qn_sleep_us(200000);
    }
    last_line(log, line, sizeof line);
    if (asked) return qn_fail(e, QN_ESTOP, "the training was stopped");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return QN_OK;
    if (WIFEXITED(status)) qn_fail(e, QN_EMODEL, "the training's command ended with exit code %d: %s", WEXITSTATUS(status), line[0] ? line : "it said nothing");
    else qn_fail(e, QN_EMODEL, "the training's command was ended by signal %d: %s", WTERMSIG(status), line);
    qn_hint(e, "all it said is in %s", log);
    return QN_EMODEL;
}

/* ---- what it left ---- */
/* The losses that the trainer logged, step by step. */
static void read_losses(const char *out, qn_learned *r)
{
    yyjson_doc *doc;
    qn_err none = { 0 };
    char *path = qn_path_join(out, "trainer_state.json");
    bool there = qn_file_exists(path);
    qn_free(path);
    if (!there || qn_json_open(&doc, out, "trainer_state.json", &none) != QN_OK) return;
    yyjson_val *root = yyjson_doc_get_root(doc), *x, *loss;
    size_t i, max;
    yyjson_arr_foreach(yyjson_obj_get(root, "log_history"), i, max, x) {
        if (!(loss = yyjson_obj_get(x, "loss"))) continue;
        QN_GROW(r->losses.p, r->losses.n, r->losses.cap);
        r->losses.p[r->losses.n++] = (float)yyjson_get_num(loss);
    }
    r->steps = yyjson_get_sint(yyjson_obj_get(root, "global_step"));
    if (r->losses.n) { r->loss_first = (double)r->losses.p[0]; r->loss_last = (double)r->losses.p[r->losses.n - 1]; }
    yyjson_doc_free(doc);
}

static qn_code take(const char *out, const qn_finetune *f, qn_err *e)
{
    char *config = qn_path_join(out, "config.json"), *adapter = qn_path_join(out, "adapter_config.json");
    bool there = qn_file_exists(config) || qn_file_exists(adapter);
    qn_free(config);
    qn_free(adapter);
    if (!there) return qn_fail(e, QN_EMODEL, "the training's command ended well and left no model in %s", out);
    struct stat st;
    if (stat(f->dir, &st) == 0 && rmdir(f->dir) != 0) {
        qn_buf old = { 0 };                     /* of another training: it stays beside */
        qn_buf_printf(&old, "%s.old-%lld", f->dir, (long long)qn_wall_ms());
        int moved = rename(f->dir, old.p);
        qn_buf_free(&old);
        if (moved != 0) return qn_fail(e, QN_EIO, "%s is in the way: %s", f->dir, strerror(errno));
    }
    return rename(out, f->dir) == 0 ? QN_OK : qn_fail(e, QN_EIO, "cannot move %s to %s: %s", out, f->dir, strerror(errno));
}

static qn_code prepare(const qn_finetune *f, const char *work, qn_err *e)
{
    qn_buf b = { 0 };
    char *data = qn_path_join(work, "data"), *rows = qn_path_join(data, "train.jsonl"), *config = qn_path_join(work, "config.yaml"), *out = qn_path_join(work, "out");
    qn_code rc = qn_mkdirs(data, e);
    if (rc == QN_OK) rc = qn_file_write(rows, f->rows, e);
    put_config(f, work, &b);
    if (has_checkpoint(out)) qn_buf_puts(&b, "resume_from_checkpoint: true\n");
    if (rc == QN_OK) rc = qn_file_write(config, qn_buf_view(&b), e);
    qn_buf_free(&b);
    qn_free(data); qn_free(rows); qn_free(config); qn_free(out);
    return rc;
}

qn_code qn_finetune_trl(const qn_finetune *f, qn_learned *out, qn_err *e)
{
    qn_buf work = { 0 }, command = { 0 };
    qn_buf_printf(&work, "%s-%.8s.trl", f->dir, f->key);
    char *left = qn_path_join(work.p, "out"), *log = qn_path_join(work.p, "log.txt");
    qn_code rc = prepare(f, work.p, e);
    qn_buf_printf(&command, "%s %s --config '%s/config.yaml'", f->command, !strcmp(f->kind, "rm") ? "reward" : !strcmp(f->kind, "lm") ? "sft" : f->kind, work.p);
    if (rc == QN_OK) {
        qn_log(QN_INFO, "trl", "%s: %s", f->step, command.p);
        pid_t pid = start(command.p, log);
        rc = pid < 0 ? qn_fail(e, QN_EIO, "cannot start %s: %s", f->command, strerror(errno)) : watch(f, pid, log, e);
    }
    if (rc == QN_OK) { read_losses(left, out); rc = take(left, f, e); }
    qn_buf_free(&work);
    qn_buf_free(&command);
    qn_free(left);
    qn_free(log);
    return rc;
}
