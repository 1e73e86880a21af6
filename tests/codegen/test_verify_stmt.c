/* The verifier of placed statements: what it refuses, by kernels and schedules or by trees that were spoiled after they
 * were placed, and what is near to that and right. */
#include "code_interpret.h"
#include "judge.h"
#include "places.h"

/* ---- kernels and schedules that must be refused ---- */

#define COPY2 "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 M N)) (axes (i M) (j N)) (store set Y (i j) (load X i j)))"
#define SUM_INDEX                                                                                                      \
    "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 (add M N))) (axes (i M) (j N)) (store add Y ((add i j)) (load X i " \
    "j)))"
#define PICK                                                                                                           \
    "(kernel k (syms M N) (bufs (T i32 M N) (X f32 M N) (Y f32 9)) (axes (i M) (j N)) (store set Y ((load T i j)) "    \
    "(load X i j)))"
#define HALVES "(kernel k (syms M) (bufs (X f32 M) (Y f32 M)) (axes (i M)) (store set Y ((div i 2)) (load X i)))"
#define SET_THEN_ADD                                                                                                   \
    "(kernel k (syms M N) (bufs (T i32 M) (X f32 M) (Y f32 9)) (axes (i 9) (e M)) (store set Y (i) 1) (store add Y "   \
    "((load T e)) (load X e)))"
#define SET_ADD_SAME                                                                                                   \
    "(kernel k (syms M N) (bufs (T i32 M) (X f32 M) (Y f32 9)) (axes (e M)) (store set Y ((load T e)) 1) (store add "  \
    "Y ((load T e)) (load X e)))"
#define SUM_THEN_ADD "(kernel k (syms M N) (bufs (T i32 M) (X f32 M) (Y f32 9)) (axes (i 9) (e M) (j M)) (def s () (sum (j) (load X j)))" \
                     " (store set Y (i) (s)) (store add Y ((load T e)) (load X e)))"
#define SUM_BESIDE_ADD "(kernel k (syms M N) (bufs (T i32 M) (X f32 M) (Y f32 9)) (axes (i 9) (j M)) (def s () (sum (j) (load X j)))" \
                       " (store set Y (i) (s)) (store add Y ((load T j)) (load X j)))"
#define RUNNING                                                                                                        \
    "(kernel k (syms M N) (bufs (X f32 N) (Y f32 (add M 1))) (axes (i M) (j N)) (store add Y ((add i 1)) (mul (load "  \
    "Y i) (load X j))))"
#define NEIGHBOUR "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 M N)) (axes (i M) (j N)) (def d (i j) (mul 3 (load X i j)))" \
                  " (store set Y (i j) (if (lt (add j 1) N) (d i (add j 1)) 0)))"
#define ONLINE "(kernel k (syms M N) (bufs (X f32 M N) (L f32 M)) (axes (i M) (j N)) (def m (i) (max (j) (load X i j)))" \
               " (def l (i) (sum (j) (exp (sub (load X i j) (m i))))) (store set L (i) (l i)))"
#define ROWS                                                                                                           \
    "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 M)) (axes (i M) (j N)) (def s (i) (sum (j) (load X i j))) (store "  \
    "set Y (i) (s i)))"
/* a row's sum, of which a kept function is stored, beside what threads do */
#define ROWS2                                                                                                          \
    "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 M) (Z f32 M 9)) (axes (i M) (j N) (e 9)) (def s (i) (sum (j) (load X i j)))"   \
    " (def d (i) (mul 2 (s i))) (store set Y (i) (add (d i) (s i))) (store set Z (i e) (cast f32 e)))"
#define MATMUL "(kernel k (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))" \
               " (def acc (i j) (sum (k) (mul (load A i k) (load B k j)))) (store set C (i j) (acc i j)))"
#define MMA(i, j, order) \
    "(split i ib " i ") (split j jb " j ") (split k k0 (kt 8)) (order ib jb " order " k0 kt ir jr) (bind block ib jb) (bind thread mg mt)" \
    " (bind unroll ir jr) (bind tile kt) (tensorize acc mma_m16n8k8_tf32 ir mg mt jr kt)"

typedef struct schedule_case {
    const char *kernel, *schedule;
    const gn_target *target;
    const char *message; /* NULL: it is right */
} schedule_case;

