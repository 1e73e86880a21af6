/* Copies under way: which may still be, at each node of a step. A thread's copies are committed in groups, and awaiting
 * a token is waiting for its group and all before it; so what is known is a queue, the latest group first, with the
 * places that each writes to, and for each token its group's place in the queue. A group that was awaited is seen by
 * the other threads behind the next barrier alone.
 *
 * Loops are walked until nothing new is known. A place whose loads all take element (mod x n) of n parts is a ring: n -
 * 1 groups may be under way to it while it is read; to any other, none. That no part is read which is being written is
 * for the interpreter to tell. */
#include <string.h>
#include "code_verifier.h"

enum { GROUPS = 32, TOKENS = 64, PLACES = 64, UNKNOWN = -1 };

typedef struct state {
    uint64_t under_way[GROUPS], unseen[GROUPS]; /* by group, the latest first: the places */
    uint64_t open, read; /* places: of copies that are not committed; read since the last barrier */
    int16_t age[TOKENS]; /* by token: its group */
} state;

typedef struct copies {
    gn_arena *arena;
    gn_verifier *v; /* NULL: nobody wants to know what is wrong */
    bool in_role;   /* who reads and writes when is for code_roles.c to say */
    gn_map number;  /* place id -> number of a place that copies write to, + 1; of its first token, + 1 */
    GN_VEC(const gn_place *) place;
    int64_t parts[PLACES]; /* of a ring; 0: not read yet */
    int16_t ntokens;
    state now;
    gn_map names;  /* what named indices are */
    gn_map loops;  /* by node: what holds where a turn begins, a state */
    gn_map awaits; /* by node */
} copies;

/* ---- places and tokens ---- */

static int number_of(const copies *c, const gn_place *p)
{
    return (int)(uintptr_t)gn_map_get(&c->number, p->id) - 1;
}

static void note_place(void *user, const gn_code_node *n)
{
    copies *const c = user;
    const bool token = n->kind == GN_CODE_COMMIT;
    const gn_place *const p = n->kind == GN_CODE_ASYNC ? n->access.place : token ? n->place : NULL;
    if (!p || number_of(c, p) >= 0) return;
    if (token ? c->ntokens + p->n > TOKENS : c->place.n == PLACES) {
        if (c->v)
            gn_code_wrong(c->v, "more than %d %s", token ? TOKENS : PLACES, token ? "tokens" : "places of copies");
        return;
    }
    *gn_map_put(c->arena, &c->number, p->id) = (void *)(uintptr_t)((token ? (size_t)c->ntokens : c->place.n) + 1);
    if (token)
        c->ntokens = (int16_t)(c->ntokens + (int16_t)p->n);
    else
        gn_push(c->arena, &c->place, p);
}

static void note_load(copies *c, const gn_place *p, const gn_dim *at)
{
    const int i = number_of(c, p);
    if (i < 0 || p->space == GN_SPACE_REG) return;
    const gn_dim *turn;
    const int64_t n = gn_place_parts(p, c->v ? gn_code_without_names(c->v->code, &c->names, at) : at, &turn);
    c->parts[i] = c->parts[i] && c->parts[i] != n ? 1 : n;
}

/* Loads of a node. */
static void for_each_load(const gn_code_node *n, void (*meet)(copies *, const gn_place *, const gn_dim *), copies *c)
{
    if (n->kind == GN_CODE_LET && n->val->kind == GN_VAL_LOAD) meet(c, n->val->u.load.place, n->val->u.load.base);
    for (int i = 0; n->kind == GN_CODE_TILE && i < n->tile->nmemory; i++)
        if (!n->tile->memory[i].written) meet(c, n->tile->memory[i].place, n->tile->memory[i].base);
}

static void note_loads(void *user, const gn_code_node *n)
{
    copies *const c = user;
    if (c->v && n->kind == GN_CODE_NAME) gn_code_learn_name(c->v->code, &c->names, n);
    for_each_load(n, note_load, c);
}

