/* The sweep itself: states of nodes, the stack, forwarding, firing. */
#include "sweep.h"
#include "explain.h"
#include "splat.h"
#include <stdio.h>
#include <string.h>

typedef enum { NEW, OPEN, DONE } progress;

typedef struct slot {              /* what the sweep knows of a node, by its number */
    /* what it became: a step of a chain while open, final when done; NULL: not changed yet */
    gn_expr *next;
    const gn_expr *maker;          /* the node whose rewriting made this one */
    const gn_rule *rule;           /* .. and by which rule */
    uint32_t uses;
    uint8_t progress, firings;
    bool opaque;
} slot;

typedef struct op_rules {          /* the rules of an op that may fire */
    const gn_rule_entry *entry;
    uint32_t n;
    const gn_rule_set *set;
    struct op_rules *more;         /* of the next set */
} op_rules;

struct gn_rewriter {
    gn_arena arena;
    gn_graph *graph;
    const gn_sweep_options *options;
    gn_sweep_stats *stats;
    GN_VEC(slot) slots;
    GN_VEC(gn_expr *) stack;
    gn_map rules;                  /* op -> op_rules */
};

__attribute__((noinline)) void gn_rule_fired(const gn_rule *rule, const gn_expr *before, const gn_expr *after)
{
    __asm__ volatile("" : : "r"(rule), "r"(before), "r"(after)); /* keeps the call */
}

static slot *slot_of(gn_rewriter *w, const gn_expr *e)
{
    while (w->slots.n <= e->id) gn_push(&w->arena, &w->slots, (slot){ 0 });
    return &w->slots.at[e->id];
}

uint32_t gn_rewriter_uses(const gn_rewriter *w, const gn_expr *e)
{
    return e->id < w->slots.n ? w->slots.at[e->id].uses : 0;
}

bool gn_rewriter_is_opaque(const gn_rewriter *w, const gn_expr *e)
{
    return e->id < w->slots.n && w->slots.at[e->id].opaque;
}

/* ---- tables ---- */

static bool is_allowed(const gn_rewriter *w, const gn_rule *r)
{
    static const uint32_t flag[] = {
        [GN_REASSOCIATE] = GN_RELAX_REASSOCIATE, [GN_FINITE] = GN_RELAX_FINITE, [GN_APPROXIMATE] = GN_RELAX_APPROXIMATE};
    for (size_t i = 0; i < w->options->ndisabled; i++)
        if (!strcmp(w->options->disabled[i], r->name)) return false;
    return r->class <= GN_ACCURATE || w->graph->relax & flag[r->class];
}

/* Entries are grouped by op, so the rules of one are a run of the list. */
static void add_set(gn_rewriter *w, const gn_rule_set *set)
{
    gn_rule_entry *allowed = GN_NEW_ARRAY(&w->arena, gn_rule_entry, set->nentries);
    uint32_t n = 0;
    for (uint32_t i = 0; i < set->nentries; i++)
        if (is_allowed(w, set->entry[i].rule)) allowed[n++] = set->entry[i];
    for (uint32_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && allowed[to].op == allowed[from].op;) to++;
        op_rules *o = GN_NEW_OBJECT(&w->arena, op_rules), **end;
        *o = (op_rules){ &allowed[from], to - from, set, NULL };
        end = (op_rules **)gn_map_put(&w->arena, &w->rules, GN_KEY(allowed[from].op));
        while (*end) end = &(*end)->more;
        *end = o;
    }
}

/* ---- firing ---- */

/* Names the rules that led here, the last one first. */
_Noreturn static void out_of_fuel(gn_rewriter *w, const gn_expr *e)
{
    gn_text t = { .arena = &w->arena };
    const gn_expr *at = e;
    for (int n = 0; n < GN_REWRITE_FUEL && slot_of(w, at)->rule; n++) {
        gn_textf(&t, "%s%s", n ? " <- " : "", slot_of(w, at)->rule->name);
        at = slot_of(w, at)->maker;
    }
    gn_throw(GN_EINTERNAL, "pass %s: rewriting does not end at node %u (%s): %s", w->options->pass, (unsigned)e->id,
             e->op->name, gn_text_done(&t));
}

static void explain_firing(gn_rewriter *w, const gn_rule *r, const gn_rule_set *set, const gn_match *m,
                           const gn_expr *after)
{
    const gn_expr *before = m->root;
    gn_explain *x = w->options->explain;
    const bool traced = w->options->trace && (!strcmp(w->options->trace, "*") || !strcmp(w->options->trace, r->name));
    if (!x && !traced) return;
    gn_text left = { .arena = x ? x->arena : &w->arena }, right = left;
    gn_expr_show(&left, before, 4);
    gn_expr_show(&right, after, 4);
    if (traced)
        fprintf(stderr, "%s: %s at %u: %s => %s\n", w->options->pass, r->name, (unsigned)before->id, gn_text_done(&left),
                gn_text_done(&right));
    if (!x) return;
    gn_explain_line line = { w->options->pass,
                             r->name,
                             gn_rule_class_names[r->class],
                             before->id,
                             gn_text_done(&left),
                             gn_text_done(&right),
                             0,
                             0 };
    gn_measure(r, set, m, after, &line.cost_before, &line.cost_after);
    gn_push(x->arena, &x->lines, line);
}

