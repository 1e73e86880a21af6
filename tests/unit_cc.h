/* Compiles a unit's text with a C compiler of this machine and loads it. */
#pragma once
#include "target.h"

/* Commands of the compilers found here: cc, gcc, clang, clang-19, each really different one once. Ended by NULL. */
const char *const *unit_compilers(void);
/* Writes head, the words that the body says, body and tail, compiles, loads. Fails the test with the compiler's name on
 * an error. Released by dlclose. */
void *unit_load(const gn_target *, const char *compiler, const char *body);
/* these words, whatever the body says */
void *unit_load_words(const gn_target *, const char *compiler, const gn_words *, const char *body);
/* A whole text: ".c" by C11, ".cc" by C++17. */
void *unit_load_text(const char *compiler, const char *suffix, const char *text);
const char *unit_cxx(void); /* a C++ compiler, NULL if there is none */
void *unit_symbol(void *library, const char *name);
