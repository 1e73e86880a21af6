/* The pass table and its driver. */
#include "optimize.h"
#include "clock.h"
#include "functions.h"
#include "graph_text.h"
#include "unstack.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SETS = 5 };

typedef struct pass {
    const char *name;
    const gn_rule_set *sets[MOST_SETS]; /* one sweep with all of them; none: the graph is copied */
    bool required;
    const char *reason;
    void (*function)(struct gn_core *); /* instead of sets */
} pass;

/* Sets that come after the first keep what it builds in canonical form. */
static const pass passes[] = {
    { "canonicalize",
      { &gn_rules_canonicalize },
      false,
      "one spelling for what has several, first, because every later pattern knows only that one" },
    { "algebra",
      { &gn_rules_algebra, &gn_rules_canonicalize },
      false,
      "neutral numbers, inverse functions, constants: what gradients leave behind, out of the way of the formulas" },
    { "stabilize",
      { &gn_rules_stabilize, &gn_rules_canonicalize, &gn_rules_algebra },
      false,
      "formulas that lose digits become the ops that do not; before decompose, because patterns speak of softmax, not "
      "of its body" },
    { "contractions",
      { &gn_rules_contractions, &gn_rules_canonicalize },
      false,
      "transposes become labels of contractions; before decompose, because there the contraction itself goes" },
    { "decompose",
      { &gn_rules_decompose },
      true,
      "composites become their bodies, contractions the sum of a product of broadcasts" },
    { "simplify",
      { &gn_rules_canonicalize, &gn_rules_algebra },
      false,
      "canonicalize and algebra once more: catches what the bodies brought" },
    { "unstack",
      { NULL },
      false,
      "stacks whose rows are sliced again become arrays of their own; after simplify, which makes stacks of gradients; "
      "before shape",
      gn_unstack },
    { "shape",
      { &gn_rules_shape, &gn_rules_canonicalize, &gn_rules_algebra },
      false,
      "views become one broadcast each and move out of arithmetic; after decompose, whose broadcasts are most of "
      "them" },
    { "reductions",
      { &gn_rules_reductions, &gn_rules_shape, &gn_rules_canonicalize, &gn_rules_algebra },
      false,
      "fewer and smaller reductions; after shape, because then a reduced broadcast stands right below its reduction" },
    { "number",
      { NULL },
      true,
      "copies what is alive, numbered from the outputs: the same program gives the same bytes, whatever was rewritten "
      "on the way" },
};
enum { NPASSES = sizeof passes / sizeof *passes };
_Static_assert((int)NPASSES <= (int)GN_MOST_PASSES, "a report has a place for each pass");

const gn_rule_set *const gn_rule_sets[] = {
#define GN_RULE_SET(name) &gn_rules_##name,
#include "rule_sets.def"
#undef GN_RULE_SET
};
const size_t gn_nrule_sets = sizeof gn_rule_sets / sizeof *gn_rule_sets;

const char *gn_pass_name(size_t i)
{
    return i < NPASSES ? passes[i].name : NULL;
}

const char *gn_pass_reason(size_t i)
{
    return i < NPASSES ? passes[i].reason : NULL;
}

/* ---- lists of names ---- */

typedef struct name_list {
    const char **at;
    size_t n;
} name_list;

static name_list split(gn_arena *arena, const char *text)
{
    name_list l = { 0 };
    if (!text) return l;
    l.at = GN_NEW_ARRAY(arena, const char *, strlen(text) + 1);
    while (*text) {
        const size_t n = strcspn(text, ", ");
        if (n) l.at[l.n++] = gn_arena_printf(arena, "%.*s", (int)n, text);
        text += n + strspn(text + n, ", ");
    }
    return l;
}

static bool has(const name_list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->at[i], name)) return true;
    return false;
}

static const pass *find_pass(const char *name)
{
    for (size_t i = 0; i < NPASSES; i++)
        if (!strcmp(passes[i].name, name)) return &passes[i];
    return NULL;
}

static bool is_rule(const char *name)
{
    for (size_t k = 0; k < gn_nrule_sets; k++)
        for (uint32_t i = 0; i < gn_rule_sets[k]->nrules; i++)
            if (!strcmp(gn_rule_sets[k]->rule[i].name, name)) return true;
    return false;
}

static void check_disabled(const name_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const pass *p = find_pass(l->at[i]);
        if (!p && !is_rule(l->at[i])) gn_throw(GN_EINVAL, "disable: no rule or pass '%s'", l->at[i]);
        if (p && p->required) gn_throw(GN_EINVAL, "disable: pass '%s' makes what later stages need", p->name);
        for (uint32_t k = 0; k < gn_rules_decompose.nrules; k++)
            if (!strcmp(gn_rules_decompose.rule[k].name, l->at[i]))
                gn_throw(GN_EINVAL, "disable: rule '%s' makes what later stages need", l->at[i]);
    }
}

static void check_dumped(const name_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (!find_pass(l->at[i]) && strcmp(l->at[i], "all") && strcmp(l->at[i], "start"))
            gn_throw(GN_EINVAL, "dump: no pass '%s'", l->at[i]);
}

/* ---- the driver ---- */

typedef struct driver {
    struct gn_core *core;
    const gn_optimize_options *options;
    gn_arena arena;
    name_list disabled, dumped;
    const char *trace;
    gn_optimize_report *report;
    struct gn_core *copy; /* that nobody owns yet */
} driver;

