/* Copies that all threads of a block make together, and operations that are rows of the target's tile table. */
#include "expand.h"

/* ---- shared: a flat index over all elements, dealt out to the threads ---- */

/* p: of `inside`, with room for one more. */
static void start_copy(gn_expander *x, const gn_ldef *d, gn_preds inside, gn_pred *p)
{
    gn_lower *g = x->g;
    gn_code_node *n = gn_code_make(g->code, GN_CODE_ASYNC);
    p[inside.n++] = *x->ahead;
    n->access = (gn_access){ .place = d->object->place, .when = inside };
    n->access.base = gn_object_address(g, d->object, gn_own_args(x, d), x->env);
    n->source.place = g->code->places.at[d->body->u.ref];
    n->source.base = gn_subst_axes(g, gn_kernel_flat(g->kernel, d->body->u.ref, d->body->index), x->axis);
    gn_v_node(&x->b, n);
}

void gn_expand_shared(gn_expander *x, const gn_tree *s)
{
    gn_lower *g = x->g;
    gn_ldef *d = s->def;
    const gn_stage *st = d->stage;
    const uint32_t *leaf = st->copy.n ? st->copy.at : d->object->dims.at;
    const size_t n = st->copy.n ? st->copy.n : d->object->dims.n;
    gn_code_node *loop = gn_code_make(g->code, GN_CODE_FOR);
    gn_code_body *outer = x->b.block;
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
    gn_v_node(&x->b, loop);
    x->b.block = &loop->body;
    const size_t mark = gn_v_mark(&x->b);
    gn_set_point(x, d);
    gn_pred *p = GN_NEW_ARRAY(g->arena, gn_pred, x->guards.n + 2);
    for (size_t i = 0; i < x->guards.n; i++) p[i] = gn_pred_less(x, x->guards.at[i].value, x->guards.at[i].extent);
    const gn_preds inside = { (uint32_t)x->guards.n, p };
    if (x->ahead) start_copy(x, d, inside, p);
    else
        gn_v_write(x, d->object, gn_own_args(x, d),
                   gn_v_select(x, inside, gn_v_expr(x, d->body), gn_v_zero(&x->b, d->dtype)));
    gn_v_release(&x->b, mark);
    gn_v_forget(&x->b, d->object->place);
    x->b.block = outer;
    g->flat = (gn_leafset){ { 0 } };
    memcpy(x->env, before, g->leaves.n * sizeof *before);
}

/* ---- copies: a transposition from rows to lanes ---- */

static const gn_dim *source_at(gn_expander *x, const gn_ldef *d)
{
    gn_lower *g = x->g;
    const gn_dim **value = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n + 1);
    for (size_t p = 0; p < d->nparam; p++) value[d->param[p]] = gn_axis_value(g, d->param[p], x->env);
    return gn_subst_axes(g, gn_kernel_flat(g->kernel, d->body->u.ref, d->body->index), value);
}

/* How many points of the leaf are inside, from its first on; more than its points do no harm, fewer than none neither. */
static const gn_dim *points_left(gn_expander *x, const gn_ldef *d, uint32_t leaf)
{
    gn_lower *g = x->g;
    for (size_t p = 0; p < d->nparam; p++) {
        const gn_laxis *a = &g->axes.at[d->param[p]];
        for (size_t j = 0; j < a->leaf.n; j++) {
            if (a->leaf.at[j] != leaf) continue;
            if (a->stride.at[j] != 1)
                gn_illegal(g, "tensorize %s: the leaf '%s' is not innermost in its split", d->name,
                           g->leaves.at[leaf].name);
            const gn_dim *left = gn_lsub(g, gn_subst_axes(g, a->extent, x->axis), x->axis[d->param[p]]);
            if (!gn_dim_at_least(g, left, gn_points(g, leaf)) && !gn_set_has(&g->full, d->param[p])) return left;
        }
    }
    return gn_lconst(g, gn_points(g, leaf));
}

