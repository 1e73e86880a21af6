/* gn_export: a function as C that needs libm alone. The same kernels as in process, a driver that calls them in order,
 * weights as arrays.
 *
 * Nothing in the text depends on when, where or by whom it was written: two exports of one function are the same bytes.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ascii.h"
#include "error.h"
#include "export_state.h"

/* ---- names ---- */

/* Two functions that differ in capitals alone get different macros: PREDICT_ARENA_BYTES for predict,
 * Predict_arena_bytes for Predict. */
static void name_macros(gn_exporter *x)
{
    bool capital = false;
    char *upper = gn_arena_string(&x->arena, x->name);
    for (char *c = upper; *c; c++) capital |= gn_is_upper(*c), *c = gn_to_upper(*c);
    x->guard = gn_arena_printf(&x->arena, "GN_%s_H", x->name);
    x->arena_macro = capital ? gn_arena_printf(&x->arena, "%s_arena_bytes", x->name)
                             : gn_arena_printf(&x->arena, "%s_ARENA_BYTES", upper);
    gn_spell_reserve(&x->names, x->arena_macro);
}

const char *gn_export_name(gn_exporter *x, const char *format, ...)
{
    gn_text t = { .arena = &x->arena };
    va_list ap;
    va_start(ap, format);
    gn_vtextf(&t, format, ap);
    va_end(ap);
    return gn_spell_name(&x->names, gn_text_done(&t));
}

/* Kernels of one form share a function. */
static const char *earlier_symbol(const gn_exporter *x, size_t step)
{
    for (size_t i = 0; i < step; i++)
        if (x->symbol[i] && !strcmp(x->p->steps.at[i].symbol, x->p->steps.at[step].symbol)) return x->symbol[i];
    return NULL;
}

const char *gn_export_type(gn_dtype t)
{
    static const char *const names[GN_NDTYPES] = { "unsigned char", "int8_t",   "int16_t",  "int32_t",  "int64_t",
                                                   "uint8_t",       "uint16_t", "uint32_t", "uint64_t", "uint16_t",
                                                   "uint16_t",      "float",    "double" };
    return names[t];
}

/* Names of the file first, then those of users: a parameter is renamed where it meets one, and the file reads as always. */
static void name_all(gn_exporter *x)
{
    static const char *const own[] = { "arena", "weights", "memory", "at", "i", "was", "goes_on", "status" };
    const gn_program *p = x->p;
    gn_spell_reserve(&x->names, x->name);
    name_macros(x);
    gn_spell_reserve(&x->names, gn_arena_printf(&x->arena, "%s_weights", x->name));
    gn_spell_reserve(&x->names, gn_arena_printf(&x->arena, "%s_initial", x->name));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) gn_spell_reserve(&x->names, own[i]);
    x->symbol = GN_NEW_ARRAY(&x->arena, const char *, p->steps.n);
    for (size_t i = 0; i < p->steps.n; i++) {
        if (p->steps.at[i].kind != GN_STEP_KERNEL) continue;
        const char *const earlier = earlier_symbol(x, i);
        x->symbol[i] = earlier ? earlier : gn_export_name(x, "%s", p->steps.at[i].symbol);
    }
    x->value_name = GN_NEW_ARRAY(&x->arena, const char *, p->values.n);
    x->field = GN_NEW_ARRAY(&x->arena, const char *, p->variables.n);
    for (size_t i = 0; i < p->variables.n; i++) x->field[i] = gn_spell_name(&x->members, p->variables.at[i].name);
    x->now = GN_NEW_ARRAY(&x->arena, const char *, p->variables.n);
    for (size_t i = 0; i < p->values.n; i++) {
        const gn_pvalue *v = &p->values.at[i];
        if (v->kind != GN_VALUE_UPDATE || v->alias >= 0 || v->first < 0) continue;
        x->now[v->index] = gn_spell_name(&x->members, gn_arena_printf(&x->arena, "%s_now", p->variables.at[v->index].name));
        x->value_name[i] = gn_arena_printf(&x->arena, "weights->%s[!weights->%s]", x->field[v->index], x->now[v->index]);
    }
    for (size_t i = 0; i < p->variables.n && !x->f->updates; i++)
        x->field[i] = gn_export_name(x, "%s_%s", x->name, x->field[i]);
    for (size_t i = x->f->nslots; i < p->values.n; i++) {
        const gn_pvalue *v = &p->values.at[i];
        if (v->kind == GN_VALUE_CONSTANT) x->value_name[i] = gn_export_name(x, "%s_constant_%zu", x->name, i);
        if (v->kind == GN_VALUE_VARIABLE && x->now[v->index])
            x->value_name[i] = gn_arena_printf(&x->arena, "weights->%s[weights->%s]", x->field[v->index], x->now[v->index]);
        else if (v->kind == GN_VALUE_VARIABLE)
            x->value_name[i] =
                x->f->updates ? gn_arena_printf(&x->arena, "weights->%s", x->field[v->index]) : x->field[v->index];
    }
    gn_export_name_steps(x);
    for (uint32_t s = 0; s < x->f->nslots; s++) x->value_name[s] = gn_spell_name(&x->names, p->values.at[s].name);
}

