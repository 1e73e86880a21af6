/* The reference evaluator: one walk over the reachable nodes, operands first. */
#include "evaluate.h"
#include "checked.h"
#include "ops/make.h"
#include "ops/reference.h"
#include "view.h"
#include <math.h>
#include <string.h>

gn_evaluation *gn_evaluation_new(gn_arena *arena)
{
    gn_evaluation *v = GN_NEW_OBJECT(arena, gn_evaluation);
    v->arena = arena;
    return v;
}

/* ---- sizes ---- */

static bool find_size(void *user, const char *symbol, int64_t *out)
{
    const gn_evaluation *v = user;
    for (size_t i = 0; i < v->sizes.n; i++) {
        if (strcmp(v->sizes.at[i].name, symbol) == 0) return *out = v->sizes.at[i].min, true;
    }
    return false;
}

void gn_evaluation_size(gn_evaluation *v, const char *name, int64_t size)
{
    int64_t old;
    if (find_size(v, name, &old)) {
        if (old != size) gn_throw(GN_ESHAPE, "dim %s is bound to %lld and to %lld", name, (long long)old, (long long)size);
        return;
    }
    gn_push(v->arena, &v->sizes, (gn_dim_fact){ .name = name, .mul = 1, .min = size, .max = size });
}

int64_t gn_evaluation_dim(const gn_evaluation *v, const gn_dim *d)
{
    int64_t size;
    gn_evaluation *const user = (gn_evaluation *)(uintptr_t)v; /* the callback takes a plain pointer and writes nothing */
    if (gn_dim_eval(d, find_size, NULL, user, &size)) return size;
    gn_throw(GN_ESHAPE, "the extent %s overflows or names a dim that nothing binds", gn_dim_text(v->arena, d));
}

/* ---- tensors ---- */

void gn_row_major(int rank, const int64_t *shape, int64_t *stride)
{
    int64_t step = 1;
    for (int d = rank - 1; d >= 0; d--) stride[d] = step, step *= shape[d];
}

void gn_next_index(int rank, const int64_t *shape, int64_t *at)
{
    for (int d = rank - 1; d >= 0; d--) {
        if (++at[d] < shape[d]) return;
        at[d] = 0;
    }
}

static gn_tensor *tensor_new(gn_evaluation *v, const gn_type *type)
{
    gn_tensor *t = GN_NEW_OBJECT(v->arena, gn_tensor);
    t->evaluation = v, t->type = type;
    if (type->kind == GN_TYPE_TUPLE) return t;
    t->dtype = (gn_dtype)type->dtype, t->rank = type->n, t->count = 1;
    for (int d = 0; d < t->rank; d++) {
        t->shape[d] = gn_evaluation_dim(v, type->dim[d]);
        if (t->shape[d] < 0) gn_throw(GN_ESHAPE, "an extent of %lld", (long long)t->shape[d]);
        if (gn_mul_overflows(t->count, t->shape[d], &t->count)) gn_throw(GN_ENOMEM, "a size overflows");
    }
    t->at = GN_NEW_ARRAY(v->arena, gn_ref, t->count);
    for (int64_t i = 0; i < t->count; i++) t->at[i].dtype = t->dtype;
    return t;
}

void gn_tensor_store(const gn_tensor *t, void *out)
{
    for (int64_t i = 0; i < t->count; i++) gn_ref_store(t->dtype, out, i, &t->at[i]);
}

bool gn_tensor_near(const gn_tensor *t, const void *got, int64_t i, bool lenient)
{
    const gn_ref *want = &t->at[i], have = gn_ref_load(t->dtype, got, i);
    if (want->jump) return true;
    if (!gn_is_float(t->dtype)) return want->i == have.i;
    if (isinf(want->err)) return lenient || gn_ref_apart(want->f, have.f) == 0 || isfinite(want->f);
    return gn_ref_apart(want->f, have.f) <= want->err;
}

