/* Loaded code. Bytes that were checked go into a sealed memory file, the loader maps that, and the file's descriptor is
 * closed: what runs is what was checked, whoever may write the places where it was kept. */
#pragma once
#include <stdbool.h>
#include <gnomon/base.h>
#include "alloc.h"

typedef struct gn_module gn_module; /* symbols and metadata */

/* label: what maps, gdb and perf show: the place of the entry in the cache. size 0: metadata alone. GN_EFORMAT: it is
 * no shared object that can be loaded safely, or the loader refuses it; GN_EIO: no memory file; GN_ENOMEM. */
gn_status gn_module_new(gn_module **out, const gn_allocator *, const char *label, const void *object, size_t size,
                        const char *meta, size_t meta_size);
void gn_module_release(gn_module *);                      /* accepts NULL */
void *gn_module_symbol(const gn_module *, const char *name); /* NULL if absent */
const char *gn_module_meta(const gn_module *, size_t *size); /* NUL-terminated */
const char *gn_module_path(const gn_module *);            /* of the cache entry with these bytes; NULL if there is none */
gn_status gn_module_set_path(gn_module *, const char *path);
