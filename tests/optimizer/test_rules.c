/* Every rule alone: it fires on its case and makes what the case says, leaves near misses alone, and keeps the numbers as its class
 * promises: golden/RULE.txt has the cases. */
#include "truth.h"
#include "ops/reference.h"

enum { TRIALS = 12 };

typedef struct rule_test {
    const gn_rule *rule;
    const gn_rule_set *set;
    uint64_t seed;
    test_graph t;
    int fired;             /* cases */
    double worst[2];       /* error in ulp before and after */
    bool infinite;         /* an input of the trial is */
} rule_test;

/* ---- values ---- */

static double sample_float(test_graph *t, gn_dtype dtype, uint64_t *seed, bool special)
{
    static const double odd[] = {0,
                                 -0.0,
                                 1,
                                 -1,
                                 2,
                                 -2,
                                 0.5,
                                 INFINITY,
                                 -INFINITY,
                                 NAN,
                                 0x1p-149,
                                 -0x1p-149,
                                 0x1p-126,
                                 0x1.fffffep127,
                                 -0x1.fffffep127,
                                 1e15,
                                 -1e15,
                                 88.5,
                                 -88.5,
                                 100,
                                 -100,
                                 1e-20,
                                 -1e-20,
                                 0x1p-24,
                                 1e-5};
    const uint64_t kind = test_random(seed) % 8;
    const double picked = odd[test_random(seed) % (sizeof odd / sizeof *odd)];
    if (special && kind < 3 && !(isfinite(picked) && fabs(picked) > t->most)) return (double)gn_ref_round(dtype, picked);
    const double scaled = ldexp(test_uniform(seed, -1, 1), (int)(test_random(seed) % 80) - 40);
    if (special && kind == 3 && fabs(scaled) <= t->most) return (double)gn_ref_round(dtype, scaled);
    return (double)gn_ref_round(dtype, test_uniform(seed, t->low, t->high));
}

static int64_t sample_int(gn_dtype dtype, uint64_t *seed)
{
    const uint64_t kind = test_random(seed) % 4;
    if (kind == 0) return gn_ref_least(dtype);
    if (kind == 1) return gn_ref_greatest(dtype);
    return gn_ref_wrap(dtype, kind == 2 ? (int64_t)(test_random(seed) % 7) - 3 : (int64_t)test_random(seed));
}

/* Returns whether a value is infinite. */
static bool set_input(test_graph *t, gn_evaluation *v, gn_expr *x, uint64_t *seed, bool special)
{
    bool infinite = false;
    static const struct {
        const char *name;
        int64_t size;
    } sizes[] = { { "n", 3 }, { "m", 2 }, { "k", 4 } };
    const gn_dtype dtype = (gn_dtype)x->type->dtype;
    int64_t shape[GN_MAX_RANK], count = 1;
    for (size_t i = 0; i < 3; i++) gn_evaluation_size(v, sizes[i].name, sizes[i].size);
    for (int d = 0; d < x->type->n; d++) shape[d] = gn_evaluation_dim(v, x->type->dim[d]), count *= shape[d];
    char *data = GN_NEW_ARRAY(v->arena, char, 8 * count + 8);
    for (int64_t i = 0; i < count; i++) {
        const double f = gn_is_float(dtype) ? sample_float(t, dtype, seed, special) : 0;
        const float f32 = (float)f;
        infinite |= isinf(f) != 0;
        const int64_t n = gn_is_float(dtype) ? 0 : sample_int(dtype, seed);
        const size_t size = gn_dtype_size(dtype);
        if (dtype == GN_F64) memcpy(data + 8 * i, &f, 8);
        else if (dtype == GN_F32) memcpy(data + 4 * i, &f32, 4);
        else memcpy(data + (int64_t)size * i, &n, size);
    }
    const gn_array a = gn_array_of(data, dtype, x->type->n, shape);
    gn_evaluation_set(v, x, &a);
    return infinite;
}

/* ---- comparison by class ---- */

static void compare_exact(rule_test *r, const gn_tensor *a, const gn_tensor *b)
{
    for (int64_t i = 0; i < a->count; i++) {
        const gn_ref x = a->at[i], y = b->at[i];
        const bool same =
            gn_is_float(a->dtype) ? (isnan(x.f) && isnan(y.f)) || (x.f == y.f && !signbit(x.f) == !signbit(y.f)) : x.i == y.i;
        if (!same) fail_msg("%s: %Lg (%lld) became %Lg (%lld)", r->rule->name, x.f, (long long)x.i, y.f, (long long)y.i);
    }
}

