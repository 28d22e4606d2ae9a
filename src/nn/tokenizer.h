/* tokenizer: texts to token ids and back, as tokenizer.json of Hugging Face says: byte-level BPE (GPT-2, Llama 3, Qwen2) and
 * WordPiece (BERT). Also trains a BPE.
 * Sources: Sennrich et al. 2016 (BPE); Radford et al. 2019 (byte level); Schuster & Nakajima 2012 (WordPiece).
 * A handle remembers words it met, so it belongs to one thread; qn_tokenizer_fork gives another thread its own. */
#ifndef QN_NN_TOKENIZER_H
#define QN_NN_TOKENIZER_H
#include "core/err.h"
#include "nn/split.h"

typedef struct qn_tokenizer qn_tokenizer;
typedef struct { int32_t *p; size_t n, cap; } qn_ids;               /* zero-initialise; owned: qn_ids_free */
void qn_ids_put(qn_ids *a, int32_t id);
void qn_ids_free(qn_ids *a);

/* `path`: a tokenizer.json, or a folder that has one. QN_EDATA names what in it is not known. */
qn_code qn_tokenizer_open(qn_tokenizer **t, const char *path, qn_err *e);
qn_code qn_tokenizer_parse(qn_tokenizer **t, qn_str json, qn_err *e);
void    qn_tokenizer_close(qn_tokenizer *t);                        /* NULL is fine */
qn_tokenizer *qn_tokenizer_fork(const qn_tokenizer *t);             /* shares the tables: close it before t */
/* Writes tokenizer.json (as it was read or trained) and a tokenizer_config.json when the folder has none. */
qn_code qn_tokenizer_save(const qn_tokenizer *t, const char *dir, qn_err *e);

enum {
    QN_TOKENS_FRAME = 1,    /* add what the model wants around a text (BOS; [CLS] and [SEP]) */
    QN_TOKENS_PLAIN = 2     /* do not see added tokens in the text: for text from outside, which may spell <|im_end|> */
};
/* Ids are added to `out`. QN_EMISSING when a normal form needs utf8proc and it is not there.
 * Cost: byte-level 17 to 45 ns a byte (bench/bench_bpe), n log n for a word of any length; words met are remembered. */
qn_code qn_tokenizer_encode(qn_tokenizer *t, qn_str text, int flags, qn_ids *out, qn_err *e);
/* Bytes are added to `out`; they are UTF-8 when the ids end at a character's end. special: write added tokens too. */
void    qn_tokenizer_decode(const qn_tokenizer *t, const int32_t *ids, size_t n, bool special, qn_buf *out);
size_t  qn_tokenizer_size(const qn_tokenizer *t);                   /* ids are below it */
int32_t qn_tokenizer_id(const qn_tokenizer *t, const char *token);  /* added tokens and, for WordPiece, pieces; -1 when unknown */
qn_str  qn_tokenizer_token(const qn_tokenizer *t, int32_t id);      /* its bytes ("##ing" for WordPiece); borrowed */

/* Byte-level BPE from texts: `special` first, then the 256 bytes, then merges until there are `size` tokens (or no pair
 * occurs twice). Of pairs that are equally frequent the one with smaller ids is merged first, so the result depends on
 * the texts alone. Cost: about 10 s for 100 MB. */
typedef struct { int size; qn_split split; const char *const *special; int n_special; int64_t min_count; /* 0: 2 */ } qn_bpe_options;
qn_code qn_tokenizer_train(qn_tokenizer **t, const qn_str *texts, size_t n, const qn_bpe_options *o, qn_err *e);
#endif
