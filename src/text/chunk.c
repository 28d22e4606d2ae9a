/* chunk: a text becomes units that are never cut (sentences, items of lists, tables, code, headings); units are packed into pieces. */
#include "text/chunk.h"
#include "text/sentences.h"
#include "text/unicode.h"

typedef struct {
    size_t start, end, n_tokens;
    uint32_t block;
    bool first;             /* of its block */
    bool heading;
    bool whole;             /* table or code */
} unit;

typedef struct {
    qn_str text;
    const qn_block *blocks;
    const qn_chunk_opts *o;
    unit  *units;
    size_t n, cap;
} cutter;

size_t qn_tokens_about(qn_str s)
{
    size_t n = 0, letters = 0, digits = 0;
    for (size_t i = 0; i < s.n;) {
        uint32_t cp = (unsigned char)s.p[i] < 128 ? (unsigned char)s.p[i++] : qn_utf8_next(s, &i);
        qn_cp_kind k = qn_cp_class(cp);
        if (k == QN_CP_LETTER || k == QN_CP_MARK) { letters += cp < 0x250 ? 1 : 3; continue; }  /* other alphabets take about three times as many */
        if (letters) n += 1 + (letters - 1) / 8;
        letters = 0;
        if (k == QN_CP_DIGIT) { digits++; continue; }
        if (digits) n += (digits + 2) / 3;
        digits = 0;
        if (k != QN_CP_SPACE) n++;
        else if (cp == '\n') n += i >= 2 && s.p[i - 2] != '\n';
    }
    if (letters) n += 1 + (letters - 1) / 8;
    return n + (digits + 2) / 3;
}

static size_t count(const cutter *c, size_t from, size_t to)
{
    qn_str s = qn_str_sub(c->text, from, to);
    size_t n = c->o->count ? c->o->count(c->o->arg, s) : qn_tokens_about(s);
    return n ? n : 1;
}

/* ---- units ---- */
static void add(cutter *c, size_t from, size_t to, uint32_t block, bool first)
{
    qn_block_kind kind = c->blocks[block].kind;
    QN_GROW(c->units, c->n, c->cap);
    size_t line = from > 0 && c->text.p[from - 1] == '\n';         /* the line end before it is a token as well */
    c->units[c->n++] = (unit){ .start = from, .end = to, .n_tokens = count(c, from, to) + line, .block = block, .first = first,
                               .heading = kind == QN_BLOCK_HEADING, .whole = kind == QN_BLOCK_TABLE || kind == QN_BLOCK_CODE };
}

/* A stretch without a place to cut that is larger than a piece may be: cut between words, words longer than that between characters. */
static void add_long(cutter *c, size_t from, size_t to, uint32_t block, bool first)
{
    size_t max = c->o->max_tokens;
    while (from < to) {
        size_t n = count(c, from, to);
        if (n <= max) { add(c, from, to, block, first); return; }
        size_t step = (to - from) * max / n, at = from + (step ? step : 1);
        at = from + qn_utf8_cut(qn_str_sub(c->text, from, to), at - from);
        for (int tries = 0; tries < 8 && at > from && count(c, from, at) > max; tries++)
            at = from + qn_utf8_cut(qn_str_sub(c->text, from, to), (at - from) * 3 / 4);
        size_t space = at;
        while (space > from && c->text.p[space] != ' ' && c->text.p[space] != '\n') space--;
        if (space > from) at = space;
        if (at <= from) { at = from + 1; while (at < to && ((unsigned char)c->text.p[at] & 0xC0) == 0x80) at++; }
        add(c, from, at, block, first);
        first = false;
        from = at;
        while (from < to && (c->text.p[from] == ' ' || c->text.p[from] == '\n')) from++;
    }
}

static void add_part(cutter *c, size_t from, size_t to, uint32_t block, bool first)
{
    if (count(c, from, to) > c->o->max_tokens) add_long(c, from, to, block, first);
    else add(c, from, to, block, first);
}

