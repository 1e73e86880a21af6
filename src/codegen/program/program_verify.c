/* The verifier of program trees: each step for itself, what loops carry, then the order of all (order_verify.c),
 * then lifetimes. */
#include "program_verify.h"
#include <inttypes.h>
#include <string.h>

void gn_pverify_refuse(const gn_pverify *v, uint32_t step, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    const char *what = gn_arena_printf_v(v->arena, format, ap);
    va_end(ap);
    gn_throw(GN_EFORMAT, "%s: step %" PRIu32 " (%s): %s", v->file, step, v->p->steps.at[step].symbol, what);
}

/* symbol + c >= 0 is known: the symbol is at least -c. */
static void note_size(gn_pverify *v, const gn_dim *d, int64_t least)
{
    const bool plus = d->n == 2 && d->term[1].n == 0;
    if (d->n < 1 || d->n > 1 + (uint32_t)plus || d->term[0].n != 1 || d->term[0].c != 1 ||
        d->term[0].atom[0]->kind != GN_DIM_SYM)
        return;
    const int64_t min = least - (plus ? d->term[1].c : 0);
    for (size_t i = 0; i < v->sizes.n; i++) {
        gn_dim_fact *f = &v->sizes.at[i];
        if (strcmp(f->name, d->term[0].atom[0]->name)) continue;
        if (f->min < min) f->min = min;
        return;
    }
    gn_push(v->arena, &v->sizes,
            (gn_dim_fact){ .name = d->term[0].atom[0]->name, .min = min > 0 ? min : 0, .max = INT64_MAX });
}

static void note_sizes(gn_pverify *v)
{
    for (size_t i = 0; i < v->p->values.n; i++)
        for (int d = 0; d < v->p->values.at[i].rank; d++) note_size(v, v->p->values.at[i].shape[d], 0);
}

/* In a turn there is at least one. */
gn_dim_facts gn_pverify_facts(gn_pverify *v)
{
    v->facts.n = 0;
    const size_t known = v->sizes.n;
    gn_dim_fact *before = gn_arena_copy(v->arena, v->sizes.at, known * sizeof *before);
    for (uint32_t k = 0; k < v->nopen; k++) note_size(v, gn_pverify_loop(v, k)->count, 1);
    for (int i = 0; i < 2; i++)
        for (int d = 0; v->some[i] && d < v->some[i]->rank; d++) note_size(v, v->some[i]->extent[d], 1);
    for (size_t i = 0; i < v->sizes.n; i++) gn_push(v->arena, &v->facts, v->sizes.at[i]);
    for (uint32_t k = 0; k < v->nopen; k++)
        gn_push(v->arena, &v->facts,
                (gn_dim_fact){
                    .name = gn_pverify_turn(v, k), .min = 0, .max = INT64_MAX, .limit = gn_pverify_loop(v, k)->count });
    if (known) memcpy(v->sizes.at, before, known * sizeof *before);
    v->sizes.n = known;
    return (gn_dim_facts){ v->facts.n, v->facts.at };
}

/* ---- turns ---- */

static const char *turn_in(const gn_pverify *v, const gn_dim *d)
{
    for (size_t i = 0; i < v->p->syms.n; i++)
        if (v->p->syms.at[i].input == GN_SYM_TURN && gn_dim_mentions(d, v->p->syms.at[i].name))
            return v->p->syms.at[i].name;
    return NULL;
}

static void need_fixed(const gn_pverify *v, uint32_t at, const gn_dim *d, const char *what)
{
    const char *turn = turn_in(v, d);
    if (turn) gn_pverify_refuse(v, at, "%s depends on '%s', which counts turns", what, turn);
}

static bool is_open(const gn_pverify *v, uint32_t sym)
{
    for (uint32_t k = 0; k < v->nopen; k++)
        if (gn_pverify_loop(v, k)->sym == sym) return true;
    return false;
}

static void check_start(const gn_pverify *v, uint32_t at, const gn_dim *start)
{
    for (uint32_t i = 0; i < v->p->syms.n; i++) {
        const gn_psym *s = &v->p->syms.at[i];
        if (s->input != GN_SYM_TURN || !gn_dim_mentions(start, s->name)) continue;
        if (!is_open(v, i)) gn_pverify_refuse(v, at, "'%s' counts the turns of no loop around it", s->name);
        if (!gn_dim_linear(v->p->dims, start, s->name))
            gn_pverify_refuse(v, at, "the start %s is not linear in '%s'", gn_dim_text(v->arena, start), s->name);
    }
}

