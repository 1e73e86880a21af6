/* The launch of a step of CUDA code: what the driver is told, and what it refuses. */
#pragma once
#include "code.h"

typedef struct gn_launch {
    int64_t grid[3];     /* blocks along x, y, z; one 0: nothing runs */
    uint32_t cluster[3]; /* of them in a cluster; 1: no clusters */
    uint32_t threads;    /* of a block */
    int64_t shared;      /* bytes of dynamic shared memory */
} gn_launch;

/* Bytes where all shared memory of a step is static; else it is dynamic, one place behind the other. */
enum { GN_STATIC_SHARED = 48 << 10, GN_SHARED_ALIGN = 128 };

/* Over symbols: the blocks along a dim of the grid. */
const gn_dim *gn_code_grid(const gn_code *, size_t step, int dim);
/* Over symbols: the bytes of dynamic shared memory of a step, 0 if its shared memory is static. *offset gets by the id
 * of a place where it begins there. */
const gn_dim *gn_code_dynamic_shared(const gn_code *, size_t step, gn_map *offset, gn_arena *);
/* A dim over symbols, for their values; what: for the sentence where it overflows. */
int64_t gn_code_size(const gn_code *, size_t step, const gn_dim *, const int64_t *sym, const char *what);
/* For the values of the code's symbols. Throws GN_EINVAL where no device takes it. */
gn_launch gn_code_launch(const gn_code *, size_t step, const int64_t *sym);
