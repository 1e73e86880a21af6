/* Where kept definitions live: the home, dims, level and size of each, and the address of an element. */
#include <inttypes.h>
#include "dim_parts.h"
#include "lower.h"

gn_object *gn_accumulator(const gn_ldef *d)
{
    return d->partial ? d->partial : d->object;
}

gn_object *gn_accumulator_of(const gn_lstate *s)
{
    return s->partial ? s->partial : s->object;
}

/* ---- homes ---- */

static size_t common_depth(const gn_tree *const *s, size_t n)
{
    size_t h = 0;
    for (;; h++)
        for (size_t i = 0; i < n; i++)
            if (s[i]->above.n <= h || s[i]->above.at[h] != s[0]->above.at[h]) return h;
}

static gn_tree *step_of(const gn_lower *g, const gn_tree *top)
{
    for (size_t i = 0; i < g->root->kids.n; i++)
        for (size_t j = 0; j < g->root->kids.at[i]->kids.n; j++)
            if (g->root->kids.at[i]->kids.at[j] == top) return g->root->kids.at[i];
    return NULL;
}

gn_tree *gn_step_of(const gn_lower *g, const gn_tree *s)
{
    return step_of(g, s->above.n ? s->above.at[0] : s);
}

static bool is_parallel(uint8_t bind)
{
    return bind == GN_BIND_THREAD || bind == GN_BIND_BLOCK || bind == GN_BIND_PART;
}

typedef struct living { /* an object under construction */
    gn_lower *g;
    gn_ldef *d;
    const gn_tree **uses;
    size_t nuses, depth; /* loops common to all uses */
    gn_leafset around;   /* their leaves */
    gn_leafset extra;    /* private leaves of an accumulator */
    gn_leafset without;  /* those that a prefix scans, of what is carried from turn to turn */
    uint8_t level;
} living;

static void set_home(living *v)
{
    v->depth = common_depth(v->uses, v->nuses);
    if (v->level == GN_LEVEL_ARENA) v->depth = 0;
    v->around = (gn_leafset){ { 0 } };
    for (size_t i = 0; i < v->depth; i++) gn_set_put(&v->around, v->uses[0]->above.at[i]->leaf);
}

static bool is_dim_default(const living *v, uint32_t l)
{
    return (gn_set_has(&v->d->params, l) && !gn_set_has(&v->without, l)) || gn_set_has(&v->extra, l);
}

/* An accumulator whose dims are all tile points (or belong to a thread) is in registers, whatever the level of its
 * definition. */
static bool fits_registers(const living *v)
{
    for (uint32_t l = 0; l < v->g->leaves.n; l++)
        if (is_dim_default(v, l) && !gn_set_has(&v->around, l) && !gn_is_tile_leaf(v->g, l) &&
            !is_parallel(v->g->leaves.at[l].bind))
            return false;
    return true;
}

static bool wants_dim(const living *v, uint32_t l)
{
    const uint8_t b = v->g->leaves.at[l].bind;
    if (v->level == GN_LEVEL_REG && is_parallel(b)) return false;
    if (v->level == GN_LEVEL_STACK && b == GN_BIND_THREAD) return false; /* a thread's own */
    return !gn_set_has(&v->around, l) || (v->level == GN_LEVEL_SHARED && b == GN_BIND_THREAD);
}

static void choose_dims(living *v, gn_object *o)
{
    gn_lower *g = v->g;
    const gn_stage *st = v->d->stage;
    if (st && st->layout.n && v->level == st->level) {
        for (size_t i = 0; i < st->layout.n; i++)
            if (wants_dim(v, st->layout.at[i])) gn_push(g->arena, &o->dims, st->layout.at[i]);
        for (uint32_t l = 0; l < g->leaves.n; l++) /* accumulators: private leaves that the layout of the whole lacks */
            if (gn_set_has(&v->extra, l) && wants_dim(v, l) && !gn_is_dim(o, l)) gn_push(g->arena, &o->dims, l);
    } else
        for (size_t i = 0; i < g->order.n; i++)
            if (is_dim_default(v, g->order.at[i]) && wants_dim(v, g->order.at[i]))
                gn_push(g->arena, &o->dims, g->order.at[i]);
    o->lane = -1;
    if (v->level != GN_LEVEL_REG) return;
    size_t n = 0;
    for (size_t i = 0; i < o->dims.n; i++) {
        if (g->leaves.at[o->dims.at[i]].bind == GN_BIND_LANE)
            o->lane = (int32_t)o->dims.at[i];
        else
            o->dims.at[n++] = o->dims.at[i];
    }
    if (o->lane >= 0) o->dims.at[n] = (uint32_t)o->lane;
}

