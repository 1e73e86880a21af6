#include "code_inline.h"

/* ---- names and index expressions ---- */

static const char *known_name(gn_inlining *in, const char *name)
{
    return gn_map_get(&in->renamed, GN_KEY(gn_symbol(in->to->arena, &in->to->dims->symbols, name)));
}

static const char *rename_as_new(gn_inlining *in, const char *name)
{
    const char *own = gn_code_fresh_name(in->names, name);
    *gn_map_put(in->to->arena, &in->renamed, GN_KEY(gn_symbol(in->to->arena, &in->to->dims->symbols, name))) =
        (void *)own;
    return own;
}

static const gn_dim *replacement(void *user, const char *symbol)
{
    gn_inlining *in = user;
    const char *own = known_name(in, symbol);
    return own ? gn_dim_sym(in->to->dims, own) : in->of_symbol(in->user, symbol);
}

static const gn_dim *dim(gn_inlining *in, const gn_dim *d)
{
    return d ? gn_dim_subst(in->to->dims, gn_dim_import(in->to->dims, d), replacement, in) : NULL;
}

static gn_preds preds(gn_inlining *in, gn_preds w)
{
    gn_pred *p = GN_NEW_ARRAY(in->to->arena, gn_pred, w.n);
    for (uint32_t i = 0; i < w.n; i++) {
        gn_kcond *cond = GN_NEW_ARRAY(in->to->arena, gn_kcond, w.at[i].n);
        for (uint16_t k = 0; k < w.at[i].n; k++)
            cond[k] = (gn_kcond){w.at[i].cond[k].kind, dim(in, w.at[i].cond[k].a), dim(in, w.at[i].cond[k].b)};
        p[i] = (gn_pred){w.at[i].negate, w.at[i].n, cond};
    }
    return (gn_preds){w.n, p};
}

/* ---- places ---- */

static gn_code_node *append(gn_inlining *in, gn_code_kind kind)
{
    return gn_code_append(in->to, in->block, kind);
}

static const gn_place *declare(gn_inlining *in, const gn_place *p)
{
    gn_place own = *p;
    own.name = gn_code_fresh_name(in->names, p->name);
    own.size = p->size ? gn_dim_import(in->to->dims, p->size) : NULL;
    own.extent = gn_arena_copy(in->to->arena, p->extent, p->rank * sizeof *p->extent);
    const char **axis = p->axis ? GN_NEW_ARRAY(in->to->arena, const char *, p->rank) : NULL;
    for (uint16_t i = 0; axis && i < p->rank; i++) axis[i] = gn_arena_string(in->to->arena, p->axis[i]);
    own.axis = axis;
    const gn_place *made = append(in, GN_CODE_DECLARE)->place = gn_code_place(in->to, own);
    *gn_map_put(in->to->arena, &in->made, GN_KEY(p)) = (void *)made;
    return made;
}

static gn_inlined stands_for(const gn_inlining *in, const gn_place *p)
{
    if (gn_is_argument(p)) return in->place[p->id];
    return (gn_inlined){gn_map_get(&in->made, GN_KEY(p)), NULL};
}

/* ---- values ---- */

static const gn_val *operand(gn_inlining *in, const gn_val *v);

static const gn_val *append_let(gn_inlining *in, gn_val v)
{
    return gn_code_append_let(in->to, in->block, in->nlets, v);
}

/* Indices of elements, counted from the place's start on. */
static const gn_val *moved_each(gn_inlining *in, const gn_val *each, const gn_dim *start)
{
    if (!each || !start || gn_dim_is(start, 0)) return each;
    const gn_val *by = append_let(in, (gn_val){.kind = GN_VAL_INDEX, .dtype = GN_I64, .lanes = 1, .u.index.at = start});
    const gn_val splat = {.kind = GN_VAL_SPLAT, .dtype = GN_I64, .lanes = each->lanes, .n = 1, .a = {by}};
    gn_val sum = {.kind = GN_VAL_OP, .dtype = GN_I64, .lanes = each->lanes, .n = 2, .u.op = &gn_op_add};
    sum.a[0] = each, sum.a[1] = gn_code_operand(in->to, splat);
    return append_let(in, sum);
}

static gn_access access_of(gn_inlining *in, const gn_access *a)
{
    const gn_inlined to = stands_for(in, a->place);
    gn_access own = *a;
    own.place = to.place, own.when = preds(in, a->when);
    own.base = dim(in, a->base), own.step = dim(in, a->step);
    own.each = moved_each(in, operand(in, a->each), to.start), own.mask = operand(in, a->mask);
    if (to.start && own.base) own.base = gn_dim_add(in->to->dims, own.base, to.start);
    return own;
}

