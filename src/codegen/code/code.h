/* Code: what a kernel does, in order. A step for each parallel phase; in it regions of nodes over typed values; every
 * value is made once, by a let.
 *
 *     (code axpy avx512 (syms (n :min 1)) (args (X read f32 n) (Y write f32 n))
 *       (step ((p (cdiv n 1024)))
 *         (for i (min 64 (sub (cdiv n 16) (mul 64 p)))
 *           (let %1 b16 (below (sub n (mul 1024 p) (mul 16 i))))
 *           (let %2 f32x16 (load X :row (add (mul 1024 p) (mul 16 i)) :mask %1))
 *           (let %3 f32x16 (mul %2 2.0))
 *           (store Y :row (add (mul 1024 p) (mul 16 i)) :mask %1 %3))))
 *
 * It prints, reads back (code_text.h), is verified (gn_code_verify), interpreted (gn_code_interpret), and written word
 * by word as C or CUDA by the emitter. docs/code-text.md has the grammar and the meaning. A code, its nodes, values and
 * dims live in one arena. */
#pragma once
#include "kernel.h"
#include "tile.h"

/* ---- scopes: which threads do something together. A group of a scope is so many threads in a row ---- */

typedef enum {
    GN_SCOPE_THREAD,
    GN_SCOPE_WARP,
    GN_SCOPE_WARPGROUP,
    GN_SCOPE_BLOCK,
    GN_SCOPE_CLUSTER,
    GN_NSCOPES
} gn_scope;
extern const char *const gn_scope_names[GN_NSCOPES]; /* "warp" */
enum { GN_WARP = 32, GN_WARPGROUP = 128 };

/* ---- places: memory and registers ---- */

/* An argument comes from the caller: a buffer of the kernel, memory of the call (arena), memory of the worker
 * (scratch), an opaque value that the host makes. The others are declared in a region and live to its end. */
typedef enum {
    GN_SPACE_BUFFER,
    GN_SPACE_ARENA,
    GN_SPACE_SCRATCH,
    GN_SPACE_MADE,
    GN_SPACE_SHARED,
    GN_SPACE_STACK,
    GN_SPACE_REG
} gn_space;

/* A register array as C of a tile product: where a thread's register lies in it. Along each leaf of the row a thread
 * variable counts, or a dim of the array, or neither; other dims of the array number such matrices. */
typedef struct gn_fragment {
    const gn_tile_op *row;
    const char *thread[GN_TILE_MAX_LEAVES]; /* NULL: none */
    int8_t dim[GN_TILE_MAX_LEAVES];         /* -1: none */
} gn_fragment;

/* A value that the host makes of a buffer when sizes are bound, and that the kernel takes whole. */
/* The most dims; the most along one; of so many bytes rows of the box and of the buffer are multiples. */
enum { GN_MADE_RANK = 5, GN_MADE_BOX = 256, GN_MADE_ALIGN = 16 };
typedef struct gn_maker {
    const char *name;
    uint16_t bytes, align;
} gn_maker;
extern const gn_maker gn_maker_tensor_map;
typedef struct gn_host_value {
    const gn_maker *maker;
    const struct gn_place *of; /* a buffer, an argument before it */
    uint8_t rank;
    const gn_dim *extent[GN_MADE_RANK]; /* of the whole buffer, row-major, over symbols */
    uint32_t box[GN_MADE_RANK];         /* what is taken at a time */
} gn_host_value;

