/* The disk cache: store by writing aside and renaming, load by hashing what the open descriptor holds and loading those
 * very bytes.
 *
 * Readers take no lock. The directory is opened once, after every component of its path was found safe, and everything
 * in it goes through that descriptor. */
#include "cache_state.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "files.h"

/* dir/v1, and where dir really lies. -1: the cache stays off, the message says why. */
static int open_root(const char *dir, char real[PATH_MAX])
{
    char inner[PATH_MAX];
    const int n = snprintf(inner, sizeof inner, "%s/v1", dir);
    if (n < 0 || (size_t)n >= sizeof inner) return gn_error(GN_EIO, "%.60s..: %s", dir, strerror(ENAMETOOLONG)), -1;
    const int root = gn_open_private(inner, real);
    if (root >= 0) *strrchr(real, '/') = '\0';
    return root;
}

gn_status gn_cache_open(gn_cache **out, const gn_allocator *allocator, const char *dir, int64_t max_bytes)
{
    char real[PATH_MAX];
    *out = NULL;
    gn_cache *c = gn_alloc_zeroed(allocator, sizeof *c);
    if (!c) return GN_ENOMEM;
    *c = (gn_cache){ .allocator = allocator, .root = -1, .max_bytes = max_bytes };
    if (dir && *dir) {
        c->root = open_root(dir, real);
        if (c->root < 0) fprintf(stderr, "gnomon: the cache is off: %s\n", gn_message());
    }
    if (c->root >= 0 && !(c->dir = gn_alloc_string(allocator, real))) {
        gn_cache_close(c);
        return GN_ENOMEM;
    }
    *out = c;
    return GN_OK;
}

void gn_cache_close(gn_cache *c)
{
    if (!c) return;
    if (c->root >= 0) close(c->root);
    if (c->dir) gn_release(c->allocator, c->dir, strlen(c->dir) + 1);
    gn_release(c->allocator, c, sizeof *c);
}

const char *gn_cache_dir(const gn_cache *c)
{
    return c->dir;
}

/* "ab" and "ab...SUFFIX" of a key. */
static void names_of(const gn_key *key, const char *suffix, char shelf[3], char name[GN_CACHE_NAME + 1])
{
    char hex[65];
    gn_key_hex(key, hex);
    snprintf(shelf, 3, "%.2s", hex);
    snprintf(name, GN_CACHE_NAME + 1, "%s%.3s", hex, suffix);
}

void gn_cache_label(const gn_key *key, char out[GN_CACHE_LABEL])
{
    char shelf[3], name[GN_CACHE_NAME + 1];
    names_of(key, ".so", shelf, name);
    snprintf(out, GN_CACHE_LABEL, "gnomon/v1/%s/%s", shelf, name);
}

static bool path_of(const gn_cache *c, const char *shelf, const char *name, char path[PATH_MAX])
{
    const int n = snprintf(path, PATH_MAX, "%s/v1/%s/%s", c->dir, shelf, name);
    return n > 0 && n < PATH_MAX;
}

/* A module knows where its entry lies, if a path can say it. */
static void set_path(const gn_cache *c, gn_module *m, const char *shelf, const char *name)
{
    char path[PATH_MAX];
    if (path_of(c, shelf, name, path)) gn_module_set_path(m, path); /* without memory it does without */
}

/* Marks an entry as used, at most once a day, so that pruning finds the oldest. */
static void touch(int fd)
{
    struct stat st;
    const time_t now = time(NULL);
    if (fstat(fd, &st) || (st.st_mtime <= now && now - st.st_mtime < 24 * 3600)) return;
    futimens(fd, NULL);
}

