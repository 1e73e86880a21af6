/* Every op compiled, against the reference evaluator: all samples in one graph, in batches, each batch one function;
 * for every toolchain and target that this machine has. Compiling takes its time, so that most combinations see every
 * n-th sample, each another n-th; all of them see all where $GNOMON_TEST_ALL is set. */
#include "api.h"
#include "ops/make.h"
#include "samples.h"
#include "target.h"
#include <math.h>

enum { MOST_SAMPLES = 2000, MOST_INPUTS = 2 * MOST_SAMPLES, BATCH = 80 };

typedef struct collection {
    gn_graph *g;
    size_t n, nin;
    char *name[MOST_SAMPLES];
    gn_expr *y[MOST_SAMPLES];
    size_t first[MOST_SAMPLES + 1]; /* of its inputs */
    gn_expr *in[MOST_INPUTS];
    gn_array value[MOST_INPUTS];
    uint64_t random;
    size_t seen, share;             /* every share-th sample */
    size_t elements;                /* compared or not comparable */
    gn_arena arena;
    gn_evaluation *reference;
} collection;

typedef struct part_call {
    gn_expr *tuple;
    int64_t i;
} part_call;

static gn_expr *part_body(gn_graph *g, void *arg)
{
    const part_call *c = arg;
    return gn_make_proj(g, c->tuple, c->i);
}

/* The same values with every second element between them unused and the first axis backwards: a view that is not
 * row-major. */
static gn_array as_view(gn_array a)
{
    const size_t size = gn_dtype_size(a.dtype);
    const int64_t n = gn_array_count(&a);
    if (a.rank == 0 || n == 0) return a;
    gn_array v = a;
    char *to = calloc((size_t)(2 * n), size);
    for (int d = 0; d < a.rank; d++) v.stride[d] = 2 * a.stride[d];
    v.stride[0] = -v.stride[0];
    const int64_t row = n / a.shape[0];
    for (int64_t i = 0; i < n; i++) {
        const int64_t place = (a.shape[0] - 1 - i / row) * row + i % row;
        memcpy(to + (size_t)(2 * place) * size, (char *)a.data + (size_t)i * size, size);
    }
    v.data = to + (size_t)(2 * (a.shape[0] - 1) * row) * size;
    free(a.data);
    return v;
}

static void *memory_of(const gn_array *a)
{
    const bool view = a->rank > 0 && a->stride[0] < 0;
    return view ? (char *)a->data + a->stride[0] * (a->shape[0] - 1) * (int64_t)gn_dtype_size(a->dtype) : a->data;
}

static void collect(void *user, const gn_sample *s)
{
    collection *c = user;
    if (++c->seen % c->share) return;
    const size_t parts = s->y->type->kind == GN_TYPE_TUPLE ? s->y->type->n : 1, first = c->nin;
    for (size_t i = 0; i < s->nin; i++) {
        c->value[c->nin] = gn_sample_value(s, i, &c->random);
        if (c->seen % 4 == 3) c->value[c->nin] = as_view(c->value[c->nin]);
        gn_evaluation_set(c->reference, s->in[i], &c->value[c->nin]);
        c->in[c->nin++] = s->in[i];
    }
    for (size_t i = 0; i < parts; i++) {
        part_call call = { s->y, (int64_t)i };
        c->name[c->n] = strdup(s->name);
        c->y[c->n] = parts > 1 ? gn_build(GN_HERE, c->g, part_body, &call) : s->y;
        c->first[c->n++] = first;
        c->first[c->n] = c->nin;
        if (parts > 1 && i + 1 < parts) c->first[c->n] = first;
    }
    assert_true(c->n < MOST_SAMPLES && c->nin < MOST_INPUTS - GN_SAMPLE_INPUTS);
}

/* The difference of one element, in words. */
static void show(const collection *c, size_t at, const gn_tensor *want, const gn_array *got, int64_t i)
{
    const gn_ref *r = &want->at[i];
    double v = 0;
    if (got->dtype == GN_F32) v = (double)((const float *)got->data)[i];
    else if (got->dtype == GN_F64) v = ((const double *)got->data)[i];
    else if (got->dtype == GN_I64) v = (double)((const int64_t *)got->data)[i];
    else if (got->dtype == GN_BOOL) v = ((const uint8_t *)got->data)[i];
    else v = ((const int32_t *)got->data)[i];
    print_error("%s: element %lld is %.9g, not %.9Lg (bound %Lg)\n", c->name[at], (long long)i, v,
                gn_is_float(r->dtype) ? r->f : (long double)r->i, r->err);
}

