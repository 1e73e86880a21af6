/* Inlining: the steps of one code as part of a region of another.
 *
 *     gn_inlining in = { .to = code, .block = &loop->body, .names = &names, .nlets = &nlets, .place = place, .of_symbol
 * = .. }; gn_code_inline(&in, kernel_code);
 *
 * Loops of parts become loops. What the inlined code declares, and the variables of its loops, get names of their own.
 */
#pragma once
#include "code_names.h"

typedef struct gn_inlined { /* what stands for an argument */
    const gn_place *place;  /* memory, or registers that gn_code_constant_places found possible */
    const gn_dim *start;    /* of memory: element that is the argument's first; NULL: 0 */
} gn_inlined;

typedef struct gn_inlining {
    gn_code *to;
    gn_code_body *block;     /* nodes go to its end */
    gn_code_names *names;    /* of `to` */
    uint32_t *nlets;         /* of the step so far */
    const gn_inlined *place; /* per argument */
    /* of a symbol of the inlined code, in the pool of `to`; NULL: it is no symbol */
    const gn_dim *(*of_symbol)(void *user, const char *symbol);
    void *user;
    gn_map renamed, made, vals; /* while it runs: by name; by place; by id */
} gn_inlining;
void gn_code_inline(gn_inlining *, const gn_code *from);

/* What accesses to an argument have in common if all have constant places, equally many lanes, no mask and no
 * condition: registers may stand for such memory. */
typedef struct gn_constant_places {
    bool possible;
    uint16_t lanes; /* 0: there is no access */
    uint32_t n;     /* registers, up to the last that is accessed */
} gn_constant_places;
void gn_code_constant_places(const gn_code *, const gn_place *argument, gn_constant_places *add);
