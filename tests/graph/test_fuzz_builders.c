/* Builders called at random, mostly wrongly: NULL, failed and foreign operands, any rank, dtype, axis and text. Each
 * call gives an expression, or an error node and a sentence with its place; the graph stays usable, and what was built
 * compiles up to its program or is refused with a sentence.
 *
 * $GNOMON_TEST_SEED: of the first graph; $GNOMON_TEST_GRAPHS: how many [300]. */
#include "testlib.h"
#include <gnomon/gnomon.h>
#include "graph_text.h"
#include "op.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 60 };
typedef struct caller {
    uint64_t *random;
    gn_graph *g, *other;
    gn_expr *x[MOST];
    size_t n;
    int line; /* of the place that is passed: the number of the call */
} caller;

static size_t below(caller *c, size_t n)
{
    return (size_t)(test_random(c->random) % n);
}

static gn_expr *pick(caller *c)
{
    const size_t k = below(c, 40);
    if (k == 0) return NULL;
    if (k == 1) return c->other->inputs.at[0];
    if (k == 2) return c->g->error;
    return c->x[below(c, c->n)];
}

static gn_operand operand(caller *c)
{
    switch (below(c, 8)) {
    case 0: return gn_operand_double(((const double[]){ 0, 1.5, -1e300, (double)NAN, (double)INFINITY })[below(c, 5)]);
    case 1: return gn_operand_int(((const int64_t[]){ 0, 1, -1, 300, INT64_MAX, INT64_MIN })[below(c, 6)]);
    case 2: return gn_operand_uint(UINT64_MAX);
    default: return gn_operand_expr(pick(c));
    }
}

static int number(caller *c)
{
    return ((const int[]){ 0, 0, 1, 1, 2, -1, -2, 3, 7, 8, -9, 100, INT32_MAX, INT32_MIN })[below(c, 14)];
}

static gn_dtype dtype(caller *c)
{
    return below(c, 20) ? (gn_dtype)below(c, GN_NDTYPES) : (gn_dtype)(below(c, 2) ? 99 : -1);
}

static const char *text(caller *c)
{
    static const char *const texts[] = { "()",
                                         "n",
                                         "m",
                                         "2",
                                         "3",
                                         "n, 3",
                                         "3, n",
                                         "2, 3, 4",
                                         "0",
                                         "1",
                                         "n, 1",
                                         "-1",
                                         "-1, 3",
                                         "n-5",
                                         "2*n, n/2",
                                         "n, n, n, n, n, n, n, n",
                                         "n,n,n,n,n,n,n,n,n",
                                         "4294967296, 4294967296",
                                         "9223372036854775807*n",
                                         "max(n, 3)",
                                         "n%0",
                                         "q(",
                                         "",
                                         " ",
                                         "::2",
                                         "::-1",
                                         "1:",
                                         ":1",
                                         "-1",
                                         "-3:",
                                         "n:",
                                         ":, 0",
                                         "5:2",
                                         "::0",
                                         "::9223372036854775807",
                                         "1:1, :n",
                                         "a:b:c:d",
                                         "ij,jk->ik",
                                         "i,i->",
                                         "ij,kj->",
                                         "i,j->ij",
                                         "%",
                                         "7q",
                                         "((((((((n))))))))" };
    return below(c, 30) ? texts[below(c, sizeof texts / sizeof *texts)] : NULL;
}

static gn_axes axes(caller *c, int *at)
{
    const int n = (int)below(c, 4);
    for (int i = 0; i < n; i++) at[i] = number(c);
    if (below(c, 40) == 0) return (gn_axes){ number(c) % 8, NULL };
    return (gn_axes){ n, at };
}

typedef gn_expr *(*unary)(gn_loc, gn_expr *);
typedef gn_expr *(*binary)(gn_loc, gn_operand, gn_operand);
typedef gn_expr *(*reduction)(gn_loc, gn_expr *, gn_axes);
typedef gn_expr *(*along)(gn_loc, gn_expr *, int);

