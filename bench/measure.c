/* Compiles a body and compares it with long double libm. */
#include <dlfcn.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "dtype.h"
#include "error.h"
#include "expand.h"
#include "measure.h"

extern char **environ;
enum { BLOCK = 4096 };

static long double rsqrt(long double a)
{
    return 1 / sqrtl(a);
}

static long double sigmoid(long double a)
{
    const long double e = expl(-fabsl(a));
    return (a < 0 ? e : 1) / (1 + e);
}

static long double softplus(long double a)
{
    return (a < 0 ? 0 : a) + log1pl(expl(-fabsl(a)));
}

typedef struct reference {
    const char *op;
    long double (*one)(long double);
    long double (*two)(long double, long double);
} reference;

static const reference references[] = {
    { "exp", expl },   { "expm1", expm1l }, { "log", logl },        { "log1p", log1pl },
    { "sin", sinl },   { "cos", cosl },     { "tanh", tanhl },      { "erf", erfl }, { "erfc", erfcl },
    { "rsqrt", rsqrt }, { "sigmoid", sigmoid }, { "softplus", softplus }, { "pow", .two = powl },
};

/* |y - truth| in units of the last place of truth, in a format of p bits whose least normal exponent is emin. */
static double ulps(double y, long double truth, int p, int emin, double largest)
{
    if (isnan(truth) || isnan(y)) return isnan(truth) && isnan(y) ? 0 : INFINITY;
    int e;
    if (isinf(y) && fabsl(truth) <= largest) { /* overflowed: allowed if the truth rounds there, within an ulp */
        frexp(largest, &e);
        return fabsl(truth) >= largest && !signbit(y) == !signbit(truth)
                   ? (double)((ldexpl(1, e) - fabsl(truth)) / ldexpl(1, e - p))
                   : INFINITY;
    }
    if (isinf(y) || isinf(truth) || fabsl(truth) > largest) {
        const double bound = isinf(y) ? y : fabs(y) == largest && fabsl(truth) < 2 * (long double)largest ? y : 0;
        return bound != 0 && !signbit(bound) == !signbit(truth) ? 0 : INFINITY;
    }
    if (y == 0 && truth == 0) return !signbit(y) == !signbit(truth) ? 0 : INFINITY;
    frexpl(truth, &e);
    e = e - 1 < emin ? emin : e - 1;
    return (double)(fabsl(y - truth) / ldexpl(1, e - p + 1));
}

static gn_status run(char *const *argv)
{
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) || waitpid(pid, &status, 0) < 0)
        return gn_error(GN_ECOMPILER, "cannot run %s", argv[0]);
    return status ? gn_error(GN_ECOMPILER, "%s failed on %s", argv[0], argv[2]) : GN_OK;
}

typedef struct unit {
    const measure_options *options;
    const char *op;
    gn_dtype dtype;
    const char *path;
} unit;

static void write_unit(void *arg)
{
    unit *u = arg;
    gn_arena arena = {0};
    gn_text body = {.arena = &arena}, text = {.arena = &arena};
    const int lanes = u->options->target->vector_bytes / gn_dtypes[u->dtype].size;
    expand_body(&body, u->options->target, "body", u->op, u->dtype, lanes);
    gn_words words = {.arena = &arena};
    gn_words_read(&words, gn_text_done(&body));
    gn_target_unit(&text, u->options->target, &words, gn_text_done(&body));
    FILE *f = fopen(u->path, "w");
    if (!f || fputs(gn_text_done(&text), f) < 0 || fclose(f)) gn_throw(GN_EIO, "cannot write %s", u->path);
    gn_arena_free(&arena);
}

/* Compiles and loads the body: the function, or NULL with the message set. */
static void *load_body(unit *u, void **library)
{
    char source[] = "/tmp/ulpXXXXXX.c", object[] = "/tmp/ulpXXXXXX.so";
    const int a = mkstemps(source, 2), b = mkstemps(object, 3);
    u->path = source;
    void *f = NULL;
    char *argv[] = { (char *)u->options->cc, "-std=c11", source, "-O2", "-Wno-psabi", "-ffp-contract=off",
                     "-shared", "-fPIC", "-o", object, NULL };
    if (a >= 0 && b >= 0 && !gn_protect(write_unit, u) && !run(argv)) {
        *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
        f = *library ? dlsym(*library, "body") : NULL;
        if (!f) gn_error(GN_ECOMPILER, "%s", dlerror());
    }
    close(a);
    close(b);
    unlink(source);
    unlink(object);
    return f;
}

