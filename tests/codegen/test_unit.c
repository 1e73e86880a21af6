/* A matrix unit that exists nowhere: rows of a table and reference functions are all that there is of it. Sums on it
 * mean what the logical kernel means, interpreted and compiled; code that touches it otherwise is refused. Whatever row
 * the table has is tested by its own leaves and layouts. */
#include "code_interpret.h"
#include "judge.h"
#include "tile.h"
#include "unit_target.h"

/* ---- kernels ---- */

enum { DIMS = 3 };

typedef struct sketch {
    gn_arena *a;
    const gn_tile_op *row;
    uint64_t seed;
    bool direct; /* A is not staged */
    gn_text binds, rest;
    const char *leaf[GN_TILE_MAX_LEAVES]; /* of the row: names in the schedule */
    const char *more[DIMS];               /* a tile leaf beside them, NULL */
    char loop[DIMS];                      /* in their order */
} sketch;

static int pick(sketch *s, int n)
{
    return (int)(test_random(&s->seed) % (uint64_t)n);
}

/* (split i i0 (iu 2) (i1 4)): the row's leaves of one dim, after a loop and perhaps a tile leaf. */
static const char *split(sketch *s, int dim)
{
    const char axis = "ijk"[dim];
    const int u = pick(s, 2) ? 1 + pick(s, 3) : 1;
    gn_text t = {.arena = s->a};
    gn_textf(&t, " (split %c %c0", axis, axis);
    s->more[dim] = u > 1 ? gn_arena_printf(s->a, "%cu", axis) : NULL;
    if (u > 1) gn_textf(&t, " (%cu %d)", axis, u), gn_textf(&s->binds, " (bind unroll %cu)", axis);
    for (int l = 0, n = 1; l < s->row->nleaf; l++) {
        const gn_tile_leaf *const x = &s->row->leaf[l];
        if (x->dim != "mnk"[dim]) continue;
        s->leaf[l] = gn_arena_printf(s->a, "%c%d", axis, n++);
        gn_textf(&t, " (%s %d)", s->leaf[l], x->extent);
        const bool lane =
            dim == 1 && x->stride == 1 && (x->extent & (x->extent - 1)) == 0 && x->extent <= 16 && pick(s, 2);
        const char *const bind = dim == 2 ? "tile" : lane ? "lane" : pick(s, 2) ? "unroll" : "private";
        gn_textf(&s->binds, " (bind %s %s)", bind, s->leaf[l]);
    }
    gn_text_char(&t, ')');
    return gn_text_done(&t);
}

static const char *level(sketch *s)
{
    return ((const char *const[]){"stack", "scratch", "arena"})[pick(s, 3)];
}

/* A staged factor: made at some loop, its dims the loops inside of that, then as the row has them in memory. Rarely as
 * it should not be. */
static void stage_factor(sketch *s, const char *name, const gn_tile_operand *o, int first, int second)
{
    const int at = pick(s, 5) ? 2 : pick(s, 4) - 1, wild = pick(s, 8) == 0;
    gn_text dims = {.arena = s->a};
    int inside = 0;
    for (int i = wild ? 3 : at + 1; i < DIMS; i++)
        if (s->loop[i] == "ijk"[first] || s->loop[i] == "ijk"[second]) gn_textf(&dims, " %c0", s->loop[i]), inside++;
    if (s->more[first]) gn_textf(&dims, " %s", s->more[first]);
    if (s->more[second]) gn_textf(&dims, " %s", s->more[second]);
    for (int i = 0; i < o->nleaf; i++) gn_textf(&dims, " %s", s->leaf[o->leaf[i]]);
    const char *const where = at < 0 ? "root" : gn_arena_printf(s->a, "%c0", s->loop[at]);
    gn_textf(&s->rest, " (stage %s %s (at %s) (layout%s)", name,
             wild     ? level(s)
             : at < 0 ? "arena"
             : inside ? "scratch"
                      : "stack",
             where, gn_text_done(&dims));
    if (pick(s, 4) == 0)
        gn_textf(&s->rest, " (pad %s %d)", s->leaf[o->leaf[1]], o->align ? o->align / (int)gn_dtype_size(o->dtype) : 3);
    gn_text_char(&s->rest, ')');
}

