/* npy: what NumPy wrote is read, what is written is what NumPy would write, and nothing else gets in. */
#include <gnomon/data.h>
#include <signal.h>
#include <sys/resource.h>
#include "tempdir.h"

/* numpy.save of np.array([[1, 2, 3], [4, 5, 6.5]], dtype='<f4'), by its definition. */
static size_t sample(char *to, int version, const char *dict, const void *data, size_t size)
{
    const size_t start = version == 1 ? 10 : 12, dict_length = strlen(dict),
                 header = (start + dict_length + 1 + 63) / 64 * 64 - start;
    memcpy(to, "\x93NUMPY", 6);
    to[6] = (char)version, to[7] = 0;
    to[8] = (char)(header & 255), to[9] = (char)(header >> 8);
    if (version > 1) to[10] = to[11] = 0;
    memset(to + start, ' ', header);
    memcpy(to + start, dict, dict_length);
    to[start + header - 1] = '\n';
    memcpy(to + start + header, data, size);
    return start + header + size;
}

static const float values[6] = { 1, 2, 3, 4, 5, 6.5f };
#define DICT "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"

static void what_numpy_writes_is_read_in_three_versions(void **state)
{
    (void)state;
    for (int version = 1; version <= 3; version++) {
        char file[512];
        const size_t n = sample(file, version, DICT, values, sizeof values);
        gn_array a;
        assert_int_equal(gn_npy_read(&a, temp_write("a.npy", file, n)), GN_OK);
        assert_int_equal(a.dtype, GN_F32);
        assert_int_equal(a.rank, 2);
        assert_true(a.shape[0] == 2 && a.shape[1] == 3 && a.stride[0] == 3 && a.stride[1] == 1);
        assert_memory_equal(a.data, values, sizeof values);
        gn_array_free(&a);
        assert_null(a.data);
    }
}

static void what_is_written_is_what_numpy_writes(void **state)
{
    (void)state;
    char wanted[512];
    const size_t n = sample(wanted, 1, DICT, values, sizeof values);
    assert_int_equal(gn_npy_write(temp_path("w.npy"), gn_array_of((void *)values, GN_F32, 2, (int64_t[]){ 2, 3 })), GN_OK);
    size_t size;
    char *got = temp_read(temp_path("w.npy"), &size);
    assert_int_equal(size, n);
    assert_memory_equal(got, wanted, n);
    free(got);
}

static void every_dtype_and_rank_comes_back(void **state)
{
    (void)state;
    static const gn_dtype dtypes[] = {GN_BOOL, GN_I8,  GN_I16, GN_I32, GN_I64, GN_U8,
                                      GN_U16,  GN_U32, GN_U64, GN_F16, GN_F32, GN_F64};
    uint64_t seed = test_seed();
    for (size_t t = 0; t < sizeof dtypes / sizeof *dtypes; t++) {
        for (int rank = 0; rank <= GN_MAX_RANK; rank++) {
            uint8_t data[256 * 8];
            int64_t shape[GN_MAX_RANK];
            for (size_t i = 0; i < sizeof data; i++)
                data[i] = (uint8_t)(test_random(&seed) & (dtypes[t] == GN_BOOL ? 1 : 255));
            for (int d = 0; d < rank; d++) shape[d] = d % 3 == 2 ? 1 : 2;
            const gn_array a = gn_array_of(data, dtypes[t], rank, shape);
            gn_array b;
            assert_int_equal(gn_npy_write(temp_path("r.npy"), a), GN_OK);
            assert_int_equal(gn_npy_read(&b, temp_path("r.npy")), GN_OK);
            assert_int_equal(b.dtype, a.dtype);
            assert_int_equal(b.rank, rank);
            assert_memory_equal(b.shape, a.shape, (size_t)rank * sizeof *a.shape);
            assert_memory_equal(b.data, data, (size_t)gn_array_count(&a) * gn_dtype_size(a.dtype));
            gn_array_free(&b);
        }
    }
}

