/* A string under construction, in an arena.
 *
 *     gn_text t = { .arena = a };
 *     gn_textf(&t, "%s(%d)", name, n);
 *     return gn_text_done(&t); */
#pragma once
#include <stdarg.h>
#include "arena.h"

typedef struct gn_text {
    gn_arena *arena;
    char *at; /* always ends in '\0' once something was added */
    size_t n, capacity;
} gn_text;

/* No floating-point number: their spelling is number.h's. */
void gn_textf(gn_text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gn_vtextf(gn_text *, const char *format, va_list) __attribute__((format(printf, 2, 0)));
void gn_text_add(gn_text *, const char *text);
void gn_text_add_n(gn_text *, const char *text, size_t n);
void gn_text_char(gn_text *, char c);
const char *gn_text_done(gn_text *); /* "" if nothing was added */

/* Shortest decimal text that reads back as the same double ("0.1", "1e+30", "inf", "-inf", "nan"); always has '.', 'e',
 * "inf" or "nan". */
void gn_text_double(gn_text *, double);
/* The same in hex ("0x1.8p+0", "inf", "nan"): every bit, no rounding to think about. */
void gn_text_hex(gn_text *, double);
/* In quotes with escapes, as sexpr.h reads strings. */
void gn_text_quote(gn_text *, const char *text);
