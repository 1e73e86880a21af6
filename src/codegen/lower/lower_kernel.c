/* The first step of lowering: a private copy of the kernel in which the known sizes are numbers, rfactored reductions
 * are two definitions, and definitions that are not kept stand in place of their uses. Then the leaves of every axis
 * and statement. */
#include <inttypes.h>
#include "lower.h"
#include "visit.h"

/* ---- symbols, buffers, axes ---- */

static const gn_dim *known_size(void *user, const char *symbol)
{
    gn_lower *g = user;
    const int32_t s = gn_kernel_find_sym(g->from, symbol);
    return s >= 0 && g->from->syms.at[s].is >= 0 ? gn_lconst(g, g->from->syms.at[s].is) : NULL;
}

const gn_dim *gn_lower_import(gn_lower *g, const gn_dim *d)
{
    return gn_dim_subst(g->dims, gn_dim_import(g->dims, d), known_size, g);
}

static const gn_dim **import_all(gn_lower *g, const gn_dim *const *d, size_t n)
{
    const gn_dim **out = GN_NEW_ARRAY(g->arena, const gn_dim *, n + 1);
    for (size_t i = 0; i < n; i++) out[i] = gn_lower_import(g, d[i]);
    return out;
}

static const char *symbol_of(const gn_dim *d)
{
    return d->term[0].atom[0]->name;
}

static void mark_dependent(void *user, const char *name)
{
    gn_laxis *a = ((void **)user)[0];
    const gn_lower *g = ((void **)user)[1];
    if (gn_map_get(&g->axis_of, GN_KEY(name))) a->dependent = true;
}

uint32_t gn_lower_axis(gn_lower *g, const char *name, const gn_dim *extent)
{
    const uint32_t a = gn_kernel_axis(g->kernel, name, extent);
    gn_push(g->arena, &g->axes, (gn_laxis){ .name = g->kernel->axes.at[a].name, .extent = extent });
    *gn_map_put(g->arena, &g->axis_of, GN_KEY(symbol_of(gn_dim_sym(g->dims, name)))) = (void *)(uintptr_t)(a + 1);
    gn_dim_symbols(extent, mark_dependent, (void *[]){ &g->axes.at[a], g });
    return a;
}

static void copy_head(gn_lower *g)
{
    const gn_kernel *k = g->from;
    g->kernel = gn_kernel_new(g->arena, k->name);
    g->kernel->comment = k->comment;
    g->dims = g->kernel->dims;
    for (size_t i = 0; i < k->syms.n; i++) {
        const uint32_t at = gn_kernel_sym_like(g->kernel, &k->syms.at[i]);
        const gn_ksym *s = &g->kernel->syms.at[at];
        const gn_dim_fact f = {
            .name = symbol_of(gn_dim_sym(g->dims, s->name)), .mul = s->mul, .min = s->min > 0 ? s->min : 0, .max = INT64_MAX
        };
        gn_push(g->arena, &g->facts, f);
    }
    for (size_t i = 0; i < k->bufs.n; i++) {
        const gn_kbuf *b = &k->bufs.at[i];
        gn_kernel_buf(g->kernel, b->name, b->dtype, b->rank, import_all(g, b->shape, b->rank));
        if (b->stride) g->kernel->bufs.at[i].stride = import_all(g, b->stride, b->rank);
        g->kernel->bufs.at[i].align = b->align;
        if (b->below) g->kernel->bufs.at[i].below = gn_lower_import(g, b->below);
        g->kernel->bufs.at[i].shares = b->shares;
    }
    for (size_t i = 0; i < k->axes.n; i++)
        gn_lower_axis(g, k->axes.at[i].name, gn_lower_import(g, k->axes.at[i].extent));
}

/* ---- leaves ---- */

static const gn_dim *count_of(gn_lower *g, const gn_leaf *l, uint32_t axis)
{
    if (l->extent) return gn_lconst(g, l->extent);
    return gn_dim_cdiv(g->dims, g->axes.at[axis].extent, gn_lconst(g, l->stride));
}

