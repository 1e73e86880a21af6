/* Whole graphs as text (tests/api/graphs), most of them the smallest form of a fault: outputs and updated variables
 * against the reference evaluator, for several sizes of the named dims. A file that no size fits, or that fails, is a
 * failure. $GNOMON_TEST_GN: files to run instead, separated by spaces. */
#include "api.h"
#include <dirent.h>
#include <math.h>
#include "core.h"
#include "evaluate.h"
#include "graph_text.h"
#include "ops/reference.h"
#include "shared.h"

enum { MOST_FILES = 256, MOST = 512 };

static char *files[MOST_FILES];
static size_t nfiles;

typedef struct graph_run {
    const char *path;
    gn_context *context;
    gn_arena arena;
    struct gn_core *core;
    gn_evaluation *reference;
    uint64_t rng;
    int64_t base;                /* size of the first named dim; the others follow */
    uint64_t integers;           /* integers lie below */
    struct {
        const char *name;
        int64_t size;
    } dim[MOST];
    size_t ndims, sizes, elements, jumps;
    GN_VEC(gn_expr *) variables; /* all, whether updated or only read */
    gn_array in[MOST], variable[MOST];
    const gn_tensor *want[MOST], *after[MOST];
    gn_status wanted;            /* what evaluating says */
} graph_run;

static void meet_dim(void *user, const char *name)
{
    graph_run *r = user;
    for (size_t i = 0; i < r->ndims; i++)
        if (strcmp(r->dim[i].name, name) == 0) return;
    r->dim[r->ndims].name = name;
    r->dim[r->ndims].size = r->base + (r->base > 1 ? (int64_t)r->ndims : 0);
    r->ndims++;
}

static bool size_of(void *user, const char *name, int64_t *out)
{
    const graph_run *r = user;
    for (size_t i = 0; i < r->ndims; i++)
        if (strcmp(r->dim[i].name, name) == 0) return *out = r->dim[i].size, true;
    return false;
}

static gn_array random_array(graph_run *r, const gn_type *t)
{
    int64_t shape[GN_MAX_RANK];
    for (int d = 0; d < t->n; d++) {
        gn_dim_symbols(t->dim[d], meet_dim, r);
        if (!gn_dim_eval(t->dim[d], size_of, NULL, r, &shape[d]) || shape[d] < 0)
            gn_throw(GN_ESHAPE, "these sizes do not fit");
    }
    gn_array a = gn_array_of(NULL, (gn_dtype)t->dtype, t->n, shape);
    const int64_t n = gn_array_count(&a);
    a.data = gn_arena_alloc(&r->arena, (size_t)(n + 1) * 8, 64);
    for (int64_t i = 0; i < n; i++) {
        const gn_ref v = { .dtype = a.dtype,
                           .f = test_uniform(&r->rng, -2, 2),
                           .i = (int64_t)(test_random(&r->rng) % r->integers) };
        gn_ref_store(a.dtype, a.data, i, &v);
    }
    return a;
}

static gn_expr *new_value(const struct gn_core *c, gn_expr *variable)
{
    for (size_t i = 0; i < c->variable.n; i++)
        if (c->variable.at[i] == variable) return c->update.at[i];
    return variable;
}

static void evaluate(void *user)
{
    graph_run *r = user;
    const struct gn_core *c = r->core;
    for (size_t i = 0; i < c->in.n; i++) gn_evaluation_set(r->reference, c->in.at[i], &r->in[i]);
    for (size_t i = 0; i < r->variables.n; i++) gn_evaluation_set(r->reference, r->variables.at[i], &r->variable[i]);
    for (size_t i = 0; i < c->out.n; i++) r->want[i] = gn_evaluate(r->reference, c->out.at[i]);
    for (size_t i = 0; i < r->variables.n; i++) r->after[i] = gn_evaluate(r->reference, new_value(c, r->variables.at[i]));
}

