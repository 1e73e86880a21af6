/* Rolling up, between its files: code_roll.c looks for runs of blocks and makes loops of them, code_roll_blocks.c says
 * which nodes belong to which block, code_roll_unify.c makes one of all blocks. */
#pragma once
#include "code_build.h"
#include "code_names.h"
#include "code_unify.h"

typedef GN_VEC(gn_code_node *) gn_roll_nodes;

typedef struct gn_roll_let {
    uint32_t uses, here; /* all; in the run at hand */
    int32_t block;       /* of the run at hand: the one that uses it; GN_ROLL_SHARED, GN_ROLL_NOBODY */
    uint32_t at;         /* its place in its block */
} gn_roll_let;
enum { GN_ROLL_SHARED = -1, GN_ROLL_NOBODY = -2, GN_ROLL_OUTSIDE = -3 };

typedef struct gn_roll_array {
    uint32_t n;
    const gn_val **lets;
    const gn_place *place;
} gn_roll_array;

typedef struct gn_roller {
    gn_code *code;
    gn_arena *arena;          /* the code's: what fails to be had leaves nothing behind */
    GN_VEC(gn_roll_let) let;     /* by id */
    gn_map kept;              /* by id: the register that has the value now */
    gn_map made;              /* at the end, by id: the let */
    gn_code_names names;
    GN_VEC(gn_turns) open;    /* the unrolled loops around */
    GN_VEC(const char *) loops; /* variables of the others */
    gn_turns before;          /* the last of the region */
    GN_VEC(gn_roll_array) arrays; /* of lets, filled in the regions that are open */
} gn_roller;

typedef struct gn_roll_run {
    gn_roller *r;
    const gn_roll_nodes *all;
    size_t first, last;       /* nodes of the region: first .. last - 1 */
    uint32_t q, n;            /* roots a block, blocks */
    gn_roll_nodes *block;         /* n lists: what belongs to each alone */
    gn_roll_nodes shared;
    gn_turns turns;
    gn_map made;              /* by id in block 0: the let of the loop */
    GN_VEC(const gn_val **) gathered; /* n different lets each, for an array */
    GN_VEC(gn_val *) elements;        /* of that array, in the loop */
} gn_roll_run;


/* code_roll_blocks.c */
bool gn_roll_is_root(const gn_code_node *); /* it sets, stores or branches */
const gn_val *gn_roll_now(const gn_roller *, const gn_val *);    /* the let, or the register that has its value now */
const gn_val *gn_roll_source(const gn_roller *, const gn_val *); /* what an operand is, or is a splat of */
void gn_roll_operands(const gn_code_node *, void (*meet)(void *user, const gn_val **),
                      void *user); /* in its regions, too */
/* fills block and shared; false: a let cannot go where it belongs */
bool gn_roll_sort(gn_roll_run *, const uint32_t *root_of);
void gn_roll_forget(gn_roll_run *);                              /* whose block its lets are */
/* code_roll_unify.c */
bool gn_roll_unify(gn_roll_run *, const gn_roll_nodes *const *lists, gn_code_body *out);
