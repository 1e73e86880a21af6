#include "programs.h"
#include "../random_graph.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "optimize.h"
#include "view.h"

program *program_new(uint64_t seed)
{
    program *p = calloc(1, sizeof *p);
    p->graph = gn_graph_new(NULL);
    p->random = seed;
    p->index_most = 3;
    return p;
}

program *program_of(gn_graph *g, gn_exprs in, const gn_array *values, gn_exprs out)
{
    program *p = calloc(1, sizeof *p);
    p->optimize = true;
    p->graph = g;
    p->given = values;
    for (size_t i = 0; i < in.n; i++) gn_push(&p->arena, &p->in, in.at[i]);
    for (size_t i = 0; i < out.n; i++) gn_push(&p->arena, &p->out, out.at[i]);
    return p;
}

program *program_random(uint64_t seed)
{
    random_graph *r = calloc(1, sizeof *r);
    random_graph_make(r, seed);
    program *p = program_of(r->g, (gn_exprs){ r->ninputs, r->input }, r->value, (gn_exprs){ r->noutputs, r->output });
    p->from = r;
    program_size(p, "n", r->n);
    program_size(p, "m", r->m);
    return p;
}

void program_free(program *p)
{
    for (size_t i = 0; p->memory && i < p->grouping->values.n; i++) free(p->memory[i]);
    free(p->memory);
    gn_core_free(p->core);
    if (p->from) random_graph_free(p->from);
    else if (!p->given) gn_graph_free(p->graph);
    free(p->from);
    gn_arena_free(&p->arena);
    free(p);
}

void program_size(program *p, const char *name, int64_t size)
{
    for (size_t i = 0; i < PROGRAM_SIZES; i++)
        if (!p->size[i].name || strcmp(p->size[i].name, name) == 0) {
            p->size[i].name = name, p->size[i].size = size;
            return;
        }
}

static gn_expr *checked(gn_expr *e)
{
    if (!e || gn_is_error(e))
        fail_msg("builder failed: %s",
                 e && gn_graph_of(e) ? (gn_graph_check(gn_graph_of(e)), gn_message()) : gn_message());
    return e;
}

gn_expr *program_in(program *p, const char *name, gn_dtype dtype, const char *shape)
{
    gn_expr *e = checked(gn_input(p->graph, name, dtype, "%s", shape));
    gn_push(&p->arena, &p->in, e);
    return e;
}

static size_t element_count(int rank, const int64_t *shape)
{
    size_t n = 1;
    for (int d = 0; d < rank; d++) n *= (size_t)shape[d];
    return n;
}

gn_expr *program_variable(program *p, const char *name, gn_dtype dtype, int rank, const int64_t *shape)
{
    void *zeros = calloc(element_count(rank, shape) + 1, 8);
    gn_expr *e = checked(gn_shared(p->graph, name, gn_array_of(zeros, dtype, rank, shape)));
    free(zeros);
    return e;
}

void program_out(program *p, gn_expr *e)
{
    gn_push(&p->arena, &p->out, checked(e));
}

void program_update(program *p, gn_expr *variable, gn_expr *value)
{
    gn_push(&p->arena, &p->variable, variable);
    gn_push(&p->arena, &p->update, checked(value));
}

typedef struct group_call {
    program *p;
    const gn_target *target;
} group_call;

static void optimize_body(void *arg)
{
    const program *p = arg;
    gn_optimize(p->core, NULL);
}

static void group_body(void *arg)
{
    const group_call *c = arg;
    program *p = c->p;
    p->core = gn_graph_copy(&p->arena, p->graph, (gn_exprs){ p->in.n, p->in.at }, (gn_exprs){ p->out.n, p->out.at },
                            (gn_exprs){ p->variable.n, p->variable.at }, (gn_exprs){ p->update.n, p->update.at }, 0, NULL);
    if (p->optimize && gn_protect(optimize_body, p)) {
        p->refused = true;
        gn_rethrow(GN_EINTERNAL);
    }
    p->grouping = gn_group_core(&p->arena, p->core, c->target);
    for (size_t i = 0; i < p->grouping->groups.n; i++) gn_kernel_verify(p->grouping->groups.at[i].kernel);
}