static uint32_t register_number(const gn_access *a, const gn_place *p)
{
    int64_t element = 0;
    GN_ASSERT(gn_dim_is_const(a->base, &element));
    return (uint32_t)(element / p->lanes);
}

static bool is_register(const gn_inlining *in, const gn_access *a)
{
    return a->place && stands_for(in, a->place).place->space == GN_SPACE_REG;
}

/* What a register that stands for memory holds now. */
static gn_val loaded_register(gn_inlining *in, const gn_val *load)
{
    const gn_place *p = stands_for(in, load->u.load.place).place;
    return gn_val_copy_of(gn_code_register(in->to, p, register_number(&load->u.load, p), NULL));
}

static gn_val value(gn_inlining *in, const gn_val *v)
{
    gn_val own = *v;
    own.when = preds(in, v->when);
    for (uint16_t i = 0; i < v->n; i++) own.a[i] = operand(in, v->a[i]);
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_INDEX:
        own.u.index.lane = v->lanes > 1 ? known_name(in, v->u.index.lane) : NULL;
        if (v->lanes > 1 && !own.u.index.lane) own.u.index.lane = rename_as_new(in, v->u.index.lane);
        own.u.index.at = dim(in, v->u.index.at);
        break;
    case GN_VAL_FIRST:
    case GN_VAL_BIT: own.u.index.at = dim(in, v->u.index.at); break;
    case GN_VAL_IOTA: own.u.iota.base = dim(in, v->u.iota.base), own.u.iota.step = dim(in, v->u.iota.step); break;
    case GN_VAL_LANE: own.u.lane.at = dim(in, v->u.lane.at); break;
    case GN_VAL_REG: own.u.reg.place = stands_for(in, v->u.reg.place).place, own.u.reg.at = dim(in, v->u.reg.at); break;
    case GN_VAL_LOAD:
        if (is_register(in, &v->u.load)) return loaded_register(in, v);
        own.u.load = access_of(in, &v->u.load);
        break;
    default: break;
    }
    return own;
}

static const gn_val *operand(gn_inlining *in, const gn_val *v)
{
    if (!v) return NULL;
    return v->id ? gn_map_get(&in->vals, v->id) : gn_code_operand(in->to, value(in, v));
}

static void let(gn_inlining *in, const gn_val *v)
{
    const gn_val own = value(in, v); /* may append others */
    *gn_map_put(in->to->arena, &in->vals, v->id) = (void *)append_let(in, own);
}

/* ---- nodes ---- */

static void body(gn_inlining *in, const gn_code_body *b);

static void body_into(gn_inlining *in, gn_code_body *block, const gn_code_body *b)
{
    gn_code_body *outer = in->block;
    in->block = block;
    body(in, b);
    in->block = outer;
}

static void set(gn_inlining *in, const gn_place *p, uint32_t number, const gn_dim *at, const gn_val *v)
{
    gn_code_node *n = append(in, GN_CODE_SET);
    n->place = p, n->number = number, n->at = dim(in, at), n->val = operand(in, v);
}

static void store(gn_inlining *in, const gn_code_node *s)
{
    if (is_register(in, &s->access)) {
        const gn_place *p = stands_for(in, s->access.place).place;
        set(in, p, register_number(&s->access, p), NULL, s->val);
        return;
    }
    const gn_access a = access_of(in, &s->access);
    const gn_val *v = operand(in, s->val);
    gn_code_node *n = append(in, GN_CODE_STORE);
    n->access = a, n->val = v;
}

static void loop(gn_inlining *in, const gn_code_node *f)
{
    const gn_dim *from = dim(in, f->from), *to = dim(in, f->to);
    gn_code_node *n = append(in, GN_CODE_FOR);
    n->from = from, n->to = to, n->unroll = f->unroll, n->unrolled = f->unrolled, n->var = rename_as_new(in, f->var);
    body_into(in, &n->body, &f->body);
}

static void tile(gn_inlining *in, const gn_tile_args *t)
{
    gn_tile_args *own = gn_arena_copy(in->to->arena, t, sizeof *t);
    for (int i = 0; i < t->nmemory; i++) {
        const gn_inlined to = stands_for(in, t->memory[i].place);
        own->memory[i].place = to.place, own->memory[i].stride = dim(in, t->memory[i].stride);
        own->memory[i].base = dim(in, t->memory[i].base);
        if (to.start) own->memory[i].base = gn_dim_add(in->to->dims, own->memory[i].base, to.start);
    }
    for (int i = 0; i < t->ncount; i++) own->count[i] = dim(in, t->count[i]);
    for (int i = 0; i < GN_TILE_MAX_REGS; i++) own->a[i] = operand(in, t->a[i]), own->b[i] = operand(in, t->b[i]);
    if (t->acc) own->acc = stands_for(in, t->acc).place;
    append(in, GN_CODE_TILE)->tile = own;
}

