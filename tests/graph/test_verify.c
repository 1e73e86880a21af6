/* The verifier against graphs that were broken on purpose. */
#include "testlib.h"
#include <gnomon/gnomon.h>
#include "graph_text.h"
#include "op.h"
#include <string.h>

typedef struct verifying {
    gn_graph *g;
    gn_exprs in, out;
} verifying;

static void verify(void *arg)
{
    const verifying *const v = arg;
    gn_graph_verify(v->g, v->in.n, v->in.at, v->out.n, v->out.at);
}

static void assert_broken(verifying *v, const char *words)
{
    assert_int_equal(gn_protect(verify, v), GN_EINTERNAL);
    assert_message_contains(words);
}

static void a_sound_graph_passes_and_each_kind_of_damage_is_named(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL), *const h = gn_graph_new(NULL);
    gn_expr *const x = gn_input(g, "x", GN_F32, "n, 3"), *const s = gn_softmax(x, 1), *const y = gn_sum(s, GN_AXES(1)),
                   *const z = gn_tanh(y);
    gn_expr *const foreign = gn_input(h, "x", GN_F32, "n");
    verifying v = { g, GN_EXPRS(x), GN_EXPRS(z) };
    if (gn_protect(verify, &v)) fail_msg("%s", gn_message());

    const gn_type *const type = y->type;
    y->type = x->type;
    assert_broken(&v, "sum: its type is f32 (n, 3), its rule says f32 (n)");
    y->type = type;

    y->in[0] = z;
    verifying only_y = { g, GN_EXPRS(x), GN_EXPRS(y) };
    assert_broken(&only_y, "an operand stands after it");
    y->in[0] = s;

    const uint32_t id = z->id;
    z->id = y->id;
    assert_broken(&v, "its number is not its place");
    z->id = id;

    z->in[0] = foreign;
    assert_broken(&v, "it belongs to another graph");
    z->in[0] = y;

    const gn_attr *const attr = y->attr, wrong = { .kind = GN_ATTR_INT, .i = 1 };
    y->attr = &wrong;
    assert_broken(&v, "sum: an attribute is of another kind than declared");
    y->attr = attr;

    v.in = GN_EXPRS(z);
    assert_broken(&v, "it stands among the inputs");
    v.in = (gn_exprs){ 0, NULL };
    assert_broken(&v, "a named dim of its type is bound by no input");
    v.in = GN_EXPRS(x);
    if (gn_protect(verify, &v)) fail_msg("%s", gn_message());
    gn_graph_free(g), gn_graph_free(h);
}

static void region_with_capture(void *arg)
{
    gn_graph *const g = arg;
    gn_expr *const x = gn_input(g, "x", GN_F32, "3"), *const p = gn_param_node(g, 0, x->type);
    verifying v = { g, GN_EXPRS(x), GN_EXPRS(p) };
    gn_graph_verify(g, v.in.n, v.in.at, 1, &p);
}

static void a_parameter_outside_of_a_region_is_seen(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    assert_int_equal(gn_protect(region_with_capture, g), GN_EINTERNAL);
    assert_message_contains("a parameter outside of a region");
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_graph_passes_and_each_kind_of_damage_is_named),
        cmocka_unit_test(a_parameter_outside_of_a_region_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
