/* Is a shared object what the loader takes it for? The loader believes every offset in it, so that a file cut short, or
 * with a hole where its tables were, ends the process. */
#pragma once
#include <gnomon/base.h>

/* GN_EFORMAT, and what is wrong with it: a segment, section or table that the file does not have, a name or a
 * relocation that points outside. */
gn_status gn_elf_check(const void *bytes, size_t size);
/* The same for generated code, which must not have a name of its own (soname) either: under that the loader would give
 * it to others. */
gn_status gn_elf_check_code(const void *bytes, size_t size);
/* The first `capacity` libraries that an object needs, and where it says to look for them (NULL: nowhere). Texts lie in
 * `bytes`. 0 if it is no shared object. */
size_t gn_elf_needs(const void *bytes, size_t size, const char *names[], size_t capacity, const char **runpath);
