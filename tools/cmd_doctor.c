/* `gnomon doctor`: what this machine has, what is missing, and how to get it. */
#include <dlfcn.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "context_state.h"
#include "number.h"
#include "nvrtc.h"
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

static void report_toolchain(report *r, const char *name, const char *packages)
{
    gn_toolchain *t;
    char text[512];
    if (gn_toolchain_open(&t, &gn_allocator_libc, name, NULL)) {
        snprintf(text, sizeof text, "no: %s", gn_message());
        want(r, packages);
    } else {
        const char *identity = gn_toolchain_identity(t), *version = strrchr(identity, ';'); /* paths and sizes come before it */
        snprintf(text, sizeof text, "yes: %.200s", version ? version + 1 : identity);
        r->compiles = true;
        gn_toolchain_close(t);
    }
    for (char *p = text; *p; p++)
        if (*p == '\n') *p = ' ';
    say(name, text);
}

/* The first line a command prints. */
static void report_command(const char *command)
{
    const char *argv[] = {command, "--version", NULL};
    gn_bytes words = {.allocator = &gn_allocator_libc};
    int status = 0;
    char line[200] = "not found";
    if (!gn_spawn(argv, &words, &status) && status == 0)
        snprintf(line, sizeof line, "%.*s", (int)strcspn(gn_bytes_text(&words), "\n"), gn_bytes_text(&words));
    gn_bytes_free(&words);
    say(command, line);
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
    report_library("cuBLASLt",
                   (const char *const[]){"libcublasLt.so.13", "libcublasLt.so.12", "/usr/local/cuda/lib64/libcublasLt.so", NULL});
    report_library("cuDNN", (const char *const[]){"libcudnn.so.9", NULL});
    if (!driver && nvrtc) printf("  CUDA source can be compiled here, but there is no driver to run it.\n");
    if (!nvrtc)
        printf("  CUDA source can be generated but not compiled: NVRTC comes with NVIDIA's CUDA toolkit or the PyPI package "
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
               gn_number_fixed((char[GN_NUMBER_SIZE]){ 0 }, (double)totals[1] / (1 << 20), 1), context->cache_bytes >> 20, totals[2]);
    }
    gn_cache_close(cache);
}

static int help(FILE *f)
{
    fputs("usage: gnomon doctor\n\n"
          "Prints which instruction sets, compilers and CUDA libraries this machine has, the state of the cache, what is missing "
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
    printf("toolchains\n");
    report_toolchain(&r, "clang", "libclang-cpp19-dev libclang-19-dev llvm-19-dev liblld-19-dev g++");
    report_toolchain(&r, "cc", "gcc libc6-dev");
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
