/* Who writes before who reads. A walk over the tree carries what is known of each value; a loop's body is looked at
 * once, from what is known before the loop, since a later turn knows no less: what a body takes away and did not
 * make is refused. */
#include "program_verify.h"
#include <inttypes.h>
#include <string.h>

typedef enum { NOTHING, WHOLE, GONE } knowledge; /* GONE: another value has its memory, or a routine destroyed it */

typedef struct part { /* a slice that was written, over all turns of the loops that it moves with */
    int32_t value;
    uint32_t step, top;                     /* top: the outermost of these loops, or the step */
    const gn_dim *start, *bytes, *elements; /* of one turn; elements: bytes of these alone */
    const gn_dim *low, *high;               /* of all */
    const gn_dim *total;                    /* bytes of the elements of all; 0: not known to be written */
    gn_access_rows rows;
    gn_access_shape shape;
} part;

typedef struct order {
    gn_pverify *v;
    uint8_t *known; /* per value */
    uint32_t *by;   /* per value: the step that took it away */
    GN_VEC(part) parts;
    bool *prepared, *carried; /* per value */
    const gn_pprepare *preparing;
    int32_t in_place; /* an update that was written into its variable's memory; -1 */
    uint32_t may_end; /* steps so far that may end the program */
    uint8_t *kept[2 * GN_PROGRAM_DEPTH]; /* copies of `known`, two for each step with others within that is open */
    uint32_t nkept;
} order;

static void walk(order *o, uint32_t at, uint32_t end);

/* Room for what is known, which is the last to be given back. */
static uint8_t *keep_known(order *o)
{
    uint8_t **at = &o->kept[o->nkept++];
    if (!*at) *at = GN_NEW_ARRAY(o->v->arena, uint8_t, o->v->p->values.n);
    return memcpy(*at, o->known, o->v->p->values.n);
}

static bool is_nonnegative(order *o, const gn_dim *d)
{
    const gn_dim_facts facts = gn_pverify_facts(o->v);
    return gn_dim_nonnegative(o->v->p->dims, d, &facts);
}

static bool is_at_most(order *o, const gn_dim *a, const gn_dim *b)
{
    return is_nonnegative(o, gn_dim_sub(o->v->p->dims, b, a));
}

static const gn_dim *start_of(order *o, const gn_pstep *s, uint32_t arg)
{
    return s->start ? s->start[arg] : gn_dim_const(o->v->p->dims, 0);
}

/* What has no elements is neither read nor written: these have some. */
static void assume(order *o, const gn_access_shape *a, const gn_access_shape *b)
{
    o->v->some[0] = a, o->v->some[1] = b;
}

/* ---- reads ---- */

/* Every loop that the part moves with is over. */
static bool is_over(const order *o, const part *q)
{
    for (uint32_t k = 0; k < o->v->nopen; k++)
        if (o->v->open[k] == q->top) return false;
    return true;
}

/* Of two rows of one pitch, the second begins so far behind the first: within [0, pitch). */
static const gn_dim *behind(order *o, const gn_dim *from, const gn_dim *to, const gn_dim *pitch)
{
    gn_dim_pool *dims = o->v->p->dims;
    const gn_dim *d = gn_dim_sub(dims, to, from);
    return is_nonnegative(o, d) && is_at_most(o, d, pitch) ? d : gn_dim_mod(dims, d, pitch);
}

/* At each level of the outer rows, the inner ones lie within. */
static bool lies_in_rows(order *o, const gn_dim *inner, const gn_access_rows *in, const gn_dim *outer,
                         const gn_access_rows *out)
{
    for (int i = 0; i < out->n; i++) {
        const gn_dim *pitch = out->level[i].pitch;
        int k = 0;
        while (k < in->n && in->level[k].pitch != pitch) k++;
        if (k == in->n) return false;
        if (!is_at_most(o, gn_dim_add(o->v->p->dims, behind(o, outer, inner, pitch), in->level[k].width),
                        out->level[i].width))
            return false;
    }
    return out->n > 0 || !out->strided;
}

