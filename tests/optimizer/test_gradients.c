/* The derivatives of what the stabilizing rules rewrite: each rule's case is differentiated once and twice, in both
 * modes, at points where its formula as it is written overflows or cancels, and compared with differences in MPFR. */
#include "truth.h"
#include "ops/reference.h"
#include <gnomon/gnomon.h>

enum { STEP = 60, BITS = 1700 };

typedef struct rule_test {
    const gn_rule *rule;
    uint64_t seed;
    test_graph t;
    int compared;
} rule_test;

static const double special[] = { 0.25, -800, 104, -1e-5, 1,   -30, 89,  0,  800, -0.6931,
                                  -17,  -104, 30,  -200,  2.5, -88, 200, -1, 17,  1e-5 };

/* These get special values, the others moderate ones. */
static bool is_special(const gn_expr *input)
{
    return strchr("xz", *gn_attr_of(input, "name")->name) != NULL;
}

static gn_evaluation *inputs(rule_test *r, gn_arena *arena, const gn_expr_list *leaves, int trial)
{
    gn_evaluation *v = gn_evaluation_new(arena);
    gn_evaluation_size(v, "n", 2);
    for (size_t k = 0; k < leaves->n; k++) {
        gn_expr *x = leaves->at[k];
        const bool odd = is_special(x);
        int64_t shape[GN_MAX_RANK], count = 1;
        for (int d = 0; d < x->type->n; d++) shape[d] = gn_evaluation_dim(v, x->type->dim[d]), count *= shape[d];
        const gn_array a = gn_array_of(GN_NEW_ARRAY(arena, double, count + 1), (gn_dtype)x->type->dtype, x->type->n, shape);
        for (int64_t i = 0; i < count; i++) {
            const size_t at =
                (size_t)(trial * count + i + (int64_t)(k * (size_t)trial)) % (sizeof special / sizeof *special);
            const gn_ref e = { .dtype = a.dtype, .f = odd ? special[at] : test_uniform(&r->seed, -2, 2) };
            gn_ref_store(a.dtype, a.data, i, &e);
        }
        gn_evaluation_set(v, x, &a);
    }
    return v;
}

/* The sum of all elements with x moved. */
static void moved_sum(mpfr_t out, gn_arena *arena, gn_evaluation *v, gn_expr *body, gn_expr *x, int64_t at, int all,
                      int one)
{
    truth_run run = {
        .arena = arena, .evaluation = v, .bits = BITS, .moved = x, .at = at, .by = { all, one }, .step = STEP
    };
    const truth *t = truth_of(&run, body);
    mpfr_set_zero(out, 1);
    for (int64_t i = 0; i < t->count; i++)
        if (!mpfr_nan_p(t->at[i])) mpfr_add(out, out, t->at[i], MPFR_RNDN); /* outside the function's domain */
    truth_free(&run);
}

/* d S / d x[at], or its derivative along x's direction of ones. */
static double true_slope(gn_arena *arena, gn_evaluation *v, gn_expr *body, gn_expr *x, int64_t at, int order)
{
    mpfr_t sum, one;
    mpfr_inits2(BITS, sum, one, (mpfr_ptr)NULL);
    mpfr_set_zero(sum, 1);
    for (int all = -1; all <= 1; all += 2)
        for (int by = -1; by <= 1; by += 2) {
            if (order == 1 && all < 0) continue;
            moved_sum(one, arena, v, body, x, at, order == 1 ? 0 : all, by);
            mpfr_mul_si(one, one, order == 1 ? by : all * by, MPFR_RNDN), mpfr_add(sum, sum, one, MPFR_RNDN);
        }
    mpfr_mul_2si(sum, sum, order * (STEP - 1), MPFR_RNDN);
    const double d = mpfr_get_d(sum, MPFR_RNDN);
    mpfr_clears(sum, one, (mpfr_ptr)NULL);
    return d;
}

/* d sum(y) / d x; forward: along ones, which is the sum over x's elements. */
static gn_expr *slope(gn_expr *y, gn_expr *x)
{
    gn_expr *out;
    gn_grads_at(GN_HERE, gn_sum_all(y), 1, &x, &out, GN_DISCONNECTED_ZERO);
    return out;
}

static gn_expr *push(gn_expr *y, gn_expr *x)
{
    gn_expr *out, *one = gn_make_like(gn_graph_of(x), x, 1);
    gn_jvp(1, &y, 1, &x, &one, &out);
    return gn_sum_all(out);
}

static void compare(rule_test *r, const char *what, double got, double wanted, double tolerance)
{
    r->compared++;
    if (!(fabs(got - wanted) <= tolerance * (1 + fabs(wanted))))
        fail_msg("%s, %s: %.12g, expected %.12g", r->rule->name, what, got, wanted);
}

