/* Making a program: group, schedule, lower, emit each kernel; then lifetimes, values computed in place, and updates
 * that take effect together. */
#include <inttypes.h>
#include "make_program.h"
#include "emit.h"
#include "in_place.h"
#include "index_check.h"
#include "kernel_form.h"
#include "lower_default.h"
#include "op.h"

typedef struct maker {
    gn_program *p;
    const struct gn_core *core;
    const gn_target *target;
    gn_grouping *groups;
    const gn_computed_indices *computed;
    int32_t checks_end;          /* the last step before all computed indices are there; -1: there are none */
    int32_t *value_of;           /* program value per value of the grouping */
    gn_arena work, scratch;      /* until the program is made; until a kernel is */
    gn_intern_set lowered;       /* struct lowered, by form */
    gn_symbols names;
    gn_map variables;            /* by name, one of `names` */
    GN_VEC(const struct lowered *) code; /* per kernel */
    int32_t *root, *last_use;    /* per value: whose memory it has; of a root: the last step that uses its memory */
    gn_text body;                /* source of the kernels */
    gn_words words;              /* of the prelude, that the source says */
} maker;

/* ---- symbols ---- */

static int32_t find_sym(const gn_program *p, const char *name)
{
    for (size_t i = 0; i < p->syms.n; i++)
        if (strcmp(p->syms.at[i].name, name) == 0) return (int32_t)i;
    return -1;
}

/* Each named dim is bound by the first extent of an input that is just its name. */
static void bind_symbols(maker *m)
{
    gn_program *p = m->p;
    for (size_t i = 0; i < m->core->in.n; i++) {
        const gn_type *t = m->core->in.at[i]->type;
        for (uint16_t d = 0; d < t->n; d++) {
            const gn_dim *e = t->dim[d];
            if (e->n != 1 || e->term[0].n != 1 || e->term[0].c != 1 || e->term[0].atom[0]->kind != GN_DIM_SYM) continue;
            const char *name = gn_symbol(p->arena, &p->dims->symbols, e->term[0].atom[0]->name);
            if (find_sym(p, name) < 0)
                gn_push(p->arena, &p->syms, (gn_psym){ .name = name, .input = (int32_t)i, .axis = d, .is = -1 });
        }
    }
}

static void need_symbol(void *user, const char *name)
{
    GN_ASSERT(find_sym(user, name) >= 0); /* the copy has refused dims that no input binds */
}

static const gn_dim *dim_of(maker *m, const gn_dim *d)
{
    gn_dim_symbols(d, need_symbol, m->p);
    return gn_dim_import(m->p->dims, d);
}

/* ---- values ---- */

static const gn_dim *bytes_of(gn_program *p, gn_dtype dtype, size_t rank, const gn_dim *const *shape)
{
    const gn_dim *n = gn_dim_const(p->dims, (int64_t)gn_dtypes[dtype].size);
    for (size_t d = 0; d < rank; d++) n = gn_dim_mul(p->dims, n, shape[d]);
    return n;
}

static uint32_t add_value(gn_program *p, gn_pvalue v)
{
    v.first = v.last = -1;
    v.alias = -1;
    if (!v.bytes) v.bytes = bytes_of(p, v.dtype, v.rank, v.shape);
    gn_push(p->arena, &p->values, v);
    return (uint32_t)p->values.n - 1;
}

static gn_pvalue value_like(maker *m, const gn_expr *e, gn_value_kind kind, uint32_t index, const char *name)
{
    const gn_dim **shape = GN_NEW_ARRAY(m->p->arena, const gn_dim *, e->type->n);
    for (uint16_t d = 0; d < e->type->n; d++) shape[d] = dim_of(m, e->type->dim[d]);
    return (gn_pvalue){ .kind = (uint8_t)kind,
                        .dtype = (gn_dtype)e->type->dtype,
                        .rank = (uint8_t)e->type->n,
                        .shape = shape,
                        .index = index,
                        .name = gn_arena_string(m->p->arena, name) };
}

