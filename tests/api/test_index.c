/* Indices that the graph computes: a bad one is told with its line, like one that comes in, and changes no variable. */
#include "api.h"
#include "expr.h"
#include "shared.h"
#include <math.h>

static gn_array matrix(float *data, int64_t n, int64_t m)
{
    return gn_array_of(data, GN_F32, 2, (int64_t[]){ n, m });
}

static void expect_line(int line)
{
    char place[64];
    snprintf(place, sizeof place, "test_index.c:%d: ", line);
    assert_message_contains(place);
}

/* Named and constant extents: a program of several kernels, and one of a single function. */
static void a_computed_index_outside_its_axis_is_told(void **state)
{
    for (int named = 0; named < 2; named++) {
        gn_graph *g = gn_graph_new(*state);
        gn_func *f = NULL;
        gn_expr *x = gn_input(g, "x", GN_F32, named ? "n, m" : "4, 2"), *v = gn_input(g, "v", GN_F32, named ? "k" : "3");
        const int line = __LINE__ + 1;
        gn_expr *y = gn_take(x, gn_cast(gn_mul(v, 2.0), GN_I32), 0);
        must(gn_compile(&f, g, .in = GN_EXPRS(x, v), .out = GN_EXPRS(gn_tanh(y)), .name = "picked"));
        float a[8], at[3] = { 1.5f, 0, 1 }, out[6];
        for (int i = 0; i < 8; i++) a[i] = 0.1f * (float)i;
        for (int turn = 0; turn < 2; turn++) {
            at[1] = 0;
            must(gn_call(f, GN_ARRAYS(matrix(a, 4, 2), GN_VIEW(at, 3)), GN_ARRAYS(matrix(out, 3, 2))));
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 2; j++) assert_float_equal(out[2 * i + j], tanhf(a[2 * (int)(2 * at[i]) + j]), 1e-6);
            at[1] = 2;
            refuse(gn_call(f, GN_ARRAYS(matrix(a, 4, 2), GN_VIEW(at, 3)), GN_ARRAYS(matrix(out, 3, 2))), GN_EINDEX,
                   "take: element 1 of the computed indices is 4, outside [0, 4)");
            expect_line(line);
            at[1] = -0.5f;
            refuse(gn_call(f, GN_ARRAYS(matrix(a, 4, 2), GN_VIEW(at, 3)), GN_ARRAYS(matrix(out, 3, 2))), GN_EINDEX,
                   "is -1, outside [0, 4)");
        }
        gn_func_free(f);
        gn_graph_free(g);
    }
}

static void an_axis_without_elements_has_no_index(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *v = gn_input(g, "v", GN_F32, "k");
    must(gn_compile(&f, g, .in = GN_EXPRS(x, v), .out = GN_EXPRS(gn_take(x, gn_cast(v, GN_I64), 0))));
    float at[2] = { 0, 0 }, out[2], a[1] = { 5 };
    refuse(gn_call(f, GN_ARRAYS(GN_VIEW(a, 0), GN_VIEW(at, 2)), GN_ARRAYS(GN_VIEW(out, 2))), GN_EINDEX,
           "take: computed indices into an axis without elements");
    must(gn_call(f, GN_ARRAYS(GN_VIEW(a, 0), GN_VIEW(at, 0)), GN_ARRAYS(GN_VIEW(out, 0))));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(a, 1), GN_VIEW(at, 2)), GN_ARRAYS(GN_VIEW(out, 2))));
    assert_true(out[0] == 5 && out[1] == 5);
    gn_func_free(f);
    gn_graph_free(g);
}

enum { N = 6, C = 5 };

