/* Index maps: an operation that moves elements is no code, its operand's text is written at other indices. Reshapes are
 * divisions of a flat index, borders are conditions, gathers are loads in the index. */
#include <string.h>
#include "group_writer.h"

static gn_dim_pool *pool(const writer *w)
{
    return w->k->dims;
}

static const gn_dim *constant(const writer *w, int64_t v)
{
    return gn_dim_const(pool(w), v);
}

/* ---- reshape ---- */

/* One block: the flat position among its result dims, cut anew for its operand dims. */
static void write_block(writer *w, const gnode *n, const gnode *x, const reshape_blocks *r, uint8_t k,
                        const gn_dim *const *index, const gn_dim **out)
{
    const uint8_t a = k ? r->in_end[k - 1] : 0, b = k ? r->out_end[k - 1] : 0;
    const gn_dim *flat = constant(w, 0);
    for (uint8_t d = b; d < r->out_end[k]; d++)
        flat = gn_dim_add(pool(w), gn_dim_mul(pool(w), flat, gn_write_dim(w, n->e->type->dim[r->out[d]])),
                          index[r->out[d]]);
    for (uint8_t d = r->in_end[k]; d-- > a;) {
        const gn_dim *e = gn_write_dim(w, x->e->type->dim[r->in[d]]);
        const bool empty = gn_dim_is(e, 0); /* never read */
        out[r->in[d]] = d == a || empty ? flat : gn_dim_mod(pool(w), flat, e);
        if (!empty) flat = gn_dim_div(pool(w), flat, e);
    }
}

/* What is known where these indices are evaluated: their axes lie within their extents, so the names in those extents
 * are at least 1. */
static gn_dim_facts facts_of(writer *w, uint32_t rank, const gn_dim *const *index)
{
    GN_VEC(gn_dim_fact) facts = { 0 };
    GN_VEC(uint32_t) used = { 0 };
    for (uint32_t a = 0; a < w->k->axes.n; a++) {
        bool mentioned = false;
        for (uint32_t d = 0; d < rank; d++) mentioned = mentioned || gn_dim_mentions(index[d], w->k->axes.at[a].name);
        if (mentioned) gn_push(w->g->scratch, &used, a);
    }
    for (size_t i = 0; i < used.n; i++) {
        const gn_dim *e = w->k->axes.at[used.at[i]].extent;
        for (uint32_t f = 0; e->n == 1 && f < e->term[0].n; f++)
            if (e->term[0].atom[f]->kind == GN_DIM_SYM)
                gn_push(w->g->scratch, &facts, (gn_dim_fact){ e->term[0].atom[f]->name, 1, 1, INT64_MAX, NULL });
    }
    for (size_t i = 0; i < used.n; i++) {
        const gn_kaxis *a = &w->k->axes.at[used.at[i]];
        int64_t e = INT64_MAX;
        const bool known = gn_dim_is_const(a->extent, &e);
        gn_push(w->g->scratch, &facts, (gn_dim_fact){ a->name, 1, 0, known ? e - 1 : INT64_MAX, a->extent });
    }
    return (gn_dim_facts){ facts.n, facts.at };
}

/* A reshape of a reshape gives back the axes it began with: (i*m + j) div m is i. */
static void reshape_index(writer *w, const gnode *n, const gnode *x, const gn_dim *const *index, const gn_dim **out)
{
    const reshape_blocks r = gn_group_reshape(w->g, n);
    const gn_dim_facts facts = facts_of(w, n->rank, index);
    for (uint32_t d = 0; d < x->rank; d++) out[d] = constant(w, 0);
    for (uint8_t k = 0; k < r.n; k++) write_block(w, n, x, &r, k, index, out);
    for (uint32_t d = 0; d < x->rank; d++) out[d] = gn_dim_simplify(pool(w), out[d], &facts);
}

/* ---- the other moves ---- */

