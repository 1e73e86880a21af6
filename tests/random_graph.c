#include "random_graph.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "testlib.h"
#include "view.h"

typedef struct maker {
    random_graph *r;
    uint64_t rng;
} maker;

static uint32_t below(maker *m, uint32_t n)
{
    return (uint32_t)(test_random(&m->rng) % n);
}

/* ---- inputs ---- */

static const char *const extents[] = { "n", "m", "1", "2", "3", "5", "8", "17", "n", "0", "33" };

static int64_t size_of(const random_graph *r, const char *extent)
{
    return strcmp(extent, "n") == 0 ? r->n : strcmp(extent, "m") == 0 ? r->m : atoi(extent);
}

static void fill(maker *m, gn_array *a)
{
    const int64_t n = gn_array_count(a);
    const bool wide = a->dtype != GN_U64 || below(m, 3) == 0; /* large ones leave floats few digits */
    for (int64_t i = 0; i < n; i++) {
        const double u = test_uniform(&m->rng, -2, 2);
        const uint32_t shift = !wide ? 60 : a->dtype == GN_U64 ? below(m, 64) : 0;
        switch (a->dtype) {
        case GN_F32: ((float *)a->data)[i] = (float)u; break;
        case GN_F64: ((double *)a->data)[i] = u; break;
        case GN_I32: ((int32_t *)a->data)[i] = (int32_t)below(m, 7) - 3; break;
        case GN_I64:
            ((int64_t *)a->data)[i] = below(m, 40) ? (int64_t)below(m, 9) - 4 : below(m, 2) ? INT64_MAX : INT64_MIN;
            break;
        case GN_U64: ((uint64_t *)a->data)[i] = test_random(&m->rng) >> shift; break;
        case GN_U32: ((uint32_t *)a->data)[i] = (uint32_t)test_random(&m->rng); break;
        case GN_I16:
        case GN_U16: ((uint16_t *)a->data)[i] = (uint16_t)test_random(&m->rng); break;
        case GN_I8:
        case GN_U8: ((uint8_t *)a->data)[i] = (uint8_t)test_random(&m->rng); break;
        default: ((uint8_t *)a->data)[i] = below(m, 2) != 0; break;
        }
    }
}

static gn_expr *add_input(maker *m, gn_dtype dtype, int rank, const char *const *extent)
{
    random_graph *r = m->r;
    char shape[128] = "", name[16];
    int64_t size[GN_MAX_RANK], count = 1;
    for (int d = 0; d < rank; d++) {
        strcat(strcat(shape, d ? ", " : ""), extent[d]);
        count *= size[d] = size_of(r, extent[d]);
    }
    snprintf(name, sizeof name, "x%zu", r->ninputs);
    gn_expr *x = gn_input(r->g, name, dtype, "%s", rank ? shape : "()");
    gn_array a = gn_array_of(calloc((size_t)(count ? count : 1), gn_dtype_size(dtype)), dtype, rank, size);
    fill(m, &a);
    r->value[r->ninputs] = a;
    r->input[r->ninputs++] = x;
    return x;
}

static gn_dtype some_dtype(maker *m)
{
    static const gn_dtype often[] = { GN_F32, GN_F32, GN_F32, GN_F64, GN_I32, GN_I64, GN_U32, GN_BOOL },
                          seldom[] = { GN_U64, GN_U16, GN_U8, GN_I16, GN_I8 };
    return below(m, 5) ? often[below(m, 8)] : seldom[below(m, 5)];
}

static void add_inputs(maker *m)
{
    const int n = 3 + (int)below(m, 4);
    /* both named dims are bound by something */
    m->r->pool[m->r->npool++] = add_input(m, GN_F32, 2, (const char *const[]){ "n", "m" });
    for (int i = 0; i < n; i++) {
        const char *extent[4];
        const int rank = (int)below(m, 4);
        for (int d = 0; d < rank; d++) extent[d] = extents[below(m, below(m, 8) ? 9 : sizeof extents / sizeof *extents)];
        m->r->pool[m->r->npool++] = add_input(m, some_dtype(m), rank, extent);
    }
}

/* ---- one random node ---- */

static gn_expr *pick(maker *m)
{
    const uint32_t n = (uint32_t)m->r->npool;
    return m->r->pool[below(m, 3) ? n - 1 - below(m, n < 5 ? n : 5) : below(m, n)];
}

