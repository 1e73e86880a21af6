/* The first form: every statement point by point, without vectors, masks or lets. */
#include "interpret.h"

static gn_ref eval(gn_machine *m, const gn_kexpr *e);

/* ---- axes and places, symbolically once, then by value ---- */

static const gn_dim *over_leaves(gn_machine *m, const gn_dim *d)
{
    const gn_dim *have = gn_map_get(&m->address, GN_KEY(d));
    if (have) return have;
    gn_lower *g = m->g;
    const gn_dim **value = GN_NEW_ARRAY(m->arena, const gn_dim *, g->axes.n + 1);
    for (uint32_t a = 0; a < g->axes.n; a++) value[a] = gn_axis_value(g, a, m->own);
    const gn_dim *made = gn_subst_axes(g, d, value);
    *gn_map_put(m->arena, &m->address, GN_KEY(d)) = (void *)made;
    return made;
}

static int64_t axis_dim(gn_machine *m, const gn_dim *d)
{
    return gn_machine_dim(m, over_leaves(m, d));
}

/* Some point of these axes lies past an end. */
static bool is_outside(gn_machine *m, size_t n, const uint16_t *axis)
{
    for (size_t i = 0; i < n; i++) {
        const gn_laxis *a = &m->g->axes.at[axis[i]];
        int64_t x = 0;
        for (size_t j = 0; j < a->leaf.n; j++) x += a->stride.at[j] * m->leaf[m->thread][a->leaf.at[j]];
        if (x >= axis_dim(m, a->extent)) return true;
    }
    return false;
}

typedef struct place { /* where a use of a kept definition is */
    const gn_dim *at;  /* memory: element; registers: variable */
    const gn_dim *lane;
} place;

static const gn_dim *variable(gn_machine *m, const gn_object *o, const gn_dim *const *arg, const gn_dim **lane)
{
    gn_lower *g = m->g;
    const gn_dim **digit = GN_NEW_ARRAY(m->arena, const gn_dim *, o->dims.n + 1), *number = gn_lconst(g, 0);
    gn_object_digits(g, o, arg, m->own, digit);
    *lane = gn_lconst(g, 0);
    for (size_t i = 0; i < o->dims.n; i++) {
        if ((int32_t)o->dims.at[i] == o->lane)
            *lane = digit[i];
        else
            number = gn_ladd(g, gn_lscale(g, number, gn_points(g, o->dims.at[i])), digit[i]);
    }
    return number;
}

static place *make_place(gn_machine *m, const gn_object *o, const gn_dim *const *index)
{
    gn_lower *g = m->g;
    place *p = GN_NEW_OBJECT(m->arena, place);
    const gn_dim **arg = GN_NEW_ARRAY(m->arena, const gn_dim *, o->def->nparam + 1u);
    for (size_t i = 0; i < o->def->nparam; i++)
        arg[i] = index ? over_leaves(m, index[i]) : gn_axis_value(g, o->def->param[i], m->own);
    if (o->level == GN_LEVEL_REG)
        p->at = variable(m, o, arg, &p->lane);
    else
        p->at = gn_object_address(g, o, arg, m->own);
    return p;
}

/* Of an object at a use (the reference itself is the key), or at the statement's own point (the object is). */
static place *place_of(gn_machine *m, const gn_object *o, const void *key, const gn_dim *const *index)
{
    void **at = gn_map_put(m->arena, &m->address, GN_KEY(key));
    if (!*at) {
        place *p = make_place(m, o, index);
        *gn_map_put(m->arena, &m->address, GN_KEY(key)) = p;
        return p;
    }
    return *at;
}

static gn_ref read(gn_machine *m, const gn_object *o, const place *p)
{
    const int64_t at = gn_machine_dim(m, p->at);
    if (o->level == GN_LEVEL_REG) return gn_machine_variable(m, o, (uint32_t)at)[gn_machine_dim(m, p->lane)];
    return gn_machine_load(m, -1, o, at);
}

static void write(gn_machine *m, const gn_object *o, gn_ref v)
{
    const place *p = place_of(m, o, o, NULL);
    const int64_t at = gn_machine_dim(m, p->at);
    if (o->level == GN_LEVEL_REG)
        gn_machine_variable(m, o, (uint32_t)at)[gn_machine_dim(m, p->lane)] = v;
    else
        gn_machine_store(m, -1, o, at, v);
}

/* ---- expressions ---- */

static bool holds(gn_machine *m, const gn_kexpr *e)
{
    for (uint16_t i = 0; i < e->ncond; i++) {
        const int64_t a = axis_dim(m, e->cond[i].a), b = axis_dim(m, e->cond[i].b);
        if (e->cond[i].kind == GN_K_LT ? a >= b : a != b) return false;
    }
    return true;
}

