/* Every op of one element against independent truth: MPFR for floats, 128-bit integers for the others; over random
 * values and a table of edges. And every sample of every op: it evaluates, its text form reads back, its value has the
 * shape of its type. */
#include "samples.h"
#include <gnomon/gnomon.h>
#include "ops/make.h"
#include "ops/reference.h"
#include "testlib.h"
#include "true_ops.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 300 };

/* ---- one op as a graph over vectors ---- */

typedef struct bench {
    gn_graph *g;
    gn_arena arena;
    gn_expr *in[3], *y;
    const gn_op_info *op;
} bench;

static gn_expr *build(gn_graph *g, void *arg)
{
    bench *b = arg;
    return gn_node(g, b->op, b->in, (size_t)b->op->arity, NULL);
}

static void bench_open(bench *b, const gn_op_info *op, gn_dtype t)
{
    static const char *const name[3] = { "a", "b", "c" };
    *b = (bench){ .g = gn_graph_new(NULL), .op = op };
    for (int i = 0; i < op->arity; i++) b->in[i] = gn_input(b->g, name[i], t, "n");
    b->y = gn_build(GN_HERE, b->g, build, b);
    if (gn_graph_check(b->g)) fail_msg("%s", gn_message());
}

static const gn_tensor *bench_run(bench *b, gn_dtype t, void *const *data, int64_t n)
{
    gn_evaluation *v = gn_evaluation_new(&b->arena);
    for (int i = 0; i < b->op->arity; i++) {
        const gn_array a = gn_array_1d(data[i], t, n);
        gn_evaluation_set(v, b->in[i], &a);
    }
    return gn_evaluate(v, b->y);
}

static void bench_close(bench *b)
{
    gn_arena_free(&b->arena);
    gn_graph_free(b->g);
}

/* ---- floats ---- */

static const double edges[] = { 0.0,
                                -0.0,
                                1,
                                -1,
                                0.5,
                                -0.5,
                                1.5,
                                2.5,
                                -2.5,
                                2,
                                3,
                                -3,
                                1e-3,
                                -1e-3,
                                1e-30,
                                -1e-30,
                                1e-40,
                                -1e-40,
                                1e-45,
                                0x1p-126,
                                0x1p-24,
                                -0x1p-24,
                                10,
                                -10,
                                50,
                                -50,
                                88.5,
                                -88.5,
                                104,
                                -104,
                                1e10,
                                -1e10,
                                1e30,
                                -1e30,
                                3.4028234663852886e38,
                                -3.4028234663852886e38,
                                INFINITY,
                                -INFINITY,
                                NAN,
                                709.5,
                                -745.5,
                                16777216,
                                0.99999994 };
enum { NEDGES = sizeof edges / sizeof *edges };

