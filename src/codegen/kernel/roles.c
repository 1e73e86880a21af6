#include "roles.h"

const char *const gn_role_names[] = { NULL, "batch", "row", "part", "lane", "m", "n", "k" };

gn_kernel_piece gn_kernel_piece_end(const gn_kernel *k, size_t piece)
{
    if (piece + 1 < k->pieces.n) return k->pieces.at[piece + 1];
    return (gn_kernel_piece){ (uint32_t)k->axes.n, (uint32_t)k->items.n };
}

static bool is_reduced(const gn_kernel *k, uint32_t axis)
{
    for (size_t i = 0; i < k->defs.n; i++)
        if (gn_def_reduces(&k->defs.at[i], axis)) return true;
    return false;
}

/* ---- contractions ---- */

static const gn_kdef *factor(const gn_kernel *k, const gn_kexpr *e)
{
    const gn_kdef *d = e->kind == GN_K_REF ? &k->defs.at[e->u.ref] : NULL;
    return d && d->red == GN_RED_NONE ? d : NULL;
}

static bool factors(const gn_kernel *k, const gn_kdef *d, gn_contraction *c)
{
    const gn_kexpr *e = d->body;
    if (d->red != GN_RED_SUM || e->kind != GN_K_OP || e->u.op != &gn_op_mul) return false;
    *c = (gn_contraction){ d, factor(k, e->a[0]), factor(k, e->a[1]) };
    return c->a && c->b;
}

bool gn_is_contraction(const gn_kernel *k, const gn_kdef *d, uint32_t m, uint32_t n, gn_contraction *c)
{
    if (!factors(k, d, c) || !gn_def_keeps(d, m) || !gn_def_keeps(d, n)) return false;
    if (gn_def_keeps(c->a, n)) *c = (gn_contraction){ d, c->b, c->a };
    return gn_def_keeps(c->a, m) && gn_def_keeps(c->b, n) && !gn_def_keeps(c->a, n) && !gn_def_keeps(c->b, m);
}

/* The last axis of x that d keeps and y does not have; -1. */
static int32_t own_axis(const gn_kdef *d, const gn_kdef *x, const gn_kdef *y)
{
    for (size_t i = x->nparam; i-- > 0;)
        if (gn_def_keeps(d, x->param[i]) && !gn_def_keeps(y, x->param[i])) return x->param[i];
    return -1;
}

void gn_role_contraction(gn_kernel *k, const gn_kdef *acc, uint32_t m, uint32_t n)
{
    for (size_t i = 0; i < acc->nparam; i++) k->axes.at[acc->param[i]].role = GN_ROLE_BATCH;
    for (size_t i = 0; i < acc->nraxis; i++) k->axes.at[acc->raxis[i]].role = GN_ROLE_K;
    k->axes.at[m].role = GN_ROLE_M, k->axes.at[n].role = GN_ROLE_N;
}

void gn_role_row(gn_kernel *k, uint32_t axis)
{
    k->axes.at[axis].role = is_reduced(k, axis) ? GN_ROLE_PART : GN_ROLE_ROW;
}

/* ---- where there are none ---- */

static void derive(gn_kernel *k, gn_kernel_piece first, gn_kernel_piece end)
{
    bool adds = false;
    for (uint32_t i = first.first_item; i < end.first_item; i++) {
        const gn_kitem *it = &k->items.at[i];
        gn_contraction c;
        adds |= it->is_store && k->stores.at[it->at].kind != GN_STORE_SET;
        if (it->is_store || !factors(k, &k->defs.at[it->at], &c)) continue;
        const int32_t m = own_axis(c.acc, c.a, c.b), n = own_axis(c.acc, c.b, c.a);
        if (m < 0 || n < 0) continue;
        gn_role_contraction(k, c.acc, (uint32_t)m, (uint32_t)n);
        return;
    }
    if (!adds && end.first_axis > first.first_axis) gn_role_row(k, first.first_axis);
}

