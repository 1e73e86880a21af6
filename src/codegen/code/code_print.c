/* Printing code: a node a line, two spaces a level. */
#include <inttypes.h>
#include "code_text.h"
#include "code_words.h"
#include "number.h"

static void line(gn_text *t, int depth)
{
    gn_textf(t, "\n%*s", 2 * depth, "");
}

static void print_index(gn_text *t, const gn_dim *d)
{
    gn_text_char(t, ' ');
    gn_dim_print(t, d);
}

/* ---- operands ---- */

/* A float has a point, so that it is none of the integers. */
static void print_float(gn_text *t, gn_dtype dtype, double v)
{
    char digits[GN_NUMBER_SIZE];
    if (dtype == GN_F64) {
        gn_text_double(t, v);
        return;
    }
    gn_text_add(t, gn_number_shortest_f32(digits, (float)v));
    if (!strpbrk(digits, ".en")) gn_text_add(t, ".0");
}

/* The number that the low bits are: 4294967295 and -1 are one u32. */
static void print_int(gn_text *t, gn_dtype dtype, int64_t v)
{
    const int unused = 64 - 8 * gn_dtypes[dtype].size;
    if (gn_dtypes[dtype].kind == GN_KIND_UINT) gn_textf(t, "%" PRIu64, (uint64_t)v << unused >> unused);
    else gn_textf(t, "%" PRId64, (int64_t)((uint64_t)v << unused) >> unused);
}

/* Plain where its place says the type. */
static void print_number(gn_text *t, const gn_val *v, int expected, uint16_t lanes)
{
    const gn_dtype dtype = (gn_dtype)v->dtype;
    const bool plain = expected == (int)dtype && lanes == v->lanes;
    if (!plain) {
        gn_text_char(t, '(');
        gn_spell_tag(t, dtype, v->lanes);
        gn_text_char(t, ' ');
    }
    const gn_val *const c = gn_val_constant(v);
    if (gn_is_float(dtype)) print_float(t, dtype, c->u.f);
    else print_int(t, dtype, c->u.i);
    if (!plain) gn_text_char(t, ')');
}

static void print_register(gn_text *t, const gn_place *p, uint32_t number, const gn_dim *at)
{
    gn_textf(t, "$%s", p->name);
    gn_code_register_index(t, p, number, at, NULL, NULL);
}

/* Behind a space, where a value of this type is expected: a dtype, GN_NO_DTYPE if any; lanes, 0 if any. */
static void print_operand(gn_text *t, const gn_val *v, int expected, uint16_t lanes)
{
    gn_text_char(t, ' ');
    if (gn_is_number(v)) {
        print_number(t, v, expected, lanes);
        return;
    }
    const bool splat = v->kind == GN_VAL_SPLAT;
    if (splat) {
        gn_text_add(t, "(splat ");
        if (v->lanes != lanes) gn_textf(t, "%d ", v->lanes);
        v = v->a[0];
    }
    if (v->id) gn_textf(t, "%%%u", v->id);
    else if (v->kind == GN_VAL_REG) print_register(t, v->u.reg.place, v->u.reg.number, v->u.reg.at);
    else gn_textf(t, "(param %" PRId64 ")", v->u.i);
    if (splat) gn_text_char(t, ')');
}

/* ---- conditions and accesses ---- */

static void print_pred(gn_text *t, const gn_pred *p)
{
    gn_text_add(t, p->negate ? " :unless " : " :when ");
    if (p->n == 1) {
        gn_kcond_print(t, p->cond);
        return;
    }
    gn_text_add(t, "(and");
    for (uint16_t i = 0; i < p->n; i++) {
        gn_text_char(t, ' ');
        gn_kcond_print(t, &p->cond[i]);
    }
    gn_text_char(t, ')');
}

static void print_preds(gn_text *t, gn_preds w)
{
    for (uint32_t i = 0; i < w.n; i++) print_pred(t, &w.at[i]);
}

