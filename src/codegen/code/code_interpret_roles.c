/* Roles: each thread goes on at its own pace, a node at a time, and who is next is drawn. Only barriers, and what a
 * warp does together, make threads wait.
 *
 * Who did what before whom is known exactly: each thread counts the barriers that it has been at, and at each it leaves,
 * or learns, what those that meet there know of all others. */
#include <inttypes.h>
#include "code_interpret_state.h"

enum { DEEPEST = 64 };

typedef struct frame { /* a region that a thread is in */
    const gn_code_body *body;
    size_t at;
    const gn_code_node *loop; /* NULL: none */
    int64_t turn, to;
} frame;

typedef struct walker { /* a thread */
    const gn_code_node *role;
    uint32_t first, n; /* the role's threads */
    frame in[DEEPEST];
    uint32_t depth;
    const gn_code_node *waits; /* NULL: it goes on */
    uint32_t met;              /* barriers that it has been at, + 1 */
} walker;

typedef struct meeting { /* a barrier */
    uint32_t here; /* threads */
    bool *is_here; /* by thread */
    uint32_t *known;
} meeting;

typedef struct touched { /* an element: by thread its `met` at the last, 0: never */
    uint32_t *read, *wrote;
} touched;

struct gn_roles {
    uint32_t first, n; /* the block's threads; each is known by its number among them */
    walker *walker;
    uint32_t *known; /* by thread: of each thread, what it did before it had been at so many barriers */
    gn_map meetings; /* by register */
    gn_map elements; /* by place and element */
};

static uint32_t number_of(const gn_runner *r)
{
    return r->thread - r->roles->first;
}

static uint32_t *known_by(const gn_runner *r, uint32_t thread)
{
    return r->roles->known + (size_t)thread * r->roles->n;
}

/* ---- races ---- */

static touched *element_at(gn_runner *r, const gn_place *p, int64_t at)
{
    void **const known = gn_map_put(r->arena, &r->roles->elements, (uint64_t)p->id << 40 | (uint64_t)at);
    if (*known) return *known;
    touched *const t = *known = GN_NEW_OBJECT(r->arena, touched);
    t->read = GN_NEW_ARRAY(r->arena, uint32_t, r->roles->n), t->wrote = GN_NEW_ARRAY(r->arena, uint32_t, r->roles->n);
    return t;
}

void gn_roles_meet(gn_runner *r, const gn_memory *m, int64_t at, bool write, bool same_bits)
{
    touched *const t = element_at(r, m->place, at);
    const walker *const w = r->roles->walker;
    const uint32_t now = number_of(r), *const known = known_by(r, now);
    const bool own = !write && t->wrote[now];
    for (uint32_t i = 0; i < r->roles->n; i++) {
        const bool wrote = t->wrote[i] && t->wrote[i] >= known[i] && !same_bits && !own;
        const bool read = write && t->read[i] && t->read[i] >= known[i];
        if (i == now || (!wrote && !read)) continue;
        gn_runner_fail(r, "a race for element %" PRId64 " of %s: this thread, of role '%s', %s what thread %u, of role '%s', "
                          "%s with no barrier between", at, m->place->name, w[now].role->var, write ? "writes" : "reads", i,
                       w[i].role->var, wrote ? "wrote" : "read");
    }
    (write ? t->wrote : t->read)[now] = w[now].met;
}

/* ---- barriers ---- */

static void learn(uint32_t *into, const uint32_t *from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (into[i] < from[i]) into[i] = from[i];
}

static meeting *meeting_of(gn_runner *r, const gn_code_node *n)
{
    const int64_t i = n->at ? gn_runner_dim(r, n->at) : 0;
    if (i < 0 || i >= n->place->n)
        gn_runner_fail(r, "barrier %" PRId64 " of %s, which has %u", i, n->place->name, n->place->n);
    void **const at = gn_map_put(r->arena, &r->roles->meetings, gn_register_key(n->place, (uint32_t)i));
    if (*at) return *at;
    meeting *const m = *at = GN_NEW_OBJECT(r->arena, meeting);
    m->is_here = GN_NEW_ARRAY(r->arena, bool, r->roles->n), m->known = GN_NEW_ARRAY(r->arena, uint32_t, r->roles->n);
    return m;
}

