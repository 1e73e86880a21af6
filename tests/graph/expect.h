/* Short words for tests of expressions.
 *
 *     gn_expr *x = EXPECT_F32(g, "2, 3", 1, 2, 3, 4, 5, 6);                a constant
 *     EXPECT(gn_sum(x, GN_AXES(0)), "f32 (3)", 5, 7, 9);                   its type, and its values within their bounds
 *     EXPECT_ERROR(gn_sum(x, GN_AXES(2)), GN_EAXIS, "axis 2 of a tensor of rank 2"); */
#pragma once
#include "evaluate.h"

gn_expr *test_constant(gn_graph *, gn_dtype, const char *shape, size_t n, const double *values);
void test_expect(const char *file, int line, gn_expr *y, const char *type, size_t n, const double *values);
void test_expect_error(const char *file, int line, gn_graph *, const gn_expr *y, gn_status, const char *part);
gn_ref test_element(gn_expr *y, int64_t i); /* of an expression that needs no inputs */

#define EXPECT_LIST(...) sizeof((double[]){ __VA_ARGS__ }) / sizeof(double), (const double[]){ __VA_ARGS__ }
#define EXPECT_OF(g, dtype, shape, ...) test_constant(g, dtype, shape, EXPECT_LIST(__VA_ARGS__))
#define EXPECT_F32(g, shape, ...) EXPECT_OF(g, GN_F32, shape, __VA_ARGS__)
#define EXPECT_I32(g, shape, ...) EXPECT_OF(g, GN_I32, shape, __VA_ARGS__)
#define EXPECT(y, type, ...) test_expect(__FILE__, __LINE__, y, type, EXPECT_LIST(__VA_ARGS__))
#define EXPECT_NOTHING(y, type) test_expect(__FILE__, __LINE__, y, type, 0, NULL)
#define EXPECT_ERROR(y, status, part) test_expect_error(__FILE__, __LINE__, g, y, status, part)
