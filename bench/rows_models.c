/* Rows of finance, training and movement. */
#include <math.h>
#include "row.h"

/* ---- Black-Scholes: call and put of n options ---- */

static gn_expr *normal_cdf(gn_expr *x)
{
    return gn_mul(gn_add(gn_erf(gn_mul(x, 0.70710678118654752)), 1.0), 0.5);
}

/* F. Black, M. Scholes, The pricing of options and corporate liabilities, 1973. */
static void prices(gn_expr *s, gn_expr *k, gn_expr *t, gn_expr *price[2])
{
    const double rate = 0.02, sigma = 0.3;
    gn_expr *root = gn_mul(gn_sqrt(t), sigma),
            *d1 = gn_div(gn_add(gn_log(gn_div(s, k)), gn_mul(t, rate + sigma * sigma / 2)), root), *d2 = gn_sub(d1, root),
            *later = gn_mul(k, gn_exp(gn_mul(t, -rate))), *n1 = normal_cdf(d1), *n2 = normal_cdf(d2);
    price[0] = gn_sub(gn_mul(s, n1), gn_mul(later, n2));
    price[1] = gn_sub(gn_mul(later, gn_sub(1.0, n2)), gn_mul(s, gn_sub(1.0, n1)));
}

/* black_scholes_c.c: what one would write by hand. */
void black_scholes_c(int64_t n, const double *s, const double *k, const double *t, double *call, double *put);

typedef struct by_hand {
    int64_t n;
    double *at[5];
} by_hand;

static void run_by_hand(void *user)
{
    const by_hand *h = user;
    black_scholes_c(h->n, h->at[0], h->at[1], h->at[2], h->at[3], h->at[4]);
}

static void fill_options(void *const at[3], gn_dtype dtype, size_t n)
{
    uint64_t state = 1;
    for (size_t i = 0; i < n; i++)
        for (int a = 0; a < 3; a++) {
            const double u = (double)(meter_random(&state) >> 11) * 0x1p-53, v = a == 2 ? 0.1 + 1.9 * u : 10 + 90 * u;
            if (dtype == GN_F64) ((double *)at[a])[i] = v;
            else ((float *)at[a])[i] = (float)v;
        }
}

static void black_scholes(const char *shape, gn_dtype dtype, int64_t n)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *s = gn_input(g, "s", dtype, "n"), *k = gn_input(g, "k", dtype, "n"), *t = gn_input(g, "t", dtype, "n"),
            *price[2];
    const size_t size = dtype == GN_F64 ? 8 : 4, bytes = (size_t)n * size;
    row r = { "Black-Scholes", shape, 0, 5.0 * (double)bytes, NULL, NULL };
    void *at[5];
    gn_array a[5];
    prices(s, k, t, price);
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(s, k, t), .out = GN_EXPRS(price[0], price[1]), .name = "black_scholes"));
    for (int i = 0; i < 5; i++) at[i] = row_memory(bytes), a[i] = gn_array_of(at[i], dtype, 1, &n);
    fill_options(at, dtype, (size_t)n);
    row_measure(&r, GN_ARRAYS(a[0], a[1], a[2]), GN_ARRAYS(a[3], a[4]));
    if (dtype == GN_F64 && !row_turns && row_threads == 1) {
        by_hand h = { n, { at[0], at[1], at[2], at[3], at[4] } };
        const meter_time m = meter_run(run_by_hand, &h, 9, 0.03);
        printf("    by hand: C with libmvec, -Ofast -march=native: %.2f us %.2f .. %.2f\n", m.median * 1e6, m.low * 1e6,
               m.high * 1e6);
    }
    for (int i = 0; i < 5; i++) free(at[i]);
    gn_graph_free(g);
}

void rows_black_scholes_f32(void) { black_scholes("16M f32", GN_F32, 16 << 20); }
void rows_black_scholes_f64(void) { black_scholes("4M f64", GN_F64, 4 << 20); }

/* ---- a training step with Adam ---- */

static gn_expr *dense(gn_expr *x, const char *w, const char *b, int nin, int nout)
{
    gn_graph *g = gn_graph_of(x);
    return gn_add(gn_matmul(x, gn_param(g, w, GN_F32, GN_GLOROT, "%d, %d", nin, nout)),
                  gn_param(g, b, GN_F32, GN_ZEROS, "%d", nout));
}

