/* Inside the verifier of programs. */
#pragma once
#include "program.h"
#include "step_access.h"

typedef struct gn_pverify {
    const gn_program *p;
    const char *file;
    gn_arena *arena;             /* the program's: dims that are made stay in its pool */
    gn_accesses access;
    gn_plive *lives;             /* what is needed */
    GN_VEC(gn_dim_fact) sizes, facts; /* what extents say of symbols; and with what turns do */
    const gn_access_shape *some[2]; /* of what is read or written now: extents that are not 0; or NULL */
    uint32_t open[GN_PROGRAM_DEPTH], nopen; /* loops around the step that is looked at, outermost first */
} gn_pverify;

_Noreturn void gn_pverify_refuse(const gn_pverify *, uint32_t step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What is known of sizes and of the turns of the open loops; until it is called again. */
gn_dim_facts gn_pverify_facts(gn_pverify *);
static inline const gn_ploop *gn_pverify_loop(const gn_pverify *v, uint32_t k)
{
    return v->p->steps.at[v->open[k]].of.loop;
}
static inline const char *gn_pverify_turn(const gn_pverify *v, uint32_t k)
{
    return v->p->syms.at[gn_pverify_loop(v, k)->sym].name;
}
static inline const char *gn_pverify_name(const gn_pverify *v, int32_t value)
{
    return v->p->values.at[value].name;
}

void gn_pverify_order(gn_pverify *); /* who writes before who reads */
