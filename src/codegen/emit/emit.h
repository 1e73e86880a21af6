/* The one emitter: scheduled kernels to C or CUDA text. What the text says of the hardware are the words of the target's prelude: target.h. */
#pragma once
#include "tree.h"

/* C: for each step   void NAME_STEP(void *const *arg, const int64_t *sym, int64_t part)
 * where arg holds the kernel's buffers in order, then the sbufs in order (scratch ones already offset for the worker).
 * CUDA: one __global__ function per step. Appends to out; the prelude is not included. */
void gn_emit_kernel(gn_text *out, const gn_scheduled *);
/* One serial function that runs all steps: void NAME(void *const *arg, const int64_t *sym). For small programs and exports. */
void gn_emit_function(gn_text *out, const gn_scheduled *);
