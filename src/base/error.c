/* The thread's message, and the stack of places where a throw lands.
 *
 * Everything is formatted beside the message first, because an argument may point into the message itself. */
#include "error.h"
#include "fpmode.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 16384 };

typedef struct target {
    jmp_buf place;
    struct target *outer;
} target;

static _Thread_local char message[MESSAGE_BYTES];
static _Thread_local target *innermost;
static _Thread_local gn_status thrown;

const char *gn_message(void)
{
    return message;
}

/* Replaces the message from byte `at` on; what does not fit is cut and marked. */
static void put(size_t at, const char *text)
{
    const size_t n = strlen(text), room = MESSAGE_BYTES - 1 - at, take = n < room ? n : room;
    memmove(message + at, text, take);
    message[at + take] = '\0';
    if (n > room) memcpy(message + MESSAGE_BYTES - 4, "...", 4);
}

static void put_v(size_t at, const char *format, va_list args)
{
    char text[MESSAGE_BYTES + 1]; /* one more than fits, so that put notices a cut */
    if (vsnprintf(text, sizeof text, format, args) < 0)
        snprintf(text, sizeof text, "a message could not be printed: %s", format);
    put(at, text);
}

gn_status gn_error_v(gn_status status, const char *format, va_list args)
{
    put_v(0, format, args);
    return status;
}

gn_status gn_error(gn_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_v(0, format, args);
    va_end(args);
    return status;
}

gn_status gn_error_set(gn_status status, const char *text)
{
    put(0, text);
    return status;
}

void gn_error_clear(void)
{
    message[0] = '\0';
}

void gn_error_add(const char *format, ...)
{
    char text[MESSAGE_BYTES], indented[MESSAGE_BYTES + 1];
    size_t n = 0;
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0) text[0] = '\0';
    va_end(args);
    for (const char *line = text; line && n + 5 < MESSAGE_BYTES;) {
        const char *const end = strchr(line, '\n');
        n += (size_t)snprintf(indented + n, sizeof indented - n, "\n    %.*s",
                              (int)(end ? end - line : (ptrdiff_t)strlen(line)), line);
        if (n >= sizeof indented) n = sizeof indented - 1;
        line = end && end[1] ? end + 1 : NULL;
    }
    indented[n] = '\0';
    put(strlen(message), indented);
}

gn_status gn_protect(void (*body)(void *arg), void *arg)
{
    target here;
    const gn_fpmode mode = gn_fp_enter();
    here.outer = innermost;
    if (_setjmp(here.place)) { /* does not save the signal mask: a builder passes here at every call */
        innermost = here.outer;
        gn_fp_leave(mode);
        return thrown;
    }
    innermost = &here;
    body(arg);
    innermost = here.outer;
    gn_fp_leave(mode);
    return GN_OK;
}

void gn_rethrow(gn_status status)
{
    if (!innermost) {
        fprintf(stderr, "gnomon: internal failure: nothing catches %s: %s\n", gn_status_name(status), message);
        abort();
    }
    thrown = status;
    longjmp(innermost->place, 1);
}

void gn_throw(gn_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_v(0, format, args);
    va_end(args);
    gn_rethrow(status);
}

void gn_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "gnomon: internal failure at %s:%d: %s\n", file, line, condition);
    abort();
}
