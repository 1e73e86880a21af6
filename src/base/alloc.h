/* The one door for memory: every byte the library asks for passes a gn_allocator, so that a test can make the n-th
 * request fail. Compiler stages do not call it directly; they use an arena (arena.h), which unwinds when memory runs
 * out. */
#pragma once
#include <gnomon/base.h>

extern const gn_allocator gn_allocator_libc; /* malloc, realloc and free */

/* NULL when memory runs out, with the message set. `size` 0 gives NULL without an error. */
void *gn_alloc(const gn_allocator *, size_t size);
void *gn_alloc_zeroed(const gn_allocator *, size_t size);
void *gn_realloc(const gn_allocator *, void *old, size_t old_size, size_t size);
void gn_release(const gn_allocator *, void *block, size_t size); /* accepts NULL */
char *gn_alloc_string(const gn_allocator *, const char *text);   /* release with strlen + 1 */