gn_module *gn_cache_load(gn_cache *c, const gn_key *key)
{
    char shelf[3], name[GN_CACHE_NAME + 1], path[3 + GN_CACHE_NAME + 1];
    gn_entry e;
    gn_module *m = NULL;
    char label[GN_CACHE_LABEL];
    if (c->root < 0) return NULL;
    gn_cache_label(key, label);
    names_of(key, ".so", shelf, name);
    snprintf(path, sizeof path, "%s/%s", shelf, name);
    const int fd = openat(c->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return NULL;
    if (!gn_entry_read(c->allocator, fd, key, &e)) {
        gn_module_new(&m, c->allocator, label, e.bytes, e.object, e.bytes + e.object, e.meta);
        gn_release(c->allocator, e.bytes, e.size);
    }
    if (m) touch(fd), set_path(c, m, shelf, name);
    close(fd);
    return m;
}

void gn_cache_drop(gn_cache *c, const gn_key *key)
{
    char shelf[3], name[GN_CACHE_NAME + 1], path[3 + GN_CACHE_NAME + 1];
    if (c->root < 0) return;
    names_of(key, ".so", shelf, name);
    snprintf(path, sizeof path, "%s/%s", shelf, name);
    unlinkat(c->root, path, 0);
}

/* Temporaries are named after their writer, so that those of the dead can be removed. */
static int open_aside(int shelf, char *name, size_t capacity)
{
    static atomic_uint counter;
    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t salt = 0;
        if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) < 0) salt = (uint64_t)time(NULL);
        snprintf(name, capacity, ".new.%ld.%u.%016llx", (long)getpid(), atomic_fetch_add(&counter, 1),
                 (unsigned long long)salt);
        const int fd = openat(shelf, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/* Puts a file in its place; false when the disk does not take it, and then nothing is left behind. */
static bool put_file(const gn_cache *c, const char *shelf_name, const char *name, const void *bytes, size_t size)
{
    char aside[80];
    const int shelf = gn_open_inside(c->root, shelf_name);
    if (shelf < 0) return false;
    const int fd = open_aside(shelf, aside, sizeof aside);
    bool good = false;
    if (fd >= 0) {
        good = !fchmod(fd, 0600) && gn_write_all(fd, bytes, size); /* the umask may have taken our own rights */
        good = !close(fd) && good;
        good = good && !renameat(shelf, aside, shelf, name);
        if (!good) unlinkat(shelf, aside, 0);
    }
    close(shelf);
    return good;
}

gn_status gn_cache_keep(gn_cache *c, const gn_key *key, const void *object, size_t size, const char *meta, size_t meta_size,
                        gn_module *m)
{
    char shelf[3], name[GN_CACHE_NAME + 1];
    size_t total = 0;
    if (c->root < 0) return GN_OK;
    char *bytes = gn_entry_make(c->allocator, key, object, size, meta, meta_size, &total);
    if (!bytes) return gn_error(GN_ENOMEM, "out of memory for a cache entry");
    names_of(key, ".so", shelf, name);
    const bool stored = put_file(c, shelf, name, bytes, total);
    gn_release(c->allocator, bytes, total);
    if (stored && m) set_path(c, m, shelf, name);
    if (stored && c->max_bytes > 0) gn_cache_keep_within(c, total);
    return GN_OK;
}

gn_status gn_cache_store(gn_cache *c, const gn_key *key, const void *object, size_t size, const char *meta,
                         size_t meta_size, gn_module **out)
{
    char label[GN_CACHE_LABEL];
    gn_cache_label(key, label);
    gn_status s = gn_module_new(out, c->allocator, label, object, size, meta, meta_size);
    if (!s) s = gn_cache_keep(c, key, object, size, meta, meta_size, *out);
    if (s) gn_module_release(*out), *out = NULL;
    return s;
}

gn_status gn_cache_write_beside(gn_cache *c, const gn_key *key, const char *suffix, const char *text, char **path)
{
    char shelf[3], name[GN_CACHE_NAME + 1], whole[PATH_MAX];
    *path = NULL;
    if (c->root < 0) return GN_OK;
    names_of(key, suffix, shelf, name);
    if (!path_of(c, shelf, name, whole)) return GN_OK;
    if (!put_file(c, shelf, name, text, strlen(text)))
        return gn_error(GN_EIO, "%s cannot be written: %s", whole, strerror(errno));
    return (*path = gn_alloc_string(c->allocator, whole)) ? GN_OK : GN_ENOMEM;
}
