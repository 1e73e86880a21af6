/* Black-Scholes as one would write it by hand: a loop that the compiler turns into vectors with glibc's functions for
 * them (libmvec), built with -Ofast -march=native. The work is that of rows_models.c. */
#include <math.h>
#include <stdint.h>

void black_scholes_c(int64_t n, const double *restrict s, const double *restrict k, const double *restrict t,
                     double *restrict call, double *restrict put);
void black_scholes_c(int64_t n, const double *restrict s, const double *restrict k, const double *restrict t,
                     double *restrict call, double *restrict put)
{
    const double rate = 0.02, sigma = 0.3;
    for (int64_t i = 0; i < n; i++) {
        const double root = sigma * sqrt(t[i]), d1 = (log(s[i] / k[i]) + t[i] * (rate + sigma * sigma / 2)) / root,
                     d2 = d1 - root, later = k[i] * exp(-rate * t[i]);
        const double n1 = 0.5 * (1 + erf(d1 * 0.70710678118654752)), n2 = 0.5 * (1 + erf(d2 * 0.70710678118654752));
        call[i] = s[i] * n1 - later * n2;
        put[i] = later * (1 - n2) - s[i] * (1 - n1);
    }
}