typedef struct gn_place {
    const char *name;       /* of one thing in the code, interned in its dim pool */
    uint32_t id;            /* among gn_code.places */
    gn_dtype dtype;
    uint8_t space;          /* gn_space */
    uint8_t access;         /* buffer: gn_kbuf_access bits */
    const gn_dim *size;     /* memory: elements, over symbols; constant on the stack */
    const gn_dim *below;    /* buffer: all elements lie in [0, below); NULL: nobody knows */
    uint16_t align;         /* buffer: it begins at a multiple of so many bytes; 0: of an element's */
    uint16_t lanes;         /* registers: of each; 1: scalars */
    uint16_t rank;          /* registers: of their array; 0: one */
    const uint32_t *extent;
    uint32_t n;             /* registers: how many */
    const char *const *axis; /* registers: what is counted along each extent; NULL: nobody knows */
    /* registers: each is an opaque value of this row, which its tile operations alone touch, and has as many lanes as
     * the row's C has elements; NULL: numbers */
    const gn_tile_op *opaque;
    const gn_fragment *fragment; /* registers: NULL: each is on its own */
    const gn_host_value *made; /* MADE: how */
    bool token; /* registers: each stands for copies that are under way */
    uint16_t meets; /* registers: each is a barrier of so many threads, of several roles; 0: they are none */
} gn_place;

/* Bytes of which its address is known to be a multiple. */
enum { GN_OWN_ALIGNMENT = 64 }; /* of memory that is not the caller's */
uint32_t gn_place_alignment(const gn_place *);

static inline bool gn_is_argument(const gn_place *p)
{
    return p->space <= GN_SPACE_MADE;
}

static inline uint64_t gn_register_key(const gn_place *p, uint32_t number) /* for maps */
{
    return (uint64_t)p->id << 32 | number;
}

/* ---- conditions over index expressions: `cond` all hold; with `negate`, not all ---- */

typedef struct gn_pred {
    bool negate;
    uint16_t n;
    const gn_kcond *cond;
} gn_pred;
typedef struct gn_preds { /* all of them */
    uint32_t n;
    const gn_pred *at;
} gn_preds;

/* ---- values ---- */

typedef struct gn_val gn_val;

typedef enum { GN_ACCESS_ONE, GN_ACCESS_ROW, GN_ACCESS_STEP, GN_ACCESS_EACH } gn_access_mode;
typedef struct gn_access {     /* an element of memory, or `lanes` of them */
    const gn_place *place;
    uint8_t mode;              /* gn_access_mode: one element; lanes contiguous; at a stride; each at its own index */
    const gn_dim *base, *step; /* ROW, STEP: element of lane 0, elements between lanes. ONE: the element */
    const gn_val *each;        /* EACH: i64 vector of element indices */
    const gn_val *mask;        /* lanes that take part; NULL: all */
    gn_preds when;             /* uniform: not executed unless they hold; a load gives 0 */
} gn_access;

typedef enum {
    GN_VAL_CONST,  /* number */
    GN_VAL_REG,    /* what a register holds now */
    GN_VAL_PARAM,  /* operand number i of a math function's body */
    GN_VAL_SPLAT,  /* a[0] in all lanes. These four are operands where they stand; the others are lets */
    GN_VAL_COPY,   /* a[0], kept: of a register that is about to change */
    GN_VAL_INDEX,  /* index expression; a vector: of lane l, where `lane` is l. 0 where not `when` */
    GN_VAL_IOTA,   /* vector: base + step * lane */
    GN_VAL_COND,   /* scalar bool: `when` */
    GN_VAL_FIRST,  /* mask: lane < index */
    GN_VAL_BIT,    /* mask: lane == index */
    GN_VAL_LOAD,
    GN_VAL_OP,     /* op over a */
    GN_VAL_PICK,   /* scalar bool a[0] ? a[1] : a[2], of any lanes */
    GN_VAL_PACK,   /* vector of the scalars a[0..n) */
    GN_VAL_LANE,   /* one lane of a[0] */
    GN_VAL_LOW,    /* half of the lanes of a[0], a scalar of two: the first ones, */
    GN_VAL_HIGH,   /* the last ones */
    GN_VAL_UP,     /* the lanes of a[0] moved up by `red`; from below come the last ones of a[1] */
    GN_VAL_LANES,  /* reduction `red` of the lanes of a[0] to a scalar: l with l + N/2, then N/4, .. 1 */
    GN_VAL_THREADS /* reduction `red` of a[0] over the threads of the scope, which all reach it */
} gn_val_kind;

