/* Copies that all threads of a block make together, and tile products of threads' registers. */
#include "expand.h"

/* ---- shared: a flat index over all elements, dealt out to the threads ---- */

static void start_copy(gn_expander *x, const gn_ldef *d, gn_preds inside)
{
    gn_lower *g = x->g;
    gn_code_node *n = gn_v_node(&x->b, GN_CODE_ASYNC);
    n->access = (gn_access){ .place = d->object->place, .when = gn_preds_joined(x, inside, (gn_preds){ 1, x->ahead }) };
    n->access.base = gn_object_address(g, d->object, gn_own_args(x, d), x->env);
    n->source.place = g->code->places.at[d->body->u.ref];
    n->source.base = gn_subst_axes(g, gn_kernel_flat(g->kernel, d->body->u.ref, d->body->index), x->axis);
}

void gn_expand_shared(gn_expander *x, const gn_tree *s)
{
    gn_lower *g = x->g;
    gn_ldef *d = s->def;
    const gn_stage *st = d->stage;
    const uint32_t *leaf = st->copy.n ? st->copy.at : d->object->dims.at;
    const size_t n = st->copy.n ? st->copy.n : d->object->dims.n;
    gn_code_body *outer = x->b.block;
    gn_code_node *loop = gn_v_open(x, GN_CODE_FOR);
    loop->dealt = true;
    loop->var = gn_lower_name(g, NULL, gn_arena_printf(g->arena, "c%u", x->ndealt++));
    const gn_dim *c = gn_dim_sym(g->dims, loop->var), **before = gn_env_copy(g, x->env);
    int64_t total = 1;
    for (size_t i = 0; i < n; i++) total *= gn_points(g, leaf[i]);
    loop->var = c->term[0].atom[0]->name;
    gn_push(g->arena, &g->facts, (gn_dim_fact){ .name = loop->var, .mul = 1, .min = 0, .max = total - 1 });
    for (size_t i = n, f = 1; i-- > 0;) {
        const int64_t e = gn_points(g, leaf[i]);
        const gn_dim *digit = gn_dim_div(g->dims, c, gn_lconst(g, (int64_t)f));
        x->env[leaf[i]] = (int64_t)f * e < total ? gn_dim_mod(g->dims, digit, gn_lconst(g, e)) : digit;
        f *= (size_t)e;
        gn_set_put(&g->flat, leaf[i]);
    }
    loop->to = gn_lconst(g, total);
    gn_set_point(x, d);
    const gn_preds inside = gn_guard_preds(x, 0, NULL);
    if (x->ahead) start_copy(x, d, inside);
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

void gn_tile_factors(const gn_lower *g, const gn_ldef *d, const gn_kexpr **factor)
{
    const bool swapped = mentions_axis_of(g, d, d->body->a[0], 'n');
    factor[0] = d->body->a[swapped], factor[1] = d->body->a[!swapped];
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
