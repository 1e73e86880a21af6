/* The private copy a compile works on.
 *
 * Its numbering depends on the program alone: inputs first, in call order, then what outputs and updates need, operands
 * before users, in the order of operands. What else was built in the user's graph, or compiled before, leaves no trace.
 *
 * Named dims that must be equal are one name in the copy: a constraint `n = m` or `n = 2*m` replaces a name everywhere,
 * so later stages see equal extents as equal. What cannot be solved for a name stays a check at the call. Either way
 * the constraint is kept with its line; one that was used has equal sides, and explains why an input must have the size
 * that it must have. */
#include "core.h"
#include "dim_parts.h"
#include "graph_text.h"
#include "op.h"
#include "shared.h"
#include <string.h>

typedef struct alias {
    const char *name;
    const gn_dim *dim; /* over names that are no aliases */
} alias;

typedef struct copier {
    gn_arena *arena;          /* of the result and of scratch */
    gn_graph *from, *to;
    struct gn_core *core;
    gn_map node, type, region; /* from id or pointer to the copy */
    gn_dim_replacing dims;     /* once all aliases are known */
    gn_map collected;          /* regions whose constraints are known */
    GN_VEC(alias) aliases;
    GN_VEC(const char *) bound; /* names that an input's extent binds, in call order */
    GN_VEC(gn_constraint) constraints; /* in dims of `from`, each pair once */
    gn_map known_pairs;
} copier;

typedef struct copy_call {
    copier c;
    gn_exprs in, out, variable, value;
    size_t nfix;
    const gn_fix *fix;
} copy_call;

/* Dims. */

static const gn_dim *alias_of(void *user, const char *name)
{
    const copier *const c = user;
    for (size_t i = 0; i < c->aliases.n; i++)
        if (strcmp(c->aliases.at[i].name, name) == 0) return c->aliases.at[i].dim;
    return NULL;
}

static const gn_dim *translate(copier *c, const gn_dim *d)
{
    int64_t v;
    return gn_dim_is_const(d, &v) ? gn_dim_const(&c->to->dims, v) : gn_dim_subst(&c->to->dims, d, alias_of, c);
}

static const gn_dim *const *map_dims(copier *c, const gn_dim *const *dim, size_t n)
{
    const gn_dim **const out = GN_NEW_ARRAY(c->arena, const gn_dim *, n);
    for (size_t i = 0; i < n; i++) out[i] = gn_dim_replace(&c->dims, dim[i]);
    return out;
}

static const gn_type *map_type(copier *c, const gn_type *t)
{
    const gn_type *made = gn_map_get(&c->type, GN_KEY(t));
    if (made) return made;
    if (t->kind == GN_TYPE_TENSOR) made = gn_type_tensor(c->to, (gn_dtype)t->dtype, t->n, map_dims(c, t->dim, t->n));
    else {
        const gn_type **const elem = GN_NEW_ARRAY(c->arena, const gn_type *, t->n);
        for (size_t i = 0; i < t->n; i++) elem[i] = map_type(c, t->elem[i]);
        made = gn_type_tuple(c->to, t->n, elem);
    }
    *gn_map_put(c->arena, &c->type, GN_KEY(t)) = (void *)(uintptr_t)made;
    return made;
}

/* Constraints. */

/* Where else the user's program built the node whose type rule noted a constraint: the place last seen. */
static gn_loc built_again(const gn_expr *e, const gn_constraint *x)
{
    const gn_origin *const o = gn_origin_of(e);
    return o && (o->loc.file != x->loc.file || o->loc.line != x->loc.line) ? o->loc : (gn_loc){ NULL, 0 };
}

static void collect(copier *c, const gn_expr_list *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        const gn_expr *const e = nodes->at[i];
        const gn_constraints list = gn_constraints_of(e);
        for (size_t k = 0; k < list.n; k++) {
            const gn_constraint *const x = &list.at[k];
            void **const place = gn_map_put(c->arena, &c->known_pairs, (uint64_t)x->a->id << 32 | x->b->id);
            if (*place) continue;
            *place = c;
            gn_push(c->arena, &c->constraints, *x);
            c->constraints.at[c->constraints.n - 1].again = built_again(e, x);
        }
        for (uint32_t k = 0; k < e->op->nattr; k++) {
            if (e->attr[k].kind != GN_ATTR_REGION) continue;
            void **const place = gn_map_put(c->arena, &c->collected, GN_KEY(e->attr[k].region));
            if (*place) continue;
            *place = c;
            const gn_expr_list body = gn_reachable(c->arena, e->attr[k].region->nout, e->attr[k].region->out);
            collect(c, &body); /* as deep as regions are nested in the program's text */
        }
    }
}