enum { GN_VAL_MOST = 16 }; /* operands */
struct gn_val {
    uint8_t kind, dtype, red;
    uint8_t scope; /* THREADS: gn_scope, warp or block */
    uint16_t lanes; /* 1: scalar */
    uint16_t n;
    uint32_t id;    /* number of its let, unlike others of the step; 0: an operand where it stands */
    const gn_val *a[GN_VAL_MOST];
    union {
        double f;
        int64_t i;
        struct {
            int64_t i;
            const gn_dim *at; /* over variables of unrolled loops; NULL: i */
        } lane;
        const gn_op_info *op;
        struct {
            const gn_place *place;
            uint32_t number;  /* row-major in the array */
            const gn_dim *at; /* the number, over variables of unrolled loops; NULL: constant */
        } reg;
        struct {
            const gn_dim *at;
            const char *lane; /* INDEX, a vector: the symbol of the lane */
        } index;
        struct {
            const gn_dim *base, *step;
        } iota;
        gn_access load;
    } u;
    gn_preds when; /* INDEX, COND */
};

/* The constant that v is in all its lanes; NULL: none. */
const gn_val *gn_val_constant(const gn_val *);
/* What an operand is, or is a splat of. */
static inline const gn_val *gn_val_source(const gn_val *v)
{
    return !v->id && v->kind == GN_VAL_SPLAT ? v->a[0] : v;
}
/* Index expressions of a value, of its conditions and of its place too. */
void gn_val_dims(const gn_val *, void (*meet)(void *user, const gn_dim *), void *user);
bool gn_val_reads_indices(const gn_val *); /* one of them loads */
bool gn_val_reads_registers(const gn_val *);
bool gn_val_mentions(const gn_val *, const char *var);
/* The dtype by which a target spells the operation: the first operand's, or the result's. */
gn_dtype gn_val_op_dtype(const gn_val *op);

/* ---- nodes ---- */

typedef enum {
    GN_CODE_LET,     /* val */
    GN_CODE_SET,     /* register `number` of place = val */
    GN_CODE_STORE,   /* access = val */
    GN_CODE_DECLARE, /* place, to the end of the region */
    GN_CODE_FOR,
    GN_CODE_IF,
    GN_CODE_NAME,    /* var is `to`, to the end of the region */
    GN_CODE_BARRIER, /* of the scope's threads, which all reach it; what each did before is seen by all behind it */
    GN_CODE_TILE,    /* an operation of the target's tile table */
    /* access = source, `number` elements, at some time until they are awaited; 0 where not access.when */
    GN_CODE_ASYNC,
    /* tokens of place move down by one, the last becomes that of the thread's copies since the last commit */
    GN_CODE_COMMIT,
    GN_CODE_AWAIT,   /* the thread's copies of token `number` of place, and all before them, are done */
    /* Regions of ROLE alone, all run at once, each by its warps, which follow each other. A barrier of the block stands
     * before and behind. */
    GN_CODE_ROLES,
    GN_CODE_ROLE,    /* `number` warps; var: its name */
    /* A role is at barrier `at` of place: it goes on, or waits until as many threads as meet there have been. */
    GN_CODE_ARRIVE,
    GN_CODE_SYNC
} gn_code_kind;

typedef struct gn_code_node gn_code_node;
typedef struct gn_code_body { /* a region */
    GN_VEC(gn_code_node *) kids;
} gn_code_body;

typedef struct gn_tile_memory { /* an operand in memory: its first element, and its stride */
    const gn_tile_operand *layout;
    const gn_place *place;
    const gn_dim *base, *stride;
    bool written, whole; /* whole: also where the counts say that nothing is there */
} gn_tile_memory;