static void compare(graph_run *r, const gn_tensor *want, const void *got, const char *what, size_t at)
{
    for (int64_t i = 0; i < want->count; i++) {
        r->elements++, r->jumps += want->at[i].jump;
        if (gn_tensor_near(want, got, i, true)) continue;
        gn_ref v = gn_ref_load(want->dtype, got, i);
        if (!gn_is_float(want->dtype)) v.f = (long double)v.i;
        fail_msg("%s, first dim %lld: %s %zu, element %lld: got %.9Lg, expected %.9Lg within %.3Lg", r->path,
                 (long long)r->base, what, at, (long long)i, v.f,
                 gn_is_float(want->dtype) ? want->at[i].f : (long double)want->at[i].i, want->at[i].err);
    }
}

static void call(graph_run *r, gn_func *f)
{
    const struct gn_core *c = r->core;
    gn_array out[MOST] = { 0 };
    for (size_t i = 0; i < r->variables.n; i++) gn_check(gn_set(r->variables.at[i], r->variable[i]));
    for (size_t i = 0; i < c->out.n && !r->wanted; i++)
        out[i] = gn_array_of(gn_arena_alloc(&r->arena, (size_t)(r->want[i]->count + 1) * 8, 64), r->want[i]->dtype,
                             r->want[i]->rank, r->want[i]->shape);
    gn_array fresh[MOST] = { 0 };
    for (size_t i = 0; i < c->out.n && r->wanted; i++) out[i] = GN_NEW(&fresh[i]);
    const gn_status s = gn_call(f, (gn_arrays){ c->in.n, r->in }, (gn_arrays){ c->out.n, out });
    if (s != r->wanted)
        fail_msg("%s: %s, expected %s: %s", r->path, gn_status_name(s), gn_status_name(r->wanted), gn_message());
    for (size_t i = 0; i < c->out.n && !s; i++) compare(r, r->want[i], out[i].data, "output", i);
    for (size_t i = 0; i < r->variables.n; i++) {
        gn_array now = r->variable[i];
        now.data = gn_arena_alloc(&r->arena, (size_t)(gn_array_count(&now) + 1) * 8, 64);
        gn_check(gn_get(r->variables.at[i], now));
        if (!s) compare(r, r->after[i], now.data, "variable", i);
        else assert_memory_equal(now.data, r->variable[i].data, (size_t)gn_array_count(&now) * gn_dtype_size(now.dtype));
    }
}

static void run_size(void *user)
{
    graph_run *r = user;
    const struct gn_core *c = r->core;
    gn_func *f = NULL;
    r->ndims = 0;
    r->reference = gn_evaluation_new(&r->arena);
    for (size_t i = 0; i < c->in.n; i++) r->in[i] = random_array(r, c->in.at[i]->type);
    for (size_t i = 0; i < r->variables.n; i++) r->variable[i] = random_array(r, r->variables.at[i]->type);
    r->wanted = gn_protect(evaluate, r);
    if (r->wanted == GN_ESHAPE) return;
    /* a computed index outside its axis: kept inside here, refused by a call */
    if (r->reference->clamped) r->wanted = GN_EINDEX;
    gn_update *update = GN_NEW_ARRAY(&r->arena, gn_update, c->variable.n + 1);
    for (size_t i = 0; i < c->variable.n; i++) update[i] = (gn_update){ c->variable.at[i], c->update.at[i] };
    gn_check(gn_compile(&f, c->graph, .in = { c->in.n, c->in.at }, .out = { c->out.n, c->out.at },
                        .update = { c->variable.n, update, GN_OK }));
    for (int turn = 0; turn < 2; turn++) call(r, f);
    gn_func_free(f);
    r->sizes += !r->wanted;
}

