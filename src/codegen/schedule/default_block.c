/* Long sums in blocks: a chain of additions is cut until none is long, and what a block adds up to is added to the sum
 * behind it:
 *
 *     (split j j0 (ju 4) (jl 16))    ->    (split j jb (j0 64) (ju 4) (jl 16)) (rfactor s jb s_b)
 *
 * so that s_b lives in registers inside the loop jb. An element's error is at most u times the length of the chains on
 * its way to the sum (N. Higham, The accuracy of floating point summation, 1993, (2.6)): of blocks and, where those are
 * many, of blocks of blocks. It is done to a schedule that is finished, whatever form wrote it. Rows that are gone over
 * for something else, too (softmax, norms), are cut late and, where their length is unknown, not at all: blocks make
 * each of the passes a third longer to read and to compile. */
#include "default_piece.h"
#include "leafset.h"

/* An unknown extent is reckoned with this. So many blocks may then add up in one chain: a further loop around would be
 * felt where the extent is short. */
enum { UNKNOWN = 1 << 22, MOST_BLOCKS = 2048, MOST_BLOCKS_TILE = 4096 };
/* The accumulators of a tile take longer to add up to others than those that become one sum; a few of them do not. */
enum { BLOCK = 64, LONG_CHAIN = 4096, BLOCK_TILE = 1024, FEW = 12, MOST_PARTS = 512 };

typedef struct chain {           /* loops along which a definition adds one after the other */
    piece *p;
    gn_schedule *s;
    uint32_t def;                /* schedule's numbering */
    gn_leafset param;            /* its leaves */
    uint32_t loop[GN_MAX_LEAVES];    /* outermost first */
    size_t n;
    int64_t unrolled, results;   /* additions of one turn; vectors of sums side by side */
    bool merged;                 /* of several accumulators, at the end */
    bool parts;                  /* of what parts give */
    gn_dim_facts facts;          /* sizes as they are taken to be */
} chain;

/* ---- lengths ---- */

static bool is_unknown(const chain *c, uint32_t leaf)
{
    int64_t e;
    return !c->s->leaves.at[leaf].extent && !gn_dim_is_const(c->p->k->axes.at[c->s->leaves.at[leaf].axis].extent, &e);
}

static int64_t points(const chain *c, uint32_t leaf)
{
    const gn_leaf *l = &c->s->leaves.at[leaf];
    int64_t least, most;
    gn_dim_range(c->p->k->axes.at[l->axis].extent, &c->facts, &least, &most);
    const int64_t n = ceil_div(least < most && most > UNKNOWN ? UNKNOWN : most, l->stride);
    return n < 1 ? 1 : l->extent && l->extent < n ? l->extent : n;
}

static int64_t turns(const chain *c, size_t from)
{
    int64_t n = c->unrolled;
    for (size_t i = from; i < c->n; i++)
        if (__builtin_mul_overflow(n, points(c, c->loop[i]), &n)) return INT64_MAX;
    return n;
}

/* Its loop ends where other axes say, or it is another axis' too, or an operation over it is fixed. */
static bool is_fixed(const chain *c, uint32_t leaf)
{
    const gn_kernel *k = c->p->k;
    const gn_schedule *s = c->s;
    size_t uses = 0;
    for (size_t i = 0; i < s->splits.n; i++)
        for (size_t j = 0; j < s->splits.at[i].leaf.n; j++) uses += s->splits.at[i].leaf.at[j] == leaf;
    bool other = uses != 1 || s->onlines.n > 0;
    for (size_t a = 0; a < k->axes.n; a++)
        other |= gn_dim_mentions(k->axes.at[s->leaves.at[leaf].axis].extent, k->axes.at[a].name);
    for (size_t i = 0; i < s->tensorizes.n; i++)
        for (size_t j = 0; j < s->tensorizes.at[i].leaf.n; j++) other |= s->tensorizes.at[i].leaf.at[j] == leaf;
    return other;
}

static bool is_staged(const gn_schedule *s, uint32_t def)
{
    for (size_t i = 0; i < s->stages.n; i++)
        if (s->stages.at[i].def == def) return true;
    return false;
}

/* Passes over the axis that add nothing up: a maximum, a row that is kept, a store. Each would get the loop over
 * blocks, too. */
