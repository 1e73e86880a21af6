/* Scheduled kernels: the tree of loops that lowering makes from a logical kernel and a schedule, with statements of
 * definitions (init, upd, merge, asg, store), and the code that it is expanded to (code.h).
 *
 *     gn_scheduled *s = gn_schedule_apply(arena, kernel, schedule, &gn_target_avx512);
 *     gn_scheduled_print(&text, s);            (step (for ip :part .. (for j0 .. (upd m)) (merge m) ..))
 *     gn_emit_kernel(&source, &words, s->code);
 *
 * The text form and what each directive means and demands: docs/kernel-text.md. */
#pragma once
#include "code.h"
#include "schedule.h"

typedef enum { GN_NODE_STEP, GN_NODE_FOR, GN_NODE_BUF, GN_NODE_BARRIER, GN_NODE_STMT } gn_tree_kind;

typedef struct gn_tree gn_tree; /* one node: tree_node.h */

typedef struct gn_scheduled {
    const gn_kernel *kernel; /* the caller's */
    const gn_schedule *schedule;
    gn_tree *root;          /* steps of statements */
    gn_code *code;
    struct gn_lower *lower; /* what lowering knows: lower.h */
} gn_scheduled;

/* Lowers. The kernel and schedule are not changed. Throws GN_EINVAL with the directive that is illegal and why. */
gn_scheduled *gn_schedule_apply(gn_arena *, const gn_kernel *, const gn_schedule *, const gn_target *);
/* The same before any pass (code_passes.h). */
gn_scheduled *gn_schedule_lower(gn_arena *, const gn_kernel *, const gn_schedule *, const gn_target *);
void gn_scheduled_print(gn_text *, const gn_scheduled *); /* the statements */
