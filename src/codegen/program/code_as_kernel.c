#include "code_as_kernel.h"
#include <string.h>
#include "code_text.h"
#include "code_verify.h"

gn_kernel *gn_code_as_kernel(gn_arena *arena, const gn_code *c)
{
    gn_kernel *k = gn_kernel_new(arena, c->name);
    for (size_t i = 0; i < c->syms.n; i++) gn_kernel_sym(k, c->syms.at[i].name);
    for (uint32_t i = 0; i < c->nargs; i++) {
        const gn_place *p = c->places.at[i];
        const gn_dim *size = gn_dim_import(k->dims, p->size);
        if (p->space != GN_SPACE_BUFFER) continue;
        const uint32_t at = gn_kernel_buf(k, p->name, p->dtype, 1, &size);
        k->bufs.at[at].access = p->access;
        k->bufs.at[at].align = p->align;
        k->bufs.at[at].below = p->below ? gn_dim_import(k->dims, p->below) : NULL;
    }
    return k;
}

gn_kernel *gn_kernel_of_text(gn_arena *arena, const char *name, const char *text, gn_code **code)
{
    const gn_sx *all = gn_sx_read(arena, name, text, strlen(text));
    if (all->n != 1) gn_throw(GN_ESYNTAX, "%s: expected one kernel", name);
    *code = NULL;
    if (!gn_sx_head(all->at[0], "code")) return gn_kernel_read(arena, name, all->at[0]);
    *code = gn_code_read(arena, name, all->at[0]);
    gn_code_verify(*code);
    return gn_code_as_kernel(arena, *code);
}
