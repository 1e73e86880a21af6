/* What must hold of a logical kernel, checked: each rule with the sentence that its violation gets. */
#include "dim_parts.h"
#include "roles.h"
#include "visit.h"
#include <string.h>

_Noreturn static void fail(const gn_kernel *k, const char *where, const char *what, const char *name)
{
    gn_throw(GN_ESYNTAX, "kernel %s: %s: %s%s%s", k->name, where, what, name ? " " : "", name ? name : "");
}

typedef struct walker {
    bool never;                  /* the statement at work runs over an axis without elements */
    const gn_kernel *k;
    gn_arena *scratch;
    const char *where;           /* the definition or buffer, for messages */
    uint32_t ndefs;              /* definitions made so far */
    uint64_t *axes;              /* by expression: those that it mentions */
    bool *stateful;              /* by expression: it has a fold's state */
    gn_visit all, open;          /* all expressions; those that no `if` guards */
} walker;

/* The axes of an affine index at a corner: each at its end, or at 0. */
typedef struct corner {
    const gn_kernel *k;
    const gn_dim *index;
    bool largest;
} corner;

static const gn_dim *at_corner(void *user, const char *name)
{
    const corner *const c = user;
    const int32_t a = gn_kernel_find_axis(c->k, name);
    bool rises = false;
    if (a < 0) return NULL;
    for (uint32_t t = 0; t < c->index->n; t++) {
        const gn_term *const m = &c->index->term[t];
        if (m->n == 1 && !strcmp(m->atom[0]->name, name)) rises = m->c > 0;
    }
    return rises == c->largest ? gn_dim_sub(c->k->dims, c->k->axes.at[a].extent, gn_dim_const(c->k->dims, 1))
                               : gn_dim_const(c->k->dims, 0);
}

/* A sum of axes, each alone and of an extent that no other axis decides, of names and a constant. */
static bool is_affine(const gn_kernel *k, const gn_dim *index)
{
    for (uint32_t t = 0; t < index->n; t++)
        for (uint32_t i = 0; i < index->term[t].n; i++) {
            const gn_atom *const x = index->term[t].atom[i];
            const int32_t a = x->kind == GN_DIM_SYM ? gn_kernel_find_axis(k, x->name) : -1;
            if (x->kind != GN_DIM_SYM || (a >= 0 && (index->term[t].n > 1 || gn_dim_axes(k, k->axes.at[a].extent))))
                return false;
            if (a >= 0 && gn_dim_is(k->axes.at[a].extent, 0)) return false; /* never executed */
        }
    return true;
}

/* An affine index takes its extreme values in corners: exact. Refused is what lies outside for every size. */
static void check_range(walker *w, const gn_dim *index, const gn_dim *extent, const char *what)
{
    int64_t least, most, ignored;
    gn_dim_pool *const p = w->k->dims;
    if (w->never || gn_dim_axes(w->k, extent) || !is_affine(w->k, index)) return;
    const gn_dim *const low = gn_dim_subst(p, index, at_corner, &(corner){ w->k, index, false });
    const gn_dim *const high = gn_dim_subst(p, index, at_corner, &(corner){ w->k, index, true });
    gn_dim_range(low, NULL, &ignored, &most);
    gn_dim_range(gn_dim_sub(p, high, extent), NULL, &least, &ignored);
    if (most < 0 || least >= 0)
        gn_throw(GN_ESYNTAX, "kernel %s: %s: index into %s runs from %s to %s, its extent is %s", w->k->name, w->where,
                 what, gn_dim_text(w->scratch, low), gn_dim_text(w->scratch, high), gn_dim_text(w->scratch, extent));
}

/* What is indexed: a buffer, or a definition over its axes. */
static void check_ranges(walker *w, const gn_kexpr *e)
{
    const gn_kdef *const d = e->kind == GN_K_REF ? &w->k->defs.at[e->u.ref] : NULL;
    const gn_kbuf *const b = e->kind == GN_K_LOAD ? &w->k->bufs.at[e->u.ref] : NULL;
    for (size_t i = 0; (d || b) && i < e->nindex; i++)
        check_range(w, e->index[i], d ? w->k->axes.at[d->param[i]].extent : b->shape[i], d ? d->name : b->name);
}

static const void *open_operand(const void *expr, size_t i)
{
    return ((const gn_kexpr *)expr)->kind == GN_K_IF ? NULL : gn_kexpr_operand(expr, i);
}

/* Axes of all below. Each expression is looked at in the first statement that has it. */
static uint64_t walk(walker *w, const gn_kexpr *root)
{
    const gn_kexpr *e;
    gn_visit_add(&w->all, root);
    while ((e = gn_visit_next(&w->all))) {
        uint64_t *axes = &w->axes[e->id];
        *axes = gn_kexpr_own_axes(w->k, e);
        w->stateful[e->id] = e->kind == GN_K_STATE;
        for (size_t i = 0; i < e->n; i++)
            *axes |= w->axes[e->a[i]->id], w->stateful[e->id] |= w->stateful[e->a[i]->id];
        if (e->kind == GN_K_REF && e->u.ref >= w->ndefs)
            fail(w->k, w->where, "uses a definition that stands below it:", w->k->defs.at[e->u.ref].name);
    }
    gn_visit_add(&w->open, root);
    while ((e = gn_visit_next(&w->open))) check_ranges(w, e);
    return w->axes[root->id];
}

