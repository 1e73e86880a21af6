/* NumPy's .npy: a magic, a version, the length of a header, a Python dict literal, the elements.
 * Source: NEP 1, "A Simple File Format for NumPy Arrays", and numpy.lib.format (versions 2.0 and 3.0: a longer header,
 * UTF-8). */
#include <gnomon/data.h>
#include <stdio.h>
#include <string.h>
#include "blocks.h"
#include "checked.h"
#include "dtype.h"
#include "error.h"
#include "file.h"

enum { HEADER_LIMIT = 1 << 16 }; /* NumPy's own default limit is 10,000 bytes */

/* Position in the header, for the dict literal's few forms. */
typedef struct cursor {
    const char *path, *start, *at;
} cursor;

static gn_status bad(const cursor *c, const char *what)
{
    return gn_error(GN_EFORMAT, "%s: bad npy header at character %d: %s", c->path, (int)(c->at - c->start) + 1, what);
}

static void skip_space(cursor *c)
{
    while (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r') c->at++;
}

static bool take(cursor *c, char wanted)
{
    skip_space(c);
    if (*c->at != wanted) return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    skip_space(c);
    if (strncmp(c->at, word, strlen(word))) return false;
    c->at += strlen(word);
    return true;
}

static bool take_string(cursor *c, char *out, size_t size)
{
    skip_space(c);
    const char quote = *c->at;
    if (quote != '\'' && quote != '"') return false;
    const char *end = strchr(c->at + 1, quote);
    if (!end || (size_t)(end - c->at - 1) >= size) return false;
    memcpy(out, c->at + 1, (size_t)(end - c->at - 1));
    out[end - c->at - 1] = 0;
    c->at = end + 1;
    return true;
}

static bool take_extent(cursor *c, int64_t *out)
{
    skip_space(c);
    if (*c->at < '0' || *c->at > '9') return false;
    for (*out = 0; *c->at >= '0' && *c->at <= '9'; c->at++) {
        if (gn_mul_overflows(*out, 10, out) || gn_add_overflows(*out, *c->at - '0', out)) return false;
    }
    if (*c->at == 'L') c->at++; /* a long of Python 2 */
    return true;
}

static gn_status read_shape(cursor *c, gn_array *a)
{
    if (!take(c, '(')) return bad(c, "a shape in parentheses was expected");
    bool comma = true;
    for (a->rank = 0; !take(c, ')'); a->rank++) {
        if (!comma) return bad(c, "a comma was expected");
        if (a->rank == GN_MAX_RANK) return bad(c, "more than 8 axes");
        if (!take_extent(c, &a->shape[a->rank])) return bad(c, "an extent was expected");
        comma = take(c, ',');
    }
    if (a->rank == 1 && !comma) return bad(c, "a tuple of one extent needs a comma");
    return GN_OK;
}

static gn_status read_descr(cursor *c, gn_dtype *out)
{
    static const struct {
        char code[3];
        gn_dtype dtype;
    } codes[] = { { "b1", GN_BOOL }, { "i1", GN_I8 },  { "i2", GN_I16 }, { "i4", GN_I32 },
                  { "i8", GN_I64 },  { "u1", GN_U8 },  { "u2", GN_U16 }, { "u4", GN_U32 },
                  { "u8", GN_U64 },  { "f2", GN_F16 }, { "f4", GN_F32 }, { "f8", GN_F64 } };
    char text[32];
    if (!take_string(c, text, sizeof text)) return gn_error(GN_EDTYPE, "%s: an array of records cannot be read", c->path);
    if (strchr(text, 'O'))
        return gn_error(GN_EDTYPE, "%s: an array of Python objects (dtype '%s') cannot be read", c->path, text);
    const bool one_byte = text[0] && text[1] && text[2] == '1' && !text[3];
    if (text[0] == '>' && !one_byte)
        return gn_error(GN_EDTYPE, "%s: big-endian elements (dtype '%s') cannot be read", c->path, text);
    for (size_t i = 0; strchr("<|>=", text[0]) && i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(text + 1, codes[i].code) || (text[0] == '|' && !one_byte)) continue;
        *out = codes[i].dtype;
        return GN_OK;
    }
    return gn_error(GN_EDTYPE, "%s: elements of dtype '%s' cannot be read", c->path, text);
}

static gn_status read_order(cursor *c)
{
    if (take_word(c, "False")) return GN_OK;
    if (!take_word(c, "True")) return bad(c, "True or False was expected");
    return gn_error(GN_EFORMAT, "%s: Fortran order cannot be read; write it with numpy.ascontiguousarray", c->path);
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } with the keys in any order, each once. */
static gn_status read_dict(cursor *c, gn_array *a)
{
    static const char *const names[] = { "descr", "fortran_order", "shape" };
    unsigned seen = 0;
    bool comma = true;
    if (!take(c, '{')) return bad(c, "a dict was expected");
    while (!take(c, '}')) {
        char key[32];
        unsigned which = 0;
        if (!comma) return bad(c, "a comma was expected");
        if (!take_string(c, key, sizeof key)) return bad(c, "a key was expected");
        while (which < 3 && strcmp(key, names[which])) which++;
        if (which == 3) return bad(c, "an unknown key");
        if (seen >> which & 1) return bad(c, "a key twice");
        seen |= 1u << which;
        if (!take(c, ':')) return bad(c, "a colon was expected");
        const gn_status s = which == 0 ? read_descr(c, &a->dtype) : which == 1 ? read_order(c) : read_shape(c, a);
        if (s) return s;
        comma = take(c, ',');
    }
    skip_space(c);
    if (*c->at) return bad(c, "text behind the dict");
    return seen == 7 ? GN_OK : bad(c, "descr, fortran_order and shape are needed");
}

