/* regex: regular expressions in linear time, over UTF-8. A pattern becomes a small program; all ways through it are walked at once (Pike's
 * machine, after Thompson 1968 and Pike's `sam`), so that no pattern and no text can make it run away.
 *
 * Perl's syntax without what needs backtracking: . ^ $ \A \z \Z \b \B  | ( ) (?: ) (?<name> ) (?imsx) (?i: )  * + ? {n} {n,} {n,m} and their lazy
 * forms, [abc] [^a-z] [[:alpha:]] \d \w \s \h \D \W \S \H \p{L} \p{Lu} \p{Ll} \p{N} \p{P} \p{Z} and \P{..}, \t \n \r \f \v \e \a \xHH \x{H..} \uHHHH, \Q..\E.
 * Not there, said when compiled: \1 back references, (?= (?! (?<= (?<! look-around, (?> atomic groups, possessive quantifiers.
 * Classes know Unicode. Among the matches at the leftmost place the one that a backtracking matcher would find first is taken. */
#ifndef QN_TEXT_REGEX_H
#define QN_TEXT_REGEX_H
#include "core/err.h"
#include "core/mem.h"

typedef struct qn_regex qn_regex;       /* immutable; may be used on any thread at once */

enum { QN_REGEX_PROGRAM = 20000 };      /* instructions at most: a{1000}{1000} is refused */

/* Compiles `pattern` into the arena.
 *   flags   letters: i ignore case, x extended (white space and # comments are left out), s and p: . matches a new line, n ignore empty matches,
 *           g all matches (kept for the caller: qn_regex_global), l longest
 * Errors: QN_ERECIPE with what is wrong and at which byte; QN_ELIMIT when the program is too big. */
qn_code qn_regex_compile(qn_str pattern, qn_str flags, qn_arena *a, qn_regex **out, qn_err *e);

typedef struct { size_t from, to; } qn_regex_span;          /* bytes; from > to: the group took no part */

size_t  qn_regex_groups(const qn_regex *re);                /* with the whole match, which is group 0 */
qn_str  qn_regex_group_name(const qn_regex *re, size_t i);  /* empty when it has none */
bool    qn_regex_global(const qn_regex *re);                /* flag g */
bool    qn_regex_skip_empty(const qn_regex *re);            /* flag n */

/* Looks for the first match at or behind byte `start`.
 *   spans   out, (qn_regex_groups) or NULL when only the answer counts
 *   work    in: how much may be done (steps of one state over one character); out: less by what was done; NULL: no bound
 *   *found  whether there is one.  Errors: QN_ELIMIT when work ran out.  Cost: O(text * program), memory O(program) for the call. */
qn_code qn_regex_find(const qn_regex *re, qn_str text, size_t start, qn_regex_span *spans, uint64_t *work, bool *found, qn_err *e);
#endif
