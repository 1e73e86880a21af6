/* The machine that runs code: what interpret*.c share. */
#pragma once
#include "code_interpret.h"

/* A number, or poison: what was made of an element without content. */
typedef struct gn_lane {
    long double f;
    int64_t i;       /* bool and integers. Poison: which element it was */
    uint32_t poison; /* of which place, + 1; 0: a number */
    uint8_t dtype;
} gn_lane;

typedef struct gn_cell { /* an element of memory that is no buffer; of a register: a lane */
    gn_lane value;
    uint64_t age;
} gn_cell;

typedef struct gn_touch gn_touch; /* code_interpret_race.c */
typedef struct gn_track { /* which parts touched an element in a step */
    uint64_t wrote, read;          /* last step */
    int64_t writer, reader, other; /* the last ones; other: an earlier reader, -1 none */
} gn_track;
typedef struct gn_shadow { /* of threads, what no barrier has put behind all */
    gn_touch *writes, *reads;
    gn_track part;
} gn_shadow;

typedef struct gn_memory { /* of a place */
    const gn_place *place;
    int64_t size;      /* elements, or lanes of registers */
    void *data;        /* buffer */
    gn_cell *cell;     /* others; one owner after the other: a thread, or a block, has its own */
    uint64_t *age;     /* by owner: cells of another age have no content */
    gn_shadow *shadow; /* where threads or parts meet */
} gn_memory;

typedef struct gn_counter { /* a symbol or variable, by thread */
    int64_t *value;
    bool *bound;
} gn_counter;

typedef struct gn_made { /* what a let made */
    gn_lane *lane;
    uint16_t lanes;
} gn_made;

typedef struct gn_register { /* one of an array of registers */
    const gn_place *place;
    uint32_t number;
} gn_register;
typedef struct gn_registers {
    GN_VEC(gn_register) at;
} gn_registers;

typedef struct gn_flight { /* a copy under way */
    const gn_place *place;
    int64_t at;
    gn_lane value;
    int64_t group; /* that it was committed with; 0: not yet */
} gn_flight;
typedef struct gn_flying { /* of a thread */
    GN_VEC(gn_flight) at;
    int64_t groups; /* committed */
} gn_flying;

typedef struct gn_roles gn_roles; /* code_interpret_roles.c */

typedef struct gn_runner {
    const gn_code *code;
    gn_arena *arena;
    uint64_t random;
    gn_memory *memory; /* by place */
    gn_symbols names;
    gn_map counter_of, place_of; /* by the name's address */
    gn_made *made;               /* by thread * nlets + id */
    uint32_t nlets;
    gn_map gathers;  /* by loop or if: the first node in it that gathers threads of the widest scope */
    gn_map renewed;  /* by loop: gn_registers that are new in each turn */
    gn_lane *merged; /* by thread */
    gn_lane *tile;   /* what a product takes, of the largest */
    uint32_t *drawn[GN_NSCOPES]; /* groups in an order */
    gn_flying *flying; /* by thread */
    uint32_t nthreads, nblock, most; /* that run together, those of one cluster; of a block; of a cluster of any step */
    uint32_t *met[GN_NSCOPES]; /* by scope and group: barriers; of a cluster also beginnings of parts */
    gn_scope unit;             /* the narrowest for which there is a barrier, the block at least */
    gn_touch *idle;
    gn_roles *roles; /* NULL: the threads have none now */
    /* where it is */
    size_t step;
    int64_t part;   /* -1: between parts; of blocks in clusters: the cluster */
    uint32_t thread;
    const gn_code_node *at;
    const char *unknown; /* a name without value, met last */
} gn_runner;

enum { GN_MOST_LANES = 64, GN_MOST_THREADS = 1024 };

