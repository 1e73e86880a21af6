#include "testlib.h"
#include <gnomon/base.h>
#include <stdlib.h>
#include <string.h>

uint64_t test_seed(void)
{
    const char *s = getenv("GNOMON_TEST_SEED");
    uint64_t seed = s ? strtoull(s, NULL, 10) : 1;
    print_message("seed %llu (GNOMON_TEST_SEED)\n", (unsigned long long)seed);
    return seed;
}

uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double test_uniform(uint64_t *state, double low, double high)
{
    return low + (high - low) * ((double)(test_random(state) >> 11) * 0x1p-53);
}

void assert_message_contains(const char *part)
{
    if (!strstr(gn_message(), part)) fail_msg("message does not contain '%s': %s", part, gn_message());
}