static void check_starts(const gn_pverify *v, uint32_t at)
{
    const gn_pstep *s = &v->p->steps.at[at];
    for (uint32_t a = 0; s->start && a < s->narg; a++) check_start(v, at, s->start[a]);
}

/* ---- steps ---- */

static void check_kernel(gn_pverify *v, uint32_t at)
{
    const gn_pstep *s = &v->p->steps.at[at];
    need_fixed(v, at, s->parts, "the number of parts");
    for (uint32_t i = 0; i < s->nsym; i++)
        if (v->p->syms.at[s->sym[i]].input == GN_SYM_TURN && !is_open(v, s->sym[i]))
            gn_pverify_refuse(v, at, "'%s' counts the turns of no loop around it", v->p->syms.at[s->sym[i]].name);
    const gn_pstep *before = at ? &v->p->steps.at[at - 1] : NULL;
    if (s->part_of >= v->p->kernels.at[s->kernel].nsteps)
        gn_pverify_refuse(v, at, "its kernel has no part %" PRIu32, s->part_of);
    if (s->part_of &&
        (!before || before->kind != GN_STEP_KERNEL || before->kernel != s->kernel || before->part_of + 1 != s->part_of))
        gn_pverify_refuse(v, at, "part %" PRIu32 " of a kernel does not follow the part before it", s->part_of);
}

/* Places of what is written are different, and it can be seen: each stride is at least what the dims behind it reach
 * over. */
static void check_strides(gn_pverify *v, uint32_t at, const gn_pcopy *c)
{
    gn_dim_pool *dims = v->p->dims;
    const gn_dim_facts facts = gn_pverify_facts(v);
    const gn_dim *reach = gn_dim_const(dims, 1), *one = gn_dim_const(dims, 1);
    for (int d = c->rank; d-- > 0;) {
        if (!gn_dim_nonnegative(dims, c->from[d], &facts))
            gn_pverify_refuse(v, at, "the stride %s is negative", gn_dim_text(v->arena, c->from[d]));
        if (!gn_dim_is(c->extent[d], 1) && !gn_dim_nonnegative(dims, gn_dim_sub(dims, c->to[d], reach), &facts))
            gn_pverify_refuse(v, at, "writes with stride %s what the dims behind it reach over: %s",
                              gn_dim_text(v->arena, c->to[d]), gn_dim_text(v->arena, reach));
        reach = gn_dim_add(dims, reach, gn_dim_mul(dims, gn_dim_sub(dims, c->extent[d], one), c->to[d]));
    }
}

static void check_copy(gn_pverify *v, uint32_t at)
{
    const gn_pstep *s = &v->p->steps.at[at];
    const gn_pvalue *to = &v->p->values.at[s->arg[0]], *from = &v->p->values.at[s->arg[1]];
    if (to->dtype != from->dtype)
        gn_pverify_refuse(v, at, "copies %s to %s", gn_dtype_name(from->dtype), gn_dtype_name(to->dtype));
    if (!s->of.copy->rank && to->bytes != from->bytes)
        gn_pverify_refuse(v, at, "copies all of '%s' to '%s', which has another size", from->name, to->name);
    for (int d = 0; d < s->of.copy->rank; d++) {
        need_fixed(v, at, s->of.copy->extent[d], "an extent");
        need_fixed(v, at, s->of.copy->to[d], "a stride"), need_fixed(v, at, s->of.copy->from[d], "a stride");
    }
    check_strides(v, at, s->of.copy);
}

static void check_call(gn_pverify *v, uint32_t at)
{
    const gn_pstep *s = &v->p->steps.at[at];
    const gn_routine *r = s->of.call->routine;
    for (uint32_t d = 0; d < r->ndim; d++) need_fixed(v, at, s->of.call->dim[d], "a dim");
    for (uint32_t a = 0; a < r->narg; a++) {
        const gn_pvalue *x = s->arg[a] >= 0 ? &v->p->values.at[s->arg[a]] : NULL;
        if (!x || x->dtype != r->arg[a].dtype)
            gn_pverify_refuse(v, at, "argument %" PRIu32 " is %s", a, gn_dtype_name(r->arg[a].dtype));
        if (r->arg[a].uses & GN_OPERAND_DESTROY && x->kind != GN_VALUE_TEMP)
            gn_pverify_refuse(v, at, "it destroys '%s', which is no temporary", x->name);
    }
    if (!r->workspace) return;
    if (s->arg[r->narg] != -1 || s->nscratch != 1 || s->scratch[0] != gn_access_bytes(&v->access, s, r->narg))
        gn_pverify_refuse(v, at, "its workspace is %s bytes, the last argument",
                          gn_dim_text(v->arena, gn_access_bytes(&v->access, s, r->narg)));
}

