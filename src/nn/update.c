/* Optimizers as updates. They are built by the public builders from the gradients of the loss, so they are graphs like
 * any other: printed, rewritten and fused with the rest. State (velocities, moments, the step) is a shared variable
 * beside each parameter, and no parameter. */
#include <gnomon/gnomon.h>
#include <math.h>
#include "expr.h"
#include "shared.h"

typedef struct optimizer {
    gn_loc loc;
    const char *name;
    gn_expr *loss;
    gn_exprs params;
    gn_operand rate, mu;
    void (*each)(struct optimizer *, gn_graph *, gn_expr *w, gn_expr *grad);
    void (*finish)(struct optimizer *, gn_graph *); /* may be NULL */
    GN_VEC(gn_update) updates;                       /* in the graph's arena */
    gn_arena scratch;
    gn_expr *step, *next_step;                       /* Adam's */
} optimizer;

static gn_operand op(gn_expr *e)
{
    return gn_operand_expr(e);
}

static gn_operand number(double v)
{
    return gn_operand_double(v);
}

static gn_expr *good(gn_expr *e)
{
    if (gn_is_error(e)) gn_rethrow(gn_error_of(e));
    return e;
}

static void update(optimizer *o, gn_graph *g, gn_expr *variable, gn_expr *value)
{
    gn_push(&g->arena, &o->updates, (gn_update){ variable, good(value) });
}

/* A rate or momentum in the dtype of w. */
static gn_operand scalar_for(optimizer *o, gn_graph *g, gn_operand v, const char *what, const gn_expr *w)
{
    if (v.kind != 0) return v;
    gn_check_exprs(g, o->name, 1, &v.expr);
    if (gn_rank_of(v.expr) != 0) gn_throw_at(g, GN_ESHAPE, o->name, &v.expr, 1, "the %s is no scalar", what);
    return op(good(gn_cast_at(o->loc, v.expr, gn_dtype_of(w))));
}

/* A variable of zeros named STEM.WHAT; a second optimizer of the same parameters gets STEM.WHAT.2. */
static gn_expr *state(optimizer *o, gn_graph *g, const char *stem, const char *what, gn_dtype dtype, int rank,
                      const int64_t *shape)
{
    const char *name = gn_arena_printf(&o->scratch, "%s.%s", stem, what);
    for (int i = 2; gn_map_get(&g->names, GN_KEY(gn_symbol(&g->arena, &g->symbols, name))); i++) {
        name = gn_arena_printf(&o->scratch, "%s.%s.%d", stem, what, i);
    }
    gn_array zeros = gn_array_of(NULL, dtype, rank, shape);
    zeros.data = gn_arena_alloc_n(&o->scratch, (size_t)gn_array_count(&zeros) + 1, gn_dtype_size(dtype), 64);
    return good(gn_shared_at(o->loc, g, name, zeros));
}

static gn_expr *state_of(optimizer *o, gn_graph *g, gn_expr *w, const char *what)
{
    const gn_variable *v = gn_variable_of(w);
    return state(o, g, v->name, what, v->value.dtype, v->value.rank, v->value.shape);
}

static void sgd_each(optimizer *o, gn_graph *g, gn_expr *w, gn_expr *grad)
{
    const gn_operand rate = scalar_for(o, g, o->rate, "learning rate", w);
    update(o, g, w, gn_sub_at(o->loc, op(w), op(gn_mul_at(o->loc, rate, op(grad)))));
}

static void momentum_each(optimizer *o, gn_graph *g, gn_expr *w, gn_expr *grad)
{
    const gn_operand rate = scalar_for(o, g, o->rate, "learning rate", w), mu = scalar_for(o, g, o->mu, "momentum", w);
    gn_expr *v = state_of(o, g, w, o->name);
    gn_expr *next = gn_add_at(o->loc, op(gn_mul_at(o->loc, mu, op(v))), op(grad));
    update(o, g, w, gn_sub_at(o->loc, op(w), op(gn_mul_at(o->loc, rate, op(next)))));
    update(o, g, v, next);
}

/* 1 - beta^t, without the cancellation of that form while t is small. */
static gn_expr *correction(optimizer *o, double beta, gn_dtype dtype)
{
    gn_expr *t = gn_cast_at(o->loc, o->next_step, dtype);
    return gn_neg_at(o->loc, gn_expm1_at(o->loc, gn_mul_at(o->loc, op(t), number(log(beta)))));
}

