/* Errors, in two styles with one message behind them.
 *
 * Runtime code (files, threads, caches) returns gn_status and cleans up after itself:
 *
 *     if (fd < 0) return gn_error(GN_EIO, "cannot open %s: %s", path, strerror(errno));
 *
 * Compiler code (graph, optimizer, codegen) owns nothing but arenas, so it may simply stop in the middle:
 *
 *     if (axis >= rank) gn_throw(GN_EAXIS, "sum: axis %d of a tensor of rank %d", axis, rank);
 *
 * gn_throw returns to the nearest gn_protect, which a public function puts around its body; what was allocated stays in
 * its arena and goes with it. Code that holds a file, a lock or a plain allocation must not call anything that throws.
 */
#pragma once
#include <gnomon/base.h>
#include <stdarg.h>

/* Sets the thread's message and returns `status`. */
gn_status gn_error(gn_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
gn_status gn_error_v(gn_status status, const char *format, va_list) __attribute__((format(printf, 2, 0)));
/* Appends to the thread's message: each line of the text on a line of its own, indented by four. More detail, or the
 * words of a tool. */
void gn_error_add(const char *format, ...) __attribute__((format(printf, 1, 2)));
gn_status gn_error_set(gn_status status, const char *message); /* a message that was kept elsewhere */
void gn_error_clear(void);

/* Runs body(arg) in the default floating-point mode; GN_OK, or the status that was thrown in it. Nests. */
gn_status gn_protect(void (*body)(void *arg), void *arg);
_Noreturn void gn_throw(gn_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void gn_rethrow(gn_status status); /* the message is already set */
static inline void gn_check(gn_status s)
{
    if (s) gn_rethrow(s);
}

/* A bug in Gnomon: stops the program with the place. Never for a user's mistake. */
#define GN_ASSERT(c) ((c) ? (void)0 : gn_assert_failed(#c, __FILE__, __LINE__))
_Noreturn void gn_assert_failed(const char *condition, const char *file, int line);
