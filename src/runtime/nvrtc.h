/* NVRTC: CUDA source to a cubin, on machines with or without a GPU. The library is opened when it is first asked for,
 * never linked.
 */
#pragma once
#include <stdbool.h>
#include <gnomon/base.h>
#include "alloc.h"

typedef struct gn_nvrtc gn_nvrtc;

/* Opens libnvrtc.so.13 or .12: by name, in $CUDA_HOME/lib64, $CUDA_PATH/lib64, /usr/local/cuda/lib64. GN_EDEVICE if
 * there is none.
 */
gn_status gn_nvrtc_open(gn_nvrtc **out, const gn_allocator *);
void gn_nvrtc_close(gn_nvrtc *);                 /* accepts NULL */
const char *gn_nvrtc_identity(const gn_nvrtc *); /* "nvrtc 13.0": for cache keys */

typedef struct gn_nvrtc_output {
    const gn_allocator *allocator;
    void *code; /* cubin, or PTX text with a final NUL */
    size_t size;
    char *log; /* the compiler's words, registers and spills of each kernel among them */
    size_t log_size;
} gn_nvrtc_output;

/* arch "sm_90": a cubin; "compute_90": PTX. name: of the unit, for diagnostics. GN_ECOMPILER with the compiler's words;
 * out->log is kept in both cases and released, like the code, by gn_nvrtc_output_free. Thread-safe; NVRTC itself
 * compiles one unit after the other. */
gn_status gn_nvrtc_compile(const gn_nvrtc *, const char *name, const char *source, const char *arch, gn_nvrtc_output *out);
void gn_nvrtc_output_free(gn_nvrtc_output *);

typedef struct gn_nvrtc_usage {
    int registers, spill_bytes, stack_bytes, shared_bytes;
} gn_nvrtc_usage;
/* What the log says of a kernel; false if it says nothing. */
bool gn_nvrtc_usage_of(const char *log, const char *kernel, gn_nvrtc_usage *out);
