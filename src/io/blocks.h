/* Arrays that own their memory, as the readers return them. */
#pragma once
#include "view.h"

/* A row-major array of new memory that gn_array_free releases. Negative extents and sizes that overflow give GN_ENOMEM. */
gn_status gn_array_new(gn_array *out, gn_dtype, int rank, const int64_t *shape);
/* The bytes of a row-major array whose count is known to fit. */
static inline size_t gn_array_bytes(const gn_array *a)
{
    return (size_t)gn_array_count(a) * gn_dtype_size(a->dtype);
}
/* A row-major copy of `a` where its strides ask for one, else `a` itself with *owned false. */
gn_status gn_array_packed(gn_array *out, bool *owned, const gn_array *a);
/* Every byte of a bool array must be 0 or 1: any other is undefined behaviour for whoever reads it. */
bool gn_bools_are_valid(const gn_array *row_major);
