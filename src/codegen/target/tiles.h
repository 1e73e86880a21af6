/* The tables of tile operations that the target records point to. */
#pragma once
#include "tile.h"

extern const gn_tile_op gn_tiles_c[], gn_tiles_amx[], gn_tiles_cuda[], gn_tiles_none[];
