/* The words of the preludes, built by the compilers found here, against arithmetic written here. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dtype.h"
#include "number.h"
#include "testlib.h"
#include "tile.h"
#include "unit_cc.h"

enum { N = 16 };

typedef union number {
    double f;
    int64_t i;
} number;

static const gn_dtype dtypes[] = {GN_F32, GN_F64, GN_I32, GN_I64, GN_U32, GN_BOOL};
enum { NDTYPES = 6 };

static number read_number(gn_dtype t, const void *p)
{
    switch (t) {
    case GN_F32: return (number){.f = *(const float *)p};
    case GN_F64: return (number){.f = *(const double *)p};
    case GN_I32: return (number){.i = *(const int32_t *)p};
    case GN_U32: return (number){.i = *(const uint32_t *)p};
    case GN_BOOL: return (number){.i = *(const uint8_t *)p};
    default: return (number){.i = *(const int64_t *)p};
    }
}

static void write_number(gn_dtype t, void *p, number x)
{
    switch (t) {
    case GN_F32: *(float *)p = (float)x.f; break;
    case GN_F64: *(double *)p = x.f; break;
    case GN_I32: *(int32_t *)p = (int32_t)x.i; break;
    case GN_U32: *(uint32_t *)p = (uint32_t)x.i; break;
    case GN_BOOL: *(uint8_t *)p = x.i != 0; break;
    default: *(int64_t *)p = x.i;
    }
}

/* The value of an op in its dtype; integers are cut by write_number and read again. */
static number wrap(gn_dtype t, number x)
{
    char memory[8];
    write_number(t, memory, x);
    return read_number(t, memory);
}

static number of_op(const char *op, gn_dtype t, number a, number b)
{
    const bool f = gn_is_float(t);
    const uint64_t ua = (uint64_t)a.i, ub = (uint64_t)b.i;
    const unsigned width = 8u * gn_dtypes[t].size;
    const bool outside = ub >= width;
    if (!strcmp(op, "add")) return f ? (number){.f = a.f + b.f} : (number){.i = (int64_t)(ua + ub)};
    if (!strcmp(op, "sub")) return f ? (number){.f = a.f - b.f} : (number){.i = (int64_t)(ua - ub)};
    if (!strcmp(op, "mul")) return f ? (number){.f = a.f * b.f} : (number){.i = (int64_t)(ua * ub)};
    if (!strcmp(op, "div") && f) return (number){.f = a.f / b.f};
    if (!strcmp(op, "floordiv") || !strcmp(op, "mod")) {
        const bool mod = op[0] == 'm';
        if (b.i == 0) return (number){.i = 0};
        const __int128 q = (__int128)a.i / b.i, r = (__int128)a.i % b.i, down = r != 0 && (r < 0) != (b.i < 0);
        return (number){.i = (int64_t)(mod ? r + (down ? b.i : 0) : q - down)};
    }
    if (!strcmp(op, "neg")) return f ? (number){.f = -a.f} : (number){.i = (int64_t)(0 - ua)};
    if (!strcmp(op, "abs")) return f ? (number){.f = fabs(a.f)} : (number){.i = a.i < 0 ? (int64_t)(0 - ua) : a.i};
    if (!strcmp(op, "sign"))
        return f ? (number){ .f = a.f > 0 ? 1 : a.f < 0 ? -1 : a.f } : (number){ .i = (a.i > 0) - (a.i < 0) };
    if (!strcmp(op, "maximum"))
        return f ? (number){.f = isnan(a.f) || isnan(b.f) ? NAN : a.f > b.f ? a.f : b.f} : a.i > b.i ? a : b;
    if (!strcmp(op, "minimum"))
        return f ? (number){.f = isnan(a.f) || isnan(b.f) ? NAN : a.f < b.f ? a.f : b.f} : a.i < b.i ? a : b;
    if (!strcmp(op, "copysign")) return (number){.f = copysign(a.f, b.f)};
    if (!strcmp(op, "ldexp"))
        return (number){ .f = t == GN_F32 ? (double)ldexpf((float)a.f, (int)b.f) : ldexp(a.f, (int)b.f) };
    if (!strcmp(op, "sqrt")) return (number){.f = sqrt(a.f)};
    if (!strcmp(op, "floor")) return (number){.f = floor(a.f)};
    if (!strcmp(op, "trunc")) return (number){.f = trunc(a.f)};
    if (!strcmp(op, "round")) return (number){.f = nearbyint(a.f)};
    if (!strcmp(op, "lt")) return (number){.i = f ? a.f < b.f : a.i < b.i};
    if (!strcmp(op, "le")) return (number){.i = f ? a.f <= b.f : a.i <= b.i};
    if (!strcmp(op, "gt")) return (number){.i = f ? a.f > b.f : a.i > b.i};
    if (!strcmp(op, "ge")) return (number){.i = f ? a.f >= b.f : a.i >= b.i};
    if (!strcmp(op, "eq")) return (number){.i = f ? a.f == b.f : a.i == b.i};
    if (!strcmp(op, "ne")) return (number){.i = f ? a.f != b.f : a.i != b.i};
    if (!strcmp(op, "and") || !strcmp(op, "bit_and")) return (number){.i = a.i & b.i};
    if (!strcmp(op, "or") || !strcmp(op, "bit_or")) return (number){.i = a.i | b.i};
    if (!strcmp(op, "xor") || !strcmp(op, "bit_xor")) return (number){.i = a.i ^ b.i};
    if (!strcmp(op, "not")) return (number){.i = !a.i};
    if (!strcmp(op, "bit_not")) return (number){.i = ~a.i};
    if (!strcmp(op, "shl")) return (number){.i = outside ? 0 : (int64_t)(ua << ub)};
    if (!strcmp(op, "shr"))
        return (number){ .i = t == GN_U32 ? outside ? 0 : (int64_t)(ua >> ub) : a.i >> (outside ? 63 : b.i) };
    if (!strcmp(op, "mulhi")) return (number){.i = (int64_t)(ua * ub >> 32)};
    fail_msg("no reference for %s", op);
    return a;
}

