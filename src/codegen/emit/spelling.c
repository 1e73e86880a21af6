/* Words that names must not be, and names near them. */
#include "spelling.h"
#include <stdlib.h>
#include <string.h>
#include "ascii.h"
#include "error.h"

enum { LONGEST = 60 };

/* Of C11, C23, C++20, CUDA, their headers' macros, macros that compilers predefine, and names in every function of
 * generated code. Sorted. */
static const char *const words[] = {
    "BUFSIZ", "EOF", "FILE", "HUGE_VAL", "HUGE_VALF", "HUGE_VALL", "I", "INFINITY", "MATH_ERREXCEPT", "MATH_ERRNO",
    "M_E", "M_PI", "NAN", "NULL", "alignas", "alignof", "and", "and_eq", "arg", "arm", "asm", "assert", "atomic",
    "auto", "bitand", "bitor", "blockDim", "blockIdx", "bool", "break", "case", "catch", "cdecl", "char", "class",
    "co_await", "co_return", "co_yield", "compl", "complex", "concept", "const", "const_cast", "consteval",
    "constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else",
    "enum", "environ", "errno", "explicit", "export", "extern", "false", "far", "final", "float", "for", "fortran",
    "friend", "goto", "gridDim", "half", "hpux", "huge", "i386", "if", "imaginary", "import", "inline", "int",
    "interface", "linux", "long", "memcpy", "memmove", "memset", "mips", "module", "mutable", "namespace", "near",
    "new", "noexcept", "noreturn", "not", "not_eq", "nullptr", "offsetof", "operator", "or", "or_eq", "override",
    "part", "pascal", "private", "protected", "public", "register", "reinterpret_cast", "requires", "restrict",
    "return", "setjmp", "short", "signed", "sizeof", "small", "sparc", "static", "static_assert", "static_cast", "std",
    "stderr", "stdin", "stdout", "struct", "sun", "switch", "sym", "template", "this", "threadIdx", "thread_local",
    "throw", "true", "try", "typedef", "typeid", "typename", "typeof", "typeof_unqual", "union", "unix",
    "unreachable", "unsigned", "using", "vax", "virtual", "void", "volatile", "warpSize", "while", "xor", "xor_eq",
};

/* Of the C library, and what compilers take for it. Sorted. */
static const char *const functions[] = {
    "abort", "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "atof", "atoi", "atol", "bcmp",
    "bcopy", "bzero", "calloc", "cbrt", "ceil", "clock", "close", "copysign", "cos", "cosh", "div", "erf", "erfc",
    "exit", "exp", "exp2", "expm1", "fabs", "fdim", "ffs", "floor", "fma", "fmax", "fmin", "fmod", "fopen", "fork",
    "fprintf", "fputc", "fputs", "fread", "free", "frexp", "fwrite", "gamma", "getenv", "hypot", "ilogb", "index",
    "isalnum", "isalpha", "isdigit", "isfinite", "isinf", "islower", "isnan", "isnormal", "isspace", "isupper", "j0",
    "j1", "jn", "labs", "ldexp", "lgamma", "link", "llrint", "llround", "log", "log10", "log1p", "log2", "logb",
    "lrint", "lround", "main", "malloc", "memchr", "memcmp", "modf", "nan", "nearbyint", "nextafter", "open", "pipe",
    "pow", "printf", "putchar", "puts", "qsort", "rand", "read", "realloc", "remainder", "remove", "remquo", "rename",
    "rint", "round", "scalbln", "scalbn", "scanf", "select", "send", "signal", "signbit", "sin", "sinh", "snprintf",
    "sprintf", "sqrt", "srand", "sscanf", "strcat", "strchr", "strcmp", "strcpy", "strerror", "strlen", "strncmp",
    "strncpy", "strtod", "strtol", "system", "tan", "tanh", "tgamma", "time", "tolower", "toupper", "trunc", "write",
    "y0", "y1", "yn",
};

static int compare(const void *name, const void *word)
{
    return strcmp(name, *(const char *const *)word);
}

#define IS_IN(list, name) (bsearch(name, list, sizeof list / sizeof *list, sizeof *list, compare) != NULL)

static bool ends_in(const char *n, const char *end)
{
    const size_t length = strlen(n), last = strlen(end);
    return length > last && strcmp(n + length - last, end) == 0;
}

