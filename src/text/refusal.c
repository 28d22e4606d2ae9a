/* refusal: phrase tables and the state of a text at its end. */
#include "text/refusal.h"
#include "text/unicode.h"
#include <strings.h>

const char *const QN_REPLY_FAULTS[QN_REPLY_N] = { "refusal", "apology", "leak", "meta", "cut", "broken", "empty" };

enum { HEAD = 240 };        /* a refusal shows itself in the first sentences */

/* "*" stands for up to 24 characters within the sentence. Matched in lower case with ' for every apostrophe. */
static const char *const REFUSALS[] = {
    "i'm sorry, but", "i am sorry, but", "sorry, but i can't", "sorry, but i cannot", "sorry, i can't", "sorry, i cannot", "i can't assist", "i cannot assist", "i can't help with", "i cannot help with", "i cannot provide",
    "i can't provide", "i'm unable to", "i am unable to", "i'm not able to", "i am not able to", "i cannot fulfill", "i can't fulfill", "i cannot comply", "i can't comply", "i won't be able to", "i must decline",
    "i have to decline", "as an ai", "as a language model", "as a large language model", "i'm just an ai", "i am just an ai", "i'm an ai", "i do not have personal", "i don't have personal", "i don't have access to",
    "i do not have access to", "it is not appropriate", "it's not appropriate", "it would be inappropriate", "against my programming", "violates*policy", "violates*policies", "goes against*guidelines", "i cannot generate",
    "i can't generate", "i cannot create", "i can't create", "i cannot write", "i cannot answer", "i can't answer", "i cannot engage", "i'm not comfortable", "i am not comfortable", "not programmed to", "i cannot support",
    "i cannot and will not", "i will not provide", "i won't provide", "i'm really sorry*feeling this way", "unfortunately, i cannot", "unfortunately, i can't", "unfortunately, i'm", "i cannot recommend", "cannot be answered",
    "there is not enough information", "not enough information", "no information is provided", "the passage does not", "the text does not mention", "the context does not",
};
static const char *const APOLOGIES[] = { "i apologize", "i apologise", "my apologies", "apologies for", "sorry for the confusion", "sorry for any confusion", "sorry about that", "i'm sorry for", "i am sorry for", "pardon me", "i made a mistake",
    "you're right, i", "you are right, i", "thank you for pointing", "thanks for pointing" };
static const char *const LEAKS[] = { "you are a helpful", "you are an expert", "you are chatgpt", "you are an ai", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|assistant|>", "<|user|>", "<|system|>", "[inst]", "[/inst]",
    "<<sys>>", "### instruction", "### response", "### input:", "### human", "### assistant", "\nhuman:", "\nuser:", "\nassistant:", "system prompt", "begin_of_text", "start_header_id", "<start_of_turn>", "</s>", "<s>", "my instructions are",
    "i was instructed to", "according to the prompt", "the prompt asks", "as instructed in the prompt", "given the instructions", "as per your instructions", "knowledge cutoff", "my training data", "<think>", "</think>", "trained by openai", "trained by google" };
static const char *const METAS[] = { "here is the rewritten", "here's the rewritten", "here is a rewritten", "#rewritten prompt#", "#given prompt#", "#new prompt#", "rewritten prompt:", "here is a revised version", "here is the revised", "[your name]", "[insert", "[name]",
    "[company", "[date]", "[add ", "[placeholder", "<insert", "lorem ipsum", "todo:", "tbd", "{{", "here are some possible", "sure, here is", "sure, here's", "sure! here", "certainly! here", "of course! here", "hope this helps", "let me know if you",
    "is there anything else", "feel free to ask", "as requested, here", "in this example, i", "note: this is a sample", "(continued in", "[continue", "to be continued" };

/* Next byte of the text as it is compared: lower case, curly apostrophes as '. */
static char plain(qn_str s, size_t *i)
{
    if (*i + 2 < s.n && memcmp(s.p + *i, "\xE2\x80\x99", 3) == 0) { *i += 3; return '\''; }
    char c = s.p[(*i)++];
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool matches(qn_str s, size_t i, const char *phrase)
{
    for (const char *p = phrase; *p; p++) {
        if (*p == '*') {
            for (size_t k = 0; k < 24 && i + k < s.n && s.p[i + k] != '.' && s.p[i + k] != '\n'; k++)
                if (matches(s, i + k, p + 1)) return true;
            return false;
        }
        if (i >= s.n || plain(s, &i) != *p) return false;
    }
    return true;
}

/* Where the first of the phrases stands before `limit`; SIZE_MAX when nowhere. Phrases that begin with a letter start a word. */
static size_t find_any(qn_str s, const char *const *phrases, size_t n, size_t limit)
{
    uint8_t starts[256] = {0};
    for (size_t k = 0; k < n; k++) starts[(unsigned char)phrases[k][0]] = 1;
    for (size_t i = 0; i < s.n && i < limit; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 'A' && c <= 'Z') c += 32;
        if (!starts[c]) continue;
        bool letter = c >= 'a' && c <= 'z', inside = i > 0 && qn_ascii_class[s.p[i - 1] & 127] == QN_CP_LETTER && (unsigned char)s.p[i - 1] < 128;
        if (letter && inside) continue;
        for (size_t k = 0; k < n; k++)
            if ((unsigned char)phrases[k][0] == c && matches(s, i, phrases[k])) return i;
    }
    return SIZE_MAX;
}
#define FIND(s, list, limit) find_any(s, list, sizeof list / sizeof *list, limit)