static void check_dims(const living *v, const gn_object *o)
{
    gn_lower *g = v->g;
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        if (!is_dim_default(v, l) || gn_set_has(&v->around, l)) continue;
        const uint8_t b = g->leaves.at[l].bind;
        const bool of_thread = o->level == GN_LEVEL_REG || o->level == GN_LEVEL_STACK,
                   of_block = of_thread || o->level == GN_LEVEL_SHARED;
        if (!gn_is_dim(o, l) && !(g->cuda && ((b == GN_BIND_THREAD && of_thread) || (b == GN_BIND_BLOCK && of_block))))
            gn_illegal(g, "stage %s %s: not all its uses share the loop '%s', and what is kept does not hold it", o->name,
                       gn_level_names[o->level], g->leaves.at[l].name);
    }
}

/* ---- sizes ---- */

/* The points of the leaf are in each opaque value. */
static bool is_in_value(const gn_object *o, uint32_t leaf)
{
    const gn_leafset row = gn_row_leaves(o->def);
    return o->opaque && gn_set_has(&row, leaf);
}

static void size_registers(gn_lower *g, gn_object *o)
{
    const uint32_t most = o->opaque ? UINT16_MAX : 512;
    o->nregs = o->lanes = 1;
    for (size_t i = 0; i < o->dims.n; i++) {
        int64_t n;
        const gn_lleaf *l = &g->leaves.at[o->dims.at[i]];
        if (!gn_dim_is_const(l->points, &n) || n > 512 || !gn_is_tile_leaf(g, o->dims.at[i]))
            gn_illegal(g, "stage %s reg: the leaf '%s' among its dims is no tile leaf of constant extent", o->name,
                       l->name);
        if (l->bind == GN_BIND_LANE)
            o->lanes = (uint32_t)n;
        else
            o->nregs *= (uint32_t)n;
        if (o->nregs > most) gn_illegal(g, "stage %s reg: %u variables are too many", o->name, o->nregs);
    }
    o->size = gn_lconst(g, o->nregs);
}

/* The axis that alone has the leaf, a loop that ends with it (rfactor's, which stands for the leaf, does not count);
 * NULL. */
static const gn_laxis *ending_axis(const gn_lower *g, const gn_object *o, uint32_t leaf, size_t *at)
{
    const gn_laxis *found = NULL;
    const uint8_t bind = g->leaves.at[leaf].bind;
    const gn_leafset row = gn_row_leaves(o->def);
    if ((o->level != GN_LEVEL_SCRATCH && o->level != GN_LEVEL_ARENA) || (bind != GN_BIND_NONE && bind != GN_BIND_PART))
        return NULL;
    if (gn_set_has(&row, leaf)) return NULL; /* whole tiles are written */
    for (size_t a = 0; a < g->axes.n; a++) {
        if (!gn_has_leaf(&g->axes.at[a], leaf) || (found && a >= g->nown)) continue;
        if (g->axes.at[a].dependent || found) return NULL;
        found = &g->axes.at[a];
    }
    if (found) *at = gn_leaf_place(found->leaf.n, found->leaf.at, leaf);
    return found;
}

/* Whether the dim and the next are neighbouring loops of one axis, which end together. */
static bool goes_on(const gn_lower *g, const gn_object *o, size_t dim)
{
    const gn_stage *st = o->def->stage;
    size_t outer, inner;
    if (dim + 1 >= o->dims.n || (st && st->pad_leaf == (int32_t)o->dims.at[dim + 1])) return false;
    const gn_laxis *a = ending_axis(g, o, o->dims.at[dim], &outer);
    return a && ending_axis(g, o, o->dims.at[dim + 1], &inner) == a && inner == outer + 1;
}

/* Points of the dims from `first` to `last`, neighbouring loops of one axis. A loop ends with its axis: of 126 tiles of
 * rows there are four when the batch is 32, and of blocks the last is short. Only an outermost loop or dim may say so,
 * for the strides of the others rest on it. */
