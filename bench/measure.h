/* Compiles a body and compares it with long double libm. */
#pragma once
#include <gnomon/base.h>
#include "target.h"

typedef struct measure_options {
    const gn_target *target;
    const char *cc;          /* the C compiler's command, one word */
    unsigned long stride, count;
} measure_options;

typedef struct measure {
    double worst, at, at2;   /* in ulp; the operands where it is; infinite if NaN, infinity, or a zero's sign is wrong */
    unsigned long tested;
} measure;

gn_status measure_body(measure *, const measure_options *, const char *op, gn_dtype);
