/* Placement: statements go into one tree of loops, one after the other, each sharing as many of the open loops as the definitions
 * it reads allow. The rule is section "placement" of docs/kernel-text.md; it decides alone what is fused with what. */
#include "lower.h"

typedef struct path {
    uint32_t n, leaf[GN_MAX_LEAVES];
} path;

gn_tree *gn_tree_new(gn_lower *g, gn_tree_kind kind)
{
    gn_tree *t = GN_NEW_OBJECT(g->arena, gn_tree);
    t->kind = (uint8_t)kind;
    return t;
}

static path path_of(const gn_lower *g, gn_leafset leaves)
{
    path p = { 0 };
    for (size_t i = 0; i < g->order.n; i++)
        if (gn_set_has(&leaves, g->order.at[i]) && !gn_is_tile_leaf(g, g->order.at[i])) p.leaf[p.n++] = g->order.at[i];
    return p;
}

static gn_leafset tile_leaves(const gn_ldef *d)
{
    gn_leafset s = { { 0 } };
    if (d->tile)
        for (size_t i = 0; i < d->tile->leaf.n; i++) gn_set_put(&s, d->tile->leaf.at[i]);
    return s;
}

/* Loops around the uses of d, up to and with the leaf it is staged at. */
static gn_leafset leaves_before(const gn_lower *g, gn_ldef *d)
{
    gn_leafset users = { { 0 } };
    if (d->has_before || d->stage->at < 0) return d->before;
    d->has_before = true;
    for (size_t i = 0; i < g->items.n; i++) {
        gn_ldef *u = g->items.at[i];
        bool uses = false;
        for (size_t r = 0; r < u->refs.n; r++) uses |= g->def[u->refs.at[r]->u.ref] == d;
        if (!uses) continue;
        users = gn_set_or(users, gn_set_or(u->params, u->reduced));
        if (u->stage && u->red == GN_RED_NONE && u->stage->at != GN_AT_NONE) users = gn_set_or(users, leaves_before(g, u));
    }
    const uint32_t last = g->leaves.at[d->stage->at].place;
    for (uint32_t i = 0; i <= last; i++)
        if (gn_set_has(&users, g->order.at[i])) gn_set_put(&d->before, g->order.at[i]);
    return d->before;
}

static bool is_copy(const gn_ldef *d)
{
    return !d->is_store && d->red == GN_RED_NONE;
}

static bool is_leaf_of(const gn_laxis *a, uint32_t leaf, int64_t stride)
{
    for (size_t i = 0; i < a->leaf.n; i++)
        if (a->leaf.at[i] == leaf && a->stride.at[i] == stride) return true;
    return false;
}

static const gn_laxis *axis_named_by(const gn_lower *g, const gn_dim *d)
{
    if (d->n != 1 || d->term[0].c != 1 || d->term[0].n != 1 || d->term[0].atom[0]->kind != GN_DIM_SYM) return NULL;
    const uintptr_t a = (uintptr_t)gn_map_get(&g->axis_of, GN_KEY(d->term[0].atom[0]->name));
    return a ? &g->axes.at[a - 1] : NULL;
}

/* Loops that a use of q at these arguments must not share: leaves of parameters whose argument does not run along with them. */
static gn_leafset forbidden(gn_lower *g, const gn_ldef *q, const gn_kexpr *ref)
{
    gn_leafset out = { { 0 } };
    for (size_t p = 0; ref && p < q->nparam; p++) {
        const gn_laxis *a = &g->axes.at[q->param[p]], *x = axis_named_by(g, ref->index[p]);
        if (a == x) continue;
        for (size_t i = 0; i < a->leaf.n; i++)
            if (!x || !is_leaf_of(x, a->leaf.at[i], a->stride.at[i])) gn_set_put(&out, a->leaf.at[i]);
    }
    return out;
}

static bool is_inside(const gn_ldef *q, const gn_tree *loop)
{
    for (size_t i = 0; i < q->main->above.n; i++)
        if (q->main->above.at[i] == loop) return true;
    return false;
}

