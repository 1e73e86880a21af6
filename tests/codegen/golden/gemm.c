/* (kernel gemm (syms M N K)
 *   (bufs (A f32 M K) (B f32 K N) (bias f32 N) (C f32 M N) (DB f32 N))
 *   (axes (i M) (j N) (k K))
 *   (def b (k j) (load B k j))
 *   (def acc (i j) (sum (k) (mul (load A i k) (b k j))))
 *   (def h (i j) (tanh (add (acc i j) (load bias j))))
 *   (def db (j) (sum (i) (h i j)))
 *   (store set C (i j) (h i j))
 *   (store set DB (j) (db j))) */
void gemm_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const B = (const float *)arg[1];
    float *const b = (float *)arg[5];
    const int64_t N = sym[1];
    const int64_t K = sym[2];
    (void)part;
    for (int64_t jr = 0; jr < (N + 63)/64; jr++) {
        const gn_b16 m1 = gn_below_b16(N - 64*jr);
        const gn_b16 m2 = gn_below_b16(N - 64*jr - 16);
        const gn_b16 m3 = gn_below_b16(N - 64*jr - 32);
        const gn_b16 m4 = gn_below_b16(N - 64*jr - 48);
        const int64_t row = 64*K*jr;
        GN_UNROLL(4)
        for (int64_t k = 0; k < K; k++) {
            gn_store_f32x16(b + row + 64*k, gn_loadm_f32x16(B, N*k + 64*jr, m1));
            gn_store_f32x16(b + row + 64*k + 16, gn_loadm_f32x16(B, N*k + 64*jr + 16, m2));
            gn_store_f32x16(b + row + 64*k + 32, gn_loadm_f32x16(B, N*k + 64*jr + 32, m3));
            gn_store_f32x16(b + row + 64*k + 48, gn_loadm_f32x16(B, N*k + 64*jr + 48, m4));
        }
    }
}

