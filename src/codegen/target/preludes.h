/* The templates of all targets as strings, made from *.prelude in the build. */
#pragma once
extern const char gn_prelude_scalar[], gn_prelude_vector[], gn_prelude_generic[], gn_prelude_avx2[], gn_prelude_avx512[],
    gn_prelude_cuda[];
/* What stands before them, from *.head likewise. In C contraction is off in every compiler, so that an fma stands
 * exactly where the text says so. `freestanding`: compilers call memcpy and memset for plain assignments; an object
 * that is linked to nothing brings its own. `avx512`: all lanes of a mask, where gcc takes it for a signed number and
 * clang does not. `cuda`: an emulation that runs the same text on a CPU has declared these types before it. */
extern const char gn_head_c[], gn_head_freestanding[], gn_head_vector[], gn_head_avx2[], gn_head_avx512[],
    gn_head_cuda[];
