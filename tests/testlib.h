/* What the tests share: cmocka with its four headers, seeds, closeness. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Random numbers of a test: seed from $GNOMON_TEST_SEED or 1, printed when a test fails. */
uint64_t test_seed(void);
uint64_t test_random(uint64_t *state);               /* splitmix64 */
double test_uniform(uint64_t *state, double low, double high);

/* The message contains `part`; shows both otherwise. */
void assert_message_contains(const char *part);
