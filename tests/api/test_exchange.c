/* Updates that cannot be computed where the old value lies: two memories are exchanged, and everybody who has the
 * variable sees it. */
#include "api.h"
#include <pthread.h>

enum { N = 40 };

/* u <- 2 u turned around, from u[0..N) = 1, 2, ..: each element depends on another one. */
typedef struct world {
    gn_graph *g;
    gn_expr *u, *x;
    gn_func *turn, *sum, *both;
} world;

static world make_world(gn_context *c)
{
    world w = { .g = gn_graph_new(c) };
    float first[N];
    for (int i = 0; i < N; i++) first[i] = (float)(i + 1);
    w.u = gn_shared(w.g, "u", GN_VIEW(first, N));
    w.x = gn_input(w.g, "x", GN_F32, "()");
    must(gn_compile(&w.turn, w.g, .in = GN_EXPRS(w.x), .out = GN_EXPRS(gn_sum_all(w.u)),
                    .update = GN_UPDATES({ w.u, gn_mul(gn_flip(w.u, GN_AXES(0)), w.x) }), .name = "turn"));
    must(gn_compile(&w.sum, w.g, .out = GN_EXPRS(gn_sum_all(w.u), gn_slice(w.u, "0")), .name = "sum"));
    /* in place */
    must(gn_compile(&w.both, w.g, .in = GN_EXPRS(w.x), .update = GN_UPDATES({ w.u, gn_add(w.u, w.x) }), .name = "both"));
    return w;
}

static void free_world(world *w)
{
    gn_func_free(w->turn), gn_func_free(w->sum), gn_func_free(w->both);
    gn_graph_free(w->g);
}

static void expect(const world *w, float first, float last)
{
    float now[N];
    must(gn_get(w->u, GN_VIEW(now, N)));
    assert_true(now[0] == first && now[N - 1] == last);
}

static void every_function_and_binding_follows(void **state)
{
    world w = make_world(*state);
    gn_binding *turn, *sum;
    float two = 2, half = 0.5f, before, total, first;
    must(gn_bind(&turn, w.turn, GN_ARRAYS(GN_SCALAR(&two)), GN_ARRAYS(GN_SCALAR(&before))));
    must(gn_bind(&sum, w.sum, (gn_arrays){ 0 }, GN_ARRAYS(GN_SCALAR(&total), GN_SCALAR(&first))));
    for (int turns = 0; turns < 3; turns++) {
        must(gn_run(sum));
        assert_true(total == N * (N + 1) / 2 && first == 1);
        must(gn_run(turn));
        assert_true(before == total);
        expect(&w, 2 * N, 2);
        must(gn_run(sum));
        assert_true(total == 2 * before && first == 2 * N);
        must(gn_call(w.both, GN_ARRAYS(GN_SCALAR(&two)), (gn_arrays){ 0 }));
        expect(&w, 2 * N + 2, 4);
        must(gn_call(w.sum, (gn_arrays){ 0 }, GN_ARRAYS(GN_SCALAR(&total), GN_SCALAR(&first))));
        assert_true(first == 2 * N + 2);
        two = -2;
        must(gn_call(w.both, GN_ARRAYS(GN_SCALAR(&two)), (gn_arrays){ 0 }));
        two = 2;
        must(gn_call(w.turn, GN_ARRAYS(GN_SCALAR(&half)), GN_ARRAYS(GN_SCALAR(&before))));
        expect(&w, 1, N);
    }
    gn_binding_free(turn), gn_binding_free(sum);
    free_world(&w);
}

static void what_is_set_lies_where_the_next_call_reads(void **state)
{
    world w = make_world(*state);
    float one = 1, sum, zeros[N] = { 0 }, now[N];
    must(gn_call(w.turn, GN_ARRAYS(GN_SCALAR(&one)), GN_ARRAYS(GN_SCALAR(&sum))));
    zeros[3] = 5;
    must(gn_set(w.u, GN_VIEW(zeros, N)));
    must(gn_call(w.turn, GN_ARRAYS(GN_SCALAR(&one)), GN_ARRAYS(GN_SCALAR(&sum))));
    must(gn_get(w.u, GN_VIEW(now, N)));
    assert_true(sum == 5 && now[N - 4] == 5 && now[3] == 0);
    free_world(&w);
}

