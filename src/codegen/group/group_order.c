/* Step 7: updates. The new value of a variable may be written over the old one if nobody reads that later and the
 * writing kernel has read an element before it writes it, which the code that is made of the kernel tells (in_place.h).
 * So a kernel that updates moves behind the variable's other readers, if nothing on the way needs what it makes; where
 * that fails, the new value goes to the variable's second memory. */
#include <string.h>
#include "group_state.h"
#include "visit.h"

/* ---- what one kernel does to one buffer ---- */

static bool are_alike(const gn_kbuf *a, const gn_kbuf *b)
{
    bool alike = a->dtype == b->dtype && a->rank == b->rank;
    for (size_t d = 0; alike && d < a->rank; d++) alike = a->shape[d] == b->shape[d];
    return alike;
}

/* The expression itself, in a load or an index. */
static bool reads_buf(const gn_kernel *k, const gn_kexpr *e, uint32_t buf)
{
    const char *name = k->bufs.at[buf].name;
    bool any = (e->kind == GN_K_LOAD && e->u.ref == buf) || (e->kind == GN_K_INDEX && gn_dim_reads(e->u.index, name));
    for (size_t i = 0; i < e->nindex; i++) any |= gn_dim_reads(e->index[i], name);
    for (size_t i = 0; i < e->ncond; i++) any |= gn_dim_reads(e->cond[i].a, name) || gn_dim_reads(e->cond[i].b, name);
    return any;
}

/* Something but the store reads the buffer. */
static bool is_read_beside(const gn_kernel *k, const gn_kstore *but, uint32_t buf, gn_arena *scratch)
{
    gn_visit v = { .arena = scratch, .operand = gn_kexpr_operand };
    for (size_t i = 0; i < k->defs.n; i++) gn_visit_add(&v, k->defs.at[i].body);
    for (size_t i = 0; i < k->stores.n; i++) {
        const gn_kstore *s = &k->stores.at[i];
        if (s != but) gn_visit_add(&v, s->value);
        for (size_t d = 0; d < k->bufs.at[s->buf].rank; d++)
            if (gn_dim_reads(s->index[d], k->bufs.at[buf].name)) return true;
    }
    for (const gn_kexpr *e; (e = gn_visit_next(&v));)
        if (reads_buf(k, e, buf)) return true;
    return false;
}

/* One store copies all of `read` to `write` and others add to that: it is one memory, and the copy is none. */
static void share_copied(gn_kernel *k, uint32_t read, uint32_t write, gn_arena *scratch)
{
    const gn_kstore *copy = NULL;
    bool right = are_alike(&k->bufs.at[read], &k->bufs.at[write]), adds = false;
    for (size_t i = 0; i < k->stores.n; i++) {
        if (k->stores.at[i].buf != write) continue;
        right &= !copy == (k->stores.at[i].kind == GN_STORE_SET);
        if (copy) adds = true;
        else copy = &k->stores.at[i];
    }
    if (!right || !adds || is_read_beside(k, copy, read, scratch)) return;
    k->bufs.at[write].shares = (int32_t)read;
    if (!gn_store_is_idle(k, copy)) k->bufs.at[write].shares = NONE;
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

static void place_update(order *r, uint32_t update, int32_t variable, gn_arena *scratch)
{
    gn_grouping *o = r->o;
    const size_t none = o->groups.n, writer = last_user(r, update, GN_KBUF_WRITE, none);
    if (writer == none) return;
    const size_t reader = last_user(r, (uint32_t)variable, GN_KBUF_READ, writer), last = reader == none ? 0 : reader;
    const gn_group *w = &o->groups.at[writer];
    const int32_t read = gn_group_find_buf(w, (uint32_t)variable), write = gn_group_find_buf(w, update);
    for (size_t q = writer + 1; q <= last; q++)
        if (must_stay_before(o, w, &o->groups.at[q])) return;
    if (read != NONE) share_copied(w->kernel, (uint32_t)read, (uint32_t)write, scratch);
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
        if (x) place_update(&r, v, (int32_t)(x - 1), g->scratch);
    }
}
