/* Toolchains: from generated source to one shared object. "clang" is Clang, LLVM and lld in this process, in a plug-in
 * opened on the first miss; "cc" spawns a C compiler with an argument list, never a shell. "interpreter" needs neither:
 * programs run on the kernel interpreter. */
#pragma once
#include <stdbool.h>
#include <gnomon/base.h>
#include "alloc.h"

typedef struct gn_toolchain gn_toolchain;

typedef struct gn_toolchain_options {
    const char *name;            /* NULL: the first of clang, cc that works, else interpreter */
    const char *cc;              /* the command of toolchain "cc"; NULL: $CC, then cc */
    /* what "cc" gets besides PATH, LC_ALL and TMPDIR, "NAME=VALUE", ended by NULL; NULL: nothing */
    const char *const *env;
    int seconds;                 /* of one compile; 0: 60 */
} gn_toolchain_options;
gn_status gn_toolchain_open_with(gn_toolchain **out, const gn_allocator *, const gn_toolchain_options *);
gn_status gn_toolchain_open(gn_toolchain **out, const gn_allocator *, const char *name, const char *cc);
void gn_toolchain_close(gn_toolchain *);
const char *gn_toolchain_name(const gn_toolchain *);     /* "clang", "cc", "interpreter" */
/* Everything about the compiler that can change its output: for cache keys. Does not open the plug-in. */
const char *gn_toolchain_identity(const gn_toolchain *);
/* Compiles `source` with `args` (target features and options in cc1 spelling that both understand, see the .c file)
 * into bytes of a shared object, allocated with the allocator. name: of the unit, for diagnostics. Thread-safe.
 * GN_ECOMPILER with the compiler's words. */
gn_status gn_toolchain_compile(gn_toolchain *, const char *name, const char *source, const char *const *args,
                               void **object, size_t *size);
/* Why there is no object, where another way may find one. */
typedef enum gn_trouble {
    GN_TROUBLE_NONE,
    GN_TROUBLE_LATE,             /* the time of a compile was over */
    GN_TROUBLE_UNUSABLE,         /* nothing can be compiled with it in this process */
} gn_trouble;
/* The same for a unit in n pieces, each with all it needs, which toolchain "clang" compiles at once. */
gn_status gn_toolchain_compile_pieces(gn_toolchain *, const char *name, size_t n, const char *const *sources,
                                      const char *const *args, void **object, size_t *size, gn_trouble *);
bool gn_toolchain_takes_pieces(const gn_toolchain *);
/* The same as assembly text, NUL-terminated; *size counts the NUL. For inspection. */
gn_status gn_toolchain_assembly(gn_toolchain *, const char *name, const char *source, const char *const *args,
                                char **text, size_t *size);
bool gn_toolchain_plugin_is_open(void);                   /* for tests: a warm program never opens it */
