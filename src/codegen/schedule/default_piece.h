/* Default schedules at work: a piece of a kernel (all of it, but for small programs), what its closed forms need to
 * know, and the leaves, loops and stages that they add to the schedule. */
#pragma once
#include "default_schedule.h"
#include "roles.h"
#include "visit.h"

enum { MAX_AXES = 64 };

typedef uint32_t leaf_id; /* 1 + its number in the schedule; 0: none, and nothing is done with it */

typedef struct piece {
    gn_arena *arena;
    gn_kernel *k;
    gn_schedule *s;
    const gn_target *target;
    uint32_t first_axis, naxes, first_item, nitems;
    bool small;                  /* one function: no parts, nothing in memory beyond the stack */
    int64_t w;                   /* lanes */
    int64_t extent[MAX_AXES];    /* by axis of the kernel; -1: symbolic */
    uint64_t spine;              /* axes that every statement has and nothing reduces, as bits */
    GN_VEC(leaf_id) serial, tile;/* the order: loops, then leaves that are expanded */
    GN_VEC(const char *) names;  /* of leaves and definitions that were added */
    GN_VEC(uint32_t) factored;   /* definitions that have a partial one per part */
    bool *crosses;               /* of a small program, by definition: a later piece reads it */
    /* of a scatter: axes that go to parts, blocks and lanes; a sum without one of them is a step before it */
    uint64_t spread;
    gn_map *walks;               /* by body of an item */
} piece;

/* What one walk over the body of an item finds, not through references. */
typedef struct gn_piece_walk {
    GN_VEC(const gn_kexpr *) refs, loads; /* each once, in the order of the text */
    uint64_t axes;               /* mentioned, as bits */
    bool costly, plain;          /* has a function; refers to definitions at their own parameters only */
    /* operations, also of definitions without a reduction that it refers to; 0: not counted yet */
    double weight;
} gn_piece_walk;
gn_piece_walk *gn_piece_body(const piece *, uint32_t item);
gn_piece_walk *gn_piece_walk_of(const piece *, const gn_kexpr *body);
/* Statements that need a definition, also through definitions that stand in place of their uses. */
typedef struct gn_piece_users {
    int n;
    bool plain;                  /* all of those uses are at the parameters of what they use */
    uint64_t axes;               /* that any of them runs over */
} gn_piece_users;
gn_piece_users gn_piece_users_of(const piece *, uint32_t item);

const char *gn_piece_name(piece *, const char *wanted); /* unlike all that are there */
int64_t gn_piece_guess(const piece *, uint32_t axis); /* extent, or a guess */
int32_t gn_piece_role(const piece *, gn_role);        /* the axis of the piece that has it; -1 */
uint32_t gn_piece_row(const piece *);                 /* whose blocks are parts: row, part or m, else the first */
static inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline uint64_t bit(uint32_t axis) { return UINT64_C(1) << axis; }
static inline uint32_t def_number(const piece *p, const gn_kdef *d) { return (uint32_t)(d - p->k->defs.at); }

/* An axis in leaves, outermost first, each named by the axis and a suffix. Those without a suffix are left out, unless
 * *made is a leaf already, which is shared. Only the first that is there may have the extent 0: what the others leave. */
typedef struct new_leaf {
    const char *suffix;
    int64_t extent;
    leaf_id *made;
} new_leaf;
void gn_piece_split(piece *, uint32_t axis, size_t n, const new_leaf *);
#define SPLIT(p, axis, ...)                                                                                            \
    gn_piece_split(p, axis, sizeof((const new_leaf[]){__VA_ARGS__}) / sizeof(new_leaf), (const new_leaf[]){__VA_ARGS__})
leaf_id gn_piece_whole(piece *, uint32_t axis);       /* of an axis that is not split */
gn_leaf *gn_piece_leaf(const piece *, leaf_id);
int64_t gn_piece_points(const piece *, leaf_id);      /* -1: symbolic */

