/* Where an index expression is negative although all that is known holds: small values and ends of ranges are tried, of
 * one variable after the other, since limits mention earlier ones. */
#include "dim_parts.h"
#include "dim_prove.h"
#include <string.h>

enum { MOST_TRIES = 400 };

typedef struct trial {
    const gn_prover *p;
    int64_t *at;     /* by fact */
    size_t n;        /* that have a value */
    uint64_t random;
} trial;

static uint64_t draw(trial *t)
{
    t->random = gn_hash_mix(t->random, 1);
    return t->random >> 8;
}

static const gn_dim_fact *fact_of(const trial *t, const char *name, size_t *at)
{
    for (*at = t->p->facts.n; *at > 0;) /* of two variables of one name, the inner one */
        if (strcmp(t->p->facts.at[--*at].name, name) == 0) return &t->p->facts.at[*at];
    return NULL;
}

static bool value_of(void *user, const char *name, int64_t *out)
{
    const trial *const t = user;
    size_t at;
    if (!fact_of(t, name, &at) || at >= t->n) return false;
    *out = t->at[at];
    return true;
}

/* Elements are what they may be, the same at one index. */
static bool element_of(void *user, const char *buffer, int64_t index, int64_t *out)
{
    const trial *const t = user;
    size_t at;
    const gn_dim_fact *const f = fact_of(t, buffer, &at);
    int64_t end = 0;
    if (!f || !f->limit || !gn_dim_eval(f->limit, value_of, NULL, user, &end) || end < 1) return false;
    const uint64_t how = gn_hash_mix(t->random, (uint64_t)index);
    *out = how % 2 ? end - 1 : (int64_t)((how >> 1) % (uint64_t)end);
    return true;
}

/* A value of the next variable. */
static bool choose(trial *t)
{
    const gn_dim_fact *const f = &t->p->facts.at[t->n];
    int64_t low = f->min == INT64_MIN ? 0 : f->min, high = f->max, end;
    if (f->limit && gn_dim_eval(f->limit, value_of, element_of, t, &end) && end - 1 < high) high = end - 1;
    if (f->mul > 1) low = gn_floor_div(low + f->mul - 1, f->mul) * f->mul;
    if (low > high) return false;
    const int64_t step = f->mul > 1 ? f->mul : 1, few = (high - low) / step < 24 ? (high - low) / step : 24;
    const bool last = high < INT64_MAX && draw(t) % 2;
    t->at[t->n++] = last ? high - gn_floor_mod(high, step) : low + step * (int64_t)(draw(t) % (uint64_t)(few + 1));
    return true;
}

static bool is_negative(trial *t, const gn_dim *d, bool *known)
{
    int64_t v = 0;
    *known = gn_dim_eval(d, value_of, element_of, t, &v);
    return *known && v < 0;
}

/* All that is known holds, and the goal does not. */
static bool is_met(trial *t, const gn_dim *goal)
{
    bool known;
    if (!is_negative(t, goal, &known)) return false;
    for (size_t i = 0; i < t->p->known.n; i++)
        if (is_negative(t, t->p->known.at[i], &known) || !known) return false;
    return true;
}

bool gn_prover_refutes(const gn_prover *p, const gn_dim *goal, int64_t *at)
{
    trial t = { p, at, 0, 1 };
    for (int i = 0; i < MOST_TRIES; i++) {
        t.n = 0;
        while (t.n < p->facts.n && choose(&t)) continue;
        if (t.n == p->facts.n && is_met(&t, goal)) return true;
    }
    return false;
}
