/* Expansion of the tree: loops (peeled ones become three), and every statement over its tile points. */
#include "cut.h"
#include "expand.h"

/* ---- statements ---- */

/* What a register holds would be another value once that of the state is set. */
const gn_val *gn_v_kept(gn_expander *x, const gn_val *v)
{
    const gn_val *r = v->kind == GN_VAL_SPLAT ? v->a[0] : v;
    return r->kind == GN_VAL_REG ? gn_v_copy(&x->b, v) : v;
}

static void expand_upd(gn_expander *x, gn_ldef *d, const gn_dim *const *arg)
{
    const gn_val *next[GN_FOLD_MOST];
    for (uint16_t i = 0; i < d->nstates; i++) x->state[i] = gn_v_read(x, gn_accumulator_of(&d->state[i]), arg);
    const gn_preds inside = gn_guard_preds(x, d->nraxis, d->raxis); /* past the extent it keeps its bits */
    for (uint16_t i = 0; i < d->nstates; i++) {
        const gn_kexpr *past = d->state[i].past;
        next[i] = gn_v_select(x, inside, gn_v_expr(x, d->state[i].step), past ? gn_v_const(x, past) : x->state[i]);
    }
    for (uint16_t i = 0; d->nstates > 1 && i < d->nstates; i++) next[i] = gn_v_kept(x, next[i]);
    for (uint16_t i = 0; i < d->nstates; i++) gn_v_write(x, gn_accumulator_of(&d->state[i]), arg, next[i]);
}

gn_code_node *gn_v_open(gn_expander *x, gn_code_kind kind)
{
    gn_code_node *n = gn_v_node(&x->b, kind);
    x->b.block = &n->body;
    return n;
}

static void expand_store(gn_expander *x, gn_ldef *d)
{
    gn_lower *g = x->g;
    const gn_kstore *s = d->store;
    const gn_val *v = gn_v_expr(x, d->body);
    const gn_preds guards = gn_guard_preds(x, d->nparam, d->param);
    gn_preds uniform, varying;
    gn_preds_split(x, guards.at, guards.n, &uniform, &varying);
    const gn_dim *flat = gn_kernel_flat(g->kernel, s->buf, s->index);
    gn_code_body *outer = x->b.block;
    if (uniform.n) gn_v_open(x, GN_CODE_IF)->when = uniform;
    const gn_val *mask = varying.n ? gn_v_mask(x, varying) : NULL;
    const gn_place *place = g->code->places.at[s->buf];
    const gn_access a = gn_v_access(&x->b, place, gn_subst_axes(g, flat, gn_dim_has_load(flat) ? x->inside : x->axis),
                                    mask, (gn_preds){ 0 }, guards);
    if (s->kind != GN_STORE_SET) {
        const gn_val *old = gn_v_load(&x->b, d->dtype, x->b.lanes, &a);
        v = gn_v_op2(&x->b, s->kind == GN_STORE_ADD ? &gn_op_add : &gn_op_maximum, old, v);
    }
    gn_v_store(&x->b, &a, v);
    x->b.block = outer;
}

static void expand_asg(gn_expander *x, gn_ldef *d, const gn_dim *const *arg)
{
    for (uint16_t i = 0; i < d->nstates; i++) {
        gn_object *o = d->state[i].object;
        const gn_val *v = gn_v_expr(x, d->fold ? d->body->a[i] : d->body);
        if (o->level != GN_LEVEL_REG)
            v = gn_v_select(x, gn_guard_preds(x, d->nparam, d->param), v, gn_v_zero(&x->b, o->dtype));
        gn_v_write(x, o, arg, v);
    }
}

