/* Programs: what a compiled function runs. Steps over values in one arena, a symbolic memory plan, the checks of a call, and the source.
 * A program has a text form, which is what the cache keeps: it is always written and read back, cold or warm. */
#pragma once
#include "group.h"
#include "default_schedule.h"
#include "tree.h"
#include "emit.h"

typedef struct gn_pvalue {
    uint8_t kind;                /* gn_value_kind */
    gn_dtype dtype;
    uint32_t index;              /* input, variable, output or update number; CONSTANT: index of its data */
    const char *name;
    GN_VEC(const gn_dim *) shape;
    const gn_dim *bytes;         /* TEMP: its size */
    int64_t slot;                /* TEMP: which memory slot of the plan; -1 otherwise */
} gn_pvalue;

typedef struct gn_pstep {
    const char *symbol;          /* function in the shared object: void (*)(void *const *arg, const int64_t *sym, int64_t part) */
    const gn_dim *parts;
    GN_VEC(int32_t) arg;         /* value per argument; arena buffers of kernels are values of kind TEMP */
    int64_t scratch_bytes_slot;  /* index into scratch sizes, -1: none */
} gn_pstep;

typedef struct gn_program gn_program; /* the owner of this folder defines it in program_state.h or here */