/* ---- data ---- */

/* The negative infinity as a product: tcc takes no minus before an infinity in an initializer. */
static void write_float(gn_text *t, gn_dtype dtype, double v)
{
    if (!isinf(v) || v > 0) gn_spell_float(t, dtype, v);
    else gn_text_add(t, dtype == GN_F32 ? "(float)(-1e300 * 1e300)" : "-1e300 * 1e300");
}

static void write_element(gn_text *t, gn_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case GN_F32: write_float(t, GN_F32, (double)((const float *)data)[i]); break;
    case GN_F64: write_float(t, GN_F64, ((const double *)data)[i]); break;
    case GN_BOOL:
    case GN_U8: gn_textf(t, "%u", ((const uint8_t *)data)[i]); break;
    case GN_I8: gn_textf(t, "%d", ((const int8_t *)data)[i]); break;
    case GN_I16: gn_textf(t, "%d", ((const int16_t *)data)[i]); break;
    case GN_U16:
    case GN_F16:
    case GN_BF16: gn_textf(t, "%u", ((const uint16_t *)data)[i]); break;
    case GN_I32: gn_spell_int(t, GN_I32, ((const int32_t *)data)[i]); break;
    case GN_U32: gn_textf(t, "%uu", ((const uint32_t *)data)[i]); break;
    case GN_I64: gn_spell_int(t, GN_I64, ((const int64_t *)data)[i]); break;
    case GN_U64: gn_textf(t, "%lluu", (unsigned long long)((const uint64_t *)data)[i]); break;
    }
}

static void write_elements(gn_text *t, gn_dtype dtype, const void *data, int64_t n)
{
    gn_text_add(t, "{");
    for (int64_t i = 0; i < n; i++) {
        gn_text_add(t, i % 8 ? " " : "\n    ");
        write_element(t, dtype, data, i);
        gn_text_char(t, ',');
    }
    gn_text_add(t, n ? "\n}" : " 0 }");
}

static int64_t size_of(const gn_exporter *x, const gn_pvariable *v)
{
    int64_t n = 1, d;
    for (int i = 0; i < v->rank; i++) n *= gn_dim_is_const(v->shape[i], &d) ? d : 0;
    (void)x;
    return n;
}

/* Variables that are only read become constant arrays, changing ones a structure with its initial values. */
static void write_weights(gn_exporter *x)
{
    const gn_program *p = x->p;
    gn_text *t = &x->source;
    if (x->f->updates) gn_textf(t, "\nconst struct %s_weights %s_initial = {", x->name, x->name);
    for (size_t i = 0; i < p->variables.n; i++) {
        const gn_pvariable *v = &p->variables.at[i];
        const int64_t n = size_of(x, v);
        if (x->f->updates) gn_textf(t, "\n/* %s */ ", x->field[i]);
        else gn_textf(t, "\nstatic const %s %s[%lld] = ", gn_export_type(v->dtype), x->field[i], (long long)(n ? n : 1));
        if (x->now[i]) gn_text_add(t, "{ ");
        write_elements(t, v->dtype, x->f->variable[i]->value.data, n);
        gn_text_add(t, x->now[i] ? ", { 0 } }, 0," : x->f->updates ? "," : ";\n");
    }
    if (x->f->updates) gn_text_add(t, "\n};\n");
}

static void write_constants(gn_exporter *x)
{
    for (size_t i = 0; i < x->p->values.n; i++) {
        const gn_pvalue *v = &x->p->values.at[i];
        if (v->kind != GN_VALUE_CONSTANT) continue;
        const int64_t n = (int64_t)(v->nbytes / gn_dtype_size(v->dtype));
        gn_textf(&x->source, "\nstatic const %s %s[%lld] = ", gn_export_type(v->dtype), x->value_name[i],
                 (long long)(n ? n : 1));
        write_elements(&x->source, v->dtype, v->data, n);
        gn_text_add(&x->source, ";\n");
    }
}

/* ---- the header ---- */

static void write_shape(gn_text *t, const gn_dim *const *shape, int rank)
{
    gn_text_char(t, '(');
    for (int d = 0; d < rank; d++) {
        if (d) gn_text_add(t, ", ");
        gn_dim_show(t, shape[d]);
    }
    gn_text_char(t, ')');
}

