/* Which build of Gnomon this is: passes and emitter are part of what makes a program, so their version belongs to its
 * key. */
#pragma once
#include <stddef.h>

/* Writes the linker's build id of the file that holds this code in hex, or, if it has none, its size and time. Never
 * empty. */
void gn_build_id(char *out, size_t capacity);
