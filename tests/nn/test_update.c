/* Optimizers: ten steps of each, through the reference evaluator, against the published formulas in loops of doubles. */
#include <gnomon/gnomon.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "evaluate.h"
#include "shared.h"
#include "testlib.h"

typedef struct step_request {
    gn_graph *g;
    const gn_updates *updates;
} step_request;

/* Applies all updates together, as a call does. */
static void step_body(void *arg)
{
    const step_request *r = arg;
    gn_arena arena = { 0 };
    void *next[32];
    gn_evaluation *v = gn_evaluation_new(&arena);
    for (size_t i = 0; i < r->g->variables.n; i++)
        gn_evaluation_set(v, r->g->variables.at[i], &gn_variable_of(r->g->variables.at[i])->value);
    for (size_t i = 0; i < r->updates->n; i++) {
        const gn_tensor *t = gn_evaluate(v, r->updates->at[i].value);
        next[i] = gn_arena_alloc_n(&arena, (size_t)t->count + 1, 8, 8);
        gn_tensor_store(t, next[i]);
    }
    for (size_t i = 0; i < r->updates->n; i++) {
        gn_array a = gn_variable_of(r->updates->at[i].variable)->value;
        a.data = next[i];
        assert_int_equal(gn_set(r->updates->at[i].variable, a), GN_OK);
    }
    gn_arena_free(&arena);
}

static void step(gn_graph *g, gn_updates u)
{
    step_request r = { g, &u };
    assert_int_equal(u.error, GN_OK);
    if (gn_protect(step_body, &r)) fail_msg("%s", gn_message());
}

/* loss = sum((w - c)^2) + b^3, with gradients 2 (w - c) and 3 b^2. */
typedef struct fixture {
    gn_graph *g;
    gn_expr *loss;
    double w[3], b;
} fixture;
static const double target[3] = { 1, -2, 0.5 };

static fixture begin(void)
{
    fixture f = { .g = gn_graph_new(NULL), .w = { 3, 1, -1 }, .b = 0.7 };
    gn_expr *w = gn_param(f.g, "w", GN_F64, GN_FROM(GN_VIEW(f.w, 3)), "3"),
            *b = gn_param(f.g, "b", GN_F64, GN_CONSTANT(0.7), "()");
    f.loss = gn_add(gn_sum_all(gn_square(gn_sub(w, gn_constant(f.g, GN_VIEW(target, 3))))), gn_mul(b, gn_square(b)));
    return f;
}

static void gradient(const fixture *f, double *g)
{
    for (int i = 0; i < 3; i++) g[i] = 2 * (f->w[i] - target[i]);
    g[3] = 3 * f->b * f->b;
}

static double *weight(fixture *f, int i)
{
    return i < 3 ? &f->w[i] : &f->b;
}

static void compare(fixture *f, const char *name)
{
    double w[3], b;
    assert_int_equal(gn_get(gn_params(f->g).at[0], GN_VIEW(w, 3)), GN_OK);
    assert_int_equal(gn_get(gn_params(f->g).at[1], GN_SCALAR(&b)), GN_OK);
    for (int i = 0; i < 4; i++) {
        const double got = i < 3 ? w[i] : b;
        if (fabs(got - *weight(f, i)) > 1e-12)
            fail_msg("%s: weight %d is %.15g, expected %.15g", name, i, got, *weight(f, i));
    }
}

static void sgd_descends_the_gradient(void **state)
{
    (void)state;
    fixture f = begin();
    const gn_updates u = gn_sgd(f.loss, gn_params(f.g), 0.1);
    assert_int_equal(u.n, 2);
    for (int s = 0; s < 10; s++) {
        double g[4];
        gradient(&f, g);
        for (int i = 0; i < 4; i++) *weight(&f, i) -= 0.1 * g[i];
        step(f.g, u);
        compare(&f, "sgd");
    }
    gn_graph_free(f.g);
}

static void momentum_keeps_a_velocity(void **state)
{
    (void)state;
    fixture f = begin();
    double v[4] = { 0 };
    const gn_updates u = gn_momentum(f.loss, gn_params(f.g), 0.05, 0.9);
    assert_int_equal(u.n, 4);
    for (int s = 0; s < 10; s++) {
        double g[4];
        gradient(&f, g);
        for (int i = 0; i < 4; i++) v[i] = 0.9 * v[i] + g[i], *weight(&f, i) -= 0.05 * v[i];
        step(f.g, u);
        compare(&f, "momentum");
    }
    gn_graph_free(f.g);
}