static const gn_dim *points_of(gn_lower *g, const gn_object *o, size_t first, size_t last)
{
    const gn_lleaf *l = &g->leaves.at[o->dims.at[first]];
    size_t at, inner;
    const gn_laxis *a = ending_axis(g, o, o->dims.at[first], &at);
    if (!a || (first > 0 && l->extent)) return first == last ? l->points : NULL;
    inner = at + last - first;
    const gn_dim *points = gn_dim_cdiv(g->dims, a->extent, gn_lconst(g, a->stride.at[inner]));
    if (!l->extent) return points;
    const gn_dim *all = gn_lconst(g, l->extent * (a->stride.at[at] / a->stride.at[inner]));
    return gn_axis_full(g, (uint32_t)(a - g->axes.at)) ? all : gn_dim_min(g->dims, all, points);
}

static void size_memory(gn_lower *g, gn_object *o)
{
    const gn_stage *st = o->def->stage;
    const gn_dim *size = gn_lconst(g, 1);
    o->stride = GN_NEW_ARRAY(g->arena, const gn_dim *, o->dims.n + 1);
    for (size_t i = o->dims.n, last = i; i-- > 0;) {
        const gn_lleaf *l = &g->leaves.at[o->dims.at[i]];
        if (!gn_grows(g, l->points, NULL))
            gn_illegal(g, "stage %s: the extent of '%s' falls with another axis, so that its most is not known",
                       o->name, l->name);
        if (!goes_on(g, o, i)) last = i;
        const gn_dim *together = points_of(g, o, i, last);
        o->stride[i] = size;
        size = together ? gn_dim_mul(g->dims, o->stride[last], gn_axis_most(g, together))
                        : gn_dim_mul(g->dims, size, gn_axis_most(g, l->points));
        if (st && st->pad_leaf == (int32_t)o->dims.at[i]) size = gn_ladd(g, size, gn_lconst(g, st->pad));
    }
    o->size = size;
    if ((o->level == GN_LEVEL_STACK || o->level == GN_LEVEL_SHARED) && !gn_dim_is_const(size, NULL)) {
        gn_text t = { .arena = g->arena };
        gn_dim_show(&t, size);
        gn_illegal(g, "stage %s %s: its size %s is not constant", o->name, gn_level_names[o->level], gn_text_done(&t));
    }
}

/* ---- objects ---- */

/* The threads fill a shared buffer by a flat index over the leaves of `copy`: those must be its dims, no more and no
 * fewer. */
static void check_copy(gn_lower *g, const gn_object *o)
{
    const gn_stage *st = o->def->stage;
    if (!st || o->level != GN_LEVEL_SHARED || !st->copy.n) return;
    for (size_t i = 0; i < st->copy.n; i++)
        if (!gn_is_dim(o, st->copy.at[i]) || gn_leaf_place(i, st->copy.at, st->copy.at[i]) < i)
            gn_illegal(g, "stage %s: copy: '%s' is no dim of the buffer, or stands twice", o->name,
                       g->leaves.at[st->copy.at[i]].name);
    for (size_t j = 0; j < o->dims.n; j++)
        if (gn_leaf_place(st->copy.n, st->copy.at, o->dims.at[j]) == st->copy.n)
            gn_illegal(g, "stage %s: copy: the dim '%s' of the buffer is missing", o->name,
                       g->leaves.at[o->dims.at[j]].name);
}

static void check_swizzle(gn_lower *g, const gn_object *o)
{
    const gn_stage *st = o->def->stage;
    if (!st || !st->swizzle || o->level != GN_LEVEL_SHARED) return;
    const size_t i = gn_leaf_place(o->dims.n, o->dims.at, (uint32_t)st->swizzle_leaf);
    if (i == o->dims.n)
        gn_illegal(g, "stage %s: swizzle: '%s' is no dim of the buffer", o->name, g->leaves.at[st->swizzle_leaf].name);
    const gn_dim_facts facts = gn_lfacts(g);
    if (!gn_dim_divisible(gn_lscale(g, o->stride[i], gn_points(g, o->dims.at[i])), st->swizzle, &facts))
        gn_illegal(g, "stage %s: swizzle: its rows are no groups of %" PRId64 " elements", o->name, st->swizzle);
}

