/* What named extents must hold is told at the call: with the op, its operands, the line, and the inputs that gave the
 * sizes. Each case is called with a size that is too small and with the least one that is right. */
#include "api.h"

enum { MOST = 16 };
static float ones[MOST * MOST];

static gn_array part(int rank, int64_t a, int64_t b)
{
    return gn_array_of(ones, GN_F32, rank, (int64_t[]){ a, b });
}

/* y over x (n), called with n = small and n = enough. `words` are those of the refusal. */
static void check(gn_graph *g, gn_expr *x, gn_expr *y, int64_t small, int64_t enough, const char *words, int line)
{
    gn_func *f = NULL;
    float s;
    char place[64];
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(y)));
    refuse(gn_call(f, GN_ARRAYS(part(1, small, 0)), GN_ARRAYS(GN_SCALAR(&s))), GN_ESHAPE, words);
    snprintf(place, sizeof place, "test_extents.c:%d: ", line);
    assert_message_contains(place);
    snprintf(place, sizeof place, "n = %d: axis 0 of input 'x', made at ", (int)small);
    assert_message_contains(place);
    must(gn_call(f, GN_ARRAYS(part(1, enough, 0)), GN_ARRAYS(GN_SCALAR(&s))));
    gn_func_free(f);
}
#define CHECK(y, small, enough, words) check(g, x, gn_sum_all(y), small, enough, words, __LINE__)

static void what_takes_elements_that_are_not_there_is_refused(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    CHECK(gn_concat(GN_EXPRS(gn_slice(x, "5:"), x, x, x, x, x), 0), 1, 5,
          "slice \"5:\": extent of axis 0 of the result of x f32 (n): n-5, at least 0 is needed: it is -4");
    CHECK(gn_slice(x, ":5"), 4, 5, "slice \":5\": extent of axis 0 of x f32 (n): n, at least 5 is needed: it is 4");
    CHECK(gn_slice(x, "3"), 3, 4, "slice \"3\": extent of axis 0 of x f32 (n): n, at least 4 is needed: it is 3");
    CHECK(gn_slice(x, "2::2"), 1, 2, "slice \"2::2\": extent of axis 0 of x f32 (n): n, at least 2 is needed: it is 1");
    CHECK(gn_slice(x, "-3:"), 2, 3,
          "slice \"-3:\": start of the range in axis 0 of x f32 (n): n-3, at least 0 is needed: it is -1");
    CHECK(gn_slice(x, "-2"), 1, 2, "slice \"-2\": start of the range in axis 0 of x f32 (n): n-2, at least 0");
    CHECK(gn_slice(x, ":-3"), 2, 3, "slice \":-3\": extent of axis 0 of the result of x f32 (n): n-3, at least 0");
    CHECK(gn_slice(x, "5::-1"), 5, 6, "slice \"5::-1\": start of the range in axis 0 of x f32 (n): n-6, at least 0");
    CHECK(gn_pad(x, 0, "n-5:0"), 4, 5, "pad \"n-5:0\": start of the range in axis 0 of x f32 (n): n-5, at least 0");
    CHECK(gn_pad(x, 0, "0:n-5"), 4, 5,
          "pad \"0:n-5\": extent of axis 0 of x f32 (n): 2*n-5, at least n is needed: it is 3");
    gn_graph_free(g);
}

static void extents_that_are_asked_for_are_not_negative(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *s = gn_sum_all(x);
    CHECK(gn_reshape(gn_broadcast_to(s, "(n-5)*(n-5)"), "n-5, n-5"), 4, 5, "extent of axis 0 of the result of");
    CHECK(gn_broadcast_to(s, "n-5, 2"), 4, 5,
          "broadcast_to \"n-5, 2\": extent of axis 0 of the result of sum f32 (): n-5, at least 0 is needed: it is -1");
    CHECK(gn_mul(gn_iota(g, GN_F32, 0, "n-5"), s), 4, 5, "iota \"n-5\": extent of axis 0 of the result: n-5, at least 0");
    CHECK(gn_mul(gn_full(g, GN_F32, 1, "n-5"), s), 4, 5, "full \"n-5\": extent of axis 0 of the result: n-5, at least 0");
    CHECK(gn_one_hot(gn_cast(gn_slice(x, ":0"), GN_I32), GN_F32, "n-5"), 4, 5,
          "one_hot \"n-5\": extent of axis 1 of the result of cast i32 (0): n-5");
    gn_expr *halves[2];
    gn_split(x, 0, 2, halves);
    gn_func *f = NULL;
    float r;
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_sum_all(halves[1]))));
    refuse(gn_call(f, GN_ARRAYS(part(1, 3, 0)), GN_ARRAYS(GN_SCALAR(&r))), GN_ESHAPE,
           "split: numbers of elements of x f32 (n)");
    gn_func_free(f);
    gn_graph_free(g);
}

