/* Step 2, heavy reductions: the sum of a product in which two factors each vary along a kept axis that the other does
 * not have. There is no contraction op: matrix products, their gradients and batched ones are all of this form, while a
 * matrix-vector product is an ordinary row reduction. Of both sides one feeds the lanes (j), one the rows (i). */
#include <string.h>
#include "group_state.h"

int gn_group_lanes(const grouper *g, const gnode *r)
{
    const int size = gn_dtypes[r->e->type->dtype].size, least = size < 4 ? 4 : size;
    return g->target->vector_bytes >= least ? g->target->vector_bytes / least : 1;
}

/* The product's factors: both operands; where sums and products may be ordered anew, those of the products among them
 * too. False if there are too many. */
static bool collect(const grouper *g, uint32_t body, heavy *h)
{
    uint32_t stack[8];
    size_t n = 0;
    stack[n++] = body;
    while (n > 0) {
        const uint32_t at = stack[--n];
        const gnode *x = &g->nodes.at[at];
        const bool open = at == body || (g->core->graph->relax & GN_RELAX_REASSOCIATE);
        if (open && !x->cut && x->e->op == &gn_op_mul) {
            if (n + 2 > 8) return false;
            stack[n++] = x->in[1], stack[n++] = x->in[0];
        } else {
            if (h->nfactors == 8) return false;
            h->factor[h->nfactors++] = at;
        }
    }
    return h->nfactors >= 2;
}

/* Dims of the body along which a factor varies; scalars vary along none. */
static uint8_t varies(const grouper *g, const gnode *body, uint32_t factor)
{
    const gnode *f = &g->nodes.at[factor];
    return f->rank == body->rank ? f->var : 0;
}

/* Puts every factor on the side of x or of y; false if one belongs to neither. */
static bool split_sides(const grouper *g, const gnode *body, uint8_t x, uint8_t y, heavy *h)
{
    for (size_t k = 0; k < h->nfactors; k++) {
        const uint8_t v = varies(g, body, h->factor[k]);
        if ((v & ~x) != 0 && (v & ~y) != 0) return false;
        h->side[k] = (v & ~x) != 0;
    }
    return true;
}

static uint8_t kept_dims(const grouper *g, const gnode *r, const gnode *body)
{
    uint8_t kept = gn_group_mapped(g, r, 0);
    for (uint32_t d = 0; d < body->rank; d++)
        if (gn_dim_is(body->e->type->dim[d], 1)) kept &= (uint8_t) ~(1u << d);
    return kept;
}

/* The classes of these dims are few columns together. */
static bool is_few(const grouper *g, const gnode *body, uint8_t dims)
{
    int64_t points = 1;
    for (uint32_t d = 0; d < body->rank; d++) {
        if (!(dims >> d & 1)) continue;
        if (!gn_group_is_short(g, class_of(g, body, d))) return false;
        points *= gn_group_extent(g, class_of(g, body, d));
    }
    return points <= SHORT;
}

/* A function of pairs times few columns: to pack it would cost more than to add up so many sums where it is computed. */
static bool weighs_pairs(const grouper *g, const gnode *body, const class_set *pair, const heavy *h)
{
    for (size_t k = 0; k < h->nfactors; k++) {
        const gnode *f = &g->nodes.at[h->factor[k]];
        const class_set v = gn_group_var(g, f);
        const bool is_pair = gn_group_is_pair(g, f) || (pair && class_subset(pair, &v));
        if (is_pair && is_few(g, body, h->side[k] ? h->rows : h->lanes)) return true;
    }
    return false;
}

bool gn_group_heavy(const grouper *g, const gnode *r, const class_set *pair, heavy *h)
{
    *h = (heavy){ 0 };
    if (r->kind != NODE_REDUCE || gn_group_red(r) != GN_RED_SUM) return false;
    const gnode *body = operand(g, r, 0);
    if (!collect(g, r->in[0], h)) return false;
    const uint8_t kept = kept_dims(g, r, body);
    for (size_t a = 0; a < h->nfactors; a++)
        for (size_t b = a + 1; b < h->nfactors; b++) {
            const uint8_t x = varies(g, body, h->factor[a]), y = varies(g, body, h->factor[b]);
            h->rows = (uint8_t)(kept & x & ~y), h->lanes = (uint8_t)(kept & y & ~x);
            if (h->rows && h->lanes && split_sides(g, body, x, y, h)) return !weighs_pairs(g, body, pair, h);
        }
    return false;
}

/* How a side lies in memory: does some value that it will read have class c as its last dim? Light nodes that are
 * stored count as themselves. */
static bool unit_stride(const grouper *g, uint32_t factor, uint32_t c)
{
    uint32_t stack[64];
    size_t n = 0;
    stack[n++] = factor;
    for (int fuel = 256; n > 0 && fuel > 0; fuel--) {
        const gnode *x = &g->nodes.at[gn_group_look_through(g, stack[--n])];
        if (is_leaf(x) || (x->group >= 0 && gn_group_covers(g, x))) {
            if (x->rank > 0 && class_of(g, x, x->rank - 1u) == c) return true;
            continue;
        }
        for (uint32_t k = x->e->nin; k-- > 0 && n < 64;) stack[n++] = x->in[k];
    }
    return false;
}

/* The last dim of the result as it will be stored: through light users of equal rank (the transpose after a weight's
 * gradient), while each is the only one: of several, one transposes for itself what the others take as it is. */
static uint32_t stored_last(const grouper *g, const gnode *result)
{
    const class_set own = gn_group_set(g, result);
    uint32_t last = class_of(g, result, result->rank - 1u);
    const gnode *r = result;
    for (int hops = 0; hops < MAX_DEPTH && !r->named && r->nuser == 1; hops++) {
        const gnode *u = &g->nodes.at[r->user[0]];
        if (!is_light(u) || u->rank != r->rank) break;
        r = u;
        /* else its loop has another name there */
        if (class_in(&own, class_of(g, r, r->rank - 1u))) last = class_of(g, r, r->rank - 1u);
    }
    return last;
}

static int side_score(const grouper *g, const gnode *body, const heavy *h, int side, uint8_t dims, uint32_t last)
{
    int unit = 0, result = 0;
    for (uint32_t d = 0; d < body->rank; d++) {
        if (!(dims >> d & 1)) continue;
        const uint32_t c = class_of(g, body, d);
        result |= c == last;
        for (size_t k = 0; k < h->nfactors; k++) unit |= h->side[k] == side && unit_stride(g, h->factor[k], c);
    }
    return 2 * unit + result;
}

static uint32_t last_class(const grouper *g, const gnode *body, uint8_t dims, uint32_t wanted)
{
    uint32_t c = 0;
    for (uint32_t d = 0; d < body->rank; d++)
        if (dims >> d & 1) {
            c = class_of(g, body, d);
            if (c == wanted) return c;
        }
    return c;
}

/* The lanes go to the side whose memory has its own axis last; else to the axis that is last in the stored result; else
 * to the second. */
void gn_group_orient(const grouper *g, const gnode *r, heavy *h)
{
    const gnode *body = operand(g, r, 0);
    const uint32_t last = stored_last(g, r);
    if (side_score(g, body, h, 0, h->rows, last) > side_score(g, body, h, 1, h->lanes, last)) {
        const uint8_t t = h->rows;
        h->rows = h->lanes, h->lanes = t;
        for (size_t k = 0; k < h->nfactors; k++) h->side[k] = !h->side[k];
    }
    h->j = last_class(g, body, h->lanes, last);
    h->i = last_class(g, body, h->rows, UINT32_MAX);
}
