/* What must hold of a tree of placed statements, whatever made it. gn_lower_verify is in lower.h; these are its parts. */
#pragma once
#include "domain.h"

typedef struct gn_verifier {
    gn_lower *g;
    gn_domains all;
    gn_map of;     /* by statement: its domain */
    gn_map proved; /* by loop and axis: the loop does not end before the axis; 1 proved, 2 not */
} gn_verifier;

const gn_domain *gn_domain_at(const gn_verifier *, const gn_tree *stmt);
/* The loop runs over all that the axis needs, whatever the leaves that are not open inside. */
bool gn_loop_covers(gn_verifier *, const gn_domain_loop *, uint32_t axis);

void gn_verify_stores(gn_verifier *); /* verify_store.c */
void gn_verify_kept(gn_verifier *);   /* verify_kept.c */
