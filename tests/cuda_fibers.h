/* Runs CUDA text that was built for the CPU with tests/codegen/cuda_emulation.h before it. */
#pragma once
#include <stdbool.h>
#include "code_launch.h"

/* Calls body() for each thread of the launch as a fiber; the blocks of a cluster together, clusters one after the
 * other. Threads in ascending or descending order, each group ahead of the others as far as its barriers let it, which a
 * correct kernel cannot notice. Returns NULL, or a sentence: threads that wait at different places, or end while others
 * wait. */
const char *cuda_fibers_run(void *library, void (*body)(void), const gn_launch *, bool descending);