/* Cross-entropy whose labels are argmax + offset, trained: with the labels given, a second function says what is right. */
static void a_training_step_with_a_bad_computed_label_changes_nothing(void **state)
{
    for (int named = 0; named < 2; named++) {
        gn_graph *g = gn_graph_new(*state);
        gn_func *step = NULL, *given = NULL;
        float w0[C * C], u0[C * C], w[C * C], before[C * C], u[C * C], x[N * C], a[N * C] = { 0 }, cost, cost2;
        int64_t offset = 0, label[N];
        uint64_t seed = 3;
        for (int i = 0; i < C * C; i++) w0[i] = u0[i] = (float)test_uniform(&seed, -1, 1);
        for (int i = 0; i < N * C; i++) x[i] = (float)test_uniform(&seed, -1, 1);
        for (int i = 0; i < N; i++) label[i] = (i * 2) % 4, a[i * C + label[i]] = 1;
        gn_expr *xe = gn_input(g, "x", GN_F32, named ? "n, 5" : "6, 5"),
                *ae = gn_input(g, "a", GN_F32, named ? "n, 5" : "6, 5");
        gn_expr *te = gn_input(g, "t", GN_I64, named ? "n" : "6"), *oe = gn_input(g, "offset", GN_I64, "()");
        gn_expr *we = gn_shared(g, "w", matrix(w0, C, C)), *ue = gn_shared(g, "u", matrix(u0, C, C));
        const int line = __LINE__ + 1;
        gn_expr *loss = gn_mean_all(gn_cross_entropy(gn_matmul(xe, we), gn_add(gn_argmax(ae, 1), oe)));
        gn_expr *loss2 = gn_mean_all(gn_cross_entropy(gn_matmul(xe, ue), te));
        must(gn_compile(&step, g, .in = GN_EXPRS(xe, ae, oe), .out = GN_EXPRS(loss),
                        .update = GN_UPDATES({ we, gn_sub(we, gn_mul(gn_grad(loss, we), 0.5)) })));
        must(gn_compile(&given, g, .in = GN_EXPRS(xe, te), .out = GN_EXPRS(loss2),
                        .update = GN_UPDATES({ ue, gn_sub(ue, gn_mul(gn_grad(loss2, ue), 0.5)) })));
        for (int turn = 0; turn < 2; turn++) {
            offset = turn;
            for (int i = 0; i < N; i++) label[i] = (i * 2) % 4 + turn;
            must(gn_call(step, GN_ARRAYS(matrix(x, N, C), matrix(a, N, C), GN_SCALAR(&offset)),
                         GN_ARRAYS(GN_SCALAR(&cost))));
            must(gn_call(given, GN_ARRAYS(matrix(x, N, C), GN_VIEW(label, N)), GN_ARRAYS(GN_SCALAR(&cost2))));
            assert_float_equal(cost, cost2, 1e-5);
            must(gn_get(we, matrix(before, C, C)));
            must(gn_get(ue, matrix(u, C, C)));
            for (int i = 0; i < C * C; i++) assert_float_equal(before[i], u[i], 1e-5);
            offset = turn ? -1 : 3; /* labels are 0 and 2 */
            refuse(gn_call(step, GN_ARRAYS(matrix(x, N, C), matrix(a, N, C), GN_SCALAR(&offset)),
                           GN_ARRAYS(GN_SCALAR(&cost))),
                   GN_EINDEX,
                   turn ? "cross_entropy: element 0 of the computed indices is -1, outside [0, 5)"
                        : "cross_entropy: element 1 of the computed indices is 5, outside [0, 5)");
            expect_line(line);
            must(gn_get(we, matrix(w, C, C)));
            assert_memory_equal(w, before, sizeof w);
        }
        gn_func_free(step), gn_func_free(given);
        gn_graph_free(g);
    }
}

/* Rows of a table that are added to in place, at places that a conversion makes; the counter is an index and updated
 * too. */
