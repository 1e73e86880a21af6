/* What each dtype is: one table, from which names, sizes and promotion come. */
#pragma once
#include <stdbool.h>
#include <gnomon/array.h>

typedef enum { GN_KIND_BOOL, GN_KIND_INT, GN_KIND_UINT, GN_KIND_FLOAT } gn_dtype_kind;

typedef struct gn_dtype_info {
    const char *name, *c_name; /* "f32", "float" */
    uint8_t size;              /* bytes */
    uint8_t kind;              /* gn_dtype_kind */
} gn_dtype_info;
extern const gn_dtype_info gn_dtypes[GN_NDTYPES];

bool gn_dtype_parse(const char *name, gn_dtype *out);
static inline bool gn_is_float(gn_dtype t) { return gn_dtypes[t].kind == GN_KIND_FLOAT; }
/* All but two compute; the words for those two, after the name of what was asked for. */
static inline bool gn_dtype_computes(gn_dtype t) { return t != GN_F16 && t != GN_BF16; }
#define GN_NOT_COMPUTED "%s is only kept, no target computes with it; f32 does"
static inline bool gn_is_int(gn_dtype t) { return gn_dtypes[t].kind == GN_KIND_INT || gn_dtypes[t].kind == GN_KIND_UINT; }

/* f16 and bf16 as bits. Rounds to nearest, ties to even. */
float gn_f16_to_f32(uint16_t);
uint16_t gn_f32_to_f16(float);
float gn_bf16_to_f32(uint16_t);
uint16_t gn_f32_to_bf16(float);
/* An element of a floating dtype as a number, and a number rounded to one: false if a finite one became infinite. */
double gn_float_load(gn_dtype, const void *element);
bool gn_float_store(gn_dtype, double, void *element);
