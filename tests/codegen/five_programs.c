/* The five programs whose kernels are counted. Extents of 0 become named dims; the caller gives them sizes. */
#include "programs.h"
#include <gnomon/grad.h>
#include <gnomon/nn.h>
#include <gnomon/ops.h>
#include <inttypes.h>

static const char *extent(program *p, const char *name, int64_t n)
{
    return n ? gn_arena_printf(&p->arena, "%" PRId64, n) : name;
}

static gn_expr *in2(program *p, const char *name, gn_dtype dtype, const char *a, const char *b)
{
    return program_in(p, name, dtype, gn_arena_printf(&p->arena, b ? "%s, %s" : "%s", a, b));
}

static gn_expr *descend(gn_expr *w, gn_expr *slope)
{
    return gn_sub(w, gn_mul(slope, 0.1));
}

program *program_mlp(int64_t batch, int64_t in, int64_t hidden, int64_t out)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    p->index_most = out;
    gn_expr *x = in2(p, "x", GN_F32, extent(p, "batch", batch), extent(p, "in", in)),
            *t = in2(p, "t", GN_I32, extent(p, "batch", batch), NULL);
    gn_expr *w[4];
    w[0] = program_variable(p, "w1", GN_F32, 2, (int64_t[]){in, hidden}),
    w[1] = program_variable(p, "b1", GN_F32, 1, (int64_t[]){hidden});
    w[2] = program_variable(p, "w2", GN_F32, 2, (int64_t[]){hidden, out}),
    w[3] = program_variable(p, "b2", GN_F32, 1, (int64_t[]){out});
    gn_expr *a = gn_tanh(gn_add(gn_matmul(x, w[0]), w[1])), *z = gn_add(gn_matmul(a, w[2]), w[3]);
    gn_expr *loss = gn_mean_all(gn_cross_entropy(z, t)), *slope[4];
    gn_grads(loss, 4, w, slope);
    program_out(p, loss);
    for (size_t i = 0; i < 4; i++) program_update(p, w[i], descend(w[i], slope[i]));
    return p;
}

program *program_layer_norm(int64_t rows, int64_t columns)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    const char *r = extent(p, "r", rows), *c = extent(p, "c", columns);
    gn_expr *x = in2(p, "x", GN_F32, r, c), *scale = in2(p, "scale", GN_F32, c, NULL),
            *shift = in2(p, "shift", GN_F32, c, NULL);
    gn_expr *dy = in2(p, "dy", GN_F32, r, c), *y = gn_layer_norm(x, scale, shift, 1e-5), *of[3] = { x, scale, shift },
            *slope[3];
    gn_grads(gn_sum_all(gn_mul(y, dy)), 3, of, slope);
    program_out(p, y);
    for (size_t i = 0; i < 3; i++) program_out(p, slope[i]);
    return p;
}

program *program_cross_entropy(int64_t rows, int64_t columns)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    const char *r = extent(p, "r", rows);
    gn_expr *z = in2(p, "z", GN_F32, r, extent(p, "c", columns)), *t = in2(p, "t", GN_I32, r, NULL),
            *loss = gn_mean_all(gn_cross_entropy(z, t));
    program_out(p, loss);
    program_out(p, gn_grad(loss, z));
    return p;
}

program *program_logistic(int64_t rows, int64_t columns)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    const char *r = extent(p, "r", rows), *c = extent(p, "c", columns);
    gn_expr *x = in2(p, "x", GN_F32, r, c), *y = in2(p, "y", GN_F32, r, NULL), *w = in2(p, "w", GN_F32, c, NULL),
            *z = gn_matmul(x, w);
    gn_expr *loss = gn_mean_all(gn_sub(gn_softplus(z), gn_mul(y, z)));
    program_out(p, loss);
    program_out(p, gn_grad(loss, w));
    return p;
}

program *program_tiny(int64_t n)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    const char *e = extent(p, "n", n);
    gn_expr *x = in2(p, "x", GN_F32, e, NULL), *t = in2(p, "t", GN_F32, e, NULL), *w[4], *slope[4];
    w[0] = in2(p, "w1", GN_F32, e, e), w[1] = in2(p, "b1", GN_F32, e, NULL), w[2] = in2(p, "w2", GN_F32, e, e),
    w[3] = in2(p, "b2", GN_F32, e, NULL);
    gn_expr *h = gn_tanh(gn_add(gn_matmul(x, w[0]), w[1])), *o = gn_tanh(gn_add(gn_matmul(h, w[2]), w[3])),
            *d = gn_sub(o, t);
    gn_expr *loss = gn_sum_all(gn_mul(d, d));
    gn_grads(loss, 4, w, slope);
    program_out(p, loss);
    for (size_t i = 0; i < 4; i++) program_out(p, slope[i]);
    return p;
}
