/* Every rule alone: it fires on its case and makes what the case says, leaves near misses alone, and keeps the numbers
 * as its class promises, at every dtype that it fires for: golden/RULE.txt has the cases. Values are special ones,
 * crossed, and numbers from the whole range of the dtype. */
#include "truth.h"
#include "ops/reference.h"

enum { RANDOM_TRIALS = 24, NEIGHBOURS = 32 };

typedef struct rule_test {
    const gn_rule *rule;
    const gn_rule_set *set;
    uint64_t seed;
    test_graph t;
    int fired;             /* cases */
    bool infinite;         /* an input of the trial is */
} rule_test;

/* ---- values ---- */

/* By importance: where more inputs are crossed, fewer are taken. */
static const double odd_f32[] = { 0,
                                  1,
                                  -1,
                                  INFINITY,
                                  -INFINITY,
                                  NAN,
                                  0x1.fffffep127,
                                  -0x1.fffffep127,
                                  0x1p-149,
                                  -0x1p-126,
                                  -0.0,
                                  88.5,
                                  -88.5,
                                  0x1p-24,
                                  2,
                                  -2,
                                  0.5,
                                  0x1.000002p0,
                                  -0x1.fffffep-1,
                                  -0x1p-149,
                                  0x1p-126,
                                  100,
                                  -100,
                                  -104,
                                  1e-20,
                                  -1e-20,
                                  1e15,
                                  -1e15,
                                  17.5,
                                  -17.5,
                                  0x1.62e43p-1,
                                  -0x1.62e43p-1,
                                  1e-5,
                                  0x1.fffffep-1,
                                  -0x1.000002p0,
                                  1e19,
                                  1e-38,
                                  89,
                                  -89,
                                  3 };
static const double odd_f64[] = { 0,
                                  1,
                                  -1,
                                  INFINITY,
                                  -INFINITY,
                                  NAN,
                                  0x1.fffffffffffffp1023,
                                  -0x1.fffffffffffffp1023,
                                  0x1p-1074,
                                  -0x1p-1022,
                                  -0.0,
                                  709.5,
                                  -709.5,
                                  0x1p-53,
                                  2,
                                  -2,
                                  0.5,
                                  0x1.0000000000001p0,
                                  -0x1.fffffffffffffp-1,
                                  -0x1p-1074,
                                  0x1p-1022,
                                  745,
                                  -745,
                                  -750,
                                  1e-150,
                                  -1e-150,
                                  1e300,
                                  -1e300,
                                  37.5,
                                  -37.5,
                                  0x1.62e42fefa39efp-1,
                                  -0x1.62e42fefa39efp-1,
                                  1e-10,
                                  0x1.fffffffffffffp-1,
                                  -0x1.0000000000001p0,
                                  1e153,
                                  1e-307,
                                  711,
                                  -711,
                                  3 };
enum { ODD_FLOATS = sizeof odd_f32 / sizeof *odd_f32, ODD_INTS = 16 };

static double odd_float(gn_dtype dtype, size_t i)
{
    return dtype == GN_F64 ? odd_f64[i] : (double)gn_ref_round(dtype, odd_f32[i]);
}

static int64_t odd_int(gn_dtype dtype, size_t i)
{
    const int64_t least = gn_ref_least(dtype), most = gn_ref_greatest(dtype);
    const int64_t odd[ODD_INTS] = { 0,         1,        -1,    least,  most,     2,          3,  -7,
                                    least + 1, most - 1, 65536, -65537, most / 2, 1000000007, 31, 255 };
    return gn_ref_wrap(dtype, odd[i]);
}

/* Magnitudes are uniform in their logarithm: all of the dtype's range, or about 1. */
static double sample_float(test_graph *t, gn_dtype dtype, uint64_t *seed, bool wide)
{
    if (!wide || test_random(seed) % 2) return (double)gn_ref_round(dtype, test_uniform(seed, t->low, t->high));
    const int range = test_random(seed) % 2 ? 20 : dtype == GN_F64 ? 1022 : dtype == GN_F16 ? 14 : 126;
    const double sign = test_random(seed) % 2 ? 1 : -1;
    return (double)gn_ref_round(dtype, sign * exp2(test_uniform(seed, -range, range)));
}

static int64_t sample_int(gn_dtype dtype, uint64_t *seed)
{
    const uint64_t word = test_random(seed) >> (test_random(seed) % 64);
    return gn_ref_wrap(dtype, test_random(seed) % 2 ? (int64_t)word : -(int64_t)word);
}

/* One trial's inputs. */
typedef struct values {
    gn_evaluation *v;
    size_t n;
    gn_array a[8];
    gn_expr *x[8];
    bool infinite, nan;
} values;