void rows_adam(void)
{
    enum { BATCH = 256 };
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "batch, 784"), *t = gn_input(g, "t", GN_I32, "batch");
    gn_expr *z = gn_relu(dense(gn_relu(dense(x, "w1", "b1", 784, 1024)), "w2", "b2", 1024, 1024)),
            *loss = gn_mean_all(gn_cross_entropy(dense(z, "w3", "b3", 1024, 10), t));
    const double products = BATCH * 2.0 * (2 * 784.0 * 1024 + 3 * 1024.0 * 1024 + 3 * 1024.0 * 10);
    row r = { "MLP step, Adam", "256x784-1024-1024-10", products, 0, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x, t), .out = GN_EXPRS(loss),
                        .update = gn_adam(loss, gn_params(g), 1e-3), .fix = "batch=256", .name = "adam"));
    float *a = row_floats(BATCH * 784, 1, 1), value;
    int32_t label[BATCH];
    const int64_t dims[2] = { BATCH, 784 };
    for (int i = 0; i < BATCH; i++) label[i] = i % 10;
    row_measure(&r, GN_ARRAYS(gn_array_of(a, GN_F32, 2, dims), GN_VIEW(label, BATCH)), GN_ARRAYS(GN_SCALAR(&value)));
    free(a);
    gn_graph_free(g);
}

/* ---- movement ---- */

static void transposed(const char *shape, int64_t m, int64_t n)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "m, n"), *b = gn_input(g, "b", GN_F32, "m");
    row r = { "transpose and bias", shape, 0, 8.0 * (double)(m * n), NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x, b), .out = GN_EXPRS(gn_add(gn_transpose(x), b)), .name = "transpose"));
    float *p = row_floats((size_t)(m * n), 1, 1), *q = row_floats((size_t)m, 2, 1), *y = row_floats((size_t)(m * n), 3, 1);
    row_measure(&r, GN_ARRAYS(gn_array_of(p, GN_F32, 2, (int64_t[]){ m, n }), gn_array_of(q, GN_F32, 1, &m)),
                GN_ARRAYS(gn_array_of(y, GN_F32, 2, (int64_t[]){ n, m })));
    free(p), free(q), free(y);
    gn_graph_free(g);
}

void rows_transpose(void)
{
    transposed("4096x4096", 4096, 4096);
    transposed("1000x37", 1000, 37);
    transposed("113x57", 113, 57);
}

/* An embedding's gradient: rows are added to a variable of 100,000 x 64 where indices say. */
void rows_scatter(void)
{
    enum { ROWS = 100000, WIDTH = 64, N = 4096 };
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *table = gn_param(g, "table", GN_F32, GN_ZEROS, "%d, %d", ROWS, WIDTH),
            *at = gn_input(g, "at", GN_I32, "n"), *u = gn_input(g, "u", GN_F32, "n, %d", WIDTH);
    row r = { "scatter-add, in place", "4096x64", N * (double)WIDTH, 12.0 * N * WIDTH, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(at, u), .update = GN_UPDATES({ table, gn_scatter_add(table, at, u, 0) }),
                        .name = "scatter"));
    int32_t index[N];
    uint64_t state = 7;
    for (int i = 0; i < N; i++) index[i] = (int32_t)(meter_random(&state) % ROWS);
    float *p = row_floats(N * WIDTH, 1, 1);
    row_measure(&r, GN_ARRAYS(GN_VIEW(index, N), gn_array_of(p, GN_F32, 2, (int64_t[]){ N, WIDTH })), GN_ARRAYS());
    free(p);
    gn_graph_free(g);
}

/* ---- programs so small that the call counts ---- */

static void narrow(const char *shape, int width)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "%d", width), *w = gn_input(g, "w", GN_F32, "%d", width);
    gn_expr *h = gn_tanh(gn_add(gn_mul(x, w), 0.5)), *loss = gn_sum_all(gn_square(gn_sub(h, gn_mean_all(h))));
    row r = { "small program", shape, 0, 12.0 * width, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x, w), .out = GN_EXPRS(loss, gn_grad(loss, w)), .name = "narrow"));
    float *p = row_floats((size_t)width, 1, 1), *q = row_floats((size_t)width, 2, 1), *d = row_floats((size_t)width, 3, 1),
          value;
    row_measure(&r, GN_ARRAYS(GN_VIEW(p, width), GN_VIEW(q, width)), GN_ARRAYS(GN_SCALAR(&value), GN_VIEW(d, width)));
    free(p), free(q), free(d);
    gn_graph_free(g);
}

void rows_widths(void)
{
    narrow("10", 10);
    narrow("16", 16);
    narrow("300", 300);
    narrow("304", 304);
    narrow("310", 310);
    narrow("320", 320);
}
