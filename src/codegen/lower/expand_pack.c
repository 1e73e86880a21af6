/* Functions of row values. A tile of rows holds one scalar for each row, and exp of eight scalars costs eight times
 * that of one vector of them. So before a statement is expanded point by point, what a function will be applied to at
 * its points is put into one vector, and the lanes of the result are known as the results at the points. */
#include "expand.h"
#include "visit.h"

enum { LEAST = 4, MOST = 16 };

typedef struct calls { /* of one function: operands at the points, different ones once */
    const gn_kexpr *expr;
    uint32_t n;
    const gn_val *at[MOST][2];
} calls;

static bool is_function(const gn_expander *x, const gn_kexpr *e)
{
    if (e->kind != GN_K_OP || e->n == 0 || e->n > 2 || !gn_is_float((gn_dtype)e->dtype) || e->a[0]->dtype != e->dtype)
        return false;
    return !x->g->target->spell(e->u.op, (gn_dtype)e->dtype, false);
}

static bool has(const calls *c, const gn_val *const *v)
{
    for (uint32_t i = 0; i < c->n; i++) {
        bool same = true;
        for (uint16_t k = 0; k < c->expr->n; k++) same &= gn_v_same(c->at[i][k], v[k]);
        if (same) return true;
    }
    return false;
}

static void compute(gn_expander *x, calls *c)
{
    const uint16_t lanes = c->n <= 4 ? 4 : c->n <= 8 ? 8 : 16;
    const gn_val *packed[2] = { NULL, NULL };
    if (c->n < LEAST) return;
    for (uint16_t k = 0; k < c->expr->n; k++) {
        const gn_val *lane[MOST];
        for (uint16_t i = 0; i < lanes; i++) lane[i] = c->at[i < c->n ? i : 0][k];
        packed[k] = gn_v_pack(&x->b, lane, lanes);
    }
    const gn_val *r = gn_v_op(&x->b, c->expr->u.op, (gn_dtype)c->expr->dtype, packed, c->expr->n);
    for (uint32_t i = 0; i < c->n; i++)
        gn_v_remember_op(&x->b, c->expr->u.op, c->at[i], c->expr->n, gn_v_lane(&x->b, r, i));
    c->n = 0;
}

static bool is_no_branch(void *unused, const void *e)
{
    (void)unused;
    const uint8_t kind = ((const gn_kexpr *)e)->kind;
    return kind == GN_K_OP || kind == GN_K_TUPLE; /* what branches read is read only where they are taken */
}

static void pack(gn_expander *x, const gn_kexpr *e, const gn_tree *s, gn_leafset leaves)
{
    calls c = { .expr = e };
    gn_points_iter it;
    gn_points_begin(x->g, &it, leaves);
    for (size_t at = 0; gn_points_next(x->g, &it, x->env); at++) {
        const gn_val *v[2] = { NULL, NULL };
        bool constant = true, scalar = true;
        gn_go_to_point(x, s, at);
        for (uint16_t k = 0; k < e->n; k++) {
            v[k] = gn_v_expr(x, e->a[k]);
            scalar &= v[k]->lanes == 1;
            constant &= v[k]->kind == GN_VAL_CONST;
        }
        gn_keep_point(x, at);
        if (!scalar) return;
        if (constant || has(&c, v) || gn_v_knows_op(&x->b, e->u.op, v, e->n)) continue;
        memcpy(c.at[c.n++], v, sizeof v);
        if (c.n == MOST) compute(x, &c);
    }
    compute(x, &c);
}

/* A step may change the state that the next point starts from. */
static bool reads_state(const gn_lower *g, const gn_kexpr *e)
{
    gn_visit v = { .arena = g->arena, .operand = gn_kexpr_operand };
    gn_visit_add(&v, e);
    bool found = false;
    for (const gn_kexpr *a; (a = gn_visit_next(&v));) found |= a->kind == GN_K_STATE;
    return found;
}

/* The points keep what they know, so that each expression is expanded once at each. */
void gn_pack_functions(gn_expander *x, const gn_tree *s, gn_leafset leaves)
{
    const bool computes = s->stmt == GN_STMT_UPD || s->stmt == GN_STMT_ASG || s->stmt == GN_STMT_STORE;
    if (!computes || x->g->cuda || x->g->target->vector_bytes <= 4) return;
    gn_visit v = { .arena = x->g->arena, .operand = gn_kexpr_operand, .enter = is_no_branch };
    gn_visit_add(&v, s->def->body);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));)
        if (is_function(x, e) && !(s->def->nstates > 1 && reads_state(x->g, e))) pack(x, e, s, leaves);
}