static gn_expr *pick_float(maker *m)
{
    for (int i = 0; i < 8; i++) {
        gn_expr *e = pick(m);
        if (gn_is_float(gn_dtype_of(e))) return e;
    }
    return m->r->pool[0];
}

static gn_expr *same_shape_or(maker *m, gn_expr *x)
{
    for (int i = 0; i < 20; i++) {
        gn_expr *e = m->r->pool[below(m, (uint32_t)m->r->npool)];
        if (e->type->n != x->type->n) continue;
        bool same = true;
        for (int d = 0; d < x->type->n; d++) same &= e->type->dim[d] == x->type->dim[d];
        if (same && e != x) return e;
    }
    return pick(m);
}

static gn_expr *unary(maker *m)
{
    gn_expr *x = pick_float(m);
    switch (below(m, 29)) {
    case 0: return gn_neg(x);
    case 1: return gn_abs(x);
    case 2: return gn_sign(x);
    case 3: return gn_floor(x);
    case 4: return gn_sqrt(gn_abs(x));
    case 5: return gn_exp(gn_clip(x, -8.0, 8.0));
    case 6: return gn_expm1(gn_clip(x, -8.0, 8.0));
    case 7: return gn_log(gn_add(gn_abs(x), 0.5));
    case 8: return gn_log1p(gn_abs(x));
    case 9: return gn_sin(x);
    case 10: return gn_cos(x);
    case 11: return gn_tanh(x);
    case 12: return gn_sigmoid(x);
    case 13: return gn_softplus(x);
    case 14: return gn_erf(x);
    case 15: return gn_rsqrt(gn_add(gn_square(x), 1.0));
    case 16: return gn_relu(x);
    case 17: return gn_gelu(x);
    case 18: return gn_silu(x);
    case 19: return gn_leaky_relu(x, 0.1);
    case 20: return gn_square(x);
    case 21: return gn_round(x);
    case 22: return gn_trunc(x);
    case 23: return gn_atanh(gn_clip(x, -0.9, 0.9));
    case 24: return gn_erfc(x);
    case 25: return gn_log1mexp(gn_neg(gn_add(gn_abs(x), 0.125)));
    case 26: return gn_stop_gradient(x);
    case 27: return gn_add(x, gn_normal(m->r->g, "noise", (int64_t)m->r->g->nodes.n, GN_F32, "m"));
    default: return gn_neg(pick(m));
    }
}

/* 3 to 6 functions, one of the other, in f32 or f64: what compilers' searches through operands grow with. */
static gn_expr *chain(maker *m)
{
    gn_expr *x = pick_float(m);
    if (below(m, 2)) x = gn_cast(x, GN_F64);
    for (uint32_t left = 3 + below(m, 4); left > 0; left--) switch (below(m, 12)) {
        case 0: x = gn_exp(gn_clip(x, -3.0, 3.0)); break;
        case 1: x = gn_log(gn_add(gn_abs(x), 0.5)); break;
        case 2:
        case 3: x = gn_pow(gn_add(gn_abs(x), 0.5), 1.5); break;
        case 4:
        case 5: x = gn_erfc(x); break;
        case 6: x = gn_tanh(x); break;
        case 7: x = gn_sigmoid(x); break;
        case 8: x = gn_expm1(gn_clip(x, -3.0, 3.0)); break;
        case 9: x = gn_log1p(gn_abs(x)); break;
        case 10: x = gn_sin(x); break;
        default: x = gn_erf(x); break;
        }
    return x;
}

static gn_expr *binary(maker *m)
{
    gn_expr *a = pick(m), *b = below(m, 4) ? same_shape_or(m, a) : pick(m);
    switch (below(m, 11)) {
    case 0:
    case 1: return gn_add(a, b);
    case 2: return gn_sub(a, b);
    case 3:
    case 4: return gn_mul(a, b);
    case 5: return gn_div(a, gn_add(gn_abs(gn_cast(b, GN_F32)), 1.0));
    case 6: return gn_maximum(a, b);
    case 7: return gn_minimum(a, b);
    case 8: return gn_pow(gn_add(gn_abs(pick_float(m)), 0.5), 1.5);
    case 9: return gn_log_add_exp(gn_cast(a, GN_F32), gn_cast(b, GN_F32));
    default: return below(m, 2) ? gn_floordiv(a, b) : gn_mod(a, b);
    }
}

