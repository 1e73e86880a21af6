#include "samples.h"
#include <gnomon/gnomon.h>
#include "ops/make.h"
#include "testlib.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct walk {
    void (*visit)(void *, const gn_sample *);
    void *user;
    gn_sample at;
    char name[200];
    gn_graph *shared;             /* NULL: a graph for each */
    unsigned number;
} walk;

/* ---- making and handing over ---- */

static const char *const letters[GN_SAMPLE_INPUTS] = { "a", "b", "c", "d", "e", "f" };

static void begin(walk *w, const gn_op_info *op)
{
    w->at = (gn_sample){ .op = op, .graph = w->shared ? w->shared : gn_graph_new(NULL), .smooth = true };
    w->number++;
    snprintf(w->name, sizeof w->name, "%s", op->name);
    w->at.name = w->name;
}

static gn_expr *input(walk *w, gn_dtype t, const char *shape, double low, double high)
{
    const size_t i = w->at.nin++, n = strlen(w->name);
    w->at.low[i] = low, w->at.high[i] = high;
    snprintf(w->name + n, sizeof w->name - n, " %s (%s)", gn_dtype_name(t), strcmp(shape, "()") == 0 ? "" : shape);
    char own[32];
    if (w->shared) snprintf(own, sizeof own, "s%u_%s", w->number, letters[i]);
    else snprintf(own, sizeof own, "%s", letters[i]);
    return w->at.in[i] = gn_input(w->at.graph, own, t, "%s", shape);
}

/* The node has been built: checks that it is one of the op, shows it, forgets it. */
static void finish(walk *w, gn_expr *y)
{
    if (gn_graph_check(w->at.graph)) fail_msg("%s: %s", w->name, gn_message());
    if (y->op != w->at.op) fail_msg("%s: a node of %s", w->name, y->op->name);
    w->at.y = y;
    w->visit(w->user, &w->at);
    if (!w->shared) gn_graph_free(w->at.graph);
}

typedef struct node_call {
    gn_graph *g;
    const gn_op_info *op;
    gn_expr *const *in;
    size_t n;
    const gn_attr *attr;
} node_call;

static gn_expr *node_body(gn_graph *g, void *arg)
{
    const node_call *c = arg;
    return gn_node(g, c->op, c->in, c->n, c->attr);
}

static gn_expr *node(walk *w, const gn_attr *attr)
{
    node_call c = { w->at.graph, w->at.op, w->at.in, w->at.nin, attr };
    return gn_build(GN_HERE, w->at.graph, node_body, &c);
}

/* ---- elementwise ops: all that are not named below ---- */

typedef struct range {
    const char *op;
    double low, high;            /* of floats, all operands */
} range;

static const range ranges[] = { { "sqrt", 0.25, 4 },   { "rsqrt", 0.25, 4 },   { "log", 0.25, 4 },
                                { "log1p", -0.75, 4 }, { "pow", 0.25, 3 },     { "div", 0.5, 4 },
                                { "exp", -4, 4 },      { "atanh", -0.9, 0.9 }, { "log1mexp", -3, -0.1 }, { NULL, -3, 3 } };
static const gn_dtype dtypes[] = { GN_F32, GN_F64, GN_I32, GN_I64, GN_U32, GN_BOOL };
static const char *const shapes[] = { "5", "n, 3", "()", "1", "0", "2, 0, 3", "2, n, 3" };
enum { NDTYPES = sizeof dtypes / sizeof *dtypes, NSHAPES = sizeof shapes / sizeof *shapes };

static void elementwise(walk *w, const gn_op_info *op)
{
    const range *r = ranges;
    while (r->op && strcmp(r->op, op->name) != 0) r++;
    for (int t = 0; t < NDTYPES; t++) {
        if (!(op->dtypes & GN_BIT(dtypes[t]))) continue;
        for (int s = 0; s < (t == 0 ? NSHAPES : 2); s++) {
            begin(w, op);
            const double low = dtypes[t] == GN_U32 ? 0 : dtypes[t] == GN_BOOL ? 0 : gn_is_float(dtypes[t]) ? r->low : -40;
            const double high = dtypes[t] == GN_BOOL ? 1 : gn_is_float(dtypes[t]) ? r->high : 40;
            for (int i = 0; i < op->arity; i++) input(w, dtypes[t], shapes[s], low, high);
            finish(w, node(w, NULL));
        }
    }
}

