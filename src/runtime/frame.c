/* Frames: the tables of a function for given sizes. */
#include "func_state.h"
#include <string.h>
#include "checked.h"
#include "error.h"
#include "view.h"

int64_t gn_frame_evaluate(const gn_frame *fr, const gn_dim *d)
{
    int64_t v;
    if (!gn_program_eval(fr->f->program, fr->sym, d, &v)) gn_throw(GN_ENOMEM, "%s: size overflows", fr->f->program->name);
    return v;
}

/* Says which inputs gave the names of two extents their values. */
static void tell_names(const gn_frame *fr, const gn_dim *a, const gn_dim *b)
{
    const gn_program *p = fr->f->program;
    for (size_t i = 0; i < p->syms.n; i++) {
        const gn_psym *s = &p->syms.at[i];
        if (s->input < 0 || (!gn_dim_mentions(a, s->name) && !gn_dim_mentions(b, s->name))) continue;
        const gn_slot_info *slot = &fr->f->slot[s->input];
        gn_error_add("%s = %lld: axis %d of input '%s', made at %s:%d", s->name, (long long)fr->sym[i], s->axis,
                     slot->name, slot->loc.file, slot->loc.line);
    }
}

static gn_status check_failed(gn_frame *fr, size_t at, int64_t a, int64_t b)
{
    const gn_pcheck *c = &fr->f->program->checks.at[at];
    const gn_loc loc = fr->f->check_loc[at];
    const gn_dim *least;
    const char *const left = gn_dim_text(&fr->arena, c->a), *const right = gn_dim_text(&fr->arena, c->b);
    if (gn_constraint_is_bound(c->a, c->b, &least))
        gn_error(GN_ESHAPE, "%s:%d: %s is needed: it is %lld", loc.file, loc.line, c->text, (long long)b);
    else
        gn_error(GN_ESHAPE, "%s:%d: %s differ: %s is %lld, %s is %lld", loc.file, loc.line, c->text, left, (long long)a,
                 right, (long long)b);
    gn_check_tell_again(fr->f, at);
    tell_names(fr, c->a, c->b);
    return GN_ESHAPE;
}

static void check_constraints(gn_frame *fr)
{
    const gn_program *p = fr->f->program;
    for (size_t i = 0; i < p->checks.n; i++) {
        const int64_t a = gn_frame_evaluate(fr, p->checks.at[i].a), b = gn_frame_evaluate(fr, p->checks.at[i].b);
        if (a != b) gn_rethrow(check_failed(fr, i, a, b));
    }
}

static void find_shapes(gn_frame *fr)
{
    const gn_func *f = fr->f;
    fr->shape = gn_arena_alloc_n(&fr->arena, f->nslots, sizeof *fr->shape, alignof(int64_t));
    fr->count = GN_NEW_ARRAY(&fr->arena, int64_t, f->nslots);
    fr->form = GN_NEW_ARRAY(&fr->arena, gn_slot_form, f->nslots);
    fr->low = GN_NEW_ARRAY(&fr->arena, uintptr_t, f->nslots);
    fr->high = GN_NEW_ARRAY(&fr->arena, uintptr_t, f->nslots);
    fr->moved = GN_NEW_ARRAY(&fr->arena, uint32_t, f->nslots + 1);
    for (uint32_t s = 0; s < f->nslots; s++) {
        const gn_pvalue *v = &f->program->values.at[s];
        for (int d = 0; d < v->rank; d++)
            if ((fr->shape[s][d] = gn_frame_evaluate(fr, v->shape[d])) < 0)
                gn_throw(GN_ESHAPE, "%s: axis %d of '%s' has extent %lld", f->program->name, d, f->slot[s].name,
                         (long long)fr->shape[s][d]);
        const gn_array a = gn_array_of(NULL, v->dtype, v->rank, fr->shape[s]);
        int64_t bytes;
        fr->count[s] = gn_array_count(&a);
        fr->form[s].dtype = v->dtype, fr->form[s].rank = v->rank;
        memcpy(fr->form[s].shape, a.shape, sizeof a.shape);
        memcpy(fr->form[s].stride, a.stride, sizeof a.stride);
        for (int d = 0; d < v->rank; d++) fr->form[s].matters[d] = a.shape[d] == 1 ? 0 : -1;
        if (fr->count[s] < 0 || gn_mul_overflows(fr->count[s], (int64_t)gn_dtype_size(v->dtype), &bytes))
            gn_throw(GN_ENOMEM, "%s: '%s': size overflows", f->program->name, f->slot[s].name);
        fr->form[s].bytes = bytes;
        fr->form[s].unaligned = bytes ? (int64_t)gn_dtype_size(v->dtype) - 1 : 0;
    }
}