static const gn_split *split_of(const gn_lower *g, uint32_t axis)
{
    for (size_t i = 0; i < g->schedule->splits.n; i++)
        if (g->schedule->splits.at[i].axis == axis && g->schedule->splits.at[i].leaf.n) return &g->schedule->splits.at[i];
    return NULL;
}

static void check_free(const gn_lower *g, const char *directive, const char *name)
{
    if (gn_kernel_has_name(g->from, name) || gn_kernel_has_name(g->kernel, name))
        gn_illegal(g, "%s: the name '%s' is taken", directive, name);
}

/* The axis of the copy that stands for the leaf alone: the one that it is the only leaf of, or a new one of its name. */
static uint32_t axis_of_leaf(gn_lower *g, uint32_t leaf)
{
    for (uint32_t a = 0; a < g->axes.n; a++)
        if (g->axes.at[a].leaf.n == 1 && g->axes.at[a].leaf.at[0] == leaf && g->axes.at[a].stride.at[0] == 1) return a;
    check_free(g, "rfactor", g->schedule->leaves.at[leaf].name);
    const uint32_t a = gn_lower_axis(g, g->schedule->leaves.at[leaf].name, g->leaves.at[leaf].points);
    gn_push(g->arena, &g->axes.at[a].leaf, leaf);
    gn_push(g->arena, &g->axes.at[a].stride, 1);
    return a;
}

/* Axes that rfactor makes are numbered behind the kernel's own in schedules. */
static int32_t own_axis(gn_lower *g, uint32_t axis)
{
    if (axis < g->nown) return (int32_t)axis;
    const gn_rfactor *f = &g->schedule->rfactors.at[axis - g->nown];
    return gn_kernel_find_axis(g->kernel, f->axis_name);
}

static void make_leaves(gn_lower *g)
{
    const gn_schedule *s = g->schedule;
    if (s->leaves.n > GN_MAX_LEAVES || s->leaves.n + g->nown > GN_MAX_LEAVES)
        gn_illegal(g, "%zu leaves, at most %d are supported", s->leaves.n, GN_MAX_LEAVES);
    for (uint32_t i = 0; i < s->leaves.n; i++) {
        const gn_leaf *l = &s->leaves.at[i];
        const gn_dim *value = gn_dim_sym(g->dims, l->name);
        gn_push(g->arena, &g->leaves,
                (gn_lleaf){ .name = l->name,
                            .value = value,
                            .extent = l->extent,
                            .bind = l->bind,
                            .grid = l->grid,
                            .cluster = l->cluster,
                            .unroll = l->unroll,
                            .peel = l->peel,
                            .place = UINT32_MAX,
                            .axis = l->axis });
        *gn_map_put(g->arena, &g->leaf_of, GN_KEY(symbol_of(value))) = (void *)(uintptr_t)(i + 1);
    }
    for (uint32_t i = 0; i < s->order.n; i++) {
        gn_push(g->arena, &g->order, s->order.at[i]);
        g->leaves.at[s->order.at[i]].place = i;
    }
    for (uint32_t i = 0; i < s->leaves.n; i++)
        if (g->leaves.at[i].place == UINT32_MAX) gn_illegal(g, "order: the leaf '%s' is not in it", g->leaves.at[i].name);
}

static void give_leaves(gn_lower *g, uint32_t axis, const gn_split *p)
{
    gn_laxis *a = &g->axes.at[axis];
    for (size_t j = 0; j < p->leaf.n; j++) {
        const gn_leaf *l = &g->schedule->leaves.at[p->leaf.at[j]];
        gn_push(g->arena, &a->leaf, p->leaf.at[j]);
        gn_push(g->arena, &a->stride, l->stride);
        gn_lleaf *to = &g->leaves.at[p->leaf.at[j]];
        if (!to->points) to->points = count_of(g, l, axis), to->axis = axis;
    }
}

