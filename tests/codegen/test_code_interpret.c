/* Code by hand against plain loops; and code that is wrong, each with what the interpreter says of it. */
#include "testlib.h"
#include <stdio.h>
#include <string.h>
#include "code_maker.h"
#include "code_interpret.h"

enum { MOST = 4096, ORDERS = 8 };
static float X[MOST], Y[MOST], want[MOST];
static int32_t T[MOST];

static void fill(void)
{
    static uint64_t first;
    if (!first) first = test_seed();
    uint64_t seed = first;
    for (int i = 0; i < MOST; i++) {
        X[i] = (float)(int)(test_random(&seed) % 17) - 8; /* sums and products of these are exact */
        T[i] = (int32_t)(test_random(&seed) % 16);
        Y[i] = want[i] = 100;
    }
}

typedef struct running {
    int64_t n;
    uint64_t order;
    gn_arena scratch;
} running;

/* Arguments are named X, Y and T. */
static void run(void *arg)
{
    running *w = arg;
    void *buffers[8];
    size_t nbuffers = 0;
    for (size_t i = 0; i < make.code->nargs; i++) {
        const gn_place *p = make.code->places.at[i];
        if (p->space != GN_SPACE_BUFFER) continue;
        buffers[nbuffers++] = *p->name == 'X' ? (void *)X : *p->name == 'Y' ? (void *)Y : (void *)T;
    }
    gn_code_interpret(make.code, buffers, &w->n, w->order, &w->scratch);
}

static gn_status status_of(int64_t n, uint64_t order)
{
    running w = { .n = n, .order = order };
    const gn_status s = gn_protect(run, &w);
    gn_arena_free(&w.scratch);
    return s;
}

static void judge(int64_t n)
{
    for (uint64_t order = 0; order < ORDERS; order++) {
        for (int i = 0; i < MOST; i++) Y[i] = 100;
        if (status_of(n, order)) fail_msg("n %d, order %d: %s", (int)n, (int)order, gn_message());
        for (int i = 0; i < MOST; i++)
            if (Y[i] != want[i])
                fail_msg("%s, n %d, order %d: Y[%d] is %g, not %g", make.code->name, (int)n, (int)order, i, (double)Y[i],
                         (double)want[i]);
    }
}

static const gn_place *x, *y, *t;

static void begin(const char *name, const gn_target *target)
{
    fill();
    make_code(name, target);
    make_sym("n");
    x = make_memory(GN_SPACE_BUFFER, "X", GN_F32, "n");
    y = make_memory(GN_SPACE_BUFFER, "Y", GN_F32, "n");
}

static void begin_block(const char *name, const char *threads)
{
    begin(name, &gn_target_cuda);
    make_threads("t", threads);
    make_step();
    make_part("p", "1");
}

static void end(void)
{
    gn_arena_free(&make.arena);
}

/* ---- what is right ---- */

static void rows_with_tails(void **state)
{
    (void)state;
    static const int64_t sizes[] = { 0, 1, 15, 16, 1000, 1024, 1025, 3000, -1 };
    begin("axpy", &gn_target_avx512);
    make_step();
    make_part("p", "(n + 1023) / 1024");
    begin_for("i", "min(64, (n + 15) / 16 - 64*p)");
    const gn_val *m = mask_below(16, "n - 1024*p - 16*i");
    const gn_val *v = load(16, row(x, "1024*p + 16*i", m));
    store(row(y, "1024*p + 16*i", m), operation(&gn_op_mul, GN_F32, v, splat(16, number(GN_F32, 2))));
    for (int r = 0; sizes[r] >= 0; r++) {
        for (int i = 0; i < MOST; i++) want[i] = i < sizes[r] ? 2 * X[i] : 100;
        judge(sizes[r]);
    }
    end();
}

