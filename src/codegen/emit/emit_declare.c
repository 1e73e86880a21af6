/* Registers are declared where they are set first, or just before what touches them first: in the region whose they
 * are, so that all who may know them do. */
#include "emit_state.h"

typedef struct planner {
    gn_emitter *e;
    gn_map declared;         /* by place: in this region */
    const gn_code_node *now; /* of the region */
} planner;

static void touch(planner *p, const gn_place *place, uint32_t number, const gn_code_node *set)
{
    if (!gn_map_get(&p->declared, place->id) || (place->opaque && !place->opaque->type)) return;
    const bool array = gn_map_get(&p->e->arrays, place->id);
    void **const first = gn_map_put(p->e->arena, &p->e->declared, gn_register_key(place, array ? 0 : number));
    if (*first) return;
    *first = !array && set == p->now ? (void *)set : (void *)place->name;
    if (*first == set) return;
    gn_register *const r = GN_NEW_OBJECT(p->e->arena, gn_register);
    void **const before = gn_map_put(p->e->arena, &p->e->before, GN_KEY(p->now));
    *r = (gn_register){ place, number, NULL };
    gn_register **last = (gn_register **)before;
    while (*last) last = &(*last)->next;
    *last = r;
}

static void touch_operand(void *user, const gn_val **v)
{
    const gn_val *const own = gn_val_source(*v);
    if (!own->id && own->kind == GN_VAL_REG) touch(user, own->u.reg.place, own->u.reg.number, NULL);
}

static void touch_node(void *user, const gn_code_node *n)
{
    gn_code_operands(n, touch_operand, user);
    if (n->kind == GN_CODE_SET) touch(user, n->place, n->number, n);
    for (uint32_t i = 0; n->kind == GN_CODE_TILE && i < gn_tile_sets(n->tile); i++)
        touch(user, n->tile->acc, n->tile->c[i], NULL);
    for (uint32_t i = 0; n->kind == GN_CODE_TILE && i < gn_tile_reads(n->tile); i++)
        touch(user, n->tile->acc, n->tile->c[i], NULL);
}

void gn_emit_plan_registers(gn_emitter *e, const gn_code_body *t)
{
    planner p = { .e = e };
    for (size_t i = 0; i < t->kids.n; i++) {
        const gn_code_node *const n = p.now = t->kids.at[i];
        if (n->kind == GN_CODE_DECLARE && n->place->space == GN_SPACE_REG) {
            *gn_map_put(e->arena, &p.declared, n->place->id) = e;
            for (uint32_t k = 0; k < n->place->n; k++) /* another region's, too */
                if (gn_map_get(&e->declared, gn_register_key(n->place, k)))
                    *gn_map_put(e->arena, &e->declared, gn_register_key(n->place, k)) = NULL;
        }
        if (!p.declared.n) continue;
        touch_node(&p, n);
        gn_code_walk(&n->body, touch_node, &p);
    }
}

bool gn_emit_declares(gn_emitter *e, const gn_code_node *set)
{
    return gn_map_get(&e->declared, gn_register_key(set->place, set->number)) == set;
}

static void extents(gn_emitter *e, const gn_place *p)
{
    for (uint16_t i = 0; i < p->rank; i++) gn_textf(e->out, "[%u]", p->extent[i]);
}

static void register_type(gn_emitter *e, const gn_place *p)
{
    if (p->opaque) gn_words_read(&e->words, p->opaque->type), gn_text_add(e->out, p->opaque->type);
    else gn_emit_type(e, p->dtype, p->lanes);
}

/* Those of one place in a line. */
void gn_emit_registers_before(gn_emitter *e, const gn_code_node *n)
{
    const gn_place *last = NULL;
    uint32_t in_line = 0;
    for (const gn_register *r = gn_map_get(&e->before, GN_KEY(n)); r; r = r->next) {
        if (r->place != last || in_line == 8) {
            if (last) gn_text_add(e->out, ";\n");
            gn_emit_indent(e);
            register_type(e, r->place);
            in_line = 0;
        }
        gn_text_add(e->out, in_line++ ? ", " : " ");
        last = r->place;
        if (!gn_map_get(&e->arrays, r->place->id)) gn_emit_register(e, r->place, r->number, NULL);
        else gn_text_add(e->out, gn_emit_name(e, r->place->name)), extents(e, r->place);
    }
    if (last) gn_text_add(e->out, ";\n");
}
