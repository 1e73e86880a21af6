/* Handwritten digits: a network defined as a graph, differentiated, optimized, compiled inside this process, and
 * trained on real images.
 *     digits [DIR [OUT]]   DIR has optdigits-train.csv and optdigits-test.csv [examples/data]; into OUT the trained
 *                          classifier is written as plain C, which examples/embed uses */
#include <gnomon/gnomon.h>
#include <stdio.h>
#include <time.h>

enum { PIXELS = 64, HIDDEN = 128, CLASSES = 10, BATCH = 32, EPOCHS = 24 };

static gn_expr *dense(gn_expr *x, const char *w, const char *b, int nin, int nout)
{
    gn_graph *g = gn_graph_of(x);
    return gn_add(gn_matmul(x, gn_param(g, w, GN_F32, GN_HE, "%d, %d", nin, nout)),
                  gn_param(g, b, GN_F32, GN_ZEROS, "%d", nout));
}

static double seconds(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int read_table(gn_dataset *out, const char *dir, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return gn_csv_read(out, path, 0, -1);
}

static int train_epoch(gn_func *step, gn_dataset *train, unsigned epoch, double *spent, int64_t *steps)
{
    gn_progress bar = { .n = train->n / BATCH * BATCH };
    double sum = 0, hit = 0;
    float cost = 0, score = 0;
    int64_t n = 0;
    int bad = gn_dataset_shuffle(train, epoch);
    for (int64_t i = 0; !bad && i + BATCH <= train->n; i += BATCH) {
        gn_array xs = gn_array_rows(train->x, i, BATCH), ts = gn_array_rows(train->y, i, BATCH); /* views */
        const double start = seconds();
        bad = gn_call(step, GN_ARRAYS(xs, ts), GN_ARRAYS(GN_SCALAR(&cost), GN_SCALAR(&score)));
        *spent += seconds() - start;
        sum += (double)cost, hit += (double)score, n++;
        if (!bad)
            gn_progress_show(&bar, i + BATCH, "epoch %2u  loss %.4f  accuracy %.4f", epoch, sum / (double)n,
                             hit / (double)n);
    }
    *steps += n;
    return bad;
}

static void print_times(const char *name, const gn_func *f)
{
    const gn_func_info i = gn_func_inspect(f);
    printf("%-7s %9.2f %9.2f %9.2f %9.2f %9.2f   %s\n", name, i.build_ms, i.optimize_ms, i.codegen_ms, i.compile_ms,
           i.load_ms, i.cache_hit ? "found in the cache" : i.toolchain);
}

static void report(const gn_func *step, const gn_func *test, double spent, int64_t steps)
{
    const gn_func_info a = gn_func_inspect(step), b = gn_func_inspect(test);
    printf("\nmilliseconds  build  optimize      emit   compile      load\n");
    print_times("step", step);
    print_times("test", test);
    printf("\ncompilations        %d\n", !a.cache_hit + !b.cache_hit);
    printf("time per step       %.1f us (%d examples), %d kernels, %zu bytes of memory planned\n",
           1e6 * spent / (double)steps, BATCH, a.nkernels, a.peak_bytes);
    if (a.source_path)
        printf("generated source    %s\n                    %s\n"
               "as graphs           the same with .gn: `gnomon inspect` shows what became of them\n",
               a.source_path, b.source_path ? b.source_path : "");
}

/* The classifier of one image as digits.h and digits.c. */
static int export_classifier(gn_graph *g, gn_expr *x, gn_expr *z, const char *out)
{
    gn_func *one = NULL;
    const int bad =
        gn_compile(&one, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_argmax(z, 1)), .fix = "batch=1", .name = "digits") ||
        gn_export(one, "digits", out);
    if (!bad) printf("classifier in C     %s/digits.c\n", out);
    gn_func_free(one);
    return bad;
}

static int run(gn_graph *g, const char *dir, const char *out)
{
    gn_func *step = NULL, *test = NULL;
    gn_dataset train = { 0 }, held = { 0 };
    double spent = 0;
    int64_t steps = 0;
    float score = 0, rate = 0.2f;
    gn_expr *x = gn_input(g, "x", GN_F32, "batch, %d", PIXELS), *t = gn_input(g, "t", GN_I32, "batch");
    gn_expr *h = gn_relu(dense(gn_div(x, 16.0), "w1", "b1", PIXELS, HIDDEN)), *z = dense(h, "w2", "b2", HIDDEN, CLASSES);
    gn_expr *loss = gn_mean_all(gn_cross_entropy(z, t)), *hits = gn_mean_all(gn_eq(gn_argmax(z, 1), t));
    gn_expr *falling = gn_shared(g, "rate", GN_SCALAR(&rate)); /* the learning rate: set before each epoch */
    int bad =
        read_table(&train, dir, "optdigits-train.csv") || read_table(&held, dir, "optdigits-test.csv") ||
        gn_compile(&step, g, .in = GN_EXPRS(x, t), .out = GN_EXPRS(loss, hits),
                   .update = gn_momentum(loss, gn_params(g), falling, 0.9), .name = "digits_step", .keep_source = 1) ||
        gn_compile(&test, g, .in = GN_EXPRS(x, t), .out = GN_EXPRS(hits), .name = "digits_test", .keep_source = 1);
    if (!bad)
        printf("%lld images to learn from, %lld held out, network %d-%d-%d\n", (long long)train.n, (long long)held.n,
               PIXELS, HIDDEN, CLASSES);
    fflush(stdout);
    for (unsigned epoch = 1; !bad && epoch <= EPOCHS; epoch++) {
        rate = 0.2f * (float)(EPOCHS + 1 - epoch) / (float)EPOCHS;
        bad = gn_set(falling, GN_SCALAR(&rate)) || train_epoch(step, &train, epoch, &spent, &steps);
    }
    if (!bad) bad = gn_call(test, GN_ARRAYS(held.x, held.y), GN_ARRAYS(GN_SCALAR(&score)));
    if (!bad) {
        report(step, test, spent, steps);
        printf("test accuracy       %.2f%%\n", 100 * (double)score);
    }
    if (!bad && out) bad = export_classifier(g, x, z, out);
    gn_func_free(step), gn_func_free(test), gn_dataset_free(&train), gn_dataset_free(&held);
    return bad;
}

int main(int argc, char **argv)
{
    gn_graph *g = gn_graph_new(NULL);
    const int bad = run(g, argc > 1 ? argv[1] : "examples/data", argc > 2 ? argv[2] : NULL);
    if (bad) fprintf(stderr, "%s\n", gn_message());
    gn_graph_free(g);
    return bad != 0;
}