static void set_element(values *w, gn_array *a, int64_t i, double f, int64_t n)
{
    gn_ref r = { .dtype = a->dtype, .f = f, .i = n };
    gn_ref_store(a->dtype, a->data, i, &r);
    if (gn_is_float(a->dtype)) w->infinite |= isinf(f), w->nan |= isnan(f);
}

/* `trial` counts the crossed ones, -1: random; `most` special values of each input are crossed. */
static void fill(rule_test *r, values *w, gn_array *a, int64_t count, int64_t stride, size_t most, int64_t trial, bool wide)
{
    for (int64_t i = 0; i < count; i++) {
        const bool odd = trial >= 0;
        const size_t at = odd ? (size_t)((trial * count + i) / stride) % most : 0;
        if (gn_is_float(a->dtype))
            set_element(w, a, i, odd ? odd_float(a->dtype, at) : sample_float(&r->t, a->dtype, &r->seed, wide), 0);
        else set_element(w, a, i, 0, odd ? odd_int(a->dtype, at % ODD_INTS) : sample_int(a->dtype, &r->seed));
    }
}

static void new_values(rule_test *r, gn_arena *arena, values *w, const gn_expr_list *leaves, size_t most, int64_t trial,
                       bool wide)
{
    static const struct {
        const char *name;
        int64_t size;
    } sizes[] = { { "n", 3 }, { "m", 2 }, { "k", 4 } };
    *w = (values){ .v = gn_evaluation_new(arena) };
    int64_t stride = 1;
    for (size_t i = 0; i < 3; i++) gn_evaluation_size(w->v, sizes[i].name, sizes[i].size);
    for (size_t k = 0; k < leaves->n; k++) {
        gn_expr *x = leaves->at[k];
        int64_t shape[GN_MAX_RANK], count = 1;
        for (int d = 0; d < x->type->n; d++) shape[d] = gn_evaluation_dim(w->v, x->type->dim[d]), count *= shape[d];
        w->a[k] = gn_array_of(GN_NEW_ARRAY(arena, double, count + 1), (gn_dtype)x->type->dtype, x->type->n, shape),
        w->x[k] = x;
        fill(r, w, &w->a[k], count, stride, most, trial, wide);
        stride *= (int64_t)most, w->n++;
        gn_evaluation_set(w->v, x, &w->a[k]);
    }
}

/* The same with every float moved, by a hundredth and by less: at each of eight distances out, in, and twice at random. */
static gn_evaluation *near_values(rule_test *r, gn_arena *arena, const values *w, int k)
{
    gn_evaluation *v = gn_evaluation_new(arena);
    const double reach = 0.01 * exp2(-(w->a[0].dtype == GN_F64 ? 6 : 2) * (k / 4));
    v->sizes = w->v->sizes;
    for (size_t i = 0; i < w->n; i++) {
        gn_array a = w->a[i];
        const int64_t count = gn_array_count(&a);
        a.data = gn_arena_copy(arena, a.data, (size_t)count * gn_dtype_size(a.dtype));
        for (int64_t at = 0; gn_is_float(a.dtype) && at < count; at++) {
            const double by = k % 4 == 0 ? reach : k % 4 == 1 ? -reach : test_uniform(&r->seed, -reach, reach);
            gn_ref e = gn_ref_load(a.dtype, a.data, at);
            e.f = gn_ref_round(a.dtype, e.f + e.f * by);
            if (isfinite(e.f)) gn_ref_store(a.dtype, a.data, at, &e);
        }
        gn_evaluation_set(v, w->x[i], &a);
    }
    return v;
}

/* ---- comparison by class ---- */

static void show_inputs(const values *w)
{
    for (size_t k = 0; k < w->n; k++) {
        print_error("  %s:", gn_attr_of(w->x[k], "name")->name);
        for (int64_t i = 0; i < gn_array_count(&w->a[k]) && i < 12; i++) {
            const gn_ref e = gn_ref_load(w->a[k].dtype, w->a[k].data, i);
            if (gn_is_float(e.dtype)) print_error(" %.9Lg", e.f);
            else print_error(" %lld", (long long)e.i);
        }
        print_error("\n");
    }
}

static void compare_exact(rule_test *r, const values *w, const gn_tensor *a, const gn_tensor *b)
{
    for (int64_t i = 0; i < a->count; i++) {
        const gn_ref x = a->at[i], y = b->at[i];
        const bool same = gn_is_float(a->dtype)
                              ? (isnan(x.f) && isnan(y.f)) || (x.f == y.f && !signbit(x.f) == !signbit(y.f))
                              : x.i == y.i;
        if (same) continue;
        show_inputs(w);
        fail_msg("%s: %Lg (%lld) became %Lg (%lld)", r->rule->name, x.f, (long long)x.i, y.f, (long long)y.i);
    }
}