/* Whether q is still being reduced inside this loop, for its user d. A loop over the same leaf that was opened later sees the whole value. */
static bool is_reducing(const gn_ldef *q, const gn_ldef *d, const gn_tree *loop)
{
    if (q->red == GN_RED_NONE || !gn_set_has(&q->reduced, loop->leaf)) return false;
    if (q->online == (int)loop->leaf && q->online_users[d->index]) return false;
    return is_inside(q, loop);
}

/* How many of the open loops may stay open after this use of q by d. */
static size_t allowed(gn_lower *g, const gn_ldef *d, const gn_ldef *q, const gn_kexpr *ref, size_t depth)
{
    if (is_copy(q) && q->stage->at != GN_AT_NONE) { /* beyond `at` the copy has loops of its own */
        size_t shared = 0, limit = 0;
        for (size_t i = 0; i < g->open.n; i++)
            for (size_t j = 0; j < q->main->above.n; j++) shared += q->main->above.at[j] == g->open.at[i];
        if (q->stage->at >= 0)
            for (size_t j = 0; j < q->main->above.n; j++)
                if (q->main->above.at[j]->leaf == (uint32_t)q->stage->at) limit = j + 1;
        if (shared > limit && limit < depth) depth = limit;
    }
    const gn_leafset no = forbidden(g, q, ref);
    for (size_t i = 0; i < g->open.n && i < depth; i++)
        if (gn_set_has(&no, g->open.at[i]->leaf) || is_reducing(q, d, g->open.at[i])) return i;
    return depth;
}

/* Path of the statement in *p; returns how many of the open loops it shares. */
static size_t shared_depth(gn_lower *g, gn_ldef *d, gn_stmt_kind kind, gn_leafset leaves, path *p)
{
    *p = path_of(g, leaves);
    size_t own = SIZE_MAX;
    if (kind == GN_STMT_ASG && d->stage->at != GN_AT_NONE) {
        const path before = path_of(g, leaves_before(g, d));
        path all = before;
        for (uint32_t i = 0; i < p->n; i++) {
            bool has = false;
            for (uint32_t j = 0; j < before.n; j++) has |= before.leaf[j] == p->leaf[i];
            if (!has) all.leaf[all.n++] = p->leaf[i];
        }
        *p = d->stage->level == GN_LEVEL_SHARED ? before : all; /* shared: all threads fill it, without loops */
        own = before.n;
    }
    size_t depth = 0;
    while (depth < p->n && depth < g->open.n && p->leaf[depth] == g->open.at[depth]->leaf) depth++;
    if (depth > own) depth = own;
    if (kind == GN_STMT_MERGE) return allowed(g, d, d, NULL, depth);
    for (size_t r = 0; r < d->refs.n; r++) depth = allowed(g, d, g->def[d->refs.at[r]->u.ref], d->refs.at[r], depth);
    return depth;
}

/* ---- the tree ---- */

