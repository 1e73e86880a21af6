/* Real values of small graphs by MPFR, with enough bits for 1 plus the least f32 (f64): the truth that accurate rules
 * are measured against. Knows elementwise ops, broadcasts, permutations, reshapes and reductions; composites must be
 * decomposed first. Integers are taken as real numbers. */
#pragma once
#include "cases.h"
#include "evaluate.h"
#include <mpfr.h>

enum { TRUTH_BITS_F32 = 400, TRUTH_BITS_F64 = 2300 };

enum {
    /* a step on the way left even MPFR's range, or rounded numbers met a pole or cancelled: nothing is known */
    TRUTH_LOST = 1,
    TRUTH_MADE = 2,  /* NaN, though no operand is one: inf - inf, 0 inf, the log of a negative number */
    TRUTH_ROUNDED = 4
};

typedef struct truth {
    int rank;
    int64_t shape[GN_MAX_RANK], stride[GN_MAX_RANK], count;
    mpfr_t *at;
    uint8_t *mark;
} truth;

typedef struct truth_run {
    gn_arena *arena;
    mpfr_prec_t bits;
    /* Added to the leaf's element: by[0] to all, by[1] to element `at`, both times 2^-step. */
    const gn_expr *moved;
    int64_t at;
    int by[2], step;
    gn_evaluation *evaluation; /* of sizes and inputs */
    gn_map values;
} truth_run;

/* 1 / (1 + e^-x), log(1 + e^x): by e^-|x|, which does not overflow. */
static void truth_sigmoid(mpfr_t y, mpfr_t x)
{
    const bool negative = mpfr_sgn(x) < 0;
    mpfr_t e;
    mpfr_init2(e, mpfr_get_prec(x));
    mpfr_abs(e, x, MPFR_RNDN), mpfr_neg(e, e, MPFR_RNDN), mpfr_exp(e, e, MPFR_RNDN);
    mpfr_add_ui(y, e, 1, MPFR_RNDN);
    if (negative) mpfr_div(y, e, y, MPFR_RNDN);
    else mpfr_ui_div(y, 1, y, MPFR_RNDN);
    mpfr_clear(e);
}

static void truth_softplus(mpfr_t y, mpfr_t x)
{
    mpfr_t e;
    mpfr_init2(e, mpfr_get_prec(x));
    mpfr_abs(e, x, MPFR_RNDN), mpfr_neg(e, e, MPFR_RNDN), mpfr_exp(e, e, MPFR_RNDN), mpfr_log1p(e, e, MPFR_RNDN);
    if (mpfr_sgn(x) > 0) mpfr_add(y, x, e, MPFR_RNDN);
    else mpfr_set(y, e, MPFR_RNDN);
    mpfr_clear(e);
}

static bool truth_unary(const char *op, mpfr_t y, mpfr_t x)
{
    static const struct {
        const char *op;
        int (*f)(mpfr_t, const mpfr_t, mpfr_rnd_t);
    } direct[] = { { "exp", mpfr_exp },   { "expm1", mpfr_expm1 },    { "log", mpfr_log },  { "log1p", mpfr_log1p },
                   { "sqrt", mpfr_sqrt }, { "sin", mpfr_sin },        { "cos", mpfr_cos },  { "tanh", mpfr_tanh },
                   { "erf", mpfr_erf },   { "rsqrt", mpfr_rec_sqrt }, { "erfc", mpfr_erfc } };
    for (size_t i = 0; i < sizeof direct / sizeof *direct; i++)
        if (!strcmp(direct[i].op, op)) return direct[i].f(y, x, MPFR_RNDN), true;
    const bool nan = mpfr_nan_p(x);
    if (!strcmp(op, "neg")) mpfr_neg(y, x, MPFR_RNDN);
    else if (!strcmp(op, "sigmoid")) nan ? mpfr_set_nan(y) : truth_sigmoid(y, x);
    else if (!strcmp(op, "softplus")) nan ? mpfr_set_nan(y) : truth_softplus(y, x);
    else if (!strcmp(op, "abs")) mpfr_abs(y, x, MPFR_RNDN);
    else if (!strcmp(op, "cast")) mpfr_set(y, x, MPFR_RNDN);
    else if (!strcmp(op, "floor")) mpfr_floor(y, x);
    else if (!strcmp(op, "sign")) nan ? mpfr_set_nan(y) : mpfr_set_si(y, mpfr_sgn(x), MPFR_RNDN);
    else if (!strcmp(op, "not")) mpfr_set_si(y, mpfr_zero_p(x), MPFR_RNDN);
    else return false;
    return true;
}

