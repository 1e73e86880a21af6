/* Dims as text: the infix form that people write and messages show, and the s-expression that files hold. */
#include "dim_parts.h"
#include "ascii.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const atom_word[] = { "", "div", "mod", "min", "max", "load" };

static void show_tight(gn_text *t, const gn_dim *d)
{
    int64_t c;
    const bool word = d->n == 1 && d->term[0].c == 1 && d->term[0].n == 1 && d->term[0].atom[0]->kind != GN_DIM_DIV &&
                      d->term[0].atom[0]->kind != GN_DIM_MOD;
    if (word || (gn_dim_is_const(d, &c) && c >= 0)) {
        gn_dim_show(t, d);
        return;
    }
    gn_text_char(t, '(');
    gn_dim_show(t, d);
    gn_text_char(t, ')');
}

static void show_atom(gn_text *t, const gn_atom *x, bool alone)
{
    if (x->kind == GN_DIM_SYM) gn_text_add(t, x->name);
    else if (x->kind == GN_DIM_LOAD) {
        gn_textf(t, "%s[", x->name);
        gn_dim_show(t, x->a);
        gn_text_char(t, ']');
    } else if (x->kind == GN_DIM_DIV || x->kind == GN_DIM_MOD) {
        if (!alone) gn_text_char(t, '(');
        show_tight(t, x->a);
        gn_text_add(t, x->kind == GN_DIM_DIV ? "/" : "%");
        show_tight(t, x->b);
        if (!alone) gn_text_char(t, ')');
    } else {
        gn_textf(t, "%s(", atom_word[x->kind]);
        gn_dim_show(t, x->a);
        gn_text_add(t, ", ");
        gn_dim_show(t, x->b);
        gn_text_char(t, ')');
    }
}

void gn_dim_show(gn_text *t, const gn_dim *d)
{
    if (!d->n) gn_text_char(t, '0');
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_term *const term = &d->term[i];
        const bool unit = term->n && (term->c == 1 || term->c == -1);
        if (term->c < 0 && unit) gn_text_char(t, '-');
        else if (i && term->c > 0) gn_text_char(t, '+');
        if (!unit) gn_textf(t, "%" PRId64, term->c);
        for (uint32_t k = 0; k < term->n; k++) {
            if (k || !unit) gn_text_char(t, '*');
            show_atom(t, term->atom[k], term->n == 1 && term->c == 1);
        }
    }
}

static void print_atom(gn_text *t, const gn_atom *x)
{
    if (x->kind == GN_DIM_SYM) {
        gn_text_add(t, x->name);
        return;
    }
    gn_textf(t, "(%s", atom_word[x->kind]);
    if (x->kind == GN_DIM_LOAD) gn_textf(t, " %s", x->name);
    gn_text_char(t, ' ');
    gn_dim_print(t, x->a);
    if (x->b) {
        gn_text_char(t, ' ');
        gn_dim_print(t, x->b);
    }
    gn_text_char(t, ')');
}

static void print_term(gn_text *t, const gn_term *term)
{
    const bool list = term->n > 1 || (term->n && term->c != 1);
    if (list) gn_text_add(t, "(mul");
    if (!term->n || term->c != 1) gn_textf(t, "%s%" PRId64, list ? " " : "", term->c);
    for (uint32_t k = 0; k < term->n; k++) {
        if (list) gn_text_char(t, ' ');
        print_atom(t, term->atom[k]);
    }
    if (list) gn_text_char(t, ')');
}

void gn_dim_print(gn_text *t, const gn_dim *d)
{
    if (!d->n) gn_text_char(t, '0');
    if (d->n > 1) gn_text_add(t, "(add");
    for (uint32_t i = 0; i < d->n; i++) {
        if (d->n > 1) gn_text_char(t, ' ');
        print_term(t, &d->term[i]);
    }
    if (d->n > 1) gn_text_char(t, ')');
}

/* Reading s-expressions. */

typedef const gn_dim *(*binary)(gn_dim_pool *, const gn_dim *, const gn_dim *);
static const struct {
    const char *word;
    binary make;
    bool many;
} forms[] = { { "add", gn_dim_add, true },    { "mul", gn_dim_mul, true },  { "min", gn_dim_min, true },
              { "max", gn_dim_max, true },    { "sub", gn_dim_sub, false }, { "div", gn_dim_div, false },
              { "cdiv", gn_dim_cdiv, false }, { "mod", gn_dim_mod, false } };

static const gn_dim *read_list(gn_dim_pool *pool, const char *file, const gn_sx *x)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!gn_sx_head(x, forms[i].word)) continue;
        if (x->n < 2 || (!forms[i].many && x->n != 3)) gn_sx_fail(file, x, "(%s ...) with %zu operands", forms[i].word, x->n - 1);
        const gn_dim *d = gn_dim_read(pool, file, x->at[1]);
        for (size_t k = 2; k < x->n; k++) d = forms[i].make(pool, d, gn_dim_read(pool, file, x->at[k]));
        return d;
    }
    gn_sx_fail(file, x, "a dim was expected: a number, a name, or (add sub mul div cdiv mod min max load ...)");
}

