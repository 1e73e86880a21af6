/* The expressions of a statement at one of its tile points: which of them are needed, and where. Both branches of a
 * condition are computed, and every value once; what is loaded carries the conditions under which it is needed: those
 * that hold at all its uses. */
#include "code_known.h"
#include "expand.h"
#include "visit.h"

/* ---- the body, operands first ---- */

typedef struct gn_point_body {
    uint32_t n;
    const gn_kexpr **e;
    const uint32_t **in; /* operands by number */
    gn_map number;       /* by id, + 1 */
    bool branches;
} gn_point_body;

static uint32_t number_of(const gn_point_body *b, const gn_kexpr *e)
{
    const uintptr_t n = (uintptr_t)gn_map_get(&b->number, e->id);
    GN_ASSERT(n);
    return (uint32_t)n - 1;
}

static const gn_point_body *body_of(gn_lower *g, const gn_kexpr *root)
{
    void **at = gn_map_put(g->arena, &g->bodies, root->id);
    if (*at) return *at;
    gn_point_body *b = *at = GN_NEW_OBJECT(g->arena, gn_point_body);
    GN_VEC(const gn_kexpr *) all = { 0 };
    gn_visit v = { .arena = g->arena, .operand = gn_kexpr_operand };
    gn_visit_add(&v, root);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        gn_push(g->arena, &all, e);
        *gn_map_put(g->arena, &b->number, e->id) = (void *)(uintptr_t)all.n;
        b->branches |= e->kind == GN_K_IF;
    }
    b->n = (uint32_t)all.n;
    b->e = all.at;
    b->in = GN_NEW_ARRAY(g->arena, const uint32_t *, b->n);
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t *in = GN_NEW_ARRAY(g->arena, uint32_t, b->e[i]->n + 1);
        for (uint16_t k = 0; k < b->e[i]->n; k++) in[k] = number_of(b, b->e[i]->a[k]);
        b->in[i] = in;
    }
    return b;
}

/* ---- conditions: what follows from what ---- */

/* a < b as 0 <= d, its opposite likewise; a == b as d == 0. Of integers of 64 bits from memory nothing is told: a
 * difference may overflow. */
typedef struct fact {
    bool equal, not_equal;
    const gn_dim *d; /* NULL: nothing */
} fact;

static fact fact_of(gn_expander *x, const gn_kcond *c, bool negate)
{
    gn_lower *g = x->g;
    if (gn_cond_compares_data(g, c)) return (fact){ .d = NULL };
    if (c->kind == GN_K_EQ) return (fact){ !negate, negate, gn_lsub(g, c->b, c->a) };
    const gn_dim *d = gn_lsub(g, gn_lsub(g, c->b, c->a), gn_lconst(g, 1));
    return (fact){ false, false, negate ? gn_lsub(g, gn_lconst(g, -1), d) : d };
}

static bool is_far_from_zero(const gn_lower *g, const gn_dim *d)
{
    return gn_dim_at_least(g, d, 1) || gn_dim_at_least(g, gn_lscale(g, d, -1), 1);
}

static bool follows(gn_expander *x, fact from, fact what)
{
    gn_lower *g = x->g;
    if (!from.d || !what.d) return false;
    if (from.not_equal) return what.not_equal && (from.d == what.d || from.d == gn_lscale(g, what.d, -1));
    const gn_dim *minus = gn_lsub(g, what.d, from.d), *plus = gn_ladd(g, what.d, from.d);
    if (from.equal && what.equal) return gn_dim_is(minus, 0) || gn_dim_is(plus, 0);
    if (from.equal && what.not_equal) return is_far_from_zero(g, minus) || is_far_from_zero(g, plus);
    if (from.equal) return gn_dim_at_least(g, minus, 0) || gn_dim_at_least(g, plus, 0);
    if (what.equal) return false;
    return what.not_equal ? gn_dim_at_least(g, minus, 1) || gn_dim_at_least(g, gn_lscale(g, plus, -1), 1)
                          : gn_dim_at_least(g, minus, 0);
}

