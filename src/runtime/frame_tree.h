/* What a frame has for the steps that are no kernels. Loops move entries of the tables of arguments, always by a
 * distance: by a slice each turn, and by the way from one memory to another where carried values exchange theirs. So
 * the two, and the caller's pointers, do not know of each other. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "program.h"

typedef struct gn_frame_move {   /* an entry that a turn moves */
    void **at;
    int64_t bytes;
} gn_frame_move;

typedef struct gn_frame_exchanged { /* a value among those that exchange their memories */
    void **at;                   /* an entry with its address */
    uint32_t from;               /* whose memory it has after a turn */
    void ***entry;               /* all entries of it and of what takes over its memory */
    uint32_t nentries;
    void *now;
    int64_t shift;               /* from its own memory to the one it has */
} gn_frame_exchanged;

typedef struct gn_frame_loop {
    int64_t count;
    gn_frame_move *move;
    int64_t **turn;              /* entries of the tables of symbols that are the number of the turn */
    gn_frame_exchanged *exchanged;
    uint32_t nmoves, nturns, nexchanged;
    int64_t *initial;            /* per carried value: bytes to copy before the first turn */
} gn_frame_loop;

typedef struct gn_frame_copy {   /* their data pointers are arguments */
    gn_array to, from;
} gn_frame_copy;

typedef struct gn_frame_prepared {
    bool done;
    uint64_t *version;           /* per variable of its list, when it ran */
} gn_frame_prepared;

typedef union gn_frame_step {
    gn_frame_loop *loop;
    gn_frame_copy *copy;
    int64_t *dim;                /* of a call */
    uint32_t body;               /* of variants: the chosen one */
    gn_frame_prepared *prepared;
} gn_frame_step;

struct gn_frame;
int64_t gn_frame_evaluate(const struct gn_frame *, const gn_dim *); /* throws */
void gn_frame_tree_build(struct gn_frame *);          /* throws */
