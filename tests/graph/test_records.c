/* What records say to operands and attributes that builders never give, but a text or a pass may; and the transpose of a
 * broadcast that turns axes. */
#include "expect.h"
#include <gnomon/gnomon.h>
#include "ops/make.h"
#include "testlib.h"
#include <math.h>

typedef struct node_call {
    const gn_op_info *op;
    gn_expr *const *in;
    size_t n;
    const gn_attr *attr;
} node_call;

static gn_expr *body(gn_graph *g, void *arg)
{
    const node_call *c = arg;
    return gn_node(g, c->op, c->in, c->n, c->attr);
}

static gn_expr *node(gn_graph *g, const gn_op_info *op, gn_exprs in, const gn_attr *attr)
{
    node_call c = { op, in.at, in.n, attr };
    return gn_build(GN_HERE, g, body, &c);
}

#define LIST(...) (const int64_t[]){ __VA_ARGS__ }
#define INTS(...) { .kind = GN_ATTR_INTS, .n = sizeof LIST(__VA_ARGS__) / sizeof(int64_t), .ints = LIST(__VA_ARGS__) }
#define INT(v) { .kind = GN_ATTR_INT, .i = v }
#define DTYPE(v) { .kind = GN_ATTR_DTYPE, .i = v }
#define NO_INTS { .kind = GN_ATTR_INTS }
#define DIMS(count, list) { .kind = GN_ATTR_DIMS, .n = count, .dims = list }
#define ATTRS(...) (const gn_attr[]){ __VA_ARGS__ }

typedef struct fixture {
    gn_graph *g;
    gn_expr *x, *d, *i, *b, *s;
    const gn_dim *dim[10];
} fixture;

static fixture make(void)
{
    fixture f = { .g = gn_graph_new(NULL) };
    f.x = EXPECT_F32(f.g, "2, 3", 1, 2, 3, 4, 5, 6), f.d = gn_cast(f.x, GN_F64), f.i = EXPECT_I32(f.g, "2", 1, 0);
    f.b = EXPECT_OF(f.g, GN_BOOL, "2, 3", 1, 0, 1, 0, 1, 0), f.s = gn_sum_all(f.x);
    for (int v = 0; v < 10; v++) f.dim[v] = gn_dim_const(&f.g->dims, v);
    return f;
}

static void reductions(void **state)
{
    (void)state;
    fixture f = make();
    gn_graph *g = f.g;
    EXPECT_ERROR(node(g, &gn_op_sum, GN_EXPRS(f.x), ATTRS(INTS(1, 0))), GN_EAXIS, "axes are not in increasing order");
    EXPECT_ERROR(node(g, &gn_op_max, GN_EXPRS(f.x), ATTRS(INTS(2))), GN_EAXIS, "axis 2 of a tensor of rank 2");
    EXPECT_ERROR(node(g, &gn_op_max, GN_EXPRS(f.b), ATTRS(INTS(0))), GN_EDTYPE, "max: takes numbers, not bool");
    EXPECT_ERROR(node(g, &gn_op_argmax, GN_EXPRS(f.x), ATTRS(INT(-1))), GN_EAXIS, "axis -1 of a tensor of rank 2");
    EXPECT_ERROR(node(g, &gn_op_sum, GN_EXPRS(f.x, f.x), ATTRS(INTS(0))), GN_EINVAL, "sum: takes 1 operand, not 2");
    EXPECT_ERROR(node(g, &gn_op_softmax, GN_EXPRS(f.x), ATTRS(INT(2))), GN_EAXIS, "axis 2 of a tensor of rank 2");
    EXPECT_ERROR(node(g, &gn_op_tanh, GN_EXPRS(f.i), NULL), GN_EDTYPE, "tanh: takes floating operands, not i32");
    gn_graph_free(g);
}

