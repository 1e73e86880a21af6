/* What the steps of a program read and write: of a kernel by its text, of a call by the routine's row. */
#pragma once
#include "program.h"

typedef struct gn_accesses {
    gn_arena *arena;
    const gn_program *p;
    const gn_kernel **kernel;    /* per kernel, read when first asked for */
} gn_accesses;
gn_accesses gn_accesses_of(gn_arena *, const gn_program *);

const gn_kernel *gn_access_kernel(gn_accesses *, uint32_t at);
/* gn_operand_use bits of argument `arg` of a kernel, copy or call. A buffer that a kernel keeps for itself is
 * written. */
uint8_t gn_access_uses(gn_accesses *, const gn_pstep *, uint32_t arg);
/* Elements that do not lie next to each other, as the columns of a concat: at each level, from the innermost on,
 * rows of `width` bytes from the first element to the last, a multiple of `pitch` bytes apart. None: they are one
 * piece. */
typedef struct gn_access_rows {
    uint8_t n;
    struct {
        const gn_dim *width, *pitch;
    } level[GN_MAX_RANK];
    bool strided;
} gn_access_rows;
gn_access_rows gn_access_rows_of(gn_accesses *, const gn_pstep *, uint32_t arg);
/* Bytes from the argument's start on that the step reads or writes, over the program's symbols. */
const gn_dim *gn_access_bytes(gn_accesses *, const gn_pstep *, uint32_t arg);
const gn_dim *gn_access_elements(gn_accesses *, const gn_pstep *, uint32_t arg); /* bytes of the elements alone */
typedef struct gn_access_shape {
    int rank;
    const gn_dim *const *extent; /* over the program's symbols */
} gn_access_shape;
gn_access_shape gn_access_shape_of(gn_accesses *, const gn_pstep *, uint32_t arg);
