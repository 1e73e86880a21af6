/* Roles of warps: whether who waits at a barrier is met there, and what each reads is there.
 *
 * What roles do with barriers, copies and shared memory is a list of events each, which no data decide; loops turn a
 * constant number of times, or all as often as each other. So all of it is followed for each number of turns from 0 on:
 * a role that waits for another does so at a distance of turns that is at most what stands outside of the loops, and
 * ways through barriers come back to where they were after as many barriers as there are. A number of turns that is more
 * than both multiplied shows nothing new.
 *
 * Which access comes before which is known by counting: a role counts the barriers that it has been at, and at each it
 * leaves, or learns, what those that meet there know of the others. */
#include <inttypes.h>
#include "dim_parts.h"
#include "code_verifier.h"

enum { MOST_EVENTS = 1 << 16, MOST_TURNS = 256, ALL_PARTS = -1, OPEN = INT32_MAX };

typedef enum { ARRIVE, SYNC, START, COMMIT, AWAIT, READ, WRITE } event_kind;
typedef struct event {
    const gn_code_node *node;
    uint8_t kind;
    int32_t number; /* of a barrier, a group; of a place's parts the first */
    int64_t part;
} event;

typedef struct role {
    const gn_code_node *node;
    GN_VEC(event) events;
    size_t at;
    bool waits;     /* at the barrier of the event */
    int32_t groups; /* committed */
    uint32_t met;   /* barriers that it has been at, + 1 */
    uint32_t known[GN_MOST_ROLES]; /* of each role, what it did before it had been at so many */
} role;

typedef struct meeting { /* a barrier */
    const gn_place *place;
    uint32_t visitors, here;       /* roles, as bits: of the text; of this time */
    uint32_t known[GN_MOST_ROLES]; /* by those who are here */
} meeting;

typedef struct part { /* of a place that is shared, or all of it */
    const gn_place *place;
    /* by role: `met` at the last; 0: never. copied: when it was awaited */
    uint32_t read[GN_MOST_ROLES], wrote[GN_MOST_ROLES], copied[GN_MOST_ROLES];
    int32_t under_way[GN_MOST_ROLES]; /* by role: the last group of copies to it; OPEN: not committed; 0: none */
} part;

typedef struct spread { /* a place's parts among all */
    int64_t n;
    int32_t first;
} spread;

typedef struct roles {
    gn_verifier *v;
    gn_arena *arena;
    const gn_map *names;
    role role[GN_MOST_ROLES];
    uint32_t n, now;
    const gn_dim *to; /* of the loops that turn as often as each other; NULL: none was met yet */
    int64_t turns;
    uint32_t followed; /* turns of loops */
    gn_map orders;    /* by node: it has barriers, copies or tokens in it */
    gn_map places;    /* by id: spread */
    gn_map values;    /* by variable: its value, + 1 */
    gn_map tokens;    /* by register: group */
    GN_VEC(meeting) meetings;
    GN_VEC(part) parts;
} roles;

static const char *name_of(const roles *s, uint32_t i)
{
    return s->role[i].node->var;
}

/* ---- places and barriers ---- */

static const gn_place *shared_by(const gn_code_node *n, const gn_dim **at, bool *writes)
{
    const gn_access *const a = n->kind == GN_CODE_ASYNC || n->kind == GN_CODE_STORE ? &n->access
                               : n->kind == GN_CODE_LET && n->val->kind == GN_VAL_LOAD ? &n->val->u.load : NULL;
    *writes = a && n->kind != GN_CODE_LET;
    *at = a && a->mode <= GN_ACCESS_STEP ? a->base : NULL;
    return a && a->place->space == GN_SPACE_SHARED ? a->place : NULL;
}

static void note_part(roles *s, const gn_place *p, const gn_dim *at)
{
    const gn_dim *turn;
    void **const known = gn_map_put(s->arena, &s->places, p->id);
    const int64_t n = gn_place_parts(p, at ? gn_code_without_names(s->v->code, s->names, at) : NULL, &turn);
    if (!*known) *known = GN_NEW_OBJECT(s->arena, spread);
    spread *const own = *known;
    if (n > 1) own->n = own->n && own->n != n ? 1 : n;
}

