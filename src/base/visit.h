/* Walks over operands. Expressions, dims and values share operands, so that a walk that follows each use takes
 * exponential time: this is the one way to walk them. Each node is met once, after its operands, without recursion.
 *
 *     gn_visit v = { .arena = scratch, .operand = gn_kexpr_operand };
 *     gn_visit_add(&v, root);
 *     for (const gn_kexpr *e; (e = gn_visit_next(&v));) count += e->kind == GN_K_OP;
 *
 * A walk that computes a result per node keeps it in a gn_map of its own, keyed by the node: its operands' results are
 * there. A walk in which a node means different things in different places (under other arguments) makes one key of
 * both first (a node of its own). */
#pragma once
#include <stdbool.h>
#include "map.h"
#include "vec.h"

typedef struct gn_visit_open { /* a node whose operands are being walked */
    const void *node;
    size_t next;
} gn_visit_open;

typedef struct gn_visit {
    gn_arena *arena;
    const void *(*operand)(const void *node, size_t i); /* the i-th; NULL past the last */
    /* false: neither the node nor what only it uses is met; NULL: all are */
    bool (*enter)(void *user, const void *node);
    void *user;
    gn_map seen;
    GN_VEC(gn_visit_open) open;
} gn_visit;

/* also between two calls of gn_visit_next; what was met is not met again */
void gn_visit_add(gn_visit *, const void *root);
const void *gn_visit_next(gn_visit *);           /* NULL: all were met */

/* Work done by this thread since it began, for tests which hold it to n log n: nodes met by walks, entries looked at by
 * searches in tables. */
typedef struct gn_work {
    uint64_t visits, scans;
} gn_work;
extern _Thread_local gn_work gn_work_done;
