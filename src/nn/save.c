/* Saved weights. Reading takes effect as a whole: no variable is touched before the file was found to be complete and
 * right. */
#include <gnomon/nn.h>
#include <stdio.h>
#include <string.h>
#include "blocks.h"
#include "error.h"
#include "expr.h"
#include "safetensors.h"
#include "shared.h"

typedef struct values {
    size_t n;
    gn_named_array *at; /* owned copies of the variables' values */
} values;

static gn_status check_variable(const char *function, gn_expr *e, size_t i)
{
    if (!e) return gn_error(GN_EINVAL, "%s: variable %zu is NULL", function, i);
    if (gn_is_error(e)) return gn_error_of(e);
    if (!gn_variable_of(e))
        return gn_error(GN_EINVAL, "%s: expression %zu is %s, and no shared variable", function, i, gn_type_text(e));
    return GN_OK;
}

static gn_status make_values(values *v, const char *function, gn_exprs variables)
{
    *v = (values){ 0 };
    if (variables.n == 0) return gn_error(GN_EINVAL, "%s: the list of variables is empty", function);
    if (!(v->at = gn_alloc_zeroed(&gn_allocator_libc, variables.n * sizeof *v->at))) return GN_ENOMEM;
    v->n = variables.n;
    for (size_t i = 0; i < v->n; i++) {
        gn_status s = check_variable(function, variables.at[i], i);
        if (s) return s;
        const gn_variable *variable = gn_variable_of(variables.at[i]);
        v->at[i].name = variable->name;
        s = gn_array_new(&v->at[i].value, variable->value.dtype, variable->value.rank, variable->value.shape);
        if (s) return s;
    }
    return GN_OK;
}

static void free_values(values *v)
{
    for (size_t i = 0; i < v->n; i++) gn_array_free(&v->at[i].value);
    gn_release(&gn_allocator_libc, v->at, v->n * sizeof *v->at);
}

gn_status gn_save(const char *path, gn_exprs variables)
{
    if (!path) return gn_error(GN_EINVAL, "gn_save: path is NULL");
    values v;
    gn_status s = make_values(&v, "gn_save", variables);
    for (size_t i = 0; !s && i < v.n; i++) s = gn_get(variables.at[i], v.at[i].value);
    if (!s) s = gn_safetensors_write(path, v.n, v.at);
    free_values(&v);
    return s;
}

static void type_text(char *to, size_t size, const gn_array *a)
{
    size_t n = (size_t)snprintf(to, size, "%s (", gn_dtype_name(a->dtype));
    for (int d = 0; d < a->rank && n < size; d++)
        n += (size_t)snprintf(to + n, size - n, "%s%lld", d ? ", " : "", (long long)a->shape[d]);
    if (n < size) snprintf(to + n, size - n, ")");
}

static bool same_type(const gn_array *a, const gn_array *b)
{
    bool same = a->dtype == b->dtype && a->rank == b->rank;
    for (int d = 0; same && d < a->rank; d++) same = a->shape[d] == b->shape[d];
    return same;
}

static gn_status read_value(gn_safetensors *file, const char *path, gn_named_array *wanted)
{
    size_t i = 0;
    while (i < file->n && strcmp(file->at[i].name, wanted->name)) i++;
    if (i == file->n) return gn_error(GN_EFORMAT, "%s has no values for the variable \"%s\"", path, wanted->name);
    if (!same_type(&file->at[i].value, &wanted->value)) {
        char there[256], here[256];
        type_text(there, sizeof there, &file->at[i].value);
        type_text(here, sizeof here, &wanted->value);
        return gn_error(GN_EFORMAT, "%s: \"%s\" is %s there, and the variable %s", path, wanted->name, there, here);
    }
    return gn_safetensors_get(file, i, wanted->value.data);
}

static gn_status check_no_others(const gn_safetensors *file, const char *path, const values *v)
{
    for (size_t i = 0; i < file->n; i++) {
        size_t k = 0;
        while (k < v->n && strcmp(file->at[i].name, v->at[k].name)) k++;
        if (k == v->n)
            return gn_error(GN_EFORMAT, "%s holds \"%s\", which is none of the variables", path, file->at[i].name);
    }
    return GN_OK;
}

static gn_status read_values(const char *path, values *v)
{
    gn_safetensors file;
    gn_status s = gn_safetensors_open(&file, path);
    if (s) return s;
    for (size_t i = 0; !s && i < v->n; i++) s = read_value(&file, path, &v->at[i]);
    if (!s) s = check_no_others(&file, path, v);
    gn_safetensors_close(&file);
    return s;
}

gn_status gn_load(const char *path, gn_exprs variables)
{
    if (!path) return gn_error(GN_EINVAL, "gn_load: path is NULL");
    values v;
    gn_status s = make_values(&v, "gn_load", variables);
    if (!s) s = read_values(path, &v);
    for (size_t i = 0; !s && i < v.n; i++) s = gn_set(variables.at[i], v.at[i].value);
    free_values(&v);
    return s;
}
