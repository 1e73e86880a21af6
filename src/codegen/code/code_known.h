/* Lets that are known: found by what they are, forgotten when what they read is written.
 *
 *     gn_known_lets known = { .arena = scratch, .dims = code->dims };
 *     const uint64_t hash = gn_val_hash(v);
 *     const gn_val *same = gn_known_find(&known, v, hash);
 *     if (!same) gn_known_add(&known, v, v, hash);
 *
 * Registers have a key of their own; memory is looked up by stretches of 16 elements, so that a store meets the loads
 * near it and not all of them. */
#pragma once
#include "code.h"

typedef struct gn_known {
    const gn_val *what, *let; /* what the let is; a load that would find it */
    uint64_t hash;
    uint32_t next; /* in its chain, + 1 */
    bool dead;     /* what it read was written since */
} gn_known;

typedef struct gn_known_lets {
    gn_arena *arena;
    gn_dim_pool *dims;
    GN_VEC(gn_known *) known; /* of the regions that are open */
    uint32_t *chain, nchains; /* of known, by hash */
    /* who reads it, to be forgotten when it is written: registers by place and number; memory by place; what indices
     * load by its name */
    gn_map registers, memory, indices;
} gn_known_lets;

uint64_t gn_val_hash(const gn_val *); /* of what it is, not of its number */
bool gn_same_conds(const gn_pred *, const gn_pred *); /* whether negated or not */
bool gn_same_preds(gn_preds, gn_preds);
const void *gn_mask_part(const void *mask, size_t i); /* for gn_visit: what a mask is the `and` of */
bool gn_same_access(const gn_access *, const gn_access *);
/* Elements that differ by a constant, far enough. */
bool gn_are_apart(const gn_access *, uint16_t lanes, const gn_access *other, uint16_t other_lanes);

const gn_val *gn_known_find(const gn_known_lets *, gn_val *what, uint64_t hash); /* NULL: none */
void gn_known_add(gn_known_lets *, const gn_val *what, const gn_val *let, uint64_t hash);
/* Lets of a region are not known behind it: mark at its begin, release at its end. */
size_t gn_known_mark(const gn_known_lets *);
void gn_known_release(gn_known_lets *, size_t mark);
void gn_known_stored(gn_known_lets *, const gn_access *, uint16_t lanes);
void gn_known_set(gn_known_lets *, const gn_place *, uint32_t number); /* a register */
void gn_known_forget(gn_known_lets *, const gn_place *);               /* all of it is written */
