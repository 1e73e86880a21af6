/* Views of host memory: counting, contiguity, overlap, copying between strides, owned blocks. */
#pragma once
#include <stdbool.h>
#include <gnomon/array.h>
#include "alloc.h"

bool gn_array_is_row_major(const gn_array *);                    /* strides of a contiguous block, extents 1 ignored */
bool gn_array_overlaps(const gn_array *, const gn_array *);      /* their byte ranges meet; conservative for strided views */
void gn_array_copy(const gn_array *to, const gn_array *from);    /* equal dtype and shape; any strides */
/* 64-byte aligned (2 MiB-aligned and advised huge from 4 MiB on), zero bytes give a valid pointer. NULL: out of memory, message
 * set. */
void *gn_block_new(const gn_allocator *, size_t bytes);
void gn_block_free(const gn_allocator *, void *, size_t bytes);