static void need_flag(const gn_pverify *v, uint32_t at, int32_t value, const char *what)
{
    const gn_dtype t = v->p->values.at[value].dtype;
    if (t != GN_BOOL && t != GN_I64)
        gn_pverify_refuse(v, at, "%s '%s' is no bool or i64", what, gn_pverify_name(v, value));
}

static void check_branch(gn_pverify *v, uint32_t at)
{
    if (v->p->steps.at[at].arg[0] < 0) gn_pverify_refuse(v, at, "it chooses by scratch memory");
    need_flag(v, at, v->p->steps.at[at].arg[0], "its value");
}

static void check_prepare(gn_pverify *v, uint32_t at)
{
    const gn_pprepare *q = v->p->steps.at[at].of.prepare;
    for (uint32_t i = 0; i < q->n; i++)
        if (v->p->variables.at[q->variable[i]].updated)
            gn_pverify_refuse(v, at, "the variable '%s' is updated by the program itself",
                              v->p->variables.at[q->variable[i]].name);
}

static void check_variants(gn_pverify *v, uint32_t at)
{
    const gn_pstep *steps = v->p->steps.at;
    uint32_t last = at + 1;
    if (steps[at].end == at + 1) gn_pverify_refuse(v, at, "there is nothing to choose from");
    for (uint32_t b = at + 1; b < steps[at].end; last = b, b = steps[b].end)
        for (uint32_t i = 0; i < steps[b].of.body->nfact; i++)
            need_fixed(v, at, steps[b].of.body->fact[i].a, "a choice"),
                need_fixed(v, at, steps[b].of.body->fact[i].b, "a choice");
    if (steps[last].of.body->nfact) gn_pverify_refuse(v, at, "the last variant is for some sizes alone");
}

/* ---- what loops carry ---- */

static bool is_exchanged(const gn_pverify *v, int32_t value, const gn_pstep *s)
{
    const gn_pvalue *x = &v->p->values.at[value];
    bool in_place = false;
    for (uint32_t k = 0; k < s->of.loop->ncarried; k++)
        in_place |= s->arg[gn_carried_next(k)] == value && gn_is_next_in_place(v->p, s, k);
    return x->kind == GN_VALUE_TEMP && (x->alias < 0 || in_place);
}

static void check_types(const gn_pverify *v, uint32_t at, int32_t now, int32_t other)
{
    const gn_pvalue *a = &v->p->values.at[now], *b = &v->p->values.at[other];
    if (a->dtype != b->dtype || a->bytes != b->bytes)
        gn_pverify_refuse(v, at, "carries '%s', %s of %s bytes, and '%s', %s of %s bytes", a->name,
                          gn_dtype_name(a->dtype), gn_dim_text(v->arena, a->bytes), b->name, gn_dtype_name(b->dtype),
                          gn_dim_text(v->arena, b->bytes));
}

static void check_carried(const gn_pverify *v, uint32_t at, uint32_t k)
{
    const gn_pstep *s = &v->p->steps.at[at];
    const int32_t now = s->arg[gn_carried_now(k)], initial = s->arg[gn_carried_initial(k)],
                  next = s->arg[gn_carried_next(k)];
    const gn_pvalue *x = &v->p->values.at[now];
    check_types(v, at, now, initial), check_types(v, at, now, next);
    if (x->kind != GN_VALUE_TEMP || (x->alias >= 0 && x->alias != initial))
        gn_pverify_refuse(v, at, "the carried value '%s' has no memory of its own", x->name);
    if (!is_exchanged(v, next, s) && !gn_is_carried(s, next))
        gn_pverify_refuse(v, at, "'%s', which becomes '%s', has no memory of its own: a copy is needed",
                          gn_pverify_name(v, next), x->name);
    for (uint32_t j = 0; j < k; j++) {
        if (s->arg[gn_carried_now(j)] == now) gn_pverify_refuse(v, at, "'%s' is carried twice", x->name);
        if (s->arg[gn_carried_next(j)] == next)
            gn_pverify_refuse(v, at, "'%s' becomes two carried values: a copy is needed", gn_pverify_name(v, next));
    }
}

