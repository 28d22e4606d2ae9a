/* dl: dlopen with words for people. */
#include "core/dl.h"
#include "core/mem.h"
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The folders of our own to look in before the system's: $QUERN_DEPS/lib, PROGRAM/../../deps/lib, PROGRAM/../lib/quern. */
static void *open_one(const char *soname)
{
    char exe[PATH_MAX], path[PATH_MAX + 64];
    const char *deps = getenv("QUERN_DEPS");
    void *h;
    if (deps && snprintf(path, sizeof path, "%s/lib/%s", deps, soname) > 0 && (h = dlopen(path, RTLD_NOW | RTLD_LOCAL))) return h;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n > 0) {
        exe[n] = 0;
        char *slash = strrchr(exe, '/');
        if (slash) *slash = 0;
        static const char *const near[] = { "../deps/lib", "../../deps/lib", "../lib/quern" };
        for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
            snprintf(path, sizeof path, "%s/%s/%s", exe, near[i], soname);
            if (access(path, R_OK) == 0 && (h = dlopen(path, RTLD_NOW | RTLD_LOCAL))) return h;
        }
    }
    return dlopen(soname, RTLD_NOW | RTLD_LOCAL);
}

qn_code qn_dl(const char *const *sonames, const qn_sym *syms, const char *what_for, const char *package, qn_err *e)
{
    void *h = NULL;
    for (size_t i = 0; !h && sonames[i]; i++) h = open_one(sonames[i]);
    if (!h) {
        qn_fail(e, QN_EMISSING, "%s needs the library %s, which is not here", what_for, sonames[0]);
        qn_hint(e, "install it: %s", package);
        return QN_EMISSING;
    }
    for (; syms->name; syms++) {
        *syms->fn = dlsym(h, syms->name);
        if (!*syms->fn) return qn_fail(e, QN_EMISSING, "%s: the library %s lacks %s", what_for, sonames[0], syms->name);
    }
    return QN_OK;
}

qn_code qn_lib_need(qn_lib *l, qn_err *e)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (atomic_load_explicit(&l->ready, memory_order_acquire)) return QN_OK;
    pthread_mutex_lock(&lock);
    qn_code rc = atomic_load(&l->ready) ? QN_OK : qn_dl(l->sonames, l->syms, l->what_for, l->package, e);
    if (rc == QN_OK) atomic_store_explicit(&l->ready, true, memory_order_release);
    pthread_mutex_unlock(&lock);
    return rc;
}
