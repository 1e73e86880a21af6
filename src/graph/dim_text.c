/* Dims as text: the infix form that people write and messages show, and the s-expression that files hold. */
#include <gnomon/array.h>
#include "dim_parts.h"
#include "ascii.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const atom_word[] = { "", "div", "mod", "min", "max", "load" };

/* What is shown of a dim that is not small ends in "..": a dim of few atoms may stand for a text without end. */

enum { MOST_SHOWN = 300 };
typedef struct shower {
    gn_text *t;
    size_t end; /* of the text, when it is cut; SIZE_MAX: never */
} shower;

static void show(const shower *s, const gn_dim *d);

static bool is_full(const shower *s)
{
    return s->t->n >= s->end;
}

static void show_tight(const shower *s, const gn_dim *d)
{
    int64_t c;
    const bool word = d->n == 1 && d->term[0].c == 1 && d->term[0].n == 1 && d->term[0].atom[0]->kind != GN_DIM_DIV &&
                      d->term[0].atom[0]->kind != GN_DIM_MOD;
    if (word || (gn_dim_is_const(d, &c) && c >= 0)) {
        show(s, d);
        return;
    }
    gn_text_char(s->t, '(');
    show(s, d);
    gn_text_char(s->t, ')');
}

static void show_atom(const shower *s, const gn_atom *x, bool alone)
{
    if (x->kind == GN_DIM_SYM) gn_text_add(s->t, x->name);
    else if (x->kind == GN_DIM_LOAD) {
        gn_textf(s->t, "%s[", x->name);
        show(s, x->a);
        gn_text_char(s->t, ']');
    } else if (x->kind == GN_DIM_DIV || x->kind == GN_DIM_MOD) {
        if (!alone) gn_text_char(s->t, '(');
        show_tight(s, x->a);
        gn_text_add(s->t, x->kind == GN_DIM_DIV ? "/" : "%");
        show_tight(s, x->b);
        if (!alone) gn_text_char(s->t, ')');
    } else {
        gn_textf(s->t, "%s(", atom_word[x->kind]);
        show(s, x->a);
        gn_text_add(s->t, ", ");
        show(s, x->b);
        gn_text_char(s->t, ')');
    }
}

static void show(const shower *s, const gn_dim *d)
{
    if (!d->n) gn_text_char(s->t, '0');
    for (uint32_t i = 0; i < d->n && !is_full(s); i++) {
        const gn_term *const term = &d->term[i];
        const bool unit = term->n && (term->c == 1 || term->c == -1);
        if (term->c < 0 && unit) gn_text_char(s->t, '-');
        else if (i && term->c > 0) gn_text_char(s->t, '+');
        if (!unit) gn_textf(s->t, "%" PRId64, term->c);
        for (uint32_t k = 0; k < term->n && !is_full(s); k++) {
            if (k || !unit) gn_text_char(s->t, '*');
            show_atom(s, term->atom[k], term->n == 1 && term->c == 1);
        }
    }
}

void gn_dim_show(gn_text *t, const gn_dim *d)
{
    const size_t start = t->n;
    const shower s = { t, gn_dim_is_small(d) ? SIZE_MAX : start + MOST_SHOWN };
    show(&s, d);
    if (!is_full(&s)) return;
    t->n = s.end;
    gn_text_add(t, "..");
}

const char *gn_dim_text(gn_arena *arena, const gn_dim *d)
{
    gn_text t = { .arena = arena };
    gn_dim_show(&t, d);
    return gn_text_done(&t);
}

/* S-expressions. A dim that is large or deep is printed with names for its larger parts, each once and after those it
 * uses: (let (@0 (div (add n 1) 2)) ... (add @0 @7)). So no text is longer than the dim has atoms, or nested deeper
 * than MOST_NESTED. */

enum { MOST_NESTED = 8 };
typedef struct part {
    size_t cost;   /* atoms in its text */
    size_t number; /* of its name, + 1; 0: it has none */
} part;
typedef struct printer {
    gn_text *t;
    const gn_dim *d;
    gn_arena scratch;
    gn_map parts; /* atom -> its part; empty while a small dim is printed */
    size_t nnamed;
} printer;

static void print_dim(const printer *p, const gn_dim *d);

static void print_operation(const printer *p, const gn_atom *x)
{
    gn_textf(p->t, "(%s", atom_word[x->kind]);
    if (x->kind == GN_DIM_LOAD) gn_textf(p->t, " %s", x->name);
    gn_text_char(p->t, ' ');
    print_dim(p, x->a);
    if (x->b) {
        gn_text_char(p->t, ' ');
        print_dim(p, x->b);
    }
    gn_text_char(p->t, ')');
}