static void strided_views_and_empty_arrays_are_written(void **state)
{
    (void)state;
    const gn_array transposed = {
        .data = (void *)values, .dtype = GN_F32, .rank = 2, .shape = { 3, 2 }, .stride = { 1, 3 }
    };
    const float wanted[6] = { 1, 4, 2, 5, 3, 6.5f };
    gn_array a;
    assert_int_equal(gn_npy_write(temp_path("t.npy"), transposed), GN_OK);
    assert_int_equal(gn_npy_read(&a, temp_path("t.npy")), GN_OK);
    assert_memory_equal(a.data, wanted, sizeof wanted);
    gn_array_free(&a);
    assert_int_equal(gn_npy_write(temp_path("e.npy"), gn_array_of(NULL, GN_I64, 2, (int64_t[]){ 0, 7 })), GN_OK);
    assert_int_equal(gn_npy_read(&a, temp_path("e.npy")), GN_OK);
    assert_true(a.rank == 2 && a.shape[0] == 0 && a.shape[1] == 7);
    gn_array_free(&a);
}

static void refuses(const char *dict, gn_status status, const char *message)
{
    char file[1024];
    gn_array a;
    const size_t n = sample(file, 1, dict, values, sizeof values);
    assert_int_equal(gn_npy_read(&a, temp_write("bad.npy", file, n)), status);
    assert_message_contains("bad.npy");
    assert_message_contains(message);
    assert_null(a.data);
}

static void bad_headers_are_refused_with_their_place(void **state)
{
    (void)state;
    refuses("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", GN_EDTYPE, "Python objects");
    refuses("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", GN_EDTYPE, "big-endian");
    refuses("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", GN_EDTYPE, "dtype '<c8' cannot be read");
    refuses("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", GN_EDTYPE, "records");
    refuses("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", GN_EFORMAT, "Fortran order");
    refuses("{'descr': '<f4', 'fortran_order': 1, 'shape': (2, 3), }", GN_EFORMAT, "True or False was expected");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", GN_EFORMAT,
            "truncated: its shape needs 32 bytes and 24 are there");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", GN_EFORMAT, "bytes behind the array");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", GN_EFORMAT,
            "its size overflows");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4), }", GN_EFORMAT,
            "an extent was expected");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }", GN_EFORMAT, "an extent was expected");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", GN_EFORMAT, "needs a comma");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }", GN_EFORMAT, "a comma was expected");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': 6, }", GN_EFORMAT, "a shape in parentheses");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,2,3), }", GN_EFORMAT, "more than 8 axes");
    refuses("{'descr': '<f4', 'fortran_order': False, }", GN_EFORMAT, "descr, fortran_order and shape are needed");
    refuses("{'descr': '<f4', 'descr': '<f4', 'shape': (2, 3), }", GN_EFORMAT, "a key twice");
    refuses("{'descr': '<f4', 'order': False, 'shape': (2, 3), }", GN_EFORMAT, "an unknown key");
    refuses("{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3), }", GN_EFORMAT, "character 17: a comma was expected");
    refuses("{'descr' '<f4', }", GN_EFORMAT, "a colon was expected");
    refuses("{descr: '<f4', }", GN_EFORMAT, "a key was expected");
    refuses("['descr']", GN_EFORMAT, "a dict was expected");
    refuses(DICT " x", GN_EFORMAT, "text behind the dict");
}

static void other_files_are_refused(void **state)
{
    (void)state;
    gn_array a;
    assert_int_equal(gn_npy_read(&a, temp_write("x", "PK\3\4 something", 14)), GN_EFORMAT);
    assert_message_contains("not an npy file");
    assert_int_equal(gn_npy_read(&a, temp_write("x", "\x93NUMPY\4\0\1\0 \n", 12)), GN_EFORMAT);
    assert_message_contains("npy version 4.0");
    assert_int_equal(gn_npy_read(&a, temp_write("x", "\x93NUMPY\2\0\xff\xff\xff\x7f{", 13)), GN_EFORMAT);
    assert_message_contains("npy header of 2147483647 bytes; at most 65536 are read");
    assert_int_equal(gn_npy_read(&a, temp_write("x", "\x93NUMPY\1\0\2\0{\0", 12)), GN_EFORMAT);
    assert_message_contains("a zero byte");
    assert_int_equal(gn_npy_read(&a, temp_path("absent")), GN_EIO);
    assert_message_contains("cannot open");
    assert_int_equal(gn_npy_read(&a, temp_dir), GN_EIO);
    assert_message_contains("it is a directory");
    assert_int_equal(gn_npy_read(&a, "/dev/zero"), GN_EIO);
    assert_message_contains("not a regular file");
    assert_int_equal(gn_npy_read(&a, NULL), GN_EINVAL);
    assert_message_contains("path is NULL");
}

