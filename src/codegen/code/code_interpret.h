/* The meaning of code, for tests: runs it as it stands, on numbers that know whether they have content.
 *
 *     gn_code_interpret(code, buffers, sym, seed, &scratch);
 *
 * Whatever a target may do is done here, and what no target may see is an error:
 *
 * - Registers, stack, shared, scratch (in each part) and arena memory begin as *poison*. It may be loaded, computed
 *   with and stored to memory that is no buffer: lanes and threads past an end do so, and are masked away later. What
 *   is made of poison is poison; `select` and `pick` look at the side that they take alone, lanes that are masked out
 *   are 0. Poison that reaches a buffer, an index, a condition or a mask is an error.
 * - Parts run in an order drawn from the seed, and so do the threads of a block: between two nodes that gather them (a
 *   barrier, `threads`, a product of tiles, a dealt loop, a declaration of shared memory) each runs to the end before
 *   the next begins. Loops and conditions around such nodes must be the same for all threads.
 * - Two parts of a step, or two threads between two barriers, that touch one element, one of them writing, are a race.
 *   Threads, and only they, may write the same bits to one element, and each may read what it has written.
 * - A register from outside that a loop sets and does not carry is poison when a turn begins, and behind the loop.
 *
 * Floats keep more digits than their dtype until they reach a buffer; integers wrap. */
#pragma once
#include "code.h"

/* buffers: of each argument that is a buffer, in their order, row-major; sym: value of each symbol; order: the seed.
 * Arena and scratch memory is the interpreter's own. Throws GN_EINTERNAL with a sentence: the step, part, thread and
 * node, and what is wrong there. */
void gn_code_interpret(const gn_code *, void *const *buffers, const int64_t *sym, uint64_t order, gn_arena *scratch);
