/* Lifetimes over the tree. Of all steps that have a value, the innermost loop that is around them all makes it anew
 * each turn; seen from there, a loop further in is one long step. */
#include "program.h"

typedef struct lives {
    const gn_program *p;
    int32_t *loop_of; /* per step: the innermost loop around it; -1 */
    bool *prepares;   /* per step: within a prepared one */
    int32_t *around;  /* per value: the innermost loop around all its steps */
    bool *is_met;     /* per value */
    gn_plive *out;
} lives;

typedef void (*use_visit)(lives *, int32_t value, int32_t first, int32_t last);

static void find_loops(lives *l)
{
    const gn_program *p = l->p;
    int32_t stack[GN_PROGRAM_DEPTH], depth = 0;
    uint32_t prepared_end = 0;
    for (uint32_t i = 0; i < p->steps.n; i++) {
        const gn_pstep *s = &p->steps.at[i];
        while (depth && p->steps.at[stack[depth - 1]].end <= i) depth--;
        l->loop_of[i] = depth ? stack[depth - 1] : -1;
        if (s->kind == GN_STEP_LOOP) stack[depth++] = (int32_t)i;
        if (s->kind == GN_STEP_PREPARE) prepared_end = s->end;
        l->prepares[i] = i < prepared_end;
    }
}

static void visit_loop(lives *l, int32_t at, use_visit visit)
{
    const gn_pstep *s = &l->p->steps.at[at];
    for (uint32_t a = 0; a < s->narg; a++) { /* an initial value is read once */
        const bool is_initial = a < gn_loop_condition(s->of.loop) && a % 3 == gn_carried_initial(0);
        visit(l, s->arg[a], at, is_initial ? at : (int32_t)s->end - 1);
    }
}

static void visit_uses(lives *l, use_visit visit)
{
    const gn_program *p = l->p;
    for (uint32_t i = 0; i < p->steps.n; i++) {
        const gn_pstep *s = &p->steps.at[i];
        if (s->kind == GN_STEP_LOOP) {
            visit_loop(l, (int32_t)i, visit);
            continue;
        }
        for (uint32_t a = 0; a < s->narg; a++)
            if (s->arg[a] >= 0) visit(l, s->arg[a], (int32_t)i, (int32_t)i);
    }
    for (size_t i = 0; i < p->indices.n; i++)
        if (p->indices.at[i].after >= 0)
            visit(l, (int32_t)p->indices.at[i].value, p->indices.at[i].after, p->indices.at[i].after);
}

static bool is_within(const lives *l, int32_t inner, int32_t outer)
{
    while (inner > outer) inner = l->loop_of[inner];
    return inner == outer;
}

static void note_loop(lives *l, int32_t value, int32_t first, int32_t last)
{
    int32_t loop = l->p->values.at[value].kind == GN_VALUE_TEMP ? l->loop_of[first]
                                                                : -1; /* others are there before and after */
    (void)last;
    if (l->is_met[value])
        while (loop >= 0 && !is_within(l, l->around[value], loop)) loop = l->loop_of[loop];
    if (!l->is_met[value] || is_within(l, l->around[value], loop)) l->around[value] = loop;
    l->is_met[value] = true;
}

static void note_use(lives *l, int32_t value, int32_t first, int32_t last)
{
    gn_plive *out = &l->out[value];
    for (int32_t up = l->loop_of[first]; up != l->around[value]; up = l->loop_of[up])
        first = up, last = (int32_t)l->p->steps.at[up].end - 1;
    if (l->prepares[first] && l->p->values.at[value].kind == GN_VALUE_TEMP)
        first = 0, last = (int32_t)l->p->steps.n - 1;
    if (out->first < 0 || out->first > first) out->first = first;
    if (out->last < last) out->last = last;
}

/* ---- memories that are exchanged ---- */

