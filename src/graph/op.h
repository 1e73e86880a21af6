/* An op is one record: everything the compiler knows about it. Adding one: its record in ops/<family>.c, a line in
 * ops.def, the declared builder in include/gnomon/ops.h, sample inputs in tests/graph/samples.c. Nothing else lists ops
 * by hand. */
#pragma once
#include "expr.h"

enum { /* traits */
    GN_ELEMWISE = 1,         /* same shape in and out, element by element */
    GN_COMMUTES = 2,         /* two operands may be exchanged */
    GN_FLOAT_OUT = 4,        /* integer operands are promoted to f32 */
    GN_BOOL_OUT = 8,
    GN_KERNEL_ONLY = 16,     /* appears in math bodies and kernels, has no public builder (fma, bitcast, ...) */
    GN_COMPOSITE = 32,       /* has `expand`; gone after the pass `decompose` */
    GN_LEAF = 64,            /* input, variable, constant, param, iota: no operands */
    GN_VIEW_OP = 128,        /* moves elements, computes nothing: every output element is one input element or a fill */
    GN_REDUCE = 256,
    GN_EFFECT = 512
};

typedef struct gn_attr_spec {
    const char *name;
    uint8_t kind;            /* gn_attr_kind */
    uint8_t count;           /* INTS, DIMS: how many; 0: one an axis, at most GN_MAX_RANK. gn_node checks it */
    uint32_t dtypes;         /* DTYPE: which, as a bit set; 0: any */
} gn_attr_spec;

/* dtypes an op takes, as bit sets over gn_dtype */
#define GN_BIT(t) (1u << (t))
#define GN_FLOATS (GN_BIT(GN_F16) | GN_BIT(GN_BF16) | GN_BIT(GN_F32) | GN_BIT(GN_F64))
#define GN_INTS (GN_BIT(GN_I8) | GN_BIT(GN_I16) | GN_BIT(GN_I32) | GN_BIT(GN_I64) | \
                 GN_BIT(GN_U8) | GN_BIT(GN_U16) | GN_BIT(GN_U32) | GN_BIT(GN_U64))
#define GN_NUMBERS (GN_FLOATS | GN_INTS)
#define GN_ANY_DTYPE (GN_NUMBERS | GN_BIT(GN_BOOL))

/* One element in the reference evaluator. Floats in long double, integers exactly; `err` bounds |value - true value|. */
typedef struct gn_ref {
    gn_dtype dtype;
    long double f;           /* floats */
    int64_t i;               /* bool and signed; unsigned as its bits */
    long double err;
    /* the value could be another one within its operands' bounds (floor, compare): not comparable */
    bool jump;
} gn_ref;

struct gn_tensor;            /* a whole value in the evaluator: evaluate.h */

struct gn_op_info {
    const char *name;
    int arity;               /* -1: any number */
    uint32_t traits;
    /* what operands may be (elementwise ops: all operands, but see ops like select that check themselves) */
    uint32_t dtypes;
    const gn_attr_spec *attrs;
    uint32_t nattr;

    /* Result type from operands and attributes; NULL for elementwise: the common shape and promoted dtype. Throws by
     * gn_throw_at. */
    const gn_type *(*infer)(gn_graph *, gn_expr *const *in, size_t nin, const gn_attr *attr);

    /* Reference: one element (elementwise), or the whole value. A composite's is its body, unless it has one of its own. */
    void (*eval)(gn_ref *out, const gn_ref *in, const gn_expr *e);
    void (*eval_whole)(struct gn_tensor *out, const struct gn_tensor *const *in, const gn_expr *e, gn_arena *);

    /* Derivatives. Text per operand, linear in g, over operands a b c.. (or x), the output y and the cotangent g: both
     * modes share it. Otherwise vjp and jvp as functions (a linear op's transpose is its vjp; `linear` says that jvp is
     * the op itself). not_differentiable is a decision with its reason. */
    const char *deriv[4];
    void (*vjp)(gn_graph *, gn_expr *y, gn_expr *g, gn_expr **gin);           /* gin[i] NULL: no contribution */
    gn_expr *(*jvp)(gn_graph *, gn_expr *y, gn_expr *const *t);               /* t[i] NULL: zero */
    bool linear;
    const char *not_differentiable;

    /* Kernel-expression text over x (or a b c..) for a float dtype, where targets have no instruction: NULL if they
     * have one. */
    const char *body_f32, *body_f64;

    /* Composites: the body over params 0..nin-1 of the operands' types. */
    const gn_region *(*expand)(gn_graph *, const gn_type *const *in, size_t nin, const gn_attr *attr);

    const char *gloss;       /* one line for docs: what it computes */
};

#define GN_OP_DEF(name) extern const gn_op_info gn_op_##name;
#include "ops.def"
#undef GN_OP_DEF
extern const gn_op_info *const gn_ops[];
extern const size_t gn_nops;
const gn_op_info *gn_op_find(const char *name); /* NULL if there is none */
