/* What registers hold: whether each is set before it is read, and which go from turn to turn of a loop.
 *
 * Two walks over each step. Forwards: what is set for sure, by the innermost loop in whose present turn it was set; a
 * read of what this turn has not set is exposed in the loop. Backwards: what is still read. A register is carried by a
 * loop if it is set in it and read after a turn, by the next or by what follows. Regions may not be executed, so what
 * they do is taken back where they end (forwards: what they set, backwards: what they set is read for all that). Each
 * walk takes a time of registers set and read times the depth of loops. */
#include <inttypes.h>
#include <stdlib.h>
#include "code_verifier.h"
#include "dim_parts.h"

typedef struct change { /* to be taken back */
    uint32_t reg;
    int32_t before;
} change;

typedef struct loop {
    const gn_code_node *node;
    uint32_t serial;
    GN_VEC(uint32_t) exposed, set; /* registers from outside, each about once */
    GN_VEC(const gn_place *) carry;
} loop;

typedef struct flow {
    const gn_code *code;
    gn_arena *arena;
    gn_verifier *v;         /* NULL: nobody wants to know what is wrong */
    uint32_t *first;        /* by place: its first register */
    const gn_place **place; /* by register */
    int32_t *declared;      /* by place: depth of loops */
    int32_t *set;           /* by register: depth of the loop whose present turn set it, 0 the step; -1: not for sure */
    int32_t *live;          /* by register: depth of the region where it began to be read; -1: it is not */
    uint32_t *noted_read, *noted_set; /* by register: serial of the loop that has it */
    uint32_t *noted_carry;            /* by place */
    GN_VEC(change) changes;
    GN_VEC(uint32_t) grown; /* registers that began to be read */
    GN_VEC(loop *) open;    /* forwards */
    gn_map loops;           /* by node */
    uint32_t nloops;
    int32_t depth; /* of loops forwards, of regions backwards */
    gn_map turn;   /* variables of unrolled loops: where they are */
    void (*read)(struct flow *, uint32_t reg);
} flow;

/* ---- the registers of a node ---- */

static bool turn_of(void *user, const char *var, int64_t *out)
{
    flow *const f = user;
    *out = (int64_t)(intptr_t)gn_map_get(&f->turn, GN_KEY(var));
    return true;
}

/* Unrolled loops are walked turn by turn, so that each register has its number. */
static uint32_t register_of(flow *f, const gn_place *p, uint32_t number, const gn_dim *at)
{
    int64_t now = number;
    if (at && (!gn_dim_eval(at, turn_of, NULL, f, &now) || now < 0 || now >= p->n)) now = 0; /* in what is not verified */
    return f->first[p->id] + (uint32_t)now;
}

static void walk_turns(flow *f, const gn_code_node *n, bool backwards, void (*walk)(flow *, const gn_code_body *))
{
    int64_t turns = 0;
    gn_dim_is_const(n->to, &turns);
    for (int64_t i = 0; i < turns; i++) {
        *gn_map_put(f->arena, &f->turn, GN_KEY(n->var)) = (void *)(intptr_t)(backwards ? turns - 1 - i : i);
        walk(f, &n->body);
    }
}

static void read_operand(flow *f, const gn_val *a)
{
    if (a && a->kind == GN_VAL_SPLAT) a = a->a[0];
    if (a && a->id == 0 && a->kind == GN_VAL_REG) f->read(f, register_of(f, a->u.reg.place, a->u.reg.number, a->u.reg.at));
}

static void read_access(flow *f, const gn_access *a)
{
    if (a->mode == GN_ACCESS_EACH) read_operand(f, a->each);
    read_operand(f, a->mask);
}

static void read_tile(flow *f, const gn_tile_args *a)
{
    for (int i = 0; i < a->row->a.nregs; i++) read_operand(f, a->a[i]);
    for (int i = 0; i < a->row->b.nregs; i++) read_operand(f, a->b[i]);
    for (uint32_t i = 0; i < gn_tile_reads(a); i++) f->read(f, register_of(f, a->acc, a->c[i], NULL));
}

