/* schema: the ledger's tables, told as SQL, and how an older file becomes today's.
 *
 *   run     one line per process that opened the ledger: epoch, when, which recipe
 *   intent  appended before a request leaves: its number, key, step, row, worst price, the request's body
 *   reply   appended when it is answered: number of its intent, key, tokens, price, body
 *   reply_key  finds replies by the first half of their key. Not an index of SQLite's: keys are random, and an index kept for each row costs
 *           a page for each reply. Here the keys since the last mark wait in memory and come in sorted, thousands at a time.
 *   cancel  intents closed without a reply
 *   lost    intents that were open when their process ended, noticed by the next run
 *   mark    one line, a shortcut for opening: intents up to `settled` are closed or in `lost`; replies with gen <= mark.gen are in
 *           reply_key and are counted in n_replies and spent_usd. It may lag behind: opening looks at what came later.
 *   batch   requests that travel together in a file (model/batch.h): where it stands; changed as it moves
 *   batch_item  which intents are in which batch: while a batch has not ended, they are not lost when their process ends
 * Version 1 had no batches. Version 0 (before the first release) had keys as blobs, no epochs, and bodies as they stand. */
#ifndef QN_LEDGER_SCHEMA_H
#define QN_LEDGER_SCHEMA_H
#include "core/err.h"
#include <sqlite3.h>

enum { QN_LEDGER_VERSION = 2, QN_LEDGER_APP = 0x714c4731 };     /* "qLG1" */

/* Opens the file for writing with WAL and synchronous=FULL; creates or migrates the tables. Owned: sqlite3_close. */
qn_code qn_schema_open(sqlite3 **out, const char *path, qn_err *e);
/* A connection that only reads, to a ledger that is open here for writing. */
qn_code qn_schema_open_read(sqlite3 **out, const char *path, qn_err *e);
/* The same to any ledger, perhaps of a run at work elsewhere, perhaps in a folder that cannot be written. Refuses what is no ledger of this version. */
qn_code qn_schema_open_view(sqlite3 **out, const char *path, qn_err *e);
/* What SQLite said, in words for people: "the disk is full", "the file is damaged". Always QN_ELEDGER. */
qn_code qn_schema_fail(sqlite3 *db, int rc, const char *path, qn_err *e);
#endif
