/* Step 6, the text of a group as a logical kernel. Light nodes are written where they are used; one that is used more
 * than once is a definition, which is a function: used at other indices it is used at other arguments. Both sides of a
 * contraction are definitions, so that a schedule can pack them. The recursion is as deep as light nodes lie on one
 * another, which is bounded (MAX_DEPTH). */
#include <string.h>
#include "group_writer.h"
#include "roles.h"
#include "visit.h"

/* ---- names, symbols, axes, buffers ---- */

static bool is_taken(const writer *w, const char *name)
{
    for (size_t i = 0; i < w->g->reserved.n; i++)
        if (strcmp(w->g->reserved.at[i], name) == 0) return true;
    return gn_kernel_has_name(w->k, name);
}

/* A name that nothing in the kernel and no symbol of the program has. */
static const char *fresh_name(writer *w, const char *wanted)
{
    return gn_kernel_fresh_name(w->k, wanted, w->g->reserved.n, w->g->reserved.at);
}

static void declare_symbol(void *user, const char *name)
{
    gn_kernel_sym(user, name);
}

const gn_dim *gn_write_dim(writer *w, const gn_dim *d)
{
    gn_dim_symbols(d, declare_symbol, w->k);
    return gn_dim_import(w->k->dims, d);
}

static uint16_t axis_of_class(writer *w, uint32_t class)
{
    static const char *const names[] = { "i", "j", "k", "l", "n", "p", "q", "r", "u" };
    if (w->class_stamp[class] == (uint32_t)w->q + 1) return w->axis[class];
    w->class_stamp[class] = (uint32_t)w->q + 1;
    const gn_dim *extent = gn_write_dim(w, w->g->extent[class]);
    const char *name = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !name; i++)
        if (!is_taken(w, names[i])) name = names[i];
    if (!name) name = fresh_name(w, "i");
    w->axis[class] = (uint16_t)gn_kernel_axis(w->k, name, extent);
    return w->axis[class];
}

static const gn_dim *axis_dim(const writer *w, uint16_t axis)
{
    return gn_dim_sym(w->k->dims, w->k->axes.at[axis].name);
}

static const gn_dim *dim_of_class(writer *w, uint32_t class)
{
    return axis_dim(w, axis_of_class(w, class));
}

static uint32_t buf_of_value(writer *w, int32_t value)
{
    void **have = gn_map_put(w->g->scratch, &w->bufs, (uint64_t)value);
    if (*have) return (uint32_t)((uintptr_t)*have - 1);
    const gn_gvalue *v = &w->g->out->values.at[value];
    const gn_type *t = v->expr->type;
    const gn_dim *shape[GN_MAX_RANK];
    for (uint32_t d = 0; d < t->n; d++) shape[d] = gn_write_dim(w, v->shape[d]);
    const uint32_t buf = gn_kernel_buf(w->k, fresh_name(w, v->name), (gn_dtype)t->dtype, t->n, shape);
    if (v->stride) {
        const gn_dim **stride = GN_NEW_ARRAY(w->k->arena, const gn_dim *, t->n);
        for (uint32_t d = 0; d < t->n; d++) stride[d] = gn_write_dim(w, v->stride[d]);
        w->k->bufs.at[buf].stride = stride;
    }
    gn_push(w->g->arena, &w->out->buf, (uint32_t)value);
    *have = (void *)(uintptr_t)(buf + 1);
    return buf;
}

uint32_t gn_write_memory(writer *w, uint32_t at, const gn_dim *const *index, const gn_dim **out)
{
    const gnode *n = &w->g->nodes.at[at];
    const gn_gvalue *v = &w->g->out->values.at[w->g->value[at]];
    for (uint32_t d = 0; d < n->rank; d++)
        out[d] = v->shape[d] == n->e->type->dim[d] ? index[d] : gn_dim_const(w->k->dims, 0);
    return buf_of_value(w, w->g->value[at]);
}

/* ---- how often a node is used ---- */

bool gn_write_loads(const writer *w, const gnode *n)
{
    return is_ready(w->g, n, w->q);
}

typedef GN_VEC(uint32_t) node_list;