void gemm_1(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const A = (const float *)arg[0];
    const float *const bias = (const float *)arg[2];
    float *const C = (float *)arg[3];
    float *const b = (float *)arg[5];
    float *const dbp = (float *)arg[6];
    const int64_t M = sym[0];
    const int64_t N = sym[1];
    const int64_t K = sym[2];
    const int64_t ip = part;
    const int64_t row_5 = 64*ip*((N + 63)/64);
    for (int64_t jr = 0; jr < (N + 63)/64; jr++) {
        gn_store_f32x16(dbp + row_5 + 64*jr, gn_splat_f32x16(0.0f));
        gn_store_f32x16(dbp + row_5 + 64*jr + 16, gn_splat_f32x16(0.0f));
        gn_store_f32x16(dbp + row_5 + 64*jr + 32, gn_splat_f32x16(0.0f));
        gn_store_f32x16(dbp + row_5 + 64*jr + 48, gn_splat_f32x16(0.0f));
        const gn_b16 m1 = gn_below_b16(N - 64*jr);
        const gn_b16 m2 = gn_below_b16(N - 64*jr - 16);
        const gn_b16 m3 = gn_below_b16(N - 64*jr - 32);
        const gn_b16 m4 = gn_below_b16(N - 64*jr - 48);
        const int64_t row_3 = 64*ip*((N + 63)/64) + 64*jr;
        const int64_t row_4 = 252*N*ip + 64*jr;
        for (int64_t ir = 0; ir < gn_min_i64((M + 5)/6 - 42*ip, 42); ir++) {
            gn_f32x16 acc[6][4];
            GN_UNROLLED(6)
            for (int64_t i1 = 0; i1 < 6; i1++) {
                acc[i1][0] = gn_splat_f32x16(0.0f);
                acc[i1][1] = gn_splat_f32x16(0.0f);
                acc[i1][2] = gn_splat_f32x16(0.0f);
                acc[i1][3] = gn_splat_f32x16(0.0f);
            }
            const int64_t row_2 = 64*K*jr;
            GN_UNROLL(4)
            for (int64_t k = 0; k < K; k++) {
                const gn_f32x16 v5 = gn_load_f32x16(b + row_2 + 64*k);
                const gn_f32x16 v6 = gn_load_f32x16(b + row_2 + 64*k + 16);
                const gn_f32x16 v7 = gn_load_f32x16(b + row_2 + 64*k + 32);
                const gn_f32x16 v8 = gn_load_f32x16(b + row_2 + 64*k + 48);
                GN_UNROLLED(6)
                for (int64_t i1 = 0; i1 < 6; i1++) {
                    const float s9 = A[K*gn_min_i64(M - 1, 252*ip + 6*ir + i1) + k];
                    acc[i1][0] = gn_fma_f32x16(gn_splat_f32x16(s9), v5, acc[i1][0]);
                    acc[i1][1] = gn_fma_f32x16(gn_splat_f32x16(s9), v6, acc[i1][1]);
                    acc[i1][2] = gn_fma_f32x16(gn_splat_f32x16(s9), v7, acc[i1][2]);
                    acc[i1][3] = gn_fma_f32x16(gn_splat_f32x16(s9), v8, acc[i1][3]);
                }
            }
            gn_f32x16 dbp_r = gn_load_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr);
            gn_f32x16 dbp_r_2 = gn_load_f32x16(dbp + row_3 + 16);
            gn_f32x16 dbp_r_3 = gn_load_f32x16(dbp + row_3 + 32);
            gn_f32x16 dbp_r_4 = gn_load_f32x16(dbp + row_3 + 48);
            const gn_f32x16 v18 = gn_loadm_f32x16(bias, 64*jr, m1);
            const gn_f32x16 v19 = gn_loadm_f32x16(bias, 64*jr + 16, m2);
            const gn_f32x16 v20 = gn_loadm_f32x16(bias, 64*jr + 32, m3);
            const gn_f32x16 v21 = gn_loadm_f32x16(bias, 64*jr + 48, m4);
            GN_UNROLLED(6)
            for (int64_t i1 = 0; i1 < 6; i1++) {
                const gn_f32x16 v22 = acc[i1][0] + v18;
                const gn_f32x16 v23 = gn_tanh_f32x16(v22);
                const gn_f32x16 v24 = dbp_r + v23;
                const _Bool s25 = 252*ip + 6*ir + i1 < M;
                dbp_r = s25 ? v24 : dbp_r;
                const gn_f32x16 v27 = acc[i1][1] + v19;
                const gn_f32x16 v28 = gn_tanh_f32x16(v27);
                const gn_f32x16 v29 = dbp_r_2 + v28;
                dbp_r_2 = s25 ? v29 : dbp_r_2;
                const gn_f32x16 v31 = acc[i1][2] + v20;
                const gn_f32x16 v32 = gn_tanh_f32x16(v31);
                const gn_f32x16 v33 = dbp_r_3 + v32;
                dbp_r_3 = s25 ? v33 : dbp_r_3;
                const gn_f32x16 v35 = acc[i1][3] + v21;
                const gn_f32x16 v36 = gn_tanh_f32x16(v35);
                const gn_f32x16 v37 = dbp_r_4 + v36;
                dbp_r_4 = s25 ? v37 : dbp_r_4;
                if (252*ip + 6*ir + i1 < M) {
                    gn_storem_f32x16(C, row_4 + 6*N*ir + N*i1, v23, m1);
                    gn_storem_f32x16(C, row_4 + 6*N*ir + N*i1 + 16, v28, m2);
                    gn_storem_f32x16(C, row_4 + 6*N*ir + N*i1 + 32, v32, m3);
                    gn_storem_f32x16(C, row_4 + 6*N*ir + N*i1 + 48, v36, m4);
                }
            }
            gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr, dbp_r);
            gn_store_f32x16(dbp + row_3 + 16, dbp_r_2);
            gn_store_f32x16(dbp + row_3 + 32, dbp_r_3);
            gn_store_f32x16(dbp + row_3 + 48, dbp_r_4);
        }
    }
}

void gemm_2(void *const *arg, const int64_t *sym, int64_t part)
{
    float *const DB = (float *)arg[4];
    float *const dbp = (float *)arg[6];
    const int64_t M = sym[0];
    const int64_t N = sym[1];
    (void)part;
    for (int64_t jr = 0; jr < (N + 63)/64; jr++) {
        gn_f32x16 db[4];
        db[0] = gn_splat_f32x16(0.0f);
        db[1] = gn_splat_f32x16(0.0f);
        db[2] = gn_splat_f32x16(0.0f);
        db[3] = gn_splat_f32x16(0.0f);
        for (int64_t p = 0; p < (M + 251)/252; p++) {
            GN_UNROLLED(4)
            for (int64_t ju = 0; ju < 4; ju++) {
                const gn_f32x16 v1 = gn_load_f32x16(dbp + 64*p*((N + 63)/64) + 64*jr + 16*ju);
                db[ju] = db[ju] + v1;
            }
        }
        GN_UNROLLED(4)
        for (int64_t ju = 0; ju < 4; ju++) {
            const gn_b16 m3 = gn_below_b16(N - 64*jr - 16*ju);
            gn_storem_f32x16(DB, 64*jr + 16*ju, db[ju], m3);
        }
    }
}
