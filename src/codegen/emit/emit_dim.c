/* Index expressions as C: sums of products, positive terms first, divisions by the shortest form that is right. */
#include <inttypes.h>
#include "emit_state.h"

static bool is_div_plain(gn_emitter *e, const gn_atom *a)
{
    return gn_dim_at_least(e->g, a->a, 0) && gn_dim_at_least(e->g, a->b, 1);
}

static void call(gn_emitter *e, const char *f, const gn_atom *a)
{
    gn_textf(e->out, "%s(", f);
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

static void atom(gn_emitter *e, const gn_atom *a, bool alone)
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

/* Loads are of the buffer's dtype: widened before they are multiplied. */
static bool is_load(const gn_term *t)
{
    return t->n > 0 && t->atom[0]->kind == GN_DIM_LOAD;
}

static void term(gn_emitter *e, const gn_term *t, bool first, bool alone)
{
    const int64_t c = t->c;
    if (c < 0) gn_text_add(e->out, first ? "-" : " - ");
    else if (!first) gn_text_add(e->out, " + ");
    const uint64_t m = c < 0 ? (uint64_t)0 - (uint64_t)c : (uint64_t)c;
    if (t->n == 0 || m != 1) gn_textf(e->out, "%" PRIu64, m);
    if (t->n && m != 1) gn_text_char(e->out, '*');
    for (uint32_t i = 0; i < t->n; i++) {
        if (i) gn_text_char(e->out, '*');
        if (t->atom[i]->kind == GN_DIM_LOAD) gn_text_add(e->out, "(int64_t)");
        atom(e, t->atom[i], alone && t->n == 1 && m == 1 && c > 0);
    }
}

void gn_emit_dim(gn_emitter *e, const gn_dim *d, bool tight)
{
    if (d->n == 0) {
        gn_text_char(e->out, '0');
        return;
    }
    const bool sum = d->n > 1 || d->term[0].c < 0 || d->term[0].n > 1 || (d->term[0].c != 1 && d->term[0].n) || is_load(&d->term[0]);
    if (tight && sum) gn_text_char(e->out, '(');
    bool first = true;
    for (int negative = 0; negative < 2; negative++)
        for (uint32_t i = 0; i < d->n; i++)
            if ((d->term[i].c < 0) == negative) {
                term(e, &d->term[i], first, d->n == 1 && !tight);
                first = false;
            }
    if (tight && sum) gn_text_char(e->out, ')');
}
