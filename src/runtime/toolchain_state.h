/* Inside the toolchains. Arguments of callers are in cc1 spelling (-target-cpu X, -target-feature +f, -O2, -DX); toolchain "cc" translates. */
#pragma once
#include <pthread.h>
#include "clang_plugin.h"
#include "error.h"
#include "toolchain.h"

typedef enum { GN_TOOL_CLANG, GN_TOOL_CC, GN_TOOL_INTERPRETER } gn_tool;

struct gn_toolchain {
    const gn_allocator *allocator;
    gn_tool tool;
    char *cc;                      /* the words of the command of "cc", separated by spaces */
    bool cc_is_clang;              /* a driver of clang, which refuses what only gcc knows */
    char *identity;
    size_t identity_size;
};

/* A growing string from the allocator. `failed` once memory ran out; release with gn_bytes_free. */
typedef struct gn_bytes {
    const gn_allocator *allocator;
    char *at;
    size_t n, capacity;
    bool failed;
} gn_bytes;
void gn_bytes_add(gn_bytes *, const void *data, size_t size);
void gn_bytes_printf(gn_bytes *, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *gn_bytes_text(gn_bytes *); /* "" if empty or out of memory */
void *gn_bytes_take(gn_bytes *, size_t *size); /* exactly `size` bytes; NULL if out of memory */
void gn_bytes_free(gn_bytes *);

enum { GN_MAX_ARGS = 160 };
typedef struct gn_args { /* an argument list, NULL-terminated; texts made here live in `store` */
    const char *at[GN_MAX_ARGS + 1];
    size_t n;
    char store[4096];
    size_t used;
} gn_args;
bool gn_args_add(gn_args *, const char *word);                  /* false: too many */
bool gn_args_join(gn_args *, const char *a, const char *b);     /* one word from two */
bool gn_args_words(gn_args *, const char *command);             /* the words of a command: "ccache gcc" is two */
bool gn_args_for_clang(gn_args *, const char *triple, const char *const *args);
bool gn_args_for_cc(gn_args *, bool is_clang, const char *const *args);

/* Path of the plug-in, or false: $GNOMON_PLUGIN_DIR, beside the library, in a build folder, or where it was installed. */
bool gn_plugin_find(char *path, size_t capacity);
/* Are the libraries there that it was linked with? Tells without opening it; true if none were recorded. */
bool gn_plugin_has_libraries(void);
/* What can change its output, without opening it: path, sizes and times of the plug-in and of the LLVM libraries it needs. */
void gn_plugin_identity(gn_bytes *, const char *path);
gn_status gn_plugin_open(const gn_plugin **out);

/* Several sources (GN_PLUGIN_OBJECT only) are compiled at once, each on a thread of its own, and linked into one. */
gn_status gn_clang_compile(const gn_toolchain *, const char *name, size_t n, const char *const *sources, const char *const *args, gn_plugin_emit,
                           gn_bytes *out);
gn_status gn_cc_compile(const gn_toolchain *, const char *name, const char *source, const char *const *args, bool assembly, gn_bytes *out);
/* The file that a command starts: its first word, as it is or along $PATH. False: there is none. */
bool gn_find_program(const char *command, char *path, size_t capacity);
/* Runs a command without a shell and collects what it prints. GN_ECOMPILER if it cannot be started; *exit_code as of waitpid's status. */
gn_status gn_spawn(const char *const *argv, gn_bytes *words, int *wait_status);
