/* Routines: what a call step runs, a row each. Their code is routines.text, which an export copies. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "dtype.h"

enum { GN_ROUTINE_ARGS = 4, GN_ROUTINE_DIMS = 2 };

typedef enum { GN_OPERAND_READ = 1, GN_OPERAND_WRITE = 2, GN_OPERAND_DESTROY = 4 } gn_operand_use;

typedef struct gn_routine_arg {
    gn_dtype dtype;
    uint8_t uses;                /* gn_operand_use bits; DESTROY: afterwards it has no meaning */
    const char *shape;           /* row-major, dims over the routine's: "(r n)" */
} gn_routine_arg;

typedef struct gn_routine {
    const char *name, *symbol;   /* in program text; of the C function */
    uint8_t ndim, narg;
    const char *dim[GN_ROUTINE_DIMS];
    gn_routine_arg arg[GN_ROUTINE_ARGS];
    const char *workspace;       /* bytes, over its dims; NULL: none. It is the argument after the others */
    int (*run)(void *const *arg, const int64_t *dim); /* 0, or the status that ends the program */
    const char *failure;         /* what it means if it is not 0; NULL: it is always 0 */
} gn_routine;

const gn_routine *gn_routine_find(const char *name); /* NULL: none */
extern const char gn_text_of_routines[];
