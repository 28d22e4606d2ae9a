/* permit: may rows that this model wrote train that model? Decided from the model's own `terms` or `licence`, else from the provider's terms and the open
 * model's licence (terms.h). No legal advice; the date of each fact is in the table. */
#ifndef QN_MODEL_PERMIT_H
#define QN_MODEL_PERMIT_H
#include "model/model.h"
#include "model/terms.h"

typedef struct qn_permit { qn_may_train may; const qn_terms *terms; char words[320]; } qn_permit;     /* words: one sentence for people */
/* student: name of the model that will be trained; "evaluation": none will be; NULL: nobody said. */
qn_permit qn_permit_of(const qn_model *teacher, const char *student);
/* The same of rows made from a source with that licence; NULL or empty: nobody said. */
qn_permit qn_permit_of_source(const char *licence, const char *student);
#endif
