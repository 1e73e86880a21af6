/* Toolchain "cc": any driver that speaks gcc's language, as a child process, in a private temporary directory and with
 * an environment made for it, so that no variable of the caller's (CPATH, COMPILER_PATH, GCC_EXEC_PREFIX, ..) changes
 * the code and not its key. */
#include "toolchain_state.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "files.h"

/* ---- a directory of our own, with the source and the result in it ---- */

typedef struct workplace {
    int parent, fd;
    char name[48];               /* in parent */
    char dir[PATH_MAX];
    char source[PATH_MAX], result[PATH_MAX + 8];
} workplace;

/* What processes left that are gone. A number may be that of a living process elsewhere, so what is fresh stays. */
static void sweep(int parent)
{
    const int fd = openat(parent, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d && fd >= 0) close(fd);
    for (const struct dirent *e; d && (e = readdir(d));) {
        struct stat st;
        long pid = 0;
        if (sscanf(e->d_name, "gnomon-%ld-", &pid) != 1 || pid <= 0 || !kill((pid_t)pid, 0) || errno != ESRCH) continue;
        if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) || st.st_uid != geteuid() ||
            time(NULL) - st.st_mtime < 600)
            continue;
        gn_remove_tree(fd, e->d_name);
    }
    if (d) closedir(d);
}

static bool make_own(workplace *w)
{
    static atomic_uint counter;
    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t salt = 0;
        if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) < 0) salt = (uint64_t)time(NULL);
        snprintf(w->name, sizeof w->name, "gnomon-%ld-%08x%x", (long)getpid(), (unsigned)salt,
                 atomic_fetch_add(&counter, 1));
        if (mkdirat(w->parent, w->name, 0700)) {
            if (errno != EEXIST) return false;
            continue;
        }
        w->fd = openat(w->parent, w->name, O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC);
        if (w->fd >= 0 && !fchmodat(w->parent, w->name, 0700, 0)) return true; /* the umask may have taken our own rights */
        unlinkat(w->parent, w->name, AT_REMOVEDIR);
        return false;
    }
    return false;
}

static gn_status workplace_open(workplace *w, const char *name)
{
    static atomic_flag swept = ATOMIC_FLAG_INIT;
    const char *tmp = secure_getenv("TMPDIR");
    char real[PATH_MAX];
    *w = (workplace){ .parent = gn_open_safe(tmp && *tmp ? tmp : "/tmp", real), .fd = -1 };
    if (w->parent < 0) return gn_error_add("(the temporary directory for the C compiler; $TMPDIR says where)"), GN_EIO;
    if (!atomic_flag_test_and_set(&swept)) sweep(w->parent);
    if (!make_own(w)) {
        const gn_status s = gn_error(GN_EIO, "no temporary directory in %s: %s", real, strerror(errno));
        close(w->parent);
        return s;
    }
    const int n = snprintf(w->dir, sizeof w->dir, "%s/%s", real, w->name),
              m = snprintf(w->source, sizeof w->source, "%s/%.40s.c", w->dir, name);
    snprintf(w->result, sizeof w->result, "%s/result", w->dir);
    if (n < PATH_MAX && m < PATH_MAX) return GN_OK;
    gn_remove_tree(w->parent, w->name);
    close(w->fd), close(w->parent);
    return gn_error(GN_EIO, "the path of the temporary directory is too long");
}

static void workplace_close(const workplace *w)
{
    gn_remove_tree(w->parent, w->name);
    close(w->fd);
    close(w->parent);
}

