/* Values, one line each, in the words of the prelude. */
#include <stdarg.h>
#include <stdio.h>
#include "emit_state.h"

static const char *scalar_type(gn_dtype t)
{
    return t == GN_BOOL ? "_Bool" : gn_dtypes[t].c_name;
}

static const char *tag(gn_emitter *e, gn_dtype t, int lanes)
{
    gn_text s = { .arena = e->arena };
    gn_spell_tag(&s, t, lanes);
    return gn_text_done(&s);
}

void gn_emit_type(gn_emitter *e, gn_dtype t, int lanes)
{
    if (lanes == 1) {
        gn_text_add(e->out, scalar_type(t));
        return;
    }
    gn_emit_word(e, "gn_%s", tag(e, t, lanes));
}

void gn_emit_word(gn_emitter *e, const char *format, ...)
{
    char word[96];
    va_list ap;
    va_start(ap, format);
    const int n = vsnprintf(word, sizeof word, format, ap);
    va_end(ap);
    GN_ASSERT(n > 0 && (size_t)n < sizeof word);
    gn_words_need(&e->words, word);
    gn_text_add(e->out, word);
}

void gn_emit_indent(gn_emitter *e)
{
    gn_textf(e->out, "%*s", 4 * e->depth, "");
}

/* ---- conditions ---- */

static void emit_cond(gn_emitter *e, const gn_kcond *c)
{
    gn_emit_dim(e, c->a, false);
    gn_text_add(e->out, c->kind == GN_K_LT ? " < " : " == ");
    gn_emit_dim(e, c->b, false);
}

void gn_emit_preds(gn_emitter *e, gn_preds w)
{
    bool first = true;
    for (uint32_t i = 0; i < w.n; i++) {
        if (w.at[i].negate) gn_textf(e->out, "%s!(", first ? "" : " && ");
        for (uint16_t j = 0; j < w.at[i].n; j++) {
            if (j || (!first && !w.at[i].negate)) gn_text_add(e->out, " && ");
            emit_cond(e, &w.at[i].cond[j]);
            first = false;
        }
        if (w.at[i].negate) gn_text_char(e->out, ')');
        first = false;
    }
}

/* ---- operands ---- */

static void literal(gn_emitter *e, const gn_val *v)
{
    if (gn_is_float((gn_dtype)v->dtype))
        gn_spell_float(e->out, (gn_dtype)v->dtype, v->u.f);
    else
        gn_spell_int(e->out, (gn_dtype)v->dtype, v->u.i);
}

/* Without the parentheses of a negative number. */
static void alone(gn_emitter *e, const gn_val *v)
{
    const size_t before = e->out->n;
    literal(e, v);
    if (e->out->at[before] != '(') return;
    memmove(e->out->at + before, e->out->at + before + 1, e->out->n - before - 2);
    e->out->n -= 2;
    e->out->at[e->out->n] = '\0';
}

static char letter(const gn_val *v)
{
    return v->lanes == 1 ? 's' : v->dtype == GN_BOOL ? 'm' : 'v';
}

void gn_emit_operand(gn_emitter *e, const gn_val *v)
{
    if (v->id)
        gn_textf(e->out, "%c%u", letter(v), v->id);
    else if (v->kind == GN_VAL_PARAM)
        gn_text_char(e->out, (char)('x' + v->u.i));
    else if (v->kind == GN_VAL_REG)
        gn_emit_register(e, v->u.reg.place, v->u.reg.number, v->u.reg.at);
    else if (v->kind == GN_VAL_SPLAT) {
        gn_emit_word(e, "gn_splat_%s", tag(e, (gn_dtype)v->dtype, v->lanes));
        gn_text_char(e->out, '(');
        if (v->a[0]->kind == GN_VAL_CONST && !v->a[0]->id)
            alone(e, v->a[0]);
        else
            gn_emit_operand(e, v->a[0]);
        gn_text_char(e->out, ')');
    } else
        literal(e, v);
}

static const char *operand_text(gn_emitter *e, const gn_val *v)
{
    gn_text s = { .arena = e->arena };
    gn_text *out = e->out;
    e->out = &s;
    gn_emit_operand(e, v);
    e->out = out;
    return gn_text_done(&s);
}

