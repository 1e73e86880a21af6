/* Live nodes of the core graph, what kind each is, and where an operand's dims stand in its user. */
#include <stdlib.h>
#include "group_state.h"
#include "ops/reference.h"

static const struct {
    const gn_op_info *op;
    node_kind kind;
} kinds[] = {
    {&gn_op_input, NODE_MEMORY},
    {&gn_op_variable, NODE_MEMORY},
    {&gn_op_iota, NODE_IOTA},
    {&gn_op_dim, NODE_DIM},
    {&gn_op_broadcast, NODE_BROADCAST},
    {&gn_op_permute, NODE_PERMUTE},
    {&gn_op_reshape, NODE_RESHAPE},
    {&gn_op_slice, NODE_SLICE},
    {&gn_op_pad, NODE_PAD},
    {&gn_op_flip, NODE_FLIP},
    {&gn_op_concat, NODE_CONCAT},
    {&gn_op_take, NODE_TAKE},
    {&gn_op_scatter_add, NODE_SCATTER},
};

static const struct {
    const gn_op_info *op;
    gn_red red;
} reductions[] = {
    {&gn_op_sum, GN_RED_SUM}, {&gn_op_prod, GN_RED_PROD}, {&gn_op_max, GN_RED_MAX},
    {&gn_op_min, GN_RED_MIN}, {&gn_op_any, GN_RED_ANY},   {&gn_op_all, GN_RED_ALL},
};

static gn_red red_of(const gn_expr *e)
{
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++)
        if (reductions[i].op == e->op) return reductions[i].red;
    return GN_RED_NONE;
}

gn_red gn_group_red(const gnode *n)
{
    return red_of(n->e);
}

static node_kind kind_of(const gn_expr *e)
{
    if (e->op->traits & GN_COMPOSITE) gn_throw(GN_EINTERNAL, "grouping: the composite %s was not decomposed", e->op->name);
    if (e->op == &gn_op_check_index) return NODE_CHECK;
    if (e->op->traits & GN_ELEMWISE) return NODE_ELEM;
    if (e->op == &gn_op_constant) return e->type->n == 0 ? NODE_SCALAR : NODE_MEMORY;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].op == e->op) return kinds[i].kind;
    if (red_of(e) != GN_RED_NONE) return NODE_REDUCE;
    gn_throw(GN_EINTERNAL, "grouping: %s is no operation of the core graph", e->op->name);
}