static void check_home(const living *v, const gn_object *o)
{
    gn_lower *g = v->g;
    if (o->level == GN_LEVEL_SHARED && !g->cuda)
        gn_illegal(g, "stage %s shared: the target %s has no shared memory", o->name, g->target->name);
    if (o->level == GN_LEVEL_SCRATCH && g->cuda)
        gn_illegal(g, "stage %s scratch: the target %s has no workers; use shared or arena", o->name, g->target->name);
    if (o->level == GN_LEVEL_ARENA || v->depth) return;
    for (size_t i = 1; i < v->nuses; i++)
        if (gn_step_of(g, v->uses[i]) != gn_step_of(g, v->uses[0]))
            gn_illegal(g, "stage %s %s: it is used in two steps, only arena outlives a step", o->name,
                       gn_level_names[o->level]);
    if (gn_step_of(g, v->uses[0])->parallel && o->level != GN_LEVEL_ARENA)
        gn_illegal(g, "stage %s %s: its uses do not share the parallel loop '%s'", o->name, gn_level_names[o->level],
                   g->leaves.at[v->uses[0]->above.at[0]->leaf].name);
}

static bool is_scanned(const gn_ldef *d)
{
    return !gn_set_empty(d->scanned);
}

/* Of value number `at` of what is kept. */
static gn_object *make_object(gn_lower *g, gn_ldef *d, uint16_t at, const char *suffix, gn_leafset extra,
                              bool accumulator)
{
    living v = { .g = g, .d = d, .extra = extra, .level = d->stage ? d->stage->level : GN_LEVEL_REG };
    const bool carry = *suffix && is_scanned(d);
    if (carry) v.without = d->scanned;
    v.uses = GN_NEW_ARRAY(g->arena, const gn_tree *, d->touched.n + 1);
    for (size_t i = 0; i < d->touched.n; i++)
        if (!accumulator || (d->prefix && !carry) || d->touched.at[i]->def == d) v.uses[v.nuses++] = d->touched.at[i];
    set_home(&v);
    if (accumulator) {
        const uint8_t level = v.level;
        v.level = GN_LEVEL_REG;
        set_home(&v);
        if (!fits_registers(&v)) v.level = level, set_home(&v);
        if (v.level != GN_LEVEL_REG && gn_is_opaque(d))
            gn_illegal(g, "tensorize %s %s: its accumulators live through loops over what is not in them", d->name,
                       d->row->name);
    }
    gn_object *o = GN_NEW_OBJECT(g->arena, gn_object);
    const gn_lstate *s = &d->state[at];
    const char *name = s->name ? gn_arena_printf(g->arena, "%s_%s", d->name, s->name) : d->name;
    name = gn_lower_name(g, d, gn_arena_printf(g->arena, "%s%s", name, suffix));
    const gn_dtype t = s->step ? (gn_dtype)s->step->dtype : d->dtype;
    *o = (gn_object){ .name = name, .id = (uint32_t)g->objects.n, .dtype = t, .level = v.level, .def = d };
    o->opaque = accumulator && gn_is_opaque(d);
    choose_dims(&v, o);
    check_dims(&v, o);
    check_home(&v, o);
    check_copy(g, o);
    if (o->level == GN_LEVEL_REG)
        size_registers(g, o);
    else
        size_memory(g, o);
    check_swizzle(g, o);
    if (d->stage && d->stage->depth > 1) /* it outlives the turns of its loop */
        v.depth--, o->part = o->size, o->size = gn_lscale(g, o->size, d->stage->depth);
    o->home = o->level == GN_LEVEL_ARENA ? g->root
              : v.depth                  ? v.uses[0]->above.at[v.depth - 1]
                                         : gn_step_of(g, v.uses[0]);
    gn_push(g->arena, &g->objects, o);
    return o;
}

static void declare(gn_lower *g)
{
    for (size_t i = g->objects.n; i-- > 0;) { /* backwards, since each goes to the front */
        gn_object *o = g->objects.at[i];
        gn_tree *b = gn_tree_new(g, GN_NODE_BUF), *h = o->home;
        b->object = o;
        gn_push(g->arena, &h->kids, b);
        for (size_t j = h->kids.n - 1; j > 0; j--) h->kids.at[j] = h->kids.at[j - 1];
        h->kids.at[0] = b;
    }
}

/* ---- places: registers count over all dims but the lane ---- */

