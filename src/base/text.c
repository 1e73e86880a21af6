/* Strings under construction. */
#include "text.h"
#include <stdio.h>
#include <string.h>
#include "number.h"

static void reserve(gn_text *t, size_t more)
{
    if (t->capacity - t->n > more) return;
    size_t bigger = t->capacity ? 2 * t->capacity : 64;
    while (bigger - t->n <= more) bigger *= 2;
    char *const at = gn_arena_alloc(t->arena, bigger, 1);
    if (t->n) memcpy(at, t->at, t->n);
    t->at = at;
    t->capacity = bigger;
}

void gn_text_add_n(gn_text *t, const char *text, size_t n)
{
    reserve(t, n);
    if (n) memcpy(t->at + t->n, text, n);
    t->n += n;
    t->at[t->n] = '\0';
}

void gn_text_add(gn_text *t, const char *text)
{
    gn_text_add_n(t, text, strlen(text));
}

void gn_text_char(gn_text *t, char c)
{
    gn_text_add_n(t, &c, 1);
}

void gn_vtextf(gn_text *t, const char *format, va_list given)
{
    va_list args;
    reserve(t, 64);
    for (;;) {
        const size_t room = t->capacity - t->n;
        va_copy(args, given);
        const int n = vsnprintf(t->at + t->n, room, format, args);
        va_end(args);
        if (n < 0) gn_throw(GN_EINTERNAL, "a format could not be printed: %s", format);
        if ((size_t)n < room) {
            t->n += (size_t)n;
            return;
        }
        t->at[t->n] = '\0';
        reserve(t, (size_t)n);
    }
}

void gn_textf(gn_text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    gn_vtextf(t, format, args);
    va_end(args);
}

const char *gn_text_done(gn_text *t)
{
    return t->n ? t->at : "";
}

void gn_text_double(gn_text *t, double v)
{
    char s[GN_NUMBER_SIZE + 2];
    gn_number_shortest(s, v);
    if (!strpbrk(s, ".en")) strcat(s, ".0"); /* 'n' is in inf and nan */
    gn_text_add(t, s);
}

void gn_text_hex(gn_text *t, double v)
{
    gn_text_add(t, gn_number_hex((char[GN_NUMBER_SIZE]){ 0 }, v));
}

void gn_text_quote(gn_text *t, const char *text)
{
    gn_text_char(t, '"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\') gn_textf(t, "\\%c", *c);
        else if (*c == '\n') gn_text_add(t, "\\n");
        else if (*c == '\t') gn_text_add(t, "\\t");
        else if ((unsigned char)*c < 0x20 || *c == 0x7f) gn_textf(t, "\\x%02x", (unsigned char)*c);
        else gn_text_char(t, *c);
    }
    gn_text_char(t, '"');
}
