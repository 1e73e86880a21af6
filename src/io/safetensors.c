/* safetensors, read and written. */
#include "safetensors.h"
#include <jansson.h>
#include <string.h>
#include "blocks.h"
#include "checked.h"
#include "error.h"

enum { HEADER_LIMIT = 100000000 }; /* the format's own */

static const char *const dtype_names[GN_NDTYPES] = {"BOOL", "I8",  "I16", "I32",  "I64", "U8", "U16",
                                                    "U32",  "U64", "F16", "BF16", "F32", "F64"};

static gn_status read_dtype(const char *path, const char *name, const json_t *value, gn_dtype *out)
{
    if (!json_is_string(value)) return gn_error(GN_EFORMAT, "%s: \"%s\" has no dtype", path, name);
    for (int t = 0; t < GN_NDTYPES; t++) {
        if (strcmp(json_string_value(value), dtype_names[t])) continue;
        *out = (gn_dtype)t;
        return GN_OK;
    }
    return gn_error(GN_EFORMAT, "%s: \"%s\" has the unknown dtype \"%.20s\"", path, name, json_string_value(value));
}

static gn_status read_shape(const char *path, const char *name, const json_t *value, gn_array *a)
{
    if (!json_is_array(value)) return gn_error(GN_EFORMAT, "%s: \"%s\" has no shape", path, name);
    if (json_array_size(value) > GN_MAX_RANK) {
        return gn_error(GN_EFORMAT, "%s: \"%s\" has %zu axes; at most %d are possible", path, name, json_array_size(value),
                        GN_MAX_RANK);
    }
    int64_t shape[GN_MAX_RANK];
    const int rank = (int)json_array_size(value);
    for (int d = 0; d < rank; d++) {
        const json_t *extent = json_array_get(value, (size_t)d);
        if (!json_is_integer(extent) || json_integer_value(extent) < 0) {
            return gn_error(GN_EFORMAT, "%s: \"%s\" has an extent that is no size", path, name);
        }
        shape[d] = json_integer_value(extent);
    }
    *a = gn_array_of(NULL, a->dtype, rank, shape);
    return GN_OK;
}

/* shape x dtype must be exactly the range. */
static gn_status read_range(const char *path, const char *name, const json_t *value, const gn_array *a, uint64_t data_bytes,
                            uint64_t *begin)
{
    const json_t *from = json_array_get(value, 0), *to = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(from) || !json_is_integer(to)) {
        return gn_error(GN_EFORMAT, "%s: \"%s\" has no data_offsets", path, name);
    }
    const int64_t b = json_integer_value(from), e = json_integer_value(to), count = gn_array_count(a);
    int64_t bytes = 0;
    if (b < 0 || e < b || (uint64_t)e > data_bytes) {
        return gn_error(GN_EFORMAT, "%s: \"%s\" claims bytes %lld to %lld of %llu", path, name, (long long)b, (long long)e,
                        (unsigned long long)data_bytes);
    }
    if (count < 0 || gn_mul_overflows(count, (int64_t)gn_dtype_size(a->dtype), &bytes)) {
        return gn_error(GN_EFORMAT, "%s: the size of \"%s\" overflows", path, name);
    }
    if (bytes != e - b) {
        return gn_error(GN_EFORMAT, "%s: \"%s\" needs %lld bytes for its shape and claims %lld", path, name,
                        (long long)bytes, (long long)(e - b));
    }
    *begin = (uint64_t)b;
    return GN_OK;
}

static gn_status read_metadata(const char *path, json_t *value)
{
    const char *key;
    json_t *text;
    if (!json_is_object(value)) return gn_error(GN_EFORMAT, "%s: __metadata__ is no object", path);
    json_object_foreach(value, key, text) {
        if (!json_is_string(text)) return gn_error(GN_EFORMAT, "%s: __metadata__ holds something that is no string", path);
    }
    return GN_OK;
}

