/* (kernel softmax (syms R C)
 *   (bufs (X f32 R C) (Y f32 R C))
 *   (axes (i R) (j C))
 *   (def m (i) (max (j) (load X i j)))
 *   (def e (i j) (exp (sub (load X i j) (m i))))
 *   (def s (i) (sum (j) (e i j)))
 *   (store set Y (i j) (mul (e i j) (div 1.0 (s i))))) */
extern "C" __global__ void __launch_bounds__(256, 1) softmax_0(const float *X, float *Y, int64_t R, int64_t C)
{
    const int64_t i = (int64_t)blockIdx.x;
    const int jt = (int)threadIdx.x;
    float m_a = (-GN_INF_F32);
    for (int64_t j0 = 0; j0 < (C + 255)/256; j0++) {
        const float s1 = X[C*i + gn_min_i64(C - 1, 256*j0 + jt)];
        const float s2 = gn_max_f32(m_a, s1);
        const _Bool s3 = 256*j0 + jt < C;
        m_a = s3 ? s2 : m_a;
    }
    float m = gn_block_max_f32(m_a);
    float s_a = 0.0f;
    for (int64_t j0 = 0; j0 < (C + 255)/256; j0++) {
        const float s6 = X[C*i + gn_min_i64(C - 1, 256*j0 + jt)];
        const float s7 = s6 - m;
        const float s8 = gn_exp_f32(s7);
        const float s9 = s_a + s8;
        const _Bool s10 = 256*j0 + jt < C;
        s_a = s10 ? s9 : s_a;
    }
    float s = gn_block_sum_f32(s_a);
    const int64_t row = C*i + jt;
    for (int64_t j0 = 0; j0 < (C + 255)/256; j0++) {
        const float s13 = X[C*i + gn_min_i64(C - 1, 256*j0 + jt)];
        const float s14 = s13 - m;
        const float s15 = gn_exp_f32(s14);
        const float s16 = 1.0f / s;
        const float s17 = s15 * s16;
        if (256*j0 + jt < C)
            Y[row + 256*j0] = s17;
    }
}
