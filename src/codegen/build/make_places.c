/* Values computed in place: an update in its variable's memory, a temporary in that of an operand which nobody reads
 * later. */
#include "make_state.h"

static void start_roots(gn_program_maker *m)
{
    const gn_program *p = m->p;
    m->root = GN_NEW_ARRAY(&m->k.work, int32_t, p->values.n),
    m->last_use = GN_NEW_ARRAY(&m->k.work, int32_t, p->values.n);
    for (size_t i = 0; i < p->values.n; i++) m->root[i] = (int32_t)i, m->last_use[i] = p->values.at[i].last;
}

/* `value` takes over the memory of `from`, before another takes over its own. */
static void take_over(gn_program_maker *m, int32_t value, int32_t from)
{
    const int32_t root = m->root[from], last = m->p->values.at[value].last;
    m->p->values.at[value].alias = from;
    m->root[value] = root;
    if (last > m->last_use[root]) m->last_use[root] = last;
}

/* The code of the kernel that makes an update leaves the old elements alone until it has read them. */
static bool reads_before_it_writes(const gn_program_maker *m, const gn_pvalue *update, uint32_t value,
                                   uint32_t variable)
{
    const uint32_t group = m->group_of.at[update->first];
    const gn_group *g = &m->groups->groups.at[group];
    const int32_t read = gn_group_find_buf(g, variable), write = gn_group_find_buf(g, value);
    return read < 0 || g->kernel->bufs.at[write].shares == read ||
           gn_in_place_allows(gn_maker_in_place(&m->k, m->made[group].kernel), (uint32_t)read, (uint32_t)write);
}

/* An update is computed in its variable's memory where grouping says that nobody reads the old elements later, and
 * where no check of an index can still fail. */
static void place_updates(gn_program_maker *m)
{
    gn_program *p = m->p;
    for (size_t i = 0; i < m->groups->values.n; i++) {
        const gn_gvalue *g = &m->groups->values.at[i];
        if (g->kind != GN_VALUE_UPDATE || g->in_place < 0) continue;
        gn_pvalue *v = &p->values.at[m->value_of[i]];
        if (v->first > m->checks_end && reads_before_it_writes(m, v, (uint32_t)i, (uint32_t)g->in_place))
            take_over(m, m->value_of[i], m->value_of[g->in_place]);
    }
}

static bool is_slice(const gn_program_maker *m, uint32_t value)
{
    return m->groups->values.at[value].kind == GN_VALUE_SLICE;
}

/* The kernel has the memory of this buffer under another name, too. */
static bool is_there_twice(const gn_program_maker *m, const gn_group *g, size_t buf)
{
    size_t n = 0;
    for (size_t b = 0; b < g->buf.n; b++)
        n += gn_gvalue_root(m->groups, g->buf.at[b]) == gn_gvalue_root(m->groups, g->buf.at[buf]);
    return n > 1;
}

static void place_temp(gn_program_maker *m, const struct gn_made *made, const gn_group *g, uint32_t to)
{
    gn_program *p = m->p;
    const int32_t value = m->value_of[g->buf.at[to]];
    for (size_t b = 0; b < g->buf.n; b++) {
        const int32_t from = m->value_of[g->buf.at[b]];
        const gn_pvalue *v = &p->values.at[from];
        if (from == value || v->kind != GN_VALUE_TEMP || v->first >= made->first || is_slice(m, g->buf.at[b]) ||
            is_there_twice(m, g, b))
            continue;
        const int32_t root = m->root[from];
        if (p->values.at[root].kind != GN_VALUE_TEMP || m->last_use[root] > made->last ||
            !gn_in_place_allows(gn_maker_in_place(&m->k, made->kernel), (uint32_t)b, to))
            continue;
        take_over(m, value, from);
        return;
    }
}

void gn_place_values(gn_program_maker *m)
{
    start_roots(m);
    place_updates(m);
    for (size_t i = 0; i < m->groups->groups.n; i++) {
        const gn_group *g = &m->groups->groups.at[i];
        for (uint32_t b = 0; b < g->buf.n && !m->made[i].has_variants; b++) {
            const gn_pvalue *v = &m->p->values.at[m->value_of[g->buf.at[b]]];
            if (g->kernel->bufs.at[b].access & GN_KBUF_WRITE && v->kind == GN_VALUE_TEMP && v->alias < 0 &&
                !is_slice(m, g->buf.at[b]))
                place_temp(m, &m->made[i], g, b);
        }
    }
}
