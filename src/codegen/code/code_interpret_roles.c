/* Roles: each thread goes on at its own pace, a node at a time, and who is next is drawn. Only barriers, and products
 * of tiles within a warp, make threads wait.
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
    walker *walker;
    uint32_t *known; /* by thread: of each thread, what it did before it had been at so many barriers */
    gn_map meetings; /* by register */
    gn_map elements; /* by place and element */
};

static uint32_t *known_by(const gn_runner *r, uint32_t thread)
{
    return r->roles->known + (size_t)thread * r->nthreads;
}

/* ---- races ---- */

static touched *element_at(gn_runner *r, const gn_place *p, int64_t at)
{
    void **const known = gn_map_put(r->arena, &r->roles->elements, (uint64_t)p->id << 40 | (uint64_t)at);
    if (*known) return *known;
    touched *const t = *known = GN_NEW_OBJECT(r->arena, touched);
    t->read = GN_NEW_ARRAY(r->arena, uint32_t, r->nthreads), t->wrote = GN_NEW_ARRAY(r->arena, uint32_t, r->nthreads);
    return t;
}

void gn_roles_meet(gn_runner *r, const gn_place *p, int64_t at, bool write, bool same_bits)
{
    touched *const t = element_at(r, p, at);
    const uint32_t *const known = known_by(r, r->thread);
    const bool own = !write && t->wrote[r->thread];
    for (uint32_t i = 0; i < r->nthreads; i++) {
        const bool wrote = t->wrote[i] && t->wrote[i] >= known[i] && !same_bits && !own;
        const bool read = write && t->read[i] && t->read[i] >= known[i];
        if (i == r->thread || (!wrote && !read)) continue;
        gn_runner_fail(r, "a race for element %" PRId64 " of %s: this thread, of role '%s', %s what thread %u, of role '%s', "
                          "%s with no barrier between", at, p->name, r->roles->walker[r->thread].role->var,
                       write ? "writes" : "reads", i, r->roles->walker[i].role->var, wrote ? "wrote" : "read");
    }
    (write ? t->wrote : t->read)[r->thread] = r->roles->walker[r->thread].met;
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
    m->is_here = GN_NEW_ARRAY(r->arena, bool, r->nthreads), m->known = GN_NEW_ARRAY(r->arena, uint32_t, r->nthreads);
    return m;
}

static bool waits_at(gn_runner *r, uint32_t thread, const meeting *m)
{
    const walker *const w = &r->roles->walker[thread];
    r->thread = thread;
    return w->waits && w->waits->kind == GN_CODE_SYNC && meeting_of(r, w->waits) == m;
}

static void meet_all(gn_runner *r, meeting *m)
{
    const uint32_t now = r->thread;
    for (uint32_t i = 0; i < r->nthreads; i++)
        if (waits_at(r, i, m)) learn(known_by(r, i), m->known, r->nthreads), r->roles->walker[i].waits = NULL;
    r->thread = now;
    m->here = 0;
    memset(m->is_here, 0, r->nthreads * sizeof *m->is_here);
    memset(m->known, 0, r->nthreads * sizeof *m->known);
}

static void come(gn_runner *r, walker *w, const gn_code_node *n)
{
    meeting *const m = meeting_of(r, n);
    if (m->is_here[r->thread]) gn_runner_fail(r, "it comes to %s again before the others have", n->place->name);
    learn(m->known, known_by(r, r->thread), r->nthreads);
    m->known[r->thread] = ++w->met;
    m->is_here[r->thread] = true;
    if (n->kind == GN_CODE_SYNC) w->waits = n;
    if (++m->here == n->place->meets) meet_all(r, m);
}

/* ---- products: the last thread of a warp to come makes it for all ---- */

static void multiply(gn_runner *r, walker *w, const gn_code_node *n)
{
    const uint32_t now = r->thread, first = now / GN_ROLE_WARP * GN_ROLE_WARP;
    w->waits = n;
    for (uint32_t i = first; i < first + GN_ROLE_WARP; i++)
        if (r->roles->walker[i].waits != n) return;
    gn_runner_multiply_of(r, n->tile, now);
    for (uint32_t i = first; i < first + GN_ROLE_WARP; i++) r->roles->walker[i].waits = NULL;
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
    else if (n->kind == GN_CODE_TILE && n->tile->row->kind == GN_TILE_MMA) multiply(r, w, n);
    else if (n->kind == GN_CODE_FOR && n->dealt) gn_runner_deal_to(r, n, r->thread - w->first, w->n);
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
        const uint32_t n = role->number * GN_ROLE_WARP;
        if (first + n > r->nthreads) gn_runner_fail(r, "the block has no threads for role '%s'", role->var);
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
    for (r->thread = 0; !r->roles->walker[r->thread].waits;) r->thread++;
    const walker *const w = &r->roles->walker[r->thread];
    r->at = w->waits;
    gn_runner_fail(r, "role '%s' waits for who never comes", w->role->var);
}

void gn_runner_roles(gn_runner *r, const gn_code_node *roles)
{
    gn_roles *const all = r->roles = GN_NEW_OBJECT(r->arena, gn_roles);
    uint32_t *const able = GN_NEW_ARRAY(r->arena, uint32_t, r->nthreads);
    uint32_t n;
    all->walker = GN_NEW_ARRAY(r->arena, walker, r->nthreads);
    all->known = GN_NEW_ARRAY(r->arena, uint32_t, (size_t)r->nthreads * r->nthreads);
    begin(r, roles);
    do {
        bool left = false;
        n = 0;
        for (uint32_t i = 0; i < r->nthreads; i++) {
            left |= all->walker[i].depth > 0;
            if (all->walker[i].depth && !all->walker[i].waits) able[n++] = i;
        }
        if (left && !n) nobody_goes_on(r);
        const uint32_t one = n ? able[gn_runner_draw(r, n)] : 0;
        r->thread = one;
        for (uint64_t k = n ? 1 + gn_runner_draw(r, 16) : 0; k > 0 && all->walker[one].depth && !all->walker[one].waits; k--)
            go_on(r, &all->walker[one]);
    } while (n);
    r->thread = 0;
    r->roles = NULL;
}