static void sums_in_carried_registers(void **state)
{
    (void)state;
    static const int64_t sizes[] = { 1, 16, 37, 300, -1 };
    begin("dot", &gn_target_avx512);
    make_step();
    const gn_place *acc = make_registers("acc", GN_F32, 16, 2);
    set(acc, 1, splat(16, number(GN_F32, 0)));
    gn_code_body *const outer = make.at;
    gn_code_node *loop = begin_for("i", "(n + 15) / 16");
    gn_push(&make.arena, &loop->carry, acc);
    const gn_val *v = load(16, row(x, "16*i", mask_below(16, "n - 16*i")));
    const gn_val *square = operation(&gn_op_mul, GN_F32, v, v);
    set(acc, 1, operation(&gn_op_add, GN_F32, held(acc, 1), square));
    make.at = outer;
    store(one(y, "0"), reduced(GN_VAL_LANES, GN_RED_SUM, DERIVED(GN_VAL_COPY, GN_F32, 16, held(acc, 1))));
    for (int r = 0; sizes[r] >= 0; r++) {
        want[0] = 0;
        for (int i = 0; i < sizes[r]; i++) want[0] += X[i] * X[i];
        judge(sizes[r]);
    }
    end();
}

/* Each block turns its 64 elements around, through shared memory. */
static void make_turned(bool first_barrier, bool second_barrier)
{
    begin("turned", &gn_target_cuda);
    make_threads("t", "64");
    make_step();
    make_part("p", "n / 128");
    begin_for("k", "2");
    const gn_place *s = make_local(GN_SPACE_SHARED, "s", GN_F32, "64");
    if (first_barrier) make_node(GN_CODE_BARRIER);
    gn_code_body *const outer = make.at;
    begin_for("c", "64")->dealt = true;
    store(one(s, "c"), load(1, one(x, "128*p + 64*k + c")));
    make.at = outer;
    if (second_barrier) make_node(GN_CODE_BARRIER);
    store(one(y, "128*p + 64*k + t"), load(1, one(s, "63 - t")));
}

static void a_shared_copy_between_barriers(void **state)
{
    (void)state;
    make_turned(true, true);
    for (int i = 0; i < 1024; i++) want[i] = X[i / 64 * 64 + 63 - i % 64];
    judge(1024);
    end();
}

static float merged(gn_red red, const float *v, int n)
{
    float all = v[0];
    for (int i = 1; i < n; i++) all = red == GN_RED_SUM ? all + v[i] : v[i] > all ? v[i] : all;
    return all;
}

static void threads_merge(void **state)
{
    (void)state;
    static const char *const blocks[] = { "1", "32", "40", "96", "1024" };
    for (size_t b = 0; b < 2 * sizeof blocks / sizeof *blocks; b++) {
        const gn_red red = b % 2 ? GN_RED_MAX : GN_RED_SUM;
        begin("merged", &gn_target_cuda);
        make_threads("t", blocks[b / 2]);
        make_step();
        store(one(y, "t"), reduced(GN_VAL_THREADS, red, load(1, one(x, "t"))));
        const int n = (int)gn_code_threads(make.code);
        for (int i = 0; i < n; i++) want[i] = merged(red, X, n);
        judge(n);
        end();
    }
}

static gn_tile_args *new_product(const gn_place *acc)
{
    gn_tile_args *tile = GN_NEW_OBJECT(&make.arena, gn_tile_args);
    *tile = (gn_tile_args){ .acc = acc, .c = { 0, 1, 2, 3 }, .leaf = { NULL, "mg", "mt" } };
    tile->row = gn_tile_find(&gn_target_cuda, "mma_m16n8k8_tf32");
    return tile;
}

/* C = A B for A of 32 by 16 and B of 16 by 8: two warps, two turns of a product of 16 by 8 by 8. A lies in X from 0, B
 * from 512. */