static gn_status read_header(gn_reader *r, gn_array *a)
{
    uint8_t start[8], size[4] = { 0 };
    gn_status s = gn_reader_get(r, start, 8, "the magic");
    if (s) return s;
    if (memcmp(start, "\x93NUMPY", 6)) return gn_error(GN_EFORMAT, "%s: not an npy file", r->path);
    if (start[6] < 1 || start[6] > 3 || start[7]) {
        return gn_error(GN_EFORMAT, "%s: npy version %d.%d; 1.0, 2.0 and 3.0 can be read", r->path, start[6], start[7]);
    }
    if ((s = gn_reader_get(r, size, start[6] == 1 ? 2 : 4, "the header's length"))) return s;
    const size_t length = (size_t)size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
    if (length > HEADER_LIMIT)
        return gn_error(GN_EFORMAT, "%s: npy header of %zu bytes; at most %d are read", r->path, length, HEADER_LIMIT);
    char *text = gn_alloc(&gn_allocator_libc, length + 1);
    if (!text) return GN_ENOMEM;
    if (!(s = gn_reader_get(r, text, length, "the header"))) {
        text[length] = 0;
        cursor c = { r->path, text, text };
        s = strlen(text) < length ? gn_error(GN_EFORMAT, "%s: bad npy header: a zero byte in it", r->path)
                                  : read_dict(&c, a);
    }
    gn_release(&gn_allocator_libc, text, length + 1);
    return s;
}

static gn_status read_elements(gn_reader *r, gn_array *out, const gn_array *what)
{
    const gn_array a = gn_array_of(NULL, what->dtype, what->rank, what->shape);
    const int64_t n = gn_array_count(&a);
    int64_t bytes = 0;
    if (n < 0 || gn_mul_overflows(n, (int64_t)gn_dtype_size(a.dtype), &bytes))
        return gn_error(GN_EFORMAT, "%s: its size overflows", r->path);
    if ((uint64_t)bytes != r->size - r->at) {
        return gn_error(GN_EFORMAT, "%s: %s: its shape needs %lld bytes and %llu are there", r->path,
                        (uint64_t)bytes > r->size - r->at ? "truncated" : "bytes behind the array", (long long)bytes,
                        (unsigned long long)(r->size - r->at));
    }
    gn_status s = gn_array_new(out, a.dtype, a.rank, a.shape);
    if (!s) s = gn_reader_get(r, out->data, (size_t)bytes, "the elements");
    if (!s && !gn_bools_are_valid(out)) s = gn_error(GN_EFORMAT, "%s: a bool that is neither 0 nor 1", r->path);
    return s;
}

gn_status gn_npy_read(gn_array *out, const char *path)
{
    if (out) *out = (gn_array){ 0 };
    if (!out || !path) return gn_error(GN_EINVAL, "gn_npy_read: %s is NULL", out ? "path" : "out");
    gn_reader r;
    gn_array what = { 0 };
    gn_status s = gn_reader_open(&r, path);
    if (!s) s = read_header(&r, &what);
    if (!s) s = read_elements(&r, out, &what);
    gn_reader_close(&r);
    if (s) gn_array_free(out);
    return s;
}

/* Magic, version 1.0 and the dict, padded with spaces so that the elements begin at a multiple of 64. */
static size_t make_header(char *to, size_t size, const gn_array *a)
{
    static const char *const codes[GN_NDTYPES] = {"|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2",
                                                  "<u4", "<u8", "<f2", NULL,  "<f4", "<f8"};
    int n = snprintf(to + 10, size - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (", codes[a->dtype]);
    for (int d = 0; d < a->rank; d++) {
        n += snprintf(to + 10 + n, size - 10 - (size_t)n, "%lld%s", (long long)a->shape[d],
                      a->rank == 1      ? ","
                      : d + 1 < a->rank ? ", "
                                        : "");
    }
    n += snprintf(to + 10 + n, size - 10 - (size_t)n, "), }");
    const size_t total = (10 + (size_t)n + 1 + 63) / 64 * 64;
    memset(to + 10 + n, ' ', total - 10 - (size_t)n - 1);
    to[total - 1] = '\n';
    memcpy(to, "\x93NUMPY\x01\x00", 8);
    to[8] = (char)((total - 10) & 0xff), to[9] = (char)((total - 10) >> 8);
    return total;
}

gn_status gn_npy_write(const char *path, gn_array a)
{
    if (!path) return gn_error(GN_EINVAL, "gn_npy_write: path is NULL");
    if (!gn_dtype_name(a.dtype) || a.dtype == GN_BF16) {
        return gn_error(GN_EDTYPE, "gn_npy_write: %s has no npy form",
                        gn_dtype_name(a.dtype) ? gn_dtype_name(a.dtype) : "an unknown dtype");
    }
    if (a.rank < 0 || a.rank > GN_MAX_RANK || gn_array_count(&a) < 0)
        return gn_error(GN_ESHAPE, "gn_npy_write: not a valid shape");
    if (!a.data && gn_array_count(&a)) return gn_error(GN_EINVAL, "gn_npy_write: the array's data is NULL");
    gn_array packed = { 0 };
    bool owned = false;
    gn_status s = gn_array_packed(&packed, &owned, &a);
    if (s) return s;
    char header[1024];
    gn_writer w;
    if (!(s = gn_writer_open(&w, path))) {
        s = gn_writer_put(&w, header, make_header(header, sizeof header, &a));
        if (!s) s = gn_writer_put(&w, packed.data, gn_array_bytes(&packed));
        s = gn_writer_close(&w, s);
    }
    if (owned) gn_array_free(&packed);
    return s;
}
