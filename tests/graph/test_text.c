/* The text form: printing and reading are inverse, mistakes have a place, and the same program has the same text. */
#include "testlib.h"
#include <gnomon/gnomon.h>
#include "graph_text.h"
#include "op.h"
#include "context.h"
#include "samples.h"
#include <math.h>
#include <string.h>

typedef struct round_trip {
    const char *text, *again;
    gn_arena arena;
    struct gn_core *core;
} round_trip;

static void read_back(void *arg)
{
    round_trip *const r = arg;
    gn_text t = { .arena = &r->arena };
    r->core = gn_core_read(&r->arena, NULL, "t.gn", r->text, strlen(r->text));
    gn_core_verify(r->core);
    gn_core_print_with(&t, r->core, true);
    r->again = gn_text_done(&t);
}

static void assert_inverse(const char *text)
{
    round_trip r = { .text = text };
    if (gn_protect(read_back, &r)) fail_msg("%s\n%s", gn_message(), text);
    assert_string_equal(r.again, text);
    gn_core_free(r.core);
    gn_arena_free(&r.arena);
}

static void the_printed_form_is_the_documented_one(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    float w[6] = { 0 };
    gn_expr *const x = gn_input(g, "x", GN_F32, "batch, 3");
    gn_expr *const v = gn_shared(g, "w", gn_array_of(w, GN_F32, 2, (int64_t[]){ 3, 2 }));
    gn_number(g, GN_F32, 7); /* not reached: not printed, and it moves no number */
    char *const text = gn_graph_print(g, GN_EXPRS(gn_sum_all(gn_mul(gn_matmul(x, v), 0.5))));
    assert_non_null(text);
    assert_string_equal(text, "(graph\n"
                              "  (dims batch)\n"
                              "  (input 0 x f32 (batch 3))\n"
                              "  (variable 1 w f32 (3 2))\n"
                              "  (constant 2 f32 () 0x1p-1)\n"
                              "  (node 3 f32 (batch 2) (contract %0 %1 :a (0 1) :b (1 2) :out (0 2)))\n"
                              "  (node 4 f32 (batch 2) (broadcast %2 :shape (batch 2) :axes ()))\n"
                              "  (node 5 f32 (batch 2) (mul %3 %4))\n"
                              "  (node 6 f32 () (sum %5 :axes (0 1)))\n"
                              "  (out %6))\n");
    assert_inverse(text);
    gn_text_free(text);
    gn_graph_free(g);
}

static void every_element_reads_back_bit_for_bit(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    const uint32_t odd[] = { 0x7fc00000, 0x7fc00001, 0xffc00000, 0x7f800001, 0x80000000,
                             1,          0x7f7fffff, 0x7f800000, 0xff800000 };
    const uint64_t odd64[] = { 0x7ff8000000000000, 0xfff8000000000001, 1, 0x8000000000000000 };
    const uint16_t half[] = { 0x7e00, 0x7e01, 0x7c00, 0x8001, 0x3c01 };
    const uint64_t big[] = { 0, UINT64_MAX, 1 };
    const int64_t low[] = { INT64_MIN, -1, INT64_MAX };
    const int8_t small[] = { -128, 127, -1 };
    const _Bool flags[] = { 0, 1 };
    float many[1000];
    uint64_t random = test_seed();
    for (int i = 0; i < 1000; i++) many[i] = (float)test_uniform(&random, -9, 9);
    gn_exprs all =
        GN_EXPRS(gn_constant(g, gn_array_1d((void *)(uintptr_t)odd, GN_F32, 9)),
                 gn_constant(g, gn_array_1d((void *)(uintptr_t)odd64, GN_F64, 4)),
                 gn_constant(g, gn_array_1d((void *)(uintptr_t)half, GN_F16, 5)),
                 gn_constant(g, gn_array_1d((void *)(uintptr_t)half, GN_BF16, 5)), gn_constant(g, GN_VIEW(big, 3)),
                 gn_constant(g, GN_VIEW(low, 3)), gn_constant(g, GN_VIEW(small, 3)), gn_constant(g, GN_VIEW(flags, 2)),
                 gn_constant(g, GN_VIEW(many, 1000)), gn_constant(g, GN_VIEW(many, 0)));
    char *const text = gn_graph_print(g, all);
    assert_non_null(text);
    assert_inverse(text);
    round_trip r = { .text = text };
    assert_int_equal(gn_protect(read_back, &r), GN_OK);
    for (size_t i = 0; i < all.n; i++) {
        const gn_attr *const a = &all.at[i]->attr[0], *const b = &r.core->out.at[i]->attr[0];
        assert_int_equal(a->n, b->n);
        assert_memory_equal(a->data, b->data, a->n);
    }
    gn_core_free(r.core);
    gn_arena_free(&r.arena);
    gn_text_free(text);
    gn_graph_free(g);
}

