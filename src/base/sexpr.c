/* The reader of s-expressions. Recursion is bounded by the limit on nesting. */
#include "sexpr.h"
#include "ascii.h"
#include "number.h"
#include "vec.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEEPEST = 200 };

typedef struct reader {
    gn_arena *arena;
    const char *name, *at, *end;
    int line, column, depth;
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
        if (r->at == r->end) gn_throw(GN_ESYNTAX, "%s:%d:%d: string without its closing quote", r->name, x->line, x->column);
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

static const gn_sx *read_item(reader *r);

static void read_items(reader *r, gn_sx *list, bool nested)
{
    GN_VEC(const gn_sx *) items = { 0 };
    for (;;) {
        skip_space(r);
        if (r->at == r->end) {
            if (nested) gn_throw(GN_ESYNTAX, "%s:%d:%d: '(' without its ')'", r->name, list->line, list->column);
            break;
        }
        if (*r->at == ')') {
            if (!nested) fail_here(r, "')' without its '('");
            advance(r);
            break;
        }
        const gn_sx *const item = read_item(r);
        gn_push(r->arena, &items, item);
    }
    list->kind = GN_SX_LIST;
    list->text = "";
    list->n = items.n;
    list->at = items.at;
}

static const gn_sx *read_item(reader *r)
{
    gn_sx *const x = GN_NEW_OBJECT(r->arena, gn_sx);
    x->line = r->line;
    x->column = r->column;
    if (*r->at == '"') read_string(r, x);
    else if (*r->at != '(') read_atom(r, x);
    else {
        if (++r->depth > DEEPEST) fail_here(r, "lists are nested deeper than 200");
        advance(r);
        read_items(r, x, true);
        r->depth--;
    }
    return x;
}

const gn_sx *gn_sx_read(gn_arena *arena, const char *name, const char *text, size_t length)
{
    reader r = { arena, name, text, text + length, 1, 1, 0 };
    gn_sx *const all = GN_NEW_OBJECT(arena, gn_sx);
    all->line = all->column = 1;
    read_items(&r, all, false);
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