/* Of the axis that partial results are reduced along: all points of the leaf; of a prefix those before one. */
static const gn_dim *rfactor_points(gn_lower *g, const gn_rfactor *f)
{
    const bool prefix = f->def < g->from->defs.n && gn_is_prefix(&g->from->defs.at[f->def]);
    return prefix ? gn_dim_sym(g->dims, g->axes.at[axis_of_leaf(g, f->leaf)].name) : g->leaves.at[f->leaf].points;
}

static void split_axes(gn_lower *g)
{
    for (uint32_t a = 0; a < g->nown; a++) {
        const gn_split *p = split_of(g, a);
        if (g->axes.at[a].into) continue;
        if (!p) gn_illegal(g, "the axis '%s' has no leaf", g->axes.at[a].name);
        give_leaves(g, a, p);
    }
    for (size_t r = 0; r < g->schedule->rfactors.n; r++) {
        const gn_rfactor *f = &g->schedule->rfactors.at[r];
        if (!g->leaves.at[f->leaf].points)
            gn_illegal(g, "rfactor %s: the leaf '%s' belongs to no axis", f->def_name, g->leaves.at[f->leaf].name);
        if (!f->axis_name || gn_kernel_find_axis(g->kernel, f->axis_name) >= 0) continue;
        check_free(g, "rfactor", f->axis_name);
        const uint32_t a = gn_lower_axis(g, f->axis_name, rfactor_points(g, f));
        const gn_split *p = split_of(g, (uint32_t)(g->nown + r));
        if (!p) gn_illegal(g, "rfactor %s: the axis '%s' has no leaf", f->def_name, f->axis_name);
        give_leaves(g, a, p);
    }
}

static void leaf_facts(gn_lower *g)
{
    for (uint32_t i = 0; i < g->leaves.n; i++) {
        int64_t n;
        gn_dim_fact f = { .name = symbol_of(g->leaves.at[i].value), .mul = 1, .min = 0, .max = INT64_MAX };
        if (g->leaves.at[i].points && gn_dim_is_const(g->leaves.at[i].points, &n) && n > 0) f.max = n - 1;
        gn_push(g->arena, &g->facts, f);
    }
}

/* ---- definitions ---- */

/* What the schedule says of each definition; of two stages, the first holds. */
typedef struct directives {
    GN_VEC(uint32_t) rfactors; /* each takes what the one before left */
    const gn_stage *stage;
    const gn_tensorize *tile;
    int32_t online; /* leaf, + 1 */
    bool prefix;    /* the kernel's own, not a partial result of one point */
    uint32_t chunk; /* leaf, + 1: the prefix starts anew at each of its points, */
    const gn_kexpr *before; /* with this (of a fold, one value of it) */
} directives;

static const directives *directives_of(gn_lower *g, size_t ndefs)
{
    const gn_schedule *s = g->schedule;
    directives *of = GN_NEW_ARRAY(g->arena, directives, ndefs + 1);
    for (size_t i = s->stages.n; i-- > 0;) of[s->stages.at[i].def].stage = &s->stages.at[i];
    for (size_t i = s->tensorizes.n; i-- > 0;) of[s->tensorizes.at[i].def].tile = &s->tensorizes.at[i];
    for (size_t i = s->onlines.n; i-- > 0;) of[s->onlines.at[i].def].online = (int32_t)s->onlines.at[i].leaf + 1;
    for (size_t i = 0; i < s->rfactors.n; i++) gn_push(g->arena, &of[s->rfactors.at[i].def].rfactors, (uint32_t)i);
    for (size_t i = 0; i < g->from->defs.n; i++) of[i].prefix = gn_is_prefix(&g->from->defs.at[i]);
    return of;
}

static bool reduces_leaf(const gn_lower *g, size_t n, const uint16_t *raxis, uint32_t leaf)
{
    for (size_t i = 0; i < n; i++)
        if (gn_has_leaf(&g->axes.at[raxis[i]], leaf)) return true;
    return false;
}

static const gn_dim **own_values(gn_lower *g, size_t n, const uint16_t *axis)
{
    const gn_dim **v = GN_NEW_ARRAY(g->arena, const gn_dim *, n + 1);
    for (size_t i = 0; i < n; i++) v[i] = gn_dim_sym(g->dims, g->axes.at[axis[i]].name);
    return v;
}