/* The loops, then tile leaves. */
static const char *order(sketch *s, bool rows)
{
    const char *const loops = ((const char *const[]){"ijk", "jik", "ijk", "jik", "ikj"})[pick(s, 5)];
    gn_text t = {.arena = s->a};
    memcpy(s->loop, loops, DIMS);
    if (pick(s, 2) && (!rows || *loops == 'i')) gn_textf(&s->binds, " (bind part %c0)", *loops);
    gn_textf(&t, " (order %c0 %c0 %c0", loops[0], loops[1], loops[2]);
    for (int d = 0; d < DIMS; d++)
        if (s->more[d]) gn_textf(&t, " %s", s->more[d]);
    for (int d = 0; d < DIMS; d++)
        for (int l = 0; l < s->row->nleaf; l++)
            if (s->row->leaf[l].dim == "mnk"[d]) gn_textf(&t, " %s", s->leaf[l]);
    gn_text_char(&t, ')');
    return gn_text_done(&t);
}

static bool is_transposed(const gn_tile_op *row, const gn_tile_operand *o, char outer)
{
    return row->leaf[o->leaf[0]].dim != outer;
}

/* A product of matrices; what is made of it, and the order of the buffers' dims, vary. */
static const char *kernel(sketch *s, const char *name, bool rows)
{
    const gn_tile_op *const row = s->row;
    const char *const c = gn_dtype_name(row->c.dtype), *const a = gn_dtype_name(row->a.dtype);
    const char *const b = gn_dtype_name(row->b.dtype), *const more = pick(s, 2) ? "(mul 2 " : "(neg ";
    const bool turned = is_transposed(row, &row->a, 'm') || pick(s, 4) == 0;
    gn_text t = {.arena = s->a};
    gn_textf(&t, "(kernel %s (syms M N K) (bufs (A %s %s) (B %s K N) (C %s M N)%s) (axes (i M) (j N) (k K))", name, a,
             turned ? "K M" : "M K", b, c, rows ? gn_arena_printf(s->a, " (D %s M)", c) : "");
    gn_textf(&t, s->direct ? " (def a (i k) (load A %s))" : " (def a (i k) (add 1 (load A %s)))",
             turned ? "k i" : "i k");
    gn_text_add(&t, " (def b (k j) (load B k j)) (def s (i j) (sum (k) (mul (a i k) (b k j))))");
    if (rows) gn_text_add(&t, " (def d (i) (max (j) (s i j)))");
    gn_textf(&t, " (store set C (i j) %s(s i j)))", more);
    gn_text_add(&t, rows ? " (store set D (i) (d i)))" : ")");
    return gn_text_done(&t);
}

static const char *random_text(gn_arena *arena, const gn_tile_op *row, const char *name, uint64_t seed)
{
    sketch s = {.a = arena, .row = row, .seed = seed, .binds.arena = arena, .rest.arena = arena};
    for (int i = 0; i < 4; i++) test_random(&s.seed); /* small seeds are alike at first */
    const bool rows = pick(&s, 3) == 0;
    s.direct = pick(&s, 4) == 0;
    gn_text t = {.arena = arena};
    gn_textf(&t, "%s\n(schedule s", kernel(&s, name, rows));
    for (int d = 0; d < DIMS; d++) gn_text_add(&t, split(&s, d));
    gn_text_add(&t, order(&s, rows));
    gn_textf(&s.rest, " (stage s %s) (tensorize s %s", level(&s), row->name);
    for (int l = 0; l < row->nleaf; l++) gn_textf(&s.rest, " %s", s.leaf[l]);
    gn_text_char(&s.rest, ')');
    if (!s.direct) stage_factor(&s, "a", &row->a, 0, 2);
    stage_factor(&s, "b", &row->b, 2, 1);
    if (rows) gn_text_add(&s.rest, " (stage d arena)");
    gn_textf(&t, "%s%s)", gn_text_done(&s.binds), gn_text_done(&s.rest));
    return gn_text_done(&t);
}

