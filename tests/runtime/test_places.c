/* The places of a cache: it holds code that this process will execute, so every directory on the way to it must be the
 * user's or root's, and nobody else may write one. */
#include <errno.h>
#include "cached.h"

static void refuse_directory(const char *dir, const char *says)
{
    gn_cache *const c = open_cache(dir);
    assert_message_contains(says);
    works_from_memory(c);
}

static void accept_directory(const char *dir)
{
    gn_cache *const c = open_cache(dir);
    if (!gn_cache_dir(c)) fail_msg("%s is refused: %s", dir, gn_message());
    gn_module_release(store(c, "a", 0));
    gn_module *m = load(c, "a");
    assert_int_equal(answer_of(m), 42);
    gn_module_release(m);
    gn_cache_close(c);
}

/* A directory below base, of this mode whatever the umask, and of that user and group where this one may give it away. */
static const char *make_dir(const char *name, mode_t mode, int owner, int group)
{
    static char path[4][128];
    static int turn;
    char *dir = path[turn++ % 4];
    snprintf(dir, 128, "%s/%s", base, name);
    assert_int_equal(mkdir(dir, 0700), 0);
    if (owner >= 0 || group >= 0) assert_int_equal(chown(dir, (uid_t)owner, (gid_t)group), 0);
    assert_int_equal(chmod(dir, mode), 0);
    return dir;
}

static const char *below(const char *dir)
{
    static char path[4][160];
    static int turn;
    snprintf(path[turn % 4], 160, "%s/c", dir);
    return path[turn++ % 4];
}

static void a_directory_that_others_may_write_is_refused(void **state)
{
    (void)state;
    const char *dir = make_dir("all", 0707, -1, -1);
    refuse_directory(dir, "/all may be written by others (mode 0707)");
    assert_int_equal(chmod(dir, 0755), 0);
    accept_directory(dir);
    char inner[160];
    snprintf(inner, sizeof inner, "%s/v1", dir);
    assert_int_equal(chmod(inner, 0702), 0);
    refuse_directory(dir, "/all/v1 may be written by others (mode 0702)");
    assert_int_equal(chmod(inner, 01702), 0); /* sticky: others could still put entries there */
    refuse_directory(dir, "/all/v1 may be written by others (mode 1702)");
}

static void every_directory_above_is_judged(void **state)
{
    (void)state;
    const char *dir = make_dir("open", 0777, -1, -1);
    refuse_directory(below(dir), "/open may be written by others (mode 0777)");
    assert_int_equal(chmod(dir, 01777), 0); /* as /tmp is: what others make there is judged in its turn */
    accept_directory(below(dir));
    if (geteuid()) skip();
    refuse_directory(below(make_dir("other", 0755, 12345, 12345)), "/other belongs to user 12345, not to user 0");
    refuse_directory(make_dir("mine", 0755, 12345, 0), "/mine belongs to user 12345, not to user 0");
    refuse_directory(below(make_dir("team", 0775, -1, 12345)), "/team may be written by others (mode 0775)");
    accept_directory(make_dir("own", 0775, -1, 0)); /* the group of root's name, in which nobody else is */
}

static void links_are_followed_if_nobody_else_made_them(void **state)
{
    (void)state;
    char link[128], inner[160];
    const char *to = make_dir("target", 0700, -1, -1);
    snprintf(link, sizeof link, "%s/link", base);
    assert_int_equal(symlink(to, link), 0);
    accept_directory(link);
    accept_directory(below(link));
    gn_cache *c = open_cache(below(link));
    snprintf(inner, sizeof inner, "%s/c", to);
    assert_string_equal(gn_cache_dir(c), inner); /* where it is, not how it was reached */
    gn_cache_close(c);
    unlink(link);
    assert_int_equal(symlink("target/../target/./c", link), 0);
    accept_directory(link);
    unlink(link);
    assert_int_equal(symlink("link", link), 0);
    refuse_directory(link, "leads too far");
    unlink(link);
    assert_int_equal(symlink(to, link), 0);
    if (geteuid()) skip();
    assert_int_equal(lchown(link, 12345, 12345), 0);
    refuse_directory(below(link), "has a symbolic link of another user in it");
}

