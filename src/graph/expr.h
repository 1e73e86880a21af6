/* Types, attributes and nodes: the one representation from the user's expression to the optimized graph.
 *
 * Everything here is immutable and interned in its graph, so equal things are equal pointers. A gn_graph is the user's
 * graph or the private copy that a compile makes; the optimizer rewrites the latter by building new nodes in it. */
#pragma once
#include <gnomon/graph.h>
#include "dim.h"
#include "dtype.h"
#include "lint.h"
#include "vec.h"

typedef struct gn_op_info gn_op_info;

/* A tensor, or a tuple of tensors (consumed by proj only). An error node's type has kind GN_TYPE_ERROR. */
typedef enum { GN_TYPE_TENSOR, GN_TYPE_TUPLE, GN_TYPE_ERROR } gn_type_kind;
typedef struct gn_type {
    gn_graph *graph;           /* NULL only in the static error node's */
    uint8_t kind;              /* gn_type_kind */
    uint8_t dtype;             /* TENSOR: gn_dtype */
    uint16_t n;                /* TENSOR: rank; TUPLE: number of elements */
    union {
        const gn_dim *const *dim;
        const struct gn_type *const *elem;
    };
} gn_type;

/* A closed lambda: parameters by position are (param i) leaves of the given types; captures have become operands of the
 * node that holds it. Regions that differ only in names are one pointer. */
typedef struct gn_region {
    uint32_t nparam, nout;
    const gn_type *const *param;
    gn_expr *const *out;
} gn_region;

/* Attribute values, in the order the op declares them (gn_op_info.attrs). */
typedef enum {
    GN_ATTR_INT, GN_ATTR_INTS, GN_ATTR_DIMS, GN_ATTR_FLOAT, GN_ATTR_DTYPE, GN_ATTR_NAME, GN_ATTR_REGION, GN_ATTR_DATA
} gn_attr_kind;
typedef struct gn_attr {
    uint8_t kind;              /* gn_attr_kind */
    uint32_t n;                /* INTS, DIMS: how many; DATA: bytes */
    union {
        int64_t i;             /* INT, DTYPE */
        double f;              /* FLOAT; compared by bits */
        const int64_t *ints;
        const gn_dim *const *dims;
        const char *name;      /* interned in the graph */
        const gn_region *region;
        const void *data;      /* DATA: row-major elements of a constant */
    };
} gn_attr;

struct gn_expr {
    const gn_op_info *op;
    const gn_type *type;
    const gn_attr *attr;       /* op->nattr of them; NULL if none */
    uint32_t id;               /* creation order in its graph; in a compiled copy the canonical topological number */
    uint32_t nin;
    const gn_expr *number;     /* the one element that views and casts of it repeat here: a constant; NULL: there is none */
    gn_expr *in[];
};

typedef struct gn_origin {     /* where the user built a node; a node that was built twice has two */
    gn_loc loc;
    const char *scope;         /* "" at top level */
    const struct gn_origin *next;
} gn_origin;

typedef struct gn_constraint { /* two extents that must agree at the call, kept on the node whose type rule needed it */
    const gn_dim *a, *b;
    gn_loc loc;
    const char *text;          /* "matmul: inner extents of x f32 (n, 3), w f32 (k, 4)" */
    gn_loc again;              /* where the node was built again, last; no file: it was built once */
} gn_constraint;

typedef GN_VEC(gn_constraint) gn_constraints;

typedef struct gn_builder {
    const char *name;
    size_t n;
    gn_expr *const *operand; /* as the user gave them; NULL where a number stands */
    const char *text;        /* shape or ranges as the user wrote them; NULL: the builder takes none */
} gn_builder;

