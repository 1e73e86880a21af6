/* Concatenations at run time: parts are written into slices of the result, by whatever toolchain, in calls and in
 * updates. */
#include "api.h"
#include <math.h>

enum { MOST = 300 };

static gn_array matrix(float *data, int64_t rows, int64_t columns)
{
    return gn_array_of(data, GN_F32, 2, (int64_t[]){ rows, columns });
}

/* Element (r, c) of part k. */
static float element(int k, int64_t r, int64_t c)
{
    return (float)(k * 100 + r * 10 + c);
}

static void fill(float *x, int k, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) x[r * columns + c] = element(k, r, c);
}

/* Part k has k mod 5 elements along the axis: every fifth is empty; every third is computed. */
static void join_inputs(gn_context *context, int n, int axis)
{
    gn_graph *g = gn_graph_new(context);
    gn_func *f = NULL;
    gn_expr *in[MOST], *part[MOST];
    gn_array given[MOST];
    int64_t total = 0;
    for (int k = 0; k < n; k++) {
        char name[16];
        const int64_t rows = axis == 0 ? k % 5 : 3, columns = axis == 0 ? 3 : k % 5;
        snprintf(name, sizeof name, "x%d", k);
        part[k] = in[k] = gn_input(g, name, GN_F32, "%d, %d", (int)rows, (int)columns);
        if (k % 3 == 0) part[k] = gn_neg(part[k]);
        float *data = calloc((size_t)(rows * columns + 1), sizeof *data);
        fill(data, k, rows, columns);
        given[k] = matrix(data, rows, columns);
        total += k % 5;
    }
    must(gn_compile(&f, g, .in = { (size_t)n, in }, .out = GN_EXPRS(gn_concat(((gn_exprs){ (size_t)n, part }), axis))));
    const int64_t rows = axis == 0 ? total : 3, columns = axis == 0 ? 3 : total;
    float *out = calloc((size_t)(rows * columns + 1), sizeof *out);
    must(gn_call(f, (gn_arrays){ (size_t)n, given }, GN_ARRAYS(matrix(out, rows, columns))));
    for (int64_t k = 0, start = 0; k < n; start += k % 5, k++)
        for (int64_t i = 0; i < k % 5; i++)
            for (int64_t j = 0; j < 3; j++) {
                const float want = axis == 0 ? element((int)k, i, j) : element((int)k, j, i), sign = k % 3 == 0 ? -1 : 1;
                const int64_t at = axis == 0 ? (start + i) * columns + j : j * columns + start + i;
                assert_true(out[at] == sign * want);
            }
    for (int k = 0; k < n; k++) free(given[k].data);
    free(out);
    gn_func_free(f);
    gn_graph_free(g);
}

static void parts_of_all_extents_are_joined(void **state)
{
    const int counts[] = { 2, 5, 9, 40, MOST };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int axis = 0; axis < 2; axis++) join_inputs(*state, counts[i], axis);
}

/* The same part twice, parts that are outputs and read by others, a concat in another, sums, a scalar: n is named. */
static void parts_are_used_elsewhere_too(void **state)
{
    enum { N = 70, PARTS = 7 };
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "n, 2"), *twice = gn_mul(x, 2), *rows = gn_sum(x, GN_AXES(1));
    gn_expr *inner = gn_concat(GN_EXPRS(x, twice, x, gn_add(twice, 1), twice), 0);
    gn_expr *outer = gn_concat(GN_EXPRS(gn_neg(x), inner, twice, gn_broadcast_to(gn_mean_all(x), "n, 2"), x, gn_neg(x)), 0);
    gn_expr *stack = gn_stack(GN_EXPRS(rows, gn_add(rows, 1), rows, gn_neg(rows), gn_mul(rows, 3), rows), 1);
    must(gn_compile(&f, g, .in = GN_EXPRS(x),
                    .out = GN_EXPRS(outer, twice, stack, gn_sum_all(inner), gn_sum(stack, GN_AXES(1)))));
    static float in[N][2], out[10 * N][2], doubled[N][2], st[N][6], sums[N];
    float total, mean = 0, want_total = 0;
    for (int i = 0; i < N; i++) {
        in[i][0] = (float)(i % 9), in[i][1] = (float)(i % 7 - 3);
        mean += in[i][0] + in[i][1];
    }
    must(gn_call(f, GN_ARRAYS(matrix(&in[0][0], N, 2)),
                 GN_ARRAYS(matrix(&out[0][0], 10 * N, 2), matrix(&doubled[0][0], N, 2), matrix(&st[0][0], N, 6),
                           GN_SCALAR(&total), GN_VIEW(sums, N))));
    for (int i = 0; i < N; i++) {
        const float row = in[i][0] + in[i][1];
        for (int j = 0; j < 2; j++) {
            const float v = in[i][j], want[10] = { -v, v, 2 * v, v, 2 * v + 1, 2 * v, 2 * v, mean / (2 * N), v, -v };
            for (int k = 0; k < 10; k++) assert_true(fabsf(out[k * N + i][j] - want[k]) < 1e-5f);
            assert_true(doubled[i][j] == 2 * v);
            want_total += 8 * v + 1;
        }
        const float want[6] = { row, row + 1, row, -row, 3 * row, row };
        for (int k = 0; k < 6; k++) assert_true(st[i][k] == want[k]);
        assert_true(sums[i] == 6 * row + 1);
    }
    assert_true(total == want_total);
    gn_func_free(f);
    gn_graph_free(g);
}

