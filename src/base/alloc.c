/* The allocation hook. Every function here ends in one call of the allocator's `reallocate`. */
#include "alloc.h"
#include "error.h"
#include <stdlib.h>
#include <string.h>

static void *libc_reallocate(void *user, void *old, size_t old_size, size_t size)
{
    (void)user, (void)old_size;
    if (size) return realloc(old, size);
    free(old);
    return NULL;
}

const gn_allocator gn_allocator_libc = { libc_reallocate, NULL };

void *gn_realloc(const gn_allocator *a, void *old, size_t old_size, size_t size)
{
    if (!a) a = &gn_allocator_libc;
    if (!size && !old) return NULL;
    void *const block = a->reallocate(a->user, old, old_size, size);
    if (size && !block) gn_error(GN_ENOMEM, "out of memory: %zu bytes were asked for", size);
    return block;
}

void *gn_alloc(const gn_allocator *a, size_t size)
{
    return gn_realloc(a, NULL, 0, size);
}

void *gn_alloc_zeroed(const gn_allocator *a, size_t size)
{
    void *const block = gn_alloc(a, size);
    if (block) memset(block, 0, size);
    return block;
}

void gn_release(const gn_allocator *a, void *block, size_t size)
{
    if (block) gn_realloc(a, block, size, 0);
}

char *gn_alloc_string(const gn_allocator *a, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *const copy = gn_alloc(a, size);
    return copy ? memcpy(copy, text, size) : NULL;
}