static long double most_of(gn_dtype dtype)
{
    return gn_ref_round(dtype, dtype == GN_F64 ? 0x1.fffffffffffffp1023L : dtype == GN_F16 ? 65504 : 0x1.fffffep127L);
}

/* Distance from the truth; infinite for an infinity or NaN that is not the truth's. */
static long double apart(gn_dtype dtype, long double v, const mpfr_t real)
{
    const long double t = mpfr_get_ld(real, MPFR_RNDN);
    if (isnan(t) || isnan(v)) return isnan(t) && isnan(v) ? 0 : INFINITY;
    if (isinf(v)) return !signbit(v) == !signbit(t) && fabsl(t) >= most_of(dtype) ? 0 : INFINITY;
    if (isinf(t)) return INFINITY;
    mpfr_t d;
    mpfr_init2(d, mpfr_get_prec(real));
    mpfr_set_ld(d, v, MPFR_RNDN), mpfr_sub(d, d, real, MPFR_RNDN);
    const long double distance = fabsl(mpfr_get_ld(d, MPFR_RNDN));
    mpfr_clear(d);
    return distance;
}

static long double ulp_of(gn_dtype dtype, const mpfr_t real)
{
    const long double rounded = gn_ref_round(dtype, mpfr_get_ld(real, MPFR_RNDN));
    return gn_ref_ulp(dtype, isfinite(rounded) ? rounded : most_of(dtype));
}

/* How far the old form is off at neighbours of this trial's inputs, at most. */
static long double *worst_nearby(rule_test *r, gn_arena *arena, const values *w, gn_expr *before, gn_expr *body,
                                 mpfr_prec_t bits)
{
    long double *worst = NULL;
    for (int k = 0; k < NEIGHBOURS; k++) {
        truth_run run = { .arena = arena, .evaluation = near_values(r, arena, w, k), .bits = bits };
        const truth *t = truth_of(&run, body);
        const gn_tensor *a = gn_evaluate(run.evaluation, before);
        if (!worst) worst = GN_NEW_ARRAY(arena, long double, a->count + 1);
        for (int64_t i = 0; i < a->count; i++)
            if (!(t->mark[i] & TRUTH_LOST)) worst[i] = fmaxl(worst[i], apart(a->dtype, a->at[i].f, t->at[i]));
        truth_free(&run);
    }
    return worst;
}

/* docs/rules.md, "accurate": a result is within 2 ulp of the real value, or within twice what the old form is off,
 * there or at inputs near by; an infinity or NaN of the old form may go, none comes; NaN operands stay NaN. Where the
 * old form's value is no measure, being infinite or NaN, the new one is held to its own bound. */
