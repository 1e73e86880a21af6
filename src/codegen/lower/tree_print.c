/* Scheduled kernels as text: docs/kernel-text.md has the grammar. */
#include <inttypes.h>
#include "lower.h"

typedef struct printer {
    gn_text *t;
    const gn_lower *g;
} printer;

static void line(printer *p, int depth)
{
    gn_textf(p->t, "\n%*s", 2 * depth, "");
}

/* ---- nodes ---- */

static void print_kids(printer *p, const gn_tree *t, int depth);

static void print_loop(printer *p, const gn_tree *t, int depth)
{
    gn_textf(p->t, "(for %s", p->g->leaves.at[t->leaf].name);
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
    gn_textf(p->t, "(buf %s %s (", o->name, gn_level_names[o->level]);
    for (size_t i = 0; i < o->dims.n; i++) gn_textf(p->t, "%s%s", i ? " " : "", p->g->leaves.at[o->dims.at[i]].name);
    gn_text_add(p->t, "))");
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
        gn_textf(p->t, "(%s %s", gn_stmt_names[t->stmt], t->def->name);
        if (t->online) gn_textf(p->t, " %s", t->online->name);
        gn_text_char(p->t, ')');
        break;
    }
}

/* Statements of one body share lines; loops have their own. */
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

void gn_scheduled_print(gn_text *t, const gn_scheduled *s)
{
    printer p = { t, s->lower };
    gn_textf(t, "(scheduled %s", s->kernel->name);
    print_kids(&p, s->root, 1);
    gn_text_add(t, ")\n");
}
