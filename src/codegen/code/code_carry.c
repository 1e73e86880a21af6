/* Which registers a loop carries from turn to turn: those that a turn may read before it has set them, and that a turn may set. */
#include "code.h"

typedef struct effects { /* of a region, on registers from outside, by place and number */
    gn_map reads;        /* before they are set */
    gn_map sets, always; /* somewhere; on every way through */
    GN_VEC(const gn_place *) places;
    gn_map known;        /* places in the list */
} effects;

typedef struct finder {
    gn_arena *arena;
    effects *now;
} finder;

static uint64_t key_of(const gn_place *p, uint32_t number)
{
    return (uint64_t)p->id << 32 | number;
}

static void note_place(finder *f, effects *e, const gn_place *p)
{
    if (gn_map_get(&e->known, p->id)) return;
    *gn_map_put(f->arena, &e->known, p->id) = e;
    gn_push(f->arena, &e->places, p);
}

static void read_register(finder *f, const gn_place *p, uint32_t number)
{
    note_place(f, f->now, p);
    if (!gn_map_get(&f->now->always, key_of(p, number))) *gn_map_put(f->arena, &f->now->reads, key_of(p, number)) = f;
}

static void read_value(finder *f, const gn_val *v, bool is_let)
{
    if (!v || (v->id && !is_let)) return;
    if (v->kind == GN_VAL_REG) read_register(f, v->u.reg.place, v->u.reg.number);
    for (uint16_t i = 0; i < v->n; i++) read_value(f, v->a[i], false);
    if (v->kind == GN_VAL_LOAD) read_value(f, v->u.load.each, false), read_value(f, v->u.load.mask, false);
}

static void set_register(finder *f, const gn_place *p, uint32_t number)
{
    note_place(f, f->now, p);
    *gn_map_put(f->arena, &f->now->sets, key_of(p, number)) = f;
    *gn_map_put(f->arena, &f->now->always, key_of(p, number)) = f;
}

static void tile(finder *f, const gn_tile_args *t)
{
    for (int i = 0; i < GN_TILE_MAX_REGS; i++) read_value(f, t->a[i], false), read_value(f, t->b[i], false);
    for (int i = 0; t->acc && i < t->row->c.nregs; i++) read_register(f, t->acc, t->c[i]);
    for (int i = 0; t->acc && i < t->row->c.nregs; i++) set_register(f, t->acc, t->c[i]);
}

static void node(finder *f, gn_code_node *n);

static void forget(effects *e, const gn_place *p)
{
    for (size_t i = 0; i < e->places.n; i++)
        if (e->places.at[i] == p) e->places.at[i--] = e->places.at[e->places.n - 1], e->places.n--;
}

static void region(finder *f, const gn_code_body *r)
{
    for (size_t i = 0; i < r->kids.n; i++) node(f, r->kids.at[i]);
    for (size_t i = 0; i < r->kids.n; i++)
        if (r->kids.at[i]->kind == GN_CODE_DECLARE) forget(f->now, r->kids.at[i]->place);
}

/* What a loop or a branch does may not happen at all. */
static void inner(finder *f, gn_code_node *n)
{
    effects in = { 0 }, *out = f->now;
    f->now = &in;
    region(f, &n->body);
    f->now = out;
    n->carry.n = 0;
    for (size_t i = 0; i < in.places.n; i++) {
        const gn_place *p = in.places.at[i];
        bool carried = false;
        for (uint32_t k = 0; k < p->n; k++) {
            const bool reads = gn_map_get(&in.reads, key_of(p, k)), sets = gn_map_get(&in.sets, key_of(p, k));
            carried |= reads && sets;
            if (reads) read_register(f, p, k);
            if (sets) note_place(f, out, p), *gn_map_put(f->arena, &out->sets, key_of(p, k)) = f;
        }
        if (carried && n->kind == GN_CODE_FOR) gn_push(f->arena, &n->carry, p);
    }
}

static void node(finder *f, gn_code_node *n)
{
    if (n->kind != GN_CODE_DECLARE) read_value(f, n->val, n->kind == GN_CODE_LET);
    read_value(f, n->access.each, false), read_value(f, n->access.mask, false);
    if (n->kind == GN_CODE_SET) set_register(f, n->place, n->number);
    if (n->kind == GN_CODE_TILE) tile(f, n->tile);
    if (n->kind == GN_CODE_FOR || n->kind == GN_CODE_IF) inner(f, n);
}

void gn_code_find_carried(gn_code *c)
{
    for (size_t i = 0; i < c->steps.n; i++) {
        effects all = { 0 };
        finder f = { c->arena, &all };
        region(&f, &c->steps.at[i].body);
    }
}