void gn_roles_derive(gn_kernel *k)
{
    for (size_t a = 0; a < k->axes.n; a++)
        if (k->axes.at[a].role) return;
    for (size_t i = 0; i < k->pieces.n; i++) derive(k, k->pieces.at[i], gn_kernel_piece_end(k, i));
    if (!k->pieces.n) derive(k, (gn_kernel_piece){ 0, 0 }, gn_kernel_piece_end(k, 0));
}

/* ---- what must hold ---- */

/* By axis, the roles that it fits, as bits; all contractions between this m and n together. */
static void see_contractions(const gn_kernel *k, uint32_t m, uint32_t n, uint16_t *fits)
{
    for (size_t i = 0; i < k->defs.n; i++) {
        gn_contraction c;
        if (!gn_is_contraction(k, &k->defs.at[i], m, n, &c)) continue;
        fits[m] |= 1 << GN_ROLE_M, fits[n] |= 1 << GN_ROLE_N;
        for (size_t p = 0; p < c.acc->nparam; p++) fits[c.acc->param[p]] |= 1 << GN_ROLE_BATCH;
        for (size_t r = 0; r < c.acc->nraxis; r++) fits[c.acc->raxis[r]] |= 1 << GN_ROLE_K;
    }
}

static const char *const meanings[] = {
    [GN_ROLE_BATCH] = "no contraction of m and n keeps it beside them",
    [GN_ROLE_ROW] = "a reduction runs along it: it is a part",
    [GN_ROLE_PART] = "no reduction runs along it: it is a row",
    [GN_ROLE_M] = "there is no sum of a product of two definitions, one with m alone and one with n alone",
    [GN_ROLE_N] = "there is no sum of a product of two definitions, one with m alone and one with n alone",
    [GN_ROLE_K] = "no contraction of m and n sums over it",
};

/* One of each in a piece, but for k and batch. */
static void verify_once(const gn_kernel *k, uint32_t first, uint32_t end)
{
    for (uint32_t a = first; a < end; a++)
        for (uint32_t b = first; b < a; b++) {
            const uint8_t r = k->axes.at[a].role, of = k->axes.at[b].role;
            const bool rows = (r == GN_ROLE_ROW || r == GN_ROLE_PART) && (of == GN_ROLE_ROW || of == GN_ROLE_PART);
            if (rows || (r == of && r >= GN_ROLE_LANE && r != GN_ROLE_K))
                gn_throw(GN_ESYNTAX, "kernel %s: %s: a second axis with the role %s, beside %s", k->name,
                         k->axes.at[a].name, gn_role_names[r], k->axes.at[b].name);
        }
}

static void verify_piece(const gn_kernel *k, uint32_t first, uint32_t end)
{
    uint16_t fits[64] = { 0 };
    verify_once(k, first, end);
    for (uint32_t m = first; m < end; m++)
        for (uint32_t n = first; n < end; n++)
            if (k->axes.at[m].role == GN_ROLE_M && k->axes.at[n].role == GN_ROLE_N) see_contractions(k, m, n, fits);
    for (uint32_t a = first; a < end; a++) {
        const uint8_t role = k->axes.at[a].role;
        const bool reduced = is_reduced(k, a);
        fits[a] |= 1 << GN_ROLE_NONE | 1 << GN_ROLE_LANE | (reduced ? 1 << GN_ROLE_PART : 1 << GN_ROLE_ROW);
        if (!(fits[a] >> role & 1))
            gn_throw(GN_ESYNTAX, "kernel %s: %s: has the role %s, but %s", k->name, k->axes.at[a].name,
                     gn_role_names[role], meanings[role]);
    }
}

void gn_roles_verify(const gn_kernel *k)
{
    for (size_t i = 0; i < k->pieces.n; i++)
        verify_piece(k, k->pieces.at[i].first_axis, gn_kernel_piece_end(k, i).first_axis);
    if (!k->pieces.n) verify_piece(k, 0, (uint32_t)k->axes.n);
}