static uint32_t add_def(gn_expr_copy *, const directives *all, uint32_t number, const char *name, gn_kdef);
static uint32_t add_item(gn_lower *, const char *name, gn_kdef, const directives *);

typedef struct partial_state { /* values of a partial result in place of the state that is merged in */
    gn_lower *g;
    const gn_kexpr *other; /* one value of it */
} partial_state;

static const gn_kexpr *partial_value(void *user, const gn_kexpr *e)
{
    const partial_state *p = user;
    return e->u.i ? gn_kexpr_part(p->g->kernel, p->other->u.ref, e->part, p->other->index) : e;
}

/* The step of a fold that merges partial ones. */
static const gn_kexpr *merging(gn_lower *g, const gn_kfold *f, const gn_kexpr *other)
{
    partial_state p = { g, other };
    gn_kcopy c = gn_kcopy_start(g->kernel, g->arena, NULL, NULL, &p);
    c.state = partial_value;
    return gn_kexpr_copy(&c, f->merge);
}

static const gn_kexpr *ref_at(gn_lower *g, uint32_t def, size_t n, const uint16_t *axis)
{
    return gn_kexpr_ref(g->kernel, def, own_values(g, n, axis));
}

/* d reduces what `of` refers to along the axis instead. */
static gn_kdef reducing(gn_lower *g, gn_kdef d, uint16_t axis, const gn_kexpr *of)
{
    d.raxis = gn_arena_copy(g->arena, &axis, sizeof axis);
    d.nraxis = 1;
    d.body = d.fold ? merging(g, d.fold, of) : of;
    return d;
}

/* first, and d's parameters but `without`; n: how many there are */
static uint16_t *params_behind(gn_lower *g, const gn_kdef *d, uint16_t first, int32_t without, uint16_t *n)
{
    uint16_t *param = GN_NEW_ARRAY(g->arena, uint16_t, d->nparam + 1u);
    param[0] = first;
    *n = 1;
    for (uint16_t p = 0; p < d->nparam; p++)
        if (d->param[p] != without) param[(*n)++] = d->param[p];
    return param;
}

/* A prefix in chunks, each of which starts with what those before it give. Their totals are an ordinary reduction, and
 * each chunk reduces those before it for itself, so that no step stands between. */
static gn_kdef chunked(gn_expr_copy *c, const directives *all, directives *own, const char *name, gn_kdef d, size_t which)
{
    gn_lower *g = c->g;
    const gn_rfactor *f = &g->schedule->rfactors.at[which];
    if (!f->axis_name) gn_illegal(g, "rfactor %s: it is a prefix; name an axis for the chunks before each", name);
    if (own->chunk || g->axes.at[d.raxis[0]].leaf.at[0] != f->leaf)
        gn_illegal(g, "rfactor %s: the leaf '%s' is not the first that its axis '%s' is cut by", name,
                   g->leaves.at[f->leaf].name, g->axes.at[d.raxis[0]].name);
    const directives none = { .stage = NULL };
    gn_kdef total = d, before = d;
    total.param = params_behind(g, &d, (uint16_t)axis_of_leaf(g, f->leaf), d.raxis[0], &total.nparam);
    const uint32_t t = add_def(c, all, (uint32_t)(g->from->defs.n + which), f->def_name, total);
    uint16_t *at = gn_arena_copy(g->arena, total.param, total.nparam * sizeof *at);
    at[0] = (uint16_t)own_axis(g, (uint32_t)(g->nown + which));
    before = reducing(g, total, at[0], ref_at(g, t, total.nparam, at));
    const char *fresh = gn_kernel_fresh_name(g->kernel, gn_arena_printf(g->arena, "%s_b", name), 0, NULL);
    own->before = ref_at(g, add_item(g, fresh, before, &none), before.nparam, before.param);
    own->chunk = f->leaf + 1;
    return d;
}

