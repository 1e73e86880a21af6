/* The disk cache: store by writing aside and renaming, load by hashing what the open descriptor holds and then loading the entry's own path.
 *
 * Readers take no lock. Between hash and dlopen the file could only be changed by someone who may write the directory, and that is nobody
 * else; a rename by another process of ours puts an equally good entry there, which the comparison of device and inode still notices. */
#include "cache_state.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

gn_status gn_cache_open(gn_cache **out, const gn_allocator *allocator, const char *dir, int64_t max_bytes)
{
    *out = NULL;
    gn_cache *c = gn_alloc_zeroed(allocator, sizeof *c);
    if (!c) return GN_ENOMEM;
    *c = (gn_cache){ .allocator = allocator, .root = -1, .max_bytes = max_bytes };
    if (dir && *dir) {
        c->root = gn_cache_root(dir);
        if (c->root < 0) fprintf(stderr, "gnomon: the cache is off: %s\n", gn_message());
    }
    char real[PATH_MAX]; /* absolute: the working directory may change */
    if (c->root >= 0 && (!realpath(dir, real) || !(c->dir = gn_alloc_string(allocator, real)))) {
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

/* "ab" and "ab...so" of a key. */
static void names_of(const gn_key *key, char shelf[3], char name[GN_CACHE_NAME + 1])
{
    char hex[65];
    gn_key_hex(key, hex);
    memcpy(shelf, hex, 2);
    shelf[2] = '\0';
    memcpy(name, hex, 64);
    memcpy(name + 64, ".so", 4);
}

/* A module without code yet. Consumes nothing of the entry. */
static gn_module *module_new(const gn_allocator *allocator, const char *meta, size_t meta_size)
{
    gn_module *m = gn_alloc_zeroed(allocator, sizeof *m);
    if (!m) return NULL;
    *m = (gn_module){ .allocator = allocator, .fd = -1, .meta_size = meta_size, .meta = gn_alloc(allocator, meta_size + 1) };
    if (!m->meta) {
        gn_module_release(m);
        return NULL;
    }
    if (meta_size) memcpy(m->meta, meta, meta_size);
    m->meta[meta_size] = '\0';
    return m;
}

void gn_module_release(gn_module *m)
{
    if (!m) return;
    if (m->handle) dlclose(m->handle);
    if (m->fd >= 0) close(m->fd);
    if (m->path) gn_release(m->allocator, m->path, strlen(m->path) + 1);
    if (m->meta) gn_release(m->allocator, m->meta, m->meta_size + 1);
    gn_release(m->allocator, m, sizeof *m);
}

void *gn_module_symbol(const gn_module *m, const char *name)
{
    return m->handle ? dlsym(m->handle, name) : NULL;
}

const char *gn_module_meta(const gn_module *m, size_t *size)
{
    if (size) *size = m->meta_size;
    return m->meta;
}

const char *gn_module_path(const gn_module *m)
{
    return m->path;
}

/* The file that a handle maps is the one behind fd. */
static bool is_loaded_from(void *handle, int fd)
{
    struct link_map *map = NULL;
    struct stat a, b;
    return !dlinfo(handle, RTLD_DI_LINKMAP, &map) && map && !fstat(fd, &a) && !stat(map->l_name, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The shared object of a checked entry, by its own path. False: noexec, or replaced meanwhile. */
static bool load_path(gn_module *m, const gn_cache *c, const char *shelf, const char *name, int fd)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/v1/%s/%s", c->dir, shelf, name);
    if (n < 0 || (size_t)n >= sizeof path || !(m->path = gn_alloc_string(c->allocator, path))) return false;
    m->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (m->handle && is_loaded_from(m->handle, fd)) return true;
    if (m->handle) dlclose(m->handle);
    m->handle = NULL;
    gn_release(c->allocator, m->path, strlen(m->path) + 1);
    m->path = NULL;
    return false;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = write(fd, bytes + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

/* From memory: sealed, and kept open as long as it is loaded, because the loader knows libraries by their names. */
static gn_status load_memory(gn_module *m, const char *object, size_t size)
{
    char path[64];
    m->fd = memfd_create("gnomon", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (m->fd < 0 || !write_all(m->fd, object, size)) return gn_error(GN_EIO, "no memory file for generated code: %s", strerror(errno));
    fcntl(m->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    snprintf(path, sizeof path, "/proc/self/fd/%d", m->fd);
    m->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    return m->handle ? GN_OK : gn_error(GN_EIO, "generated code cannot be loaded: %s", dlerror());
}

/* Marks an entry as used, at most once a day, so that pruning finds the oldest. */
static void touch(int fd)
{
    struct stat st;
    const time_t now = time(NULL);
    if (fstat(fd, &st) || (st.st_mtime <= now && now - st.st_mtime < 24 * 3600)) return;
    futimens(fd, NULL);
}

static gn_module *load_entry(const gn_cache *c, const gn_key *key, const char *shelf, const char *name, int fd)
{
    gn_entry e;
    if (gn_entry_read(c->allocator, fd, key, &e)) return NULL;
    gn_module *m = module_new(c->allocator, e.bytes + e.object, e.meta);
    if (m && e.object && !load_path(m, c, shelf, name, fd) && load_memory(m, e.bytes, e.object)) {
        gn_module_release(m);
        m = NULL;
    }
    gn_release(c->allocator, e.bytes, e.size);
    if (m) touch(fd);
    return m;
}

gn_module *gn_cache_load(gn_cache *c, const gn_key *key)
{
    char shelf[3], name[GN_CACHE_NAME + 1], path[3 + GN_CACHE_NAME + 1];
    if (c->root < 0) return NULL;
    names_of(key, shelf, name);
    snprintf(path, sizeof path, "%s/%s", shelf, name);
    const int fd = openat(c->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return NULL;
    gn_module *m = load_entry(c, key, shelf, name, fd);
    close(fd);
    return m;
}

/* Temporaries are named after their writer, so that those of the dead can be removed. */
static int open_aside(int shelf, char *name, size_t capacity)
{
    static atomic_uint counter;
    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t salt = 0;
        if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) < 0) salt = (uint64_t)time(NULL);
        snprintf(name, capacity, ".new.%ld.%u.%016llx", (long)getpid(), atomic_fetch_add(&counter, 1), (unsigned long long)salt);
        const int fd = openat(shelf, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/* Puts an entry in its place; false when the disk does not take it, and then nothing is left behind. */
static bool put_entry(const gn_cache *c, const char *shelf_name, const char *name, const char *bytes, size_t size)
{
    char aside[80];
    if (mkdirat(c->root, shelf_name, 0700) && errno != EEXIST) return false;
    const int shelf = openat(c->root, shelf_name, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
    if (shelf < 0) return false;
    const int fd = open_aside(shelf, aside, sizeof aside);
    bool good = false;
    if (fd >= 0) {
        good = write_all(fd, bytes, size);
        good = !close(fd) && good;
        good = good && !renameat(shelf, aside, shelf, name);
        if (!good) unlinkat(shelf, aside, 0);
    }
    close(shelf);
    return good;
}

gn_status gn_cache_store(gn_cache *c, const gn_key *key, const void *object, size_t size, const char *meta, size_t meta_size, gn_module **out)
{
    char shelf[3], name[GN_CACHE_NAME + 1];
    *out = NULL;
    if (c->root >= 0) {
        size_t total = 0;
        char *bytes = gn_entry_make(c->allocator, key, object, size, meta, meta_size, &total);
        if (!bytes) return gn_error(GN_ENOMEM, "out of memory for a cache entry");
        names_of(key, shelf, name);
        const bool stored = put_entry(c, shelf, name, bytes, total);
        gn_release(c->allocator, bytes, total);
        if (stored) *out = gn_cache_load(c, key);
        if (stored && c->max_bytes > 0) gn_cache_keep_within(c, total);
    }
    if (*out) return GN_OK;
    gn_module *m = module_new(c->allocator, meta, meta_size);
    if (!m) return GN_ENOMEM;
    const gn_status s = size ? load_memory(m, object, size) : GN_OK;
    if (s) gn_module_release(m);
    else *out = m;
    return s;
}