static const schedule_case holes[] = {
    { SUM_INDEX, "(order i j) (bind part i)", &gn_target_avx512,
      "bind part i: the store to 'Y' does not go to different places along it" },
    { SUM_INDEX, "(split j j0 (j1 4)) (order i j0 j1) (bind lane j1) (bind part i)", &gn_target_avx512,
      "bind part i: the store to 'Y' does not go" },
    { SUM_INDEX, "(split j j0 (j1 4)) (order j0 i j1) (bind thread j1) (bind block j0)", &gn_target_cuda,
      "bind block j0: the store to 'Y' does not go" },
    { "(kernel k (syms M) (bufs (T i32 M) (X f32 M) (Y f32 M)) (axes (i M)) (store add Y ((add (load T i) i)) (load X "
      "i)))",
      "(order i) (bind part i)", &gn_target_avx512,
      "bind part i: the store to 'Y' does not go to different places along it" },
    { "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 (mul M N))) (axes (i M) (j N)) (store set Y ((mul i j)) (load X i "
      "j)))",
      "(order i j) (bind part i)", &gn_target_avx512,
      "bind part i: the store to 'Y' does not go to different places along it" },
    { "(kernel k (syms M) (bufs (X f32 M) (Y f32 M)) (axes (i M)) (store set Y ((min i 3)) (load X i)))",
      "(split i i0 (i1 4)) (order i0 i1) (bind lane i1)", &gn_target_avx512,
      "bind lane i1: the store to 'Y' does not go to different places along it" },
    { "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 M N)) (axes (i M) (j N)) (store set Y ((mod (add i j) 3) (div i "
      "2)) (load X i j)))",
      "(order j i) (bind part j)", &gn_target_avx512,
      "bind part j: the store to 'Y' does not go to different places along it" },
    { "(kernel k (syms M) (bufs (X f32 M 5) (Y f32 (add (mul 4 M) 1))) (axes (i M) (j 5)) (store set Y ((add (mul 4 i) "
      "j)) (load X i j)))",
      "(order i j) (bind part i)", &gn_target_avx512,
      "bind part i: the store to 'Y' does not go to different places along it" },
    { "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 M N :stride 1 1)) (axes (i M) (j N)) (store set Y (i j) (load X i "
      "j)))",
      "(order i j) (bind part i)", &gn_target_avx512,
      "bind part i: the store to 'Y' does not go to different places along it" },
    { PICK, "(split j j0 (j1 4)) (order i j0 j1) (bind lane j1)", &gn_target_avx512,
      "bind lane j1: the store to 'Y' does not go to different places along it" },
    { PICK, "(order j i)", &gn_target_avx512,
      "order: the store to 'Y' may meet a place again along 'i', whose leaves do not run in the kernel's order" },
    { HALVES, "(split i i0 (i1 3)) (order i1 i0)", &gn_target_avx512,
      "order: the store to 'Y' may meet a place again along 'i'" },
    { RUNNING, "(order j i)", &gn_target_avx512, "order: the store to 'Y' may meet a place again along 'i'" },
    { SET_ADD_SAME, "(order e)", &gn_target_avx512,
      "order: two stores to 'Y' share the loop 'e', and may go to one place in different turns of it" },
    { SUM_BESIDE_ADD, "(order j i)", &gn_target_avx512,
      "order: of two stores to 'Y' that may go to one place, the first in the kernel comes last" },
    { SET_THEN_ADD, "(split i (i0 9)) (order e i0) (bind thread i0)", &gn_target_cuda,
      "bind thread i0: two stores to 'Y' may go to one place in different threads" },
    { "(kernel k (syms M N) (bufs (Y f32 (add M 1))) (axes (i M)) (def d (i) (mul 2 (load Y i))) (store add Y ((add i "
      "1)) (d i)))",
      "(order i)", &gn_target_avx512, "stage d: it loads 'Y', which a store changes, and is not kept" },
    { "(kernel k (syms M N) (bufs (Y f32 (add M 1))) (axes (i M)) (def d (i) (mul 2 (load Y i))) (store add Y ((add i "
      "1)) (d i)))",
      "(order i) (stage d reg)", &gn_target_avx512,
      "order: 'd' loads 'Y' before or behind a store to it in the kernel, but not in the schedule" },
    { "(kernel k (syms M) (bufs (X f32 M M) (Y f32 M M)) (axes (i M) (j M)) (store set Y (i j) (load X i j)))",
      "(split i l (i1 4)) (split j l (j1 4)) (order l i1 j1)", &gn_target_avx512,
      "split: 'i' and 'j' share the leaf 'l', and 'Y' is over both" },
    { ROWS, "(split j j0 (j1 4)) (order i j1 j0 q) (rfactor s j1 p q) (stage p arena)", &gn_target_avx512,
      "rfactor s: the leaf 'j1' may end with its axis 'j' before all its results are made" },
    { NEIGHBOUR, "(split j j0 (j1 4)) (order i j0 j1) (bind block i) (bind thread j1) (stage d arena)", &gn_target_cuda,
      "bind thread j1: 'Y' reads what another thread made of 'd' in the arena, with no barrier between" },
    { "(kernel k (syms M N) (bufs (X f32 M N) (L f32 M) (Y f32 M 20)) (axes (i M) (j N) (e 20)) (def m (i) (max (j) "
      "(load X i j)))"
      " (def l (i) (sum (j) (exp (sub (load X i j) (m i))))) (store set L (i) (l i)) (store set Y (i e) (mul (l i) (cast f32 e))))",
      "(split e e0 (e1 16)) (order j i e1 e0) (bind thread e1) (stage m arena) (stage l arena)",
      &gn_target_cuda,
      "bind thread e1: 'Y' reads what another thread made of 'l' in the arena, with no barrier between" },
    { "(kernel k (syms M N K) (bufs (X f32 M N) (Z f32 M) (Y f32 M N)) (axes (i M) (j N) (t K)) (def d (i) (mul 2 "
      "(load Z i)))"
      " (def s (i) (sum (t) (d i))) (store set Y (i j) (add (s i) (d i))))",
      "(order t i j) (stage d arena (at t)) (stage s arena)", &gn_target_avx512,
      "stage d: it is made inside the loop 't', and 'Y' reads it outside" },
    { "(kernel k (syms M N) (bufs (X f32 M N) (Z f32 N) (Y f32 M N)) (axes (i M) (j N)) (def d (j) (mul 2 (load Z j)))"
      " (store set Y (i j) (add (d j) (load X i j))))",
      "(order i j) (bind part i) (stage d arena (at i))", &gn_target_avx512,
      "bind part i: each of them makes all of 'd' in the arena" },
    { MATMUL, MMA("(ir 2) (mg 8)", "(mt 4) (jr 2)", "mt mg"), &gn_target_cuda,
      "tensorize acc mma_m16n8k8_tf32: the thread leaf 'mg' stands where the row takes 'mt', whose number in the warp "
      "would be another" },
    { MATMUL, MMA("(ir 2) (mg 8) (w 2)", "(mt 4) (jr 2)", "mg mt w") " (bind thread w)", &gn_target_cuda,
      "tensorize acc mma_m16n8k8_tf32: the thread leaf 'w' stands where the row takes 'mt'" },
    { MATMUL, MMA("(mg 8) (ir 2)", "(mt 4) (jr 2)", "mg mt"), &gn_target_cuda,
      "tensorize acc mma_m16n8k8_tf32: 'ir' and 'ir' are not in their axes where the row has 'ir' and 'ir'" },
    { MATMUL, MMA("(ir 2) (mt 4)", "(mg 8) (jr 2)", "mg mt"), &gn_target_cuda,
      "are not in their axes where the row has" },
    { MATMUL, MMA("(ir 2) (mg 8)", "(mt 4) (jr 2)", "mg mt") " (stage acc stack)", &gn_target_cuda,
      "tensorize acc mma_m16n8k8_tf32: its accumulators are registers, 'stage acc' has others" },
};

