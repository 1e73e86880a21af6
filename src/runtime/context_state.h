/* Inside a context: what it was told, and what it opens when it is first needed. */
#pragma once
#include <pthread.h>
#include "cache.h"
#include "context.h"
#include "forks.h"
#include "target.h"
#include "team.h"
#include "toolchain.h"

struct gn_context {
    gn_allocator allocator;
    char *cache_dir;             /* "": off */
    int64_t cache_bytes;
    char *toolchain_name, *cc;   /* NULL: chosen when first needed */
    char **cc_env;               /* ncc_env and NULL; NULL: none */
    size_t ncc_env;
    int compile_seconds;
    const gn_target *target;
    int threads;
    uint32_t lints_off;          /* bits by gn_lint_kind */
    void (*lint)(void *user, const char *name, const char *sentence); /* NULL: stderr */
    void *lint_user;
    gn_team *team;               /* its threads start with the first work for several */
    gn_fork_watch watch;
    pthread_mutex_t lock;        /* around those below, until they are there */
    gn_cache *cache;
    gn_toolchain *toolchain, *second; /* second: for when the first, which nobody asked for, cannot be used */
};

/* Opens cache and toolchain if they are not open yet. GN_ECOMPILER: no compiler, or not the one that was asked for. */
gn_status gn_context_open(gn_context *);
/* The toolchain after clang, for when its plug-in cannot be used: cc, else the interpreter. */
gn_status gn_context_second(gn_context *, gn_toolchain **out);
