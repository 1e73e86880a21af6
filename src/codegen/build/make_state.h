/* Inside making a program: what its files share. */
#pragma once
#include "index_check.h"
#include "kernel_maker.h"

typedef struct gn_program_maker {
    gn_program *p;
    const struct gn_core *core;
    gn_kernel_maker k;
    gn_grouping *groups;
    const gn_computed_indices *computed;
    int32_t checks_end;          /* the last step before all computed indices are there; -1: there are none */
    int32_t *value_of;           /* program value per value of the grouping */
    gn_symbols names;
    gn_map variables;            /* by name, one of `names` */
    struct gn_made {                /* per group */
        uint32_t kernel;         /* what all its steps run, unless it has variants */
        bool has_variants;
        int32_t first, last;     /* steps */
    } *made;
    GN_VEC(uint32_t) group_of;   /* per step */
    int32_t *root, *last_use;    /* per value: whose memory it has; of a root: the last step that uses its memory */
} gn_program_maker;

/* make_program.c */
void gn_maker_need_symbol(void *program, const char *name);
const gn_dim *gn_maker_dim(gn_program_maker *, const gn_dim *);  /* in the program's pool */
/* make_steps.c: the steps of a group, with what is prepared for it and its variants. */
void gn_make_group(gn_program_maker *, size_t at);
/* make_places.c: who takes over whose memory. */
void gn_place_values(gn_program_maker *);
