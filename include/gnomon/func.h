/** @file Compiling a graph into a function, and calling it.
 *
 *      gn_func *f = NULL;
 *      gn_compile(&f, g, .in = GN_EXPRS(x, t), .out = GN_EXPRS(loss), .update = gn_sgd(loss, gn_params(g), 0.1));
 *      gn_call(f, GN_ARRAYS(xs, ts), GN_ARRAYS(GN_SCALAR(&cost)));
 */
#pragma once
#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gn_func gn_func; /**< self-sufficient: the graph may be freed before it */
typedef struct gn_binding gn_binding;

/** New values of shared variables; all take effect together, after the outputs were computed. Made by GN_UPDATES or an optimizer (nn.h);
 *  an optimizer's list lives in its graph. A list whose construction failed has n = 0 and error set. */
typedef struct gn_update {
    gn_expr *variable, *value;
} gn_update;
typedef struct gn_updates {
    size_t n;
    const gn_update *at;
    gn_status error;
} gn_updates;
#ifdef __cplusplus
} /* extern "C" */
inline gn_updates gn_updates_of(const std::initializer_list<gn_update> &l) { return { l.size(), l.begin(), GN_OK }; }
#define GN_UPDATES(...) gn_updates_of({ __VA_ARGS__ })
extern "C" {
#else
/** GN_UPDATES({ w, new_w }, { b, new_b }) */
#define GN_UPDATES(...) ((gn_updates){ sizeof((gn_update[]){ __VA_ARGS__ }) / sizeof(gn_update), (const gn_update[]){ __VA_ARGS__ }, GN_OK })
#endif

#if defined(__cplusplus) && __cplusplus >= 201402L
#define GN_ZEROED = {} /* so that a field that is left out is no warning */
#else
#define GN_ZEROED
#endif
typedef struct gn_compile_options {
    gn_exprs in GN_ZEROED; /**< inputs, in the order of gn_call; each input that out and update need must be here */
    gn_exprs out GN_ZEROED;
    gn_updates update GN_ZEROED;
    const char *name GN_ZEROED; /**< of the generated file ["f"] */
    const char *fix GN_ZEROED; /**< "batch=60, n=3": named dims made constant [none] */
    const char *device GN_ZEROED; /**< "cpu" */
    const char *disable GN_ZEROED; /**< comma-separated names of rules or passes that stay off [none]; gradients are built before (grad.h) */
    int keep_source GN_ZEROED; /**< 1: write the generated source (.c) and the graph (.gn, for `gnomon inspect`) beside the cache
                                   entry; gn_func_source has the source in any case */
} gn_compile_options;

/** Differentiated, rewritten, fused, emitted, compiled (or found in the cache).
 *  Errors     those of the builders; GN_EINVAL for a missing or doubled input, a doubled update; GN_ESHAPE for an update of another shape;
 *             GN_ECOMPILER with the compiler's words.
 *  Ownership  *out is released with gn_func_free, which accepts NULL. *out is NULL after an error.
 *  Thread safety  compiles of different graphs may run at once. */
GN_API gn_status gn_compile_at(gn_loc, gn_func **out, gn_graph *, const gn_compile_options *);
#ifdef __cplusplus
} /* extern "C" */
inline gn_status gn_compile_with(gn_loc loc, gn_func **out, gn_graph *g, const gn_compile_options &o) { return gn_compile_at(loc, out, g, &o); }
#define gn_compile(f, g, ...) gn_compile_with(GN_HERE, f, g, gn_compile_options{ __VA_ARGS__ })
extern "C" {
#else
#define gn_compile(f, g, ...) gn_compile_at(GN_HERE, f, g, &(gn_compile_options){ __VA_ARGS__ })
#endif
GN_API void gn_func_free(gn_func *);

/** Calls f: arrays in the order of gn_compile's in and out. Inputs are not kept. Outputs are the caller's memory (GN_NEW(&a) has it
 *  allocated); an output that shares a byte with anything, or whose strides lead twice to one place, is refused: decided exactly, two halves
 *  of one matrix may be two outputs. Any strides and any alignment are taken; an array that is not row-major or not aligned to its elements is
 *  copied. Everything is checked: counts, dtypes, ranks, shapes, named dims, index ranges.
 *  Errors  GN_EINVAL for counts, NULL data, overlapping outputs, strides that lead out of the address space; GN_EDTYPE, GN_ESHAPE for an array that does not fit, with both lines;
 *          GN_EINDEX for an index outside its axis, with the line of the operation: from an input or variable before anything runs, a
 *          computed one before any variable changes (what outputs hold then means nothing); GN_ENOMEM.
 *  Thread safety  any function may be called from several threads at once, on outputs of their own. A call has the variables that it updates
 *                 to itself, and shares those that it reads with other readers: it sees all of another call's updates or none. Functions
 *                 that only read run concurrently; calls that update the same variable, or one that the other reads, run one after the
 *                 other, as do gn_get and gn_set (graph.h), each of which is about one variable alone. A function without variables takes
 *                 no lock. Bindings: gn_run likewise, each binding in one thread at a time.
 *  Processes  the floating-point mode of the caller (rounding, flushing, traps) is set aside and comes back. fork waits for calls that update
 *             variables, so that the child finds none half written; all functions and contexts can be used in the child, by any of its threads. */
GN_API gn_status gn_call(gn_func *, gn_arrays in, gn_arrays out);

/** Checks once and prepares, so that gn_run is the bare call. A binding owns its memory, keeps f alive, serves one thread, and fixes
 *  shapes and strides. The arrays' memory must outlive it or be replaced by gn_bind_set. */
GN_API gn_status gn_bind(gn_binding **out, gn_func *, gn_arrays in, gn_arrays outputs);
GN_API gn_status gn_run(gn_binding *);
/** Moves the pointer of a slot: inputs first, then outputs. */
GN_API gn_status gn_bind_set(gn_binding *, size_t slot, void *data);
GN_API void gn_binding_free(gn_binding *);

/** The generated source, as text; lives as long as f. */
GN_API const char *gn_func_source(const gn_func *);
/** Facts about f for people and benchmarks. */
typedef struct gn_func_info {
    double build_ms, optimize_ms, codegen_ms, compile_ms, load_ms; /**< what gn_compile spent, in milliseconds */
    int cache_hit;             /**< 1: nothing was compiled */
    int nkernels, nsteps;
    const char *toolchain;     /**< "clang", "cc", "interpreter" */
    const char *source_path;   /**< NULL if it was not written */
    size_t peak_bytes, all_bytes, bound_bytes; /**< planned arena; sum of all buffers; liveness bound: for the dims of the last call or bind */
} gn_func_info;
GN_API gn_func_info gn_func_inspect(const gn_func *);

/** A pass of the optimizer and what it did. */
typedef struct gn_pass_info {
    const char *name;                /**< "decompose", "stabilize", ... */
    double ms;
    int64_t nodes, visits, rewrites; /**< alive before it; looked at; rewritten */
} gn_pass_info;
/** Describes the first `capacity` passes that made f; returns how many there were: 0 if the program was found in the cache. */
GN_API size_t gn_func_passes(const gn_func *, gn_pass_info *out, size_t capacity);

/** A step of f and, while profiling is on, what it cost. The texts live as long as f. */
typedef struct gn_step_info {
    const char *symbol; /**< of the generated function; else what it is: "loop i", "branch", "copy" */
    const char *kernel; /**< the kernel it belongs to, as text (docs/kernel-text.md); "" if it is no kernel's */
    int64_t calls;      /**< of a step within a loop: all turns */
    double total_ms;    /**< with what is within it */
    int depth;          /**< how many steps it is within: they come before it */
} gn_step_info;
/** Measures each step from now on (1, counters start at 0), or no longer (0). Costs two clock readings a step. Thread-safe. */
GN_API void gn_func_profile(gn_func *, int on);
/** Describes the first `capacity` steps in the order in which they run; returns how many there are. */
GN_API size_t gn_func_steps(const gn_func *, gn_step_info *out, size_t capacity);

/** Writes `name`.h and `name`.c into dir: the function as C11, also read as C++, that needs libm alone. The header explains itself.
 *  Inputs, outputs and variables keep their names where C and C++ allow them; elsewhere a suffix is added ("int_", "l_w_2").
 *  The code computes in the floating-point mode of its caller and stops with #error where a flag has changed arithmetic.
 *  Errors  GN_EIO; GN_EINVAL if a dim is not fixed, or for a name that is no identifier of up to 60 characters, a word of C, C++ or
 *          their libraries, or kept for compilers and Gnomon (_x, a__b, x_t, gn_x). */
GN_API gn_status gn_export(const gn_func *, const char *name, const char *dir);

#ifdef __cplusplus
}
#endif