static gn_expr *some_program(gn_graph *g)
{
    gn_expr *const x = gn_input(g, "x", GN_F32, "n, 2*m+1"), *const y = gn_input(g, "y", GN_F32, "k, 2*m+1"),
                   *const z = gn_input(g, "z", GN_I32, "m");
    gn_expr *const s = gn_softmax(gn_add(x, y), 1);
    gn_expr *const t = gn_mul(gn_sum(s, GN_AXES(0)), gn_cast(gn_dim(z, 0), GN_F32));
    return gn_add(gn_sum_all(gn_tanh(t)), gn_mean_all(gn_mul(z, 3)));
}

static void dims_constraints_and_composites_read_back(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const e = some_program(g);
    char *const text = gn_graph_print(g, GN_EXPRS(e));
    if (!text) fail_msg("%s", gn_message());
    assert_non_null(strstr(text, "(dims n k m)"));
    assert_non_null(strstr(text, "(constraint n k \"add: extents of axis 0"));
    assert_inverse(text);
    gn_text_free(text);
    gn_graph_free(g);
}

static void the_same_program_has_the_same_text_whatever_was_built_before(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL), *const h = gn_graph_new(NULL);
    gn_expr *const other = gn_input(h, "other", GN_F64, "7, q");
    gn_tanh(gn_mul(other, other));
    char *const a = gn_graph_print(g, GN_EXPRS(some_program(g))), *const b = gn_graph_print(h, GN_EXPRS(some_program(h)));
    assert_string_equal(a, b);
    gn_text_free(a), gn_text_free(b);
    gn_graph_free(g), gn_graph_free(h);
}

typedef struct mistake {
    const char *text, *message;
} mistake;

