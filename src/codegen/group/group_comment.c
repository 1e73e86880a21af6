/* What a kernel computes in the user's words, for the head of its source: "a = tanh(x @ w1 + b1)". One line for every
 * value it stores. */
#include <inttypes.h>
#include <string.h>
#include "group_state.h"
#include "number.h"

enum { LONGEST = 120, CUT = 160, LOOSE = 0, SUM = 1, PRODUCT = 2, ATOM = 3 };

typedef struct teller {
    grouper *g;
    int32_t q;
    uint32_t root;
    gn_text *text;
} teller;

static void tell(teller *t, uint32_t at, int around, int depth);

static const char *infix(const gn_expr *e, int *level)
{
    static const struct {
        const gn_op_info *op;
        const char *sign;
        int level;
    } ops[] = {{&gn_op_add, " + ", SUM},   {&gn_op_sub, " - ", SUM},   {&gn_op_mul, " * ", PRODUCT},
               {&gn_op_div, " / ", PRODUCT}, {&gn_op_eq, " == ", LOOSE}, {&gn_op_ne, " != ", LOOSE},
               {&gn_op_lt, " < ", LOOSE},  {&gn_op_le, " <= ", LOOSE}, {&gn_op_gt, " > ", LOOSE},
               {&gn_op_ge, " >= ", LOOSE}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (e->op == ops[i].op) {
            *level = ops[i].level;
            return ops[i].sign;
        }
    return NULL;
}

/* ", axis 1": along which axes it goes, unless it goes along all. Extents of 1 do not count. */
static void tell_axes(teller *t, const gnode *n)
{
    const gnode *x = operand(t->g, n, 0);
    const char *between = ", axis ";
    bool all = true;
    for (uint32_t d = 0; d < x->rank; d++) all &= gn_group_reduces_dim(n, d) || gn_dim_is(x->e->type->dim[d], 1);
    for (uint32_t d = 0; d < x->rank && !all; d++) {
        if (!gn_group_reduces_dim(n, d)) continue;
        gn_textf(t->text, "%s%" PRIu32, between, d);
        between = " ";
    }
}

static void tell_call(teller *t, const gnode *n, int depth)
{
    gn_textf(t->text, "%s(",
             n->e->op == &gn_op_cast ? gn_dtype_name((gn_dtype)n->e->type->dtype) : n->e->op->name);
    for (uint32_t k = 0; k < n->e->nin; k++) {
        if (k > 0) gn_text_add(t->text, ", ");
        tell(t, n->in[k], LOOSE, depth + 1);
    }
    if (n->kind == NODE_REDUCE) tell_axes(t, n);
    gn_text_char(t->text, ')');
}

static void tell_pair(teller *t, uint32_t a, uint32_t b, const char *sign, int level, int around, int depth)
{
    if (level < around) gn_text_char(t->text, '(');
    tell(t, a, level, depth + 1);
    gn_text_add(t->text, sign);
    tell(t, b, level + 1, depth + 1);
    if (level < around) gn_text_char(t->text, ')');
}

/* ---- contractions ---- */

/* dims of the body, by the dims of an operand or of the result; extents of 1 are in none */
typedef struct labels {
    uint32_t n;
    int8_t at[GN_MAX_RANK];
} labels;

static bool has_label(const labels *l, int8_t d)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->at[i] == d) return true;
    return false;
}

/* The factor below its broadcasts, and where its dims stand in the body. */
static uint32_t factor_of(const grouper *g, const gnode *body, uint32_t k, labels *out)
{
    uint32_t at = body->in[k];
    const gnode *x = &g->nodes.at[at];
    int8_t dim[GN_MAX_RANK], map[GN_MAX_RANK];
    for (int8_t d = 0; d < body->rank; d++) dim[d] = d;
    while (x->kind == NODE_BROADCAST && g->value[at] == NONE) {
        gn_group_dims(g, x, 0, map);
        const gnode *inner = operand(g, x, 0);
        int8_t next[GN_MAX_RANK] = { 0 };
        for (uint32_t d = 0; d < inner->rank; d++) next[d] = map[d] == NONE ? NONE : dim[map[d]];
        memcpy(dim, next, sizeof dim);
        at = x->in[0], x = inner;
    }
    out->n = 0;
    for (uint32_t d = 0; d < x->rank; d++)
        if (dim[d] != NONE && x->var >> d & 1 && !gn_dim_is(body->e->type->dim[dim[d]], 1)) out->at[out->n++] = dim[d];
    return at;
}

