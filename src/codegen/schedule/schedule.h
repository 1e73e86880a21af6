/* Schedules: the order in which a logical kernel is computed, as data. One order of all leaves is the whole of it.
 *
 *     (schedule rows (split i ip (ii 16)) (split j j0 (ju 4) (jl 16)) (order ip ii j0 ju jl)
 *       (bind part ip) (bind private ju) (bind lane jl) (stage e scratch) (peel j0))
 *
 * Directives, their meaning and their legality: docs/kernel-text.md. */
#pragma once
#include "kernel.h"

/* Fuses make axes, which are counted behind the kernel's: that of schedule.fuses[f] is axis kernel.axes.n + f. rfactor
 * makes a definition and, if it names one that is not there, an axis: those of schedule.rfactors[r] are definition
 * kernel.defs.n + r and axis kernel.axes.n + fuses.n + r. An axis without a split is its own leaf; one that is fused
 * has none. */
typedef enum {
    GN_BIND_NONE,
    GN_BIND_PART,
    GN_BIND_BLOCK,
    GN_BIND_THREAD,
    GN_BIND_LANE,
    GN_BIND_UNROLL,
    GN_BIND_PRIVATE,
    GN_BIND_TILE
} gn_bind_kind;
extern const char *const gn_bind_names[], *const gn_level_names[]; /* as texts have them */
static inline bool gn_is_tile_bind(uint8_t b)
{
    return b == GN_BIND_LANE || b == GN_BIND_UNROLL || b == GN_BIND_PRIVATE || b == GN_BIND_TILE;
}
typedef enum { GN_LEVEL_REG, GN_LEVEL_STACK, GN_LEVEL_SCRATCH, GN_LEVEL_ARENA, GN_LEVEL_SHARED } gn_level;

typedef struct gn_leaf {
    const char *name;
    /* of the kernel; a leaf shared by two axes stands in both their splits, this is the first */
    uint32_t axis;
    int64_t extent;              /* 0: outermost, ceil(E / stride) */
    int64_t stride;
    uint8_t bind;                /* gn_bind_kind */
    uint16_t unroll;             /* pragma; 0: none */
    bool peel;
} gn_leaf;

typedef struct gn_split {        /* leaves of an axis, outermost first: indices into leaves */
    uint32_t axis;
    GN_VEC(uint32_t) leaf;
} gn_split;

typedef struct gn_fuse {         /* one axis in place of several of the kernel: the last of them is its lowest digit */
    const char *name;
    GN_VEC(uint32_t) axis;
} gn_fuse;

enum { GN_AT_NONE = -1, GN_AT_ROOT = -2 };
typedef struct gn_stage {
    uint32_t def;
    uint8_t level;               /* gn_level */
    int32_t at;                  /* leaf index, GN_AT_ROOT, GN_AT_NONE */
    GN_VEC(uint32_t) layout, copy; /* leaves; empty: default */
    int32_t pad_leaf;            /* -1: none */
    int64_t pad;
    uint16_t depth;
} gn_stage;

typedef struct gn_rfactor {
    uint32_t def;
    uint32_t leaf;
    /* of the new definition and of the axis it is summed over; axis_name NULL: the leaf itself */
    const char *def_name, *axis_name;
} gn_rfactor;
typedef struct gn_online {
    uint32_t def, leaf;
} gn_online;
typedef struct gn_tensorize {
    uint32_t def;
    const char *row;             /* name of a tile op of the target: "tr16" */
    GN_VEC(uint32_t) leaf;
} gn_tensorize;

typedef struct gn_schedule {
    gn_arena *arena;
    const char *name;
    const char *plain;           /* why it is the plain one, where no closed form fits; else NULL */
    GN_VEC(gn_fuse) fuses;
    GN_VEC(gn_leaf) leaves;
    GN_VEC(gn_split) splits;
    GN_VEC(uint32_t) order;
    GN_VEC(gn_stage) stages;
    GN_VEC(gn_rfactor) rfactors;
    GN_VEC(gn_online) onlines;
    GN_VEC(gn_tensorize) tensorizes;
} gn_schedule;

/* Building: each adds what its directive says, and checks nothing. */
gn_schedule *gn_schedule_new(gn_arena *, const char *name);
uint32_t gn_schedule_fuse(gn_schedule *, const gn_kernel *, gn_fuse); /* the new axis; all before the first rfactor */
gn_split *gn_schedule_split(gn_schedule *, uint32_t axis); /* the axis' own; an empty one if it has none */
/* A new leaf, in no split and no order. */
uint32_t gn_schedule_leaf(gn_schedule *, uint32_t axis, const char *name, int64_t extent, int64_t stride);
uint32_t gn_schedule_whole(gn_schedule *, uint32_t axis, const char *name); /* the leaf of an axis that is not split */
gn_stage *gn_schedule_stage(gn_schedule *, uint32_t def, gn_level);         /* until the next one is added */
uint32_t gn_schedule_rfactor(gn_schedule *, const gn_kernel *, gn_rfactor); /* the new definition */

int32_t gn_schedule_find_leaf(const gn_schedule *, const char *name); /* -1: none */
/* the kernel's or a fuse's; -1: none */
int32_t gn_schedule_find_axis(const gn_kernel *, const gn_schedule *, const char *name);
const gn_fuse *gn_schedule_fuse_of(const gn_schedule *, uint32_t axis); /* that takes this axis; NULL: none */
const char *gn_schedule_def_name(const gn_kernel *, const gn_schedule *, uint32_t def);

/* Names refer to the kernel. Throws GN_ESYNTAX with line and column. */
gn_schedule *gn_schedule_read(gn_arena *, const gn_kernel *, const char *file, const gn_sx *);
void gn_schedule_print(gn_text *, const gn_kernel *, const gn_schedule *);