static gn_status write_source(const workplace *w, const char *source)
{
    const int fd = openat(w->fd, strrchr(w->source, '/') + 1, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
    bool good = fd >= 0 && !fchmod(fd, 0600) && gn_write_all(fd, source, strlen(source));
    const int e = errno;
    if (fd >= 0) close(fd);
    return good ? GN_OK : gn_error(GN_EIO, "cannot write %s: %s", w->source, strerror(e));
}

static gn_status read_result(const workplace *w, gn_bytes *out)
{
    char chunk[1 << 14];
    ssize_t n;
    const int fd = openat(w->fd, "result", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return gn_error(GN_ECOMPILER, "the compiler left no result: %s", strerror(errno));
    while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0) gn_bytes_add(out, chunk, (size_t)n);
    const int e = errno;
    close(fd);
    if (n < 0) return gn_error(GN_EIO, "cannot read %s: %s", w->result, strerror(e));
    if (out->failed) return GN_ENOMEM;
    return out->n ? GN_OK : gn_error(GN_ECOMPILER, "the compiler left an empty result");
}

/* ---- the child ---- */

enum { MAX_ENV = 64 };

typedef struct environment {
    const char *at[MAX_ENV + 4];
    char path[PATH_MAX + 64], tmp[PATH_MAX + 8], *lines;
    size_t lines_size;
} environment;

/* The compiler finds its assembler and linker as it would for any other user of this machine: beside itself, then in
 * the usual places. */
static gn_status make_environment(const gn_toolchain *t, const workplace *w, environment *e)
{
    size_t n = 0;
    const int dir = (int)(strrchr(t->cc_path, '/') - t->cc_path);
    snprintf(e->path, sizeof e->path, "PATH=%.*s:/usr/local/bin:/usr/bin:/bin", dir, t->cc_path);
    e->at[n++] = e->path;
    e->at[n++] = "LC_ALL=C";
    if (w) snprintf(e->tmp, sizeof e->tmp, "TMPDIR=%s", w->dir), e->at[n++] = e->tmp;
    e->lines_size = strlen(t->env) + 1;
    if (!(e->lines = gn_alloc_string(t->allocator, t->env))) return GN_ENOMEM;
    for (char *line = e->lines, *end; *line && n < MAX_ENV + 3; line = end) {
        end = line + strcspn(line, "\n");
        if (*end) *end++ = '\0';
        e->at[n++] = line;
    }
    e->at[n] = NULL;
    return GN_OK;
}

/* The words of the command, the first being the path that was found. A command that is itself the path of a program is
 * one word. */
static bool add_command(gn_args *a, const gn_toolchain *t)
{
    if (!access(t->cc, X_OK) && strchr(t->cc, '/')) return gn_args_add(a, t->cc_path);
    if (!gn_args_words(a, t->cc)) return false;
    a->at[0] = t->cc_path;
    return true;
}

static gn_status run(const gn_toolchain *t, const workplace *w, const gn_args *a, int seconds, gn_bytes *words,
                     gn_child_end *end)
{
    environment e;
    gn_status s = make_environment(t, w, &e);
    if (s) return s;
    s = gn_spawn(&(gn_child){ .path = t->cc_path, .argv = a->at, .env = e.at, .seconds = seconds }, words, end);
    gn_release(t->allocator, e.lines, e.lines_size);
    return s;
}

gn_status gn_cc_version(const gn_toolchain *t, gn_bytes *line)
{
    enum { SECONDS = 20 };
    gn_args a = { .n = 0 };
    gn_child_end end;
    gn_bytes words = { .allocator = t->allocator };
    if (!add_command(&a, t) || !gn_args_add(&a, "--version"))
        return gn_error(GN_EINVAL, "the command of the C compiler is too long: '%s'", t->cc);
    gn_status s = run(t, NULL, &a, t->seconds < SECONDS ? t->seconds : SECONDS, &words, &end);
    if (!s && end.late) s = gn_error(GN_ECOMPILER, "%s does not answer to --version", t->cc);
    if (!s && words.failed) s = GN_ENOMEM;
    if (!s) gn_bytes_add(line, gn_bytes_text(&words), strcspn(gn_bytes_text(&words), "\n"));
    gn_bytes_free(&words);
    return s;
}

static gn_status judge(const gn_toolchain *t, const gn_child_end *end, gn_bytes *words, gn_trouble *trouble)
{
    const char *said = gn_bytes_text(words);
    if (end->late) *trouble = GN_TROUBLE_LATE;
    if (end->late) return gn_error(GN_ECOMPILER, "%s was not done after %d seconds:\n%.8000s", t->cc, t->seconds, said);
    if (end->chatty) return gn_error(GN_ECOMPILER, "%s printed without end:\n%.8000s", t->cc, said);
    if (end->lost || (WIFEXITED(end->status) && !WEXITSTATUS(end->status))) return GN_OK;
    const bool exited = WIFEXITED(end->status);
    return gn_error(GN_ECOMPILER, "%s failed (%s %d):\n%.8000s", t->cc, exited ? "status" : "signal",
                    exited ? WEXITSTATUS(end->status) : WTERMSIG(end->status), said);
}

static gn_status run_compiler(const gn_toolchain *t, const workplace *w, const char *const *args, bool assembly,
                              gn_bytes *out, gn_trouble *trouble)
{
    gn_args a = { .n = 0 };
    gn_bytes words = { .allocator = t->allocator };
    gn_child_end end;
    if (!add_command(&a, t) || !gn_args_for_cc(&a, t->cc_is_clang, args) || (assembly && !gn_args_add(&a, "-S")) ||
        !gn_args_add(&a, "-o") || !gn_args_add(&a, w->result) || !gn_args_add(&a, w->source))
        return gn_error(GN_EINVAL, "too many arguments for the C compiler '%s'", t->cc);
    gn_status s = run(t, w, &a, t->seconds, &words, &end);
    if (!s) s = judge(t, &end, &words, trouble);
    /* its status may be lost */
    if (!s && (s = read_result(w, out)) && words.n) gn_error_add("%s: %.8000s", t->cc, gn_bytes_text(&words));
    gn_bytes_free(&words);
    return s;
}

gn_status gn_cc_compile(const gn_toolchain *t, const char *name, const char *source, const char *const *args, bool assembly,
                        gn_bytes *out, gn_trouble *trouble)
{
    workplace w;
    gn_status s = workplace_open(&w, name);
    if (s) return s;
    if (!(s = write_source(&w, source))) s = run_compiler(t, &w, args, assembly, out, trouble);
    workplace_close(&w);
    return s;
}