/* The sum of products that is written out fuses them: its terms are no definition of their own. */
static bool is_of_products(const writer *w, const gnode *r)
{
    const gnode *body = operand(w->g, r, 0);
    return gn_group_red(r) == GN_RED_SUM && gn_is_float((gn_dtype)r->e->type->dtype) && body->kind == NODE_ELEM &&
           body->e->op == &gn_op_mul && !gn_write_loads(w, body);
}

/* Written out, a reduction uses its operand once for each point: it, or its factors, had better be definitions. */
static void push_again(const writer *w, const gnode *r, node_list *stack)
{
    const gnode *body = operand(w->g, r, 0);
    const bool products = is_of_products(w, r);
    for (uint32_t k = 0; k < (products ? body->e->nin : 1); k++)
        gn_push(w->g->scratch, stack, products ? body->in[k] : r->in[0]);
}

static void visit_uses(writer *w, uint32_t root)
{
    grouper *g = w->g;
    node_list stack = { 0 };
    gn_push(g->scratch, &stack, root);
    while (stack.n > 0) {
        const uint32_t at = gn_group_look_through(g, gn_pop(&stack));
        gn_work_done.visits++;
        const gnode *n = &g->nodes.at[at];
        if (w->node_stamp[at] == (uint32_t)w->q + 1) {
            w->count[at]++;
            continue;
        }
        w->node_stamp[at] = (uint32_t)w->q + 1, w->count[at] = 1, w->def[at] = NONE;
        if (gn_write_loads(w, n)) continue;
        for (uint32_t k = n->e->nin; k-- > 0;) gn_push(g->scratch, &stack, n->in[k]);
        if (n->inlined) push_again(w, n, &stack);
    }
}

static bool is_used_again(const writer *w, uint32_t at)
{
    return w->node_stamp[at] == (uint32_t)w->q + 1 && w->count[at] > 1;
}

/* ---- definitions ---- */

static uint32_t add_def(writer *w, const char *name, const uint16_t *param, size_t nparam, gn_red red,
                        const uint16_t *raxis, size_t nraxis, const gn_kexpr *body)
{
    return gn_kernel_def(w->k, fresh_name(w, name), nparam, param, red, nraxis, raxis, body);
}

static const gn_kexpr *light_body(writer *w, uint32_t at, const gn_dim *const *index);

/* A light node as a function of the dims that it varies along. */
static const gn_kexpr *light_def(writer *w, uint32_t at, const gn_dim *const *index)
{
    const gnode *n = &w->g->nodes.at[at];
    const gn_dim *own[GN_MAX_RANK], *args[GN_MAX_RANK];
    uint16_t param[GN_MAX_RANK];
    size_t nparam = 0;
    for (uint32_t d = 0; d < n->rank; d++) {
        own[d] = gn_dim_const(w->k->dims, 0);
        if (!(n->var >> d & 1)) continue;
        param[nparam] = axis_of_class(w, class_of(w->g, n, d));
        own[d] = axis_dim(w, param[nparam]);
        args[nparam++] = index[d];
    }
    if (w->def[at] == NONE) {
        const gn_kexpr *body = light_body(w, at, own);
        w->def[at] = (int32_t)add_def(w, n->e->op->name, param, nparam, GN_RED_NONE, NULL, 0, body);
    }
    return gn_kexpr_ref(w->k, (uint32_t)w->def[at], args);
}

/* One side of a contraction: the product of its factors, in the body's order. */
static const gn_kexpr *side_def(writer *w, const gnode *body, const heavy *h, int side, const gn_dim *const *own)
{
    const gn_kexpr *product = NULL;
    uint8_t var = 0;
    uint16_t param[GN_MAX_RANK];
    const gn_dim *args[GN_MAX_RANK], *index[GN_MAX_RANK];
    size_t nparam = 0;
    for (size_t k = 0; k < h->nfactors; k++) {
        const gnode *f = &w->g->nodes.at[h->factor[k]];
        if (h->side[k] == side && f->rank == body->rank) var |= f->var;
    }
    for (uint32_t d = 0; d < body->rank; d++) {
        index[d] = var >> d & 1 ? own[d] : gn_dim_const(w->k->dims, 0);
        if (!(var >> d & 1)) continue;
        param[nparam] = axis_of_class(w, class_of(w->g, body, d));
        args[nparam++] = own[d];
    }
    for (size_t k = 0; k < h->nfactors; k++) {
        if (h->side[k] != side) continue;
        const gn_kexpr *x = gn_write_expr(w, h->factor[k], index), *two[2] = { product, x };
        product = product ? gn_kexpr_op(w->k, body->e->op, (gn_dtype)body->e->type->dtype, two, 2) : x;
    }
    return gn_kexpr_ref(w->k, add_def(w, side ? "b" : "a", param, nparam, GN_RED_NONE, NULL, 0, product), args);
}

