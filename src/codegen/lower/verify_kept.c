/* Kept values: what a statement reads was written before, all of it, in the same life of what it is kept in, and where
 * threads share that, by the same thread. */
#include "verify.h"

/* One use of what one statement writes. */
typedef struct use {
    gn_verifier *v;
    const gn_domain *writer, *reader;
    gn_ldef *of;
    const gn_object *object;
    const gn_kexpr *ref; /* NULL: at the reader's own point */
} use;

/* ---- where a use is ---- */

/* The digit of an argument for one leaf of its parameter. */
static const gn_dim *digit_of(const use *u, const gn_dim *arg, const gn_laxis *a, uint32_t leaf)
{
    gn_lower *g = u->v->g;
    const gn_dim *d = gn_dim_div(g->dims, gn_subst_axes(g, arg, gn_axes_over_leaves(g, g->axes.n)),
                                 gn_lconst(g, gn_leaf_stride(a, leaf)));
    const int64_t extent = g->leaves.at[leaf].extent;
    if (extent) d = gn_dim_mod(g->dims, d, gn_lconst(g, extent));
    return gn_dim_simplify(g->dims, d, &u->reader->facts);
}

/* The value that is read was made at the leaf's value that the reader has. */
static bool runs_along(const use *u, uint32_t leaf)
{
    const gn_lower *g = u->v->g;
    for (size_t p = 0; u->ref && p < u->of->nparam; p++) {
        const gn_laxis *a = &g->axes.at[u->of->param[p]], *x = gn_axis_named_by(g, u->ref->index[p]);
        if (!gn_has_leaf(a, leaf) || a == x || (x && gn_leaf_stride(x, leaf) == gn_leaf_stride(a, leaf))) continue;
        if (digit_of(u, u->ref->index[p], a, leaf) != g->leaves.at[leaf].value) return false;
    }
    return true;
}

/* ---- loops that both stand in ---- */

static bool is_corrected(const use *u, uint32_t leaf)
{
    return u->of->online == (int)leaf &&
           (u->reader->stmt->online == u->of || u->of->online_users[u->reader->stmt->def->index]);
}

/* A thread's own share is reduced inside the loop of the leaf that tells threads apart, and merged from there. */
static bool is_private_thread(const use *u, uint32_t leaf)
{
    return u->v->g->leaves.at[leaf].bind == GN_BIND_THREAD && gn_set_has(&u->of->private, leaf);
}

static void check_common(const use *u)
{
    const gn_lower *g = u->v->g;
    const gn_tree *r = u->reader->stmt;
    for (size_t i = 0; i < gn_domain_common(u->writer, u->reader); i++) {
        const uint32_t l = u->writer->loop[i].leaf;
        const bool runs = u->of->prefix && u->reader->stmt->def != u->of && runs_along(u, l);
        if (gn_set_has(&u->of->reduced, l) && !runs && !is_private_thread(u, l) && !is_corrected(u, l))
            gn_illegal(g,
                       u->writer->stmt->stmt == GN_STMT_INIT
                           ? "order: '%s' starts anew in the loop '%s', which it is reduced along, before '%s'"
                           : "order: '%s' is still being reduced in the loop '%s', where '%s' reads it",
                       u->of->name, g->leaves.at[l].name, r->def->name);
        if (gn_set_has(&u->of->params, l) && !runs_along(u, l))
            gn_illegal(g, "stage %s %s: '%s' reads it at another point of the loop '%s' than the one it is made at",
                       u->object->name, gn_level_names[u->object->level], r->def->name, g->leaves.at[l].name);
    }
}

/* ---- loops of the writer's own: they leave nothing out ---- */

/* The reader's loop over the leaf ends no later. */
static bool is_as_long(const use *u, const gn_domain_loop *w)
{
    gn_lower *g = u->v->g;
    const gn_domain_loop *r = gn_domain_loop_over(u->reader, w->leaf);
    const gn_guards none = { 0 };
    if (!r || !runs_along(u, w->leaf)) return false;
    return r->to == w->to || gn_guards_prove(g, &none, gn_ladd(g, gn_lsub(g, w->to, r->to), gn_lconst(g, 1)));
}

static bool covers_params(const use *u, const gn_domain_loop *w)
{
    bool all = true;
    for (size_t p = 0; p < u->of->nparam; p++) all &= gn_loop_covers(u->v, w, u->of->param[p]);
    return all || is_as_long(u, w);
}

/* An update runs at all points of what is reduced; any axis of the leaf will do: a partial result that has no points
 * there keeps what it starts with. */
static bool covers_points(const use *u, const gn_domain_loop *w)
{
    for (uint32_t a = 0; a < u->v->g->axes.n; a++)
        if (gn_has_leaf(&u->v->g->axes.at[a], w->leaf) && gn_loop_covers(u->v, w, a)) return true;
    return false;
}

/* What depends on a running maximum is another value in each turn of its loop. */
static bool is_passing(const use *u, const gn_domain_loop *w)
{
    gn_lower *g = u->v->g;
    for (size_t i = 0; gn_is_copy(u->of) && i < g->online.n; i++) {
        gn_ldef *m = g->online.at[i];
        if (m->online == (int)w->leaf && gn_is_inside(m, w->node) && gn_depends_on(g, u->of, m)) return true;
    }
    return false;
}

