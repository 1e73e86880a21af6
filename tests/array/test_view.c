/* Views, copies between strides, blocks, shared variables. */
#include "testlib.h"
#include "failing_alloc.h"
#include "shared.h"
#include "view.h"
#include "dtype.h"
#include "error.h"
#include <stdlib.h>
#include <string.h>

static void counts_notice_overflow_and_negative_extents(void **state)
{
    (void)state;
    const int64_t big[] = { INT64_MAX / 2, 3 }, zero[] = { INT64_MAX, 0, INT64_MAX }, negative[] = { 2, -1 };
    gn_array a = gn_array_of(NULL, GN_F32, 2, big);
    assert_int_equal(gn_array_count(&a), -1);
    a = gn_array_of(NULL, GN_F32, 3, zero);
    assert_int_equal(gn_array_count(&a), 0);
    a = gn_array_of(NULL, GN_F32, 2, negative);
    assert_int_equal(gn_array_count(&a), -1);
    a = gn_array_scalar(NULL, GN_F64);
    assert_int_equal(gn_array_count(&a), 1);
}

static int64_t offset_of(const gn_array *a, const int64_t *at)
{
    int64_t o = 0;
    for (int d = 0; d < a->rank; d++) o += at[d] * a->stride[d];
    return o;
}

/* A random view into `memory`, in which no two elements coincide. */
static gn_array random_view(uint64_t *random, void *memory, gn_dtype dtype, int rank, const int64_t *shape)
{
    int order[4] = { 0, 1, 2, 3 };
    gn_array a = gn_array_of(memory, dtype, rank, shape);
    for (int d = rank - 1; d > 0; d--) {
        const int k = (int)(test_random(random) % (uint64_t)(d + 1)), x = order[d];
        order[d] = order[k], order[k] = x;
    }
    int64_t step = 1, start = 0;
    for (int d = 0; d < rank; d++) {
        const int axis = order[d];
        step *= 1 + (int64_t)(test_random(random) % 3 == 0);
        const bool backwards = test_random(random) % 4 == 0;
        a.stride[axis] = backwards ? -step : step;
        if (backwards) start += (shape[axis] - 1) * step;
        step *= shape[axis] ? shape[axis] : 1;
    }
    a.data = (char *)memory + start * (int64_t)gn_dtype_size(dtype);
    return a;
}

static void copies_between_any_strides_move_every_element_once(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    int32_t *const from = malloc(40000 * sizeof *from), *const to = malloc(40000 * sizeof *to);
    for (int round = 0; round < 400; round++) {
        const int rank = (int)(test_random(&random) % 5);
        int64_t shape[4], at[4] = { 0 };
        for (int d = 0; d < rank; d++) shape[d] = (int64_t)(test_random(&random) % 6);
        for (int i = 0; i < 40000; i++) from[i] = i, to[i] = -1;
        const gn_array a = random_view(&random, from, GN_I32, rank, shape),
                       b = random_view(&random, to, GN_I32, rank, shape);
        const int64_t n = gn_array_count(&a);
        gn_array_copy(&b, &a);
        int64_t written = 0;
        for (int i = 0; i < 40000; i++) written += to[i] != -1;
        assert_int_equal(written, n);
        for (int64_t i = 0; i < n; i++) {
            assert_int_equal(((int32_t *)b.data)[offset_of(&b, at)], ((int32_t *)a.data)[offset_of(&a, at)]);
            for (int d = rank - 1; d >= 0; d--) {
                if (++at[d] < shape[d]) break;
                at[d] = 0;
            }
        }
    }
    free(from), free(to);
}

static void rows_are_views(void **state)
{
    (void)state;
    float m[12];
    const gn_array a = gn_array_of(m, GN_F32, 2, (int64_t[]){ 4, 3 });
    const gn_array top = gn_array_rows(a, 0, 2), low = gn_array_rows(a, 2, 2);
    assert_ptr_equal(low.data, m + 6);
    gn_array back = top;
    back.data = m + 3;
    back.stride[0] = -3; /* rows 1 and 0 */
    assert_true(gn_array_is_row_major(&a));
    assert_false(gn_array_is_row_major(&back));
    gn_array one = gn_array_of(m, GN_F32, 2, (int64_t[]){ 1, 3 });
    one.stride[0] = 999; /* an extent of 1 has any stride */
    assert_true(gn_array_is_row_major(&one));
}

static void blocks_are_aligned_and_go_back_to_their_allocator(void **state)
{
    (void)state;
    failing_alloc a;
    failing_alloc_start(&a, 0);
    const size_t sizes[] = { 0, 1, 63, 4096, (4u << 20) - 1, 4u << 20, 9u << 20 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *const p = gn_block_new(&a.allocator, sizes[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % (sizes[i] >= 4u << 20 ? 2u << 20 : 64u), 0);
        if (sizes[i]) p[0] = p[sizes[i] - 1] = 1;
        gn_array view = gn_array_1d(p, GN_U8, (int64_t)sizes[i]);
        gn_array_free(&view);
        assert_null(view.data);
        gn_array_free(&view);
    }
    assert_int_equal(a.live, 0);
    assert_null(gn_block_new(&a.allocator, SIZE_MAX - 100));
    assert_message_contains("out of memory");
}

static void a_variable_survives_any_failed_allocation(void **state)
{
    (void)state;
    float w[4] = { 1, 2, 3, 4 };
    for (int n = 1;; n++) {
        failing_alloc a;
        failing_alloc_start(&a, n);
        gn_variable *v;
        const gn_array initial = GN_VIEW(w, 4);
        const gn_status s = gn_variable_new(&v, &a.allocator, "w", &initial);
        assert_int_equal(s, a.refused ? GN_ENOMEM : GN_OK);
        assert_int_equal(v != NULL, s == GN_OK);
        if (v) {
            gn_variable_keep(v);
            gn_variable_release(v);
            assert_memory_equal(v->value.data, w, sizeof w);
        }
        gn_variable_release(v);
        assert_int_equal(a.live, 0);
        if (!a.refused) break;
    }
}

static void bad_initial_values_are_told(void **state)
{
    (void)state;
    gn_variable *v;
    gn_array a = gn_array_1d(NULL, GN_F32, 3);
    assert_int_equal(gn_variable_new(&v, NULL, "w", &a), GN_EINVAL);
    assert_message_contains("variable \"w\": its initial value has data NULL");
    a = gn_array_1d(NULL, (gn_dtype)77, 3);
    assert_int_equal(gn_variable_new(&v, NULL, "w", &a), GN_EDTYPE);
    assert_message_contains("77 is no dtype");
    a = gn_array_1d(NULL, GN_F32, -3);
    assert_int_equal(gn_variable_new(&v, NULL, "w", &a), GN_ESHAPE);
    assert_message_contains("negative");
    a.rank = 9;
    assert_int_equal(gn_variable_new(&v, NULL, "w", &a), GN_ESHAPE);
    assert_message_contains("rank 9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_notice_overflow_and_negative_extents),
        cmocka_unit_test(copies_between_any_strides_move_every_element_once),
        cmocka_unit_test(rows_are_views),
        cmocka_unit_test(blocks_are_aligned_and_go_back_to_their_allocator),
        cmocka_unit_test(a_variable_survives_any_failed_allocation),
        cmocka_unit_test(bad_initial_values_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
