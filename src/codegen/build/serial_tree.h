/* Serial subtrees: a loop of a program whose kernels are small becomes one code function over the loop.
 *
 *     if (gn_serial_tree(&maker, at, kernels)) a step of one kernel stands for the loop at step `at` and all within it
 *
 * What the loop makes and nobody else reads lives in registers, where all its places are constant, or on the stack;
 * carried values exchange registers, or lie at turns in the places of a ring. Axes that all kernels share and no
 * carried value crosses are the parts of the step: each runs the whole loop for its points (serial_axes.h). */
#pragma once
#include "kernel_maker.h"

/* kernel: of each kernel of the program, as it was read; schedule: NULL where the default one is to be found. The
 * steps of the loop stand in `steps`. False: it stays a loop of steps; nothing was added. */
bool gn_serial_tree(gn_kernel_maker *, const gn_pstep *steps, uint32_t at, uint32_t nsteps, gn_kernel *const *kernel,
                    gn_schedule *const *schedule);
