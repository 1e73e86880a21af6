/* Objects: what is loaded is what was checked, and the loader is given nothing that ends the process. */
#include "cached.h"
#include "elf_check.h"
#include <dlfcn.h>
#include <link.h>

static void what_is_no_object_cannot_be_loaded(void **state)
{
    (void)state;
    gn_cache *c = open_cache("");
    gn_module *m = NULL;
    const gn_key k = key_of("a");
    assert_int_equal(gn_cache_store(c, &k, "no object", 9, "meta", 4, &m), GN_EFORMAT);
    assert_message_contains("it is no ELF file");
    assert_null(m);
    int status = 1;
    const pid_t pid = fork();
    if (!pid) {
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, 0 });
        _exit(gn_cache_store(c, &k, object[0], object_size[0], "meta", 4, &m) != GN_EIO || m ||
              !strstr(gn_message(), "no memory file for generated code: "));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    gn_cache_close(c);
}

/* The number of a descriptor is in the name under which the loader knows a library: it comes again, the name does not,
 * even under a loader that unloads nothing (musl's). */
static int count_descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

static void what_is_loaded_holds_no_descriptor(void **state)
{
    (void)state;
    enum { MANY = 40 };
    gn_module *m[MANY];
    gn_cache *c = open_cache("");
    const int before = count_descriptors();
    for (int i = 0; i < MANY; i++) {
        m[i] = store(c, "a", i & 1);
        if (i % 3 == 0) assert_non_null(dlopen(NULL, RTLD_NOW)); /* the loader is used by others meanwhile */
    }
    for (int i = 0; i < MANY; i++) assert_int_equal(answer_of(m[i]), 42 + (i & 1));
    assert_int_equal(count_descriptors(), before);
    for (int i = 0; i < MANY; i++) gn_module_release(m[i]);
    gn_cache_close(c);
}

/* How gdb, perf and people find the entry of code that runs. */
static void maps_of_memory_tell_the_entry(void **state)
{
    (void)state;
    char line[600], label[GN_CACHE_LABEL];
    const gn_key k = key_of("a");
    gn_cache *c = open_cache("");
    gn_module *m = store(c, "a", 0);
    gn_cache_label(&k, label);
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    bool found = false;
    while (fgets(line, sizeof line, maps)) found |= strstr(line, label) && strstr(line, "r-xp");
    fclose(maps);
    assert_true(found);
    gn_module_release(m);
    gn_cache_close(c);
}

/* ---- objects that lie ---- */

