/* Statements that one thread of a block runs for all. Without a thread leaf of its own a statement is run by all the
 * threads of that leaf, which is right as long as they compute the same from what is each one's own. It is not where
 * memory that all share is changed from its old value, nor where what only one of them has made is read. */
#include "lower.h"

/* Memory of the call is changed from what is there: a sum that adds, starts and is corrected in it; a store that adds. */
static bool changes(const gn_tree *s)
{
    if (s->stmt == GN_STMT_STORE) return s->def->store->kind != GN_STORE_SET;
    if (s->stmt != GN_STMT_INIT && s->stmt != GN_STMT_UPD) return false;
    return gn_accumulator(s->def)->level == GN_LEVEL_ARENA;
}

/* What it makes lies where all threads find it, and it asks nothing of the others. */
static bool may_be_alone(const gn_lower *g, const gn_tree *s)
{
    if (s->stmt == GN_STMT_STORE) return true;
    for (uint32_t l = 0; s->stmt == GN_STMT_MERGE && l < g->leaves.n; l++)
        if (g->leaves.at[l].bind == GN_BIND_THREAD && gn_set_has(&s->def->private, l)) return false;
    return (s->stmt == GN_STMT_ASG || s->stmt == GN_STMT_MERGE) && s->def->object->level == GN_LEVEL_ARENA && !s->def->row;
}

/* Thread leaves that it knows nothing of; an init knows those of each thread's own share. */
static gn_leafset others(const gn_lower *g, const gn_tree *s)
{
    const gn_leafset own = gn_stmt_leaves(s);
    gn_leafset all = { { 0 } };
    for (uint32_t l = 0; l < g->leaves.n; l++)
        if (g->leaves.at[l].bind == GN_BIND_THREAD && !gn_set_has(&own, l) &&
            !(s->stmt == GN_STMT_INIT && (gn_set_has(&s->def->reduced, l) || gn_set_has(&s->def->scanned, l))))
            gn_set_put(&all, l);
    return all;
}

gn_leafset gn_must_be_alone(const gn_lower *g, const gn_tree *s)
{
    return changes(s) ? others(g, s) : (gn_leafset){ { 0 } };
}

static bool add(gn_lower *g, gn_tree *s, gn_leafset more)
{
    const gn_leafset all = others(g, s);
    bool added = false;
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        if (!gn_set_has(&more, l) || !gn_set_has(&all, l) || gn_set_has(&s->alone, l)) continue;
        gn_set_put(&s->alone, l);
        added = true;
    }
    return added;
}

/* Who reads in the step what one thread has made there is that thread. */
static bool hand_on(gn_lower *g, const gn_ldef *q)
{
    bool added = false;
    if (!q->object || q->object->level != GN_LEVEL_ARENA) return false;
    for (size_t w = 0; w < q->touched.n; w++)
        for (size_t r = 0; q->touched.at[w]->def == q && r < q->touched.n; r++) {
            gn_tree *s = q->touched.at[r];
            if (may_be_alone(g, s) && gn_step_of(g, s) == gn_step_of(g, q->touched.at[w]))
                added |= add(g, s, q->touched.at[w]->alone);
        }
    return added;
}

void gn_lower_alone(gn_lower *g)
{
    if (!g->cuda) return;
    for (size_t i = 0; i < g->items.n; i++) {
        gn_ldef *d = g->items.at[i];
        if (d->is_store) d->main->alone = gn_must_be_alone(g, d->main);
        for (size_t t = 0; t < d->touched.n; t++)
            if (d->touched.at[t]->def == d) d->touched.at[t]->alone = gn_must_be_alone(g, d->touched.at[t]);
    }
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < g->items.n; i++) more |= hand_on(g, g->items.at[i]);
    }
}
