/* Every op that claims a derivative has one that agrees with differences, on the sample nodes that all generic tests
 * share. */
#include "gradcheck.h"
#include "ops/make.h"
#include "samples.h"

enum { OPS = 256 };
typedef struct tally {
    uint64_t seed;
    int nodes[OPS], elements[OPS], kinks[OPS]; /* by position in gn_ops */
} tally;

static size_t place_of(const gn_op_info *op)
{
    size_t i = 0;
    while (i < gn_nops && gn_ops[i] != op) i++;
    assert_true(i < gn_nops && i < OPS);
    return i;
}

/* An element of a tuple, or a tensor itself. */
typedef struct element {
    gn_expr *e;
    int64_t index;
} element;
static gn_expr *take_element(gn_graph *g, void *arg)
{
    const element *e = arg;
    return e->e->type->kind == GN_TYPE_TUPLE ? gn_make_proj(g, e->e, e->index) : e->e;
}

/* Differences need the precision of f64, in the value and in at least one input. */
static void check_element(tally *t, const gn_sample *s, int64_t index)
{
    problem p = { .g = s->graph, .n = s->nin };
    gn_expr *y = gn_build(GN_HERE, s->graph, take_element, &(element){ s->y, index });
    bool movable = false;
    for (size_t i = 0; i < s->nin; i++) movable |= gn_dtype_of(s->in[i]) == GN_F64;
    if (!movable || gn_dtype_of(y) != GN_F64) return;
    for (size_t i = 0; i < s->nin; i++) p.x[i] = s->in[i], p.value[i] = gn_sample_value(s, i, &t->seed);
    const size_t op = place_of(s->op);
    const check_count c = check_derivatives(&p, s->name, y, &t->seed, 1e-6);
    t->nodes[op]++, t->elements[op] += c.checked, t->kinks[op] += c.skipped;
    for (size_t i = 0; i < s->nin; i++) free(p.value[i].data);
}

static void visit(void *user, const gn_sample *s)
{
    const int64_t n = s->y->type->kind == GN_TYPE_TUPLE ? s->y->type->n : 1;
    if (s->op->not_differentiable) return;
    for (int64_t i = 0; i < n; i++) check_element(user, s, i);
}

/* Those without a sample from f64 to f64. */
static bool is_excused(const gn_op_info *op)
{
    static const char *const names[] = { "cast" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], op->name) == 0) return true;
    }
    return op->traits & (GN_LEAF | GN_KERNEL_ONLY) || op->not_differentiable || !(op->dtypes & GN_BIT(GN_F64));
}

static void every_differentiable_op_agrees_with_differences(void **state)
{
    (void)state;
    static tally t;
    int ops = 0, nodes = 0, elements = 0, kinks = 0, missing = 0;
    t.seed = test_seed();
    gn_each_sample(visit, &t);
    for (size_t i = 0; i < gn_nops; i++) {
        ops += t.nodes[i] > 0, nodes += t.nodes[i], elements += t.elements[i], kinks += t.kinks[i];
        if (t.elements[i] || is_excused(gn_ops[i])) continue;
        print_message("%s has no checked derivative\n", gn_ops[i]->name);
        missing++;
    }
    print_message("%d ops, %d nodes, %d slopes compared, %d at kinks left out\n", ops, nodes, elements, kinks);
    assert_int_equal(missing, 0);
    assert_true(kinks * 5 < elements);
}

/* A derivative or a decision: no record has neither. */
static void every_op_has_a_derivative_or_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < gn_nops; i++) {
        const gn_op_info *op = gn_ops[i];
        const bool has =
            op->deriv[0] || op->deriv[1] || op->deriv[2] || op->deriv[3] || op->vjp || op->expand || op->linear;
        if (!has && !op->not_differentiable && !(op->traits & GN_LEAF))
            fail_msg("%s has neither a derivative nor a reason", op->name);
        if (op->vjp && !op->expand && !op->jvp && !op->linear)
            fail_msg("%s has a reverse rule and no forward one", op->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_differentiable_op_agrees_with_differences),
        cmocka_unit_test(every_op_has_a_derivative_or_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