static void read_node(flow *f, const gn_code_node *n)
{
    if (n->kind == GN_CODE_LET) {
        for (uint16_t i = 0; i < n->val->n; i++) read_operand(f, n->val->a[i]);
        if (n->val->kind == GN_VAL_LOAD) read_access(f, &n->val->u.load);
    }
    if (n->kind == GN_CODE_SET || n->kind == GN_CODE_STORE) read_operand(f, n->val);
    if (n->kind == GN_CODE_STORE) read_access(f, &n->access);
    if (n->kind == GN_CODE_TILE) read_tile(f, n->tile);
    if (n->kind == GN_CODE_AWAIT) f->read(f, register_of(f, n->place, n->number, NULL));
}

/* A product adds to its registers: they are set, too. Which tokens stand for no copies code_async.c knows. */
static void for_each_set(flow *f, const gn_code_node *n, void (*note)(flow *, uint32_t reg))
{
    if (n->kind == GN_CODE_SET) note(f, register_of(f, n->place, n->number, n->at));
    for (uint32_t i = 0; n->kind == GN_CODE_COMMIT && i < n->place->n; i++) note(f, f->first[n->place->id] + i);
    for (uint32_t i = 0; n->kind == GN_CODE_TILE && i < gn_tile_sets(n->tile); i++)
        note(f, f->first[n->tile->acc->id] + n->tile->c[i]);
}

static bool is_register(const gn_code_node *n)
{
    return n->kind == GN_CODE_DECLARE && n->place->space == GN_SPACE_REG;
}

/* ---- forwards ---- */

static void read_forwards(flow *f, uint32_t reg)
{
    const gn_place *const p = f->place[reg];
    if (f->set[reg] < 0 && f->v) gn_code_wrong(f->v, "reads $%s, which is not set on every way to it", p->name);
    const int32_t known = f->set[reg] > f->declared[p->id] ? f->set[reg] : f->declared[p->id];
    if (f->depth <= known || f->noted_read[reg] == f->open.at[f->depth - 1]->serial) return;
    f->noted_read[reg] = f->open.at[f->depth - 1]->serial;
    for (int32_t d = f->depth; d > known; d--) gn_push(f->arena, &f->open.at[d - 1]->exposed, reg);
}

static void note_set_in(flow *f, loop *l, int32_t depth, uint32_t reg)
{
    if (f->noted_set[reg] == l->serial || f->declared[f->place[reg]->id] >= depth) return;
    f->noted_set[reg] = l->serial;
    gn_push(f->arena, &l->set, reg);
}

static void set_forwards(flow *f, uint32_t reg)
{
    if (f->depth > 0) note_set_in(f, f->open.at[f->depth - 1], f->depth, reg);
    if (f->set[reg] >= f->depth) return;
    gn_push(f->arena, &f->changes, ((change){ reg, f->set[reg] }));
    f->set[reg] = f->depth;
}

static void declare_forwards(flow *f, const gn_place *p)
{
    f->declared[p->id] = f->depth;
    for (uint32_t i = 0; i < p->n; i++) f->set[f->first[p->id] + i] = -1;
}

/* What is set in a loop that runs is set behind it. Of a loop that is dealt out a thread may run nothing. */
static bool runs(const gn_code_node *n)
{
    int64_t from = 0, to;
    return n->kind == GN_CODE_FOR && !n->dealt && gn_dim_is_const(n->to, &to) &&
           (!n->from || gn_dim_is_const(n->from, &from)) && from < to;
}

static void take_back(flow *f, size_t mark, bool keep)
{
    size_t kept = mark;
    for (size_t i = f->changes.n; i-- > mark && !keep;) f->set[f->changes.at[i].reg] = f->changes.at[i].before;
    for (size_t i = mark; i < f->changes.n && keep; i++) {
        const change c = f->changes.at[i];
        if (f->set[c.reg] > f->depth) f->set[c.reg] = f->depth;
        if (c.before < f->depth) f->changes.at[kept++] = c;
    }
    f->changes.n = kept;
}

static void walk_forwards(flow *f, const gn_code_body *b);

