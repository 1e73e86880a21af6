/* Contexts: options, the environment where an option is absent, and lazily the things they describe. */
#include "context_state.h"
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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

void gn_context_lint(const gn_context *c, gn_lint_kind kind, const char *sentence)
{
    if (!c || c->lints_off >> kind & 1) return;
    if (c->lint) c->lint(c->lint_user, gn_lint_names[kind], sentence);
    else fprintf(stderr, "gnomon: %s [%s]\n", sentence, gn_lint_names[kind]);
}

static gn_status choose_lints(gn_context *c, const gn_context_options *o)
{
    const char *list = o->lints ? o->lints : environment("GNOMON_LINTS");
    c->lint = o->lint, c->lint_user = o->lint_user;
    return gn_lints_read(list ? list : "", &c->lints_off);
}

static gn_status copy_text(gn_context *c, char **out, const char *text)
{
    *out = text ? gn_alloc_string(&c->allocator, text) : NULL;
    return text && !*out ? GN_ENOMEM : GN_OK;
}

/* The working directory may change before the cache is opened. */
static gn_status copy_place(gn_context *c, const char *given)
{
    char path[PATH_MAX], here[PATH_MAX];
    if (!*given || *given == '/') return copy_text(c, &c->cache_dir, given);
    if (!getcwd(here, sizeof here))
        return gn_error(GN_EIO, "the cache '%s': the working directory has no path: %s", given, strerror(errno));
    const int n = snprintf(path, sizeof path, "%s/%s", here, given);
    return n > 0 && n < PATH_MAX ? copy_text(c, &c->cache_dir, path)
                                 : gn_error(GN_EINVAL, "the cache: the path '%.60s..' is too long", given);
}

/* What was given, $GNOMON_CACHE_DIR, or of $XDG_CACHE_HOME/gnomon and ~/.cache/gnomon the first that is absolute; else
 * no disk cache. */
static gn_status choose_cache_dir(gn_context *c, const char *given)
{
    char path[PATH_MAX] = "";
    const char *own = environment("GNOMON_CACHE_DIR"), *xdg = environment("XDG_CACHE_HOME"), *home = environment("HOME");
    if (given || own) return copy_place(c, given ? given : own);
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
    return gn_error(GN_EINVAL, "unknown target '%s': expected avx512, avx2, generic or c11",
                    name ? name : "of this machine");
}

static int usable_cpus(void)
{
    cpu_set_t set;
    const int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return n < 1 ? 1 : n;
}

/* A number from 1 to most: what was given, what the variable says, or the default. */
static gn_status choose_number(int *out, int given, const char *variable, int otherwise, int most, const char *unit)
{
    const char *text = environment(variable);
    char *end = NULL;
    const long n = given ? given : text ? strtol(text, &end, 10) : otherwise;
    if (n < 1 || n > most || (end && *end)) {
        if (given) return gn_error(GN_EINVAL, "%d %s: expected 1 to %d", given, unit, most);
        return gn_error(GN_EINVAL, "%s is '%s': expected a number from 1 to %d", variable, text ? text : "", most);
    }
    *out = (int)n;
    return GN_OK;
}

static gn_status copy_environment(gn_context *c, const char *const *env)
{
    enum { MOST = 64 };
    size_t n = 0;
    for (; env && env[n]; n++)
        if (n == MOST || !strchr(env[n], '=') || strchr(env[n], '\n'))
            return gn_error(GN_EINVAL, "cc_env: expected at most %d texts of the form NAME=VALUE", MOST);
    if (!n) return GN_OK;
    if (!(c->cc_env = gn_alloc_zeroed(&c->allocator, (n + 1) * sizeof *c->cc_env))) return GN_ENOMEM;
    c->ncc_env = n;
    gn_status s = GN_OK;
    for (size_t i = 0; !s && i < n; i++) s = copy_text(c, &c->cc_env[i], env[i]);
    return s;
}

static void before_fork(void *user)
{
    gn_context *c = user;
    pthread_mutex_lock(&c->lock);
}

static void after_fork(void *user, bool is_child)
{
    gn_context *c = user;
    (void)is_child;
    pthread_mutex_unlock(&c->lock);
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
    c->watch = (gn_fork_watch){ .before = before_fork, .after = after_fork, .user = c };
    gn_fork_add(&c->watch);
    gn_status s = choose_cache_dir(c, o.cache_dir);
    if (!s) s = choose_toolchain(c, o.toolchain);
    if (!s) s = choose_target(c, o.target);
    if (!s) s = choose_number(&c->threads, o.threads, "GNOMON_THREADS", usable_cpus(), 256, "threads");
    if (!s)
        s = choose_number(&c->compile_seconds, o.compile_seconds, "GNOMON_COMPILE_SECONDS", 60, 1000000,
                          "seconds for a compile");
    if (!s) s = copy_text(c, &c->cc, o.cc);
    if (!s) s = copy_environment(c, o.cc_env);
    if (!s) s = choose_lints(c, &o);
    if (!s) s = gn_team_new(&c->team, &c->allocator, c->threads);
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
    gn_fork_remove(&c->watch);
    gn_toolchain_close(c->toolchain);
    gn_toolchain_close(c->second);
    gn_cache_close(c->cache);
    free_text(c, c->cache_dir);
    free_text(c, c->toolchain_name);
    free_text(c, c->cc);
    for (size_t i = 0; c->cc_env && i < c->ncc_env; i++) free_text(c, c->cc_env[i]);
    gn_release(&c->allocator, c->cc_env, (c->ncc_env + 1) * sizeof *c->cc_env);
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

static gn_status open_toolchain(gn_context *c, gn_toolchain **out, const char *name)
{
    const gn_toolchain_options o = {
        .name = name, .cc = c->cc, .env = (const char *const *)c->cc_env, .seconds = c->compile_seconds
    };
    return gn_toolchain_open_with(out, &c->allocator, &o);
}

gn_status gn_context_open(gn_context *c)
{
    gn_status s = GN_OK;
    pthread_mutex_lock(&c->lock);
    if (!c->cache) s = gn_cache_open(&c->cache, &c->allocator, c->cache_dir, c->cache_bytes);
    if (!s && !c->toolchain) s = open_toolchain(c, &c->toolchain, c->toolchain_name);
    pthread_mutex_unlock(&c->lock);
    return s;
}

gn_status gn_context_second(gn_context *c, gn_toolchain **out)
{
    gn_status s = GN_OK;
    pthread_mutex_lock(&c->lock);
    if (!c->second && (s = open_toolchain(c, &c->second, "cc")) && s != GN_ENOMEM)
        s = open_toolchain(c, &c->second, "interpreter");
    *out = c->second;
    pthread_mutex_unlock(&c->lock);
    return s;
}