const char *program_text(program *p)
{
    gn_text t = { .arena = &p->arena };
    for (size_t i = 0; p->grouping && i < p->grouping->groups.n; i++) {
        gn_textf(&t, "; %s\n", p->grouping->groups.at[i].kernel->comment);
        gn_kernel_print(&t, p->grouping->groups.at[i].kernel);
        gn_text_char(&t, '\n');
    }
    return gn_text_done(&t);
}

void program_group_or_throw(program *p, const gn_target *target)
{
    group_body(&(group_call){ p, target });
    if (getenv("GNOMON_TEST_PRINT")) puts(program_text(p));
}

void program_group(program *p, const gn_target *target)
{
    group_call c = { p, target };
    if (gn_protect(group_body, &c) && !(p->refused && getenv("GNOMON_TEST_GRAPHS")))
        fail_msg("%s\n%s", gn_message(), program_text(p));
    if (getenv("GNOMON_TEST_PRINT")) puts(program_text(p));
}

static bool size_of(void *user, const char *symbol, int64_t *out)
{
    const program *p = user;
    for (size_t i = 0; i < PROGRAM_SIZES; i++)
        if (p->size[i].name && strcmp(p->size[i].name, symbol) == 0) {
            *out = p->size[i].size;
            return true;
        }
    return false;
}

int64_t program_extent(const program *p, const gn_dim *d)
{
    int64_t v;
    if (!gn_dim_eval(d, size_of, NULL, (void *)p, &v)) fail_msg("a dim has no size");
    return v;
}

static gn_array array_of(const program *p, const gn_expr *e, void *data)
{
    int64_t shape[GN_MAX_RANK];
    for (uint32_t d = 0; d < e->type->n; d++) shape[d] = program_extent(p, e->type->dim[d]);
    return gn_array_of(data, (gn_dtype)e->type->dtype, e->type->n, shape);
}

static void fill(program *p, const gn_array *a)
{
    const int64_t n = gn_array_count(a);
    for (int64_t i = 0; i < n; i++) {
        const double u = test_uniform(&p->random, -1.5, 1.5);
        const int64_t k = (int64_t)(test_random(&p->random) % (uint64_t)p->index_most);
        switch (a->dtype) {
        case GN_F32: ((float *)a->data)[i] = (float)u; break;
        case GN_F64: ((double *)a->data)[i] = u; break;
        case GN_BOOL: ((uint8_t *)a->data)[i] = k & 1; break;
        case GN_I32:
        case GN_U32: ((int32_t *)a->data)[i] = (int32_t)k; break;
        case GN_I64: ((int64_t *)a->data)[i] = k; break;
        default: fail_msg("no random numbers of %s", gn_dtype_name(a->dtype));
        }
    }
}

void program_interpret(const program *p, const gn_group *q, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    (void)p;
    gn_kernel_interpret(q->kernel, buffers, sym, scratch);
}

/* ---- running ---- */

static void make_memory(program *p)
{
    const gn_grouping *o = p->grouping;
    p->memory = calloc(o->values.n + 1, sizeof *p->memory);
    for (size_t i = 0; i < o->values.n; i++) {
        const gn_gvalue *v = &o->values.at[i];
        if (v->kind == GN_VALUE_SLICE) continue;
        const gn_array shape = array_of(p, v->expr, NULL);
        const size_t bytes = (size_t)gn_array_count(&shape) * gn_dtype_size(shape.dtype);
        p->memory[i] = malloc(bytes + 64);
        memset(p->memory[i], 0x7f, bytes + 64);
        const gn_array a = array_of(p, v->expr, p->memory[i]);
        if (v->kind == GN_VALUE_INPUT && p->given) memcpy(a.data, p->given[v->index].data, bytes);
        else if (v->kind == GN_VALUE_INPUT || v->kind == GN_VALUE_VARIABLE) fill(p, &a);
        if (v->kind == GN_VALUE_CONSTANT) memcpy(a.data, gn_attr_of(v->expr, "data")->data, bytes);
    }
}