static gn_ref constant(const gn_kexpr *e)
{
    if (gn_is_float((gn_dtype)e->dtype)) return (gn_ref){ .dtype = (gn_dtype)e->dtype, .f = e->u.f };
    return (gn_ref){ .dtype = (gn_dtype)e->dtype, .i = e->u.i };
}

static gn_ref kept(gn_machine *m, const gn_object *o, const gn_kexpr *e)
{
    return read(m, o, place_of(m, o, e, e->index));
}

static gn_ref eval_now(gn_machine *m, const gn_kexpr *e)
{
    gn_ref a[4];
    switch ((gn_kexpr_kind)e->kind) {
    case GN_K_CONST: return constant(e);
    case GN_K_INDEX:
        return gn_machine_op(gn_op_find("cast"), (gn_dtype)e->dtype,
                             &(gn_ref){ .dtype = GN_I64, .i = axis_dim(m, e->u.index) });
    case GN_K_LOAD:
        return gn_machine_load(m, (int32_t)e->u.ref, NULL, axis_dim(m, gn_kernel_flat(m->g->kernel, e->u.ref, e->index)));
    case GN_K_REF: return kept(m, m->g->def[e->u.ref]->state[e->part].object, e);
    case GN_K_STATE: return (e->u.i ? m->other : m->own_state)[e->part];
    case GN_K_TUPLE: return gn_machine_number((gn_dtype)e->dtype, 0); /* its operands are what is asked for */
    case GN_K_IF: return eval(m, e->a[holds(m, e) ? 0 : 1]);
    case GN_K_OP: break;
    }
    for (uint16_t i = 0; i < e->n; i++) a[i] = eval(m, e->a[i]);
    return gn_machine_op(e->u.op, (gn_dtype)e->dtype, a);
}

static gn_ref eval(gn_machine *m, const gn_kexpr *e)
{
    if (m->stamp[e->id] != m->now) {
        const gn_ref v = eval_now(m, e);
        m->memo[e->id] = v;
        m->stamp[e->id] = m->now;
    }
    return m->memo[e->id];
}

/* ---- statements ---- */

typedef struct tuple { /* a value for each of a state */
    gn_ref at[GN_FOLD_MOST];
} tuple;

static tuple read_state(gn_machine *m, const gn_ldef *d)
{
    tuple t;
    for (uint16_t i = 0; i < d->nstates; i++) {
        const gn_object *o = gn_accumulator_of(&d->state[i]);
        t.at[i] = read(m, o, place_of(m, o, o, NULL));
    }
    return t;
}

static tuple merged(gn_machine *m, const gn_ldef *d, const tuple *own, const tuple *other)
{
    tuple t;
    memcpy(m->own_state, own->at, sizeof own->at);
    memcpy(m->other, other->at, sizeof other->at);
    m->now++;
    for (uint16_t i = 0; i < d->nstates; i++) t.at[i] = eval(m, d->state[i].merge);
    return t;
}

/* Private points nest as a tree of trees, which is the balanced one for powers of two. */
static tuple merged_points(gn_machine *m, const gn_ldef *d, const uint32_t *leaf, size_t n)
{
    if (n == 0) return read_state(m, d);
    GN_VEC(tuple) v = { 0 };
    const int64_t count = gn_points(m->g, leaf[0]);
    for (int64_t i = 0; i < count; i++) {
        m->leaf[m->thread][leaf[0]] = i;
        const tuple t = merged_points(m, d, leaf + 1, n - 1);
        gn_push(m->arena, &v, t);
    }
    while (v.n > 1) { /* neighbours */
        size_t k = 0;
        for (size_t i = 0; i < v.n; i += 2, k++)
            v.at[k] = i + 1 < v.n ? merged(m, d, &v.at[i], &v.at[i + 1]) : v.at[i];
        v.n = k;
    }
    return v.at[0];
}

static tuple merge_point(gn_machine *m, const gn_ldef *d)
{
    uint32_t leaf[16];
    size_t n = 0;
    for (size_t i = 0; i < m->g->order.n; i++)
        if (gn_set_has(&d->private, m->g->order.at[i]) && gn_is_tile_leaf(m->g, m->g->order.at[i]))
            leaf[n++] = m->g->order.at[i];
    return merged_points(m, d, leaf, n);
}

static void write_whole(gn_machine *m, const gn_ldef *d, const tuple *t)
{
    for (uint16_t i = 0; i < d->nstates; i++) write(m, d->state[i].object, t->at[i]);
}

