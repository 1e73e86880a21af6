/* Updates: all take effect together, after the outputs; alone and from several threads. */
#include "api.h"
#include <pthread.h>
#include <stdatomic.h>

static void variables_are_swapped(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float a0[3] = { 1, 2, 3 }, b0[3] = { 10, 20, 30 }, a1[3], b1[3], sum[3];
    gn_expr *a = gn_shared(g, "a", GN_VIEW(a0, 3)), *b = gn_shared(g, "b", GN_VIEW(b0, 3));
    must(gn_compile(&f, g, .out = GN_EXPRS(gn_add(a, gn_mul(b, 2))), .update = GN_UPDATES({ a, b }, { b, a })));
    must(gn_call(f, (gn_arrays){ 0 }, GN_ARRAYS(GN_VIEW(sum, 3))));
    must(gn_get(a, GN_VIEW(a1, 3))), must(gn_get(b, GN_VIEW(b1, 3)));
    for (int i = 0; i < 3; i++) assert_true(a1[i] == b0[i] && b1[i] == a0[i] && sum[i] == a0[i] + 2 * b0[i]);
    must(gn_call(f, (gn_arrays){ 0 }, GN_ARRAYS(GN_VIEW(sum, 3))));
    must(gn_get(a, GN_VIEW(a1, 3)));
    for (int i = 0; i < 3; i++) assert_true(a1[i] == a0[i] && sum[i] == b0[i] + 2 * a0[i]);
    gn_func_free(f);
    gn_graph_free(g);
}

static void new_values_are_made_of_old_ones(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float a0[4] = { 1, 2, 3, 4 }, b0[1] = { 0 }, a1[4], b1[1];
    gn_expr *a = gn_shared(g, "a", GN_VIEW(a0, 4)), *b = gn_shared(g, "b", GN_VIEW(b0, 1));
    gn_expr *flipped = gn_sub(gn_sum_all(a), a);
    must(gn_compile(&f, g, .update = GN_UPDATES({ a, flipped }, { b, gn_add(b, gn_sum_all(a)) })));
    must(gn_call(f, (gn_arrays){ 0 }, (gn_arrays){ 0 }));
    must(gn_get(a, GN_VIEW(a1, 4))), must(gn_get(b, GN_VIEW(b1, 1)));
    for (int i = 0; i < 4; i++) assert_true(a1[i] == 10 - a0[i]);
    assert_true(b1[0] == 10);
    gn_func_free(f);
    gn_graph_free(g);
}

typedef struct counting {
    gn_func *f;
    int bad;
} counting;

static void *count_up(void *arg)
{
    counting *c = arg;
    float one[1] = { 1 };
    for (int i = 0; i < 200; i++) c->bad |= gn_call(c->f, GN_ARRAYS(GN_VIEW(one, 1)), (gn_arrays){ 0 }) != GN_OK;
    return NULL;
}

static void no_update_of_a_thread_is_lost(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    counting c = { NULL, 0 }, d = { NULL, 0 }, each[4];
    pthread_t thread[4];
    float zero[1] = { 0 }, end[2];
    gn_expr *x = gn_input(g, "x", GN_F32, "1"), *a = gn_shared(g, "a", GN_VIEW(zero, 1)),
            *b = gn_shared(g, "b", GN_VIEW(zero, 1));
    must(gn_compile(&c.f, g, .in = GN_EXPRS(x), .update = GN_UPDATES({ a, gn_add(a, x) }, { b, gn_add(b, x) })));
    /* the other order: no deadlock */
    must(gn_compile(&d.f, g, .in = GN_EXPRS(x), .update = GN_UPDATES({ b, gn_add(b, x) }, { a, gn_add(a, x) })));
    for (int i = 0; i < 4; i++) {
        each[i] = i & 1 ? c : d;
        assert_int_equal(pthread_create(&thread[i], NULL, count_up, &each[i]), 0);
    }
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL), assert_false(each[i].bad);
    must(gn_get(a, GN_VIEW(&end[0], 1))), must(gn_get(b, GN_VIEW(&end[1], 1)));
    assert_true(end[0] == 800 && end[1] == 800);
    gn_func_free(c.f), gn_func_free(d.f);
    gn_graph_free(g);
}

typedef struct reading {
    gn_func *f;
    float k;
    int bad;
} reading;

static void *call_often(void *arg)
{
    reading *r = arg;
    for (int i = 0; i < 300; i++) {
        float x[8], y[8];
        const int64_t n = 1 + i % 8; /* frames of several sizes */
        for (int j = 0; j < n; j++) x[j] = r->k + (float)j;
        if (gn_call(r->f, GN_ARRAYS(GN_VIEW(x, n)), GN_ARRAYS(GN_VIEW(y, n)))) r->bad = 1;
        for (int j = 0; j < n; j++) r->bad |= y[j] != x[j] * x[j] + 1;
    }
    return NULL;
}

static void functions_without_updates_run_at_once(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    reading r[4];
    pthread_t thread[4];
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_add(gn_mul(x, x), 1))));
    for (int i = 0; i < 4; i++) {
        r[i] = (reading){ f, (float)(10 * i), 0 };
        assert_int_equal(pthread_create(&thread[i], NULL, call_often, &r[i]), 0);
    }
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL), assert_false(r[i].bad);
    gn_func_free(f);
    gn_graph_free(g);
}

enum { LONG = 1000, SHORT = 5, STEPS = 300 };

typedef struct watching {
    gn_func *f;
    gn_binding *b;
    const gn_expr *w;            /* read by gn_get */
    float *seen, *other;         /* outputs: w, v */
    const atomic_bool *over;
    int bad;
    long reads;
} watching;

