/* Placement: statements go into one tree of loops, one after the other, each sharing as many of the open loops as the
 * definitions it reads allow. The rule is section "placement" of docs/kernel-text.md; it decides alone what is fused
 * with what. */
#include "lower.h"

gn_tree *gn_tree_new(gn_lower *g, gn_tree_kind kind)
{
    gn_tree *t = GN_NEW_OBJECT(g->arena, gn_tree);
    t->kind = (uint8_t)kind;
    return t;
}

bool gn_is_inside(const gn_ldef *q, const gn_tree *loop)
{
    for (size_t i = 0; i < q->main->above.n; i++)
        if (q->main->above.at[i] == loop) return true;
    return false;
}

/* ---- the tree ---- */

static void touch_by(gn_lower *g, gn_ldef *q, gn_tree *s)
{
    if (!q->touched.n || q->touched.at[q->touched.n - 1] != s) gn_push(g->arena, &q->touched, s);
}

static void touch(gn_lower *g, gn_tree *s)
{
    gn_ldef *d = s->def;
    if (s->stmt == GN_STMT_UPD || s->stmt == GN_STMT_ASG || s->stmt == GN_STMT_STORE)
        for (size_t r = 0; r < d->refs.n; r++) {
            gn_ldef *q = g->def[d->refs.at[r]->u.ref];
            if (q != d) touch_by(g, q, s);
        }
    if (s->stmt == GN_STMT_INIT && d->state[0].first) touch_by(g, g->def[d->state[0].first->u.ref], s);
    if (!d->is_store) gn_push(g->arena, &d->touched, s);
    if (s->online) gn_push(g->arena, &s->online->touched, s);
}

static gn_tree *new_stmt(gn_lower *g, gn_ldef *d, gn_stmt_kind kind)
{
    gn_tree *s = gn_tree_new(g, GN_NODE_STMT);
    s->stmt = (uint8_t)kind;
    s->def = d;
    return s;
}

static gn_tree *new_loop(gn_lower *g, uint32_t leaf)
{
    gn_tree *n = gn_tree_new(g, GN_NODE_FOR);
    n->leaf = leaf;
    return n;
}

static gn_tree *place(gn_lower *g, const gn_candidate *c)
{
    gn_ldef *d = c->d;
    size_t own;
    const gn_path p = gn_stmt_path(g, d, c->merge, &own);
    const gn_stmt_kind kind = c->merge ? GN_STMT_MERGE : gn_main_stmt(d);
    gn_place_close(g, c->depth);
    gn_tree *parent = g->open.n ? g->open.at[g->open.n - 1] : g->root;
    for (size_t i = g->open.n; i < p.n; i++) {
        gn_tree *n = new_loop(g, p.leaf[i]);
        gn_push(g->arena, &parent->kids, n);
        gn_push(g->arena, &g->open, n);
        parent = n;
    }
    gn_tree *s = new_stmt(g, d, kind);
    gn_push(g->arena, &parent->kids, s);
    for (size_t i = 0; i < g->open.n; i++) gn_push(g->arena, &s->above, g->open.at[i]);
    touch(g, s);
    if (kind == GN_STMT_ASG && d->stage->at == GN_AT_ROOT) g->open.n = 0; /* a step of its own */
    return s;
}

static void insert_kid(gn_lower *g, gn_tree *parent, const gn_tree *before, gn_tree *kid)
{
    gn_push(g->arena, &parent->kids, kid);
    size_t i = parent->kids.n - 1;
    for (; i > 0; i--) {
        parent->kids.at[i] = parent->kids.at[i - 1];
        if (parent->kids.at[i - 1] == before) break;
    }
    parent->kids.at[i > 0 ? i - 1 : 0] = kid;
}

/* A statement `depth` loops into those of `ref`, before the child that holds it, with loops of its own for the leaves
 * that remain.
 */
static void insert(gn_lower *g, gn_ldef *d, gn_stmt_kind kind, const gn_tree *ref, size_t depth, gn_leafset leaves,
                   gn_ldef *online)
{
    gn_tree *s = new_stmt(g, d, kind), *parent = depth ? ref->above.at[depth - 1] : g->root, *top = NULL, *inner = NULL;
    s->online = online;
    for (size_t i = 0; i < depth; i++) {
        gn_push(g->arena, &s->above, ref->above.at[i]);
        gn_set_drop(&leaves, ref->above.at[i]->leaf);
    }
    const gn_path p = gn_path_of(g, leaves);
    for (uint32_t i = 0; i < p.n; i++) {
        gn_tree *n = new_loop(g, p.leaf[i]);
        if (inner)
            gn_push(g->arena, &inner->kids, n);
        else
            top = n;
        inner = n;
        gn_push(g->arena, &s->above, n);
    }
    if (inner) gn_push(g->arena, &inner->kids, s);
    insert_kid(g, parent, depth < ref->above.n ? ref->above.at[depth] : ref, top ? top : s);
    touch(g, s);
}

static gn_leafset init_leaves(const gn_ldef *d)
{
    return gn_set_minus(gn_set_or(d->params, d->private), d->scanned);
}

/* ---- reductions: init outside the first reduced loop, and anew in each turn of a running maximum ---- */