static bool has_other_passes(const chain *c, uint32_t leaf)
{
    for (uint32_t i = 0; i < c->p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(c->p, i);
        const bool adds = d && d->red == GN_RED_SUM,
                   inlined = d && d->red == GN_RED_NONE && !is_staged(c->s, (uint32_t)(d - c->p->k->defs.at));
        if (!adds && !inlined && gn_piece_axes(c->p, i) >> c->s->leaves.at[leaf].axis & 1) return true;
    }
    return false;
}

static bool is_rfactored(const chain *c, uint32_t leaf)
{
    for (size_t r = 0; r < c->s->rfactors.n; r++)
        if (c->s->rfactors.at[r].leaf == leaf) return true;
    return false;
}

/* ---- a loop in two ---- */

static void put_last_before(uint32_t *at, size_t n, uint32_t leaf)
{
    const uint32_t last = at[n - 1];
    size_t i = n - 1;
    do at[i] = at[i - 1];
    while (at[i--] != leaf);
    at[i] = last;
}

#define PUT_BEFORE(c, leaves, leaf, outer)                            \
    do {                                                              \
        gn_push((c)->p->arena, leaves, outer);                        \
        put_last_before((leaves)->at, (leaves)->n, leaf);             \
    } while (0)

static bool has_leaf(const uint32_t *at, size_t n, uint32_t leaf)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] == leaf) return true;
    return false;
}

static void split_stages(const chain *c, uint32_t leaf, uint32_t outer)
{
    for (size_t i = 0; i < c->s->stages.n; i++) {
        gn_stage *t = &c->s->stages.at[i];
        if (has_leaf(t->layout.at, t->layout.n, leaf)) PUT_BEFORE(c, &t->layout, leaf, outer);
        if (has_leaf(t->copy.at, t->copy.n, leaf)) PUT_BEFORE(c, &t->copy, leaf, outer);
        if (t->pad_leaf == (int32_t)leaf) t->pad_leaf = (int32_t)outer;
    }
}

static const char *leaf_name(const chain *c, uint32_t axis, const char *suffix)
{
    return gn_piece_name(c->p, gn_arena_printf(c->p->arena, "%s%s", c->p->k->axes.at[axis].name, suffix));
}

/* A loop around, of blocks of so many turns or of the next number below that divides them. */
static uint32_t split_loop(const chain *c, uint32_t leaf, int64_t size)
{
    gn_schedule *s = c->s;
    gn_leaf *l = &s->leaves.at[leaf], outer = *l;
    while (l->extent && l->extent % size != 0) size--;
    outer.name = leaf_name(c, l->axis, "b");
    outer.extent = l->extent / size;
    outer.stride = l->stride * size;
    outer.unroll = 0, outer.peel = false;
    /* it is no more the whole axis */
    if (strcmp(l->name, c->p->k->axes.at[l->axis].name) == 0) l->name = leaf_name(c, l->axis, "i");
    l->extent = size;
    const uint32_t number = (uint32_t)s->leaves.n;
    gn_push(c->p->arena, &s->leaves, outer);
    gn_split *split = gn_schedule_split(s, outer.axis);
    PUT_BEFORE(c, &split->leaf, leaf, number);
    PUT_BEFORE(c, &s->order, leaf, number);
    split_stages(c, leaf, number);
    return number;
}

/* ---- a sum in two ---- */

/* As a sum itself (gn_piece_keep): results along a loop that lies inside those of the sum are kept beside it. */
static bool is_kept(const chain *c)
{
    bool inside = false;
    for (size_t i = 0; i < c->s->order.n; i++) {
        const uint32_t l = c->s->order.at[i];
        inside |= c->n > 0 && l == c->loop[0];
        if (inside && gn_set_has(&c->param, l) && !gn_is_tile_bind(c->s->leaves.at[l].bind)) return true;
    }
    return false;
}

/* The chain goes on as that of the partial sum. */
static void rfactor(chain *c, uint32_t leaf)
{
    gn_schedule *s = c->s;
    const char *name = gn_piece_name(c->p, gn_arena_printf(c->p->arena, "%s_b", gn_schedule_def_name(c->p->k, s, c->def)));
    c->def = gn_schedule_rfactor(s, c->p->k, (gn_rfactor){ .def = c->def, .leaf = leaf, .def_name = name });
    gn_set_put(&c->param, leaf);
    if (is_kept(c)) gn_schedule_stage(s, c->def, GN_LEVEL_SCRATCH);
}