static const gn_kexpr *contraction_body(writer *w, const gnode *r, const gn_dim *const *own)
{
    const gnode *body = operand(w->g, r, 0);
    const heavy *h = w->g->groups.at[w->q].heavy;
    const gn_kexpr *a = side_def(w, body, h, 0, own), *two[2] = { a, side_def(w, body, h, 1, own) };
    return gn_kexpr_op(w->k, body->e->op, (gn_dtype)body->e->type->dtype, two, 2);
}

static void reduction_def(writer *w, uint32_t at)
{
    const gnode *n = &w->g->nodes.at[at], *body = operand(w->g, n, 0);
    const bool heavy_one = w->g->groups.at[w->q].contraction == (int32_t)at;
    const gn_dim *own[GN_MAX_RANK];
    uint16_t param[GN_MAX_RANK], raxis[GN_MAX_RANK];
    size_t nparam = 0, nraxis = 0;
    int8_t map[GN_MAX_RANK];
    gn_group_dims(w->g, n, 0, map);
    for (uint32_t d = 0; d < body->rank; d++) {
        const uint16_t axis = axis_of_class(w, class_of(w->g, body, d));
        own[d] = axis_dim(w, axis);
        if (map[d] != NONE) param[nparam++] = axis;
        else raxis[nraxis++] = axis;
    }
    const gn_kexpr *value = heavy_one ? contraction_body(w, n, own) : gn_write_expr(w, n->in[0], own);
    w->def[at] =
        (int32_t)add_def(w, heavy_one ? "acc" : n->e->op->name, param, nparam, gn_group_red(n), raxis, nraxis, value);
}

/* ---- expressions ---- */

static const gn_kexpr *scalar(writer *w, const gn_expr *e)
{
    const gn_ref v = gn_group_scalar(e);
    const gn_dtype t = (gn_dtype)e->type->dtype;
    return gn_is_float(t) ? gn_kexpr_const(w->k, t, (double)v.f) : gn_kexpr_int(w->k, t, v.i);
}

/* A choice by position is an `if`, which is lazy, and a mask of one bit where it asks for one position: one-hot never
 * exists. */
static const gn_kexpr *choice(writer *w, const gnode *n, const gn_dim *const *index)
{
    gn_kcond cond;
    bool negated = false;
    const gn_dtype t = (gn_dtype)n->e->type->dtype;
    const bool select = n->e->op == &gn_op_select, cast = n->e->op == &gn_op_cast;
    if (!(select || (cast && operand(w->g, n, 0)->e->type->dtype == GN_BOOL)) ||
        !gn_write_condition(w, n->in[0], index, &cond, &negated))
        return NULL;
    const gn_kexpr *yes = select ? gn_write_expr(w, n->in[1], index) : gn_kexpr_int(w->k, t, 1);
    const gn_kexpr *no = select ? gn_write_expr(w, n->in[2], index) : gn_kexpr_int(w->k, t, 0);
    return gn_kexpr_if(w->k, 1, &cond, negated ? no : yes, negated ? yes : no);
}

static const gn_kexpr *elementwise(writer *w, const gnode *n, const gn_dim *const *index)
{
    const gn_kexpr *a[8], *chosen = choice(w, n, index);
    if (chosen) return chosen;
    GN_ASSERT(n->e->nin <= 8);
    for (uint32_t k = 0; k < n->e->nin; k++) a[k] = gn_write_expr(w, n->in[k], index);
    return gn_kexpr_op(w->k, n->e->op, (gn_dtype)n->e->type->dtype, a, n->e->nin);
}

