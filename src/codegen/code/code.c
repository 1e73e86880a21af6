/* Making code, and the few questions that everybody asks of it. */
#include <inttypes.h>
#include "code.h"

/* ---- values ---- */

const gn_val *gn_val_constant(const gn_val *v)
{
    if (v->kind == GN_VAL_SPLAT) v = v->a[0];
    return v->kind == GN_VAL_CONST ? v : NULL;
}

gn_dtype gn_val_op_dtype(const gn_val *v)
{
    static const gn_op_info *const by_result[] = { &gn_op_select, &gn_op_fma, &gn_op_cast, &gn_op_bitcast };
    for (size_t i = 0; i < sizeof by_result / sizeof *by_result; i++)
        if (v->u.op == by_result[i]) return (gn_dtype)v->dtype;
    return (gn_dtype)v->a[0]->dtype;
}

static void preds_dims(gn_preds w, void (*meet)(void *, const gn_dim *), void *user)
{
    for (uint32_t i = 0; i < w.n; i++)
        for (uint16_t k = 0; k < w.at[i].n; k++) meet(user, w.at[i].cond[k].a), meet(user, w.at[i].cond[k].b);
}

static void access_dims(const gn_access *a, void (*meet)(void *, const gn_dim *), void *user)
{
    if (a->base) meet(user, a->base);
    if (a->step) meet(user, a->step);
    preds_dims(a->when, meet, user);
}

void gn_val_dims(const gn_val *v, void (*meet)(void *, const gn_dim *), void *user)
{
    preds_dims(v->when, meet, user);
    if (v->kind == GN_VAL_LOAD) access_dims(&v->u.load, meet, user);
    if (v->kind == GN_VAL_INDEX || v->kind == GN_VAL_FIRST || v->kind == GN_VAL_BIT) meet(user, v->u.index.at);
    if (v->kind == GN_VAL_IOTA) meet(user, v->u.iota.base), meet(user, v->u.iota.step);
    if (v->kind == GN_VAL_LANE && v->u.lane.at) meet(user, v->u.lane.at);
}

void gn_code_dims(const gn_code_node *n, void (*meet)(void *, const gn_dim *), void *user)
{
    if (n->kind == GN_CODE_LET) gn_val_dims(n->val, meet, user);
    if (n->from) meet(user, n->from);
    if (n->to) meet(user, n->to);
    preds_dims(n->when, meet, user);
    access_dims(&n->access, meet, user);
    access_dims(&n->source, meet, user);
    for (int i = 0; n->tile && i < n->tile->nmemory; i++)
        meet(user, n->tile->memory[i].base), meet(user, n->tile->memory[i].stride);
    for (int i = 0; n->tile && i < n->tile->ncount; i++) meet(user, n->tile->count[i]);
}

static void note_load(void *user, const gn_dim *d)
{
    *(bool *)user |= gn_dim_has_load(d);
}

bool gn_val_reads_indices(const gn_val *v)
{
    bool any = false;
    gn_val_dims(v, note_load, &any);
    return any;
}

bool gn_val_reads_registers(const gn_val *v)
{
    for (uint16_t i = 0; i < v->n; i++)
        if (!gn_val_source(v->a[i])->id && gn_val_source(v->a[i])->kind == GN_VAL_REG) return true;
    return false;
}

typedef struct mention {
    const char *of;
    bool any;
} mention;

static void note_mention(void *user, const gn_dim *d)
{
    mention *const m = user;
    m->any |= gn_dim_mentions(d, m->of);
}

bool gn_val_mentions(const gn_val *v, const char *var)
{
    mention m = { var, false };
    gn_val_dims(v, note_mention, &m);
    return m.any;
}

/* ---- building ---- */

gn_code *gn_code_new(gn_arena *arena, gn_dim_pool *dims, const gn_target *target, const char *name)
{
    gn_code *c = GN_NEW_OBJECT(arena, gn_code);
    *c = (gn_code){ .arena = arena, .dims = dims, .target = target, .name = name, .origin = name };
    return c;
}

gn_place *gn_code_place(gn_code *c, gn_place p)
{
    gn_place *made = gn_arena_copy(c->arena, &p, sizeof p);
    made->name = gn_symbol(c->arena, &c->dims->symbols, p.name);
    made->id = (uint32_t)c->places.n;
    made->n = 1;
    for (uint16_t i = 0; i < p.rank; i++) made->n *= p.extent[i];
    if (p.opaque) made->dtype = p.opaque->c.dtype, made->lanes = (uint16_t)(p.opaque->m * p.opaque->n);
    GN_ASSERT(!gn_is_argument(made) || c->nargs == made->id);
    c->nargs += gn_is_argument(made);
    gn_push(c->arena, &c->places, made);
    return made;
}