static void add_sentences(cutter *c, size_t from, size_t to, uint32_t block)
{
    qn_sentences it = qn_sentences_of(qn_str_sub(c->text, from, to));
    qn_str s;
    bool first = true;
    while (qn_sentences_next(&it, &s)) {
        size_t at = (size_t)(s.p - c->text.p);
        add_part(c, at, at + s.n, block, first);
        first = false;
    }
}

/* Items of a list: lines that begin less indented than, or like, its first one. */
static void add_items(cutter *c, size_t from, size_t to, uint32_t block)
{
    size_t item = from, indent = 0;
    bool first = true;
    while (from + indent < to && c->text.p[from + indent] == ' ') indent++;
    for (size_t i = from; i < to; i++) {
        if (c->text.p[i] != '\n') continue;
        size_t k = i + 1;
        while (k < to && c->text.p[k] == ' ') k++;
        if (k >= to || c->text.p[k] == '\n' || k - i - 1 > indent) continue;
        add_part(c, item, i, block, first);
        first = false;
        item = k;
    }
    add_part(c, item, to, block, first);
}

static void add_block(cutter *c, uint32_t i)
{
    const qn_block *b = &c->blocks[i];
    if (b->kind == QN_BLOCK_PARA || b->kind == QN_BLOCK_QUOTE) add_sentences(c, b->start, b->end, i);
    else if (b->kind == QN_BLOCK_LIST) add_items(c, b->start, b->end, i);
    else add(c, b->start, b->end, i, true);
}

/* ---- pieces ---- */
/* Is a cut before unit j good? 0 not at all, 1 between sentences, 2 between blocks, 3 before a heading. */
static int cut_rank(const cutter *c, size_t j)
{
    if (j >= c->n) return 3;
    if (c->units[j - 1].heading) return 0;
    if (c->units[j].heading) return 3;
    return c->units[j].first ? 2 : 1;
}

static size_t wanted(const qn_chunk_opts *o)
{
    return o->draw ? (size_t)qn_rng_range(o->draw, (int64_t)o->min_tokens, (int64_t)o->max_tokens) : o->max_tokens;
}

/* Where the piece that begins with unit i ends: the number of the first unit behind it. */
static size_t end_of_piece(const cutter *c, size_t i, size_t want)
{
    const qn_chunk_opts *o = c->o;
    size_t size = 0, at[4] = {0}, j = i;
    while (j < c->n && (j == i || size + c->units[j].n_tokens <= want || c->units[j - 1].heading)) {
        if (j > i && size + c->units[j].n_tokens > want && !c->units[j].whole && size >= o->min_tokens) break;
        size += c->units[j++].n_tokens;
        if (size < o->min_tokens) continue;
        int rank = cut_rank(c, j);
        at[rank] = j;
        if (rank == 3 && o->by == QN_CHUNK_HEADING) return j;
    }
    if (j >= c->n) return c->n;
    if (o->by == QN_CHUNK_SENTENCE && (at[1] || at[2] || at[3])) return at[1] > at[2] ? (at[1] > at[3] ? at[1] : at[3]) : (at[2] > at[3] ? at[2] : at[3]);
    if (at[3] || at[2]) return at[3] > at[2] ? at[3] : at[2];
    if (at[1]) return at[1];
    while (j > i + 1 && c->units[j - 1].heading) j--;   /* too small still: what follows is too large to join it */
    return j;
}

static size_t tokens_of(const cutter *c, size_t i, size_t j)
{
    size_t n = 0;
    for (; i < j; i++) n += c->units[i].n_tokens;
    return n;
}

/* First unit of the piece behind one that covers [i, j): goes back by whole units that fit into the overlap, not into headings, tables or code. */
static size_t overlap_from(const cutter *c, size_t i, size_t j)
{
    size_t size = 0, k = j;
    while (k > i + 1 && !c->units[k - 1].heading && !c->units[k - 1].whole && size + c->units[k - 1].n_tokens <= c->o->overlap_tokens)
        size += c->units[--k].n_tokens;
    return k;
}

typedef struct { size_t from, to; } piece;

