/* Initial values. Every parameter has a stream of random numbers of its own: Philox4x32-10 under a key made of the
 * seed and the name. */
#include "init.h"
#include <math.h>
#include <string.h>
#include "dtype.h"
#include "view.h"

/* The numbers come one after the other; block i of the stream is philox(i, key). */
typedef struct stream {
    uint32_t key[2], word[4];
    uint64_t next;      /* block */
    int left;           /* words of `word` not yet taken */
} stream;

/* J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011. */
static void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t k0 = key[0], k1 = key[1];
    memcpy(out, counter, 4 * sizeof *out);
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xd2511f53u * out[0], b = (uint64_t)0xcd9e8d57u * out[2];
        const uint32_t high0 = (uint32_t)(b >> 32) ^ out[1] ^ k0, high1 = (uint32_t)(a >> 32) ^ out[3] ^ k1;
        out[0] = high0, out[1] = (uint32_t)b, out[2] = high1, out[3] = (uint32_t)a;
        k0 += 0x9e3779b9u, k1 += 0xbb67ae85u;
    }
}

/* FNV-1a: G. Fowler, L. Noll, K. Vo. Philox then scatters what this leaves similar. */
static uint64_t hash_name(uint64_t seed, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (int i = 0; i < 8; i++) h = (h ^ (seed >> 8 * i & 0xff)) * 0x100000001b3u;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 0x100000001b3u;
    return h;
}

static stream begin(uint64_t seed, const char *name)
{
    const uint64_t h = hash_name(seed, name);
    return (stream){ .key = { (uint32_t)h, (uint32_t)(h >> 32) } };
}

static uint32_t next_word(stream *s)
{
    if (s->left == 0) {
        const uint32_t counter[4] = { (uint32_t)s->next, (uint32_t)(s->next >> 32), 0, 0 };
        philox4x32(counter, s->key, s->word);
        s->next++, s->left = 4;
    }
    return s->word[4 - s->left--];
}

/* In [0, 1), multiples of 2^-53. */
static double next_uniform(stream *s)
{
    const uint64_t high = next_word(s), low = next_word(s);
    return (double)((high << 32 | low) >> 11) * 0x1p-53;
}

/* G. Box, M. Muller, A note on the generation of random normal deviates, 1958. One of the pair is used: simple, and
 * start-up is no hot path. */
static double next_normal(stream *s)
{
    const double u = 1 - next_uniform(s), angle = 6.283185307179586 * next_uniform(s);
    return sqrt(-2 * log(u)) * cos(angle);
}

static int64_t saturate(double v, double low, double high)
{
    return v != v ? 0 : v <= low ? (int64_t)low : v >= high ? (int64_t)high : (int64_t)v;
}

static void store(const gn_array *to, int64_t i, double v)
{
    char *p = (char *)to->data + (size_t)i * gn_dtype_size(to->dtype);
    switch (to->dtype) {
    case GN_F64:
    case GN_F32:
    case GN_F16:
    case GN_BF16: gn_float_store(to->dtype, v, p); break;
    case GN_BOOL: *(uint8_t *)p = v != 0; break;
    case GN_I8: *(int8_t *)p = (int8_t)saturate(v, INT8_MIN, INT8_MAX); break;
    case GN_I16: *(int16_t *)p = (int16_t)saturate(v, INT16_MIN, INT16_MAX); break;
    case GN_I32: *(int32_t *)p = (int32_t)saturate(v, INT32_MIN, INT32_MAX); break;
    case GN_I64: *(int64_t *)p = v >= 0x1p63 ? INT64_MAX : saturate(v, -0x1p63, 0x1p62 * 1.9999999999999998); break;
    case GN_U8: *(uint8_t *)p = (uint8_t)saturate(v, 0, UINT8_MAX); break;
    case GN_U16: *(uint16_t *)p = (uint16_t)saturate(v, 0, UINT16_MAX); break;
    case GN_U32: *(uint32_t *)p = (uint32_t)saturate(v, 0, UINT32_MAX); break;
    case GN_U64: *(uint64_t *)p = v >= 0x1p64 ? UINT64_MAX : v > 0 ? (uint64_t)v : 0; break;
    }
}

static void fill_constant(const gn_array *to, int64_t n, double v)
{
    for (int64_t i = 0; i < n; i++) store(to, i, v);
}

static void fill_uniform(const gn_array *to, int64_t n, stream *s, double low, double high)
{
    for (int64_t i = 0; i < n; i++) store(to, i, low + (high - low) * next_uniform(s));
}

static void fill_normal(const gn_array *to, int64_t n, stream *s, double mean, double sd)
{
    for (int64_t i = 0; i < n; i++) store(to, i, mean + sd * next_normal(s));
}