/* An update that is not computed in place. The interpreter needs memory at every step and may fail in the middle, so it
 * changes no variable before the end. */
static bool is_exchanged(const gn_frame *fr, const gn_pvalue *v)
{
    return v->kind == GN_VALUE_UPDATE && v->first >= 0 && (v->alias < 0 || !fr->f->module);
}

/* Whose pointer the value has, if that changes from call to call; -1. */
static int64_t home_of(const gn_frame *fr, int32_t value)
{
    const gn_program *p = fr->f->program;
    const int32_t root = gn_memory_of(p, value);
    const gn_pvalue *v = &p->values.at[root];
    if (is_exchanged(fr, &p->values.at[value])) return gn_frame_home(fr->f, p->values.at[value].index) + 1;
    if ((uint32_t)root < fr->f->nslots) return root;
    if (v->kind == GN_VALUE_VARIABLE) return gn_frame_home(fr->f, v->index);
    return -1;
}

/* Address of a value that has no home. */
static void *address_of(const gn_frame *fr, int32_t value)
{
    const gn_pvalue *root = &fr->f->program->values.at[gn_memory_of(fr->f->program, value)];
    if (root->kind == GN_VALUE_CONSTANT) return (void *)(uintptr_t)root->data;
    return fr->memory + (fr->plan.offset[value] < 0 ? 0 : fr->plan.offset[value]);
}

static int64_t start_of(const gn_frame *fr, const gn_pstep *s, uint32_t arg)
{
    return s->start ? gn_frame_evaluate(fr, s->start[arg]) : 0;
}

static void add_place(gn_frame *fr, int64_t home, uint32_t *n, void **at, int64_t start)
{
    if (fr->place[home]) fr->place[home][n[home]] = (gn_frame_place){ at, start };
    n[home]++;
}

/* Counted first. */
static void find_places(gn_frame *fr, uint32_t *n)
{
    const gn_program *p = fr->f->program;
    for (size_t i = 0; i < p->steps.n; i++)
        for (uint32_t a = 0; a < p->steps.at[i].narg; a++) {
            const int64_t home = p->steps.at[i].arg[a] < 0 ? -1 : home_of(fr, p->steps.at[i].arg[a]);
            if (home >= 0) add_place(fr, home, n, &fr->arg[i][a], start_of(fr, &p->steps.at[i], a));
        }
    for (size_t i = 0; i < p->indices.n; i++) {
        const int64_t home = home_of(fr, (int32_t)p->indices.at[i].value);
        if (home >= fr->f->nslots) add_place(fr, home, n, &fr->index[i].data, 0);
    }
}

static void make_places(gn_frame *fr)
{
    const uint32_t nhomes = gn_frame_home(fr->f, (uint32_t)fr->f->program->variables.n);
    uint32_t *n = GN_NEW_ARRAY(&fr->arena, uint32_t, nhomes);
    fr->place = GN_NEW_ARRAY(&fr->arena, gn_frame_place *, nhomes);
    find_places(fr, n);
    for (uint32_t h = 0; h < nhomes; h++) fr->place[h] = GN_NEW_ARRAY(&fr->arena, gn_frame_place, n[h] + 1), n[h] = 0;
    find_places(fr, n);
}

static void prepare_exchange(gn_frame *fr)
{
    const gn_func *f = fr->f;
    fr->seen = GN_NEW_ARRAY(&fr->arena, void *, f->program->variables.n);
    fr->exchanged = GN_NEW_ARRAY(&fr->arena, uint32_t, f->program->variables.n);
    for (size_t i = 0; i < f->program->values.n; i++) {
        if (!is_exchanged(fr, &f->program->values.at[i])) continue;
        fr->exchanged[fr->nexchanged++] = f->program->values.at[i].index;
        gn_check(gn_variable_prepare(f->variable[f->program->values.at[i].index]));
    }
}

