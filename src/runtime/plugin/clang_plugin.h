/* The five functions of the plug-in gnomon-clang, which holds Clang, LLVM and lld: the only C++ of the project stands
 * behind them. The library opens the plug-in on the first cache miss only, so that a warm program never loads a
 * compiler. */
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GN_PLUGIN_ABI = 2 }; /* raised with any change of this header; the library refuses another one */

typedef enum gn_plugin_emit { GN_PLUGIN_OBJECT, GN_PLUGIN_ASSEMBLY, GN_PLUGIN_IR } gn_plugin_emit;

/* Where results and diagnostics go; may be called several times. */
typedef struct gn_plugin_sink {
    void (*write)(void *user, const char *data, size_t size);
    void *user;
} gn_plugin_sink;

typedef struct gn_plugin {
    int (*abi)(void);
    const char *(*version)(void);                  /* "19.1.7" */
    /* the triple that objects are made for unless the arguments say -triple */
    const char *(*host)(void);
    /* Compiles one unit of C with cc1 arguments. The stack must be large (64 MiB). 0; else diagnostics have the reason.
     * Thread-safe. */
    int (*compile)(const char *name, const char *source, size_t size, const char *const *arg, size_t narg,
                   gn_plugin_emit, gn_plugin_sink out, gn_plugin_sink diagnostics);
    /* Links n objects into a shared object. `allow_undefined`: symbols of the process may be used (sanitizers). Takes a
     * lock: lld is not reentrant. */
    int (*link)(size_t n, const void *const *object, const size_t *size, int allow_undefined, gn_plugin_sink out,
                gn_plugin_sink diagnostics);
} gn_plugin;

/* The one exported symbol. */
const gn_plugin *gn_clang_plugin(void);

#ifdef __cplusplus
}
#endif
