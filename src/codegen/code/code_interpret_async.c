/* Copies that are under way: the destination has no content until their token is awaited. It is written twice for who
 * looks for races, when a copy starts and when it is awaited: nobody may read it in between. */
#include <inttypes.h>
#include "code_interpret_state.h"

void gn_runner_start(gn_runner *r, const gn_code_node *n)
{
    const gn_place *const to = n->access.place, *const from = n->source.place;
    const bool there = gn_runner_holds(r, n->access.when);
    const int64_t base = gn_runner_dim(r, n->access.base), source = there ? gn_runner_dim(r, n->source.base) : 0;
    if (base % n->number || source % n->number)
        gn_runner_fail(r, "%u elements from %" PRId64 " of %s to %" PRId64 " of %s: no multiple of their size", n->number,
                       source, from->name, base, to->name);
    for (int64_t at = base; at < base + n->number; at++) {
        const gn_lane v = there ? gn_runner_load(r, from, source + at - base) : gn_lane_number(to->dtype, 0);
        gn_runner_store(r, to, at, (gn_lane){.dtype = (uint8_t)to->dtype, .i = at, .poison = to->id + 1});
        gn_push(r->arena, &r->flying[r->thread].at, ((gn_flight){to, at, v, 0}));
    }
}

void gn_runner_commit(gn_runner *r, const gn_place *tokens)
{
    gn_flying *const f = &r->flying[r->thread];
    f->groups++;
    for (size_t i = 0; i < f->at.n; i++)
        if (!f->at.at[i].group) f->at.at[i].group = f->groups;
    for (uint32_t i = 0; i + 1 < tokens->n; i++)
        gn_runner_set_register(r, tokens, i, 0, gn_runner_register(r, tokens, i + 1, 0));
    gn_runner_set_register(r, tokens, tokens->n - 1, 0, gn_lane_number(GN_I64, f->groups));
}

void gn_runner_await(gn_runner *r, const gn_code_node *n)
{
    gn_flying *const f = &r->flying[r->thread];
    const gn_lane token = gn_runner_register(r, n->place, n->number, 0);
    size_t left = 0;
    if (token.poison) gn_runner_fail(r, "a token that stands for no copies is awaited");
    for (size_t i = 0; i < f->at.n; i++) {
        const gn_flight x = f->at.at[i];
        if (x.group && x.group <= token.i)
            gn_runner_store(r, x.place, x.at, x.value);
        else
            f->at.at[left++] = x;
    }
    f->at.n = left;
}