/* beta moment + (1 - beta) sample */
static gn_expr *mix(optimizer *o, double beta, gn_expr *moment, gn_expr *sample)
{
    return gn_add_at(o->loc, op(gn_mul_at(o->loc, op(moment), number(beta))),
                     op(gn_mul_at(o->loc, op(sample), number(1 - beta))));
}

static void adam_each(optimizer *o, gn_graph *g, gn_expr *w, gn_expr *grad)
{
    const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    const gn_loc loc = o->loc;
    const gn_operand rate = scalar_for(o, g, o->rate, "learning rate", w);
    if (!o->step) {
        o->step = state(o, g, "adam", "step", GN_I64, 0, NULL);
        o->next_step = good(gn_add_at(loc, op(o->step), gn_operand_int(1)));
    }
    gn_expr *m = state_of(o, g, w, "adam.m"), *v = state_of(o, g, w, "adam.v");
    gn_expr *next_m = mix(o, beta1, m, grad), *next_v = mix(o, beta2, v, gn_square_at(loc, grad));
    gn_expr *mean = gn_div_at(loc, op(next_m), op(correction(o, beta1, gn_dtype_of(w))));
    gn_expr *square = gn_div_at(loc, op(next_v), op(correction(o, beta2, gn_dtype_of(w))));
    gn_expr *root = gn_add_at(loc, op(gn_sqrt_at(loc, square)), number(epsilon));
    update(o, g, w, gn_sub_at(loc, op(w), op(gn_div_at(loc, op(gn_mul_at(loc, rate, op(mean))), op(root)))));
    update(o, g, m, next_m);
    update(o, g, v, next_v);
}

static void adam_finish(optimizer *o, gn_graph *g)
{
    update(o, g, o->step, o->next_step);
}

static void check_params(optimizer *o, gn_graph *g)
{
    if (o->params.n == 0) gn_throw_at(g, GN_EINVAL, o->name, &o->loss, 1, "the list of parameters is empty");
    gn_check_exprs(g, o->name, o->params.n, o->params.at);
    for (size_t i = 0; i < o->params.n; i++) {
        gn_expr *e = o->params.at[i];
        if (!gn_variable_of(e)) gn_throw_at(g, GN_EINVAL, o->name, &e, 1, "what is to be updated is no shared variable");
    }
}

static gn_expr *build_updates(gn_graph *g, void *arg)
{
    optimizer *o = arg;
    gn_check_exprs(g, o->name, 1, &o->loss);
    check_params(o, g);
    gn_expr **grads = GN_NEW_ARRAY(&o->scratch, gn_expr *, o->params.n);
    gn_grads_at(o->loc, o->loss, o->params.n, o->params.at, grads, GN_DISCONNECTED_ERROR);
    for (size_t i = 0; i < o->params.n; i++) o->each(o, g, o->params.at[i], good(grads[i]));
    if (o->finish) o->finish(o, g);
    return o->loss;
}

static gn_updates run(optimizer *o)
{
    gn_graph *g = o->loss ? gn_graph_in(o->loss) : o->params.n && o->params.at[0] ? gn_graph_in(o->params.at[0]) : NULL;
    if (g) o->scratch.allocator = g->arena.allocator;
    const gn_expr *done = gn_build(o->loc, g, build_updates, o);
    gn_arena_free(&o->scratch);
    if (gn_is_error(done)) return (gn_updates){ .error = g && g->failed ? g->failed : GN_EINVAL };
    return (gn_updates){ .n = o->updates.n, .at = o->updates.at };
}

gn_updates gn_sgd_at(gn_loc loc, gn_expr *loss, gn_exprs params, gn_operand rate)
{
    return run(&(optimizer){ .loc = loc, .name = "sgd", .loss = loss, .params = params, .rate = rate, .each = sgd_each });
}

gn_updates gn_momentum_at(gn_loc loc, gn_expr *loss, gn_exprs params, gn_operand rate, gn_operand mu)
{
    return run(&(optimizer){
        .loc = loc, .name = "momentum", .loss = loss, .params = params, .rate = rate, .mu = mu, .each = momentum_each});
}

gn_updates gn_adam_at(gn_loc loc, gn_expr *loss, gn_exprs params, gn_operand rate)
{
    return run(&(optimizer){ .loc = loc,
                             .name = "adam",
                             .loss = loss,
                             .params = params,
                             .rate = rate,
                             .each = adam_each,
                             .finish = adam_finish });
}