static void print_atom(const printer *p, const gn_atom *x)
{
    const part *const known = gn_map_get(&p->parts, GN_KEY(x));
    if (x->kind == GN_DIM_SYM) gn_text_add(p->t, x->name);
    else if (known && known->number) gn_textf(p->t, "@%zu", known->number - 1);
    else print_operation(p, x);
}

static void print_term(const printer *p, const gn_term *term)
{
    const bool list = term->n > 1 || (term->n && term->c != 1);
    if (list) gn_text_add(p->t, "(mul");
    if (!term->n || term->c != 1) gn_textf(p->t, "%s%" PRId64, list ? " " : "", term->c);
    for (uint32_t k = 0; k < term->n; k++) {
        if (list) gn_text_char(p->t, ' ');
        print_atom(p, term->atom[k]);
    }
    if (list) gn_text_char(p->t, ')');
}

static void print_dim(const printer *p, const gn_dim *d)
{
    if (!d->n) gn_text_char(p->t, '0');
    if (d->n > 1) gn_text_add(p->t, "(add");
    for (uint32_t i = 0; i < d->n; i++) {
        if (d->n > 1) gn_text_char(p->t, ' ');
        print_term(p, &d->term[i]);
    }
    if (d->n > 1) gn_text_char(p->t, ')');
}

static void name_part(void *user, const gn_atom *x)
{
    printer *const p = user;
    part *const own = GN_NEW_OBJECT(&p->scratch, part);
    own->cost = 1;
    for (uint32_t i = 0; i < x->nin; i++) {
        const part *const in = gn_map_get(&p->parts, GN_KEY(x->in[i]));
        own->cost += in->number ? 1 : in->cost;
    }
    if (own->cost > MOST_NESTED) {
        gn_textf(p->t, " (@%zu ", p->nnamed);
        print_operation(p, x);
        gn_text_char(p->t, ')');
        own->number = ++p->nnamed;
    }
    *gn_map_put(&p->scratch, &p->parts, GN_KEY(x)) = own;
}

static void print_large(void *user)
{
    printer *const p = user;
    gn_visit v = { .arena = &p->scratch, .operand = gn_atom_operand };
    gn_text_add(p->t, "(let");
    gn_dim_meet(&v, p->d, name_part, p);
    gn_text_char(p->t, ' ');
    print_dim(p, p->d);
    gn_text_char(p->t, ')');
}

static bool is_plain(const gn_dim *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++)
            if (d->term[i].atom[k]->depth > 2 * MOST_NESTED) return false;
    return gn_dim_is_small(d);
}

void gn_dim_print(gn_text *t, const gn_dim *d)
{
    printer p = { .t = t, .d = d };
    if (is_plain(d)) print_dim(&p, d);
    else gn_dim_with_scratch(&p.scratch, print_large, &p);
}

/* Reading s-expressions. */

typedef const gn_dim *(*binary)(gn_dim_pool *, const gn_dim *, const gn_dim *);
static const struct {
    const char *word;
    binary make;
    size_t least, most; /* operands */
} forms[] = { { "add", gn_dim_add, 1, SIZE_MAX }, { "mul", gn_dim_mul, 1, SIZE_MAX }, { "min", gn_dim_min, 1, SIZE_MAX },
              { "max", gn_dim_max, 1, SIZE_MAX }, { "sub", gn_dim_sub, 2, SIZE_MAX }, { "div", gn_dim_div, 2, 2 },
              { "cdiv", gn_dim_cdiv, 2, 2 },      { "mod", gn_dim_mod, 2, 2 } };

enum { DEEPEST = 100 };
typedef struct dim_reader {
    gn_dim_pool *pool;
    const char *file;
    const gn_dim_names *names; /* NULL: each is a symbol of its own */
    int depth;
    gn_map named; /* interned name of a part -> its dim */
} dim_reader;

static const gn_dim *read_dim(dim_reader *r, const gn_sx *x);

static const gn_dim *read_list(dim_reader *r, const gn_sx *x)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!gn_sx_head(x, forms[i].word)) continue;
        if (x->n - 1 < forms[i].least || x->n - 1 > forms[i].most)
            gn_sx_fail(r->file, x, "(%s ...) with %zu operands", forms[i].word, x->n - 1);
        const gn_dim *d = read_dim(r, x->at[1]);
        for (size_t k = 2; k < x->n; k++) d = forms[i].make(r->pool, d, read_dim(r, x->at[k]));
        return d;
    }
    gn_sx_fail(r->file, x, "a dim was expected: a number, a name, or (add sub mul div cdiv mod min max load let ...)");
}

