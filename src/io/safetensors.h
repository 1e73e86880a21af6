/* safetensors: named arrays in one file. Eight bytes of header length (little-endian), a JSON header, the arrays'
 * bytes without a gap:
 *
 *     { "w1": { "dtype": "F32", "shape": [784, 500], "data_offsets": [0, 1568000] }, ... }
 *
 * Source: the format's description at https://github.com/huggingface/safetensors ("Format"). Files are untrusted:
 * every number is checked before memory is asked for, and a header that does not describe its file exactly is refused
 * as a whole. */
#pragma once
#include <gnomon/array.h>
#include "file.h"

typedef struct gn_named_array {
    const char *name;
    gn_array value;
} gn_named_array;

/* Writes aside and renames. Arrays of wider elements come first, so that each lies at a multiple of its element's size.
 * GN_EINVAL for a name that is no UTF-8, empty, "__metadata__", or used twice. */
gn_status gn_safetensors_write(const char *path, size_t n, const gn_named_array *);

/* An open file whose header was checked. at[i].value has dtype and shape, and no data. */
typedef struct gn_safetensors {
    gn_reader reader;
    size_t n;
    gn_named_array *at;      /* in the order of their bytes */
    uint64_t *offset;        /* in the file, of each */
    void *header;            /* the JSON object, which owns the names */
} gn_safetensors;

gn_status gn_safetensors_open(gn_safetensors *, const char *path);
/* Reads array i into row-major memory of its size. */
gn_status gn_safetensors_get(gn_safetensors *, size_t i, void *to);
void gn_safetensors_close(gn_safetensors *); /* accepts one whose opening failed */
