/* What expansion leaves to be put in order, point by point as it goes: branches with one condition become one (the stores of a row's vectors
 * stand under one `row < rows`), constants that a variable loses before it is read are not put into it, lets without a reader go. */
#include "expand.h"
#include "visit.h"

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
    uint32_t *let;         /* of each, by id */
    gn_arena *arena;       /* NULL: objects are not asked for */
    gn_map object;         /* by id: of each variable, or of the memory; NULL: none */
    GN_VEC(uint32_t) some; /* objects that are read */
    uint32_t by;           /* 1; to forget reads: -1 */
} reads;

static void visit_value(reads *r, const gn_val *v);

static void visit_use(reads *r, const gn_val *v)
{
    if (!v) return;
    if (v->id) r->let[v->id] += r->by;
    else visit_value(r, v);
}

static void note_read(reads *r, const gn_object *o, uint32_t number)
{
    if (!o || !r->arena) return;
    void **read = gn_map_put(r->arena, &r->object, o->id);
    if (!*read) {
        *read = GN_NEW_ARRAY(r->arena, uint32_t, o->nregs + 1);
        gn_push(r->arena, &r->some, o->id);
    }
    ((uint32_t *)*read)[number] += r->by;
}

static void visit_place(reads *r, const gn_access *a, bool is_read)
{
    if (is_read) note_read(r, a->object, 0);
    visit_use(r, a->each);
    visit_use(r, a->mask);
}

static void visit_value(reads *r, const gn_val *v)
{
    if (v->kind == GN_VAL_REG) note_read(r, v->u.reg.object, v->u.reg.number);
    for (uint16_t i = 0; i < v->n; i++) visit_use(r, v->a[i]);
    if (v->kind == GN_VAL_LOAD) visit_place(r, &v->u.load, true);
}

static void visit_node(reads *r, const gn_tree *t)
{
    gn_work_done.visits++;
    if (t->kind == GN_NODE_LET) visit_value(r, t->val);
    if (t->kind == GN_NODE_SET) visit_use(r, t->val), visit_place(r, &t->place, false);
    if (t->kind == GN_NODE_TILE) {
        for (int i = 0; i < 4; i++) visit_use(r, t->tile->a[i]), visit_use(r, t->tile->b[i]);
        visit_place(r, &t->tile->dst, true), visit_place(r, &t->tile->src, true);
        for (uint32_t i = 0; t->tile->object && i < t->tile->object->nregs; i++) note_read(r, t->tile->object, i);
    }
    for (size_t i = 0; i < t->kids.n; i++) visit_node(r, t->kids.at[i]);
}

uint32_t *gn_let_uses(gn_arena *arena, const gn_tree *t)
{
    reads r = { .let = GN_NEW_ARRAY(arena, uint32_t, gn_tree_largest_id(t) + 1), .by = 1 };
    visit_node(&r, t);
    return r.let;
}

/* ---- sets of constants ---- */

static bool is_constant_set(const gn_tree *t)
{
    return t->kind == GN_NODE_SET && t->object && gn_v_constant(t->val);
}

static uint64_t variable_key(const gn_object *o, uint32_t number)
{
    return (uint64_t)o->id << 32 | number;
}

/* Variables that are set again in the same block before they are read, by object and number; walked from the end. */
typedef struct overwritten {
    gn_arena *arena;
    gn_map at; /* the epoch in which it is, + 1 */
    uintptr_t epoch;
} overwritten;

static void keep_read(overwritten *o, const gn_val *v)
{
    if (!v || v->id) return;
    if (v->kind == GN_VAL_REG) *gn_map_put(o->arena, &o->at, variable_key(v->u.reg.object, v->u.reg.number)) = NULL;
    for (uint16_t i = 0; i < v->n; i++) keep_read(o, v->a[i]);
}