/* Whole powers of two times numbers near 1: what the op is for. */
static void powers_of_two(walk *w)
{
    for (int t = 0; t < 2; t++) {
        for (int s = 0; s < (t == 0 ? NSHAPES : 2); s++) {
            begin(w, &gn_op_ldexp);
            gn_expr *a = input(w, dtypes[t], shapes[s], 0.5, 2), *b = input(w, dtypes[t], shapes[s], -30, 30);
            node_call c = { w->at.graph, &gn_op_ldexp, (gn_expr *[]){ a, gn_round(b) }, 2, NULL };
            finish(w, gn_build(GN_HERE, w->at.graph, node_body, &c));
        }
    }
}

static void selects(walk *w)
{
    for (int t = 0; t < NDTYPES; t++) {
        for (int s = 0; s < (t == 0 ? NSHAPES : 2); s++) {
            begin(w, &gn_op_select);
            input(w, GN_BOOL, shapes[s], 0, 1), input(w, dtypes[t], shapes[s], 0, 1), input(w, dtypes[t], shapes[s], 0, 1);
            finish(w, node(w, NULL));
        }
    }
}

static void casts(walk *w)
{
    for (int from = 0; from < NDTYPES; from++) {
        for (int to = 0; to < NDTYPES; to++) {
            const gn_attr attr = { .kind = GN_ATTR_DTYPE, .i = dtypes[to] };
            begin(w, &gn_op_cast);
            input(w, dtypes[from], "n, 3", dtypes[from] == GN_BOOL || dtypes[from] == GN_U32 ? 0 : -300,
                  dtypes[from] == GN_BOOL ? 1 : 300);
            finish(w, node(w, &attr));
        }
    }
}

static void bitcasts(walk *w)
{
    static const gn_dtype pair[][2] = { { GN_F32, GN_U32 }, { GN_U32, GN_F32 }, { GN_F32, GN_I32 },
                                        { GN_I32, GN_F32 }, { GN_F64, GN_I64 }, { GN_I64, GN_F64 } };
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        const gn_attr attr = { .kind = GN_ATTR_DTYPE, .i = pair[i][1] };
        begin(w, &gn_op_bitcast);
        input(w, pair[i][0], "5", 0, 2e9);
        finish(w, node(w, &attr));
    }
}

/* ---- ops with attributes, by builder or by hand ---- */

static void reductions(walk *w, const gn_op_info *op)
{
    static const struct {
        const char *shape;
        int n, axes[3];
    } row[] = { { "5", 1, { 0 } },          { "n, 3", 1, { 0 } },    { "n, 3", 1, { 1 } }, { "n, 3", 2, { 0, 1 } },
                { "2, n, 3", 2, { 0, 2 } }, { "2, n, 3", 1, { 1 } }, { "1", 1, { 0 } },    { "0", 1, { 0 } },
                { "2, 0, 3", 1, { 0 } },    { "2, 0, 3", 1, { 1 } }, { "z, 3", 1, { 0 } } };
    for (int t = 0; t < NDTYPES; t++) {
        if (!(op->dtypes & GN_BIT(dtypes[t]))) continue;
        for (size_t i = 0; i < sizeof row / sizeof *row && (t == 0 || i < 5); i++) {
            int64_t axes[3];
            for (int k = 0; k < row[i].n; k++) axes[k] = row[i].axes[k];
            const gn_attr attr = { .kind = GN_ATTR_INTS, .n = (uint32_t)row[i].n, .ints = axes };
            begin(w, op);
            input(w, dtypes[t], row[i].shape, dtypes[t] == GN_U32 || dtypes[t] == GN_BOOL ? 0 : -2,
                  dtypes[t] == GN_BOOL ? 1 : 2);
            finish(w, node(w, &attr));
        }
    }
}

