/* Logistic regression with a penalty on large weights: 400 examples of 8 numbers, whose class is decided by a plane and
 * some noise. Prints the loss as it falls, and the learned plane beside the true one. */
#include <gnomon/gnomon.h>
#include <math.h>
#include <stdio.h>

enum { N = 400, D = 8 };
static float xs[N * D];
static int32_t ys[N];
static const double plane[D] = { 2, -1.5, 1, -0.5, 0, 0, 0.25, -2 };

/* A sum of four uniform numbers is nearly normal. */
static double noise(void)
{
    static uint64_t state = 42;
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(state >> 11) * 0x1p-53 - 0.5;
    }
    return sum;
}

static void draw_examples(void)
{
    for (int i = 0; i < N; i++) {
        double side = 0.3 * noise();
        for (int j = 0; j < D; j++) {
            const double v = noise();
            xs[i * D + j] = (float)v;
            side += plane[j] * v;
        }
        ys[i] = side > 0;
    }
}

static double cosine(const float *w)
{
    double dot = 0, a = 0, b = 0;
    for (int j = 0; j < D; j++) dot += plane[j] * (double)w[j], a += plane[j] * plane[j], b += (double)w[j] * (double)w[j];
    return dot / sqrt(a * b);
}

static int run(gn_graph *g)
{
    gn_expr *x = gn_input(g, "x", GN_F32, "n, %d", D), *y = gn_input(g, "y", GN_I32, "n");
    gn_expr *w = gn_param(g, "w", GN_F32, GN_ZEROS, "%d", D), *b = gn_param(g, "b", GN_F32, GN_ZEROS, "()");
    gn_expr *z = gn_add(gn_matmul(x, w), b);                                              /* z: (n) */
    gn_expr *fit = gn_mean_all(gn_sub(gn_softplus(z), gn_mul(z, gn_cast(y, GN_F32)))); /* -log p(y | x) */
    gn_expr *loss = gn_add(fit, gn_mul(gn_sum_all(gn_square(w)), 1e-4));
    gn_expr *hits = gn_mean_all(gn_eq(gn_gt(z, 0), gn_gt(y, 0)));
    gn_func *step = NULL;
    gn_array in[2] = { gn_array_of(xs, GN_F32, 2, (int64_t[]){ N, D }), GN_VIEW(ys, N) };
    float cost = 0, score = 0, learned[D];
    int bad = gn_compile(&step, g, .in = GN_EXPRS(x, y), .out = GN_EXPRS(loss, hits),
                         .update = gn_momentum(loss, gn_params(g), 0.5, 0.9), .name = "logistic");
    for (int i = 1; !bad && i <= 200; i++) {
        bad = gn_call(step, GN_ARRAYS(in[0], in[1]), GN_ARRAYS(GN_SCALAR(&cost), GN_SCALAR(&score)));
        if (!bad && (i == 1 || i % 50 == 0)) printf("step %3d  loss %.4f  accuracy %.3f\n", i, (double)cost, (double)score);
    }
    if (!bad && !(bad = gn_get(w, GN_VIEW(learned, D)))) {
        for (int j = 0; j < D; j++) printf("w[%d] %7.3f  true %5.2f\n", j, (double)learned[j], plane[j]);
        printf("cosine of the learned and the true plane: %.4f\n", cosine(learned));
    }
    gn_func_free(step);
    return bad;
}

int main(void)
{
    draw_examples();
    gn_graph *g = gn_graph_new(NULL);
    const int bad = run(g);
    if (bad) fprintf(stderr, "%s\n", gn_message());
    gn_graph_free(g);
    return bad != 0;
}
