/* Shared variables: memory that graphs and functions have in common, reference-counted. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <pthread.h>
#include <gnomon/array.h>
#include "alloc.h"
#include "forks.h"

typedef struct gn_variable {
    const gn_allocator *allocator;
    atomic_int refs;
    uint64_t id;                 /* process-wide order in which locks are taken: by calls, and by a fork */
    pthread_rwlock_t lock;       /* around the elements */
    gn_fork_watch watch;
    atomic_uint_fast64_t version;/* counts writes */
    char *name;
    gn_array value;              /* row-major, owned */
    /* a second memory, for a new value that cannot be written over the old one; NULL until a function needs it */
    void *spare;
    size_t bytes;
} gn_variable;

gn_status gn_variable_new(gn_variable **out, const gn_allocator *, const char *name, const gn_array *initial);
void gn_variable_keep(gn_variable *);
void gn_variable_release(gn_variable *);

/* So that `spare` is there. Takes the lock. */
gn_status gn_variable_prepare(gn_variable *);
/* The spare memory holds the value from now on. Of who may write. */
void gn_variable_exchange(gn_variable *);

/* Many may read at once; one writes alone. A thread that needs several takes them in the order of their ids, none of
 * them twice. */
void gn_variable_lock(gn_variable *, bool to_write);
void gn_variable_unlock(gn_variable *);