static gn_code_node *make_product(void)
{
    static const char *const rows[] = { "mg", "mg + 8", "mg", "mg + 8" };
    static const char *const columns[] = { "mt", "mt", "mt + 4", "mt + 4" };
    begin("product", &gn_target_cuda);
    make_threads("iw", "2");
    make_threads("mg", "8");
    make_threads("mt", "4");
    make_step();
    gn_code_body *const step = make.at;
    const gn_place *acc = make_registers("acc", GN_F32, 1, 4);
    for (uint32_t i = 0; i < 4; i++) set(acc, i, number(GN_F32, 0));
    gn_code_node *loop = begin_for("k", "2");
    gn_push(&make.arena, &loop->carry, acc);
    gn_tile_args *tile = new_product(acc);
    char at[80];
    for (int i = 0; i < 4; i++) {
        snprintf(at, sizeof at, "16*(16*iw + %s) + 8*k + %s", rows[i], columns[i]);
        tile->a[i] = load(1, one(x, at));
    }
    for (int i = 0; i < 2; i++) {
        snprintf(at, sizeof at, "512 + 8*(8*k + mt + %d) + mg", 4 * i);
        tile->b[i] = load(1, one(x, at));
    }
    gn_code_node *product = make_node(GN_CODE_TILE);
    product->tile = tile;
    make.at = step;
    for (uint32_t i = 0; i < 4; i++) {
        snprintf(at, sizeof at, "8*(16*iw + mg + %d) + 2*mt + %d", i / 2 * 8, i % 2);
        store(one(y, at), held(acc, i));
    }
    return product;
}

static void a_product_of_tiles(void **state)
{
    (void)state;
    make_product();
    for (int i = 0; i < 32; i++)
        for (int j = 0; j < 8; j++) {
            want[8 * i + j] = 0;
            for (int k = 0; k < 16; k++) want[8 * i + j] += X[16 * i + k] * X[512 + 8 * k + j];
        }
    judge(640);
    end();
}

static void a_copy_of_a_tile(void **state)
{
    (void)state;
    begin("turn16", &gn_target_avx512);
    make_step();
    gn_tile_args *tile = GN_NEW_OBJECT(&make.arena, gn_tile_args);
    *tile = (gn_tile_args){ .dst = one(y, "0"), .src = one(x, "3"), .ncols = dim("min(16, n)"), .nrows = dim("9") };
    tile->row = gn_tile_find(&gn_target_avx512, "tr16");
    tile->dst_stride = dim("16"), tile->src_stride = dim("20");
    make_node(GN_CODE_TILE)->tile = tile;
    for (int i = 0; i < 256; i++) want[i] = i % 16 < 9 ? X[3 + i % 16 * 20 + i / 16] : 0;
    judge(400);
    end();
}

/* Lanes past the end gather from nowhere and divide what has no content; nobody sees it. */
static void what_has_no_content_where_nobody_looks(void **state)
{
    (void)state;
    begin("tail", &gn_target_avx512);
    t = make_memory(GN_SPACE_BUFFER, "T", GN_I32, "n");
    make_step();
    const gn_place *s = make_local(GN_SPACE_STACK, "s", GN_F32, "16");
    const gn_place *k = make_local(GN_SPACE_STACK, "k", GN_I64, "16");
    const gn_val *m = mask_below(16, "n");
    gn_val *i = (gn_val *)DERIVED(GN_VAL_OP, GN_I64, 16, load(16, row(t, "0", m)));
    i->u.op = &gn_op_cast;
    store(row(k, "0", m), i);
    store(row(s, "0", m), load(16, row(x, "0", m)));
    const gn_val *v = load(16, row(s, "0", NULL));
    const gn_val *less = operation(&gn_op_lt, GN_BOOL, v, splat(16, number(GN_F32, 0)));
    const gn_val *gathered = load(16, each(s, load(16, row(k, "0", NULL)), m));
    store(row(y, "0", m), chosen(less, gathered, operation(&gn_op_add, GN_F32, v, v)));
    for (int e = 0; e < 11; e++) T[e] = (int32_t)((e * 7) % 11);
    for (int e = 0; e < 11; e++) want[e] = X[e] < 0 ? X[T[e]] : 2 * X[e];
    judge(11);
    end();
}

