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
        GN_UNROLL(4)
        for (int64_t k = 0; k < K; k++) {
            const gn_b16 m1 = gn_below_b16(N - 64*jr);
            const gn_f32x16 v2 = gn_loadm_f32x16(B, N*k + 64*jr, m1);
            gn_store_f32x16(b + 64*K*jr + 64*k, v2);
            const gn_b16 m3 = gn_below_b16(N - 64*jr - 16);
            const gn_f32x16 v4 = gn_loadm_f32x16(B, N*k + 64*jr + 16, m3);
            gn_store_f32x16(b + 64*K*jr + 64*k + 16, v4);
            const gn_b16 m5 = gn_below_b16(N - 64*jr - 32);
            const gn_f32x16 v6 = gn_loadm_f32x16(B, N*k + 64*jr + 32, m5);
            gn_store_f32x16(b + 64*K*jr + 64*k + 32, v6);
            const gn_b16 m7 = gn_below_b16(N - 64*jr - 48);
            const gn_f32x16 v8 = gn_loadm_f32x16(B, N*k + 64*jr + 48, m7);
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
        for (int64_t ir = 0; ir < gn_min_i64((M + 5)/6 - 42*ip, 42); ir++) {
            gn_f32x16 acc_0_0, acc_0_1, acc_0_2, acc_0_3, acc_1_0, acc_1_1, acc_1_2, acc_1_3;
            gn_f32x16 acc_2_0, acc_2_1, acc_2_2, acc_2_3, acc_3_0, acc_3_1, acc_3_2, acc_3_3;
            gn_f32x16 acc_4_0, acc_4_1, acc_4_2, acc_4_3, acc_5_0, acc_5_1, acc_5_2, acc_5_3;
            acc_0_0 = gn_splat_f32x16(0.0f);
            acc_0_1 = gn_splat_f32x16(0.0f);
            acc_0_2 = gn_splat_f32x16(0.0f);
            acc_0_3 = gn_splat_f32x16(0.0f);
            acc_1_0 = gn_splat_f32x16(0.0f);
            acc_1_1 = gn_splat_f32x16(0.0f);
            acc_1_2 = gn_splat_f32x16(0.0f);
            acc_1_3 = gn_splat_f32x16(0.0f);
            acc_2_0 = gn_splat_f32x16(0.0f);
            acc_2_1 = gn_splat_f32x16(0.0f);
            acc_2_2 = gn_splat_f32x16(0.0f);
            acc_2_3 = gn_splat_f32x16(0.0f);
            acc_3_0 = gn_splat_f32x16(0.0f);
            acc_3_1 = gn_splat_f32x16(0.0f);
            acc_3_2 = gn_splat_f32x16(0.0f);
            acc_3_3 = gn_splat_f32x16(0.0f);
            acc_4_0 = gn_splat_f32x16(0.0f);
            acc_4_1 = gn_splat_f32x16(0.0f);
            acc_4_2 = gn_splat_f32x16(0.0f);
            acc_4_3 = gn_splat_f32x16(0.0f);
            acc_5_0 = gn_splat_f32x16(0.0f);
            acc_5_1 = gn_splat_f32x16(0.0f);
            acc_5_2 = gn_splat_f32x16(0.0f);
            acc_5_3 = gn_splat_f32x16(0.0f);
            GN_UNROLL(4)
            for (int64_t k = 0; k < K; k++) {
                const float s1 = A[K*gn_min_i64(M - 1, 252*ip + 6*ir) + k];
                const gn_f32x16 v2 = gn_load_f32x16(b + 64*K*jr + 64*k);
                acc_0_0 = gn_fma_f32x16(gn_splat_f32x16(s1), v2, acc_0_0);
                const gn_f32x16 v4 = gn_load_f32x16(b + 64*K*jr + 64*k + 16);
                acc_0_1 = gn_fma_f32x16(gn_splat_f32x16(s1), v4, acc_0_1);
                const gn_f32x16 v6 = gn_load_f32x16(b + 64*K*jr + 64*k + 32);
                acc_0_2 = gn_fma_f32x16(gn_splat_f32x16(s1), v6, acc_0_2);
                const gn_f32x16 v8 = gn_load_f32x16(b + 64*K*jr + 64*k + 48);
                acc_0_3 = gn_fma_f32x16(gn_splat_f32x16(s1), v8, acc_0_3);
                const float s10 = A[K*gn_min_i64(M - 1, 252*ip + 6*ir + 1) + k];
                acc_1_0 = gn_fma_f32x16(gn_splat_f32x16(s10), v2, acc_1_0);
                acc_1_1 = gn_fma_f32x16(gn_splat_f32x16(s10), v4, acc_1_1);
                acc_1_2 = gn_fma_f32x16(gn_splat_f32x16(s10), v6, acc_1_2);
                acc_1_3 = gn_fma_f32x16(gn_splat_f32x16(s10), v8, acc_1_3);
                const float s15 = A[K*gn_min_i64(M - 1, 252*ip + 6*ir + 2) + k];
                acc_2_0 = gn_fma_f32x16(gn_splat_f32x16(s15), v2, acc_2_0);
                acc_2_1 = gn_fma_f32x16(gn_splat_f32x16(s15), v4, acc_2_1);
                acc_2_2 = gn_fma_f32x16(gn_splat_f32x16(s15), v6, acc_2_2);
                acc_2_3 = gn_fma_f32x16(gn_splat_f32x16(s15), v8, acc_2_3);
                const float s20 = A[K*gn_min_i64(M - 1, 252*ip + 6*ir + 3) + k];
                acc_3_0 = gn_fma_f32x16(gn_splat_f32x16(s20), v2, acc_3_0);
                acc_3_1 = gn_fma_f32x16(gn_splat_f32x16(s20), v4, acc_3_1);
                acc_3_2 = gn_fma_f32x16(gn_splat_f32x16(s20), v6, acc_3_2);
                acc_3_3 = gn_fma_f32x16(gn_splat_f32x16(s20), v8, acc_3_3);
                const float s25 = A[K*gn_min_i64(M - 1, 252*ip + 6*ir + 4) + k];
                acc_4_0 = gn_fma_f32x16(gn_splat_f32x16(s25), v2, acc_4_0);
                acc_4_1 = gn_fma_f32x16(gn_splat_f32x16(s25), v4, acc_4_1);
                acc_4_2 = gn_fma_f32x16(gn_splat_f32x16(s25), v6, acc_4_2);
                acc_4_3 = gn_fma_f32x16(gn_splat_f32x16(s25), v8, acc_4_3);
                const float s30 = A[K*gn_min_i64(M - 1, 252*ip + 6*ir + 5) + k];
                acc_5_0 = gn_fma_f32x16(gn_splat_f32x16(s30), v2, acc_5_0);
                acc_5_1 = gn_fma_f32x16(gn_splat_f32x16(s30), v4, acc_5_1);
                acc_5_2 = gn_fma_f32x16(gn_splat_f32x16(s30), v6, acc_5_2);
                acc_5_3 = gn_fma_f32x16(gn_splat_f32x16(s30), v8, acc_5_3);
            }
            const gn_b16 m35 = gn_below_b16(N - 64*jr);
            const gn_f32x16 v36 = gn_loadm_f32x16(bias, 64*jr, m35);
            const gn_f32x16 v37 = acc_0_0 + v36;
            const gn_f32x16 v38 = gn_load_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr);
            const gn_f32x16 v39 = gn_tanh_f32x16(v37);
            const gn_f32x16 v40 = v38 + v39;
            const _Bool s41 = 252*ip + 6*ir < M;
            const gn_f32x16 v42 = s41 ? v40 : v38;
            const gn_f32x16 v43 = gn_load_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 16);
            const gn_b16 m44 = gn_below_b16(N - 64*jr - 16);
            const gn_f32x16 v45 = gn_loadm_f32x16(bias, 64*jr + 16, m44);
            const gn_f32x16 v46 = acc_0_1 + v45;
            const gn_f32x16 v47 = gn_tanh_f32x16(v46);
            const gn_f32x16 v48 = v43 + v47;
            const gn_f32x16 v49 = s41 ? v48 : v43;
            const gn_f32x16 v50 = gn_load_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 32);
            const gn_b16 m51 = gn_below_b16(N - 64*jr - 32);
            const gn_f32x16 v52 = gn_loadm_f32x16(bias, 64*jr + 32, m51);
            const gn_f32x16 v53 = acc_0_2 + v52;
            const gn_f32x16 v54 = gn_tanh_f32x16(v53);
            const gn_f32x16 v55 = v50 + v54;
            const gn_f32x16 v56 = s41 ? v55 : v50;
            const gn_f32x16 v57 = gn_load_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 48);
            const gn_b16 m58 = gn_below_b16(N - 64*jr - 48);
            const gn_f32x16 v59 = gn_loadm_f32x16(bias, 64*jr + 48, m58);
            const gn_f32x16 v60 = acc_0_3 + v59;
            const gn_f32x16 v61 = gn_tanh_f32x16(v60);
            const gn_f32x16 v62 = v57 + v61;
            const gn_f32x16 v63 = s41 ? v62 : v57;
            const gn_f32x16 v64 = acc_1_0 + v36;
            const gn_f32x16 v65 = gn_tanh_f32x16(v64);
            const gn_f32x16 v66 = v42 + v65;
            const _Bool s67 = 252*ip + 6*ir + 1 < M;
            const gn_f32x16 v68 = s67 ? v66 : v42;
            const gn_f32x16 v69 = acc_1_1 + v45;
            const gn_f32x16 v70 = gn_tanh_f32x16(v69);
            const gn_f32x16 v71 = v49 + v70;
            const gn_f32x16 v72 = s67 ? v71 : v49;
            const gn_f32x16 v73 = acc_1_2 + v52;
            const gn_f32x16 v74 = gn_tanh_f32x16(v73);
            const gn_f32x16 v75 = v56 + v74;
            const gn_f32x16 v76 = s67 ? v75 : v56;
            const gn_f32x16 v77 = acc_1_3 + v59;
            const gn_f32x16 v78 = gn_tanh_f32x16(v77);
            const gn_f32x16 v79 = v63 + v78;
            const gn_f32x16 v80 = s67 ? v79 : v63;
            const gn_f32x16 v81 = acc_2_0 + v36;
            const gn_f32x16 v82 = gn_tanh_f32x16(v81);
            const gn_f32x16 v83 = v68 + v82;
            const _Bool s84 = 252*ip + 6*ir + 2 < M;
            const gn_f32x16 v85 = s84 ? v83 : v68;
            const gn_f32x16 v86 = acc_2_1 + v45;
            const gn_f32x16 v87 = gn_tanh_f32x16(v86);
            const gn_f32x16 v88 = v72 + v87;
            const gn_f32x16 v89 = s84 ? v88 : v72;
            const gn_f32x16 v90 = acc_2_2 + v52;
            const gn_f32x16 v91 = gn_tanh_f32x16(v90);
            const gn_f32x16 v92 = v76 + v91;
            const gn_f32x16 v93 = s84 ? v92 : v76;
            const gn_f32x16 v94 = acc_2_3 + v59;
            const gn_f32x16 v95 = gn_tanh_f32x16(v94);
            const gn_f32x16 v96 = v80 + v95;
            const gn_f32x16 v97 = s84 ? v96 : v80;
            const gn_f32x16 v98 = acc_3_0 + v36;
            const gn_f32x16 v99 = gn_tanh_f32x16(v98);
            const gn_f32x16 v100 = v85 + v99;
            const _Bool s101 = 252*ip + 6*ir + 3 < M;
            const gn_f32x16 v102 = s101 ? v100 : v85;
            const gn_f32x16 v103 = acc_3_1 + v45;
            const gn_f32x16 v104 = gn_tanh_f32x16(v103);
            const gn_f32x16 v105 = v89 + v104;
            const gn_f32x16 v106 = s101 ? v105 : v89;
            const gn_f32x16 v107 = acc_3_2 + v52;
            const gn_f32x16 v108 = gn_tanh_f32x16(v107);
            const gn_f32x16 v109 = v93 + v108;
            const gn_f32x16 v110 = s101 ? v109 : v93;
            const gn_f32x16 v111 = acc_3_3 + v59;
            const gn_f32x16 v112 = gn_tanh_f32x16(v111);
            const gn_f32x16 v113 = v97 + v112;
            const gn_f32x16 v114 = s101 ? v113 : v97;
            const gn_f32x16 v115 = acc_4_0 + v36;
            const gn_f32x16 v116 = gn_tanh_f32x16(v115);
            const gn_f32x16 v117 = v102 + v116;
            const _Bool s118 = 252*ip + 6*ir + 4 < M;
            const gn_f32x16 v119 = s118 ? v117 : v102;
            const gn_f32x16 v120 = acc_4_1 + v45;
            const gn_f32x16 v121 = gn_tanh_f32x16(v120);
            const gn_f32x16 v122 = v106 + v121;
            const gn_f32x16 v123 = s118 ? v122 : v106;
            const gn_f32x16 v124 = acc_4_2 + v52;
            const gn_f32x16 v125 = gn_tanh_f32x16(v124);
            const gn_f32x16 v126 = v110 + v125;
            const gn_f32x16 v127 = s118 ? v126 : v110;
            const gn_f32x16 v128 = acc_4_3 + v59;
            const gn_f32x16 v129 = gn_tanh_f32x16(v128);
            const gn_f32x16 v130 = v114 + v129;
            const gn_f32x16 v131 = s118 ? v130 : v114;
            const gn_f32x16 v132 = acc_5_0 + v36;
            const gn_f32x16 v133 = gn_tanh_f32x16(v132);
            const gn_f32x16 v134 = v119 + v133;
            const _Bool s135 = 252*ip + 6*ir + 5 < M;
            const gn_f32x16 v136 = s135 ? v134 : v119;
            const gn_f32x16 v137 = acc_5_1 + v45;
            const gn_f32x16 v138 = gn_tanh_f32x16(v137);
            const gn_f32x16 v139 = v123 + v138;
            const gn_f32x16 v140 = s135 ? v139 : v123;
            const gn_f32x16 v141 = acc_5_2 + v52;
            const gn_f32x16 v142 = gn_tanh_f32x16(v141);
            const gn_f32x16 v143 = v127 + v142;
            const gn_f32x16 v144 = s135 ? v143 : v127;
            const gn_f32x16 v145 = acc_5_3 + v59;
            const gn_f32x16 v146 = gn_tanh_f32x16(v145);
            const gn_f32x16 v147 = v131 + v146;
            const gn_f32x16 v148 = s135 ? v147 : v131;
            gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr, v136);
            gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 16, v140);
            gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 32, v144);
            gn_store_f32x16(dbp + 64*ip*((N + 63)/64) + 64*jr + 48, v148);
            if (252*ip + 6*ir < M) {
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 64*jr, v39, m35);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 64*jr + 16, v47, m44);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 64*jr + 32, v54, m51);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 64*jr + 48, v61, m58);
            }
            if (252*ip + 6*ir + 1 < M) {
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + N + 64*jr, v65, m35);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + N + 64*jr + 16, v70, m44);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + N + 64*jr + 32, v74, m51);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + N + 64*jr + 48, v78, m58);
            }
            if (252*ip + 6*ir + 2 < M) {
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 2*N + 64*jr, v82, m35);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 2*N + 64*jr + 16, v87, m44);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 2*N + 64*jr + 32, v91, m51);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 2*N + 64*jr + 48, v95, m58);
            }
            if (252*ip + 6*ir + 3 < M) {
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 3*N + 64*jr, v99, m35);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 3*N + 64*jr + 16, v104, m44);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 3*N + 64*jr + 32, v108, m51);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 3*N + 64*jr + 48, v112, m58);
            }
            if (252*ip + 6*ir + 4 < M) {
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 4*N + 64*jr, v116, m35);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 4*N + 64*jr + 16, v121, m44);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 4*N + 64*jr + 32, v125, m51);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 4*N + 64*jr + 48, v129, m58);
            }
            if (252*ip + 6*ir + 5 < M) {
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 5*N + 64*jr, v133, m35);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 5*N + 64*jr + 16, v138, m44);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 5*N + 64*jr + 32, v142, m51);
                gn_storem_f32x16(C, 252*N*ip + 6*N*ir + 5*N + 64*jr + 48, v146, m58);
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
        gn_f32x16 db_0, db_1, db_2, db_3;
        db_0 = gn_splat_f32x16(0.0f);
        db_1 = gn_splat_f32x16(0.0f);
        db_2 = gn_splat_f32x16(0.0f);
        db_3 = gn_splat_f32x16(0.0f);
        for (int64_t p = 0; p < (M + 251)/252; p++) {
            const gn_f32x16 v1 = gn_load_f32x16(dbp + 64*jr + 64*p*((N + 63)/64));
            db_0 = db_0 + v1;
            const gn_f32x16 v3 = gn_load_f32x16(dbp + 64*jr + 64*p*((N + 63)/64) + 16);
            db_1 = db_1 + v3;
            const gn_f32x16 v5 = gn_load_f32x16(dbp + 64*jr + 64*p*((N + 63)/64) + 32);
            db_2 = db_2 + v5;
            const gn_f32x16 v7 = gn_load_f32x16(dbp + 64*jr + 64*p*((N + 63)/64) + 48);
            db_3 = db_3 + v7;
        }
        const gn_b16 m9 = gn_below_b16(N - 64*jr);
        gn_storem_f32x16(DB, 64*jr, db_0, m9);
        const gn_b16 m10 = gn_below_b16(N - 64*jr - 16);
        gn_storem_f32x16(DB, 64*jr + 16, db_1, m10);
        const gn_b16 m11 = gn_below_b16(N - 64*jr - 32);
        gn_storem_f32x16(DB, 64*jr + 32, db_2, m11);
        const gn_b16 m12 = gn_below_b16(N - 64*jr - 48);
        gn_storem_f32x16(DB, 64*jr + 48, db_3, m12);
    }
}
