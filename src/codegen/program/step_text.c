/* Steps as text: one reader and one printer per kind, in a table. Grammar: docs/program-text.md. */
#include <inttypes.h>
#include "program_text.h"

typedef struct step_form {
    const char *head;
    uint8_t kind;
    void (*read)(gn_preader *, const gn_sx *);
    void (*print)(gn_text *, const gn_program *, const gn_pstep *); /* without what is within it */
} step_form;

/* ---- printing ---- */

static void print_arg(gn_text *t, const gn_pstep *s, uint32_t i)
{
    const bool plain = !s->start || gn_dim_is(s->start[i], 0);
    gn_textf(t, "%s%" PRId32, plain ? "" : "(", s->arg[i]);
    if (plain) return;
    gn_text_char(t, ' ');
    gn_dim_print(t, s->start[i]);
    gn_text_char(t, ')');
}

static void print_args(gn_text *t, const gn_pstep *s, uint32_t first, uint32_t end)
{
    gn_text_char(t, '(');
    for (uint32_t i = first; i < end; i++) {
        if (i > first) gn_text_char(t, ' ');
        print_arg(t, s, i);
    }
    gn_text_char(t, ')');
}

static void print_kernel(gn_text *t, const gn_program *p, const gn_pstep *s)
{
    (void)p;
    gn_textf(t, "step %" PRIu32 " %" PRIu32 " %s ", s->kernel, s->part_of, s->symbol);
    gn_dim_print(t, s->parts);
    gn_text_char(t, ' ');
    print_args(t, s, 0, s->narg);
    gn_text_add(t, " (");
    for (uint32_t i = 0; i < s->nsym; i++) gn_textf(t, "%s%" PRIu32, i ? " " : "", s->sym[i]);
    gn_text_add(t, ") ");
    gn_pprint_dims(t, s->scratch, s->nscratch);
}

static void print_copy(gn_text *t, const gn_program *p, const gn_pstep *s)
{
    const gn_dim *const *const list[] = { s->of.copy->extent, s->of.copy->to, s->of.copy->from };
    (void)p;
    gn_text_add(t, "copy ");
    print_args(t, s, 0, s->narg);
    for (int i = 0; i < 3; i++) gn_text_char(t, ' '), gn_pprint_dims(t, list[i], s->of.copy->rank);
}

static void print_call(gn_text *t, const gn_program *p, const gn_pstep *s)
{
    (void)p;
    gn_textf(t, "call %s ", s->of.call->routine->name);
    print_args(t, s, 0, s->narg);
    gn_text_char(t, ' ');
    gn_pprint_dims(t, s->of.call->dim, s->of.call->routine->ndim);
    gn_text_char(t, ' ');
    gn_pprint_dims(t, s->scratch, s->nscratch);
}

static void print_loop(gn_text *t, const gn_program *p, const gn_pstep *s)
{
    const gn_ploop *l = s->of.loop;
    gn_textf(t, "loop %s ", p->syms.at[l->sym].name);
    gn_dim_print(t, l->count);
    gn_text_add(t, " (");
    for (uint32_t k = 0; k < l->ncarried; k++) {
        if (k) gn_text_char(t, ' ');
        print_args(t, s, gn_carried_now(k), gn_carried_next(k) + 1);
    }
    gn_text_add(t, ") ");
    print_args(t, s, gn_loop_condition(l), s->narg);
}

static void print_branch(gn_text *t, const gn_program *p, const gn_pstep *s)
{
    (void)p;
    gn_text_add(t, "branch ");
    print_arg(t, s, 0);
}

static void print_variants(gn_text *t, const gn_program *p, const gn_pstep *s)
{
    (void)p, (void)s;
    gn_text_add(t, "variants");
}

/* Of variants its facts; of a branch nothing. */
static void print_body(gn_text *t, const gn_program *p, const gn_pstep *s)
{
    const gn_pbody *b = s->of.body;
    (void)p;
    if (!b) return;
    gn_text_char(t, '(');
    for (uint32_t i = 0; i < b->nfact; i++) {
        gn_textf(t, "%s(%s ", i ? " " : "", b->fact[i].kind == GN_FACT_EQ ? "eq" : "lt");
        gn_dim_print(t, b->fact[i].a);
        gn_text_char(t, ' ');
        gn_dim_print(t, b->fact[i].b);
        gn_text_char(t, ')');
    }
    gn_text_char(t, ')');
}