static gn_expr *truth(maker *m)
{
    gn_expr *a = pick(m), *b = same_shape_or(m, a);
    switch (below(m, 10)) {
    case 0: return gn_lt(a, b);
    case 1: return gn_le(a, b);
    case 2: return gn_gt(a, b);
    case 3: return gn_ge(a, b);
    case 4: return gn_eq(a, b);
    case 5: return gn_ne(a, b);
    case 6: return gn_logical_and(gn_cast(a, GN_BOOL), gn_cast(b, GN_BOOL));
    case 7: return gn_logical_or(gn_cast(a, GN_BOOL), gn_logical_not(gn_cast(b, GN_BOOL)));
    case 8: return gn_logical_xor(gn_cast(a, GN_BOOL), gn_cast(b, GN_BOOL));
    default: return gn_select(gn_lt(a, b), a, b);
    }
}

static gn_expr *reduction(maker *m)
{
    gn_expr *x = pick(m);
    const int rank = gn_rank_of(x), axis = rank ? (int)below(m, (uint32_t)rank) : 0;
    switch (below(m, 11)) {
    case 0:
    case 1: return gn_sum(x, GN_AXES(axis));
    case 2: return gn_max(x, GN_AXES(axis));
    case 3: return gn_min(x, GN_AXES(axis));
    case 4: return gn_mean(x, GN_AXES(axis));
    case 5: return gn_sum_all(x);
    case 6: return gn_prod(gn_tanh(gn_cast(x, GN_F32)), GN_AXES(axis));
    case 7: return gn_any(gn_cast(x, GN_BOOL), GN_AXES(axis));
    case 8: return gn_all(gn_cast(x, GN_BOOL), GN_AXES(axis));
    case 9: return below(m, 2) ? gn_argmax(x, axis) : gn_argmin(x, axis);
    default: return gn_var(gn_cast(x, GN_F32), GN_AXES(axis));
    }
}

static gn_expr *movement(maker *m)
{
    gn_expr *x = pick(m), *y = same_shape_or(m, x);
    const int rank = gn_rank_of(x), axis = rank ? (int)below(m, (uint32_t)rank) : 0;
    switch (below(m, 11)) {
    case 0: return gn_reshape(x, "-1");
    case 1: return gn_transpose(x);
    case 2: return gn_slice(x, "::2");
    case 3: return gn_pad(x, 0.0, "1:2");
    case 4: return gn_flip(x, GN_AXES(axis));
    case 5: return gn_concat(GN_EXPRS(x, y), axis);
    case 6: return gn_stack(GN_EXPRS(x, y), 0);
    case 7: return gn_expand(x, GN_AXES(0));
    case 8: return gn_broadcast_to(gn_sum_all(x), "n, 3");
    case 9: return rank > 1 ? gn_permute(x, rank == 2 ? GN_AXES(1, 0) : GN_AXES(2, 0, 1)) : gn_slice(x, "::-1");
    default: return gn_slice(x, "0");
    }
}

static gn_expr *contraction(maker *m)
{
    gn_expr *a = pick_float(m), *b = pick_float(m);
    switch (below(m, 4)) {
    case 0: return gn_matmul(a, gn_transpose(b));
    case 1: return gn_matmul(gn_transpose(a), a);
    case 2: return gn_einsum("ij,kj->ik", a, b);
    default: return gn_matmul(a, b);
    }
}

static gn_expr *indexed(maker *m)
{
    gn_expr *x = pick(m), *i = gn_cast(gn_clip(gn_cast(pick(m), GN_I32), 0, 1), GN_I32);
    switch (below(m, 4)) {
    case 0: return gn_take(gn_stack(GN_EXPRS(x, x), 0), i, 0);
    case 1: return gn_add(gn_cast(x, GN_F32), gn_cast(gn_dim(m->r->pool[0], 0), GN_F32));
    case 2: return gn_mul(gn_iota(m->r->g, GN_I32, 0, "n, m"), x);
    default:
        return gn_scatter_add(gn_full(m->r->g, GN_F32, 0.5, "2, m"),
                              gn_cast(gn_slice(gn_clip(gn_cast(m->r->pool[0], GN_I32), 0, 1), ":, 0"), GN_I32),
                              m->r->pool[0], 0);
    }
}

static gn_expr *bits(maker *m)
{
    gn_expr *from = pick(m), *like = same_shape_or(m, from);
    const gn_dtype t = gn_is_int(gn_dtype_of(from))   ? gn_dtype_of(from)
                       : gn_is_int(gn_dtype_of(like)) ? gn_dtype_of(like)
                                                      : GN_U32;
    gn_expr *x = gn_cast(from, t), *y = gn_cast(like, t);
    switch (below(m, 6)) {
    case 0: return gn_bit_and(x, y);
    case 1: return gn_bit_or(x, y);
    case 2: return gn_bit_xor(x, y);
    case 3: return gn_bit_not(x);
    case 4: return gn_shl(x, 3);
    default: return gn_shr(x, 2);
    }
}

