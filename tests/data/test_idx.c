/* IDX: plain and compressed, and every way in which a file may be wrong. */
#include <errno.h>
#include <gnomon/data.h>
#include <zlib.h>
#include "tempdir.h"

static const char images[] = "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03\x00\x33\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09";
static const char labels[] = "\0\0\x08\x01\0\0\0\x02\x07\x09";
enum { NIMAGES = sizeof images - 1, NLABELS = sizeof labels - 1 };

static void write_compressed(const char *name, const void *data, unsigned size)
{
    gzFile f = gzopen(temp_path(name), "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, size), size);
    assert_int_equal(gzclose(f), Z_OK);
}

static void check_sample(const gn_dataset *d)
{
    assert_int_equal(d->n, 2);
    assert_true(d->x.dtype == GN_F32 && d->x.rank == 2 && d->x.shape[0] == 2 && d->x.shape[1] == 6);
    assert_true(d->y.dtype == GN_I32 && d->y.rank == 1 && d->y.shape[0] == 2);
    const float *x = d->x.data;
    const int32_t *y = d->y.data;
    assert_true(x[0] == 0 && x[1] == 0.2f && x[2] == 1 && x[11] == 9 / 255.0f);
    assert_true(y[0] == 7 && y[1] == 9);
}

static void plain_files_are_read(void **state)
{
    (void)state;
    gn_dataset d;
    temp_write("p-images-idx3-ubyte", images, NIMAGES);
    temp_write("p-labels-idx1-ubyte", labels, NLABELS);
    assert_int_equal(gn_idx_read(&d, temp_dir, "p"), GN_OK);
    check_sample(&d);
    gn_dataset_free(&d);
    assert_null(d.x.data);
}

static void compressed_files_are_read(void **state)
{
    (void)state;
    gn_dataset d;
    write_compressed("z-images-idx3-ubyte.gz", images, NIMAGES);
    write_compressed("z-labels-idx1-ubyte.gz", labels, NLABELS);
    assert_int_equal(gn_idx_read(&d, temp_dir, "z"), GN_OK);
    check_sample(&d);
    gn_dataset_free(&d);
}

static void no_images_are_a_data_set_too(void **state)
{
    (void)state;
    gn_dataset d;
    temp_write("e-images-idx3-ubyte", "\0\0\x08\x03\0\0\0\0\0\0\0\x02\0\0\0\x03", 16);
    temp_write("e-labels-idx1-ubyte", "\0\0\x08\x01\0\0\0\0", 8);
    assert_int_equal(gn_idx_read(&d, temp_dir, "e"), GN_OK);
    assert_int_equal(d.n, 0);
    assert_int_equal(d.x.shape[1], 6);
    gn_dataset_free(&d);
}

static void refuses(const void *x, size_t nx, const void *y, size_t ny, gn_status status, const char *message)
{
    gn_dataset d;
    temp_write("b-images-idx3-ubyte", x, nx);
    temp_write("b-labels-idx1-ubyte", y, ny);
    assert_int_equal(gn_idx_read(&d, temp_dir, "b"), status);
    assert_message_contains(message);
    assert_true(d.n == 0 && !d.x.data && !d.y.data);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    refuses(labels, NLABELS, labels, NLABELS, GN_EFORMAT, "b-images-idx3-ubyte: truncated in its header: 10 bytes");
    refuses("\0\0\x0d\x03\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\0", 20, labels, NLABELS, GN_EFORMAT,
            "magic number 0x00000d03; 0x00000803 (u8, 3 axes) was expected");
    refuses(images, NIMAGES, "\0\0\x08\x01\0\0\0\x01\x07", 9, GN_EFORMAT, "2 images and 1 labels");
    refuses(images, NIMAGES, "\0\0\x08\x01\0\0\0\x02\x07\x01\x02", 11, GN_EFORMAT,
            "bytes behind the elements: its header promises 2 elements and 3 are there");
    refuses("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 20, labels, NLABELS, GN_EFORMAT,
            "its size overflows");
    refuses("\0\0\x08\x03\xff\xff\xff\xff\0\0\0\x1c\0\0\0\x1c\0\0\0\0", 20, labels, NLABELS, GN_EFORMAT,
            "truncated: its header promises");
}

static void absent_files_are_named(void **state)
{
    (void)state;
    gn_dataset d;
    assert_int_equal(gn_idx_read(&d, temp_dir, "absent"), GN_EIO);
    assert_message_contains("absent-images-idx3-ubyte or ");
    assert_message_contains("absent-images-idx3-ubyte.gz: ");
    assert_message_contains(strerror(ENOENT)); /* in the language of the program */
    assert_int_equal(gn_idx_read(&d, NULL, "absent"), GN_EINVAL);
    assert_message_contains("dir is NULL");
    char far[5000];
    memset(far, 'd', sizeof far - 1);
    far[sizeof far - 1] = '\0';
    assert_int_equal(gn_idx_read(&d, far, "a"), GN_EIO);
    assert_message_contains("cannot open a path of 50");
    assert_int_equal(gn_idx_read(&d, temp_dir, NULL), GN_EINVAL);
    assert_message_contains("gn_idx_read: prefix is NULL");
}

static void every_truncation_is_an_error(void **state)
{
    (void)state;
    for (size_t k = 0; k < NIMAGES; k++) refuses(images, k, labels, NLABELS, GN_EFORMAT, "truncated");
    for (size_t k = 0; k < NLABELS; k++) refuses(images, NIMAGES, labels, k, GN_EFORMAT, "truncated");
}

/* Every truncation and every altered byte of a gzip file: its checksum sees it. Bytes 4 to 9 of the header say when
 * and where it was packed. */
static void broken_compression_is_an_error(void **state)
{
    (void)state;
    gn_dataset d;
    size_t n;
    write_compressed("g-images-idx3-ubyte.gz", images, NIMAGES);
    temp_write("g-labels-idx1-ubyte", labels, NLABELS);
    char *whole = temp_read(temp_path("g-images-idx3-ubyte.gz"), &n);
    for (size_t k = 0; k < n; k++) {
        temp_write("g-images-idx3-ubyte.gz", whole, k);
        assert_int_equal(gn_idx_read(&d, temp_dir, "g"), GN_EFORMAT);
        assert_null(d.x.data);
    }
    for (size_t k = 0; k < n; k++) {
        whole[k] ^= 0x10;
        temp_write("g-images-idx3-ubyte.gz", whole, n);
        const gn_status s = gn_idx_read(&d, temp_dir, "g");
        if (s == GN_OK) assert_true(k >= 3 && k <= 9);
        gn_dataset_free(&d);
        whole[k] ^= 0x10;
    }
    free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_files_are_read),
        cmocka_unit_test(compressed_files_are_read),
        cmocka_unit_test(no_images_are_a_data_set_too),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(absent_files_are_named),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(broken_compression_is_an_error),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
