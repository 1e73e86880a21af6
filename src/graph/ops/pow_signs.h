/* The end of both pow bodies, from y = |a|^b on: odd powers take the sign of a, a negative number to a power that is
 * not whole is NaN; 1 to any power, any number to the power 0, and -1 to an infinite power are 1, NaN included, as
 * in C. */
#pragma once

#define GN_POW_SIGNS \
    "     (h (mul 0.5 b))" \
    "     (whole (eq (floor b) b))" \
    "     (odd (and whole (lt (floor h) h)))" \
    "     (y (select odd (copysign y a) y))" \
    "     (y (select (and (lt a 0) (and (lt -inf a) (not whole))) nan y))" \
    "  (select (or (eq b 0) (or (eq a 1) (and (eq a -1) (eq (abs b) inf)))) 1 y))"