/* The first rule that fires on the node; NULL if none does. Operands are final. */
static gn_expr *fire(gn_rewriter *w, gn_match *m, const gn_rule **fired, const gn_rule_set **set)
{
    const gn_expr *e = m->root;
    for (const op_rules *o = gn_map_get(&w->rules, GN_KEY(e->op)); o; o = o->more)
        for (uint32_t i = 0; i < o->n; i++) {
            const gn_rule *r = o->entry[i].rule;
            w->stats->probes++;
            gn_expr *result = NULL;
            if (r->function) result = r->function(m);
            else if (gn_match_pattern(m, r, o->entry[i].pattern)) result = gn_match_build(m, r);
            if (!result || result == e) continue;
            if (result->type != e->type) {
                w->stats->refused++;
                continue;
            }
            *fired = r, *set = o->set;
            return result;
        }
    return NULL;
}

static void check_measure(const gn_rule *r, const gn_rule_set *set, const gn_match *m, const gn_expr *after)
{
#ifndef NDEBUG
    uint64_t left, right;
    if (set->weight && gn_measure(r, set, m, after, &left, &right) && left <= right)
        gn_throw(GN_EINTERNAL, "rule %s of %s does not lower the measure: %llu => %llu", r->name, set->name,
                 (unsigned long long)left, (unsigned long long)right);
#else
    (void)r, (void)set, (void)m, (void)after;
#endif
}

/* What a firing made is charged to it: the nodes from `first` on are new. */
static void charge(gn_rewriter *w, const gn_expr *by, const gn_rule *rule, gn_expr *result, uint32_t first)
{
    const uint8_t firings = (uint8_t)(slot_of(w, by)->firings + 1);
    for (uint32_t id = first; id < w->graph->nodes.n; id++) {
        slot *s = slot_of(w, w->graph->nodes.at[id]);
        s->firings = firings, s->maker = by, s->rule = rule;
    }
    slot *s = slot_of(w, result);
    if (!s->rule) s->maker = by, s->rule = rule;
    if (firings > GN_REWRITE_FUEL || s->progress == OPEN) out_of_fuel(w, result);
}

/* ---- uses ---- */

/* What stands in the operands' places by now is used once more, or once less. */
static void count_operands(gn_rewriter *w, const gn_expr *e, uint32_t change)
{
    for (uint32_t i = 0; i < e->nin; i++) {
        const slot *s = slot_of(w, e->in[i]);
        slot_of(w, s->progress == DONE ? s->next : e->in[i])->uses += change;
    }
}

/* From `from` on, `to` stands in its place. */
static void move_uses(gn_rewriter *w, const gn_expr *from, const gn_expr *to)
{
    const uint32_t uses = slot_of(w, from)->uses;
    if (!slot_of(w, to)->uses) count_operands(w, to, 1);
    slot_of(w, to)->uses += uses;
    slot_of(w, from)->uses = 0;
    count_operands(w, from, (uint32_t)-1);
}

/* ---- visits ---- */

static void become(gn_rewriter *w, gn_expr *e, gn_expr *next)
{
    slot_of(w, next);
    slot_of(w, e)->next = next;
    if (next != e) move_uses(w, e, next);
}

/* Patterns expect numbers last; the rest of the order is for equal programs. */
static bool in_order(const gn_rewriter *w, const gn_expr *a, const gn_expr *b)
{
    gn_splat v;
    return gn_operands_in_order(a, b) || (w->options->as_written && !gn_splat_of(a, &v));
}

/* The node with operands forwarded and in canonical order; NULL if some operand is not done, which is then on the stack. */
static gn_expr *forward(gn_rewriter *w, gn_expr *e)
{
    bool changed = false, waits = false;
    for (uint32_t i = e->nin; i-- > 0;) {
        slot *s = slot_of(w, e->in[i]);
        changed |= s->next != e->in[i];
        if (s->progress == DONE) continue;
        if (s->progress == OPEN) out_of_fuel(w, e);
        gn_push(&w->arena, &w->stack, e->in[i]);
        waits = true;
    }
    if (waits) return NULL;
    const bool sorts = e->op->traits & GN_COMMUTES && e->nin == 2;
    if (sorts && !changed) changed = !in_order(w, e->in[0], e->in[1]);
    if (!changed) return e;
    gn_expr **in = GN_NEW_ARRAY(&w->arena, gn_expr *, e->nin);
    for (uint32_t i = 0; i < e->nin; i++) in[i] = slot_of(w, e->in[i])->next;
    if (sorts && !in_order(w, in[0], in[1])) {
        gn_expr *const first = in[0];
        in[0] = in[1], in[1] = first;
    }
    return gn_node(w->graph, e->op, in, e->nin, e->attr);
}

/* Errors of a call name the line of an index: its check keeps the place when it is made anew, and one in a body has the
 * composite's. */
