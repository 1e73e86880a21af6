/* The table of known lets. */
#include "code_known.h"
#include "dim_parts.h"

/* ---- equality and hash of values ---- */

bool gn_same_conds(const gn_pred *a, const gn_pred *b)
{
    bool same = a->n == b->n;
    for (uint16_t i = 0; same && i < a->n; i++)
        same = a->cond[i].kind == b->cond[i].kind && a->cond[i].a == b->cond[i].a && a->cond[i].b == b->cond[i].b;
    return same;
}

bool gn_same_preds(gn_preds a, gn_preds b)
{
    bool same = a.n == b.n;
    for (uint32_t i = 0; same && i < a.n; i++)
        same = a.at[i].negate == b.at[i].negate && gn_same_conds(&a.at[i], &b.at[i]);
    return same;
}

const void *gn_mask_part(const void *mask, size_t i)
{
    const gn_val *const m = mask;
    return m->kind == GN_VAL_OP && m->u.op == &gn_op_and && i < 2 ? m->a[i] : NULL;
}

static bool same_value(const gn_val *, const gn_val *);

static bool same_or_null(const gn_val *a, const gn_val *b)
{
    return a == b || (a && b && same_value(a, b));
}

bool gn_same_access(const gn_access *a, const gn_access *b)
{
    return a->place == b->place && a->mode == b->mode && a->base == b->base && a->step == b->step &&
           same_or_null(a->each, b->each) && same_or_null(a->mask, b->mask) && gn_same_preds(a->when, b->when);
}

static bool same_value(const gn_val *a, const gn_val *b)
{
    if (a == b) return true;
    if (a->kind != b->kind || a->dtype != b->dtype || a->lanes != b->lanes || a->red != b->red || a->n != b->n)
        return false;
    if (a->id && b->id) return a->id == b->id;
    for (uint16_t i = 0; i < a->n; i++)
        if (!same_value(a->a[i], b->a[i])) return false;
    switch ((gn_val_kind)a->kind) {
    case GN_VAL_LANE: return a->u.lane.i == b->u.lane.i && a->u.lane.at == b->u.lane.at;
    case GN_VAL_PARAM:
    case GN_VAL_CONST: return a->u.i == b->u.i;
    case GN_VAL_REG:
        return a->u.reg.place == b->u.reg.place && a->u.reg.number == b->u.reg.number && a->u.reg.at == b->u.reg.at;
    case GN_VAL_IOTA: return a->u.iota.base == b->u.iota.base && a->u.iota.step == b->u.iota.step;
    case GN_VAL_INDEX:
        return a->u.index.at == b->u.index.at && a->u.index.lane == b->u.index.lane && gn_same_preds(a->when, b->when);
    case GN_VAL_BIT:
    case GN_VAL_FIRST: return a->u.index.at == b->u.index.at;
    case GN_VAL_COND: return gn_same_preds(a->when, b->when);
    case GN_VAL_LOAD: return gn_same_access(&a->u.load, &b->u.load);
    case GN_VAL_OP: return a->u.op == b->u.op;
    default: return true;
    }
}

static uint64_t hash_preds(uint64_t h, gn_preds w)
{
    for (uint32_t i = 0; i < w.n; i++)
        for (uint16_t j = 0; j < w.at[i].n; j++)
            h = gn_hash_mix(gn_hash_mix(h, w.at[i].cond[j].a->id), w.at[i].cond[j].b->id);
    return h;
}

uint64_t gn_val_hash(const gn_val *v)
{
    uint64_t h = gn_hash_mix(v->kind | v->red << 8, (uint64_t)v->dtype << 16 | v->lanes);
    for (uint16_t i = 0; i < v->n; i++) h = gn_hash_mix(h, v->a[i]->id ? v->a[i]->id : gn_val_hash(v->a[i]));
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_PARAM:
    case GN_VAL_LANE:
    case GN_VAL_CONST: return gn_hash_mix(h, (uint64_t)v->u.i);
    case GN_VAL_REG: return gn_hash_mix(gn_hash_mix(h, v->u.reg.place->id), v->u.reg.number);
    case GN_VAL_IOTA: return gn_hash_mix(gn_hash_mix(h, v->u.iota.base->id), v->u.iota.step->id);
    case GN_VAL_INDEX:
    case GN_VAL_BIT:
    case GN_VAL_FIRST: return hash_preds(gn_hash_mix(h, v->u.index.at->id), v->when);
    case GN_VAL_COND: return hash_preds(h, v->when);
    case GN_VAL_LOAD:
        h = gn_hash_mix(h, v->u.load.place->id);
        return gn_hash_mix(h, v->u.load.base ? v->u.load.base->id : v->u.load.each->id);
    case GN_VAL_OP: return gn_hash_bytes(h, v->u.op->name, strlen(v->u.op->name));
    default: return h;
    }
}

