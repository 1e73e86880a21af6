/* A growing string from the allocator: what tools print and produce. */
#include "toolchain_state.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool reserve(gn_bytes *b, size_t more)
{
    const size_t need = b->n + more + 1;
    if (b->failed) return false;
    if (need <= b->capacity) return true;
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity < need) capacity *= 2;
    char *at = gn_realloc(b->allocator, b->at, b->capacity, capacity);
    if (!at) return !(b->failed = true);
    b->at = at, b->capacity = capacity;
    return true;
}

void gn_bytes_add(gn_bytes *b, const void *data, size_t size)
{
    if (!reserve(b, size)) return;
    if (size) memcpy(b->at + b->n, data, size);
    b->n += size;
    b->at[b->n] = '\0';
}

void gn_bytes_printf(gn_bytes *b, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    const int n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (n >= 0 && reserve(b, (size_t)n)) {
        vsnprintf(b->at + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

const char *gn_bytes_text(gn_bytes *b)
{
    return b->at ? b->at : "";
}

void *gn_bytes_take(gn_bytes *b, size_t *size)
{
    if (b->failed || !b->n) return NULL;
    void *exact = gn_realloc(b->allocator, b->at, b->capacity, b->n);
    if (!exact) return NULL;
    *size = b->n;
    *b = (gn_bytes){ .allocator = b->allocator };
    return exact;
}

void gn_bytes_free(gn_bytes *b)
{
    gn_release(b->allocator, b->at, b->capacity);
    *b = (gn_bytes){ .allocator = b->allocator };
}
