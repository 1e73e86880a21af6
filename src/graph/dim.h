/* Dims and index expressions: integer polynomials over atoms, in canonical form and interned, so that equal expressions
 * are one pointer.
 *
 *     dim  := sum of coefficient * product of atoms          (sorted)
 *     atom := symbol | (div a b) | (mod a b) | (min a b) | (max a b) | (load BUFFER index)
 *
 * Division floors, mod has the sign of the divisor; div and mod by 0 give 0. The same type serves graphs (extents over
 * named dims) and kernels (extents and indices over named dims, axes, loop leaves); only a kernel's index may contain
 * load. A pool belongs to one graph, kernel or compile, and to one thread; dims of two pools never meet (gn_dim_import
 * copies). Arithmetic on constants that overflows 64 bits throws GN_ENOMEM "size overflows". */
#pragma once
#include "map.h"
#include "text.h"
#include "sexpr.h"
#include "visit.h"

typedef enum { GN_DIM_SYM, GN_DIM_DIV, GN_DIM_MOD, GN_DIM_MIN, GN_DIM_MAX, GN_DIM_LOAD } gn_atom_kind;

typedef struct gn_dim gn_dim;

typedef struct gn_atom {
    gn_atom_kind kind;
    uint32_t id;              /* position in the pool's creation order; never decides an order that is printed */
    const char *name;         /* SYM: its name; LOAD: the buffer's. Interned in the pool */
    const gn_dim *a, *b;      /* DIV, MOD, MIN, MAX: both; LOAD: a is the flat element index */
    /* What follows from these, noted once, since atoms are shared: */
    /* size: atoms in it, as often as they stand there, at most UINT32_MAX; depth of nesting */
    uint32_t nin, size, depth;
    bool has_load;
    uint64_t symbols;                   /* a bit for each symbol in it, shared by some */
    uint64_t hash;                      /* of names and structure */
    int64_t low, high;                  /* bounds for all values of the symbols; INT64_MIN, INT64_MAX: none */
    const struct gn_atom *const *in;    /* the atoms of a, then of b */
} gn_atom;

typedef struct gn_term {
    int64_t c;                /* not 0 */
    uint32_t n;
    const gn_atom *const *atom; /* n atoms, sorted, repeated for powers; n = 0 is the constant term */
} gn_term;

struct gn_dim {
    uint32_t id, n;           /* n = 0: the dim is 0 */
    const gn_term *term;      /* sorted by atoms' names and structure, the constant last */
};

typedef struct gn_dim_pool {
    gn_arena *arena;
    gn_symbols symbols;
    gn_intern_set atoms, products, dims;
    gn_map quotients, remainders; /* of two dims, by their ids */
    uint32_t natoms, nproducts, ndims;
} gn_dim_pool; /* starts as { .arena = a } */

const gn_dim *gn_dim_const(gn_dim_pool *, int64_t);
const gn_dim *gn_dim_sym(gn_dim_pool *, const char *name);
const gn_dim *gn_dim_load(gn_dim_pool *, const char *buffer, const gn_dim *index);
const gn_dim *gn_dim_add(gn_dim_pool *, const gn_dim *, const gn_dim *);
const gn_dim *gn_dim_sub(gn_dim_pool *, const gn_dim *, const gn_dim *);
const gn_dim *gn_dim_mul(gn_dim_pool *, const gn_dim *, const gn_dim *);
const gn_dim *gn_dim_scale(gn_dim_pool *, const gn_dim *, int64_t);
const gn_dim *gn_dim_div(gn_dim_pool *, const gn_dim *, const gn_dim *); /* floor */
const gn_dim *gn_dim_mod(gn_dim_pool *, const gn_dim *, const gn_dim *);
const gn_dim *gn_dim_cdiv(gn_dim_pool *, const gn_dim *, const gn_dim *); /* (a + b - 1) div b */
const gn_dim *gn_dim_min(gn_dim_pool *, const gn_dim *, const gn_dim *);
const gn_dim *gn_dim_max(gn_dim_pool *, const gn_dim *, const gn_dim *);
const gn_dim *gn_dim_exact(gn_dim_pool *, const gn_dim *a,
                           const gn_dim *b); /* q with q * b = a for all values; NULL if there is none */

bool gn_dim_is_const(const gn_dim *, int64_t *value); /* value may be NULL */
static inline bool gn_dim_is(const gn_dim *d, int64_t v)
{
    int64_t c;
    return gn_dim_is_const(d, &c) && c == v;
}

/* Two extents: the same for every size, different for every size (they differ by a constant that is not 0), or unknown
 * until the call. */
typedef enum { GN_DIM_EQUAL, GN_DIM_DIFFERENT, GN_DIM_UNKNOWN } gn_dim_order;
gn_dim_order gn_dim_compare(const gn_dim *, const gn_dim *);

/* What is known of symbols: value is a multiple of `mul` (0 says nothing), lies in [min, max] (INT64_MIN, INT64_MAX:
 * unknown), is below `limit` (over symbols of earlier facts or without facts; NULL: unknown). A symbol without a fact
 * is >= 0. A fact with the name of a buffer is of its elements; without one they may be anything. */