static const gn_fragment *fragment_of(gn_lower *g, const gn_object *o)
{
    gn_fragment *f = GN_NEW_OBJECT(g->arena, gn_fragment);
    f->row = o->def->row;
    for (int i = 0; i < f->row->nleaf; i++) {
        const uint32_t l = o->def->tile->leaf.at[i];
        f->dim[i] = gn_is_dim(o, l) ? (int8_t)gn_leaf_place(o->dims.n, o->dims.at, l) : -1;
        if (g->leaves.at[l].bind == GN_BIND_THREAD) f->thread[i] = g->leaves.at[l].name;
    }
    return f;
}

static void set_place(gn_lower *g, gn_object *o)
{
    static const uint8_t spaces[] = { GN_SPACE_REG, GN_SPACE_STACK, GN_SPACE_SCRATCH, GN_SPACE_ARENA, GN_SPACE_SHARED };
    gn_place p = { .name = o->name, .dtype = o->dtype, .space = spaces[o->level], .size = o->size };
    if (o->level == GN_LEVEL_REG) {
        uint32_t *extent = GN_NEW_ARRAY(g->arena, uint32_t, o->dims.n + 1);
        const char **axis = GN_NEW_ARRAY(g->arena, const char *, o->dims.n + 1);
        p.lanes = (uint16_t)o->lanes, p.extent = extent, p.axis = axis;
        p.opaque = o->opaque ? o->def->row : NULL;
        for (size_t i = 0; i < o->dims.n; i++)
            if ((int32_t)o->dims.at[i] != o->lane && !is_in_value(o, o->dims.at[i])) {
                axis[p.rank] = g->leaves.at[o->dims.at[i]].name;
                extent[p.rank++] = (uint32_t)gn_points(g, o->dims.at[i]);
            }
    }
    if (o->level == GN_LEVEL_REG && o->def->row && o->def->row->kind == GN_TILE_MMA) p.fragment = fragment_of(g, o);
    o->place = gn_code_place(g->code, p);
}

static void make_places(gn_lower *g)
{
    for (int arguments = 1; arguments >= 0; arguments--)
        for (size_t i = 0; i < g->objects.n; i++) {
            const uint8_t level = g->objects.at[i]->level;
            if ((level == GN_LEVEL_ARENA || level == GN_LEVEL_SCRATCH) == arguments) set_place(g, g->objects.at[i]);
        }
}

void gn_lower_storage(gn_lower *g)
{
    const gn_leafset none = { { 0 } };
    for (size_t i = 0; i < g->items.n; i++) {
        gn_ldef *d = g->items.at[i];
        if (d->is_store || !d->touched.n) continue;
        for (uint16_t s = 0; s < d->nstates; s++) {
            d->state[s].object = make_object(g, d, s, "", none, d->prefix);
            if (gn_is_merged(d) || is_scanned(d)) d->state[s].partial = make_object(g, d, s, "_a", d->private, true);
        }
        d->object = d->state[0].object, d->partial = d->state[0].partial;
    }
    declare(g);
    make_places(g);
}

/* ---- addresses ---- */

static bool is_dim_of(const gn_object *o, uint32_t leaf, size_t *at)
{
    *at = gn_leaf_place(o->dims.n, o->dims.at, leaf);
    return *at < o->dims.n;
}

static bool has_dims_of(const gn_object *o, const gn_laxis *a)
{
    bool any = false;
    for (size_t i = 0; i < a->leaf.n; i++) any |= gn_is_dim(o, a->leaf.at[i]);
    return any;
}

static const gn_dim *value_of(const gn_lower *g, uint32_t leaf, const gn_dim *const *env)
{
    return env[leaf] ? env[leaf] : g->leaves.at[leaf].value;
}

/* An argument less the leaves that surround the object. */
static const gn_dim *less_fixed(gn_lower *g, const gn_object *o, const gn_laxis *a, const gn_dim *arg,
                                const gn_dim *const *env)
{
    for (size_t i = 0; i < a->leaf.n; i++)
        if (!gn_is_dim(o, a->leaf.at[i]))
            arg = gn_lsub(g, arg, gn_lscale(g, value_of(g, a->leaf.at[i], env), a->stride.at[i]));
    return arg;
}

static void check_digit(gn_lower *g, const gn_object *o, const gn_laxis *a, uint32_t leaf, const gn_dim *digit)
{
    const gn_dim *most = gn_axis_most(g, g->leaves.at[leaf].points);
    const bool outer = g->leaves.at[leaf].extent == 0;
    if (gn_dim_at_least(g, digit, 0) && (outer || gn_dim_at_least(g, gn_lsub(g, most, digit), 1))) return;
    gn_text s = { .arena = g->arena };
    gn_dim_show(&s, digit);
    gn_illegal(g, "stage %s: the use at %s along '%s' may leave the leaf '%s'", o->name, gn_text_done(&s), a->name,
               g->leaves.at[leaf].name);
}

