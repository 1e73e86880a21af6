/* Factors of contractions that are made of variables alone, which the program does not update: a kernel of its own
 * makes such a factor, once for each version of the variables, so that no call turns or converts weights. */
#pragma once
#include "kernel.h"

/* The definition reads buffers that are given and nothing else, and its shape is constant. */
bool gn_factor_is_given(const gn_kernel *, uint32_t def, const bool *given);
/* It is an array whose rows run along the axis: what a contraction reads as it lies. */
bool gn_factor_has_rows(const gn_kernel *, uint32_t def, uint32_t axis);
/* The kernel that makes it, rows along the axis, into its buffer 0. The other one loads it from a new last buffer.
 * `buf` gets, per further buffer of the new kernel, the old one's. */
gn_kernel *gn_factor_split(gn_arena *, gn_kernel *, uint32_t def, uint32_t axis, uint32_t *buf);
