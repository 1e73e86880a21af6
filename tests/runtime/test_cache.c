/* The cache: what was stored comes back, whatever is wrong with an entry is a miss, and hostile places switch it off. */
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

static int remove_tree(const char *dir)
{
    char command[160];
    snprintf(command, sizeof command, "chmod -R u+rwX '%s'; rm -rf '%s'", dir, dir);
    return system(command);
}

static int setup(void **state)
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

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) gn_release(&gn_allocator_libc, object[i], object_size[i]);
    return remove_tree(base);
}

static gn_cache *open_cache(const char *dir)
{
    gn_cache *c = NULL;
    assert_int_equal(gn_cache_open(&c, &gn_allocator_libc, dir, (int64_t)1 << 30), GN_OK);
    return c;
}

/* A cache in a fresh directory below base. */
static gn_cache *fresh(const char *name, char dir[128])
{
    snprintf(dir, 128, "%s/%s", base, name);
    gn_cache *c = open_cache(dir);
    assert_non_null(gn_cache_dir(c));
    return c;
}

static gn_key key_of(const char *text)
{
    const size_t n = strlen(text);
    return gn_key_of(1, &text, &n);
}

static int answer_of(const gn_module *m)
{
    int (*f)(void);
    *(void **)&f = gn_module_symbol(m, "answer");
    return f ? f() : -1;
}

static gn_module *store(gn_cache *c, const char *key, int which)
{
    gn_module *m = NULL;
    const gn_key k = key_of(key);
    if (gn_cache_store(c, &k, object[which], object_size[which], "answer\nmore", 11, &m)) fail_msg("%s", gn_message());
    assert_non_null(m);
    return m;
}

static gn_module *load(gn_cache *c, const char *key)
{
    const gn_key k = key_of(key);
    return gn_cache_load(c, &k);
}

static void path_of(const gn_cache *c, const char *key, char path[256])
{
    char hex[65];
    const gn_key k = key_of(key);
    gn_key_hex(&k, hex);
    snprintf(path, 256, "%s/v1/%.2s/%s.so", gn_cache_dir(c), hex, hex);
}

static void what_was_stored_comes_back(void **state)
{
    (void)state;
    char dir[128], path[256];
    size_t n = 0;
    gn_cache *c = fresh("back", dir);
    assert_null(load(c, "a"));
    gn_module *m = store(c, "a", 0), *again = load(c, "a"), *other = store(c, "b", 1);
    assert_int_equal(answer_of(m), 42);
    assert_int_equal(answer_of(again), 42);
    assert_int_equal(answer_of(other), 43);
    assert_string_equal(gn_module_meta(again, &n), "answer\nmore");
    assert_int_equal(n, 11);
    path_of(c, "a", path);
    assert_string_equal(gn_module_path(again), path);
    gn_module_release(m), gn_module_release(again), gn_module_release(other);
    gn_cache_close(c);
}

static void an_entry_may_hold_text_alone(void **state)
{
    (void)state;
    char dir[128];
    gn_cache *c = fresh("text", dir);
    gn_module *m = NULL;
    const gn_key k = key_of("t");
    assert_int_equal(gn_cache_store(c, &k, NULL, 0, "only words", 10, &m), GN_OK);
    gn_module_release(m);
    m = gn_cache_load(c, &k);
    assert_non_null(m);
    assert_string_equal(gn_module_meta(m, NULL), "only words");
    assert_null(gn_module_symbol(m, "answer"));
    gn_module_release(m);
    gn_cache_close(c);
}

static void keys_of_different_fields_differ(void **state)
{
    (void)state;
    const char *ab_c[] = { "ab", "c" }, *a_bc[] = { "a", "bc" }, *abc[] = { "abc" }, *abc_[] = { "abc", "" };
    const gn_key k[] = { gn_key_of(2, ab_c, (size_t[]){ 2, 1 }), gn_key_of(2, a_bc, (size_t[]){ 1, 2 }), gn_key_of(1, abc, (size_t[]){ 3 }),
                         gn_key_of(2, abc_, (size_t[]){ 3, 0 }) };
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++) assert_memory_not_equal(&k[i], &k[j], sizeof k[i]);
    const gn_key again = gn_key_of(2, ab_c, (size_t[]){ 2, 1 });
    assert_memory_equal(&k[0], &again, sizeof again);
}