static void make_tables(gn_frame *fr)
{
    const gn_program *p = fr->f->program;
    const uint32_t nslots = fr->f->nslots;
    fr->arg = GN_NEW_ARRAY(&fr->arena, void **, p->steps.n);
    fr->step_sym = GN_NEW_ARRAY(&fr->arena, int64_t *, p->steps.n);
    for (size_t i = 0; i < p->steps.n; i++) {
        const gn_pstep *s = &p->steps.at[i];
        fr->arg[i] = GN_NEW_ARRAY(&fr->arena, void *, s->narg);
        fr->step_sym[i] = GN_NEW_ARRAY(&fr->arena, int64_t, s->nsym);
        for (uint32_t k = 0; k < s->nsym; k++) fr->step_sym[i][k] = fr->sym[s->sym[k]];
        for (uint32_t a = 0; a < s->narg; a++) {
            if (s->arg[a] < 0) fr->arg[i][a] = fr->memory + fr->plan.scratch[i][-1 - s->arg[a]];
            else if (home_of(fr, s->arg[a]) < 0) fr->arg[i][a] = (char *)address_of(fr, s->arg[a]) + start_of(fr, s, a);
        }
    }
    fr->now = GN_NEW_ARRAY(&fr->arena, gn_array, nslots);
    fr->staged = GN_NEW_ARRAY(&fr->arena, void *, nslots);
    fr->is_staged = GN_NEW_ARRAY(&fr->arena, bool, nslots);
    fr->worker_arg = GN_NEW_ARRAY(&fr->arena, void *, (size_t)fr->f->max_args * (size_t)gn_team_size(fr->f->context->team));
}

static void find_indices(gn_frame *fr)
{
    const gn_program *p = fr->f->program;
    fr->index = GN_NEW_ARRAY(&fr->arena, gn_frame_index, p->indices.n);
    for (size_t i = 0; i < p->indices.n; i++) {
        const gn_pindex *x = &p->indices.at[i];
        const gn_pvalue *v = &p->values.at[x->value];
        fr->index[i].bound = gn_frame_evaluate(fr, x->bound);
        fr->index[i].n =
            gn_frame_evaluate(fr, x->uses) ? gn_frame_evaluate(fr, v->bytes) / (int64_t)gn_dtype_size(v->dtype) : 0;
        if (home_of(fr, (int32_t)x->value) < 0) fr->index[i].data = address_of(fr, (int32_t)x->value);
    }
}

static bool is_plain(const gn_frame *fr)
{
    const gn_program *p = fr->f->program;
    bool plain = fr->f->module && !fr->f->updates && !p->indices.n && !p->is_tree;
    for (size_t i = 0; i < p->steps.n; i++) plain &= fr->plan.parts[i] == 1;
    return plain;
}

static void build(void *arg)
{
    gn_frame *fr = arg;
    const gn_func *f = fr->f;
    check_constraints(fr);
    find_shapes(fr);
    gn_program_plan(f->program, fr->sym, gn_team_size(f->context->team), &fr->plan, &fr->arena);
#if !defined(NDEBUG)
    gn_plan_verify(f->program, fr->sym, &fr->plan);
#endif
    fr->memory_bytes = (size_t)fr->plan.arena_bytes;
    if (!(fr->memory = gn_block_new(f->allocator, fr->memory_bytes))) gn_rethrow(GN_ENOMEM);
    make_tables(fr);
    find_indices(fr);
    make_places(fr);
    if (f->program->is_tree) gn_frame_tree_build(fr);
    prepare_exchange(fr);
    fr->plain = is_plain(fr);
    fr->single = fr->plain && fr->f->program->steps.n == 1 && !fr->f->program->variables.n;
}

static void copy_sym(void *arg)
{
    gn_frame *fr = arg;
    const int64_t *sym = fr->sym;
    fr->sym = GN_NEW_ARRAY(&fr->arena, int64_t, fr->f->program->syms.n);
    if (fr->f->program->syms.n) memcpy(fr->sym, sym, fr->f->program->syms.n * sizeof *sym);
    build(fr);
}

gn_status gn_frame_new(gn_frame **out, gn_func *f, const int64_t *sym)
{
    const gn_target *target = f->context->target;
    *out = NULL;
    /* it may be looked at and exported, here its first instruction could end the process */
    if (f->module && !gn_target_runs_here(target))
        return gn_error(GN_EDEVICE, "%s is compiled for target %s, which this CPU is not", f->program->name, target->name);
    gn_frame *fr = gn_alloc_zeroed(f->allocator, sizeof *fr);
    if (!fr) return GN_ENOMEM;
    fr->f = f;
    fr->arena.allocator = f->allocator;
    fr->sym = (int64_t *)(uintptr_t)sym; /* until copied */
    const gn_status s = gn_protect(copy_sym, fr);
    if (s) gn_frame_free(fr);
    else *out = fr;
    return s;
}

void gn_frame_free(gn_frame *fr)
{
    if (!fr) return;
    const gn_func *f = fr->f;
    for (uint32_t s = 0; fr->staged && s < f->nslots; s++) gn_block_free(f->allocator, fr->staged[s], 0);
    gn_block_free(f->allocator, fr->memory, fr->memory_bytes);
    gn_arena_free(&fr->arena);
    gn_release(f->allocator, fr, sizeof *fr);
}
