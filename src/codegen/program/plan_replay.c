/* A plan, replayed: the tree is run without data over memory in which each value either stands or is poison. Writing
 * a value poisons what lies in the same bytes, its last step poisons it, exchanging memories moves it. A loop makes
 * one turn, two, or three: what is carried comes to lie in one memory or the other, and a lifetime that is a turn
 * short is seen in the second. A second call finds what prepared steps have left, and nothing else. */
#include "plan_replay.h"
#include <inttypes.h>

enum { TURNS = 3, NOBODY = -1, ITS_END = -2 };

typedef struct replay {
    const gn_program *p;
    const gn_plan *plan;
    int64_t *sym;           /* with the turns of open loops */
    int64_t *size;          /* per value */
    int64_t *shift;         /* per value: from the memory of the plan to the one it has */
    bool *there, *prepared; /* per value */
    int32_t *by;            /* per value that is not there: who wrote over it */
    int32_t *last;          /* per value with memory of its own: the last step of all that share it */
    int32_t open[GN_PROGRAM_DEPTH], nopen;
    int64_t turns;
    uint32_t side; /* which body branches take */
    bool again;    /* the second call: prepared steps are left out */
    gn_arena *arena;
} replay;

static void run_range(replay *r, uint32_t at, uint32_t end);

static int64_t evaluate(const replay *r, const gn_dim *d)
{
    int64_t v;
    if (!gn_program_eval(r->p, r->sym, d, &v)) gn_throw(GN_ENOMEM, "%s: size overflows", r->p->name);
    return v;
}

/* ---- values ---- */

static bool is_planned(const replay *r, int32_t v)
{
    return r->p->values.at[v].kind == GN_VALUE_TEMP && r->plan->offset[v] >= 0;
}

static int64_t place_of(const replay *r, int32_t v)
{
    int64_t at = r->plan->offset[v];
    for (; v >= 0; v = r->p->values.at[v].alias) at += r->shift[v];
    return at;
}

static void lose(replay *r, int32_t v, int32_t by)
{
    if (r->there[v]) r->by[v] = by;
    r->there[v] = false;
}

_Noreturn static void fail_read(const replay *r, uint32_t at, int32_t v)
{
    const char *name = r->p->values.at[v].name, *step = r->p->steps.at[at].symbol;
    if (r->by[v] == ITS_END)
        gn_throw(GN_EINTERNAL, "plan of %s: step %" PRIu32 " (%s) reads %s, whose time has ended", r->p->name, at, step,
                 name);
    if (r->by[v] == NOBODY)
        gn_throw(GN_EINTERNAL, "plan of %s: step %" PRIu32 " (%s) reads %s, which is not there", r->p->name, at, step,
                 name);
    gn_throw(GN_EINTERNAL, "plan of %s: step %" PRIu32 " (%s) reads %s, where %s was written", r->p->name, at, step,
             name, r->p->values.at[r->by[v]].name);
}

static void read_value(const replay *r, uint32_t at, int32_t v)
{
    if (!r->there[v]) fail_read(r, at, v);
}

/* Bytes [start, start + n) of v are written. */
static void write_value(replay *r, uint32_t at, int32_t v, int64_t start, int64_t n)
{
    if (!r->there[v] && r->by[v] != NOBODY && n < r->size[v]) fail_read(r, at, v); /* the slices before it are gone */
    for (int32_t old = r->p->values.at[v].alias; old >= 0; old = r->p->values.at[old].alias) lose(r, old, v);
    const int64_t low = place_of(r, v) + start, high = low + n;
    for (int32_t u = 0; is_planned(r, v) && u < (int32_t)r->p->values.n; u++) {
        if (u == v || !r->there[u] || !is_planned(r, u)) continue;
        const int64_t other = place_of(r, u);
        if (other < high && low < other + r->size[u]) lose(r, u, v);
    }
    r->there[v] = true;
}

/* The memory of the plan that was v's is free: poison, whoever lies there now. */
static void poison(replay *r, int32_t v)
{
    const int64_t low = r->plan->offset[v], high = low + r->size[v];
    for (int32_t u = 0; u < (int32_t)r->p->values.n; u++)
        if (r->there[u] && is_planned(r, u) && place_of(r, u) < high && low < place_of(r, u) + r->size[u])
            lose(r, u, ITS_END);
}

