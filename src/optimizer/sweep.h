/* The rule engine: one bottom-up sweep of a private graph per set of rules.
 *
 * Nodes are visited in the order of their numbers, so operands come first. A visit forwards the operands to what became
 * of them, makes the node anew if that changed it, and tries the rules of its op until one fires; what a rule built is
 * visited in turn, from an explicit stack. There is no recursion over the graph and no second look at a node that is
 * done, so work is linear in nodes plus firings.
 *
 * Termination: every firing must lower the measure of its set (gn_measure, checked in debug builds); and a chain of
 * more than 20 firings, or one that comes back to a node whose rewriting is not finished, is an internal error that
 * names the rules of the cycle. */
#pragma once
#include "core.h"
#include "match.h"

enum { GN_REWRITE_FUEL = 20 };

/* What a sweep did. A visit is a node popped from the stack, a probe is a rule tried on it. */
typedef struct gn_sweep_stats {
    size_t visits, probes, fired, refused, nodes; /* refused: the right side had another type; nodes: alive at the start */
} gn_sweep_stats;

typedef struct gn_explain gn_explain;

typedef struct gn_sweep_options {
    const char *pass;                /* for messages and explain */
    const char *const *disabled;     /* names of rules */
    size_t ndisabled;
    const char *trace;               /* rule whose firings are printed on stderr, "*" for all; NULL: none */
    gn_explain *explain;             /* NULL: no record */
    /* For a graph that its user goes on with: operands keep their order but for numbers, which go last, what is made anew
     * keeps its lines, and rules take these nodes as they are, like inputs. */
    bool as_written;
    gn_expr *const *opaque;
    size_t nopaque;
} gn_sweep_options;

/* Rewrites everything that the core's outputs and updates need by these sets, tried in their order at each node. Throws. */
void gn_sweep(struct gn_core *, const gn_rule_set *const *sets, size_t nsets, const gn_sweep_options *, gn_sweep_stats *);

/* How many nodes and roots use a node, as far as the sweep knows: exact for what stood there, an estimate for what was
 * rewritten.
 */
uint32_t gn_rewriter_uses(const gn_rewriter *, const gn_expr *);

/* Patterns do not look inside this node. */
bool gn_rewriter_is_opaque(const gn_rewriter *, const gn_expr *);

/* A debugger stops here: break gn_rule_fired if $_streq(rule->name, "log_one_plus"). */
void gn_rule_fired(const gn_rule *rule, const gn_expr *before, const gn_expr *after);

/* The measure of a firing: of a pattern the weight of the nodes that it names against those that its right side made;
 * of a function the weight of the nodes that only the old node needs against those that only the new one needs, looking
 * at no more than 64: false if that does not settle it. */
bool gn_measure(const gn_rule *, const gn_rule_set *, const gn_match *, const gn_expr *after, uint64_t *left,
                uint64_t *right);