static void check_once(const gn_kernel *k, const char *where, const uint16_t *axis, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (axis[i] == axis[j]) fail(k, where, "an axis stands twice in one list:", k->axes.at[axis[i]].name);
}

static uint64_t bits_of(const uint16_t *axis, size_t n)
{
    uint64_t b = 0;
    for (size_t i = 0; i < n; i++) b |= UINT64_C(1) << axis[i];
    return b;
}

static const char *name_outside(const gn_kernel *k, uint64_t used, uint64_t allowed)
{
    for (size_t a = 0; a < k->axes.n; a++)
        if (used >> a & 1 && !(allowed >> a & 1)) return k->axes.at[a].name;
    return NULL;
}

/* An axis without elements: what runs over it is never executed. */
static bool has_empty(const gn_kernel *k, uint64_t axes)
{
    for (size_t a = 0; a < k->axes.n; a++)
        if (axes >> a & 1 && gn_dim_is(k->axes.at[a].extent, 0)) return true;
    return false;
}

/* ---- folds ---- */

static void check_tuple(walker *w, const gn_kfold *f, const gn_kexpr *tuple, const char *what)
{
    if (tuple->kind != GN_K_TUPLE || tuple->n != f->start->n || tuple->n > GN_FOLD_MOST)
        fail(w->k, w->where, "not one value for each of the state:", what);
    for (uint16_t i = 0; i < tuple->n; i++)
        if (tuple->a[i]->dtype != f->start->a[i]->dtype)
            fail(w->k, w->where, "a value has another dtype than what it starts with:", f->name[i]);
}

static bool is_stateful(void *user, const void *e)
{
    return ((const walker *)user)->stateful[((const gn_kexpr *)e)->id];
}

/* Of the state, only what there is. */
static void check_states(walker *w, const gn_kfold *f, const gn_kexpr *tuple)
{
    gn_visit v = { .arena = w->scratch, .operand = gn_kexpr_operand, .enter = is_stateful, .user = w };
    gn_visit_add(&v, tuple);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));)
        if (e->kind == GN_K_STATE && (e->part >= f->start->n || e->dtype != f->start->a[e->part]->dtype ||
                                      (e->u.i && tuple != f->merge)))
            fail(w->k, w->where, "has no such value in its state", NULL);
}

/* What merges two states knows of no point. */
static void check_merge(walker *w, const gn_kexpr *merge)
{
    gn_visit v = { .arena = w->scratch, .operand = gn_kexpr_operand };
    gn_visit_add(&v, merge);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));)
        if (e->kind != GN_K_CONST && e->kind != GN_K_STATE && e->kind != GN_K_OP && e->kind != GN_K_TUPLE)
            fail(w->k, w->where, "a merge is made of the two states and numbers alone", NULL);
}

static void check_fold(walker *w, const gn_kfold *f, const gn_kexpr *step)
{
    check_tuple(w, f, f->start, "start");
    check_tuple(w, f, step, "step");
    check_tuple(w, f, f->merge, "merge");
    for (uint16_t i = 0; i < f->start->n; i++)
        if (f->start->a[i]->kind != GN_K_CONST) fail(w->k, w->where, "a state starts with a number:", f->name[i]);
    walk(w, f->merge);
    check_merge(w, f->merge);
    check_states(w, f, step);
    check_states(w, f, f->merge);
}

static void verify_def(walker *w, const gn_kdef *d)
{
    w->where = d->name;
    check_once(w->k, d->name, d->param, d->nparam);
    check_once(w->k, d->name, d->raxis, d->nraxis);
    const uint64_t params = bits_of(d->param, d->nparam), reduced = bits_of(d->raxis, d->nraxis);
    w->never = has_empty(w->k, params | reduced);
    if (params & reduced && d->nraxis > 1)
        fail(w->k, d->name, "a prefix runs along one axis alone, and this one along another too:",
             name_outside(w->k, reduced, params));
    for (size_t p = 0; params & reduced && p < d->nparam; p++)
        if (gn_dim_axes(w->k, w->k->axes.at[d->param[p]].extent) & reduced)
            fail(w->k, d->name, "a prefix runs along the axis that the extent of another parameter depends on:",
                 w->k->axes.at[d->param[p]].name);
    const char *stray = name_outside(w->k, walk(w, d->body), params | reduced);
    if (stray) fail(w->k, d->name, "uses an axis that is neither a parameter nor reduced:", stray);
    if ((d->red == GN_RED_ANY || d->red == GN_RED_ALL) && d->dtype != GN_BOOL)
        fail(w->k, d->name, "any and all reduce bool", NULL);
    if (d->fold) check_fold(w, d->fold, d->body);
    else if (w->stateful[d->body->id]) fail(w->k, d->name, "has the state of a fold and is none", NULL);
}

