/* The pass `roll`: what stands in a region for one point of a tile after the other becomes an unrolled loop over the
 * points.
 *
 * Nodes that set, store or branch are *roots*; the lets before a root belong to it. A run is n blocks of q roots each
 * that differ by the number of the block alone (code_unify.h). What several blocks use goes before the loop; what a
 * block makes and others than it use is kept in an array of registers; what comes to the blocks from n different lets
 * is put into one. The order of what is executed stays as it is but for lets that go before the loop, so that the bits
 * do. */
#include "code_passes.h"
#include "code_roll.h"

enum { MOST_ROOTS = 8, LEAST_BLOCKS = 3 };

static bool ends_window(const gn_code_node *n)
{
    if (n->kind != GN_CODE_LET && !gn_roll_is_root(n)) return true;
    if (n->kind == GN_CODE_LET && n->val->kind == GN_VAL_THREADS) return true;
    for (size_t i = 0; i < n->body.kids.n; i++)
        if (n->body.kids.at[i]->kind != GN_CODE_LET && !gn_roll_is_root(n->body.kids.at[i])) return true;
    return false;
}

/* ---- the search ---- */

static uint64_t look_of(const gn_roller *r, const gn_code_node *n)
{
    const gn_val *v = n->val ? gn_roll_source(r, n->val) : NULL;
    uint64_t h = gn_hash_mix(n->kind, n->body.kids.n);
    h = gn_hash_mix(h, n->kind == GN_CODE_SET ? n->place->id : n->kind == GN_CODE_STORE ? n->access.place->id : 0);
    return v ? gn_hash_mix(gn_hash_mix(h, v->kind), v->kind == GN_VAL_OP ? GN_KEY(v->u.op) : 0) : h;
}

typedef struct window {
    gn_roll_nodes nodes;
    GN_VEC(uint32_t) root;   /* places among the nodes */
    GN_VEC(uint64_t) look;   /* of each root */
    uint32_t *root_of;       /* by node: the root that it belongs to */
} window;

static uint32_t count_alike(const window *w, uint32_t first, uint32_t q)
{
    uint32_t n = 1;
    for (; n < GN_UNIFY_MOST && first + (n + 1) * q <= w->root.n; n++)
        for (uint32_t j = 0; j < q; j++)
            if (w->look.at[first + n * q + j] != w->look.at[first + j]) return n;
    return n;
}

/* The leaf along which the first register that differs from block to block is numbered. */
static const char *axis_of(const gn_place *p, uint32_t a, uint32_t b)
{
    uint32_t stride = p->n;
    for (uint16_t i = 0; p->axis && i < p->rank; i++) {
        stride /= p->extent[i];
        if ((b - a) % stride == 0) return p->axis[i];
    }
    return NULL;
}

static const char *axis_of_values(const gn_roller *r, const gn_val *a, const gn_val *b)
{
    if (!a || !b) return NULL;
    a = gn_roll_source(r, a), b = gn_roll_source(r, b);
    const bool regs =
        !a->id && !b->id && a->kind == GN_VAL_REG && b->kind == GN_VAL_REG && a->u.reg.place == b->u.reg.place;
    return regs && a->u.reg.number < b->u.reg.number ? axis_of(a->u.reg.place, a->u.reg.number, b->u.reg.number) : NULL;
}

static bool is_open(const gn_roller *r, const char *name)
{
    for (size_t i = 0; i < r->open.n; i++)
        if (r->open.at[i].var == name) return true;
    for (size_t i = 0; i < r->loops.n; i++)
        if (r->loops.at[i] == name) return true;
    return false;
}

/* Not taken: unrolled loops that are not in each other may have the same. */
static const char *fresh_variable(const gn_roller *r)
{
    gn_symbols *symbols = &r->code->dims->symbols;
    const char *name = gn_symbol(r->code->arena, symbols, "p");
    for (int i = 2; gn_map_get(&r->names.taken, GN_KEY(name)) || is_open(r, name); i++)
        name = gn_symbol(r->code->arena, symbols, gn_arena_printf(r->arena, "p_%d", i));
    return name;
}

/* A leaf of as many points, along which registers are numbered. */
static const char *axis_of_points(const gn_code *c, uint32_t n)
{
    for (size_t i = 0; i < c->places.n; i++)
        for (uint16_t d = 0; c->places.at[i]->axis && d < c->places.at[i]->rank; d++)
            if (c->places.at[i]->extent[d] == n) return c->places.at[i]->axis[d];
    return NULL;
}