/* ---- what a node does ---- */

static void wrong_read(copies *c, const gn_place *p, int under_way)
{
    gn_code_wrong(c->v,
                  "it reads '%s' while %d group%s of copies to it may be under way, or unseen behind no barrier: await "
                  "their tokens before a barrier",
                  p->name, under_way, under_way == 1 ? "" : "s");
}

static void read_place(copies *c, const gn_place *p, const gn_dim *at)
{
    const int i = number_of(c, p);
    (void)at;
    if (i < 0 || p->space == GN_SPACE_REG || c->in_role) return;
    const uint64_t bit = UINT64_C(1) << i;
    int n = 0;
    if (c->v && c->now.open & bit) gn_code_wrong(c->v, "it reads '%s' before copies to it are committed", p->name);
    for (int k = 0; k < GROUPS; k++) n += ((c->now.under_way[k] | c->now.unseen[k]) & bit) != 0;
    c->now.read |= bit;
    if (c->v && n >= c->parts[i]) wrong_read(c, p, n);
}

static void start(copies *c, const gn_place *p)
{
    const int i = number_of(c, p);
    if (i < 0) return;
    const uint64_t bit = UINT64_C(1) << i;
    if (c->v && c->now.read & bit && c->parts[i] < 2 && !c->in_role)
        gn_code_wrong(c->v, "it writes over '%s', which was read since the last barrier", p->name);
    c->now.open |= bit;
}

static void commit(copies *c, const gn_place *tokens)
{
    const int first = number_of(c, tokens);
    if (first < 0) return;
    int16_t *const age = &c->now.age[first];
    if (c->v && c->now.under_way[GROUPS - 1])
        gn_code_wrong(c->v, "more than %d groups of copies are under way", GROUPS);
    memmove(c->now.under_way + 1, c->now.under_way, (GROUPS - 1) * sizeof *c->now.under_way);
    memmove(c->now.unseen + 1, c->now.unseen, (GROUPS - 1) * sizeof *c->now.unseen);
    c->now.under_way[0] = c->now.open, c->now.unseen[0] = 0, c->now.open = 0;
    for (int i = 0; i < c->ntokens; i++)
        c->now.age[i] = (int16_t)(c->now.age[i] == UNKNOWN ? UNKNOWN : c->now.age[i] + 1);
    for (uint32_t i = 0; i + 1 < tokens->n; i++) age[i] = age[i + 1];
    age[tokens->n - 1] = 0;
}

static void await(copies *c, const gn_code_node *n)
{
    const int first = number_of(c, n->place), age = first < 0 ? UNKNOWN : c->now.age[first + (int)n->number];
    if (age == UNKNOWN) {
        if (c->v) gn_code_wrong(c->v, "the token stands for no copies, or not for the same ones on every way");
        return;
    }
    *gn_map_put(c->arena, &c->awaits, GN_KEY(n)) = (void *)(uintptr_t)(age + 1);
    for (int k = age; k < GROUPS; k++) c->now.unseen[k] |= c->now.under_way[k], c->now.under_way[k] = 0;
}

static void wait_for_all(copies *c)
{
    memset(c->now.unseen, 0, sizeof c->now.unseen);
    c->now.read = 0;
}

static void end_place(copies *c, const gn_code_node *n)
{
    const gn_place *const p = n->place;
    const int i = number_of(c, p);
    if (c->v) c->v->node = n;
    if (i < 0 || p->space == GN_SPACE_REG) return;
    uint64_t all = c->now.open;
    for (int k = 0; k < GROUPS; k++) all |= c->now.under_way[k];
    if (c->v && all >> i & 1) gn_code_wrong(c->v, "copies to '%s' may be under way where it ends", p->name);
}

/* ---- walks ---- */

