/* The pass `roll`: what stands in a region for one point of a tile after the other becomes an unrolled loop over the points.
 *
 * Nodes that set, store or branch are *roots*; the lets before a root belong to it. A run is n blocks of q roots each that differ by the number of
 * the block alone (code_unify.h). What several blocks use goes before the loop; what a block makes and others than it use is kept in an array of
 * registers; what comes to the blocks from n different lets is put into one. The order of what is executed stays as it is but for lets that go
 * before the loop, so that the bits do. */
#include "code_build.h"
#include "code_passes.h"
#include "code_unify.h"

enum { MOST_ROOTS = 8, LEAST_BLOCKS = 3 };

typedef GN_VEC(gn_code_node *) node_list;

typedef struct let_note {
    uint32_t uses, here; /* all; in the run at hand */
    int32_t block;       /* of the run at hand: the one that uses it; SHARED, NOBODY */
    uint32_t at;         /* its place in its block */
} let_note;
enum { SHARED = -1, NOBODY = -2, OUTSIDE = -3 };

typedef struct roller {
    gn_code *code;
    gn_arena *arena;          /* for what is forgotten with the pass */
    gn_code_body *step;
    GN_VEC(let_note) let;     /* by id */
    gn_map kept;              /* by id: the register that has the value now */
    gn_map made;              /* at the end, by id: the let */
    gn_map taken;             /* names, interned */
    GN_VEC(gn_turns) open;    /* the unrolled loops around */
} roller;

typedef struct run {
    roller *r;
    const node_list *all;
    size_t first, last;       /* nodes of the region: first .. last - 1 */
    uint32_t q, n;            /* roots a block, blocks */
    node_list *block;         /* n lists: what belongs to each alone */
    node_list shared;
    gn_turns turns;
    gn_map made;              /* by id in block 0: the let of the loop */
    GN_VEC(const gn_val **) gathered; /* n different lets each, for an array */
    GN_VEC(gn_val *) elements;        /* of that array, in the loop */
} run;

/* ---- what nodes are made of ---- */

static bool is_root(const gn_code_node *n)
{
    return n->kind == GN_CODE_SET || n->kind == GN_CODE_STORE || n->kind == GN_CODE_IF;
}

static bool ends_window(const gn_code_node *n)
{
    if (n->kind != GN_CODE_LET && !is_root(n)) return true;
    if (n->kind == GN_CODE_LET && n->val->kind == GN_VAL_THREADS) return true;
    for (size_t i = 0; i < n->body.kids.n; i++)
        if (n->body.kids.at[i]->kind != GN_CODE_LET && !is_root(n->body.kids.at[i])) return true;
    return false;
}

static const gn_val *now(const roller *r, const gn_val *v)
{
    const gn_val *kept = v && v->id ? gn_map_get(&r->kept, v->id) : NULL;
    return kept ? kept : v;
}

/* Each operand that a node names, in order: operands, index vector, mask. */
static void each_operand(const gn_code_node *n, void (*meet)(void *user, const gn_val *), void *user)
{
    const bool let = n->kind == GN_CODE_LET, load = let && n->val->kind == GN_VAL_LOAD;
    const gn_access *a = load ? &n->val->u.load : &n->access;
    for (uint16_t i = 0; let && i < n->val->n; i++) meet(user, n->val->a[i]);
    if (!let && n->val) meet(user, n->val);
    if (a->each) meet(user, a->each);
    if (a->mask) meet(user, a->mask);
    for (int i = 0; n->tile && i < GN_TILE_MAX_REGS; i++) {
        if (n->tile->a[i]) meet(user, n->tile->a[i]);
        if (n->tile->b[i]) meet(user, n->tile->b[i]);
    }
    for (size_t i = 0; i < n->body.kids.n; i++) each_operand(n->body.kids.at[i], meet, user);
}

/* The scalar or vector that an operand is or is a splat of. */
static const gn_val *source(const roller *r, const gn_val *v)
{
    v = now(r, v);
    return !v->id && v->kind == GN_VAL_SPLAT ? now(r, v->a[0]) : v;
}

/* ---- which blocks a let belongs to ---- */

typedef struct user_of {
    run *u;
    int32_t block;
} user_of;

static void note_use(void *user, const gn_val *v)
{
    const user_of *w = user;
    v = source(w->u->r, v);
    if (!v->id) return;
    let_note *l = &w->u->r->let.at[v->id];
    if (l->block == OUTSIDE) return;
    l->here++;
    l->block = l->block == NOBODY || l->block == w->block ? w->block : SHARED;
}

static bool reads_what(const roller *r, const gn_val *let, const gn_code_node *root);

/* What a let reads is written by a root among these nodes: it cannot go past them. */
static bool is_held_back(const run *u, const gn_val *let, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (is_root(u->all->at[i]) && reads_what(u->r, let, u->all->at[i])) return true;
    return false;
}