static void tell_factor(teller *t, uint32_t at, bool transposed, int around, int depth)
{
    tell(t, at, transposed ? ATOM : around, depth + 1);
    if (transposed) gn_text_add(t->text, "^T");
}

/* "x @ w", "x^T @ g": where two matrices or a matrix and a vector meet along one dim. */
static bool tell_product(teller *t, const uint32_t *at, const labels *of, const labels *out, int8_t met, int around,
                         int depth)
{
    uint32_t left = 0;
    bool turn[2] = { false, false };
    if (of[0].n > 2 || of[1].n > 2 || of[0].n + of[1].n != out->n + 2) return false;
    if (out->n == 2) left = has_label(&of[0], out->at[0]) ? 0 : 1;
    /* rows meet the vector: it stands right */
    else if (out->n == 1) left = (of[0].n == 2) == (of[of[0].n == 2 ? 0 : 1].at[1] == met) ? 0 : 1;
    if (out->n == 2) turn[0] = of[left].at[0] == met, turn[1] = of[1 - left].at[1] == met;
    if (PRODUCT < around) gn_text_char(t->text, '(');
    tell_factor(t, at[left], turn[0], ATOM, depth);
    gn_text_add(t->text, " @ ");
    tell_factor(t, at[1 - left], turn[1], ATOM, depth);
    if (PRODUCT < around) gn_text_char(t->text, ')');
    return true;
}

static void tell_letters(teller *t, const labels *of, char *letter, char *next)
{
    for (uint32_t i = 0; i < of->n; i++) {
        if (!letter[of->at[i]]) letter[of->at[i]] = (*next)++;
        gn_text_char(t->text, letter[of->at[i]]);
    }
}

/* einsum("ijk,ikl->ijl", x, y) */
static void tell_einsum(teller *t, const uint32_t *at, const labels *of, const labels *out, int depth)
{
    char letter[GN_MAX_RANK] = { 0 }, next = 'i';
    gn_text_add(t->text, "einsum(\"");
    tell_letters(t, &of[0], letter, &next);
    gn_text_char(t->text, ',');
    tell_letters(t, &of[1], letter, &next);
    gn_text_add(t->text, "->");
    tell_letters(t, out, letter, &next);
    gn_text_add(t->text, "\", ");
    tell(t, at[0], LOOSE, depth + 1);
    gn_text_add(t->text, ", ");
    tell(t, at[1], LOOSE, depth + 1);
    gn_text_char(t->text, ')');
}

/* A sum of products of two that vary along different dims. order: the result's dims as they are shown, NULL: as they
 * are. */
static bool tell_contraction(teller *t, const gnode *n, const int8_t *order, int around, int depth)
{
    const gnode *body = operand(t->g, n, 0);
    labels of[2], out = { 0 }, kept = { 0 };
    uint32_t nmet = 0;
    int8_t met = NONE;
    if (gn_group_red(n) != GN_RED_SUM || body->e->op != &gn_op_mul ||
        t->g->value[n->in[0]] != NONE)
        return false;
    const uint32_t at[2] = { factor_of(t->g, body, 0, &of[0]), factor_of(t->g, body, 1, &of[1]) };
    for (int8_t d = 0; d < body->rank; d++)
        if (!gn_group_reduces_dim(n, (uint32_t)d)) kept.at[kept.n++] = d;
    for (uint32_t i = 0; i < kept.n; i++) {
        const int8_t d = kept.at[order ? order[i] : (int8_t)i];
        if (gn_dim_is(body->e->type->dim[d], 1)) continue;
        if (!has_label(&of[0], d) && !has_label(&of[1], d)) return false;
        out.at[out.n++] = d;
    }
    bool same = of[0].n == of[1].n;
    for (uint32_t i = 0; i < of[0].n && i < of[1].n; i++) same &= of[0].at[i] == of[1].at[i];
    for (int8_t d = 0; d < body->rank; d++)
        if (gn_group_reduces_dim(n, (uint32_t)d) && !gn_dim_is(body->e->type->dim[d], 1)) {
            if (!has_label(&of[0], d) || !has_label(&of[1], d)) return false;
            nmet++, met = d;
        }
    if (same || nmet == 0) return false;
    if (nmet != 1 || !tell_product(t, at, of, &out, met, around, depth)) tell_einsum(t, at, of, &out, depth);
    return true;
}

