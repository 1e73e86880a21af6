/* Logical kernels: what is computed, without any order.
 *
 *     (kernel softmax (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))
 *       (def m (i) (max (j) (load X i j)))
 *       (def e (i j) (exp (sub (load X i j) (m i))))
 *       (def s (i) (sum (j) (e i j)))
 *       (store set Y (i j) (div (e i j) (s i))))
 *
 * Text, grammar, meaning and the checks of gn_kernel_verify: docs/kernel-text.md. A kernel, its expressions and dims
 * live in one arena. */
#pragma once
#include "dim.h"
#include "dtype.h"
#include "op.h"
#include "visit.h"

/* What an axis is for, as the automatic schedules ask (roles.h). Where two axes become one, the larger role stays. */
typedef enum {
    GN_ROLE_NONE,
    GN_ROLE_BATCH, /* kept by a contraction beside m and n */
    GN_ROLE_ROW,   /* blocks of it are parts */
    GN_ROLE_PART,  /* likewise, and sums run along it: each part has its own */
    GN_ROLE_LANE,
    GN_ROLE_M,     /* rows and columns of a contraction, and what it sums over */
    GN_ROLE_N,
    GN_ROLE_K
} gn_role;

typedef struct gn_kaxis {
    const char *name;
    const gn_dim *extent;        /* over symbols and axes of lower index */
    uint8_t role;                /* gn_role */
    int64_t max;                 /* it has no more points; 0: nobody knows */
} gn_kaxis;

/* A small program is several kernels in one. Axes and items of a piece end where those of the next begin. */
typedef struct gn_kernel_piece {
    uint32_t first_axis, first_item;
} gn_kernel_piece;

typedef enum { GN_KBUF_READ = 1, GN_KBUF_WRITE = 2 } gn_kbuf_access;
typedef struct gn_kbuf {
    const char *name;
    gn_dtype dtype;
    uint8_t rank, access;        /* gn_kbuf_access bits, derived from the items */
    const gn_dim *const *shape;
    const gn_dim *const *stride; /* elements per step of each dim; NULL: row-major */
    const gn_dim *below;         /* a call has checked that all elements lie in [0, below); NULL: it has not */
    int32_t shares; /* the buffer whose memory it is and whose elements it starts with; -1: memory of its own */
} gn_kbuf;

typedef enum {
    GN_K_CONST,  /* u.f or u.i by dtype */
    GN_K_INDEX,  /* an index expression as a value of dtype: u.index */
    GN_K_LOAD,   /* buffer u.ref at index[0..nindex) */
    GN_K_REF,    /* definition u.ref at index[0..nindex); of a fold, value number `part` of its state */
    GN_K_IF,     /* cond ? a[0] : a[1], lazily: a load in the branch not taken is not executed */
    GN_K_OP,     /* u.op over a[0..n) */
    GN_K_STATE,  /* in a fold: value number `part` of its state; u.i: 1 in a merge, of the state that is merged in */
    GN_K_TUPLE   /* the root of a fold's expressions: a[0..n), one for each value of the state */
} gn_kexpr_kind;

typedef enum { GN_K_LT, GN_K_EQ } gn_kcond_kind;
typedef struct gn_kcond {        /* index comparisons, all of which must hold */
    uint8_t kind;
    const gn_dim *a, *b;
} gn_kcond;

typedef struct gn_kexpr {
    uint8_t kind, dtype;
    uint16_t n, nindex, ncond, part;
    uint32_t id;                 /* creation order in its kernel */
    union {
        double f;
        int64_t i;
        const gn_dim *index;
        uint32_t ref;
        const gn_op_info *op;
    } u;
    const struct gn_kexpr *const *a;
    const gn_dim *const *index;
    const gn_kcond *cond;
} gn_kexpr;                      /* interned in its kernel */

typedef enum {
    GN_RED_NONE,
    GN_RED_SUM,
    GN_RED_PROD,
    GN_RED_MAX,
    GN_RED_MIN,
    GN_RED_ANY,
    GN_RED_ALL,
    GN_RED_FOLD
} gn_red;

enum { GN_FOLD_MOST = 8 };       /* values of a state */
typedef struct gn_kfold {        /* a reduction to a tuple of values, its state */
    const char *const *name;     /* of each value */
    const gn_kexpr *start, *merge; /* tuples: numbers; the state with another one merged into it */
} gn_kfold;

typedef struct gn_kdef {
    const char *name;
    uint16_t nparam, nraxis;
    const uint16_t *param, *raxis; /* axes by index */
    gn_red red;
    gn_dtype dtype;              /* of a fold: of the first value */
    const gn_kexpr *body;        /* of a fold its step, a tuple: the state after a point, over that before it */
    const gn_kfold *fold;        /* NULL: none */
} gn_kdef;

/* A reduction along one of its own parameters, a prefix: its value is that of the points up to there. */
static inline bool gn_is_prefix(const gn_kdef *d)
{
    bool is_param = false;
    for (uint16_t p = 0; p < d->nparam; p++) is_param |= d->nraxis && d->param[p] == d->raxis[0];
    return is_param;
}