_Noreturn void gn_runner_fail(const gn_runner *, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void gn_runner_fail_poison(const gn_runner *, const char *what, gn_lane); /* what: "the index of lane 3" */

/* code_interpret_number.c */
gn_lane gn_lane_number(gn_dtype, int64_t);
gn_lane gn_lane_poison(gn_dtype, gn_lane of);
gn_lane gn_lane_op(const gn_op_info *, gn_dtype, const gn_lane *a, size_t n);
bool gn_lane_same(gn_dtype, gn_lane, gn_lane);                       /* the same bits in memory */
gn_lane gn_lane_merge(gn_red, gn_scope, const gn_lane *of_thread, uint32_t n); /* in the order of a block, or warp */

/* code_interpret_index.c */
int64_t gn_runner_dim(gn_runner *, const gn_dim *);
uint32_t gn_runner_number(gn_runner *, uint32_t number, const gn_dim *at); /* of a register */
int64_t gn_runner_offset(gn_runner *, const gn_dim *base, const gn_dim *step, int l); /* base + l step; step NULL: 1 */
bool gn_runner_holds(gn_runner *, gn_preds);
gn_counter *gn_runner_counter(gn_runner *, const char *name); /* made when it is new */
void gn_runner_bind(gn_runner *, const char *name, int64_t);  /* for the thread at work */
void gn_runner_unbind(gn_runner *, const char *name);

/* code_interpret_memory.c */
void gn_runner_allocate(gn_runner *, void *const *buffers);
void gn_runner_empty(gn_runner *, const gn_place *); /* of its content; where each thread has its own, of this one's */
gn_lane gn_runner_load(gn_runner *, const gn_place *, int64_t at);
void gn_runner_store(gn_runner *, const gn_place *, int64_t at, gn_lane);
gn_lane gn_runner_register(gn_runner *, const gn_place *, uint32_t number, int l);
void gn_runner_set_register(gn_runner *, const gn_place *, uint32_t number, int l, gn_lane);
void gn_runner_empty_register(gn_runner *, gn_register);

static inline uint32_t gn_runner_group(const gn_runner *r, gn_scope s, uint32_t thread)
{
    const uint32_t size[] = { 1, GN_WARP, GN_WARPGROUP, r->nblock, r->nthreads };
    return s == GN_SCOPE_WARP || s == GN_SCOPE_WARPGROUP /* of its block */
               ? thread / r->nblock * ((r->nblock + size[s] - 1) / size[s]) + thread % r->nblock / size[s]
               : thread / size[s];
}
/* Of whose memory the thread at work has this. */
static inline int64_t gn_runner_owner(const gn_runner *r, const gn_place *p)
{
    return p->space >= GN_SPACE_STACK ? r->thread : p->space == GN_SPACE_SHARED ? r->thread / r->nblock : 0;
}
/* code_interpret_race.c: throws where the thread at work and another touch the element and nothing orders them. */
void gn_runner_meet(gn_runner *, const gn_memory *, int64_t at, bool write, bool same_bits);

/* code_interpret_value.c: for the thread at work */
gn_lane gn_runner_operand(gn_runner *, const gn_val *, int l);
void gn_runner_let(gn_runner *, const gn_val *);
void gn_runner_make(gn_runner *, const gn_val *let, const gn_lane *lanes);
void gn_runner_set(gn_runner *, const gn_code_node *);
void gn_runner_write(gn_runner *, const gn_code_node *);

/* code_interpret_tile.c */
void gn_runner_copy_tile(gn_runner *, const gn_tile_args *); /* for the thread at work */
void gn_runner_multiply(gn_runner *, const gn_tile_args *, uint32_t first, uint32_t n);  /* for these threads */
/* code_interpret_roles.c: of the block of these threads */
void gn_runner_roles(gn_runner *, const gn_code_node *roles, uint32_t first, uint32_t n);
/* Throws where the thread at work touches what another has, and no barrier is between. */
void gn_roles_meet(gn_runner *, const gn_memory *, int64_t at, bool write, bool same_bits);
/* code_interpret_async.c: for the thread at work */
void gn_runner_start(gn_runner *, const gn_code_node *);
void gn_runner_commit(gn_runner *, const gn_place *tokens);
void gn_runner_await(gn_runner *, const gn_code_node *);
/* code_interpret_unit.c */
void gn_runner_act(gn_runner *, const gn_tile_args *); /* for the thread at work */

/* code_interpret_body.c */
void gn_runner_prepare(gn_runner *, const gn_code_body *);
typedef struct gn_group { /* of threads: a scope's */
    gn_scope scope;
    uint32_t first, n;
} gn_group;
void gn_runner_together(gn_runner *, gn_group, const gn_code_body *);
void gn_runner_gathered(gn_runner *, gn_group, const gn_code_node *); /* what gathers just these */
/* The node in n, n included, that gathers threads; NULL: each runs n alone. The others for the thread at work. */
const gn_code_node *gn_runner_gathering(const gn_runner *, const gn_code_node *n);
void gn_runner_alone(gn_runner *, const gn_code_node *);
void gn_runner_begin_turn(gn_runner *, const gn_code_node *loop, int64_t turn);
void gn_runner_end_turns(gn_runner *, const gn_code_node *loop);
/* The turns of a dealt loop that are its own, as number `number` of n threads. */
void gn_runner_deal_to(gn_runner *, const gn_code_node *loop, uint32_t number, uint32_t n);
uint64_t gn_runner_draw(gn_runner *, uint64_t below);