static void along_axis(walk *w, const gn_op_info *op)
{
    static const struct {
        const char *shape;
        int axis;
    } row[] = { { "5", 0 }, { "n, 3", 1 }, { "n, 3", 0 }, { "2, n, 3", 1 }, { "1", 0 }, { "0, 3", 1 } };
    for (int t = 0; t < NDTYPES; t++) {
        if (!(op->dtypes & GN_BIT(dtypes[t]))) continue;
        for (size_t i = 0; i < sizeof row / sizeof *row && (t < 2 || i < 2); i++) {
            const gn_attr attr = { .kind = GN_ATTR_INT, .i = row[i].axis };
            begin(w, op);
            input(w, dtypes[t], row[i].shape, dtypes[t] == GN_U32 || dtypes[t] == GN_BOOL ? 0 : -3,
                  dtypes[t] == GN_BOOL ? 1 : 3);
            finish(w, node(w, &attr));
        }
    }
}

/* A builder that gives exactly one node of the op. */
static void built(walk *w, const gn_op_info *op, const char *shape, gn_expr *(*build)(gn_expr *))
{
    for (int t = 0; t < NDTYPES; t++) {
        if (!(op->dtypes & GN_BIT(dtypes[t]))) continue;
        begin(w, op);
        gn_expr *const x =
            input(w, dtypes[t], shape, dtypes[t] == GN_U32 || dtypes[t] == GN_BOOL ? 0 : -3, dtypes[t] == GN_BOOL ? 1 : 3);
        finish(w, build(x));
    }
}

static gn_expr *reshape_flat(gn_expr *x) { return gn_reshape(x, "-1"); }
static gn_expr *reshape_deep(gn_expr *x) { return gn_reshape(x, "2, 3, n, 1"); }
static gn_expr *reshape_zero(gn_expr *x) { return gn_reshape(x, "0, 7"); }
static gn_expr *permute_three(gn_expr *x) { return gn_permute(x, GN_AXES(2, 0, 1)); }
static gn_expr *permute_two(gn_expr *x) { return gn_transpose(x); }
static gn_expr *broadcast_rows(gn_expr *x) { return gn_broadcast_to(x, "2, n, 3"); }
static gn_expr *broadcast_scalar(gn_expr *x) { return gn_broadcast_to(x, "2, 3"); }
static gn_expr *slice_steps(gn_expr *x) { return gn_slice(x, "1:6:2, 1:"); }
static gn_expr *slice_named(gn_expr *x) { return gn_slice(x, ":, n-m:n"); }
static gn_expr *slice_empty(gn_expr *x) { return gn_slice(x, "2:2"); }
static gn_expr *pad_both(gn_expr *x) { return gn_pad(x, 1, "1:2, n:"); }
static gn_expr *flip_last(gn_expr *x) { return gn_flip(x, GN_AXES(-1)); }
static gn_expr *flip_all(gn_expr *x) { return gn_flip(x, GN_AXES(0, 1)); }
static gn_expr *concat_self(gn_expr *x) { return gn_concat(GN_EXPRS(x, gn_flip(x, GN_AXES(0)), x), 0); }
static gn_expr *concat_last(gn_expr *x) { return gn_concat(GN_EXPRS(x, gn_slice(x, ":, 1:2")), -1); }

