/* Words that a careless namer would trip over: all of C11, C23, C++20 and CUDA, of headers and of generated code. Those
 * that a graph takes as names of inputs and dims. Written from the standards, not from what the compiler knows. */
#pragma once

static const char *const every_word[] = {
    /* C11 */
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
    "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof",
    "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "_Alignas", "_Alignof",
    "_Atomic", "_Bool", "_Complex", "_Generic", "_Imaginary", "_Noreturn", "_Static_assert", "_Thread_local",
    /* C23 */
    "alignas", "alignof", "bool", "constexpr", "false", "nullptr", "static_assert", "thread_local", "true", "typeof",
    "typeof_unqual", "_BitInt", "_Decimal32", "_Decimal64", "_Decimal128", "__func__", "__VA_OPT__", "unreachable",
    /* C++20 */
    "and", "and_eq", "asm", "bitand", "bitor", "catch", "char8_t", "char16_t", "char32_t", "class", "co_await",
    "co_return", "co_yield", "compl", "concept", "const_cast", "consteval", "constinit", "decltype", "delete",
    "dynamic_cast", "explicit", "export", "final", "friend", "import", "module", "mutable", "namespace", "new",
    "noexcept", "not", "not_eq", "operator", "or", "or_eq", "override", "private", "protected", "public",
    "reinterpret_cast", "requires", "static_cast", "template", "this", "throw", "try", "typeid", "typename", "using",
    "virtual", "wchar_t", "xor", "xor_eq",
    /* macros */
    "NULL", "NAN", "INFINITY", "HUGE_VAL", "EOF", "INT8_MAX", "INT64_MAX", "INT64_MIN", "UINT32_MAX", "SIZE_MAX",
    "INT32_C", "CHAR_BIT", "DBL_MAX", "FLT_EPSILON", "M_PI", "I", "errno", "assert", "offsetof", "stdin", "stdout",
    "stderr", "linux", "unix", "i386", "complex", "imaginary", "noreturn", "isnan", "isinf", "signbit", "fpclassify",
    "__LINE__", "__FILE__", "__GNUC__", "__clang__", "__cplusplus", "__CUDACC__", "__CUDA_ARCH__",
    /* types */
    "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t", "size_t", "ptrdiff_t",
    "intptr_t", "uintptr_t", "max_align_t", "nullptr_t", "FILE",
    /* functions */
    "memcpy", "memset", "memmove", "main", "sin", "cos", "exp", "log", "pow", "sqrt", "abs", "min", "max", "fma",
    "printf", "malloc", "free", "exit", "abort", "clock", "time", "index", "div", "signal", "y0", "j1", "gamma",
    /* CUDA */
    "threadIdx", "blockIdx", "blockDim", "gridDim", "warpSize", "dim3", "float2", "float4", "uint4", "int2",
    "make_float4", "half", "half2", "__half", "__global__", "__device__", "__shared__", "__constant__", "__restrict__",
    "__syncthreads", "__launch_bounds__", "__float2half", "cudaStream_t", "cudaError_t", "atomicAdd", "rsqrt",
    "surface", "texture", "tex2D", "wmma", "nvcuda", "std", "thrust", "laneId",
    /* the prelude */
    "gn_load", "gn_load_f32x8", "gn_load_f32x16", "gn_store_f32x16", "gn_f32x8", "gn_f32x16", "gn_b16",
    "gn_splat_f32x16", "gn_fma_f32", "gn_fma_f32x16", "gn_add_i64", "gn_min_i64", "gn_max_i64", "gn_div_i64",
    "gn_mod_i64", "gn_hsum_f32x16", "gn_tanh_f32", "gn_tanh_f32x16", "gn_exp_f32x16", "gn_tr16_f32", "gn_word_u64",
    "gn_sse_f32", "gn_block_sum_f32", "GN_UNROLL", "GN_INLINE", "GN_CALLED", "GN_PRAGMA", "GN_INF_F32", "GN_NAN_F32",
    "GN_ALL_16", "GN_FREESTANDING", "GN_HAS_tanh_f32x16",
    /* generated code */
    "arg", "sym", "part", "arena", "weights", "memory", "at", "i", "j", "k", "l", "n", "m", "p", "q", "r", "u", "x",
    "y", "z", "w", "a", "b", "c", "d", "e", "f", "g", "h", "s", "t", "v", "acc", "a_0", "b_0", "acc_0", "acc_1",
    "acc_0_0", "acc_0_3", "acc_2_0_1", "i_0", "i_1", "j_0", "k_0", "k_1", "acc_a", "acc_a_0", "acc_0_a_0", "sum_1_p",
    "sum_1_p_a_0", "sum_1", "sum_2", "sum_2_p", "sum_0", "max_1", "exp_1", "mul_1", "mul_0", "add_0", "tanh_0", "acc_k",
    "i0", "i1", "ip", "ii", "j0", "jl", "ju", "ji", "k0", "k1", "kq", "k1_0", "k0_0", "k1_1", "k2_0", "gn_c0", "gn_c1",
    "c0", "c1", "gn_k", "v0", "v1", "v12", "s1", "s2", "s33", "m1", "m2", "t1", "t2", "tmp0", "tmp1", "tmp0_0",
    "tmp1_0", "tmp2", "out", "out0", "out1", "out2", "index0", "names", "names_0", "names_weights", "names_initial",
    "names_constant_3", "NAMES_ARENA_BYTES", "NAMES_H", "names_H", "names_h", "u_x", "u_gn_load", "x_", "x_1", "x_2",
    "int_", "if_", "NULL_u", "rest", "lane", "root", "set", "load", "inf", "nan", "cdiv", "mod", "lt", "eq", "any",
    "all", "prod",
};
enum { NWORDS = sizeof every_word / sizeof *every_word };