/* ---- what is near to them and right ---- */

static const schedule_case near[] = {
    { "(kernel k (syms M) (bufs (X f32 M 4) (Y f32 (mul 4 M))) (axes (i M) (j 4)) (store set Y ((add (mul 4 i) j)) "
      "(load X i j)))",
      "(order i j) (bind part i) (bind lane j)", &gn_target_avx512, NULL },
    { "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 (mul M N))) (axes (i M) (j N)) (store set Y ((add (mul i N) j)) "
      "(load X i j)))",
      "(split j j0 (j1 4)) (order j0 i j1) (bind part j0) (bind lane j1)", &gn_target_avx512, NULL },
    { "(kernel k (syms M) (bufs (X f32 M) (Y f32 (div (add M 3) 4) 4)) (axes (i M)) (store set Y ((div i 4) (mod i 4)) "
      "(load X i)))",
      "(order i) (bind part i)", &gn_target_avx512, NULL },
    { "(kernel k (syms M) (bufs (X f32 M) (Y f32 4 3 (div (add M 11) 12))) (axes (i M)) (store set Y ((mod i 4) (mod "
      "(div i 4) 3) (div i 12)) (load X i)))",
      "(split i i0 (i1 8)) (order i1 i0) (bind part i1)", &gn_target_avx512, NULL },
    { "(kernel k (syms M) (bufs (X f32 M 6) (Y f32 (add (div (mul 6 M) 4) 1) 4)) (axes (i M) (j 6))"
      " (store set Y ((div (add (mul 6 i) j) 4) (mod (add (mul 6 i) j) 4)) (load X i j)))",
      "(order j i) (bind part j)", &gn_target_avx512, NULL },
    { "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 N M)) (axes (i M) (j N)) (store set Y (j (add (sub M 1) (mul -1 "
      "i))) (load X i j)))",
      "(split i i0 (i1 4)) (order j i0 i1) (bind part j) (bind lane i1)", &gn_target_avx512, NULL },
    { "(kernel k (syms M) (bufs (X f32 M) (Y f32 M)) (axes (i M)) (store add Y ((div i 16)) (load X i)))",
      "(split i i0 (i1 16)) (order i0 i1) (bind part i0)", &gn_target_avx512, NULL },
    { "(kernel k (syms M N) (bufs (T i32 M) (X f32 M 8) (Y f32 72)) (axes (e M) (d 8)) (store add Y ((add (mul 8 (load "
      "T e)) d)) (load X e d)))",
      "(order d e) (bind part d)", &gn_target_avx512, NULL },
    { "(kernel k (syms M) (bufs (X f32 M M) (Y f32 (mul M M))) (axes (i M) (j (add i 1))) (store set Y ((add (mul M i) "
      "j)) (load X i j)))",
      "(order i j) (bind part i)", &gn_target_avx512, NULL },
    { "(kernel k (syms M N) (bufs (X f32 M) (Z f32 N) (Y f32 (add M N))) (axes (i M) (j N)) (store set Y (i) (load X "
      "i)) (store set Y ((add M j)) (load Z j)))",
      "(order i j) (bind part i j)", &gn_target_avx512, NULL },
    { "(kernel k (syms M) (bufs (X f32 M) (Y f32 (mul 2 M))) (axes (i M)) (store set Y ((mul 2 i)) (load X i)) (store "
      "set Y ((add 1 (mul 2 i))) (neg (load X i))))",
      "(order i) (bind part i)", &gn_target_avx512, NULL },
    { "(kernel k (syms M N) (bufs (X f32 M N) (Z f32 N) (Y f32 M N)) (axes (i M) (j N)) (def d (j) (mul 2 (load Z j)))"
      " (store set Y (i j) (add (d j) (load X i j))))",
      "(order i j) (bind part i) (stage d scratch (at i))", &gn_target_avx512, NULL },
    { SUM_INDEX, "(order j i)", &gn_target_avx512, NULL },
    { PICK, "(split j j0 (j1 4)) (order i j0 j1)", &gn_target_avx512, NULL },
    { HALVES, "(split i i0 (i1 4)) (order i0 i1) (bind unroll i1)", &gn_target_avx512, NULL },
    { HALVES, "(split i i0 (i1 4)) (order i0 i1) (bind part i0)", &gn_target_avx512, NULL },
    { RUNNING, "(order i j)", &gn_target_avx512, NULL },
    { SET_THEN_ADD, "(split i i0 (i1 3)) (order i0 i1 e) (bind part i0)", &gn_target_avx512, NULL },
    { SUM_THEN_ADD, "(order j i e)", &gn_target_avx512, NULL },
    { ROWS, "(split j j0 (j1 4)) (order i j1 j0) (rfactor s j1 p) (stage p arena)", &gn_target_avx512, NULL },
    { NEIGHBOUR, "(split j j0 (j1 4)) (order i j0 j1) (bind block i) (stage d arena)", &gn_target_cuda, NULL },
    { NEIGHBOUR, "(split i i0 (i1 4)) (order i0 i1 j) (bind block i0) (bind thread i1) (stage d arena)",
      &gn_target_cuda, NULL },
    { HALVES, "(split i i0 (i1 4)) (order i1 i0)", &gn_target_avx512, NULL },
    { "(kernel k (syms M N) (bufs (X f32 M N) (L f32 M) (Y f32 M 20)) (axes (i M) (j N) (e 20)) (def m (i) (max (j) "
      "(load X i j)))"
      " (def l (i) (sum (j) (exp (sub (load X i j) (m i))))) (store set L (i) (l i)) (store set Y (i e) (cast f32 e)))",
      "(split e e0 (e1 16)) (order j i e1 e0) (bind thread e1) (stage m arena) (online m j) (stage l arena)",
      &gn_target_cuda,
      NULL },
    { ROWS2, "(split e (e1 16)) (order j i e1) (bind thread e1) (stage s arena) (stage d arena)", &gn_target_cuda, NULL },
    { MATMUL, MMA("(ir 2) (mg 8)", "(mt 4) (jr 2)", "mg mt"), &gn_target_cuda, NULL },
};