static void note_places(void *user, const gn_code_node *n)
{
    roles *const s = user;
    const gn_dim *at;
    bool writes;
    const gn_place *const p = shared_by(n, &at, &writes);
    if (p) note_part(s, p, at);
    for (int i = 0; n->kind == GN_CODE_TILE && i < n->tile->nmemory; i++)
        if (n->tile->memory[i].place->space == GN_SPACE_SHARED) note_part(s, n->tile->memory[i].place, NULL);
    if (n->kind != GN_CODE_ARRIVE && n->kind != GN_CODE_SYNC) return;
    void **const first = gn_map_put(s->arena, &s->places, n->place->id);
    if (!*first) {
        *first = (void *)(s->meetings.n + 1);
        for (uint32_t i = 0; i < n->place->n; i++) gn_push(s->arena, &s->meetings, (meeting){ .place = n->place });
    }
    for (uint32_t i = 0; i < n->place->n; i++) s->meetings.at[(uintptr_t)*first - 1 + i].visitors |= 1u << s->now;
}

static void number_parts(roles *s, const gn_place *p)
{
    spread *const own = p->space == GN_SPACE_SHARED ? gn_map_get(&s->places, p->id) : NULL;
    if (!own) return;
    own->first = (int32_t)s->parts.n;
    if (!own->n) own->n = 1;
    for (int64_t i = 0; i < own->n; i++) gn_push(s->arena, &s->parts, (part){ .place = p });
}

static bool note_order(roles *s, const gn_code_node *n)
{
    bool any = n->kind >= GN_CODE_ASYNC && n->kind != GN_CODE_ROLE;
    for (size_t i = 0; i < n->body.kids.n; i++) any |= note_order(s, n->body.kids.at[i]);
    if (any && n->kind == GN_CODE_FOR && !n->dealt && !s->to && !gn_dim_is_const(n->to, NULL)) s->to = n->to;
    if (any) *gn_map_put(s->arena, &s->orders, GN_KEY(n)) = s;
    return any;
}

/* ---- events ---- */

static bool value_of(void *user, const char *name, int64_t *out)
{
    roles *const s = user;
    const uintptr_t v = (uintptr_t)gn_map_get(&s->values, GN_KEY(name));
    const gn_dim *const is = v ? NULL : gn_map_get(s->names, GN_KEY(name)); /* of names that stand before it */
    *out = (int64_t)v - 1;
    return v || (is && gn_dim_eval(is, value_of, NULL, s, out));
}

static bool evaluate(roles *s, const gn_dim *d, int64_t *out)
{
    return gn_dim_eval(d, value_of, NULL, s, out);
}

static void add(roles *s, const gn_code_node *n, event_kind kind, int32_t number, int64_t at)
{
    role *const r = &s->role[s->now];
    if (r->events.n == MOST_EVENTS) gn_code_wrong(s->v, "more is done in roles than is followed");
    gn_push(s->arena, &r->events, ((event){ n, (uint8_t)kind, number, at }));
}

/* The part in which all that the index may be lies. */
static int64_t part_around(const roles *s, const gn_place *p, int64_t n, const gn_dim *at)
{
    const gn_dim_facts facts = gn_code_facts(s->v->code);
    int64_t low, high, size;
    if (!at || !gn_dim_is_const(p->size, &size)) return ALL_PARTS;
    gn_dim_range(at, &facts, &low, &high);
    return low >= 0 && high < size && low / (size / n) == high / (size / n) ? low / (size / n) : ALL_PARTS;
}

static void add_access(roles *s, const gn_code_node *n, event_kind kind, const gn_place *p, const gn_dim *at)
{
    const spread *const own = gn_map_get(&s->places, p->id);
    const gn_dim *turn = NULL;
    int64_t i = ALL_PARTS;
    at = at ? gn_code_without_names(s->v->code, s->names, at) : NULL;
    if (own->n > 1) gn_place_parts(p, at, &turn);
    i = turn && evaluate(s, turn, &i) ? gn_floor_mod(i, own->n) : turn ? ALL_PARTS : part_around(s, p, own->n, at);
    add(s, n, kind, own->first, i);
}

static void add_meeting(roles *s, const gn_code_node *n)
{
    int64_t i = 0;
    if (n->at && !evaluate(s, n->at, &i))
        gn_code_wrong(s->v, "which barrier it is hangs on more than the turns of loops around it");
    if (i < 0 || i >= n->place->n)
        gn_code_wrong(s->v, "barrier %" PRId64 " of '%s', which has %u", i, n->place->name, n->place->n);
    const uintptr_t first = (uintptr_t)gn_map_get(&s->places, n->place->id) - 1;
    add(s, n, n->kind == GN_CODE_SYNC ? SYNC : ARRIVE, (int32_t)first + (int32_t)i, 0);
}

