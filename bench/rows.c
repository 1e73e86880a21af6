/* What Gnomon reaches, against what the machine can do: prints one table. `bench/run` adds the peers.
 *
 * usage: rows [NAME...]           the rows whose name contains one of the words; all without one
 *        rows --turns [NAME...]   for bench/compare, which runs two builds in turn: says each row and what it took to compile, then makes a
 *                                 round for each line of stdin (seconds a call, share of the limit), until the line "next" */
#include "row.h"

/* ---- contractions ---- */

static void contraction(const char *name, int n)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *a = gn_input(g, "a", GN_F32, "%d, %d", n, n), *b = gn_input(g, "b", GN_F32, "%d, %d", n, n);
    char shape[64];
    snprintf(shape, sizeof shape, "%dx%dx%d", n, n, n);
    row r = { name, shape, 2.0 * n * n * n, 12.0 * n * n, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(a, b), .out = GN_EXPRS(gn_matmul(a, b)), .name = "contraction"));
    const size_t count = (size_t)n * (size_t)n;
    float *x = row_floats(count, 1, 1), *y = row_floats(count, 2, 1), *z = row_floats(count, 3, 1);
    const int64_t dims[2] = { n, n };
    row_measure(&r, GN_ARRAYS(gn_array_of(x, GN_F32, 2, dims), gn_array_of(y, GN_F32, 2, dims)),
            GN_ARRAYS(gn_array_of(z, GN_F32, 2, dims)));
    free(x), free(y), free(z);
    gn_graph_free(g);
}

static void contraction_64(void) { contraction("contraction", 64); }
static void contraction_128(void) { contraction("contraction", 128); }
static void contraction_256(void) { contraction("contraction", 256); }
static void contraction_512(void) { contraction("contraction", 512); }
static void contraction_1024(void) { contraction("contraction", 1024); }
static void contraction_2048(void) { contraction("contraction", 2048); }

/* ---- memory-bound rows ---- */

static void chain(void)
{
    const int64_t n = 64 << 18; /* 64 MiB of f32 */
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    gn_expr *y = gn_maximum(gn_mul(gn_add(gn_mul(gn_sub(x, 0.5), 1.5), x), 0.25), 0.0);
    row r = { "chain of 5 operations", "64 MiB", 5.0 * (double)n, 8.0 * (double)n, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(y), .name = "chain"));
    float *a = row_floats((size_t)n, 1, 1), *b = row_floats((size_t)n, 2, 1);
    row_measure(&r, GN_ARRAYS(GN_VIEW(a, n)), GN_ARRAYS(GN_VIEW(b, n)));
    free(a), free(b);
    gn_graph_free(g);
}

static void rows_of(const char *name, gn_expr *(*make)(gn_expr *))
{
    const int64_t dims[2] = { 4096, 1024 };
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "rows, columns");
    row r = { name, "4096x1024", 0, 8.0 * 4096 * 1024, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(make(x)), .name = "rows"));
    float *a = row_floats(4096 * 1024, 1, 1), *b = row_floats(4096 * 1024, 2, 1);
    row_measure(&r, GN_ARRAYS(gn_array_of(a, GN_F32, 2, dims)), GN_ARRAYS(gn_array_of(b, GN_F32, 2, dims)));
    free(a), free(b);
    gn_graph_free(g);
}

static gn_expr *make_softmax(gn_expr *x) { return gn_softmax(x, 1); }
static gn_expr *make_layer_norm(gn_expr *x) { return gn_layer_norm(x, 1.0, 0.0, 1e-5); }
static void softmax(void) { rows_of("softmax", make_softmax); }
static void layer_norm(void) { rows_of("layer norm", make_layer_norm); }

static void layer_norm_gradient(void)
{
    const int64_t dims[2] = { 4096, 1024 };
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "4096, 1024"), *dy = gn_input(g, "dy", GN_F32, "4096, 1024");
    gn_expr *scale = gn_input(g, "scale", GN_F32, "1024"), *shift = gn_input(g, "shift", GN_F32, "1024");
    gn_expr *y = gn_layer_norm_at(GN_HERE, x, GN_OP(scale), GN_OP(shift), 1e-5), *d[3];
    gn_vjp(1, &y, &dy, 3, ((gn_expr *[]){ x, scale, shift }), d);
    row r = { "layer norm + gradients", "4096x1024", 0, 16.0 * 4096 * 1024, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x, dy, scale, shift), .out = GN_EXPRS(y, d[0], d[1], d[2]),
                    .name = "layer_norm"));
    float *a = row_floats(4096 * 1024, 1, 1), *b = row_floats(4096 * 1024, 2, 1), *c = row_floats(4096 * 1024, 3, 1),
          *e = row_floats(4096 * 1024, 4, 1);
    float s[1024], t[1024], ds[1024], dt[1024];
    meter_fill(s, 1024, 5, 1), meter_fill(t, 1024, 6, 1);
    row_measure(
        &r,
        GN_ARRAYS(gn_array_of(a, GN_F32, 2, dims), gn_array_of(b, GN_F32, 2, dims), GN_VIEW(s, 1024), GN_VIEW(t, 1024)),
        GN_ARRAYS(gn_array_of(c, GN_F32, 2, dims), gn_array_of(e, GN_F32, 2, dims), GN_VIEW(ds, 1024),
                  GN_VIEW(dt, 1024)));
    free(a), free(b), free(c), free(e);
    gn_graph_free(g);
}

