/* Graphs whose parts are shared, nested or long: work grows with what is there, not with the paths through it, and no
 * stack overflows. */
#include "testlib.h"
#include <gnomon/gnomon.h>
#include "evaluate.h"
#include "graph_text.h"
#include "op.h"
#include <string.h>

typedef struct trip {
    gn_arena arena;
    gn_graph *g;
    gn_expr *x, *y;
    int64_t n; /* extent that x is evaluated with */
    const float *data, *want;
    bool by_text; /* printed and read back, too */
} trip;

/* Copied as a compile does, verified, printed, read back, printed alike, and evaluated. */
static void make_trip(void *arg)
{
    trip *const t = arg;
    gn_text first = { .arena = &t->arena }, second = { .arena = &t->arena };
    struct gn_core *const core =
        gn_graph_copy(&t->arena, t->g, GN_EXPRS(t->x), GN_EXPRS(t->y), (gn_exprs){ 0 }, (gn_exprs){ 0 }, 0, NULL);
    gn_core_verify(core);
    if (t->by_text) {
        gn_core_print_with(&first, core, true);
        const char *const text = gn_text_done(&first);
        struct gn_core *const back = gn_core_read(&t->arena, t->g->context, "t", text, first.n);
        gn_core_verify(back);
        gn_core_print_with(&second, back, true);
        assert_string_equal(text, gn_text_done(&second));
        gn_core_free(back);
    }
    gn_evaluation *const v = gn_evaluation_new(&t->arena);
    const gn_array in = GN_VIEW((float *)(uintptr_t)t->data, t->n);
    gn_evaluation_set(v, core->in.at[0], &in);
    const gn_tensor *const out = gn_evaluate(v, core->out.at[0]);
    assert_int_equal(out->count, t->n);
    for (int64_t i = 0; i < t->n; i++) assert_true(gn_tensor_near(out, t->want, i, false));
    gn_core_free(core);
}

static uint64_t go(trip t)
{
    const uint64_t before = gn_work_done.visits;
    const gn_status s = gn_protect(make_trip, &t);
    gn_arena_free(&t.arena);
    if (s) fail_msg("%s", gn_message());
    return gn_work_done.visits - before;
}

/* Even places before odd ones: the extent is (n + 1) / 2 + n / 2 of the extent before, which therefore stands in it
 * twice. */
static uint64_t halves(int levels)
{
    float data[7], want[7], next[7];
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const x = gn_input(g, "x", GN_F32, "n"), *y = x;
    for (int i = 0; i < 7; i++) data[i] = want[i] = (float)i;
    for (int k = 0; k < levels; k++) {
        y = gn_concat(GN_EXPRS(gn_slice(y, "::2"), gn_slice(y, "1::2")), 0);
        for (int i = 0; i < 7; i++) next[i] = want[i < 4 ? 2 * i : 2 * (i - 4) + 1];
        memcpy(want, next, sizeof want);
    }
    const uint64_t work = go((trip){ .g = g, .x = x, .y = y, .n = 7, .data = data, .want = want, .by_text = levels < 100 });
    assert_true(strlen(gn_type_text(y)) < 1000);
    gn_graph_free(g);
    return work;
}

static void extents_that_stand_in_one_another_twice_cost_what_they_are(void **state)
{
    (void)state;
    halves(1), halves(30);
    const uint64_t hundred = halves(100);
    assert_in_range(halves(200), hundred, 5 * hundred); /* each extent is asked for by itself: at most the square */
}

static uint64_t residual(int steps, bool by_text)
{
    const float data[3] = { 0, 0, 0 };
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const x = gn_input(g, "x", GN_F32, "n"), *y = x;
    for (int k = 0; k < steps; k++) y = gn_add(y, gn_sin(y));
    const uint64_t work = go((trip){ .g = g, .x = x, .y = y, .n = 3, .data = data, .want = data, .by_text = by_text });
    gn_graph_free(g);
    return work;
}

static void chains_of_shared_nodes_are_walked_once_whatever_their_length(void **state)
{
    (void)state;
    const uint64_t thousand = residual(1000, true);
    assert_in_range(residual(8000, true), 7 * thousand, 9 * thousand);
    residual(50000, true); /* 100,000 nodes deep */
}

/* A node that holds a region: the type of its first result. */
static const gn_type *type_of_body(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    (void)g, (void)in, (void)n;
    return attr[0].region->out[0]->type;
}

