/* The pass `wait`: an element of memory that is written again and again, point by point of a tile, waits in a register:
 * what loads it reads the register, what stores to it sets it, and it is stored once, where the last store stood.
 *
 * It looks at stretches of a region without loops, branches and barriers. There all that touches the place must be at
 * the same element, or be known to be apart from it. */
#include "code_known.h"
#include "code_names.h"
#include "code_passes.h"

enum { MOST_ELEMENTS = 64 }; /* of a place: registers are few */

typedef struct element { /* of memory, or as many as there are lanes */
    const gn_access *place;
    uint16_t lanes;
    size_t first; /* where it is touched first */
    GN_VEC(size_t) stores;
    const gn_place *reg; /* that has it, from `first` on; NULL: none */
} element;

typedef struct touched { /* a place in the stretch */
    bool lost, begun;
    size_t last; /* store to what gets a register */
    GN_VEC(element *) at;
} touched;

typedef struct waiter {
    gn_code *code;
    gn_arena *arena;
    gn_code_names names;
    gn_code_body *body;
    gn_map places; /* of the stretch, by name: touched */
    GN_VEC(touched *) all;
    gn_map last_use; /* by id: node of the region, + 1 */
    size_t at;
    gn_map same; /* by id of a load: the register that has it */
} waiter;

static touched *touched_of(waiter *w, const char *name)
{
    void **const at = gn_map_put(w->arena, &w->places, GN_KEY(name));
    if (*at) return *at;
    touched *const t = *at = GN_NEW_OBJECT(w->arena, touched);
    gn_push(w->arena, &w->all, t);
    return t;
}

static void lose_index(void *user, const char *buffer)
{
    touched_of(user, buffer)->lost = true;
}

static void lose_indices(void *user, const gn_dim *d)
{
    if (gn_dim_has_load(d)) gn_dim_loads(d, lose_index, user);
}

static const gn_access *access_of(const gn_code_node *n)
{
    if (n->kind == GN_CODE_STORE) return &n->access;
    return n->kind == GN_CODE_LET && n->val->kind == GN_VAL_LOAD ? &n->val->u.load : NULL;
}

static element *find(const touched *t, const gn_access *a)
{
    for (size_t i = 0; t && i < t->at.n; i++)
        if (gn_same_access(t->at.at[i]->place, a)) return t->at.at[i];
    return NULL;
}

static void touch(waiter *w, const gn_code_node *n, size_t at)
{
    const gn_access *const a = access_of(n);
    gn_code_dims(n, lose_indices, w);
    if (!a) return;
    touched *const t = touched_of(w, a->place->name);
    gn_work_done.scans += t->at.n;
    t->lost |= a->mask || a->when.n || a->mode > GN_ACCESS_ROW || t->at.n == MOST_ELEMENTS;
    if (t->lost) return;
    element *e = find(t, a);
    if (!e) {
        e = GN_NEW_OBJECT(w->arena, element);
        *e = (element){ .place = a, .lanes = n->val->lanes, .first = at };
        gn_push(w->arena, &t->at, e);
    }
    if (n->kind == GN_CODE_STORE) gn_push(w->arena, &e->stores, at);
}

/* ---- which of them get a register ---- */

static const gn_place *new_register(waiter *w, const gn_place *of, uint16_t lanes)
{
    const char *const name = gn_code_fresh_name(&w->names, gn_arena_printf(w->arena, "%s_r", of->name));
    return gn_code_place(w->code, (gn_place){ .name = name, .dtype = of->dtype, .space = GN_SPACE_REG, .lanes = lanes });
}

static bool is_apart_from_others(const touched *t, const element *e)
{
    for (size_t i = 0; i < t->at.n; i++) {
        const element *const other = t->at.at[i];
        if (other != e && !gn_are_apart(e->place, e->lanes, other->place, other->lanes)) return false;
    }
    return true;
}

static bool choose(waiter *w, touched *t)
{
    bool any = false;
    for (size_t i = 0; i < t->at.n && !t->lost; i++) {
        element *const e = t->at.at[i];
        if (e->stores.n < 2 || !is_apart_from_others(t, e)) continue;
        e->reg = new_register(w, e->place->place, e->lanes);
        if (e->stores.at[e->stores.n - 1] > t->last) t->last = e->stores.at[e->stores.n - 1];
        any = true;
    }
    return any;
}

static void note_use(void *user, const gn_val **v)
{
    waiter *const w = user;
    const gn_val *const own = gn_val_source(*v);
    if (own->id) *gn_map_put(w->arena, &w->last_use, own->id) = (void *)(uintptr_t)(w->at + 1);
}

static void note_uses(void *user, const gn_code_node *n)
{
    gn_code_operands(n, note_use, user);
}

static void find_last_uses(waiter *w)
{
    for (w->at = 0; w->at < w->body->kids.n; w->at++) {
        note_uses(w, w->body->kids.at[w->at]);
        gn_code_walk(&w->body->kids.at[w->at]->body, note_uses, w);
    }
}

