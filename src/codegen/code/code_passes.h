/* What is done to code before it is written: a table of passes, each with its reason. No pass changes a bit of what a
 * code computes; in debug builds the verifier looks at the code after each. */
#pragma once
#include "code.h"

typedef struct gn_code_pass {
    const char *name, *why;
    void (*run)(gn_code *, gn_code_body *step);
} gn_code_pass;
extern const gn_code_pass gn_code_passes[]; /* ended by a name of NULL */

/* All of them, in order. `seen`, which may be NULL, gets the code as it comes (pass NULL) and after each; facts and
 * :carry are up to date then. */
void gn_code_run_passes(gn_code *, void (*seen)(void *user, const gn_code *, const gn_code_pass *), void *user);

/* code_wait.c */
void gn_code_wait(gn_code *, gn_code_body *step);
/* code_once.c */
void gn_code_once(gn_code *, gn_code_body *step);
const gn_val *gn_code_once_of(gn_code *, gn_code_body *, const gn_val *result); /* what the result is then */
/* code_pack.c */
void gn_code_pack(gn_code *, gn_code_body *step);
/* code_tidy.c */
void gn_code_join(gn_code *, gn_code_body *step);
void gn_code_drop_sets(gn_code *, gn_code_body *step);
void gn_code_drop_idle(gn_code *, gn_code_body *step);
/* code_hoist.c */
void gn_code_hoist(gn_code *, gn_code_body *step);
/* code_roll.c */
void gn_code_roll(gn_code *, gn_code_body *step);
/* code_rows.c */
void gn_code_name_rows(gn_code *, gn_code_body *step);
/* code_fuse.c */
void gn_code_fuse(gn_code *, gn_code_body *step);
/* Unrolled loops that count alike may be one, and the one both. */
bool gn_code_may_mix(const gn_code *, const gn_code_node *first, const gn_code_node *second);
/* code_interleave.c */
void gn_code_interleave(gn_code *, gn_code_body *step);
