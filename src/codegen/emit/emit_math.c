/* Math functions: what the target has no word for, from the text of the op's record, as functions of the unit. */
#include "emit_state.h"

/* More calls than this in the body of one loop, and the function is called instead of expanded: an epilogue over a
 * tile's vectors would cost more time in the compiler than it saves in the kernel, while the few calls of a row's loop
 * stay inline. */
enum { INLINE_MOST = 4 };

static void count(gn_emitter *e, gn_math_function *f)
{
    f->here = f->body == e->body ? f->here + 1 : 1;
    f->body = e->body;
    if (f->here > f->most) f->most = f->here;
}

static bool is_known(gn_emitter *e, const gn_op_info *op, gn_dtype t, uint16_t lanes)
{
    for (size_t i = 0; i < e->math.n; i++)
        if (e->math.at[i].op == op && e->math.at[i].dtype == t && e->math.at[i].lanes == lanes)
            return count(e, &e->math.at[i]), true;
    return false;
}

static void need(gn_emitter *e, const gn_op_info *op, gn_dtype t, uint16_t lanes, uint16_t narg)
{
    if (is_known(e, op, t, lanes)) return;
    gn_math_function f = gn_math_expand(e->code, op, t, lanes, narg);
    for (size_t i = 0; i < f.code->kids.n; i++) {
        const gn_val *v = f.code->kids.at[i]->val;
        if (v->kind == GN_VAL_OP) gn_emit_need_math(e, v);
    }
    count(e, &f);
    gn_push(e->arena, &e->math, f);
}

void gn_emit_need_math(gn_emitter *e, const gn_val *v)
{
    const gn_dtype t = gn_val_op_dtype(v);
    if (!e->code->target->spell(v->u.op, t, v->lanes > 1)) need(e, v->u.op, t, v->lanes, v->n);
}

static void define(gn_emitter *e, const gn_math_function *f)
{
    gn_text t = { .arena = e->arena };
    gn_textf(&t, "%s_", f->op->name);
    gn_spell_tag(&t, f->dtype, f->lanes);
    const char *name = gn_text_done(&t);
    gn_textf(e->out, "#ifndef GN_HAS_%s\n#define GN_HAS_%s\n/* %s: %s. */\n%s ", name, name, f->op->name, f->op->gloss,
             f->most > INLINE_MOST ? "GN_CALLED" : "GN_INLINE");
    gn_emit_type(e, (gn_dtype)f->result->dtype, f->lanes);
    gn_textf(e->out, " gn_%s(", name);
    for (uint16_t i = 0; i < f->narg; i++) {
        if (i) gn_text_add(e->out, ", ");
        gn_emit_type(e, f->dtype, f->lanes);
        gn_textf(e->out, " %c", 'x' + i);
    }
    gn_text_add(e->out, ")\n{\n");
    e->depth = 1;
    for (size_t i = 0; i < f->code->kids.n; i++) gn_emit_let(e, f->code->kids.at[i]->val);
    gn_text_add(e->out, "    return ");
    gn_emit_operand(e, f->result);
    gn_text_add(e->out, ";\n}\n#endif\n\n");
}

void gn_emit_math(gn_emitter *e)
{
    for (size_t i = 0; i < e->math.n; i++) define(e, &e->math.at[i]);
}
