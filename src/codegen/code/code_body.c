/* Math functions that a target does not spell: the body text of the op's record, as values.
 *
 *     body := operand | NUMBER | (let (NAME body)* body) | (OP body*) | (cast DTYPE body) | (bitcast DTYPE body) | (DTYPE NUMBER)
 *
 * Operands are x (or a b c). A number takes the dtype of the first operand beside it that has one, else the function's. */
#include <math.h>
#include "code_build.h"
#include "code_passes.h"

typedef struct binding {
    const char *name;
    const gn_val *val;
} binding;

typedef struct body {
    gn_code_builder *x;
    gn_dtype dtype; /* of the function's first operand */
    GN_VEC(binding) bound;
} body;

static const gn_val *eval(body *b, const gn_sx *s, int expected);

static bool is_number(const gn_sx *s)
{
    double f;
    return s->kind == GN_SX_ATOM && gn_sx_double(s, &f);
}

static const gn_val *number(body *b, const gn_sx *s, gn_dtype t)
{
    double f = 0;
    int64_t i = 0;
    GN_ASSERT(gn_sx_double(s, &f));
    const bool whole = gn_sx_int(s, &i);
    if (!gn_is_float(t)) return gn_v_int(b->x, t, whole ? i : (int64_t)f);
    return gn_v_float(b->x, t, t == GN_F32 ? (double)(float)f : f);
}

static const gn_val *lookup(body *b, const gn_sx *s)
{
    for (size_t i = b->bound.n; i-- > 0;)
        if (gn_sx_is(s, b->bound.at[i].name)) return b->bound.at[i].val;
    gn_assert_failed("a name in a body is bound", __FILE__, __LINE__);
}

static void bind(body *b, const char *name, const gn_val *v)
{
    gn_push(b->x->code->arena, &b->bound, (binding){ name, v });
}

static const gn_val *eval_let(body *b, const gn_sx *s, int expected)
{
    const size_t mark = b->bound.n;
    for (size_t i = 1; i + 1 < s->n; i++) bind(b, s->at[i]->at[0]->text, eval(b, s->at[i]->at[1], (int)b->dtype));
    const gn_val *v = eval(b, s->at[s->n - 1], expected);
    b->bound.n = mark;
    return v;
}

/* Numbers, and operations on nothing but numbers, take their dtype from outside. */
static bool is_weak(const gn_sx *s)
{
    if (s->kind == GN_SX_ATOM) return is_number(s);
    gn_dtype t;
    if (gn_sx_head(s, "let") || gn_sx_head(s, "cast") || gn_sx_head(s, "bitcast") || gn_dtype_parse(s->at[0]->text, &t))
        return false;
    for (size_t i = gn_sx_head(s, "select") ? 2 : 1; i < s->n; i++)
        if (!is_weak(s->at[i])) return false;
    return true;
}

static const gn_val *eval_op(body *b, const gn_sx *s, int expected)
{
    const gn_op_info *op = gn_op_find(s->at[0]->text);
    const size_t n = s->n - 1;
    GN_ASSERT(op && n <= 4);
    const bool select = op == &gn_op_select;
    const gn_val *a[4] = { 0 };
    int t = -1;
    for (size_t i = 0; i < n; i++) {
        if (is_weak(s->at[i + 1])) continue;
        a[i] = eval(b, s->at[i + 1], expected);
        if (t < 0 && !(select && i == 0)) t = a[i]->dtype;
    }
    if (t < 0) t = op->traits & GN_BOOL_OUT ? (int)b->dtype : expected;
    for (size_t i = 0; i < n; i++)
        if (!a[i]) a[i] = eval(b, s->at[i + 1], t);
    return gn_v_op(b->x, op, op->traits & GN_BOOL_OUT ? GN_BOOL : (gn_dtype)t, a, n);
}

static const gn_val *eval(body *b, const gn_sx *s, int expected)
{
    gn_dtype t;
    if (s->kind != GN_SX_LIST) return is_number(s) ? number(b, s, (gn_dtype)expected) : lookup(b, s);
    if (gn_sx_head(s, "let")) return eval_let(b, s, expected);
    if (s->n == 2 && gn_dtype_parse(s->at[0]->text, &t)) return number(b, s->at[1], t);
    if (s->n == 3 && (gn_sx_head(s, "cast") || gn_sx_head(s, "bitcast")) && gn_dtype_parse(s->at[1]->text, &t)) {
        const gn_val *v = eval(b, s->at[2], (int)b->dtype);
        return gn_v_op(b->x, gn_sx_head(s, "cast") ? &gn_op_cast : &gn_op_bitcast, t, &v, 1);
    }
    return eval_op(b, s, expected);
}

const char *gn_body_text(const gn_code *c, const gn_op_info *op, gn_dtype t)
{
    const char *text = t == GN_F64 ? op->body_f64 : t == GN_F32 ? op->body_f32 : NULL;
    if (!text)
        gn_throw(GN_EINVAL, "kernel %s: the target %s has no %s of %s", c->name, c->target->name, op->name,
                 gn_dtype_name(t));
    return text;
}

gn_math_function gn_math_expand(gn_code *c, const gn_op_info *op, gn_dtype t, uint16_t lanes, uint16_t narg)
{
    static const char *const names[] = { "a", "b", "c", "d" };
    gn_code_body *block = GN_NEW_OBJECT(c->arena, gn_code_body);
    gn_code_builder x = { .code = c, .lanes = lanes, .block = block };
    body b = { .x = &x, .dtype = t };
    const char *text = gn_body_text(c, op, t);
    for (uint16_t i = 0; i < narg; i++) {
        gn_val *v = GN_NEW_OBJECT(c->arena, gn_val);
        *v = (gn_val){ .kind = GN_VAL_PARAM, .dtype = (uint8_t)t, .lanes = lanes, .u.i = i };
        bind(&b, names[i], v);
        if (i < 2) bind(&b, i ? "y" : "x", v);
    }
    const gn_sx *s = gn_sx_read(c->arena, op->name, text, strlen(text));
    const gn_val *v = NULL;
    for (size_t i = 0; i < s->n; i++) v = eval(&b, s->at[i], (int)t);
    return (gn_math_function){ op, t, lanes, narg, block, gn_code_once_of(c, block, gn_v_splat(&x, v, lanes)) };
}