static void a_table_updated_at_bad_places_stays_as_it_was(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float table0[12] = { 0 }, table[12], v[2] = { 0.5f, 2.5f }, row[3];
    int32_t counter0 = 1, counter;
    gn_expr *t = gn_shared(g, "table", matrix(table0, 4, 3)), *k = gn_shared(g, "counter", GN_SCALAR(&counter0));
    gn_expr *ve = gn_input(g, "v", GN_F32, "n"), *places = gn_cast(gn_floor(ve), GN_I32);
    gn_expr *ones = gn_full(g, GN_F32, 1.0, "n, 3"), *picked = gn_take(t, gn_mul(k, 2), 0);
    must(gn_compile(&f, g, .in = GN_EXPRS(ve), .out = GN_EXPRS(picked),
                    .update = GN_UPDATES({ t, gn_scatter_add(t, places, ones, 0) }, { k, gn_sub(k, 1) })));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(v, 2)), GN_ARRAYS(GN_VIEW(row, 3))));
    assert_true(row[0] == 0);
    v[1] = 4;
    refuse(gn_call(f, GN_ARRAYS(GN_VIEW(v, 2)), GN_ARRAYS(GN_VIEW(row, 3))), GN_EINDEX,
           "scatter_add: element 1 of the computed indices is 4, outside [0, 4)");
    v[1] = 0;
    must(gn_call(f, GN_ARRAYS(GN_VIEW(v, 2)), GN_ARRAYS(GN_VIEW(row, 3)))); /* counter 0 */
    assert_true(row[0] == 1);
    refuse(gn_call(f, GN_ARRAYS(GN_VIEW(v, 2)), GN_ARRAYS(GN_VIEW(row, 3))), GN_EINDEX,
           "take: element 0 of the computed indices is -2, outside [0, 4)");
    must(gn_get(t, matrix(table, 4, 3)));
    must(gn_get(k, GN_SCALAR(&counter)));
    assert_int_equal(counter, -1);
    for (int i = 0; i < 3; i++) assert_true(table[i] == 3 && table[3 + i] == 0 && table[6 + i] == 1 && table[9 + i] == 0);
    gn_func_free(f);
    gn_graph_free(g);
}

/* What else is done with a table to which rows are added. */
typedef enum { NOTHING, AN_EARLIER_READER, ROWS_OF_ITSELF, TWICE, AN_OUTPUT_TOO, WAYS } beside;

static gn_func *adder(gn_graph *g, gn_expr *t, beside how)
{
    gn_func *f = NULL;
    gn_expr *at = gn_input(g, "at", GN_I32, "n"), *u = gn_input(g, "u", GN_F32, "n, 3"), *rows = gn_take(t, at, 0);
    gn_expr *added = gn_scatter_add(t, at, how == ROWS_OF_ITSELF ? gn_add(u, rows) : u, 0);
    if (how == TWICE) added = gn_scatter_add(added, at, gn_mul(u, 2), 0);
    const gn_updates update = GN_UPDATES({ t, added });
    if (how == AN_EARLIER_READER) must(gn_compile(&f, g, .in = GN_EXPRS(at, u), .out = GN_EXPRS(rows), .update = update));
    else if (how == AN_OUTPUT_TOO)
        must(gn_compile(&f, g, .in = GN_EXPRS(at, u), .out = GN_EXPRS(added), .update = update));
    else must(gn_compile(&f, g, .in = GN_EXPRS(at, u), .out = { 0 }, .update = update));
    return f;
}

/* All numbers are small integers, so that sums are exact in any order. */
static void rows_are_added_in_the_memory_of_the_table(void **state)
{
    enum { ROWS = 40, NEW = 7 };
    static const int32_t at[NEW] = { 3, 0, 39, 3, 3, 17, 0 };
    for (beside how = NOTHING; how < WAYS; how++) {
        gn_graph *g = gn_graph_new(*state);
        float table[ROWS * 3], want[ROWS * 3], u[NEW * 3], out[ROWS * 3];
        for (int i = 0; i < ROWS * 3; i++) table[i] = want[i] = (float)(i % 11);
        for (int i = 0; i < NEW * 3; i++) u[i] = (float)(i % 5 + 1);
        gn_expr *t = gn_shared(g, "table", matrix(table, ROWS, 3));
        gn_func *f = adder(g, t, how);
        if (how == NOTHING) assert_non_null(strstr(gn_func_source(f), ":shares table"));
        const gn_arrays in = GN_ARRAYS(GN_VIEW(at, NEW), matrix(u, NEW, 3));
        for (int call = 0; call < 2; call++) {
            memcpy(table, want, sizeof want);
            for (int i = 0; i < NEW * 3; i++)
                want[3 * at[i / 3] + i % 3] +=
                    u[i] * (how == TWICE ? 3 : 1) + (how == ROWS_OF_ITSELF ? table[3 * at[i / 3] + i % 3] : 0);
            if (how == AN_EARLIER_READER) {
                must(gn_call(f, in, GN_ARRAYS(matrix(out, NEW, 3))));
                for (int i = 0; i < NEW * 3; i++) assert_true(out[i] == table[3 * at[i / 3] + i % 3]);
            } else if (how == AN_OUTPUT_TOO) {
                must(gn_call(f, in, GN_ARRAYS(matrix(out, ROWS, 3))));
                assert_memory_equal(out, want, sizeof want);
            } else {
                must(gn_call(f, in, (gn_arrays){ 0 }));
            }
            must(gn_get(t, matrix(table, ROWS, 3)));
            assert_memory_equal(table, want, sizeof want);
        }
        gn_func_free(f);
        gn_graph_free(g);
    }
}

