/* Copies that all threads of a block make together, and tile products of threads' registers. */
#include "expand.h"

/* ---- shared: a flat index over all elements, dealt out to the threads ---- */

typedef struct copying {
    gn_expander *x;
    gn_ldef *d;
    const uint32_t *leaf; /* in the order in which they are copied */
    size_t n;
    int64_t total;
    gn_code_node *loop;
    uint32_t fact; /* its variable's */
} copying;

/* A point of the copy. */
static void set_copied(copying *c, const gn_dim *flat)
{
    gn_lower *g = c->x->g;
    int64_t f = 1;
    for (size_t i = c->n; i-- > 0;) {
        const int64_t e = gn_points(g, c->leaf[i]);
        const gn_dim *digit = gn_dim_div(g->dims, flat, gn_lconst(g, f));
        c->x->env[c->leaf[i]] = f * e < c->total ? gn_dim_mod(g->dims, digit, gn_lconst(g, e)) : digit;
        f *= e;
    }
    gn_set_point(c->x, c->d);
}

static void set_ends(copying *c, gn_code_node *n)
{
    gn_lower *g = c->x->g;
    n->access.place = c->d->object->place;
    n->access.base = gn_object_address(g, c->d->object, gn_own_args(c->x, c->d), c->x->env);
    n->source.place = g->code->places.at[c->d->body->u.ref];
    n->source.base = gn_subst_axes(g, gn_kernel_flat(g->kernel, c->d->body->u.ref, c->d->body->index), c->x->axis);
}

/* n points on, all guards hold where they hold at the first, which is at a multiple of n. */
static bool guards_agree(copying *c, const gn_guards *first, uint32_t n)
{
    const gn_dim_facts facts = gn_lfacts(c->x->g);
    if (c->x->guards.n != first->n) return false;
    for (size_t i = 0; i < first->n; i++) {
        const gn_guard *a = &first->at[i], *b = &c->x->guards.at[i];
        int64_t by;
        if (a->axis != b->axis || a->extent != b->extent) return false;
        if (!gn_dim_is_const(gn_lsub(c->x->g, b->value, a->value), &by) || by < 0 || by >= n) return false;
        if (by && !(gn_dim_divisible(a->value, n, &facts) && gn_dim_divisible(a->extent, n, &facts))) return false;
    }
    return true;
}

static bool is_aligned(const copying *c, const gn_access *a, uint32_t n)
{
    const gn_dim_facts facts = gn_lfacts(c->x->g);
    return gn_place_alignment(a->place) % (n * gn_dtype_size(a->place->dtype)) == 0 && gn_dim_divisible(a->base, n, &facts);
}

/* A thread's n points from `first` on follow each other at both ends, and are all there or none. */
static bool is_one_copy(copying *c, const gn_dim *first, uint32_t n)
{
    gn_lower *g = c->x->g;
    gn_code_node from = { 0 }, now = { 0 };
    set_copied(c, first);
    set_ends(c, &from);
    const gn_guards guards = c->x->guards;
    bool is = is_aligned(c, &from.access, n) && is_aligned(c, &from.source, n);
    for (uint32_t i = 1; i < n && is; i++) {
        set_copied(c, gn_ladd(g, first, gn_lconst(g, i)));
        set_ends(c, &now);
        is = gn_dim_is(gn_lsub(g, now.access.base, from.access.base), i) &&
             gn_dim_is(gn_lsub(g, now.source.base, from.source.base), i) && guards_agree(c, &guards, n);
    }
    return is;
}

/* The loop deals out so many points at a time; the first of them. */
static const gn_dim *deal(copying *c, uint32_t n)
{
    gn_lower *g = c->x->g;
    g->facts.at[c->fact].max = c->total / n - 1;
    c->loop->to = gn_lconst(g, c->total / n);
    return gn_lscale(g, gn_dim_sym(g->dims, c->loop->var), n);
}

