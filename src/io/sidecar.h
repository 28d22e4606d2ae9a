/* sidecar: the licence that stands beside a file, as the REUSE specification has it: FILE.license with a line `SPDX-License-Identifier: NAME`. */
#ifndef QN_IO_SIDECAR_H
#define QN_IO_SIDECAR_H
#include "core/mem.h"

/* Empty when there is none. In `a`. Cost: one stat. Source: REUSE Specification 3.0, "Comment headers" and "Adjacent .license files". */
qn_str qn_licence_sidecar(const char *file, qn_arena *a);
#endif