static char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *n = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

static void write_file(const char *path, const char *bytes, size_t n)
{
    unlink(path);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    assert_int_equal(chmod(path, 0600), 0);
}

static void every_altered_byte_is_a_miss(void **state)
{
    (void)state;
    char dir[128], path[256];
    size_t n;
    gn_cache *c = fresh("bytes", dir);
    gn_module_release(store(c, "a", 0));
    path_of(c, "a", path);
    char *bytes = read_file(path, &n);
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0 && n > 1000);
    for (size_t i = 0; i < n; i++) {
        const char wrong = (char)(bytes[i] ^ (1 << i % 8));
        assert_int_equal(pwrite(fd, &wrong, 1, (off_t)i), 1);
        gn_module *m = load(c, "a");
        if (m) fail_msg("byte %zu of %zu was altered and the entry was loaded", i, n);
        assert_int_equal(pwrite(fd, bytes + i, 1, (off_t)i), 1);
    }
    close(fd);
    gn_module *m = load(c, "a");
    assert_non_null(m);
    gn_module_release(m);
    free(bytes);
    gn_cache_close(c);
}

static void every_truncation_is_a_miss(void **state)
{
    (void)state;
    char dir[128], path[256];
    size_t n;
    gn_cache *c = fresh("cut", dir);
    gn_module_release(store(c, "a", 0));
    path_of(c, "a", path);
    char *bytes = read_file(path, &n);
    for (size_t length = n; length-- > 0;) {
        assert_int_equal(truncate(path, (off_t)length), 0);
        if (load(c, "a")) fail_msg("cut to %zu of %zu and loaded", length, n);
    }
    gn_module *m = store(c, "a", 0); /* a bad entry is replaced */
    assert_int_equal(answer_of(m), 42);
    assert_non_null(gn_module_path(m));
    gn_module_release(m);
    write_file(path, bytes, n);
    assert_int_equal(chmod(path, 0620), 0);
    assert_null(load(c, "a"));
    free(bytes);
    gn_cache_close(c);
}

static void a_swapped_entry_is_a_miss(void **state)
{
    (void)state;
    char dir[128], a[256], b[256];
    size_t n;
    gn_cache *c = fresh("swap", dir);
    gn_module_release(store(c, "a", 0));
    gn_module_release(store(c, "b", 1));
    path_of(c, "a", a), path_of(c, "b", b);
    char *bytes = read_file(b, &n);
    write_file(a, bytes, n);
    assert_null(load(c, "a"));
    unlink(a);
    assert_int_equal(symlink(b, a), 0);
    assert_null(load(c, "a"));
    unlink(a);
    assert_int_equal(mkfifo(a, 0600), 0);
    assert_null(load(c, "a"));
    unlink(a);
    assert_int_equal(mkdir(a, 0700), 0);
    assert_null(load(c, "a"));
    gn_module *m = store(c, "a", 0); /* the place cannot be taken: from memory */
    assert_int_equal(answer_of(m), 42);
    assert_null(gn_module_path(m));
    gn_module_release(m);
    free(bytes);
    gn_cache_close(c);
}

/* With the cache off, code runs from memory, and several at once do not meet. */
static void works_from_memory(gn_cache *c)
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

static void code_runs_from_memory_when_the_cache_is_off(void **state)
{
    (void)state;
    works_from_memory(open_cache(""));
    works_from_memory(open_cache(NULL));
}

static void a_directory_that_others_may_write_is_refused(void **state)
{
    (void)state;
    char dir[128];
    snprintf(dir, sizeof dir, "%s/open", base);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(chmod(dir, 0770), 0);
    gn_cache *c = open_cache(dir);
    assert_message_contains("may be written by others");
    works_from_memory(c);
    assert_int_equal(chmod(dir, 0707), 0);
    works_from_memory(open_cache(dir));
    assert_int_equal(chmod(dir, 0700), 0);
    c = open_cache(dir);
    assert_non_null(gn_cache_dir(c));
    gn_cache_close(c);
    snprintf(dir, sizeof dir, "%s/open/v1", base);
    assert_int_equal(chmod(dir, 0720), 0);
    snprintf(dir, sizeof dir, "%s/open", base);
    works_from_memory(open_cache(dir));
}