/* A computed index, kept within its axis until the call has looked at it. The last place may be none of the dtype. */
static const gn_kexpr *checked(writer *w, const gnode *n, const gn_dim *const *index)
{
    const gn_dtype t = (gn_dtype)n->e->type->dtype;
    const gn_kexpr *x = gn_write_expr(w, n->in[0], index);
    if (gn_write_is_checked(w, n)) return x;
    const gn_dim *extent = gn_write_dim(w, n->e->attr[0].dims[0]),
                 *last = gn_dim_sub(w->k->dims, extent, gn_dim_const(w->k->dims, 1));
    const int bits = 8 * (int)gn_dtypes[t].size - (gn_dtypes[t].kind == GN_KIND_UINT ? 0 : 1);
    if (bits < 63) last = gn_dim_min(w->k->dims, last, gn_dim_const(w->k->dims, ((int64_t)1 << bits) - 1));
    const gn_kexpr *two[2] = { x, gn_kexpr_index(w->k, t, last) };
    two[1] = gn_kexpr_op(w->k, &gn_op_minimum, t, two, 2);
    two[0] = gn_kexpr_int(w->k, t, 0);
    return gn_kexpr_op(w->k, &gn_op_maximum, t, two, 2);
}

/* Its operand's indices at a point of what is reduced. */
static void place_of_point(writer *w, const gnode *r, int64_t point, const gn_dim *const *index, const gn_dim **own)
{
    const gnode *body = operand(w->g, r, 0);
    int8_t map[GN_MAX_RANK];
    gn_group_dims(w->g, r, 0, map);
    for (uint32_t d = body->rank; d-- > 0;) {
        int64_t e;
        if (map[d] != NONE) own[d] = index[map[d]];
        else if (gn_dim_is_const(body->e->type->dim[d], &e)) own[d] = gn_dim_const(w->k->dims, point % e), point /= e;
    }
}

/* A reduction point by point, as a loop adds them. */
static const gn_kexpr *written_out(writer *w, const gnode *r, const gn_dim *const *index)
{
    const gnode *body = operand(w->g, r, 0);
    const gn_dtype t = (gn_dtype)r->e->type->dtype;
    const bool products = is_of_products(w, r) && !is_used_again(w, r->in[0]);
    const gn_kexpr *all = NULL;
    for (int64_t p = 0; p < gn_group_points(r); p++) {
        const gn_dim *own[GN_MAX_RANK];
        place_of_point(w, r, p, index, own);
        const gn_kexpr *a[3] = { all };
        if (!all || !products) a[all ? 1 : 0] = gn_write_expr(w, r->in[0], own);
        else a[0] = gn_write_expr(w, body->in[0], own), a[1] = gn_write_expr(w, body->in[1], own), a[2] = all;
        all = !all       ? a[0]
              : products ? gn_kexpr_op(w->k, &gn_op_fma, t, a, 3)
                         : gn_kexpr_op(w->k, gn_red_op(gn_group_red(r)), t, a, 2);
    }
    return all;
}

static const gn_kexpr *light_body(writer *w, uint32_t at, const gn_dim *const *index)
{
    const gnode *n = &w->g->nodes.at[at];
    if (n->kind == NODE_REDUCE) return written_out(w, n, index);
    if (n->kind == NODE_CHECK) return checked(w, n, index);
    return n->kind == NODE_ELEM ? elementwise(w, n, index) : gn_write_move(w, at, index);
}