static gn_expr *call(caller *c)
{
    static const unary unaries[] = { gn_neg_at,      gn_abs_at,       gn_square_at,        gn_exp_at,    gn_log_at,
                                     gn_tanh_at,     gn_sqrt_at,      gn_relu_at,          gn_gelu_at,   gn_sum_all_at,
                                     gn_mean_all_at, gn_transpose_at, gn_stop_gradient_at, gn_any_all_at };
    static const binary binaries[] = { gn_add_at, gn_sub_at,     gn_mul_at, gn_div_at, gn_floordiv_at,    gn_mod_at,
                                       gn_pow_at, gn_maximum_at, gn_eq_at,  gn_lt_at,  gn_logical_and_at, gn_shl_at };
    static const reduction reductions[] = { gn_sum_at,     gn_max_at,    gn_mean_at,    gn_var_at, gn_any_at,
                                            gn_permute_at, gn_expand_at, gn_squeeze_at, gn_flip_at };
    static const along alongs[] = { gn_argmax_at, gn_softmax_at, gn_log_sum_exp_at, gn_dim_at };
    const gn_loc here = { "fuzz.c", ++c->line };
    gn_expr *const list[3] = { pick(c), pick(c), pick(c) }, *out[4] = { NULL, NULL, NULL, NULL };
    const gn_exprs xs = { below(c, 4), list };
    int at[8];
    char name[16];
    snprintf(name, sizeof name, "v%d", c->line);
    switch (below(c, 26)) {
    case 0:
    case 1: return unaries[below(c, sizeof unaries / sizeof *unaries)](here, pick(c));
    case 2:
    case 3:
    case 4: return binaries[below(c, sizeof binaries / sizeof *binaries)](here, operand(c), operand(c));
    case 5:
    case 6: return reductions[below(c, sizeof reductions / sizeof *reductions)](here, pick(c), axes(c, at));
    case 7: return alongs[below(c, sizeof alongs / sizeof *alongs)](here, pick(c), number(c));
    case 8: return gn_cast_at(here, pick(c), dtype(c));
    case 9: return gn_reshape_text(here, pick(c), text(c));
    case 10: return gn_broadcast_to_text(here, pick(c), text(c));
    case 11: return gn_slice_text(here, pick(c), text(c));
    case 12: return gn_pad_text(here, pick(c), operand(c), text(c));
    case 13: return gn_concat_at(here, xs, number(c));
    case 14: return gn_stack_at(here, xs, number(c));
    case 15: return gn_matmul_at(here, pick(c), pick(c));
    case 16: return gn_einsum_at(here, text(c), pick(c), pick(c));
    case 17: return gn_take_at(here, pick(c), pick(c), number(c));
    case 18: return gn_scatter_add_at(here, pick(c), pick(c), pick(c), number(c));
    case 19: return gn_select_at(here, pick(c), operand(c), operand(c));
    case 20: return gn_input_text(here, c->g, below(c, 10) ? name : below(c, 2) ? "x" : NULL, dtype(c), text(c));
    case 21: return gn_full_text(here, c->g, dtype(c), operand(c), text(c));
    case 22: return gn_cross_entropy_at(here, pick(c), pick(c));
    case 23: return gn_uniform_text(here, c->g, below(c, 4) ? name : "", operand(c), dtype(c), text(c));
    case 24: gn_split_at(here, pick(c), number(c), (int)(1 + below(c, 4)), out); return out[0];
    default: return gn_grad_at(here, gn_sum_all_at(here, pick(c)), pick(c));
    }
}

static void step(caller *c)
{
    gn_expr *const y = call(c);
    const gn_status s = gn_graph_check(c->g), other = gn_graph_check(c->other);
    assert_non_null(y);
    if (gn_is_error(y)) {
        const bool told = s || other || !gn_graph_of(y) || *gn_message(); /* operands that failed before are told before */
        if (!told) fail_msg("call %d: an error node without a sentence", c->line);
        if (s == GN_EINTERNAL || s > 0) fail_msg("call %d: %s: %s", c->line, gn_status_name(s), gn_message());
        return;
    }
    if (s) fail_msg("call %d: an expression and %s: %s", c->line, gn_status_name(s), gn_message());
    if (gn_graph_of(y) == c->g) c->x[c->n < MOST ? c->n++ : below(c, MOST)] = y;
}

typedef struct attempt {
    gn_arena arena;
    caller *c;
    struct gn_core *core;
} attempt;

static void copy(void *arg)
{
    attempt *const a = arg;
    const gn_graph *const g = a->c->g;
    a->core = gn_graph_copy(&a->arena, a->c->g, (gn_exprs){ g->inputs.n, g->inputs.at }, (gn_exprs){ a->c->n, a->c->x },
                            (gn_exprs){ 0 }, (gn_exprs){ 0 }, 0, NULL);
    gn_core_verify(a->core);
}

static void wrong_calls_give_an_error_node_and_a_sentence(void **state)
{
    (void)state;
    const char *const wanted = getenv("GNOMON_TEST_GRAPHS");
    const long count = wanted ? atol(wanted) : 300;
    uint64_t seed = test_seed();
    size_t built = 0, copied = 0;
    for (long i = 0; i < count; i++, seed++) {
        uint64_t random = seed;
        caller c = { .random = &random, .g = gn_graph_new(NULL), .other = gn_graph_new(NULL) };
        gn_input(c.other, "foreign", GN_F32, "n");
        const gn_dtype kinds[] = { GN_F32, GN_F64, GN_I32, GN_BOOL, GN_U8 };
        const char *const shapes[] = { "n", "n, 3", "3", "()", "2, 3, 4" };
        for (int k = 0; k < 5; k++) {
            char name[8];
            snprintf(name, sizeof name, "in%d", k);
            c.x[c.n++] = gn_input(c.g, name, kinds[k], "%s", shapes[k]);
        }
        for (int k = 0; k < 120; k++) step(&c);
        built += c.n;
        char *const printed = gn_graph_print(c.g, (gn_exprs){ c.n, c.x });
        if (!printed) fail_msg("GNOMON_TEST_SEED=%llu: %s", (unsigned long long)seed, gn_message());
        gn_text_free(printed);
        attempt a = { .c = &c };
        const gn_status s = gn_protect(copy, &a);
        if (s == GN_EINTERNAL || s > 0)
            fail_msg("GNOMON_TEST_SEED=%llu: %s: %s", (unsigned long long)seed, gn_status_name(s), gn_message());
        copied += !s;
        gn_core_free(a.core);
        gn_arena_free(&a.arena);
        gn_graph_free(c.g), gn_graph_free(c.other);
    }
    print_message("%zu expressions, %zu of %ld graphs copied\n", built, copied, count);
    assert_true(built > 10 * (size_t)count);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(wrong_calls_give_an_error_node_and_a_sentence) };
    setenv("GNOMON_LINTS", "-all", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
