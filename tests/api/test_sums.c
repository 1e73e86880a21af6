/* Long sums: what they lose grows with the longest chain of additions, not with the number of elements. */
#include "api.h"
#include <math.h>
#include "context_state.h"
#include "target.h"

enum { N = 10000000, UNKNOWN = 1 << 22 };

/* Additions on the longest way of an element to the total where `chains` accumulators add n elements in blocks and
 * blocks of blocks, so that for `reckoned` elements at most `most` blocks are in the outermost chain; then the tree
 * over the accumulators. An error is at most that times u sum |x| (N. Higham, The accuracy of floating point summation,
 * 1993, (2.6)). */
static int64_t way(int64_t n, int64_t chains, int64_t block, int64_t most, int64_t reckoned)
{
    int64_t span = block, sum = block;
    while ((reckoned / chains + span - 1) / span > most) span *= block, sum += block;
    sum += (n / chains + span - 1) / span + 1;
    while (chains > 1) chains /= 2, sum++;
    return sum;
}

typedef struct longest {         /* additions on the longest way */
    int64_t total, columns, rows, whole_rows, product;
} longest;

static longest longest_ways(int64_t lanes, bool known)
{
    const int64_t parts = (N + 4095) / 4096, over = lanes == 1 ? 16 : 64, r = known ? N : UNKNOWN, most = known ? 64 : 2048;
    return (longest){ .total = way(4096, 4 * lanes, 64, 64, 4096) + way(parts, over, 64, most, r / 4096),
                      .columns = 256 + way((N + 255) / 256, 4, 64, most, r / 256),
                      /* few: in parts as the total */
                      .rows = way(4096, 4 * lanes, 64, 64, 4096) + way(parts, 4, 64, most, r / 4096),
                      /* as many as may be: each in one */
                      .whole_rows = way(N, 4 * lanes, 64, most, r),
                      .product = way(N, 1, 1024, 1024, r) };
}

/* ---- the truth, in double ---- */

static float *left, *right;      /* 3 N elements each */
static double total, columns[3], rows[3], product[9];

static void fill(bool equal)
{
    uint64_t s = 1;
    for (int64_t i = 0; i < 3 * N; i++) { /* equal elements are the worst case: rounding always leans to one side */
        s = s * 6364136223846793005u + 1442695040888963407u;
        left[i] = equal ? 0.1f : (float)(s >> 40) * 0x1p-24f;
        right[i] = equal ? 0.7f : (float)(s >> 16 & 0xffffff) * 0x1p-24f;
    }
    total = 0;
    memset(columns, 0, sizeof columns), memset(rows, 0, sizeof rows), memset(product, 0, sizeof product);
    for (int64_t i = 0; i < N; i++) {
        total += left[i];
        for (int j = 0; j < 3; j++) columns[j] += left[3 * i + j], rows[j] += left[j * N + i];
        for (int j = 0; j < 9; j++) product[j] += (double)left[j / 3 * N + i] * right[3 * i + j % 3];
    }
}

/* ---- compiled ---- */

static void compare(const char *what, const float *got, const double *want, int n, int64_t most)
{
    double worst = 0;
    for (int i = 0; i < n; i++) worst = fmax(worst, fabs(got[i] / want[i] - 1));
    print_message("     %s: %.2g, at most %.2g\n", what, worst, (double)most * 0x1p-24);
    assert_true(worst <= (double)most * 0x1p-24);
}

static gn_array matrix(float *p, int64_t m, int64_t n)
{
    return gn_array_of(p, GN_F32, 2, (int64_t[]){ m, n });
}

static void sums(gn_context *c, const char *fix)
{
    gn_graph *g = gn_graph_new(c);
    gn_func *f = NULL;
    gn_expr *v = gn_input(g, "v", GN_F32, "n"), *t = gn_input(g, "t", GN_F32, "n, 3"),
            *w = gn_input(g, "w", GN_F32, "3, n"), *o = gn_input(g, "o", GN_F32, "n, 1");
    gn_expr *m = gn_input(g, "m", GN_F32, "m, n"), *a = gn_input(g, "a", GN_F32, "3, n"),
            *b = gn_input(g, "b", GN_F32, "n, 3");
    must(gn_compile(&f, g, .in = GN_EXPRS(v, t, w, o, m, a, b), .fix = fix,
                    .out = GN_EXPRS(gn_sum_all(v), gn_sum(t, GN_AXES(0)), gn_mean(w, GN_AXES(1)), gn_sum(o, GN_AXES(0)),
                                    gn_sum(m, GN_AXES(1)), gn_matmul(a, b))));
    float all, column[3], row[3], one, any[3], p[9];
    must(gn_call(f,
                 GN_ARRAYS(GN_VIEW(left, N), matrix(left, N, 3), matrix(left, 3, N), matrix(left, N, 1),
                           matrix(left, 3, N), matrix(left, 3, N), matrix(right, N, 3)),
                 GN_ARRAYS(GN_SCALAR(&all), GN_VIEW(column, 3), GN_VIEW(row, 3), GN_VIEW(&one, 1), GN_VIEW(any, 3),
                           matrix(p, 3, 3))));
    const longest most = longest_ways(c->target->vector_bytes < 8 ? 1 : c->target->vector_bytes / 4, fix != NULL);
    for (int i = 0; i < 3; i++) row[i] *= (float)N; /* one rounding here, one in the mean */
    compare("total", &all, &total, 1, most.total);
    compare("columns", column, columns, 3, most.columns);
    compare("means of rows", row, rows, 3, most.rows + 2);
    compare("a column", &one, &total, 1, most.total > most.columns ? most.total : most.columns);
    compare("rows", any, rows, 3, most.whole_rows);
    compare("product", p, product, 9, most.product + 1);
    gn_func_free(f);
    gn_graph_free(g);
}

static void long_sums_keep_their_digits(void **state)
{
    static const char *const targets[] = { "avx512", "avx2", "generic", "c11" };
    (void)state;
    left = malloc(3 * N * sizeof *left), right = malloc(3 * N * sizeof *right);
    /* the other compiles as well as long */
    for (int equal = 0; equal < (strcmp(api_options.toolchain, "cc") ? 2 : 1); equal++) {
        fill(equal);
        for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
            gn_context *c;
            gn_context_options o = api_options;
            o.target = targets[t];
            if (!gn_target_runs_here(gn_target_find(o.target))) continue;
            must(gn_context_new(&c, &o));
            print_message("   %s\n", targets[t]);
            sums(c, equal ? "n=10000000" : NULL);
            gn_context_free(c);
        }
    }
    free(left), free(right);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(long_sums_keep_their_digits) };
    static const char *const names[] = { "clang", "cc" }; /* the interpreter adds in long double */
    return run_on(2, names, false, tests, 1);
}
