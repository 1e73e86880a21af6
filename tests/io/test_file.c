/* Files and arrays below the formats: what is refused before memory is asked for, and what changes under the reader. */
#include <gnomon/array.h>
#include "blocks.h"
#include "file.h"
#include "tempdir.h"

static void a_file_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    gn_content c;
    const char *const path = temp_write("long", "0123456789a", 11);
    assert_int_equal(gn_content_read(&c, path, 11), GN_OK);
    assert_int_equal(c.n, 11);
    gn_content_free(&c);
    assert_int_equal(gn_content_read(&c, path, 10), GN_EFORMAT);
    assert_message_contains("long: longer than 10 bytes");
    assert_null(c.at);
}

static void a_file_that_shrinks_under_the_reader_is_told(void **state)
{
    (void)state;
    gn_reader r;
    char to[8];
    const char *const path = temp_write("shrinks", "01234567", 8);
    assert_int_equal(gn_reader_open(&r, path), GN_OK);
    assert_int_equal(truncate(path, 3), 0);
    assert_int_equal(gn_reader_get(&r, to, 8, "numbers"), GN_EFORMAT);
    assert_message_contains("shrinks: became shorter while it was read");
    gn_reader_close(&r);
}

static void a_place_behind_the_end_is_refused(void **state)
{
    (void)state;
    gn_reader r;
    assert_int_equal(gn_reader_open(&r, temp_write("short", "0123", 4)), GN_OK);
    assert_int_equal(gn_reader_seek(&r, 4), GN_OK);
    assert_int_equal(gn_reader_seek(&r, 5), GN_EFORMAT);
    assert_message_contains("short: offset 5 lies behind its end");
    gn_reader_close(&r);
}

static void an_array_whose_size_overflows_is_refused(void **state)
{
    (void)state;
    gn_array a;
    assert_int_equal(gn_array_new(&a, GN_F32, 2, (int64_t[]){ INT64_C(1) << 40, INT64_C(1) << 40 }), GN_ENOMEM);
    assert_message_contains("the size of an array overflows");
    assert_int_equal(gn_array_new(&a, GN_F64, 1, (int64_t[]){ INT64_MAX / 4 }), GN_ENOMEM);
    assert_message_contains("the size of an array overflows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_beyond_the_limit_is_refused),
        cmocka_unit_test(a_file_that_shrinks_under_the_reader_is_told),
        cmocka_unit_test(a_place_behind_the_end_is_refused),
        cmocka_unit_test(an_array_whose_size_overflows_is_refused),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
