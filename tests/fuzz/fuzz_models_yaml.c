/* fuzz_models_yaml: quern.yaml from hostile hands: every entry is read, secrets are not followed. */
#include "model/models.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    qn_models ms = {0};
    qn_ynode *root;
    qn_err e = {0};
    if (qn_yaml_parse((qn_str){ (const char *)data, size }, "fuzz.yaml", 0, &ms.arena, &root, &e) == QN_OK) {
        ms.entries = qn_yaml_get(root, "models");
        if (ms.entries && ms.entries->kind == QN_Y_MAP && qn_models_check(&ms, &e) != QN_OK && !e.msg[0]) abort();
    } else if (!e.msg[0]) abort();
    qn_arena_free(&ms.arena);
    return 0;
}