/* ---- memory ---- */

/* In p + 2*i - 8 the pointer p + 2*i comes first, and may lie past the end, which no pointer may. */
static bool passes_the_end(const gn_dim *d)
{
    bool less = false;
    for (uint32_t t = 0; t < d->n; t++) less |= d->term[t].c < 0;
    return less && d->n > 1;
}

static void pointer(gn_emitter *e, const gn_access *a)
{
    gn_text_add(e->out, gn_emit_name(e, a->place->name));
    if (a->mode == GN_ACCESS_EACH || (!a->mask && gn_dim_is(a->base, 0))) return;
    const bool inner = !a->mask && passes_the_end(a->base);
    /* where lanes are masked, the first may lie outside: no pointer goes there */
    gn_text_add(e->out, a->mask ? ", " : inner ? " + (" : " + ");
    gn_emit_dim(e, a->base, false);
    if (inner) gn_text_char(e->out, ')');
}

const char *gn_emit_memory_type(gn_dtype t)
{
    return t == GN_BOOL ? "uint8_t" : gn_dtypes[t].c_name;
}

static void place(gn_emitter *e, const gn_access *a)
{
    gn_textf(e->out, "%s[", gn_emit_name(e, a->place->name));
    gn_emit_dim(e, a->base, false);
    gn_text_char(e->out, ']');
}

static void access_args(gn_emitter *e, const gn_access *a)
{
    pointer(e, a);
    if (a->mode == GN_ACCESS_STEP) gn_text_add(e->out, ", "), gn_emit_dim(e, a->step, false);
    if (a->mode == GN_ACCESS_EACH) gn_text_add(e->out, ", "), gn_emit_operand(e, a->each);
}

static void emit_load(gn_emitter *e, const gn_val *v)
{
    static const char *const words[] = { "", "load", "loads", "gather" };
    const gn_access *a = &v->u.load;
    const char *t = tag(e, (gn_dtype)v->dtype, v->lanes);
    if (a->when.n) gn_emit_preds(e, a->when), gn_text_add(e->out, " ? ");
    if (a->mode == GN_ACCESS_ONE) {
        place(e, a);
        if (v->dtype == GN_BOOL) gn_text_add(e->out, " != 0"); /* any byte but 0 is true */
    } else {
        gn_emit_word(e, "gn_%s%s_%s", words[a->mode], a->mask ? "m" : "", t);
        gn_text_char(e->out, '(');
        access_args(e, a);
        if (a->mask) gn_text_add(e->out, ", "), gn_emit_operand(e, a->mask);
        gn_text_char(e->out, ')');
    }
    if (!a->when.n) return;
    gn_text_add(e->out, " : ");
    const gn_val zero = { .kind = GN_VAL_CONST, .dtype = v->dtype, .lanes = 1 };
    if (v->lanes > 1) gn_emit_word(e, "gn_splat_%s", t), gn_text_char(e->out, '(');
    literal(e, &zero);
    if (v->lanes > 1) gn_text_char(e->out, ')');
}

/* ---- what is put into memory and registers ---- */

static void put_memory(gn_emitter *e, const gn_access *a, const gn_val *v, void (*value)(gn_emitter *, const gn_val *))
{
    static const char *const words[] = { "", "store", "stores", "scatter" };
    if (a->mode == GN_ACCESS_ONE) {
        place(e, a);
        gn_text_add(e->out, " = ");
        value(e, v);
        return;
    }
    gn_emit_word(e, "gn_%s%s_%s", words[a->mode], a->mask ? "m" : "", tag(e, (gn_dtype)v->dtype, v->lanes));
    gn_text_char(e->out, '(');
    access_args(e, a);
    gn_text_add(e->out, ", ");
    value(e, v);
    if (a->mask) gn_text_add(e->out, ", "), gn_emit_operand(e, a->mask);
    gn_text_char(e->out, ')');
}

