#include "serial_state.h"

enum { MOST_USES = 32 };

_Noreturn void gn_serial_refuse(const char *why)
{
    gn_throw(GN_EINVAL, "no serial subtree: %s", why);
}

uint32_t gn_serial_symbol(const gn_serial *s, const char *name)
{
    const int32_t at = gn_program_find_sym(s->p, name);
    if (at < 0) gn_serial_refuse("a symbol");
    return (uint32_t)at;
}

static int32_t outside(const gn_serial *s, int32_t v)
{
    return v + (int32_t)gn_serial_nvalues(s);
}

/* ---- copies as kernels ---- */

static void add_symbol(void *user, const char *name)
{
    gn_kernel_sym(user, name);
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
    const uint32_t b =
        gn_kernel_buf(k, gn_kernel_fresh_name(k, name, 0, NULL), t, rank, gn_dims_import(k->dims, rank, extent));
    k->bufs.at[b].stride = gn_dims_import(k->dims, rank, stride);
    return b;
}

/* to = from, of this shape; strides NULL: row-major. */
static gn_serial_use *copy_use(gn_serial *s, int32_t to, int32_t from, size_t rank, const gn_dim *const *extent,
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
    for (size_t i = 0; i < k->syms.n; i++) sym[i] = gn_serial_symbol(s, k->syms.at[i].name);
    const gn_dtype t = gn_serial_value(s, to)->dtype;
    const uint32_t y = copy_buffer(k, "to", t, rank, extent, to_stride),
                   x = copy_buffer(k, "from", t, rank, extent, from_stride);
    for (size_t d = 0; d < rank; d++) {
        const char *name = gn_kernel_fresh_name(k, gn_arena_printf(s->arena, "c%zu", d), 0, NULL);
        const uint32_t a = gn_kernel_axis(k, name, gn_dim_import(k->dims, extent[d]));
        index[d] = gn_dim_sym(k->dims, k->axes.at[a].name);
    }
    gn_kernel_store(k, GN_STORE_SET, y, index, gn_kexpr_load(k, x, index));
    arg[y] = to, arg[x] = from, u->arg = arg, u->sym = sym, u->is_copy = true;
    return u;
}

static gn_serial_use *copy_whole(gn_serial *s, int32_t to, int32_t from)
{
    const gn_pvalue *v = gn_serial_value(s, to);
    return copy_use(s, to, from, v->rank, v->shape, NULL, NULL);
}

/* ---- the subtree ---- */

static bool is_within(const gn_serial *s, uint32_t step)
{
    return step >= s->at && step < s->end;
}

static void add_use(gn_serial *s, gn_serial_node *to, gn_serial_use *u)
{
    gn_serial_node *n = GN_NEW_OBJECT(s->arena, gn_serial_node);
    n->use = u;
    if (s->uses.n == MOST_USES) gn_serial_refuse("many kernels");
    gn_push(s->arena, &s->uses, u);
    gn_push(s->arena, &to->kids, n);
}

/* An index from memory would have to be renamed within index expressions; what a store adds to may be memory that was
 * taken over. */
static void check_kernel(const gn_kernel *k, gn_arena *scratch)
{
    bool any = gn_kernel_index_loads(k, scratch);
    for (size_t i = 0; i < k->stores.n; i++) any |= k->stores.at[i].kind != GN_STORE_SET;
    for (size_t b = 0; b < k->bufs.n; b++) any |= k->bufs.at[b].shares >= 0;
    if (any) gn_serial_refuse("an index from memory, or a store that adds");
}

static gn_serial_use *kernel_use(gn_serial *s, const gn_pstep *step)
{
    gn_serial_use *u = GN_NEW_OBJECT(s->arena, gn_serial_use);
    *u = (gn_serial_use){.kernel = s->kernel[step->kernel],
                         .schedule = s->schedule[step->kernel],
                         .arg = step->arg,
                         .start = step->start,
                         .sym = step->sym};
    check_kernel(u->kernel, s->arena);
    return u;
}