/* By value, each its own but for slices, which lie in others. Lives in the program's arena. */
static void **memory_of(program *p)
{
    const gn_grouping *o = p->grouping;
    void **memory = GN_NEW_ARRAY(&p->arena, void *, o->values.n + 1);
    for (size_t i = 0; i < o->values.n; i++) memory[i] = p->memory[i];
    for (uint32_t i = 0; i < o->values.n; i++)
        if (o->values.at[i].kind == GN_VALUE_SLICE)
            memory[i] =
                (char *)memory[gn_gvalue_root(o, i)] + (size_t)program_extent(p, o->values.at[i].start) *
                                                           gn_dtype_size((gn_dtype)o->values.at[i].expr->type->dtype);
    return memory;
}

static void run_groups(program *p, program_run run, void **memory)
{
    gn_arena scratch = { 0 };
    for (size_t i = 0; i < p->grouping->groups.n; i++) {
        const gn_group *q = &p->grouping->groups.at[i];
        void **buffers = calloc(q->buf.n + 1, sizeof *buffers);
        int64_t *sym = calloc(q->kernel->syms.n + 1, sizeof *sym);
        for (size_t b = 0; b < q->buf.n; b++) buffers[b] = memory[q->buf.at[b]];
        for (size_t s = 0; s < q->kernel->syms.n; s++)
            if (!size_of(p, q->kernel->syms.at[s].name, &sym[s]))
                fail_msg("symbol %s has no size", q->kernel->syms.at[s].name);
        run(p, q, buffers, sym, &scratch);
        free(buffers);
        free(sym);
    }
    gn_arena_free(&scratch);
}

void program_execute(program *p, program_run run)
{
    make_memory(p);
    run_groups(p, run, memory_of(p));
}

typedef struct check_call {
    program *p;
    program_run run;
} check_call;

static void check_body(void *arg)
{
    const check_call *c = arg;
    program *p = c->p;
    const gn_grouping *o = p->grouping;
    gn_evaluation *e = gn_evaluation_new(&p->arena);
    make_memory(p);
    for (size_t i = 0; i < PROGRAM_SIZES; i++)
        if (p->size[i].name) gn_evaluation_size(e, p->size[i].name, p->size[i].size);
    for (size_t i = 0; i < o->values.n; i++)
        if (o->values.at[i].kind == GN_VALUE_INPUT || o->values.at[i].kind == GN_VALUE_VARIABLE) {
            const gn_array a = array_of(p, o->values.at[i].expr, p->memory[i]);
            gn_evaluation_set(e, o->values.at[i].expr, &a);
        }
    void **const memory = memory_of(p);
    run_groups(p, c->run, memory);
    size_t compared = 0;
    for (size_t i = 0; i < o->values.n; i++) {
        const gn_gvalue *v = &o->values.at[i];
        if (v->kind != GN_VALUE_OUTPUT && v->kind != GN_VALUE_UPDATE) continue;
        const gn_tensor *want = gn_evaluate(e, (gn_expr *)v->expr);
        for (int64_t k = 0; k < want->count; k++)
            if (!gn_tensor_near(want, memory[i], k, true))
                fail_msg("%s[%lld]: want %Lg (%lld) +- %Lg, got %g (bits %08x)\n%s", v->name, (long long)k,
                         want->at[k].f, (long long)want->at[k].i, want->at[k].err,
                         want->dtype == GN_F32 ? (double)((float *)memory[i])[k] : 0.0,
                         want->dtype == GN_F32 || want->dtype == GN_I32 ? ((unsigned *)memory[i])[k] : 0u,
                         program_text(p));
        compared++;
    }
    if (compared != p->core->out.n + p->core->update.n) fail_msg("%zu values compared", compared);
}

void program_check(program *p, program_run run)
{
    check_call c = { p, run };
    if (p->refused) return; /* a long run is not stopped by the optimizer */
    if (gn_protect(check_body, &c)) fail_msg("%s\n%s", gn_message(), program_text(p));
}
