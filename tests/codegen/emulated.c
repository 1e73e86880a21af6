/* Scheduled CUDA kernels as a library for the CPU. */
#include "emulated.h"
#include "code_launch.h"
#include <stdio.h>
#include <string.h>
#include "cuda_fibers.h"
#include "nvrtc.h"
#include "testlib.h"
#include "unit_cc.h"

static void add_file(gn_text *out, const char *path)
{
    FILE *f = fopen(path, "r");
    char chunk[4096];
    if (!f) fail_msg("cannot open %s", path);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;) gn_text_add_n(out, chunk, n);
    fclose(f);
}

static const char *memory_type(gn_dtype t)
{
    return t == GN_BOOL ? "uint8_t" : gn_dtypes[t].c_name;
}

/* void emulated_softmax_0(void) { softmax_0((float *)emulated_arg[0], ..., emulated_sym[0]); } */
static void add_launcher(gn_text *out, const gn_code *c, uint32_t step)
{
    const char *comma = "";
    gn_textf(out, "void emulated_%s_%u(void) { %s_%u(", c->name, step, c->name, step);
    for (size_t i = 0; i < c->nargs; i++, comma = ", ") {
        const gn_host_value *const m = c->places.at[i]->made;
        if (m) gn_textf(out, "%s*(gn_%s *)emulated_arg[%zu]", comma, m->maker->name, i);
        else gn_textf(out, "%s(%s *)emulated_arg[%zu]", comma, memory_type(c->places.at[i]->dtype), i);
    }
    for (size_t i = 0; i < c->syms.n; i++, comma = ", ") gn_textf(out, "%semulated_sym[%zu]", comma, i);
    gn_text_add(out, "); }\n");
}

typedef struct job {
    gn_arena *arena;
    size_t n;
    gn_code *const *codes;
    const char *text;
} job;

static void emit_all(void *arg)
{
    job *j = arg;
    gn_text body = {.arena = j->arena}, unit = {.arena = j->arena};
    gn_words words = {.arena = j->arena};
    for (size_t i = 0; i < j->n; i++) gn_emit_kernel(&body, &words, j->codes[i]);
    gn_target_unit(&unit, &gn_target_cuda, &words, gn_text_done(&body));
    j->text = gn_text_done(&unit);
}

const char *emulated_code_cuda(gn_arena *arena, size_t n, gn_code *const *codes)
{
    job j = {arena, n, codes, NULL};
    if (gn_protect(emit_all, &j)) fail_msg("%s", gn_message());
    return j.text;
}

const char *emulated_code_text(gn_arena *arena, size_t n, gn_code *const *codes)
{
    gn_text t = {.arena = arena};
    add_file(&t, TEST_DIR "/codegen/cuda_emulation.h");
    gn_text_add(&t, emulated_code_cuda(arena, n, codes));
    gn_text_add(&t, "\nextern \"C\" {\nvoid **emulated_arg;\nconst int64_t *emulated_sym;\n");
    for (size_t i = 0; i < n; i++)
        for (uint32_t step = 0; step < codes[i]->steps.n; step++) add_launcher(&t, codes[i], step);
    gn_text_add(&t, "}\n");
    return gn_text_done(&t);
}

static gn_code **codes_of(gn_arena *arena, size_t n, gn_scheduled *const *kernels)
{
    gn_code **const codes = GN_NEW_ARRAY(arena, gn_code *, n);
    for (size_t i = 0; i < n; i++) codes[i] = kernels[i]->code;
    return codes;
}

const char *emulated_cuda(gn_arena *arena, size_t n, gn_scheduled *const *kernels)
{
    return emulated_code_cuda(arena, n, codes_of(arena, n, kernels));
}

const char *emulated_text(gn_arena *arena, size_t n, gn_scheduled *const *kernels)
{
    return emulated_code_text(arena, n, codes_of(arena, n, kernels));
}

typedef struct symbols {
    const gn_code *code;
    const int64_t *value;
} symbols;

static bool value_of(void *user, const char *name, int64_t *out)
{
    const symbols *s = user;
    for (size_t i = 0; i < s->code->syms.n; i++)
        if (strcmp(s->code->syms.at[i].name, name) == 0) {
            *out = s->value[i];
            return true;
        }
    return false;
}

static int64_t size_of(const gn_code *c, const gn_dim *d, const int64_t *sym)
{
    symbols user = {c, sym};
    int64_t n = 0;
    assert_true(gn_dim_eval(d, value_of, NULL, &user, &n));
    return n;
}

int64_t emulated_size(const gn_scheduled *s, const gn_dim *d, const int64_t *sym)
{
    return size_of(s->code, d, sym);
}

enum { MAX_ARGS = 256 };

void emulated_run_code(void *library, const gn_code *c, void *const *buffers, const int64_t *sym, bool descending)
{
    gn_arena arena = {0};
    void *args[MAX_ARGS];
    assert_true(c->nargs <= MAX_ARGS);
    for (size_t i = 0; i < c->nargs; i++) {
        const gn_place *p = c->places.at[i];
        args[i] = p->space == GN_SPACE_BUFFER ? *buffers++ : NULL;
        if (args[i]) continue;
        assert_true(p->space == GN_SPACE_ARENA || p->made); /* scratch of a worker has no meaning for a block */
        args[i] = gn_arena_alloc(&arena, (size_t)size_of(c, gn_code_bytes(c, p), sym) + 64, 64);
    }
    *(void ***)unit_symbol(library, "emulated_arg") = args;
    *(const int64_t **)unit_symbol(library, "emulated_sym") = sym;
    for (uint32_t step = 0; step < c->steps.n; step++) {
        void *symbol = unit_symbol(library, gn_arena_printf(&arena, "emulated_%s_%u", c->name, step));
        void (*body)(void);
        memcpy(&body, &symbol, sizeof body);
        const gn_launch launch = gn_code_launch(c, step, sym);
        const char *trouble = cuda_fibers_run(library, body, &launch, descending);
        if (trouble) fail_msg("%s, step %u: %s", c->name, step, trouble);
    }
    gn_arena_free(&arena);
}

void emulated_run(void *library, const gn_scheduled *s, void *const *buffers, const int64_t *sym, bool descending)
{
    emulated_run_code(library, s->code, buffers, sym, descending);
}

static void check_usage(const gn_scheduled *s, const char *arch, const char *log)
{
    for (uint32_t step = 0; step < s->code->steps.n; step++) {
        char symbol[128];
        gn_nvrtc_usage u;
        snprintf(symbol, sizeof symbol, "%s_%u", s->kernel->name, step);
        if (!gn_nvrtc_usage_of(log, symbol, &u)) fail_msg("%s: the log says nothing of %s: %s", arch, symbol, log);
        printf("    %s %-20s %3d registers %6d bytes shared\n", arch, symbol, u.registers, u.shared_bytes);
        if (u.spill_bytes) fail_msg("%s: %s spills %d bytes", arch, symbol, u.spill_bytes);
    }
}

void emulated_check_nvrtc(const struct gn_nvrtc *nvrtc, const char *text, size_t n, gn_scheduled *const *kernels)
{
    static const char *const archs[] = {"sm_80", "sm_90"};
    for (size_t a = 0; a < 2; a++) {
        gn_nvrtc_output out;
        if (gn_nvrtc_compile(nvrtc, kernels[0]->kernel->name, text, archs[a], &out)) fail_msg("%s", gn_message());
        assert_memory_equal(out.code, "\177ELF", 4);
        for (size_t i = 0; i < n; i++) check_usage(kernels[i], archs[a], out.log);
        gn_nvrtc_output_free(&out);
    }
}
