/* The plug-in of toolchain "clang": where it is, what it is, and opening it. */
#pragma once
#include <stdbool.h>
#include "bytes.h"
#include "clang_plugin.h"
#include "code_ranges.h"

/* Its path, or false. Looked for in $GNOMON_PLUGIN_DIR alone if that is set (not by set-user-id programs); else beside
 * the library, where an installation or a build folder has it, and last where it was configured to be installed. */
bool gn_plugin_find(char *path, size_t capacity);
/* The places where it is looked for, in order, up to the first that has it. */
void gn_plugin_places(void (*visit)(void *user, const char *path, bool is_there), void *user);
/* What can change its output, without opening it: the sizes, times and numbers of its file and of the LLVM libraries
 * that the loader will probably find for it. */
void gn_plugin_identity(gn_bytes *, const char *path);

typedef struct gn_opened_plugin {
    const gn_plugin *functions;
    /* as gn_plugin_identity would say it had it looked at the libraries that were in fact mapped */
    char *identity;
    gn_code_ranges code;         /* of the plug-in and LLVM */
    /* LLVM's static objects go as the process exits, on another thread than those that compile */
    bool is_destroyed;
} gn_opened_plugin;
/* Opened once, and then it stays: LLVM cannot be unloaded safely. GN_ECOMPILER: it is not there, cannot be opened, or
 * is another version's. */
gn_status gn_plugin_open(const gn_opened_plugin **out);
