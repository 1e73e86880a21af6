/* Calls and bindings. A call finds its frame by its sizes in the function's pool, so that a loop over equal batches prepares once. */
#include "func_state.h"
#include <string.h>
#include "error.h"
#include "view.h"

enum { POOL = 8, FEW_SYMBOLS = 32 };

static bool is_for(const gn_frame *fr, const int64_t *sym)
{
    for (size_t i = 0; i < fr->f->program->syms.n; i++)
        if (fr->sym[i] != sym[i]) return false;
    return true;
}

static gn_frame *take_from_pool(gn_func *f, const int64_t *sym)
{
    gn_frame *found = NULL;
    pthread_mutex_lock(&f->lock);
    for (gn_frame **at = &f->pool; *at; at = &(*at)->next) {
        if (!is_for(*at, sym)) continue;
        found = *at;
        *at = found->next;
        break;
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}

/* Newest first; the oldest beyond the bound is released. */
static void put_into_pool(gn_func *f, gn_frame *fr)
{
    gn_frame *old = NULL;
    int n = 0;
    pthread_mutex_lock(&f->lock);
    fr->next = f->pool;
    f->pool = fr;
    for (gn_frame **at = &f->pool; *at; at = &(*at)->next) {
        if (++n <= POOL) continue;
        old = *at;
        *at = NULL;
        break;
    }
    pthread_mutex_unlock(&f->lock);
    gn_frame_free(old);
}

void gn_func_show_sizes(gn_func *f, const gn_frame *fr)
{
    pthread_mutex_lock(&f->lock);
    f->info.peak_bytes = fr->memory_bytes + fr->scratch_bytes;
    f->info.all_bytes = (size_t)fr->plan.all_bytes;
    f->info.bound_bytes = (size_t)fr->plan.bound_bytes;
    pthread_mutex_unlock(&f->lock);
}

gn_status gn_func_borrow(gn_func *f, const int64_t *sym, gn_frame **out)
{
    gn_frame *fr = atomic_exchange_explicit(&f->hot, NULL, memory_order_acquire);
    if (fr && is_for(fr, sym)) return *out = fr, GN_OK;
    if (fr) put_into_pool(f, fr);
    gn_status s = GN_OK;
    if (!(fr = take_from_pool(f, sym))) s = gn_frame_new(&fr, f, sym);
    if (fr) gn_func_show_sizes(f, fr);
    *out = fr;
    return s;
}

void gn_func_return(gn_func *f, gn_frame *fr)
{
    gn_frame *other = atomic_exchange_explicit(&f->hot, fr, memory_order_acq_rel);
    if (other) put_into_pool(f, other);
}

/* Hands over what GN_NEW asked for, or releases it. */
static void finish_new(const gn_frame *fr, bool good)
{
    const gn_func *f = fr->f;
    for (uint32_t s = f->program->ninputs; s < f->nslots; s++) {
        gn_array *const to = fr->now[s].fill;
        if (!to) continue;
        if (good) {
            *to = fr->now[s];
            to->fill = NULL;
        } else {
            gn_block_free(f->allocator, fr->now[s].data, 0);
        }
    }
}

static gn_status call_with(gn_func *f, const int64_t *sym, gn_arrays in, gn_arrays out)
{
    gn_frame *fr;
    gn_status s = gn_func_borrow(f, sym, &fr);
    if (s) return s;
    if (!(s = gn_frame_fill(fr, "gn_call", in, out))) {
        s = gn_frame_run(fr);
        finish_new(fr, !s);
    }
    gn_func_return(f, fr);
    return s;
}

/* ---- the usual call: row-major arrays of the sizes of the last one, checked without a closer look ---- */

static bool is_as_expected(const gn_array *a, const gn_slot_form *form)
{
    if (a->dtype != form->dtype || a->rank != form->rank || a->fill) return false;
    for (int d = 0; d < form->rank; d++)
        if (a->shape[d] != form->shape[d] || (a->stride[d] != form->stride[d] && form->shape[d] != 1)) return false;
    return a->data || !form->bytes;
}

/* Fills the frame if every array is just what it was made for; false if anything is otherwise, also a mistake. */
static bool fill_quickly(gn_frame *fr, gn_arrays in, gn_arrays out)
{
    const uint32_t ninputs = fr->f->program->ninputs, nslots = fr->f->nslots;
    if (fr->any_staged || fr->any_new) return false;
    for (uint32_t s = 0; s < nslots; s++) {
        const gn_array *a = s < ninputs ? &in.at[s] : &out.at[s - ninputs];
        if (!is_as_expected(a, &fr->form[s])) return false;
        fr->low[s] = (uintptr_t)a->data, fr->high[s] = (uintptr_t)a->data + (uintptr_t)fr->form[s].bytes;
    }
    for (uint32_t o = ninputs; o < nslots; o++)
        for (uint32_t s = 0; s < o; s++)
            if (fr->low[o] < fr->high[s] && fr->low[s] < fr->high[o]) return false;
    for (uint32_t s = 0; s < nslots; s++) {
        void *const data = (void *)fr->low[s];
        fr->now[s].data = data;
        gn_frame_set(fr, s, data);
    }
    return true;
}

/* True: it was called, with *status. */
static bool call_quickly(gn_func *f, gn_arrays in, gn_arrays out, gn_status *status)
{
    if (in.n != f->program->ninputs || out.n != f->program->noutputs || (in.n && !in.at) || (out.n && !out.at)) return false;
    gn_frame *fr = atomic_exchange_explicit(&f->hot, NULL, memory_order_acquire);
    if (!fr) return false;
    const bool fits = fill_quickly(fr, in, out);
    if (fits) *status = gn_frame_run(fr);
    gn_func_return(f, fr);
    return fits;
}

gn_status gn_call(gn_func *f, gn_arrays in, gn_arrays out)
{
    int64_t few[FEW_SYMBOLS], *sym = few;
    gn_status quick;
    if (!f) return gn_error(GN_EINVAL, "gn_call: the function is NULL");
    if (call_quickly(f, in, out, &quick)) return quick;
    const size_t n = f->program->syms.n;
    if (n > FEW_SYMBOLS && !(sym = gn_alloc(f->allocator, n * sizeof *sym))) return GN_ENOMEM;
    gn_status s = gn_call_sizes(f, "gn_call", in, out, sym);
    if (!s) s = call_with(f, sym, in, out);
    if (sym != few) gn_release(f->allocator, sym, n * sizeof *sym);
    return s;
}

/* ---- bindings ---- */

struct gn_binding {
    gn_frame *frame;
};

static gn_status bind_frame(gn_binding *b, gn_func *f, gn_arrays in, gn_arrays outputs, int64_t *sym)
{
    gn_status s = gn_call_sizes(f, "gn_bind", in, outputs, sym);
    if (!s) s = gn_frame_new(&b->frame, f, sym);
    if (!s) s = gn_frame_fill(b->frame, "gn_bind", in, outputs);
    if (!s) gn_func_show_sizes(f, b->frame);
    return s;
}

gn_status gn_bind(gn_binding **out, gn_func *f, gn_arrays in, gn_arrays outputs)
{
    if (!out) return gn_error(GN_EINVAL, "gn_bind: out is NULL");
    *out = NULL;
    if (!f) return gn_error(GN_EINVAL, "gn_bind: the function is NULL");
    for (size_t i = 0; outputs.at && i < outputs.n; i++)
        if (outputs.at[i].fill) return gn_error(GN_EINVAL, "gn_bind: %s: output %zu is GN_NEW; a binding needs memory that stays", f->program->name, i);
    const size_t nsym = (f->program->syms.n + 1) * sizeof(int64_t);
    gn_binding *b = gn_alloc_zeroed(f->allocator, sizeof *b);
    int64_t *sym = b ? gn_alloc(f->allocator, nsym) : NULL;
    gn_status s = sym ? bind_frame(b, f, in, outputs, sym) : GN_ENOMEM;
    if (sym) gn_release(f->allocator, sym, nsym);
    if (s) {
        if (b) gn_frame_free(b->frame), gn_release(f->allocator, b, sizeof *b);
        return s;
    }
    gn_func_keep(f);
    *out = b;
    return GN_OK;
}

gn_status gn_run(gn_binding *b)
{
    return b ? gn_frame_run(b->frame) : gn_error(GN_EINVAL, "gn_run: the binding is NULL");
}

gn_status gn_bind_set(gn_binding *b, size_t slot, void *data)
{
    if (!b) return gn_error(GN_EINVAL, "gn_bind_set: the binding is NULL");
    gn_frame *fr = b->frame;
    if (slot >= fr->f->nslots)
        return gn_error(GN_EINVAL, "gn_bind_set: slot %zu of %u inputs and outputs of %s", slot, (unsigned)fr->f->nslots, fr->f->program->name);
    if (!data && fr->count[slot]) return gn_error(GN_EINVAL, "gn_bind_set: data of '%s' is NULL", fr->f->slot[slot].name);
    gn_array moved = fr->now[slot];
    moved.data = data;
    for (uint32_t s = 0; s < fr->f->nslots; s++) {
        const bool matters = s != slot && (s >= fr->f->program->ninputs || slot >= fr->f->program->ninputs);
        if (matters && gn_array_overlaps(&moved, &fr->now[s]))
            return gn_error(GN_EINVAL, "gn_bind_set: '%s' would overlap '%s' in memory", fr->f->slot[slot].name, fr->f->slot[s].name);
    }
    fr->now[slot] = moved;
    if (!fr->is_staged[slot]) gn_frame_set(fr, (uint32_t)slot, data);
    return GN_OK;
}

void gn_binding_free(gn_binding *b)
{
    if (!b) return;
    gn_func *f = b->frame->f;
    gn_frame_free(b->frame);
    gn_release(f->allocator, b, sizeof *b);
    gn_func_free(f);
}
