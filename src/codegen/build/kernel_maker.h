/* Kernels of a program: scheduled, lowered, emitted. Kernels of one form share their functions. */
#pragma once
#include "in_place.h"
#include "lower_default.h"
#include "program.h"

typedef struct gn_lowered gn_lowered;
typedef struct gn_kernel_maker {
    gn_program *p;
    const gn_target *target;
    bool one_function;               /* all steps of a kernel are one serial function */
    gn_arena work, scratch;          /* until the program is made; until a kernel is */
    gn_intern_set lowered;           /* gn_lowered, by form */
    GN_VEC(const gn_lowered *) code; /* per kernel */
    gn_text body;                    /* source of the kernels */
    gn_words words;                  /* of the prelude, that the source says */
} gn_kernel_maker;
/* Arenas take their memory where the program's does. */
gn_kernel_maker gn_kernel_maker_of(gn_program *, const gn_target *);
void gn_kernel_maker_free(gn_kernel_maker *);

uint32_t gn_maker_value(gn_program *, gn_pvalue); /* its number; bytes NULL: by dtype and shape */

/* A kernel and what it runs on: per buffer a value, where it begins in it (start NULL: all at 0), per symbol the
 * program's. */
typedef struct gn_kernel_use {
    const gn_kernel *kernel;
    const int32_t *arg;
    const gn_dim *const *start;
    const uint32_t *sym;
} gn_kernel_use;
/* Adds the kernel; schedule NULL: the default one. Kernel and schedule may live in `scratch`, which this frees. */
void gn_maker_kernel(gn_kernel_maker *, gn_kernel *, gn_schedule *);
/* Adds a kernel of code alone. */
void gn_maker_code(gn_kernel_maker *, gn_code *);
/* Adds the steps of a kernel; `like` has what does not follow from it: status, device. */
void gn_maker_steps(gn_kernel_maker *, uint32_t kernel, const gn_kernel_use *, const gn_pstep *like);
const gn_in_place *gn_maker_in_place(const gn_kernel_maker *, uint32_t kernel);
/* The unit, with `head` before it; kernels find their functions in it. */
void gn_maker_source(gn_kernel_maker *, const char *head);