typedef struct attempt {
    gn_arena *arena;
    const schedule_case *c;
    job job;
} attempt;

static void lower(void *arg)
{
    attempt *a = arg;
    a->job = lower_text(a->arena, gn_arena_printf(a->arena, "%s (schedule s %s)", a->c->kernel, a->c->schedule),
                        a->c->target);
}

static void holes_are_refused_with_directive_and_leaf(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof holes / sizeof *holes; i++) {
        gn_arena arena = { 0 };
        attempt a = { &arena, &holes[i] };
        const gn_status s = gn_protect(lower, &a);
        if (s != GN_EINVAL || !strstr(gn_message(), holes[i].message)) {
            print_message("%s\n%s\n    should be: %s\n    is: %s\n", holes[i].kernel, holes[i].schedule,
                          holes[i].message, s ? gn_message() : "accepted");
            wrong++;
        }
        gn_arena_free(&arena);
    }
    assert_int_equal(0, wrong);
}

static void run(void *arg)
{
    static const kernel_case loose = { .name = "near", .below = 9, .tolerance = 1e-4 };
    static const int64_t extents[][3] = { { 5, 7, 3 }, { 1, 1, 1 }, { 17, 9, 20 }, { 4, 33, 6 }, { 0, 3, 2 } };
    attempt *a = arg;
    uint64_t seed = 7;
    a->job.c = &loose;
    for (size_t i = 0; i < sizeof extents / sizeof *extents; i++) {
        run_data d = begin_run(a->arena, &a->job, extents[i], &seed);
        for (uint64_t order = 1; order <= 2; order++) {
            reset(&a->job, &d);
            gn_code_interpret(a->job.s->code, d.args, extents[i], order, a->arena);
            compare(&a->job, "code", extents[i], d.got, d.want);
        }
        end_run(&a->job, &d);
    }
}

static void what_is_near_to_them_is_accepted_and_right(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        gn_arena arena = { 0 };
        attempt a = { &arena, &near[i] };
        if (gn_protect(lower, &a) || gn_protect(run, &a)) {
            print_message("%s\n%s\n    %s\n", near[i].kernel, near[i].schedule, gn_message());
            wrong++;
        }
        gn_arena_free(&arena);
    }
    assert_int_equal(0, wrong);
}

