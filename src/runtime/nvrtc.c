/* NVRTC: CUDA source to a cubin. The few declarations of its C interface that we use are here, so that no CUDA header
 * is needed. */
#include "nvrtc.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "error.h"

typedef struct nvrtc_program *program;

struct gn_nvrtc {
    const gn_allocator *allocator;
    void *library;
    char identity[32];
    int (*version)(int *major, int *minor);
    int (*create)(program *, const char *source, const char *name, int nheaders, const char *const *headers,
                  const char *const *names);
    int (*destroy)(program *);
    int (*compile)(program, int noptions, const char *const *options);
    int (*log_size)(program, size_t *);
    int (*log)(program, char *);
    int (*cubin_size)(program, size_t *);
    int (*cubin)(program, char *);
    int (*ptx_size)(program, size_t *);
    int (*ptx)(program, char *);
    const char *(*error_string)(int);
};

/* NVRTC keeps memory of its own that it does not give back when it is unloaded, so it stays until the process ends. */
enum { OPEN_FLAGS = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE };

static void *open_in(const char *folder, const char *name)
{
    char path[1024];
    const int n = snprintf(path, sizeof path, "%s/lib64/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path ? dlopen(path, OPEN_FLAGS) : NULL;
}

static void *open_library(void)
{
    static const char *const names[] = {"libnvrtc.so.13", "libnvrtc.so.12"};
    const char *const folders[] = {secure_getenv("CUDA_HOME"), secure_getenv("CUDA_PATH"), "/usr/local/cuda"};
    void *library = NULL;
    for (size_t i = 0; i < 2 && !library; i++) {
        library = dlopen(names[i], OPEN_FLAGS);
        for (size_t f = 0; f < 3 && !library; f++)
            if (folders[f]) library = open_in(folders[f], names[i]);
    }
    return library;
}

/* Functions by name into a struct of function pointers: dlsym's void * is copied, since ISO C has no cast for it. */
static bool find_functions(gn_nvrtc *n)
{
    const struct {
        const char *name;
        void *at;
    } functions[] = {
        {"nvrtcVersion", &n->version},
        {"nvrtcCreateProgram", &n->create},
        {"nvrtcDestroyProgram", &n->destroy},
        {"nvrtcCompileProgram", &n->compile},
        {"nvrtcGetProgramLogSize", &n->log_size},
        {"nvrtcGetProgramLog", &n->log},
        {"nvrtcGetCUBINSize", &n->cubin_size},
        {"nvrtcGetCUBIN", &n->cubin},
        {"nvrtcGetPTXSize", &n->ptx_size},
        {"nvrtcGetPTX", &n->ptx},
        {"nvrtcGetErrorString", &n->error_string},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *symbol = dlsym(n->library, functions[i].name);
        if (!symbol) return false;
        memcpy(functions[i].at, &symbol, sizeof symbol);
    }
    return true;
}

gn_status gn_nvrtc_open(gn_nvrtc **out, const gn_allocator *allocator)
{
    *out = NULL;
    void *library = open_library();
    if (!library)
        return gn_error(GN_EDEVICE, "NVRTC: libnvrtc.so.13 or .12 was not found by name, in $CUDA_HOME/lib64, "
                                    "$CUDA_PATH/lib64 or /usr/local/cuda/lib64");
    gn_nvrtc *n = gn_alloc_zeroed(allocator, sizeof *n);
    if (!n) {
        dlclose(library);
        return GN_ENOMEM;
    }
    n->allocator = allocator;
    n->library = library;
    int major = 0, minor = 0;
    if (!find_functions(n) || n->version(&major, &minor)) {
        gn_nvrtc_close(n);
        return gn_error(GN_EDEVICE, "NVRTC: the library that was found lacks functions of NVRTC 12");
    }
    snprintf(n->identity, sizeof n->identity, "nvrtc %d.%d", major, minor);
    *out = n;
    return GN_OK;
}

void gn_nvrtc_close(gn_nvrtc *n)
{
    if (!n) return;
    dlclose(n->library);
    gn_release(n->allocator, n, sizeof *n);
}

const char *gn_nvrtc_identity(const gn_nvrtc *n)
{
    return n->identity;
}

/* Bytes of unknown size in two calls, as all of NVRTC's are read. */
static gn_status take(const gn_nvrtc *n, program p, int (*size_of)(program, size_t *), int (*get)(program, char *),
                      char **out, size_t *size)
{
    *out = NULL;
    *size = 0;
    if (size_of(p, size) || *size == 0) return GN_OK;
    *out = gn_alloc(n->allocator, *size);
    if (!*out) return GN_ENOMEM;
    return get(p, *out) ? gn_error(GN_ECOMPILER, "NVRTC: the result cannot be read") : GN_OK;
}

static gn_status compile(const gn_nvrtc *n, program p, const char *name, const char *arch, gn_nvrtc_output *out)
{
    char arch_option[64];
    snprintf(arch_option, sizeof arch_option, "--gpu-architecture=%s", arch);
    const char *const options[] = {arch_option,   "--fmad=false", "--minimal",         "--no-cache",
                                   "--std=c++17", "--restrict",   "--ptxas-options=-v"};
    const int failed = n->compile(p, sizeof options / sizeof *options, options);
    gn_status s = take(n, p, n->log_size, n->log, &out->log, &out->log_size);
    if (failed)
        return gn_error(GN_ECOMPILER, "NVRTC cannot compile %s for %s: %s\n%s", name, arch, n->error_string(failed),
                        out->log ? out->log : "");
    const bool ptx = strncmp(arch, "compute_", 8) == 0;
    char *code = NULL;
    if (!s) s = take(n, p, ptx ? n->ptx_size : n->cubin_size, ptx ? n->ptx : n->cubin, &code, &out->size);
    out->code = code;
    return s;
}

gn_status gn_nvrtc_compile(const gn_nvrtc *n, const char *name, const char *source, const char *arch, gn_nvrtc_output *out)
{
    program p = NULL;
    *out = (gn_nvrtc_output){.allocator = n->allocator};
    const int failed = n->create(&p, source, name, 0, NULL, NULL);
    if (failed) return gn_error(GN_ECOMPILER, "NVRTC: no program for %s: %s", name, n->error_string(failed));
    const gn_status s = compile(n, p, name, arch, out);
    n->destroy(&p);
    return s;
}

void gn_nvrtc_output_free(gn_nvrtc_output *out)
{
    gn_release(out->allocator, out->code, out->size);
    gn_release(out->allocator, out->log, out->log_size);
    *out = (gn_nvrtc_output){0};
}

/* The number that stands before `words` in the text, up to `end`. */
static int number_before(const char *text, const char *end, const char *words)
{
    const char *p = strstr(text, words);
    if (!p || p >= end) return 0;
    while (p > text && p[-1] >= '0' && p[-1] <= '9') p--;
    return atoi(p);
}

bool gn_nvrtc_usage_of(const char *log, const char *kernel, gn_nvrtc_usage *out)
{
    char head[256];
    const int n = snprintf(head, sizeof head, "Compiling entry function '%s'", kernel);
    const char *text = n > 0 && (size_t)n < sizeof head ? strstr(log, head) : NULL;
    if (!text) return false;
    text += n;
    const char *next = strstr(text, "Compiling entry function"), *end = next ? next : text + strlen(text);
    *out = (gn_nvrtc_usage){
        .registers = number_before(text, end, " registers"),
        .spill_bytes = number_before(text, end, " bytes spill stores"),
        .stack_bytes = number_before(text, end, " bytes stack frame"),
        .shared_bytes = number_before(text, end, " bytes smem"),
    };
    return out->registers > 0;
}