static gn_status read_entry(gn_safetensors *st, const char *name, json_t *value, uint64_t data_bytes)
{
    const char *path = st->reader.path, *key;
    gn_named_array *a = &st->at[st->n];
    json_t *field;
    if (!json_is_object(value)) return gn_error(GN_EFORMAT, "%s: \"%s\" is no object", path, name);
    json_object_foreach(value, key, field) {
        if (strcmp(key, "dtype") && strcmp(key, "shape") && strcmp(key, "data_offsets")) {
            return gn_error(GN_EFORMAT, "%s: \"%s\" has the unknown field \"%.40s\"", path, name, key);
        }
    }
    gn_status s = read_dtype(path, name, json_object_get(value, "dtype"), &a->value.dtype);
    if (!s) s = read_shape(path, name, json_object_get(value, "shape"), &a->value);
    if (!s) s = read_range(path, name, json_object_get(value, "data_offsets"), &a->value, data_bytes, &st->offset[st->n]);
    a->name = name;
    if (!s) st->n++;
    return s;
}

/* By offset; of two at one place the empty one first. */
static bool comes_before(const gn_safetensors *st, size_t i, size_t j)
{
    if (st->offset[i] != st->offset[j]) return st->offset[i] < st->offset[j];
    return gn_array_bytes(&st->at[i].value) < gn_array_bytes(&st->at[j].value);
}

static void swap_entries(gn_safetensors *st, size_t i, size_t j)
{
    const gn_named_array a = st->at[i];
    const uint64_t offset = st->offset[i];
    st->at[i] = st->at[j], st->offset[i] = st->offset[j];
    st->at[j] = a, st->offset[j] = offset;
}

static void sift_down(gn_safetensors *st, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && comes_before(st, child, child + 1)) child++;
        if (!comes_before(st, root, child)) return;
        swap_entries(st, root, child);
    }
}

/* Heap sort: no allocation, and no quadratic time for a hostile order. */
static void sort_by_offset(gn_safetensors *st)
{
    for (size_t i = st->n / 2; i-- > 0;) sift_down(st, i, st->n);
    for (size_t n = st->n; n-- > 1;) {
        swap_entries(st, 0, n);
        sift_down(st, 0, n);
    }
}

static gn_status check_coverage(gn_safetensors *st, uint64_t data_bytes)
{
    uint64_t end = 0;
    sort_by_offset(st);
    for (size_t i = 0; i < st->n; i++) {
        if (st->offset[i] != end) {
            return gn_error(GN_EFORMAT, "%s: %s before \"%s\"", st->reader.path,
                            st->offset[i] < end ? "overlapping bytes" : "a hole", st->at[i].name);
        }
        end += gn_array_bytes(&st->at[i].value);
    }
    if (end == data_bytes) return GN_OK;
    return gn_error(GN_EFORMAT, "%s: %llu bytes belong to no array", st->reader.path,
                    (unsigned long long)(data_bytes - end));
}

static gn_status read_entries(gn_safetensors *st, uint64_t start)
{
    const size_t room = json_object_size(st->header);
    const uint64_t data_bytes = st->reader.size - start;
    const char *name;
    json_t *value;
    if (!(st->at = gn_alloc_zeroed(&gn_allocator_libc, (room + 1) * sizeof *st->at))) return GN_ENOMEM;
    if (!(st->offset = gn_alloc_zeroed(&gn_allocator_libc, (room + 1) * sizeof *st->offset))) return GN_ENOMEM;
    json_object_foreach(st->header, name, value) {
        const gn_status s =
            strcmp(name, "__metadata__") ? read_entry(st, name, value, data_bytes) : read_metadata(st->reader.path, value);
        if (s) return s;
    }
    const gn_status s = check_coverage(st, data_bytes);
    for (size_t i = 0; i < st->n; i++) st->offset[i] += start;
    return s;
}