typedef struct gn_tile_args {
    const gn_tile_op *row;
    uint8_t act; /* UNIT: gn_tile_act */
    uint8_t nmemory, ncount;
    gn_tile_memory memory[2]; /* COPY: destination, source; UNIT: A, B, or what is loaded or stored */
    const gn_dim *count[3];   /* how much of m, n, k is there */
    const gn_val *a[GN_TILE_MAX_REGS], *b[GN_TILE_MAX_REGS]; /* MMA */
    const gn_place *acc; /* MMA: its registers c; UNIT: c[0] of its values */
    uint32_t c[GN_TILE_MAX_REGS];
} gn_tile_args;

struct gn_code_node {
    uint8_t kind;
    uint8_t scope;           /* BARRIER: gn_scope */
    bool dealt;              /* FOR: its turns are dealt out to the block's threads, which all reach it */
    bool unrolled;           /* FOR: no loop in the object code; its variable may number registers */
    uint16_t unroll;         /* FOR: pragma, 0 none */
    uint32_t number;         /* SET: the register; ASYNC: elements; AWAIT: the token; ROLE: warps */
    const gn_dim *at;        /* SET: as in a value; ARRIVE, SYNC: which barrier, NULL: the only one */
    const gn_place *place;   /* SET, DECLARE, COMMIT, AWAIT, ARRIVE, SYNC */
    const gn_val *val;       /* LET, SET, STORE */
    gn_access access;        /* STORE, ASYNC */
    gn_access source;        /* ASYNC */
    gn_preds when;           /* IF */
    const char *var;         /* FOR: from <= var < to; from NULL: 0. NAME: var is to */
    const gn_dim *from, *to;
    /* FOR: registers from outside whose content one turn leaves to the next, or to what follows */
    GN_VEC(const gn_place *) carry;
    gn_code_body body;          /* FOR, IF */
    gn_tile_args *tile;      /* TILE */
};

typedef struct gn_code_var { /* a parallel loop: 0 <= var < count, in any order */
    const char *name;
    const gn_dim *count;
    uint8_t dim;  /* a part on CUDA: 0, 1, 2, the dim of the grid in which it counts */
    bool cluster; /* a part on CUDA: the blocks that differ in such variables alone are one cluster */
} gn_code_var;

typedef struct gn_code_step {
    GN_VEC(gn_code_var) parts; /* counted together, the last fastest; none: one part. CUDA: blocks */
    gn_code_body body;
} gn_code_step;

typedef struct gn_code {
    gn_arena *arena;
    gn_dim_pool *dims;
    const gn_target *target;
    const char *name, *origin;   /* the function's; for messages: what it was made from */
    const char *comment;         /* at the head of generated source; NULL: none */
    GN_VEC(gn_ksym) syms;
    GN_VEC(gn_place *) places;   /* arguments first, in their order */
    uint32_t nargs;
    GN_VEC(gn_code_var) threads; /* of a block, the last fastest; constants */
    GN_VEC(gn_code_step) steps;
    GN_VEC(gn_dim_fact) facts;   /* of symbols and variables */
    gn_map *answers;             /* of ranges, which are looked at after each pass; NULL: nobody asks again */
} gn_code;

/* ---- building ---- */