/* ---- by content ---- */

const gn_val *gn_known_find(const gn_known_lets *x, gn_val *what, uint64_t h)
{
    const uint32_t id = what->id;
    const gn_val *let = NULL;
    what->id = 0; /* by what it is */
    for (uint32_t i = x->nchains ? x->chain[h % x->nchains] : 0; i && !let; i = x->known.at[i - 1]->next) {
        const gn_known *k = x->known.at[i - 1];
        gn_work_done.scans++;
        if (!k->dead && k->hash == h && same_value(k->what, what)) let = k->let;
    }
    what->id = id;
    return let;
}

static void chain(gn_known_lets *x, uint32_t i)
{
    uint32_t *first = &x->chain[x->known.at[i]->hash % x->nchains];
    x->known.at[i]->next = *first;
    *first = i + 1;
}

static void more_chains(gn_known_lets *x)
{
    x->nchains = x->nchains ? 2 * x->nchains : 256;
    x->chain = GN_NEW_ARRAY(x->arena, uint32_t, x->nchains);
    for (uint32_t i = 0; i < x->known.n; i++) chain(x, i); /* oldest first: the newest is the first of its chain */
}

size_t gn_known_mark(const gn_known_lets *x)
{
    return x->known.n;
}

void gn_known_release(gn_known_lets *x, size_t mark)
{
    while (x->known.n > mark) {
        gn_known *k = gn_pop(&x->known);
        x->chain[k->hash % x->nchains] = k->next;
        k->dead = true;
    }
}

/* ---- by what they read ---- */

enum { STRETCH = 16, MOST_LANES = 64 }; /* elements */

typedef struct readers {
    GN_VEC(gn_known *) at;
} readers;

typedef struct stretches { /* of addresses that differ by constants */
    const gn_dim *base;    /* without its constant; NULL: anywhere */
    gn_map at;             /* by number of the stretch: readers */
} stretches;

typedef struct memory {
    gn_map by_base; /* stretches */
    GN_VEC(stretches *) all;
} memory;

static void kill(readers *r)
{
    for (size_t i = 0; i < r->at.n; i++) r->at.at[i]->dead = true;
    gn_work_done.scans += r->at.n;
    r->at.n = 0;
}

static void add_reader(gn_known_lets *x, gn_map *m, uint64_t key, gn_known *k)
{
    void **at = gn_map_put(x->arena, m, key);
    if (!*at) *at = GN_NEW_OBJECT(x->arena, readers);
    gn_push(x->arena, &((readers *)*at)->at, k);
}

static void add_registers(gn_known_lets *x, gn_known *k)
{
    for (uint16_t i = 0; i < k->what->n; i++) {
        const gn_val *a = gn_val_source(k->what->a[i]);
        if (a->id || a->kind != GN_VAL_REG) continue;
        const gn_place *const p = a->u.reg.place;
        const uint32_t from = a->u.reg.at ? 0 : a->u.reg.number, to = a->u.reg.at ? p->n : from + 1;
        for (uint32_t r = from; r < to; r++) add_reader(x, &x->registers, gn_register_key(p, r), k);
    }
}

static int64_t stretch_of(int64_t element)
{
    return element >= 0 ? element / STRETCH : -((STRETCH - 1 - element) / STRETCH);
}

static const gn_dim *base_of(const gn_known_lets *x, const gn_access *a, int64_t *element)
{
    *element = a->base ? gn_dim_constant(a->base) : 0;
    if (a->mode > GN_ACCESS_ROW) return NULL;
    return *element == 0 ? a->base : gn_dim_sub(x->dims, a->base, gn_dim_const(x->dims, *element));
}

static void add_load(gn_known_lets *x, gn_known *k)
{
    int64_t element;
    const gn_access *const a = &k->what->u.load;
    const gn_dim *base = base_of(x, a, &element);
    void **m = gn_map_put(x->arena, &x->memory, a->place->id);
    if (!*m) *m = GN_NEW_OBJECT(x->arena, memory);
    memory *all = *m;
    void **at = gn_map_put(x->arena, &all->by_base, GN_KEY(base));
    if (!*at) {
        stretches *s = GN_NEW_OBJECT(x->arena, stretches);
        s->base = base;
        gn_push(x->arena, &all->all, s);
        *at = s;
    }
    add_reader(x, &((stretches *)*at)->at, (uint64_t)stretch_of(element), k);
}

