/* Scheduled kernels as text, in both forms: docs/kernel-text.md has the grammar. */
#include <inttypes.h>
#include "lower.h"

typedef struct printer {
    gn_text *t;
    const gn_lower *g;
} printer;

static const char *const levels[] = { "reg", "stack", "scratch", "arena", "shared" };
static const char *const stmts[] = { "init", "upd", "merge", "scale", "asg", "store" };

static void line(printer *p, int depth)
{
    gn_textf(p->t, "\n%*s", 2 * depth, "");
}

/* ---- values ---- */

void gn_reg_suffix(gn_text *t, const gn_lower *g, const gn_object *o, uint32_t number)
{
    const size_t n = o->lane >= 0 ? o->dims.n - 1 : o->dims.n;
    uint32_t rest = o->nregs;
    for (size_t i = 0; i < n; i++) {
        rest /= (uint32_t)gn_points(g, o->dims.at[i]);
        gn_textf(t, "_%u", number / rest);
        number %= rest;
    }
}

static void reg_name(printer *p, const gn_object *o, uint32_t number)
{
    gn_text_add(p->t, o->name);
    gn_reg_suffix(p->t, p->g, o, number);
}

static void print_type(printer *p, const gn_val *v)
{
    gn_spell_tag(p->t, (gn_dtype)v->dtype, v->lanes);
}

static void print_operand(printer *p, const gn_val *v)
{
    if (v->id)
        gn_textf(p->t, "v%u", v->id);
    else if (v->kind == GN_VAL_REG)
        reg_name(p, v->u.reg.object, v->u.reg.number);
    else if (v->kind == GN_VAL_SPLAT) {
        gn_text_add(p->t, "(splat ");
        print_operand(p, v->a[0]);
        gn_text_char(p->t, ')');
    } else if (gn_is_float((gn_dtype)v->dtype))
        gn_text_double(p->t, v->u.f);
    else
        gn_textf(p->t, "%" PRId64, v->u.i);
}

static void print_preds(printer *p, gn_preds w)
{
    for (uint32_t i = 0; i < w.n; i++)
        for (uint16_t j = 0; j < w.at[i].n; j++) {
            const gn_kcond *c = &w.at[i].cond[j];
            gn_text_add(p->t, w.at[i].negate && j == 0 ? " :unless (" : j == 0 ? " :when (" : " (");
            gn_text_add(p->t, c->kind == GN_K_LT ? "lt " : "eq ");
            gn_dim_print(p->t, c->a);
            gn_text_char(p->t, ' ');
            gn_dim_print(p->t, c->b);
            gn_text_char(p->t, ')');
        }
}

static void print_access(printer *p, const gn_access *a)
{
    static const char *const modes[] = { "", " :row", " :step", " :each" };
    gn_textf(p->t, "%s%s ", a->object ? a->object->name : p->g->kernel->bufs.at[a->buf].name, modes[a->mode]);
    if (a->mode == GN_ACCESS_EACH)
        print_operand(p, a->each);
    else
        gn_dim_print(p->t, a->base);
    if (a->mode == GN_ACCESS_STEP) gn_text_char(p->t, ' '), gn_dim_print(p->t, a->step);
    if (a->mask) gn_text_add(p->t, " :mask "), print_operand(p, a->mask);
    print_preds(p, a->when);
}

static void print_value(printer *p, const gn_val *v)
{
    static const char *const names[] = { "const", "reg",  "param", "copy", "index", "cond",  "first",
                                         "bit",   "load", "",      "pick", "splat", "pack",  "lane", "lanes", "threads" };
    if (v->kind == GN_VAL_OP)
        gn_textf(p->t, "(%s", v->u.op->name);
    else
        gn_textf(p->t, "(%s", names[v->kind]);
    if (v->kind == GN_VAL_LANES || v->kind == GN_VAL_THREADS) gn_textf(p->t, " %s", gn_red_name(v->red));
    if (v->kind == GN_VAL_INDEX || v->kind == GN_VAL_FIRST || v->kind == GN_VAL_BIT)
        gn_text_char(p->t, ' '), gn_dim_print(p->t, v->u.index.at);
    if (v->kind == GN_VAL_LANE) gn_textf(p->t, " %d", (int)v->u.i);
    if (v->kind == GN_VAL_INDEX || v->kind == GN_VAL_COND) print_preds(p, v->when);
    if (v->kind == GN_VAL_LOAD) gn_text_char(p->t, ' '), print_access(p, &v->u.load);
    for (uint16_t i = 0; i < v->n; i++) gn_text_char(p->t, ' '), print_operand(p, v->a[i]);
    gn_text_char(p->t, ')');
}

/* ---- nodes ---- */

static void print_kids(printer *p, const gn_tree *t, int depth);

