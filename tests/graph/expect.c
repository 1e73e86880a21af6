#include "expect.h"
#include "ops/reference.h"
#include "testlib.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

gn_expr *test_constant(gn_graph *g, gn_dtype t, const char *shape, size_t n, const double *values)
{
    const gn_dim *dim[GN_MAX_RANK];
    int64_t extent[GN_MAX_RANK], count = 1;
    const size_t rank = gn_dim_read_shape(&g->dims, shape, dim, GN_MAX_RANK);
    for (size_t d = 0; d < rank; d++) {
        if (!gn_dim_is_const(dim[d], &extent[d])) fail_msg("a constant has known extents");
        count *= extent[d];
    }
    if (count != (int64_t)n && count > 0) fail_msg("%zu values for %s", n, shape);
    char *data = calloc(n + 1, gn_dtype_size(t));
    for (int64_t i = 0; i < count; i++) {
        if (t == GN_F32) ((float *)(void *)data)[i] = (float)values[i];
        else if (t == GN_F64) ((double *)(void *)data)[i] = values[i];
        else if (t == GN_I32) ((int32_t *)(void *)data)[i] = (int32_t)values[i];
        else if (t == GN_U32) ((uint32_t *)(void *)data)[i] = (uint32_t)values[i];
        else if (t == GN_I64) ((int64_t *)(void *)data)[i] = (int64_t)values[i];
        else if (t == GN_BOOL) data[i] = values[i] != 0;
        else fail_msg("no constants of %s here", gn_dtype_name(t));
    }
    gn_expr *const e = gn_constant(g, gn_array_of(data, t, (int)rank, extent));
    free(data);
    return e;
}

typedef struct protected_call {
    gn_expr *y;
    gn_arena arena;
    const gn_tensor *value;
} protected_call;

static void run(void *arg)
{
    protected_call *c = arg;
    c->value = gn_evaluate(gn_evaluation_new(&c->arena), c->y);
}

void test_expect(const char *file, int line, gn_expr *y, const char *type, size_t n, const double *values)
{
    protected_call c = { .y = y };
    if (gn_graph_of(y) && gn_graph_check(gn_graph_of(y))) fail_msg("%s:%d: %s", file, line, gn_message());
    if (strcmp(gn_type_text(y), type) != 0) fail_msg("%s:%d: %s, not %s", file, line, gn_type_text(y), type);
    if (gn_protect(run, &c)) fail_msg("%s:%d: %s", file, line, gn_message());
    if (c.value->count != (int64_t)n) fail_msg("%s:%d: %lld elements, not %zu", file, line, (long long)c.value->count, n);
    for (size_t i = 0; i < n; i++) {
        const gn_ref *r = &c.value->at[i];
        const long double have = gn_is_float(r->dtype)      ? r->f
                                 : gn_is_unsigned(r->dtype) ? (long double)(uint64_t)r->i
                                                            : (long double)r->i;
        const long double room = gn_is_float(r->dtype) ? r->err + gn_ref_ulp(r->dtype, values[i]) : 0;
        if (gn_ref_apart(have, values[i]) > room || r->jump)
            fail_msg("%s:%d: element %zu is %.9Lg, not %.9g (bound %Lg)", file, line, i, have, values[i], r->err);
        if (isfinite(have) && r->err > 1e-4L * (1 + fabsl(have)))
            fail_msg("%s:%d: element %zu has the idle bound %Lg", file, line, i, r->err);
    }
    gn_arena_free(&c.arena);
}

gn_ref test_element(gn_expr *y, int64_t i)
{
    protected_call c = { .y = y };
    if (gn_protect(run, &c)) fail_msg("%s", gn_message());
    const gn_ref r = c.value->at[i];
    gn_arena_free(&c.arena);
    return r;
}

void test_expect_error(const char *file, int line, gn_graph *g, const gn_expr *y, gn_status status, const char *part)
{
    if (!y || !gn_is_error(y)) fail_msg("%s:%d: no error node", file, line);
    const gn_status got = gn_graph_check(g);
    if (got != status || !strstr(gn_message(), part))
        fail_msg("%s:%d: %s: %s; expected %s: %s", file, line, gn_status_name(got), gn_message(),
                 gn_status_name(status), part);
    if (!strstr(gn_message(), ".c:")) fail_msg("%s:%d: the message names no line: %s", file, line, gn_message());
    if (gn_graph_check(g)) fail_msg("%s:%d: the graph is not usable again", file, line);
}