const gn_place *gn_code_find_place(const gn_code *c, const char *name)
{
    for (size_t i = 0; i < c->places.n; i++)
        if (strcmp(c->places.at[i]->name, name) == 0) return c->places.at[i];
    return NULL;
}

gn_code_node *gn_code_make(const gn_code *c, gn_code_kind kind)
{
    gn_code_node *n = GN_NEW_OBJECT(c->arena, gn_code_node);
    n->kind = (uint8_t)kind;
    return n;
}

gn_code_node *gn_code_append(const gn_code *c, gn_code_body *b, gn_code_kind kind)
{
    gn_code_node *n = gn_code_make(c, kind);
    gn_push(c->arena, &b->kids, n);
    return n;
}

const gn_val *gn_code_append_let(const gn_code *c, gn_code_body *b, uint32_t *nlets, gn_val v)
{
    v.id = ++*nlets;
    return gn_code_append(c, b, GN_CODE_LET)->val = gn_code_operand(c, v);
}

gn_val *gn_code_operand(const gn_code *c, gn_val v)
{
    return gn_arena_copy(c->arena, &v, sizeof v);
}

gn_val *gn_code_register(const gn_code *c, const gn_place *p, uint32_t number, const gn_dim *at)
{
    gn_val v = { .kind = GN_VAL_REG, .dtype = (uint8_t)p->dtype, .lanes = p->lanes };
    v.u.reg.place = p, v.u.reg.number = number, v.u.reg.at = at;
    return gn_code_operand(c, v);
}

gn_val gn_val_copy_of(const gn_val *v)
{
    return (gn_val){ .kind = GN_VAL_COPY, .dtype = v->dtype, .lanes = v->lanes, .n = 1, .a = { v } };
}

gn_tile_args *gn_code_tile(const gn_code *c, const gn_tile_op *row, gn_tile_act act)
{
    gn_tile_args *a = GN_NEW_OBJECT(c->arena, gn_tile_args);
    const bool copy = row->kind == GN_TILE_COPY, unit = row->kind == GN_TILE_UNIT;
    const bool multiplies = unit && act == GN_TILE_MULTIPLY;
    *a = (gn_tile_args){ .row = row, .act = (uint8_t)act };
    a->nmemory = copy || multiplies ? 2 : unit && act != GN_TILE_ZERO ? 1 : 0;
    a->ncount = !a->nmemory || (unit && !row->partial) ? 0 : multiplies ? 3 : 2;
    a->memory[0].layout = multiplies ? &row->a : &row->c;
    a->memory[1].layout = multiplies ? &row->b : &row->a;
    a->memory[0].written = copy || act == GN_TILE_STORE;
    a->memory[0].whole = copy;
    return a;
}

/* The digit of the register's coordinate along a leaf that the array counts. */
static uint32_t digit_of(const gn_tile_op *row, int reg, int leaf)
{
    const gn_tile_leaf *const l = &row->leaf[leaf];
    const gn_tile_reg *const at = &row->c.reg[reg];
    return (uint32_t)((l->dim == 'm' ? at->row.constant : at->col.constant) / l->stride % l->extent);
}

void gn_fragment_registers(const gn_place *p, uint32_t *c)
{
    const gn_fragment *const f = p->fragment;
    const uint32_t first = c[0];
    for (int r = 0; r < f->row->c.nregs; r++) {
        c[r] = first;
        for (int i = 0; i < f->row->nleaf; i++) {
            uint32_t step = f->dim[i] >= 0;
            for (int d = f->dim[i] + 1; step && d < p->rank; d++) step *= p->extent[d];
            if (step) c[r] += step * digit_of(f->row, r, i);
        }
    }
}

uint32_t gn_tile_reads(const gn_tile_args *a)
{
    if (a->row->kind == GN_TILE_MMA) return (uint32_t)a->row->c.nregs;
    return a->row->kind == GN_TILE_UNIT && (a->act == GN_TILE_MULTIPLY || a->act == GN_TILE_STORE);
}

uint32_t gn_tile_sets(const gn_tile_args *a)
{
    if (a->row->kind == GN_TILE_MMA) return (uint32_t)a->row->c.nregs;
    return a->row->kind == GN_TILE_UNIT && a->act != GN_TILE_STORE;
}

/* The part of a linear number that counts in steps of `stride` and no longer ones. */
static void print_digit(gn_text *t, const gn_dim *at, int64_t above, int64_t stride,
                        const char *(*name)(void *, const char *), void *user)
{
    const size_t before = t->n;
    for (uint32_t i = 0; i < at->n; i++) {
        const gn_term *term = &at->term[i];
        const int64_t c = (term->n ? term->c % above ? term->c : 0 : term->c % above) / stride;
        if (c == 0 || (term->n && term->c % stride)) continue;
        if (t->n > before) gn_text_char(t, '+');
        if (term->n == 0 || c != 1) gn_textf(t, "%" PRId64 "%s", c, term->n ? "*" : "");
        if (term->n) gn_text_add(t, name ? name(user, term->atom[0]->name) : term->atom[0]->name);
    }
    if (t->n == before) gn_text_char(t, '0');
}