static void add_steps(gn_serial *s, gn_serial_node *to, uint32_t at, uint32_t end);

/* The values of a ring, from one that nobody becomes; or any, where all exchange. */
static void note_ring(gn_serial *s, uint32_t at, int32_t first)
{
    const gn_pstep *loop = &s->steps[at];
    uint32_t n = 0;
    for (int32_t v = first; s->memory[v].loop < 0; n++) {
        s->memory[v].loop = (int32_t)at, s->memory[v].ring = first, s->memory[v].at = n;
        if (!gn_is_carried(loop, v)) {
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
        gn_serial_memory *m = &s->memory[loop->arg[a]];
        if (m->loop == (int32_t)at && m->ring == first) m->turns = n;
    }
}

static void note_rings(gn_serial *s, uint32_t at)
{
    const gn_pstep *loop = &s->steps[at];
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t k = 0; k < loop->of.loop->ncarried; k++) {
            const int32_t now = loop->arg[gn_carried_now(k)];
            if (s->memory[now].loop < 0 && (pass || gn_becomes(loop, now) < 0)) note_ring(s, at, now);
        }
}

static void add_loop(gn_serial *s, gn_serial_node *to, uint32_t at)
{
    const gn_pstep *step = &s->steps[at];
    gn_serial_node *n = GN_NEW_OBJECT(s->arena, gn_serial_node);
    n->loop = at;
    note_rings(s, at);
    for (uint32_t k = 0; k < step->of.loop->ncarried; k++)
        add_use(s, to, copy_whole(s, step->arg[gn_carried_now(k)], step->arg[gn_carried_initial(k)]));
    gn_push(s->arena, &to->kids, n);
    add_steps(s, n, at + 1, step->end);
}

static void add_steps(gn_serial *s, gn_serial_node *to, uint32_t at, uint32_t end)
{
    for (; at < end; at = gn_step_after(s->steps, at)) {
        const gn_pstep *step = &s->steps[at];
        if (step->status || step->device) gn_serial_refuse("a status or a device");
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
            gn_serial_refuse("a kind of step");
        }
    }
}

/* ---- what lies where ---- */

static bool writes(const gn_serial_use *u, size_t buf)
{
    return u->kernel->bufs.at[buf].access & GN_KBUF_WRITE;
}

static bool is_used_outside(const gn_serial *s, int32_t v)
{
    for (uint32_t i = 0; i < s->nsteps; i++)
        for (uint32_t a = 0; !is_within(s, i) && a < s->steps[i].narg; a++)
            if (s->steps[i].arg[a] == v) return true;
    for (size_t i = 0; i < s->p->indices.n; i++)
        if ((int32_t)s->p->indices.at[i].value == v) return true;
    return false;
}

static void note_written(gn_serial *s)
{
    for (size_t i = 0; i < s->uses.n; i++)
        for (size_t b = 0; b < s->uses.at[i]->kernel->bufs.n; b++)
            if (writes(s->uses.at[i], b)) s->memory[s->uses.at[i]->arg[b]].written = true;
}

/* Carried values that are read behind the loop are copied out at the end; others that lie outside are written by
 * slices, and nobody else writes them. */
static void note_inner(gn_serial *s)
{
    for (int32_t v = 0; v < (int32_t)gn_serial_nvalues(s); v++) {
        gn_serial_memory *m = &s->memory[v];
        if (!m->written) continue;
        const bool outer = is_used_outside(s, v);
        m->inner = gn_serial_value(s, v)->kind == GN_VALUE_TEMP && (m->loop >= 0 || !outer);
        if (!m->inner || !outer) continue;
        if (!gn_is_carried(&s->steps[s->at], v)) gn_serial_refuse("read behind the loop");
        add_use(s, s->root, copy_whole(s, outside(s, v), v));
        s->memory[outside(s, v)].written = true;
    }
}