/* All threads write the same to one element of an arena, and each reads it again; sides not taken have no content. */
static void threads_may_write_the_same(void **state)
{
    (void)state;
    begin("same", &gn_target_cuda);
    const gn_place *a = make_memory(GN_SPACE_ARENA, "a", GN_F32, "2");
    make_threads("t", "8");
    make_step();
    const gn_place *r = make_registers("r", GN_F32, 1, 1);
    store(one(a, "0"), load(1, one(x, "3")));
    const gn_val *mine = load(1, one(a, "0"));
    const gn_val *yes = operation(&gn_op_lt, GN_BOOL, number(GN_F32, 0), number(GN_F32, 1));
    const gn_val *kept = DERIVED(GN_VAL_PICK, GN_F32, 1, yes, mine, held(r, 0));
    store(one(y, "t"), chosen(yes, kept, load(1, one(a, "1"))));
    for (int i = 0; i < 8; i++) want[i] = X[3];
    judge(8);
    end();
}

/* Another step sees what the parts of one before it wrote to an arena, and an index may load. */
static void steps_follow_one_another(void **state)
{
    (void)state;
    begin("steps", &gn_target_generic);
    const gn_place *a = make_memory(GN_SPACE_ARENA, "a", GN_I32, "n");
    make_step();
    make_part("p", "n");
    store(one(a, "n - 1 - p"), index_at(GN_I32, "p"));
    make_step();
    make_part("q", "n / 4");
    make_part("r", "4");
    const gn_dim *at = gn_dim_load(&make.dims, "a", dim("4*q + r"));
    store(one(y, "4*q + r"), load(1, (gn_access){ .place = x, .mode = GN_ACCESS_ONE, .base = at }));
    for (int i = 0; i < 40; i++) want[i] = X[39 - i];
    judge(40);
    end();
}

/* Parts, turns, elements. */
static void counts_below_zero_are_none(void **state)
{
    (void)state;
    begin("none", &gn_target_generic);
    make_memory(GN_SPACE_SCRATCH, "s", GN_F32, "n - 50");
    make_step();
    make_part("p", "n - 50");
    make_part("q", "n - 51");
    store(one(y, "0"), number(GN_F32, 1));
    make_step();
    begin_for("i", "n - 50")->from = dim("0 - 3");
    store(one(y, "1"), number(GN_F32, 1));
    judge(40);
    end();
}

/* ---- what is wrong ---- */

static void an_unwritten_register(void)
{
    begin("unwritten", &gn_target_generic);
    make_step();
    const gn_place *acc = make_registers("acc", GN_F32, 4, 3);
    set(acc, 1, splat(4, number(GN_F32, 1)));
    const gn_val *sum = operation(&gn_op_add, GN_F32, held(acc, 1), held(acc, 2));
    store(row(y, "0", NULL), sum);
}

static void a_register_that_is_not_carried(void)
{
    begin("forgotten", &gn_target_generic);
    make_step();
    const gn_place *acc = make_registers("acc", GN_F32, 1, 1);
    set(acc, 0, number(GN_F32, 0));
    gn_code_body *const outer = make.at;
    begin_for("i", "n");
    set(acc, 0, operation(&gn_op_add, GN_F32, held(acc, 0), load(1, one(x, "i"))));
    make.at = outer;
    store(one(y, "0"), held(acc, 0));
}

static void scratch_of_another_part(void)
{
    begin("worker", &gn_target_generic);
    const gn_place *s = make_memory(GN_SPACE_SCRATCH, "s", GN_F32, "n");
    make_step();
    make_part("p", "n");
    store(one(s, "p"), number(GN_F32, 1));
    store(one(y, "p"), load(1, one(s, "39 - p")));
}

