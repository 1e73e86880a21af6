/** @file Parameters, initial values, optimizers, and saved weights. */
#pragma once
#include "func.h"
#include "grad.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a parameter starts. The random key comes from the graph's seed and the parameter's name, never from the order of creation. */
typedef struct gn_init {
    int kind;
    double a, b;
    gn_array array;
} gn_init;
enum { GN_INIT_ZEROS, GN_INIT_CONSTANT, GN_INIT_UNIFORM, GN_INIT_NORMAL, GN_INIT_GLOROT, GN_INIT_HE, GN_INIT_ORTHOGONAL, GN_INIT_ARRAY };
#ifndef __cplusplus
#define GN_ZEROS ((gn_init){ .kind = GN_INIT_ZEROS })
#define GN_ONES GN_CONSTANT(1.0)
#define GN_CONSTANT(v) ((gn_init){ .kind = GN_INIT_CONSTANT, .a = (v) })
#define GN_UNIFORM(low, high) ((gn_init){ .kind = GN_INIT_UNIFORM, .a = (low), .b = (high) })
#define GN_NORMAL(mean, sd) ((gn_init){ .kind = GN_INIT_NORMAL, .a = (mean), .b = (sd) })
/** Uniform within sqrt(6 / (fan_in + fan_out)). X. Glorot, Y. Bengio, AISTATS 2010. */
#define GN_GLOROT ((gn_init){ .kind = GN_INIT_GLOROT })
/** Normal with variance 2 / fan_in. K. He et al., ICCV 2015. */
#define GN_HE ((gn_init){ .kind = GN_INIT_HE })
/** Rows or columns orthonormal. A. Saxe et al., ICLR 2014. */
#define GN_ORTHOGONAL ((gn_init){ .kind = GN_INIT_ORTHOGONAL })
#define GN_FROM(array) ((gn_init){ .kind = GN_INIT_ARRAY, .array = (array) })
#endif

/** A parameter: a shared variable with a name of its own, found by gn_params. Extents must be numbers. */
GN_API gn_expr *gn_param_at(gn_loc, gn_graph *, const char *name, gn_dtype, gn_init, const char *shape, ...) GN_PRINTF(6, 7);
#define gn_param(g, name, dtype, init, ...) gn_param_at(GN_HERE, g, name, dtype, init, __VA_ARGS__)
/** All parameters of the graph in the order of their creation; lives in the graph until the next gn_param. */
GN_API gn_exprs gn_params(gn_graph *);

/** Updates that descend the gradient of loss. The rate is a number or a scalar expression. The list lives in the graph.
 *  sgd       w - rate g
 *  momentum  v' = mu v + g, w - rate v'
 *  adam      D. Kingma, J. Ba, ICLR 2015, algorithm 1 with beta 0.9, 0.999 and epsilon 1e-8. */
GN_API gn_updates gn_sgd_at(gn_loc, gn_expr *loss, gn_exprs params, gn_operand rate);
GN_API gn_updates gn_momentum_at(gn_loc, gn_expr *loss, gn_exprs params, gn_operand rate, gn_operand mu);
GN_API gn_updates gn_adam_at(gn_loc, gn_expr *loss, gn_exprs params, gn_operand rate);
#define gn_sgd(loss, params, rate) gn_sgd_at(GN_HERE, loss, params, GN_OP(rate))
#define gn_momentum(loss, params, rate, mu) gn_momentum_at(GN_HERE, loss, params, GN_OP(rate), GN_OP(mu))
#define gn_adam(loss, params, rate) gn_adam_at(GN_HERE, loss, params, GN_OP(rate))

/** Writes or reads the values of shared variables by name, as safetensors. gn_load wants every name with its dtype and shape; others in the file are an error. */
GN_API gn_status gn_save(const char *path, gn_exprs variables);
GN_API gn_status gn_load(const char *path, gn_exprs variables);

#ifdef __cplusplus
}
#endif
