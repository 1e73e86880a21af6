/** @file Data sets, files of arrays, progress. */
#pragma once
#include "array.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Examples and targets, row by row: x (n, ...) and y (n). Owns its memory. */
typedef struct gn_dataset {
    gn_array x, y;
    int64_t n;
} gn_dataset;

/** Reads DIR/PREFIX-images-idx3-ubyte and DIR/PREFIX-labels-idx1-ubyte (or with .gz): x f32 (n, rows*columns) in [0, 1], y i32 (n).
 *  Errors  GN_EIO, GN_EFORMAT (wrong magic, counts that differ, truncated); *out is left cleared. */
GN_API gn_status gn_idx_read(gn_dataset *out, const char *dir, const char *prefix);
/** Reads a table of numbers: x f32 (n, columns - 1), y i32 (n) from column `target` (negative: from the end). `header`: lines to skip.
 *  Errors  GN_EIO; GN_ESYNTAX with line and column for a field that is no number, a row of another length, a target that is no integer. */
GN_API gn_status gn_csv_read(gn_dataset *out, const char *path, int header, int target);
/** Permutes the examples; the same key gives the same order. */
GN_API gn_status gn_dataset_shuffle(gn_dataset *, uint64_t key);
GN_API void gn_dataset_free(gn_dataset *);

/** One array in NumPy's .npy format, version 1.0 to 3.0, little-endian. gn_npy_read allocates; release with gn_array_free. */
GN_API gn_status gn_npy_read(gn_array *out, const char *path);
GN_API gn_status gn_npy_write(const char *path, gn_array);

/** A progress bar on stderr with rate and time left: `gn_progress bar = { .n = total };`. Prints nothing when stderr is no terminal,
 *  but ends each bar with one line. */
typedef struct gn_progress {
    int64_t n;
    int64_t shown_;  /**< private */
    double start_, last_;
} gn_progress;
GN_API void gn_progress_show(gn_progress *, int64_t done, const char *format, ...) GN_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
