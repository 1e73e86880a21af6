/* (kernel conv (syms B (H :is 56) (W :is 56) (C :is 64) (O :is 64))
 *   (bufs (X f32 B H W C) (Wt f32 3 3 C O) (Y f32 B H W O))
 *   (axes (n B) (y H) (x W) (o O) (ky 3) (kx 3) (c C) (yy (add H 2)) (xx (add W 2)) (cc C))
 *   (def xp (n yy xx cc) (if (and (lt 0 yy) (lt yy (add H 1)) (lt 0 xx) (lt xx (add W 1))) (load X n (add yy -1) (add xx -1) cc) 0.0))
 *   (def w (ky kx c o) (load Wt ky kx c o))
 *   (def acc (n y x o) (sum (ky kx c) (mul (xp n (add ky y) (add kx x) c) (w ky kx c o))))
 *   (store set Y (n y x o) (acc n y x o))) */
void conv_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const Wt = (const float *)arg[1];
    float *const w = (float *)arg[4];
    (void)sym;
    (void)part;
    for (int64_t oo = 0; oo < 2; oo++) {
        for (int64_t ky = 0; ky < 3; ky++) {
            for (int64_t kx = 0; kx < 3; kx++) {
                GN_UNROLL(2)
                for (int64_t c = 0; c < 64; c++) {
                    const gn_f32x16 v1 = gn_load_f32x16(Wt + 64*c + 4096*kx + 12288*ky + 32*oo);
                    gn_store_f32x16(w + 32*c + 2048*kx + 6144*ky + 18432*oo, v1);
                    const gn_f32x16 v2 = gn_load_f32x16(Wt + 64*c + 4096*kx + 12288*ky + 32*oo + 16);
                    gn_store_f32x16(w + 32*c + 2048*kx + 6144*ky + 18432*oo + 16, v2);
                }
            }
        }
    }
}

