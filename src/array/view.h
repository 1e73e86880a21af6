/* Views of host memory: counting, contiguity, overlap, copying between strides, owned blocks. */
#pragma once
#include <stdbool.h>
#include <gnomon/array.h>
#include "alloc.h"

bool gn_array_is_row_major(const gn_array *);                    /* strides of a contiguous block, extents 1 ignored */
/* Its first byte and the one after its last. False: they are 2^62 bytes apart or more, or lie around the end of the
 * address space. */
bool gn_array_range(const gn_array *, uintptr_t *first, uintptr_t *end);
/* Whether two views have a byte in common, or two places of one view. Undecided: strides so involved that bounded work
 * does not tell. */
typedef enum gn_meeting { GN_APART, GN_MEET, GN_UNDECIDED } gn_meeting;
gn_meeting gn_arrays_meet(const gn_array *, const gn_array *);
gn_meeting gn_array_meets_itself(const gn_array *);
void gn_array_copy(const gn_array *to, const gn_array *from);    /* equal dtype and shape; any strides */
/* 64-byte aligned (2 MiB-aligned and advised huge from 4 MiB on), zero bytes give a valid pointer. NULL: out of memory,
 * message set. */
void *gn_block_new(const gn_allocator *, size_t bytes);
void gn_block_free(const gn_allocator *, void *, size_t bytes);