static void tell_reduction(teller *t, const gnode *n, int around, int depth)
{
    if (!tell_contraction(t, n, NULL, around, depth)) tell_call(t, n, depth);
}

/* Repeating is not told, an exchange of dims is. */
static void tell_broadcast(teller *t, const gnode *n, int around, int depth)
{
    const gnode *x = operand(t->g, n, 0);
    int8_t map[GN_MAX_RANK], order[GN_MAX_RANK] = { 0 };
    bool in_order = true, whole = x->rank == n->rank;
    gn_group_dims(t->g, n, 0, map);
    for (uint32_t d = 0; d < x->rank; d++) {
        in_order &= d == 0 || map[d] > map[d - 1];
        if (map[d] != NONE) order[map[d]] = (int8_t)d;
    }
    const bool is_here = t->g->value[n->in[0]] == NONE || n->in[0] == t->root;
    if (in_order) tell(t, n->in[0], around, depth + 1);
    else if (whole && is_here && x->kind == NODE_REDUCE && tell_contraction(t, x, order, around, depth)) return;
    else if (whole && x->rank == 2) tell_factor(t, n->in[0], true, around, depth);
    else tell_call(t, n, depth);
}

static void tell_node(teller *t, const gnode *n, int around, int depth)
{
    int level;
    const char *sign = n->kind == NODE_ELEM && n->e->nin == 2 ? infix(n->e, &level) : NULL;
    if (sign) tell_pair(t, n->in[0], n->in[1], sign, level, around, depth);
    else if (n->kind == NODE_SCALAR && gn_is_float((gn_dtype)n->e->type->dtype))
        gn_text_add(t->text, gn_number_digits((char[GN_NUMBER_SIZE]){ 0 }, (double)gn_group_scalar(n->e).f, 6));
    else if (n->kind == NODE_SCALAR) gn_textf(t->text, "%" PRId64, gn_group_scalar(n->e).i);
    else if (n->kind == NODE_DIM) gn_dim_show(t->text, gn_group_dim_of(n->e));
    else if (n->kind == NODE_IOTA) gn_text_add(t->text, "iota");
    else if (n->kind == NODE_BROADCAST) tell_broadcast(t, n, around, depth);
    else if (n->kind == NODE_CHECK) tell(t, n->in[0], around, depth + 1);
    else if (n->kind == NODE_REDUCE) tell_reduction(t, n, around, depth);
    else tell_call(t, n, depth);
}

/* What is in memory goes by its name; a text that grows too long ends in dots, and what is open then is cut. */
static void tell(teller *t, uint32_t at, int around, int depth)
{
    const gnode *n = &t->g->nodes.at[at];
    gn_work_done.visits++;
    if (t->g->value[at] != NONE && at != t->root) gn_text_add(t->text, t->g->out->values.at[t->g->value[at]].name);
    else if (t->text->n > LONGEST || depth > MAX_DEPTH) gn_text_add(t->text, "..");
    else tell_node(t, n, around, depth);
}

void gn_group_comment(grouper *g, int32_t q, gn_kernel *k)
{
    gn_text all = { .arena = g->arena };
    const ggroup *group = &g->groups.at[q];
    for (size_t i = 0; i < group->outs.n; i++) {
        const uint32_t at = group->outs.at[i];
        gn_text line = { .arena = g->scratch };
        teller t = { g, q, at, &line };
        if (g->nodes.at[at].kind == NODE_MEMORY) gn_text_add(&line, g->out->values.at[g->value[at]].name);
        else tell(&t, at, LOOSE, 0);
        const struct extra_values *named = gn_map_get(&g->output_values, at);
        if (i > 0) gn_text_char(&all, '\n');
        for (size_t v = 0; named && v < named->value.n; v++)
            gn_textf(&all, "%s = ", g->out->values.at[named->value.at[v]].name);
        if (!named) gn_textf(&all, "%s = ", g->out->values.at[g->value[at]].name);
        gn_text_add_n(&all, gn_text_done(&line), line.n > CUT ? CUT : line.n);
        if (line.n > CUT) gn_text_add(&all, " ..");
    }
    k->comment = gn_text_done(&all);
}
