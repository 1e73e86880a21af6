/* Child processes: an argument list and an environment of their own, no shell, an end in any case. */
#pragma once
#include <stdbool.h>
#include <gnomon/base.h>
#include "bytes.h"

typedef struct gn_child {
    const char *path;            /* of the program, absolute */
    const char *const *argv, *const *env; /* ended by NULL; nothing comes from this process's environment */
    int seconds;                 /* then it and its process group are killed */
} gn_child;

typedef struct gn_child_end {
    bool late;                   /* killed: time was over */
    bool chatty;                 /* killed: it printed without end */
    /* somebody else (a SIGCHLD that is ignored or handled) took its status: judge it by what it left */
    bool lost;
    int status;                  /* as of waitpid, if none of these */
} gn_child_end;

/* Runs it, collects the first 64 KiB that it prints, waits for it (not for others that keep its output open), kills
 * what it leaves in its process group. GN_ECOMPILER: it cannot be started. */
gn_status gn_spawn(const gn_child *, gn_bytes *words, gn_child_end *);
