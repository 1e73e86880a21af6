/* Step 7: updates. The new value of a variable may be written over the old one if nobody reads that later and the
 * writing kernel reads it only where it writes: also in other stores, if they store at the same place, since then the
 * element is loaded once for all of them (the code that is made of the kernel has the last word: in_place.h). So a
 * kernel that updates moves behind the variable's other readers, if nothing on the way needs what it makes; where that
 * fails, the new value goes to the variable's second memory. */
#include <string.h>
#include "group_state.h"
#include "visit.h"

/* ---- what one kernel does to one buffer ---- */

typedef struct sharing {
    const gn_kernel *k;
    gn_arena *scratch;
    uint32_t read;
    bool *def_reads;             /* by definition: it, or one that it refers to, reads the buffer */
    const gn_kstore *store;      /* of the new value */
    bool reads, elsewhere;       /* a store reads the buffer; not only at the place of `store` */
} sharing;

/* An index or a condition of e reads the buffer. */
static bool indexes(const sharing *s, const gn_kexpr *e)
{
    const char *name = s->k->bufs.at[s->read].name;
    for (size_t i = 0; i < e->nindex; i++)
        if (gn_dim_reads(e->index[i], name)) return true;
    for (size_t i = 0; i < e->ncond; i++)
        if (gn_dim_reads(e->cond[i].a, name) || gn_dim_reads(e->cond[i].b, name)) return true;
    return e->kind == GN_K_INDEX && gn_dim_reads(e->u.index, name);
}

static void find_reading_defs(sharing *s)
{
    s->def_reads = GN_NEW_ARRAY(s->scratch, bool, s->k->defs.n + 1);
    for (size_t d = 0; d < s->k->defs.n; d++) {
        gn_visit v = { .arena = s->scratch, .operand = gn_kexpr_operand };
        gn_visit_add(&v, s->k->defs.at[d].body);
        for (const gn_kexpr *e; (e = gn_visit_next(&v));)
            s->def_reads[d] |= indexes(s, e) || (e->kind == GN_K_LOAD && e->u.ref == s->read) ||
                               (e->kind == GN_K_REF && s->def_reads[e->u.ref]);
    }
}

/* A definition at its own parameters is looked into: then its loads' indices compare with the store's. */
static const gn_kexpr *own_body(sharing *s, const gn_kexpr *ref)
{
    return gn_kexpr_is_own(s->k, ref) ? s->k->defs.at[ref->u.ref].body : NULL;
}

static void look(sharing *s, const gn_kexpr *e)
{
    bool elsewhere = indexes(s, e), reads = elsewhere;
    if (e->kind == GN_K_REF && s->def_reads[e->u.ref] && !own_body(s, e)) reads = elsewhere = true;
    if (e->kind == GN_K_LOAD && e->u.ref == s->read) {
        reads = true;
        for (size_t i = 0; i < e->nindex; i++)
            elsewhere |= i >= s->k->bufs.at[s->store->buf].rank || e->index[i] != s->store->index[i];
    }
    s->reads |= reads, s->elsewhere |= elsewhere;
}

static void look_below(sharing *s, const gn_kstore *store)
{
    gn_visit v = { .arena = s->scratch, .operand = gn_kexpr_operand };
    gn_visit_add(&v, store->value);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        look(s, e);
        if (e->kind == GN_K_REF) gn_visit_add(&v, own_body(s, e));
    }
}

static bool are_alike(const gn_kbuf *a, const gn_kbuf *b)
{
    bool alike = a->dtype == b->dtype && a->rank == b->rank;
    for (size_t d = 0; alike && d < a->rank; d++) alike = a->shape[d] == b->shape[d];
    return alike;
}

static bool is_at_place(const sharing *s, const gn_kstore *store)
{
    bool same = s->k->bufs.at[store->buf].rank == s->k->bufs.at[s->store->buf].rank;
    for (size_t d = 0; same && d < s->k->bufs.at[store->buf].rank; d++) same = store->index[d] == s->store->index[d];
    return same;
}

/* What one store of the kernel has against it. */
static bool allows(sharing *s, const gn_kstore *store)
{
    s->reads = s->elsewhere = false;
    look_below(s, store);
    for (size_t d = 0; d < s->k->bufs.at[store->buf].rank; d++)
        s->elsewhere |= gn_dim_reads(store->index[d], s->k->bufs.at[s->read].name);
    return !s->elsewhere && (!s->reads || is_at_place(s, store));
}

/* `write`, which one store of the kernel makes, may be the memory of `read`; or one that copies it and others that add,
 * where nothing else reads the old elements: then the copy is none. */
static bool may_share(gn_kernel *k, uint32_t read, uint32_t write)
{
    gn_arena scratch = { .allocator = k->arena->allocator };
    sharing s = { .k = k, .scratch = &scratch, .read = read };
    bool right = are_alike(&k->bufs.at[read], &k->bufs.at[write]), adds = false;
    for (size_t i = 0; i < k->stores.n; i++) {
        if (k->stores.at[i].buf != write) continue;
        right &= !s.store == (k->stores.at[i].kind == GN_STORE_SET);
        if (s.store) adds = true;
        else s.store = &k->stores.at[i];
    }
    if (right) find_reading_defs(&s);
    for (size_t i = 0; right && i < k->stores.n; i++)
        right = allows(&s, &k->stores.at[i]) && !(adds && s.reads && &k->stores.at[i] != s.store);
    if (right && adds) {
        k->bufs.at[write].shares = (int32_t)read;
        right = gn_store_is_idle(k, s.store);
        if (!right) k->bufs.at[write].shares = NONE;
    }
    gn_arena_free(&scratch);
    return right;
}

