/* Where a chain that is too long for one text is cut. A single value is not enough to cut at: a step of an integrator
 * leaves several, and what reads another of them reaches below the cut again, into a kernel that repeats the chain. So
 * all values that are alive at one place of the order are stored together. A value counts as alive if it is used within
 * as many nodes as lie before the place; one that is used far behind, as gradients use those of the way forth, is
 * computed again there, from the values of the cut before it.
 *
 * The place is the one with the least work beside what must be done: values that are stored, values that are loaded,
 * operations that some kernel before has done. So a chain is cut between two steps, not within one, and its gradient
 * where the chain is cut. */
#include "group_state.h"
#include "visit.h"

typedef struct waist {
    grouper *g;
    int32_t group;
    uint32_t from, low, end;     /* the nodes since the last cut; the place is in [low, end) */
    uint32_t near;               /* nodes behind a place within which a use counts */
    int *more;                   /* by place: how many more values are alive there than at the place before */
    GN_VEC(uint32_t) open;
    double loads, own, again;    /* values and operations of the nodes up to a place */
} waist;

static bool is_text(const waist *w, uint32_t at)
{
    const gnode *n = &w->g->nodes.at[at];
    return is_light(n) && !n->cut && n->group == w->group;
}

/* Worth storing: a few operations from memory are not, nor is what is larger than all that it is made of. */
static bool is_worth(const waist *w, uint32_t at)
{
    return is_text(w, at) && gn_group_covers(w->g, &w->g->nodes.at[at]) && !gn_group_is_near(w->g, at);
}

static bool is_alive(const waist *w, uint32_t at, uint32_t place)
{
    const gnode *n = &w->g->nodes.at[at];
    uint32_t k = 0;
    while (k < n->nuser && n->user[k] <= place) k++;
    gn_work_done.scans += k;
    return k < n->nuser && n->user[k] - place <= w->near && is_worth(w, at);
}

static void note_alive(waist *w, uint32_t at)
{
    const gnode *n = &w->g->nodes.at[at];
    uint32_t next = at > w->low ? at : w->low;
    for (uint32_t k = 0; k < n->nuser && next < w->end; k++) {
        const uint32_t user = n->user[k], first = user > w->near + next ? user - w->near : next,
                       last = user < w->end ? user : w->end;
        gn_work_done.scans++;
        if (first >= last) continue;
        w->more[first - w->low]++, w->more[last - w->low]--;
        next = last;
    }
}

/* What the node needs from memory and from kernels before, and no node before it. */
static void add_work(waist *w, uint32_t at)
{
    grouper *g = w->g;
    w->own += gn_group_cost(&g->nodes.at[at]);
    gn_push(g->scratch, &w->open, at);
    while (w->open.n > 0) {
        const gnode *n = &g->nodes.at[gn_pop(&w->open)];
        for (uint32_t k = 0; k < n->e->nin; k++) {
            const gnode *x = operand(g, n, k);
            if ((!is_leaf(x) && n->in[k] >= w->from) || g->waist_of[n->in[k]] == w->from + 1) continue;
            g->waist_of[n->in[k]] = w->from + 1;
            gn_work_done.visits++;
            if (is_leaf(x)) {
                w->loads++;
                continue;
            }
            w->again += gn_group_cost(x);
            gn_push(g->scratch, &w->open, n->in[k]);
        }
    }
}

static uint32_t find_place(waist *w)
{
    uint32_t best = UINT32_MAX;
    double least = 0;
    int alive = 0;
    for (uint32_t at = w->from; at < w->end; at++)
        if (is_worth(w, at)) note_alive(w, at);
    for (uint32_t at = w->from; at < w->end; at++) {
        if (is_text(w, at)) add_work(w, at);
        if (at < w->low) continue;
        alive += w->more[at - w->low];
        const double price = (NEAR_COST * (alive + w->loads) + w->again) / (w->own + 1);
        if (alive == 0 || alive > MAX_OUTS || (best != UINT32_MAX && price > least)) continue;
        best = at, least = price;
    }
    return best;
}

uint32_t gn_group_waist(grouper *g, uint32_t end, int32_t group)
{
    waist w = { .g = g, .group = group, .from = g->waist, .end = end, .near = end - g->waist };
    const uint32_t middle = w.from + w.near / 2;
    w.low = g->fixed > middle ? g->fixed : middle;
    g->waist = end;
    if (w.low >= end) return UINT32_MAX;
    w.more = GN_NEW_ARRAY(g->scratch, int, end - w.low + 1);
    const uint32_t place = find_place(&w);
    if (place == UINT32_MAX) return place;
    g->waist = place + 1;
    for (uint32_t at = w.from; at <= place; at++)
        if (is_alive(&w, at, place)) gn_group_cut(g, at);
    return place;
}