static uint32_t variable_of(maker *m, const gn_expr *e, bool updated)
{
    gn_program *p = m->p;
    const char *name = gn_attr_of(e, "name")->name;
    void **known = gn_map_put(&m->work, &m->variables, GN_KEY(gn_symbol(&m->work, &m->names, name))); /* 1 + its number */
    if (*known) {
        p->variables.at[(uintptr_t)*known - 1].updated |= updated;
        return (uint32_t)((uintptr_t)*known - 1);
    }
    *known = (void *)(uintptr_t)(p->variables.n + 1);
    const gn_pvalue like = value_like(m, e, GN_VALUE_VARIABLE, 0, name);
    gn_push(p->arena, &p->variables,
            (gn_pvariable){
                .name = like.name, .dtype = like.dtype, .rank = like.rank, .shape = like.shape, .updated = updated });
    return (uint32_t)p->variables.n - 1;
}

static void make_values(maker *m)
{
    gn_program *p = m->p;
    const gn_grouping *g = m->groups;
    p->ninputs = (uint32_t)m->core->in.n, p->noutputs = (uint32_t)m->core->out.n;
    for (uint32_t i = 0; i < p->ninputs; i++)
        add_value(p, value_like(m, m->core->in.at[i], GN_VALUE_INPUT, i, gn_attr_of(m->core->in.at[i], "name")->name));
    for (uint32_t i = 0; i < p->noutputs; i++)
        add_value(p, value_like(m, m->core->out.at[i], GN_VALUE_OUTPUT, i, gn_arena_printf(p->arena, "out%u", i)));
    for (size_t u = 0; u < m->core->variable.n; u++) variable_of(m, m->core->variable.at[u], true);
    m->value_of = GN_NEW_ARRAY(p->arena, int32_t, g->values.n);
    for (size_t i = 0; i < g->values.n; i++) {
        const gn_gvalue *v = &g->values.at[i];
        switch (v->kind) {
        case GN_VALUE_INPUT: m->value_of[i] = (int32_t)v->index; break;
        case GN_VALUE_OUTPUT:
            if (v->index < p->noutputs) m->value_of[i] = (int32_t)(p->ninputs + v->index);
            else
                m->value_of[i] =
                    (int32_t)add_value(p, value_like(m, v->expr, GN_VALUE_TEMP, 0,
                                                     gn_arena_printf(p->arena, "index%u", v->index - p->noutputs)));
            break;
        case GN_VALUE_VARIABLE:
            m->value_of[i] =
                (int32_t)add_value(p, value_like(m, v->expr, GN_VALUE_VARIABLE, variable_of(m, v->expr, false), v->name));
            break;
        case GN_VALUE_UPDATE:
            m->value_of[i] = (int32_t)add_value(
                p, value_like(m, v->expr, GN_VALUE_UPDATE, variable_of(m, m->core->variable.at[v->index], true), v->name));
            break;
        case GN_VALUE_CONSTANT: {
            gn_pvalue c = value_like(m, v->expr, GN_VALUE_CONSTANT, 0, v->name);
            const gn_attr *data = gn_attr_of(v->expr, "data");
            c.data = gn_arena_copy(p->arena, data->data, data->n), c.nbytes = data->n;
            m->value_of[i] = (int32_t)add_value(p, c);
            break;
        }
        case GN_VALUE_SLICE: break; /* below: what it lies within may come later */
        default: {
            gn_pvalue t = value_like(m, v->expr, GN_VALUE_TEMP, 0, v->name);
            const gn_dim **shape = GN_NEW_ARRAY(p->arena, const gn_dim *, t.rank);
            for (uint8_t d = 0; d < t.rank; d++) shape[d] = dim_of(m, v->shape[d]);
            t.shape = shape;
            m->value_of[i] = (int32_t)add_value(p, t);
        }
        }
    }
    for (uint32_t i = 0; i < g->values.n; i++)
        if (g->values.at[i].kind == GN_VALUE_SLICE) m->value_of[i] = m->value_of[gn_gvalue_root(g, i)];
}

