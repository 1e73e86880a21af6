/* The measures of the rule tables: what a node weighs, and the comparison of two sides by the nodes that only one of
 * them needs. */
#include "functions.h"
#include "splat.h"
#include "sweep.h"

enum { COMPOSITE = 100, POWER = 240, FUNCTION = 80, CONTRACTION = 200, DIVISION = 24, ARITHMETIC = 16, SIGN = 8, MOVE = 8 };

static uint32_t price(const gn_op_info *op)
{
    static const struct {
        const gn_op_info *op;
        uint32_t price;
    } other[] = {
        {&gn_op_pow, POWER},
        {&gn_op_contract, CONTRACTION},
        {&gn_op_div, DIVISION},
        {&gn_op_floordiv, 2 * DIVISION},
        {&gn_op_mod, 2 * DIVISION},
        {&gn_op_sqrt, 2 * DIVISION},
        {&gn_op_rsqrt, 2 * DIVISION},
        {&gn_op_neg, SIGN},
        {&gn_op_abs, SIGN},
        {&gn_op_not, SIGN},
        {&gn_op_bit_not, SIGN},
        {&gn_op_cast, SIGN},
        /* what canonical form avoids costs a little more than what it prefers */
        {&gn_op_gt, ARITHMETIC + 1},
        {&gn_op_ge, ARITHMETIC + 1},
        {&gn_op_permute, MOVE + 1},
        {&gn_op_reshape, MOVE + 2},
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (other[i].op == op) return other[i].price;
    if (op->traits & GN_COMPOSITE) return COMPOSITE;
    if (op->traits & GN_LEAF) return 1;
    if (op->traits & GN_VIEW_OP) return MOVE;
    return op->traits & GN_FLOAT_OUT ? FUNCTION : ARITHMETIC;
}

static uint32_t labels_of(const gn_expr *contract)
{
    int64_t n = 0;
    for (int k = 0; k < 2; k++)
        for (uint32_t d = 0; d < contract->attr[k].n; d++)
            if (contract->attr[k].ints[d] >= n) n = contract->attr[k].ints[d] + 1;
    return (uint32_t)n;
}

static bool is_view(const gn_expr *e)
{
    return e->op == &gn_op_permute || e->op == &gn_op_broadcast;
}

static bool adds_negative(const gn_expr *e)
{
    gn_splat v;
    if ((e->op != &gn_op_add && e->op != &gn_op_sub) || !gn_splat_of(e->in[1], &v)) return false;
    return gn_is_float(v.dtype) ? v.f < 0 : v.i < 0;
}

/* A node is dearer the more axes it runs over: sum(neg x) costs more than neg(sum x). Numbers cost nothing, what is
 * computed from them alone is paid once. */
uint32_t gn_weight_cost(const gn_expr *e)
{
    gn_splat v;
    bool number = e->op->traits & (GN_ELEMWISE | GN_VIEW_OP);
    if (!e->nin) return e->op == &gn_op_constant ? 0 : 1;
    if (e->op == &gn_op_broadcast && e->in[0]->op == &gn_op_constant) return 0;
    for (uint32_t i = 0; i < e->nin; i++) number = number && gn_splat_of(e->in[i], &v);
    if (number) return price(e->op) + adds_negative(e);
    uint32_t rank = e->type->kind == GN_TYPE_TENSOR ? e->type->n : 2;
    for (uint32_t i = 0; i < e->nin; i++)
        if (e->in[i]->type->kind == GN_TYPE_TENSOR && e->in[i]->type->n > rank) rank = e->in[i]->type->n;
    if (e->op == &gn_op_contract) return price(e->op) * (2 + labels_of(e)) + is_view(e->in[0]) + is_view(e->in[1]);
    return price(e->op) * (2 + rank) + adds_negative(e);
}

/* ---- two sides ---- */

enum { ONLY_LEFT = 1, ONLY_RIGHT = 2, BOTH = 3, MOST_NODES = 64 };

typedef struct entry {
    const gn_expr *e;
    int sides;
} entry;

/* Nodes still to be looked at, by number, highest last. */
typedef struct front {
    entry at[MOST_NODES];
    size_t n;
} front;

static uint64_t weight_of(const gn_rule_set *set, const gn_expr *e)
{
    return set->weight ? set->weight(e) : gn_weight_cost(e);
}

static bool add(front *f, const gn_expr *e, int sides)
{
    size_t i = f->n;
    while (i > 0 && f->at[i - 1].e->id > e->id) i--;
    if (i > 0 && f->at[i - 1].e == e) {
        f->at[i - 1].sides |= sides;
        return true;
    }
    if (f->n == MOST_NODES) return false;
    for (size_t k = f->n++; k > i; k--) f->at[k] = f->at[k - 1];
    f->at[i] = (entry){ e, sides };
    return true;
}

static bool has(const front *f, int side)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->at[i].sides == side) return true;
    return false;
}

/* What the pattern names against what the right side made: the captured operands are on both sides, whatever they
 * contain. */
static bool measure_pattern(const gn_rule_set *set, const gn_match *m, uint64_t *left, uint64_t *right)
{
    for (uint32_t i = 0; i < m->nmatched; i++) *left += weight_of(set, m->matched[i]);
    for (uint32_t i = 0; i < m->nbuilt; i++) *right += weight_of(set, m->built[i]);
    return true;
}

/* Operands have lower numbers than their users, so that a node taken from the top has met all its users. */
static bool measure_sides(const gn_rule_set *set, const gn_expr *before, const gn_expr *after, uint64_t *left,
                          uint64_t *right)
{
    front f = { .n = 0 };
    add(&f, before, ONLY_LEFT);
    add(&f, after, ONLY_RIGHT);
    for (int n = 0; n < MOST_NODES && (has(&f, ONLY_RIGHT) || has(&f, ONLY_LEFT)); n++) {
        const entry top = f.at[--f.n];
        if (top.sides == ONLY_LEFT) *left += weight_of(set, top.e);
        if (top.sides == ONLY_RIGHT) *right += weight_of(set, top.e);
        for (uint32_t i = 0; i < top.e->nin; i++)
            if (!add(&f, top.e->in[i], top.sides)) return false;
    }
    return !has(&f, ONLY_RIGHT);
}

bool gn_measure(const gn_rule *rule, const gn_rule_set *set, const gn_match *m, const gn_expr *after, uint64_t *left,
                uint64_t *right)
{
    *left = *right = 0;
    return rule->function ? measure_sides(set, m->root, after, left, right) : measure_pattern(set, m, left, right);
}
