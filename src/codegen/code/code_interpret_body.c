/* Regions: which nodes a thread runs alone, and which the threads of a warp, block or cluster run together. */
#include <inttypes.h>
#include "code_interpret_state.h"

/* ---- what is known of a loop before it runs ---- */

/* The node in n, n included, that gathers threads of the widest scope; NULL: each runs n alone. */
static const gn_code_node *gathering(const gn_runner *r, const gn_code_node *n)
{
    const gn_code_node *const in = gn_map_get(&r->gathers, GN_KEY(n));
    return gn_code_gathers(n) && (!in || gn_code_gathers(n) >= gn_code_gathers(in)) ? n : in;
}

static gn_scope scope_of(const gn_runner *r, const gn_code_node *n)
{
    const gn_code_node *const widest = gathering(r, n);
    return widest ? gn_code_gathers(widest) : GN_SCOPE_THREAD;
}

const gn_code_node *gn_runner_gathering(const gn_runner *r, const gn_code_node *n)
{
    return gathering(r, n);
}

static void note_gathering(gn_runner *r, const gn_code_node *n)
{
    const gn_code_node *widest = NULL;
    for (size_t i = 0; i < n->body.kids.n; i++) {
        const gn_code_node *const found = gathering(r, n->body.kids.at[i]);
        if (found && (!widest || gn_code_gathers(found) > gn_code_gathers(widest))) widest = found;
    }
    if (widest) *gn_map_put(r->arena, &r->gathers, GN_KEY(n)) = (void *)widest;
}

typedef struct setting { /* of registers, in a loop */
    gn_runner *r;
    const gn_code_node *loop;
    gn_map known;
    gn_registers *found;
} setting;

static void note_register(setting *s, const gn_place *p, uint32_t number)
{
    for (size_t i = 0; i < s->loop->carry.n; i++)
        if (s->loop->carry.at[i] == p) return;
    void **at = gn_map_put(s->r->arena, &s->known, (uint64_t)p->id << 32 | number);
    if (!*at) gn_push(s->r->arena, &s->found->at, (gn_register){ p, number });
    *at = s;
}

static void note_sets(setting *, const gn_code_body *);

static void note_set(setting *s, const gn_code_node *n)
{
    if (n->kind == GN_CODE_SET) note_register(s, n->place, gn_runner_number(s->r, n->number, n->at));
    for (uint32_t i = 0; n->kind == GN_CODE_COMMIT && i < n->place->n; i++) note_register(s, n->place, i);
    for (uint32_t i = 0; n->kind == GN_CODE_TILE && i < gn_tile_sets(n->tile); i++)
        note_register(s, n->tile->acc, n->tile->c[i]);
}

static void note_turns(setting *s, const gn_code_node *n)
{
    const int64_t turns = n->unrolled ? gn_runner_dim(s->r, n->to) : 1;
    for (int64_t i = 0; i < turns; i++) {
        if (n->unrolled) gn_runner_bind(s->r, n->var, i);
        note_sets(s, &n->body);
    }
    if (n->unrolled) gn_runner_unbind(s->r, n->var);
}

static void note_sets(setting *s, const gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) {
        note_set(s, b->kids.at[i]);
        note_turns(s, b->kids.at[i]);
    }
}

static void note_renewed(gn_runner *r, const gn_code_node *loop)
{
    setting s = { .r = r, .loop = loop, .found = GN_NEW_OBJECT(r->arena, gn_registers) };
    note_sets(&s, &loop->body);
    *gn_map_put(r->arena, &r->renewed, GN_KEY(loop)) = s.found;
}

void gn_runner_prepare(gn_runner *r, const gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) {
        const gn_code_node *n = b->kids.at[i];
        gn_runner_prepare(r, &n->body);
        if (n->kind == GN_CODE_BARRIER && n->scope < r->unit) r->unit = (gn_scope)n->scope;
        note_gathering(r, n);
        if (n->kind == GN_CODE_FOR && !n->unrolled) note_renewed(r, n);
    }
}

/* ---- one thread alone ---- */

static void alone(gn_runner *r, const gn_code_node *const *nodes, size_t n);

static _Noreturn void not_all(const gn_runner *r, const gn_code_node *n, const char *why)
{
    static const char *const names[] = {
        [GN_CODE_LET] = "the merge",       [GN_CODE_DECLARE] = "the declaration of shared memory",
        [GN_CODE_FOR] = "the dealt loop",  [GN_CODE_TILE] = "the product of tiles",
        [GN_CODE_BARRIER] = "the barrier", [GN_CODE_ROLES] = "the roles",
        [GN_CODE_ARRIVE] = "the barrier of roles", [GN_CODE_SYNC] = "the barrier of roles",
    };
    gn_runner_fail(r, "not all threads reach %s: %s", names[n->kind], why);
}

static int64_t first_turn(gn_runner *r, const gn_code_node *loop)
{
    return loop->from ? gn_runner_dim(r, loop->from) : 0;
}