static size_t begin_of(const run *u, const uint32_t *root_of, int32_t block)
{
    size_t i = u->first;
    while (root_of[i] / u->q < (uint32_t)block) i++;
    return i;
}

static bool dim_reads(const gn_val *let)
{
    if (gn_preds_read_memory(let->when)) return true;
    switch ((gn_val_kind)let->kind) {
    case GN_VAL_INDEX:
    case GN_VAL_FIRST:
    case GN_VAL_BIT: return gn_dim_has_load(let->u.index.at);
    case GN_VAL_IOTA: return gn_dim_has_load(let->u.iota.base) || gn_dim_has_load(let->u.iota.step);
    case GN_VAL_LOAD:
        return gn_preds_read_memory(let->u.load.when) || (let->u.load.base && gn_dim_has_load(let->u.load.base));
    default: return false;
    }
}

static bool reads_what(const roller *r, const gn_val *let, const gn_code_node *root)
{
    for (size_t i = 0; i < root->body.kids.n; i++)
        if (reads_what(r, let, root->body.kids.at[i])) return true;
    if (root->kind == GN_CODE_STORE) return dim_reads(let) || (let->kind == GN_VAL_LOAD && let->u.load.place == root->access.place);
    if (root->kind != GN_CODE_SET) return false;
    for (uint16_t i = 0; i < let->n; i++) {
        const gn_val *v = source(r, let->a[i]);
        if (!v->id && v->kind == GN_VAL_REG && v->u.reg.place == root->place) return true;
    }
    return false;
}

/* Those of a branch, which are its block's. */
static void number_lets(roller *r, const gn_code_body *b, int32_t block, uint32_t at)
{
    for (size_t i = 0; i < b->kids.n; i++)
        if (b->kids.at[i]->kind == GN_CODE_LET) {
            let_note *l = &r->let.at[b->kids.at[i]->val->id];
            l->block = block, l->at = at + (uint32_t)i, l->here = l->uses;
        }
}

/* Lists the lets of each block and those that go before the loop; false: one of them cannot. */
static bool sort_nodes(run *u, const uint32_t *root_of)
{
    roller *r = u->r;
    for (size_t i = u->first; i < u->last; i++)
        if (u->all->at[i]->kind == GN_CODE_LET) r->let.at[u->all->at[i]->val->id].block = NOBODY, r->let.at[u->all->at[i]->val->id].here = 0;
    for (size_t i = u->last; i-- > u->first;) {
        const gn_code_node *n = u->all->at[i];
        let_note *l = n->kind == GN_CODE_LET ? &r->let.at[n->val->id] : NULL;
        if (l && l->block == NOBODY) l->block = (int32_t)(root_of[i] / u->q);
        each_operand(n, note_use, &(user_of){ u, l ? l->block : (int32_t)(root_of[i] / u->q) });
    }
    for (size_t i = u->first; i < u->last; i++) {
        gn_code_node *n = u->all->at[i];
        let_note *l = n->kind == GN_CODE_LET ? &r->let.at[n->val->id] : NULL;
        if (l && l->block == SHARED) {
            if (is_held_back(u, n->val, u->first, i)) return false;
            gn_push(r->arena, &u->shared, n);
            continue;
        }
        const int32_t k = l ? l->block : (int32_t)(root_of[i] / u->q);
        node_list *b = &u->block[k];
        if (l && root_of[i] / u->q < (uint32_t)k && is_held_back(u, n->val, i, begin_of(u, root_of, k))) return false;
        if (l) l->at = (uint32_t)b->n;
        else number_lets(r, &n->body, k, (uint32_t)b->n << 12);
        gn_push(r->arena, b, n);
    }
    return true;
}

static void forget(run *u)
{
    for (size_t i = u->first; i < u->last; i++) {
        const gn_code_node *n = u->all->at[i];
        if (n->kind == GN_CODE_LET) u->r->let.at[n->val->id].block = OUTSIDE;
        else number_lets(u->r, &n->body, OUTSIDE, 0);
    }
}

/* ---- one node for all blocks ---- */

static bool unify_operand(run *u, const gn_val *const *at, const gn_val **out);

static bool unify_list(run *u, const node_list *const *lists, gn_code_body *out);

static bool same_numbers(const run *u, const gn_val *const *at)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->u.i != at[0]->u.i) return false;
    return true;
}

static const gn_val *plain(run *u, gn_val v)
{
    return gn_arena_copy(u->r->code->arena, &v, sizeof v);
}

static const gn_dim *number_of(const run *u, uint32_t number, const gn_dim *at)
{
    return at ? at : gn_dim_const(u->turns.dims, number);
}

static int64_t most_turns(const run *u, const char *var)
{
    if (var == u->turns.var) return u->turns.n;
    for (size_t i = 0; i < u->r->open.n; i++)
        if (u->r->open.at[i].var == var) return u->r->open.at[i].n;
    return INT32_MAX;
}

