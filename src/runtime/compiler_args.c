/* Arguments of compilers: what every unit is compiled with, and the way from cc1 spelling to that of a compiler driver.
 *
 * The generated source says everything that matters in itself (explicit vectors, its own fma), so -O1 is enough and the
 * compiler must not change numbers: no contraction, no errno, wrapping integers. cc1 and the drivers differ in their
 * defaults; here they agree. */
#include "toolchain_state.h"
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define GN_HOST_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GN_HOST_HAS_ASAN 1
#endif
#endif
#ifndef GN_HOST_HAS_ASAN
#define GN_HOST_HAS_ASAN 0
#endif

/* Checks of addresses make code several times as long: to optimize that takes most of the time of a suite. */
#define OPTIMIZE (GN_HOST_HAS_ASAN ? "-O0" : "-O1")

bool gn_args_add(gn_args *a, const char *word)
{
    if (a->n >= GN_MAX_ARGS) return false;
    a->at[a->n++] = word;
    a->at[a->n] = NULL;
    return true;
}

bool gn_args_join(gn_args *a, const char *head, const char *tail)
{
    const size_t nhead = strlen(head), ntail = strlen(tail);
    if (a->used + nhead + ntail + 1 > sizeof a->store) return false;
    char *word = a->store + a->used;
    memcpy(word, head, nhead);
    memcpy(word + nhead, tail, ntail + 1);
    a->used += nhead + ntail + 1;
    return gn_args_add(a, word);
}

bool gn_args_words(gn_args *a, const char *command)
{
    while (*command) {
        const size_t n = strcspn(command, " ");
        char word[512];
        if (n >= sizeof word) return false;
        memcpy(word, command, n);
        word[n] = '\0';
        if (n && !gn_args_join(a, word, "")) return false;
        command += n + strspn(command + n, " ");
    }
    return a->n > 0;
}

static bool add_all(gn_args *a, size_t n, const char *const *words)
{
    for (size_t i = 0; i < n; i++)
        if (!gn_args_add(a, words[i])) return false;
    return true;
}
#define ADD_ALL(a, words) add_all(a, sizeof(words) / sizeof *(words), words)

/* A host under AddressSanitizer checks the generated code too. Undefined behaviour traps: the runtime of another
 * compiler is not needed. */
static const char *const clang_sanitize[] = {
    "-fsanitize=address", "-fsanitize=integer-divide-by-zero,shift-exponent,array-bounds,null,alignment,unreachable",
    "-fsanitize-trap=integer-divide-by-zero,shift-exponent,array-bounds,null,alignment,unreachable"
};
static const char *const cc_sanitize[] = { "-fsanitize=address,undefined", "-fsanitize-undefined-trap-on-error" };

bool gn_args_for_clang(gn_args *a, const char *triple, const char *const *args)
{
    static const char *const common[] = {
        OPTIMIZE,
        "-std=c11",
        "-fgnuc-version=4.2.1",
        "-mrelocation-model",
        "pic",
        "-pic-level",
        "2",
        "-ffp-contract=off",
        "-mframe-pointer=all",
        "-funwind-tables=2",
        "-fwrapv",
        "-relaxed-aliasing",
        "-nostdsysteminc",
        "-nobuiltininc",
        "-ferror-limit",
        "20",
        "-fbracket-depth",
        "256",
        "-disable-llvm-verifier",
        "-discard-value-names",
        "-fno-builtin-memcpy",
        "-fno-builtin-memset",
        "-fno-builtin-memmove",
    };
    if (!gn_args_add(a, "-triple") || !gn_args_add(a, triple) || !ADD_ALL(a, common)) return false;
    for (; args && *args; args++)
        if (!gn_args_add(a, *args)) return false;
    return !GN_HOST_HAS_ASAN || ADD_ALL(a, clang_sanitize);
}

/* "-target-feature +avx2" is "-mavx2", "-avx2" is "-mno-avx2"; "-target-cpu x" is "-march=x". The rest is spelled alike. */
static bool translate(gn_args *a, const char *const **at)
{
    const char *word = **at, *value = (*at)[1];
    const bool is_cpu = !strcmp(word, "-target-cpu"), is_feature = !strcmp(word, "-target-feature");
    *at += 1 + ((is_cpu || is_feature) && value);
    if (is_cpu && value) return gn_args_join(a, "-march=", value);
    if (is_feature && value) return gn_args_join(a, value[0] == '-' ? "-mno-" : "-m", value + 1);
    if (!strcmp(word, "-vectorize-loops")) return gn_args_add(a, "-ftree-vectorize");
    if (!strcmp(word, "-vectorize-slp")) return true;
    return gn_args_add(a, word);
}

bool gn_args_for_cc(gn_args *a, bool is_clang, const char *const *args)
{
    static const char *const common[] = {
        OPTIMIZE,
        "-std=c11",
        "-fPIC",
        "-shared",
        "-nostdlib",
        "-ffp-contract=off",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-fwrapv",
        "-fno-strict-aliasing",
        "-fno-omit-frame-pointer",
        "-fno-stack-protector",
        "-w",
        "-Wl,-Bsymbolic",
        "-Wl,--build-id=none",
        "-Wl,--hash-style=gnu",
        "-Wl,-z,noexecstack",
    };
    static const char *const no_calls_clang[] = { "-fno-builtin-memcpy", "-fno-builtin-memset", "-fno-builtin-memmove" };
    /* gcc clears the upper halves of vector registers on return among its expensive optimizations only: without that,
     * all code of the program that uses SSE crawls after a call. */
    static const char *const only_gcc[] = { "-fno-tree-loop-distribute-patterns", "-fexpensive-optimizations" };
    if (!ADD_ALL(a, common) || !(is_clang ? ADD_ALL(a, no_calls_clang) : ADD_ALL(a, only_gcc))) return false;
    while (args && *args)
        if (!translate(a, &args)) return false;
    return GN_HOST_HAS_ASAN ? ADD_ALL(a, cc_sanitize) : gn_args_add(a, "-Wl,-z,defs");
}
