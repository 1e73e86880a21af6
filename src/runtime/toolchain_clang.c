/* Toolchain "clang": the plug-in, found and opened on the first compile, and driven on a thread with a large stack, because a parser's
 * recursion is as deep as the nesting of its input. */
#include "toolchain_state.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef GN_PLUGIN_DIR
#define GN_PLUGIN_DIR ""
#endif
#ifndef GN_LLVM_FILES
#define GN_LLVM_FILES ""
#endif

static const char plugin_name[] = "gnomon-clang.so";
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(const gn_plugin *) opened; /* stays for the life of the process: LLVM cannot be unloaded safely */

bool gn_toolchain_plugin_is_open(void)
{
    return atomic_load(&opened) != NULL;
}

static bool is_file(const char *format, const char *dir, char *path, size_t capacity)
{
    struct stat st;
    const int n = snprintf(path, capacity, format, dir, plugin_name);
    return n > 0 && (size_t)n < capacity && !stat(path, &st) && S_ISREG(st.st_mode);
}

/* The directory of the file this code was loaded from: libgnomon.so, or a program that holds the library. */
static bool own_directory(char *dir, size_t capacity)
{
    Dl_info info;
    char real[PATH_MAX];
    if (!dladdr((const void *)plugin_name, &info) || !info.dli_fname || !realpath(info.dli_fname, real)) return false;
    char *slash = strrchr(real, '/');
    if (!slash || (size_t)(slash - real) >= capacity) return false;
    *slash = '\0';
    memcpy(dir, real, (size_t)(slash - real) + 1);
    return true;
}

bool gn_plugin_find(char *path, size_t capacity)
{
    static const char *const beside[] = { "%s/gnomon/%s", "%s/runtime/plugin/%s", "%s/../src/runtime/plugin/%s", "%s/../../src/runtime/plugin/%s" };
    char dir[PATH_MAX];
    const char *given = secure_getenv("GNOMON_PLUGIN_DIR");
    if (given && *given) return is_file("%s/%s", given, path, capacity);
    if (own_directory(dir, sizeof dir))
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
            if (is_file(beside[i], dir, path, capacity)) return true;
    return GN_PLUGIN_DIR[0] && is_file("%s/%s", GN_PLUGIN_DIR, path, capacity);
}

bool gn_plugin_has_libraries(void)
{
    char path[PATH_MAX];
    struct stat st;
    size_t missing = 0;
    for (const char *file = GN_LLVM_FILES; *file;) {
        const size_t length = strcspn(file, ":");
        snprintf(path, sizeof path, "%.*s", (int)length, file);
        missing += stat(path, &st) != 0;
        file += length + (file[length] == ':');
    }
    return missing < 2; /* libLLVM has one of two names */
}

