/* Runs CUDA text that was built for the CPU with tests/codegen/cuda_emulation.h before it. */
#pragma once
#include <stdbool.h>

/* Calls body(arg) for `threads` fibers of `blocks` blocks in the library; fibers in ascending or descending order,
 * which a correct kernel cannot notice. Returns NULL, or a sentence: threads that wait at different places, or end
 * while others wait. */
const char *cuda_fibers_run(void *library, void (*body)(void), unsigned blocks, unsigned threads, bool descending);
