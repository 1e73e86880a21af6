/* How often inlining would compute a light node. In u(i-1) + u(i+1) the whole text of u is written for two places, and
 * that text for as many again: after 50 steps of a stencil there are 2^50 paths, 50^2 different places in one dimension
 * and 50^3 in two. So the places of every node below a new one are counted, each place once: work done is operations
 * times points, work needed is each node once. Beyond twice of what is needed, the last node that is computed again is
 * stored.
 *
 * A place is a tuple of coordinates with offsets. Slices, pads and parts of a concat add to the offset, so that paths
 * to one place meet; permuting and repeating exchange coordinates; a reshape, a flip, a step or a gather makes
 * coordinates of their own, named by what they are made of. */
#include "group_state.h"
#include <string.h>

enum { MOST_PLACES = 2000, TIMES = 2 };

typedef struct coordinate {
    uint32_t at;                 /* of the root, or made on the way */
    const gn_dim *offset;
} coordinate;

typedef struct place {
    uint32_t node;
    double points;               /* at which it is computed there */
    coordinate of[GN_MAX_RANK];
} place;

typedef struct made {            /* a coordinate that stands for a function of others */
    const gnode *node;
    uint32_t dim, n, name;
    coordinate of[2 * GN_MAX_RANK];
} made;

typedef struct counter {
    grouper *g;
    gn_arena scratch;
    gn_intern_set places, made;
    gn_map totals;               /* by node: struct total */
    GN_VEC(const place *) open;
    uint32_t ncoordinates, nplaces;
    double done, needed;
    uint32_t again;              /* the last node that is computed more than once; UINT32_MAX */
} counter;

struct total {
    double points;
};

static gn_dim_pool *pool(const counter *c)
{
    return &c->g->core->graph->dims;
}

static uint64_t hash_coordinates(uint64_t h, const coordinate *of, size_t n)
{
    for (size_t i = 0; i < n; i++) h = gn_hash_mix(gn_hash_mix(h, of[i].at), of[i].offset->id);
    return h;
}

static bool equal_coordinates(const coordinate *a, const coordinate *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].at != b[i].at || a[i].offset != b[i].offset) return false;
    return true;
}

static bool equal_places(const void *x, const void *y)
{
    const place *a = x, *b = y;
    return a->node == b->node && equal_coordinates(a->of, b->of, GN_MAX_RANK);
}

static bool equal_made(const void *x, const void *y)
{
    const made *a = x, *b = y;
    return a->node == b->node && a->dim == b->dim && a->n == b->n && equal_coordinates(a->of, b->of, a->n);
}

static coordinate make_coordinate(counter *c, const gnode *node, uint32_t dim, const coordinate *of, uint32_t n)
{
    made probe = { .node = node, .dim = dim, .n = n };
    memcpy(probe.of, of, n * sizeof *of);
    const uint64_t h = hash_coordinates(gn_hash_mix(GN_KEY(node), dim), of, n);
    const made *have = gn_intern_find(&c->made, h, &probe, equal_made);
    if (!have) {
        probe.name = c->ncoordinates++;
        have = gn_arena_copy(&c->scratch, &probe, sizeof probe);
        gn_intern_add(&c->scratch, &c->made, h, (void *)(uintptr_t)have);
    }
    return (coordinate){ have->name, gn_dim_const(pool(c), 0) };
}

/* ---- where an operand is read ---- */

static const gn_dim *part_start(const counter *c, const gnode *concat, uint32_t k)
{
    const gn_dim *start = gn_dim_const(pool(c), 0);
    for (uint32_t i = 0; i < k; i++) start = gn_dim_add(pool(c), start, concat->e->in[i]->type->dim[concat->e->attr[0].i]);
    return start;
}

