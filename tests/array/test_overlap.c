/* Which views share memory, against the sets of their bytes. */
#include "testlib.h"
#include <string.h>
#include "view.h"

enum { BYTES = 4096 };

static unsigned char memory[BYTES];

/* Marks the bytes of a view in `set`; true if one was marked before. */
static bool mark(const gn_array *a, unsigned char *set)
{
    const int64_t size = (int64_t)gn_dtype_size(a->dtype), n = gn_array_count(a);
    bool twice = false;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = (char *)a->data - (char *)memory, rest = i;
        for (int d = a->rank - 1; d >= 0; d--) at += rest % a->shape[d] * a->stride[d] * size, rest /= a->shape[d];
        for (int64_t b = at; b < at + size; b++) twice |= set[b], set[b] = 1;
    }
    return twice;
}

static bool share_bytes(const gn_array *a, const gn_array *b)
{
    static unsigned char one[BYTES], two[BYTES];
    memset(one, 0, sizeof one), memset(two, 0, sizeof two);
    mark(a, one), mark(b, two);
    for (int i = 0; i < BYTES; i++)
        if (one[i] & two[i]) return true;
    return false;
}

static bool has_a_place_twice(const gn_array *a)
{
    static unsigned char set[BYTES];
    memset(set, 0, sizeof set);
    return mark(a, set);
}

/* Somewhere in the middle, so that every reach stays inside. */
static gn_array random_view(uint64_t *rng)
{
    static const gn_dtype dtypes[] = { GN_I8, GN_F32, GN_F32, GN_F64, GN_I16 };
    gn_array a = gn_array_scalar(NULL, dtypes[test_random(rng) % 5]);
    a.rank = (int)(test_random(rng) % 5);
    const int64_t widest = test_random(rng) % 2 ? 6 : 18;
    for (int d = 0; d < a.rank; d++) {
        a.shape[d] = (int64_t)(test_random(rng) % (test_random(rng) % 8 ? 5 : 2)) + (test_random(rng) % 16 != 0);
        a.stride[d] = (int64_t)(test_random(rng) % (2 * (uint64_t)widest + 1)) - widest;
    }
    const uint64_t unaligned = test_random(rng) % 4 ? 0 : test_random(rng) % 8;
    a.data = memory + BYTES / 2 + 8 * (test_random(rng) % 16) + unaligned;
    return a;
}

static void views_meet_where_their_bytes_do(void **state)
{
    (void)state;
    uint64_t rng = test_seed();
    int met = 0, within = 0;
    for (int i = 0; i < 20000; i++) {
        const gn_array a = random_view(&rng), b = random_view(&rng);
        const bool meet = share_bytes(&a, &b), itself = has_a_place_twice(&a);
        assert_int_equal(gn_arrays_meet(&a, &b), meet ? GN_MEET : GN_APART);
        assert_int_equal(gn_arrays_meet(&b, &a), meet ? GN_MEET : GN_APART);
        assert_int_equal(gn_array_meets_itself(&a), itself ? GN_MEET : GN_APART);
        uintptr_t a0, a1, b0, b1;
        assert_true(gn_array_range(&a, &a0, &a1) && gn_array_range(&b, &b0, &b1));
        met += meet, within += !meet && a0 < b1 && b0 < a1;
    }
    assert_true(met > 2000 && within > 2000); /* both answers are asked for where ranges alone do not tell */
}

static void halves_of_a_matrix_are_apart(void **state)
{
    (void)state;
    const int64_t half[] = { 1000, 500 };
    gn_array left = gn_array_of(memory, GN_F32, 2, half), right = gn_array_of(memory + 2000, GN_F32, 2, half);
    left.stride[0] = right.stride[0] = 1000;
    assert_int_equal(gn_arrays_meet(&left, &right), GN_APART);
    right.data = memory + 1999; /* one byte of each row */
    assert_int_equal(gn_arrays_meet(&left, &right), GN_MEET);
    right.data = memory + 2000, right.shape[1] = 501; /* the next row's first element, and beyond the last one */
    assert_int_equal(gn_arrays_meet(&left, &right), GN_MEET);
    gn_array even = gn_array_of(memory, GN_F64, 1, (int64_t[]){ 1000000 }), odd = even;
    even.stride[0] = odd.stride[0] = 2, odd.data = memory + 8;
    assert_int_equal(gn_arrays_meet(&even, &odd), GN_APART);
    odd.stride[0] = -2;
    assert_int_equal(gn_arrays_meet(&even, &odd), GN_APART);
}