/* ---- kernels and steps ---- */

static const char *print_kernel(gn_arena *a, const gn_kernel *k)
{
    gn_text t = { .arena = a };
    gn_kernel_print(&t, k);
    return gn_text_done(&t);
}

static const char *print_schedule(gn_arena *a, const gn_kernel *k, const gn_schedule *s)
{
    gn_text t = { .arena = a };
    gn_schedule_print(&t, k, s);
    return gn_text_done(&t);
}

/* Where the kernel's buffers begin within their values; NULL: all at the start. */
static const gn_dim *const *starts_of(maker *m, const gn_group *g, size_t narg)
{
    gn_program *p = m->p;
    const gn_dim **start = NULL;
    for (size_t i = 0; i < g->buf.n; i++) {
        const gn_gvalue *v = &m->groups->values.at[g->buf.at[i]];
        if (!v->start || gn_dim_is(v->start, 0)) continue;
        if (!start) {
            start = GN_NEW_ARRAY(p->arena, const gn_dim *, narg);
            for (size_t a = 0; a < narg; a++) start[a] = gn_dim_const(p->dims, 0);
        }
        start[i] = gn_dim_scale(p->dims, dim_of(m, v->start), (int64_t)gn_dtype_size((gn_dtype)v->expr->type->dtype));
    }
    return start;
}

/* Memory of the call or of a worker that a kernel's steps need. */
typedef struct kept {
    const char *name;
    gn_dtype dtype;
    bool of_worker;
    const gn_dim *bytes;         /* over the program's symbols */
} kept;

/* What kernels of one form have in common once they are lowered. */
typedef struct lowered {
    const char *form, *code;     /* the kernel whose functions run */
    bool plain;                  /* the default schedule was illegal */
    uint32_t nsteps;
    const gn_dim *const *parts;  /* per step, over the program's symbols */
    GN_VEC(kept) kept;           /* the code's arguments behind its buffers */
    gn_in_place in_place;
} lowered;

static void add_steps(maker *m, const gn_group *g, const lowered *l, gn_pkernel *pk)
{
    gn_program *p = m->p;
    const size_t nbufs = g->kernel->bufs.n;
    int32_t *arg = GN_NEW_ARRAY(p->arena, int32_t, nbufs + l->kept.n);
    const gn_dim **scratch = GN_NEW_ARRAY(p->arena, const gn_dim *, l->kept.n);
    uint32_t nscratch = 0, *sym = GN_NEW_ARRAY(p->arena, uint32_t, g->kernel->syms.n);
    const gn_dim *const *start = starts_of(m, g, nbufs + l->kept.n);
    for (size_t i = 0; i < nbufs; i++) arg[i] = m->value_of[g->buf.at[i]];
    for (size_t i = 0; i < l->kept.n; i++) {
        const kept *b = &l->kept.at[i];
        if (b->of_worker) {
            arg[nbufs + i] = -1 - (int32_t)nscratch;
            scratch[nscratch++] = b->bytes;
        } else {
            const char *name = gn_arena_printf(p->arena, "%s.%s", pk->name, b->name);
            arg[nbufs + i] = (int32_t)add_value(
                p, (gn_pvalue){ .kind = GN_VALUE_TEMP, .dtype = b->dtype, .name = name, .bytes = b->bytes });
        }
    }
    for (size_t i = 0; i < g->kernel->syms.n; i++) {
        need_symbol(p, g->kernel->syms.at[i].name);
        sym[i] = (uint32_t)find_sym(p, g->kernel->syms.at[i].name);
    }
    pk->nsteps = l->nsteps;
    for (uint32_t i = 0; i < l->nsteps; i++)
        gn_push(p->arena, &p->steps, (gn_pstep){ .kernel = (uint32_t)p->kernels.n, .part_of = i,
                .symbol = m->groups->small ? l->code : gn_arena_printf(p->arena, "%s_%u", l->code, i), .parts = l->parts[i],
                .narg = (uint32_t)(nbufs + l->kept.n), .nsym = (uint32_t)g->kernel->syms.n,
                .nscratch = nscratch, .arg = arg, .start = start, .sym = sym, .scratch = scratch });
}

