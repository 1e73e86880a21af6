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
                const int64_t row = 12288*ky + 4096*kx + 32*oo;
                const int64_t row_2 = 18432*oo + 6144*ky + 2048*kx;
                GN_UNROLL(2)
                for (int64_t c = 0; c < 64; c++) {
                    gn_store_f32x16(w + row_2 + 32*c, gn_load_f32x16(Wt + row + 64*c));
                    gn_store_f32x16(w + row_2 + 32*c + 16, gn_load_f32x16(Wt + row + 64*c + 16));
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
            const int64_t row_3 = 200704*n + 3584*yy + 64*xx;
            for (int64_t c0 = 0; c0 < 4; c0++) {
                gn_store_f32x16(xp + 3712*yy + 64*xx + 16*c0, 0 < yy && yy < 57 && 0 < xx && xx < 57 ? gn_load_f32x16(X + (row_3 + 16*c0 - 3648)) : gn_splat_f32x16(0.0f));
            }
        }
    }
    for (int64_t oo = 0; oo < 2; oo++) {
        for (int64_t y = 0; y < 56; y++) {
            const int64_t row_6 = 200704*n + 3584*y + 32*oo;
            for (int64_t x0 = 0; x0 < 4; x0++) {
                gn_f32x16 acc[14][2];
                GN_UNROLLED(14)
                for (int64_t x1 = 0; x1 < 14; x1++) {
                    acc[x1][0] = gn_splat_f32x16(0.0f);
                    acc[x1][1] = gn_splat_f32x16(0.0f);
                }
                for (int64_t ky = 0; ky < 3; ky++) {
                    for (int64_t kx = 0; kx < 3; kx++) {
                        const int64_t row_4 = 18432*oo + 6144*ky + 2048*kx;
                        const int64_t row_5 = 3712*ky + 3712*y + 896*x0 + 64*kx;
                        GN_UNROLL(2)
                        for (int64_t c = 0; c < 64; c++) {
                            const gn_f32x16 v2 = gn_load_f32x16(w + row_4 + 32*c);
                            const gn_f32x16 v3 = gn_load_f32x16(w + row_4 + 32*c + 16);
                            GN_UNROLLED(14)
                            for (int64_t x1 = 0; x1 < 14; x1++) {
                                const float s4 = xp[row_5 + 64*x1 + c];
                                acc[x1][0] = gn_fma_f32x16(gn_splat_f32x16(s4), v2, acc[x1][0]);
                                acc[x1][1] = gn_fma_f32x16(gn_splat_f32x16(s4), v3, acc[x1][1]);
                            }
                        }
                    }
                }
                GN_UNROLLED(14)
                for (int64_t x1 = 0; x1 < 14; x1++) {
                    gn_store_f32x16(Y + row_6 + 896*x0 + 64*x1, acc[x1][0]);
                    gn_store_f32x16(Y + row_6 + 896*x0 + 64*x1 + 16, acc[x1][1]);
                }
            }
        }
    }
}