static bool truth_binary(const char *op, mpfr_t y, mpfr_t a, mpfr_t b)
{
    const bool nan = mpfr_nan_p(a) || mpfr_nan_p(b);
    if (!strcmp(op, "add") || !strcmp(op, "sum")) mpfr_add(y, a, b, MPFR_RNDN);
    else if (!strcmp(op, "sub")) mpfr_sub(y, a, b, MPFR_RNDN);
    else if (!strcmp(op, "mul") || !strcmp(op, "prod")) mpfr_mul(y, a, b, MPFR_RNDN);
    else if (!strcmp(op, "div")) mpfr_div(y, a, b, MPFR_RNDN);
    else if (!strcmp(op, "pow")) mpfr_pow(y, a, b, MPFR_RNDN);
    else if ((!strcmp(op, "maximum") || !strcmp(op, "max")) && !nan) mpfr_max(y, a, b, MPFR_RNDN);
    else if ((!strcmp(op, "minimum") || !strcmp(op, "min")) && !nan) mpfr_min(y, a, b, MPFR_RNDN);
    else if (!strncmp(op, "max", 3) || !strncmp(op, "min", 3)) mpfr_set_nan(y);
    else if (!strcmp(op, "eq")) mpfr_set_si(y, mpfr_equal_p(a, b), MPFR_RNDN);
    else if (!strcmp(op, "ne")) mpfr_set_si(y, nan || !mpfr_equal_p(a, b), MPFR_RNDN);
    else if (!strcmp(op, "lt")) mpfr_set_si(y, mpfr_less_p(a, b), MPFR_RNDN);
    else if (!strcmp(op, "le")) mpfr_set_si(y, mpfr_lessequal_p(a, b), MPFR_RNDN);
    else return false;
    return true;
}

static truth *truth_new(truth_run *run, const gn_expr *e)
{
    truth *t = GN_NEW_OBJECT(run->arena, truth);
    t->rank = e->type->n, t->count = 1;
    for (int d = 0; d < t->rank; d++)
        t->shape[d] = gn_evaluation_dim(run->evaluation, e->type->dim[d]), t->count *= t->shape[d];
    gn_row_major(t->rank, t->shape, t->stride);
    t->at = GN_NEW_ARRAY(run->arena, mpfr_t, t->count + 1);
    t->mark = GN_NEW_ARRAY(run->arena, uint8_t, t->count + 1);
    for (int64_t i = 0; i < t->count; i++) mpfr_init2(t->at[i], run->bits);
    return t;
}

static void truth_free(truth_run *run)
{
    for (size_t i = 0; i < run->values.capacity; i++) {
        truth *t = run->values.taken[i] ? run->values.value[i] : NULL;
        for (int64_t k = 0; t && k < t->count; k++) mpfr_clear(t->at[k]);
    }
    mpfr_free_cache();
}

static void truth_leaf(truth_run *run, truth *t, gn_expr *e)
{
    const gn_tensor *v = gn_evaluate(run->evaluation, e);
    for (int64_t i = 0; i < t->count; i++) {
        if (gn_is_float(v->dtype)) mpfr_set_ld(t->at[i], v->at[i].f, MPFR_RNDN);
        else mpfr_set_sj(t->at[i], v->at[i].i, MPFR_RNDN);
        const int by = run->by[0] + (i == run->at ? run->by[1] : 0);
        if (e != run->moved || by == 0) continue;
        mpfr_t h;
        mpfr_init2(h, run->bits);
        mpfr_set_si_2exp(h, by, -run->step, MPFR_RNDN), mpfr_add(t->at[i], t->at[i], h, MPFR_RNDN);
        mpfr_clear(h);
    }
}

/* What became of element i, computed from n others since mpfr_clear_flags. */
static void truth_end(truth *t, int64_t i, const char *op, size_t n, truth *const *in, const int64_t *at)
{
    const bool inexact = mpfr_inexflag_p(),
               left = (mpfr_overflow_p() || mpfr_underflow_p()) && (mpfr_zero_p(t->at[i]) || mpfr_inf_p(t->at[i]));
    bool nan = false, lost = left, rounded = false, infinite = false,
         absorbs = !strcmp(op, "add") || !strcmp(op, "sub") || !strcmp(op, "sum");
    for (size_t k = 0; k < n; k++) {
        const mpfr_ptr x = in[k]->at[at[k]];
        rounded |= in[k]->mark[at[k]] & TRUTH_ROUNDED, infinite |= mpfr_inf_p(x);
        nan |= mpfr_nan_p(x), t->mark[i] |= mpfr_nan_p(x) ? in[k]->mark[at[k]] & TRUTH_MADE : 0;
        lost |= in[k]->mark[at[k]] & TRUTH_LOST && !(absorbs && mpfr_zero_p(x) && mpfr_regular_p(t->at[i]));
    }
    lost |= rounded && ((mpfr_inf_p(t->at[i]) && !infinite) || (absorbs && mpfr_zero_p(t->at[i])));
    if (lost) t->mark[i] |= TRUTH_LOST;
    if (rounded || inexact) t->mark[i] |= TRUTH_ROUNDED;
    if (mpfr_nan_p(t->at[i]) && !nan) t->mark[i] |= TRUTH_MADE;
}