typedef struct op_row {
    const char *name;
    int arity;
    unsigned dtypes;
    bool to_bool;
} op_row;

enum {
    F = GN_BIT(GN_F32) | GN_BIT(GN_F64),
    I = GN_BIT(GN_I32) | GN_BIT(GN_I64) | GN_BIT(GN_U32),
    S = I & ~GN_BIT(GN_U32),
    B = GN_BIT(GN_BOOL)
};
static const op_row ops[] = {
    {"add", 2, F | I, 0},
    {"sub", 2, F | I, 0},
    {"mul", 2, F | I, 0},
    {"div", 2, F, 0},
    {"floordiv", 2, I, 0},
    {"mod", 2, I, 0},
    {"neg", 1, F | I, 0},
    {"abs", 1, F | I, 0},
    {"sign", 1, F | I, 0},
    {"maximum", 2, F | I | B, 0},
    {"minimum", 2, F | I | B, 0},
    {"copysign", 2, F, 0},
    {"ldexp", 2, F, 0},
    {"sqrt", 1, F, 0},
    {"floor", 1, F, 0},
    {"trunc", 1, F, 0},
    {"round", 1, F, 0},
    {"lt", 2, F | I | B, 1},
    {"le", 2, F | I | B, 1},
    {"gt", 2, F | I | B, 1},
    {"ge", 2, F | I | B, 1},
    {"eq", 2, F | I | B, 1},
    {"ne", 2, F | I | B, 1},
    {"and", 2, B, 0},
    {"or", 2, B, 0},
    {"xor", 2, B, 0},
    {"not", 1, B, 0},
    {"bit_and", 2, I, 0},
    {"bit_or", 2, I, 0},
    {"bit_xor", 2, I, 0},
    {"bit_not", 1, I, 0},
    {"shl", 2, I, 0},
    {"shr", 2, I, 0},
    {"mulhi", 2, GN_BIT(GN_U32), 0},
};
enum { NOPS = sizeof ops / sizeof *ops };