/* Each index of the array stays inside its extent. */
static bool has_digits(const run *u, const gn_place *p, const gn_dim *number)
{
    int64_t stride = p->n, most = 0;
    for (uint16_t d = 0; d < p->rank; d++, most = 0) {
        const int64_t above = d ? stride : INT64_MAX;
        stride /= p->extent[d];
        for (uint32_t i = 0; i < number->n; i++) {
            const gn_term *t = &number->term[i];
            const bool linear = t->c > 0 && t->c <= p->n && (t->n == 0 || (t->n == 1 && t->atom[0]->kind == GN_DIM_SYM));
            if (!linear) return false;
            if (t->n == 0) most += t->c % above / stride;
            else if (t->c % stride == 0 && t->c % above) most += t->c / stride * (most_turns(u, t->atom[0]->name) - 1);
        }
        if (most >= p->extent[d]) return false;
    }
    return true;
}

static bool unify_number(run *u, const gn_place *const *place, const gn_dim *const *number, uint32_t *out, const gn_dim **at)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (place[k] != place[0]) return false;
    const gn_dim *d = gn_unify_dims(&u->turns, number);
    int64_t c = 0;
    if (!d || !has_digits(u, place[0], d)) return false;
    *at = gn_dim_is_const(d, &c) ? NULL : d;
    *out = (uint32_t)c;
    return true;
}

static bool unify_register(run *u, const gn_val *const *at, const gn_val **out)
{
    const gn_place *place[GN_UNIFY_MOST];
    const gn_dim *number[GN_UNIFY_MOST];
    gn_val v = *at[0];
    for (uint32_t k = 0; k < u->n; k++) {
        place[k] = at[k]->u.reg.place;
        number[k] = number_of(u, at[k]->u.reg.number, at[k]->u.reg.at);
    }
    if (!unify_number(u, place, number, &v.u.reg.number, &v.u.reg.at)) return false;
    *out = v.u.reg.number == at[0]->u.reg.number && v.u.reg.at == at[0]->u.reg.at ? at[0] : plain(u, v);
    return true;
}

/* Different lets from before the run: an array that has them all. */
static bool gather(run *u, const gn_val *const *at, const gn_val **out)
{
    for (uint32_t k = 0; k < u->n; k++)
        if (!at[k]->id) return false;
    for (size_t g = 0; g <= u->gathered.n; g++) {
        if (g == u->gathered.n) {
            const gn_val **all = GN_NEW_ARRAY(u->r->arena, const gn_val *, u->n);
            memcpy(all, at, u->n * sizeof *all);
            gn_push(u->r->arena, &u->gathered, all);
        } else if (memcmp(u->gathered.at[g], at, u->n * sizeof *at) != 0) continue;
        gn_val v = { .kind = GN_VAL_REG, .dtype = at[0]->dtype, .lanes = at[0]->lanes };
        v.u.reg.number = (uint32_t)g; /* its place is made with the loop */
        v.u.reg.at = gn_dim_sym(u->turns.dims, u->turns.var);
        gn_val *element = gn_arena_copy(u->r->code->arena, &v, sizeof v);
        gn_push(u->r->arena, &u->elements, element);
        *out = element;
        return true;
    }
    return false;
}

static bool is_of_its_block(const run *u, const gn_val *v, uint32_t k)
{
    return v->id && u->r->let.at[v->id].block == (int32_t)k;
}

static bool unify_let_operand(run *u, const gn_val *const *at, const gn_val **out)
{
    bool same = true, local = true;
    for (uint32_t k = 0; k < u->n; k++) {
        same &= at[k]->id == at[0]->id;
        local &= is_of_its_block(u, at[k], k) && u->r->let.at[at[k]->id].at == u->r->let.at[at[0]->id].at;
    }
    *out = local ? gn_map_get(&u->made, at[0]->id) : at[0];
    if (local || (same && u->r->let.at[at[0]->id].block < 0)) return *out;
    for (uint32_t k = 0; k < u->n; k++)
        if (u->r->let.at[at[k]->id].block >= 0) return false;
    return gather(u, at, out);
}

static bool unify_plain(run *u, const gn_val *const *at, const gn_val **out)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->kind != at[0]->kind && !(at[k]->id && at[0]->id)) return false;
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->dtype != at[0]->dtype || at[k]->lanes != at[0]->lanes || !at[k]->id != !at[0]->id) return false;
    if (at[0]->id) return unify_let_operand(u, at, out);
    *out = at[0];
    if (at[0]->kind == GN_VAL_REG) return unify_register(u, at, out);
    return at[0]->kind == GN_VAL_CONST && same_numbers(u, at);
}

