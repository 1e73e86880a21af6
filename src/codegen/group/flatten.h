/* Two axes that a kernel uses only as one walk over consecutive elements, made one axis. */
#pragma once
#include "kernel.h"

/* A kernel of the same meaning in which no two axes can be merged; k itself if there is nothing to merge. The numbers
 * of buffers, definitions, stores and items stay. */
gn_kernel *gn_kernel_flatten(gn_kernel *k, gn_arena *scratch);