/* ---- trees, spoiled ---- */

typedef struct spoiler {
    const char *name;
    void (*spoil)(gn_lower *);
    const char *kernel, *schedule, *message;
} spoiler;

enum { TURN = -1 }; /* a sum starts anew in a turn of a running maximum */

/* The parent of the first node that is a loop over the leaf, or a statement of that kind; *at: which of its kids. */
static gn_tree *parent_of(gn_tree *t, const char *leaf, int stmt, const gn_lower *g, size_t *at)
{
    for (size_t i = 0; i < t->kids.n; i++) {
        gn_tree *kid = t->kids.at[i];
        *at = i;
        if (leaf ? kid->kind == GN_NODE_FOR && strcmp(g->leaves.at[kid->leaf].name, leaf) == 0
                 : kid->kind == GN_NODE_STMT && (stmt == TURN ? kid->online != NULL : kid->stmt == stmt))
            return t;
        gn_tree *found = parent_of(kid, leaf, stmt, g, at);
        if (found) return found;
    }
    return NULL;
}

static gn_tree *loop_over(gn_lower *g, const char *leaf)
{
    size_t at;
    gn_tree *p = parent_of(g->root, leaf, 0, g, &at);
    return p->kids.at[at];
}

static gn_tree *take(gn_lower *g, const char *leaf, int stmt)
{
    size_t at;
    gn_tree *p = parent_of(g->root, leaf, stmt, g, &at), *t = p->kids.at[at];
    for (; at + 1 < p->kids.n; at++) p->kids.at[at] = p->kids.at[at + 1];
    p->kids.n--;
    return t;
}

static void put_first(gn_lower *g, gn_tree *p, gn_tree *kid)
{
    gn_push(g->arena, &p->kids, kid);
    for (size_t i = p->kids.n - 1; i > 0; i--) p->kids.at[i] = p->kids.at[i - 1];
    p->kids.at[0] = kid;
}

static void end_early(gn_lower *g)
{
    gn_tree *j = loop_over(g, "j");
    j->to = gn_lsub(g, j->to, gn_lconst(g, 1));
}

static void run_in_parts(gn_lower *g)
{
    loop_over(g, "i")->bind = GN_BIND_PART;
}

static void drop_init(gn_lower *g)
{
    take(g, NULL, GN_STMT_INIT);
}

static void drop_scale(gn_lower *g)
{
    take(g, NULL, TURN);
}

static void scale_late(gn_lower *g)
{
    gn_tree *s = take(g, NULL, TURN);
    gn_push(g->arena, &loop_over(g, "j")->kids, s);
}

static void start_anew(gn_lower *g)
{
    put_first(g, loop_over(g, "j"), take(g, NULL, GN_STMT_INIT));
}

static void store_early(gn_lower *g)
{
    put_first(g, loop_over(g, "i"), take(g, NULL, GN_STMT_STORE));
}

static void store_inside(gn_lower *g)
{
    gn_push(g->arena, &loop_over(g, "j")->kids, take(g, NULL, GN_STMT_STORE));
}

static void store_outside(gn_lower *g)
{
    gn_push(g->arena, &g->root->kids.at[0]->kids, take(g, NULL, GN_STMT_STORE));
}

static void nest_twice(gn_lower *g)
{
    size_t at;
    gn_tree *p = parent_of(g->root, "j", 0, g, &at), *outer = GN_NEW_OBJECT(g->arena, gn_tree);
    *outer = *p->kids.at[at];
    outer->kids.n = 0, outer->kids.at = NULL, outer->kids.capacity = 0;
    gn_push(g->arena, &outer->kids, p->kids.at[at]);
    p->kids.at[at] = outer;
}

static void forget_early(gn_lower *g)
{
    g->objects.at[0]->home = loop_over(g, "j");
}

static void grow_block(gn_lower *g)
{
    g->objects.at[0]->level = GN_LEVEL_STACK;
    g->objects.at[0]->size = gn_lconst(g, INT64_C(1) << 61);
}

static void thread_row(gn_lower *g)
{
    const gn_tensorize *t = g->items.at[0]->tile;
    const uint32_t first = t->leaf.at[1];
    t->leaf.at[1] = t->leaf.at[2], t->leaf.at[2] = first;
}

static gn_tree *stmt_of(gn_lower *g, const char *name, gn_stmt_kind kind)
{
    for (size_t i = 0; i < g->items.n; i++) {
        gn_ldef *d = g->items.at[i];
        if (strcmp(d->name, name) == 0 && d->is_store) return d->main;
        for (size_t t = 0; t < d->touched.n && strcmp(d->name, name) == 0; t++)
            if (d->touched.at[t]->def == d && d->touched.at[t]->stmt == kind) return d->touched.at[t];
    }
    return NULL;
}

static void add_by_all(gn_lower *g)
{
    stmt_of(g, "s", GN_STMT_UPD)->alone = (gn_leafset){ { 0 } };
}