static const gn_attr_spec body_attr[] = { { "body", GN_ATTR_REGION } };
static const gn_op_info call_op = { .name = "call", .arity = 1, .attrs = body_attr, .nattr = 1, .infer = type_of_body };

typedef struct nest {
    int levels;
    gn_expr *x;
} nest;

/* Each region calls the one before twice, on two operands. */
static gn_expr *nested(gn_graph *g, void *arg)
{
    const nest *const n = arg;
    gn_expr *const p = gn_param_node(g, 0, n->x->type);
    gn_expr *body = gn_node(g, &gn_op_sin, &p, 1, NULL);
    gn_expr *in[2] = { p, body };
    for (int k = 0; k <= n->levels; k++) {
        const gn_region *const r = gn_region_make(g, 1, &n->x->type, 1, &body);
        const gn_attr attr = { .kind = GN_ATTR_REGION, .region = r };
        if (k == n->levels) return gn_node(g, &call_op, &n->x, 1, &attr);
        for (int i = 0; i < 2; i++) in[i] = gn_node(g, &call_op, i ? &body : &p, 1, &attr);
        body = gn_node(g, &gn_op_add, in, 2, NULL);
    }
    return NULL;
}

static void copy_nested(void *arg)
{
    trip *const t = arg;
    gn_text text = { .arena = &t->arena };
    struct gn_core *const core =
        gn_graph_copy(&t->arena, t->g, GN_EXPRS(t->x), GN_EXPRS(t->y), (gn_exprs){ 0 }, (gn_exprs){ 0 }, 0, NULL);
    gn_core_verify(core);
    gn_core_print(&text, core);
    assert_non_null(strstr(gn_text_done(&text), "(region r0 "));
    gn_core_free(core);
}

static uint64_t regions(int levels)
{
    gn_graph *const g = gn_graph_new(NULL);
    nest n = { levels, gn_input(g, "x", GN_F32, "n") };
    trip t = { .g = g, .x = n.x, .y = gn_build(GN_HERE, g, nested, &n) };
    const uint64_t before = gn_work_done.visits;
    assert_int_equal(gn_graph_check(g), GN_OK);
    if (gn_protect(copy_nested, &t)) fail_msg("%s", gn_message());
    gn_arena_free(&t.arena);
    gn_graph_free(g);
    return gn_work_done.visits - before;
}

static void a_region_that_many_nodes_use_is_walked_once(void **state)
{
    (void)state;
    const uint64_t fifty = regions(50);
    /* a body holds the nodes of the bodies that it uses: its own walk meets them */
    assert_in_range(regions(100), fifty, 5 * fifty);
}

typedef struct pair_of_regions {
    const gn_region *r[4];
} pair_of_regions;

/* One body, which uses no parameter, under other parameters. */
static gn_expr *constant_regions(gn_graph *g, void *arg)
{
    pair_of_regions *const p = arg;
    const gn_type *const f32 = gn_type_tensor(g, GN_F32, 0, NULL), *const f64 = gn_type_tensor(g, GN_F64, 0, NULL),
                         *two[2] = { f32, f64 };
    gn_expr *const one = gn_number(g, GN_F32, 1);
    p->r[0] = gn_region_make(g, 1, &f32, 1, &one), p->r[1] = gn_region_make(g, 1, &f64, 1, &one);
    p->r[2] = gn_region_make(g, 2, two, 1, &one), p->r[3] = gn_region_make(g, 1, &f32, 1, &one);
    return one;
}

static void regions_are_one_if_body_and_parameter_types_are(void **state)
{
    (void)state;
    pair_of_regions p;
    gn_graph *const g = gn_graph_new(NULL);
    gn_build(GN_HERE, g, constant_regions, &p);
    assert_int_equal(gn_graph_check(g), GN_OK);
    assert_ptr_equal(p.r[0], p.r[3]);
    assert_ptr_not_equal(p.r[0], p.r[1]);
    assert_ptr_not_equal(p.r[0], p.r[2]);
    assert_int_equal(p.r[1]->param[0]->dtype, GN_F64);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extents_that_stand_in_one_another_twice_cost_what_they_are),
        cmocka_unit_test(chains_of_shared_nodes_are_walked_once_whatever_their_length),
        cmocka_unit_test(a_region_that_many_nodes_use_is_walked_once),
        cmocka_unit_test(regions_are_one_if_body_and_parameter_types_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
