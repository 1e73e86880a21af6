/* What a kernel computes in the user's words, for the head of its source: "a = tanh(x @ w1 + b1)". One line for every
 * value it stores. */
#include <inttypes.h>
#include <string.h>
#include "group_state.h"

enum { LONGEST = 120, LOOSE = 0, SUM = 1, PRODUCT = 2, ATOM = 3 };

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
        const char *name, *sign;
        int level;
    } ops[] = {{"add", " + ", SUM},   {"sub", " - ", SUM},   {"mul", " * ", PRODUCT}, {"div", " / ", PRODUCT},
               {"eq", " == ", LOOSE}, {"ne", " != ", LOOSE}, {"lt", " < ", LOOSE},    {"le", " <= ", LOOSE},
               {"gt", " > ", LOOSE},  {"ge", " >= ", LOOSE}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(e->op->name, ops[i].name) == 0) {
            *level = ops[i].level;
            return ops[i].sign;
        }
    return NULL;
}

static void tell_call(teller *t, const gnode *n, int depth)
{
    gn_textf(t->text, "%s(",
             n->kind == NODE_ELEM && strcmp(n->e->op->name, "cast") == 0 ? gn_dtype_name((gn_dtype)n->e->type->dtype)
                                                                         : n->e->op->name);
    for (uint32_t k = 0; k < n->e->nin; k++) {
        if (k > 0) gn_text_add(t->text, ", ");
        tell(t, n->in[k], LOOSE, depth + 1);
    }
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

static void tell_reduction(teller *t, const gnode *n, int around, int depth)
{
    const gnode *body = operand(t->g, n, 0);
    heavy h;
    if (gn_group_heavy(t->g, n, &h) && h.nfactors == 2) tell_pair(t, body->in[0], body->in[1], " @ ", PRODUCT, around, depth);
    else tell_call(t, n, depth);
}

static void tell_node(teller *t, const gnode *n, int around, int depth)
{
    int level;
    const char *sign = n->kind == NODE_ELEM && n->e->nin == 2 ? infix(n->e, &level) : NULL;
    if (sign) tell_pair(t, n->in[0], n->in[1], sign, level, around, depth);
    else if (n->kind == NODE_SCALAR && gn_is_float((gn_dtype)n->e->type->dtype)) gn_textf(t->text, "%.6g", gn_group_number(n->e));
    else if (n->kind == NODE_SCALAR) gn_textf(t->text, "%" PRId64, gn_group_integer(n->e));
    else if (n->kind == NODE_DIM) gn_dim_show(t->text, gn_group_dim_of(n->e));
    else if (n->kind == NODE_IOTA) gn_text_add(t->text, "iota");
    else if (n->kind == NODE_BROADCAST) tell(t, n->in[0], around, depth + 1);
    else if (n->kind == NODE_REDUCE) tell_reduction(t, n, around, depth);
    else tell_call(t, n, depth);
}

/* What is in memory goes by its name; a text that grows too long ends in dots. */
static void tell(teller *t, uint32_t at, int around, int depth)
{
    const gnode *n = &t->g->nodes.at[at];
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
        for (size_t v = 0; named && v < named->value.n; v++) gn_textf(&all, "%s = ", g->out->values.at[named->value.at[v]].name);
        if (!named) gn_textf(&all, "%s = ", g->out->values.at[g->value[at]].name);
        gn_text_add(&all, gn_text_done(&line));
    }
    k->comment = gn_text_done(&all);
}
