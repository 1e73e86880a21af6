/* Contexts: options, environment variables in their place, and what is refused. */
#include "testlib.h"
#include "context_state.h"
#include "failing_alloc.h"
#include "toolchain_state.h"
#include <gnomon/base.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int clear_environment(void **state)
{
    (void)state;
    static const char *const names[] = { "GNOMON_CACHE_DIR", "GNOMON_TOOLCHAIN", "GNOMON_TARGET",
                                         "GNOMON_THREADS",   "XDG_CACHE_HOME",   "GNOMON_COMPILE_SECONDS" };
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

static void a_relative_place_is_where_it_was_said(void **state)
{
    (void)state;
    char here[400], want[420];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(want, sizeof want, "%s/rel/c", here);
    gn_context *c = make((gn_context_options){ .cache_dir = "rel/c" });
    assert_string_equal(c->cache_dir, want);
    gn_context_free(c);
    setenv("GNOMON_CACHE_DIR", "rel/c", 1);
    c = make((gn_context_options){ 0 });
    assert_string_equal(c->cache_dir, want);
    gn_context_free(c);
    char *far = malloc(5000);
    assert_non_null(far);
    memset(far, 'n', 4999);
    far[4999] = '\0';
    refused((gn_context_options){ .cache_dir = far }, "nn..' is too long");
    free(far);
}

static void the_time_of_a_compile_can_be_set(void **state)
{
    (void)state;
    gn_context *c = make((gn_context_options){ 0 });
    assert_int_equal(c->compile_seconds, 60);
    gn_context_free(c);
    setenv("GNOMON_COMPILE_SECONDS", "7", 1);
    c = make((gn_context_options){ 0 });
    assert_int_equal(c->compile_seconds, 7);
    gn_context_free(c);
    c = make((gn_context_options){ .compile_seconds = 9, .toolchain = "interpreter", .cache_dir = "" });
    assert_int_equal(gn_context_open(c), GN_OK);
    assert_int_equal(c->toolchain->seconds, 9);
    gn_context_free(c);
    refused((gn_context_options){ .compile_seconds = -3 }, "-3 seconds for a compile: expected 1 to 1000000");
    setenv("GNOMON_COMPILE_SECONDS", "soon", 1);
    refused((gn_context_options){ 0 }, "GNOMON_COMPILE_SECONDS is 'soon': expected a number from 1 to 1000000");
}

static void what_is_added_to_the_environment_has_a_form(void **state)
{
    (void)state;
    refused((gn_context_options){ .cc_env = (const char *const[]){ "A=1", "B", NULL } },
            "cc_env: expected at most 64 texts of the form NAME=VALUE");
    refused((gn_context_options){ .cc_env = (const char *const[]){ "A=1\nB=2", NULL } }, "cc_env: ");
    const char *many[80];
    for (int i = 0; i < 79; i++) many[i] = "A=1";
    many[79] = NULL;
    refused((gn_context_options){ .cc_env = many }, "cc_env: ");
    many[64] = NULL;
    gn_context *c = make((gn_context_options){ .cc_env = many, .toolchain = "cc", .cache_dir = "" });
    if (!gn_context_open(c)) assert_string_equal(c->toolchain->env + 4 * 63, "A=1\n");
    gn_context_free(c);
}

static int open_and_close(const gn_allocator *a)
{
    gn_context *c = NULL;
    gn_status s = gn_context_new(&c, &(gn_context_options){ .allocator = a,
                                                            .toolchain = "interpreter",
                                                            .cc = "cc",
                                                            .cache_dir = "",
                                                            .cc_env = (const char *const[]){ "A=1", "B=2", NULL } });
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
        cmocka_unit_test_setup(a_relative_place_is_where_it_was_said, clear_environment),
        cmocka_unit_test_setup(the_time_of_a_compile_can_be_set, clear_environment),
        cmocka_unit_test_setup(what_is_added_to_the_environment_has_a_form, clear_environment),
        cmocka_unit_test_setup(each_failing_allocation_is_reported, clear_environment),
        cmocka_unit_test_setup(the_default_is_one, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