static void read_environment(driver *d)
{
    const char *dump = d->options->dump ? d->options->dump : secure_getenv("GN_DUMP");
    const char *trace = secure_getenv("GN_TRACE");
    d->disabled = split(&d->arena, d->options->disable);
    d->dumped = split(&d->arena, dump);
    if (d->options->dump) check_dumped(&d->dumped); /* the environment may speak to other stages, too */
    check_disabled(&d->disabled);
    d->trace = d->options->trace;
    const name_list traced = split(&d->arena, d->trace ? NULL : trace);
    for (size_t i = 0; i < traced.n; i++)
        if (!strncmp(traced.at[i], "rule:", 5)) d->trace = traced.at[i] + 5;
}

static void dump(driver *d, const char *pass_name)
{
    if (!has(&d->dumped, pass_name) && !has(&d->dumped, "all")) return;
    gn_text t = { .arena = &d->arena };
    gn_core_print(&t, d->core);
    if (d->options->on_dump) d->options->on_dump(d->options->user, pass_name, gn_text_done(&t));
    else fprintf(stderr, "; after %s\n%s\n", pass_name, gn_text_done(&t));
}

/* The core's lists live as long as its graph. */
static void take_list(gn_graph *g, gn_expr ***at, size_t *n, size_t *capacity, gn_expr *const *from, size_t count)
{
    *at = gn_arena_copy(&g->arena, from, count * sizeof **at);
    *n = *capacity = count;
}

static bool is_known(const struct gn_core *core, const gn_constraint *c)
{
    for (size_t i = 0; i < core->constraints.n; i++) {
        const gn_constraint *k = &core->constraints.at[i];
        if ((k->a == c->a && k->b == c->b) || (k->a == c->b && k->b == c->a)) return true;
    }
    return false;
}

/* Constraints stay though the node that asked for them may be gone: they were promised to be checked at the call. */
static void take_constraints(gn_graph *g, struct gn_core *to, const struct gn_core *from, const struct gn_core *copy)
{
    to->constraints.n = to->constraints.capacity = 0;
    to->constraints.at = NULL;
    for (size_t i = 0; i < from->constraints.n; i++) {
        gn_constraint c = from->constraints.at[i];
        c.a = gn_dim_import(&g->dims, c.a), c.b = gn_dim_import(&g->dims, c.b);
        c.text = gn_arena_string(&g->arena, c.text);
        gn_push(&g->arena, &to->constraints, c);
    }
    for (size_t i = 0; i < copy->constraints.n; i++) {
        gn_constraint c = copy->constraints.at[i];
        if (is_known(to, &c)) continue;
        c.text = gn_arena_string(&g->arena, c.text); /* the copy's lists and texts lie in scratch */
        gn_push(&g->arena, &to->constraints, c);
    }
}

/* Leaves nothing but what is alive, in canonical numbers. */
static void renumber(driver *d)
{
    struct gn_core *core = d->core, old = *core;
    const gn_exprs in = { old.in.n, old.in.at }, out = { old.out.n, old.out.at };
    const gn_exprs variable = { old.variable.n, old.variable.at }, value = { old.update.n, old.update.at };
    struct gn_core *copy = d->copy = gn_graph_copy(&d->arena, old.graph, in, out, variable, value, 0, NULL);
    gn_graph *g = copy->graph;
    struct gn_core next = { .graph = g };
    memcpy(&next.indexers, &old.indexers, sizeof next.indexers); /* still the user's, whatever became of them */
    take_list(g, &next.in.at, &next.in.n, &next.in.capacity, copy->in.at, copy->in.n);
    take_list(g, &next.out.at, &next.out.n, &next.out.capacity, copy->out.at, copy->out.n);
    take_list(g, &next.variable.at, &next.variable.n, &next.variable.capacity, copy->variable.at, copy->variable.n);
    take_list(g, &next.update.at, &next.update.n, &next.update.capacity, copy->update.at, copy->update.n);
    take_constraints(g, &next, &old, copy);
    *core = next;
    d->copy = NULL;
    gn_core_free(&old);
}

static void run_pass(driver *d, const pass *p)
{
    gn_pass_report *report = &d->report->pass[d->report->n++];
    *report = (gn_pass_report){ .name = p->name };
    const double start = gn_now_ms();
    size_t nsets = 0;
    while (nsets < MOST_SETS && p->sets[nsets]) nsets++;
    const gn_sweep_options options = { .pass = p->name,
                                       .disabled = d->disabled.at,
                                       .ndisabled = d->disabled.n,
                                       .trace = d->trace,
                                       .explain = d->options->explain };
    if (p->function) p->function(d->core);
    else if (nsets) gn_sweep(d->core, p->sets, nsets, &options, &report->stats);
    else renumber(d);
    report->ms = gn_now_ms() - start;
    d->report->ms += report->ms;
#ifndef NDEBUG
    gn_core_verify(d->core);
#endif
    dump(d, p->name);
}

static void drive(void *arg)
{
    driver *d = arg;
    read_environment(d);
    dump(d, "start");
    for (size_t i = 0; i < NPASSES; i++)
        if (!has(&d->disabled, passes[i].name)) run_pass(d, &passes[i]);
}

void gn_optimize(struct gn_core *core, const gn_optimize_options *options)
{
    static const gn_optimize_options none;
    gn_optimize_report ignored;
    driver d = { .core = core, .options = options ? options : &none, .arena.allocator = core->graph->arena.allocator };
    d.report = d.options->report ? d.options->report : &ignored;
    d.report->n = 0, d.report->ms = 0;
    const gn_status status = gn_protect(drive, &d);
    gn_core_free(d.copy);
    gn_arena_free(&d.arena);
    gn_check(status);
}
