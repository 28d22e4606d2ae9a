/* fuzz_functions: any JSON (or YAML) as a description of functions; each function is called with no arguments and with a few. */
#include "data/yaml.h"
#include "recipe/functions.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_arena a = {0};
    qn_err e;
    qn_value doc, args;
    qn_functions f;
    qn_ynode *y;
    qn_str text = { (const char *)data, n };
    bool have = qn_json_parse(text, &a, &doc, &e) == QN_OK;
    if (!have && qn_yaml_parse(text, "f", QN_YAML_ALIASES, &a, &y, &e) == QN_OK) {
        doc = qn_yaml_value(y, &a);
        have = true;
    }
    if (have && qn_functions_read(doc, &a, &f, &e) == QN_OK && qn_json_parse(QN_STR("{\"x\":1,\"body\":{\"x\":[{}]}}"), &a, &args, &e) == QN_OK)
        for (size_t i = 0; i < f.n && i < 50; i++) {
            qn_schema_fits(f.items[i].schema, qn_v_object(NULL, 0), NULL);
            qn_schema_fits(f.items[i].schema, args, NULL);
        }
    qn_arena_free(&a);
    return 0;
}
