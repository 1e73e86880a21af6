/* Initial values: where they come from, how they are spread, and who may not have them. */
#include <gnomon/nn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "dtype.h"
#include "testlib.h"

enum { MANY = 40000 };
static float values[MANY], again[MANY];
static double wide[4096];

static void read_f32(gn_expr *w, float *to, int64_t rows, int64_t columns)
{
    assert_int_equal(gn_get(w, gn_array_of(to, GN_F32, 2, (int64_t[]){ rows, columns })), GN_OK);
}

typedef struct moments {
    double mean, variance, low, high;
} moments;

static moments measure(const float *v, int n)
{
    moments m = { .low = INFINITY, .high = -INFINITY };
    for (int i = 0; i < n; i++) m.mean += (double)v[i] / n;
    for (int i = 0; i < n; i++) {
        const double d = (double)v[i] - m.mean;
        m.variance += d * d / n;
        m.low = fmin(m.low, (double)v[i]), m.high = fmax(m.high, (double)v[i]);
    }
    return m;
}

static moments draw(gn_init init)
{
    gn_graph *g = gn_graph_new(NULL);
    read_f32(gn_param(g, "w", GN_F32, init, "100, 400"), values, 100, 400);
    gn_graph_free(g);
    return measure(values, MANY);
}

static void spreads_are_as_published(void **state)
{
    (void)state;
    const double glorot = sqrt(6.0 / 500), he = 2.0 / 100;
    moments m = draw(GN_UNIFORM(-1, 3));
    assert_true(m.low >= -1 && m.high <= 3 && m.low < -0.99 && m.high > 2.99);
    assert_true(fabs(m.mean - 1) < 0.03 && fabs(m.variance - 16.0 / 12) < 0.03);
    m = draw(GN_NORMAL(5, 2));
    assert_true(fabs(m.mean - 5) < 0.05 && fabs(m.variance - 4) < 0.15 && m.high > 11 && m.high < 16);
    m = draw(GN_GLOROT);
    assert_true(m.low >= -glorot && m.high <= glorot && m.high > 0.99 * glorot &&
                fabs(m.variance - glorot * glorot / 3) < 0.0002);
    m = draw(GN_HE);
    assert_true(fabs(m.mean) < 0.003 && fabs(m.variance - he) < 0.001);
}

static void constants_and_arrays_are_taken_as_they_are(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    float given[6] = { 1, 2, 3, 4, 5, 6 }, got[6];
    int32_t counts[3];
    const gn_array transposed = { .data = given, .dtype = GN_F32, .rank = 2, .shape = { 2, 3 }, .stride = { 1, 2 } };
    read_f32(gn_param(g, "zeros", GN_F32, GN_ZEROS, "2, 3"), got, 2, 3);
    for (int i = 0; i < 6; i++) assert_true(got[i] == 0);
    read_f32(gn_param(g, "half", GN_F32, GN_CONSTANT(0.5), "2, 3"), got, 2, 3);
    for (int i = 0; i < 6; i++) assert_true(got[i] == 0.5f);
    read_f32(gn_param(g, "given", GN_F32, GN_FROM(transposed), "2, 3"), got, 2, 3);
    assert_memory_equal(got, ((float[]){ 1, 3, 5, 2, 4, 6 }), sizeof got);
    assert_int_equal(gn_get(gn_param(g, "ones", GN_I32, GN_ONES, "3"), GN_VIEW(counts, 3)), GN_OK);
    assert_true(counts[0] == 1 && counts[2] == 1);
    float alone;
    assert_int_equal(gn_get(gn_param(g, "alone", GN_F32, GN_CONSTANT(7), "()"), GN_SCALAR(&alone)), GN_OK);
    assert_true(alone == 7);
    assert_non_null(gn_param(g, "none", GN_F32, GN_HE, "0, 3"));
    assert_int_equal(gn_graph_check(g), GN_OK);
    gn_graph_free(g);
}

static void sixteen_bits_are_rounded_from_double(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    uint16_t h, b;
    assert_int_equal(gn_get(gn_param(g, "h", GN_F16, GN_CONSTANT(1.0 / 3), "()"), gn_array_scalar(&h, GN_F16)), GN_OK);
    assert_int_equal(gn_get(gn_param(g, "b", GN_BF16, GN_CONSTANT(1.0 / 3), "()"), gn_array_scalar(&b, GN_BF16)), GN_OK);
    assert_int_equal(h, 0x3555);
    assert_int_equal(b, 0x3eab);
    gn_graph_free(g);
}

