/* The matcher: a pattern is a small tree with its order of operands fixed, so matching is a walk of it without search.
 * Recursion is bounded by the depth of the patterns. */
#include "match.h"
#include "splat.h"
#include "sweep.h"
#include <string.h>

const char *const gn_rule_class_names[] = { "exact", "accurate", "reassociate", "finite", "approximate" };

gn_attr gn_attr_ints(size_t n, const int64_t *ints)
{
    return (gn_attr){ .kind = GN_ATTR_INTS, .n = (uint32_t)n, .ints = ints };
}

gn_attr gn_attr_int(int64_t i)
{
    return (gn_attr){ .kind = GN_ATTR_INT, .i = i };
}

gn_attr gn_attr_dtype(gn_dtype t)
{
    return (gn_attr){ .kind = GN_ATTR_DTYPE, .i = t };
}

gn_attr gn_attr_dims(size_t n, const gn_dim *const *dims)
{
    return (gn_attr){ .kind = GN_ATTR_DIMS, .n = (uint32_t)n, .dims = dims };
}

static bool bind_attr(gn_match *m, uint32_t slot, const gn_attr *value)
{
    if (m->bound >> slot & 1) return gn_attr_same(&m->attr[slot], value);
    m->attr[slot] = *value;
    m->bound |= 1u << slot;
    return true;
}

static bool bind_operand(gn_match *m, const gn_pat *p, gn_expr *e)
{
    if (m->expr[p->slot] && m->expr[p->slot] != e) return false;
    m->expr[p->slot] = e;
    const gn_attr dtype = gn_attr_dtype((gn_dtype)e->type->dtype);
    return !p->dtype || bind_attr(m, p->dtype - 1u, &dtype);
}

static bool match_attr(gn_match *m, const gn_pat_attr *a, const gn_expr *e)
{
    const gn_attr *value = &e->attr[a->index];
    return a->kind == GN_PAT_SLOT ? bind_attr(m, a->slot, value) : gn_attr_same(&a->value, value);
}

/* Lists of distinct nodes, for the measure. */
static void note(const gn_expr **list, uint32_t *n, const gn_expr *e)
{
    for (uint32_t i = 0; i < *n; i++)
        if (list[i] == e) return;
    GN_ASSERT(*n < GN_MATCH_NODES);
    list[(*n)++] = e;
}

static bool match(gn_match *m, const gn_pat *p, gn_expr *e)
{
    gn_splat ignored;
    if (p->once && gn_rewriter_uses(m->rewriter, e) > 1) return false;
    switch (p->kind) {
    case GN_PAT_ANY: return bind_operand(m, p, e);
    case GN_PAT_CONST: return gn_splat_of(e, &ignored) && bind_operand(m, p, e);
    case GN_PAT_NUMBER:
        note(m->matched, &m->nmatched, e);
        return gn_splat_is(e, p->number);
    case GN_PAT_OP: break;
    }
    note(m->matched, &m->nmatched, e);
    if (e->op != p->op || e->nin != p->nin || gn_rewriter_is_opaque(m->rewriter, e)) return false;
    for (uint32_t i = 0; i < p->nattr; i++)
        if (!match_attr(m, &p->attr[i], e)) return false;
    for (uint32_t i = 0; i < p->nin; i++)
        if (!match(m, p->in[i], e->in[i])) return false;
    return true;
}

/* The arguments of a call, numbers as integer attributes. */
static void arguments_of(const gn_match *m, const gn_pat_call *call, gn_arg *arg, gn_attr *number)
{
    for (uint32_t i = 0; i < call->n; i++) {
        const int64_t v = call->arg[i].value;
        number[i] = gn_attr_int(v);
        switch (call->arg[i].kind) {
        case GN_ARG_EXPR: arg[i] = (gn_arg){ m->expr[v], NULL }; break;
        case GN_ARG_ATTR: arg[i] = (gn_arg){ NULL, &m->attr[v] }; break;
        case GN_ARG_INT: arg[i] = (gn_arg){ NULL, &number[i] }; break;
        }
    }
}

bool gn_match_pattern(gn_match *m, const gn_rule *r, const gn_pat *p)
{
    for (uint32_t i = 0; i < r->noperands; i++) m->expr[i] = NULL;
    m->bound = m->nmatched = m->nbuilt = 0;
    if (!match(m, p, m->root)) return false;
    for (uint32_t i = 0; i < r->nconditions; i++) {
        gn_arg arg[GN_MATCH_SLOTS];
        gn_attr number[GN_MATCH_SLOTS];
        arguments_of(m, &r->conditions[i], arg, number);
        if (!r->conditions[i].condition(m, arg)) return false;
    }
    return true;
}

/* ---- right sides ---- */

static bool build_attr(gn_match *m, const gn_pat_attr *a, gn_attr *out)
{
    if (a->kind == GN_PAT_VALUE) *out = a->value;
    if (a->kind == GN_PAT_SLOT) *out = m->attr[a->slot];
    if (a->kind != GN_PAT_CALL) return true;
    gn_arg arg[GN_MATCH_SLOTS];
    gn_attr number[GN_MATCH_SLOTS];
    arguments_of(m, a->call, arg, number);
    return a->call->function(m, arg, out);
}

/* A number among operands has dtype and shape of what stands beside it; alone, of the root. The condition of a select
 * is not beside. */
static const gn_type *type_beside(const gn_match *m, const gn_pat *p, gn_expr *const *in)
{
    for (uint32_t i = p->op == &gn_op_select ? 1 : 0; i < p->nin; i++)
        if (in[i]) return in[i]->type;
    return m->root->type;
}

static gn_expr *number(gn_match *m, double v, const gn_type *like)
{
    gn_expr *e = gn_splat_value(m->graph, v, (gn_dtype)like->dtype, like);
    note(m->built, &m->nbuilt, e);
    return e;
}

static gn_expr *build(gn_match *m, const gn_pat *p)
{
    enum { MOST_OPERANDS = 4, MOST_ATTRS = 8 };
    gn_expr *in[MOST_OPERANDS] = { 0 };
    gn_attr attr[MOST_ATTRS];
    if (p->kind == GN_PAT_ANY || p->kind == GN_PAT_CONST) return m->expr[p->slot];
    if (p->kind == GN_PAT_NUMBER) return number(m, p->number, m->root->type);
    GN_ASSERT(p->nin <= MOST_OPERANDS && p->nattr <= MOST_ATTRS);
    for (uint32_t i = 0; i < p->nattr; i++)
        if (!build_attr(m, &p->attr[i], &attr[p->attr[i].index])) return NULL;
    for (uint32_t i = 0; i < p->nin; i++)
        if (p->in[i]->kind != GN_PAT_NUMBER && !(in[i] = build(m, p->in[i]))) return NULL;
    const gn_type *beside = type_beside(m, p, in);
    for (uint32_t i = 0; i < p->nin; i++)
        if (p->in[i]->kind == GN_PAT_NUMBER) in[i] = number(m, p->in[i]->number, beside);
    gn_expr *e = gn_node(m->graph, p->op, in, p->nin, attr);
    note(m->built, &m->nbuilt, e);
    return e;
}

gn_expr *gn_match_build(gn_match *m, const gn_rule *r)
{
    return build(m, r->result);
}

/* ---- order ---- */

bool gn_operands_in_order(const gn_expr *a, const gn_expr *b)
{
    gn_splat v;
    const bool na = gn_splat_of(a, &v), nb = gn_splat_of(b, &v);
    return na != nb ? nb : a->id <= b->id;
}
