/* Programs from text, run compiled and interpreted, exported, and compared with arrays of what they must give. */
#pragma once
#include <dlfcn.h>
#include <stdlib.h>
#include "tempdir.h"
#include "tree_programs.h"

enum { TREE_TOOLCHAINS = 2, TREE_CALLS = 3, TREE_MEMORY = 1 << 16 };
static gn_context *tree_contexts[TREE_TOOLCHAINS];
static gn_arena arena;
static _Alignas(64) unsigned char tree_memory[TREE_MEMORY];

static inline int tree_setup(void **state)
{
    static const char *const toolchains[TREE_TOOLCHAINS] = {"cc", "interpreter"};
    if (temp_setup(state)) return -1;
    for (int i = 0; i < TREE_TOOLCHAINS; i++) {
        const gn_context_options o = {.cache_dir = "", .toolchain = toolchains[i], .threads = 2};
        if (gn_context_new(&tree_contexts[i], &o)) return -1;
    }
    return 0;
}

static inline int tree_teardown(void **state)
{
    for (int i = 0; i < TREE_TOOLCHAINS; i++) gn_context_free(tree_contexts[i]);
    gn_arena_free(&arena);
    return temp_teardown(state);
}

static inline void must_at(gn_status s, int line)
{
    if (s) fail_msg("line %d: %s: %s", line, gn_status_name(s), gn_message());
}
#define must(call) must_at(call, __LINE__)

static inline gn_func *tree_compile(int toolchain, const char *text, gn_variable *const *variables)
{
    gn_func *f = NULL;
    must(gn_func_of_text(&f, tree_contexts[toolchain], text, strlen(text), variables));
    return f;
}

/* The exported function, compiled; its memory has NaN everywhere. */
static inline void *tree_exported(const gn_func *f, const char *name)
{
    static int counter;
    char command[1024], path[400], source[400];
    must(gn_export(f, name, temp_dir));
    snprintf(source, sizeof source, "%s.c", temp_path(name));
    snprintf(path, sizeof path, "%s%d.so", temp_path(name), counter++);
    snprintf(command, sizeof command, "cc -O1 -Wall -Wextra -Werror -shared -fPIC -o %s %s -lm", path, source);
    if (system(command)) fail_msg("%s", command);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL), *function = handle ? dlsym(handle, name) : NULL;
    if (!function) fail_msg("%s", dlerror());
    memset(tree_memory, 0xff, sizeof tree_memory);
    return function;
}

static inline size_t tree_bytes(const gn_array *a)
{
    size_t n = gn_dtype_size(a->dtype);
    for (int d = 0; d < a->rank; d++) n *= (size_t)a->shape[d];
    return n;
}

/* Room like these arrays. */
static inline gn_arrays tree_outputs(gn_arrays want)
{
    gn_array *out = GN_NEW_ARRAY(&arena, gn_array, want.n);
    for (size_t i = 0; i < want.n; i++) {
        out[i] = want.at[i];
        out[i].data = gn_arena_alloc(&arena, tree_bytes(&want.at[i]) + 1, 64);
    }
    return (gn_arrays){.at = out, .n = want.n};
}

static inline void tree_clear(gn_arrays out)
{
    for (size_t i = 0; i < out.n; i++) memset(out.at[i].data, 0xff, tree_bytes(&out.at[i]));
}

static inline void tree_compare(gn_arrays out, gn_arrays want)
{
    for (size_t i = 0; i < out.n; i++) assert_memory_equal(out.at[i].data, want.at[i].data, tree_bytes(&want.at[i]));
}

static inline void tree_call_exported(void *function, gn_arrays in, gn_arrays out)
{
    union {
        void *any;
        int (*one)(const void *, void *, void *);
        int (*two)(const void *, const void *, void *, void *, void *);
    } f = {function};
    assert_true(in.n == out.n && in.n <= 2);
    const int status = in.n == 1 ? f.one(in.at[0].data, out.at[0].data, tree_memory)
                                 : f.two(in.at[0].data, in.at[1].data, out.at[0].data, out.at[1].data, tree_memory);
    assert_int_equal(status, 0);
}

/* Called again and again: an earlier call has left memories exchanged. `exported`: also as this function; NULL: not. */
static inline void tree_check(const char *text, gn_arrays in, gn_arrays want, const char *exported)
{
    const gn_arrays out = tree_outputs(want);
    for (int c = 0; c < TREE_TOOLCHAINS; c++) {
        gn_func *f = tree_compile(c, text, NULL);
        for (int call = 0; call < TREE_CALLS; call++) {
            tree_clear(out);
            must(gn_call(f, in, out));
            tree_compare(out, want);
        }
        if (exported) {
            tree_clear(out);
            tree_call_exported(tree_exported(f, exported), in, out);
            tree_compare(out, want);
        }
        gn_func_free(f);
    }
}

static inline gn_array vec(double *v)
{
    return gn_array_1d(v, GN_F64, 4);
}
static inline gn_array rows(double *v, int64_t n, int64_t width)
{
    return gn_array_of(v, GN_F64, 2, (int64_t[]){n, width});
}