/* What is read is there if the parts within it, which are disjoint, have as many bytes. A part is known once all
 * loops that it moves with are over, and in the turn that writes it. */
static bool is_written(order *o, int32_t value, const gn_dim *start, const gn_dim *end, const gn_dim *elements,
                       const gn_access_rows *rows)
{
    gn_dim_pool *dims = o->v->p->dims;
    const gn_dim *sum = gn_dim_const(dims, 0);
    if (o->known[value] != NOTHING) return o->known[value] == WHOLE;
    for (size_t i = 0; i < o->parts.n; i++) {
        const part *q = &o->parts.at[i];
        if (q->value != value || gn_dim_is(q->total, 0)) continue;
        const bool over = is_over(o, q);
        const gn_dim *low = over ? q->low : q->start, *high = over ? q->high : gn_dim_add(dims, q->start, q->bytes);
        if (is_at_most(o, low, start) && is_at_most(o, end, high) && lies_in_rows(o, start, rows, low, &q->rows))
            return true;
        if (is_at_most(o, start, low) && is_at_most(o, high, end) && lies_in_rows(o, low, &q->rows, start, rows))
            sum = gn_dim_add(dims, sum, over ? q->total : q->elements);
    }
    return sum == elements;
}

static bool is_complete(order *o, int32_t value)
{
    gn_dim_pool *dims = o->v->p->dims;
    const gn_dim *sum = gn_dim_const(dims, 0);
    if (o->known[value] != NOTHING) return o->known[value] == WHOLE;
    for (size_t i = 0; i < o->parts.n; i++)
        if (o->parts.at[i].value == value && is_over(o, &o->parts.at[i]))
            sum = gn_dim_add(dims, sum, o->parts.at[i].total);
    return sum == o->v->p->values.at[value].bytes;
}

static void refuse_prepared(const order *o, uint32_t at, int32_t value)
{
    const gn_pvalue *x = &o->v->p->values.at[value];
    bool listed = x->kind == GN_VALUE_CONSTANT || o->prepared[value];
    for (uint32_t i = 0; x->kind == GN_VALUE_VARIABLE && i < o->preparing->n; i++)
        listed |= o->preparing->variable[i] == x->index;
    if (!listed) gn_pverify_refuse(o->v, at, "a prepared step reads '%s', which is no variable of its list", x->name);
}

static void need_inside(order *o, uint32_t at, int32_t value, const gn_dim *start, const gn_dim *bytes, const char *does)
{
    const gn_pvalue *x = &o->v->p->values.at[value];
    if (!is_nonnegative(o, start) || !is_at_most(o, gn_dim_add(o->v->p->dims, start, bytes), x->bytes))
        gn_pverify_refuse(o->v, at, "%s %s bytes at %s of '%s', which has %s", does, gn_dim_text(o->v->arena, bytes),
                          gn_dim_text(o->v->arena, start), x->name, gn_dim_text(o->v->arena, x->bytes));
}

static void need_there(const order *o, uint32_t at, int32_t value, const char *does)
{
    if (o->known[value] == GONE)
        gn_pverify_refuse(o->v, at, "%s '%s', which step %" PRIu32 " has destroyed", does, gn_pverify_name(o->v, value),
                          o->by[value]);
}

static void read_part(order *o, uint32_t at, int32_t value, const gn_dim *start, const gn_dim *bytes,
                      const gn_dim *elements, const gn_access_rows *rows)
{
    const gn_dim *end = gn_dim_add(o->v->p->dims, start, bytes);
    if (o->preparing) refuse_prepared(o, at, value);
    need_inside(o, at, value, start, bytes, "reads"), need_there(o, at, value, "reads");
    if (!is_complete(o, value) && !is_written(o, value, start, end, elements, rows))
        gn_pverify_refuse(o->v, at, "reads '%s' before it is written", gn_pverify_name(o->v, value));
}

/* The first byte stands for an element; or all of a value. */
static void read_bytes(order *o, uint32_t at, int32_t value, const gn_dim *start, const gn_dim *bytes)
{
    read_part(o, at, value, start, bytes, bytes, &(gn_access_rows){ 0 });
}