static gn_expr *composite(maker *m)
{
    gn_expr *x = pick_float(m);
    switch (below(m, 7)) {
    case 0: return gn_softmax(x, -1);
    case 1: return gn_log_softmax(x, -1);
    case 2: return gn_log_sum_exp(x, -1);
    case 3: return gn_rank_of(x) == 2 ? gn_layer_norm(x, gn_mean(x, GN_AXES(0)), gn_sum(x, GN_AXES(0)), 1e-3) : x;
    case 4: return gn_cross_entropy(gn_stack(GN_EXPRS(x, x), gn_rank_of(x)), gn_cast(gn_gt(x, 0.0), GN_I32));
    case 5: return gn_dropout(x, 0.3, "drop", (int64_t)gn_graph_of(x)->nodes.n /* once each: equal masks are an error */);
    default: return gn_one_hot(gn_cast(gn_clip(gn_cast(x, GN_I32), 0, 3), GN_I32), GN_F32, "4");
    }
}

static gn_expr *cast(maker *m)
{
    return gn_cast(pick(m), some_dtype(m));
}

/* ---- the same again and again ---- */

static gn_expr *piece_of(maker *m, gn_expr *x, int axis)
{
    static const char *const cuts[] = { ":", "::2", "0:0", "::-1", ":1", "1:", "-1:", "2:5" };
    char text[64] = "";
    int64_t extent = 0;
    gn_dim_is_const(x->type->dim[axis], &extent);
    for (int d = 0; d < axis; d++) strcat(text, ":, ");
    return gn_slice(x, "%s", strcat(text, cuts[below(m, extent >= 5 ? 8 : 4)]));
}

/* Up to 300 parts: pieces of one value, computed or not, some of them twice, with the whole so far as one of them. */
static gn_expr *many_parts(maker *m)
{
    gn_expr *x = pick(m), *part[300] = { x };
    const int rank = gn_rank_of(x), axis = rank ? (int)below(m, (uint32_t)rank) : 0;
    size_t n = 1;
    const size_t want = below(m, 8) ? 2 + below(m, 20) : 100 + below(m, 200);
    while (rank && n < want) {
        gn_expr *y = below(m, 3) ? piece_of(m, x, axis) : part[below(m, (uint32_t)n)];
        if (below(m, 4) == 0) y = gn_neg(y);
        else if (below(m, 6) == 0 && gn_is_float(gn_dtype_of(y))) y = gn_sin(y);
        if (n == 7) y = gn_concat(((gn_exprs){ n, part }), axis);
        part[n++] = y;
    }
    if (below(m, 4)) return gn_concat(((gn_exprs){ n, part }), axis);
    return gn_stack(GN_EXPRS(x, gn_neg(x), x, gn_abs(x), x, gn_sign(x)), (int)below(m, (uint32_t)rank + 1));
}

/* What a matrix may be reshaped to once it is turned: as many elements, whatever the sizes. */
static const char *turned_shape(const gn_expr *x)
{
    if (gn_rank_of(x) != 2) return NULL;
    if (gn_dim_is_const(x->type->dim[0], NULL)) return "-1, 3";
    gn_dim_pool *p = &gn_graph_of((gn_expr *)x)->dims;
    const gn_dim *n = gn_dim_sym(p, "n"), *m = gn_dim_sym(p, "m");
    return gn_dim_mul(p, x->type->dim[0], x->type->dim[1]) == gn_dim_mul(p, n, m) ? "n, m" : NULL;
}

static gn_expr *repeated(maker *m)
{
    gn_expr *x = pick_float(m);
    const int steps = 2 + (int)below(m, 12);
    const uint32_t kind = below(m, 5);
    if (kind >= 3) return many_parts(m);
    for (int i = 0; i < steps; i++) {
        if (kind == 0) x = gn_add(x, gn_mul(gn_sin(x), 0.5));
        else if (kind == 1 && turned_shape(x)) x = gn_reshape(gn_transpose(x), turned_shape(x));
        else x = gn_mul(gn_add(gn_slice(gn_pad(x, 0.0, "1:1"), ":-2"), gn_slice(gn_pad(x, 0.0, "1:1"), "2:")), 0.5);
    }
    return x;
}