static const char *bare_name(const gn_dim *d)
{
    const gn_term *const t = d->term;
    return d->n == 1 && t->n == 1 && t->c == 1 && t->atom[0]->kind == GN_DIM_SYM ? t->atom[0]->name : NULL;
}

static size_t binding_order(const copier *c, const char *name)
{
    size_t i = 0;
    while (i < c->bound.n && strcmp(c->bound.at[i], name) != 0) i++;
    return i;
}

static const gn_dim *replace_latest(void *user, const char *name)
{
    const alias *const a = user;
    return strcmp(a->name, name) == 0 ? a->dim : NULL;
}

static void add_alias(copier *c, const char *name, const gn_dim *d)
{
    alias a = { gn_symbol(&c->to->arena, &c->to->symbols, name), d };
    for (size_t i = 0; i < c->aliases.n; i++)
        c->aliases.at[i].dim = gn_dim_subst(&c->to->dims, c->aliases.at[i].dim, replace_latest, &a);
    gn_push(c->arena, &c->aliases, a);
}

/* The value of the name of term t in 0 = zero; NULL if the equation has none, or one that is negative for some sizes. */
static const gn_dim *value_of_name(gn_dim_pool *pool, const gn_dim *zero, const gn_term *t)
{
    int64_t low, high;
    if (t->n != 1 || (t->c != 1 && t->c != -1) || t->atom[0]->kind != GN_DIM_SYM) return NULL;
    const gn_dim *const rest = gn_dim_sub(pool, zero, gn_dim_scale(pool, gn_dim_of_atom(pool, t->atom[0]), t->c));
    const gn_dim *const value = gn_dim_scale(pool, rest, -t->c);
    if (gn_dim_mentions(rest, t->atom[0]->name)) return NULL;
    gn_dim_range(value, NULL, &low, &high);
    return low >= 0 ? value : NULL;
}

/* Solves a = b for a name: of several for the one that is bound last. Where the value might be negative, the sides are
 * compared at the call, so that its words have both. */
static void solve(copier *c, const gn_constraint *x)
{
    gn_dim_pool *const pool = &c->to->dims;
    const gn_dim *const zero = gn_dim_sub(pool, translate(c, x->a), translate(c, x->b)), *value = NULL;
    const char *name = NULL;
    for (uint32_t i = 0; i < zero->n; i++) {
        const gn_dim *const v = value_of_name(pool, zero, &zero->term[i]);
        const char *const own = v ? zero->term[i].atom[0]->name : NULL;
        if (v && (!name || binding_order(c, own) > binding_order(c, name))) name = own, value = v;
    }
    if (name) add_alias(c, name, value);
}

static const char *shown(copier *c, const gn_dim *d)
{
    return gn_dim_text(c->arena, d);
}

static void keep_constraint(copier *c, const gn_constraint *x)
{
    const gn_dim *const a = translate(c, x->a), *const b = translate(c, x->b);
    const char *const place = x->loc.file ? gn_arena_printf(c->arena, "%s:%d: ", x->loc.file, x->loc.line) : "";
    const char *const again =
        x->again.file ? gn_arena_printf(c->arena, "\n    built again at %s:%d", x->again.file, x->again.line) : "";
    const gn_dim *least;
    const bool is_bound = gn_constraint_is_bound(x->a, x->b, &least);
    const char *const text =
        is_bound ? gn_arena_printf(c->arena, "%s: %s, at least %s", x->text, shown(c, x->b), shown(c, least))
                 : gn_arena_printf(c->arena, "%s: %s and %s", x->text, shown(c, x->a), shown(c, x->b));
    if (gn_dim_never_equal(&c->to->dims, a, b)) {
        if (is_bound) gn_throw(GN_ESHAPE, "%s%s is needed: it is %s%s", place, text, shown(c, b), again);
        gn_throw(GN_ESHAPE, "%s%s differ: %s is %s and %s is %s%s", place, x->text, shown(c, x->a), shown(c, a),
                 shown(c, x->b), shown(c, b), again);
    }
    gn_push(c->arena, &c->core->constraints, (gn_constraint){ a, b, x->loc, text, x->again });
}

/* Names. */

static void note_bound(copier *c, const gn_expr *input)
{
    for (size_t d = 0; d < input->type->n; d++) {
        const char *const name = bare_name(input->type->dim[d]);
        if (name && binding_order(c, name) == c->bound.n) gn_push(c->arena, &c->bound, name);
    }
}

