#include "step_access.h"
#include "code_as_kernel.h"
#include <string.h>

gn_accesses gn_accesses_of(gn_arena *arena, const gn_program *p)
{
    return (gn_accesses){ arena, p, p->dims, GN_NEW_ARRAY(arena, const gn_kernel *, p->kernels.n) };
}

const gn_kernel *gn_access_kernel(gn_accesses *x, uint32_t at)
{
    if (x->kernel[at]) return x->kernel[at];
    const gn_pkernel *k = &x->p->kernels.at[at];
    gn_code *code;
    return x->kernel[at] = gn_kernel_of_text(x->arena, k->name, k->kernel, &code);
}

uint8_t gn_access_uses(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    if (s->kind == GN_STEP_COPY) return arg == 0 ? GN_OPERAND_WRITE : GN_OPERAND_READ;
    if (s->kind == GN_STEP_CALL)
        return arg < s->of.call->routine->narg ? s->of.call->routine->arg[arg].uses : GN_OPERAND_WRITE;
    const gn_kernel *k = gn_access_kernel(x, s->kernel);
    if (arg >= k->bufs.n) return GN_OPERAND_WRITE;
    return k->bufs.at[arg].access & GN_KBUF_WRITE ? GN_OPERAND_WRITE : GN_OPERAND_READ;
}

/* ---- sizes ---- */

typedef struct naming { /* a kernel's or a routine's names for dims of the program */
    size_t n;
    const char *const *name;
    const gn_dim *const *dim;
} naming;

static const gn_dim *dim_named(void *user, const char *symbol)
{
    const naming *m = user;
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->name[i], symbol) == 0) return m->dim[i];
    return NULL;
}

static const gn_dim *dim_for(gn_accesses *x, const gn_dim *d, const naming *m)
{
    return gn_dim_subst(x->dims, gn_dim_import(x->dims, d), dim_named, (void *)(uintptr_t)m);
}

/* Of a kernel's symbols. */
static naming naming_of(gn_accesses *x, const gn_pstep *s)
{
    const gn_kernel *k = gn_access_kernel(x, s->kernel);
    const char **name = GN_NEW_ARRAY(x->arena, const char *, k->syms.n);
    const gn_dim **dim = GN_NEW_ARRAY(x->arena, const gn_dim *, k->syms.n);
    for (size_t i = 0; i < k->syms.n; i++) {
        name[i] = k->syms.at[i].name;
        dim[i] = i < s->nsym ? gn_dim_sym(x->dims, x->p->syms.at[s->sym[i]].name) : gn_dim_const(x->dims, 0);
    }
    return (naming){ k->syms.n, name, dim };
}

static const gn_dim *product(gn_accesses *x, gn_dtype dtype, size_t rank, const gn_dim *const *shape, const naming *m)
{
    const gn_dim *n = gn_dim_const(x->dims, (int64_t)gn_dtype_size(dtype));
    for (size_t d = 0; d < rank; d++) n = gn_dim_mul(x->dims, n, dim_for(x, shape[d], m));
    return n;
}

/* From the first element of a view to the last; strides are not negative. */
static const gn_dim *span(gn_dim_pool *dims, gn_dtype dtype, size_t rank, const gn_dim *const *extent,
                          const gn_dim *const *stride)
{
    const gn_dim *last = gn_dim_const(dims, 0), *one = gn_dim_const(dims, 1);
    for (size_t d = 0; d < rank; d++)
        last = gn_dim_add(dims, last, gn_dim_mul(dims, gn_dim_sub(dims, extent[d], one), stride[d]));
    return gn_dim_scale(dims, gn_dim_add(dims, last, one), (int64_t)gn_dtype_size(dtype));
}

static const gn_dim *kernel_bytes(gn_accesses *x, const gn_pstep *s, uint32_t arg, bool elements)
{
    const gn_kernel *k = gn_access_kernel(x, s->kernel);
    if (arg >= k->bufs.n) return x->p->values.at[s->arg[arg]].bytes;
    const gn_kbuf *b = &k->bufs.at[arg];
    const naming m = naming_of(x, s);
    if (elements || !b->stride) return product(x, b->dtype, b->rank, b->shape, &m);
    return dim_for(x, span(k->dims, b->dtype, b->rank, b->shape, b->stride), &m);
}

static const gn_sx *read_shape(gn_accesses *x, const char *text)
{
    return gn_sx_read(x->arena, "routine", text, strlen(text))->at[0];
}