void gn_expand_tile_copy(gn_expander *x, const gn_tree *s)
{
    gn_lower *g = x->g;
    gn_ldef *d = s->def;
    const uint32_t row = d->tile->leaf.at[0], lane = d->tile->leaf.at[1]; /* contiguous in the source; in the copy */
    gn_leafset others = d->params;
    for (size_t i = 0; i < d->tile->leaf.n; i++)
        others.w[d->tile->leaf.at[i] / 64] &= ~(UINT64_C(1) << (d->tile->leaf.at[i] % 64));
    x->lane = -1;
    x->b.lane = NULL, x->b.lanes = 1;
    gn_points_iter it;
    gn_points_begin(g, &it, others);
    while (gn_points_next(g, &it, x->env)) {
        x->env[row] = x->env[lane] = gn_lconst(g, 0);
        gn_set_point(x, d);
        const gn_dim *src = source_at(x, d), *dst = gn_object_address(g, d->object, gn_own_args(x, d), x->env);
        const gn_dim *ncols = points_left(x, d, row), *nrows = points_left(x, d, lane);
        x->env[lane] = gn_lconst(g, 1);
        const gn_dim *src_stride = gn_lsub(g, source_at(x, d), src);
        const gn_dim *lane_step = gn_lsub(g, gn_object_address(g, d->object, gn_own_args(x, d), x->env), dst);
        x->env[lane] = gn_lconst(g, 0);
        x->env[row] = gn_lconst(g, 1);
        const gn_dim *row_step = gn_lsub(g, source_at(x, d), src);
        const gn_dim *dst_stride = gn_lsub(g, gn_object_address(g, d->object, gn_own_args(x, d), x->env), dst);
        if (!gn_dim_is(row_step, 1))
            gn_illegal(g, "tensorize %s %s: the source is not contiguous along '%s'", d->name, d->row->name,
                       g->leaves.at[row].name);
        x->env[row] = g->leaves.at[row].value, x->env[lane] = g->leaves.at[lane].value;
        const gn_dim *moves =
            gn_ladd(g, g->leaves.at[row].value, gn_dim_mul(g->dims, src_stride, g->leaves.at[lane].value));
        if (gn_lsub(g, source_at(x, d), moves) != src)
            gn_illegal(g, "tensorize %s %s: its source is no matrix along '%s' and '%s'", d->name, d->row->name,
                       g->leaves.at[row].name, g->leaves.at[lane].name);
        if (!gn_dim_is(lane_step, 1))
            gn_illegal(g, "tensorize %s %s: the copy is not contiguous along '%s'", d->name, d->row->name,
                       g->leaves.at[lane].name);
        gn_code_node *t = gn_code_make(g->code, GN_CODE_TILE);
        gn_tile_args *const a = t->tile = gn_code_tile(g->code, d->row, 0);
        a->memory[0].place = d->object->place, a->memory[0].base = dst, a->memory[0].stride = dst_stride;
        a->memory[1].place = g->code->places.at[d->body->u.ref];
        a->memory[1].base = src, a->memory[1].stride = src_stride;
        a->count[0] = ncols, a->count[1] = nrows;
        gn_v_node(&x->b, t);
    }
    gn_v_forget(&x->b, d->object->place);
    x->env[row] = x->env[lane] = NULL;
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

static gn_preds reduced_guards(gn_expander *x, const gn_ldef *d)
{
    gn_pred *p = GN_NEW_ARRAY(x->g->arena, gn_pred, x->guards.n + 1);
    uint32_t n = 0;
    for (size_t i = 0; i < x->guards.n; i++)
        for (size_t a = 0; a < d->nraxis; a++)
            if (d->raxis[a] == x->guards.at[i].axis)
                p[n++] = gn_pred_less(x, x->guards.at[i].value, x->guards.at[i].extent);
    return (gn_preds){ n, p };
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
            out[r] = gn_v_select(x, reduced_guards(x, d), out[r], gn_v_zero(&x->b, (gn_dtype)out[r]->dtype));
    }
}

static bool mentions_axis_of(const gn_lower *g, const gn_ldef *d, const gn_kexpr *e, char dim)
{
    for (size_t i = 0; i < e->nindex; i++)
        for (int j = 0; j < d->row->nleaf; j++) {
            if (d->row->leaf[j].dim != dim) continue;
            for (uint32_t a = 0; a < g->axes.n; a++)
                for (size_t k = 0; k < g->axes.at[a].leaf.n; k++)
                    if (g->axes.at[a].leaf.at[k] == d->tile->leaf.at[j] && gn_dim_mentions(e->index[i], g->axes.at[a].name))
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

/* Of the fragment at the point: where all leaves of the row are 0. */
static uint32_t first_register(const gn_expander *x, const gn_ldef *d)
{
    const gn_lower *g = x->g;
    uint32_t number = 0;
    for (size_t i = 0; i < d->object->dims.n; i++) {
        const uint32_t l = d->object->dims.at[i];
        int64_t c = 0;
        bool own = false;
        for (size_t k = 0; k < d->tile->leaf.n; k++) own |= d->tile->leaf.at[k] == l;
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
    gn_leafset others = gn_set_or(d->params, d->reduced);
    const gn_dim **before = gn_env_copy(g, x->env);
    for (size_t i = 0; i < d->tile->leaf.n; i++)
        others.w[d->tile->leaf.at[i] / 64] &= ~(UINT64_C(1) << (d->tile->leaf.at[i] % 64));
    gn_points_iter it;
    gn_points_begin(g, &it, others);
    while (gn_points_next(g, &it, x->env)) {
        gn_code_node *t = gn_code_make(g->code, GN_CODE_TILE);
        t->tile = gn_code_tile(g->code, row, 0);
        t->tile->acc = d->object->place;
        operand(x, d, &row->a, "mk", factor[0], t->tile->a);
        operand(x, d, &row->b, "kn", factor[1], t->tile->b);
        t->tile->c[0] = first_register(x, d);
        gn_fragment_registers(d->object->place, t->tile->c);
        gn_v_node(&x->b, t);
        for (size_t i = 0; i < d->tile->leaf.n; i++) x->env[d->tile->leaf.at[i]] = before[d->tile->leaf.at[i]];
    }
    gn_v_forget(&x->b, d->object->place);
    gn_v_forget_held(&x->b);
}