/* A memory that another loop exchanges, too, would not be found again. */
static void check_other_loops(const gn_pverify *v, uint32_t at)
{
    const gn_pstep *s = &v->p->steps.at[at];
    for (uint32_t a = 0; a < gn_loop_condition(s->of.loop); a++)
        for (uint32_t i = 0; i < v->p->steps.n; i++) {
            const gn_pstep *other = &v->p->steps.at[i];
            const int32_t alias = v->p->values.at[s->arg[a]].alias;
            if (i == at || other->kind != GN_STEP_LOOP || !gn_is_exchanged(s->of.loop, a)) continue;
            for (uint32_t b = 0; b < gn_loop_condition(other->of.loop); b++)
                if (gn_is_exchanged(other->of.loop, b) &&
                    (other->arg[b] == s->arg[a] || (alias >= 0 && other->arg[b] == alias)))
                    gn_pverify_refuse(v, at, "the memory of '%s' is exchanged by another loop: a copy is needed",
                                      gn_pverify_name(v, s->arg[a]));
        }
}

static void check_loop(gn_pverify *v, uint32_t at)
{
    const gn_pstep *s = &v->p->steps.at[at];
    const gn_ploop *l = s->of.loop;
    if (is_open(v, l->sym)) gn_pverify_refuse(v, at, "'%s' counts the turns of the loop around it", s->symbol);
    need_fixed(v, at, l->count, "the number of turns");
    for (uint32_t a = 0; a < s->narg; a++)
        if (s->arg[a] < 0 || (s->start && !gn_dim_is(s->start[a], 0)))
            gn_pverify_refuse(v, at, "carries part of a value");
    for (uint32_t k = 0; k < l->ncarried; k++) check_carried(v, at, k);
    check_other_loops(v, at);
    if (l->has_condition) need_flag(v, at, s->arg[gn_loop_condition(l)], "its condition");
}

/* ---- all steps ---- */

static void check_status(const gn_pverify *v, uint32_t at)
{
    const gn_pstep *s = &v->p->steps.at[at];
    if (!s->status) return;
    const int32_t value = s->arg[s->status - 1];
    const gn_dtype t = value < 0 ? GN_F32 : v->p->values.at[value].dtype;
    if (t != GN_I32 && t != GN_I64)
        gn_pverify_refuse(v, at, "argument %" PRIu32 ", its status, is no i32 or i64", s->status - 1);
}

static void check_arguments(gn_pverify *v, uint32_t at)
{
    const gn_pstep *s = &v->p->steps.at[at];
    if (s->kind != GN_STEP_KERNEL) return;
    const gn_kernel *k = gn_access_kernel(&v->access, s->kernel);
    if (s->narg < k->bufs.n || s->nsym != k->syms.n)
        gn_pverify_refuse(v, at, "has %" PRIu32 " arguments and %" PRIu32 " symbols, its kernel %zu and %zu", s->narg,
                          s->nsym, k->bufs.n, k->syms.n);
    for (uint32_t a = 0; a < k->bufs.n; a++)
        if (k->bufs.at[a].align)
            gn_pverify_refuse(v, at, "its kernel wants '%s' at a multiple of %u bytes, which no call checks",
                              k->bufs.at[a].name, k->bufs.at[a].align);
        else if (s->arg[a] < 0 || v->p->values.at[s->arg[a]].dtype != k->bufs.at[a].dtype)
            gn_pverify_refuse(v, at, "argument %" PRIu32 " is the buffer '%s', %s", a, k->bufs.at[a].name,
                              gn_dtype_name(k->bufs.at[a].dtype));
}

static void (*const check_kind[])(gn_pverify *, uint32_t) = {
    [GN_STEP_KERNEL] = check_kernel, [GN_STEP_COPY] = check_copy,       [GN_STEP_CALL] = check_call,
    [GN_STEP_LOOP] = check_loop,     [GN_STEP_BRANCH] = check_branch,   [GN_STEP_VARIANTS] = check_variants,
    [GN_STEP_BODY] = NULL,           [GN_STEP_PREPARE] = check_prepare,
};

static void check_steps(gn_pverify *v)
{
    uint32_t top = 0; /* the end of the step at the top of the tree */
    for (uint32_t at = 0; at < v->p->steps.n; at++) {
        const gn_pstep *s = &v->p->steps.at[at];
        while (v->nopen && v->p->steps.at[v->open[v->nopen - 1]].end <= at) v->nopen--;
        if (s->kind == GN_STEP_PREPARE && at < top)
            gn_pverify_refuse(v, at, "a prepared step stands within another step");
        if (at >= top) top = gn_step_after(v->p->steps.at, at);
        check_arguments(v, at);
        if (check_kind[s->kind]) check_kind[s->kind](v, at);
        check_starts(v, at), check_status(v, at);
        if (s->kind == GN_STEP_LOOP) v->open[v->nopen++] = at;
    }
    v->nopen = 0;
}