static void **token(roles *s, const gn_place *p, uint32_t i)
{
    return gn_map_put(s->arena, &s->tokens, gn_register_key(p, i));
}

static void add_commit(roles *s, const gn_code_node *n)
{
    role *const r = &s->role[s->now];
    for (uint32_t i = 0; i + 1 < n->place->n; i++) *token(s, n->place, i) = *token(s, n->place, i + 1);
    *token(s, n->place, n->place->n - 1) = (void *)(intptr_t)++r->groups;
    add(s, n, COMMIT, r->groups, 0);
}

static void follow(roles *s, const gn_code_body *b);

static int64_t turns_of(roles *s, const gn_code_node *n)
{
    int64_t to;
    if (gn_dim_is_const(n->to, &to) || evaluate(s, n->to, &to)) return to;
    if (s->to != n->to)
        gn_code_wrong(s->v, "it ends elsewhere than another loop of roles in which barriers or copies are");
    return s->turns;
}

static bool waits(const gn_code_node *n)
{
    bool any = n->kind > GN_CODE_ASYNC;
    for (size_t i = 0; i < n->body.kids.n && !any; i++) any = waits(n->body.kids.at[i]);
    return any;
}

static void follow_loop(roles *s, const gn_code_node *n)
{
    void **const value = gn_map_put(s->arena, &s->values, GN_KEY(n->var));
    int64_t from = 0;
    if (n->dealt && waits(n)) gn_code_wrong(s->v, "barriers and tokens of roles stand in no loop that is dealt out");
    if (!gn_map_get(&s->orders, GN_KEY(n)) || n->dealt) { /* what it touches, once, at any turn */
        *value = NULL;
        follow(s, &n->body);
        return;
    }
    if (n->from && !evaluate(s, n->from, &from)) gn_code_wrong(s->v, "it begins at no number that is known");
    const int64_t to = turns_of(s, n);
    for (int64_t i = from; i < to; i++) {
        if (++s->followed > MOST_EVENTS) gn_code_wrong(s->v, "more is done in roles than is followed");
        *gn_map_put(s->arena, &s->values, GN_KEY(n->var)) = (void *)(uintptr_t)(i + 1);
        follow(s, &n->body);
        s->v->node = n;
    }
    *gn_map_put(s->arena, &s->values, GN_KEY(n->var)) = NULL;
}

static void follow_memory(roles *s, const gn_code_node *n)
{
    const gn_dim *at;
    bool writes;
    const gn_place *const p = shared_by(n, &at, &writes);
    if (p) add_access(s, n, n->kind == GN_CODE_ASYNC ? START : writes ? WRITE : READ, p, at);
    for (int i = 0; n->kind == GN_CODE_TILE && i < n->tile->nmemory; i++) {
        const gn_tile_memory *const m = &n->tile->memory[i];
        if (m->place->space == GN_SPACE_SHARED) add_access(s, n, m->written ? WRITE : READ, m->place, m->base);
    }
}

static void follow_node(roles *s, const gn_code_node *n)
{
    s->v->node = n;
    switch ((gn_code_kind)n->kind) {
    case GN_CODE_FOR: follow_loop(s, n); break;
    case GN_CODE_IF:
        if (waits(n)) gn_code_wrong(s->v, "barriers and tokens of roles hang on no condition");
        follow(s, &n->body);
        break;
    case GN_CODE_COMMIT: add_commit(s, n); break;
    case GN_CODE_AWAIT: add(s, n, AWAIT, (int32_t)(intptr_t)*token(s, n->place, n->number), 0); break;
    case GN_CODE_ARRIVE:
    case GN_CODE_SYNC: add_meeting(s, n); break;
    default: follow_memory(s, n); break;
    }
}

static void follow(roles *s, const gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) follow_node(s, b->kids.at[i]);
}

/* ---- what comes before what ---- */

/* What role q did when it had been at so many barriers is known to r. */
static bool knows(const roles *s, uint32_t r, uint32_t q, uint32_t met)
{
    return met < s->role[r].known[q];
}

static void no_copies(const roles *s, const part *p, const char *does)
{
    for (uint32_t q = 0; q < s->n; q++)
        if (p->under_way[q])
            gn_code_wrong(s->v, "it %s '%s' while copies of role '%s' to it may be under way", does, p->place->name,
                          name_of(s, q));
}