void gn_emit_put(gn_emitter *e, const gn_code_node *n, const gn_val *v, void (*value)(gn_emitter *, const gn_val *))
{
    gn_emit_indent(e);
    if (n->kind == GN_CODE_STORE) {
        if (n->access.when.n) gn_text_add(e->out, "if ("), gn_emit_preds(e, n->access.when), gn_text_add(e->out, ") ");
        put_memory(e, &n->access, v, value);
    } else {
        if (gn_emit_declares(e, n)) gn_emit_type(e, n->place->dtype, n->place->lanes), gn_text_char(e->out, ' ');
        gn_emit_register(e, n->place, n->number, n->at);
        gn_text_add(e->out, " = ");
        value(e, v);
    }
    gn_text_add(e->out, ";\n");
}

/* ---- lets ---- */

/* Indices that no step describes are computed lane by lane. */
static void emit_index_lanes(gn_emitter *e, const gn_val *v)
{
    const char *lane = gn_emit_name(e, v->u.index.lane);
    gn_emit_indent(e);
    gn_textf(e->out, "int64_t t%u[%d];\n", v->id, v->lanes);
    gn_emit_indent(e);
    gn_textf(e->out, "for (int64_t %s = 0; %s < %d; %s++) t%u[%s] = ", lane, lane, v->lanes, lane, v->id, lane);
    if (v->when.n) gn_emit_preds(e, v->when), gn_text_add(e->out, " ? ");
    gn_emit_dim(e, v->u.index.at, false);
    gn_textf(e->out, "%s;\n", v->when.n ? " : 0" : "");
}

static void emit_narrow(gn_emitter *e, gn_dtype t, const gn_dim *d)
{
    const bool cast = t != GN_I64 && !gn_dim_is_const(d, NULL);
    if (cast) gn_textf(e->out, "(%s)", scalar_type(t));
    gn_emit_dim(e, d, cast);
}

static void emit_iota(gn_emitter *e, const gn_val *v)
{
    const gn_dtype t = (gn_dtype)v->dtype;
    gn_emit_word(e, "gn_iota_%s", tag(e, t, v->lanes));
    gn_text_char(e->out, '(');
    emit_narrow(e, t, v->u.iota.base);
    gn_text_add(e->out, ", ");
    emit_narrow(e, t, v->u.iota.step);
    gn_text_char(e->out, ')');
}

static void emit_index(gn_emitter *e, const gn_val *v)
{
    const gn_dtype t = (gn_dtype)v->dtype;
    if (v->lanes > 1) {
        gn_emit_word(e, "gn_load_%s", tag(e, t, v->lanes));
        gn_textf(e->out, "(t%u)", v->id);
        return;
    }
    if (v->when.n) gn_emit_preds(e, v->when), gn_text_add(e->out, " ? ");
    emit_narrow(e, t, v->u.index.at);
    if (v->when.n) gn_text_add(e->out, " : 0");
}

static void emit_op(gn_emitter *e, const gn_val *v)
{
    const gn_dtype t = gn_val_op_dtype(v);
    const char *pattern = e->code->target->spell(v->u.op, t, v->lanes > 1), *a[4] = { "", "", "", "" };
    const char *const result = tag(e, (gn_dtype)v->dtype, v->lanes), *const operand =
                                                                         tag(e, (gn_dtype)v->a[0]->dtype, v->lanes);
    gn_text word = { .arena = e->arena };
    if (pattern) gn_spell_pattern(&word, pattern, result, operand, a), gn_words_read(&e->words, gn_text_done(&word));
    for (uint16_t i = 0; i < v->n; i++) a[i] = operand_text(e, v->a[i]);
    if (!pattern) {
        gn_emit_need_math(e, v);
        gn_textf(e->out, "gn_%s_%s(", v->u.op->name, tag(e, t, v->lanes));
        for (uint16_t i = 0; i < v->n; i++) gn_textf(e->out, "%s%s", i ? ", " : "", a[i]);
        gn_text_char(e->out, ')');
        return;
    }
    gn_spell_pattern(e->out, pattern, result, operand, a);
}

