/* The memory plan: where temporaries lie for given sizes. Values are placed from the largest to the smallest, each at the lowest offset that no
 * value with a meeting lifetime covers (Y. Pisarchyk, J. Lee, Efficient memory management for deep neural net inference, 2020, "greedy by
 * size"). Values in place share their root's memory. */
#include <stdlib.h>
#include "checked.h"
#include "program.h"

enum { ALIGN = 64 };

typedef struct symbols {
    const gn_program *p;
    const int64_t *sym;
} symbols;

static bool value_of(void *user, const char *name, int64_t *out)
{
    const symbols *s = user;
    for (size_t i = 0; i < s->p->syms.n; i++)
        if (strcmp(s->p->syms.at[i].name, name) == 0) return *out = s->sym[i], true;
    return false;
}

static int64_t evaluate(const gn_program *p, const int64_t *sym, const gn_dim *d, const char *what)
{
    symbols s = { p, sym };
    int64_t v;
    if (!gn_dim_eval(d, value_of, NULL, &s, &v) || v < 0 || v > INT64_MAX / 4) gn_throw(GN_ENOMEM, "%s: size overflows", what);
    return v;
}

static int64_t aligned(int64_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

typedef struct block {           /* a root with the lifetime of all that share its memory, or the scratch of a step */
    int64_t bytes, offset;
    int32_t value, first, last;  /* value -1 - s: scratch of step s */
} block;

static int larger_first(const void *x, const void *y)
{
    const block *a = x, *b = y;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? 1 : -1;
    return a->value < b->value ? -1 : a->value > b->value;
}

static bool lives_in_arena(const gn_pvalue *v)
{
    return v->kind == GN_VALUE_TEMP && v->first >= 0;
}

static int32_t root_of(const gn_program *p, int32_t v)
{
    while (p->values.at[v].alias >= 0) v = p->values.at[v].alias;
    return v;
}

static size_t make_blocks(const gn_program *p, const int64_t *sym, block *out, gn_arena *arena)
{
    int32_t *at = GN_NEW_ARRAY(arena, int32_t, p->values.n);
    size_t n = 0;
    for (size_t i = 0; i < p->values.n; i++) {
        const gn_pvalue *v = &p->values.at[i];
        if (!lives_in_arena(v) || v->alias >= 0) continue;
        at[i] = (int32_t)n;
        out[n++] = (block){ aligned(evaluate(p, sym, v->bytes, v->name)), 0, (int32_t)i, v->first, v->last };
    }
    for (size_t i = 0; i < p->values.n; i++) {
        const gn_pvalue *v = &p->values.at[i];
        if (!lives_in_arena(v) || v->alias < 0) continue;
        const int32_t root = root_of(p, (int32_t)i);
        if (!lives_in_arena(&p->values.at[root])) continue;
        block *b = &out[at[root]];
        if (v->last > b->last) b->last = v->last;
    }
    return n;
}

/* Offsets of placed blocks that live at the same time, in order; the first gap that is large enough. */
static int by_offset(const void *x, const void *y)
{
    const block *const *a = x, *const *b = y;
    return (*a)->offset < (*b)->offset ? -1 : (*a)->offset > (*b)->offset;
}

/* Scratch of all workers where a step has parts to share; of one else. */
static size_t make_scratch(const gn_program *p, const int64_t *sym, int workers, block *out, gn_plan *plan, gn_arena *arena)
{
    size_t n = 0;
    for (size_t s = 0; s < p->steps.n; s++) {
        const gn_pstep *step = &p->steps.at[s];
        int64_t each = 0, all;
        if (!step->nscratch) continue;
        plan->scratch[s] = GN_NEW_ARRAY(arena, int64_t, step->nscratch);
        for (uint32_t i = 0; i < step->nscratch; i++) {
            plan->scratch[s][i] = each;
            if (gn_add_overflows(each, aligned(evaluate(p, sym, step->scratch[i], step->symbol)), &each)) gn_throw(GN_ENOMEM, "%s: size overflows", p->name);
        }
        plan->scratch_stride[s] = each;
        if (gn_mul_overflows(each, plan->parts[s] > 1 ? workers : 1, &all)) gn_throw(GN_ENOMEM, "%s: size overflows", p->name);
        out[n++] = (block){ all, 0, -1 - (int32_t)s, (int32_t)s, (int32_t)s };
    }
    return n;
}

static int64_t find_gap(const block *b, size_t placed, const block *me, const block **near)
{
    size_t n = 0;
    for (size_t i = 0; i < placed; i++)
        if (b[i].first <= me->last && me->first <= b[i].last) near[n++] = &b[i];
    if (n) qsort(near, n, sizeof *near, by_offset);
    int64_t at = 0;
    for (size_t i = 0; i < n && near[i]->offset < at + me->bytes; i++)
        if (near[i]->offset + near[i]->bytes > at) at = near[i]->offset + near[i]->bytes;
    return at;
}

static void place(const gn_program *p, block *b, size_t n, gn_plan *plan, gn_arena *arena)
{
    const block **near = GN_NEW_ARRAY(arena, const block *, n);
    int64_t *live = GN_NEW_ARRAY(arena, int64_t, p->steps.n + 1);
    if (n) qsort(b, n, sizeof *b, larger_first);
    for (size_t i = 0; i < n; i++) {
        b[i].offset = find_gap(b, i, &b[i], near);
        if (b[i].value >= 0) plan->offset[b[i].value] = b[i].offset;
        else
            for (uint32_t k = 0; k < p->steps.at[-1 - b[i].value].nscratch; k++) plan->scratch[-1 - b[i].value][k] += b[i].offset;
        int64_t end;
        if (gn_add_overflows(b[i].offset, b[i].bytes, &end) || gn_add_overflows(plan->all_bytes, b[i].bytes, &plan->all_bytes))
            gn_throw(GN_ENOMEM, "%s: size overflows", p->name);
        if (end > plan->arena_bytes) plan->arena_bytes = end;
        for (int32_t s = b[i].first; s <= b[i].last; s++) live[s] += b[i].bytes;
    }
    for (size_t s = 0; s < p->steps.n; s++)
        if (live[s] > plan->bound_bytes) plan->bound_bytes = live[s];
}

void gn_program_plan(const gn_program *p, const int64_t *sym, int workers, gn_plan *plan, gn_arena *arena)
{
    *plan = (gn_plan){ .offset = GN_NEW_ARRAY(arena, int64_t, p->values.n), .parts = GN_NEW_ARRAY(arena, int64_t, p->steps.n),
                       .scratch = GN_NEW_ARRAY(arena, int64_t *, p->steps.n), .scratch_stride = GN_NEW_ARRAY(arena, int64_t, p->steps.n) };
    for (size_t i = 0; i < p->values.n; i++) plan->offset[i] = -1;
    for (size_t s = 0; s < p->steps.n; s++) plan->parts[s] = evaluate(p, sym, p->steps.at[s].parts, p->steps.at[s].symbol);
    block *b = GN_NEW_ARRAY(arena, block, p->values.n + p->steps.n);
    const size_t nvalues = make_blocks(p, sym, b, arena), n = nvalues + make_scratch(p, sym, workers, b + nvalues, plan, arena);
    place(p, b, n, plan, arena);
    for (size_t i = 0; i < p->values.n; i++)
        if (lives_in_arena(&p->values.at[i])) plan->offset[i] = plan->offset[root_of(p, (int32_t)i)];
}

/* ---- the replay ---- */

static void check_overlap(const gn_program *p, const int64_t *sym, const gn_plan *plan, size_t i, size_t j)
{
    const gn_pvalue *a = &p->values.at[i], *b = &p->values.at[j];
    if (plan->offset[i] < 0 || plan->offset[j] < 0 || root_of(p, (int32_t)i) == root_of(p, (int32_t)j)) return;
    if (a->last < b->first || b->last < a->first) return;
    const int64_t na = evaluate(p, sym, a->bytes, a->name), nb = evaluate(p, sym, b->bytes, b->name);
    if (na && nb && plan->offset[i] < plan->offset[j] + nb && plan->offset[j] < plan->offset[i] + na)
        gn_throw(GN_EINTERNAL, "plan of %s: %s and %s live at once in the same bytes", p->name, a->name, b->name);
}

/* Workers' scratch keeps clear of every value that lives in its step. */
static void check_scratch(const gn_program *p, const int64_t *sym, const gn_plan *plan, size_t s, size_t i)
{
    const gn_pvalue *v = &p->values.at[i];
    if (!plan->scratch[s] || plan->offset[i] < 0 || v->first > (int32_t)s || v->last < (int32_t)s) return;
    const int64_t at = plan->scratch[s][0], end = at + plan->scratch_stride[s], n = evaluate(p, sym, v->bytes, v->name);
    if (n && end > at && plan->offset[i] < end && at < plan->offset[i] + n)
        gn_throw(GN_EINTERNAL, "plan of %s: %s lives in the scratch of step %zu", p->name, v->name, s);
}

void gn_plan_verify(const gn_program *p, const int64_t *sym, const gn_plan *plan)
{
    for (size_t s = 0; s < p->steps.n; s++)
        for (size_t i = 0; i < p->values.n; i++) check_scratch(p, sym, plan, s, i);
    for (size_t i = 0; i < p->values.n; i++)
        for (size_t j = i + 1; j < p->values.n; j++) check_overlap(p, sym, plan, i, j);
    /* A value in place begins in the steps of the kernel that reads the old one for the last time. */
    for (size_t i = 0; i < p->values.n; i++) {
        const gn_pvalue *v = &p->values.at[i];
        if (v->alias < 0 || v->first < 0) continue;
        const gn_pvalue *old = &p->values.at[v->alias];
        if (old->last > v->first && p->steps.at[old->last].kernel != p->steps.at[v->first].kernel)
            gn_throw(GN_EINTERNAL, "plan of %s: %s takes over the memory of %s, which is read later", p->name, v->name, old->name);
    }
}