const gn_kexpr *gn_write_expr(writer *w, uint32_t at, const gn_dim *const *index)
{
    const gnode *n = &w->g->nodes.at[at];
    const gn_dtype t = (gn_dtype)n->e->type->dtype;
    if (gn_write_loads(w, n) && gn_group_has_extent(n, 0)) return gn_kexpr_int(w->k, t, 0); /* never read */
    if (gn_write_loads(w, n)) {
        const gn_dim *place[GN_MAX_RANK];
        const uint32_t buf = gn_write_memory(w, at, index, place);
        return gn_kexpr_load(w->k, buf, place);
    }
    switch (n->kind) {
    case NODE_SCALAR: return scalar(w, n->e);
    case NODE_DIM: return gn_kexpr_index(w->k, t, gn_write_dim(w, gn_group_dim_of(n->e)));
    case NODE_IOTA: return gn_kexpr_index(w->k, t, index[gn_attr_of(n->e, "axis")->i]);
    case NODE_REDUCE:
        if (n->inlined) break;
        GN_ASSERT(n->group == w->q); /* what crosses groups is stored */
        if (w->def[at] == NONE) reduction_def(w, at);
        return gn_kexpr_ref(w->k, (uint32_t)w->def[at], index);
    default: GN_ASSERT(n->kind != NODE_SCATTER && n->kind != NODE_MEMORY); /* they are loaded, above */
    }
    return !is_view(n) && is_used_again(w, at) ? light_def(w, at, index) : light_body(w, at, index);
}

/* ---- stores ---- */

static struct extra_values places_of(const writer *w, uint32_t at)
{
    const struct extra_values *all = gn_map_get(&w->g->output_values, at);
    struct extra_values one = { 0 };
    if (all) return *all;
    gn_push(w->g->scratch, &one.value, w->g->value[at]);
    return one;
}

/* Dims along which a place has the elements of its own. */
static bool has_own(const writer *w, const gnode *n, int32_t value, uint32_t d)
{
    return w->g->out->values.at[value].shape[d] == n->e->type->dim[d];
}

/* The value at the given indices, into all places of the node; an index is 0 along dims of which there is one element. */
static void store_everywhere(writer *w, uint32_t at, gn_store_kind kind, const gn_dim *const *index, const gn_kexpr *value)
{
    const gnode *n = &w->g->nodes.at[at];
    const struct extra_values all = places_of(w, at);
    for (size_t i = 0; i < all.value.n; i++) {
        const gn_dim *place[GN_MAX_RANK];
        for (uint32_t d = 0; d < n->rank; d++)
            place[d] = has_own(w, n, all.value.at[i], d) ? index[d] : gn_dim_const(w->k->dims, 0);
        gn_kernel_store(w->k, kind, buf_of_value(w, all.value.at[i]), place, value);
    }
}

static void write_out(writer *w, uint32_t at)
{
    const gnode *n = &w->g->nodes.at[at];
    const gn_dim *index[GN_MAX_RANK];
    const struct extra_values all = places_of(w, at);
    for (uint32_t d = 0; d < n->rank; d++) {
        bool runs = n->var >> d & 1;
        for (size_t i = 0; i < all.value.n && !runs; i++) runs = has_own(w, n, all.value.at[i], d);
        index[d] = runs ? dim_of_class(w, class_of(w->g, n, d)) : gn_dim_const(w->k->dims, 0);
    }
    store_everywhere(w, at, GN_STORE_SET, index, gn_write_expr(w, at, index));
    gn_push(w->g->arena, &w->out->made, n->e);
}

/* A store runs over the axes that it mentions. Of the indices' n axes, from `first` on, those that neither place nor
 * value mentions add the same to the same place at each of their points: the value becomes its sum over them. */
static const gn_kexpr *repeated(writer *w, uint32_t first, uint32_t n, const gn_dim *place, const gn_kexpr *value)
{
    uint16_t param[64], raxis[GN_MAX_RANK];
    const gn_dim *args[64];
    size_t nparam = 0, nraxis = 0;
    GN_ASSERT(w->k->axes.n <= 64); /* gn_kernel_verify */
    const uint64_t mentioned = gn_kexpr_axes(w->k, value, w->g->scratch);
    for (uint16_t a = 0; a < w->k->axes.n; a++) {
        if (mentioned >> a & 1) args[nparam] = axis_dim(w, a), param[nparam++] = a;
        else if (a >= first && a < first + n && !gn_dim_mentions(place, w->k->axes.at[a].name)) raxis[nraxis++] = a;
    }
    if (nraxis == 0) return value;
    return gn_kexpr_ref(w->k, add_def(w, "sum", param, nparam, GN_RED_SUM, raxis, nraxis, value), args);
}

