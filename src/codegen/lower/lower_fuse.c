/* Fused axes: one axis walks all pairs (or more) of some axes of the kernel. In what runs over them it takes their
 * place, and its digits that of their values, so that from here on it is an axis like any other.
 *
 * A quotient is made by a division, the lower digit is what it leaves: where they meet again, in an address of rows
 * without gaps, the axis itself is left, whatever the sizes are. */
#include "lower.h"

/* What is left of c without the digit of its lowest axis. */
static const gn_dim *take_digit(gn_lower *g, gn_laxis *a, const gn_dim *c)
{
    int64_t n;
    const gn_dim *rest = gn_dim_div(g->dims, c, a->extent);
    const bool constant = gn_dim_is_const(a->extent, &n) && n > 0;
    a->digit = constant ? gn_dim_mod(g->dims, c, a->extent) : gn_lsub(g, c, gn_dim_mul(g->dims, a->extent, rest));
    return rest;
}

static void check_extents(gn_lower *g, const gn_fuse *f)
{
    for (size_t i = 0; i < f->axis.n; i++) {
        const gn_laxis *x = &g->axes.at[f->axis.at[i]];
        if (x->dependent) gn_illegal(g, "fuse %s: the extent of '%s' depends on another axis", f->name, x->name);
        for (size_t a = 0; a < g->axes.n; a++)
            if (gn_dim_mentions(g->axes.at[a].extent, x->name))
                gn_illegal(g, "fuse %s: the extent of '%s' depends on '%s'", f->name, g->axes.at[a].name, x->name);
    }
}

static void fuse(gn_lower *g, const gn_fuse *f)
{
    const gn_dim *all = gn_lconst(g, 1);
    check_extents(g, f);
    for (size_t i = f->axis.n; i-- > 0;) {
        gn_laxis *a = &g->axes.at[f->axis.at[i]];
        a->into = f, a->weight = all;
        all = gn_dim_mul(g->dims, all, a->extent);
    }
    gn_lower_axis(g, f->name, all);
    const gn_dim *c = gn_dim_sym(g->dims, f->name);
    for (size_t i = f->axis.n; i-- > 1;) c = take_digit(g, &g->axes.at[f->axis.at[i]], c);
    g->axes.at[f->axis.at[0]].digit = c;
}

void gn_lower_fuse(gn_lower *g)
{
    for (size_t f = 0; f < g->schedule->fuses.n; f++) fuse(g, &g->schedule->fuses.at[f]);
    g->nown = g->axes.n;
}

const gn_dim **gn_fused_digits(gn_lower *g)
{
    const gn_dim **digit = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n + 1);
    for (size_t a = 0; a < g->axes.n; a++) digit[a] = g->axes.at[a].digit;
    return g->schedule->fuses.n ? digit : NULL;
}

/* One of the fuse's axes that is there (or is not); -1. */
static int32_t some_axis(const gn_fuse *f, const gn_leafset *axes, bool there)
{
    for (size_t i = 0; i < f->axis.n; i++)
        if (gn_set_has(axes, f->axis.at[i]) == there) return (int32_t)f->axis.at[i];
    return -1;
}

/* All of the fuse's axes are there; throws where some alone are. */
static bool takes_all(const gn_lower *g, const gn_fuse *f, const gn_leafset *axes, const char *what, const char *name)
{
    const int32_t in = some_axis(f, axes, true), out = some_axis(f, axes, false);
    if (in >= 0 && out >= 0)
        gn_illegal(g, "fuse %s: %s'%s' runs over '%s' and not over '%s'", f->name, what, name, g->axes.at[in].name,
                   g->axes.at[out].name);
    return in >= 0;
}

static gn_leafset set_of(size_t n, const uint16_t *axis)
{
    gn_leafset s = { { 0 } };
    for (size_t i = 0; i < n; i++) gn_set_put(&s, axis[i]);
    return s;
}

bool gn_fused_def(gn_lower *g, const gn_kdef *d)
{
    bool any = false;
    const gn_leafset param = set_of(d->nparam, d->param), raxis = set_of(d->nraxis, d->raxis);
    const gn_leafset all = gn_set_or(param, raxis);
    for (size_t i = 0; i < g->schedule->fuses.n; i++) {
        const gn_fuse *f = &g->schedule->fuses.at[i];
        if (!takes_all(g, f, &all, "", d->name)) continue;
        const int32_t kept = some_axis(f, &param, true), reduced = some_axis(f, &raxis, true);
        if (reduced >= 0 && gn_is_prefix(d))
            gn_illegal(g, "fuse %s: '%s' is a prefix along '%s'", f->name, d->name, g->axes.at[reduced].name);
        if (kept >= 0 && reduced >= 0)
            gn_illegal(g, "fuse %s: '%s' keeps '%s' and is reduced along '%s'", f->name, d->name, g->axes.at[kept].name,
                       g->axes.at[reduced].name);
        any = true;
    }
    return any;
}

/* The axis that walks this one. */
static uint16_t walking(const gn_lower *g, uint16_t axis)
{
    const gn_fuse *f = g->axes.at[axis].into;
    return f ? (uint16_t)(g->from->axes.n + (size_t)(f - g->schedule->fuses.at)) : axis;
}

uint16_t *gn_fused_axes(gn_lower *g, uint16_t *n, const uint16_t *axis)
{
    uint16_t *out = GN_NEW_ARRAY(g->arena, uint16_t, *n + 1u), m = 0;
    for (size_t i = 0; i < *n; i++)
        if (!gn_has_axis(out, m, walking(g, axis[i]))) out[m++] = walking(g, axis[i]);
    *n = m;
    return out;
}

const gn_dim **gn_fused_args(gn_lower *g, const gn_kdef *d, const gn_dim *const *arg)
{
    uint16_t n = d->nparam;
    const uint16_t *axis = gn_fused_axes(g, &n, d->param);
    const gn_dim **out = GN_NEW_ARRAY(g->arena, const gn_dim *, n + 1u);
    for (size_t i = 0; i < d->nparam; i++) {
        const gn_dim *weight = g->axes.at[d->param[i]].weight;
        const gn_dim *part = weight ? gn_dim_mul(g->dims, arg[i], weight) : arg[i];
        size_t at = 0;
        while (axis[at] != walking(g, d->param[i])) at++;
        out[at] = out[at] ? gn_ladd(g, out[at], part) : part;
    }
    return out;
}

void gn_check_fused_store(gn_lower *g, const gn_kstore *s)
{
    const gn_kbuf *b = &g->from->bufs.at[s->buf];
    uint64_t axes = g->schedule->fuses.n ? gn_kexpr_axes(g->from, s->value, g->arena) : 0;
    for (size_t d = 0; d < b->rank; d++) axes |= gn_dim_axes(g->from, s->index[d]);
    const gn_leafset all = { { axes } };
    for (size_t f = 0; f < g->schedule->fuses.n; f++)
        takes_all(g, &g->schedule->fuses.at[f], &all, "the store to ", b->name);
}
