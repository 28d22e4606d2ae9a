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

/* Lists of lower-case texts with words split by spaces, NULL-terminated; see each file. ASCII: marks are folded before a word is looked up. */
extern const char *const qn_list_names_female[], *const qn_list_names_male[], *const qn_list_names_either[], *const qn_list_names_words[];
extern const char *const qn_list_family_names[], *const qn_list_titles[];
extern const char *const qn_list_countries[];      /* "name|people adjectives" each */
extern const char *const qn_list_cities[];         /* split by | */

/* Roles of words in the rules of toxicity.c. */
typedef enum {
    QN_HARM_INTENT, QN_HARM_VERB, QN_HARM_TARGET, QN_HARM_BODY, QN_HARM_CRIME, QN_HARM_DO, QN_HARM_COMMIT, QN_HARM_DRUG, QN_HARM_GET, QN_HARM_WEAPON, QN_HARM_CROWD, QN_HARM_PROPERTY,
    QN_HARM_STEAL, QN_HARM_VALUABLE, QN_HARM_GROUP, QN_HARM_GROUP_ADJ, QN_HARM_PEOPLE, QN_HARM_DENY, QN_HARM_INFERIOR, QN_HARM_ATROCITY, QN_HARM_PRAISE, QN_HARM_PRIVATE,
    QN_HARM_OWNER, QN_HARM_FICTION, QN_HARM_THING, QN_HARM_DEFINE, QN_HARM_PAST, QN_HARM_ABSURD, QN_HARM_SELF, QN_HARM_PROFANE, QN_HARM_SLUR, QN_HARM_INSULT, QN_HARM_RIGHT, QN_HARM_NONE
} qn_harm_role;
typedef struct qn_list_role { qn_harm_role role; const char *words; } qn_list_role;
extern const qn_list_role qn_list_harm[];          /* ends with words NULL */

extern const char *const qn_list_gender_pairs[];   /* "female|male", NULL-terminated */
extern const char *const qn_list_age_pairs[];      /* "young|old", NULL-terminated */
extern const char *const qn_list_occupations;      /* split by spaces */
#endif
