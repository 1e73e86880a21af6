/* Code as text: printing and reading, which are inverse. Grammar: docs/code-text.md.
 *
 *     gn_code_print(&text, code);
 *     code = gn_code_read(arena, "axpy.code", x);     x: one item of gn_sx_read
 *     gn_code_verify(code);                           code_verify.h: what is read is only well formed */
#pragma once
#include "code.h"

/* Throws GN_ESYNTAX with line and column. The code has a dim pool of its own. */
gn_code *gn_code_read(gn_arena *, const char *file, const gn_sx *);
void gn_code_print(gn_text *, const gn_code *);