static void mistakes_are_told_with_line_and_column(void **state)
{
    (void)state;
    const mistake m[] = {
        { "", "t.gn:1:1: one (graph ...) was expected" },
        { "(graph", "t.gn:1:1: '(' without its ')'" },
        { "(graph)", "t.gn:1:1: (out ...) is missing" },
        { "(graph (out))\n)", "t.gn:2:1: ')' without its '('" },
        { "(graph\n  (out %0))", "t.gn:2:8: a reference such as %3" },
        { "(graph\n  (inputs 0 x f32 ()))", "t.gn:2:3: relax, dims, constraint," },
        { "(graph (input 0 x f33 ()) (out %0))", "t.gn:1:19: a dtype was expected, not \"f33\"" },
        { "(graph (input 0 x f32 (n)) (out %0))", "t.gn:1:24: the dim n is not listed" },
        { "(graph (input 0 9x f32 ()) (out %0))", "t.gn:1:8: \"9x\" is no name" },
        { "(graph (input 0 x f32 ()) (input 1 x f32 ()) (out %0))",
          "t.gn:1:27: the name \"x\" is taken by another input" },
        { "(graph (input 0 x f32 ()) (input 0 y f32 ()) (out %0))", "t.gn:1:34: the number 0 is taken" },
        { "(graph (input 0 x f32 (-1)) (out %0))", "t.gn:1:8: extent -1 of axis 0 is negative" },
        { "(graph (input 0 x f32 (4294967296 4294967296)) (out %0))", "size overflows" },
        { "(graph (input 0 x f32 ()) (node 1 f32 () (tanhh %0)) (out %1))", "t.gn:1:43: there is no op \"tanhh\"" },
        { "(graph (input 0 x f32 ()) (node 1 f64 () (tanh %0)) (out %1))",
          "t.gn:1:27: the type of this node is f32 ()" },
        { "(graph (input 0 x f32 ()) (node 1 f32 () (tanh %0 %0)) (out %1))",
          "t.gn:1:42: tanh: takes 1 operand, not 2" },
        { "(graph (input 0 x i32 ()) (node 1 i32 () (tanh %0)) (out %1))",
          "t.gn:1:42: tanh: takes floating operands, not i32" },
        { "(graph (input 0 x f32 (3)) (node 1 f32 () (sum %0)) (out %1))", "t.gn:1:43: sum has 1 attributes" },
        { "(graph (input 0 x f32 (3)) (node 1 f32 () (sum %0 :axis (0))) (out %1))", "t.gn:1:51: :axes was expected" },
        { "(graph (input 0 x f32 (3)) (node 1 f32 () (sum %0 :axes 0)) (out %1))", "t.gn:1:57: :axes wants a list" },
        { "(graph (input 0 x f32 (3)) (node 1 f32 () (sum %0 :axes (a))) (out %1))",
          "t.gn:1:58: :axes wants integers" },
        { "(graph (constant 0 i8 () 128) (out %0))", "t.gn:1:26: \"128\" is no element of i8" },
        { "(graph (constant 0 u8 () -1) (out %0))", "\"-1\" is no element of u8" },
        { "(graph (constant 0 f32 () 1e39) (out %0))", "\"1e39\" is no element of f32" },
        { "(graph (constant 0 f32 () 0x1p) (out %0))", "is no element of f32" },
        { "(graph (constant 0 f32 (2) 1.0) (out %0))", "t.gn:1:8: 2 elements were expected, there are 1" },
        { "(graph (constant 0 f32 (1000000000000)) (out %0))", "the value of this constant is missing" },
        { "(graph (constant 0 f32 (2) (hash \"00\")) (out %0))", "t.gn:1:28: the text has only a hash" },
        { "(graph (constant 0 u8 (2) (data \"0g00\")) (out %0))", "digit 1 is no lower-case hex digit" },
        { "(graph (constant 0 u8 (2) (data \"00\")) (out %0))", "2 bytes in hex were expected" },
        { "(graph (input 0 x f32 ()) (update %0 %0) (out %0))", "t.gn:1:35: an update is of a variable" },
        { "(graph (region r0 (params) (out %0)) (out))", "t.gn:1:33: a reference such as %3" },
        { "(graph (relax fast) (out))", "t.gn:1:15: reassociate, finite or approximate" },
        { "(graph (out)) (graph (out))", "one (graph ...) was expected" },
        { "(graph (dims X) (input 0 x f32 ((load X 1))) (out))", "t.gn:1:33: a dim of a graph loads nothing" },
        { "(graph (input 0 x f32 ((load 1))) (out))", "t.gn:1:24: (load BUFFER index) was expected" },
        { "(graph (input 0 x f32 ((sub 3))) (out))", "t.gn:1:24: (sub ...) with 1 operands" },
        { "(graph (input 0 x f32 ((foo 3))) (out))", "t.gn:1:24: a dim was expected: a number, a name, or (add" },
        { "(graph (input 0 x f32 (1 1 1 1 1 1 1 1 1)) (out))", "t.gn:1:23: rank 9: at most 8 is possible" },
        { "(graph (input 0 x f32 () 3) (out))", "t.gn:1:8: a number, a name and the type of a tensor were expected" },
        { "(graph (input x x f32 ()) (out))", "t.gn:1:8: the number of the node is missing" },
        { "(graph (input 0 x) (out))", "t.gn:1:8: a type is missing" },
        { "(graph (input 0 (x) f32 ()) (out))", "t.gn:1:17: a name was expected" },
        { "(graph (node 0 tuple ((tuple ((f32 ())))) (tanh %0)) (out))", "t.gn:1:23: a tuple holds tensors only" },
        { "(graph (node 0 tuple ((f32 () 3)) (tanh %0)) (out))", "t.gn:1:23: a type is a dtype and a list of extents" },
        { "(graph (input 0 x f32 ()) (node 1 f32 () (tanh %0) 5) (out))",
          "t.gn:1:27: a node is its number, type and expression" },
        { "(graph (input 0 x f32 ()) (node 1 f32 () (input :name y)) (out))",
          "t.gn:1:43: (input ...) stands outside of nodes" },
        { "(graph (input 0 x f32 (3)) (node 1 f32 (3) (softmax %0 :axis a)) (out))",
          "t.gn:1:62: :axis wants an integer" },
        { "(graph (input 0 x u32 ()) (node 1 bool () (bernoulli %0 %0 %0 %0 :p x :shape ())) (out))",
          "t.gn:1:69: :p wants a float" },
        { "(graph (input 0 x f32 (3)) (input 1 y f32 ()) (node 2 f32 (3) (add %0 %1)) (out))",
          "add: ranks differ: 1 and 0" },
        { "(graph (input 0 x u32 ()) (node 1 tuple ((u32 ()) (u32 ()) (u32 ()) (u32 ())) (philox %0 %0 %0 %0 %0 %0))"
          " (node 2 u32 () (bit_not %1)) (out))",
          "bit_not: operand 1 is a tuple: only proj takes one" },
        { "(graph (input 0 x f32 ()) (node 1 f32 () (broadcast %0 :shape (1 1 1 1 1 1 1 1 1) :axes ())) (out))",
          "broadcast: :shape has 9 values, at most 8 are possible" },
        { "(graph (constant 0 tuple ((f32 ())) 1) (out))", "t.gn:1:8: a constant is a tensor" },
        { "(graph (node 0 i64 () (dim :size ())) (out))", "dim: :size has 0 values, expected 1" },
        { "(graph (input 0 i i32 (2)) (node 1 f32 (2 3) (one_hot %0 :dtype f32 :extent ())) (out))",
          "one_hot: :extent has 0 values, expected 1" },
        { "(graph (input 0 u u32 ()) (node 1 i32 (2) (uniform %0 %0 %0 %0 :dtype i32 :shape (2))) (out))",
          "uniform: :dtype is i32, not one of f16" },
        { "(graph (input 0 x f32 (4)) (node 1 f32 (4) (slice %0 :start (0) :step (9223372036854775807) :shape (4))) "
          "(out))",
          "slice: a step of 9223372036854775807: from 1 to 2147483647 is possible" },
        { "(graph (input 0 x f32 (4)) (node 1 f32 (2) (slice %0 :start (-1) :step (1) :shape (2))) (out))",
          "slice: start of the range in axis 0 is -1, at least 0 is needed" },
        { "(graph (dims n) (input 0 x f32 (n)) (node 1 f32 (3) (reshape %0 :shape ((sub -1 n)))) (out))",
          "reshape: numbers of elements differ: n and -n-1" },
        { "(graph (input 0 x f32 ()) (node 1 tuple ((f32 ())) (tuple %0)) (node 2 tuple ((f32 ())) (tuple %1)) (out))",
          "tuple: operand 1 is a tuple" },
        { "(graph (node 0 f32 () (param :index 0)) (out))", "t.gn:1:24: (param ...) stands in regions" },
        { "(graph (region r0 (params (f32 ())) (node 0 f32 () (param :index 1)) (out %0)) (out))",
          "the region has no parameter 1 of this type" },
        { "(graph (region r0 (params (f64 ())) (node 0 f32 () (param :index 0)) (out %0)) (out))",
          "the region has no parameter 0 of this type" },
        { "(graph (dims n) (constant 0 f32 (n) 1.0) (out))", "t.gn:1:17: a constant's extents are numbers" },
        { "(graph (dims n) (variable 0 w f32 (n)) (out))", "t.gn:1:17: a variable's extents are numbers" },
        { "(graph (variable 0 w f32 ()) (update %0) (out))", "t.gn:1:30: a variable and its new value were expected" },
        { "(graph (variable 0 w f32 ()) (input 1 x f64 ()) (update %0 %1) (out))",
          "t.gn:1:49: the new value has another type than the variable" },
        { "(graph (dims n) (constraint n n x) (out))",
          "t.gn:1:17: two dims and what they are, in quotes, were expected" },
        { "(graph (region q0 (params) (out)) (out))", "t.gn:1:16: the name of a region is r and a number" },
        { "(graph (region r0 (inputs) (out)) (out))", "t.gn:1:19: (params ...) was expected" },
        { "(graph (region r0 (params) (foo)) (out))", "t.gn:1:8: a region ends in (out ...)" },
        { "(graph (region r0 (params) (foo) (out)) (out))", "t.gn:1:28: (constant ...) or (node ...) was expected" },
        { "(graph (region r0 (params) (out)) (region r0 (params) (out)) (out))", "t.gn:1:43: the name r0 is taken" },
        { "(graph \"\\x4\")", "t.gn:1:12: \\x wants two hex digits" },
        { "(graph \"abc", "t.gn:1:8: string without its closing quote" },
        { "(graph \"a\\q\")", "t.gn:1:11: unknown escape" },
    };
    for (size_t i = 0; i < sizeof m / sizeof *m; i++) {
        round_trip r = { .text = m[i].text };
        const gn_status s = gn_protect(read_back, &r);
        if (s != GN_ESYNTAX && s != GN_ENOMEM) fail_msg("%s: %s", m[i].text, s ? gn_message() : "was read");
        assert_message_contains(m[i].message);
        gn_arena_free(&r.arena);
    }
}

