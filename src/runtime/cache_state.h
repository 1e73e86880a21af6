/* Inside the cache. An entry, ROOT/v1/ab/HEX.so, is an ELF shared object followed by
 *
 *     meta | key (32) | object size (8, little-endian) | meta size (8) | "GNOMON01" | BLAKE2b-256 of all before (32)
 *
 * The linker leaves room for nothing after a shared object to matter, so objdump and gdb take the entry as it lies. */
#pragma once
#include <sys/stat.h>
#include "cache.h"
#include "error.h"

enum { GN_TRAILER = 32 + 8 + 8 + 8 + 32, GN_CACHE_NAME = 64 + 3 };

struct gn_cache {
    const gn_allocator *allocator;
    char *dir;                   /* without links; NULL: off */
    int root;                    /* descriptor of dir/v1, -1: off */
    int64_t max_bytes;
};

/* The whole entry behind `fd`, checked. GN_EFORMAT with the reason if it is bad. */
typedef struct gn_entry {
    char *bytes;                 /* the file; release with gn_release(bytes, size) */
    size_t size, object, meta;   /* bytes of the file, of the object, of the metadata */
} gn_entry;
gn_status gn_entry_read(const gn_allocator *, int fd, const gn_key *, gn_entry *out);
/* The bytes of an entry from its parts. NULL: out of memory. */
char *gn_entry_make(const gn_allocator *, const gn_key *, const void *object, size_t size, const char *meta,
                    size_t meta_size, size_t *total);
bool gn_entry_name_is_good(const char *name); /* 64 hex digits and ".so" */
/* After a store of `added` bytes: prunes when enough was written since the last time. */
void gn_cache_keep_within(gn_cache *, size_t added);
