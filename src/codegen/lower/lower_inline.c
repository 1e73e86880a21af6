/* Expressions of the kernel's copy: taken over from the caller's kernel, then with definitions that are not kept in
 * place of their uses. */
#include "lower.h"
#include "visit.h"

static bool is_kept(const gn_lower *g, uint32_t def)
{
    return g->kernel->defs.at[def].red != GN_RED_NONE || g->def[def];
}

/* ---- first the caller's expressions in the copy, as they stand: what is not kept is still referred to ---- */

static const gn_dim *imported(void *copy, const gn_dim *d)
{
    const gn_expr_copy *c = copy;
    d = gn_lower_import(c->g, d);
    return c->digit ? gn_subst_axes(c->g, d, c->digit) : d;
}

static const gn_kexpr *copied_leaf(void *copy, const gn_kexpr *e)
{
    const gn_expr_copy *c = copy;
    const gn_dim **index = GN_NEW_ARRAY(c->g->arena, const gn_dim *, e->nindex + 1);
    for (size_t i = 0; i < e->nindex; i++) index[i] = imported(copy, e->index[i]);
    if (e->kind == GN_K_REF && c->fused[e->u.ref]) index = gn_fused_args(c->g, &c->g->from->defs.at[e->u.ref], index);
    return e->kind == GN_K_LOAD ? gn_kexpr_load(c->g->kernel, e->u.ref, index)
                                : gn_kexpr_part(c->g->kernel, c->def[e->u.ref], e->part, index);
}

void gn_copy_start(gn_expr_copy *c)
{
    c->copy = gn_kcopy_start(c->g->kernel, c->g->arena, imported, copied_leaf, c);
}

/* ---- then definitions that are not kept stand in place of their uses ---- */

/* An expression at some arguments of the definition that it belongs to is one site, whatever ways lead there: u(i-1) +
 * u(i+1), fifty times over, has some thousand of them and not 2 to the 50. */
typedef struct site_args {
    uint32_t id;                /* 0: the definition's own parameters */
    const gn_dim *const *value; /* per axis of the copy; NULL entries, and all if it is NULL, stay */
} site_args;

typedef struct site {
    gn_lower *g;
    const gn_kexpr *e;
    const site_args *args;
    const gn_kexpr *made;
} site;

static const gn_dim *at_args(gn_lower *g, const gn_dim *d, const site_args *a)
{
    return a->value ? gn_subst_axes(g, d, a->value) : d;
}

static void dims_at_args(gn_lower *g, const gn_kexpr *e, const site_args *a, gn_kparts *p)
{
    const gn_dim **index = GN_NEW_ARRAY(g->arena, const gn_dim *, e->nindex + 1);
    gn_kcond *cond = GN_NEW_ARRAY(g->arena, gn_kcond, e->ncond + 1);
    for (size_t i = 0; i < e->nindex; i++) index[i] = at_args(g, e->index[i], a);
    for (size_t i = 0; i < e->ncond; i++)
        cond[i] = (gn_kcond){ e->cond[i].kind, at_args(g, e->cond[i].a, a), at_args(g, e->cond[i].b, a) };
    p->index = index, p->cond = cond;
    if (e->kind == GN_K_INDEX) p->at = at_args(g, e->u.index, a);
}

static site *site_of(gn_lower *g, const gn_kexpr *e, const site_args *args)
{
    void **at = gn_map_put(g->arena, &g->sites, (uint64_t)e->id << 32 | args->id);
    if (!*at) {
        site *s = *at = GN_NEW_OBJECT(g->arena, site);
        *s = (site){ .g = g, .e = e, .args = args };
    }
    return *at;
}

/* The arguments of a use, which is a reference in the copy. */
static const site_args *args_of(gn_lower *g, const gn_kexpr *use)
{
    static const site_args own = { 0, NULL };
    const gn_kdef *d = &g->kernel->defs.at[use->u.ref];
    bool same = true;
    for (size_t p = 0; p < d->nparam; p++) same &= use->index[p] == gn_dim_sym(g->dims, g->axes.at[d->param[p]].name);
    if (same) return &own;
    void **at = gn_map_put(g->arena, &g->site_args, use->id);
    if (*at) return *at;
    const gn_dim **value = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n);
    for (size_t p = 0; p < d->nparam; p++) value[d->param[p]] = use->index[p];
    site_args *a = *at = GN_NEW_OBJECT(g->arena, site_args);
    *a = (site_args){ .id = (uint32_t)g->site_args.n, .value = value };
    return a;
}

static const gn_kexpr *use_at(const site *s)
{
    gn_kparts p = { .def = s->e->u.ref };
    if (!s->args->value) return s->e;
    dims_at_args(s->g, s->e, s->args, &p);
    return gn_kexpr_of_parts(s->g->kernel, s->e, &p);
}

static bool is_replaced(const site *s)
{
    return s->e->kind == GN_K_REF && !is_kept(s->g, s->e->u.ref);
}

static const site *replacement(const site *s)
{
    return site_of(s->g, s->g->kernel->defs.at[s->e->u.ref].body, args_of(s->g, use_at(s)));
}

static const void *site_operand(const void *node, size_t i)
{
    const site *s = node;
    if (is_replaced(s)) return i == 0 ? replacement(s) : NULL;
    return i < s->e->n ? site_of(s->g, s->e->a[i], s->args) : NULL;
}

static bool is_not_made(void *user, const void *node)
{
    (void)user;
    return !((const site *)node)->made;
}

static const gn_kexpr *make_site(const site *s)
{
    gn_lower *g = s->g;
    const gn_kexpr *e = s->e;
    if (is_replaced(s)) return replacement(s)->made;
    gn_kparts p = { .def = e->kind == GN_K_REF ? e->u.ref : 0 };
    dims_at_args(g, e, s->args, &p);
    const gn_kexpr **a = GN_NEW_ARRAY(g->arena, const gn_kexpr *, e->n + 1);
    for (size_t i = 0; i < e->n; i++) a[i] = site_of(g, e->a[i], s->args)->made;
    p.a = a;
    return gn_kexpr_of_parts(g->kernel, e, &p);
}

const gn_kexpr *gn_inline_expr(gn_lower *g, const gn_kexpr *root)
{
    static const site_args own = { 0, NULL };
    site *top = site_of(g, root, &own);
    gn_visit v = { .arena = g->arena, .operand = site_operand, .enter = is_not_made };
    gn_visit_add(&v, top);
    for (const site *s; (s = gn_visit_next(&v));) site_of(g, s->e, s->args)->made = make_site(s);
    return top->made;
}