static void renew(gn_runner *r, const gn_code_node *loop)
{
    const gn_registers *renewed = gn_map_get(&r->renewed, GN_KEY(loop)); /* NULL: the loop is unrolled */
    for (size_t i = 0; renewed && i < renewed->at.n; i++) gn_runner_empty_register(r, renewed->at.at[i]);
}

void gn_runner_begin_turn(gn_runner *r, const gn_code_node *loop, int64_t v)
{
    renew(r, loop);
    gn_runner_bind(r, loop->var, v);
}

void gn_runner_end_turns(gn_runner *r, const gn_code_node *loop)
{
    renew(r, loop);
    gn_runner_unbind(r, loop->var);
}

static void loop_alone(gn_runner *r, const gn_code_node *loop, int64_t from, int64_t to, int64_t by)
{
    for (int64_t v = from; v < to; v += by) {
        gn_runner_begin_turn(r, loop, v);
        alone(r, (const gn_code_node *const *)loop->body.kids.at, loop->body.kids.n);
        r->at = loop;
    }
    gn_runner_end_turns(r, loop);
}

static void node_alone(gn_runner *r, const gn_code_node *n)
{
    if (gn_code_gathers(n)) not_all(r, n, "it stands in a dealt loop");
    switch ((gn_code_kind)n->kind) {
    case GN_CODE_LET: gn_runner_let(r, n->val); break;
    case GN_CODE_SET: gn_runner_set(r, n); break;
    case GN_CODE_STORE: gn_runner_write(r, n); break;
    case GN_CODE_DECLARE: gn_runner_empty(r, n->place); break;
    case GN_CODE_TILE:
        if (n->tile->row->kind == GN_TILE_UNIT) gn_runner_act(r, n->tile);
        else gn_runner_copy_tile(r, n->tile);
        break;
    case GN_CODE_FOR: loop_alone(r, n, first_turn(r, n), gn_runner_dim(r, n->to), 1); break;
    case GN_CODE_IF:
        if (gn_runner_holds(r, n->when)) alone(r, (const gn_code_node *const *)n->body.kids.at, n->body.kids.n);
        break;
    case GN_CODE_NAME: gn_runner_bind(r, n->var, gn_runner_dim(r, n->to)); break;
    case GN_CODE_ASYNC: gn_runner_start(r, n); break;
    case GN_CODE_COMMIT: gn_runner_commit(r, n->place); break;
    case GN_CODE_AWAIT: gn_runner_await(r, n); break;
    default: break; /* of all */
    }
}

static void alone(gn_runner *r, const gn_code_node *const *nodes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        r->at = nodes[i];
        node_alone(r, nodes[i]);
    }
}

void gn_runner_alone(gn_runner *r, const gn_code_node *n)
{
    node_alone(r, n);
}

void gn_runner_deal_to(gn_runner *r, const gn_code_node *loop, uint32_t number, uint32_t n)
{
    loop_alone(r, loop, first_turn(r, loop) + number, gn_runner_dim(r, loop->to), n);
}

/* ---- a group together ---- */

static uint32_t size_of(const gn_runner *r, gn_scope s)
{
    const uint32_t size[] = { 1, GN_WARP, GN_WARPGROUP, r->nblock, r->nthreads };
    return size[s] < r->nblock || s > GN_SCOPE_BLOCK ? size[s] : r->nblock;
}

static void draw(gn_runner *r, uint32_t *drawn, uint32_t n)
{
    drawn[0] = 0;
    for (uint32_t i = 0; n > 1 && i < n; i++) {
        const uint32_t j = (uint32_t)gn_runner_draw(r, i + 1);
        drawn[i] = drawn[j];
        drawn[j] = i;
    }
}

static void together(gn_runner *r, gn_group g, const gn_code_node *const *nodes, size_t n);

/* Groups of this scope, narrower than g, each all of the nodes, in a drawn order. */
static void each_apart(gn_runner *r, gn_group g, gn_scope scope, const gn_code_node *const *nodes, size_t n)
{
    const uint32_t size = size_of(r, scope), count = (g.n + size - 1) / size;
    uint32_t *const drawn = r->drawn[scope];
    draw(r, drawn, count);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t first = drawn[i] * size;
        r->thread = g.first + first;
        if (scope == GN_SCOPE_THREAD) alone(r, nodes, n);
        else together(r, (gn_group){ scope, r->thread, first + size < g.n ? size : g.n - first }, nodes, n);
    }
}

static const char *bounds_text(const gn_runner *r, const int64_t *bounds)
{
    return gn_arena_printf(r->arena, "from %" PRId64 " to %" PRId64, bounds[0], bounds[1]);
}

static _Noreturn void bounds_differ(const gn_runner *r, gn_group g, const gn_code_node *loop, const int64_t *other,
                                    const int64_t *now)
{
    const char *here = bounds_text(r, now), *there = bounds_text(r, other);
    const char *why = gn_arena_printf(r->arena, "%s runs %s here, %s in thread %u", loop->var, here, there,
                                      g.first % r->nblock);
    not_all(r, gathering(r, loop), why);
}

