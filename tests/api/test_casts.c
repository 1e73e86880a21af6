/* Conversions: from each dtype into each, the values at the ends of all ranges come out as in the reference that the
 * interpreter is. */
#include "api.h"
#include <math.h>

static const int64_t integers[] = { 0,
                                    1,
                                    -1,
                                    5,
                                    100,
                                    127,
                                    128,
                                    -128,
                                    -129,
                                    200,
                                    255,
                                    256,
                                    32767,
                                    32768,
                                    -32768,
                                    -32769,
                                    65535,
                                    65536,
                                    INT32_MAX,
                                    INT32_MAX + INT64_C(1),
                                    INT32_MIN,
                                    INT32_MIN - INT64_C(1),
                                    UINT32_MAX,
                                    UINT32_MAX + INT64_C(1),
                                    INT64_MAX,
                                    INT64_MIN,
                                    INT64_C(1) << 40,
                                    -(INT64_C(1) << 40) };
static const double reals[] = { 0,        -0.0,         1.5,     -1.5,  127.9,      128,          -128.9,
                                -129,     254.5,        255.5,   300,   -0.5,       32767.5,      32768,
                                -32768.5, -33000,       65535.5, 70000, 2147483520, 2147483648.0, -2147483648.0,
                                -3e9,     4294967040.0, 5e9,     1e30,  -1e30,      1.8e19,       NAN };
enum { N = sizeof integers / sizeof *integers };
static const gn_dtype dtypes[] = { GN_BOOL, GN_I8, GN_I16, GN_I32, GN_I64, GN_U8, GN_U16, GN_U32, GN_U64, GN_F32, GN_F64 };
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

typedef uint8_t block[N * 8];

static void fill(gn_dtype t, block to)
{
    const size_t size = gn_dtype_size(t);
    for (int i = 0; i < N; i++) {
        const float f = (float)reals[i];
        if (t == GN_F64) memcpy(to + (size_t)i * size, &reals[i], size);
        else if (t == GN_F32) memcpy(to + (size_t)i * size, &f, size);
        else if (t == GN_BOOL) to[i] = i & 1;
        else memcpy(to + (size_t)i * size, &integers[i], size); /* little-endian: the low bytes */
    }
}

static void convert(gn_context *c, gn_dtype from, const block in, block *out)
{
    gn_graph *g = gn_graph_new(c);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", from, "n"), *y[DTYPES];
    gn_array result[DTYPES];
    const int64_t n = N;
    for (int k = 0; k < DTYPES; k++) y[k] = gn_cast(x, dtypes[k]), result[k] = gn_array_of(out[k], dtypes[k], 1, &n);
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = (gn_exprs){ DTYPES, y }));
    must(gn_call(f, GN_ARRAYS(gn_array_of((void *)(uintptr_t)in, from, 1, &n)), (gn_arrays){ DTYPES, result }));
    gn_func_free(f);
    gn_graph_free(g);
}

static void each_dtype_becomes_each_other(void **state)
{
    static block in, out[DTYPES], want[DTYPES];
    gn_context *interpreter;
    must(gn_context_new(&interpreter, &(gn_context_options){ .toolchain = "interpreter", .cache_dir = "" }));
    for (int from = 0; from < DTYPES; from++) {
        fill(dtypes[from], in);
        memset(out, 0, sizeof out), memset(want, 0, sizeof want);
        convert(interpreter, dtypes[from], in, want);
        convert(*state, dtypes[from], in, out);
        for (int to = 0; to < DTYPES; to++)
            if (memcmp(out[to], want[to], sizeof *out))
                fail_msg("from %s to %s", gn_dtype_name(dtypes[from]), gn_dtype_name(dtypes[to]));
    }
    gn_context_free(interpreter);
}

static void what_does_not_fit_saturates(void **state)
{
    static block in, out[DTYPES];
    fill(GN_F64, in);
    convert(*state, GN_F64, in, out);
    const int8_t *bytes = (const int8_t *)out[1];
    const uint8_t *unsigned_bytes = out[5];
    for (int i = 0; i < N; i++) {
        const double x = reals[i], toward_0 = isnan(x) ? 0 : trunc(x);
        assert_int_equal(bytes[i], (int)fmin(fmax(toward_0, -128), 127));
        assert_int_equal(unsigned_bytes[i], (int)fmin(fmax(toward_0, 0), 255));
    }
}