/* As many points as one copy takes, 16 bytes at most. */
static uint32_t deal_widest(copying *c)
{
    enum { MOST = 16, LEAST = 4 };
    const uint32_t size = (uint32_t)gn_dtype_size(c->d->dtype);
    for (uint32_t bytes = MOST; bytes >= LEAST && bytes >= size; bytes /= 2)
        if (c->total % (bytes / size) == 0 && is_one_copy(c, deal(c, bytes / size), bytes / size)) return bytes / size;
    gn_illegal(c->x->g, "stage %s: (depth %d): it is not known that 4 bytes of it lie together, at a multiple of 4",
               c->d->name, c->d->stage->depth);
}

static void start_copy(copying *c, uint32_t number, gn_preds inside)
{
    gn_code_node *n = gn_v_node(&c->x->b, GN_CODE_ASYNC);
    n->access.when = gn_preds_joined(c->x, inside, (gn_preds){ 1, c->x->ahead }), n->number = number;
    set_ends(c, n);
}

static void begin_copy(copying *c)
{
    gn_expander *x = c->x;
    gn_lower *g = x->g;
    const gn_stage *st = c->d->stage;
    c->leaf = st->copy.n ? st->copy.at : c->d->object->dims.at;
    c->n = st->copy.n ? st->copy.n : c->d->object->dims.n;
    c->total = 1;
    for (size_t i = 0; i < c->n; i++) c->total *= gn_points(g, c->leaf[i]), gn_set_put(&g->flat, c->leaf[i]);
    c->loop = gn_v_open(x, GN_CODE_FOR);
    c->loop->dealt = true;
    const char *name = gn_lower_name(g, NULL, gn_arena_printf(g->arena, "c%u", x->ndealt++));
    c->loop->var = gn_dim_sym(g->dims, name)->term[0].atom[0]->name;
    c->fact = (uint32_t)g->facts.n;
    gn_push(g->arena, &g->facts, (gn_dim_fact){ .name = c->loop->var, .mul = 1, .min = 0 });
}

void gn_expand_shared(gn_expander *x, const gn_tree *s)
{
    gn_lower *g = x->g;
    gn_ldef *d = s->def;
    copying c = { .x = x, .d = d };
    const gn_dim **before = gn_env_copy(g, x->env);
    gn_code_body *outer = x->b.block;
    begin_copy(&c);
    const uint32_t wide = x->ahead ? deal_widest(&c) : 1;
    set_copied(&c, deal(&c, wide));
    const gn_preds inside = gn_guard_preds(x, 0, NULL);
    if (x->ahead) start_copy(&c, wide, inside);
    else
        gn_v_write(x, d->object, gn_own_args(x, d),
                   gn_v_select(x, inside, gn_v_expr(x, d->body), gn_v_zero(&x->b, d->dtype)));
    x->b.block = outer;
    g->flat = (gn_leafset){ { 0 } };
    memcpy(x->env, before, g->leaves.n * sizeof *before);
}

/* ---- matrix operations on registers of threads ---- */

/* The leaves' values that make up a register's coordinate: constants by value, threads by name. */
static void set_coord(gn_expander *x, const gn_ldef *d, const gn_tile_coord *c, char dim)
{
    gn_lower *g = x->g;
    const gn_tile_op *row = d->row;
    int rest = c->constant;
    for (int i = 0; i < row->nleaf; i++) {
        if (row->leaf[i].dim != dim) continue;
        const uint32_t l = d->tile->leaf.at[i];
        const gn_dim *v = gn_lconst(g, rest / row->leaf[i].stride % row->leaf[i].extent);
        /* another leaf's value times a factor that is a multiple of this digit's stride */
        for (int j = 0; j < row->nleaf; j++)
            if (c->factor[j] && c->factor[j] >= row->leaf[i].stride &&
                c->factor[j] < row->leaf[i].stride * row->leaf[i].extent)
                v = gn_ladd(g, v,
                            gn_lscale(g, g->leaves.at[d->tile->leaf.at[j]].value, c->factor[j] / row->leaf[i].stride));
        x->env[l] = v;
    }
}

/* Operands are zero past the end of the sum: what is kept in memory is, anything else is made so. */
static bool is_zero_padded(const gn_lower *g, const gn_kexpr *e)
{
    return e->kind == GN_K_REF && g->def[e->u.ref]->red == GN_RED_NONE && g->def[e->u.ref]->object->level != GN_LEVEL_REG;
}