static const char *tag_of(gn_arena *a, gn_dtype t, int lanes)
{
    gn_text x = {.arena = a};
    gn_spell_tag(&x, t, lanes);
    return gn_text_done(&x);
}

/* y[i] = op(a[i], b[i]) for 64 elements. */
static void print_op(gn_text *out, const gn_target *target, const op_row *op, gn_dtype t, int lanes)
{
    const gn_dtype result = op->to_bool ? GN_BOOL : t;
    const char *tag = tag_of(out->arena, t, lanes), *rtag = tag_of(out->arena, result, lanes);
    const char *pattern = target->spell(gn_op_find(op->name), t, lanes > 1);
    const char *const operands[] = {gn_arena_printf(out->arena, "gn_load_%s(a + i)", tag),
                                    gn_arena_printf(out->arena, "gn_load_%s(b + i)", tag)};
    assert_non_null(pattern);
    gn_textf(out,
             "void %s_%s(const %s *a, const %s *b, %s *y)\n{\n    (void)b;\n    for (int i = 0; i < 64; i += %d)\n        "
             "gn_store_%s(y + i, ",
             op->name, tag, gn_dtypes[t].c_name, gn_dtypes[t].c_name, gn_dtypes[result].c_name, lanes, rtag);
    gn_spell_pattern(out, pattern, rtag, tag, operands);
    gn_textf(out, ");\n}\n");
}

static void print_cast(gn_text *out, const gn_target *target, gn_dtype from, gn_dtype to, int lanes)
{
    const char *s = tag_of(out->arena, from, lanes), *t = tag_of(out->arena, to, lanes);
    const char *const operands[] = {gn_arena_printf(out->arena, "gn_load_%s(a + i)", s)};
    gn_textf(
        out,
        "void cast_%s_%s(const %s *a, %s *y)\n{\n    for (int i = 0; i < 64; i += %d)\n        gn_store_%s(y + i, ", s,
        t, gn_dtypes[from].c_name, gn_dtypes[to].c_name, lanes, t);
    gn_spell_pattern(out, target->spell(&gn_op_cast, to, lanes > 1), t, s, operands);
    gn_textf(out, ");\n}\n");
}

static number sample(gn_dtype t, unsigned k)
{
    static const double floats[] = {
        0.0,   -0.0,   1,        -1,           0.5,          -0.5,          1.5,          -2.5,         2.5,    3.75,
        -7.25, 1e10,   -1e10,    2147483647.0, 2147483648.0, -2147483648.0, 4294967295.0, 4294967296.0, 9.3e18, -9.3e18,
        1e-40, -1e-40, INFINITY, -INFINITY,    NAN,          8388609.0,     1e300,        0.49999997
    };
    static const int64_t ints[] = {0,
                                   1,
                                   -1,
                                   2,
                                   -2,
                                   3,
                                   7,
                                   -7,
                                   31,
                                   32,
                                   33,
                                   63,
                                   64,
                                   65,
                                   100,
                                   -100,
                                   INT32_MAX,
                                   INT32_MIN,
                                   INT32_MAX + 1LL,
                                   UINT32_MAX,
                                   UINT32_MAX + 1LL,
                                   INT64_MAX,
                                   INT64_MIN,
                                   123456789,
                                   -987654321,
                                   1LL << 40,
                                   -(1LL << 40),
                                   5};
    const number x = gn_is_float(t) ? (number){.f = floats[k % 28]} : (number){.i = ints[k % 28]};
    return wrap(t, x);
}

static bool same_number(gn_dtype t, number a, number b)
{
    if (!gn_is_float(t)) return a.i == b.i;
    return (isnan(a.f) && isnan(b.f)) || (a.f == b.f && !signbit(a.f) == !signbit(b.f)) || (a.f == 0 && b.f == 0);
}

typedef void binary(const void *a, const void *b, void *y);
typedef void unary(const void *a, void *y);