/* What one condition says alone; the opposite of several together says nothing of each. */
static bool tells(const gn_pred *p)
{
    return !p->negate || p->n == 1;
}

static bool holds_fact(gn_expander *x, gn_preds w, fact what)
{
    for (uint32_t i = 0; i < w.n; i++)
        for (uint16_t k = 0; tells(&w.at[i]) && k < w.at[i].n; k++)
            if (follows(x, fact_of(x, &w.at[i].cond[k], w.at[i].negate), what)) return true;
    return false;
}

static bool holds(gn_expander *x, gn_preds w, const gn_pred *p)
{
    for (uint32_t i = 0; i < w.n; i++)
        if (w.at[i].negate == p->negate && gn_same_conds(&w.at[i], p)) return true;
    for (uint16_t k = 0; k < p->n; k++)
        if (holds_fact(x, w, fact_of(x, &p->cond[k], p->negate)) == p->negate) return p->negate;
    return !p->negate;
}

static bool holds_all(gn_expander *x, gn_preds w, gn_preds what)
{
    for (uint32_t i = 0; i < what.n; i++)
        if (!holds(x, w, &what.at[i])) return false;
    return true;
}

/* ---- where a node is needed ---- */

enum { MOST_TERMS = 4 };

struct gn_point_node { /* an expression of the body at the point */
    gn_expander *x;
    const gn_point_body *body;
    const gn_kexpr *e;
    const gn_val *val;
    gn_preds term[MOST_TERMS]; /* one of them holds wherever it is needed; the first when that is all that is known */
    uint8_t nterms;            /* 0: nobody needs it */
    bool loose;                /* it may be asked for where term[0] holds and it is not needed */
    bool always;               /* needed everywhere */
    int8_t branch;             /* IF: the one that is taken, -1: either */
    uint16_t ncond;            /* IF: those that are not known */
    const gn_kcond *cond;
};

/* w and p, without what follows from p. A condition that reads memory needs those before it. */
static gn_preds with(gn_expander *x, gn_preds w, gn_pred p)
{
    gn_pred *all = GN_NEW_ARRAY(x->g->arena, gn_pred, w.n + 1);
    uint32_t n = 0;
    const gn_preds alone = { 1, &p };
    const bool reads = gn_preds_read_memory(alone) || gn_preds_read_memory(w);
    for (uint32_t i = 0; i < w.n; i++)
        if (reads || !holds(x, alone, &w.at[i])) all[n++] = w.at[i];
    all[n++] = p;
    return (gn_preds){ n, all };
}

/* The union of a and b as one conjunction, if it is one. */
static bool join(gn_expander *x, gn_preds a, gn_preds b, gn_preds *out)
{
    if (a.at == b.at || holds_all(x, a, b)) return *out = b, true;
    if (holds_all(x, b, a)) return *out = a, true;
    for (uint32_t i = 0; i < a.n; i++) /* c and p, d and not p, where each gives c and d: they are c and d */
        for (uint32_t k = 0; k < b.n; k++) {
            if (a.at[i].negate == b.at[k].negate || !gn_same_conds(&a.at[i], &b.at[k])) continue;
            gn_pred *all = GN_NEW_ARRAY(x->g->arena, gn_pred, a.n + b.n);
            gn_preds both = { 0, all };
            for (uint32_t j = 0; j < a.n; j++)
                if (j != i) all[both.n++] = a.at[j];
            for (uint32_t j = 0; j < b.n; j++)
                if (j != k && !holds(x, both, &b.at[j])) all[both.n++] = b.at[j];
            if (!gn_preds_read_memory(both) && holds_all(x, a, both) && holds_all(x, b, both)) return *out = both, true;
        }
    return false;
}

static bool reads_memory(const gn_pred *p)
{
    return gn_preds_read_memory((gn_preds){ 1, p });
}

