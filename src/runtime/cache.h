/* The disk cache: entries are ordinary shared objects with a trailer (metadata, key, hash over all before it), one file
 * each. Any fault of an entry is a miss, never an error. */
#pragma once
#include <stdbool.h>
#include <gnomon/base.h>
#include "load.h"

typedef struct gn_cache gn_cache;
typedef struct gn_key {
    uint8_t bytes[32];           /* BLAKE2b-256 of length-prefixed fields */
} gn_key;

/* A key over n fields, each hashed with its length. */
gn_key gn_key_of(size_t n, const char *const *fields, const size_t *lengths);
void gn_key_hex(const gn_key *, char out[65]);

/* dir "": off. A directory that is not the user's alone, from the root of the file system on, switches the cache off
 * with one warning on stderr. */
gn_status gn_cache_open(gn_cache **out, const gn_allocator *, const char *dir, int64_t max_bytes);
void gn_cache_close(gn_cache *);
const char *gn_cache_dir(const gn_cache *);               /* NULL if it is off */

/* "gnomon/v1/ab/ab...so": how a loaded entry is called in maps of memory. */
enum { GN_CACHE_LABEL = 96 };
void gn_cache_label(const gn_key *, char out[GN_CACHE_LABEL]);
/* NULL: not there (or bad, which is the same). */
gn_module *gn_cache_load(gn_cache *, const gn_key *);
/* Puts what was loaded and found good into the cache, and its path into the module (which may be NULL). A disk that
 * does not take it is no error. meta: text kept beside the object. size 0: an entry of metadata alone. GN_ENOMEM. */
gn_status gn_cache_keep(gn_cache *, const gn_key *, const void *object, size_t size, const char *meta, size_t meta_size,
                        gn_module *);
/* Loads, then keeps. Works with the cache off, with a full disk or on a noexec mount too. */
gn_status gn_cache_store(gn_cache *, const gn_key *, const void *object, size_t size, const char *meta,
                         size_t meta_size, gn_module **out);
/* An entry that was read whole and proved to be of no use goes. */
void gn_cache_drop(gn_cache *, const gn_key *);
/* A text beside the entry, ".c" or ".gn". *path: where it lies, to be released; NULL if the cache is off. GN_EIO,
 * GN_ENOMEM. */
gn_status gn_cache_write_beside(gn_cache *, const gn_key *, const char *suffix, const char *text, char **path);

/* For `gnomon cache`. */
typedef struct gn_cache_entry {
    char key[65];
    int64_t bytes, mtime;
    bool good;
    const char *name;            /* of the program or kernel, from the metadata */
} gn_cache_entry;
gn_status gn_cache_walk(gn_cache *, bool verify, void (*visit)(void *user, const gn_cache_entry *), void *user);
gn_status gn_cache_prune(gn_cache *, int64_t max_bytes, int64_t *removed); /* removed: bytes */
