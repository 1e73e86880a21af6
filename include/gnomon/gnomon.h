/** @file Everything: `#include <gnomon/gnomon.h>`, link with `pkg-config --libs gnomon`. */
#pragma once
#include "base.h"
#include "array.h"
#include "graph.h"
#include "ops.h"
#include "grad.h"
#include "func.h"
#include "nn.h"
#include "data.h"
#include "ffi.h"
