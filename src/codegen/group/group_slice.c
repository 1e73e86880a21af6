/* Concatenations in memory. A concat that is stored needs no kernel: each of its parts is written where it lies, by the
 * kernel that computes it, through a buffer with the strides of the whole. A part that is a change of extents 1 (as
 * stack makes them) is written as what lies below it. Parts that are in memory anyway are copied. A concat that is a
 * part itself passes its place on to its own parts.
 *
 * Few parts that are used as they come stay in the text as a choice by position (write_concat): MAX_PARTS tells how
 * few. */
#include "group_state.h"
#include <inttypes.h>
#include <string.h>

enum { SHORT_RUN = 64, TINY_BYTES = 4096, TINY_NODES = 1000 };

/* ---- which ---- */

/* A program that may become one function (group_small.c) keeps its values there as they are computed. */
void gn_group_find_tiny(grouper *g)
{
    g->tiny = g->target->lang == GN_LANG_C && g->nodes.n < TINY_NODES;
    for (size_t i = 0; i < g->nodes.n && g->tiny; i++) {
        const gnode *n = &g->nodes.at[i];
        double bytes = gn_dtypes[n->e->type->dtype].size;
        int64_t e = 0;
        for (uint32_t d = 0; d < n->rank; d++) bytes *= gn_dim_is_const(n->e->type->dim[d], &e) ? (double)e : 1e30;
        g->tiny = bytes <= TINY_BYTES;
    }
}

bool gn_group_has_many_parts(const grouper *g, const gnode *n)
{
    return n->kind == NODE_CONCAT && n->nparts > (g->tiny ? MAX_TINY_PARTS : MAX_PARTS);
}

static bool is_sliced(const grouper *g, const gnode *n)
{
    if (n->kind != NODE_CONCAT || gn_group_has_extent(n, 0)) return false;
    if (gn_group_has_many_parts(g, n)) return true;
    const class_set d = gn_group_set(g, n);
    return gn_group_size(g, &d) > FEW_POINTS && (!g->tiny || n->nuser == 0);
}

/* ---- parts ---- */

/* A view that only adds or drops extents of 1 or exchanges dims: where the operand's dims stand. */
static bool is_same_elements(const grouper *g, const gnode *n, int8_t *map)
{
    uint8_t met = 0;
    if (!is_view(n) || n->cut) return false;
    const gnode *x = operand(g, n, 0);
    gn_group_dims(g, n, 0, map);
    for (uint32_t d = 0; d < x->rank; d++) {
        if (map[d] != NONE) met |= (uint8_t)(1u << map[d]);
        if (map[d] == NONE ? !gn_dim_is(x->e->type->dim[d], 1) : x->e->type->dim[d] != n->e->type->dim[map[d]])
            return false;
    }
    for (uint32_t d = 0; d < n->rank; d++)
        if (!(met >> d & 1) && !gn_dim_is(n->e->type->dim[d], 1)) return false;
    return true;
}

/* The node that holds the elements of a part, and where its dims stand in the concat (NONE: an extent of 1). */
static uint32_t part_of(const grouper *g, const gnode *concat, uint32_t k, int8_t *dim)
{
    uint32_t at = concat->in[k];
    int8_t map[GN_MAX_RANK];
    for (int8_t d = 0; d < GN_MAX_RANK; d++) dim[d] = d;
    while (is_same_elements(g, &g->nodes.at[at], map)) {
        int8_t next[GN_MAX_RANK] = { 0 };
        at = g->nodes.at[at].in[0];
        for (uint32_t d = 0; d < g->nodes.at[at].rank; d++) next[d] = map[d] == NONE ? NONE : dim[map[d]];
        memcpy(dim, next, sizeof next);
    }
    return at;
}

/* Elements of a part that lie side by side in the whole. */
static int64_t run_of(const grouper *g, const gnode *concat, uint32_t k)
{
    const gnode *x = operand(g, concat, k);
    const class_set s = gn_group_along(g, x, (uint8_t)(all_dims(x) >> concat->e->attr[0].i << concat->e->attr[0].i));
    return gn_group_size(g, &s);
}

/* Short runs from memory share a kernel, which then writes whole lines of the result. */
static bool can_join(const grouper *g, const gnode *x, int32_t last)
{
    if (last == NONE || x->stored || x->group != NONE || (!is_light(x) && x->kind != NODE_MEMORY) || x->kind == NODE_CONCAT)
        return false;
    return g->groups.at[last].kind == GROUP_MAP && g->groups.at[last].after == NONE && gn_group_is_map_of(g, last, x);
}

static int32_t later_home(const grouper *g, int32_t a, int32_t b)
{
    return a == NONE || (b != NONE && order_key(g, b) > order_key(g, a)) ? b : a;
}

static void note_part(gnode *x, uint8_t whole, const int8_t *dim)
{
    x->is_part = true;
    for (uint32_t d = 0; d < x->rank; d++)
        if (dim[d] != NONE && whole >> dim[d] & 1) x->part |= (uint8_t)(1u << d);
}