/* What holds in both and can be asked alone. */
static gn_preds common(gn_expander *x, gn_preds a, gn_preds b)
{
    gn_pred *all = GN_NEW_ARRAY(x->g->arena, gn_pred, a.n + b.n + 1);
    gn_preds both = { 0, all };
    for (uint32_t i = 0; i < a.n; i++)
        if (!reads_memory(&a.at[i]) && holds(x, b, &a.at[i])) all[both.n++] = a.at[i];
    for (uint32_t i = 0; i < b.n; i++)
        if (!reads_memory(&b.at[i]) && holds(x, a, &b.at[i]) && !holds(x, both, &b.at[i])) all[both.n++] = b.at[i];
    return both;
}

static void weaken(gn_point_node *n)
{
    if (n->always) n->loose = false, n->nterms = 1, n->term[0] = (gn_preds){ 0 };
    for (; n->nterms > 1; n->nterms--) n->term[0] = common(n->x, n->term[0], n->term[n->nterms - 1]), n->loose = true;
}

static void need(gn_point_node *n, gn_preds w)
{
    for (uint8_t i = 0; i < n->nterms; i++) {
        gn_preds whole;
        if (!join(n->x, n->term[i], w, &whole)) continue;
        n->term[i] = n->term[--n->nterms];
        need(n, whole); /* it may join others now */
        return;
    }
    if (n->nterms == MOST_TERMS) {
        weaken(n);
        n->term[0] = common(n->x, n->term[0], w);
    } else n->term[n->nterms++] = w;
}

static gn_point_node *operand_of(const gn_point_node *n, uint16_t i)
{
    gn_point_node *all = (gn_point_node *)n - number_of(n->body, n->e);
    return &all[n->body->in[number_of(n->body, n->e)][i]];
}

/* Sides whose difference may overflow: by the range of each. */
static int known_apart(const gn_lower *g, const gn_kcond *c)
{
    const gn_dim_facts f = gn_lfacts(g);
    int64_t a, most, b, least;
    gn_dim_range(c->a, &f, &a, &most);
    gn_dim_range(c->b, &f, &least, &b); /* unknown ends are the ends of the dtype */
    if (most < least) return c->kind == GN_K_LT;
    return (c->kind == GN_K_LT ? a >= b : a > b) ? 0 : -1;
}

/* 1, 0: known from ranges; -1: not known. */
static int known_cond(gn_expander *x, const gn_kcond *c)
{
    if (gn_cond_compares_data(x->g, c)) return known_apart(x->g, c);
    const gn_dim *d = gn_lsub(x->g, c->b, c->a), *minus = gn_lsub(x->g, c->a, c->b);
    if (c->kind == GN_K_EQ)
        return gn_dim_is(d, 0) ? 1 : gn_dim_at_least(x->g, d, 1) || gn_dim_at_least(x->g, minus, 1) ? 0 : -1;
    return gn_dim_at_least(x->g, d, 1) ? 1 : gn_dim_at_least(x->g, minus, 0) ? 0 : -1;
}

static int known_here(gn_expander *x, gn_preds w, const gn_kcond *c)
{
    const int known = known_cond(x, c);
    if (known >= 0 || w.n == 0) return known;
    for (uint32_t i = 0; i < w.n; i++)
        if (w.at[i].n == 1 && gn_same_conds(&w.at[i], &(gn_pred){ .n = 1, .cond = c })) return !w.at[i].negate;
    return holds_fact(x, w, fact_of(x, c, false)) ? 1 : holds_fact(x, w, fact_of(x, c, true)) ? 0 : -1;
}

static void choose_branch(gn_point_node *n)
{
    gn_expander *x = n->x;
    const gn_kexpr *e = n->e;
    gn_kcond *c = GN_NEW_ARRAY(x->g->arena, gn_kcond, e->ncond + 1u);
    n->cond = c;
    n->branch = -1;
    for (uint16_t i = 0; i < e->ncond; i++) {
        c[n->ncond] = (gn_kcond){ e->cond[i].kind, gn_subst_axes(x->g, e->cond[i].a, x->inside),
                                  gn_subst_axes(x->g, e->cond[i].b, x->inside) };
        const int known = known_here(x, n->term[0], &c[n->ncond]);
        if (known == 0) {
            n->branch = 1;
            return;
        }
        n->ncond += known < 0;
    }
    if (n->ncond == 0) n->branch = 0;
}