static void a_text_cut_or_altered_anywhere_is_read_or_told_but_never_breaks(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    char *const text = gn_graph_print(g, GN_EXPRS(some_program(g)));
    const size_t n = strlen(text);
    uint64_t random = test_seed();
    for (int round = 0; round < 3000; round++) {
        round_trip r = { 0 };
        char *const bad = gn_arena_string(&r.arena, text);
        if (round % 2) bad[test_random(&random) % n] = '\0';
        else
            for (int k = 0; k < 3; k++) bad[test_random(&random) % n] = "() %09azn:\"-"[test_random(&random) % 12];
        r.text = bad;
        const gn_status s = gn_protect(read_back, &r);
        if (s == GN_OK) gn_core_free(r.core);
        else if (s != GN_ESYNTAX && s != GN_ENOMEM) fail_msg("%s: %s", gn_message(), bad);
        gn_arena_free(&r.arena);
    }
    gn_text_free(text);
    gn_graph_free(g);
}

static void print_sample(void *user, const gn_sample *sample)
{
    round_trip r = { 0 };
    struct gn_core core = { .graph = sample->graph };
    gn_text t = { .arena = &r.arena };
    for (size_t i = 0; i < sample->nin; i++) gn_push(&r.arena, &core.in, sample->in[i]);
    gn_expr *y = sample->y;
    while (y->type->kind == GN_TYPE_TUPLE)
        y = gn_node(sample->graph, &gn_op_proj, &y, 1, &(gn_attr){ .kind = GN_ATTR_INT });
    gn_push(&r.arena, &core.out, y);
    gn_core_print_with(&t, &core, true);
    assert_inverse(gn_text_done(&t));
    ++*(int *)user;
    gn_arena_free(&r.arena);
}

