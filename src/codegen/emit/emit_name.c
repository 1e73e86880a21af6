/* Names of symbols, leaves, buffers and kept definitions come from users. One that is a word of C, C++ or CUDA, or looks like a
 * temporary of ours, gets an underscore. */
#include "ascii.h"
#include "emit_state.h"

static const char *const words[] = {
    "alignas",   "alignof",   "and",       "arg",      "asm",      "assert",       "atomic",    "auto",     "bitand",  "bitor",
    "blockDim",  "blockIdx",  "bool",      "break",    "case",     "catch",        "char",      "class",    "compl",   "const",
    "constexpr", "continue",  "decltype",  "default",  "delete",   "do",           "double",    "dst",      "else",    "enum",
    "explicit",  "export",    "extern",    "false",    "float",    "for",          "friend",    "goto",     "gridDim", "if",
    "inline",    "int",       "int16_t",   "int32_t",  "int64_t",  "int8_t",       "linux",     "long",     "main",    "memcpy",
    "memset",    "mutable",   "namespace", "new",      "noexcept", "not",          "nullptr",   "operator", "or",      "part",
    "private",   "protected", "public",    "register", "restrict", "return",       "short",     "signed",   "sizeof",  "static",
    "struct",    "switch",    "sym",       "template", "this",     "thread_local", "threadIdx", "throw",    "true",    "try",
    "typedef",   "typeid",    "typename",  "typeof",   "uint16_t", "uint32_t",     "uint64_t",  "uint8_t",  "union",   "unix",
    "unsigned",  "using",     "virtual",   "void",     "volatile", "warpSize",     "wchar_t",   "while",    "xor",     NULL
};

static bool is_ours(const char *n)
{
    if (strncmp(n, "gn_", 3) == 0 || strncmp(n, "GN_", 3) == 0 || n[0] == '_' || gn_is_digit(n[0])) return true;
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], n) == 0) return true;
    if (!strchr("vsmt", n[0]) || !n[1]) return false;
    return strspn(n + 1, "0123456789") == strlen(n + 1); /* v12, s12, m12, t12 */
}

static bool is_used(const gn_emitter *e, const char *n)
{
    const gn_lower *g = e->g;
    for (size_t i = 0; i < g->kernel->syms.n; i++)
        if (strcmp(g->kernel->syms.at[i].name, n) == 0) return true;
    for (size_t i = 0; i < g->kernel->bufs.n; i++)
        if (strcmp(g->kernel->bufs.at[i].name, n) == 0) return true;
    for (size_t i = 0; i < g->leaves.n; i++)
        if (strcmp(g->leaves.at[i].name, n) == 0) return true;
    for (size_t i = 0; i < g->objects.n; i++)
        if (strcmp(g->objects.at[i]->name, n) == 0) return true;
    return strcmp(n, e->s->kernel->name) == 0;
}

static bool is_flat(const char *n) /* the counter of a shared copy: ours on purpose */
{
    const char *digit = n, *prefix = "gn_c";
    while (*prefix && *digit == *prefix) digit++, prefix++;
    return !*prefix && *digit && !digit[strspn(digit, "0123456789")];
}

const char *gn_emit_name(gn_emitter *e, const char *name)
{
    if (is_flat(name) || !is_ours(name)) return name;
    const char *n = gn_arena_printf(e->g->arena, "u%s%s", name[0] == '_' ? "" : "_", name);
    while (is_used(e, n)) n = gn_arena_printf(e->g->arena, "%s_", n);
    return n;
}
