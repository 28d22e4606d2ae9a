/* fuzz_card: any bytes as a name in the card's front matter: YAML reads back the same text, invalid bytes as U+FFFD. */
#include "core/mem.h"
#include "report/report.h"
#include <yaml.h>

static void put_valid(qn_buf *b, qn_str s)
{
    for (size_t i = 0; i < s.n;) {
        char utf8[4];
        uint32_t c = qn_utf8_next(s, &i);
        qn_buf_put(b, utf8, (size_t)qn_utf8_put(c, utf8));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_buf yaml = {0}, want = {0};
    yaml_parser_t p;
    yaml_event_t ev;
    qn_str s = { (const char *)data, n };
    bool seen = false;
    qn_buf_puts(&yaml, "name: ");
    qn_yaml_put_text(&yaml, s);
    qn_buf_puts(&yaml, "\nnext: 1\n");
    put_valid(&want, s);
    yaml_parser_initialize(&p);
    yaml_parser_set_input_string(&p, (const unsigned char *)yaml.p, yaml.n);
    for (int k = 0, done = 0; !done; k++) {
        QN_ASSERT(yaml_parser_parse(&p, &ev));
        done = ev.type == YAML_STREAM_END_EVENT;
        if (k == 4) {   /* stream, document, mapping, key, value */
            QN_ASSERT(ev.type == YAML_SCALAR_EVENT && ev.data.scalar.length == want.n);
            QN_ASSERT(want.n == 0 || memcmp(ev.data.scalar.value, want.p, want.n) == 0);
            seen = true;
        }
        yaml_event_delete(&ev);
    }
    QN_ASSERT(seen);
    yaml_parser_delete(&p);
    qn_buf_free(&yaml);
    qn_buf_free(&want);
    return 0;
}
