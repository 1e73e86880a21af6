/* A target that exists nowhere: generic C beside a matrix unit that functions of its prelude emulate. */
#pragma once
#include "target.h"

/* "unit", which gn_target_find knows from then on. */
const gn_target *unit_target(void);