static double element(gn_dtype t, const void *data, int64_t i)
{
    return t == GN_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static void check_float(const truth *w, gn_dtype t, void *const *data, int64_t i, const gn_ref *got)
{
    mpfr_t x[3], y;
    mpfr_init2(y, BITS);
    for (int k = 0; k < 3; k++) mpfr_init2(x[k], BITS);
    for (int k = 0; k < w->op->arity; k++) mpfr_set_d(x[k], element(t, data[k], i), MPFR_RNDN);
    w->f(y, (const mpfr_t *)x);
    const long double want = mpfr_get_ld(y, MPFR_RNDN), largest = t == GN_F32 ? (long double)FLT_MAX : (long double)DBL_MAX;
    const long double apart = gn_ref_apart(got->f, want);
    const bool overflows =
        isinf(got->err) && isfinite(want) && fabsl(want) > largest * 0.9999L; /* the reference is infinite and says so */
    bool good = apart <= got->err || overflows;
    if (w->ulp >= 0 && isfinite(got->f) && got->err > (long double)w->ulp * 1.01L * gn_ref_ulp(t, got->f)) good = false;
    if (isfinite(want) && fabsl(want) < largest * 0.9999L && isinf(got->err) && w->ulp >= 0)
        good = w->op == &gn_op_fma; /* its product may overflow alone */
    if (!good)
        fail_msg("%s %s of %.17g %.17g %.17g is %.17Lg, not %.17Lg (bound %Lg)", w->op->name, gn_dtype_name(t),
                 element(t, data[0], i), w->op->arity > 1 ? element(t, data[1], i) : 0,
                 w->op->arity > 2 ? element(t, data[2], i) : 0, got->f, want, got->err);
    mpfr_clear(y);
    for (int k = 0; k < 3; k++) mpfr_clear(x[k]);
}

/* All edges, all pairs of edges, and random values of many sizes. */
static void floats(gn_dtype t)
{
    enum { RANDOM = 400, MOST = NEDGES * NEDGES + RANDOM };
    uint64_t random = test_seed();
    static float f[3][MOST];
    static double d[3][MOST];
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < MOST; i++) {
            const double v = i < NEDGES * NEDGES ? edges[k == 0   ? i % NEDGES
                                                         : k == 1 ? i / NEDGES
                                                                  : (i * 7 + i / NEDGES) % NEDGES]
                                                 : test_uniform(&random, -1, 1) * exp2(test_uniform(&random, -20, 12));
            f[k][i] = (float)v, d[k][i] = v;
        }
    }
    void *const df[3] = { f[0], f[1], f[2] }, *const dd[3] = { d[0], d[1], d[2] };
    for (int w = 0; w < NTRUTHS; w++) {
        bench b;
        bench_open(&b, truths[w].op, t);
        void *const *data = t == GN_F32 ? df : dd;
        const gn_tensor *y = bench_run(&b, t, data, MOST);
        for (int64_t i = 0; i < MOST; i++) check_float(&truths[w], t, data, i, &y->at[i]);
        bench_close(&b);
    }
}

static void functions_of_f32_are_within_their_bound_of_mpfr(void **state)
{
    (void)state;
    floats(GN_F32);
}

static void functions_of_f64_are_within_their_bound_of_mpfr(void **state)
{
    (void)state;
    floats(GN_F64);
}

static void bounds_hold_after_operands_that_are_inexact_themselves(void **state)
{
    (void)state;
    enum { N = 300 };
    uint64_t random = test_seed();
    for (int w = 0; w < NTRUTHS; w++) {
        const truth *tr = &truths[w];
        if (tr->ulp == 0 &&
            (tr->op == &gn_op_floor || tr->op == &gn_op_round || tr->op == &gn_op_trunc || tr->op == &gn_op_sign))
            continue;
        bench b;
        float x[3][N];
        void *data[3] = { x[0], x[1], x[2] };
        bench_open(&b, tr->op, GN_F32);
        for (int k = 0; k < tr->op->arity; k++) b.in[k] = gn_input(b.g, k == 0 ? "x" : k == 1 ? "y" : "z", GN_F32, "n");
        gn_expr *inner[3];
        for (int k = 0; k < tr->op->arity; k++) inner[k] = gn_mul(gn_exp(gn_sin(b.in[k])), 1.1);
        gn_expr *leaves[3] = { b.in[0], b.in[1], b.in[2] };
        for (int k = 0; k < tr->op->arity; k++) b.in[k] = inner[k];
        b.y = gn_build(GN_HERE, b.g, build, &b);
        for (int k = 0; k < tr->op->arity; k++) b.in[k] = leaves[k];
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < N; i++) x[k][i] = (float)test_uniform(&random, -9, 9);
        const gn_tensor *y = bench_run(&b, GN_F32, data, N);
        mpfr_t v[3], want;
        for (int k = 0; k < 3; k++) mpfr_init2(v[k], BITS);
        mpfr_init2(want, BITS);
        for (int i = 0; i < N; i++) {
            for (int k = 0; k < tr->op->arity; k++)
                mpfr_set_d(v[k], x[k][i], MPFR_RNDN), mpfr_sin(v[k], v[k], MPFR_RNDN), mpfr_exp(v[k], v[k], MPFR_RNDN),
                    mpfr_mul_d(v[k], v[k], (double)1.1f, MPFR_RNDN);
            tr->f(want, (const mpfr_t *)v);
            const long double true_value = mpfr_get_ld(want, MPFR_RNDN);
            if (gn_ref_apart(y->at[i].f, true_value) > y->at[i].err)
                fail_msg("%s: %Lg is %Lg, bound %Lg", tr->op->name, true_value, y->at[i].f, y->at[i].err);
            if (!isfinite(y->at[i].err)) fail_msg("%s: an infinite bound at %Lg", tr->op->name, true_value);
        }
        for (int k = 0; k < 3; k++) mpfr_clear(v[k]);
        mpfr_clear(want);
        bench_close(&b);
    }
}

