/* Runs a kernel case several ways on the same random data and compares with the logical interpreter. */
#pragma once
#include "testlib.h"
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "cases.h"
#include "code_text.h"
#include "code_verify.h"
#include "emit.h"
#include "lower.h"

typedef struct job { /* a case lowered for a target */
    const kernel_case *c;
    gn_kernel *kernel;
    gn_scheduled *s;
} job;

static inline char *with_lanes(gn_arena *a, const char *text, int lanes)
{
    gn_text t = { .arena = a };
    for (; *text; text++) *text == '@' ? gn_textf(&t, "%d", lanes) : gn_text_char(&t, *text);
    return (char *)gn_text_done(&t);
}

static inline job lower_text(gn_arena *a, const char *text, const gn_target *target)
{
    const gn_sx *x = gn_sx_read(a, "case", text, strlen(text));
    job j = { .kernel = gn_kernel_read(a, "case", x->at[0]) };
    gn_kernel_verify(j.kernel);
    j.s = gn_schedule_apply(a, j.kernel, gn_schedule_read(a, j.kernel, "case", x->at[1]), target);
    return j;
}

/* The code as its own text gives it: nothing is lost on the way, and the same C is made of it. */
static inline gn_code *reread(gn_arena *a, gn_code *c)
{
    gn_text before = { .arena = a }, after = { .arena = a }, was = { .arena = a }, is = { .arena = a };
    gn_code_print(&before, c);
    gn_code *read = gn_code_read(a, "code", gn_sx_read(a, "code", gn_text_done(&before), before.n)->at[0]);
    gn_code_verify(read);
    gn_code_print(&after, read);
    assert_string_equal(gn_text_done(&before), gn_text_done(&after));
    read->comment = c->comment;
    gn_emit_kernel(&was, NULL, c), gn_emit_kernel(&is, NULL, read);
    assert_string_equal(gn_text_done(&was), gn_text_done(&is));
    return read;
}

/* ---- buffers that end at a page nobody may touch ---- */

typedef struct block {
    char *map, *data;
    size_t bytes, mapped;
} block;

static inline block new_block(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), n = (bytes + page - 1) / page * page;
    block b = { .bytes = bytes, .mapped = n + 2 * page };
    b.map = mmap(NULL, b.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (n) mprotect(b.map + page, n, PROT_READ | PROT_WRITE);
    b.data = b.map + page + n - bytes;
    memset(b.map + page, 0x7b, n);
    return b;
}

static inline void free_block(block *b)
{
    munmap(b->map, b->mapped);
}

typedef struct sizes {
    const gn_kernel *k;
    const int64_t *sym;
} sizes;

static inline bool size_of_symbol(void *user, const char *name, int64_t *out)
{
    const sizes *s = user;
    const int32_t i = gn_kernel_find_sym(s->k, name);
    if (i < 0) return false;
    *out = s->sym[i];
    return true;
}

static inline int64_t dim_at(const gn_dim *d, const gn_kernel *k, const int64_t *sym)
{
    int64_t v = -1;
    assert_true(gn_dim_eval(d, size_of_symbol, NULL, &(sizes){ k, sym }, &v));
    return v;
}

static inline size_t buffer_bytes(const gn_kernel *k, size_t buf, const int64_t *sym)
{
    const gn_kbuf *b = &k->bufs.at[buf];
    int64_t n = 1;
    for (size_t d = 0; d < b->rank; d++) n *= dim_at(b->shape[d], k, sym);
    return (size_t)n * gn_dtype_size(b->dtype);
}