static void write_parameters(gn_exporter *x, gn_text *t)
{
    for (uint32_t s = 0; s < x->f->nslots; s++)
        gn_textf(t, "%s%s *%s, ", s < x->p->ninputs ? "const " : "", gn_export_type(x->p->values.at[s].dtype),
                 x->value_name[s]);
    if (x->f->updates) gn_textf(t, "struct %s_weights *weights, ", x->name);
    gn_text_add(t, "void *arena)");
}

static void write_header(gn_exporter *x)
{
    gn_text *t = &x->header;
    const gn_program *p = x->p;
    gn_textf(t,
             "/* %s: a function generated by Gnomon %s as plain C. It needs libm at most, allocates nothing, has no "
             "state, and may run in\n"
             " * several threads at once, each with its own arena. It computes in the floating-point mode of its "
             "caller: in the default mode, which rounds\n"
             " * to nearest and keeps subnormals, it gives the bits of the function that was exported.\n *\n"
             " *     _Alignas(64) static unsigned char arena[%s + 1];\n"
             " *     if (%s(..., arena)) ...;\n *\n * Arrays are row-major.\n *\n",
             x->name, gn_version(), x->arena_macro, x->name);
    for (uint32_t s = 0; s < x->f->nslots; s++) {
        gn_textf(t, " *   %-6s  %-12s  %s ", s < p->ninputs ? "input" : "output", x->value_name[s],
                 gn_dtype_name(p->values.at[s].dtype));
        write_shape(t, p->values.at[s].shape, p->values.at[s].rank);
        gn_text_char(t, '\n');
    }
    bool computed = false;
    for (size_t i = 0; i < p->indices.n; i++) computed |= p->indices.at[i].after >= 0;
    gn_textf(t,
             " *\n * Returns 0, or -1 if an index lies outside its axis%s; then %s. */\n"
             "#ifndef %s\n#define %s\n#include <stdint.h>\n\n",
             gn_export_may_end(x) ? ", or the status with which a step ended it" : "",
             !computed && !gn_export_may_end(x) ? "nothing was changed"
             : x->f->updates                    ? "no weight was changed"
                                                : "the outputs mean nothing",
             x->guard, x->guard);
    gn_textf(t, "/* Bytes of memory for temporaries, aligned to 64. */\n#define %s %lld\n\n", x->arena_macro,
             (long long)x->plan.arena_bytes);
    gn_text_add(t, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    if (x->f->updates) {
        gn_textf(t, "/* What a call updates. Start with a copy of %s_initial. */\nstruct %s_weights {\n", x->name, x->name);
        for (size_t i = 0; i < p->variables.n; i++) {
            const int64_t n = size_of(x, &p->variables.at[i]);
            gn_textf(t, "    %s %s%s[%lld]; /* ", gn_export_type(p->variables.at[i].dtype), x->field[i],
                     x->now[i] ? "[2]" : "", (long long)(n ? n : 1));
            write_shape(t, p->variables.at[i].shape, p->variables.at[i].rank);
            if (x->now[i]) gn_textf(t, ": %s[%s]; a call writes the other and turns %s", x->field[i], x->now[i], x->now[i]);
            gn_text_add(t, " */\n");
            if (x->now[i]) gn_textf(t, "    int %s;\n", x->now[i]);
        }
        gn_textf(t, "};\nextern const struct %s_weights %s_initial;\n\n", x->name, x->name);
    }
    gn_textf(t, "int %s(", x->name);
    write_parameters(x, t);
    gn_text_add(t, ";\n\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

/* ---- the source ---- */

/* The step whose function is called so; -1. */
static int64_t step_called(const gn_exporter *x, const char *name, size_t n)
{
    for (size_t i = 0; i < x->p->steps.n; i++) {
        const char *symbol = x->p->steps.at[i].symbol;
        if (x->symbol[i] && strlen(symbol) == n && !strncmp(symbol, name, n)) return (int64_t)i;
    }
    return -1;
}

/* The kernels, with functions that nobody outside sees. */
static void write_kernels(gn_exporter *x)
{
    static const char head[] = "void ";
    for (const char *line = x->p->source; *line;) {
        const char *end = strchr(line, '\n'), *name = line + sizeof head - 1;
        const size_t n = end ? (size_t)(end - line) + 1 : strlen(line);
        const bool is_function = n > sizeof head && !strncmp(line, head, sizeof head - 1);
        const size_t length = is_function ? strcspn(name, "(") : 0;
        const int64_t step = is_function ? step_called(x, name, length) : -1;
        if (step >= 0) gn_textf(&x->source, "static void %s", x->symbol[step]);
        gn_text_add_n(&x->source, step >= 0 ? name + length : line, step >= 0 ? n - (sizeof head - 1) - length : n);
        line += n;
    }
}

/* Kernels keep computed indices within their axis, which must then have a place. */
static bool has_hopeless_index(const gn_exporter *x)
{
    bool any = false;
    for (size_t i = 0; i < x->p->indices.n; i++) {
        const gn_pindex *c = &x->p->indices.at[i];
        int64_t bound = 1, n = 0;
        if (c->after < 0 || gn_dim_is(c->uses, 0) || !gn_dim_is_const(c->bound, &bound) || bound > 0) continue;
        any |= gn_dim_is_const(x->p->values.at[c->value].bytes, &n) && n > 0;
    }
    return any;
}

static void write_source(gn_exporter *x)
{
    gn_text *t = &x->source;
    gn_textf(t,
             "/* Generated by Gnomon %s; %s.h explains it. */\n#include \"%s.h\"\n#include <stddef.h>\n#include "
             "<string.h>\n\n",
             gn_version(), x->name, x->name);
    write_kernels(x);
    gn_export_routines(x);
    write_constants(x);
    write_weights(x);
    gn_textf(t, "\nint %s(", x->name);
    write_parameters(x, t);
    gn_text_add(t, "\n{\n    unsigned char *const memory = (unsigned char *)arena;\n    (void)memory;\n");
    if (has_hopeless_index(x)) gn_text_add(t, "    return -1; /* an index into an axis without elements */\n");
    gn_export_pointers(x);
    gn_export_index_checks(x, -1);
    gn_export_steps(x, 0, (uint32_t)x->p->steps.n);
    for (uint32_t s = 0; s < x->f->nslots; s++)
        if (!x->used[s]) gn_textf(t, "    (void)%s;\n", x->value_name[s]);
    for (size_t i = 0; i < x->p->variables.n; i++)
        if (x->now[i]) gn_textf(t, "    weights->%s = !weights->%s;\n", x->now[i], x->now[i]);
    gn_text_add(t, "    return 0;\n}\n");
}

static void build(void *arg)
{
    gn_exporter *x = arg;
    const gn_program *p = x->p;
    x->sym = GN_NEW_ARRAY(&x->arena, int64_t, p->syms.n);
    for (size_t i = 0; i < p->syms.n; i++) {
        if (p->syms.at[i].input >= 0)
            gn_throw(GN_EINVAL, "export %s: the dim '%s' is not fixed: compile with .fix = \"%s=...\"", x->name,
                     p->syms.at[i].name, p->syms.at[i].name);
        x->sym[i] = p->syms.at[i].is;
    }
    gn_program_plan(p, x->sym, 1, &x->plan, &x->arena);
    name_all(x);
    x->used = GN_NEW_ARRAY(&x->arena, bool, x->f->nslots);
    write_header(x);
    write_source(x);
}

/* ---- files ---- */

/* Written aside and renamed, so that a build never reads half a file. */
static gn_status write_file(const char *dir, const char *name, const char *suffix, const gn_text *text)
{
    char path[4096], aside[4096 + 16];
    const int n = snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
    if (n < 0 || (size_t)n >= sizeof path) return gn_error(GN_EIO, "export %s: the path is too long", name);
    snprintf(aside, sizeof aside, "%s.new%ld", path, (long)getpid());
    FILE *f = fopen(aside, "wxe");
    if (!f) return gn_error(GN_EIO, "export %s: cannot write %s: %s", name, path, strerror(errno));
    bool bad = fwrite(text->at, 1, text->n, f) != text->n;
    if (fclose(f)) bad = true;
    if (!bad && !rename(aside, path)) return GN_OK;
    const int e = errno;
    unlink(aside);
    return gn_error(GN_EIO, "export %s: cannot write %s: %s", name, path, strerror(e));
}


gn_status gn_export(const gn_func *f, const char *name, const char *dir)
{
    if (!f || !name || !dir) return gn_error(GN_EINVAL, "export: the function, its name or the directory is NULL");
    if (!gn_is_name(name) || strlen(name) > 60)
        return gn_error(GN_EINVAL, "export: \"%s\" is no identifier of up to 60 characters", name);
    if (!gn_is_function_name(name))
        return gn_error(GN_EINVAL, "export: \"%s\" is a word of C, C++ or their libraries", name);
    gn_exporter x = { .indent = 4, .f = f, .p = f->program, .name = name, .arena = { .allocator = f->allocator } };
    x.header.arena = x.source.arena = x.names.arena = x.members.arena = &x.arena;
    for (size_t i = 0; i < f->program->variables.n; i++) gn_variable_lock(f->variable[f->by_id[i]], false);
    gn_status s = gn_protect(build, &x);
    for (size_t i = f->program->variables.n; i-- > 0;) gn_variable_unlock(f->variable[f->by_id[i]]);
    if (!s) s = write_file(dir, name, ".h", &x.header);
    if (!s) s = write_file(dir, name, ".c", &x.source);
    gn_arena_free(&x.arena);
    return s;
}