/* ---- integers: truth in 128 bits, then wrapped ---- */

typedef __int128 wide;

static wide floor_quotient(wide a, wide b)
{
    if (b == 0) return 0;
    const wide q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static bool whole_truth(const char *op, gn_dtype t, wide a, wide b, wide *out)
{
    const int bits = 8 * (int)gn_dtype_size(t);
    const wide mask = ((wide)1 << bits) - 1;
    const bool outside = b < 0 || b >= bits;
    if (strcmp(op, "add") == 0) *out = a + b;
    else if (strcmp(op, "sub") == 0) *out = a - b;
    else if (strcmp(op, "mul") == 0) *out = (wide)((unsigned __int128)a * (unsigned __int128)b);
    else if (strcmp(op, "floordiv") == 0) *out = floor_quotient(a, b);
    else if (strcmp(op, "mod") == 0) *out = b == 0 ? 0 : a - b * floor_quotient(a, b);
    else if (strcmp(op, "neg") == 0) *out = -a;
    else if (strcmp(op, "abs") == 0) *out = a < 0 ? -a : a;
    else if (strcmp(op, "sign") == 0) *out = (a > 0) - (a < 0);
    else if (strcmp(op, "square") == 0) *out = (wide)((unsigned __int128)a * (unsigned __int128)a);
    else if (strcmp(op, "relu") == 0) *out = a < 0 ? 0 : a;
    else if (strcmp(op, "maximum") == 0) *out = a > b ? a : b;
    else if (strcmp(op, "minimum") == 0) *out = a < b ? a : b;
    else if (strcmp(op, "bit_and") == 0) *out = a & b;
    else if (strcmp(op, "bit_or") == 0) *out = a | b;
    else if (strcmp(op, "bit_xor") == 0) *out = a ^ b;
    else if (strcmp(op, "bit_not") == 0) *out = ~a;
    else if (strcmp(op, "shl") == 0) *out = outside ? 0 : a * ((wide)1 << b);
    else if (strcmp(op, "shr") == 0) *out = outside ? (a < 0 ? -1 : 0) : a >> b;
    else if (strcmp(op, "mulhi") == 0) *out = (a * b) >> 32;
    else if (strcmp(op, "eq") == 0) *out = a == b;
    else if (strcmp(op, "ne") == 0) *out = a != b;
    else if (strcmp(op, "lt") == 0) *out = a < b;
    else if (strcmp(op, "le") == 0) *out = a <= b;
    else if (strcmp(op, "gt") == 0) *out = a > b;
    else if (strcmp(op, "ge") == 0) *out = a >= b;
    else if (strcmp(op, "and") == 0) *out = a && b;
    else if (strcmp(op, "or") == 0) *out = a || b;
    else if (strcmp(op, "xor") == 0) *out = !a != !b;
    else if (strcmp(op, "not") == 0) *out = !a;
    else return false;
    *out &= mask;
    if (gn_dtypes[t].kind == GN_KIND_INT && *out >> (bits - 1)) *out -= (wide)1 << bits;
    return true;
}

static const int64_t whole_edges[] = { 0,
                                       1,
                                       -1,
                                       2,
                                       -2,
                                       3,
                                       -3,
                                       7,
                                       -7,
                                       31,
                                       32,
                                       33,
                                       63,
                                       64,
                                       100,
                                       -100,
                                       INT32_MAX,
                                       INT32_MIN,
                                       INT64_MAX,
                                       INT64_MIN,
                                       UINT32_MAX,
                                       0x12345678,
                                       0x7fffffff00000001 };
enum { NWHOLE = sizeof whole_edges / sizeof *whole_edges, PAIRS = NWHOLE * NWHOLE };

static void wholes(gn_dtype t)
{
    static int64_t a[2][PAIRS];
    static char memory[2][8 * PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        const int64_t v[2] = { whole_edges[i % NWHOLE], whole_edges[i / NWHOLE] };
        for (int k = 0; k < 2; k++) {
            a[k][i] = gn_ref_wrap(t, v[k]);
            if (gn_dtype_size(t) == 4) memcpy(memory[k] + 4 * i, &(int32_t){ (int32_t)(uint32_t)a[k][i] }, 4);
            else if (gn_dtype_size(t) == 8) memcpy(memory[k] + 8 * i, &a[k][i], 8);
            else memory[k][i] = (char)a[k][i];
        }
    }
    void *const data[2] = { memory[0], memory[1] };
    int checked = 0;
    for (size_t o = 0; o < gn_nops; o++) {
        wide want;
        if (!(gn_ops[o]->dtypes & GN_BIT(t)) || !whole_truth(gn_ops[o]->name, t, 0, 0, &want)) continue;
        bench b;
        bench_open(&b, gn_ops[o], t);
        const gn_tensor *y = bench_run(&b, t, data, PAIRS);
        const gn_dtype result = gn_ops[o]->traits & GN_BOOL_OUT ? GN_BOOL : t;
        for (int i = 0; i < PAIRS; i++) {
            whole_truth(gn_ops[o]->name, t, a[0][i], a[1][i], &want);
            if (result == GN_BOOL) want = want != 0;
            if (y->at[i].i != (int64_t)want || y->at[i].err != 0 || y->at[i].jump || y->dtype != result)
                fail_msg("%s %s of %lld and %lld is %lld, not %lld", gn_ops[o]->name, gn_dtype_name(t), (long long)a[0][i],
                         (long long)a[1][i], (long long)y->at[i].i, (long long)want);
        }
        checked++;
        bench_close(&b);
    }
    assert_true(checked >= (t == GN_BOOL ? 12 : 20));
}

static void integers_wrap_divide_downwards_and_shift_everything_out(void **state)
{
    (void)state;
    wholes(GN_I32), wholes(GN_I64), wholes(GN_U32), wholes(GN_BOOL);
}

static void comparisons_of_floats_are_false_with_nan_but_for_ne(void **state)
{
    (void)state;
    static const gn_op_info *const ops[] = { &gn_op_eq, &gn_op_ne, &gn_op_lt, &gn_op_le, &gn_op_gt, &gn_op_ge };
    static double a[NEDGES * NEDGES], b[NEDGES * NEDGES];
    for (int i = 0; i < NEDGES * NEDGES; i++) a[i] = edges[i % NEDGES], b[i] = edges[i / NEDGES];
    for (int k = 0; k < 6; k++) {
        bench c;
        bench_open(&c, ops[k], GN_F64);
        const gn_tensor *y = bench_run(&c, GN_F64, (void *[]){ a, b }, NEDGES * NEDGES);
        for (int i = 0; i < NEDGES * NEDGES; i++) {
            const bool want[6] = { a[i] == b[i], a[i] != b[i], a[i] < b[i], a[i] <= b[i], a[i] > b[i], a[i] >= b[i] };
            assert_int_equal(y->at[i].i, want[k]);
            assert_false(y->at[i].jump);
        }
        bench_close(&c);
    }
}

/* ---- conversions ---- */

typedef struct cast_call {
    gn_expr *x;
    gn_dtype to;
} cast_call;

static gn_expr *build_cast(gn_graph *g, void *arg) /* gn_cast refuses dtypes that are only kept */
{
    const cast_call *const c = arg;
    return gn_make_cast(g, c->x, c->to);
}

static int64_t cast_one(gn_dtype from, gn_dtype to, const void *value, double *as_float)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_arena arena = { 0 };
    gn_expr *x = gn_input(g, "x", from, "()"), *y = gn_build(GN_HERE, g, build_cast, &(cast_call){ x, to });
    gn_array a = gn_array_1d((void *)(uintptr_t)value, from, 0);
    a.rank = 0;
    gn_evaluation *v = gn_evaluation_new(&arena);
    gn_evaluation_set(v, x, &a);
    const gn_ref r = gn_evaluate(v, y)->at[0];
    if (as_float) *as_float = (double)r.f;
    gn_arena_free(&arena);
    gn_graph_free(g);
    return r.i;
}

