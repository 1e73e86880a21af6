/* Inside the text form of programs: what its parts share. Grammar: docs/program-text.md. */
#pragma once
#include "program.h"

typedef struct gn_preader {
    gn_program *p;
    const char *file;
    uint32_t depth;              /* of steps within steps */
} gn_preader;

/* Each throws GN_ESYNTAX at the item. */
int64_t gn_pread_int(gn_preader *, const gn_sx *, int64_t low, int64_t high);
const char *gn_pread_name(gn_preader *, const gn_sx *);
const gn_dim *const *gn_pread_dims(gn_preader *, const gn_sx *);
void gn_pread_length(gn_preader *, const gn_sx *, size_t n);

void gn_pprint_dims(gn_text *, const gn_dim *const *, size_t n);

bool gn_pread_step(gn_preader *, const gn_sx *); /* and all within it; false: no step */
void gn_pprint_steps(gn_text *, const gn_program *);