/* ---- the stretch, rewritten ---- */

static const gn_val *now(void *user, const gn_val *v)
{
    const waiter *const w = user;
    const gn_val *const other = v->id ? gn_map_get(&w->same, v->id) : NULL;
    return other ? other : v;
}

static const gn_val *register_of(const waiter *w, const element *e)
{
    return gn_code_register(w->code, e->reg, 0, NULL);
}

static gn_code_node *put(waiter *w, gn_code_body *out, gn_code_kind kind, const gn_place *p)
{
    gn_code_node *const n = gn_code_append(w->code, out, kind);
    n->place = p;
    return n;
}

/* What is loaded is used no later than the element is stored again. */
static bool is_read_in_time(const waiter *w, const element *e, const gn_val *load, size_t at)
{
    const size_t last = (uintptr_t)gn_map_get(&w->last_use, load->id);
    for (size_t i = 0; i < e->stores.n; i++)
        if (e->stores.at[i] > at) return last <= e->stores.at[i] + 1;
    return true;
}

static void put_load(waiter *w, gn_code_body *out, const element *e, gn_code_node *n, size_t at)
{
    const gn_val *const reg = register_of(w, e);
    if (is_read_in_time(w, e, n->val, at)) {
        *gn_map_put(w->arena, &w->same, n->val->id) = (void *)reg;
        return;
    }
    if (at == e->first) return; /* stands already */
    gn_push(w->code->arena, &out->kids, n);
    const uint32_t id = n->val->id;
    *(gn_val *)n->val = gn_val_copy_of(reg), ((gn_val *)n->val)->id = id;
}

/* Behind the last of them, what the registers of the place have is stored. */
static void put_store(waiter *w, gn_code_body *out, const touched *t, const element *e, const gn_code_node *n,
                      size_t at)
{
    put(w, out, GN_CODE_SET, e->reg)->val = n->val;
    if (at != t->last) return;
    for (size_t i = 0; i < t->at.n; i++) {
        const element *const one = t->at.at[i];
        if (!one->reg) continue;
        gn_code_node *const store = w->body->kids.at[one->stores.at[one->stores.n - 1]];
        gn_push(w->code->arena, &out->kids, store);
        store->val = register_of(w, one);
    }
}

/* Before the first of them is touched, all registers of a place get what it has, so that the points after are alike. */
static void put_registers(waiter *w, gn_code_body *out, touched *t)
{
    for (size_t i = 0; i < t->at.n; i++) {
        const element *const e = t->at.at[i];
        gn_code_node *const first = w->body->kids.at[e->first];
        if (!e->reg) continue;
        put(w, out, GN_CODE_DECLARE, e->reg);
        if (first->kind != GN_CODE_LET) continue;
        gn_push(w->code->arena, &out->kids, first);
        put(w, out, GN_CODE_SET, e->reg)->val = first->val;
    }
    t->begun = true;
}

static void rewrite(waiter *w, gn_code_body *out, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        gn_code_node *const n = w->body->kids.at[i];
        const gn_access *const a = access_of(n);
        touched *const t = a ? gn_map_get(&w->places, GN_KEY(a->place->name)) : NULL;
        const element *const e = find(t, a);
        gn_code_rename(w->code, n, now, w);
        if (!e || !e->reg) {
            gn_push(w->code->arena, &out->kids, n);
            continue;
        }
        if (!t->begun) put_registers(w, out, t);
        if (n->kind == GN_CODE_LET)
            put_load(w, out, e, n, i);
        else
            put_store(w, out, t, e, n, i);
    }
}

static bool ends_stretch(const gn_code_node *n)
{
    return n->kind > GN_CODE_DECLARE;
}

static void wait_in(waiter *w, gn_code_body *b)
{
    gn_code_body out = { 0 };
    for (size_t i = 0; i < b->kids.n; i++) wait_in(w, &b->kids.at[i]->body);
    w->body = b, w->last_use = w->same = (gn_map){ 0 };
    for (size_t from = 0, to; from < b->kids.n; from = to) {
        w->places = (gn_map){ 0 }, w->all.n = 0;
        for (to = from; to < b->kids.n && !ends_stretch(b->kids.at[to]); to++) touch(w, b->kids.at[to], to);
        bool any = false;
        for (size_t i = 0; i < w->all.n; i++) any |= choose(w, w->all.at[i]);
        if (any && !w->last_use.n) find_last_uses(w);
        rewrite(w, &out, from, to);
        if (to == b->kids.n) break;
        gn_code_rename(w->code, b->kids.at[to], now, w);
        gn_code_rename_all(w->code, &b->kids.at[to]->body, now, w);
        gn_push(w->code->arena, &out.kids, b->kids.at[to++]);
    }
    *b = out;
}

void gn_code_wait(gn_code *c, gn_code_body *step)
{
    waiter w = { .code = c, .arena = c->arena, .names = gn_code_take_names(c) };
    wait_in(&w, step);
}