static const gn_dim *read_let(dim_reader *r, const gn_sx *x)
{
    if (x->n < 2) gn_sx_fail(r->file, x, "(let (@0 part) ... dim) was expected");
    for (size_t i = 1; i + 1 < x->n; i++) {
        const gn_sx *const named = x->at[i];
        if (named->kind != GN_SX_LIST || named->n != 2 || named->at[0]->kind != GN_SX_ATOM || named->at[0]->text[0] != '@')
            gn_sx_fail(r->file, named, "(@0 part) was expected: a name and what it stands for");
        const char *const name = gn_symbol(r->pool->arena, &r->pool->symbols, named->at[0]->text);
        const gn_dim *const d = read_dim(r, named->at[1]);
        *gn_map_put(r->pool->arena, &r->named, GN_KEY(name)) = (void *)(uintptr_t)d;
    }
    return read_dim(r, x->at[x->n - 1]);
}

/* Of several indices, if anybody knows what they are. */
static const gn_dim *read_load(dim_reader *r, const gn_sx *x)
{
    const gn_dim *index[GN_MAX_RANK];
    if (x->n < 3 || x->n > (r->names ? GN_MAX_RANK + 2 : 3) || x->at[1]->kind != GN_SX_ATOM)
        gn_sx_fail(r->file, x, "(load BUFFER index) was expected");
    for (size_t i = 2; i < x->n; i++) index[i - 2] = read_dim(r, x->at[i]);
    if (r->names) return r->names->load(r->names->user, x, x->n - 2, index);
    return gn_dim_load(r->pool, x->at[1]->text, index[0]);
}

static const gn_dim *read_part(const dim_reader *r, const gn_sx *x)
{
    const gn_dim *const d = gn_map_get(&r->named, GN_KEY(gn_symbol(r->pool->arena, &r->pool->symbols, x->text)));
    if (!d) gn_sx_fail(r->file, x, "%s stands for nothing here", x->text);
    return d;
}

static const gn_dim *read_dim(dim_reader *r, const gn_sx *x)
{
    int64_t v;
    if (gn_sx_int(x, &v)) return gn_dim_const(r->pool, v);
    if (x->kind == GN_SX_ATOM && x->text[0] == '@') return read_part(r, x);
    if (x->kind == GN_SX_ATOM && gn_is_name(x->text))
        return r->names ? r->names->name(r->names->user, x) : gn_dim_sym(r->pool, x->text);
    if (++r->depth > DEEPEST) gn_sx_fail(r->file, x, "a dim is nested deeper than %d", DEEPEST);
    const gn_dim *const d = gn_sx_head(x, "load")  ? read_load(r, x)
                            : gn_sx_head(x, "let") ? read_let(r, x)
                                                   : read_list(r, x);
    r->depth--;
    return d;
}

const gn_dim *gn_dim_read_named(gn_dim_pool *pool, const char *file, const gn_sx *x, const gn_dim_names *names)
{
    dim_reader r = { .pool = pool, .file = file, .names = names };
    return read_dim(&r, x);
}

const gn_dim *gn_dim_read(gn_dim_pool *pool, const char *file, const gn_sx *x)
{
    return gn_dim_read_named(pool, file, x, NULL);
}

/* Reading shape strings: expr := term (('+' | '-') term)*, term := factor (('*' | '/' | '%') factor)*. */

typedef struct shape_reader {
    gn_dim_pool *pool;
    const char *what; /* "shape", "extent": for words */
    const char *text, *at;
    int depth;
} shape_reader;

static _Noreturn void fail_shape(const shape_reader *r, const char *what)
{
    gn_throw(GN_ESYNTAX, "%s \"%s\", character %d: %s", r->what, r->text, (int)(r->at - r->text) + 1, what);
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
    r->at = end;
    if (gn_begins_name(*end) || *end == '.') fail_shape(r, "an operator or the end of the extent was expected");
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
    else
        fail_shape(r, *r->at ? "an extent was expected: a number, a name, or an expression of them"
                             : "an extent is missing");
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
    shape_reader r = { pool, "shape", text, text, 0 };
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

const gn_dim *gn_dim_read_extent(gn_dim_pool *pool, const char *text)
{
    shape_reader r = { pool, "extent", text, text, 0 };
    const gn_dim *const d = read_sum(&r);
    if (!accept(&r, '\0')) fail_shape(&r, "an operator or the end was expected");
    return d;
}
