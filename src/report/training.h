/* training: the models that a run trained, for the page: what DIR/models/NAME/training.json says of each. */
#ifndef QN_REPORT_TRAINING_H
#define QN_REPORT_TRAINING_H
#include "core/str.h"

/* ,"trained": [{"name", "rows", "steps", "loss_first", "loss_last", "loss_valid", "right_valid", "right_before", "refused", "losses": [...]}], by name. Losses
 * are means over equal stretches of steps, at most 240. Nothing when there are no models. */
void qn_training_put(const char *dir, qn_buf *b);
#endif
