/* Reductions that are text. In sum_j f(x_i, y_j) the distance of two points is a sum over three coordinates, of
 * something that exists for each pair alone: stored, it would be larger than all that it is made of by the number of
 * points. So a reduction over a few constant points of what no operand covers is written out like an operation, x(0) +
 * x(1) + x(2), in whatever kernel needs it.
 *
 * What is computed again is bounded: a kernel that reads the stored value pays for its access, one that computes it for
 * the operations, and more than twice the work of storing it is never done. Far memory costs as much as a distance in a
 * few dimensions, so that such a value is never stored, however many kernels need it. */
#include "group_state.h"

enum { MOST_WORK = 400, MOST_NODES = 64 };
/* operations that an access of one element takes as long as: in the caches, and beyond */
enum { NEAR_ACCESS = 1, FAR_ACCESS = 8 };

int64_t gn_group_points(const gnode *r)
{
    const gn_attr *axes = &r->e->attr[0];
    int64_t n = 1, e;
    for (uint32_t i = 0; i < axes->n; i++) {
        if (!gn_dim_is_const(r->e->in[0]->type->dim[axes->ints[i]], &e) || e < 1 || e > SHORT) return 0;
        n *= e;
        if (n > SHORT) return 0;
    }
    return n;
}

bool gn_group_is_short(const grouper *g, uint32_t class)
{
    int64_t e;
    return gn_group_fixed(g, class, &e) && e <= SHORT;
}

class_set gn_group_long(const grouper *g, const class_set *all)
{
    class_set s = { 0 };
    for (size_t i = 0; i < all->n; i++)
        if (!gn_group_is_short(g, all->at[i])) s.at[s.n++] = all->at[i];
    return s.n > 0 ? s : *all;
}

static bool varies_along(const grouper *g, const gnode *x, const class_set *along)
{
    const class_set v = gn_group_var(g, x);
    return !class_disjoint(&v, along);
}

/* Operations for each element of the reduction: once for each point, or once for all; more than MOST_WORK if there is
 * no telling. */
static int64_t work_of(const grouper *g, const gnode *r)
{
    const class_set d = gn_group_set(g, operand(g, r, 0)), kept = gn_group_kept(g, r), along = class_minus(&d, &kept);
    const int64_t points = gn_group_points(r);
    uint32_t seen[MOST_NODES];
    int64_t work = points;
    size_t n = 0;
    seen[n++] = r->in[0];
    for (size_t i = 0; i < n; i++) {
        const gnode *x = &g->nodes.at[seen[i]];
        gn_work_done.visits++;
        work += (x->inlined ? x->work : gn_group_cost(x)) * (varies_along(g, x, &along) ? points : 1);
        if (x->inlined || is_leaf(x)) continue;
        for (uint32_t k = 0; k < x->e->nin; k++) {
            if (has_number(seen, n, x->in[k])) continue;
            if (n == MOST_NODES) return MOST_WORK + 1;
            seen[n++] = x->in[k];
        }
    }
    return work;
}

/* The classes of two long loops or more that the reduction keeps, together in no operand. */
static bool is_of_pairs(const grouper *g, const gnode *r)
{
    const gnode *body = operand(g, r, 0);
    const class_set var = gn_group_var(g, body), kept = gn_group_kept(g, r);
    class_set pair = { 0 };
    for (size_t i = 0; i < kept.n; i++)
        if (class_in(&var, kept.at[i]) && !gn_group_is_short(g, kept.at[i])) pair.at[pair.n++] = kept.at[i];
    return pair.n >= 2 && !gn_group_has_full(g, &pair, body);
}

static bool closes_pairs(const grouper *g, const gnode *r, const class_set *pair)
{
    const class_set d = gn_group_set(g, operand(g, r, 0)), kept = gn_group_kept(g, r), reduced = class_minus(&d, &kept);
    const class_set rest = class_minus(pair, &reduced);
    heavy h;
    return rest.n < pair->n && !gn_group_heavy(g, r, pair, &h);
}

