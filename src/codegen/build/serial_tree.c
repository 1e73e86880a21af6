#include "serial_tree.h"
#include "code_as_kernel.h"
#include "code_inline.h"
#include "code_passes.h"
#include "code_verify.h"
#include "serial_axes.h"

enum { MOST_USES = 32, MOST_POINTS = 65536, MOST_STACK = 1 << 16, MOST_REGISTERS = 64, ALIGN = 64 };

typedef struct serial_node {     /* a kernel, or a loop with what its turn does */
    gn_serial_use *use;          /* NULL: a loop */
    uint32_t loop;               /* its step */
    GN_VEC(struct serial_node *) kids;
} serial_node;

typedef struct memory {          /* of a value of the subtree */
    bool inner, written;
    const gn_place *place;       /* where it lies, or the argument; NULL: not yet */
    /* carried, or what is carried next: the loop that exchanges memories, its place in the ring of `turns` of them */
    int32_t loop, ring;
    uint32_t at, turns;
    gn_constant_places constant; /* of all accesses */
} memory;

typedef struct serial {
    gn_kernel_maker *m;
    const gn_program *p;
    gn_arena *arena;
    const gn_pstep *steps;
    uint32_t at, end, nsteps;
    gn_kernel *const *kernel;
    gn_schedule *const *schedule;
    memory *memory;              /* twice as many as values: behind them, their memories outside */
    serial_node *root;
    GN_VEC(gn_serial_use *) uses;
    gn_code **code;              /* per use */
    gn_serial_axes axes;
    /* the code at work */
    gn_code *out;
    gn_code_body *top;
    gn_map names;
    uint32_t nlets, nregisters, nuse;
    const char **symbol;         /* per symbol of the program: its name in the code; NULL: none yet */
    const gn_dim **turn;         /* per step that is a loop: the turn at work; before it 0, behind it their number */
    const char **part;           /* per class */
    GN_VEC(int32_t) args;        /* value per argument */
} serial;

_Noreturn static void give_up(const char *why)
{
    gn_throw(GN_EINVAL, "no serial subtree: %s", why);
}

static size_t nvalues(const serial *s)
{
    return s->p->values.n;
}

static const gn_pvalue *value_of(const serial *s, int32_t v)
{
    return &s->p->values.at[(size_t)v % nvalues(s)];
}

static int32_t outside(const serial *s, int32_t v)
{
    return v + (int32_t)nvalues(s);
}

/* ---- copies as kernels ---- */

static void add_symbol(void *user, const char *name)
{
    gn_kernel_sym(user, name);
}

static uint32_t symbol_of(const serial *s, const char *name)
{
    for (uint32_t i = 0; i < s->p->syms.n; i++)
        if (strcmp(s->p->syms.at[i].name, name) == 0) return i;
    give_up("a symbol");
}

static bool is_row_major(gn_dim_pool *dims, size_t rank, const gn_dim *const *extent, const gn_dim *const *stride)
{
    const gn_dim *next = gn_dim_const(dims, 1);
    for (size_t d = rank; d-- > 0; next = gn_dim_mul(dims, next, extent[d]))
        if (stride[d] != next) return false;
    return true;
}

static uint32_t copy_buffer(gn_kernel *k, const char *name, gn_dtype t, size_t rank, const gn_dim *const *extent,
                            const gn_dim *const *stride)
{
    const gn_dim *shape[GN_MAX_RANK], **own = stride ? GN_NEW_ARRAY(k->arena, const gn_dim *, rank) : NULL;
    for (size_t d = 0; d < rank; d++) shape[d] = gn_dim_import(k->dims, extent[d]);
    for (size_t d = 0; stride && d < rank; d++) own[d] = gn_dim_import(k->dims, stride[d]);
    const uint32_t b = gn_kernel_buf(k, gn_kernel_fresh_name(k, name, 0, NULL), t, rank, shape);
    k->bufs.at[b].stride = own;
    return b;
}

