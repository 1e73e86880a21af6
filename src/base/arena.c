/* Arenas: a list of chunks, the newest handing out memory from its front. Chunks double from 4 KiB to 1 MiB, so a small
 * graph stays small and a large one asks the allocator seldom. A request larger than a chunk gets one of its own behind
 * the newest, whose rest stays in use. */
#include "arena.h"
#include "checked.h"
#include "vec.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct gn_arena_chunk {
    struct gn_arena_chunk *older;
    size_t size; /* of the whole block */
    max_align_t data[];
} chunk;

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20 };

static chunk *new_chunk(gn_arena *arena, size_t size)
{
    size_t whole;
    if (__builtin_add_overflow(size, sizeof(chunk), &whole)) gn_throw(GN_ENOMEM, "out of memory: a size overflows");
    chunk *const c = gn_alloc(arena->allocator, whole);
    if (!c) gn_rethrow(GN_ENOMEM);
    c->size = whole;
    return c;
}

static void *alloc_large(gn_arena *arena, size_t size)
{
    chunk *const c = new_chunk(arena, size);
    if (arena->chunk) {
        c->older = arena->chunk->older;
        arena->chunk->older = c;
    } else {
        c->older = NULL;
        arena->chunk = c;
        arena->at = arena->end = (char *)c + c->size;
    }
    return c->data;
}

static void open_chunk(gn_arena *arena)
{
    size_t size = arena->chunk ? 2 * arena->chunk->size : FIRST_CHUNK;
    if (size > LARGEST_CHUNK) size = LARGEST_CHUNK;
    chunk *const c = new_chunk(arena, size - sizeof(chunk));
    c->older = arena->chunk;
    arena->chunk = c;
    arena->at = (char *)c->data;
    arena->end = (char *)c + c->size;
}

void *gn_arena_alloc(gn_arena *arena, size_t size, size_t align)
{
    size_t pad = -(uintptr_t)arena->at & (align - 1);
    if (size > (size_t)(arena->end - arena->at) || pad > (size_t)(arena->end - arena->at) - size) {
        if (size > LARGEST_CHUNK / 4) {
            arena->used += size;
            return alloc_large(arena, size);
        }
        do open_chunk(arena);
        while (size > (size_t)(arena->end - arena->at));
        pad = 0;
    }
    char *const p = arena->at + pad;
    arena->at = p + size;
    arena->used += size;
    return p;
}

void *gn_arena_alloc_n(gn_arena *arena, size_t n, size_t size, size_t align)
{
    size_t bytes;
    if (gn_size_mul_overflows(n, size, &bytes)) gn_throw(GN_ENOMEM, "out of memory: %zu times %zu bytes overflow", n, size);
    void *const block = gn_arena_alloc(arena, bytes, align); /* of no bytes it may be NULL */
    return bytes ? memset(block, 0, bytes) : block;
}

void *gn_arena_copy(gn_arena *arena, const void *data, size_t size)
{
    void *const p = gn_arena_alloc(arena, size, alignof(max_align_t));
    return size ? memcpy(p, data, size) : p;
}

char *gn_arena_string(gn_arena *arena, const char *text)
{
    const size_t size = strlen(text) + 1;
    return memcpy(gn_arena_alloc(arena, size, 1), text, size);
}

char *gn_arena_printf_v(gn_arena *arena, const char *format, va_list args)
{
    va_list again;
    if (!format) gn_throw(GN_EINVAL, "a format is NULL");
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0) gn_throw(GN_EINVAL, "a format could not be printed: %s", format);
    char *const text = gn_arena_alloc(arena, (size_t)n + 1, 1);
    vsnprintf(text, (size_t)n + 1, format, args);
    return text;
}

char *gn_arena_printf(gn_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *const text = gn_arena_printf_v(arena, format, args);
    va_end(args);
    return text;
}

void gn_arena_free(gn_arena *arena)
{
    for (chunk *c = arena->chunk, *older; c; c = older) {
        older = c->older;
        gn_release(arena->allocator, c, c->size);
    }
    *arena = (gn_arena){ .allocator = arena->allocator };
}

void gn_vec_grow(gn_arena *arena, void **at, size_t *capacity, size_t size)
{
    const size_t bigger = *capacity ? 2 * *capacity : 8;
    size_t bytes;
    if (bigger < *capacity || gn_size_mul_overflows(bigger, size, &bytes))
        gn_throw(GN_ENOMEM, "out of memory: a list of %zu items", bigger);
    void *const p = gn_arena_alloc(arena, bytes, alignof(max_align_t));
    if (*capacity) memcpy(p, *at, *capacity * size);
    *at = p;
    *capacity = bigger;
}
