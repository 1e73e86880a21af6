/* S-expressions: the reader behind the text form of graphs, rules, derivatives, kernels and schedules.
 *
 *     list := '(' item* ')'     item := list | atom | string     atom: any run of characters but space ( ) " ;
 *
 * A comment runs from ';' to the end of the line. Strings know \n \t \\ \" \xHH. Nesting is limited to 200. */
#pragma once
#include <stdbool.h>
#include "arena.h"

typedef enum { GN_SX_LIST, GN_SX_ATOM, GN_SX_STRING } gn_sx_kind;

typedef struct gn_sx {
    gn_sx_kind kind;
    int line, column;          /* 1-based */
    const char *text;          /* atom or string; "" for lists */
    size_t n;                  /* items of a list, length of a text */
    const struct gn_sx *const *at; /* items of a list */
} gn_sx;

/* Reads all items of `text` (any number, one after the other) as one list. Throws GN_ESYNTAX "NAME:LINE:COLUMN: ...". */
const gn_sx *gn_sx_read(gn_arena *, const char *name, const char *text, size_t length);

/* Throws GN_ESYNTAX at the item's place. */
_Noreturn void gn_sx_fail(const char *name, const gn_sx *, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline bool gn_sx_is(const gn_sx *x, const char *atom); /* an atom with this text */
bool gn_sx_int(const gn_sx *, int64_t *out);                    /* a decimal integer that fits */
bool gn_sx_double(const gn_sx *, double *out);                  /* decimal or hex float, inf, -inf, nan */
bool gn_sx_head(const gn_sx *, const char *atom);               /* a list whose first item is that atom */

#include <string.h>
static inline bool gn_sx_is(const gn_sx *x, const char *atom)
{
    return x->kind == GN_SX_ATOM && strcmp(x->text, atom) == 0;
}
