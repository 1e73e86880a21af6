/* Arrays as callers have them: strided, turned, unaligned, empty, in one block of memory. What shares memory is known
 * byte by byte. */
#include "api.h"
#include <sys/mman.h>

enum { BYTES = 2048 };

static unsigned char memory[BYTES], before[BYTES];

/* Offset in `memory` of element i, counted row-major. */
static int64_t place(const gn_array *a, int64_t i)
{
    int64_t at = (char *)a->data - (char *)memory;
    for (int d = a->rank - 1; d >= 0; d--)
        at += i % a->shape[d] * a->stride[d] * (int64_t)gn_dtype_size(a->dtype), i /= a->shape[d];
    return at;
}

/* Marks the bytes of a view; true if one of them has a bit of `bad` in it. */
static bool mark(unsigned char *set, const gn_array *a, unsigned char bit, unsigned char bad)
{
    const int64_t size = (int64_t)gn_dtype_size(a->dtype), n = gn_array_count(a);
    bool met = false;
    for (int64_t i = 0; i < n; i++)
        for (int64_t b = place(a, i), end = b + size; b < end; b++) met |= (set[b] & bad) != 0, set[b] |= bit;
    return met;
}

static uint32_t element(const unsigned char *from, const gn_array *a, int64_t i)
{
    uint32_t v;
    memcpy(&v, from + place(a, i), sizeof v);
    return v;
}

static gn_array random_view(uint64_t *rng, int rank, const int64_t *shape, int around)
{
    gn_array a = gn_array_of(memory + BYTES / 8 * around, GN_U32, rank, shape);
    if (test_random(rng) % 3 == 0) return a;
    if (test_random(rng) % 4 == 0) a.data = (char *)a.data + test_random(rng) % 7;
    for (int d = 0; d < rank; d++) a.stride[d] = (int64_t)(test_random(rng) % 17) - 8;
    /* mostly nested */
    if (rank > 1 && test_random(rng) % 2) a.stride[test_random(rng) % 2] = test_random(rng) % 2 ? 16 : -16;
    for (int d = 0; d < rank; d++)
        if (shape[d] < 2) a.stride[d] = test_random(rng) % 2 ? INT64_MIN : INT64_MAX; /* never taken */
    return a;
}

typedef struct two {
    gn_func *f;
    gn_array slot[4]; /* x (r, c), s () -> x ^ s, the largest of each row */
    bool bad;
} two;

static void make_views(two *t, uint64_t *rng)
{
    static unsigned char set[BYTES];
    const int64_t shape[2] = { (int64_t)(test_random(rng) % 5), 1 + (int64_t)(test_random(rng) % 4) };
    t->slot[0] = random_view(rng, 2, shape, 2), t->slot[1] = random_view(rng, 0, NULL, 4 - (int)(test_random(rng) % 3));
    t->slot[2] = random_view(rng, 2, shape, 3 + (int)(test_random(rng) % 3)),
    t->slot[3] = random_view(rng, 1, shape, 5 + (int)(test_random(rng) % 2));
    for (int i = 0; i < 4; i++)
        if (!gn_array_count(&t->slot[i]) && test_random(rng) % 2) t->slot[i].data = NULL;
    memset(set, 0, sizeof set);
    mark(set, &t->slot[0], 1, 0), mark(set, &t->slot[1], 1, 0);
    t->bad = mark(set, &t->slot[2], 2, 3);
    t->bad |= mark(set, &t->slot[3], 2, 3);
}

/* What must be right after a call that went well: the outputs, and every byte beside them. */
static void check_result(const two *t)
{
    static unsigned char set[BYTES];
    const gn_array *x = &t->slot[0];
    const uint32_t s = element(before, &t->slot[1], 0);
    memset(set, 0, sizeof set);
    for (int o = 2; o < 4; o++) mark(set, &t->slot[o], 1, 0);
    for (int i = 0; i < BYTES; i++)
        if (!set[i]) assert_int_equal(memory[i], before[i]);
    for (int64_t r = 0; r < x->shape[0]; r++) {
        uint32_t largest = 0;
        for (int64_t c = 0; c < x->shape[1]; c++) {
            const uint32_t v = element(before, x, r * x->shape[1] + c);
            largest = v > largest ? v : largest;
            assert_int_equal(element(memory, &t->slot[2], r * x->shape[1] + c), v ^ s);
        }
        assert_int_equal(element(memory, &t->slot[3], r), largest);
    }
}

static void new_bytes(uint64_t *rng)
{
    for (int i = 0; i < BYTES; i++) before[i] = (unsigned char)test_random(rng);
    memcpy(memory, before, BYTES);
}