/* lanes: of a load, 0 of a store. */
static void print_access(gn_text *t, const gn_access *a, uint16_t lanes)
{
    static const char *const modes[] = { "", " :row", " :step", " :each" };
    gn_textf(t, " %s%s", a->place->name, modes[a->mode]);
    if (a->mode == GN_ACCESS_EACH) print_operand(t, a->each, GN_I64, lanes);
    else print_index(t, a->base);
    if (a->mode == GN_ACCESS_STEP) print_index(t, a->step);
    if (a->mask) {
        gn_text_add(t, " :mask");
        print_operand(t, a->mask, GN_BOOL, lanes);
    }
    print_preds(t, a->when);
}

/* ---- values ---- */

static void print_operands(gn_text *t, const gn_val *v)
{
    const gn_val_kind kind = (gn_val_kind)v->kind;
    const gn_op_info *const op = kind == GN_VAL_OP ? v->u.op : NULL;
    int first = GN_NO_DTYPE;
    for (uint16_t i = v->n; i-- > 0;)
        if (!gn_is_condition(kind, op, i) && !gn_is_number(v->a[i])) first = v->a[i]->dtype;
    for (uint16_t i = 0; i < v->n; i++)
        print_operand(t, v->a[i], gn_number_dtype(kind, op, (gn_dtype)v->dtype, first, i), gn_operand_lanes(v, i));
}

const char *const gn_val_words[] = {
    [GN_VAL_CONST] = "const", [GN_VAL_REG] = "reg",     [GN_VAL_PARAM] = "param", [GN_VAL_SPLAT] = "splat",
    [GN_VAL_COPY] = "copy",   [GN_VAL_INDEX] = "index", [GN_VAL_IOTA] = "iota",   [GN_VAL_COND] = "test",
    [GN_VAL_FIRST] = "below", [GN_VAL_BIT] = "bit",     [GN_VAL_LOAD] = "load",   [GN_VAL_PICK] = "pick",
    [GN_VAL_PACK] = "pack",   [GN_VAL_LANE] = "lane",   [GN_VAL_LOW] = "low",     [GN_VAL_HIGH] = "high",
    [GN_VAL_UP] = "up",       [GN_VAL_LANES] = "lanes", [GN_VAL_THREADS] = "threads"
};

static void print_scope(gn_text *t, uint8_t scope)
{
    if (scope != GN_SCOPE_BLOCK) gn_textf(t, " :%s", gn_scope_names[scope]);
}

static void print_value(gn_text *t, const gn_val *v)
{
    gn_textf(t, "(%s", v->kind == GN_VAL_OP ? v->u.op->name : gn_val_words[v->kind]);
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_INDEX:
        print_index(t, v->u.index.at);
        if (v->lanes > 1) gn_textf(t, " :lane %s", v->u.index.lane);
        break;
    case GN_VAL_IOTA:
        print_index(t, v->u.iota.base);
        print_index(t, v->u.iota.step);
        break;
    case GN_VAL_FIRST:
    case GN_VAL_BIT: print_index(t, v->u.index.at); break;
    case GN_VAL_LOAD: print_access(t, &v->u.load, v->lanes); break;
    case GN_VAL_LANE:
        if (v->u.lane.at) print_index(t, v->u.lane.at);
        else gn_textf(t, " %" PRId64, v->u.lane.i);
        break;
    case GN_VAL_UP: gn_textf(t, " %d", v->red); break;
    case GN_VAL_LANES: gn_textf(t, " %s", gn_red_name((gn_red)v->red)); break;
    case GN_VAL_THREADS:
        gn_textf(t, " %s", gn_red_name((gn_red)v->red));
        print_scope(t, v->scope);
        break;
    default: break;
    }
    if (v->kind == GN_VAL_INDEX || v->kind == GN_VAL_COND) print_preds(t, v->when);
    print_operands(t, v);
    gn_text_char(t, ')');
}

/* ---- nodes ---- */

static void print_body(gn_text *t, const gn_code_body *b, int depth);

static void print_let(gn_text *t, const gn_val *v)
{
    gn_textf(t, "let %%%u ", v->id);
    gn_spell_tag(t, (gn_dtype)v->dtype, v->lanes);
    gn_text_char(t, ' ');
    print_value(t, v);
}

static void print_fragment(gn_text *t, const gn_fragment *f)
{
    gn_textf(t, " :fragment %s (", f->row->name);
    for (int i = 0; i < f->row->nleaf; i++) {
        if (i) gn_text_char(t, ' ');
        if (f->dim[i] >= 0) gn_textf(t, "%d", f->dim[i]);
        else gn_text_add(t, f->thread[i] ? f->thread[i] : "_");
    }
    gn_text_char(t, ')');
}