/* An index outside its axis, found at the start and after steps that already wrote: nothing is exchanged. */
static void a_call_that_fails_exchanges_nothing(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float first[4] = { 1, 2, 3, 4 }, other[4] = { 5, 6, 7, 8 }, now[4];
    gn_expr *u = gn_shared(g, "u", GN_VIEW(first, 4)), *v = gn_shared(g, "v", GN_VIEW(other, 4)),
            *i = gn_input(g, "i", GN_I32, "4");
    gn_expr *at = gn_sub(i, gn_cast(gn_sum_all(gn_mul(u, 0.0)), GN_I32)); /* computed */
    must(gn_compile(&f, g, .in = GN_EXPRS(i),
                    .update = GN_UPDATES({ u, gn_take(v, at, 0) }, { v, gn_flip(u, GN_AXES(0)) }), .name = "move"));
    int32_t good[4] = { 3, 2, 1, 0 }, bad[4] = { 0, 1, 2, 9 };
    for (int turn = 0; turn < 3; turn++) {
        refuse(gn_call(f, GN_ARRAYS(GN_VIEW(bad, 4)), (gn_arrays){ 0 }), GN_EINDEX, "is 9, outside [0, 4)");
        must(gn_get(u, GN_VIEW(now, 4)));
        assert_memory_equal(now, first, sizeof now);
        must(gn_get(v, GN_VIEW(now, 4)));
        assert_memory_equal(now, other, sizeof now);
        must(gn_call(f, GN_ARRAYS(GN_VIEW(good, 4)), (gn_arrays){ 0 }));
        for (int k = 0; k < 4; k++) now[k] = first[3 - k];
        for (int k = 0; k < 4; k++) first[k] = other[3 - k];
        memcpy(other, now, sizeof now);
        must(gn_get(u, GN_VIEW(now, 4)));
        for (int k = 0; k < 4; k++) assert_true(now[k] == first[k]);
    }
    gn_func_free(f);
    gn_graph_free(g);
}

/* a <- b, b <- a; a <- f(a, b), b <- g(a, b); and a ring of three. All take effect together, whichever memory they go
 * to. */
static void variables_that_depend_on_each_other_change_together(void **state)
{
    for (int kind = 0; kind < 4; kind++) {
        gn_graph *g = gn_graph_new(*state);
        gn_func *f = NULL;
        float a[N], b[N], c[N], now[N];
        for (int i = 0; i < N; i++) a[i] = (float)i, b[i] = (float)(2 * i + 1), c[i] = (float)(i % 7);
        gn_expr *A = gn_shared(g, "a", GN_VIEW(a, N)), *B = gn_shared(g, "b", GN_VIEW(b, N)),
                *C = gn_shared(g, "c", GN_VIEW(c, N));
        gn_update list[3] = { { A, B }, { B, A }, { C, C } };
        if (kind == 1) list[0].value = gn_add(A, gn_mul(B, 0.5)), list[1].value = gn_sub(A, B);
        if (kind == 2) list[1].value = C, list[2].value = A;
        if (kind == 3)
            list[0].value = gn_flip(gn_add(A, C), GN_AXES(0)), list[1].value = gn_add(A, B),
            list[2].value = gn_mul(B, 0.25);
        must(gn_compile(&f, g, .update = { 3, list, GN_OK }, .name = "together"));
        for (int turn = 0; turn < 5; turn++) {
            must(gn_call(f, (gn_arrays){ 0 }, (gn_arrays){ 0 }));
            float x[N], y[N], z[N];
            for (int i = 0; i < N; i++) {
                x[i] = kind == 1 ? a[i] + b[i] * 0.5f : kind == 3 ? a[N - 1 - i] + c[N - 1 - i] : b[i];
                y[i] = kind == 1 ? a[i] - b[i] : kind == 2 ? c[i] : kind == 3 ? a[i] + b[i] : a[i];
                z[i] = kind == 2 ? a[i] : kind == 3 ? b[i] * 0.25f : c[i];
            }
            memcpy(a, x, sizeof a), memcpy(b, y, sizeof b), memcpy(c, z, sizeof c);
            must(gn_get(A, GN_VIEW(now, N)));
            assert_memory_equal(now, a, sizeof a);
            must(gn_get(B, GN_VIEW(now, N)));
            assert_memory_equal(now, b, sizeof b);
            must(gn_get(C, GN_VIEW(now, N)));
            assert_memory_equal(now, c, sizeof c);
        }
        gn_func_free(f);
        gn_graph_free(g);
    }
}

