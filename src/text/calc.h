/* calc: arithmetic in a text: + - * / % ( ), numbers as people write them (1,200.50; 15%), names for results found before.
 *
 * Signs that stand for the same are taken too: x and the multiplication sign for *, the division sign for /. A % directly behind a number or a
 * bracket means hundredths unless an operand follows ("20% 3" is no sum).
 * Cost: O(text), no allocation; brackets at most 64 deep. */
#ifndef QN_TEXT_CALC_H
#define QN_TEXT_CALC_H
#include "core/str.h"

typedef struct { qn_str name; double value; } qn_calc_name;

/* The value of the whole text. False when it is no sum, divides by zero, uses an unknown name or leaves the numbers; `why` then says what.
 *   names   (n) results that the text may use */
bool qn_calc(qn_str text, const qn_calc_name *names, size_t n, double *out, const char **why);
#endif
