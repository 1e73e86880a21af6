/* The table of known lets: found by content, forgotten when what they read is written. Memory is looked up by stretches
 * of 16 elements, so that a store meets the loads near it and not all of them. */
#include "code_build.h"
#include "visit.h"

/* ---- by content ---- */

const gn_val *gn_known_find(gn_code_builder *x, const gn_val *probe, uint64_t h)
{
    if (!x->nchains) return NULL;
    for (uint32_t i = x->chain[h % x->nchains]; i; i = x->known.at[i - 1].next) {
        const gn_known *k = &x->known.at[i - 1];
        gn_work_done.scans++;
        if (!k->dead && k->hash == h && gn_v_same(k->val, probe)) return k->val;
    }
    return NULL;
}

static void chain(gn_code_builder *x, uint32_t i)
{
    uint32_t *first = &x->chain[x->known.at[i].hash % x->nchains];
    x->known.at[i].next = *first;
    *first = i + 1;
}

static void more_chains(gn_code_builder *x)
{
    x->nchains = x->nchains ? 2 * x->nchains : 256;
    x->chain = GN_NEW_ARRAY(x->code->arena, uint32_t, x->nchains);
    for (uint32_t i = 0; i < x->known.n; i++) chain(x, i); /* oldest first: the newest is the first of its chain */
}

size_t gn_v_mark(const gn_code_builder *x)
{
    return x->known.n;
}

void gn_v_release(gn_code_builder *x, size_t mark)
{
    while (x->known.n > mark) {
        const gn_known *k = &x->known.at[x->known.n - 1];
        x->chain[k->hash % x->nchains] = k->next;
        x->known.n--;
    }
}

/* ---- by what they read ---- */

enum { STRETCH = 16, MOST_LANES = 64 }; /* elements */

typedef struct stretches { /* of addresses that differ by constants */
    const gn_dim *base;    /* without its constant; NULL: anywhere */
    gn_map at;             /* by number of the stretch: gn_readers */
} stretches;

typedef struct memory {
    gn_map by_base; /* place in `all`, + 1 */
    GN_VEC(stretches *) all;
} memory;

/* NULL: forgotten. */
static gn_known *known_of(gn_code_builder *x, const gn_reader *r)
{
    gn_work_done.scans++;
    gn_known *k = r->known < x->known.n ? &x->known.at[r->known] : NULL;
    return k && k->val == r->val && !k->dead ? k : NULL;
}

static void kill(gn_code_builder *x, gn_readers *r)
{
    for (size_t i = 0; i < r->at.n; i++) {
        gn_known *k = known_of(x, &r->at.at[i]);
        if (k) k->dead = true;
    }
    r->at.n = 0;
}

static gn_readers *readers_in(gn_code_builder *x, gn_map *m, uint64_t key)
{
    void **at = gn_map_put(x->code->arena, m, key);
    if (!*at) *at = GN_NEW_OBJECT(x->code->arena, gn_readers);
    return *at;
}

static void add_reader(gn_code_builder *x, gn_readers *r)
{
    const uint32_t i = (uint32_t)x->known.n - 1;
    gn_push(x->code->arena, &r->at, (gn_reader){ i, x->known.at[i].val });
}

static void add_registers(gn_code_builder *x, const gn_val *v)
{
    for (uint16_t i = 0; i < v->n; i++) {
        const gn_val *a = v->a[i];
        if (a->id) continue;
        if (a->kind == GN_VAL_REG)
            add_reader(x, readers_in(x, &x->register_readers, (uint64_t)a->u.reg.place->id << 32 | a->u.reg.number));
        else add_registers(x, a); /* a splat */
    }
}

static int64_t stretch_of(int64_t element)
{
    return element >= 0 ? element / STRETCH : -((STRETCH - 1 - element) / STRETCH);
}

static const gn_dim *base_of(const gn_code_builder *x, const gn_access *a, int64_t *element)
{
    *element = 0;
    if (a->mode > GN_ACCESS_ROW) return NULL;
    const gn_term *last = a->base->n ? &a->base->term[a->base->n - 1] : NULL;
    if (last && last->n == 0) *element = last->c;
    return gn_dim_sub(x->code->dims, a->base, gn_dim_const(x->code->dims, *element));
}