/* A pad by constants without steps: of operand 0 within it, else of the fill. */
static int64_t truth_padded(const gn_expr *e, const truth *t, truth *const *in, int64_t i, uint32_t *k)
{
    const gn_attr *start = gn_attr_of(e, "start");
    int64_t flat = 0, s = 0;
    for (uint32_t d = 0; d < start->n; d++) {
        assert_true(gn_dim_is_const(start->dims[d], &s) && gn_attr_of(e, "step")->ints[d] == 1);
        const int64_t at = i / t->stride[d] % t->shape[d] - s;
        *k |= at < 0 || at >= in[0]->shape[d];
        flat += at * in[0]->stride[d];
    }
    return *k ? 0 : flat;
}

static int64_t truth_part(const gn_expr *e, const truth *t, truth *const *in, int64_t i, uint32_t *k)
{
    const int64_t axis = gn_attr_of(e, "axis")->i;
    int64_t flat = 0, along = i / t->stride[axis] % t->shape[axis];
    for (; along >= in[*k]->shape[axis]; ++*k) along -= in[*k]->shape[axis];
    for (int d = 0; d < t->rank; d++) flat += (d == axis ? along : i / t->stride[d] % t->shape[d]) * in[*k]->stride[d];
    return flat;
}

/* Element i of a view is an element of operand k: at this place. */
static int64_t truth_source(const gn_expr *e, const truth *t, truth *const *in, int64_t i, uint32_t *k)
{
    const truth *x = in[0];
    int64_t flat = 0;
    if (!strcmp(e->op->name, "pad")) return truth_padded(e, t, in, i, k);
    if (!strcmp(e->op->name, "concat")) return truth_part(e, t, in, i, k);
    if (!strcmp(e->op->name, "reshape")) return i;
    const gn_attr *axes = gn_attr_of(e, "axes");
    for (uint32_t d = 0; d < axes->n; d++) {
        if (!strcmp(e->op->name, "broadcast"))
            flat += i / t->stride[axes->ints[d]] % t->shape[axes->ints[d]] * x->stride[d];
        else flat += i / t->stride[d] % t->shape[d] * x->stride[axes->ints[d]];
    }
    return flat;
}

static void truth_reduce(const gn_expr *e, truth *t, truth *x)
{
    const gn_axis_list axes = gn_axes_attr(e);
    bool *seen = calloc((size_t)t->count + 1, sizeof *seen);
    for (int64_t i = 0; i < t->count; i++) mpfr_set_si(t->at[i], strcmp(e->op->name, "prod") ? 0 : 1, MPFR_RNDN);
    for (int64_t i = 0; i < x->count; i++) {
        int64_t to = 0;
        for (int d = 0, k = 0; d < x->rank; d++)
            if (!gn_has_axis(&axes, d)) to += i / x->stride[d] % x->shape[d] * t->stride[k++];
        const uint8_t before = t->mark[to];
        const bool was_nan = seen[to] && mpfr_nan_p(t->at[to]);
        mpfr_clear_flags();
        if (seen[to]) truth_binary(e->op->name, t->at[to], t->at[to], x->at[i]);
        else mpfr_set(t->at[to], x->at[i], MPFR_RNDN);
        truth_end(t, to, e->op->name, 1, &x, &i);
        /* it was given */
        if (was_nan && !(before & TRUTH_MADE) && !mpfr_nan_p(x->at[i])) t->mark[to] = before | (t->mark[to] & TRUTH_LOST);
        seen[to] = true;
    }
    free(seen);
}

static truth *truth_of(truth_run *run, gn_expr *e)
{
    void **place = gn_map_put(run->arena, &run->values, GN_KEY(e));
    if (*place) return *place;
    truth *in[4] = { 0 }, *t = truth_new(run, e);
    *place = t;
    for (uint32_t i = 0; i < e->nin; i++) in[i] = truth_of(run, e->in[i]);
    if (e->op->traits & GN_REDUCE) {
        truth_reduce(e, t, in[0]);
        return t;
    }
    if (!e->nin) truth_leaf(run, t, e);
    for (int64_t i = 0; e->nin && i < t->count; i++) {
        const bool view = e->op->traits & GN_VIEW_OP, select = !strcmp(e->op->name, "select");
        const uint32_t n = view || select ? 1 : e->nin;
        uint32_t first = select ? mpfr_zero_p(in[0]->at[i]) ? 2 : 1 : 0;
        const int64_t from = view ? truth_source(e, t, in, i, &first) : i, at[4] = { from, from, from, from };
        bool known = true;
        mpfr_clear_flags();
        if (view || select) mpfr_set(t->at[i], in[first]->at[from], MPFR_RNDN);
        else if (e->nin == 1) known = truth_unary(e->op->name, t->at[i], in[0]->at[i]);
        else known = truth_binary(e->op->name, t->at[i], in[0]->at[i], in[1]->at[i]);
        if (!known) fail_msg("truth.h does not know %s", e->op->name);
        truth_end(t, i, e->op->name, n, in + first, at);
        if (select) t->mark[i] |= in[0]->mark[i] & TRUTH_LOST;
    }
    return t;
}