#include "random_shapes.h"

static bool size_value(void *user, const char *name, int64_t *out)
{
    const random_graph *r = user;
    *out = strcmp(name, "n") == 0 ? r->n : r->m;
    return true;
}

/* Sizes of everything under a graph stay small: a product of many extents is refused. */
static bool small_enough(random_graph *r, const gn_expr *e)
{
    int64_t count = 1, extent;
    for (int d = 0; d < e->type->n; d++) {
        if (!gn_dim_eval(e->type->dim[d], size_value, NULL, r, &extent) || extent < 0 || extent > 6000) return false;
        count *= extent;
        if (count > 6000) return false;
    }
    return e->type->n <= 5;
}

/* Extents that were taken to be equal are equal for the sizes of this graph. */
static bool constraints_hold(random_graph *r, gn_expr *e)
{
    gn_arena a = { 0 };
    const gn_expr_list nodes = gn_reachable(&a, 1, &e);
    bool hold = true;
    for (size_t i = 0; i < nodes.n; i++) {
        const gn_constraints c = gn_constraints_of(nodes.at[i]);
        for (size_t k = 0; k < c.n; k++) {
            int64_t x = 0, y = 1;
            hold &= gn_dim_eval(c.at[k].a, size_value, NULL, r, &x) &&
                    gn_dim_eval(c.at[k].b, size_value, NULL, r, &y) && x == y;
        }
    }
    gn_arena_free(&a);
    return hold;
}

static void add_node(maker *m, gn_expr *(*kind)(maker *))
{
    gn_expr *e = kind(m);
    if (gn_graph_check(m->r->g) || e->type->kind != GN_TYPE_TENSOR || !small_enough(m->r, e) ||
        !constraints_hold(m->r, e))
        return;
    for (size_t i = 0; i < m->r->npool; i++)
        if (m->r->pool[i] == e) return;
    m->r->pool[m->r->npool++] = e;
}

static void add_any(maker *m)
{
    static gn_expr *(*const kinds[])(maker *) = { unary,     unary,     unary,    binary,   binary,      binary,  truth,
                                                  reduction, reduction, movement, movement, contraction, indexed, bits,
                                                  composite, cast,      repeated, repeated, hard,        gradient };
    add_node(m, kinds[below(m, sizeof kinds / sizeof *kinds)]);
}

void random_graph_make_in(random_graph *r, gn_context *context, uint64_t seed)
{
    static const int64_t sizes[] = { 1, 3, 4, 7, 16, 19, 0 };
    maker m = { r, seed };
    memset(r, 0, sizeof *r);
    r->context = context;
    r->g = gn_graph_new(context);
    r->n = sizes[below(&m, below(&m, 6) ? 6 : 7)], r->m = sizes[below(&m, 6)];
    add_inputs(&m);
    const size_t want = r->npool + 2 + below(&m, 22);
    for (int tries = 0; tries < 400 && r->npool < want; tries++) add_any(&m);
    if (seed % 8 == 5 && r->npool < RANDOM_MAX_NODES) add_node(&m, chain);
    for (size_t i = r->npool; i-- > 0 && r->noutputs < 1 + seed % RANDOM_MAX_OUTPUTS;)
        r->output[r->noutputs++] = r->pool[i];
}

void random_graph_make(random_graph *r, uint64_t seed)
{
    random_graph_make_in(r, NULL, seed);
}

void random_graph_free(random_graph *r)
{
    for (size_t i = 0; i < r->ninputs; i++) free(r->value[i].data);
    gn_graph_free(r->g);
}

void random_graph_count(const random_graph *r, random_counts *c)
{
    gn_arena a = { 0 };
    const gn_expr_list nodes = gn_reachable(&a, r->noutputs, r->output);
    for (size_t i = 0; i < nodes.n; i++) {
        const gn_expr *e = nodes.at[i];
        if (e->type->kind != GN_TYPE_TENSOR) continue;
        c->dtype[e->type->dtype]++;
        c->rank[e->type->n < 5 ? e->type->n : 5]++;
        for (int d = 0; d < e->type->n; d++) (gn_dim_is_const(e->type->dim[d], NULL) ? c->constant++ : c->named++);
        size_t o = 0;
        while (o < c->nops && strcmp(c->op[o].op, e->op->name) != 0) o++;
        if (o == c->nops) c->op[c->nops++].op = e->op->name;
        c->op[o].n++;
    }
    gn_arena_free(&a);
}

/* ---- comparing ---- */