/* Types of headers, macros of exports, and what C and C++ keep for compilers. */
static bool is_kept_for_others(const char *n)
{
    return n[0] == '_' || strstr(n, "__") || ends_in(n, "_t") || ends_in(n, "_arena_bytes");
}

static bool has_small_letter(const char *n)
{
    while (*n && !gn_is_lower(*n)) n++;
    return *n;
}

/* Three characters or more and no small letter: INT64_MAX, NAN, EOF. A header or a compiler may have it as a macro. */
static bool may_be_macro(const char *n)
{
    return strlen(n) >= 3 && !has_small_letter(n);
}

/* "gn", too: with a number behind it, it would. */
static bool begins_as_ours(const char *n)
{
    return (strncmp(n, "gn", 2) == 0 || strncmp(n, "GN", 2) == 0) && (!n[2] || n[2] == '_');
}

/* v12, s12, m12, t12. */
static bool is_value_of_kernel(const char *n)
{
    return strchr("vsmt", n[0]) && n[1] && strspn(n + 1, "0123456789") == strlen(n + 1);
}

static bool is_reserved(const char *name)
{
    return is_kept_for_others(name) || may_be_macro(name) || begins_as_ours(name) || is_value_of_kernel(name) ||
           IS_IN(words, name);
}

/* NET may be a macro somewhere, but is its user's choice. Those of the headers that generated code includes are not. */
static bool is_header_macro(const char *n)
{
    static const char *const ends[] = { "_MAX", "_MIN", "_WIDTH", "_C" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_in(n, ends[i]) && !has_small_letter(n)) return true;
    return false;
}

bool gn_is_function_name(const char *name)
{
    return !is_kept_for_others(name) && !begins_as_ours(name) && !is_header_macro(name) && !IS_IN(words, name) &&
           !IS_IN(functions, name);
}

/* An identifier that no rule above refuses. */
static const char *identifier_near(gn_arena *arena, const char *wanted)
{
    char clean[LONGEST + 1] = "";
    size_t n = 0;
    for (const char *c = wanted; *c && n < LONGEST; c++) {
        const char next = gn_in_name(*c) ? *c : '_';
        if (next != '_' || n == 0 || clean[n - 1] != '_') clean[n++] = next;
    }
    const bool strange = !gn_is_letter(clean[0]) || begins_as_ours(clean);
    const char *const name =
        gn_arena_printf(arena, "%s%s%s", strange ? "u" : "", strange && clean[0] != '_' ? "_" : "", clean);
    if (!is_reserved(name)) return name;
    return gn_arena_printf(arena, "%s%s%s", name, name[strlen(name) - 1] == '_' ? "" : "_",
                           has_small_letter(name) ? "" : "u");
}

/* The next one, which no rule refuses either. */
static const char *numbered(gn_arena *arena, const char *near, unsigned number)
{
    return gn_arena_printf(arena, "%s%s%s%u", near, near[strlen(near) - 1] == '_' ? "" : "_",
                           has_small_letter(near) ? "" : "u", number);
}

static void **place_of(gn_spelling *s, const char *name)
{
    return gn_map_put(s->arena, &s->taken, GN_KEY(gn_symbol(s->arena, &s->symbols, name)));
}

static bool is_free(gn_spelling *s, const char *name)
{
    return !*place_of(s, name) && !is_reserved(name);
}

void gn_spell_reserve(gn_spelling *s, const char *name)
{
    *place_of(s, name) = s;
}

const char *gn_spell_names(gn_spelling *s, const char *wanted, size_t n,
                           const char *(*name_of)(void *user, const char *base, size_t i), void *user)
{
    const char *const near = identifier_near(s->arena, wanted), *base = near;
    void **last = gn_map_put(s->arena, &s->last_number, GN_KEY(gn_symbol(s->arena, &s->symbols, near)));
    for (uintptr_t number = *last ? (uintptr_t)*last : 1;;) {
        GN_ASSERT(!is_reserved(base));
        bool free = is_free(s, base);
        for (size_t i = 0; i < n && free; i++) free = is_free(s, name_of(user, base, i));
        if (free) break;
        *last = (void *)++number;
        base = numbered(s->arena, near, (unsigned)number);
    }
    gn_spell_reserve(s, base);
    for (size_t i = 0; i < n; i++) gn_spell_reserve(s, name_of(user, base, i));
    return base;
}

const char *gn_spell_name(gn_spelling *s, const char *wanted)
{
    return gn_spell_names(s, wanted, 0, NULL, NULL);
}
