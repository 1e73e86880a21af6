/* The reader of s-expressions: the lists that are open lie on a stack of its own, so that no text is too deep. */
#include "sexpr.h"
#include "ascii.h"
#include "number.h"
#include "vec.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct open_list {
    gn_sx *list;
    GN_VEC(const gn_sx *) items;
} open_list;

typedef struct reader {
    gn_arena *arena;
    const char *name, *at, *end;
    int line, column;
    GN_VEC(open_list) open;      /* innermost last */
} reader;

static _Noreturn void fail_here(const reader *r, const char *what)
{
    gn_throw(GN_ESYNTAX, "%s:%d:%d: %s", r->name, r->line, r->column, what);
}

void gn_sx_fail(const char *name, const gn_sx *x, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gn_throw(GN_ESYNTAX, "%s:%d:%d: %s", name, x->line, x->column, text);
}

static void advance(reader *r)
{
    if (*r->at++ == '\n') r->line++, r->column = 1;
    else r->column++;
}

static void skip_space(reader *r)
{
    while (r->at < r->end) {
        if (*r->at == ';')
            while (r->at < r->end && *r->at != '\n') advance(r);
        else if (gn_is_space(*r->at)) advance(r);
        else return;
    }
}

static bool ends_atom(char c)
{
    return gn_is_space(c) || c == '(' || c == ')' || c == '"' || c == ';';
}

static int hex_digit(reader *r)
{
    const int digit = r->at < r->end ? gn_hex_digit(*r->at) : -1;
    if (digit < 0) fail_here(r, "\\x wants two hex digits");
    advance(r);
    return digit;
}

static char escaped(reader *r)
{
    const char c = r->at < r->end ? *r->at : '\0';
    if (!c || !strchr("nt\\\"x", c)) fail_here(r, "unknown escape: \\n \\t \\\\ \\\" and \\xHH are known");
    advance(r);
    if (c == 'x') {
        const int high = hex_digit(r);
        return (char)(high * 16 + hex_digit(r));
    }
    return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

static void read_string(reader *r, gn_sx *x)
{
    GN_VEC(char) text = { 0 };
    advance(r);
    for (;;) {
        if (r->at == r->end)
            gn_throw(GN_ESYNTAX, "%s:%d:%d: string without its closing quote", r->name, x->line, x->column);
        char c = *r->at;
        advance(r);
        if (c == '"') break;
        if (c == '\\') c = escaped(r);
        gn_push(r->arena, &text, c);
    }
    x->n = text.n;
    gn_push(r->arena, &text, '\0');
    x->kind = GN_SX_STRING;
    x->text = text.at;
}

static void read_atom(reader *r, gn_sx *x)
{
    const char *const start = r->at;
    while (r->at < r->end && !ends_atom(*r->at)) {
        if (!*r->at) fail_here(r, "a byte 0 in the text");
        advance(r);
    }
    x->kind = GN_SX_ATOM;
    x->n = (size_t)(r->at - start);
    char *const text = gn_arena_alloc(r->arena, x->n + 1, 1);
    memcpy(text, start, x->n);
    text[x->n] = '\0';
    x->text = text;
}

static gn_sx *new_item(reader *r)
{
    gn_sx *const x = GN_NEW_OBJECT(r->arena, gn_sx);
    x->line = r->line;
    x->column = r->column;
    if (r->open.n) {
        open_list *const in = &r->open.at[r->open.n - 1];
        gn_push(r->arena, &in->items, x);
    }
    return x;
}

static void open_item(reader *r)
{
    gn_sx *const list = new_item(r);
    gn_push(r->arena, &r->open, ((open_list){ .list = list }));
}

static void close_item(reader *r)
{
    const open_list *const o = &r->open.at[--r->open.n];
    o->list->kind = GN_SX_LIST;
    o->list->text = "";
    o->list->n = o->items.n;
    o->list->at = o->items.at;
}

static void read_item(reader *r)
{
    if (*r->at == '(') {
        open_item(r);
        advance(r);
    } else if (*r->at == ')') {
        if (r->open.n == 1) fail_here(r, "')' without its '('");
        advance(r);
        close_item(r);
    } else if (*r->at == '"') {
        read_string(r, new_item(r));
    } else {
        read_atom(r, new_item(r));
    }
}

const gn_sx *gn_sx_read(gn_arena *arena, const char *name, const char *text, size_t length)
{
    reader r = { arena, name, text, text + length, 1, 1, { 0 } };
    open_item(&r);
    for (skip_space(&r); r.at < r.end; skip_space(&r)) read_item(&r);
    const gn_sx *const last = r.open.at[r.open.n - 1].list, *const all = r.open.at[0].list;
    if (last != all) gn_throw(GN_ESYNTAX, "%s:%d:%d: '(' without its ')'", name, last->line, last->column);
    close_item(&r);
    return all;
}

bool gn_sx_head(const gn_sx *x, const char *atom)
{
    return x->kind == GN_SX_LIST && x->n > 0 && gn_sx_is(x->at[0], atom);
}

bool gn_sx_int(const gn_sx *x, int64_t *out)
{
    const char *const digits = x->text + (x->text[0] == '-' || x->text[0] == '+');
    char *end;
    if (x->kind != GN_SX_ATOM || !gn_is_digit(*digits)) return false;
    errno = 0;
    const long long v = strtoll(x->text, &end, 10);
    if (*end || errno) return false;
    *out = v;
    return true;
}

bool gn_sx_double(const gn_sx *x, double *out)
{
    const char *end;
    return x->kind == GN_SX_ATOM && gn_number_read(x->text, &end, out) && *end == '\0';
}