static void check_input(rule_test *r, const gn_expr_list *leaves, gn_expr *y, gn_expr *body, gn_expr *x, double tolerance)
{
    const double most = 1e15;
    gn_expr *const first = slope(y, x), *const second = slope(first, x), *const along = push(y, x);
    gn_expr *const mixed[] = { slope(along, x), push(first, x), push(along, x) };
    if (gn_graph_check(r->t.g)) fail_msg("%s", gn_message());
    for (int trial = 0; trial < 2; trial++) {
        gn_arena arena = { 0 };
        gn_evaluation *v = inputs(r, &arena, leaves, trial);
        const gn_tensor *a = gn_evaluate(v, first), *b = gn_evaluate(v, second), *m = gn_evaluate(v, mixed[0]);
        const gn_tensor *value = gn_evaluate(v, y);
        double sum[2] = { 0 };
        bool whole = true;
        for (int64_t i = 0; i < a->count; i++) {
            const double one = true_slope(&arena, v, body, x, i, 1), two = true_slope(&arena, v, body, x, i, 2);
            sum[0] += one, sum[1] += two;
            const bool outside = value->count == a->count && isnan(value->at[i].f);
            if (outside || !(fabs(one) < most && fabs(two) < most)) { /* of the domain; at a kink or a pole */
                whole = false;
                continue;
            }
            compare(r, "first derivative", (double)a->at[i].f, one, tolerance);
            compare(r, "second derivative", (double)b->at[i].f, two, tolerance);
            compare(r, "backward over forward", (double)m->at[i].f, two, tolerance);
        }
        if (whole) {
            compare(r, "forward", (double)gn_evaluate(v, along)->at[0].f, sum[0], tolerance * (double)a->count);
            compare(r, "forward over backward", (double)gn_evaluate(v, mixed[1])->at[0].f, sum[1],
                    tolerance * (double)a->count);
            compare(r, "forward over forward", (double)gn_evaluate(v, mixed[2])->at[0].f, sum[1],
                    tolerance * (double)a->count);
        }
        gn_arena_free(&arena);
    }
}

static void check_case(rule_test *r, gn_expr *y, double tolerance)
{
    gn_arena arena = { 0 };
    const gn_expr_list all = gn_reachable(&arena, 1, &y);
    gn_expr_list leaves = { 0 };
    for (size_t i = 0; i < all.n; i++)
        if (all.at[i]->op == &gn_op_input) gn_push(&arena, &leaves, all.at[i]);
    struct gn_core core = core_of(&r->t, y);
    gn_sweep(&core, (const gn_rule_set *[]){ &gn_rules_decompose }, 1, NULL, NULL);
    for (size_t i = 0; i < leaves.n; i++)
        check_input(r, &leaves, y, core.out.at[0], leaves.at[i], tolerance);
    gn_arena_free(&arena);
}

/* Cases over long rows are for values. */
static bool is_small(const test_graph *t)
{
    for (size_t i = 0; i < t->ninput; i++)
        for (int d = 0; d < t->input[i]->type->n; d++) {
            int64_t extent;
            if (gn_dim_is_const(t->input[i]->type->dim[d], &extent) && extent > 8) return false;
        }
    return true;
}

static void run_case(void *arg)
{
    rule_test *r = arg;
    test_graph *t = &r->t;
    const gn_sx *x = read_case(&t->arena, __FILE__, "golden", r->rule->name);
    for (size_t i = 0; i < x->n;) {
        if (read_setting(t, x, &i)) continue;
        if (gn_sx_is(x->at[i], "fire")) {
            gn_expr *y = read_expr(t, x->at[i + 1]);
            if (y->type->n && gn_rank_in(y) < 3 && is_small(t)) check_case(r, y, 1e-9);
            i += 4;
        } else {
            i += 2;
        }
    }
}

static void a_rewritten_formula_has_two_derivatives(void **state)
{
    rule_test *r = *state;
    r->seed = test_seed();
    test_graph_open(&r->t, r->rule->name);
    r->t.from = GN_F32, r->t.to = GN_F64;
    if (gn_protect(run_case, r)) fail_msg("%s", gn_message());
    test_graph_close(&r->t);
    assert_true(r->compared > 0);
}

int main(void)
{
    const gn_rule_set *set = &gn_rules_stabilize;
    struct CMUnitTest *tests = calloc(set->nrules, sizeof *tests);
    rule_test *rules = calloc(set->nrules, sizeof *rules);
    size_t n = 0;
    for (uint32_t i = 0; i < set->nrules; i++) {
        if (set->rule[i].class > GN_ACCURATE) continue;
        rules[n] = (rule_test){ .rule = &set->rule[i] };
        tests[n] = (struct CMUnitTest){ set->rule[i].name, a_rewritten_formula_has_two_derivatives, NULL, NULL, &rules[n] };
        n++;
    }
    mpfr_set_emax(mpfr_get_emax_max()), mpfr_set_emin(mpfr_get_emin_min());
    const int failed = _cmocka_run_group_tests("gradients", tests, n, NULL, NULL);
    free(tests), free(rules);
    return failed;
}