static void a_bool_of_two_is_refused(void **state)
{
    (void)state;
    char file[256];
    gn_array a;
    const size_t n = sample(file, 1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", "\1\0\2", 3);
    assert_int_equal(gn_npy_read(&a, temp_write("b.npy", file, n)), GN_EFORMAT);
    assert_message_contains("neither 0 nor 1");
    assert_null(a.data);
}

static void every_truncation_is_an_error(void **state)
{
    (void)state;
    for (int version = 1; version <= 2; version++) {
        char file[512];
        gn_array a;
        const size_t n = sample(file, version, DICT, values, sizeof values);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(gn_npy_read(&a, temp_write("t.npy", file, k)), GN_EFORMAT);
            assert_message_contains("t.npy");
            assert_null(a.data);
        }
    }
}

static void every_altered_byte_is_read_or_refused(void **state)
{
    (void)state;
    char file[512];
    const size_t n = sample(file, 1, DICT, values, sizeof values);
    int refused = 0;
    for (size_t k = 0; k < n; k++) {
        for (int bit = 0; bit < 8; bit += 3) {
            gn_array a;
            file[k] ^= (char)(1 << bit);
            if (gn_npy_read(&a, temp_write("a.npy", file, n))) refused++;
            else assert_true((size_t)gn_array_count(&a) * gn_dtype_size(a.dtype) == sizeof values);
            gn_array_free(&a);
            file[k] ^= (char)(1 << bit);
        }
    }
    assert_true(refused > 150);
}

static void what_has_no_npy_form_is_refused(void **state)
{
    (void)state;
    float v[2] = { 0 };
    assert_int_equal(gn_npy_write(NULL, GN_VIEW(v, 2)), GN_EINVAL);
    assert_message_contains("gn_npy_write: path is NULL");
    assert_int_equal(gn_npy_write(temp_path("x.npy"), gn_array_1d(v, (gn_dtype)99, 2)), GN_EDTYPE);
    assert_message_contains("gn_npy_write: an unknown dtype has no npy form");
    uint16_t b[2] = { 0 };
    assert_int_equal(gn_npy_write(temp_path("n.npy"), gn_array_of(b, GN_BF16, 1, (int64_t[]){ 2 })), GN_EDTYPE);
    assert_message_contains("bf16 has no npy form");
    assert_int_equal(gn_npy_write(temp_path("n.npy"), gn_array_of(NULL, GN_F32, 1, (int64_t[]){ 2 })), GN_EINVAL);
    assert_message_contains("data is NULL");
    assert_int_equal(gn_npy_write(temp_path("n.npy"), gn_array_of(b, GN_F32, 1, (int64_t[]){ -2 })), GN_ESHAPE);
    assert_message_contains("not a valid shape");
    assert_int_equal(gn_npy_write(temp_path("no/such/n.npy"), gn_array_of(b, GN_U16, 1, (int64_t[]){ 2 })), GN_EIO);
    assert_message_contains("cannot create");
}

/* The disk is "full" after 4 KiB: the old file stays and nothing is left beside it. */
static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    static float big[4096];
    struct rlimit old;
    assert_int_equal(gn_npy_write(temp_path("w.npy"), gn_array_of((void *)values, GN_F32, 1, (int64_t[]){ 6 })), GN_OK);
    const int before = temp_entries();
    getrlimit(RLIMIT_FSIZE, &old);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 4096, old.rlim_max });
    const gn_status s = gn_npy_write(temp_path("w.npy"), gn_array_of(big, GN_F32, 1, (int64_t[]){ 4096 }));
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    assert_int_equal(s, GN_EIO);
    assert_message_contains("cannot write");
    assert_int_equal(temp_entries(), before);
    gn_array a;
    assert_int_equal(gn_npy_read(&a, temp_path("w.npy")), GN_OK);
    assert_int_equal(a.shape[0], 6);
    gn_array_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_numpy_writes_is_read_in_three_versions),
        cmocka_unit_test(what_is_written_is_what_numpy_writes),
        cmocka_unit_test(every_dtype_and_rank_comes_back),
        cmocka_unit_test(strided_views_and_empty_arrays_are_written),
        cmocka_unit_test(bad_headers_are_refused_with_their_place),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(a_bool_of_two_is_refused),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(every_altered_byte_is_read_or_refused),
        cmocka_unit_test(what_has_no_npy_form_is_refused),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
