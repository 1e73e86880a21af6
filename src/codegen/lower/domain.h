/* Where a placed statement takes effect, as a value that nothing changes: the loops around it with their bounds, its
 * tile points, and the ends of axes that its points keep. All of it follows from the axes, their splits and the order;
 * the tree says only which loops stand around.
 *
 *     (for i0 (for j (upd s)))    i = 4 i0 + i1, i1 a tile leaf of 4 points
 *     loops   0 <= i0 < (M+3)/4, 0 <= j < N        tiles  i1: 4        guards  4 i0 + i1 < M, j < N */
#pragma once
#include "lower.h"

typedef struct gn_domain_loop {
    const gn_tree *node;
    uint32_t leaf;
    const char *symbol;
    const gn_dim *from, *to; /* over symbols and the leaves of loops further out */
    uint8_t bind;            /* as the node says: part loops inside a step are serial */
    int64_t least, most;     /* trips; INT64_MAX: unknown */
} gn_domain_loop;

typedef struct gn_domain_tile {
    uint32_t leaf;
    uint8_t bind;
    int64_t count; /* 0: a leaf that a tile operation or a shared copy walks, of unknown count */
} gn_domain_tile;

typedef struct gn_domain {
    const gn_tree *stmt, *step;
    uint32_t number;            /* of the statements in the order in which they stand */
    gn_leafset leaves, looped;  /* that it runs over; those that loops around it walk */
    size_t nloops, ntiles, naxes;
    const gn_domain_loop *loop; /* from outside */
    const gn_domain_tile *tile; /* in the schedule's order */
    const uint16_t *axis;       /* that it has points of */
    gn_guards guards;           /* one for each axis: its value over leaves is below its extent */
    gn_dim_facts facts;         /* symbols, then leaves below where their loops end */
} gn_domain;

typedef GN_VEC(const gn_domain *) gn_domains;
gn_domains gn_domains_of(gn_lower *); /* of all statements of the tree, in its order */
size_t gn_domain_common(const gn_domain *, const gn_domain *); /* loops around both */
const gn_domain_loop *gn_domain_loop_over(const gn_domain *, uint32_t leaf); /* NULL: none */
/* value < extent of an axis, over leaves; extents of others that it depends on likewise. */
gn_guard gn_domain_guard(gn_lower *, uint32_t axis);
/* goal > 0 wherever the guards hold, for all digits that leaves may have: nothing of where loops end is taken for
 * granted. */
bool gn_guards_prove(gn_lower *, const gn_guards *, const gn_dim *goal);