static const gn_rfactor *rfactor_of(const gn_lower *g, const gn_ldef *d)
{
    for (size_t i = 0; i < g->schedule->rfactors.n; i++)
        if (strcmp(g->schedule->rfactors.at[i].def_name, d->name) == 0) return &g->schedule->rfactors.at[i];
    return NULL;
}

_Noreturn static void tell_short(const use *u, const gn_domain_loop *w)
{
    const gn_lower *g = u->v->g;
    const gn_rfactor *f = rfactor_of(g, u->of);
    if (f && f->leaf == w->leaf)
        gn_illegal(g, "rfactor %s: the leaf '%s' may end with its axis '%s' before all its results are made",
                   gn_schedule_def_name(g->from, g->schedule, f->def), g->leaves.at[w->leaf].name,
                   g->axes.at[g->leaves.at[w->leaf].axis].name);
    gn_illegal(g, "order: the loop '%s' may end before all of '%s' is made that '%s' reads", g->leaves.at[w->leaf].name,
               u->of->name, u->reader->stmt->def->name);
}

static void check_own_loop(const use *u, const gn_domain_loop *w)
{
    const gn_lower *g = u->v->g;
    const bool param = gn_set_has(&u->of->params, w->leaf), reduced = gn_set_has(&u->of->reduced, w->leaf);
    if (u->of->prefix && reduced && u->reader->stmt->def != u->of)
        gn_illegal(g, "order: '%s' is a prefix along the loop '%s', outside of which '%s' reads it; stage it",
                   u->of->name, g->leaves.at[w->leaf].name, u->reader->stmt->def->name);
    if ((!param && !reduced) || is_passing(u, w))
        gn_illegal(g, "stage %s: it is made inside the loop '%s', and '%s' reads it outside", u->of->name,
                   g->leaves.at[w->leaf].name, u->reader->stmt->def->name);
    const bool each = u->writer->stmt->stmt == GN_STMT_UPD || reduced; /* init, of each thread's own share */
    if (!(each && covers_points(u, w)) && !(param && covers_params(u, w))) tell_short(u, w);
}

/* ---- life ---- */

static bool is_around(const gn_domain *d, const gn_tree *home)
{
    if (home->kind == GN_NODE_STEP) return d->step == home || !d->step;
    for (size_t i = 0; i < d->nloops; i++)
        if (d->loop[i].node == home) return true;
    return false;
}

static void check_life(const use *u)
{
    const gn_lower *g = u->v->g;
    const gn_tree *home = u->object->home;
    if (u->writer->number > u->reader->number)
        gn_illegal(g, "order: '%s' reads '%s' before it is made", u->reader->stmt->def->name, u->of->name);
    if (home != g->root && !(is_around(u->writer, home) && is_around(u->reader, home)))
        gn_illegal(g, "stage %s %s: '%s' reads it after it is gone", u->object->name, gn_level_names[u->object->level],
                   u->reader->stmt->def->name);
}

/* ---- threads ---- */

/* In memory that all threads have, without a barrier, a thread reads what it wrote itself, or what all wrote alike. What
 * is a thread's own it has written itself. */
static bool is_of_thread(const use *u, uint32_t l)
{
    const bool alone = gn_set_has(&u->writer->stmt->alone, l), reads_alone = gn_set_has(&u->reader->stmt->alone, l);
    if (u->object->level != GN_LEVEL_ARENA || !gn_set_has(&u->writer->leaves, l)) return !alone || reads_alone;
    return is_private_thread(u, l) || (gn_set_has(&u->reader->leaves, l) && runs_along(u, l));
}

static void check_threads(const use *u)
{
    const gn_lower *g = u->v->g;
    if (!g->cuda || u->writer->step != u->reader->step) return;
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        if (g->leaves.at[l].bind != GN_BIND_THREAD || gn_dim_is(g->leaves.at[l].points, 1) || is_of_thread(u, l)) continue;
        gn_illegal(g, "bind thread %s: '%s' reads what another thread made of '%s' in the %s, with no barrier between",
                   g->leaves.at[l].name, u->reader->stmt->def->name, u->of->name, gn_level_names[u->object->level]);
    }
}

/* Nor do parts and blocks write one place of the arena, be it the same value. */
static void check_parts(const use *u)
{
    const gn_lower *g = u->v->g;
    for (size_t i = 0; u->object->level == GN_LEVEL_ARENA && i < u->writer->nloops; i++) {
        const gn_domain_loop *l = &u->writer->loop[i];
        if ((l->bind == GN_BIND_PART || l->bind == GN_BIND_BLOCK) && !gn_is_dim(u->object, l->leaf))
            gn_illegal(g, "bind %s %s: each of them makes all of '%s' in the arena", gn_bind_names[l->bind],
                       g->leaves.at[l->leaf].name, u->of->name);
    }
}