typedef struct check {
    size_t ninputs, noutputs;
    gn_expr *const *input, *const *output;
    const gn_array *value;
    gn_graph *g;
    random_run run;
    void *user;
    int64_t jumps, elements;
    char *what;
    int differs;
    gn_arena arena;
} check;

static void compare(check *c, const gn_tensor *want, const void *got, size_t output)
{
    for (int64_t i = 0; i < want->count; i++) {
        c->elements++;
        c->jumps += want->at[i].jump;
        if (gn_tensor_near(want, got, i, true)) continue;
        if (c->differs++) continue;
        const gn_ref *r = &want->at[i];
        double is = want->dtype == GN_F32   ? (double)((const float *)got)[i]
                    : want->dtype == GN_F64 ? ((const double *)got)[i]
                                            : 0;
        int64_t whole = want->dtype == GN_I64             ? ((const int64_t *)got)[i]
                        : gn_dtype_size(want->dtype) == 4 ? ((const int32_t *)got)[i]
                                                          : ((const uint8_t *)got)[i];
        snprintf(c->what, 512,
                 "output %zu element %" PRId64 " of %s: got %.9g (%" PRId64 "), expected %.9Lg (%" PRId64
                 ") within %.3Lg",
                 output, i, gn_type_text(c->output[output]), is, gn_is_float(want->dtype) ? 0 : whole, r->f,
                 gn_is_float(want->dtype) ? 0 : r->i, r->err);
    }
}

/* The same shape in memory of its own, every second element, the first axis backwards, perhaps off its alignment. */
static gn_array strided(gn_arena *arena, const gn_array *a, bool aligned)
{
    const size_t size = gn_dtype_size(a->dtype);
    const int64_t n = gn_array_count(a);
    gn_array v = *a;
    if (a->rank == 0 || n == 0) return v;
    v.data = (char *)gn_arena_alloc(arena, (size_t)(2 * n + 1) * size, 64) + (aligned ? 0 : size / 2);
    for (int d = 0; d < a->rank; d++) v.stride[d] *= 2;
    v.data = (char *)v.data + (a->shape[0] - 1) * v.stride[0] * (int64_t)size;
    v.stride[0] = -v.stride[0];
    return v;
}

/* Every third array is a view, so that the graph that is left of a failing one has some, too. */
void random_run_compiled(void *user, gn_graph *g, gn_exprs in, const gn_array *values, gn_exprs out, gn_array *results)
{
    (void)user;
    gn_func *f = NULL;
    gn_arena arena = { 0 };
    gn_array *const given = GN_NEW_ARRAY(&arena, gn_array, in.n + 1), *const taken =
                                                                          GN_NEW_ARRAY(&arena, gn_array, out.n + 1);
    for (size_t i = 0; i < in.n; i++) {
        given[i] = i % 3 == 1 ? strided(&arena, &values[i], i % 2) : values[i];
        if (given[i].data != values[i].data) gn_array_copy(&given[i], &values[i]);
    }
    for (size_t i = 0; i < out.n; i++) taken[i] = (i + in.n) % 3 == 1 ? strided(&arena, &results[i], i % 2) : results[i];
    gn_status s = gn_compile(&f, g, .in = in, .out = out);
    if (!s) s = gn_call(f, (gn_arrays){ in.n, given }, (gn_arrays){ out.n, taken });
    for (size_t i = 0; i < out.n && !s; i++)
        if (taken[i].data != results[i].data) gn_array_copy(&results[i], &taken[i]);
    gn_func_free(f);
    gn_arena_free(&arena);
    gn_check(s);
}

static void run_check(void *user)
{
    check *c = user;
    gn_evaluation *v = gn_evaluation_new(&c->arena);
    const gn_tensor *want[RANDOM_MAX_OUTPUTS];
    gn_array out[RANDOM_MAX_OUTPUTS];
    for (size_t i = 0; i < c->ninputs; i++) gn_evaluation_set(v, c->input[i], &c->value[i]);
    for (size_t i = 0; i < c->noutputs; i++) {
        want[i] = gn_evaluate(v, c->output[i]);
        out[i] = gn_array_of(gn_arena_alloc(&c->arena, (size_t)(want[i]->count + 1) * 8, 64), want[i]->dtype,
                             want[i]->rank, want[i]->shape);
    }
    c->run(c->user, c->g, (gn_exprs){ c->ninputs, c->input }, c->value, (gn_exprs){ c->noutputs, c->output }, out);
    for (size_t i = 0; i < c->noutputs; i++) compare(c, want[i], out[i].data, i);
}