static void print_prepare(gn_text *t, const gn_program *p, const gn_pstep *s)
{
    (void)p;
    gn_text_add(t, "prepare (");
    for (uint32_t i = 0; i < s->of.prepare->n; i++) gn_textf(t, "%s%" PRIu32, i ? " " : "", s->of.prepare->variable[i]);
    gn_text_char(t, ')');
}

/* ---- reading ---- */

static void need_list(gn_preader *r, const gn_sx *x)
{
    if (x->kind != GN_SX_LIST) gn_sx_fail(r->file, x, "expected lists of numbers");
}

/* N, or (N bytes): a part of value N that begins so many bytes behind its start. */
static int32_t read_arg(gn_preader *r, const gn_sx *x, uint32_t nscratch, const gn_dim **start)
{
    if (x->kind == GN_SX_LIST) gn_pread_length(r, x, 2);
    *start = x->kind == GN_SX_LIST ? gn_dim_read(r->p->dims, r->file, x->at[1]) : gn_dim_const(r->p->dims, 0);
    return (int32_t)gn_pread_int(r, x->kind == GN_SX_LIST ? x->at[0] : x,
                                 x->kind == GN_SX_LIST ? 0 : -(int64_t)nscratch, INT32_MAX);
}

static void read_args(gn_preader *r, const gn_sx *const *x, uint32_t n, gn_pstep *s)
{
    int32_t *arg = GN_NEW_ARRAY(r->p->arena, int32_t, n);
    const gn_dim **start = GN_NEW_ARRAY(r->p->arena, const gn_dim *, n);
    s->arg = arg, s->narg = n;
    for (uint32_t i = 0; i < n; i++) {
        arg[i] = read_arg(r, x[i], s->nscratch, &start[i]);
        if (!gn_dim_is(start[i], 0)) s->start = start;
    }
}

static void read_scratch(gn_preader *r, const gn_sx *x, gn_pstep *s)
{
    s->scratch = gn_pread_dims(r, x), s->nscratch = (uint32_t)x->n;
}

static void read_clauses(gn_preader *r, const gn_sx *x, size_t first, gn_pstep *s)
{
    for (size_t i = first; i < x->n; i++) {
        const bool is_status = gn_sx_head(x->at[i], "status");
        if (!is_status && !gn_sx_head(x->at[i], "device"))
            gn_sx_fail(r->file, x->at[i], "expected (status N) or (device N)");
        gn_pread_length(r, x->at[i], 2);
        *(is_status ? &s->status : &s->device) = 1 + (uint32_t)gn_pread_int(r, x->at[i]->at[1], 0, INT32_MAX);
    }
}

static void need_items(gn_preader *r, const gn_sx *x, size_t least)
{
    if (x->n < least) gn_sx_fail(r->file, x, "expected %zu items, found %zu", least, x->n);
}

static uint32_t push(gn_preader *r, gn_pstep s)
{
    r->p->is_tree |= s.kind != GN_STEP_KERNEL || s.status || s.device;
    gn_push(r->p->arena, &r->p->steps, s);
    return (uint32_t)r->p->steps.n - 1;
}

/* A step with others within, until it is closed. */
static uint32_t open_step(gn_preader *r, gn_pstep s, const gn_sx *x)
{
    if (s.kind != GN_STEP_BODY && ++r->depth > GN_PROGRAM_DEPTH)
        gn_sx_fail(r->file, x, "steps within each other more than %d deep", GN_PROGRAM_DEPTH);
    return push(r, s);
}

static void close_step(gn_preader *r, uint32_t at)
{
    r->p->steps.at[at].end = (uint32_t)r->p->steps.n;
    if (r->p->steps.at[at].kind != GN_STEP_BODY) r->depth--;
}

/* Others within are the items of x from `first` on. */
static void push_with(gn_preader *r, gn_pstep s, const gn_sx *x, size_t first)
{
    const uint32_t at = open_step(r, s, x);
    for (size_t i = first; i < x->n; i++)
        if (x->at[i]->kind != GN_SX_LIST || !gn_pread_step(r, x->at[i]))
            gn_sx_fail(r->file, x->at[i], "expected a step");
    close_step(r, at);
}

