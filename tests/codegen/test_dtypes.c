/* Every op at every dtype that its record admits, on every target: it becomes a program. (What it computes is tested
 * elsewhere, op by op.) */
#include "testlib.h"
#include <gnomon/gnomon.h>
#include "graph_text.h"
#include "make_program.h"
#include "op.h"
#include "optimize.h"
#include "program.h"
#include <string.h>

typedef struct build {
    const gn_op_info *op;
    gn_expr *in[4];
    const gn_attr *attr;
} build;

static gn_expr *make(gn_graph *g, void *arg)
{
    const build *const b = arg;
    return gn_node(g, b->op, b->in, (size_t)b->op->arity, b->attr);
}

typedef struct attempt {
    gn_arena arena;
    gn_graph *g;
    const gn_target *target;
    gn_exprs in;
    gn_expr *y;
    struct gn_core *core;
} attempt;

static void go(void *arg)
{
    attempt *const a = arg;
    a->core = gn_graph_copy(&a->arena, a->g, a->in, GN_EXPRS(a->y), (gn_exprs){ 0 }, (gn_exprs){ 0 }, 0, NULL);
    gn_optimize(a->core, NULL);
    gn_program_make(&a->arena, a->core, a->target, "f");
}

static size_t tried, wrong;

static void lower(const build *b, gn_dtype t)
{
    static const char *const targets[] = { "avx512", "avx2", "generic", "c11", "cuda" };
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        gn_graph *const g = gn_graph_new(NULL);
        build own = *b;
        gn_expr *x[4];
        static const char *const names[] = { "a", "b", "c", "d" };
        for (int k = 0; k < b->op->arity; k++)
            own.in[k] = x[k] = gn_input(g, names[k], b->op == &gn_op_select && k == 0 ? GN_BOOL : t,
                                        b->op == &gn_op_reshape ? "3" : "n");
        attempt a = { .g = g,
                      .target = gn_target_find(targets[i]),
                      .in = { (size_t)b->op->arity, x },
                      .y = gn_build(GN_HERE, g, make, &own) };
        gn_status s = gn_graph_check(g);
        if (!s) s = gn_protect(go, &a);
        tried++, wrong += s != GN_OK;
        if (s)
            print_error("%s of %s on %s: %s: %s\n", b->op->name, gn_dtype_name(t), targets[i], gn_status_name(s),
                        gn_message());
        gn_core_free(a.core);
        gn_arena_free(&a.arena);
        gn_graph_free(g);
    }
}

static void every_op_at_every_dtype_of_its_record_becomes_a_program(void **state)
{
    (void)state;
    const int64_t axis = 0;
    const gn_attr axes = { .kind = GN_ATTR_INTS, .n = 1, .ints = &axis }, one = { .kind = GN_ATTR_INT };
    for (size_t i = 0; i < gn_nops; i++) {
        const gn_op_info *const op = gn_ops[i];
        const bool by_axes = op->traits & GN_REDUCE && op->nattr == 1 && op->attrs[0].kind == GN_ATTR_INTS,
                   by_axis = op->nattr == 1 && op->attrs[0].kind == GN_ATTR_INT && op->arity == 1;
        if (op->arity < 1 || op->arity > 4 || op == &gn_op_proj) continue;
        for (int t = GN_BOOL; t < GN_NDTYPES; t++) {
            if (!gn_dtype_computes((gn_dtype)t) || (op->dtypes && !(op->dtypes & GN_BIT(t)))) continue;
            if (op == &gn_op_cast || op == &gn_op_bitcast) {
                for (int to = GN_BOOL; to < GN_NDTYPES; to++) {
                    const gn_attr dtype = { .kind = GN_ATTR_DTYPE, .i = to };
                    const bool fits = op == &gn_op_cast || (op->attrs[0].dtypes & GN_BIT(to) &&
                                                            gn_dtype_size((gn_dtype)to) == gn_dtype_size((gn_dtype)t));
                    if (gn_dtype_computes((gn_dtype)to) && fits) lower(&(build){ .op = op, .attr = &dtype }, (gn_dtype)t);
                }
            } else if (by_axes) lower(&(build){ .op = op, .attr = &axes }, (gn_dtype)t);
            else if (by_axis) lower(&(build){ .op = op, .attr = &one }, (gn_dtype)t);
            else if (op->traits & GN_ELEMWISE && !op->nattr) lower(&(build){ .op = op }, (gn_dtype)t);
        }
    }
    print_message("%zu programs\n", tried);
    assert_int_equal(wrong, 0);
    assert_true(tried > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_op_at_every_dtype_of_its_record_becomes_a_program) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
