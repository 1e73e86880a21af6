/* The pass `fuse`: unrolled loops one after the other that count alike become one loop, and what only crosses from one
 * to the other in an array of registers is a value in it.
 *
 * Of two turns i < j, what the second loop does at i comes before what the first does at j from now on. So neither may
 * write what the other touches: an index that differs by c from turn to turn is compared at all distances. What stands
 * between the loops goes before the first where it can, else behind the second. */
#include "code_passes.h"
#include "dim_parts.h"

typedef struct touch { /* registers or memory that a node reads or writes */
    const gn_place *place;
    bool writes;
    const gn_dim *at; /* NULL: anywhere in it */
    uint16_t size;    /* elements */
    bool is_split;    /* at = by * variable + rest; rest NULL: no */
    int64_t by;
    const gn_dim *rest;
} touch;

typedef struct touches {
    const gn_code *code;
    GN_VEC(touch) at;
    GN_VEC(uint32_t) lets;     /* that are used */
    GN_VEC(const char *) vars; /* of loops within */
    bool others; /* barriers, tiles, copies under way: nothing is known */
} touches;

/* ---- what a node touches ---- */

static void add(touches *t, const gn_place *p, bool writes, const gn_dim *at, uint16_t size)
{
    for (size_t i = 0; at && i < t->vars.n; i++)
        if (gn_dim_mentions(at, t->vars.at[i])) at = NULL;
    gn_push(t->code->arena, &t->at, ((touch){ .place = p, .writes = writes, .at = at, .size = size }));
}

static void add_register(touches *t, const gn_place *p, bool writes, uint32_t number, const gn_dim *at)
{
    add(t, p, writes, at ? at : gn_dim_const(t->code->dims, number), 1);
}

static void add_operand(void *user, const gn_val **v)
{
    touches *const t = user;
    const gn_val *const own = gn_val_source(*v);
    if (own->id)
        gn_push(t->code->arena, &t->lets, own->id);
    else if (own->kind == GN_VAL_REG)
        add_register(t, own->u.reg.place, false, own->u.reg.number, own->u.reg.at);
}

static void add_index_load(void *user, const char *buffer)
{
    touches *const t = user;
    add(t, gn_code_find_place(t->code, buffer), false, NULL, 1);
}

static void add_index(void *user, const gn_dim *d)
{
    if (gn_dim_has_load(d)) gn_dim_loads(d, add_index_load, user);
}

static void add_access(touches *t, const gn_access *a, bool writes, uint16_t lanes)
{
    add(t, a->place, writes, a->mode <= GN_ACCESS_ROW ? a->base : NULL, lanes);
}

static void add_node(touches *t, const gn_code_node *n)
{
    t->others |= n->kind > GN_CODE_IF;
    gn_code_operands(n, add_operand, t);
    gn_code_dims(n, add_index, t);
    if (n->kind == GN_CODE_LET && n->val->kind == GN_VAL_LOAD) add_access(t, &n->val->u.load, false, n->val->lanes);
    if (n->kind == GN_CODE_STORE) add_access(t, &n->access, true, n->val->lanes);
    if (n->kind == GN_CODE_SET) add_register(t, n->place, true, n->number, n->at);
    if (n->kind == GN_CODE_DECLARE) add(t, n->place, true, NULL, 1);
    if (n->kind == GN_CODE_FOR) gn_push(t->code->arena, &t->vars, n->var);
    for (size_t i = 0; i < n->body.kids.n; i++) add_node(t, n->body.kids.at[i]);
    if (n->kind == GN_CODE_FOR) t->vars.n--;
}

static touches touches_of(const gn_code *c, const gn_code_node *n)
{
    touches t = { .code = c };
    add_node(&t, n);
    return t;
}

static touches touches_in_turn(const gn_code *c, const gn_code_node *loop)
{
    touches t = { .code = c };
    for (size_t i = 0; i < loop->body.kids.n; i++) add_node(&t, loop->body.kids.at[i]);
    return t;
}

/* ---- whether order matters ---- */

static bool meet(const touches *a, const touches *b)
{
    for (size_t i = 0; i < a->at.n; i++)
        for (size_t k = 0; k < b->at.n; k++) {
            gn_work_done.scans++;
            if (a->at.at[i].place == b->at.at[k].place && (a->at.at[i].writes || b->at.at[k].writes)) return true;
        }
    return false;
}