static void read_kernel(gn_preader *r, const gn_sx *x)
{
    need_items(r, x, 8);
    gn_pstep s = { .kernel = (uint32_t)gn_pread_int(r, x->at[1], 0, INT32_MAX),
                   .part_of = (uint32_t)gn_pread_int(r, x->at[2], 0, UINT32_MAX),
                   .symbol = gn_pread_name(r, x->at[3]),
                   .parts = gn_dim_read(r->p->dims, r->file, x->at[4]) };
    need_list(r, x->at[5]), need_list(r, x->at[6]);
    uint32_t *sym = GN_NEW_ARRAY(r->p->arena, uint32_t, x->at[6]->n);
    s.nsym = (uint32_t)x->at[6]->n, s.sym = sym;
    for (uint32_t i = 0; i < s.nsym; i++) sym[i] = (uint32_t)gn_pread_int(r, x->at[6]->at[i], 0, UINT32_MAX);
    read_scratch(r, x->at[7], &s);
    read_args(r, x->at[5]->at, (uint32_t)x->at[5]->n, &s);
    read_clauses(r, x, 8, &s);
    push(r, s);
}

static void read_copy(gn_preader *r, const gn_sx *x)
{
    need_items(r, x, 5);
    gn_pstep s = { .kind = GN_STEP_COPY, .symbol = "copy" };
    gn_pcopy *c = GN_NEW_OBJECT(r->p->arena, gn_pcopy);
    need_list(r, x->at[1]), gn_pread_length(r, x->at[1], 2);
    read_args(r, x->at[1]->at, 2, &s);
    *c = (gn_pcopy){ (uint8_t)x->at[2]->n, gn_pread_dims(r, x->at[2]), gn_pread_dims(r, x->at[3]),
                     gn_pread_dims(r, x->at[4]) };
    if (x->at[2]->n > GN_MAX_RANK) gn_sx_fail(r->file, x->at[2], "more than %d dims", GN_MAX_RANK);
    gn_pread_length(r, x->at[3], x->at[2]->n), gn_pread_length(r, x->at[4], x->at[2]->n);
    s.of.copy = c;
    read_clauses(r, x, 5, &s);
    push(r, s);
}

static void read_call(gn_preader *r, const gn_sx *x)
{
    need_items(r, x, 5);
    gn_pstep s = { .kind = GN_STEP_CALL };
    gn_pcall *c = GN_NEW_OBJECT(r->p->arena, gn_pcall);
    s.of.call = c, s.symbol = gn_pread_name(r, x->at[1]);
    if (!(c->routine = gn_routine_find(s.symbol))) gn_sx_fail(r->file, x->at[1], "there is no routine '%s'", s.symbol);
    need_list(r, x->at[2]);
    read_scratch(r, x->at[4], &s);
    read_args(r, x->at[2]->at, (uint32_t)x->at[2]->n, &s);
    c->dim = gn_pread_dims(r, x->at[3]);
    gn_pread_length(r, x->at[3], c->routine->ndim);
    gn_pread_length(r, x->at[2], c->routine->narg + (size_t)(c->routine->workspace != NULL));
    read_clauses(r, x, 5, &s);
    push(r, s);
}

static uint32_t find_turn(gn_preader *r, const gn_sx *x)
{
    const int32_t at = gn_program_find_sym(r->p, gn_pread_name(r, x));
    if (at < 0 || r->p->syms.at[at].input != GN_SYM_TURN)
        gn_sx_fail(r->file, x, "no symbol '%s' counts turns", gn_pread_name(r, x));
    return (uint32_t)at;
}

static void read_loop(gn_preader *r, const gn_sx *x)
{
    need_items(r, x, 5);
    gn_pstep s = { .kind = GN_STEP_LOOP, .symbol = gn_pread_name(r, x->at[1]) };
    gn_ploop *l = GN_NEW_OBJECT(r->p->arena, gn_ploop);
    need_list(r, x->at[3]), need_list(r, x->at[4]);
    *l = (gn_ploop){ find_turn(r, x->at[1]), gn_dim_read(r->p->dims, r->file, x->at[2]), (uint32_t)x->at[3]->n,
                     x->at[4]->n != 0 };
    if (x->at[4]->n > 1) gn_sx_fail(r->file, x->at[4], "a loop has one condition");
    const gn_sx **arg = GN_NEW_ARRAY(r->p->arena, const gn_sx *, 3 * (size_t)l->ncarried + 1);
    for (uint32_t k = 0; k < l->ncarried; k++) {
        need_list(r, x->at[3]->at[k]), gn_pread_length(r, x->at[3]->at[k], 3);
        for (uint32_t i = 0; i < 3; i++) arg[3 * k + i] = x->at[3]->at[k]->at[i];
    }
    if (l->has_condition) arg[gn_loop_condition(l)] = x->at[4]->at[0];
    read_args(r, arg, 3 * l->ncarried + l->has_condition, &s);
    s.of.loop = l;
    push_with(r, s, x, 5);
}