static const char *variable_of(const gn_roll_run *u)
{
    const char *name = NULL;
    for (size_t i = 0; !name && i < u->block[0].n && i < u->block[1].n; i++) {
        const gn_code_node *a = u->block[0].at[i], *b = u->block[1].at[i];
        if (a->kind == GN_CODE_SET && b->kind == GN_CODE_SET && a->place == b->place && a->number < b->number)
            name = axis_of(a->place, a->number, b->number);
        for (uint16_t k = 0;
             !name && a->kind == GN_CODE_LET && b->kind == GN_CODE_LET && k < a->val->n && k < b->val->n; k++)
            name = axis_of_values(u->r, a->val->a[k], b->val->a[k]);
        if (!name && a->kind != GN_CODE_LET) name = axis_of_values(u->r, a->val, b->val);
    }
    /* as in the loop before or behind, which it may become one with */
    if (!name) name = u->r->before.n == u->n ? u->r->before.var : axis_of_points(u->r->code, u->n);
    if (name) name = gn_symbol(u->r->code->arena, &u->r->code->dims->symbols, name);
    return name && !is_open(u->r, name) ? name : fresh_variable(u->r);
}

/* The i-th of the lets of some block is used outside of it. */
static bool is_used_outside(const gn_roll_run *u, size_t i)
{
    bool any = false;
    for (uint32_t k = 0; k < u->n && u->block[k].at[i]->kind == GN_CODE_LET; k++) {
        const gn_roll_let *l = &u->r->let.at[u->block[k].at[i]->val->id];
        any |= l->uses > l->here;
    }
    return any;
}

/* Nodes less, for one block of so many roots. */
static int64_t saving(const gn_roll_run *u)
{
    int64_t kept = 0;
    for (size_t i = 0; i < u->block[0].n; i++) kept += is_used_outside(u, i);
    return (int64_t)(u->n - 1) * (int64_t)u->block[0].n - (int64_t)u->gathered.n * u->n - 2 * kept - 3;
}

enum { NOT_ALIKE = INT32_MIN };
/* What it saves. */
static int64_t try_run(gn_roller *r, const window *w, uint32_t first, uint32_t q, uint32_t n, gn_roll_run *u,
                       gn_code_body *body)
{
    const gn_roll_nodes *lists[GN_UNIFY_MOST];
    *u = (gn_roll_run){ .r = r,
                        .all = &w->nodes,
                        .q = q,
                        .n = n,
                        .first = first ? w->root.at[first - 1] + 1 : 0,
                        .last = w->root.at[first + q * n - 1] + 1 };
    u->block = GN_NEW_ARRAY(r->arena, gn_roll_nodes, n);
    uint32_t *root_of = GN_NEW_ARRAY(r->arena, uint32_t, u->last + 1);
    for (size_t i = u->first; i < u->last; i++) root_of[i] = w->root_of[i] - first;
    *body = (gn_code_body){ 0 };
    bool fits = gn_roll_sort(u, root_of);
    for (uint32_t k = 0; k < n; k++) lists[k] = &u->block[k], fits &= u->block[k].n == u->block[0].n;
    if (fits) u->turns = (gn_turns){ r->code->dims, r->code->arena, variable_of(u), n };
    fits = fits && gn_roll_unify(u, lists, body);
    const int64_t saved = fits ? saving(u) : NOT_ALIKE;
    gn_roll_forget(u);
    return saved;
}

/* ---- the loop ---- */

static void put_set(gn_roller *r, gn_code_body *out, const gn_place *p, uint32_t number, const gn_dim *at,
                    const gn_val *v)
{
    gn_code_node *n = gn_code_append(r->code, out, GN_CODE_SET);
    n->place = p, n->number = number, n->at = at, n->val = v;
}

typedef struct counting {
    gn_roller *r;
    uint32_t by;
} counting;

static void count_use(void *user, const gn_val **operand)
{
    const counting *c = user;
    const gn_val *const v = gn_roll_source(c->r, *operand);
    if (v->id) c->r->let.at[v->id].uses += c->by;
}

static void count_uses(gn_roller *r, const gn_code_node *n, uint32_t by)
{
    gn_roll_operands(n, count_use, &(counting){ r, by });
}