const gn_dim *gn_dim_read(gn_dim_pool *pool, const char *file, const gn_sx *x)
{
    int64_t v;
    if (gn_sx_int(x, &v)) return gn_dim_const(pool, v);
    if (x->kind == GN_SX_ATOM && gn_is_name(x->text)) return gn_dim_sym(pool, x->text);
    if (gn_sx_head(x, "load")) {
        if (x->n != 3 || x->at[1]->kind != GN_SX_ATOM) gn_sx_fail(file, x, "(load BUFFER index) was expected");
        return gn_dim_load(pool, x->at[1]->text, gn_dim_read(pool, file, x->at[2]));
    }
    return read_list(pool, file, x);
}

/* Reading shape strings: expr := term (('+' | '-') term)*, term := factor (('*' | '/' | '%') factor)*. */

enum { DEEPEST = 100 };
typedef struct shape_reader {
    gn_dim_pool *pool;
    const char *text, *at;
    int depth;
} shape_reader;

static _Noreturn void fail_shape(const shape_reader *r, const char *what)
{
    gn_throw(GN_ESYNTAX, "shape \"%s\", character %d: %s", r->text, (int)(r->at - r->text) + 1, what);
}

static bool accept(shape_reader *r, char c)
{
    while (gn_is_space(*r->at)) r->at++;
    if (*r->at != c) return false;
    r->at++;
    return true;
}

static const gn_dim *read_sum(shape_reader *r);

static const gn_dim *read_pair(shape_reader *r, binary make)
{
    const gn_dim *d = read_sum(r);
    if (!accept(r, ',')) fail_shape(r, "',' was expected");
    do d = make(r->pool, d, read_sum(r));
    while (accept(r, ','));
    if (!accept(r, ')')) fail_shape(r, "')' was expected");
    return d;
}

static const gn_dim *read_name(shape_reader *r)
{
    const char *const start = r->at;
    const size_t n = gn_name_length(start);
    r->at += n;
    const bool call = n == 3 && (memcmp(start, "min", 3) == 0 || memcmp(start, "max", 3) == 0);
    if (call && accept(r, '(')) return read_pair(r, start[1] == 'i' ? gn_dim_min : gn_dim_max);
    return gn_dim_sym(r->pool, gn_symbol_n(r->pool->arena, &r->pool->symbols, start, n));
}

static const gn_dim *read_number(shape_reader *r)
{
    char *end;
    errno = 0;
    const long long v = strtoll(r->at, &end, 10);
    if (errno) fail_shape(r, "a number that does not fit 64 bits");
    if (gn_begins_name(*end) || *end == '.') fail_shape(r, "a number, an operator or ',' was expected");
    r->at = end;
    return gn_dim_const(r->pool, v);
}

static const gn_dim *read_factor(shape_reader *r)
{
    const gn_dim *d;
    if (++r->depth > DEEPEST) fail_shape(r, "nested too deep");
    if (accept(r, '-')) d = gn_dim_scale(r->pool, read_factor(r), -1);
    else if (accept(r, '(')) {
        d = read_sum(r);
        if (!accept(r, ')')) fail_shape(r, "')' was expected");
    } else if (gn_is_digit(*r->at)) d = read_number(r);
    else if (gn_begins_name(*r->at)) d = read_name(r);
    else fail_shape(r, *r->at ? "an extent was expected: a number, a name, or an expression of them" : "an extent is missing");
    r->depth--;
    return d;
}

static const gn_dim *read_term(shape_reader *r)
{
    const gn_dim *d = read_factor(r);
    for (;;) {
        if (accept(r, '*')) d = gn_dim_mul(r->pool, d, read_factor(r));
        else if (accept(r, '/') || accept(r, '%')) {
            const bool div = r->at[-1] == '/';
            const gn_dim *const by = read_factor(r);
            if (gn_dim_is(by, 0)) fail_shape(r, "division by 0");
            d = div ? gn_dim_div(r->pool, d, by) : gn_dim_mod(r->pool, d, by);
        } else return d;
    }
}

static const gn_dim *read_sum(shape_reader *r)
{
    const gn_dim *d = read_term(r);
    for (;;) {
        if (accept(r, '+')) d = gn_dim_add(r->pool, d, read_term(r));
        else if (accept(r, '-')) d = gn_dim_sub(r->pool, d, read_term(r));
        else return d;
    }
}

size_t gn_dim_read_shape(gn_dim_pool *pool, const char *text, const gn_dim **out, size_t capacity)
{
    shape_reader r = { pool, text, text, 0 };
    size_t n = 0;
    if (accept(&r, '(') && accept(&r, ')') && accept(&r, '\0')) return 0;
    r.at = text;
    if (accept(&r, '\0')) gn_throw(GN_ESYNTAX, "shape \"%s\": it is empty; a scalar is \"()\"", text);
    for (;;) {
        if (n == capacity) fail_shape(&r, "more extents than are possible here");
        out[n++] = read_sum(&r);
        if (accept(&r, ',')) continue;
        if (!accept(&r, '\0')) fail_shape(&r, "an operator or ',' was expected");
        return n;
    }
}