static void check_op(void *library, const char *where, const op_row *op, gn_dtype t, int lanes)
{
    gn_arena arena = {0};
    char a[64 * 8], b[64 * 8], y[64 * 8];
    const size_t size = gn_dtypes[t].size;
    const gn_dtype result = op->to_bool ? GN_BOOL : t;
    binary *f;
    void *symbol = unit_symbol(library, gn_arena_printf(&arena, "%s_%s", op->name, tag_of(&arena, t, lanes)));
    memcpy(&f, &symbol, sizeof f);
    for (unsigned shift = 0; shift < 28; shift++) {
        for (unsigned i = 0; i < 64; i++) {
            number x = sample(t, i), z = sample(t, i * 5 + shift);
            if (!strcmp(op->name, "ldexp"))
                x.f = 0.5 + i / 64.0, z.f = ((int)(i * 37 + shift * 11) % 505 - 252) * (t == GN_F32 ? 1 : 8);
            write_number(t, a + i * size, x);
            write_number(t, b + i * size, z);
        }
        f(a, b, y);
        for (unsigned i = 0; i < 64; i++) {
            const number x = read_number(t, a + i * size), z = read_number(t, b + i * size);
            const number got = read_number(result, y + i * gn_dtypes[result].size),
                         want = wrap(result, of_op(op->name, t, x, z));
            if (!same_number(result, got, want))
                fail_msg("%s: %s of %s x%d: of %g %lld and %g %lld: %g %lld instead of %g %lld", where, op->name,
                         gn_dtypes[t].name, lanes, x.f, (long long)x.i, z.f, (long long)z.i, got.f, (long long)got.i,
                         want.f, (long long)want.i);
        }
    }
    gn_arena_free(&arena);
}

static number saturated(gn_dtype from, gn_dtype to, number x)
{
    static const double top[] = {[GN_I32] = 0x1p31, [GN_U32] = 0x1p32, [GN_I64] = 0x1p63};
    const int64_t high = to == GN_I32   ? INT32_MAX
                         : to == GN_U32 ? UINT32_MAX
                                        : INT64_MAX,
                  low = to == GN_I32   ? INT32_MIN
                        : to == GN_U32 ? 0
                                       : INT64_MIN;
    if (gn_is_float(to)) return gn_is_float(from) ? x : (number){.f = to == GN_F32 ? (double)(float)x.i : (double)x.i};
    if (to == GN_BOOL) return (number){.i = gn_is_float(from) ? x.f != 0 : x.i != 0};
    if (!gn_is_float(from)) return (number){.i = x.i > high ? high : x.i < low ? low : x.i};
    return (number){.i = isnan(x.f) ? 0 : x.f >= top[to] ? high : x.f <= (double)low ? low : (int64_t)x.f};
}

static void check_cast(void *library, const char *where, gn_dtype from, gn_dtype to, int lanes)
{
    gn_arena arena = {0};
    char a[64 * 8], y[64 * 8];
    unary *f;
    void *symbol =
        unit_symbol(library, gn_arena_printf(&arena, "cast_%s_%s", tag_of(&arena, from, lanes), tag_of(&arena, to, lanes)));
    memcpy(&f, &symbol, sizeof f);
    for (unsigned i = 0; i < 64; i++) write_number(from, a + i * gn_dtypes[from].size, sample(from, i));
    f(a, y);
    for (unsigned i = 0; i < 64; i++) {
        const number x = sample(from, i), got = read_number(to, y + i * gn_dtypes[to].size),
                     want = wrap(to, saturated(from, to, x));
        if (!same_number(to, got, want))
            fail_msg("%s: cast x%d of %s %g %lld to %s: %g %lld instead of %g %lld", where, lanes, gn_dtypes[from].name,
                     x.f, (long long)x.i, gn_dtypes[to].name, got.f, (long long)got.i, want.f, (long long)want.i);
    }
    gn_arena_free(&arena);
}

typedef void visit_op(void *arg, const op_row *, gn_dtype);

