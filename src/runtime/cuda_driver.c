/* Launches by the CUDA driver: arguments as the emitter lists them, values that the host makes among them. */
#include "cuda_driver.h"
#include <dlfcn.h>
#include <inttypes.h>
#include <string.h>
#include "error.h"

gn_status gn_cuda_driver_open(gn_cuda_driver *d)
{
    *d = (gn_cuda_driver){ .library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };
    const struct {
        const char *name;
        void *at;
    } functions[] = {
        { "cuLaunchKernel", &d->launch },
        { "cuFuncSetAttribute", &d->set_attribute },
        { "cuTensorMapEncodeTiled", &d->encode_tiled },
        { "cuGetErrorName", &d->error_name },
    };
    if (!d->library) return gn_error(GN_EDEVICE, "CUDA: libcuda.so.1 was not found");
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *const symbol = dlsym(d->library, functions[i].name);
        if (!symbol) {
            gn_cuda_driver_close(d);
            return gn_error(GN_EDEVICE, "CUDA: the driver has no %s", functions[i].name);
        }
        memcpy(functions[i].at, &symbol, sizeof symbol);
    }
    return GN_OK;
}

void gn_cuda_driver_close(gn_cuda_driver *d)
{
    if (d->library) dlclose(d->library);
    *d = (gn_cuda_driver){ 0 };
}

typedef struct launching {
    const gn_cuda_driver *driver;
    void *function;
    const gn_code *code;
    size_t step;
    void *const *memory;
    const int64_t *sym;
    void *stream;
    gn_arena arena;
} launching;

static void check(const launching *l, int failed, const char *what)
{
    const char *name = "an error";
    if (!failed) return;
    l->driver->error_name(failed, &name);
    gn_throw(GN_EDEVICE, "CUDA: code %s, step %zu: %s: %s", l->code->name, l->step, what, name);
}

/* ---- tensor maps ---- */

/* CU_TENSOR_MAP_DATA_TYPE_..; -1: none */
static int map_dtype(gn_dtype t)
{
    switch (t) {
    case GN_BOOL:
    case GN_U8: return 0;
    case GN_U16: return 1;
    case GN_U32: return 2;
    case GN_I32: return 3;
    case GN_U64: return 4;
    case GN_I64: return 5;
    case GN_F32: return 7;
    case GN_F64: return 8;
    default: return -1;
    }
}

/* The driver counts dims from the fastest on, and strides in bytes from the second. */
static void *make_tensor_map(launching *l, const gn_place *p)
{
    enum { NO_INTERLEAVE = 0, NO_SWIZZLE = 0, NO_PROMOTION = 0, ZEROS = 0 };
    const gn_host_value *const m = p->made;
    uint64_t extent[GN_MADE_RANK], stride[GN_MADE_RANK];
    uint32_t box[GN_MADE_RANK], one[GN_MADE_RANK];
    uint64_t bytes = gn_dtype_size(m->of->dtype);
    void *const address = l->memory[m->of->id], *const map = gn_arena_alloc(&l->arena, m->maker->bytes, m->maker->align);
    for (int i = 0; i < m->rank; i++) {
        const int from = m->rank - 1 - i;
        extent[i] = (uint64_t)gn_code_size(l->code, l->step, m->extent[from], l->sym, "an extent");
        bytes *= extent[i];
        stride[i] = bytes, box[i] = m->box[from], one[i] = 1;
        if (extent[i] < 1 || extent[i] > UINT64_C(1) << 32 || stride[i] >= UINT64_C(1) << 40)
            gn_throw(GN_EINVAL, "CUDA: %s of '%s': an extent of %" PRIu64 ", 1 to 2^32 and rows below 2^40 bytes are possible",
                     m->maker->name, m->of->name, extent[i]);
    }
    if ((uintptr_t)address % GN_MADE_ALIGN)
        gn_throw(GN_EINVAL, "CUDA: %s of '%s': its address is no multiple of %d", m->maker->name, m->of->name,
                 GN_MADE_ALIGN);
    if (map_dtype(m->of->dtype) < 0)
        gn_throw(GN_EINVAL, "CUDA: %s of '%s', which is %s", m->maker->name, m->of->name, gn_dtype_name(m->of->dtype));
    check(l, l->driver->encode_tiled(map, map_dtype(m->of->dtype), m->rank, address, extent, stride, box, one, NO_INTERLEAVE,
                                     NO_SWIZZLE, NO_PROMOTION, ZEROS), m->maker->name);
    return map;
}

/* ---- a launch ---- */

/* Pointers to the values: addresses, values of the host, symbols. */
static void **make_params(launching *l)
{
    const gn_code *const c = l->code;
    void **const params = GN_NEW_ARRAY(&l->arena, void *, c->nargs + c->syms.n + 1);
    for (size_t i = 0; i < c->nargs; i++)
        params[i] = c->places.at[i]->made ? make_tensor_map(l, c->places.at[i]) : (void *)(uintptr_t)&l->memory[i];
    for (size_t i = 0; i < c->syms.n; i++) params[c->nargs + i] = (void *)(uintptr_t)&l->sym[i];
    return params;
}

/* The size of a cluster stands in the function itself. */
static void launch(void *arg)
{
    enum { MAX_DYNAMIC_SHARED = 8 }; /* CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES */
    launching *const l = arg;
    const gn_launch g = gn_code_launch(l->code, l->step, l->sym);
    if (!g.grid[0] || !g.grid[1] || !g.grid[2]) return;
    void **const params = make_params(l);
    if (g.shared > GN_STATIC_SHARED)
        check(l, l->driver->set_attribute(l->function, MAX_DYNAMIC_SHARED, (int)g.shared), "shared memory");
    check(l, l->driver->launch(l->function, (unsigned)g.grid[0], (unsigned)g.grid[1], (unsigned)g.grid[2], g.threads, 1, 1,
                               (unsigned)g.shared, l->stream, params, NULL), "the launch");
}

gn_status gn_cuda_launch(const gn_cuda_driver *d, void *function, const gn_code *c, size_t step, void *const *memory,
                         const int64_t *sym, void *stream)
{
    launching l = { d, function, c, step, memory, sym, stream, { .allocator = c->arena->allocator } };
    const gn_status status = gn_protect(launch, &l);
    gn_arena_free(&l.arena);
    return status;
}