static void expand_init(gn_expander *x, const gn_tree *s, const gn_dim *const *arg)
{
    const gn_ldef *d = s->def;
    for (uint16_t i = 0; i < d->nstates; i++) {
        gn_object *o = gn_accumulator_of(&d->state[i]);
        if (s->online) x->state[i] = gn_v_read(x, o, arg);
        if (s->online) gn_v_write(x, o, arg, gn_v_expr(x, d->turn));
        else if (d->state[i].first) gn_v_write(x, o, arg, gn_v_leaf(x, d->state[i].first));
        else if (d->state[i].start) gn_v_write(x, o, arg, gn_v_const(x, d->state[i].start));
    }
}

static void expand_point(gn_expander *x, const gn_tree *s)
{
    gn_ldef *d = s->def;
    const gn_dim *const *arg = gn_own_args(x, d);
    switch ((gn_stmt_kind)s->stmt) {
    case GN_STMT_INIT: expand_init(x, s, arg); break;
    case GN_STMT_UPD: (gn_set_empty(d->scanned) ? expand_upd : gn_expand_scan)(x, d, arg); break;
    case GN_STMT_MERGE: gn_expand_merge(x, d, arg); break;
    case GN_STMT_ASG: expand_asg(x, d, arg); break;
    case GN_STMT_STORE: expand_store(x, d); break;
    }
}

/* Axes that a statement's own point does not have (init walks no reduced axis) get no value. */
static void set_axes(gn_expander *x, const gn_tree *s)
{
    gn_ldef d = *s->def;
    if (s->stmt != GN_STMT_UPD) d.nraxis = 0;
    gn_set_point(x, &d);
}

static void set_lane(gn_expander *x, gn_leafset leaves)
{
    x->lane = gn_lane_leaf(x->g, leaves);
    x->b.lane = x->lane >= 0 ? x->g->leaves.at[x->lane].name : NULL;
    x->b.lanes = x->lane >= 0 ? (uint16_t)gn_points(x->g, (uint32_t)x->lane) : 1;
}

static gn_preds one_thread(gn_expander *x, const gn_tree *s)
{
    gn_lower *g = x->g;
    gn_pred *p = GN_NEW_ARRAY(g->arena, gn_pred, g->leaves.n);
    uint32_t n = 0;
    for (uint32_t l = 0; l < g->leaves.n; l++)
        if (gn_set_has(&s->alone, l)) p[n++] = gn_pred_less(x, g->leaves.at[l].value, gn_lconst(g, 1));
    return (gn_preds){ n, p };
}

static void expand_points(gn_expander *x, const gn_tree *s, gn_leafset leaves)
{
    gn_points_iter it;
    gn_points_begin(x->g, &it, leaves);
    while (gn_points_next(x->g, &it, x->env)) {
        set_axes(x, s);
        expand_point(x, s);
    }
}

static bool reads_registers(const gn_lower *g, const gn_ldef *d)
{
    for (size_t i = 0; i < d->refs.n; i++) {
        const gn_ldef *q = g->def[d->refs.at[i]->u.ref];
        if (q->object && q->object->level == GN_LEVEL_REG) return true;
    }
    return false;
}

/* The unrolled leaf of a copy from memory into memory, element by element: no register is named by its points, so that
 * a loop does. */
static int32_t looped_leaf(const gn_expander *x, const gn_tree *s, gn_leafset leaves)
{
    const gn_lower *g = x->g;
    if (s->stmt != GN_STMT_ASG || x->lane >= 0 || g->cuda || s->def->object->level == GN_LEVEL_REG ||
        reads_registers(g, s->def))
        return -1;
    for (uint32_t l = 0; l < g->leaves.n; l++)
        if (gn_set_has(&leaves, l) && gn_is_tile_leaf(g, l) && gn_points(g, l) > 1) return (int32_t)l;
    return -1;
}

static void expand_looped(gn_expander *x, const gn_tree *s, uint32_t leaf, gn_leafset leaves)
{
    gn_lower *g = x->g;
    gn_code_body *outer = x->b.block;
    gn_code_node *loop = gn_v_open(x, GN_CODE_FOR);
    loop->var = g->leaves.at[leaf].name, loop->to = g->leaves.at[leaf].points;
    const gn_dim *before = x->env[leaf];
    x->env[leaf] = g->leaves.at[leaf].value;
    gn_set_drop(&leaves, leaf);
    expand_points(x, s, leaves);
    x->env[leaf] = before;
    x->b.block = outer;
}