/* An index that is a variable, which the call updates: the old value counts. */
static void a_variable_may_be_index_and_updated(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float x[3] = { 7, 8, 9 }, y;
    int64_t at = 1;
    gn_expr *xe = gn_input(g, "x", GN_F32, "n"), *k = gn_shared(g, "k", GN_SCALAR(&at));
    must(gn_compile(&f, g, .in = GN_EXPRS(xe), .out = GN_EXPRS(gn_take(xe, k, 0)),
                    .update = GN_UPDATES({ k, gn_add(k, 1) })));
    for (int i = 1; i < 3; i++) {
        must(gn_call(f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_SCALAR(&y))));
        assert_true(y == x[i]);
    }
    for (int turn = 0; turn < 2; turn++)
        refuse(gn_call(f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_SCALAR(&y))), GN_EINDEX,
               "take: element 0 of 'k' is 3, outside [0, 3)");
    must(gn_get(k, GN_SCALAR(&at)));
    assert_int_equal(at, 3);
    gn_func_free(f);
    gn_graph_free(g);
}

/* Labels cut out of an input, as language models have them: only they are looked at, and weights are still updated in
 * place. */
static void parts_of_an_input_are_labels(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float w0[8 * 8] = { 0 }, w[64], cost, first;
    int32_t tokens[2][5] = { { 0, 1, 2, 3, 4 }, { 5, 6, 7, 0, 1 } };
    gn_expr *t = gn_input(g, "tokens", GN_I32, "batch, 5"), *we = gn_shared(g, "w", matrix(w0, 8, 8));
    gn_expr *x = gn_slice(t, ":, :-1"), *y = gn_slice(t, ":, 1:");
    gn_expr *loss = gn_mean_all(gn_cross_entropy(gn_take(we, x, 0), y));
    must(gn_compile(&f, g, .in = GN_EXPRS(t), .out = GN_EXPRS(loss), .update = gn_sgd(loss, GN_EXPRS(we), 0.5)));
    const gn_array in = gn_array_of(tokens, GN_I32, 2, (int64_t[]){ 2, 5 });
    must(gn_call(f, GN_ARRAYS(in), GN_ARRAYS(GN_SCALAR(&first))));
    assert_float_equal(first, logf(8), 1e-5);
    must(gn_call(f, GN_ARRAYS(in), GN_ARRAYS(GN_SCALAR(&cost))));
    assert_true(cost < first);
    if (strcmp(api_options.toolchain, "interpreter")) assert_null(gn_variable_of(we)->spare);
    must(gn_get(we, matrix(w0, 8, 8)));
    tokens[1][4] = 8; /* a label, no operand of take */
    refuse(gn_call(f, GN_ARRAYS(in), GN_ARRAYS(GN_SCALAR(&cost))), GN_EINDEX,
           "cross_entropy: element 7 of the computed indices is 8, outside [0, 8)");
    tokens[1][4] = 1, tokens[1][0] = -1; /* the other way round */
    refuse(gn_call(f, GN_ARRAYS(in), GN_ARRAYS(GN_SCALAR(&cost))), GN_EINDEX,
           "take: element 4 of the computed indices is -1, outside [0, 8)");
    must(gn_get(we, matrix(w, 8, 8)));
    assert_memory_equal(w, w0, sizeof w);
    gn_func_free(f);
    gn_graph_free(g);
}