/* ---- trials ---- */

typedef struct trial {
    gn_arena arena;
    const char *text;
    job job;
    gn_text *body; /* what is compiled, and its words; NULL: nothing is */
    gn_words *words;
} trial;

static void lower(void *arg)
{
    trial *const t = arg;
    t->job = lower_text(&t->arena, t->text, unit_target());
    t->job.s->code = reread(&t->arena, t->job.s->code);
    if (t->body) gn_emit_kernel(t->body, t->words, t->job.s->code);
}

static const int64_t extents[][3] = {{8, 16, 12},  {1, 1, 1}, {5, 9, 7}, {17, 23, 31},
                                     {33, 17, 64}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}};
enum { NEXTENTS = sizeof extents / sizeof *extents };

typedef struct running {
    trial *t;
    void *library; /* NULL: it is interpreted */
    const int64_t *sym;
    uint64_t seed;
} running;

static void run_one(void *arg)
{
    const running *const w = arg;
    trial *const t = w->t;
    uint64_t seed = w->seed;
    run_data d = begin_run(&t->arena, &t->job, w->sym, &seed);
    if (!w->library) {
        for (uint64_t order = 1; order <= 2; order++) { /* of parts */
            reset(&t->job, &d);
            gn_code_interpret(t->job.s->code, d.args, w->sym, order, &t->arena);
            compare(&t->job, "code", w->sym, d.got, d.want);
        }
    } else {
        run_compiled(w->library, &t->job, &d, w->sym);
        compare(&t->job, "compiled", w->sym, d.got, d.want);
    }
    end_run(&t->job, &d);
}

static void judge(trial *t, void *library, const int64_t *sym, uint64_t seed)
{
    if (gn_protect(run_one, &(running){ t, library, sym, seed })) fail_msg("%s\n%s", gn_message(), t->text);
}

static void judge_random(const gn_tile_op *row)
{
    const char *const wanted = getenv("GNOMON_TEST_COUNT");
    const int tries = wanted ? atoi(wanted) : 120;
    int right = 0;
    for (int i = 1; i <= tries; i++) {
        trial t = {0};
        t.text = random_text(&t.arena, row, "gemm", (uint64_t)i);
        if (gn_protect(lower, &t) == GN_OK) {
            judge(&t, NULL, extents[i % NEXTENTS], (uint64_t)i);
            right++;
        } else if (!strstr(gn_message(), "schedule s: "))
            fail_msg("%d: %s\n%s", i, gn_message(), t.text);
        else if (getenv("GNOMON_TEST_SHOW"))
            print_message("%d: %s\n%s\n", i, gn_message(), t.text);
        gn_arena_free(&t.arena);
    }
    print_message("%s: %d right, %d refused\n", row->name, right, tries - right);
    assert_true(right > tries / 3);
}

static void random_schedules_are_right_or_refused(void **state)
{
    (void)state;
    for (const gn_tile_op *row = unit_target()->tile; row->name; row++) judge_random(row);
}

enum { COMPILED = 12 };

static void judge_compiled(const gn_tile_op *row)
{
    gn_arena a = {0};
    gn_text body = {.arena = &a}, unit = body;
    gn_words words = {.arena = &a};
    trial t[COMPILED] = {0};
    size_t n = 0;
    for (uint64_t seed = 1000; n < COMPILED; seed++) {
        t[n] = (trial){.body = &body, .words = &words};
        t[n].text = random_text(&t[n].arena, row, gn_arena_printf(&a, "gemm%zu", n), seed);
        if (gn_protect(lower, &t[n]) == GN_OK)
            n++;
        else
            gn_arena_free(&t[n].arena);
    }
    gn_target_unit(&unit, unit_target(), &words, gn_text_done(&body));
    void *const library = compile_unit(unit_target(), gn_text_done(&unit));
    assert_non_null(library);
    for (size_t i = 0; i < n; i++) {
        for (int e = 0; e < NEXTENTS; e++) judge(&t[i], library, extents[e], i);
        gn_arena_free(&t[i].arena);
    }
    dlclose(library);
    gn_arena_free(&a);
}