void gn_evaluation_set(gn_evaluation *v, const gn_expr *leaf, const gn_array *a)
{
    const gn_type *type = leaf->type;
    if (a->dtype != (gn_dtype)type->dtype || a->rank != type->n)
        gn_throw(GN_ESHAPE, "an array of %s and rank %d for a leaf of %s and rank %d", gn_dtype_name(a->dtype), a->rank,
                 gn_dtype_name((gn_dtype)type->dtype), type->n);
    for (int d = 0; d < a->rank; d++) {
        const gn_dim *extent = type->dim[d];
        const bool is_name = extent->n == 1 && extent->term[0].c == 1 && extent->term[0].n == 1 &&
                             extent->term[0].atom[0]->kind == GN_DIM_SYM;
        if (is_name) gn_evaluation_size(v, extent->term[0].atom[0]->name, a->shape[d]);
    }
    gn_tensor *t = tensor_new(v, type);
    int64_t at[GN_MAX_RANK] = { 0 };
    t->given = true;
    for (int d = 0; d < a->rank; d++) {
        if (t->shape[d] != a->shape[d])
            gn_throw(GN_ESHAPE, "axis %d has %lld elements, expected %lld", d, (long long)a->shape[d],
                     (long long)t->shape[d]);
    }
    for (int64_t i = 0; i < t->count; i++) {
        t->at[i] = gn_ref_load(t->dtype, a->data, gn_flat_index(t->rank, at, a->stride));
        gn_next_index(t->rank, t->shape, at);
    }
    *gn_map_put(v->arena, &v->leaves, GN_KEY(leaf)) = t;
}

/* ---- nodes ---- */

static const gn_tensor *value_of(const gn_evaluation *v, const gn_expr *e)
{
    return gn_map_get(v->values, e->id);
}

static const gn_tensor *constant(gn_evaluation *v, const gn_expr *e)
{
    gn_tensor *t = tensor_new(v, e->type);
    const void *data = gn_attr_of(e, "data")->data;
    for (int64_t i = 0; i < t->count; i++) t->at[i] = gn_ref_load(t->dtype, data, i);
    return t;
}

static const gn_tensor *size_as_value(gn_evaluation *v, const gn_expr *e)
{
    gn_tensor *t = tensor_new(v, e->type);
    t->at[0].i = gn_evaluation_dim(v, gn_attr_of(e, "size")->dims[0]);
    return t;
}

static const gn_tensor *positions(gn_evaluation *v, const gn_expr *e)
{
    gn_tensor *t = tensor_new(v, e->type);
    const int64_t axis = gn_attr_of(e, "axis")->i;
    int64_t at[GN_MAX_RANK] = { 0 };
    for (int64_t i = 0; i < t->count; i++) {
        t->at[i].i = at[axis], t->at[i].f = (long double)at[axis];
        gn_ref_finish(&t->at[i]);
        gn_next_index(t->rank, t->shape, at);
    }
    return t;
}

static const gn_tensor *leaf(gn_evaluation *v, const gn_expr *e)
{
    const gn_tensor *given = gn_map_get(&v->leaves, GN_KEY(e));
    if (given) return given;
    if (e->op == &gn_op_constant) return constant(v, e);
    if (e->op == &gn_op_dim) return size_as_value(v, e);
    if (e->op == &gn_op_iota) return positions(v, e);
    if (e->op == &gn_op_param && v->params) return v->params[gn_attr_of(e, "index")->i];
    gn_throw(GN_EINVAL, "no value was given for a leaf of kind %s", e->op->name);
}

static void elementwise(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e)
{
    gn_ref operand[4];
    for (int64_t i = 0; i < out->count; i++) {
        gn_ref *const o = &out->at[i];
        for (uint32_t k = 0; k < e->nin; k++) operand[k] = in[k]->at[i], o->jump |= operand[k].jump;
        e->op->eval(o, operand, e);
        gn_ref_finish(o);
    }
}

static const gn_tensor *evaluate_all(gn_evaluation *, gn_expr *const *roots, size_t n);

