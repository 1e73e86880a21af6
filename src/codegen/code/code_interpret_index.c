/* Index expressions and conditions, for the thread at work. */
#include "checked.h"
#include "code_interpret_state.h"

/* ---- symbols and variables ---- */

static gn_counter *new_counter(gn_runner *r)
{
    gn_counter *c = GN_NEW_OBJECT(r->arena, gn_counter);
    c->value = GN_NEW_ARRAY(r->arena, int64_t, r->most);
    c->bound = GN_NEW_ARRAY(r->arena, bool, r->most);
    return c;
}

/* Found by content once, by address from then on. */
gn_counter *gn_runner_counter(gn_runner *r, const char *name)
{
    void **at = gn_map_put(r->arena, &r->counter_of, GN_KEY(name));
    if (*at) return *at;
    const char *own = gn_symbol(r->arena, &r->names, name);
    void **first = gn_map_put(r->arena, &r->counter_of, GN_KEY(own));
    if (!*first) *first = new_counter(r);
    gn_counter *c = *first;
    *gn_map_put(r->arena, &r->counter_of, GN_KEY(name)) = c;
    return c;
}

void gn_runner_bind(gn_runner *r, const char *name, int64_t v)
{
    gn_counter *c = gn_runner_counter(r, name);
    c->value[r->thread] = v;
    c->bound[r->thread] = true;
}

void gn_runner_unbind(gn_runner *r, const char *name)
{
    gn_runner_counter(r, name)->bound[r->thread] = false;
}

static bool value_of(void *user, const char *name, int64_t *out)
{
    gn_runner *r = user;
    const gn_counter *c = gn_runner_counter(r, name);
    if (!c->bound[r->thread]) return r->unknown = name, false;
    *out = c->value[r->thread];
    return true;
}

/* ---- expressions ---- */

static const gn_place *place_named(gn_runner *r, const char *name)
{
    void **at = gn_map_put(r->arena, &r->place_of, GN_KEY(name));
    if (!*at) *at = (void *)gn_code_find_place(r->code, name);
    if (!*at) gn_runner_fail(r, "an index loads from '%s', which is no place", name);
    return *at;
}

static bool fetch(void *user, const char *name, int64_t index, int64_t *out)
{
    gn_runner *r = user;
    const gn_lane x = gn_runner_load(r, place_named(r, name), index);
    if (x.poison) gn_runner_fail_poison(r, "an index", x);
    *out = x.i;
    return true;
}

static _Noreturn void no_value(gn_runner *r, const gn_dim *d)
{
    const char *text = gn_dim_text(r->arena, d);
    if (r->unknown) gn_runner_fail(r, "the index %s has no value: '%s' is unknown here", text, r->unknown);
    gn_runner_fail(r, "the index %s has no value: it overflows", text);
}

uint32_t gn_runner_number(gn_runner *r, uint32_t number, const gn_dim *at)
{
    const int64_t n = at ? gn_runner_dim(r, at) : number;
    return n < 0 || n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

int64_t gn_runner_dim(gn_runner *r, const gn_dim *d)
{
    int64_t v;
    r->unknown = NULL;
    if (!gn_dim_eval(d, value_of, fetch, r, &v)) no_value(r, d);
    return v;
}

int64_t gn_runner_offset(gn_runner *r, const gn_dim *base, const gn_dim *step, int l)
{
    int64_t v = l;
    r->unknown = NULL;
    if (step && gn_mul_overflows(gn_runner_dim(r, step), l, &v)) no_value(r, step);
    if (gn_add_overflows(gn_runner_dim(r, base), v, &v)) no_value(r, base);
    return v;
}

static bool test(gn_runner *r, const gn_kcond *c)
{
    const int64_t left = gn_runner_dim(r, c->a), right = gn_runner_dim(r, c->b);
    return c->kind == GN_K_LT ? left < right : left == right;
}

bool gn_runner_holds(gn_runner *r, gn_preds w)
{
    for (uint32_t i = 0; i < w.n; i++) {
        bool all = true;
        for (uint16_t j = 0; j < w.at[i].n && all; j++) all = test(r, &w.at[i].cond[j]);
        if (all == w.at[i].negate) return false;
    }
    return true;
}