static void compiled_schedules_are_right(void **state)
{
    (void)state;
    for (const gn_tile_op *row = unit_target()->tile; row->name; row++) judge_compiled(row);
}

/* ---- the table ---- */

/* Each leaf of both dims once; the leaves of a dim count through it. */
static void check_layout(const gn_tile_op *row, const gn_tile_operand *o, const char *dims)
{
    int seen[GN_TILE_MAX_LEAVES] = {0};
    for (int i = 0; i < o->nleaf; i++) seen[o->leaf[i]]++;
    for (int l = 0; l < row->nleaf; l++) assert_int_equal(seen[l], strchr(dims, row->leaf[l].dim) != NULL);
    assert_true(o->nleaf >= 2);
    assert_int_equal(o->align % (int)gn_dtype_size(o->dtype), 0);
}

static void layouts_have_each_leaf_once(void **state)
{
    (void)state;
    for (const gn_tile_op *row = unit_target()->tile; row->name; row++) {
        int points[128] = {['m'] = 1, ['n'] = 1, ['k'] = 1};
        for (int l = 0; l < row->nleaf; l++) points[(int)row->leaf[l].dim] *= row->leaf[l].extent;
        assert_true(points['m'] == row->m && points['n'] == row->n && points['k'] == row->k);
        check_layout(row, &row->a, "mk");
        check_layout(row, &row->b, "kn");
        check_layout(row, &row->c, "mn");
    }
}

/* AMX is asked for by name; what nobody grants is none of this machine's. */
static void what_a_unit_needs_is_asked_for(void **state)
{
    (void)state;
    gn_tile_unit unit = *unit_target()->tile->unit;
    gn_tile_op tiles[] = {*unit_target()->tile, {0}};
    gn_target t = gn_target_generic;
    t.tile = tiles, tiles[0].unit = &unit;
    assert_true(gn_target_is_permitted(&t));
    unit.permission = "wobble";
    assert_false(gn_target_is_permitted(&t));
    unit.permission = "amx";
    assert_int_equal(gn_target_is_permitted(&t), gn_target_is_permitted(&t));
}

/* ---- what is refused ---- */

typedef struct refusal {
    const char *text, *says;
} refusal;

static gn_status status_of(void (*run)(void *), trial *t)
{
    const gn_status status = gn_protect(run, t);
    gn_arena_free(&t->arena);
    return status;
}

static void expect_all(const refusal *all, size_t n, void (*run)(void *))
{
    bool as_said = true;
    for (size_t i = 0; i < n; i++) {
        trial t = {.text = all[i].text};
        const bool went = status_of(run, &t) == GN_OK;
        const bool is = all[i].says ? !went && strstr(gn_message(), all[i].says) : went;
        if (!is)
            print_error("%s\n%s\nexpected '%s'\n", all[i].text, went ? "accepted" : gn_message(),
                        all[i].says ? all[i].says : "");
        as_said &= is;
    }
    assert_true(as_said);
}

#define GEMM                                                                                                           \
    "(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"                    \
    " (def a (i k) (load A i k)) (def b (k j) (load B k j)) (def s (i j) (sum (k) (mul (a i k) (b k j))))"             \
    " (store set C (i j) (mul 2 (s i j))))"
#define SPLIT                                                                                                          \
    "(schedule s (split i i0 (i1 4)) (split j j0 (j1 8)) (split k k0 (kq 3) (kr 2)) (order i0 j0 k0 i1 j1 kq kr)"      \
    " (bind unroll i1) (bind lane j1)"
