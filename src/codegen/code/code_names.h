/* Names that passes give: unlike all others of the code. */
#pragma once
#include "code.h"

typedef struct gn_code_names {
    gn_code *code;
    gn_map taken; /* by symbol */
} gn_code_names;

gn_code_names gn_code_take_names(gn_code *); /* all that are there, but variables of unrolled loops */
/* near, which may be any text, or near_2, near_3, ..; interned and taken */
const char *gn_code_fresh_name(gn_code_names *, const char *near);
/* Declares registers for n values like this one, numbered by `var`, with a name that says what they are. */
const gn_place *gn_code_new_array(gn_code_names *, gn_code_body *region, const gn_val *like, uint32_t n,
                                  const char *var);
