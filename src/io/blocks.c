/* Arrays that own their memory: allocated whole, row-major, with every size checked. */
#include "blocks.h"
#include "checked.h"
#include "error.h"

gn_status gn_array_new(gn_array *out, gn_dtype dtype, int rank, const int64_t *shape)
{
    const gn_array a = gn_array_of(NULL, dtype, rank, shape);
    const int64_t n = gn_array_count(&a);
    int64_t bytes = 0;
    if (n < 0 || gn_mul_overflows(n, (int64_t)gn_dtype_size(dtype), &bytes))
        return gn_error(GN_ENOMEM, "the size of an array overflows");
    *out = a;
    out->data = gn_block_new(&gn_allocator_libc, (size_t)bytes);
    return out->data ? GN_OK : GN_ENOMEM;
}

gn_status gn_array_packed(gn_array *out, bool *owned, const gn_array *a)
{
    *owned = !gn_array_is_row_major(a);
    *out = *a;
    if (!*owned) return GN_OK;
    uintptr_t first, end;
    if (!gn_array_range(a, &first, &end))
        return *owned = false, gn_error(GN_EINVAL, "the strides of an array lead out of the address space");
    const gn_status s = gn_array_new(out, a->dtype, a->rank, a->shape);
    if (!s) gn_array_copy(out, a);
    else *owned = false;
    return s;
}

bool gn_bools_are_valid(const gn_array *a)
{
    const uint8_t *byte = a->data;
    const int64_t n = gn_array_count(a);
    for (int64_t i = 0; a->dtype == GN_BOOL && i < n; i++) {
        if (byte[i] > 1) return false;
    }
    return true;
}