static void check_use(const use *u)
{
    check_life(u);
    check_common(u);
    for (size_t i = gn_domain_common(u->writer, u->reader); i < u->writer->nloops; i++)
        check_own_loop(u, &u->writer->loop[i]);
    check_threads(u);
    check_parts(u);
}

/* ---- who reads what ---- */

static const gn_domain *statement(gn_verifier *v, const gn_ldef *d, gn_stmt_kind kind)
{
    for (size_t i = 0; i < d->touched.n; i++)
        if (d->touched.at[i]->def == d && d->touched.at[i]->stmt == kind && !d->touched.at[i]->online)
            return gn_domain_at(v, d->touched.at[i]);
    return NULL;
}

static const gn_domain *needed(gn_verifier *v, const gn_ldef *d, gn_stmt_kind kind, const char *what)
{
    const gn_domain *s = statement(v, d, kind);
    if (!s) gn_illegal(v->g, "order: '%s' has no %s", d->name, what);
    return s;
}

static bool starts_with(const gn_ldef *d, const gn_kexpr *ref)
{
    bool any = false;
    for (uint16_t i = 0; i < d->nstates; i++) any |= d->state[i].first == ref;
    return any;
}

static void check_users(gn_verifier *v, gn_ldef *q, const gn_domain *made)
{
    for (size_t i = 0; i < q->touched.n; i++) {
        const gn_tree *s = q->touched.at[i];
        if (s->def == q) continue;
        for (size_t r = 0; r < s->def->refs.n; r++) {
            const gn_kexpr *ref = s->def->refs.at[r];
            if (s->stmt == GN_STMT_INIT && !starts_with(s->def, ref)) continue;
            if (v->g->def[ref->u.ref] == q) check_use(&(use){ v, made, gn_domain_at(v, s), q, q->object, ref });
        }
    }
}

/* init, upd and merge of one reduction: init and merge make all elements, upd goes over all points. */
static void check_reduction(gn_verifier *v, gn_ldef *d)
{
    const gn_domain *init = needed(v, d, GN_STMT_INIT, "init"), *upd = needed(v, d, GN_STMT_UPD, "upd");
    check_use(&(use){ v, init, upd, d, gn_accumulator(d), NULL });
    if (!gn_is_merged(d)) {
        check_users(v, d, init);
        check_users(v, d, upd);
        return;
    }
    const gn_domain *merge = needed(v, d, GN_STMT_MERGE, "merge");
    check_use(&(use){ v, init, merge, d, gn_accumulator(d), NULL });
    check_use(&(use){ v, upd, merge, d, gn_accumulator(d), NULL });
    check_users(v, d, merge);
}

/* A sum that depends on a running maximum is corrected in each turn, behind the maximum and before it goes on. */
static void check_turn(gn_verifier *v, const gn_domain *s)
{
    gn_ldef *d = s->stmt->def, *m = s->stmt->online;
    const gn_domain *init = needed(v, d, GN_STMT_INIT, "init"), *upd = needed(v, d, GN_STMT_UPD, "upd"),
                    *step = needed(v, m, GN_STMT_UPD, "upd");
    check_use(&(use){ v, init, s, d, gn_accumulator(d), NULL });
    check_use(&(use){ v, step, s, m, m->state[1].object, NULL });
    bool turn = false;
    for (size_t i = 0; i < gn_domain_common(s, upd); i++) turn |= s->loop[i].leaf == (uint32_t)m->online;
    if (s->number > upd->number || !turn)
        gn_illegal(v->g, "online %s: '%s' is not corrected before its next turn", m->name, d->name);
}

static bool has_turn(gn_verifier *v, const gn_ldef *d, const gn_ldef *m)
{
    for (size_t i = 0; i < d->touched.n; i++)
        if (d->touched.at[i]->def == d && d->touched.at[i]->online == m)
            return gn_map_get(&v->of, GN_KEY(d->touched.at[i]));
    return false;
}

/* A sum inside the loop of a running maximum that it depends on. */
static void check_corrected(gn_verifier *v, const gn_domain *upd)
{
    gn_lower *g = v->g;
    gn_ldef *d = upd->stmt->def;
    for (size_t i = 0; i < g->online.n; i++) {
        gn_ldef *m = g->online.at[i];
        if (m == d || !gn_depends_on(g, d, m)) continue;
        for (size_t k = 0; k < upd->nloops; k++)
            if (upd->loop[k].leaf == (uint32_t)m->online && gn_is_inside(m, upd->loop[k].node) && !has_turn(v, d, m))
                gn_illegal(g, "online %s: '%s' is not corrected before its next turn", m->name, d->name);
    }
}

void gn_verify_kept(gn_verifier *v)
{
    gn_lower *g = v->g;
    for (size_t i = 0; i < g->items.n; i++) {
        gn_ldef *q = g->items.at[i];
        if (q->is_store || !q->touched.n) continue;
        if (gn_is_copy(q)) check_users(v, q, needed(v, q, GN_STMT_ASG, "asg"));
        else check_reduction(v, q), check_corrected(v, statement(v, q, GN_STMT_UPD));
    }
    for (size_t i = 0; i < v->all.n; i++)
        if (v->all.at[i]->stmt->online) check_turn(v, v->all.at[i]);
}
