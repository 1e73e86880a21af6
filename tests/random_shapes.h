/* Random pieces of graphs that repeat what is hard for a compiler: for random_graph.c, whose maker and picks they use. */
#pragma once

static gn_expr *residual_chain(maker *m)
{
    gn_expr *h = pick_float(m);
    const int depth = 5 + (int)below(m, below(m, 10) ? 8 : 56);
    const uint32_t kind = below(m, 4);
    for (int i = 0; i < depth; i++) {
        if (kind == 0) h = gn_add(h, gn_tanh(h));
        else if (kind == 1) h = gn_mul(gn_mul(h, 0.9), gn_sub(1.0, gn_clip(h, 0.0, 1.0)));
        else if (kind == 2 && gn_rank_of(h))
            h = gn_add(gn_mul(h, 0.5), gn_tanh(gn_sub(h, gn_expand(gn_mean(h, GN_AXES(-1)), GN_AXES(-1)))));
        else h = gn_add(h, gn_mul(gn_sin(gn_mul(h, h)), 0.25));
    }
    return h;
}

static gn_expr *kept_sum(gn_expr *x, int axis)
{
    return gn_expand(gn_sum(x, GN_AXES(axis)), GN_AXES(axis));
}

/* Reductions of rows, joined with one another or padded, and used beside the rows. */
static gn_expr *joined_reductions(maker *m)
{
    gn_expr *x = pick_float(m), *y = below(m, 3) ? x : pick_float(m);
    if (gn_rank_of(x) < 1 || gn_rank_of(x) != gn_rank_of(y)) return x;
    const int axis = (int)below(m, (uint32_t)gn_rank_of(x));
    gn_expr *a = kept_sum(x, axis), *b = kept_sum(gn_square(y), axis);
    if (below(m, 2)) a = gn_expand(gn_max(gn_concat(GN_EXPRS(x, a), axis), GN_AXES(axis)), GN_AXES(axis));
    switch (below(m, 4)) {
    case 0: return gn_concat(GN_EXPRS(a, gn_mul(b, 0.5), a), axis);
    case 1: return gn_pad(a, 0.5, "1:2");
    case 2: return gn_add(gn_pad(gn_sqrt(gn_add(b, 1.0)), 0.0, "0:1"), gn_sum_all(a));
    default: return gn_concat(GN_EXPRS(x, a, gn_sub(a, gn_sum_all(b))), axis);
    }
}

/* Updates or indices that do not vary along an axis: the same place is added to again and again. */
static gn_expr *broadcast_scatter(maker *m)
{
    if (m->r->n == 0 || m->r->m == 0) return m->r->pool[0];
    gn_expr *to = gn_full(m->r->g, GN_F32, 0.25, "3, m"), *row = gn_slice(m->r->pool[0], "0:1");
    gn_expr *at = gn_broadcast_to(
        gn_cast(gn_clip(gn_cast(gn_sum_all(gn_slice(m->r->pool[0], "0:1, 0:1")), GN_I32), 0, 2), GN_I32), "n");
    if (below(m, 2)) at = gn_mod(gn_iota(m->r->g, GN_I32, 0, "n"), 1 + (int)below(m, 3));
    return gn_scatter_add(to, at, below(m, 2) ? gn_broadcast_to(row, "n, m") : gn_full(m->r->g, GN_F32, 1.5, "n, m"), 0);
}

static gn_expr *nested_selects(maker *m)
{
    gn_expr *x = gn_mul(m->r->pool[0], 1.5), *i = gn_iota(m->r->g, GN_I32, (int)below(m, 2), "n, m");
    const int levels = 4 + (int)below(m, 20);
    const uint32_t kind = below(m, 4);
    for (int k = 0; k < levels; k++) {
        gn_expr *when = kind == 0   ? gn_lt(i, 3)
                        : kind == 1 ? gn_lt(i, k + 1)
                        : kind == 2 ? gn_eq(gn_mod(i, k % 5 + 2), k % 2)
                                    : gn_gt(x, 0.25 * (k % 4));
        x = gn_select(when, gn_mul(x, k % 3 ? 0.5 : -0.75), gn_add(x, 0.125));
    }
    return x;
}

/* Integers at the ends of their range, and against numbers. */
static gn_expr *extreme_integers(maker *m)
{
    gn_expr *x = pick(m);
    const bool wide = below(m, 2);
    gn_expr *y = wide ? gn_cast(gn_cast(x, GN_I32), GN_I64) : gn_cast(gn_abs(gn_cast(gn_cast(x, GN_I32), GN_I64)), GN_U32);
    gn_expr *end = wide ? gn_number(m->r->g, GN_I64, below(m, 2) ? INT64_MAX : INT64_MIN)
                        : gn_number(m->r->g, GN_U32, below(m, 2) ? UINT32_MAX : 0);
    gn_expr *z = below(m, 2) ? gn_add(y, end) : gn_sub(end, y);
    switch (below(m, 6)) {
    case 0: return gn_lt(z, wide ? -5 : 5);
    case 1: return gn_select(gn_ge(z, end), y, z);
    case 2: return gn_maximum(z, y);
    case 3: return gn_bit_xor(z, y);
    case 4: return gn_mul(z, y);
    default: return z;
    }
}

static gn_expr *named_slice(maker *m)
{
    static const char *const cuts[] = { "::2", "::-1", "::3", "::-2", "1:", ":-1", "-1:" };
    gn_expr *x = pick(m);
    if (gn_rank_of(x) == 0) return x;
    gn_expr *y = gn_slice(x, "%s", cuts[below(m, m->r->n > 0 ? 7 : 4)]);
    return below(m, 2) ? gn_add(gn_sum_all(y), x) : gn_transpose(y);
}

static gn_expr *turned_and_reshaped(maker *m)
{
    gn_expr *x = m->r->pool[0];
    const int turns = 1 + (int)below(m, 12);
    for (int i = 0; i < turns; i++) x = gn_reshape(gn_transpose(below(m, 3) ? x : gn_sin(x)), "n, m");
    return x;
}

/* Of a sum to what it depends on: slices become pads, gathers scatters, maxima masks. */
static gn_expr *gradient(maker *m)
{
    gn_expr *x = m->r->pool[below(m, 3) ? 0 : below(m, (uint32_t)m->r->npool)];
    return gn_grad(gn_sum_all(gn_cast(pick_float(m), GN_F32)), x);
}

static gn_expr *hard(maker *m)
{
    static gn_expr *(*const kinds[])(maker *) = { residual_chain,     joined_reductions, broadcast_scatter,
                                                  nested_selects,     extreme_integers,  named_slice,
                                                  turned_and_reshaped };
    return kinds[below(m, sizeof kinds / sizeof *kinds)](m);
}