static void print_samples(void *arg)
{
    gn_each_sample(print_sample, arg);
}

static void every_sample_of_every_op_reads_back(void **state)
{
    (void)state;
    int n = 0;
    if (gn_protect(print_samples, &n)) fail_msg("%s", gn_message());
    print_message("%d samples\n", n);
    assert_true(n > 100);
}

typedef struct checked {
    const char *text;
    gn_arena arena;
    struct gn_core *core;
} checked;

static void read_and_check(void *arg)
{
    checked *c = arg;
    c->core = gn_core_read(&c->arena, gn_context_default(), "t.gn", c->text, strlen(c->text));
    gn_core_check(c->core);
}

static gn_status check_core(const char *text)
{
    checked c = { .text = text };
    const gn_status s = gn_protect(read_and_check, &c);
    if (c.core) gn_core_free(c.core);
    gn_arena_free(&c.arena);
    return s;
}

/* Texts that can be read, and that no compile takes. */
static void what_no_compile_takes_is_told(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "(graph (dims n) (node 0 i64 () (dim :size (n))) (out %0))",
          "dim: the named dim n is bound by no input: one must have it as an extent of its own" },
        { "(graph (dims n) (input 0 x f32 ((mul 2 n))) (out %0))", "the named dim n is bound by no input" },
        { "(graph (dims n m) (constraint n m \"a\") (input 0 x f32 (n)) (out %0))",
          "the named dim m is bound by no input" },
        { "(graph (input 0 x f16 (4)) (node 1 f16 (4) (maximum %0 %0)) (out %1))",
          "input: f16 is only kept, no target computes with it" },
        { "(graph (input 0 x f32 ()) (node 1 tuple ((f32 ())) (tuple %0)) (out %1))",
          "output 1 is a tuple: only tensors leave a function" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const gn_status s = check_core(cases[i][0]);
        if (!s) fail_msg("%s", cases[i][0]);
        assert_message_contains(cases[i][1]);
    }
}

