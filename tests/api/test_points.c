/* Functions of pairs of points, compiled once for any number of points: values, memory, and the same bits whoever
 * computes them. */
#include "api.h"
#include "evaluate.h"
#include "pairs.h"

enum { MOST = 300, COORDINATES = 16 };

typedef struct pair_run {
    const struct pair_case *what;
    gn_graph *g;
    gn_func *f;
    gn_dtype dtype;
    int coordinates;
    size_t nout;
    gn_expr *in[4], *out[MOST_PAIR_OUTS];
    gn_array given[4], got[MOST_PAIR_OUTS];
} pair_run;

static double given[4][MOST * COORDINATES], got[MOST_PAIR_OUTS][MOST * COORDINATES];

static void compile(pair_run *r, gn_context *c, const struct pair_case *what, gn_dtype dtype, int coordinates)
{
    *r = (pair_run){ .what = what, .g = gn_graph_new(c), .dtype = dtype, .coordinates = coordinates };
    r->in[0] = gn_input(r->g, "x", dtype, "n, %d", coordinates),
    r->in[1] = gn_input(r->g, "y", dtype, "m, %d", coordinates);
    r->in[2] = gn_input(r->g, "w", dtype, "n"), r->in[3] = gn_input(r->g, "v", dtype, "m");
    r->nout = what->make((pair_inputs){ r->in[0], r->in[1], r->in[2], r->in[3] }, r->out);
    const gn_compile_options o = { .in = { 4, r->in }, .out = { r->nout, r->out }, .name = what->name };
    must(gn_compile_at(GN_HERE, &r->f, r->g, &o));
}

/* All points within a cube, of weights around 1. */
static void bind(pair_run *r, int64_t n, int64_t m)
{
    uint64_t seed = test_seed() + (uint64_t)(1000 * n + m);
    for (int i = 0; i < 4; i++) {
        const int64_t shape[2] = { i % 2 ? m : n, r->coordinates };
        r->given[i] = gn_array_of(given[i], r->dtype, i < 2 ? 2 : 1, shape);
        for (int64_t k = 0; k < gn_array_count(&r->given[i]); k++) {
            const double v = i < 2 ? test_uniform(&seed, -1, 1) : test_uniform(&seed, 0.5, 1.5);
            if (r->dtype == GN_F32) ((float *)r->given[i].data)[k] = (float)v;
            else ((double *)r->given[i].data)[k] = v;
        }
    }
    for (size_t i = 0; i < r->nout; i++) {
        const gn_type *t = r->out[i]->type;
        int64_t shape[2] = { 0 };
        for (int d = 0; d < t->n; d++)
            if (!gn_dim_is_const(t->dim[d], &shape[d]))
                shape[d] = strcmp(t->dim[d]->term[0].atom[0]->name, "n") == 0 ? n : m;
        r->got[i] = gn_array_of(got[i], (gn_dtype)t->dtype, t->n, shape);
    }
    must(gn_call(r->f, (gn_arrays){ 4, r->given }, (gn_arrays){ r->nout, r->got }));
}

static void release(pair_run *r)
{
    gn_func_free(r->f);
    gn_graph_free(r->g);
}

static void compare(void *user)
{
    pair_run *r = user;
    gn_arena arena = { 0 };
    gn_evaluation *v = gn_evaluation_new(&arena);
    for (int i = 0; i < 4; i++) gn_evaluation_set(v, r->in[i], &r->given[i]);
    for (size_t i = 0; i < r->nout; i++) {
        const gn_tensor *want = gn_evaluate(v, r->out[i]);
        for (int64_t k = 0; k < want->count; k++)
            if (!gn_tensor_near(want, r->got[i].data, k, false))
                fail_msg("%s of %lld and %lld points: result %zu, element %lld is %.9g, not %.9Lg within %.3Lg",
                         r->what->name, (long long)r->given[0].shape[0], (long long)r->given[1].shape[0], i,
                         (long long)k,
                         r->dtype == GN_F32 ? (double)((float *)r->got[i].data)[k] : ((double *)r->got[i].data)[k],
                         want->at[k].f, want->at[k].err);
    }
    gn_arena_free(&arena);
}

static void check(gn_context *c, size_t which, gn_dtype dtype, int coordinates)
{
    static const int64_t sizes[][2] = { { 1, 1 }, { 3, 2 }, { 17, 5 }, { 2, 65 }, { 100, 33 }, { 129, 31 } };
    pair_run r;
    compile(&r, c, &pair_cases[which], dtype, coordinates);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        bind(&r, sizes[s][0], sizes[s][1]);
        if (gn_protect(compare, &r)) fail_msg("%s", gn_message());
    }
    bind(&r, MOST, MOST);
    const size_t peak = gn_func_inspect(r.f).peak_bytes; /* grows with the points, not with their pairs */
    if (peak > MOST * 8 * gn_dtype_size(dtype) * 4) fail_msg("%s of %d points: %zu bytes", r.what->name, MOST, peak);
    release(&r);
}

static void any_number_of_points(void **state)
{
    static const int coordinates[] = { 2, 5, 8 };
    static size_t turn; /* of the toolchains, each with other cases in f64 */
    const char *every = getenv("GNOMON_TEST_EVERY");
    const size_t step = every ? strtoul(every, NULL, 10) : 2;
    for (size_t i = turn % step; i < PAIR_CASES; i += step) {
        check(*state, i, GN_F32, 3);
        if (i % 3 == turn % 3) check(*state, i, GN_F64, coordinates[i % 3]);
    }
    turn++;
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    static double first[MOST_PAIR_OUTS][MOST * COORDINATES];
    (void)state;
    for (size_t i = 1; i < PAIR_CASES; i += 2)
        for (int threads = 1; threads <= 3; threads += 2) {
            gn_context_options o = api_options;
            gn_context *c;
            pair_run r;
            o.threads = threads;
            must(gn_context_new(&c, &o));
            compile(&r, c, &pair_cases[i], GN_F32, 3);
            memset(got, 0, sizeof got);
            bind(&r, 257, 130);
            if (threads == 1) memcpy(first, got, sizeof got);
            assert_memory_equal(first, got, sizeof got);
            release(&r);
            gn_context_free(c);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_number_of_points),
                                        cmocka_unit_test(any_number_of_threads_gives_the_same_bits) };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
