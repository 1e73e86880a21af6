/* The code of a serial subtree: its kernels lowered, places for what they read and write, and all of it in order. */
#include "code_as_kernel.h"
#include "code_passes.h"
#include "code_verify.h"
#include "serial_state.h"

enum { MOST_POINTS = 65536, MOST_STACK = 1 << 16, MOST_REGISTERS = 64, ALIGN = 64 };

/* ---- kernels as code ---- */

typedef struct lowering {
    gn_serial *s;
    size_t use;
    gn_schedule *schedule;
} lowering;

static void lower(void *arg)
{
    lowering *l = arg;
    const gn_scheduled *x = gn_schedule_lower(l->s->arena, l->s->uses.at[l->use]->kernel, l->schedule, l->s->m->target);
    l->s->code[l->use] = x->code;
}

static void check_points(const gn_kernel *k)
{
    int64_t points = 1, low, high;
    for (size_t a = 0; a < k->axes.n; a++) {
        gn_dim_range(k->axes.at[a].extent, &(gn_dim_facts){0}, &low, &high);
        if (high > MOST_POINTS || (points *= high > 0 ? high : 1) > MOST_POINTS) gn_serial_refuse("many points");
    }
}

static void lower_uses(gn_serial *s)
{
    s->code = GN_NEW_ARRAY(s->arena, gn_code *, s->uses.n + 1);
    for (size_t i = 0; i < s->uses.n; i++) {
        gn_kernel *k = s->uses.at[i]->kernel;
        gn_schedule *given = s->uses.at[i]->schedule;
        lowering l = {s, i, given};
        check_points(k);
        if (!given) l.schedule = gn_default_find(s->arena, k, s->m->target);
        const gn_status status = gn_protect(lower, &l);
        if (status && (status != GN_EINVAL || given)) gn_rethrow(status);
        if (!status) continue;
        l.schedule = gn_plain_schedule(s->arena, k, gn_message());
        lower(&l);
    }
}

static void find_constant(gn_serial *s)
{
    for (size_t v = 0; v < 2 * gn_serial_nvalues(s); v++)
        s->memory[v].constant = (gn_constant_places){.possible = true};
    for (size_t i = 0; i < s->uses.n; i++)
        for (size_t b = 0; b < s->uses.at[i]->kernel->bufs.n; b++) {
            const gn_serial_use *u = s->uses.at[i];
            gn_constant_places *c = &s->memory[u->arg[b]].constant;
            gn_code_constant_places(s->code[i], s->code[i]->places.at[b], c);
            if (u->start && !gn_dim_is(u->start[b], 0)) c->possible = false;
        }
}

/* ---- index expressions ---- */

static const char *code_symbol(gn_serial *s, uint32_t sym)
{
    if (s->symbol[sym]) return s->symbol[sym];
    if (s->p->syms.at[sym].input == GN_SYM_TURN) gn_serial_refuse("a turn from outside");
    s->symbol[sym] = gn_code_fresh_name(&s->names, s->p->syms.at[sym].name);
    gn_push(s->out->arena, &s->out->syms, (gn_ksym){s->symbol[sym], 1, 0, -1});
    return s->symbol[sym];
}

static const gn_dim *of_program(void *user, const char *name)
{
    gn_serial *s = user;
    return gn_dim_sym(s->out->dims, code_symbol(s, gn_serial_symbol(s, name)));
}

static const gn_dim *code_dim(gn_serial *s, const gn_dim *d)
{
    return gn_dim_subst(s->out->dims, gn_dim_import(s->out->dims, d), of_program, s);
}

static const gn_dim *of_kernel(void *user, const char *name)
{
    gn_serial *s = user;
    const gn_serial_use *u = s->uses.at[s->nuse];
    for (size_t c = 0; u->part && c < s->axes.classes.n; c++)
        if (strcmp(u->part[c], name) == 0) return gn_dim_sym(s->out->dims, s->part[c]);
    const int32_t at = gn_kernel_find_sym(u->kernel, name);
    return at < 0 ? NULL : gn_dim_sym(s->out->dims, code_symbol(s, u->sym[at]));
}

/* ---- places ---- */

static const gn_dim *elements_of(gn_serial *s, int32_t v)
{
    const gn_pvalue *x = gn_serial_value(s, v);
    const gn_dim *n = gn_dim_exact(s->p->dims, x->bytes, gn_dim_const(s->p->dims, (int64_t)gn_dtype_size(x->dtype)));
    if (!n) gn_serial_refuse("bytes");
    return code_dim(s, n);
}