static bool waits_at(gn_runner *r, uint32_t thread, const meeting *m)
{
    const walker *const w = &r->roles->walker[thread];
    r->thread = r->roles->first + thread;
    return w->waits && w->waits->kind == GN_CODE_SYNC && meeting_of(r, w->waits) == m;
}

static void meet_all(gn_runner *r, meeting *m)
{
    const uint32_t now = r->thread;
    for (uint32_t i = 0; i < r->roles->n; i++)
        if (waits_at(r, i, m)) learn(known_by(r, i), m->known, r->roles->n), r->roles->walker[i].waits = NULL;
    r->thread = now;
    m->here = 0;
    memset(m->is_here, 0, r->roles->n * sizeof *m->is_here);
    memset(m->known, 0, r->roles->n * sizeof *m->known);
}

static void come(gn_runner *r, walker *w, const gn_code_node *n)
{
    meeting *const m = meeting_of(r, n);
    const uint32_t now = number_of(r);
    if (m->is_here[now]) gn_runner_fail(r, "it comes to %s again before the others have", n->place->name);
    learn(m->known, known_by(r, now), r->roles->n);
    m->known[now] = ++w->met;
    m->is_here[now] = true;
    if (n->kind == GN_CODE_SYNC) w->waits = n;
    if (++m->here == n->place->meets) meet_all(r, m);
}

/* ---- warps and warpgroups: the last of the threads to come does it for all ---- */

static void pass_barrier(gn_runner *r, uint32_t first, uint32_t n)
{
    uint32_t *const all = GN_NEW_ARRAY(r->arena, uint32_t, r->roles->n);
    for (uint32_t i = first; i < first + n; i++) {
        learn(all, known_by(r, i), r->roles->n);
        all[i] = ++r->roles->walker[i].met;
    }
    for (uint32_t i = first; i < first + n; i++) learn(known_by(r, i), all, r->roles->n);
}

static void together(gn_runner *r, walker *w, const gn_code_node *n)
{
    const gn_scope scope = gn_code_gathers(n);
    const uint32_t now = r->thread, size = scope == GN_SCOPE_WARP ? GN_WARP : GN_WARPGROUP;
    const uint32_t first = number_of(r) / size * size;
    w->waits = n;
    for (uint32_t i = first; i < first + size; i++)
        if (i >= r->roles->n || r->roles->walker[i].waits != n) return;
    if (n->kind == GN_CODE_BARRIER) pass_barrier(r, first, size);
    else gn_runner_gathered(r, (gn_group){ scope, r->roles->first + first, size }, n);
    for (uint32_t i = first; i < first + size; i++) r->roles->walker[i].waits = NULL;
    r->thread = now;
}

/* ---- a thread ---- */

static void enter(gn_runner *r, walker *w, const gn_code_body *b)
{
    if (w->depth == DEEPEST) gn_runner_fail(r, "regions are nested deeper than %d", DEEPEST);
    w->in[w->depth++] = (frame){ .body = b };
}

static void enter_loop(gn_runner *r, walker *w, const gn_code_node *n)
{
    const int64_t from = n->from ? gn_runner_dim(r, n->from) : 0, to = gn_runner_dim(r, n->to);
    if (from >= to) return;
    enter(r, w, &n->body);
    w->in[w->depth - 1].loop = n, w->in[w->depth - 1].turn = from, w->in[w->depth - 1].to = to;
    gn_runner_begin_turn(r, n, from);
}

