/* Stacks taken apart again. A step of a system slices the rows of its state, computes each row's part and stacks them;
 * arithmetic between two such steps is written for the whole. Where a slice takes elements of one part only, everything
 * elementwise between the concats and the slices is written for each part, and the slice takes from its part: a chain
 * of steps is then one of separate arrays, and no element is computed to be left out. Moves elements only; a concat of
 * the parts stands where others read the whole. */
#pragma once
#include "core.h"

void gn_unstack(struct gn_core *);
