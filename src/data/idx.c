/* IDX, the format of MNIST: a magic (0, 0, element type, number of axes), one big-endian u32 an axis, the elements.
 * Source: Y. LeCun, C. Cortes, "The MNIST database of handwritten digits". */
#include <gnomon/data.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "blocks.h"
#include "checked.h"
#include "error.h"
#include "file.h"
#include "fpmode.h"

enum { PATH_SIZE = 4096 };
static const size_t FILE_LIMIT = (size_t)16 << 30;

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Finds DIR/PREFIX-SUFFIX or the same with .gz, and reads it. */
static gn_status read_either(gn_content *out, char *path, const char *dir, const char *prefix, const char *suffix)
{
    const int n = snprintf(path, PATH_SIZE, "%s/%s-%s.gz", dir, prefix, suffix);
    if (n < 0 || n >= PATH_SIZE) return gn_error(GN_EIO, "cannot open a path of %d characters", n);
    path[n - 3] = 0;
    if (access(path, F_OK) == 0) return gn_content_read(out, path, FILE_LIMIT);
    path[n - 3] = '.';
    if (access(path, F_OK) == 0) return gn_content_read(out, path, FILE_LIMIT);
    path[n - 3] = 0;
    return gn_error(GN_EIO, "cannot open %s or %s.gz: %s", path, path, strerror(errno));
}

/* Checks magic, extents and length; gives the extents. */
static gn_status check_header(const gn_content *b, const char *path, int rank, int64_t *shape)
{
    const size_t start = 4 + 4 * (size_t)rank;
    if (b->n < start) return gn_error(GN_EFORMAT, "%s: truncated in its header: %zu bytes", path, b->n);
    const uint32_t magic = big_endian(b->at), wanted = 0x800u + (uint32_t)rank;
    if (magic != wanted)
        return gn_error(GN_EFORMAT, "%s: magic number 0x%08x; 0x%08x (u8, %d axes) was expected", path, magic, wanted,
                        rank);
    int64_t count = 1;
    for (int d = 0; d < rank; d++) {
        shape[d] = big_endian(b->at + 4 + 4 * d);
        if (gn_mul_overflows(count, shape[d], &count)) return gn_error(GN_EFORMAT, "%s: its size overflows", path);
    }
    if ((uint64_t)count == b->n - start) return GN_OK;
    return gn_error(GN_EFORMAT, "%s: %s: its header promises %lld elements and %zu are there", path,
                    (uint64_t)count > b->n - start ? "truncated" : "bytes behind the elements", (long long)count,
                    b->n - start);
}

static gn_status read_images(gn_array *out, const char *dir, const char *prefix)
{
    char path[PATH_SIZE];
    gn_content b;
    int64_t shape[3] = { 0 };
    gn_status s = read_either(&b, path, dir, prefix, "images-idx3-ubyte");
    if (s) return s;
    s = check_header(&b, path, 3, shape);
    if (!s) s = gn_array_new(out, GN_F32, 2, (int64_t[]){ shape[0], shape[1] * shape[2] });
    const int64_t n = s ? 0 : gn_array_count(out);
    float *to = s ? NULL : out->data;
    for (int64_t i = 0; i < n; i++) to[i] = (float)b.at[16 + i] / 255.0f;
    gn_content_free(&b);
    return s;
}

static gn_status read_labels(gn_array *out, const char *dir, const char *prefix)
{
    char path[PATH_SIZE];
    gn_content b;
    int64_t n = 0;
    gn_status s = read_either(&b, path, dir, prefix, "labels-idx1-ubyte");
    if (s) return s;
    s = check_header(&b, path, 1, &n);
    if (!s) s = gn_array_new(out, GN_I32, 1, &n);
    for (int64_t i = 0; !s && i < n; i++) ((int32_t *)out->data)[i] = b.at[8 + i];
    gn_content_free(&b);
    return s;
}

gn_status gn_idx_read(gn_dataset *out, const char *dir, const char *prefix)
{
    if (out) *out = (gn_dataset){ 0 };
    if (!out || !dir || !prefix)
        return gn_error(GN_EINVAL, "gn_idx_read: %s is NULL", !out ? "out" : !dir ? "dir" : "prefix");
    const gn_fpmode mode = gn_fp_enter(); /* pixels are divided by 255 */
    gn_status s = read_images(&out->x, dir, prefix);
    gn_fp_leave(mode);
    if (!s) s = read_labels(&out->y, dir, prefix);
    if (!s && out->x.shape[0] != out->y.shape[0]) {
        s = gn_error(GN_EFORMAT, "%s/%s: %lld images and %lld labels", dir, prefix, (long long)out->x.shape[0],
                     (long long)out->y.shape[0]);
    }
    if (s) gn_dataset_free(out);
    else out->n = out->x.shape[0];
    return s;
}