static void fix_names(copier *c, size_t n, const gn_fix *fix)
{
    for (size_t i = 0; i < n; i++) {
        if (binding_order(c, fix[i].name) == c->bound.n)
            gn_throw(GN_EINVAL, "fix: no input has an extent named \"%s\"", fix[i].name);
        if (fix[i].value < 0) gn_throw(GN_ESHAPE, "fix: %s=%lld is negative", fix[i].name, (long long)fix[i].value);
        if (alias_of(c, fix[i].name)) gn_throw(GN_EINVAL, "fix: \"%s\" is there twice", fix[i].name);
        add_alias(c, fix[i].name, gn_dim_const(&c->to->dims, fix[i].value));
    }
}

/* Nodes. */

static const gn_region *map_region(copier *c, const gn_region *r);

static const gn_attr *map_attrs(copier *c, const gn_expr *e)
{
    const uint32_t n = e->op->nattr;
    bool same = true;
    for (uint32_t i = 0; i < n; i++) same = same && e->attr[i].kind != GN_ATTR_DIMS && e->attr[i].kind != GN_ATTR_REGION;
    if (same) return e->attr;
    gn_attr *const out = gn_arena_copy(c->arena, e->attr, n * sizeof *out);
    for (uint32_t i = 0; i < n; i++) {
        if (out[i].kind == GN_ATTR_DIMS) out[i].dims = map_dims(c, out[i].dims, out[i].n);
        if (out[i].kind == GN_ATTR_REGION) out[i].region = map_region(c, out[i].region);
    }
    return out;
}

static void set_place(copier *c, const gn_expr *e)
{
    const gn_origin *o = gn_origin_of(e);
    while (o && o->next) o = o->next; /* where it was built first */
    c->to->here = o ? o->loc : (gn_loc){ NULL, 0 };
    c->to->scopes.n = 0;
    if (o && *o->scope) gn_push(&c->to->arena, &c->to->scopes, gn_symbol(&c->to->arena, &c->to->symbols, o->scope));
}

static gn_expr *copy_node(copier *c, gn_expr *e)
{
    gn_expr *local[16], **in = local;
    if (e->op == &gn_op_input) {
        const gn_origin *const o = gn_origin_of(e);
        gn_throw(GN_EINVAL, "compile: input \"%s\", made at %s:%d, is needed and is not among the inputs", e->attr[0].name,
                 o ? o->loc.file : "?", o ? o->loc.line : 0);
    }
    if (e->op == &gn_op_variable) return gn_variable_node(c->to, e->attr[0].name, map_type(c, e->type), gn_variable_of(e));
    if (e->op->traits & GN_LEAF && !e->op->infer) return gn_leaf_node(c->to, e->op, map_type(c, e->type), map_attrs(c, e));
    if (e->nin > 16) in = GN_NEW_ARRAY(c->arena, gn_expr *, e->nin);
    for (uint32_t i = 0; i < e->nin; i++) in[i] = gn_map_get(&c->node, e->in[i]->id);
    const gn_attr *const attr = map_attrs(c, e); /* may copy a region, and with it other places */
    set_place(c, e);
    gn_expr *const made = gn_node(c->to, e->op, in, e->nin, attr);
    const gn_origin *const o = e->op == &gn_op_check_index ? gn_origin_of(e) : NULL;
    /* one check may serve several operations, and a gradient that was there before them */
    for (const gn_origin *p = o; p; p = p->next) {
        c->to->here = p->loc;
        gn_node(c->to, e->op, in, e->nin, attr);
    }
    return made;
}

static void copy_nodes(copier *c, const gn_expr_list *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        gn_expr *const e = nodes->at[i];
        if (gn_map_get(&c->node, e->id)) continue;
        set_place(c, e);
        gn_expr *const made = copy_node(c, e);
        *gn_map_put(c->arena, &c->node, e->id) = made;
    }
}

static const gn_region *map_region(copier *c, const gn_region *r)
{
    const gn_region *made = gn_map_get(&c->region, GN_KEY(r));
    if (made) return made;
    const gn_type **const param = GN_NEW_ARRAY(c->arena, const gn_type *, r->nparam);
    gn_expr **const out = GN_NEW_ARRAY(c->arena, gn_expr *, r->nout);
    const gn_expr_list body = gn_reachable(c->arena, r->nout, r->out);
    for (uint32_t i = 0; i < r->nparam; i++) param[i] = map_type(c, r->param[i]);
    copy_nodes(c, &body);
    for (uint32_t i = 0; i < r->nout; i++) out[i] = gn_map_get(&c->node, r->out[i]->id);
    made = gn_region_make(c->to, r->nparam, param, r->nout, out);
    *gn_map_put(c->arena, &c->region, GN_KEY(r)) = (void *)(uintptr_t)made;
    return made;
}

