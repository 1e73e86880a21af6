/* `gnomon doctor`: what this machine has, what is missing, and how to get it. */
#include <dlfcn.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "context_state.h"
#include "number.h"
#include "nvrtc.h"
#include "plugin.h"
#include "toolchain_state.h"

typedef struct report {
    char packages[512]; /* what apt-get would bring */
    bool compiles;
} report;

static void say(const char *what, const char *state)
{
    printf("  %-16s %s\n", what, state);
}

static void want(report *r, const char *packages)
{
    const size_t n = strlen(r->packages);
    snprintf(r->packages + n, sizeof r->packages - n, " %s", packages);
}

static void report_cpu(void)
{
    printf("CPU\n");
    for (size_t i = 0; gn_targets[i]; i++) {
        const gn_target *t = gn_targets[i];
        if (t->lang == GN_LANG_C)
            say(t->name, !gn_target_runs_here(t) ? "not on this CPU" : t == gn_target_host() ? "yes; chosen" : "yes");
    }
    printf("  %-16s %ld\n", "CPUs online", sysconf(_SC_NPROCESSORS_ONLN));
}

/* What comes after paths and sizes. */
static const char *version_of(const gn_toolchain *t)
{
    const char *identity = gn_toolchain_identity(t), *version = strrchr(identity, ';');
    return version ? version + 1 : identity;
}

static void say_place(void *user, const char *path, bool is_there)
{
    (void)user;
    printf("    %s %s\n", is_there ? "found    " : "not there", path);
}

static bool report_clang_plugin(char *text, size_t capacity)
{
    char path[PATH_MAX];
    const gn_opened_plugin *plugin = NULL;
    if (!gn_plugin_find(path, sizeof path)) snprintf(text, capacity, "no: the plug-in was not found");
    else if (gn_plugin_open(&plugin)) snprintf(text, capacity, "no: %.400s", gn_message());
    else snprintf(text, capacity, "yes: Clang %s in this process", plugin->functions->version());
    return plugin;
}

static bool report_cc(char *text, size_t capacity)
{
    gn_toolchain *t;
    if (gn_toolchain_open(&t, &gn_allocator_libc, "cc", NULL)) {
        snprintf(text, capacity, "no: %.400s", gn_message());
        return false;
    }
    snprintf(text, capacity, "yes: %.200s (%s)", version_of(t), t->cc_path);
    gn_toolchain_close(t);
    return true;
}

static void report_toolchain(report *r, const char *name, bool (*find)(char *, size_t), const char *packages)
{
    char text[512];
    if (find(text, sizeof text)) r->compiles = true;
    else want(r, packages);
    for (char *p = text; *p; p++)
        if (*p == '\n') *p = ' ';
    say(name, text);
}

/* Which one gn_compile takes here, and why. */
static void report_choice(const gn_context *c, bool has_clang)
{
    gn_toolchain *t;
    if (c->toolchain_name) printf("  %-16s %s: the environment says so (GNOMON_TOOLCHAIN)\n", "chosen", c->toolchain_name);
    else if (gn_toolchain_open(&t, &gn_allocator_libc, NULL, NULL)) say("chosen", gn_message());
    else {
        const char *name = gn_toolchain_name(t);
        const bool falls_back = t->tool == GN_TOOL_CLANG && !has_clang;
        printf("  %-16s %s: %s\n", "chosen", falls_back ? "cc, else interpreter" : name,
               falls_back                 ? "the plug-in is there but cannot be opened"
               : t->tool == GN_TOOL_CLANG ? "the plug-in is there"
               : t->tool == GN_TOOL_CC    ? "there is no plug-in, and a C compiler"
                                          : "there is neither a plug-in nor a C compiler");
        gn_toolchain_close(t);
    }
}

static void report_toolchains(report *r, const gn_context *c)
{
    const char *given = secure_getenv("GNOMON_PLUGIN_DIR");
    printf("toolchains\n");
    report_toolchain(r, "clang", report_clang_plugin, "libclang-cpp19-dev libclang-19-dev llvm-19-dev liblld-19-dev g++");
    const bool has_clang = r->compiles;
    gn_plugin_places(say_place, NULL);
    if (given && *given) printf("    (GNOMON_PLUGIN_DIR is set: it is looked for nowhere else)\n");
    report_toolchain(r, "cc", report_cc, "gcc libc6-dev");
    report_choice(c, has_clang);
}