static int load_in_child(const char *bytes, size_t n)
{
    int status = -1;
    const pid_t pid = fork();
    if (!pid) {
        gn_module *m = NULL;
        const gn_status s = gn_module_new(&m, &gn_allocator_libc, "test", bytes, n, "", 0);
        _exit(s == GN_EFORMAT ? 1 : s ? 2 : gn_module_symbol(m, "answer") ? 0 : 3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What an interrupted or confused compiler leaves: the loader would end the process for most of these. */
static void an_object_cut_short_is_refused(void **state)
{
    (void)state;
    const size_t n = object_size[0];
    for (size_t length = 0; length < n; length += 1 + length / 64)
        if (gn_elf_check(object[0], length) != GN_EFORMAT) fail_msg("%zu of %zu bytes pass", length, n);
    assert_int_equal(gn_elf_check(object[0], n), GN_OK);
    assert_int_equal(gn_elf_check(object[1], object_size[1]), GN_OK);
}

static void an_object_with_a_hole_ends_no_process(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* checked code has constructors, which run with the hole in them */
#endif
    const size_t n = object_size[0];
    char *bytes = malloc(n);
    assert_non_null(bytes);
    int refused = 0, loaded = 0;
    for (size_t at = 0; at + 16 < n; at += 32) { /* zeros where the disk was full */
        memcpy(bytes, object[0], n);
        memset(bytes + at, 0, at + 4096 < n && at % 512 == 0 ? 4096 : 16);
        const int end = load_in_child(bytes, n);
        if (end < 0) fail_msg("a hole at %zu of %zu: signal %d", at, n, -end);
        refused += end == 1, loaded += end != 1;
    }
    if (refused < 5 || loaded < 5) fail_msg("%d refused, %d loaded", refused, loaded);
    free(bytes);
}

static void an_object_with_a_name_is_refused(void **state)
{
    (void)state;
    gn_toolchain *t = NULL;
    void *bytes = NULL;
    size_t n = 0;
    gn_module *m = NULL;
    const char *const args[] = { "-Wl,-soname,libc.so.6", NULL };
    assert_int_equal(gn_toolchain_open(&t, &gn_allocator_libc, "cc", NULL), GN_OK);
    assert_int_equal(gn_toolchain_compile(t, "answer", "int answer(void) { return 42; }\n", args, &bytes, &n), GN_OK);
    assert_int_equal(gn_module_new(&m, &gn_allocator_libc, "test", bytes, n, "", 0), GN_EFORMAT);
    assert_message_contains("it has a name of its own (soname)");
    gn_release(&gn_allocator_libc, bytes, n);
    gn_toolchain_close(t);
}

/* Each field of the headers and tables once: the sentence tells which. */
static void each_table_of_an_object_is_checked(void **state)
{
    (void)state;
    const size_t n = object_size[0];
    char *bytes = malloc(n);
    assert_non_null(bytes);
    memcpy(bytes, object[0], n);
    ElfW(Ehdr) *h = (void *)bytes;
    ElfW(Phdr) *p = (void *)(bytes + h->e_phoff);
    ElfW(Phdr) *dynamic = p;
    while (dynamic->p_type != PT_DYNAMIC) dynamic++;
    ElfW(Dyn) *d = (void *)(bytes + dynamic->p_offset);
#define WRONG(place, value, says) \
    do { \
        const uint64_t was = (place); \
        (place) = (value); \
        assert_int_equal(gn_elf_check(bytes, n), GN_EFORMAT); \
        assert_message_contains(says); \
        (place) = was; \
    } while (0)
    WRONG(h->e_type, ET_EXEC, "it is no shared object of this machine");
    WRONG(h->e_machine, EM_MIPS, "it is no shared object of this machine");
    WRONG(h->e_phoff, n, "its program headers lie outside it");
    WRONG(h->e_shoff, n, "its section headers lie outside it");
    WRONG(p[0].p_filesz, n + 1, "a segment lies outside it");
    WRONG(p[0].p_memsz, 0, "a segment's place in memory is wrong");
    WRONG(p[0].p_vaddr, 1, "a segment's place in memory is wrong");
    for (; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_STRTAB) WRONG(d->d_un.d_val, n + 4096, "its table of names is wrong");
        if (d->d_tag == DT_SYMTAB) WRONG(d->d_un.d_val, (uint64_t)1 << 50, "its symbols lie outside it");
        if (d->d_tag == DT_GNU_HASH) WRONG(d->d_un.d_val, (uint64_t)1 << 50, "its hash table is empty");
        if (d->d_tag == DT_GNU_HASH) WRONG(d->d_tag, DT_DEBUG, "it has no hash table");
    }
    WRONG(dynamic->p_filesz, sizeof *d, "its dynamic section has no end");
    WRONG(dynamic->p_vaddr, (uint64_t)1 << 30, "its dynamic section is not loaded");
    WRONG(dynamic->p_type, PT_NOTE, "it has nothing to load");
    assert_int_equal(gn_elf_check(bytes, n), GN_OK);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_object_cannot_be_loaded),
        cmocka_unit_test(what_is_loaded_holds_no_descriptor),
        cmocka_unit_test(maps_of_memory_tell_the_entry),
        cmocka_unit_test(an_object_cut_short_is_refused),
        cmocka_unit_test(an_object_with_a_hole_ends_no_process),
        cmocka_unit_test(an_object_with_a_name_is_refused),
        cmocka_unit_test(each_table_of_an_object_is_checked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
