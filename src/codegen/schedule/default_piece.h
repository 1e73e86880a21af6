/* Default schedules at work: a piece of a kernel (all of it, but for small programs), what its closed forms need to
 * know, and the text of directives that they write. */
#pragma once
#include "default_schedule.h"
#include "roles.h"
#include "text.h"
#include "visit.h"

enum { MAX_AXES = 64 };

typedef struct leaf_note {    /* a leaf that was written */
    const char *name;
    uint32_t axis;
    int64_t points;          /* -1: symbolic */
} leaf_note;

typedef struct piece {
    gn_arena *arena;
    gn_kernel *k;
    const gn_target *target;
    uint32_t first_axis, naxes, first_item, nitems;
    bool small;                  /* one function: no parts, nothing in memory beyond the stack */
    int64_t w;                   /* lanes */
    int64_t extent[MAX_AXES];    /* by axis of the kernel; -1: symbolic */
    uint64_t spine;              /* axes that every statement has and nothing reduces, as bits */
    /* written so far */
    gn_text splits, binds, rest;
    GN_VEC(leaf_note) serial, tile; /* the order: loops, then leaves that are expanded */
    GN_VEC(const char *) names;  /* of leaves */
    GN_VEC(const char *) peeled; /* leaves to peel, if they stay loops */
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
bool gn_piece_is_own(const piece *, const gn_kexpr *ref); /* at the definition's own parameters */
/* Statements that need a definition, also through definitions that stand in place of their uses; `plain`: whether all
 * of those uses are at the parameters of what they use. */
int gn_piece_count_users(const piece *, uint32_t item, bool *plain);

/* A leaf's name: axis and suffix, made unique. */
const char *gn_piece_leaf(piece *, uint32_t axis, const char *suffix);
const char *gn_piece_name(piece *, const char *wanted);
int64_t gn_piece_guess(const piece *, uint32_t axis); /* extent, or a guess */
int32_t gn_piece_role(const piece *, gn_role);        /* the axis of the piece that has it; -1 */
uint32_t gn_piece_row(const piece *);                 /* whose blocks are parts: row, part or m, else the first */
static inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline bool has_axis(const uint16_t *axis, size_t n, uint32_t a)
{
    for (size_t i = 0; i < n; i++)
        if (axis[i] == a) return true;
    return false;
}

/* A lane axis: split into outer leaf, tile leaf of `unroll`, lane leaf; extents up to `full` tiles need no outer leaf. */
typedef struct lanes {
    const char *outer, *unroll, *lane; /* NULL: none */
    int64_t nouter, nunroll;     /* -1: symbolic */
    bool exact;                  /* no guards: the extent divides */
} lanes;
lanes gn_piece_lanes(piece *, uint32_t axis, int64_t unroll, int64_t full);
void gn_piece_bind(piece *, const char *how, const char *leaf);
void gn_piece_tile(piece *, const char *how, const char *leaf, uint32_t axis,
                   int64_t points); /* binds it, next among the expanded ones */
void gn_piece_serial(piece *, const char *leaf, uint32_t axis, int64_t points);
void gn_piece_part(piece *, const char *leaf, uint32_t axis);     /* a loop that is bound to parts */
void gn_piece_axis(piece *, uint32_t axis);                       /* the axis itself as a loop */
void gn_piece_lane_tiles(piece *, const lanes *, uint32_t axis, const char *how); /* its expanded leaves */
void gn_piece_peel(piece *, const lanes *);
/* Reductions along the part axis: a partial one per part, then a small step over the parts in order. */
void gn_piece_close(piece *, uint32_t axis, const char *part_leaf, int64_t rows);

/* Reductions whose results lie inside a loop of their own sum are kept in memory. */
void gn_piece_keep(piece *);

/* Items of the piece. */
uint64_t gn_piece_axes(const piece *, uint32_t item);             /* that a statement runs over, as bits */
const gn_kdef *gn_piece_def(const piece *, uint32_t item);        /* NULL: a store */
bool gn_piece_is_plain_load(const piece *, const gn_kexpr *);
/* Elements per step of an axis in the address of a load: 1 unit stride; 0 not at all; -1 other. */
int gn_piece_stride(const piece *, uint32_t buf, const gn_dim *const *index, uint32_t axis);
/* each once */
void gn_piece_loads(const piece *, const gn_kexpr *body, void (*visit)(void *, const gn_kexpr *load), void *user);

/* The rows of the table. */
bool gn_default_contraction(piece *); /* false: the piece has none */
bool gn_default_transpose(piece *);  /* false: no operand of a map is read transposed */
bool gn_default_pairs(piece *);      /* false: it goes over no pairs, or reads something for each of them */
void gn_default_rows(piece *);
void gn_default_block(piece *, gn_schedule *);
void gn_default_scatter(piece *);
void gn_default_cuda(piece *);

/* For the rows that choose their own leaves. */
typedef struct gn_pairs {
    uint32_t i, j;               /* what is reduced along j for each of i, or along both, is read for i or for j alone */
    uint64_t tile;               /* short axes for each of whose points a pair is used again, as bits */
} gn_pairs;
bool gn_piece_pairs(const piece *, gn_pairs *);                         /* false: it goes over no pairs */
bool gn_piece_contraction(const piece *, gn_contraction *);             /* of m and n; false: none */
/* one of its loads has unit stride along the axis */
bool gn_piece_is_unit(const piece *, const gn_kdef *, uint32_t axis);
void gn_piece_main_axes(const piece *, uint32_t *spine,
                        uint32_t *lane); /* the rows; the axis that is last in most of the traffic */
bool gn_piece_reduces(const piece *, uint32_t axis);                     /* a reduction runs along it */
/* Axes, as bits, that no index of a store takes from memory, and the one of them that is last in what is added to (-1:
 * none). */
uint64_t gn_piece_scatter_axes(piece *, int32_t *lane);