static inline void fill(block *b, gn_dtype t, int64_t below, uint64_t *seed)
{
    const size_t n = b->bytes / gn_dtype_size(t);
    for (size_t i = 0; i < n; i++) {
        if (t == GN_F32)
            ((float *)b->data)[i] = (float)test_uniform(seed, -1, 1);
        else if (t == GN_F64)
            ((double *)b->data)[i] = test_uniform(seed, -1, 1);
        else if (t == GN_I64)
            ((int64_t *)b->data)[i] = (int64_t)(test_random(seed) % (uint64_t)below);
        else if (t == GN_BOOL)
            b->data[i] = test_random(seed) & 1;
        else if (gn_dtype_size(t) == 1)
            b->data[i] = (char)(test_random(seed) % (uint64_t)below);
        else if (gn_dtype_size(t) == 2)
            ((int16_t *)b->data)[i] = (int16_t)(test_random(seed) % (uint64_t)below);
        else
            ((int32_t *)b->data)[i] = (int32_t)(test_random(seed) % (uint64_t)below);
    }
}

/* ---- comparing ---- */

static inline double number_at(const block *b, gn_dtype t, size_t i)
{
    switch (t) {
    case GN_F32: return ((float *)b->data)[i];
    case GN_F64: return ((double *)b->data)[i];
    case GN_I64: return (double)((int64_t *)b->data)[i];
    case GN_U32: return ((uint32_t *)b->data)[i];
    case GN_BOOL: return b->data[i];
    case GN_I8: return ((int8_t *)b->data)[i];
    case GN_U8: return ((uint8_t *)b->data)[i];
    case GN_I16: return ((int16_t *)b->data)[i];
    case GN_U16: return ((uint16_t *)b->data)[i];
    default: return ((int32_t *)b->data)[i];
    }
}

/* The first element that is not as it should be, as a text; NULL: there is none. */
static inline const char *difference(gn_arena *a, const job *j, const char *how, const int64_t *sym, const block *got,
                                     const block *want)
{
    const double tolerance = j->c && j->c->tolerance > 0 ? j->c->tolerance : 1e-5;
    for (size_t b = 0; b < j->kernel->bufs.n; b++) {
        const gn_kbuf *buf = &j->kernel->bufs.at[b];
        if (!(buf->access & GN_KBUF_WRITE)) continue;
        for (size_t i = 0; i < want[b].bytes / gn_dtype_size(buf->dtype); i++) {
            const double x = number_at(&got[b], buf->dtype, i), y = number_at(&want[b], buf->dtype, i);
            if (x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= tolerance * (1 + fabs(y))) continue;
            char values[96];
            snprintf(values, sizeof values, "%.9g, not %.9g", x, y);
            return gn_arena_printf(a, "%s, %s, target %s, sizes %d %d %d: %s[%zu] is %s", j->kernel->name, how,
                                   j->s->code->target->name, (int)sym[0], (int)sym[1], (int)sym[2], buf->name, i,
                                   values);
        }
    }
    return NULL;
}

static inline void compare(const job *j, const char *how, const int64_t *sym, const block *got, const block *want)
{
    gn_arena a = { 0 };
    const char *wrong = difference(&a, j, how, sym, got, want);
    if (wrong) fail_msg("%s", wrong);
    gn_arena_free(&a);
}

/* ---- running ---- */

typedef struct run_data {
    block *in, *want, *got; /* per buffer; in: before */
    void **args;
} run_data;

static inline void reset(const job *j, run_data *d)
{
    for (size_t b = 0; b < j->kernel->bufs.n; b++) memcpy(d->got[b].data, d->in[b].data, d->in[b].bytes);
}

/* What lies at the end of a page begins there only if its size allows. */
static inline void begin_at_multiple(block *b, size_t align)
{
    b->data -= (uintptr_t)b->data % align;
}

