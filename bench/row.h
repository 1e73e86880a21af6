/* What the rows of the table share: a row is a compiled function that is bound to its arrays, and what the machine must do
 * for one call of it. */
#pragma once
#include <gnomon/gnomon.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "meter.h"

extern int row_threads;
extern int row_turns; /* for bench/compare: rows wait for lines on stdin */

typedef struct row {
    const char *name, *shape;
    double flops, bytes; /* of one call: what must be done and moved */
    gn_func *f;
    gn_binding *b;
} row;

void row_need(gn_status); /* ends the process with the message */
/* On huge pages, filled. */
float *row_floats(size_t n, uint64_t seed, float scale);
void *row_memory(size_t bytes);
void row_run(void *binding);
/* One line of the table, of the bound call; seconds a call, 0 in turns. */
double row_show(const row *, int rounds, double least);
void row_take_turns(const row *, const char *what, void (*fn)(void *), void *user, double least);
/* Binds, shows, frees binding and function. */
void row_measure(row *, gn_arrays in, gn_arrays out);
double row_compile_ms(const row *);
void row_head(void); /* of the table */

/* rows_models.c */
void rows_black_scholes_f32(void);
void rows_black_scholes_f64(void);
void rows_adam(void);
void rows_transpose(void);
void rows_scatter(void);
void rows_widths(void);