struct gn_graph {
    gn_context *context;
    gn_arena arena;
    gn_symbols symbols;
    gn_dim_pool dims;
    gn_intern_set types, exprs, regions;
    GN_VEC(gn_expr *) nodes;         /* by id; operands before users */
    GN_VEC(const gn_origin *) origins; /* by id; newest first, NULL in private graphs */
    gn_map constraints;              /* node id -> its gn_constraints; most have none */
    gn_constraints pending;          /* of the node whose type rule is at work */
    GN_VEC(gn_expr *) inputs, variables, params;
    GN_VEC(struct gn_variable *) kept; /* references to release with the graph */
    gn_map storage;                  /* of variables, by node id */
    gn_map names;                    /* name symbol -> input or variable */
    gn_expr *error;                  /* this graph's error node */
    gn_status status;                /* of the first error since the last check */
    const char *message;             /* its sentence; NULL if there was no memory for it */
    gn_status failed; /* of the last error that made the error node, and its sentence: compiling that node tells it again */
    const char *failed_message;
    GN_VEC(const char *) scopes;
    gn_map linted;                   /* kind and line -> told */
    gn_map drops;                    /* key and step of a dropout -> its node */
    const char *file;                /* of the last builder, interned */
    gn_loc here;                     /* of the builder at work, its file interned: becomes the origin of what it makes */
    const struct gn_builder *builder; /* its name and operands, for words; NULL outside of builders */
    uint32_t relax;                  /* gn_relax flags */
    uint64_t seed;
};
enum { GN_RELAX_REASSOCIATE = 1, GN_RELAX_FINITE = 2, GN_RELAX_APPROXIMATE = 4 };

/* Types. Throw on overflow of constant sizes. */
const gn_type *gn_type_tensor(gn_graph *, gn_dtype, size_t rank, const gn_dim *const *dim);
const gn_type *gn_type_tuple(gn_graph *, size_t n, const gn_type *const *elem);
void gn_type_show(gn_text *, const gn_type *); /* "f32 (batch, 784)" */

/* The one way to make a node: checks arity and dtypes, runs the op's type rule, folds nothing, interns. attr in the
 * order the op declares; copied. Throws with a sentence that names op and operands. An error operand gives the error
 * node. */
gn_expr *gn_node(gn_graph *, const gn_op_info *, gn_expr *const *in, size_t nin, const gn_attr *attr);
/* Leaves that have no type rule: input, variable, constant, param. The type is part of their identity. */
gn_expr *gn_leaf_node(gn_graph *, const gn_op_info *, const gn_type *, const gn_attr *attr);
gn_expr *gn_constant_node(gn_graph *, const gn_type *, const void *data, size_t size); /* row-major elements, copied */
const gn_region *gn_region_make(gn_graph *, size_t nparam, const gn_type *const *param, size_t nout, gn_expr *const *out);
gn_expr *gn_param_node(gn_graph *, size_t index, const gn_type *); /* leaf of a region's body */
/* The body of a region with operands in place of its parameters; out has region->nout places. */
void gn_region_inline(gn_graph *, const gn_region *, gn_expr *const *args, gn_expr **out);

bool gn_attr_same(const gn_attr *, const gn_attr *);
void gn_attr_print_list(gn_text *, const gn_attr *); /* of kind INTS or DIMS: "(0 2)" */
const gn_attr *gn_attr_of(const gn_expr *, const char *name); /* asserts that the op declares it */
static inline gn_graph *gn_graph_in(const gn_expr *e) { return e->type->graph; }
static inline bool gn_is_error(const gn_expr *e) { return e->type->kind == GN_TYPE_ERROR; }
const gn_origin *gn_origin_of(const gn_expr *); /* newest first; NULL if none is known */
gn_constraints gn_constraints_of(const gn_expr *);
struct gn_variable *gn_variable_of(const gn_expr *); /* the storage of a variable; NULL in a parsed graph */

/* The type that the op's rule gives; checks arity and dtypes. Constraints are left in `pending`. */
const gn_type *gn_infer_type(gn_graph *, const gn_op_info *, gn_expr *const *in, size_t nin, const gn_attr *attr);

/* ---- for type rules: what must hold of extents. For no size: throws GN_ESHAPE; for some: a gn_constraint on the node
 * that is being made. ---- */

