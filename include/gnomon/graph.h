/** @file Graphs and the leaves of expressions: inputs, shared variables, constants; scopes; dims.
 *
 *      gn_graph *g = gn_graph_new(NULL);
 *      gn_expr *x = gn_input(g, "x", GN_F32, "batch, 784");
 *      gn_expr *w = gn_shared(g, "w", GN_VIEW(weights, 784));
 *
 *  Errors. A builder that fails returns the graph's error node, which every builder passes through, so that nested expressions need no
 *  checks. The first error stays in the graph until the next fallible call on it (gn_compile, gn_graph_check, ...) returns it; after that
 *  the graph is usable again.
 *  Thread safety: a graph and its expressions belong to one thread at a time; two graphs are independent. */
#pragma once
#include "array.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gn_graph gn_graph;
typedef struct gn_expr gn_expr; /**< an immutable node; equal expressions are the same pointer; lives as long as its graph */

/** Makes an empty graph. `context` NULL: the default one. NULL if memory ran out. Release with gn_graph_free, which accepts NULL. */
GN_API gn_graph *gn_graph_new(gn_context *context);
GN_API void gn_graph_free(gn_graph *);
/** The graph of an expression; NULL for the error node that belongs to none. */
GN_API gn_graph *gn_graph_of(const gn_expr *);
/** The first error that a builder met since the last fallible call, and clears it. */
GN_API gn_status gn_graph_check(gn_graph *);

/** Settings that change numbers: a comma-separated list of "reassociate", "finite", "approximate". Default: none. */
GN_API gn_status gn_graph_relax(gn_graph *, const char *flags);
/** Seed of initial values and of dropout; default 0. Set it before the first parameter. */
GN_API void gn_graph_seed(gn_graph *, uint64_t seed);

/** An operand of a builder: an expression or a number, wrapped by GN_OP, which takes every arithmetic type. A number takes the dtype of the
 *  expression beside it. */
typedef struct gn_operand {
    gn_expr *expr;
    double number;   /**< of kind 3, too */
    int64_t integer;
    int kind; /**< 0 expression, 1 floating number, 2 integer, 3 unsigned integer above INT64_MAX: its bits */
} gn_operand;

static inline gn_operand gn_operand_expr(gn_expr *e)
{
    gn_operand o = { e, 0, 0, 0 };
    return o;
}
static inline gn_operand gn_operand_double(double v)
{
    gn_operand o = { NULL, v, 0, 1 };
    return o;
}
static inline gn_operand gn_operand_int(int64_t v)
{
    gn_operand o = { NULL, 0, v, 2 };
    return o;
}
static inline gn_operand gn_operand_uint(uint64_t v)
{
    gn_operand o = { NULL, (double)v, (int64_t)v, v > INT64_MAX ? 3 : 2 };
    return o;
}
static inline gn_operand gn_operand_ldouble(long double v)
{
    return gn_operand_double((double)v);
}
typedef struct gn_axes {
    int n;
    const int *at;
} gn_axes;
typedef struct gn_exprs {
    size_t n;
    gn_expr *const *at;
} gn_exprs;
#ifdef __cplusplus
} /* extern "C" */
/* Overloads where C has _Generic, and lists that live as long as the expression they stand in, as C's compound literals nearly do. */
inline gn_operand gn_operand_of(gn_expr *e) { return gn_operand_expr(e); }
inline gn_operand gn_operand_of(float v) { return gn_operand_double(static_cast<double>(v)); }
inline gn_operand gn_operand_of(double v) { return gn_operand_double(v); }
inline gn_operand gn_operand_of(long double v) { return gn_operand_ldouble(v); }
inline gn_operand gn_operand_of(bool v) { return gn_operand_int(v); }
inline gn_operand gn_operand_of(char v) { return gn_operand_int(v); }
inline gn_operand gn_operand_of(signed char v) { return gn_operand_int(v); }
inline gn_operand gn_operand_of(short v) { return gn_operand_int(v); }
inline gn_operand gn_operand_of(int v) { return gn_operand_int(v); }
inline gn_operand gn_operand_of(long v) { return gn_operand_int(v); }
inline gn_operand gn_operand_of(long long v) { return gn_operand_int(v); }
inline gn_operand gn_operand_of(unsigned char v) { return gn_operand_uint(v); }
inline gn_operand gn_operand_of(unsigned short v) { return gn_operand_uint(v); }
inline gn_operand gn_operand_of(unsigned v) { return gn_operand_uint(v); }
inline gn_operand gn_operand_of(unsigned long v) { return gn_operand_uint(v); }
inline gn_operand gn_operand_of(unsigned long long v) { return gn_operand_uint(v); }
inline gn_axes gn_axes_of(const std::initializer_list<int> &l) { return { static_cast<int>(l.size()), l.begin() }; }
inline gn_exprs gn_exprs_of(const std::initializer_list<gn_expr *> &l) { return { l.size(), l.begin() }; }
#define GN_OP(x) gn_operand_of(x)
#define GN_AXES(...) gn_axes_of({ __VA_ARGS__ })
#define GN_EXPRS(...) gn_exprs_of({ __VA_ARGS__ })
extern "C" {
#else
#define GN_OP(x) _Generic((x), gn_expr *: gn_operand_expr, float: gn_operand_double, double: gn_operand_double, \
    long double: gn_operand_ldouble, _Bool: gn_operand_int, char: gn_operand_int, signed char: gn_operand_int, short: gn_operand_int, \
    int: gn_operand_int, long: gn_operand_int, long long: gn_operand_int, unsigned char: gn_operand_uint, \
    unsigned short: gn_operand_uint, unsigned: gn_operand_uint, unsigned long: gn_operand_uint, unsigned long long: gn_operand_uint)(x)