static void copy_by_all(gn_lower *g)
{
    stmt_of(g, "d", GN_STMT_ASG)->alone = (gn_leafset){ { 0 } };
}

static void store_by_all(gn_lower *g)
{
    stmt_of(g, "Y", GN_STMT_STORE)->alone = (gn_leafset){ { 0 } };
}

static void store_by_one(gn_lower *g)
{
    stmt_of(g, "Z", GN_STMT_STORE)->alone = stmt_of(g, "Y", GN_STMT_STORE)->alone;
}

static void keep_in_registers(gn_lower *g)
{
    gn_ldef *s = stmt_of(g, "s", GN_STMT_UPD)->def;
    s->object->level = GN_LEVEL_REG;
    for (size_t t = 0; t < s->touched.n; t++)
        if (s->touched.at[t]->def != s) s->touched.at[t]->alone = (gn_leafset){ { 0 } };
}

static void forget_init(gn_lower *g)
{
    gn_ldef *s = stmt_of(g, "s", GN_STMT_UPD)->def;
    for (size_t t = 0; t < s->touched.n; t++)
        if (s->touched.at[t]->stmt == GN_STMT_INIT) s->touched.at[t] = s->touched.at[--s->touched.n];
}

/* The store reads the sum of the next row. */
static void read_next(gn_lower *g)
{
    const gn_kexpr *ref = stmt_of(g, "Y", GN_STMT_STORE)->def->refs.at[0];
    ((const gn_dim **)(uintptr_t)ref->index)[0] = gn_ladd(g, ref->index[0], gn_lconst(g, 1));
}

static void double_rows(gn_lower *g)
{
    gn_tree *t = loop_over(g, "mg");
    g->leaves.at[t->leaf].points = t->to = gn_lconst(g, 16);
}

/* The second axis of a leaf that two share is longer than the loop, which ends with the first. */
static void lengthen(gn_lower *g)
{
    g->axes.at[1].extent = gn_ladd(g, g->axes.at[1].extent, gn_lconst(g, 4));
    g->leaves.at[g->axes.at[1].leaf.at[0]].points = g->axes.at[1].extent;
    g->facts.at[g->kernel->syms.n + g->axes.at[1].leaf.at[0]].limit = g->axes.at[1].extent;
}

#define SHARED_LEAF "(kernel k (syms M) (bufs (X f32 M) (Y f32 M) (Z f32 M)) (axes (i M) (j M))"                       \
                    " (store set Y (i) (load X i)) (store set Z (j) (load X j)))"
#define SHARED_KEPT "(kernel k (syms M) (bufs (X f32 M) (Y f32 M) (Z f32 M)) (axes (i M) (j M) (k M)) (def d (j) (exp (load X j)))" \
                    " (store set Y (i) (load X i)) (store set Z (k) (d k)))"
#define BESIDE "(split e (e1 16)) (order j i e1) (bind thread e1) (stage s arena) (stage d arena)"
static const spoiler spoilers[] = {
    { "a loop ends early", end_early, ROWS, "(order i j)",
      "order: the loop 'j' around 's' does not run over the points of its leaf" },
    { "a serial loop in parts", run_in_parts, ROWS, "(order i j)",
      "bind none i: the loop around 's' is bound to part" },
    { "no start", drop_init, ROWS, "(order i j)", "order: 's' has a statement that is nowhere in the tree" },
    { "a new start in each turn", start_anew, ROWS, "(order i j)",
      "order: 's' starts anew in the loop 'j', which it is reduced along, before 's'" },
    { "a store before the sum", store_early, ROWS, "(order i j)", "order: 'Y' reads 's' before it is made" },
    { "a store of what is not whole", store_inside, ROWS, "(order i j)",
      "order: the store to 'Y' stands in the loop 'j', which is none of its own" },
    { "a store outside its loop", store_outside, ROWS, "(order i j)",
      "order: the store of 'Y' has no loop over its leaf 'i'" },
    { "a loop twice", nest_twice, ROWS, "(order i j)", "order: 's' stands in two loops over 'j'" },
    { "a life in the loop of the sum", forget_early, ROWS, "(order i j)",
      "stage s reg: 's' reads it after it is gone" },
    { "a sum that is not corrected", drop_scale, ONLINE, "(order i j) (online m j)",
      "online m: 'l' is not corrected before its next turn" },
    { "a sum that is corrected late", scale_late, ONLINE, "(order i j) (online m j)",
      "online m: 'l' is not corrected before its next turn" },
    { "bytes beyond 64 bits", grow_block, ROWS, "(order i j) (stage s arena)",
      "stage s stack: 9223372036854775807 bytes together" },
    { "a sum that all threads add to", add_by_all, ROWS2, BESIDE,
      "bind thread e1: all of them run the upd of 's', which changes what they share" },
    { "a copy by all of what one has made", copy_by_all, ROWS2, BESIDE,
      "bind thread e1: 'd' reads what another thread made of 's' in the arena, with no barrier between" },
    { "a store by all of what one has made", store_by_all, ROWS2, BESIDE,
      "bind thread e1: 'Y' reads what another thread made of " },
    { "a store by one thread of many points", store_by_one, ROWS2, BESIDE,
      "bind thread e1: the first alone runs the store of 'Z', which has points there" },
    { "a register of one thread, read by all", keep_in_registers, ROWS2, BESIDE,
      "bind thread e1: 'd' reads what another thread made of 's' in the reg" },
    { "a sum without a start", forget_init, ROWS, "(order i j)", "order: 's' has no init" },
    { "a sum of another row", read_next, ROWS, "(order i j)",
      "stage s reg: 'Y' reads it at another point of the loop 'i' than the one it is made at" },
    { "a loop that ends with another axis", lengthen, SHARED_LEAF, "(split i l) (split j l) (order l)",
      "order: the loop 'l' around the store to 'Z' may end before its axis 'j' does" },
    { "a copy that ends with another axis", lengthen, SHARED_KEPT, "(split i l) (split j l) (order l k) (stage d arena (at root))",
      "order: the loop 'l' may end before all of 'd' is made that 'Z' reads" },
    { "a warp of twice the threads", double_rows, MATMUL, MMA("(ir 2) (mg 8)", "(mt 4) (jr 2)", "mg mt"),
      "tensorize acc mma_m16n8k8_tf32: its thread leaves have 64 points, a warp has 32" },
    { "threads of a row exchanged", thread_row, MATMUL, MMA("(ir 2) (mg 8)", "(mt 4) (jr 2)", "mg mt"),
      "the thread leaf 'mt' stands where the row takes 'mg'" },
};