/* "WHAT differ: A and B" */
void gn_infer_equal(gn_graph *, const char *op, gn_expr *const *in, size_t n, const gn_dim *a, const gn_dim *b,
                    const char *what);
/* "WHAT is BIG, at least SMALL is needed" */
void gn_infer_at_least(gn_graph *, const char *op, gn_expr *const *in, size_t n, const gn_dim *big, const gn_dim *small,
                       const char *what);
/* As gn_infer_equal; the extent that a and b share: known ones win. */
const gn_dim *gn_infer_extent(gn_graph *, const char *op, gn_expr *const *in, size_t n, const gn_dim *a,
                              const gn_dim *b, const char *what);
/* dtype with the common shape of all operands. */
const gn_type *gn_infer_same_shape(gn_graph *, const char *op, gn_expr *const *in, size_t n, gn_dtype);
/* Every extent of a result is at least 0: asked of every node, whatever its op. */
void gn_infer_extents_exist(gn_graph *, const char *op, gn_expr *const *in, size_t n, const gn_type *);
/* for no sizes of their names but where one is 0 */
bool gn_dim_never_equal(gn_dim_pool *, const gn_dim *a, const gn_dim *b);
/* The constraint a = b says that b is at least *least. */
bool gn_constraint_is_bound(const gn_dim *a, const gn_dim *b, const gn_dim **least);

/* Visits all nodes that `roots` depend on, operands before users, in the order of operands; regions are attributes and
 * not entered. Not recursive: graphs are deep. The result lies in `arena`. */
typedef GN_VEC(gn_expr *) gn_expr_list;
const void *gn_expr_operand(const void *node, size_t i); /* for a gn_visit over nodes */
gn_expr_list gn_reachable(gn_arena *arena, size_t n, gn_expr *const *roots);

void gn_expr_describe(gn_text *, const gn_expr *); /* "x f32 (batch, 784)", "matmul f32 (batch, 10)" */
/* Says where a user's mistake lies: "FILE:LINE: OP: sentence" and a line per operand with type and place. */
_Noreturn void gn_throw_at(gn_graph *, gn_status, const char *op, gn_expr *const *operand, size_t n, const char *format,
                           ...) __attribute__((format(printf, 6, 7)));

/* Around a public builder's body: protects, and on a throw keeps the message in the graph and returns its error node.
 * `body` returns the node. A NULL graph (no operand has one) gives the static error node. */
gn_expr *gn_build(gn_loc, gn_graph *, gn_expr *(*body)(gn_graph *, void *), void *arg);
/* Reports NULL and operands of another graph, and passes error nodes on: the builder around it returns the error node. */
void gn_check_exprs(gn_graph *, const char *op, size_t n, gn_expr *const *);
/* A number as a scalar constant of a dtype; throws if it does not fit. */
gn_expr *gn_number_node(gn_graph *, const char *op, gn_dtype, const gn_operand *number);
/* Inserts broadcast nodes until all have one shape by NumPy's rule; only extents known to be 1 are repeated. */
void gn_broadcast_common(gn_graph *, const char *op, size_t n, gn_expr **exprs);
/* An axis counted from the front; throws GN_EAXIS. */
int gn_axis(gn_graph *, const char *op, gn_expr *x, int axis, int rank);

/* Within a builder: tells a lint with the builder's line and name, once for each line. */
void gn_lint(gn_graph *, gn_lint_kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* operands and shape of their result */
void gn_lint_broadcast(gn_graph *, size_t n, gn_expr *const *, size_t rank, const gn_dim *const *dim);

/* A graph of its own for passes and parsed files, without origins. Throws. Release with gn_graph_free. */
gn_graph *gn_graph_private(gn_context *);
/* Leaves of such a graph. Throw GN_EINVAL if the name is taken. `storage` may be NULL; the graph keeps a reference. */
gn_expr *gn_input_node(gn_graph *, const char *name, const gn_type *);
gn_expr *gn_variable_node(gn_graph *, const char *name, const gn_type *, struct gn_variable *storage);
/* The status of an error node: its message is set. */
gn_status gn_error_of(const gn_expr *);