static gn_pred branch_pred(const gn_point_node *n, bool otherwise)
{
    return (gn_pred){ otherwise, n->ncond, n->cond };
}

static void need_operands(gn_point_node *n)
{
    weaken(n);
    if (n->e->kind == GN_K_IF) choose_branch(n);
    for (uint16_t i = 0; i < n->e->n; i++) {
        gn_point_node *a = operand_of(n, i);
        if (n->e->kind == GN_K_IF && n->branch >= 0 && n->branch != i) continue;
        a->loose |= n->loose;
        a->always |= n->term[0].n == 0 && !n->loose && (n->e->kind != GN_K_IF || n->branch >= 0);
        need(a, n->e->kind == GN_K_IF && n->branch < 0 ? with(n->x, n->term[0], branch_pred(n, i == 1)) : n->term[0]);
    }
}

static void make_nodes(gn_expander *x)
{
    const gn_ldef *d = x->stmt->def;
    const bool steps = x->stmt->stmt == GN_STMT_UPD && !d->row;
    const gn_point_body *b = body_of(x->g, x->stmt->online ? d->turn : steps ? d->upd : d->body);
    x->body = b;
    x->node = GN_NEW_ARRAY(x->g->arena, gn_point_node, b->n);
    for (uint32_t i = 0; i < b->n; i++) x->node[i].x = x, x->node[i].body = b, x->node[i].e = b->e[i];
    if (!b->branches) return;
    need(&x->node[b->n - 1], (gn_preds){ 0 });
    for (uint32_t i = b->n; i-- > 0;)
        if (x->node[i].nterms) need_operands(&x->node[i]);
}

/* ---- values, operands first ---- */

static const void *live_operand(const void *node, size_t i)
{
    const gn_point_node *n = node;
    if (n->e->kind == GN_K_IF && n->branch >= 0) return i == 0 ? operand_of(n, (uint16_t)n->branch) : NULL;
    return i < n->e->n ? operand_of(n, (uint16_t)i) : NULL;
}

static bool has_no_value(void *user, const void *node)
{
    (void)user;
    return !((const gn_point_node *)node)->val;
}

/* Both branches are computed, but what they load is loaded only under their condition. */
static const gn_val *conditional(gn_expander *x, const gn_point_node *n)
{
    if (n->branch >= 0) return operand_of(n, (uint16_t)n->branch)->val;
    const gn_point_node *yes = operand_of(n, 0), *no = operand_of(n, 1);
    const gn_pred p = branch_pred(n, false);
    return gn_v_select(x, (gn_preds){ 1, gn_arena_copy(x->g->arena, &p, sizeof p) }, yes->val, no->val);
}

static const gn_val *operation(gn_expander *x, const gn_point_node *n)
{
    const gn_val *a[4];
    GN_ASSERT(n->e->n <= 4);
    for (uint16_t i = 0; i < n->e->n; i++) a[i] = operand_of(n, i)->val;
    return gn_v_op(&x->b, n->e->u.op, (gn_dtype)n->e->dtype, a, n->e->n);
}

static const gn_val *value_of(gn_expander *x, const gn_point_node *n)
{
    x->when = n->term[0];
    x->loose = n->loose;
    if (n->e->kind == GN_K_IF) x->when = gn_when_of_conds(x, n->ncond, n->cond);
    const gn_val *v = n->e->kind == GN_K_IF   ? conditional(x, n)
                      : n->e->kind == GN_K_OP ? operation(x, n)
                                              : gn_v_leaf(x, n->e);
    x->when = (gn_preds){ 0 };
    x->loose = false;
    return v;
}

const gn_val *gn_v_expr(gn_expander *x, const gn_kexpr *e)
{
    if (!x->node) make_nodes(x);
    gn_point_node *root = &x->node[number_of(x->body, e)];
    gn_visit v = { .arena = x->g->arena, .operand = live_operand, .enter = has_no_value };
    if (!root->val) gn_visit_add(&v, root);
    for (const gn_point_node *n; (n = gn_visit_next(&v));) x->node[n - x->node].val = value_of(x, n);
    return root->val;
}
