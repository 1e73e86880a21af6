/* Contexts: options, environment variables in their place, and what is refused. */
#include "testlib.h"
#include "context_state.h"
#include "failing_alloc.h"
#include <gnomon/base.h>
#include <stdlib.h>
#include <string.h>

static int clear_environment(void **state)
{
    (void)state;
    static const char *const names[] = { "GNOMON_CACHE_DIR", "GNOMON_TOOLCHAIN", "GNOMON_TARGET", "GNOMON_THREADS", "XDG_CACHE_HOME" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
    setenv("HOME", "/nonexistent/home", 1);
    return 0;
}

static gn_context *make(gn_context_options o)
{
    gn_context *c = NULL;
    if (gn_context_new(&c, &o)) fail_msg("%s", gn_message());
    return c;
}

static void the_cache_lies_where_the_user_says(void **state)
{
    (void)state;
    static const char *const want[] = { "/nonexistent/home/.cache/gnomon", "/xdg/gnomon", "/own", "/given", "" };
    for (int i = 0; i < 5; i++) {
        if (i == 1) setenv("XDG_CACHE_HOME", "/xdg", 1);
        if (i == 2) setenv("GNOMON_CACHE_DIR", "/own", 1);
        gn_context *c = make((gn_context_options){ .cache_dir = i == 3 ? "/given" : i == 4 ? "" : NULL });
        assert_string_equal(c->cache_dir, want[i]);
        gn_context_free(c);
    }
}

static void without_a_home_there_is_no_cache(void **state)
{
    (void)state;
    unsetenv("HOME");
    setenv("XDG_CACHE_HOME", "relative", 1);
    gn_context *c = make((gn_context_options){ 0 });
    assert_string_equal(c->cache_dir, "");
    gn_context_free(c);
}

static void options_go_before_the_environment(void **state)
{
    (void)state;
    setenv("GNOMON_TARGET", "generic", 1), setenv("GNOMON_THREADS", "3", 1), setenv("GNOMON_TOOLCHAIN", "interpreter", 1);
    gn_context *c = make((gn_context_options){ 0 });
    assert_string_equal(c->target->name, "generic");
    assert_int_equal(c->threads, 3);
    assert_string_equal(c->toolchain_name, "interpreter");
    gn_context_free(c);
    c = make((gn_context_options){ .target = "avx2", .threads = 2, .toolchain = "cc" });
    assert_string_equal(c->target->name, "avx2");
    assert_int_equal(c->threads, 2);
    assert_string_equal(c->toolchain_name, "cc");
    gn_context_free(c);
}

static void refused(gn_context_options o, const char *words)
{
    gn_context *c = NULL;
    assert_int_equal(gn_context_new(&c, &o), GN_EINVAL);
    assert_null(c);
    assert_message_contains(words);
}

static void unknown_names_and_numbers_are_refused(void **state)
{
    (void)state;
    refused((gn_context_options){ .toolchain = "icc" }, "unknown toolchain 'icc': expected clang, cc or interpreter");
    refused((gn_context_options){ .target = "sse9" }, "unknown target 'sse9': expected avx512, avx2, generic or c11");
    refused((gn_context_options){ .target = "cuda" }, "unknown target 'cuda'");
    refused((gn_context_options){ .threads = -1 }, "-1 threads: expected 1 to 256");
    refused((gn_context_options){ .threads = 1000 }, "1000 threads");
    setenv("GNOMON_THREADS", "many", 1);
    refused((gn_context_options){ 0 }, "GNOMON_THREADS is 'many'");
    assert_int_equal(gn_context_new(NULL, NULL), GN_EINVAL);
}

static int open_and_close(const gn_allocator *a)
{
    gn_context *c = NULL;
    gn_status s = gn_context_new(&c, &(gn_context_options){ .allocator = a, .toolchain = "interpreter", .cc = "cc", .cache_dir = "" });
    if (!s) s = gn_context_open(c);
    gn_context_free(c);
    if (s) assert_int_equal(s, GN_ENOMEM);
    return s;
}

static void each_failing_allocation_is_reported(void **state)
{
    (void)state;
    assert_true(survive_refusals(open_and_close, false) > 4);
    assert_true(survive_refusals(open_and_close, true) > 4);
}

static void the_default_is_one(void **state)
{
    (void)state;
    assert_non_null(gn_context_default());
    assert_ptr_equal(gn_context_default(), gn_context_default());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_cache_lies_where_the_user_says, clear_environment),
        cmocka_unit_test_setup(without_a_home_there_is_no_cache, clear_environment),
        cmocka_unit_test_setup(options_go_before_the_environment, clear_environment),
        cmocka_unit_test_setup(unknown_names_and_numbers_are_refused, clear_environment),
        cmocka_unit_test_setup(each_failing_allocation_is_reported, clear_environment),
        cmocka_unit_test_setup(the_default_is_one, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