static void cross_entropy(void)
{
    const int64_t dims[2] = { 64, 50257 }, n = 64 * 50257;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *z = gn_input(g, "z", GN_F32, "64, 50257"), *t = gn_input(g, "t", GN_I32, "64");
    gn_expr *loss = gn_mean_all(gn_cross_entropy(z, t));
    row r = { "cross-entropy + gradient", "64x50257", 0, 8.0 * (double)n, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(z, t), .out = GN_EXPRS(loss, gn_grad(loss, z)), .name = "cross_entropy"));
    float *a = row_floats((size_t)n, 1, 1), *b = row_floats((size_t)n, 2, 1), value;
    int32_t label[64];
    for (int i = 0; i < 64; i++) label[i] = i * 700;
    row_measure(&r, GN_ARRAYS(gn_array_of(a, GN_F32, 2, dims), GN_VIEW(label, 64)),
            GN_ARRAYS(GN_SCALAR(&value), gn_array_of(b, GN_F32, 2, dims)));
    free(a), free(b);
    gn_graph_free(g);
}

static void logistic(void)
{
    const int64_t dims[2] = { 100000, 128 };
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "100000, 128"), *y = gn_input(g, "y", GN_F32, "100000"),
            *w = gn_input(g, "w", GN_F32, "128");
    gn_expr *z = gn_einsum("ij,j->i", x, w), *loss = gn_mean_all(gn_sub(gn_softplus(z), gn_mul(y, z)));
    row r = { "logistic regr. + gradient", "100000x128", 4.0 * 100000 * 128, 4.0 * 100000 * 128, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x, y, w), .out = GN_EXPRS(loss, gn_grad(loss, w)), .name = "logistic"));
    float *a = row_floats(100000 * 128, 1, 1), *b = row_floats(100000, 2, 1), c[128], d[128], value;
    meter_fill(c, 128, 3, 0.1f);
    row_measure(&r, GN_ARRAYS(gn_array_of(a, GN_F32, 2, dims), GN_VIEW(b, 100000), GN_VIEW(c, 128)),
            GN_ARRAYS(GN_SCALAR(&value), GN_VIEW(d, 128)));
    free(a), free(b);
    gn_graph_free(g);
}

/* ---- pairs ---- */

enum { BODIES = 4096 };

/* x: (n, 3), m: (n); d: (n, n, 3), from i to j; the distance squared: (n, n). */
static gn_expr *pairs(gn_expr *x, gn_expr **d)
{
    *d = gn_sub(gn_expand(x, GN_AXES(0)), gn_expand(x, GN_AXES(1)));
    return gn_add(gn_sum(gn_square(*d), GN_AXES(2)), 1e-3);
}

static gn_expr *forces(gn_expr *x, gn_expr *m)
{
    gn_expr *d, *near = gn_rsqrt(pairs(x, &d)), *pull = gn_mul(gn_expand(m, GN_AXES(0)), gn_mul(near, gn_square(near)));
    return gn_sum(gn_mul(d, gn_expand(pull, GN_AXES(2))), GN_AXES(1));
}

static gn_expr *potential(gn_expr *x, gn_expr *m)
{
    gn_expr *d, *mass = gn_mul(gn_expand(m, GN_AXES(0)), gn_expand(m, GN_AXES(1)));
    return gn_sum_all(gn_mul(mass, gn_rsqrt(pairs(x, &d))));
}

static void bodies(const char *name, int gradient)
{
    const int64_t dims[2] = { BODIES, 3 };
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "n, 3"), *m = gn_input(g, "m", GN_F32, "n"),
            *energy = gradient ? potential(x, m) : NULL;
    row r = { name, "4096x3", 20.0 * BODIES * BODIES, 0, NULL, NULL };
    if (gradient)
        row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x, m), .out = GN_EXPRS(energy, gn_grad(energy, x)), .name = "bodies"));
    else row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x, m), .out = GN_EXPRS(forces(x, m)), .name = "bodies"));
    float *a = row_floats(BODIES * 3, 1, 1), *b = row_floats(BODIES, 2, 1), *c = row_floats(BODIES * 3, 3, 1), value;
    const gn_array in[2] = { gn_array_of(a, GN_F32, 2, dims), gn_array_of(b, GN_F32, 1, dims) },
                   out = gn_array_of(c, GN_F32, 2, dims);
    row_measure(&r, GN_ARRAYS(in[0], in[1]), gradient ? GN_ARRAYS(GN_SCALAR(&value), out) : GN_ARRAYS(out));
    free(a), free(b), free(c);
    gn_graph_free(g);
}

