/* Building logical kernels: symbols, buffers, axes, interned expressions, definitions, stores. */
#include "kernel.h"

gn_kernel *gn_kernel_new(gn_arena *arena, const char *name)
{
    gn_kernel *k = GN_NEW_OBJECT(arena, gn_kernel);
    k->arena = arena;
    k->dims = GN_NEW_OBJECT(arena, gn_dim_pool);
    k->dims->arena = arena;
    k->name = gn_arena_string(arena, name);
    return k;
}

/* Symbols, axes, buffers and definitions share one name space: the texts tell them apart by name alone. */
typedef enum { NAME_SYM, NAME_BUF, NAME_AXIS, NAME_DEF } name_kind;
typedef struct known_name {
    const char *name;
    uint32_t kind, at;
} known_name;

static uint64_t hash_name(const char *name)
{
    return gn_hash_bytes(1, name, strlen(name));
}

static bool equal_names(const void *known, const void *name)
{
    return strcmp(((const known_name *)known)->name, name) == 0;
}

static const known_name *find_name(const gn_kernel *k, const char *name)
{
    return gn_intern_find(&k->names, hash_name(name), name, equal_names);
}

static int32_t find(const gn_kernel *k, const char *name, name_kind kind)
{
    const known_name *known = find_name(k, name);
    return known && known->kind == (uint32_t)kind ? (int32_t)known->at : -1;
}

int32_t gn_kernel_find_axis(const gn_kernel *k, const char *name)
{
    return find(k, name, NAME_AXIS);
}
int32_t gn_kernel_find_buf(const gn_kernel *k, const char *name)
{
    return find(k, name, NAME_BUF);
}
int32_t gn_kernel_find_def(const gn_kernel *k, const char *name)
{
    return find(k, name, NAME_DEF);
}
int32_t gn_kernel_find_sym(const gn_kernel *k, const char *name)
{
    return find(k, name, NAME_SYM);
}

bool gn_kernel_has_name(const gn_kernel *k, const char *name)
{
    return find_name(k, name) != NULL;
}

static const char *new_name(gn_kernel *k, const char *name, name_kind kind, size_t at)
{
    if (find_name(k, name)) gn_throw(GN_ESYNTAX, "kernel %s: the name '%s' is taken", k->name, name);
    const char *fresh = gn_symbol(k->arena, &k->dims->symbols, name);
    const known_name known = { fresh, kind, (uint32_t)at };
    gn_intern_add(k->arena, &k->names, hash_name(fresh), gn_arena_copy(k->arena, &known, sizeof known));
    return fresh;
}

uint32_t gn_kernel_sym(gn_kernel *k, const char *name)
{
    const int32_t have = gn_kernel_find_sym(k, name);
    if (have >= 0) return (uint32_t)have;
    const char *fresh = new_name(k, name, NAME_SYM, k->syms.n);
    gn_push(k->arena, &k->syms, (gn_ksym){ .name = fresh, .mul = 1, .min = 0, .is = -1 });
    return (uint32_t)k->syms.n - 1;
}

uint32_t gn_kernel_buf(gn_kernel *k, const char *name, gn_dtype dtype, size_t rank, const gn_dim *const *shape)
{
    const gn_dim **copy = gn_arena_copy(k->arena, shape, rank * sizeof *shape);
    const char *fresh = new_name(k, name, NAME_BUF, k->bufs.n);
    gn_push(k->arena, &k->bufs, (gn_kbuf){ .name = fresh, .dtype = dtype, .rank = (uint8_t)rank, .shape = copy, .shares = -1 });
    return (uint32_t)k->bufs.n - 1;
}

uint32_t gn_kernel_axis(gn_kernel *k, const char *name, const gn_dim *extent)
{
    const char *fresh = new_name(k, name, NAME_AXIS, k->axes.n);
    gn_push(k->arena, &k->axes, (gn_kaxis){ .name = fresh, .extent = extent });
    return (uint32_t)k->axes.n - 1;
}

