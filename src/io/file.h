/* Files for the formats: a whole file in memory (also through gzip), a reader that checks every size against the
 * file's before memory is asked for, and a writer that nobody sees until it is complete.
 *
 *     gn_writer w;
 *     gn_status s = gn_writer_open(&w, path);
 *     if (!s) s = gn_writer_put(&w, data, size);
 *     return gn_writer_close(&w, s);                renames on success, removes otherwise */
#pragma once
#include <stdbool.h>
#include <gnomon/base.h>
#include "alloc.h"

typedef struct gn_content {
    uint8_t *at; /* followed by one '\0' that is not counted */
    size_t n, capacity;
} gn_content;

/* Reads a plain or gzip-compressed file of at most `limit` bytes (unpacked). GN_EIO, GN_EFORMAT (broken gzip, too
 * long), GN_ENOMEM. */
gn_status gn_content_read(gn_content *out, const char *path, size_t limit);
void gn_content_free(gn_content *);

typedef struct gn_reader {
    int fd;
    const char *path; /* the caller's */
    uint64_t size, at;
} gn_reader;

gn_status gn_reader_open(gn_reader *, const char *path);
/* Reads exactly n bytes; `what` names them in the message: "truncated in WHAT". */
gn_status gn_reader_get(gn_reader *, void *to, size_t n, const char *what);
gn_status gn_reader_seek(gn_reader *, uint64_t at);
void gn_reader_close(gn_reader *); /* accepts one whose opening failed */

typedef struct gn_writer {
    int fd;
    const char *path; /* the caller's */
    char *aside;      /* the name until it is complete */
} gn_writer;

gn_status gn_writer_open(gn_writer *, const char *path);
gn_status gn_writer_put(gn_writer *, const void *data, size_t n);
/* `so_far` GN_OK: flushes to the disk and renames; anything else: removes what was written and returns it. */
gn_status gn_writer_close(gn_writer *, gn_status so_far);