static bool is_linear(const gn_code *c, touch *t, const char *var)
{
    if (t->is_split) return t->rest;
    t->is_split = true;
    const gn_dim *const step = t->at ? gn_dim_coefficient(c->dims, t->at, var) : NULL;
    if (!step || !gn_dim_is_const(step, &t->by)) return false;
    t->rest = gn_dim_sub(c->dims, t->at, gn_dim_mul(c->dims, step, gn_dim_sym(c->dims, var)));
    if (gn_dim_mentions(t->rest, var)) t->rest = NULL;
    return t->rest;
}

/* a in a later turn and b in an earlier one. */
static bool meet_across_turns(const gn_code *c, touch *a, touch *b, const char *var, int64_t turns)
{
    if (a->place != b->place || (!a->writes && !b->writes)) return false;
    if (!is_linear(c, a, var) || !is_linear(c, b, var) || a->by != b->by) return true;
    if (gn_dim_compare(a->rest, b->rest) == GN_DIM_UNKNOWN) return true;
    const int64_t apart = gn_dim_constant(a->rest) - gn_dim_constant(b->rest);
    for (int64_t later = 1; later < turns; later++) {
        const int64_t d = apart + a->by * later; /* from b's first element to a's */
        if (d < b->size && -d < a->size) return true;
    }
    return false;
}

bool gn_code_may_mix(const gn_code *c, const gn_code_node *first, const gn_code_node *second)
{
    int64_t turns = 0;
    const touches a = touches_in_turn(c, first), b = touches_in_turn(c, second);
    gn_dim_is_const(first->to, &turns);
    if (a.others || b.others) return false;
    for (size_t i = 0; i < a.at.n; i++)
        for (size_t k = 0; k < b.at.n; k++) {
            gn_work_done.scans++;
            if (meet_across_turns(c, &a.at.at[i], &b.at.at[k], first->var, turns)) return false;
        }
    return true;
}

/* ---- what stands between ---- */

static bool uses(const touches *t, uint32_t let)
{
    for (size_t i = 0; i < t->lets.n; i++)
        if (t->lets.at[i] == let) return true;
    return false;
}

typedef struct between {
    gn_code *code;
    gn_code_body before, behind;
} between;

/* Not past what goes behind the loops. */
static bool may_go_before(const between *w, const touches *t, const touches *first)
{
    bool may = !meet(t, first);
    for (size_t i = 0; may && i < w->behind.kids.n; i++) {
        const gn_code_node *const n = w->behind.kids.at[i];
        const touches other = touches_of(w->code, n);
        may = !meet(t, &other) && !(n->kind == GN_CODE_LET && uses(t, n->val->id));
    }
    return may;
}

static bool sort_out(between *w, const gn_code_node *first, const gn_code_node *second, gn_code_node *const *nodes,
                     size_t n)
{
    if (n == 0) return true;
    const touches a = touches_of(w->code, first), b = touches_of(w->code, second);
    for (size_t i = 0; i < n; i++) {
        const touches t = touches_of(w->code, nodes[i]);
        const bool before = may_go_before(w, &t, &a);
        if (!before && (meet(&t, &b) || (nodes[i]->kind == GN_CODE_LET && uses(&b, nodes[i]->val->id)))) return false;
        gn_push(w->code->arena, before ? &w->before.kids : &w->behind.kids, nodes[i]);
    }
    return true;
}

/* ---- one loop ---- */

enum { MOST_NODES = 160, MOST_BETWEEN = 64 }; /* of a loop: what is longer than a processor looks ahead gains nothing */

typedef struct crossing {
    gn_arena *arena;
    gn_map set;  /* by place: the one node of both loops that sets it, in each turn once; */
    gn_map lost; /* not so */
} crossing;

static void note_set(void *user, const gn_code_node *n)
{
    crossing *const c = user;
    if (n->kind != GN_CODE_SET) return;
    void **const set = gn_map_put(c->arena, &c->set, n->place->id);
    if (*set || !n->at) *gn_map_put(c->arena, &c->lost, n->place->id) = c;
    *set = (void *)n;
}