static void update(gn_machine *m, const gn_ldef *d)
{
    if (is_outside(m, d->nraxis, d->raxis) || is_outside(m, d->nparam, d->param)) {
        for (uint16_t i = 0; i < d->nstates; i++)
            if (d->state[i].past) write(m, gn_accumulator_of(&d->state[i]), constant(d->state[i].past));
        return;
    }
    const tuple before = read_state(m, d);
    tuple after;
    memcpy(m->own_state, before.at, sizeof before.at);
    for (uint16_t i = 0; i < d->nstates; i++) after.at[i] = eval(m, d->state[i].step);
    for (uint16_t i = 0; i < d->nstates; i++) write(m, gn_accumulator_of(&d->state[i]), after.at[i]);
}

static void assign(gn_machine *m, const gn_ldef *d)
{
    const bool outside = is_outside(m, d->nparam, d->param);
    for (uint16_t i = 0; i < d->nstates; i++) {
        const gn_object *o = d->state[i].object;
        if (!outside) write(m, o, eval(m, d->fold ? d->body->a[i] : d->body));
        else if (o->level != GN_LEVEL_REG) write(m, o, gn_machine_number(o->dtype, 0));
    }
}

static void store(gn_machine *m, const gn_ldef *d)
{
    if (is_outside(m, d->nparam, d->param)) return;
    const gn_kstore *s = d->store;
    gn_ref v = eval(m, d->body);
    const int64_t at = axis_dim(m, gn_kernel_flat(m->g->kernel, s->buf, s->index));
    if (s->kind != GN_STORE_SET)
        v = gn_machine_op(gn_red_op(s->kind == GN_STORE_ADD ? GN_RED_SUM : GN_RED_MAX), v.dtype,
                          (gn_ref[]){ gn_machine_load(m, (int32_t)s->buf, NULL, at), v });
    gn_machine_store(m, (int32_t)s->buf, NULL, at, v);
}

static void start(gn_machine *m, const gn_tree *s)
{
    const gn_ldef *d = s->def;
    const tuple before = s->online ? read_state(m, d) : (tuple){ 0 };
    memcpy(m->own_state, before.at, sizeof before.at);
    for (uint16_t i = 0; i < d->nstates; i++)
        if (s->online) write(m, gn_accumulator_of(&d->state[i]), eval(m, d->turn));
        else if (d->state[i].start) write(m, gn_accumulator_of(&d->state[i]), constant(d->state[i].start));
}

static void merge(gn_machine *m, const gn_ldef *d)
{
    const tuple t = merge_point(m, d);
    write_whole(m, d, &t);
}

static void point(gn_machine *m, const gn_tree *s)
{
    const gn_ldef *d = s->def;
    m->now++;
    switch ((gn_stmt_kind)s->stmt) {
    case GN_STMT_INIT: start(m, s); break;
    case GN_STMT_UPD: update(m, d); break;
    case GN_STMT_MERGE: merge(m, d); break;
    case GN_STMT_ASG: assign(m, d); break;
    case GN_STMT_STORE: store(m, d); break;
    }
}

static void points(gn_machine *m, const gn_tree *s, const uint32_t *leaf, size_t n)
{
    if (n == 0) {
        point(m, s);
        return;
    }
    for (int64_t i = 0; i < gn_points(m->g, leaf[0]); i++) {
        m->leaf[m->thread][leaf[0]] = i;
        points(m, s, leaf + 1, n - 1);
    }
}

/* A shared copy: its leaves are dealt to the threads, elements to thread number modulo the block. */
static void share(gn_machine *m, const gn_tree *s)
{
    const gn_ldef *d = s->def;
    const gn_stage *st = d->stage;
    const uint32_t *leaf = st->copy.n ? st->copy.at : d->object->dims.at;
    const size_t n = st->copy.n ? st->copy.n : d->object->dims.n;
    int64_t total = 1, *before = GN_NEW_ARRAY(m->arena, int64_t, m->g->leaves.n);
    for (size_t i = 0; i < n; i++) total *= gn_points(m->g, leaf[i]);
    for (int64_t c = 0; c < total; c++) {
        m->thread = (int)(c % m->nthreads);
        memcpy(before, m->leaf[m->thread], m->g->leaves.n * sizeof *before);
        int64_t rest = c;
        for (size_t i = n; i-- > 0;) {
            m->leaf[m->thread][leaf[i]] = rest % gn_points(m->g, leaf[i]);
            rest /= gn_points(m->g, leaf[i]);
        }
        point(m, s);
        memcpy(m->leaf[m->thread], before, m->g->leaves.n * sizeof *before);
    }
}

static bool merges_threads(const gn_lower *g, const gn_ldef *d)
{
    for (uint32_t l = 0; l < g->leaves.n; l++)
        if (gn_set_has(&d->private, l) && g->leaves.at[l].bind == GN_BIND_THREAD) return true;
    return false;
}

