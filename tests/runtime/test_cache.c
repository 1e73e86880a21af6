/* The cache: what was stored comes back, whatever is wrong with an entry is a miss, and hostile places switch it off. */
#include "cached.h"
#include "cache_state.h"
#include "failing_alloc.h"
#include <sodium.h>

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
    const gn_key k[] = { gn_key_of(2, ab_c, (size_t[]){ 2, 1 }), gn_key_of(2, a_bc, (size_t[]){ 1, 2 }),
                         gn_key_of(1, abc, (size_t[]){ 3 }), gn_key_of(2, abc_, (size_t[]){ 3, 0 }) };
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++) assert_memory_not_equal(&k[i], &k[j], sizeof k[i]);
    const gn_key again = gn_key_of(2, ab_c, (size_t[]){ 2, 1 });
    assert_memory_equal(&k[0], &again, sizeof again);
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
        assert_message_contains("its hash is wrong");
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
    assert_message_contains("others may write it");
    write_file(path, bytes, 60);
    assert_null(load(c, "a"));
    assert_message_contains("its size is wrong");
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
    assert_message_contains("it belongs to another key");
    unlink(a);
    assert_int_equal(symlink(b, a), 0);
    assert_null(load(c, "a"));
    unlink(a);
    assert_int_equal(mkfifo(a, 0600), 0);
    assert_null(load(c, "a"));
    unlink(a);
    assert_int_equal(mkdir(a, 0700), 0);
    assert_null(load(c, "a"));
    assert_message_contains("it is no regular file");
    gn_module *m = store(c, "a", 0); /* the place cannot be taken: from memory */
    assert_int_equal(answer_of(m), 42);
    assert_null(gn_module_path(m));
    gn_module_release(m);
    free(bytes);
    gn_cache_close(c);
}

/* The trailer of an entry with a good hash that says something else: what it ends in, beginning at its key. */
static void refuse_trailer(gn_cache *c, char *bytes, size_t n, const char *path, const char *says)
{
    crypto_generichash((unsigned char *)bytes + n - 32, 32, (const unsigned char *)bytes, n - 32, NULL, 0);
    write_file(path, bytes, n);
    assert_null(load(c, "a"));
    assert_message_contains(says);
}

static void a_trailer_that_lies_is_a_miss(void **state)
{
    (void)state;
    char dir[128], path[256];
    size_t n;
    gn_cache *c = fresh("trailer", dir);
    gn_module_release(store(c, "a", 0));
    path_of(c, "a", path);
    char *bytes = read_file(path, &n), *const sizes = bytes + n - GN_TRAILER + 32, *const version = sizes + 16;
    version[7] ^= 1;
    refuse_trailer(c, bytes, n, path, "it is of another version");
    version[7] ^= 1;
    sizes[0] ^= 1;
    refuse_trailer(c, bytes, n, path, "its sizes are wrong");
    sizes[0] ^= 1, sizes[7] ^= 0x40;
    refuse_trailer(c, bytes, n, path, "its sizes are wrong");
    gn_entry e;
    const gn_key k = key_of("a");
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(gn_entry_read(&gn_allocator_libc, fd, &k, &e), GN_EFORMAT);
    assert_message_contains("cannot be read whole");
    close(fd);
    free(bytes);
    gn_cache_close(c);
}

static int store_and_list(const gn_allocator *a)
{
    static int turn;
    char dir[128];
    gn_cache *c = NULL;
    gn_module *m = NULL;
    const gn_key k = key_of("a");
    snprintf(dir, sizeof dir, "%s/scarce-%d", base, turn++);
    gn_status s = gn_cache_open(&c, a, dir, (int64_t)1 << 30);
    if (!s) s = gn_cache_store(c, &k, object[0], object_size[0], "meta", 4, &m);
    if (!s) s = gn_cache_prune(c, (int64_t)1 << 30, NULL);
    if (s) assert_int_equal(s, GN_ENOMEM);
    if (s) assert_message_contains("out of memory");
    gn_module_release(m);
    gn_cache_close(c);
    return s;
}

static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    assert_true(survive_refusals(store_and_list, false) > 5);
    assert_true(survive_refusals(store_and_list, true) > 5);
}

static void code_runs_from_memory_when_the_cache_is_off(void **state)
{
    (void)state;
    works_from_memory(open_cache(""));
    works_from_memory(open_cache(NULL));
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
        cmocka_unit_test(a_trailer_that_lies_is_a_miss),
        cmocka_unit_test(memory_that_runs_out_is_told),
        cmocka_unit_test(code_runs_from_memory_when_the_cache_is_off),
        cmocka_unit_test(processes_share_a_cold_directory),
        cmocka_unit_test(the_walk_lists_and_verifies),
        cmocka_unit_test(pruning_takes_the_oldest),
        cmocka_unit_test(the_bound_holds),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