static const gn_val *now(void *user, const gn_val *v)
{
    const crossing *const c = user;
    if (v->id || v->kind != GN_VAL_REG || !v->u.reg.at || gn_map_get(&c->lost, v->u.reg.place->id)) return v;
    const gn_code_node *const set = gn_map_get(&c->set, v->u.reg.place->id);
    return set && set->at == v->u.reg.at ? set->val : v;
}

/* Only what the first loop sets at its top, from a let, is known in the second. */
static void cross(gn_code *code, const gn_code_node *first, const gn_code_node *second)
{
    crossing c = { .arena = code->arena };
    for (size_t i = 0; i < first->body.kids.n; i++) {
        const gn_code_node *const n = first->body.kids.at[i];
        if (n->kind != GN_CODE_SET || !gn_val_source(n->val)->id) continue;
        note_set(&c, n);
    }
    crossing all = { .arena = code->arena };
    gn_code_walk(&first->body, note_set, &all);
    gn_code_walk(&second->body, note_set, &all);
    c.lost = all.lost;
    gn_code_rename_all(code, &second->body, now, &c);
}

static bool is_let(const gn_code_node *n, gn_val_kind kind)
{
    return n->kind == GN_CODE_LET && n->val->kind == kind;
}

static void note_reduction(void *user, const gn_code_node *n)
{
    bool *const found = user;
    const bool sets = n->kind == GN_CODE_SET || n->kind == GN_CODE_STORE;
    *found |= is_let(n, GN_VAL_LANES) || (sets && gn_val_source(n->val)->kind == GN_VAL_LANES);
}

static void note_load(void *user, const gn_code_node *n)
{
    bool *const found = user;
    *found |= is_let(n, GN_VAL_LOAD);
}

/* The loads of a tile stay together and come in the order of memory: where a vector is reduced between them, compilers
 * move some before others, and what the processor fetches ahead is too little (logistic regression: 30 to 9 GB/s). */
static bool parts_loads(const gn_code_node *first, const gn_code_node *second)
{
    bool loads = false, reduces = false;
    gn_code_walk(&first->body, note_load, &loads);
    gn_code_walk(&second->body, note_reduction, &reduces);
    return loads && reduces;
}

static bool are_alike(const gn_code_node *a, const gn_code_node *b)
{
    return a->unrolled && b->unrolled && strcmp(a->var, b->var) == 0 && a->to == b->to;
}

/* Of the last loop in the region, at `at`, and what follows it, which is not there yet. */
static bool fuse(gn_code *c, gn_code_body *region, size_t *at, const gn_code_node *second)
{
    gn_code_node *const first = region->kids.at[*at];
    const size_t n = region->kids.n - *at - 1;
    between w = { .code = c };
    if (!are_alike(first, second) || first->body.kids.n + second->body.kids.n > MOST_NODES || n > MOST_BETWEEN)
        return false;
    if (parts_loads(first, second)) return false;
    if (!sort_out(&w, first, second, region->kids.at + *at + 1, n) || !gn_code_may_mix(c, first, second)) return false;
    cross(c, first, second);
    for (size_t i = 0; i < second->body.kids.n; i++) gn_push(c->arena, &first->body.kids, second->body.kids.at[i]);
    region->kids.n = *at;
    for (size_t i = 0; i < w.before.kids.n; i++) gn_push(c->arena, &region->kids, w.before.kids.at[i]);
    *at = region->kids.n;
    gn_push(c->arena, &region->kids, first);
    for (size_t i = 0; i < w.behind.kids.n; i++) gn_push(c->arena, &region->kids, w.behind.kids.at[i]);
    return true;
}

void gn_code_fuse(gn_code *c, gn_code_body *b)
{
    gn_code_body out = { 0 };
    bool any = false;
    size_t last = 0;
    for (size_t i = 0; i < b->kids.n; i++) {
        gn_code_node *const n = b->kids.at[i];
        if (n->kind == GN_CODE_FOR && any && fuse(c, &out, &last, n)) continue;
        if (n->kind > GN_CODE_DECLARE) any = n->unrolled, last = out.kids.n;
        gn_push(c->arena, &out.kids, n);
    }
    for (size_t i = 0; i < out.kids.n; i++) gn_code_fuse(c, &out.kids.at[i]->body);
    *b = out;
}
