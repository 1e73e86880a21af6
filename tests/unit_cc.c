/* Compiles a unit's text with a C compiler of this machine and loads it. */
#include <dlfcn.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "testlib.h"
#include "unit_cc.h"

extern char **environ;

static int run(char *const *argv)
{
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) || waitpid(pid, &status, 0) < 0) return -1;
    return status;
}

static bool is_there(const char *compiler)
{
    char command[64];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", compiler);
    char *argv[] = {"sh", "-c", command, NULL};
    return run(argv) == 0;
}

const char *unit_cxx(void)
{
    static const char *const candidates[] = {"g++", "clang++-19", "clang++"};
    for (size_t i = 0; i < 3; i++)
        if (is_there(candidates[i])) return candidates[i];
    return NULL;
}

const char *const *unit_compilers(void)
{
    static const char *found[4];
    static const char *const candidates[] = {"gcc", "clang-19", "clang"};
    size_t n = 0;
    for (size_t i = 0; i < 3 && !(i == 2 && n == 2); i++)
        if (is_there(candidates[i])) found[n++] = candidates[i];
    found[n] = NULL;
    return found;
}

typedef struct text_arg {
    gn_text text;
    const gn_target *target;
    const gn_words *words;
    const char *body;
} text_arg;

static void make_text(void *arg)
{
    text_arg *a = arg;
    gn_target_unit(&a->text, a->target, a->words, a->body);
}

void *unit_load_words(const gn_target *target, const char *compiler, const gn_words *words, const char *body)
{
    gn_arena arena = {0};
    text_arg t = {.text = {.arena = &arena}, .target = target, .words = words, .body = body};
    if (gn_protect(make_text, &t)) fail_msg("%s", gn_message());
    void *library = unit_load_text(compiler, ".c", gn_text_done(&t.text));
    gn_arena_free(&arena);
    return library;
}

void *unit_load(const gn_target *target, const char *compiler, const char *body)
{
    gn_arena arena = {0};
    gn_words words = {.arena = &arena};
    gn_words_read(&words, body);
    void *library = unit_load_words(target, compiler, &words, body);
    gn_arena_free(&arena);
    return library;
}

void *unit_load_text(const char *compiler, const char *suffix, const char *text)
{
    char source[40], object[] = "/tmp/unitXXXXXX.so";
    snprintf(source, sizeof source, "/tmp/unitXXXXXX%s", suffix);
    const int fd = mkstemps(source, (int)strlen(suffix)), fd2 = mkstemps(object, 3);
    assert_true(fd >= 0 && fd2 >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    close(fd2);
    char *argv[] = {(char *)compiler,
                    strcmp(suffix, ".c") ? "-std=c++17" : "-std=c11",
                    "-O1",
                    "-Wall",
                    "-Wextra",
                    "-Werror",
                    "-Wno-psabi",
                    "-fPIC",
                    "-shared",
                    "-ffp-contract=off",
                    "-o",
                    object,
                    source,
                    "-lm",
#if defined __SANITIZE_ADDRESS__ && !defined __clang__
                    "-fsanitize=address", /* as the test itself is */
#endif
                    NULL};
    const int status = run(argv);
    void *library = status ? NULL : dlopen(object, RTLD_NOW | RTLD_LOCAL);
    if (!status) unlink(source);
    unlink(object);
    if (!library) fail_msg("%s cannot build %s: %s", compiler, source, status ? "its words are above" : dlerror());
    return library;
}

void *unit_symbol(void *library, const char *name)
{
    void *symbol = dlsym(library, name);
    if (!symbol) fail_msg("%s", dlerror());
    return symbol;
}