static void is_behind(const roles *s, const part *p, uint32_t q, uint32_t met, const char *does, const char *did)
{
    if (met && !knows(s, s->now, q, met))
        gn_code_wrong(s->v, "it %s '%s', which role '%s' %s with no barrier between", does, p->place->name, name_of(s, q),
                      did);
}

/* Threads of one role are apart, too, but each sees what it stored itself. */
static void touch(roles *s, part *p, event_kind kind)
{
    role *const r = &s->role[s->now];
    const char *const does = kind == READ ? "reads" : "writes over";
    if (kind != START) no_copies(s, p, does);
    for (uint32_t q = 0; q < s->n; q++) {
        if (q != s->now && kind == START && p->under_way[q]) no_copies(s, p, does);
        if (q != s->now) is_behind(s, p, q, p->wrote[q], does, "writes");
        if (q != s->now || kind == READ) is_behind(s, p, q, p->copied[q], does, "copies");
        if ((q != s->now && kind == WRITE) || kind == START) is_behind(s, p, q, p->read[q], does, "reads");
    }
    if (kind == READ) p->read[s->now] = r->met;
    if (kind == WRITE) p->wrote[s->now] = r->met;
    if (kind == START) p->under_way[s->now] = OPEN;
}

static void touch_all(roles *s, const event *e)
{
    const spread *const own = gn_map_get(&s->places, s->parts.at[e->number].place->id);
    for (int64_t i = 0; i < own->n; i++)
        if (e->part == ALL_PARTS || e->part == i) touch(s, &s->parts.at[own->first + i], (event_kind)e->kind);
}

static void commit(roles *s, int32_t group)
{
    for (size_t i = 0; i < s->parts.n; i++)
        if (s->parts.at[i].under_way[s->now] == OPEN) s->parts.at[i].under_way[s->now] = group;
}

static void await(roles *s, int32_t group)
{
    for (size_t i = 0; i < s->parts.n; i++) {
        part *const p = &s->parts.at[i];
        if (!p->under_way[s->now] || p->under_way[s->now] > group) continue;
        p->under_way[s->now] = 0, p->copied[s->now] = s->role[s->now].met;
    }
}

/* ---- barriers ---- */

static void learn(uint32_t *into, const uint32_t *from, uint32_t n)
{
    for (uint32_t q = 0; q < n; q++)
        if (into[q] < from[q]) into[q] = from[q];
}

static uint32_t missing(const meeting *m)
{
    uint32_t q = 0;
    while (!((m->visitors & ~m->here) >> q & 1)) q++;
    return q;
}

/* Who waited goes on; what it waits at stands before it. */
static void meet_all(roles *s, meeting *m)
{
    for (uint32_t q = 0; q < s->n; q++) {
        role *const r = &s->role[q];
        if (!r->waits || &s->meetings.at[r->events.at[r->at].number] != m) continue;
        learn(r->known, m->known, s->n);
        r->waits = false, r->at++;
    }
    m->here = 0;
    memset(m->known, 0, sizeof m->known);
}

static void come(roles *s, meeting *m, bool goes_on)
{
    role *const r = &s->role[s->now];
    if (m->here >> s->now & 1)
        gn_code_wrong(s->v, "role '%s' comes to '%s' again before role '%s' has", name_of(s, s->now), m->place->name,
                      name_of(s, missing(m)));
    learn(m->known, r->known, s->n);
    r->met++;
    if (m->known[s->now] < r->met) m->known[s->now] = r->met;
    m->here |= 1u << s->now;
    if (goes_on) r->at++;
    r->waits = !goes_on;
    if (m->here == m->visitors) meet_all(s, m);
}

/* As far as it comes. */
static bool run(roles *s, role *r)
{
    const size_t from = r->at;
    while (r->at < r->events.n && !r->waits) {
        const event *const e = &r->events.at[r->at];
        s->v->node = e->node;
        if (e->kind == SYNC || e->kind == ARRIVE) {
            come(s, &s->meetings.at[e->number], e->kind == ARRIVE);
            continue;
        }
        if (e->kind == COMMIT) commit(s, e->number);
        else if (e->kind == AWAIT) await(s, e->number);
        else touch_all(s, e);
        r->at++;
    }
    return r->at > from;
}

/* ---- all of it ---- */

