/* Calls and bindings. A call finds its frame by its sizes in the function's pool, so that a loop over equal batches
 * prepares once. */
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

/* Into info. */
static void show_sizes(gn_func *f, const gn_frame *fr)
{
    pthread_mutex_lock(&f->lock);
    f->info.peak_bytes = fr->memory_bytes;
    f->info.all_bytes = (size_t)fr->plan.all_bytes;
    f->info.bound_bytes = (size_t)fr->plan.bound_bytes;
    pthread_mutex_unlock(&f->lock);
}

/* The frame of the last call stays where it is while a call has it: a flag costs one exchange, where a pointer would
 * cost two. */
static bool take_hot(gn_func *f)
{
    return !atomic_exchange_explicit(&f->taken, true, memory_order_acquire);
}

static void give_hot(gn_func *f)
{
    atomic_store_explicit(&f->taken, false, memory_order_release);
}

/* Of a call that has `hot`: another frame in its place. NULL: none. */
static void make_hot(gn_func *f, gn_frame *fr)
{
    gn_frame *const old = f->hot;
    if (old) old->is_hot = false, put_into_pool(f, old);
    if (fr) fr->is_hot = true;
    f->hot = fr;
}

/* The frame of these sizes out of the pool, or a new one. */
static gn_status borrow(gn_func *f, const int64_t *sym, gn_frame **out)
{
    const bool mine = take_hot(f);
    gn_frame *fr = mine ? f->hot : NULL;
    if (fr && is_for(fr, sym)) return *out = fr, GN_OK;
    gn_status s = GN_OK;
    if (!(fr = take_from_pool(f, sym))) s = gn_frame_new(&fr, f, sym);
    if (fr) show_sizes(f, fr);
    if (mine && fr) make_hot(f, fr);
    else if (mine) give_hot(f);
    *out = fr;
    return s;
}

static void give_back(gn_func *f, gn_frame *fr)
{
    if (fr->is_hot) give_hot(f);
    else put_into_pool(f, fr);
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
    gn_status s = borrow(f, sym, &fr);
    if (s) return s;
    if (!(s = gn_frame_fill(fr, "gn_call", in, out))) {
        s = gn_frame_run(fr);
        finish_new(fr, !s);
    }
    give_back(f, fr);
    return s;
}

/* ---- the usual call: row-major arrays of the sizes of the last one, checked without a closer look ---- */

/* 0: as expected. Without branches but the loop's: most calls are. */
static uint64_t differs(const gn_array *a, const gn_slot_form *form)
{
    uint64_t bits = (uint64_t)((unsigned)a->dtype ^ (unsigned)form->dtype) |
                    (uint64_t)((unsigned)a->rank ^ (unsigned)form->rank) | (uintptr_t)a->fill;
    for (int d = 0; d < form->rank; d++)
        bits |= (uint64_t)((a->shape[d] ^ form->shape[d]) | ((a->stride[d] ^ form->stride[d]) & form->matters[d]));
    return bits;
}

/* Compares n arrays with the slots from `first` on, and adds those whose pointers changed to fr->moved. */
static bool are_as_expected(const gn_frame *fr, const gn_array *a, uint32_t first, uint32_t n, uint32_t *nmoved)
{
    uint64_t bits = 0;
    uint32_t moved = *nmoved;
    for (uint32_t i = 0; i < n; i++) {
        bits |= differs(&a[i], &fr->form[first + i]);
        fr->moved[moved] = first + i;
        moved += (uintptr_t)a[i].data != fr->low[first + i];
    }
    *nmoved = moved;
    return !bits;
}

/* Whether slot s meets one of the slots from `first` up to `end`. */
static bool meets(const gn_frame *fr, uint32_t s, uint32_t first, uint32_t end)
{
    const uintptr_t low = fr->low[s], high = fr->high[s];
    unsigned any = 0;
    for (uint32_t i = first; i < end; i++) any |= (unsigned)(low < fr->high[i]) & (unsigned)(fr->low[i] < high);
    return any;
}

