/* Shuffling: a permutation of whole rows, fair, and the same for the same key. */
#include <gnomon/data.h>
#include <string.h>
#include "testlib.h"

enum { N = 1000, WIDTH = 300 };
static float rows[N * WIDTH];
static int32_t marks[N];

/* Row i holds i everywhere, and its mark is i. */
static gn_dataset sample(void)
{
    for (int i = 0; i < N; i++) {
        marks[i] = i;
        for (int j = 0; j < WIDTH; j++) rows[i * WIDTH + j] = (float)i;
    }
    return (gn_dataset){ gn_array_of(rows, GN_F32, 2, (int64_t[]){ N, WIDTH }), GN_VIEW(marks, N), N };
}

static void rows_stay_whole_and_none_is_lost(void **state)
{
    (void)state;
    static char seen[N];
    gn_dataset d = sample();
    assert_int_equal(gn_dataset_shuffle(&d, 7), GN_OK);
    memset(seen, 0, sizeof seen);
    int moved = 0;
    for (int i = 0; i < N; i++) {
        assert_true(marks[i] >= 0 && marks[i] < N && !seen[marks[i]]++);
        moved += marks[i] != i;
        for (int j = 0; j < WIDTH; j++) assert_true(rows[i * WIDTH + j] == (float)marks[i]);
    }
    assert_true(moved > N - 20);
}

static void the_same_key_gives_the_same_order(void **state)
{
    (void)state;
    static int32_t first[N];
    gn_dataset d = sample();
    assert_int_equal(gn_dataset_shuffle(&d, 7), GN_OK);
    memcpy(first, marks, sizeof first);
    d = sample();
    assert_int_equal(gn_dataset_shuffle(&d, 7), GN_OK);
    assert_memory_equal(first, marks, sizeof first);
    d = sample();
    assert_int_equal(gn_dataset_shuffle(&d, 8), GN_OK);
    assert_memory_not_equal(first, marks, sizeof first);
}

/* Every order of 4 rows is equally likely: 24,000 draws, 1,000 of each expected; chi-squared with 23 degrees of
 * freedom stays below 60. */
static void every_order_is_equally_likely(void **state)
{
    (void)state;
    int count[256] = { 0 }, kinds = 0;
    double chi = 0;
    for (uint64_t key = 0; key < 24000; key++) {
        int32_t y[4] = { 0, 1, 2, 3 };
        float x[4] = { 0 };
        gn_dataset d = { gn_array_of(x, GN_F32, 2, (int64_t[]){ 4, 1 }), GN_VIEW(y, 4), 4 };
        assert_int_equal(gn_dataset_shuffle(&d, key), GN_OK);
        count[y[0] | y[1] << 2 | y[2] << 4 | y[3] << 6]++;
    }
    for (int i = 0; i < 256; i++) {
        if (!count[i]) continue;
        kinds++;
        chi += (count[i] - 1000.0) * (count[i] - 1000.0) / 1000;
    }
    assert_int_equal(kinds, 24);
    assert_true(chi < 60);
}

static void what_cannot_be_shuffled_is_refused(void **state)
{
    (void)state;
    gn_dataset d = sample();
    d.y = GN_VIEW(marks, N - 1);
    assert_int_equal(gn_dataset_shuffle(&d, 1), GN_ESHAPE);
    assert_message_contains("y has 999 rows and the data set 1000");
    d = sample();
    d.x.stride[0] = 2 * WIDTH, d.x.shape[0] = d.y.shape[0] = d.n = N / 2;
    assert_int_equal(gn_dataset_shuffle(&d, 1), GN_EINVAL);
    assert_message_contains("x is not row-major");
    assert_int_equal(gn_dataset_shuffle(NULL, 1), GN_EINVAL);
    assert_message_contains("the data set is NULL");
}

static void small_and_clear_data_sets_are_fine(void **state)
{
    (void)state;
    gn_dataset d = { 0 };
    assert_int_equal(gn_dataset_shuffle(&d, 1), GN_OK);
    gn_dataset_free(&d);
    gn_dataset_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stay_whole_and_none_is_lost),
        cmocka_unit_test(the_same_key_gives_the_same_order),
        cmocka_unit_test(every_order_is_equally_likely),
        cmocka_unit_test(what_cannot_be_shuffled_is_refused),
        cmocka_unit_test(small_and_clear_data_sets_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