/* to = from, of this shape; strides NULL: row-major. */
static gn_serial_use *copy_use(serial *s, int32_t to, int32_t from, size_t rank, const gn_dim *const *extent,
                               const gn_dim *const *to_stride, const gn_dim *const *from_stride)
{
    gn_serial_use *u = GN_NEW_OBJECT(s->arena, gn_serial_use);
    gn_kernel *k = u->kernel = gn_kernel_new(s->arena, "copy");
    int32_t *arg = GN_NEW_ARRAY(s->arena, int32_t, 2);
    const gn_dim *index[GN_MAX_RANK];
    if (to_stride && is_row_major(s->p->dims, rank, extent, to_stride)) to_stride = NULL;
    if (from_stride && is_row_major(s->p->dims, rank, extent, from_stride)) from_stride = NULL;
    for (size_t d = 0; d < rank; d++) {
        gn_dim_symbols(extent[d], add_symbol, k);
        if (to_stride) gn_dim_symbols(to_stride[d], add_symbol, k);
        if (from_stride) gn_dim_symbols(from_stride[d], add_symbol, k);
    }
    uint32_t *sym = GN_NEW_ARRAY(s->arena, uint32_t, k->syms.n);
    for (size_t i = 0; i < k->syms.n; i++) sym[i] = symbol_of(s, k->syms.at[i].name);
    const gn_dtype t = value_of(s, to)->dtype;
    const uint32_t y = copy_buffer(k, "to", t, rank, extent, to_stride), x = copy_buffer(k, "from", t, rank, extent, from_stride);
    for (size_t d = 0; d < rank; d++) {
        const char *name = gn_kernel_fresh_name(k, gn_arena_printf(s->arena, "c%zu", d), 0, NULL);
        const uint32_t a = gn_kernel_axis(k, name, gn_dim_import(k->dims, extent[d]));
        index[d] = gn_dim_sym(k->dims, k->axes.at[a].name);
    }
    gn_kernel_store(k, GN_STORE_SET, y, index, gn_kexpr_load(k, x, index));
    arg[y] = to, arg[x] = from, u->arg = arg, u->sym = sym, u->is_copy = true;
    return u;
}

static gn_serial_use *copy_whole(serial *s, int32_t to, int32_t from)
{
    const gn_pvalue *v = value_of(s, to);
    return copy_use(s, to, from, v->rank, v->shape, NULL, NULL);
}

/* ---- the subtree ---- */

static bool is_within(const serial *s, uint32_t step)
{
    return step >= s->at && step < s->end;
}

static void add_use(serial *s, serial_node *to, gn_serial_use *u)
{
    serial_node *n = GN_NEW_OBJECT(s->arena, serial_node);
    n->use = u;
    if (s->uses.n == MOST_USES) give_up("many kernels");
    gn_push(s->arena, &s->uses, u);
    gn_push(s->arena, &to->kids, n);
}

static bool loads_index(const gn_dim *const *d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (gn_dim_has_load(d[i])) return true;
    return false;
}

/* An index from memory would have to be renamed within index expressions. */
static void refuse_gathers(const gn_kernel *k)
{
    bool any = false;
    for (size_t i = 0; i < k->exprs.capacity; i++) {
        const gn_kexpr *e = k->exprs.slot ? k->exprs.slot[i].object : NULL;
        if (!e) continue;
        any |= loads_index(e->index, e->nindex) || (e->kind == GN_K_INDEX && gn_dim_has_load(e->u.index));
        for (size_t c = 0; c < e->ncond; c++) any |= gn_dim_has_load(e->cond[c].a) || gn_dim_has_load(e->cond[c].b);
    }
    for (size_t i = 0; i < k->stores.n; i++)
        any |= loads_index(k->stores.at[i].index, k->bufs.at[k->stores.at[i].buf].rank);
    if (any) give_up("an index from memory");
}

static gn_serial_use *kernel_use(serial *s, const gn_pstep *step)
{
    gn_serial_use *u = GN_NEW_OBJECT(s->arena, gn_serial_use);
    *u = (gn_serial_use){ .kernel = s->kernel[step->kernel], .schedule = s->schedule[step->kernel], .arg = step->arg,
                          .start = step->start, .sym = step->sym };
    refuse_gathers(u->kernel);
    return u;
}

static void add_steps(serial *s, serial_node *to, uint32_t at, uint32_t end);