/* At every width: counts from within and from outside, negative ones too. */
static void shifts_of_every_width_move_everything_out(void **state)
{
    static const int64_t counts[] = { 0, 1, 3, 7, 8, 9, 15, 16, 31, 32, 63, 64, 100, -1 };
    enum { C = sizeof counts / sizeof *counts };
    for (int k = 1; k < 9; k++) {
        const gn_dtype t = dtypes[k];
        const size_t size = gn_dtype_size(t), width = 8 * size;
        const bool has_sign = k < 5;
        block x, n, l, r;
        const int64_t count = N;
        gn_graph *g = gn_graph_new(*state);
        gn_func *f = NULL;
        gn_expr *a = gn_input(g, "a", t, "n"), *b = gn_input(g, "b", t, "n");
        fill(t, x);
        for (int i = 0; i < N; i++) memcpy(n + (size_t)i * size, &counts[i % C], size);
        must(gn_compile(&f, g, .in = GN_EXPRS(a, b), .out = GN_EXPRS(gn_shl(a, b), gn_shr(a, b))));
        must(gn_call(f, GN_ARRAYS(gn_array_of(x, t, 1, &count), gn_array_of(n, t, 1, &count)),
                     GN_ARRAYS(gn_array_of(l, t, 1, &count), gn_array_of(r, t, 1, &count))));
        for (int i = 0; i < N; i++) {
            uint64_t bits = 0, by = 0, left = 0, right = 0;
            memcpy(&bits, x + (size_t)i * size, size), memcpy(&by, n + (size_t)i * size, size);
            memcpy(&left, l + (size_t)i * size, size), memcpy(&right, r + (size_t)i * size, size);
            const uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1,
                           sign = has_sign && bits >> (width - 1) & 1 ? mask : 0;
            const bool outside = by >= width;
            assert_true(left == (outside ? 0 : bits << by & mask));
            assert_true(right == (outside ? sign : by ? (bits >> by | sign << (width - by)) & mask : bits));
        }
        gn_func_free(f);
        gn_graph_free(g);
    }
}

/* Beside floats alone, where lanes are converted together: positions, and each integer that lanes hold. */
static void lanes_become_u64(void **state)
{
    enum { M = 40 };
    static const gn_dtype from[] = { GN_I32, GN_U32, GN_I64 };
    for (size_t k = 0; k < sizeof from / sizeof *from; k++) {
        const size_t size = gn_dtype_size(from[k]);
        const int64_t n = M;
        uint64_t bound[M];
        int64_t x[M];
        unsigned char given[M * 8];
        float below[M], before[M];
        gn_graph *g = gn_graph_new(*state);
        gn_func *f = NULL;
        gn_expr *a = gn_input(g, "a", from[k], "n"), *b = gn_input(g, "b", GN_U64, "n");
        for (int i = 0; i < M; i++) {
            x[i] = i % 3 == 0   ? 20 - i
                   : i % 3 == 1 ? INT32_MAX - i
                                : i,
            bound[i] = i % 4 == 0 ? UINT64_MAX - (uint64_t)i : (uint64_t)i * 5 % 31;
            memcpy(given + (size_t)i * size, &x[i], size); /* little-endian */
            if (from[k] == GN_U32) x[i] = (uint32_t)x[i];
        }
        must(gn_compile(&f, g, .in = GN_EXPRS(a, b),
                        .out = GN_EXPRS(gn_select(gn_lt(gn_cast(a, GN_U64), b), gn_number(g, GN_F32, 1), 2),
                                        gn_select(gn_lt(gn_iota(g, GN_U64, 0, "n"), b), gn_number(g, GN_F32, 1), 2))));
        must(gn_call(f, GN_ARRAYS(gn_array_of(given, from[k], 1, &n), GN_VIEW(bound, M)),
                     GN_ARRAYS(GN_VIEW(below, M), GN_VIEW(before, M))));
        for (int i = 0; i < M; i++) {
            assert_true(below[i] == ((x[i] < 0 ? 0 : (uint64_t)x[i]) < bound[i] ? 1 : 2));
            assert_true(before[i] == ((uint64_t)i < bound[i] ? 1 : 2));
        }
        gn_func_free(f);
        gn_graph_free(g);
    }
}

/* Numbers written in the program, those made where two are folded. */
static void numbers_reach_the_end_of_u64(void **state)
{
    enum { K = 6 };
    const uint64_t big = UINT64_C(0xff51afd7ed558ccd), x[] = { 0, 1, 3, UINT64_C(1) << 63, UINT64_MAX };
    uint64_t got[K][5];
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *a = gn_input(g, "a", GN_U64, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(a),
                    .out = GN_EXPRS(gn_mul(a, big), gn_sub(gn_add(gn_mul(a, big), big), 1), gn_maximum(a, big),
                                    gn_mod(big, a), gn_select(gn_lt(a, big), UINT64_MAX, a),
                                    gn_floordiv(gn_sub(gn_full(g, GN_U64, 0, "n"), 2), 3))));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(x, 5)), GN_ARRAYS(GN_VIEW(got[0], 5), GN_VIEW(got[1], 5), GN_VIEW(got[2], 5),
                 GN_VIEW(got[3], 5), GN_VIEW(got[4], 5), GN_VIEW(got[5], 5))));
    for (int i = 0; i < 5; i++) {
        const uint64_t want[K] = { x[i] * big, x[i] * big + big - 1, x[i] > big ? x[i] : big, x[i] ? big % x[i] : 0,
                                   x[i] < big ? UINT64_MAX : x[i], (UINT64_MAX - 1) / 3 };
        for (int k = 0; k < K; k++) assert_true(got[k][i] == want[k]);
    }
    gn_func_free(f);
    gn_graph_free(g);
}

/* ---- remainders: as Python has them, from libm's exact fmod ---- */