static void casts_saturate_and_nan_becomes_0(void **state)
{
    (void)state;
    static const struct {
        double x;
        gn_dtype to;
        int64_t want;
    } row[] = { { NAN, GN_I32, 0 },
                { NAN, GN_U32, 0 },
                { NAN, GN_BOOL, 1 },
                { 2.9, GN_I32, 2 },
                { -2.9, GN_I32, -2 },
                { 1e10, GN_I32, INT32_MAX },
                { -1e10, GN_I32, INT32_MIN },
                { INFINITY, GN_I64, INT64_MAX },
                { -INFINITY, GN_I64, INT64_MIN },
                { 0x1p63, GN_I64, INT64_MAX },
                { -1, GN_U32, 0 },
                { -0.5, GN_U32, 0 },
                { 4294967295.0, GN_U32, UINT32_MAX },
                { 1e300, GN_U32, UINT32_MAX },
                { 1e300, GN_U64, -1 },
                { 0x1p63, GN_U64, INT64_MIN },
                { 300, GN_I8, 127 },
                { -300, GN_I8, -128 },
                { 300, GN_U8, 255 },
                { 0.25, GN_BOOL, 1 },
                { -0.0, GN_BOOL, 0 },
                { 0.5, GN_I16, 0 } };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal(cast_one(GN_F64, row[i].to, &row[i].x, NULL), row[i].want);
    assert_int_equal(cast_one(GN_I64, GN_I32, &(int64_t){ INT64_MAX }, NULL), INT32_MAX);
    assert_int_equal(cast_one(GN_I64, GN_I32, &(int64_t){ -5000000000 }, NULL), INT32_MIN);
    assert_int_equal(cast_one(GN_I64, GN_U32, &(int64_t){ -1 }, NULL), 0);
    assert_int_equal(cast_one(GN_U32, GN_I32, &(uint32_t){ UINT32_MAX }, NULL), INT32_MAX);
    assert_int_equal(cast_one(GN_U64, GN_I64, &(uint64_t){ UINT64_MAX }, NULL), INT64_MAX);
    assert_int_equal(cast_one(GN_I32, GN_BOOL, &(int32_t){ -7 }, NULL), 1);
    double f;
    cast_one(GN_U64, GN_F64, &(uint64_t){ UINT64_MAX }, &f);
    assert_true(f == 0x1p64);
    cast_one(GN_I64, GN_F32, &(int64_t){ 16777217 }, &f);
    assert_true(f == 16777216);
    cast_one(GN_F64, GN_F16, &(double){ 65520 }, &f);
    assert_true(isinf(f));
    cast_one(GN_F64, GN_BF16, &(double){ 1.00390625 }, &f); /* a tie, to even */
    assert_true(f == 1);
}

