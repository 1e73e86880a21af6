/* safetensors: round trips, the exact bytes, and files that lie. */
#include <jansson.h>
#include "safetensors.h"
#include "tempdir.h"

static const char plain[] =
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"I32\",\"shape\":["
    "],\"data_offsets\":[8,12]}}";

/* Length, header, then n bytes that count up from 0. */
static size_t sample(char *to, const char *header, size_t n)
{
    const size_t length = strlen(header);
    for (int i = 0; i < 8; i++) to[i] = (char)((uint64_t)length >> 8 * i);
    memcpy(to + 8, header, length);
    for (size_t i = 0; i < n; i++) to[8 + length + i] = (char)i;
    return 8 + length + n;
}

static void a_file_is_read(void **state)
{
    (void)state;
    char file[512], data[8];
    gn_safetensors st;
    assert_int_equal(gn_safetensors_open(&st, temp_write("s", file, sample(file, plain, 12))), GN_OK);
    assert_int_equal(st.n, 2);
    assert_string_equal(st.at[0].name, "a");
    assert_string_equal(st.at[1].name, "b");
    assert_true(st.at[0].value.dtype == GN_F32 && st.at[0].value.rank == 2 && st.at[0].value.shape[0] == 2);
    assert_true(st.at[1].value.dtype == GN_I32 && st.at[1].value.rank == 0);
    assert_int_equal(gn_safetensors_get(&st, 1, data), GN_OK);
    assert_memory_equal(data, "\x08\x09\x0a\x0b", 4);
    assert_int_equal(gn_safetensors_get(&st, 0, data), GN_OK);
    assert_memory_equal(data, "\0\1\2\3\4\5\6\7", 8);
    gn_safetensors_close(&st);
}

static void metadata_padding_and_any_order_are_read(void **state)
{
    (void)state;
    char file[512];
    gn_safetensors st;
    const char *header =
        "{\"b\":{\"data_offsets\":[8,12],\"dtype\":\"I32\",\"shape\":[1]},\"__metadata__\":{\"format\":\"pt\"},"
        "\"z\":{\"dtype\":\"U8\",\"shape\":[0,3],\"data_offsets\":[8,8]},"
        "\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}   ";
    assert_int_equal(gn_safetensors_open(&st, temp_write("s", file, sample(file, header, 12))), GN_OK);
    assert_int_equal(st.n, 3);
    assert_string_equal(st.at[0].name, "a");
    assert_string_equal(st.at[1].name, "z");
    assert_string_equal(st.at[2].name, "b");
    gn_safetensors_close(&st);
}

static void arrays_come_back(void **state)
{
    (void)state;
    double wide[3] = { 1.5, -2, 1e300 };
    float grid[6] = { 1, 2, 3, 4, 5, 6 };
    _Bool flags[3] = { 1, 0, 1 };
    const gn_array transposed = { .data = grid, .dtype = GN_F32, .rank = 2, .shape = { 3, 2 }, .stride = { 1, 3 } };
    const gn_named_array in[] = {{"flags", GN_VIEW(flags, 3)},
                                 {"grid", transposed},
                                 {"wide \"quoted\" \xc3\xa9", GN_VIEW(wide, 3)},
                                 {"none", gn_array_of(NULL, GN_I64, 2, (int64_t[]){0, 4})}};
    gn_safetensors st;
    char back[64];
    assert_int_equal(gn_safetensors_write(temp_path("w"), 4, in), GN_OK);
    assert_int_equal(gn_safetensors_open(&st, temp_path("w")), GN_OK);
    assert_int_equal(st.n, 4);
    assert_int_equal(st.offset[0] % 8, 0);
    assert_string_equal(st.at[3].name, "flags"); /* wider elements first: everything is aligned */
    assert_int_equal(gn_safetensors_get(&st, 3, back), GN_OK);
    assert_memory_equal(back, flags, sizeof flags);
    assert_string_equal(st.at[2].name, "grid");
    assert_int_equal(gn_safetensors_get(&st, 2, back), GN_OK);
    assert_memory_equal(back, ((float[]){ 1, 4, 2, 5, 3, 6 }), sizeof grid);
    const size_t w = !strcmp(st.at[0].name, "none");
    assert_string_equal(st.at[w].name, in[2].name);
    assert_int_equal(gn_safetensors_get(&st, w, back), GN_OK);
    assert_memory_equal(back, wide, sizeof wide);
    gn_safetensors_close(&st);
}

static void the_same_arrays_give_the_same_bytes(void **state)
{
    (void)state;
    float v[2] = { 1, 2 };
    const gn_named_array in[] = { { "v", GN_VIEW(v, 2) } };
    const char *wanted = "{\"v\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    size_t size;
    assert_int_equal(gn_safetensors_write(temp_path("w"), 1, in), GN_OK);
    char *bytes = temp_read(temp_path("w"), &size);
    assert_int_equal(size, 8 + 56 + 8);
    assert_memory_equal(bytes, "\x38\0\0\0\0\0\0\0", 8);
    assert_memory_equal(bytes + 8, wanted, strlen(wanted));
    assert_memory_equal(bytes + 64, v, 8);
    free(bytes);
}