static void add_file(gn_bytes *out, const char *path, size_t length)
{
    char name[PATH_MAX];
    struct stat st;
    if (length >= sizeof name) return;
    memcpy(name, path, length);
    name[length] = '\0';
    if (stat(name, &st)) return;
    gn_bytes_printf(out, ";%s:%lld:%lld.%09ld", name, (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

void gn_plugin_identity(gn_bytes *out, const char *path)
{
    gn_bytes_printf(out, "clang-plugin %d", GN_PLUGIN_ABI);
    add_file(out, path, strlen(path));
    for (const char *file = GN_LLVM_FILES; *file;) {
        const size_t n = strcspn(file, ":");
        add_file(out, file, n);
        file += n + (file[n] == ':');
    }
}

static gn_status open_plugin(const gn_plugin **out)
{
    char path[PATH_MAX];
    if (!gn_plugin_find(path, sizeof path))
        return gn_error(GN_ECOMPILER, "the plug-in %s was not found beside the library nor in $GNOMON_PLUGIN_DIR; toolchain \"cc\" needs none", plugin_name);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return gn_error(GN_ECOMPILER, "the plug-in %s cannot be opened: %s", path, dlerror());
    const gn_plugin *(*get)(void);
    *(void **)&get = dlsym(handle, "gn_clang_plugin");
    if (!get || get()->abi() != GN_PLUGIN_ABI) {
        dlclose(handle);
        return gn_error(GN_ECOMPILER, "the plug-in %s belongs to another version of Gnomon", path);
    }
    *out = get();
    return GN_OK;
}

gn_status gn_plugin_open(const gn_plugin **out)
{
    gn_status s = GN_OK;
    if ((*out = atomic_load(&opened))) return GN_OK;
    pthread_mutex_lock(&opening);
    if (!(*out = atomic_load(&opened)) && !(s = open_plugin(out))) atomic_store(&opened, *out);
    pthread_mutex_unlock(&opening);
    return s;
}

enum { MAX_PIECES = 64, STACK = 64 << 20 };

typedef struct job { /* one source on its own thread */
    const gn_plugin *plugin;
    const char *name, *source;
    const gn_args *args;
    gn_plugin_emit emit;
    gn_bytes out, words;
    pthread_t thread;
    bool started;
    int failed;
} job;

static void write_bytes(void *user, const char *data, size_t size)
{
    gn_bytes_add(user, data, size);
}

static void *work(void *arg)
{
    job *j = arg;
    j->failed = j->plugin->compile(j->name, j->source, strlen(j->source), j->args->at, j->args->n, j->emit, (gn_plugin_sink){ write_bytes, &j->out },
                                   (gn_plugin_sink){ write_bytes, &j->words });
    return NULL;
}

static gn_status start(job *j)
{
    pthread_attr_t attr;
    if (pthread_attr_init(&attr)) return gn_error(GN_ENOMEM, "no memory for a thread");
    const int e = pthread_attr_setstacksize(&attr, STACK) || pthread_create(&j->thread, &attr, work, j);
    pthread_attr_destroy(&attr);
    j->started = !e;
    return e ? gn_error(GN_ENOMEM, "no thread with a stack of 64 MiB for the compiler") : GN_OK;
}

static gn_status failure(const job *j, gn_bytes *words)
{
    return gn_error(GN_ECOMPILER, "Clang %s failed:\n%.8000s", j->plugin->version(), gn_bytes_text(words));
}

static gn_status compile_all(job *j, size_t n)
{
    gn_status s = GN_OK;
    for (size_t i = 0; !s && i < n; i++) s = start(&j[i]);
    for (size_t i = 0; i < n; i++)
        if (j[i].started) pthread_join(j[i].thread, NULL);
    for (size_t i = 0; !s && i < n; i++) {
        if (j[i].failed) s = failure(&j[i], &j[i].words);
        else if (j[i].out.failed) s = gn_error(GN_ENOMEM, "out of memory for the object of %s", j[i].name);
    }
    return s;
}

static gn_status link_all(const job *j, size_t n, gn_bytes *out)
{
    const void *object[MAX_PIECES];
    size_t size[MAX_PIECES];
    gn_bytes words = { .allocator = out->allocator };
    bool allow_undefined = false;
    for (size_t i = 0; i < j->args->n; i++) allow_undefined |= !strncmp(j->args->at[i], "-fsanitize=address", 18);
    for (size_t i = 0; i < n; i++) object[i] = j[i].out.at, size[i] = j[i].out.n;
    const int failed = j->plugin->link(n, object, size, allow_undefined, (gn_plugin_sink){ write_bytes, out }, (gn_plugin_sink){ write_bytes, &words });
    gn_status s = failed ? failure(j, &words) : GN_OK;
    if (!s && out->failed) s = gn_error(GN_ENOMEM, "out of memory for the object of %s", j->name);
    gn_bytes_free(&words);
    return s;
}

gn_status gn_clang_compile(const gn_toolchain *t, const char *name, size_t n, const char *const *sources, const char *const *args, gn_plugin_emit emit,
                           gn_bytes *out)
{
    gn_args a = { .n = 0 };
    job j[MAX_PIECES];
    const gn_plugin *plugin;
    GN_ASSERT(n >= 1 && n <= MAX_PIECES && (n == 1 || emit == GN_PLUGIN_OBJECT));
    gn_status s = gn_plugin_open(&plugin);
    if (s) return s;
    if (!gn_args_for_clang(&a, plugin->host(), args)) return gn_error(GN_EINVAL, "too many arguments for Clang");
    for (size_t i = 0; i < n; i++)
        j[i] = (job){ .plugin = plugin, .name = name, .source = sources[i], .args = &a, .emit = emit, .out = { .allocator = t->allocator },
                      .words = { .allocator = t->allocator } };
    s = compile_all(j, n);
    if (!s && emit == GN_PLUGIN_OBJECT) s = link_all(j, n, out);
    else if (!s) gn_bytes_add(out, j[0].out.at, j[0].out.n);
    for (size_t i = 0; i < n; i++) gn_bytes_free(&j[i].out), gn_bytes_free(&j[i].words);
    return s;
}
