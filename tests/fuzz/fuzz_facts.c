/* fuzz_facts: any bytes as a passage: every answer lies inside of it, and two documents make at most a question. */
#include "builtin/multihop.h"
#include "builtin/relations.h"
#include "builtin/tech_facts.h"
#include "core/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_arena a = { 0 };
    qn_facts f, g;
    qn_multihop q;
    qn_rng r = qn_rng_seed(1);
    qn_str all = { (const char *)data, n };
    size_t cut = n ? data[0] % (n + 1) : 0;
    qn_facts_find(QN_STR("Marie Curie"), all, &a, &f);
    qn_relations_find(all, &a, &f);
    qn_tech_facts_find(all, &a, &f);
    for (size_t i = 0; i < f.n; i++) QN_ASSERT(f.items[i].start + f.items[i].answer.n <= n);
    qn_facts_find(qn_str_sub(all, 0, cut), qn_str_sub(all, cut, n), &a, &g);
    qn_relations_find(qn_str_sub(all, cut, n), &a, &g);
    for (size_t i = 0; i < g.n; i++) QN_ASSERT(g.items[i].start + g.items[i].answer.n <= n - cut);
    qn_bridge_write(&f, all, &g, g.main, &r, &a, &q);
    qn_comparison_write(&f, &g, &r, &a, &q);
    qn_arena_free(&a);
    return 0;
}
