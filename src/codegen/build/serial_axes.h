/* Axes of a serial subtree that go outside its loops: each kernel has one of a class, each value that the subtree
 * writes one dim of it, indexed by that axis alone, and no reduction runs over it. So a point of it needs nothing of
 * any other, in whatever turn. */
#pragma once
#include "program.h"
#include "schedule.h"
#include "target.h"

typedef struct gn_serial_use { /* a kernel within the subtree, or a copy as a kernel */
    gn_kernel *kernel;
    gn_schedule *schedule;      /* NULL: the default one */
    const int32_t *arg;         /* value per buffer; + the number of values: its memory outside */
    const gn_dim *const *start; /* bytes per buffer; NULL: 0 */
    const uint32_t *sym;        /* the program's symbol per symbol of the kernel */
    bool is_copy;
    const char **part; /* once cut: symbol of the kernel per class; NULL: it is not cut */
} gn_serial_use;

typedef struct gn_serial_class {
    const char *name;     /* of an axis of it */
    const gn_dim *extent; /* over the program's symbols */
    int64_t tile;         /* points that a part has, along the last dims of all values; 1: others */
} gn_serial_class;

typedef struct gn_serial_axes {
    gn_arena *arena;
    const gn_program *p;
    size_t nuses;
    gn_serial_use *const *use;
    size_t nvalues;           /* twice the program's */
    const bool *is_written;   /* per value: in the subtree */
    const int32_t (*same)[2]; /* pairs of values that exchange their memories */
    size_t nsame;
    /* found: */
    GN_VEC(gn_serial_class) classes;
    int8_t (*dim)[GN_MAX_RANK]; /* per value and dim: its class; -1: none */
    uint8_t *rank;              /* per value that is written: dims, as kernels see it; 0: several ways, or none */
    const gn_dim *(*extent)[GN_MAX_RANK];
    struct gn_axis_sets *sets;
} gn_serial_axes;
void gn_serial_find_axes(gn_serial_axes *, const gn_target *);
/* Rewrites the kernels of all uses for one part: axes of classes become symbols, values of `is_inner` lose these dims.
 */
void gn_serial_cut(gn_serial_axes *, const bool *is_inner);
/* Elements of an inner value that one part has; NULL: of several shapes, all of it. */
const gn_dim *gn_serial_elements(const gn_serial_axes *, int32_t value, gn_dim_pool *);