/* Values whose last step this is; in a loop those from before it only when all its turns are made. */
static void end_values(replay *r, int32_t last, int32_t loop)
{
    const bool waits = loop >= 0 && (int32_t)r->p->steps.at[loop].end - 1 == last;
    for (int32_t v = 0; v < (int32_t)r->p->values.n; v++) {
        const gn_pvalue *x = &r->p->values.at[v];
        if (x->kind != GN_VALUE_TEMP || r->prepared[v] || (waits && x->first <= loop)) continue;
        if (x->last == last) lose(r, v, ITS_END);
        if (x->alias < 0 && r->last[v] == last && is_planned(r, v)) poison(r, v);
    }
}

static int32_t innermost(const replay *r)
{
    return r->nopen ? r->open[r->nopen - 1] : -1;
}

/* ---- steps ---- */

static void run_step(replay *r, uint32_t at)
{
    const gn_pstep *s = &r->p->steps.at[at];
    const uint32_t parts = s->kind == GN_STEP_KERNEL ? r->p->kernels.at[s->kernel].nsteps : 1;
    for (uint32_t a = 0; a < s->narg && !s->part_of; a++)
        if (s->arg[a] >= 0 && s->uses[a] & GN_OPERAND_READ) read_value(r, at, s->arg[a]);
    for (uint32_t a = 0; a < s->narg && s->part_of + 1 == parts; a++) {
        if (s->arg[a] < 0) continue;
        if (s->uses[a] & GN_OPERAND_WRITE)
            write_value(r, at, s->arg[a], s->start ? evaluate(r, s->start[a]) : 0, evaluate(r, s->bytes[a]));
        if (s->uses[a] & GN_OPERAND_DESTROY) lose(r, s->arg[a], s->arg[0]);
    }
}

/* ---- loops ---- */

static void enter_loop(replay *r, uint32_t at)
{
    const gn_pstep *s = &r->p->steps.at[at];
    for (uint32_t k = 0; k < s->of.loop->ncarried; k++)
        r->shift[s->arg[gn_carried_now(k)]] = r->shift[s->arg[gn_carried_next(k)]] = 0;
    for (uint32_t k = 0; k < s->of.loop->ncarried; k++) read_value(r, at, s->arg[gn_carried_initial(k)]);
    for (uint32_t k = 0; k < s->of.loop->ncarried; k++) {
        r->by[s->arg[gn_carried_now(k)]] = NOBODY;
        write_value(r, at, s->arg[gn_carried_now(k)], 0, r->size[s->arg[gn_carried_now(k)]]);
    }
    end_values(r, (int32_t)at, innermost(r));
}

/* What a turn makes anew. */
static void start_turn(replay *r, uint32_t at)
{
    for (int32_t v = 0; v < (int32_t)r->p->values.n; v++)
        if (r->p->values.at[v].first > (int32_t)at && r->p->values.at[v].last < (int32_t)r->p->steps.at[at].end &&
            r->p->values.at[v].kind == GN_VALUE_TEMP)
            r->there[v] = false, r->by[v] = NOBODY;
}

static void exchange(replay *r, uint32_t at)
{
    const gn_pstep *s = &r->p->steps.at[at];
    const uint32_t n = s->of.loop->ncarried;
    int64_t *by = GN_NEW_ARRAY(r->arena, int64_t, 2 * (size_t)n + 1);
    for (uint32_t k = 0; k < n; k++) {
        const int32_t now = s->arg[gn_carried_now(k)], next = s->arg[gn_carried_next(k)];
        read_value(r, at, next);
        if (gn_is_next_in_place(r->p, s, k)) continue;
        by[2 * k] = place_of(r, next) - place_of(r, now);
        if (!gn_is_carried(s, next)) by[2 * k + 1] = place_of(r, gn_taken_from(s, next)) - place_of(r, next);
    }
    for (uint32_t k = 0; k < n; k++) {
        const int32_t now = s->arg[gn_carried_now(k)], next = s->arg[gn_carried_next(k)];
        r->shift[now] += by[2 * k], r->shift[next] += by[2 * k + 1];
        if (!gn_is_carried(s, next)) r->there[next] = false, r->by[next] = NOBODY;
    }
    for (uint32_t k = 0; k < n; k++) r->there[s->arg[gn_carried_now(k)]] = true;
}

static void run_loop(replay *r, uint32_t at)
{
    const gn_pstep *s = &r->p->steps.at[at];
    const gn_ploop *l = s->of.loop;
    const int64_t count = evaluate(r, l->count);
    enter_loop(r, at);
    r->open[r->nopen++] = (int32_t)at;
    for (int64_t turn = 0; turn < count && turn < r->turns; turn++) {
        r->sym[l->sym] = turn;
        start_turn(r, at);
        run_range(r, at + 1, s->end);
        if (l->has_condition) read_value(r, at, s->arg[gn_loop_condition(l)]);
        exchange(r, at);
    }
    r->sym[l->sym] = 0;
    r->nopen--;
    end_values(r, (int32_t)s->end - 1, innermost(r));
}

