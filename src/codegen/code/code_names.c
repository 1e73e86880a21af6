#include "code_names.h"
#include "ascii.h"

static const char *symbol(const gn_code_names *n, const char *name)
{
    return gn_symbol(n->code->arena, &n->code->dims->symbols, name);
}

void gn_code_take_name(gn_code_names *n, const char *name)
{
    *gn_map_put(n->code->arena, &n->taken, GN_KEY(symbol(n, name))) = n->code;
}

static void take_names(void *user, const gn_code_node *n)
{
    if (n->var && !n->unrolled) gn_code_take_name(user, n->var); /* unrolled loops of other regions may have the same */
    if (n->kind == GN_CODE_LET && n->val->kind == GN_VAL_INDEX && n->val->lanes > 1)
        gn_code_take_name(user, n->val->u.index.lane);
}

gn_code_names gn_code_take_names(gn_code *c)
{
    gn_code_names n = { .code = c };
    gn_code_take_name(&n, c->name);
    for (size_t i = 0; i < c->syms.n; i++) gn_code_take_name(&n, c->syms.at[i].name);
    for (size_t i = 0; i < c->places.n; i++) gn_code_take_name(&n, c->places.at[i]->name);
    for (size_t i = 0; i < c->threads.n; i++) gn_code_take_name(&n, c->threads.at[i].name);
    for (size_t s = 0; s < c->steps.n; s++) {
        for (size_t i = 0; i < c->steps.at[s].parts.n; i++) gn_code_take_name(&n, c->steps.at[s].parts.at[i].name);
        gn_code_walk(&c->steps.at[s].body, take_names, &n);
    }
    return n;
}

static const char *clean(const gn_code_names *n, const char *near)
{
    gn_text t = { .arena = n->code->arena };
    if (!gn_begins_name(*near)) gn_text_char(&t, 'x');
    for (; *near; near++) gn_text_char(&t, gn_in_name(*near) ? *near : '_');
    return gn_text_done(&t);
}

const char *gn_code_fresh_name(gn_code_names *n, const char *near)
{
    near = clean(n, near);
    const char *name = symbol(n, near);
    for (int i = 2; gn_map_get(&n->taken, GN_KEY(name)); i++)
        name = symbol(n, gn_arena_printf(n->code->arena, "%s_%d", near, i));
    gn_code_take_name(n, name);
    return name;
}
