/* Names in generated C: one allocator for each scope.
 *
 *     gn_spelling s = { .arena = a };
 *     gn_spell_reserve(&s, "memory");
 *     gn_spell_name(&s, "x");  "x"      gn_spell_name(&s, "int");  "int_"      gn_spell_name(&s, "l/w");  "l_w"
 *
 * Any text has a spelling. It is an identifier, unlike every word of C11, C23, C++20 and CUDA, every name that a header
 * or a compiler may define, all names of generated code (gn_..., v12), and all that the scope has given so far. Where
 * the text allows it is the text, else near it; the same texts in the same order are spelled the same. */
#pragma once
#include "map.h"

typedef struct gn_spelling {
    gn_arena *arena;
    gn_symbols symbols;
    gn_map taken;       /* by symbol */
    gn_map last_number; /* of names made from one text, by that text */
} gn_spelling;

const char *gn_spell_name(gn_spelling *, const char *wanted);
/* A base for which `name_of` gives n free names, numbered from 0: variables of one array. n = 0: the base alone. */
const char *gn_spell_names(gn_spelling *, const char *wanted, size_t n,
                           const char *(*name_of)(void *user, const char *base, size_t i), void *user);
void gn_spell_reserve(gn_spelling *, const char *name); /* as it is */

/* May a function with outer linkage be called so? Not if it is a word, a function of the C library, or kept for headers
 * and compilers. */
bool gn_is_function_name(const char *identifier);
