/* Scheduled kernels: the tree of loops that lowering makes from a logical kernel and a schedule. Two forms, both printed and
 * interpreted: statements (init, upd, merge, scale, asg, store of a definition), and code: lets and sets over scalar and vector
 * values, which the emitter prints word by word.
 *
 *     gn_scheduled *s = gn_schedule_apply(arena, kernel, schedule, &gn_target_avx512);
 *     gn_scheduled_print(&text, s);            (step (for ip :part .. (for j0 .. (upd m)) (merge m) ..))
 *     gn_emit_kernel(&source, s);
 *
 * The text form and what each directive means and demands: docs/kernel-text.md. */
#pragma once
#include "schedule.h"
#include "target.h"
#include "tile.h"

typedef enum {
    GN_NODE_STEP,
    GN_NODE_FOR,
    GN_NODE_BUF,
    GN_NODE_BARRIER,
    GN_NODE_STMT, /* first form */
    GN_NODE_LET,
    GN_NODE_SET,
    GN_NODE_IF,
    GN_NODE_TILE /* second form */
} gn_tree_kind;

typedef struct gn_tree gn_tree; /* one node: tree_node.h */

typedef struct gn_sbuf { /* memory beside the kernel's buffers */
    const char *name;
    gn_dtype dtype;
    uint8_t level;       /* GN_LEVEL_ARENA: one per call; GN_LEVEL_SCRATCH: one per worker */
    const gn_dim *bytes; /* over the kernel's symbols */
} gn_sbuf;

typedef struct gn_scheduled {
    const gn_kernel *kernel; /* the caller's */
    const gn_schedule *schedule;
    const gn_target *target;
    gn_tree *root, *code; /* steps: as statements, as lets and sets */
    uint32_t nsteps;
    GN_VEC(gn_sbuf) sbufs;  /* staged definitions of level arena and scratch */
    struct gn_lower *lower; /* what lowering knows: lower.h */
} gn_scheduled;

/* Lowers. The kernel and schedule are not changed. Throws GN_EINVAL with the directive that is illegal and why. */
gn_scheduled *gn_schedule_apply(gn_arena *, const gn_kernel *, const gn_schedule *, const gn_target *);
void gn_scheduled_print(gn_text *, const gn_scheduled *);      /* the statements */
void gn_scheduled_print_code(gn_text *, const gn_scheduled *); /* the lets and sets */
/* Number of parts of a step for given symbols (1 for a serial one); CUDA: of blocks. Over the kernel's symbols, in a pool of the
 * scheduled kernel's own: gn_dim_import it. */
const gn_dim *gn_scheduled_parts(const gn_scheduled *, uint32_t step);
uint32_t gn_scheduled_threads(const gn_scheduled *); /* CUDA: of a block; 1 elsewhere */
/* Runs the tree: parts, blocks, threads, lanes, barriers. Buffers and symbols as for gn_kernel_interpret. */
void gn_scheduled_interpret(const gn_scheduled *, void *const *buffers, const int64_t *sym, gn_arena *);
void gn_scheduled_interpret_code(const gn_scheduled *, void *const *buffers, const int64_t *sym, gn_arena *);