static void check_ended(roles *s)
{
    for (uint32_t q = 0; q < s->n; q++) {
        const role *const r = &s->role[q];
        if (r->at == r->events.n) continue;
        const meeting *const m = &s->meetings.at[r->events.at[r->at].number];
        s->v->node = r->events.at[r->at].node;
        gn_code_wrong(s->v, "role '%s' waits at '%s' for role '%s', which never comes", name_of(s, q), m->place->name,
                      name_of(s, missing(m)));
    }
    for (size_t i = 0; i < s->meetings.n; i++) {
        const meeting *const m = &s->meetings.at[i];
        s->v->node = NULL;
        for (uint32_t q = 0; q < s->n; q++)
            if (m->here >> q & 1)
                gn_code_wrong(s->v, "role '%s' comes to '%s' once more than role '%s'", name_of(s, q), m->place->name,
                              name_of(s, missing(m)));
    }
    for (size_t i = 0; i < s->parts.n; i++)
        for (uint32_t q = 0; q < s->n; q++)
            if (s->parts.at[i].under_way[q])
                gn_code_wrong(s->v, "role '%s' ends while copies to '%s' may be under way", name_of(s, q),
                              s->parts.at[i].place->name);
}

/* What all do for one number of turns; at how many barriers they are. */
static size_t try_turns(roles *s, int64_t turns)
{
    size_t all = 0;
    s->turns = turns, s->followed = 0;
    for (size_t i = 0; i < s->meetings.n; i++)
        s->meetings.at[i] = (meeting){ .place = s->meetings.at[i].place, .visitors = s->meetings.at[i].visitors };
    for (size_t i = 0; i < s->parts.n; i++) s->parts.at[i] = (part){ .place = s->parts.at[i].place };
    for (s->now = 0; s->now < s->n; s->now++) {
        role *const r = &s->role[s->now];
        *r = (role){ .node = r->node, .events = r->events, .met = 1 };
        r->events.n = 0, s->tokens = (gn_map){ 0 };
        if (s->to && s->to->n == 1 && s->to->term[0].n == 1 && s->to->term[0].atom[0]->kind == GN_DIM_SYM)
            *gn_map_put(s->arena, &s->values, GN_KEY(s->to->term[0].atom[0]->name)) = (void *)(uintptr_t)(turns + 1);
        follow(s, &r->node->body);
        for (size_t i = 0; i < r->events.n; i++) all += r->events.at[i].kind <= SYNC;
    }
    for (bool any = true; any;) {
        any = false;
        for (s->now = 0; s->now < s->n; s->now++) any |= run(s, &s->role[s->now]);
    }
    check_ended(s);
    return all;
}

static void check_counts(roles *s)
{
    for (size_t i = 0; i < s->meetings.n; i++) {
        const meeting *const m = &s->meetings.at[i];
        uint32_t threads = 0;
        for (uint32_t q = 0; q < s->n; q++) threads += m->visitors >> q & 1 ? s->role[q].node->number * GN_WARP : 0;
        if (threads != m->place->meets)
            gn_code_wrong(s->v, "'%s' is a barrier of %u threads, the roles that come there have %u", m->place->name,
                          m->place->meets, threads);
    }
}

static void check(gn_verifier *v, const gn_code_node *n, const gn_map *names)
{
    roles s = { .v = v, .arena = v->scratch, .names = names, .n = (uint32_t)n->body.kids.n };
    v->node = n;
    for (s.now = 0; s.now < s.n; s.now++) {
        s.role[s.now].node = n->body.kids.at[s.now];
        note_order(&s, s.role[s.now].node);
        gn_code_walk(&s.role[s.now].node->body, note_places, &s);
    }
    for (size_t i = 0; i < v->code->places.n; i++) number_parts(&s, v->code->places.at[i]);
    check_counts(&s);
    const size_t outside = try_turns(&s, 0), turn = s.to ? try_turns(&s, 1) - outside : 0;
    const size_t most = s.to ? outside * turn + turn + s.meetings.n + s.parts.n : 0;
    if (most > MOST_TURNS) gn_code_wrong(v, "more barriers than are followed");
    for (size_t turns = 2; turns <= most; turns++) try_turns(&s, (int64_t)turns);
}

typedef struct walk {
    gn_verifier *v;
    gn_map names;
} walk;

static void meet_node(void *user, const gn_code_node *n)
{
    walk *const w = user;
    if (n->kind == GN_CODE_NAME) gn_code_learn_name(w->v->code, &w->names, n);
    if (n->kind == GN_CODE_ROLES) check(w->v, n, &w->names);
}

void gn_code_check_roles(gn_verifier *v)
{
    for (v->step = 0; v->step < v->code->steps.n; v->step++)
        gn_code_walk(&v->code->steps.at[v->step].body, meet_node, &(walk){ .v = v });
}