static gn_func *make_function(gn_context *c)
{
    gn_graph *g = gn_graph_new(c);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_U32, "r, c"), *s = gn_input(g, "s", GN_U32, "()");
    must(gn_compile(&f, g, .in = GN_EXPRS(x, s), .out = GN_EXPRS(gn_bit_xor(x, s), gn_max(x, GN_AXES(1))),
                    .name = "views"));
    gn_graph_free(g);
    return f;
}

static void views_of_one_block_are_read_and_written_where_they_are(void **state)
{
    two t = { .f = make_function(*state) };
    uint64_t rng = test_seed();
    int good = 0, refused = 0;
    for (int i = 0; i < 4000; i++) {
        make_views(&t, &rng);
        new_bytes(&rng);
        const gn_arrays in = { 2, t.slot }, out = { 2, t.slot + 2 };
        gn_binding *b = NULL;
        if (t.bad) {
            refuse(gn_call(t.f, in, out), GN_EINVAL, "in memory");
            refuse(gn_bind(&b, t.f, in, out), GN_EINVAL, "in memory");
            assert_memory_equal(memory, before, BYTES);
            refused++;
            continue;
        }
        must(gn_call(t.f, in, out));
        check_result(&t);
        memcpy(memory, before, BYTES);
        must(gn_bind(&b, t.f, in, out));
        must(gn_run(b));
        check_result(&t);
        gn_binding_free(b);
        good++;
    }
    assert_true(good > 500 && refused > 500);
    gn_func_free(t.f);
}

/* One binding, one slot after the other elsewhere: what it says and computes is what a new binding of the same arrays
 * would. */
static void a_moved_slot_is_checked_like_the_first(void **state)
{
    two t = { .f = make_function(*state) }, next;
    uint64_t rng = test_seed();
    int moved = 0, refused = 0;
    for (int i = 0; i < 1000; i++) {
        gn_binding *b = NULL;
        do make_views(&t, &rng);
        while (t.bad);
        must(gn_bind(&b, t.f, (gn_arrays){ 2, t.slot }, (gn_arrays){ 2, t.slot + 2 }));
        for (int k = 0; k < 8; k++) {
            const size_t slot = test_random(&rng) % 4;
            static unsigned char set[BYTES];
            next = t;
            next.slot[slot].data = memory + 700 + test_random(&rng) % 600;
            memset(set, 0, sizeof set);
            mark(set, &next.slot[0], 1, 0), mark(set, &next.slot[1], 1, 0);
            next.bad = mark(set, &next.slot[2], 2, 3);
            next.bad |= mark(set, &next.slot[3], 2, 3);
            new_bytes(&rng);
            if (next.bad) {
                refuse(gn_bind_set(b, slot, next.slot[slot].data), GN_EINVAL, "in memory");
                refused++;
            } else {
                must(gn_bind_set(b, slot, next.slot[slot].data));
                t = next, moved++;
            }
            must(gn_run(b));
            check_result(&t);
        }
        gn_binding_free(b);
    }
    assert_true(moved > 1000 && refused > 300);
    gn_func_free(t.f);
}

/* The usual call looks at pointers alone: one that is not aligned goes the other way, in any order. */
static void unaligned_pointers_are_taken(void **state)
{
    gn_func *f = make_function(*state);
    static unsigned char bytes[2][600];
    for (int turn = 0; turn < 16; turn++) {
        unsigned char *const from = bytes[0] + turn % 5, *const to = bytes[1] + turn % 3;
        const int64_t shape[2] = { 5, 7 };
        uint32_t s = 0xa5a5, most[5], v, w;
        for (size_t i = 0; i < sizeof bytes[0]; i++) bytes[0][i] = (unsigned char)(i * 37 + (size_t)turn);
        must(gn_call(f, GN_ARRAYS(gn_array_of(from, GN_U32, 2, shape), GN_SCALAR(&s)),
                     GN_ARRAYS(gn_array_of(to, GN_U32, 2, shape), GN_VIEW(most, 5))));
        for (int i = 0; i < 35; i++) {
            memcpy(&v, from + 4 * i, 4), memcpy(&w, to + 4 * i, 4);
            assert_true(w == (v ^ s));
        }
    }
    gn_func_free(f);
}

/* Inputs are only read, and an output without elements is not touched: both may lie where writing is a fault. */
static void memory_that_cannot_be_written_is_only_read(void **state)
{
    gn_func *f = make_function(*state);
    const int64_t shape[2] = { 3, 4 }, empty[2] = { 0, 4 };
    uint32_t out[12], most[3];
    uint32_t *const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    for (uint32_t i = 0; i < 12; i++) page[i] = i;
    assert_int_equal(mprotect(page, 4096, PROT_READ), 0);
    must(gn_call(f, GN_ARRAYS(gn_array_of(page, GN_U32, 2, shape), GN_SCALAR(page)),
                 GN_ARRAYS(gn_array_of(out, GN_U32, 2, shape), GN_VIEW(most, 3))));
    assert_true(out[11] == 11 && most[2] == 11);
    must(gn_call(f, GN_ARRAYS(gn_array_of(NULL, GN_U32, 2, empty), GN_SCALAR(page)),
                 GN_ARRAYS(gn_array_of(page, GN_U32, 2, empty), GN_VIEW(page, 0))));
    munmap(page, 4096);
    gn_func_free(f);
}