static void conversions(void **state)
{
    (void)state;
    fixture f = make();
    gn_graph *g = f.g;
    EXPECT_ERROR(node(g, &gn_op_bitcast, GN_EXPRS(f.x), ATTRS(DTYPE(GN_I64))), GN_EDTYPE, "bitcast: i64 has another size");
    EXPECT_ERROR(node(g, &gn_op_select, GN_EXPRS(f.b, f.x, f.d), NULL), GN_EDTYPE,
                 "select: the alternatives differ in dtype");
    EXPECT_ERROR(node(g, &gn_op_select, GN_EXPRS(f.b, f.x, f.s), NULL), GN_ESHAPE, "select: operands differ in rank");
    EXPECT_ERROR(node(g, &gn_op_select, GN_EXPRS(f.x, f.x, f.x), NULL), GN_EDTYPE,
                 "select: the condition is f32, not bool");
    gn_graph_free(g);
}

static void movement(void **state)
{
    (void)state;
    fixture f = make();
    gn_graph *g = f.g;
    const gn_dim *const *small = f.dim + 1, *wide[3] = { f.dim[2], f.dim[4], f.dim[3] };
    EXPECT_ERROR(node(g, &gn_op_permute, GN_EXPRS(f.x), ATTRS(INTS(0))), GN_EAXIS,
                 "permute: 1 axes for a tensor of rank 2");
    EXPECT_ERROR(node(g, &gn_op_permute, GN_EXPRS(f.x), ATTRS(INTS(0, 2))),
                 GN_EAXIS, "permute: axis 2 is outside the rank, or named twice");
    EXPECT_ERROR(node(g, &gn_op_broadcast, GN_EXPRS(f.x), ATTRS(DIMS(3, wide), INTS(0))),
                 GN_EAXIS, "broadcast: 1 axes for a tensor of rank 2");
    EXPECT_ERROR(node(g, &gn_op_broadcast, GN_EXPRS(f.x), ATTRS(DIMS(3, wide), INTS(0, 0))),
                 GN_EAXIS, "broadcast: axis 0 is outside the result, or named twice");
    EXPECT_ERROR(node(g, &gn_op_broadcast, GN_EXPRS(f.x), ATTRS(DIMS(3, wide), INTS(0, 1))),
                 GN_ESHAPE, "broadcast: extents differ: 3 and 4");
    EXPECT_ERROR(node(g, &gn_op_slice, GN_EXPRS(f.x), ATTRS(DIMS(1, small), INTS(1), DIMS(1, small))),
                 GN_EAXIS, "slice: not one range an axis");
    EXPECT_ERROR(node(g, &gn_op_slice, GN_EXPRS(f.x), ATTRS(DIMS(2, small), INTS(1, 1), DIMS(2, small))),
                 GN_ESHAPE, "slice: extent of axis 1 is 3, at least 4 is needed");
    EXPECT_ERROR(node(g, &gn_op_slice, GN_EXPRS(f.x), ATTRS(DIMS(2, small), INTS(1, 0), DIMS(2, small))),
                 GN_EINVAL, "slice: a step of 0");
    EXPECT_ERROR(node(g, &gn_op_pad, GN_EXPRS(f.x, f.s), ATTRS(DIMS(1, small), INTS(1), DIMS(1, small))),
                 GN_EAXIS, "pad: not one range an axis");
    EXPECT_ERROR(
        node(g, &gn_op_pad, GN_EXPRS(f.x, gn_slice(f.i, "0")), ATTRS(DIMS(2, small), INTS(1, 1), DIMS(2, f.dim + 8))),
        GN_EDTYPE, "pad: the fill has another dtype");
    EXPECT_ERROR(node(g, &gn_op_pad, GN_EXPRS(f.x, f.s), ATTRS(DIMS(2, small), INTS(1, 1), DIMS(2, small))),
                 GN_ESHAPE, "pad: extent of axis 0 is 1, at least 3 is needed");
    EXPECT_ERROR(node(g, &gn_op_flip, GN_EXPRS(f.x), ATTRS(INTS(1, 0))),
                 GN_EAXIS, "flip: axis 0 is outside the rank, or not in order");
    EXPECT_ERROR(node(g, &gn_op_concat, GN_EXPRS(f.x, f.d), ATTRS(INT(0))), GN_EDTYPE, "concat: operands differ in dtype");
    EXPECT_ERROR(node(g, &gn_op_concat, GN_EXPRS(f.x, f.x), ATTRS(INT(2))), GN_EAXIS,
                 "concat: axis 2 of tensors of rank 2");
    EXPECT_ERROR(node(g, &gn_op_concat, ((gn_exprs){ 0 }), ATTRS(INT(0))), GN_EINVAL, "concat: an empty list");
    gn_graph_free(g);
}

