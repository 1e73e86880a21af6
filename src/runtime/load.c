/* Loading from memory.
 *
 * Loaders know libraries by the names they were opened under, and by device and inode. A name is therefore used once in
 * the life of the process, though the number of the descriptor in it comes again: "/proc/123/fd//././/7" is spelled
 * with a counter in binary, where a slash more or a dot means nothing to the kernel. A debugger that watches the
 * process finds the file under that name while it is loaded, and reads its symbols; later the label of the memory file
 * leads it to the entry. Inodes of memory files live as long as they are mapped; that the loader mapped this file, and
 * did not hand out an older library, is seen by the name it kept. */
#include "load.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "elf_check.h"
#include "error.h"
#include "files.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* mapping as code is not what it forbids; kernels that ask for a choice get one */
#endif

struct gn_module {
    const gn_allocator *allocator;
    void *handle;                /* of dlopen; NULL for metadata alone */
    char *path, *meta;
    size_t meta_size;
};

static int memory_file(const char *label, const void *bytes, size_t size)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create(label, flags | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = memfd_create(label, flags); /* before Linux 6.3 */
    if (fd < 0) return -1;
    if (gn_write_all(fd, bytes, size) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
        return fd;
    const int e = errno;
    close(fd);
    errno = e;
    return -1;
}

enum { SPELLED = 128 };

static void spell(char path[SPELLED], const char *process, int fd)
{
    static atomic_uint_fast64_t counter;
    const uint64_t n = atomic_fetch_add(&counter, 1);
    char *at = path + sprintf(path, "/proc/%s/fd", process);
    for (int bit = 39; bit >= 0; bit--) *at++ = '/', *at++ = n >> bit & 1 ? '.' : '/';
    sprintf(at, "/%d", fd);
}

/* dlopen of the file behind fd under a name of its own. NULL: the loader's words are in the message. */
static void *open_spelled(const char *process, int fd)
{
    char path[SPELLED];
    struct link_map *map = NULL;
    spell(path, process, fd);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return gn_error(GN_EFORMAT, "%s", dlerror()), NULL;
    if (!dlinfo(handle, RTLD_DI_LINKMAP, &map) && map && !strcmp(map->l_name, path)) return handle;
    dlclose(handle);
    return gn_error(GN_EFORMAT, "the loader took it for '%s'", map && map->l_name ? map->l_name : "another library"), NULL;
}

static gn_status load(gn_module *m, const char *label, const void *object, size_t size)
{
    char process[24];
    const gn_status s = gn_elf_check_code(object, size);
    if (s) return s;
    const int fd = memory_file(label, object, size);
    if (fd < 0) return gn_error(GN_EIO, "no memory file for generated code: %s", strerror(errno));
    snprintf(process, sizeof process, "%ld", (long)getpid());
    /* /proc may be that of another namespace */
    if (!(m->handle = open_spelled(process, fd))) m->handle = open_spelled("self", fd);
    close(fd);
    return m->handle ? GN_OK : GN_EFORMAT;
}

gn_status gn_module_new(gn_module **out, const gn_allocator *allocator, const char *label, const void *object, size_t size,
                        const char *meta, size_t meta_size)
{
    *out = NULL;
    gn_module *m = gn_alloc_zeroed(allocator, sizeof *m);
    if (!m) return GN_ENOMEM;
    *m = (gn_module){ .allocator = allocator, .meta_size = meta_size, .meta = gn_alloc(allocator, meta_size + 1) };
    gn_status s = m->meta ? GN_OK : GN_ENOMEM;
    if (!s && meta_size) memcpy(m->meta, meta, meta_size);
    if (!s) m->meta[meta_size] = '\0';
    if (!s && size) s = load(m, label, object, size);
    if (s) gn_module_release(m);
    else *out = m;
    return s;
}

void gn_module_release(gn_module *m)
{
    if (!m) return;
    if (m->handle) dlclose(m->handle);
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

gn_status gn_module_set_path(gn_module *m, const char *path)
{
    char *copy = gn_alloc_string(m->allocator, path);
    if (!copy) return GN_ENOMEM;
    if (m->path) gn_release(m->allocator, m->path, strlen(m->path) + 1);
    m->path = copy;
    return GN_OK;
}