static void a_directory_of_another_user_is_refused(void **state)
{
    (void)state;
    char dir[128];
    if (geteuid()) skip();
    snprintf(dir, sizeof dir, "%s/other", base);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(chown(dir, 12345, 12345), 0);
    works_from_memory(open_cache(dir));
}

static void a_linked_directory_and_a_file_are_refused(void **state)
{
    (void)state;
    char dir[128], to[128];
    snprintf(dir, sizeof dir, "%s/link", base);
    snprintf(to, sizeof to, "%s/target", base);
    assert_int_equal(mkdir(to, 0700), 0);
    assert_int_equal(symlink(to, dir), 0);
    works_from_memory(open_cache(dir));
    snprintf(dir, sizeof dir, "%s/file", base);
    write_file(dir, "x", 1);
    works_from_memory(open_cache(dir));
    snprintf(dir, sizeof dir, "%s/file/below", base);
    works_from_memory(open_cache(dir));
}

static int count_files(const char *dir, const char *prefix)
{
    char command[256];
    int n = -1;
    snprintf(command, sizeof command, "find '%s' -type f -name '%s*' | wc -l", dir, prefix);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    if (fscanf(p, "%d", &n) != 1) n = -1;
    pclose(p);
    return n;
}

static void a_full_disk_is_no_error(void **state)
{
    (void)state;
    char dir[128];
    gn_cache *c = fresh("full", dir);
    int status = 1;
    const pid_t pid = fork(); /* the limit also holds for the memory file, so only a child with a small object shows the disk's part */
    if (!pid) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ object_size[0] + 20, object_size[0] + 20 }); /* the object fits, the entry does not */
        gn_module *m = NULL;
        const gn_key k = key_of("a");
        const gn_status s = gn_cache_store(c, &k, object[0], object_size[0], "meta", 4, &m);
        _exit(s || !m || gn_module_path(m) || answer_of(m) != 42);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(count_files(dir, ".new"), 0);
    assert_null(load(c, "a"));
    gn_cache_close(c);
}

