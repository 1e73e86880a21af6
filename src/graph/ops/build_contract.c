/* Public builders: contractions. All of them are one contract node with labels of their own. */
#include "request.h"
#include <string.h>

static void numbers(gn_graph *g, const gn_request *r)
{
    gn_request_promote(g, r, 0, GN_TO_NUMBER);
}

/* Leading axes that one operand lacks or has with extent 1 belong to the other alone: nothing is repeated before the
 * product. */
static gn_expr *make_matmul(gn_graph *g, const gn_request *r)
{
    numbers(g, r);
    gn_expr *a = r->x[0], *b = r->x[1];
    if (gn_rank_in(a) == 0 || gn_rank_in(b) == 0)
        gn_request_fail(g, r, GN_ESHAPE, "operand %d is a scalar", gn_rank_in(a) == 0 ? 1 : 2);
    const size_t ma = gn_rank_in(a) > 1 ? gn_rank_in(a) - 2 : 0, mb = gn_rank_in(b) > 1 ? gn_rank_in(b) - 2 : 0,
                 batch = ma > mb ? ma : mb;
    /* leading axes are labelled by their place in the result */
    const int64_t row = GN_MAX_RANK, inner = row + 1, column = row + 2;
    const gn_dim *shape[2][GN_MAX_RANK];
    int64_t label[2][GN_MAX_RANK], out[GN_MAX_RANK + 2];
    size_t n[2] = { 0, 0 }, nout = 0;
    const gn_dim *const ka = gn_extent(a, gn_rank_in(a) - 1), *const kb = gn_extent(
                                                                  b, gn_rank_in(b) > 1 ? gn_rank_in(b) - 2 : 0);
    gn_request_equal(g, r, ka, kb, "inner extents");
    for (size_t d = 0; d < batch; d++) {
        const gn_dim *ea = d + ma >= batch ? gn_extent(a, d + ma - batch) : NULL,
                     *eb = d + mb >= batch ? gn_extent(b, d + mb - batch) : NULL;
        const bool skip_a = !ea || (gn_dim_is(ea, 1) && eb), skip_b = !eb || (gn_dim_is(eb, 1) && ea && !skip_a);
        if (!skip_a) shape[0][n[0]] = ea, label[0][n[0]++] = (int64_t)d;
        if (!skip_b) shape[1][n[1]] = eb, label[1][n[1]++] = (int64_t)d;
        out[nout++] = (int64_t)d;
    }
    if (gn_rank_in(a) > 1) shape[0][n[0]] = gn_extent(a, gn_rank_in(a) - 2), label[0][n[0]++] = row, out[nout++] = row;
    shape[0][n[0]] = ka, label[0][n[0]++] = inner;
    shape[1][n[1]] = kb, label[1][n[1]++] = inner;
    if (gn_rank_in(b) > 1)
        shape[1][n[1]] = gn_extent(b, gn_rank_in(b) - 1), label[1][n[1]++] = column, out[nout++] = column;
    a = gn_make_reshape(g, a, n[0], shape[0]), b = gn_make_reshape(g, b, n[1], shape[1]);
    return gn_make_contract(g, a, label[0], b, label[1], out, nout);
}

static void need_vectors(gn_graph *g, const gn_request *r)
{
    for (size_t i = 0; i < 2; i++) {
        if (gn_rank_in(r->x[i]) != 1)
            gn_request_fail(g, r, GN_ESHAPE, "operand %zu has rank %zu, expected 1", i + 1, gn_rank_in(r->x[i]));
    }
}

static gn_expr *make_dot(gn_graph *g, const gn_request *r)
{
    const int64_t k = 0;
    numbers(g, r);
    need_vectors(g, r);
    gn_request_equal(g, r, gn_extent(r->x[0], 0), gn_extent(r->x[1], 0), "extents");
    return gn_make_contract(g, r->x[0], &k, r->x[1], &k, NULL, 0);
}

static gn_expr *make_outer(gn_graph *g, const gn_request *r)
{
    const int64_t label[2] = { 0, 1 };
    numbers(g, r);
    need_vectors(g, r);
    return gn_make_contract(g, r->x[0], &label[0], r->x[1], &label[1], label, 2);
}

