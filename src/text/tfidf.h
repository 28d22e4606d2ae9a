/* tfidf: texts as sparse vectors of unit length, one place for each distinct word.
 *
 * Weight = count * (ln((1 + n_texts) / (1 + texts with the word)) + 1), then length 1 (scikit-learn's default: smooth idf).
 * Words are QN_WORDS_PLAIN in lower case; words of one byte are left out. Source: Salton and Buckley 1988. */
#ifndef QN_TEXT_TFIDF_H
#define QN_TEXT_TFIDF_H
#include "text/vectors.h"
#include "text/words.h"

typedef struct qn_tfidf qn_tfidf;
qn_tfidf  *qn_tfidf_new(void);
void       qn_tfidf_free(qn_tfidf *t);
void       qn_tfidf_add(qn_tfidf *t, qn_str text);
/* Words that occur in fewer than min_texts texts are left out.  The vectors are the caller's (qn_vectors_free). */
qn_vectors qn_tfidf_vectors(const qn_tfidf *t, size_t min_texts);
qn_str     qn_tfidf_word(const qn_tfidf *t, uint32_t column);      /* in lower case; borrowed */
size_t     qn_tfidf_bytes(const qn_tfidf *t);
#endif