/* The new value of a variable is a concat of pieces of the old one: all of them are read before any is written. */
static void a_variable_may_be_joined_from_its_own_pieces(void **state)
{
    enum { N = 60 };
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float start[N], now[N];
    for (int i = 0; i < N; i++) start[i] = (float)i;
    gn_expr *v = gn_shared(g, "v", GN_VIEW(start, N)), *x = gn_input(g, "x", GN_F32, "10");
    gn_expr *next = gn_concat(GN_EXPRS(gn_slice(v, "50:"), gn_slice(v, ":10"), x, gn_slice(v, "10:20"),
                                       gn_slice(v, "20:30"), gn_neg(gn_slice(v, "30:40"))),
                              0);
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .update = GN_UPDATES({ v, next })));
    float given[10] = { 100, 101, 102, 103, 104, 105, 106, 107, 108, 109 };
    for (int turn = 0; turn < 2; turn++) {
        must(gn_get(v, GN_VIEW(start, N)));
        must(gn_call(f, GN_ARRAYS(GN_VIEW(given, 10)), (gn_arrays){ 0 }));
        must(gn_get(v, GN_VIEW(now, N)));
        for (int i = 0; i < 10; i++) {
            assert_true(now[i] == start[50 + i] && now[10 + i] == start[i] && now[20 + i] == given[i]);
            assert_true(now[30 + i] == start[10 + i] && now[40 + i] == start[20 + i] && now[50 + i] == -start[30 + i]);
        }
    }
    gn_func_free(f);
    gn_graph_free(g);
}

/* d/dx sum(w * concat(pieces of f(x))): pieces and joins in both directions. */
static void gradients_of_pieces_are_joined(void **state)
{
    enum { N = 6, LONG = 40 };
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "5, %d", N * LONG), *w = gn_input(g, "w", GN_F32, "5, %d", N * LONG), *piece[N];
    for (int k = 0; k < N; k++) piece[k] = gn_mul(gn_slice(x, ":, %d:%d", k * LONG, (k + 1) * LONG), k + 1);
    gn_expr *loss = gn_sum_all(gn_mul(w, gn_concat(((gn_exprs){ N, piece }), 1)));
    must(gn_compile(&f, g, .in = GN_EXPRS(x, w), .out = GN_EXPRS(gn_grad(loss, x), gn_grad(loss, w))));
    static float xs[5][N * LONG], ws[5][N * LONG], dx[5][N * LONG], dw[5][N * LONG];
    for (int r = 0; r < 5; r++)
        for (int c = 0; c < N * LONG; c++) xs[r][c] = (float)(r + c % 11), ws[r][c] = (float)(c % 5 - r);
    must(gn_call(f, GN_ARRAYS(matrix(&xs[0][0], 5, N * LONG), matrix(&ws[0][0], 5, N * LONG)),
                 GN_ARRAYS(matrix(&dx[0][0], 5, N * LONG), matrix(&dw[0][0], 5, N * LONG))));
    for (int r = 0; r < 5; r++)
        for (int c = 0; c < N * LONG; c++) {
            assert_true(dx[r][c] == ws[r][c] * (float)(c / LONG + 1));
            assert_true(dw[r][c] == xs[r][c] * (float)(c / LONG + 1));
        }
    gn_func_free(f);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_all_extents_are_joined),
        cmocka_unit_test(parts_are_used_elsewhere_too),
        cmocka_unit_test(a_variable_may_be_joined_from_its_own_pieces),
        cmocka_unit_test(gradients_of_pieces_are_joined),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
