/* Which buffers of a kernel may be the same memory, judged by the code that was made of it. */
#pragma once
#include "tree.h"

typedef struct gn_in_place_pair { /* buffers of equal dtype and shape: `write` may take over the memory of `read` */
    uint32_t read, write;
} gn_in_place_pair;
typedef struct gn_in_place {
    GN_VEC(gn_in_place_pair) pairs;
} gn_in_place;

/* Wherever the code reads an element of `read` it writes the same element of `write` later, in the same block or in one
 * around it. Since a kernel stores each element once, nobody reads an element after it was written, in whatever order
 * loops, parts, blocks and threads run. */
gn_in_place gn_in_place_find(gn_arena *, gn_arena *scratch, const gn_scheduled *);
bool gn_in_place_allows(const gn_in_place *, uint32_t read, uint32_t write);
