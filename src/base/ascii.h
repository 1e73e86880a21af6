/* Classes of characters in ASCII. Those of the C library answer by the program's locale: a Turkish i has another upper
 * case, and a Latin-1 letter would be one of a name. No byte of a UTF-8 sequence belongs to a class. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

static inline bool gn_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool gn_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}
static inline bool gn_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
static inline bool gn_is_letter(char c)
{
    return gn_is_lower(c) || gn_is_upper(c);
}
static inline bool gn_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool gn_begins_name(char c) /* an identifier of C */
{
    return gn_is_letter(c) || c == '_';
}
static inline bool gn_in_name(char c)
{
    return gn_begins_name(c) || gn_is_digit(c);
}
static inline char gn_to_upper(char c)
{
    return gn_is_lower(c) ? (char)(c - 'a' + 'A') : c;
}
static inline char gn_to_lower(char c)
{
    return gn_is_upper(c) ? (char)(c - 'A' + 'a') : c;
}
static inline int gn_hex_digit(char c) /* -1: none */
{
    const char l = gn_to_lower(c);
    return gn_is_digit(c) ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* Characters of the identifier that `text` begins with; 0: none. */
static inline size_t gn_name_length(const char *text)
{
    size_t n = 0;
    if (gn_begins_name(*text))
        while (gn_in_name(text[n])) n++;
    return n;
}
static inline bool gn_is_name(const char *text)
{
    const size_t n = gn_name_length(text);
    return n > 0 && !text[n];
}
