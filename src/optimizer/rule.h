/* What a rewrite rule is once the build has compiled it (rulec.c reads rules/NAME.def, writes rules_NAME.c).
 *
 *     RULE(log_one_plus, ACCURATE, "(log (add x 1))", "(log1p x)", is_float)
 *     REWRITE(fold, ACCURATE, "add sub mul", fold_constants)
 *
 * Words of a pattern:
 *     x            any operand; a second x must be the same node         x@t       and t is its dtype
 *     #c           an operand that is one number everywhere (a constant, also behind broadcast and cast)
 *     1 -0 true    that number, likewise; the sign of a zero counts
 *     (op a b)     a node of that op; operands of commutative ops match in both orders
 *     !(op a b)    and nothing else uses it
 *     :axes a      captures an attribute; a second a must be equal. :axis 0 demands a value
 * and of a right side also
 *     :axes (axes_compose a b)    an attribute computed by a function of attributes.def; it may decline
 *     1            a constant, with dtype and shape of what stands beside it
 * A condition is a predicate of conditions.def, with arguments if it wants some, or several joined by &&. */
#pragma once
#include "op.h"

typedef enum gn_rule_class { /* what a rule may do to numbers: docs/rules.md */
    GN_EXACT,
    GN_ACCURATE,
    GN_REASSOCIATE,      /* from here on relaxed: only if the graph allows it (gn_graph_relax) */
    GN_FINITE,
    GN_APPROXIMATE
} gn_rule_class;
extern const char *const gn_rule_class_names[];

enum { GN_MATCH_SLOTS = 10, GN_MATCH_NODES = 24 };
typedef struct gn_rewriter gn_rewriter;

/* A match in progress: what the pattern's names stand for. */
typedef struct gn_match {
    gn_rewriter *rewriter;
    gn_graph *graph;
    gn_expr *root;                     /* the node that the rule looks at */
    gn_expr *expr[GN_MATCH_SLOTS];     /* NULL: not bound */
    gn_attr attr[GN_MATCH_SLOTS];
    uint32_t bound;                    /* bit i: attr[i] is bound */
    uint32_t nmatched, nbuilt;         /* nodes that the pattern names, and that the right side made; each once */
    const gn_expr *matched[GN_MATCH_NODES], *built[GN_MATCH_NODES];
} gn_match;

/* An argument of a condition or an attribute function: an operand or an attribute. */
typedef struct gn_arg {
    gn_expr *expr;                     /* NULL: the attribute */
    const gn_attr *attr;
} gn_arg;
typedef bool gn_condition(gn_match *, const gn_arg *);
typedef bool gn_attr_function(gn_match *, const gn_arg *, gn_attr *out); /* false: the rule does not fire */
typedef gn_expr *gn_rewrite_function(gn_match *);                        /* NULL: nothing to do */

/* One argument as compiled: the place of an operand or of an attribute, or a number. */
typedef struct gn_pat_arg {
    enum { GN_ARG_EXPR, GN_ARG_ATTR, GN_ARG_INT } kind;
    int64_t value;
} gn_pat_arg;
typedef struct gn_pat_call {
    gn_condition *condition;           /* of a condition */
    gn_attr_function *function;        /* of an attribute */
    uint32_t n;
    const gn_pat_arg *arg;
} gn_pat_call;

typedef struct gn_pat_attr {
    uint8_t index;                     /* which attribute of the op */
    enum { GN_PAT_SLOT, GN_PAT_VALUE, GN_PAT_CALL } kind;
    uint8_t slot;
    gn_attr value;
    const gn_pat_call *call;
} gn_pat_attr;

typedef struct gn_pat {
    enum { GN_PAT_ANY, GN_PAT_CONST, GN_PAT_NUMBER, GN_PAT_OP } kind;
    uint8_t slot;                      /* ANY, CONST */
    uint8_t dtype;                     /* ANY: 1 + the attribute slot that gets the dtype; 0: none */
    bool once;
    double number;
    const gn_op_info *op;
    uint32_t nin, nattr;
    const struct gn_pat *const *in;
    const gn_pat_attr *attr;
} gn_pat;

typedef struct gn_rule {
    const char *name;
    gn_rule_class class;
    const char *left, *right;          /* as written; of a function: the ops it looks at, and its name */
    const char *condition;             /* as written, "" if there is none */
    const char *why;                   /* the comment above it */
    int line;
    const gn_pat *const *patterns;     /* one per order of commutative operands */
    uint32_t npatterns, noperands;     /* noperands: names of operands in the pattern */
    const gn_pat *result;
    const gn_pat_call *conditions;
    uint32_t nconditions;
    gn_rewrite_function *function;     /* instead of patterns and result */
} gn_rule;

/* A pattern of a rule, listed under the op at its root. */
typedef struct gn_rule_entry {
    const gn_op_info *op;
    const gn_rule *rule;
    const gn_pat *pattern;             /* NULL: the rule's function */
} gn_rule_entry;

typedef struct gn_rule_set {
    const char *name;
    const char *why;                   /* the comment that opens the file */
    const gn_rule *rule;
    uint32_t nrules;
    const gn_rule_entry *entry;        /* grouped by op, in the order of the file */
    uint32_t nentries;
    /* the measure: what a node counts; every firing lowers the sum (sweep.h). NULL: none */
    uint32_t (*weight)(const gn_expr *);
} gn_rule_set;

#define GN_RULE_SET(name) extern const gn_rule_set gn_rules_##name;
#include "rule_sets.def"
#undef GN_RULE_SET
extern const gn_rule_set *const gn_rule_sets[];
extern const size_t gn_nrule_sets;