static void keep_reads(overwritten *o, const gn_tree *t)
{
    if (t->kind == GN_NODE_SET) keep_read(o, t->val), keep_read(o, t->place.each), keep_read(o, t->place.mask);
    if (t->kind != GN_NODE_LET) return;
    for (uint16_t i = 0; i < t->val->n; i++) keep_read(o, t->val->a[i]);
    if (t->val->kind == GN_VAL_LOAD) keep_read(o, t->val->u.load.each), keep_read(o, t->val->u.load.mask);
}

static void drop_sets(gn_arena *arena, gn_tree *t)
{
    overwritten o = { .arena = arena };
    for (size_t i = 0; i < t->kids.n; i++) drop_sets(arena, t->kids.at[i]);
    for (size_t i = t->kids.n; i-- > 0;) {
        gn_tree *k = t->kids.at[i];
        if (k->kind == GN_NODE_SET && k->object) {
            void **at = gn_map_put(arena, &o.at, variable_key(k->object, k->number));
            if (is_constant_set(k) && (uintptr_t)*at == o.epoch + 1) t->kids.at[i] = NULL;
            *at = (void *)(o.epoch + 1);
        }
        if (k->kind == GN_NODE_LET || k->kind == GN_NODE_SET) keep_reads(&o, k);
        else if (k->kind != GN_NODE_BUF) o.epoch++;
    }
    size_t n = 0;
    for (size_t i = 0; i < t->kids.n; i++)
        if (t->kids.at[i]) t->kids.at[n++] = t->kids.at[i];
    t->kids.n = n;
}

/* ---- what is left of nothing: values kept for nobody, loops around nothing, variables that are not read ---- */

static bool is_any_read(const gn_object *o, const uint32_t *read)
{
    bool any = false;
    for (uint32_t i = 0; read && i < (o->level == GN_LEVEL_REG ? o->nregs : 1); i++) any |= read[i] > 0;
    return any;
}

static bool is_idle(const reads *r, const gn_tree *t)
{
    const gn_object *o = t->object ? t->object : t->kind == GN_NODE_SET ? t->place.object : NULL;
    if (t->kind == GN_NODE_LET) return r->let[t->val->id] == 0;
    if (t->kind == GN_NODE_FOR) return t->bind == GN_BIND_NONE && t->kids.n == 0;
    if (!o || (o->level != GN_LEVEL_REG && o->level != GN_LEVEL_STACK)) return false;
    const uint32_t *read = gn_map_get(&r->object, o->id);
    if (t->kind == GN_NODE_SET) return !read || read[t->object ? t->number : 0] == 0;
    return t->kind == GN_NODE_BUF && !is_any_read(o, read);
}

/* Backward, so that what only a dropped node used goes with it. */
static bool drop_idle(reads *r, gn_tree *t)
{
    bool dropped = false;
    for (size_t i = t->kids.n; i-- > 0;) {
        dropped |= drop_idle(r, t->kids.at[i]);
        if (!is_idle(r, t->kids.at[i])) continue;
        visit_node(r, t->kids.at[i]);
        t->kids.at[i] = NULL;
        dropped = true;
    }
    size_t n = 0;
    for (size_t i = 0; i < t->kids.n; i++)
        if (t->kids.at[i]) t->kids.at[n++] = t->kids.at[i];
    t->kids.n = n;
    return dropped;
}

void gn_tidy(gn_lower *g, gn_tree *step)
{
    reads r = { .arena = g->arena, .by = 1 };
    join_branches(g, step);
    drop_sets(g->arena, step);
    r.let = GN_NEW_ARRAY(g->arena, uint32_t, gn_tree_largest_id(step) + 1);
    visit_node(&r, step);
    r.by = UINT32_MAX; /* -1 */
    while (drop_idle(&r, step)) {} /* a loop's last statement may have been the last use of what its first one sets */
    for (size_t k = 0; k < r.some.n; k++) {
        gn_object *o = g->objects.at[r.some.at[k]];
        const uint32_t *read = gn_map_get(&r.object, o->id);
        if (!is_any_read(o, read)) continue;
        bool *any = GN_NEW_ARRAY(g->arena, bool, o->nregs + 1);
        for (uint32_t i = 0; i <= o->nregs; i++) any[i] = read[i] > 0;
        o->read = any;
    }
}
