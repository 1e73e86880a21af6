/* Arenas: memory that lives and dies together, the only memory of the compiler's stages.
 *
 *     gn_arena scratch = { .allocator = a };
 *     int *stack = GN_NEW_ARRAY(&scratch, int, n);
 *     gn_arena_free(&scratch);
 *
 * An allocation never returns NULL: it throws GN_ENOMEM (error.h), also when n times the size overflows. Not
 * thread-safe. */
#pragma once
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include "alloc.h"
#include "error.h"

typedef struct gn_arena {
    const gn_allocator *allocator; /* NULL: gn_allocator_libc */
    struct gn_arena_chunk *chunk;  /* newest first */
    char *at, *end;
    size_t used;                   /* bytes handed out, for statistics */
} gn_arena;

void *gn_arena_alloc(gn_arena *, size_t size, size_t align);
void *gn_arena_alloc_n(gn_arena *, size_t n, size_t size, size_t align); /* zeroed */
void *gn_arena_copy(gn_arena *, const void *data, size_t size);
char *gn_arena_string(gn_arena *, const char *text);
char *gn_arena_printf(gn_arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *gn_arena_printf_v(gn_arena *, const char *format, va_list) __attribute__((format(printf, 2, 0)));
void gn_arena_free(gn_arena *); /* releases everything; the arena may be used again */

#define GN_NEW_OBJECT(arena, type) ((type *)gn_arena_alloc_n(arena, 1, sizeof(type), alignof(type)))
#define GN_NEW_ARRAY(arena, type, n) ((type *)gn_arena_alloc_n(arena, (size_t)(n), sizeof(type), alignof(type)))