static void what_never_fits_is_told_where_it_is_built(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *y = gn_input(g, "y", GN_F32, "n+2"), *two = gn_slice(y, ":2");
    gn_expr *three = gn_pad(two, 0, "0:1"), *big = gn_input(g, "big", GN_F32, "n+4");
    gn_add(big, three);
    refuse(gn_graph_check(g), GN_ESHAPE, "add: extents of axis -1 differ: n+4 and 3\n    big  f32 (n+4)");
    gn_matmul(gn_expand(big, GN_AXES(0)), gn_expand(three, GN_AXES(1)));
    refuse(gn_graph_check(g), GN_ESHAPE, "matmul: inner extents differ: n+4 and 3");
    gn_broadcast_to(gn_sum_all(x), "-1-n");
    refuse(gn_graph_check(g), GN_ESHAPE, "extent of axis 0 of the result is -n-1, at least 0 is needed");
    gn_graph_free(g);
}

/* Labels of 5 rows beside logits of k + 2, and sums of extents that no name can be solved for. */
static void extents_that_are_equal_by_the_call_alone_compile(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_expr *z = gn_input(g, "z", GN_F32, "k+2, 3"), *t = gn_input(g, "t", GN_I32, "5"), *k = gn_input(g, "k", GN_F32, "k");
    gn_expr *w = gn_input(g, "w", GN_F32, "2*a, 3"), *u = gn_input(g, "u", GN_I32, "b*c");
    gn_expr *a = gn_input(g, "a", GN_F32, "a"), *bc = gn_input(g, "bc", GN_F32, "b, c");
    gn_expr *loss = gn_mean_all(gn_cross_entropy(z, t)), *other = gn_mean_all(gn_cross_entropy(w, u));
    gn_func *f = NULL;
    int32_t labels[6] = { 0, 1, 2, 0, 1, 2 };
    float s[4];
    const gn_array T = gn_array_of(labels, GN_I32, 1, (int64_t[]){ 5 }),
                   U = gn_array_of(labels, GN_I32, 1, (int64_t[]){ 6 });
    must(gn_compile(&f, g, .in = GN_EXPRS(z, t, k, w, u, a, bc),
                    .out = GN_EXPRS(loss, other, gn_sum_all(gn_grad(loss, z)), gn_sum_all(gn_grad(other, w)))));
    must(gn_call(f, GN_ARRAYS(part(2, 5, 3), T, part(1, 3, 0), part(2, 6, 3), U, part(1, 3, 0), part(2, 2, 3)),
                 GN_ARRAYS(GN_SCALAR(&s[0]), GN_SCALAR(&s[1]), GN_SCALAR(&s[2]), GN_SCALAR(&s[3]))));
    for (int i = 0; i < 2; i++) assert_true(s[i] > 1.09861f && s[i] < 1.09862f); /* log 3 */
    refuse(gn_call(f, GN_ARRAYS(part(2, 6, 3), T, part(1, 4, 0), part(2, 6, 3), U, part(1, 3, 0), part(2, 2, 3)),
                   GN_ARRAYS(GN_SCALAR(&s[0]), GN_SCALAR(&s[1]), GN_SCALAR(&s[2]), GN_SCALAR(&s[3]))),
           GN_ESHAPE, "input 'z' is f32 (6, 3), expected f32 (5, 3)");
    assert_message_contains("cross_entropy: extents of z f32 (k+2, 3), t i32 (5): k+2 and 5 must agree");
    refuse(gn_call(f, GN_ARRAYS(part(2, 5, 3), T, part(1, 3, 0), part(2, 8, 3), U, part(1, 4, 0), part(2, 2, 3)),
                   GN_ARRAYS(GN_SCALAR(&s[0]), GN_SCALAR(&s[1]), GN_SCALAR(&s[2]), GN_SCALAR(&s[3]))),
           GN_ESHAPE, "cross_entropy: extents of w f32 (2*a, 3), u i32 (b*c): 2*a and b*c differ: 2*a is 8, b*c is 6");
    gn_func_free(f);
    gn_graph_free(g);
}