/* What a block makes for others than itself is in an array from now on. */
static void keep(gn_roll_run *u, const gn_code_node *made, size_t at, gn_code_body *declared, gn_code_body *body)
{
    gn_roller *r = u->r;
    const gn_place *p = gn_code_new_array(&r->names, declared, made->val, u->n, u->turns.var);
    put_set(r, body, p, 0, gn_dim_sym(r->code->dims, u->turns.var), made->val);
    for (uint32_t k = 0; k < u->n; k++)
        *gn_map_put(r->arena, &r->kept, u->block[k].at[at]->val->id) = gn_code_register(r->code, p, k, NULL);
}

/* One that has these lets already. */
static const gn_place *array_of(const gn_roll_run *u, size_t gathered)
{
    for (size_t i = u->r->arrays.n, tries = 64; i-- > 0 && tries-- > 0;) {
        const gn_roll_array *const a = &u->r->arrays.at[i];
        gn_work_done.scans++;
        if (a->n == u->n && memcmp(a->lets, u->gathered.at[gathered], u->n * sizeof *a->lets) == 0) return a->place;
    }
    return NULL;
}

static void fill_arrays(gn_roll_run *u, gn_code_body *declared, gn_code_body *out)
{
    gn_roller *r = u->r;
    for (size_t g = 0; g < u->gathered.n; g++) {
        const gn_place *p = array_of(u, g);
        const bool known = p;
        if (!known) p = gn_code_new_array(&r->names, declared, u->gathered.at[g][0], u->n, u->turns.var);
        for (uint32_t k = 0; k < u->n && !known; k++) put_set(r, out, p, k, NULL, u->gathered.at[g][k]);
        if (!known) gn_push(r->arena, &r->arrays, ((gn_roll_array){ u->n, u->gathered.at[g], p }));
        for (size_t i = 0; i < u->elements.n; i++) {
            gn_val *e = u->elements.at[i];
            if (!e->u.reg.place && e->u.reg.number == g) e->u.reg.place = p, e->u.reg.number = 0;
        }
    }
}

static void roll_region(gn_roller *, gn_code_body *);

static gn_code_node *build(gn_roll_run *u, const gn_code_body *made, gn_code_body *declared, gn_code_body *out)
{
    gn_roller *r = u->r;
    gn_code_node *loop = gn_code_make(r->code, GN_CODE_FOR);
    loop->var = u->turns.var, loop->to = gn_dim_const(r->code->dims, u->n), loop->unrolled = true;
    bool *outside = GN_NEW_ARRAY(r->arena, bool, made->kids.n + 1);
    for (size_t i = 0; i < made->kids.n; i++) outside[i] = is_used_outside(u, i);
    for (size_t i = u->first; i < u->last; i++) count_uses(r, u->all->at[i], UINT32_MAX);
    for (size_t i = 0; i < u->shared.n; i++) gn_push(r->code->arena, &out->kids, u->shared.at[i]);
    fill_arrays(u, declared, out);
    for (size_t i = 0; i < made->kids.n; i++) {
        gn_push(r->code->arena, &loop->body.kids, made->kids.at[i]);
        if (outside[i]) keep(u, made->kids.at[i], i, declared, &loop->body);
    }
    gn_push(r->code->arena, &out->kids, loop);
    return loop;
}

/* ---- regions ---- */

static window window_at(const gn_roller *r, const gn_code_body *b, size_t *at)
{
    window w = { 0 };
    for (; *at < b->kids.n && !ends_window(b->kids.at[*at]); ++*at) {
        gn_code_node *n = b->kids.at[*at];
        if (gn_roll_is_root(n)) gn_push(r->arena, &w.root, (uint32_t)w.nodes.n), gn_push(r->arena, &w.look, look_of(r, n));
        gn_push(r->arena, &w.nodes, n);
    }
    w.root_of = GN_NEW_ARRAY(r->arena, uint32_t, w.nodes.n + 1);
    for (size_t i = 0, root = 0; i < w.nodes.n; i++) {
        w.root_of[i] = (uint32_t)root;
        root += gn_roll_is_root(w.nodes.at[i]);
    }
    return w;
}

