/* The CUDA driver: launches of generated code. The library is opened when it is first asked for, never linked; each
 * function is the driver's, so that tests put their own in. */
#pragma once
#include <gnomon/base.h>
#include "code_launch.h"

typedef struct gn_cuda_driver {
    void *library;
    int (*launch)(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                  unsigned block_z, unsigned shared_bytes, void *stream, void **params, void **extra);
    int (*set_attribute)(void *function, int attribute, int value);
    int (*encode_tiled)(void *map, int dtype, uint32_t rank, void *address, const uint64_t *extents,
                        const uint64_t *strides, const uint32_t *box, const uint32_t *element_strides, int interleave,
                        int swizzle, int promotion, int fill);
    int (*error_name)(int, const char **);
} gn_cuda_driver;

/* Opens libcuda.so.1. GN_EDEVICE if there is none, or one without these functions. */
gn_status gn_cuda_driver_open(gn_cuda_driver *);
void gn_cuda_driver_close(gn_cuda_driver *);

/* Starts a step on the stream: `function` is the step's, memory[i] the device address of argument i (ignored where the
 * host makes its value), sym[i] the value of symbol i. More than 48 KB of shared memory are asked for before. GN_EINVAL
 * where no device takes the launch, GN_EDEVICE with the driver's word where this one does not. */
gn_status gn_cuda_launch(const gn_cuda_driver *, void *function, const gn_code *, size_t step, void *const *memory,
                         const int64_t *sym, void *stream);
