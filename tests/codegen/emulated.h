/* Scheduled CUDA kernels as a library for the CPU: text for the C++ compiler, and running what it made. */
#pragma once
#include "emit.h"
#include "tree.h"

/* The whole unit for several kernels of different names: cuda_emulation.h, the generated text, and functions that call
 * each step. */
const char *emulated_text(gn_arena *, size_t n, gn_scheduled *const *kernels);
/* The generated text alone, head and prelude before it: for NVRTC. */
const char *emulated_cuda(gn_arena *, size_t n, gn_scheduled *const *kernels);
/* Of codes. */
const char *emulated_code_text(gn_arena *, size_t n, gn_code *const *codes);
const char *emulated_code_cuda(gn_arena *, size_t n, gn_code *const *codes);
void emulated_run_code(void *library, const gn_code *, void *const *buffers, const int64_t *sym, bool descending);
/* Runs all steps of a kernel. Fails the test if the emulation reports something. */
void emulated_run(void *library, const gn_scheduled *, void *const *buffers, const int64_t *sym, bool descending);
/* Value of a dim for the kernel's symbols. */
int64_t emulated_size(const gn_scheduled *, const gn_dim *, const int64_t *sym);

struct gn_nvrtc;
/* Compiles the text for sm_80 and sm_90; fails the test if a step spills. */
void emulated_check_nvrtc(const struct gn_nvrtc *, const char *text, size_t n, gn_scheduled *const *kernels);
