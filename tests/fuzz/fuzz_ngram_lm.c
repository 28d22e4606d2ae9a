/* Fuzz target: saved n-gram models. What must hold: damaged bytes are refused, and what is taken answers without a crash. */
#include "text/ngram_lm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    qn_ngram_lm *m;
    qn_err e;
    if (qn_ngram_lm_load((qn_str){ (const char *)data, size }, &m, &e) != QN_OK) return 0;
    qn_ngram_lm_ask(m, QN_STR("the mill grinds"));
    qn_ngram_lm_free(m);
    return 0;
}
