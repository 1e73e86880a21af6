/* Kernels of tests/codegen/kernels as CUDA: compiled by NVRTC where it is, and run on the CPU as fibers against the kernel
 * interpreter. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cuda_fibers.h"
#include "emulated.h"
#include "nvrtc.h"
#include "testlib.h"
#include "unit_cc.h"

/* A kernel with two settings of its symbols: below a block, and odd over several blocks. tolerance: of |a - b| / (1 +
 * |b|). */
static const struct example {
    const char *name;
    int64_t sym[2][3];
    double tolerance;
} examples[] = {
    {"chain", {{1000}, {2049}}, 1e-6},
    {"softmax_registers", {{1, 1024}, {3, 1024}}, 1e-6},
    {"softmax_any", {{2, 77}, {3, 1000}}, 1e-6},
    {"contract_simt", {{37, 45, 19}, {130, 150, 37}}, 3e-6},
    {"contract_mma", {{37, 45, 19}, {130, 150, 37}}, 5e-3}, /* tf32 keeps 11 bits of each factor */
    {"contract_ring", {{37, 45, 7}, {130, 150, 37}}, 3e-6},
    {"contract_mma_ring", {{37, 45, 19}, {130, 150, 37}}, 5e-3},
    {"contract_mma_wide", {{37, 44, 20}, {130, 152, 36}}, 5e-3},
};
enum { NEXAMPLES = sizeof examples / sizeof *examples };

static const char *read_file(gn_arena *a, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("cannot open %s", path);
    char *text = gn_arena_alloc(a, 1 << 16, 1);
    text[fread(text, 1, (1 << 16) - 1, f)] = '\0';
    fclose(f);
    return text;
}

typedef struct loaded {
    gn_arena arena;
    const char *name;
    gn_kernel *kernel;
    gn_scheduled *scheduled;
} loaded;

static void load(void *arg)
{
    loaded *l = arg;
    const char *text = read_file(&l->arena, gn_arena_printf(&l->arena, TEST_DIR "/codegen/kernels/%s.kernel", l->name));
    const gn_sx *items = gn_sx_read(&l->arena, l->name, text, strlen(text));
    l->kernel = gn_kernel_read(&l->arena, l->name, items->at[0]);
    gn_kernel_verify(l->kernel);
    l->scheduled = gn_schedule_apply(&l->arena, l->kernel,
                                     gn_schedule_read(&l->arena, l->kernel, l->name, items->at[1]), &gn_target_cuda);
}

static void load_example(loaded *l, const char *name)
{
    *l = (loaded){.name = name};
    if (gn_protect(load, l)) fail_msg("%s: %s", name, gn_message());
}

static void nvrtc_compiles_every_kernel_without_spills(void **state)
{
    (void)state;
    gn_nvrtc *nvrtc;
    if (gn_nvrtc_open(&nvrtc, &gn_allocator_libc)) {
        printf("skipped: %s\n", gn_message());
        skip();
    }
    for (size_t i = 0; i < NEXAMPLES; i++) {
        loaded l;
        load_example(&l, examples[i].name);
        emulated_check_nvrtc(nvrtc, emulated_cuda(&l.arena, 1, &l.scheduled), 1, &l.scheduled);
        gn_arena_free(&l.arena);
    }
    gn_nvrtc_close(nvrtc);
}

static void nvrtc_says_where_source_is_wrong(void **state)
{
    (void)state;
    gn_nvrtc *nvrtc;
    if (gn_nvrtc_open(&nvrtc, &gn_allocator_libc)) {
        printf("skipped: %s\n", gn_message());
        skip();
    }
    gn_nvrtc_output out;
    assert_int_equal(
        gn_nvrtc_compile(nvrtc, "bad.cu", "extern \"C\" __global__ void f(float *x)\n{\n    *x = y;\n}\n", "sm_80", &out),
        GN_ECOMPILER);
    assert_message_contains("NVRTC cannot compile bad.cu for sm_80");
    assert_message_contains("identifier \"y\" is undefined");
    gn_nvrtc_output_free(&out);
    assert_int_equal(gn_nvrtc_compile(nvrtc, "old.cu", "", "sm_20", &out), GN_ECOMPILER);
    assert_message_contains("sm_20");
    gn_nvrtc_output_free(&out);
    assert_int_equal(strncmp(gn_nvrtc_identity(nvrtc), "nvrtc 1", 7), 0);
    gn_nvrtc_close(nvrtc);
}

enum { MAX_BUFFERS = 8 };
typedef struct memory {
    size_t n;
    int64_t count[MAX_BUFFERS];
    float *at[MAX_BUFFERS];
} memory;