/* ---- the order ---- */

int32_t gn_group_find_buf(const gn_group *q, uint32_t value)
{
    for (size_t b = 0; b < q->buf.n; b++)
        if (q->buf.at[b] == value) return (int32_t)b;
    return NONE;
}

bool gn_group_uses(const gn_group *q, uint32_t value, gn_kbuf_access how)
{
    const int32_t b = gn_group_find_buf(q, value);
    return b != NONE && (q->kernel->bufs.at[b].access & how);
}

static bool uses_memory(const gn_grouping *o, const gn_group *q, uint32_t root)
{
    for (size_t b = 0; b < q->buf.n; b++)
        if (gn_gvalue_root(o, q->buf.at[b]) == root) return true;
    return false;
}

/* `late` needs something that `early` makes, or would read a variable that `late` writes over. */
static bool must_stay_before(const gn_grouping *o, const gn_group *early, const gn_group *late)
{
    for (size_t b = 0; b < early->buf.n; b++) {
        const uint32_t v = early->buf.at[b];
        const uint8_t access = early->kernel->bufs.at[b].access;
        if ((access & GN_KBUF_WRITE) && uses_memory(o, late, gn_gvalue_root(o, v))) return true;
        if (!(access & GN_KBUF_READ)) continue;
        for (size_t w = 0; w < late->buf.n; w++) {
            const gn_gvalue *u = &o->values.at[late->buf.at[w]];
            if (u->in_place == (int32_t)v && (late->kernel->bufs.at[w].access & GN_KBUF_WRITE)) return true;
        }
    }
    return false;
}

/* Who uses a value, by number; groups keep their numbers when they move. */
typedef struct order {
    gn_grouping *o;
    struct value_users {
        GN_VEC(uint32_t) at;
    } *users;                    /* by value */
    size_t *position;            /* by number */
    uint32_t *number;            /* by position */
} order;

static order start_order(grouper *g)
{
    order r = { g->out };
    r.users = gn_arena_alloc_n(g->scratch, g->out->values.n + 1, sizeof *r.users, alignof(struct value_users));
    r.position = GN_NEW_ARRAY(g->scratch, size_t, g->out->groups.n + 1);
    r.number = GN_NEW_ARRAY(g->scratch, uint32_t, g->out->groups.n + 1);
    for (uint32_t q = 0; q < g->out->groups.n; q++) {
        const gn_group *group = &g->out->groups.at[q];
        r.position[q] = r.number[q] = q;
        for (size_t b = 0; b < group->buf.n; b++) gn_push(g->scratch, &r.users[group->buf.at[b]].at, q);
    }
    return r;
}

static void move_behind(order *r, size_t from, size_t to)
{
    gn_grouping *o = r->o;
    const gn_group moved = o->groups.at[from];
    const uint32_t number = r->number[from];
    memmove(&o->groups.at[from], &o->groups.at[from + 1], (to - from) * sizeof moved);
    memmove(&r->number[from], &r->number[from + 1], (to - from) * sizeof number);
    o->groups.at[to] = moved, r->number[to] = number;
    for (size_t q = from; q <= to; q++) r->position[r->number[q]] = q;
}

/* The last group that uses a value so; the number of groups: none. */
static size_t last_user(const order *r, uint32_t value, gn_kbuf_access how, size_t but)
{
    size_t last = r->o->groups.n;
    for (size_t i = 0; i < r->users[value].at.n; i++) {
        const size_t q = r->position[r->users[value].at.at[i]];
        gn_work_done.scans++;
        if (q != but && gn_group_uses(&r->o->groups.at[q], value, how) && (last == r->o->groups.n || q > last)) last = q;
    }
    return last;
}

static void place_update(order *r, uint32_t update, int32_t variable)
{
    gn_grouping *o = r->o;
    const size_t none = o->groups.n, writer = last_user(r, update, GN_KBUF_WRITE, none);
    if (writer == none) return;
    const size_t reader = last_user(r, (uint32_t)variable, GN_KBUF_READ, writer), last = reader == none ? 0 : reader;
    const gn_group *w = &o->groups.at[writer];
    const int32_t read = gn_group_find_buf(w, (uint32_t)variable), write = gn_group_find_buf(w, update);
    if (read != NONE && !may_share(w->kernel, (uint32_t)read, (uint32_t)write)) return;
    for (size_t q = writer + 1; q <= last; q++)
        if (must_stay_before(o, w, &o->groups.at[q])) {
            w->kernel->bufs.at[write].shares = NONE;
            return;
        }
    o->values.at[update].in_place = variable;
    if (last > writer) move_behind(r, writer, last);
}

void gn_group_order(grouper *g)
{
    gn_grouping *o = g->out;
    gn_map variables = { 0 };    /* by node: 1 + value */
    order r = start_order(g);
    for (uint32_t v = 0; v < o->values.n; v++)
        if (o->values.at[v].kind == GN_VALUE_VARIABLE)
            *gn_map_put(g->scratch, &variables, GN_KEY(o->values.at[v].expr)) = (void *)(uintptr_t)(v + 1);
    for (uint32_t v = 0; v < o->values.n; v++) {
        if (o->values.at[v].kind != GN_VALUE_UPDATE) continue;
        const uintptr_t x = (uintptr_t)gn_map_get(&variables, GN_KEY(g->core->variable.at[o->values.at[v].index]));
        if (x) place_update(&r, v, (int32_t)(x - 1));
    }
}