static bool is_carried_now(const gn_pstep *loop, int32_t v)
{
    for (uint32_t k = 0; k < loop->of.loop->ncarried; k++)
        if (loop->arg[gn_carried_now(k)] == v) return true;
    return false;
}

/* The values of a ring, from one that nobody becomes; or any, where all exchange. */
static void note_ring(serial *s, uint32_t at, int32_t first)
{
    const gn_pstep *loop = &s->steps[at];
    uint32_t n = 0;
    for (int32_t v = first; s->memory[v].loop < 0; n++) {
        s->memory[v].loop = (int32_t)at, s->memory[v].ring = first, s->memory[v].at = n;
        if (!is_carried_now(loop, v)) {
            n++;
            break;
        }
        for (uint32_t k = 0; k < loop->of.loop->ncarried; k++)
            if (loop->arg[gn_carried_now(k)] == v) {
                v = loop->arg[gn_carried_next(k)];
                break;
            }
    }
    for (uint32_t a = 0; a < 3 * loop->of.loop->ncarried; a++) {
        memory *m = &s->memory[loop->arg[a]];
        if (m->loop == (int32_t)at && m->ring == first) m->turns = n;
    }
}

static void note_rings(serial *s, uint32_t at)
{
    const gn_pstep *loop = &s->steps[at];
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t k = 0; k < loop->of.loop->ncarried; k++) {
            const int32_t now = loop->arg[gn_carried_now(k)];
            if (s->memory[now].loop < 0 && (pass || gn_becomes(loop, now) < 0)) note_ring(s, at, now);
        }
}

static void add_loop(serial *s, serial_node *to, uint32_t at)
{
    const gn_pstep *step = &s->steps[at];
    serial_node *n = GN_NEW_OBJECT(s->arena, serial_node);
    n->loop = at;
    note_rings(s, at);
    for (uint32_t k = 0; k < step->of.loop->ncarried; k++)
        add_use(s, to, copy_whole(s, step->arg[gn_carried_now(k)], step->arg[gn_carried_initial(k)]));
    gn_push(s->arena, &to->kids, n);
    add_steps(s, n, at + 1, step->end);
}

static void add_steps(serial *s, serial_node *to, uint32_t at, uint32_t end)
{
    for (; at < end; at = gn_step_after(s->steps, at)) {
        const gn_pstep *step = &s->steps[at];
        if (step->status || step->device) give_up("a status or a device");
        if (step->kind == GN_STEP_KERNEL) {
            add_use(s, to, kernel_use(s, step));
        } else if (step->kind == GN_STEP_LOOP && !step->of.loop->has_condition) {
            add_loop(s, to, at);
        } else if (step->kind == GN_STEP_COPY) {
            const gn_pcopy *c = step->of.copy;
            gn_serial_use *u = c->rank ? copy_use(s, step->arg[0], step->arg[1], c->rank, c->extent, c->to, c->from)
                                       : copy_whole(s, step->arg[0], step->arg[1]);
            u->start = step->start;
            add_use(s, to, u);
        } else {
            give_up("a kind of step");
        }
    }
}

/* ---- what lies where ---- */

static bool writes(const gn_serial_use *u, size_t buf)
{
    return u->kernel->bufs.at[buf].access & GN_KBUF_WRITE;
}

static bool is_used_outside(const serial *s, int32_t v)
{
    for (uint32_t i = 0; i < s->nsteps; i++)
        for (uint32_t a = 0; !is_within(s, i) && a < s->steps[i].narg; a++)
            if (s->steps[i].arg[a] == v) return true;
    for (size_t i = 0; i < s->p->indices.n; i++)
        if ((int32_t)s->p->indices.at[i].value == v) return true;
    return false;
}

static void note_written(serial *s)
{
    for (size_t i = 0; i < s->uses.n; i++)
        for (size_t b = 0; b < s->uses.at[i]->kernel->bufs.n; b++)
            if (writes(s->uses.at[i], b)) s->memory[s->uses.at[i]->arg[b]].written = true;
}

/* Carried values that are read behind the loop are copied out at the end; others that lie outside are written by
 * slices, and nobody else writes them. */