static bool equal_forms(const void *l, const void *form)
{
    return strcmp(((const lowered *)l)->form, form) == 0;
}

static lowered *note_lowered(maker *m, const gn_group *g, const gn_scheduled *low, const gn_schedule *s, const char *form)
{
    gn_program *p = m->p;
    lowered *l = GN_NEW_OBJECT(&m->work, lowered);
    const bool one = m->groups->small; /* one serial function: its steps share their temporaries on the stack */
    *l = (lowered){ .form = gn_arena_string(&m->work, form),
                    .code = gn_arena_string(p->arena, g->kernel->name),
                    .plain = strcmp(s->name, "plain") == 0,
                    .nsteps = one ? 1 : (uint32_t)low->code->steps.n };
    const gn_dim **parts = GN_NEW_ARRAY(p->arena, const gn_dim *, l->nsteps);
    for (uint32_t i = 0; i < l->nsteps; i++)
        parts[i] = one ? gn_dim_const(p->dims, 1) : dim_of(m, gn_code_parts(low->code, i));
    l->parts = parts;
    for (size_t i = g->kernel->bufs.n; i < low->code->nargs; i++) {
        const gn_place *b = low->code->places.at[i];
        gn_push(&m->work, &l->kept, (kept){ gn_arena_string(&m->work, b->name), b->dtype, b->space == GN_SPACE_SCRATCH,
                                            dim_of(m, gn_code_bytes(low->code, b)) });
    }
    l->in_place = gn_in_place_find(&m->work, &m->scratch, low);
    gn_intern_add(&m->work, &m->lowered, gn_hash_bytes(1, form, strlen(form)), l);
    return l;
}

/* What stands in the source of a kernel that runs an earlier one's functions. */
static void emit_twin(maker *m, const gn_group *g, const lowered *l)
{
    gn_textf(&m->body, "/* %s runs the functions of %s", g->kernel->name, l->code);
    for (size_t i = 0; i < g->kernel->bufs.n; i++)
        gn_textf(&m->body, "%s%s", i ? ", " : " on ", g->kernel->bufs.at[i].name);
    gn_text_add(&m->body, ". */\n\n");
}

static void emit(maker *m, const gn_scheduled *low)
{
    if (m->groups->small) gn_emit_function(&m->body, &m->words, low->code);
    else gn_emit_kernel(&m->body, &m->words, low->code);
    gn_text_char(&m->body, '\n');
}

/* Its form is compared before it is lowered, and what lowering needs goes with it: of thousands of layers few are
 * lowered. */
static void make_kernel(maker *m, const gn_group *g)
{
    gn_program *p = m->p;
    gn_pkernel pk = { .name = gn_arena_string(p->arena, g->kernel->name),
                      .first_step = (uint32_t)p->steps.n,
                      .text_at = (uint32_t)m->body.n };
    gn_schedule *s = gn_default_find(&m->scratch, g->kernel, g->hint, m->target);
    const char *form = gn_kernel_form(&m->scratch, g->kernel, s);
    const lowered *l = gn_intern_find(&m->lowered, gn_hash_bytes(1, form, strlen(form)), form, equal_forms);
    if (l) {
        if (l->plain) s = gn_plain_schedule(&m->scratch, g->kernel);
        emit_twin(m, g, l);
    } else {
        const gn_scheduled *low = gn_default_lower(&m->scratch, g->kernel, m->target, &s);
        l = note_lowered(m, g, low, s, form);
        emit(m, low);
    }
    pk.kernel = print_kernel(p->arena, g->kernel), pk.schedule = print_schedule(p->arena, g->kernel, s);
    pk.text_size = (uint32_t)m->body.n - pk.text_at;
    add_steps(m, g, l, &pk);
    gn_push(&m->work, &m->code, l);
    gn_push(p->arena, &p->kernels, pk);
    gn_arena_free(&m->scratch);
}