/* Distance from the truth in ulp, or in units of `slack` if that is larger; infinite for an infinity or NaN that is not the
 * truth's. The slack is what the evaluator grants the unrewritten form: near a zero of the function an ulp of the result says
 * nothing. */
static double error_of(gn_dtype dtype, long double v, long double slack, const mpfr_t real)
{
    const long double t = mpfr_get_ld(real, MPFR_RNDN), most = dtype == GN_F32 ? 0x1.fffffep127L : 0x1.fffffffffffffp1023L;
    if (isnan(t) || isnan(v)) return isnan(t) && isnan(v) ? 0 : (double)INFINITY;
    if (isinf(v)) return signbit(v) == signbit(t) && fabsl(t) >= most ? 0 : (double)INFINITY;
    if (isinf(t)) return (double)INFINITY;
    const long double rounded = gn_ref_round(dtype, t), ulp = gn_ref_ulp(dtype, isinf(rounded) ? most : rounded);
    mpfr_t d;
    mpfr_init2(d, TRUTH_BITS);
    mpfr_set_ld(d, v, MPFR_RNDN), mpfr_sub(d, d, real, MPFR_RNDN);
    const long double apart = fabsl(mpfr_get_ld(d, MPFR_RNDN));
    mpfr_clear(d);
    return (double)(apart / (isfinite(slack) && slack > ulp ? slack : ulp));
}

static bool has_nan(const gn_tensor *a)
{
    for (int64_t i = 0; i < a->count; i++)
        if (isnan(a->at[i].f)) return true;
    return false;
}

/* The new form stays within its own bound of the truth, so that it is the same real function, and is no further from it than the
 * old form was at its worst. Where an input is infinite the rule may know the limit of what is inf / inf, and a NaN in a row may
 * spread. */
static void compare_accurate(rule_test *r, const gn_tensor *a, const gn_tensor *b, const truth *t)
{
    for (int64_t i = 0; i < a->count; i++) {
        const long double slack = a->at[i].err;
        const double before = error_of(a->dtype, a->at[i].f, slack, t->at[i]),
                     after = error_of(a->dtype, b->at[i].f, slack, t->at[i]);
        if (r->infinite && has_nan(a)) continue;
        if (isfinite(before) && !isfinite(after))
            fail_msg("%s: %.9Lg became %.9Lg, true %.9g", r->rule->name, a->at[i].f, b->at[i].f, mpfr_get_d(t->at[i], MPFR_RNDN));
        const double bound = error_of(a->dtype, b->at[i].f, b->at[i].err, t->at[i]);
        if (isfinite(after) && bound > 1)
            fail_msg("%s: %.9Lg is not the same function, true %.9g", r->rule->name, b->at[i].f, mpfr_get_d(t->at[i], MPFR_RNDN));
        if (isfinite(after)) r->worst[0] = fmax(r->worst[0], before), r->worst[1] = fmax(r->worst[1], after);
    }
}

/* A body is the definition of what it replaces, but rounds more often: within the evaluator's bounds. */
static void compare_bounds(rule_test *r, const gn_tensor *a, const gn_tensor *b)
{
    for (int64_t i = 0; i < a->count; i++) {
        if (!gn_is_float(a->dtype)) assert_int_equal(a->at[i].i, b->at[i].i);
        else if (fabsl(a->at[i].f - b->at[i].f) > a->at[i].err + b->at[i].err)
            fail_msg("%s: %.9Lg became %.9Lg", r->rule->name, a->at[i].f, b->at[i].f);
    }
}

static void compare_relaxed(rule_test *r, const gn_tensor *a, const gn_tensor *b)
{
    for (int64_t i = 0; i < a->count; i++)
        if (!(fabsl(a->at[i].f - b->at[i].f) <= 1e-5L * (1 + fabsl(a->at[i].f))))
            fail_msg("%s: %.9Lg became %.9Lg", r->rule->name, a->at[i].f, b->at[i].f);
}

static gn_expr *decomposed(test_graph *t, gn_expr *e)
{
    struct gn_core core = core_of(t, e);
    gn_sweep(&core, (const gn_rule_set *[]){ &gn_rules_decompose }, 1, NULL, NULL);
    return core.out.at[0];
}

