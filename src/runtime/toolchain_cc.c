/* Toolchain "cc": any driver that speaks gcc's language, as a child process, in a private temporary directory. */
#include "toolchain_state.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct workplace { /* a directory of our own, with the source and the result in it */
    char dir[256], source[320], result[320];
} workplace;

static gn_status workplace_open(workplace *w, const char *name)
{
    const char *tmp = secure_getenv("TMPDIR");
    const int n = snprintf(w->dir, sizeof w->dir, "%s/gnomon-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (n < 0 || (size_t)n >= sizeof w->dir) return gn_error(GN_EIO, "the path of the temporary directory is too long");
    if (!mkdtemp(w->dir)) return gn_error(GN_EIO, "no temporary directory %s: %s", w->dir, strerror(errno));
    snprintf(w->source, sizeof w->source, "%s/%.40s.c", w->dir, name);
    snprintf(w->result, sizeof w->result, "%s/result", w->dir);
    return GN_OK;
}

static void workplace_close(const workplace *w)
{
    unlink(w->source);
    unlink(w->result);
    rmdir(w->dir);
}

static gn_status write_source(const workplace *w, const char *source)
{
    FILE *f = fopen(w->source, "we");
    if (!f) return gn_error(GN_EIO, "cannot write %s: %s", w->source, strerror(errno));
    const bool bad = fputs(source, f) < 0;
    if (fclose(f) || bad) return gn_error(GN_EIO, "cannot write %s: %s", w->source, strerror(errno));
    return GN_OK;
}

static gn_status read_result(const workplace *w, gn_bytes *out)
{
    char chunk[1 << 14];
    size_t n;
    FILE *f = fopen(w->result, "re");
    if (!f) return gn_error(GN_ECOMPILER, "the compiler left no result: %s", strerror(errno));
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0) gn_bytes_add(out, chunk, n);
    const bool bad = ferror(f) != 0;
    fclose(f);
    if (bad) return gn_error(GN_EIO, "cannot read %s: %s", w->result, strerror(errno));
    return out->failed ? GN_ENOMEM : GN_OK;
}

static gn_status run_compiler(const gn_toolchain *t, const workplace *w, const char *const *args, bool assembly)
{
    gn_args a = { .n = 0 };
    gn_bytes words = { .allocator = t->allocator };
    int code = 0;
    if (!gn_args_words(&a, t->cc) || !gn_args_for_cc(&a, t->cc_is_clang, args) || (assembly && !gn_args_add(&a, "-S")) || !gn_args_add(&a, "-o") ||
        !gn_args_add(&a, w->result) || !gn_args_add(&a, w->source))
        return gn_error(GN_EINVAL, "too many arguments for the C compiler '%s'", t->cc);
    gn_status s = gn_spawn(a.at, &words, &code);
    if (!s && (!WIFEXITED(code) || WEXITSTATUS(code))) {
        s = gn_error(GN_ECOMPILER, "%s failed (%s %d):\n%.8000s", t->cc, WIFEXITED(code) ? "status" : "signal",
                     WIFEXITED(code) ? WEXITSTATUS(code) : WTERMSIG(code), gn_bytes_text(&words));
    }
    gn_bytes_free(&words);
    return s;
}

gn_status gn_cc_compile(const gn_toolchain *t, const char *name, const char *source, const char *const *args, bool assembly, gn_bytes *out)
{
    workplace w;
    gn_status s = workplace_open(&w, name);
    if (s) return s;
    if (!(s = write_source(&w, source)) && !(s = run_compiler(t, &w, args, assembly))) s = read_result(&w, out);
    workplace_close(&w);
    return s;
}