static const gn_place *argument(gn_serial *s, int32_t v, uint8_t access)
{
    gn_serial_memory *m = &s->memory[v];
    if (!m->place) {
        m->place =
            gn_code_place(s->out, (gn_place){.name = gn_code_fresh_name(&s->names, gn_serial_value(s, v)->name),
                                             .dtype = gn_serial_value(s, v)->dtype,
                                             .space = GN_SPACE_BUFFER,
                                             .size = elements_of(s, v)});
        gn_push(s->arena, &s->args, v);
    }
    ((gn_place *)m->place)->access |= access;
    return m->place;
}

/* Arguments come before other places. */
static void make_arguments(gn_serial *s)
{
    for (size_t i = 0; i < s->uses.n; i++)
        for (size_t b = 0; b < s->uses.at[i]->kernel->bufs.n; b++)
            if (!s->memory[s->uses.at[i]->arg[b]].inner)
                argument(s, s->uses.at[i]->arg[b], s->code[i]->places.at[b]->access);
}

static void declare(gn_serial *s, const gn_place *p)
{
    gn_code_append(s->out, s->top, GN_CODE_DECLARE)->place = p;
}

static bool shares_ring(const gn_serial *s, size_t v, size_t w)
{
    return v == w || (s->memory[v].loop >= 0 && s->memory[w].loop >= 0 && s->memory[v].ring == s->memory[w].ring);
}

/* Registers for all values of a ring, or for none. */
static bool may_be_registers(const gn_serial *s, size_t v)
{
    uint32_t n = s->nregisters;
    const uint16_t lanes = s->memory[v].constant.lanes;
    for (size_t w = 0; w < gn_serial_nvalues(s); w++) {
        const gn_serial_memory *m = &s->memory[w];
        if (!m->inner || !shares_ring(s, v, w)) continue;
        if (!m->constant.possible || m->constant.lanes != lanes || !m->constant.lanes) return false;
        n += m->constant.n;
    }
    return n <= MOST_REGISTERS;
}

static void make_registers(gn_serial *s, size_t v)
{
    for (size_t w = 0; w < gn_serial_nvalues(s); w++) {
        gn_serial_memory *m = &s->memory[w];
        if (!m->inner || !shares_ring(s, v, w)) continue;
        uint32_t *extent = GN_NEW_ARRAY(s->out->arena, uint32_t, 1);
        *extent = m->constant.n, s->nregisters += m->constant.n;
        m->place = gn_code_place(
            s->out, (gn_place){.name = gn_code_fresh_name(&s->names, gn_serial_value(s, (int32_t)w)->name),
                               .dtype = gn_serial_value(s, (int32_t)w)->dtype,
                               .space = GN_SPACE_REG,
                               .lanes = m->constant.lanes,
                               .rank = m->constant.n > 1,
                               .extent = extent});
        declare(s, m->place);
    }
}

/* A ring of memories is one place, in which the values lie at turns; else each value has its own. */
static void make_memory(gn_serial *s, size_t v)
{
    const gn_dim *n = gn_serial_elements(&s->axes, (int32_t)v, s->out->dims);
    const uint32_t turns = s->memory[v].turns ? s->memory[v].turns : 1;
    const int64_t size = (int64_t)gn_dtype_size(gn_serial_value(s, (int32_t)v)->dtype);
    int64_t elements;
    if (!n) n = elements_of(s, (int32_t)v);
    if (!gn_dim_is_const(n, &elements) || elements < 1 || elements * turns * size > MOST_STACK)
        gn_serial_refuse("a value without a constant size, or a large one");
    if (turns > 1) elements = (elements * size + ALIGN - 1) / ALIGN * ALIGN / size;
    const gn_place *p = gn_code_place(
        s->out, (gn_place){.name = gn_code_fresh_name(&s->names, gn_serial_value(s, (int32_t)v)->name),
                           .dtype = gn_serial_value(s, (int32_t)v)->dtype,
                           .space = GN_SPACE_STACK,
                           .size = gn_dim_const(s->out->dims, elements * turns)});
    declare(s, p);
    for (size_t w = 0; w < gn_serial_nvalues(s); w++)
        if (s->memory[w].inner && shares_ring(s, v, w)) s->memory[w].place = p;
}