/* A copy under way, or tokens of such copies. */
static void async(gn_inlining *in, const gn_code_node *n)
{
    const bool copies = n->kind == GN_CODE_ASYNC;
    const gn_access to = copies ? access_of(in, &n->access) : n->access, from = copies ? access_of(in, &n->source) : n->source;
    gn_code_node *own = append(in, (gn_code_kind)n->kind);
    own->access = to, own->source = from, own->number = n->number;
    if (n->place) own->place = stands_for(in, n->place).place;
}

static void node(gn_inlining *in, const gn_code_node *n)
{
    switch ((gn_code_kind)n->kind) {
    case GN_CODE_LET: let(in, n->val); break;
    case GN_CODE_SET: set(in, stands_for(in, n->place).place, n->number, n->at, n->val); break;
    case GN_CODE_STORE: store(in, n); break;
    case GN_CODE_DECLARE: declare(in, n->place); break;
    case GN_CODE_FOR: loop(in, n); break;
    case GN_CODE_IF: {
        const gn_preds when = preds(in, n->when);
        gn_code_node *own = append(in, GN_CODE_IF);
        own->when = when;
        body_into(in, &own->body, &n->body);
        break;
    }
    case GN_CODE_NAME: {
        const gn_dim *is = dim(in, n->to);
        gn_code_node *own = append(in, GN_CODE_NAME);
        own->to = is, own->var = rename_as_new(in, n->var);
        break;
    }
    case GN_CODE_BARRIER: append(in, GN_CODE_BARRIER); break;
    case GN_CODE_TILE: tile(in, n->tile); break;
    case GN_CODE_ASYNC:
    case GN_CODE_COMMIT:
    case GN_CODE_AWAIT: async(in, n); break;
    }
}

static void body(gn_inlining *in, const gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) node(in, b->kids.at[i]);
}

static void step(gn_inlining *in, const gn_code_step *s)
{
    gn_code_body *outer = in->block;
    for (size_t i = 0; i < s->parts.n; i++) {
        const gn_dim *to = dim(in, s->parts.at[i].count);
        gn_code_node *n = append(in, GN_CODE_FOR);
        n->to = to, n->var = rename_as_new(in, s->parts.at[i].name);
        in->block = &n->body;
    }
    body(in, &s->body);
    in->block = outer;
}

void gn_code_inline(gn_inlining *in, const gn_code *from)
{
    GN_ASSERT(!from->threads.n); /* whose names fragments and registers would have */
    in->renamed = in->made = (gn_map){0};
    for (size_t s = 0; s < from->steps.n; s++) {
        in->vals = (gn_map){0}; /* lets are numbered in each step */
        step(in, &from->steps.at[s]);
    }
}

/* ---- constant places ---- */

typedef struct place_search {
    const gn_place *place;
    gn_constant_places *out;
} place_search;

static void meet_access(const place_search *s, const gn_access *a, uint16_t lanes)
{
    gn_constant_places *out = s->out;
    int64_t element = 0;
    if (a->place != s->place) return;
    const bool plain = a->mode <= GN_ACCESS_ROW && !a->mask && !a->when.n && gn_dim_is_const(a->base, &element);
    if (!plain || (out->lanes && out->lanes != lanes) || element % lanes) {
        out->possible = false;
        return;
    }
    out->lanes = lanes;
    if (element / lanes >= out->n) out->n = (uint32_t)(element / lanes) + 1;
}

static void meet_node(void *user, const gn_code_node *n)
{
    const place_search *s = user;
    if (n->kind == GN_CODE_LET && n->val->kind == GN_VAL_LOAD) meet_access(s, &n->val->u.load, n->val->lanes);
    if (n->kind == GN_CODE_STORE) meet_access(s, &n->access, n->val->lanes);
    if (n->kind == GN_CODE_IF && n->body.kids.n) { /* what is written in it would not be there on every way */
        for (size_t i = 0; i < n->body.kids.n; i++)
            if (n->body.kids.at[i]->kind == GN_CODE_STORE && n->body.kids.at[i]->access.place == s->place)
                s->out->possible = false;
    }
    for (int i = 0; n->kind == GN_CODE_TILE && i < n->tile->nmemory; i++)
        if (n->tile->memory[i].place == s->place) s->out->possible = false;
    if (n->kind == GN_CODE_ASYNC && (n->access.place == s->place || n->source.place == s->place)) s->out->possible = false;
}

void gn_code_constant_places(const gn_code *c, const gn_place *argument, gn_constant_places *add)
{
    place_search s = {argument, add};
    for (size_t i = 0; i < c->steps.n; i++) gn_code_walk(&c->steps.at[i].body, meet_node, &s);
}
