/* Memory and registers: what has content. */
#include <inttypes.h>
#include "code_interpret_state.h"
#include "ops/reference.h"

/* Places that each thread, or each block, has one of. */
static uint32_t count_owners(const gn_runner *r, const gn_place *p)
{
    return p->space >= GN_SPACE_STACK ? r->nthreads : p->space == GN_SPACE_SHARED ? r->nthreads / r->nblock : 1;
}

/* ---- allocation ---- */

static void allocate(gn_runner *r, gn_memory *m)
{
    const gn_place *p = m->place;
    const uint32_t owners = count_owners(r, p);
    m->size = p->space == GN_SPACE_REG ? (int64_t)p->n * p->lanes : gn_runner_dim(r, p->size);
    if (m->size < 0) m->size = 0;
    if (p->space < GN_SPACE_STACK) m->shadow = GN_NEW_ARRAY(r->arena, gn_shadow, m->size * owners);
    if (p->space == GN_SPACE_BUFFER) return;
    m->cell = GN_NEW_ARRAY(r->arena, gn_cell, m->size * owners);
    m->age = GN_NEW_ARRAY(r->arena, uint64_t, owners);
    for (uint32_t i = 0; i < owners; i++) m->age[i] = 1;
}

void gn_runner_allocate(gn_runner *r, void *const *buffers)
{
    r->memory = GN_NEW_ARRAY(r->arena, gn_memory, r->code->places.n);
    for (size_t i = 0; i < r->code->places.n; i++) {
        gn_memory *m = &r->memory[i];
        m->place = r->code->places.at[i];
        if (m->place->space == GN_SPACE_BUFFER) m->data = *buffers++;
        if (m->place->align && (uintptr_t)m->data % m->place->align)
            gn_runner_fail(r, "%s begins at no multiple of %u bytes", m->place->name, m->place->align);
        allocate(r, m);
    }
}

void gn_runner_empty(gn_runner *r, const gn_place *p)
{
    r->memory[p->id].age[gn_runner_owner(r, p)]++;
}

/* ---- elements ---- */

static gn_lane read_cell(const gn_runner *r, const gn_memory *m, int64_t at)
{
    const int64_t owner = gn_runner_owner(r, m->place);
    const gn_cell *c = &m->cell[at + owner * m->size];
    if (c->age == m->age[owner]) return c->value;
    return (gn_lane){ .dtype = (uint8_t)m->place->dtype, .i = at, .poison = m->place->id + 1 };
}

static void write_cell(const gn_runner *r, const gn_memory *m, int64_t at, gn_lane v)
{
    const int64_t owner = gn_runner_owner(r, m->place);
    m->cell[at + owner * m->size] = (gn_cell){ v, m->age[owner] };
}

static gn_lane content(const gn_runner *r, const gn_memory *m, int64_t at)
{
    if (!m->data) return read_cell(r, m, at);
    const gn_ref x = gn_ref_load(m->place->dtype, m->data, at);
    return (gn_lane){ .dtype = (uint8_t)x.dtype, .f = x.f, .i = x.i };
}

static const gn_memory *memory_at(gn_runner *r, const gn_place *p, int64_t at, const char *what)
{
    const gn_memory *m = &r->memory[p->id];
    if (at < 0 || at >= m->size)
        gn_runner_fail(r, "a %s element %" PRId64 " of %s, which has %" PRId64, what, at, p->name, m->size);
    return m;
}

gn_lane gn_runner_load(gn_runner *r, const gn_place *p, int64_t at)
{
    const gn_memory *m = memory_at(r, p, at, "load of");
    if (m->shadow) gn_runner_meet(r, m, at, false, false);
    const gn_lane x = content(r, m, at);
    if (p->below && (x.i < 0 || x.i >= gn_runner_dim(r, p->below)))
        gn_runner_fail(r, "element %" PRId64 " of %s is %" PRId64 ", outside of its :in", at, p->name, x.i);
    return x;
}

void gn_runner_store(gn_runner *r, const gn_place *p, int64_t at, gn_lane v)
{
    const gn_memory *m = memory_at(r, p, at, "store to");
    if (m->data && v.poison)
        gn_runner_fail_poison(r, gn_arena_printf(r->arena, "element %" PRId64 " of %s", at, p->name), v);
    if (m->shadow) gn_runner_meet(r, m, at, true, gn_lane_same(p->dtype, content(r, m, at), v));
    if (!m->data) {
        write_cell(r, m, at, v);
        return;
    }
    const gn_ref x = { .dtype = p->dtype, .f = v.f, .i = v.i };
    gn_ref_store(p->dtype, m->data, at, &x);
}

/* ---- registers ---- */

static int64_t lane_at(gn_runner *r, const gn_place *p, uint32_t number, int l)
{
    if (number >= p->n || l >= p->lanes)
        gn_runner_fail(r, "lane %d of register %u of %s, which has %u of %u", l, number, p->name, p->n, p->lanes);
    return (int64_t)number * p->lanes + l;
}

gn_lane gn_runner_register(gn_runner *r, const gn_place *p, uint32_t number, int l)
{
    return read_cell(r, &r->memory[p->id], lane_at(r, p, number, l));
}

void gn_runner_set_register(gn_runner *r, const gn_place *p, uint32_t number, int l, gn_lane v)
{
    write_cell(r, &r->memory[p->id], lane_at(r, p, number, l), v);
}

void gn_runner_empty_register(gn_runner *r, gn_register x)
{
    const gn_memory *m = &r->memory[x.place->id];
    for (int l = 0; l < x.place->lanes; l++) m->cell[lane_at(r, x.place, x.number, l) + r->thread * m->size].age = 0;
}
