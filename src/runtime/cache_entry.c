/* The bytes of an entry: making them, and believing them only after every one was hashed. */
#include "cache_state.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

static const char magic[8] = { 'G', 'N', 'O', 'M', 'O', 'N', '0', '1' };
enum { HASH = 32, KEY = 32, MAX_ENTRY = 1 << 30 };

static void put_u64(char *at, uint64_t v)
{
    for (int i = 0; i < 8; i++) at[i] = (char)(uint8_t)(v >> 8 * i);
}

static uint64_t get_u64(const char *at)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v |= (uint64_t)(uint8_t)at[i] << 8 * i;
    return v;
}

static void hash_of(const char *bytes, size_t size, uint8_t out[HASH])
{
    crypto_generichash(out, HASH, (const unsigned char *)bytes, size, NULL, 0);
}

char *gn_entry_make(const gn_allocator *allocator, const gn_key *key, const void *object, size_t size, const char *meta,
                    size_t meta_size, size_t *total)
{
    if (size > MAX_ENTRY || meta_size > MAX_ENTRY) return NULL;
    *total = size + meta_size + GN_TRAILER;
    char *bytes = gn_alloc(allocator, *total), *at = bytes;
    if (!bytes) return NULL;
    if (size) memcpy(at, object, size);
    at += size;
    if (meta_size) memcpy(at, meta, meta_size);
    at += meta_size;
    memcpy(at, key->bytes, KEY);
    put_u64(at + KEY, size);
    put_u64(at + KEY + 8, meta_size);
    memcpy(at + KEY + 16, magic, sizeof magic);
    hash_of(bytes, *total - HASH, (uint8_t *)(at + KEY + 24));
    return bytes;
}

static gn_status read_whole(int fd, char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = pread(fd, bytes + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return gn_error(GN_EFORMAT, "cannot be read whole");
        done += (size_t)n;
    }
    return GN_OK;
}

static gn_status judge(const gn_key *key, gn_entry *e)
{
    uint8_t hash[HASH];
    const char *tail = e->bytes + e->size - GN_TRAILER;
    hash_of(e->bytes, e->size - HASH, hash);
    if (memcmp(hash, e->bytes + e->size - HASH, HASH)) return gn_error(GN_EFORMAT, "its hash is wrong");
    if (memcmp(tail + KEY + 16, magic, sizeof magic)) return gn_error(GN_EFORMAT, "it is of another version");
    if (key && memcmp(tail, key->bytes, KEY)) return gn_error(GN_EFORMAT, "it belongs to another key");
    const uint64_t object = get_u64(tail + KEY), meta = get_u64(tail + KEY + 8);
    if (object > e->size || meta > e->size || object + meta + GN_TRAILER != e->size)
        return gn_error(GN_EFORMAT, "its sizes are wrong");
    e->object = (size_t)object, e->meta = (size_t)meta;
    return GN_OK;
}

gn_status gn_entry_read(const gn_allocator *allocator, int fd, const gn_key *key, gn_entry *out)
{
    struct stat st;
    *out = (gn_entry){ 0 };
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) return gn_error(GN_EFORMAT, "it is no regular file");
    if (st.st_uid != geteuid() || (st.st_mode & 022)) return gn_error(GN_EFORMAT, "others may write it");
    if (st.st_size < GN_TRAILER || st.st_size > MAX_ENTRY) return gn_error(GN_EFORMAT, "its size is wrong");
    out->size = (size_t)st.st_size;
    if (!(out->bytes = gn_alloc(allocator, out->size))) return GN_ENOMEM;
    gn_status s = read_whole(fd, out->bytes, out->size);
    if (!s) s = judge(key, out);
    if (s) {
        gn_release(allocator, out->bytes, out->size);
        *out = (gn_entry){ 0 };
    }
    return s;
}

bool gn_entry_name_is_good(const char *name)
{
    return strlen(name) == GN_CACHE_NAME && strspn(name, "0123456789abcdef") == 64 && !strcmp(name + 64, ".so");
}
