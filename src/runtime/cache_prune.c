/* Keeping the cache small: a walk over all entries, the oldest unlinked first, debris of dead writers removed.
 *
 * Pruning only unlinks: whoever has an entry loaded keeps it. The bound is checked once in a while, not at each store:
 * a store looks at a stamp file whose size is the number of bytes written since the last walk. */
#include "cache_state.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "files.h"

typedef struct found { /* an entry, for sorting by age */
    int64_t mtime, bytes;
    char name[GN_CACHE_NAME + 1];
} found;
typedef struct list {
    const gn_allocator *allocator;
    found *at;
    size_t n, capacity;
    int64_t bytes;
    bool failed;
} list;

static void list_add(list *l, const char *name, const struct stat *st)
{
    if (l->n == l->capacity) {
        const size_t capacity = l->capacity ? 2 * l->capacity : 64;
        found *at = gn_realloc(l->allocator, l->at, l->capacity * sizeof *at, capacity * sizeof *at);
        if (!at) {
            l->failed = true;
            return;
        }
        l->at = at, l->capacity = capacity;
    }
    found *f = &l->at[l->n++];
    f->mtime = st->st_mtim.tv_sec, f->bytes = st->st_size;
    memcpy(f->name, name, sizeof f->name); /* a good name has this length */
    l->bytes += st->st_size;
}

/* A temporary of a process that is gone, or older than an hour. */
static bool is_debris(const char *name, const struct stat *st)
{
    long pid = 0;
    if (sscanf(name, ".new.%ld.", &pid) != 1 || pid <= 0) return false;
    if (time(NULL) - st->st_mtime > 3600) return true;
    return kill((pid_t)pid, 0) && errno == ESRCH;
}

static void walk_shelf(int root, const char *shelf, list *l)
{
    const int fd = openat(root, shelf, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d && fd >= 0) close(fd);
    for (const struct dirent *e; d && (e = readdir(d));) {
        struct stat st;
        if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
        if (is_debris(e->d_name, &st)) unlinkat(fd, e->d_name, 0);
        else if (gn_entry_name_is_good(e->d_name) && !strncmp(e->d_name, shelf, 2)) list_add(l, e->d_name, &st);
    }
    if (d) closedir(d);
}

static int by_age(const void *a, const void *b)
{
    const found *x = a, *y = b;
    if (x->mtime != y->mtime) return x->mtime < y->mtime ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* All entries, oldest first. */
static gn_status walk(const gn_cache *c, list *l)
{
    *l = (list){ .allocator = c->allocator };
    if (c->root < 0) return GN_OK;
    for (int i = 0; i < 256; i++) {
        char shelf[3];
        snprintf(shelf, sizeof shelf, "%02x", i);
        walk_shelf(c->root, shelf, l);
    }
    if (l->failed) return gn_error(GN_ENOMEM, "out of memory for the list of cache entries");
    if (l->n) qsort(l->at, l->n, sizeof *l->at, by_age);
    return GN_OK;
}

static void list_free(list *l)
{
    gn_release(l->allocator, l->at, l->capacity * sizeof *l->at);
}

static void path_of(const found *f, char path[GN_CACHE_NAME + 4])
{
    snprintf(path, GN_CACHE_NAME + 4, "%.2s/%s", f->name, f->name);
}

/* The first line of the metadata is the name of the program or kernel. */
static bool look_into(const gn_cache *c, const found *f, char *name, size_t capacity)
{
    char path[GN_CACHE_NAME + 4];
    gn_entry e;
    gn_key key;
    path_of(f, path);
    for (int i = 0; i < 32; i++) {
        unsigned byte = 0;
        sscanf(f->name + (ptrdiff_t)2 * i, "%2x", &byte);
        key.bytes[i] = (uint8_t)byte;
    }
    const int fd = openat(c->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    const bool good = !gn_entry_read(c->allocator, fd, &key, &e);
    close(fd);
    if (!good) return false;
    const size_t n = e.meta < capacity ? e.meta : capacity - 1;
    memcpy(name, e.bytes + e.object, n);
    name[n] = '\0';
    name[strcspn(name, "\n")] = '\0';
    gn_release(c->allocator, e.bytes, e.size);
    return true;
}

gn_status gn_cache_walk(gn_cache *c, bool verify, void (*visit)(void *, const gn_cache_entry *), void *user)
{
    list l;
    gn_status s = walk(c, &l);
    for (size_t i = 0; !s && i < l.n; i++) {
        char name[128] = "";
        gn_cache_entry e = { .bytes = l.at[i].bytes, .mtime = l.at[i].mtime, .good = true, .name = name };
        memcpy(e.key, l.at[i].name, 64);
        e.key[64] = '\0';
        const bool good = look_into(c, &l.at[i], name, sizeof name);
        if (verify) e.good = good;
        visit(user, &e);
    }
    list_free(&l);
    return s;
}

gn_status gn_cache_prune(gn_cache *c, int64_t max_bytes, int64_t *removed)
{
    list l;
    int64_t gone = 0;
    const gn_status s = walk(c, &l);
    for (size_t i = 0; !s && i < l.n && l.bytes - gone > max_bytes; i++) {
        char path[GN_CACHE_NAME + 4];
        path_of(&l.at[i], path);
        if (!unlinkat(c->root, path, 0)) gone += l.at[i].bytes;
        const size_t stem = strlen(path) - 2;
        for (int k = 0; k < 2; k++) { /* the source and the graph that may lie beside it */
            strcpy(path + stem, k ? "gn" : "c");
            unlinkat(c->root, path, 0);
        }
    }
    list_free(&l);
    if (removed) *removed = gone;
    return s;
}

void gn_cache_keep_within(gn_cache *c, size_t added)
{
    struct stat st;
    const int fd = openat(c->root, "written", O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) return;
    fchmod(fd, 0600); /* the umask may have taken our own rights */
    /* a sparse file: its length is the count */
    const int64_t sum = (fstat(fd, &st) ? 0 : (int64_t)st.st_size) + (int64_t)added;
    const bool is_due = sum > c->max_bytes / 8;
    gn_set_size(fd, is_due ? 0 : sum); /* a lost count only delays the next walk */
    close(fd);
    if (is_due) gn_cache_prune(c, c->max_bytes / 10 * 9, NULL);
}