static void movement(walk *w)
{
    built(w, &gn_op_reshape, "n, 3", reshape_flat);
    built(w, &gn_op_reshape, "n, 6", reshape_deep);
    built(w, &gn_op_reshape, "3, 0", reshape_zero);
    built(w, &gn_op_permute, "2, n, 3", permute_three);
    built(w, &gn_op_permute, "1, n", permute_two);
    built(w, &gn_op_broadcast, "n, 3", broadcast_rows);
    built(w, &gn_op_broadcast, "()", broadcast_scalar);
    built(w, &gn_op_slice, "7, 3", slice_steps);
    built(w, &gn_op_slice, "m, n", slice_named);
    built(w, &gn_op_slice, "3, n", slice_empty);
    built(w, &gn_op_pad, "n, 3", pad_both);
    built(w, &gn_op_pad, "0, n", pad_both);
    built(w, &gn_op_flip, "n, 3", flip_last);
    built(w, &gn_op_flip, "5, 3", flip_all);
    built(w, &gn_op_concat, "n, 3", concat_self);
    built(w, &gn_op_concat, "n, 3", concat_last);
}

/* Dilated and offset on purpose: steps that builders of pad do not make. */
static void dilated_pad(walk *w)
{
    begin(w, &gn_op_pad);
    gn_graph *const g = w->at.graph;
    input(w, GN_F32, "3, n", -3, 3), input(w, GN_F32, "()", -3, 3);
    const gn_dim *start[2] = { gn_dim_const(&g->dims, 1), gn_dim_const(&g->dims, 0) },
                 *shape[2] = { gn_dim_const(&g->dims, 7), gn_dim_sym(&g->dims, "n") };
    const int64_t step[2] = { 2, 1 };
    const gn_attr attr[3] = { { .kind = GN_ATTR_DIMS, .n = 2, .dims = start },
                              { .kind = GN_ATTR_INTS, .n = 2, .ints = step },
                              { .kind = GN_ATTR_DIMS, .n = 2, .dims = shape } };
    finish(w, node(w, attr));
}

static void contractions(walk *w)
{
    static const char *const row[][3] = { { "ij,jk->ik", "n, 5", "5, 3" },
                                          { "ij,kj->ik", "n, 5", "3, 5" },
                                          { "ji,jk->ki", "5, n", "5, 3" },
                                          { "i,i->", "n", "n" },
                                          { "i,j->ij", "n", "3" },
                                          { "bij,bjk->bik", "2, n, 3", "2, 3, 4" },
                                          { "bij,jk->bik", "2, n, 3", "3, 4" },
                                          { "ij,jk->ik", "n, 0", "0, 3" },
                                          { "ij,jk->ik", "0, 5", "5, 3" },
                                          { "ij,jk->ik", "1, 1", "1, 1" },
                                          { "ij,kl->il", "2, 3", "4, n" },
                                          { ",ij->ji", "()", "2, n" } };
    for (int t = 0; t < 5; t++) {
        for (size_t i = 0; i < sizeof row / sizeof *row && (t == 0 || i < 4); i++) {
            begin(w, &gn_op_contract);
            const double low = dtypes[t] == GN_U32 ? 0 : -2;
            gn_expr *const a = input(w, dtypes[t], row[i][1], low, 2), *const b = input(w, dtypes[t], row[i][2], low, 2);
            finish(w, gn_einsum(row[i][0], a, b));
        }
    }
}

static void indices(walk *w)
{
    static const struct {
        const char *x, *at, *taken;
        int axis;
    } row[] = { { "6", "n", "n", 0 },
                { "6, 3", "5", "5, 3", 0 },
                { "2, 6, 3", "n, 2", "2, n, 2, 3", 1 },
                { "3, 6", "()", "3", 1 },
                { "6, 2", "0", "0, 2", 0 } };
    for (int t = 0; t < NDTYPES; t++) {
        const double low = dtypes[t] == GN_U32 || dtypes[t] == GN_BOOL ? 0 : -3, high = dtypes[t] == GN_BOOL ? 1 : 3;
        for (size_t i = 0; i < sizeof row / sizeof *row && (t == 0 || i < 2); i++) {
            begin(w, &gn_op_take);
            gn_expr *const x = input(w, dtypes[t], row[i].x, low, high), *const at = input(w, i % 2 ? GN_I64 : GN_I32,
                                                                                           row[i].at, 0, 5);
            finish(w, gn_take(x, at, row[i].axis));
            if (dtypes[t] == GN_BOOL) continue;
            begin(w, &gn_op_scatter_add);
            gn_expr *const to = input(w, dtypes[t], row[i].x, low, high), *const where =
                                                                              input(w, i % 2 ? GN_I64 : GN_I32,
                                                                                    row[i].at, 0, 5);
            finish(w, gn_scatter_add(to, where, input(w, dtypes[t], row[i].taken, low, high), row[i].axis));
        }
    }
    for (int t = 2; t < 5; t++) {
        begin(w, &gn_op_check_index);
        const gn_dim *extent = gn_dim_sym(&w->at.graph->dims, "n");
        const gn_attr attr = { .kind = GN_ATTR_DIMS, .n = 1, .dims = &extent };
        input(w, dtypes[t], "n", 0, 6);
        finish(w, node(w, &attr));
    }
}

