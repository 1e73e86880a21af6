/* The list of ops, from ops.def. */
#include "op.h"
#include <string.h>

#define GN_OP_DEF(name) &gn_op_##name,
const gn_op_info *const gn_ops[] = {
#include "ops.def"
};
#undef GN_OP_DEF
const size_t gn_nops = sizeof gn_ops / sizeof *gn_ops;

const gn_op_info *gn_op_find(const char *name)
{
    for (size_t i = 0; i < gn_nops; i++)
        if (strcmp(gn_ops[i]->name, name) == 0) return gn_ops[i];
    return NULL;
}
