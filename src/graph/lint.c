/* What builders take and is rarely meant is told to the context, once for each line of the user's program. */
#include "op.h"
#include "context.h"
#include <stdio.h>

void gn_lint(gn_graph *g, gn_lint_kind kind, const char *format, ...)
{
    char text[2048];
    uint64_t key = gn_hash_mix(kind, (uint64_t)g->here.line);
    if (!g->here.file || !g->builder) return; /* no line of a user's */
    key = gn_hash_mix(key, GN_KEY(g->here.file));
    void **const told = gn_map_put(&g->arena, &g->linted, key);
    if (*told) return;
    *told = g;
    va_list args;
    va_start(args, format);
    int n = snprintf(text, sizeof text, "%s:%d: %s: ", g->here.file, g->here.line, g->builder->name);
    if (n > 0 && n < (int)sizeof text) vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    gn_context_lint(g->context, kind, text);
}

/* An axis that gn_expand has put in is there on purpose. */
static bool was_expanded(const gn_expr *e)
{
    while (e->op == &gn_op_cast) e = e->in[0];
    return e->op == &gn_op_reshape && e->in[0]->type->n < e->type->n;
}

/* Of two axes of one named extent, one that an operand has and another lacks, and the other way round: who means all
 * pairs puts the axis in. */
static bool meets_itself(size_t n, gn_expr *const *e, size_t rank, size_t a, size_t b, const gn_dim *d)
{
    bool first = false, second = false, both = false, missing = false, meant = false;
    for (size_t i = 0; i < n; i++) {
        const size_t lacks = rank - e[i]->type->n;
        const bool has_a = a >= lacks && e[i]->type->dim[a - lacks] == d,
                   has_b = b >= lacks && e[i]->type->dim[b - lacks] == d;
        first |= has_a && !has_b, second |= has_b && !has_a, both |= has_a && has_b;
        missing |= has_b && !has_a && a < lacks;
        meant |= was_expanded(e[i]);
    }
    return first && second && !both && missing && !meant;
}

void gn_lint_broadcast(gn_graph *g, size_t n, gn_expr *const *e, size_t rank, const gn_dim *const *dim)
{
    for (size_t b = 1; b < rank; b++)
        for (size_t a = 0; a < b; a++) {
            if (dim[a] != dim[b] || gn_dim_is_const(dim[a], NULL) || !meets_itself(n, e, rank, a, b, dim[a])) continue;
            gn_text t = { .arena = &g->arena };
            for (size_t i = 0; i < n; i++) gn_text_add(&t, i ? " and " : ""), gn_expr_describe(&t, e[i]);
            gn_lint(g, GN_LINT_BROADCAST_OUTER,
                    "%s: the dim %s meets itself across axes %zu and %zu of the result; a column beside a row has both "
                    "axes",
                    gn_text_done(&t), gn_dim_text(&g->arena, dim[a]), a, b);
            return;
        }
}
