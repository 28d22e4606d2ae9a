/* version: which quern this is and what it was built with. */
#include "cli/cmd.h"
#include <curl/curl.h>
#include <sqlite3.h>
#include <stdio.h>

typedef struct { bool json; } opts;

static int run(const qn_args *args, void *p)
{
    const opts *o = p;
    (void)args;
    if (o->json)
        printf("{\"quern\":\"%s\",\"sqlite\":\"%s\",\"yyjson\":\"%s\"}\n", QN_VERSION, sqlite3_libversion(), YYJSON_VERSION_STRING);
    else
        printf("quern %s\n", QN_VERSION);
    return 0;
}

static const qn_opt OPTS[] = { { "json", 0, QN_OPT_FLAG, NULL, "as JSON, with the libraries", offsetof(opts, json) }, { 0 } };

const qn_cmd qn_cmd_version = { .name = "version", .brief = "print the version", .usage = "quern version [--json]", .opts = OPTS,
                                .opts_bytes = sizeof(opts), .run = run };