static bool unify_operand(run *u, const gn_val *const *at, const gn_val **out)
{
    const gn_val *all[GN_UNIFY_MOST], *one;
    bool splat = false;
    *out = NULL;
    for (uint32_t k = 0; k < u->n; k++) {
        if (!at[k] != !at[0]) return false;
        if (!at[0]) continue;
        all[k] = now(u->r, at[k]);
        if (k == 0) splat = !all[0]->id && all[0]->kind == GN_VAL_SPLAT;
        else if ((!all[k]->id && all[k]->kind == GN_VAL_SPLAT) != splat) return false;
    }
    if (!at[0]) return true;
    if (!splat) return unify_plain(u, all, out);
    gn_val whole = *all[0];
    for (uint32_t k = 0; k < u->n; k++) all[k] = now(u->r, all[k]->a[0]);
    if (!unify_plain(u, all, &one)) return false;
    whole.a[0] = one;
    *out = plain(u, whole);
    return true;
}

#define OF_EACH(type, name, what) \
    type name[GN_UNIFY_MOST];     \
    for (uint32_t k = 0; k < u->n; k++) name[k] = what

static bool unify_access(run *u, const gn_access *const *at, gn_access *out)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->place != at[0]->place || at[k]->mode != at[0]->mode) return false;
    OF_EACH(const gn_dim *, base, at[k]->base);
    OF_EACH(const gn_dim *, step, at[k]->step);
    OF_EACH(const gn_val *, each, at[k]->each);
    OF_EACH(const gn_val *, mask, at[k]->mask);
    OF_EACH(const gn_preds *, when, &at[k]->when);
    *out = *at[0];
    out->base = gn_unify_dims(&u->turns, base), out->step = gn_unify_dims(&u->turns, step);
    if (!out->base != !base[0] || !out->step != !step[0]) return false;
    return unify_operand(u, each, &out->each) && unify_operand(u, mask, &out->mask) && gn_unify_preds(&u->turns, when, &out->when);
}

static bool unify_index(run *u, const gn_val *const *at, gn_val *out)
{
    if (at[0]->kind == GN_VAL_IOTA) {
        OF_EACH(const gn_dim *, base, at[k]->u.iota.base);
        OF_EACH(const gn_dim *, step, at[k]->u.iota.step);
        out->u.iota.base = gn_unify_dims(&u->turns, base), out->u.iota.step = gn_unify_dims(&u->turns, step);
        return out->u.iota.base && out->u.iota.step;
    }
    OF_EACH(const gn_dim *, index, at[k]->u.index.at);
    out->u.index.at = gn_unify_dims(&u->turns, index);
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->u.index.lane != at[0]->u.index.lane) return false;
    return out->u.index.at;
}

static bool unify_lane(run *u, const gn_val *const *at, gn_val *out)
{
    OF_EACH(const gn_dim *, lane, at[k]->u.lane.at ? at[k]->u.lane.at : gn_dim_const(u->turns.dims, at[k]->u.lane.i));
    const gn_dim *d = gn_unify_dims(&u->turns, lane);
    out->u.lane.at = d && !gn_dim_is_const(d, NULL) ? d : NULL;
    return d;
}

static bool unify_kind(run *u, const gn_val *const *at, gn_val *out)
{
    OF_EACH(const gn_access *, load, &at[k]->u.load);
    switch ((gn_val_kind)at[0]->kind) {
    case GN_VAL_INDEX:
    case GN_VAL_IOTA:
    case GN_VAL_FIRST:
    case GN_VAL_BIT: return unify_index(u, at, out);
    case GN_VAL_LOAD: return unify_access(u, load, &out->u.load);
    case GN_VAL_LANE: return unify_lane(u, at, out);
    case GN_VAL_OP:
        for (uint32_t k = 1; k < u->n; k++)
            if (at[k]->u.op != at[0]->u.op) return false;
        return true;
    default: return true;
    }
}

static bool unify_value(run *u, const gn_val *const *at, gn_val *out)
{
    for (uint32_t k = 1; k < u->n; k++) {
        const gn_val *v = at[k], *w = at[0];
        if (v->kind != w->kind || v->dtype != w->dtype || v->lanes != w->lanes || v->n != w->n || v->red != w->red) return false;
    }
    OF_EACH(const gn_preds *, when, &at[k]->when);
    *out = *at[0];
    for (uint16_t i = 0; i < at[0]->n; i++) {
        OF_EACH(const gn_val *, a, at[k]->a[i]);
        if (!unify_operand(u, a, &out->a[i])) return false;
    }
    return gn_unify_preds(&u->turns, when, &out->when) && unify_kind(u, at, out);
}

static bool unify_set(run *u, gn_code_node *const *at, gn_code_node *out)
{
    OF_EACH(const gn_place *, place, at[k]->place);
    OF_EACH(const gn_dim *, number, number_of(u, at[k]->number, at[k]->at));
    return unify_number(u, place, number, &out->number, &out->at);
}