/* Puts the pointers that changed into the tables; false if one is NULL, not aligned to its elements, or meets another. */
static bool move_slots(gn_frame *fr, gn_arrays in, gn_arrays out, uint32_t nmoved)
{
    const uint32_t ninputs = fr->f->program->ninputs, nslots = fr->f->nslots;
    bool good = true;
    fr->checked = false;
    for (uint32_t m = 0; m < nmoved; m++) {
        const uint32_t s = fr->moved[m];
        void *const data = s < ninputs ? in.at[s].data : out.at[s - ninputs].data;
        good &= (data || !fr->form[s].bytes) && !((uintptr_t)data & (uintptr_t)fr->form[s].unaligned);
        fr->low[s] = (uintptr_t)data, fr->high[s] = (uintptr_t)data + (uintptr_t)fr->form[s].bytes;
        fr->now[s].data = data;
        gn_frame_set(fr, s, data);
    }
    for (uint32_t m = 0; good && m < nmoved; m++) {
        const uint32_t s = fr->moved[m];
        const bool is_input = s < ninputs;
        good = !meets(fr, s, is_input ? ninputs : 0, is_input ? nslots : s) && (is_input || !meets(fr, s, s + 1, nslots));
    }
    return fr->checked = good;
}

/* Fills the frame if every array is just what it was made for; false if anything is otherwise, also a mistake. */
static bool fill_quickly(gn_frame *fr, gn_arrays in, gn_arrays out)
{
    const uint32_t ninputs = fr->f->program->ninputs;
    uint32_t nmoved = 0;
    if (!fr->checked || !are_as_expected(fr, in.at, 0, ninputs, &nmoved) ||
        !are_as_expected(fr, out.at, ninputs, fr->f->program->noutputs, &nmoved)) return false;
    return !nmoved || move_slots(fr, in, out, nmoved);
}

/* True: it was called, with *status. */
static bool call_quickly(gn_func *f, gn_arrays in, gn_arrays out, gn_status *status)
{
    if (in.n != f->program->ninputs || out.n != f->program->noutputs || (in.n && !in.at) || (out.n && !out.at))
        return false;
    if (!take_hot(f)) return false;
    gn_frame *const fr = f->hot;
    const bool fits = fr && fill_quickly(fr, in, out);
    if (fits) *status = gn_frame_run(fr);
    give_hot(f);
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
    if (!s) show_sizes(f, b->frame);
    return s;
}

gn_status gn_bind(gn_binding **out, gn_func *f, gn_arrays in, gn_arrays outputs)
{
    if (!out) return gn_error(GN_EINVAL, "gn_bind: out is NULL");
    *out = NULL;
    if (!f) return gn_error(GN_EINVAL, "gn_bind: the function is NULL");
    for (size_t i = 0; outputs.at && i < outputs.n; i++)
        if (outputs.at[i].fill)
            return gn_error(GN_EINVAL, "gn_bind: %s: output %zu is GN_NEW; a binding needs memory that stays",
                            f->program->name, i);
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
        return gn_error(GN_EINVAL, "gn_bind_set: slot %zu of %u inputs and outputs of %s", slot,
                        (unsigned)fr->f->nslots, fr->f->program->name);
    gn_array moved = fr->now[slot];
    moved.data = data;
    gn_status s = gn_frame_check_move(fr, "gn_bind_set", (uint32_t)slot, &moved);
    if (s) return s;
    const gn_array before = fr->now[slot];
    const bool was_staged = fr->is_staged[slot];
    fr->now[slot] = moved;
    if ((s = gn_frame_stage(fr, (uint32_t)slot))) fr->now[slot] = before, fr->is_staged[slot] = was_staged;
    else gn_frame_set(fr, (uint32_t)slot, fr->is_staged[slot] ? fr->staged[slot] : data);
    return s;
}

void gn_binding_free(gn_binding *b)
{
    if (!b) return;
    gn_func *f = b->frame->f;
    gn_frame_free(b->frame);
    gn_release(f->allocator, b, sizeof *b);
    gn_func_free(f);
}