static void write_operand_index(writer *w, const gnode *n, uint32_t k, const gn_dim *const *index, const gn_dim **out)
{
    const gnode *x = operand(w->g, n, k);
    const gn_attr *a = n->e->attr;
    int8_t map[GN_MAX_RANK];
    if (n->kind == NODE_RESHAPE) {
        reshape_index(w, n, x, index, out);
        return;
    }
    gn_group_dims(w->g, n, k, map);
    for (uint32_t d = 0; d < x->rank; d++) {
        if (map[d] != NONE) out[d] = index[map[d]];
        else if (n->kind == NODE_SLICE)
            out[d] = gn_dim_add(pool(w), gn_write_dim(w, a[0].dims[d]), gn_dim_scale(pool(w), index[d], a[1].ints[d]));
        else if (n->kind == NODE_FLIP)
            out[d] =
                gn_dim_sub(pool(w), gn_dim_sub(pool(w), gn_write_dim(w, x->e->type->dim[d]), constant(w, 1)), index[d]);
        else out[d] = gn_write_taken(w, n, index);
    }
}

static const gn_kcond *less(gn_kcond *c, const gn_dim *a, const gn_dim *b)
{
    *c = (gn_kcond){ .kind = GN_K_LT, .a = a, .b = b };
    return c;
}

/* The operand's element k stands at start + step k. */
static const gn_kexpr *write_pad(writer *w, const gnode *n, const gn_dim *const *index)
{
    const gnode *x = operand(w->g, n, 0);
    const gn_dim *inner[GN_MAX_RANK] = { 0 };
    gn_kcond cond[3 * GN_MAX_RANK];
    size_t ncond = 0;
    for (uint32_t d = 0; d < x->rank; d++) {
        const int64_t step = n->e->attr[1].ints[d], by = step < 0 ? -step : step;
        const gn_dim *start = gn_write_dim(w, n->e->attr[0].dims[d]), *extent = gn_write_dim(w, x->e->type->dim[d]);
        const gn_dim *at = step < 0 ? gn_dim_sub(pool(w), start, index[d]) : gn_dim_sub(pool(w), index[d], start);
        const gn_dim *last = gn_dim_scale(pool(w), gn_dim_sub(pool(w), extent, constant(w, 1)), by);
        const bool from_start = step > 0 && gn_dim_is(start, 0);
        inner[d] = gn_dim_div(pool(w), at, constant(w, by));
        if (!from_start) less(&cond[ncond++], constant(w, -1), at);
        if (!(from_start && by == 1 && extent == gn_write_dim(w, n->e->type->dim[d])))
            less(&cond[ncond++], at, gn_dim_add(pool(w), last, constant(w, 1)));
        if (by > 1)
            cond[ncond++] =
                (gn_kcond){.kind = GN_K_EQ, .a = gn_dim_mod(pool(w), at, constant(w, by)), .b = constant(w, 0)};
    }
    const gn_kexpr *in = gn_write_expr(w, n->in[0], inner);
    return ncond == 0 ? in : gn_kexpr_if(w->k, ncond, cond, in, gn_write_expr(w, n->in[1], NULL));
}

static const gn_kexpr *write_concat(writer *w, const gnode *n, const gn_dim *const *index)
{
    const size_t axis = (size_t)n->e->attr[0].i;
    const gn_dim *begin[2] = { constant(w, 0), NULL };
    const gn_dim **starts = GN_NEW_ARRAY(w->g->scratch, const gn_dim *, n->e->nin + 1);
    starts[0] = begin[0];
    for (uint32_t k = 0; k < n->e->nin; k++)
        starts[k + 1] = gn_dim_add(pool(w), starts[k], gn_write_dim(w, n->e->in[k]->type->dim[axis]));
    const gn_kexpr *value = NULL;
    for (uint32_t k = n->e->nin; k-- > 0;) {
        const gn_dim *inner[GN_MAX_RANK] = { 0 };
        gn_kcond cond;
        memcpy(inner, index, n->rank * sizeof *inner);
        inner[axis] = gn_dim_sub(pool(w), index[axis], starts[k]);
        const gn_kexpr *part = gn_write_expr(w, n->in[k], inner);
        value = value ? gn_kexpr_if(w->k, 1, less(&cond, index[axis], starts[k + 1]), part, value) : part;
    }
    return value;
}