/* ---- all samples ---- */

static void free_values(gn_array *value, size_t n)
{
    for (size_t i = 0; i < n; i++) free(value[i].data);
}

typedef struct tally {
    size_t samples, per_op[200];
    uint64_t random;
} tally;

static void evaluate_sample(void *user, const gn_sample *s)
{
    tally *t = user;
    gn_arena arena = { 0 };
    gn_array value[GN_SAMPLE_INPUTS];
    gn_evaluation *v = gn_evaluation_new(&arena);
    for (size_t i = 0; i < s->nin; i++)
        value[i] = gn_sample_value(s, i, &t->random), gn_evaluation_set(v, s->in[i], &value[i]);
    const gn_tensor *y = gn_evaluate(v, s->y);
    const size_t parts = s->y->type->kind == GN_TYPE_TUPLE ? s->y->type->n : 1;
    for (size_t p = 0; p < parts; p++) {
        const gn_tensor *part = parts > 1 ? y->elem[p] : y;
        const gn_type *type = parts > 1 ? s->y->type->elem[p] : s->y->type;
        assert_int_equal(part->rank, type->n);
        assert_int_equal(part->dtype, type->dtype);
        for (int d = 0; d < part->rank; d++) assert_int_equal(part->shape[d], gn_evaluation_dim(v, type->dim[d]));
        for (int64_t i = 0; i < part->count; i++) {
            const gn_ref *r = &part->at[i];
            if (r->dtype != part->dtype ||
                (gn_is_float(part->dtype) && gn_ref_round(part->dtype, r->f) != r->f && !isnan(r->f)))
                fail_msg("%s: an element that is no %s", s->name, gn_dtype_name(part->dtype));
            if (r->err < 0 || isnan(r->err)) fail_msg("%s: a bound of %Lg", s->name, r->err);
        }
    }
    for (size_t o = 0; o < gn_nops; o++) t->per_op[o] += gn_ops[o] == s->op;
    t->samples++;
    free_values(value, s->nin);
    gn_arena_free(&arena);
}