int random_graph_check(const random_graph *r, random_run run, void *user, int64_t *jumps, int64_t *elements, char *what)
{
    check c = { .ninputs = r->ninputs,
                .noutputs = r->noutputs,
                .input = r->input,
                .output = r->output,
                .value = r->value,
                .g = r->g,
                .run = run,
                .user = user,
                .what = what };
    const gn_status s = gn_protect(run_check, &c);
    gn_arena_free(&c.arena);
    *jumps += c.jumps, *elements += c.elements;
    return s ? s : c.differs != 0;
}

/* ---- shrinking: the cone of a failing node, with inputs in place of what is right ---- */

typedef struct cone {
    const random_graph *r;
    random_run run;
    void *user;
    gn_evaluation *v;            /* values of all nodes of the original */
    gn_arena arena;
    gn_expr_list nodes;          /* of the output, operands first */
    bool *cut;                   /* per position: stands as an input */
    gn_expr *root;
    char *text;
    size_t size;
    int failed, wanted;          /* as random_graph_check says it */
    bool keep_text;
} cone;

static gn_expr *copy_node(cone *k, gn_graph *g, const gn_expr *e, gn_expr *const *in)
{
    gn_attr attr[8];
    for (uint32_t i = 0; i < e->op->nattr; i++) {
        attr[i] = e->attr[i];
        if (attr[i].kind == GN_ATTR_NAME) attr[i].name = gn_symbol(&g->arena, &g->symbols, attr[i].name);
        if (attr[i].kind != GN_ATTR_DIMS) continue;
        const gn_dim **d = GN_NEW_ARRAY(&k->arena, const gn_dim *, attr[i].n);
        for (uint32_t j = 0; j < attr[i].n; j++) d[j] = gn_dim_import(&g->dims, attr[i].dims[j]);
        attr[i].dims = d;
    }
    if (strcmp(e->op->name, "constant") == 0) {
        const gn_dim *d[GN_MAX_RANK];
        for (int j = 0; j < e->type->n; j++) d[j] = gn_dim_import(&g->dims, e->type->dim[j]);
        return gn_constant_node(g, gn_type_tensor(g, (gn_dtype)e->type->dtype, e->type->n, d), attr[0].data, attr[0].n);
    }
    return gn_node(g, e->op, in, e->nin, attr);
}

static void try_cone(void *user)
{
    cone *k = user;
    gn_graph *g = gn_graph_new(k->r->context);
    gn_map made = { 0 };
    gn_expr *input[256];
    gn_array value[256];
    size_t ninputs = 0;
    k->size = 0;
    for (size_t i = 0; i < k->nodes.n && ninputs < 256; i++) {
        const gn_expr *e = k->nodes.at[i];
        gn_expr *copy;
        if (k->cut[i]) {
            const gn_dim *d[GN_MAX_RANK];
            char name[16];
            for (int j = 0; j < e->type->n; j++) d[j] = gn_dim_import(&g->dims, e->type->dim[j]);
            snprintf(name, sizeof name, "v%u", (unsigned)i);
            copy = gn_input_node(g, gn_symbol(&g->arena, &g->symbols, name),
                                 gn_type_tensor(g, (gn_dtype)e->type->dtype, e->type->n, d));
            const gn_tensor *t = gn_evaluate(k->v, (gn_expr *)e);
            value[ninputs] =
                gn_array_of(gn_arena_alloc(&k->arena, (size_t)(t->count + 1) * 8, 64), t->dtype, t->rank, t->shape);
            gn_tensor_store(t, value[ninputs].data);
            input[ninputs++] = copy;
        } else {
            gn_expr *in[64];
            for (uint32_t j = 0; j < e->nin; j++) in[j] = gn_map_get(&made, GN_KEY(e->in[j]));
            copy = copy_node(k, g, e, in);
            k->size++;
        }
        *gn_map_put(&k->arena, &made, GN_KEY(e)) = copy;
    }
    gn_expr *out = gn_map_get(&made, GN_KEY(k->root));
    char what[512];
    check c = { .ninputs = ninputs, .noutputs = 1, .input = input, .output = &out, .value = value, .g = g,
                .run = k->run, .user = k->user, .what = what };
    k->failed = gn_protect(run_check, &c);
    if (!k->failed) k->failed = c.differs != 0;
    gn_arena_free(&c.arena);
    if (k->keep_text) k->text = gn_graph_print(g, (gn_exprs){ 1, &out });
    gn_graph_free(g);
}

