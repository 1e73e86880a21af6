/** @file Statuses, messages, places in the user's program, memory, and the context that everything else hangs from. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* C++11 and later see the same names: macros are overloads there, and .in = .. in gn_compile wants C++20. */
#ifdef __cplusplus
#include <initializer_list>
extern "C" {
#endif

#if defined(__GNUC__)
#define GN_API __attribute__((visibility("default")))
#define GN_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define GN_API
#define GN_PRINTF(text, first)
#endif

/** What a fallible function returns: GN_OK or a negative value; gn_message() then has the sentence. */
typedef enum gn_status {
    GN_OK = 0,
    GN_EINVAL = -1,    /**< an argument that is never allowed: NULL, a bad option, an operand of another graph */
    GN_ESHAPE = -2,    /**< shapes or named dims that do not fit */
    GN_EDTYPE = -3,    /**< a dtype that the operation does not take */
    GN_EAXIS = -4,     /**< an axis outside the rank, or named twice */
    GN_EGRAD = -5,     /**< something that has no gradient */
    GN_EINDEX = -6,    /**< an index outside its axis */
    GN_ESYNTAX = -7,   /**< malformed text: graph, kernel, rule, npy, CSV, JSON; the message has line and column */
    GN_EFORMAT = -8,   /**< malformed bytes: IDX, npy, safetensors, a cache entry */
    GN_ENOMEM = -9,    /**< memory ran out, or a size overflowed */
    GN_EIO = -10,      /**< the system refused a file operation */
    GN_ECOMPILER = -11,/**< no compiler was found, or it failed; its own words are in the message */
    GN_EDEVICE = -12,  /**< a device or its libraries are missing or failed */
    GN_EINTERNAL = -13 /**< a bug in Gnomon */
} gn_status;

/** The sentence of this thread's last error: what was found, what was expected, and where in the user's program.
 *  Never NULL. Valid until the thread's next call of a Gnomon function that fails. */
GN_API const char *gn_message(void);

/** Name of a status, as "GN_ESHAPE". */
GN_API const char *gn_status_name(gn_status);

/** "0.1.0" */
GN_API const char *gn_version(void);

/** A place in the user's program. The builder macros pass GN_HERE. */
typedef struct gn_loc {
    const char *file; /**< copied by the builder; NULL: no place */
    int line;
} gn_loc;

#ifdef __cplusplus
#define GN_HERE (gn_loc{ __FILE__, __LINE__ })
#else
#define GN_HERE ((gn_loc){ __FILE__, __LINE__ })
#endif

/** Where memory comes from. `reallocate` with size 0 frees and returns NULL; with old == NULL it allocates; old_size is what was asked for.
 *  Returned blocks are aligned like malloc's. It may be called from several threads at once. */
typedef struct gn_allocator {
    void *(*reallocate)(void *user, void *old, size_t old_size, size_t size);
    void *user;
} gn_allocator;

/** Allocator, disk cache, toolchains and threads. There is no other global state.
 *  Thread safety: a context may be shared by threads. */
typedef struct gn_context gn_context;

/** Everything optional: a field left zero has the default in brackets. The environment variables named are read only where the field is
 *  left zero and the process is not set-user-id. */
typedef struct gn_context_options {
    const gn_allocator *allocator; /**< [malloc]; the struct is copied */
    const char *cache_dir;         /**< [$GNOMON_CACHE_DIR, $XDG_CACHE_HOME/gnomon, ~/.cache/gnomon]; "" switches the disk cache off */
    int64_t cache_bytes;           /**< size bound of the cache [512 MiB] */
    const char *toolchain;         /**< "clang", "cc", "interpreter" [$GNOMON_TOOLCHAIN, else the first that works, in this order] */
    const char *cc;                /**< the C compiler of toolchain "cc" [$CC, cc] */
    const char *target;            /**< "amx", "avx512", "avx2", "generic", "c11" [$GNOMON_TARGET, else what the CPU has]. One that the CPU has not can be
                                        compiled for, looked at and exported, not called: GN_EDEVICE */
    int threads;                   /**< parts that run at once [$GNOMON_THREADS, else the CPUs this process may use] */
    int compile_seconds;           /**< time for one compile [$GNOMON_COMPILE_SECONDS, else 60]: processor time in this process, time that passes for
                                        toolchain "cc". What is not done by then is compiled without optimization, and failing that interpreted; one
                                        line on stderr says so */
    const char *const *cc_env;     /**< environment of toolchain "cc" besides PATH, LC_ALL and TMPDIR, which it gets of Gnomon's making: texts
                                        "NAME=VALUE", ended by NULL; part of what identifies the compiler [none: nothing is inherited] */
    const char *lints;             /**< a list of names of lints to leave out, each after a "-": "-double-softmax, -literal-step"; "-all"
                                        [$GNOMON_LINTS, else none is left out] */
    void (*lint)(void *user, const char *name, const char *sentence); /**< is told each, in the thread that builds; what it does with graphs is
                                        its own affair, but it builds none [one line on stderr] */
    void *lint_user;
} gn_context_options;

/* Lints: what builders take, and is rarely what was meant. Each is told once a line of the program, with its place.
 *   broadcast-outer  (batch) - (batch, 1) has the shape (batch, batch): a named dim meets itself across axes, because an axis is missing.
 *   literal-step     gn_dropout with a number as step drops the same elements at every call.
 *   double-softmax   gn_cross_entropy takes logits, and was given the result of gn_softmax. */

/** Makes a context. `options` may be NULL.
 *  Errors  GN_ENOMEM; GN_EINVAL for an unknown toolchain, target or lint.
 *  Ownership  release with gn_context_free after its graphs and functions. */
GN_API gn_status gn_context_new(gn_context **out, const gn_context_options *options);
GN_API void gn_context_free(gn_context *);

/** The context that NULL stands for, made on first use with default options and never freed. NULL if that failed. Thread-safe. */
GN_API gn_context *gn_context_default(void);

#ifdef __cplusplus
}
#endif
