/* measures: what a comparison and a run's report measure alike on a sample of texts. */
#ifndef QN_REPORT_MEASURES_H
#define QN_REPORT_MEASURES_H
#include "core/mem.h"
#include "text/cluster.h"
#include "text/tfidf.h"

/* Groups are looked for in so many main directions of the words: as they stand, short texts share so few words that most lie equally far from all. */
enum { QN_TOPIC_DIM = 32 };
/* Entropy in bits of the first three words of n texts; texts with fewer count whole. */
double     qn_opening_bits(const qn_str *text, size_t n);
/* Without light words (text/small_words.h) and words that stand in more than one text in five, so that topics are subjects and not ways of asking; lengths are 1 again. A
 * text of common words alone becomes zero. Owned. */
qn_vectors qn_without_common(const qn_tfidf *words, const qn_vectors *v);
/* The three words whose mean weight in the topic exceeds their mean over all rows most: "mill, wind, grain"; behind "mixed: "
 * when two rows of it are on average hardly alike (0.03).
 *   v      of qn_tfidf_vectors(words, ...)       mean  (dim) of all rows     own   (dim) used for the work */
qn_str     qn_topic_name(const qn_tfidf *words, const qn_vectors *v, const qn_clusters *t, size_t topic, const float *mean, float *own, qn_arena *a);
#endif