/* The definition as a sum of partial ones, which it makes before. */
static gn_kdef rfactored(gn_expr_copy *c, const directives *all, directives *own, const char *name, gn_kdef d,
                         size_t which)
{
    gn_lower *g = c->g;
    const gn_rfactor *f = &g->schedule->rfactors.at[which];
    check_free(g, "rfactor", f->def_name);
    if (d.red == GN_RED_NONE) gn_illegal(g, "rfactor: '%s' is no reduction", name);
    if (!reduces_leaf(g, d.nraxis, d.raxis, f->leaf))
        gn_illegal(g, "rfactor %s: it does not reduce along the leaf '%s'", name, g->leaves.at[f->leaf].name);
    const uint32_t number = (uint32_t)(g->from->defs.n + which);
    if (own->prefix) return chunked(c, all, own, name, d, which);
    const uint16_t by = (uint16_t)axis_of_leaf(g, f->leaf);
    gn_kdef p = d;
    p.param = params_behind(g, &d, by, -1, &p.nparam);
    const uint32_t part = add_def(c, all, number, f->def_name, p);
    uint16_t *at = gn_arena_copy(g->arena, p.param, p.nparam * sizeof *at);
    if (f->axis_name) at[0] = (uint16_t)own_axis(g, (uint32_t)(g->nown + which));
    return reducing(g, d, at[0], ref_at(g, part, p.nparam, at));
}

/* A sum of products is always fma. */
static const gn_kexpr *plain_step(gn_kernel *k, const gn_ldef *l, const gn_kexpr *state)
{
    const gn_kexpr *const b = l->body;
    if (l->red == GN_RED_SUM && gn_is_float(l->dtype) && b->kind == GN_K_OP && b->u.op == &gn_op_mul)
        return gn_kexpr_op(k, &gn_op_fma, l->dtype, (const gn_kexpr *[]){ b->a[0], b->a[1], state }, 3);
    return gn_kexpr_op(k, gn_red_op(l->red), l->dtype, (const gn_kexpr *[]){ state, b }, 2);
}

/* A sum, maximum and so on is a fold of one value. */
static void make_plain_state(gn_kernel *k, gn_ldef *l)
{
    const gn_kexpr *own = gn_kexpr_state(k, l->dtype, 0, false), *other = gn_kexpr_state(k, l->dtype, 0, true);
    l->state[0].start = gn_red_start(k, l->red, l->dtype);
    l->state[0].step = l->upd = plain_step(k, l, own);
    l->state[0].merge = gn_kexpr_op(k, gn_red_op(l->red), l->dtype, (const gn_kexpr *[]){ own, other }, 2);
}

/* A running maximum has a second value: by what a sum relative to it before the last step is to be multiplied, 0 before
 * the first. Where all is -inf so far, it is taken for the lowest number: exp(-inf - m) must be 0 and not NaN. */
static void make_running(gn_kernel *k, gn_ldef *l)
{
    const gn_kexpr *const lowest = gn_kexpr_const(k, l->dtype, gn_lowest_float(l->dtype));
    const gn_kexpr *now = gn_kexpr_op(k, &gn_op_maximum, l->dtype, (const gn_kexpr *[]){ l->state[0].step, lowest }, 2);
    const gn_kexpr *was = gn_kexpr_state(k, l->dtype, 0, false);
    const gn_kexpr *moved = gn_kexpr_op(k, &gn_op_sub, l->dtype, (const gn_kexpr *[]){ was, now }, 2);
    l->state[1].step = gn_kexpr_op(k, &gn_op_exp, l->dtype, &moved, 1);
    l->state[1].past = gn_kexpr_const(k, l->dtype, 1);
    l->state[1].name = "c";
    l->upd = gn_kexpr_tuple(k, (const gn_kexpr *[]){ l->state[0].step, l->state[1].step }, 2);
}