static void each_op(visit_op *visit, void *arg)
{
    for (size_t i = 0; i < NOPS; i++)
        for (int t = 0; t < NDTYPES; t++)
            if (ops[i].dtypes & GN_BIT(dtypes[t])) visit(arg, &ops[i], dtypes[t]);
}

typedef struct printing {
    gn_text text;
    const gn_target *target;
    int lanes;
} printing;

static void print_one(void *arg, const op_row *op, gn_dtype t)
{
    printing *p = arg;
    print_op(&p->text, p->target, op, t, p->lanes);
}

typedef struct checking {
    void *library;
    const char *where;
    int lanes;
} checking;

static void check_one(void *arg, const op_row *op, gn_dtype t)
{
    const checking *c = arg;
    check_op(c->library, c->where, op, t, c->lanes);
}

static void check_words(const gn_target *target, const char *compiler, int lanes)
{
    gn_arena arena = {0};
    printing p = {.text = {.arena = &arena}, .target = target, .lanes = lanes};
    each_op(print_one, &p);
    for (int s = 0; s < NDTYPES; s++)
        for (int t = 0; t < NDTYPES; t++) print_cast(&p.text, target, dtypes[s], dtypes[t], lanes);
    checking c = { unit_load(target, compiler, gn_text_done(&p.text)),
                   gn_arena_printf(&arena, "%s by %s", target->name, compiler), lanes };
    each_op(check_one, &c);
    for (int s = 0; s < NDTYPES; s++)
        for (int t = 0; t < NDTYPES; t++) check_cast(c.library, c.where, dtypes[s], dtypes[t], lanes);
    dlclose(c.library);
    gn_arena_free(&arena);
}

static void on_every_compiler(const gn_target *target)
{
    if (!gn_target_runs_here(target)) {
        printf("skipped: this CPU has no %s\n", target->name);
        skip();
    }
    for (const char *const *c = unit_compilers(); *c; c++) {
        check_words(target, *c, target->vector_bytes / 4); /* scalar words are c11's on all */
    }
}

static void words_of_avx512_compute_what_they_say(void **state)
{
    (void)state;
    on_every_compiler(&gn_target_avx512);
}
static void words_of_avx2_compute_what_they_say(void **state)
{
    (void)state;
    on_every_compiler(&gn_target_avx2);
}
static void words_of_generic_compute_what_they_say(void **state)
{
    (void)state;
    on_every_compiler(&gn_target_generic);
}
static void words_of_c11_compute_what_they_say(void **state)
{
    (void)state;
    on_every_compiler(&gn_target_c11);
}

/* Loads, stores and selects of every kind copy what their masks and strides say, and touch nothing else. */
static const char memory_body[] =
    "void memory(const float *x, float *y, const int64_t *at)\n{\n"
    "    gn_store_f32xN(y, gn_load_f32xN(x));\n"
    "    gn_storem_f32xN(y, 100, gn_loadm_f32xN(x, 0, gn_below_bN(3)), gn_below_bN(2));\n"
    "    gn_store_f32xN(y + 200, gn_loads_f32xN(x, 3));\n"
    "    gn_stores_f32xN(y + 300, 2, gn_loadsm_f32xN(x, 0, -1, gn_bit_bN(0)));\n"
    "    gn_store_f32xN(y + 400, gn_gather_f32xN(x, gn_load_i64xN(at)));\n"
    "    gn_scatter_f32xN(y + 500, gn_load_i64xN(at), gn_iota_f32xN(1, 2));\n"
    "    gn_store_f32xN(y + 600, gn_sel_f32xN(gn_below_bN(3), gn_splat_f32xN(7), gn_load_f32xN(x)));\n"
    "    y[700] = gn_hsum_f32xN(gn_load_f32xN(x));\n"
    "    y[701] = gn_hmax_f32xN(gn_load_f32xN(x));\n"
    "    y[702] = (float)gn_hany_bN(gn_bit_bN(2)) + 2 * (float)gn_hall_bN(gn_below_bN(99)) + 4 * "
    "(float)gn_hany_bN(gn_bit_bN(99));\n"
    "    gn_storesm_f32xN(y, 800, 2, gn_load_f32xN(x), gn_below_bN(2));\n"
    "    gn_tr16_f32(y + 1000, 16, x, 20, 5, 3);\n"
    "}\n";

