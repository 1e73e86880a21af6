/* The memory plan: where temporaries lie for given sizes. Values are placed from the largest to the smallest, each at
 * the lowest offset that no value with a meeting lifetime covers (Y. Pisarchyk, J. Lee, Efficient memory management for
 * deep neural net inference, 2020, "greedy by size"). Values in place share their root's memory. */
#include <stdlib.h>
#include <string.h>
#include "checked.h"
#include "plan_replay.h"
#include "visit.h"

enum { ALIGN = 64 };

static int64_t evaluate(const gn_program *p, const int64_t *sym, const gn_dim *d, const char *what)
{
    int64_t v;
    if (!gn_program_eval(p, sym, d, &v) || v < 0 || v > INT64_MAX / 4)
        gn_throw(GN_ENOMEM, "%s: size overflows", what);
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

/* ---- variants ---- */

static bool holds(const gn_program *p, const int64_t *sym, const gn_pfact *f)
{
    int64_t a, b;
    if (!gn_program_eval(p, sym, f->a, &a) || !gn_program_eval(p, sym, f->b, &b))
        gn_throw(GN_ENOMEM, "%s: size overflows", p->name);
    return f->kind == GN_FACT_EQ ? a == b : a < b;
}

uint32_t gn_plan_choose(const gn_program *p, const int64_t *sym, uint32_t variants)
{
    uint32_t body = variants + 1;
    for (;; body = p->steps.at[body].end) { /* the last has no facts */
        bool all = true;
        const gn_pbody *b = p->steps.at[body].of.body;
        for (uint32_t i = 0; i < b->nfact; i++) all = all && holds(p, sym, &b->fact[i]);
        if (all) return body;
    }
}

/* Steps of bodies that these sizes do not choose; NULL: there are none. */
static bool *find_left_out(const gn_program *p, const int64_t *sym, gn_arena *arena)
{
    if (!p->is_tree) return NULL;
    bool *out = GN_NEW_ARRAY(arena, bool, p->steps.n);
    for (uint32_t i = 0; i < p->steps.n; i++) {
        if (p->steps.at[i].kind != GN_STEP_VARIANTS) continue;
        const uint32_t chosen = gn_plan_choose(p, sym, i);
        for (uint32_t k = i + 1; k < p->steps.at[i].end; k++) out[k] |= k < chosen || k >= p->steps.at[chosen].end;
    }
    return out;
}

/* Roots whose memory some step needs that is not left out. */
static bool *find_needed(const gn_program *p, const bool *left_out, gn_arena *arena)
{
    if (!left_out) return NULL;
    bool *needed = GN_NEW_ARRAY(arena, bool, p->values.n);
    for (size_t i = 0; i < p->steps.n; i++)
        for (uint32_t a = 0; !left_out[i] && a < p->steps.at[i].narg; a++)
            if (p->steps.at[i].arg[a] >= 0) needed[gn_memory_of(p, p->steps.at[i].arg[a])] = true;
    return needed;
}

static size_t make_blocks(const gn_program *p, const int64_t *sym, block *out, gn_arena *arena)
{
    int32_t *at = GN_NEW_ARRAY(arena, int32_t, p->values.n);
    const bool *needed = find_needed(p, find_left_out(p, sym, arena), arena);
    size_t n = 0;
    for (size_t i = 0; i < p->values.n; i++) {
        const gn_pvalue *v = &p->values.at[i];
        if (!lives_in_arena(v) || v->alias >= 0) continue;
        at[i] = (int32_t)n;
        const int64_t bytes = needed && !needed[i] ? 0 : aligned(evaluate(p, sym, v->bytes, v->name));
        out[n++] = (block){ bytes, 0, (int32_t)i, v->first, v->last };
    }
    for (size_t i = 0; i < p->values.n; i++) {
        const gn_pvalue *v = &p->values.at[i];
        if (!lives_in_arena(v) || v->alias < 0) continue;
        const int32_t root = gn_memory_of(p, (int32_t)i);
        if (!lives_in_arena(&p->values.at[root])) continue;
        block *b = &out[at[root]];
        if (v->last > b->last) b->last = v->last;
    }
    return n;
}

/* Scratch of all workers where a step has parts to share; of one else. */
static size_t make_scratch(const gn_program *p, const int64_t *sym, int workers, block *out, gn_plan *plan, gn_arena *arena)
{
    const bool *left_out = find_left_out(p, sym, arena);
    size_t n = 0;
    for (size_t s = 0; s < p->steps.n; s++) {
        const gn_pstep *step = &p->steps.at[s];
        int64_t each = 0, all;
        if (!step->nscratch) continue;
        plan->scratch[s] = GN_NEW_ARRAY(arena, int64_t, step->nscratch);
        for (uint32_t i = 0; i < step->nscratch; i++) {
            plan->scratch[s][i] = each;
            if (gn_add_overflows(each, aligned(evaluate(p, sym, step->scratch[i], step->symbol)), &each))
                gn_throw(GN_ENOMEM, "%s: size overflows", p->name);
        }
        if (left_out && left_out[s]) each = 0;
        plan->scratch_stride[s] = each;
        if (gn_mul_overflows(each, plan->parts[s] > 1 ? workers : 1, &all))
            gn_throw(GN_ENOMEM, "%s: size overflows", p->name);
        out[n++] = (block){ all, 0, -1 - (int32_t)s, (int32_t)s, (int32_t)s };
    }
    return n;
}

/* ---- gaps ---- */

enum { SPAN = 64, MANY = 256 };

/* Placed blocks by the time they live in, a list for every SPAN steps, and all by offset. */
typedef struct placed {
    gn_arena *arena;
    struct span {
        GN_VEC(const block *) at;
    } *span;
    const block **near, **by_offset;
    size_t n;
} placed;

static int compare_offsets(const void *x, const void *y)
{
    const block *const *a = x, *const *b = y;
    return (*a)->offset < (*b)->offset ? -1 : (*a)->offset > (*b)->offset;
}

static bool meet(const block *a, const block *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Those that live at the same time, some of them twice; MANY + 1: too many to sort. */
static size_t find_near(const placed *p, const block *me)
{
    size_t n = 0;
    for (int32_t s = me->first / SPAN; s <= me->last / SPAN; s++)
        for (size_t i = 0; i < p->span[s].at.n; i++) {
            gn_work_done.scans++;
            if (meet(p->span[s].at.at[i], me)) p->near[n++] = p->span[s].at.at[i];
            if (n > MANY) return n;
        }
    if (n) qsort(p->near, n, sizeof *p->near, compare_offsets);
    return n;
}

/* The first gap between the blocks, which come in the order of their offsets, that is large enough. */
static int64_t find_gap(const placed *p, const block *me)
{
    const size_t n = find_near(p, me);
    const block **list = n > MANY ? p->by_offset : p->near;
    int64_t at = 0;
    for (size_t i = 0; i < (n > MANY ? p->n : n); i++) {
        gn_work_done.scans++;
        if (!meet(list[i], me)) continue;
        if (list[i]->offset >= at + me->bytes) break;
        if (list[i]->offset + list[i]->bytes > at) at = list[i]->offset + list[i]->bytes;
    }
    return at;
}

/* Where a block of this offset stands in a list by offset. */
static size_t place_in(const block *const *list, size_t n, int64_t offset)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (list[middle]->offset < offset) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void insert(const block **list, size_t *n, const block *b)
{
    const size_t at = place_in(list, *n, b->offset);
    memmove(&list[at + 1], &list[at], (*n - at) * sizeof *list);
    list[at] = b;
    ++*n;
}

static void note_placed(placed *p, const block *b)
{
    for (int32_t s = b->first / SPAN; s <= b->last / SPAN; s++) gn_push(p->arena, &p->span[s].at, b);
    insert(p->by_offset, &p->n, b);
}

static void place(const gn_program *p, block *b, size_t n, gn_plan *plan, gn_arena *arena)
{
    placed all = { .arena = arena,
                   .span = gn_arena_alloc_n(arena, p->steps.n / SPAN + 1, sizeof *all.span, alignof(struct span)),
                   .near = GN_NEW_ARRAY(arena, const block *, MANY + 2),
                   .by_offset = GN_NEW_ARRAY(arena, const block *, n + 1) };
    /* bytes that begin to live at a step, less those that end */
    int64_t *more = GN_NEW_ARRAY(arena, int64_t, p->steps.n + 2), live = 0;
    if (n) qsort(b, n, sizeof *b, larger_first);
    for (size_t i = 0; i < n; i++) {
        b[i].offset = find_gap(&all, &b[i]);
        note_placed(&all, &b[i]);
        if (b[i].value >= 0) plan->offset[b[i].value] = b[i].offset;
        else
            for (uint32_t k = 0; k < p->steps.at[-1 - b[i].value].nscratch; k++)
                plan->scratch[-1 - b[i].value][k] += b[i].offset;
        int64_t end;
        if (gn_add_overflows(b[i].offset, b[i].bytes, &end) ||
            gn_add_overflows(plan->all_bytes, b[i].bytes, &plan->all_bytes))
            gn_throw(GN_ENOMEM, "%s: size overflows", p->name);
        if (end > plan->arena_bytes) plan->arena_bytes = end;
        more[b[i].first] += b[i].bytes, more[b[i].last + 1] -= b[i].bytes;
    }
    for (size_t s = 0; s < p->steps.n; s++) {
        live += more[s];
        if (live > plan->bound_bytes) plan->bound_bytes = live;
    }
}

void gn_program_plan(const gn_program *p, const int64_t *sym, int workers, gn_plan *plan, gn_arena *arena)
{
    *plan = (gn_plan){ .offset = GN_NEW_ARRAY(arena, int64_t, p->values.n),
                       .parts = GN_NEW_ARRAY(arena, int64_t, p->steps.n),
                       .scratch = GN_NEW_ARRAY(arena, int64_t *, p->steps.n),
                       .scratch_stride = GN_NEW_ARRAY(arena, int64_t, p->steps.n) };
    for (size_t i = 0; i < p->values.n; i++) plan->offset[i] = -1;
    for (size_t s = 0; s < p->steps.n; s++)
        plan->parts[s] = p->steps.at[s].parts ? evaluate(p, sym, p->steps.at[s].parts, p->steps.at[s].symbol) : 1;
    block *b = GN_NEW_ARRAY(arena, block, p->values.n + p->steps.n);
    const size_t nvalues = make_blocks(p, sym, b, arena),
                 n = nvalues + make_scratch(p, sym, workers, b + nvalues, plan, arena);
    place(p, b, n, plan, arena);
    for (size_t i = 0; i < p->values.n; i++)
        if (lives_in_arena(&p->values.at[i])) plan->offset[i] = plan->offset[gn_memory_of(p, (int32_t)i)];
}

/* ---- the replay ---- */

static int first_first(const void *x, const void *y)
{
    const block *const *a = x, *const *b = y;
    return (*a)->first != (*b)->first  ? ((*a)->first < (*b)->first ? -1 : 1)
           : (*a)->value < (*b)->value ? -1
                                       : (*a)->value > (*b)->value;
}

static int last_first(const void *x, const void *y)
{
    const block *const *a = x, *const *b = y;
    return (*a)->last < (*b)->last ? -1 : (*a)->last > (*b)->last;
}

_Noreturn static void fail_together(const gn_program *p, const block *a, const block *b)
{
    const block *scratch = a->value < 0 ? a : b, *other = a->value < 0 ? b : a;
    const char *name = other->value < 0 ? "the scratch of another step" : p->values.at[other->value].name;
    if (scratch->value < 0)
        gn_throw(GN_EINTERNAL, "plan of %s: %s lives in the scratch of step %d", p->name, name, -1 - scratch->value);
    gn_throw(GN_EINTERNAL, "plan of %s: %s and %s live at once in the same bytes", p->name, p->values.at[a->value].name,
             p->values.at[b->value].name);
}

/* Lives through the steps with the blocks that are there: a new one keeps clear of both neighbours. */
static void replay(const gn_program *p, block *b, size_t n, gn_arena *arena)
{
    const block **begin = GN_NEW_ARRAY(arena, const block *, n + 1), **end = GN_NEW_ARRAY(arena, const block *, n + 1),
                **live = GN_NEW_ARRAY(arena, const block *, n + 1);
    size_t nlive = 0, ended = 0;
    for (size_t i = 0; i < n; i++) begin[i] = end[i] = &b[i];
    if (n) qsort(begin, n, sizeof *begin, first_first), qsort(end, n, sizeof *end, last_first);
    for (size_t i = 0; i < n; i++) {
        for (; end[ended]->last < begin[i]->first; ended++) {
            /* they keep clear of each other: no two of one offset */
            const size_t at = place_in(live, nlive, end[ended]->offset);
            memmove(&live[at], &live[at + 1], (--nlive - at) * sizeof *live);
        }
        const size_t at = place_in(live, nlive, begin[i]->offset);
        gn_work_done.scans++;
        if (at < nlive && live[at]->offset < begin[i]->offset + begin[i]->bytes) fail_together(p, live[at], begin[i]);
        if (at > 0 && live[at - 1]->offset + live[at - 1]->bytes > begin[i]->offset)
            fail_together(p, live[at - 1], begin[i]);
        insert(live, &nlive, begin[i]);
    }
}

/* Blocks of the plan, those without bytes left out. */
static size_t planned_blocks(const gn_program *p, const int64_t *sym, const gn_plan *plan, block *b, gn_arena *arena)
{
    const size_t n = make_blocks(p, sym, b, arena);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (b[i].bytes == 0) continue;
        b[kept] = b[i];
        b[kept++].offset = plan->offset[b[i].value];
    }
    for (size_t s = 0; s < p->steps.n; s++)
        if (plan->scratch[s] && plan->scratch_stride[s] > 0)
            b[kept++] = (block){ plan->scratch_stride[s], plan->scratch[s][0], -1 - (int32_t)s, (int32_t)s, (int32_t)s };
    return kept;
}

typedef struct verification {
    const gn_program *p;
    const int64_t *sym;
    const gn_plan *plan;
    gn_arena arena;
} verification;

static void verify(void *arg)
{
    verification *v = arg;
    block *b = GN_NEW_ARRAY(&v->arena, block, v->p->values.n + v->p->steps.n + 1);
    replay(v->p, b, planned_blocks(v->p, v->sym, v->plan, b, &v->arena), &v->arena);
}

/* A value in place begins in the steps of the kernel that reads the old one for the last time. */
static void check_alias(const gn_program *p, const gn_plan *plan, size_t i)
{
    const gn_pvalue *v = &p->values.at[i];
    if (v->alias < 0 || v->first < 0) return;
    const gn_pvalue *old = &p->values.at[v->alias];
    if (!p->is_tree && old->last > v->first && p->steps.at[old->last].kernel != p->steps.at[v->first].kernel)
        gn_throw(GN_EINTERNAL, "plan of %s: %s takes over the memory of %s, which is read later", p->name, v->name,
                 old->name);
    if (plan->offset[i] != plan->offset[v->alias])
        gn_throw(GN_EINTERNAL, "plan of %s: %s takes over the memory of %s and lies elsewhere", p->name, v->name,
                 old->name);
}

void gn_plan_verify(const gn_program *p, const int64_t *sym, const gn_plan *plan)
{
    verification v = { p, sym, plan, { .allocator = p->arena->allocator } };
    const gn_status status = gn_protect(verify, &v);
    gn_arena_free(&v.arena);
    gn_check(status);
    for (size_t i = 0; i < p->values.n; i++) check_alias(p, plan, i);
    if (p->is_tree) gn_plan_replay(p, sym, plan);
}
