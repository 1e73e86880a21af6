/* Scheduled kernels: the tree of loops that lowering makes from a logical kernel and a schedule. Two forms, both printed and interpreted:
 * statements (init, upd, merge, scale, asg, store of a definition) and, after expansion, lets and sets over scalar and vector values. */
#pragma once
#include "schedule.h"
#include "target.h"

typedef enum {
    GN_NODE_STEP, GN_NODE_FOR, GN_NODE_BUF, GN_NODE_BARRIER, GN_NODE_STMT,  /* first form */
    GN_NODE_LET, GN_NODE_SET, GN_NODE_IF, GN_NODE_TILE                      /* second form */
} gn_tree_kind;

typedef struct gn_tree gn_tree;  /* one node: tree_node.h */

typedef struct gn_scheduled {
    const gn_kernel *kernel;     /* after rfactor and inlining */
    const gn_schedule *schedule;
    const gn_target *target;
    gn_tree *root;
    uint32_t nsteps;
    /* memory beside the kernel's buffers: staged definitions of level arena (per call) and scratch (per worker), in bytes over symbols */
    GN_VEC(struct gn_sbuf { const char *name; gn_dtype dtype; uint8_t level; const gn_dim *bytes; }) sbufs;
} gn_scheduled;

/* Lowers. The kernel and schedule are not changed. Throws GN_ESYNTAX with the directive that is illegal and why. */
gn_scheduled *gn_schedule_apply(gn_arena *, const gn_kernel *, const gn_schedule *, const gn_target *);
void gn_scheduled_print(gn_text *, const gn_scheduled *);
/* Number of parts of a step for given symbols (1 for a serial one). */
const gn_dim *gn_scheduled_parts(const gn_scheduled *, uint32_t step);
/* Runs the tree: parts, blocks, threads, lanes, barriers. */
void gn_scheduled_interpret(const gn_scheduled *, void *const *buffers, const int64_t *sym, gn_arena *);
