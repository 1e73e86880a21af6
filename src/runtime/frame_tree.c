/* Frames of trees: for each step that is no kernel what its run needs, made once for given sizes. */
#include "func_state.h"
#include <string.h>
#include "error.h"

typedef struct tree {
    gn_frame *fr;
    const gn_program *p;
    uint32_t open[GN_PROGRAM_DEPTH], nopen; /* loops around a step */
} tree;

typedef void (*slot_visit)(void *user, void **at, int32_t value);

/* All entries that point into a value. */
static void visit_slots(const gn_frame *fr, slot_visit visit, void *user)
{
    const gn_program *p = fr->f->program;
    for (size_t i = 0; i < p->steps.n; i++)
        for (uint32_t a = 0; a < p->steps.at[i].narg; a++)
            if (p->steps.at[i].arg[a] >= 0) visit(user, &fr->arg[i][a], p->steps.at[i].arg[a]);
    for (size_t i = 0; i < p->indices.n; i++)
        if (fr->index[i].data) visit(user, &fr->index[i].data, (int32_t)p->indices.at[i].value);
}

/* ---- slices ---- */

static gn_frame_loop *loop_that_counts(const tree *t, uint32_t sym)
{
    for (uint32_t k = 0; k < t->nopen; k++)
        if (t->p->steps.at[t->open[k]].of.loop->sym == sym) return t->fr->tree[t->open[k]].loop;
    return NULL;
}

/* How far the start is moved by one turn: it is linear in the turn. */
static int64_t moved_by(tree *t, const gn_dim *start, uint32_t sym)
{
    const int64_t before = gn_frame_evaluate(t->fr, start);
    t->fr->sym[sym] = 1;
    const int64_t after = gn_frame_evaluate(t->fr, start);
    t->fr->sym[sym] = 0;
    return after - before;
}

static void add_moves(tree *t, uint32_t step, uint32_t arg)
{
    const gn_dim *start = t->p->steps.at[step].start[arg];
    for (uint32_t sym = 0; sym < t->p->syms.n; sym++) {
        gn_frame_loop *l = t->p->syms.at[sym].input == GN_SYM_TURN ? loop_that_counts(t, sym) : NULL;
        if (!l || !gn_dim_mentions(start, t->p->syms.at[sym].name)) continue;
        if (l->move) l->move[l->nmoves] = (gn_frame_move){ &t->fr->arg[step][arg], moved_by(t, start, sym) };
        l->nmoves++;
    }
}

static void add_turns(tree *t, uint32_t step)
{
    const gn_pstep *s = &t->p->steps.at[step];
    for (uint32_t k = 0; k < s->nsym; k++) {
        gn_frame_loop *l = t->p->syms.at[s->sym[k]].input == GN_SYM_TURN ? loop_that_counts(t, s->sym[k]) : NULL;
        if (!l) continue;
        if (l->turn) l->turn[l->nturns] = &t->fr->step_sym[step][k];
        l->nturns++;
    }
}

/* Counted first. */
static void find_moves(tree *t)
{
    t->nopen = 0;
    for (uint32_t i = 0; i < t->p->steps.n; i++) {
        const gn_pstep *s = &t->p->steps.at[i];
        while (t->nopen && t->p->steps.at[t->open[t->nopen - 1]].end <= i) t->nopen--;
        for (uint32_t a = 0; s->start && a < s->narg; a++) add_moves(t, i, a);
        add_turns(t, i);
        if (s->kind == GN_STEP_LOOP) t->open[t->nopen++] = i;
    }
}

static void make_moves(tree *t)
{
    find_moves(t);
    for (uint32_t i = 0; i < t->p->steps.n; i++) {
        if (t->p->steps.at[i].kind != GN_STEP_LOOP) continue;
        gn_frame_loop *l = t->fr->tree[i].loop;
        l->move = GN_NEW_ARRAY(&t->fr->arena, gn_frame_move, l->nmoves + 1), l->nmoves = 0;
        l->turn = GN_NEW_ARRAY(&t->fr->arena, int64_t *, l->nturns + 1), l->nturns = 0;
    }
    find_moves(t);
}

/* ---- exchanged memories ---- */

typedef struct collection {
    const gn_program *p;
    int32_t value;
    gn_frame_exchanged *out;
} collection;

static void collect(void *user, void **at, int32_t value)
{
    collection *c = user;
    while (value >= 0 && value != c->value) value = c->p->values.at[value].alias;
    if (value < 0) return;
    if (c->out->entry) c->out->entry[c->out->nentries] = at;
    c->out->nentries++;
}

static void add_exchanged(tree *t, gn_frame_loop *l, uint32_t step, uint32_t arg, int32_t *member)
{
    const gn_pstep *s = &t->p->steps.at[step];
    for (uint32_t i = 0; i < l->nexchanged; i++)
        if (member[i] == s->arg[arg]) return;
    member[l->nexchanged] = s->arg[arg];
    gn_frame_exchanged *e = &l->exchanged[l->nexchanged++];
    collection c = { t->p, s->arg[arg], e };
    e->at = &t->fr->arg[step][arg];
    visit_slots(t->fr, collect, &c);
    e->entry = GN_NEW_ARRAY(&t->fr->arena, void **, e->nentries + 1), e->nentries = 0;
    visit_slots(t->fr, collect, &c);
}

