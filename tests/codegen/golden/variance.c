/* (kernel variance (syms M N K)
 *   (bufs (X f32 M N) (Y f32 M) (Z f32 M N))
 *   (axes (i M) (j N))
 *   (def w (i) (fold (j) (n f32 0.0) (mean f32 0.0) (m2 f32 0.0)
 *       (step (add n 1.0) (add mean (div (sub (load X i j) mean) (new n))) (add m2 (mul (sub (load X i j) mean) (sub (load X i j) (new mean)))))
 *       (merge (add n (other n)) (add mean (mul (sub (other mean) mean) (div (other n) (maximum 1.0 (new n))))) (add (add m2 (other m2)) (mul (mul (sub (other mean) mean) (sub (other mean) mean)) (mul n (div (other n) (maximum 1.0 (new n)))))))))
 *   (store set Y (i) (div (w.m2 i) (maximum 1.0 (w.n i))))
 *   (store set Z (i j) (sub (load X i j) (w.mean i)))) */
void variance_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const X = (const float *)arg[0];
    float *const Y = (float *)arg[1];
    float *const Z = (float *)arg[2];
    const int64_t N = sym[1];
    const int64_t i = part;
    gn_f32x8 w_n_a_0 = gn_splat_f32x8(0.0f);
    gn_f32x8 w_mean_a_0 = gn_splat_f32x8(0.0f);
    gn_f32x8 w_m2_a_0 = gn_splat_f32x8(0.0f);
    gn_f32x8 w_n_a_1 = gn_splat_f32x8(0.0f);
    gn_f32x8 w_mean_a_1 = gn_splat_f32x8(0.0f);
    gn_f32x8 w_m2_a_1 = gn_splat_f32x8(0.0f);
    const int64_t row = N*i;
    for (int64_t j0 = 0; j0 < N/16; j0++) {
        const gn_f32x8 v1 = w_n_a_0 + gn_splat_f32x8(1.0f);
        const gn_f32x8 v2 = gn_load_f32x8(X + row + 16*j0);
        const gn_f32x8 v3 = v2 - w_mean_a_0;
        const gn_f32x8 v4 = v3 / v1;
        const gn_f32x8 v5 = w_mean_a_0 + v4;
        const gn_f32x8 v6 = v2 - v5;
        const gn_f32x8 v7 = v3 * v6;
        const gn_f32x8 v8 = w_m2_a_0 + v7;
        w_n_a_0 = v1;
        w_mean_a_0 = v5;
        w_m2_a_0 = v8;
        const gn_f32x8 v9 = w_n_a_1 + gn_splat_f32x8(1.0f);
        const gn_f32x8 v10 = gn_load_f32x8(X + row + 16*j0 + 8);
        const gn_f32x8 v11 = v10 - w_mean_a_1;
        const gn_f32x8 v12 = v11 / v9;
        const gn_f32x8 v13 = w_mean_a_1 + v12;
        const gn_f32x8 v14 = v10 - v13;
        const gn_f32x8 v15 = v11 * v14;
        const gn_f32x8 v16 = w_m2_a_1 + v15;
        w_n_a_1 = v9;
        w_mean_a_1 = v13;
        w_m2_a_1 = v16;
    }
    for (int64_t j0 = N/16; j0 < (N + 15)/16; j0++) {
        const gn_f32x8 v17 = w_n_a_0 + gn_splat_f32x8(1.0f);
        const gn_b8 m18 = gn_below_b8(N - 16*j0);
        const gn_f32x8 v19 = gn_sel_f32x8(m18, v17, w_n_a_0);
        const gn_f32x8 v20 = gn_loadm_f32x8(X, row + 16*j0, m18);
        const gn_f32x8 v21 = v20 - w_mean_a_0;
        const gn_f32x8 v22 = v21 / v17;
        const gn_f32x8 v23 = w_mean_a_0 + v22;
        const gn_f32x8 v24 = gn_sel_f32x8(m18, v23, w_mean_a_0);
        const gn_f32x8 v25 = v20 - v23;
        const gn_f32x8 v26 = v21 * v25;
        const gn_f32x8 v27 = w_m2_a_0 + v26;
        const gn_f32x8 v28 = gn_sel_f32x8(m18, v27, w_m2_a_0);
        w_n_a_0 = v19;
        w_mean_a_0 = v24;
        w_m2_a_0 = v28;
        const gn_f32x8 v29 = w_n_a_1 + gn_splat_f32x8(1.0f);
        const gn_b8 m30 = gn_below_b8(N - 16*j0 - 8);
        const gn_f32x8 v31 = gn_sel_f32x8(m30, v29, w_n_a_1);
        const gn_f32x8 v32 = gn_loadm_f32x8(X, row + 16*j0 + 8, m30);
        const gn_f32x8 v33 = v32 - w_mean_a_1;
        const gn_f32x8 v34 = v33 / v29;
        const gn_f32x8 v35 = w_mean_a_1 + v34;
        const gn_f32x8 v36 = gn_sel_f32x8(m30, v35, w_mean_a_1);
        const gn_f32x8 v37 = v32 - v35;
        const gn_f32x8 v38 = v33 * v37;
        const gn_f32x8 v39 = w_m2_a_1 + v38;
        const gn_f32x8 v40 = gn_sel_f32x8(m30, v39, w_m2_a_1);
        w_n_a_1 = v31;
        w_mean_a_1 = v36;
        w_m2_a_1 = v40;
    }
    const gn_f32x8 v41 = w_n_a_0 + w_n_a_1;
    const gn_f32x8 v42 = w_mean_a_1 - w_mean_a_0;
    const gn_f32x8 v43 = gn_max_f32x8(gn_splat_f32x8(1.0f), v41);
    const gn_f32x8 v44 = w_n_a_1 / v43;
    const gn_f32x8 v45 = v42 * v44;
    const gn_f32x8 v46 = w_mean_a_0 + v45;
    const gn_f32x8 v47 = w_m2_a_0 + w_m2_a_1;
    const gn_f32x8 v48 = v42 * v42;
    const gn_f32x8 v49 = w_n_a_0 * v44;
    const gn_f32x8 v50 = v48 * v49;
    const gn_f32x8 v51 = v47 + v50;
    const gn_f32x4 v52 = gn_lo_f32x8(v41);
    const gn_f32x4 v53 = gn_hi_f32x8(v41);
    const gn_f32x4 v54 = gn_lo_f32x8(v46);
    const gn_f32x4 v55 = gn_hi_f32x8(v46);
    const gn_f32x4 v56 = gn_lo_f32x8(v51);
    const gn_f32x4 v57 = gn_hi_f32x8(v51);
    const gn_f32x4 v58 = v52 + v53;
    const gn_f32x4 v59 = v55 - v54;
    const gn_f32x4 v60 = gn_max_f32x4(gn_splat_f32x4(1.0f), v58);
    const gn_f32x4 v61 = v53 / v60;
    const gn_f32x4 v62 = v59 * v61;
    const gn_f32x4 v63 = v54 + v62;
    const gn_f32x4 v64 = v56 + v57;
    const gn_f32x4 v65 = v59 * v59;
    const gn_f32x4 v66 = v52 * v61;
    const gn_f32x4 v67 = v65 * v66;
    const gn_f32x4 v68 = v64 + v67;
    const gn_f32x2 v69 = gn_lo_f32x4(v58);
    const gn_f32x2 v70 = gn_hi_f32x4(v58);
    const gn_f32x2 v71 = gn_lo_f32x4(v63);
    const gn_f32x2 v72 = gn_hi_f32x4(v63);
    const gn_f32x2 v73 = gn_lo_f32x4(v68);
    const gn_f32x2 v74 = gn_hi_f32x4(v68);
    const gn_f32x2 v75 = v69 + v70;
    const gn_f32x2 v76 = v72 - v71;
    const gn_f32x2 v77 = gn_max_f32x2(gn_splat_f32x2(1.0f), v75);
    const gn_f32x2 v78 = v70 / v77;
    const gn_f32x2 v79 = v76 * v78;
    const gn_f32x2 v80 = v71 + v79;
    const gn_f32x2 v81 = v73 + v74;
    const gn_f32x2 v82 = v76 * v76;
    const gn_f32x2 v83 = v69 * v78;
    const gn_f32x2 v84 = v82 * v83;
    const gn_f32x2 v85 = v81 + v84;
    const float s86 = gn_lo_f32x2(v75);
    const float s87 = gn_hi_f32x2(v75);
    const float s88 = gn_lo_f32x2(v80);
    const float s89 = gn_hi_f32x2(v80);
    const float s90 = gn_lo_f32x2(v85);
    const float s91 = gn_hi_f32x2(v85);
    const float s92 = s86 + s87;
    const float s93 = s89 - s88;
    const float s94 = gn_max_f32(1.0f, s92);
    const float s95 = s87 / s94;
    const float s96 = s93 * s95;
    const float s97 = s88 + s96;
    const float s98 = s90 + s91;
    const float s99 = s93 * s93;
    const float s100 = s86 * s95;
    const float s101 = s99 * s100;
    const float s102 = s98 + s101;
    float w_n = s92;
    float w_mean = s97;
    float w_m2 = s102;
    const float s103 = gn_max_f32(1.0f, w_n);
    Y[i] = w_m2 / s103;
    for (int64_t j0 = 0; j0 < N/16; j0++) {
        const gn_f32x8 v105 = gn_load_f32x8(X + row + 16*j0);
        gn_store_f32x8(Z + row + 16*j0, v105 - gn_splat_f32x8(w_mean));
        const gn_f32x8 v107 = gn_load_f32x8(X + row + 16*j0 + 8);
        gn_store_f32x8(Z + row + 16*j0 + 8, v107 - gn_splat_f32x8(w_mean));
    }
    for (int64_t j0 = N/16; j0 < (N + 15)/16; j0++) {
        const gn_b8 m109 = gn_below_b8(N - 16*j0);
        const gn_f32x8 v110 = gn_loadm_f32x8(X, row + 16*j0, m109);
        gn_storem_f32x8(Z, row + 16*j0, v110 - gn_splat_f32x8(w_mean), m109);
        const gn_b8 m112 = gn_below_b8(N - 16*j0 - 8);
        const gn_f32x8 v113 = gn_loadm_f32x8(X, row + 16*j0 + 8, m112);
        gn_storem_f32x8(Z, row + 16*j0 + 8, v113 - gn_splat_f32x8(w_mean), m112);
    }
}