/* An axis without elements: the statement never runs, and its indices, times 0, may say nothing of the lanes. */
static bool never_runs(const gn_lower *g, const gn_tree *s)
{
    const gn_ldef *d = s->def;
    for (size_t p = 0; p < d->nparam; p++)
        if (gn_dim_is(g->axes.at[d->param[p]].extent, 0)) return true;
    for (size_t r = 0; s->stmt == GN_STMT_UPD && r < d->nraxis; r++)
        if (gn_dim_is(g->axes.at[d->raxis[r]].extent, 0)) return true;
    return false;
}

static void expand_stmt(gn_expander *x, const gn_tree *s)
{
    gn_lower *g = x->g;
    gn_ldef *d = s->def;
    if (never_runs(g, s)) return;
    x->stmt = s;
    gn_leafset leaves = gn_stmt_leaves(s);
    set_lane(x, gn_set_or(leaves, s->stmt == GN_STMT_MERGE ? d->private : leaves));
    if (s->stmt == GN_STMT_ASG && d->object->level == GN_LEVEL_SHARED) {
        gn_expand_shared(x, s);
        return;
    }
    if (s->stmt == GN_STMT_ASG && d->row) {
        gn_expand_tile_copy(x, s);
        return;
    }
    if (gn_is_opaque(d)) {
        gn_expand_unit(x, s);
        return;
    }
    if (s->stmt == GN_STMT_UPD && d->row) {
        gn_expand_tile_mma(x, s);
        return;
    }
    if (s->stmt == GN_STMT_UPD) leaves = gn_set_minus(leaves, d->scanned); /* whose points are one statement */
    gn_code_body *outer = x->b.block;
    const gn_preds alone = one_thread(x, s);
    if (alone.n) gn_v_open(x, GN_CODE_IF)->when = alone;
    const int32_t looped = looped_leaf(x, s, leaves);
    if (looped >= 0) expand_looped(x, s, (uint32_t)looped, leaves);
    else
        expand_points(x, s, leaves);
    x->b.block = outer;
}

/* ---- loops ---- */

static void expand_kids(gn_expander *x, const gn_tree *t);

/* Parallel loops are in the head of the step or of the code, where each has its value. */
static void open_loop(gn_expander *x, const gn_tree *t, const gn_dim *from, const gn_dim *to)
{
    const gn_lleaf *const l = &x->g->leaves.at[t->leaf];
    const char *const name = l->name;
    if (t->bind == GN_BIND_PART || t->bind == GN_BIND_BLOCK)
        gn_push(x->g->arena, &x->step->parts,
                ((gn_code_var){ .name = name, .count = to, .dim = l->grid, .cluster = l->cluster }));
    if (t->bind != GN_BIND_NONE) return;
    gn_code_node *n = gn_v_open(x, GN_CODE_FOR);
    n->var = name, n->from = from, n->to = to, n->unroll = t->unroll;
}

/* Turns of a loop, or some of them; of a cut one those in which `cut` holds, NULL: none. */
static void expand_turns(gn_expander *x, const gn_tree *t, const gn_dim *from, const gn_dim *to, const gn_cut *cut)
{
    gn_lower *g = x->g;
    const gn_leafset full = g->full;
    const gn_prover_mark known = gn_prover_remember(&g->turns);
    const gn_dim *v = g->leaves.at[t->leaf].value;
    gn_code_body *outer = x->b.block;
    if (from) gn_turns_know(g, gn_lsub(g, v, from));
    gn_turns_know(g, gn_lsub(g, gn_lsub(g, to, v), gn_lconst(g, 1)));
    for (size_t i = 0; cut && i < cut->holds.n; i++) gn_turns_know(g, cut->holds.at[i]);
    if (cut) g->full = gn_set_or(full, cut->full);
    open_loop(x, t, from, to);
    expand_kids(x, t);
    x->b.block = outer;
    g->full = full;
    gn_prover_forget(&g->turns, known);
}