/* ---- lifetimes ---- */

/* Buffers of a kernel live through all its steps. */
static void find_lifetimes(maker *m)
{
    gn_program *p = m->p;
    gn_plive *live = GN_NEW_ARRAY(&m->work, gn_plive, p->values.n);
    gn_program_lifetimes(p, live);
    for (size_t i = 0; i < p->values.n; i++) p->values.at[i].first = live[i].first, p->values.at[i].last = live[i].last;
}

/* ---- in place ---- */

static void start_roots(maker *m)
{
    const gn_program *p = m->p;
    m->root = GN_NEW_ARRAY(&m->work, int32_t, p->values.n), m->last_use = GN_NEW_ARRAY(&m->work, int32_t, p->values.n);
    for (size_t i = 0; i < p->values.n; i++) m->root[i] = (int32_t)i, m->last_use[i] = p->values.at[i].last;
}

/* `value` takes over the memory of `from`, before another takes over its own. */
static void take_over(maker *m, int32_t value, int32_t from)
{
    const int32_t root = m->root[from], last = m->p->values.at[value].last;
    m->p->values.at[value].alias = from;
    m->root[value] = root;
    if (last > m->last_use[root]) m->last_use[root] = last;
}

/* The buffer of kernel `at` that is this value of the grouping; -1. */
static int32_t buffer_of(const maker *m, uint32_t at, uint32_t value)
{
    const gn_group *g = &m->groups->groups.at[at];
    for (size_t b = 0; b < g->buf.n; b++)
        if (g->buf.at[b] == value) return (int32_t)b;
    return -1;
}

/* The code of the kernel that makes an update leaves the old elements alone until it has read them. */
static bool reads_before_it_writes(const maker *m, const gn_pvalue *update, uint32_t value, uint32_t variable)
{
    const uint32_t kernel = m->p->steps.at[update->first].kernel;
    const int32_t read = buffer_of(m, kernel, variable), write = buffer_of(m, kernel, value);
    return read < 0 || m->groups->groups.at[kernel].kernel->bufs.at[write].shares == read ||
           gn_in_place_allows(&m->code.at[kernel]->in_place, (uint32_t)read, (uint32_t)write);
}

/* An update is computed in its variable's memory where grouping says that nobody reads the old elements later, and
 * where no check of an index can still fail. */
static void place_updates(maker *m)
{
    gn_program *p = m->p;
    for (size_t i = 0; i < m->groups->values.n; i++) {
        const gn_gvalue *g = &m->groups->values.at[i];
        if (g->kind != GN_VALUE_UPDATE || g->in_place < 0) continue;
        gn_pvalue *v = &p->values.at[m->value_of[i]];
        if (v->first > m->checks_end && reads_before_it_writes(m, v, (uint32_t)i, (uint32_t)g->in_place))
            take_over(m, m->value_of[i], m->value_of[g->in_place]);
    }
}

static bool is_slice(const maker *m, uint32_t value)
{
    return m->groups->values.at[value].kind == GN_VALUE_SLICE;
}

/* The kernel has the memory of this buffer under another name, too. */
static bool is_there_twice(const maker *m, const gn_group *g, size_t buf)
{
    size_t n = 0;
    for (size_t b = 0; b < g->buf.n; b++)
        n += gn_gvalue_root(m->groups, g->buf.at[b]) == gn_gvalue_root(m->groups, g->buf.at[buf]);
    return n > 1;
}