static void make_exchanges(tree *t, uint32_t step)
{
    const gn_pstep *s = &t->p->steps.at[step];
    const uint32_t n = s->of.loop->ncarried;
    gn_frame_loop *l = t->fr->tree[step].loop;
    int32_t *member = GN_NEW_ARRAY(&t->fr->arena, int32_t, 2 * (size_t)n + 1);
    l->exchanged = GN_NEW_ARRAY(&t->fr->arena, gn_frame_exchanged, 2 * (size_t)n + 1);
    for (uint32_t k = 0; k < n; k++) {
        if (gn_is_next_in_place(t->p, s, k)) continue;
        add_exchanged(t, l, step, gn_carried_now(k), member), add_exchanged(t, l, step, gn_carried_next(k), member);
    }
    for (uint32_t i = 0; i < l->nexchanged; i++)
        while (member[l->exchanged[i].from] != gn_taken_from(s, member[i])) l->exchanged[i].from++;
}

static void make_initial(tree *t, uint32_t step)
{
    const gn_pstep *s = &t->p->steps.at[step];
    gn_frame_loop *l = t->fr->tree[step].loop;
    l->initial = GN_NEW_ARRAY(&t->fr->arena, int64_t, s->of.loop->ncarried + 1);
    for (uint32_t k = 0; k < s->of.loop->ncarried; k++) {
        const gn_pvalue *now = &t->p->values.at[s->arg[gn_carried_now(k)]];
        if (now->alias < 0) l->initial[k] = gn_frame_evaluate(t->fr, now->bytes);
    }
}

/* ---- the other kinds ---- */

static gn_array view_of(tree *t, const gn_pcopy *c, const gn_pvalue *v, const gn_dim *const *stride)
{
    const int64_t elements = gn_frame_evaluate(t->fr, v->bytes) / (int64_t)gn_dtype_size(v->dtype);
    gn_array a = gn_array_1d(NULL, v->dtype, elements);
    if (!c->rank) return a;
    a.rank = c->rank;
    for (int d = 0; d < c->rank; d++)
        a.shape[d] = gn_frame_evaluate(t->fr, c->extent[d]), a.stride[d] = gn_frame_evaluate(t->fr, stride[d]);
    return a;
}

static void make_copy(tree *t, uint32_t step)
{
    const gn_pstep *s = &t->p->steps.at[step];
    gn_frame_copy *c = t->fr->tree[step].copy = GN_NEW_OBJECT(&t->fr->arena, gn_frame_copy);
    c->to = view_of(t, s->of.copy, &t->p->values.at[s->arg[0]], s->of.copy->to);
    c->from = view_of(t, s->of.copy, &t->p->values.at[s->arg[1]], s->of.copy->from);
}

static void make_call(tree *t, uint32_t step)
{
    const gn_pcall *c = t->p->steps.at[step].of.call;
    t->fr->tree[step].dim = GN_NEW_ARRAY(&t->fr->arena, int64_t, c->routine->ndim);
    for (uint32_t d = 0; d < c->routine->ndim; d++) t->fr->tree[step].dim[d] = gn_frame_evaluate(t->fr, c->dim[d]);
}

static void make_loop(tree *t, uint32_t step)
{
    gn_frame_loop *l = t->fr->tree[step].loop = GN_NEW_OBJECT(&t->fr->arena, gn_frame_loop);
    l->count = gn_frame_evaluate(t->fr, t->p->steps.at[step].of.loop->count);
    make_initial(t, step), make_exchanges(t, step);
}

static void make_choice(tree *t, uint32_t step)
{
    t->fr->tree[step].body = gn_plan_choose(t->p, t->fr->sym, step);
}

static void make_prepared(tree *t, uint32_t step)
{
    gn_frame_prepared *q = t->fr->tree[step].prepared = GN_NEW_OBJECT(&t->fr->arena, gn_frame_prepared);
    q->version = GN_NEW_ARRAY(&t->fr->arena, uint64_t, t->p->steps.at[step].of.prepare->n);
}

void gn_frame_tree_build(gn_frame *fr)
{
    static void (*const make_kind[])(tree *, uint32_t) = {
        [GN_STEP_KERNEL] = NULL,    [GN_STEP_COPY] = make_copy,        [GN_STEP_CALL] = make_call,
        [GN_STEP_LOOP] = make_loop, [GN_STEP_BRANCH] = NULL,           [GN_STEP_VARIANTS] = make_choice,
        [GN_STEP_BODY] = NULL,      [GN_STEP_PREPARE] = make_prepared,
    };
    tree t = { .fr = fr, .p = fr->f->program };
    fr->tree = GN_NEW_ARRAY(&fr->arena, gn_frame_step, t.p->steps.n);
    for (uint32_t i = 0; i < t.p->steps.n; i++) {
        const gn_pstep *s = &t.p->steps.at[i];
        if (s->device)
            gn_throw(GN_EDEVICE, "%s: step %u (%s) is for device %u: steps run on the host alone", t.p->name, i,
                     s->symbol, s->device - 1);
        if (make_kind[s->kind]) make_kind[s->kind](&t, i);
    }
    make_moves(&t);
}