static bool join(copies *c, state *into, const state *other)
{
    const state before = *into;
    for (int k = 0; k < GROUPS; k++) into->under_way[k] |= other->under_way[k], into->unseen[k] |= other->unseen[k];
    into->open |= other->open, into->read |= other->read;
    for (int i = 0; i < c->ntokens; i++)
        if (into->age[i] != other->age[i]) into->age[i] = UNKNOWN;
    return memcmp(&before, into, sizeof before) != 0;
}

static void walk(copies *c, const gn_code_body *b);

/* What holds where a turn begins grows until it holds there after each turn, too; a body is walked again only when it
 * has grown, and once more by who tells what is wrong. */
static void walk_loop(copies *c, const gn_code_node *n)
{
    void **const at = gn_map_put(c->arena, &c->loops, GN_KEY(n));
    state *begin = *at;
    bool grown = !begin || join(c, begin, &c->now);
    if (!begin) *at = begin = gn_arena_copy(c->arena, &c->now, sizeof c->now);
    while (grown || c->v) {
        c->now = *begin;
        walk(c, &n->body);
        if (c->v) break;
        grown = join(c, begin, &c->now);
    }
    c->now = *begin;
}

/* Each role begins with no copies under way, and ends so; what its tokens stand for is lost with it. */
static void walk_roles(copies *c, const gn_code_node *n)
{
    const state before = c->now;
    for (int k = 0; k < GROUPS && c->v; k++)
        if (c->now.under_way[k] | c->now.open) gn_code_wrong(c->v, "copies may be under way where roles begin");
    for (size_t i = 0; i < n->body.kids.n; i++) {
        c->now = before, c->in_role = true;
        walk(c, &n->body.kids.at[i]->body);
    }
    c->now = before, c->in_role = false;
    for (int i = 0; i < TOKENS; i++) c->now.age[i] = UNKNOWN;
    wait_for_all(c);
}

static void walk_node(copies *c, const gn_code_node *n)
{
    const state before = c->now;
    if (c->v) c->v->node = n;
    for_each_load(n, read_place, c);
    switch ((gn_code_kind)n->kind) {
    case GN_CODE_FOR: walk_loop(c, n); break;
    case GN_CODE_IF:
        walk(c, &n->body);
        join(c, &c->now, &before);
        break;
    case GN_CODE_ASYNC: start(c, n->access.place); break;
    case GN_CODE_COMMIT: commit(c, n->place); break;
    case GN_CODE_AWAIT: await(c, n); break;
    case GN_CODE_BARRIER: /* a narrower one shows copies, and reads, to some of the block alone */
        if (n->scope >= GN_SCOPE_BLOCK) wait_for_all(c);
        break;
    case GN_CODE_ROLES: walk_roles(c, n); break;
    default: break;
    }
}

static void walk(copies *c, const gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) walk_node(c, b->kids.at[i]);
    for (size_t i = 0; i < b->kids.n; i++)
        if (b->kids.at[i]->kind == GN_CODE_DECLARE) end_place(c, b->kids.at[i]);
}

static void walk_step(copies *c, const gn_code_body *b)
{
    gn_verifier *const v = c->v;
    gn_code_walk(b, note_place, c);
    if (!c->place.n && !c->ntokens) return;
    gn_code_walk(b, note_loads, c);
    state begin = {.open = 0};
    for (int i = 0; i < TOKENS; i++) begin.age[i] = UNKNOWN;
    c->v = NULL, c->now = begin;
    walk(c, b);
    c->v = v, c->now = begin;
    if (v) walk(c, b);
}

gn_map gn_code_find_awaits(gn_arena *arena, const gn_code_body *step)
{
    copies c = {.arena = arena};
    walk_step(&c, step);
    return c.awaits;
}

void gn_code_check_copies(gn_verifier *v)
{
    for (v->step = 0; v->step < v->code->steps.n; v->step++) {
        copies c = {.arena = v->scratch, .v = v};
        walk_step(&c, &v->code->steps.at[v->step].body);
    }
}