/* All of both variables of one moment, which never comes back. */
static void *watch(void *arg)
{
    watching *r = arg;
    float last = 0;
    while (!atomic_load(r->over) || !r->reads) {
        if (r->w) r->bad |= gn_get(r->w, GN_VIEW(r->seen, LONG)) != GN_OK;
        else if (r->b) r->bad |= gn_run(r->b) != GN_OK;
        else
            r->bad |=
                gn_call(r->f, (gn_arrays){ 0 }, GN_ARRAYS(GN_VIEW(r->seen, LONG), GN_VIEW(r->other, SHORT))) != GN_OK;
        for (int i = 0; i < LONG; i++) r->bad |= r->seen[i] != r->seen[0];
        for (int i = 0; i < SHORT && !r->w; i++) r->bad |= r->other[i] != -r->seen[0];
        r->bad |= r->seen[0] < last;
        last = r->seen[0];
        r->reads++;
    }
    return NULL;
}

typedef struct stepping {
    gn_func *f;
    int bad;
} stepping;

static void *step_often(void *arg)
{
    stepping *s = arg;
    for (int i = 0; i < STEPS; i++) s->bad |= gn_call(s->f, (gn_arrays){ 0 }, (gn_arrays){ 0 }) != GN_OK;
    return NULL;
}

static void readers_see_all_of_an_update_or_none(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    stepping s = { 0 };
    watching r[3] = { { 0 } };
    pthread_t thread[3], stepper;
    static float zero[LONG], seen[3][LONG], other[3][SHORT];
    atomic_bool over = false;
    gn_func *read = NULL;
    gn_expr *w = gn_shared(g, "w", GN_VIEW(zero, LONG)), *v = gn_shared(g, "v", GN_VIEW(zero, SHORT));
    must(gn_compile(&s.f, g, .update = GN_UPDATES({ w, gn_add(w, 1) }, { v, gn_sub(v, 1) })));
    must(gn_compile(&read, g, .out = GN_EXPRS(gn_add(w, 0.0), gn_mul(v, 1.0))));
    for (int i = 0; i < 3; i++) r[i] = (watching){ .f = read, .seen = seen[i], .other = other[i], .over = &over };
    must(gn_bind(&r[1].b, read, (gn_arrays){ 0 }, GN_ARRAYS(GN_VIEW(seen[1], LONG), GN_VIEW(other[1], SHORT))));
    r[2].w = w;
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&thread[i], NULL, watch, &r[i]), 0);
    assert_int_equal(pthread_create(&stepper, NULL, step_often, &s), 0);
    pthread_join(stepper, NULL);
    atomic_store(&over, true);
    for (int i = 0; i < 3; i++) pthread_join(thread[i], NULL), assert_false(r[i].bad);
    assert_false(s.bad);
    must(gn_get(w, GN_VIEW(seen[0], LONG)));
    assert_true(seen[0][LONG - 1] == STEPS);
    gn_binding_free(r[1].b);
    gn_func_free(s.f), gn_func_free(read);
    gn_graph_free(g);
}

typedef struct building {
    gn_context *c;
    int number, bad;
} building;

static void *build_and_call(void *arg)
{
    building *b = arg;
    for (int i = 0; i < 3 && !b->bad; i++) {
        gn_graph *g = gn_graph_new(b->c);
        gn_func *f = NULL;
        float x[3] = { 1, 2, 3 }, y[3];
        gn_expr *e = gn_input(g, "x", GN_F32, "n");
        const double factor = b->number % 2 ? 3 : 4 + i; /* some threads make the same program at the same time */
        b->bad = gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(gn_mul(gn_add(e, 1), factor)), .name = "many") ||
                 gn_call(f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_VIEW(y, 3)));
        if (b->bad) print_error("%s\n", gn_message());
        for (int j = 0; j < 3 && !b->bad; j++) b->bad = y[j] != (x[j] + 1) * (float)factor;
        gn_func_free(f);
        gn_graph_free(g);
    }
    return NULL;
}

static void threads_compile_in_one_context(void **state)
{
    building b[4];
    pthread_t thread[4];
    for (int i = 0; i < 4; i++) {
        b[i] = (building){ *state, i, 0 };
        assert_int_equal(pthread_create(&thread[i], NULL, build_and_call, &b[i]), 0);
    }
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < 4; i++) assert_false(b[i].bad);
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    enum { N = 300, M = 257 };
    static float x[N * M], first[N + 1], y[N + 1];
    uint64_t seed = test_seed();
    for (int i = 0; i < N * M; i++) x[i] = (float)test_uniform(&seed, -1, 1);
    for (int threads = 1; threads <= 4; threads++) {
        gn_context_options o = api_options;
        gn_context *c;
        gn_func *f;
        o.threads = threads;
        must(gn_context_new(&c, &o));
        gn_graph *g = gn_graph_new(c);
        gn_expr *e = gn_input(g, "x", GN_F32, "n, m"), *rows = gn_sum(gn_tanh(e), GN_AXES(1));
        must(gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(rows, gn_sum_all(gn_mul(e, e)))));
        must(gn_call(f, GN_ARRAYS(gn_array_of(x, GN_F32, 2, (int64_t[]){ N, M })),
                     GN_ARRAYS(GN_VIEW(y, N), GN_SCALAR(&y[N]))));
        if (threads == 1) memcpy(first, y, sizeof y);
        assert_memory_equal(first, y, sizeof y);
        gn_func_free(f);
        gn_graph_free(g);
        gn_context_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_swapped),
        cmocka_unit_test(new_values_are_made_of_old_ones),
        cmocka_unit_test(no_update_of_a_thread_is_lost),
        cmocka_unit_test(functions_without_updates_run_at_once),
        cmocka_unit_test(readers_see_all_of_an_update_or_none),
        cmocka_unit_test(threads_compile_in_one_context),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