static void lanes_without_content(void)
{
    begin("lanes", &gn_target_avx512);
    make_step();
    const gn_place *s = make_local(GN_SPACE_STACK, "s", GN_F32, "16");
    store(row(s, "0", mask_below(16, "11")), load(16, row(x, "0", NULL)));
    store(one(y, "0"), reduced(GN_VAL_LANES, GN_RED_SUM, load(16, row(s, "0", NULL))));
}

static void a_thread_without_content(void)
{
    begin_block("merge", "64");
    const gn_place *r = make_registers("r", GN_F32, 1, 1);
    gn_code_body *const outer = make.at;
    begin_if(when_less("t", "63", false));
    set(r, 0, number(GN_F32, 1));
    make.at = outer;
    const gn_val *all = reduced(GN_VAL_THREADS, GN_RED_SUM, held(r, 0));
    begin_if(when_less("t", "1", false));
    store(one(y, "0"), all);
}

static void a_mask_without_content(void)
{
    begin("masked", &gn_target_avx512);
    make_step();
    const gn_place *m = make_registers("m", GN_BOOL, 16, 1);
    store(row(y, "0", held(m, 0)), splat(16, number(GN_F32, 1)));
}

static void an_index_without_content(void)
{
    begin("gather", &gn_target_avx512);
    make_step();
    const gn_place *s = make_local(GN_SPACE_STACK, "s", GN_I64, "16");
    store(row(y, "0", mask_below(16, "8")), load(16, each(x, load(16, row(s, "0", NULL)), mask_below(16, "8"))));
}

static void a_condition_without_content(void)
{
    begin("condition", &gn_target_generic);
    make_memory(GN_SPACE_ARENA, "a", GN_I32, "n");
    make_step();
    gn_preds w = when_less("0", "1", false);
    ((gn_kcond *)w.at->cond)->b = gn_dim_load(&make.dims, "a", dim("5"));
    begin_if(w);
    store(one(y, "0"), number(GN_F32, 1));
}

static void a_choice_without_content(void)
{
    begin("choice", &gn_target_generic);
    make_step();
    const gn_place *c = make_registers("c", GN_BOOL, 1, 1);
    store(one(y, "0"), DERIVED(GN_VAL_PICK, GN_F32, 1, held(c, 0), number(GN_F32, 1), number(GN_F32, 2)));
}

static void two_parts_write_one_element(void)
{
    begin("parts", &gn_target_generic);
    make_step();
    make_part("p", "n");
    store(one(y, "p / 2"), number(GN_F32, 1));
}

static void two_parts_add_to_one_element(void)
{
    begin("adding", &gn_target_generic);
    make_step();
    make_part("p", "2");
    store(one(y, "0"), operation(&gn_op_add, GN_F32, load(1, one(y, "0")), load(1, one(x, "p"))));
}

static void a_part_reads_what_another_writes(void)
{
    begin("neighbours", &gn_target_generic);
    make_step();
    make_part("p", "n - 1");
    store(one(y, "p"), load(1, one(y, "p + 1")));
}

static void an_index_reads_what_another_part_writes(void)
{
    begin("links", &gn_target_generic);
    t = make_memory(GN_SPACE_BUFFER, "T", GN_I32, "n");
    make_step();
    make_part("p", "n - 1");
    const gn_dim *at = gn_dim_load(&make.dims, "T", dim("p"));
    store(one(t, "p + 1"), load(1, (gn_access){ .place = t, .mode = GN_ACCESS_ONE, .base = at }));
}

static void no_barrier_behind_the_copy(void)
{
    make_turned(true, false);
}

static void no_barrier_before_the_copy(void)
{
    make_turned(false, true);
}

static void threads_write_different_bits(void)
{
    begin_block("bits", "64");
    store(one(y, "t / 2"), index_at(GN_F32, "t"));
}

static void a_thread_reads_what_another_wrote(void)
{
    begin_block("shift", "16");
    store(one(y, "t"), number(GN_F32, 1));
    store(one(y, "t + 16"), load(1, one(y, "(t + 1) % 16")));
}

static void a_barrier_for_some(void)
{
    begin_block("some", "64");
    begin_if(when_less("t", "32", false));
    make_node(GN_CODE_BARRIER);
}

