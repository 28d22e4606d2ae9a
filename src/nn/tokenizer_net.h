/* tokenizer_net: the inside of a tokenizer, for the files it is made of. */
#ifndef QN_NN_TOKENIZER_NET_H
#define QN_NN_TOKENIZER_NET_H
#include "core/map.h"
#include "nn/tokenizer.h"
#include "nn/char_class.h"

/* A pair of ids that merges: `into`, earlier when `rank` is smaller. Open addressing, a power of two of cells. */
typedef struct { uint64_t key; int32_t rank, into; } qn_merge;      /* key: left << 32 | right; all ones: empty */
typedef struct { qn_merge *cells; size_t mask, n; } qn_merges;
void qn_merges_init(qn_merges *m, size_t n);
bool qn_merges_put(qn_merges *m, int32_t left, int32_t right, int32_t rank, int32_t into); /* false when there */
static inline const qn_merge *qn_merges_get(const qn_merges *m, int32_t left, int32_t right)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right, h = key * 0x9E3779B97F4A7C15u;
    for (size_t i = (h ^ h >> 32) & m->mask;; i = (i + 1) & m->mask) {
        if (m->cells[i].key == key) return &m->cells[i];
        if (m->cells[i].key == UINT64_MAX) return NULL;
    }
}

typedef struct { qn_str text; int32_t id; bool special, lstrip, rstrip; } qn_added;
enum { QN_WORD_BYTES = 28, QN_WORD_IDS = 8, QN_WORDS = 1 << 15 };
typedef struct { uint8_t n_bytes, n_ids; char bytes[QN_WORD_BYTES + 2]; int32_t ids[QN_WORD_IDS]; } qn_word; /* n_bytes 0: empty */

typedef struct qn_tables {      /* what forks share */
    bool wordpiece, ignore_merges, nfc, add_space;
    bool clean, chinese, strip, lower;      /* BERT's normalizer */
    qn_split split;
    qn_str *token;              /* (size) bytes of each id; {NULL, 0}: a hole */
    size_t size, cap;
    qn_map vocab;               /* bytes of a token (not an added one) -> id */
    qn_merges merges;
    int32_t byte_id[256];
    qn_added *added;
    size_t n_added, cap_added;
    bool first[256];            /* bytes that begin an added token */
    int32_t unk;
    int max_chars;              /* WordPiece: longer words are unknown */
    qn_str prefix;              /* "##" */
    int32_t before[8], after[8];
    int n_before, n_after;
    qn_arena a;
    qn_buf json;                /* as it is written */
} qn_tables;

struct qn_tokenizer {
    qn_tables *t;
    bool owner;
    uint8_t *classes;
    qn_word *words;             /* (QN_WORDS) words met */
    qn_utf8proc u8;
    qn_buf norm, norm2;
    struct qn_symbol *sym;      /* scratch of merging */
    size_t cap_sym;
    uint64_t *heap;
    size_t cap_heap;
};

void    qn_bpe_word(qn_tokenizer *t, qn_str word, qn_ids *out);             /* one piece, merged; remembers it */
void    qn_bpe_text(qn_tokenizer *t, qn_str s, qn_ids *out);                /* cut and merged */
qn_code qn_wordpiece_text(qn_tokenizer *t, qn_str s, qn_ids *out, qn_err *e);
qn_tables *qn_tables_new(void);
void    qn_token_tables_free(qn_tables *t);
void    qn_tables_token(qn_tables *t, int32_t id, qn_str bytes);            /* bytes: in t->a */
qn_tokenizer *qn_tokenizer_of(qn_tables *t);                                /* moves t */
int     qn_byte_char(uint8_t b, char out[4]);                               /* how GPT-2 writes a byte: its length in UTF-8 */
#endif
