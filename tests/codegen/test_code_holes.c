/* What a pass could do wrong: codes that were right, spoiled in memory where no text could be, each with what the
 * verifier says. With what it says of texts (test_code.c) each of its checks is met. */
#include <string.h>
#include "code_text.h"
#include "code_verify.h"
#include "testlib.h"

static const char vectors[] =
    "(code k avx512 (syms (n :min 1)) (args (X read f32 n) (T read i32 n) (Y write f32 n))"
    " (step ((p (cdiv n 16)))"
    "  (reg acc f32x16 2)"                                       /* 0 */
    "  (set $acc[0] 0.0)"                                        /* 1 */
    "  (let %1 b16 (below (sub n (mul 16 p))))"                  /* 2 */
    "  (let %2 f32x16 (load X :row (mul 16 p) :mask %1))"        /* 3 */
    "  (let %3 f32x16 (add %2 $acc[0]))"                         /* 4 */
    "  (for u 2 :unrolled (set $acc[u] %3))"                     /* 5 */
    "  (if :when (lt p 3) (let %4 f32x16 (neg %3)) (store Y :row (mul 16 p) :mask %1 %4))" /* 6 */
    "  (let %5 f32 (lanes sum %3))"                              /* 7 */
    "  (let %6 bool (test :when (lt p 1)))"                      /* 8 */
    "  (let %7 f32 (lane 0 %3))"                                 /* 9 */
    "  (let %8 f32x4 (pack %5 %7 %5 %7))"                        /* 10 */
    "  (let %9 f32 (pick %6 %5 %7))"                             /* 11 */
    "  (let %10 i64 (index p))"                                  /* 12 */
    "  (let %11 i64 (add %10 1))"                                /* 13 */
    "  (stack m f32 8)"                                          /* 14 */
    "  (reg other f64x8)"                                        /* 15 */
    "  (let %12 f32x16 (mul %3 2.0))))";                         /* 16 */

static const char product[] =
    "(code k cuda (syms n) (args (Y write f32 n)) (threads (g 8) (t 4)) (step ((p n))"
    " (reg c f32 2 2 :fragment mma_m16n8k8_tf32 (0 g t 1 _))"
    " (for i 2 :unrolled (for j 2 :unrolled (set $c[i][j] 0.0)))"
    " (tile mma_m16n8k8_tf32 $c[0][0] 1 1 1 1 1 1)))";

static gn_code_node *node(const gn_code *c, size_t at)
{
    return c->steps.at[0].body.kids.at[at];
}

static gn_val *value(const gn_code *c, size_t at)
{
    return (gn_val *)(uintptr_t)node(c, at)->val;
}

/* The place that node `at` declares. */
static gn_place *place(const gn_code *c, size_t at)
{
    return (gn_place *)(uintptr_t)node(c, at)->place;
}

static gn_place *another(const gn_code *c, const gn_place *p)
{
    return gn_arena_copy(c->arena, p, sizeof *p);
}

/* Operand i of the value of node `at`, a copy that may be changed. */
static gn_val *operand(const gn_code *c, size_t at, size_t i)
{
    gn_val *a = gn_arena_copy(c->arena, value(c, at)->a[i], sizeof *a);
    value(c, at)->a[i] = a;
    return a;
}

static const gn_dim *symbol(const gn_code *c, const char *name)
{
    return gn_dim_sym(c->dims, name);
}

static void drop(const gn_code *c, size_t at)
{
    gn_code_body *b = &((gn_code *)(uintptr_t)c)->steps.at[0].body;
    for (b->kids.n--; at < b->kids.n; at++) b->kids.at[at] = b->kids.at[at + 1];
}

#define HOLE(name, ...)                                                                                                \
    static void name(gn_code *c)                                                                                       \
    {                                                                                                                  \
        __VA_ARGS__;                                                                                                   \
    }

