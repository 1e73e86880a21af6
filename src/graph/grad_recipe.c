/* Derivative texts as postfix programs: no recursion where nodes are made, and no names looked up there. */
#include "grad_recipe.h"
#include "ops/make.h"
#include "sexpr.h"

typedef enum { STEP_OPERAND, STEP_OUTPUT, STEP_FLOW, STEP_NUMBER, STEP_OP } step_kind;
typedef struct step {
    step_kind kind;
    uint32_t n;              /* OPERAND: which; OP: how many operands */
    double number;
    const gn_op_info *op;
} step;

enum { MAX_DEPTH = 32, MAX_OPERANDS = 4 };
struct gn_recipe {
    GN_VEC(step) steps;
};

static _Noreturn void bad_text(const gn_op_info *op, const char *text, const char *why)
{
    gn_throw(GN_EINTERNAL, "the derivative of %s, %s, %s", op->name, text, why);
}

static bool atom_step(const gn_sx *x, const gn_op_info *op, step *out)
{
    static const char operands[] = "abcd";
    if (gn_sx_double(x, &out->number)) out->kind = STEP_NUMBER;
    else if (gn_sx_is(x, "g")) out->kind = STEP_FLOW;
    else if (gn_sx_is(x, "y")) out->kind = STEP_OUTPUT;
    else if (gn_sx_is(x, "x")) out->kind = STEP_OPERAND, out->n = 0;
    else if (x->n == 1 && x->text[0] >= 'a' && x->text[0] <= 'd') {
        out->kind = STEP_OPERAND, out->n = (uint32_t)(strchr(operands, x->text[0]) - operands);
        return op->arity < 0 || (int)out->n < op->arity;
    } else return false;
    return true;
}

/* The texts nest two or three deep; the reader bounds them. */
static void compile(gn_arena *arena, gn_recipe *r, const gn_op_info *op, const char *text, const gn_sx *x)
{
    step s = { 0 };
    if (x->kind == GN_SX_ATOM) {
        if (!atom_step(x, op, &s)) bad_text(op, text, "has an unknown atom");
    } else {
        if (x->kind != GN_SX_LIST || x->n < 2 || x->n > MAX_OPERANDS + 1) bad_text(op, text, "is malformed");
        for (size_t i = 1; i < x->n; i++) compile(arena, r, op, text, x->at[i]);
        s.kind = STEP_OP, s.n = (uint32_t)x->n - 1;
        if (!(s.op = gn_op_find(x->at[0]->text))) bad_text(op, text, "has an unknown op");
    }
    gn_push(arena, &r->steps, s);
}

const gn_recipe *gn_recipe_parse(gn_arena *arena, const gn_op_info *op, const char *text)
{
    gn_recipe *r = GN_NEW_OBJECT(arena, gn_recipe);
    const gn_sx *items = gn_sx_read(arena, op->name, text, strlen(text));
    if (items->n != 1) bad_text(op, text, "is not one expression");
    compile(arena, r, op, text, items->at[0]);
    if (r->steps.n > MAX_DEPTH) bad_text(op, text, "is too long");
    return r;
}

/* What stands on the stack: a node, or a number that waits to learn its type from its neighbours. */
typedef struct item {
    gn_expr *e;
    double number;
} item;

/* The neighbour whose type a number takes: any operand but the condition of a select. */
static gn_expr *neighbour(const step *s, const item *in, gn_expr *otherwise)
{
    for (uint32_t i = s->op == &gn_op_select; i < s->n; i++) {
        if (in[i].e) return in[i].e;
    }
    return otherwise;
}

static gn_expr *typed(gn_graph *g, const item *x, const gn_expr *like)
{
    return x->e ? x->e : gn_make_like(g, like, x->number);
}

static gn_expr *make(gn_graph *g, const step *s, const item *in, gn_expr *y)
{
    gn_expr *const like = neighbour(s, in, y), *args[MAX_OPERANDS];
    for (uint32_t i = 0; i < s->n; i++) args[i] = typed(g, &in[i], like);
    return gn_node(g, s->op, args, s->n, NULL);
}

gn_expr *gn_recipe_apply(const gn_recipe *r, gn_graph *g, gn_expr *y, gn_expr *flow)
{
    item stack[MAX_DEPTH];
    size_t top = 0;
    for (size_t i = 0; i < r->steps.n; i++) {
        const step *s = &r->steps.at[i];
        item result = { 0 };
        switch (s->kind) {
        case STEP_OPERAND: result.e = y->in[s->n]; break;
        case STEP_OUTPUT: result.e = y; break;
        case STEP_FLOW: result.e = flow; break;
        case STEP_NUMBER: result.number = s->number; break;
        case STEP_OP:
            top -= s->n;
            result.e = make(g, s, &stack[top], y);
            break;
        }
        stack[top++] = result;
    }
    if (!stack[0].e && stack[0].number != 0) gn_throw(GN_EINTERNAL, "the derivative of %s does not contain g", y->op->name);
    return stack[0].e;
}