static void note_inner(serial *s)
{
    for (int32_t v = 0; v < (int32_t)nvalues(s); v++) {
        memory *m = &s->memory[v];
        if (!m->written) continue;
        const bool outer = is_used_outside(s, v);
        m->inner = value_of(s, v)->kind == GN_VALUE_TEMP && (m->loop >= 0 || !outer);
        if (!m->inner || !outer) continue;
        if (!is_carried_now(&s->steps[s->at], v)) give_up("read behind the loop");
        add_use(s, s->root, copy_whole(s, outside(s, v), v));
        s->memory[outside(s, v)].written = true;
    }
}

/* Whole before, or nobody's business here. */
static void check_outer(const serial *s)
{
    for (uint32_t i = 0; i < s->nsteps; i++) {
        const gn_pstep *step = &s->steps[i];
        if (is_within(s, i) || gn_step_has_body(step)) continue;
        for (uint32_t a = 0; a < step->narg; a++) {
            if (step->arg[a] < 0 || !(step->uses[a] & GN_OPERAND_WRITE)) continue;
            const gn_pvalue *x = value_of(s, step->arg[a]);
            const bool part = (step->start && !gn_dim_is(step->start[a], 0)) || step->bytes[a] != x->bytes;
            if (s->memory[step->arg[a]].written && !s->memory[step->arg[a]].inner) give_up("written elsewhere");
            for (size_t u = 0; part && u < s->uses.n; u++)
                for (size_t b = 0; b < s->uses.at[u]->kernel->bufs.n; b++)
                    if (s->uses.at[u]->arg[b] == step->arg[a]) give_up("a part is read");
        }
    }
}

static void find_axes(serial *s)
{
    bool *written = GN_NEW_ARRAY(s->arena, bool, 2 * nvalues(s)), *inner = GN_NEW_ARRAY(s->arena, bool, 2 * nvalues(s));
    int32_t(*same)[2] = gn_arena_alloc_n(s->arena, 2 * nvalues(s), sizeof *same, alignof(int32_t));
    s->axes = (gn_serial_axes){ .arena = s->arena, .p = s->p, .nuses = s->uses.n, .use = s->uses.at,
                                .nvalues = 2 * nvalues(s), .is_written = written, .same = (const int32_t(*)[2])same };
    for (size_t v = 0; v < 2 * nvalues(s); v++) written[v] = s->memory[v].written, inner[v] = s->memory[v].inner;
    for (uint32_t i = s->at; i < s->end; i++)
        for (uint32_t k = 0; s->steps[i].kind == GN_STEP_LOOP && k < s->steps[i].of.loop->ncarried; k++) {
            int32_t *pair = same[s->axes.nsame++];
            pair[0] = s->steps[i].arg[gn_carried_now(k)], pair[1] = s->steps[i].arg[gn_carried_next(k)];
        }
    gn_serial_find_axes(&s->axes, s->m->target);
    gn_serial_cut(&s->axes, inner);
}

/* ---- kernels as code ---- */

typedef struct lowering {
    serial *s;
    size_t use;
    gn_schedule *schedule;
} lowering;

static void lower(void *arg)
{
    lowering *l = arg;
    const gn_scheduled *x =
        gn_schedule_lower(l->s->arena, l->s->uses.at[l->use]->kernel, l->schedule, l->s->m->target);
    l->s->code[l->use] = x->code;
}

static void check_points(const gn_kernel *k)
{
    int64_t points = 1, low, high;
    for (size_t a = 0; a < k->axes.n; a++) {
        gn_dim_range(k->axes.at[a].extent, &(gn_dim_facts){ 0 }, &low, &high);
        if (high > MOST_POINTS || (points *= high > 0 ? high : 1) > MOST_POINTS) give_up("many points");
    }
}

static void lower_uses(serial *s)
{
    s->code = GN_NEW_ARRAY(s->arena, gn_code *, s->uses.n + 1);
    for (size_t i = 0; i < s->uses.n; i++) {
        gn_kernel *k = s->uses.at[i]->kernel;
        gn_schedule *given = s->uses.at[i]->schedule;
        lowering l = { s, i, given };
        check_points(k);
        if (!given) l.schedule = gn_default_find(s->arena, k, NULL, s->m->target);
        const gn_status status = gn_protect(lower, &l);
        if (status && (status != GN_EINVAL || given)) gn_rethrow(status);
        if (!status) continue;
        l.schedule = gn_plain_schedule(s->arena, k);
        lower(&l);
    }
}