/* launches */
HOLE(no_dim, c->steps.at[0].parts.at[0].dim = 3)
HOLE(part_of_c, c->steps.at[0].parts.at[0].cluster = true)
HOLE(lone_barrier, node(c, 3)->kind = GN_CODE_BARRIER; node(c, 3)->scope = GN_SCOPE_THREAD)
/* names and scopes */
HOLE(no_name, node(c, 5)->var = "1u")
HOLE(name_of_code, c->name = "1k")
HOLE(taken_by_loop, node(c, 5)->var = "p")
HOLE(taken_by_place, place(c, 0)->name = c->places.at[0]->name)
HOLE(taken_elsewhere, place(c, 15)->name = place(c, 14)->name; gn_push(c->arena, &node(c, 6)->body.kids, node(c, 14)); drop(c, 14))
HOLE(foreign_place, node(c, 1)->place = another(c, place(c, 0)))
HOLE(foreign_declaration, node(c, 0)->place = another(c, place(c, 0)))
HOLE(undeclared, drop(c, 0))
HOLE(declared_argument, node(c, 0)->place = c->places.at[0])
HOLE(disordered, place(c, 0)->id = 9)
HOLE(no_step, c->steps.n = 0)
HOLE(unknown_symbol, value(c, 3)->u.load.base = symbol(c, "q"))
HOLE(loop_variable_outside, value(c, 12)->u.index.at = symbol(c, "u"))
HOLE(facts, c->syms.at[0].mul = 0)
/* nodes */
HOLE(no_index, value(c, 3)->u.load.base = NULL)
HOLE(no_number, value(c, 3)->id = 0)
HOLE(made_twice, node(c, 4)->val = node(c, 3)->val)
HOLE(dealt_unrolled, node(c, 5)->from = gn_dim_const(c->dims, 0))
HOLE(endless_unrolled, node(c, 5)->to = symbol(c, "n"))
HOLE(no_condition, node(c, 6)->when.n = 0)
HOLE(empty_condition, ((gn_pred *)(uintptr_t)node(c, 6)->when.at)[0].n = 0)
HOLE(region, gn_push(c->arena, &node(c, 4)->body.kids, node(c, 3)))
HOLE(stack_size, place(c, 14)->size = symbol(c, "n"))
HOLE(no_value, node(c, 6)->body.kids.at[1]->val = NULL)
HOLE(store_to_register, node(c, 6)->body.kids.at[1]->access.place = place(c, 0))
HOLE(set_memory, node(c, 1)->place = c->places.at[2])
/* registers */
HOLE(beyond, node(c, 1)->number = 5)
HOLE(turn_beyond, node(c, 5)->to = gn_dim_const(c->dims, 3))
HOLE(square_index,
     node(c, 5)->body.kids.at[0]->at = gn_dim_mul(c->dims, symbol(c, "u"), symbol(c, "u")))
HOLE(serial_index, node(c, 1)->at = symbol(c, "p"))
HOLE(never_set, drop(c, 1))
HOLE(two_types_of_register, gn_val *x = operand(c, 16, 0); x->kind = GN_VAL_REG; x->id = 0; x->u.reg.at = NULL;
     x->u.reg.number = 0; x->u.reg.place = place(c, 15))
/* operands */
HOLE(not_made, drop(c, 3))
HOLE(out_of_scope, value(c, 16)->a[0] = node(c, 6)->body.kids.at[0]->val)
HOLE(two_types, operand(c, 13, 0); value(c, 12)->dtype = GN_I32)
HOLE(parameter, operand(c, 4, 0)->kind = GN_VAL_PARAM; ((gn_val *)(uintptr_t)value(c, 4)->a[0])->id = 0)
HOLE(wide_number, gn_val *x = operand(c, 4, 0); x->kind = GN_VAL_CONST; x->id = 0)
HOLE(missing, value(c, 4)->a[1] = NULL)
HOLE(missing_first, value(c, 7)->a[0] = NULL)
/* values */
HOLE(dtype, value(c, 8)->dtype = 99)
HOLE(no_operation, value(c, 4)->u.op = &gn_op_contract)
HOLE(too_few, value(c, 4)->n = 1)
HOLE(too_few_sides, value(c, 11)->n = 2)
HOLE(no_reduction, value(c, 7)->red = 0)
HOLE(no_test, value(c, 8)->when.n = 0)
HOLE(pack_of_one, value(c, 10)->lanes = 1; value(c, 10)->n = 1)
HOLE(constant, value(c, 13)->kind = GN_VAL_CONST; value(c, 13)->n = 0)
HOLE(other_lanes, operand(c, 4, 0)->lanes = 8)
HOLE(mask_of_numbers, value(c, 3)->u.load.mask = value(c, 3))
/* products */
HOLE(foreign_row, node(c, 2)->tile->row = gn_target_avx512.tile)
HOLE(no_fragment, place(c, 0)->fragment = NULL)
HOLE(late_register, node(c, 2)->tile->c[0] = 1)
HOLE(apart, gn_code_node *x = gn_code_make(c, GN_CODE_FOR); x->var = "i", x->to = symbol(c, "g");
     gn_push(c->arena, &x->body.kids, node(c, 2)); c->steps.at[0].body.kids.at[2] = x)

typedef struct hole {
    const char *text, *name;
    void (*spoil)(gn_code *);
    const char *says;
} hole;
#define V(name, says) { vectors, #name, name, says }
#define P(name, says) { product, #name, name, says }