static void samples_of_all_ops_evaluate_to_their_inferred_types(void **state)
{
    (void)state;
    tally t = { .random = test_seed() };
    gn_each_sample(evaluate_sample, &t);
    for (size_t o = 0; o < gn_nops; o++) {
        const char *name = gn_ops[o]->name;
        const bool leaf = gn_ops[o]->traits & GN_LEAF, plumbing = strcmp(name, "tuple") == 0 || strcmp(name, "proj") == 0;
        if (t.per_op[o] == 0 && !leaf && !plumbing) fail_msg("%s has no samples", name);
    }
    print_message("%zu samples\n", t.samples);
}

static void records_say_what_the_documentation_needs(void **state)
{
    (void)state;
    for (size_t i = 0; i < gn_nops; i++) {
        const gn_op_info *op = gn_ops[i];
        const bool leaf = op->traits & GN_LEAF;
        if (!op->gloss) fail_msg("%s has no gloss", op->name);
        if (gn_op_find(op->name) != op) fail_msg("%s is not found by its name", op->name);
        const bool derives = op->deriv[0] || op->deriv[1] || op->vjp || op->linear || op->expand;
        if (!leaf && !derives && !op->not_differentiable) fail_msg("%s has no derivative and does not say why", op->name);
        if ((op->deriv[0] || op->vjp) && op->not_differentiable)
            fail_msg("%s has a derivative and says it has none", op->name);
        if (op->vjp && !op->jvp && !op->linear) fail_msg("%s has a reverse derivative alone", op->name);
        if (!leaf && !op->eval && !op->eval_whole && !op->expand && !op->linear) fail_msg("%s has no reference", op->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_say_what_the_documentation_needs),
        cmocka_unit_test(functions_of_f32_are_within_their_bound_of_mpfr),
        cmocka_unit_test(functions_of_f64_are_within_their_bound_of_mpfr),
        cmocka_unit_test(bounds_hold_after_operands_that_are_inexact_themselves),
        cmocka_unit_test(integers_wrap_divide_downwards_and_shift_everything_out),
        cmocka_unit_test(comparisons_of_floats_are_false_with_nan_but_for_ne),
        cmocka_unit_test(casts_saturate_and_nan_becomes_0),
        cmocka_unit_test(samples_of_all_ops_evaluate_to_their_inferred_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