static void find_constant(serial *s)
{
    for (size_t v = 0; v < 2 * nvalues(s); v++) s->memory[v].constant = (gn_constant_places){ .possible = true };
    for (size_t i = 0; i < s->uses.n; i++)
        for (size_t b = 0; b < s->uses.at[i]->kernel->bufs.n; b++) {
            const gn_serial_use *u = s->uses.at[i];
            gn_constant_places *c = &s->memory[u->arg[b]].constant;
            gn_code_constant_places(s->code[i], s->code[i]->places.at[b], c);
            if (u->start && !gn_dim_is(u->start[b], 0)) c->possible = false;
        }
}

/* ---- index expressions ---- */

static const char *code_symbol(serial *s, uint32_t sym)
{
    if (s->symbol[sym]) return s->symbol[sym];
    if (s->p->syms.at[sym].input == GN_SYM_TURN) give_up("a turn from outside");
    s->symbol[sym] = gn_code_fresh_name(s->out, &s->names, s->p->syms.at[sym].name);
    gn_push(s->out->arena, &s->out->syms, (gn_ksym){ s->symbol[sym], 1, 0, -1 });
    return s->symbol[sym];
}

static const gn_dim *of_program(void *user, const char *name)
{
    serial *s = user;
    return gn_dim_sym(s->out->dims, code_symbol(s, symbol_of(s, name)));
}

static const gn_dim *code_dim(serial *s, const gn_dim *d)
{
    return gn_dim_subst(s->out->dims, gn_dim_import(s->out->dims, d), of_program, s);
}

static const gn_dim *of_kernel(void *user, const char *name)
{
    serial *s = user;
    const gn_serial_use *u = s->uses.at[s->nuse];
    for (size_t c = 0; u->part && c < s->axes.classes.n; c++)
        if (strcmp(u->part[c], name) == 0) return gn_dim_sym(s->out->dims, s->part[c]);
    const int32_t at = gn_kernel_find_sym(u->kernel, name);
    return at < 0 ? NULL : gn_dim_sym(s->out->dims, code_symbol(s, u->sym[at]));
}

/* ---- places ---- */

static const gn_dim *elements_of(serial *s, int32_t v)
{
    const gn_pvalue *x = value_of(s, v);
    const gn_dim *n = gn_dim_exact(s->p->dims, x->bytes, gn_dim_const(s->p->dims, (int64_t)gn_dtype_size(x->dtype)));
    if (!n) give_up("bytes");
    return code_dim(s, n);
}

static const gn_place *argument(serial *s, int32_t v, uint8_t access)
{
    memory *m = &s->memory[v];
    if (!m->place) {
        m->place = gn_code_place(s->out, (gn_place){ .name = gn_code_fresh_name(s->out, &s->names, value_of(s, v)->name),
                                                     .dtype = value_of(s, v)->dtype, .space = GN_SPACE_BUFFER,
                                                     .size = elements_of(s, v) });
        gn_push(s->arena, &s->args, v);
    }
    ((gn_place *)m->place)->access |= access;
    return m->place;
}

/* Arguments come before other places. */
static void make_arguments(serial *s)
{
    for (size_t i = 0; i < s->uses.n; i++)
        for (size_t b = 0; b < s->uses.at[i]->kernel->bufs.n; b++)
            if (!s->memory[s->uses.at[i]->arg[b]].inner)
                argument(s, s->uses.at[i]->arg[b], s->code[i]->places.at[b]->access);
}

static void declare(serial *s, const gn_place *p)
{
    gn_code_node *n = gn_code_make(s->out, GN_CODE_DECLARE);
    n->place = p;
    gn_push(s->out->arena, &s->top->kids, n);
}

static bool shares_ring(const serial *s, size_t v, size_t w)
{
    return v == w || (s->memory[v].loop >= 0 && s->memory[w].loop >= 0 && s->memory[v].ring == s->memory[w].ring);
}