static size_t compare(collection *c, size_t at, const gn_array *got, size_t *skipped)
{
    const gn_tensor *want = gn_evaluate(c->reference, c->y[at]);
    assert_int_equal(got->rank, want->rank);
    for (int d = 0; d < want->rank; d++) assert_int_equal(got->shape[d], want->shape[d]);
    c->elements += (size_t)want->count;
    for (int64_t i = 0; i < want->count; i++) {
        *skipped += want->at[i].jump;
        if (gn_tensor_near(want, got->data, i, false)) continue;
        show(c, at, want, got, i);
        return 1;
    }
    return 0;
}

static size_t run_batch(collection *c, size_t from, size_t to, size_t *skipped)
{
    gn_func *f = NULL;
    gn_array out[BATCH] = { 0 }, list[BATCH];
    const size_t i0 = c->first[from], n = to - from, nin = c->first[to] - i0;
    size_t bad = 0;
    const gn_compile_options o = { .in = { nin, c->in + i0 }, .out = { n, c->y + from }, .name = "samples" };
    for (size_t i = 0; i < n; i++) list[i] = GN_NEW(&out[i]);
    if (gn_compile_at(GN_HERE, &f, c->g, &o)) fail_msg("%s to %s: %s", c->name[from], c->name[to - 1], gn_message());
    if (gn_call(f, (gn_arrays){ nin, c->value + i0 }, (gn_arrays){ n, list }))
        fail_msg("%s to %s: %s", c->name[from], c->name[to - 1], gn_message());
    for (size_t i = 0; i < n; i++) bad += compare(c, from + i, &out[i], skipped), gn_array_free(&out[i]);
    gn_func_free(f);
    return bad;
}

/* A batch may not cut a tuple's parts apart: they share inputs. */
static size_t batch_end(const collection *c, size_t from)
{
    size_t to = from + BATCH < c->n ? from + BATCH : c->n;
    while (to < c->n && c->first[to] == c->first[to - 1]) to--;
    return to;
}

typedef struct way {
    const char *toolchain, *target;
    size_t share;
} way;
static const way ways[] = { { "interpreter", "generic", 1 }, { "clang", "avx512", 1 }, { "clang", "avx2", 3 },
                            { "clang", "generic", 5 },       { "cc", "avx512", 7 },    { "cc", "avx2", 13 },
                            { "cc", "generic", 11 } };

static void every_op_agrees_with_the_reference(void **state)
{
    const way *w = *state;
    collection *c = calloc(1, sizeof *c);
    size_t bad = 0, skipped = 0;
    c->share = getenv("GNOMON_TEST_ALL") ? 1 : w->share;
    c->g = gn_graph_new(api_context), c->random = test_seed(), c->reference = gn_evaluation_new(&c->arena);
    gn_each_sample_in(c->g, collect, c);
    for (size_t from = 0, to; from < c->n; from = to) to = batch_end(c, from), bad += run_batch(c, from, to, &skipped);
    print_message("%s, %s: %zu values of %zu samples, %zu elements not comparable\n", w->toolchain, w->target, c->n,
                  c->seen / c->share, skipped);
    assert_int_equal(bad, 0);
    assert_true(skipped * 20 <= c->elements);
    for (size_t i = 0; i < c->nin; i++) free(memory_of(&c->value[i]));
    for (size_t i = 0; i < c->n; i++) free(c->name[i]);
    gn_arena_free(&c->arena);
    gn_graph_free(c->g);
    free(c);
}

static bool is_here(const way *w)
{
    gn_toolchain *probe;
    const gn_target *target = gn_target_find(w->target);
    if (!target || !gn_target_runs_here(target) || gn_toolchain_open(&probe, &gn_allocator_libc, w->toolchain, NULL))
        return false;
    gn_toolchain_close(probe);
    return true;
}

int main(void)
{
    int failures = 0;
    char command[96];
    strcpy(api_dir, "/tmp/gnomon-api-XXXXXX");
    if (!mkdtemp(api_dir)) return 1;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        way w = ways[i];
        const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(every_op_agrees_with_the_reference, &w) };
        api_options =
            (gn_context_options){ .cache_dir = api_dir, .toolchain = w.toolchain, .target = w.target, .threads = 2 };
        if (!is_here(&w)) {
            print_message("---- skipped: %s for %s is not here\n", w.toolchain, w.target);
        } else if (gn_context_new(&api_context, &api_options)) {
            print_error("%s\n", gn_message());
            failures++;
        } else {
            failures += _cmocka_run_group_tests(w.toolchain, tests, 1, NULL, NULL);
            gn_context_free(api_context);
        }
    }
    snprintf(command, sizeof command, "rm -rf '%s'", api_dir);
    return failures + (system(command) != 0);
}