/* All that comes of a contraction is added up over the pairs: there is no use for it in memory. */
static bool ends_in_sums(const grouper *g, const gnode *r)
{
    enum { MOST_USERS = 32 };
    const class_set kept = gn_group_kept(g, r), pair = gn_group_long(g, &kept);
    const gnode *seen[MOST_USERS] = { r };
    size_t n = 1;
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < seen[i]->nuser; k++) {
            const gnode *u = &g->nodes.at[seen[i]->user[k]];
            bool known = false;
            gn_work_done.scans++;
            for (size_t j = 0; j < n; j++) known |= seen[j] == u;
            if (known || (u->kind == NODE_REDUCE && closes_pairs(g, u, &pair))) continue;
            if (u->named || !is_light(u) || n == MOST_USERS) return false;
            seen[n++] = u;
        }
    return true;
}

bool gn_group_inlines(grouper *g, gnode *r)
{
    const gnode *body = operand(g, r, 0);
    heavy h;
    if (g->tiny || r->named || gn_group_points(r) == 0 || is_leaf(body) || body->maps > 0 || body->moved) return false;
    if (!is_of_pairs(g, r) || (gn_group_heavy(g, r, NULL, &h) && !ends_in_sums(g, r))) return false;
    const int64_t work = work_of(g, r);
    if (work > MOST_WORK) return false;
    r->work = (uint16_t)work;
    return true;
}

static void add_root(gnode *n, uint32_t root)
{
    if (!has_number(n->root, n->nroot, root) && n->nroot < MAX_ROOTS) n->root[n->nroot++] = root;
}

void gn_group_roots(const grouper *g, gnode *n)
{
    n->nroot = 0;
    if (n->inlined || (n->nuser > 1 && gn_group_cost(n) >= COSTLY && gn_group_is_pair(g, n)))
        add_root(n, (uint32_t)(n - g->nodes.at));
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const gnode *x = operand(g, n, k);
        for (size_t i = 0; i < x->nroot; i++) add_root(n, x->root[i]);
    }
}

bool gn_group_is_pair(const grouper *g, const gnode *light)
{
    const class_set var = gn_group_var(g, light), pair = gn_group_long(g, &var);
    return pair.n > 1 && !gn_group_is_short(g, pair.at[0]) && light->nleaf > 0 && !gn_group_covers(g, light);
}

static uint32_t long_loops(const grouper *g, const gnode *n)
{
    const class_set var = gn_group_var(g, n);
    uint32_t loops = 0;
    for (size_t i = 0; i < var.n; i++) loops += !gn_group_is_short(g, var.at[i]);
    return loops;
}

bool gn_group_pairs(const grouper *g, const gnode *n, const gnode *x)
{
    const class_set var = gn_group_var(g, n), pair = gn_group_long(g, &var);
    if (pair.n < 2 || long_loops(g, x) >= pair.n) return false;
    for (uint32_t k = 0; k < n->e->nin; k++)
        if (gn_group_has_full(g, &pair, operand(g, n, k))) return false;
    return true;
}

bool gn_group_closes(const grouper *g, const gnode *r, const class_set *p)
{
    const gnode *body = operand(g, r, 0);
    if (body->nroot == 0 || gn_group_covers(g, body)) return true;
    for (size_t i = 0; i < p->n; i++)
        if (!gn_group_is_short(g, p->at[i])) return false;
    return true;
}

int gn_group_most_times(const grouper *g, const gnode *n)
{
    enum { TIMES = 2, ALWAYS = 200 };
    const class_set v = gn_group_var(g, n);
    const double bytes = (double)gn_group_size(g, &v) * gn_dtypes[n->e->type->dtype].size;
    const int access = bytes > (double)g->target->l2_bytes ? FAR_ACCESS : NEAR_ACCESS, work = n->work;
    if (work <= TIMES * access) return ALWAYS;
    const int times = TIMES * (work + access) / (work - TIMES * access);
    return times < ALWAYS ? times : ALWAYS;
}
