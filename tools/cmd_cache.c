/* `gnomon cache`: what lies in the cache of compiled code. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "commands.h"
#include "context_state.h"
#include "number.h"

static int help(FILE *f)
{
    fputs("usage: gnomon cache [--dir DIR] list | verify | prune [BYTES] | clear\n\n"
          "  list      one line an entry: size, age, key, name\n"
          "  verify    reads every entry and checks its hash; exit status 1 if one is bad (a bad entry is compiled "
          "again, never "
          "used)\n"
          "  prune     removes what was unused longest until at most BYTES stay; K, M and G may follow the number "
          "[512M]\n"
          "  clear     removes everything\n\n"
          "  --dir DIR   instead of $GNOMON_CACHE_DIR, $XDG_CACHE_HOME/gnomon or ~/.cache/gnomon\n",
          f);
    return f == stdout ? 0 : EXIT_USAGE;
}

typedef struct totals {
    bool verify, print;
    int64_t entries, bad, bytes;
} totals;

static void visit(void *user, const gn_cache_entry *e)
{
    totals *t = user;
    t->entries++;
    t->bytes += e->bytes;
    t->bad += !e->good;
    if (!t->print || (t->verify && e->good)) return;
    const double hours = difftime(time(NULL), (time_t)e->mtime) / 3600;
    printf("%8s KiB  %6s h  %.16s  %s%s\n", gn_number_fixed((char[GN_NUMBER_SIZE]){ 0 }, (double)e->bytes / 1024, 1),
           gn_number_fixed((char[GN_NUMBER_SIZE]){ 0 }, hours, 1), e->key, e->name ? e->name : "",
           e->good ? "" : "  BAD");
}

/* "64M"; false if it is no size. */
static bool read_size(const char *text, int64_t *bytes)
{
    char *end;
    const long long n = strtoll(text, &end, 10);
    const int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (end == text || n < 0 || end[shift != 0] != '\0' || n > INT64_MAX >> shift) return false;
    *bytes = (int64_t)n << shift;
    return true;
}

static int walk(gn_cache *cache, bool verify)
{
    totals t = {.verify = verify, .print = true};
    if (gn_cache_walk(cache, verify, visit, &t)) return complain(gn_message());
    const char *const mib = gn_number_fixed((char[GN_NUMBER_SIZE]){ 0 }, (double)t.bytes / (1 << 20), 1);
    printf("%" PRId64 " entries, %s MiB in %s", t.entries, mib, gn_cache_dir(cache));
    if (verify) printf(", %" PRId64 " bad", t.bad);
    putchar('\n');
    return t.bad != 0;
}

static int prune(gn_cache *cache, int64_t max_bytes)
{
    int64_t removed = 0;
    if (gn_cache_prune(cache, max_bytes, &removed)) return complain(gn_message());
    printf("removed %" PRId64 " bytes from %s\n", removed, gn_cache_dir(cache));
    return 0;
}

static int run(gn_cache *cache, int argc, char **argv)
{
    int64_t bytes = (int64_t)512 << 20;
    if (!gn_cache_dir(cache)) return complain("the cache is off");
    if (argc == 1 && strcmp(argv[0], "list") == 0) return walk(cache, false);
    if (argc == 1 && strcmp(argv[0], "verify") == 0) return walk(cache, true);
    if (argc == 1 && strcmp(argv[0], "clear") == 0) return prune(cache, 0);
    if (argc >= 1 && argc <= 2 && strcmp(argv[0], "prune") == 0 && (argc == 1 || read_size(argv[1], &bytes)))
        return prune(cache, bytes);
    return help(stderr);
}

int cmd_cache(int argc, char **argv)
{
    static const struct option options[] = {{"dir", 1, 0, 'd'}, {"help", 0, 0, 'h'}, {0}};
    gn_context_options o = {0};
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'd': o.cache_dir = optarg; break;
        case 'h': return help(stdout);
        default: return help(stderr);
        }
    }
    gn_context *context;
    gn_cache *cache;
    if (gn_context_new(&context, &o)) return complain(gn_message());
    int status = gn_cache_open(&cache, &gn_allocator_libc, context->cache_dir, context->cache_bytes)
                     ? complain(gn_message())
                     : 0;
    if (!status) {
        status = run(cache, argc - optind, argv + optind);
        gn_cache_close(cache);
    }
    gn_context_free(context);
    return status;
}
