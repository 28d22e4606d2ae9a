/* child_jail: what the reader child gives up before it looks at a file. */
#ifndef QN_IO_CHILD_JAIL_H
#define QN_IO_CHILD_JAIL_H
#include "core/err.h"
/* Address space, core files, written files, other descriptors, system calls. Sanitizer builds keep their memory and system calls. */
void qn_jail_enter(void);
/* `seconds` more of CPU time, from now. */
void qn_jail_cpu(int seconds);
#endif
