/* Kernels from text and back, for tests. */
#pragma once
#include <string.h>
#include "kernel.h"
#include "sexpr.h"
#include "text.h"

static inline gn_kernel *read_kernel(gn_arena *a, const char *text)
{
    const gn_sx *x = gn_sx_read(a, "test", text, strlen(text));
    gn_kernel *k = gn_kernel_read(a, "test", x->at[0]);
    gn_kernel_verify(k);
    return k;
}

static inline const char *kernel_text(gn_arena *a, const gn_kernel *k)
{
    gn_text t = { .arena = a };
    gn_kernel_print(&t, k);
    return gn_text_done(&t);
}