static gn_status read_header(gn_safetensors *st)
{
    uint8_t size[8];
    uint64_t length = 0;
    gn_reader *r = &st->reader;
    gn_status s = gn_reader_get(r, size, 8, "the header's length");
    if (s) return s;
    for (int i = 7; i >= 0; i--) length = length << 8 | size[i];
    if (length > HEADER_LIMIT) {
        return gn_error(GN_EFORMAT, "%s: safetensors header of %llu bytes; at most %d are read", r->path,
                        (unsigned long long)length, HEADER_LIMIT);
    }
    if (length > r->size - 8) return gn_error(GN_EFORMAT, "%s: truncated in the header", r->path);
    char *text = gn_alloc(&gn_allocator_libc, length + 1);
    if (!text) return GN_ENOMEM;
    if (!(s = gn_reader_get(r, text, length, "the header"))) {
        json_error_t error;
        if (length == 0 || text[0] != '{')
            s = gn_error(GN_EFORMAT, "%s: not a safetensors file: its header does not begin with {", r->path);
        else if (!(st->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error))) {
            s = gn_error(GN_EFORMAT, "%s: bad JSON in the header, line %d column %d: %s", r->path, error.line, error.column,
                         error.text);
        }
    }
    gn_release(&gn_allocator_libc, text, length + 1);
    return s ? s : read_entries(st, 8 + length);
}

gn_status gn_safetensors_open(gn_safetensors *st, const char *path)
{
    *st = (gn_safetensors){ 0 };
    gn_status s = gn_reader_open(&st->reader, path);
    if (!s) s = read_header(st);
    if (s) gn_safetensors_close(st);
    return s;
}

gn_status gn_safetensors_get(gn_safetensors *st, size_t i, void *to)
{
    gn_array a = st->at[i].value;
    gn_status s = gn_reader_seek(&st->reader, st->offset[i]);
    if (!s) s = gn_reader_get(&st->reader, to, gn_array_bytes(&a), a.dtype == GN_BOOL ? "an array of bools" : "an array");
    a.data = to;
    if (!s && !gn_bools_are_valid(&a))
        s = gn_error(GN_EFORMAT, "%s: \"%s\" holds a bool that is neither 0 nor 1", st->reader.path, st->at[i].name);
    return s;
}

void gn_safetensors_close(gn_safetensors *st)
{
    const size_t room = st->header ? json_object_size(st->header) + 1 : 0;
    gn_reader_close(&st->reader);
    gn_release(&gn_allocator_libc, st->at, room * sizeof *st->at);
    gn_release(&gn_allocator_libc, st->offset, room * sizeof *st->offset);
    json_decref(st->header);
    *st = (gn_safetensors){ .reader.fd = -1 };
}

static gn_status add_entry(json_t *header, const gn_named_array *a, uint64_t begin, uint64_t end)
{
    json_t *shape = json_array();
    bool good = shape;
    for (int d = 0; good && d < a->value.rank; d++) good = !json_array_append_new(shape, json_integer(a->value.shape[d]));
    json_t *entry = good ? json_pack("{s:s, s:O, s:[I, I]}", "dtype", dtype_names[a->value.dtype], "shape", shape,
                                     "data_offsets", (json_int_t)begin, (json_int_t)end)
                         : NULL;
    json_decref(shape);
    good = entry && !json_object_set_new(header, a->name, entry);
    return good ? GN_OK : gn_error(GN_ENOMEM, "out of memory while writing \"%s\"", a->name);
}

/* Sequences of the shortest form, no surrogates (The Unicode Standard, table 3-7): what JSON may hold. */
static bool is_utf8(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        const unsigned lead = *c++;
        const int more = lead < 0x80 ? 0 : lead < 0xc2 || lead > 0xf4 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (more < 0 || (more > 0 && (*c < low || *c > high))) return false;
        for (int i = 0; i < more; i++)
            if ((*c++ & 0xc0) != 0x80) return false;
    }
    return true;
}