static bool unify_node(run *u, gn_code_node *const *at, gn_code_node *out)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->kind != at[0]->kind || at[k]->body.kids.n != at[0]->body.kids.n) return false;
    OF_EACH(const gn_val *, val, at[k]->val);
    OF_EACH(const gn_preds *, when, &at[k]->when);
    OF_EACH(const gn_access *, access, &at[k]->access);
    OF_EACH(const node_list *, lists, (const node_list *)(const void *)&at[k]->body.kids);
    *out = *at[0];
    out->body = (gn_code_body){ 0 };
    if (at[0]->kind == GN_CODE_LET) {
        gn_val *v = GN_NEW_OBJECT(u->r->code->arena, gn_val);
        out->val = v;
        if (!unify_value(u, val, v)) return false;
        v->id = (uint32_t)u->r->let.n;
        gn_push(u->r->arena, &u->r->let, (let_note){ .block = OUTSIDE });
        *gn_map_put(u->r->arena, &u->made, at[0]->val->id) = v;
        return true;
    }
    if (at[0]->kind == GN_CODE_IF) return gn_unify_preds(&u->turns, when, &out->when) && unify_list(u, lists, &out->body);
    if (!unify_operand(u, val, &out->val)) return false;
    return at[0]->kind == GN_CODE_SET ? unify_set(u, at, out) : unify_access(u, access, &out->access);
}

static bool unify_list(run *u, const node_list *const *lists, gn_code_body *out)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (lists[k]->n != lists[0]->n) return false;
    for (size_t i = 0; i < lists[0]->n; i++) {
        gn_code_node *at[GN_UNIFY_MOST], *one = gn_code_make(u->r->code, GN_CODE_LET);
        for (uint32_t k = 0; k < u->n; k++) at[k] = lists[k]->at[i];
        if (!unify_node(u, at, one)) return false;
        gn_push(u->r->code->arena, &out->kids, one);
    }
    return true;
}

/* ---- the search ---- */

static uint64_t look_of(const roller *r, const gn_code_node *n)
{
    const gn_val *v = n->val ? source(r, n->val) : NULL;
    uint64_t h = gn_hash_mix(n->kind, n->body.kids.n);
    h = gn_hash_mix(h, n->kind == GN_CODE_SET ? n->place->id : n->kind == GN_CODE_STORE ? n->access.place->id : 0);
    return v ? gn_hash_mix(gn_hash_mix(h, v->kind), v->kind == GN_VAL_OP ? GN_KEY(v->u.op) : 0) : h;
}

typedef struct window {
    node_list nodes;
    GN_VEC(uint32_t) root;   /* places among the nodes */
    GN_VEC(uint64_t) look;   /* of each root */
    uint32_t *root_of;       /* by node: the root that it belongs to */
} window;

static uint32_t count_alike(const window *w, uint32_t first, uint32_t q)
{
    uint32_t n = 1;
    for (; n < GN_UNIFY_MOST && first + (n + 1) * q <= w->root.n; n++)
        for (uint32_t j = 0; j < q; j++)
            if (w->look.at[first + n * q + j] != w->look.at[first + j]) return n;
    return n;
}

/* The leaf along which the first register that differs from block to block is numbered. */
static const char *axis_of(const gn_place *p, uint32_t a, uint32_t b)
{
    uint32_t stride = p->n;
    for (uint16_t i = 0; p->axis && i < p->rank; i++) {
        stride /= p->extent[i];
        if ((b - a) % stride == 0) return p->axis[i];
    }
    return NULL;
}

static const char *axis_of_values(const roller *r, const gn_val *a, const gn_val *b)
{
    if (!a || !b) return NULL;
    a = source(r, a), b = source(r, b);
    const bool regs = !a->id && !b->id && a->kind == GN_VAL_REG && b->kind == GN_VAL_REG && a->u.reg.place == b->u.reg.place;
    return regs && a->u.reg.number < b->u.reg.number ? axis_of(a->u.reg.place, a->u.reg.number, b->u.reg.number) : NULL;
}

static bool is_open(const roller *r, const char *name)
{
    for (size_t i = 0; i < r->open.n; i++)
        if (r->open.at[i].var == name) return true;
    return false;
}

static const char *fresh_name(const roller *r, const char *near)
{
    gn_symbols *symbols = &r->code->dims->symbols;
    const char *name = gn_symbol(r->code->arena, symbols, near);
    for (int i = 2; gn_map_get(&r->taken, GN_KEY(name)) || is_open(r, name); i++)
        name = gn_symbol(r->code->arena, symbols, gn_arena_printf(r->arena, "%s_%d", near, i));
    return name;
}

static const char *variable_of(const run *u)
{
    const char *name = NULL;
    for (size_t i = 0; !name && i < u->block[0].n && i < u->block[1].n; i++) {
        const gn_code_node *a = u->block[0].at[i], *b = u->block[1].at[i];
        if (a->kind == GN_CODE_SET && b->kind == GN_CODE_SET && a->place == b->place && a->number < b->number) name = axis_of(a->place, a->number, b->number);
        for (uint16_t k = 0; !name && a->kind == GN_CODE_LET && b->kind == GN_CODE_LET && k < a->val->n && k < b->val->n; k++)
            name = axis_of_values(u->r, a->val->a[k], b->val->a[k]);
        if (!name && a->kind != GN_CODE_LET) name = axis_of_values(u->r, a->val, b->val);
    }
    if (name) name = gn_symbol(u->r->code->arena, &u->r->code->dims->symbols, name);
    return name && !is_open(u->r, name) ? name : fresh_name(u->r, "p");
}