/* A graph that was read has variables without memory: a text may say any size. */
static void give_memory(graph_run *r, gn_expr *e)
{
    gn_graph *const g = r->core->graph;
    const gn_array zeros = random_array(r, e->type);
    size_t i = 0;
    while (g->variables.at[i] != e) i++;
    gn_check(gn_variable_new(&g->kept.at[i], g->arena.allocator, gn_attr_of(e, "name")->name, &zeros));
    *gn_map_put(&g->arena, &g->storage, e->id) = g->kept.at[i];
}

static void find_variables(graph_run *r)
{
    r->integers = 1;
    const struct gn_core *c = r->core;
    gn_expr **roots = GN_NEW_ARRAY(&r->arena, gn_expr *, c->out.n + 2 * c->variable.n);
    size_t n = 0;
    for (size_t i = 0; i < c->out.n; i++) roots[n++] = c->out.at[i];
    for (size_t i = 0; i < c->variable.n; i++) roots[n++] = c->variable.at[i], roots[n++] = c->update.at[i];
    const gn_expr_list nodes = gn_reachable(&r->arena, n, roots);
    for (size_t i = 0; i < nodes.n; i++)
        if (nodes.at[i]->op == &gn_op_variable) gn_push(&r->arena, &r->variables, nodes.at[i]);
    for (size_t i = 0; i < r->variables.n; i++) give_memory(r, r->variables.at[i]);
}

static void run_file(void *user)
{
    static const int64_t bases[] = { 5, 1, 0, 18 };
    static char text[1 << 20];
    graph_run *r = user;
    FILE *file = fopen(r->path, "r");
    if (!file) gn_throw(GN_EIO, "cannot open %s", r->path);
    const size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    r->core = gn_core_read(&r->arena, r->context, r->path, text, n);
    find_variables(r);
    if (r->core->in.n > MOST || r->core->out.n > MOST || r->variables.n > MOST)
        gn_throw(GN_EINVAL, "more inputs or outputs than this test has room for");
    for (size_t b = 0; b < 2 * sizeof bases / sizeof *bases; b++) {
        r->base = bases[b / 2];
        r->integers = b % 2 ? 40 : b % 4 + 1; /* indices are inside, or some of them are not */
        const gn_status s = gn_protect(run_size, r);
        if (s && s != GN_ESHAPE) fail_msg("%s, first dim %lld: %s", r->path, (long long)r->base, gn_message());
        if (!r->ndims && b == 1) break;
    }
    if (!r->sizes) fail_msg("%s: no sizes fit: %s", r->path, gn_message());
}

static void graphs_compute_what_they_say(void **state)
{
    for (size_t i = 0; i < nfiles; i++) {
        graph_run r = { .path = files[i], .context = *state, .rng = test_seed() };
        print_message("%s\n", files[i]);
        const gn_status s = gn_protect(run_file, &r);
        if (s) fail_msg("%s: %s", files[i], gn_message());
        assert_true(r.jumps * 20 <= r.elements + 20);
        gn_core_free(r.core);
        gn_arena_free(&r.arena);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_files(void)
{
    char path[512], *given = getenv("GNOMON_TEST_GN");
    for (char *p = given ? strtok(given, " ") : NULL; p && nfiles < MOST_FILES; p = strtok(NULL, " "))
        files[nfiles++] = strdup(p);
    DIR *d = given ? NULL : opendir(TEST_DIR "/api/graphs");
    for (struct dirent *e; d && (e = readdir(d)) && nfiles < MOST_FILES;) {
        if (!strstr(e->d_name, ".gn")) continue;
        snprintf(path, sizeof path, "%s/%s", TEST_DIR "/api/graphs", e->d_name);
        files[nfiles++] = strdup(path);
    }
    if (d) closedir(d);
    qsort(files, nfiles, sizeof *files, by_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(graphs_compute_what_they_say) };
    find_files();
    const int failures = nfiles ? run_on_toolchains(tests, 1) : 1;
    for (size_t i = 0; i < nfiles; i++) free(files[i]);
    return failures;
}