/* Cuts an argument into the digits of the axis' leaves among the dims: each monomial goes to the largest stride that
 * divides it, constants are cut from the outermost digit inwards. */
static void cut_digits(gn_lower *g, const gn_object *o, const gn_laxis *a, const gn_dim *x, const gn_dim **digit)
{
    size_t at;
    for (size_t i = 0; i < a->leaf.n; i++)
        if (is_dim_of(o, a->leaf.at[i], &at)) digit[at] = gn_lconst(g, 0);
    for (uint32_t t = 0; t < x->n; t++) {
        int64_t c = x->term[t].c;
        const gn_dim *m = gn_lconst(g, 1);
        for (uint32_t i = 0; i < x->term[t].n; i++) m = gn_dim_mul(g->dims, m, gn_dim_of_atom(g->dims, x->term[t].atom[i]));
        for (size_t i = 0; i < a->leaf.n && c; i++) {
            if (!is_dim_of(o, a->leaf.at[i], &at)) continue;
            const int64_t s = a->stride.at[i], q = x->term[t].n == 0 ? c / s : c % s == 0 ? c / s : 0;
            digit[at] = gn_ladd(g, digit[at], gn_lscale(g, m, q));
            c -= q * s;
        }
        if (c) {
            gn_text s = { .arena = g->arena };
            gn_dim_show(&s, x);
            gn_illegal(g, "stage %s: the argument %s along '%s' does not fall on its leaves", o->name, gn_text_done(&s),
                       a->name);
        }
    }
    for (size_t i = 0; i < a->leaf.n; i++)
        if (is_dim_of(o, a->leaf.at[i], &at)) check_digit(g, o, a, a->leaf.at[i], digit[at]);
}

/* Along a parameter none of whose leaves is a dim there is one element, of the point around. */
static void check_fixed(gn_lower *g, const gn_object *o, const gn_laxis *a, const gn_dim *arg, const gn_dim *const *env)
{
    const gn_dim *rest = arg ? less_fixed(g, o, a, arg, env) : NULL; /* a prefix starts at no point of its axis */
    if (!rest || gn_dim_is(rest, 0)) return;
    gn_text s = { .arena = g->arena };
    gn_dim_show(&s, arg);
    gn_illegal(g, "stage %s: the use at %s along '%s' is at another point than the one that is kept", o->name,
               gn_text_done(&s), a->name);
}

void gn_object_digits(gn_lower *g, const gn_object *o, const gn_dim *const *arg, const gn_dim *const *env,
                      const gn_dim **digit)
{
    for (size_t i = 0; i < o->dims.n; i++) digit[i] = NULL;
    for (size_t p = 0; p < o->def->nparam; p++) {
        const gn_laxis *a = &g->axes.at[o->def->param[p]];
        if (has_dims_of(o, a)) cut_digits(g, o, a, less_fixed(g, o, a, arg[p], env), digit);
        else check_fixed(g, o, a, arg[p], env);
    }
    for (size_t i = 0; i < o->dims.n; i++) /* of a private accumulator, which belong to no parameter */
        if (!digit[i]) digit[i] = value_of(g, o->dims.at[i], env);
}

bool gn_object_covers(gn_lower *g, const gn_object *o, size_t param, const gn_dim *arg, const gn_dim *const *env)
{
    const gn_laxis *a = &g->axes.at[o->def->param[param]];
    int64_t total = 1, n;
    size_t at;
    for (size_t i = 0; i < a->leaf.n; i++) {
        if (!is_dim_of(o, a->leaf.at[i], &at)) continue;
        if (!gn_dim_is_const(g->leaves.at[a->leaf.at[i]].points, &n)) return false;
        total *= n;
    }
    const gn_dim *x = less_fixed(g, o, a, arg, env);
    return gn_dim_at_least(g, x, 0) && gn_dim_at_least(g, gn_lsub(g, gn_lconst(g, total), x), 1);
}

