/* Step 1, axis classes: one union-find over (node, dim). Dims that an operation passes on at the same index get one
 * class, and after that sharing a loop is having its name. A union that would give one node two dims of one class is
 * refused (x x^T): it costs nothing but a name, since texts are made by passing indices down. Small lists move into
 * large ones, so all unions together are O(n log n). */
#include "group_state.h"

bool class_in(const class_set *s, uint32_t c)
{
    return has_number(s->at, s->n, c);
}

bool class_subset(const class_set *a, const class_set *b)
{
    for (size_t i = 0; i < a->n; i++)
        if (!class_in(b, a->at[i])) return false;
    return true;
}

bool class_disjoint(const class_set *a, const class_set *b)
{
    for (size_t i = 0; i < a->n; i++)
        if (class_in(b, a->at[i])) return false;
    return true;
}

class_set class_minus(const class_set *a, const class_set *b)
{
    class_set s = { 0 };
    for (size_t i = 0; i < a->n; i++)
        if (!class_in(b, a->at[i])) s.at[s.n++] = a->at[i];
    return s;
}

class_set gn_group_along(const grouper *g, const gnode *n, uint8_t dims)
{
    class_set s = { 0 };
    for (uint32_t d = 0; d < n->rank; d++)
        if (dims >> d & 1) s.at[s.n++] = class_of(g, n, d);
    return s;
}

/* The classes of the body's dims: the reduction's own may have been refused. */
class_set gn_group_kept(const grouper *g, const gnode *r)
{
    return gn_group_along(g, operand(g, r, 0), gn_group_mapped(g, r, 0));
}

bool gn_group_renamed(const grouper *g, const gnode *r)
{
    const class_set p = gn_group_kept(g, r);
    for (uint32_t d = 0; d < r->rank; d++)
        if (class_of(g, r, d) != p.at[d]) return true;
    return false;
}

bool gn_group_fixed(const grouper *g, uint32_t c, int64_t *extent)
{
    return gn_dim_is_const(g->extent[c], extent);
}

int64_t gn_group_extent(const grouper *g, uint32_t c)
{
    int64_t e;
    return gn_group_fixed(g, c, &e) ? e : GUESS;
}

int64_t gn_group_size(const grouper *g, const class_set *s)
{
    double size = 1; /* extents may multiply beyond 64 bits */
    for (size_t i = 0; i < s->n; i++) size *= (double)gn_group_extent(g, s->at[i]);
    return size > 1e15 ? (int64_t)1e15 : (int64_t)size;
}

static uint32_t find(uint32_t *parent, uint32_t x)
{
    while (parent[x] != x) x = parent[x] = parent[parent[x]];
    return x;
}

/* Members of a class: a circular list of slots. */
typedef struct classes {
    grouper *g;
    uint32_t *next, *size, *owner; /* by slot; owner: its node */
} classes;

static bool shares_node(const classes *c, uint32_t small, uint32_t large)
{
    uint32_t s = small;
    do {
        const gnode *n = &c->g->nodes.at[c->owner[s]];
        for (uint32_t d = 0; d < n->rank; d++)
            if (find(c->g->parent, n->slot + d) == large) return true;
        s = c->next[s];
    } while (s != small);
    return false;
}

static void unite(classes *c, uint32_t x, uint32_t y)
{
    x = find(c->g->parent, x), y = find(c->g->parent, y);
    if (x == y) return;
    if (c->size[x] < c->size[y]) {
        const uint32_t t = x;
        x = y, y = t;
    }
    if (shares_node(c, y, x)) return;
    c->g->parent[y] = x;
    c->size[x] += c->size[y];
    const uint32_t t = c->next[x];
    c->next[x] = c->next[y], c->next[y] = t;
}

static void number_classes(grouper *g)
{
    g->cls = GN_NEW_ARRAY(g->scratch, uint32_t, g->nslots + 1);
    uint32_t *name = GN_NEW_ARRAY(g->scratch, uint32_t, g->nslots + 1);
    g->extent = GN_NEW_ARRAY(g->scratch, const gn_dim *, g->nslots + 1);
    for (size_t i = 0; i < g->nodes.n; i++) {
        const gnode *n = &g->nodes.at[i];
        for (uint32_t d = 0; d < n->rank; d++) {
            const uint32_t root = find(g->parent, n->slot + d);
            if (!name[root]) {
                g->extent[g->nclasses] = n->e->type->dim[d];
                name[root] = ++g->nclasses;
            }
            g->cls[n->slot + d] = name[root] - 1;
        }
    }
}

/* Along which dims values vary: from operands upward. */
static void find_varying(grouper *g)
{
    for (size_t i = 0; i < g->nodes.n; i++) {
        gnode *n = &g->nodes.at[i];
        n->var = is_light(n) ? 0 : all_dims(n);
        for (uint32_t k = 0; is_light(n) && k < n->e->nin; k++) n->var |= gn_group_varies(g, n, k, operand(g, n, k)->var);
        if (n->kind == NODE_IOTA) n->var = gn_group_varies(g, n, 0, 0);
    }
}

/* Parts of equal extents may share a loop: a stack is written row by row. */
static void unite_parts(classes *c, const gnode *concat)
{
    const uint32_t axis = (uint32_t)concat->e->attr[0].i;
    for (uint32_t k = 1; k < concat->e->nin; k++) {
        const gnode *x = operand(c->g, concat, k - 1), *y = operand(c->g, concat, k);
        if (x->e->type->dim[axis] == y->e->type->dim[axis]) unite(c, x->slot + axis, y->slot + axis);
    }
}

void gn_group_classes(grouper *g)
{
    classes c = { g };
    g->parent = GN_NEW_ARRAY(g->scratch, uint32_t, g->nslots + 1);
    c.next = GN_NEW_ARRAY(g->scratch, uint32_t, g->nslots + 1);
    c.size = GN_NEW_ARRAY(g->scratch, uint32_t, g->nslots + 1);
    c.owner = GN_NEW_ARRAY(g->scratch, uint32_t, g->nslots + 1);
    for (uint32_t i = 0; i < g->nodes.n; i++)
        for (uint32_t d = 0; d < g->nodes.at[i].rank; d++) {
            const uint32_t s = g->nodes.at[i].slot + d;
            g->parent[s] = c.next[s] = s, c.size[s] = 1, c.owner[s] = i;
        }
    find_varying(g);
    for (size_t i = 0; i < g->nodes.n; i++) {
        const gnode *n = &g->nodes.at[i];
        for (uint32_t k = 0; k < n->e->nin; k++) {
            const gnode *x = operand(g, n, k);
            int8_t map[GN_MAX_RANK];
            gn_group_dims(g, n, k, map);
            /* Splats of numbers and positions are one node wherever they are needed: they must not tie loops together.
             * A reduction runs over its body's loops in any case. */
            for (uint32_t d = 0; d < x->rank; d++) {
                const bool ties = n->kind == NODE_REDUCE || ((x->var >> d & 1) && x->kind != NODE_IOTA);
                if (map[d] != NONE && ties) unite(&c, x->slot + d, n->slot + (uint32_t)map[d]);
            }
        }
        if (n->kind == NODE_CONCAT) unite_parts(&c, n);
    }
    number_classes(g);
}