/* The run from this root on that saves most. */
static bool find_run(gn_roller *r, const window *w, uint32_t first, gn_roll_run *best, gn_code_body *body)
{
    int64_t most = 0;
    uint32_t best_q = 0, best_n = 0;
    for (uint32_t q = 1; q <= MOST_ROOTS; q++) {
        const uint32_t alike = count_alike(w, first, q);
        if (alike < LEAST_BLOCKS || try_run(r, w, first, q, LEAST_BLOCKS, best, body) == NOT_ALIKE) continue;
        for (uint32_t n = alike; n >= LEAST_BLOCKS; n = n > LEAST_BLOCKS && n / 2 < LEAST_BLOCKS ? LEAST_BLOCKS : n / 2) {
            const int64_t saved = try_run(r, w, first, q, n, best, body);
            if (saved > most) most = saved, best_q = q, best_n = n;
            if (saved != NOT_ALIKE) break;
        }
    }
    return most && try_run(r, w, first, best_q, best_n, best, body) == most;
}

static void put(gn_roller *r, gn_code_body *out, gn_code_node *n)
{
    gn_push(r->code->arena, &out->kids, n);
}

static void roll_window(gn_roller *r, const window *w, gn_code_body *declared, gn_code_body *out)
{
    size_t next = 0;
    for (uint32_t root = 0; root < w->root.n;) {
        gn_roll_run u;
        gn_code_body made;
        if (!find_run(r, w, root, &u, &made)) {
            for (; next <= w->root.at[root]; next++) put(r, out, w->nodes.at[next]);
            root++;
            continue;
        }
        const size_t before = out->kids.n;
        gn_code_node *loop = build(&u, &made, declared, out);
        for (size_t i = before; i < out->kids.n; i++) count_uses(r, out->kids.at[i], 1);
        gn_push(r->arena, &r->open, u.turns);
        roll_region(r, &loop->body);
        r->open.n--;
        r->before = u.turns;
        next = u.last, root += u.q * u.n;
    }
    for (; next < w->nodes.n; next++) put(r, out, w->nodes.at[next]);
}

static void roll_region(gn_roller *r, gn_code_body *b)
{
    gn_code_body declared = { 0 }, out = { 0 };
    const size_t arrays = r->arrays.n;
    r->before = (gn_turns){ 0 };
    for (size_t i = 0; i < b->kids.n;) {
        const window w = window_at(r, b, &i);
        roll_window(r, &w, &declared, &out);
        if (i == b->kids.n) break;
        gn_code_node *n = b->kids.at[i++];
        const char *var = n->kind == GN_CODE_FOR ? n->var : NULL;
        if (var) gn_push(r->arena, &r->loops, gn_symbol(r->code->arena, &r->code->dims->symbols, var));
        roll_region(r, &n->body);
        r->loops.n -= var != NULL;
        put(r, &out, n);
    }
    for (size_t i = 0; i < out.kids.n; i++) put(r, &declared, out.kids.at[i]);
    r->arrays.n = arrays;
    *b = declared;
}

/* ---- a step ---- */

/* Operands that are in registers now, and lets under one address, so that they can be numbered anew. */
static const gn_val *named(void *user, const gn_val *v)
{
    const gn_roller *const r = user;
    v = gn_roll_now(r, v);
    const gn_val *let = v->id ? gn_map_get(&r->made, v->id) : NULL;
    return let ? let : v;
}

static void note_let(void *user, const gn_code_node *n)
{
    gn_roller *r = user;
    if (n->kind == GN_CODE_LET) *gn_map_put(r->arena, &r->made, n->val->id) = (void *)n->val;
}

static void number_let(void *user, const gn_code_node *n)
{
    uint32_t *last = user;
    if (n->kind == GN_CODE_LET) ((gn_val *)n->val)->id = ++*last;
}

void gn_code_roll(gn_code *c, gn_code_body *step)
{
    gn_roller r = { .code = c, .arena = c->arena, .names = gn_code_take_names(c) };
    const uint32_t nlets = gn_code_largest_id(step);
    if (c->target->lang == GN_LANG_C && c->target->vector_bytes <= 4) return; /* scalars, for any compiler */
    for (uint32_t i = 0; i <= nlets; i++) gn_push(r.arena, &r.let, (gn_roll_let){ .block = GN_ROLL_OUTSIDE });
    for (size_t i = 0; i < step->kids.n; i++) count_uses(&r, step->kids.at[i], 1);
    roll_region(&r, step);
    uint32_t last = 0;
    gn_code_walk(step, note_let, &r);
    gn_code_rename_all(c, step, named, &r);
    gn_code_walk(step, number_let, &last);
}
