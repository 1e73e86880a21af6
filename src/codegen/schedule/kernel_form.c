#include "kernel_form.h"
#include <string.h>
#include "ascii.h"
#include "text.h"

/* A load within an index names its buffer: numbered like all others, which have '#' there already. */
static const char *with_numbers(gn_arena *arena, const gn_kernel *k, const char *text)
{
    static const char load[] = "(load ";
    gn_text t = { .arena = arena };
    for (const char *p; (p = strstr(text, load)); text = p) {
        p += sizeof load - 1;
        gn_text_add_n(&t, text, (size_t)(p - text));
        const size_t n = gn_name_length(p);
        const int32_t buf = n ? gn_kernel_find_buf(k, gn_symbol_n(arena, &(gn_symbols){ 0 }, p, n)) : -1;
        if (buf < 0) continue;
        gn_textf(&t, "#buf%d", (int)buf);
        p += n;
    }
    gn_text_add(&t, text);
    return gn_text_done(&t);
}

const char *gn_kernel_form(gn_arena *arena, const gn_kernel *k, const gn_schedule *s)
{
    gn_kernel same = *k; /* but for names: expressions refer by number */
    gn_text t = { .arena = arena };
    same.name = "k";
    same.bufs.at = gn_arena_copy(arena, k->bufs.at, k->bufs.n * sizeof *k->bufs.at);
    same.defs.at = gn_arena_copy(arena, k->defs.at, k->defs.n * sizeof *k->defs.at);
    same.axes.at = gn_arena_copy(arena, k->axes.at, k->axes.n * sizeof *k->axes.at);
    for (size_t i = 0; i < k->bufs.n; i++) same.bufs.at[i].name = gn_arena_printf(arena, "#buf%zu", i);
    for (size_t i = 0; i < k->defs.n; i++) same.defs.at[i].name = gn_arena_printf(arena, "#def%zu", i);
    for (size_t i = 0; i < k->axes.n; i++)
        same.axes.at[i].role = GN_ROLE_NONE, same.axes.at[i].max = 0; /* the schedule says what came of them */
    gn_kernel_print(&t, &same);
    gn_schedule_print(&t, &same, s);
    return with_numbers(arena, k, gn_text_done(&t));
}