/* The i-th of the lets of some block is used outside of it. */
static bool is_used_outside(const run *u, size_t i)
{
    bool any = false;
    for (uint32_t k = 0; k < u->n && u->block[k].at[i]->kind == GN_CODE_LET; k++) {
        const let_note *l = &u->r->let.at[u->block[k].at[i]->val->id];
        any |= l->uses > l->here;
    }
    return any;
}

/* Nodes less, for one block of so many roots. */
static int64_t saving(const run *u)
{
    int64_t kept = 0;
    for (size_t i = 0; i < u->block[0].n; i++) kept += is_used_outside(u, i);
    return (int64_t)(u->n - 1) * (int64_t)u->block[0].n - (int64_t)u->gathered.n * u->n - 2 * kept - 3;
}

enum { NOT_ALIKE = INT32_MIN };
/* What it saves. */
static int64_t try_run(roller *r, const window *w, uint32_t first, uint32_t q, uint32_t n, run *u, gn_code_body *body)
{
    const node_list *lists[GN_UNIFY_MOST];
    *u = (run){ .r = r, .all = &w->nodes, .q = q, .n = n, .first = first ? w->root.at[first - 1] + 1 : 0, .last = w->root.at[first + q * n - 1] + 1 };
    u->block = GN_NEW_ARRAY(r->arena, node_list, n);
    uint32_t *root_of = GN_NEW_ARRAY(r->arena, uint32_t, u->last + 1);
    for (size_t i = u->first; i < u->last; i++) root_of[i] = w->root_of[i] - first;
    *body = (gn_code_body){ 0 };
    bool fits = sort_nodes(u, root_of);
    for (uint32_t k = 0; k < n; k++) lists[k] = &u->block[k], fits &= u->block[k].n == u->block[0].n;
    if (fits) u->turns = (gn_turns){ r->code->dims, r->code->arena, variable_of(u), n };
    fits = fits && unify_list(u, lists, body);
    const int64_t saved = fits ? saving(u) : NOT_ALIKE;
    forget(u);
    return saved;
}

/* ---- the loop ---- */

static const char *word_for(const roller *r, const gn_val *v)
{
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_OP: return gn_arena_printf(r->arena, "%ss", v->u.op->name); /* a name of its own: sines, not the library's sine */
    case GN_VAL_LOAD: return "loads";
    case GN_VAL_FIRST: return "inside";
    case GN_VAL_BIT: return "hits";
    case GN_VAL_COND: return "tests";
    case GN_VAL_INDEX:
    case GN_VAL_IOTA: return "indices";
    default: return "values";
    }
}

static gn_place *new_array(roller *r, gn_code_body *region, const gn_val *like, uint32_t n, const char *var)
{
    uint32_t *extent = GN_NEW_ARRAY(r->code->arena, uint32_t, 1);
    const char **axis = GN_NEW_ARRAY(r->code->arena, const char *, 1);
    extent[0] = n, axis[0] = var;
    gn_place *p = gn_code_place(r->code, (gn_place){ .name = fresh_name(r, word_for(r, like)), .dtype = (gn_dtype)like->dtype,
                                                     .space = GN_SPACE_REG, .lanes = like->lanes, .rank = 1, .extent = extent, .axis = axis });
    gn_code_node *d = gn_code_make(r->code, GN_CODE_DECLARE);
    d->place = p;
    *gn_map_put(r->arena, &r->taken, GN_KEY(p->name)) = r;
    gn_push(r->code->arena, &region->kids, d);
    return p;
}

static gn_code_node *set_node(roller *r, const gn_place *p, uint32_t number, const gn_dim *at, const gn_val *v)
{
    gn_code_node *n = gn_code_make(r->code, GN_CODE_SET);
    n->place = p, n->number = number, n->at = at, n->val = v;
    return n;
}

typedef struct counting {
    roller *r;
    uint32_t by;
} counting;

static void count_use(void *user, const gn_val *v)
{
    const counting *c = user;
    v = source(c->r, v);
    if (v->id) c->r->let.at[v->id].uses += c->by;
}

static void count_uses(roller *r, const gn_code_node *n, uint32_t by)
{
    each_operand(n, count_use, &(counting){ r, by });
}