const gn_dim *gn_kernel_flat(const gn_kernel *k, uint32_t buf, const gn_dim *const *index)
{
    const gn_kbuf *b = &k->bufs.at[buf];
    const gn_dim *flat = gn_dim_const(k->dims, 0);
    for (size_t d = 0; d < b->rank; d++) {
        if (b->stride) flat = gn_dim_add(k->dims, flat, gn_dim_mul(k->dims, b->stride[d], index[d]));
        else flat = gn_dim_add(k->dims, gn_dim_mul(k->dims, flat, b->shape[d]), index[d]);
    }
    return flat;
}

const gn_dim *gn_kernel_size(const gn_kernel *k, uint32_t buf)
{
    const gn_kbuf *b = &k->bufs.at[buf];
    const gn_dim *one = gn_dim_const(k->dims, 1), *size = one;
    for (size_t d = 0; d < b->rank; d++) {
        if (b->stride)
            size = gn_dim_add(k->dims, size, gn_dim_mul(k->dims, b->stride[d], gn_dim_sub(k->dims, b->shape[d], one)));
        else size = gn_dim_mul(k->dims, size, b->shape[d]);
    }
    return size;
}

static void mark_buffer(void *user, const char *buffer)
{
    gn_kernel *k = user;
    const int32_t b = gn_kernel_find_buf(k, buffer);
    if (b >= 0) k->bufs.at[b].access |= GN_KBUF_READ;
}

/* Marks the buffers that an index reads. */
static void mark_loads(void *kernel, const gn_dim *d)
{
    gn_dim_loads(d, mark_buffer, kernel);
}

/* ---- expressions: interned by content ---- */

static uint64_t hash_expr(const gn_kexpr *e)
{
    uint64_t h = gn_hash_mix(e->kind | e->part << 8, e->dtype);
    h = gn_hash_mix(h, (uint64_t)e->u.i);
    for (size_t i = 0; i < e->n; i++) h = gn_hash_mix(h, e->a[i]->id);
    for (size_t i = 0; i < e->nindex; i++) h = gn_hash_mix(h, e->index[i]->id);
    for (size_t i = 0; i < e->ncond; i++)
        h = gn_hash_mix(gn_hash_mix(h, e->cond[i].kind), gn_hash_mix(e->cond[i].a->id, e->cond[i].b->id));
    return h;
}

static bool equal_expr(const void *x, const void *y)
{
    const gn_kexpr *a = x, *b = y;
    if (a->kind != b->kind || a->dtype != b->dtype || a->n != b->n || a->nindex != b->nindex || a->ncond != b->ncond ||
        a->part != b->part || a->u.i != b->u.i)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->a[i] != b->a[i]) return false;
    for (size_t i = 0; i < a->nindex; i++)
        if (a->index[i] != b->index[i]) return false;
    for (size_t i = 0; i < a->ncond; i++)
        if (a->cond[i].kind != b->cond[i].kind || a->cond[i].a != b->cond[i].a || a->cond[i].b != b->cond[i].b)
            return false;
    return true;
}

static const gn_kexpr *intern(gn_kernel *k, gn_kexpr probe)
{
    const uint64_t h = hash_expr(&probe);
    const gn_kexpr *have = gn_intern_find(&k->exprs, h, &probe, equal_expr);
    if (have) return have;
    probe.id = k->nexprs++;
    probe.a = gn_arena_copy(k->arena, probe.a, probe.n * sizeof *probe.a);
    probe.index = gn_arena_copy(k->arena, probe.index, probe.nindex * sizeof *probe.index);
    probe.cond = gn_arena_copy(k->arena, probe.cond, probe.ncond * sizeof *probe.cond);
    gn_kexpr_dims(&probe, mark_loads, k);
    gn_kexpr *e = gn_arena_copy(k->arena, &probe, sizeof probe);
    gn_intern_add(k->arena, &k->exprs, h, e);
    return e;
}

const gn_kexpr *gn_kexpr_int(gn_kernel *k, gn_dtype dtype, int64_t value)
{
    if (gn_is_float(dtype)) return gn_kexpr_const(k, dtype, (double)value);
    return intern(k, (gn_kexpr){ .kind = GN_K_CONST, .dtype = dtype, .u.i = value });
}

