/* The progress bar: on a terminal it is redrawn, elsewhere it is one line at the end. */
#include <gnomon/data.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "testlib.h"

static char shown[65536];

/* Runs body with stderr going to `write_end` and collects what arrives at `read_end`. */
static void capture(void (*body)(void), int read_end, int write_end)
{
    fflush(stderr);
    const int saved = dup(STDERR_FILENO);
    dup2(write_end, STDERR_FILENO);
    body();
    dup2(saved, STDERR_FILENO);
    close(saved);
    fcntl(read_end, F_SETFL, O_NONBLOCK);
    size_t n = 0;
    for (ssize_t got; (got = read(read_end, shown + n, sizeof shown - 1 - n)) > 0;) n += (size_t)got;
    shown[n] = 0;
    close(read_end);
    close(write_end);
}

static void count_to_three(void)
{
    gn_progress bar = { .n = 3 };
    for (int i = 1; i <= 3; i++) gn_progress_show(&bar, i, "step %d", i);
}

static void without_a_terminal_there_is_one_line(void **state)
{
    (void)state;
    int end[2];
    assert_int_equal(pipe(end), 0);
    capture(count_to_three, end[0], end[1]);
    assert_non_null(strstr(shown, "3 in "));
    assert_non_null(strstr(shown, "step 3\n"));
    assert_null(strstr(shown, "step 1"));
    assert_ptr_equal(strchr(shown, '\n'), shown + strlen(shown) - 1);
}

static void half_way(void)
{
    gn_progress bar = { .n = 4 };
    gn_progress_show(&bar, 0, "begin");
    usleep(60000);
    gn_progress_show(&bar, 2, "loss %s", "0.50");
    gn_progress_show(&bar, 3, "too soon to be drawn");
}

static void a_terminal_shows_bar_rate_and_time_left(void **state)
{
    (void)state;
    int a, b;
    setenv("TERM", "xterm", 1);
    assert_int_equal(openpty(&a, &b, NULL, NULL, &(struct winsize){ .ws_row = 25, .ws_col = 120 }), 0);
    capture(half_way, a, b);
    assert_non_null(strstr(shown, "\r[############............]  50%"));
    assert_non_null(strstr(shown, "/s  0:00 left  loss 0.50"));
    assert_null(strstr(shown, "too soon"));
    assert_null(strchr(shown, '\n'));
}

static void a_terminal_gets_its_closing_line_too(void **state)
{
    (void)state;
    int a, b;
    setenv("TERM", "xterm", 1);
    assert_int_equal(openpty(&a, &b, NULL, NULL, &(struct winsize){ .ws_row = 25, .ws_col = 120 }), 0);
    capture(count_to_three, a, b);
    assert_non_null(strstr(shown, "3 in "));
    assert_non_null(strstr(shown, "step 3\r\n"));
}

static void a_narrow_terminal_gets_a_short_line(void **state)
{
    (void)state;
    int a, b;
    setenv("TERM", "xterm", 1);
    assert_int_equal(openpty(&a, &b, NULL, NULL, &(struct winsize){ .ws_row = 25, .ws_col = 40 }), 0);
    capture(half_way, a, b);
    assert_null(strstr(shown, "loss 0.50"));
}

static void odd_values(void)
{
    gn_progress bar = { 0 };
    gn_progress_show(&bar, -5, "a");
    gn_progress_show(&bar, 10, "b");
    gn_progress_show(NULL, 1, "c");
}

static void an_unknown_total_has_no_closing_line(void **state)
{
    (void)state;
    int end[2];
    assert_int_equal(pipe(end), 0);
    capture(odd_values, end[0], end[1]);
    assert_string_equal(shown, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_terminal_there_is_one_line),
        cmocka_unit_test(a_terminal_shows_bar_rate_and_time_left),
        cmocka_unit_test(a_terminal_gets_its_closing_line_too),
        cmocka_unit_test(a_narrow_terminal_gets_a_short_line),
        cmocka_unit_test(an_unknown_total_has_no_closing_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