static void refuses_to_read(const char *header, size_t n, const char *message)
{
    char file[1024];
    gn_safetensors st;
    assert_int_equal(gn_safetensors_open(&st, temp_write("bad", file, sample(file, header, n))), GN_EFORMAT);
    assert_message_contains("/bad: ");
    assert_message_contains(message);
}

#define ENTRY(name, dtype, shape, range)                                                                               \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" range "}"

static void files_that_lie_are_refused(void **state)
{
    (void)state;
    refuses_to_read("{" ENTRY("a", "F32", "[1]", "[0,4]") "," ENTRY("a", "F32", "[1]", "[4,8]") "}", 8,
                    "duplicate object key");
    refuses_to_read("{" ENTRY("a", "F32", "[1]", "[0,4]") "," ENTRY("b", "F32", "[1]", "[8,12]") "}", 12,
                    "a hole before \"b\"");
    refuses_to_read("{" ENTRY("a", "F32", "[2]", "[0,8]") "," ENTRY("b", "F32", "[1]", "[4,8]") "}", 8,
                    "overlapping bytes before \"b\"");
    refuses_to_read("{" ENTRY("a", "F32", "[1]", "[4,8]") "}", 8, "a hole before \"a\"");
    refuses_to_read("{" ENTRY("a", "F32", "[1]", "[0,4]") "}", 9, "5 bytes belong to no array");
    refuses_to_read("{" ENTRY("a", "F32", "[3]", "[0,8]") "}", 8, "needs 12 bytes for its shape and claims 8");
    refuses_to_read("{" ENTRY("a", "F32", "[2]", "[0,8]") "}", 7, "claims bytes 0 to 8 of 7");
    refuses_to_read("{" ENTRY("a", "F32", "[2]", "[8,0]") "}", 8, "claims bytes 8 to 0 of 8");
    refuses_to_read("{" ENTRY("a", "F32", "[2]", "[-8,0]") "}", 8, "claims bytes -8 to 0");
    refuses_to_read("{" ENTRY("a", "F32", "[4611686018427387904,4]", "[0,8]") "}", 8, "overflows");
    refuses_to_read("{" ENTRY("a", "F32", "[-1]", "[0,8]") "}", 8, "an extent that is no size");
    refuses_to_read("{" ENTRY("a", "F32", "[1.0]", "[0,4]") "}", 4, "an extent that is no size");
    refuses_to_read("{" ENTRY("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "9 axes; at most 8");
    refuses_to_read("{" ENTRY("a", "F32", "1", "[0,4]") "}", 4, "\"a\" has no shape");
    refuses_to_read("{" ENTRY("a", "F8_E5M2", "[4]", "[0,4]") "}", 4, "unknown dtype \"F8_E5M2\"");
    refuses_to_read("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"a\" has no dtype");
    refuses_to_read("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, "\"a\" has no data_offsets");
    refuses_to_read("{" ENTRY("a", "F32", "[1]", "[0,4,5]") "}", 4, "\"a\" has no data_offsets");
    refuses_to_read("{\"a\":{\"x\":1,\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown field \"x\"");
    refuses_to_read("{\"a\":3}", 0, "\"a\" is no object");
    refuses_to_read("{\"__metadata__\":3}", 0, "__metadata__ is no object");
    refuses_to_read("{\"__metadata__\":{\"a\":3}}", 0, "something that is no string");
    refuses_to_read("[]", 0, "does not begin with {");
    refuses_to_read("", 0, "does not begin with {");
    refuses_to_read("{\"a\":\n  }", 0, "line 2 column 3");
}

static void a_header_beyond_the_limit_is_refused_before_it_is_read(void **state)
{
    (void)state;
    gn_safetensors st;
    assert_int_equal(gn_safetensors_open(&st, temp_write("bad", "\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10)), GN_EFORMAT);
    assert_message_contains("at most 100000000 are read");
    assert_int_equal(gn_safetensors_open(&st, temp_write("bad", "\x10\0\0\0\0\0\0\0{}", 10)), GN_EFORMAT);
    assert_message_contains("truncated in the header");
}

static void a_bool_of_two_is_refused(void **state)
{
    (void)state;
    char file[256], data[3];
    gn_safetensors st;
    assert_int_equal(
        gn_safetensors_open(&st, temp_write("s", file, sample(file, "{" ENTRY("f", "BOOL", "[3]", "[0,3]") "}", 3))),
        GN_OK);
    assert_int_equal(gn_safetensors_get(&st, 0, data), GN_EFORMAT);
    assert_message_contains("\"f\" holds a bool that is neither 0 nor 1");
    gn_safetensors_close(&st);
}

static void every_truncation_is_an_error(void **state)
{
    (void)state;
    char file[512];
    const size_t n = sample(file, plain, 12);
    for (size_t k = 0; k < n; k++) {
        gn_safetensors st;
        assert_int_equal(gn_safetensors_open(&st, temp_write("t", file, k)), GN_EFORMAT);
    }
}

static void every_altered_byte_is_read_or_refused(void **state)
{
    (void)state;
    char file[512], data[64];
    const size_t n = sample(file, plain, 12);
    int refused = 0;
    for (size_t k = 0; k < n; k++) {
        for (int bit = 0; bit < 8; bit++) {
            gn_safetensors st;
            file[k] ^= (char)(1 << bit);
            if (gn_safetensors_open(&st, temp_write("a", file, n))) refused++;
            else for (size_t i = 0; i < st.n; i++) assert_int_equal(gn_safetensors_get(&st, i, data), GN_OK);
            gn_safetensors_close(&st);
            file[k] ^= (char)(1 << bit);
        }
    }
    assert_true(refused > 700);
}

static void refuses_to_write(size_t n, const gn_named_array *in, gn_status status, const char *message)
{
    const int before = temp_entries();
    assert_int_equal(gn_safetensors_write(temp_path("never"), n, in), status);
    assert_message_contains(message);
    assert_int_equal(temp_entries(), before);
}

static void what_cannot_be_saved_is_refused(void **state)
{
    (void)state;
    float v[2] = { 0 };
    const gn_array good = GN_VIEW(v, 2), null = gn_array_of(NULL, GN_F32, 1, (int64_t[]){2}),
                   negative = gn_array_of(v, GN_F32, 1, (int64_t[]){-1});
    refuses_to_write(2, (gn_named_array[]){ { "a", good }, { "a", good } }, GN_EINVAL, "two arrays have the name \"a\"");
    refuses_to_write(1, (gn_named_array[]){ { "", good } }, GN_EINVAL, "under the name \"\"");
    refuses_to_write(1, (gn_named_array[]){ { "__metadata__", good } }, GN_EINVAL, "under the name \"__metadata__\"");
    refuses_to_write(1, (gn_named_array[]){ { "\xff", good } }, GN_EINVAL, "not valid UTF-8");
    static const char *const wrong[] = { "\x80",         "\xc1\x81",         "a\xe2\x82",       "\xe0\x9f\xbf",
                                         "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuses_to_write(1, (gn_named_array[]){ { wrong[i], good } }, GN_EINVAL, "not valid UTF-8");
    const gn_named_array named[] = { { "\xc3\xa4", good }, { "\xe2\x82\xac", good }, { "\xf0\x9f\x98\x80", good } };
    assert_int_equal(gn_safetensors_write(temp_path("names"), 3, named), GN_OK);
    refuses_to_write(1, (gn_named_array[]){ { "a", null } }, GN_EINVAL, "the data of \"a\" is NULL");
    refuses_to_write(1, (gn_named_array[]){ { "a", gn_array_1d(v, (gn_dtype)99, 2) } }, GN_EDTYPE,
                     "\"a\" has an unknown dtype");
    refuses_to_write(1, (gn_named_array[]){ { "a", negative } }, GN_ESHAPE, "\"a\" has no valid shape");
}

static void a_header_that_would_be_too_long_is_not_written(void **state)
{
    (void)state;
    enum { LONG = 100000000 };
    float v[2] = { 0 };
    char *const name = malloc(LONG + 1);
    memset(name, 'a', LONG);
    name[LONG] = '\0';
    refuses_to_write(1, (gn_named_array[]){ { name, GN_VIEW(v, 2) } }, GN_EINVAL,
                     "too many or too long names for a safetensors file");
    free(name);
}

static int allowed; /* allocations of jansson before one fails; negative: all */

static void *scarce(size_t size)
{
    return allowed && allowed-- ? malloc(size) : NULL;
}

static void memory_that_runs_out_while_writing_is_told(void **state)
{
    (void)state;
    float v[2] = { 0 };
    const gn_named_array in[] = { { "a", GN_VIEW(v, 2) }, { "b", GN_VIEW(v, 2) } };
    const int before = temp_entries();
    json_set_alloc_funcs(scarce, free);
    gn_status s = GN_ENOMEM;
    for (int n = 0; s && n < 1000; n++) {
        allowed = n;
        s = gn_safetensors_write(temp_path("scarce.safetensors"), 2, in);
        if (!s) break;
        if (s != GN_ENOMEM) fail_msg("%d allocations: %s", n, gn_message());
        assert_message_contains("out of memory while writing");
        assert_int_equal(temp_entries(), before);
    }
    allowed = -1;
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(s, GN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(metadata_padding_and_any_order_are_read),
        cmocka_unit_test(arrays_come_back),
        cmocka_unit_test(the_same_arrays_give_the_same_bytes),
        cmocka_unit_test(files_that_lie_are_refused),
        cmocka_unit_test(a_header_beyond_the_limit_is_refused_before_it_is_read),
        cmocka_unit_test(a_bool_of_two_is_refused),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(every_altered_byte_is_read_or_refused),
        cmocka_unit_test(what_cannot_be_saved_is_refused),
        cmocka_unit_test(a_header_that_would_be_too_long_is_not_written),
        cmocka_unit_test(memory_that_runs_out_while_writing_is_told),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