const gn_kexpr *gn_kexpr_const(gn_kernel *k, gn_dtype dtype, double value)
{
    if (!gn_is_float(dtype)) return gn_kexpr_int(k, dtype, (int64_t)value);
    return intern(
        k, (gn_kexpr){ .kind = GN_K_CONST, .dtype = dtype, .u.f = dtype == GN_F32 ? (double)(float)value : value });
}

const gn_kexpr *gn_kexpr_index(gn_kernel *k, gn_dtype dtype, const gn_dim *index)
{
    return intern(k, (gn_kexpr){ .kind = GN_K_INDEX, .dtype = dtype, .u.index = index });
}

const gn_kexpr *gn_kexpr_load(gn_kernel *k, uint32_t buf, const gn_dim *const *index)
{
    gn_kbuf *b = &k->bufs.at[buf];
    b->access |= GN_KBUF_READ;
    gn_kexpr probe = { .kind = GN_K_LOAD, .dtype = b->dtype, .nindex = b->rank, .index = index };
    probe.u.i = buf;
    return intern(k, probe);
}

const gn_kexpr *gn_kexpr_part(gn_kernel *k, uint32_t def, uint16_t part, const gn_dim *const *index)
{
    const gn_kdef *d = &k->defs.at[def];
    const gn_dtype t = d->fold ? (gn_dtype)d->fold->start->a[part]->dtype : d->dtype;
    gn_kexpr probe = { .kind = GN_K_REF, .dtype = t, .nindex = d->nparam, .index = index, .part = part };
    probe.u.i = def;
    return intern(k, probe);
}

const gn_kexpr *gn_kexpr_ref(gn_kernel *k, uint32_t def, const gn_dim *const *index)
{
    return gn_kexpr_part(k, def, 0, index);
}

const gn_kexpr *gn_kexpr_state(gn_kernel *k, gn_dtype dtype, uint16_t part, bool other)
{
    return intern(k, (gn_kexpr){ .kind = GN_K_STATE, .dtype = dtype, .part = part, .u.i = other });
}

const gn_kexpr *gn_kexpr_tuple(gn_kernel *k, const gn_kexpr *const *a, size_t n)
{
    return intern(k, (gn_kexpr){ .kind = GN_K_TUPLE, .dtype = a[0]->dtype, .n = (uint16_t)n, .a = a });
}

const gn_kexpr *gn_kexpr_if(gn_kernel *k, size_t ncond, const gn_kcond *cond, const gn_kexpr *yes, const gn_kexpr *no)
{
    if (yes->dtype != no->dtype)
        gn_throw(GN_ESYNTAX, "kernel %s: if: branches of %s and %s", k->name, gn_dtype_name(yes->dtype),
                 gn_dtype_name(no->dtype));
    const gn_kexpr *a[2] = { yes, no };
    return intern(
        k, (gn_kexpr){ .kind = GN_K_IF, .dtype = yes->dtype, .n = 2, .a = a, .ncond = (uint16_t)ncond, .cond = cond });
}

const gn_kexpr *gn_kexpr_op(gn_kernel *k, const gn_op_info *op, gn_dtype dtype, const gn_kexpr *const *a, size_t n)
{
    GN_ASSERT(op->arity < 0 || (size_t)op->arity == n); /* the reader has its own sentence */
    return intern(k, (gn_kexpr){ .kind = GN_K_OP, .dtype = dtype, .n = (uint16_t)n, .a = a, .u.op = op });
}

const void *gn_kexpr_operand(const void *expr, size_t i)
{
    const gn_kexpr *e = expr;
    return i < e->n ? e->a[i] : NULL;
}

void gn_kexpr_dims(const gn_kexpr *e, void (*meet)(void *, const gn_dim *), void *user)
{
    if (e->kind == GN_K_INDEX) meet(user, e->u.index);
    for (size_t i = 0; i < e->nindex; i++) meet(user, e->index[i]);
    for (size_t i = 0; i < e->ncond; i++) meet(user, e->cond[i].a), meet(user, e->cond[i].b);
}

