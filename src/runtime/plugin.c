#include "plugin.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "elf_check.h"
#include "error.h"
#include "forks.h"
#include "fpmode.h"
#include "own_code.h"
#include "thread_start.h"
#include "toolchain.h"

#ifndef GN_PLUGIN_DIR
#define GN_PLUGIN_DIR ""
#endif
#ifndef GN_PLUGIN_FROM_BIN
#define GN_PLUGIN_FROM_BIN ""
#endif
#ifndef GN_LLVM_DIR
#define GN_LLVM_DIR ""
#endif

static const char plugin_name[] = "gnomon-clang.so";

/* ---- where it is ---- */

static bool is_file(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* The directory of the file this code was loaded from: libgnomon.so, or a program that holds the library. */
static bool own_directory(char dir[PATH_MAX])
{
    Dl_info info;
    if (!dladdr((const void *)plugin_name, &info) || !info.dli_fname || !realpath(info.dli_fname, dir)) return false;
    char *slash = strrchr(dir, '/');
    if (slash) *slash = '\0';
    return slash;
}

typedef struct places {
    void (*visit)(void *, const char *, bool);
    void *user;
    char *found;                 /* "" until it is */
    size_t capacity;
} places;

static void try(places *p, const char *dir, const char *below)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/%s%s%s", dir, below, *below ? "/" : "", plugin_name);
    if (*p->found || n < 0 || (size_t)n >= sizeof path) return;
    const bool there = is_file(path) && (size_t)n < p->capacity;
    if (p->visit) p->visit(p->user, path, there);
    if (there) memcpy(p->found, path, (size_t)n + 1);
}

static void look(places *p)
{
    static const char *const beside[] = { "gnomon",         GN_PLUGIN_FROM_BIN,      "../lib/gnomon",
                                          "runtime/plugin", "../src/runtime/plugin", "../../src/runtime/plugin" };
    char dir[PATH_MAX];
    const char *given = secure_getenv("GNOMON_PLUGIN_DIR");
    *p->found = '\0';
    if (given && *given) {
        try(p, given, "");
        return;
    }
    if (own_directory(dir))
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
            if (*beside[i]) try(p, dir, beside[i]);
    if (*GN_PLUGIN_DIR) try(p, GN_PLUGIN_DIR, "");
}

bool gn_plugin_find(char *path, size_t capacity)
{
    places p = { .found = path, .capacity = capacity };
    look(&p);
    return *path;
}

void gn_plugin_places(void (*visit)(void *, const char *, bool), void *user)
{
    char path[PATH_MAX];
    look(&(places){ .visit = visit, .user = user, .found = path, .capacity = sizeof path });
}

/* ---- what it is ---- */

