/* Inside the toolchains. Arguments of callers are in cc1 spelling (-target-cpu X, -target-feature +f, -O2, -DX);
 * toolchain "cc" translates. */
#pragma once
#include <pthread.h>
#include "clang_plugin.h"
#include "bytes.h"
#include "error.h"
#include "child.h"
#include "toolchain.h"

typedef enum { GN_TOOL_CLANG, GN_TOOL_CC, GN_TOOL_INTERPRETER } gn_tool;

struct gn_toolchain {
    const gn_allocator *allocator;
    gn_tool tool;
    bool chosen;                   /* nobody asked for it by name */
    int seconds;                   /* of one compile */
    char *cc;                      /* the words of the command of "cc", separated by spaces */
    char *cc_path;                 /* of its program, absolute; NULL if it is not needed */
    char *env;                     /* what it gets besides PATH, LC_ALL and TMPDIR: lines */
    size_t env_size;
    bool cc_is_clang;              /* a driver of clang, which refuses what only gcc knows */
    char *identity;
    size_t identity_size;
};

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

/* Several sources (GN_PLUGIN_OBJECT only) are compiled at once, each on a thread of its own, and linked into one. */
gn_status gn_clang_compile(const gn_toolchain *, const char *name, size_t n, const char *const *sources,
                           const char *const *args, gn_plugin_emit, gn_bytes *out, gn_trouble *);
gn_status gn_cc_compile(const gn_toolchain *, const char *name, const char *source, const char *const *args,
                        bool assembly, gn_bytes *out, gn_trouble *);
/* What the compiler says to --version: its first line. */
gn_status gn_cc_version(const gn_toolchain *, gn_bytes *line);
/* The absolute path of the file that a command starts: of the whole command, if that is the path of a program, else of
 * its first word, as it is or along $PATH, of which only absolute directories count; a set-user-id program has a path
 * of its own. False: there is none. */
bool gn_find_program(const char *command, char *path, size_t capacity);
