/* Names of lints, and lists of them. */
#include "lint.h"
#include <stdbool.h>
#include <string.h>
#include "error.h"

const char *const gn_lint_names[GN_NLINTS] = { "broadcast-outer", "literal-step", "double-softmax" };

gn_status gn_lints_read(const char *list, uint32_t *out)
{
    *out = 0;
    for (const char *at = list + strspn(list, ", "); *at; at += strspn(at, ", ")) {
        const size_t n = strcspn(at, ", ");
        size_t i = 0;
        while (i < GN_NLINTS && (n != strlen(gn_lint_names[i]) + 1 || strncmp(at + 1, gn_lint_names[i], n - 1) != 0)) i++;
        const bool all = n == 4 && strncmp(at, "-all", 4) == 0;
        if (*at != '-' || (i == GN_NLINTS && !all))
            return gn_error(GN_EINVAL, "lints: '%.*s': expected - and one of %s, %s, %s, all", (int)n, at,
                            gn_lint_names[0], gn_lint_names[1], gn_lint_names[2]);
        *out |= all ? UINT32_MAX : 1u << i;
        at += n;
    }
    return GN_OK;
}