/* ---- the other kinds ---- */

static void run_branch(replay *r, uint32_t at)
{
    const gn_pstep *steps = r->p->steps.at;
    read_value(r, at, steps[at].arg[0]);
    end_values(r, (int32_t)at, innermost(r));
    const uint32_t body = r->side++ & 1 ? at + 1 : steps[at + 1].end;
    run_range(r, body + 1, steps[body].end);
}

static void run_variants(replay *r, uint32_t at)
{
    const uint32_t body = gn_plan_choose(r->p, r->sym, at);
    run_range(r, body + 1, r->p->steps.at[body].end);
}

static void run_prepare(replay *r, uint32_t at)
{
    const gn_pstep *steps = r->p->steps.at;
    if (!r->again) run_range(r, at + 1, steps[at].end);
    for (uint32_t i = at + 1; i < steps[at].end; i++)
        for (uint32_t a = 0; a < steps[i].narg; a++)
            if (steps[i].arg[a] >= 0) r->prepared[steps[i].arg[a]] = true;
}

static void run_range(replay *r, uint32_t at, uint32_t end)
{
    static void (*const run_kind[])(replay *, uint32_t) = {
        [GN_STEP_KERNEL] = run_step, [GN_STEP_COPY] = run_step,       [GN_STEP_CALL] = run_step,
        [GN_STEP_LOOP] = run_loop,   [GN_STEP_BRANCH] = run_branch,   [GN_STEP_VARIANTS] = run_variants,
        [GN_STEP_BODY] = NULL,       [GN_STEP_PREPARE] = run_prepare,
    };
    for (; at < end; at = gn_step_after(r->p->steps.at, at)) {
        run_kind[r->p->steps.at[at].kind](r, at);
        if (!gn_step_has_body(&r->p->steps.at[at])) end_values(r, (int32_t)at, innermost(r));
    }
}

/* ---- calls ---- */

static void start_call(replay *r)
{
    for (size_t v = 0; v < r->p->values.n; v++) {
        const gn_pvalue *x = &r->p->values.at[v];
        const bool is_given = x->kind == GN_VALUE_INPUT || x->kind == GN_VALUE_VARIABLE || x->kind == GN_VALUE_CONSTANT;
        if (!is_given && r->again && r->prepared[v]) continue;
        r->there[v] = is_given, r->by[v] = NOBODY;
    }
}

static void note_last(replay *r, int32_t v)
{
    const int32_t last = r->p->values.at[v].last;
    v = gn_memory_of(r->p, v);
    if (r->last[v] < last) r->last[v] = last;
}

static void run_all(void *arg)
{
    replay *r = arg;
    const gn_program *p = r->p;
    r->sym = gn_arena_copy(r->arena, r->sym, p->syms.n * sizeof *r->sym);
    r->size = GN_NEW_ARRAY(r->arena, int64_t, p->values.n), r->shift = GN_NEW_ARRAY(r->arena, int64_t, p->values.n);
    r->there = GN_NEW_ARRAY(r->arena, bool, p->values.n), r->prepared = GN_NEW_ARRAY(r->arena, bool, p->values.n);
    r->by = GN_NEW_ARRAY(r->arena, int32_t, p->values.n);
    r->last = GN_NEW_ARRAY(r->arena, int32_t, p->values.n);
    for (size_t v = 0; v < p->values.n; v++) note_last(r, (int32_t)v);
    for (size_t v = 0; v < p->values.n; v++) r->size[v] = evaluate(r, p->values.at[v].bytes);
    for (r->turns = 1; r->turns <= TURNS; r->turns++)
        for (uint32_t call = 0; call < 4; call++) {
            r->side = call / 2, r->again = call % 2;
            start_call(r);
            run_range(r, 0, (uint32_t)p->steps.n);
        }
}

void gn_plan_replay(const gn_program *p, const int64_t *sym, const gn_plan *plan)
{
    gn_arena arena = { .allocator = p->arena->allocator };
    replay r = { .p = p, .plan = plan, .arena = &arena, .sym = (int64_t *)(uintptr_t)sym };
    const gn_status status = gn_protect(run_all, &r);
    gn_arena_free(&arena);
    gn_check(status);
}