static void operand(gn_expander *x, const gn_ldef *d, const gn_tile_operand *o, const char *dims, const gn_kexpr *e,
                    const gn_val **out)
{
    for (int r = 0; r < o->nregs; r++) {
        set_coord(x, d, &o->reg[r].row, dims[0]);
        set_coord(x, d, &o->reg[r].col, dims[1]);
        gn_set_point(x, d);
        out[r] = gn_v_expr(x, e);
        if (!is_zero_padded(x->g, e))
            out[r] = gn_v_select(x, gn_guard_preds(x, d->nraxis, d->raxis), out[r],
                                 gn_v_zero(&x->b, (gn_dtype)out[r]->dtype));
    }
}

static bool mentions_axis_of(const gn_lower *g, const gn_ldef *d, const gn_kexpr *e, char dim)
{
    for (size_t i = 0; i < e->nindex; i++)
        for (int j = 0; j < d->row->nleaf; j++) {
            if (d->row->leaf[j].dim != dim) continue;
            for (uint32_t a = 0; a < g->axes.n; a++)
                if (gn_has_leaf(&g->axes.at[a], d->tile->leaf.at[j]) &&
                    gn_dim_mentions(e->index[i], g->axes.at[a].name))
                    return true;
        }
    return false;
}

/* A unit widens what it multiplies itself: the factor as it is in memory. */
static const gn_kexpr *narrow(const gn_ldef *d, const gn_kexpr *e, const gn_tile_operand *o)
{
    const bool widens = d->row->kind == GN_TILE_UNIT && e->kind == GN_K_OP && e->u.op == &gn_op_cast;
    return widens && e->dtype == d->row->c.dtype && e->a[0]->dtype == o->dtype ? e->a[0] : e;
}

void gn_tile_factors(const gn_lower *g, const gn_ldef *d, const gn_kexpr **factor)
{
    const gn_kexpr *const a[] = { narrow(d, d->body->a[0], &d->row->a), narrow(d, d->body->a[1], &d->row->a) };
    const bool swapped = mentions_axis_of(g, d, a[0], 'n');
    factor[0] = a[swapped], factor[1] = a[!swapped];
    if (mentions_axis_of(g, d, factor[0], 'n') || mentions_axis_of(g, d, factor[1], 'm'))
        gn_illegal(g, "tensorize %s %s: the factors are not A(m, k) and B(k, n)", d->name, d->row->name);
}

uint32_t gn_first_register(const gn_expander *x, const gn_object *o)
{
    const gn_lower *g = x->g;
    const gn_leafset row = gn_row_leaves(o->def);
    uint32_t number = 0;
    for (size_t i = 0; i < o->dims.n; i++) {
        const uint32_t l = o->dims.at[i];
        int64_t c = 0;
        const bool own = gn_set_has(&row, l);
        if (own && o->opaque) continue;
        if (!own) GN_ASSERT(x->env[l] && gn_dim_is_const(x->env[l], &c));
        number = number * (uint32_t)gn_points(g, l) + (uint32_t)c;
    }
    return number;
}

void gn_expand_tile_mma(gn_expander *x, const gn_tree *s)
{
    gn_lower *g = x->g;
    gn_ldef *d = s->def;
    const gn_tile_op *row = d->row;
    const gn_kexpr *factor[2];
    gn_tile_factors(g, d, factor);
    const gn_dim **before = gn_env_copy(g, x->env);
    gn_points_iter it;
    gn_points_begin(g, &it, gn_set_minus(gn_stmt_leaves(s), gn_row_leaves(d)));
    while (gn_points_next(g, &it, x->env)) {
        gn_tile_args *t = gn_code_tile(g->code, row, 0);
        t->acc = d->object->place;
        operand(x, d, &row->a, "mk", factor[0], t->a);
        operand(x, d, &row->b, "kn", factor[1], t->b);
        t->c[0] = gn_first_register(x, d->object);
        gn_fragment_registers(d->object->place, t->c);
        gn_v_node(&x->b, GN_CODE_TILE)->tile = t;
        for (size_t i = 0; i < d->tile->leaf.n; i++) x->env[d->tile->leaf.at[i]] = before[d->tile->leaf.at[i]];
    }
}