/* Functions without an instruction of their own have a body; everything else is one operation. */
int gn_group_cost(const gnode *n)
{
    if (n->kind == NODE_PAD || n->kind == NODE_CONCAT || n->kind == NODE_TAKE) return 1;
    if (n->inlined) return (int)gn_group_points(n);
    if (n->kind != NODE_ELEM) return 0;
    return n->e->op->body_f32 ? COSTLY : 1;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void gn_group_sort(uint32_t *numbers, size_t n)
{
    if (n > 1) qsort(numbers, n, sizeof *numbers, compare_numbers);
}

uint32_t gn_group_look_through(const grouper *g, uint32_t n)
{
    while (is_view(&g->nodes.at[n]) && !g->nodes.at[n].cut) n = g->nodes.at[n].in[0];
    return n;
}

gn_ref gn_group_scalar(const gn_expr *e)
{
    return gn_ref_load((gn_dtype)e->type->dtype, gn_attr_of(e, "data")->data, 0);
}

const gn_dim *gn_group_dim_of(const gn_expr *e)
{
    return e->attr[0].dims[0];
}

/* ---- integers as indices ---- */

/* A conversion that keeps every value an index can have. */
static bool is_widening(const gnode *n, const gnode *x)
{
    const gn_dtype to = (gn_dtype)n->e->type->dtype, from = (gn_dtype)x->e->type->dtype;
    if (!gn_is_int(from) || from == GN_U64) return false;
    if (x->kind == NODE_IOTA || x->kind == NODE_DIM) return gn_dtypes[to].size >= 4;
    return gn_dtypes[to].size > gn_dtypes[from].size &&
           !(gn_dtypes[to].kind == GN_KIND_UINT && gn_dtypes[from].kind == GN_KIND_INT);
}

/* Of u64 only what is checked: above INT64_MAX it is negative as an index, and outside as well. */
bool gn_group_is_index(const grouper *g, uint32_t at)
{
    for (bool checked = false;;) {
        at = gn_group_look_through(g, at);
        const gnode *n = &g->nodes.at[at];
        checked |= n->kind == NODE_CHECK;
        if (!gn_is_int((gn_dtype)n->e->type->dtype) || (n->e->type->dtype == GN_U64 && !checked)) return false;
        if (is_leaf(n) || n->kind == NODE_SCALAR || n->kind == NODE_DIM || n->kind == NODE_IOTA) return true;
        if (n->kind != NODE_CHECK && (n->kind != NODE_ELEM || n->e->op != &gn_op_cast)) return false;
        if (n->kind == NODE_ELEM && !is_widening(n, &g->nodes.at[gn_group_look_through(g, n->in[0])])) return false;
        at = n->in[0];
    }
}

/* ---- operands' dims ---- */

static uint8_t long_dims(const gnode *n, uint8_t *dim)
{
    uint8_t count = 0;
    for (uint8_t d = 0; d < n->rank; d++)
        if (!gn_dim_is(n->e->type->dim[d], 1)) dim[count++] = d;
    return count;
}

/* Equal dims at the end are blocks of their own. From the front, extents are multiplied on the smaller side until both
 * sides agree; where that cannot be told, on the side with more dims left. */
reshape_blocks gn_group_reshape(const grouper *g, const gnode *n)
{
    gn_dim_pool *pool = &g->core->graph->dims;
    const gnode *x = operand(g, n, 0);
    const gn_dim *const *ein = x->e->type->dim, *const *eout = n->e->type->dim;
    reshape_blocks r = { 0 };
    const uint8_t nin = long_dims(x, r.in), nout = long_dims(n, r.out);
    uint8_t tail = 0, a = 0, b = 0;
    while (tail < nin && tail < nout && ein[r.in[nin - 1 - tail]] == eout[r.out[nout - 1 - tail]]) tail++;
    while (a < nin - tail || b < nout - tail) {
        const gn_dim *pa = a < nin - tail ? ein[r.in[a++]] : gn_dim_const(pool, 1),
                     *pb = b < nout - tail ? eout[r.out[b++]] : gn_dim_const(pool, 1);
        while (pa != pb && (a < nin - tail || b < nout - tail)) {
            int64_t ca, cb;
            const int left_a = nin - tail - a, left_b = nout - tail - b;
            const bool known = gn_dim_is_const(pa, &ca) && gn_dim_is_const(pb, &cb);
            if (left_b == 0 || (left_a > 0 && (known ? ca < cb : left_a >= left_b)))
                pa = gn_dim_mul(pool, pa, ein[r.in[a++]]);
            else pb = gn_dim_mul(pool, pb, eout[r.out[b++]]);
        }
        r.in_end[r.n] = a, r.out_end[r.n++] = b;
    }
    for (uint8_t t = 0; t < tail; t++) r.in_end[r.n] = (uint8_t)(a + t + 1), r.out_end[r.n++] = (uint8_t)(b + t + 1);
    return r;
}

static void reshape_dims(const grouper *g, const gnode *n, int8_t *map)
{
    const reshape_blocks r = gn_group_reshape(g, n);
    for (uint8_t k = 0; k < r.n; k++) {
        const uint8_t a = k ? r.in_end[k - 1] : 0, b = k ? r.out_end[k - 1] : 0;
        if (r.in_end[k] - a == 1 && r.out_end[k] - b == 1) map[r.in[a]] = (int8_t)r.out[b];
    }
}

static void slice_dims(const gnode *n, const gnode *x, int8_t *map)
{
    for (uint32_t d = 0; d < x->rank; d++) {
        const bool whole = gn_dim_is(n->e->attr[0].dims[d], 0) && n->e->attr[1].ints[d] == 1 &&
                           n->e->type->dim[d] == x->e->type->dim[d];
        if (whole) map[d] = (int8_t)d;
    }
}

static bool in_axes(const gn_attr *axes, uint32_t d)
{
    for (uint32_t i = 0; i < axes->n; i++)
        if (axes->ints[i] == (int64_t)d) return true;
    return false;
}

bool gn_group_reduces_dim(const gnode *r, uint32_t d)
{
    return in_axes(&r->e->attr[0], d);
}

bool gn_group_has_extent(const gnode *n, int64_t extent)
{
    for (uint32_t d = 0; d < n->rank; d++)
        if (gn_dim_is(n->e->type->dim[d], extent)) return true;
    return false;
}

/* take: x[:axis] + indices + x[axis+1:]. Also the map of a scatter's updates, with the roles of in and out exchanged. */
static int8_t take_dim(uint32_t axis, uint32_t nindex, uint32_t k, uint32_t d)
{
    if (k == 1) return (int8_t)(axis + d);
    return d == axis ? NONE : (int8_t)(d < axis ? d : d + nindex - 1);
}

void gn_group_dims(const grouper *g, const gnode *n, uint32_t k, int8_t *map)
{
    const gnode *x = operand(g, n, k);
    const gn_attr *a = n->e->attr;
    for (uint32_t d = 0; d < GN_MAX_RANK; d++) map[d] = NONE;
    if (n->kind == NODE_RESHAPE) reshape_dims(g, n, map);
    else if (n->kind == NODE_SLICE || (n->kind == NODE_PAD && k == 0)) slice_dims(n, x, map);
    for (uint32_t d = 0, kept = 0; d < x->rank; d++) {
        switch (n->kind) {
        case NODE_ELEM:
        case NODE_CHECK: map[d] = (int8_t)d; break;
        case NODE_BROADCAST: map[d] = (int8_t)a[1].ints[d]; break;
        case NODE_PERMUTE: map[a[0].ints[d]] = (int8_t)d; break;
        case NODE_FLIP: map[d] = in_axes(&a[0], d) ? NONE : (int8_t)d; break;
        case NODE_CONCAT: map[d] = a[0].i == (int64_t)d ? NONE : (int8_t)d; break;
        case NODE_TAKE: map[d] = take_dim((uint32_t)a[0].i, operand(g, n, 1)->rank, k, d); break;
        case NODE_REDUCE: map[d] = in_axes(&a[0], d) ? NONE : (int8_t)kept++; break;
        case NODE_SCATTER: map[d] = k == 0 ? (int8_t)d : NONE; break;
        default: break;
        }
    }
}

uint8_t gn_group_varies(const grouper *g, const gnode *n, uint32_t k, uint8_t var)
{
    if (n->kind == NODE_IOTA) return (uint8_t)(1u << gn_attr_of(n->e, "axis")->i);
    int8_t map[GN_MAX_RANK];
    gn_group_dims(g, n, k, map);
    uint8_t v = 0, free = all_dims(n);
    bool moved = false;
    for (uint32_t d = 0; d < operand(g, n, k)->rank; d++) {
        if (map[d] == NONE) moved |= var >> d & 1;
        else {
            free &= (uint8_t) ~(1u << map[d]);
            if (var >> d & 1) v |= (uint8_t)(1u << map[d]);
        }
    }
    switch (n->kind) {
    case NODE_RESHAPE: /* the block varies as a whole */
    case NODE_SLICE:
    case NODE_FLIP: return moved ? v | free : v;
    case NODE_PAD:
    case NODE_CONCAT: return v | free; /* also where only the border differs */
    default: return v;                 /* an index varies by its own dims */
    }
}

uint8_t gn_group_mapped(const grouper *g, const gnode *n, uint32_t k)
{
    int8_t map[GN_MAX_RANK];
    uint8_t dims = 0;
    gn_group_dims(g, n, k, map);
    for (uint32_t d = 0; d < operand(g, n, k)->rank; d++) dims |= (uint8_t)((map[d] != NONE) << d);
    return dims;
}

/* ---- live nodes ---- */

static void link_operands(grouper *g)
{
    for (size_t i = 0; i < g->nodes.n; i++) {
        gnode *n = &g->nodes.at[i];
        uint32_t *in = GN_NEW_ARRAY(g->scratch, uint32_t, n->e->nin);
        for (uint32_t k = 0; k < n->e->nin; k++) {
            in[k] = g->number[n->e->in[k]->id];
            g->nodes.at[in[k]].nuser++;
        }
        n->in = in;
    }
}

static void count_parts(grouper *g)
{
    for (size_t i = 0; i < g->nodes.n; i++) {
        gnode *n = &g->nodes.at[i];
        for (uint32_t k = 0; n->kind == NODE_CONCAT && k < n->e->nin; k++) {
            const gnode *x = operand(g, n, k);
            n->nparts += x->kind == NODE_CONCAT && x->e->attr[0].i == n->e->attr[0].i ? x->nparts : 1;
        }
    }
}

static void link_users(grouper *g)
{
    uint32_t **user = GN_NEW_ARRAY(g->scratch, uint32_t *, g->nodes.n + 1);
    for (size_t i = 0; i < g->nodes.n; i++) {
        gnode *n = &g->nodes.at[i];
        n->user = user[i] = GN_NEW_ARRAY(g->scratch, uint32_t, n->nuser);
        n->nuser = 0;
    }
    for (uint32_t i = 0; i < g->nodes.n; i++)
        for (uint32_t k = 0; k < g->nodes.at[i].e->nin; k++) {
            gnode *x = &g->nodes.at[g->nodes.at[i].in[k]];
            if (x->nuser == 0 || user[x - g->nodes.at][x->nuser - 1] != i) user[x - g->nodes.at][x->nuser++] = i;
        }
}

void gn_group_nodes(grouper *g)
{
    const struct gn_core *c = g->core;
    const size_t n = c->graph->nodes.n;
    const gn_expr_list roots = gn_core_roots(g->scratch, c), reached = gn_reachable(g->scratch, roots.n, roots.at);
    bool *live = GN_NEW_ARRAY(g->scratch, bool, n + 1);
    g->number = GN_NEW_ARRAY(g->scratch, uint32_t, n + 1);
    for (size_t i = 0; i < reached.n; i++) live[reached.at[i]->id] = true;
    for (size_t i = 0; i < n; i++) {
        if (!live[i]) continue;
        const gn_expr *e = c->graph->nodes.at[i];
        const gnode x = { .e = e, .kind = (uint8_t)kind_of(e), .rank = (uint8_t)e->type->n, .slot = g->nslots };
        g->number[i] = (uint32_t)g->nodes.n;
        g->nslots += x.rank;
        gn_push(g->scratch, &g->nodes, x);
    }
    for (size_t i = 0; i < roots.n; i++) g->nodes.at[g->number[roots.at[i]->id]].named = true;
    link_operands(g);
    link_users(g);
    count_parts(g);
}
