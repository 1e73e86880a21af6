/* First, second and third derivatives of every elementwise op, by both modes in turn, at points where formulas break:
 * zeros, ones, large and small arguments. Truth: differences in MPFR with 2000 bits, steps of 2^-400. Where there is
 * none, all modes are finite or none is. */
#include "gradcheck.h"
#include "ops/make.h"
#include "true_ops.h"

enum { PRECISION = 2000, STEP = 400, ORDERS = 3 };

static const double points[] = { 0, 1, -1, 2, -2, 0.5, -0.5, 3, 1e-8, -1e-8, 10, -10, 30, -30, 100, -100, 800, -800 };
enum { NPOINTS = sizeof points / sizeof *points };

/* ---- truth ---- */

/* The mixed derivative of orders n[0] and n[1] at x, by central differences, or from one side if `side` is 1 or -1. */
static void difference(mpfr_t out, const truth *t, const double *x, const int *n, int side)
{
    mpfr_t in[3], y, h, scale;
    for (int i = 0; i < 3; i++) mpfr_init2(in[i], PRECISION);
    mpfr_inits2(PRECISION, y, h, scale, (mpfr_ptr)NULL);
    mpfr_set_ui_2exp(h, 1, -STEP, MPFR_RNDN);
    mpfr_set_zero(out, 1);
    for (int i = 0, a = 1; i <= n[0]; a = a * (n[0] - i) / (i + 1), i++)
        for (int k = 0, b = 1; k <= n[1]; b = b * (n[1] - k) / (k + 1), k++) {
            const int at[2] = { i, k };
            for (int d = 0; d < 2; d++) { /* x + h (n/2 - at), all halves doubled */
                mpfr_mul_si(in[d], h, side ? 2 * side * (n[d] - at[d]) : n[d] - 2 * at[d], MPFR_RNDN);
                mpfr_div_ui(in[d], in[d], 2, MPFR_RNDN), mpfr_add_d(in[d], in[d], x[d], MPFR_RNDN);
            }
            t->f(y, (const mpfr_t *)in);
            const int order = n[0] + n[1], sign = side < 0 && order % 2 ? -1 : 1;
            mpfr_mul_si(y, y, sign * ((i + k) % 2 ? -1 : 1) * a * b, MPFR_RNDN), mpfr_add(out, out, y, MPFR_RNDN);
        }
    mpfr_mul_2si(out, out, STEP * (n[0] + n[1]), MPFR_RNDN);
    for (int i = 0; i < 3; i++) mpfr_clear(in[i]);
    mpfr_clears(y, h, scale, (mpfr_ptr)NULL);
}

/* The derivative, if there is one: differences from both sides and about the point agree. */
static bool derivative(double *out, const truth *t, const double *x, const int *n)
{
    mpfr_t d[3];
    double v[3];
    for (int i = 0; i < 3; i++) {
        mpfr_init2(d[i], PRECISION);
        difference(d[i], t, x, n, i - 1);
        v[i] = mpfr_get_d(d[i], MPFR_RNDN);
        mpfr_clear(d[i]);
    }
    *out = v[1];
    return fabs(v[1]) < 1e60 && fabs(v[0] - v[1]) <= 1e-30 + 1e-12 * fabs(v[1]) &&
           fabs(v[2] - v[1]) <= 1e-30 + 1e-12 * fabs(v[1]);
}

/* ---- graphs ---- */

/* dy/dx, forward or backward; y and x are scalars. */
static gn_expr *slope(gn_graph *g, gn_expr *y, gn_expr *x, bool forward)
{
    gn_expr *out, *one = gn_full(g, GN_F64, 1.0, "()");
    if (forward) gn_jvp(1, &y, 1, &x, &one, &out);
    else gn_grads(y, 1, &x, &out), gn_vjp(1, &y, &one, 1, &x, &out);
    return out;
}

static gn_expr *build(gn_graph *g, void *arg)
{
    gn_expr **in = arg;
    return gn_node(g, in[3]->op, in, (size_t)in[3]->op->arity, NULL);
}

typedef struct counts {
    int compared, none, wrong;
} counts;

/* All modes for orders n: bit i of `modes` is that of the i-th differentiation, those by the first operand first. */
static void check_point(const truth *t, const double *x, const int *n, counts *c)
{
    const int order = n[0] + n[1];
    double wanted = 0, got[1 << ORDERS];
    const bool exists = derivative(&wanted, t, x, n);
    exists ? c->compared++ : c->none++;
    for (int modes = 0; modes < 1 << order; modes++) {
        problem p = { .g = gn_graph_new(NULL), .n = (size_t)t->op->arity };
        gn_expr *in[4] = { 0 };
        gn_expr like = { .op = t->op };
        for (int i = 0; i < t->op->arity; i++) {
            p.x[i] = in[i] = gn_input(p.g, i ? "b" : "a", GN_F64, "()");
            p.number[i][0] = x[i], p.value[i] = gn_array_of(p.number[i], GN_F64, 0, NULL);
        }
        in[3] = &like;
        gn_expr *y = gn_build(GN_HERE, p.g, build, in);
        for (int i = 0; i < order; i++) y = slope(p.g, y, p.x[i < n[0] ? 0 : 1], modes >> i & 1);
        value_of(&p, y, &got[modes]);
        gn_graph_free(p.g);
        const double slack = 1e-9 * fabs(wanted) + 1e-9; /* of cancelling terms of size 1: 1 - tanh^2 */
        const bool wrong = exists ? !(fabs(got[modes] - wanted) <= slack) : isfinite(got[modes]) != isfinite(got[0]);
        if (!wrong) continue;
        c->wrong++;
        if (exists)
            print_error("%s at (%g, %g), orders %d %d, modes %d: %.12g, expected %.12g\n", t->op->name, x[0], x[1],
                        n[0], n[1], modes, got[modes], wanted);
        else
            print_error("%s at (%g, %g), orders %d %d: %g by modes 0, %g by modes %d\n", t->op->name, x[0], x[1], n[0],
                        n[1], got[0], got[modes], modes);
    }
}

static bool differentiable(const gn_op_info *op)
{
    return !op->not_differentiable && op->arity <= 2;
}

static void derivatives_are_right_at_special_points(void **state)
{
    (void)state;
    counts c = { 0 };
    for (size_t k = 0; k < sizeof truths / sizeof *truths; k++) {
        const truth *t = &truths[k];
        if (!differentiable(t->op)) continue;
        for (int i = 0; i < NPOINTS; i++)
            for (int j = 0; j < (t->op->arity == 2 ? 8 : 1); j++)
                for (int order = 1; order <= ORDERS; order++)
                    for (int first = t->op->arity == 2 ? 0 : order; first <= order; first++)
                        check_point(t, (double[]){ points[i], points[j] }, (int[]){ first, order - first }, &c);
    }
    print_message("%d derivatives compared, %d where there is none\n", c.compared, c.none);
    assert_int_equal(c.wrong, 0);
    assert_true(c.compared > 3 * c.none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_are_right_at_special_points),
    };
    mpfr_set_emax(mpfr_get_emax_max()), mpfr_set_emin(mpfr_get_emin_min());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