const gn_kexpr *gn_write_move(writer *w, uint32_t at, const gn_dim *const *index)
{
    const gnode *n = &w->g->nodes.at[at];
    if (n->kind == NODE_PAD) return write_pad(w, n, index);
    if (n->kind == NODE_CONCAT) return write_concat(w, n, index);
    const gn_dim *inner[GN_MAX_RANK] = { 0 };
    write_operand_index(w, n, 0, index, inner);
    const gn_kexpr *value = gn_write_expr(w, n->in[0], inner);
    const gn_dim *extent = n->kind == NODE_TAKE ? operand(w->g, n, 0)->e->type->dim[n->e->attr[0].i] : NULL;
    if (!extent || (gn_dim_is_const(extent, NULL) && !gn_dim_is(extent, 0))) return value;
    gn_kcond cond; /* an empty axis has nothing to read */
    return gn_kexpr_if(w->k, 1, less(&cond, constant(w, 0), gn_write_dim(w, extent)), value,
                       gn_kexpr_int(w->k, (gn_dtype)value->dtype, 0));
}

/* ---- integers as indices ---- */

const gn_expr *gn_group_given(const gn_expr *x)
{
    static const gn_op_info *const views[] = { &gn_op_cast, &gn_op_broadcast, &gn_op_reshape, &gn_op_permute };
    while (gn_is_int((gn_dtype)x->type->dtype)) {
        bool is_view = false;
        for (size_t i = 0; i < sizeof views / sizeof *views; i++) is_view |= x->op == views[i];
        if (!is_view) break;
        x = x->in[0];
    }
    const bool leaf = x->op == &gn_op_input || x->op == &gn_op_variable;
    return leaf && gn_is_int((gn_dtype)x->type->dtype) ? x : NULL;
}

static uint32_t skip_ones(const gn_type *t, uint32_t d)
{
    while (d < t->n && gn_dim_is(t->dim[d], 1)) d++;
    return d;
}

bool gn_check_same_uses(const gn_expr *a, const gn_expr *b)
{
    uint32_t i = skip_ones(a->type, 0), k = skip_ones(b->type, 0);
    for (; i < a->type->n && k < b->type->n && a->type->dim[i] == b->type->dim[k]; i = skip_ones(a->type, i + 1))
        k = skip_ones(b->type, k + 1);
    return i == a->type->n && k == b->type->n;
}

static void note_symbol(void *user, const char *name)
{
    void **const all = user;
    const writer *const w = all[0];
    if (gn_kernel_find_sym(w->k, name) < 0) all[1] = NULL;
}

static const gn_dim *elements_of(writer *w, const gn_type *t)
{
    return gn_dims_product(pool(w), t->n, gn_dims_import(pool(w), t->n, t->dim));
}

/* The kernel says of the buffer what the call checks: if it loads it, has the symbols of the bound already, and all
 * elements are used if any is, so that the call looks at them. */
static void write_range(writer *w, uint32_t value, const gnode *check)
{
    const uintptr_t buf = (uintptr_t)gn_map_get(&w->bufs, value);
    const gn_gvalue *const v = &w->g->out->values.at[value];
    const gn_dim *const bound = check->e->attr[0].dims[0];
    void *all[] = { w, w };
    if (!buf) return;
    gn_dim_symbols(bound, note_symbol, all);
    if (!all[1] || elements_of(w, check->e->type) != elements_of(w, v->expr->type)) return;
    const gn_dim **const below = &w->k->bufs.at[buf - 1].below, *const own = gn_dim_import(pool(w), bound);
    *below = *below ? gn_dim_min(pool(w), *below, own) : own;
}

bool gn_write_is_checked(writer *w, const gnode *n)
{
    const gn_expr *x = gn_group_given(n->e->in[0]);
    const gn_dim *bound = n->e->attr[0].dims[0];
    if (!x) return false;
    const uint32_t value = (uint32_t)w->g->value[w->g->number[x->id]];
    write_range(w, value, n);
    for (size_t i = 0; i < w->g->out->checks.n; i++)
        if (w->g->out->checks.at[i].value == value && w->g->out->checks.at[i].bound == bound &&
            gn_check_same_uses(w->g->out->checks.at[i].expr, n->e)) return true;
    gn_push(w->g->arena, &w->g->out->checks, (gn_index_check){ value, bound, n->e });
    return true;
}