static void adam_corrects_its_moments(void **state)
{
    (void)state;
    fixture f = begin();
    double m[4] = { 0 }, v[4] = { 0 };
    const gn_updates u = gn_adam(f.loss, gn_params(f.g), 0.01);
    assert_int_equal(u.n, 7);
    for (int s = 1; s <= 10; s++) {
        double g[4];
        gradient(&f, g);
        for (int i = 0; i < 4; i++) {
            m[i] = 0.9 * m[i] + 0.1 * g[i], v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            *weight(&f, i) -= 0.01 * (m[i] / (1 - pow(0.9, s))) / (sqrt(v[i] / (1 - pow(0.999, s))) + 1e-8);
        }
        step(f.g, u);
        compare(&f, "adam");
    }
    gn_graph_free(f.g);
}

static void the_rate_may_be_an_expression(void **state)
{
    (void)state;
    fixture f = begin();
    float rate = 0.25f;
    gn_expr *r = gn_shared(f.g, "rate", GN_SCALAR(&rate)); /* f32 beside f64 parameters */
    const gn_updates u = gn_sgd(f.loss, gn_params(f.g), r);
    for (int s = 0; s < 3; s++) {
        double g[4];
        gradient(&f, g);
        for (int i = 0; i < 4; i++) *weight(&f, i) -= (double)rate * g[i];
        step(f.g, u);
        compare(&f, "sgd with a variable rate");
        rate /= 2;
        assert_int_equal(gn_set(r, GN_SCALAR(&rate)), GN_OK);
    }
    gn_graph_free(f.g);
}

static void state_is_no_parameter(void **state)
{
    (void)state;
    fixture f = begin();
    gn_adam(f.loss, gn_params(f.g), 0.01);
    gn_momentum(f.loss, gn_params(f.g), 0.01, 0.9);
    const gn_updates again = gn_momentum(f.loss, gn_params(f.g), 0.01, 0.9);
    assert_int_equal(gn_graph_check(f.g), GN_OK);
    assert_int_equal(gn_params(f.g).n, 2);
    assert_string_equal(gn_variable_of(again.at[1].variable)->name, "w.momentum.2");
    gn_graph_free(f.g);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    fixture f = begin();
    char place[64];
    gn_expr *x = gn_input(f.g, "x", GN_F64, "3"), *vector = gn_param(f.g, "unused", GN_F64, GN_ZEROS, "2");
    struct {
        gn_updates u;
        int line;
        gn_status status;
        const char *message;
    } cases[] = {
        { gn_sgd(f.loss, GN_EXPRS(x), 0.1), __LINE__, GN_EINVAL, "sgd: what is to be updated is no shared variable" },
        { gn_sgd(f.loss, ((gn_exprs){ 0 }), 0.1), __LINE__, GN_EINVAL, "sgd: the list of parameters is empty" },
        { gn_sgd(f.loss, gn_params(f.g), 0.1), __LINE__, GN_EGRAD, "does not depend on" },
        { gn_sgd(f.loss, GN_EXPRS(gn_params(f.g).at[0]), vector), __LINE__, GN_ESHAPE,
          "sgd: the learning rate is no scalar" },
        { gn_momentum(f.loss, GN_EXPRS(gn_params(f.g).at[0]), 0.1, vector), __LINE__, GN_ESHAPE,
          "momentum: the momentum is no scalar" },
        { gn_adam(gn_square(vector), gn_params(f.g), 0.1), __LINE__, GN_EGRAD, "no scalar" },
        { gn_adam(NULL, gn_params(f.g), 0.1), __LINE__, GN_EINVAL, "adam" },
    };
    (void)place;
    assert_int_equal(gn_graph_check(f.g), cases[0].status); /* the first stays */
    assert_message_contains(cases[0].message);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(cases[i].u.n, 0);
        assert_int_equal(cases[i].u.error, cases[i].status);
    }
    gn_graph_free(f.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_descends_the_gradient),
        cmocka_unit_test(momentum_keeps_a_velocity),
        cmocka_unit_test(adam_corrects_its_moments),
        cmocka_unit_test(the_rate_may_be_an_expression),
        cmocka_unit_test(state_is_no_parameter),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