bool gn_depends_on(gn_lower *g, const gn_ldef *d, gn_ldef *m)
{
    if (!m->reaches) {
        m->reaches = GN_NEW_ARRAY(g->arena, bool, g->items.n);
        m->reaches[m->index] = true;
        for (size_t i = m->index; i < g->items.n; i++) /* uses stand behind what they use */
            for (size_t u = 0; m->reaches[i] && u < g->items.at[i]->users.n; u++)
                m->reaches[g->items.at[i]->users.at[u]->index] = true;
    }
    return m->reaches[d->index];
}

/* Behind the step of m that the correction is of: inside the loops that both share. */
static size_t turn_depth(gn_lower *g, const gn_ldef *d, const gn_ldef *m, const gn_tree *upd, size_t depth)
{
    for (; depth < upd->above.n && gn_is_inside(m, upd->above.at[depth]); depth++) {
        const uint32_t l = upd->above.at[depth]->leaf;
        if (!gn_set_has(&d->params, l) && !gn_set_has(&d->private, l))
            gn_illegal(g, "online %s: '%s' shares the loop '%s', which it is reduced along", m->name, d->name,
                       g->leaves.at[l].name);
    }
    return depth;
}

/* The sum relative to what m is after its step. */
static const gn_kexpr *corrected(gn_lower *g, const gn_ldef *d, const gn_ldef *m)
{
    const gn_kexpr *a[2] = { gn_kexpr_state(g->kernel, d->dtype, 0, false), NULL };
    const gn_dim **own = GN_NEW_ARRAY(g->arena, const gn_dim *, m->nparam + 1u);
    for (size_t p = 0; p < m->nparam; p++) own[p] = gn_dim_sym(g->dims, g->axes.at[m->param[p]].name);
    a[1] = gn_kexpr_part(g->kernel, (uint32_t)gn_kernel_find_def(g->kernel, m->name), 1, own);
    return gn_kexpr_op(g->kernel, &gn_op_mul, d->dtype, a, 2);
}

static void insert_turn(gn_lower *g, gn_ldef *d, const gn_tree *upd)
{
    for (size_t i = 0; i < g->online.n; i++) {
        gn_ldef *m = g->online.at[i];
        if (m == d || !gn_depends_on(g, d, m)) continue;
        for (size_t j = 0; j < upd->above.n; j++)
            /* else m is whole there */
            if (upd->above.at[j]->leaf == (uint32_t)m->online && gn_is_inside(m, upd->above.at[j])) {
                d->turn = corrected(g, d, m);
                insert(g, d, GN_STMT_INIT, upd, turn_depth(g, d, m, upd, j + 1), gn_set_or(d->params, d->private), m);
                return;
            }
    }
}

static void place_reduction(gn_lower *g, const gn_candidate *c)
{
    gn_ldef *d = c->d;
    const gn_tree *s = d->main = place(g, c);
    size_t first = 0;
    while (first < s->above.n && (!gn_set_has(&d->reduced, s->above.at[first]->leaf) ||
                                  g->leaves.at[s->above.at[first]->leaf].bind == GN_BIND_THREAD))
        first++;
    insert(g, d, GN_STMT_INIT, s, first, init_leaves(d), NULL);
    insert_turn(g, d, s);
}

/* ---- steps ---- */

static bool opens_step(const gn_lower *g, const gn_tree *t)
{
    if (t->kind != GN_NODE_FOR) return false;
    const uint8_t b = g->leaves.at[t->leaf].bind;
    return b == GN_BIND_PART || b == GN_BIND_BLOCK;
}

/* A nest under a part loop is a parallel step, what stands between is a step of one part. */
static void cut_steps(gn_lower *g)
{
    gn_tree *root = gn_tree_new(g, GN_NODE_STEP), *step = NULL;
    for (size_t i = 0; i < g->root->kids.n; i++) {
        gn_tree *t = g->root->kids.at[i];
        const bool parallel = opens_step(g, t);
        if (!step || parallel || step->parallel) {
            step = gn_tree_new(g, GN_NODE_STEP);
            step->parallel = parallel;
            gn_push(g->arena, &root->kids, step);
        }
        gn_push(g->arena, &step->kids, t);
    }
    g->root = root;
}

void gn_lower_place(gn_lower *g)
{
    g->root = gn_tree_new(g, GN_NODE_STEP);
    gn_place_begin(g);
    for (gn_candidate c; gn_place_next(g, &c);) {
        gn_ldef *d = c.d;
        if (c.merge) place(g, &c);
        else if (d->red == GN_RED_NONE) d->main = place(g, &c);
        else {
            place_reduction(g, &c);
            d->updated = gn_is_merged(d);
        }
        if (c.merge || !d->updated) gn_place_done(g, d);
        else gn_place_ready(g, d);
    }
    for (size_t i = 0; i < g->items.n; i++) GN_ASSERT(g->items.at[i]->done);
    cut_steps(g);
}

gn_leafset gn_stmt_leaves(const gn_tree *s)
{
    const gn_ldef *d = s->def;
    switch ((gn_stmt_kind)s->stmt) {
    case GN_STMT_UPD: return gn_set_or(d->params, d->reduced);
    case GN_STMT_INIT: return init_leaves(d);
    default: return d->params;
    }
}