typedef enum { GN_STORE_SET, GN_STORE_ADD, GN_STORE_MAX } gn_store_kind;
typedef struct gn_kstore {
    uint8_t kind;
    uint32_t buf;
    const gn_dim *const *index;  /* rank of the buffer */
    const gn_kexpr *value;
} gn_kstore;

typedef struct gn_kitem {        /* definitions and stores in text order */
    bool is_store;
    uint32_t at;                 /* index into defs or stores */
} gn_kitem;

typedef struct gn_ksym {
    const char *name;
    int64_t mul, min, is;        /* :mul (1 if none), :min (0), :is (-1 if none) */
} gn_ksym;

typedef struct gn_kernel {
    gn_arena *arena;
    gn_dim_pool *dims;
    gn_intern_set exprs, names;
    gn_map last_number;          /* of names made from one text, by that text */
    uint32_t nexprs;
    const char *name;
    /* what it computes, for the head of generated source; may have several lines; NULL if none */
    const char *comment;
    GN_VEC(gn_ksym) syms;
    GN_VEC(gn_kbuf) bufs;
    GN_VEC(gn_kaxis) axes;
    GN_VEC(gn_kdef) defs;
    GN_VEC(gn_kstore) stores;
    GN_VEC(gn_kitem) items;
    GN_VEC(gn_kernel_piece) pieces; /* of a small program, which is one function; else none */
} gn_kernel;

/* Building. Names must be unique among symbols, axes, buffers and definitions of the kernel. */
gn_kernel *gn_kernel_new(gn_arena *, const char *name); /* with a dim pool of its own */
uint32_t gn_kernel_sym(gn_kernel *, const char *name);  /* returns the one that is already there */
uint32_t gn_kernel_buf(gn_kernel *, const char *name, gn_dtype, size_t rank, const gn_dim *const *shape);
uint32_t gn_kernel_axis(gn_kernel *, const char *name, const gn_dim *extent);
uint32_t gn_kernel_def(gn_kernel *, const char *name, size_t nparam, const uint16_t *param, gn_red, size_t nraxis,
                       const uint16_t *raxis, const gn_kexpr *body);
uint32_t gn_kernel_add(gn_kernel *, const char *name, gn_kdef); /* all but name and dtype are taken */
void gn_kernel_store(gn_kernel *, gn_store_kind, uint32_t buf, const gn_dim *const *index, const gn_kexpr *value);
const gn_kexpr *gn_kexpr_const(gn_kernel *, gn_dtype, double);
const gn_kexpr *gn_kexpr_int(gn_kernel *, gn_dtype, int64_t);
const gn_kexpr *gn_kexpr_index(gn_kernel *, gn_dtype, const gn_dim *);
const gn_kexpr *gn_kexpr_load(gn_kernel *, uint32_t buf, const gn_dim *const *index);
const gn_kexpr *gn_kexpr_ref(gn_kernel *, uint32_t def, const gn_dim *const *index);
const gn_kexpr *gn_kexpr_part(gn_kernel *, uint32_t def, uint16_t part, const gn_dim *const *index); /* of a fold */
const gn_kexpr *gn_kexpr_state(gn_kernel *, gn_dtype, uint16_t part, bool other);
const gn_kexpr *gn_kexpr_tuple(gn_kernel *, const gn_kexpr *const *a, size_t n);
const gn_kexpr *gn_kexpr_if(gn_kernel *, size_t ncond, const gn_kcond *, const gn_kexpr *yes, const gn_kexpr *no);
/* Result dtype: bool for comparisons, `dtype` for casts, else the operands'. */
const gn_kexpr *gn_kexpr_op(gn_kernel *, const gn_op_info *, gn_dtype dtype, const gn_kexpr *const *a, size_t n);
/* The i-th operand, NULL past the last: for gn_visit (visit.h), the one way to walk expressions, which share operands.
 * What a reference refers to is none of its operands. */
const void *gn_kexpr_operand(const void *expr, size_t i);
/* Its own index expressions, those of its conditions included. */
void gn_kexpr_dims(const gn_kexpr *, void (*meet)(void *user, const gn_dim *), void *user);
/* It loads from the buffer, or an index or a condition in it does. */
bool gn_kexpr_reads(const gn_kernel *, const gn_kexpr *root, gn_arena *scratch, const char *buffer);

/* Axes that are mentioned, as bits: in a dim; in an expression's own indices and conditions; in all of it. */
uint64_t gn_dim_axes(const gn_kernel *, const gn_dim *);
uint64_t gn_kexpr_own_axes(const gn_kernel *, const gn_kexpr *);
uint64_t gn_kexpr_axes(const gn_kernel *, const gn_kexpr *, gn_arena *scratch);
/* A walk over the expressions of all definitions and stores, each once. */
gn_visit gn_kernel_visit(const gn_kernel *, gn_arena *scratch);
bool gn_kexpr_index_loads(const gn_kexpr *);                          /* an own index or condition of it does */
bool gn_kexpr_is_own(const gn_kernel *, const gn_kexpr *ref);         /* at the definition's own parameters */
int32_t gn_kernel_plain_axis(const gn_kernel *, const gn_dim *index); /* that it is, alone; -1 */
static inline bool gn_has_axis(const uint16_t *axis, size_t n, uint32_t a)
{
    for (size_t i = 0; i < n; i++)
        if (axis[i] == a) return true;
    return false;
}