/* The last place of a long axis is no number of a narrow dtype: right indices must pass as they are. */
static void a_narrow_index_reaches_into_a_long_axis(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    static float x[300];
    float y;
    int8_t at = 60;
    for (int i = 0; i < 300; i++) x[i] = (float)i;
    gn_expr *xe = gn_input(g, "x", GN_F32, "300"), *k = gn_input(g, "k", GN_I8, "()");
    must(gn_compile(&f, g, .in = GN_EXPRS(xe, k), .out = GN_EXPRS(gn_take(xe, gn_add(k, k), 0))));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(x, 300), GN_SCALAR(&at)), GN_ARRAYS(GN_SCALAR(&y))));
    assert_true(y == 120);
    at = 100; /* wraps to -56 */
    refuse(gn_call(f, GN_ARRAYS(GN_VIEW(x, 300), GN_SCALAR(&at)), GN_ARRAYS(GN_SCALAR(&y))), GN_EINDEX,
           "is -56, outside [0, 300)");
    gn_func_free(f);
    gn_graph_free(g);
}

/* Bytes as they come from files: places cut out of them, sums and conversions, all without vectors of their own. */
static void parts_of_bytes_are_indices(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    uint8_t at[40], twice[40];
    float x[50], y[38], z[40];
    for (int i = 0; i < 50; i++) x[i] = (float)i / 2;
    for (int i = 0; i < 40; i++) at[i] = (uint8_t)(49 - i);
    gn_expr *xe = gn_input(g, "x", GN_F32, "50"), *k = gn_input(g, "k", GN_U8, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(xe, k),
                    .out =
                        GN_EXPRS(gn_take(xe, gn_slice(k, "1:-1"), 0), gn_mul(gn_cast(k, GN_F32), 0.5), gn_add(k, k))));
    at[0] = 77; /* not looked at */
    const gn_arrays in = GN_ARRAYS(GN_VIEW(x, 50), GN_VIEW(at, 40)),
                    out = GN_ARRAYS(GN_VIEW(y, 38), GN_VIEW(z, 40), GN_VIEW(twice, 40));
    must(gn_call(f, in, out));
    for (int i = 0; i < 38; i++) assert_true(y[i] == x[at[i + 1]]);
    for (int i = 0; i < 40; i++) assert_true(z[i] == 0.5f * (float)at[i] && twice[i] == 2 * at[i]);
    at[20] = 50;
    refuse(gn_call(f, in, out), GN_EINDEX, "element 19 of the computed indices is 50, outside [0, 50)");
    gn_func_free(f);
    gn_graph_free(g);
}

/* Indices (p, q) into axis 0 or 1 of x, each of p and q told apart or not by the indices, and likewise by the updates
 * (p, q, k): what is added along an axis that neither knows is added as often as the axis is long. Whole numbers, so
 * that sums are exact. */
static gn_expr *known_along(gn_expr *x, int bits, int rank)
{
    for (int d = 0; d < rank; d++)
        if (!(bits >> d & 1)) x = gn_slice(x, d == 0 ? "0:1" : d == 1 ? ":, 0:1" : ":, :, 0:1");
    return x;
}