static void a_number_that_a_name_met_is_told_with_op_and_line(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_expr *x = gn_input(g, "x", GN_F32, "batch, 4"), *y = gn_input(g, "y", GN_F32, "batch");
    const int line = __LINE__ + 1;
    gn_expr *sum = gn_add(x, y); /* meant: y as a column */
    gn_func *f = NULL;
    float s;
    char words[200];
    must(gn_compile(&f, g, .in = GN_EXPRS(x, y), .out = GN_EXPRS(gn_sum_all(sum))));
    refuse(gn_call(f, GN_ARRAYS(part(2, 3, 4), part(1, 3, 0)), GN_ARRAYS(GN_SCALAR(&s))), GN_ESHAPE,
           "input 'x' is f32 (3, 4), expected f32 (4, 4)");
    snprintf(words, sizeof words, "test_extents.c:%d: add: extents of axis 1 of x f32 (batch, 4), y f32 (batch)", line);
    assert_message_contains(words);
    assert_message_contains("'x' was made at ");
    must(gn_call(f, GN_ARRAYS(part(2, 4, 4), part(1, 4, 0)), GN_ARRAYS(GN_SCALAR(&s))));
    gn_func_free(f);
    gn_graph_free(g);
}

enum { MOST_TAKEN = 8, NSTEPS = 6 };

/* Python's x[::step] of 0, 1, .., n - 1, and where it came from: 2 x there, 0 elsewhere, is the slope of the sum of
 * squares. */
static int64_t take(int64_t n, int step, float *taken, float *slope)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) slope[i] = 0;
    for (int64_t i = step > 0 ? 0 : n - 1; i >= 0 && i < n; i += step) taken[count++] = (float)i, slope[i] = 2 * (float)i;
    return count;
}

/* Backwards by 2 from the end of nothing once started beyond it. */
static void check_steps(gn_context *context, const char *shape, size_t nsizes, const int64_t *sizes)
{
    static const int step[NSTEPS] = { 1, 2, 3, -1, -2, -3 };
    gn_graph *g = gn_graph_new(context);
    gn_expr *x = gn_input(g, "x", GN_F32, shape), *out[2 * NSTEPS];
    gn_func *f = NULL;
    for (int k = 0; k < NSTEPS; k++) {
        out[2 * k] = gn_slice(x, "::%d", step[k]);
        out[2 * k + 1] = gn_grad(gn_sum_all(gn_square(out[2 * k])), x);
    }
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = { 2 * NSTEPS, out }));
    for (size_t i = 0; i < nsizes; i++) {
        const int64_t n = sizes[i];
        float in[MOST_TAKEN], got[2 * NSTEPS][MOST_TAKEN], want[2 * NSTEPS][MOST_TAKEN];
        gn_array a[2 * NSTEPS];
        int64_t count[2 * NSTEPS];
        for (int64_t k = 0; k < n; k++) in[k] = (float)k;
        for (int k = 0; k < NSTEPS; k++) {
            count[2 * k] = take(n, step[k], want[2 * k], want[2 * k + 1]), count[2 * k + 1] = n;
            for (int b = 2 * k; b < 2 * k + 2; b++) a[b] = gn_array_of(got[b], GN_F32, 1, &count[b]);
        }
        must(gn_call(f, GN_ARRAYS(gn_array_of(in, GN_F32, 1, &n)), (gn_arrays){ 2 * NSTEPS, a }));
        for (int b = 0; b < 2 * NSTEPS; b++) assert_memory_equal(got[b], want[b], (size_t)count[b] * sizeof(float));
    }
    gn_func_free(f);
    gn_graph_free(g);
}

static void every_step_takes_what_python_does_of_short_axes(void **state)
{
    const int64_t sizes[] = { 0, 1, 2, 3, 7 };
    check_steps(*state, "n", 5, sizes);
    check_steps(*state, "0", 1, &sizes[0]);
    check_steps(*state, "1", 1, &sizes[1]);
    check_steps(*state, "2", 1, &sizes[2]);
    check_steps(*state, "7", 1, &sizes[4]);
}

/* A name that stands twice in what is asked for is told once. */
static void a_name_is_told_once(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    gn_func *f = NULL;
    float s;
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_sum_all(gn_slice(x, "n/2-2:n/2*2")))));
    refuse(gn_call(f, GN_ARRAYS(part(1, 3, 0)), GN_ARRAYS(GN_SCALAR(&s))), GN_ESHAPE,
           "slice \"n/2-2:n/2*2\": start of the range in axis 0 of x f32 (n)");
    const char *const first = strstr(gn_message(), "n = 3: axis 0 of input 'x'");
    assert_non_null(first);
    assert_null(strstr(first + 1, "n = 3"));
    gn_func_free(f);
    gn_graph_free(g);
}