static uint64_t next(uint64_t *s)
{
    uint64_t z = (*s += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static const double special[] = {
    0.0, -0.0, INFINITY, -INFINITY, NAN, 1, -1, 0.5, -0.5, 2, -2, 88.72283, 88.722839, -87.33654, -103.97, -104,
    709.78271289338397, 709.782712893384, -708.3964185322641, -745.13, -746, 3.14159274, 1.57079637,
    0x1.6ac5b262ca1ffp+849, 3.141592653589793, 1.5707963267948966, 1e15, 6.28318548, 1e22, 1e30, 3e38, 0x1p-149,
    0x1p-126, 0x1p-1022, 0x1p-1074, 1e308, -1e308, 0.70710678, 1.41421356, 3, -3, 0.1, 9.01, 18.1, 20, -20, 40, 100,
    1e-3, 1e-4, 1e-5, 1e-8,
};
enum { NSPECIAL = sizeof special / sizeof *special };

/* Half of the doubles have any bits, half a moderate exponent. */
static double random_double(uint64_t *seed)
{
    const uint64_t bits = next(seed);
    return bits & 1 ? double_of(next(seed)) : ldexp((double)(int64_t)next(seed), (int)(bits >> 32) % 40 - 63 - 20);
}

static void compare(measure *m, const reference *f, double a, double b, double y, bool is64)
{
    const long double truth = f->one ? f->one(a) : f->two(a, b);
    const double worst =
        is64 ? ulps(y, truth, 53, -1022, 0x1.fffffffffffffp1023) : ulps(y, truth, 24, -126, 0x1.fffffep127);
    m->tested++;
    if (worst > m->worst || m->tested == 1) {
        m->worst = worst;
        m->at = a;
        m->at2 = b;
    }
}

static void sweep_f32(measure *m, const measure_options *o, const reference *f,
                      void (*body)(const float *, const float *, float *, int64_t))
{
    const bool binary = f->two;
    static float a[BLOCK], b[BLOCK], y[BLOCK];
    uint64_t seed = 1;
    const uint64_t points = binary ? o->count : (1ull << 32) / o->stride;
    for (uint64_t i = 0; i < points + NSPECIAL * NSPECIAL;) {
        int n = 0;
        for (; n < BLOCK; n++, i++) {
            const uint64_t k = i < points ? i : i - points;
            a[n] = i < points ? binary ? (float)random_double(&seed) : float_of((uint32_t)(k * o->stride))
                              : (float)special[k % NSPECIAL];
            b[n] = i < points ? (float)random_double(&seed) : (float)special[k / NSPECIAL % NSPECIAL];
        }
        body(a, b, y, BLOCK);
        for (n = 0; n < BLOCK; n++) compare(m, f, a[n], b[n], y[n], false);
    }
}

static void sweep_f64(measure *m, const measure_options *o, const reference *f,
                      void (*body)(const double *, const double *, double *, int64_t))
{
    static double a[BLOCK], b[BLOCK], y[BLOCK];
    uint64_t seed = 1;
    for (uint64_t i = 0; i < o->count + NSPECIAL * NSPECIAL;) {
        int n = 0;
        for (; n < BLOCK; n++, i++) {
            const uint64_t k = i < o->count ? i : i - o->count;
            a[n] = i < o->count ? random_double(&seed) : special[k % NSPECIAL];
            b[n] = i < o->count ? random_double(&seed) : special[k / NSPECIAL % NSPECIAL];
        }
        body(a, b, y, BLOCK);
        for (n = 0; n < BLOCK; n++) compare(m, f, a[n], b[n], y[n], true);
    }
}

gn_status measure_body(measure *m, const measure_options *o, const char *op, gn_dtype t)
{
    const reference *f = NULL;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        if (strcmp(references[i].op, op) == 0) f = &references[i];
    if (!f) return gn_error(GN_EINVAL, "no reference for %s", op);
    unit u = {.options = o, .op = op, .dtype = t};
    void *library = NULL;
    void *symbol = load_body(&u, &library);
    if (!symbol) return GN_ECOMPILER;
    *m = (measure){0};
    if (t == GN_F32) {
        void (*body)(const float *, const float *, float *, int64_t);
        memcpy(&body, &symbol, sizeof body);
        sweep_f32(m, o, f, body);
    } else {
        void (*body)(const double *, const double *, double *, int64_t);
        memcpy(&body, &symbol, sizeof body);
        sweep_f64(m, o, f, body);
    }
    dlclose(library);
    return GN_OK;
}