/* Buffers that are read get random numbers, others NaN. */
static memory make_memory(gn_arena *a, const gn_scheduled *scheduled, const int64_t *sym)
{
    const gn_kernel *k = scheduled->kernel;
    memory m = {.n = k->bufs.n};
    uint64_t seed = test_seed();
    for (size_t i = 0; i < m.n; i++) {
        m.count[i] = 1;
        for (uint8_t d = 0; d < k->bufs.at[i].rank; d++)
            m.count[i] *= emulated_size(scheduled, k->bufs.at[i].shape[d], sym);
        m.at[i] = gn_arena_alloc(a, (size_t)m.count[i] * sizeof(float), 64);
        for (int64_t j = 0; j < m.count[i]; j++)
            m.at[i][j] = k->bufs.at[i].access & GN_KBUF_READ ? (float)test_uniform(&seed, -1, 1) : NAN;
    }
    return m;
}

static void compare(const struct example *e, const gn_kernel *k, const memory *got, const memory *want)
{
    for (size_t i = 0; i < got->n; i++)
        for (int64_t j = 0; j < got->count[i]; j++) {
            const double a = got->at[i][j], b = want->at[i][j];
            if (!(fabs(a - b) <= e->tolerance * (1 + fabs(b))))
                fail_msg("%s: %s[%lld] is %.9g instead of %.9g", e->name, k->bufs.at[i].name, (long long)j, a, b);
        }
}

static void check_example(const struct example *e, const char *compiler)
{
    loaded l;
    load_example(&l, e->name);
    void *library = unit_load_text(compiler, ".cc", emulated_text(&l.arena, 1, &l.scheduled));
    for (size_t size = 0; size < 2; size++) {
        memory want = make_memory(&l.arena, l.scheduled, e->sym[size]);
        gn_kernel_interpret(l.kernel, (void **)want.at, e->sym[size], &l.arena);
        for (int descending = 0; descending < 2; descending++) {
            memory got = make_memory(&l.arena, l.scheduled, e->sym[size]);
            emulated_run(library, l.scheduled, (void **)got.at, e->sym[size], descending);
            compare(e, l.kernel, &got, &want);
        }
    }
    dlclose(library);
    gn_arena_free(&l.arena);
}

static void emulated_kernels_agree_with_the_interpreter(void **state)
{
    (void)state;
    const char *compiler = unit_cxx();
    if (!compiler) {
        printf("skipped: no C++ compiler for the emulation\n");
        skip();
    }
    for (size_t i = 0; i < NEXAMPLES; i++) check_example(&examples[i], compiler);
}

/* What the emulation is for: a kernel that forgets a barrier computes something else in one of the two orders, a kernel
 * whose threads part at a barrier is reported. */
static const char faulty[] = "static float *out;\n"
                             "extern \"C\" {\n"
                             "float result[256];\n"
                             "void no_barrier(void)\n"
                             "{\n"
                             "    __shared__ float a[256];\n"
                             "    a[threadIdx.x] = (float)threadIdx.x + 256 * (float)blockIdx.x;\n"
                             "    result[threadIdx.x] = a[255 - threadIdx.x];\n"
                             "}\n"
                             "void parted(void)\n"
                             "{\n"
                             "    if (threadIdx.x < 5)\n"
                             "        __syncthreads();\n"
                             "    (void)out;\n"
                             "}\n"
                             "}\n";

static void the_emulation_notices_missing_and_parted_barriers(void **state)
{
    (void)state;
    const char *compiler = unit_cxx();
    if (!compiler) skip();
    gn_arena arena = {0};
    gn_text t = {.arena = &arena};
    gn_textf(&t, "%s%s", read_file(&arena, TEST_DIR "/codegen/cuda_emulation.h"), faulty);
    void *library = unit_load_text(compiler, ".cc", gn_text_done(&t));
    const float *result = unit_symbol(library, "result");
    void (*f)(void);
    void *symbol = unit_symbol(library, "no_barrier");
    memcpy(&f, &symbol, sizeof f);
    int wrong = 0;
    for (int descending = 0; descending < 2; descending++) {
        assert_null(cuda_fibers_run(library, f, &(gn_launch){ { 2, 1, 1 }, { 1, 1, 1 }, 256, 0 }, descending));
        for (int i = 0; i < 256; i++) wrong += result[i] != (float)(511 - i);
    }
    assert_true(wrong > 0);
    symbol = unit_symbol(library, "parted");
    memcpy(&f, &symbol, sizeof f);
    assert_string_equal(cuda_fibers_run(library, f, &(gn_launch){ { 1, 1, 1 }, { 1, 1, 1 }, 32, 0 }, false), "a thread ended while others wait");
    dlclose(library);
    gn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nvrtc_compiles_every_kernel_without_spills),
        cmocka_unit_test(nvrtc_says_where_source_is_wrong),
        cmocka_unit_test(emulated_kernels_agree_with_the_interpreter),
        cmocka_unit_test(the_emulation_notices_missing_and_parted_barriers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