static void read_place(counter *c, const gnode *n, uint32_t k, const coordinate *from, coordinate *to)
{
    const gnode *x = operand(c->g, n, k);
    const gn_attr *a = n->e->attr;
    int8_t map[GN_MAX_RANK];
    gn_group_dims(c->g, n, k, map);
    for (uint32_t d = 0; d < x->rank; d++) {
        if (map[d] != NONE) to[d] = from[map[d]];
        else if (n->kind == NODE_SLICE && a[1].ints[d] == 1)
            to[d] = (coordinate){ from[d].at, gn_dim_add(pool(c), from[d].offset, a[0].dims[d]) };
        else if (n->kind == NODE_PAD && a[1].ints[d] == 1)
            to[d] = (coordinate){ from[d].at, gn_dim_sub(pool(c), from[d].offset, a[0].dims[d]) };
        else if (n->kind == NODE_CONCAT)
            to[d] = (coordinate){ from[d].at, gn_dim_sub(pool(c), from[d].offset, part_start(c, n, k)) };
        else if (n->kind == NODE_SLICE || n->kind == NODE_PAD || n->kind == NODE_FLIP)
            to[d] = make_coordinate(c, n, d, &from[d], 1);
        else to[d] = make_coordinate(c, n, d, from, n->rank);
    }
}

static double size_along(const counter *c, const gnode *n, uint8_t dims)
{
    const class_set s = gn_group_along(c->g, n, dims);
    return (double)gn_group_size(c->g, &s);
}

static double points_of(const counter *c, const gnode *n, uint32_t k, double points)
{
    const gnode *x = operand(c->g, n, k);
    double most = size_along(c, n, gn_group_varies(c->g, n, k, x->var));
    if (n->kind == NODE_CONCAT || n->kind == NODE_PAD) { /* only where it is there */
        const double own = size_along(c, x, x->var);
        most = own < most ? own : most;
    }
    if (n->inlined) return points * (double)gn_group_points(n);
    return most < points ? most : points;
}

/* ---- the count ---- */

static void add_place(counter *c, uint32_t node, double points, const coordinate *of)
{
    place probe = { .node = node, .points = points };
    const gnode *n = &c->g->nodes.at[node];
    if (is_leaf(n) || n->e->nin == 0) return;
    for (uint32_t d = 0; d < GN_MAX_RANK; d++)
        probe.of[d] = d < n->rank ? of[d] : (coordinate){ 0, gn_dim_const(pool(c), 0) };
    const uint64_t h = hash_coordinates(node, probe.of, n->rank);
    gn_work_done.visits++;
    if (gn_intern_find(&c->places, h, &probe, equal_places)) return;
    const place *fresh = gn_arena_copy(&c->scratch, &probe, sizeof probe);
    gn_intern_add(&c->scratch, &c->places, h, (void *)(uintptr_t)fresh);
    gn_push(&c->scratch, &c->open, fresh);
    c->nplaces++;
}

static void count_place(counter *c, const place *p)
{
    const gnode *n = &c->g->nodes.at[p->node];
    const int cost = gn_group_cost(n);
    const double own = size_along(c, n, n->var);
    struct total **total = (struct total **)gn_map_put(&c->scratch, &c->totals, p->node);
    if (!*total) {
        *total = GN_NEW_OBJECT(&c->scratch, struct total);
        c->needed += cost * own;
    }
    (*total)->points += p->points;
    c->done += cost * p->points;
    if ((*total)->points > own && !is_view(n) && (c->again == UINT32_MAX || p->node > c->again)) c->again = p->node;
    for (uint32_t k = 0; k < n->e->nin; k++) {
        coordinate to[GN_MAX_RANK];
        if (is_leaf(operand(c->g, n, k)) || n->e->in[k]->nin == 0) continue;
        read_place(c, n, k, p->of, to);
        add_place(c, n->in[k], points_of(c, n, k, p->points), to);
    }
}

static void count(void *arg)
{
    counter *c = arg;
    while (c->open.n > 0 && c->nplaces <= MOST_PLACES) count_place(c, gn_pop(&c->open));
}

uint32_t gn_group_repeated(grouper *g, const gnode *root)
{
    counter c = {
        .g = g, .scratch = { .allocator = g->scratch->allocator }, .ncoordinates = root->rank, .again = UINT32_MAX
    };
    coordinate of[GN_MAX_RANK];
    for (uint32_t d = 0; d < root->rank; d++) of[d] = (coordinate){ d, gn_dim_const(pool(&c), 0) };
    add_place(&c, (uint32_t)(root - g->nodes.at), size_along(&c, root, root->var), of);
    const gn_status status = gn_protect(count, &c);
    gn_arena_free(&c.scratch);
    gn_check(status);
    return c.nplaces > MOST_PLACES || c.done > TIMES * c.needed ? c.again : UINT32_MAX;
}