static bool still_fails(cone *k)
{
    return gn_protect(try_cone, k) == GN_OK && k->failed == k->wanted;
}

/* Nodes that no uncut node needs any more do not count: cutting a node drops what stands below it alone. */
static void drop_unneeded(cone *k)
{
    gn_map position = { 0 };
    for (size_t i = 0; i < k->nodes.n; i++)
        *gn_map_put(&k->arena, &position, GN_KEY(k->nodes.at[i])) = (void *)(uintptr_t)(i + 1);
    bool *needed = GN_NEW_ARRAY(&k->arena, bool, k->nodes.n), *cut = GN_NEW_ARRAY(&k->arena, bool, k->nodes.n);
    gn_expr_list kept = { 0 };
    size_t n = 0;
    needed[k->nodes.n - 1] = true;
    for (size_t i = k->nodes.n; i-- > 0;)
        for (uint32_t j = 0; needed[i] && !k->cut[i] && j < k->nodes.at[i]->nin; j++)
            needed[(uintptr_t)gn_map_get(&position, GN_KEY(k->nodes.at[i]->in[j])) - 1] = true;
    for (size_t i = 0; i < k->nodes.n; i++) {
        if (!needed[i]) continue;
        gn_push(&k->arena, &kept, k->nodes.at[i]);
        cut[n++] = k->cut[i];
    }
    k->nodes = kept, k->cut = cut;
}

static void shrink(void *user)
{
    cone *k = user;
    for (size_t o = 0; o < k->r->noutputs; o++) {
        k->nodes = gn_reachable(&k->arena, 1, &k->r->output[o]);
        /* the first node whose own cone fails, what it reads being inputs at first sight */
        for (size_t n = 0; n < k->nodes.n; n++) {
            const gn_expr_list all = k->nodes;
            k->root = all.at[n];
            if (k->root->type->kind != GN_TYPE_TENSOR) continue;
            k->nodes = gn_reachable(&k->arena, 1, &k->root);
            k->cut = GN_NEW_ARRAY(&k->arena, bool, k->nodes.n);
            for (size_t i = 0; i < k->nodes.n; i++) k->cut[i] = strcmp(k->nodes.at[i]->op->name, "input") == 0;
            if (still_fails(k)) goto found;
            k->nodes = all;
        }
    }
    return;
found:
    for (size_t i = k->nodes.n - 1; i-- > 0;) {
        if (i >= k->nodes.n - 1 || k->cut[i] || k->nodes.at[i]->type->kind != GN_TYPE_TENSOR) continue;
        k->cut[i] = true;
        const gn_expr_list nodes = k->nodes;
        bool *cut = k->cut;
        drop_unneeded(k);
        if (still_fails(k)) {
            if (i > k->nodes.n) i = k->nodes.n;
            continue;
        }
        k->nodes = nodes, k->cut = cut;
        k->cut[i] = false;
    }
    k->keep_text = true;
    still_fails(k);
}

char *random_graph_shrink(const random_graph *r, random_run run, void *user, int kind, size_t *nodes)
{
    cone k = { .r = r, .run = run, .user = user, .wanted = kind };
    k.v = gn_evaluation_new(&k.arena);
    for (size_t i = 0; i < r->ninputs; i++) gn_evaluation_set(k.v, r->input[i], &r->value[i]);
    gn_protect(shrink, &k);
    *nodes = k.size;
    gn_arena_free(&k.arena);
    return k.text;
}

void random_graph_report(const random_graph *r, random_run run, void *user, const char *prefix, uint64_t seed, int kind,
                         const char *what)
{
    size_t nodes = 0;
    char path[64], message[512];
    snprintf(path, sizeof path, "%s-%" PRIu64 ".gn", prefix, seed);
    snprintf(message, sizeof message, "%s", kind < 0 ? gn_message() : what);
    char *text = random_graph_shrink(r, run, user, kind, &nodes);
    if (!text) text = gn_graph_print(r->g, (gn_exprs){ r->noutputs, r->output }); /* no single output fails alone */
    print_message("seed %" PRIu64 ": %s: %s\n", seed, kind < 0 ? gn_status_name((gn_status)kind) : "value mismatch",
                  message);
    print_message("shrunk to %zu nodes, written to %s:\n%s\n", nodes, path, text ? text : "");
    FILE *f = text ? fopen(path, "w") : NULL;
    if (f) fputs(text, f), fclose(f);
    gn_text_free(text);
}
