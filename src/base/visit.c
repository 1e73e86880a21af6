#include "visit.h"

_Thread_local gn_work gn_work_done;

void gn_visit_add(gn_visit *v, const void *root)
{
    if (!root) return;
    void **seen = gn_map_put(v->arena, &v->seen, GN_KEY(root));
    if (*seen) return;
    *seen = v;
    gn_work_done.visits++;
    if (v->enter && !v->enter(v->user, root)) return;
    gn_push(v->arena, &v->open, ((gn_visit_open){ .node = root }));
}

const void *gn_visit_next(gn_visit *v)
{
    while (v->open.n) {
        gn_visit_open *top = &v->open.at[v->open.n - 1];
        const void *operand = v->operand(top->node, top->next++);
        if (!operand) return gn_pop(&v->open).node;
        gn_visit_add(v, operand);
    }
    return NULL;
}