/* What a block makes for others than itself is in an array from now on. */
static void keep(run *u, const gn_code_node *made, size_t at, gn_code_body *declared, gn_code_body *body)
{
    roller *r = u->r;
    const gn_place *p = new_array(r, declared, made->val, u->n, u->turns.var);
    gn_push(r->code->arena, &body->kids, set_node(r, p, 0, gn_dim_sym(r->code->dims, u->turns.var), made->val));
    for (uint32_t k = 0; k < u->n; k++) {
        gn_val v = { .kind = GN_VAL_REG, .dtype = made->val->dtype, .lanes = made->val->lanes };
        v.u.reg.place = p, v.u.reg.number = k;
        *gn_map_put(r->arena, &r->kept, u->block[k].at[at]->val->id) = (void *)plain(u, v);
    }
}

static void fill_arrays(run *u, gn_code_body *declared, gn_code_body *out)
{
    roller *r = u->r;
    for (size_t g = 0; g < u->gathered.n; g++) {
        const gn_place *p = new_array(r, declared, u->gathered.at[g][0], u->n, u->turns.var);
        for (uint32_t k = 0; k < u->n; k++) gn_push(r->code->arena, &out->kids, set_node(r, p, k, NULL, u->gathered.at[g][k]));
        for (size_t i = 0; i < u->elements.n; i++) {
            gn_val *e = u->elements.at[i];
            if (!e->u.reg.place && e->u.reg.number == g) e->u.reg.place = p, e->u.reg.number = 0;
        }
    }
}

static void roll_region(roller *, gn_code_body *);

static gn_code_node *build(run *u, const gn_code_body *made, gn_code_body *declared, gn_code_body *out)
{
    roller *r = u->r;
    gn_code_node *loop = gn_code_make(r->code, GN_CODE_FOR);
    loop->var = u->turns.var, loop->to = gn_dim_const(r->code->dims, u->n), loop->unrolled = true;
    bool *outside = GN_NEW_ARRAY(r->arena, bool, made->kids.n + 1);
    for (size_t i = 0; i < made->kids.n; i++) outside[i] = is_used_outside(u, i);
    for (size_t i = u->first; i < u->last; i++) count_uses(r, u->all->at[i], UINT32_MAX);
    for (size_t i = 0; i < u->shared.n; i++) gn_push(r->code->arena, &out->kids, u->shared.at[i]);
    fill_arrays(u, declared, out);
    for (size_t i = 0; i < made->kids.n; i++) {
        gn_push(r->code->arena, &loop->body.kids, made->kids.at[i]);
        if (outside[i]) keep(u, made->kids.at[i], i, declared, &loop->body);
    }
    gn_push(r->code->arena, &out->kids, loop);
    return loop;
}

/* ---- regions ---- */

static window window_at(const roller *r, const gn_code_body *b, size_t *at)
{
    window w = { 0 };
    for (; *at < b->kids.n && !ends_window(b->kids.at[*at]); ++*at) {
        gn_code_node *n = b->kids.at[*at];
        if (is_root(n)) gn_push(r->arena, &w.root, (uint32_t)w.nodes.n), gn_push(r->arena, &w.look, look_of(r, n));
        gn_push(r->arena, &w.nodes, n);
    }
    w.root_of = GN_NEW_ARRAY(r->arena, uint32_t, w.nodes.n + 1);
    for (size_t i = 0, root = 0; i < w.nodes.n; i++) {
        w.root_of[i] = (uint32_t)root;
        root += is_root(w.nodes.at[i]);
    }
    return w;
}

/* The run from this root on that saves most. */
static bool find_run(roller *r, const window *w, uint32_t first, run *best, gn_code_body *body)
{
    int64_t most = 0;
    uint32_t best_q = 0, best_n = 0;
    for (uint32_t q = 1; q <= MOST_ROOTS; q++) {
        const uint32_t alike = count_alike(w, first, q);
        if (alike < LEAST_BLOCKS || try_run(r, w, first, q, LEAST_BLOCKS, best, body) == NOT_ALIKE) continue;
        for (uint32_t n = alike; n >= LEAST_BLOCKS; n = n > LEAST_BLOCKS && n / 2 < LEAST_BLOCKS ? LEAST_BLOCKS : n / 2) {
            const int64_t saved = try_run(r, w, first, q, n, best, body);
            if (saved > most) most = saved, best_q = q, best_n = n;
            if (saved != NOT_ALIKE) break;
        }
    }
    return most && try_run(r, w, first, best_q, best_n, best, body) == most;
}

static void put(roller *r, gn_code_body *out, gn_code_node *n)
{
    gn_push(r->code->arena, &out->kids, n);
}

static void roll_window(roller *r, const window *w, gn_code_body *declared, gn_code_body *out)
{
    size_t next = 0;
    for (uint32_t root = 0; root < w->root.n;) {
        run u;
        gn_code_body made;
        if (!find_run(r, w, root, &u, &made)) {
            for (; next <= w->root.at[root]; next++) put(r, out, w->nodes.at[next]);
            root++;
            continue;
        }
        const size_t before = out->kids.n;
        gn_code_node *loop = build(&u, &made, declared, out);
        for (size_t i = before; i < out->kids.n; i++) count_uses(r, out->kids.at[i], 1);
        gn_push(r->arena, &r->open, u.turns);
        roll_region(r, &loop->body);
        r->open.n--;
        next = u.last, root += u.q * u.n;
    }
    for (; next < w->nodes.n; next++) put(r, out, w->nodes.at[next]);
}