/* Given, and computed from what is given; the greatest of the dtype is outside. */
static void each_dtype_of_integers_indexes(void **state)
{
    static const gn_dtype dtypes[] = { GN_I8, GN_I16, GN_I32, GN_I64, GN_U8, GN_U16, GN_U32, GN_U64 };
    const int64_t two = 2;
    const float x[3] = { 1, 2, 4 };
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
        const size_t size = gn_dtype_size(dtypes[d]);
        const bool has_sign = d < 4;
        gn_graph *g = gn_graph_new(*state);
        gn_func *f = NULL;
        gn_expr *xe = gn_input(g, "x", GN_F32, "n"), *k = gn_input(g, "k", dtypes[d], "m"), *given = gn_take(xe, k, 0);
        gn_expr *added = gn_scatter_add(xe, k, given, 0), *computed = gn_take(xe, gn_bit_xor(k, 1), 0);
        must(gn_compile(&f, g, .in = GN_EXPRS(xe, k), .out = GN_EXPRS(given, added, computed)));
        unsigned char at[16] = { 0 };
        at[size] = 1; /* 0, 1: little-endian */
        float y[2], sum[3], other[2];
        const gn_arrays in = GN_ARRAYS(GN_VIEW(x, 3), gn_array_of(at, dtypes[d], 1, &two)),
                        out = GN_ARRAYS(GN_VIEW(y, 2), GN_VIEW(sum, 3), GN_VIEW(other, 2));
        must(gn_call(f, in, out));
        assert_true(y[0] == 1 && y[1] == 2 && sum[0] == 2 && sum[1] == 4 && sum[2] == 4 && other[0] == 2 && other[1] == 1);
        memset(at + size, 0xff, size);
        if (has_sign) at[2 * size - 1] = 0x7f;
        char words[64];
        snprintf(words, sizeof words, "element 1 of 'k' is %llu, outside [0, 3)",
                 (unsigned long long)UINT64_MAX >> (64 - 8 * size + has_sign));
        refuse(gn_call(f, in, out), GN_EINDEX, words);
        gn_func_free(f);
        gn_graph_free(g);
    }
}

static void check_repeated(gn_context *c, gn_dtype t, int at, int know_i, int know_u, int named)
{
    enum { P = 3, Q = 5, K = 4, M = 6 };
    gn_graph *g = gn_graph_new(c);
    gn_func *f = NULL;
    const char *rows = named ? "p, q" : "3, 5", *all = at ? named ? "4, p, q" : "4, 3, 5" : named ? "p, q, 4" : "3, 5, 4";
    gn_expr *x = gn_input(g, "x", GN_F64, at ? "4, 6" : "6, 4"), *i = gn_input(g, "i", GN_I32, "%s", rows),
            *u = gn_input(g, "u", GN_F64, "%s", all);
    gn_expr *ib = gn_broadcast_to(known_along(i, know_i, 2), "%s", rows);
    gn_expr *ub = gn_broadcast_to(known_along(gn_cast(u, t), know_u, 3), "%s", all);
    must(gn_compile(&f, g, .in = GN_EXPRS(x, i, u),
                    .out = GN_EXPRS(gn_cast(gn_scatter_add(gn_cast(x, t), ib, ub, at), GN_F64))));
    double xs[M * K], us[P * Q * K], want[M * K], out[M * K];
    int32_t is[P * Q];
    uint64_t seed = 7;
    for (int e = 0; e < M * K; e++) xs[e] = want[e] = (double)(test_random(&seed) % 100);
    for (int e = 0; e < P * Q * K; e++) us[e] = (double)(test_random(&seed) % 100);
    for (int e = 0; e < P * Q; e++) is[e] = (int32_t)(test_random(&seed) % M);
    for (int p = 0; p < P; p++)
        for (int q = 0; q < Q; q++)
            for (int k = 0; k < K; k++) {
                const int row = is[(know_i & 1 ? p : 0) * Q + (know_i & 2 ? q : 0)];
                const int a = at ? k : p, b = at ? p : q, d = at ? q : k; /* the updates' position, and its extents */
                const int from =
                    ((know_u & 1 ? a : 0) * (at ? P : Q) + (know_u & 2 ? b : 0)) * (at ? Q : K) + (know_u & 4 ? d : 0);
                want[at ? k * M + row : row * K + k] += us[from];
            }
    const int64_t shape[2] = { at ? K : M, at ? M : K }, ushape[3] = { at ? K : P, at ? P : Q, at ? Q : K };
    must(gn_call(f,
                 GN_ARRAYS(gn_array_of(xs, GN_F64, 2, shape), gn_array_of(is, GN_I32, 2, (int64_t[]){ P, Q }),
                           gn_array_of(us, GN_F64, 3, ushape)),
                 GN_ARRAYS(gn_array_of(out, GN_F64, 2, shape))));
    for (int e = 0; e < M * K; e++)
        if (out[e] != want[e])
            fail_msg("%s, axis %d, indices %d, updates %d, named %d: element %d is %g, expected %g", gn_dtype_name(t),
                     at, know_i, know_u, named, e, out[e], want[e]);
    gn_func_free(f);
    gn_graph_free(g);
}

