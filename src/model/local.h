/* local: a .gguf file, served by a child process of ours: llama-server (llama.cpp), or `python3 -m llama_cpp.server`, whichever is found.
 * To the rest of quern it is an endpoint on 127.0.0.1 like any other.
 *
 *   new: the file is checked and hashed, a port is chosen  ->  start: fork, exec, wait until it answers  ->  free: SIGTERM, then SIGKILL
 *
 * The child dies with the thread that started it, on kill -9 as well (PR_SET_PDEATHSIG). $QUERN_LLAMA_SERVER names another program that takes
 * llama-server's arguments. */
#ifndef QN_MODEL_LOCAL_H
#define QN_MODEL_LOCAL_H
#include "model/model.h"

typedef struct qn_local qn_local;

/* Sets m->url, name, identity and local. The identity is the file's hash: size, first 16 MB (all of its metadata), and 64 pieces of 1 MB
 * spread over the rest. args: further arguments, NULL-terminated, borrowed; NULL none. Errors: no such file, no GGUF. */
qn_code qn_local_new(const char *file, const char *const *args, qn_arena *a, qn_model *m, qn_err *e);
/* Starts the server unless it runs, and waits until it answers (10 minutes at most). Thread-safe.
 * Errors: QN_EMISSING no server program; QN_EMODEL it ended, with its last words. */
qn_code qn_local_start(qn_local *l, qn_err *e);
void    qn_local_free(qn_local *l);             /* ends the child; NULL is fine */
const char *qn_local_file(const qn_local *l);    /* borrowed */
int     qn_local_pid(const qn_local *l);        /* 0: not running; for tests */
#endif
