/* A body's text as C statements, without a graph or a kernel: for measuring bodies by themselves. */
#pragma once
#include "target.h"

/* Prints a function `void NAME(const ELEM *a, const ELEM *b, ELEM *y, int64_t n)` that applies the op's body to n
 * elements, n a multiple of lanes, in vectors of `lanes` in the target's words. Throws GN_ESYNTAX with the place in the
 * body's text. */
void expand_body(gn_text *out, const gn_target *, const char *name, const char *op, gn_dtype, int lanes);
const char *expand_body_text(const char *op, gn_dtype); /* NULL if there is none */
