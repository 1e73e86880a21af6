/* The progress bar: `[#######.......]  48%  51.2k/s  0:07 left  epoch 3 loss 0.124`, redrawn in place at most every 50
 * ms. */
#include <gnomon/data.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "clock.h"
#include "number.h"

enum { BAR = 24, LINE = 512 };

static bool has_terminal(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

static int columns(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

static void format_rate(char *to, size_t size, double rate)
{
    const char *unit = rate >= 1e9 ? "G" : rate >= 1e6 ? "M" : rate >= 1e3 ? "k" : "";
    const double scale = rate >= 1e9 ? 1e9 : rate >= 1e6 ? 1e6 : rate >= 1e3 ? 1e3 : 1;
    snprintf(to, size, "%s%s/s", gn_number_digits((char[GN_NUMBER_SIZE]){ 0 }, rate / scale, 3), unit);
}

static void format_left(char *to, size_t size, double seconds)
{
    const long long s = seconds < 1e7 ? (long long)(seconds + 0.5) : 9999999;
    if (s >= 3600) snprintf(to, size, "%lld:%02lld:%02lld left", s / 3600, s / 60 % 60, s % 60);
    else snprintf(to, size, "%lld:%02lld left", s / 60, s % 60);
}

static void draw(const gn_progress *p, int64_t done, double seconds, const char *text)
{
    char bar[BAR + 3] = "", rate[32], left[40] = "", line[LINE + 160];
    int percent = 0;
    format_rate(rate, sizeof rate, seconds > 0 ? (double)done / seconds : 0);
    if (p->n > 0) {
        const double part = (double)done / (double)p->n;
        const int filled = (int)(part * BAR);
        percent = (int)(part * 100);
        bar[0] = '[', bar[BAR + 1] = ']', bar[BAR + 2] = 0;
        memset(bar + 1, '#', (size_t)filled);
        memset(bar + 1 + filled, '.', (size_t)(BAR - filled));
        if (done > 0) format_left(left, sizeof left, seconds / (double)done * (double)(p->n - done));
        snprintf(line, sizeof line, "%s %3d%%  %s  %s  %s", bar, percent, rate, left, text);
    } else snprintf(line, sizeof line, "%lld  %s  %s", (long long)done, rate, text);
    fprintf(stderr, "\r%.*s\033[K", columns() - 1, line);
}

static void finish(int64_t done, double seconds, const char *text, bool terminal)
{
    char rate[32];
    format_rate(rate, sizeof rate, seconds > 0 ? (double)done / seconds : 0);
    fprintf(stderr, "%s%lld in %s s (%s)  %s\n", terminal ? "\r\033[K" : "", (long long)done,
            gn_number_fixed((char[GN_NUMBER_SIZE]){ 0 }, seconds, 2), rate, text);
}

void gn_progress_show(gn_progress *p, int64_t done, const char *format, ...)
{
    if (!p || !format) return;
    const double time = gn_now_ms() * 1e-3;
    if (p->shown_ == 0) p->start_ = time, p->shown_ = 1;
    if (done < 0) done = 0;
    const bool complete = p->n > 0 && done >= p->n, terminal = has_terminal();
    if (!complete && (!terminal || time - p->last_ < 0.05)) return;
    char text[LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (complete) finish(done, time - p->start_, text, terminal);
    else draw(p, done, time - p->start_, text);
    fflush(stderr);
    p->last_ = time;
}
