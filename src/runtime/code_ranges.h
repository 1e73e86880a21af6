/* Where the code of some libraries lies, and stopping a thread that is there. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gn_code_ranges {
    struct { uintptr_t start, end; } at[16];
    size_t n;
} gn_code_ranges;

/* Adds the code of the loaded library that this path, or a path ending in "/NAME", was loaded from. False: it is not
 * loaded. *found: its path. */
bool gn_code_add(gn_code_ranges *, const char *path_or_name, char *found, size_t capacity);

/* The signal that gn_thread_park uses: a real-time one that nobody handles. A thread that may be parked must not block
 * it. 0: there is none. */
int gn_park_signal(void);
/* Stops a thread for good while its program counter is in one of the ranges, and so in no function of libc, whose locks
 * it might hold: it sleeps for the rest of the process and touches nothing. False: it was never met there. `has_ended`
 * tells that there is no need any more. */
bool gn_thread_park(pthread_t, const gn_code_ranges *, bool (*has_ended)(void *user), void *user);
