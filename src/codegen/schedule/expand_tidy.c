/* What expansion leaves to be put in order, point by point as it goes: branches with one condition become one (the stores of a row's vectors
 * stand under one `row < rows`), constants that a variable loses before it is read are not put into it, lets without a reader go. */
#include "expand.h"

/* ---- branches: what is computed between them moves before the first ---- */

static bool stores_to(const gn_tree *branch, const gn_access *from)
{
    for (size_t i = 0; i < branch->kids.n; i++) {
        const gn_tree *t = branch->kids.at[i];
        if (t->kind == GN_NODE_SET && (t->object || (t->place.object == from->object && t->place.buf == from->buf))) return true;
    }
    return false;
}

static bool is_simple(const gn_tree *branch)
{
    for (size_t i = 0; i < branch->kids.n; i++) {
        const gn_tree *t = branch->kids.at[i];
        if (t->kind != GN_NODE_LET && (t->kind != GN_NODE_SET || t->object)) return false;
    }
    return !gn_preds_read_memory(branch->when);
}

/* Whether the let gives the same before the branch. */
static bool may_move(const gn_tree *branch, const gn_tree *let)
{
    const gn_val *v = let->val;
    if (v->kind == GN_VAL_COND) return !gn_preds_read_memory(v->when);
    if (v->kind == GN_VAL_INDEX) return !gn_dim_has_load(v->u.index.at) && !gn_preds_read_memory(v->when);
    if (v->kind == GN_VAL_BIT || v->kind == GN_VAL_FIRST) return !gn_dim_has_load(v->u.index.at);
    return v->kind != GN_VAL_LOAD || !stores_to(branch, &v->u.load);
}

static void join_kids(gn_lower *g, gn_tree *parent)
{
    GN_VEC(gn_tree *) out = { 0 };
    size_t open = 0; /* place of the branch that may grow, + 1 */
    for (size_t i = 0; i < parent->kids.n; i++) {
        gn_tree *t = parent->kids.at[i];
        gn_tree *branch = open ? out.at[open - 1] : NULL;
        if (branch && t->kind == GN_NODE_IF && is_simple(t) && gn_same_preds(branch->when, t->when)) {
            for (size_t k = 0; k < t->kids.n; k++) gn_push(g->arena, &branch->kids, t->kids.at[k]);
            for (size_t k = open; k < out.n; k++) out.at[k - 1] = out.at[k];
            out.at[out.n - 1] = branch;
            open = out.n;
            continue;
        }
        gn_push(g->arena, &out, t);
        if (t->kind == GN_NODE_IF && is_simple(t)) open = out.n;
        else if (!branch || t->kind != GN_NODE_LET || !may_move(branch, t)) open = 0;
    }
    parent->kids.n = 0;
    for (size_t i = 0; i < out.n; i++) gn_push(g->arena, &parent->kids, out.at[i]);
}

static void join_branches(gn_lower *g, gn_tree *t)
{
    for (size_t i = 0; i < t->kids.n; i++) join_branches(g, t->kids.at[i]);
    join_kids(g, t);
}

/* ---- what nobody reads ---- */

typedef struct reads {
    uint32_t *let; /* uses of each let, by id */
    const gn_object *object;
    uint32_t number;
    bool found;    /* the variable */
} reads;

static void visit_value(reads *r, const gn_val *v);

static void visit_use(reads *r, const gn_val *v)
{
    if (!v) return;
    if (v->id && r->let) r->let[v->id]++;
    if (!v->id) visit_value(r, v);
}

static void visit_value(reads *r, const gn_val *v)
{
    if (v->kind == GN_VAL_REG) r->found |= v->u.reg.object == r->object && v->u.reg.number == r->number;
    for (uint16_t i = 0; i < v->n; i++) visit_use(r, v->a[i]);
    if (v->kind == GN_VAL_LOAD) visit_use(r, v->u.load.each), visit_use(r, v->u.load.mask);
}

static void visit_node(reads *r, const gn_tree *t)
{
    if (t->kind == GN_NODE_LET) visit_value(r, t->val);
    if (t->kind == GN_NODE_SET) visit_use(r, t->val), visit_use(r, t->place.each), visit_use(r, t->place.mask);
    if (t->kind == GN_NODE_TILE) {
        r->found = true; /* reads its accumulators */
        for (int i = 0; i < 4; i++) visit_use(r, t->tile->a[i]), visit_use(r, t->tile->b[i]);
    }
    for (size_t i = 0; i < t->kids.n; i++) visit_node(r, t->kids.at[i]);
}

/* Set again in the same block before it is read. */
static bool is_overwritten(const gn_tree *parent, size_t at)
{
    const gn_tree *set = parent->kids.at[at];
    reads r = { .object = set->object, .number = set->number };
    for (size_t i = at + 1; i < parent->kids.n; i++) {
        const gn_tree *t = parent->kids.at[i];
        visit_node(&r, t);
        if (r.found || (t->kind != GN_NODE_LET && t->kind != GN_NODE_SET && t->kind != GN_NODE_BUF)) return false;
        if (t->kind == GN_NODE_SET && t->object == set->object && t->number == set->number) return true;
    }
    return false;
}

static bool is_constant_set(const gn_tree *t)
{
    return t->kind == GN_NODE_SET && t->object && gn_v_constant(t->val);
}

static void drop_sets(gn_tree *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->kids.n; i++) drop_sets(t->kids.at[i]);
    for (size_t i = 0; i < t->kids.n; i++)
        if (!is_constant_set(t->kids.at[i]) || !is_overwritten(t, i)) t->kids.at[n++] = t->kids.at[i];
    t->kids.n = n;
}

static void forget_uses(uint32_t *let, const gn_val *v)
{
    for (uint16_t i = 0; i < v->n; i++) {
        if (v->a[i]->id) let[v->a[i]->id]--;
        else forget_uses(let, v->a[i]);
    }
    if (v->kind != GN_VAL_LOAD) return;
    if (v->u.load.each && v->u.load.each->id) let[v->u.load.each->id]--;
    if (v->u.load.mask && v->u.load.mask->id) let[v->u.load.mask->id]--;
}

/* Backward, so that what only a dropped let used goes with it. */
static void drop_lets(gn_tree *t, uint32_t *let)
{
    for (size_t i = t->kids.n; i-- > 0;) {
        gn_tree *k = t->kids.at[i];
        drop_lets(k, let);
        if (k->kind != GN_NODE_LET || let[k->val->id]) continue;
        forget_uses(let, k->val);
        t->kids.at[i] = NULL;
    }
    size_t n = 0;
    for (size_t i = 0; i < t->kids.n; i++)
        if (t->kids.at[i]) t->kids.at[n++] = t->kids.at[i];
    t->kids.n = n;
}

uint32_t *gn_let_uses(gn_arena *arena, const gn_tree *t)
{
    reads r = { .let = GN_NEW_ARRAY(arena, uint32_t, gn_tree_largest_id(t) + 1) };
    visit_node(&r, t);
    return r.let;
}

void gn_tidy(gn_lower *g, gn_tree *step)
{
    join_branches(g, step);
    drop_sets(step);
    drop_lets(step, gn_let_uses(g->arena, step));
}
