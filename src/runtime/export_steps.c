/* The steps of an export: calls of the functions of kernels, loops and choices as C has them. */
#include "export_state.h"
#include <string.h>
#include "ascii.h"
#include "error.h"

static int64_t number(gn_exporter *x, const gn_dim *d)
{
    int64_t v;
    if (!gn_program_eval(x->p, x->sym, d, &v)) gn_throw(GN_ENOMEM, "export %s: size overflows", x->name);
    return v;
}

static void line(gn_exporter *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(gn_exporter *x, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    gn_textf(&x->source, "%*s", x->indent, "");
    gn_vtextf(&x->source, format, ap);
    va_end(ap);
}

/* ---- addresses ---- */

static const char *pointer_of(const gn_exporter *x, int32_t v)
{
    for (; v >= 0; v = x->p->values.at[v].alias)
        if (x->moving[v]) return x->moving[v];
    return NULL;
}

/* What a start adds: its value in the first turns, and so much per turn. NULL: nothing. */
static const char *offset_of(gn_exporter *x, const gn_dim *start, int64_t first)
{
    gn_text t = { .arena = &x->arena };
    first += start ? number(x, start) : 0;
    for (size_t i = 0; start && i < x->p->syms.n; i++) {
        if (!x->turn[i] || !gn_dim_mentions(start, x->p->syms.at[i].name)) continue;
        const int64_t before = number(x, start);
        x->sym[i] = 1;
        gn_textf(&t, " + %lld * %s", (long long)(number(x, start) - before), x->turn[i]);
        x->sym[i] = 0;
    }
    return t.n     ? gn_arena_printf(&x->arena, "%lld%s", (long long)first, gn_text_done(&t))
           : first ? gn_arena_printf(&x->arena, "%lld", (long long)first)
                   : NULL;
}

/* `start` bytes behind its begin. */
static void write_address(gn_exporter *x, int32_t value, const gn_dim *start)
{
    gn_text *t = &x->source;
    const int32_t root = gn_memory_of(x->p, value);
    const int64_t planned = x->plan.offset[value] < 0 ? 0 : x->plan.offset[value];
    const char *pointer = pointer_of(x, value),
               *offset = offset_of(x, start, !pointer && !x->value_name[root] ? planned : 0);
    if (root < (int32_t)x->f->nslots) x->used[root] = true;
    if (pointer)
        gn_textf(t, "%s%s%s", pointer, offset ? " + " : "", offset ? offset : "");
    else if (!x->value_name[root])
        gn_textf(t, "memory + %s", offset ? offset : "0");
    else if (offset)
        gn_textf(t, "(void *)((uintptr_t)%s + %s%s)", x->value_name[root], strchr(offset, '*') ? "(uintptr_t)" : "",
                 strchr(offset, '*') ? gn_arena_printf(&x->arena, "(%s)", offset) : offset);
    else
        gn_textf(t, "(void *)(uintptr_t)%s", x->value_name[root]);
}

static void write_argument(gn_exporter *x, uint32_t at, uint32_t a)
{
    const gn_pstep *s = &x->p->steps.at[at];
    if (s->arg[a] < 0)
        gn_textf(&x->source, "memory + %lld", (long long)x->plan.scratch[at][-1 - s->arg[a]]);
    else
        write_address(x, s->arg[a], s->start ? s->start[a] : NULL);
}

/* Its first element, as an integer. */
static void write_element(gn_exporter *x, uint32_t at, uint32_t a)
{
    const gn_dtype t = x->p->values.at[x->p->steps.at[at].arg[a]].dtype;
    gn_textf(&x->source, "*(const %s *)(const void *)(", t == GN_BOOL ? "unsigned char" : gn_export_type(t));
    write_argument(x, at, a);
    gn_text_char(&x->source, ')');
}

void gn_export_index_checks(gn_exporter *x, int32_t after)
{
    gn_text *t = &x->source;
    for (size_t i = 0; i < x->p->indices.n; i++) {
        const gn_pindex *c = &x->p->indices.at[i];
        const gn_pvalue *v = &x->p->values.at[c->value];
        int64_t bound = 0, n = 0;
        if (c->after != after || gn_dim_is(c->uses, 0) || !gn_dim_is_const(c->bound, &bound) ||
            !gn_dim_is_const(v->bytes, &n))
            continue;
        n /= (int64_t)gn_dtype_size(v->dtype);
        line(x, "for (int64_t i = 0; i < %lld; i++) { /* %s */\n", (long long)n, c->text);
        line(x, "    const %s at = ", gn_export_type(v->dtype));
        if (after >= 0)
            gn_textf(t, "((const %s *)(const void *)(", gn_export_type(v->dtype)),
                write_address(x, (int32_t)c->value, NULL), gn_text_add(t, "))");
        else
            gn_text_add(t, x->value_name[c->value]), x->used[c->value] = true;
        const bool is_signed = gn_dtypes[v->dtype].kind == GN_KIND_INT;
        gn_text_add(t, "[i];\n");
        line(x, "    if (%s%sat >= %lld) return -1;\n", is_signed ? "at < 0 || " : "",
             is_signed ? "(int64_t)" : "(uint64_t)", (long long)(bound > 0 ? bound : 0));
        line(x, "}\n");
    }
}

/* ---- steps with arguments in a table ---- */

static void write_arguments(gn_exporter *x, uint32_t at)
{
    const gn_pstep *s = &x->p->steps.at[at];
    line(x, "{\n");
    line(x, "    void *const arg[] = { ");
    for (uint32_t a = 0; a < s->narg; a++) {
        if (a) gn_text_add(&x->source, ", ");
        write_argument(x, at, a);
    }
    gn_textf(&x->source, "%s };\n", s->narg ? "" : "NULL");
}

static void write_symbols(gn_exporter *x, const gn_pstep *s)
{
    bool turns = false;
    if (!s->nsym) return;
    for (uint32_t k = 0; k < s->nsym; k++) turns |= x->turn[s->sym[k]] != NULL;
    line(x, "    %sconst int64_t sym[] = { ", turns ? "" : "static ");
    for (uint32_t k = 0; k < s->nsym; k++)
        if (x->turn[s->sym[k]])
            gn_textf(&x->source, "%s%s", k ? ", " : "", x->turn[s->sym[k]]);
        else
            gn_textf(&x->source, "%s%lld", k ? ", " : "", (long long)x->sym[s->sym[k]]);
    gn_text_add(&x->source, " };\n");
}

static void write_kernel(gn_exporter *x, uint32_t at)
{
    const gn_pstep *s = &x->p->steps.at[at];
    const char *sym = s->nsym ? "sym" : "NULL";
    const long long parts = (long long)x->plan.parts[at];
    write_arguments(x, at);
    write_symbols(x, s);
    if (parts == 1)
        line(x, "    %s(arg, %s, 0);\n", x->symbol[at], sym);
    else
        line(x, "    for (int64_t part = 0; part < %lld; part++) %s(arg, %s, part);\n", parts, x->symbol[at], sym);
    line(x, "}\n");
}

static void write_call(gn_exporter *x, uint32_t at)
{
    const gn_pcall *c = x->p->steps.at[at].of.call;
    write_arguments(x, at);
    line(x, "    static const int64_t dim[] = { ");
    for (uint32_t d = 0; d < c->routine->ndim; d++)
        gn_textf(&x->source, "%s%lld", d ? ", " : "", (long long)number(x, c->dim[d]));
    gn_text_add(&x->source, " };\n");
    if (c->routine->failure) {
        line(x, "    const int status = %s(arg, dim);\n", c->routine->symbol);
        line(x, "    if (status) return status; /* %s */\n", c->routine->failure);
    } else {
        line(x, "    %s(arg, dim);\n", c->routine->symbol);
    }
    line(x, "}\n");
}

/* ---- copies ---- */

static void write_view(gn_exporter *x, uint32_t at, uint32_t arg, const gn_dim *const *stride, int rank, int64_t size)
{
    gn_textf(&x->source, "(%sunsigned char *)(", arg ? "const " : "");
    write_argument(x, at, arg);
    gn_text_char(&x->source, ')');
    for (int d = 0; d < rank; d++) gn_textf(&x->source, " + %lld * at_%d", (long long)(size * number(x, stride[d])), d);
}

static void write_copy(gn_exporter *x, uint32_t at)
{
    const gn_pstep *s = &x->p->steps.at[at];
    const gn_pcopy *c = s->of.copy;
    const gn_pvalue *v = &x->p->values.at[s->arg[0]];
    const int64_t size = (int64_t)gn_dtype_size(v->dtype);
    for (int d = 0; d < c->rank; d++)
        line(x, "%*sfor (int64_t at_%d = 0; at_%d < %lld; at_%d++)\n", 4 * d, "", d, d,
             (long long)number(x, c->extent[d]), d);
    line(x, "%*smemcpy(", 4 * c->rank, "");
    write_view(x, at, 0, c->to, c->rank, size);
    gn_text_add(&x->source, ", ");
    write_view(x, at, 1, c->from, c->rank, size);
    gn_textf(&x->source, ", %lld);\n", (long long)(c->rank ? size : number(x, v->bytes)));
}

/* ---- loops ---- */

static void name_loop(gn_exporter *x, const gn_pstep *s)
{
    if (!x->turn[s->of.loop->sym]) x->turn[s->of.loop->sym] = gn_export_name(x, "%s", s->symbol);
    for (uint32_t a = 0; a < gn_loop_condition(s->of.loop); a++) {
        const int32_t v = s->arg[a];
        if (!gn_is_exchanged(s->of.loop, a) || x->moving[v] || gn_is_next_in_place(x->p, s, a / 3)) continue;
        x->moving[v] = gn_export_name(x, "%s",
                                      gn_is_name(x->p->values.at[v].name) ? x->p->values.at[v].name : "carried");
    }
}

void gn_export_name_steps(gn_exporter *x)
{
    x->turn = GN_NEW_ARRAY(&x->arena, const char *, x->p->syms.n),
    x->moving = GN_NEW_ARRAY(&x->arena, const char *, x->p->values.n);
    for (size_t i = 0; i < x->p->steps.n; i++)
        if (x->p->steps.at[i].kind == GN_STEP_LOOP) name_loop(x, &x->p->steps.at[i]);
}

void gn_export_pointers(gn_exporter *x)
{
    for (size_t v = 0; v < x->p->values.n; v++)
        if (x->moving[v]) line(x, "unsigned char *%s = memory + %lld;\n", x->moving[v], (long long)x->plan.offset[v]);
}

static void write_start(gn_exporter *x, uint32_t at)
{
    const gn_pstep *s = &x->p->steps.at[at];
    for (size_t v = 0; v < x->p->values.n; v++) {
        bool mine = false;
        for (uint32_t a = 0; a < gn_loop_condition(s->of.loop); a++)
            mine |= gn_is_exchanged(s->of.loop, a) && s->arg[a] == (int32_t)v;
        if (mine && x->moving[v]) line(x, "%s = memory + %lld;\n", x->moving[v], (long long)x->plan.offset[v]);
    }
    for (uint32_t k = 0; k < s->of.loop->ncarried; k++) {
        const gn_pvalue *now = &x->p->values.at[s->arg[gn_carried_now(k)]];
        if (now->alias >= 0) continue;
        line(x, "memcpy(");
        write_argument(x, at, gn_carried_now(k));
        gn_text_add(&x->source, ", ");
        write_argument(x, at, gn_carried_initial(k));
        gn_textf(&x->source, ", %lld);\n", (long long)number(x, now->bytes));
    }
}

/* All pointers as they were, then each as the one that it becomes. */
static void write_exchange(gn_exporter *x, const gn_pstep *s)
{
    GN_VEC(int32_t) member = { 0 };
    for (uint32_t a = 0; a < gn_loop_condition(s->of.loop); a++) {
        bool known = !gn_is_exchanged(s->of.loop, a) || gn_is_next_in_place(x->p, s, a / 3);
        for (size_t i = 0; i < member.n; i++) known |= member.at[i] == s->arg[a];
        if (!known) gn_push(&x->arena, &member, s->arg[a]);
    }
    if (!member.n) return;
    line(x, "{\n");
    line(x, "    unsigned char *const was[] = { ");
    for (size_t i = 0; i < member.n; i++) gn_textf(&x->source, "%s%s", i ? ", " : "", x->moving[member.at[i]]);
    gn_text_add(&x->source, " };\n");
    for (size_t i = 0; i < member.n; i++)
        for (size_t k = 0; k < member.n; k++)
            if (member.at[k] == gn_taken_from(s, member.at[i]))
                line(x, "    %s = was[%zu];\n", x->moving[member.at[i]], k);
    line(x, "}\n");
}

static void write_loop(gn_exporter *x, uint32_t at)
{
    const gn_pstep *s = &x->p->steps.at[at];
    const gn_ploop *l = s->of.loop;
    const char *turn = x->turn[l->sym];
    write_start(x, at);
    line(x, "for (int64_t %s = 0; %s < %lld; %s++) {\n", turn, turn, (long long)number(x, l->count), turn);
    x->indent += 4;
    gn_export_steps(x, at + 1, s->end);
    if (l->has_condition) {
        line(x, "const int goes_on = 0 != ");
        write_element(x, at, gn_loop_condition(l));
        gn_text_add(&x->source, ";\n");
    }
    write_exchange(x, s);
    if (l->has_condition) line(x, "if (!goes_on) break;\n");
    x->indent -= 4;
    line(x, "}\n");
}

/* ---- choices ---- */

static void write_body(gn_exporter *x, uint32_t body)
{
    x->indent += 4;
    gn_export_steps(x, body + 1, x->p->steps.at[body].end);
    x->indent -= 4;
}

static void write_branch(gn_exporter *x, uint32_t at)
{
    const gn_pstep *steps = x->p->steps.at;
    line(x, "if (");
    write_element(x, at, 0);
    gn_text_add(&x->source, ") {\n");
    write_body(x, at + 1);
    line(x, "} else {\n");
    write_body(x, steps[at + 1].end);
    line(x, "}\n");
}

static void write_variants(gn_exporter *x, uint32_t at)
{
    const uint32_t body = gn_plan_choose(x->p, x->sym, at);
    gn_export_steps(x, body + 1, x->p->steps.at[body].end);
}

/* An export keeps nothing from call to call. */
static void write_prepare(gn_exporter *x, uint32_t at)
{
    gn_export_steps(x, at + 1, x->p->steps.at[at].end);
}

static void write_status(gn_exporter *x, uint32_t at)
{
    line(x, "{\n");
    line(x, "    const int64_t status = ");
    write_element(x, at, x->p->steps.at[at].status - 1);
    gn_text_add(&x->source, ";\n");
    line(x, "    if (status) return (int)status;\n");
    line(x, "}\n");
}

bool gn_export_may_end(const gn_exporter *x)
{
    for (size_t i = 0; i < x->p->steps.n; i++)
        if (x->p->steps.at[i].status ||
            (x->p->steps.at[i].kind == GN_STEP_CALL && x->p->steps.at[i].of.call->routine->failure))
            return true;
    return false;
}

void gn_export_steps(gn_exporter *x, uint32_t at, uint32_t end)
{
    static void (*const write_kind[])(gn_exporter *, uint32_t) = {
        [GN_STEP_KERNEL] = write_kernel, [GN_STEP_COPY] = write_copy,       [GN_STEP_CALL] = write_call,
        [GN_STEP_LOOP] = write_loop,     [GN_STEP_BRANCH] = write_branch,   [GN_STEP_VARIANTS] = write_variants,
        [GN_STEP_BODY] = NULL,           [GN_STEP_PREPARE] = write_prepare,
    };
    for (; at < end; at = gn_step_after(x->p->steps.at, at)) {
        const gn_pstep *s = &x->p->steps.at[at];
        if (s->device)
            gn_throw(GN_EDEVICE, "export %s: step %u (%s) is for device %u: steps run on the host alone", x->name, at,
                     s->symbol, s->device - 1);
        write_kind[s->kind](x, at);
        if (s->status) write_status(x, at);
        gn_export_index_checks(x, (int32_t)at);
    }
}