static void loop_forwards(flow *f, const gn_code_node *n)
{
    loop *const l = GN_NEW_OBJECT(f->arena, loop);
    *l = (loop){ .node = n, .serial = ++f->nloops };
    *gn_map_put(f->arena, &f->loops, GN_KEY(n)) = l;
    gn_push(f->arena, &f->open, l);
    f->depth++;
    walk_forwards(f, &n->body);
    f->depth--;
    f->open.n--;
    for (size_t i = 0; i < l->set.n && f->depth > 0; i++)
        note_set_in(f, f->open.at[f->depth - 1], f->depth, l->set.at[i]);
}

static void walk_forwards(flow *f, const gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) {
        const gn_code_node *const n = b->kids.at[i];
        const size_t mark = f->changes.n;
        gn_work_done.visits++;
        if (f->v) f->v->node = n;
        read_node(f, n);
        for_each_set(f, n, set_forwards);
        if (is_register(n)) declare_forwards(f, n->place);
        if (n->kind == GN_CODE_FOR && !n->unrolled) loop_forwards(f, n);
        if (n->kind == GN_CODE_FOR && n->unrolled) walk_turns(f, n, false, walk_forwards);
        if (n->kind == GN_CODE_IF) walk_forwards(f, &n->body);
        if ((n->kind == GN_CODE_FOR && !n->unrolled) || n->kind == GN_CODE_IF) take_back(f, mark, runs(n));
    }
}

/* ---- backwards ---- */

static void read_backwards(flow *f, uint32_t reg)
{
    if (f->live[reg] >= 0) return;
    f->live[reg] = f->depth;
    gn_push(f->arena, &f->grown, reg);
}

static void set_backwards(flow *f, uint32_t reg)
{
    if (f->live[reg] < 0) return;
    if (f->live[reg] < f->depth) gn_push(f->arena, &f->changes, ((change){ reg, f->live[reg] }));
    f->live[reg] = -1;
}

static void walk_backwards(flow *f, const gn_code_body *b);

static void region_backwards(flow *f, const gn_code_node *n)
{
    const size_t grown = f->grown.n, mark = f->changes.n;
    f->depth++;
    walk_backwards(f, &n->body);
    f->depth--;
    size_t kept = grown;
    for (size_t i = grown; i < f->grown.n; i++) {
        const uint32_t reg = f->grown.at[i];
        if (f->live[reg] != f->depth + 1) continue;
        f->live[reg] = f->depth;
        f->grown.at[kept++] = reg;
    }
    f->grown.n = kept;
    while (f->changes.n > mark) {
        const change c = gn_pop(&f->changes);
        f->live[c.reg] = c.before;
    }
}

static int by_id(const void *a, const void *b)
{
    const gn_place *const p = *(const gn_place *const *)a, *const q = *(const gn_place *const *)b;
    return p->id < q->id ? -1 : p->id > q->id;
}

static void loop_backwards(flow *f, const gn_code_node *n)
{
    loop *const l = gn_map_get(&f->loops, GN_KEY(n));
    for (size_t i = 0; i < l->exposed.n; i++) read_backwards(f, l->exposed.at[i]);
    for (size_t i = 0; i < l->set.n; i++) {
        const gn_place *const p = f->place[l->set.at[i]];
        if (f->live[l->set.at[i]] < 0 || f->noted_carry[p->id] == l->serial) continue;
        f->noted_carry[p->id] = l->serial;
        gn_push(f->arena, &l->carry, p);
    }
    if (l->carry.n) qsort(l->carry.at, l->carry.n, sizeof *l->carry.at, by_id);
    region_backwards(f, n);
}

static void walk_backwards(flow *f, const gn_code_body *b)
{
    for (size_t i = b->kids.n; i-- > 0;) {
        const gn_code_node *const n = b->kids.at[i];
        gn_work_done.visits++;
        if (is_register(n))
            for (uint32_t k = 0; k < n->place->n; k++) f->live[f->first[n->place->id] + k] = -1;
        for_each_set(f, n, set_backwards);
        read_node(f, n);
        if (n->kind == GN_CODE_FOR && !n->unrolled) loop_backwards(f, n);
        if (n->kind == GN_CODE_FOR && n->unrolled) walk_turns(f, n, true, walk_backwards);
        if (n->kind == GN_CODE_IF) region_backwards(f, n);
    }
}

/* ---- all steps ---- */