/* All of x, then the updates on top, in row-major order of the updates. */
static void write_scatter(writer *w, uint32_t at)
{
    const gnode *n = &w->g->nodes.at[at], *updates = operand(w->g, n, 2);
    const uint32_t axis = (uint32_t)n->e->attr[0].i, nindex = operand(w->g, n, 1)->rank;
    const gn_dim *index[GN_MAX_RANK], *from[GN_MAX_RANK];
    for (uint32_t d = 0; d < n->rank; d++) index[d] = dim_of_class(w, class_of(w->g, n, d));
    store_everywhere(w, at, GN_STORE_SET, index, gn_write_expr(w, n->in[0], index));
    /* The kept dims have the result's axes; those of the indices have axes of their own and run one after the other. */
    const uint32_t first = (uint32_t)w->k->axes.n;
    for (uint32_t d = 0; d < updates->rank; d++) {
        if (d < axis) from[d] = index[d];
        else if (d >= axis + nindex) from[d] = index[d - nindex + 1];
        else
            from[d] = axis_dim(
                w, (uint16_t)gn_kernel_axis(w->k, fresh_name(w, "e"), gn_write_dim(w, updates->e->type->dim[d])));
    }
    index[axis] = gn_write_taken(w, n, from + axis);
    const gn_kexpr *value = repeated(w, first, nindex, index[axis], gn_write_expr(w, n->in[2], from));
    store_everywhere(w, at, GN_STORE_ADD, index, value);
    gn_push(w->g->arena, &w->out->made, n->e);
}

static void count_uses(writer *w, const ggroup *q)
{
    for (size_t i = 0; i < q->members.n; i++) visit_uses(w, q->members.at[i]);
    for (size_t i = 0; i < q->outs.n; i++) visit_uses(w, q->outs.at[i]);
}

static writer *new_writer(grouper *g)
{
    writer *w = GN_NEW_OBJECT(g->scratch, writer);
    w->g = g;
    w->node_stamp = GN_NEW_ARRAY(g->scratch, uint32_t, g->nodes.n + 1);
    w->count = GN_NEW_ARRAY(g->scratch, uint32_t, g->nodes.n + 1);
    w->def = GN_NEW_ARRAY(g->scratch, int32_t, g->nodes.n + 1);
    w->class_stamp = GN_NEW_ARRAY(g->scratch, uint32_t, g->nclasses + 1);
    w->axis = GN_NEW_ARRAY(g->scratch, uint16_t, g->nclasses + 1);
    return w;
}

static void give_roles(writer *w, const ggroup *q)
{
    if (q->contraction != NONE)
        gn_role_contraction(w->k, &w->k->defs.at[w->def[q->contraction]], axis_of_class(w, q->row),
                            axis_of_class(w, q->lane));
    else if (q->spine.n > 0) gn_role_row(w->k, axis_of_class(w, q->spine.at[0]));
}

void gn_group_kernel(grouper *g, int32_t q, gn_group *out)
{
    const ggroup *group = &g->groups.at[q];
    if (!g->writer) g->writer = new_writer(g);
    writer *w = g->writer;
    w->q = q, w->out = out, w->bufs = (gn_map){ 0 };
    w->k = out->kernel = gn_kernel_new(g->arena, gn_arena_printf(g->arena, "k%zu", g->out->groups.n));
    if (group->contraction != NONE) axis_of_class(w, group->row);
    for (size_t i = 0; i < group->spine.n; i++) axis_of_class(w, group->spine.at[i]);
    if (group->contraction != NONE) axis_of_class(w, group->lane);
    count_uses(w, group);
    if (group->kind == GROUP_SCATTER) {
        write_scatter(w, group->members.at[0]);
        return;
    }
    for (size_t i = 0; i < group->members.n; i++) {
        if (w->def[group->members.at[i]] == NONE) reduction_def(w, group->members.at[i]);
        gn_push(g->arena, &out->made, g->nodes.at[group->members.at[i]].e);
    }
    for (size_t i = 0; i < group->outs.n; i++) write_out(w, group->outs.at[i]);
    give_roles(w, group);
}
