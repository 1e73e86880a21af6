#include "kernel_form.h"
#include <string.h>
#include "text.h"

/* A load within an index names its buffer; all others were numbered. */
static bool has_named_load(const char *text)
{
    static const char load[] = "(load ";
    for (const char *p = strstr(text, load); p; p = strstr(p + 1, load))
        if (p[sizeof load - 1] != '#') return true;
    return false;
}

const char *gn_kernel_form(gn_arena *arena, const gn_kernel *k, const gn_schedule *s)
{
    gn_kernel same = *k; /* but for names: expressions refer by number */
    gn_text t = { .arena = arena };
    same.name = "k";
    same.bufs.at = gn_arena_copy(arena, k->bufs.at, k->bufs.n * sizeof *k->bufs.at);
    same.defs.at = gn_arena_copy(arena, k->defs.at, k->defs.n * sizeof *k->defs.at);
    for (size_t i = 0; i < k->bufs.n; i++) same.bufs.at[i].name = gn_arena_printf(arena, "#buf%zu", i);
    for (size_t i = 0; i < k->defs.n; i++) same.defs.at[i].name = gn_arena_printf(arena, "#def%zu", i);
    gn_kernel_print(&t, &same);
    gn_schedule_print(&t, &same, s);
    const bool names_matter = has_named_load(gn_text_done(&t));
    for (size_t i = 0; names_matter && i < k->bufs.n; i++) gn_textf(&t, " %s", k->bufs.at[i].name);
    return gn_text_done(&t);
}
