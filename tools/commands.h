/* The subcommands of `gnomon`. Each gets its own argv (argv[0] is its name) and returns the exit status. */
#pragma once
#include <stdio.h>
#include "arena.h"
#include "target.h"

enum { EXIT_USAGE = 2 };

int cmd_kernel(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_cache(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/* "gnomon: SENTENCE" on stderr; returns 1. */
int complain(const char *sentence);
/* The whole file ("-": stdin) in the arena, NUL-terminated. Throws GN_EIO. */
const char *read_text(gn_arena *, const char *path, size_t *size);
/* By name, throwing GN_EINVAL with the names there are. "cuda:sm_90" is cuda; "c" and NULL the host's. */
const gn_target *target_by_name(const char *name);
