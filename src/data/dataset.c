/* Data sets: their order and their end. */
#include <gnomon/data.h>
#include <string.h>
#include "blocks.h"
#include "error.h"

/* SplitMix64: G. Steele, D. Lea, C. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Uniform in [0, n) without bias: the lowest numbers, which would make some remainders likelier, are drawn again. */
static uint64_t random_below(uint64_t *state, uint64_t n)
{
    const uint64_t rest = -n % n;
    uint64_t r;
    do r = next_random(state);
    while (r < rest);
    return r % n;
}

static void swap_rows(gn_array *a, size_t row_bytes, int64_t i, int64_t j)
{
    char *p = (char *)a->data + (size_t)i * row_bytes, *q = (char *)a->data + (size_t)j * row_bytes, t[512];
    for (size_t n; row_bytes; row_bytes -= n, p += n, q += n) {
        n = row_bytes < sizeof t ? row_bytes : sizeof t;
        memcpy(t, p, n), memcpy(p, q, n), memcpy(q, t, n);
    }
}

static gn_status check_rows(const gn_array *a, int64_t n, const char *name)
{
    if (a->rank < 1 || a->shape[0] != n) {
        return gn_error(GN_ESHAPE, "gn_dataset_shuffle: %s has %lld rows and the data set %lld", name,
                        (long long)(a->rank < 1 ? 0 : a->shape[0]), (long long)n);
    }
    if (!gn_array_is_row_major(a)) return gn_error(GN_EINVAL, "gn_dataset_shuffle: %s is not row-major", name);
    return GN_OK;
}

/* R. Durstenfeld, Algorithm 235: Random permutation, CACM 1964. */
gn_status gn_dataset_shuffle(gn_dataset *d, uint64_t key)
{
    if (!d) return gn_error(GN_EINVAL, "gn_dataset_shuffle: the data set is NULL");
    if (d->n < 2) return GN_OK;
    gn_status s = check_rows(&d->x, d->n, "x");
    if (!s) s = check_rows(&d->y, d->n, "y");
    if (s) return s;
    const size_t x_bytes = gn_array_bytes(&d->x) / (size_t)d->n, y_bytes = gn_array_bytes(&d->y) / (size_t)d->n;
    for (int64_t i = d->n - 1; i > 0; i--) {
        const int64_t j = (int64_t)random_below(&key, (uint64_t)i + 1);
        if (i == j) continue;
        swap_rows(&d->x, x_bytes, i, j);
        swap_rows(&d->y, y_bytes, i, j);
    }
    return GN_OK;
}

void gn_dataset_free(gn_dataset *d)
{
    if (!d) return;
    gn_array_free(&d->x);
    gn_array_free(&d->y);
    d->n = 0;
}
