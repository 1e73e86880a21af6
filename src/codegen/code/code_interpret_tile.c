/* Operations of the target's tile table. */
#include "code_interpret_state.h"

/* ---- a copy: rows to columns ---- */

void gn_runner_copy_tile(gn_runner *r, const gn_tile_args *a)
{
    const gn_tile_memory *const to = &a->memory[0], *const from = &a->memory[1];
    const int64_t ds = gn_runner_dim(r, to->stride), ss = gn_runner_dim(r, from->stride);
    const int64_t ni = gn_runner_dim(r, a->count[0]), nl = gn_runner_dim(r, a->count[1]);
    const int64_t dst = gn_runner_dim(r, to->base), src = gn_runner_dim(r, from->base);
    for (int64_t i = 0; i < a->row->m; i++)
        for (int64_t l = 0; l < a->row->n; l++) {
            gn_lane v = gn_lane_number(to->place->dtype, 0);
            if (i < ni && l < nl) v = gn_runner_load(r, from->place, src + l * ss + i);
            gn_runner_store(r, to->place, dst + i * ds + l, v);
        }
}

/* ---- a product, of a group of threads ---- */

static int coord(gn_runner *r, const gn_tile_args *t, const gn_tile_coord *c)
{
    int v = c->constant;
    const gn_fragment *const f = t->acc->fragment;
    for (int i = 0; i < t->row->nleaf; i++)
        if (c->factor[i] && f->thread[i]) v += c->factor[i] * (int)gn_runner_counter(r, f->thread[i])->value[r->thread];
    return v;
}

static bool is_leaf(gn_runner *r, const gn_tile_args *t, const char *variable)
{
    const gn_fragment *const f = t->acc->fragment;
    for (int i = 0; i < t->row->nleaf; i++)
        if (f->thread[i] && gn_runner_counter(r, f->thread[i]) == gn_runner_counter(r, variable)) return true;
    return false;
}

/* Threads that differ in nothing but the row's own leaves work together: the group's number, less than all threads. */
static int64_t group_of(gn_runner *r, const gn_tile_args *t, uint32_t thread)
{
    int64_t group = 0, n = 1;
    for (size_t i = 0; i < r->code->threads.n; i++) {
        const gn_code_var *v = &r->code->threads.at[i];
        if (is_leaf(r, t, v->name) || !gn_dim_is_const(v->count, &n)) continue;
        group = group * n + gn_runner_counter(r, v->name)->value[thread];
    }
    return group;
}

/* Where a register of the thread at work lies in its operand, row-major. */
static int cell_of(gn_runner *r, const gn_tile_args *t, const gn_tile_reg *x, int rows, int columns)
{
    const int i = coord(r, t, &x->row), j = coord(r, t, &x->col);
    if (i < 0 || i >= rows || j < 0 || j >= columns)
        gn_runner_fail(r, "element %d %d of a tile of %d by %d", i, j, rows, columns);
    return i * columns + j;
}

/* Each of the group's threads has some of both operands. */
static void gather_a(gn_runner *r, const gn_tile_args *t, gn_lane *a)
{
    const gn_tile_op *row = t->row;
    for (int i = 0; i < row->a.nregs; i++)
        a[cell_of(r, t, &row->a.reg[i], row->m, row->k)] = gn_runner_operand(r, t->a[i], 0);
}

static void gather_b(gn_runner *r, const gn_tile_args *t, gn_lane *b)
{
    const gn_tile_op *row = t->row;
    for (int i = 0; i < row->b.nregs; i++)
        b[cell_of(r, t, &row->b.reg[i], row->k, row->n)] = gn_runner_operand(r, t->b[i], 0);
}

static void check_whole(const gn_runner *r, const char *name, const gn_lane *x, int rows, int columns)
{
    for (int i = 0; i < rows * columns; i++)
        if (x[i].poison == UINT32_MAX)
            gn_runner_fail(r, "no thread of the group has element %d %d of %s", i / columns, i % columns, name);
}

static void add_products(gn_runner *r, const gn_tile_args *t, const gn_lane *a, const gn_lane *b)
{
    const gn_tile_op *row = t->row;
    for (int x = 0; x < row->c.nregs; x++) {
        const int at = cell_of(r, t, &row->c.reg[x], row->m, row->n), i = at / row->n, j = at % row->n;
        gn_lane c = gn_runner_register(r, t->acc, t->c[x], 0);
        for (int k = 0; k < row->k; k++)
            c = gn_lane_op(&gn_op_fma, t->acc->dtype, (gn_lane[]){ a[i * row->k + k], b[k * row->n + j], c }, 3);
        gn_runner_set_register(r, t->acc, t->c[x], 0, c);
    }
}

static void clear(gn_lane *x, int n)
{
    for (int i = 0; i < n; i++) x[i] = (gn_lane){ .poison = UINT32_MAX };
}

static void multiply_group(gn_runner *r, const gn_tile_args *t, const int64_t *group, int64_t which)
{
    const gn_tile_op *row = t->row;
    gn_lane *a = r->tile, *b = a + row->m * row->k;
    clear(a, (row->m + row->n) * row->k);
    for (r->thread = 0; r->thread < r->nthreads; r->thread++) {
        if (group[r->thread] != which) continue;
        gather_a(r, t, a);
        gather_b(r, t, b);
    }
    check_whole(r, "A", a, row->m, row->k);
    check_whole(r, "B", b, row->k, row->n);
    for (r->thread = 0; r->thread < r->nthreads; r->thread++)
        if (group[r->thread] == which) add_products(r, t, a, b);
}

void gn_runner_multiply_of(gn_runner *r, const gn_tile_args *t, uint32_t thread)
{
    int64_t group[GN_MOST_THREADS];
    for (uint32_t i = 0; i < r->nthreads; i++) group[i] = group_of(r, t, i);
    multiply_group(r, t, group, group[thread]);
}

void gn_runner_multiply(gn_runner *r, const gn_tile_args *t)
{
    int64_t group[GN_MOST_THREADS];
    bool done[GN_MOST_THREADS] = { false };
    for (uint32_t i = 0; i < r->nthreads; i++) group[i] = group_of(r, t, i);
    for (uint32_t i = 0; i < r->nthreads; i++) {
        if (!done[group[i]]) multiply_group(r, t, group, group[i]);
        done[group[i]] = true;
    }
    r->thread = 0;
}
