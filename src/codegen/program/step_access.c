#include "step_access.h"
#include "code_as_kernel.h"
#include <string.h>

gn_accesses gn_accesses_of(gn_arena *arena, const gn_program *p)
{
    return (gn_accesses){ arena, p, GN_NEW_ARRAY(arena, const gn_kernel *, p->kernels.n) };
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

/* Of buffer `arg` of a kernel: its shape, or its strides, over the program's symbols. */
static const gn_dim *const *kernel_dims(gn_accesses *x, const gn_pstep *s, uint32_t arg, const gn_dim *const *d)
{
    const gn_kernel *k = gn_access_kernel(x, s->kernel);
    const gn_dim **out = GN_NEW_ARRAY(x->arena, const gn_dim *, k->bufs.at[arg].rank);
    for (int i = 0; i < k->bufs.at[arg].rank; i++) out[i] = gn_program_kernel_dim(x->p, k, s->sym, d[i]);
    return out;
}

static const gn_dim *bytes_of_all(gn_accesses *x, gn_dtype dtype, size_t rank, const gn_dim *const *shape)
{
    return gn_dim_scale(x->p->dims, gn_dims_product(x->p->dims, rank, shape), (int64_t)gn_dtype_size(dtype));
}

/* From the first element of a view to the last; strides are not negative. */
static const gn_dim *span(gn_accesses *x, gn_dtype dtype, size_t rank, const gn_dim *const *extent,
                          const gn_dim *const *stride)
{
    gn_dim_pool *dims = x->p->dims;
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
    const gn_dim *const *shape = kernel_dims(x, s, arg, b->shape);
    if (elements || !b->stride) return bytes_of_all(x, b->dtype, b->rank, shape);
    return span(x, b->dtype, b->rank, shape, kernel_dims(x, s, arg, b->stride));
}

static const gn_sx *read_shape(gn_accesses *x, const char *text)
{
    return gn_sx_read(x->arena, "routine", text, strlen(text))->at[0];
}

static const gn_dim *dim_of_call(void *user, const char *symbol)
{
    const gn_pcall *c = user;
    for (size_t i = 0; i < c->routine->ndim; i++)
        if (strcmp(c->routine->dim[i], symbol) == 0) return c->dim[i];
    return NULL;
}

static const gn_dim *call_dim(gn_accesses *x, const gn_pcall *c, const gn_sx *text)
{
    return gn_dim_subst(x->p->dims, gn_dim_read(x->p->dims, "routine", text), dim_of_call, (void *)(uintptr_t)c);
}

static const gn_dim *call_bytes(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    const gn_routine *r = s->of.call->routine;
    if (arg >= r->narg) return call_dim(x, s->of.call, read_shape(x, r->workspace));
    const gn_sx *shape = read_shape(x, r->arg[arg].shape);
    const gn_dim **d = GN_NEW_ARRAY(x->arena, const gn_dim *, shape->n);
    for (size_t i = 0; i < shape->n; i++) d[i] = call_dim(x, s->of.call, shape->at[i]);
    return bytes_of_all(x, r->arg[arg].dtype, shape->n, d);
}

static const gn_dim *copy_bytes(gn_accesses *x, const gn_pstep *s, uint32_t arg, bool elements)
{
    const gn_pcopy *c = s->of.copy;
    const gn_pvalue *v = &x->p->values.at[s->arg[arg]];
    if (!c->rank) return v->bytes;
    if (elements) return bytes_of_all(x, v->dtype, c->rank, c->extent);
    return span(x, v->dtype, c->rank, c->extent, arg ? c->from : c->to);
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

/* Of a buffer that the kernel has from outside; NULL: another argument. */
static const gn_kbuf *buffer_of(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    const gn_kernel *k = s->kind == GN_STEP_KERNEL ? gn_access_kernel(x, s->kernel) : NULL;
    return k && arg < k->bufs.n ? &k->bufs.at[arg] : NULL;
}

gn_access_rows gn_access_rows_of(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    const gn_dtype dtype = x->p->values.at[s->arg[arg]].dtype;
    const gn_pcopy *c = s->of.copy;
    if (s->kind == GN_STEP_COPY) return rows_of(x->p->dims, dtype, c->rank, c->extent, arg ? c->from : c->to);
    const gn_kbuf *b = buffer_of(x, s, arg);
    if (!b || !b->stride) return (gn_access_rows){ 0 };
    return rows_of(x->p->dims, dtype, b->rank, kernel_dims(x, s, arg, b->shape), kernel_dims(x, s, arg, b->stride));
}

gn_access_shape gn_access_shape_of(gn_accesses *x, const gn_pstep *s, uint32_t arg)
{
    if (s->kind == GN_STEP_COPY) return (gn_access_shape){ s->of.copy->rank, s->of.copy->extent };
    const gn_kbuf *b = buffer_of(x, s, arg);
    return b ? (gn_access_shape){ b->rank, kernel_dims(x, s, arg, b->shape) } : (gn_access_shape){ 0 };
}