#define ROW " (bind tile kq kr) (tensorize s pairs4x8x6 i1 j1 kq kr)"
#define STAGED " (stage s stack) (stage a stack (at k0) (layout i1 kq kr)) (stage b stack (at k0) (layout kq j1 kr))"

static const refusal schedules[] = {
    {GEMM SPLIT ROW STAGED ")", NULL},
    {GEMM SPLIT ROW " (stage s stack) (stage b stack (at k0) (layout kq j1 kr)))", NULL},
    {GEMM SPLIT ROW ")", "tensorize s pairs4x8x6: its accumulators are opaque: stage s stack, scratch or arena"},
    {GEMM SPLIT " (bind tile kq kr) (tensorize s pairs4x8x6 i1 j1 kq)" STAGED ")", "3 leaves, the row takes 4"},
    {GEMM SPLIT " (bind tile kq kr) (tensorize s pairs4x8x6 i1 j1 kr kq)" STAGED ")",
     "the leaf 'kr' has not the 3 points that the row takes"},
    {GEMM SPLIT " (bind tile kq) (bind unroll kr) (tensorize s pairs4x8x6 i1 j1 kq kr)" STAGED ")",
     "the leaf 'kr' is not bound to tile"},
    {GEMM SPLIT " (bind tile kq) (bind private kr) (tensorize s pairs4x8x6 i1 j1 kq kr)" STAGED ")",
     "the leaf 'kr' is not bound to tile"},
    {GEMM
     "(schedule s (split i i0 (i1 4)) (split j j0 (j1 8)) (split k k0 (ku 2) (kq 3) (kr 2)) (order i0 j0 k0 ku i1 j1 "
     "kq kr) (bind unroll i1 j1) (bind private ku)" ROW STAGED ")",
     "its accumulators are opaque, and lanes, private points or threads reduce it"},
    {GEMM
     "(schedule s (split i i0 (i1 4)) (split j j0 (j1 8)) (split k k0 (kq 3) (kr 2)) (order i0 j0 i1 j1 k0 kq kr)" ROW
         STAGED ")",
     "the leaf 'i1' is not bound to tile, unroll, private or lane"},
    {GEMM
     "(schedule s (split i i0 (i1 4) (iu 2)) (split j j0 (j1 8)) (split k k0 (kq 3) (kr 2)) (order i0 j0 k0 i1 iu j1 "
     "kq kr) (bind unroll i1 iu j1)" ROW
     " (stage s stack) (stage a stack (at k0) (layout i1 iu kq kr)) (stage b stack (at k0) (layout kq j1 kr)))",
     "are not in their axes where the row has"},
    {GEMM SPLIT ROW " (stage s stack) (stage b stack (at k0) (layout kq kr j1)))",
     "'b' has a step of 1 along 'j1', the row takes 2"},
    {GEMM SPLIT ROW " (stage s stack (layout j1 i1)) (stage b stack (at k0) (layout kq j1 kr)))",
     "'s' has a step of 4 along 'j1', the row takes 1"},
    {GEMM SPLIT ROW " (stage s stack) (stage b stack (at k0) (layout kq j1 kr) (pad j1 1)))",
     "the row takes 'b' at multiples of 16 bytes, which it is not known to be; stage it"},
    {GEMM SPLIT ROW " (stage s stack))", "'B' has a step of 1 along 'j1', the row takes 2"},
    {"(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 (div K 2) N 2) (C f32 M N)) (axes (i M) (j N) (k K))"
     " (def s (i j) (sum (k) (mul (load A i k) (load B (div k 2) j (mod k 2))))) (store set C (i j) (s i j)))" SPLIT ROW
     " (stage s stack))",
     "the row takes 'B' at multiples of 16 bytes"},
    {"(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
     " (def b (k j) (load B k j)) (def s (i j) (sum (k) (mul (exp (load A i k)) (b k j)))) (store set C (i j) (s i "
     "j)))" SPLIT ROW " (stage s stack) (stage b stack (at k0) (layout kq j1 kr)))",
     "the factor A is in no memory; stage it"},
    {"(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
     " (def b (k j) (load B k j)) (def s (i j) (sum (k) (mul (load A (div i 2) k) (b k j)))) (store set C (i j) (s i "
     "j)))" SPLIT ROW " (stage s stack) (stage b stack (at k0) (layout kq j1 kr)))",
     "'A' is no matrix along the row's leaves"},
    {"(kernel gemm (syms M N K) (bufs (A f64 M K) (B f64 K N) (C f64 M N)) (axes (i M) (j N) (k K))"
     " (def s (i j) (sum (k) (mul (load A i k) (load B k j)))) (store set C (i j) (s i j)))" SPLIT ROW
     " (stage s stack))",
     "it is f64, the row adds up f32"},
    {"(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
     " (def s (i j) (max (k) (mul (load A i k) (load B k j)))) (store set C (i j) (s i j)))" SPLIT ROW
     " (stage s stack))",
     "it is no sum of products"},
    {"(kernel gemm (syms M N K G) (bufs (A f32 G M K) (B f32 K N) (C f32 G M N)) (axes (i M) (j N) (k K) (g G))"
     " (def b (k j) (load B k j)) (def s (g i j) (sum (k) (mul (load A g i k) (b k j)))) (store set C (g i j) (s g i "
     "j)))"
     "(schedule s (split i i0 (i1 4)) (split j j0 (j1 8)) (split k k0 (kq 3) (kr 2)) (split g g0 (g1 2)) (order g0 i0 "
     "j0 k0 "
     "g1 i1 j1 kq kr) (bind unroll g1 i1 j1)" ROW " (stage s stack) (stage b stack (at k0) (layout kq j1 kr)))",
     "'g' may pass its end, and 'A' ends there; stage it"},
    {GEMM
     "(schedule s (split i i0 (iu 3) (i1 4)) (split j j0 (ju 2) (j1 8)) (split k k0 (kq 3) (kr 2)) (order i0 j0 k0 iu "
     "ju i1 j1 kq kr) (bind unroll iu ju i1 j1)" ROW " (stage s stack) (stage b stack (at k0) (layout ju kq j1 kr)))",
     "6 accumulators at once, the unit has room for 4"},
    {GEMM "(schedule s (split i i0 (i1 4)) (split j j0 (j1 8)) (split k k0 (kq 3) (kr 2)) (order k0 i0 j0 i1 j1 kq kr) "
          "(bind "
          "unroll i1 j1)" ROW " (stage s arena) (stage b stack (at j0) (layout kq j1 kr)))",
     "its accumulators live through loops over what is not in them"},
};