void gn_code_register_index(gn_text *t, const gn_place *p, uint32_t number, const gn_dim *at,
                            const char *(*name)(void *, const char *), void *user)
{
    uint32_t stride = p->n;
    for (uint16_t i = 0; i < p->rank; i++) {
        const uint32_t above = stride;
        stride /= p->extent[i];
        gn_text_char(t, '[');
        if (at) print_digit(t, at, i ? above : INT64_MAX, stride, name, user);
        else gn_textf(t, "%u", number % above / stride);
        gn_text_char(t, ']');
    }
}

const gn_dim *gn_code_bytes(const gn_code *c, const gn_place *p)
{
    return gn_dim_scale(c->dims, p->size, (int64_t)gn_dtype_size(p->dtype));
}

static const gn_dim *meaning(void *user, const char *symbol)
{
    return gn_map_get(user, GN_KEY(symbol));
}

const gn_dim *gn_code_without_names(const gn_code *c, const gn_map *of, const gn_dim *d)
{
    return of->n && d ? gn_dim_subst(c->dims, d, meaning, (void *)of) : d;
}

void gn_code_learn_name(const gn_code *c, gn_map *of, const gn_code_node *n)
{
    const gn_dim *const is = gn_code_without_names(c, of, n->to);
    *gn_map_put(c->arena, of, GN_KEY(gn_symbol(c->arena, &c->dims->symbols, n->var))) = (void *)is;
}

uint32_t gn_code_threads(const gn_code *c)
{
    int64_t all = 1, n = 1;
    for (size_t i = 0; i < c->threads.n; i++)
        if (gn_dim_is_const(c->threads.at[i].count, &n)) all *= n;
    return (uint32_t)all;
}

const gn_dim *gn_code_parts(const gn_code *c, size_t step)
{
    const gn_dim *parts = gn_dim_const(c->dims, 1);
    for (size_t i = 0; i < c->steps.at[step].parts.n; i++)
        parts = gn_dim_mul(c->dims, parts, c->steps.at[step].parts.at[i].count);
    return parts;
}

void gn_code_walk(const gn_code_body *r, void (*meet)(void *user, const gn_code_node *), void *user)
{
    for (size_t i = 0; i < r->kids.n; i++) {
        gn_work_done.visits++;
        meet(user, r->kids.at[i]);
        gn_code_walk(&r->kids.at[i]->body, meet, user);
    }
}

static void note_id(void *user, const gn_code_node *n)
{
    uint32_t *const largest = user;
    if (n->kind == GN_CODE_LET && n->val->id > *largest) *largest = n->val->id;
}

uint32_t gn_code_largest_id(const gn_code_body *r)
{
    uint32_t largest = 0;
    gn_code_walk(r, note_id, &largest);
    return largest;
}

/* ---- what nodes read and write ---- */

void gn_code_operands(const gn_code_node *n, void (*meet)(void *, const gn_val **), void *user)
{
    gn_val *const let = n->kind == GN_CODE_LET ? (gn_val *)n->val : NULL; /* of a code that may be changed */
    gn_access *const a = let && let->kind == GN_VAL_LOAD ? &let->u.load : (gn_access *)&n->access;
    for (uint16_t i = 0; let && i < let->n; i++) meet(user, &let->a[i]);
    if (!let && n->val) meet(user, (const gn_val **)&n->val);
    if (a->each) meet(user, &a->each);
    if (a->mask) meet(user, &a->mask);
    for (int i = 0; n->tile && i < GN_TILE_MAX_REGS; i++) {
        if (n->tile->a[i]) meet(user, &n->tile->a[i]);
        if (n->tile->b[i]) meet(user, &n->tile->b[i]);
    }
}

typedef struct renaming {
    const gn_code *code;
    const gn_val *(*now)(void *user, const gn_val *);
    void *user;
} renaming;

static void rename_operand(void *user, const gn_val **v)
{
    const renaming *const r = user;
    const gn_val *const own = gn_val_source(*v), *const other = r->now(r->user, own);
    if (other == own) return;
    if (own == *v) {
        *v = other;
        return;
    }
    gn_val *const splat = gn_code_operand(r->code, **v);
    splat->a[0] = other;
    *v = splat;
}

void gn_code_rename(const gn_code *c, const gn_code_node *n, const gn_val *(*now)(void *, const gn_val *), void *user)
{
    gn_code_operands(n, rename_operand, &(renaming){ c, now, user });
}

