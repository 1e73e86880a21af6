/* A cache of a test's own: two shared objects to keep, and what is found. */
#pragma once
#include "testlib.h"
#include "alloc.h"
#include "cache.h"
#include "toolchain.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *object[2]; /* shared objects of int answer(void), 42 and 43 */
static size_t object_size[2];
static char base[64];   /* a directory of this run */

static inline int remove_tree(const char *dir)
{
    char command[320];
    snprintf(command, sizeof command, "chmod -R u+rwX '%s'; rm -rf '%s'", dir, dir);
    return system(command);
}

static inline int setup(void **state)
{
    (void)state;
    gn_toolchain *t = NULL;
    strcpy(base, "/tmp/gnomon-test-XXXXXX");
    if (!mkdtemp(base) || gn_toolchain_open(&t, &gn_allocator_libc, "cc", NULL)) return -1;
    for (int i = 0; i < 2; i++) {
        const char *source = i ? "int answer(void) { return 43; }\n" : "int answer(void) { return 42; }\n";
        if (gn_toolchain_compile(t, "answer", source, NULL, &object[i], &object_size[i])) return -1;
    }
    gn_toolchain_close(t);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) gn_release(&gn_allocator_libc, object[i], object_size[i]);
    return remove_tree(base);
}

static inline gn_cache *open_cache(const char *dir)
{
    gn_cache *c = NULL;
    assert_int_equal(gn_cache_open(&c, &gn_allocator_libc, dir, (int64_t)1 << 30), GN_OK);
    return c;
}

/* A cache in a fresh directory below base. */
static inline gn_cache *fresh(const char *name, char dir[128])
{
    snprintf(dir, 128, "%s/%s", base, name);
    gn_cache *c = open_cache(dir);
    assert_non_null(gn_cache_dir(c));
    return c;
}

static inline gn_key key_of(const char *text)
{
    const size_t n = strlen(text);
    return gn_key_of(1, &text, &n);
}

static inline int answer_of(const gn_module *m)
{
    int (*f)(void);
    *(void **)&f = gn_module_symbol(m, "answer");
    return f ? f() : -1;
}

static inline gn_module *store(gn_cache *c, const char *key, int which)
{
    gn_module *m = NULL;
    const gn_key k = key_of(key);
    if (gn_cache_store(c, &k, object[which], object_size[which], "answer\nmore", 11, &m)) fail_msg("%s", gn_message());
    assert_non_null(m);
    return m;
}

static inline gn_module *load(gn_cache *c, const char *key)
{
    const gn_key k = key_of(key);
    return gn_cache_load(c, &k);
}

static inline void path_of(const gn_cache *c, const char *key, char path[256])
{
    char hex[65];
    const gn_key k = key_of(key);
    gn_key_hex(&k, hex);
    snprintf(path, 256, "%s/v1/%.2s/%s.so", gn_cache_dir(c), hex, hex);
}

static inline int count_files(const char *dir, const char *prefix)
{
    char command[320];
    int n = -1;
    snprintf(command, sizeof command, "find '%s' -type f -name '%s*' | wc -l", dir, prefix);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    if (fscanf(p, "%d", &n) != 1) n = -1;
    pclose(p);
    return n;
}

typedef struct seen {
    int n, bad;
    int64_t bytes;
    char name[64];
} seen;

static inline void see(void *user, const gn_cache_entry *e)
{
    seen *s = user;
    s->n++, s->bad += !e->good, s->bytes += e->bytes;
    snprintf(s->name, sizeof s->name, "%s", e->name);
}

static inline char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *n = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

static inline void write_file(const char *path, const char *bytes, size_t n)
{
    unlink(path);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    assert_int_equal(chmod(path, 0600), 0);
}

/* With the cache off, code runs from memory, and several at once do not meet. */
static inline void works_from_memory(gn_cache *c)
{
    gn_module *m[6];
    assert_null(gn_cache_dir(c));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 6; i++) m[i] = store(c, "same", i % 2);
        for (int i = 0; i < 6; i++) assert_int_equal(answer_of(m[i]), 42 + i % 2);
        for (int i = 0; i < 6; i++) gn_module_release(m[(i * 5) % 6]);
    }
    assert_null(load(c, "same"));
    gn_cache_close(c);
}

/* In a child, what it changes about itself ends with it. */
static inline void in_a_child(int (*body)(void))
{
    int status = 1;
    const pid_t pid = fork();
    if (!pid) _exit(body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) skip();
    assert_int_equal(status, 0);
}