static void a_node_that_is_built_again_is_told_with_both_lines(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *y = gn_input(g, "y", GN_F32, "m");
    gn_func *f = NULL;
    float s;
    char words[200];
    const int line = __LINE__ + 1;
    gn_expr *a = gn_slice(x, "5:");
    gn_expr *b = gn_slice(x, "5:");
    gn_expr *c = gn_dot(x, y);
    gn_expr *d = gn_dot(x, y);
    assert_ptr_equal(a, b);
    assert_ptr_equal(c, d);
    must(gn_compile(&f, g, .in = GN_EXPRS(x, y), .out = GN_EXPRS(gn_add(gn_sum_all(a), c))));
    refuse(gn_call(f, GN_ARRAYS(part(1, 3, 0), part(1, 3, 0)), GN_ARRAYS(GN_SCALAR(&s))), GN_ESHAPE,
           "slice \"5:\": extent");
    snprintf(words, sizeof words, "test_extents.c:%d: slice", line);
    assert_message_contains(words);
    snprintf(words, sizeof words, "built again at %s:%d", __FILE__, line + 1);
    assert_message_contains(words);
    refuse(gn_call(f, GN_ARRAYS(part(1, 7, 0), part(1, 6, 0)), GN_ARRAYS(GN_SCALAR(&s))), GN_ESHAPE,
           "named dim 'n' is bound to two sizes: 7");
    assert_null(strstr(gn_message(), "slice")); /* which makes no name another's */
    snprintf(words, sizeof words, "built again at %s:%d", __FILE__, line + 3);
    assert_message_contains(words);
    gn_func_free(f);
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x, y), .out = GN_EXPRS(c), .fix = "n=3, m=4"), GN_ESHAPE, words);
    gn_graph_free(g);
}

static void a_name_that_no_input_binds_is_told_where_it_was_written(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    gn_func *f = NULL;
    char words[200];
    const int line = __LINE__ + 1;
    gn_expr *y = gn_slice(x, ":k");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(y)), GN_EINVAL,
           "slice \":k\": extent of axis 0 of x f32 (n): n, at least k: the named dim k is bound by no input");
    snprintf(words, sizeof words, "test_extents.c:%d: slice", line);
    assert_message_contains(words);
    const int second = __LINE__ + 1;
    gn_expr *z = gn_broadcast_to(gn_sum_all(x), "k"); /* nothing is asked of it but that it is there */
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(z)), GN_EINVAL,
           "broadcast: the named dim k is bound by no input");
    snprintf(words, sizeof words, "test_extents.c:%d", second);
    assert_message_contains(words);
    gn_graph_free(g);
}

/* n/2 + n/3 of such a sum, again and again: a text of 2^12 names, if it were written out. */
static void extents_that_share_their_parts_compile(void **state)
{
    enum { LEVELS = 12, LENGTH = 200 };
    gn_graph *g = gn_graph_new(*state);
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *y = x;
    gn_func *f = NULL;
    for (int i = 0; i < LEVELS; i++) y = gn_concat(GN_EXPRS(gn_slice(y, "::2"), gn_slice(y, "::3")), 0);
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(y)));
    for (int64_t n = 1; n <= LENGTH; n += 66) {
        float in[LENGTH], want[LENGTH], next[LENGTH], got[LENGTH] = { 0 };
        int64_t size = n;
        for (int64_t i = 0; i < n; i++) in[i] = want[i] = (float)i;
        for (int level = 0; level < LEVELS; level++) {
            int64_t m = 0;
            for (int64_t step = 2; step <= 3; step++)
                for (int64_t i = 0; i < size; i += step) next[m++] = want[i];
            memcpy(want, next, sizeof want), size = m;
        }
        must(gn_call(f, GN_ARRAYS(gn_array_of(in, GN_F32, 1, &n)), GN_ARRAYS(gn_array_of(got, GN_F32, 1, &size))));
        assert_memory_equal(got, want, (size_t)size * sizeof *got);
    }
    gn_func_free(f);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_elements_that_are_not_there_is_refused),
        cmocka_unit_test(extents_that_are_asked_for_are_not_negative),
        cmocka_unit_test(what_never_fits_is_told_where_it_is_built),
        cmocka_unit_test(extents_that_are_equal_by_the_call_alone_compile),
        cmocka_unit_test(a_number_that_a_name_met_is_told_with_op_and_line),
        cmocka_unit_test(extents_that_share_their_parts_compile),
        cmocka_unit_test(every_step_takes_what_python_does_of_short_axes),
        cmocka_unit_test(a_name_is_told_once),
        cmocka_unit_test(a_node_that_is_built_again_is_told_with_both_lines),
        cmocka_unit_test(a_name_that_no_input_binds_is_told_where_it_was_written),
    };
    for (int i = 0; i < MOST * MOST; i++) ones[i] = 1;
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
