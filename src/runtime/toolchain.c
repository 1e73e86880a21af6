/* Toolchains: choosing one, what identifies it in cache keys, and the way to its compile function. */
#include "toolchain_state.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const tool_names[] = { "clang", "cc", "interpreter" };

bool gn_find_program(const char *command, char *path, size_t capacity)
{
    const size_t n = strcspn(command, " ");
    const char *dirs = getenv("PATH");
    if (memchr(command, '/', n)) {
        snprintf(path, capacity, "%.*s", (int)n, command);
        return !access(path, X_OK);
    }
    for (const char *dir = dirs ? dirs : "/usr/bin:/bin"; *dir;) {
        const size_t ndir = strcspn(dir, ":");
        const int m = snprintf(path, capacity, "%.*s/%.*s", (int)ndir, dir, (int)n, command);
        if (m > 0 && (size_t)m < capacity && !access(path, X_OK)) return true;
        dir += ndir + (dir[ndir] == ':');
    }
    return false;
}

/* "cc --version" costs a process, so it is asked once per toolchain, together with the file's size and time. */
static gn_status identify_cc(gn_toolchain *t, gn_bytes *out)
{
    char path[PATH_MAX];
    struct stat st;
    gn_args a = { .n = 0 };
    gn_bytes words = { .allocator = t->allocator };
    int code = 0;
    if (!gn_find_program(t->cc, path, sizeof path) || stat(path, &st))
        return gn_error(GN_ECOMPILER, "the C compiler '%s' was not found; set $CC, or use toolchain \"interpreter\"", t->cc);
    gn_bytes_printf(out, "cc %s;%s:%lld:%lld;", t->cc, path, (long long)st.st_size, (long long)st.st_mtim.tv_sec);
    if (!gn_args_words(&a, t->cc) || !gn_args_add(&a, "--version")) return gn_error(GN_EINVAL, "the command of the C compiler is too long: '%s'", t->cc);
    const gn_status s = gn_spawn(a.at, &words, &code);
    t->cc_is_clang = strstr(gn_bytes_text(&words), "clang") != NULL;
    gn_bytes_add(out, gn_bytes_text(&words), strcspn(gn_bytes_text(&words), "\n"));
    gn_bytes_free(&words);
    return s;
}

static gn_status identify(gn_toolchain *t)
{
    gn_bytes out = { .allocator = t->allocator };
    char path[PATH_MAX];
    gn_status s = GN_OK;
    if (t->tool == GN_TOOL_CLANG) {
        if (!gn_plugin_find(path, sizeof path))
            s = gn_error(GN_ECOMPILER, "toolchain \"clang\": the plug-in was not found beside the library nor in $GNOMON_PLUGIN_DIR");
        else gn_plugin_identity(&out, path);
    } else if (t->tool == GN_TOOL_CC) {
        s = identify_cc(t, &out);
    } else {
        gn_bytes_printf(&out, "interpreter");
    }
    gn_bytes_add(&out, "", 1);
    if (!s && !(t->identity = gn_bytes_take(&out, &t->identity_size))) s = GN_ENOMEM;
    gn_bytes_free(&out);
    return s;
}

static gn_status choose(gn_toolchain *t, const char *name)
{
    char path[PATH_MAX];
    if (!name) {
        t->tool = gn_plugin_find(path, sizeof path) && gn_plugin_has_libraries() ? GN_TOOL_CLANG : gn_find_program(t->cc, path, sizeof path) ? GN_TOOL_CC : GN_TOOL_INTERPRETER;
        return GN_OK;
    }
    for (size_t i = 0; i < sizeof tool_names / sizeof *tool_names; i++) {
        if (strcmp(name, tool_names[i])) continue;
        t->tool = (gn_tool)i;
        return GN_OK;
    }
    return gn_error(GN_EINVAL, "unknown toolchain '%s': expected clang, cc or interpreter", name);
}

gn_status gn_toolchain_open(gn_toolchain **out, const gn_allocator *allocator, const char *name, const char *cc)
{
    const char *env = secure_getenv("CC");
    *out = NULL;
    gn_toolchain *t = gn_alloc_zeroed(allocator, sizeof *t);
    if (!t) return GN_ENOMEM;
    t->allocator = allocator;
    t->cc = gn_alloc_string(allocator, cc ? cc : env && *env ? env : "cc");
    gn_status s = t->cc ? GN_OK : GN_ENOMEM;
    if (!s && !(s = choose(t, name))) s = identify(t);
    if (s) gn_toolchain_close(t);
    else *out = t;
    return s;
}

void gn_toolchain_close(gn_toolchain *t)
{
    if (!t) return;
    if (t->cc) gn_release(t->allocator, t->cc, strlen(t->cc) + 1);
    gn_release(t->allocator, t->identity, t->identity_size);
    gn_release(t->allocator, t, sizeof *t);
}

const char *gn_toolchain_name(const gn_toolchain *t)
{
    return tool_names[t->tool];
}

const char *gn_toolchain_identity(const gn_toolchain *t)
{
    return t->identity;
}

static gn_status compile(gn_toolchain *t, const char *name, size_t n, const char *const *sources, const char *const *args, bool assembly, gn_bytes *out)
{
    if (t->tool == GN_TOOL_CLANG) return gn_clang_compile(t, name, n, sources, args, assembly ? GN_PLUGIN_ASSEMBLY : GN_PLUGIN_OBJECT, out);
    if (t->tool == GN_TOOL_CC && n == 1) return gn_cc_compile(t, name, sources[0], args, assembly, out);
    return gn_error(GN_ECOMPILER, "toolchain \"%s\" compiles %s", gn_toolchain_name(t), n == 1 ? "nothing" : "one piece at a time");
}

bool gn_toolchain_takes_pieces(const gn_toolchain *t)
{
    return t->tool == GN_TOOL_CLANG;
}

gn_status gn_toolchain_compile_pieces(gn_toolchain *t, const char *name, size_t n, const char *const *sources, const char *const *args, void **object,
                                      size_t *size)
{
    gn_bytes out = { .allocator = t->allocator };
    gn_status s = compile(t, name, n, sources, args, false, &out);
    *object = NULL, *size = 0;
    if (!s && !(*object = gn_bytes_take(&out, size))) s = gn_error(GN_ENOMEM, "out of memory for the object of %s", name);
    gn_bytes_free(&out);
    return s;
}

gn_status gn_toolchain_compile(gn_toolchain *t, const char *name, const char *source, const char *const *args, void **object, size_t *size)
{
    return gn_toolchain_compile_pieces(t, name, 1, &source, args, object, size);
}

gn_status gn_toolchain_assembly(gn_toolchain *t, const char *name, const char *source, const char *const *args, char **text, size_t *size)
{
    gn_bytes out = { .allocator = t->allocator };
    gn_status s = compile(t, name, 1, &source, args, true, &out);
    *text = NULL, *size = 0;
    gn_bytes_add(&out, "", 1);
    if (!s && !(*text = gn_bytes_take(&out, size))) s = gn_error(GN_ENOMEM, "out of memory for the assembly of %s", name);
    gn_bytes_free(&out);
    return s;
}