static const gn_dim *checked_index(writer *w, const gnode *n, const gn_dim *at)
{
    if (!at || gn_write_is_checked(w, n)) return at;
    const gn_dim *last = gn_dim_sub(pool(w), gn_write_dim(w, n->e->attr[0].dims[0]), constant(w, 1));
    return gn_dim_max(pool(w), constant(w, 0), gn_dim_min(pool(w), at, last));
}

static const gn_dim *write_index(writer *w, uint32_t at, const gn_dim *const *index)
{
    const gnode *n = &w->g->nodes.at[at];
    const gn_dim *inner[GN_MAX_RANK] = { 0 };
    if (gn_write_loads(w, n)) {
        const uint32_t buf = gn_write_memory(w, at, index, inner);
        return gn_dim_load(pool(w), w->k->bufs.at[buf].name, gn_kernel_flat(w->k, buf, inner));
    }
    switch (n->kind) {
    case NODE_SCALAR: return constant(w, gn_group_scalar(n->e).i);
    case NODE_DIM: return gn_write_dim(w, gn_group_dim_of(n->e));
    case NODE_IOTA: return index[gn_attr_of(n->e, "axis")->i];
    case NODE_ELEM: return write_index(w, n->in[0], index); /* a cast */
    case NODE_CHECK: return checked_index(w, n, write_index(w, n->in[0], index));
    default: break;
    }
    if (!is_view(n)) return NULL; /* a reduction of this group: no memory yet */
    write_operand_index(w, n, 0, index, inner);
    return write_index(w, n->in[0], inner);
}

/* An integer expression as a dim: positions, extents, numbers, and loads of what is in memory; NULL if it is none of
 * these. */
static const gn_dim *write_plain_index(writer *w, uint32_t at, const gn_dim *const *index)
{
    return gn_group_is_index(w->g, at) ? write_index(w, at, index) : NULL;
}

const gn_dim *gn_write_taken(writer *w, const gnode *n, const gn_dim *const *index)
{
    const gn_dim *at = write_plain_index(w, n->in[1], n->kind == NODE_TAKE ? index + n->e->attr[0].i : index);
    GN_ASSERT(at); /* indices stand in memory or are index expressions: what computes them is cut off */
    return at;
}

/* ---- conditions ---- */

static bool compare(writer *w, const gnode *n, const gn_dim *const *index, gn_kcond *cond, bool *negated)
{
    static const struct {
        const gn_op_info *op;
        uint8_t kind, swap, negate;
    } ops[] = {{&gn_op_eq, GN_K_EQ, 0, 0}, {&gn_op_ne, GN_K_EQ, 0, 1}, {&gn_op_lt, GN_K_LT, 0, 0},
               {&gn_op_ge, GN_K_LT, 0, 1}, {&gn_op_gt, GN_K_LT, 1, 0}, {&gn_op_le, GN_K_LT, 1, 1}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (n->e->op != ops[i].op) continue;
        const gn_dim *a = write_plain_index(w, n->in[0], index), *b = a ? write_plain_index(w, n->in[1], index) : NULL;
        if (!b || (gn_dim_has_load(a) && gn_dim_has_load(b))) return false;
        *cond = (gn_kcond){ .kind = ops[i].kind, .a = ops[i].swap ? b : a, .b = ops[i].swap ? a : b };
        *negated = ops[i].negate;
        return true;
    }
    return false;
}

bool gn_write_condition(writer *w, uint32_t at, const gn_dim *const *index, gn_kcond *cond, bool *negated)
{
    const gnode *n = &w->g->nodes.at[at];
    const gn_dim *inner[GN_MAX_RANK] = { 0 };
    if (gn_write_loads(w, n)) return false;
    if (is_view(n)) {
        write_operand_index(w, n, 0, index, inner);
        return gn_write_condition(w, n->in[0], inner, cond, negated);
    }
    return n->kind == NODE_ELEM && n->e->nin == 2 ? compare(w, n, index, cond, negated) : false;
}
