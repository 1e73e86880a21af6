/* Files: whole, checked, or written aside. Short reads and writes and interrupted calls are handled here and nowhere
 * else. */
#include "file.h"
#include "error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static gn_status fail(const char *verb, const char *path)
{
    return gn_error(GN_EIO, "cannot %s %s: %s", verb, path, strerror(errno));
}

/* A plain file read through a terminal or a directory would wait or fail oddly later. */
static gn_status open_plain(const char *path, int *fd, struct stat *st)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return fail("open", path);
    if (fstat(*fd, st)) return fail("examine", path);
    if (S_ISDIR(st->st_mode)) return gn_error(GN_EIO, "cannot read %s: it is a directory", path);
    return GN_OK;
}

static bool grow(gn_content *b)
{
    const size_t capacity = b->capacity ? 2 * b->capacity : 1 << 16;
    uint8_t *at = gn_realloc(&gn_allocator_libc, b->at, b->capacity, capacity);
    if (!at) return false;
    b->at = at, b->capacity = capacity;
    return true;
}

/* gzread passes files through that are not compressed. */
static gn_status read_all(gn_content *b, gzFile file, const char *path, size_t limit)
{
    for (;;) {
        if (b->capacity - b->n < 2 && !grow(b)) return GN_ENOMEM;
        const size_t room = b->capacity - b->n - 1;
        const int got = gzread(file, b->at + b->n, room < 1 << 30 ? (unsigned)room : 1u << 30);
        if (got < 0) {
            int code = 0;
            const char *words = gzerror(file, &code);
            if (code == Z_ERRNO) return fail("read", path);
            return gn_error(GN_EFORMAT, "%s: broken gzip data: %s", path, words);
        }
        if (got == 0) break;
        b->n += (size_t)got;
        if (b->n > limit) return gn_error(GN_EFORMAT, "%s: longer than %zu bytes", path, limit);
    }
    b->at[b->n] = 0;
    return GN_OK;
}

gn_status gn_content_read(gn_content *out, const char *path, size_t limit)
{
    *out = (gn_content){ 0 };
    int fd = -1;
    struct stat st;
    gn_status s = open_plain(path, &fd, &st);
    if (s) {
        if (fd >= 0) close(fd);
        return s;
    }
    gzFile file = gzdopen(fd, "rb");
    if (!file) {
        close(fd);
        return gn_error(GN_ENOMEM, "out of memory while opening %s", path);
    }
    s = read_all(out, file, path, limit);
    const int closed = gzclose_r(file); /* Z_BUF_ERROR: the file ended in the middle of a gzip stream */
    if (!s && closed == Z_BUF_ERROR) s = gn_error(GN_EFORMAT, "%s: truncated gzip data", path);
    if (s) gn_content_free(out);
    return s;
}

void gn_content_free(gn_content *b)
{
    gn_release(&gn_allocator_libc, b->at, b->capacity);
    *b = (gn_content){ 0 };
}

gn_status gn_reader_open(gn_reader *r, const char *path)
{
    struct stat st;
    *r = (gn_reader){ .fd = -1, .path = path };
    gn_status s = open_plain(path, &r->fd, &st);
    if (!s && !S_ISREG(st.st_mode)) s = gn_error(GN_EIO, "cannot read %s: not a regular file", path);
    if (!s) r->size = (uint64_t)st.st_size;
    else gn_reader_close(r);
    return s;
}

gn_status gn_reader_get(gn_reader *r, void *to, size_t n, const char *what)
{
    if (n > r->size - r->at) {
        return gn_error(GN_EFORMAT, "%s: truncated in %s: %zu bytes are needed at offset %llu and %llu are there",
                        r->path, what, n, (unsigned long long)r->at, (unsigned long long)(r->size - r->at));
    }
    for (size_t done = 0; done < n;) {
        const ssize_t got = read(r->fd, (char *)to + done, n - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail("read", r->path);
        if (got == 0) return gn_error(GN_EFORMAT, "%s: became shorter while it was read", r->path);
        done += (size_t)got;
    }
    r->at += n;
    return GN_OK;
}

gn_status gn_reader_seek(gn_reader *r, uint64_t at)
{
    if (at > r->size || lseek(r->fd, (off_t)at, SEEK_SET) < 0)
        return gn_error(GN_EFORMAT, "%s: offset %llu lies behind its end", r->path, (unsigned long long)at);
    r->at = at;
    return GN_OK;
}

void gn_reader_close(gn_reader *r)
{
    if (r->fd >= 0) close(r->fd);
    r->fd = -1;
}

static void free_name(gn_writer *w)
{
    if (w->aside) gn_release(&gn_allocator_libc, w->aside, strlen(w->path) + 40);
    w->aside = NULL;
}

gn_status gn_writer_open(gn_writer *w, const char *path)
{
    *w = (gn_writer){ .fd = -1, .path = path };
    const size_t size = strlen(path) + 40;
    if (!(w->aside = gn_alloc(&gn_allocator_libc, size))) return GN_ENOMEM;
    for (int attempt = 0; attempt < 100; attempt++) {
        snprintf(w->aside, size, "%s.%ld-%d.part", path, (long)getpid(), attempt);
        w->fd = open(w->aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (w->fd >= 0) return GN_OK;
        if (errno != EEXIST) break;
    }
    const gn_status s = fail("create", w->aside);
    free_name(w);
    return s;
}

gn_status gn_writer_put(gn_writer *w, const void *data, size_t n)
{
    for (size_t done = 0; done < n;) {
        const ssize_t put = write(w->fd, (const char *)data + done, n - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail("write", w->aside);
        done += (size_t)put;
    }
    return GN_OK;
}

gn_status gn_writer_close(gn_writer *w, gn_status s)
{
    if (w->fd < 0) return s;
    if (!s && fsync(w->fd) && errno != EINVAL && errno != EROFS) s = fail("write", w->aside);
    if (close(w->fd) && !s) s = fail("write", w->aside);
    if (!s && rename(w->aside, w->path)) s = fail("write", w->path);
    if (s) unlink(w->aside);
    w->fd = -1;
    free_name(w);
    return s;
}
