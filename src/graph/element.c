/* Elements of constants as text. */
#include "graph_text.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "number.h"

static uint64_t bits_at(gn_dtype t, const void *at)
{
    uint64_t bits = 0;
    memcpy(&bits, at, gn_dtype_size(t)); /* little-endian */
    return bits;
}

static uint64_t quiet_nan(gn_dtype t)
{
    return t == GN_F64 ? 0x7ff8000000000000u : t == GN_F32 ? 0x7fc00000u : t == GN_F16 ? 0x7e00u : 0x7fc0u;
}

void gn_element_print(gn_text *t, gn_dtype dtype, const void *at)
{
    const uint64_t bits = bits_at(dtype, at);
    const int shift = 64 - 8 * (int)gn_dtype_size(dtype);
    if (gn_is_float(dtype)) {
        const double v = gn_float_load(dtype, at);
        if (isnan(v) && bits != quiet_nan(dtype)) gn_textf(t, "nan:%" PRIx64, bits);
        else gn_text_hex(t, v);
    } else if (gn_dtypes[dtype].kind == GN_KIND_INT) gn_textf(t, "%" PRId64, (int64_t)(bits << shift) >> shift);
    else gn_textf(t, "%" PRIu64, bits);
}

/* The text is v; f32 is rounded once, from the text. */
static bool store_float(const char *text, double v, gn_dtype dtype, void *at)
{
    const char *end;
    float f = 0;
    gn_number_read_f32(text, &end, &f);
    return gn_float_store(dtype, dtype == GN_F64 ? v : (double)f, at) && isfinite(v) <= isfinite(gn_float_load(dtype, at));
}

bool gn_element_read(const gn_sx *x, gn_dtype dtype, void *at)
{
    const size_t size = gn_dtype_size(dtype);
    char *end;
    int64_t v;
    uint64_t bits;
    double d;
    if (x->kind != GN_SX_ATOM) return false;
    if (gn_is_float(dtype)) {
        if (strcmp(x->text, "nan") == 0) bits = quiet_nan(dtype);
        else if (strncmp(x->text, "nan:", 4) == 0 && x->n > 4 && x->n <= 20) {
            bits = strtoull(x->text + 4, &end, 16);
            if (*end || x->text[4] == '-' || x->text[4] == '+' || (size < 8 && bits >> 8 * size)) return false;
        } else return gn_sx_double(x, &d) && store_float(x->text, d, dtype, at);
        memcpy(at, &bits, size);
        return strcmp(x->text, "nan") == 0 || isnan(gn_float_load(dtype, at));
    }
    if (dtype == GN_U64 && x->text[0] >= '0' && x->text[0] <= '9' && x->n <= 20) {
        bits = strtoull(x->text, &end, 10);
        if (*end || (x->n == 20 && strcmp(x->text, "18446744073709551615") > 0)) return false;
    } else {
        if (!gn_sx_int(x, &v)) return false;
        const int width = 8 * (int)size;
        const bool is_signed = gn_dtypes[dtype].kind == GN_KIND_INT;
        const int64_t most = dtype == GN_BOOL ? 1 : width == 64 ? INT64_MAX : (INT64_C(1) << (width - is_signed)) - 1;
        if (v > most || v < (is_signed ? -most - 1 : 0)) return false;
        bits = (uint64_t)v;
    }
    memcpy(at, &bits, size);
    return true;
}
