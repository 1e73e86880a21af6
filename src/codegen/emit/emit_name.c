/* The names of a kernel's function: those of its symbols, places and variables, spelled once for all its steps. They
 * are unique when they come here, but any C word may be among them. */
#include "emit_state.h"

static gn_spelled *entry_of(gn_emitter *e, const char *name)
{
    void **place = gn_map_put(e->arena, &e->spelled, GN_KEY(gn_symbol(e->arena, &e->code->dims->symbols, name)));
    if (!*place) *place = GN_NEW_OBJECT(e->arena, gn_spelled);
    return *place;
}

static void spell(gn_emitter *e, const char *name)
{
    entry_of(e, name)->text = gn_spell_name(&e->names, name);
}

static void spell_once(gn_emitter *e, const char *name)
{
    if (!entry_of(e, name)->text) spell(e, name);
}

static void add_numbers(gn_text *t, const gn_place *p, uint32_t number)
{
    uint32_t rest = p->n;
    for (uint16_t i = 0; i < p->rank; i++) {
        rest /= p->extent[i];
        gn_textf(t, "_%u", number / rest);
        number %= rest;
    }
}

typedef struct registers {
    gn_emitter *e;
    const gn_place *place;
} registers;

static const char *register_name(void *user, const char *base, size_t i)
{
    const registers *r = user;
    gn_text t = { .arena = r->e->arena };
    gn_text_add(&t, base);
    add_numbers(&t, r->place, (uint32_t)i);
    return gn_text_done(&t);
}

static void spell_place(gn_emitter *e, const gn_place *p)
{
    registers r = { e, p };
    entry_of(e, p->name)->text = gn_spell_names(
        &e->names, p->name, p->space == GN_SPACE_REG && !gn_map_get(&e->arrays, p->id) ? p->n : 0, register_name, &r);
}

static void spell_variable(void *user, const gn_code_node *n)
{
    gn_emitter *const e = user;
    if (n->var) spell_once(e, n->var);
    if (n->kind == GN_CODE_NAME)
        *gn_map_put(e->arena, &e->named, GN_KEY(gn_symbol(e->arena, &e->code->dims->symbols, n->var))) = e;
    if (n->kind == GN_CODE_FOR && n->dealt)
        *gn_map_put(e->arena, &e->dealt, GN_KEY(gn_symbol(e->arena, &e->code->dims->symbols, n->var))) = e;
    if (n->kind == GN_CODE_LET && n->val->kind == GN_VAL_INDEX && n->val->lanes > 1) spell_once(user, n->val->u.index.lane);
}

static void spell_variables(gn_emitter *e)
{
    for (size_t i = 0; i < e->code->threads.n; i++) spell_once(e, e->code->threads.at[i].name);
    for (size_t s = 0; s < e->code->steps.n; s++) {
        const gn_code_step *step = &e->code->steps.at[s];
        for (size_t i = 0; i < step->parts.n; i++) spell_once(e, step->parts.at[i].name);
        gn_code_walk(&step->body, spell_variable, e);
    }
}

/* Places that passes dropped have no name. */
static void spell_declared(void *user, const gn_code_node *n)
{
    gn_emitter *const e = user;
    if (n->kind == GN_CODE_DECLARE && !entry_of(e, n->place->name)->text) spell_place(e, n->place);
}

/* Buffers, symbols, what is counted, what is kept. */
void gn_emit_start(gn_emitter *e, gn_code *c)
{
    size_t i = 0;
    *e = (gn_emitter){ .code = c, .arena = c->arena, .names = { .arena = c->arena }, .words = { .arena = c->arena } };
    e->function = gn_spell_name(&e->names, c->name);
    for (; i < c->places.n && c->places.at[i]->space == GN_SPACE_BUFFER; i++) spell(e, c->places.at[i]->name);
    for (size_t k = 0; k < c->syms.n; k++) spell(e, c->syms.at[k].name);
    spell_variables(e);
    for (size_t s = 0; s < c->steps.n; s++) gn_code_find_indexed(c->arena, &c->steps.at[s].body, &e->arrays);
    for (; i < c->nargs; i++) spell_place(e, c->places.at[i]);
    for (size_t k = 0; k < c->steps.n; k++) gn_code_walk(&c->steps.at[k].body, spell_declared, e);
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

static const char *name_of(void *user, const char *name)
{
    return gn_emit_name(user, name);
}

/* An array if a variable numbers some of its registers, else a variable each. */
void gn_emit_register(gn_emitter *e, const gn_place *p, uint32_t number, const gn_dim *at)
{
    gn_text_add(e->out, gn_emit_name(e, p->name));
    if (gn_map_get(&e->arrays, p->id)) gn_code_register_index(e->out, p, number, at, name_of, e);
    else add_numbers(e->out, p, number);
}
