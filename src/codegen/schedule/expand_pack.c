/* Functions of row values. A tile of rows holds one scalar for each row, and exp of eight scalars costs eight times that of one vector of them.
 * So before a statement is expanded point by point, what a function will be applied to at its points is put into one vector, and the lanes of
 * the result are known as the results at the points. */
#include "expand.h"

enum { LEAST = 4, MOST = 16 };

typedef struct calls { /* of one function: operands at the points, different ones once */
    const gn_kexpr *expr;
    uint32_t n;
    const gn_val *at[MOST][2];
} calls;

static bool is_function(const gn_expander *x, const gn_kexpr *e)
{
    if (e->kind != GN_K_OP || e->n == 0 || e->n > 2 || !gn_is_float((gn_dtype)e->dtype) || e->a[0]->dtype != e->dtype) return false;
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
        packed[k] = gn_v_pack(x, lane, lanes);
    }
    const gn_val *r = gn_v_op(x, c->expr->u.op, (gn_dtype)c->expr->dtype, packed, c->expr->n);
    for (uint32_t i = 0; i < c->n; i++) gn_v_remember_op(x, c->expr->u.op, c->at[i], c->expr->n, gn_v_lane(x, r, i));
    c->n = 0;
}

static void pack(gn_expander *x, const gn_kexpr *e, const gn_tree *s, gn_leafset leaves, void (*set_point)(gn_expander *, const gn_tree *))
{
    if (e->kind != GN_K_OP) return; /* branches are left alone: what they read is read only where they are taken */
    for (uint16_t i = 0; i < e->n; i++) pack(x, e->a[i], s, leaves, set_point);
    if (!is_function(x, e)) return;
    calls c = { .expr = e };
    gn_points_iter it;
    gn_points_begin(x->g, &it, leaves);
    while (gn_points_next(x->g, &it, x->env)) {
        const gn_val *v[2] = { NULL, NULL };
        bool constant = true;
        set_point(x, s);
        for (uint16_t k = 0; k < e->n; k++) {
            v[k] = gn_v_expr(x, e->a[k]);
            if (v[k]->lanes != 1) return;
            constant &= v[k]->kind == GN_VAL_CONST;
        }
        if (constant || has(&c, v) || gn_v_knows_op(x, e->u.op, v, e->n)) continue;
        memcpy(c.at[c.n++], v, sizeof v);
        if (c.n == MOST) compute(x, &c);
    }
    compute(x, &c);
}

void gn_pack_functions(gn_expander *x, const gn_tree *s, gn_leafset leaves, void (*set_point)(gn_expander *, const gn_tree *))
{
    const bool computes = s->stmt == GN_STMT_UPD || s->stmt == GN_STMT_ASG || s->stmt == GN_STMT_STORE;
    if (!computes || x->g->cuda || x->g->target->vector_bytes <= 4 || s->def->online >= 0) return;
    pack(x, s->def->body, s, leaves, set_point);
}
