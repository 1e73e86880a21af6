/* A kernel of a program that is code alone: its arguments and symbols as those of a logical kernel without items. */
#pragma once
#include "code.h"

gn_kernel *gn_code_as_kernel(gn_arena *, const gn_code *);
/* The kernel of a text, logical or code. */
gn_kernel *gn_kernel_of_text(gn_arena *, const char *name, const char *text,
                             gn_code **code); /* code: NULL if logical */
