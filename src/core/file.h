/* file: whole files in, whole files out. An output file appears whole or not at all (L5): it is written beside its final
 * place and renamed after fsync. */
#ifndef QN_CORE_FILE_H
#define QN_CORE_FILE_H
#include "core/err.h"
#include "core/mem.h"

qn_code qn_file_read(const char *path, size_t limit, qn_buf *out, qn_err *e);   /* "-" reads standard input */
qn_code qn_file_write(const char *path, qn_str bytes, qn_err *e);               /* whole or not at all */
bool    qn_file_exists(const char *path);
bool    qn_is_dir(const char *path);
qn_code qn_mkdirs(const char *path, qn_err *e);                                 /* as mkdir -p */
qn_str  qn_path_base(qn_str path);                                              /* last part: borrowed */
qn_str  qn_path_ext(qn_str path);                                               /* ".csv" -> "csv"; empty when none */
char   *qn_path_join(const char *dir, const char *name);                        /* owned */

/* A file being written: bytes go to PATH.part; close renames (keep) or removes (drop). `path` "-" is standard output;
 * a device or a pipe is written to as it is. */
typedef struct qn_out qn_out;
qn_code qn_out_open(qn_out **o, const char *path, qn_err *e);
qn_code qn_out_write(qn_out *o, const void *p, size_t n, qn_err *e);            /* buffered */
qn_code qn_out_flush(qn_out *o, qn_err *e);
uint64_t qn_out_bytes(const qn_out *o);                                         /* bytes written so far */
qn_code qn_out_keep(qn_out *o, qn_err *e);                                      /* flush, fsync, rename; frees o */
void    qn_out_drop(qn_out *o);                                                 /* removes the part; frees o; NULL is fine */

/* All regular files under `path` (a file, a folder walked in byte order of names, or a glob). Hidden names are left out.
 * Calls fn for each; stops at its first failure. A path that matches nothing is an error. */
qn_code qn_files_each(const char *path, qn_code (*fn)(void *arg, const char *file, qn_err *e), void *arg, qn_err *e);

/* The files of a source, in the order in which they are walked. Zero-initialise. */
typedef struct qn_files { char **paths; size_t n, cap; } qn_files;
qn_code qn_files_list(qn_files *f, const char *path, qn_err *e);                /* adds; path as for qn_files_each */
void    qn_files_free(qn_files *f);
/* Before anything runs: is there something at `path`, which a recipe or the command line names? QN_ERECIPE, with the nearest name beside it. */
qn_code qn_files_check(const char *path, qn_err *e);
/* A file that could not be opened (errno says why): QN_ERECIPE when it is not there, may not be read or is a folder, for then whoever named it made a mistake;
 * else QN_EIO. */
qn_code qn_fail_open(qn_err *e, const char *path);
#endif