static void rows_that_overlap_are_seen(void **state)
{
    (void)state;
    gn_array a = gn_array_of(memory, GN_F32, 2, (int64_t[]){ 2, 3 });
    assert_int_equal(gn_array_meets_itself(&a), GN_APART);
    a.stride[0] = 2;
    assert_int_equal(gn_array_meets_itself(&a), GN_MEET);
    a.stride[0] = 0;
    assert_int_equal(gn_array_meets_itself(&a), GN_MEET);
    a.shape[0] = 1; /* any stride is right for one row */
    assert_int_equal(gn_array_meets_itself(&a), GN_APART);
    a.shape[0] = 0;
    assert_int_equal(gn_array_meets_itself(&a), GN_APART);
    /* not nested: 0 4 8 12, 3 7 11 15, 6 10 14 18, 9 13 .., 12 */
    a.shape[0] = 4, a.shape[1] = 5, a.stride[0] = 4, a.stride[1] = 3;
    assert_int_equal(gn_array_meets_itself(&a), GN_MEET);
    a.shape[0] = 3, a.stride[1] = 5; /* not nested and yet apart */
    assert_int_equal(gn_array_meets_itself(&a), GN_APART);
}

static void strides_that_wrap_have_no_range(void **state)
{
    (void)state;
    const int64_t huge[] = { INT64_MAX, INT64_MIN, INT64_MAX / 4, INT64_MIN / 4, INT64_C(1) << 61, -(INT64_C(1) << 61) };
    uintptr_t first, end;
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        gn_array a = gn_array_of(memory, GN_F32, 2, (int64_t[]){ 5, 2 });
        a.stride[0] = huge[i];
        assert_false(gn_array_range(&a, &first, &end));
        assert_int_equal(gn_arrays_meet(&a, &a), GN_UNDECIDED);
        assert_int_equal(gn_array_meets_itself(&a), GN_UNDECIDED);
        a.shape[0] = 1; /* never taken */
        assert_true(gn_array_range(&a, &first, &end));
        assert_true(first == (uintptr_t)memory && end == first + 8);
        a.shape[0] = 0;
        assert_true(gn_array_range(&a, &first, &end) && first == end);
    }
    gn_array down = gn_array_of(memory, GN_F32, 1, (int64_t[]){ 3 });
    down.stride[0] = -1;
    down.data = (void *)(uintptr_t)4;
    assert_false(gn_array_range(&down, &first, &end)); /* below address 0 */
    down.data = (void *)(uintptr_t)8;
    assert_true(gn_array_range(&down, &first, &end) && first == 0 && end == 12);
    gn_array up = gn_array_of((void *)(UINTPTR_MAX - 7), GN_F32, 1, (int64_t[]){ 3 });
    assert_false(gn_array_range(&up, &first, &end));
}

/* A knapsack with large steps: the search gives up instead of taking for ever, and says that it did. */
static void involved_strides_are_left_undecided(void **state)
{
    (void)state;
    uint64_t rng = test_seed();
    int undecided = 0;
    for (int i = 0; i < 50; i++) {
        gn_array a = gn_array_scalar(memory, GN_F32), b;
        a.rank = GN_MAX_RANK;
        for (int d = 0; d < a.rank; d++)
            a.shape[d] = 3 + d, a.stride[d] = 1000003 + 2 * (int64_t)(test_random(&rng) % 1000000);
        b = a;
        b.data = memory + 4000004 + 4 * (test_random(&rng) % 10000000);
        undecided += gn_arrays_meet(&a, &b) == GN_UNDECIDED;
        undecided += gn_array_meets_itself(&a) == GN_UNDECIDED;
    }
    assert_true(undecided > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_meet_where_their_bytes_do),     cmocka_unit_test(halves_of_a_matrix_are_apart),
        cmocka_unit_test(rows_that_overlap_are_seen),          cmocka_unit_test(strides_that_wrap_have_no_range),
        cmocka_unit_test(involved_strides_are_left_undecided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
