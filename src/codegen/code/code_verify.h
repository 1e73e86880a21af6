/* What must hold of a code, whoever made it: lowering, a pass, or somebody's text.
 *
 *     gn_code_verify(code);      GN_EINVAL "code axpy: step 0: %3: operand 2 of mul is i32x16, f32x16 was expected"
 *
 * It takes a time of n log n. Ranges are proved access by access, each in a bounded number of steps. */
#pragma once
#include "code.h"

/* Names and scopes, types, who may read and write what, registers set before they are read, :carry, what all threads
 * must reach, and limits. */
void gn_code_verify(const gn_code *);

/* Whether each access and each load of an index lies inside its place, and no index is computed from a place outside:
 * what follows from loops, parts, threads, conditions and masks. An index that data decide is as good as what guards
 * it. */
typedef struct gn_code_ranges {
    size_t asked, proved;
    const char *first;   /* what was not proved, as a sentence; NULL: all was */
    const char *outside; /* the first that is outside its place for some sizes, and for which; NULL: none was found */
} gn_code_ranges;
gn_code_ranges gn_code_verify_ranges(const gn_code *, gn_arena *); /* the sentence lives in the arena */