/* The letters of one operand: as many as its rank, none twice. */
static size_t read_letters(gn_graph *g, const gn_request *r, const char **at, const char *end, int64_t *label)
{
    size_t n = 0;
    for (; **at && !strchr(end, **at); (*at)++) {
        const char c = **at;
        if (c == ' ') continue;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            gn_request_fail(g, r, GN_ESYNTAX, "'%c' in \"%s\" is no letter", c, r->text);
        for (size_t i = 0; i < n; i++) {
            if (label[i] == c)
                gn_request_fail(g, r, GN_ESYNTAX, "'%c' stands twice in an operand or the result of \"%s\"", c, r->text);
        }
        if (n == GN_MAX_RANK)
            gn_request_fail(g, r, GN_ESYNTAX, "more than %d letters in a row in \"%s\"", GN_MAX_RANK, r->text);
        label[n++] = c;
    }
    return n;
}

static bool has(const int64_t *label, size_t n, int64_t l)
{
    for (size_t i = 0; i < n; i++) {
        if (label[i] == l) return true;
    }
    return false;
}

static gn_expr *make_einsum(gn_graph *g, const gn_request *r)
{
    int64_t label[3][GN_MAX_RANK];
    size_t n[3];
    if (!r->text) gn_request_fail(g, r, GN_EINVAL, "the letters are NULL");
    const char *at = r->text;
    n[0] = read_letters(g, r, &at, ",-", label[0]);
    if (*at != ',') gn_request_fail(g, r, GN_ESYNTAX, "\"%s\" is not like \"ij,jk->ik\"", r->text);
    at++;
    n[1] = read_letters(g, r, &at, ",-", label[1]);
    if (strncmp(at, "->", 2) != 0) gn_request_fail(g, r, GN_ESYNTAX, "\"%s\" is not like \"ij,jk->ik\"", r->text);
    at += 2;
    n[2] = read_letters(g, r, &at, "", label[2]);
    numbers(g, r);
    for (size_t k = 0; k < 2; k++) {
        if (n[k] != gn_rank_in(r->x[k]))
            gn_request_fail(g, r, GN_ESHAPE, "%zu letters for operand %zu of rank %zu in \"%s\"", n[k], k + 1,
                            gn_rank_in(r->x[k]), r->text);
    }
    for (size_t i = 0; i < n[2]; i++) {
        if (!has(label[0], n[0], label[2][i]) && !has(label[1], n[1], label[2][i]))
            gn_request_fail(g, r, GN_ESYNTAX, "'%c' stands in the result alone in \"%s\"", (char)label[2][i], r->text);
    }
    for (size_t i = 0; i < n[0]; i++) {
        for (size_t j = 0; j < n[1]; j++) {
            if (label[0][i] == label[1][j])
                gn_request_equal(g, r, gn_extent(r->x[0], i), gn_extent(r->x[1], j), "extents of one letter");
        }
    }
    return gn_make_contract(g, r->x[0], label[0], r->x[1], label[1], label[2], n[2]);
}

static gn_expr *product(gn_loc loc, const char *name, gn_expr *(*maker)(gn_graph *, const gn_request *), const char *text,
                        gn_expr *a, gn_expr *b)
{
    return gn_request_make(
        loc, &(gn_request){
                 .name = name, .make = maker, .text = text, .n = 2, .in = { gn_operand_expr(a), gn_operand_expr(b) } });
}

gn_expr *gn_matmul_at(gn_loc loc, gn_expr *a, gn_expr *b)
{
    return product(loc, "matmul", make_matmul, NULL, a, b);
}

gn_expr *gn_dot_at(gn_loc loc, gn_expr *a, gn_expr *b)
{
    return product(loc, "dot", make_dot, NULL, a, b);
}

gn_expr *gn_outer_at(gn_loc loc, gn_expr *a, gn_expr *b)
{
    return product(loc, "outer", make_outer, NULL, a, b);
}

gn_expr *gn_einsum_at(gn_loc loc, const char *letters, gn_expr *a, gn_expr *b)
{
    return product(loc, "einsum", make_einsum, letters, a, b);
}
