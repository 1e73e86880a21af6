/* The templates of all targets as strings, made from *.prelude in the build. */
#pragma once
extern const char gn_prelude_scalar[], gn_prelude_vector[], gn_prelude_generic[], gn_prelude_avx2[], gn_prelude_avx512[],
    gn_prelude_amx[], gn_prelude_cuda[];