static void check_memory(const gn_target *target, const char *compiler)
{
    const int n = target->vector_bytes / 4;
    gn_arena arena = {0};
    gn_text body = {.arena = &arena};
    for (const char *p = memory_body; *p; p++) {
        if (*p == 'N' && (p[-1] == 'x' || p[-1] == 'b'))
            gn_textf(&body, "%d", n);
        else
            gn_text_char(&body, *p);
    }
    void *library = unit_load(target, compiler, gn_text_done(&body));
    void (*f)(const float *, float *, const int64_t *);
    void *symbol = unit_symbol(library, "memory");
    memcpy(&f, &symbol, sizeof f);
    float x[400], y[1300];
    int64_t at[16];
    for (int i = 0; i < 400; i++) x[i] = (float)(i * i % 37 + 1);
    for (int i = 0; i < 1300; i++) y[i] = -5;
    for (int i = 0; i < 16; i++) at[i] = (i * 7 + 3) % 16;
    f(x + 60, y, at);
    float sum[16], largest = 0;
    for (int l = 0; l < n; l++) {
        assert_true(y[l] == x[60 + l]);
        assert_true(y[100 + l] == (l < 2 ? x[60 + l] : -5));
        assert_true(y[200 + l] == x[60 + 3 * l]);
        assert_true(y[300 + 2 * l] == (l == 0 ? x[60] : 0) && y[301 + 2 * l] == -5);
        assert_true(y[400 + l] == x[60 + at[l]]);
        assert_true(y[500 + at[l]] == (float)(1 + 2 * l));
        assert_true(y[600 + l] == (l < 3 ? 7 : x[60 + l]));
        assert_true(y[800 + 2 * l] == (l < 2 ? x[60 + l] : -5) && y[801 + 2 * l] == -5);
        sum[l] = x[60 + l];
        largest = x[60 + l] > largest ? x[60 + l] : largest;
    }
    for (int half = n / 2; half; half /= 2)
        for (int l = 0; l < half; l++) sum[l] += sum[l + half];
    assert_true(y[700] == sum[0]);
    assert_true(y[701] == largest);
    assert_true(y[702] == 3);
    for (int i = 0; i < 16; i++)
        for (int l = 0; l < 16; l++) assert_true(y[1000 + 16 * i + l] == (i < 5 && l < 3 ? x[60 + 20 * l + i] : 0));
    dlclose(library);
    gn_arena_free(&arena);
}

static void memory_words_touch_only_their_lanes(void **state)
{
    (void)state;
    for (size_t i = 0; gn_targets[i]; i++)
        for (const char *const *c = unit_compilers(); *c; c++)
            if (gn_target_runs_here(gn_targets[i]) && gn_targets[i]->vector_bytes > 4) check_memory(gn_targets[i], *c);
}

static void make_unknown_word(void *arg)
{
    gn_text *t = arg;
    gn_words words = {.arena = t->arena};
    gn_words_need(&words, "gn_sqrt_i32x16");
    gn_target_unit(t, &gn_target_avx512, &words, "x = gn_sqrt_i32x16(y);");
}

static void a_word_that_the_target_lacks_is_named(void **state)
{
    (void)state;
    gn_arena arena = {0};
    gn_text text = {.arena = &arena};
    assert_int_equal(gn_protect(make_unknown_word, &text), GN_EINTERNAL);
    assert_message_contains("target avx512: the prelude has no gn_sqrt_i32x16");
    gn_arena_free(&arena);
}

