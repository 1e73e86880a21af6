/* Inside gn_export: what its parts share. */
#pragma once
#include "func_state.h"
#include "spelling.h"

typedef struct gn_exporter {
    const gn_func *f;
    const gn_program *p;
    const char *name;
    const char *arena_macro, *guard;
    gn_arena arena;
    gn_plan plan;
    int64_t *sym;
    const char **value_name;     /* per value: a C expression for its address; NULL for temporaries */
    const char **field;          /* per variable: a member of the structure of weights, or an array */
    const char **now;            /* per variable: the member that tells which of two arrays has it; NULL: there is one */
    const char **symbol;         /* per step: the function that runs it */
    const char **turn;           /* per symbol that counts turns: the variable */
    const char **moving;         /* per value that exchanges its memory with another: the pointer to it */
    bool *used;                  /* per parameter */
    gn_spelling names, members;  /* of the file and its function; of the structure */
    gn_text header, source;
    int indent;                  /* blanks before a statement */
} gn_exporter;

const char *gn_export_type(gn_dtype);
const char *gn_export_name(gn_exporter *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gn_export_index_checks(gn_exporter *, int32_t after);
void gn_export_name_steps(gn_exporter *);      /* turns and moving pointers */
void gn_export_pointers(gn_exporter *);        /* declares the moving ones */
void gn_export_steps(gn_exporter *, uint32_t at, uint32_t end);
void gn_export_routines(gn_exporter *);        /* the code of those that it calls */
bool gn_export_may_end(const gn_exporter *);   /* a step may end it with a status */