/* Makes `count` vectors of `size` elements orthonormal, one after the other, by subtracting what they share with those
 * before. Twice is enough: W. Hoffmann, Iterative algorithms for Gram-Schmidt orthogonalization, 1989. */
static void orthonormalize(double *v, int64_t count, int64_t size, stream *s)
{
    for (int64_t i = 0; i < count; i++) {
        double *a = v + i * size, norm = 0;
        while (norm < 1e-6) { /* a random vector that lies in the span of the others is drawn again */
            norm = 0;
            for (int64_t k = 0; k < size; k++) a[k] = next_normal(s);
            for (int64_t j = 0; j < 2 * i; j++) {
                const double *b = v + j % i * size;
                double dot = 0;
                for (int64_t k = 0; k < size; k++) dot += a[k] * b[k];
                for (int64_t k = 0; k < size; k++) a[k] -= dot * b[k];
            }
            for (int64_t k = 0; k < size; k++) norm += a[k] * a[k];
        }
        norm = sqrt(norm);
        for (int64_t k = 0; k < size; k++) a[k] /= norm;
    }
}

static void fill_orthogonal(gn_arena *scratch, const gn_array *to, int64_t n, stream *s)
{
    const int64_t rows = to->shape[to->rank - 2], columns = to->shape[to->rank - 1];
    const int64_t count = rows < columns ? rows : columns, size = rows < columns ? columns : rows;
    if (n == 0) return;
    double *v = GN_NEW_ARRAY(scratch, double, rows * columns);
    for (int64_t first = 0; first < n; first += rows * columns) {
        orthonormalize(v, count, size, s);
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t c = 0; c < columns; c++)
                store(to, first + r * columns + c, rows < columns ? v[r * size + c] : v[c * size + r]);
        }
    }
}

static void fill_copy(const gn_array *to, const gn_array *from)
{
    if (from->dtype != to->dtype) {
        gn_throw(GN_EDTYPE, "the dtype is %s and the initial array's %s", gn_dtype_name(to->dtype),
                 gn_dtype_name(from->dtype) ? gn_dtype_name(from->dtype) : "none");
    }
    bool same = from->rank == to->rank;
    for (int d = 0; same && d < to->rank; d++) same = from->shape[d] == to->shape[d];
    if (!same) gn_throw(GN_ESHAPE, "the initial array has another shape");
    if (!from->data && gn_array_count(to)) gn_throw(GN_EINVAL, "the initial array's data is NULL");
    uintptr_t first, end;
    if (!gn_array_range(from, &first, &end))
        gn_throw(GN_EINVAL, "the initial array's strides lead out of the address space");
    gn_array_copy(to, from);
}

/* Fans of the matrices in the last two axes. */
static void check_matrix(const gn_array *to, const char *kind)
{
    if (to->rank < 2) gn_throw(GN_ESHAPE, "%s needs at least two axes, fan in and fan out; there are %d", kind, to->rank);
}

void gn_init_fill(gn_arena *scratch, const gn_array *to, const gn_init *init, uint64_t seed, const char *name)
{
    const int64_t n = gn_array_count(to);
    const bool random = init->kind >= GN_INIT_UNIFORM && init->kind <= GN_INIT_ORTHOGONAL;
    if (random && !gn_is_float(to->dtype))
        gn_throw(GN_EDTYPE, "random initial values are floating, not %s", gn_dtype_name(to->dtype));
    stream s = begin(seed, name);
    switch (init->kind) {
    case GN_INIT_ZEROS: fill_constant(to, n, 0); return;
    case GN_INIT_CONSTANT: fill_constant(to, n, init->a); return;
    case GN_INIT_UNIFORM: fill_uniform(to, n, &s, init->a, init->b); return;
    case GN_INIT_NORMAL: fill_normal(to, n, &s, init->a, init->b); return;
    case GN_INIT_GLOROT: {
        check_matrix(to, "Glorot's initialization");
        const double limit = sqrt(6.0 / (double)(to->shape[to->rank - 2] + to->shape[to->rank - 1]));
        fill_uniform(to, n, &s, -limit, limit);
        return;
    }
    case GN_INIT_HE:
        check_matrix(to, "He's initialization");
        fill_normal(to, n, &s, 0, sqrt(2.0 / (double)to->shape[to->rank - 2]));
        return;
    case GN_INIT_ORTHOGONAL:
        check_matrix(to, "orthogonal initialization");
        fill_orthogonal(scratch, to, n, &s);
        return;
    case GN_INIT_ARRAY: fill_copy(to, &init->array); return;
    default: gn_throw(GN_EINVAL, "%d is no kind of initialization", init->kind);
    }
}
