/* Messages and throwing. */
#include "testlib.h"
#include "error.h"
#include <pthread.h>
#include <string.h>

static void throw_it(void *arg)
{
    gn_throw(GN_EAXIS, "axis %d", *(int *)arg);
}

static void nest(void *arg)
{
    int axis = 9;
    assert_int_equal(gn_protect(throw_it, &axis), GN_EAXIS);
    assert_string_equal(gn_message(), "axis 9");
    throw_it(arg);
}

static void a_throw_lands_in_the_nearest_protection(void **state)
{
    (void)state;
    int axis = 5;
    assert_int_equal(gn_protect(nest, &axis), GN_EAXIS);
    assert_string_equal(gn_message(), "axis 5");
}

static void a_message_may_be_made_of_the_last_one(void **state)
{
    (void)state;
    assert_int_equal(gn_error(GN_EIO, "open failed"), GN_EIO);
    gn_error(GN_EIO, "cache: %s", gn_message());
    assert_string_equal(gn_message(), "cache: open failed");
    gn_error_add("first line\nsecond %d\n", 2);
    assert_string_equal(gn_message(), "cache: open failed\n    first line\n    second 2");
    gn_error_set(GN_EIO, gn_message() + 7);
    assert_string_equal(gn_message(), "open failed\n    first line\n    second 2");
    gn_error_clear();
    assert_string_equal(gn_message(), "");
}

static void a_long_message_is_cut_and_marked(void **state)
{
    (void)state;
    char text[40000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    gn_error(GN_EIO, "%s", text);
    assert_int_equal(strlen(gn_message()), 16383);
    assert_string_equal(gn_message() + 16380, "...");
    gn_error_add("%s", text);
    assert_int_equal(strlen(gn_message()), 16383);
    gn_error(GN_EIO, "short");
    for (int i = 0; i < 5000; i++) gn_error_add("line %d", i);
    assert_int_equal(strlen(gn_message()), 16383);
}

static void *other_thread(void *arg)
{
    assert_string_equal(gn_message(), "");
    gn_error(GN_EIO, "theirs");
    return arg;
}

static void each_thread_has_its_message(void **state)
{
    (void)state;
    pthread_t t;
    gn_error(GN_EIO, "mine");
    assert_int_equal(pthread_create(&t, NULL, other_thread, NULL), 0);
    pthread_join(t, NULL);
    assert_string_equal(gn_message(), "mine");
}

static void statuses_have_names(void **state)
{
    (void)state;
    assert_string_equal(gn_status_name(GN_OK), "GN_OK");
    assert_string_equal(gn_status_name(GN_EINTERNAL), "GN_EINTERNAL");
    assert_string_equal(gn_status_name(GN_ESHAPE), "GN_ESHAPE");
    assert_string_equal(gn_status_name((gn_status)-99), "unknown status");
    assert_string_equal(gn_version(), "0.1.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_throw_lands_in_the_nearest_protection), cmocka_unit_test(a_message_may_be_made_of_the_last_one),
        cmocka_unit_test(a_long_message_is_cut_and_marked),        cmocka_unit_test(each_thread_has_its_message),
        cmocka_unit_test(statuses_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
