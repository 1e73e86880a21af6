/* All passes on whole programs: values stay, the result is a core graph. */
#include "testlib.h"
#include "evaluate.h"
#include "ops/make.h"
#include "optimize.h"
#include "random_graph.h"
#include "splat.h"
#include <gnomon/gnomon.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS = 60 };

static struct gn_core *copy_of(gn_arena *arena, gn_graph *g, gn_exprs in, gn_exprs out)
{
    return gn_graph_copy(arena, g, in, out, (gn_exprs){ 0 }, (gn_exprs){ 0 }, 0, NULL);
}

static gn_expr_list nodes_of(gn_arena *arena, const struct gn_core *core)
{
    return gn_reachable(arena, core->out.n, core->out.at);
}

/* What grouping may rely on. */
static void assert_core_form(gn_arena *arena, const struct gn_core *core)
{
    const gn_expr_list nodes = nodes_of(arena, core);
    for (size_t i = 0; i < nodes.n; i++) {
        const gn_expr *e = nodes.at[i];
        gn_splat v;
        assert_false(e->op->traits & GN_COMPOSITE);
        assert_true(e->op != &gn_op_contract && e->op != &gn_op_argmax && e->op != &gn_op_argmin && e->op != &gn_op_permute);
        assert_true(e->op != &gn_op_tuple && e->op != &gn_op_proj);
        if (e->op == &gn_op_broadcast) assert_true(e->in[0]->op != &gn_op_broadcast);
        if (gn_splat_of(e, &v)) assert_true(e->op == &gn_op_constant || (e->op == &gn_op_broadcast && e->in[0]->op == &gn_op_constant));
    }
}

/* ---- values ---- */

typedef struct comparison {
    gn_arena arena;
    const random_graph *r;
    size_t output;           /* position in r->output */
    const char *disable;
    char what[512];
    bool differs;
    int64_t elements, skipped;
} comparison;

static bool is_near(const gn_tensor *a, const gn_tensor *b, int64_t i)
{
    const gn_ref x = a->at[i], y = b->at[i];
    if (!gn_is_float(a->dtype)) return x.i == y.i;
    if (isnan(x.f) && isnan(y.f)) return true;
    return x.f == y.f || fabsl(x.f - y.f) <= x.err + y.err;
}

static void compare(comparison *c, const gn_tensor *a, const gn_tensor *b)
{
    for (int64_t i = 0; i < a->count; i++) {
        c->elements++;
        if (a->at[i].jump || b->at[i].jump || isinf(a->at[i].err) || isinf(b->at[i].err)) {
            c->skipped++;
        } else if (!is_near(a, b, i)) {
            snprintf(c->what, sizeof c->what, "output %zu, element %lld: %.9Lg (%lld, err %.3Lg) became %.9Lg (%lld, err %.3Lg)", c->output, (long long)i,
                     a->at[i].f, (long long)a->at[i].i, a->at[i].err, b->at[i].f, (long long)b->at[i].i, b->at[i].err);
            c->differs = true;
            return;
        }
    }
}

static void run(void *arg)
{
    comparison *c = arg;
    const random_graph *r = c->r;
    struct gn_core *core = copy_of(&c->arena, r->g, (gn_exprs){ r->ninputs, r->input }, (gn_exprs){ r->noutputs, r->output });
    gn_optimize(core, &(gn_optimize_options){ .disable = c->disable });
    assert_core_form(&c->arena, core);
    gn_evaluation *before = gn_evaluation_new(&c->arena), *after = gn_evaluation_new(&c->arena);
    for (size_t i = 0; i < r->ninputs; i++) {
        gn_evaluation_set(before, r->input[i], &r->value[i]);
        gn_evaluation_set(after, core->in.at[i], &r->value[i]);
    }
    for (c->output = 0; c->output < r->noutputs && !c->differs; c->output++) {
        const gn_tensor *a = gn_evaluate(before, r->output[c->output]), *b = gn_evaluate(after, core->out.at[c->output]);
        assert_int_equal(a->count, b->count);
        assert_int_equal(a->dtype, b->dtype);
        compare(c, a, b);
    }
    gn_core_free(core);
}

static void random_programs_keep_their_values(void **state)
{
    (void)state;
    const uint64_t seed = test_seed();
    int64_t elements = 0, skipped = 0, refused = 0;
    for (uint64_t i = 0; i < PROGRAMS; i++) {
        random_graph r;
        random_graph_make(&r, seed * 1000 + i);
        comparison c = { .r = &r };
        const gn_status status = gn_protect(run, &c);
        if (status == GN_ESHAPE) refused++; /* its values do not meet its constraints */
        else if (status) fail_msg("program %llu: %s", (unsigned long long)(seed * 1000 + i), gn_message());
        if (c.differs) {
            char *text = gn_graph_print(r.g, (gn_exprs){ r.noutputs, r.output });
            fail_msg("program %llu: %s\n%s", (unsigned long long)(seed * 1000 + i), c.what, text);
        }
        elements += c.elements, skipped += c.skipped;
        gn_arena_free(&c.arena);
        random_graph_free(&r);
    }
    print_message("%lld elements, %lld not comparable, %lld programs refused their values\n", (long long)elements, (long long)skipped, (long long)refused);
    assert_true(elements > 1000 && 2 * refused < PROGRAMS && 5 * skipped < elements);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_programs_keep_their_values) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