static void place_temp(maker *m, size_t kernel, const gn_group *g, uint32_t to)
{
    gn_program *p = m->p;
    const int32_t value = m->value_of[g->buf.at[to]];
    const int32_t first = (int32_t)p->kernels.at[kernel].first_step,
                  end = first + (int32_t)p->kernels.at[kernel].nsteps - 1;
    for (size_t b = 0; b < g->buf.n; b++) {
        const int32_t from = m->value_of[g->buf.at[b]];
        const gn_pvalue *v = &p->values.at[from];
        if (from == value || v->kind != GN_VALUE_TEMP || v->first >= first || is_slice(m, g->buf.at[b]) ||
            is_there_twice(m, g, b))
            continue;
        const int32_t root = m->root[from];
        if (p->values.at[root].kind != GN_VALUE_TEMP || m->last_use[root] > end ||
            !gn_in_place_allows(&m->code.at[kernel]->in_place, (uint32_t)b, to))
            continue;
        take_over(m, value, from);
        return;
    }
}

static void place_all(maker *m)
{
    start_roots(m);
    place_updates(m);
    for (size_t i = 0; i < m->groups->groups.n; i++) {
        const gn_group *g = &m->groups->groups.at[i];
        for (uint32_t b = 0; b < g->buf.n; b++) {
            const gn_pvalue *v = &m->p->values.at[m->value_of[g->buf.at[b]]];
            if (g->kernel->bufs.at[b].access & GN_KBUF_WRITE && v->kind == GN_VALUE_TEMP && v->alias < 0 &&
                !is_slice(m, g->buf.at[b]))
                place_temp(m, i, g, b);
        }
    }
}

static const char *user_name(const maker *m, uint32_t user)
{
    return user < m->core->indexers.n ? m->core->indexers.at[user].op : "index";
}

static const gn_dim *uses_of(maker *m, const gn_expr *check)
{
    const gn_dim *n = gn_dim_const(m->p->dims, 1);
    for (uint16_t d = 0; d < check->type->n; d++) n = gn_dim_mul(m->p->dims, n, dim_of(m, check->type->dim[d]));
    return n;
}

/* Elements that index an axis and come from outside are looked at before anything runs. */
static void add_index_checks(maker *m)
{
    for (size_t i = 0; i < m->groups->checks.n; i++) {
        const gn_index_check *c = &m->groups->checks.at[i];
        const uint32_t user = gn_check_user(m->core, c->expr);
        gn_push(m->p->arena, &m->p->indices,
                (gn_pindex){ (uint32_t)m->value_of[c->value], dim_of(m, c->bound), uses_of(m, c->expr), -1, user,
                             user_name(m, user) });
    }
}

/* The last step of the last kernel that writes the value. */
static int32_t made_by(const maker *m, uint32_t value)
{
    for (size_t i = m->groups->groups.n; i-- > 0;) {
        const gn_group *g = &m->groups->groups.at[i];
        const gn_pkernel *k = &m->p->kernels.at[i];
        for (size_t b = 0; b < g->buf.n; b++)
            if (gn_gvalue_root(m->groups, g->buf.at[b]) == value && g->kernel->bufs.at[b].access & GN_KBUF_WRITE)
                return (int32_t)(k->first_step + k->nsteps) - 1;
    }
    return -1;
}

static bool is_computed_index(const maker *m, size_t value)
{
    const gn_gvalue *g = &m->groups->values.at[value];
    return g->kind == GN_VALUE_OUTPUT && g->index >= m->p->noutputs && m->p->values.at[m->value_of[value]].first >= 0;
}

/* Computed ones when all of them are there. */
static void add_computed_checks(maker *m)
{
    gn_program *p = m->p;
    for (size_t i = 0; i < m->groups->values.n; i++) {
        const int32_t made = is_computed_index(m, i) ? made_by(m, (uint32_t)i) : -1;
        if (made > m->checks_end) m->checks_end = made;
    }
    for (size_t i = 0; i < m->groups->values.n; i++) {
        if (!is_computed_index(m, i)) continue;
        const gn_computed_index *c = &m->computed->at.at[m->groups->values.at[i].index - p->noutputs];
        const uint32_t user = gn_check_user(m->core, c->check), value = (uint32_t)m->value_of[i];
        if (p->values.at[value].last < m->checks_end) p->values.at[value].last = m->checks_end;
        gn_push(p->arena, &p->indices,
                (gn_pindex){ value, dim_of(m, c->bound), uses_of(m, c->check), m->checks_end, user, user_name(m, user) });
    }
}