typedef struct reading {
    gn_known_lets *x;
    gn_known *k;
} reading;

static void add_index(void *user, const char *buffer)
{
    const reading *const r = user;
    add_reader(r->x, &r->x->indices, GN_KEY(buffer), r->k);
}

static void add_indices(void *user, const gn_dim *d)
{
    if (gn_dim_has_load(d)) gn_dim_loads(d, add_index, user);
}

void gn_known_add(gn_known_lets *x, const gn_val *what, const gn_val *let, uint64_t h)
{
    gn_known *k = GN_NEW_OBJECT(x->arena, gn_known);
    *k = (gn_known){ .what = what, .let = let, .hash = h };
    if (x->known.n == x->nchains) more_chains(x);
    gn_push(x->arena, &x->known, k);
    chain(x, (uint32_t)x->known.n - 1);
    add_registers(x, k);
    if (what->kind == GN_VAL_LOAD) add_load(x, k);
    gn_val_dims(what, add_indices, &(reading){ x, k });
}

void gn_known_set(gn_known_lets *x, const gn_place *o, uint32_t number)
{
    readers *r = gn_map_get(&x->registers, gn_register_key(o, number));
    if (r) kill(r);
}

static void kill_all(const stretches *s)
{
    for (size_t i = 0; i < s->at.capacity; i++)
        if (s->at.taken[i]) kill(s->at.value[i]);
}

static void forget_indices(gn_known_lets *x, const gn_place *p)
{
    readers *r = gn_map_get(&x->indices, GN_KEY(p->name));
    if (r) kill(r);
}

static void forget_memory(gn_known_lets *x, const gn_place *p)
{
    const memory *m = gn_map_get(&x->memory, p->id);
    for (size_t i = 0; m && i < m->all.n; i++) kill_all(m->all.at[i]);
    if (m) *gn_map_put(x->arena, &x->memory, p->id) = NULL;
}

void gn_known_forget(gn_known_lets *x, const gn_place *p)
{
    forget_indices(x, p);
    if (p->space == GN_SPACE_REG)
        for (uint32_t i = 0; i < p->n; i++) gn_known_set(x, p, i);
    else
        forget_memory(x, p);
}

bool gn_are_apart(const gn_access *a, uint16_t lanes, const gn_access *b, uint16_t other_lanes)
{
    if (a->mode > GN_ACCESS_ROW || b->mode > GN_ACCESS_ROW) return false;
    if (gn_dim_compare(a->base, b->base) != GN_DIM_DIFFERENT) return false; /* by a constant */
    const int64_t x = gn_dim_constant(a->base), y = gn_dim_constant(b->base);
    return x < y ? x + lanes <= y : y + other_lanes <= x;
}

static void kill_near(readers *r, const gn_access *w, uint16_t lanes)
{
    size_t n = 0;
    for (size_t i = 0; i < r->at.n; i++) {
        gn_known *k = r->at.at[i];
        gn_work_done.scans++;
        if (k->dead) continue;
        if (gn_are_apart(w, lanes, &k->what->u.load, k->what->lanes))
            r->at.at[n++] = k;
        else k->dead = true;
    }
    r->at.n = n;
}

void gn_known_stored(gn_known_lets *x, const gn_access *w, uint16_t lanes)
{
    int64_t element;
    memory *m = gn_map_get(&x->memory, w->place->id);
    const gn_dim *base = m ? base_of(x, w, &element) : NULL;
    stretches *same = base ? gn_map_get(&m->by_base, GN_KEY(base)) : NULL;
    forget_indices(x, w->place);
    if (!same) {
        forget_memory(x, w->place);
        return;
    }
    const int64_t from = stretch_of(element - MOST_LANES), to = stretch_of(element + lanes);
    for (int64_t i = from; i <= to; i++) {
        readers *r = gn_map_get(&same->at, (uint64_t)i);
        if (r) kill_near(r, w, lanes);
    }
    if (m->all.n == 1) return;
    for (size_t i = 0; i < m->all.n; i++)
        if (m->all.at[i] != same) kill_all(m->all.at[i]);
    m->all.n = 0;
    gn_push(x->arena, &m->all, same);
    m->by_base = (gn_map){ 0 };
    *gn_map_put(x->arena, &m->by_base, GN_KEY(base)) = same;
}