static void read_argument(order *o, uint32_t at, uint32_t arg)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    const gn_access_rows rows = gn_access_rows_of(&o->v->access, s, arg);
    const gn_access_shape shape = gn_access_shape_of(&o->v->access, s, arg);
    assume(o, &shape, NULL);
    read_part(o, at, s->arg[arg], start_of(o, s, arg), gn_access_bytes(&o->v->access, s, arg),
              gn_access_elements(&o->v->access, s, arg), &rows);
    assume(o, NULL, NULL);
}

/* ---- writes ---- */

static void take_away(order *o, uint32_t at, int32_t value)
{
    for (; value >= 0; value = o->v->p->values.at[value].alias) {
        if (o->known[value] == GONE) continue;
        o->known[value] = GONE, o->by[value] = at;
    }
}

static bool is_given(const gn_pvalue *x)
{
    return x->kind == GN_VALUE_INPUT || x->kind == GN_VALUE_VARIABLE || x->kind == GN_VALUE_CONSTANT;
}

static void refuse_write(order *o, uint32_t at, int32_t value)
{
    const gn_pvalue *x = &o->v->p->values.at[value];
    const bool own = x->kind == GN_VALUE_TEMP && x->alias < 0;
    if (is_given(x)) gn_pverify_refuse(o->v, at, "writes '%s', which is given", x->name);
    if (o->carried[value]) gn_pverify_refuse(o->v, at, "writes '%s', which a loop carries", x->name);
    if (o->preparing && !own) gn_pverify_refuse(o->v, at, "a prepared step writes '%s', which is not its own", x->name);
    if (!o->preparing && o->prepared[value]) gn_pverify_refuse(o->v, at, "writes '%s', which is prepared", x->name);
    if (o->preparing) o->prepared[value] = true;
}

/* Over the turns of the loop at open[k]: low and high widened, total multiplied. */
static void widen(order *o, uint32_t at, part *q, uint32_t k)
{
    gn_dim_pool *dims = o->v->p->dims;
    const char *turn = gn_pverify_turn(o->v, k);
    const gn_ploop *l = gn_pverify_loop(o->v, k);
    const gn_dim *c = gn_dim_coefficient(dims, q->low, turn), *width = gn_dim_sub(dims, q->high, q->low), *n = l->count;
    const bool up = is_at_most(o, width, c),
               down = !up && is_nonnegative(o, gn_dim_sub(dims, gn_dim_scale(dims, c, -1), width));
    if (!up && !down)
        gn_pverify_refuse(o->v, at, "writes %s bytes of '%s' at %s: the turns of '%s' write over each other",
                          gn_dim_text(o->v->arena, width), gn_pverify_name(o->v, q->value),
                          gn_dim_text(o->v->arena, q->start), turn);
    const gn_dim *first = gn_dim_sub(dims, q->low, gn_dim_mul(dims, c, gn_dim_sym(dims, turn)));
    const gn_dim *last = gn_dim_add(dims, first, gn_dim_mul(dims, c, gn_dim_sub(dims, n, gn_dim_const(dims, 1))));
    q->low = up ? first : last, q->high = gn_dim_add(dims, up ? last : first, width);
    q->total = l->has_condition ? gn_dim_const(dims, 0) : gn_dim_mul(dims, q->total, n);
    q->top = o->v->open[k];
    q->rows.n = 0; /* other rows between them */
}

/* Rows of one pitch that lie between each other. */
static bool lie_between(order *o, const part *a, const part *b)
{
    gn_dim_pool *dims = o->v->p->dims;
    for (int i = 0; i < a->rows.n; i++)
        for (int k = 0; k < b->rows.n; k++) {
            const gn_dim *pitch = a->rows.level[i].pitch;
            if (pitch != b->rows.level[k].pitch) continue;
            const gn_dim *d = behind(o, a->low, b->low, pitch);
            if (is_at_most(o, a->rows.level[i].width, d) &&
                is_at_most(o, gn_dim_add(dims, d, b->rows.level[k].width), pitch))
                return true;
        }
    return false;
}