static void views_that_cannot_be_are_told(void **state)
{
    gn_func *f = make_function(*state);
    uint32_t x[6] = { 0 }, s = 0, y[6] = { 7, 7, 7, 7, 7, 7 }, most[2];
    const int64_t shape[2] = { 2, 3 };
    const gn_array X = gn_array_of(x, GN_U32, 2, shape), Y = gn_array_of(y, GN_U32, 2, shape), S = GN_SCALAR(&s),
                   M = GN_VIEW(most, 2);
    gn_array wrong = Y, made = { 0 };
    wrong.stride[0] = 0;
    refuse(gn_call(f, GN_ARRAYS(X, S), GN_ARRAYS(wrong, M)), GN_EINVAL,
           "gn_call: views: output 'out0' overlaps itself in memory");
    wrong.stride[0] = 2;
    refuse(gn_call(f, GN_ARRAYS(X, S), GN_ARRAYS(wrong, M)), GN_EINVAL, "overlaps itself");
    wrong.stride[0] = INT64_C(1) << 62; /* times the size of an element: 0 in 64 bits */
    refuse(gn_call(f, GN_ARRAYS(X, S), GN_ARRAYS(wrong, M)), GN_EINVAL,
           "the strides of output 'out0' lead out of the address space");
    wrong = X, wrong.stride[0] = INT64_MIN;
    refuse(gn_call(f, GN_ARRAYS(wrong, S), GN_ARRAYS(Y, M)), GN_EINVAL,
           "the strides of input 'x' lead out of the address space");
    refuse(gn_call(f, GN_ARRAYS(X, S), GN_ARRAYS(GN_NEW(&made), GN_NEW(&made))), GN_EINVAL,
           "outputs 'out0' and 'out1' are GN_NEW of one array");
    for (int i = 0; i < 6; i++) assert_int_equal(y[i], 7);
    must(gn_call(f, GN_ARRAYS(X, S), GN_ARRAYS(Y, M)));
    gn_func_free(f);
}

static void strides_of_a_knapsack_are_refused_with_a_sentence(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_array in = { 0 }, out;
    static const int64_t step[] = { 1000003, 1101047, 1302041, 1503053, 1704019, 1805017, 1906043, 2007067 };
    gn_expr *x = gn_input(g, "x", GN_F32, "a, b, c, d, e, f, g, h");
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_neg(x)), .name = "eight"));
    in.dtype = GN_F32, in.rank = 8, in.data = memory;
    for (int d = 0; d < 8; d++) in.shape[d] = 3 + d, in.stride[d] = step[d];
    out = in;
    refuse(gn_call(f, GN_ARRAYS(in), GN_ARRAYS(out)), GN_EINVAL, "their strides are too involved to tell");
    gn_func_free(f);
    gn_graph_free(g);
}

/* Values of variables: what gn_get fills must be a view whose places are its own. */
static void variables_are_read_into_views(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    float v[4] = { 1, 2, 3, 4 }, out[16] = { 0 };
    const int64_t shape[2] = { 2, 2 };
    gn_array a = gn_array_of(v, GN_F32, 2, shape), to = gn_array_of(out + 8, GN_F32, 2, shape);
    gn_expr *w = gn_shared(g, "w", a);
    to.stride[0] = -4, to.stride[1] = 2;
    must(gn_get(w, to));
    assert_true(out[8] == 1 && out[10] == 2 && out[4] == 3 && out[6] == 4);
    to.stride[0] = 2;
    refuse(gn_get(w, to), GN_EINVAL, "gn_get: variable \"w\": the array overlaps itself in memory");
    to.stride[0] = INT64_MAX;
    refuse(gn_get(w, to), GN_EINVAL, "gn_get: variable \"w\": the array's strides lead out of the address space");
    refuse(gn_set(w, to), GN_EINVAL, "gn_set: variable \"w\": the array's strides lead out of the address space");
    gn_shared(g, "u", to);
    assert_int_equal(gn_graph_check(g), GN_EINVAL);
    assert_message_contains("shared: \"u\": its strides lead out of the address space");
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_of_one_block_are_read_and_written_where_they_are),
        cmocka_unit_test(a_moved_slot_is_checked_like_the_first),
        cmocka_unit_test(unaligned_pointers_are_taken),
        cmocka_unit_test(memory_that_cannot_be_written_is_only_read),
        cmocka_unit_test(views_that_cannot_be_are_told),
        cmocka_unit_test(strides_of_a_knapsack_are_refused_with_a_sentence),
        cmocka_unit_test(variables_are_read_into_views),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