static void rename_node(void *user, const gn_code_node *n)
{
    gn_code_operands(n, rename_operand, user);
}

void gn_code_rename_all(const gn_code *c, const gn_code_body *b, const gn_val *(*now)(void *, const gn_val *),
                        void *user)
{
    gn_code_walk(b, rename_node, &(renaming){ c, now, user });
}

static bool reads_register(const gn_val *let, const gn_place *p)
{
    for (uint16_t i = 0; i < let->n; i++) {
        const gn_val *const v = gn_val_source(let->a[i]);
        if (!v->id && v->kind == GN_VAL_REG && v->u.reg.place == p) return true;
    }
    return false;
}

bool gn_code_writes_what(const gn_code_node *n, const gn_val *let)
{
    const gn_place *const load = let->kind == GN_VAL_LOAD ? let->u.load.place : NULL;
    for (size_t i = 0; i < n->body.kids.n; i++)
        if (gn_code_writes_what(n->body.kids.at[i], let)) return true;
    if (n->kind == GN_CODE_SET) return reads_register(let, n->place);
    if (n->kind == GN_CODE_STORE || n->kind == GN_CODE_ASYNC) return n->access.place == load || gn_val_reads_indices(let);
    if (n->kind == GN_CODE_AWAIT || n->kind == GN_CODE_BARRIER) return load || gn_val_reads_indices(let);
    if (n->kind != GN_CODE_TILE) return false;
    for (int i = 0; i < n->tile->nmemory; i++)
        if (n->tile->memory[i].written && (n->tile->memory[i].place == load || gn_val_reads_indices(let))) return true;
    return n->tile->acc && reads_register(let, n->tile->acc);
}

/* ---- facts: of a variable that counts in several loops, what holds in all of them ---- */

typedef struct finder {
    gn_code *code;
    gn_map at; /* by symbol: place among the facts, + 1 */
} finder;

static void note_range(finder *f, const char *name, int64_t min, int64_t max)
{
    const char *symbol = gn_symbol(f->code->arena, &f->code->dims->symbols, name);
    void **at = gn_map_put(f->code->arena, &f->at, GN_KEY(symbol));
    if (!*at) {
        gn_push(f->code->arena, &f->code->facts, (gn_dim_fact){ .name = symbol, .mul = 1, .min = min, .max = max });
        *at = (void *)(uintptr_t)f->code->facts.n;
        return;
    }
    gn_dim_fact *known = &f->code->facts.at[(uintptr_t)*at - 1];
    if (min < known->min) known->min = min;
    if (max > known->max) known->max = max;
}

static void note_count(finder *f, const char *name, const gn_dim *from, const gn_dim *to)
{
    const gn_dim_facts facts = gn_code_facts(f->code);
    int64_t least = 0, most, other;
    gn_dim_range(to, &facts, &other, &most);
    if (from) gn_dim_range(from, &facts, &least, &other);
    note_range(f, name, least > 0 ? least : 0, most == INT64_MAX ? most : most > 0 ? most - 1 : 0);
}

static void note_index(finder *f, const char *name, const gn_dim *is)
{
    const gn_dim_facts facts = gn_code_facts(f->code);
    int64_t least, most;
    gn_dim_range(is, &facts, &least, &most);
    note_range(f, name, least, most);
}

static void note_value(finder *f, const gn_val *v)
{
    if (v->kind == GN_VAL_INDEX && v->lanes > 1) note_range(f, v->u.index.lane, 0, v->lanes - 1);
}

static void note_node(void *user, const gn_code_node *n)
{
    if (n->kind == GN_CODE_FOR) note_count(user, n->var, n->from, n->to);
    if (n->kind == GN_CODE_LET) note_value(user, n->val);
    if (n->kind == GN_CODE_NAME) note_index(user, n->var, n->to);
}

void gn_code_find_facts(gn_code *c)
{
    finder f = { .code = c };
    c->facts.n = 0;
    for (size_t i = 0; i < c->syms.n; i++) {
        const gn_ksym *s = &c->syms.at[i];
        note_range(&f, s->name, s->is >= 0 ? s->is : s->min > 0 ? s->min : 0, s->is >= 0 ? s->is : INT64_MAX);
        c->facts.at[i].mul = s->mul;
    }
    for (size_t i = 0; i < c->threads.n; i++) note_count(&f, c->threads.at[i].name, NULL, c->threads.at[i].count);
    for (size_t s = 0; s < c->steps.n; s++) {
        for (size_t i = 0; i < c->steps.at[s].parts.n; i++)
            note_count(&f, c->steps.at[s].parts.at[i].name, NULL, c->steps.at[s].parts.at[i].count);
        gn_code_walk(&c->steps.at[s].body, note_node, &f);
    }
}