static bool are_apart(order *o, const part *a, const part *b)
{
    return is_at_most(o, a->high, b->low) || is_at_most(o, b->high, a->low) || lie_between(o, a, b) ||
           lie_between(o, b, a);
}

static void keep_apart(order *o, const part *q)
{
    for (size_t i = 0; i < o->parts.n; i++) {
        const part *other = &o->parts.at[i];
        assume(o, &q->shape, &other->shape);
        if (other->value != q->value || are_apart(o, other, q)) continue;
        gn_pverify_refuse(o->v, q->step, "writes '%s' at %s, where step %" PRIu32 " has written",
                          gn_pverify_name(o->v, q->value), gn_dim_text(o->v->arena, q->start), other->step);
    }
}

static void write_part(order *o, uint32_t at, uint32_t arg, const gn_dim *start, const gn_dim *bytes)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    gn_dim_pool *dims = o->v->p->dims;
    const gn_dim *end = gn_dim_add(dims, start, bytes);
    const gn_dim *elements = gn_access_elements(&o->v->access, s, arg);
    part q = { .value = s->arg[arg], .step = at, .top = at, .start = start, .bytes = bytes, .elements = elements,
               .low = start, .high = end, .total = elements, .rows = gn_access_rows_of(&o->v->access, s, arg),
               .shape = gn_access_shape_of(&o->v->access, s, arg) };
    assume(o, &q.shape, NULL);
    need_inside(o, at, q.value, start, bytes, "writes");
    for (uint32_t k = o->v->nopen; k-- > 0 && (int32_t)o->v->open[k] > o->v->lives[q.value].around;)
        widen(o, at, &q, k);
    keep_apart(o, &q);
    assume(o, NULL, NULL);
    gn_push(o->v->arena, &o->parts, q);
}

static bool has_parts(const order *o, int32_t value)
{
    for (size_t i = 0; i < o->parts.n; i++)
        if (o->parts.at[i].value == value) return true;
    return false;
}

static void write_value(order *o, uint32_t at, uint32_t arg)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    const int32_t value = s->arg[arg];
    const gn_pvalue *x = &o->v->p->values.at[value];
    const gn_dim *start = start_of(o, s, arg), *bytes = gn_access_bytes(&o->v->access, s, arg);
    refuse_write(o, at, value);
    need_there(o, at, value, "writes");
    if (x->alias >= 0) take_away(o, at, x->alias);
    if (x->kind == GN_VALUE_UPDATE && x->alias >= 0) o->in_place = value;
    if (!gn_dim_is(start, 0) || bytes != x->bytes || gn_access_rows_of(&o->v->access, s, arg).strided) {
        write_part(o, at, arg, start, bytes);
        return;
    }
    if (o->known[value] == WHOLE || has_parts(o, value))
        gn_pverify_refuse(o->v, at, "writes '%s', which is written already", x->name);
    o->known[value] = WHOLE;
}

/* ---- steps ---- */

static uint32_t parts_of_kernel(const order *o, uint32_t at)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    return s->kind == GN_STEP_KERNEL ? o->v->p->kernels.at[s->kernel].nsteps : 1;
}

/* A kernel reads from its first part on and has written with its last. */
static void do_step(order *o, uint32_t at)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    const uint32_t last = parts_of_kernel(o, at) - 1;
    for (uint32_t a = 0; a < s->narg && !s->part_of; a++)
        if (s->arg[a] >= 0 && gn_access_uses(&o->v->access, s, a) & GN_OPERAND_READ) read_argument(o, at, a);
    for (uint32_t a = 0; a < s->narg && s->part_of == last; a++) {
        const uint8_t uses = s->arg[a] < 0 ? 0 : gn_access_uses(&o->v->access, s, a);
        if (uses & GN_OPERAND_WRITE) write_value(o, at, a);
        if (uses & GN_OPERAND_DESTROY) take_away(o, at, s->arg[a]);
    }
}