static void sums_that_do_not_fit_the_unit_are_told(void **state)
{
    (void)state;
    expect_all(schedules, sizeof schedules / sizeof *schedules, lower);
}

#define CODE(...)                                                                                                      \
    "(code k unit (syms n) (args (X read f32 96) (I read i32 96) (Y write f32 32) (W scratch f32 96)) (step "          \
    "() " __VA_ARGS__ "))"
#define T "(reg t opaque:pairs4x8x6)"
#define TILE(...) "(tile pairs4x8x6 " __VA_ARGS__ ")"

static const refusal codes[] = {
    {CODE(T TILE("zero $t") TILE("store $t Y 0 8 4 8")), NULL},
    {CODE(T TILE("load $t X 0 8 4 8") "(for i n :carry (t)" TILE("multiply $t X 0 6 W 0 16 4 8 6") ")" TILE(
         "store $t Y 0 8 4 8")),
     NULL},
    {CODE("(for i n " T TILE("zero $t") ")(reg u opaque:pairs4x8x6 4)"), NULL},
    {CODE("(reg t opaque:wobble)"), "the target unit has no 'opaque:wobble'"},
    {"(code k c11 (syms) (args) (step () " T "))", "the target c11 has no 'opaque:pairs4x8x6'"},
    {CODE(T TILE("wobble $t")), "zero, load, multiply or store was expected, not 'wobble'"},
    {CODE(T TILE("load $t X 0")), "a stride is missing"},
    {CODE(T TILE("load $t X 0 8 4")), "how much of n is there is missing"},
    {CODE(T TILE("multiply $t X 0 6 W 0 16 4 8")), "how much of k is there is missing"},
    {CODE(T TILE("zero $t") "(let %1 f32 (neg $t))"), "%1: 't' is opaque: tile pairs4x8x6 alone may touch it"},
    {CODE(T TILE("zero $t") "(store Y :row 0 $t)"), "store Y: 't' is opaque"},
    {CODE(T "(set $t 0)"), "set $t: 't' is opaque"},
    {CODE("(reg t f32)" TILE("zero $t")), "tile pairs4x8x6: 't' is no opaque:pairs4x8x6"},
    {CODE(T TILE("store $t Y 0 8 4 8")), "reads $t, which is not set on every way to it"},
    {CODE(T TILE("multiply $t X 0 6 W 0 16 4 8 6")), "reads $t, which is not set on every way to it"},
    {CODE(T "(for i n " TILE("zero $t") ")" TILE("store $t Y 0 8 4 8")),
     "reads $t, which is not set on every way to it"},
    {CODE(T TILE("zero $t") "(for i n " TILE("multiply $t X 0 6 W 0 16 4 8 6") ")" TILE("store $t Y 0 8 4 8")),
     ":carry lacks 't'"},
    {CODE(T TILE("load $t I 0 8 4 8")), "'I' is i32, f32 was expected"},
    {CODE(T TILE("load $t Y 0 8 4 8")), "'Y' is only written"},
    {CODE(T TILE("zero $t") TILE("store $t X 0 8 4 8")), "'X' is only read"},
    {CODE("(reg t opaque:pairs4x8x6 5)"), "place t: 5 values at once, the unit has room for 4"},
    {CODE("(reg u opaque:pairs4x8x6 2) (for i n (reg t opaque:pairs4x8x6 3))"),
     "place t: 5 values at once, the unit has room for 4"},
    {CODE(T TILE("zero $t") TILE("multiply $t X 0 6 X 0 16 4 8 6")),
     "'X' lies at multiples of 4 bytes, 16 were expected"},
    {CODE(T TILE("zero $t") TILE("multiply $t X 0 6 W n 16 4 8 6")),
     "the start of 'W' is not known to be a multiple of 16 bytes"},
    {CODE(T TILE("zero $t") TILE("multiply $t X 0 6 W 4 18 4 8 6")),
     "the stride of 'W' is not known to be a multiple of 16 bytes"},
};

