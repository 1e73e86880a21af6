/* Makes code by hand, node by node, where a test wants one that lowering would not make. One at a time. */
#pragma once
#include "code.h"

typedef struct code_maker {
    gn_arena arena;
    gn_dim_pool dims;
    gn_code *code;
    gn_code_body *at; /* where nodes go */
    uint32_t id;
} code_maker;
static code_maker make;

static void make_code(const char *name, const gn_target *target)
{
    make = (code_maker){ 0 };
    make.dims.arena = &make.arena;
    make.code = gn_code_new(&make.arena, &make.dims, target, name);
}

static const gn_dim *dim(const char *text)
{
    return gn_dim_read_extent(&make.dims, text);
}

static void make_sym(const char *name)
{
    gn_push(&make.arena, &make.code->syms, (gn_ksym){ .name = name, .mul = 1, .is = -1 });
}

static void make_threads(const char *name, const char *count)
{
    gn_push(&make.arena, &make.code->threads, (gn_code_var){ name, dim(count) });
}

static void make_step(void)
{
    gn_push(&make.arena, &make.code->steps, (gn_code_step){ 0 });
    make.at = &make.code->steps.at[make.code->steps.n - 1].body;
}

static void make_part(const char *name, const char *count)
{
    gn_push(&make.arena, &make.code->steps.at[make.code->steps.n - 1].parts, (gn_code_var){ name, dim(count) });
}

/* ---- places ---- */

static const gn_place *make_memory(gn_space space, const char *name, gn_dtype t, const char *size)
{
    const gn_place p = { .name = name, .dtype = t, .space = (uint8_t)space, .access = 3, .size = dim(size) };
    return gn_code_place(make.code, p);
}

static gn_code_node *make_node(gn_code_kind kind)
{
    gn_code_node *n = gn_code_make(make.code, kind);
    gn_push(&make.arena, &make.at->kids, n);
    return n;
}

static const gn_place *make_local(gn_space space, const char *name, gn_dtype t, const char *size)
{
    return make_node(GN_CODE_DECLARE)->place = make_memory(space, name, t, size);
}

static const gn_place *make_registers(const char *name, gn_dtype t, uint16_t lanes, uint32_t n)
{
    gn_place p = { .name = name, .dtype = t, .space = GN_SPACE_REG, .lanes = lanes, .rank = n > 1 };
    p.extent = gn_arena_copy(&make.arena, &n, sizeof n);
    return make_node(GN_CODE_DECLARE)->place = gn_code_place(make.code, p);
}

static gn_access one(const gn_place *p, const char *at)
{
    return (gn_access){ .place = p, .mode = GN_ACCESS_ONE, .base = dim(at) };
}

static gn_access row(const gn_place *p, const char *at, const gn_val *mask)
{
    return (gn_access){ .place = p, .mode = GN_ACCESS_ROW, .base = dim(at), .mask = mask };
}

static gn_access each(const gn_place *p, const gn_val *index, const gn_val *mask)
{
    return (gn_access){ .place = p, .mode = GN_ACCESS_EACH, .each = index, .mask = mask };
}

/* a < b, or not */
static gn_preds when_less(const char *a, const char *b, bool negate)
{
    gn_kcond *c = GN_NEW_OBJECT(&make.arena, gn_kcond);
    gn_pred *p = GN_NEW_OBJECT(&make.arena, gn_pred);
    *c = (gn_kcond){ GN_K_LT, dim(a), dim(b) };
    *p = (gn_pred){ negate, 1, c };
    return (gn_preds){ 1, p };
}

/* ---- values ---- */

static gn_val *new_val(gn_val_kind kind, gn_dtype t, uint16_t lanes)
{
    gn_val *v = GN_NEW_OBJECT(&make.arena, gn_val);
    *v = (gn_val){ .kind = (uint8_t)kind, .dtype = (uint8_t)t, .lanes = lanes };
    return v;
}

