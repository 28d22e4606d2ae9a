/* child: documents are read in a process of their own, so that a hostile or broken file costs one file.
 *
 * The child is this program with the argument --reader-child. It has 2 GB of address space, a minute of CPU time for each file, no network, no
 * way to start programs and no file that it may write (seccomp); it takes requests on its standard input and serves until that ends.
 *
 *      parent                              child
 *      path, encoding            ------>   reads the file
 *      title, text, blocks ...   <------   or an error
 *
 * What the child says is not trusted: lengths, spans and UTF-8 are checked. */
#ifndef QN_IO_CHILD_H
#define QN_IO_CHILD_H
#include "io/format.h"

typedef qn_code (*qn_doc_fn)(const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e);
/* The child's loop with a reader of the caller's (tests); qn_doc_child_main serves qn_doc_read_here. */
int  qn_doc_child_serve(qn_doc_fn read);
/* Which program is started (NULL: this one) and how long a file may take; before the first qn_doc_read. A host of libquern that is not quern
 * itself names quern here. */
void qn_doc_child_setup(const char *program, int timeout_ms);
#endif
