/* lists: words and facts that the measures of text/ look up, written for quern. Readable C tables: change a line, build, run the tests. */
#ifndef QN_TEXT_LISTS_LISTS_H
#define QN_TEXT_LISTS_LISTS_H
#include <stddef.h>

typedef enum { QN_SCRIPT_LATIN, QN_SCRIPT_CYRILLIC, QN_SCRIPT_ARABIC, QN_SCRIPT_DEVANAGARI } qn_list_script;

/* A language that shares its script with others. */
typedef struct qn_list_language {
    const char *code;           /* ISO 639-1 */
    qn_list_script script;
    const char *letters;        /* letters beyond a-z (Latin) or beyond what all languages of the script share */
    const char *words;          /* its most frequent function and question words, lower case, split by spaces */
    int small;                  /* far fewer texts than its near kin: needs more evidence when the text is short */
} qn_list_language;
extern const qn_list_language qn_list_languages[];     /* ends with code NULL; at most 64 */
#endif