/** A list of axes; negative ones count from the end. */
#define GN_AXES(...) ((gn_axes){ (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)), (const int[]){ __VA_ARGS__ } })
/** A list of expressions. */
#define GN_EXPRS(...) ((gn_exprs){ sizeof((gn_expr *[]){ __VA_ARGS__ }) / sizeof(gn_expr *), (gn_expr *[]){ __VA_ARGS__ } })
#endif

/** A named input. `shape` is printf-formatted, extents separated by commas: numbers, names and + - * / % min max of them ("batch, 784",
 *  "2*n+1"); "()" is a scalar. A name stands for one extent throughout the graph and is bound at each call by an input that has it as an
 *  extent of its own. Names of inputs and variables: a letter or _, then letters, digits and _ . / - ("encoder/3.w").
 *  Shapes    at most GN_MAX_RANK extents; extents of 0 are fine.
 *  Errors    GN_ESYNTAX in the shape; GN_EINVAL if the name is taken or none; GN_EDTYPE; GN_ESHAPE for a negative extent; GN_ENOMEM if the
 *            bytes overflow. */
GN_API gn_expr *gn_input_at(gn_loc, gn_graph *, const char *name, gn_dtype, const char *shape, ...) GN_PRINTF(5, 6);
#define gn_input(g, name, dtype, ...) gn_input_at(GN_HERE, g, name, dtype, __VA_ARGS__)

/** A shared variable: a leaf with memory of its own, read by functions and written by their updates and by gn_set.
 *  The initial value is copied, whatever its strides; its dtype and shape are the variable's for good.
 *  Errors     GN_EINVAL if the name is taken or none, or the data are NULL; GN_EDTYPE; GN_ESHAPE; GN_ENOMEM.
 *  Ownership  the graph and every function that uses the variable hold a reference. */
GN_API gn_expr *gn_shared_at(gn_loc, gn_graph *, const char *name, gn_array initial);
#define gn_shared(g, name, initial) gn_shared_at(GN_HERE, g, name, initial)
/** Copies the value out of or into a shared variable; dtype and shape must be equal, strides are free.
 *  Errors  GN_EINVAL for NULL or what is no variable; GN_EDTYPE; GN_ESHAPE.
 *  Thread safety: any thread may call them while functions run: gn_get reads beside other readers, gn_set waits for them; a call that
 *  updates the variable is seen as a whole. One variable at a time: two gn_get may stand on both sides of an update of both. */
GN_API gn_status gn_get(const gn_expr *variable, gn_array out);
GN_API gn_status gn_set(gn_expr *variable, gn_array in);

/** A constant: a copy of an array, or one number as a scalar.  Gradient  none.
 *  Errors  GN_EDTYPE, also for a number that does not fit (300 in u8, 0.5 in i32, 1e39 in f32); GN_ESHAPE; GN_EINVAL for NULL data;
 *          GN_ENOMEM from 4 GiB on. */
GN_API gn_expr *gn_constant_at(gn_loc, gn_graph *, gn_array);
GN_API gn_expr *gn_number_at(gn_loc, gn_graph *, gn_dtype, gn_operand number);
#define gn_constant(g, array) gn_constant_at(GN_HERE, g, array)
#define gn_number(g, dtype, v) gn_number_at(GN_HERE, g, dtype, GN_OP(v))

/** An extent of x as an i64 scalar.  Gradient  none.  Errors  GN_EAXIS. */
GN_API gn_expr *gn_dim_at(gn_loc, gn_expr *x, int axis);
#define gn_dim(x, axis) gn_dim_at(GN_HERE, x, axis)

/** Names what is built until the matching pop; nested names are joined: "encoder/3". Shows in
 *  messages, and tells apart the random numbers of equal names. */
GN_API void gn_scope_push(gn_graph *, const char *name);
GN_API void gn_scope_pop(gn_graph *);

/** dtype and rank; no dtype (gn_dtype_name gives NULL) and -1 for NULL, an error node or a tuple. */
GN_API gn_dtype gn_dtype_of(const gn_expr *);
GN_API int gn_rank_of(const gn_expr *);
/** "f32 (batch, 784)"; valid until the graph is freed. */
GN_API const char *gn_type_text(const gn_expr *);

/** The text form (docs/text-form.md) of what `outputs` depend on, constants included; release with gn_text_free.
 *  NULL if memory ran out, or an output is NULL, failed or of another graph: gn_message() says which. */
GN_API char *gn_graph_print(gn_graph *, gn_exprs outputs);
GN_API void gn_text_free(char *);

#ifdef __cplusplus
}
#endif