static void what_is_no_directory_is_refused(void **state)
{
    (void)state;
    char dir[128], name[400];
    snprintf(dir, sizeof dir, "%s/file", base);
    write_file(dir, "x", 1);
    refuse_directory(dir, "/file is no directory");
    refuse_directory(below(dir), "/file is no directory");
    refuse_directory("/dev/null/x", "/dev/null is no directory");
    refuse_directory("/proc/self/c", "cannot be opened or made");
    memset(name, 'n', sizeof name - 1);
    name[0] = '/', name[sizeof name - 1] = '\0';
    refuse_directory(name, "has a name in it that is too long");
    char *far = malloc(6000);
    assert_non_null(far);
    for (int i = 0; i < 2999; i++) memcpy(far + 2 * i, "/n", 3);
    refuse_directory(far, strerror(ENAMETOOLONG));
    free(far);
}

static void odd_names_are_names(void **state)
{
    (void)state;
    static const char *const names[] = { "a b", "x$LIB", "${ORIGIN}", "p;q:r", "it's %s %n \"x\"", "two\nlines", "ü ♥" };
    char dir[160];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(dir, sizeof dir, "%s/%s", base, names[i]);
        accept_directory(dir);
    }
    char here[256];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(base), 0);
    accept_directory("relative/place");
    assert_int_equal(chdir(here), 0);
    snprintf(dir, sizeof dir, "%s/relative/place/v1", base);
    assert_int_equal(access(dir, R_OK), 0);
}

static int live_without_a_mask(void)
{
    char dir[160];
    umask(0777);
    if (!geteuid() && (setgid(12345) || setuid(12345))) return 77; /* root may read what nobody may */
    snprintf(dir, sizeof dir, "/tmp/gnomon-mask-%ld/c/d", (long)getpid());
    gn_cache *c = open_cache(dir);
    if (!gn_cache_dir(c)) return 1;
    gn_module_release(store(c, "a", 0));
    gn_module *m = load(c, "a");
    const int bad = answer_of(m) != 42;
    gn_module_release(m);
    gn_cache_close(c);
    dir[strlen(dir) - 4] = '\0';
    return bad || remove_tree(dir) ? 2 : 0;
}

static void a_umask_that_takes_all_rights_takes_none_of_ours(void **state)
{
    (void)state;
    in_a_child(live_without_a_mask);
}

static char full_dir[128];

static int fill_the_disk(void)
{
    gn_module *m = NULL;
    const gn_key k = key_of("a");
    gn_cache *c = open_cache(full_dir);
    sigset_t waiting;
    /* the object fits, the entry does not */
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ object_size[0] + 20, object_size[0] + 20 });
    if (gn_cache_store(c, &k, object[0], object_size[0], "meta", 4, &m) || !m || gn_module_path(m) ||
        answer_of(m) != 42)
        return 1;
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100, object_size[0] + 20 }); /* now the memory file does not */
    if (gn_cache_store(c, &k, object[0], object_size[0], "meta", 4, &m) != GN_EIO ||
        !strstr(gn_message(), "no memory file for generated code: "))
        return 2;
    return sigpending(&waiting) || sigismember(&waiting, SIGXFSZ) ? 3 : 0; /* the signal was not put off until later */
}

/* A limit on file sizes stands for the full disk: the signal that comes with it must not end the host. */
static void a_full_disk_is_no_error(void **state)
{
    (void)state;
    gn_cache_close(fresh("full", full_dir));
    in_a_child(fill_the_disk);
    assert_int_equal(count_files(full_dir, ".new"), 0);
    gn_cache *c = open_cache(full_dir);
    assert_null(load(c, "a"));
    gn_cache_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_that_others_may_write_is_refused),
        cmocka_unit_test(every_directory_above_is_judged),
        cmocka_unit_test(links_are_followed_if_nobody_else_made_them),
        cmocka_unit_test(what_is_no_directory_is_refused),
        cmocka_unit_test(odd_names_are_names),
        cmocka_unit_test(a_umask_that_takes_all_rights_takes_none_of_ours),
        cmocka_unit_test(a_full_disk_is_no_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
