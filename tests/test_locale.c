/* Every test program of a locale's run takes the locale of its environment before main; without it the test is a
 * reported skip. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

enum { SKIPPED = 77 }; /* to meson */

__attribute__((constructor)) static void take_locale(void)
{
    if (!getenv("GNOMON_TEST_LOCALE") || setlocale(LC_ALL, getenv("GNOMON_TEST_LOCALE"))) return;
    fprintf(stderr, "no locale %s in %s\n", getenv("GNOMON_TEST_LOCALE"),
            getenv("LOCPATH") ? getenv("LOCPATH") : "the system");
    _Exit(SKIPPED);
}