static void cut(chain *c)
{
    const bool tile = !c->merged && !c->parts;
    const int64_t block = tile ? BLOCK_TILE : BLOCK;
    while (c->n > 0) {
        const uint32_t l = c->loop[0];
        const bool passes = has_other_passes(c, l);
        if (is_unknown(c, l) ? passes
                             : turns(c, 0) <= (tile || passes           ? LONG_CHAIN
                                               : c->parts && !c->merged ? MOST_PARTS
                                                                        : BLOCK))
            return;
        const int64_t rest = turns(c, 1), n = points(c, l);
        const int64_t most = !is_unknown(c, l) || (tile && c->results <= FEW) ? block
                             : tile                                           ? MOST_BLOCKS_TILE
                                                                              : MOST_BLOCKS;
        int64_t size = rest < block ? block / rest : 1;
        while (ceil_div(n, size) > most) size *= block;
        if (is_fixed(c, l)) return;
        if (size > 1 && !is_rfactored(c, l)) { /* else the blocks of another sum along it are its own too */
            rfactor(c, split_loop(c, l, size));
            continue;
        }
        memmove(c->loop, c->loop + 1, --c->n * sizeof *c->loop);
        rfactor(c, l);
    }
}

/* ---- the sums of a schedule ---- */

static gn_leafset leaves_of(gn_schedule *s, const uint16_t *axis, size_t n)
{
    gn_leafset set = { { 0 } };
    for (size_t i = 0; i < n; i++) {
        const gn_split *split = gn_schedule_split(s, axis[i]);
        for (size_t j = 0; j < split->leaf.n; j++) gn_set_put(&set, split->leaf.at[j]);
    }
    return set;
}

static void cut_sum(chain c, uint32_t def, gn_leafset param, gn_leafset reduced)
{
    const gn_schedule *s = c.s;
    if (def < c.p->k->defs.n && gn_is_prefix(&c.p->k->defs.at[def])) return;
    c.def = def, c.param = param, c.unrolled = c.results = 1;
    for (size_t i = 0; i < s->order.n; i++) {
        const uint32_t l = s->order.at[i];
        const uint8_t bind = s->leaves.at[l].bind;
        if (gn_set_has(&param, l) && gn_is_tile_bind(bind) && bind != GN_BIND_LANE) c.results *= points(&c, l);
        if (!gn_set_has(&reduced, l)) continue;
        if (bind == GN_BIND_UNROLL) c.unrolled *= points(&c, l);
        else if (gn_is_tile_bind(bind)) c.merged = true;
        else c.loop[c.n++] = l;
    }
    cut(&c);
}

/* A sum over parts is two already. */
static void cut_sums_of(chain c, uint32_t def, gn_leafset param, gn_leafset reduced, size_t nrfactors)
{
    for (size_t r = 0; r < nrfactors; r++) {
        if (c.s->rfactors.at[r].def != def) continue;
        const gn_rfactor f = c.s->rfactors.at[r];
        const int32_t q = f.axis_name ? gn_kernel_find_axis(c.p->k, f.axis_name) : -1;
        gn_leafset leaf = { { 0 } };
        gn_set_put(&leaf, f.leaf);
        c.parts = true;
        cut_sum(c, def, param, q >= 0 ? leaves_of(c.s, (uint16_t[]){ (uint16_t)q }, 1) : leaf);
        c.parts = false;
        def = (uint32_t)(c.p->k->defs.n + r), param = gn_set_or(param, leaf), reduced = gn_set_minus(reduced, leaf);
    }
    cut_sum(c, def, param, reduced);
}

void gn_default_block(piece *p)
{
    const gn_kernel *k = p->k;
    gn_schedule *s = p->s;
    gn_dim_fact *fact = GN_NEW_ARRAY(p->arena, gn_dim_fact, k->syms.n + 1);
    for (size_t i = 0; i < k->syms.n; i++)
        fact[i] = (gn_dim_fact){
            .name = gn_dim_sym(k->dims, k->syms.at[i].name)->term[0].atom[0]->name, .mul = 1, .min = 0, .max = UNKNOWN
        };
    const chain c = { .p = p, .s = s, .facts = { k->syms.n, fact } };
    const size_t nrfactors = s->rfactors.n;
    for (uint32_t i = 0; i < k->defs.n; i++) {
        const gn_kdef *d = &k->defs.at[i];
        if (d->red != GN_RED_SUM || !gn_is_float((gn_dtype)d->body->dtype)) continue;
        const gn_leafset reduced = leaves_of(s, d->raxis, d->nraxis);
        cut_sums_of(c, i, gn_set_minus(leaves_of(s, d->param, d->nparam), reduced), reduced, nrfactors);
    }
}
