/** @file For other languages: the builders whose text is printf-formatted in C, with the text taken as it is and no variable arguments.
 *
 *  All else binds as it stands: every builder is a function gn_NAME_at whose first argument is a gn_loc {file, line} (the file is copied), lists
 *  are {n, at}, a gn_operand is {expr, number, integer, kind}, a gn_array is filled by gn_array_of. Errors and ownership are those of the
 *  functions of the same name in graph.h, ops.h and nn.h. */
#pragma once
#include "nn.h"
#include "ops.h"

#ifdef __cplusplus
extern "C" {
#endif

GN_API gn_expr *gn_input_text(gn_loc, gn_graph *, const char *name, gn_dtype, const char *shape);
GN_API gn_expr *gn_param_text(gn_loc, gn_graph *, const char *name, gn_dtype, gn_init, const char *shape);
GN_API gn_expr *gn_reshape_text(gn_loc, gn_expr *x, const char *shape);
GN_API gn_expr *gn_broadcast_to_text(gn_loc, gn_expr *x, const char *shape);
GN_API gn_expr *gn_slice_text(gn_loc, gn_expr *x, const char *ranges);
GN_API gn_expr *gn_pad_text(gn_loc, gn_expr *x, gn_operand value, const char *widths);
GN_API gn_expr *gn_iota_text(gn_loc, gn_graph *, gn_dtype, int axis, const char *shape);
GN_API gn_expr *gn_full_text(gn_loc, gn_graph *, gn_dtype, gn_operand value, const char *shape);
GN_API gn_expr *gn_one_hot_text(gn_loc, gn_expr *labels, gn_dtype, const char *n);
GN_API gn_expr *gn_uniform_text(gn_loc, gn_graph *, const char *name, gn_operand step, gn_dtype, const char *shape);
GN_API gn_expr *gn_normal_text(gn_loc, gn_graph *, const char *name, gn_operand step, gn_dtype, const char *shape);
GN_API gn_expr *gn_bernoulli_text(gn_loc, gn_graph *, const char *name, gn_operand step, double p, const char *shape);

#ifdef __cplusplus
}
#endif
