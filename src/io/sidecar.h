/* sidecar: the licence that stands beside a file, as the REUSE specification has it: FILE.license with a line `SPDX-License-Identifier: NAME`;
 * or, for all files of a folder, beside that folder: FOLDER.license. The nearest one holds. */
#ifndef QN_IO_SIDECAR_H
#define QN_IO_SIDECAR_H
#include "core/mem.h"

/* Empty when there is none. In `a`. Looks no further up than the path, as it is given, goes. Cost: one stat for the file and each folder in its path.
 * Source: REUSE Specification 3.0, "Comment headers" and "Adjacent .license files"; folders are ours. */
qn_str qn_licence_sidecar(const char *file, qn_arena *a);
#endif