bool gn_group_slices(grouper *g, uint32_t at)
{
    gnode *n = &g->nodes.at[at];
    if (!is_sliced(g, n)) return false;
    int32_t last = NONE;
    n->home = NONE;
    for (uint32_t k = 0; k < n->e->nin; k++) {
        int8_t dim[GN_MAX_RANK];
        const uint32_t part = part_of(g, n, k, dim);
        if (gn_group_has_extent(operand(g, n, k), 0)) continue;
        note_part(&g->nodes.at[part], stored_dims(n), dim);
        const bool joins = run_of(g, n, k) < SHORT_RUN && can_join(g, &g->nodes.at[part], last);
        last = joins ? gn_group_store(g, part, last) : gn_group_home(g, part);
        n->home = later_home(g, n->home, last);
    }
    n->stored = n->sliced = true;
    return true;
}

void gn_group_slice_homes(grouper *g)
{
    for (size_t i = 0; i < g->nodes.n; i++) {
        gnode *n = &g->nodes.at[i];
        if (!n->sliced) continue;
        n->home = NONE;
        for (uint32_t k = 0; k < n->e->nin; k++) {
            int8_t dim[GN_MAX_RANK];
            if (!gn_group_has_extent(operand(g, n, k), 0))
                n->home = later_home(g, n->home, g->nodes.at[part_of(g, n, k, dim)].home);
        }
    }
}

/* ---- values ---- */

const gn_dim *const *gn_group_strides(grouper *g, const gn_gvalue *v)
{
    gn_dim_pool *pool = &g->core->graph->dims;
    if (v->stride) return v->stride;
    const uint32_t rank = v->expr->type->n;
    const gn_dim **stride = GN_NEW_ARRAY(g->arena, const gn_dim *, rank);
    for (uint32_t d = rank; d-- > 0;)
        stride[d] = d + 1 == rank ? gn_dim_const(pool, 1) : gn_dim_mul(pool, stride[d + 1], v->shape[d + 1]);
    return stride;
}

bool gn_group_is_contiguous(gn_dim_pool *pool, size_t rank, const gn_dim *const *shape, const gn_dim *const *stride)
{
    const gn_dim *want = gn_dim_const(pool, 1);
    for (size_t d = rank; d-- > 0;) {
        if (!gn_dim_is(shape[d], 1) && stride[d] != want) return false;
        want = gn_dim_mul(pool, want, shape[d]);
    }
    return true;
}

/* Others read the part, too, and its elements would lie far from each other: it stands beside the whole as well. */
static bool needs_own(const gnode *x, const gn_dim *const *stride)
{
    if (x->nuser < 2 || x->sliced) return false;
    for (uint32_t d = x->rank; d-- > 0;)
        if (!gn_dim_is(x->e->type->dim[d], 1)) return !gn_dim_is(stride[d], 1);
    return false;
}

static void add_slice(grouper *g, uint32_t at, uint32_t number, int32_t whole, const gn_dim *start,
                      const gn_dim *const *stride, const gn_dim *const *shape)
{
    const gnode *x = &g->nodes.at[at];
    if (g->value[at] == NONE && needs_own(x, stride)) gn_group_note_value(g, at, gn_group_add_temp(g, at));
    const gn_gvalue *w = &g->out->values.at[whole];
    const gn_gvalue v = { .kind = GN_VALUE_SLICE, .expr = x->e, .index = number, .in_place = NONE, .shape = shape,
                          .name = gn_arena_printf(g->arena, "%s_%" PRIu32, w->name, number),
                          .within = w->within == NONE ? whole : w->within, .start = start,
                          .stride = gn_group_is_contiguous(&g->core->graph->dims, x->rank, shape, stride) ? NULL : stride };
    const int32_t value = (int32_t)g->out->values.n;
    gn_push(g->arena, &g->out->values, v);
    gn_group_note_value(g, at, value);
}

static void add_slices(grouper *g, const gnode *n, int32_t whole)
{
    gn_dim_pool *pool = &g->core->graph->dims;
    const gn_gvalue w = g->out->values.at[whole];
    const gn_dim *const *strides = gn_group_strides(g, &w), *start = w.start ? w.start : gn_dim_const(pool, 0),
                        *one = gn_dim_const(pool, 1);
    const uint32_t axis = (uint32_t)n->e->attr[0].i;
    for (uint32_t k = 0; k < n->e->nin; k++) {
        int8_t dim[GN_MAX_RANK];
        const uint32_t part = part_of(g, n, k, dim);
        const gn_type *t = g->nodes.at[part].e->type;
        const gn_dim **stride = GN_NEW_ARRAY(g->arena, const gn_dim *, t->n),
                     **shape = GN_NEW_ARRAY(g->arena, const gn_dim *, t->n);
        for (uint32_t d = 0; d < t->n; d++) {
            stride[d] = dim[d] == NONE ? one : strides[dim[d]];
            shape[d] = dim[d] == NONE || w.shape[dim[d]] == n->e->type->dim[dim[d]] ? t->dim[d] : one;
        }
        if (!gn_group_has_extent(operand(g, n, k), 0)) add_slice(g, part, k, whole, start, stride, shape);
        start = gn_dim_add(pool, start, gn_dim_mul(pool, strides[axis], n->e->in[k]->type->dim[axis]));
    }
}

/* From the last concat on: one that is a part knows its own places then. */
void gn_group_slice_values(grouper *g)
{
    for (size_t at = g->nodes.n; at-- > 0;) {
        const gnode *n = &g->nodes.at[at];
        if (!n->sliced) continue;
        const struct extra_values *all = gn_map_get(&g->output_values, at);
        if (!all) add_slices(g, n, g->value[at]);
        for (size_t i = 0; all && i < all->value.n; i++) add_slices(g, n, all->value.at[i]);
    }
}