static void note_end(order *o, uint32_t at)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    bool may_end = s->status || (s->kind == GN_STEP_CALL && s->of.call->routine->failure);
    for (size_t i = 0; i < o->v->p->indices.n; i++) may_end |= o->v->p->indices.at[i].after == (int32_t)at;
    if (may_end && o->in_place >= 0)
        gn_pverify_refuse(o->v, at, "may end the program when the variable of '%s' has changed already",
                          gn_pverify_name(o->v, o->in_place));
    o->may_end += may_end;
}

/* ---- loops ---- */

static void enter_loop(order *o, uint32_t at)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    const gn_ploop *l = s->of.loop;
    for (uint32_t k = 0; k < l->ncarried; k++) {
        const int32_t initial = s->arg[gn_carried_initial(k)];
        read_bytes(o, at, initial, gn_dim_const(o->v->p->dims, 0), o->v->p->values.at[initial].bytes);
    }
    for (uint32_t k = 0; k < l->ncarried; k++) {
        const int32_t now = s->arg[gn_carried_now(k)];
        if (o->v->p->values.at[now].alias >= 0) take_away(o, at, o->v->p->values.at[now].alias);
        o->known[now] = WHOLE;
    }
}

/* At the end of a turn. */
static void leave_turn(order *o, uint32_t at)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    const gn_ploop *l = s->of.loop;
    for (uint32_t k = 0; k < l->ncarried; k++)
        if (!is_complete(o, s->arg[gn_carried_next(k)]))
            gn_pverify_refuse(o->v, at, "'%s', which becomes '%s', is not there at the end of a turn",
                              gn_pverify_name(o->v, s->arg[gn_carried_next(k)]),
                              gn_pverify_name(o->v, s->arg[gn_carried_now(k)]));
    if (l->has_condition && !is_complete(o, s->arg[gn_loop_condition(l)]))
        gn_pverify_refuse(o->v, at, "its condition '%s' is not there at the end of a turn",
                          gn_pverify_name(o->v, s->arg[gn_loop_condition(l)]));
}

/* What a turn takes away, the next one would miss. */
static void need_kept(order *o, uint32_t at, const uint8_t *before)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    for (int32_t i = 0; i < (int32_t)o->v->p->values.n; i++)
        if (before[i] == WHOLE && o->known[i] == GONE && !gn_is_carried(s, i))
            gn_pverify_refuse(o->v, at, "step %" PRIu32 " destroys '%s', which is from before the loop", o->by[i],
                              gn_pverify_name(o->v, i));
}

static void do_loop(order *o, uint32_t at)
{
    const gn_pstep *s = &o->v->p->steps.at[at];
    const uint32_t may_end = o->may_end;
    const int32_t in_place = o->in_place;
    enter_loop(o, at);
    const uint8_t *before = keep_known(o);
    o->v->open[o->v->nopen++] = at;
    walk(o, at + 1, s->end);
    leave_turn(o, at);
    need_kept(o, at, before);
    o->v->nopen--;
    if (o->may_end > may_end && o->in_place != in_place)
        gn_pverify_refuse(o->v, at,
                          "may end the program in a later turn, when the variable of '%s' has changed already",
                          gn_pverify_name(o->v, o->in_place));
    memcpy(o->known, before, o->v->p->values.n);
    o->nkept--;
}

/* ---- choices ---- */

static bool same_part(const part *a, const part *b)
{
    return a->value == b->value && a->low == b->low && a->high == b->high && a->total == b->total;
}

/* Parts that all bodies so far have written, of which there are `n`, are in `both` as well. */
static void keep_common(order *o, part *both, size_t n, size_t base)
{
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (size_t k = base; k < o->parts.n; k++) found |= same_part(&both[i], &o->parts.at[k]);
        if (!found) both[i].total = gn_dim_const(o->v->p->dims, 0);
    }
}

/* Another body may write at once what this one has written slice by slice. */
static void note_whole(order *o, size_t base)
{
    for (size_t i = base; i < o->parts.n; i++)
        if (is_complete(o, o->parts.at[i].value)) o->known[o->parts.at[i].value] = WHOLE;
}