/* Whole before, or nobody's business here. */
static void check_outer(const gn_serial *s)
{
    for (uint32_t i = 0; i < s->nsteps; i++) {
        const gn_pstep *step = &s->steps[i];
        if (is_within(s, i) || gn_step_has_body(step)) continue;
        for (uint32_t a = 0; a < step->narg; a++) {
            if (step->arg[a] < 0 || !(step->uses[a] & GN_OPERAND_WRITE)) continue;
            const gn_pvalue *x = gn_serial_value(s, step->arg[a]);
            const bool part = (step->start && !gn_dim_is(step->start[a], 0)) || step->bytes[a] != x->bytes;
            if (s->memory[step->arg[a]].written && !s->memory[step->arg[a]].inner)
                gn_serial_refuse("written elsewhere");
            for (size_t u = 0; part && u < s->uses.n; u++)
                for (size_t b = 0; b < s->uses.at[u]->kernel->bufs.n; b++)
                    if (s->uses.at[u]->arg[b] == step->arg[a]) gn_serial_refuse("a part is read");
        }
    }
}

static void find_axes(gn_serial *s)
{
    bool *written = GN_NEW_ARRAY(s->arena, bool, 2 * gn_serial_nvalues(s)),
         *inner = GN_NEW_ARRAY(s->arena, bool, 2 * gn_serial_nvalues(s));
    int32_t(*same)[2] = gn_arena_alloc_n(s->arena, 2 * gn_serial_nvalues(s), sizeof *same, alignof(int32_t));
    s->axes = (gn_serial_axes){.arena = s->arena,
                               .p = s->p,
                               .nuses = s->uses.n,
                               .use = s->uses.at,
                               .nvalues = 2 * gn_serial_nvalues(s),
                               .is_written = written,
                               .same = (const int32_t(*)[2])same};
    for (size_t v = 0; v < 2 * gn_serial_nvalues(s); v++)
        written[v] = s->memory[v].written, inner[v] = s->memory[v].inner;
    for (uint32_t i = s->at; i < s->end; i++)
        for (uint32_t k = 0; s->steps[i].kind == GN_STEP_LOOP && k < s->steps[i].of.loop->ncarried; k++) {
            int32_t *pair = same[s->axes.nsame++];
            pair[0] = s->steps[i].arg[gn_carried_now(k)], pair[1] = s->steps[i].arg[gn_carried_next(k)];
        }
    gn_serial_find_axes(&s->axes, s->m->target);
    gn_serial_cut(&s->axes, inner);
}

static void make(void *arg)
{
    gn_serial *s = arg;
    s->root = GN_NEW_OBJECT(s->arena, gn_serial_node);
    for (size_t v = 0; v < 2 * gn_serial_nvalues(s); v++) s->memory[v].loop = -1;
    if (s->m->target->lang != GN_LANG_C || s->steps[s->at].of.loop->has_condition)
        gn_serial_refuse("target or condition");
    add_loop(s, s->root, s->at);
    note_written(s), note_inner(s), check_outer(s);
    find_axes(s);
    gn_serial_code(s);
}

bool gn_serial_tree(gn_kernel_maker *m, const gn_pstep *steps, uint32_t at, uint32_t nsteps, gn_kernel *const *kernel,
                    gn_schedule *const *schedule)
{
    gn_arena arena = {.allocator = m->p->arena->allocator};
    gn_serial s = {.m = m,
                   .p = m->p,
                   .arena = &arena,
                   .steps = steps,
                   .at = at,
                   .end = steps[at].end,
                   .nsteps = nsteps,
                   .kernel = kernel,
                   .schedule = schedule};
    s.memory = gn_arena_alloc_n(&arena, 2 * gn_serial_nvalues(&s) + 1, sizeof *s.memory, alignof(gn_serial_memory));
    const gn_status status = gn_protect(make, &s);
    gn_arena_free(&arena);
    if (status && status != GN_EINVAL) gn_rethrow(status);
    return !status;
}
