/* Toolchains: choosing one, what identifies it in cache keys, and the way to its compile function. */
#include "toolchain_state.h"
#include "plugin.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const tool_names[] = { "clang", "cc", "interpreter" };

/* Where programs are looked for: not where a caller of a set-user-id program says. */
static const char *search_path(void)
{
    const char *dirs = secure_getenv("PATH");
    return dirs && *dirs ? dirs : "/usr/local/bin:/usr/bin:/bin";
}

static bool is_program(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* A relative path of the user's own words: what it is now. */
static bool make_absolute(const char *name, size_t n, char *path, size_t capacity)
{
    char here[PATH_MAX] = "";
    if (*name != '/' && !getcwd(here, sizeof here)) return false;
    const int m = snprintf(path, capacity, *name == '/' ? "%s%.*s" : "%s/%.*s", here, (int)n, name);
    return m > 0 && (size_t)m < capacity && is_program(path);
}

bool gn_find_program(const char *command, char *path, size_t capacity)
{
    const size_t n = strcspn(command, " ");
    if (strchr(command, '/') && make_absolute(command, strlen(command), path, capacity)) return true;
    if (memchr(command, '/', n)) return make_absolute(command, n, path, capacity);
    for (const char *dir = search_path(); *dir;) {
        const size_t ndir = strcspn(dir, ":");
        const int m = *dir == '/' ? snprintf(path, capacity, "%.*s/%.*s", (int)ndir, dir, (int)n, command) : 0;
        if (m > 0 && (size_t)m < capacity && is_program(path)) return true;
        dir += ndir + (dir[ndir] == ':');
    }
    return false;
}

/* "cc --version" costs a process, so it is asked once per toolchain, together with the file's size and time. */
static gn_status identify_cc(gn_toolchain *t, gn_bytes *out)
{
    char path[PATH_MAX];
    struct stat st;
    gn_bytes version = { .allocator = t->allocator };
    if (!gn_find_program(t->cc, path, sizeof path) || stat(path, &st))
        return gn_error(GN_ECOMPILER, "the C compiler '%s' was not found; set $CC, or use toolchain \"interpreter\"",
                        t->cc);
    if (!(t->cc_path = gn_alloc_string(t->allocator, path))) return GN_ENOMEM;
    gn_bytes_printf(out, "cc %s;%s:%lld:%lld.%09ld;%s;", t->cc, path, (long long)st.st_size,
                    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, t->env);
    const gn_status s = gn_cc_version(t, &version);
    t->cc_is_clang = strstr(gn_bytes_text(&version), "clang") != NULL;
    gn_bytes_add(out, gn_bytes_text(&version), version.n);
    gn_bytes_free(&version);
    return s;
}

static gn_status identify(gn_toolchain *t)
{
    gn_bytes out = { .allocator = t->allocator };
    char path[PATH_MAX];
    gn_status s = GN_OK;
    if (t->tool == GN_TOOL_CLANG) {
        if (!gn_plugin_find(path, sizeof path))
            s = gn_error(GN_ECOMPILER,
                         "toolchain \"clang\": the plug-in was not found beside the library nor in $GNOMON_PLUGIN_DIR");
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
    t->chosen = !name;
    if (!name) {
        t->tool = gn_plugin_find(path, sizeof path)           ? GN_TOOL_CLANG
                  : gn_find_program(t->cc, path, sizeof path) ? GN_TOOL_CC
                                                              : GN_TOOL_INTERPRETER;
        return GN_OK;
    }
    for (size_t i = 0; i < sizeof tool_names / sizeof *tool_names; i++) {
        if (strcmp(name, tool_names[i])) continue;
        t->tool = (gn_tool)i;
        return GN_OK;
    }
    return gn_error(GN_EINVAL, "unknown toolchain '%s': expected clang, cc or interpreter", name);
}

static gn_status copy_environment(gn_toolchain *t, const char *const *env)
{
    gn_bytes lines = { .allocator = t->allocator };
    for (; env && *env; env++) gn_bytes_printf(&lines, "%s\n", *env);
    gn_bytes_add(&lines, "", 1);
    t->env = gn_bytes_take(&lines, &t->env_size);
    gn_bytes_free(&lines);
    return t->env ? GN_OK : GN_ENOMEM;
}

gn_status gn_toolchain_open_with(gn_toolchain **out, const gn_allocator *allocator, const gn_toolchain_options *o)
{
    const char *env = secure_getenv("CC");
    *out = NULL;
    gn_toolchain *t = gn_alloc_zeroed(allocator, sizeof *t);
    if (!t) return GN_ENOMEM;
    t->allocator = allocator;
    t->seconds = o->seconds > 0 ? o->seconds : 60;
    t->cc = gn_alloc_string(allocator, o->cc ? o->cc : env && *env ? env : "cc");
    gn_status s = t->cc ? copy_environment(t, o->env) : GN_ENOMEM;
    if (!s && !(s = choose(t, o->name))) s = identify(t);
    if (s) gn_toolchain_close(t);
    else *out = t;
    return s;
}

gn_status gn_toolchain_open(gn_toolchain **out, const gn_allocator *allocator, const char *name, const char *cc)
{
    return gn_toolchain_open_with(out, allocator, &(gn_toolchain_options){ .name = name, .cc = cc });
}

void gn_toolchain_close(gn_toolchain *t)
{
    if (!t) return;
    if (t->cc) gn_release(t->allocator, t->cc, strlen(t->cc) + 1);
    if (t->cc_path) gn_release(t->allocator, t->cc_path, strlen(t->cc_path) + 1);
    gn_release(t->allocator, t->env, t->env_size);
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

static gn_status compile(gn_toolchain *t, const char *name, size_t n, const char *const *sources, const char *const *args,
                         bool assembly, gn_bytes *out, gn_trouble *trouble)
{
    *trouble = GN_TROUBLE_NONE;
    if (t->tool == GN_TOOL_CLANG)
        return gn_clang_compile(t, name, n, sources, args, assembly ? GN_PLUGIN_ASSEMBLY : GN_PLUGIN_OBJECT, out, trouble);
    if (t->tool == GN_TOOL_CC && n == 1) return gn_cc_compile(t, name, sources[0], args, assembly, out, trouble);
    return gn_error(GN_ECOMPILER, "toolchain \"%s\" compiles %s", gn_toolchain_name(t),
                    n == 1 ? "nothing" : "one piece at a time");
}

bool gn_toolchain_takes_pieces(const gn_toolchain *t)
{
    return t->tool == GN_TOOL_CLANG;
}

gn_status gn_toolchain_compile_pieces(gn_toolchain *t, const char *name, size_t n, const char *const *sources,
                                      const char *const *args, void **object, size_t *size, gn_trouble *trouble)
{
    gn_bytes out = { .allocator = t->allocator };
    gn_status s = compile(t, name, n, sources, args, false, &out, trouble);
    *object = NULL, *size = 0;
    if (!s && !(*object = gn_bytes_take(&out, size))) s = gn_error(GN_ENOMEM, "out of memory for the object of %s", name);
    gn_bytes_free(&out);
    return s;
}

gn_status gn_toolchain_compile(gn_toolchain *t, const char *name, const char *source, const char *const *args,
                               void **object, size_t *size)
{
    gn_trouble trouble;
    return gn_toolchain_compile_pieces(t, name, 1, &source, args, object, size, &trouble);
}

gn_status gn_toolchain_assembly(gn_toolchain *t, const char *name, const char *source, const char *const *args, char **text,
                                size_t *size)
{
    gn_bytes out = { .allocator = t->allocator };
    gn_trouble trouble;
    gn_status s = compile(t, name, 1, &source, args, true, &out, &trouble);
    *text = NULL, *size = 0;
    gn_bytes_add(&out, "", 1);
    if (!s && !(*text = gn_bytes_take(&out, size))) s = gn_error(GN_ENOMEM, "out of memory for the assembly of %s", name);
    gn_bytes_free(&out);
    return s;
}
