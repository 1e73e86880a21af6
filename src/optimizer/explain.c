/* Texts of rewrites. Expressions are cut at a depth and at a length, so that a record stays short however large the
 * graph is. */
#include "explain.h"
#include "splat.h"
#include <inttypes.h>

static void show_number(gn_text *t, const gn_splat *v)
{
    if (gn_is_float(v->dtype)) gn_text_double(t, v->f);
    else if (v->dtype == GN_BOOL) gn_text_add(t, v->i ? "true" : "false");
    else if (gn_dtypes[v->dtype].kind == GN_KIND_UINT) gn_textf(t, "%" PRIu64, (uint64_t)v->i);
    else gn_textf(t, "%" PRId64, v->i);
}

static void show_attr(gn_text *t, const gn_attr_spec *spec, const gn_attr *a)
{
    gn_textf(t, " :%s ", spec->name);
    switch ((gn_attr_kind)a->kind) {
    case GN_ATTR_INT: gn_textf(t, "%" PRId64, a->i); break;
    case GN_ATTR_FLOAT: gn_text_double(t, a->f); break;
    case GN_ATTR_DTYPE: gn_text_add(t, gn_dtypes[a->i].name); break;
    case GN_ATTR_NAME: gn_text_add(t, a->name); break;
    case GN_ATTR_REGION: gn_text_add(t, "{..}"); break;
    case GN_ATTR_DATA: gn_textf(t, "%u bytes", (unsigned)a->n); break;
    case GN_ATTR_INTS:
    case GN_ATTR_DIMS: gn_attr_print_list(t, a); break;
    }
}

/* Some operations have operands by the hundred: beyond `end` of the text, none is begun. */
static void show(gn_text *t, const gn_expr *e, int depth, size_t end)
{
    gn_splat v;
    if (gn_splat_of(e, &v)) {
        show_number(t, &v);
        return;
    }
    if (e->op->traits & GN_LEAF && e->op->nattr && e->attr[0].kind == GN_ATTR_NAME) {
        gn_text_add(t, e->attr[0].name);
        return;
    }
    if (depth <= 0) {
        gn_textf(t, "%%%u", (unsigned)e->id);
        return;
    }
    gn_textf(t, "(%s", e->op->name);
    for (uint32_t i = 0; i < e->nin && t->n < end; i++) {
        gn_text_char(t, ' ');
        show(t, e->in[i], depth - 1, end);
    }
    if (t->n >= end) gn_text_add(t, " ..");
    else
        for (uint32_t i = 0; i < e->op->nattr; i++) show_attr(t, &e->op->attrs[i], &e->attr[i]);
    gn_text_char(t, ')');
}

void gn_expr_show(gn_text *t, const gn_expr *e, int depth)
{
    enum { MOST_SHOWN = 1000 };
    show(t, e, depth, t->n + MOST_SHOWN);
}

void gn_explain_print(gn_text *t, const gn_explain *x)
{
    for (size_t i = 0; i < x->lines.n; i++) {
        const gn_explain_line *l = &x->lines.at[i];
        gn_textf(t, "%s: %s [%s] at %u: %s => %s, cost %" PRIu64 " => %" PRIu64 "\n", l->pass, l->rule, l->class,
                 (unsigned)l->node, l->before, l->after, l->cost_before, l->cost_after);
    }
}
