/* Floating-point numbers as text and back: the one spelling that the compiler, its files and its messages have.
 *
 *     char text[GN_NUMBER_SIZE];
 *     gn_number_shortest(text, 0.1);                "0.1"
 *     gn_number_read("0x1.8p+3 rest", &end, &v);    12.0, end at " rest"
 *
 * Integer arithmetic alone, so that neither the program's locale (a comma for the point) nor its floating-point mode
 * (another rounding, flushed subnormals) changes a digit or a bit. Functions return the text they wrote. */
#pragma once
#include <stdbool.h>

enum { GN_NUMBER_SIZE = 48 };

/* The fewest decimal digits that read back as the same number, in the form of %g: "0.1", "1e+30", "100", "inf", "nan". */
char *gn_number_shortest(char out[GN_NUMBER_SIZE], double);
char *gn_number_shortest_f32(char out[GN_NUMBER_SIZE], float); /* read back as a float */
/* %.*g: at most `digits` (1 to 17) significant digits. */
char *gn_number_digits(char out[GN_NUMBER_SIZE], double, int digits);
/* %.*f with at most 9 decimals; from 1e21 on as gn_number_shortest. */
char *gn_number_fixed(char out[GN_NUMBER_SIZE], double, int decimals);
/* %a: "0x1.8p+0"; every bit, no rounding to think about. */
char *gn_number_hex(char out[GN_NUMBER_SIZE], double);

/* Reads the longest number at the start of text, with nothing before its sign: decimal or hex, "inf" or "nan". Decimal
 * digits, as many as there are, round to nearest, ties to even; what is too large is infinite. False: there is none. */
bool gn_number_read(const char *text, const char **end, double *out);
bool gn_number_read_f32(const char *text, const char **end, float *out); /* rounded once */

/* In the argument list of a message: gn_throw(.., "a probability of %s", GN_NUMBER(p)). */
#define GN_NUMBER(v) gn_number_shortest((char[GN_NUMBER_SIZE]){ 0 }, (v))
