/* (kernel mma (syms M N K)
 *   (bufs (A f32 M K) (B f32 K N) (C f32 M N))
 *   (axes (i M) (j N) (k K))
 *   (def a (i k) (load A i k))
 *   (def b (k j) (load B k j))
 *   (def acc (i j) (sum (k) (mul (a i k) (b k j))))
 *   (store set C (i j) (acc i j))) */
extern "C" __global__ void __launch_bounds__(128, 1) mma_0(const float *A, const float *B, float *C, int64_t M, int64_t N, int64_t K)
{
    const int64_t jb = (int64_t)blockIdx.x % ((N + 31)/32);
    const int64_t ib = (int64_t)blockIdx.x / ((N + 31)/32);
    const int mt = (int)threadIdx.x % 4;
    const int mg = ((int)threadIdx.x / 4) % 8;
    const int jw = ((int)threadIdx.x / 32) % 2;
    const int iw = (int)threadIdx.x / 64;
    float acc[4][2][2][2];
    GN_UNROLLED(4)
    for (int64_t ia = 0; ia < 4; ia++) {
        acc[ia][0][0][0] = 0.0f;
        acc[ia][0][0][1] = 0.0f;
        acc[ia][0][1][0] = 0.0f;
        acc[ia][0][1][1] = 0.0f;
        acc[ia][1][0][0] = 0.0f;
        acc[ia][1][0][1] = 0.0f;
        acc[ia][1][1][0] = 0.0f;
        acc[ia][1][1][1] = 0.0f;
    }
    for (int64_t k0 = 0; k0 < (K + 15)/16; k0++) {
        __shared__ __align__(16) float a[2176];
        __shared__ __align__(16) float b[640];
        __syncthreads();
        for (int c0 = threadIdx.x; c0 < 2048; c0 += 128) {
            const float s1 = A[K*gn_min_i64(M - 1, 128*ib + c0/16) + gn_min_i64(K - 1, 16*k0 + c0%16)];
            const _Bool s2 = 128*ib + c0/16 < M && 16*k0 + c0%16 < K;
            a[136*(c0%16) + c0/16] = s2 ? s1 : 0.0f;
        }
        for (int c1 = threadIdx.x; c1 < 512; c1 += 128) {
            const float s4 = B[N*gn_min_i64(K - 1, 16*k0 + c1/32) + gn_min_i64(N - 1, 32*jb + c1%32)];
            const _Bool s5 = 32*jb + c1%32 < N && 16*k0 + c1/32 < K;
            b[40*(c1/32) + c1%32] = s5 ? s4 : 0.0f;
        }
        __syncthreads();
        const int64_t row = 136*mt + 64*iw + mg;
        const int64_t row_2 = 40*mt + 16*jw + mg;
        for (int64_t k2 = 0; k2 < 2; k2++) {
            const float s7 = a[row + 1088*k2];
            const float s8 = a[row + 1088*k2 + 8];
            const float s9 = a[row + 1088*k2 + 544];
            const float s10 = a[row + 1088*k2 + 552];
            const float s11 = b[row_2 + 320*k2];
            const float s12 = b[row_2 + 320*k2 + 160];
            gn_mma_m16n8k8_tf32(&acc[0][0][0][0], &acc[0][0][0][1], &acc[0][1][0][0], &acc[0][1][0][1], s7, s8, s9, s10, s11, s12);
            const float s13 = b[row_2 + 320*k2 + 8];
            const float s14 = b[row_2 + 320*k2 + 168];
            gn_mma_m16n8k8_tf32(&acc[0][0][1][0], &acc[0][0][1][1], &acc[0][1][1][0], &acc[0][1][1][1], s7, s8, s9, s10, s13, s14);
            const float s15 = a[row + 1088*k2 + 16];
            const float s16 = a[row + 1088*k2 + 24];
            const float s17 = a[row + 1088*k2 + 560];
            const float s18 = a[row + 1088*k2 + 568];
            gn_mma_m16n8k8_tf32(&acc[1][0][0][0], &acc[1][0][0][1], &acc[1][1][0][0], &acc[1][1][0][1], s15, s16, s17, s18, s11, s12);
            gn_mma_m16n8k8_tf32(&acc[1][0][1][0], &acc[1][0][1][1], &acc[1][1][1][0], &acc[1][1][1][1], s15, s16, s17, s18, s13, s14);
            const float s19 = a[row + 1088*k2 + 32];
            const float s20 = a[row + 1088*k2 + 40];
            const float s21 = a[row + 1088*k2 + 576];
            const float s22 = a[row + 1088*k2 + 584];
            gn_mma_m16n8k8_tf32(&acc[2][0][0][0], &acc[2][0][0][1], &acc[2][1][0][0], &acc[2][1][0][1], s19, s20, s21, s22, s11, s12);
            gn_mma_m16n8k8_tf32(&acc[2][0][1][0], &acc[2][0][1][1], &acc[2][1][1][0], &acc[2][1][1][1], s19, s20, s21, s22, s13, s14);
            const float s23 = a[row + 1088*k2 + 48];
            const float s24 = a[row + 1088*k2 + 56];
            const float s25 = a[row + 1088*k2 + 592];
            const float s26 = a[row + 1088*k2 + 600];
            gn_mma_m16n8k8_tf32(&acc[3][0][0][0], &acc[3][0][0][1], &acc[3][1][0][0], &acc[3][1][0][1], s23, s24, s25, s26, s11, s12);
            gn_mma_m16n8k8_tf32(&acc[3][0][1][0], &acc[3][0][1][1], &acc[3][1][1][0], &acc[3][1][1][1], s23, s24, s25, s26, s13, s14);
        }
    }
    GN_UNROLLED(4)
    for (int64_t ia = 0; ia < 4; ia++) {
        if (128*ib + 64*iw + 16*ia + mg < M && 32*jb + 16*jw + 2*mt < N)
            C[128*N*ib + 64*N*iw + 16*N*ia + N*mg + 32*jb + 16*jw + 2*mt] = acc[ia][0][0][0];
        if (128*ib + 64*iw + 16*ia + mg < M && 32*jb + 16*jw + 2*mt + 1 < N)
            C[128*N*ib + 64*N*iw + 16*N*ia + N*mg + 32*jb + 16*jw + 2*mt + 1] = acc[ia][0][0][1];
        if (128*ib + 64*iw + 16*ia + mg < M && 32*jb + 16*jw + 2*mt + 8 < N)
            C[128*N*ib + 64*N*iw + 16*N*ia + N*mg + 32*jb + 16*jw + 2*mt + 8] = acc[ia][0][1][0];
        if (128*ib + 64*iw + 16*ia + mg < M && 32*jb + 16*jw + 2*mt + 9 < N)
            C[128*N*ib + 64*N*iw + 16*N*ia + N*mg + 32*jb + 16*jw + 2*mt + 9] = acc[ia][0][1][1];
        if (128*ib + 64*iw + 16*ia + mg + 8 < M && 32*jb + 16*jw + 2*mt < N)
            C[128*N*ib + 64*N*iw + 16*N*ia + N*mg + 32*jb + 16*jw + 8*N + 2*mt] = acc[ia][1][0][0];
        if (128*ib + 64*iw + 16*ia + mg + 8 < M && 32*jb + 16*jw + 2*mt + 1 < N)
            C[128*N*ib + 64*N*iw + 16*N*ia + N*mg + 32*jb + 16*jw + 8*N + 2*mt + 1] = acc[ia][1][0][1];
        if (128*ib + 64*iw + 16*ia + mg + 8 < M && 32*jb + 16*jw + 2*mt + 8 < N)
            C[128*N*ib + 64*N*iw + 16*N*ia + N*mg + 32*jb + 16*jw + 8*N + 2*mt + 8] = acc[ia][1][1][0];
        if (128*ib + 64*iw + 16*ia + mg + 8 < M && 32*jb + 16*jw + 2*mt + 9 < N)
            C[128*N*ib + 64*N*iw + 16*N*ia + N*mg + 32*jb + 16*jw + 8*N + 2*mt + 9] = acc[ia][1][1][1];
    }
}
