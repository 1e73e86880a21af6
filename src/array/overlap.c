/* Whether strided views share bytes. Element x of a view lies at low + sum of |stride| x, so two views meet if a sum of
 * bounded terms takes a given value: a knapsack, NP-complete for strides made for it and quick for those that programs
 * have, where each stride is larger than all that the smaller ones reach together. A depth-first search from the
 * largest step on, with a bound on its work. The question and its reduction: NumPy's may_share_memory. */
#include "view.h"
#include "checked.h"
#include <stdlib.h>

enum { MAX_TERMS = 2 * GN_MAX_RANK + 2, WORK = 20000 };

typedef struct term { /* step * x with x from 0 to most */
    uint64_t step, most;
} term;

typedef struct search {
    term at[MAX_TERMS];              /* largest step first, no step twice */
    int n, dense;                    /* the terms from `dense` on reach every multiple of the last step up to their most */
    uint64_t most[MAX_TERMS + 1];    /* of the terms from i on together */
    uint64_t divisor[MAX_TERMS + 1]; /* common to the steps from i on */
    int left;                        /* of the work */
} search;

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t r = a % b;
        a = b, b = r;
    }
    return a;
}

/* x with a x = 1 modulo m, where both have no common divisor. */
static uint64_t inverse(uint64_t a, uint64_t m)
{
    int64_t x = 1, next = 0;
    for (uint64_t r = a % m, s = m; s;) {
        const uint64_t q = r / s, rest = r % s;
        const int64_t after = x - (int64_t)q * next;
        r = s, s = rest;
        x = next, next = after;
    }
    return (uint64_t)(x < 0 ? x + (int64_t)m : x) % m;
}

static void add_term(search *s, uint64_t step, uint64_t most)
{
    if (!step || !most) return;
    int i = 0;
    while (i < s->n && s->at[i].step > step) i++;
    if (i < s->n && s->at[i].step == step) {
        s->at[i].most += most;
        return;
    }
    for (int j = s->n++; j > i; j--) s->at[j] = s->at[j - 1];
    s->at[i] = (term){ step, most };
}

/* Largest x up to `most` with step * x = b modulo m; -1: none. */
static int64_t last_congruent(uint64_t step, uint64_t m, uint64_t b, uint64_t most)
{
    const uint64_t d = gcd(step, m), turn = m / d;
    if (b % d) return -1;
    const uint64_t x = (uint64_t)((unsigned __int128)(b / d % turn) * inverse(step / d, turn) % turn);
    return x > most ? -1 : (int64_t)(most - (most - x) % turn);
}

static gn_meeting reaches(search *s, int i, uint64_t b)
{
    if (b > s->most[i] || (i < s->n && b % s->divisor[i])) return GN_APART;
    if (i >= s->dense) return GN_MEET; /* without terms: 0 is reached, and b is not more */
    if (--s->left < 0) return GN_UNDECIDED;
    const term *t = &s->at[i];
    const uint64_t missing = b > s->most[i + 1] ? b - s->most[i + 1] : 0, m = s->divisor[i + 1];
    const int64_t low = (int64_t)(missing / t->step + (missing % t->step != 0));
    const uint64_t high = b / t->step < t->most ? b / t->step : t->most;
    const int64_t turn = m ? (int64_t)(m / gcd(t->step, m)) : 1;
    for (int64_t x = m ? last_congruent(t->step, m, b, high) : (int64_t)high; x >= low; x -= turn) {
        const gn_meeting found = reaches(s, i + 1, b - (uint64_t)x * t->step);
        if (found != GN_APART) return found;
    }
    return GN_APART;
}