/* A composite that indexes has labels or places among its operands. */
static bool may_index(const gn_expr *e)
{
    bool any = e->op == &gn_op_take || e->op == &gn_op_scatter_add;
    for (uint32_t i = 0; e->op->expand && i < e->nin; i++)
        any |= e->in[i]->type->kind == GN_TYPE_TENSOR && gn_is_int((gn_dtype)e->in[i]->type->dtype);
    return any;
}

static void note_indexers(copier *c)
{
    for (size_t i = 0; i < c->to->nodes.n; i++) {
        const gn_expr *const e = c->to->nodes.at[i];
        const gn_origin *o = gn_origin_of(e);
        if (!may_index(e)) continue;
        while (o && o->next) o = o->next;
        if (o) gn_push(c->arena, &c->core->indexers, (gn_indexer){ e->op, o->loc });
    }
}

static void copy_inputs(copier *c, gn_exprs in)
{
    for (size_t i = 0; i < in.n; i++) {
        gn_expr *const e = in.at[i];
        if (e->op != &gn_op_input)
            gn_throw(GN_EINVAL, "compile: element %zu of the inputs is no input but the result of %s", i + 1, e->op->name);
        if (gn_map_get(&c->node, e->id)) gn_throw(GN_EINVAL, "compile: input \"%s\" is there twice", e->attr[0].name);
        set_place(c, e);
        gn_expr *const made = gn_input_node(c->to, e->attr[0].name, map_type(c, e->type));
        *gn_map_put(c->arena, &c->node, e->id) = made;
        gn_push(c->arena, &c->core->in, made);
    }
}

static void copy_all(void *arg)
{
    copy_call *const call = arg;
    copier *const c = &call->c;
    GN_VEC(gn_expr *) roots = { 0 };
    for (size_t i = 0; i < call->out.n; i++) gn_push(c->arena, &roots, call->out.at[i]);
    for (size_t i = 0; i < call->value.n; i++) {
        gn_push(c->arena, &roots, call->variable.at[i]);
        gn_push(c->arena, &roots, call->value.at[i]);
    }
    const gn_expr_list nodes = gn_reachable(c->arena, roots.n, roots.at);
    for (size_t i = 0; i < call->in.n; i++) note_bound(c, call->in.at[i]);
    fix_names(c, call->nfix, call->fix);
    collect(c, &nodes);
    for (size_t i = 0; i < c->constraints.n; i++) solve(c, &c->constraints.at[i]);
    for (size_t i = 0; i < c->constraints.n; i++) keep_constraint(c, &c->constraints.at[i]);
    c->dims = (gn_dim_replacing){ .pool = &c->to->dims, .map = alias_of, .user = c, .arena = c->arena };
    copy_inputs(c, call->in);
    copy_nodes(c, &nodes);
    for (size_t i = 0; i < call->out.n; i++) gn_push(c->arena, &c->core->out, gn_map_get(&c->node, call->out.at[i]->id));
    for (size_t i = 0; i < call->value.n; i++) {
        gn_push(c->arena, &c->core->variable, gn_map_get(&c->node, call->variable.at[i]->id));
        gn_push(c->arena, &c->core->update, gn_map_get(&c->node, call->value.at[i]->id));
    }
    c->to->here = (gn_loc){ NULL, 0 };
    c->to->scopes.n = 0;
    note_indexers(c);
    gn_core_check(c->core);
}

struct gn_core *gn_graph_copy(gn_arena *arena, gn_graph *g, gn_exprs in, gn_exprs out, gn_exprs variable, gn_exprs value,
                              size_t nfix, const gn_fix *fix)
{
    copy_call call = { .c = { .arena = arena, .from = g },
                       .in = in,
                       .out = out,
                       .variable = variable,
                       .value = value,
                       .nfix = nfix,
                       .fix = fix };
    call.c.core = GN_NEW_OBJECT(arena, struct gn_core);
    call.c.to = call.c.core->graph = gn_graph_private(g->context);
    call.c.to->relax = g->relax;
    call.c.to->seed = g->seed;
    const gn_status s = gn_protect(copy_all, &call);
    if (!s) return call.c.core;
    gn_graph_free(call.c.to);
    gn_rethrow(s);
}

gn_expr_list gn_core_roots(gn_arena *arena, const struct gn_core *core)
{
    gn_expr_list roots = { 0 };
    for (size_t i = 0; i < core->out.n; i++) gn_push(arena, &roots, core->out.at[i]);
    for (size_t i = 0; i < core->update.n; i++) gn_push(arena, &roots, core->update.at[i]);
    return roots;
}

void gn_core_free(struct gn_core *core)
{
    if (core) gn_graph_free(core->graph);
}
