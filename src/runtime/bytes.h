/* A growing string from the allocator. `failed` once memory ran out; release with gn_bytes_free. */
#pragma once
#include <stdbool.h>
#include "alloc.h"

typedef struct gn_bytes {
    const gn_allocator *allocator;
    char *at;
    size_t n, capacity;
    bool failed;
} gn_bytes;
void gn_bytes_add(gn_bytes *, const void *data, size_t size);
void gn_bytes_printf(gn_bytes *, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *gn_bytes_text(gn_bytes *); /* "" if empty or out of memory */
void *gn_bytes_take(gn_bytes *, size_t *size); /* exactly `size` bytes; NULL if out of memory */
void gn_bytes_free(gn_bytes *);