static void read_branch(gn_preader *r, const gn_sx *x)
{
    gn_pread_length(r, x, 4);
    gn_pstep s = { .kind = GN_STEP_BRANCH, .symbol = "branch" };
    read_args(r, x->at + 1, 1, &s);
    const uint32_t at = open_step(r, s, x);
    for (size_t i = 2; i < 4; i++) {
        need_list(r, x->at[i]);
        push_with(r, (gn_pstep){ .kind = GN_STEP_BODY, .symbol = i == 2 ? "then" : "else" }, x->at[i], 0);
    }
    close_step(r, at);
}

static void read_facts(gn_preader *r, const gn_sx *x, gn_pbody *b)
{
    need_list(r, x);
    gn_pfact *fact = GN_NEW_ARRAY(r->p->arena, gn_pfact, x->n);
    b->nfact = (uint32_t)x->n, b->fact = fact;
    for (uint32_t i = 0; i < x->n; i++) {
        const bool is_eq = gn_sx_head(x->at[i], "eq");
        if (!is_eq && !gn_sx_head(x->at[i], "lt"))
            gn_sx_fail(r->file, x->at[i], "expected (eq dim dim) or (lt dim dim)");
        gn_pread_length(r, x->at[i], 3);
        fact[i] = (gn_pfact){ is_eq ? GN_FACT_EQ : GN_FACT_LT, gn_dim_read(r->p->dims, r->file, x->at[i]->at[1]),
                              gn_dim_read(r->p->dims, r->file, x->at[i]->at[2]) };
    }
}

static void read_variants(gn_preader *r, const gn_sx *x)
{
    const uint32_t at = open_step(r, (gn_pstep){ .kind = GN_STEP_VARIANTS, .symbol = "variants" }, x);
    for (size_t i = 1; i < x->n; i++) {
        gn_pbody *b = GN_NEW_OBJECT(r->p->arena, gn_pbody);
        need_list(r, x->at[i]), need_items(r, x->at[i], 1);
        read_facts(r, x->at[i]->at[0], b);
        push_with(r, (gn_pstep){ .kind = GN_STEP_BODY, .symbol = "case", .of.body = b }, x->at[i], 1);
    }
    close_step(r, at);
}

static void read_prepare(gn_preader *r, const gn_sx *x)
{
    need_items(r, x, 2);
    need_list(r, x->at[1]);
    gn_pprepare *q = GN_NEW_OBJECT(r->p->arena, gn_pprepare);
    uint32_t *variable = GN_NEW_ARRAY(r->p->arena, uint32_t, x->at[1]->n);
    *q = (gn_pprepare){ (uint32_t)x->at[1]->n, variable };
    for (uint32_t i = 0; i < q->n; i++) variable[i] = (uint32_t)gn_pread_int(r, x->at[1]->at[i], 0, INT32_MAX);
    push_with(r, (gn_pstep){ .kind = GN_STEP_PREPARE, .symbol = "prepare", .of.prepare = q }, x, 2);
}

static const step_form forms[] = {
    { "step", GN_STEP_KERNEL, read_kernel, print_kernel },
    { "copy", GN_STEP_COPY, read_copy, print_copy },
    { "call", GN_STEP_CALL, read_call, print_call },
    { "loop", GN_STEP_LOOP, read_loop, print_loop },
    { "branch", GN_STEP_BRANCH, read_branch, print_branch },
    { "variants", GN_STEP_VARIANTS, read_variants, print_variants },
    { NULL, GN_STEP_BODY, NULL, print_body },
    { "prepare", GN_STEP_PREPARE, read_prepare, print_prepare },
};

bool gn_pread_step(gn_preader *r, const gn_sx *x)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].head && gn_sx_head(x, forms[i].head)) return forms[i].read(r, x), true;
    return false;
}

static void print_range(gn_text *t, const gn_program *p, uint32_t at, uint32_t end, int depth)
{
    for (; at < end; at = gn_step_after(p->steps.at, at)) {
        const gn_pstep *s = &p->steps.at[at];
        gn_textf(t, "\n%*s(", 2 * depth, "");
        forms[s->kind].print(t, p, s);
        if (s->status) gn_textf(t, " (status %" PRIu32 ")", s->status - 1);
        if (s->device) gn_textf(t, " (device %" PRIu32 ")", s->device - 1);
        if (gn_step_has_body(s)) print_range(t, p, at + 1, s->end, depth + 1);
        gn_text_char(t, ')');
    }
}

void gn_pprint_steps(gn_text *t, const gn_program *p)
{
    print_range(t, p, 0, (uint32_t)p->steps.n, 1);
}