/* ---- composites with attributes ---- */

static void cross_entropies(walk *w)
{
    static const char *const row[][2] = {
        { "n, 5", "n" }, { "5", "()" }, { "2, n, 3", "2, n" }, { "0, 4", "0" }, { "n, 1", "n" }
    };
    for (size_t i = 0; i < 2 * sizeof row / sizeof *row; i++) {
        begin(w, &gn_op_cross_entropy);
        const char *const *r = row[i / 2];
        gn_expr *const x = input(w, i % 2 ? GN_F64 : GN_F32, r[0], -3, 3);
        finish(w, gn_cross_entropy(x, input(w, i % 2 ? GN_I64 : GN_I32, r[1], 0, i / 2 == 4 ? 0 : 2)));
    }
}

static void norms(walk *w)
{
    static const char *const shape[] = { "n, 5", "5", "2, n, 3", "0, 4", "n, 1" };
    const gn_attr epsilon = { .kind = GN_ATTR_FLOAT, .f = 1e-5 };
    for (size_t i = 0; i < 2 * sizeof shape / sizeof *shape; i++) {
        begin(w, &gn_op_layer_norm);
        input(w, i % 2 ? GN_F64 : GN_F32, shape[i / 2], -3, 3);
        finish(w, node(w, &epsilon));
    }
}

static gn_expr *hot(gn_expr *x) { return gn_one_hot(x, GN_F32, "4"); }
static gn_expr *stopped(gn_expr *x) { return gn_stop_gradient(x); }
static gn_expr *leaky(gn_expr *x) { return gn_leaky_relu(x, 0.125); }

static void randoms(walk *w)
{
    for (int i = 0; i < 8; i++) {
        begin(w, i < 3 ? &gn_op_uniform : i < 6 ? &gn_op_normal : &gn_op_bernoulli);
        gn_graph *const g = w->at.graph;
        gn_expr *const step = input(w, GN_I64, "()", 0, 1e12);
        const gn_dtype t = i % 3 == 1 ? GN_F64 : GN_F32;
        const char *const shape = i % 3 == 2 ? "()" : "2, 3, 5";
        finish(w, i < 3   ? gn_uniform(g, "u", step, t, "%s", shape)
                  : i < 6 ? gn_normal(g, "u", step, t, "%s", shape)
                          : gn_bernoulli(g, "u", step, 0.25, "%s", shape));
    }
    for (int i = 0; i < 2; i++) {
        begin(w, &gn_op_philox);
        for (int k = 0; k < 6; k++) input(w, GN_U32, i ? "n, 3" : "()", 0, 4294967295.0);
        finish(w, node(w, NULL));
    }
}

static void iotas(walk *w)
{
    for (int t = 0; t < 5; t++) {
        begin(w, &gn_op_iota);
        finish(w, gn_iota(w->at.graph, dtypes[t], t % 2, "3, 4"));
        begin(w, &gn_op_iota);
        input(w, GN_F32, "n", 0, 1); /* binds n */
        finish(w, gn_iota(w->at.graph, dtypes[t], 0, "n, 2"));
    }
    begin(w, &gn_op_dim);
    finish(w, gn_dim(input(w, GN_F32, "n, 2*n+1", 0, 1), 1));
}