static void verify(void *lower)
{
    gn_lower_verify(lower);
}

static void spoiled_trees_are_refused(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof spoilers / sizeof *spoilers; i++) {
        const spoiler *x = &spoilers[i];
        gn_arena arena = { 0 };
        const schedule_case c = { x->kernel, x->schedule,
                                  strstr(x->schedule, "thread") ? &gn_target_cuda : &gn_target_avx512, NULL };
        attempt a = { &arena, &c };
        if (gn_protect(lower, &a) || gn_protect(verify, a.job.s->lower)) fail_msg("%s: %s", x->name, gn_message());
        x->spoil(a.job.s->lower);
        const gn_status s = gn_protect(verify, a.job.s->lower);
        if (s != GN_EINVAL || !strstr(gn_message(), x->message)) {
            print_message("%s\n    should be: %s\n    is: %s\n", x->name, x->message, s ? gn_message() : "accepted");
            wrong++;
        }
        gn_arena_free(&arena);
    }
    assert_int_equal(0, wrong);
}

/* ---- what is said of places, by looking at all points ---- */

enum { MOST_INDICES = 3 };

/* An index over i, j, k of some depth. */
static void random_index(gn_text *t, uint64_t *seed, int depth)
{
    static const char *const leaves[] = { "i", "j", "k", "i", "j", "k", "M", "1", "2" };
    static const char *const ops[] = { "add", "add", "add", "mul", "div", "mod", "min", "max" };
    static const char *const numbers[] = { "2", "3", "4", "6", "N", "M", "-1" };
    const uint64_t r = test_random(seed) % 16;
    if (depth == 0 || r < 3) {
        gn_text_add(t, leaves[test_random(seed) % 9]);
        return;
    }
    if (r == 3) {
        gn_text_add(t, "(load T (mod ");
        random_index(t, seed, depth - 1);
        gn_text_add(t, " 7))");
        return;
    }
    const char *op = ops[test_random(seed) % 8];
    gn_textf(t, "(%s ", op);
    random_index(t, seed, depth - 1);
    gn_text_char(t, ' ');
    if (strcmp(op, "add") == 0) random_index(t, seed, depth - 1);
    else gn_text_add(t, numbers[test_random(seed) % (strcmp(op, "mul") == 0 ? 7 : 6)]);
    gn_text_char(t, ')');
}

typedef struct points {
    gn_lower *g;
    int64_t sym[2], axis[3];
    int64_t index[2][MOST_INDICES]; /* of two points */
} points;

static bool value_at(void *user, const char *name, int64_t *out)
{
    const points *p = user;
    const int32_t a = gn_kernel_find_axis(p->g->kernel, name), s = gn_kernel_find_sym(p->g->kernel, name);
    if (a >= 0) *out = p->axis[a];
    else if (s >= 0) *out = p->sym[s];
    return a >= 0 || s >= 0;
}

static bool table_at(void *user, const char *buffer, int64_t index, int64_t *out)
{
    static const int64_t table[7] = { 3, 0, 3, 5, 1, 2, 2 };
    (void)user, (void)buffer;
    *out = table[index];
    return true;
}

static void place_at(points *p, const gn_ldef *store, int n, int64_t *at)
{
    for (int i = 0; i < n; i++) assert_true(gn_dim_eval(store->store->index[i], value_at, table_at, p, &at[i]));
}

