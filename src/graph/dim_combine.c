/* The simplex method on a table of whole numbers. Each row is an equation that may be multiplied as it pleases, so that a
 * step keeps whole numbers and what divides a row is taken out of it.
 * See R. Vanderbei, Linear Programming, ch. 2 and 6: two phases, Bland's rule. */
#include "dim_combine.h"
#include "dim_parts.h"

enum { MOST_PIVOTS = 60, NOBODY = -1 };

typedef struct table {
    gn_combination *c;
    int goal, last; /* column of the goal; row of constants */
    int64_t scale;  /* by how much the last row was multiplied */
    int owner[GN_COMBINE_MOST]; /* of each row: the column that stands in no other; NOBODY yet */
    bool dropped[GN_COMBINE_MOST];
    bool failed;
} table;

/* ---- what no combination can use ---- */

static int sign(int64_t v)
{
    return (v > 0) - (v < 0);
}

/* The columns of a row: 1 some are positive, 2 some negative. */
static int signs_of(const table *t, int row)
{
    int all = 0;
    for (int j = 0; j < t->goal; j++)
        if (!t->dropped[j] && t->c->at[row][j]) all |= t->c->at[row][j] > 0 ? 1 : 2;
    return all;
}

/* A row that the goal lacks and that all columns have with one sign leaves out all that have it. False: the goal has
 * what no column gives. */
static bool drop_useless(table *t)
{
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < t->last; i++) {
            const int has = signs_of(t, i), wants = sign(t->c->at[i][t->goal]);
            if ((wants > 0 && !(has & 1)) || (wants < 0 && !(has & 2))) return false;
            if (wants || has == 0 || has == 3) continue;
            for (int j = 0; j < t->goal; j++)
                if (t->c->at[i][j]) t->dropped[j] = more = true;
        }
    }
    return true;
}

/* ---- steps ---- */

static void divide_row(table *t, int row)
{
    int64_t *const r = t->c->at[row], all = row == t->last ? t->scale : 0;
    for (int j = 0; j <= t->goal && all != 1; j++)
        if (!t->dropped[j]) all = gn_gcd(all, r[j]);
    if (all <= 1) return;
    for (int j = 0; j <= t->goal; j++) r[j] /= all;
    if (row == t->last) t->scale /= all;
}

static int64_t narrow(table *t, __int128 v)
{
    t->failed |= v > INT64_MAX / 2 || v < INT64_MIN / 2;
    return (int64_t)v;
}

/* Row `row` times `by` without row `from` times `minus`. */
static void subtract_row(table *t, int row, int64_t by, int from, int64_t minus)
{
    int64_t *const r = t->c->at[row], *const f = t->c->at[from];
    for (int j = 0; j <= t->goal; j++)
        if (!t->dropped[j]) r[j] = narrow(t, (__int128)r[j] * by - (__int128)f[j] * minus);
    if (row == t->last) t->scale = narrow(t, (__int128)t->scale * by);
    divide_row(t, row);
}

/* Column j stands in this row alone from now on. */
static void pivot(table *t, int row, int j)
{
    t->owner[row] = j;
    if (t->c->at[row][j] < 0)
        for (int k = 0; k <= t->goal; k++) t->c->at[row][k] = -t->c->at[row][k];
    for (int i = 0; i <= t->last; i++) {
        const int64_t p = t->c->at[row][j], x = t->c->at[i][j];
        if (i == row || !x || t->failed) continue;
        const int64_t g = gn_gcd(p, x);
        subtract_row(t, i, p / g, row, x / g);
    }
}

static bool is_less(const table *t, int a, int b, int j)
{
    const __int128 x = (__int128)t->c->at[a][t->goal] * t->c->at[b][j],
                   y = (__int128)t->c->at[b][t->goal] * t->c->at[a][j];
    return x < y || (x == y && t->owner[a] < t->owner[b]);
}

/* The row that ends first as column j grows; -1: none does. */
static int ends_first(const table *t, int j)
{
    int first = -1;
    for (int i = 0; i < t->last; i++) {
        const int64_t x = t->c->at[i][j];
        if (t->owner[i] == NOBODY && x && !t->c->at[i][t->goal]) return i;
        if (x > 0 && (first < 0 || is_less(t, i, first, j))) first = i;
    }
    return first;
}

/* Whether more of column j takes something away of what rows that nobody owns still need. */
static bool helps(const table *t, int j)
{
    __int128 all = 0;
    for (int i = 0; i < t->last; i++)
        if (t->owner[i] == NOBODY) all += t->c->at[i][j];
    return all > 0;
}

static bool is_met(const table *t)
{
    for (int i = 0; i < t->last; i++)
        if (t->owner[i] == NOBODY && t->c->at[i][t->goal]) return false;
    return true;
}

static int next_column(const table *t, bool met)
{
    for (int j = 0; j < t->goal; j++)
        if (!t->dropped[j] && (met ? t->c->at[t->last][j] < 0 : helps(t, j))) return j;
    return -1;
}

/* First what the rows need; then as much of the constant as can be kept. */
static bool search(table *t)
{
    for (int steps = 0; steps < MOST_PIVOTS && !t->failed; steps++) {
        const bool met = is_met(t);
        if (met && t->c->at[t->last][t->goal] > -t->scale) return true;
        const int j = next_column(t, met), row = j < 0 ? -1 : ends_first(t, j);
        if (j < 0) return false;
        if (row < 0) return met; /* columns that contradict each other prove anything */
        pivot(t, row, j);
    }
    return false;
}

bool gn_combine(gn_combination *c)
{
    table t = { .c = c, .goal = c->ncolumns - 1, .last = c->nrows - 1, .scale = 1 };
    if (!drop_useless(&t)) return false;
    for (int i = 0; i < t.last; i++) {
        t.owner[i] = NOBODY;
        if (c->at[i][t.goal] < 0)
            for (int j = 0; j <= t.goal; j++) c->at[i][j] = -c->at[i][j];
        divide_row(&t, i);
    }
    return search(&t);
}
