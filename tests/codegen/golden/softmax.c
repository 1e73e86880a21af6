/* (kernel softmax (syms R C)
 *   (bufs (X f32 R C) (Y f32 R C))
 *   (axes (i R) (j C))
 *   (def m (i) (max (j) (load X i j)))
 *   (def e (i j) (exp (sub (load X i j) (m i))))
 *   (def s (i) (sum (j) (e i j)))
 *   (store set Y (i j) (mul (e i j) (div 1.0 (s i))))) */
void softmax_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const X = (const float *)arg[0];
    float *const Y = (float *)arg[1];
    float *const e = (float *)arg[2];
    const int64_t R = sym[0];
    const int64_t C = sym[1];
    const int64_t ip = part;
    for (int64_t ii = 0; ii < gn_min_i64(R - 16*ip, 16); ii++) {
        float m;
        gn_f32x16 m_a_0, m_a_1, m_a_2, m_a_3;
        float s;
        gn_f32x16 s_a_0, s_a_1, s_a_2, s_a_3;
        m_a_0 = gn_splat_f32x16((-GN_INF_F32));
        m_a_1 = gn_splat_f32x16((-GN_INF_F32));
        m_a_2 = gn_splat_f32x16((-GN_INF_F32));
        m_a_3 = gn_splat_f32x16((-GN_INF_F32));
        for (int64_t j0 = 0; j0 < C/64; j0++) {
            const gn_f32x16 v1 = gn_load_f32x16(X + C*ii + 16*C*ip + 64*j0);
            m_a_0 = gn_max_f32x16(m_a_0, v1);
            const gn_f32x16 v3 = gn_load_f32x16(X + C*ii + 16*C*ip + 64*j0 + 16);
            m_a_1 = gn_max_f32x16(m_a_1, v3);
            const gn_f32x16 v5 = gn_load_f32x16(X + C*ii + 16*C*ip + 64*j0 + 32);
            m_a_2 = gn_max_f32x16(m_a_2, v5);
            const gn_f32x16 v7 = gn_load_f32x16(X + C*ii + 16*C*ip + 64*j0 + 48);
            m_a_3 = gn_max_f32x16(m_a_3, v7);
        }
        for (int64_t j0 = C/64; j0 < (C + 63)/64; j0++) {
            const gn_b16 m9 = gn_below_b16(C - 64*j0);
            const gn_f32x16 v10 = gn_loadm_f32x16(X, C*ii + 16*C*ip + 64*j0, m9);
            const gn_f32x16 v11 = gn_max_f32x16(m_a_0, v10);
            m_a_0 = gn_sel_f32x16(m9, v11, m_a_0);
            const gn_b16 m13 = gn_below_b16(C - 64*j0 - 16);
            const gn_f32x16 v14 = gn_loadm_f32x16(X, C*ii + 16*C*ip + 64*j0 + 16, m13);
            const gn_f32x16 v15 = gn_max_f32x16(m_a_1, v14);
            m_a_1 = gn_sel_f32x16(m13, v15, m_a_1);
            const gn_b16 m17 = gn_below_b16(C - 64*j0 - 32);
            const gn_f32x16 v18 = gn_loadm_f32x16(X, C*ii + 16*C*ip + 64*j0 + 32, m17);
            const gn_f32x16 v19 = gn_max_f32x16(m_a_2, v18);
            m_a_2 = gn_sel_f32x16(m17, v19, m_a_2);
            const gn_b16 m21 = gn_below_b16(C - 64*j0 - 48);
            const gn_f32x16 v22 = gn_loadm_f32x16(X, C*ii + 16*C*ip + 64*j0 + 48, m21);
            const gn_f32x16 v23 = gn_max_f32x16(m_a_3, v22);
            m_a_3 = gn_sel_f32x16(m21, v23, m_a_3);
        }
        const gn_f32x16 v25 = gn_max_f32x16(m_a_0, m_a_1);
        const gn_f32x16 v26 = gn_max_f32x16(m_a_2, m_a_3);
        const gn_f32x16 v27 = gn_max_f32x16(v25, v26);
        m = gn_hmax_f32x16(v27);
        s_a_0 = gn_splat_f32x16(0.0f);
        s_a_1 = gn_splat_f32x16(0.0f);
        s_a_2 = gn_splat_f32x16(0.0f);
        s_a_3 = gn_splat_f32x16(0.0f);
        for (int64_t j0 = 0; j0 < C/64; j0++) {
            const gn_f32x16 v29 = gn_load_f32x16(X + C*ii + 16*C*ip + 64*j0);
            const gn_f32x16 v30 = v29 - gn_splat_f32x16(m);
            const gn_f32x16 v31 = gn_exp_f32x16(v30);
            gn_store_f32x16(e + 64*j0, v31);
            const gn_f32x16 v32 = gn_load_f32x16(X + C*ii + 16*C*ip + 64*j0 + 16);
            const gn_f32x16 v33 = v32 - gn_splat_f32x16(m);
            const gn_f32x16 v34 = gn_exp_f32x16(v33);
            gn_store_f32x16(e + 64*j0 + 16, v34);
            const gn_f32x16 v35 = gn_load_f32x16(X + C*ii + 16*C*ip + 64*j0 + 32);
            const gn_f32x16 v36 = v35 - gn_splat_f32x16(m);
            const gn_f32x16 v37 = gn_exp_f32x16(v36);
            gn_store_f32x16(e + 64*j0 + 32, v37);
            const gn_f32x16 v38 = gn_load_f32x16(X + C*ii + 16*C*ip + 64*j0 + 48);
            const gn_f32x16 v39 = v38 - gn_splat_f32x16(m);
            const gn_f32x16 v40 = gn_exp_f32x16(v39);
            gn_store_f32x16(e + 64*j0 + 48, v40);
            s_a_0 = s_a_0 + v31;
            s_a_1 = s_a_1 + v34;
            s_a_2 = s_a_2 + v37;
            s_a_3 = s_a_3 + v40;
        }
        for (int64_t j0 = C/64; j0 < (C + 63)/64; j0++) {
            const gn_b16 m45 = gn_below_b16(C - 64*j0);
            const gn_f32x16 v46 = gn_loadm_f32x16(X, C*ii + 16*C*ip + 64*j0, m45);
            const gn_f32x16 v47 = v46 - gn_splat_f32x16(m);
            const gn_f32x16 v48 = gn_exp_f32x16(v47);
            const gn_f32x16 v49 = gn_sel_f32x16(m45, v48, gn_splat_f32x16(0.0f));
            gn_store_f32x16(e + 64*j0, v49);
            const gn_b16 m50 = gn_below_b16(C - 64*j0 - 16);
            const gn_f32x16 v51 = gn_loadm_f32x16(X, C*ii + 16*C*ip + 64*j0 + 16, m50);
            const gn_f32x16 v52 = v51 - gn_splat_f32x16(m);
            const gn_f32x16 v53 = gn_exp_f32x16(v52);
            const gn_f32x16 v54 = gn_sel_f32x16(m50, v53, gn_splat_f32x16(0.0f));
            gn_store_f32x16(e + 64*j0 + 16, v54);
            const gn_b16 m55 = gn_below_b16(C - 64*j0 - 32);
            const gn_f32x16 v56 = gn_loadm_f32x16(X, C*ii + 16*C*ip + 64*j0 + 32, m55);
            const gn_f32x16 v57 = v56 - gn_splat_f32x16(m);
            const gn_f32x16 v58 = gn_exp_f32x16(v57);
            const gn_f32x16 v59 = gn_sel_f32x16(m55, v58, gn_splat_f32x16(0.0f));
            gn_store_f32x16(e + 64*j0 + 32, v59);
            const gn_b16 m60 = gn_below_b16(C - 64*j0 - 48);
            const gn_f32x16 v61 = gn_loadm_f32x16(X, C*ii + 16*C*ip + 64*j0 + 48, m60);
            const gn_f32x16 v62 = v61 - gn_splat_f32x16(m);
            const gn_f32x16 v63 = gn_exp_f32x16(v62);
            const gn_f32x16 v64 = gn_sel_f32x16(m60, v63, gn_splat_f32x16(0.0f));
            gn_store_f32x16(e + 64*j0 + 48, v64);
            const gn_f32x16 v65 = s_a_0 + v49;
            s_a_0 = gn_sel_f32x16(m45, v65, s_a_0);
            const gn_f32x16 v67 = s_a_1 + v54;
            s_a_1 = gn_sel_f32x16(m50, v67, s_a_1);
            const gn_f32x16 v69 = s_a_2 + v59;
            s_a_2 = gn_sel_f32x16(m55, v69, s_a_2);
            const gn_f32x16 v71 = s_a_3 + v64;
            s_a_3 = gn_sel_f32x16(m60, v71, s_a_3);
        }
        const gn_f32x16 v73 = s_a_0 + s_a_1;
        const gn_f32x16 v74 = s_a_2 + s_a_3;
        const gn_f32x16 v75 = v73 + v74;
        s = gn_hsum_f32x16(v75);
        for (int64_t j0 = 0; j0 < C/64; j0++) {
            const gn_f32x16 v77 = gn_load_f32x16(e + 64*j0);
            const float s78 = 1.0f / s;
            const gn_f32x16 v79 = v77 * gn_splat_f32x16(s78);
            gn_store_f32x16(Y + C*ii + 16*C*ip + 64*j0, v79);
            const gn_f32x16 v80 = gn_load_f32x16(e + 64*j0 + 16);
            const gn_f32x16 v81 = v80 * gn_splat_f32x16(s78);
            gn_store_f32x16(Y + C*ii + 16*C*ip + 64*j0 + 16, v81);
            const gn_f32x16 v82 = gn_load_f32x16(e + 64*j0 + 32);
            const gn_f32x16 v83 = v82 * gn_splat_f32x16(s78);
            gn_store_f32x16(Y + C*ii + 16*C*ip + 64*j0 + 32, v83);
            const gn_f32x16 v84 = gn_load_f32x16(e + 64*j0 + 48);
            const gn_f32x16 v85 = v84 * gn_splat_f32x16(s78);
            gn_store_f32x16(Y + C*ii + 16*C*ip + 64*j0 + 48, v85);
        }
        for (int64_t j0 = C/64; j0 < (C + 63)/64; j0++) {
            const gn_f32x16 v86 = gn_load_f32x16(e + 64*j0);
            const float s87 = 1.0f / s;
            const gn_f32x16 v88 = v86 * gn_splat_f32x16(s87);
            const gn_b16 m89 = gn_below_b16(C - 64*j0);
            gn_storem_f32x16(Y, C*ii + 16*C*ip + 64*j0, v88, m89);
            const gn_f32x16 v90 = gn_load_f32x16(e + 64*j0 + 16);
            const gn_f32x16 v91 = v90 * gn_splat_f32x16(s87);
            const gn_b16 m92 = gn_below_b16(C - 64*j0 - 16);
            gn_storem_f32x16(Y, C*ii + 16*C*ip + 64*j0 + 16, v91, m92);
            const gn_f32x16 v93 = gn_load_f32x16(e + 64*j0 + 32);
            const gn_f32x16 v94 = v93 * gn_splat_f32x16(s87);
            const gn_b16 m95 = gn_below_b16(C - 64*j0 - 32);
            gn_storem_f32x16(Y, C*ii + 16*C*ip + 64*j0 + 32, v94, m95);
            const gn_f32x16 v96 = gn_load_f32x16(e + 64*j0 + 48);
            const gn_f32x16 v97 = v96 * gn_splat_f32x16(s87);
            const gn_b16 m98 = gn_below_b16(C - 64*j0 - 48);
            gn_storem_f32x16(Y, C*ii + 16*C*ip + 64*j0 + 48, v97, m98);
        }
    }
}