static const hole holes[] = {
    V(no_name, "step 0: loop 1u: '1u' is no name"),
    V(name_of_code, "its name is none"),
    V(taken_by_loop, "step 0: loop p: the name 'p' is taken"),
    V(taken_by_place, "the name 'X' is taken"),
    V(taken_elsewhere, "the name 'm' is taken"),
    V(foreign_place, "step 0: set $acc: a place of another code"),
    V(foreign_declaration, "step 0: place acc: a place of another code"),
    V(undeclared, "step 0: set $acc: the place 'acc' is not in scope"),
    V(declared_argument, "an argument is declared"),
    V(disordered, "acc: arguments come first, in their order"),
    V(no_step, "it has no step"),
    V(unknown_symbol, "step 0: %2: no symbol or variable 'q' is in scope"),
    V(loop_variable_outside, "step 0: %10: no symbol or variable 'u' is in scope"),
    V(facts, "the facts of the symbol 'n' are none"),
    V(no_index, "step 0: %2: an index is missing"),
    V(no_number, "a let without a number"),
    V(made_twice, "step 0: %2: it is made twice in this step"),
    V(dealt_unrolled, "step 0: loop u: an unrolled loop runs from 0, is not dealt out and carries nothing"),
    V(endless_unrolled, "step 0: loop u: an unrolled loop has a constant number of turns, 1024 at most"),
    V(no_condition, "step 0: if: no condition"),
    V(empty_condition, "step 0: if: a condition without a test"),
    V(region, "step 0: %3: a region where there is none"),
    V(stack_size, "m: its size is no constant of at least 1"),
    V(no_value, "the value is missing"),
    V(store_to_register, "'acc' is a register, not memory"),
    V(set_memory, "'Y' is no register"),
    V(beyond, "step 0: set $acc: register 5 of acc, which has 2"),
    V(turn_beyond, "register 2 of acc, which has 2"),
    V(square_index, "acc: the index is no sum of multiples of variables"),
    V(serial_index, "acc: 'p' is no variable of an unrolled loop"),
    V(never_set, "step 0: %3: reads $acc, which is not set on every way to it"),
    V(two_types_of_register, "step 0: %12: operand 1: $other has two types"),
    V(not_made, "step 0: %3: %2 is not made before"),
    V(out_of_scope, "step 0: %12: %4 is out of scope"),
    V(two_types, "step 0: %11: %10 has two types"),
    V(parameter, "step 0: %3: operand 1 is no operand"),
    V(wide_number, "step 0: %3: operand 1 is a number of several lanes"),
    V(missing, "step 0: %3: operand 2 is missing"),
    V(missing_first, "step 0: %5: operand 1 is missing"),
    V(dtype, "step 0: %6: it has no dtype"),
    V(no_operation, "step 0: %3: no operation on elements"),
    V(too_few, "step 0: %3: add takes 2 operands, not 1"),
    V(too_few_sides, "step 0: %9: 2 operands"),
    V(no_reduction, "step 0: %5: no reduction"),
    V(no_test, "step 0: %6: no condition"),
    V(pack_of_one, "step 0: %8: pack makes a vector"),
    V(constant, "step 0: %11: an operand, which no let is"),
    V(other_lanes, "step 0: %3: operand 1 is f32x8, f32x16 was expected"),
    V(mask_of_numbers, "step 0: %2: the mask is f32x16, b16 was expected"),
    P(foreign_row, "the target cuda has no such tile operation"),
    P(no_fragment, "'c' is no fragment of mma_m16n8k8_tf32"),
    P(late_register, "register 1 of c is not the first of a fragment"),
    P(no_dim, "the part 'p' counts in no dim of the grid"),
    V(part_of_c, "the part 'p': the target avx512 has no grid of blocks"),
    V(lone_barrier, "step 0: barrier: it orders nothing for one thread"),
    P(apart, "a tile product that not all threads of a warp reach together: it is in 'loop i'"),
};

typedef struct attempt {
    const hole *h;
    gn_arena arena;
    gn_code *code;
} attempt;

static void read_and_verify(void *arg)
{
    attempt *t = arg;
    t->code = gn_code_read(&t->arena, "test", gn_sx_read(&t->arena, "test", t->h->text, strlen(t->h->text))->at[0]);
    gn_code_verify(t->code);
}

static void verify(void *code)
{
    gn_code_verify(code);
}

static void what_is_spoiled_is_refused(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof holes / sizeof *holes; i++) {
        attempt t = { .h = &holes[i] };
        if (gn_protect(read_and_verify, &t)) fail_msg("%s", gn_message());
        t.h->spoil(t.code);
        const gn_status s = gn_protect(verify, t.code);
        if (s != GN_EINVAL || !strstr(gn_message(), t.h->says)) {
            print_message("%s\n    should be: %s\n    is: %s\n", t.h->name, t.h->says, s ? gn_message() : "accepted");
            wrong++;
        }
        gn_arena_free(&t.arena);
    }
    assert_int_equal(0, wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_spoiled_is_refused) };
    return cmocka_run_group_tests_name("codegen/code_holes", tests, NULL, NULL);
}