/* Registers for all values of a ring, or for none. */
static bool may_be_registers(const serial *s, size_t v)
{
    uint32_t n = s->nregisters;
    const uint16_t lanes = s->memory[v].constant.lanes;
    for (size_t w = 0; w < nvalues(s); w++) {
        const memory *m = &s->memory[w];
        if (!m->inner || !shares_ring(s, v, w)) continue;
        if (!m->constant.possible || m->constant.lanes != lanes || !m->constant.lanes) return false;
        n += m->constant.n;
    }
    return n <= MOST_REGISTERS;
}

static void make_registers(serial *s, size_t v)
{
    for (size_t w = 0; w < nvalues(s); w++) {
        memory *m = &s->memory[w];
        if (!m->inner || !shares_ring(s, v, w)) continue;
        uint32_t *extent = GN_NEW_ARRAY(s->out->arena, uint32_t, 1);
        *extent = m->constant.n, s->nregisters += m->constant.n;
        m->place = gn_code_place(s->out, (gn_place){ .name = gn_code_fresh_name(s->out, &s->names, value_of(s, (int32_t)w)->name),
                                                     .dtype = value_of(s, (int32_t)w)->dtype, .space = GN_SPACE_REG,
                                                     .lanes = m->constant.lanes, .rank = m->constant.n > 1,
                                                     .extent = extent });
        declare(s, m->place);
    }
}

/* A ring of memories is one place, in which the values lie at turns; else each value has its own. */
static void make_memory(serial *s, size_t v)
{
    const gn_dim *n = gn_serial_elements(&s->axes, (int32_t)v, s->out->dims);
    const uint32_t turns = s->memory[v].turns ? s->memory[v].turns : 1;
    const int64_t size = (int64_t)gn_dtype_size(value_of(s, (int32_t)v)->dtype);
    int64_t elements;
    if (!n) n = elements_of(s, (int32_t)v);
    if (!gn_dim_is_const(n, &elements) || elements < 1 ||
        elements * turns * size > MOST_STACK)
        give_up("a value without a constant size, or a large one");
    if (turns > 1) elements = (elements * size + ALIGN - 1) / ALIGN * ALIGN / size;
    const gn_place *p = gn_code_place(
        s->out, (gn_place){ .name = gn_code_fresh_name(s->out, &s->names, value_of(s, (int32_t)v)->name),
                            .dtype = value_of(s, (int32_t)v)->dtype, .space = GN_SPACE_STACK,
                            .size = gn_dim_const(s->out->dims, elements * turns) });
    declare(s, p);
    for (size_t w = 0; w < nvalues(s); w++)
        if (s->memory[w].inner && shares_ring(s, v, w)) s->memory[w].place = p;
}

static void make_places(serial *s)
{
    make_arguments(s);
    for (size_t v = 0; v < nvalues(s); v++) {
        if (!s->memory[v].inner || s->memory[v].place) continue;
        if (may_be_registers(s, v)) make_registers(s, v);
        else make_memory(s, v);
    }
}

/* ---- the code ---- */

static const gn_dim *start_of(serial *s, const gn_serial_use *u, size_t buf)
{
    const memory *m = &s->memory[u->arg[buf]];
    gn_dim_pool *dims = s->out->dims;
    const gn_dim *start = gn_dim_const(dims, 0);
    if (u->start && !gn_dim_is(u->start[buf], 0)) {
        const gn_dim *size = gn_dim_const(s->p->dims, (int64_t)gn_dtype_size(value_of(s, u->arg[buf])->dtype));
        const gn_dim *at = gn_dim_exact(s->p->dims, u->start[buf], size);
        if (!at) give_up("a start");
        start = code_dim(s, at);
    }
    if (!m->inner || m->turns <= 1 || m->place->space == GN_SPACE_REG) return start;
    const gn_dim *turns = gn_dim_const(dims, m->turns), *now = gn_dim_add(dims, s->turn[m->loop], gn_dim_const(dims, m->at));
    return gn_dim_add(dims, start, gn_dim_mul(dims, gn_dim_mod(dims, now, turns), gn_dim_div(dims, m->place->size, turns)));
}