static void verify_store(walker *w, const gn_kstore *s)
{
    const gn_kbuf *b = &w->k->bufs.at[s->buf];
    w->where = b->name;
    uint64_t indexed = 0;
    bool loads = false;
    for (size_t i = 0; i < b->rank; i++) indexed |= gn_dim_axes(w->k, s->index[i]);
    w->never = has_empty(w->k, indexed);
    for (size_t i = 0; i < b->rank; i++) {
        loads |= gn_dim_has_load(s->index[i]);
        if (!gn_dim_has_load(s->index[i])) check_range(w, s->index[i], b->shape[i], b->name);
    }
    const uint64_t used = walk(w, s->value);
    if (w->stateful[s->value->id]) fail(w->k, b->name, "has the state of a fold and is none", NULL);
    const char *stray = name_outside(w->k, used, indexed);
    if (stray && s->kind == GN_STORE_SET && !loads)
        fail(w->k, b->name, "set: the value depends on an axis that the index lacks:", stray);
    if (b->access == (GN_KBUF_READ | GN_KBUF_WRITE) && s->kind == GN_STORE_SET)
        fail(w->k, b->name, "is both loaded and stored", NULL);
}

/* What a call has checked: whole numbers that come from outside. */
static void verify_range(const gn_kernel *k, const gn_kbuf *b)
{
    if (!b->below) return;
    if (!gn_is_int(b->dtype)) fail(k, b->name, ":in of elements that are no whole numbers", NULL);
    if (b->access & GN_KBUF_WRITE) fail(k, b->name, ":in of what the kernel stores", NULL);
    if (gn_dim_axes(k, b->below) || gn_dim_has_load(b->below)) fail(k, b->name, ":in is not over symbols alone", NULL);
}

static bool store_reads(walker *w, const gn_kstore *s, const char *buffer)
{
    bool reads = gn_kexpr_reads(w->k, s->value, w->scratch, buffer);
    for (size_t d = 0; d < w->k->bufs.at[s->buf].rank; d++) reads |= gn_dim_reads(s->index[d], buffer);
    return reads;
}

/* Memory that is shared changes while the kernel runs: what stood there is read by nobody but the buffer's own copy. */
static void verify_shared(walker *w, const gn_kbuf *b)
{
    const gn_kernel *k = w->k;
    const gn_kbuf *x = &k->bufs.at[b->shares];
    bool alike = b->dtype == x->dtype && b->rank == x->rank && !b->stride && !x->stride, reads = x->shares >= 0;
    for (size_t d = 0; alike && d < b->rank; d++) alike = b->shape[d] == x->shape[d];
    if (!alike) fail(k, b->name, ":shares a buffer of another dtype or shape:", x->name);
    for (size_t i = 0; i < k->defs.n; i++) reads |= gn_kexpr_reads(k, k->defs.at[i].body, w->scratch, x->name);
    for (size_t i = 0; i < k->stores.n; i++)
        reads |= !gn_store_is_idle(k, &k->stores.at[i]) && store_reads(w, &k->stores.at[i], x->name);
    if (reads || (x->access & GN_KBUF_WRITE)) fail(k, b->name, ":shares a buffer that is used otherwise:", x->name);
}

static void verify(void *arg)
{
    walker *w = arg;
    const gn_kernel *k = w->k;
    if (k->axes.n > 64) fail(k, "axes", "more than 64", NULL);
    for (size_t a = 0; a < k->axes.n; a++) {
        int64_t n;
        if (k->axes.at[a].max && gn_dim_is_const(k->axes.at[a].extent, &n) && n > k->axes.at[a].max)
            fail(k, k->axes.at[a].name, "has more points than :max says", NULL);
        const char *later = name_outside(k, gn_dim_axes(k, k->axes.at[a].extent), (UINT64_C(1) << a) - 1);
        if (later) fail(k, k->axes.at[a].name, "its extent depends on an axis that is not before it:", later);
    }
    gn_roles_verify(k);
    for (size_t b = 0; b < k->bufs.n; b++) verify_range(k, &k->bufs.at[b]);
    w->axes = GN_NEW_ARRAY(w->scratch, uint64_t, k->nexprs + 1);
    w->stateful = GN_NEW_ARRAY(w->scratch, bool, k->nexprs + 1);
    for (size_t i = 0; i < k->items.n; i++) {
        if (k->items.at[i].is_store) {
            verify_store(w, &k->stores.at[k->items.at[i].at]);
        } else {
            verify_def(w, &k->defs.at[k->items.at[i].at]);
            w->ndefs = k->items.at[i].at + 1;
        }
    }
    for (size_t i = 0; i < k->bufs.n; i++)
        if (k->bufs.at[i].shares >= 0) verify_shared(w, &k->bufs.at[i]);
}

void gn_kernel_verify(const gn_kernel *k)
{
    gn_arena scratch = { .allocator = k->arena->allocator };
    walker w = { .k = k, .scratch = &scratch };
    w.all = (gn_visit){ .arena = &scratch, .operand = gn_kexpr_operand };
    w.open = (gn_visit){ .arena = &scratch, .operand = open_operand };
    gn_dim_with_scratch(&scratch, verify, &w);
}