/* Loops and tile leaves, in the order in which they are added. */
void gn_piece_serial(piece *, leaf_id);
void gn_piece_bound(piece *, gn_bind_kind, leaf_id);  /* a loop that is bound: parts, blocks, threads */
void gn_piece_axis(piece *, uint32_t axis);           /* the axis itself as a loop */
void gn_piece_loops(piece *, gn_bind_kind, uint64_t axes); /* those of the piece among these */
void gn_piece_expand(piece *, uint64_t axes);         /* likewise as tile leaves */
void gn_piece_tile(piece *, gn_bind_kind, leaf_id);   /* next among the expanded ones */
void gn_piece_peel(piece *, leaf_id);                 /* if it stays a loop */

/* A lane axis: outer leaf, tile leaf of `unroll`, lane leaf; extents up to `full` tiles need no outer leaf. */
typedef struct lanes {
    leaf_id part, outer, unroll, lane;
    bool exact;                  /* no guards: the extent divides */
} lanes;
lanes gn_piece_lanes(piece *, uint32_t axis, int64_t unroll, int64_t full);
/* The same in parts of so many tiles. */
lanes gn_piece_lane_parts(piece *, uint32_t axis, int64_t tiles, int64_t unroll);
void gn_piece_lane_tiles(piece *, const lanes *, gn_bind_kind); /* its expanded leaves */
/* Reductions along the part axis: a partial one per part, then a small step over the parts in order. */
void gn_piece_close(piece *, uint32_t axis, leaf_id part, int64_t rows);

/* What is kept: where, in which order of leaves. */
gn_stage *gn_piece_stage(piece *, uint32_t def, gn_level, leaf_id at);
void gn_piece_layout(const piece *, gn_stage *, leaf_id);
void gn_piece_tensorize(piece *, uint32_t def, const char *row, leaf_id a, leaf_id b);
/* Reductions whose results lie inside a loop of their own sum are kept in memory. */
void gn_piece_keep(piece *);

/* Items of the piece. */
uint64_t gn_piece_axes(const piece *, uint32_t item);             /* that a statement runs over, as bits */
const gn_kdef *gn_piece_def(const piece *, uint32_t item);        /* NULL: a store */
const gn_kexpr *gn_piece_value(const piece *, uint32_t item);     /* its body */
static inline const gn_kstore *gn_piece_store(const piece *p, uint32_t item)
{
    return &p->k->stores.at[p->k->items.at[p->first_item + item].at];
}
bool gn_piece_adds(const piece *);                                /* some store does */
bool gn_piece_reduces(const piece *, uint32_t axis);              /* a reduction runs along it */
bool gn_piece_reduces_for(const piece *, uint32_t along, uint32_t kept); /* for each point of `kept` */
/* Elements per step of an axis in the address of a load: 1 unit stride; 0 not at all; -1 other. */
int gn_piece_stride(const piece *, uint32_t buf, const gn_dim *const *index, uint32_t axis);
/* one of its loads has unit stride along the axis */
bool gn_piece_is_unit(const piece *, const gn_kdef *, uint32_t axis);

/* The rows of the table. */
bool gn_default_contraction(piece *); /* false: the piece has none that suits the target */
bool gn_default_prefix(piece *);     /* false: no prefix, or rows that those of the table fit */
bool gn_default_transpose(piece *);  /* false: no operand of a map is read transposed */
bool gn_default_pairs(piece *);      /* false: it goes over no pairs, or reads something for each of them */
void gn_default_rows(piece *);
void gn_default_block(piece *);
void gn_default_scatter(piece *);
void gn_default_cuda(piece *);

/* For the rows that choose their own leaves. */
typedef struct gn_pairs {
    uint32_t i, j;               /* what is reduced along j for each of i, or along both, is read for i or for j alone */
    uint64_t tile;               /* short axes for each of whose points a pair is used again, as bits */
} gn_pairs;
bool gn_piece_pairs(const piece *, gn_pairs *);                         /* false: it goes over no pairs */
/* The rows; the axis that is last in most of the traffic. They are one axis if there is no other to go around it. Fills
 * in by_axis: the elements that each axis walks over in steps of one. */
void gn_piece_main_axes(const piece *, double *by_axis, uint32_t *row, uint32_t *lane);
int64_t gn_piece_threads(int64_t extent);             /* of a block that walks so many elements; -1: unknown */
