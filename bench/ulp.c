/* Worst error of the bodies of math functions, in ulp: `ulp [--target NAME] [--stride N] [--cc COMMAND] [OP..]` sweeps
 * the bits of all f32 (every stride-th; 1 is all of them) and samples f64, against long double libm. Prints a row per
 * function and dtype for docs/math.md. */
#include <dlfcn.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ops/bodies.h"
#include "dtype.h"
#include "expand.h"
#include "measure.h"

static void usage(FILE *f)
{
    fprintf(f, "usage: ulp [--target avx512|avx2|generic] [--stride N] [--count N] [--cc COMMAND] [--f32 | --f64] [OP..]\n"
               "Measures the worst error in ulp of the bodies of math functions.\n"
               "  --stride N    every N-th float of f32 [9973]; 1 sweeps all 2^32\n"
               "  --count N     samples of f64 [2000000]\n");
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "target", 1, 0, 't' }, { "stride", 1, 0, 's' },
                                             { "count", 1, 0, 'n' },  { "cc", 1, 0, 'c' },
                                             { "f32", 0, 0, '3' },    { "f64", 0, 0, '6' },
                                             { "help", 0, 0, 'h' },   { 0 } };
    measure_options o = {.target = gn_target_host(), .cc = "cc", .stride = 9973, .count = 2000000};
    bool f32 = true, f64 = true;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 't': o.target = gn_target_find(optarg); break;
        case 's': o.stride = strtoul(optarg, NULL, 10); break;
        case 'n': o.count = strtoul(optarg, NULL, 10); break;
        case 'c': o.cc = optarg; break;
        case '3': f64 = false; break;
        case '6': f32 = false; break;
        case 'h': usage(stdout); return 0;
        default: usage(stderr); return 2;
        }
    }
    if (!o.target || !gn_target_runs_here(o.target) || !o.stride) return usage(stderr), 2;
    printf("| function | dtype | worst ulp | at | tested |\n|---|---|---|---|---|\n");
    static const char *const all[] = {
#define NAME(name) #name,
        GN_BODIES(NAME) NULL
#undef NAME
    };
    int bad = 0;
    for (const char *const *op = optind < argc ? (const char *const *)argv + optind : all; *op; op++)
        for (int is64 = 0; is64 < 2; is64++) {
            measure m;
            if (!(is64 ? f64 : f32) || !expand_body_text(*op, is64 ? GN_F64 : GN_F32)) continue;
            if (measure_body(&m, &o, *op, is64 ? GN_F64 : GN_F32)) {
                fprintf(stderr, "%s: %s\n", *op, gn_message());
                bad = 1;
                continue;
            }
            printf("| %s | %s | %.3f | %.9g | %lu |\n", *op, is64 ? "f64" : "f32", m.worst, m.at, (unsigned long)m.tested);
            fflush(stdout);
        }
    return bad;
}
