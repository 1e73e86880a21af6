/* The spelling functions of the target records. */
#pragma once
#include "target.h"

const char *gn_spell_c_operators(const gn_op_info *, gn_dtype, bool vector); /* vectors with operators: GNU C */
const char *gn_spell_c_words(const gn_op_info *, gn_dtype, bool vector);     /* vectors by words alone: any C11 compiler */
