/* Bodies to C statements, one per value. */
#include <string.h>
#include "ops/bodies.h"
#include "dtype.h"
#include "error.h"
#include "expand.h"
#include "sexpr.h"
#include "vec.h"

typedef struct value {
    const char *text; /* "v12"; of a number: NULL, it is printed for the place it stands in */
    gn_dtype dtype;
    const gn_sx *number;
} value;

typedef struct binding {
    const char *name;
    value value;
} binding;

typedef struct expander {
    gn_text *out;
    gn_arena *arena;
    const gn_target *target;
    int lanes, count;
    const char *file;
    GN_VEC(binding) names;
} expander;

typedef struct body_entry {
    const char *name, *f32, *f64;
} body_entry;

static const body_entry bodies[] = {
#define BODY(name) {#name, gn_body_##name##_f32, gn_body_##name##_f64},
    GN_BODIES(BODY)
#undef BODY
};

const char *expand_body_text(const char *op, gn_dtype t)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (strcmp(bodies[i].name, op) == 0) return t == GN_F32 ? bodies[i].f32 : t == GN_F64 ? bodies[i].f64 : NULL;
    return NULL;
}

static const char *tag(expander *e, gn_dtype t)
{
    gn_text text = {.arena = e->arena};
    gn_spell_tag(&text, t, e->lanes);
    return gn_text_done(&text);
}

static value define(expander *e, gn_dtype t, const char *expression)
{
    const value v = {.text = gn_arena_printf(e->arena, "v%d", e->count++), .dtype = t};
    if (e->lanes > 1)
        gn_textf(e->out, "        const gn_%s %s = %s;\n", tag(e, t), v.text, expression);
    else
        gn_textf(e->out, "        const %s %s = %s;\n", gn_dtypes[t].c_name, v.text, expression);
    return v;
}

static value number_as(expander *e, const gn_sx *x, gn_dtype t)
{
    gn_text text = {.arena = e->arena};
    double f = 0;
    int64_t i = 0;
    if (e->lanes > 1) gn_textf(&text, "gn_splat_%s(", tag(e, t));
    if (gn_is_float(t) ? !gn_sx_double(x, &f) : !gn_sx_int(x, &i))
        gn_sx_fail(e->file, x, "'%s' is no %s", x->text, gn_dtypes[t].name);
    if (gn_is_float(t))
        gn_spell_float(&text, t, f);
    else
        gn_spell_int(&text, t, i);
    if (e->lanes > 1) gn_text_char(&text, ')');
    return define(e, t, gn_text_done(&text));
}

static value expand(expander *e, const gn_sx *x, gn_dtype t);

static value expand_atom(expander *e, const gn_sx *x)
{
    double f;
    for (size_t i = e->names.n; i-- > 0;)
        if (strcmp(e->names.at[i].name, x->text) == 0) return e->names.at[i].value;
    if (!gn_sx_double(x, &f)) gn_sx_fail(e->file, x, "'%s' is neither a number nor bound", x->text);
    return (value){.number = x};
}

static value expand_let(expander *e, const gn_sx *x, gn_dtype t)
{
    const size_t outer = e->names.n;
    for (size_t i = 1; i + 1 < x->n; i++) {
        value v = expand(e, x->at[i]->at[1], t);
        if (v.number) v = number_as(e, v.number, t);
        gn_push(e->arena, &e->names, (binding){x->at[i]->at[0]->text, v});
    }
    const value v = expand(e, x->at[x->n - 1], t);
    e->names.n = outer;
    return v;
}

static value expand_nested(expander *e, const char *op, gn_dtype t, const value *a, size_t n)
{
    const char *text = expand_body_text(op, t), *file = e->file;
    if (!text) gn_throw(GN_ESYNTAX, "%s: no op '%s'", e->file, op);
    static const char *const params[] = {"a", "b", "c"};
    const size_t outer = e->names.n;
    for (size_t i = 0; i < n; i++) gn_push(e->arena, &e->names, (binding){n == 1 ? "x" : params[i], a[i]});
    e->file = op;
    const value v = expand(e, gn_sx_read(e->arena, op, text, strlen(text))->at[0], t);
    e->file = file;
    e->names.n = outer;
    return v;
}

static bool is_one_of(const char *op, const char *list)
{
    const size_t n = strlen(op);
    for (const char *p = list; (p = strstr(p, op)) != NULL; p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n])) return true;
    return false;
}

static value apply(expander *e, const gn_sx *x, const char *op, gn_dtype t, gn_dtype result, const value *a, size_t n)
{
    const gn_op_info *info = gn_op_find(op);
    const char *pattern = info ? e->target->spell(info, is_one_of(op, "cast bitcast") ? result : t, e->lanes > 1) : NULL;
    if (!pattern) return expand_nested(e, op, t, a, n);
    const char *operands[4];
    if (n > 3) gn_sx_fail(e->file, x, "too many operands");
    for (size_t i = 0; i < n; i++) operands[i] = a[i].text;
    gn_text text = {.arena = e->arena};
    gn_spell_pattern(&text, pattern, tag(e, result), tag(e, a[0].dtype), operands);
    return define(e, result, gn_text_done(&text));
}

static value expand_op(expander *e, const gn_sx *x, gn_dtype t)
{
    const char *op = x->at[0]->text;
    const bool converts = is_one_of(op, "cast bitcast");
    value a[4] = {{0}};
    size_t n = 0;
    for (size_t i = converts ? 2 : 1; i < x->n && n < 4; i++) a[n++] = expand(e, x->at[i], t);
    const size_t first = strcmp(op, "select") == 0;
    gn_dtype common = t;
    for (size_t i = n; i-- > first;)
        if (!a[i].number) common = a[i].dtype;
    for (size_t i = first; i < n; i++)
        if (a[i].number) a[i] = number_as(e, a[i].number, common);
    gn_dtype result = is_one_of(op, "lt le gt ge eq ne") ? GN_BOOL : common;
    if (converts && !gn_dtype_parse(x->at[1]->text, &result))
        gn_sx_fail(e->file, x->at[1], "'%s' is no dtype", x->at[1]->text);
    return apply(e, x, op, common, result, a, n);
}

static value expand(expander *e, const gn_sx *x, gn_dtype t)
{
    if (x->kind != GN_SX_LIST) return expand_atom(e, x);
    return gn_sx_head(x, "let") ? expand_let(e, x, t) : expand_op(e, x, t);
}

void expand_body(gn_text *out, const gn_target *target, const char *name, const char *op, gn_dtype t, int lanes)
{
    expander e = {.out = out, .arena = out->arena, .target = target, .lanes = lanes, .file = op};
    const char *c = gn_dtypes[t].c_name;
    gn_textf(out, "void %s(const %s *a, const %s *b, %s *y, int64_t n)\n{\n    for (int64_t i = 0; i < n; i += %d) {\n",
             name, c, c, c, lanes);
    const value args[] = {define(&e, t, gn_arena_printf(e.arena, "gn_load_%s(a + i)", tag(&e, t))),
                          define(&e, t, gn_arena_printf(e.arena, "gn_load_%s(b + i)", tag(&e, t)))};
    value v = expand_nested(&e, op, t, args, strcmp(op, "pow") == 0 ? 2 : 1);
    if (v.number) v = number_as(&e, v.number, t);
    gn_textf(out, "        gn_store_%s(y + i, %s);\n        (void)v1;\n    }\n}\n", tag(&e, t), v.text);
}
