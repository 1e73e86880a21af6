/* Tables of numbers separated by commas. Two passes over the text: the first counts, the second converts and complains. */
#include <gnomon/data.h>
#include <math.h>
#include <string.h>
#include "blocks.h"
#include "error.h"
#include "file.h"
#include "number.h"
#include "fpmode.h"

static const size_t FILE_LIMIT = (size_t)16 << 30;

typedef struct table {
    const char *path, *at, *end;
    int64_t line;             /* of `at`, 1-based */
    int64_t rows, columns;
} table;

static const char *line_end(const table *t)
{
    const char *end = memchr(t->at, '\n', (size_t)(t->end - t->at));
    return end ? end : t->end;
}

static bool is_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
    return at == end;
}

static void next_line(table *t)
{
    const char *end = line_end(t);
    t->at = end < t->end ? end + 1 : end;
    t->line++;
}

static int64_t count_fields(const char *at, const char *end)
{
    int64_t n = 1;
    for (; at < end; at++) n += *at == ',';
    return n;
}

static void measure(table *t)
{
    const char *at = t->at;
    const int64_t line = t->line;
    for (; t->at < t->end; next_line(t)) {
        if (is_blank(t->at, line_end(t))) continue;
        if (t->rows++ == 0) t->columns = count_fields(t->at, line_end(t));
    }
    t->at = at, t->line = line;
}

/* One field [at, end) on the line that begins at `start`: rounded once to what will hold it. */
static gn_status read_number(const table *t, const char *start, const char *at, const char *end, bool is_target,
                             double *out)
{
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
    const long long line = t->line;
    const int column = (int)(at - start) + 1;
    if (at == end) return gn_error(GN_ESYNTAX, "%s:%lld:%d: an empty field; a number was expected", t->path, line, column);
    const char *stop = at;
    float f = 0;
    if (is_target) gn_number_read(at, &stop, out);
    else if (gn_number_read_f32(at, &stop, &f)) *out = (double)f;
    if (stop != end) {
        const int shown = end - at < 40 ? (int)(end - at) : 40;
        return gn_error(GN_ESYNTAX, "%s:%lld:%d: '%.*s' is no number", t->path, line, column, shown, at);
    }
    if (!isfinite((float)*out))
        return gn_error(GN_ESYNTAX, "%s:%lld:%d: a number that is not finite in f32", t->path, line, column);
    return GN_OK;
}

static gn_status read_row(table *t, float *x, int32_t *y, int64_t target)
{
    const char *start = t->at, *end = line_end(t), *at = start;
    const int64_t fields = count_fields(start, end);
    if (fields != t->columns) {
        return gn_error(GN_ESYNTAX, "%s:%lld:1: a row of %lld fields; the first has %lld", t->path, (long long)t->line,
                        (long long)fields, (long long)t->columns);
    }
    for (int64_t i = 0; i < fields; i++) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma ? comma : end;
        double v = 0;
        const gn_status s = read_number(t, start, at, stop, i == target, &v);
        if (s) return s;
        if (i != target) *x++ = (float)v;
        else if (v != floor(v) || v < INT32_MIN || v > INT32_MAX) {
            return gn_error(GN_ESYNTAX, "%s:%lld:%d: the target %s is no integer", t->path, (long long)t->line,
                            (int)(at - start) + 1, GN_NUMBER(v));
        } else *y = (int32_t)v;
        at = stop + 1;
    }
    return GN_OK;
}

static gn_status read_rows(table *t, gn_dataset *out, int64_t target)
{
    gn_status s = gn_array_new(&out->x, GN_F32, 2, (int64_t[]){ t->rows, t->columns - 1 });
    if (!s) s = gn_array_new(&out->y, GN_I32, 1, (int64_t[]){ t->rows });
    float *x = out->x.data;
    int32_t *y = out->y.data;
    for (; !s && t->at < t->end; next_line(t)) {
        if (is_blank(t->at, line_end(t))) continue;
        s = read_row(t, x, y++, target);
        x += t->columns - 1;
    }
    out->n = t->rows;
    return s;
}

static gn_status read_table(table *t, gn_dataset *out, int header, int target)
{
    if (t->end - t->at >= 3 && !memcmp(t->at, "\xef\xbb\xbf", 3)) t->at += 3; /* a byte order mark */
    for (int i = 0; i < header && t->at < t->end; i++) next_line(t);
    measure(t);
    if (t->rows == 0)
        return gn_error(GN_ESYNTAX, "%s:%lld:1: no row of numbers behind %d header lines", t->path, (long long)t->line,
                        header);
    const int64_t column = target < 0 ? target + t->columns : target;
    if (column < 0 || column >= t->columns) {
        return gn_error(GN_EINVAL, "%s: target column %d of a table with %lld columns", t->path, target,
                        (long long)t->columns);
    }
    return read_rows(t, out, column);
}

gn_status gn_csv_read(gn_dataset *out, const char *path, int header, int target)
{
    if (out) *out = (gn_dataset){ 0 };
    if (!out || !path || header < 0)
        return gn_error(GN_EINVAL, "gn_csv_read: %s", !out ? "out is NULL" : !path ? "path is NULL" : "header is negative");
    gn_content b;
    gn_status s = gn_content_read(&b, path, FILE_LIMIT);
    if (s) return s;
    table t = { .path = path, .at = (const char *)b.at, .end = (const char *)b.at + b.n, .line = 1 };
    const gn_fpmode mode = gn_fp_enter(); /* numbers are rounded to f32 */
    s = read_table(&t, out, header, target);
    gn_fp_leave(mode);
    gn_content_free(&b);
    if (s) gn_dataset_free(out);
    return s;
}