static void make_state(gn_lower *g, gn_ldef *l, const gn_kfold *f)
{
    const bool running = l->online >= 0 && l->red == GN_RED_MAX && gn_is_float(l->dtype);
    l->fold = f;
    l->nstates = f ? f->start->n : running ? 2 : 1;
    l->state = GN_NEW_ARRAY(g->arena, gn_lstate, l->nstates);
    if (l->red != GN_RED_NONE && !f) make_plain_state(g->kernel, l);
    if (running) make_running(g->kernel, l);
    if (f) l->upd = l->body;
    for (uint16_t i = 0; f && i < l->nstates; i++)
        l->state[i] = (gn_lstate){
            .start = f->start->a[i], .step = l->body->a[i], .merge = f->merge->a[i], .name = f->name[i]
        };
}

static uint32_t add_item(gn_lower *g, const char *name, gn_kdef d, const directives *own)
{
    const bool kept = d.red != GN_RED_NONE || own->stage;
    if (kept) d.body = gn_inline_expr(g, d.body);
    const uint32_t at = gn_kernel_add(g->kernel, name, d);
    g->def[at] = NULL;
    if (!kept) return at;
    gn_ldef *l = g->def[at] = GN_NEW_OBJECT(g->arena, gn_ldef);
    *l = (gn_ldef){ .name = g->kernel->defs.at[at].name,
                    .red = d.red,
                    .dtype = d.body->dtype,
                    .nparam = d.nparam,
                    .nraxis = d.nraxis,
                    .param = d.param,
                    .raxis = d.raxis,
                    .body = d.body,
                    .prefix = own->prefix && d.red != GN_RED_NONE,
                    .chunk = own->chunk,
                    .stage = own->stage,
                    .tile = own->tile,
                    .online = own->online - 1,
                    .index = (uint32_t)g->items.n };
    make_state(g, l, g->kernel->defs.at[at].fold);
    for (uint16_t i = 0; own->before && i < l->nstates; i++)
        l->state[i].first = gn_kexpr_part(g->kernel, own->before->u.ref, i, own->before->index);
    gn_push(g->arena, &g->items, l);
    if (l->online >= 0) gn_push(g->arena, &g->online, l);
    return at;
}

/* What is kept of a prefix is a copy of what runs. */
static gn_kdef kept_prefix(gn_lower *g, const char *name, gn_kdef d, const directives *own)
{
    gn_stage *running = gn_arena_copy(g->arena, own->stage, sizeof *running);
    directives of = *own;
    of.stage = running;
    if (running->at != GN_AT_NONE)
        gn_illegal(g, "stage %s: (at ..) is for definitions without a reduction", name);
    running->layout.n = 0, running->pad_leaf = -1;
    const char *fresh = gn_kernel_fresh_name(g->kernel, gn_arena_printf(g->arena, "%s_r", name), 0, NULL);
    const uint32_t at = add_item(g, fresh, d, &of);
    const uint16_t n = d.fold ? d.fold->start->n : 1;
    const gn_kexpr *part[GN_FOLD_MOST];
    for (uint16_t i = 0; i < n; i++) part[i] = gn_kexpr_part(g->kernel, at, i, own_values(g, d.nparam, d.param));
    d.red = GN_RED_NONE, d.nraxis = 0;
    d.body = d.fold ? gn_kexpr_tuple(g->kernel, part, n) : part[0];
    return d;
}

/* Makes definition `number` (schedule's numbering) of the copy, its rfactored partials before it. */
static uint32_t add_def(gn_expr_copy *c, const directives *all, uint32_t number, const char *name, gn_kdef d)
{
    directives own = all[number];
    for (size_t r = 0; r < own.rfactors.n; r++) d = rfactored(c, all, &own, name, d, own.rfactors.at[r]);
    const directives copied = { .stage = own.stage };
    if (own.prefix && own.stage) d = kept_prefix(c->g, name, d, &own), own = copied;
    return c->def[number] = add_item(c->g, name, d, &own);
}

/* What is kept runs over fused axes as one; what is not takes their digits as arguments. */
static void copy_def(gn_expr_copy *plain, gn_expr_copy *digits, const directives *all, uint32_t number)
{
    gn_lower *g = plain->g;
    const gn_kdef *from = &g->from->defs.at[number];
    const bool kept = from->red != GN_RED_NONE || all[number].stage;
    const bool fused = plain->fused[number] = kept && gn_fused_def(g, from);
    gn_kdef d = gn_kdef_copy(fused ? &digits->copy : &plain->copy, from);
    if (fused) d.param = gn_fused_axes(g, &d.nparam, d.param), d.raxis = gn_fused_axes(g, &d.nraxis, d.raxis);
    add_def(plain, all, number, d.name, d);
}