static gn_code *read_code(trial *t)
{
    unit_target();
    gn_code *const c = gn_code_read(&t->arena, "test", gn_sx_read(&t->arena, "test", t->text, strlen(t->text))->at[0]);
    gn_code_verify(c);
    return c;
}

static void read_again(void *arg)
{
    trial *const t = arg;
    reread(&t->arena, read_code(t));
}

static void code_that_touches_it_otherwise_is_told(void **state)
{
    (void)state;
    expect_all(codes, sizeof codes / sizeof *codes, read_again);
}

/* ---- what the interpreter and the ranges say ---- */

static float X[96], Y[32];

static void interpret(void *arg)
{
    trial *const t = arg;
    const gn_code *const c = read_code(t);
    const int64_t n = 3;
    for (int i = 0; i < 96; i++) X[i] = (float)(i % 7 - 3);
    for (int i = 0; i < 32; i++) Y[i] = 100;
    gn_code_interpret(c, (void *[]){X, NULL, Y}, &n, 1, &t->arena);
}

#define FILL "(for f 48 (let %1 f32 (load X (add f 48))) (store W f %1))"

static const refusal runs[] = {
    {CODE(T FILL TILE("zero $t") TILE("multiply $t X 0 6 W 0 16 4 8 6") TILE("store $t Y 0 8 4 8")), NULL},
    {CODE(T TILE("zero $t") TILE("multiply $t X 0 6 W 0 16 4 8 6") TILE("store $t Y 0 8 4 8")),
     "element 0 of Y would come from element "},
    {CODE(T TILE("zero $t") TILE("multiply $t X 0 6 W 0 16 4 0 6") TILE("store $t Y 0 8 4 8")), NULL}, /* reads no B */
    {CODE(T TILE("zero $t") TILE("multiply $t X 0 6 W 0 16 4 8 6") TILE("store $t Y 0 8 4 0")),
     NULL}, /* stores nothing */
    {CODE(T TILE("load $t X 65 8 4 8") TILE("store $t Y 0 8 4 8")), "a load of element 96 of X, which has 96"},
    {CODE(T TILE("load $t X 65 8 4 7") TILE("store $t Y 0 8 4 8")), NULL},
    {CODE(T TILE("zero $t") TILE("store $t Y 1 8 4 8")), "a store to element 32 of Y, which has 32"},
};

