/* Views of host memory, and blocks that own it. */
#include "view.h"
#include "checked.h"
#include "dtype.h"
#include "error.h"
#include <string.h>
#include <sys/mman.h>

gn_array gn_array_of(void *data, gn_dtype dtype, int rank, const int64_t *shape)
{
    gn_array a = gn_array_scalar(data, dtype);
    int64_t step = 1;
    a.rank = rank;
    for (int d = (rank < GN_MAX_RANK ? rank : GN_MAX_RANK) - 1; d >= 0; d--) {
        a.shape[d] = shape[d];
        a.stride[d] = step;
        if (gn_mul_overflows(step, shape[d], &step)) step = 0; /* gn_array_count tells it */
    }
    return a;
}

gn_array gn_array_rows(gn_array a, int64_t first, int64_t n)
{
    a.data = (char *)a.data + first * a.stride[0] * (int64_t)gn_dtype_size(a.dtype);
    a.shape[0] = n;
    return a;
}

int64_t gn_array_count(const gn_array *a)
{
    int64_t n = 1;
    bool empty = false, overflows = false;
    for (int d = 0; d < a->rank; d++) {
        if (a->shape[d] < 0) return -1;
        if (a->shape[d] == 0) empty = true;
        else if (gn_mul_overflows(n, a->shape[d], &n)) overflows = true, n = 1;
    }
    return empty ? 0 : overflows ? -1 : n;
}

bool gn_array_is_row_major(const gn_array *a)
{
    int64_t step = 1;
    const int64_t count = gn_array_count(a);
    if (count <= 0) return !count;
    for (int d = a->rank - 1; d >= 0; d--) {
        if (a->shape[d] != 1 && a->stride[d] != step) return false;
        step *= a->shape[d];
    }
    return true;
}

static void copy_line(char *to, int64_t to_step, const char *from, int64_t from_step, int64_t n, size_t size)
{
    to_step *= (int64_t)size, from_step *= (int64_t)size;
    for (int64_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, size);
}

/* The innermost axes that lie densely in both make one block; the others are counted through. */
void gn_array_copy(const gn_array *to, const gn_array *from)
{
    const size_t size = gn_dtype_size(to->dtype);
    int64_t block = 1, at[GN_MAX_RANK] = { 0 }, to_at = 0, from_at = 0;
    int outer = to->rank;
    if (gn_array_count(to) <= 0) return;
    while (outer > 0 && (to->shape[outer - 1] == 1 || (to->stride[outer - 1] == block && from->stride[outer - 1] == block)))
        block *= to->shape[--outer];
    const bool by_line = block == 1 && outer > 0;
    const int64_t line = by_line ? to->shape[--outer] : 1;
    for (;;) {
        char *const target = (char *)to->data + to_at * (int64_t)size;
        const char *const source = (const char *)from->data + from_at * (int64_t)size;
        if (by_line) copy_line(target, to->stride[outer], source, from->stride[outer], line, size);
        else memcpy(target, source, (size_t)block * size);
        int d = outer - 1;
        for (; d >= 0; d--) {
            to_at += to->stride[d], from_at += from->stride[d];
            if (++at[d] < to->shape[d]) break;
            to_at -= at[d] * to->stride[d], from_at -= at[d] * from->stride[d];
            at[d] = 0;
        }
        if (d < 0) return;
    }
}

/* Stands before the data of a block, so that freeing needs neither the allocator nor the size. */
typedef struct block_head {
    gn_allocator allocator;
    void *raw;
    size_t raw_bytes;
} block_head;

enum { SMALL_ALIGN = 64, HUGE_ALIGN = 2 << 20, HUGE_FROM = 4 << 20 };

void *gn_block_new(const gn_allocator *a, size_t bytes)
{
    const size_t align = bytes >= HUGE_FROM ? HUGE_ALIGN : SMALL_ALIGN;
    size_t whole;
    if (!a) a = &gn_allocator_libc;
    if (__builtin_add_overflow(bytes, align + sizeof(block_head), &whole)) {
        gn_error(GN_ENOMEM, "out of memory: a block of %zu bytes", bytes);
        return NULL;
    }
    char *const raw = gn_alloc(a, whole);
    if (!raw) return NULL;
    char *const data = raw + sizeof(block_head) + (-(uintptr_t)(raw + sizeof(block_head)) & (align - 1));
    const block_head head = { *a, raw, whole };
    memcpy(data - sizeof head, &head, sizeof head);
    /* advice: it may be refused */
    if (align == HUGE_ALIGN) (void)madvise(data, bytes & ~(size_t)(HUGE_ALIGN - 1), MADV_HUGEPAGE);
    return data;
}

void gn_block_free(const gn_allocator *a, void *block, size_t bytes)
{
    (void)a, (void)bytes;
    if (!block) return;
    block_head head;
    memcpy(&head, (char *)block - sizeof head, sizeof head);
    gn_release(&head.allocator, head.raw, head.raw_bytes);
}

void gn_array_free(gn_array *a)
{
    if (!a) return;
    gn_block_free(NULL, a->data, 0);
    memset(a, 0, sizeof *a);
}