static void a_barrier_as_often_as_threads_are(void)
{
    begin_block("often", "64");
    begin_for("i", "1 + t / 63");
    make_node(GN_CODE_BARRIER);
}

static void a_merge_for_some(void)
{
    begin_block("merging", "64");
    begin_if(when_less("t", "32", true));
    reduced(GN_VAL_THREADS, GN_RED_SUM, number(GN_F32, 1));
}

static void a_dealt_loop_for_some(void)
{
    begin_block("dealing", "64");
    begin_if(when_less("t", "1", false));
    begin_for("c", "64")->dealt = true;
}

static void a_barrier_in_a_dealt_loop(void)
{
    begin_block("inner", "64");
    begin_for("c", "64")->dealt = true;
    make_node(GN_CODE_BARRIER);
}

static void a_product_for_some(void)
{
    gn_code_node *product = make_product();
    gn_code_body *loop = &make.at->kids.at[5]->body;
    assert_ptr_equal(loop->kids.at[--loop->kids.n], product);
    make.at = loop;
    begin_if(when_less("mt", "3", false));
    gn_push(&make.arena, &make.at->kids, product);
}

static void a_product_without_a_leaf(void)
{
    make_product()->tile->leaf[1] = NULL;
}

static void a_load_past_the_end(void)
{
    begin("far", &gn_target_avx512);
    make_step();
    load(16, row(x, "n - 15", NULL));
}

static void a_store_before_the_beginning(void)
{
    begin("early", &gn_target_generic);
    make_step();
    store(one(y, "0 - 1"), number(GN_F32, 1));
}

static void an_element_past_the_stack(void)
{
    begin("deep", &gn_target_generic);
    make_step();
    load(1, one(make_local(GN_SPACE_STACK, "s", GN_F32, "8"), "8"));
}

static void a_name_that_is_unknown(void)
{
    begin("unknown", &gn_target_generic);
    make_step();
    gn_code_body *const outer = make.at;
    begin_for("i", "n");
    make.at = outer;
    load(1, one(x, "i"));
}

static void an_index_that_overflows(void)
{
    begin("large", &gn_target_generic);
    make_step();
    load(1, one(x, "n * 1152921504606846976"));
}

static void a_lane_that_overflows(void)
{
    begin("wide", &gn_target_generic);
    make_step();
    gn_val *v = new_let(GN_VAL_IOTA, GN_I64, 4);
    v->u.iota.base = dim("9223372036854775806"), v->u.iota.step = dim("1");
}

static void a_let_that_was_not_made(void)
{
    begin("unmade", &gn_target_generic);
    make_step();
    gn_code_body *const outer = make.at;
    begin_if(when_less("n", "0", false));
    const gn_val *v = load(1, one(x, "0"));
    make.at = outer;
    store(one(y, "0"), v);
}

typedef struct fault {
    void (*plant)(void);
    const char *says, *also; /* both are in the sentence, in any order of parts and threads */
} fault;

