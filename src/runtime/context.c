/* Contexts: options, the environment where an option is absent, and lazily the things they describe. */
#include "context_state.h"
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "error.h"

static const char *environment(const char *name)
{
    const char *value = secure_getenv(name); /* NULL when the process is set-user-id */
    return value && *value ? value : NULL;
}

const gn_allocator *gn_context_allocator(const gn_context *c)
{
    return c ? &c->allocator : &gn_allocator_libc;
}

static gn_status copy_text(gn_context *c, char **out, const char *text)
{
    *out = text ? gn_alloc_string(&c->allocator, text) : NULL;
    return text && !*out ? GN_ENOMEM : GN_OK;
}

/* The first of $GNOMON_CACHE_DIR, $XDG_CACHE_HOME/gnomon, ~/.cache/gnomon that is absolute; else no disk cache. */
static gn_status choose_cache_dir(gn_context *c, const char *given)
{
    char path[PATH_MAX] = "";
    const char *own = environment("GNOMON_CACHE_DIR"), *xdg = environment("XDG_CACHE_HOME"), *home = environment("HOME");
    if (given) return copy_text(c, &c->cache_dir, given);
    if (own) return copy_text(c, &c->cache_dir, own);
    if (xdg && xdg[0] == '/' && strlen(xdg) < PATH_MAX - 16) snprintf(path, sizeof path, "%s/gnomon", xdg);
    else if (home && home[0] == '/' && strlen(home) < PATH_MAX - 24) snprintf(path, sizeof path, "%s/.cache/gnomon", home);
    return copy_text(c, &c->cache_dir, path);
}

static gn_status choose_toolchain(gn_context *c, const char *given)
{
    const char *name = given ? given : environment("GNOMON_TOOLCHAIN");
    if (name && strcmp(name, "clang") && strcmp(name, "cc") && strcmp(name, "interpreter"))
        return gn_error(GN_EINVAL, "unknown toolchain '%s': expected clang, cc or interpreter", name);
    return copy_text(c, &c->toolchain_name, name);
}

static gn_status choose_target(gn_context *c, const char *given)
{
    const char *name = given ? given : environment("GNOMON_TARGET");
    c->target = name ? gn_target_find(name) : gn_target_host();
    if (c->target && c->target->lang == GN_LANG_C) return GN_OK;
    return gn_error(GN_EINVAL, "unknown target '%s': expected avx512, avx2, generic or c11", name ? name : "of this machine");
}

static int usable_cpus(void)
{
    cpu_set_t set;
    const int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return n < 1 ? 1 : n;
}

static gn_status choose_threads(gn_context *c, int given)
{
    const char *text = environment("GNOMON_THREADS");
    char *end = NULL;
    const long n = given ? given : text ? strtol(text, &end, 10) : usable_cpus();
    if (n < 1 || n > 256 || (end && *end)) {
        if (given) return gn_error(GN_EINVAL, "%d threads: expected 1 to 256", given);
        return gn_error(GN_EINVAL, "GNOMON_THREADS is '%s': expected a number from 1 to 256", text ? text : "");
    }
    c->threads = (int)n;
    return GN_OK;
}

gn_status gn_context_new(gn_context **out, const gn_context_options *options)
{
    const gn_context_options o = options ? *options : (gn_context_options){ 0 };
    const gn_allocator *allocator = o.allocator ? o.allocator : &gn_allocator_libc;
    if (!out) return gn_error(GN_EINVAL, "gn_context_new: out is NULL");
    *out = NULL;
    gn_context *c = gn_alloc_zeroed(allocator, sizeof *c);
    if (!c) return GN_ENOMEM;
    c->allocator = *allocator;
    c->cache_bytes = o.cache_bytes > 0 ? o.cache_bytes : (int64_t)512 << 20;
    pthread_mutex_init(&c->lock, NULL);
    gn_status s = choose_cache_dir(c, o.cache_dir);
    if (!s) s = choose_toolchain(c, o.toolchain);
    if (!s) s = choose_target(c, o.target);
    if (!s) s = choose_threads(c, o.threads);
    if (!s) s = copy_text(c, &c->cc, o.cc);
    if (s) gn_context_free(c);
    else *out = c;
    return s;
}

static void free_text(gn_context *c, char *text)
{
    if (text) gn_release(&c->allocator, text, strlen(text) + 1);
}

void gn_context_free(gn_context *c)
{
    if (!c) return;
    gn_team_free(c->team);
    gn_toolchain_close(c->toolchain);
    gn_cache_close(c->cache);
    free_text(c, c->cache_dir);
    free_text(c, c->toolchain_name);
    free_text(c, c->cc);
    pthread_mutex_destroy(&c->lock);
    const gn_allocator allocator = c->allocator;
    gn_release(&allocator, c, sizeof *c);
}

static gn_context *the_default;

static void make_default(void)
{
    gn_context_new(&the_default, NULL);
}

gn_context *gn_context_default(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_default);
    return the_default;
}

gn_status gn_context_open(gn_context *c)
{
    gn_status s = GN_OK;
    pthread_mutex_lock(&c->lock);
    if (!c->cache) s = gn_cache_open(&c->cache, &c->allocator, c->cache_dir, c->cache_bytes);
    if (!s && !c->toolchain) s = gn_toolchain_open(&c->toolchain, &c->allocator, c->toolchain_name, c->cc);
    if (!s && !c->team) s = gn_team_new(&c->team, &c->allocator, c->threads);
    pthread_mutex_unlock(&c->lock);
    return s;
}