static void leave(gn_runner *r, walker *w)
{
    frame *const f = &w->in[w->depth - 1];
    f->at = 0;
    if (f->loop && ++f->turn < f->to) {
        gn_runner_begin_turn(r, f->loop, f->turn);
        return;
    }
    if (f->loop) gn_runner_end_turns(r, f->loop);
    w->depth--;
}

static void node(gn_runner *r, walker *w, const gn_code_node *n)
{
    r->at = n;
    if (n->kind == GN_CODE_ARRIVE || n->kind == GN_CODE_SYNC) come(r, w, n);
    else if (gn_code_gathers(n) == GN_SCOPE_WARP || gn_code_gathers(n) == GN_SCOPE_WARPGROUP) together(r, w, n);
    else if (n->kind == GN_CODE_FOR && n->dealt) gn_runner_deal_to(r, n, number_of(r) - w->first, w->n);
    else if (!gn_runner_gathering(r, n)) gn_runner_alone(r, n);
    else if (n->kind == GN_CODE_FOR) enter_loop(r, w, n);
    else if (n->kind != GN_CODE_IF) gn_runner_fail(r, "it is of the whole block, and stands in a role");
    else if (gn_runner_holds(r, n->when)) enter(r, w, &n->body);
}

static void go_on(gn_runner *r, walker *w)
{
    frame *const f = &w->in[w->depth - 1];
    if (f->at < f->body->kids.n) node(r, w, f->body->kids.at[f->at++]);
    else leave(r, w);
}

/* ---- all of them ---- */

static void begin(gn_runner *r, const gn_code_node *roles)
{
    uint32_t first = 0;
    for (size_t i = 0; i < roles->body.kids.n; i++) {
        const gn_code_node *const role = roles->body.kids.at[i];
        const uint32_t n = role->number * GN_WARP;
        if (first + n > r->roles->n) gn_runner_fail(r, "the block has no threads for role '%s'", role->var);
        for (uint32_t k = 0; k < n; k++) {
            walker *const w = &r->roles->walker[first + k];
            w->role = role, w->first = first, w->n = n, w->met = 1;
            w->in[0] = (frame){ .body = &role->body }, w->depth = 1;
        }
        first += n;
    }
}

static _Noreturn void nobody_goes_on(gn_runner *r)
{
    uint32_t i = 0;
    while (!r->roles->walker[i].waits) i++;
    r->thread = r->roles->first + i, r->at = r->roles->walker[i].waits;
    gn_runner_fail(r, "role '%s' waits for who never comes", r->roles->walker[i].role->var);
}

static bool goes_on(const walker *w)
{
    return w->depth && !w->waits;
}

/* One that is drawn, for some nodes; false: none is left. */
static bool some_go_on(gn_runner *r, uint32_t *able)
{
    uint32_t n = 0;
    bool left = false;
    for (uint32_t i = 0; i < r->roles->n; i++) {
        left |= r->roles->walker[i].depth > 0;
        if (goes_on(&r->roles->walker[i])) able[n++] = i;
    }
    if (left && !n) nobody_goes_on(r);
    if (!left) return false;
    const uint32_t one = able[gn_runner_draw(r, n)];
    walker *const w = &r->roles->walker[one];
    r->thread = r->roles->first + one;
    for (uint64_t k = 1 + gn_runner_draw(r, 16); k > 0 && goes_on(w); k--) go_on(r, w);
    return true;
}

void gn_runner_roles(gn_runner *r, const gn_code_node *roles, uint32_t first, uint32_t n)
{
    gn_roles *const all = r->roles = GN_NEW_OBJECT(r->arena, gn_roles);
    uint32_t *const able = GN_NEW_ARRAY(r->arena, uint32_t, n);
    all->first = first, all->n = n;
    all->walker = GN_NEW_ARRAY(r->arena, walker, n);
    all->known = GN_NEW_ARRAY(r->arena, uint32_t, (size_t)n * n);
    begin(r, roles);
    while (some_go_on(r, able)) {
    }
    r->thread = first;
    r->roles = NULL;
}