static void bodies_forces(void) { bodies("N-body forces", 0); }
static void bodies_gradient(void) { bodies("N-body energy + gradient", 1); }

/* ---- networks ---- */

static gn_expr *dense(gn_expr *x, const char *w, const char *b, int nin, int nout)
{
    gn_graph *g = gn_graph_of(x);
    return gn_add(gn_matmul(x, gn_param(g, w, GN_F32, GN_GLOROT, "%d, %d", nin, nout)),
                  gn_param(g, b, GN_F32, GN_ZEROS, "%d", nout));
}

static void mlp(void)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "batch, 784"), *t = gn_input(g, "t", GN_I32, "batch");
    gn_expr *z = dense(gn_tanh(dense(x, "w1", "b1", 784, 500)), "w2", "b2", 500, 10),
            *loss = gn_mean_all(gn_cross_entropy(z, t));
    row r = { "MLP step, SGD", "60x784-500-10", 60.0 * (2 * 2.0 * 784 * 500 + 3 * 2.0 * 500 * 10), 0, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x, t), .out = GN_EXPRS(loss), .update = gn_sgd(loss, gn_params(g), 0.01),
                    .fix = "batch=60", .name = "mlp"));
    float *a = row_floats(60 * 784, 1, 1), value;
    int32_t label[60];
    for (int i = 0; i < 60; i++) label[i] = i % 10;
    const int64_t dims[2] = { 60, 784 };
    row_need(gn_bind(&r.b, r.f, GN_ARRAYS(gn_array_of(a, GN_F32, 2, dims), GN_VIEW(label, 60)), GN_ARRAYS(GN_SCALAR(&value))));
    const double time = row_show(&r, 25, 0.02);
    const gn_func_info info = gn_func_inspect(r.f);
    if (time > 0)
        printf("    %.0f examples/s; planned peak %zu bytes, all buffers %zu, liveness bound %zu\n", 60 / time,
               info.peak_bytes, info.all_bytes, info.bound_bytes);
    gn_binding_free(r.b);
    gn_func_free(r.f);
    free(a);
    gn_graph_free(g);
}

typedef struct small_call {
    gn_func *f;
    gn_arrays in, out;
    void **moving[2];            /* pointers of two inputs, which change at each call; NULL: none does */
    void *place[2][2];           /* where they point in turn */
    unsigned turn;
} small_call;

static void call_function(void *user)
{
    const small_call *c = user;
    gn_call(c->f, c->in, c->out);
}

static void call_moving(void *user)
{
    small_call *c = user;
    c->turn ^= 1;
    for (int i = 0; i < 2; i++) *c->moving[i] = c->place[i][c->turn];
    gn_call(c->f, c->in, c->out);
}

/* x + y of two scalars: nearly nothing but the way to the generated function and back. */
static void smallest(void)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "()"), *y = gn_input(g, "y", GN_F32, "()");
    float a = 1, b = 2, sum = 0;
    small_call c = { .in = GN_ARRAYS(GN_SCALAR(&a), GN_SCALAR(&b)), .out = GN_ARRAYS(GN_SCALAR(&sum)) };
    gn_binding *bound;
    row_need(gn_compile(&c.f, g, .in = GN_EXPRS(x, y), .out = GN_EXPRS(gn_add(x, y)), .name = "smallest"));
    row_need(gn_bind(&bound, c.f, c.in, c.out));
    if (row_turns) {
        const row r = { "sum of two scalars", "1", 1, 0, c.f, bound };
        row_take_turns(&r, ", gn_run", row_run, bound, 0.01);
        row_take_turns(&r, ", gn_call", call_function, &c, 0.01);
    } else {
        double t[2];
        meter_in_turn(2, (void (*const[])(void *)){ row_run, call_function }, (void *const[]){ bound, &c }, t);
        printf("    sum of two scalars: gn_run %.1f ns, gn_call %.1f ns\n", t[0] * 1e9, t[1] * 1e9);
    }
    gn_binding_free(bound);
    gn_func_free(c.f);
    gn_graph_free(g);
}