/* Before, inside and behind the turns in which all conditions hold; far from the end of the axes, these are apart. */
static void expand_cut(gn_expander *x, const gn_tree *t, const gn_cut *cut, const gn_dim *to)
{
    gn_lower *g = x->g;
    gn_cut ends = *cut;
    ends.holds.n = cut->nends;
    const gn_dim *const none = gn_lconst(g, 0), *const last = cut->whole ? gn_turns_least(g, cut->whole, to) : to;
    const gn_cut *const known = cut->whole ? &ends : NULL;
    x->cuts++;
    if (cut->first) expand_turns(x, t, NULL, gn_turns_least(g, cut->first, last), known);
    expand_turns(x, t, cut->first, cut->end ? gn_turns_least(g, cut->end, to) : to, cut);
    if (cut->end) expand_turns(x, t, gn_turns_most(g, cut->end, cut->first ? cut->first : none), last, known);
    if (cut->whole) expand_turns(x, t, gn_turns_most(g, cut->whole, none), to, NULL);
    x->cuts--;
}

static void expand_loop(gn_expander *x, const gn_tree *t)
{
    gn_lower *g = x->g;
    const gn_dim *before = x->env[t->leaf];
    x->env[t->leaf] = NULL;
    const gn_dim *to = gn_loop_end(g, t->leaf, x->env); /* inside a peeled loop: all of them */
    x->env[t->leaf] = g->leaves.at[t->leaf].value;
    const gn_cut cut = gn_cut_of(g, t, x->env, to);
    if (cut.holds.n) expand_cut(x, t, &cut, to);
    else expand_turns(x, t, NULL, to, NULL);
    x->env[t->leaf] = before;
}

void gn_expand_kid(gn_expander *x, const gn_tree *t)
{
    if (t->kind == GN_NODE_STMT)
        expand_stmt(x, t);
    else if (t->kind == GN_NODE_FOR && gn_is_ring(t))
        gn_expand_ring(x, t);
    else if (t->kind == GN_NODE_FOR)
        expand_loop(x, t);
    else if (t->kind == GN_NODE_BUF && !gn_is_argument(t->object->place))
        gn_v_node(&x->b, GN_CODE_DECLARE)->place = t->object->place;
    else if (t->kind == GN_NODE_BARRIER)
        gn_v_node(&x->b, GN_CODE_BARRIER);
}

static void expand_kids(gn_expander *x, const gn_tree *t)
{
    for (size_t i = 0; i < t->kids.n; i++) gn_expand_kid(x, t->kids.at[i]);
}

static void expand_step(gn_lower *g, const gn_tree *t)
{
    gn_code_step step = { 0 };
    gn_expander x = { .g = g, .env = gn_env_copy(g, NULL), .step = &step };
    x.b.code = g->code, x.b.block = &step.body;
    expand_kids(&x, t);
    gn_push(g->arena, &g->code->steps, step);
}

void gn_lower_expand(gn_lower *g)
{
    g->turns = (gn_prover){ .pool = g->dims, .arena = g->arena };
    for (size_t i = 0; i < g->facts.n; i++) gn_push(g->arena, &g->turns.facts, g->facts.at[i]);
    for (size_t i = 0; i < g->order.n; i++) {
        const gn_lleaf *l = &g->leaves.at[g->order.at[i]];
        if (l->bind == GN_BIND_THREAD) gn_push(g->arena, &g->code->threads, (gn_code_var){ l->name, l->points });
    }
    for (size_t i = 0; i < g->root->kids.n; i++)
        if (g->root->kids.at[i]->kind == GN_NODE_STEP) expand_step(g, g->root->kids.at[i]);
}