static const fault faults[] = {
    { an_unwritten_register, "code unwritten, step 0, store Y %1: element 0 of Y would come from lane 0 of register 2 of acc",
      ", which has no content" },
    { a_register_that_is_not_carried, "element 0 of Y would come from register acc, which has no content", "store Y" },
    { scratch_of_another_part, "of s, which has no content", "code worker, step 0, part " },
    { lanes_without_content, "element 0 of Y would come from element 12 of s", "store Y" },
    { a_thread_without_content, "element 0 of Y would come from register r", "thread 0, store Y %1" },
    { a_mask_without_content, "lane 0 of the mask would come from lane 0 of register m", "store Y" },
    { an_index_without_content, "the index of lane 0 would come from element 0 of s", "let %3" },
    { a_condition_without_content, "an index would come from element 5 of a", ", if:" },
    { a_choice_without_content, "element 0 of Y would come from register c", "" },
    { two_parts_write_one_element, "of Y: this part writes what part ", " of the step wrote" },
    { two_parts_add_to_one_element, "a race for element 0 of Y: this part reads what part ", " of the step wrote" },
    { a_part_reads_what_another_writes, "a race for element ", " of the step " },
    { an_index_reads_what_another_part_writes, "a race for element ", " of T: this part " },
    { no_barrier_behind_the_copy, " of s: this thread ", " since the last barrier" },
    { no_barrier_before_the_copy, " of s: this thread writes what thread ", " read since the last barrier" },
    { threads_write_different_bits, " of Y: this thread writes what thread ", " wrote since the last barrier" },
    { a_thread_reads_what_another_wrote, " of Y: this thread ", " since the last barrier" },
    { a_barrier_for_some, "thread 32, if: not all threads reach the barrier: ", "its condition holds in thread 0, not here" },
    { a_barrier_as_often_as_threads_are, "thread 63, for i: not all threads reach the barrier: ",
      "i runs from 0 to 2 here, from 0 to 1 in thread 0" },
    { a_merge_for_some, "thread 32, if: not all threads reach the merge: ", "its condition holds here, not in thread 0" },
    { a_dealt_loop_for_some, "thread 1, if: not all threads reach the dealt loop", "" },
    { a_barrier_in_a_dealt_loop, "not all threads reach the barrier: it stands in a dealt loop", "barrier" },
    { a_product_for_some, "thread 3, if: not all threads reach the product of tiles", "" },
    { a_product_without_a_leaf, "no thread of the group has element ", "tile mma_m16n8k8_tf32" },
    { a_load_past_the_end, "let %1: a load of element 40 of X, which has 40", "" },
    { a_store_before_the_beginning, "store Y: a store to element -1 of Y, which has 40", "" },
    { an_element_past_the_stack, "a load of element 8 of s, which has 8", "" },
    { a_name_that_is_unknown, "the index i has no value: 'i' is unknown here", "" },
    { an_index_that_overflows, "has no value: it overflows", "let %1" },
    { a_lane_that_overflows, "the index 9223372036854775806 has no value: it overflows", "let %1" },
    { a_let_that_was_not_made, "%1 was not made", "store Y" },
};

/* In whatever order things run. */
static void wrong_code_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        faults[i].plant();
        const bool large = strcmp(make.code->name, "product") == 0 || strcmp(make.code->name, "turned") == 0;
        for (uint64_t order = 0; order < ORDERS; order++) {
            if (status_of(large ? 640 : 40, order) != GN_EINTERNAL) fail_msg("fault %zu, not told: %s", i, faults[i].says);
            assert_message_contains(faults[i].says);
            assert_message_contains(faults[i].also);
        }
        end();
    }
}

/* Which part comes first depends on the seed, and on nothing else. */
static void the_order_is_drawn(void **state)
{
    (void)state;
    scratch_of_another_part();
    char said[ORDERS][256];
    int others = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int order = 0; order < ORDERS; order++) {
            assert_int_equal(status_of(40, (uint64_t)order), GN_EINTERNAL);
            if (pass) assert_string_equal(said[order], gn_message());
            snprintf(said[order], sizeof said[order], "%s", gn_message());
            others += strcmp(said[order], said[0]) != 0;
        }
    assert_true(others > ORDERS);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_with_tails),
        cmocka_unit_test(sums_in_carried_registers),
        cmocka_unit_test(a_shared_copy_between_barriers),
        cmocka_unit_test(threads_merge),
        cmocka_unit_test(a_product_of_tiles),
        cmocka_unit_test(a_copy_of_a_tile),
        cmocka_unit_test(what_has_no_content_where_nobody_looks),
        cmocka_unit_test(threads_may_write_the_same),
        cmocka_unit_test(steps_follow_one_another),
        cmocka_unit_test(counts_below_zero_are_none),
        cmocka_unit_test(wrong_code_is_told),
        cmocka_unit_test(the_order_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
