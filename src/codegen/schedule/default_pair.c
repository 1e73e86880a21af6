/* Closed form for functions of pairs: sum over j of f(x(i), y(j)), where no operand has both loops. There is much to compute for what is read, so
 * i goes to the lanes whatever its stride: x is loaded once for a tile of vectors, y(j) is one broadcast, and the sums of all results stay in
 * registers while j runs. Short axes (coordinates) are expanded. Sums over i, too, have a partial per part. */
#include <inttypes.h>
#include "default_piece.h"

enum { SHORT = 16, PAIRS_OF_PART = 1 << 16, MOST_VECTORS = 4, MOST_OPS = 512, MOST_TILE = 32, WORKING = 8 };

typedef struct pairs {
    piece *p;
    uint32_t i;
    uint64_t shorts, longs;      /* axes, as bits; longs: all others, with i */
    bool right;
} pairs;

static int long_axes(const pairs *s, const gn_kexpr *load)
{
    int n = 0;
    for (uint32_t a = s->p->first_axis; a < s->p->first_axis + s->p->naxes; a++)
        n += (s->longs >> a & 1) && gn_piece_stride(s->p, load->u.ref, load->index, a) != 0;
    return n;
}

/* Reads something of which each element belongs to one pair, or at places that data tell. */
static void look_at_load(void *user, const gn_kexpr *load)
{
    pairs *s = user;
    s->right &= long_axes(s, load) <= 1;
    for (size_t d = 0; d < load->nindex; d++) s->right &= !gn_dim_has_load(load->index[d]);
}

static const gn_kexpr *body_of(const piece *p, uint32_t item)
{
    const gn_kdef *d = gn_piece_def(p, item);
    return d ? d->body : p->k->stores.at[p->k->items.at[p->first_item + item].at].value;
}

static bool is_statement(const piece *p, uint32_t item)
{
    const gn_kdef *d = gn_piece_def(p, item);
    return !d || d->red != GN_RED_NONE;
}

static void find_axes(pairs *s)
{
    const piece *p = s->p;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++) {
        const bool is_short = p->extent[a] >= 0 && p->extent[a] <= SHORT;
        *(is_short ? &s->shorts : &s->longs) |= UINT64_C(1) << a;
    }
}

/* Every statement runs along i, but for what it leaves in the end; some goes over pairs. */
static bool find(pairs *s)
{
    const piece *p = s->p;
    const uint64_t i = UINT64_C(1) << s->i;
    bool any = false;
    find_axes(s);
    s->right = (s->longs & i) && (p->extent[s->i] < 0 || p->extent[s->i] > p->w);
    for (uint32_t k = 0; k < p->nitems && s->right; k++) {
        gn_piece_loads(p, body_of(p, k), look_at_load, s);
        if (!is_statement(p, k)) continue;
        const uint64_t axes = gn_piece_axes(p, k) & s->longs;
        s->right &= (axes & i) || (!gn_piece_def(p, k) && axes == 0);
        any |= gn_piece_def(p, k) && (axes & ~i);
    }
    return s->right && any;
}

/* ---- the tile ---- */

static int64_t points_along(const pairs *s, uint64_t axes)
{
    int64_t n = 1;
    for (uint32_t a = 0; a < s->p->k->axes.n; a++)
        if (axes >> a & s->shorts >> a & 1) n *= s->p->extent[a] > 0 ? s->p->extent[a] : 1;
    return n;
}

/* Short axes of the largest statement are expanded as far as that is little code; the others are loops around the pairs. */
static uint64_t expanded(const pairs *s)
{
    uint64_t chosen = s->shorts;
    for (uint32_t k = 0; k < s->p->nitems; k++) {
        const uint64_t axes = gn_piece_axes(s->p, k);
        for (uint32_t a = 0; is_statement(s->p, k) && a < s->p->k->axes.n && points_along(s, axes & chosen) > MOST_TILE; a++)
            chosen &= ~(axes & UINT64_C(1) << a);
    }
    return chosen;
}

static int64_t ops_of(const pairs *s, uint64_t tile)
{
    int64_t ops = 0;
    for (uint32_t k = 0; k < s->p->nitems; k++) {
        gn_visit v = { .arena = s->p->arena, .operand = gn_kexpr_operand };
        int64_t own = 0;
        gn_visit_add(&v, body_of(s->p, k));
        for (const gn_kexpr *e; (e = gn_visit_next(&v));) own += e->kind == GN_K_OP || e->kind == GN_K_IF;
        ops += own * (is_statement(s->p, k) ? points_along(s, gn_piece_axes(s->p, k) & tile) : 1);
    }
    return ops;
}