static void print_declare(gn_text *t, const gn_place *p)
{
    if (p->space == GN_SPACE_REG) {
        gn_textf(t, "reg %s ", p->name);
        if (p->token) gn_text_add(t, "token");
        else if (p->meets) gn_textf(t, "barrier:%u", p->meets);
        else if (p->opaque) gn_textf(t, "opaque:%s", p->opaque->name);
        else gn_spell_tag(t, p->dtype, p->lanes);
        for (uint16_t i = 0; i < p->rank; i++) gn_textf(t, " %u", p->extent[i]);
        if (p->fragment) print_fragment(t, p->fragment);
    } else {
        gn_textf(t, "%s %s %s", p->space == GN_SPACE_SHARED ? "shared" : "stack", p->name, gn_dtype_name(p->dtype));
        print_index(t, p->size);
    }
}

static void print_loop(gn_text *t, const gn_code_node *n)
{
    gn_textf(t, "for %s", n->var);
    if (n->from) {
        gn_text_add(t, " :from");
        print_index(t, n->from);
    }
    print_index(t, n->to);
    if (n->unroll) gn_textf(t, " :unroll %d", n->unroll);
    if (n->dealt) gn_text_add(t, " :dealt");
    if (n->unrolled) gn_text_add(t, " :unrolled");
    for (size_t i = 0; i < n->carry.n; i++) gn_textf(t, "%s%s", i ? " " : " :carry (", n->carry.at[i]->name);
    if (n->carry.n) gn_text_char(t, ')');
}

static void print_tile_memory(gn_text *t, const gn_tile_args *a)
{
    for (int i = 0; i < a->nmemory; i++) {
        gn_textf(t, " %s", a->memory[i].place->name);
        print_index(t, a->memory[i].base);
        print_index(t, a->memory[i].stride);
    }
    for (int i = 0; i < a->ncount; i++) print_index(t, a->count[i]);
}

static void print_tile_product(gn_text *t, const gn_tile_args *a)
{
    gn_text_char(t, ' ');
    print_register(t, a->acc, a->c[0], NULL);
    for (int i = 0; i < a->row->a.nregs; i++) print_operand(t, a->a[i], a->row->a.dtype, 1);
    for (int i = 0; i < a->row->b.nregs; i++) print_operand(t, a->b[i], a->row->b.dtype, 1);
}

static void print_tile_act(gn_text *t, const gn_tile_args *a)
{
    gn_textf(t, " %s ", gn_tile_acts[a->act]);
    print_register(t, a->acc, a->c[0], NULL);
}

static void print_node(gn_text *t, const gn_code_node *n)
{
    switch ((gn_code_kind)n->kind) {
    case GN_CODE_LET: print_let(t, n->val); break;
    case GN_CODE_SET:
        gn_text_add(t, "set ");
        print_register(t, n->place, n->number, n->at);
        print_operand(t, n->val, n->place->dtype, n->place->lanes);
        break;
    case GN_CODE_STORE:
        gn_text_add(t, "store");
        print_access(t, &n->access, 0);
        print_operand(t, n->val, n->access.place->dtype, gn_store_lanes(&n->access));
        break;
    case GN_CODE_DECLARE: print_declare(t, n->place); break;
    case GN_CODE_FOR: print_loop(t, n); break;
    case GN_CODE_IF:
        gn_text_add(t, "if");
        print_preds(t, n->when);
        break;
    case GN_CODE_NAME:
        gn_textf(t, "name %s", n->var);
        print_index(t, n->to);
        break;
    case GN_CODE_BARRIER:
        gn_text_add(t, "barrier");
        print_scope(t, n->scope);
        break;
    case GN_CODE_ASYNC:
        gn_text_add(t, "async ");
        if (n->number > 1) gn_textf(t, "%u ", n->number);
        gn_text_add(t, n->access.place->name);
        print_index(t, n->access.base);
        print_access(t, &n->source, 1);
        print_preds(t, n->access.when);
        break;
    case GN_CODE_COMMIT: gn_textf(t, "commit %s", n->place->name); break;
    case GN_CODE_AWAIT:
        gn_text_add(t, "await ");
        print_register(t, n->place, n->number, NULL);
        break;
    case GN_CODE_ROLES: gn_text_add(t, "roles"); break;
    case GN_CODE_ROLE: gn_textf(t, "role %s %u", n->var, n->number); break;
    case GN_CODE_ARRIVE:
    case GN_CODE_SYNC:
        gn_textf(t, "%s %s", n->kind == GN_CODE_SYNC ? "sync" : "arrive", n->place->name);
        if (n->at) print_index(t, n->at);
        break;
    case GN_CODE_TILE:
        gn_textf(t, "tile %s", n->tile->row->name);
        if (n->tile->row->kind == GN_TILE_MMA) print_tile_product(t, n->tile);
        if (n->tile->row->kind == GN_TILE_UNIT) print_tile_act(t, n->tile);
        print_tile_memory(t, n->tile);
        break;
    }
}