static void add_load(gn_code_builder *x, const gn_access *a)
{
    gn_arena *arena = x->code->arena;
    int64_t element;
    const gn_dim *base = base_of(x, a, &element);
    void **m = gn_map_put(arena, &x->memory_readers, a->place->id);
    if (!*m) *m = GN_NEW_OBJECT(arena, memory);
    memory *all = *m;
    void **at = gn_map_put(arena, &all->by_base, GN_KEY(base));
    if (!*at) {
        stretches *s = GN_NEW_OBJECT(arena, stretches);
        s->base = base;
        gn_push(arena, &all->all, s);
        *at = s;
    }
    add_reader(x, readers_in(x, &((stretches *)*at)->at, (uint64_t)stretch_of(element)));
}

void gn_known_add(gn_code_builder *x, const gn_val *v, uint64_t h)
{
    if (x->known.n == x->nchains) more_chains(x);
    gn_push(x->code->arena, &x->known, (gn_known){ .val = v, .hash = h });
    chain(x, (uint32_t)x->known.n - 1);
    add_registers(x, v);
    if (v->kind == GN_VAL_LOAD) add_load(x, &v->u.load);
}

void gn_known_set(gn_code_builder *x, const gn_place *o, uint32_t number)
{
    gn_readers *r = gn_map_get(&x->register_readers, (uint64_t)o->id << 32 | number);
    if (r) kill(x, r);
}

static void kill_all(gn_code_builder *x, const stretches *s)
{
    for (size_t i = 0; i < s->at.capacity; i++)
        if (s->at.taken[i]) kill(x, s->at.value[i]);
}

static void forget_memory(gn_code_builder *x, uint64_t key)
{
    const memory *m = gn_map_get(&x->memory_readers, key);
    for (size_t i = 0; m && i < m->all.n; i++) kill_all(x, m->all.at[i]);
    if (m) *gn_map_put(x->code->arena, &x->memory_readers, key) = NULL;
}

void gn_v_forget(gn_code_builder *x, const gn_place *p)
{
    if (p->space == GN_SPACE_REG)
        for (uint32_t i = 0; i < p->n; i++) gn_known_set(x, p, i);
    else forget_memory(x, p->id);
}

/* Elements that differ by a constant, far enough: known loads stay known. */
static bool is_far(const gn_code_builder *x, const gn_val *load, const gn_access *w, uint16_t lanes)
{
    int64_t d;
    if (!gn_dim_is_const(gn_dim_sub(x->code->dims, load->u.load.base, w->base), &d)) return false;
    return d >= lanes || -d >= load->lanes;
}

static void kill_near(gn_code_builder *x, gn_readers *r, const gn_access *w, uint16_t lanes)
{
    size_t n = 0;
    for (size_t i = 0; i < r->at.n; i++) {
        gn_known *k = known_of(x, &r->at.at[i]);
        if (!k) continue;
        if (is_far(x, k->val, w, lanes)) r->at.at[n++] = r->at.at[i];
        else k->dead = true;
    }
    r->at.n = n;
}

void gn_known_written(gn_code_builder *x, const gn_access *w, uint16_t lanes)
{
    int64_t element;
    const gn_dim *base = base_of(x, w, &element);
    memory *m = gn_map_get(&x->memory_readers, w->place->id);
    const stretches *same = m && base ? gn_map_get(&m->by_base, GN_KEY(base)) : NULL;
    if (!same) {
        forget_memory(x, w->place->id);
        return;
    }
    const int64_t from = stretch_of(element - MOST_LANES), to = stretch_of(element + lanes);
    for (int64_t i = from; i <= to; i++) {
        gn_readers *r = gn_map_get(&same->at, (uint64_t)i);
        if (r) kill_near(x, r, w, lanes);
    }
    if (m->all.n == 1) return;
    for (size_t i = 0; i < m->all.n; i++)
        if (m->all.at[i] != same) kill_all(x, m->all.at[i]);
    m->all.n = 0;
    gn_push(x->code->arena, &m->all, (stretches *)same);
    m->by_base = (gn_map){ 0 };
    *gn_map_put(x->code->arena, &m->by_base, GN_KEY(base)) = (void *)same;
}