static void write_use(serial *s, gn_code_body *block)
{
    const gn_serial_use *u = s->uses.at[s->nuse];
    const gn_code *c = s->code[s->nuse];
    gn_inlined *place = GN_NEW_ARRAY(s->arena, gn_inlined, c->nargs);
    for (size_t b = 0; b < u->kernel->bufs.n; b++)
        place[b] = (gn_inlined){ s->memory[u->arg[b]].place, start_of(s, u, b) };
    for (size_t b = u->kernel->bufs.n; b < c->nargs; b++) { /* what the kernel keeps for itself */
        int64_t n;
        if (!gn_dim_is_const(c->places.at[b]->size, &n) || n * (int64_t)gn_dtype_size(c->places.at[b]->dtype) > MOST_STACK)
            give_up("memory of a kernel");
        place[b].place = gn_code_place(
            s->out, (gn_place){ .name = gn_code_fresh_name(s->out, &s->names, c->places.at[b]->name),
                                .dtype = c->places.at[b]->dtype, .space = GN_SPACE_STACK,
                                .size = gn_dim_const(s->out->dims, n > 0 ? n : 1) });
        gn_code_node *d = gn_code_make(s->out, GN_CODE_DECLARE);
        d->place = place[b].place;
        gn_push(s->out->arena, &block->kids, d);
    }
    gn_inlining in = { .to = s->out, .block = block, .names = &s->names, .nlets = &s->nlets, .place = place,
                       .of_symbol = of_kernel, .user = s };
    gn_code_inline(&in, c);
    s->nuse++;
}

static const gn_val *register_value(serial *s, const gn_place *p, uint32_t number)
{
    gn_val v = { .kind = GN_VAL_REG, .dtype = (uint8_t)p->dtype, .lanes = p->lanes };
    v.u.reg.place = p, v.u.reg.number = number;
    return gn_arena_copy(s->out->arena, &v, sizeof v);
}

static const gn_val *kept_register(serial *s, gn_code_body *block, const gn_place *p, uint32_t number)
{
    const gn_val v = { .kind = GN_VAL_COPY, .dtype = (uint8_t)p->dtype, .lanes = p->lanes, .n = 1, .id = ++s->nlets,
                       .a = { register_value(s, p, number) } };
    gn_code_node *n = gn_code_make(s->out, GN_CODE_LET);
    n->val = gn_arena_copy(s->out->arena, &v, sizeof v);
    gn_push(s->out->arena, &block->kids, n);
    return n->val;
}

/* All carried values change at once: what comes next is kept first. */
static void exchange_registers(serial *s, uint32_t loop, gn_code_body *block)
{
    const gn_pstep *step = &s->steps[loop];
    GN_VEC(gn_code_node *) sets = { 0 };
    for (uint32_t k = 0; k < step->of.loop->ncarried; k++) {
        const memory *now = &s->memory[step->arg[gn_carried_now(k)]], *next = &s->memory[step->arg[gn_carried_next(k)]];
        const uint32_t most = now->constant.n < next->constant.n ? now->constant.n : next->constant.n;
        for (uint32_t i = 0; now->place != next->place && now->place->space == GN_SPACE_REG && i < most; i++) {
            gn_code_node *n = gn_code_make(s->out, GN_CODE_SET);
            n->place = now->place, n->number = i, n->val = kept_register(s, block, next->place, i);
            gn_push(s->arena, &sets, n);
        }
    }
    for (size_t i = 0; i < sets.n; i++) gn_push(s->out->arena, &block->kids, sets.at[i]);
}

static void write_nodes(serial *s, gn_code_body *block, const serial_node *of)
{
    for (size_t i = 0; i < of->kids.n; i++) {
        const serial_node *k = of->kids.at[i];
        if (k->use) {
            write_use(s, block);
            continue;
        }
        const gn_ploop *l = s->steps[k->loop].of.loop;
        gn_code_node *n = gn_code_make(s->out, GN_CODE_FOR);
        gn_push(s->out->arena, &block->kids, n);
        n->to = code_dim(s, l->count);
        n->var = s->symbol[l->sym] = gn_code_fresh_name(s->out, &s->names, s->p->syms.at[l->sym].name);
        s->turn[k->loop] = gn_dim_sym(s->out->dims, n->var);
        write_nodes(s, &n->body, k);
        exchange_registers(s, k->loop, &n->body);
        s->symbol[l->sym] = NULL, s->turn[k->loop] = n->to;
    }
}

