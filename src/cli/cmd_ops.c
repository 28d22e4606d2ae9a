/* ops: lists the operators. */
#include "cli/cmd.h"
#include "api/describe.h"
#include <stdio.h>

typedef struct { bool json; } opts;

static int run(const qn_args *args, void *vo)
{
    const opts *o = vo;
    qn_buf b = {0};
    (void)args;
    if (o->json) {
        qn_describe_ops_json(&b);
        printf("%s\n", b.p);
        qn_buf_free(&b);
        return 0;
    }
    for (qn_stage stage = QN_SOURCE; stage <= QN_SINK; stage++) {
        bool first = true;
        for (size_t i = 0; qn_ops_table[i]; i++) {
            const qn_op *op = qn_ops_table[i];
            if (op->stage != stage || (op->flags & QN_OP_HIDDEN)) continue;
            if (first) printf("%s%s\n", stage ? "\n" : "", qn_stage_title(stage));
            first = false;
            printf("  %-22s %s%s\n", op->name, op->brief, op->flags & QN_OP_NEEDS_MODEL ? " (asks a model)" : "");
        }
    }
    printf("\n`quern help op NAME` explains one; in a recipe there are also repeat, rounds, join and recipe.\n");
    return 0;
}

static const qn_opt OPTS[] = { { "json", 0, QN_OPT_FLAG, NULL, "as JSON: parameters, types, examples", offsetof(opts, json) }, { 0 } };

const qn_cmd qn_cmd_ops = { .name = "ops", .brief = "list the operators", .usage = "quern ops [--json]", .opts = OPTS, .opts_bytes = sizeof(opts), .run = run };
