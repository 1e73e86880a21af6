/* The caller's floating-point mode (rounding, subnormals flushed, exceptions that trap) reaches nothing that Gnomon
 * computes: building, folding, initial values, calls with one thread or several, the interpreter. And it is the
 * caller's again afterwards. */
#include "api.h"
#include <fenv.h>
#include <math.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum { N = 1 << 16, MANY = 300000 };

typedef struct mode {
    const char *name;
    int rounding;
    unsigned sse;  /* more bits of MXCSR: 0x8040 flushes, clear 0x1f80 traps */
    unsigned traps;
    int x87;       /* control word of the x87; 0: as it is */
} mode;
static const mode modes[] = {
    { "default", FE_TONEAREST, 0, 0, 0 },       { "up", FE_UPWARD, 0, 0, 0 },
    { "down", FE_DOWNWARD, 0, 0, 0 },           { "to zero", FE_TOWARDZERO, 0, 0, 0 },
    { "flushing", FE_TONEAREST, 0x8040, 0, 0 }, { "trapping", FE_TONEAREST, 0, FE_ALL_EXCEPT & ~FE_INEXACT, 0 },
    { "all of it", FE_UPWARD, 0x8040, FE_ALL_EXCEPT, 0x027f },
};

static unsigned sse_now(void)
{
#if defined(__x86_64__)
    return _mm_getcsr() & ~0x3fu;
#else
    return 0;
#endif
}

static void enter(const mode *m)
{
    feclearexcept(FE_ALL_EXCEPT);
    assert_int_equal(fesetround(m->rounding), 0);
#if defined(__x86_64__)
    if (m->x87) {
        const unsigned short word = (unsigned short)m->x87;
        __asm__ volatile("fldcw %0" : : "m"(word));
    }
    _mm_setcsr(_mm_getcsr() | m->sse);
#endif
    if (m->traps) feenableexcept((int)m->traps);
}

static void leave(void)
{
    fedisableexcept(FE_ALL_EXCEPT);
    assert_int_equal(fesetenv(FE_DFL_ENV), 0);
}

typedef struct result {
    char *source;
    float out[N], many[MANY], w[12];
    double folded[2];
} result;

static float in[N], long_in[MANY];

static void make_inputs(void)
{
    for (int i = 0; i < N; i++) in[i] = (float)(i % 977) * 0.1f + 1e-3f;
    for (int i = 0; i < MANY; i++) long_in[i] = ldexpf((float)(i % 97), i % 200 - 160); /* subnormals among them */
}

static void compute_in(gn_context *c, const mode *m, result *r)
{
    gn_func *f = NULL, *h = NULL;
    enter(m);
    gn_graph *g = gn_graph_new(c);
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *w = gn_param(g, "w", GN_F32, GN_GLOROT, "4, 3");
    gn_expr *y = gn_mul(gn_add(gn_gelu(x), 0.1), gn_exp(gn_neg(gn_mul(x, 0.7))));
    gn_expr *third = gn_div(1.0, gn_number(g, GN_F64, 3.0)), *small = gn_mul(gn_number(g, GN_F64, 4e-320), third);
    const gn_status s1 = gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(y, 1e-38), third, small));
    const gn_status s2 = gn_compile(&h, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(gn_sigmoid(x), gn_mul(x, 1.1))));
    gn_array ta = gn_array_of(&r->folded[0], GN_F64, 0, NULL), tb = gn_array_of(&r->folded[1], GN_F64, 0, NULL);
    const gn_status s3 = s1 ? s1 : gn_call(f, GN_ARRAYS(GN_VIEW(in, N)), GN_ARRAYS(GN_VIEW(r->out, N), ta, tb));
    gn_binding *b = NULL;
    gn_status s4 = s2 ? s2 : gn_bind(&b, h, GN_ARRAYS(GN_VIEW(long_in, MANY)), GN_ARRAYS(GN_VIEW(r->many, MANY)));
    if (!s4) s4 = gn_run(b);
    const gn_status s5 = gn_get(w, gn_array_of(r->w, GN_F32, 2, (int64_t[]){ 4, 3 }));
    const int rounding = fegetround();
    const unsigned sse = sse_now();
    leave();
    enter(m);
    const int old_rounding = fegetround();
    const unsigned old_sse = sse_now();
    leave();
    must(s3), must(s4), must(s5);
    if (rounding != old_rounding || sse != old_sse)
        fail_msg("%s: the caller's mode was %d %#x and is %d %#x", m->name, old_rounding, old_sse, rounding, sse);
    r->source = strdup(gn_func_source(f));
    assert_non_null(r->source);
    gn_binding_free(b);
    gn_func_free(f), gn_func_free(h);
    gn_graph_free(g);
}

static void compare(const mode *m, const result *a, const result *b)
{
    if (strcmp(a->source, b->source)) fail_msg("%s: another source", m->name);
    if (memcmp(a->folded, b->folded, sizeof a->folded))
        fail_msg("%s: constants are folded to %a %a, not %a %a", m->name, b->folded[0], b->folded[1], a->folded[0],
                 a->folded[1]);
    if (memcmp(a->out, b->out, sizeof a->out)) fail_msg("%s: a call has other bits", m->name);
    if (memcmp(a->many, b->many, sizeof a->many)) fail_msg("%s: a run has other bits", m->name);
    if (memcmp(a->w, b->w, sizeof a->w)) fail_msg("%s: initial values have other bits", m->name);
}

static void bits_are_the_same_in_every_mode(void **state)
{
    (void)state;
    static result first, other;
    make_inputs();
    for (int threads = 1; threads <= 4; threads += 3) {
        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
            gn_context_options o = api_options;
            gn_context *c = NULL;
            o.threads = threads, o.cache_dir = ""; /* each compiles its own */
            if (threads > 1 && i < 4 && i > 0) continue; /* the compiles cost, the workers see nothing new */
            must(gn_context_new(&c, &o));
            compute_in(c, &modes[i], i || threads > 1 ? &other : &first);
            if (i || threads > 1) compare(&modes[i], &first, &other), free(other.source);
            gn_context_free(c);
        }
    }
    assert_true(first.folded[0] == 1.0 / 3.0 && first.folded[1] > 0);
    free(first.source);
}

/* Workers begin in the mode of whoever started them: it must not matter who that was, nor that the mode changed since. */
static void workers_have_no_memory_of_the_caller(void **state)
{
    static result r[3];
    gn_func *h = NULL;
    gn_context *c = NULL;
    gn_context_options o = api_options;
    (void)state;
    make_inputs();
    o.threads = 3;
    must(gn_context_new(&c, &o));
    gn_graph *g = gn_graph_new(c);
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(&h, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(gn_sigmoid(x), gn_mul(x, 1.1)))));
    for (int i = 0; i < 3; i++) {
        enter(&modes[i == 0 ? 6 : i == 1 ? 0 : 4]);
        const gn_status s = gn_call(h, GN_ARRAYS(GN_VIEW(long_in, MANY)), GN_ARRAYS(GN_VIEW(r[i].many, MANY)));
        leave();
        must(s);
    }
    assert_memory_equal(r[0].many, r[1].many, sizeof r[0].many);
    assert_memory_equal(r[0].many, r[2].many, sizeof r[0].many);
    gn_func_free(h);
    gn_graph_free(g);
    gn_context_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_the_same_in_every_mode),
        cmocka_unit_test(workers_have_no_memory_of_the_caller),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