/* Longer than any buffer, more operands than a tuple has places for. */
static void long_texts_are_read_or_refused(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    gn_text t = { .arena = &arena };
    gn_text_add(&t, "(graph (input 0 x f32 (3)) (node 1 tuple (");
    for (int i = 0; i < 70000; i++) gn_text_add(&t, "(f32 (3)) ");
    gn_text_add(&t, ") (tuple");
    for (int i = 0; i < 70000; i++) gn_text_add(&t, " %0");
    gn_text_add(&t, ")) (out %1))");
    assert_int_not_equal(check_core(gn_text_done(&t)), GN_OK);
    assert_message_contains("a tuple of 70000: at most 65535 are possible");
    gn_graph *const g = gn_graph_new(NULL);
    t.n = 0;
    for (int i = 0; i < 3000; i++) gn_text_add(&t, i ? " + 1" : "n");
    assert_string_equal(gn_type_text(gn_input(g, "x", GN_F32, "%s", gn_text_done(&t))), "f32 (n+2999)");
    t.n = 0;
    for (int i = 0; i < 1000; i++) gn_text_add(&t, i ? " + 1" : "1");
    assert_string_equal(gn_type_text(gn_param(g, "w", GN_F32, GN_ZEROS, "%s", gn_text_done(&t))), "f32 (1000)");
    gn_graph_free(g);
    gn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_printed_form_is_the_documented_one),
        cmocka_unit_test(every_element_reads_back_bit_for_bit),
        cmocka_unit_test(dims_constraints_and_composites_read_back),
        cmocka_unit_test(the_same_program_has_the_same_text_whatever_was_built_before),
        cmocka_unit_test(every_sample_of_every_op_reads_back),
        cmocka_unit_test(mistakes_are_told_with_line_and_column),
        cmocka_unit_test(a_text_cut_or_altered_anywhere_is_read_or_told_but_never_breaks),
        cmocka_unit_test(what_no_compile_takes_is_told),
        cmocka_unit_test(long_texts_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
