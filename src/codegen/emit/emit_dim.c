/* Index expressions as C: sums of products, positive terms first, divisions by the shortest form that is right. */
#include <inttypes.h>
#include "dim_parts.h"
#include "emit_state.h"

static bool is_div_plain(gn_emitter *e, const gn_atom *a)
{
    const gn_dim_facts f = gn_code_facts(e->code);
    int64_t low, least, high;
    gn_dim_range(a->a, &f, &low, &high), gn_dim_range(a->b, &f, &least, &high);
    return low >= 0 && least >= 1;
}

static void call(gn_emitter *e, const char *f, const gn_atom *a)
{
    gn_emit_word(e, "%s", f);
    gn_text_char(e->out, '(');
    gn_emit_dim(e, a->a, false);
    gn_text_add(e->out, ", ");
    gn_emit_dim(e, a->b, false);
    gn_text_char(e->out, ')');
}

static void infix(gn_emitter *e, char op, const gn_atom *a, bool alone)
{
    if (!alone) gn_text_char(e->out, '(');
    gn_emit_dim(e, a->a, true);
    gn_text_char(e->out, op);
    gn_emit_dim(e, a->b, true);
    if (!alone) gn_text_char(e->out, ')');
}

static void operation(gn_emitter *e, const gn_atom *a, bool alone)
{
    switch (a->kind) {
    case GN_DIM_SYM: gn_text_add(e->out, gn_emit_name(e, a->name)); break;
    case GN_DIM_DIV: is_div_plain(e, a) ? infix(e, '/', a, alone) : call(e, "gn_div_i64", a); break;
    case GN_DIM_MOD: is_div_plain(e, a) ? infix(e, '%', a, alone) : call(e, "gn_mod_i64", a); break;
    case GN_DIM_MIN: call(e, "gn_min_i64", a); break;
    case GN_DIM_MAX: call(e, "gn_max_i64", a); break;
    case GN_DIM_LOAD:
        gn_textf(e->out, "%s[", gn_emit_name(e, a->name));
        gn_emit_dim(e, a->a, false);
        gn_text_char(e->out, ']');
        break;
    }
}

static void note_other(void *user, const char *name)
{
    void *const *const to = user;
    const gn_emitter *const e = to[0];
    for (size_t i = 0; i < e->code->syms.n; i++)
        if (strcmp(e->code->syms.at[i].name, name) == 0) return;
    *(bool *)to[1] = true;
}

/* Sizes share their parts: n/2 + n/3 of such a sum, again and again, is as long as 2^depth. A large part of sizes alone
 * is a variable of the step. */
static const char *large_part(gn_emitter *e, const gn_atom *a)
{
    bool other = a->has_load;
    const char **const known = (const char **)gn_map_put(e->arena, &e->parts, GN_KEY(a));
    if (!*known && !other) gn_dim_symbols(gn_dim_of_atom(e->code->dims, a), note_other, (void *[]){ e, &other });
    if (*known || other) return *known;
    const char *name = *known = gn_arena_printf(e->arena, "gn_size_%zu", ++e->nparts);
    gn_text one = { .arena = e->arena }, *const out = e->out;
    e->out = &one;
    operation(e, a, true);
    e->out = out;
    gn_textf(&e->part_lines, "    const int64_t %s = %s;\n", name, gn_text_done(&one));
    return name;
}

static void atom(gn_emitter *e, const gn_atom *a, bool alone)
{
    const char *name = a->size > GN_DIM_SMALL ? large_part(e, a) : NULL;
    if (name) gn_text_add(e->out, name);
    else operation(e, a, alone);
}

/* Loads are of the buffer's dtype: widened before they are multiplied. */
static bool is_load(const gn_term *t)
{
    return t->n > 0 && t->atom[0]->kind == GN_DIM_LOAD;
}

static bool is_quotient(const gn_term *t)
{
    return t->n > 0 && (t->atom[0]->kind == GN_DIM_DIV || t->atom[0]->kind == GN_DIM_MOD);
}

static void term(gn_emitter *e, const gn_term *t, bool first)
{
    const int64_t c = t->c;
    if (c < 0)
        gn_text_add(e->out, first ? "-" : " - ");
    else if (!first)
        gn_text_add(e->out, " + ");
    if (t->n == 0 && c == INT64_MIN) { /* C has no constant for its absolute value */
        gn_text_add(e->out, "9223372036854775807 - 1");
        return;
    }
    const uint64_t m = c < 0 ? (uint64_t)0 - (uint64_t)c : (uint64_t)c;
    if (t->n == 0 || m != 1) gn_textf(e->out, "%" PRIu64, m);
    if (t->n && m != 1) gn_text_char(e->out, '*');
    for (uint32_t i = 0; i < t->n; i++) {
        if (i) gn_text_char(e->out, '*');
        if (t->atom[i]->kind == GN_DIM_LOAD) gn_text_add(e->out, "(int64_t)");
        atom(e, t->atom[i], t->n == 1 && m == 1);
    }
}

/* ---- digits of the counter of a shared copy: (c/f) % n and the next one up make one longer digit ---- */

typedef struct gn_digit {
    int64_t f, n;                 /* (c / f) % n; n 0: no end */
    const gn_dim *counter, *rest; /* the term is coefficient * rest * digit */
} gn_digit;

