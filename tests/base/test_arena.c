/* Allocation, arenas, growing arrays. */
#include "testlib.h"
#include "failing_alloc.h"
#include "arena.h"
#include "text.h"
#include "vec.h"
#include <string.h>
#include <wchar.h>

static void every_block_is_aligned_zeroed_and_kept_apart(void **state)
{
    (void)state;
    failing_alloc a;
    failing_alloc_start(&a, 0);
    gn_arena arena = { .allocator = &a.allocator };
    unsigned char *block[2000];
    size_t size[2000];
    uint64_t random = test_seed();
    for (int i = 0; i < 2000; i++) {
        const size_t align = (size_t)1 << test_random(&random) % 5;
        size[i] = test_random(&random) % (i % 100 ? 200 : 600000);
        block[i] = gn_arena_alloc_n(&arena, size[i], 1, align);
        assert_int_equal((uintptr_t)block[i] % align, 0);
        for (size_t k = 0; k < size[i]; k++) assert_int_equal(block[i][k], 0);
        memset(block[i], i & 255, size[i]);
    }
    for (int i = 0; i < 2000; i++)
        for (size_t k = 0; k < size[i]; k++) assert_int_equal(block[i][k], i & 255);
    gn_arena_free(&arena);
    assert_int_equal(a.live, 0);
    assert_int_equal(a.bytes, 0);
    assert_non_null(gn_arena_string(&arena, "again"));
    gn_arena_free(&arena);
    assert_int_equal(a.live, 0);
}

static void push_much(void *arg)
{
    gn_arena *const arena = arg;
    GN_VEC(int) v = { 0 };
    for (int i = 0; i < 100000; i++) gn_push(arena, &v, i);
    for (int i = 0; i < 100000; i++) assert_int_equal(v.at[i], i);
    assert_int_equal(gn_pop(&v), 99999);
    assert_string_equal(gn_arena_printf(arena, "%s-%d", "x", 5), "x-5");
}

static void memory_that_runs_out_is_told_and_nothing_leaks(void **state)
{
    (void)state;
    for (int n = 1;; n++) {
        failing_alloc a;
        failing_alloc_start(&a, n);
        gn_arena arena = { .allocator = &a.allocator };
        const gn_status s = gn_protect(push_much, &arena);
        gn_arena_free(&arena);
        assert_int_equal(a.live, 0);
        assert_int_equal(s, a.refused ? GN_ENOMEM : GN_OK);
        if (!a.refused) break;
        assert_message_contains("out of memory");
    }
}

static void ask_too_much(void *arg)
{
    gn_arena_alloc_n(arg, SIZE_MAX / 2, 4, 8);
}

static void ask_almost_all(void *arg)
{
    gn_arena_alloc(arg, SIZE_MAX - 8, 8);
}

static const wchar_t no_character[] = { 0xd800, 0 }; /* half of a pair: none in any locale */

static void print_wrong(void *arg)
{
    gn_arena_printf(arg, "%ls", no_character);
}

static void print_wrong_text(void *arg)
{
    gn_text t = { .arena = arg };
    gn_textf(&t, "%ls", no_character);
}

static void grow_too_far(void *arg)
{
    void *at = NULL;
    size_t capacity = SIZE_MAX / 4;
    gn_vec_grow(arg, &at, &capacity, 8);
}

static void what_cannot_be_printed_or_grown_is_told(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    assert_int_equal(gn_protect(print_wrong, &arena), GN_EINVAL);
    assert_message_contains("a format could not be printed: %ls");
    assert_int_equal(gn_protect(print_wrong_text, &arena), GN_EINTERNAL);
    assert_message_contains("a format could not be printed: %ls");
    assert_int_equal(gn_protect(grow_too_far, &arena), GN_ENOMEM);
    assert_message_contains("out of memory: a list of 9223372036854775806 items");
    gn_arena_free(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    assert_int_equal(gn_protect(ask_too_much, &arena), GN_ENOMEM);
    assert_message_contains("overflow");
    assert_int_equal(gn_protect(ask_almost_all, &arena), GN_ENOMEM);
    gn_arena_free(&arena);
    assert_null(gn_alloc(NULL, 0));
    gn_release(NULL, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_block_is_aligned_zeroed_and_kept_apart),
        cmocka_unit_test(memory_that_runs_out_is_told_and_nothing_leaks),
        cmocka_unit_test(what_cannot_be_printed_or_grown_is_told),
        cmocka_unit_test(sizes_that_overflow_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