/* Seed and name decide; order, other parameters and the graph do not. */
static void the_numbers_depend_on_seed_and_name_alone(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL), *h = gn_graph_new(NULL);
    gn_param(h, "first", GN_F32, GN_HE, "7, 7");
    read_f32(gn_param(g, "w", GN_F32, GN_HE, "100, 400"), values, 100, 400);
    read_f32(gn_param(h, "w", GN_F32, GN_HE, "100, 400"), again, 100, 400);
    assert_memory_equal(values, again, sizeof values);
    read_f32(gn_param(h, "v", GN_F32, GN_HE, "100, 400"), again, 100, 400);
    double dot = 0;
    for (int i = 0; i < MANY; i++) dot += (double)values[i] * (double)again[i] / MANY;
    assert_true(fabs(dot) < 0.02 * 0.02); /* independent: variance 0.02 each */
    gn_graph_free(h);
    h = gn_graph_new(NULL);
    gn_graph_seed(h, 1);
    read_f32(gn_param(h, "w", GN_F32, GN_HE, "100, 400"), again, 100, 400);
    assert_memory_not_equal(values, again, sizeof values);
    gn_graph_free(g);
    gn_graph_free(h);
}

/* The first words of Philox4x32-10 under a key made of FNV-1a: a change of the stream changes every saved experiment,
 * so it is pinned here. */
static void the_stream_never_changes(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    double got[2];
    uint64_t h = 0xcbf29ce484222325u;
    for (int i = 0; i < 8; i++) h *= 0x100000001b3u;
    h = (h ^ 'w') * 0x100000001b3u;
    uint32_t c[4] = { 0 }, k[2] = { (uint32_t)h, (uint32_t)(h >> 32) };
    for (int r = 0; r < 10; r++) {
        const uint64_t p = (uint64_t)0xd2511f53 * c[0], q = (uint64_t)0xcd9e8d57 * c[2];
        const uint32_t n[4] = { (uint32_t)(q >> 32) ^ c[1] ^ k[0], (uint32_t)q, (uint32_t)(p >> 32) ^ c[3] ^ k[1],
                                (uint32_t)p };
        memcpy(c, n, sizeof c);
        k[0] += 0x9e3779b9, k[1] += 0xbb67ae85;
    }
    assert_int_equal(gn_get(gn_param(g, "w", GN_F64, GN_UNIFORM(0, 1), "2"), GN_VIEW(got, 2)), GN_OK);
    assert_true(got[0] == (double)((((uint64_t)c[0] << 32) | c[1]) >> 11) * 0x1p-53);
    assert_true(got[1] == (double)((((uint64_t)c[2] << 32) | c[3]) >> 11) * 0x1p-53);
    gn_graph_free(g);
}

static void orthogonal_matrices_are_orthogonal(void **state)
{
    (void)state;
    static const int shapes[][2] = { { 8, 8 }, { 20, 5 }, { 5, 20 }, { 1, 7 }, { 7, 1 } };
    for (size_t t = 0; t < sizeof shapes / sizeof *shapes; t++) {
        const int m = shapes[t][0], n = shapes[t][1], count = m < n ? m : n, size = m < n ? n : m;
        gn_graph *g = gn_graph_new(NULL);
        gn_expr *w = gn_param(g, "w", GN_F64, GN_ORTHOGONAL, "2, %d, %d", m, n);
        assert_int_equal(gn_get(w, gn_array_of(wide, GN_F64, 3, (int64_t[]){ 2, m, n })), GN_OK);
        for (int layer = 0; layer < 2; layer++) {
            const double *v = wide + layer * m * n;
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < count; j++) {
                    double dot = 0;
                    for (int k = 0; k < size; k++) dot += m < n ? v[i * n + k] * v[j * n + k] : v[k * n + i] * v[k * n + j];
                    assert_true(fabs(dot - (i == j)) < 1e-14);
                }
            }
        }
        assert_true(memcmp(wide, wide + m * n, (size_t)(m * n) * sizeof *wide) != 0);
        gn_graph_free(g);
    }
}

