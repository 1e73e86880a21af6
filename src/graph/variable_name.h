/* Names of inputs and variables. */
#pragma once
#include "shared.h"
#include <stdbool.h>

static inline bool gn_is_leaf_name(const char *s)
{
    const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", rest[] = "0123456789./-";
    if (!s || !*s || !__builtin_strchr(letters, *s)) return false;
    for (; *s; s++)
        if (!__builtin_strchr(letters, *s) && !__builtin_strchr(rest, *s)) return false;
    return true;
}
