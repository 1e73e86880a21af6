/* Inside a context: what it was told, and what it opens when it is first needed. */
#pragma once
#include <pthread.h>
#include "cache.h"
#include "context.h"
#include "target.h"
#include "team.h"
#include "toolchain.h"

struct gn_context {
    gn_allocator allocator;
    char *cache_dir;             /* "": off */
    int64_t cache_bytes;
    char *toolchain_name, *cc;   /* NULL: chosen when first needed */
    const gn_target *target;
    int threads;
    pthread_mutex_t lock;        /* around the three below, until they are there */
    gn_cache *cache;
    gn_toolchain *toolchain;
    gn_team *team;
};

/* Opens cache, toolchain and team if they are not open yet. GN_ECOMPILER: no compiler, or not the one that was asked for. */
gn_status gn_context_open(gn_context *);