static gn_val *new_let(gn_val_kind kind, gn_dtype t, uint16_t lanes)
{
    gn_val *v = new_val(kind, t, lanes);
    v->id = ++make.id;
    make_node(GN_CODE_LET)->val = v;
    return v;
}

static const gn_val *number(gn_dtype t, double x)
{
    gn_val *v = new_val(GN_VAL_CONST, t, 1);
    if (gn_is_float(t)) v->u.f = x;
    else v->u.i = (int64_t)x;
    return v;
}

static const gn_val *splat(uint16_t lanes, const gn_val *of)
{
    gn_val *v = new_val(GN_VAL_SPLAT, (gn_dtype)of->dtype, lanes);
    v->n = 1, v->a[0] = of;
    return v;
}

static const gn_val *held(const gn_place *p, uint32_t number_of)
{
    gn_val *v = new_val(GN_VAL_REG, p->dtype, p->lanes);
    v->u.reg.place = p, v->u.reg.number = number_of;
    return v;
}

static const gn_val *load(uint16_t lanes, gn_access a)
{
    gn_val *v = new_let(GN_VAL_LOAD, a.place->dtype, lanes);
    v->u.load = a;
    return v;
}

static const gn_val *index_at(gn_dtype t, const char *at)
{
    gn_val *v = new_let(GN_VAL_INDEX, t, 1);
    v->u.index.at = dim(at);
    return v;
}

static const gn_val *mask_below(uint16_t lanes, const char *end)
{
    gn_val *v = new_let(GN_VAL_FIRST, GN_BOOL, lanes);
    v->u.index.at = dim(end);
    return v;
}

static const gn_val *derived(gn_val_kind kind, gn_dtype t, uint16_t lanes, size_t n, const gn_val *const *a)
{
    gn_val *v = new_let(kind, t, lanes);
    v->n = (uint16_t)n;
    for (size_t i = 0; i < n; i++) v->a[i] = a[i];
    return v;
}
#define NOPERANDS(...) (sizeof (const gn_val *[]){ __VA_ARGS__ } / sizeof(const gn_val *))
#define DERIVED(kind, t, lanes, ...) derived(kind, t, lanes, NOPERANDS(__VA_ARGS__), (const gn_val *[]){ __VA_ARGS__ })

static const gn_val *operation(const gn_op_info *op, gn_dtype t, const gn_val *a, const gn_val *b)
{
    gn_val *v = (gn_val *)DERIVED(GN_VAL_OP, t, a->lanes, a, b);
    v->u.op = op;
    return v;
}

static const gn_val *chosen(const gn_val *c, const gn_val *a, const gn_val *b)
{
    gn_val *v = (gn_val *)DERIVED(GN_VAL_OP, (gn_dtype)a->dtype, c->lanes, c, a, b);
    v->u.op = &gn_op_select;
    return v;
}

static const gn_val *reduced(gn_val_kind kind, gn_red red, const gn_val *a)
{
    gn_val *v = (gn_val *)DERIVED(kind, (gn_dtype)a->dtype, 1, a);
    v->red = (uint8_t)red;
    return v;
}

/* ---- nodes ---- */

static void set(const gn_place *p, uint32_t number_of, const gn_val *v)
{
    gn_code_node *n = make_node(GN_CODE_SET);
    n->place = p, n->number = number_of, n->val = v;
}

static void store(gn_access a, const gn_val *v)
{
    gn_code_node *n = make_node(GN_CODE_STORE);
    n->access = a, n->val = v;
}

static gn_code_node *begin_for(const char *var, const char *to)
{
    gn_code_node *n = make_node(GN_CODE_FOR);
    n->var = gn_symbol(&make.arena, &make.dims.symbols, var), n->to = dim(to);
    make.at = &n->body;
    return n;
}

static void begin_if(gn_preds when)
{
    gn_code_node *n = make_node(GN_CODE_IF);
    n->when = when;
    make.at = &n->body;
}