static void print_body(gn_text *t, const gn_code_body *b, int depth)
{
    for (size_t i = 0; i < b->kids.n; i++) {
        line(t, depth);
        gn_text_char(t, '(');
        print_node(t, b->kids.at[i]);
        print_body(t, &b->kids.at[i]->body, depth + 1);
        gn_text_char(t, ')');
    }
}

/* ---- the code ---- */

static void print_made(gn_text *t, const gn_place *p)
{
    const gn_host_value *const m = p->made;
    gn_textf(t, " (%s %s %s", p->name, m->maker->name, m->of->name);
    gn_text_add(t, " (");
    for (int i = 0; i < m->rank; i++) {
        if (i) gn_text_char(t, ' ');
        gn_dim_print(t, m->extent[i]);
    }
    for (int i = 0; i < m->rank; i++) gn_textf(t, i ? " %u" : ") (%u", m->box[i]);
    gn_text_add(t, "))");
}

static void print_arg(gn_text *t, const gn_place *p)
{
    if (p->made) {
        print_made(t, p);
        return;
    }
    const char *const access = !(p->access & GN_KBUF_WRITE) ? "read" : p->access & GN_KBUF_READ ? "update" : "write";
    const char *const word = p->space == GN_SPACE_ARENA ? "arena" : p->space == GN_SPACE_SCRATCH ? "scratch" : access;
    gn_textf(t, " (%s %s %s", p->name, word, gn_dtype_name(p->dtype));
    print_index(t, p->size);
    if (p->align) gn_textf(t, " :align %u", p->align);
    if (p->below) gn_text_add(t, " :in 0"), print_index(t, p->below);
    gn_text_char(t, ')');
}

static void print_vars(gn_text *t, size_t n, const gn_code_var *at)
{
    for (size_t i = 0; i < n; i++) {
        gn_textf(t, "%s(%s", i ? " " : "", at[i].name);
        print_index(t, at[i].count);
        if (at[i].dim) gn_textf(t, " :%c", "xyz"[at[i].dim]);
        if (at[i].cluster) gn_text_add(t, " :cluster");
        gn_text_char(t, ')');
    }
}

static void print_head(gn_text *t, const gn_code *c)
{
    gn_textf(t, "(code %s %s (syms", c->name, c->target->name);
    for (size_t i = 0; i < c->syms.n; i++) gn_ksym_print(t, &c->syms.at[i]);
    gn_text_add(t, ") (args");
    for (uint32_t i = 0; i < c->nargs; i++) print_arg(t, c->places.at[i]);
    gn_text_char(t, ')');
    if (!c->threads.n) return;
    gn_text_add(t, "\n  (threads ");
    print_vars(t, c->threads.n, c->threads.at);
    gn_text_char(t, ')');
}

void gn_code_print(gn_text *t, const gn_code *c)
{
    print_head(t, c);
    for (size_t i = 0; i < c->steps.n; i++) {
        gn_text_add(t, "\n  (step (");
        print_vars(t, c->steps.at[i].parts.n, c->steps.at[i].parts.at);
        gn_text_char(t, ')');
        print_body(t, &c->steps.at[i].body, 2);
        gn_text_char(t, ')');
    }
    gn_text_add(t, ")\n");
}