/* Value and gradient of a 16-16-16 MLP at batch 1: what a call costs. */
static void small(void)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "1, 16"), *w1 = gn_input(g, "w1", GN_F32, "16, 16"),
            *b1 = gn_input(g, "b1", GN_F32, "16");
    gn_expr *w2 = gn_input(g, "w2", GN_F32, "16, 16"), *b2 = gn_input(g, "b2", GN_F32, "16");
    gn_expr *y = gn_add(gn_matmul(gn_tanh(gn_add(gn_matmul(x, w1), b1)), w2), b2), *loss = gn_sum_all(gn_square(y)), *d[4];
    gn_grads(loss, 4, ((gn_expr *[]){ w1, b1, w2, b2 }), d);
    row r = { row_turns ? "small MLP" : "small MLP, gn_run", "1x16-16-16", 5 * 2.0 * 256, 0, NULL, NULL };
    row_need(gn_compile(&r.f, g, .in = GN_EXPRS(x, w1, b1, w2, b2), .out = GN_EXPRS(loss, d[0], d[1], d[2], d[3]),
                    .name = "small"));
    float v[7][256], o[4][256], value;
    for (int i = 0; i < 7; i++) meter_fill(v[i], 256, (uint64_t)i + 1, 0.3f);
    const int64_t square[2] = { 16, 16 }, wide[2] = { 1, 16 };
    gn_array in[5] = { gn_array_of(v[0], GN_F32, 2, wide), gn_array_of(v[1], GN_F32, 2, square), GN_VIEW(v[2], 16),
                       gn_array_of(v[3], GN_F32, 2, square), GN_VIEW(v[4], 16) };
    small_call c = { r.f, { 5, in }, GN_ARRAYS(GN_SCALAR(&value), gn_array_of(o[0], GN_F32, 2, square), GN_VIEW(o[1], 16),
                                               gn_array_of(o[2], GN_F32, 2, square), GN_VIEW(o[3], 16)),
                     { &in[0].data, &in[1].data }, { { v[0], v[5] }, { v[1], v[6] } }, 0 };
    row_need(gn_bind(&r.b, r.f, c.in, c.out));
    if (row_turns) {
        row_take_turns(&r, ", gn_run", row_run, r.b, 0.01);
        row_take_turns(&r, ", gn_call", call_function, &c, 0.01);
        row_take_turns(&r, ", gn_call of moving inputs", call_moving, &c, 0.01);
    } else {
        double t[3];
        row_show(&r, 15, 0.02);
        meter_in_turn(3, (void (*const[])(void *)){ row_run, call_function, call_moving },
                      (void *const[]){ r.b, &c, &c }, t);
        printf("    10 arrays: gn_run %.1f ns, gn_call %.1f ns, with two other inputs at each call %.1f ns\n",
               t[0] * 1e9, t[1] * 1e9, t[2] * 1e9);
    }
    gn_binding_free(r.b);
    gn_func_free(r.f);
    gn_graph_free(g);
    smallest();
}

static void nodes(void)
{
    if (row_turns) return; /* nothing is called */
    const double start = meter_now();
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *y = x;
    for (int i = 0; i < 50000; i++) y = gn_tanh(gn_add(y, x));
    const double built = meter_now() - start;
    row_need(gn_graph_check(g));
    printf("%-26s %-22s %9.2f ms  %.0f ns a node\n", "building", "100,000 nodes", built * 1e3, built * 1e4);
    gn_graph_free(g);
}

static const struct {
    const char *name;
    void (*run)(void);
} all[] = { { "small", small },
            { "contraction64", contraction_64 },
            { "contraction128", contraction_128 },
            { "contraction256", contraction_256 },
            { "contraction512", contraction_512 },
            { "contraction1024", contraction_1024 },
            { "contraction2048", contraction_2048 },
            { "chain", chain },
            { "softmax", softmax },
            { "layernorm", layer_norm },
            { "normgradient", layer_norm_gradient },
            { "crossentropy", cross_entropy },
            { "logistic", logistic },
            { "mlp", mlp },
            { "bodies", bodies_forces },
            { "energy", bodies_gradient },
            { "blackscholes32", rows_black_scholes_f32 },
            { "blackscholes64", rows_black_scholes_f64 },
            { "adam", rows_adam },
            { "transpose", rows_transpose },
            { "scatter", rows_scatter },
            { "widths", rows_widths },
            { "nodes", nodes } };

int main(int argc, char **argv)
{
    const char *threads = getenv("GNOMON_THREADS");
    if (threads) row_threads = atoi(threads);
    if (argc > 1 && !strcmp(argv[1], "--turns")) row_turns = 1, argc--, argv++;
    if (!row_turns)
        printf("%s, %d thread%s; fma peak and copy (64 MiB) measured in turn with each row\n", meter_cpu(), row_threads,
               row_threads > 1 ? "s" : "");
    if (!row_turns) row_head();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int wanted = argc < 2;
        for (int a = 1; a < argc; a++) wanted |= strstr(all[i].name, argv[a]) != NULL;
        if (wanted) all[i].run();
    }
    if (!row_turns) printf("peak memory %.0f MiB\n", meter_peak_memory());
    return 0;
}