static void set_place(gn_rewriter *w, const gn_expr *e)
{
    const bool matters = e && (e->op->expand || e->op == &gn_op_check_index || w->options->as_written);
    const gn_origin *o = matters ? gn_origin_of(e) : NULL;
    while (o && o->next) o = o->next;
    w->graph->here = o ? o->loc : (gn_loc){ NULL, 0 };
}

/* Works on the node on top of the stack; it is popped once it is done. */
static void step(gn_rewriter *w)
{
    gn_expr *e = w->stack.at[w->stack.n - 1], *next = slot_of(w, e)->next;
    if (slot_of(w, e)->progress == DONE) {
        (void)gn_pop(&w->stack);
        return;
    }
    if (next) { /* its replacement was visited: take over what became of it */
        slot_of(w, e)->next = slot_of(w, next)->next;
        slot_of(w, e)->progress = DONE;
        return;
    }
    set_place(w, e);
    gn_expr *same = forward(w, e);
    if (!same) return;
    const gn_rule *rule = NULL;
    const gn_rule_set *set = NULL;
    if (same == e) {
        const uint32_t first = (uint32_t)w->graph->nodes.n;
        gn_match m; /* large; the rest is set by each pattern */
        m.rewriter = w, m.graph = w->graph, m.root = e;
        w->stats->visits++;
        next = fire(w, &m, &rule, &set);
        if (!next) {
            slot_of(w, e)->next = e;
            slot_of(w, e)->progress = DONE;
            return;
        }
        check_measure(rule, set, &m, next);
        slot_of(w, e)->progress = OPEN;
        charge(w, e, rule, next, first);
        explain_firing(w, rule, set, &m, next);
        gn_rule_fired(rule, e, next);
        w->stats->fired++;
    } else {
        next = same;
        slot_of(w, e)->progress = OPEN;
        slot *s = slot_of(w, next);
        if (s->progress == OPEN) out_of_fuel(w, e);
        if (s->firings < slot_of(w, e)->firings)
            s->firings = slot_of(w, e)->firings, s->maker = slot_of(w, e)->maker, s->rule = slot_of(w, e)->rule;
    }
    become(w, e, next);
    if (slot_of(w, next)->progress != DONE) gn_push(&w->arena, &w->stack, next);
}

/* ---- roots ---- */

typedef struct root_list {
    gn_expr **at;
    size_t n;
} root_list;

static void roots_of(struct gn_core *core, root_list list[2])
{
    list[0] = (root_list){ core->out.at, core->out.n };
    list[1] = (root_list){ core->update.at, core->update.n };
}

/* Counts uses; what has none is dead and is not visited. Operands have lower numbers, so one descending walk finds all. */
static void mark(gn_rewriter *w, struct gn_core *core)
{
    root_list roots[2];
    roots_of(core, roots);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < roots[k].n; i++) slot_of(w, roots[k].at[i])->uses++;
    for (size_t id = w->graph->nodes.n; id-- > 0;)
        if (w->slots.at[id].uses) {
            w->stats->nodes++;
            count_operands(w, w->graph->nodes.at[id], 1);
        }
}

typedef struct job {
    gn_rewriter *w;
    struct gn_core *core;
    const gn_rule_set *const *sets;
    size_t nsets;
} job;

static void sweep(void *arg)
{
    job *j = arg;
    gn_rewriter *w = j->w;
    const size_t n = w->graph->nodes.n;
    w->slots.capacity = n + n / 4 + 64; /* room for what rules make */
    w->slots.at = GN_NEW_ARRAY(&w->arena, slot, w->slots.capacity);
    w->slots.n = n;
    for (size_t i = 0; i < j->nsets; i++) add_set(w, j->sets[i]);
    for (size_t i = 0; i < w->options->nopaque; i++) {
        gn_expr *const e = w->options->opaque[i];
        *slot_of(w, e) = (slot){ .next = e, .progress = DONE, .opaque = true };
    }
    mark(w, j->core);
    for (size_t id = 0; id < n; id++) {
        if (!w->slots.at[id].uses || w->slots.at[id].progress == DONE) continue;
        gn_push(&w->arena, &w->stack, w->graph->nodes.at[id]);
        while (w->stack.n) step(w);
    }
    root_list roots[2];
    roots_of(j->core, roots);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < roots[k].n; i++) roots[k].at[i] = slot_of(w, roots[k].at[i])->next;
}

void gn_sweep(struct gn_core *core, const gn_rule_set *const *sets, size_t nsets, const gn_sweep_options *options,
              gn_sweep_stats *stats)
{
    static const gn_sweep_options none = { .pass = "sweep" };
    gn_sweep_stats ignored;
    gn_rewriter w = { .arena.allocator = core->graph->arena.allocator,
                      .graph = core->graph,
                      .options = options ? options : &none,
                      .stats = stats ? stats : &ignored };
    *w.stats = (gn_sweep_stats){ 0 };
    job j = { &w, core, sets, nsets };
    const gn_loc here = core->graph->here;
    const gn_status status = gn_protect(sweep, &j);
    core->graph->here = here;
    gn_arena_free(&w.arena);
    gn_check(status);
}