typedef struct buffer_search {
    const char *name;
    bool found;
} buffer_search;

static void look_for_buffer(void *user, const gn_dim *d)
{
    buffer_search *s = user;
    s->found |= gn_dim_reads(d, s->name);
}

bool gn_kexpr_reads(const gn_kernel *k, const gn_kexpr *root, gn_arena *scratch, const char *buffer)
{
    buffer_search s = { buffer, false };
    gn_visit v = { .arena = scratch, .operand = gn_kexpr_operand };
    gn_visit_add(&v, root);
    for (const gn_kexpr *e; !s.found && (e = gn_visit_next(&v));) {
        gn_kexpr_dims(e, look_for_buffer, &s);
        s.found |= e->kind == GN_K_LOAD && strcmp(k->bufs.at[e->u.ref].name, buffer) == 0;
    }
    return s.found;
}

/* ---- copies ---- */

const gn_kexpr *gn_kexpr_of_parts(gn_kernel *k, const gn_kexpr *e, const gn_kparts *p)
{
    const gn_dtype t = (gn_dtype)e->dtype;
    switch ((gn_kexpr_kind)e->kind) {
    case GN_K_CONST: return gn_is_float(t) ? gn_kexpr_const(k, t, e->u.f) : gn_kexpr_int(k, t, e->u.i);
    case GN_K_INDEX: return gn_kexpr_index(k, t, p->at);
    case GN_K_LOAD: return gn_kexpr_load(k, e->u.ref, p->index);
    case GN_K_REF: return gn_kexpr_part(k, p->def, e->part, p->index);
    case GN_K_IF: return gn_kexpr_if(k, e->ncond, p->cond, p->a[0], p->a[1]);
    case GN_K_OP: return gn_kexpr_op(k, e->u.op, t, p->a, e->n);
    case GN_K_STATE: return gn_kexpr_state(k, t, e->part, e->u.i);
    case GN_K_TUPLE: return gn_kexpr_tuple(k, p->a, e->n);
    }
    GN_ASSERT(!"a kind of expression");
    return NULL;
}

gn_kcopy gn_kcopy_start(gn_kernel *to, gn_arena *scratch, const gn_dim *(*dim)(void *user, const gn_dim *),
                        const gn_kexpr *(*leaf)(void *user, const gn_kexpr *), void *user)
{
    const gn_visit visit = { .arena = scratch, .operand = gn_kexpr_operand };
    return (gn_kcopy){ .to = to, .dim = dim, .leaf = leaf, .user = user, .visit = visit };
}

static const gn_kexpr *copy_one(gn_kcopy *c, const gn_kexpr *e)
{
    gn_arena *scratch = c->visit.arena;
    const gn_kexpr **a = GN_NEW_ARRAY(scratch, const gn_kexpr *, e->n);
    gn_kcond *cond = GN_NEW_ARRAY(scratch, gn_kcond, e->ncond);
    for (size_t i = 0; i < e->n; i++) a[i] = gn_map_get(&c->copies, GN_KEY(e->a[i]));
    for (size_t i = 0; i < e->ncond; i++)
        cond[i] = (gn_kcond){ e->cond[i].kind, c->dim(c->user, e->cond[i].a), c->dim(c->user, e->cond[i].b) };
    if (e->kind == GN_K_LOAD || e->kind == GN_K_REF) return c->leaf(c->user, e);
    if (e->kind == GN_K_STATE && c->state) return c->state(c->user, e);
    gn_kparts p = { .cond = cond, .a = a };
    if (e->kind == GN_K_INDEX) p.at = c->dim(c->user, e->u.index);
    return gn_kexpr_of_parts(c->to, e, &p);
}

const gn_kexpr *gn_kexpr_copy(gn_kcopy *c, const gn_kexpr *root)
{
    gn_visit_add(&c->visit, root);
    for (const gn_kexpr *e; (e = gn_visit_next(&c->visit));)
        *gn_map_put(c->visit.arena, &c->copies, GN_KEY(e)) = (void *)(uintptr_t)copy_one(c, e);
    return gn_map_get(&c->copies, GN_KEY(root));
}