static void a_killed_writer_leaves_whole_entries_or_none(void **state)
{
    (void)state;
    char dir[128];
    gn_cache *c = fresh("killed", dir);
    uint64_t seed = test_seed();
    for (int i = 0; i < 40; i++) {
        const pid_t pid = fork();
        if (!pid) {
            for (int k = 0;; k++) {
                char key[32];
                snprintf(key, sizeof key, "%d", k % 20);
                gn_module_release(store(c, key, k % 20 & 1));
            }
        }
        const struct timespec pause = { 0, (long)(test_random(&seed) % 3000000) };
        nanosleep(&pause, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        for (int k = 0; k < 20; k++) {
            char key[32];
            snprintf(key, sizeof key, "%d", k);
            gn_module *m = load(c, key);
            if (m) assert_int_equal(answer_of(m), 42 + (k & 1));
            gn_module_release(m);
        }
    }
    assert_int_equal(gn_cache_prune(c, (int64_t)1 << 30, NULL), GN_OK);
    assert_int_equal(count_files(dir, ".new"), 0); /* what the dead left is gone */
    gn_cache_close(c);
}

static void processes_share_a_cold_directory(void **state)
{
    (void)state;
    char dir[128];
    snprintf(dir, sizeof dir, "%s/cold/deep", base);
    pid_t pid[4];
    for (int i = 0; i < 4; i++) {
        if ((pid[i] = fork())) continue;
        gn_cache *c = open_cache(dir);
        int bad = !gn_cache_dir(c);
        for (int k = 0; k < 200; k++) {
            char key[32];
            snprintf(key, sizeof key, "%d", k % 16);
            gn_module *m = load(c, key);
            if (!m) m = store(c, key, k & 1);
            bad |= answer_of(m) != 42 + (k & 1);
            gn_module_release(m);
            if (i == 3 && k % 20 == 0) gn_cache_prune(c, 0, NULL); /* one of them clears */
        }
        _exit(bad);
    }
    for (int i = 0; i < 4; i++) {
        int status = 1;
        waitpid(pid[i], &status, 0);
        assert_int_equal(status, 0);
    }
}

typedef struct seen {
    int n, bad;
    int64_t bytes;
    char name[64];
} seen;

static void see(void *user, const gn_cache_entry *e)
{
    seen *s = user;
    s->n++, s->bad += !e->good, s->bytes += e->bytes;
    snprintf(s->name, sizeof s->name, "%s", e->name);
}

static void the_walk_lists_and_verifies(void **state)
{
    (void)state;
    char dir[128], path[256];
    gn_cache *c = fresh("walk", dir);
    for (int i = 0; i < 5; i++) gn_module_release(store(c, (const char[]){ (char)('a' + i), 0 }, i & 1));
    seen s = { 0 };
    assert_int_equal(gn_cache_walk(c, true, see, &s), GN_OK);
    assert_int_equal(s.n, 5), assert_int_equal(s.bad, 0);
    assert_string_equal(s.name, "answer");
    path_of(c, "c", path);
    assert_int_equal(truncate(path, 100), 0);
    s = (seen){ 0 };
    assert_int_equal(gn_cache_walk(c, true, see, &s), GN_OK);
    assert_int_equal(s.n, 5), assert_int_equal(s.bad, 1);
    gn_cache_close(c);
}

static void pruning_takes_the_oldest(void **state)
{
    (void)state;
    char dir[128], path[256];
    int64_t removed = 0;
    gn_cache *c = fresh("prune", dir);
    for (int i = 0; i < 4; i++) {
        const char key[] = { (char)('a' + i), 0 };
        gn_module_release(store(c, key, 0));
        path_of(c, key, path);
        const struct timespec times[2] = { { 1000 + 10 * i, 0 }, { 1000 + 10 * i, 0 } };
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    path_of(c, "a", path);
    strcpy(path + strlen(path) - 2, "c");
    write_file(path, "source", 6);
    assert_int_equal(gn_cache_prune(c, 2 * st.st_size, &removed), GN_OK);
    assert_int_equal(access(path, F_OK), -1); /* its source went with it */
    assert_int_equal(removed, 2 * st.st_size);
    assert_null(load(c, "a")), assert_null(load(c, "b"));
    gn_module *m = load(c, "d");
    assert_non_null(m);
    gn_module_release(m);
    gn_cache_close(c);
}

static void the_bound_holds(void **state)
{
    (void)state;
    char dir[128];
    gn_cache *c = NULL;
    const int64_t bound = 20 * (int64_t)object_size[0];
    snprintf(dir, sizeof dir, "%s/bound", base);
    assert_int_equal(gn_cache_open(&c, &gn_allocator_libc, dir, bound), GN_OK);
    for (int i = 0; i < 60; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        gn_module_release(store(c, key, 0));
    }
    seen s = { 0 };
    assert_int_equal(gn_cache_walk(c, false, see, &s), GN_OK);
    assert_true(s.bytes <= bound + bound / 8 && s.n > 5);
    gn_cache_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_stored_comes_back),
        cmocka_unit_test(an_entry_may_hold_text_alone),
        cmocka_unit_test(keys_of_different_fields_differ),
        cmocka_unit_test(every_altered_byte_is_a_miss),
        cmocka_unit_test(every_truncation_is_a_miss),
        cmocka_unit_test(a_swapped_entry_is_a_miss),
        cmocka_unit_test(code_runs_from_memory_when_the_cache_is_off),
        cmocka_unit_test(a_directory_that_others_may_write_is_refused),
        cmocka_unit_test(a_directory_of_another_user_is_refused),
        cmocka_unit_test(a_linked_directory_and_a_file_are_refused),
        cmocka_unit_test(a_full_disk_is_no_error),
        cmocka_unit_test(a_killed_writer_leaves_whole_entries_or_none),
        cmocka_unit_test(processes_share_a_cold_directory),
        cmocka_unit_test(the_walk_lists_and_verifies),
        cmocka_unit_test(pruning_takes_the_oldest),
        cmocka_unit_test(the_bound_holds),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