static void a_unit_holds_the_words_it_uses_and_no_others(void **state)
{
    (void)state;
    gn_arena arena = {0};
    gn_text text = {.arena = &arena};
    gn_words words = {.arena = &arena};
    gn_words_need(&words, "gn_max_f32");
    gn_target_unit(&text, &gn_target_avx2, &words, "float f(float x, float gn_min_f32) { return gn_max_f32(x, 0); }\n");
    const char *unit = gn_text_done(&text);
    assert_non_null(strstr(unit, "float gn_max_f32(float a, float b)"));
    assert_null(strstr(unit, "float gn_min_f32(")); /* nobody asked for it, whatever the text says */
    assert_null(strstr(unit, "NaN wins"));
    gn_arena_free(&arena);
}

static void numbers_read_back_as_the_same_bits(void **state)
{
    (void)state;
    gn_arena arena = {0};
    static const double values[] = {0.1f, 1, -2.5, 1e-45, 3.4028234e38, 16777216};
    for (size_t i = 0; i < 6; i++) {
        gn_text t = {.arena = &arena};
        gn_spell_float(&t, GN_F32, values[i]);
        const char *text = gn_text_done(&t);
        const char *end;
        float back = 0;
        assert_true(gn_number_read_f32(text + (*text == '('), &end, &back) && back == (float)values[i]);
    }
    gn_text t = {.arena = &arena};
    gn_spell_float(&t, GN_F64, -INFINITY);
    gn_spell_int(&t, GN_I64, INT64_MIN);
    gn_spell_int(&t, GN_I32, -7);
    gn_spell_int(&t, GN_U32, UINT32_MAX);
    assert_string_equal(gn_text_done(&t), "(-GN_INF_F64)(-9223372036854775807 - 1)(-7)4294967295u");
    gn_arena_free(&arena);
}

/* Every register of the fragments, over the 32 threads of a warp, covers its matrix exactly once. */
static void check_fragment(const gn_tile_op *row, const gn_tile_operand *o, int rows, int cols)
{
    int seen[16 * 16] = {0};
    for (int mg = 0; mg < 8; mg++)
        for (int mt = 0; mt < 4; mt++)
            for (int r = 0; r < o->nregs; r++) {
                const int value[GN_TILE_MAX_LEAVES] = {0, mg, mt, 0, 0, 0};
                int i = o->reg[r].row.constant, j = o->reg[r].col.constant;
                for (int l = 0; l < row->nleaf; l++) {
                    i += o->reg[r].row.factor[l] * value[l];
                    j += o->reg[r].col.factor[l] * value[l];
                }
                assert_true(i < rows && j < cols);
                seen[i * cols + j]++;
            }
    for (int i = 0; i < rows * cols; i++) assert_int_equal(seen[i], 1);
}

static void fragments_of_mma_cover_their_matrices(void **state)
{
    (void)state;
    const gn_tile_op *row = gn_tile_find(&gn_target_cuda, "mma_m16n8k8_tf32");
    assert_non_null(row);
    check_fragment(row, &row->a, 16, 8);
    check_fragment(row, &row->b, 8, 8);
    check_fragment(row, &row->c, 16, 8);
    assert_null(gn_tile_find(&gn_target_avx2, "mma_m16n8k8_tf32"));
}

static void targets_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(gn_target_find("avx2"), &gn_target_avx2);
    assert_null(gn_target_find("avx3"));
    assert_true(gn_target_runs_here(gn_target_host()));
    assert_false(gn_target_runs_here(&gn_target_cuda));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_avx512_compute_what_they_say),
        cmocka_unit_test(words_of_avx2_compute_what_they_say),
        cmocka_unit_test(words_of_generic_compute_what_they_say),
        cmocka_unit_test(words_of_c11_compute_what_they_say),
        cmocka_unit_test(memory_words_touch_only_their_lanes),
        cmocka_unit_test(a_word_that_the_target_lacks_is_named),
        cmocka_unit_test(a_unit_holds_the_words_it_uses_and_no_others),
        cmocka_unit_test(numbers_read_back_as_the_same_bits),
        cmocka_unit_test(fragments_of_mma_cover_their_matrices),
        cmocka_unit_test(targets_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
