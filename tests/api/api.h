/* What the tests of the public interface share: each group runs with every toolchain that is here, in a cache of its
 * own. */
#pragma once
#include "testlib.h"
#include <gnomon/gnomon.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "toolchain.h"

static inline void must_at(gn_status s, const char *file, int line)
{
    if (!s) return;
    print_error("%s: %s\n", gn_status_name(s), gn_message());
    _fail(file, line);
}
#define must(call) must_at(call, __FILE__, __LINE__)

static inline void refuse_at(gn_status s, gn_status want, const char *words, const char *file, int line)
{
    if (s == want && strstr(gn_message(), words)) return;
    print_error("%s, expected %s with '%s': %s\n", gn_status_name(s), gn_status_name(want), words, s ? gn_message() : "");
    _fail(file, line);
}
#define refuse(call, want, words) refuse_at(call, want, words, __FILE__, __LINE__)

/* Whether there is this compiler; options may follow its name. */
static inline bool api_has(const char *compiler)
{
    char command[64];
    snprintf(command, sizeof command, "command -v %.*s > /dev/null", (int)strcspn(compiler, " "), compiler);
    return !system(command);
}

static char api_dir[64];              /* temporary directory of this program */
static gn_context_options api_options;
static gn_context *api_context;

static inline int api_setup(void **state)
{
    *state = api_context;
    return 0;
}

/* Runs the tests on each of the toolchains, or on the first that is here; *state is a context. Returns the number of
 * failures. */
static inline int run_on(size_t nnames, const char *const *names, bool first_alone, const struct CMUnitTest *tests,
                         size_t n)
{
    struct CMUnitTest *own = calloc(n, sizeof *own);
    char command[96];
    int failures = 0;
    strcpy(api_dir, "/tmp/gnomon-api-XXXXXX");
    if (!own || !mkdtemp(api_dir)) return 1;
    for (size_t i = 0; i < n; i++) own[i] = tests[i], own[i].setup_func = api_setup;
    for (size_t i = 0, ran = 0; i < nnames && !(first_alone && ran); i++) {
        api_options = (gn_context_options){ .cache_dir = api_dir, .toolchain = names[i], .threads = 2 };
        gn_toolchain *probe;
        if (gn_toolchain_open(&probe, &gn_allocator_libc, names[i], NULL)) {
            print_message("---- skipped: %s\n", gn_message());
            continue;
        }
        gn_toolchain_close(probe);
        if (gn_context_new(&api_context, &api_options)) {
            failures++;
            continue;
        }
        ran++;
        print_message("---- toolchain %s\n", names[i]);
        failures += _cmocka_run_group_tests(names[i], own, n, NULL, NULL);
        gn_context_free(api_context);
    }
    free(own);
    snprintf(command, sizeof command, "rm -rf '%s'", api_dir);
    return failures + (system(command) != 0);
}

/* Once per toolchain. */
static inline int run_on_toolchains(const struct CMUnitTest *tests, size_t n)
{
    return run_on(3, (const char *const[]){ "interpreter", "cc", "clang" }, false, tests, n);
}

/* Where compiled code is the point and which compiler is not. */
static inline int run_on_a_compiler(const struct CMUnitTest *tests, size_t n)
{
    return run_on(2, (const char *const[]){ "clang", "cc" }, true, tests, n);
}