/* Vectors that are alive in the loop over pairs for each one of i: sums, and what is loaded before it. */
static int64_t alive(const pairs *s, uint64_t tile)
{
    int64_t n = 0;
    for (uint32_t k = 0; k < s->p->nitems; k++) {
        const gn_kdef *d = gn_piece_def(s->p, k);
        uint64_t kept = 0;
        for (size_t a = 0; d && a < d->nparam; a++) kept |= UINT64_C(1) << d->param[a];
        if (d && d->red != GN_RED_NONE && (gn_piece_axes(s->p, k) & s->longs & ~(UINT64_C(1) << s->i))) n += points_along(s, kept & tile);
    }
    return n;
}

static int64_t vectors(const pairs *s, uint64_t tile)
{
    const int64_t ops = ops_of(s, tile), sums = alive(s, tile), registers = s->p->target->nregs - WORKING;
    int64_t n = MOST_VECTORS;
    while (n > 1 && (n * ops > MOST_OPS || 2 * n * sums > registers)) n /= 2;
    return n;
}

/* ---- the directives ---- */

/* Pairs for each element of i, in the largest statement. */
static int64_t others_size(const pairs *s)
{
    double most = 1;
    for (uint32_t k = 0; k < s->p->nitems; k++) {
        const uint64_t axes = gn_piece_axes(s->p, k);
        double n = 1;
        for (uint32_t a = 0; a < s->p->k->axes.n; a++)
            if (a != s->i && (axes >> a & s->longs >> a & 1)) n *= (double)gn_piece_guess(s->p, a);
        if (n > most) most = n;
    }
    return most > PAIRS_OF_PART ? PAIRS_OF_PART : (int64_t)most;
}

/* i in parts, tiles, vectors, lanes; the leaf of its parts, or NULL. */
static const char *split_tiles(pairs *s, int64_t unroll, int64_t *rows, lanes *l)
{
    piece *p = s->p;
    const int64_t tile = unroll * p->w, e = p->extent[s->i];
    *rows = PAIRS_OF_PART / others_size(s) / tile * tile;
    if (*rows < tile) *rows = tile;
    if (e >= 0 && e <= *rows) {
        *l = gn_piece_lanes(p, s->i, unroll, unroll);
        return NULL;
    }
    const char *part = gn_piece_leaf(p, s->i, "p");
    *l = (lanes){ .outer = gn_piece_leaf(p, s->i, "0"), .nouter = *rows / tile, .nunroll = unroll, .exact = e >= 0 && e % tile == 0 };
    if (unroll > 1 || p->w == 1) l->unroll = gn_piece_leaf(p, s->i, "u");
    if (p->w > 1) l->lane = gn_piece_leaf(p, s->i, "l");
    gn_textf(&p->splits, " (split %s %s (%s %" PRId64 ")", p->k->axes.at[s->i].name, part, l->outer, l->nouter);
    if (l->unroll) gn_textf(&p->splits, " (%s %" PRId64 ")", l->unroll, unroll);
    if (l->lane) gn_textf(&p->splits, " (%s %" PRId64 ")", l->lane, p->w);
    gn_text_char(&p->splits, ')');
    return part;
}

static void write_axes(pairs *s, uint64_t axes, bool tile)
{
    piece *p = s->p;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++) {
        if (a == s->i || !(axes >> a & 1)) continue;
        if (tile) gn_piece_tile(p, "unroll", p->k->axes.at[a].name, a, p->extent[a]);
        else gn_piece_axis(p, a);
    }
}

static void write(pairs *s)
{
    piece *p = s->p;
    lanes l;
    int64_t rows;
    const uint64_t tile = expanded(s);
    const bool closes = gn_piece_reduces(p, s->i);
    const char *part = split_tiles(s, vectors(s, tile), &rows, &l);
    if (part) gn_piece_part(p, part, s->i);
    if (l.outer) gn_piece_serial(p, l.outer, s->i, l.nouter);
    gn_piece_peel(p, &l);
    write_axes(s, s->shorts & ~tile, false);
    write_axes(s, s->longs, false);
    write_axes(s, tile, true);
    gn_piece_lane_tiles(p, &l, s->i, closes ? "private" : "unroll");
    if (part && closes) gn_piece_close(p, s->i, part, rows);
}

bool gn_default_pairs(piece *p)
{
    pairs s = { .p = p };
    if (p->small || p->naxes == 0 || (p->hint && p->hint->contraction >= 0)) return false;
    s.i = p->hint && p->hint->spine >= 0 ? (uint32_t)p->hint->spine : p->first_axis;
    if (!find(&s)) return false;
    write(&s);
    return true;
}