static void print_loop(printer *p, const gn_tree *t, int depth)
{
    gn_textf(p->t, "(for %s", t->name ? t->name : p->g->leaves.at[t->leaf].name);
    if (t->from) gn_text_add(p->t, " :from "), gn_dim_print(p->t, t->from);
    gn_text_char(p->t, ' ');
    gn_dim_print(p->t, t->to);
    if (t->bind == GN_BIND_PART) gn_text_add(p->t, " :part");
    if (t->bind == GN_BIND_BLOCK) gn_text_add(p->t, " :block");
    if (t->bind == GN_BIND_THREAD) gn_text_add(p->t, " :thread");
    if (t->unroll) gn_textf(p->t, " :unroll %d", t->unroll);
    print_kids(p, t, depth + 1);
    gn_text_char(p->t, ')');
}

static void print_buf(printer *p, const gn_object *o)
{
    gn_textf(p->t, "(buf %s %s (", o->name, levels[o->level]);
    for (size_t i = 0; i < o->dims.n; i++) gn_textf(p->t, "%s%s", i ? " " : "", p->g->leaves.at[o->dims.at[i]].name);
    gn_text_add(p->t, "))");
}

static void print_tile(printer *p, const gn_tile_args *a)
{
    gn_textf(p->t, "(tile %s", a->row->name);
    if (a->row->kind == GN_TILE_COPY) {
        gn_text_char(p->t, ' ');
        print_access(p, &a->dst);
        gn_text_char(p->t, ' ');
        gn_dim_print(p->t, a->dst_stride);
        gn_text_char(p->t, ' ');
        print_access(p, &a->src);
        gn_text_char(p->t, ' ');
        gn_dim_print(p->t, a->src_stride);
        gn_text_char(p->t, ' ');
        gn_dim_print(p->t, a->ncols);
        gn_text_char(p->t, ' ');
        gn_dim_print(p->t, a->nrows);
    } else {
        for (int i = 0; i < a->row->c.nregs; i++) gn_text_char(p->t, ' '), reg_name(p, a->object, a->c[i]);
        for (int i = 0; i < a->row->a.nregs; i++) gn_text_char(p->t, ' '), print_operand(p, a->a[i]);
        for (int i = 0; i < a->row->b.nregs; i++) gn_text_char(p->t, ' '), print_operand(p, a->b[i]);
    }
    gn_text_char(p->t, ')');
}

static void print_set(printer *p, const gn_tree *t)
{
    gn_text_add(p->t, "(set ");
    if (t->object)
        reg_name(p, t->object, t->number);
    else
        gn_text_char(p->t, '('), print_access(p, &t->place), gn_text_char(p->t, ')');
    gn_text_char(p->t, ' ');
    print_operand(p, t->val);
    gn_text_char(p->t, ')');
}

static void print_node(printer *p, const gn_tree *t, int depth)
{
    switch ((gn_tree_kind)t->kind) {
    case GN_NODE_STEP:
        gn_text_add(p->t, "(step");
        print_kids(p, t, depth + 1);
        gn_text_char(p->t, ')');
        break;
    case GN_NODE_FOR: print_loop(p, t, depth); break;
    case GN_NODE_BUF: print_buf(p, t->object); break;
    case GN_NODE_BARRIER: gn_text_add(p->t, "(barrier)"); break;
    case GN_NODE_STMT:
        gn_textf(p->t, "(%s %s", stmts[t->stmt], t->def->name);
        if (t->stmt == GN_STMT_SCALE) gn_textf(p->t, " %s", t->online->name);
        gn_text_char(p->t, ')');
        break;
    case GN_NODE_LET:
        gn_textf(p->t, "(let v%u ", t->val->id);
        print_type(p, t->val);
        gn_text_char(p->t, ' ');
        print_value(p, t->val);
        gn_text_char(p->t, ')');
        break;
    case GN_NODE_SET: print_set(p, t); break;
    case GN_NODE_IF:
        gn_text_add(p->t, "(if");
        print_preds(p, t->when);
        print_kids(p, t, depth + 1);
        gn_text_char(p->t, ')');
        break;
    case GN_NODE_TILE: print_tile(p, t->tile); break;
    }
}

/* Statements of one body share lines; loops, lets and sets have their own. */
static void print_kids(printer *p, const gn_tree *t, int depth)
{
    for (size_t i = 0; i < t->kids.n; i++) {
        const uint8_t k = t->kids.at[i]->kind, before = i ? t->kids.at[i - 1]->kind : GN_NODE_STEP;
        const bool own = k != GN_NODE_STMT && k != GN_NODE_BUF && k != GN_NODE_BARRIER;
        const bool fresh = before != GN_NODE_STMT && before != GN_NODE_BUF && before != GN_NODE_BARRIER;
        if (own || fresh)
            line(p, depth);
        else
            gn_text_char(p->t, ' ');
        print_node(p, t->kids.at[i], depth);
    }
}

static void print(gn_text *t, const gn_scheduled *s, const gn_tree *root)
{
    printer p = { t, s->lower };
    gn_textf(t, "(scheduled %s", s->kernel->name);
    print_kids(&p, root, 1);
    gn_text_add(t, ")\n");
}

void gn_scheduled_print(gn_text *t, const gn_scheduled *s)
{
    print(t, s, s->root);
}

void gn_scheduled_print_code(gn_text *t, const gn_scheduled *s)
{
    print(t, s, s->code);
}
