/** @file Data sets, files of arrays, progress.
 *
 *      gn_dataset d;
 *      if (gn_csv_read(&d, "table.csv", 1, -1) == GN_OK) gn_dataset_shuffle(&d, epoch);
 *      gn_array batch = gn_array_rows(d.x, first, 32);          a view; nothing is copied
 *      gn_dataset_free(&d);
 *
 *  Functions here belong to no context: memory comes from malloc, and different data sets may be used by different
 *  threads at once. */
#pragma once
#include "array.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Examples and targets, row by row: x (n, ...) and y (n). Owns its memory, which gn_dataset_free releases. */
typedef struct gn_dataset {
    gn_array x, y;
    int64_t n;
} gn_dataset;

/** Reads DIR/PREFIX-images-idx3-ubyte and DIR/PREFIX-labels-idx1-ubyte (or with .gz): x f32 (n, rows*columns), each byte divided by
 *  255, y i32 (n).
 *  Errors  GN_EIO; GN_EFORMAT (wrong magic, counts that differ, truncated, bytes too many, broken gzip data);
 *          GN_ENOMEM. *out is left cleared.
 *  Source  Y. LeCun, C. Cortes, The MNIST database of handwritten digits. */
GN_API gn_status gn_idx_read(gn_dataset *out, const char *dir, const char *prefix);
/** Reads a table of numbers separated by commas (plain or gzip): x f32 (n, columns - 1), y i32 (n) from column
 *  `target` (negative: from the end). `header`: lines to skip. Spaces around fields, empty lines, CRLF and a byte
 *  order mark are passed over; the locale has no influence.
 *  Errors  GN_EIO; GN_ESYNTAX with line and column for a field that is no finite number, a row of another length, a
 *          target that is no 32-bit integer, a table without a row; GN_EINVAL for a target column that is not there;
 *          GN_ENOMEM. *out is left cleared. */
GN_API gn_status gn_csv_read(gn_dataset *out, const char *path, int header, int target);
/** Permutes the examples, rows of x and y together, by Fisher and Yates; the same key takes the same order to the same
 *  order, on every machine.
 *  Errors  GN_EINVAL for NULL or arrays that are not row-major; GN_ESHAPE if x or y has other than n rows. */
GN_API gn_status gn_dataset_shuffle(gn_dataset *, uint64_t key);
/** Releases x and y and clears the struct; accepts NULL and one that is clear. */
GN_API void gn_dataset_free(gn_dataset *);

/** One array in NumPy's .npy format. Versions 1.0 to 3.0 are read, 1.0 is written; little-endian, C order, any strides
 *  when writing. gn_npy_write writes aside and renames. gn_npy_read allocates: release with gn_array_free.
 *  Errors  GN_EIO; GN_EDTYPE for objects, records, big-endian or unknown elements, and for bf16, which has no npy
 *          form; GN_EFORMAT for Fortran order, a header that is malformed or longer than 64 KiB, a size that is not
 *          the file's, a bool that is neither 0 nor 1; GN_ENOMEM. */
GN_API gn_status gn_npy_read(gn_array *out, const char *path);
GN_API gn_status gn_npy_write(const char *path, gn_array);

/** A progress bar on stderr with rate and time left: `gn_progress bar = { .n = total };`. On a terminal it is redrawn
 *  in place, at most 20 times a second; elsewhere nothing is shown. Either way a call with done >= n ends it with one
 *  line: count, time, rate and the text. */
typedef struct gn_progress {
    int64_t n;
    int64_t shown_;  /**< private */
    double start_, last_;
} gn_progress;
GN_API void gn_progress_show(gn_progress *, int64_t done, const char *format, ...) GN_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