static inline bool gn_def_keeps(const gn_kdef *d, uint32_t axis) { return gn_has_axis(d->param, d->nparam, axis); }
/* also of NULL, which a schedule has for a store */
static inline bool gn_def_reduces(const gn_kdef *d, uint32_t axis)
{
    return d && d->red != GN_RED_NONE && gn_has_axis(d->raxis, d->nraxis, axis);
}

typedef struct gn_kparts { /* what an expression is made of */
    const gn_dim *const *index;
    const gn_kcond *cond;
    const gn_kexpr *const *a;
    const gn_dim *at; /* INDEX */
    uint32_t def;     /* REF */
} gn_kparts;
const gn_kexpr *gn_kexpr_of_parts(gn_kernel *, const gn_kexpr *like, const gn_kparts *);

/* Writes expressions anew, perhaps in another kernel: indices through `dim`, loads and references as `leaf` makes them. */
typedef struct gn_kcopy {
    gn_kernel *to;
    const gn_dim *(*dim)(void *user, const gn_dim *);
    const gn_kexpr *(*leaf)(void *user, const gn_kexpr *);
    void *user;
    const gn_kexpr *(*state)(void *user, const gn_kexpr *); /* of folds; NULL: as it is */
    gn_visit visit;              /* of gn_kexpr_operand; what was met has its copy */
    gn_map copies;
} gn_kcopy;
gn_kcopy gn_kcopy_start(gn_kernel *to, gn_arena *scratch, const gn_dim *(*dim)(void *user, const gn_dim *),
                        const gn_kexpr *(*leaf)(void *user, const gn_kexpr *), void *user);
const gn_kexpr *gn_kexpr_copy(gn_kcopy *, const gn_kexpr *); /* each is copied once */
gn_kdef gn_kdef_copy(gn_kcopy *, const gn_kdef *); /* what it is made of; the axes are those that it had */

int32_t gn_kernel_find_axis(const gn_kernel *, const char *name); /* -1: none; likewise below */
int32_t gn_kernel_find_buf(const gn_kernel *, const char *name);
int32_t gn_kernel_find_def(const gn_kernel *, const char *name);
int32_t gn_kernel_find_sym(const gn_kernel *, const char *name);
bool gn_kernel_has_name(const gn_kernel *, const char *name); /* any of them */
/* A name that the kernel does not have, near `wanted`, which may be any text; unlike those in `reserved`. kernel_name.c */
const char *gn_kernel_fresh_name(gn_kernel *, const char *wanted, size_t nreserved, const char *const *reserved);
/* Element index of a place in a buffer: sum of index times stride. */
const gn_dim *gn_kernel_flat(const gn_kernel *, uint32_t buf, const gn_dim *const *index);

/* Elements from the first to the last; of a buffer with strides, if it has any. */
const gn_dim *gn_kernel_size(const gn_kernel *, uint32_t buf);

/* The operation of a reduction and what it starts from, for a dtype. */
const gn_op_info *gn_red_op(gn_red);
const gn_kexpr *gn_red_start(gn_kernel *, gn_red, gn_dtype);
double gn_red_start_float(gn_red);
int64_t gn_red_start_int(gn_red, gn_dtype);
const char *gn_red_name(gn_red);

/* Text. gn_kernel_read throws GN_ESYNTAX with line and column; printing and reading are inverse. */
gn_kernel *gn_kernel_read(gn_arena *, const char *file, const gn_sx *);
void gn_kernel_print(gn_text *, const gn_kernel *);
void gn_kcond_print(gn_text *, const gn_kcond *);
void gn_ksym_print(gn_text *, const gn_ksym *); /* with a space before it */
void gn_ksym_read_facts(gn_ksym *, const char *file, const gn_sx *); /* of the list (NAME fact ..) */
/* Throws GN_EINTERNAL (or GN_ESYNTAX for a kernel from a file) with the sentence of the rule that does not hold. */
void gn_kernel_verify(const gn_kernel *);
/* Stores in each element what stands there already, in a buffer that shares memory: nothing is to be done. */
bool gn_store_is_idle(const gn_kernel *, const gn_kstore *);

/* Makes the expressions that a run starts its reductions with. Once that is done, runs leave the kernel as it is, so
 * that threads may interpret it at once; the first run does it otherwise. */
void gn_kernel_prepare(gn_kernel *);
/* The meaning: runs the kernel definition by definition in double (integers exactly), no schedule involved.
 * buffers: row-major data of each buf; sym: value of each symbol. */
void gn_kernel_interpret(const gn_kernel *, void *const *buffers, const int64_t *sym, gn_arena *scratch);