static void start_code(serial *s)
{
    gn_dim_pool *dims = GN_NEW_OBJECT(s->arena, gn_dim_pool);
    *dims = (gn_dim_pool){ .arena = s->arena };
    const char *name = gn_arena_printf(s->arena, "loop_%s_%u", s->p->syms.at[s->steps[s->at].of.loop->sym].name, s->at);
    s->out = gn_code_new(s->arena, dims, s->m->target, name);
    s->symbol = GN_NEW_ARRAY(s->arena, const char *, s->p->syms.n);
    s->turn = GN_NEW_ARRAY(s->arena, const gn_dim *, s->nsteps);
    for (uint32_t i = s->at; i < s->end; i++) s->turn[i] = gn_dim_const(dims, 0);
    s->part = GN_NEW_ARRAY(s->arena, const char *, s->axes.classes.n);
    gn_push(s->arena, &s->out->steps, (gn_code_step){ 0 });
    for (size_t c = 0; c < s->axes.classes.n; c++) {
        const gn_serial_class *of = &s->axes.classes.at[c];
        s->part[c] = gn_code_fresh_name(s->out, &s->names, gn_arena_printf(s->arena, "%s_part", of->name));
        const gn_dim *count = gn_dim_cdiv(dims, code_dim(s, of->extent), gn_dim_const(dims, of->tile));
        gn_push(s->arena, &s->out->steps.at[0].parts, (gn_code_var){ s->part[c], count });
    }
    s->top = &s->out->steps.at[0].body;
}

static const char *comment_of(const serial *s)
{
    gn_text t = { .arena = s->arena };
    gn_textf(&t, "The turns of %s, one after the other:", s->p->syms.at[s->steps[s->at].of.loop->sym].name);
    for (size_t i = 0; i < s->uses.n; i++) gn_textf(&t, "%s %s", i ? "," : "", s->uses.at[i]->kernel->name);
    return gn_text_done(&t);
}

static void add_step(serial *s)
{
    gn_program *p = s->m->p;
    int32_t *arg = GN_NEW_ARRAY(p->arena, int32_t, s->args.n);
    uint32_t *sym = GN_NEW_ARRAY(p->arena, uint32_t, s->out->syms.n);
    for (size_t i = 0; i < s->args.n; i++) arg[i] = s->args.at[i] % (int32_t)nvalues(s);
    for (uint32_t i = 0; i < s->p->syms.n; i++)
        for (size_t k = 0; s->symbol[i] && k < s->out->syms.n; k++)
            if (s->symbol[i] == s->out->syms.at[k].name) sym[k] = i;
    gn_maker_code(s->m, s->out);
    gn_maker_steps(s->m, (uint32_t)p->kernels.n - 1, &(gn_kernel_use){ gn_code_as_kernel(s->arena, s->out), arg, NULL, sym },
                   NULL);
}

static void make(void *arg)
{
    serial *s = arg;
    s->root = GN_NEW_OBJECT(s->arena, serial_node);
    for (size_t v = 0; v < 2 * nvalues(s); v++) s->memory[v].loop = -1;
    if (s->m->target->lang != GN_LANG_C || s->steps[s->at].of.loop->has_condition) give_up("target or condition");
    add_loop(s, s->root, s->at);
    note_written(s), note_inner(s), check_outer(s);
    find_axes(s);
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

bool gn_serial_tree(gn_kernel_maker *m, const gn_pstep *steps, uint32_t at, uint32_t nsteps, gn_kernel *const *kernel,
                    gn_schedule *const *schedule)
{
    gn_arena arena = { .allocator = m->p->arena->allocator };
    serial s = { .m = m, .p = m->p, .arena = &arena, .steps = steps, .at = at, .end = steps[at].end, .nsteps = nsteps,
                 .kernel = kernel, .schedule = schedule };
    s.memory = gn_arena_alloc_n(&arena, 2 * nvalues(&s) + 1, sizeof *s.memory, alignof(memory));
    const gn_status status = gn_protect(make, &s);
    gn_arena_free(&arena);
    if (status && status != GN_EINVAL) gn_rethrow(status);
    return !status;
}