/* The call gives or keeps so many bytes, whatever the text says. */
static void check_size(const gn_pverify *v, const gn_pvalue *x)
{
    gn_dim_pool *dims = v->p->dims;
    const bool is_variable = x->kind == GN_VALUE_VARIABLE || x->kind == GN_VALUE_UPDATE;
    const gn_pvariable *w = is_variable ? &v->p->variables.at[x->index] : NULL;
    const gn_dim *elements = w ? gn_dims_product(dims, w->rank, w->shape) : gn_dims_product(dims, x->rank, x->shape),
                 *bytes = gn_dim_scale(dims, elements, (int64_t)gn_dtype_size(w ? w->dtype : x->dtype));
    if (x->kind == GN_VALUE_CONSTANT) bytes = gn_dim_const(dims, (int64_t)x->nbytes);
    if (x->kind != GN_VALUE_TEMP && bytes != x->bytes)
        gn_throw(GN_EFORMAT, "%s: '%s' has %s bytes, not %s", v->file, x->name, gn_dim_text(v->arena, bytes),
                 gn_dim_text(v->arena, x->bytes));
}

/* Memory that may be taken over: a temporary's, or an update's variable's; and no less of it than is needed. */
static void check_alias(gn_pverify *v, const gn_pvalue *x)
{
    if (x->alias < 0) return;
    const gn_dim_facts facts = gn_pverify_facts(v);
    const gn_pvalue *old = &v->p->values.at[x->alias];
    const bool own = x->kind == GN_VALUE_UPDATE && old->kind == GN_VALUE_VARIABLE && old->index == x->index;
    if (!own && (x->kind != GN_VALUE_TEMP || old->kind != GN_VALUE_TEMP))
        gn_throw(GN_EFORMAT, "%s: '%s' takes over the memory of '%s', which is not the program's", v->file, x->name,
                 old->name);
    if (!gn_dim_nonnegative(v->p->dims, gn_dim_sub(v->p->dims, old->bytes, x->bytes), &facts))
        gn_throw(GN_EFORMAT, "%s: '%s' takes over the memory of '%s', which is smaller", v->file, x->name, old->name);
}

static void check_values(gn_pverify *v)
{
    for (size_t i = 0; i < v->p->values.n; i++) {
        const gn_pvalue *x = &v->p->values.at[i];
        const char *turn = turn_in(v, x->bytes);
        check_size(v, x), check_alias(v, x);
        if (turn)
            gn_throw(GN_EFORMAT, "%s: the size of '%s' depends on '%s', which counts turns", v->file, x->name, turn);
        const gn_plive *need = &v->lives[i];
        if (x->kind != GN_VALUE_TEMP || need->first < 0 ||
            (x->first >= 0 && x->first <= need->first && x->last >= need->last))
            continue;
        gn_throw(GN_EFORMAT,
                 "%s: '%s' lives from step %" PRId32 " to step %" PRId32 " and is needed from %" PRId32 " to %" PRId32,
                 v->file, x->name, x->first, x->last, need->first, need->last);
    }
}

/* Of kernels, copies and calls. */
static void note_uses(gn_pverify *v, gn_pstep *s)
{
    if (gn_step_has_body(s)) return;
    uint8_t *uses = GN_NEW_ARRAY(v->arena, uint8_t, s->narg);
    const gn_dim **bytes = GN_NEW_ARRAY(v->arena, const gn_dim *, s->narg);
    for (uint32_t a = 0; a < s->narg; a++)
        if (s->arg[a] >= 0) uses[a] = gn_access_uses(&v->access, s, a), bytes[a] = gn_access_bytes(&v->access, s, a);
    s->uses = uses, s->bytes = bytes;
}

void gn_program_verify(gn_program *p, const char *file)
{
    gn_pverify v = { .p = p,
                     .file = file,
                     .arena = p->arena,
                     .access = gn_accesses_of(p->arena, p),
                     .lives = GN_NEW_ARRAY(p->arena, gn_plive, p->values.n) };
    note_sizes(&v);
    check_steps(&v);
    gn_program_lifetimes(p, v.lives);
    gn_pverify_order(&v);
    check_values(&v);
    for (size_t i = 0; i < p->steps.n; i++) note_uses(&v, &p->steps.at[i]);
}