static void contractions_and_indices(void **state)
{
    (void)state;
    fixture f = make();
    gn_graph *g = f.g;
    EXPECT_ERROR(node(g, &gn_op_contract, GN_EXPRS(f.x, f.x), ATTRS(INTS(0), INTS(0, 1), NO_INTS)),
                 GN_ESHAPE, "contract: 1 labels for a tensor of rank 2");
    EXPECT_ERROR(node(g, &gn_op_contract, GN_EXPRS(f.x, f.x), ATTRS(INTS(0, 0), INTS(0, 1), NO_INTS)),
                 GN_EINVAL, "contract: label 0 stands twice in an operand, or out of order");
    EXPECT_ERROR(node(g, &gn_op_contract, GN_EXPRS(f.x, f.x), ATTRS(INTS(0, 2), INTS(0, 1), NO_INTS)),
                 GN_EINVAL, "contract: label 2 stands twice in an operand, or out of order");
    EXPECT_ERROR(node(g, &gn_op_contract, GN_EXPRS(f.x, f.x), ATTRS(INTS(0, 1), INTS(0, 1), INTS(2))),
                 GN_EINVAL, "contract: label 2 of the result is in no operand, or stands twice");
    EXPECT_ERROR(node(g, &gn_op_contract, GN_EXPRS(f.x, f.d), ATTRS(INTS(0, 1), INTS(0, 1), NO_INTS)),
                 GN_EDTYPE, "contract: operands differ in dtype");
    EXPECT_ERROR(node(g, &gn_op_contract, GN_EXPRS(f.x, f.x), ATTRS(INTS(0, 1), INTS(1, 2), INTS(0, 2))),
                 GN_ESHAPE, "contract: inner extents differ: 3 and 2");
    EXPECT_ERROR(node(g, &gn_op_scatter_add, GN_EXPRS(f.x, f.i, f.d), ATTRS(INT(0))),
                 GN_EDTYPE, "scatter_add: updates have another dtype");
    EXPECT_ERROR(node(g, &gn_op_check_index, GN_EXPRS(f.i), ATTRS(DIMS(2, f.dim))), GN_EINVAL,
                 "check_index: :extent has 2 values, expected 1");
    EXPECT_ERROR(node(g, &gn_op_cross_entropy, GN_EXPRS(f.i, f.i), NULL), GN_EDTYPE,
                 "cross_entropy: logits are i32, not floating");
    gn_expr *deep = gn_cast(gn_reshape(f.x, "1, 1, 1, 1, 1, 1, 2, 3"), GN_I32);
    EXPECT_ERROR(gn_one_hot(deep, GN_F32, "3"), GN_ESHAPE, "one_hot: labels of rank 8; at most 7 is possible");
    gn_expr *u = gn_cast(f.i, GN_U32), *part[2];
    EXPECT_ERROR(
        node(g, &gn_op_bernoulli, GN_EXPRS(u, u, u, u), ATTRS({ .kind = GN_ATTR_FLOAT, .f = 0.5 }, DIMS(1, f.dim))),
        GN_ESHAPE, "key and step are scalars");
    gn_split(gn_reshape(f.x, "1, 1, 1, 1, 1, 1, 2, 3"), 7, 3, part);
    EXPECT_ERROR(part[0], GN_ESHAPE, "split: a tensor of rank 8; at most 7 is possible");
    gn_graph_free(g);
}