static void compare_accurate(rule_test *r, gn_arena *arena, const values *w, gn_expr *before, gn_expr *after, gn_expr *body)
{
    const mpfr_prec_t bits = before->type->dtype == GN_F64 ? TRUTH_BITS_F64 : TRUTH_BITS_F32;
    truth_run run = { .arena = arena, .evaluation = w->v, .bits = bits };
    const truth *t = truth_of(&run, body);
    const gn_tensor *a = gn_evaluate(w->v, before), *b = gn_evaluate(w->v, after);
    long double *nearby = NULL;
    for (int64_t i = 0; i < a->count; i++) {
        if (t->mark[i] & TRUTH_LOST || (t->mark[i] & TRUTH_MADE && isnan(a->at[i].f))) continue;
        const long double ulp = ulp_of(a->dtype, t->at[i]), old = apart(a->dtype, a->at[i].f, t->at[i]),
                          new = apart(a->dtype, b->at[i].f, t->at[i]);
        if (isinf(old) && (isinf(new) || new <= b->at[i].err + 2 * ulp)) continue;
        if (isfinite(old) && new <= 2 * fmaxl(ulp, old)) continue;
        if (isfinite(old) && isfinite(new) && !nearby) nearby = worst_nearby(r, arena, w, before, body, bits);
        if (isfinite(old) && isfinite(new) && new <= 2 * nearby[i]) continue;
        show_inputs(w);
        fail_msg("%s %s: %.9Lg (%.3Lg ulp; nearby %.3Lg) became %.9Lg (%.3Lg ulp), true %.17g", r->rule->name,
                 gn_dtype_name(a->dtype), a->at[i].f, old / ulp, nearby ? nearby[i] / ulp : 0, b->at[i].f, new / ulp,
                 mpfr_get_d(t->at[i], MPFR_RNDN));
    }
    truth_free(&run);
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

static void compare_trial(rule_test *r, gn_arena *arena, const values *w, gn_expr *before, gn_expr *after, gn_expr *body)
{
    if (body) {
        compare_accurate(r, arena, w, before, after, body);
        return;
    }
    const gn_tensor *a = gn_evaluate(w->v, before), *b = gn_evaluate(w->v, after);
    if (r->set == &gn_rules_decompose) compare_bounds(r, a, b);
    else if (r->rule->class <= GN_ACCURATE) compare_exact(r, w, a, b);
    else compare_relaxed(r, a, b);
}

static int64_t power(int64_t x, size_t n)
{
    return n ? x * power(x, n - 1) : 1;
}

static void compare_values(rule_test *r, gn_expr *before, gn_expr *after)
{
    gn_arena scratch = { 0 }, arena = { 0 };
    const gn_expr_list all = gn_reachable(&arena, 1, &before);
    gn_expr_list leaves = { 0 };
    for (size_t i = 0; i < all.n; i++)
        if (all.at[i]->op == &gn_op_input) gn_push(&arena, &leaves, all.at[i]);
    const bool strict = r->rule->class <= GN_ACCURATE && r->set != &gn_rules_decompose;
    const bool accurate = strict && r->rule->class == GN_ACCURATE && gn_is_float((gn_dtype)before->type->dtype);
    gn_expr *body = accurate ? decomposed(&r->t, before) : NULL;
    const size_t most = leaves.n <= 1 ? ODD_FLOATS : leaves.n == 2 ? 24 : 14;
    /* a trial has 3 elements or more */
    const int64_t crossed = strict && leaves.n <= 3 ? power((int64_t)most, leaves.n) / 3 + 1 : 0;
    for (int64_t trial = 0; trial < crossed + RANDOM_TRIALS; trial++) {
        values w;
        new_values(r, &scratch, &w, &leaves, most, trial < crossed ? trial : -1, strict && trial % 4);
        compare_trial(r, &scratch, &w, before, after, body);
        gn_arena_free(&scratch);
    }
    gn_arena_free(&arena);
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
    if (!fires(r, &after))
        fail_msg("%s does not fire on %s, which becomes %s", r->rule->name, shown(t, before), shown(t, after));
    gn_expr *expected = in_order(t, read_expr(t, right));
    if (after != expected)
        fail_msg("%s: %s becomes %s, not %s", r->rule->name, shown(t, before), shown(t, after), shown(t, expected));
    assert_ptr_equal(before->type, after->type);
    compare_values(r, before, after);
    r->fired++;
}

/* The same at another dtype, where the rule need not fire. */
typedef struct other_dtype {
    rule_test *r;
    const gn_sx *left;
    gn_expr *before;
} other_dtype;

static void build_other(void *arg)
{
    other_dtype *o = arg;
    o->before = read_expr(&o->r->t, o->left);
}

static void check_other(rule_test *r, const gn_sx *left)
{
    other_dtype o = { .r = r, .left = left };
    if (gn_protect(build_other, &o)) return; /* the op or the number does not exist there */
    gn_expr *after = o.before;
    if (!fires(r, &after)) return;
    assert_ptr_equal(o.before->type, after->type);
    compare_values(r, o.before, after);
}

static void run_case(void *arg)
{
    rule_test *r = arg;
    test_graph *t = &r->t;
    const gn_sx *x = read_case(&t->arena, __FILE__, "golden", r->rule->name);
    const bool other = t->from != t->to;
    t->name = r->rule->name;
    for (size_t i = 0; i < x->n;) {
        if (read_setting(t, x, &i)) continue;
        if (gn_sx_is(x->at[i], "fire")) {
            assert_true(gn_sx_is(x->at[i + 2], "=>"));
            other ? check_other(r, x->at[i + 1]) : check_firing(r, x->at[i + 1], x->at[i + 3]);
            i += 4;
        } else if (gn_sx_is(x->at[i], "near")) {
            gn_expr *e = other ? NULL : read_expr(t, x->at[i + 1]);
            if (e && fires(r, &e)) fail_msg("%s fires on a near miss, which becomes %s", r->rule->name, shown(t, e));
            i += 2;
        } else {
            gn_sx_fail(t->name, x->at[i], "expected in, fire, near, range or relax");
        }
    }
}

static void run_at(rule_test *r, gn_dtype from, gn_dtype to)
{
    test_graph_open(&r->t, r->rule->name);
    r->t.from = from, r->t.to = to;
    if (gn_protect(run_case, r)) fail_msg("%s as %s: %s", gn_dtype_name(from), gn_dtype_name(to), gn_message());
    test_graph_close(&r->t);
}

static void a_rule_does_what_its_case_says(void **state)
{
    static const gn_dtype from[] = { GN_F32, GN_I32 }, to[] = { GN_F32, GN_F64, GN_I32, GN_I64, GN_U32 };
    rule_test *r = *state;
    r->seed = test_seed();
    run_at(r, GN_BOOL, GN_BOOL);
    assert_true(r->fired > 0);
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        for (size_t k = 0; k < sizeof to / sizeof *to; k++)
            if (from[i] != to[k]) run_at(r, from[i], to[k]);
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