/* Whether the sum of the terms can be b. Steps times their most add up to less than 2^63. */
static gn_meeting solve(search *s, uint64_t b)
{
    s->left = WORK;
    s->most[s->n] = s->divisor[s->n] = 0;
    s->dense = s->n;
    for (int i = s->n; i-- > 0;) {
        const uint64_t step = s->at[i].step, last = s->at[s->n - 1].step;
        s->most[i] = s->most[i + 1] + step * s->at[i].most;
        s->divisor[i] = gcd(step, s->divisor[i + 1]);
        if (s->dense == i + 1 && step % last == 0 && step <= s->most[i + 1] + last) s->dense = i;
    }
    return reaches(s, 0, b);
}

static uint64_t magnitude(int64_t stride)
{
    return stride < 0 ? -(uint64_t)stride : (uint64_t)stride;
}

bool gn_array_range(const gn_array *a, uintptr_t *first, uintptr_t *end)
{
    const uint64_t size = gn_dtype_size(a->dtype), most = UINT64_C(1) << 62;
    uint64_t below = 0, above = size;
    *first = *end = (uintptr_t)a->data;
    if (gn_array_count(a) == 0) return true;
    for (int d = 0; d < a->rank; d++) {
        uint64_t *const side = a->stride[d] < 0 ? &below : &above;
        uint64_t reach;
        if (__builtin_mul_overflow(magnitude(a->stride[d]), (uint64_t)(a->shape[d] - 1), &reach) ||
            __builtin_mul_overflow(reach, size, &reach) || __builtin_add_overflow(*side, reach, side))
            return false;
    }
    if (below >= most || above >= most || below > (uintptr_t)a->data || above > UINTPTR_MAX - (uintptr_t)a->data)
        return false;
    *first -= below, *end += above;
    return true;
}

static void add_terms(search *s, const gn_array *a)
{
    const uint64_t size = gn_dtype_size(a->dtype);
    for (int d = 0; d < a->rank; d++) add_term(s, magnitude(a->stride[d]) * size, (uint64_t)(a->shape[d] - 1));
    add_term(s, 1, size - 1); /* the bytes of an element */
}

/* low + x of one = low + y of the other, where y counted from its end makes every term positive. */
gn_meeting gn_arrays_meet(const gn_array *a, const gn_array *b)
{
    uintptr_t a0, a1, b0, b1;
    search s = { .n = 0 };
    if (!gn_array_range(a, &a0, &a1) || !gn_array_range(b, &b0, &b1)) return GN_UNDECIDED;
    if (a0 == a1 || b0 == b1 || a0 >= b1 || b0 >= a1) return GN_APART;
    add_terms(&s, a);
    add_terms(&s, b);
    return solve(&s, b1 - 1 - a0);
}

static int larger_first(const void *x, const void *y)
{
    const term *a = x, *b = y;
    return a->step < b->step ? 1 : a->step > b->step ? -1 : 0;
}

/* Two places of a view are one: the differences d of their indices, the first of them not 0 being positive, have sum
 * |stride| d = 0. The terms after it count from their least, -most. */
gn_meeting gn_array_meets_itself(const gn_array *a)
{
    term axis[GN_MAX_RANK];
    uintptr_t first, end;
    int n = 0;
    if (gn_array_count(a) == 0) return GN_APART;
    if (!gn_array_range(a, &first, &end)) return GN_UNDECIDED;
    for (int d = 0; d < a->rank; d++) {
        if (a->shape[d] == 1) continue;
        if (!a->stride[d]) return GN_MEET;
        axis[n++] = (term){ magnitude(a->stride[d]), (uint64_t)(a->shape[d] - 1) };
    }
    if (n) qsort(axis, (size_t)n, sizeof *axis, larger_first);
    for (int k = 0; k < n; k++) {
        search s = { .n = 0 };
        uint64_t after = 0;
        for (int j = k + 1; j < n; j++) {
            after += axis[j].step * axis[j].most;
            add_term(&s, axis[j].step, 2 * axis[j].most);
        }
        if (after < axis[k].step) continue;
        add_term(&s, axis[k].step, axis[k].most - 1);
        const gn_meeting found = solve(&s, after - axis[k].step);
        if (found != GN_APART) return found;
    }
    return GN_APART;
}