static void copy_defs(gn_lower *g)
{
    const gn_kernel *k = g->from;
    const size_t n = k->defs.n + g->schedule->rfactors.n;
    gn_expr_copy c = { .g = g, .def = GN_NEW_ARRAY(g->arena, uint32_t, n + 1) };
    c.fused = GN_NEW_ARRAY(g->arena, bool, n + 1);
    const directives *all = directives_of(g, n);
    gn_expr_copy digits = c; /* of what is over fused axes */
    digits.digit = gn_fused_digits(g);
    gn_copy_start(&c), gn_copy_start(&digits);
    g->def = GN_NEW_ARRAY(g->arena, gn_ldef *, 4 * n + 1); /* a prefix may be several */
    for (size_t i = 0; i < k->items.n; i++) {
        if (!k->items.at[i].is_store) {
            copy_def(&c, &digits, all, k->items.at[i].at);
            continue;
        }
        const gn_kstore *s = &k->stores.at[k->items.at[i].at];
        const gn_kbuf *b = &k->bufs.at[s->buf];
        if (gn_store_is_idle(k, s)) continue;
        gn_check_fused_store(g, s);
        const gn_dim **index = GN_NEW_ARRAY(g->arena, const gn_dim *, b->rank + 1u);
        for (size_t d = 0; d < b->rank; d++) index[d] = digits.copy.dim(&digits, s->index[d]);
        gn_kernel_store(g->kernel, s->kind, s->buf, index, gn_inline_expr(g, gn_kexpr_copy(&digits.copy, s->value)));
        gn_ldef *l = GN_NEW_OBJECT(g->arena, gn_ldef);
        *l = (gn_ldef){ .name = b->name, .is_store = true, .dtype = b->dtype, .online = -1, .index = (uint32_t)g->items.n };
        gn_push(g->arena, &g->items, l);
    }
    for (size_t i = 0, s = 0; i < g->items.n; i++)
        if (g->items.at[i]->is_store) {
            g->items.at[i]->store = &g->kernel->stores.at[s++];
            g->items.at[i]->body = g->items.at[i]->store->value;
        }
}

/* ---- what a statement mentions ---- */

typedef struct mentions {
    gn_lower *g;
    gn_ldef *d;
    gn_leafset axes;
} mentions;

static void mention_symbol(void *user, const char *name)
{
    mentions *m = user;
    const uintptr_t a = (uintptr_t)gn_map_get(&m->g->axis_of, GN_KEY(name));
    if (a) gn_set_put(&m->axes, (uint32_t)(a - 1));
}

static void mention_symbols(void *user, const gn_dim *d)
{
    gn_dim_symbols(d, mention_symbol, user);
}

static void mention(mentions *m, const gn_kexpr *root)
{
    gn_visit v = { .arena = m->g->arena, .operand = gn_kexpr_operand };
    gn_visit_add(&v, root);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        gn_kexpr_dims(e, mention_symbols, m);
        if (e->kind == GN_K_REF) gn_push(m->g->arena, &m->d->refs, e);
    }
}

static gn_leafset leaves_of(const gn_lower *g, size_t n, const uint16_t *axis)
{
    gn_leafset s = { { 0 } };
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < g->axes.at[axis[i]].leaf.n; j++) gn_set_put(&s, g->axes.at[axis[i]].leaf.at[j]);
    return s;
}