static const gn_dim *call_bytes(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    const gn_routine *r = s->of.call->routine;
    const naming m = { r->ndim, r->dim, s->of.call->dim };
    if (arg >= r->narg) return dim_for(x, gn_dim_read(x->dims, "routine", read_shape(x, r->workspace)), &m);
    const gn_sx *shape = read_shape(x, r->arg[arg].shape);
    const gn_dim **d = GN_NEW_ARRAY(x->arena, const gn_dim *, shape->n);
    for (size_t i = 0; i < shape->n; i++) d[i] = gn_dim_read(x->dims, "routine", shape->at[i]);
    return product(x, r->arg[arg].dtype, shape->n, d, &m);
}

static const gn_dim *copy_bytes(gn_accesses *x, const gn_pstep *s, uint32_t arg, bool elements)
{
    const gn_pcopy *c = s->of.copy;
    const gn_pvalue *v = &x->p->values.at[s->arg[arg]];
    if (!c->rank) return v->bytes;
    if (!elements) return span(x->dims, v->dtype, c->rank, c->extent, arg ? c->from : c->to);
    return product(x, v->dtype, c->rank, c->extent, &(naming){ 0 });
}

static const gn_dim *bytes_of(gn_accesses *x, const gn_pstep *s, uint32_t arg, bool elements)
{
    if (s->kind == GN_STEP_COPY) return copy_bytes(x, s, arg, elements);
    return s->kind == GN_STEP_CALL ? call_bytes(x, s, arg) : kernel_bytes(x, s, arg, elements);
}

const gn_dim *gn_access_bytes(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    return bytes_of(x, s, arg, false);
}

const gn_dim *gn_access_elements(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    return bytes_of(x, s, arg, true);
}

/* ---- rows ---- */

static bool are_multiples(gn_dim_pool *dims, size_t n, const gn_dim *const *stride, const gn_dim *of)
{
    for (size_t d = 0; d < n; d++)
        if (!gn_dim_exact(dims, stride[d], of)) return false;
    return true;
}

static gn_access_rows rows_of(gn_dim_pool *dims, gn_dtype dtype, size_t rank, const gn_dim *const *extent,
                              const gn_dim *const *stride)
{
    const int64_t size = (int64_t)gn_dtype_size(dtype);
    const gn_dim *one = gn_dim_const(dims, 1), *width = one;
    gn_access_rows r = { 0 };
    for (size_t d = rank; d-- > 0;) { /* width: from the first element of the dims behind this one to their last */
        if (stride[d] != width) {
            r.strided = true;
            if (are_multiples(dims, d, stride, stride[d]))
                r.level[r.n].width = gn_dim_scale(dims, width, size),
                r.level[r.n++].pitch = gn_dim_scale(dims, stride[d], size);
        }
        width = gn_dim_add(dims, gn_dim_mul(dims, gn_dim_sub(dims, extent[d], one), stride[d]), width);
    }
    return r;
}

gn_access_rows gn_access_rows_of(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    const gn_dtype dtype = x->p->values.at[s->arg[arg]].dtype;
    if (s->kind == GN_STEP_COPY)
        return rows_of(x->dims, dtype, s->of.copy->rank, s->of.copy->extent, arg ? s->of.copy->from : s->of.copy->to);
    const gn_kernel *k = s->kind == GN_STEP_KERNEL ? gn_access_kernel(x, s->kernel) : NULL;
    if (!k || arg >= k->bufs.n || !k->bufs.at[arg].stride) return (gn_access_rows){ 0 };
    const gn_kbuf *b = &k->bufs.at[arg];
    gn_access_rows r = rows_of(k->dims, dtype, b->rank, b->shape, b->stride);
    const naming m = naming_of(x, s);
    for (int i = 0; i < r.n; i++)
        r.level[i].width = dim_for(x, r.level[i].width, &m), r.level[i].pitch = dim_for(x, r.level[i].pitch, &m);
    return r;
}

gn_access_shape gn_access_shape_of(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    if (s->kind == GN_STEP_COPY) return (gn_access_shape){ s->of.copy->rank, s->of.copy->extent };
    const gn_kernel *k = s->kind == GN_STEP_KERNEL ? gn_access_kernel(x, s->kernel) : NULL;
    if (!k || arg >= k->bufs.n) return (gn_access_shape){ 0 };
    const gn_kbuf *b = &k->bufs.at[arg];
    const gn_dim **extent = GN_NEW_ARRAY(x->arena, const gn_dim *, b->rank);
    const naming m = naming_of(x, s);
    for (int d = 0; d < b->rank; d++) extent[d] = dim_for(x, b->shape[d], &m);
    return (gn_access_shape){ b->rank, extent };
}