/* A last piece below the smallest size joins the one before it, or takes units from its end. */
static size_t mend_last(const cutter *c, piece *p, size_t n)
{
    if (n < 2) return n;
    piece *last = &p[n - 1], *before = &p[n - 2];
    if (tokens_of(c, last->from, last->to) >= c->o->min_tokens) return n;
    if (tokens_of(c, before->from, last->to) <= c->o->max_tokens) { before->to = last->to; return n - 1; }
    size_t least = n > 2 && p[n - 3].to > before->from ? p[n - 3].to : before->from;     /* with an overlap: beyond where the piece before ends */
    for (size_t k = before->to - 1; k > least; k--) {
        if (cut_rank(c, k) == 0 || tokens_of(c, k, last->to) < c->o->min_tokens) continue;
        if (tokens_of(c, k, last->to) <= c->o->max_tokens && tokens_of(c, before->from, k) >= c->o->min_tokens) {
            before->to = k;
            last->from = k;
        }
        break;
    }
    return n;
}

/* ---- what a piece knows ---- */
typedef struct { const qn_block *at[7]; } headings;

static void follow(headings *h, const qn_block *b)
{
    if (b->kind != QN_BLOCK_HEADING) return;
    int level = b->level < 1 ? 1 : b->level > 6 ? 6 : b->level;
    h->at[level] = b;
    for (int i = level + 1; i < 7; i++) h->at[i] = NULL;
}

static qn_str heading_text(const headings *h, qn_str text, qn_arena *a)
{
    qn_buf b = {0};
    for (int i = 1; i < 7; i++) {
        if (!h->at[i]) continue;
        qn_str s = qn_str_sub(text, h->at[i]->start, h->at[i]->end);
        while (s.n && s.p[0] == '#') s = qn_str_sub(s, 1, s.n);
        if (b.n) qn_buf_puts(&b, " > ");
        qn_buf_str(&b, qn_str_trim(s));
    }
    qn_str out = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return out;
}

static qn_chunk chunk_of(const cutter *c, piece p, headings *h, uint32_t *seen, qn_arena *a)
{
    const unit *u = &c->units[p.from], *v = &c->units[p.to - 1];
    const qn_block *first = &c->blocks[u->block], *last = &c->blocks[v->block];
    for (; *seen <= u->block; ++*seen) follow(h, &c->blocks[*seen]);
    qn_chunk k = { .start = u->start, .end = v->end, .page = first->page, .page_end = last->page, .heading = heading_text(h, c->text, a) };
    k.n_tokens = count(c, k.start, k.end);
    if (first->src_end && last->src_end) {              /* inside a block that stands in the file as it stands here, to the byte; else the block's */
        bool same = first->src_end - first->src_start == first->end - first->start;
        k.src_start = first->src_start + (same ? u->start - first->start : 0);
        same = last->src_end - last->src_start == last->end - last->start;
        k.src_end = same ? last->src_start + (v->end - last->start) : last->src_end;
    }
    return k;
}

size_t qn_chunk_text(qn_str text, const qn_block *blocks, size_t n_blocks, const qn_chunk_opts *o, qn_arena *a, qn_chunk **out)
{
    qn_block *found;
    cutter c = { .text = text, .blocks = blocks, .o = o };
    piece *pieces = NULL;
    size_t n = 0, cap = 0, done = 0;
    headings h = {{ NULL }};
    uint32_t seen = 0;
    if (n_blocks == 0) { n_blocks = qn_blocks_find(text, a, &found); c.blocks = found; }
    for (size_t i = 0; i < n_blocks; i++) add_block(&c, (uint32_t)i);
    for (size_t i = 0; i < c.n;) {
        size_t j = end_of_piece(&c, i, wanted(o));
        if (j <= done) j = done + 1;                    /* an overlap that fills the whole piece: on by one unit at least */
        QN_GROW(pieces, n, cap);
        pieces[n++] = (piece){ i, j };
        done = j;
        i = j < c.n && o->overlap_tokens ? overlap_from(&c, i, j) : j;
    }
    n = mend_last(&c, pieces, n);
    *out = qn_arena_alloc(a, n * sizeof **out);
    for (size_t i = 0; i < n; i++) (*out)[i] = chunk_of(&c, pieces[i], &h, &seen, a);
    qn_free(c.units);
    qn_free(pieces);
    return n;
}
