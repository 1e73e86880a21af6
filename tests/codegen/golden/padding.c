/* (kernel padding (syms N C H W)
 *   (bufs (X f32 N C H W) (K f32 C 3 3) (Y f32 N C H W))
 *   (axes (n N) (c C) (y H) (x W) (p 3) (q 3))
 *   (def s (n c y x) (sum (p q) (mul (load K c p q) (if (and (lt 0 (add p y)) (lt (add p y) (add H 1)) (lt 0 (add q x)) (lt (add q x) (add W 1))) (load X n c (add p y -1) (add q x -1)) 0.0))))
 *   (store set Y (n c y x) (s n c y x))) */
void padding_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const X = (const float *)arg[0];
    const float *const K = (const float *)arg[1];
    float *const Y = (float *)arg[2];
    const int64_t C = sym[1];
    const int64_t H = sym[2];
    const int64_t W = sym[3];
    const int64_t n = part;
    for (int64_t c = 0; c < C; c++) {
        for (int64_t y = 0; y < gn_min_i64(H, 1); y++) {
            const int64_t row_2 = C*H*W*n + H*W*c + W*y;
            for (int64_t x0 = 0; x0 < gn_min_i64((W + 15)/16, 1); x0++) {
                gn_f32x16 s = gn_splat_f32x16(0.0f);
                const gn_b16 m1 = gn_below_b16(W - 16*x0);
                for (int64_t p = 0; p < 3; p++) {
                    const _Bool s2 = 0 < p + y;
                    const _Bool s3 = p + y < H + 1;
                    const gn_b16 m4 = gn_and_b16(gn_splat_b16(s2), gn_splat_b16(s3));
                    const int64_t row = C*H*W*n + H*W*c + W*p + W*y + 16*x0 - W;
                    for (int64_t q = 0; q < 3; q++) {
                        const float s5 = K[9*c + 3*p + q];
                        const gn_b16 m6 = gn_below_b16(1 - 16*x0 - q);
                        const gn_b16 m7 = gn_not_b16(m6);
                        const gn_b16 m8 = gn_and_b16(m4, m7);
                        const gn_b16 m9 = gn_below_b16(W + 1 - 16*x0 - q);
                        const gn_b16 m10 = gn_and_b16(m8, m9);
                        const gn_b16 m11 = gn_and_b16(m1, m10);
                        const gn_f32x16 v12 = gn_loadm_f32x16(X, row + q - 1, m11);
                        s = gn_fma_f32x16(gn_splat_f32x16(s5), v12, s);
                    }
                }
                gn_storem_f32x16(Y, row_2 + 16*x0, s, m1);
            }
            for (int64_t x0 = 1; x0 < (W + 15)/16 - 1; x0++) {
                gn_f32x16 s = gn_splat_f32x16(0.0f);
                for (int64_t p = 0; p < 3; p++) {
                    const int64_t row_3 = C*H*W*n + H*W*c + W*p + W*y + 16*x0 - W;
                    for (int64_t q = 0; q < 3; q++) {
                        const float s14 = K[9*c + 3*p + q];
                        const gn_f32x16 v15 = 0 < p + y && p + y < H + 1 ? gn_load_f32x16(X + (row_3 + q - 1)) : gn_splat_f32x16(0.0f);
                        s = gn_fma_f32x16(gn_splat_f32x16(s14), v15, s);
                    }
                }
                gn_store_f32x16(Y + row_2 + 16*x0, s);
            }
            for (int64_t x0 = gn_max_i64((W + 15)/16 - 1, 1); x0 < (W + 15)/16; x0++) {
                gn_f32x16 s = gn_splat_f32x16(0.0f);
                const gn_b16 m17 = gn_below_b16(W - 16*x0);
                for (int64_t p = 0; p < 3; p++) {
                    const _Bool s18 = 0 < p + y;
                    const _Bool s19 = p + y < H + 1;
                    const gn_b16 m20 = gn_and_b16(gn_splat_b16(s18), gn_splat_b16(s19));
                    const int64_t row_4 = C*H*W*n + H*W*c + W*p + W*y + 16*x0 - W;
                    for (int64_t q = 0; q < 3; q++) {
                        const float s21 = K[9*c + 3*p + q];
                        const gn_b16 m22 = gn_below_b16(W + 1 - 16*x0 - q);
                        const gn_b16 m23 = gn_and_b16(m20, m22);
                        const gn_b16 m24 = gn_and_b16(m17, m23);
                        const gn_f32x16 v25 = gn_loadm_f32x16(X, row_4 + q - 1, m24);
                        s = gn_fma_f32x16(gn_splat_f32x16(s21), v25, s);
                    }
                }
                gn_storem_f32x16(Y, row_2 + 16*x0, s, m17);
            }
        }
        for (int64_t y = 1; y < H - 1; y++) {
            const int64_t row_6 = C*H*W*n + H*W*c + W*y;
            for (int64_t x0 = 0; x0 < gn_min_i64((W + 15)/16, 1); x0++) {
                gn_f32x16 s = gn_splat_f32x16(0.0f);
                const gn_b16 m27 = gn_below_b16(W - 16*x0);
                for (int64_t p = 0; p < 3; p++) {
                    const int64_t row_5 = C*H*W*n + H*W*c + W*p + W*y + 16*x0 - W;
                    for (int64_t q = 0; q < 3; q++) {
                        const float s28 = K[9*c + 3*p + q];
                        const gn_b16 m29 = gn_below_b16(1 - 16*x0 - q);
                        const gn_b16 m30 = gn_not_b16(m29);
                        const gn_b16 m31 = gn_below_b16(W + 1 - 16*x0 - q);
                        const gn_b16 m32 = gn_and_b16(m30, m31);
                        const gn_b16 m33 = gn_and_b16(m27, m32);
                        const gn_f32x16 v34 = gn_loadm_f32x16(X, row_5 + q - 1, m33);
                        s = gn_fma_f32x16(gn_splat_f32x16(s28), v34, s);
                    }
                }
                gn_storem_f32x16(Y, row_6 + 16*x0, s, m27);
            }
            for (int64_t x0 = 1; x0 < (W + 15)/16 - 1; x0++) {
                gn_f32x16 s = gn_splat_f32x16(0.0f);
                for (int64_t p = 0; p < 3; p++) {
                    const int64_t row_7 = C*H*W*n + H*W*c + W*p + W*y + 16*x0 - W;
                    for (int64_t q = 0; q < 3; q++) {
                        const float s36 = K[9*c + 3*p + q];
                        const gn_f32x16 v37 = gn_load_f32x16(X + (row_7 + q - 1));
                        s = gn_fma_f32x16(gn_splat_f32x16(s36), v37, s);
                    }
                }
                gn_store_f32x16(Y + row_6 + 16*x0, s);
            }
            for (int64_t x0 = gn_max_i64((W + 15)/16 - 1, 1); x0 < (W + 15)/16; x0++) {
                gn_f32x16 s = gn_splat_f32x16(0.0f);
                const gn_b16 m39 = gn_below_b16(W - 16*x0);
                for (int64_t p = 0; p < 3; p++) {
                    const int64_t row_8 = C*H*W*n + H*W*c + W*p + W*y + 16*x0 - W;
                    for (int64_t q = 0; q < 3; q++) {
                        const float s40 = K[9*c + 3*p + q];
                        const gn_b16 m41 = gn_below_b16(W + 1 - 16*x0 - q);
                        const gn_b16 m42 = gn_and_b16(m39, m41);
                        const gn_f32x16 v43 = gn_loadm_f32x16(X, row_8 + q - 1, m42);
                        s = gn_fma_f32x16(gn_splat_f32x16(s40), v43, s);
                    }
                }
                gn_storem_f32x16(Y, row_6 + 16*x0, s, m39);
            }
        }
        for (int64_t y = gn_max_i64(H - 1, 1); y < H; y++) {
            const int64_t row_10 = C*H*W*n + H*W*c + W*y;
            for (int64_t x0 = 0; x0 < gn_min_i64((W + 15)/16, 1); x0++) {
                gn_f32x16 s = gn_splat_f32x16(0.0f);
                const gn_b16 m45 = gn_below_b16(W - 16*x0);
                for (int64_t p = 0; p < 3; p++) {
                    const _Bool s46 = p + y < H + 1;
                    const int64_t row_9 = C*H*W*n + H*W*c + W*p + W*y + 16*x0 - W;
                    for (int64_t q = 0; q < 3; q++) {
                        const float s47 = K[9*c + 3*p + q];
                        const gn_b16 m48 = gn_below_b16(1 - 16*x0 - q);
                        const gn_b16 m49 = gn_not_b16(m48);
                        const gn_b16 m50 = gn_and_b16(gn_splat_b16(s46), m49);
                        const gn_b16 m51 = gn_below_b16(W + 1 - 16*x0 - q);
                        const gn_b16 m52 = gn_and_b16(m50, m51);
                        const gn_b16 m53 = gn_and_b16(m45, m52);
                        const gn_f32x16 v54 = gn_loadm_f32x16(X, row_9 + q - 1, m53);
                        s = gn_fma_f32x16(gn_splat_f32x16(s47), v54, s);
                    }
                }
                gn_storem_f32x16(Y, row_10 + 16*x0, s, m45);
            }
            for (int64_t x0 = 1; x0 < (W + 15)/16 - 1; x0++) {
                gn_f32x16 s = gn_splat_f32x16(0.0f);
                for (int64_t p = 0; p < 3; p++) {
                    const int64_t row_11 = C*H*W*n + H*W*c + W*p + W*y + 16*x0 - W;
                    for (int64_t q = 0; q < 3; q++) {
                        const float s56 = K[9*c + 3*p + q];
                        const gn_f32x16 v57 = p + y < H + 1 ? gn_load_f32x16(X + (row_11 + q - 1)) : gn_splat_f32x16(0.0f);
                        s = gn_fma_f32x16(gn_splat_f32x16(s56), v57, s);
                    }
                }
                gn_store_f32x16(Y + row_10 + 16*x0, s);
            }
            for (int64_t x0 = gn_max_i64((W + 15)/16 - 1, 1); x0 < (W + 15)/16; x0++) {
                gn_f32x16 s = gn_splat_f32x16(0.0f);
                const gn_b16 m59 = gn_below_b16(W - 16*x0);
                for (int64_t p = 0; p < 3; p++) {
                    const _Bool s60 = p + y < H + 1;
                    const int64_t row_12 = C*H*W*n + H*W*c + W*p + W*y + 16*x0 - W;
                    for (int64_t q = 0; q < 3; q++) {
                        const float s61 = K[9*c + 3*p + q];
                        const gn_b16 m62 = gn_below_b16(W + 1 - 16*x0 - q);
                        const gn_b16 m63 = gn_and_b16(gn_splat_b16(s60), m62);
                        const gn_b16 m64 = gn_and_b16(m59, m63);
                        const gn_f32x16 v65 = gn_loadm_f32x16(X, row_12 + q - 1, m64);
                        s = gn_fma_f32x16(gn_splat_f32x16(s61), v65, s);
                    }
                }
                gn_storem_f32x16(Y, row_10 + 16*x0, s, m59);
            }
        }
    }
}