static void common_bounds(gn_runner *r, gn_group g, const gn_code_node *loop, int64_t *bounds)
{
    for (r->thread = g.first; r->thread < g.first + g.n; r->thread++) {
        const int64_t now[2] = { first_turn(r, loop), gn_runner_dim(r, loop->to) };
        if (r->thread == g.first) memcpy(bounds, now, sizeof now);
        if (memcmp(bounds, now, sizeof now) != 0) bounds_differ(r, g, loop, bounds, now);
    }
}

static void loop_together(gn_runner *r, gn_group g, const gn_code_node *loop)
{
    int64_t bounds[2];
    common_bounds(r, g, loop, bounds);
    for (int64_t v = bounds[0]; v < bounds[1]; v++) {
        for (r->thread = g.first; r->thread < g.first + g.n; r->thread++) gn_runner_begin_turn(r, loop, v);
        gn_runner_together(r, g, &loop->body);
        r->at = loop;
    }
    for (r->thread = g.first; r->thread < g.first + g.n; r->thread++) gn_runner_end_turns(r, loop);
}

/* Turn i belongs to thread i mod the block's size. */
static void deal(gn_runner *r, gn_group g, const gn_code_node *loop)
{
    int64_t bounds[2];
    common_bounds(r, g, loop, bounds);
    draw(r, r->drawn[GN_SCOPE_THREAD], g.n);
    for (uint32_t i = 0; i < g.n; i++) {
        const uint32_t t = r->drawn[GN_SCOPE_THREAD][i];
        r->thread = g.first + t;
        loop_alone(r, loop, bounds[0] + t, bounds[1], g.n);
    }
}

static void branch_together(gn_runner *r, gn_group g, const gn_code_node *n)
{
    bool first = false;
    for (r->thread = g.first; r->thread < g.first + g.n; r->thread++) {
        const bool now = gn_runner_holds(r, n->when);
        if (r->thread == g.first) first = now;
        if (now == first) continue;
        const char *const format = now ? "its condition holds here, not in thread %u"
                                       : "its condition holds in thread %u, not here";
        not_all(r, gathering(r, n), gn_arena_printf(r->arena, format, g.first % r->nblock));
    }
    if (first) gn_runner_together(r, g, &n->body);
}

static void merge(gn_runner *r, gn_group g, const gn_val *v)
{
    gn_lane *const merged = r->merged;
    for (uint32_t i = 0; i < g.n; i++) r->thread = g.first + i, merged[i] = gn_runner_operand(r, v->a[0], 0);
    const gn_lane all = gn_lane_merge((gn_red)v->red, g.scope, merged, g.n);
    for (uint32_t i = 0; i < g.n; i++) r->thread = g.first + i, gn_runner_make(r, v, &all);
}

static void pass_barrier(gn_runner *r, gn_group g)
{
    r->met[g.scope][gn_runner_group(r, g.scope, g.first)]++;
}

static void node_together(gn_runner *r, gn_group g, const gn_code_node *n)
{
    r->at = n;
    r->thread = g.first;
    switch ((gn_code_kind)n->kind) {
    case GN_CODE_LET: merge(r, g, n->val); break;
    case GN_CODE_DECLARE: gn_runner_empty(r, n->place); break;
    case GN_CODE_TILE: gn_runner_multiply(r, n->tile, g.first, g.n); break;
    case GN_CODE_BARRIER: pass_barrier(r, g); break;
    case GN_CODE_ROLES:
        pass_barrier(r, g);
        gn_runner_roles(r, n, g.first, g.n);
        pass_barrier(r, g);
        break;
    case GN_CODE_ARRIVE:
    case GN_CODE_SYNC: gn_runner_fail(r, "a barrier of roles outside of roles");
    case GN_CODE_IF: branch_together(r, g, n); break;
    case GN_CODE_FOR:
        if (n->dealt) deal(r, g, n);
        else loop_together(r, g, n);
        break;
    default: break;
    }
}

void gn_runner_gathered(gn_runner *r, gn_group g, const gn_code_node *n)
{
    node_together(r, g, n);
}

/* What gathers the group, one after the other; between, narrower groups run on their own. */
static void together(gn_runner *r, gn_group g, const gn_code_node *const *nodes, size_t n)
{
    for (size_t i = 0, run; i < n; i += run) {
        gn_scope widest = GN_SCOPE_THREAD;
        for (run = 0; i + run < n && scope_of(r, nodes[i + run]) < g.scope; run++)
            if (scope_of(r, nodes[i + run]) > widest) widest = scope_of(r, nodes[i + run]);
        if (run) each_apart(r, g, widest, nodes + i, run);
        else node_together(r, g, nodes[i]), run = 1;
    }
}

void gn_runner_together(gn_runner *r, gn_group g, const gn_code_body *b)
{
    together(r, g, (const gn_code_node *const *)b->kids.at, b->kids.n);
}
