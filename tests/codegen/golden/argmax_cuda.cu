/* (kernel argmax (syms M N K)
 *   (bufs (X f32 M N) (Y i32 M) (Z f32 M))
 *   (axes (i M) (j N))
 *   (def x (i j) (floor (mul 4.0 (load X i j))))
 *   (def s (i) (fold (j) (at i32 2147483647) (v f32 -inf)
 *       (step (select (or (gt (x i j) v) (and (eq (x i j) v) (lt (index j) at))) (index j) at) (select (gt (x i j) v) (x i j) v))
 *       (merge (select (or (gt (other v) v) (and (eq (other v) v) (lt (other at) at))) (other at) at) (select (gt (other v) v) (other v) v))))
 *   (store set Y (i) (s.at i))
 *   (store set Z (i) (s.v i))) */
extern "C" __global__ void __launch_bounds__(8, 1) argmax_0(const float *X, int32_t *Y, float *Z, int64_t M, int64_t N, int64_t K)
{
    const int64_t i = (int64_t)blockIdx.x;
    const int jt = (int)threadIdx.x;
    int32_t s_at_a = 2147483647;
    float s_v_a = (-GN_INF_F32);
    for (int64_t j0 = 0; j0 < (N + 7)/8; j0++) {
        const float s1 = X[N*i + gn_min_i64(N - 1, 8*j0 + jt)];
        const float s2 = 4.0f * s1;
        const float s3 = gn_floor_f32(s2);
        const _Bool s4 = s3 > s_v_a;
        const _Bool s5 = s3 == s_v_a;
        const int32_t s6 = (int32_t)(8*j0 + jt);
        const _Bool s7 = s6 < s_at_a;
        const _Bool s8 = s5 && s7;
        const _Bool s9 = s4 || s8;
        const int32_t s10 = s9 ? s6 : s_at_a;
        const _Bool s11 = 8*j0 + jt < N;
        const int32_t s12 = s11 ? s10 : s_at_a;
        const float s13 = s4 ? s3 : s_v_a;
        const float s14 = s11 ? s13 : s_v_a;
        s_at_a = s12;
        s_v_a = s14;
    }
    __shared__ __align__(16) int32_t s_at_t_[8];
    __shared__ __align__(16) float s_v_t_[8];
    s_at_t_[jt] = s_at_a;
    s_v_t_[jt] = s_v_a;
    __syncthreads();
    if (jt < 4) {
        const int32_t s15 = s_at_t_[jt];
        const float s16 = s_v_t_[jt];
        const int32_t s17 = s_at_t_[jt + 4];
        const float s18 = s_v_t_[jt + 4];
        const _Bool s19 = s18 > s16;
        const _Bool s20 = s18 == s16;
        const _Bool s21 = s17 < s15;
        const _Bool s22 = s20 && s21;
        const _Bool s23 = s19 || s22;
        const int32_t s24 = s23 ? s17 : s15;
        const float s25 = s19 ? s18 : s16;
        s_at_t_[jt] = s24;
        s_v_t_[jt] = s25;
    }
    __syncthreads();
    if (jt < 2) {
        const int32_t s26 = s_at_t_[jt];
        const float s27 = s_v_t_[jt];
        const int32_t s28 = s_at_t_[jt + 2];
        const float s29 = s_v_t_[jt + 2];
        const _Bool s30 = s29 > s27;
        const _Bool s31 = s29 == s27;
        const _Bool s32 = s28 < s26;
        const _Bool s33 = s31 && s32;
        const _Bool s34 = s30 || s33;
        const int32_t s35 = s34 ? s28 : s26;
        const float s36 = s30 ? s29 : s27;
        s_at_t_[jt] = s35;
        s_v_t_[jt] = s36;
    }
    __syncthreads();
    if (jt < 1) {
        const int32_t s37 = s_at_t_[jt];
        const float s38 = s_v_t_[jt];
        const int32_t s39 = s_at_t_[jt + 1];
        const float s40 = s_v_t_[jt + 1];
        const _Bool s41 = s40 > s38;
        const _Bool s42 = s40 == s38;
        const _Bool s43 = s39 < s37;
        const _Bool s44 = s42 && s43;
        const _Bool s45 = s41 || s44;
        const int32_t s46 = s45 ? s39 : s37;
        const float s47 = s41 ? s40 : s38;
        s_at_t_[jt] = s46;
        s_v_t_[jt] = s47;
    }
    __syncthreads();
    const int32_t s48 = s_at_t_[0];
    const float s49 = s_v_t_[0];
    __syncthreads();
    int32_t s_at = s48;
    float s_v = s49;
    Y[i] = s_at;
    Z[i] = s_v;
}