void conv_1(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const X = (const float *)arg[0];
    float *const Y = (float *)arg[2];
    float *const xp = (float *)arg[3];
    float *const w = (float *)arg[4];
    (void)sym;
    const int64_t n = part;
    for (int64_t yy = 0; yy < 58; yy++) {
        for (int64_t xx = 0; xx < 58; xx++) {
            for (int64_t c0 = 0; c0 < 4; c0++) {
                const gn_f32x16 v1 = 0 < yy && yy < 57 && 0 < xx && xx < 57 ? gn_load_f32x16(X + (16*c0 + 200704*n + 64*xx + 3584*yy - 3648)) : gn_splat_f32x16(0.0f);
                gn_store_f32x16(xp + 16*c0 + 64*xx + 3712*yy, v1);
            }
        }
    }
    for (int64_t oo = 0; oo < 2; oo++) {
        for (int64_t y = 0; y < 56; y++) {
            for (int64_t x0 = 0; x0 < 4; x0++) {
                gn_f32x16 acc_0_0, acc_0_1, acc_1_0, acc_1_1, acc_2_0, acc_2_1, acc_3_0, acc_3_1;
                gn_f32x16 acc_4_0, acc_4_1, acc_5_0, acc_5_1, acc_6_0, acc_6_1, acc_7_0, acc_7_1;
                gn_f32x16 acc_8_0, acc_8_1, acc_9_0, acc_9_1, acc_10_0, acc_10_1, acc_11_0, acc_11_1;
                gn_f32x16 acc_12_0, acc_12_1, acc_13_0, acc_13_1;
                acc_0_0 = gn_splat_f32x16(0.0f);
                acc_0_1 = gn_splat_f32x16(0.0f);
                acc_1_0 = gn_splat_f32x16(0.0f);
                acc_1_1 = gn_splat_f32x16(0.0f);
                acc_2_0 = gn_splat_f32x16(0.0f);
                acc_2_1 = gn_splat_f32x16(0.0f);
                acc_3_0 = gn_splat_f32x16(0.0f);
                acc_3_1 = gn_splat_f32x16(0.0f);
                acc_4_0 = gn_splat_f32x16(0.0f);
                acc_4_1 = gn_splat_f32x16(0.0f);
                acc_5_0 = gn_splat_f32x16(0.0f);
                acc_5_1 = gn_splat_f32x16(0.0f);
                acc_6_0 = gn_splat_f32x16(0.0f);
                acc_6_1 = gn_splat_f32x16(0.0f);
                acc_7_0 = gn_splat_f32x16(0.0f);
                acc_7_1 = gn_splat_f32x16(0.0f);
                acc_8_0 = gn_splat_f32x16(0.0f);
                acc_8_1 = gn_splat_f32x16(0.0f);
                acc_9_0 = gn_splat_f32x16(0.0f);
                acc_9_1 = gn_splat_f32x16(0.0f);
                acc_10_0 = gn_splat_f32x16(0.0f);
                acc_10_1 = gn_splat_f32x16(0.0f);
                acc_11_0 = gn_splat_f32x16(0.0f);
                acc_11_1 = gn_splat_f32x16(0.0f);
                acc_12_0 = gn_splat_f32x16(0.0f);
                acc_12_1 = gn_splat_f32x16(0.0f);
                acc_13_0 = gn_splat_f32x16(0.0f);
                acc_13_1 = gn_splat_f32x16(0.0f);
                for (int64_t ky = 0; ky < 3; ky++) {
                    for (int64_t kx = 0; kx < 3; kx++) {
                        GN_UNROLL(2)
                        for (int64_t c = 0; c < 64; c++) {
                            const float s2 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y];
                            const gn_f32x16 v3 = gn_load_f32x16(w + 32*c + 2048*kx + 6144*ky + 18432*oo);
                            acc_0_0 = gn_fma_f32x16(gn_splat_f32x16(s2), v3, acc_0_0);
                            const gn_f32x16 v5 = gn_load_f32x16(w + 32*c + 2048*kx + 6144*ky + 18432*oo + 16);
                            acc_0_1 = gn_fma_f32x16(gn_splat_f32x16(s2), v5, acc_0_1);
                            const float s7 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 64];
                            acc_1_0 = gn_fma_f32x16(gn_splat_f32x16(s7), v3, acc_1_0);
                            acc_1_1 = gn_fma_f32x16(gn_splat_f32x16(s7), v5, acc_1_1);
                            const float s10 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 128];
                            acc_2_0 = gn_fma_f32x16(gn_splat_f32x16(s10), v3, acc_2_0);
                            acc_2_1 = gn_fma_f32x16(gn_splat_f32x16(s10), v5, acc_2_1);
                            const float s13 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 192];
                            acc_3_0 = gn_fma_f32x16(gn_splat_f32x16(s13), v3, acc_3_0);
                            acc_3_1 = gn_fma_f32x16(gn_splat_f32x16(s13), v5, acc_3_1);
                            const float s16 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 256];
                            acc_4_0 = gn_fma_f32x16(gn_splat_f32x16(s16), v3, acc_4_0);
                            acc_4_1 = gn_fma_f32x16(gn_splat_f32x16(s16), v5, acc_4_1);
                            const float s19 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 320];
                            acc_5_0 = gn_fma_f32x16(gn_splat_f32x16(s19), v3, acc_5_0);
                            acc_5_1 = gn_fma_f32x16(gn_splat_f32x16(s19), v5, acc_5_1);
                            const float s22 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 384];
                            acc_6_0 = gn_fma_f32x16(gn_splat_f32x16(s22), v3, acc_6_0);
                            acc_6_1 = gn_fma_f32x16(gn_splat_f32x16(s22), v5, acc_6_1);
                            const float s25 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 448];
                            acc_7_0 = gn_fma_f32x16(gn_splat_f32x16(s25), v3, acc_7_0);
                            acc_7_1 = gn_fma_f32x16(gn_splat_f32x16(s25), v5, acc_7_1);
                            const float s28 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 512];
                            acc_8_0 = gn_fma_f32x16(gn_splat_f32x16(s28), v3, acc_8_0);
                            acc_8_1 = gn_fma_f32x16(gn_splat_f32x16(s28), v5, acc_8_1);
                            const float s31 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 576];
                            acc_9_0 = gn_fma_f32x16(gn_splat_f32x16(s31), v3, acc_9_0);
                            acc_9_1 = gn_fma_f32x16(gn_splat_f32x16(s31), v5, acc_9_1);
                            const float s34 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 640];
                            acc_10_0 = gn_fma_f32x16(gn_splat_f32x16(s34), v3, acc_10_0);
                            acc_10_1 = gn_fma_f32x16(gn_splat_f32x16(s34), v5, acc_10_1);
                            const float s37 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 704];
                            acc_11_0 = gn_fma_f32x16(gn_splat_f32x16(s37), v3, acc_11_0);
                            acc_11_1 = gn_fma_f32x16(gn_splat_f32x16(s37), v5, acc_11_1);
                            const float s40 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 768];
                            acc_12_0 = gn_fma_f32x16(gn_splat_f32x16(s40), v3, acc_12_0);
                            acc_12_1 = gn_fma_f32x16(gn_splat_f32x16(s40), v5, acc_12_1);
                            const float s43 = xp[c + 64*kx + 3712*ky + 896*x0 + 3712*y + 832];
                            acc_13_0 = gn_fma_f32x16(gn_splat_f32x16(s43), v3, acc_13_0);
                            acc_13_1 = gn_fma_f32x16(gn_splat_f32x16(s43), v5, acc_13_1);
                        }
                    }
                }
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y, acc_0_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 16, acc_0_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 64, acc_1_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 80, acc_1_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 128, acc_2_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 144, acc_2_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 192, acc_3_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 208, acc_3_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 256, acc_4_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 272, acc_4_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 320, acc_5_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 336, acc_5_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 384, acc_6_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 400, acc_6_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 448, acc_7_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 464, acc_7_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 512, acc_8_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 528, acc_8_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 576, acc_9_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 592, acc_9_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 640, acc_10_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 656, acc_10_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 704, acc_11_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 720, acc_11_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 768, acc_12_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 784, acc_12_1);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 832, acc_13_0);
                gn_store_f32x16(Y + 200704*n + 32*oo + 896*x0 + 3584*y + 848, acc_13_1);
            }
        }
    }
}