/* The carried value may come to lie in any of a loop's memories. True: one lives longer than was known. */
static bool lengthen(lives *l, const gn_pstep *s, int32_t *last)
{
    const gn_program *p = l->p;
    int32_t longest = -1;
    bool any = false;
    for (uint32_t a = 0; a < gn_loop_condition(s->of.loop); a++)
        if (a % 3 != gn_carried_initial(0) && last[gn_memory_of(p, s->arg[a])] > longest)
            longest = last[gn_memory_of(p, s->arg[a])];
    for (uint32_t a = 0; a < gn_loop_condition(s->of.loop); a++) {
        if (a % 3 == gn_carried_initial(0) || l->out[s->arg[a]].last >= longest) continue;
        l->out[s->arg[a]].last = last[gn_memory_of(p, s->arg[a])] = longest;
        any = true;
    }
    return any;
}

static void join_exchanged(lives *l)
{
    const gn_program *p = l->p;
    int32_t *last = GN_NEW_ARRAY(p->arena, int32_t, p->values.n); /* of a root: of all that share its memory */
    bool any = true;
    for (size_t v = 0; v < p->values.n; v++)
        if (last[gn_memory_of(p, (int32_t)v)] < l->out[v].last) last[gn_memory_of(p, (int32_t)v)] = l->out[v].last;
    while (any) {
        any = false;
        for (size_t i = 0; i < p->steps.n; i++)
            if (p->steps.at[i].kind == GN_STEP_LOOP) any |= lengthen(l, &p->steps.at[i], last);
    }
}

void gn_program_lifetimes(const gn_program *p, gn_plive *out)
{
    lives l = { .p = p,
                .out = out,
                .loop_of = GN_NEW_ARRAY(p->arena, int32_t, p->steps.n),
                .prepares = GN_NEW_ARRAY(p->arena, bool, p->steps.n),
                .around = GN_NEW_ARRAY(p->arena, int32_t, p->values.n),
                .is_met = GN_NEW_ARRAY(p->arena, bool, p->values.n) };
    for (size_t v = 0; v < p->values.n; v++) out[v] = (gn_plive){ -1, -1, -1 };
    find_loops(&l);
    visit_uses(&l, note_loop);
    for (size_t v = 0; v < p->values.n; v++) out[v].around = l.is_met[v] ? l.around[v] : -1;
    visit_uses(&l, note_use);
    if (p->is_tree) join_exchanged(&l);
}

void gn_program_set_lives(gn_program *p)
{
    gn_plive *live = GN_NEW_ARRAY(p->arena, gn_plive, p->values.n);
    gn_program_lifetimes(p, live);
    for (size_t i = 0; i < p->values.n; i++) p->values.at[i].first = live[i].first, p->values.at[i].last = live[i].last;
}

/* ---- sizes ---- */

typedef struct symbols {
    const gn_program *p;
    const int64_t *sym;
} symbols;

int32_t gn_program_find_sym(const gn_program *p, const char *name)
{
    for (size_t i = 0; i < p->syms.n; i++)
        if (strcmp(p->syms.at[i].name, name) == 0) return (int32_t)i;
    return -1;
}

static bool value_of(void *user, const char *name, int64_t *out)
{
    const symbols *s = user;
    const int32_t at = gn_program_find_sym(s->p, name);
    if (at >= 0) *out = s->sym[at];
    return at >= 0;
}

bool gn_program_eval(const gn_program *p, const int64_t *sym, const gn_dim *d, int64_t *out)
{
    return gn_dim_is_const(d, out) || gn_dim_eval(d, value_of, NULL, &(symbols){ p, sym }, out);
}

typedef struct kernel_names {
    const gn_program *p;
    const gn_kernel *k;
    const uint32_t *sym;
} kernel_names;

static const gn_dim *dim_named(void *user, const char *symbol)
{
    const kernel_names *n = user;
    const int32_t at = gn_kernel_find_sym(n->k, symbol);
    return at < 0 ? NULL : gn_dim_sym(n->p->dims, n->p->syms.at[n->sym[at]].name);
}

const gn_dim *gn_program_kernel_dim(const gn_program *p, const gn_kernel *k, const uint32_t *sym, const gn_dim *d)
{
    return gn_dim_subst(p->dims, gn_dim_import(p->dims, d), dim_named, &(kernel_names){ p, k, sym });
}
