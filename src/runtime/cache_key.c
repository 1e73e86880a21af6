/* Keys: a hash over fields, each with its length before it, so that no two lists of fields run together. */
#include "cache.h"
#include <sodium.h>

gn_key gn_key_of(size_t n, const char *const *fields, const size_t *lengths)
{
    gn_key key;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof key.bytes);
    for (size_t i = 0; i < n; i++) {
        uint8_t length[8];
        for (int b = 0; b < 8; b++) length[b] = (uint8_t)((uint64_t)lengths[i] >> 8 * b);
        crypto_generichash_update(&state, length, sizeof length);
        crypto_generichash_update(&state, (const unsigned char *)fields[i], lengths[i]);
    }
    crypto_generichash_final(&state, key.bytes, sizeof key.bytes);
    return key;
}

void gn_key_hex(const gn_key *key, char out[65])
{
    sodium_bin2hex(out, 65, key->bytes, sizeof key->bytes);
}