static int64_t digit_at(const points *p, const int64_t *axis, uint32_t leaf)
{
    for (uint32_t a = 0; a < 3; a++)
        for (size_t i = 0; i < p->g->axes.at[a].leaf.n; i++)
            if (p->g->axes.at[a].leaf.at[i] == leaf) {
                const int64_t d = axis[a] / p->g->axes.at[a].stride.at[i], extent = p->g->leaves.at[leaf].extent;
                return extent ? d % extent : d;
            }
    return 0;
}

/* Two points, of the stores a and b, that go to one place have the digits that are said to be equal; NULL: they do. */
static const char *contradiction(points *p, const gn_ldef *a, const gn_ldef *b, int n, gn_leafset equal, bool apart)
{
    const int64_t most[3] = { p->sym[0], p->sym[1], 3 }, all = most[0] * most[1] * most[2];
    int64_t (*at)[2][MOST_INDICES] = calloc((size_t)all + 1, sizeof *at);
    const char *found = NULL;
    for (int64_t x = 0; x < all; x++) {
        p->axis[0] = x / (most[1] * most[2]), p->axis[1] = x / most[2] % most[1], p->axis[2] = x % most[2];
        place_at(p, a, n, at[x][0]), place_at(p, b, n, at[x][1]);
    }
    for (int64_t x = 0; !found && x < all; x++)
        for (int64_t y = 0; !found && y < all; y++) {
            if (memcmp(at[x][0], at[y][1], (size_t)n * sizeof at[x][0][0])) continue;
            const int64_t first[3] = { x / (most[1] * most[2]), x / most[2] % most[1], x % most[2] },
                          second[3] = { y / (most[1] * most[2]), y / most[2] % most[1], y % most[2] };
            if (apart) found = "they meet";
            for (uint32_t l = 0; l < p->g->leaves.n; l++)
                if (gn_set_has(&equal, l) && digit_at(p, first, l) != digit_at(p, second, l))
                    found = p->g->leaves.at[l].name;
        }
    free(at);
    return found;
}

static void lower_any(void *arg)
{
    attempt *a = arg;
    a->job = lower_text(a->arena, a->c->kernel, &gn_target_avx512);
}

static const char *random_stores(gn_arena *a, uint64_t *seed, int n)
{
    gn_text t = { .arena = a };
    gn_text_add(&t, "(kernel k (syms M N) (bufs (T i32 7) (Y f32");
    for (int i = 0; i < n; i++) gn_text_add(&t, " (mul 1000 (add M N 1))");
    gn_text_add(&t, ")) (axes (i M) (j N) (k 3))");
    for (int s = 0; s < 2; s++) {
        gn_text_add(&t, " (store add Y (");
        for (int i = 0; i < n; i++) random_index(&t, seed, 3), gn_text_char(&t, ' ');
        gn_text_add(&t, ") (cast f32 (add i (add j k))))");
    }
    gn_textf(&t, ")(schedule s (split i i0 (i1 2)) (split j j0 (j1 4) (j2 2)) (order i0 i1 j0 j1 j2 k))");
    return gn_text_done(&t);
}

static void what_is_said_of_places_is_so_for_all_points(void **state)
{
    (void)state;
    static const int64_t extents[][2] = { { 5, 7 }, { 8, 8 }, { 1, 9 }, { 6, 2 } };
    uint64_t seed = test_seed();
    const int trials = getenv("GNOMON_TEST_COUNT") ? atoi(getenv("GNOMON_TEST_COUNT")) : 400;
    int said = 0, apart = 0;
    for (int i = 0; i < trials; i++) {
        gn_arena arena = { 0 };
        const int n = 1 + (int)(test_random(&seed) % MOST_INDICES);
        schedule_case c = { .kernel = random_stores(&arena, &seed, n) };
        attempt a = { &arena, &c };
        if (gn_protect(lower_any, &a)) { /* an index that is outside for all sizes */
            gn_arena_free(&arena);
            continue;
        }
        gn_lower *g = a.job.s->lower;
        const gn_ldef *s = g->items.at[0], *t = g->items.at[1];
        const gn_places one = gn_places_of(g, s, NULL), both = gn_places_of(g, s, t);
        const bool never = gn_places_apart(g, s, t);
        said += !gn_set_empty(one.leaves), apart += never;
        for (size_t k = 0; k < sizeof extents / sizeof *extents; k++) {
            points p = { .g = g, .sym = { extents[k][0], extents[k][1] } };
            const char *wrong = contradiction(&p, s, s, n, one.leaves, false),
                       *pair = contradiction(&p, s, t, n, both.leaves, never);
            if (wrong || pair)
                fail_msg("sizes %d %d: of one store %s, of two %s\n%s", (int)p.sym[0], (int)p.sym[1], wrong, pair,
                         c.kernel);
        }
        gn_arena_free(&arena);
    }
    print_message("%d of %d say something, %d pairs are apart\n", said, trials, apart);
    assert_true(said > trials / 5 && apart > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes_are_refused_with_directive_and_leaf),
        cmocka_unit_test(what_is_near_to_them_is_accepted_and_right),
        cmocka_unit_test(spoiled_trees_are_refused),
        cmocka_unit_test(what_is_said_of_places_is_so_for_all_points),
    };
    return cmocka_run_group_tests_name("codegen/verify_stmt", tests, NULL, NULL);
}