gn_kdef gn_kdef_copy(gn_kcopy *c, const gn_kdef *d)
{
    gn_kdef copy = *d;
    copy.body = gn_kexpr_copy(c, d->body);
    if (!d->fold) return copy;
    gn_kfold *f = gn_arena_copy(c->to->arena, d->fold, sizeof *f);
    f->start = gn_kexpr_copy(c, f->start), f->merge = gn_kexpr_copy(c, f->merge);
    copy.fold = f;
    return copy;
}

/* ---- definitions and stores ---- */

uint32_t gn_kernel_add(gn_kernel *k, const char *name, gn_kdef d)
{
    d.name = new_name(k, name, NAME_DEF, k->defs.n);
    d.dtype = d.body->dtype;
    d.param = gn_arena_copy(k->arena, d.param, d.nparam * sizeof *d.param);
    d.raxis = gn_arena_copy(k->arena, d.raxis, d.nraxis * sizeof *d.raxis);
    if (d.fold) d.fold = gn_arena_copy(k->arena, d.fold, sizeof *d.fold);
    gn_push(k->arena, &k->defs, d);
    gn_push(k->arena, &k->items, (gn_kitem){ .is_store = false, .at = (uint32_t)k->defs.n - 1 });
    return (uint32_t)k->defs.n - 1;
}

uint32_t gn_kernel_def(gn_kernel *k, const char *name, size_t nparam, const uint16_t *param, gn_red red, size_t nraxis,
                       const uint16_t *raxis, const gn_kexpr *body)
{
    return gn_kernel_add(k, name,
                         (gn_kdef){ .nparam = (uint16_t)nparam,
                                    .nraxis = (uint16_t)nraxis,
                                    .param = param,
                                    .raxis = raxis,
                                    .red = red,
                                    .body = body });
}

void gn_kernel_store(gn_kernel *k, gn_store_kind kind, uint32_t buf, const gn_dim *const *index, const gn_kexpr *value)
{
    gn_kbuf *b = &k->bufs.at[buf];
    GN_ASSERT(value->dtype == b->dtype);
    b->access |= GN_KBUF_WRITE;
    const gn_dim **copy = gn_arena_copy(k->arena, index, b->rank * sizeof *index);
    for (size_t d = 0; d < b->rank; d++) mark_loads(k, copy[d]);
    gn_push(k->arena, &k->stores, (gn_kstore){ .kind = (uint8_t)kind, .buf = buf, .index = copy, .value = value });
    gn_push(k->arena, &k->items, (gn_kitem){ .is_store = true, .at = (uint32_t)k->stores.n - 1 });
}

/* ---- reductions ---- */

static const struct {
    const char *name;
    const gn_op_info *op;
} reductions[] = { [GN_RED_SUM] = { "sum", &gn_op_add },     [GN_RED_PROD] = { "prod", &gn_op_mul },
                   [GN_RED_MAX] = { "max", &gn_op_maximum }, [GN_RED_MIN] = { "min", &gn_op_minimum },
                   [GN_RED_ANY] = { "any", &gn_op_or },      [GN_RED_ALL] = { "all", &gn_op_and },
                   [GN_RED_FOLD] = { "fold", NULL } };

const char *gn_red_name(gn_red red)
{
    return reductions[red].name;
}

const gn_op_info *gn_red_op(gn_red red)
{
    return reductions[red].op;
}

static int64_t lowest(gn_dtype t)
{
    return gn_dtypes[t].kind == GN_KIND_INT ? (int64_t)(UINT64_C(1) << 63) >> (64 - 8 * gn_dtypes[t].size) : 0;
}

static int64_t highest(gn_dtype t)
{
    const int bits = 8 * gn_dtypes[t].size;
    return gn_dtypes[t].kind == GN_KIND_INT ? (int64_t)(UINT64_MAX >> (65 - bits))
           : t == GN_BOOL                   ? 1
                                            : (int64_t)(UINT64_MAX >> (64 - bits));
}

