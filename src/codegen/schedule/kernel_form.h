/* The form of a kernel: its text and its schedule's with buffers and definitions numbered instead of named. Layers of
 * one shape have kernels of one form, which share their functions.
 *
 *     (kernel k0 (syms batch) (bufs (x f32 batch 64) ..       (kernel k (syms batch) (bufs (#buf0 f32 batch 64) .. */
#pragma once
#include "kernel.h"
#include "schedule.h"

const char *gn_kernel_form(gn_arena *, const gn_kernel *, const gn_schedule *);
