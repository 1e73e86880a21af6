/* The names of a kernel's function: those of its symbols, buffers, leaves, counters and kept definitions, spelled once for all its
 * steps. They are unique when they come here, but any C word may be among them. */
#include "emit_state.h"

static gn_spelled *entry_of(gn_emitter *e, const char *name)
{
    void **place = gn_map_put(e->g->arena, &e->spelled, GN_KEY(gn_symbol(e->g->arena, &e->g->dims->symbols, name)));
    if (!*place) *place = GN_NEW_OBJECT(e->g->arena, gn_spelled);
    return *place;
}

static void spell(gn_emitter *e, const char *name)
{
    entry_of(e, name)->text = gn_spell_name(&e->names, name);
}

typedef struct variables {
    gn_emitter *e;
    const gn_object *object;
} variables;

static const char *variable(void *user, const char *base, size_t i)
{
    const variables *v = user;
    gn_text t = { .arena = v->e->g->arena };
    gn_text_add(&t, base);
    gn_reg_suffix(&t, v->e->g, v->object, (uint32_t)i);
    return gn_text_done(&t);
}

static void spell_object(gn_emitter *e, const gn_object *o)
{
    variables v = { e, o };
    const bool memory = o->level != GN_LEVEL_REG;
    entry_of(e, o->name)->text = gn_spell_names(&e->names, o->name, memory ? 0 : o->nregs, variable, &v);
}

void gn_emit_start(gn_emitter *e, const gn_scheduled *s)
{
    const gn_kernel *k = s->lower->kernel;
    *e = (gn_emitter){ .s = s, .g = s->lower, .names = { .arena = s->lower->arena }, .words = { .arena = s->lower->arena } };
    e->function = gn_spell_name(&e->names, s->kernel->name);
    for (size_t i = 0; i < k->bufs.n; i++) spell(e, k->bufs.at[i].name);
    for (size_t i = 0; i < k->syms.n; i++) spell(e, k->syms.at[i].name);
    for (size_t i = 0; i < e->g->leaves.n; i++) spell(e, e->g->leaves.at[i].name);
    for (size_t i = 0; i < e->g->objects.n; i++) spell_object(e, e->g->objects.at[i]);
    for (size_t i = 0; i < e->g->counters.n; i++) spell(e, e->g->counters.at[i]);
}

const char *gn_emit_name(gn_emitter *e, const char *name)
{
    gn_spelled *const s = entry_of(e, name);
    GN_ASSERT(s->text); /* a name that gn_emit_start knows */
    s->used = true;
    return s->text;
}

const char *gn_emit_name_of(gn_emitter *e, const char *name)
{
    return entry_of(e, name)->text;
}

bool gn_emit_take_use(gn_emitter *e, const char *name)
{
    gn_spelled *const s = entry_of(e, name);
    const bool used = s->used;
    s->used = false;
    return used;
}

void gn_emit_variable(gn_emitter *e, const gn_object *o, uint32_t number)
{
    gn_text_add(e->out, gn_emit_name(e, o->name));
    gn_reg_suffix(e->out, e->g, o, number);
}