/* True if the dims of one axis lie in memory as its leaves count: then any argument has an address. */
static bool is_natural(gn_lower *g, const gn_object *o, const gn_laxis *a, const gn_dim **factor)
{
    *factor = NULL;
    for (size_t i = a->leaf.n, at; i-- > 0;) {
        if (!is_dim_of(o, a->leaf.at[i], &at)) continue;
        if (!*factor) {
            if (a->stride.at[i] != 1) return false;
            *factor = o->stride[at];
        } else if (o->stride[at] != gn_lscale(g, *factor, a->stride.at[i]))
            return false;
    }
    return *factor != NULL;
}

/* What an argument adds to the address, through dims from number `first` on and through those before. */
static void add_argument(gn_lower *g, const gn_object *o, const gn_laxis *a, const gn_dim *x, size_t first,
                         const gn_dim **before, const gn_dim **behind)
{
    const gn_dim *factor, **digit;
    bool is_before = false, is_behind = false;
    size_t at;
    for (size_t i = 0; i < a->leaf.n; i++)
        if (is_dim_of(o, a->leaf.at[i], &at)) is_before |= at < first, is_behind |= at >= first;
    const gn_dim **sum = is_before ? before : behind;
    if (!(is_before && is_behind) && is_natural(g, o, a, &factor)) {
        *sum = gn_ladd(g, *sum, gn_dim_mul(g->dims, factor, x));
        return;
    }
    digit = GN_NEW_ARRAY(g->arena, const gn_dim *, o->dims.n + 1);
    cut_digits(g, o, a, x, digit);
    for (size_t i = 0; i < a->leaf.n; i++) {
        if (!is_dim_of(o, a->leaf.at[i], &at)) continue;
        sum = at < first ? before : behind;
        *sum = gn_ladd(g, *sum, gn_dim_mul(g->dims, o->stride[at], digit[at]));
    }
}

static void find_address(gn_lower *g, const gn_object *o, const gn_dim *const *arg, const gn_dim *const *env,
                         size_t first, const gn_dim **before, const gn_dim **behind)
{
    gn_leafset placed = { { 0 } };
    *before = *behind = gn_lconst(g, 0);
    for (size_t p = 0; p < o->def->nparam; p++) {
        const gn_laxis *a = &g->axes.at[o->def->param[p]];
        placed = gn_set_or(placed, gn_set_of(a->leaf.n, a->leaf.at));
        if (has_dims_of(o, a)) add_argument(g, o, a, less_fixed(g, o, a, arg[p], env), first, before, behind);
        else check_fixed(g, o, a, arg[p], env);
    }
    for (size_t i = 0; i < o->dims.n; i++) {
        const gn_dim **sum = i < first ? before : behind;
        if (!gn_set_has(&placed, o->dims.at[i]))
            *sum = gn_ladd(g, *sum, gn_dim_mul(g->dims, o->stride[i], value_of(g, o->dims.at[i], env)));
    }
}

/* The groups of each row are turned by the row's number: those at one place of neighbouring rows lie in different
 * banks, and each stays whole. `before` is where the row begins. */
static const gn_dim *swizzled(gn_lower *g, const gn_object *o, size_t first, const gn_dim *before, const gn_dim *column)
{
    const int64_t n = o->def->stage->swizzle;
    const gn_dim *length = gn_lscale(g, o->stride[first], gn_points(g, o->dims.at[first]));
    const gn_dim *row = first ? gn_dim_div(g->dims, before, o->stride[first - 1]) : gn_lconst(g, 0);
    const gn_dim *group = gn_ladd(g, gn_dim_div(g->dims, column, gn_lconst(g, n)), row);
    group = gn_dim_mod(g->dims, group, gn_dim_div(g->dims, length, gn_lconst(g, n)));
    return gn_ladd(g, gn_lscale(g, group, n), gn_dim_mod(g->dims, column, gn_lconst(g, n)));
}

const gn_dim *gn_object_address(gn_lower *g, const gn_object *o, const gn_dim *const *arg, const gn_dim *const *env)
{
    const gn_stage *st = o->def->stage;
    const bool turned = st && st->swizzle && o->level == st->level;
    const size_t first = turned ? gn_leaf_place(o->dims.n, o->dims.at, (uint32_t)st->swizzle_leaf) : 0;
    const gn_dim *before, *column;
    find_address(g, o, arg, env, first, &before, &column);
    if (turned) column = swizzled(g, o, first, before, column);
    const gn_dim *at = gn_ladd(g, before, column);
    return o->start ? gn_ladd(g, at, o->start) : at;
}