/* A composite: its body with our operands as parameters, in a map of its own. */
static const gn_tensor *composite(gn_evaluation *v, const gn_expr *e, const gn_tensor *const *in)
{
    gn_graph *const g = gn_graph_in(e);
    const gn_type **types = GN_NEW_ARRAY(v->arena, const gn_type *, e->nin + 1);
    gn_map *const outer = v->values, inner = { 0 };
    const gn_tensor *const *const params = v->params;
    for (uint32_t k = 0; k < e->nin; k++) types[k] = e->in[k]->type;
    const gn_region *body = e->op->expand(g, types, e->nin, e->attr);
    gn_map mine = inner;
    v->values = &mine, v->params = in;
    const gn_tensor *result = evaluate_all(v, body->out, body->nout);
    v->values = outer, v->params = params;
    if (e->type->kind != GN_TYPE_TUPLE) return result->elem[0];
    return result;
}

static const gn_tensor *node(gn_evaluation *v, const gn_expr *e)
{
    const gn_tensor **in = GN_NEW_ARRAY(v->arena, const gn_tensor *, e->nin + 1);
    for (uint32_t k = 0; k < e->nin; k++) in[k] = value_of(v, e->in[k]);
    if (e->op == &gn_op_proj) return in[0]->elem[gn_attr_of(e, "index")->i];
    if (e->op->expand && !e->op->eval_whole) return composite(v, e, in);
    if (e->op->traits & GN_LEAF) return leaf(v, e);
    gn_tensor *out = tensor_new(v, e->type);
    out->given = e->nin == 1 && in[0]->given && (e->op->traits & GN_VIEW_OP || e->op == &gn_op_cast);
    if (e->op == &gn_op_tuple) {
        out->nelem = e->nin, out->elem = in;
    } else if (e->op->eval) {
        elementwise(out, in, e);
    } else {
        e->op->eval_whole(out, in, e, v->arena);
        for (int64_t i = 0; i < out->count; i++) gn_ref_finish(&out->at[i]);
    }
    return out;
}

static void check_constraints(gn_evaluation *v, const gn_expr *e)
{
    const gn_constraints list = gn_constraints_of(e);
    for (size_t i = 0; i < list.n; i++) {
        const gn_constraint *c = &list.at[i];
        const int64_t a = gn_evaluation_dim(v, c->a), b = gn_evaluation_dim(v, c->b);
        if (a == b) continue;
        const gn_dim *least;
        const char *const file = c->loc.file ? c->loc.file : "?";
        if (gn_constraint_is_bound(c->a, c->b, &least))
            gn_throw(GN_ESHAPE, "%s:%d: %s is %lld, at least %lld is needed", file, c->loc.line, c->text, (long long)b,
                     (long long)a);
        gn_throw(GN_ESHAPE, "%s:%d: %s: %lld and %lld", file, c->loc.line, c->text, (long long)a, (long long)b);
    }
}

static bool is_needed(void *user, const void *node)
{
    const gn_evaluation *const v = user;
    const gn_expr *const e = node;
    if (gn_is_error(e)) gn_throw(GN_EINVAL, "an expression that failed to build");
    return !gn_map_get(v->values, e->id);
}

/* Evaluates what the roots need, operands first; returns their values as a tuple. */
static const gn_tensor *evaluate_all(gn_evaluation *v, gn_expr *const *roots, size_t n)
{
    gn_visit needed = { .arena = v->arena, .operand = gn_expr_operand, .enter = is_needed, .user = v };
    for (size_t i = 0; i < n; i++) {
        gn_visit_add(&needed, roots[i]);
        for (const gn_expr *e; (e = gn_visit_next(&needed));) {
            check_constraints(v, e);
            const gn_tensor *t = node(v, e);
            *gn_map_put(v->arena, v->values, e->id) = (void *)(uintptr_t)t;
        }
    }
    gn_tensor *all = GN_NEW_OBJECT(v->arena, gn_tensor);
    all->evaluation = v, all->nelem = n, all->elem = GN_NEW_ARRAY(v->arena, const gn_tensor *, n + 1);
    for (size_t i = 0; i < n; i++) all->elem[i] = value_of(v, roots[i]);
    return all;
}

const gn_tensor *gn_evaluate(gn_evaluation *v, gn_expr *e)
{
    if (!v->values) v->values = GN_NEW_OBJECT(v->arena, gn_map);
    return evaluate_all(v, &e, 1)->elem[0];
}
