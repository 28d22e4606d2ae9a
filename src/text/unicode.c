/* unicode: expands the ranges of unicode_data.h into two-level tables, once. */
#include "text/unicode.h"
#include "core/err.h"
#include <pthread.h>
#include "text/unicode_data.h"

#define S QN_CP_SPACE
#define L QN_CP_LETTER
#define N QN_CP_DIGIT
#define P QN_CP_PUNCT
#define Y QN_CP_SYMBOL
const uint8_t qn_ascii_class[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, S, S, S, S, S, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, S, S, S, S,
    S, P, P, P, Y, P, P, P, P, P, P, Y, P, P, P, P, N, N, N, N, N, N, N, N, N, N, P, P, Y, Y, Y, P,
    P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, P, P, P, Y, P,
    Y, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, P, Y, P, Y, 0,
};
#undef S
#undef L
#undef N
#undef P
#undef Y

#define N_PAGES (0x110000 / 256)
static uint8_t  class_page[N_PAGES], class_data[400 * 256];     /* page 0 of each: all zero */
static uint8_t  lower_page[N_PAGES];
static int32_t  lower_data[40 * 256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_classes(void)
{
    size_t n_pages = 1;
    uint8_t full[8] = { 0 };                    /* pages that are one class from end to end are shared */
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++)
        for (uint32_t cp = CLASSES[i].lo; cp <= CLASSES[i].hi;) {
            uint8_t cls = CLASSES[i].cls, *page = &class_page[cp >> 8];
            if (!(cp & 255) && cp + 255 <= CLASSES[i].hi) {
                if (!full[cls]) {
                    full[cls] = (uint8_t)n_pages++;
                    memset(class_data + full[cls] * 256, cls, 256);
                }
                *page = full[cls];
                cp += 256;
                continue;
            }
            if (!*page) *page = (uint8_t)n_pages++;
            class_data[*page * 256 + (cp & 255)] = cls;
            cp++;
        }
    QN_ASSERT(n_pages <= 256);
}

static void fill_lower(void)
{
    size_t n_pages = 1;
    for (size_t i = 0; i < sizeof LOWER / sizeof *LOWER; i++)
        for (uint32_t cp = LOWER[i].lo; cp <= LOWER[i].hi; cp += LOWER[i].step) {
            uint8_t *page = &lower_page[cp >> 8];
            if (!*page) *page = (uint8_t)n_pages++;
            QN_ASSERT(n_pages <= 40);
            lower_data[*page * 256 + (cp & 255)] = LOWER[i].delta;
        }
}

static void fill(void) { fill_classes(); fill_lower(); }

qn_cp_kind qn_cp_class_wide(uint32_t cp)
{
    pthread_once(&once, fill);
    return cp < 0x110000 ? (qn_cp_kind)class_data[class_page[cp >> 8] * 256 + (cp & 255)] : QN_CP_OTHER;
}

uint32_t qn_cp_lower_wide(uint32_t cp)
{
    pthread_once(&once, fill);
    return cp < 0x110000 ? cp + (uint32_t)lower_data[lower_page[cp >> 8] * 256 + (cp & 255)] : cp;
}

void qn_fold(qn_str s, qn_buf *out)
{
    qn_buf_reserve(out, s.n + 8);
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 128) {
            qn_buf_putc(out, (char)qn_cp_lower(c));
            i++;
            continue;
        }
        char bytes[4];
        int n = qn_utf8_put(qn_cp_lower(qn_utf8_next(s, &i)), bytes);
        qn_buf_put(out, bytes, (size_t)n);
    }
}