void gn_emit_value(gn_emitter *e, const gn_val *v)
{
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_CONST:
    case GN_VAL_REG:
    case GN_VAL_PARAM:
    case GN_VAL_SPLAT: gn_emit_operand(e, v); break;
    case GN_VAL_COPY: gn_emit_operand(e, v->a[0]); break;
    case GN_VAL_INDEX: emit_index(e, v); break;
    case GN_VAL_IOTA: emit_iota(e, v); break;
    case GN_VAL_COND: gn_emit_preds(e, v->when); break;
    case GN_VAL_FIRST:
    case GN_VAL_BIT:
        gn_emit_word(e, "gn_%s_%s", v->kind == GN_VAL_BIT ? "bit" : "below", tag(e, GN_BOOL, v->lanes));
        gn_text_char(e->out, '(');
        gn_emit_dim(e, v->u.index.at, false);
        gn_text_char(e->out, ')');
        break;
    case GN_VAL_LOAD: emit_load(e, v); break;
    case GN_VAL_OP: emit_op(e, v); break;
    case GN_VAL_PICK:
        gn_emit_operand(e, v->a[0]);
        gn_text_add(e->out, " ? ");
        gn_emit_operand(e, v->a[1]);
        gn_text_add(e->out, " : ");
        gn_emit_operand(e, v->a[2]);
        break;
    case GN_VAL_PACK:
        gn_text_char(e->out, '(');
        gn_emit_type(e, (gn_dtype)v->dtype, v->lanes);
        gn_text_add(e->out, "){ ");
        for (uint16_t i = 0; i < v->n; i++) {
            if (i) gn_text_add(e->out, ", ");
            gn_emit_operand(e, v->a[i]);
        }
        gn_text_add(e->out, " }");
        break;
    case GN_VAL_LANE:
        if (v->dtype == GN_BOOL) {
            gn_emit_word(e, "gn_get_%s", tag(e, GN_BOOL, v->a[0]->lanes));
            gn_text_char(e->out, '(');
        }
        gn_emit_operand(e, v->a[0]);
        gn_text_add(e->out, v->dtype == GN_BOOL ? ", " : "[");
        if (v->u.lane.at) gn_emit_dim(e, v->u.lane.at, false);
        else gn_textf(e->out, "%d", (int)v->u.lane.i);
        gn_text_char(e->out, v->dtype == GN_BOOL ? ')' : ']');
        break;
    case GN_VAL_LOW:
    case GN_VAL_HIGH:
        gn_emit_word(e, "gn_%s_%s", v->kind == GN_VAL_LOW ? "lo" : "hi", tag(e, (gn_dtype)v->dtype, v->a[0]->lanes));
        gn_text_char(e->out, '(');
        gn_emit_operand(e, v->a[0]);
        gn_text_char(e->out, ')');
        break;
    case GN_VAL_UP:
        gn_emit_word(e, "gn_up%d_%s", v->red, tag(e, (gn_dtype)v->dtype, v->lanes));
        gn_text_char(e->out, '(');
        gn_emit_operand(e, v->a[0]);
        gn_text_add(e->out, ", ");
        gn_emit_operand(e, v->a[1]);
        gn_text_char(e->out, ')');
        break;
    case GN_VAL_LANES:
    case GN_VAL_THREADS:
        gn_emit_word(e, "gn_%s%s_%s",
                     v->kind == GN_VAL_LANES ? "h" : v->scope == GN_SCOPE_WARP ? "each_warp_" : "block_",
                     gn_red_name((gn_red)v->red),
                     tag(e, (gn_dtype)v->dtype, v->a[0]->lanes));
        gn_text_char(e->out, '(');
        gn_emit_operand(e, v->a[0]);
        gn_text_char(e->out, ')');
        break;
    }
}

void gn_emit_let(gn_emitter *e, const gn_val *v)
{
    if (v->kind == GN_VAL_INDEX && v->lanes > 1) emit_index_lanes(e, v);
    gn_emit_indent(e);
    gn_text_add(e->out, "const ");
    gn_emit_type(e, (gn_dtype)v->dtype, v->lanes);
    gn_textf(e->out, " %c%u = ", letter(v), v->id);
    gn_emit_value(e, v);
    gn_text_add(e->out, ";\n");
}
