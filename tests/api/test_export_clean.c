/* What every op becomes in an export is clean under all usual warnings: in gcc, clang and g++, for every target. */
#include "api.h"
#include "ops/make.h"
#include "samples.h"
#include "target.h"

enum { MOST = 2000, BATCH = 60 };

typedef struct collection {
    gn_graph *g;
    size_t n, nin, seen, share;
    gn_expr *y[MOST], *in[2 * MOST];
    size_t first[MOST + 1]; /* of its inputs */
} collection;

static void collect(void *user, const gn_sample *s)
{
    collection *c = user;
    if (++c->seen % c->share || s->y->type->kind == GN_TYPE_TUPLE) return;
    for (size_t i = 0; i < s->nin; i++) c->in[c->nin++] = s->in[i];
    c->y[c->n++] = s->y;
    c->first[c->n] = c->nin;
    assert_true(c->n < MOST && c->nin < 2 * MOST - GN_SAMPLE_INPUTS);
}

static const char *const compilers[] = { "gcc -std=c11", "clang-19 -std=c11", "g++ -std=c++17 -x c++" };

typedef struct named {
    const char *dim;
    bool is_there;
} named;

static void find_dim(void *user, const char *name)
{
    named *d = user;
    d->is_there |= !strcmp(d->dim, name);
}

/* "n=7,m=4": of the named dims that the inputs have. */
static void fix_dims(const gn_compile_options *o, char *fix)
{
    static const char *const dims[] = { "n", "m", "z" };
    for (size_t k = 0; k < 3; k++) {
        named d = { .dim = dims[k] };
        for (size_t i = 0; i < o->in.n; i++)
            for (uint16_t a = 0; a < o->in.at[i]->type->n; a++) gn_dim_symbols(o->in.at[i]->type->dim[a], find_dim, &d);
        if (d.is_there) sprintf(fix + strlen(fix), "%s%s=%d", *fix ? "," : "", dims[k], (int)gn_sample_size(dims[k]));
    }
}

static void check_clean(gn_graph *g, const gn_compile_options *o)
{
    gn_func *f = NULL;
    char command[512];
    if (gn_compile_at(GN_HERE, &f, g, o)) fail_msg("%s", gn_message());
    must(gn_export(f, "samples", api_dir));
    gn_func_free(f);
    for (size_t k = 0; k < sizeof compilers / sizeof *compilers; k++) {
        snprintf(command, sizeof command, "%s -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only %s/samples.c",
                 compilers[k], api_dir);
        if (api_has(compilers[k]) && system(command)) fail_msg("%s", command);
    }
}

static void check_batch(collection *c, size_t from, size_t to)
{
    char fix[64] = "";
    const size_t i0 = c->first[from];
    const gn_compile_options o = {
        .in = { c->first[to] - i0, c->in + i0 }, .out = { to - from, c->y + from }, .name = "samples", .fix = fix
    };
    fix_dims(&o, fix);
    check_clean(c->g, &o);
}

/* In a row of one element an element and its mirror image are one: x == x, and 0 <= u of an unsigned one, are warned of. */
static void comparisons_that_are_decided_are_not_written(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(api_context);
    gn_expr *x = gn_input(g, "x", GN_I32, "n"), *u = gn_input(g, "u", GN_U32, "n"), *b = gn_input(g, "b", GN_BOOL, "n");
    gn_expr *mirror = gn_flip(x, GN_AXES(0)), *zero = gn_full(g, GN_U32, 0.0, "n");
    gn_expr *out[] = { gn_eq(x, mirror),
                       gn_lt(mirror, x),
                       gn_le(x, mirror),
                       gn_ne(mirror, x),
                       gn_lt(u, gn_flip(u, GN_AXES(0))),
                       gn_lt(u, zero),
                       gn_ge(u, zero),
                       gn_maximum(u, zero),
                       gn_eq(b, gn_flip(b, GN_AXES(0))) };
    check_clean(
        g, &(gn_compile_options){
               .in = GN_EXPRS(x, u, b), .out = { sizeof out / sizeof *out, out }, .name = "samples", .fix = "n=1" });
    gn_graph_free(g);
}

static void every_op_is_clean_under_all_warnings(void **state)
{
    (void)state;
    collection *c = calloc(1, sizeof *c);
    c->share = getenv("GNOMON_TEST_ALL") ? 1 : 5;
    c->g = gn_graph_new(api_context);
    gn_each_sample_in(c->g, collect, c);
    for (size_t from = 0, to; from < c->n; from = to) {
        to = from + BATCH < c->n ? from + BATCH : c->n;
        check_batch(c, from, to);
    }
    gn_graph_free(c->g);
    free(c);
}

/* The loop over parts stays where the one inside it has no points: its leaf is in no statement. */
static void a_product_without_rows_is_clean(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(api_context);
    gn_expr *x = gn_input(g, "x", GN_F64, "1, 0, 4"), *w = gn_input(g, "w", GN_F64, "4, 4");
    check_clean(g, &(gn_compile_options){ .in = GN_EXPRS(x, w), .out = GN_EXPRS(gn_matmul(x, w)), .name = "samples" });
    gn_graph_free(g);
}

int main(void)
{
    static const char *const targets[] = { "avx512", "avx2", "generic", "c11" };
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_product_without_rows_is_clean),
                                        cmocka_unit_test(comparisons_that_are_decided_are_not_written),
                                        cmocka_unit_test(every_op_is_clean_under_all_warnings) };
    int failures = 0;
    char command[96];
    strcpy(api_dir, "/tmp/gnomon-api-XXXXXX");
    if (!mkdtemp(api_dir)) return 1;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        api_options =
            (gn_context_options){ .cache_dir = "", .toolchain = "interpreter", .target = targets[i], .threads = 1 };
        if (gn_context_new(&api_context, &api_options)) return 1;
        failures += _cmocka_run_group_tests(targets[i], tests, sizeof tests / sizeof *tests, NULL, NULL);
        gn_context_free(api_context);
    }
    snprintf(command, sizeof command, "rm -rf '%s'", api_dir);
    return failures + (system(command) != 0);
}