static void begin(flow *f, const gn_code *c)
{
    uint32_t n = 0;
    f->first = GN_NEW_ARRAY(f->arena, uint32_t, c->places.n + 1);
    for (size_t i = 0; i < c->places.n; i++) {
        f->first[i] = n;
        if (c->places.at[i]->space == GN_SPACE_REG) n += c->places.at[i]->n;
    }
    f->place = GN_NEW_ARRAY(f->arena, const gn_place *, n + 1);
    for (size_t i = 0; i < c->places.n; i++)
        for (uint32_t k = f->first[i]; c->places.at[i]->space == GN_SPACE_REG && k < f->first[i] + c->places.at[i]->n;
             k++)
            f->place[k] = c->places.at[i];
    f->declared = GN_NEW_ARRAY(f->arena, int32_t, c->places.n + 1);
    f->noted_carry = GN_NEW_ARRAY(f->arena, uint32_t, c->places.n + 1);
    f->set = GN_NEW_ARRAY(f->arena, int32_t, n + 1);
    f->live = GN_NEW_ARRAY(f->arena, int32_t, n + 1);
    f->noted_read = GN_NEW_ARRAY(f->arena, uint32_t, n + 1);
    f->noted_set = GN_NEW_ARRAY(f->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) f->live[i] = f->set[i] = -1;
}

static void find(flow *f, const gn_code *c)
{
    begin(f, c);
    for (size_t s = 0; s < c->steps.n; s++) {
        if (f->v) f->v->step = s;
        f->changes.n = f->grown.n = 0;
        f->read = read_forwards;
        walk_forwards(f, &c->steps.at[s].body);
        f->changes.n = 0;
        f->read = read_backwards;
        walk_backwards(f, &c->steps.at[s].body);
    }
}

typedef struct carried {
    flow f;
    gn_code *code;
} carried;

static void put_carried(void *user, const gn_code_node *n)
{
    carried *const c = user;
    gn_code_node *const node = (gn_code_node *)n; /* of a code that may be changed */
    const loop *const l = n->kind == GN_CODE_FOR ? gn_map_get(&c->f.loops, GN_KEY(n)) : NULL;
    node->carry.n = 0;
    for (size_t i = 0; l && i < l->carry.n; i++) gn_push(c->code->arena, &node->carry, l->carry.at[i]);
}

static void find_carried(void *arg)
{
    carried *const c = arg;
    find(&c->f, c->code);
    for (size_t s = 0; s < c->code->steps.n; s++) gn_code_walk(&c->code->steps.at[s].body, put_carried, c);
}

void gn_code_find_carried(gn_code *code)
{
    gn_arena scratch = { .allocator = code->arena->allocator };
    carried c = { .f = { .code = code, .arena = &scratch }, .code = code };
    gn_dim_with_scratch(&scratch, find_carried, &c);
}

static bool lists(const gn_place *const *at, size_t n, const gn_place *p)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] == p) return true;
    return false;
}

static void compare_carried(void *user, const gn_code_node *n)
{
    flow *const f = user;
    const loop *const l = n->kind == GN_CODE_FOR ? gn_map_get(&f->loops, GN_KEY(n)) : NULL;
    f->v->node = n;
    for (size_t i = 0; i < n->carry.n; i++) {
        const gn_place *const p = n->carry.at[i];
        if (!l || !lists(l->carry.at, l->carry.n, p))
            gn_code_wrong(f->v, ":carry lists '%s', which no turn leaves to the next or to what follows", p->name);
        if (lists(n->carry.at, i, p)) gn_code_wrong(f->v, ":carry lists '%s' twice", p->name);
    }
    for (size_t i = 0; l && i < l->carry.n; i++)
        if (!lists(n->carry.at, n->carry.n, l->carry.at[i]))
            gn_code_wrong(f->v, ":carry lacks '%s'", l->carry.at[i]->name);
}

void gn_code_check_flow(gn_verifier *v)
{
    flow f = { .code = v->code, .arena = v->scratch, .v = v };
    find(&f, v->code);
    for (v->step = 0; v->step < v->code->steps.n; v->step++)
        gn_code_walk(&v->code->steps.at[v->step].body, compare_carried, &f);
}
