/* Roles of axes: what grouping tells the automatic schedules. They are part of the kernel and of its text, so that a
 * kernel that is read gets the schedule of the one that was printed; where a text has none, they are derived here.
 *
 *     (axes (i M :role m) (j N :role n) (k K :role k))
 *
 * Meaning: docs/kernel-text.md. */
#pragma once
#include "kernel.h"

extern const char *const gn_role_names[];

/* The sum of a product of two definitions, one of which has m and not n, the other n and not m. */
typedef struct gn_contraction {
    const gn_kdef *acc, *a, *b;
} gn_contraction;
bool gn_is_contraction(const gn_kernel *, const gn_kdef *, uint32_t m, uint32_t n, gn_contraction *);

/* Gives m and n to these axes, and k and batch to the others of the contraction. */
void gn_role_contraction(gn_kernel *, const gn_kdef *acc, uint32_t m, uint32_t n);
void gn_role_row(gn_kernel *, uint32_t axis); /* row, or part if something is summed along it */
void gn_roles_derive(gn_kernel *);            /* of a kernel in which no axis has one */
/* Throws GN_ESYNTAX if an axis is not what its role says. */
void gn_roles_verify(const gn_kernel *);

/* First axis and item behind a piece. */
gn_kernel_piece gn_kernel_piece_end(const gn_kernel *, size_t piece);