static void make_places(gn_serial *s)
{
    make_arguments(s);
    for (size_t v = 0; v < gn_serial_nvalues(s); v++) {
        if (!s->memory[v].inner || s->memory[v].place) continue;
        if (may_be_registers(s, v))
            make_registers(s, v);
        else
            make_memory(s, v);
    }
}

/* ---- the code ---- */

static const gn_dim *start_of(gn_serial *s, const gn_serial_use *u, size_t buf)
{
    const gn_serial_memory *m = &s->memory[u->arg[buf]];
    gn_dim_pool *dims = s->out->dims;
    const gn_dim *start = gn_dim_const(dims, 0);
    if (u->start && !gn_dim_is(u->start[buf], 0)) {
        const gn_dim *size = gn_dim_const(s->p->dims, (int64_t)gn_dtype_size(gn_serial_value(s, u->arg[buf])->dtype));
        const gn_dim *at = gn_dim_exact(s->p->dims, u->start[buf], size);
        if (!at) gn_serial_refuse("a start");
        start = code_dim(s, at);
    }
    if (!m->inner || m->turns <= 1 || m->place->space == GN_SPACE_REG) return start;
    const gn_dim *turns = gn_dim_const(dims, m->turns),
                 *now = gn_dim_add(dims, s->turn[m->loop], gn_dim_const(dims, m->at));
    return gn_dim_add(dims, start,
                      gn_dim_mul(dims, gn_dim_mod(dims, now, turns), gn_dim_div(dims, m->place->size, turns)));
}

static void write_use(gn_serial *s, gn_code_body *block)
{
    const gn_serial_use *u = s->uses.at[s->nuse];
    const gn_code *c = s->code[s->nuse];
    gn_inlined *place = GN_NEW_ARRAY(s->arena, gn_inlined, c->nargs);
    for (size_t b = 0; b < u->kernel->bufs.n; b++)
        place[b] = (gn_inlined){s->memory[u->arg[b]].place, start_of(s, u, b)};
    for (size_t b = u->kernel->bufs.n; b < c->nargs; b++) { /* what the kernel keeps for itself */
        int64_t n;
        if (!gn_dim_is_const(c->places.at[b]->size, &n) ||
            n * (int64_t)gn_dtype_size(c->places.at[b]->dtype) > MOST_STACK)
            gn_serial_refuse("memory of a kernel");
        place[b].place =
            gn_code_place(s->out, (gn_place){.name = gn_code_fresh_name(&s->names, c->places.at[b]->name),
                                             .dtype = c->places.at[b]->dtype,
                                             .space = GN_SPACE_STACK,
                                             .size = gn_dim_const(s->out->dims, n > 0 ? n : 1)});
        gn_code_append(s->out, block, GN_CODE_DECLARE)->place = place[b].place;
    }
    gn_inlining in = {.to = s->out,
                      .block = block,
                      .names = &s->names,
                      .nlets = &s->nlets,
                      .place = place,
                      .of_symbol = of_kernel,
                      .user = s};
    gn_code_inline(&in, c);
    s->nuse++;
}

static const gn_val *kept_register(gn_serial *s, gn_code_body *block, const gn_place *p, uint32_t number)
{
    return gn_code_append_let(s->out, block, &s->nlets, gn_val_copy_of(gn_code_register(s->out, p, number, NULL)));
}

/* All carried values change at once: what comes next is kept first. */
static void exchange_registers(gn_serial *s, uint32_t loop, gn_code_body *block)
{
    const gn_pstep *step = &s->steps[loop];
    GN_VEC(gn_code_node *) sets = {0};
    for (uint32_t k = 0; k < step->of.loop->ncarried; k++) {
        const gn_serial_memory *now = &s->memory[step->arg[gn_carried_now(k)]],
                               *next = &s->memory[step->arg[gn_carried_next(k)]];
        const uint32_t most = now->constant.n < next->constant.n ? now->constant.n : next->constant.n;
        for (uint32_t i = 0; now->place != next->place && now->place->space == GN_SPACE_REG && i < most; i++) {
            gn_code_node *n = gn_code_make(s->out, GN_CODE_SET);
            n->place = now->place, n->number = i, n->val = kept_register(s, block, next->place, i);
            gn_push(s->arena, &sets, n);
        }
    }
    for (size_t i = 0; i < sets.n; i++) gn_push(s->out->arena, &block->kids, sets.at[i]);
}