static void touch(gn_lower *g, gn_tree *s)
{
    gn_ldef *d = s->def;
    if (s->stmt == GN_STMT_UPD || s->stmt == GN_STMT_ASG || s->stmt == GN_STMT_STORE)
        for (size_t r = 0; r < d->refs.n; r++) {
            gn_ldef *q = g->def[d->refs.at[r]->u.ref];
            if (q != d && (!q->touched.n || q->touched.at[q->touched.n - 1] != s)) gn_push(g->arena, &q->touched, s);
        }
    if (!d->is_store) gn_push(g->arena, &d->touched, s);
    if (s->stmt == GN_STMT_SCALE) gn_push(g->arena, &s->online->touched, s);
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

static gn_tree *place(gn_lower *g, gn_ldef *d, gn_stmt_kind kind, gn_leafset leaves)
{
    path p;
    g->open.n = shared_depth(g, d, kind, leaves, &p);
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

/* A statement `depth` loops into those of `ref`, before the child that holds it, with loops of its own for the leaves that remain.
 */
static void insert(gn_lower *g, gn_ldef *d, gn_stmt_kind kind, const gn_tree *ref, size_t depth, gn_leafset leaves, gn_ldef *online)
{
    gn_tree *s = new_stmt(g, d, kind), *parent = depth ? ref->above.at[depth - 1] : g->root, *top = NULL, *inner = NULL;
    s->online = online;
    for (size_t i = 0; i < depth; i++) {
        gn_push(g->arena, &s->above, ref->above.at[i]);
        leaves.w[ref->above.at[i]->leaf / 64] &= ~(UINT64_C(1) << (ref->above.at[i]->leaf % 64));
    }
    const path p = path_of(g, leaves);
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

/* ---- which statement is next ---- */

/* Of the kept definitions before d: those that it needs, by number in `items`. */
static bool depends_on(const gn_lower *g, const gn_ldef *d, const gn_ldef *m)
{
    bool *needed = GN_NEW_ARRAY(g->arena, bool, g->items.n);
    needed[d->index] = true;
    for (size_t i = d->index + 1; i-- > m->index;) /* uses stand behind what they use */
        for (size_t r = 0; needed[i] && r < g->items.at[i]->refs.n; r++)
            needed[g->def[g->items.at[i]->refs.at[r]->u.ref]->index] = true;
    return needed[m->index];
}

static bool is_ready(const gn_lower *g, const gn_ldef *d, bool merge)
{
    if (merge) return d->updated;
    for (size_t r = 0; r < d->refs.n; r++)
        if (!g->def[d->refs.at[r]->u.ref]->done) return false;
    return true;
}

static gn_stmt_kind main_stmt(const gn_ldef *d)
{
    return d->is_store ? GN_STMT_STORE : d->red != GN_RED_NONE ? GN_STMT_UPD : GN_STMT_ASG;
}

static gn_leafset main_leaves(const gn_ldef *d)
{
    if (d->red != GN_RED_NONE) return gn_set_or(d->params, d->reduced);
    return is_copy(d) && d->tile ? gn_set_minus(d->params, tile_leaves(d)) : d->params;
}

typedef struct candidate {
    gn_ldef *d;
    bool merge, at_root;
    size_t depth;
} candidate;

static bool is_better(const candidate *a, const candidate *b)
{
    if (a->at_root != b->at_root) return a->at_root;
    if (a->depth != b->depth) return a->depth > b->depth;
    if (a->d->index != b->d->index) return a->d->index < b->d->index;
    return !a->merge && b->merge;
}

static bool next(gn_lower *g, candidate *best)
{
    bool found = false;
    for (size_t i = 0; i < g->items.n; i++) {
        gn_ldef *d = g->items.at[i];
        const bool merge = d->updated;
        if (d->done || !is_ready(g, d, merge)) continue;
        path p;
        const gn_stmt_kind kind = merge ? GN_STMT_MERGE : main_stmt(d);
        const candidate c = { .d = d,
                              .merge = merge,
                              .at_root = kind == GN_STMT_ASG && d->stage->at == GN_AT_ROOT,
                              .depth = shared_depth(g, d, kind, merge ? d->params : main_leaves(d), &p) };
        if (!found || is_better(&c, best)) *best = c;
        found = true;
    }
    return found;
}

/* ---- reductions: init outside the first reduced loop, scale inside the online loop ---- */

/* Behind the step of m that the correction is of: inside the loops that both share. */
static size_t scale_depth(gn_lower *g, const gn_ldef *d, const gn_ldef *m, const gn_tree *upd, size_t depth)
{
    for (; depth < upd->above.n && is_inside(m, upd->above.at[depth]); depth++) {
        const uint32_t l = upd->above.at[depth]->leaf;
        if (!gn_set_has(&d->params, l) && !gn_set_has(&d->private, l))
            gn_illegal(g, "online %s: '%s' shares the loop '%s', which it is reduced along", m->name, d->name, g->leaves.at[l].name);
    }
    return depth;
}

static void insert_scale(gn_lower *g, gn_ldef *d, const gn_tree *upd)
{
    for (size_t i = 0; i < g->items.n; i++) {
        gn_ldef *m = g->items.at[i];
        if (m->online < 0 || m == d || !depends_on(g, d, m)) continue;
        for (size_t j = 0; j < upd->above.n; j++)
            if (upd->above.at[j]->leaf == (uint32_t)m->online && is_inside(m, upd->above.at[j])) { /* else m is whole there */
                insert(g, d, GN_STMT_SCALE, upd, scale_depth(g, d, m, upd, j + 1), gn_set_or(d->params, d->private), m);
                return;
            }
    }
}

static void place_reduction(gn_lower *g, gn_ldef *d)
{
    const gn_tree *s = d->main = place(g, d, GN_STMT_UPD, main_leaves(d));
    size_t first = 0;
    while (first < s->above.n &&
           (!gn_set_has(&d->reduced, s->above.at[first]->leaf) || g->leaves.at[s->above.at[first]->leaf].bind == GN_BIND_THREAD))
        first++;
    insert(g, d, GN_STMT_INIT, s, first, gn_set_or(d->params, d->private), NULL);
    insert_scale(g, d, s);
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
        if (!step || parallel || step->add) {
            step = gn_tree_new(g, GN_NODE_STEP);
            step->add = parallel;
            gn_push(g->arena, &root->kids, step);
        }
        gn_push(g->arena, &step->kids, t);
    }
    g->root = root;
}

/* ---- copies: all that reads one is inside the loops that it is made for ---- */

static bool has_loop(const gn_tree *s, const gn_tree *loop)
{
    for (size_t i = 0; i < s->above.n; i++)
        if (s->above.at[i] == loop) return true;
    return false;
}

/* A loop may have no turns, or others than the copy's own; the loop of a running maximum gives it other values in each. */
static bool binds_readers(const gn_lower *g, const gn_ldef *copy, const gn_tree *loop)
{
    if (!gn_set_has(&copy->params, loop->leaf)) return true;
    for (size_t i = 0; i < g->items.n; i++) {
        const gn_ldef *m = g->items.at[i];
        if (m->online == (int)loop->leaf && is_inside(m, loop) && depends_on(g, copy, m)) return true;
    }
    return false;
}

static void check_readers(gn_lower *g, const gn_ldef *copy)
{
    for (size_t i = 0; i < copy->main->above.n; i++) {
        const gn_tree *loop = copy->main->above.at[i];
        if (!binds_readers(g, copy, loop)) continue;
        for (size_t r = 0; r < copy->touched.n; r++)
            if (!has_loop(copy->touched.at[r], loop))
                gn_illegal(g, "stage %s: it is made inside the loop '%s', and '%s' reads it outside", copy->name, g->leaves.at[loop->leaf].name,
                           copy->touched.at[r]->def->name);
    }
}

void gn_lower_place(gn_lower *g)
{
    g->root = gn_tree_new(g, GN_NODE_STEP);
    candidate c;
    while (next(g, &c)) {
        gn_ldef *d = c.d;
        if (c.merge) {
            place(g, d, GN_STMT_MERGE, d->params);
            d->done = true;
        } else if (d->red != GN_RED_NONE) {
            place_reduction(g, d);
            d->updated = !gn_set_empty(d->private);
            d->done = !d->updated;
        } else {
            d->main = place(g, d, main_stmt(d), main_leaves(d));
            d->done = true;
        }
    }
    for (size_t i = 0; i < g->items.n; i++) GN_ASSERT(g->items.at[i]->done);
    for (size_t i = 0; i < g->items.n; i++)
        if (is_copy(g->items.at[i])) check_readers(g, g->items.at[i]);
    cut_steps(g);
}

gn_leafset gn_stmt_leaves(const gn_tree *s)
{
    const gn_ldef *d = s->def;
    switch ((gn_stmt_kind)s->stmt) {
    case GN_STMT_UPD: return gn_set_or(d->params, d->reduced);
    case GN_STMT_INIT:
    case GN_STMT_SCALE: return gn_set_or(d->params, d->private);
    default: return d->params;
    }
}