static inline run_data begin_run(gn_arena *a, const job *j, const int64_t *sym, uint64_t *seed)
{
    const size_t n = j->kernel->bufs.n;
    run_data d = { GN_NEW_ARRAY(a, block, n), GN_NEW_ARRAY(a, block, n), GN_NEW_ARRAY(a, block, n),
                   GN_NEW_ARRAY(a, void *, j->s->code->nargs + 1) };
    void **want = GN_NEW_ARRAY(a, void *, n + 1);
    for (size_t b = 0; b < n; b++) {
        const size_t bytes = buffer_bytes(j->kernel, b, sym);
        d.in[b] = new_block(bytes), d.want[b] = new_block(bytes), d.got[b] = new_block(bytes);
        if (j->kernel->bufs.at[b].align) begin_at_multiple(&d.got[b], j->kernel->bufs.at[b].align);
        fill(&d.in[b], j->kernel->bufs.at[b].dtype, j->c ? j->c->below : 3, seed);
        memcpy(d.want[b].data, d.in[b].data, bytes);
        want[b] = d.want[b].data;
        d.args[b] = d.got[b].data;
    }
    gn_kernel_interpret(j->kernel, want, sym, a);
    reset(j, &d);
    return d;
}

static inline void end_run(const job *j, run_data *d)
{
    for (size_t b = 0; b < j->kernel->bufs.n; b++) free_block(&d->in[b]), free_block(&d->want[b]), free_block(&d->got[b]);
}

static inline size_t nsyms_wanted(const job *j)
{
    return j->kernel->syms.n;
}

/* Sizes of a run: missing ones repeat the last given. */
static inline void sizes_of(const job *j, int run, int64_t *sym)
{
    for (size_t i = 0; i < nsyms_wanted(j); i++) sym[i] = j->c->sizes[run][i < 4 ? i : 3];
}

typedef void (*step_function)(void *const *, const int64_t *, int64_t);

static inline void run_compiled(void *library, const job *j, run_data *d, const int64_t *sym)
{
    const size_t nbufs = j->kernel->bufs.n, nextra = j->s->code->nargs - nbufs;
    block *extra = calloc(nextra + 1, sizeof *extra);
    for (size_t i = 0; i < nextra; i++) {
        extra[i] = new_block((size_t)dim_at(gn_code_bytes(j->s->code, j->s->code->places.at[nbufs + i]), j->kernel, sym));
        d->args[nbufs + i] = extra[i].data;
    }
    for (uint32_t step = 0; step < j->s->code->steps.n; step++) {
        char name[200];
        snprintf(name, sizeof name, "%s_%u", j->kernel->name, step);
        void *f = dlsym(library, name);
        if (!f) fail_msg("no function %s", name);
        const int64_t parts = dim_at(gn_code_parts(j->s->code, step), j->kernel, sym);
        /* backwards: parts do not depend on each other */
        for (int64_t p = parts; p-- > 0;) ((step_function)f)(d->args, sym, p);
    }
    for (size_t i = 0; i < nextra; i++) free_block(&extra[i]);
    free(extra);
}

/* Compiles a unit for a target; NULL if there is no compiler. */
static inline void *compile_unit(const gn_target *t, const char *unit)
{
    char dir[] = "/tmp/gnomon-test-XXXXXX", c[64], so[64], command[1000];
    if (!mkdtemp(dir)) return NULL;
    snprintf(c, sizeof c, "%s/unit.c", dir);
    snprintf(so, sizeof so, "%s/unit.so", dir);
    FILE *f = fopen(c, "w");
    fputs(unit, f);
    fclose(f);
    const char *cc = getenv("CC");
    int n = snprintf(command, sizeof command,
                     "%s -std=gnu11 -O1 -Wall -Wno-unused-but-set-variable -Wno-unused-variable -fPIC -shared -o %s",
                     cc ? cc : "cc", so);
    for (size_t i = 0; t->cc1_args && t->cc1_args[i]; i++)
        n += snprintf(command + n, sizeof command - (size_t)n, " %s", t->cc1_args[i]);
    snprintf(command + n, sizeof command - (size_t)n, " %s", c);
    const int rc = system(command);
    void *library = rc == 0 ? dlopen(so, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (rc == 0 && !library) print_message("%s\n", dlerror());
    if (!getenv("GNOMON_TEST_KEEP")) unlink(c), unlink(so), rmdir(dir);
    return library;
}
