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

void gn_runner_multiply(gn_runner *r, const gn_tile_args *t, uint32_t first, uint32_t n)
{
    const gn_tile_op *row = t->row;
    gn_lane *a = r->tile, *b = a + row->m * row->k;
    clear(a, (row->m + row->n) * row->k);
    for (r->thread = first; r->thread < first + n; r->thread++) {
        gather_a(r, t, a);
        gather_b(r, t, b);
    }
    check_whole(r, "A", a, row->m, row->k);
    check_whole(r, "B", b, row->k, row->n);
    for (r->thread = first; r->thread < first + n; r->thread++) add_products(r, t, a, b);
}
