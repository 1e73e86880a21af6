#include "code_names.h"
#include "ascii.h"

static const char *symbol(const gn_code_names *n, const char *name)
{
    return gn_symbol(n->code->arena, &n->code->dims->symbols, name);
}

static void take_name(gn_code_names *n, const char *name)
{
    *gn_map_put(n->code->arena, &n->taken, GN_KEY(symbol(n, name))) = n->code;
}

static void take_names(void *user, const gn_code_node *n)
{
    if (n->var && !n->unrolled) take_name(user, n->var); /* unrolled loops of other regions may have the same */
    if (n->kind == GN_CODE_LET && n->val->kind == GN_VAL_INDEX && n->val->lanes > 1)
        take_name(user, n->val->u.index.lane);
}

gn_code_names gn_code_take_names(gn_code *c)
{
    gn_code_names n = { .code = c };
    take_name(&n, c->name);
    for (size_t i = 0; i < c->syms.n; i++) take_name(&n, c->syms.at[i].name);
    for (size_t i = 0; i < c->places.n; i++) take_name(&n, c->places.at[i]->name);
    for (size_t i = 0; i < c->threads.n; i++) take_name(&n, c->threads.at[i].name);
    for (size_t s = 0; s < c->steps.n; s++) {
        for (size_t i = 0; i < c->steps.at[s].parts.n; i++) take_name(&n, c->steps.at[s].parts.at[i].name);
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
    take_name(n, name);
    return name;
}

static const char *word_for(const gn_code *c, const gn_val *v)
{
    switch ((gn_val_kind)v->kind) {
    /* a name of its own: sines, not the library's sine */
    case GN_VAL_OP: return gn_arena_printf(c->arena, "%ss", v->u.op->name);
    case GN_VAL_LOAD: return "loads";
    case GN_VAL_FIRST: return "inside";
    case GN_VAL_BIT: return "hits";
    case GN_VAL_COND: return "tests";
    case GN_VAL_INDEX:
    case GN_VAL_IOTA: return "indices";
    default: return "values";
    }
}

const gn_place *gn_code_new_array(gn_code_names *names, gn_code_body *region, const gn_val *like, uint32_t n,
                                  const char *var)
{
    gn_code *const c = names->code;
    uint32_t *extent = GN_NEW_ARRAY(c->arena, uint32_t, 1);
    const char **axis = GN_NEW_ARRAY(c->arena, const char *, 1);
    extent[0] = n, axis[0] = var;
    return gn_code_append(c, region, GN_CODE_DECLARE)->place =
               gn_code_place(c, (gn_place){ .name = gn_code_fresh_name(names, word_for(c, like)),
                                            .dtype = (gn_dtype)like->dtype,
                                            .space = GN_SPACE_REG,
                                            .lanes = like->lanes,
                                            .rank = 1,
                                            .extent = extent,
                                            .axis = axis });
}
