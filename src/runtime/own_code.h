/* The file that holds this code: a shared library, or what it was linked into. */
#pragma once

/* From now on dlclose leaves it where it is: threads of ours run in it, and handlers for fork and exit point to it.
 * Cheap after the first time. */
void gn_own_code_stays(void);
