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
        GN_UNROLL(4)
        for (int64_t k = 0; k < K; k++) {
            const gn_f32x16 v5 = gn_loadm_f32x16(B, N*k + 64*jr, m1);
            gn_store_f32x16(b + 64*K*jr + 64*k, v5);
            const gn_f32x16 v6 = gn_loadm_f32x16(B, N*k + 64*jr + 16, m2);
            gn_store_f32x16(b + 64*K*jr + 64*k + 16, v6);
            const gn_f32x16 v7 = gn_loadm_f32x16(B, N*k + 64*jr + 32, m3);
            gn_store_f32x16(b + 64*K*jr + 64*k + 32, v7);
            const gn_f32x16 v8 = gn_loadm_f32x16(B, N*k + 64*jr + 48, m4);
            gn_store_f32x16(b + 64*K*jr + 64*k + 48, v8);
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
    for (int64_t jr = 0; jr < (N + 63)/64; jr++) {
        gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr, gn_splat_f32x16(0.0f));
        gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 16, gn_splat_f32x16(0.0f));
        gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 32, gn_splat_f32x16(0.0f));
        gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 48, gn_splat_f32x16(0.0f));
        const gn_b16 m1 = gn_below_b16(N - 64*jr);
        const gn_b16 m2 = gn_below_b16(N - 64*jr - 16);
        const gn_b16 m3 = gn_below_b16(N - 64*jr - 32);
        const gn_b16 m4 = gn_below_b16(N - 64*jr - 48);
        for (int64_t ir = 0; ir < gn_min_i64((M + 5)/6 - 42*ip, 42); ir++) {
            gn_f32x16 tanhs[5];
            gn_f32x16 tanhs_2[5];
            gn_f32x16 tanhs_3[5];
            gn_f32x16 tanhs_4[5];
            gn_f32x16 acc[6][4];
            GN_UNROLLED(6)
            for (int64_t i1 = 0; i1 < 6; i1++) {
                acc[i1][0] = gn_splat_f32x16(0.0f);
                acc[i1][1] = gn_splat_f32x16(0.0f);
                acc[i1][2] = gn_splat_f32x16(0.0f);
                acc[i1][3] = gn_splat_f32x16(0.0f);
            }
            GN_UNROLL(4)
            for (int64_t k = 0; k < K; k++) {
                const gn_f32x16 v5 = gn_load_f32x16(b + 64*K*jr + 64*k);
                const gn_f32x16 v6 = gn_load_f32x16(b + 64*K*jr + 64*k + 16);
                const gn_f32x16 v7 = gn_load_f32x16(b + 64*K*jr + 64*k + 32);
                const gn_f32x16 v8 = gn_load_f32x16(b + 64*K*jr + 64*k + 48);
                GN_UNROLLED(6)
                for (int64_t i1 = 0; i1 < 6; i1++) {
                    const float s9 = A[K*gn_min_i64(M - 1, i1 + 252*ip + 6*ir) + k];
                    acc[i1][0] = gn_fma_f32x16(gn_splat_f32x16(s9), v5, acc[i1][0]);
                    acc[i1][1] = gn_fma_f32x16(gn_splat_f32x16(s9), v6, acc[i1][1]);
                    acc[i1][2] = gn_fma_f32x16(gn_splat_f32x16(s9), v7, acc[i1][2]);
                    acc[i1][3] = gn_fma_f32x16(gn_splat_f32x16(s9), v8, acc[i1][3]);
                }
            }
            const gn_f32x16 v14 = gn_loadm_f32x16(bias, 64*jr, m1);
            const gn_f32x16 v15 = acc[0][0] + v14;
            const gn_f32x16 v16 = gn_load_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr);
            const gn_f32x16 v17 = gn_tanh_f32x16(v15);
            const gn_f32x16 v18 = v16 + v17;
            const _Bool s19 = 252*ip + 6*ir < M;
            const gn_f32x16 v20 = s19 ? v18 : v16;
            gn_f32x16 dbp_r;
            dbp_r = v20;
            const gn_f32x16 v21 = gn_load_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 16);
            const gn_f32x16 v22 = gn_loadm_f32x16(bias, 64*jr + 16, m2);
            const gn_f32x16 v23 = acc[0][1] + v22;
            const gn_f32x16 v24 = gn_tanh_f32x16(v23);
            const gn_f32x16 v25 = v21 + v24;
            const gn_f32x16 v26 = s19 ? v25 : v21;
            gn_f32x16 dbp_r_2;
            dbp_r_2 = v26;
            const gn_f32x16 v27 = gn_load_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 32);
            const gn_f32x16 v28 = gn_loadm_f32x16(bias, 64*jr + 32, m3);
            const gn_f32x16 v29 = acc[0][2] + v28;
            const gn_f32x16 v30 = gn_tanh_f32x16(v29);
            const gn_f32x16 v31 = v27 + v30;
            const gn_f32x16 v32 = s19 ? v31 : v27;
            gn_f32x16 dbp_r_3;
            dbp_r_3 = v32;
            const gn_f32x16 v33 = gn_load_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 48);
            const gn_f32x16 v34 = gn_loadm_f32x16(bias, 64*jr + 48, m4);
            const gn_f32x16 v35 = acc[0][3] + v34;
            const gn_f32x16 v36 = gn_tanh_f32x16(v35);
            const gn_f32x16 v37 = v33 + v36;
            const gn_f32x16 v38 = s19 ? v37 : v33;
            gn_f32x16 dbp_r_4;
            dbp_r_4 = v38;
            GN_UNROLLED(5)
            for (int64_t i1 = 0; i1 < 5; i1++) {
                const gn_f32x16 v39 = acc[i1+1][0] + v14;
                const gn_f32x16 v40 = gn_tanh_f32x16(v39);
                tanhs[i1] = v40;
                const gn_f32x16 v41 = dbp_r + v40;
                const _Bool s42 = i1 + 252*ip + 6*ir + 1 < M;
                dbp_r = s42 ? v41 : dbp_r;
                const gn_f32x16 v44 = acc[i1+1][1] + v22;
                const gn_f32x16 v45 = gn_tanh_f32x16(v44);
                tanhs_2[i1] = v45;
                const gn_f32x16 v46 = dbp_r_2 + v45;
                dbp_r_2 = s42 ? v46 : dbp_r_2;
                const gn_f32x16 v48 = acc[i1+1][2] + v28;
                const gn_f32x16 v49 = gn_tanh_f32x16(v48);
                tanhs_3[i1] = v49;
                const gn_f32x16 v50 = dbp_r_3 + v49;
                dbp_r_3 = s42 ? v50 : dbp_r_3;
                const gn_f32x16 v52 = acc[i1+1][3] + v34;
                const gn_f32x16 v53 = gn_tanh_f32x16(v52);
                tanhs_4[i1] = v53;
                const gn_f32x16 v54 = dbp_r_4 + v53;
                dbp_r_4 = s42 ? v54 : dbp_r_4;
            }
            gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr, dbp_r);
            gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 16, dbp_r_2);
            gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 32, dbp_r_3);
            gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 48, dbp_r_4);
            if (252*ip + 6*ir < M) {
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 64*jr, v17, m1);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 64*jr + 16, v24, m2);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 64*jr + 32, v30, m3);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 64*jr + 48, v36, m4);
            }
            GN_UNROLLED(5)
            for (int64_t p_2 = 0; p_2 < 5; p_2++) {
                if (252*ip + 6*ir + p_2 + 1 < M) {
                    gn_storem_f32x16(C, 252*N*ip + 6*N*ir + N*p_2 + N + 64*jr, tanhs[p_2], m1);
                    gn_storem_f32x16(C, 252*N*ip + 6*N*ir + N*p_2 + N + 64*jr + 16, tanhs_2[p_2], m2);
                    gn_storem_f32x16(C, 252*N*ip + 6*N*ir + N*p_2 + N + 64*jr + 32, tanhs_3[p_2], m3);
                    gn_storem_f32x16(C, 252*N*ip + 6*N*ir + N*p_2 + N + 64*jr + 48, tanhs_4[p_2], m4);
                }
            }
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
                const gn_f32x16 v1 = gn_load_f32x16(dbp + 64*jr + 16*ju + 64*p*((N + 63)/64));
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