static void leaves_and_tuples(void **state)
{
    (void)state;
    fixture f = make();
    gn_graph *g = f.g;
    const gn_attr epsilon = { .kind = GN_ATTR_FLOAT, .f = 0 };
    gn_expr *pair = node(g, &gn_op_layer_norm, GN_EXPRS(f.x), &epsilon);
    assert_string_equal(gn_type_text(node(g, &gn_op_proj, GN_EXPRS(pair), ATTRS(INT(1)))), "f32 (2)");
    EXPECT_ERROR(gn_tanh(pair), GN_EINVAL, "tanh: operand 1 is a tuple");
    EXPECT_ERROR(node(g, &gn_op_proj, GN_EXPRS(pair), ATTRS(INT(2))), GN_EINVAL, "proj: element 2 of a tuple of 2");
    EXPECT_ERROR(node(g, &gn_op_proj, GN_EXPRS(f.x), ATTRS(INT(0))), GN_EINVAL, "proj: takes a tuple");
    EXPECT_ERROR(node(g, &gn_op_dim, ((gn_exprs){ 0 }), ATTRS(DIMS(2, f.dim))), GN_EINVAL,
                 "dim: :size has 2 values, expected 1");
    EXPECT_ERROR(node(g, &gn_op_iota, ((gn_exprs){ 0 }), ATTRS(DIMS(1, f.dim + 3), INT(0), DTYPE(GN_BOOL))),
                 GN_EDTYPE, "iota: :dtype is bool, not one of i8, i16,");
    gn_graph_free(g);
}

static void deep_products_say_how_deep_their_second_derivative_is(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "1, 1, 1, 1, 1, 1, 2, 3"),
            *first = gn_grad(gn_sum_all(gn_prod(x, GN_AXES(-1))), x);
    assert_int_equal(gn_graph_check(g), GN_OK);
    EXPECT_ERROR(gn_grad(gn_sum_all(first), x), GN_EGRAD, "the second derivative needs rank 9; at most 8 is possible");
    gn_graph_free(g);
}

/* y = broadcast of x (2, 3) to (3, 4, 2) with x's axes at 2 and 0: the gradient of sum(w y) at x[i, j] is the sum of
 * w[j, :, i]. */
static void the_transpose_of_a_broadcast_turns_axes_back(void **state)
{
    (void)state;
    fixture f = make();
    gn_graph *g = f.g;
    const gn_dim *shape[3] = { f.dim[3], f.dim[4], f.dim[2] };
    gn_expr *y = node(g, &gn_op_broadcast, GN_EXPRS(f.x), ATTRS(DIMS(3, shape), INTS(2, 0)));
    gn_expr *w = gn_cast(gn_reshape(gn_iota(g, GN_I32, 0, "24"), "3, 4, 2"), GN_F32);
    EXPECT(gn_slice(y, "1, 3"), "f32 (2)", 2, 5);
    double want[6] = { 0 };
    for (int j = 0; j < 3; j++)
        for (int k = 0; k < 4; k++)
            for (int i = 0; i < 2; i++) want[i * 3 + j] += j * 8 + k * 2 + i;
    test_expect(__FILE__, __LINE__, gn_grad(gn_sum_all(gn_mul(w, y)), f.x), "f32 (2, 3)", 6, want);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reductions),
        cmocka_unit_test(conversions),
        cmocka_unit_test(movement),
        cmocka_unit_test(contractions_and_indices),
        cmocka_unit_test(leaves_and_tuples),
        cmocka_unit_test(deep_products_say_how_deep_their_second_derivative_is),
        cmocka_unit_test(the_transpose_of_a_broadcast_turns_axes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
