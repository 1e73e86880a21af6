/* Shared variables. Locks of several variables are taken in the order of their ids, across all contexts. */
#include "shared.h"
#include "checked.h"
#include "dtype.h"
#include "error.h"
#include "view.h"
#include <string.h>

static gn_status initial_bytes(const char *name, const gn_array *a, size_t *bytes)
{
    if ((unsigned)a->dtype >= GN_NDTYPES)
        return gn_error(GN_EDTYPE, "variable \"%s\": %d is no dtype", name, (int)a->dtype);
    if (a->rank < 0 || a->rank > GN_MAX_RANK)
        return gn_error(GN_ESHAPE, "variable \"%s\": rank %d, from 0 to %d is possible", name, a->rank, GN_MAX_RANK);
    const int64_t n = gn_array_count(a);
    if (n < 0 || gn_size_mul_overflows((size_t)n, gn_dtype_size(a->dtype), bytes))
        return gn_error(GN_ESHAPE, "variable \"%s\": an extent is negative or their product overflows", name);
    if (n > 0 && !a->data) return gn_error(GN_EINVAL, "variable \"%s\": its initial value has data NULL", name);
    return GN_OK;
}

/* Who reads in a tight loop must not keep writers out: where the library lets choose, a waiting writer goes first. */
static void lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attr;
    int failed = pthread_rwlockattr_init(&attr);
#if defined(__GLIBC__)
    failed |= pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    failed |= pthread_rwlock_init(lock, &attr);
    GN_ASSERT(!failed); /* a lock within the process needs nothing that could be missing */
    pthread_rwlockattr_destroy(&attr);
}

/* No write is half done when the process is forked; in the child there are no readers but the thread that forked. */
static void before_fork(void *user)
{
    gn_variable_lock(user, false);
}

static void after_fork(void *user, bool is_child)
{
    gn_variable *v = user;
    if (is_child) lock_init(&v->lock);
    else gn_variable_unlock(v);
}

gn_status gn_variable_new(gn_variable **out, const gn_allocator *allocator, const char *name, const gn_array *initial)
{
    size_t bytes = 0;
    *out = NULL;
    const gn_status bad = initial_bytes(name, initial, &bytes);
    if (bad) return bad;
    if (!allocator) allocator = &gn_allocator_libc;
    gn_variable *const v = gn_alloc_zeroed(allocator, sizeof *v);
    void *data = NULL;
    if (!v) return GN_ENOMEM;
    v->name = gn_alloc_string(allocator, name);
    data = v->name ? gn_block_new(allocator, bytes) : NULL;
    if (!data) {
        if (v->name) gn_release(allocator, v->name, strlen(v->name) + 1);
        gn_release(allocator, v, sizeof *v);
        return GN_ENOMEM;
    }
    lock_init(&v->lock);
    v->allocator = allocator;
    v->bytes = bytes;
    v->value = gn_array_of(data, initial->dtype, initial->rank, initial->shape);
    atomic_init(&v->refs, 1);
    gn_array_copy(&v->value, initial);
    v->watch = (gn_fork_watch){ .before = before_fork, .after = after_fork, .user = v };
    v->id = gn_fork_add(&v->watch);
    *out = v;
    return GN_OK;
}

void gn_variable_keep(gn_variable *v)
{
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
}

void gn_variable_release(gn_variable *v)
{
    if (!v || atomic_fetch_sub(&v->refs, 1) != 1) return;
    const gn_allocator *const allocator = v->allocator;
    gn_fork_remove(&v->watch);
    pthread_rwlock_destroy(&v->lock);
    gn_block_free(allocator, v->value.data, v->bytes);
    gn_block_free(allocator, v->spare, v->bytes);
    gn_release(allocator, v->name, strlen(v->name) + 1);
    gn_release(allocator, v, sizeof *v);
}

gn_status gn_variable_prepare(gn_variable *v)
{
    gn_variable_lock(v, true);
    if (!v->spare) v->spare = gn_block_new(v->allocator, v->bytes);
    const gn_status s = v->spare ? GN_OK : GN_ENOMEM;
    gn_variable_unlock(v);
    return s;
}

void gn_variable_exchange(gn_variable *v)
{
    void *const old = v->value.data;
    v->value.data = v->spare, v->spare = old;
}

void gn_variable_lock(gn_variable *v, bool to_write)
{
    const int failed = to_write ? pthread_rwlock_wrlock(&v->lock) : pthread_rwlock_rdlock(&v->lock);
    GN_ASSERT(!failed);
}

void gn_variable_unlock(gn_variable *v)
{
    pthread_rwlock_unlock(&v->lock);
}
