/* What a fork must leave usable in the child, where the other threads are gone and what they held stays held: whoever
 * owns a lock is asked to take it before, so that nothing is half done, and to make it anew in the child.
 *
 * They are asked in the order in which they came, which is also the order in which a thread that needs several of them
 * must lock them. No lock of theirs may be held while another is added. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct gn_fork_watch {
    void (*before)(void *user);                /* NULL: there is nothing to take */
    void (*after)(void *user, bool is_child);
    void *user;
    struct gn_fork_watch *next, *prev;         /* set by gn_fork_add */
} gn_fork_watch;

uint64_t gn_fork_add(gn_fork_watch *);         /* returns its place in the order, never one twice */
void gn_fork_remove(gn_fork_watch *);
