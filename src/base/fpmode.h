/* The floating-point mode. What Gnomon computes does not depend on the caller's: rounding, flushing of subnormals and
 * traps are the default while it works, on each thread that does, and the caller's again when it returns. Reading the
 * mode costs a few cycles; it is written only where it differs.
 *
 *     const gn_fpmode mode = gn_fp_enter();
 *     ..
 *     gn_fp_leave(mode);
 *
 * The flags that tell of past exceptions are left as they come where the mode was the default, and are the caller's
 * again where it was not. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#if !defined(__x86_64__) && !defined(__aarch64__)
#include <fenv.h>
#endif

#if defined(__x86_64__)
typedef struct gn_fpmode {
    uint32_t sse;
    uint16_t x87;
} gn_fpmode;
enum { GN_SSE_DEFAULT = 0x1f80, GN_SSE_FLAGS = 0x3f, GN_X87_DEFAULT = 0x37f, GN_X87_MODE = 0xf3f };

static inline uint32_t gn_fp_sse(void)
{
    uint32_t now;
    __asm__ volatile("stmxcsr %0" : "=m"(now));
    return now;
}
static inline bool gn_fp_is_default_sse(uint32_t mode)
{
    return __builtin_expect((mode & ~(uint32_t)GN_SSE_FLAGS) == GN_SSE_DEFAULT, 1);
}
static inline uint32_t gn_fp_enter_sse(void)
{
    const uint32_t now = gn_fp_sse(), fresh = GN_SSE_DEFAULT;
    if (!gn_fp_is_default_sse(now)) __asm__ volatile("ldmxcsr %0" : : "m"(fresh) : "memory");
    return now;
}
static inline void gn_fp_leave_sse(uint32_t before)
{
    if (!gn_fp_is_default_sse(before)) __asm__ volatile("ldmxcsr %0" : : "m"(before) : "memory");
}
static inline gn_fpmode gn_fp_enter(void)
{
    gn_fpmode m = { .sse = gn_fp_enter_sse() };
    const uint16_t fresh = GN_X87_DEFAULT;
    __asm__ volatile("fnstcw %0" : "=m"(m.x87));
    if (__builtin_expect((m.x87 & GN_X87_MODE) != (GN_X87_DEFAULT & GN_X87_MODE), 0))
        __asm__ volatile("fnclex\n\tfldcw %0" : : "m"(fresh) : "memory");
    return m;
}
static inline void gn_fp_leave(gn_fpmode m)
{
    gn_fp_leave_sse(m.sse);
    if (__builtin_expect((m.x87 & GN_X87_MODE) != (GN_X87_DEFAULT & GN_X87_MODE), 0))
        __asm__ volatile("fnclex\n\tfldcw %0" : : "m"(m.x87) : "memory");
}
/* Around generated code, which uses no x87. */
typedef uint32_t gn_fpmode_code;
static inline bool gn_fp_is_default_code(void) { return gn_fp_is_default_sse(gn_fp_sse()); }
static inline gn_fpmode_code gn_fp_enter_code(void) { return gn_fp_enter_sse(); }
static inline void gn_fp_leave_code(gn_fpmode_code m) { gn_fp_leave_sse(m); }

#elif defined(__aarch64__)
typedef uint64_t gn_fpmode;
static inline gn_fpmode gn_fp_now(void)
{
    gn_fpmode now;
    __asm__ volatile("mrs %0, fpcr" : "=r"(now));
    return now;
}
static inline gn_fpmode gn_fp_enter(void)
{
    const gn_fpmode now = gn_fp_now(), fresh = 0;
    if (__builtin_expect(now != 0, 0)) __asm__ volatile("msr fpcr, %0" : : "r"(fresh) : "memory");
    return now;
}
static inline void gn_fp_leave(gn_fpmode m)
{
    if (__builtin_expect(m != 0, 0)) __asm__ volatile("msr fpcr, %0" : : "r"(m) : "memory");
}
typedef gn_fpmode gn_fpmode_code;
static inline bool gn_fp_is_default_code(void) { return __builtin_expect(gn_fp_now() == 0, 1); }
static inline gn_fpmode_code gn_fp_enter_code(void) { return gn_fp_enter(); }
static inline void gn_fp_leave_code(gn_fpmode_code m) { gn_fp_leave(m); }

#else
typedef fenv_t gn_fpmode, gn_fpmode_code;
static inline gn_fpmode gn_fp_enter(void)
{
    fenv_t now;
    fegetenv(&now);
    fesetenv(FE_DFL_ENV);
    return now;
}
static inline void gn_fp_leave(gn_fpmode m) { fesetenv(&m); }
static inline bool gn_fp_is_default_code(void) { return false; } /* unknown */
static inline gn_fpmode_code gn_fp_enter_code(void) { return gn_fp_enter(); }
static inline void gn_fp_leave_code(gn_fpmode_code m) { gn_fp_leave(m); }
#endif