gn_code *gn_code_new(gn_arena *, gn_dim_pool *, const gn_target *, const char *name);
/* Takes name, dtype, space and what belongs to the space; numbers it. Arguments before others. */
gn_place *gn_code_place(gn_code *, gn_place);
const gn_place *gn_code_find_place(const gn_code *, const char *name); /* NULL: none */
gn_code_node *gn_code_make(const gn_code *, gn_code_kind);
gn_code_node *gn_code_append(const gn_code *, gn_code_body *, gn_code_kind); /* a new one, at the end */
/* A let of this value, numbered after the last, at the end. */
const gn_val *gn_code_append_let(const gn_code *, gn_code_body *, uint32_t *nlets, gn_val);
gn_val *gn_code_operand(const gn_code *, gn_val); /* one that stands for itself */
/* What the register holds; `at` NULL: of that number. */
gn_val *gn_code_register(const gn_code *, const gn_place *, uint32_t number, const gn_dim *at);
gn_val gn_val_copy_of(const gn_val *); /* the let that keeps what it is now */
/* An operation of the row, with the layouts of what it has in memory, and how many counts it takes. */
gn_tile_args *gn_code_tile(const gn_code *, const gn_tile_op *, gn_tile_act);
/* The registers of a fragment whose first is c[0], as its row lists them. */
void gn_fragment_registers(const gn_place *, uint32_t *c);
/* The registers that it reads, c[0] and on, and sets. */
uint32_t gn_tile_reads(const gn_tile_args *);
uint32_t gn_tile_sets(const gn_tile_args *);
/* What is known of the code's symbols and variables, from their counts. */
void gn_code_find_facts(gn_code *);
/* Lists what each loop carries. */
void gn_code_find_carried(gn_code *);
static inline gn_dim_facts gn_code_facts(const gn_code *c)
{
    return (gn_dim_facts){ c->facts.n, c->facts.at };
}
/* "[i][2*j+1]": a register in its array; names as `name` spells them, NULL: as they are. */
void gn_code_register_index(gn_text *, const gn_place *, uint32_t number, const gn_dim *at,
                            const char *(*name)(void *user, const char *), void *user);
const gn_dim *gn_code_bytes(const gn_code *, const gn_place *); /* of memory */
uint32_t gn_code_threads(const gn_code *); /* of a block; 1 elsewhere */
enum { GN_MOST_ROLES = 8, GN_MOST_BARRIERS = 15 };
/* Barriers that are known to the block by their number, from 1 on: that of the place's first. */
uint32_t gn_code_barrier(const gn_code *, const gn_place *);
/* n for a term c (mod turn n) that goes through all of the place, of c n elements, and the turn; 1: there is none. */
int64_t gn_place_parts(const gn_place *, const gn_dim *at, const gn_dim **turn);
enum { GN_MOST_CLUSTER = 8 }; /* blocks, on each device that has clusters */
uint32_t gn_code_cluster(const gn_code_step *); /* its blocks; 1: there is none */
uint32_t gn_code_cluster_dims(const gn_code_step *, uint32_t size[3]);
/* Whose threads must all reach the node, its regions aside. */
gn_scope gn_code_gathers(const gn_code_node *);
/* By await: how many groups of copies were committed after its token's, + 1; nothing: not the same on every way. */
gn_map gn_code_find_awaits(gn_arena *, const gn_code_body *);
/* How many parts a step has, over symbols. */
const gn_dim *gn_code_parts(const gn_code *, size_t step);

/* Named indices: `of` starts empty and learns of each NAME before what uses it. */
void gn_code_learn_name(const gn_code *, gn_map *of, const gn_code_node *);
const gn_dim *gn_code_without_names(const gn_code *, const gn_map *of, const gn_dim *); /* NULL stays NULL */

void gn_code_tell_node(gn_text *, const gn_code_node *); /* for messages: "%3", "loop i"; code_verify.c */
/* Walks all nodes of a region, outer ones first, in order. */
void gn_code_walk(const gn_code_body *, void (*meet)(void *user, const gn_code_node *), void *user);
uint32_t gn_code_largest_id(const gn_code_body *); /* of its lets; 0: none */
/* Its own index expressions, those of conditions and accesses included; of a let those of the value. */
void gn_code_dims(const gn_code_node *, void (*meet)(void *user, const gn_dim *), void *user);
/* Each operand that a node names itself, in order: operands, index vector, mask. Those of a let may be changed, too. */
void gn_code_operands(const gn_code_node *, void (*meet)(void *user, const gn_val **), void *user);
/* Puts what `now` says in the place of each operand, and of what it is a splat of. */
void gn_code_rename(const gn_code *, const gn_code_node *, const gn_val *(*now)(void *user, const gn_val *),
                    void *user);
void gn_code_rename_all(const gn_code *, const gn_code_body *, const gn_val *(*now)(void *user, const gn_val *),
                        void *user); /* in all nodes of the region */
/* What the let reads is written by the node or in its regions. */
bool gn_code_writes_what(const gn_code_node *, const gn_val *let);
