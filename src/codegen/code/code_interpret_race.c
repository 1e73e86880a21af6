/* Races: who touched an element since when. Barriers alone say what comes before what: a thread's access is before what
 * another does behind a barrier that both met, of whatever scope. Scopes lie in each other, so there is no longer way.
 *
 * Threads between which the code has no barrier of their own (a *unit*: a warp if it has barriers of warps, ..) have
 * met the same barriers, so that two of them stand for all: whoever races with a third races with one of these. */
#include <inttypes.h>
#include "code_interpret_state.h"

struct gn_touch { /* of threads of one unit that met the same barriers */
    gn_touch *next;
    uint32_t met[GN_NSCOPES]; /* by scope: how many barriers of its group */
    int64_t last, other;      /* other: an earlier reader, -1 none. Who wrote it is no reader */
    uint64_t *writers;        /* several wrote the same bits: one for each thread; NULL: the last alone */
};

typedef struct conflict {
    int64_t with; /* -1: none */
    const char *did;
} conflict;

static const conflict peace = { -1, NULL };

/* ---- what comes before what ---- */

static bool is_of_unit(const gn_runner *r, const gn_touch *t)
{
    return gn_runner_group(r, r->unit, (uint32_t)t->last) == gn_runner_group(r, r->unit, r->thread);
}

static bool is_before(const gn_runner *r, const gn_touch *t)
{
    for (gn_scope s = r->unit; s < GN_NSCOPES; s++) {
        const uint32_t group = gn_runner_group(r, s, r->thread);
        if (group == gn_runner_group(r, s, (uint32_t)t->last) && r->met[s][group] > t->met[s]) return true;
    }
    return false;
}

/* Drops those before this thread: what follows it follows them. */
static void forget(gn_runner *r, gn_touch **list)
{
    for (gn_touch *t; (t = *list);) {
        if (!is_before(r, t)) {
            list = &t->next;
            continue;
        }
        *list = t->next;
        t->next = r->idle, r->idle = t;
    }
}

/* The unit's, which met what this thread did: others of it are before. */
static gn_touch *touch_of_unit(gn_runner *r, gn_touch **list)
{
    for (gn_touch *t = *list; t; t = t->next)
        if (is_of_unit(r, t)) return t;
    gn_touch *const t = r->idle ? r->idle : GN_NEW_OBJECT(r->arena, gn_touch);
    r->idle = t->next;
    *t = (gn_touch){ .next = *list, .last = -1, .other = -1 };
    for (gn_scope s = r->unit; s < GN_NSCOPES; s++) t->met[s] = r->met[s][gn_runner_group(r, s, r->thread)];
    return *list = t;
}

/* ---- threads ---- */

static bool wrote_too(const gn_touch *t, int64_t who)
{
    return t->last == who || (t->writers && t->writers[who / 64] >> (who % 64) & 1);
}

static void add_writer(gn_runner *r, gn_touch *t, int64_t who)
{
    if (!t->writers) t->writers = GN_NEW_ARRAY(r->arena, uint64_t, r->nthreads / 64 + 1);
    t->writers[who / 64] |= UINT64_C(1) << (who % 64);
}

static conflict thread_reads(gn_runner *r, gn_shadow *s)
{
    conflict c = peace;
    forget(r, &s->writes);
    for (const gn_touch *t = s->writes; t; t = t->next) {
        if (wrote_too(t, r->thread)) return peace;
        c = (conflict){ t->last, "wrote" };
    }
    if (c.with >= 0) return c;
    forget(r, &s->reads);
    gn_touch *const t = touch_of_unit(r, &s->reads);
    if (t->last != r->thread) t->other = t->last;
    t->last = r->thread;
    return peace;
}

static conflict thread_writes(gn_runner *r, gn_shadow *s, bool same_bits)
{
    const int64_t who = r->thread;
    forget(r, &s->reads);
    forget(r, &s->writes);
    for (const gn_touch *t = s->reads; t; t = t->next) {
        if (t->last != who) return (conflict){ t->last, "read" };
        if (t->other >= 0 && t->other != who) return (conflict){ t->other, "read" };
    }
    for (const gn_touch *t = s->writes; t && !same_bits; t = t->next)
        if (t->last != who || t->writers) return (conflict){ t->last, "wrote" };
    gn_touch *const t = touch_of_unit(r, &s->writes);
    if (t->last >= 0 && t->last != who) add_writer(r, t, t->last), add_writer(r, t, who);
    t->last = who;
    return peace;
}

/* ---- parts: clusters of blocks, which no barrier orders ---- */

static conflict part_touches(gn_track *t, uint64_t step, int64_t who, bool write)
{
    if (t->wrote == step && t->writer != who) return (conflict){ t->writer, "wrote" };
    if (write && t->read == step && t->reader != who) return (conflict){ t->reader, "read" };
    if (write && t->read == step && t->other >= 0 && t->other != who) return (conflict){ t->other, "read" };
    if (write) {
        t->wrote = step, t->writer = who;
    } else if (t->wrote != step) { /* who wrote it is no reader */
        if (t->read == step && t->reader != who) t->other = t->reader;
        if (t->read != step) t->other = -1;
        t->read = step, t->reader = who;
    }
    return peace;
}

#define RACE "a race for element %" PRId64 " of %s: "

/* Steps are counted from 1: 0 is never. */
void gn_runner_meet(gn_runner *r, const gn_memory *m, int64_t at, bool write, bool same_bits)
{
    gn_shadow *const s = &m->shadow[at + gn_runner_owner(r, m->place) * m->size];
    const char *const does = write ? "writes" : "reads", *const name = m->place->name;
    if (r->roles) gn_roles_meet(r, m, at, write, same_bits);
    const conflict t = r->nthreads == 1 || r->roles ? peace : write ? thread_writes(r, s, same_bits) : thread_reads(r, s);
    if (t.with >= 0)
        gn_runner_fail(r, RACE "this thread %s what thread %" PRId64 " %s since the last barrier of both", at, name, does,
                       t.with % r->nblock, t.did);
    if (m->place->space != GN_SPACE_BUFFER && m->place->space != GN_SPACE_ARENA) return;
    const conflict p = part_touches(&s->part, r->step + 1, r->part, write);
    if (p.with >= 0)
        gn_runner_fail(r, RACE "this part %s what part %" PRId64 " of the step %s", at, name, does, p.with, p.did);
}
