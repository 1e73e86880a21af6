/* Tables of numbers: values, forgiven spellings, and complaints with line and column. */
#include <errno.h>
#include <gnomon/data.h>
#include <locale.h>
#include <math.h>
#include "tempdir.h"

static gn_status read_text(gn_dataset *d, const char *text, int header, int target)
{
    return gn_csv_read(d, temp_write("t.csv", text, strlen(text)), header, target);
}

static void columns_and_target_are_told_apart(void **state)
{
    (void)state;
    static const int targets[] = { 2, -1, 0, 1 };
    for (int i = 0; i < 4; i++) {
        gn_dataset d;
        assert_int_equal(read_text(&d, "a,b,c\n1,2,3\n4,5,6\n", 1, targets[i]), GN_OK);
        assert_true(d.n == 2 && d.x.rank == 2 && d.x.shape[1] == 2 && d.x.dtype == GN_F32 && d.y.dtype == GN_I32);
        const float *x = d.x.data;
        const int32_t *y = d.y.data;
        const int target = (targets[i] + 3) % 3;
        for (int r = 0; r < 2; r++) {
            assert_int_equal(y[r], 3 * r + target + 1);
            for (int c = 0, k = 0; c < 3; c++) {
                if (c != target) assert_true(x[2 * r + k++] == (float)(3 * r + c + 1));
            }
        }
        gn_dataset_free(&d);
    }
}

static void common_spellings_are_forgiven(void **state)
{
    (void)state;
    gn_dataset d;
    assert_int_equal(read_text(&d, "\xef\xbb\xbf 1.5e-3 ,\t-2 \r\n\r\n+.25,7\r\n\n0x10,-8", 0, -1), GN_OK);
    const float *x = d.x.data;
    const int32_t *y = d.y.data;
    assert_int_equal(d.n, 3);
    assert_true(x[0] == 1.5e-3f && x[1] == 0.25f && x[2] == 16);
    assert_true(y[0] == -2 && y[1] == 7 && y[2] == -8);
    gn_dataset_free(&d);
}

static void a_table_of_targets_alone_has_no_columns(void **state)
{
    (void)state;
    gn_dataset d;
    assert_int_equal(read_text(&d, "3\n4\n", 0, 0), GN_OK);
    assert_true(d.n == 2 && d.x.shape[0] == 2 && d.x.shape[1] == 0);
    assert_int_equal(gn_dataset_shuffle(&d, 1), GN_OK);
    gn_dataset_free(&d);
}

static void the_point_does_not_depend_on_the_locale(void **state)
{
    (void)state;
    gn_dataset d;
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) print_message("no locale with a comma here; the test shows little\n");
    assert_int_equal(read_text(&d, "1.5,2\n", 0, -1), GN_OK);
    assert_true(*(float *)d.x.data == 1.5f);
    gn_dataset_free(&d);
    setlocale(LC_ALL, "C");
}

static void refuses(const char *text, int header, int target, gn_status status, const char *message)
{
    gn_dataset d;
    assert_int_equal(read_text(&d, text, header, target), status);
    assert_message_contains(message);
    assert_true(d.n == 0 && !d.x.data && !d.y.data);
}

static void complaints_have_line_and_column(void **state)
{
    (void)state;
    refuses("1,2\n3,x\n", 0, 0, GN_ESYNTAX, "t.csv:2:3: 'x' is no number");
    refuses("a,b\n1,2\n\n3, 4y,\n", 1, 0, GN_ESYNTAX, "t.csv:4:1: a row of 3 fields; the first has 2");
    refuses("1,2\n3, 4y\n", 0, 0, GN_ESYNTAX, "t.csv:2:4: '4y' is no number");
    refuses("1,2\n3\n", 0, 0, GN_ESYNTAX, "t.csv:2:1: a row of 1 fields; the first has 2");
    refuses("1,,2\n", 0, 0, GN_ESYNTAX, "t.csv:1:3: an empty field");
    refuses("1,nan\n", 0, 0, GN_ESYNTAX, "t.csv:1:3: a number that is not finite in f32");
    refuses("1,1e39\n", 0, 0, GN_ESYNTAX, "t.csv:1:3: a number that is not finite in f32");
    refuses("1,2.5\n", 0, 1, GN_ESYNTAX, "t.csv:1:3: the target 2.5 is no integer");
    refuses("1,3000000000\n", 0, 1, GN_ESYNTAX, "t.csv:1:3: the target 3e+09 is no integer");
    refuses("1;2\n3;4\n", 0, 0, GN_ESYNTAX, "t.csv:1:1: '1;2' is no number");
    refuses("", 0, 0, GN_ESYNTAX, "t.csv:1:1: no row of numbers behind 0 header lines");
    refuses("a,b\n", 1, 0, GN_ESYNTAX, "t.csv:2:1: no row of numbers behind 1 header lines");
    refuses("1,2\n", 0, 2, GN_EINVAL, "target column 2 of a table with 2 columns");
    refuses("1,2\n", 0, -3, GN_EINVAL, "target column -3 of a table with 2 columns");
    refuses("1,2\n", -1, 0, GN_EINVAL, "header is negative");
}

static void a_zero_byte_is_no_number(void **state)
{
    (void)state;
    gn_dataset d;
    assert_int_equal(gn_csv_read(&d, temp_write("t.csv", "1,2\0003\n", 6), 0, 0), GN_ESYNTAX);
    assert_message_contains("t.csv:1:3");
}

static void absent_files_are_named(void **state)
{
    (void)state;
    gn_dataset d;
    assert_int_equal(gn_csv_read(&d, temp_path("absent.csv"), 0, 0), GN_EIO);
    assert_message_contains("absent.csv: ");
    assert_message_contains(strerror(ENOENT)); /* in the language of the program */
    assert_int_equal(gn_csv_read(&d, NULL, 0, 0), GN_EINVAL);
    assert_message_contains("path is NULL");
    assert_int_equal(gn_csv_read(&d, temp_dir, 0, 0), GN_EIO);
    assert_message_contains("it is a directory");
}

/* Half a table is a table, so only memory is checked here. */
static void every_truncation_is_read_or_refused(void **state)
{
    (void)state;
    static const char text[] = "h,h\n1.25,2\n-3e2,4\r\n5,6";
    int refused = 0;
    for (size_t k = 0; k < sizeof text; k++) {
        gn_dataset d;
        if (gn_csv_read(&d, temp_write("t.csv", text, k), 1, -1)) refused++;
        gn_dataset_free(&d);
    }
    assert_true(refused > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_and_target_are_told_apart),
        cmocka_unit_test(common_spellings_are_forgiven),
        cmocka_unit_test(a_table_of_targets_alone_has_no_columns),
        cmocka_unit_test(the_point_does_not_depend_on_the_locale),
        cmocka_unit_test(complaints_have_line_and_column),
        cmocka_unit_test(a_zero_byte_is_no_number),
        cmocka_unit_test(absent_files_are_named),
        cmocka_unit_test(every_truncation_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