static void add_file(gn_bytes *out, const char *name, const char *path)
{
    struct stat st;
    if (stat(path, &st)) gn_bytes_printf(out, ";%s:?", name);
    else
        gn_bytes_printf(out, ";%s:%lld:%lld:%lld.%09ld", name, (long long)st.st_size, (long long)st.st_ino,
                        (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static bool is_compiler_library(const char *name)
{
    return !strncmp(name, "libLLVM", 7) || !strncmp(name, "libclang", 8) || !strncmp(name, "liblld", 6);
}

/* Along a list of directories; "$ORIGIN" is that of the plug-in. */
static bool find_along(const char *dirs, const char *plugin, const char *name, char found[PATH_MAX])
{
    static const char origin[] = "$ORIGIN";
    while (dirs && *dirs) {
        const size_t n = strcspn(dirs, ":");
        const bool is_relative = !strncmp(dirs, origin, sizeof origin - 1);
        const int skip = is_relative ? (int)sizeof origin - 1 : 0,
                  own = is_relative ? (int)(strrchr(plugin, '/') - plugin) : 0;
        const int m = snprintf(found, PATH_MAX, "%.*s%.*s/%s", own, plugin, (int)n - skip, dirs + skip, name);
        if (n && m > 0 && m < PATH_MAX && is_file(found)) return true;
        dirs += n + (dirs[n] == ':');
    }
    return false;
}

static bool find_library(const char *plugin, const char *runpath, const char *name, char found[PATH_MAX])
{
    static const char usual[] =
        GN_LLVM_DIR ":/usr/local/lib:/lib/" GN_MULTIARCH ":/usr/lib/" GN_MULTIARCH ":/lib64:/usr/lib64:/lib:/usr/lib";
    return find_along(secure_getenv("LD_LIBRARY_PATH"), plugin, name, found) || find_along(runpath, plugin, name, found) ||
           find_along(usual, plugin, name, found);
}

/* NULL: there is nothing to map. */
static void *map_file(const char *path, size_t *size)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    *size = fd >= 0 && !fstat(fd, &st) && st.st_size > 0 ? (size_t)st.st_size : 0;
    void *bytes = *size ? mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (fd >= 0) close(fd);
    return bytes == MAP_FAILED ? NULL : bytes;
}

/* The libraries of the compiler that the plug-in needs: as they are mapped (`ranges` then has their code), or as they
 * will be found. */
static void identify(gn_bytes *out, const char *plugin, gn_code_ranges *ranges)
{
    enum { MANY = 32 };
    const char *names[MANY], *runpath;
    char path[PATH_MAX];
    size_t size;
    gn_bytes_printf(out, "clang-plugin %d", GN_PLUGIN_ABI);
    add_file(out, plugin, plugin);
    void *bytes = map_file(plugin, &size);
    if (!bytes) return;
    const size_t n = gn_elf_needs(bytes, size, names, MANY, &runpath);
    for (size_t i = 0; i < n; i++) {
        if (!is_compiler_library(names[i])) continue;
        const bool found =
            ranges ? gn_code_add(ranges, names[i], path, sizeof path) : find_library(plugin, runpath, names[i], path);
        add_file(out, names[i], found ? path : "");
    }
    munmap(bytes, size);
}

void gn_plugin_identity(gn_bytes *out, const char *path)
{
    identify(out, path, NULL);
}

/* ---- opening ---- */

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(gn_opened_plugin *) opened;

/* The loader would end the process over a file that was cut short. */
static gn_status check_file(const char *path)
{
    char why[160];
    size_t size;
    void *bytes = map_file(path, &size);
    const gn_status s = bytes ? gn_elf_check(bytes, size) : gn_error(GN_EIO, "it cannot be read");
    if (bytes) munmap(bytes, size);
    if (!s) return GN_OK;
    snprintf(why, sizeof why, "%s", gn_message());
    return gn_error(GN_ECOMPILER, "the plug-in %s cannot be opened: %s", path, why);
}

static gn_status load(const char *path, const gn_plugin **functions)
{
    const gn_status s = check_file(path);
    if (s) return s;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) return gn_error(GN_ECOMPILER, "the plug-in %s cannot be opened: %s", path, dlerror());
    const gn_plugin *(*get)(void);
    *(void **)&get = dlsym(handle, "gn_clang_plugin");
    *functions = get ? get() : NULL;
    if (*functions && (*functions)->abi() == GN_PLUGIN_ABI) return GN_OK;
    return gn_error(GN_ECOMPILER, "the plug-in %s belongs to another version of Gnomon", path);
}

static gn_status open_plugin(void)
{
    char path[PATH_MAX], found[PATH_MAX];
    const gn_plugin *functions = NULL;
    if (!gn_plugin_find(path, sizeof path))
        return gn_error(
            GN_ECOMPILER,
            "the plug-in %s was not found beside the library nor in $GNOMON_PLUGIN_DIR; toolchain \"cc\" needs none",
            plugin_name);
    gn_code_ranges before = { .n = 0 };
    gn_bytes identity = { .allocator = &gn_allocator_libc };
    size_t size;
    identify(&identity, path, &before); /* the host may have LLVM already */
    gn_bytes_free(&identity);
    const gn_status s = load(path, &functions);
    if (s) return s;
    gn_own_code_stays();
    gn_opened_plugin *p = gn_alloc_zeroed(&gn_allocator_libc, sizeof *p);
    if (!p) return GN_ENOMEM;
    p->functions = functions;
#if defined(__GLIBC__)
    p->is_destroyed = before.n; /* else plugin/no_destructors.c came in time */
#else
    p->is_destroyed = true;
#endif
    gn_code_add(&p->code, path, found, sizeof found);
    identify(&identity, path, &p->code);
    gn_bytes_add(&identity, "", 1);
    if (!(p->identity = gn_bytes_take(&identity, &size))) {
        gn_bytes_free(&identity);
        gn_release(&gn_allocator_libc, p, sizeof *p);
        return gn_error(GN_ENOMEM, "out of memory for the plug-in");
    }
    atomic_store(&opened, p);
    return GN_OK;
}

/* LLVM's constructors take more stack than the caller may have, and their constants the default floating-point mode.
 * The thread's message is its own, too. */
typedef struct opening_thread {
    gn_status status;
    char message[2048];
} opening_thread;

static void *open_on_thread(void *arg)
{
    opening_thread *t = arg;
    gn_fp_enter();
    t->status = open_plugin();
    snprintf(t->message, sizeof t->message, "%s", gn_message());
    return NULL;
}

static gn_status open_aside(void)
{
    pthread_t thread;
    opening_thread t = { GN_OK, "" };
    if (gn_thread_start(&thread, GN_COMPILER_STACK, 0, open_on_thread, &t))
        return gn_error(GN_ENOMEM, "no thread with a stack of 64 MiB for the compiler");
    pthread_join(thread, NULL);
    return t.status ? gn_error_set(t.status, t.message) : GN_OK;
}

static void before_fork(void *user)
{
    (void)user;
    pthread_mutex_lock(&opening);
}

static void after_fork(void *user, bool is_child)
{
    (void)user, (void)is_child;
    pthread_mutex_unlock(&opening);
}

static gn_fork_watch watch = { .before = before_fork, .after = after_fork };

static void watch_forks(void)
{
    gn_fork_add(&watch);
}

gn_status gn_plugin_open(const gn_opened_plugin **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    gn_status s = GN_OK;
    if ((*out = atomic_load(&opened))) return GN_OK;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&opening);
    if (!atomic_load(&opened)) s = open_aside();
    pthread_mutex_unlock(&opening);
    *out = atomic_load(&opened);
    return s;
}

bool gn_toolchain_plugin_is_open(void)
{
    return atomic_load(&opened) != NULL;
}