#define PYTHON_MOD(type, a, b, r, n) \
    type r = (type)fmod((double)(a), (double)(b)), n = ((a) - r) / (b); \
    if (r != 0 && (r < 0) != ((b) < 0)) r += (b), n -= 1; \
    else if (r == 0) r = (type)copysign(0, (double)(b)); \
    n = (b) == 0 ? (a) / (b) : n == 0 ? (type)copysign(0, (double)((a) / (b))) \
      : n - (type)floor((double)n) > (type)0.5 ? (type)floor((double)n) + 1 : (type)floor((double)n)

static bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && !signbit(a) == !signbit(b));
}

static void remainders_of_floats_are_exact(void **state)
{
    enum { PAIRS = 4000 };
    static const double odd[] = { 0,
                                  -0.0,
                                  1,
                                  -1,
                                  3,
                                  0.1,
                                  0.7,
                                  -0.7,
                                  1e10,
                                  1e7,
                                  5,
                                  INFINITY,
                                  -INFINITY,
                                  NAN,
                                  0x1p-1074,
                                  -0x1p-1022,
                                  0x1.fffffffffffffp1023,
                                  7.5 };
    enum { ODD = sizeof odd / sizeof *odd };
    static double a[PAIRS], b[PAIRS], m[PAIRS], q[PAIRS];
    static float fa[PAIRS], fb[PAIRS], fm[PAIRS], fq[PAIRS];
    uint64_t seed = test_seed();
    for (int i = 0; i < PAIRS; i++) {
        const int range = i % 3 ? 60 : 1000;
        a[i] = i < ODD * ODD ? odd[i / ODD] : test_uniform(&seed, -1, 1) * exp2(test_uniform(&seed, -range, range));
        b[i] = i < ODD * ODD ? odd[i % ODD] : test_uniform(&seed, -1, 1) * exp2(test_uniform(&seed, -range, range));
        fa[i] = (float)a[i], fb[i] = (float)b[i];
    }
    for (int wide = 0; wide < 2; wide++) {
        gn_graph *g = gn_graph_new(*state);
        gn_func *f = NULL;
        gn_expr *x = gn_input(g, "x", wide ? GN_F64 : GN_F32, "n"), *y = gn_input(g, "y", wide ? GN_F64 : GN_F32, "n");
        must(gn_compile(&f, g, .in = GN_EXPRS(x, y), .out = GN_EXPRS(gn_mod(x, y), gn_floordiv(x, y))));
        if (wide)
            must(gn_call(f, GN_ARRAYS(GN_VIEW(a, PAIRS), GN_VIEW(b, PAIRS)),
                         GN_ARRAYS(GN_VIEW(m, PAIRS), GN_VIEW(q, PAIRS))));
        else
            must(gn_call(f, GN_ARRAYS(GN_VIEW(fa, PAIRS), GN_VIEW(fb, PAIRS)),
                         GN_ARRAYS(GN_VIEW(fm, PAIRS), GN_VIEW(fq, PAIRS))));
        for (int i = 0; i < PAIRS; i++) {
            PYTHON_MOD(double, a[i], b[i], r, n);
            PYTHON_MOD(float, fa[i], fb[i], fr, fn);
            if (wide && !(same(m[i], r) && same(q[i], n)))
                fail_msg("%a and %a: %a and %a, expected %a and %a", a[i], b[i], m[i], q[i], r, n);
            if (!wide && !(same((double)fm[i], (double)fr) && same((double)fq[i], (double)fn)))
                fail_msg("%a and %a: %a and %a, expected %a and %a", (double)fa[i], (double)fb[i], (double)fm[i],
                         (double)fq[i], (double)fr, (double)fn);
        }
        gn_func_free(f);
        gn_graph_free(g);
    }
}

/* The left tail of gelu is x/2 erfc(-x / sqrt(2)): 1 + erf has no digit of it. The slack is the argument's rounding,
 * times x^2. */
static void gelu_keeps_its_digits_far_below_0(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float x[6] = { -1, -3, -5, -8, -12, 2 }, y[6];
    gn_expr *e = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(gn_gelu(e))));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(x, 6)), GN_ARRAYS(GN_VIEW(y, 6))));
    for (int i = 0; i < 6; i++) {
        const double want = (double)x[i] / 2 * erfc(-(double)x[i] / sqrt(2)),
                     slack = (8 + 2 * (double)x[i] * (double)x[i]) * 0x1p-24 * fabs(want);
        if (!(fabs((double)y[i] - want) <= slack))
            fail_msg("gelu(%g) is %.9g, expected %.9g", (double)x[i], (double)y[i], want);
    }
    gn_func_free(f);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_dtype_becomes_each_other),
        cmocka_unit_test(what_does_not_fit_saturates),
        cmocka_unit_test(shifts_of_every_width_move_everything_out),
        cmocka_unit_test(lanes_become_u64),
        cmocka_unit_test(numbers_reach_the_end_of_u64),
        cmocka_unit_test(remainders_of_floats_are_exact),
        cmocka_unit_test(gelu_keeps_its_digits_far_below_0),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