/* ---- source ---- */

static void describe_values(maker *m, gn_text *t, gn_value_kind kind, const char *title)
{
    for (size_t i = 0; i < m->p->values.n; i++) {
        const gn_pvalue *v = &m->p->values.at[i];
        if (v->kind != kind) continue;
        gn_textf(t, " *   %-8s  %s  %s (", title, v->name, gn_dtype_name(v->dtype));
        for (size_t d = 0; d < v->rank; d++) {
            if (d) gn_text_add(t, ", ");
            gn_dim_show(t, v->shape[d]);
        }
        gn_text_add(t, ")\n");
    }
}

static void make_source(maker *m)
{
    gn_text t = { .arena = m->p->arena };
    gn_textf(&t, "/* %s: %zu kernels in %zu steps, for %s.\n", m->p->name, m->p->kernels.n, m->p->steps.n, m->target->name);
    describe_values(m, &t, GN_VALUE_INPUT, "input");
    describe_values(m, &t, GN_VALUE_VARIABLE, "variable");
    describe_values(m, &t, GN_VALUE_OUTPUT, "output");
    gn_text_add(&t, " */\n\n");
    gn_target_unit(&t, m->target, &m->words, gn_text_done(&m->body));
    m->p->source = gn_text_done(&t);
    const size_t body_at = t.n - strlen(m->target->tail) - m->body.n; /* a unit is head, words, body, tail */
    for (size_t i = 0; i < m->p->kernels.n; i++) m->p->kernels.at[i].text_at += (uint32_t)body_at;
}

/* While an index can still be outside, variables keep what they have. */
static void share_nothing(gn_grouping *g)
{
    for (size_t i = 0; i < g->groups.n; i++)
        for (size_t b = 0; b < g->groups.at[i].kernel->bufs.n; b++) g->groups.at[i].kernel->bufs.at[b].shares = -1;
}

static void make(void *arg)
{
    maker *m = arg;
    gn_program *p = m->p;
    const struct gn_core *core = m->core;
    m->computed = gn_indices_find(&m->work, core);
    bind_symbols(m);
    m->groups = gn_group_core(&m->work, &m->computed->core, m->target);
    if (m->computed->at.n) gn_checks_come_first(&m->work, m->groups, (uint32_t)core->out.n);
    make_values(m);
    if (m->computed->at.n) share_nothing(m->groups);
    for (size_t i = 0; i < core->constraints.n; i++) {
        const gn_constraint *c = &core->constraints.at[i];
        gn_push(p->arena, &p->checks,
                (gn_pcheck){ dim_of(m, c->a), dim_of(m, c->b), (uint32_t)i, gn_arena_string(p->arena, c->text) });
    }
    for (size_t i = 0; i < m->groups->groups.n; i++) make_kernel(m, &m->groups->groups.at[i]);
    find_lifetimes(m);
    add_index_checks(m);
    add_computed_checks(m);
    place_all(m);
    make_source(m);
}

gn_program *gn_program_make(gn_arena *arena, const struct gn_core *core, const gn_target *target, const char *name)
{
    gn_program *p = GN_NEW_OBJECT(arena, gn_program);
    p->arena = arena;
    p->dims = GN_NEW_OBJECT(arena, gn_dim_pool);
    p->dims->arena = arena;
    p->name = gn_arena_string(arena, name);
    maker m = { .p = p, .core = core, .target = target, .checks_end = -1 };
    m.work.allocator = m.scratch.allocator = arena->allocator;
    m.body.arena = m.words.arena = &m.work;
    const gn_status status = gn_protect(make, &m);
    gn_arena_free(&m.scratch);
    gn_arena_free(&m.work);
    gn_check(status);
    return p;
}
