/* Values that are known without being computed. */
#pragma once
#include "code_known.h"

/* What the let is: an operand of it, a constant or another load; NULL: itself. Operands are made once before. */
const gn_val *gn_val_fold(const gn_code *, const gn_known_lets *, const gn_val *let);
