/** @file dtypes, and arrays as they stand in the caller's memory.
 *
 *      float in[6];
 *      gn_array a = gn_array_of(in, GN_F32, 2, (int64_t[]){ 2, 3 });     a view: borrowed, row-major
 *      gn_array v = GN_VIEW(in, 6), s = GN_SCALAR(&in[0]);
 */
#pragma once
#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Element types. Promotion of two dtypes is the least upper bound in: bool < ints by width (unsigned with signed: the next wider signed) <
 *  f16, bf16 < f32 < f64, where u64 with a signed integer and f16 with bf16 meet in f32; a number written as an operand takes the dtype of
 *  the expression beside it. f16 and bf16 are kept in arrays, variables and constants, and files; no target computes with them yet, so inputs
 *  and builders refuse them with GN_EDTYPE. All others compute everywhere. */
typedef enum gn_dtype {
    GN_BOOL, GN_I8, GN_I16, GN_I32, GN_I64, GN_U8, GN_U16, GN_U32, GN_U64, GN_F16, GN_BF16, GN_F32, GN_F64
} gn_dtype;
enum { GN_NDTYPES = GN_F64 + 1, GN_MAX_RANK = 8 };

GN_API const char *gn_dtype_name(gn_dtype);  /**< "f32"; NULL if it is none */
GN_API size_t gn_dtype_size(gn_dtype);       /**< bytes of an element; 0 if it is none */
GN_API gn_dtype gn_dtype_promote(gn_dtype, gn_dtype);

/** A borrowed view, passed by value: nothing here owns memory. Strides count elements, not bytes, and may be 0 or negative. */
typedef struct gn_array {
    void *data;
    gn_dtype dtype;
    int rank;
    int64_t shape[GN_MAX_RANK], stride[GN_MAX_RANK];
    struct gn_array *fill; /**< set by GN_NEW: the array that receives an output which the library allocates */
} gn_array;

/** A row-major view of `data`. */
GN_API gn_array gn_array_of(void *data, gn_dtype, int rank, const int64_t *shape);
/** Rows first, first + 1, ... first + n - 1 of the first axis: a view. The caller keeps first + n within it. */
GN_API gn_array gn_array_rows(gn_array, int64_t first, int64_t n);
/** Number of elements; -1 if it overflows or an extent is negative. */
GN_API int64_t gn_array_count(const gn_array *);

static inline gn_array gn_array_1d(void *data, gn_dtype dtype, int64_t n)
{
    gn_array a;
    a.data = data, a.dtype = dtype, a.rank = 1, a.shape[0] = n, a.stride[0] = 1, a.fill = NULL;
    for (int d = 1; d < GN_MAX_RANK; d++) a.shape[d] = a.stride[d] = 0;
    return a;
}
static inline gn_array gn_array_scalar(void *data, gn_dtype dtype)
{
    gn_array a = gn_array_1d(data, dtype, 0);
    a.rank = 0;
    return a;
}
typedef struct gn_arrays {
    size_t n;
    const gn_array *at;
} gn_arrays;
#ifdef __cplusplus
} /* extern "C" */
inline gn_dtype gn_dtype_pointed(const float *) { return GN_F32; }
inline gn_dtype gn_dtype_pointed(const double *) { return GN_F64; }
inline gn_dtype gn_dtype_pointed(const bool *) { return GN_BOOL; }
inline gn_dtype gn_dtype_pointed(const int8_t *) { return GN_I8; }
inline gn_dtype gn_dtype_pointed(const int16_t *) { return GN_I16; }
inline gn_dtype gn_dtype_pointed(const int32_t *) { return GN_I32; }
inline gn_dtype gn_dtype_pointed(const int64_t *) { return GN_I64; }
inline gn_dtype gn_dtype_pointed(const uint8_t *) { return GN_U8; }
inline gn_dtype gn_dtype_pointed(const uint16_t *) { return GN_U16; }
inline gn_dtype gn_dtype_pointed(const uint32_t *) { return GN_U32; }
inline gn_dtype gn_dtype_pointed(const uint64_t *) { return GN_U64; }
template <typename T> inline gn_array gn_array_view(T *p, int64_t n)
{
    return gn_array_1d(const_cast<void *>(static_cast<const void *>(p)), gn_dtype_pointed(p), n);
}
template <typename T> inline gn_array gn_array_one(T *p)
{
    return gn_array_scalar(const_cast<void *>(static_cast<const void *>(p)), gn_dtype_pointed(p));
}
inline gn_array gn_array_allocated(gn_array *a)
{
    gn_array out = {};
    out.fill = a;
    return out;
}
inline gn_arrays gn_arrays_of(const std::initializer_list<gn_array> &l) { return { l.size(), l.begin() }; }
#define GN_DTYPE_OF(p) gn_dtype_pointed(p)
#define GN_VIEW(p, n) gn_array_view(&(p)[0], n)
#define GN_SCALAR(p) gn_array_one(p)
#define GN_NEW(a) gn_array_allocated(a)
#define GN_ARRAYS(...) gn_arrays_of({ __VA_ARGS__ })
extern "C" {
#else
/** dtype of what a pointer points to. */
#define GN_DTYPE_OF(p) _Generic((p), float *: GN_F32, const float *: GN_F32, double *: GN_F64, const double *: GN_F64, \
    int8_t *: GN_I8, const int8_t *: GN_I8, int16_t *: GN_I16, const int16_t *: GN_I16, int32_t *: GN_I32, const int32_t *: GN_I32, \
    int64_t *: GN_I64, const int64_t *: GN_I64, uint8_t *: GN_U8, const uint8_t *: GN_U8, uint16_t *: GN_U16, const uint16_t *: GN_U16, \
    uint32_t *: GN_U32, const uint32_t *: GN_U32, uint64_t *: GN_U64, const uint64_t *: GN_U64, _Bool *: GN_BOOL, const _Bool *: GN_BOOL)
/** n elements, one after the other: an array of rank 1. */
#define GN_VIEW(p, n) gn_array_1d((void *)(p), GN_DTYPE_OF(&(p)[0]), n)
/** One element: an array of rank 0. */
#define GN_SCALAR(p) gn_array_scalar((void *)(p), GN_DTYPE_OF(p))
/** As an output of gn_call: the library allocates, *(a) describes the memory, and the caller releases it with gn_array_free. */
#define GN_NEW(a) ((gn_array){ .fill = (a) })
/** A list of arrays, as gn_call takes it. */
#define GN_ARRAYS(...) ((gn_arrays){ sizeof((gn_array[]){ __VA_ARGS__ }) / sizeof(gn_array), (const gn_array[]){ __VA_ARGS__ } })
#endif

/** Releases what GN_NEW or a reader allocated, and clears the view. Accepts one that is already clear. */
GN_API void gn_array_free(gn_array *);

#ifdef __cplusplus
}
#endif