static void equal_updates_at_equal_places_all_count(void **state)
{
    static const gn_dtype dtypes[] = { GN_F32, GN_I32, GN_F64, GN_U32, GN_I64 };
    int n = 0;
    for (int at = 0; at < 2; at++)
        for (int know_i = 0; know_i < 4; know_i++)
            for (int know_u = 0; know_u < 8; know_u++, n++)
                check_repeated(*state, dtypes[n % 5], at, know_i, know_u, n / 8 % 2);
}

/* The constants of the report: four ones at index 2; a gradient of a row taken four times; an index modulo an extent
 * of 1. */
static void constant_updates_at_a_constant_place_all_count(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float in[5] = { 0 }, out[5], slope[5], one = 0.5f, sum;
    int32_t at[4] = { 0 };
    gn_expr *x = gn_input(g, "x", GN_F32, "5"), *two = gn_full(g, GN_I32, 2, "4"), *y = gn_input(g, "y", GN_F32, "1");
    gn_expr *i = gn_input(g, "i", GN_I32, "4"), *j = gn_mod(i, gn_cast(gn_dim(y, 0), GN_I32));
    must(gn_compile(&f, g, .in = GN_EXPRS(x, y, i),
                    .out = GN_EXPRS(gn_scatter_add(x, two, gn_full(g, GN_F32, 1.0, "4"), 0),
                                    gn_grad(gn_sum_all(gn_take(x, two, 0)), x),
                                    gn_scatter_add(y, j, gn_take(y, j, 0), 0))));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(in, 5), GN_VIEW(&one, 1), GN_VIEW(at, 4)),
                 GN_ARRAYS(GN_VIEW(out, 5), GN_VIEW(slope, 5), GN_VIEW(&sum, 1))));
    for (int e = 0; e < 5; e++) assert_true(out[e] == (e == 2 ? 4 : 0) && slope[e] == (e == 2 ? 4 : 0));
    assert_true(sum == 2.5f);
    gn_func_free(f);
    gn_graph_free(g);
}

/* The second program comes from the cache and has a line of its own. */
static void a_warm_function_names_its_own_line(void **state)
{
    for (int turn = 0; turn < 2; turn++) {
        gn_graph *g = gn_graph_new(*state);
        gn_func *f = NULL;
        float x[3] = { 1, 2, 3 }, y[3];
        gn_expr *xe = gn_input(g, "x", GN_F32, "n"), *i = gn_add(gn_iota(g, GN_I64, 0, "n"), 1);
        gn_expr *e = turn ? gn_take(xe, i, 0) :
                            gn_take(xe, i, 0);
        const int line = __LINE__ - (turn ? 2 : 1);
        must(gn_compile(&f, g, .in = GN_EXPRS(xe), .out = GN_EXPRS(gn_tanh(e)), .name = "warm"));
        refuse(gn_call(f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_VIEW(y, 3))), GN_EINDEX,
               "element 2 of the computed indices is 3, outside [0, 3)");
        expect_line(line);
        gn_func_free(f);
        gn_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_computed_index_outside_its_axis_is_told),
        cmocka_unit_test(an_axis_without_elements_has_no_index),
        cmocka_unit_test(a_training_step_with_a_bad_computed_label_changes_nothing),
        cmocka_unit_test(a_table_updated_at_bad_places_stays_as_it_was),
        cmocka_unit_test(rows_are_added_in_the_memory_of_the_table),
        cmocka_unit_test(a_variable_may_be_index_and_updated),
        cmocka_unit_test(parts_of_an_input_are_labels),
        cmocka_unit_test(a_narrow_index_reaches_into_a_long_axis),
        cmocka_unit_test(parts_of_bytes_are_indices),
        cmocka_unit_test(each_dtype_of_integers_indexes),
        cmocka_unit_test(equal_updates_at_equal_places_all_count),
        cmocka_unit_test(constant_updates_at_a_constant_place_all_count),
        cmocka_unit_test(a_warm_function_names_its_own_line),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