static size_t count_fences(qn_str s, size_t *last)
{
    size_t n = 0;
    for (size_t i = 0; i + 3 <= s.n; i++)
        if (memcmp(s.p + i, "```", 3) == 0 && (i == 0 || s.p[i - 1] == '\n' || s.p[i - 1] == ' ')) { n++; *last = i; i += 2; }
    return n;
}

/* Brackets and double quotes of the last paragraph that stay open. Apostrophes are too common to count. */
static bool is_open(qn_str s)
{
    size_t from = s.n;
    while (from > 0 && !(s.p[from - 1] == '\n' && from > 1 && s.p[from - 2] == '\n')) from--;
    int round = 0, square = 0, quotes = 0;
    for (size_t i = from; i < s.n; i++) {
        char c = s.p[i];
        bool marker = c == ')' && i > from && (s.p[i - 1] >= '0' && s.p[i - 1] <= '9') && round == 0;    /* "1) first" */
        bool smile = (c == ')' || c == '(') && i > from && (s.p[i - 1] == ':' || s.p[i - 1] == ';' || s.p[i - 1] == '-');
        if (marker || smile) continue;
        round += (c == '(') - (c == ')' && round > 0);
        square += (c == '[') - (c == ']' && square > 0);
        quotes += c == '"';
    }
    return round > 0 || square > 0 || (quotes & 1);
}

/* Words that no sentence ends with. */
static bool ends_in_a_small_word(qn_str s)
{
    static const char *const words[] = { "the", "a", "an", "and", "or", "but", "of", "to", "with", "for", "in", "on", "at", "by", "from", "as", "is", "are", "was", "were", "that", "which", "because", "if", "than", "its", "their", "your", "my" };
    size_t from = s.n;
    while (from > 0 && ((s.p[from - 1] | 32) >= 'a' && (s.p[from - 1] | 32) <= 'z')) from--;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (s.n - from == strlen(words[k]) && strncasecmp(s.p + from, words[k], s.n - from) == 0) return from > 0;
    return false;
}

/* A reply of sentences that stops without a mark. Short answers, lists, code and tables need none. */
static bool stops_inside_a_sentence(qn_str s)
{
    size_t line = s.n, sentences = 0;
    while (line > 0 && s.p[line - 1] != '\n') line--;
    qn_str last = qn_str_trim(qn_str_sub(s, line, s.n));
    for (size_t i = 0; i + 1 < last.n; i++) sentences += (last.p[i] == '.' || last.p[i] == '!' || last.p[i] == '?') && last.p[i + 1] == ' ';
    unsigned char end = (unsigned char)s.p[s.n - 1];
    if (end == ',' || end == ';' || (end == '-' && s.n > 1 && s.p[s.n - 2] != '-')) return true;
    bool letter = (end | 32) >= 'a' && (end | 32) <= 'z';
    return letter && (ends_in_a_small_word(s) || (sentences >= 1 && last.n > 80));
}

static size_t find_broken(qn_str s)
{
    size_t n_letters = 0;
    for (size_t i = 0; i < s.n;) {
        size_t at = i;
        uint32_t c = qn_utf8_next(s, &i);
        if (c == 0xFFFD || (c < 32 && c != '\n' && c != '\t' && c != '\r') || c == 127) return at;
        qn_cp_kind k = qn_cp_class(c);
        n_letters += k == QN_CP_LETTER || k == QN_CP_DIGIT || k == QN_CP_SOLO;
    }
    return n_letters ? SIZE_MAX : 0;
}

unsigned qn_refusal_faults(qn_str reply, size_t at[QN_REPLY_N])
{
    size_t where[QN_REPLY_N], fence = 0;
    unsigned bits = 0;
    qn_str s = qn_str_trim(reply);
    for (int k = 0; k < QN_REPLY_N; k++) where[k] = SIZE_MAX;
    if (s.n == 0) {
        if (at) at[QN_REPLY_IS_EMPTY] = 0;
        return 1u << QN_REPLY_IS_EMPTY;
    }
    where[QN_REPLY_IS_REFUSAL] = FIND(s, REFUSALS, HEAD);
    where[QN_REPLY_IS_APOLOGY] = FIND(s, APOLOGIES, HEAD);
    where[QN_REPLY_IS_LEAK] = FIND(s, LEAKS, s.n);
    where[QN_REPLY_IS_META] = FIND(s, METAS, s.n);
    where[QN_REPLY_IS_BROKEN] = find_broken(s);
    size_t n_fences = count_fences(s, &fence);
    if (n_fences & 1) where[QN_REPLY_IS_CUT] = fence;
    else if (!n_fences && (is_open(s) || stops_inside_a_sentence(s))) where[QN_REPLY_IS_CUT] = s.n;
    for (int k = 0; k < QN_REPLY_N; k++) {
        if (where[k] == SIZE_MAX) continue;
        bits |= 1u << k;
        if (at) at[k] = (size_t)(s.p - reply.p) + where[k];
    }
    return bits;
}