static bool is_plain(const gn_op_info *op)
{
    return op->traits & GN_ELEMWISE && op->nattr == 0 && op != &gn_op_select && op != &gn_op_ldexp;
}

static void walk_all(walk w)
{
    for (size_t i = 0; i < gn_nops; i++) {
        const gn_op_info *op = gn_ops[i];
        if (is_plain(op)) elementwise(&w, op);
        else if (op->nattr == 1 && strcmp(op->attrs[0].name, "axes") == 0 && !(op->traits & GN_VIEW_OP)) reductions(&w, op);
        else if (op->nattr == 1 && strcmp(op->attrs[0].name, "axis") == 0 && op->arity == 1) along_axis(&w, op);
    }
    selects(&w);
    powers_of_two(&w);
    casts(&w);
    bitcasts(&w);
    movement(&w);
    dilated_pad(&w);
    contractions(&w);
    indices(&w);
    cross_entropies(&w);
    norms(&w);
    built(&w, &gn_op_one_hot, "n, 2", hot);
    built(&w, &gn_op_stop_gradient, "n, 3", stopped);
    built(&w, &gn_op_leaky_relu, "n, 2", leaky);
    randoms(&w);
    iotas(&w);
}

void gn_each_sample(void (*visit)(void *user, const gn_sample *), void *user)
{
    walk_all((walk){ .visit = visit, .user = user });
}

void gn_each_sample_in(gn_graph *g, void (*visit)(void *user, const gn_sample *), void *user)
{
    walk_all((walk){ .visit = visit, .user = user, .shared = g });
}

/* ---- values ---- */

int64_t gn_sample_size(const char *dim)
{
    return strcmp(dim, "n") == 0 ? 7 : strcmp(dim, "m") == 0 ? 4 : strcmp(dim, "z") == 0 ? 0 : -1;
}

static bool size_of(void *user, const char *symbol, int64_t *out)
{
    (void)user;
    return (*out = gn_sample_size(symbol)) >= 0;
}

static void put(gn_dtype t, void *data, int64_t i, double v)
{
    switch (t) {
    case GN_BOOL: ((uint8_t *)data)[i] = v >= 0.5; break;
    case GN_I32: ((int32_t *)data)[i] = (int32_t)floor(v); break;
    case GN_I64: ((int64_t *)data)[i] = (int64_t)floor(v); break;
    case GN_U32: ((uint32_t *)data)[i] = (uint32_t)floor(v); break;
    case GN_F32: ((float *)data)[i] = (float)v; break;
    case GN_F64: ((double *)data)[i] = v; break;
    default: fail_msg("no samples of %s", gn_dtype_name(t));
    }
}

gn_array gn_sample_array(const gn_expr *input, double low, double high, uint64_t *random)
{
    int64_t shape[GN_MAX_RANK] = { 0 };
    for (size_t d = 0; d < input->type->n; d++) {
        if (!gn_dim_eval(input->type->dim[d], size_of, NULL, NULL, &shape[d])) fail_msg("a dim that samples do not know");
    }
    const gn_dtype t = (gn_dtype)input->type->dtype;
    gn_array a = gn_array_of(NULL, t, input->type->n, shape);
    const int64_t n = gn_array_count(&a);
    a.data = calloc((size_t)n + 1, gn_dtype_size(t));
    for (int64_t i = 0; i < n; i++) {
        double v = gn_is_float(t) ? test_uniform(random, low, high) : test_uniform(random, low, high + 1);
        if (gn_is_float(t) && test_random(random) % 4 == 0) v = fmin(fmax(rint(2 * v) / 2, low), high);
        if (!gn_is_float(t) && v > high) v = high;
        put(t, a.data, i, v);
    }
    return a;
}

gn_array gn_sample_value(const gn_sample *s, size_t i, uint64_t *random)
{
    return gn_sample_array(s->in[i], s->low[i], s->high[i], random);
}
