/* The exported digit classifier in a program that knows no Gnomon:
 *     build/examples/digits examples/data OUT          trains, then writes OUT/digits.h and OUT/digits.c
 *     cc -O2 -I OUT examples/embed/main.c OUT/digits.c -lm && ./a.out < examples/data/optdigits-test.csv */
#include <stdio.h>
#include "digits.h"

int main(void)
{
    _Alignas(64) static unsigned char arena[DIGITS_ARENA_BYTES + 1];
    float x[64];
    int64_t guess;
    int n = 0, right = 0, label;
    for (; scanf("%f,", &x[0]) == 1; n++) {
        for (int i = 1; i < 64; i++)
            if (scanf("%f,", &x[i]) != 1) return 1;
        if (scanf("%d", &label) != 1 || digits(x, &guess, arena)) return 1;
        right += guess == label;
    }
    printf("%d of %d images recognized: %.2f%%\n", right, n, 100.0 * right / n);
    return 0;
}
