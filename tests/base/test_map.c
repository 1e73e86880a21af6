/* Maps, interning, symbols. */
#include "testlib.h"
#include "map.h"
#include <stdio.h>
#include <string.h>

static void a_map_keeps_what_was_put(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    gn_map m = { 0 };
    assert_null(gn_map_get(&m, 7));
    for (uint64_t k = 0; k < 20000; k++) *gn_map_put(&arena, &m, k * k * 4096) = (void *)(uintptr_t)(k + 1);
    for (uint64_t k = 0; k < 20000; k++) assert_int_equal((uintptr_t)gn_map_get(&m, k * k * 4096), k + 1);
    assert_null(gn_map_get(&m, 3));
    *gn_map_put(&arena, &m, 0) = NULL;
    assert_null(gn_map_get(&m, 0));
    assert_int_equal(m.n, 20000);
    gn_arena_free(&arena);
}

static void equal_texts_are_one_symbol(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    gn_symbols s = { 0 };
    const char *first[3000];
    char name[32];
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "s%d", i);
        first[i] = gn_symbol(&arena, &s, name);
        assert_string_equal(first[i], name);
    }
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "s%dxyz", i);
        assert_ptr_equal(gn_symbol_n(&arena, &s, name, strlen(name) - 3), first[i]);
    }
    assert_string_equal(gn_symbol(&arena, &s, ""), "");
    gn_arena_free(&arena);
}

static void hashes_of_bytes_see_every_byte_and_the_length(void **state)
{
    (void)state;
    const char zeros[20] = { 0 };
    char one[20] = { 0 };
    for (size_t n = 0; n < 19; n++) assert_true(gn_hash_bytes(1, zeros, n) != gn_hash_bytes(1, zeros, n + 1));
    for (size_t i = 0; i < 20; i++) {
        one[i] = 1;
        assert_true(gn_hash_bytes(1, one, 20) != gn_hash_bytes(1, zeros, 20));
        one[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_map_keeps_what_was_put),
                                        cmocka_unit_test(equal_texts_are_one_symbol),
                                        cmocka_unit_test(hashes_of_bytes_see_every_byte_and_the_length) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
