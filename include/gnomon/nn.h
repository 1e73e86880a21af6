/** @file Parameters, initial values, optimizers, and saved weights. */
#pragma once
#include "func.h"
#include "grad.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a parameter starts. The random key comes from the graph's seed (gn_graph_seed) and the parameter's name, never
 *  from the order of creation: the same seed, name, kind and shape give the same numbers. They are computed in double
 *  and rounded once. Fan in and fan out are the last two extents, as in gn_matmul(x, w) with w (fan in, fan out);
 *  leading axes are matrices of their own. */
typedef struct gn_init {
    int kind;
    double a, b;
    gn_array array;
} gn_init;
enum {
    GN_INIT_ZEROS, GN_INIT_CONSTANT, GN_INIT_UNIFORM, GN_INIT_NORMAL, GN_INIT_GLOROT, GN_INIT_HE, GN_INIT_ORTHOGONAL,
    GN_INIT_ARRAY
};
#ifdef __cplusplus
} /* extern "C" */
inline gn_init gn_init_of(int kind, double a = 0, double b = 0)
{
    gn_init i = {};
    i.kind = kind, i.a = a, i.b = b;
    return i;
}
inline gn_init gn_init_of(const gn_array &initial)
{
    gn_init i = {};
    i.kind = GN_INIT_ARRAY, i.array = initial;
    return i;
}
#define GN_ZEROS gn_init_of(GN_INIT_ZEROS)
#define GN_ONES GN_CONSTANT(1.0)
#define GN_CONSTANT(v) gn_init_of(GN_INIT_CONSTANT, v)
#define GN_UNIFORM(low, high) gn_init_of(GN_INIT_UNIFORM, low, high)
#define GN_NORMAL(mean, sd) gn_init_of(GN_INIT_NORMAL, mean, sd)
#define GN_GLOROT gn_init_of(GN_INIT_GLOROT)
#define GN_HE gn_init_of(GN_INIT_HE)
#define GN_ORTHOGONAL gn_init_of(GN_INIT_ORTHOGONAL)
#define GN_FROM(initial) gn_init_of(initial)
extern "C" {
#else
#define GN_ZEROS ((gn_init){ .kind = GN_INIT_ZEROS })
#define GN_ONES GN_CONSTANT(1.0)
#define GN_CONSTANT(v) ((gn_init){ .kind = GN_INIT_CONSTANT, .a = (v) })
#define GN_UNIFORM(low, high) ((gn_init){ .kind = GN_INIT_UNIFORM, .a = (low), .b = (high) })
#define GN_NORMAL(mean, sd) ((gn_init){ .kind = GN_INIT_NORMAL, .a = (mean), .b = (sd) })
/** Uniform within sqrt(6 / (fan_in + fan_out)). X. Glorot, Y. Bengio, AISTATS 2010. */
#define GN_GLOROT ((gn_init){ .kind = GN_INIT_GLOROT })
/** Normal with variance 2 / fan_in. K. He et al., ICCV 2015. */
#define GN_HE ((gn_init){ .kind = GN_INIT_HE })
/** Rows or columns (the fewer of them) orthonormal. A. Saxe et al., ICLR 2014. */
#define GN_ORTHOGONAL ((gn_init){ .kind = GN_INIT_ORTHOGONAL })
/** A copy of an array of the parameter's dtype and shape. */
#define GN_FROM(initial) ((gn_init){ .kind = GN_INIT_ARRAY, .array = (initial) })
#endif

/** A parameter: a shared variable with a name of its own, found by gn_params.
 *  Shapes    printf-formatted, extents are numbers: "784, 500"; "()" is a scalar.
 *  Dtypes    any; random initial values want a floating one.
 *  Errors    GN_EINVAL for a name that is taken (the message says where) or no name; GN_ESYNTAX and GN_ESHAPE in the
 *            shape, for an initial array of another shape, and for Glorot, He or orthogonal with fewer than two axes;
 *            GN_EDTYPE; GN_ENOMEM for a size that overflows.
 *  Ownership  the graph and the functions compiled from it share the memory; gn_get and gn_set (graph.h) read and write it. */
GN_API gn_expr *gn_param_at(gn_loc, gn_graph *, const char *name, gn_dtype, gn_init, const char *shape, ...) GN_PRINTF(6, 7);
#define gn_param(g, name, dtype, init, ...) gn_param_at(GN_HERE, g, name, dtype, init, __VA_ARGS__)
/** All parameters of the graph in the order of their creation; lives in the graph until the next gn_param. Empty for NULL. */
GN_API gn_exprs gn_params(gn_graph *);

/** Updates that descend the gradient of loss, for gn_compile(.update = ...). They are expressions like any other.
 *  sgd       w - rate g
 *  momentum  v' = mu v + g, w - rate v'
 *  adam      D. Kingma, J. Ba, ICLR 2015, algorithm 1 with beta 0.9, 0.999 and epsilon 1e-8.
 *  Operands  loss is a floating scalar; params are shared variables, gn_params(g) or a part of them; rate and mu are
 *            numbers or scalar expressions (a shared variable, so that it can be changed between calls; cast to each
 *            parameter's dtype).
 *  State     velocities, moments and Adam's step counter are shared variables that start at zero and are no
 *            parameters: "w1.momentum", "w1.adam.m", "w1.adam.v", "adam.step". A second optimizer over the same
 *            parameters has its own: "w1.momentum.2".
 *  Errors    those of gn_grads; GN_EINVAL for an empty list or something that is no variable; GN_ESHAPE for a rate
 *            that is no scalar. The list then has n = 0 and error set, and gn_compile reports it.
 *  Ownership  the list lives in the graph. */
GN_API gn_updates gn_sgd_at(gn_loc, gn_expr *loss, gn_exprs params, gn_operand rate);
GN_API gn_updates gn_momentum_at(gn_loc, gn_expr *loss, gn_exprs params, gn_operand rate, gn_operand mu);
GN_API gn_updates gn_adam_at(gn_loc, gn_expr *loss, gn_exprs params, gn_operand rate);
#define gn_sgd(loss, params, rate) gn_sgd_at(GN_HERE, loss, params, GN_OP(rate))
#define gn_momentum(loss, params, rate, mu) gn_momentum_at(GN_HERE, loss, params, GN_OP(rate), GN_OP(mu))
#define gn_adam(loss, params, rate) gn_adam_at(GN_HERE, loss, params, GN_OP(rate))

/** Writes or reads the values of shared variables by name, as safetensors. A file is written aside and renamed when it
 *  is complete. gn_load wants every name with its dtype and shape, in any order; others in the file are an error;
 *  either all variables are set or none.
 *  Errors    GN_EINVAL for an empty list, NULL, something that is no variable, a name twice; GN_EIO; GN_EFORMAT for a
 *            file that is damaged or does not fit.
 *  Thread safety  each variable is locked while it is copied; the file is a snapshot if no function updates them
 *            meanwhile. */
GN_API gn_status gn_save(const char *path, gn_exprs variables);
GN_API gn_status gn_load(const char *path, gn_exprs variables);

#ifdef __cplusplus
}
#endif