/* Leaves of a prefix's axis that are its loops; notes those whose points are scanned at once. */
static gn_leafset running_leaves(const gn_lower *g, gn_ldef *d, gn_leafset along)
{
    gn_leafset chunk = { { 0 } };
    bool merged = false; /* points are states of their own, not steps one after the other */
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        const uint8_t b = g->leaves.at[l].bind;
        if (!gn_set_has(&along, l) || b == GN_BIND_TILE || !(b == GN_BIND_THREAD || gn_is_tile_bind(b))) continue;
        gn_set_put(&d->scanned, l);
        merged |= b != GN_BIND_UNROLL;
    }
    if (d->chunk) gn_set_put(&chunk, d->chunk - 1);
    if (merged && !d->fold) d->upd = d->state[0].step = d->body;
    return gn_set_minus(gn_set_minus(along, d->scanned), chunk);
}

static void statement_leaves(gn_lower *g, gn_ldef *d)
{
    mentions m = { .g = g, .d = d };
    mention(&m, d->body); /* a reduction's upd says no more */
    for (uint16_t i = 0; i < d->nstates; i++)
        if (d->state[i].first) mention(&m, d->state[i].first);
    if (d->is_store) {
        for (size_t i = 0; i < g->kernel->bufs.at[d->store->buf].rank; i++)
            gn_dim_symbols(d->store->index[i], mention_symbol, &m);
        uint16_t *axis = GN_NEW_ARRAY(g->arena, uint16_t, g->axes.n + 1);
        for (uint32_t a = 0; a < g->axes.n; a++)
            if (gn_set_has(&m.axes, a)) axis[d->nparam++] = (uint16_t)a;
        d->param = axis;
    }
    const gn_leafset along = leaves_of(g, d->nraxis, d->raxis);
    d->params = leaves_of(g, d->nparam, d->param);
    if (d->prefix) d->params = gn_set_minus(d->params, running_leaves(g, d, along));
    d->reduced = gn_set_minus(along, d->params);
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        const uint8_t b = g->leaves.at[l].bind;
        if (gn_set_has(&d->reduced, l) && (b == GN_BIND_LANE || b == GN_BIND_PRIVATE || b == GN_BIND_THREAD))
            gn_set_put(&d->private, l);
    }
    if (d->tile) d->row = gn_tile_find(g->target, d->tile->row);
}

/* ---- the head of the code ---- */

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

/* What the kernel computes, and its text where that is short. */
static const char *comment_of(gn_lower *g)
{
    enum { MOST = 24 };
    gn_text logic = { .arena = g->arena }, all = { .arena = g->arena };
    gn_kernel_print(&logic, g->from);
    const char *text = gn_text_done(&logic), *comment = g->from->comment;
    const bool shown = count_lines(text) <= MOST;
    if (comment) gn_text_add(&all, comment);
    if (comment && shown) gn_text_add(&all, comment[strlen(comment) - 1] == '\n' ? "\n" : "\n\n");
    if (shown) gn_text_add(&all, text);
    return comment || shown ? gn_text_done(&all) : NULL;
}

static void begin_code(gn_lower *g)
{
    const gn_kernel *k = g->kernel;
    gn_code *c = g->code = gn_code_new(g->arena, g->dims, g->target, k->name);
    c->origin = gn_arena_printf(g->arena, "kernel %s, schedule %s", k->name, g->schedule->name);
    c->comment = comment_of(g);
    for (size_t i = 0; i < k->syms.n; i++) gn_push(g->arena, &c->syms, k->syms.at[i]);
    for (size_t i = 0; i < k->bufs.n; i++) {
        const gn_kbuf *b = &k->bufs.at[i];
        gn_code_place(c, (gn_place){ .name = b->name, .dtype = b->dtype, .space = GN_SPACE_BUFFER, .access = b->access,
                                     .size = gn_kernel_size(k, (uint32_t)i), .below = b->below, .align = b->align });
    }
    for (size_t i = 0; i < k->stores.n; i++)
        if (k->stores.at[i].kind != GN_STORE_SET) c->places.at[k->stores.at[i].buf]->access |= GN_KBUF_READ;
}

void gn_lower_kernel(gn_lower *g)
{
    copy_head(g);
    gn_lower_fuse(g);
    make_leaves(g);
    split_axes(g);
    leaf_facts(g);
    copy_defs(g);
    for (size_t i = 0; i < g->items.n; i++) statement_leaves(g, g->items.at[i]);
    begin_code(g);
}