static bool is_const_atom(const gn_dim *d, int64_t *c)
{
    return gn_dim_is_const(d, c) && *c > 0;
}

static bool is_counter(const gn_emitter *e, const gn_dim *d)
{
    if (d->n != 1 || d->term[0].c != 1 || d->term[0].n != 1 || d->term[0].atom[0]->kind != GN_DIM_SYM) return false;
    return gn_map_get(&e->dealt, GN_KEY(d->term[0].atom[0]->name));
}

static bool digit_atom(const gn_emitter *e, const gn_atom *a, gn_digit *out)
{
    *out = (gn_digit){ .f = 1 };
    if (a->kind == GN_DIM_MOD) {
        if (!is_const_atom(a->b, &out->n)) return false;
        if (is_counter(e, a->a)) return out->counter = a->a, true;
        if (a->a->n != 1 || a->a->term[0].c != 1 || a->a->term[0].n != 1) return false;
        a = a->a->term[0].atom[0];
    }
    if (a->kind != GN_DIM_DIV || !is_const_atom(a->b, &out->f) || !is_counter(e, a->a)) return false;
    out->counter = a->a;
    return true;
}

static bool digit_term(gn_emitter *e, const gn_term *t, gn_digit *out)
{
    for (uint32_t i = 0; i < t->n; i++) {
        if (!digit_atom(e, t->atom[i], out)) continue;
        out->rest = gn_dim_const(e->code->dims, 1);
        for (uint32_t j = 0; j < t->n; j++)
            if (j != i) out->rest = gn_dim_mul(e->code->dims, out->rest, gn_dim_of_atom(e->code->dims, t->atom[j]));
        return true;
    }
    return false;
}

static const gn_dim *term_dim(gn_emitter *e, const gn_term *t)
{
    const gn_dim *d = gn_dim_const(e->code->dims, t->c);
    for (uint32_t i = 0; i < t->n; i++) d = gn_dim_mul(e->code->dims, d, gn_dim_of_atom(e->code->dims, t->atom[i]));
    return d;
}

static const gn_dim *merge_once(gn_emitter *e, const gn_dim *d)
{
    gn_dim_pool *p = e->code->dims;
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t j = 0; j < d->n; j++) {
            gn_digit x, y;
            if (i == j || !digit_term(e, &d->term[i], &x) || !digit_term(e, &d->term[j], &y)) continue;
            if (!x.n || x.counter != y.counter || x.rest != y.rest || y.f != x.f * x.n ||
                d->term[j].c != d->term[i].c * x.n)
                continue;
            const gn_dim *both = gn_dim_div(p, x.counter, gn_dim_const(e->code->dims, x.f));
            if (y.n) both = gn_dim_mod(p, both, gn_dim_const(e->code->dims, x.n * y.n));
            const gn_dim *rest = gn_dim_sub(e->code->dims, gn_dim_sub(e->code->dims, d, term_dim(e, &d->term[i])),
                                            term_dim(e, &d->term[j]));
            return gn_dim_add(e->code->dims, rest, gn_dim_scale(e->code->dims, gn_dim_mul(p, x.rest, both), d->term[i].c));
        }
    return d;
}

static const gn_dim *merge_digits(gn_emitter *e, const gn_dim *d)
{
    for (const gn_dim *last = NULL; last != d;) {
        last = d;
        d = merge_once(e, d);
    }
    return d;
}

static bool is_named(const gn_emitter *e, const gn_term *t)
{
    return t->n == 1 && t->atom[0]->kind == GN_DIM_SYM && gn_map_get(&e->named, GN_KEY(t->atom[0]->name));
}

/* Added before subtracted; of these names of sums first, large steps before small ones, numbers last:
 * row + 1024*i + 8*j + k + 16. */
static bool comes_before(const gn_emitter *e, const gn_term *a, const gn_term *b)
{
    const bool named = is_named(e, a);
    if ((a->c < 0) != (b->c < 0)) return b->c < 0;
    if (named != is_named(e, b)) return named;
    if (a->n != b->n) return a->n > b->n;
    return a->n > 0 && (a->c < 0 ? a->c < b->c : a->c > b->c);
}

void gn_emit_dim(gn_emitter *e, const gn_dim *d, bool tight)
{
    if (e->code->target->lang == GN_LANG_CUDA) d = merge_digits(e, d);
    if (d->n == 0) {
        gn_text_char(e->out, '0');
        return;
    }
    const bool sum = d->n > 1 || d->term[0].c < 0 || d->term[0].n > 1 || (d->term[0].c != 1 && d->term[0].n) ||
                     is_load(&d->term[0]) || is_quotient(&d->term[0]);
    if (tight && sum) gn_text_char(e->out, '(');
    uint32_t *const order = GN_NEW_ARRAY(e->arena, uint32_t, d->n);
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t k = i;
        for (; k > 0 && comes_before(e, &d->term[i], &d->term[order[k - 1]]); k--) order[k] = order[k - 1];
        order[k] = i;
    }
    for (uint32_t i = 0; i < d->n; i++) term(e, &d->term[order[i]], i == 0);
    if (tight && sum) gn_text_char(e->out, ')');
}