/* Thread t with t + n/2, rounded up, and so on. */
static tuple merged_threads(gn_machine *m, const gn_ldef *d, tuple *x)
{
    gn_ref *plain = GN_NEW_ARRAY(m->arena, gn_ref, m->nthreads);
    for (int t = 0; !d->fold && t < m->nthreads; t++) plain[t] = x[t].at[0];
    if (!d->fold) return (tuple){ { gn_machine_threads(m, d->red, plain) } };
    for (int n = m->nthreads; n > 1; n = (n + 1) / 2)
        for (int t = 0; t + (n + 1) / 2 < n; t++) x[t] = merged(m, d, &x[t], &x[t + (n + 1) / 2]);
    return x[0];
}

static void merge_threads(gn_machine *m, const gn_tree *s)
{
    const gn_ldef *d = s->def;
    uint32_t leaf[16];
    size_t n = 0;
    for (size_t i = 0; i < m->g->order.n; i++)
        if (gn_set_has(&d->params, m->g->order.at[i]) && gn_is_tile_leaf(m->g, m->g->order.at[i]))
            leaf[n++] = m->g->order.at[i];
    gn_points_iter it;
    gn_points_begin(m->g, &it, d->params);
    const gn_dim **env = gn_env_copy(m->g, NULL);
    tuple *x = GN_NEW_ARRAY(m->arena, tuple, m->nthreads);
    while (gn_points_next(m->g, &it, env)) {
        for (m->thread = 0; m->thread < m->nthreads; m->thread++) {
            for (size_t i = 0; i < n; i++) gn_dim_is_const(env[leaf[i]], &m->leaf[m->thread][leaf[i]]);
            m->now++;
            x[m->thread] = merge_point(m, d);
        }
        const tuple r = merged_threads(m, d, x);
        for (m->thread = 0; m->thread < m->nthreads; m->thread++) write_whole(m, d, &r);
    }
}

/* What changes shared memory from its old value is done by one of the threads that the statement does not tell apart. */
static bool is_idle(const gn_machine *m, const gn_tree *s, int thread)
{
    const gn_ldef *d = s->def;
    const bool adds = s->stmt == GN_STMT_STORE && d->store->kind != GN_STORE_SET;
    const bool accumulates =
        s->stmt != GN_STMT_MERGE && d->red != GN_RED_NONE && gn_accumulator(d)->level == GN_LEVEL_ARENA;
    if (!adds && !accumulates) return false;
    const gn_leafset own = gn_stmt_leaves(s);
    for (uint32_t l = 0; l < m->g->leaves.n; l++)
        if (m->g->leaves.at[l].bind == GN_BIND_THREAD && !gn_set_has(&own, l) && m->leaf[thread][l]) return true;
    return false;
}

static void work(gn_machine *m, const gn_tree *s, const bool *active)
{
    if (s->stmt == GN_STMT_MERGE && merges_threads(m->g, s->def)) {
        merge_threads(m, s);
        return;
    }
    if (s->stmt == GN_STMT_ASG && s->def->object->level == GN_LEVEL_SHARED) {
        share(m, s);
        return;
    }
    uint32_t leaf[16];
    size_t n = 0;
    const gn_leafset all = gn_stmt_leaves(s);
    for (size_t i = 0; i < m->g->order.n; i++)
        if (gn_set_has(&all, m->g->order.at[i]) && gn_is_tile_leaf(m->g, m->g->order.at[i])) leaf[n++] = m->g->order.at[i];
    /* A copy by a tile operation walks leaves that are no tile leaves too. */
    if (s->stmt == GN_STMT_ASG && s->def->row)
        for (size_t i = 0; i < s->def->tile->leaf.n; i++)
            if (!gn_is_tile_leaf(m->g, s->def->tile->leaf.at[i])) leaf[n++] = s->def->tile->leaf.at[i];
    for (m->thread = 0; m->thread < m->nthreads; m->thread++)
        if (active[m->thread] && !is_idle(m, s, m->thread)) points(m, s, leaf, n);
}

void gn_scheduled_interpret(const gn_scheduled *s, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    gn_lower *g = s->lower;
    gn_machine m = { .s = s, .g = g, .arena = scratch, .buffer = buffers, .sym = sym };
    m.memo = GN_NEW_ARRAY(scratch, gn_ref, g->kernel->nexprs + 1);
    m.stamp = GN_NEW_ARRAY(scratch, uint64_t, g->kernel->nexprs + 1);
    m.own = GN_NEW_ARRAY(scratch, const gn_dim *, g->leaves.n + 1);
    for (uint32_t l = 0; l < g->leaves.n; l++) m.own[l] = g->leaves.at[l].value;
    gn_machine_run(&m, s->root, work);
}