/* A history that moves by one: both parts are written where they belong in the second memory, which then is the first. */
static void a_history_is_moved_without_copies(void **state)
{
    for (int back = 0; back < 2; back++) {
        gn_graph *g = gn_graph_new(*state);
        gn_func *f = NULL;
        float history[3 * N], row[3], now[3 * N], sum;
        for (int i = 0; i < 3 * N; i++) history[i] = (float)i;
        gn_expr *h = gn_shared(g, "h", gn_array_of(history, GN_F32, 2, (int64_t[]){ N, 3 })),
                *x = gn_input(g, "x", GN_F32, "1, 3");
        gn_expr *moved =
            back ? gn_concat(GN_EXPRS(x, gn_slice(h, ":-1")), 0) : gn_concat(GN_EXPRS(gn_slice(h, "1:"), x), 0);
        must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_sum_all(h)), .update = GN_UPDATES({ h, moved }),
                        .name = "history"));
        assert_int_equal(gn_func_inspect(f).nsteps, 1); /* the sum and the parts: a copy would be another */
        for (int turn = 0; turn < N + 2; turn++) {
            float want = 0;
            for (int i = 0; i < 3 * N; i++) want += history[i];
            for (int i = 0; i < 3; i++) row[i] = (float)(-turn * 3 - i);
            must(gn_call(f, GN_ARRAYS(gn_array_of(row, GN_F32, 2, (int64_t[]){ 1, 3 })), GN_ARRAYS(GN_SCALAR(&sum))));
            assert_true(sum == want);
            memmove(back ? history + 3 : history, back ? history : history + 3, sizeof history - sizeof row);
            memcpy(back ? history : history + 3 * (N - 1), row, sizeof row);
            must(gn_get(h, gn_array_of(now, GN_F32, 2, (int64_t[]){ N, 3 })));
            assert_memory_equal(now, history, sizeof now);
        }
        gn_func_free(f);
        gn_graph_free(g);
    }
}

typedef struct reader {
    const world *w;
    int bad;
} reader;

static void *read_often(void *user)
{
    reader *r = user;
    for (int i = 0; i < 300; i++) {
        float total, first, now[N];
        if (gn_call(r->w->sum, (gn_arrays){ 0 }, GN_ARRAYS(GN_SCALAR(&total), GN_SCALAR(&first))) ||
            gn_get(r->w->u, GN_VIEW(now, N)))
            return r->bad = 1, NULL;
        r->bad |= total != N * (N + 1) / 2 || (first != 1 && first != N) || now[0] + now[N - 1] != N + 1;
    }
    return NULL;
}

/* Readers see the old elements or the new ones, never a memory that is being written. */
static void readers_see_one_value_or_the_other(void **state)
{
    world w = make_world(*state);
    pthread_t thread[2];
    reader r[2] = { { &w, 0 }, { &w, 0 } };
    float one = 1, sum;
    for (int t = 0; t < 2; t++) assert_int_equal(pthread_create(&thread[t], NULL, read_often, &r[t]), 0);
    for (int i = 0; i < 301; i++) must(gn_call(w.turn, GN_ARRAYS(GN_SCALAR(&one)), GN_ARRAYS(GN_SCALAR(&sum))));
    for (int t = 0; t < 2; t++) pthread_join(thread[t], NULL);
    assert_false(r[0].bad || r[1].bad);
    expect(&w, N, 1);
    free_world(&w);
}

static void saved_values_are_the_current_ones(void **state)
{
    world w = make_world(*state);
    char path[128];
    float one = 1, sum, zeros[N] = { 0 };
    snprintf(path, sizeof path, "%s/u.safetensors", api_dir);
    must(gn_call(w.turn, GN_ARRAYS(GN_SCALAR(&one)), GN_ARRAYS(GN_SCALAR(&sum))));
    must(gn_save(path, GN_EXPRS(w.u)));
    must(gn_call(w.turn, GN_ARRAYS(GN_SCALAR(&one)), GN_ARRAYS(GN_SCALAR(&sum))));
    must(gn_set(w.u, GN_VIEW(zeros, N)));
    must(gn_load(path, GN_EXPRS(w.u)));
    expect(&w, N, 1);
    free_world(&w);
}

/* A graph may be gone, and a function of sizes that were not called before begins in the middle. */
static void new_sizes_begin_where_the_variable_is(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float first[3] = { 1, 2, 3 }, in[8] = { 0, 0, 0, 0, 0, 0, 0, 0 }, out[3];
    gn_expr *u = gn_shared(g, "u", GN_VIEW(first, 3)), *x = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_add(u, gn_sum_all(x))),
                    .update = GN_UPDATES({ u, gn_flip(u, GN_AXES(0)) })));
    gn_graph_free(g);
    for (int n = 1; n <= 8; n++) {
        must(gn_call(f, GN_ARRAYS(GN_VIEW(in, n)), GN_ARRAYS(GN_VIEW(out, 3))));
        assert_true(out[0] == (n % 2 ? 1 : 3) && out[2] == (n % 2 ? 3 : 1));
    }
    gn_func_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_and_binding_follows),
        cmocka_unit_test(what_is_set_lies_where_the_next_call_reads),
        cmocka_unit_test(a_call_that_fails_exchanges_nothing),
        cmocka_unit_test(variables_that_depend_on_each_other_change_together),
        cmocka_unit_test(a_history_is_moved_without_copies),
        cmocka_unit_test(readers_see_one_value_or_the_other),
        cmocka_unit_test(saved_values_are_the_current_ones),
        cmocka_unit_test(new_sizes_begin_where_the_variable_is),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