/* What a command says about itself. */
static void report_command(const char *command)
{
    gn_toolchain *t;
    if (gn_toolchain_open(&t, &gn_allocator_libc, "cc", command)) {
        say(command, "not found");
        return;
    }
    say(command, version_of(t));
    gn_toolchain_close(t);
}

/* A plain "clang" is often an old one beside newer ones that have their version in their names. */
static void report_clang(void)
{
    enum { NEWEST = 40, OLDEST = 10 };
    char command[16], path[PATH_MAX];
    for (int version = NEWEST; version >= OLDEST; version--) {
        snprintf(command, sizeof command, "clang-%d", version);
        if (gn_find_program(command, path, sizeof path)) {
            report_command(command);
            return;
        }
    }
    report_command("clang");
}

static bool report_library(const char *what, const char *const *names)
{
    for (; *names; names++) {
        void *library = dlopen(*names, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
        if (!library) continue;
        dlclose(library);
        say(what, *names);
        return true;
    }
    say(what, "not found");
    return false;
}

static void report_cuda(void)
{
    printf("CUDA (optional)\n");
    const bool driver = report_library("driver", (const char *const[]){"libcuda.so.1", NULL});
    gn_nvrtc *nvrtc = NULL;
    say("NVRTC", gn_nvrtc_open(&nvrtc, &gn_allocator_libc) ? "not found" : gn_nvrtc_identity(nvrtc));
    report_library("cuBLASLt", (const char *const[]){ "libcublasLt.so.13", "libcublasLt.so.12",
                                                      "/usr/local/cuda/lib64/libcublasLt.so", NULL });
    report_library("cuDNN", (const char *const[]){"libcudnn.so.9", NULL});
    if (!driver && nvrtc) printf("  CUDA source can be compiled here, but there is no driver to run it.\n");
    if (!nvrtc)
        printf("  CUDA source can be generated but not compiled: NVRTC comes with NVIDIA's CUDA toolkit or the PyPI "
               "package "
               "nvidia-cuda-nvrtc.\n");
    gn_nvrtc_close(nvrtc);
}

static void count(void *user, const gn_cache_entry *e)
{
    int64_t *totals = user;
    totals[0]++;
    totals[1] += e->bytes;
    totals[2] += !e->good;
}

static void report_cache(const gn_context *context)
{
    gn_cache *cache;
    int64_t totals[3] = {0};
    printf("cache\n");
    if (gn_cache_open(&cache, &gn_allocator_libc, context->cache_dir, context->cache_bytes)) {
        say("state", gn_message());
        return;
    }
    if (!gn_cache_dir(cache)) {
        say("state", "off");
    } else {
        gn_cache_walk(cache, true, count, totals);
        say("directory", gn_cache_dir(cache));
        printf("  %-16s %" PRId64 " (%s MiB of at most %" PRId64 "), %" PRId64 " bad\n", "entries", totals[0],
               gn_number_fixed((char[GN_NUMBER_SIZE]){ 0 }, (double)totals[1] / (1 << 20), 1), context->cache_bytes >> 20,
               totals[2]);
    }
    gn_cache_close(cache);
}

static int help(FILE *f)
{
    fputs("usage: gnomon doctor\n\n"
          "Prints which instruction sets, compilers and CUDA libraries this machine has, the state of the cache, what "
          "is missing "
          "and the\n"
          "command that brings it. Exit status 1 if nothing here can compile generated code.\n",
          f);
    return f == stdout ? 0 : EXIT_USAGE;
}

int cmd_doctor(int argc, char **argv)
{
    if (argc > 1) return help(strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ? stdout : stderr);
    report r = {{0}};
    gn_context *context;
    if (gn_context_new(&context, NULL)) return complain(gn_message());
    printf("gnomon %s\n", gn_version());
    report_cpu();
    report_toolchains(&r, context);
    printf("compilers\n");
    report_command("gcc");
    report_clang();
    report_cuda();
    report_cache(context);
    if (*r.packages) printf("missing; on Debian 12:  apt-get install%s\n", r.packages);
    if (strstr(r.packages, "llvm"))
        printf("(Gnomon must be built again after LLVM is there; without it, compiling goes through cc)\n");
    if (!r.compiles) printf("no compiler was found: graphs run on the interpreter, slowly\n");
    gn_context_free(context);
    return !r.compiles;
}