static void write_nodes(gn_serial *s, gn_code_body *block, const gn_serial_node *of)
{
    for (size_t i = 0; i < of->kids.n; i++) {
        const gn_serial_node *k = of->kids.at[i];
        if (k->use) {
            write_use(s, block);
            continue;
        }
        const gn_ploop *l = s->steps[k->loop].of.loop;
        gn_code_node *n = gn_code_append(s->out, block, GN_CODE_FOR);
        n->to = code_dim(s, l->count);
        n->var = s->symbol[l->sym] = gn_code_fresh_name(&s->names, s->p->syms.at[l->sym].name);
        s->turn[k->loop] = gn_dim_sym(s->out->dims, n->var);
        write_nodes(s, &n->body, k);
        exchange_registers(s, k->loop, &n->body);
        s->symbol[l->sym] = NULL, s->turn[k->loop] = n->to;
    }
}

static void start_code(gn_serial *s)
{
    gn_dim_pool *dims = GN_NEW_OBJECT(s->arena, gn_dim_pool);
    *dims = (gn_dim_pool){.arena = s->arena};
    const char *name = gn_arena_printf(s->arena, "loop_%s_%u", s->p->syms.at[s->steps[s->at].of.loop->sym].name, s->at);
    s->out = gn_code_new(s->arena, dims, s->m->target, name);
    s->names = gn_code_take_names(s->out);
    s->symbol = GN_NEW_ARRAY(s->arena, const char *, s->p->syms.n);
    s->turn = GN_NEW_ARRAY(s->arena, const gn_dim *, s->nsteps);
    for (uint32_t i = s->at; i < s->end; i++) s->turn[i] = gn_dim_const(dims, 0);
    s->part = GN_NEW_ARRAY(s->arena, const char *, s->axes.classes.n);
    gn_push(s->arena, &s->out->steps, (gn_code_step){0});
    for (size_t c = 0; c < s->axes.classes.n; c++) {
        const gn_serial_class *of = &s->axes.classes.at[c];
        s->part[c] = gn_code_fresh_name(&s->names, gn_arena_printf(s->arena, "%s_part", of->name));
        const gn_dim *count = gn_dim_cdiv(dims, code_dim(s, of->extent), gn_dim_const(dims, of->tile));
        gn_push(s->arena, &s->out->steps.at[0].parts, (gn_code_var){s->part[c], count});
    }
    s->top = &s->out->steps.at[0].body;
}

static const char *comment_of(const gn_serial *s)
{
    gn_text t = {.arena = s->arena};
    gn_textf(&t, "The turns of %s, one after the other:", s->p->syms.at[s->steps[s->at].of.loop->sym].name);
    for (size_t i = 0; i < s->uses.n; i++) gn_textf(&t, "%s %s", i ? "," : "", s->uses.at[i]->kernel->name);
    return gn_text_done(&t);
}

static void add_step(gn_serial *s)
{
    gn_program *p = s->m->p;
    int32_t *arg = GN_NEW_ARRAY(p->arena, int32_t, s->args.n);
    uint32_t *sym = GN_NEW_ARRAY(p->arena, uint32_t, s->out->syms.n);
    for (size_t i = 0; i < s->args.n; i++) arg[i] = s->args.at[i] % (int32_t)gn_serial_nvalues(s);
    for (uint32_t i = 0; i < s->p->syms.n; i++)
        for (size_t k = 0; s->symbol[i] && k < s->out->syms.n; k++)
            if (s->symbol[i] == s->out->syms.at[k].name) sym[k] = i;
    gn_maker_code(s->m, s->out);
    gn_maker_steps(s->m, (uint32_t)p->kernels.n - 1,
                   &(gn_kernel_use){gn_code_as_kernel(s->arena, s->out), arg, NULL, sym}, NULL);
}

void gn_serial_code(gn_serial *s)
{
    lower_uses(s), find_constant(s);
    start_code(s);
    make_places(s);
    write_nodes(s, s->top, s->root);
    s->out->comment = comment_of(s);
    gn_code_find_facts(s->out);
    gn_code_find_carried(s->out);
    gn_code_verify(s->out);
    gn_code_run_passes(s->out, NULL, NULL);
    add_step(s);
}