static void roll_region(roller *r, gn_code_body *b)
{
    gn_code_body declared = { 0 }, out = { 0 };
    for (size_t i = 0; i < b->kids.n;) {
        const window w = window_at(r, b, &i);
        roll_window(r, &w, &declared, &out);
        if (i == b->kids.n) break;
        roll_region(r, &b->kids.at[i]->body);
        put(r, &out, b->kids.at[i++]);
    }
    for (size_t i = 0; i < out.kids.n; i++) put(r, &declared, out.kids.at[i]);
    *b = declared;
}

/* ---- a step ---- */

static void take_name(roller *r, const char *name)
{
    *gn_map_put(r->arena, &r->taken, GN_KEY(gn_symbol(r->code->arena, &r->code->dims->symbols, name))) = r;
}

static void note_names(void *user, const gn_code_node *n)
{
    if (n->var && !n->unrolled) take_name(user, n->var); /* unrolled loops of other regions may have the same */
    if (n->kind == GN_CODE_LET && n->val->kind == GN_VAL_INDEX && n->val->lanes > 1) take_name(user, n->val->u.index.lane);
}

static void take_names(roller *r)
{
    const gn_code *c = r->code;
    take_name(r, c->name);
    for (size_t i = 0; i < c->syms.n; i++) take_name(r, c->syms.at[i].name);
    for (size_t i = 0; i < c->places.n; i++) take_name(r, c->places.at[i]->name);
    for (size_t i = 0; i < c->threads.n; i++) take_name(r, c->threads.at[i].name);
    for (size_t s = 0; s < c->steps.n; s++) {
        for (size_t i = 0; i < c->steps.at[s].parts.n; i++) take_name(r, c->steps.at[s].parts.at[i].name);
        gn_code_walk(&c->steps.at[s].body, note_names, r);
    }
}

/* Operands that are in registers now, and lets under one address, so that they can be numbered anew. */
static const gn_val *named(const roller *r, const gn_val *v)
{
    v = now(r, v);
    const gn_val *let = v->id ? gn_map_get(&r->made, v->id) : NULL;
    return let ? let : v;
}

static void rename_operand(const roller *r, const gn_val **v)
{
    if (!*v) return;
    *v = named(r, *v);
    if ((*v)->id || (*v)->kind != GN_VAL_SPLAT || named(r, (*v)->a[0]) == (*v)->a[0]) return;
    gn_val *splat = gn_arena_copy(r->code->arena, *v, sizeof **v);
    splat->a[0] = named(r, splat->a[0]);
    *v = splat;
}

static void note_let(void *user, const gn_code_node *n)
{
    roller *r = user;
    if (n->kind == GN_CODE_LET) *gn_map_put(r->arena, &r->made, n->val->id) = (void *)n->val;
}

static void number_let(void *user, const gn_code_node *n)
{
    uint32_t *last = user;
    if (n->kind == GN_CODE_LET) ((gn_val *)n->val)->id = ++*last;
}

static void rename_operands(void *user, const gn_code_node *node)
{
    const roller *r = user;
    gn_code_node *n = (gn_code_node *)node; /* of a code that may be changed */
    gn_val *let = n->kind == GN_CODE_LET ? (gn_val *)n->val : NULL;
    gn_access *a = let ? let->kind == GN_VAL_LOAD ? &let->u.load : NULL : &n->access;
    for (uint16_t i = 0; let && i < let->n; i++) rename_operand(r, &let->a[i]);
    if (!let) rename_operand(r, &n->val);
    if (a) rename_operand(r, &a->each), rename_operand(r, &a->mask);
    for (int i = 0; n->tile && i < GN_TILE_MAX_REGS; i++) rename_operand(r, &n->tile->a[i]), rename_operand(r, &n->tile->b[i]);
}

void gn_code_roll(gn_code *c, gn_code_body *step)
{
    gn_arena scratch = { .allocator = c->arena->allocator };
    roller r = { .code = c, .arena = &scratch };
    const uint32_t nlets = gn_code_largest_id(step);
    if (c->target->lang == GN_LANG_C && c->target->vector_bytes <= 4) return; /* scalars, for any compiler */
    for (uint32_t i = 0; i <= nlets; i++) gn_push(r.arena, &r.let, (let_note){ .block = OUTSIDE });
    take_names(&r);
    for (size_t i = 0; i < step->kids.n; i++) count_uses(&r, step->kids.at[i], 1);
    roll_region(&r, step);
    uint32_t last = 0;
    gn_code_walk(step, note_let, &r);
    gn_code_walk(step, rename_operands, &r);
    gn_code_walk(step, number_let, &last);
    gn_arena_free(&scratch);
}
