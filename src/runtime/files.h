/* Writing files from within somebody else's process: the limit on file sizes must not end it. */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Writes all of it; false with errno. Past RLIMIT_FSIZE that is EFBIG, and the signal that would come with it does not. */
bool gn_write_all(int fd, const void *bytes, size_t size);
bool gn_set_size(int fd, long long size); /* ftruncate, likewise */
/* A directory of this user alone from here up: every component belongs to root or to the user, and nobody else may
 * write it, unless it is sticky. Symbolic links of the two are followed. Missing ones are made, mode 0700, whatever the
 * umask. A descriptor, or -1 with the reason in the message; `path`, of PATH_MAX bytes, has where it led. */
int gn_open_private(const char *dir, char *path);
/* The same, but the last one may be root's and sticky (as /tmp is), and is not made. */
int gn_open_safe(const char *dir, char *path);
/* Removes a directory with all that is in it. Links are not followed. */
void gn_remove_tree(int parent, const char *name);
/* A directory inside another, made if it is missing. -1: errno. */
int gn_open_inside(int parent, const char *name);
