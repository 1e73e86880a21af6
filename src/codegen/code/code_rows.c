/* The pass `rows`: the part of an address that a loop does not change is computed before the loop, under a name. It is
 * worth one if it is more than a multiple of a variable and stands there again, or is long.
 *
 * Unrolled loops are no loops here: they are part of the turn of the one around. */
#include "code_names.h"
#include "code_passes.h"
#include "dim_parts.h"

enum { LONG = 3 }; /* variables and operations: worth a name if it stands there once */

typedef struct row {
    const gn_dim *at; /* what does not change */
    const char *name; /* NULL: not yet */
    uint32_t uses;
} row;

typedef struct rower {
    gn_code *code;
    gn_code_names names;
    GN_VEC(const char *) inside; /* variables of the loop and of unrolled ones in it */
    GN_VEC(row) rows;            /* of the loop */
    gn_map row_of;               /* by part: place in `rows`, + 1 */
    void (*meet)(struct rower *, gn_access *);
} rower;

static bool changes(const rower *r, const gn_term *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        const gn_dim *const d = gn_dim_of_atom(r->code->dims, t->atom[i]);
        if (gn_dim_has_load(d)) return true;
        for (size_t k = 0; k < r->inside.n; k++)
            if (gn_dim_mentions(d, r->inside.at[k])) return true;
    }
    return t->n == 0;
}

static const gn_dim *fixed_part(const rower *r, const gn_dim *d)
{
    gn_sum s;
    gn_sum_start(&s, r->code->dims);
    for (uint32_t i = 0; i < d->n; i++)
        if (!changes(r, &d->term[i])) gn_sum_add(&s, &d->term[i], 1);
    return gn_sum_done(&s);
}

static void find_row(rower *r, gn_access *a)
{
    const gn_dim *const at = fixed_part(r, a->base);
    if (at == a->base || gn_dim_size(at) < 2) return;
    void **const known = gn_map_put(r->code->arena, &r->row_of, at->id);
    if (!*known) {
        gn_push(r->code->arena, &r->rows, ((row){ .at = at }));
        *known = (void *)(uintptr_t)r->rows.n;
    }
    row *const found = &r->rows.at[(uintptr_t)*known - 1];
    found->uses++;
}

static void use_row(rower *r, gn_access *a)
{
    const gn_dim *const at = fixed_part(r, a->base);
    const uintptr_t known = (uintptr_t)gn_map_get(&r->row_of, at->id);
    if (!known || !r->rows.at[known - 1].name || at == a->base) return;
    const gn_dim *const name = gn_dim_sym(r->code->dims, r->rows.at[known - 1].name);
    a->base = gn_dim_add(r->code->dims, gn_dim_sub(r->code->dims, a->base, at), name);
}

static void meet_accesses(rower *r, gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) {
        gn_code_node *const n = b->kids.at[i];
        gn_work_done.visits++;
        gn_access *const a = n->kind == GN_CODE_STORE                                ? &n->access
                             : n->kind == GN_CODE_LET && n->val->kind == GN_VAL_LOAD ? &((gn_val *)n->val)->u.load
                                                                                     : NULL;
        if (a && a->base) r->meet(r, a);
        if (n->kind == GN_CODE_FOR && n->unrolled) gn_push(r->code->arena, &r->inside, n->var);
        if (n->kind == GN_CODE_IF || n->unrolled) meet_accesses(r, &n->body);
    }
}

static void all_accesses(rower *r, gn_code_node *loop, void (*meet)(rower *, gn_access *))
{
    r->inside.n = 0, r->meet = meet;
    gn_push(r->code->arena, &r->inside, loop->var);
    meet_accesses(r, &loop->body);
}

/* `named`: what has a name in the region, by part. */
static void name_rows(rower *r, gn_map *named, gn_code_body *out)
{
    for (size_t i = 0; i < r->rows.n; i++) {
        row *const one = &r->rows.at[i];
        if (one->uses == 1 && gn_dim_size(one->at) < LONG) continue;
        void **const known = gn_map_put(r->code->arena, named, one->at->id);
        if ((one->name = *known)) continue;
        gn_code_node *const n = gn_code_append(r->code, out, GN_CODE_NAME);
        n->var = one->name = gn_code_fresh_name(&r->names, "row"); /* without a user's name: texts differ in those alone */
        n->to = one->at;
        *known = (void *)one->name;
    }
}

static void rows_in(rower *r, gn_code_body *b)
{
    gn_code_body out = { 0 };
    gn_map named = { 0 };
    for (size_t i = 0; i < b->kids.n; i++) {
        gn_code_node *const n = b->kids.at[i];
        rows_in(r, &n->body);
        if (n->kind == GN_CODE_FOR && !n->unrolled) {
            r->rows.n = 0, r->row_of = (gn_map){ 0 };
            all_accesses(r, n, find_row);
            name_rows(r, &named, &out);
            all_accesses(r, n, use_row);
        }
        gn_push(r->code->arena, &out.kids, n);
    }
    *b = out;
}

void gn_code_name_rows(gn_code *c, gn_code_body *step)
{
    rower r = { .code = c, .names = gn_code_take_names(c) };
    rows_in(&r, step);
}