static void the_interpreter_tells_what_has_no_content_or_place(void **state)
{
    (void)state;
    expect_all(runs, sizeof runs / sizeof *runs, interpret);
}

static void what_is_not_there_counts_as_nothing(void **state)
{
    (void)state;
    trial t = {.text = CODE(T FILL TILE("load $t X 5 8 3 7") TILE("multiply $t X 1 6 W 0 16 2 5 5")
                                TILE("store $t Y 0 8 4 6"))};
    assert_int_equal(status_of(interpret, &t), GN_OK);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 8; j++) {
            float sum = i < 3 && j < 7 ? X[5 + 8 * i + j] : 0;
            for (int k = 0; k < 5 && i < 2 && j < 5; k++) sum += X[1 + 6 * i + k] * X[48 + k / 2 * 16 + 2 * j + k % 2];
            assert_float_equal(Y[8 * i + j], j < 6 ? sum : 100, 0);
        }
}

static void ask_ranges(void *arg)
{
    trial *const t = arg;
    const gn_code_ranges r = gn_code_verify_ranges(read_code(t), &t->arena);
    if (r.first) gn_throw(GN_EINVAL, "%s", r.first);
}

static const refusal ranges[] = {
    {CODE(T TILE("zero $t") TILE("multiply $t X 72 6 W 48 16 4 8 6") TILE("store $t Y 0 8 4 8")), NULL},
    {CODE(T TILE("zero $t") TILE("multiply $t X 73 6 W 48 16 4 8 6")), "element 6*@i+2*@q+@r+73 of X, which has 96"},
    {CODE(T TILE("zero $t") TILE("multiply $t X 73 6 W 48 16 4 8 5")), NULL},
    {CODE(T TILE("zero $t") TILE("multiply $t X 72 6 W 52 16 4 8 6")), "of W, which has 96"},
    {CODE(T TILE("zero $t") "(if :when (lt n 9)" TILE("store $t Y 0 (mul 8 n) 1 8") ")"), NULL},
    {CODE(T TILE("zero $t") TILE("store $t Y n 8 (cdiv (sub 24 n) 8) 8")), NULL},
};

static void ranges_know_how_much_is_there(void **state)
{
    (void)state;
    expect_all(ranges, sizeof ranges / sizeof *ranges, ask_ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_have_each_leaf_once),
        cmocka_unit_test(what_a_unit_needs_is_asked_for),
        cmocka_unit_test(random_schedules_are_right_or_refused),
        cmocka_unit_test(compiled_schedules_are_right),
        cmocka_unit_test(sums_that_do_not_fit_the_unit_are_told),
        cmocka_unit_test(code_that_touches_it_otherwise_is_told),
        cmocka_unit_test(the_interpreter_tells_what_has_no_content_or_place),
        cmocka_unit_test(what_is_not_there_counts_as_nothing),
        cmocka_unit_test(ranges_know_how_much_is_there),
    };
    return cmocka_run_group_tests_name("codegen/unit", tests, NULL, NULL);
}
