#ifndef GN_HAS_exp_f32
#define GN_HAS_exp_f32
GN_INLINE float gn_exp_f32(float x)
{
    const _Bool s1 = x < (-104.0f);
    const float s2 = s1 ? (-104.0f) : x;
    const _Bool s3 = 89.0f < s2;
    const float s4 = s3 ? 89.0f : s2;
    const float s5 = gn_fma_f32(s4, 1.442695f, 12582912.0f);
    const float s6 = s5 - 12582912.0f;
    const float s7 = gn_fma_f32(s6, (-0.6933594f), s4);
    const float s8 = gn_fma_f32(s6, 0.00021219444f, s7);
    const float s9 = gn_fma_f32(s8, 0.0013911293f, 0.008363309f);
    const float s10 = gn_fma_f32(s9, s8, 0.041666705f);
    const float s11 = gn_fma_f32(s10, s8, 0.16666576f);
    const float s12 = gn_fma_f32(s11, s8, 0.5f);
    const float s13 = s8 * s8;
    const float s14 = gn_fma_f32(s13, s12, s8);
    const float s15 = 1.0f + s14;
    const int32_t s16 = gn_bits_f32_i32(s5);
    const int32_t s17 = gn_sub_i32(s16, 1262485504);
    const int32_t s18 = gn_shr_i32(s17, 1);
    const int32_t s19 = gn_add_i32(s18, 127);
    const int32_t s20 = gn_shl_i32(s19, 23);
    const float s21 = gn_bits_i32_f32(s20);
    const int32_t s22 = gn_sub_i32(s17, s18);
    const int32_t s23 = gn_add_i32(s22, 127);
    const int32_t s24 = gn_shl_i32(s23, 23);
    const float s25 = gn_bits_i32_f32(s24);
    const float s26 = s15 * s21;
    const float s27 = s26 * s25;
    return s27;
}
#endif

/* (kernel softmax (syms R C)
 *   (bufs (X f32 R C) (Y f32 R C))
 *   (axes (i R) (j C))
 *   (def m (i) (max (j) (load X i j)))
 *   (def e (i j) (exp (sub (load X i j) (m i))))
 *   (def s (i) (sum (j) (e i j)))
 *   (store set Y (i j) (mul (e i j) (div 1.0 (s i))))) */
extern "C" __global__ void __launch_bounds__(256) softmax_0(const float *X, float *Y, int64_t R, int64_t C)
{
    const int64_t i = (int64_t)blockIdx.x;
    const int jt = (int)threadIdx.x;
    float m;
    float m_a;
    float s;
    float s_a;
    m_a = (-GN_INF_F32);
    for (int64_t j0 = 0; j0 < (C + 255)/256; j0++) {
        const float s1 = X[C*i + gn_min_i64(C - 1, 256*j0 + jt)];
        const float s2 = gn_max_f32(m_a, s1);
        const _Bool s3 = 256*j0 + jt < C;
        m_a = s3 ? s2 : m_a;
    }
    m = gn_block_max_f32(m_a);
    s_a = 0.0f;
    for (int64_t j0 = 0; j0 < (C + 255)/256; j0++) {
        const float s6 = X[C*i + gn_min_i64(C - 1, 256*j0 + jt)];
        const float s7 = s6 - m;
        const float s8 = gn_exp_f32(s7);
        const float s9 = s_a + s8;
        const _Bool s10 = 256*j0 + jt < C;
        s_a = s10 ? s9 : s_a;
    }
    s = gn_block_sum_f32(s_a);
    for (int64_t j0 = 0; j0 < (C + 255)/256; j0++) {
        const float s13 = X[C*i + gn_min_i64(C - 1, 256*j0 + jt)];
        const float s14 = s13 - m;
        const float s15 = gn_exp_f32(s14);
        const float s16 = 1.0f / s;
        const float s17 = s15 * s16;
        if (256*j0 + jt < C)
            Y[C*i + 256*j0 + jt] = s17;
    }
}