static gn_status check_array(const gn_named_array *a)
{
    if (!a->name || !*a->name || !strcmp(a->name, "__metadata__")) {
        return gn_error(GN_EINVAL, "an array cannot be saved under the name \"%s\"", a->name ? a->name : "");
    }
    if (!is_utf8(a->name)) return gn_error(GN_EINVAL, "the name \"%s\" is not valid UTF-8", a->name);
    if (!gn_dtype_name(a->value.dtype)) return gn_error(GN_EDTYPE, "\"%s\" has an unknown dtype", a->name);
    const int64_t count = a->value.rank < 0 || a->value.rank > GN_MAX_RANK ? -1 : gn_array_count(&a->value);
    int64_t bytes;
    if (count < 0 || gn_mul_overflows(count, 8, &bytes)) return gn_error(GN_ESHAPE, "\"%s\" has no valid shape", a->name);
    if (count && !a->value.data) return gn_error(GN_EINVAL, "the data of \"%s\" is NULL", a->name);
    return GN_OK;
}

/* Visits the arrays by element size, the widest first: `visit` for each, until one fails. */
typedef gn_status (*visitor)(void *user, const gn_named_array *);
static gn_status each_by_width(size_t n, const gn_named_array *arrays, visitor visit, void *user)
{
    for (size_t width = 8; width; width /= 2) {
        for (size_t i = 0; i < n; i++) {
            if (gn_dtype_size(arrays[i].value.dtype) != width) continue;
            const gn_status s = visit(user, &arrays[i]);
            if (s) return s;
        }
    }
    return GN_OK;
}

typedef struct header_state {
    json_t *header;
    uint64_t end;
} header_state;

static gn_status describe(void *user, const gn_named_array *a)
{
    header_state *h = user;
    if (json_object_get(h->header, a->name)) return gn_error(GN_EINVAL, "two arrays have the name \"%s\"", a->name);
    const uint64_t begin = h->end;
    h->end += gn_array_bytes(&a->value);
    return add_entry(h->header, a, begin, h->end);
}

static gn_status put_elements(void *user, const gn_named_array *a)
{
    gn_array packed;
    bool owned;
    gn_status s = gn_array_packed(&packed, &owned, &a->value);
    if (s) return s;
    s = gn_writer_put(user, packed.data, gn_array_bytes(&packed));
    if (owned) gn_array_free(&packed);
    return s;
}

/* The header's length in eight bytes, then its text, padded so that the arrays begin at a multiple of 8. */
static gn_status put_header(gn_writer *w, const char *text)
{
    const size_t n = strlen(text), padding = (8 - n % 8) % 8;
    uint8_t size[8];
    for (int i = 0; i < 8; i++) size[i] = (uint8_t)((uint64_t)(n + padding) >> 8 * i);
    gn_status s = gn_writer_put(w, size, 8);
    if (!s) s = gn_writer_put(w, text, n);
    return s ? s : gn_writer_put(w, "       ", padding);
}

static gn_status write_file(const char *path, const char *text, size_t n, const gn_named_array *arrays)
{
    gn_writer w;
    gn_status s = gn_writer_open(&w, path);
    if (s) return s;
    s = put_header(&w, text);
    if (!s) s = each_by_width(n, arrays, put_elements, &w);
    return gn_writer_close(&w, s);
}

gn_status gn_safetensors_write(const char *path, size_t n, const gn_named_array *arrays)
{
    for (size_t i = 0; i < n; i++) {
        const gn_status s = check_array(&arrays[i]);
        if (s) return s;
    }
    header_state h = { .header = json_object() };
    gn_status s =
        h.header ? each_by_width(n, arrays, describe, &h) : gn_error(GN_ENOMEM, "out of memory while writing %s", path);
    char *text = s ? NULL : json_dumps(h.header, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (!s && !text) s = gn_error(GN_ENOMEM, "out of memory while writing %s", path);
    if (!s && strlen(text) > HEADER_LIMIT) s = gn_error(GN_EINVAL, "too many or too long names for a safetensors file");
    if (!s) s = write_file(path, text, n, arrays);
    json_free_t release = NULL;
    json_get_alloc_funcs(NULL, &release);
    if (text) release(text);
    json_decref(h.header);
    return s;
}