typedef struct gn_dim_fact {
    const char *name;
    int64_t mul, min, max;
    const gn_dim *limit;
} gn_dim_fact;
typedef struct gn_dim_facts {
    size_t n;
    const gn_dim_fact *at;
} gn_dim_facts;
bool gn_dim_divisible(const gn_dim *, int64_t by, const gn_dim_facts *);
/* Bounds of the value given the facts; INT64_MIN or INT64_MAX where unknown. */
void gn_dim_range(const gn_dim *, const gn_dim_facts *, int64_t *low, int64_t *high);
/* d >= 0 by the facts, `limit` included: N*M - 1 - (i*M + j) is, for i < N and j < M. */
bool gn_dim_nonnegative(gn_dim_pool *, const gn_dim *, const gn_dim_facts *);
/* The same value under the facts, with div, mod, min and max gone where they decide: (i*M + j) div M is i for j < M and
 * M >= 1. */
const gn_dim *gn_dim_simplify(gn_dim_pool *, const gn_dim *, const gn_dim_facts *);

/* Replaces symbols: `of` returns the replacement or NULL to keep it. Loads keep their buffer, their index is
 * substituted. */
typedef const gn_dim *(*gn_dim_map)(void *user, const char *symbol);
const gn_dim *gn_dim_subst(gn_dim_pool *, const gn_dim *, gn_dim_map, void *user);
const gn_dim *gn_dim_import(gn_dim_pool *into, const gn_dim *); /* from another pool */
/* The factor of a symbol where the dim is linear in it: d = result * symbol + rest, rest without the symbol at top level.
 * NULL if the symbol is there as a power. */
const gn_dim *gn_dim_coefficient(gn_dim_pool *, const gn_dim *, const char *symbol);
bool gn_dim_mentions(const gn_dim *, const char *symbol);                            /* anywhere, also inside atoms */
void gn_dim_symbols(const gn_dim *, void (*visit)(void *user, const char *name), void *user);
/* likewise the buffers that it reads */
void gn_dim_loads(const gn_dim *, void (*visit)(void *user, const char *buffer), void *user);
bool gn_dim_has_load(const gn_dim *);
bool gn_dim_reads(const gn_dim *, const char *buffer);

/* Walks. Atoms are shared (x div 7 and x mod 7 share x), so a walk meets each once: those of d that v has not met,
 * operands first, symbols in the order of their first use. v starts as { .arena = a, .operand = gn_atom_operand } and
 * serves any number of dims. */
const void *gn_atom_operand(const void *atom, size_t i);
void gn_dim_meet(gn_visit *v, const gn_dim *, void (*meet)(void *user, const gn_atom *), void *user);
/* What is found in each atom by such walks (dim_parts.h). */
typedef struct gn_dim_walk {
    gn_arena *arena;
    void (*find)(void *user, const gn_atom *); /* calls gn_dim_walk_set; operands were found before */
    void *user;
    gn_visit visit;
    gn_map found;
    bool busy;
} gn_dim_walk; /* starts with the first three */

/* gn_dim_subst for many dims: what was replaced in one is known for the next. `map` and `user` stay the same. */
typedef struct gn_dim_replacing {
    gn_dim_pool *pool; /* of the results */
    gn_dim_map map;
    void *user;
    gn_arena *arena;   /* for what is remembered */
    gn_dim_walk walk;
} gn_dim_replacing; /* starts with the first four */
const gn_dim *gn_dim_replace(gn_dim_replacing *, const gn_dim *);

/* The value for given symbols; false if it overflows or a symbol is unknown. `load` may be NULL if there are none. */
typedef bool (*gn_dim_value)(void *user, const char *symbol, int64_t *out);
typedef bool (*gn_dim_fetch)(void *user, const char *buffer, int64_t index, int64_t *out);
bool gn_dim_eval(const gn_dim *, gn_dim_value, gn_dim_fetch load, void *user, int64_t *out);

/* As a text "2*n+1", "min(n, 64)", as used in messages, where a long one ends in ".."; and as an s-expression "(add
 * (mul 2 n) 1)", which gn_dim_read reads back. */
void gn_dim_show(gn_text *, const gn_dim *);
void gn_dim_print(gn_text *, const gn_dim *);
const char *gn_dim_text(gn_arena *, const gn_dim *); /* as shown */
/* (add ...) (sub ...) (mul ...) (div a b) (cdiv a b) (mod a b) (min a b ...) (max a b ...) (load BUF flat-index) INT
 * NAME, and parts with names, which large dims are printed with: (let (@0 (div n 7)) (add @0 (mul 7 @0))). Throws
 * GN_ESYNTAX. */
const gn_dim *gn_dim_read(gn_dim_pool *, const char *file, const gn_sx *);
/* The same where names stand for something: what they are, and what a load of these indices is; both throw where there
 * is no such thing. */
typedef struct gn_dim_names {
    const gn_dim *(*name)(void *user, const gn_sx *);
    const gn_dim *(*load)(void *user, const gn_sx *, size_t n, const gn_dim *const *index);
    void *user;
} gn_dim_names;
const gn_dim *gn_dim_read_named(gn_dim_pool *, const char *file, const gn_sx *, const gn_dim_names *);
/* The user's shape strings: "batch, 2*n+1" with + - * / % ( ) min max; appends to out, at most `capacity`. Throws
 * GN_ESYNTAX. */
size_t gn_dim_read_shape(gn_dim_pool *, const char *text, const gn_dim **out, size_t capacity);
const gn_dim *gn_dim_read_extent(gn_dim_pool *, const char *text); /* one of them */
