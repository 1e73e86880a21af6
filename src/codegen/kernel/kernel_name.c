/* Names that a kernel can have: its text form is the limit. What C or CUDA would make of them is the emitter's to
 * settle. */
#include <string.h>
#include "ascii.h"
#include "kernel.h"

enum { LONGEST = 40 };

/* Words of the text form, which a name must not hide. */
static bool is_word(const char *name)
{
    static const char *const words[] = { "if",  "load", "index", "and", "lt",  "eq",  "add", "sub",
                                         "mul", "div",  "cdiv",  "mod", "min", "max", "sum", "prod",
                                         "any", "all",  "set",   "inf", "nan", "root",
                                         "new", "other" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0) return true;
    return gn_op_find(name) != NULL;
}

static bool is_free(const gn_kernel *k, const char *name, size_t nreserved, const char *const *reserved)
{
    for (size_t i = 0; i < nreserved; i++)
        if (strcmp(reserved[i], name) == 0) return false;
    return !gn_kernel_has_name(k, name);
}

const char *gn_kernel_fresh_name(gn_kernel *k, const char *wanted, size_t nreserved, const char *const *reserved)
{
    char clean[LONGEST + 2] = "";
    size_t n = 0;
    if (!gn_begins_name(*wanted)) clean[n++] = 'x';
    for (const char *c = wanted; *c && n < LONGEST; c++) clean[n++] = gn_in_name(*c) ? *c : '_';
    if (!is_word(clean) && is_free(k, clean, nreserved, reserved)) return gn_arena_string(k->arena, clean);
    void **last = gn_map_put(k->arena, &k->last_number, GN_KEY(gn_symbol(k->arena, &k->dims->symbols, clean)));
    for (uintptr_t i = (uintptr_t)*last + 1;; i++) {
        const char *name = gn_arena_printf(k->arena, "%s_%u", clean, (unsigned)i);
        if (!is_free(k, name, nreserved, reserved)) continue;
        *last = (void *)i;
        return name;
    }
}