double gn_red_start_float(gn_red red)
{
    return red == GN_RED_MAX   ? -__builtin_inf()
           : red == GN_RED_MIN ? __builtin_inf()
                               : (double)gn_red_start_int(red, GN_F64);
}

int64_t gn_red_start_int(gn_red red, gn_dtype t)
{
    switch (red) {
    case GN_RED_SUM:
    case GN_RED_ANY: return 0;
    case GN_RED_PROD:
    case GN_RED_ALL: return 1;
    case GN_RED_MAX: return lowest(t);
    case GN_RED_MIN: return highest(t);
    case GN_RED_FOLD:
    case GN_RED_NONE: break;
    }
    GN_ASSERT(!"a reduction");
    return 0;
}

const gn_kexpr *gn_red_start(gn_kernel *k, gn_red red, gn_dtype t)
{
    return gn_is_float(t) ? gn_kexpr_const(k, t, gn_red_start_float(red))
                          : gn_kexpr_int(k, t, gn_red_start_int(red, t));
}

bool gn_store_is_idle(const gn_kernel *k, const gn_kstore *s)
{
    const gn_kbuf *b = &k->bufs.at[s->buf];
    bool idle = b->shares >= 0 && s->kind == GN_STORE_SET && s->value->kind == GN_K_LOAD &&
                s->value->u.ref == (uint32_t)b->shares;
    for (size_t d = 0; idle && d < b->rank; d++) idle = s->index[d] == s->value->index[d];
    return idle;
}

/* ---- axes ---- */

typedef struct axis_set {
    const gn_kernel *k;
    uint64_t bits;
} axis_set;

static void add_axis(void *user, const char *name)
{
    axis_set *s = user;
    const int32_t a = gn_kernel_find_axis(s->k, name);
    if (a >= 0) s->bits |= UINT64_C(1) << a;
}

static void add_axes(void *set, const gn_dim *d)
{
    gn_dim_symbols(d, add_axis, set);
}

uint64_t gn_dim_axes(const gn_kernel *k, const gn_dim *d)
{
    axis_set s = { k, 0 };
    add_axes(&s, d);
    return s.bits;
}

uint64_t gn_kexpr_own_axes(const gn_kernel *k, const gn_kexpr *e)
{
    axis_set s = { k, 0 };
    gn_kexpr_dims(e, add_axes, &s);
    return s.bits;
}

uint64_t gn_kexpr_axes(const gn_kernel *k, const gn_kexpr *root, gn_arena *scratch)
{
    uint64_t axes = 0;
    gn_visit v = { .arena = scratch, .operand = gn_kexpr_operand };
    gn_visit_add(&v, root);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) axes |= gn_kexpr_own_axes(k, e);
    return axes;
}

int32_t gn_kernel_plain_axis(const gn_kernel *k, const gn_dim *d)
{
    const bool single = d->n == 1 && d->term[0].c == 1 && d->term[0].n == 1 && d->term[0].atom[0]->kind == GN_DIM_SYM;
    return single ? gn_kernel_find_axis(k, d->term[0].atom[0]->name) : -1;
}

bool gn_kexpr_is_own(const gn_kernel *k, const gn_kexpr *ref)
{
    const gn_kdef *d = &k->defs.at[ref->u.ref];
    for (size_t i = 0; i < d->nparam; i++)
        if (gn_kernel_plain_axis(k, ref->index[i]) != d->param[i]) return false;
    return true;
}

static void note_load(void *user, const gn_dim *d)
{
    *(bool *)user |= gn_dim_has_load(d);
}

bool gn_kexpr_index_loads(const gn_kexpr *e)
{
    bool any = false;
    gn_kexpr_dims(e, note_load, &any);
    return any;
}

gn_visit gn_kernel_visit(const gn_kernel *k, gn_arena *scratch)
{
    gn_visit v = { .arena = scratch, .operand = gn_kexpr_operand };
    for (size_t i = 0; i < k->defs.n; i++) gn_visit_add(&v, k->defs.at[i].body);
    for (size_t i = 0; i < k->stores.n; i++) gn_visit_add(&v, k->stores.at[i].value);
    return v;
}