/* Bodies of which one runs. */
static void do_choice(order *o, uint32_t at)
{
    const gn_pstep *steps = o->v->p->steps.at;
    const size_t nv = o->v->p->values.n, base = o->parts.n;
    const uint8_t *before = keep_known(o);
    uint8_t *after = NULL;
    part *both = NULL;
    size_t nboth = 0;
    if (steps[at].kind == GN_STEP_BRANCH)
        read_bytes(o, at, steps[at].arg[0], start_of(o, &steps[at], 0), gn_dim_const(o->v->p->dims, 1));
    for (uint32_t b = at + 1; b < steps[at].end; b = steps[b].end) {
        memcpy(o->known, before, nv);
        o->parts.n = base;
        walk(o, b + 1, steps[b].end);
        note_whole(o, base);
        if (after)
            keep_common(o, both, nboth, base);
        else
            both = gn_arena_copy(o->v->arena, o->parts.at + base, (o->parts.n - base) * sizeof *both),
            nboth = o->parts.n - base;
        for (size_t i = 0; after && i < nv; i++)
            if (o->known[i] != after[i]) o->known[i] = o->known[i] == GONE || after[i] == GONE ? GONE : NOTHING;
        if (after) memcpy(after, o->known, nv);
        else after = keep_known(o);
    }
    o->nkept -= after ? 2 : 1;
    o->parts.n = base;
    for (size_t i = 0; i < nboth; i++) gn_push(o->v->arena, &o->parts, both[i]);
}

static void do_prepare(order *o, uint32_t at)
{
    o->preparing = o->v->p->steps.at[at].of.prepare;
    walk(o, at + 1, o->v->p->steps.at[at].end);
    o->preparing = NULL;
}

static void walk(order *o, uint32_t at, uint32_t end)
{
    static void (*const of_kind[])(order *, uint32_t) = {
        [GN_STEP_KERNEL] = do_step, [GN_STEP_COPY] = do_step,       [GN_STEP_CALL] = do_step,
        [GN_STEP_LOOP] = do_loop,   [GN_STEP_BRANCH] = do_choice,   [GN_STEP_VARIANTS] = do_choice,
        [GN_STEP_BODY] = NULL,      [GN_STEP_PREPARE] = do_prepare,
    };
    for (; at < end; at = gn_step_after(o->v->p->steps.at, at)) {
        of_kind[o->v->p->steps.at[at].kind](o, at);
        note_end(o, at);
    }
}

static void check_results(order *o)
{
    const gn_program *p = o->v->p;
    for (size_t i = 0; i < p->values.n; i++) {
        const gn_pvalue *x = &p->values.at[i];
        const bool is_result = x->kind == GN_VALUE_OUTPUT || (x->kind == GN_VALUE_UPDATE && x->first >= 0);
        if (is_result && !is_complete(o, (int32_t)i))
            gn_throw(GN_EFORMAT, "%s: no step writes all of '%s'", o->v->file, x->name);
    }
}

static void note_carried(order *o)
{
    for (size_t i = 0; i < o->v->p->steps.n; i++) {
        const gn_pstep *s = &o->v->p->steps.at[i];
        for (uint32_t k = 0; s->kind == GN_STEP_LOOP && k < s->of.loop->ncarried; k++)
            o->carried[s->arg[gn_carried_now(k)]] = true;
    }
}

void gn_pverify_order(gn_pverify *v)
{
    const gn_program *p = v->p;
    const size_t n = p->values.n;
    order o = { .v = v, .known = GN_NEW_ARRAY(v->arena, uint8_t, n), .by = GN_NEW_ARRAY(v->arena, uint32_t, n) };
    o.prepared = GN_NEW_ARRAY(v->arena, bool, n), o.carried = GN_NEW_ARRAY(v->arena, bool, n), o.in_place = -1;
    note_carried(&o);
    for (size_t i = 0; i < n; i++)
        if (is_given(&p->values.at[i])) o.known[i] = WHOLE;
    walk(&o, 0, (uint32_t)p->steps.n);
    check_results(&o);
}
