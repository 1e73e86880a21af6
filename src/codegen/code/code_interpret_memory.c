/* Memory and registers: what has content, and who touched what since when. */
#include <inttypes.h>
#include "code_interpret_state.h"
#include "ops/reference.h"

static bool is_own(const gn_place *p) /* each thread has one */
{
    return p->space == GN_SPACE_REG || p->space == GN_SPACE_STACK;
}

static bool is_kept(const gn_place *p) /* from part to part */
{
    return p->space == GN_SPACE_BUFFER || p->space == GN_SPACE_ARENA;
}

/* ---- allocation ---- */

static void allocate(gn_runner *r, gn_memory *m)
{
    const gn_place *p = m->place;
    const uint32_t owners = is_own(p) ? r->nthreads : 1;
    m->size = p->space == GN_SPACE_REG ? (int64_t)p->n * p->lanes : gn_runner_dim(r, p->size);
    if (m->size < 0) m->size = 0;
    if (!is_own(p)) m->shadow = GN_NEW_ARRAY(r->arena, gn_shadow, m->size);
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
    r->memory[p->id].age[is_own(p) ? r->thread : 0]++;
}

/* ---- races ---- */

typedef struct conflict {
    int64_t with; /* -1: none */
    const char *did;
} conflict;

static const conflict peace = { -1, NULL };

static bool wrote_too(const gn_track *t, int64_t who)
{
    return t->writer == who || (t->shared && t->writers[who / 64] >> (who % 64) & 1);
}

/* One more writes the same bits as the last one. */
static void share(gn_runner *r, gn_track *t, int64_t who)
{
    const size_t words = r->nthreads / 64 + 1;
    if (!t->writers) t->writers = GN_NEW_ARRAY(r->arena, uint64_t, words);
    if (!t->shared) memset(t->writers, 0, words * sizeof *t->writers);
    t->shared = true;
    t->writers[who / 64] |= UINT64_C(1) << (who % 64);
    t->writers[t->writer / 64] |= UINT64_C(1) << (t->writer % 64);
}

static conflict track_read(gn_track *t, uint64_t period, int64_t who)
{
    if (t->wrote == period) return wrote_too(t, who) ? peace : (conflict){ t->writer, "wrote" };
    if (t->read != period) {
        t->read = period, t->reader = who, t->other = -1;
    } else if (t->reader != who) {
        t->other = t->reader, t->reader = who;
    }
    return peace;
}

static conflict track_write(gn_runner *r, gn_track *t, uint64_t period, int64_t who, bool same_bits)
{
    if (t->read == period && t->reader != who) return (conflict){ t->reader, "read" };
    if (t->read == period && t->other >= 0 && t->other != who) return (conflict){ t->other, "read" };
    if (t->wrote == period && (t->writer != who || t->shared) && !same_bits) return (conflict){ t->writer, "wrote" };
    if (t->wrote != period) t->shared = false;
    else if (t->writer != who) share(r, t, who);
    t->wrote = period, t->writer = who;
    return peace;
}

static conflict track(gn_runner *r, gn_track *t, uint64_t period, int64_t who, bool write, bool same_bits)
{
    return write ? track_write(r, t, period, who, same_bits) : track_read(t, period, who);
}

#define RACE "a race for element %" PRId64 " of %s: "

/* Epochs begin anew with each part, steps are counted from 1: 0 is never. */
static void meet(gn_runner *r, const gn_memory *m, int64_t at, bool write, bool same_bits)
{
    gn_shadow *s = &m->shadow[at];
    const char *does = write ? "writes" : "reads", *name = m->place->name;
    if (r->roles) gn_roles_meet(r, m->place, at, write, same_bits);
    const conflict t = r->roles ? peace : track(r, &s->thread, r->epoch, r->thread, write, same_bits);
    if (t.with >= 0)
        gn_runner_fail(r, RACE "this thread %s what thread %" PRId64 " %s since the last barrier", at, name, does,
                       t.with, t.did);
    if (!is_kept(m->place)) return;
    const conflict p = track(r, &s->part, r->step + 1, r->part, write, false);
    if (p.with >= 0)
        gn_runner_fail(r, RACE "this part %s what part %" PRId64 " of the step %s", at, name, does, p.with, p.did);
}

/* ---- elements ---- */

static gn_lane read_cell(const gn_runner *r, const gn_memory *m, int64_t at)
{
    const uint32_t owner = is_own(m->place) ? r->thread : 0;
    const gn_cell *c = &m->cell[at + owner * m->size];
    if (c->age == m->age[owner]) return c->value;
    return (gn_lane){ .dtype = (uint8_t)m->place->dtype, .i = at, .poison = m->place->id + 1 };
}

static void write_cell(const gn_runner *r, const gn_memory *m, int64_t at, gn_lane v)
{
    const uint32_t owner = is_own(m->place) ? r->thread : 0;
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
    if (m->shadow) meet(r, m, at, false, false);
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
    if (m->shadow) meet(r, m, at, true, gn_lane_same(p->dtype, content(r, m, at), v));
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
