/* The form of a kernel: its text and its schedule's with names numbered as they come. Layers of one shape have kernels of one form, which share
 * their functions.
 *
 *     (kernel k0 (syms batch) (bufs (x f32 batch 64) ..       (kernel 0 (syms 1) (bufs (2 f32 1 64) .. */
#pragma once
#include "kernel.h"

/* NULL if a name also stands for something else in the text (a buffer named "sum"): such a kernel shares nothing. */
const char *gn_kernel_form(gn_arena *, const gn_kernel *, const char *kernel_text, const char *schedule_text);