static void refuses(gn_graph *g, gn_expr *w, gn_status status, int line, const char *message)
{
    char place[64];
    snprintf(place, sizeof place, "test_init.c:%d: ", line);
    assert_int_equal(gn_dtype_of(w), GN_NDTYPES);
    assert_int_equal(gn_graph_check(g), status);
    assert_message_contains(place);
    assert_message_contains(message);
}
#define REFUSES(status, message, ...) refuses(g, gn_param(g, __VA_ARGS__), status, __LINE__, message)

static void mistakes_are_told(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    float v[6] = { 0 };
    const int first = __LINE__ + 1;
    gn_param(g, "w", GN_F32, GN_ZEROS, "3");
    char place[64];
    snprintf(place, sizeof place, "test_init.c:%d", first);
    REFUSES(GN_EINVAL, "the name \"w\" is taken", "w", GN_F32, GN_ZEROS, "3");
    assert_message_contains(place);
    REFUSES(GN_EINVAL, "NULL", NULL, GN_F32, GN_ZEROS, "3");
    REFUSES(GN_EINVAL, "is no name", "3w", GN_F32, GN_ZEROS, "3");
    REFUSES(GN_EDTYPE, "99 is no dtype", "a", (gn_dtype)99, GN_ZEROS, "3");
    REFUSES(GN_ESHAPE, "\"a\": extent 1 of the shape 3, n is not a number", "a", GN_F32, GN_ZEROS, "3, n");
    REFUSES(GN_ESHAPE, "\"a\": extent 0 of the shape -3 is not a number", "a", GN_F32, GN_ZEROS, "-3");
    REFUSES(GN_ESYNTAX, "a", "a", GN_F32, GN_ZEROS, "3,,4");
    REFUSES(GN_ENOMEM, "overflows", "a", GN_F32, GN_ZEROS, "4611686018427387904, 4");
    REFUSES(GN_EDTYPE, "param: \"a\": random initial values are floating, not i32", "a", GN_I32, GN_NORMAL(0, 1), "3");
    REFUSES(GN_ESHAPE, "\"a\": Glorot's initialization needs at least two axes", "a", GN_F32, GN_GLOROT, "3");
    REFUSES(GN_ESHAPE, "\"a\": He's initialization needs at least two axes", "a", GN_F32, GN_HE, "()");
    REFUSES(GN_ESHAPE, "\"a\": orthogonal initialization needs at least two axes", "a", GN_F32, GN_ORTHOGONAL, "3");
    REFUSES(GN_EDTYPE, "\"a\": the dtype is f64 and the initial array's f32", "a", GN_F64, GN_FROM(GN_VIEW(v, 3)), "3");
    REFUSES(GN_ESHAPE, "\"a\": the initial array has another shape", "a", GN_F32, GN_FROM(GN_VIEW(v, 3)), "4");
    REFUSES(GN_EINVAL, "\"a\": the initial array's data is NULL", "a", GN_F32, GN_FROM(gn_array_1d(NULL, GN_F32, 3)), "3");
    REFUSES(GN_EINVAL, "\"a\": 77 is no kind", "a", GN_F32, (gn_init){ .kind = 77 }, "3");
    assert_int_equal(gn_params(g).n, 1);
    gn_graph_free(g);
    assert_non_null(gn_param(NULL, "w", GN_F32, GN_ZEROS, "3"));
}

static void parameters_are_found_in_the_order_of_their_creation(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    assert_int_equal(gn_params(g).n, 0);
    gn_expr *b = gn_param(g, "b", GN_F32, GN_ZEROS, "3"), *a = gn_param(g, "a", GN_F32, GN_ZEROS, "3");
    float v[3] = { 0 };
    gn_shared(g, "not-a-parameter", GN_VIEW(v, 3));
    const gn_exprs all = gn_params(g);
    assert_int_equal(all.n, 2);
    assert_ptr_equal(all.at[0], b);
    assert_ptr_equal(all.at[1], a);
    assert_int_equal(gn_params(NULL).n, 0);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spreads_are_as_published),
        cmocka_unit_test(constants_and_arrays_are_taken_as_they_are),
        cmocka_unit_test(sixteen_bits_are_rounded_from_double),
        cmocka_unit_test(the_numbers_depend_on_seed_and_name_alone),
        cmocka_unit_test(the_stream_never_changes),
        cmocka_unit_test(orthogonal_matrices_are_orthogonal),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(parameters_are_found_in_the_order_of_their_creation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