static void compare_values(rule_test *r, gn_expr *before, gn_expr *after)
{
    test_graph *t = &r->t;
    gn_arena scratch = { 0 };
    const bool accurate = r->rule->class == GN_ACCURATE && gn_is_float((gn_dtype)before->type->dtype);
    gn_expr *body = accurate ? decomposed(t, before) : NULL;
    for (int trial = 0; trial < TRIALS; trial++) {
        gn_evaluation *v = gn_evaluation_new(&scratch);
        r->infinite = false;
        for (size_t i = 0; i < t->ninput; i++)
            r->infinite |= set_input(t, v, t->input[i], &r->seed, r->rule->class <= GN_ACCURATE && trial > 1);
        const gn_tensor *a = gn_evaluate(v, before), *b = gn_evaluate(v, after);
        if (accurate) {
            truth_run run = { .arena = &scratch, .evaluation = v };
            mpfr_clear_flags();
            const truth *real = truth_of(&run, body);
            if (!mpfr_overflow_p() && !mpfr_underflow_p()) compare_accurate(r, a, b, real);
            truth_free(&run);
        } else if (r->set == &gn_rules_decompose) {
            compare_bounds(r, a, b);
        } else if (r->rule->class <= GN_ACCURATE) {
            compare_exact(r, a, b);
        } else {
            compare_relaxed(r, a, b);
        }
        gn_arena_free(&scratch);
    }
}

/* ---- one case ---- */

static bool fires(rule_test *r, gn_expr **e)
{
    gn_explain record = { .arena = &r->t.arena };
    struct gn_core core = core_of(&r->t, *e);
    gn_sweep(&core, &r->set, 1, &(gn_sweep_options){ .pass = "test", .explain = &record }, NULL);
    *e = core.out.at[0];
    for (size_t i = 0; i < record.lines.n; i++)
        if (!strcmp(record.lines.at[i].rule, r->rule->name)) return true;
    return false;
}

static void check_firing(rule_test *r, const gn_sx *left, const gn_sx *right)
{
    test_graph *t = &r->t;
    gn_expr *before = read_expr(t, left), *after = before;
    if (!fires(r, &after)) fail_msg("%s does not fire on %s, which becomes %s", r->rule->name, shown(t, before), shown(t, after));
    gn_expr *expected = in_order(t, read_expr(t, right));
    if (after != expected)
        fail_msg("%s: %s becomes %s, not %s", r->rule->name, shown(t, before), shown(t, after), shown(t, expected));
    assert_ptr_equal(before->type, after->type);
    compare_values(r, before, after);
    r->fired++;
}

static void run_case(void *arg)
{
    rule_test *r = arg;
    test_graph *t = &r->t;
    const gn_sx *x = read_case(&t->arena, __FILE__, "golden", r->rule->name);
    t->name = r->rule->name;
    for (size_t i = 0; i < x->n;) {
        if (read_setting(t, x, &i)) continue;
        if (gn_sx_is(x->at[i], "fire")) {
            assert_true(gn_sx_is(x->at[i + 2], "=>"));
            check_firing(r, x->at[i + 1], x->at[i + 3]);
            i += 4;
        } else if (gn_sx_is(x->at[i], "near")) {
            gn_expr *e = read_expr(t, x->at[i + 1]);
            if (fires(r, &e)) fail_msg("%s fires on a near miss, which becomes %s", r->rule->name, shown(t, e));
            i += 2;
        } else {
            gn_sx_fail(t->name, x->at[i], "expected in, fire, near, range or relax");
        }
    }
}

static void a_rule_does_what_its_case_says(void **state)
{
    rule_test *r = *state;
    r->seed = test_seed();
    test_graph_open(&r->t, r->rule->name);
    const gn_status status = gn_protect(run_case, r);
    if (status) fail_msg("%s", gn_message());
    assert_true(r->fired > 0);
    if (r->worst[1] > r->worst[0] + 1) fail_msg("%s: worst error %.3g ulp became %.3g", r->rule->name, r->worst[0], r->worst[1]);
    test_graph_close(&r->t);
}

int main(void)
{
    size_t n = 0;
    for (size_t k = 0; k < gn_nrule_sets; k++) n += gn_rule_sets[k]->nrules;
    struct CMUnitTest *tests = calloc(n, sizeof *tests);
    rule_test *rules = calloc(n, sizeof *rules);
    size_t i = 0;
    for (size_t k = 0; k < gn_nrule_sets; k++)
        for (uint32_t j = 0; j < gn_rule_sets[k]->nrules; j++, i++) {
            rules[i] = (rule_test){ .rule = &gn_rule_sets[k]->rule[j], .set = gn_rule_sets[k] };
            tests[i] = (struct CMUnitTest){ rules[i].rule->name, a_rule_does_what_its_case_says, NULL, NULL, &rules[i] };
        }
    mpfr_set_emax(mpfr_get_emax_max()), mpfr_set_emin(mpfr_get_emin_min());
    const int failed = _cmocka_run_group_tests("rules", tests, n, NULL, NULL);
    free(tests), free(rules);
    return failed;
}
